/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c: JSON text as a json-glib tree, with the place of everything in it.
 *
 * One walk serves both forms: fr_json_parse(), which stops at the first
 * fault, and fri_json_parse_located(), which collects all that can be passed
 * over.  json-glib keeps strings as C strings, so U+0000 is refused here
 * though columns can hold it.
 */
#include "config.h"

#include <string.h>

#include "json/json-private.h"

typedef struct
{
  FrJsonReader reader;
  GHashTable *places;  /* or NULL */
  GPtrArray *problems; /* or NULL: stop at the first */
  GString *pointer;
  const char *walked; /* how far line and column are counted */
  guint line, column;
  char *fault; /* first problem when they are not collected */
  gboolean stop;
} Walk;

static void
problem_free (gpointer data)
{
  FriJsonProblem *problem = data;

  g_free (problem->pointer);
  g_free (problem->message);
  g_free (problem);
}

void
fri_json_append_pointer (GString *pointer, const char *key)
{
  g_string_append_c (pointer, '/');
  for (; *key != '\0'; key++)
    if (*key == '~')
      g_string_append (pointer, "~0");
    else if (*key == '/')
      g_string_append (pointer, "~1");
    else
      g_string_append_c (pointer, *key);
}

static void
place_of (Walk *walk, const char *at, guint *line, guint *column)
{
  if (at < walk->walked)
    {
      fr_json_reader_where (&walk->reader, at, line, column);
      return;
    }
  fri_json_walk (&walk->walked, at, &walk->line, &walk->column);
  *line = walk->line;
  *column = walk->column;
}

/* Takes @message. */
static void
problem_at (Walk *walk, const char *at, char *message)
{
  guint line, column;

  place_of (walk, at, &line, &column);
  if (walk->problems == NULL)
    {
      walk->stop = TRUE;
      walk->fault = g_strdup_printf ("line %u, column %u: %s", line, column, message);
      g_free (message);
      return;
    }
  FriJsonProblem *problem = g_new (FriJsonProblem, 1);
  *problem = (FriJsonProblem){ line, column, g_strdup (walk->pointer->str), message };
  g_ptr_array_add (walk->problems, problem);
}

/* Whether the reader's fault can be passed over; says so to the reader. */
static gboolean
pass_over (Walk *walk)
{
  FrJsonReader *r = &walk->reader;
  char c = r->pos < r->end ? *r->pos : '\0';

  if (walk->problems == NULL)
    return FALSE;
  if (r->fault == fri_json_missing_comma_object)
    return c == '"';
  if (r->fault == fri_json_missing_comma_array)
    return c != '\0' && strchr ("\"{[-0123456789tfn", c) != NULL;
  return r->fault == fri_json_trailing_comma || r->fault == fri_json_double_comma;
}

static FrJsonToken
next (Walk *walk)
{
  for (;;)
    {
      FrJsonToken token = walk->stop ? FR_JSON_ERROR : fr_json_reader_next (&walk->reader);

      if (token != FR_JSON_ERROR || walk->stop)
        return token;
      problem_at (walk, walk->reader.pos, g_strdup (walk->reader.fault));
      if (!pass_over (walk))
        {
          walk->stop = TRUE;
          return FR_JSON_ERROR;
        }
      fri_json_reader_pass (&walk->reader);
    }
}

/* The reader's string as a C string; a U+0000 in it is a problem. */
static char *
text_of (Walk *walk, const char *what)
{
  FrStr s = walk->reader.str;

  if (memchr (s.data, '\0', s.len) != NULL)
    problem_at (walk, walk->reader.start,
                g_strdup_printf ("this %s holds \\u0000, which cannot be kept here", what));
  return g_strndup (s.data, s.len);
}

static void
note_place (Walk *walk, guint key_line, guint key_column)
{
  FriJsonPlace *place;

  if (walk->places == NULL)
    return;
  place = g_new0 (FriJsonPlace, 1);
  place_of (walk, walk->reader.start, &place->line, &place->column);
  place->key_line = key_line;
  place->key_column = key_column;
  if (!g_hash_table_contains (walk->places, walk->pointer->str))
    g_hash_table_insert (walk->places, g_strdup (walk->pointer->str), place);
  else
    g_free (place);
}

static JsonNode *read_value (Walk *walk, FrJsonToken token, guint key_line, guint key_column);

/* A key that was there before: says where, and passes over its value. */
static gboolean
duplicate (Walk *walk, const char *key, const char *at)
{
  FriJsonPlace *before
      = walk->places ? g_hash_table_lookup (walk->places, walk->pointer->str) : NULL;
  GHashTable *places = g_steal_pointer (&walk->places);
  JsonNode *value;

  if (before != NULL)
    problem_at (walk, at,
                g_strdup_printf ("the key '%s' appears twice; it was first at line %u, column %u; "
                                 "remove one of them",
                                 key, before->key_line, before->key_column));
  else
    problem_at (walk, at, g_strdup_printf ("the key '%s' appears twice; remove one of them", key));
  value = read_value (walk, next (walk), 0, 0);
  walk->places = places;
  if (value != NULL)
    json_node_unref (value);
  return value != NULL;
}

/* One member, from its key on. */
static gboolean
read_member (Walk *walk, JsonObject *object)
{
  g_autofree char *key = text_of (walk, "key");
  const char *at = walk->reader.start;
  gsize len = walk->pointer->len;
  guint line = 0, column = 0;
  JsonNode *value;
  gboolean fine = TRUE;

  if (walk->stop)
    return FALSE;
  if (walk->places != NULL)
    place_of (walk, at, &line, &column);
  if (walk->places != NULL || walk->problems != NULL)
    fri_json_append_pointer (walk->pointer, key);
  if (json_object_has_member (object, key))
    fine = duplicate (walk, key, at);
  else
    {
      value = read_value (walk, next (walk), line, column);
      if (value != NULL)
        json_object_set_member (object, key, value);
      fine = value != NULL;
    }
  g_string_truncate (walk->pointer, len);
  return fine;
}

static JsonNode *
read_object (Walk *walk)
{
  JsonObject *object = json_object_new ();
  FrJsonToken token;
  JsonNode *node;

  while ((token = next (walk)) == FR_JSON_KEY && read_member (walk, object))
    ;
  if (token != FR_JSON_OBJECT_END)
    {
      json_object_unref (object);
      return NULL;
    }
  node = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (node, object);
  return node;
}

static JsonNode *
read_array (Walk *walk)
{
  JsonArray *array = json_array_new ();
  gsize len = walk->pointer->len;
  FrJsonToken token;
  JsonNode *node;

  for (guint i = 0; (token = next (walk)) > FR_JSON_END && token != FR_JSON_ARRAY_END; i++)
    {
      if (walk->places != NULL || walk->problems != NULL)
        g_string_append_printf (walk->pointer, "/%u", i);
      node = read_value (walk, token, 0, 0);
      g_string_truncate (walk->pointer, len);
      if (node == NULL)
        break;
      json_array_add_element (array, node);
    }
  if (token != FR_JSON_ARRAY_END)
    {
      json_array_unref (array);
      return NULL;
    }
  node = json_node_new (JSON_NODE_ARRAY);
  json_node_take_array (node, array);
  return node;
}

static JsonNode *
read_string (Walk *walk)
{
  g_autofree char *text = text_of (walk, "text");

  return walk->stop ? NULL : json_node_init_string (json_node_alloc (), text);
}

static JsonNode *
read_value (Walk *walk, FrJsonToken token, guint key_line, guint key_column)
{
  if (token > FR_JSON_END)
    note_place (walk, key_line, key_column);
  switch (token)
    {
    case FR_JSON_OBJECT:
      return read_object (walk);
    case FR_JSON_ARRAY:
      return read_array (walk);
    case FR_JSON_STRING:
      return read_string (walk);
    case FR_JSON_INT:
      return json_node_init_int (json_node_alloc (), walk->reader.integer);
    case FR_JSON_FLOAT:
      return json_node_init_double (json_node_alloc (), walk->reader.number);
    case FR_JSON_TRUE:
    case FR_JSON_FALSE:
      return json_node_init_boolean (json_node_alloc (), token == FR_JSON_TRUE);
    case FR_JSON_NULL:
      return json_node_init_null (json_node_alloc ());
    default:
      return NULL;
    }
}

static JsonNode *
read_whole (Walk *walk, const char *text, gssize len, guint flags)
{
  JsonNode *root;

  fr_json_reader_init (&walk->reader, text, len < 0 ? strlen (text) : (gsize) len,
                       flags & ~(guint) FR_JSON_MANY);
  walk->walked = walk->reader.text;
  walk->line = walk->column = 1;
  walk->pointer = g_string_new (NULL);
  root = read_value (walk, next (walk), 0, 0);
  if (root != NULL && next (walk) != FR_JSON_END)
    g_clear_pointer (&root, json_node_unref);
  fr_json_reader_clear (&walk->reader);
  g_string_free (walk->pointer, TRUE);
  return root;
}

JsonNode *
fr_json_parse (const char *text, gssize len, guint flags, GError **error)
{
  Walk walk = { .places = NULL };
  JsonNode *root = read_whole (&walk, text, len, flags);

  if (root == NULL)
    g_set_error_literal (error, FR_ERROR, FR_ERROR_DATA, walk.fault);
  g_free (walk.fault);
  return root;
}

JsonNode *
fri_json_parse_located (const char *text, gssize len, guint flags, GHashTable **places,
                        GPtrArray **problems)
{
  Walk walk = { .places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
                .problems = g_ptr_array_new_with_free_func (problem_free) };
  JsonNode *root = read_whole (&walk, text, len, flags);

  *places = walk.places;
  *problems = walk.problems;
  return root;
}
