/* SPDX-License-Identifier: Apache-2.0 */
/* read.c: tokenizer.json.
 *
 * Follows the serialisation of huggingface/tokenizers.  The vocabulary and the
 * merges, which are nearly all of the file, go from the JSON reader straight
 * into the tables; the rest is small and read as a tree.  What is not known is
 * refused with the JSON Pointer of where it stands.
 *
 * "truncation" and "padding" are not looked at: nothing is cut or filled here,
 * as transformers does not either unless it is asked.
 */
#include "config.h"

#include <flowrun/json.h>

#include "tokenizer-private.h"

typedef struct
{
  LmTokenizer *t;
  const char *data;
  gsize len;
  FrStr merges; /* of the model, when they stood before the vocabulary */
  char *unk;
  gboolean fuse_unk, byte_fallback, has_model;
  GArray *splits;
  GArray *prefix, *suffix;
  gboolean has_byte_level;
  GError **error;
} Reader;

static gboolean G_GNUC_PRINTF (3, 4) fail (Reader *r, const char *pointer, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (r->error, FR_ERROR, FR_ERROR_DATA, "%s: %s: %s", r->t->name, pointer, message);
  return FALSE;
}

static gboolean
fail_json (Reader *r, FrJsonReader *json)
{
  g_autoptr (GError) fault = NULL;

  fr_json_reader_error (json, &fault);
  g_set_error (r->error, FR_ERROR, FR_ERROR_DATA, "%s: %s", r->t->name, fault->message);
  return FALSE;
}

/* ---- members of small trees ---------------------------------------------------------- */

static JsonObject *
as_object (Reader *r, JsonNode *node, const char *pointer)
{
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return json_node_get_object (node);
  fail (r, pointer, "expected an object");
  return NULL;
}

/* Member @key as a boolean; @missing when it is not there. */
static gboolean
get_bool (Reader *r, JsonObject *o, const char *key, const char *pointer, gboolean missing,
          gboolean *value)
{
  JsonNode *node = json_object_get_member (o, key);

  if (node == NULL)
    return *value = missing, TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return fail (r, pointer, "\"%s\" is no boolean", key);
  *value = json_node_get_boolean (node);
  return TRUE;
}

static const char *
get_string (Reader *r, JsonObject *o, const char *key, const char *pointer)
{
  JsonNode *node = json_object_get_member (o, key);

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_get_string (node);
  fail (r, pointer, "\"%s\" is no string", key);
  return NULL;
}

static gboolean
get_id (Reader *r, JsonNode *node, const char *pointer, gint32 *id)
{
  gint64 value;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_INT64)
    return fail (r, pointer, "\"id\" is no whole number");
  value = json_node_get_int (node);
  if (value < 0 || value >= LM_VOCAB_MAX)
    return fail (r, pointer, "id %" G_GINT64_FORMAT " is not between 0 and %d", value,
                 LM_VOCAB_MAX - 1);
  *id = (gint32) value;
  return TRUE;
}

typedef gboolean (*ComponentFunc) (Reader *r, JsonObject *o, const char *type, const char *pointer);

/* A component, or those of a Sequence, whose list is called @list; null is none. */
static gboolean
components (Reader *r, JsonNode *node, const char *pointer, const char *list, ComponentFunc func,
            guint depth)
{
  JsonObject *o;
  JsonArray *items;
  const char *type;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  o = as_object (r, node, pointer);
  type = o != NULL ? get_string (r, o, "type", pointer) : NULL;
  if (type == NULL)
    return FALSE;
  if (!g_str_equal (type, "Sequence"))
    return func (r, o, type, pointer);
  if (depth > 8)
    return fail (r, pointer, "sequences are nested more than 8 deep");
  node = json_object_get_member (o, list);
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return fail (r, pointer, "\"%s\" is no list", list);
  items = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (items); i++)
    {
      g_autofree char *at = g_strdup_printf ("%s/%s/%u", pointer, list, i);

      if (JSON_NODE_HOLDS_NULL (json_array_get_element (items, i)))
        return fail (r, at, "expected an object");
      if (!components (r, json_array_get_element (items, i), at, list, func, depth + 1))
        return FALSE;
    }
  return TRUE;
}

static gboolean
normalizer (Reader *r, JsonObject *o G_GNUC_UNUSED, const char *type, const char *pointer)
{
  if (!g_str_equal (type, "NFC"))
    return fail (r, pointer, "the normalizer \"%s\" is not known; known are NFC and Sequence",
                 type);
  r->t->nfc = TRUE;
  return TRUE;
}

/* ---- pre-tokenisers -------------------------------------------------------------------- */

static gboolean
split_pattern (Reader *r, JsonObject *o, const char *pointer, LmSplit *split)
{
  JsonNode *node = json_object_get_member (o, "pattern");
  JsonObject *pattern = as_object (r, node, pointer);
  g_autoptr (GError) fault = NULL;
  const char *text;

  if (pattern == NULL)
    return FALSE;
  if (json_object_has_member (pattern, "String"))
    {
      text = get_string (r, pattern, "String", pointer);
      if (text == NULL)
        return FALSE;
      if (*text == 0)
        return fail (r, pointer, "the pattern is empty");
      split->literal = g_strdup (text);
      split->literal_len = strlen (text);
      return TRUE;
    }
  text = get_string (r, pattern, "Regex", pointer);
  if (text == NULL)
    return FALSE;
  split->scan = lm_scan_for (text);
  if (split->scan == NULL)
    split->regex = lm_regex_new (text, &fault);
  return fault == NULL || fail (r, pointer, "%s", fault->message);
}

static gboolean
split_component (Reader *r, JsonObject *o, const char *pointer, LmSplit *split)
{
  static const char *const names[]
      = { "Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous" };
  const char *behavior;

  if (!split_pattern (r, o, pointer, split)
      || !get_bool (r, o, "invert", pointer, FALSE, &split->invert))
    return FALSE;
  behavior = get_string (r, o, "behavior", pointer);
  for (guint i = 0; behavior != NULL && i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (behavior, names[i]))
      {
        split->behavior = (LmBehavior) i;
        return TRUE;
      }
  return behavior != NULL && fail (r, pointer, "the behavior \"%s\" is not known", behavior);
}

static gboolean
pre_tokenizer (Reader *r, JsonObject *o, const char *type, const char *pointer)
{
  LmSplit split = { 0 };
  gboolean flag = FALSE, ok;

  if (r->has_byte_level)
    return fail (r, pointer, "\"%s\" stands after ByteLevel, which must be last", type);
  if (g_str_equal (type, "Split"))
    ok = split_component (r, o, pointer, &split);
  else if (g_str_equal (type, "Digits"))
    {
      ok = get_bool (r, o, "individual_digits", pointer, FALSE, &flag);
      split.scan = flag ? lm_scan_digit : lm_scan_digits;
    }
  else if (g_str_equal (type, "ByteLevel"))
    {
      ok = get_bool (r, o, "add_prefix_space", pointer, TRUE, &split.prefix_space)
           && get_bool (r, o, "use_regex", pointer, TRUE, &flag);
      split.scan = flag ? lm_scan_gpt2 : NULL;
      r->has_byte_level = TRUE;
      if (ok && !flag && !split.prefix_space)
        return TRUE;
    }
  else
    return fail (
        r, pointer,
        "the pre-tokenizer \"%s\" is not known; known are Split, Digits, ByteLevel and Sequence",
        type);
  if (ok)
    g_array_append_val (r->splits, split);
  else
    lm_split_clear (&split);
  return ok;
}

/* ---- post-processors and decoders ---------------------------------------------------- */

/* Ids of special token @name as the template's table has them, appended to @ids. */
static gboolean
template_ids (Reader *r, JsonObject *o, const char *name, const char *pointer, GArray *ids)
{
  JsonNode *node = json_object_get_member (o, "special_tokens");
  JsonObject *table = as_object (r, node, pointer), *entry;
  JsonArray *list;

  if (table == NULL)
    return FALSE;
  if (!json_object_has_member (table, name))
    return fail (r, pointer, "\"special_tokens\" has no \"%s\"", name);
  entry = as_object (r, json_object_get_member (table, name), pointer);
  node = entry != NULL ? json_object_get_member (entry, "ids") : NULL;
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return entry != NULL && fail (r, pointer, "\"%s\" has no list of ids", name);
  list = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      gint32 id;

      if (!get_id (r, json_array_get_element (list, i), pointer, &id))
        return FALSE;
      g_array_append_val (ids, id);
    }
  return TRUE;
}

static gboolean
template_processing (Reader *r, JsonObject *o, const char *pointer)
{
  JsonNode *node = json_object_get_member (o, "single");
  g_autoptr (GArray) before = g_array_new (FALSE, FALSE, sizeof (gint32));
  JsonArray *list;
  guint n_texts = 0;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return fail (r, pointer, "\"single\" is no list");
  list = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonObject *piece = as_object (r, json_array_get_element (list, i), pointer), *special;
      const char *name;

      if (piece == NULL)
        return FALSE;
      if (json_object_has_member (piece, "Sequence"))
        {
          n_texts++;
          continue;
        }
      special = as_object (r, json_object_get_member (piece, "SpecialToken"), pointer);
      name = special != NULL ? get_string (r, special, "id", pointer) : NULL;
      if (name == NULL || !template_ids (r, o, name, pointer, n_texts == 0 ? before : r->suffix))
        return FALSE;
    }
  if (n_texts != 1)
    return fail (r, pointer, "\"single\" has the text %u times, not once", n_texts);
  g_array_prepend_vals (r->prefix, before->data, before->len);
  return TRUE;
}

static gboolean
post_processor (Reader *r, JsonObject *o, const char *type, const char *pointer)
{
  if (g_str_equal (type, "ByteLevel")) /* moves offsets only */
    return TRUE;
  if (g_str_equal (type, "TemplateProcessing"))
    return template_processing (r, o, pointer);
  return fail (r, pointer,
               "the post-processor \"%s\" is not known; known are TemplateProcessing, ByteLevel "
               "and Sequence",
               type);
}

static gboolean
decoder (Reader *r, JsonObject *o G_GNUC_UNUSED, const char *type, const char *pointer)
{
  if (!g_str_equal (type, "ByteLevel"))
    return fail (r, pointer, "the decoder \"%s\" is not known; known are ByteLevel and Sequence",
                 type);
  r->has_byte_level = TRUE;
  return TRUE;
}

/* ---- added tokens ---------------------------------------------------------------------- */

static gboolean
added_token (Reader *r, JsonNode *node, const char *pointer, LmAdded *added)
{
  JsonObject *o = as_object (r, node, pointer);
  const char *content;

  if (o == NULL || !get_id (r, json_object_get_member (o, "id"), pointer, &added->id)
      || !get_bool (r, o, "single_word", pointer, FALSE, &added->single_word)
      || !get_bool (r, o, "lstrip", pointer, FALSE, &added->lstrip)
      || !get_bool (r, o, "rstrip", pointer, FALSE, &added->rstrip)
      || !get_bool (r, o, "special", pointer, FALSE, &added->special)
      || !get_bool (r, o, "normalized", pointer, !added->special, &added->normalized))
    return FALSE;
  content = get_string (r, o, "content", pointer);
  if (content == NULL)
    return FALSE;
  if (*content == 0)
    return fail (r, pointer, "an added token is empty");
  added->content = g_strdup (content);
  return TRUE;
}

static gboolean
added_tokens (Reader *r, JsonNode *node)
{
  JsonArray *list;

  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return fail (r, "/added_tokens", "expected a list");
  list = json_node_get_array (node);
  r->t->added = g_new0 (LmAdded, json_array_get_length (list));
  for (; r->t->n_added < json_array_get_length (list); r->t->n_added++)
    {
      char pointer[64];

      g_snprintf (pointer, sizeof pointer, "/added_tokens/%u", r->t->n_added);
      if (!added_token (r, json_array_get_element (list, r->t->n_added), pointer,
                        &r->t->added[r->t->n_added]))
        return FALSE;
    }
  return TRUE;
}

/* tokenizers does not use the ids of the file: a token has the model's, or the next one that is
 * free. */
static gboolean
number_added (Reader *r)
{
  LmVocab *v = r->t->vocab;
  gint32 last = -1;

  for (guint i = 0; i < r->t->n_added; i++)
    {
      LmAdded *a = &r->t->added[i];
      gint32 id = lm_vocab_find (v, a->content, strlen (a->content));
      const char *fault = NULL;
      char pointer[64];

      g_snprintf (pointer, sizeof pointer, "/added_tokens/%u", i);
      if (id < 0)
        {
          id = MAX ((gint32) v->n_model, last + 1);
          if (id == a->id
              && !lm_vocab_add (v, (guint32) id, a->content, strlen (a->content), 0, &fault))
            return fail (r, pointer, "\"%s\": %s", a->content, fault);
        }
      if (id != a->id)
        return fail (r, pointer, "\"%s\" has id %d in the file, but tokenizers would give it %d",
                     a->content, a->id, id);
      last = MAX (last, id);
      v->tokens[id].flags |= LM_TOKEN_ADDED | (a->special ? LM_TOKEN_SPECIAL : 0);
    }
  return TRUE;
}

static void
make_tries (LmTokenizer *t)
{
  for (guint i = 0; i < t->n_added; i++)
    {
      g_autoptr (GString) nfc = g_string_new (NULL);
      const char *text = t->added[i].content;

      if (t->added[i].normalized && t->nfc && lm_nfc_append (text, strlen (text), nfc))
        text = nfc->str;
      lm_trie_add (t->added[i].normalized ? t->trie_norm : t->trie, text, strlen (text),
                   (gint32) i);
    }
}

/* ---- the model ------------------------------------------------------------------------- */

/* Tokens and merges are read some at a time, so that where they will be looked for is near by then.
 */
#define BATCH 64

typedef struct
{
  GString *text;
  struct
  {
    gsize at, cut, len;
    guint32 id;
  } items[BATCH];
  guint n;
} Batch;

static gboolean
add_tokens (Reader *r, Batch *b)
{
  const char *fault;

  for (guint i = 0; i < b->n; i++)
    {
      const char *text = b->text->str + b->items[i].at;
      gsize len = b->items[i].len;

      if (!lm_vocab_add (r->t->vocab, b->items[i].id, text, len, LM_TOKEN_MODEL, &fault))
        return fail (r, "/model/vocab", "token \"%.*s\" (id %u): %s", (int) len, text,
                     b->items[i].id, fault);
    }
  b->n = 0;
  g_string_truncate (b->text, 0);
  return TRUE;
}

static gboolean
read_vocab_into (Reader *r, FrJsonReader *json, Batch *b)
{
  FrJsonToken token = fr_json_reader_next (json);

  if (token != FR_JSON_OBJECT)
    return token == FR_JSON_ERROR ? fail_json (r, json)
                                  : fail (r, "/model/vocab", "expected an object");
  while ((token = fr_json_reader_next (json)) == FR_JSON_KEY)
    {
      gsize at = b->text->len, len = json->str.len;

      g_string_append_len (b->text, json->str.data, (gssize) len);
      token = fr_json_reader_next (json);
      if (token == FR_JSON_ERROR)
        return fail_json (r, json);
      if (token != FR_JSON_INT || json->integer < 0 || json->integer >= LM_VOCAB_MAX)
        return fail (r, "/model/vocab", "the id of \"%s\" is no whole number between 0 and %d",
                     b->text->str + at, LM_VOCAB_MAX - 1);
      lm_vocab_prefetch (r->t->vocab, b->text->str + at, len);
      b->items[b->n].at = at;
      b->items[b->n].len = len;
      b->items[b->n].id = (guint32) json->integer;
      if (++b->n == BATCH && !add_tokens (r, b))
        return FALSE;
    }
  return token == FR_JSON_OBJECT_END ? add_tokens (r, b) : fail_json (r, json);
}

static gboolean
add_merges (Reader *r, Batch *b)
{
  const char *fault;

  for (guint i = 0; i < b->n; i++)
    {
      const char *text = b->text->str + b->items[i].at;
      gsize cut = b->items[i].cut, len = b->items[i].len;

      if (!lm_vocab_merge (r->t->vocab, text, cut, len, &fault))
        return fail (r, "/model/merges", "merge %" G_GSIZE_FORMAT " (\"%.*s\" and \"%.*s\"): %s",
                     r->t->vocab->n_merges, (int) cut, text, (int) (len - cut), text + cut, fault);
    }
  b->n = 0;
  g_string_truncate (b->text, 0);
  return TRUE;
}

/* "a b" or ["a", "b"]: appends "ab". */
static gboolean
read_merge (Reader *r, FrJsonReader *json, FrJsonToken token, GString *text, gsize *cut)
{
  gsize number = r->t->vocab->n_merges, start = text->len;

  if (token == FR_JSON_STRING)
    {
      const char *s = json->str.data, *end = s + json->str.len,
                 *space = memchr (s, ' ', json->str.len);

      if (space == NULL || memchr (space + 1, ' ', (gsize) (end - space - 1)) != NULL)
        return fail (r, "/model/merges", "\"%.*s\" is not two tokens with a space between",
                     (int) json->str.len, s);
      *cut = (gsize) (space - s);
      g_string_append_len (text, s, space - s);
      g_string_append_len (text, space + 1, end - space - 1);
      return TRUE;
    }
  for (guint i = 0; i < 3 && token == FR_JSON_ARRAY; i++)
    {
      FrJsonToken next = fr_json_reader_next (json);

      if (next == FR_JSON_ERROR)
        return fail_json (r, json);
      if (i == 2 && next == FR_JSON_ARRAY_END)
        return TRUE;
      if (i == 2 || next != FR_JSON_STRING)
        break;
      if (i == 1)
        *cut = text->len - start;
      g_string_append_len (text, json->str.data, (gssize) json->str.len);
    }
  if (token == FR_JSON_ERROR)
    return fail_json (r, json);
  return fail (r, "/model/merges",
               "what follows merge %" G_GSIZE_FORMAT " is neither \"a b\" nor [\"a\", \"b\"]",
               number);
}

static gboolean
read_merges_into (Reader *r, FrJsonReader *json, Batch *b)
{
  FrJsonToken token = fr_json_reader_next (json);

  if (token != FR_JSON_ARRAY)
    return token == FR_JSON_ERROR ? fail_json (r, json)
                                  : fail (r, "/model/merges", "expected a list");
  while ((token = fr_json_reader_next (json)) != FR_JSON_ARRAY_END)
    {
      gsize at = b->text->len, cut = 0;

      if (!read_merge (r, json, token, b->text, &cut))
        return FALSE;
      b->items[b->n].at = at;
      b->items[b->n].cut = cut;
      b->items[b->n].len = b->text->len - at;
      lm_vocab_prefetch (r->t->vocab, b->text->str + at, cut);
      lm_vocab_prefetch (r->t->vocab, b->text->str + at + cut, b->text->len - at - cut);
      if (++b->n == BATCH && !add_merges (r, b))
        return FALSE;
    }
  return add_merges (r, b);
}

static gboolean
in_batches (Reader *r, FrJsonReader *json, gboolean (*read) (Reader *, FrJsonReader *, Batch *))
{
  Batch b = { .text = g_string_sized_new (4096) };
  gboolean ok = read (r, json, &b);

  g_string_free (b.text, TRUE);
  return ok;
}

/* A member that is small: as a tree. */
static JsonNode *
small_tree (Reader *r, FrJsonReader *json)
{
  g_autoptr (GError) fault = NULL;
  const char *start = json->pos;
  JsonNode *node;

  if (!fr_json_reader_skip (json))
    return fail_json (r, json), NULL;
  start += strspn (start, " \t\r\n:");
  node = fr_json_parse (start, json->pos - start, FR_JSON_UTF8, &fault);
  if (node == NULL)
    g_set_error (r->error, FR_ERROR, FR_ERROR_DATA, "%s: %s", r->t->name, fault->message);
  return node;
}

static gboolean
is_false (JsonNode *node)
{
  return JSON_NODE_HOLDS_NULL (node)
         || (json_node_get_value_type (node) == G_TYPE_BOOLEAN && !json_node_get_boolean (node))
         || (json_node_get_value_type (node) == G_TYPE_STRING && *json_node_get_string (node) == 0)
         || (json_node_get_value_type (node) == G_TYPE_DOUBLE && json_node_get_double (node) == 0)
         || (json_node_get_value_type (node) == G_TYPE_INT64 && json_node_get_int (node) == 0);
}

static gboolean
model_option (Reader *r, const char *key, JsonNode *node)
{
  g_autofree char *pointer = g_strconcat ("/model/", key, NULL), *value = NULL;

  if (!JSON_NODE_HOLDS_VALUE (node) && !JSON_NODE_HOLDS_NULL (node))
    return fail (r, pointer, "expected a plain value");
  if (g_str_equal (key, "type"))
    return g_strcmp0 (json_node_get_string (node), "BPE") == 0
           || fail (r, pointer, "the model \"%s\" is not known; known is BPE",
                    json_node_get_string (node));
  if (g_str_equal (key, "fuse_unk"))
    return r->fuse_unk = !is_false (node), TRUE;
  if (g_str_equal (key, "byte_fallback"))
    return r->byte_fallback = !is_false (node), TRUE;
  if (g_str_equal (key, "ignore_merges"))
    return r->t->vocab->ignore_merges = !is_false (node), TRUE;
  if (g_str_equal (key, "unk_token"))
    return g_free (r->unk), r->unk = g_strdup (json_node_get_string (node)), TRUE;
  if (g_str_equal (key, "dropout") || g_str_equal (key, "continuing_subword_prefix")
      || g_str_equal (key, "end_of_word_suffix"))
    {
      if (is_false (node))
        return TRUE;
      value = fr_json_to_string (node, 0);
      return fail (r, pointer, "%s is not supported; only null is", value);
    }
  return fail (r, pointer, "this member of a BPE model is not known");
}

static gboolean
read_model (Reader *r, FrJsonReader *json)
{
  FrJsonToken token = fr_json_reader_next (json);
  gboolean has_vocab = FALSE;

  r->has_model = TRUE;
  if (token != FR_JSON_OBJECT)
    return token == FR_JSON_ERROR ? fail_json (r, json) : fail (r, "/model", "expected an object");
  while ((token = fr_json_reader_next (json)) == FR_JSON_KEY)
    {
      g_autofree char *key = g_strndup (json->str.data, json->str.len);

      if (g_str_equal (key, "vocab"))
        {
          if (has_vocab || !in_batches (r, json, read_vocab_into))
            return has_vocab ? fail (r, "/model/vocab", "it is there twice") : FALSE;
          has_vocab = TRUE;
        }
      else if (g_str_equal (key, "merges") && has_vocab)
        {
          if (!in_batches (r, json, read_merges_into))
            return FALSE;
        }
      else if (g_str_equal (key, "merges"))
        {
          r->merges.data = json->pos + strspn (json->pos, " \t\r\n:");
          if (!fr_json_reader_skip (json))
            return fail_json (r, json);
          r->merges.len = (gsize) (json->pos - r->merges.data);
        }
      else
        {
          g_autoptr (JsonNode) node = small_tree (r, json);

          if (node == NULL || !model_option (r, key, node))
            return FALSE;
        }
    }
  return token == FR_JSON_OBJECT_END || fail_json (r, json);
}

static gboolean
read_late_merges (Reader *r)
{
  FrJsonReader json;
  gboolean ok;

  if (r->merges.data == NULL)
    return TRUE;
  fr_json_reader_init (&json, r->merges.data, r->merges.len, FR_JSON_UTF8);
  ok = in_batches (r, &json, read_merges_into);
  fr_json_reader_clear (&json);
  return ok;
}

/* Bytes that valid UTF-8 can hold and that are no tokens become unk_token, or are left out when
 * there is none. */
static gboolean
unknown_bytes (Reader *r)
{
  LmVocab *v = r->t->vocab;
  gint32 unk = -1;

  if (r->unk != NULL)
    {
      unk = lm_vocab_find (v, r->unk, strlen (r->unk));
      if (unk < 0 || (v->tokens[unk].flags & LM_TOKEN_MODEL) == 0)
        return fail (r, "/model/unk_token", "\"%s\" is no token of the vocabulary", r->unk);
    }
  for (guint b = 0; b < 0xf5; b++)
    {
      if (v->bytes[b] >= 0 || b == 0xc0 || b == 0xc1)
        continue;
      if (r->byte_fallback)
        return fail (r, "/model/byte_fallback",
                     "true is not supported, and the vocabulary lacks byte 0x%02x", b);
      if (unk >= 0 && r->fuse_unk)
        return fail (r, "/model/fuse_unk",
                     "true is not supported, and the vocabulary lacks byte 0x%02x", b);
      v->bytes[b] = unk;
    }
  return TRUE;
}

/* ---- the whole ------------------------------------------------------------------------- */

static gboolean
member (Reader *r, FrJsonReader *json, const char *key)
{
  g_autoptr (JsonNode) node = NULL;

  if (g_str_equal (key, "model"))
    return r->has_model ? fail (r, "/model", "it is there twice") : read_model (r, json);
  if (g_str_equal (key, "truncation") || g_str_equal (key, "padding")
      || g_str_equal (key, "version"))
    return fr_json_reader_skip (json) || fail_json (r, json);
  node = small_tree (r, json);
  if (node == NULL)
    return FALSE;
  if (g_str_equal (key, "added_tokens"))
    return r->t->n_added > 0 ? fail (r, "/added_tokens", "it is there twice")
                             : added_tokens (r, node);
  if (g_str_equal (key, "normalizer"))
    return components (r, node, "/normalizer", "normalizers", normalizer, 0);
  if (g_str_equal (key, "pre_tokenizer"))
    {
      r->has_byte_level = FALSE;
      return components (r, node, "/pre_tokenizer", "pretokenizers", pre_tokenizer, 0)
             && (r->has_byte_level
                 || fail (r, "/pre_tokenizer",
                          "it has no ByteLevel; only byte-level BPE is known"));
    }
  if (g_str_equal (key, "post_processor"))
    return components (r, node, "/post_processor", "processors", post_processor, 0);
  if (g_str_equal (key, "decoder"))
    {
      r->has_byte_level = FALSE;
      return components (r, node, "/decoder", "decoders", decoder, 0)
             && (r->has_byte_level
                 || fail (r, "/decoder", "it has no ByteLevel; only byte-level BPE is known"));
    }
  return fail (r, key, "this member of tokenizer.json is not known");
}

static gboolean
read_file (Reader *r, FrJsonReader *json)
{
  FrJsonToken token = fr_json_reader_next (json);
  GHashTable *seen;
  gboolean ok = TRUE;

  if (token != FR_JSON_OBJECT)
    return token == FR_JSON_ERROR ? fail_json (r, json) : fail (r, "/", "expected an object");
  seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  while (ok && (token = fr_json_reader_next (json)) == FR_JSON_KEY)
    {
      char *key = g_strndup (json->str.data, json->str.len);

      ok = g_hash_table_add (seen, key) ? member (r, json, key)
                                        : fail (r, key, "it is there twice");
    }
  for (guint i = 0; ok && token == FR_JSON_OBJECT_END && i < 2; i++)
    {
      static const char *const needed[] = { "pre_tokenizer", "decoder" };

      if (!g_hash_table_contains (seen, needed[i]))
        ok = fail (r, needed[i], "it is missing");
    }
  g_hash_table_unref (seen);
  if (!ok)
    return FALSE;
  if (token != FR_JSON_OBJECT_END || fr_json_reader_next (json) != FR_JSON_END)
    return fail_json (r, json);
  return r->has_model || fail (r, "/model", "it is missing");
}

static gint32 *
take_ids (GArray *array, guint *n)
{
  *n = array->len;
  return g_memdup2 (array->data, array->len * sizeof (gint32));
}

gboolean
lm_tokenizer_read (LmTokenizer *t, const char *data, gsize len, GError **error)
{
  Reader r = { .t = t, .data = data, .len = len, .error = error };
  gboolean utf8 = lm_utf8_span (data, len) == len, ok;
  const char *fault = NULL;
  FrJsonReader json;

  r.splits = g_array_new (FALSE, FALSE, sizeof (LmSplit));
  r.prefix = g_array_new (FALSE, FALSE, sizeof (gint32));
  r.suffix = g_array_new (FALSE, FALSE, sizeof (gint32));
  lm_vocab_reserve (t->vocab, len / 46); /* bytes of the file a token, at least */
  fr_json_reader_init (&json, data, len, utf8 ? FR_JSON_UTF8 : 0);
  ok = read_file (&r, &json) && read_late_merges (&r) && number_added (&r) && unknown_bytes (&r);
  if (ok && !lm_vocab_seal (t->vocab, &fault))
    ok = fail (&r, "/model", "%s", fault);
  fr_json_reader_clear (&json);
  if (ok)
    make_tries (t);
  t->prefix = take_ids (r.prefix, &t->n_prefix);
  t->suffix = take_ids (r.suffix, &t->n_suffix);
  g_array_unref (r.prefix);
  g_array_unref (r.suffix);
  t->n_splits = r.splits->len;
  t->splits = (LmSplit *) (gpointer) g_array_free (r.splits, FALSE);
  g_free (r.unk);
  return ok;
}
