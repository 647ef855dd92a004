/* SPDX-License-Identifier: Apache-2.0 */
/* tally.c: see tally.h. */
#include "config.h"

#include "tally.h"

#include <math.h>
#include <string.h>

/* Values of a column beyond so many are one: "(others)"; so many are in the report. */
#define MOST_VALUES 1000
#define SHOWN_VALUES 50
#define OTHERS "(others)"
/* Scores of a slice that the page shows; all of them are in the report. */
#define SHOWN_FIGURES 5

/* A figure over some rows. */
typedef struct
{
  StatsInterval score[TALLY_N_SYSTEMS], gain;
  double p;
} Result;

typedef struct
{
  char *value;
  guint64 n;
  Result *results; /* [n_figures]; NULL: not worked out */
} Slice;

typedef struct
{
  char *name;
  GHashTable *index; /* value to number + 1 */
  GArray *slices;    /* Slice */
  GArray *of_row;    /* guint32 */
  GArray *order;     /* guint32: the largest first */
} Column;

struct _Tally
{
  TallyFigure *figures;
  gsize n_figures, width;
  guint n_systems;
  char *names[TALLY_N_SYSTEMS];
  StatsOptions options;
  GArray *rows[TALLY_N_SYSTEMS]; /* double */
  gsize n_rows;
  GPtrArray *columns; /* Column */
  Result *results;    /* [n_figures], of all rows */
};

/* ---- life ---------------------------------------------------------------------------------- */

static void
clear_slice (gpointer data)
{
  Slice *slice = data;

  g_free (slice->value);
  g_free (slice->results);
}

static void
free_column (gpointer data)
{
  Column *column = data;

  g_free (column->name);
  g_hash_table_unref (column->index);
  g_array_unref (column->slices);
  g_array_unref (column->of_row);
  g_array_unref (column->order);
  g_free (column);
}

Tally *
tally_new (const TallyFigure *figures, gsize n, gsize width, const char *candidate,
           const char *baseline, const StatsOptions *options)
{
  Tally *tally = g_new0 (Tally, 1);

  tally->figures = g_memdup2 (figures, n * sizeof *figures);
  tally->n_figures = n;
  tally->width = width;
  tally->n_systems = baseline != NULL ? 2 : 1;
  tally->names[TALLY_CANDIDATE] = g_strdup (candidate);
  tally->names[TALLY_BASELINE] = g_strdup (baseline);
  tally->options = *options;
  for (guint s = 0; s < TALLY_N_SYSTEMS; s++)
    tally->rows[s] = g_array_new (FALSE, FALSE, sizeof (double));
  tally->columns = g_ptr_array_new_with_free_func (free_column);
  return tally;
}

void
tally_free (Tally *tally)
{
  if (tally == NULL)
    return;
  for (guint s = 0; s < TALLY_N_SYSTEMS; s++)
    {
      g_free (tally->names[s]);
      g_array_unref (tally->rows[s]);
    }
  g_ptr_array_unref (tally->columns);
  g_free (tally->figures);
  g_free (tally->results);
  g_free (tally);
}

/* ---- rows ---------------------------------------------------------------------------------- */

guint
tally_slice_by (Tally *tally, const char *name)
{
  Column *column = g_new0 (Column, 1);

  column->name = g_strdup (name);
  column->index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  column->slices = g_array_new (FALSE, TRUE, sizeof (Slice));
  g_array_set_clear_func (column->slices, clear_slice);
  column->of_row = g_array_new (FALSE, FALSE, sizeof (guint32));
  column->order = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_ptr_array_add (tally->columns, column);
  return tally->columns->len - 1;
}

static void
note_label (Column *column, const char *label)
{
  gpointer known;
  guint32 at;

  if (column->slices->len >= MOST_VALUES && !g_hash_table_contains (column->index, label))
    label = OTHERS;
  known = g_hash_table_lookup (column->index, label);
  if (known == NULL)
    {
      Slice slice = { .value = g_strdup (label) };

      g_array_append_val (column->slices, slice);
      known = GUINT_TO_POINTER (column->slices->len);
      g_hash_table_insert (column->index, g_strdup (label), known);
    }
  at = GPOINTER_TO_UINT (known) - 1;
  g_array_index (column->slices, Slice, at).n++;
  g_array_append_val (column->of_row, at);
}

void
tally_append_label (const FrField *field, const FrView *view, gsize row, GString *out)
{
  FrType type = fr_field_type (field);
  FrStr text;

  if (fr_view_is_null (view, row))
    g_string_append (out, "(none)");
  else if (type == FR_TYPE_UTF8 || type == FR_TYPE_LARGE_UTF8)
    {
      text = fr_view_str (view, row);
      g_string_append_len (out, text.data, (gssize) text.len);
    }
  else
    fr_view_append_json (view, field, row, out);
}

void
tally_add (Tally *tally, const double *candidate, const double *baseline, const char *const *labels)
{
  g_array_append_vals (tally->rows[TALLY_CANDIDATE], candidate, (guint) tally->width);
  if (tally->n_systems > 1)
    g_array_append_vals (tally->rows[TALLY_BASELINE], baseline, (guint) tally->width);
  for (guint c = 0; c < tally->columns->len; c++)
    note_label (tally->columns->pdata[c], labels[c]);
  tally->n_rows++;
}

gsize
tally_n_rows (const Tally *tally)
{
  return tally->n_rows;
}

gboolean
tally_has_baseline (const Tally *tally)
{
  return tally->n_systems > 1;
}

/* ---- working out --------------------------------------------------------------------------- */

/* A figure's statistics by themselves, and the whole row that its function wants. */
typedef struct
{
  const TallyFigure *figure;
  double *whole; /* zeros but for the figure's own */
} Scorer;

static double
score_part (const double *sum, gpointer data)
{
  Scorer *scorer = data;
  const TallyFigure *f = scorer->figure;

  memcpy (scorer->whole + f->first, sum, f->n * sizeof *sum);
  return f->score (scorer->whole, f->data);
}

/* The figure's statistics of the rows of a slice (@column NULL: all), packed. */
static double *
pack_rows (const Tally *tally, const TallyFigure *f, guint system, const Column *column,
           guint32 slice, gsize n)
{
  double *packed = g_new (double, n * f->n + 1), *to = packed;
  const double *from = (const double *) (gpointer) tally->rows[system]->data + f->first;

  for (gsize i = 0; i < tally->n_rows; i++, from += tally->width)
    if (column == NULL || g_array_index (column->of_row, guint32, i) == slice)
      {
        memcpy (to, from, f->n * sizeof *to);
        to += f->n;
      }
  return packed;
}

/* @deep: intervals of both systems too, not only of the gain. */
static void
work_figure (Tally *tally, gsize figure, const Column *column, guint32 slice, gsize n,
             gboolean deep, Result *result)
{
  const TallyFigure *f = &tally->figures[figure];
  g_autofree double *whole = g_new0 (double, tally->width);
  Scorer scorer = { f, whole };
  StatsRows rows[TALLY_N_SYSTEMS];

  *result = (Result){ .gain = { NAN, NAN, NAN, NAN, 0 }, .p = NAN };
  for (guint s = 0; s < tally->n_systems; s++)
    {
      rows[s]
          = (StatsRows){ pack_rows (tally, f, s, column, slice, n), n, f->n, score_part, &scorer };
      result->score[s] = (StatsInterval){ stats_score (&rows[s]), NAN, NAN, NAN, 0 };
      if (f->main && deep)
        stats_bootstrap (&rows[s], &tally->options, &result->score[s]);
    }
  if (tally->n_systems > 1)
    {
      result->gain.value
          = result->score[TALLY_CANDIDATE].value - result->score[TALLY_BASELINE].value;
      if (f->main)
        {
          stats_paired_bootstrap (&rows[TALLY_CANDIDATE], &rows[TALLY_BASELINE], &tally->options,
                                  &result->gain);
          result->p = stats_randomisation (&rows[TALLY_CANDIDATE], &rows[TALLY_BASELINE],
                                           &tally->options);
        }
    }
  for (guint s = 0; s < tally->n_systems; s++)
    g_free ((gpointer) rows[s].rows);
}

double
tally_value (const Tally *tally, gsize figure, TallySystem system)
{
  const TallyFigure *f = &tally->figures[figure];
  g_autofree double *whole = g_new0 (double, tally->width), *packed = NULL;
  Scorer scorer = { f, whole };
  StatsRows rows = { NULL, tally->n_rows, f->n, score_part, &scorer };

  rows.rows = packed = pack_rows (tally, f, system, NULL, 0, tally->n_rows);
  return stats_score (&rows);
}

static gint
compare_slices (gconstpointer a, gconstpointer b, gpointer data)
{
  const Column *column = data;
  const Slice *x = &g_array_index (column->slices, Slice, *(const guint32 *) a);
  const Slice *y = &g_array_index (column->slices, Slice, *(const guint32 *) b);

  if (x->n != y->n)
    return x->n > y->n ? -1 : 1;
  return strcmp (x->value, y->value);
}

static void
order_slices (Column *column)
{
  g_array_set_size (column->order, column->slices->len);
  for (guint32 i = 0; i < column->slices->len; i++)
    g_array_index (column->order, guint32, i) = i;
  g_array_sort_with_data (column->order, compare_slices, column);
}

static Slice *
nth_slice (const Column *column, guint i)
{
  return &g_array_index (column->slices, Slice, g_array_index (column->order, guint32, i));
}

static gboolean
go_on (FrHost *host, const char *what, GError **error)
{
  if (host == NULL)
    return TRUE;
  fr_host_status (host, "resampling: %s", what);
  if (!fr_host_is_cancelled (host))
    return TRUE;
  g_set_error_literal (error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

static gboolean
work_column (Tally *tally, Column *column, FrHost *host, GError **error)
{
  order_slices (column);
  for (guint i = 0; i < MIN (column->order->len, SHOWN_VALUES); i++)
    {
      Slice *slice = nth_slice (column, i);

      if (!go_on (host, slice->value, error))
        return FALSE;
      slice->results = g_new0 (Result, tally->n_figures);
      for (gsize f = 0; f < tally->n_figures; f++)
        if (tally->figures[f].main)
          work_figure (tally, f, column, g_array_index (column->order, guint32, i), slice->n, FALSE,
                       &slice->results[f]);
    }
  return TRUE;
}

gboolean
tally_work (Tally *tally, FrHost *host, GError **error)
{
  tally->results = g_new0 (Result, tally->n_figures);
  for (gsize f = 0; f < tally->n_figures; f++)
    {
      if (!go_on (host, tally->figures[f].title, error))
        return FALSE;
      work_figure (tally, f, NULL, 0, tally->n_rows, TRUE, &tally->results[f]);
    }
  for (guint c = 0; c < tally->columns->len; c++)
    if (!work_column (tally, tally->columns->pdata[c], host, error))
      return FALSE;
  return TRUE;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void
set_number (JsonObject *object, const char *name, double value)
{
  if (isfinite (value))
    json_object_set_double_member (object, name, value);
  else
    json_object_set_null_member (object, name);
}

static void
set_interval (JsonObject *object, const StatsInterval *i)
{
  set_number (object, "value", i->value);
  if (i->resamples == 0)
    return;
  set_number (object, "low", i->low);
  set_number (object, "high", i->high);
  set_number (object, "sd", i->sd);
}

static JsonObject *
result_json (const Tally *tally, const Result *r)
{
  JsonObject *object = json_object_new (), *other;

  set_interval (object, &r->score[TALLY_CANDIDATE]);
  if (tally->n_systems < 2)
    return object;
  other = json_object_new ();
  set_interval (other, &r->score[TALLY_BASELINE]);
  json_object_set_object_member (object, "baseline", other);
  other = json_object_new ();
  set_interval (other, &r->gain);
  if (!isnan (r->p))
    json_object_set_double_member (other, "p", r->p);
  json_object_set_object_member (object, "gain", other);
  return object;
}

static JsonNode *
take_object (JsonObject *object)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  return node;
}

JsonNode *
tally_scores_json (Tally *tally)
{
  JsonObject *all = json_object_new ();

  for (gsize f = 0; f < tally->n_figures; f++)
    {
      const TallyFigure *figure = &tally->figures[f];
      JsonObject *one = result_json (tally, &tally->results[f]);

      if (figure->better != 0)
        json_object_set_string_member (one, "better", figure->better > 0 ? "higher" : "lower");
      if (figure->unit != NULL && *figure->unit != '\0')
        json_object_set_string_member (one, "unit", figure->unit);
      json_object_set_object_member (all, figure->name, one);
    }
  return take_object (all);
}

static JsonArray *
column_json (const Tally *tally, const Column *column)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < MIN (column->order->len, SHOWN_VALUES); i++)
    {
      const Slice *slice = nth_slice (column, i);
      JsonObject *one = json_object_new (), *scores = json_object_new ();

      json_object_set_string_member (one, "value", slice->value);
      json_object_set_int_member (one, "rows", (gint64) slice->n);
      for (gsize f = 0; f < tally->n_figures; f++)
        if (tally->figures[f].main)
          json_object_set_object_member (scores, tally->figures[f].name,
                                         result_json (tally, &slice->results[f]));
      json_object_set_object_member (one, "scores", scores);
      json_array_add_object_element (array, one);
    }
  return array;
}

JsonNode *
tally_slices_json (Tally *tally)
{
  JsonObject *all;

  if (tally->columns->len == 0)
    return NULL;
  all = json_object_new ();
  for (guint c = 0; c < tally->columns->len; c++)
    {
      const Column *column = tally->columns->pdata[c];

      json_object_set_array_member (all, column->name, column_json (tally, column));
    }
  return take_object (all);
}

/* ---- views --------------------------------------------------------------------------------- */

void
tally_append_number (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  double size = fabs (value);
  const char *format = size >= 1000 ? "%.0f" : size >= 100 ? "%.1f" : size >= 10 ? "%.2f" : "%.3f";

  if (!isfinite (value))
    g_string_append (out, "–");
  else if (size > 0 && size < 0.001)
    g_string_append (out, g_ascii_formatd (text, sizeof text, "%.2g", value));
  else
    g_string_append (out, g_ascii_formatd (text, sizeof text, format, value));
}

static char *
interval_text (const StatsInterval *i)
{
  GString *text = g_string_new (NULL);

  tally_append_number (text, i->value);
  if (i->resamples > 0)
    {
      g_string_append (text, " (");
      tally_append_number (text, i->low);
      g_string_append (text, "\u00a0…\u00a0");
      tally_append_number (text, i->high);
      g_string_append (text, ")");
    }
  return g_string_free (text, FALSE);
}

static void
add_interval_cell (FrViews *views, const StatsInterval *i)
{
  g_autofree char *text = interval_text (i);

  fr_views_add_cell (views, text);
}

/* What the tally says itself; titles, units and scales are for the evaluator's own table. */
static const FrViewWord chinese[] = {
  { "Scores", "评分" },
  { "Details of the scores", "评分细项" },
  { "score", "评分" },
  { "gain", "提升" },
  { "p", "p" },
  { "better is", "更优" },
  { "higher", "高" },
  { "lower", "低" },
  { "In brackets: %g %% intervals of %u resamples of the rows (bootstrap).",
    "括号内：%g %% 区间，对行重抽样 %u 次（自助法）。" },
  { "In brackets: %g %% intervals of %u resamples of the rows (bootstrap); the gain's is paired, "
    "its p from approximate randomisation.",
    "括号内：%g %% 区间，对行重抽样 %u 次（自助法）；提升的区间为配对区间，p "
    "值来自近似随机化检验。" },
  { "Gain over the baseline", "相对基线的提升" },
  { "An interval that holds 0 shows no certain difference. ↓: less is better.",
    "区间包含 0 时差异不确定。↓：越低越好。" },
  { "By %s", "按 %s" },
  { "rows", "行数" },
  { "%u of %u values; all scores are in report.json.",
    "显示 %u 个取值，共 %u 个；全部评分见 report.json。" },
  { "Baseline → candidate; *: the interval of the gain leaves out 0. %u of %u values; all scores "
    "are in report.json.",
    "基线 → 候选；*：提升的区间不含 0。显示 %u 个取值，共 %u 个；全部评分见 report.json。" },
  { NULL, NULL },
};

static const char *
figure_title (const TallyFigure *f, FrViews *views)
{
  return f->unit == NULL || *f->unit == '\0'
             ? f->title
             : fr_views_join (views, f->title, " (", f->unit, ")", NULL);
}

static const char *
better_word (const TallyFigure *f)
{
  return f->better > 0 ? "higher" : f->better < 0 ? "lower" : "";
}

static void
add_score_row (const Tally *tally, gsize figure, FrViews *views)
{
  const TallyFigure *f = &tally->figures[figure];
  const Result *r = &tally->results[figure];

  fr_views_begin_row (views, NULL, NULL);
  fr_views_add_word (views, figure_title (f, views));
  add_interval_cell (views, &r->score[TALLY_CANDIDATE]);
  if (tally->n_systems > 1)
    {
      g_autoptr (GString) p = g_string_new (NULL);

      add_interval_cell (views, &r->score[TALLY_BASELINE]);
      add_interval_cell (views, &r->gain);
      if (!isnan (r->p))
        tally_append_number (p, r->p);
      fr_views_add_cell (views, p->str);
    }
  fr_views_add_word (views, better_word (f));
}

static void
add_score_table (const Tally *tally, gboolean main, FrViews *views)
{
  fr_views_begin (views, FR_VIEW_TABLE, main ? "Scores" : "Details of the scores");
  fr_views_add_column (views, "score", FR_VIEW_TEXT);
  fr_views_add_column (views, tally->names[TALLY_CANDIDATE], FR_VIEW_TEXT);
  if (tally->n_systems > 1)
    {
      fr_views_add_column (views, tally->names[TALLY_BASELINE], FR_VIEW_TEXT);
      fr_views_add_column (views, "gain", FR_VIEW_TEXT);
      fr_views_add_column (views, "p", FR_VIEW_TEXT);
    }
  fr_views_add_column (views, "better is", FR_VIEW_TEXT);
  for (gsize f = 0; f < tally->n_figures; f++)
    if (tally->figures[f].main == main)
      add_score_row (tally, f, views);
}

static void
note_intervals (const Tally *tally, FrViews *views)
{
  const char *format
      = tally->n_systems > 1
            ? "In brackets: %g %% intervals of %u resamples of the rows (bootstrap); the gain's is "
              "paired, its p from approximate randomisation."
            : "In brackets: %g %% intervals of %u resamples of the rows (bootstrap).";

  fr_views_note (
      views, fr_views_printf (views, format, 100 * tally->options.level, tally->options.resamples));
}

static void
add_gain (const Tally *tally, gsize figure, FrViews *views)
{
  const TallyFigure *f = &tally->figures[figure];
  const Result *r = &tally->results[figure];
  double factor = f->factor != 0 ? f->factor : 1;
  g_autoptr (GString) note = g_string_new ("p = ");
  const char *title = figure_title (f, views);
  /* in front, where a long name that is cut keeps it */
  const char *name = f->better < 0 ? fr_views_join (views, "↓ ", title, NULL) : title;

  tally_append_number (note, r->p);
  fr_views_add_interval (views, name, factor * r->gain.value,
                         factor * MIN (r->gain.low, r->gain.value),
                         factor * MAX (r->gain.high, r->gain.value), note->str);
}

/* A view for each scale, for what is drawn together must be of one size. */
static void
add_gains (const Tally *tally, FrViews *views)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (gsize f = 0; f < tally->n_figures; f++)
    {
      const char *scale = tally->figures[f].scale;

      if (!tally->figures[f].main || tally->figures[f].better == 0
          || tally->results[f].gain.resamples == 0 || !g_hash_table_add (seen, (gpointer) scale))
        continue;
      fr_views_begin (views, FR_VIEW_INTERVALS, "Gain over the baseline");
      fr_views_unit (views, scale, TRUE);
      for (gsize g = f; g < tally->n_figures; g++)
        if (tally->figures[g].main && tally->figures[g].better != 0
            && strcmp (tally->figures[g].scale, scale) == 0 && tally->results[g].gain.resamples > 0)
          add_gain (tally, g, views);
      fr_views_note (views,
                     "An interval that holds 0 shows no certain difference. ↓: less is better.");
    }
}

/* Which figures a table of slices shows: the first that can be better or worse. */
static GArray *
slice_figures (const Tally *tally)
{
  GArray *shown = g_array_new (FALSE, FALSE, sizeof (gsize));

  for (gsize f = 0; f < tally->n_figures && shown->len < SHOWN_FIGURES; f++)
    if (tally->figures[f].main && tally->figures[f].better != 0)
      g_array_append_val (shown, f);
  return shown;
}

static void
add_slice_cell (const Tally *tally, const Result *r, FrViews *views)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (tally->n_systems < 2)
    {
      fr_views_add_number (views, r->score[TALLY_CANDIDATE].value);
      return;
    }
  tally_append_number (text, r->score[TALLY_BASELINE].value);
  g_string_append (text, "\u00a0→\u00a0");
  tally_append_number (text, r->score[TALLY_CANDIDATE].value);
  if (r->gain.low > 0 || r->gain.high < 0)
    g_string_append (text, "\u00a0*");
  fr_views_add_cell (views, text->str);
}

static void
add_slice_table (const Tally *tally, const Column *column, FrViews *views)
{
  const char *format
      = tally->n_systems > 1
            ? "Baseline → candidate; *: the interval of the gain leaves out 0. %u of "
              "%u values; all scores are in report.json."
            : "%u of %u values; all scores are in report.json.";
  g_autoptr (GArray) figures = slice_figures (tally);
  guint shown = MIN (column->order->len, SHOWN_VALUES);

  fr_views_begin (views, FR_VIEW_TABLE, fr_views_printf (views, "By %s", column->name));
  fr_views_add_column (views, column->name, FR_VIEW_TEXT);
  fr_views_add_column (views, "rows", FR_VIEW_BAR);
  for (guint k = 0; k < figures->len; k++)
    fr_views_add_column (views, tally->figures[g_array_index (figures, gsize, k)].title,
                         tally->n_systems > 1 ? FR_VIEW_TEXT : FR_VIEW_NUMBER);
  for (guint i = 0; i < shown; i++)
    {
      const Slice *slice = nth_slice (column, i);

      fr_views_begin_row (views, NULL, NULL);
      fr_views_add_cell (views, slice->value);
      fr_views_add_number (views, (double) slice->n);
      for (guint k = 0; k < figures->len; k++)
        add_slice_cell (tally, &slice->results[g_array_index (figures, gsize, k)], views);
    }
  fr_views_note (views, fr_views_printf (views, format, shown, column->order->len));
}

void
tally_add_views (Tally *tally, FrViews *views)
{
  fr_views_translate (views, "zh", chinese);
  add_score_table (tally, TRUE, views);
  note_intervals (tally, views);
  if (tally->n_systems > 1)
    add_gains (tally, views);
  for (guint c = 0; c < tally->columns->len; c++)
    add_slice_table (tally, tally->columns->pdata[c], views);
}

void
tally_add_details (Tally *tally, FrViews *views)
{
  for (gsize f = 0; f < tally->n_figures; f++)
    if (!tally->figures[f].main)
      {
        add_score_table (tally, FALSE, views);
        return;
      }
}

/* ---- limits -------------------------------------------------------------------------------- */

#define GAIN "gain."

static gboolean
check_limit (JsonObject *limits, const char *name, const char *pointer, const char *const *figures,
             const char *const *extra, FrProblems *problems)
{
  gboolean gain = g_str_has_prefix (name, GAIN);
  const char *bare = gain ? name + strlen (GAIN) : name, *near;
  JsonNode *node = json_object_get_member (limits, name);
  g_autofree char *at = g_strdup_printf ("%s/%s", pointer, name);

  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) == G_TYPE_STRING
      || json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    {
      fr_problems_add (problems, at, "a limit is a number");
      return FALSE;
    }
  if (g_strv_contains (figures, bare) || (!gain && extra != NULL && g_strv_contains (extra, bare)))
    return TRUE;
  near = fr_suggest (bare, figures);
  fr_problems_add (problems, at,
                   "there is no score '%s'%s%s%s; scores are named as in the report, and "
                   "\"gain.bleu\" is the gain over the baseline",
                   bare, near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                   near != NULL ? "'?" : "");
  return FALSE;
}

gboolean
tally_check_limits (JsonNode *limits, const char *pointer, const char *const *figures,
                    const char *const *extra, FrProblems *problems)
{
  g_autoptr (GList) names = NULL;
  gboolean ok = TRUE;

  if (limits == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (limits))
    {
      fr_problems_add (problems, pointer,
                       "expected an object of scores and limits, {\"bleu\": 20}");
      return FALSE;
    }
  names = json_object_get_members (json_node_get_object (limits));
  for (GList *l = names; l != NULL; l = l->next)
    ok &= check_limit (json_node_get_object (limits), l->data, pointer, figures, extra, problems);
  return ok;
}

/* The score called @name; NAN: there is none. */
static double
find_score (const Tally *tally, const char *name, JsonObject *extra)
{
  gboolean gain = g_str_has_prefix (name, GAIN);
  const char *bare = gain ? name + strlen (GAIN) : name;

  for (gsize f = 0; f < tally->n_figures; f++)
    if (strcmp (tally->figures[f].name, bare) == 0)
      return gain ? tally->results[f].gain.value : tally->results[f].score[TALLY_CANDIDATE].value;
  if (extra != NULL && !gain && json_object_has_member (extra, bare))
    return json_object_get_double_member_with_default (extra, bare, NAN);
  return NAN;
}

static void
hold_limit (const Tally *tally, FrHost *host, const char *name, double limit, gboolean over,
            JsonObject *extra, JsonArray *seen)
{
  double value = find_score (tally, name, extra);
  /* What cannot be measured has not reached its limit. */
  gboolean passed = !(over ? value <= limit : value >= limit);
  JsonObject *one = json_object_new ();
  g_autoptr (GString) text = g_string_new (NULL);

  json_object_set_string_member (one, "name", name);
  json_object_set_string_member (one, "limit_is", over ? "highest" : "lowest");
  json_object_set_double_member (one, "limit", limit);
  set_number (one, "value", value);
  json_object_set_boolean_member (one, "passed", passed);
  json_array_add_object_element (seen, one);
  if (!passed)
    return;
  tally_append_number (text, value);
  if (isnan (value))
    fr_host_limit_passed (host, "%s could not be measured; %s asks for %s %g", name,
                          over ? "fail_over" : "fail_under", over ? "at most" : "at least", limit);
  else
    fr_host_limit_passed (host, "%s is %s; %s asks for %s %g", name, text->str,
                          over ? "fail_over" : "fail_under", over ? "at most" : "at least", limit);
}

JsonNode *
tally_hold_limits (Tally *tally, FrHost *host, JsonNode *under, JsonNode *over, JsonObject *extra)
{
  JsonNode *both[] = { under, over }, *node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *seen = json_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (both); i++)
    {
      JsonObject *limits = both[i] != NULL ? json_node_get_object (both[i]) : NULL;
      g_autoptr (GList) names = limits != NULL ? json_object_get_members (limits) : NULL;

      for (GList *l = names; l != NULL; l = l->next)
        hold_limit (tally, host, l->data, json_object_get_double_member (limits, l->data), i == 1,
                    extra, seen);
    }
  json_node_take_array (node, seen);
  return node;
}

void
tally_bind_limits (FrBind *bind, JsonNode *under, JsonNode *over)
{
  JsonNode *both[] = { under, over }, *root = json_node_new (JSON_NODE_OBJECT);
  JsonArray *limits = json_array_new ();
  JsonObject *report = json_object_new ();
  g_autoptr (FrObject) ahead = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (both); i++)
    {
      g_autoptr (GList) names
          = both[i] != NULL ? json_object_get_members (json_node_get_object (both[i])) : NULL;

      for (GList *l = names; l != NULL; l = l->next)
        {
          JsonObject *one = json_object_new ();

          json_object_set_string_member (one, "name", l->data);
          json_array_add_object_element (limits, one);
        }
    }
  json_object_set_array_member (report, "limits", limits);
  json_node_take_object (root, report);
  ahead = fr_report_new (root);
  fr_bind_output_object (bind, "report", ahead);
}
