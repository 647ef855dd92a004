/* SPDX-License-Identifier: Apache-2.0 */
/* sqldump.c: source.sqldump, one table of SQL dump files as rows.
 *
 * dump.h reads the files, cell.h makes cells; here are the parameters, the
 * search for the table's columns before the run, and the loop.
 */
#include "config.h"

#include "cell.h"
#include "text/charset.h"
#include "text/input.h"

#include <flowrun/flowrun.h>
#include <string.h>

typedef struct
{
  char **path;
  char *table;
  FrPair *columns;
  char *charset;
  int dialect;
  gboolean backslash;
  int decimal;
  int zero_dates;
  guint64 max_row;
} Config;

static const FrEnumValue *const dialects[]
    = { FR_ENUM ("auto", DUMP_AUTO, "told by the first 64 KiB of each file"),
        FR_ENUM ("mysql", DUMP_MYSQL, "mysqldump, mariadb-dump, phpMyAdmin, Navicat"),
        FR_ENUM ("postgres", DUMP_POSTGRES, "pg_dump in plain format"),
        FR_ENUM ("sqlite", DUMP_SQLITE, "the .dump command of sqlite3"), NULL };
static const FrEnumValue *const decimals[]
    = { FR_ENUM ("float64", 0, "as the nearest double"),
        FR_ENUM ("text", 1, "as the digits in the file"), NULL };
static const FrEnumValue *const zeros[] = { FR_ENUM ("null", 0, "becomes null and is counted"),
                                            FR_ENUM ("reject", 1, "rejects the row"), NULL };

static const FrParam *const params[]
    = { FR_PARAM_PATHS ("path", Config, path,
                        "dump files in order; globs, archives, compressed files and '-' too",
                        .flags = FR_PARAM_REQUIRED | FR_PARAM_READS, .example = "\"shop.sql.gz\""),
        FR_PARAM_STRING ("table", Config, table, "the table to read, with its schema if need be",
                         .flags = FR_PARAM_REQUIRED, .example = "\"goods\""),
        FR_PARAM_MAP ("columns", Config, columns,
                      "types that replace those of CREATE TABLE, by column",
                      .example = "{\"is_on_sale\": \"int64\"}"),
        FR_PARAM_STRING ("encoding", Config, charset, "charset of the files", .def = "auto",
                         .details = "`auto` takes what the dump itself says (`SET NAMES`, "
                                    "`client_encoding`), else UTF-8, else a guess."),
        FR_PARAM_ENUM ("dialect", Config, dialect, dialects, "whose dump it is", .def = "auto"),
        FR_PARAM_BOOL ("backslash_escapes", Config, backslash,
                       "in MySQL strings a backslash escapes; false for NO_BACKSLASH_ESCAPES",
                       .def = "true"),
        FR_PARAM_ENUM ("decimal", Config, decimal, decimals, "what DECIMAL and NUMERIC become",
                       .def = "float64"),
        FR_PARAM_ENUM ("zero_dates", Config, zero_dates, zeros,
                       "what MySQL's date 0000-00-00 becomes", .def = "null"),
        FR_PARAM_SIZE ("max_row", Config, max_row, "longer rows are rejected", .def = "64MiB",
                       .unit = "bytes"),
        NULL };

/* ---- the files ------------------------------------------------------------- */

typedef struct
{
  TextInput *input;
  Dump *dump;
  const char *name;
} Reader;

static gboolean
read_block (gpointer data, const char **block, gsize *len, GError **error)
{
  return text_input_read (((Reader *) data)->input, block, len, error);
}

static const struct
{
  const char *sql, *label;
} charsets[]
    = { { "utf8", "bytes" },     { "utf8mb3", "bytes" },       { "utf8mb4", "bytes" },
        { "utf-8", "bytes" },    { "binary", "bytes" },        { "sql_ascii", "bytes" },
        { "default", "bytes" },  { "latin1", "windows-1252" }, { "win1252", "windows-1252" },
        { "gb2312", "gb18030" }, { "gbk", "gb18030" },         { "euc_cn", "gb18030" },
        { "sjis", "shift_jis" }, { "cp932", "shift_jis" },     { "ujis", "euc-jp" },
        { "eucjpms", "euc-jp" }, { "euc_jp", "euc-jp" },       { "euckr", "euc-kr" },
        { "euc_kr", "euc-kr" },  { "euc_tw", "euc-tw" } };

/* The charset that the head of a dump names, in the words of TextInput; NULL: none. */
static char *
stated_charset (const char *head, gsize len)
{
  static const char *const keys[] = { "SET NAMES ", "client_encoding = ", "client_encoding TO " };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      const char *at = g_strstr_len (head, (gssize) len, keys[i]);
      g_autofree char *word = NULL;
      gsize n = 0;

      if (at == NULL)
        continue;
      at += strlen (keys[i]);
      while (at < head + len && (*at == '\'' || *at == '"'))
        at++;
      while (at + n < head + len && (g_ascii_isalnum (at[n]) || at[n] == '_' || at[n] == '-'))
        n++;
      word = g_ascii_strdown (at, (gssize) n);
      for (guint k = 0; k < G_N_ELEMENTS (charsets); k++)
        if (strcmp (word, charsets[k].sql) == 0)
          return g_strdup (charsets[k].label);
      return n > 0 ? g_steal_pointer (&word) : NULL;
    }
  return NULL;
}

/* UTF-8 is read as bytes, since the blobs of a dump are no text; other charsets
 * must be decoded before a quote or a backslash can be told. */
static char *
choose_charset (const Config *config, GCancellable *cancellable, GError **error)
{
  g_autoptr (TextInput) input = NULL;
  const char *name, *block;
  g_autofree char *stated = NULL;
  gsize len;
  g_autoptr (GError) failure = NULL;

  if (g_strcmp0 (config->charset, "auto") != 0)
    return g_strdup (g_ascii_strcasecmp (config->charset, "utf-8") == 0
                             || g_ascii_strcasecmp (config->charset, "utf8") == 0
                         ? "bytes"
                         : config->charset);
  input = text_input_new ((const char *const *) config->path, "bytes", cancellable, error);
  if (input == NULL)
    return NULL;
  if (!text_input_next_text (input, &name, &failure)
      || !text_input_read (input, &block, &len, &failure))
    {
      if (failure == NULL)
        return g_strdup ("bytes");
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  if (len >= 2
      && (memcmp (block, "\xff\xfe", 2) == 0 || memcmp (block, "\xfe\xff", 2) == 0 || block[0] == 0
          || block[1] == 0))
    stated = g_strdup ("auto"); /* UTF-16, as PowerShell writes it */
  else
    stated = stated_charset (block, len);
  if (stated == NULL)
    stated = g_strdup (text_utf8_valid_len (block, len) + 4 > len
                               || g_strstr_len (block, (gssize) len, "_binary")
                           ? "bytes"
                           : "auto");
  text_input_unread (input);
  return g_steal_pointer (&stated);
}

static gboolean
reader_open (Reader *reader, const Config *config, GCancellable *cancellable, GError **error)
{
  g_autofree char *charset = choose_charset (config, cancellable, error);

  if (charset == NULL)
    return FALSE;
  reader->input = text_input_new ((const char *const *) config->path, charset, cancellable, error);
  if (reader->input == NULL)
    return FALSE;
  reader->dump = dump_new ((DumpDialect) config->dialect, !config->backslash, config->max_row,
                           read_block, reader);
  return TRUE;
}

static void
reader_close (Reader *reader)
{
  g_clear_pointer (&reader->dump, dump_free);
  g_clear_pointer (&reader->input, text_input_free);
}

static gboolean
is_wanted (const Config *config, const Dump *dump)
{
  gsize n = dump->schema ? strlen (dump->schema) : 0;

  if (strcmp (config->table, dump->table) == 0)
    return TRUE;
  return n > 0 && strncmp (config->table, dump->schema, n) == 0 && config->table[n] == '.'
         && strcmp (config->table + n + 1, dump->table) == 0;
}

/* ---- before the run -------------------------------------------------------- */

static const char *
declared (const Config *config, const char *name)
{
  for (FrPair *p = config->columns; p && p->key; p++)
    if (strcmp (p->key, name) == 0)
      return p->value;
  return NULL;
}

/* The columns of @dump's current table as a schema; NULL with a problem reported. */
static FrSchema *
table_schema (const Config *config, FrBind *bind, Dump *dump, gboolean typed, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();

  for (guint i = 0; i < dump->columns->len; i++)
    {
      const DumpColumn *c = dump->columns->pdata[i];
      const char *type = declared (config, c->name);
      FrField *field;

      if (type)
        {
          field = fr_field_parse (c->name, type, error);
          if (field && fr_field_n_children (field) > 0)
            {
              g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                           "'columns' gives '%s' the type '%s', but a dump holds only plain values",
                           c->name, type);
              g_clear_pointer (&field, fr_field_unref);
            }
        }
      else
        field = fr_field_new (c->name, typed ? cell_type (c, dump->dialect, config->decimal == 1)
                                             : FR_TYPE_UTF8);
      if (field == NULL)
        {
          g_ptr_array_foreach (fields, (GFunc) (void (*) (void)) fr_field_unref, NULL);
          return NULL;
        }
      g_ptr_array_add (fields, field);
    }
  (void) bind;
  return fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
}

static gboolean
check_declared (const Config *config, FrBind *bind, FrSchema *schema)
{
  gboolean ok = TRUE;

  for (FrPair *p = config->columns; p && p->key; p++)
    {
      g_auto (GStrv) names = fr_schema_names (schema);
      const char *near;

      if (fr_schema_find (schema, p->key) >= 0)
        continue;
      near = fr_suggest (p->key, (const char *const *) names);
      fr_bind_problem (bind, "/columns", "table '%s' has no column '%s'%s%s%s", config->table,
                       p->key, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
      ok = FALSE;
    }
  return ok;
}

static void
report_missing (const Config *config, FrBind *bind, GPtrArray *seen, gboolean inserts)
{
  g_autoptr (GString) list = g_string_new (NULL);
  const char *near;

  if (inserts)
    {
      fr_bind_problem (bind, "/table",
                       "the files hold rows of '%s' but no CREATE TABLE for it, and its INSERTs "
                       "name no columns; add the file with the CREATE TABLE to 'path'",
                       config->table);
      return;
    }
  g_ptr_array_add (seen, NULL);
  near = fr_suggest (config->table, (const char *const *) seen->pdata);
  for (guint i = 0; i + 1 < seen->len && i < 20; i++)
    g_string_append_printf (list, "%s%s", i ? ", " : "", (char *) seen->pdata[i]);
  if (seen->len > 21)
    g_string_append (list, ", ...");
  if (near)
    fr_bind_problem (bind, "/table", "the dump has no table '%s'; did you mean '%s'?",
                     config->table, near);
  else
    fr_bind_problem (bind, "/table", "the dump has no table '%s'; it has %s", config->table,
                     list->len ? list->str : "none");
}

static void
remember (GPtrArray *seen, const char *table)
{
  if (seen->len < 10000 && !g_ptr_array_find_with_equal_func (seen, table, g_str_equal, NULL))
    g_ptr_array_add (seen, g_strdup (table));
}

/* Looks through one text.  A CREATE TABLE settles it; an INSERT that names
 * columns will do if there is none. */
static gboolean
search_text (Reader *reader, const Config *config, FrBind *bind, GPtrArray *seen, FrSchema **schema,
             FrSchema **fallback, gboolean *inserts, GError **error)
{
  Dump *dump = reader->dump;
  DumpEvent event;

  while (*schema == NULL && (event = dump_next (dump, error)) != DUMP_EOF)
    {
      if (event == DUMP_FAILED)
        return FALSE;
      if (event == DUMP_INSERT)
        dump_skip (dump);
      remember (seen, dump->table);
      if (!is_wanted (config, dump))
        continue;
      if (event == DUMP_TABLE && dump->columns->len > 0)
        {
          *schema = table_schema (config, bind, dump, TRUE, error);
          return *schema != NULL;
        }
      *inserts |= event == DUMP_INSERT;
      if (event == DUMP_INSERT && *fallback == NULL && dump->columns->len > 0)
        *fallback = table_schema (config, bind, dump, FALSE, error);
      if (event == DUMP_INSERT && dump->columns->len > 0 && *fallback == NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
sqldump_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;
  Reader reader = { NULL, NULL, NULL };
  g_autoptr (GPtrArray) seen = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (FrSchema) schema = NULL, fallback = NULL;
  gboolean inserts = FALSE, ok;
  g_autoptr (GError) failure = NULL;

  ok = reader_open (&reader, config, NULL, &failure);
  while (ok && schema == NULL && text_input_next_text (reader.input, &reader.name, &failure))
    {
      dump_restart (reader.dump);
      ok = search_text (&reader, config, bind, seen, &schema, &fallback, &inserts, &failure);
      if (!ok)
        g_prefix_error (&failure, "%s: ", reader.name);
    }
  if (reader.input)
    text_input_unread (reader.input);
  reader_close (&reader);
  if (failure)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (schema == NULL && fallback)
    {
      schema = g_steal_pointer (&fallback);
      fr_bind_warn (bind, "/table",
                    "no CREATE TABLE for '%s': columns come from its first INSERT, as text where "
                    "'columns' says nothing else",
                    config->table);
    }
  if (schema == NULL)
    {
      report_missing (config, bind, seen, inserts);
      return FALSE;
    }
  if (!check_declared (config, bind, schema))
    return FALSE;
  fr_bind_output (bind, "out", g_steal_pointer (&schema));
  return TRUE;
}

/* ---- the run --------------------------------------------------------------- */

typedef struct
{
  const Config *config;
  Reader reader;
  FrSchema *schema; /* of the host */
  FrBuilder *builder;
  CellRules rules;
  guint64 position;
  GArray *map; /* value of the INSERT → column, guint */
} State;

static void
sqldump_close (gpointer data)
{
  State *state = data;

  reader_close (&state->reader);
  g_clear_pointer (&state->builder, fr_builder_free);
  g_array_unref (state->map);
  g_free (state);
}

static gboolean
sqldump_open (gconstpointer config, FrHost *host, gpointer *data, GError **error)
{
  State *state = g_new0 (State, 1);

  state->config = config;
  state->schema = fr_host_output (host, "out");
  state->builder = fr_builder_new (state->schema);
  state->map = g_array_new (FALSE, FALSE, sizeof (guint));
  state->rules.zero_dates_null = state->config->zero_dates == 0;
  if (!reader_open (&state->reader, config, fr_host_cancellable (host), error))
    {
      sqldump_close (state);
      return FALSE;
    }
  *data = state;
  return TRUE;
}

static void
reject (State *state, FrHost *host, const char *rule, const char *reason)
{
  Dump *dump = state->reader.dump;
  FrRowId id = { state->position, fr_host_source (host), 0 };
  g_autofree char *where
      = g_strdup_printf ("%s:%" G_GUINT64_FORMAT, state->reader.name, dump->line);

  fr_host_reject_raw (host, id, where, dump->raw, rule, "%s", reason);
}

/* Which column each value of the INSERT goes to. */
static gboolean
map_columns (State *state, GError **error)
{
  Dump *dump = state->reader.dump;
  guint n = dump->columns->len ? dump->columns->len : fr_schema_n_fields (state->schema);

  g_array_set_size (state->map, 0);
  for (guint i = 0; i < n; i++)
    {
      int at = (int) i;

      if (dump->columns->len)
        {
          const DumpColumn *column = dump->columns->pdata[i];

          at = fr_schema_find (state->schema, column->name);
          if (at < 0)
            {
              g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                           "line %" G_GUINT64_FORMAT ": rows of '%s' name the column '%s', which "
                           "the table does not have",
                           dump->line, dump->table, column->name);
              return FALSE;
            }
        }
      for (guint k = 0; k < i; k++)
        if (g_array_index (state->map, guint, k) == (guint) at)
          {
            g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                         "line %" G_GUINT64_FORMAT ": rows of '%s' name a column twice", dump->line,
                         dump->table);
            return FALSE;
          }
      g_array_append_val (state->map, at);
    }
  return TRUE;
}

static void
take_row (State *state, FrHost *host)
{
  Dump *dump = state->reader.dump;
  FrRowId id = { ++state->position, fr_host_source (host), 0 };

  if (dump->too_long)
    {
      reject (state, host, "too_long", "the row is longer than 'max_row'");
      return;
    }
  if (dump->values->len != state->map->len)
    {
      g_autofree char *reason = g_strdup_printf ("the row has %u values for %u columns",
                                                 dump->values->len, state->map->len);

      reject (state, host, "value_count", reason);
      return;
    }
  for (guint i = 0; i < dump->values->len; i++)
    {
      const DumpValue *v = &g_array_index (dump->values, DumpValue, i);
      guint column = g_array_index (state->map, guint, i);
      FrField *field = fr_schema_field (state->schema, column);
      const char *fault
          = cell_append (fr_builder_cells (state->builder, column), fr_field_type (field), v->kind,
                         dump_value (dump, i), &state->rules);

      if (fault)
        {
          g_autofree char *reason
              = g_strdup_printf ("the value of '%s' %s (the column is %s)", fr_field_name (field),
                                 fault, fr_type_name (fr_field_type (field)));

          fr_builder_cancel_row (state->builder);
          reject (state, host, v->kind == DUMP_EXPRESSION ? "expression" : "type", reason);
          return;
        }
    }
  fr_builder_end_row (state->builder, id);
}

static FrFlow
push (State *state, FrHost *host, GError **error)
{
  FrBatch *batch;
  guint64 done, total;

  if (fr_builder_n_rows (state->builder) == 0)
    return FR_FLOW_OK;
  batch = fr_builder_finish (state->builder, error);
  if (batch == NULL)
    return FR_FLOW_ERROR;
  text_input_progress (state->reader.input, &done, &total);
  fr_host_progress (host, done, total, "bytes");
  return fr_host_push (host, "out", batch, error);
}

static FrFlow
read_text (State *state, FrHost *host, GError **error)
{
  Dump *dump = state->reader.dump;
  FrFlow flow = FR_FLOW_OK;
  DumpEvent event;

  while (flow == FR_FLOW_OK && (event = dump_next (dump, error)) != DUMP_EOF)
    {
      if (event == DUMP_FAILED)
        return FR_FLOW_ERROR;
      if (event == DUMP_ROW)
        {
          take_row (state, host);
          if (fr_builder_full (state->builder))
            flow = push (state, host, error);
        }
      else if (event == DUMP_INSERT && !is_wanted (state->config, dump))
        dump_skip (dump);
      else if (event == DUMP_INSERT && dump->unreadable)
        {
          fr_host_count (host, "statements_not_read", 1);
          fr_host_warn (host,
                        "%s:%" G_GUINT64_FORMAT ": rows of '%s' are given in a form that needs a "
                        "server (INSERT ... SELECT, SET, or COPY with options) and are left out",
                        state->reader.name, dump->line, dump->table);
          dump_skip (dump);
        }
      else if (event == DUMP_INSERT && !map_columns (state, error))
        return FR_FLOW_ERROR;
    }
  if (flow == FR_FLOW_OK && dump->headed && !dump->completed)
    fr_host_warn (host, "%s has no closing 'Dump completed' line: it may be cut off",
                  state->reader.name);
  return flow;
}

static FrFlow
sqldump_run (FrHost *host, gpointer data, GError **error)
{
  State *state = data;
  Reader *reader = &state->reader;
  FrFlow flow = FR_FLOW_OK;
  g_autoptr (GError) failure = NULL;

  while (flow == FR_FLOW_OK && text_input_next_text (reader->input, &reader->name, &failure))
    {
      dump_restart (reader->dump);
      fr_host_origin (host, state->position + 1, reader->name);
      flow = read_text (state, host, &failure);
      if (flow == FR_FLOW_ERROR && failure && failure->code == FR_ERROR_DATA
          && strstr (failure->message, reader->name) == NULL)
        g_prefix_error (&failure, "%s: ", reader->name);
    }
  if (failure)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FR_FLOW_ERROR;
    }
  if (flow == FR_FLOW_OK)
    flow = push (state, host, error);
  if (state->rules.n_zero_dates)
    fr_host_count (host, "zero_dates_null", (gint64) state->rules.n_zero_dates);
  if (state->rules.n_replaced)
    fr_host_count (host, "cells_with_bad_bytes", (gint64) state->rules.n_replaced);
  if (text_input_n_replaced (reader->input))
    fr_host_count (host, "characters_replaced", (gint64) text_input_n_replaced (reader->input));
  return flow;
}

static const char details[]
    = "Reads one table out of dump files without a server: mysqldump and mariadb-dump, pg_dump in\n"
      "plain format (COPY blocks and INSERTs), and sqlite3's `.dump`. The files are read as they\n"
      "stream by; memory does not grow with the file, nor with an INSERT of many megabytes.\n\n"
      "Columns and their types come from the table's CREATE TABLE, which may stand in any of the\n"
      "files:\n\n"
      "| in the dump | column |\n| --- | --- |\n"
      "| `tinyint(1)`, `bit(1)`, `bool` | bool |\n"
      "| every other integer, `serial`, `year`, MySQL `bit(n)` | int64 |\n"
      "| `float`, `double`, `real` | float64 |\n"
      "| `decimal`, `numeric` | float64, or utf8 with `\"decimal\": \"text\"` |\n"
      "| `date`, `datetime`, `timestamp` | timestamp; without a zone it is UTC |\n"
      "| `blob`, `binary`, `varbinary`, `bytea` | binary |\n"
      "| all others: `char`, `text`, `enum`, `set`, `json`, `uuid`, `time`, arrays | utf8 |\n\n"
      "`columns` replaces the type of single columns, for instance where a `tinyint(1)` holds "
      "more\n"
      "than 0 and 1. Without a CREATE TABLE the column list of the first INSERT serves, as "
      "text.\n\n"
      "A row is rejected, with file and line, when its number of values differs from the columns\n"
      "(`value_count`), a value does not fit its column (`type`), a value would have to be "
      "computed\n"
      "(`expression`), or it is longer than `max_row` (`too_long`). A file that ends inside a\n"
      "statement is an error: the dump was cut off. A row's position is its number among the rows "
      "of\n"
      "that table.\n\n"
      "Before a run, and under `flowrun check`, the files are walked over up to the CREATE TABLE; "
      "put\n"
      "the file that has it first if the dump is large.\n\n"
      "Blobs need no `--hex-blob` in a UTF-8 dump. A dump in another charset must be decoded as a\n"
      "whole, so there blobs are only safe in hexadecimal form. MySQL strings are read with the\n"
      "backslash as escape unless the dump sets `NO_BACKSLASH_ESCAPES` or `backslash_escapes` is\n"
      "false; two strings side by side, and functions but sqlite3's own, are expressions.";

static const FrElement element
    = { .size = sizeof (FrElement),
        .kind = FR_KIND_SOURCE,
        .name = "source.sqldump",
        .revision = 1,
        .flags = FR_ELEMENT_UNTRUSTED,
        .summary = "one table of a mysqldump, pg_dump or sqlite3 dump, read without a server",
        .details = details,
        .example = "{ \"path\": \"shop.sql\", \"table\": \"goods\" }",
        .config_size = sizeof (Config),
        .params = params,
        .outputs = fr_ports_out,
        .bind = sqldump_bind,
        .open = sqldump_open,
        .run = sqldump_run,
        .close = sqldump_close };

FR_PLUGIN ("sqldump", PACKAGE_VERSION, "SQL dump files without a server", "Apache-2.0", "flowrun",
           &element)
