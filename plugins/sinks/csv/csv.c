/* SPDX-License-Identifier: Apache-2.0 */
/* csv.c: sink.csv, rows as RFC 4180 text, such that source.csv reads back what
 * was written: null and empty text stay apart.
 */
#include "text/output.h"

#include <flowrun/flowrun.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

typedef enum
{
  QUOTING_MINIMAL = 1,
  QUOTING_TEXT,
  QUOTING_ALL
} Quoting;
typedef enum
{
  NEWLINE_LF = 1,
  NEWLINE_CRLF
} Newline;
typedef enum
{
  FORMULAS_KEEP = 1,
  FORMULAS_DEFUSE
} Formulas;

typedef struct
{
  char *path;
  char **columns;
  char *delimiter;
  int quoting;
  gboolean header;
  int newline;
  char *null;
  gboolean bom;
  int formulas;
  gboolean ids;
} Config;

typedef struct
{
  const Config *config;
  TextOutput *output;
  char delimiter[8];
  FrStr null;
  guint *chosen;
  guint n;
  FrSchema *schema; /* of the input; owned by the core */
  GString *buffer, *scratch;
  gint64 defused;
} State;

/* ---- check ---------------------------------------------------------------- */

static gboolean
configure (gpointer data, FrProblems *problems)
{
  const Config *config = data;
  const char *d = config->delimiter;

  if (!g_str_equal (d, "tab") && !g_str_equal (d, "\\t")
      && (g_utf8_strlen (d, -1) != 1 || strchr ("\r\n\"", *d) != NULL))
    fr_problems_add (
        problems, "/delimiter",
        "'delimiter' must be one character or \"tab\", and neither a quote nor a newline, "
        "but is '%s'",
        d);
  return TRUE;
}

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

/* ---- cells ---------------------------------------------------------------- */

/* Whether a text must be quoted to be read as it is. */
static gboolean
needs_quotes (const State *state, FrStr text)
{
  const char *p = text.data, *e = p + text.len;
  const char first = state->delimiter[0];
  const gsize delimiter_len = strlen (state->delimiter);

  /* Null is what stands unquoted. */
  if (fr_str_equal (text, state->null))
    return TRUE;
#if defined(__SSE2__)
  for (; e - p >= 16; p += 16)
    {
      __m128i v = _mm_loadu_si128 ((const __m128i *) (const void *) p);
      __m128i hit = _mm_or_si128 (_mm_or_si128 (_mm_cmpeq_epi8 (v, _mm_set1_epi8 (first)),
                                                _mm_cmpeq_epi8 (v, _mm_set1_epi8 ('"'))),
                                  _mm_or_si128 (_mm_cmpeq_epi8 (v, _mm_set1_epi8 ('\n')),
                                                _mm_cmpeq_epi8 (v, _mm_set1_epi8 ('\r'))));

      if (_mm_movemask_epi8 (hit) != 0)
        break;
    }
#endif
  for (; p < e; p++)
    if (*p == '"' || *p == '\n' || *p == '\r'
        || (*p == first && (gsize) (e - p) >= delimiter_len
            && memcmp (p, state->delimiter, delimiter_len) == 0))
      return TRUE;
  return FALSE;
}

static void
append_quoted (GString *out, FrStr text)
{
  const char *p = text.data, *e = p + text.len, *quote;

  g_string_append_c (out, '"');
  while ((quote = memchr (p, '"', (gsize) (e - p))) != NULL)
    {
      g_string_append_len (out, p, quote + 1 - p);
      g_string_append_c (out, '"');
      p = quote + 1;
    }
  g_string_append_len (out, p, e - p);
  g_string_append_c (out, '"');
}

static void
append_text (State *state, GString *out, FrStr text)
{
  /* What spreadsheets would run as a formula (CWE-1236). */
  if (state->config->formulas == FORMULAS_DEFUSE && text.len > 0
      && strchr ("=+-@\t\r", *text.data) != NULL)
    {
      g_string_assign (state->scratch, "'");
      g_string_append_len (state->scratch, text.data, (gssize) text.len);
      text = (FrStr){ state->scratch->str, state->scratch->len };
      state->defused++;
    }
  if (state->config->quoting != QUOTING_MINIMAL || needs_quotes (state, text))
    append_quoted (out, text);
  else
    g_string_append_len (out, text.data, (gssize) text.len);
}

static void
append_other (State *state, GString *out, const FrBatch *batch, guint column, gsize row)
{
  GString *scratch = state->scratch;
  FrStr text;

  g_string_truncate (scratch, 0);
  fr_batch_append_json_cell (batch, column, row, scratch);
  text = (FrStr){ scratch->str, scratch->len };
  /* Timestamps and base64 need JSON's quotes no more. */
  if (text.len >= 2 && *text.data == '"')
    text = (FrStr){ text.data + 1, text.len - 2 };
  else if (fr_str_equal (text, FR_STR ("null")))
    text = state->null;
  if (state->config->quoting == QUOTING_ALL
      || (text.data != state->null.data && needs_quotes (state, text)))
    append_quoted (out, text);
  else
    g_string_append_len (out, text.data, (gssize) text.len);
}

static void
append_cell (State *state, GString *out, const FrBatch *batch, const FrView *view, guint column,
             gsize row)
{
  if (fr_view_is_null (view, row))
    {
      /* A line with nothing on it is no row to many readers. */
      if (state->config->quoting == QUOTING_ALL && state->null.len > 0)
        append_quoted (out, state->null);
      else if (state->n == 1 && !state->config->ids && state->null.len == 0)
        g_string_append (out, "\"\"");
      else
        g_string_append_len (out, state->null.data, (gssize) state->null.len);
    }
  else if (view->type == FR_TYPE_UTF8 || view->type == FR_TYPE_LARGE_UTF8)
    append_text (state, out, fr_view_str (view, row));
  else
    append_other (state, out, batch, column, row);
}

static inline void
append_newline (const State *state, GString *out)
{
  if (state->config->newline == NEWLINE_CRLF)
    g_string_append_c (out, '\r');
  g_string_append_c (out, '\n');
}

/* ---- life ----------------------------------------------------------------- */

static void
state_free (gpointer data)
{
  State *state = data;

  text_output_free (state->output);
  g_free (state->chosen);
  g_string_free (state->buffer, TRUE);
  g_string_free (state->scratch, TRUE);
  g_free (state);
}

static gboolean
write_header (State *state, GError **error)
{
  GString *out = state->buffer;

  if (state->config->bom)
    g_string_append (out, "\xEF\xBB\xBF");
  if (state->config->header)
    {
      if (state->config->ids)
        append_text (state, out, FR_STR ("_row"));
      for (guint i = 0; i < state->n; i++)
        {
          const char *name = fr_field_name (fr_schema_field (state->schema, state->chosen[i]));

          if (i > 0 || state->config->ids)
            g_string_append (out, state->delimiter);
          append_text (state, out, (FrStr){ name, strlen (name) });
        }
      append_newline (state, out);
    }
  return text_output_put (state->output, &state->buffer, error);
}

static gboolean
open_file (gconstpointer data, FrHost *host, gpointer *result, GError **error)
{
  const Config *config = data;
  State *state = g_new0 (State, 1);
  gboolean some = config->columns != NULL && config->columns[0] != NULL;

  state->config = config;
  state->buffer = g_string_new (NULL);
  state->scratch = g_string_new (NULL);
  state->null
      = (FrStr){ config->null ? config->null : "", config->null ? strlen (config->null) : 0 };
  g_strlcpy (state->delimiter,
             g_str_equal (config->delimiter, "tab") || g_str_equal (config->delimiter, "\\t")
                 ? "\t"
                 : config->delimiter,
             sizeof state->delimiter);
  state->schema = fr_host_input (host, "in");
  state->n = some ? g_strv_length (config->columns) : fr_schema_n_fields (state->schema);
  state->chosen = g_new (guint, state->n + 1);
  for (guint i = 0; i < state->n; i++)
    state->chosen[i] = some ? (guint) fr_schema_find (state->schema, config->columns[i]) : i;
  state->output = text_output_new (config->path, fr_host_cancellable (host), error);
  if (state->output == NULL || !write_header (state, error))
    {
      state_free (state);
      return FALSE;
    }
  *result = state;
  return TRUE;
}

static gboolean
write_batch (gpointer data, FrHost *host, FrBatch *batch, GError **error)
{
  State *state = data;
  g_autofree FrView *views = g_new (FrView, state->n + 1);
  GString *out = state->buffer;

  for (guint i = 0; i < state->n; i++)
    views[i] = fr_view (batch, state->chosen[i]);
  for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
    {
      if (state->config->ids)
        {
          fr_host_append_row_id (host, fr_batch_ids (batch)[row], out);
        }
      for (guint i = 0; i < state->n; i++)
        {
          if (i > 0 || state->config->ids)
            g_string_append (out, state->delimiter);
          append_cell (state, out, batch, &views[i], state->chosen[i], row);
        }
      append_newline (state, out);
    }
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

  if (state->defused > 0)
    fr_host_count (host, "formulas_defused", state->defused);
  return text_output_finish (state->output, host, state->config->path, error);
}

/* ---- description ---------------------------------------------------------- */

static const FrEnumValue *const quoting_values[]
    = { FR_ENUM ("minimal", QUOTING_MINIMAL, "only cells that could not be read back otherwise"),
        FR_ENUM ("text", QUOTING_TEXT, "every text cell"),
        FR_ENUM ("all", QUOTING_ALL, "every cell but nulls written as nothing"), NULL };

static const FrEnumValue *const newline_values[]
    = { FR_ENUM ("lf", NEWLINE_LF, "LF, as on Unix"),
        FR_ENUM ("crlf", NEWLINE_CRLF, "CRLF, as RFC 4180 says and Windows programs like"), NULL };

static const FrEnumValue *const formulas_values[] = {
  FR_ENUM ("keep", FORMULAS_KEEP, "text is written as it is"),
  FR_ENUM ("defuse", FORMULAS_DEFUSE,
           "text that begins with = + - @ tab or CR gets an apostrophe in front, and is counted"),
  NULL
};

static const FrParam *const params[] = {
  FR_PARAM_PATH (
      "path", Config, path,
      "the file to write, compressed by its suffix (.gz .xz .zst .bz2); \"-\" for standard output",
      .flags = FR_PARAM_REQUIRED | FR_PARAM_WRITES, .example = "\"out/goods.csv\""),
  FR_PARAM_COLUMNS ("columns", Config, columns, FR_TYPES_ANY,
                    "columns to write, in this order; all when left out",
                    .example = "[\"id\", \"name\"]"),
  FR_PARAM_STRING ("delimiter", Config, delimiter, "the character between cells; \"tab\"",
                   .def = ","),
  FR_PARAM_ENUM ("quoting", Config, quoting, quoting_values, "which cells stand in quotes",
                 .def = "minimal"),
  FR_PARAM_BOOL ("header", Config, header, "whether the first line names the columns",
                 .def = "true"),
  FR_PARAM_ENUM ("newline", Config, newline, newline_values, "what ends a line", .def = "lf"),
  FR_PARAM_STRING ("null", Config, null, "what stands for null, unquoted", .def = ""),
  FR_PARAM_BOOL ("bom", Config, bom, "begin with a byte order mark, by which Excel knows UTF-8",
                 .def = "false"),
  FR_PARAM_ENUM ("formulas", Config, formulas, formulas_values,
                 "text that a spreadsheet would run as a formula", .def = "keep"),
  FR_PARAM_BOOL ("ids", Config, ids, "write the row's id as the first column, \"_row\"",
                 .def = "false"),
  NULL
};

static const char details[]
    = "Writes rows as RFC 4180 describes them, in UTF-8. Null is written as nothing (or as `null` "
      "says) and "
      "empty text as `\"\"`, so that source.csv reads back what was written; in a file of one "
      "column null is "
      "`\"\"` too, because many readers pass over blank lines. Lists and structs are written as "
      "JSON, "
      "timestamps as RFC 3339, binary as base64, numbers that are not finite as null.\n"
      "\n"
      "The file appears whole or not at all: rows go to a temporary name beside it, which is "
      "renamed when "
      "the run succeeds. Missing folders are made. Equal rows give equal bytes, compressed or "
      "not.\n"
      "\n"
      "**For Excel** say `\"bom\": true, \"newline\": \"crlf\"`. A text that begins with `=`, `+`, "
      "`-`, `@`, a "
      "tab or a carriage return may be run as a formula by a spreadsheet, which is a way to attack "
      "whoever "
      "opens the file (CWE-1236): with `\"formulas\": \"defuse\"` such text gets an apostrophe in "
      "front, "
      "and `formulas_defused` counts them. The default keeps text as it is, because programs read "
      "these files too. Columns of numbers are never touched.\n";

static const FrElement csv = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SINK,
  .name = "sink.csv",
  .revision = 1,
  .summary = "rows as CSV, in a file that is whole or not there",
  .details = details,
  .example = "{ \"path\": \"out/goods.csv\" }",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = fr_ports_in,
  .configure = configure,
  .bind = bind_rows,
  .open = open_file,
  .run = run,
  .finish = finish,
  .close = state_free,
};

FR_PLUGIN ("csv-sink", "0.1.0", "CSV files", "Apache-2.0", "flowrun", &csv)
