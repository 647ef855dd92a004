/* SPDX-License-Identifier: Apache-2.0 */
/* lexicon.h: which words may stand for which.
 *
 * Three origins, and where a word has several, the first one alone counts: what the pipeline says
 * (a table), flowrun's own list for shops (domain.c), and lists in files.  Words are known in any
 * case and width.  What people wrote down for this purpose is taken as it is; what comes from a
 * wordnet, which has all senses of a word, says its part of speech and is to be guarded.
 */
#ifndef SYNONYMS_LEXICON_H
#define SYNONYMS_LEXICON_H

#include <flowrun/batch.h>

typedef enum
{
  FROM_TABLE,
  FROM_DOMAIN,
  FROM_LIST,
  FROM_WORDNET
} Origin;

/* One word that may stand for another. @pos: 'n', 'v', 'a', 'd', or 0: not known; @senses: of a
 * wordnet, how many it has of that part of speech */
typedef struct
{
  FrStr word;
  char pos;
  guint8 senses;
} Synonym;

/* What may stand for one word. @senses: of a wordnet, by part of speech n, v, a, d */
typedef struct
{
  Origin origin;
  const Synonym *synonyms;
  guint n;
  guint8 senses[4];
} Entry;

typedef struct _Lexicon Lexicon;

Lexicon *lexicon_new (void);
void lexicon_free (Lexicon *lexicon);

/** lexicon_add: @synonym may stand for @word; FALSE when one of them is empty or both are equal. */
gboolean lexicon_add (Lexicon *lexicon, Origin origin, FrStr word, FrStr synonym);
/**
 * lexicon_read: a file's text, in either form:
 *   "word<TAB or =>synonym, synonym" a line, with , ， 、 ; ； / | between
 *   "01234567-n<TAB>cmn:lemma<TAB>word": a wordnet in OMW's tab form; words of one synset stand for
 * each other Blank lines and lines from '#' on are passed over.  @name for messages: FR_ERROR_DATA
 * with the line.
 */
gboolean lexicon_read (Lexicon *lexicon, const char *name, const char *text, gsize len,
                       GError **error);
/** lexicon_add_domain: flowrun's own list for shops. */
void lexicon_add_domain (Lexicon *lexicon);
/** lexicon_ready: after the last word; FR_ERROR_DATA when there are too many. */
gboolean lexicon_ready (Lexicon *lexicon, GError **error);
/** lexicon_n_words: how many words have synonyms. */
guint lexicon_n_words (const Lexicon *lexicon);

/**
 * lexicon_at: the entry of the longest word at @at of @text that ends at one of the @n_ends bytes
 * @ends, which rise; NULL: none.  @len: its bytes.
 */
const Entry *lexicon_at (const Lexicon *lexicon, FrStr text, gsize at, const gsize *ends,
                         guint n_ends, gsize *len);

/** lexicon_domain: NULL-terminated lines "word=synonym,synonym". */
const char *const *lexicon_domain (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Lexicon, lexicon_free)

#endif
