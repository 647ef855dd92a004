/* SPDX-License-Identifier: Apache-2.0 */
/* augment.h: what every augmenter has in common (libflowrun-text).
 *
 * An augmenter makes variants of rows: other words for the same (transform.synonyms), a way through
 * another language and back (transform.backtranslate).  Three things are the same for all of them:
 *
 *   family     A variant knows its parent, and shares its parent's cluster, so that a split made
 *              later can keep the family on one side.  TextFamily writes the rows.
 *   keep       What must come out of a variant as it went in: brands, numbers with their units and
 *              prices, dates, addresses of the web, placeholders, negations.  TextKeeper finds it
 *              once, for the augmenter to leave alone, and judges a variant by it afterwards.
 *   seen       No variant equals its parent or a sibling: TextSeen.
 *
 * An augmenter's input port says FR_PORT_TRAINING (port.h): rows held out for validation or test
 * are refused by the core before anything runs.
 */
#ifndef FLOWRUN_TEXT_AUGMENT_H
#define FLOWRUN_TEXT_AUGMENT_H

#include <flowrun/batch.h>
#include <flowrun/element.h>
#include <flowrun/error.h>
#include <flowrun/host.h>
#include <glib.h>

G_BEGIN_DECLS

/* ---- family ---------------------------------------------------------------------------------- */

/* The columns of a family, after those of the input, or in their place where an earlier augmenter
 * has added them:
 *
 *   cluster   text    what the row's relatives share.  A text column of that name that the input
 *                     brings is inherited as it is (transform.dedup's, by its parameter `cluster`);
 *                     where there is none, or null, it is the id of the oldest ancestor that this or
 *                     an earlier augmenter has seen.
 *   parent    utf8    id of the row that the variant was made of, as `flowrun why` takes it; null
 * in rows that are no variants variant   int32   which of its parent's variants it is, from 1; 0 in
 * rows that are no variants
 *
 * A variant's own id is a descendant's (fr_row_id_child()), so `flowrun why` shows it beneath the
 * row of the source.  It depends on the parent, the stage's id and the variant's number alone: two
 * augmenters in a row never give one id twice. */
#define TEXT_FAMILY_CLUSTER "cluster"
#define TEXT_FAMILY_PARENT "parent"
#define TEXT_FAMILY_VARIANT "variant"

/**
 * text_family_schema: for bind: the columns of @input and of a family; add columns of your own
 * after it.  NULL with FR_ERROR_CONFIG when the input has a column 'parent' or 'variant' that is
 * another thing, or 'cluster' is no text, saying so and what to do.
 */
FrSchema *text_family_schema (FrSchema *input, GError **error);

typedef struct _TextFamily TextFamily;

/**
 * text_family_new: for open.
 * @input: the schema of the rows that come
 * Immutable: one serves all threads.
 */
TextFamily *text_family_new (FrHost *host, const FrSchema *input);
void text_family_free (TextFamily *family);

/** text_family_n_columns: how many columns text_family_schema() gave: the first of your own. */
guint text_family_n_columns (const TextFamily *family);

/**
 * text_family_append:
 * @builder: of the schema that text_family_schema() began
 * @row: of @batch, a batch of the input: the parent
 * @variant: 0: the parent itself goes on, as it came; else which variant this is
 * @texts: one for each column of the input; where data is not NULL, it is put in place of the
 *         parent's text; NULL: all is the parent's
 *
 * Appends the cells of the input's and the family's columns.  Append your own, and then end the row
 * with the id that this returns: fr_builder_end_row().
 */
FrRowId text_family_append (const TextFamily *family, FrBuilder *builder, const FrBatch *batch,
                            gsize row, guint variant, const FrStr *texts);

/* ---- keep -------------------------------------------------------------------------------------
 */

typedef enum
{
  TEXT_KEEP_PLACEHOLDER, /* {name} {{name}} ${name} %(name)s %s <PHONE_1> [姓名] 【手机号】 __NAME__
                            and the like: what a program or transform.desensitize has put there */
  TEXT_KEEP_URL,         /* web and e-mail addresses                                            */
  TEXT_KEEP_TERM,        /* brands and words of the user's list, longest first                  */
  TEXT_KEEP_DATE, /* 2024-05-01, 2024年5月1日, 5月1日, 12:30, 双11, 618                      */
  TEXT_KEEP_PRICE, /* ¥199, 199元, 199.00 元, $5, 8.5折, 满300减40                            */
  TEXT_KEEP_NUMBER, /* other numbers, Arabic or Chinese, with the unit that follows: 500ml, 三斤,
                       100%, A4, iPhone 15: letters that hold digits are one such word     */
  TEXT_KEEP_NEGATION, /* 不 没 无 别 勿 非 未 否 and their words; not, no, never, n't, without    */
  TEXT_KEEP_N
} TextKeepKind;

/** text_keep_name: "placeholder", "url", "term", "date", "price", "number", "negation": for
 * counters and reports. */
const char *text_keep_name (TextKeepKind kind);

/**
 * TextKeep: a piece of text to leave alone.
 * @offset, @len: its bytes in the text
 */
typedef struct
{
  gsize offset, len;
  TextKeepKind kind;
} TextKeep;

typedef struct _TextKeeper TextKeeper;

/**
 * text_keeper_new:
 * @terms: brands and words to keep, NULL-terminated; NULL for none
 * @path: a file of more, one a line, UTF-8, blank lines and lines from '#' on ignored; NULL for
 * none
 *
 * Terms are found in any case and width.  A term of Latin letters is found only as a whole word.
 * Immutable: one serves all threads.  FR_ERROR_IO, or FR_ERROR_DATA with file and line.
 */
TextKeeper *text_keeper_new (const char *const *terms, const char *path, GError **error);
void text_keeper_free (TextKeeper *keeper);

/**
 * text_keeper_find: appends what is to be kept in @text (valid UTF-8) to @keeps, an array of
 * TextKeep, in order and without overlap.
 * @more: terms of this row alone (the value of its brand column), @n_more of them; empty ones are
 *        passed over
 */
void text_keeper_find (const TextKeeper *keeper, FrStr text, const FrStr *more, guint n_more,
                       GArray *keeps);

/**
 * text_keeper_judge: whether everything of @parent survived in @child.
 * @more, @n_more: as for text_keeper_find()
 * @lost: what is missing or too much, for a person; a piece of either text; or NULL
 *
 * Placeholders, addresses and terms must come as often as before (terms at least as often, in any
 * case and width).  Numbers, those of dates and prices too, are compared by value: 1,000 is 1000 is
 * 一千, 1.5万 is 15000; each of the parent's must be there, and no Arabic number may be new.
 * Negation must be in both texts or in none.  So a text may be judged after it went through another
 * language.
 *
 * Returns: TEXT_KEEP_N when all is well, else the kind that did not survive (a date's or price's
 * number is a TEXT_KEEP_NUMBER).
 */
TextKeepKind text_keeper_judge (const TextKeeper *keeper, FrStr parent, FrStr child,
                                const FrStr *more, guint n_more, FrStr *lost);

/* ---- seen -------------------------------------------------------------------------------------
 */

/* The texts of one family so far.  Texts are the same that differ in case, width, white space or
 * punctuation alone.  For one thread; cheap to clear and use again. */
typedef struct _TextSeen TextSeen;

TextSeen *text_seen_new (void);
void text_seen_free (TextSeen *seen);
void text_seen_clear (TextSeen *seen);
/** text_seen_add: TRUE when @text is new; FALSE when it was there already. */
gboolean text_seen_add (TextSeen *seen, FrStr text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextFamily, text_family_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextKeeper, text_keeper_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextSeen, text_seen_free)

G_END_DECLS

#endif
