/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-json.c: the JSON reader, its trees, and rows made from JSON.
 *
 * The first byte chooses flags.  What must hold for any text:
 *   - tokens alone (reader) and tree agree on the verdict, but for what only
 *     trees refuse: duplicate keys and U+0000;
 *   - accepted text without comments is valid for g_utf8_validate();
 *   - an accepted text, written again and read again, is the same tree;
 *   - the located parser agrees, and notes the place of every value;
 *   - rows read into columns are valid batches, and come back from their own
 *     JSON as they were.
 */
#include "config.h"

#include <stdint.h>

#include "data/test-rows.h"
#include "json/json-private.h"

/* Not g_error(), whose signal libFuzzer does not catch. */
#define FAIL(...) (g_printerr (__VA_ARGS__), abort ())

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
need (gboolean truth, const char *what)
{
  if (!truth)
    FAIL ("broken promise: %s\n", what);
}

static gboolean
equal (JsonNode *a, JsonNode *b)
{
  JsonObjectIter i, j;
  const char *ka, *kb;
  JsonNode *va, *vb;

  if (JSON_NODE_TYPE (a) != JSON_NODE_TYPE (b))
    return FALSE;
  if (JSON_NODE_HOLDS_NULL (a))
    return TRUE;
  if (JSON_NODE_HOLDS_ARRAY (a))
    {
      JsonArray *x = json_node_get_array (a), *y = json_node_get_array (b);

      if (json_array_get_length (x) != json_array_get_length (y))
        return FALSE;
      for (guint n = 0; n < json_array_get_length (x); n++)
        if (!equal (json_array_get_element (x, n), json_array_get_element (y, n)))
          return FALSE;
      return TRUE;
    }
  if (JSON_NODE_HOLDS_OBJECT (a))
    {
      JsonObject *x = json_node_get_object (a), *y = json_node_get_object (b);

      if (json_object_get_size (x) != json_object_get_size (y))
        return FALSE;
      json_object_iter_init_ordered (&i, x);
      json_object_iter_init_ordered (&j, y);
      while (json_object_iter_next_ordered (&i, &ka, &va))
        if (!json_object_iter_next_ordered (&j, &kb, &vb) || !g_str_equal (ka, kb)
            || !equal (va, vb))
          return FALSE;
      return TRUE;
    }
  if (json_node_get_value_type (a) == G_TYPE_STRING)
    return json_node_get_value_type (b) == G_TYPE_STRING
           && g_str_equal (json_node_get_string (a), json_node_get_string (b));
  if (json_node_get_value_type (a) == G_TYPE_BOOLEAN)
    return json_node_get_value_type (b) == G_TYPE_BOOLEAN
           && json_node_get_boolean (a) == json_node_get_boolean (b);
  /* A whole number is written without a point and comes back an integer. */
  return json_node_get_double (a) == json_node_get_double (b);
}

static gsize
n_values (JsonNode *node)
{
  gsize n = 1;

  if (JSON_NODE_HOLDS_ARRAY (node))
    for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
      n += n_values (json_array_get_element (json_node_get_array (node), i));
  else if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObjectIter i;
      const char *key; /* json-glib 1.6 needs somewhere to put it */
      JsonNode *value;

      json_object_iter_init_ordered (&i, json_node_get_object (node));
      while (json_object_iter_next_ordered (&i, &key, &value))
        n += n_values (value);
    }
  return n;
}

static gboolean
read_tokens (const char *text, gsize len, guint flags)
{
  FrJsonReader r;
  FrJsonToken token;
  const char *last = text;

  fr_json_reader_init (&r, text, len, flags);
  while ((token = fr_json_reader_next (&r)) > FR_JSON_END)
    {
      need (r.pos > last && r.pos <= text + len && r.start >= last && r.start < r.pos,
            "every token moves on");
      last = r.pos;
      if (token == FR_JSON_KEY || token == FR_JSON_STRING)
        need (fri_utf8_valid (r.str.data, r.str.len) == r.str.len, "strings are UTF-8");
    }
  if (token == FR_JSON_ERROR)
    {
      g_autoptr (GError) error = NULL;

      fr_json_reader_error (&r, &error);
      need (error != NULL && r.pos >= text && r.pos <= text + len, "an error has a place");
      need (fr_json_reader_next (&r) == FR_JSON_ERROR, "an error stays");
    }
  fr_json_reader_clear (&r);
  return token == FR_JSON_END;
}

static void
trees (const char *text, gsize len, guint flags)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) tree = fr_json_parse (text, (gssize) len, flags, &error), located = NULL;
  g_autoptr (GHashTable) places = NULL;
  g_autoptr (GPtrArray) problems = NULL;
  gboolean tokens = read_tokens (text, len, flags);

  need ((tree == NULL) == (error != NULL), "no tree, an error");
  need (tokens || tree == NULL, "a tree needs sound tokens");
  if (tokens && tree == NULL)
    need (strstr (error->message, "twice") || strstr (error->message, "u0000"),
          "only trees refuse these");
  if (tokens)
    need (g_utf8_validate_len (text, len, NULL), "accepted text is UTF-8");
  located = fri_json_parse_located (text, (gssize) len, flags, &places, &problems);
  need ((tree != NULL) == (problems->len == 0), "problems when there is no tree");
  if (tree == NULL)
    return;
  need (equal (tree, located), "both trees are equal");
  need (g_hash_table_size (places) == n_values (tree), "every value has a place");
  for (guint indent = 0; indent < 4; indent += 2)
    {
      g_autofree char *again = fr_json_to_string (tree, indent);
      g_autoptr (JsonNode) back = fr_json_parse (again, -1, 0, &error);

      if (back == NULL)
        FAIL ("not read back: %s: %s\n", error->message, again);
      need (equal (tree, back), "written and read is the same");
    }
}

static void
rows (const char *text, gsize len)
{
  static FrSchema *schema;
  g_autoptr (FrBuilder) builder = NULL;
  g_autoptr (FrBatch) batch = NULL, again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *json = NULL, *more = NULL;
  guint64 unknown = 0, id = 0;
  FrJsonReader r;
  FrJsonToken token;

  if (schema == NULL)
    schema = fr_schema_parse (ROWS_ALL, NULL);
  builder = fr_builder_new (schema);
  fr_json_reader_init (&r, text, len, FR_JSON_MANY);
  while ((token = fr_json_reader_next (&r)) > FR_JSON_END)
    {
      g_autoptr (GError) fault = NULL;

      if (fr_json_read_row (&r, token, builder, &unknown, &fault))
        fr_builder_end_row (builder, (FrRowId){ ++id, 1, 0 });
      else
        {
          need (fault != NULL, "a row that failed says why");
          fr_builder_cancel_row (builder);
          if (!fr_json_reader_leave (&r, 0))
            break;
        }
      fr_json_reader_reset (&r, r.pos, (gsize) (r.end - r.pos));
    }
  fr_json_reader_clear (&r);
  batch = fr_builder_finish (builder, &error);
  need (batch != NULL && fr_batch_validate (batch, &error), error ? error->message : "");
  json = rows_text (batch);
  again = rows_read (ROWS_ALL, json, TRUE);
  more = rows_text (again);
  need (g_str_equal (json, more), "rows come back as they were");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data + 1;

  if (size < 1)
    return 0;
  need ((fri_utf8_valid (text, size - 1) == size - 1 && memchr (text, 0, size - 1) == NULL)
            == (g_utf8_validate_len (text, size - 1, NULL) != FALSE),
        "the UTF-8 check agrees with GLib");
  if (data[0] == 'r')
    rows (text, size - 1);
  else
    trees (text, size - 1, data[0] == 'c' ? FR_JSON_COMMENTS : 0);
  return 0;
}
