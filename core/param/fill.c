/* SPDX-License-Identifier: Apache-2.0 */
/* fill.c: from the "with" object of a stage to the config structure of its
 * element.
 *
 * Nothing here stops at the first problem, and every field is left in a state
 * that fri_params_free() can release.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "param/param-private.h"
#include "param/problems.h"

/* A password or token; a whole file given by mistake should not end up in memory. */
#define MAX_SECRET (64 * 1024)

typedef struct
{
  const FrParam *row;
  void *field;
  const char *base_dir;
  gboolean dry;
  FrProblems *problems;
} Slot;

/* ---- words for messages ---------------------------------------------------- */

char *
fri_json_describe (JsonNode *node)
{
  if (JSON_NODE_HOLDS_OBJECT (node))
    return g_strdup ("an object");
  if (JSON_NODE_HOLDS_ARRAY (node))
    return g_strdup ("an array");
  if (JSON_NODE_HOLDS_NULL (node))
    return g_strdup ("null");
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    {
      const char *text = json_node_get_string (node);
      g_autofree char *head = NULL;

      if (g_utf8_strlen (text, -1) <= 40)
        return g_strdup_printf ("the text '%s'", text);
      head = g_utf8_substring (text, 0, 40);
      return g_strdup_printf ("the text '%s...'", head);
    }
  if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return g_strdup (json_node_get_boolean (node) ? "true" : "false");
  if (json_node_get_value_type (node) == G_TYPE_INT64)
    return g_strdup_printf ("the number %" G_GINT64_FORMAT, json_node_get_int (node));
  {
    g_autoptr (GString) number = g_string_new ("the number ");

    fr_json_append_double (number, json_node_get_double (node));
    return g_strdup (number->str);
  }
}

static char *
range_text (const FrParam *row, const char *what)
{
  g_autoptr (GString) out = g_string_new (what);
  gboolean low = row->min > (row->type == FR_PARAM_TYPE_INT ? -9.2e18 : -G_MAXDOUBLE);
  gboolean high = row->max < (row->type == FR_PARAM_TYPE_INT ? 9.2e18 : G_MAXDOUBLE);
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  if (row->min == row->max)
    return g_strdup (out->str);
  if (low)
    g_string_append_printf (out, " %s %s", high ? "from" : "of at least",
                            g_ascii_formatd (number, sizeof number, "%.15g", row->min));
  if (high)
    g_string_append_printf (out, " %s %s", low ? "to" : "of at most",
                            g_ascii_formatd (number, sizeof number, "%.15g", row->max));
  return g_strdup (out->str);
}

static char *
enum_text (const FrParam *row)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; row->values[i] != NULL; i++)
    g_string_append_printf (out, "%s'%s'",
                            i == 0               ? ""
                            : row->values[i + 1] ? ", "
                                                 : " or ",
                            row->values[i]->word);
  return g_strdup (out->str);
}

char *
fri_param_expects (const FrParam *row)
{
  switch (row->type)
    {
    case FR_PARAM_TYPE_BOOL:
      return g_strdup ("true or false");
    case FR_PARAM_TYPE_INT:
      return range_text (row, "a whole number");
    case FR_PARAM_TYPE_FLOAT:
      return range_text (row, "a number");
    case FR_PARAM_TYPE_STRING:
      if (row->flags & FR_PARAM_SECRET)
        return g_strdup ("a reference to a secret, {\"env\": NAME} or {\"file\": PATH}");
      return g_strdup ("a text");
    case FR_PARAM_TYPE_ENUM:
      return enum_text (row);
    case FR_PARAM_TYPE_SIZE:
      return g_strdup ("a size such as 4096, \"64MiB\" or \"2GB\"");
    case FR_PARAM_TYPE_DURATION:
      return g_strdup ("a duration such as \"250ms\", \"30s\" or \"2h\", or a number of seconds");
    case FR_PARAM_TYPE_PATH:
      return g_strdup ("a path");
    case FR_PARAM_TYPE_PATHS:
      return g_strdup ("a path or an array of paths");
    case FR_PARAM_TYPE_COLUMN:
      return g_strdup ("the name of a column");
    case FR_PARAM_TYPE_COLUMNS:
      return g_strdup ("the name of a column or an array of names");
    case FR_PARAM_TYPE_STRINGS:
      return g_strdup ("a text or an array of texts");
    case FR_PARAM_TYPE_MAP:
      return g_strdup ("an object of texts");
    case FR_PARAM_TYPE_JSON:
      return g_strdup ("a JSON value");
    }
  return g_strdup ("a value");
}

static gboolean
wrong (const Slot *slot, const char *pointer, JsonNode *node)
{
  g_autofree char *is = fri_json_describe (node);
  g_autofree char *expects = fri_param_expects (slot->row);

  fr_problems_add (slot->problems, pointer, "'%s' is %s; it must be %s", slot->row->key, is,
                   expects);
  return FALSE;
}

/* ---- one value --------------------------------------------------------------- */

static gboolean
is_text (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
}

static gboolean
is_int (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64;
}

static gboolean
is_double (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_DOUBLE;
}

static gboolean
set_bool (const Slot *slot, const char *pointer, JsonNode *node)
{
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return wrong (slot, pointer, node);
  *(gboolean *) slot->field = json_node_get_boolean (node);
  return TRUE;
}

static gboolean
set_int (const Slot *slot, const char *pointer, JsonNode *node)
{
  const FrParam *row = slot->row;
  gint64 value;

  /* JSON Schema calls 1e3 and 2.0 integers too. */
  if (is_double (node) && json_node_get_double (node) == floor (json_node_get_double (node))
      && fabs (json_node_get_double (node)) <= 9007199254740992.0)
    value = (gint64) json_node_get_double (node);
  else if (is_int (node))
    value = json_node_get_int (node);
  else
    return wrong (slot, pointer, node);
  if (row->min != row->max && ((double) value < row->min || (double) value > row->max))
    return wrong (slot, pointer, node);
  *(gint64 *) slot->field = value;
  return TRUE;
}

static gboolean
set_float (const Slot *slot, const char *pointer, JsonNode *node)
{
  const FrParam *row = slot->row;
  double value;

  if (!is_int (node) && !is_double (node))
    return wrong (slot, pointer, node);
  value = is_int (node) ? (double) json_node_get_int (node) : json_node_get_double (node);
  if (!isfinite (value) || (row->min != row->max && (value < row->min || value > row->max)))
    return wrong (slot, pointer, node);
  *(double *) slot->field = value;
  return TRUE;
}

static gboolean
matches (const Slot *slot, const char *pointer, const char *text)
{
  g_autofree char *whole = NULL;
  g_autoptr (GRegex) regex = NULL;

  if (slot->row->pattern == NULL)
    return TRUE;
  whole = g_strdup_printf ("^(?:%s)$", slot->row->pattern);
  regex = g_regex_new (whole, G_REGEX_DOLLAR_ENDONLY, 0, NULL);
  if (regex == NULL || g_regex_match (regex, text, 0, NULL))
    return TRUE;
  fr_problems_add (slot->problems, pointer, "'%s' is '%s'; it must match the pattern %s",
                   slot->row->key, text, slot->row->pattern);
  return FALSE;
}

static gboolean
set_enum (const Slot *slot, const char *pointer, JsonNode *node)
{
  const FrParam *row = slot->row;
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autofree char *expects = NULL;
  const char *near;

  if (!is_text (node))
    return wrong (slot, pointer, node);
  for (guint i = 0; row->values[i] != NULL; i++)
    {
      if (strcmp (row->values[i]->word, json_node_get_string (node)) == 0)
        {
          *(int *) slot->field = row->values[i]->value;
          return TRUE;
        }
      g_ptr_array_add (words, (gpointer) row->values[i]->word);
    }
  g_ptr_array_add (words, NULL);
  near = fr_suggest (json_node_get_string (node), (const char *const *) words->pdata);
  if (near == NULL)
    return wrong (slot, pointer, node);
  expects = fri_param_expects (row);
  fr_problems_add (slot->problems, pointer,
                   "'%s' is the text '%s'; it must be %s; did you mean '%s'?", row->key,
                   json_node_get_string (node), expects, near);
  return FALSE;
}

static gboolean
set_size (const Slot *slot, const char *pointer, JsonNode *node)
{
  if (is_int (node) && json_node_get_int (node) >= 0)
    *(guint64 *) slot->field = (guint64) json_node_get_int (node);
  else if (!is_text (node) || !fri_parse_size (json_node_get_string (node), slot->field))
    return wrong (slot, pointer, node);
  return TRUE;
}

static gboolean
set_duration (const Slot *slot, const char *pointer, JsonNode *node)
{
  double seconds = -1;

  if (is_text (node) && fri_parse_duration (json_node_get_string (node), slot->field))
    return TRUE;
  if (is_int (node))
    seconds = (double) json_node_get_int (node);
  else if (is_double (node))
    seconds = json_node_get_double (node);
  if (!(seconds >= 0 && seconds < 9e12))
    return wrong (slot, pointer, node);
  *(gint64 *) slot->field = (gint64) (seconds * 1e6 + 0.5);
  return TRUE;
}

/* Relative to the pipeline file; "-" is standard input or output.  ".." stays
 * as written, since taking it away is wrong behind a symbolic link.  A folder
 * whose own name looks like a glob must not act as one. */
static char *
resolve (const Slot *slot, const char *path)
{
  g_autofree char *here = NULL;
  const char *base = slot->base_dir;
  g_autoptr (GString) out = NULL;

  if (strcmp (path, "-") == 0 || g_path_is_absolute (path))
    return g_strdup (path);
  while (path[0] == '.' && path[1] == '/')
    for (path += 2; *path == '/';)
      path++;
  if (base == NULL)
    base = here = g_get_current_dir ();
  out = g_string_new (NULL);
  if (slot->row->type == FR_PARAM_TYPE_PATHS && strpbrk (path, "*?[") != NULL)
    for (; *base != '\0'; base++)
      {
        if (strchr ("*?[\\", *base) != NULL)
          g_string_append_c (out, '\\');
        g_string_append_c (out, *base);
      }
  else
    g_string_append (out, base);
  if (out->len == 0 || out->str[out->len - 1] != '/')
    g_string_append_c (out, '/');
  g_string_append (out, path);
  return g_strdup (out->str);
}

/* A text of the row's kind: a plain one, a path, a column. */
static char *
one_text (const Slot *slot, const char *pointer, JsonNode *node)
{
  const FrParam *row = slot->row;
  const char *text;

  if (!is_text (node))
    {
      wrong (slot, pointer, node);
      return NULL;
    }
  text = json_node_get_string (node);
  switch (row->type)
    {
    case FR_PARAM_TYPE_PATH:
    case FR_PARAM_TYPE_PATHS:
    case FR_PARAM_TYPE_COLUMN:
    case FR_PARAM_TYPE_COLUMNS:
      if (text[0] == '\0')
        {
          wrong (slot, pointer, node);
          return NULL;
        }
      break;
    default:
      if (!matches (slot, pointer, text))
        return NULL;
    }
  if (row->type == FR_PARAM_TYPE_PATH || row->type == FR_PARAM_TYPE_PATHS)
    return resolve (slot, text);
  return g_strdup (text);
}

static gboolean
set_texts (const Slot *slot, const char *pointer, JsonNode *node)
{
  g_autoptr (GPtrArray) out = g_ptr_array_new_with_free_func (g_free);
  gboolean ok = TRUE;
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (node))
    {
      char *text = one_text (slot, pointer, node);

      if (text == NULL)
        return FALSE;
      g_ptr_array_add (out, text);
      g_ptr_array_add (out, NULL);
      *(char ***) slot->field = (char **) g_ptr_array_free (g_steal_pointer (&out), FALSE);
      return TRUE;
    }
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      g_autofree char *at = g_strdup_printf ("%s/%u", pointer, i);
      char *text = one_text (slot, at, json_array_get_element (array, i));

      if (text == NULL)
        ok = FALSE;
      else if (slot->row->type != FR_PARAM_TYPE_STRINGS
               && g_ptr_array_find_with_equal_func (out, text, g_str_equal, NULL))
        {
          fr_problems_add (slot->problems, at, "'%s' lists '%s' twice", slot->row->key,
                           json_array_get_string_element (array, i));
          g_free (text);
          ok = FALSE;
        }
      else
        g_ptr_array_add (out, text);
    }
  if (ok && out->len == 0 && (slot->row->flags & FR_PARAM_REQUIRED))
    {
      fr_problems_add (slot->problems, pointer, "'%s' is empty; it must have at least one value",
                       slot->row->key);
      ok = FALSE;
    }
  if (!ok)
    return FALSE;
  g_ptr_array_add (out, NULL);
  *(char ***) slot->field = (char **) g_ptr_array_free (g_steal_pointer (&out), FALSE);
  return TRUE;
}

static gboolean
set_map (const Slot *slot, const char *pointer, JsonNode *node)
{
  g_autoptr (GArray) pairs = g_array_new (TRUE, TRUE, sizeof (FrPair));
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;
  gboolean ok = TRUE;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return wrong (slot, pointer, node);
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &key, &value))
    {
      g_autofree char *at = fri_pointer (pointer, key);
      FrPair pair;

      if (!is_text (value))
        {
          g_autofree char *is = fri_json_describe (value);

          fr_problems_add (slot->problems, at, "'%s' of '%s' is %s; it must be a text", key,
                           slot->row->key, is);
          ok = FALSE;
          continue;
        }
      if (!matches (slot, at, json_node_get_string (value)))
        {
          ok = FALSE;
          continue;
        }
      pair.key = g_strdup (key);
      pair.value = g_strdup (json_node_get_string (value));
      g_array_append_val (pairs, pair);
    }
  if (ok && pairs->len == 0 && (slot->row->flags & FR_PARAM_REQUIRED))
    {
      fr_problems_add (slot->problems, pointer, "'%s' is empty; it must have at least one member",
                       slot->row->key);
      ok = FALSE;
    }
  if (ok)
    {
      *(FrPair **) slot->field = (FrPair *) g_array_free (g_steal_pointer (&pairs), FALSE);
      return TRUE;
    }
  for (guint i = 0; i < pairs->len; i++)
    {
      g_free (g_array_index (pairs, FrPair, i).key);
      g_free (g_array_index (pairs, FrPair, i).value);
    }
  return FALSE;
}

static char *
read_secret (const Slot *slot, const char *pointer, const char *path)
{
  g_autofree char *file = resolve (slot, path);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  FILE *stream = fopen (file, "rbe");
  gsize len;

  if (stream == NULL)
    {
      int errnum = errno;

      fr_error_errno (&error, errnum, "open the secret file", file);
      fr_problems_add (slot->problems, pointer, "%s", error->message);
      return NULL;
    }
  text = g_malloc (MAX_SECRET + 1);
  len = fread (text, 1, MAX_SECRET + 1, stream);
  fclose (stream);
  if (len > MAX_SECRET || !g_utf8_validate (text, (gssize) len, NULL))
    {
      fr_problems_add (slot->problems, pointer,
                       "the secret file '%s' is no text of at most 64 KiB in UTF-8", path);
      return NULL;
    }
  if (len > 0 && text[len - 1] == '\n')
    len--;
  if (len > 0 && text[len - 1] == '\r')
    len--;
  return g_strndup (text, len);
}

static gboolean
set_secret (const Slot *slot, const char *pointer, JsonNode *node)
{
  JsonObject *object;
  JsonNode *value = NULL;
  gboolean from_env;
  g_autofree char *at = NULL;
  const char *name;

  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      object = json_node_get_object (node);
      from_env = json_object_has_member (object, "env");
      if (json_object_get_size (object) == 1)
        value = json_object_get_member (object, from_env ? "env" : "file");
    }
  if (value == NULL || !is_text (value) || json_node_get_string (value)[0] == '\0')
    {
      fr_problems_add (slot->problems, pointer,
                       "'%s' is a secret and must be given as {\"env\": NAME} or {\"file\": PATH}, "
                       "never as the value itself",
                       slot->row->key);
      return FALSE;
    }
  name = json_node_get_string (value);
  at = g_strconcat (pointer, from_env ? "/env" : "/file", NULL);
  if (slot->dry)
    *(char **) slot->field = g_strdup ("");
  else if (!from_env)
    *(char **) slot->field = read_secret (slot, at, name);
  else if (g_getenv (name) != NULL)
    *(char **) slot->field = g_strdup (g_getenv (name));
  else
    fr_problems_add (slot->problems, at,
                     "the environment variable '%s', which holds the secret '%s', is not set", name,
                     slot->row->key);
  return *(char **) slot->field != NULL;
}

static gboolean
set_json (const Slot *slot, const char *pointer, JsonNode *node)
{
  if (slot->row->schema != NULL)
    {
      g_autoptr (JsonNode) schema = fr_json_parse (slot->row->schema, -1, 0, NULL);

      if (schema != NULL && !fri_json_check (schema, node, slot->row->key, pointer, slot->problems))
        return FALSE;
    }
  *(JsonNode **) slot->field = json_node_copy (node);
  return TRUE;
}

static gboolean
set (const Slot *slot, const char *pointer, JsonNode *node)
{
  if (JSON_NODE_HOLDS_NULL (node) && slot->row->type != FR_PARAM_TYPE_JSON)
    {
      g_autofree char *expects = fri_param_expects (slot->row);

      fr_problems_add (slot->problems, pointer, "'%s' is null; it must be %s, or be left out",
                       slot->row->key, expects);
      return FALSE;
    }
  switch (slot->row->type)
    {
    case FR_PARAM_TYPE_BOOL:
      return set_bool (slot, pointer, node);
    case FR_PARAM_TYPE_INT:
      return set_int (slot, pointer, node);
    case FR_PARAM_TYPE_FLOAT:
      return set_float (slot, pointer, node);
    case FR_PARAM_TYPE_ENUM:
      return set_enum (slot, pointer, node);
    case FR_PARAM_TYPE_SIZE:
      return set_size (slot, pointer, node);
    case FR_PARAM_TYPE_DURATION:
      return set_duration (slot, pointer, node);
    case FR_PARAM_TYPE_STRING:
      if (slot->row->flags & FR_PARAM_SECRET)
        return set_secret (slot, pointer, node);
      G_GNUC_FALLTHROUGH;
    case FR_PARAM_TYPE_PATH:
    case FR_PARAM_TYPE_COLUMN:
      *(char **) slot->field = one_text (slot, pointer, node);
      return *(char **) slot->field != NULL;
    case FR_PARAM_TYPE_PATHS:
    case FR_PARAM_TYPE_COLUMNS:
    case FR_PARAM_TYPE_STRINGS:
      return set_texts (slot, pointer, node);
    case FR_PARAM_TYPE_MAP:
      return set_map (slot, pointer, node);
    case FR_PARAM_TYPE_JSON:
      return set_json (slot, pointer, node);
    }
  return FALSE;
}

/* ---- the table ----------------------------------------------------------------- */

JsonNode *
fri_param_default (const FrParam *row)
{
  if (row->def == NULL)
    return NULL;
  switch (row->type)
    {
    case FR_PARAM_TYPE_BOOL:
    case FR_PARAM_TYPE_INT:
    case FR_PARAM_TYPE_FLOAT:
    case FR_PARAM_TYPE_MAP:
    case FR_PARAM_TYPE_JSON:
      return fr_json_parse (row->def, -1, 0, NULL);
    case FR_PARAM_TYPE_PATHS:
    case FR_PARAM_TYPE_COLUMNS:
    case FR_PARAM_TYPE_STRINGS:
      if (row->def[0] == '[')
        return fr_json_parse (row->def, -1, 0, NULL);
      G_GNUC_FALLTHROUGH;
    default:
      return json_node_init_string (json_node_alloc (), row->def);
    }
}

static void
unknown_key (const FrElement *element, const char *key, FrProblems *problems)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  g_autofree char *at = fri_pointer ("", key);
  const char *near;

  for (guint i = 0; element->params != NULL && element->params[i] != NULL; i++)
    if (element->params[i]->deprecated == NULL)
      g_ptr_array_add (keys, (gpointer) element->params[i]->key);
  if (keys->len == 0)
    {
      fri_problems_add_in_scope (problems, FALSE, TRUE, at, "%s has no parameters; remove '%s'",
                                 element->name, key);
      return;
    }
  g_ptr_array_add (keys, NULL);
  near = fr_suggest (key, (const char *const *) keys->pdata);
  if (near != NULL)
    fri_problems_add_in_scope (problems, FALSE, TRUE, at,
                               "%s has no parameter '%s'; did you mean '%s'?", element->name, key,
                               near);
  else
    fri_problems_add_in_scope (problems, FALSE, TRUE, at,
                               "%s has no parameter '%s'; 'flowrun help %s' lists them",
                               element->name, key, element->name);
}

static void
fill_row (Slot *slot, JsonObject *with, const FrElement *element)
{
  const FrParam *row = slot->row;
  JsonNode *node = with ? json_object_get_member (with, row->key) : NULL;
  g_autofree char *at = fri_pointer ("", row->key);
  g_autoptr (JsonNode) def = NULL;

  if (node != NULL && row->deprecated != NULL)
    fri_problems_add_in_scope (slot->problems, TRUE, TRUE, at, "'%s' is deprecated; use %s",
                               row->key, row->deprecated);
  if (node != NULL)
    {
      set (slot, at, node);
      return;
    }
  if (row->flags & FR_PARAM_REQUIRED)
    {
      g_autofree char *expects = fri_param_expects (row);

      fr_problems_add (slot->problems, at, "%s needs the parameter '%s': %s (%s)", element->name,
                       row->key, row->help, expects);
      return;
    }
  def = fri_param_default (row);
  if (def != NULL)
    set (slot, at, def);
}

gpointer
fri_params_fill (const FrElement *element, JsonNode *with, const char *base_dir, gboolean dry,
                 FrProblems *problems)
{
  char *config = g_malloc0 (MAX (element->config_size, 1));
  JsonObject *object = NULL;
  JsonObjectIter iter;
  const char *key;

  if (with != NULL && JSON_NODE_HOLDS_OBJECT (with))
    object = json_node_get_object (with);
  for (guint i = 0; element->params != NULL && element->params[i] != NULL; i++)
    {
      const FrParam *row = element->params[i];
      Slot slot = { row, config + row->offset, base_dir, dry, problems };

      fill_row (&slot, object, element);
    }
  if (object == NULL)
    return config;
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &key, NULL))
    if (strcmp (key, "$comment") != 0 && fri_param_find (element, key) == NULL)
      unknown_key (element, key, problems);
  return config;
}

const FrParam *
fri_param_find (const FrElement *element, const char *key)
{
  for (guint i = 0; element->params != NULL && element->params[i] != NULL; i++)
    if (strcmp (element->params[i]->key, key) == 0)
      return element->params[i];
  return NULL;
}

void
fri_params_free (const FrElement *element, gpointer config)
{
  if (config == NULL)
    return;
  for (guint i = 0; element->params != NULL && element->params[i] != NULL; i++)
    {
      const FrParam *row = element->params[i];
      void *field = (char *) config + row->offset;

      switch (row->type)
        {
        case FR_PARAM_TYPE_STRING:
        case FR_PARAM_TYPE_PATH:
        case FR_PARAM_TYPE_COLUMN:
          g_free (*(char **) field);
          break;
        case FR_PARAM_TYPE_PATHS:
        case FR_PARAM_TYPE_COLUMNS:
        case FR_PARAM_TYPE_STRINGS:
          g_strfreev (*(char ***) field);
          break;
        case FR_PARAM_TYPE_MAP:
          for (FrPair *pair = *(FrPair **) field; pair != NULL && pair->key != NULL; pair++)
            {
              g_free (pair->key);
              g_free (pair->value);
            }
          g_free (*(FrPair **) field);
          break;
        case FR_PARAM_TYPE_JSON:
          g_clear_pointer ((JsonNode **) field, json_node_unref);
          break;
        default:
          break;
        }
    }
  g_free (config);
}
