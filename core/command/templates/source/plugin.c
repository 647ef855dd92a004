/* @NAME@.c: @ELEMENT@ gives every line of a text file as a row. */
#include <flowrun/flowrun.h>

typedef struct {
  char *path;
} Config;

static const FrParam *const params[]
    = { FR_PARAM_PATH ("path", Config, path, "the file",
                       .flags = FR_PARAM_REQUIRED | FR_PARAM_READS),
        NULL };

static gboolean
bind (gconstpointer config, FrBind *bind, GError **error)
{
  (void) config, (void) error;
  fr_bind_output (bind, "out",
                  fr_schema_new_simple ("line", FR_TYPE_INT64, "text", FR_TYPE_UTF8, NULL));
  return TRUE;
}

static gboolean
start (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (((const Config *) config)->path);
  g_autoptr (GFileInputStream) in = g_file_read (file, fr_host_cancellable (host), error);

  *state = in ? g_data_input_stream_new (G_INPUT_STREAM (in)) : NULL;
  return in != NULL;
}

/* A line that is no UTF-8 is a reject: it must not end the run. */
static FrFlow
run (FrHost *host, gpointer state, GError **error)
{
  g_autoptr (FrBuilder) builder = fr_builder_new (fr_host_output (host, "out"));
  FrRowId id = { .position = 1, .source = fr_host_source (host) };
  FrFlow flow = FR_FLOW_OK;
  GError *problem = NULL;
  gsize len;

  for (char *line; flow == FR_FLOW_OK; id.position++, g_free (line))
    {
      line = g_data_input_stream_read_line (state, &len, fr_host_cancellable (host), &problem);
      if (line != NULL && !g_utf8_validate (line, (gssize) len, NULL))
        fr_host_reject_raw (host, id, "line", (FrStr) { line, len }, "encoding", "not UTF-8");
      else if (line != NULL)
        {
          fr_cells_append_int (fr_builder_cells (builder, 0), (gint64) id.position);
          fr_cells_append_str (fr_builder_cells (builder, 1), line, len);
          fr_builder_end_row (builder, id);
        }
      if (line == NULL || fr_builder_full (builder))
        flow = fr_host_push (host, "out", fr_builder_finish (builder, NULL), error);
      if (line == NULL)
        break;
    }
  if (problem != NULL)
    g_propagate_error (error, problem);
  return problem != NULL ? FR_FLOW_ERROR : flow;
}

static const FrElement element = { sizeof (FrElement), FR_KIND_SOURCE, "@ELEMENT@", 1,
  FR_ELEMENT_UNTRUSTED, "the lines of a text file",
  "Columns: `line`, counted from 1, and `text`.", "{\"path\": \"example.txt\"}", sizeof (Config),
  params, NULL, fr_ports_out, .bind = bind, .open = start, .run = run, .close = g_object_unref };
FR_PLUGIN ("@NAME@", "0.1.0", "a plugin of our own", "Apache-2.0", "us", &element)
