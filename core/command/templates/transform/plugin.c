/* @NAME@.c: @ELEMENT@ makes one space of every run of white space. */
#include <flowrun/flowrun.h>
#include <string.h>

typedef struct { char *column; } Config;

static const FrParam *const params[]
    = { FR_PARAM_COLUMN ("column", Config, column, FR_TYPES_TEXT, "which text", .def = "text"),
        NULL };

/* One cell.  Text is UTF-8, so a Chinese full-width space is one as well. */
static gboolean
tidy (FrStr text, GString *out, gpointer changed)
{
  const char *end = text.data + text.len;

  for (const char *p = text.data; p < end; p = g_utf8_next_char (p))
    if (!g_unichar_isspace (g_utf8_get_char (p)))
      g_string_append_len (out, p, g_utf8_next_char (p) - p);
    else if (out->len > 0 && out->str[out->len - 1] != ' ')
      g_string_append_c (out, ' ');
  if (out->len > 0 && out->str[out->len - 1] == ' ')
    g_string_truncate (out, out->len - 1);
  *(gint64 *) changed += out->len != text.len || memcmp (out->str, text.data, text.len) != 0;
  return TRUE;
}

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

/* One batch; the core calls this from several threads and keeps the order. */
static FrFlow
map (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  int column = fr_schema_find (fr_batch_schema (batch), ((Config *) state)->column);
  gint64 changed = 0;
  FrBatch *out = fr_batch_map_text (batch, (guint) column, tidy, &changed, error);

  (void) local;
  fr_batch_unref (batch);
  fr_host_count (host, "changed", changed);
  return out != NULL ? fr_host_push (host, "out", out, error) : FR_FLOW_ERROR;
}

static const FrElement element = { sizeof (FrElement), FR_KIND_TRANSFORM, "@ELEMENT@", 1,
  FR_ELEMENT_PARALLEL, "one space for every run of white space",
  "Cells that it changes are counted as `changed`.", "{\"column\": \"text\"}", sizeof (Config),
  params, fr_ports_in, fr_ports_out, .open = start, .map = map, .close = stop };
FR_PLUGIN ("@NAME@", "0.1.0", "a plugin of our own", "Apache-2.0", "us", &element)
