/* SPDX-License-Identifier: Apache-2.0 */
/* csv.c: source.csv, delimited text files as rows.
 *
 * csv-plan.c decides dialect, columns and types, csv-parser.c cuts records,
 * csv-types.c reads cells; here rows are made of them, and what does not fit is
 * rejected with its file and line.
 */
#include "sources/csv/csv-plan.h"
#include "sources/csv/csv-types.h"
#include "text/input.h"

#include <string.h>

typedef struct
{
  const CsvConfig *config;
  CsvPlan *plan;
  TextInput *input;
  FrBuilder *builder;
  FrCells **cells; /* of the schema's columns */
  GString *scratch;
  guint64 position; /* records so far, over all texts */
  JsonArray *files;

  /* the text */
  const char *name;
  guint *target; /* file column i is schema column target[i] */
  gboolean in_order;
  guint64 rows, first;
} State;

/* ---- check ---------------------------------------------------------------- */

static void
check_byte (FrProblems *problems, const char *key, const char *value)
{
  g_autofree char *pointer = g_strconcat ("/", key, NULL);

  if (value == NULL || *value == '\0')
    return;
  if (value[1] != '\0' || !g_ascii_isprint (*value) || g_ascii_isalnum (*value))
    fr_problems_add (problems, pointer,
                     "'%s' must be one ASCII punctuation mark, or \"\" for none, but is '%s'", key,
                     value);
}

static gboolean
configure (gpointer data, FrProblems *problems)
{
  CsvConfig *config = data;
  const char *d = config->delimiter;
  gboolean word = g_str_equal (d, "auto") || g_str_equal (d, "tab") || g_str_equal (d, "\\t");

  check_byte (problems, "quote", config->quote);
  check_byte (problems, "escape", config->escape);
  check_byte (problems, "comment", config->comment);
  if (!word && (g_utf8_strlen (d, -1) != 1 || strchr ("\r\n", *d) != NULL))
    fr_problems_add (problems, "/delimiter",
                     "'delimiter' must be one character, \"tab\" or \"auto\", but is '%s'", d);
  else if (config->quote != NULL && *config->quote != '\0' && g_str_equal (d, config->quote))
    fr_problems_add (problems, "/delimiter", "delimiter and quote are both '%s'", d);
  if (config->max_row < 1024 || config->max_row > (1u << 30))
    fr_problems_add (problems, "/max_row", "'max_row' must be between 1KiB and 1GiB");
  if (config->file_column != NULL && *config->file_column == '\0')
    g_clear_pointer (&config->file_column, g_free);
  for (FrPair *p = config->columns; p != NULL && p->key != NULL; p++)
    {
      FrType type = fr_type_from_name (p->value);

      if (type == 0 || type == FR_TYPE_LIST || type == FR_TYPE_STRUCT || type == FR_TYPE_BINARY
          || type == FR_TYPE_LARGE_UTF8)
        {
          g_autofree char *pointer = g_strconcat ("/columns/", p->key, NULL);

          fr_problems_add (problems, pointer,
                           "'%s' is not a type of a CSV column; use utf8, int32, int64, float32, "
                           "float64, bool or timestamp",
                           p->value);
        }
    }
  for (char **a = config->names; a != NULL && *a != NULL; a++)
    for (char **b = config->names; b < a; b++)
      if (g_str_equal (*a, *b))
        fr_problems_add (problems, "/names", "the name '%s' is given twice", *a);
  return TRUE;
}

typedef struct
{
  FrBind *bind;
  gboolean problem;
} Teller;

static void
tell_bind (gpointer data, gboolean problem, const char *pointer, const char *text)
{
  Teller *teller = data;

  teller->problem |= problem;
  if (problem)
    fr_bind_problem (teller->bind, pointer, "%s", text);
  else
    fr_bind_warn (teller->bind, pointer, "%s", text);
}

static gboolean
bind_columns (gconstpointer data, FrBind *bind, GError **error)
{
  Teller teller = { bind, FALSE };
  g_autoptr (CsvPlan) plan = csv_plan_new (data, NULL, tell_bind, &teller, error);

  if (plan == NULL)
    return FALSE;
  fr_bind_output (bind, "out", g_steal_pointer (&plan->schema));
  return !teller.problem;
}

/* ---- start ---------------------------------------------------------------- */

static void
report_columns (State *state, FrHost *host)
{
  static const char *const reasons[] = { "declared", "inferred", "text" };
  CsvPlan *plan = state->plan;
  JsonObject *columns = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  for (guint i = 0; i < plan->n; i++)
    {
      JsonObject *column = json_object_new ();

      json_object_set_string_member (column, "type", fr_type_name (plan->types[i]));
      json_object_set_string_member (column, "by", reasons[plan->reasons[i]]);
      json_object_set_object_member (columns, plan->names[i], column);
    }
  json_node_take_object (node, columns);
  fr_host_report (host, "columns", node);
  fr_host_report (host, "delimiter",
                  json_node_init_string (json_node_alloc (), plan->dialect.delimiter));
  fr_host_report (host, "delimiter_by",
                  json_node_init_string (json_node_alloc (), plan->delimiter_how));
  fr_host_report (host, "rows_sampled", json_node_init_int (json_node_alloc (), plan->sampled));
  if (g_str_equal (plan->delimiter_how, "found") && !g_str_equal (plan->dialect.delimiter, ","))
    fr_host_info (host, "the delimiter is taken to be '%s'; say \"delimiter\" to choose",
                  g_str_equal (plan->dialect.delimiter, "\t") ? "tab" : plan->dialect.delimiter);
}

static void
state_free (gpointer data)
{
  State *state = data;

  if (state == NULL)
    return;
  g_clear_pointer (&state->plan, csv_plan_free);
  g_clear_pointer (&state->input, text_input_free);
  g_clear_pointer (&state->builder, fr_builder_free);
  g_clear_pointer (&state->files, json_array_unref);
  g_string_free (state->scratch, TRUE);
  g_free (state->cells);
  g_free (state->target);
  g_free (state);
}

static gboolean
open_files (gconstpointer data, FrHost *host, gpointer *result, GError **error)
{
  const CsvConfig *config = data;
  State *state = g_new0 (State, 1);

  state->config = config;
  state->scratch = g_string_new (NULL);
  state->files = json_array_new ();
  state->plan = csv_plan_new (config, fr_host_cancellable (host), NULL, NULL, error);
  if (state->plan != NULL && !fr_schema_equal (state->plan->schema, fr_host_output (host, "out")))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "'%s' was changed while the run started; run again", config->path[0]);
      state_free (state);
      return FALSE;
    }
  if (state->plan != NULL)
    state->input = text_input_new ((const char *const *) config->path, config->encoding,
                                   fr_host_cancellable (host), error);
  if (state->input == NULL)
    {
      if (error != NULL && *error == NULL)
        g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                     "'%s' was changed while the run started; run again", config->path[0]);
      state_free (state);
      return FALSE;
    }
  state->builder = fr_builder_new (state->plan->schema);
  state->cells = g_new (FrCells *, fr_schema_n_fields (state->plan->schema));
  for (guint i = 0; i < fr_schema_n_fields (state->plan->schema); i++)
    state->cells[i] = fr_builder_cells (state->builder, i);
  state->target = g_new (guint, state->plan->n + 1);
  report_columns (state, host);
  *result = state;
  return TRUE;
}

/* ---- rows ----------------------------------------------------------------- */

static void
reject (State *state, FrHost *host, const CsvRecord *record, const char *rule, const char *text)
{
  g_autofree char *where = g_strdup_printf ("%s:%" G_GUINT64_FORMAT, state->name, record->line);
  FrRowId id = { state->position, fr_host_source (host), 0 };

  fr_host_reject_raw (host, id, where, record->text, rule, "%s", text);
}

static void
reject_fault (State *state, FrHost *host, const CsvRecord *record)
{
  g_autofree char *text = NULL;

  switch (record->fault)
    {
    case CSV_FAULT_AFTER_QUOTE:
      text = g_strdup_printf (
          "text stands behind the closing quote of cell %u in line %" G_GUINT64_FORMAT
          "; a quote within a quoted cell must be doubled",
          record->fault_cell + 1, record->fault_line);
      reject (state, host, record, "quote", text);
      break;
    case CSV_FAULT_OPEN_QUOTE:
      text = g_strdup_printf ("the quote that opens cell %u in line %" G_GUINT64_FORMAT
                              " is never closed; the following lines were read as rows again",
                              record->fault_cell + 1, record->fault_line);
      reject (state, host, record, "open_quote", text);
      break;
    default:
      text = g_strdup_printf ("the row is longer than max_row (%" G_GUINT64_FORMAT " bytes)",
                              state->config->max_row);
      reject (state, host, record, "too_long", text);
      break;
    }
}

static gboolean
append_number (FrCells *cells, FrType type, FrStr text)
{
  gboolean truth;
  gint64 integer;
  double number;

  switch (type)
    {
    case FR_TYPE_INT32:
      if (!csv_parse_int (text, &integer) || integer < G_MININT32 || integer > G_MAXINT32)
        return FALSE;
      fr_cells_append_int (cells, integer);
      return TRUE;
    case FR_TYPE_INT64:
      if (!csv_parse_int (text, &integer))
        return FALSE;
      fr_cells_append_int (cells, integer);
      return TRUE;
    case FR_TYPE_FLOAT32:
    case FR_TYPE_FLOAT64:
      if (!csv_parse_float (text, &number))
        return FALSE;
      if (type == FR_TYPE_FLOAT32 && (number > G_MAXFLOAT || number < -G_MAXFLOAT))
        return FALSE;
      fr_cells_append_float (cells, number);
      return TRUE;
    case FR_TYPE_BOOL:
      if (!csv_parse_bool (text, TRUE, &truth))
        return FALSE;
      fr_cells_append_bool (cells, truth);
      return TRUE;
    default:
      if (!csv_parse_timestamp (text, &integer))
        return FALSE;
      fr_cells_append_int (cells, integer);
      return TRUE;
    }
}

static FrStr
stripped (FrStr text)
{
  while (text.len > 0 && (*text.data == ' ' || *text.data == '\t'))
    {
      text.data++;
      text.len--;
    }
  while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
    text.len--;
  return text;
}

/* FALSE: the cell does not fit its column. */
static gboolean
append_cell (State *state, guint column, const CsvRecord *record, const CsvCell *cell)
{
  const CsvPlan *plan = state->plan;
  FrType type = plan->types[column];
  FrCells *cells = state->cells[column];
  FrStr text = { record->text.data + cell->start, cell->len };

  if (type == FR_TYPE_UTF8)
    {
      if (cell->flags & CSV_ESCAPED)
        {
          char *out = fr_cells_reserve_str (cells, text.len);

          fr_cells_commit_str (cells, csv_cell_unescape (&plan->dialect, text.data, text.len, out));
        }
      else if (!(cell->flags & CSV_QUOTED) && csv_is_null (state->config, text, FALSE, type))
        fr_cells_append_null (cells);
      else
        fr_cells_append_str (cells, text.data, text.len);
      return TRUE;
    }
  text = stripped (csv_cell_text (&plan->dialect, record, cell, state->scratch));
  if (csv_is_null (state->config, text, FALSE, type))
    {
      fr_cells_append_null (cells);
      return TRUE;
    }
  return append_number (cells, type, text);
}

static void
reject_cell (State *state, FrHost *host, const CsvRecord *record, guint i)
{
  guint column = state->target[i];
  FrStr cell = csv_cell_text (&state->plan->dialect, record, &record->cells[i], state->scratch);
  g_autofree char *start = g_utf8_substring (cell.len > 0 ? cell.data : "", 0, 0);
  g_autofree char *text = NULL;
  const char *end = cell.data + MIN (cell.len, 60);

  while (end > cell.data && end < cell.data + cell.len && ((guchar) *end & 0xC0) == 0x80)
    end--;
  g_free (start);
  start = g_strndup (cell.data, (gsize) (end - cell.data));
  text = g_strdup_printf (
      "'%s' in column '%s' is not of the type %s that was %s%s", start, state->plan->names[column],
      fr_type_name (state->plan->types[column]),
      state->plan->reasons[column] == CSV_BY_DECLARATION ? "declared" : "inferred",
      state->plan->reasons[column] == CSV_BY_DECLARATION
          ? ""
          : " from the first rows; declare it in \"columns\", or say \"types\": \"text\"");
  reject (state, host, record, "type", text);
}

static void
take_row (State *state, FrHost *host, const CsvRecord *record)
{
  const CsvPlan *plan = state->plan;
  guint n = record->n_cells;

  state->position++;
  state->rows++;
  if (G_UNLIKELY (record->fault != CSV_FAULT_NONE))
    {
      reject_fault (state, host, record);
      return;
    }
  if (G_UNLIKELY (n != plan->n))
    {
      if (n > plan->n || state->config->ragged == CSV_RAGGED_REJECT)
        {
          g_autofree char *text
              = g_strdup_printf ("the row has %u cells, the header has %u", n, plan->n);

          reject (state, host, record, "ragged", text);
          return;
        }
      fr_host_count (host, "rows_filled", 1);
    }
  for (guint i = 0; i < n; i++)
    if (G_UNLIKELY (!append_cell (state, state->target[i], record, &record->cells[i])))
      {
        fr_builder_cancel_row (state->builder);
        reject_cell (state, host, record, i);
        return;
      }
  if (state->config->file_column != NULL)
    fr_cells_append_str (state->cells[plan->n], state->name, strlen (state->name));
  fr_builder_end_row (state->builder, (FrRowId){ state->position, fr_host_source (host), 0 });
}

/* ---- texts ---------------------------------------------------------------- */

/* The header of every text must name the same columns, in any order. */
static gboolean
take_header (State *state, const CsvRecord *header, GError **error)
{
  CsvPlan *plan = state->plan;
  g_auto (GStrv) names = NULL;

  if (header->fault != CSV_FAULT_NONE)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "the header of '%s' is faulty in line %" G_GUINT64_FORMAT
                   " (a quote that does not close, or a row beyond max_row)",
                   state->name, header->fault_line);
      return FALSE;
    }
  for (guint i = 0; i < plan->n; i++)
    state->target[i] = i;
  if (state->config->names != NULL && state->config->names[0] != NULL)
    return TRUE;
  names = csv_plan_names (&plan->dialect, header, NULL, NULL);
  if (header->n_cells != plan->n)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "'%s' has %u columns, the first file has %u; read files of one form by one "
                   "stage",
                   state->name, header->n_cells, plan->n);
      return FALSE;
    }
  for (guint i = 0; i < plan->n; i++)
    {
      guint k = 0;

      while (k < plan->n && !g_str_equal (plan->names[k], names[i]))
        k++;
      if (k == plan->n)
        {
          const char *near = fr_suggest (names[i], (const char *const *) plan->names);

          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "'%s' has a column '%s' that the first file has not%s%s%s; read files of "
                       "one form by one stage",
                       state->name, names[i], near ? " (is it '" : "", near ? near : "",
                       near ? "'?)" : "");
          return FALSE;
        }
      state->target[i] = k;
    }
  return TRUE;
}

static void
announce_charset (State *state, FrHost *host, const char *before)
{
  const char *how, *charset = text_input_charset (state->input, &how);

  if (g_str_equal (how, "guessed") && !g_str_equal (charset, "utf-8")
      && (before == NULL || !g_str_equal (before, charset)))
    fr_host_info (host, "'%s' is read as %s, a guess from its bytes; say \"encoding\" to choose",
                  state->name, charset);
}

static void
end_text (State *state, FrHost *host, CsvParser *parser, guint64 replaced)
{
  const char *how, *charset = text_input_charset (state->input, &how);
  guint64 blank, comments;
  JsonObject *file = json_object_new ();

  csv_parser_skipped (parser, &blank, &comments);
  if (blank > 0)
    fr_host_count (host, "blank_lines", (gint64) blank);
  if (comments > 0)
    fr_host_count (host, "comment_lines", (gint64) comments);
  if (replaced > 0)
    {
      fr_host_count (host, "characters_replaced", (gint64) replaced);
      fr_host_warn (host,
                    "'%s' has %" G_GUINT64_FORMAT " places that are not %s; they became U+FFFD: "
                    "check \"encoding\"",
                    state->name, replaced, charset);
    }
  json_object_set_string_member (file, "file", state->name);
  json_object_set_string_member (file, "encoding", charset);
  json_object_set_string_member (file, "encoding_by", how);
  json_object_set_int_member (file, "rows", (gint64) state->rows);
  json_array_add_object_element (state->files, file);
}

static FrFlow
push (State *state, FrHost *host, GError **error)
{
  FrBatch *batch = fr_builder_finish (state->builder, error);

  return batch == NULL ? FR_FLOW_ERROR : fr_host_push (host, "out", batch, error);
}

/* Records of what was fed so far. */
static FrFlow
take_records (State *state, FrHost *host, CsvParser *parser, gboolean *header, GError **error)
{
  FrFlow flow = FR_FLOW_OK;
  CsvRecord record;
  CsvEvent event;

  while ((event = csv_parser_next (parser, &record)) == CSV_RECORD)
    {
      if (G_UNLIKELY (*header))
        {
          *header = FALSE;
          if (!take_header (state, &record, error))
            return FR_FLOW_ERROR;
          continue;
        }
      take_row (state, host, &record);
      if (G_UNLIKELY (fr_builder_full (state->builder)))
        {
          flow = push (state, host, error);
          if (flow != FR_FLOW_OK)
            return flow;
        }
    }
  if (event != CSV_LOST)
    return FR_FLOW_OK;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "a quote that opens near line %" G_GUINT64_FORMAT
               " of '%s' is not closed before the row grows beyond max_row (%" G_GUINT64_FORMAT
               " bytes) and the file ends; repair the line, or say \"quote\": \"\"",
               record.fault_line, state->name, state->config->max_row);
  return FR_FLOW_ERROR;
}

static FrFlow
take_text (State *state, FrHost *host, GError **error)
{
  g_autoptr (CsvParser) parser = csv_parser_new (&state->plan->dialect);
  guint64 replaced = text_input_n_replaced (state->input), done, total;
  const char *charset = text_input_charset (state->input, NULL), *block;
  gboolean header = state->config->header;
  GError *local = NULL;
  FrFlow flow;
  gsize len;

  state->rows = 0;
  for (guint i = 0; i < state->plan->n; i++)
    state->target[i] = i;
  fr_host_origin (host, state->position + 1, state->name);
  announce_charset (state, host, NULL);
  while (text_input_read (state->input, &block, &len, &local))
    {
      csv_parser_feed (parser, block, len, FALSE);
      flow = take_records (state, host, parser, &header, error);
      if (flow != FR_FLOW_OK)
        return flow;
      text_input_progress (state->input, &done, &total);
      fr_host_progress (host, done, total, "bytes");
    }
  if (local != NULL)
    {
      flow = g_error_matches (local, FR_ERROR, FR_ERROR_CANCELLED) ? FR_FLOW_CANCELLED
                                                                   : FR_FLOW_ERROR;
      g_propagate_error (error, local);
      return flow;
    }
  csv_parser_feed (parser, NULL, 0, TRUE);
  flow = take_records (state, host, parser, &header, error);
  if (flow != FR_FLOW_OK)
    return flow;
  if (header)
    fr_host_warn (host, "'%s' is empty, without even a header", state->name);
  announce_charset (state, host, charset);
  end_text (state, host, parser, text_input_n_replaced (state->input) - replaced);
  return FR_FLOW_OK;
}

static FrFlow
run (FrHost *host, gpointer data, GError **error)
{
  State *state = data;
  GError *local = NULL;
  JsonNode *files;
  FrFlow flow = FR_FLOW_OK;

  while (flow == FR_FLOW_OK && text_input_next_text (state->input, &state->name, &local))
    flow = take_text (state, host, error);
  if (local != NULL)
    {
      flow = g_error_matches (local, FR_ERROR, FR_ERROR_CANCELLED) ? FR_FLOW_CANCELLED
                                                                   : FR_FLOW_ERROR;
      g_propagate_error (error, local);
    }
  if (flow == FR_FLOW_OK && fr_builder_n_rows (state->builder) > 0)
    flow = push (state, host, error);
  files = json_node_new (JSON_NODE_ARRAY);
  json_node_set_array (files, state->files);
  fr_host_report (host, "files", files);
  return flow;
}

/* ---- description ---------------------------------------------------------- */

static const FrEnumValue *const types_values[]
    = { FR_ENUM ("infer", CSV_TYPES_INFER,
                 "bool, int64 or float64 where every sampled cell fits, else utf8"),
        FR_ENUM ("text", CSV_TYPES_TEXT, "every column is utf8, as written"), NULL };

static const FrEnumValue *const ragged_values[]
    = { FR_ENUM ("reject", CSV_RAGGED_REJECT, "rows with too few or too many cells are rejected"),
        FR_ENUM ("fill", CSV_RAGGED_FILL,
                 "rows with too few cells are filled with nulls; longer ones are rejected"),
        NULL };

static const FrParam *const params[] = {
  FR_PARAM_PATHS ("path", CsvConfig, path,
                  "files, globs, archive members (\"a.zip:*.csv\"), or \"-\" for standard input",
                  .flags = FR_PARAM_REQUIRED | FR_PARAM_READS, .example = "\"goods/*.csv.gz\""),
  FR_PARAM_STRING (
      "encoding", CsvConfig, encoding,
      "charset of the files, such as utf-8, gb18030, big5 or utf-16le; auto: look at each",
      .def = "auto"),
  FR_PARAM_STRING (
      "delimiter", CsvConfig, delimiter,
      "the character between cells; \"tab\"; auto: whichever of , tab ; | ， ； cuts best",
      .def = "auto"),
  FR_PARAM_STRING ("quote", CsvConfig, quote, "the quotation mark; \"\" for none", .def = "\""),
  FR_PARAM_STRING (
      "escape", CsvConfig, escape,
      "a mark that makes a quote within quotes literal, besides doubling it; \"\" for none",
      .def = ""),
  FR_PARAM_STRING ("comment", CsvConfig, comment,
                   "lines that begin with it are passed over; \"\" for none", .def = ""),
  FR_PARAM_BOOL ("header", CsvConfig, header,
                 "whether the first record of each file names the columns", .def = "true"),
  FR_PARAM_STRINGS ("names", CsvConfig, names,
                    "names of the columns, instead of the header's (which is then passed over)",
                    .example = "[\"id\", \"name\", \"price\"]"),
  FR_PARAM_MAP ("columns", CsvConfig, columns,
                "types of columns: utf8, int32, int64, float32, float64, bool, timestamp",
                .example = "{\"code\": \"utf8\", \"price\": \"float64\"}"),
  FR_PARAM_ENUM ("types", CsvConfig, types, types_values, "types of the columns not in \"columns\"",
                 .def = "infer"),
  FR_PARAM_INT ("sample", CsvConfig, sample, 1, 1000000,
                "how many rows at the beginning types are inferred from, within the first 1 MiB",
                .def = "1000", .unit = "rows"),
  FR_PARAM_STRINGS ("null", CsvConfig, null, "unquoted cells that stand for no value",
                    .def = "[\"\"]", .example = "[\"\", \"NULL\", \"\\\\N\"]"),
  FR_PARAM_BOOL ("trim", CsvConfig, trim, "whether blanks around cells and quotes are passed over",
                 .def = "false"),
  FR_PARAM_INT ("skip_lines", CsvConfig, skip_lines, 0, 1000000,
                "lines at the beginning of each file to pass over", .def = "0", .unit = "lines"),
  FR_PARAM_ENUM ("ragged", CsvConfig, ragged, ragged_values, "rows with another number of cells",
                 .def = "reject"),
  FR_PARAM_STRING ("file_column", CsvConfig, file_column,
                   "name of a column to add that holds the file each row comes from"),
  FR_PARAM_SIZE ("max_row", CsvConfig, max_row, "a longer row is rejected", .def = "128MiB"),
  NULL
};

static const char details[]
    = "Reads files of delimited text as RFC 4180 describes them, and as they are.\n"
      "\n"
      "**Files.** A path, a glob, or several; globs are taken in the order of bytes. Compression "
      "(gzip, xz, zstd, bzip2, lz4) and archives (zip, tar, 7z) are known by their content, "
      "whatever the "
      "name says. Each file in an archive is one text; `archive.zip:*.csv` takes some of them. A "
      "text "
      "that grows more than 1000 times and past 1 GiB when unpacked is an error. `-` is standard "
      "input, "
      "for one stage of a pipeline.\n"
      "\n"
      "**Encoding.** A byte order mark decides; otherwise the first 256 KiB are looked at: UTF-16 "
      "by its "
      "zeros, UTF-8, then GB18030 or Big5 by which reading gives frequent Chinese characters, and "
      "windows-1252 last. A guess other than UTF-8 is announced and is in the report. gb2312 and "
      "gbk mean "
      "GB18030. Bytes that are no text become U+FFFD, are counted as `characters_replaced` and "
      "warned "
      "about.\n"
      "\n"
      "**Rows.** A cell may be quoted and then hold delimiters, newlines and doubled quotes; a "
      "quote in "
      "the middle of an unquoted cell is an ordinary character. LF, CRLF and a lone CR end a row. "
      "Blank "
      "lines and comments are passed over and counted. A row with another number of cells than the "
      "header, with text behind a closing quote, or with a quote that is never closed is rejected "
      "with "
      "its file and line, and reading goes on with the next; an open quote never swallows the rest "
      "of "
      "a file. Only an open quote whose text grows beyond `max_row` ends the run.\n"
      "\n"
      "**Columns.** The header names them: blanks around a name are dropped, a column without a "
      "name is "
      "called column_N, a second column of one name gets _2, and both are warned about. Further "
      "files must "
      "have the same columns, in any order.\n"
      "\n"
      "**Types.** Those in `columns` are as declared. The others are inferred from the first "
      "`sample` "
      "rows of the first file, or text with `\"types\": \"text\"`; the report says which. A number "
      "with a "
      "leading zero or plus sign (a code, a telephone number) is text. Times are never inferred; a "
      "declared "
      "timestamp takes `2024-05-01`, `2024/5/1` and `2024-05-01 08:30:00+08:00`, and is UTC "
      "without an "
      "offset. A cell that does not fit its column rejects the row.\n"
      "\n"
      "**Nulls.** An unquoted cell that is in `null`, by default an empty one, is null; a quoted "
      "empty cell "
      "is the empty text, and null in a column of another type.\n"
      "\n"
      "A row's position is the number of its record over all files, rejected ones too.\n";

static const FrElement csv = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SOURCE,
  .name = "source.csv",
  .revision = 1,
  .flags = FR_ELEMENT_UNTRUSTED,
  .summary = "rows of CSV and other delimited text files, in any encoding, compressed or not",
  .details = details,
  .example = "{ \"path\": \"goods.csv\", \"columns\": { \"code\": \"utf8\" } }",
  .config_size = sizeof (CsvConfig),
  .params = params,
  .outputs = fr_ports_out,
  .configure = configure,
  .bind = bind_columns,
  .open = open_files,
  .run = run,
  .close = state_free,
};

FR_PLUGIN ("csv", "0.1.0", "delimited text files", "Apache-2.0", "flowrun", &csv)
