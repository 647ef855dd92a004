/* @NAME@.c: @ELEMENT@ measures how long the texts of a column are. */
#include <flowrun/flowrun.h>

typedef struct {
  char *column;
} Config;

static const FrParam *const params[]
    = { FR_PARAM_COLUMN ("column", Config, column, FR_TYPES_TEXT, "which text", .def = "text"),
        NULL };

static gboolean
start (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  (void) host, (void) error;
  *state = (gpointer) config;
  return TRUE;
}

static void
stop (gpointer state)
{
  (void) state;
}

/* The element's own loop; what it reports lands in report.json. */
static FrFlow
run (FrHost *host, gpointer state, GError **error)
{
  guint64 rows = 0, empty = 0, characters = 0;
  FrBatch *batch;
  FrFlow flow;
  JsonNode *mean;

  while ((flow = fr_host_next (host, "in", &batch, error)) == FR_FLOW_OK)
    {
      int column = fr_schema_find (fr_batch_schema (batch), ((Config *) state)->column);
      FrView view = fr_view (batch, (guint) column);

      for (gsize row = 0; row < fr_batch_n_rows (batch); row++, rows++)
        {
          FrStr text = fr_view_str (&view, row);

          empty += text.len == 0;
          characters += text.len ? (guint64) g_utf8_strlen (text.data, (gssize) text.len) : 0;
        }
      fr_batch_unref (batch);
    }
  if (flow != FR_FLOW_DONE)
    return flow;
  mean = json_node_init_double (json_node_alloc (), rows ? (double) characters / (double) rows : 0);
  fr_host_count (host, "empty", (gint64) empty);
  fr_host_report (host, "mean_characters", mean);
  return FR_FLOW_OK;
}

static const FrElement element = { sizeof (FrElement), FR_KIND_EVALUATOR, "@ELEMENT@", 1, 0,
  "how long the texts of a column are",
  "Reports `mean_characters`, and counts empty cells as `empty`.",
  "{\"column\": \"text\"}", sizeof (Config), params, fr_ports_in, NULL, .open = start, .run = run,
  .close = stop };
FR_PLUGIN ("@NAME@", "0.1.0", "a plugin of our own", "Apache-2.0", "us", &element)
