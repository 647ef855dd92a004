/* SPDX-License-Identifier: Apache-2.0 */
/* json.c: source.json, JSON Lines, arrays and documents as rows.
 *
 * records.h cuts the text, FrJsonReader reads each record straight into
 * columns, infer.h finds a schema from a sample where none is declared.
 */
#include "config.h"

#include "infer.h"
#include "records.h"
#include "text/input.h"

#include <flowrun/flowrun.h>
#include <string.h>

typedef struct
{
  char **path;
  char *encoding;
  int format;
  char *at;
  FrPair *columns;
  int nested;
  int mixed;
  int unknown;
  gint64 sample;
  guint64 sample_bytes;
  guint64 max_row;
} Config;

enum
{
  KEEP,
  TEXT,
  REJECT,
  IGNORE
};

static const FrEnumValue *const formats[]
    = { FR_ENUM ("auto", RECORDS_AUTO, "told by the beginning of each text"),
        FR_ENUM ("lines", RECORDS_LINES, "JSON Lines: one object a line"),
        FR_ENUM ("array", RECORDS_ARRAY, "one array of objects"),
        FR_ENUM ("values", RECORDS_VALUES,
                 "objects over any number of lines, one a file or many in a row"),
        NULL };
static const FrEnumValue *const nesteds[] = { FR_ENUM ("keep", KEEP, "structs and lists"),
                                              FR_ENUM ("text", TEXT, "utf8, as JSON text"), NULL };
static const FrEnumValue *const mixeds[]
    = { FR_ENUM ("text", TEXT, "utf8: text as it is, all else as JSON text"),
        FR_ENUM ("reject", REJECT, "the kind seen first; rows with another are rejected"), NULL };
static const FrEnumValue *const unknowns[]
    = { FR_ENUM ("reject", REJECT, "rejects the row"),
        FR_ENUM ("ignore", IGNORE, "is passed over and counted"), NULL };

static const FrParam *const params[] = {
  FR_PARAM_PATHS ("path", Config, path,
                  "files, globs, archive members (\"a.zip:*.jsonl\"), or \"-\" for standard "
                  "input",
                  .flags = FR_PARAM_REQUIRED | FR_PARAM_READS, .example = "\"reviews/*.jsonl.gz\""),
  FR_PARAM_STRING ("encoding", Config, encoding, "charset of the files; auto: look at each",
                   .def = "auto"),
  FR_PARAM_ENUM ("format", Config, format, formats, "how records lie in a text", .def = "auto"),
  FR_PARAM_STRING ("at", Config, at, "JSON Pointer to the array of records within each document",
                   .pattern = "(/([^~]|~[01])*)?", .example = "\"/data/items\""),
  FR_PARAM_MAP ("columns", Config, columns,
                "the columns with their types; without it they come from a sample",
                .example = "{\"id\": \"int64\", \"tags\": \"list<utf8>\"}"),
  FR_PARAM_ENUM ("nested", Config, nested, nesteds, "what objects and lists become", .def = "keep"),
  FR_PARAM_ENUM ("mixed", Config, mixed, mixeds,
                 "what a column becomes that holds text here and numbers there", .def = "text"),
  FR_PARAM_ENUM ("unknown", Config, unknown, unknowns,
                 "what a key does that is none of the columns", .def = "reject"),
  FR_PARAM_INT ("sample", Config, sample, 1, 10000000, "records looked at for the columns",
                .def = "10000", .unit = "rows"),
  FR_PARAM_SIZE ("sample_bytes", Config, sample_bytes, "and at most so much of the text",
                 .def = "16MiB", .unit = "bytes"),
  FR_PARAM_SIZE ("max_row", Config, max_row, "a longer record is rejected", .def = "128MiB",
                 .unit = "bytes"),
  NULL
};

static gboolean
read_block (gpointer input, const char **block, gsize *len, GError **error)
{
  return text_input_read (input, block, len, error);
}

/* ---- before the run -------------------------------------------------------- */

static gboolean
json_configure (gpointer data, FrProblems *problems)
{
  const Config *config = data;
  gboolean ok = TRUE;

  for (FrPair *p = config->columns; p && p->key; p++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (FrField) field = fr_field_parse (p->key, p->value, &error);

      if (field)
        continue;
      fr_problems_add (problems, "/columns", "column '%s': %s", p->key, error->message);
      ok = FALSE;
    }
  if (config->at && *config->at && config->format == RECORDS_LINES)
    {
      fr_problems_add (problems, "/at", "'at' needs whole documents, but 'format' says 'lines'");
      ok = FALSE;
    }
  return ok;
}

static FrSchema *
declared_schema (const Config *config, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();

  for (FrPair *p = config->columns; p->key; p++)
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

/* Feeds the sample to @infer.  A text that cannot be cut further ends the
 * sample; the run says so with all rows before it. */
static gboolean
take_sample (const Config *config, Infer *infer, guint64 *n, GError **error)
{
  g_autoptr (TextInput) input = NULL;
  g_autoptr (Records) records = NULL;
  const char *name;
  guint64 bytes = 0;
  gboolean enough = FALSE;
  g_autoptr (GError) failure = NULL;

  input = text_input_new ((const char *const *) config->path, config->encoding, NULL, error);
  if (input == NULL)
    return FALSE;
  records = records_new ((RecordsFormat) config->format, config->at,
                         MIN (config->max_row, config->sample_bytes), read_block, input);
  while (!enough && text_input_next_text (input, &name, &failure))
    {
      Record record;

      records_restart (records);
      while (!enough && records_next (records, &record, &failure))
        {
          if (!record.too_long)
            infer_record (infer, record.text);
          bytes += record.text.len;
          enough = ++*n >= (guint64) config->sample || bytes >= config->sample_bytes;
        }
      if (failure && failure->domain == FR_ERROR && failure->code == FR_ERROR_DATA && *n > 0)
        break;
      if (failure)
        {
          g_propagate_prefixed_error (error, g_steal_pointer (&failure), "%s: ", name);
          return FALSE;
        }
    }
  text_input_unread (input);
  if (failure && *n == 0)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return TRUE;
}

static gboolean
json_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;
  g_autoptr (Infer) infer = infer_new (config->nested == TEXT);
  g_autoptr (GPtrArray) fields = NULL;
  guint64 n = 0;
  FrSchema *schema;

  if (config->columns && config->columns->key)
    {
      schema = declared_schema (config, error);
      if (schema)
        fr_bind_output (bind, "out", schema);
      return schema != NULL;
    }
  if (config->mixed == REJECT)
    infer_first_only (infer);
  if (!take_sample (config, infer, &n, error))
    return FALSE;
  fields = infer_fields (infer);
  if (fields->len == 0)
    {
      fr_bind_problem (bind, "/path",
                       "the first %" G_GUINT64_FORMAT " records hold no object with a member, so "
                       "there are no columns; name them in 'columns'",
                       n);
      return FALSE;
    }
  schema = fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
  if (schema == NULL)
    return FALSE;
  fr_bind_output (bind, "out", schema);
  return TRUE;
}

/* ---- the run --------------------------------------------------------------- */

typedef struct
{
  const Config *config;
  TextInput *input;
  Records *records;
  const char *name;
  FrSchema *schema; /* of the host */
  FrBuilder *builder;
  FrJsonReader reader;
  guint64 *seen; /* per column: position of the last row that had it */
  guint64 position, unknown, n_text;
  const char *rule; /* why the current record is no row */
  char *why;
} State;

static void
json_close (gpointer data)
{
  State *s = data;

  g_clear_pointer (&s->records, records_free);
  g_clear_pointer (&s->input, text_input_free);
  g_clear_pointer (&s->builder, fr_builder_free);
  fr_json_reader_clear (&s->reader);
  g_free (s->seen);
  g_free (s->why);
  g_free (s);
}

static gboolean
json_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  const Config *config = data;
  State *s = g_new0 (State, 1);

  s->config = config;
  s->schema = fr_host_output (host, "out");
  s->builder = fr_builder_new (s->schema);
  s->seen = g_new0 (guint64, fr_schema_n_fields (s->schema));
  fr_json_reader_init (&s->reader, "", 0, FR_JSON_UTF8); /* TextInput gives nothing else */
  s->input = text_input_new ((const char *const *) config->path, config->encoding,
                             fr_host_cancellable (host), error);
  if (s->input == NULL)
    {
      json_close (s);
      return FALSE;
    }
  s->records = records_new ((RecordsFormat) config->format, config->at, config->max_row, read_block,
                            s->input);
  *state = s;
  return TRUE;
}

static gboolean
refuse (State *s, const char *rule, char *why)
{
  s->rule = rule;
  g_free (s->why);
  s->why = why;
  return FALSE;
}

/* The reader's own message without the position, which is told another way. */
static gboolean
refuse_syntax (State *s)
{
  g_autoptr (GError) error = NULL;
  const char *text;

  fr_json_reader_error (&s->reader, &error);
  text = g_str_has_prefix (error->message, "line ") ? strstr (error->message, ": ") : NULL;
  return refuse (s, "syntax", g_strdup (text ? text + 2 : error->message));
}

/* A value that is no text into a text column: as it is written. */
static gboolean
append_json_text (State *s, FrJsonToken token, FrCells *cells)
{
  const char *start = s->reader.start;

  if ((token == FR_JSON_OBJECT || token == FR_JSON_ARRAY) && !fr_json_reader_skip (&s->reader))
    return refuse_syntax (s);
  fr_cells_append_str (cells, start, (gsize) (s->reader.pos - start));
  s->n_text++;
  return TRUE;
}

static gboolean
read_member (State *s, guint column)
{
  FrField *field = fr_schema_field (s->schema, column);
  FrCells *cells = fr_builder_cells (s->builder, column);
  FrJsonToken token = fr_json_reader_next (&s->reader);
  FrType type = fr_field_type (field);
  g_autoptr (GError) error = NULL;

  if (token == FR_JSON_ERROR)
    return refuse_syntax (s);
  if ((type == FR_TYPE_UTF8 || type == FR_TYPE_LARGE_UTF8) && token != FR_JSON_STRING
      && token != FR_JSON_NULL)
    {
      gboolean nested = token == FR_JSON_OBJECT || token == FR_JSON_ARRAY;

      if (s->config->mixed == TEXT || (nested && s->config->nested == TEXT))
        return append_json_text (s, token, cells);
    }
  if (fr_json_read_cell (&s->reader, token, field, cells, &error))
    return TRUE;
  if (s->reader.fault)
    return refuse_syntax (s);
  return refuse (s, error->code == FR_ERROR_DATA ? "duplicate_key" : "type",
                 g_strdup_printf ("column '%s': %s", fr_field_name (field), error->message));
}

static gboolean
read_record (State *s)
{
  FrJsonReader *r = &s->reader;
  FrJsonToken token = fr_json_reader_next (r);
  guint hint = 0;

  if (token == FR_JSON_ERROR || token == FR_JSON_END)
    return refuse_syntax (s);
  if (token != FR_JSON_OBJECT)
    {
      if (!fr_json_reader_leave (r, 0))
        return refuse_syntax (s);
      return refuse (s, "not_object", g_strdup ("expected an object, found another value"));
    }
  while ((token = fr_json_reader_next (r)) == FR_JSON_KEY)
    {
      int at = fr_schema_find_len (s->schema, r->str.data, r->str.len, hint);

      if (at < 0 && s->config->unknown == REJECT)
        return refuse (s, "unknown_key",
                       g_strdup_printf ("the key '%.*s' is none of the columns; add it to "
                                        "'columns', raise 'sample', or set 'unknown' to 'ignore'",
                                        (int) MIN (r->str.len, 64), r->str.data));
      if (at < 0)
        {
          s->unknown++;
          if (!fr_json_reader_skip (r))
            return refuse_syntax (s);
          continue;
        }
      if (s->seen[at] == s->position)
        return refuse (s, "duplicate_key",
                       g_strdup_printf ("the key '%.*s' appears twice", (int) MIN (r->str.len, 64),
                                        r->str.data));
      s->seen[at] = s->position;
      if (!read_member (s, (guint) at))
        return FALSE;
      hint = (guint) at + 1;
    }
  if (token == FR_JSON_ERROR || fr_json_reader_next (r) != FR_JSON_END)
    return refuse_syntax (s);
  return TRUE;
}

static void
reject (State *s, FrHost *host, const Record *record, const char *at)
{
  FrRowId id = { s->position, fr_host_source (host), 0 };
  guint line = 1, column = 1;
  g_autofree char *where = NULL;

  if (at)
    fr_json_reader_where (&s->reader, at, &line, &column);
  where = g_strdup_printf ("%s:%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, s->name,
                           record->line + line - 1,
                           line == 1 ? record->column + column - 1 : (guint64) column);
  fr_host_reject_raw (host, id, where, record->text, s->rule, "%s", s->why);
}

static void
take_record (State *s, FrHost *host, const Record *record)
{
  FrRowId id = { ++s->position, fr_host_source (host), 0 };

  if (record->too_long)
    {
      refuse (s, "too_long", g_strdup ("the record is longer than 'max_row'"));
      reject (s, host, record, NULL);
      return;
    }
  fr_json_reader_reset (&s->reader, record->text.data, record->text.len);
  if (read_record (s))
    fr_builder_end_row (s->builder, id);
  else
    {
      fr_builder_cancel_row (s->builder);
      reject (s, host, record, s->reader.start);
    }
}

static FrFlow
push (State *s, FrHost *host, GError **error)
{
  FrBatch *batch;
  guint64 done, total;

  if (fr_builder_n_rows (s->builder) == 0)
    return FR_FLOW_OK;
  batch = fr_builder_finish (s->builder, error);
  if (batch == NULL)
    return FR_FLOW_ERROR;
  text_input_progress (s->input, &done, &total);
  fr_host_progress (host, done, total, "bytes");
  return fr_host_push (host, "out", batch, error);
}

static void
tell (State *s, FrHost *host)
{
  guint64 replaced = text_input_n_replaced (s->input);

  if (s->unknown)
    fr_host_count (host, "unknown_keys_ignored", (gint64) s->unknown);
  if (s->n_text)
    fr_host_count (host, "values_as_json_text", (gint64) s->n_text);
  if (replaced)
    fr_host_count (host, "characters_replaced", (gint64) replaced);
}

static FrFlow
json_run (FrHost *host, gpointer data, GError **error)
{
  State *s = data;
  FrFlow flow = FR_FLOW_OK;
  g_autoptr (GError) failure = NULL;

  while (flow == FR_FLOW_OK && text_input_next_text (s->input, &s->name, &failure))
    {
      Record record;

      records_restart (s->records);
      fr_host_origin (host, s->position + 1, s->name);
      while (flow == FR_FLOW_OK && records_next (s->records, &record, &failure))
        {
          take_record (s, host, &record);
          if (fr_builder_full (s->builder))
            flow = push (s, host, &failure);
          else if (G_UNLIKELY ((s->position & 0xfff) == 0) && fr_host_is_cancelled (host))
            flow = FR_FLOW_CANCELLED;
        }
      if (failure && flow == FR_FLOW_OK && failure->domain == FR_ERROR
          && failure->code == FR_ERROR_DATA && g_str_has_prefix (failure->message, "line "))
        g_prefix_error (&failure, "%s: ", s->name);
      if (failure)
        break;
    }
  if (failure)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FR_FLOW_ERROR;
    }
  if (flow == FR_FLOW_OK)
    flow = push (s, host, error);
  tell (s, host);
  return flow;
}

static const char details[]
    = "Reads JSON Lines, arrays of objects, and documents that hold the records somewhere inside\n"
      "(`at`, a JSON Pointer), in any charset, compressed or in archives. Memory does not grow "
      "with\n"
      "the file.\n\n"
      "## Layouts\n\n"
      "With `format: auto` each text is looked at: `[` begins an array; `{` begins JSON Lines if "
      "the\n"
      "first line is an object by itself or the second begins with `{` too, else objects over "
      "many\n"
      "lines, one after the other. The JSON is that of RFC 8259 to the letter, at most 128 levels\n"
      "deep. With `at`, what follows the records in the document is not read.\n\n"
      "## Columns\n\n"
      "`columns` declares them: `bool`, `int32`, `int64`, `float32`, `float64`, `utf8`, `binary`\n"
      "(base64), `timestamp` (RFC 3339 text, or microseconds since 1970), `list<...>`,\n"
      "`struct<name: type, ...>`. Without it the first `sample` records, at most `sample_bytes`, "
      "are\n"
      "read once before the run:\n\n"
      "| seen in the sample | column |\n| --- | --- |\n"
      "| only integers of 64 bits | int64 |\n"
      "| numbers, some with a fraction | float64 |\n"
      "| `true`, `false` | bool |\n"
      "| text, or nothing but `null` | utf8 |\n"
      "| objects | struct of their members |\n"
      "| lists | list of what fits all items |\n"
      "| scalars of several kinds, integers beyond 64 bits, objects without members, and what "
      "holds "
      "such | utf8, as JSON text (`mixed`) |\n\n"
      "A missing key is null. `nested: text` keeps objects and lists as JSON text. Values that "
      "became\n"
      "JSON text in a utf8 column are counted as `values_as_json_text`.\n\n"
      "## Bad records\n\n"
      "A bad record is rejected with file, line and column, and the rest goes on: `syntax`,\n"
      "`not_object`, `type` (does not fit its column; an integer beyond 64 bits in an int64 "
      "column\n"
      "too), `duplicate_key`, `unknown_key` (members of structs too, whatever `unknown` says),\n"
      "`too_long`. In an array or a sequence of objects this holds as long as brackets and quotes\n"
      "match; where they do not, the end of the record cannot be known, and the run fails with "
      "the\n"
      "place where the record began: rows before it were passed on, and no sink commits. JSON "
      "Lines\n"
      "never have this problem.\n\n"
      "A row's position is its number among all records, bad ones counted.";

static const FrElement element
    = { .size = sizeof (FrElement),
        .kind = FR_KIND_SOURCE,
        .name = "source.json",
        .revision = 1,
        .flags = FR_ELEMENT_UNTRUSTED,
        .summary = "JSON Lines, JSON arrays and records within JSON documents",
        .details = details,
        .example = "{ \"path\": \"reviews.jsonl\" }",
        .config_size = sizeof (Config),
        .params = params,
        .outputs = fr_ports_out,
        .configure = json_configure,
        .bind = json_bind,
        .open = json_open,
        .run = json_run,
        .close = json_close };

FR_PLUGIN ("json", PACKAGE_VERSION, "JSON Lines, arrays and documents", "Apache-2.0", "flowrun",
           &element)
