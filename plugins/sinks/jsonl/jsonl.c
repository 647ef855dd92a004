/* SPDX-License-Identifier: Apache-2.0 */
/* jsonl.c: sink.jsonl, rows as JSON Lines: one RFC 8259 object a line, UTF-8, LF
 * at every end, no byte order mark.  The core writes the objects.
 */
#include "text/output.h"

#include <flowrun/flowrun.h>
#include <string.h>

typedef struct
{
  char *path;
  char **columns;
  gboolean skip_nulls;
  gboolean ids;
} Config;

typedef struct
{
  const Config *config;
  TextOutput *output;
  FrSchema *schema; /* of the chosen columns; NULL: all */
  guint *chosen;
  GString *buffer;
} State;

static gboolean
bind_rows (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;
  FrSchema *schema = fr_bind_input (bind, "in");

  (void) error;
  if (!config->ids || schema == NULL || fr_schema_find (schema, "_row") < 0)
    return TRUE;
  fr_bind_problem (bind, "/ids",
                   "the rows have a column '_row' already; rename it, or leave out ids");
  return FALSE;
}

static void
state_free (gpointer data)
{
  State *state = data;

  text_output_free (state->output);
  if (state->schema != NULL)
    fr_schema_unref (state->schema);
  g_free (state->chosen);
  g_string_free (state->buffer, TRUE);
  g_free (state);
}

static gboolean
choose_columns (State *state, FrSchema *schema, GError **error)
{
  guint n = g_strv_length (state->config->columns);
  g_autofree FrField **fields = g_new (FrField *, n);

  state->chosen = g_new (guint, n);
  for (guint i = 0; i < n; i++)
    {
      state->chosen[i] = (guint) fr_schema_find (schema, state->config->columns[i]);
      fields[i] = fr_field_ref (fr_schema_field (schema, state->chosen[i]));
    }
  state->schema = fr_schema_new (fields, n, error);
  return state->schema != NULL;
}

static gboolean
open_file (gconstpointer data, FrHost *host, gpointer *result, GError **error)
{
  const Config *config = data;
  State *state = g_new0 (State, 1);

  state->config = config;
  state->buffer = g_string_new (NULL);
  if (config->columns != NULL && config->columns[0] != NULL
      && !choose_columns (state, fr_host_input (host, "in"), error))
    {
      state_free (state);
      return FALSE;
    }
  state->output = text_output_new (config->path, fr_host_cancellable (host), error);
  if (state->output == NULL)
    {
      state_free (state);
      return FALSE;
    }
  *result = state;
  return TRUE;
}

static void
append_row (const State *state, FrHost *host, const FrBatch *batch, gsize row, GString *out)
{
  gsize at;

  if (state->config->ids)
    {
      g_string_append (out, "{\"_row\":\"");
      fr_host_append_row_id (host, fr_batch_ids (batch)[row], out);
      g_string_append_c (out, '"');
    }
  at = out->len;
  fr_batch_append_json (batch, row, state->config->skip_nulls, out);
  if (state->config->ids && out->str[at + 1] == '}')
    g_string_erase (out, (gssize) at, 1);
  else if (state->config->ids)
    out->str[at] = ',';
  g_string_append_c (out, '\n');
}

static gboolean
write_batch (gpointer data, FrHost *host, FrBatch *batch, GError **error)
{
  State *state = data;
  g_autoptr (FrBatch) chosen = NULL;
  GString *out = state->buffer;

  if (state->schema != NULL)
    {
      chosen = fr_batch_select (batch, state->schema, state->chosen,
                                fr_schema_n_fields (state->schema), error);
      if (chosen == NULL)
        return FALSE;
      batch = chosen;
    }
  for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
    append_row (state, host, batch, row, out);
  return text_output_put (state->output, &state->buffer, error);
}

static FrFlow
run (FrHost *host, gpointer state, GError **error)
{
  return text_output_run (host, write_batch, state, error);
}

static gboolean
finish (FrHost *host, gpointer data, GError **error)
{
  State *state = data;

  return text_output_finish (state->output, host, state->config->path, error);
}

static const FrParam *const params[] = {
  FR_PARAM_PATH (
      "path", Config, path,
      "the file to write, compressed by its suffix (.gz .xz .zst .bz2); \"-\" for standard output",
      .flags = FR_PARAM_REQUIRED | FR_PARAM_WRITES, .example = "\"out/train.jsonl\""),
  FR_PARAM_COLUMNS ("columns", Config, columns, FR_TYPES_ANY,
                    "columns to write, in this order; all when left out",
                    .example = "[\"input\", \"output\"]"),
  FR_PARAM_BOOL ("skip_nulls", Config, skip_nulls, "leave members out whose value is null",
                 .def = "false"),
  FR_PARAM_BOOL ("ids", Config, ids, "begin each object with the row's id as \"_row\"",
                 .def = "false"),
  NULL
};

static const char details[]
    = "Writes each row as one JSON object on a line of its own, in UTF-8, members in the order of "
      "the "
      "columns, text unescaped but for what JSON requires. Timestamps are RFC 3339 text, binary is "
      "base64, "
      "numbers that are not finite are null.\n"
      "\n"
      "The file appears whole or not at all: rows go to a temporary name beside it, which is "
      "renamed when "
      "the run succeeds. What a killed run left behind is removed by the next one. Missing folders "
      "are "
      "made. Equal rows give equal bytes, compressed or not. A path that is a pipe or a device is "
      "written "
      "as the rows come.\n"
      "\n"
      "With `ids`, each object begins with `_row`, the id that `flowrun why` takes.\n";

static const FrElement jsonl = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SINK,
  .name = "sink.jsonl",
  .revision = 1,
  .summary = "rows as JSON Lines, in a file that is whole or not there",
  .details = details,
  .example = "{ \"path\": \"out/train.jsonl\" }",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = fr_ports_in,
  .bind = bind_rows,
  .open = open_file,
  .run = run,
  .finish = finish,
  .close = state_free,
};

FR_PLUGIN ("jsonl", "0.1.0", "JSON Lines files", "Apache-2.0", "flowrun", &jsonl)
