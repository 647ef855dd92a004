/* SPDX-License-Identifier: Apache-2.0 */
/* csv-plan.c: delimiter, header and types, from the first mebibyte of the first
 * text.  The same plan comes out at bind and at open, as long as the file does
 * not change in between.
 */
#include "sources/csv/csv-plan.h"

#include "sources/csv/csv-types.h"
#include "text/input.h"

#include <string.h>

#define SAMPLE_BYTES (1024 * 1024)
#define DELIMITER_BYTES (128 * 1024)
#define DELIMITER_RECORDS 200

typedef struct
{
  const CsvConfig *config;
  CsvTell tell;
  gpointer data;
  GString *sample;
  gboolean whole; /* the sample is all of the text */
} Planner;

static void tell (Planner *planner, gboolean problem, const char *pointer, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static void
tell (Planner *planner, gboolean problem, const char *pointer, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  if (planner->tell == NULL)
    return;
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  planner->tell (planner->data, problem, pointer, text);
}

gboolean
csv_is_null (const CsvConfig *config, FrStr text, gboolean quoted, FrType type)
{
  if (type != FR_TYPE_UTF8 && text.len == 0)
    return TRUE;
  /* Somebody who quotes a text says that it is one; numbers have no such say. */
  if ((quoted && type == FR_TYPE_UTF8) || config->null == NULL)
    return FALSE;
  for (char **p = config->null; *p != NULL; p++)
    if (strlen (*p) == text.len && memcmp (*p, text.data, text.len) == 0)
      return TRUE;
  return FALSE;
}

FrStr
csv_cell_text (const CsvDialect *dialect, const CsvRecord *record, const CsvCell *cell,
               GString *scratch)
{
  FrStr text = { record->text.data + cell->start, cell->len };

  if (!(cell->flags & CSV_ESCAPED))
    return text;
  g_string_set_size (scratch, text.len);
  g_string_truncate (scratch, csv_cell_unescape (dialect, text.data, text.len, scratch->str));
  return (FrStr){ scratch->str, scratch->len };
}

/* ---- the sample ----------------------------------------------------------- */

static gboolean
read_sample (Planner *planner, GCancellable *cancellable, GError **error)
{
  g_autoptr (TextInput) input = text_input_new ((const char *const *) planner->config->path,
                                                planner->config->encoding, cancellable, error);
  g_autoptr (GError) local = NULL;
  const char *name, *block;
  gsize len;

  if (input == NULL)
    return FALSE;
  /* A text of nothing says nothing: look at the next. */
  while (planner->sample->len == 0 && local == NULL && text_input_next_text (input, &name, &local))
    {
      planner->whole = FALSE;
      while (planner->sample->len < SAMPLE_BYTES)
        {
          if (!text_input_read (input, &block, &len, &local))
            {
              planner->whole = local == NULL;
              break;
            }
          g_string_append_len (planner->sample, block, (gssize) len);
        }
    }
  text_input_unread (input);
  if (local != NULL && planner->sample->len == 0)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  return TRUE;
}

/* ---- the delimiter -------------------------------------------------------- */

/* How well a delimiter cuts the sample: the share of records with as many cells
 * as the first, 0 when the first has only one. */
static double
delimiter_score (Planner *planner, const CsvDialect *dialect)
{
  g_autoptr (CsvParser) parser = csv_parser_new (dialect);
  gsize len = MIN (planner->sample->len, DELIMITER_BYTES);
  CsvRecord record;
  guint first = 0, n = 0, same = 0;

  csv_parser_feed (parser, planner->sample->str, len,
                   planner->whole && len == planner->sample->len);
  while (n < DELIMITER_RECORDS && csv_parser_next (parser, &record) == CSV_RECORD)
    {
      if (n++ == 0)
        first = record.n_cells;
      same += record.n_cells == first && record.fault == CSV_FAULT_NONE;
    }
  return first < 2 ? 0 : (double) same / (double) n;
}

static void
find_delimiter (Planner *planner, CsvPlan *plan)
{
  static const char *const candidates[] = { ",", "\t", ";", "|", "，", "；" };
  const char *given = planner->config->delimiter, *best = ",";
  double best_score = 0;

  plan->delimiter_how = "given";
  if (!g_str_equal (given, "auto"))
    {
      g_strlcpy (plan->dialect.delimiter,
                 g_str_equal (given, "tab") || g_str_equal (given, "\\t") ? "\t" : given,
                 sizeof plan->dialect.delimiter);
      return;
    }
  plan->delimiter_how = "assumed";
  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++)
    {
      double score;

      g_strlcpy (plan->dialect.delimiter, candidates[i], sizeof plan->dialect.delimiter);
      score = delimiter_score (planner, &plan->dialect);
      if (score > best_score)
        {
          best = candidates[i];
          best_score = score;
          plan->delimiter_how = "found";
        }
    }
  g_strlcpy (plan->dialect.delimiter, best, sizeof plan->dialect.delimiter);
}

/* ---- names ---------------------------------------------------------------- */

static char *
strip (FrStr text)
{
  char *s = g_strndup (text.data, text.len);

  for (;;)
    {
      gsize n = strlen (g_strstrip (s));

      /* U+3000 is a blank too. */
      if (g_str_has_prefix (s, "\xE3\x80\x80"))
        memmove (s, s + 3, n - 2);
      else if (g_str_has_suffix (s, "\xE3\x80\x80"))
        s[n - 3] = '\0';
      else
        return s;
    }
}

char **
csv_plan_names (const CsvDialect *dialect, const CsvRecord *header, CsvTell teller, gpointer data)
{
  g_autoptr (GString) scratch = g_string_new (NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  Planner planner = { .tell = teller, .data = data };

  for (guint i = 0; i < header->n_cells; i++)
    {
      char *name = strip (csv_cell_text (dialect, header, &header->cells[i], scratch));

      if (*name == '\0')
        {
          g_free (name);
          name = g_strdup_printf ("column_%u", i + 1);
          tell (&planner, FALSE, "/path",
                "column %u has no name in the header; it is called '%s' (say \"names\" to choose)",
                i + 1, name);
        }
      for (guint k = 2; g_hash_table_contains (seen, name); k++)
        {
          g_autofree char *old = name;
          g_autofree char *base
              = strip (csv_cell_text (dialect, header, &header->cells[i], scratch));

          name = g_strdup_printf ("%s_%u", *base ? base : old, k);
          if (!g_hash_table_contains (seen, name))
            tell (&planner, FALSE, "/path",
                  "the header names '%s' twice; column %u is called '%s' (say \"names\" to choose)",
                  base, i + 1, name);
        }
      g_hash_table_add (seen, name);
      g_ptr_array_add (names, name);
    }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

static gboolean
name_columns (Planner *planner, CsvPlan *plan, const CsvRecord *first)
{
  char **given = planner->config->names;
  guint n_given = given ? g_strv_length (given) : 0;

  if (n_given > 0 && first != NULL && n_given != first->n_cells)
    {
      tell (planner, TRUE, "/names",
            "%u names are given, but the first record has %u cells (delimiter '%s', %s)", n_given,
            first->n_cells, plan->dialect.delimiter, plan->delimiter_how);
      return FALSE;
    }
  if (n_given > 0)
    plan->names = g_strdupv (given);
  else if (planner->config->header)
    plan->names = csv_plan_names (&plan->dialect, first, planner->tell, planner->data);
  else
    {
      plan->names = g_new0 (char *, first->n_cells + 1);
      for (guint i = 0; i < first->n_cells; i++)
        plan->names[i] = g_strdup_printf ("column_%u", i + 1);
    }
  plan->n = g_strv_length (plan->names);
  return TRUE;
}

/* ---- types ---------------------------------------------------------------- */

static gboolean
declare_types (Planner *planner, CsvPlan *plan)
{
  gboolean ok = TRUE;

  plan->types = g_new0 (FrType, plan->n);
  plan->reasons = g_new0 (CsvReason, plan->n);
  for (const FrPair *p = planner->config->columns; p != NULL && p->key != NULL; p++)
    {
      g_autofree char *pointer = g_strconcat ("/columns/", p->key, NULL);
      guint i = 0;

      while (i < plan->n && !g_str_equal (plan->names[i], p->key))
        i++;
      if (i == plan->n)
        {
          const char *near = fr_suggest (p->key, (const char *const *) plan->names);

          tell (planner, TRUE, pointer, "there is no column '%s' in the file%s%s%s", p->key,
                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
          ok = FALSE;
          continue;
        }
      plan->types[i] = fr_type_from_name (p->value);
      plan->reasons[i] = CSV_BY_DECLARATION;
    }
  return ok;
}

static void
infer_types (Planner *planner, CsvPlan *plan, CsvParser *parser, CsvRecord *record, gboolean have)
{
  static const FrType order[] = { FR_TYPE_BOOL, FR_TYPE_INT64, FR_TYPE_FLOAT64 };
  g_autofree guint *fits = g_new (guint, plan->n + 1);
  g_autofree guint *values = g_new0 (guint, plan->n + 1);
  g_autoptr (GString) scratch = g_string_new (NULL);

  for (guint i = 0; i < plan->n; i++)
    fits[i] = CSV_FITS;
  for (; planner->config->types == CSV_TYPES_INFER && plan->sampled < planner->config->sample;
       have = FALSE)
    {
      if (!have && csv_parser_next (parser, record) != CSV_RECORD)
        break;
      plan->sampled++;
      if (record->fault != CSV_FAULT_NONE || record->n_cells > plan->n)
        continue;
      for (guint i = 0; i < record->n_cells; i++)
        {
          FrStr text = csv_cell_text (&plan->dialect, record, &record->cells[i], scratch);

          if (fits[i] == 0 || csv_is_null (planner->config, text, FALSE, FR_TYPE_INT64))
            continue;
          values[i]++;
          fits[i] = csv_fits (text, fits[i]);
        }
    }
  for (guint i = 0; i < plan->n; i++)
    {
      if (plan->types[i] != 0)
        continue;
      plan->types[i] = FR_TYPE_UTF8;
      plan->reasons[i] = planner->config->types == CSV_TYPES_INFER ? CSV_BY_INFERENCE : CSV_BY_RULE;
      for (gsize k = G_N_ELEMENTS (order); values[i] > 0 && k-- > 0;)
        if (fits[i] & FR_TYPES (order[k]))
          plan->types[i] = order[k];
    }
}

static gboolean
make_schema (Planner *planner, CsvPlan *plan, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();
  const char *file_column = planner->config->file_column;

  for (guint i = 0; i < plan->n; i++)
    {
      if (file_column != NULL && g_str_equal (plan->names[i], file_column))
        {
          tell (planner, TRUE, "/file_column",
                "the file itself has a column '%s'; choose another name", file_column);
          for (guint k = 0; k < fields->len; k++)
            fr_field_unref (g_ptr_array_index (fields, k));
          return FALSE;
        }
      g_ptr_array_add (fields, fr_field_new (plan->names[i], plan->types[i]));
    }
  if (file_column != NULL)
    g_ptr_array_add (fields, fr_field_new (file_column, FR_TYPE_UTF8));
  plan->schema = fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
  return plan->schema != NULL;
}

/* ---- the plan ------------------------------------------------------------- */

static gboolean
plan_columns (Planner *planner, CsvPlan *plan, GError **error)
{
  g_autoptr (CsvParser) parser = csv_parser_new (&plan->dialect);
  const CsvConfig *config = planner->config;
  CsvRecord record;
  CsvEvent event;
  gboolean have, named = config->names != NULL && config->names[0] != NULL;

  csv_parser_feed (parser, planner->sample->str, planner->sample->len, planner->whole);
  event = csv_parser_next (parser, &record);
  have = event == CSV_RECORD && record.fault == CSV_FAULT_NONE;
  if (have && record.n_cells > CSV_MAX_CELLS)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "the first record of '%s' has %u cells; at most %d are read", config->path[0],
                   record.n_cells, CSV_MAX_CELLS);
      return FALSE;
    }
  if (!have && (event != CSV_END || !named))
    {
      if (event == CSV_RECORD)
        g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                     "the first record of '%s' is faulty (%s in line %" G_GUINT64_FORMAT
                     "), so its columns cannot be known; repair it, or say \"quote\"",
                     config->path[0],
                     record.fault == CSV_FAULT_TOO_LONG     ? "longer than max_row"
                     : record.fault == CSV_FAULT_OPEN_QUOTE ? "a quote that is never closed"
                                                            : "text behind a closing quote",
                     record.fault_line);
      else if (event == CSV_END)
        g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                     "'%s' holds no record, so its columns cannot be known; say \"names\" if it "
                     "may be empty",
                     config->path[0]);
      else
        g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                     "the first record of '%s' is longer than 1 MiB, so it can hardly be a header; "
                     "check the encoding, \"quote\" and \"skip_lines\"",
                     config->path[0]);
      return FALSE;
    }
  if (!name_columns (planner, plan, have ? &record : NULL) || !declare_types (planner, plan))
    return FALSE;
  infer_types (planner, plan, parser, &record, have && !config->header);
  return make_schema (planner, plan, error);
}

CsvPlan *
csv_plan_new (const CsvConfig *config, GCancellable *cancellable, CsvTell teller, gpointer data,
              GError **error)
{
  g_autoptr (CsvPlan) plan = g_new0 (CsvPlan, 1);
  g_autoptr (GString) sample = g_string_new (NULL);
  Planner planner = { config, teller, data, sample, FALSE };

  plan->dialect.quote = config->quote ? config->quote[0] : '\0';
  plan->dialect.escape = config->escape ? config->escape[0] : '\0';
  plan->dialect.comment = config->comment ? config->comment[0] : '\0';
  plan->dialect.trim = config->trim;
  plan->dialect.skip_lines = (guint64) config->skip_lines;
  plan->dialect.max_row = config->max_row;
  if (!read_sample (&planner, cancellable, error))
    return NULL;
  find_delimiter (&planner, plan);
  return plan_columns (&planner, plan, error) ? g_steal_pointer (&plan) : NULL;
}

void
csv_plan_free (CsvPlan *plan)
{
  if (plan == NULL)
    return;
  g_strfreev (plan->names);
  g_free (plan->types);
  g_free (plan->reasons);
  g_clear_pointer (&plan->schema, fr_schema_unref);
  g_free (plan);
}
