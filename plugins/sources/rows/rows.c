/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c: source.rows, rows written in the pipeline file itself. */
#include "config.h"

#include <flowrun/flowrun.h>
#include <string.h>

typedef struct
{
  JsonNode *rows;
  FrPair *columns;
} Config;

static const FrParam *const params[] = {
  FR_PARAM_JSON ("rows", Config, rows, "the rows: one object, or an array of them",
                 .flags = FR_PARAM_REQUIRED, .example = "[{\"input\": \"Hello\"}]"),
  FR_PARAM_MAP ("columns", Config, columns,
                "the columns with their types; without it they are the members of the objects: text, "
                "integers, numbers and booleans",
                .example = "{\"input\": \"utf8\", \"tags\": \"list<utf8>\"}"),
  NULL
};

static guint
n_rows (const Config *config)
{
  return JSON_NODE_HOLDS_ARRAY (config->rows) ? json_array_get_length (json_node_get_array (config->rows)) : 1;
}

static JsonNode *
nth_row (const Config *config, guint i)
{
  return JSON_NODE_HOLDS_ARRAY (config->rows) ? json_array_get_element (json_node_get_array (config->rows), i)
                                              : config->rows;
}

/* ---- columns ------------------------------------------------------------------------------ */

static FrType
type_of (JsonNode *node)
{
  GType type;

  if (!JSON_NODE_HOLDS_VALUE (node))
    return 0;
  type = json_node_get_value_type (node);
  return type == G_TYPE_STRING    ? FR_TYPE_UTF8
         : type == G_TYPE_BOOLEAN ? FR_TYPE_BOOL
         : type == G_TYPE_INT64   ? FR_TYPE_INT64
                                  : FR_TYPE_FLOAT64;
}

/* @types: name to type, in the order first seen in @names. */
static gboolean
look_at (JsonNode *row, guint number, GPtrArray *names, GHashTable *types, GError **error)
{
  g_autoptr (GList) members = NULL;

  if (!JSON_NODE_HOLDS_OBJECT (row))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "row %u is no object", number);
      return FALSE;
    }
  members = json_object_get_members (json_node_get_object (row));
  for (GList *l = members; l != NULL; l = l->next)
    {
      JsonNode *node = json_object_get_member (json_node_get_object (row), l->data);
      FrType type = type_of (node), known = GPOINTER_TO_UINT (g_hash_table_lookup (types, l->data));

      if (!g_hash_table_contains (types, l->data))
        g_ptr_array_add (names, l->data);
      if (type == FR_TYPE_FLOAT64 && known == FR_TYPE_INT64)
        known = type;
      if (type == FR_TYPE_INT64 && known == FR_TYPE_FLOAT64)
        type = known;
      if ((type == 0 && !JSON_NODE_HOLDS_NULL (node)) || (type != 0 && known != 0 && type != known))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "row %u: '%s' %s: give 'columns' with its type", number,
                       (const char *) l->data, type == 0 ? "is no plain value" : "is of another kind than before");
          return FALSE;
        }
      g_hash_table_insert (types, l->data, GUINT_TO_POINTER (type != 0 ? type : known));
    }
  return TRUE;
}

static FrSchema *
found_schema (const Config *config, GError **error)
{
  g_autoptr (GHashTable) types = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree FrField **fields = NULL;

  for (guint i = 0; i < n_rows (config); i++)
    if (!look_at (nth_row (config, i), i + 1, names, types, error))
      return NULL;
  if (names->len == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "there are no rows to tell the columns by: give 'columns'");
      return NULL;
    }
  fields = g_new (FrField *, names->len);
  for (guint i = 0; i < names->len; i++)
    {
      FrType type = GPOINTER_TO_UINT (g_hash_table_lookup (types, names->pdata[i]));

      fields[i] = fr_field_new (names->pdata[i], type != 0 ? type : FR_TYPE_UTF8);
    }
  return fr_schema_new (fields, names->len, error);
}

static FrSchema *
declared_schema (const Config *config, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();

  for (const FrPair *p = config->columns; p->key != NULL; p++)
    {
      FrField *field = fr_field_parse (p->key, p->value, error);

      if (field == NULL)
        {
          for (guint i = 0; i < fields->len; i++)
            fr_field_unref (fields->pdata[i]);
          return NULL;
        }
      g_ptr_array_add (fields, field);
    }
  return fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
}

static FrSchema *
make_schema (const Config *config, GError **error)
{
  if (config->columns != NULL && config->columns->key != NULL)
    return declared_schema (config, error);
  return found_schema (config, error);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static FrBatch *
read_rows (const Config *config, FrSchema *schema, guint32 source, GError **error)
{
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);

  for (guint i = 0; i < n_rows (config); i++)
    {
      g_autofree char *text = fr_json_to_string (nth_row (config, i), 0);
      FrJsonReader reader;
      gboolean ok;

      fr_json_reader_init (&reader, text, strlen (text), 0);
      ok = fr_json_read_row (&reader, fr_json_reader_next (&reader), builder, NULL, error);
      fr_json_reader_clear (&reader);
      if (!ok)
        {
          g_prefix_error (error, "row %u: ", i + 1);
          return NULL;
        }
      fr_builder_end_row (builder, (FrRowId) { .position = i + 1, .source = source });
    }
  return fr_builder_finish (builder, error);
}

static gboolean
rows_bind (gconstpointer data, FrBind *bind, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (FrSchema) schema = make_schema (data, &local);
  g_autoptr (FrBatch) batch = schema != NULL ? read_rows (data, schema, 0, &local) : NULL;

  (void) error;
  if (batch == NULL)
    {
      fr_bind_problem (bind, "/rows", "%s", local->message);
      return FALSE;
    }
  fr_bind_output (bind, "out", g_steal_pointer (&schema));
  return TRUE;
}

static gboolean
rows_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  (void) host, (void) error;
  *state = (gpointer) data;
  return TRUE;
}

static FrFlow
rows_run (FrHost *host, gpointer state, GError **error)
{
  FrBatch *batch = read_rows (state, fr_host_output (host, "out"), fr_host_source (host), error);

  if (batch == NULL)
    return FR_FLOW_ERROR;
  fr_host_origin (host, 1, "the pipeline file");
  return fr_host_push (host, "out", batch, error);
}

static void
rows_close (gpointer state)
{
  (void) state;
}

static const char details[]
    = "For a few rows that belong to the pipeline: questions to ask a model after each training, a\n"
      "row made of variables (`\"input\": \"${prompt}\"`), the cases of a test.\n";

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SOURCE,
  .name = "source.rows",
  .revision = 1,
  .summary = "rows written in the pipeline file itself",
  .details = details,
  .example = "{\"rows\": [{\"input\": \"Hello\", \"n\": 1}, {\"input\": \"Good bye\", \"n\": 2}]}",
  .config_size = sizeof (Config),
  .params = params,
  .outputs = fr_ports_out,
  .bind = rows_bind,
  .open = rows_open,
  .run = rows_run,
  .close = rows_close,
};

FR_PLUGIN ("rows", PACKAGE_VERSION, "rows of the pipeline file", "Apache-2.0", "flowrun", &element)
