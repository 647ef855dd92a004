/* SPDX-License-Identifier: Apache-2.0 */
/* model-plugin.c: what a plugin for models has, as small as can be: a trainer
 * with a forecast, a sink of its model, a service that tells about a file, and
 * one that cannot serve here. */
#include <errno.h>
#include <flowrun/flowrun.h>
#include <stdio.h>
#include <string.h>

/* ---- the model: how many rows there were ------------------------------------------- */

typedef struct
{
  FrObject object;
  gint64 rows;
} Model;

static const FrObjectType model_type;

static gboolean
model_save (FrObject *object, const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "rows", NULL);
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, ((Model *) object)->rows);

  return g_file_set_contents (path, text, -1, error);
}

static FrObject *
model_new (gint64 rows)
{
  Model *model = g_new0 (Model, 1);

  fr_object_init (&model->object, &model_type);
  model->rows = rows;
  return &model->object;
}

static FrObject *
model_load (const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "rows", NULL);
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, error)
             ? model_new (g_ascii_strtoll (text, NULL, 10))
             : NULL;
}

static void
model_free (FrObject *object)
{
  g_free (object);
}

static const FrObjectType model_type = { .size = sizeof (FrObjectType),
                                         .name = "test.model",
                                         .kind = FR_PORT_MODEL,
                                         .save = model_save,
                                         .load = model_load,
                                         .free = model_free };

/* ---- the trainer --------------------------------------------------------------------- */

typedef struct
{
  gint64 delay;
} TrainConfig;

static const FrParam *const train_params[]
    = { FR_PARAM_INT ("delay", TrainConfig, delay, 0, 10000, "how long to take", .def = "0",
                      .unit = "ms", .flags = FR_PARAM_NO_RESULT),
        NULL };

static gboolean
train_open (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  (void) host, (void) error;
  *state = (gpointer) config;
  return TRUE;
}

static void
train_close (gpointer state)
{
  (void) state;
}

static FrSchema *
token_schema (void)
{
  FrField *piece[] = { fr_field_new ("text", FR_TYPE_UTF8), fr_field_new ("marked", FR_TYPE_BOOL) };
  FrField *fields[] = {
    fr_field_new ("n", FR_TYPE_INT64),
    fr_field_new_list ("text", fr_field_new_struct ("item", piece, G_N_ELEMENTS (piece))),
  };

  return fr_schema_new (fields, G_N_ELEMENTS (fields), NULL);
}

static gboolean
train_bind (gconstpointer config, FrBind *bind, GError **error)
{
  (void) config, (void) error;
  fr_bind_output (bind, "tokens", token_schema ());
  return TRUE;
}

static FrFlow
train_run (FrHost *host, gpointer state, GError **error)
{
  gint64 n = 0;
  FrBatch *batch;
  FrFlow flow;

  fr_host_status (host, "loss 2.31, 412 tok/s");
  if (!fr_host_sleep (host, ((const TrainConfig *) state)->delay * 1000))
    return FR_FLOW_CANCELLED;
  while ((flow = fr_host_next (host, "in", &batch, error)) == FR_FLOW_OK)
    {
      n += (gint64) fr_batch_n_rows (batch);
      fr_host_metric (host, "loss", 1. / (double) n);
      fr_batch_unref (batch);
    }
  return flow == FR_FLOW_DONE ? fr_host_push_object (host, "model", model_new (n), error) : flow;
}

static void
append_piece (FrCells *list, const char *text, gboolean marked)
{
  FrCells *item = fr_cells_child (list, 0);

  fr_cells_append_str (fr_cells_child (item, 0), text, strlen (text));
  fr_cells_append_int (fr_cells_child (item, 1), marked);
  fr_cells_end (item);
}

static FrFlow
push_tokens (FrHost *host, const FrBatch *batch, GError **error)
{
  g_autoptr (FrSchema) schema = token_schema ();
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  FrBatch *tokens;

  for (gsize i = 0; i < fr_batch_n_rows (batch); i++)
    {
      FrCells *list = fr_builder_cells (builder, 1);

      fr_cells_append_int (fr_builder_cells (builder, 0), (gint64) i + 1);
      append_piece (list, "question\n", FALSE);
      append_piece (list, "answer\x1b", TRUE);
      fr_cells_end (list);
      fr_builder_end_row (builder, fr_batch_ids (batch)[i]);
    }
  tokens = fr_builder_finish (builder, error);
  return tokens != NULL ? fr_host_push (host, "tokens", tokens, error) : FR_FLOW_ERROR;
}

static FrFlow
train_forecast (gconstpointer config, FrHost *host, GError **error)
{
  gint64 n = 0;
  FrBatch *batch;
  FrFlow flow;
  g_autofree char *text = NULL;

  (void) config;
  while ((flow = fr_host_next (host, "in", &batch, error)) == FR_FLOW_OK)
    {
      n += (gint64) fr_batch_n_rows (batch);
      flow = push_tokens (host, batch, error);
      fr_batch_unref (batch);
      if (flow == FR_FLOW_ERROR || flow == FR_FLOW_CANCELLED)
        return flow;
    }
  if (flow != FR_FLOW_DONE)
    return flow;
  text = g_strdup_printf ("{\"title\": \"a small run\", \"facts\": [[\"rows\", \"%d\"], 7],"
                          " \"tables\": [{\"title\": \"memory\", \"columns\": [\"what\", \"MiB\"],"
                          " \"rows\": [[\"weights\", \"1024\"], [\"rest\", \"7\"]]}],"
                          " \"warnings\": [\"a row is cut\"]}",
                          (int) n);
  fr_host_report (host, "forecast", fr_json_parse (text, -1, 0, NULL));
  return FR_FLOW_OK;
}

static const FrPort *const train_in[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "what to learn"),
        FR_PORT ("base", FR_PORT_MODEL, "where to begin", .object = &model_type,
                 .flags = FR_PORT_OPTIONAL),
        NULL };
static const FrPort *const train_out[]
    = { FR_PORT ("model", FR_PORT_MODEL, "what was learnt", .object = &model_type),
        FR_PORT ("tokens", FR_PORT_RECORDS, "what would be learnt", .flags = FR_PORT_FORECAST),
        NULL };
static const FrElement train = { .size = sizeof (FrElement),
                                 .kind = FR_KIND_TRAINER,
                                 .name = "trainer.counting",
                                 .revision = 1,
                                 .summary = "counts rows",
                                 .details = "For the tests of the command.",
                                 .example = "{}",
                                 .config_size = sizeof (TrainConfig),
                                 .params = train_params,
                                 .inputs = train_in,
                                 .outputs = train_out,
                                 .bind = train_bind,
                                 .open = train_open,
                                 .close = train_close,
                                 .run = train_run,
                                 .forecast = train_forecast };

/* ---- the sink --------------------------------------------------------------------------- */

typedef struct
{
  char *path;
} SinkConfig;

typedef struct
{
  const SinkConfig *config;
  gint64 rows;
} SinkState;

static const FrParam *const sink_params[]
    = { FR_PARAM_PATH ("path", SinkConfig, path, "file to write",
                       .flags = FR_PARAM_WRITES | FR_PARAM_REQUIRED, .example = "\"model.txt\""),
        NULL };

static gboolean
sink_open (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  SinkState *s = g_new0 (SinkState, 1);

  (void) host, (void) error;
  s->config = config;
  *state = s;
  return TRUE;
}

static FrFlow
sink_run (FrHost *host, gpointer state, GError **error)
{
  g_autoptr (FrObject) model = NULL;
  FrFlow flow = fr_host_next_object (host, "model", &model, error);

  if (flow == FR_FLOW_OK)
    ((SinkState *) state)->rows = ((Model *) model)->rows;
  return flow;
}

static gboolean
sink_finish (FrHost *host, gpointer state, GError **error)
{
  SinkState *s = state;
  g_autofree char *text = g_strdup_printf ("model of %" G_GINT64_FORMAT "\n", s->rows);

  if (!g_file_set_contents (s->config->path, text, -1, error))
    return FALSE;
  fr_host_committed (host, s->config->path);
  return TRUE;
}

static const FrPort *const sink_in[]
    = { FR_PORT ("model", FR_PORT_MODEL, "what to write", .object = &model_type), NULL };
static const FrElement sink = { .size = sizeof (FrElement),
                                .kind = FR_KIND_SINK,
                                .name = "sink.counting",
                                .revision = 1,
                                .summary = "writes a count",
                                .details = "For the tests of the command.",
                                .example = "{\"path\": \"model.txt\"}",
                                .config_size = sizeof (SinkConfig),
                                .params = sink_params,
                                .inputs = sink_in,
                                .open = sink_open,
                                .run = sink_run,
                                .finish = sink_finish,
                                .close = g_free };

/* ---- services ----------------------------------------------------------------------------- */

static gboolean
knows (const char *path, const guint8 *head, gsize n)
{
  g_autofree char *inside = g_build_filename (path, "model.txt", NULL);

  return (n > 8 && memcmp (head, "model of", 8) == 0) || g_file_test (inside, G_FILE_TEST_EXISTS);
}

static JsonNode *
inspect (const char *path, GError **error)
{
  if (g_str_has_suffix (path, ".broken"))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s: nothing can be told of it", path);
      return NULL;
    }
  return fr_json_parse ("{\"title\": \"a counting model\", \"facts\": [[\"layers\", \"1\"]],"
                        " \"problems\": [\"it is small\"], \"data\": {\"n\": 1}}",
                        -1, 0, error);
}

static const FrInspect inspect_table = { knows, inspect };

static int
no_score (const char **why)
{
  *why = "built, no device";
  return 0;
}

static const FrService inspect_service = { .size = sizeof (FrService),
                                           .kind = "inspect",
                                           .name = "counting",
                                           .version = FR_INSPECT_VERSION,
                                           .summary = "counting models",
                                           .table = &inspect_table };
static const FrService compute_service = { .size = sizeof (FrService),
                                           .kind = "testing",
                                           .name = "nowhere",
                                           .version = 1,
                                           .summary = "computes nothing",
                                           .score = no_score,
                                           .table = &inspect_table };
static const FrService *const services[] = { &inspect_service, &compute_service, NULL };

FR_PLUGIN_SERVICES ("model", "1.0", "models of nothing", "Apache-2.0", "flowrun", services, &train,
                    &sink, )
