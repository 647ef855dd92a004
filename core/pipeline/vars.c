/* SPDX-License-Identifier: Apache-2.0 */
/* vars.c: variables of a pipeline file.
 *
 *   "vars": { "base": { "default": "models/x", "type": "path", "help": "..." },
 *             "limit": 100 }
 *
 * A bare value is short for {"default": value}.  "${base}" in a string is
 * replaced; a string that is nothing else takes the variable's own type;
 * "$${" is a plain "${".  A default may use flowrun's variables (run_dir,
 * pipeline_dir, name) and those declared before it.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "pipeline/pipeline-private.h"

/* Variables in defaults of variables could double a text at every step. */
#define MAX_TEXT (1024 * 1024)

typedef enum
{
  VAR_STRING,
  VAR_INT,
  VAR_FLOAT,
  VAR_BOOL,
  VAR_PATH
} VarType;

static const char *const type_names[] = { "string", "int", "float", "bool", "path", NULL };
static const char *const type_words[]
    = { "a text", "a whole number", "a number", "true or false", "a path" };

typedef struct
{
  VarType type;
  JsonNode *value; /* NULL: none, and the problem is known */
  gboolean builtin;
  gboolean used;
  char *pointer;
} Var;

static void
var_free (gpointer data)
{
  Var *var = data;

  g_clear_pointer (&var->value, json_node_unref);
  g_free (var->pointer);
  g_free (var);
}

static gboolean
is_name (const char *name)
{
  if (!g_ascii_isalpha (name[0]) && name[0] != '_')
    return FALSE;
  for (; *name != '\0'; name++)
    if (!g_ascii_isalnum (*name) && *name != '_')
      return FALSE;
  return TRUE;
}

static Var *
add_var (FriLoad *load, const char *name, VarType type, JsonNode *value)
{
  Var *var = g_new0 (Var, 1);

  var->type = type;
  var->value = value;
  if (load->vars == NULL)
    load->vars = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, var_free);
  g_hash_table_replace (load->vars, g_strdup (name), var);
  return var;
}

void
fri_vars_builtin (FriLoad *load, const char *name, const char *value)
{
  add_var (load, name, VAR_STRING, json_node_init_string (json_node_alloc (), value))->builtin
      = TRUE;
}

/* ---- declarations ---------------------------------------------------------------- */

static char *
absolute (const char *path, const char *base)
{
  if (path[0] == '\0' || strcmp (path, "-") == 0 || g_path_is_absolute (path))
    return g_strdup (path);
  return g_build_filename (base, path, NULL);
}

static gboolean
infer_type (JsonNode *node, VarType *type)
{
  if (!JSON_NODE_HOLDS_VALUE (node))
    return FALSE;
  switch (json_node_get_value_type (node))
    {
    case G_TYPE_STRING:
      *type = VAR_STRING;
      return TRUE;
    case G_TYPE_INT64:
      *type = VAR_INT;
      return TRUE;
    case G_TYPE_DOUBLE:
      *type = VAR_FLOAT;
      return TRUE;
    case G_TYPE_BOOLEAN:
      *type = VAR_BOOL;
      return TRUE;
    default:
      return FALSE;
    }
}

/* @value as the type says, a new node; NULL when it is something else. */
static JsonNode *
as_type (FriLoad *load, JsonNode *value, VarType type)
{
  VarType is;

  if (!infer_type (value, &is))
    return NULL;
  if (type == VAR_PATH && is == VAR_STRING)
    {
      g_autofree char *path = absolute (json_node_get_string (value), load->pipeline->dir);

      return json_node_init_string (json_node_alloc (), path);
    }
  if (type == VAR_FLOAT && is == VAR_INT)
    return json_node_init_double (json_node_alloc (), (double) json_node_get_int (value));
  return is == type ? json_node_copy (value) : NULL;
}

static gboolean
read_type (FriLoad *load, JsonObject *object, const char *pointer, VarType *type)
{
  JsonNode *node = json_object_get_member (object, "type");
  g_autofree char *at = fri_pointer (pointer, "type");
  g_autofree char *meant = NULL;

  if (!fri_is_text (node))
    return fri_expect (load, NULL, at, "type", node, "string, int, float, bool or path");
  for (guint i = 0; type_names[i] != NULL; i++)
    if (strcmp (type_names[i], json_node_get_string (node)) == 0)
      {
        *type = (VarType) i;
        return TRUE;
      }
  meant = fri_did_you_mean (json_node_get_string (node), type_names);
  fri_problems_add_at (load->problems, FALSE, NULL, at,
                       "'%s' is no type of a variable; it must be string, int, float, bool or "
                       "path%s",
                       json_node_get_string (node), meant);
  return FALSE;
}

/* Declares one variable; its value is the default, if it has one. */
static void
read_var (FriLoad *load, const char *name, JsonNode *node)
{
  static const char *const keys[] = { "default", "type", "help", "$comment", NULL };
  g_autofree char *pointer = fri_pointer ("/vars", name);
  g_autofree char *at = NULL;
  g_autoptr (JsonNode) expanded = NULL;
  JsonNode *def = node;
  VarType type = VAR_STRING;
  gboolean typed = FALSE, known = TRUE;
  Var *var;

  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObject *object = json_node_get_object (node);
      JsonNode *help = json_object_get_member (object, "help");

      fri_check_keys (load, NULL, pointer, object, keys, "a variable");
      typed = json_object_has_member (object, "type");
      known = !typed || read_type (load, object, pointer, &type);
      if (help != NULL && !fri_is_text (help))
        {
          g_autofree char *help_at = fri_pointer (pointer, "help");

          fri_expect (load, NULL, help_at, "help", help, "a text");
        }
      def = json_object_get_member (object, "default");
      at = fri_pointer (pointer, "default");
    }
  else
    at = g_strdup (pointer);
  if (def != NULL)
    expanded = fri_vars_expand (load, NULL, at, json_node_copy (def));
  if (expanded != NULL && !typed && !infer_type (expanded, &type))
    {
      fri_expect (load, NULL, at, name, expanded, "a text, a number, true or false");
      known = FALSE;
    }
  var = add_var (load, name, type, NULL);
  var->pointer = g_strdup (pointer);
  if (!known || expanded == NULL)
    {
      /* What is wrong is already said: do not say that it is missing as well. */
      if (!known)
        var->value = json_node_init_null (json_node_alloc ());
      return;
    }
  var->value = as_type (load, expanded, type);
  if (var->value == NULL)
    {
      fri_expect (load, NULL, at, "default", expanded, type_words[type]);
      var->value = json_node_init_null (json_node_alloc ());
    }
}

/* ---- --var ------------------------------------------------------------------------- */

static JsonNode *
parse_value (VarType type, const char *text)
{
  char *end = NULL;
  gint64 integer;
  double number;

  switch (type)
    {
    case VAR_INT:
      if (!g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &integer, NULL))
        return NULL;
      return json_node_init_int (json_node_alloc (), integer);
    case VAR_FLOAT:
      number = g_ascii_strtod (text, &end);
      if (end == text || *end != '\0' || !isfinite (number))
        return NULL;
      return json_node_init_double (json_node_alloc (), number);
    case VAR_BOOL:
      if (strcmp (text, "true") != 0 && strcmp (text, "false") != 0)
        return NULL;
      return json_node_init_boolean (json_node_alloc (), text[0] == 't');
    case VAR_PATH:
      {
        g_autofree char *here = g_get_current_dir ();
        g_autofree char *path = absolute (text, here);

        return json_node_init_string (json_node_alloc (), path);
      }
    case VAR_STRING:
      break;
    }
  return json_node_init_string (json_node_alloc (), text);
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static GPtrArray *
names (FriLoad *load, gboolean with_builtin)
{
  GPtrArray *out = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer name, var;

  g_hash_table_iter_init (&iter, load->vars);
  while (g_hash_table_iter_next (&iter, &name, &var))
    if (with_builtin || !((Var *) var)->builtin)
      g_ptr_array_add (out, name);
  g_ptr_array_sort (out, by_name);
  g_ptr_array_add (out, NULL);
  return out;
}

static void
take_var (FriLoad *load, const char *given)
{
  g_autofree char *label = g_strdup_printf ("--var %s", given);
  const char *equals = strchr (given, '=');
  g_autofree char *name = equals ? g_strndup (given, (gsize) (equals - given)) : NULL;
  Var *var = name ? g_hash_table_lookup (load->vars, name) : NULL;
  JsonNode *value;

  if (name == NULL || !is_name (name))
    fri_problems_add_given (load->problems, label, "a variable is given as NAME=VALUE");
  else if (var == NULL || var->builtin)
    {
      g_autoptr (GPtrArray) all = names (load, FALSE);
      g_autofree char *meant = fri_did_you_mean (name, (const char *const *) all->pdata);

      fri_problems_add_given (load->problems, label,
                              var ? "'%s' is set by flowrun itself%s"
                                  : "the pipeline declares no variable '%s'%s",
                              name, meant);
    }
  else if ((value = parse_value (var->type, equals + 1)) == NULL)
    fri_problems_add_given (load->problems, label, "the variable '%s' is '%s'; it must be %s", name,
                            equals + 1, type_words[var->type]);
  else
    {
      g_clear_pointer (&var->value, json_node_unref);
      var->value = value;
    }
}

void
fri_vars_read (FriLoad *load, JsonNode *vars)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (vars != NULL && !JSON_NODE_HOLDS_OBJECT (vars))
    fri_expect (load, NULL, "/vars", "vars", vars, "an object of variables");
  else if (vars != NULL)
    {
      json_object_iter_init_ordered (&iter, json_node_get_object (vars));
      while (json_object_iter_next_ordered (&iter, &name, &node))
        {
          Var *known = g_hash_table_lookup (load->vars, name);
          g_autofree char *at = fri_pointer ("/vars", name);

          if (!is_name (name))
            fri_problems_add_key (load->problems, FALSE, NULL, at,
                                  "'%s' cannot be the name of a variable: use letters, digits and "
                                  "'_', with a letter first",
                                  name);
          else if (known != NULL && known->builtin)
            fri_problems_add_key (load->problems, FALSE, NULL, at,
                                  "the variable '%s' is set by flowrun itself; choose another name",
                                  name);
          else
            read_var (load, name, node);
        }
    }
  for (guint i = 0; load->options->vars != NULL && load->options->vars[i] != NULL; i++)
    take_var (load, load->options->vars[i]);
}

/* ---- replacing --------------------------------------------------------------------- */

typedef struct
{
  FriLoad *load;
  const char *stage;
  const char *pointer;
} Place;

static JsonNode *
lookup (const Place *place, const char *name)
{
  Var *var = g_hash_table_lookup (place->load->vars, name);

  if (var == NULL)
    {
      g_autoptr (GPtrArray) all = names (place->load, TRUE);
      g_autofree char *meant = fri_did_you_mean (name, (const char *const *) all->pdata);

      fri_problems_add_at (place->load->problems, FALSE, place->stage, place->pointer,
                           "there is no variable '%s'%s%s", name, meant,
                           *meant ? "" : " (a plain \"${\" is written \"$${\")");
      return NULL;
    }
  var->used = TRUE;
  if (var->value == NULL)
    {
      fri_problems_add_key (place->load->problems, FALSE, NULL, var->pointer,
                            "the variable '%s' has no value: give it one with --var %s=VALUE, or a "
                            "default here",
                            name, name);
      /* Once is enough. */
      var->value = json_node_init_null (json_node_alloc ());
    }
  return JSON_NODE_HOLDS_NULL (var->value) ? NULL : var->value;
}

static void
append_value (GString *out, JsonNode *value)
{
  if (json_node_get_value_type (value) == G_TYPE_STRING)
    g_string_append (out, json_node_get_string (value));
  else if (json_node_get_value_type (value) == G_TYPE_BOOLEAN)
    g_string_append (out, json_node_get_boolean (value) ? "true" : "false");
  else if (json_node_get_value_type (value) == G_TYPE_INT64)
    g_string_append_printf (out, "%" G_GINT64_FORMAT, json_node_get_int (value));
  else
    fr_json_append_double (out, json_node_get_double (value));
}

/* The name in "${NAME}" at @at, and where it ends; NULL with a problem. */
static char *
name_at (const Place *place, const char *at, const char **end)
{
  const char *close = strchr (at, '}');
  g_autofree char *name = close ? g_strndup (at + 2, (gsize) (close - at - 2)) : NULL;

  if (name == NULL || !is_name (name))
    {
      fri_problems_add_at (place->load->problems, FALSE, place->stage, place->pointer,
                           "'${' must be followed by the name of a variable and '}'; a plain "
                           "\"${\" is written \"$${\"");
      return NULL;
    }
  *end = close + 1;
  return g_steal_pointer (&name);
}

/* After a mistake the rest is still looked at: it may hold another, or use a
 * variable that is not to be called unused. */
static JsonNode *
expand_text (const Place *place, JsonNode *node)
{
  const char *text = json_node_get_string (node);
  g_autoptr (GString) out = NULL;
  gboolean ok = TRUE;

  if (strstr (text, "${") == NULL)
    return node;
  out = g_string_new (NULL);
  for (const char *at = text, *end; *at != '\0'; at = end)
    {
      gboolean plain = strncmp (at, "$${", 3) == 0;
      g_autofree char *name = NULL;
      JsonNode *value;

      end = at + (plain ? 3 : 1);
      if (plain || strncmp (at, "${", 2) != 0)
        {
          g_string_append_len (out, plain ? "${" : at, plain ? 2 : 1);
          continue;
        }
      name = name_at (place, at, &end);
      value = name ? lookup (place, name) : NULL;
      ok &= value != NULL;
      if (value != NULL && at == text && *end == '\0')
        {
          json_node_unref (node);
          return json_node_copy (value);
        }
      if (value != NULL && out->len <= MAX_TEXT)
        append_value (out, value);
    }
  if (out->len > MAX_TEXT)
    {
      fri_problems_add_at (place->load->problems, FALSE, place->stage, place->pointer,
                           "the text with its variables replaced is longer than 1 MiB");
      ok = FALSE;
    }
  if (ok)
    json_node_set_string (node, out->str);
  else
    fri_problems_mute (place->load->problems, place->pointer);
  return node;
}

JsonNode *
fri_vars_expand (FriLoad *load, const char *stage, const char *pointer, JsonNode *node)
{
  if (fri_is_text (node))
    {
      Place place = { load, stage, pointer };

      return expand_text (&place, node);
    }
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *from = json_node_get_array (node);
      JsonArray *to = json_array_sized_new (json_array_get_length (from));

      for (guint i = 0; i < json_array_get_length (from); i++)
        {
          g_autofree char *at = g_strdup_printf ("%s/%u", pointer, i);

          json_array_add_element (
              to, fri_vars_expand (load, stage, at, json_array_dup_element (from, i)));
        }
      json_node_take_array (node, to);
    }
  else if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObject *to = json_object_new ();
      JsonObjectIter iter;
      const char *key;
      JsonNode *value;

      json_object_iter_init_ordered (&iter, json_node_get_object (node));
      while (json_object_iter_next_ordered (&iter, &key, &value))
        {
          g_autofree char *at = fri_pointer (pointer, key);

          /* A comment may speak of variables without using them. */
          value = json_node_copy (value);
          if (strcmp (key, "$comment") != 0)
            value = fri_vars_expand (load, stage, at, value);
          json_object_set_member (to, key, value);
        }
      json_node_take_object (node, to);
    }
  return node;
}

void
fri_vars_warn_unused (FriLoad *load)
{
  g_autoptr (GPtrArray) all = names (load, FALSE);

  for (guint i = 0; i + 1 < all->len; i++)
    {
      Var *var = g_hash_table_lookup (load->vars, all->pdata[i]);

      /* One that is not right has been told of already. */
      if (!var->used && !(var->value != NULL && JSON_NODE_HOLDS_NULL (var->value)))
        fri_problems_add_key (load->problems, TRUE, NULL, var->pointer,
                              "nothing uses the variable '%s'", (char *) all->pdata[i]);
    }
}
