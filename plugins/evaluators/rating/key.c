/* SPDX-License-Identifier: Apache-2.0 */
/* key.c: see key.h. */
#include "config.h"

#include "key.h"

#include <math.h>
#include <string.h>

#include "evaluators/stats/stats.h"

#define KEY_VERSION 1

static void
prompt_free (gpointer data)
{
  RatingPrompt *prompt = data;

  g_free (prompt->row);
  g_free (prompt->prompt);
  g_strfreev (prompt->texts);
  g_free (prompt);
}

static void
item_free (gpointer data)
{
  RatingItem *item = data;

  g_free (item->id);
  g_free (item);
}

RatingKey *
rating_key_new (const char *const *criteria, const char *const *systems)
{
  RatingKey *key = g_new0 (RatingKey, 1);

  key->criteria = g_strdupv ((char **) criteria);
  key->systems = g_strdupv ((char **) systems);
  key->n_criteria = g_strv_length (key->criteria);
  key->n_systems = g_strv_length (key->systems);
  key->prompts = g_ptr_array_new_with_free_func (prompt_free);
  key->items = g_ptr_array_new_with_free_func (item_free);
  key->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  return key;
}

void
rating_key_free (RatingKey *key)
{
  g_hash_table_unref (key->by_id);
  g_ptr_array_unref (key->items);
  g_ptr_array_unref (key->prompts);
  g_strfreev (key->criteria);
  g_strfreev (key->systems);
  g_free (key->page);
  g_free (key);
}

void
rating_key_add_prompt (RatingKey *key, char *row, char *prompt, char **texts)
{
  RatingPrompt *p = g_new (RatingPrompt, 1);

  *p = (RatingPrompt){ row, prompt, texts };
  g_ptr_array_add (key->prompts, p);
}

gboolean
rating_page_id_is_valid (const char *text)
{
  return text[0] == 'p' && strlen (text) == 17 && strspn (text + 1, "0123456789abcdef") == 16;
}

guint
rating_key_find (const RatingKey *key, const char *id)
{
  gpointer found = g_hash_table_lookup (key->by_id, id);

  return found != NULL ? GPOINTER_TO_UINT (found) - 1 : RATING_NOTHING;
}

const char *
rating_key_text (const RatingKey *key, guint i)
{
  const RatingItem *item = key->items->pdata[i];
  const RatingPrompt *prompt = key->prompts->pdata[item->prompt];

  return prompt->texts[item->system];
}

/* Takes @item; FALSE when its id is there already. */
static gboolean
add_item (RatingKey *key, RatingItem *item)
{
  g_ptr_array_add (key->items, item);
  return g_hash_table_insert (key->by_id, item->id, GUINT_TO_POINTER (key->items->len));
}

/* ---- drawing --------------------------------------------------------------------------------- */

/* Three times as fast as people read aloud: 255 characters a minute in Chinese, 987 in English (the
 * means of IReST: Trauzettel-Klosinski and Dietz 2012, Investigative Ophthalmology 53). */
static double
too_fast (const char *text, double fastest)
{
  double wide = 0, narrow = 0;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    if (g_unichar_iswide (g_utf8_get_char (p)))
      wide++;
    else
      narrow++;
  return MAX (fastest, round ((wide / 255 + narrow / 987) * 60 / 3 * 10) / 10);
}

static void
shuffle (guint *numbers, guint n, guint64 seed, guint64 stream)
{
  StatsRng rng;

  stats_rng_init (&rng, seed, stream);
  for (guint i = n; i > 1; i--)
    {
      guint j = (guint) stats_rng_below (&rng, i), swap = numbers[i - 1];

      numbers[i - 1] = numbers[j];
      numbers[j] = swap;
    }
}

static guint *
shuffled (guint n, guint64 seed, guint64 stream)
{
  guint *numbers = g_new (guint, n);

  for (guint i = 0; i < n; i++)
    numbers[i] = i;
  shuffle (numbers, n, seed, stream);
  return numbers;
}

/* HMAC-SHA256 of what an item stands for, under seed and secret.  It begins with a letter, lest a
 * table takes it for a number. */
static char *
make_id (const RatingPrompt *prompt, const char *system, gboolean again, guint64 seed,
         const char *secret)
{
  g_autofree char *words = g_strdup_printf ("%016" G_GINT64_MODIFIER "x%s", seed, secret);
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, (const guchar *) words, strlen (words));

  g_hmac_update (hmac, (const guchar *) prompt->row, (gssize) strlen (prompt->row) + 1);
  g_hmac_update (hmac, (const guchar *) system, (gssize) strlen (system) + 1);
  g_hmac_update (hmac, (const guchar *) (again ? "2" : "1"), 1);
  return g_strdup_printf ("s%.16s", g_hmac_get_string (hmac));
}

void
rating_key_draw (RatingKey *key, double repeat, double fastest, guint64 seed, const char *secret)
{
  guint n = key->prompts->len * key->n_systems;
  guint n_again = n == 0 || repeat <= 0 ? 0 : CLAMP ((guint) (repeat * n + 0.5), 1, n);
  g_autofree guint *again = shuffled (n, seed, 1), *order = shuffled (n + n_again, seed, 2);
  g_autofree guint *place = g_new (guint, n); /* where the first showing of a sample came to lie */

  for (guint i = 0; i < n + n_again; i++)
    if (order[i] < n)
      place[order[i]] = i;
  for (guint i = 0; i < n + n_again; i++)
    {
      gboolean second = order[i] >= n;
      guint sample = second ? again[order[i] - n] : order[i];
      RatingItem *item = g_new (RatingItem, 1);

      item->prompt = sample / key->n_systems;
      item->system = sample % key->n_systems;
      item->repeats = second ? place[sample] : RATING_NOTHING;
      item->id = make_id (key->prompts->pdata[item->prompt], key->systems[item->system], second,
                          seed, secret);
      add_item (key, item);
      item->fast = too_fast (rating_key_text (key, i), fastest);
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

static void
append_text (GString *out, const char *text)
{
  fr_json_append_string (out, text, strlen (text));
}

static void
append_texts (GString *out, char **texts)
{
  for (guint i = 0; texts[i] != NULL; i++)
    {
      g_string_append (out, i > 0 ? ", " : "");
      append_text (out, texts[i]);
    }
}

static void
append_items (const RatingKey *key, GString *out)
{
  for (guint i = 0; i < key->items->len; i++)
    {
      const RatingItem *item = key->items->pdata[i];

      g_string_append (out, i > 0 ? ",\n  {\"item\": " : "\n  {\"item\": ");
      append_text (out, item->id);
      g_string_append_printf (out, ", \"prompt\": %u, \"system\": %u, \"repeats\": ", item->prompt,
                              item->system);
      if (item->repeats == RATING_NOTHING)
        g_string_append (out, "null");
      else
        append_text (out, ((const RatingItem *) key->items->pdata[item->repeats])->id);
      g_string_append (out, ", \"fast\": ");
      fr_json_append_double (out, item->fast);
      g_string_append_c (out, '}');
    }
}

GString *
rating_key_to_json (const RatingKey *key)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out,
                          "{\"flowrun\": \"rating key\", \"version\": %d, \"page\": ", KEY_VERSION);
  append_text (out, key->page);
  g_string_append_printf (out, ", \"levels\": %d,\n \"criteria\": [", RATING_LEVELS);
  append_texts (out, key->criteria);
  g_string_append (out, "],\n \"systems\": [");
  append_texts (out, key->systems);
  g_string_append (out, "],\n \"prompts\": [");
  for (guint i = 0; i < key->prompts->len; i++)
    {
      const RatingPrompt *prompt = key->prompts->pdata[i];

      g_string_append (out, i > 0 ? ",\n  {\"row\": " : "\n  {\"row\": ");
      append_text (out, prompt->row);
      g_string_append (out, ", \"prompt\": ");
      append_text (out, prompt->prompt);
      g_string_append (out, ", \"texts\": [");
      append_texts (out, prompt->texts);
      g_string_append (out, "]}");
    }
  g_string_append (out, "],\n \"items\": [");
  append_items (key, out);
  g_string_append (out, "]}\n");
  return out;
}

/* ---- reading --------------------------------------------------------------------------------- */

static gboolean wrong (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
wrong (GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "%s; a key is written by evaluator.rating beside its page, and is not to be changed",
               what);
  return FALSE;
}

static const char *
get_text (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/* A whole number from 0 to @max - 1, else RATING_NOTHING. */
static guint
get_index (JsonObject *object, const char *name, guint max)
{
  JsonNode *node = json_object_get_member (object, name);
  gint64 value;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_INT64)
    return RATING_NOTHING;
  value = json_node_get_int (node);
  return value >= 0 && value < (gint64) max ? (guint) value : RATING_NOTHING;
}

static double
get_number (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);
  GType type = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node)
                                                            : G_TYPE_INVALID;

  if (type == G_TYPE_INT64)
    return (double) json_node_get_int (node);
  return type == G_TYPE_DOUBLE ? json_node_get_double (node) : NAN;
}

static JsonArray *
get_array (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

/* An array of texts as it is; NULL where it is something else. */
static char **
get_texts (JsonObject *object, const char *name)
{
  JsonArray *array = get_array (object, name);
  g_autoptr (GStrvBuilder) texts = g_strv_builder_new ();

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
        return NULL;
      g_strv_builder_add (texts, json_node_get_string (node));
    }
  return array != NULL ? g_strv_builder_end (texts) : NULL;
}

static JsonObject *
get_object (JsonArray *array, guint i)
{
  JsonNode *node = json_array_get_element (array, i);

  return JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static gboolean
read_prompts (RatingKey *key, JsonArray *array, GError **error)
{
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *object = get_object (array, i);
      const char *row = object != NULL ? get_text (object, "row") : NULL;
      const char *prompt = object != NULL ? get_text (object, "prompt") : NULL;
      g_auto (GStrv) texts = object != NULL ? get_texts (object, "texts") : NULL;

      if (row == NULL || prompt == NULL || texts == NULL || g_strv_length (texts) != key->n_systems)
        return wrong (error, "prompt %u has not its row, prompt and %u texts", i, key->n_systems);
      rating_key_add_prompt (key, g_strdup (row), g_strdup (prompt), g_steal_pointer (&texts));
    }
  return TRUE;
}

static gboolean
read_item (RatingKey *key, JsonObject *object, guint i, GError **error)
{
  const char *id = object != NULL ? get_text (object, "item") : NULL;
  RatingItem *item;

  if (id == NULL)
    return wrong (error, "item %u has no id", i);
  item = g_new0 (RatingItem, 1);
  item->id = g_strdup (id);
  item->prompt = get_index (object, "prompt", key->prompts->len);
  item->system = get_index (object, "system", key->n_systems);
  item->repeats = RATING_NOTHING;
  item->fast = get_number (object, "fast");
  if (!add_item (key, item))
    return wrong (error, "the item '%s' is there twice", id);
  if (item->prompt == RATING_NOTHING || item->system == RATING_NOTHING)
    return wrong (error, "the item '%s' has a prompt or system that there is not", id);
  if (!(item->fast >= 0 && isfinite (item->fast)))
    return wrong (error, "the item '%s' has no time that could be too fast", id);
  return TRUE;
}

/* A second showing names a first one, of the same sample. */
static gboolean
read_repeats (RatingKey *key, JsonObject *object, guint i, GError **error)
{
  RatingItem *item = key->items->pdata[i];
  const RatingItem *first;
  JsonNode *node = json_object_get_member (object, "repeats");
  const char *id = get_text (object, "repeats");

  if (id == NULL)
    return (node != NULL && JSON_NODE_HOLDS_NULL (node))
           || wrong (error, "the item '%s' does not say what it repeats, or null", item->id);
  item->repeats = rating_key_find (key, id);
  first = item->repeats != RATING_NOTHING ? key->items->pdata[item->repeats] : NULL;
  if (first == NULL || first == item || first->prompt != item->prompt
      || first->system != item->system)
    return wrong (error, "the item '%s' repeats '%s', which is not the same sample", item->id, id);
  return TRUE;
}

static gboolean
read_items (RatingKey *key, JsonArray *array, GError **error)
{
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (!read_item (key, get_object (array, i), i, error))
      return FALSE;
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (!read_repeats (key, get_object (array, i), i, error))
      return FALSE;
  for (guint i = 0; i < key->items->len; i++)
    {
      const RatingItem *item = key->items->pdata[i];

      if (item->repeats != RATING_NOTHING
          && ((const RatingItem *) key->items->pdata[item->repeats])->repeats != RATING_NOTHING)
        return wrong (error, "the item '%s' repeats a repetition", item->id);
    }
  return TRUE;
}

static gboolean
all_different (char **names)
{
  for (guint i = 0; names[i] != NULL; i++)
    for (guint j = 0; j < i; j++)
      if (strcmp (names[i], names[j]) == 0)
        return FALSE;
  return TRUE;
}

/* Names that can be columns: what follows makes a schema of them. */
static gboolean
names_are_well (char **criteria, char **systems, GError **error)
{
  if (criteria == NULL || criteria[0] == NULL || g_strv_length (criteria) > RATING_MAX_CRITERIA
      || !all_different (criteria))
    return wrong (error, "'criteria' is not a list of 1 to %d different names",
                  RATING_MAX_CRITERIA);
  if (systems == NULL || systems[0] == NULL || !all_different (systems))
    return wrong (error, "'systems' is not a list of different names");
  for (guint i = 0; criteria[i] != NULL; i++)
    if (criteria[i][0] == '\0' || rating_name_is_taken (criteria[i]))
      return wrong (error, "'%s' cannot be the name of a criterion", criteria[i]);
  return TRUE;
}

RatingKey *
rating_key_parse (const char *text, gsize len, GError **error)
{
  g_autoptr (JsonNode) root = fr_json_parse (text, (gssize) len, 0, error);
  g_auto (GStrv) criteria = NULL, systems = NULL;
  g_autoptr (RatingKey) key = NULL;
  JsonArray *prompts, *items;
  JsonObject *object;

  if (root == NULL)
    return NULL;
  object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  if (object == NULL || g_strcmp0 (get_text (object, "flowrun"), "rating key") != 0)
    return wrong (error, "this is not the key of a rating page"), NULL;
  if (get_index (object, "version", KEY_VERSION + 1) != KEY_VERSION
      || get_index (object, "levels", RATING_LEVELS + 1) != RATING_LEVELS)
    return wrong (error, "this key is of another version of flowrun"), NULL;
  criteria = get_texts (object, "criteria");
  systems = get_texts (object, "systems");
  if (!names_are_well (criteria, systems, error))
    return NULL;
  key = rating_key_new ((const char *const *) criteria, (const char *const *) systems);
  key->page = g_strdup (get_text (object, "page"));
  prompts = get_array (object, "prompts");
  items = get_array (object, "items");
  if (key->page == NULL || !rating_page_id_is_valid (key->page))
    return wrong (error, "'page' is not the id of a page"), NULL;
  if (prompts == NULL || items == NULL)
    return wrong (error, "'prompts' or 'items' is missing"), NULL;
  if (!read_prompts (key, prompts, error) || !read_items (key, items, error))
    return NULL;
  return g_steal_pointer (&key);
}

RatingKey *
rating_key_load (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  RatingKey *key;
  gsize len;

  if (!g_file_get_contents (path, &text, &len, &local))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot read the key: %s", local->message);
      return NULL;
    }
  key = rating_key_parse (text, len, &local);
  if (key == NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s: %s", path, local->message);
  return key;
}
