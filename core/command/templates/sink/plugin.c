/* @NAME@.c: @ELEMENT@ writes a column of text to a file, one line a row. */
#include <flowrun/flowrun.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

typedef struct { char *path, *column; } Config;
typedef struct { const Config *config; char *part; FILE *out; } State;

static const FrParam *const params[]
    = { FR_PARAM_PATH ("path", Config, path, "the file",
                       .flags = FR_PARAM_REQUIRED | FR_PARAM_WRITES),
        FR_PARAM_COLUMN ("column", Config, column, FR_TYPES_TEXT, "which text", .def = "text"),
        NULL };

/* Rows go to PATH.part, so that nobody ever sees half a file as PATH. */
static gboolean
start (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  State *s = g_new0 (State, 1);

  (void) host;
  s->config = config;
  s->part = g_strconcat (s->config->path, ".part", NULL);
  s->out = g_fopen (s->part, "wb");
  *state = s;
  if (s->out != NULL)
    return TRUE;
  fr_error_errno (error, errno, "create", s->part);
  g_free (s->part), g_free (s);
  return FALSE;
}

/* A text with a line break would become two lines: that row is a reject. */
static FrFlow
run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  FrBatch *batch;
  FrFlow flow;

  while ((flow = fr_host_next (host, "in", &batch, error)) == FR_FLOW_OK)
    {
      int column = fr_schema_find (fr_batch_schema (batch), s->config->column);
      FrView view = fr_view (batch, (guint) column);

      for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
        {
          FrStr text = fr_view_str (&view, row);

          if (text.len > 0 && memchr (text.data, '\n', text.len) != NULL)
            fr_host_reject (host, batch, row, "newline", "a line cannot hold a line break");
          else if (text.len > 0 && fwrite (text.data, 1, text.len, s->out) != text.len)
            return fr_error_errno (error, errno, "write", s->part), FR_FLOW_ERROR;
          else
            fputc ('\n', s->out);
        }
      fr_batch_unref (batch);
    }
  return flow;
}

/* All went well: now it becomes PATH. */
static gboolean
finish (FrHost *host, gpointer state, GError **error)
{
  State *s = state;

  if (fflush (s->out) != 0 || fsync (fileno (s->out)) != 0
      || g_rename (s->part, s->config->path) != 0)
    return fr_error_errno (error, errno, "write", s->config->path);
  g_clear_pointer (&s->part, g_free);
  fr_host_committed (host, s->config->path);
  return TRUE;
}

static void
stop (gpointer state)
{
  State *s = state;

  fclose (s->out);
  if (s->part != NULL)
    g_unlink (s->part);
  g_free (s->part), g_free (s);
}

static const FrElement element = { sizeof (FrElement), FR_KIND_SINK, "@ELEMENT@", 1, 0,
  "a column of text, one line a row", "Null is an empty line.",
  "{\"path\": \"out.txt\", \"column\": \"text\"}", sizeof (Config), params, fr_ports_in, NULL,
  .open = start, .run = run, .finish = finish, .close = stop };
FR_PLUGIN ("@NAME@", "0.1.0", "a plugin of our own", "Apache-2.0", "us", &element)
