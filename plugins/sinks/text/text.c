/* SPDX-License-Identifier: Apache-2.0 */
/* text.c: sink.text, a template filled in for each row, for people to read. */
#include "config.h"

#include <flowrun/flowrun.h>
#include <string.h>

#include "text/output.h"
#include "text/template.h"

typedef struct
{
  char *path;
  char *template;
} Config;

typedef struct
{
  const Config *config;
  TextTemplate *tmpl;
  TextOutput *output;
  GString *buffer;
} State;

static const FrParam *const params[] = {
  FR_PARAM_PATH ("path", Config, path, "the file to write, compressed by its suffix (.gz .xz .zst .bz2); \"-\" for standard output",
                 .flags = FR_PARAM_REQUIRED | FR_PARAM_WRITES, .example = "\"-\""),
  FR_PARAM_STRING ("template", Config, template, "what is written for a row; {column} is its cell",
                   .flags = FR_PARAM_REQUIRED, .example = "\"{generated}\\n\""),
  NULL
};

/* A template that does not fit the columns is a problem of the parameter. */
static TextTemplate *
make_template (const Config *config, const FrSchema *schema, GError **error)
{
  g_autoptr (TextTemplate) tmpl = text_template_new (config->template, error);

  if (tmpl == NULL || (schema != NULL && !text_template_bind (tmpl, schema, error)))
    return NULL;
  return g_steal_pointer (&tmpl);
}

static gboolean
text_bind (gconstpointer data, FrBind *bind, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (TextTemplate) tmpl = make_template (data, fr_bind_input (bind, "in"), &local);

  (void) error;
  if (tmpl == NULL)
    fr_bind_problem (bind, "/template", "%s", local->message);
  return tmpl != NULL;
}

static void
text_close (gpointer data)
{
  State *state = data;

  g_clear_pointer (&state->output, text_output_free);
  g_clear_pointer (&state->tmpl, text_template_free);
  g_string_free (state->buffer, TRUE);
  g_free (state);
}

static gboolean
text_open (gconstpointer data, FrHost *host, gpointer *result, GError **error)
{
  const Config *config = data;
  State *state = g_new0 (State, 1);

  state->config = config;
  state->buffer = g_string_new (NULL);
  state->tmpl = make_template (config, fr_host_input (host, "in"), error);
  if (state->tmpl != NULL)
    state->output = text_output_new (config->path, fr_host_cancellable (host), error);
  if (state->output == NULL)
    {
      text_close (state);
      return FALSE;
    }
  *result = state;
  return TRUE;
}

static gboolean
write_batch (gpointer data, FrHost *host, FrBatch *batch, GError **error)
{
  State *state = data;
  guint n = fr_batch_n_columns (batch);
  g_autofree FrView *views = g_new (FrView, n);

  for (guint i = 0; i < n; i++)
    views[i] = fr_view (batch, i);
  for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
    {
      gsize before = state->buffer->len;
      const char *missing = NULL;

      if (text_template_render (state->tmpl, views, row, state->buffer, &missing))
        continue;
      g_string_truncate (state->buffer, before);
      fr_host_reject (host, batch, row, "empty", "column '%s' is empty, which the template needs", missing);
    }
  return text_output_put (state->output, &state->buffer, error);
}

static FrFlow
text_run (FrHost *host, gpointer state, GError **error)
{
  return text_output_run (host, write_batch, state, error);
}

static gboolean
text_finish (FrHost *host, gpointer data, GError **error)
{
  State *state = data;

  return text_output_finish (state->output, host, state->config->path, error);
}

static const char details[]
    = "Writes the template once for each row, with its cells in place: what a person wants to read, or a format\n"
      "of your own. The template's language is that of transform.format: `{column}`, `{column|text if empty}`,\n"
      "`[[a part that vanishes with an empty column in it]]`. Nothing is added, no newline either.\n"
      "\n"
      "A row that lacks a column which the template needs is rejected (rule `empty`). As with sink.jsonl, the file\n"
      "appears whole or not at all, and standard output is written as the rows come.\n";

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SINK,
  .name = "sink.text",
  .revision = 1,
  .summary = "a template filled in for each row, for people to read",
  .details = details,
  .example = "{\"path\": \"-\", \"template\": \"{text}\\n\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = fr_ports_in,
  .bind = text_bind,
  .open = text_open,
  .run = text_run,
  .finish = text_finish,
  .close = text_close,
};

FR_PLUGIN ("text", PACKAGE_VERSION, "text by a template", "Apache-2.0", "flowrun", &element)
