/* SPDX-License-Identifier: Apache-2.0 */
/* ratings.c: evaluator.ratings, what people's ratings say, once the key is laid beside them.
 *
 * Rows are ratings as the page saves them, of any number of raters.  Each is held against the key;
 * what does not fit is rejected with its reason, what belongs to another page fails the run.  The
 * figures are figures.h's.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <math.h>
#include <string.h>

#include "elements.h"
#include "figures.h"
#include "ratings-details.h"
#include "show.h"
#include "text/cell.h"

typedef struct
{
  char *key;
  char *baseline;
  double level;
  gint64 resamples;
  gint64 disputed;
  double margin;
  double min_alpha;
} Config;

static const FrParam *const params[]
    = { FR_PARAM_PATH ("key", Config, key, "the key that evaluator.rating wrote beside the page",
                       .flags = FR_PARAM_REQUIRED | FR_PARAM_READS,
                       .example = "\"rating.key.json\""),
        FR_PARAM_STRING ("baseline", Config, baseline,
                         "the system that others are held against; none given: the page's first",
                         .example = "\"before\""),
        FR_PARAM_FLOAT ("level", Config, level, 0.5, 0.999, "of the intervals", .def = "0.95"),
        FR_PARAM_INT ("resamples", Config, resamples, 100, 1000000, "draws of the bootstrap",
                      .def = "1000"),
        FR_PARAM_FLOAT ("margin", Config, margin, 0, 4,
                        "two samples make a preference when their means are at least so far apart",
                        .def = "0.5"),
        FR_PARAM_INT ("disputed", Config, disputed, 0, 1000,
                      "samples that raters differ about most, shown in report.html", .def = "10"),
        FR_PARAM_FLOAT ("min_alpha", Config, min_alpha, -1, 1,
                        "a criterion with less agreement ends the run with status 3; -1: no limit",
                        .def = "-1"),
        NULL };

static const FrNeed *const needs[]
    = { FR_NEED ("page", FR_TYPES_TEXT), FR_NEED ("item", FR_TYPES_TEXT),
        FR_NEED ("rater", FR_TYPES_ANY), NULL };

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "ratings, as the page saves them", .flags = FR_PORT_MANY,
                 .needs = needs),
        NULL };

static const FrPort *const outputs[]
    = { FR_PORT ("out", FR_PORT_RECORDS,
                 "the samples with their mean ratings, those that raters differ about most first",
                 .flags = FR_PORT_OPTIONAL),
        FR_PORT ("preferences", FR_PORT_RECORDS,
                 "pairs of samples of one prompt: prompt, chosen, rejected",
                 .flags = FR_PORT_OPTIONAL),
        FR_PORT ("report", FR_PORT_REPORT, "all figures", .flags = FR_PORT_OPTIONAL,
                 .object = &fr_report_type),
        NULL };

typedef struct
{
  int page, item, rater, skipped, seconds, comment;
  int criteria[RATING_MAX_CRITERIA];
} Columns;

typedef struct
{
  const Config *config;
  RatingKey *key;
  RatingBook *book;
  Columns columns;
  guint baseline;
  guint64 incomplete, blank;
} State;

/* ---- bind ------------------------------------------------------------------------------------ */

static FrSchema *
out_schema (const RatingKey *key, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();

  g_ptr_array_add (fields, fr_field_new ("row", FR_TYPE_UTF8));
  g_ptr_array_add (fields, fr_field_new ("system", FR_TYPE_UTF8));
  g_ptr_array_add (fields, fr_field_new ("prompt", FR_TYPE_UTF8));
  g_ptr_array_add (fields, fr_field_new ("text", FR_TYPE_UTF8));
  g_ptr_array_add (fields, fr_field_new ("raters", FR_TYPE_INT64));
  for (guint c = 0; c < key->n_criteria; c++)
    g_ptr_array_add (fields, fr_field_new (key->criteria[c], FR_TYPE_FLOAT64));
  g_ptr_array_add (fields, fr_field_new ("overall", FR_TYPE_FLOAT64));
  g_ptr_array_add (fields, fr_field_new ("spread", FR_TYPE_INT64));
  g_ptr_array_add (fields, fr_field_new ("comments", FR_TYPE_UTF8));
  return fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
}

static FrSchema *
preferences_schema (void)
{
  return fr_schema_new_simple ("row", FR_TYPE_UTF8, "prompt", FR_TYPE_UTF8, "chosen", FR_TYPE_UTF8,
                               "rejected", FR_TYPE_UTF8, "chosen_system", FR_TYPE_UTF8,
                               "rejected_system", FR_TYPE_UTF8, "margin", FR_TYPE_FLOAT64, "raters",
                               FR_TYPE_INT64, NULL);
}

static guint
find_baseline (const Config *config, const RatingKey *key)
{
  for (guint i = 0; config->baseline != NULL && i < key->n_systems; i++)
    if (strcmp (key->systems[i], config->baseline) == 0)
      return i;
  return config->baseline == NULL ? 0 : RATING_NOTHING;
}

/* Whether columns and parameters fit the key; problems are reported. */
static gboolean
check_columns (const RatingKey *key, const FrSchema *schema, FrBind *bind)
{
  gboolean ok = TRUE;

  for (guint c = 0; schema != NULL && c < key->n_criteria; c++)
    {
      int column = fr_schema_find (schema, key->criteria[c]);
      guint types = FR_TYPES_NUMBER | FR_TYPES_TEXT;

      if (column >= 0
          && (FR_TYPES (fr_field_type (fr_schema_field (schema, (guint) column))) & types) != 0)
        continue;
      fr_bind_problem (bind, "/key",
                       column < 0 ? "there is no column '%s', a criterion of this key's page"
                                  : "column '%s', a criterion, is neither numbers nor text",
                       key->criteria[c]);
      ok = FALSE;
    }
  return ok;
}

static gboolean
ratings_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;
  g_autoptr (GError) local = NULL;
  g_autoptr (RatingKey) key = rating_key_load (config->key, &local);
  FrSchema *schema;

  if (key == NULL)
    {
      fr_bind_problem (bind, "/key", "%s", local->message);
      return FALSE;
    }
  if (find_baseline (config, key) == RATING_NOTHING)
    {
      const char *near = fr_suggest (config->baseline, (const char *const *) key->systems);
      g_autofree char *all = g_strjoinv ("', '", key->systems);

      fr_bind_problem (bind, "/baseline", "the page has no system '%s'%s%s%s; its systems are '%s'",
                       config->baseline, near != NULL ? "; did you mean '" : "",
                       near != NULL ? near : "", near != NULL ? "'?" : "", all);
      return FALSE;
    }
  if (!check_columns (key, fr_bind_input (bind, "in"), bind))
    return FALSE;
  schema = out_schema (key, error);
  if (schema == NULL)
    return FALSE;
  fr_bind_output (bind, "out", schema);
  fr_bind_output (bind, "preferences", preferences_schema ());
  return TRUE;
}

/* ---- open and close -------------------------------------------------------------------------- */

static void
ratings_close (gpointer data)
{
  State *s = data;

  g_clear_pointer (&s->book, rating_book_free);
  g_clear_pointer (&s->key, rating_key_free);
  g_free (s);
}

static gboolean
ratings_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  FrSchema *schema = fr_host_input (host, "in");
  State *s = g_new0 (State, 1);

  s->config = data;
  s->key = rating_key_load (s->config->key, error);
  if (s->key == NULL)
    {
      ratings_close (s);
      return FALSE;
    }
  s->book = rating_book_new (s->key);
  s->baseline = find_baseline (s->config, s->key);
  s->columns = (Columns){ fr_schema_find (schema, "page"),
                          fr_schema_find (schema, "item"),
                          fr_schema_find (schema, "rater"),
                          fr_schema_find (schema, "skipped"),
                          fr_schema_find (schema, "seconds"),
                          fr_schema_find (schema, "comment"),
                          { 0 } };
  for (guint c = 0; c < s->key->n_criteria; c++)
    s->columns.criteria[c] = fr_schema_find (schema, s->key->criteria[c]);
  *state = s;
  return TRUE;
}

/* ---- a row ----------------------------------------------------------------------------------- */

/* The cell's text without white space around it; "" for none and for a column that is not there. */
static char *
cell_text (const FrBatch *batch, int column, gsize row)
{
  g_autoptr (GString) text = g_string_new (NULL);
  FrView view;

  if (column < 0)
    return g_strdup ("");
  view = fr_view (batch, (guint) column);
  text_cell_append (fr_schema_field (fr_batch_schema (batch), (guint) column), &view, row, text);
  return g_strdup (g_strstrip (text->str));
}

/* At most 40 characters of @text, for a message. */
static char *
shorten (const char *text)
{
  const char *end = text;

  for (guint i = 0; *end != '\0' && i < 40; i++)
    end = g_utf8_next_char (end);
  return g_strdup_printf ("%.*s%s", (int) (end - text), text, *end != '\0' ? "…" : "");
}

/* A rating as a person may have typed it: 0 where there is none, -1 where it is none of 1 … 5. */
static int
read_rating (const char *text)
{
  double value;
  char *end;

  if (*text == '\0')
    return 0;
  value = g_ascii_strtod (text, &end);
  if (*end != '\0' || !(value >= 1 && value <= RATING_LEVELS) || value != floor (value))
    return -1;
  return (int) value;
}

static gboolean
is_skipped (const char *text)
{
  return g_ascii_strcasecmp (text, "true") == 0 || strcmp (text, "1") == 0
         || g_ascii_strcasecmp (text, "yes") == 0;
}

typedef struct
{
  guint item;
  char *rater, *comment, *seconds;
  guint8 values[RATING_MAX_CRITERIA];
  guint given;
  gboolean skipped;
} Line;

static void
line_clear (Line *line)
{
  g_free (line->rater);
  g_free (line->comment);
  g_free (line->seconds);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Line, line_clear)

/* "4 5 –": ratings as a message shows them. */
static char *
values_text (const RatingKey *key, const guint8 *values)
{
  GString *out = g_string_new (NULL);

  for (guint c = 0; c < key->n_criteria; c++)
    g_string_append_printf (out, "%s%c", c > 0 ? " " : "", values[c] != 0 ? '0' + values[c] : '-');
  return g_string_free (out, FALSE);
}

/* Reads and checks all but whether it is there already; FALSE: it was rejected. */
static gboolean
read_line (State *s, FrHost *host, const FrBatch *batch, gsize row, Line *line)
{
  g_autofree char *page = cell_text (batch, s->columns.page, row),
                  *id = cell_text (batch, s->columns.item, row);
  g_autofree char *skipped = cell_text (batch, s->columns.skipped, row);

  line->item = rating_key_find (s->key, id);
  line->rater = cell_text (batch, s->columns.rater, row);
  line->comment = cell_text (batch, s->columns.comment, row);
  line->seconds = cell_text (batch, s->columns.seconds, row);
  line->skipped = is_skipped (skipped);
  if (strcmp (page, s->key->page) != 0)
    {
      fr_host_reject (host, batch, row, "no_page", "it does not say of which page it is");
      return FALSE;
    }
  if (line->item == RATING_NOTHING)
    {
      g_autofree char *what = shorten (id);

      fr_host_reject (host, batch, row, "unknown_item", "the page has no item '%s'", what);
      return FALSE;
    }
  if (*line->rater == '\0')
    {
      fr_host_reject (host, batch, row, "no_rater", "it does not say who rated");
      return FALSE;
    }
  for (guint c = 0; c < s->key->n_criteria; c++)
    {
      g_autofree char *text = cell_text (batch, s->columns.criteria[c], row);
      int value = read_rating (text);

      if (value < 0)
        {
          g_autofree char *what = shorten (text);

          fr_host_reject (host, batch, row, "out_of_range", "%s is '%s', which is none of 1 to %d",
                          s->key->criteria[c], what, RATING_LEVELS);
          return FALSE;
        }
      line->values[c] = (guint8) value;
      line->given += value != 0;
    }
  if (line->skipped && line->given > 0)
    {
      fr_host_reject (host, batch, row, "skipped_and_rated", "it is skipped, and yet has ratings");
      return FALSE;
    }
  return TRUE;
}

static void
enter_line (State *s, Rater *rater, Line *line, FrRowId id)
{
  double seconds;
  char *end;

  memcpy (rater->values + (gsize) line->item * s->key->n_criteria, line->values,
          s->key->n_criteria);
  rater->states[line->item] = line->skipped     ? RATING_SKIPPED
                              : line->given > 0 ? RATING_RATED
                                                : RATING_BLANK;
  if (*line->comment != '\0')
    rater->comments[line->item] = g_steal_pointer (&line->comment);
  seconds = g_ascii_strtod (line->seconds, &end);
  if (end != line->seconds && *end == '\0' && seconds >= 0)
    rater->seconds[line->item] = seconds;
  s->blank += !line->skipped && line->given == 0;
  s->incomplete += line->given > 0 && line->given < s->key->n_criteria;
  if (s->book->firsts[line->item].position == 0)
    s->book->firsts[line->item] = id;
}

static void
take_line (State *s, FrHost *host, const FrBatch *batch, gsize row)
{
  g_auto (Line) line = { 0 };
  Rater *rater;

  if (!read_line (s, host, batch, row, &line))
    return;
  rater = rating_book_rater (s->book, line.rater);
  if (rater->states[line.item] != RATING_UNSEEN)
    {
      const guint8 *before = rater->values + (gsize) line.item * s->key->n_criteria;
      g_autofree char *was = values_text (s->key, before), *is = values_text (s->key, line.values);
      g_autofree char *who = shorten (line.rater);

      fr_host_reject (host, batch, row, "duplicate",
                      "'%s' has rated this item before: %s, now %s; the first counts", who, was,
                      is);
      return;
    }
  enter_line (s, rater, &line, fr_batch_ids (batch)[row]);
}

/* Ratings of another page must never be counted; an id that merely looks right would not tell.  A
 * row that names no page is left to take_line(). */
static gboolean
check_page (State *s, FrHost *host, const FrBatch *batch, gsize row, GError **error)
{
  g_autofree char *page = cell_text (batch, s->columns.page, row);
  g_autoptr (GString) id = NULL;

  if (strcmp (page, s->key->page) == 0 || !rating_page_id_is_valid (page))
    return TRUE;
  id = g_string_new (NULL);
  fr_host_append_row_id (host, fr_batch_ids (batch)[row], id);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "row %s is a rating of page '%s', and %s is the key of page '%s'; give ratings and "
               "key of the same page",
               id->str, page, s->config->key, s->key->page);
  return FALSE;
}

/* ---- what comes out -------------------------------------------------------------------------- */

static void
append_text (FrCells *cells, const char *text)
{
  fr_cells_append_str (cells, text, strlen (text));
}

static void
append_number (FrCells *cells, double value)
{
  if (isnan (value))
    fr_cells_append_null (cells);
  else
    fr_cells_append_float (cells, value);
}

/* The mean of all raters' scores of an item; NAN for none. */
static double
mean_of (const RatingBook *book, guint item, guint criterion)
{
  double sum = 0;
  guint n = 0;

  for (guint r = 0; r < book->raters->len; r++)
    {
      double score = rating_book_score (book, r, item, criterion);

      if (isnan (score))
        continue;
      sum += score;
      n++;
    }
  return n > 0 ? sum / n : NAN;
}

static char *
comments_of (const RatingBook *book, guint item)
{
  GString *out = g_string_new (NULL);

  for (guint r = 0; r < book->raters->len; r++)
    {
      const Rater *rater = book->raters->pdata[r];

      if (rater->comments[item] != NULL)
        g_string_append_printf (out, "%s%s: %s", out->len > 0 ? "\n" : "", rater->name,
                                rater->comments[item]);
    }
  return g_string_free (out, FALSE);
}

static void
build_sample (const RatingBook *book, guint item, FrBuilder *builder)
{
  const RatingItem *of = book->key->items->pdata[item];
  const RatingPrompt *prompt = book->key->prompts->pdata[of->prompt];
  g_autofree char *comments = comments_of (book, item);
  guint n = 0, raters, spread = rating_book_spread (book, item, &raters);

  append_text (fr_builder_cells (builder, n++), prompt->row);
  append_text (fr_builder_cells (builder, n++), book->key->systems[of->system]);
  append_text (fr_builder_cells (builder, n++), prompt->prompt);
  append_text (fr_builder_cells (builder, n++), rating_key_text (book->key, item));
  fr_cells_append_int (fr_builder_cells (builder, n++), raters);
  for (guint c = 0; c <= book->key->n_criteria; c++)
    append_number (fr_builder_cells (builder, n++), mean_of (book, item, c));
  fr_cells_append_int (fr_builder_cells (builder, n++), spread);
  append_text (fr_builder_cells (builder, n++), comments);
  fr_builder_end_row (builder, fr_row_id_child (book->firsts[item], 1));
}

static FrFlow
push_full (FrHost *host, const char *port, FrBuilder *builder, gboolean last, GError **error)
{
  FrBatch *batch;

  if (fr_builder_n_rows (builder) == 0 || (!last && !fr_builder_full (builder)))
    return FR_FLOW_OK;
  batch = fr_builder_finish (builder, error);
  return batch != NULL ? fr_host_push (host, port, batch, error) : FR_FLOW_ERROR;
}

/* Everything that somebody rated; second showings were for the raters' sake. */
static FrFlow
push_samples (State *s, FrHost *host, const RatingFigures *figures, GError **error)
{
  g_autoptr (FrBuilder) builder = fr_builder_new (fr_host_output (host, "out"));
  g_autofree guint8 *done = g_new0 (guint8, s->key->items->len + 1);
  FrFlow flow = FR_FLOW_OK;

  for (guint i = 0; i < figures->disputed->len + s->key->items->len && flow == FR_FLOW_OK; i++)
    {
      guint item = i < figures->disputed->len ? g_array_index (figures->disputed, guint, i)
                                              : i - figures->disputed->len;
      guint raters;

      rating_book_spread (s->book, item, &raters);
      if (done[item]++ || raters == 0
          || ((const RatingItem *) s->key->items->pdata[item])->repeats != RATING_NOTHING)
        continue;
      build_sample (s->book, item, builder);
      flow = push_full (host, "out", builder, FALSE, error);
    }
  return flow == FR_FLOW_OK ? push_full (host, "out", builder, TRUE, error) : flow;
}

static void
build_preference (const RatingBook *book, guint better, guint worse, double margin,
                  FrBuilder *builder)
{
  const RatingItem *a = book->key->items->pdata[better], *b = book->key->items->pdata[worse];
  const RatingPrompt *prompt = book->key->prompts->pdata[a->prompt];
  guint raters[2];

  rating_book_spread (book, better, &raters[0]);
  rating_book_spread (book, worse, &raters[1]);
  append_text (fr_builder_cells (builder, 0), prompt->row);
  append_text (fr_builder_cells (builder, 1), prompt->prompt);
  append_text (fr_builder_cells (builder, 2), rating_key_text (book->key, better));
  append_text (fr_builder_cells (builder, 3), rating_key_text (book->key, worse));
  append_text (fr_builder_cells (builder, 4), book->key->systems[a->system]);
  append_text (fr_builder_cells (builder, 5), book->key->systems[b->system]);
  fr_cells_append_float (fr_builder_cells (builder, 6), margin);
  fr_cells_append_int (fr_builder_cells (builder, 7), MIN (raters[0], raters[1]));
  fr_builder_end_row (builder, fr_row_id_child (book->firsts[better], 2 + b->system));
}

/* Every two samples of a prompt that are far enough apart, and are not the same text. */
static FrFlow
push_preferences (State *s, FrHost *host, GError **error)
{
  g_autoptr (FrBuilder) builder = fr_builder_new (fr_host_output (host, "preferences"));
  FrFlow flow = FR_FLOW_OK;

  for (guint i = 0; i < s->key->items->len && flow == FR_FLOW_OK; i++)
    for (guint j = 0; j < s->key->items->len && flow == FR_FLOW_OK; j++)
      {
        const RatingItem *a = s->key->items->pdata[i], *b = s->key->items->pdata[j];
        double margin;

        if (a->prompt != b->prompt || a->system == b->system || a->repeats != RATING_NOTHING
            || b->repeats != RATING_NOTHING)
          continue;
        margin
            = mean_of (s->book, i, s->key->n_criteria) - mean_of (s->book, j, s->key->n_criteria);
        /* not-a-number is not greater than anything */
        if (!(margin > 0 && margin >= s->config->margin)
            || strcmp (rating_key_text (s->key, i), rating_key_text (s->key, j)) == 0)
          continue;
        build_preference (s->book, i, j, margin, builder);
        flow = push_full (host, "preferences", builder, FALSE, error);
      }
  return flow == FR_FLOW_OK ? push_full (host, "preferences", builder, TRUE, error) : flow;
}

static void
check_limits (State *s, FrHost *host, const RatingFigures *figures)
{
  if (s->config->min_alpha <= -1)
    return;
  for (guint i = 0; i < figures->agreements->len; i++)
    {
      const RatingAgreement *a = &g_array_index (figures->agreements, RatingAgreement, i);

      if (isnan (a->alpha.value))
        fr_host_limit_passed (host,
                              "how far raters agree on %s cannot be told; min_alpha asks for %g",
                              s->key->criteria[a->criterion], s->config->min_alpha);
      else if (a->alpha.value < s->config->min_alpha)
        fr_host_limit_passed (host, "raters agree on %s with alpha %.3f; min_alpha asks for %g",
                              s->key->criteria[a->criterion], a->alpha.value, s->config->min_alpha);
    }
}

static void
tell (State *s, FrHost *host, const RatingFigures *figures)
{
  g_autofree char *verdict = rating_show_verdict (s->book, figures);

  fr_host_count (host, "raters", s->book->raters->len);
  fr_host_count (host, "ratings", (gint64) figures->n_ratings);
  if (s->incomplete > 0)
    fr_host_count (host, "incomplete", (gint64) s->incomplete);
  if (s->blank > 0)
    fr_host_count (host, "blank", (gint64) s->blank);
  if (figures->n_ratings == 0)
    fr_host_warn (host, "there is no rating that fits the key");
  else if (s->book->raters->len == 1)
    fr_host_warn (host, "there is one rater only, so nothing says how far people agree");
  if (verdict != NULL)
    fr_host_info (host, "%s", verdict);
}

static FrFlow
conclude (State *s, FrHost *host, GError **error)
{
  StatsOptions options = { (guint) s->config->resamples, s->config->level, fr_host_seed (host) };
  g_autoptr (RatingFigures) figures = rating_figures_new (s->book, s->baseline, &options);
  FrFlow flow = push_samples (s, host, figures, error);

  if (flow == FR_FLOW_OK || flow == FR_FLOW_DONE)
    flow = push_preferences (s, host, error);
  if (flow != FR_FLOW_OK && flow != FR_FLOW_DONE)
    return flow;
  tell (s, host, figures);
  check_limits (s, host, figures);
  fr_host_report (host, "ratings", rating_show_json (s->book, figures));
  fr_host_report (host, "views", rating_show_views (s->book, figures, (guint) s->config->disputed));
  return fr_host_push_object (host, "report", fr_report_new (rating_show_json (s->book, figures)),
                              error);
}

static FrFlow
ratings_run (FrHost *host, gpointer data, GError **error)
{
  State *s = data;

  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      FrFlow flow = fr_host_next (host, "in", &batch, error);

      if (flow == FR_FLOW_DONE)
        return conclude (s, host, error);
      if (flow != FR_FLOW_OK)
        return flow;
      for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
        {
          if (!check_page (s, host, batch, row, error))
            return FR_FLOW_ERROR;
          take_line (s, host, batch, row);
        }
    }
}

const FrElement ratings_element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_EVALUATOR,
  .name = "evaluator.ratings",
  .revision = 1,
  .summary = "what people's ratings say: means, who wins, and how far the raters agree",
  .details = details,
  .example = "{\"key\": \"rating.key.json\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = outputs,
  .bind = ratings_bind,
  .open = ratings_open,
  .run = ratings_run,
  .finish = NULL,
  .close = ratings_close,
};
