/* SPDX-License-Identifier: Apache-2.0 */
/* key.h: which system wrote which sample of a rating page.
 *
 * The key lies in a JSON document of its own beside the page, so that it can be kept from raters:
 *
 *   {"flowrun": "rating key", "version": 1, "page": "p3f…", "levels": 5, "criteria": ["fluency",
 * …], "systems": ["before", "after"], "prompts": [{"row": "goods:17", "prompt": "…", "texts":
 * ["before's", "after's"]}, …], "items": [{"item": "s1c…", "prompt": 0, "system": 1, "repeats":
 * null, "fast": 2.4}, …]}
 *
 * "repeats" names the item that an item shows for a second time, "fast" how many seconds are too
 * few to have read it.
 */
#ifndef FLOWRUN_RATING_KEY_H
#define FLOWRUN_RATING_KEY_H

#include <flowrun/flowrun.h>

#include "scale.h"

G_BEGIN_DECLS

#define RATING_NOTHING G_MAXUINT

/** RatingPrompt: a row that the systems answered; @texts: one of each system, in their order. */
typedef struct
{
  char *row;
  char *prompt;
  char **texts;
} RatingPrompt;

/**
 * RatingItem: a sample as it is shown.
 * @id: says nothing of what it stands for
 * @prompt, @system: indices
 * @repeats: index of the item that it shows again, or RATING_NOTHING
 * @fast: seconds
 */
typedef struct
{
  char *id;
  guint prompt, system, repeats;
  double fast;
} RatingItem;

/** RatingKey: @items in an order that says nothing either. */
typedef struct
{
  char *page;
  char **criteria;
  char **systems;
  guint n_criteria, n_systems;
  GPtrArray *prompts; /* of RatingPrompt */
  GPtrArray *items;   /* of RatingItem */
  GHashTable *by_id;  /* item id to its index + 1 */
} RatingKey;

/** rating_key_new: without prompts and items; names are copied. */
RatingKey *rating_key_new (const char *const *criteria, const char *const *systems);
void rating_key_free (RatingKey *key);

/** rating_key_add_prompt: everything is taken; @texts: one of each system, NULL-terminated. */
void rating_key_add_prompt (RatingKey *key, char *row, char *prompt, char **texts);

/**
 * rating_key_draw: makes the items: every text of every prompt, and a share of them twice.
 * @repeat: that share, 0 … 1, rounded; at least one where it is not 0
 * @fastest: seconds that nobody is faster than, however short the text
 * @seed: decides which are repeated, and their order
 * @secret: goes into the ids beside the seed; may be ""
 */
void rating_key_draw (RatingKey *key, double repeat, double fastest, guint64 seed,
                      const char *secret);

/** rating_page_id_is_valid: whether @text could be the id of a page: p and 16 hexadecimal digits.
 */
gboolean rating_page_id_is_valid (const char *text);

/** rating_key_find: index of the item of that id, or RATING_NOTHING. */
guint rating_key_find (const RatingKey *key, const char *id);

/** rating_key_text: what item @i shows; owned by the key. */
const char *rating_key_text (const RatingKey *key, guint i);

/** rating_key_to_json: the document, a line an item; the caller's. */
GString *rating_key_to_json (const RatingKey *key);

/**
 * rating_key_parse:
 * @error: FR_ERROR_DATA: what is wrong where, for a document that is no key or was changed by hand
 */
RatingKey *rating_key_parse (const char *text, gsize len, GError **error);

/** rating_key_load: the same for a file; its name is in the message. */
RatingKey *rating_key_load (const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RatingKey, rating_key_free)

G_END_DECLS

#endif
