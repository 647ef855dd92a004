/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: what `flowrun inspect` tells of an .onnx file: who made it, what goes in and out, its
 * operators and initializers, and whether the files of weights it names are there.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <glib/gstdio.h>
#include <string.h>

#include "read.h"

static char *
text_of (FrStr s)
{
  return s.data != NULL ? g_utf8_make_valid (s.data, (gssize) s.len) : g_strdup ("");
}

static void add_row (JsonArray *rows, ...) G_GNUC_NULL_TERMINATED;

/* A row of texts, which end with NULL. */
static void
add_row (JsonArray *rows, ...)
{
  JsonArray *row = json_array_new ();
  const char *text;
  va_list args;

  va_start (args, rows);
  while ((text = va_arg (args, const char *)) != NULL)
    json_array_add_string_element (row, text);
  va_end (args);
  json_array_add_array_element (rows, row);
}

/* @columns: "a,b"; @rows is taken. */
static void
add_table (JsonArray *tables, const char *title, const char *columns, JsonArray *rows)
{
  JsonObject *table = json_object_new ();
  g_auto (GStrv) names = g_strsplit (columns, ",", -1);
  JsonArray *heads = json_array_new ();

  for (char **name = names; *name != NULL; name++)
    json_array_add_string_element (heads, *name);
  json_object_set_string_member (table, "title", title);
  json_object_set_array_member (table, "columns", heads);
  json_object_set_array_member (table, "rows", rows);
  json_array_add_object_element (tables, table);
}

/* ---- facts --------------------------------------------------------------------------------- */

static void
add_facts (JsonArray *facts, const OnnxFile *file)
{
  g_autofree char *producer = text_of (file->producer), *version = text_of (file->producer_version);
  g_autofree char *made = g_strdup_printf ("%s %s", producer, version);
  g_autofree char *ir = g_strdup_printf ("%" G_GINT64_FORMAT, file->ir_version);
  g_autofree char *nodes = g_strdup_printf ("%u", file->nodes->len);

  add_row (facts, "made by", g_strstrip (made), NULL);
  add_row (facts, "IR version", ir, NULL);
  for (guint i = 0; i < file->opsets->len; i++)
    {
      const OnnxOpset *opset = &g_array_index (file->opsets, OnnxOpset, i);
      g_autofree char *domain = text_of (opset->domain);
      g_autofree char *text = g_strdup_printf (
          "%s %" G_GINT64_FORMAT, domain[0] != '\0' ? domain : "ai.onnx", opset->version);

      add_row (facts, "operators", text, NULL);
    }
  add_row (facts, "nodes", nodes, NULL);
  for (guint i = 0; i < file->metadata->len; i++)
    {
      g_autofree char *key = text_of (g_array_index (file->metadata, OnnxPair, i).key);
      g_autofree char *value = text_of (g_array_index (file->metadata, OnnxPair, i).value);

      add_row (facts, key, value, NULL);
    }
}

/* ---- tables -------------------------------------------------------------------------------- */

/* "2, sequence_length, ?" */
static char *
shape_of (const OnnxValue *value)
{
  g_autoptr (GString) shape = g_string_new (NULL);

  for (guint k = 0; k < value->n_dims; k++)
    {
      g_autofree char *symbol = text_of (value->symbols[k]);

      g_string_append (shape, k > 0 ? ", " : "");
      if (symbol[0] != '\0')
        g_string_append (shape, symbol);
      else if (value->dims[k] < 0)
        g_string_append_c (shape, '?');
      else
        g_string_append_printf (shape, "%" G_GINT64_FORMAT, value->dims[k]);
    }
  return g_strdup (shape->str);
}

/* "past_key_values.17.key" as "past_key_values.N.key". */
static char *
pattern_of (const OnnxValue *value)
{
  g_autofree char *name = text_of (value->name);
  g_autoptr (GString) pattern = g_string_new (NULL);

  for (const char *p = name; *p != '\0'; p++)
    if (!g_ascii_isdigit (*p))
      g_string_append_c (pattern, *p);
    else if (p == name || !g_ascii_isdigit (p[-1]))
      g_string_append_c (pattern, 'N');
  return g_strdup (pattern->str);
}

/* Those whose names differ only in a number are one row. */
static void
add_values (JsonArray *tables, const char *title, const GArray *values)
{
  g_autoptr (GHashTable) counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  JsonArray *rows = json_array_new ();

  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < values->len; i++)
      {
        const OnnxValue *value = &g_array_index (values, OnnxValue, i);
        const char *type = onnx_type_name (value->type);
        g_autofree char *name = text_of (value->name), *pattern = pattern_of (value);
        g_autofree char *shape = shape_of (value), *number = NULL;
        g_autofree char *key
            = g_strdup_printf ("%s %" G_GINT64_FORMAT " %s", pattern, value->type, shape);
        guint n = GPOINTER_TO_UINT (g_hash_table_lookup (counts, key));

        if (pass == 0)
          g_hash_table_insert (counts, g_steal_pointer (&key), GUINT_TO_POINTER (n + 1));
        else if (n > 0)
          {
            number = g_strdup_printf ("%u", n);
            add_row (rows, n > 1 ? pattern : name, type != NULL ? type : "?", shape, number, NULL);
            g_hash_table_remove (counts, key);
          }
      }
  add_table (tables, title, "name,type,shape,number", rows);
}

static gint
by_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
add_operators (JsonArray *tables, const OnnxFile *file)
{
  g_autoptr (GHashTable) counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree const char **names = NULL;
  JsonArray *rows = json_array_new ();
  guint n;

  for (guint i = 0; i < file->nodes->len; i++)
    {
      const OnnxNode *node = &g_array_index (file->nodes, OnnxNode, i);
      g_autofree char *domain = text_of (node->domain), *op = text_of (node->op);
      char *name = domain[0] != '\0' ? g_strdup_printf ("%s.%s", domain, op) : g_strdup (op);
      gpointer count = g_hash_table_lookup (counts, name);

      g_hash_table_insert (counts, name, GUINT_TO_POINTER (GPOINTER_TO_UINT (count) + 1));
    }
  names = (const char **) g_hash_table_get_keys_as_array (counts, &n);
  qsort (names, n, sizeof *names, by_text);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *count
          = g_strdup_printf ("%u", GPOINTER_TO_UINT (g_hash_table_lookup (counts, names[i])));

      add_row (rows, names[i], count, NULL);
    }
  add_table (tables, "operators", "operator,nodes", rows);
}

/* Initializers by type: how many, and their bytes in this file and elsewhere. */
static void
add_tensors (JsonArray *tables, const OnnxFile *file)
{
  JsonArray *rows = json_array_new ();

  for (gint64 type = 0; type < 64; type++)
    {
      guint n = 0;
      guint64 inside = 0, outside = 0;
      const char *name = onnx_type_name (type);
      g_autofree char *unknown = g_strdup_printf ("type %" G_GINT64_FORMAT, type);
      g_autofree char *count = NULL, *in = NULL, *out = NULL;

      for (guint i = 0; i < file->tensors->len; i++)
        {
          const OnnxTensor *t = &g_array_index (file->tensors, OnnxTensor, i);

          if (t->type != type)
            continue;
          n++;
          *(t->external ? &outside : &inside) += (guint64) MAX (onnx_tensor_bytes (t), 0);
        }
      if (n == 0)
        continue;
      count = g_strdup_printf ("%u", n);
      in = g_format_size (inside);
      out = g_format_size (outside);
      add_row (rows, name != NULL ? name : unknown, count, in, out, NULL);
    }
  add_table (tables, "initializers", "type,number,in this file,elsewhere", rows);
}

/* ---- problems ------------------------------------------------------------------------------ */

/* What is wrong with where @t lies; NULL: nothing. */
static char *
external_problem (const OnnxTensor *t, const char *dir)
{
  g_autofree char *location = text_of (t->location), *name = text_of (t->name), *path = NULL;
  gint64 bytes = onnx_tensor_bytes (t), end;
  GStatBuf st;

  if (g_path_is_absolute (location) || strstr (location, "..") != NULL || location[0] == '\0')
    return g_strdup_printf ("'%s' lies in '%s', which readers refuse: not a name beside the file",
                            name, location);
  path = g_build_filename (dir, location, NULL);
  if (g_lstat (path, &st) < 0)
    return g_strdup_printf ("%s, which holds '%s', is not there", location, name);
  if (!S_ISREG (st.st_mode) || st.st_nlink != 1)
    return g_strdup_printf ("%s is a link: newer readers refuse it", location);
  end = t->offset + MAX (t->length, bytes);
  if (end < t->offset || end > st.st_size)
    return g_strdup_printf ("%s ends before '%s' does: it is cut off", location, name);
  return NULL;
}

static void
add_problems (JsonArray *problems, const OnnxFile *file, const char *path)
{
  g_autofree char *dir = g_path_get_dirname (path);
  g_autoptr (GHashTable) said = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GError) error = NULL;

  if (!onnx_file_check (file, path, &error))
    json_array_add_string_element (problems, error->message);
  for (guint i = 0; i < file->tensors->len; i++)
    {
      const OnnxTensor *t = &g_array_index (file->tensors, OnnxTensor, i);
      char *text = t->external ? external_problem (t, dir) : NULL;

      /* One for each file is enough. */
      if (text != NULL && g_hash_table_add (said, text_of (t->location)))
        json_array_add_string_element (problems, text);
      g_free (text);
    }
}

/* ---- the service --------------------------------------------------------------------------- */

static gboolean
knows (const char *path, const guint8 *head, gsize n)
{
  /* The version of the format is the first field of every writer's. */
  return g_str_has_suffix (path, ".onnx") && n >= 2 && head[0] == 0x08;
}

static JsonNode *
inspect (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (OnnxFile) file = onnx_file_open (path, &local);
  g_autoptr (JsonObject) out = NULL;
  JsonArray *facts, *tables, *problems;

  if (file == NULL && g_error_matches (local, FR_ERROR, FR_ERROR_IO))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  out = json_object_new ();
  facts = json_array_new ();
  tables = json_array_new ();
  problems = json_array_new ();
  if (file == NULL)
    json_array_add_string_element (problems, local->message);
  else
    {
      add_facts (facts, file);
      add_values (tables, "inputs", file->inputs);
      add_values (tables, "outputs", file->outputs);
      add_operators (tables, file);
      add_tensors (tables, file);
      add_problems (problems, file, path);
    }
  json_object_set_string_member (out, "title", file != NULL ? "ONNX model" : "ONNX model?");
  json_object_set_array_member (out, "facts", facts);
  json_object_set_array_member (out, "tables", tables);
  json_object_set_array_member (out, "problems", problems);
  return json_node_init_object (json_node_alloc (), out);
}

static const FrInspect onnx_inspect = { knows, inspect };

static const FrService service = {
  .size = sizeof (FrService),
  .kind = "inspect",
  .name = "onnx",
  .version = FR_INSPECT_VERSION,
  .summary = "ONNX files: inputs, outputs, operators, initializers",
  .table = &onnx_inspect,
};

static const FrService *const services[] = { &service, NULL };

FR_PLUGIN_SERVICES ("onnx-inspect", "0.1.0", "what an ONNX file holds", "Apache-2.0", "flowrun",
                    services)
