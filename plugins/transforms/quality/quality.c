/* SPDX-License-Identifier: Apache-2.0 */
/* quality.c: transform.quality, rows worth learning from.
 *
 *   rows --script--> rows --figures, language, tokens--> results --rules--> out, dropped
 *
 * Several rows of a batch are measured at once; what is said of them is said in
 * their order.  Perplexity wants more rows at once than a batch has, so then
 * some batches go together (a lot); without it a lot is one batch.
 */
#include "config.h"

#include "transforms/quality/quality.h"

#include <math.h>

#ifdef HAVE_LM
#include "lm/model.h"
#endif
#include "text/rowkey.h"
#include "transforms/quality/details.h"

/* Parts that a batch is cut into, so that no thread waits long for another. */
#define PARTS 16
/* Batches of a lot, and the tokens that end it. */
#define LOT_BATCHES 64
#define LOT_TOKENS (256 * 1024)

static const FrEnumValue *const actions[]
    = { FR_ENUM ("drop", ACTION_DROP, "rows that a rule fires on go to dropped"),
        FR_ENUM ("score", ACTION_SCORE, "all rows go to out, with their figures as columns"),
        NULL };

static const FrEnumValue *const scripts[]
    = { FR_ENUM ("keep", SCRIPT_KEEP, "text stays as it is"),
        FR_ENUM ("simplified", SCRIPT_SIMPLIFIED, "traditional Chinese becomes simplified"),
        FR_ENUM ("traditional", SCRIPT_TRADITIONAL, "simplified Chinese becomes traditional"),
        NULL };

static const FrParam *const params[] = {
  FR_PARAM_COLUMNS ("columns", Config, columns, FR_TYPES_TEXT,
                    "the text to judge, together; none given: every text column",
                    .example = "[\"title\", \"content\"]"),
  FR_PARAM_ENUM ("action", Config, action, actions, "what becomes of a row that a rule fires on",
                 .def = "drop"),
  FR_PARAM_STRINGS ("rules", Config, rules, "groups of rules that are asked",
                    .def = "[\"length\", \"language\", \"repetition\", \"symbols\", \"words\", "
                           "\"lines\", \"model\"]",
                    .pattern = "length|language|repetition|symbols|words|lines|model",
                    .example = "[\"length\", \"repetition\"]"),
  FR_PARAM_STRINGS (
      "scores", Config, scores,
      "figures to add to out as columns called quality_NAME, or 'all'; none given: all "
      "with action score, none with drop",
      .example = "[\"characters\", \"top_2gram\", \"language\"]"),
  FR_PARAM_ENUM ("script", Config, script, scripts,
                 "which Chinese characters the text is to have; needs OpenCC", .def = "keep"),
  FR_PARAM_STRINGS ("languages", Config, languages, "languages to keep; none given: all",
                    .pattern = "zh-Hans|zh-Hant|en|ja|ko|mixed|und-Latn|und-Cyrl|und-Arab|und|none",
                    .example = "[\"zh-Hans\", \"en\", \"mixed\"]"),
  FR_PARAM_FLOAT (
      "language_confidence", Config, language_confidence, 0, 1,
      "least confidence in the language, where languages are given; FineWeb has 0.65, and "
      "a text one third of which are English terms has as much",
      .def = "0.5"),
#define PARAM(name, group, value, side, default, low, high, unit_, why)                            \
  FR_PARAM_FLOAT (#name, Config, limits[RULE_##name], low, high, why, .def = default,              \
                  .unit = unit_),
  QUALITY_RULES (PARAM)
#undef PARAM
      FR_PARAM_INT ("perplexity_tokens", Config, perplexity_tokens, 2, G_MAXINT32,
                    "tokens of a text that perplexity is measured on, from its beginning",
                    .def = "512", .unit = "tokens"),
  FR_PARAM_STRING (
      "backend", Config, backend,
      "compute backend for perplexity ('reference', 'openblas', 'onednn', 'cublas'); none "
      "given: the best here",
      .example = "\"onednn\""),
  NULL
};

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "rows with text", .flags = FR_PORT_MANY),
#ifdef HAVE_LM
        FR_PORT ("model", FR_PORT_MODEL,
                 "the model whose tokens are counted, and that perplexity is of",
                 .flags = FR_PORT_OPTIONAL, .object = &lm_model_type),
#endif
        NULL };

static const FrPort *const outputs[]
    = { FR_PORT ("out", FR_PORT_RECORDS, "rows that no rule fires on; with action score all rows"),
        FR_PORT ("dropped", FR_PORT_RECORDS,
                 "the others, with 'quality_rule', the first rule that fires, and "
                 "'quality_reason', all of them with figure and limit",
                 .flags = FR_PORT_OPTIONAL),
        NULL };

/* ---- configure and bind ------------------------------------------------------------ */

/* Values that can be columns: the figures, tokens, perplexity, then these. */
enum
{
  COLUMN_LANGUAGE = N_VALUES,
  COLUMN_CONFIDENCE,
  COLUMN_RULES,
  N_COLUMNS
};

static const char *
column_name (guint column)
{
  static const char *const more[] = { "language", "language_confidence", "rules" };

  return column < N_VALUES ? quality_value_name (column) : more[column - N_VALUES];
}

static FrType
column_type (guint column)
{
  return column == COLUMN_LANGUAGE || column == COLUMN_RULES ? FR_TYPE_UTF8 : FR_TYPE_FLOAT64;
}

/* Whether figure @column becomes a column of out; those of a model, only with one. */
static gboolean
is_scored (const Config *config, guint column, gboolean has_model)
{
  gboolean given = config->scores != NULL && config->scores[0] != NULL, all;

  all = given ? strcmp (config->scores[0], "all") == 0 : config->action == ACTION_SCORE;
  if ((column == VALUE_TOKENS || column == VALUE_PERPLEXITY) && !has_model)
    return FALSE;
  if (column == VALUE_PERPLEXITY && all)
    return config->limits[RULE_min_perplexity] > 0 || config->limits[RULE_max_perplexity] > 0;
  return all
         || (given && g_strv_contains ((const char *const *) config->scores, column_name (column)));
}

static gboolean
check_scores (const Config *config, FrProblems *problems)
{
  const char *names[N_COLUMNS + 2] = { NULL };
  gboolean ok = TRUE;

  for (guint i = 0; i < N_COLUMNS; i++)
    names[i] = column_name (i);
  names[N_COLUMNS] = "all";
  for (guint i = 0; config->scores != NULL && config->scores[i] != NULL; i++)
    {
      const char *near;

      if (strcmp (config->scores[i], "all") == 0 && config->scores[1] != NULL)
        {
          fr_problems_add (problems, "/scores", "'all' stands alone");
          return FALSE;
        }
      if (g_strv_contains (names, config->scores[i]))
        continue;
      near = fr_suggest (config->scores[i], names);
      fr_problems_add (problems, "/scores", "there is no figure '%s'%s%s%s", config->scores[i],
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
      ok = FALSE;
    }
  return ok;
}

static gboolean
quality_configure (gpointer data, FrProblems *problems)
{
  const Config *config = data;
  gboolean ok = check_scores (config, problems);
  static const struct
  {
    guint min, max;
  } pairs[] = { { RULE_min_characters, RULE_max_characters },
                { RULE_min_units, RULE_max_units },
                { RULE_min_mean_word, RULE_max_mean_word },
                { RULE_min_tokens, RULE_max_tokens },
                { RULE_min_perplexity, RULE_max_perplexity } };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    if (config->limits[pairs[i].max] > 0
        && config->limits[pairs[i].min] > config->limits[pairs[i].max])
      {
        g_autofree char *pointer = g_strconcat ("/", quality_rule_name (pairs[i].min), NULL);

        fr_problems_add (problems, pointer, "%g is more than %s, %g: no text could pass",
                         config->limits[pairs[i].min], quality_rule_name (pairs[i].max),
                         config->limits[pairs[i].max]);
        ok = FALSE;
      }
  if (config->script != SCRIPT_KEEP && !quality_script_known ())
    {
      fr_problems_add (problems, "/script",
                       "'%s' needs OpenCC, and this flowrun was built without it; install it "
                       "(Debian: libopencc-dev) and build again, or use 'keep'",
                       scripts[config->script]->word);
      ok = FALSE;
    }
  return ok;
}

/* What asks for a model without there being one. */
static gboolean
check_model (const Config *config, FrBind *bind)
{
  static const guint rules[]
      = { RULE_min_tokens, RULE_max_tokens, RULE_min_perplexity, RULE_max_perplexity };
  gboolean ok = TRUE;

  if (quality_model_known () && fr_bind_has_input (bind, "model"))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    {
      g_autofree char *pointer = NULL;

      if (config->limits[rules[i]] <= 0)
        continue;
      pointer = g_strconcat ("/", quality_rule_name (rules[i]), NULL);
      fr_bind_problem (bind, pointer, "%s",
                       quality_model_known ()
                           ? "this needs a model at the port 'model', and none is connected"
                           : "this needs a model, and this flowrun was built without them");
      ok = FALSE;
    }
  for (guint i = VALUE_TOKENS; i <= VALUE_PERPLEXITY; i++)
    if (config->scores != NULL
        && g_strv_contains ((const char *const *) config->scores, column_name (i)))
      {
        fr_bind_problem (bind, "/scores",
                         "'%s' needs a model at the port 'model', and none is connected",
                         column_name (i));
        ok = FALSE;
      }
  return ok;
}

static gboolean
check_columns (const Config *config, const FrSchema *schema, FrBind *bind)
{
  gboolean any = config->columns != NULL && config->columns[0] != NULL;

  for (guint i = 0; i < fr_schema_n_fields (schema) && !any; i++)
    any = (FR_TYPES (fr_field_type (fr_schema_field (schema, i))) & FR_TYPES_TEXT) != 0;
  if (!any)
    fr_bind_problem (bind, "/columns", "the input has no text column to judge");
  return any;
}

/* @schema (taken) with another column. */
static FrSchema *
with_column (FrBind *bind, FrSchema *schema, const char *name, FrType type)
{
  FrSchema *more;

  if (fr_schema_find (schema, name) >= 0)
    fr_bind_warn (bind, "", "the input has a column '%s' already; it is replaced", name);
  more = fr_schema_with (schema, fr_field_new (name, type));

  fr_schema_unref (schema);
  return more;
}

static gboolean
quality_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;
  FrSchema *schema = fr_bind_input (bind, "in"), *out, *dropped;
  gboolean has_model = quality_model_known () && fr_bind_has_input (bind, "model");

  (void) error;
  if (!check_model (config, bind))
    return FALSE;
  if (schema == NULL)
    {
      fr_bind_output (bind, "out", NULL);
      fr_bind_output (bind, "dropped", NULL);
      return TRUE;
    }
  if (!check_columns (config, schema, bind))
    return FALSE;
  out = fr_schema_ref (schema);
  for (guint i = 0; i < N_COLUMNS; i++)
    if (is_scored (config, i, has_model))
      {
        g_autofree char *name = g_strconcat ("quality_", column_name (i), NULL);

        out = with_column (bind, out, name, column_type (i));
      }
  fr_bind_output (bind, "out", out);
  dropped = with_column (bind, fr_schema_ref (schema), "quality_rule", FR_TYPE_UTF8);
  fr_bind_output (bind, "dropped", with_column (bind, dropped, "quality_reason", FR_TYPE_UTF8));
  return TRUE;
}

/* ---- state -------------------------------------------------------------------------- */

typedef struct
{
  FrBatch *batch;
  Result *results;
  gsize n;
} Judged;

/* What a thread works with. */
typedef struct
{
  TextRowKey *key;
  TextQuality *quality;
  QualityScript *script;
  GString *converted;
} Worker;

typedef struct
{
  const Config *config;
  FrHost *host;
  TextRowKey *key;
  TextTeam *team;
  Worker workers[TEXT_TEAM_MOST];
  QualityModel *model;
  gboolean wants_perplexity;
  guint64 wanted;
  QualityReport *report;
  GArray *lot; /* Judged */
  gsize lot_tokens;
  /* the batch at hand */
  Judged *judged;
  guint column; /* being converted */
  char **texts; /* of each row, what it becomes; NULL: as it was */
  gsize *lengths;
  guint8 *japanese; /* of each row */
  guint64 script_changes[PARTS];
  GMutex lock;
  GError *error; /* under lock; the first */
} State;

static void
clear_lot (State *s)
{
  for (guint i = 0; i < s->lot->len; i++)
    {
      Judged *judged = &g_array_index (s->lot, Judged, i);

      for (gsize row = 0; row < judged->n; row++)
        if (judged->results[row].ids != NULL)
          g_array_unref (judged->results[row].ids);
      g_free (judged->results);
      fr_batch_unref (judged->batch);
    }
  g_array_set_size (s->lot, 0);
  s->lot_tokens = 0;
}

static void
quality_close (gpointer state)
{
  State *s = state;

  clear_lot (s);
  g_array_unref (s->lot);
  for (guint i = 0; i < TEXT_TEAM_MOST; i++)
    {
      Worker *w = &s->workers[i];

      text_row_key_free (w->key);
      text_quality_free (w->quality);
      quality_script_free (w->script);
      if (w->converted != NULL)
        g_string_free (w->converted, TRUE);
    }
  text_row_key_free (s->key);
  text_team_free (s->team);
  quality_model_free (s->model);
  quality_report_free (s->report);
  g_clear_error (&s->error);
  g_mutex_clear (&s->lock);
  g_free (s);
}

static gboolean
quality_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  const Config *config = data;
  State *s = g_new0 (State, 1);

  g_mutex_init (&s->lock);
  s->config = config;
  s->host = host;
  s->key = text_row_key_new (fr_host_input (host, "in"), (const char *const *) config->columns, 0);
  s->team = text_team_new ();
  s->wanted = quality_rules_wanted (config);
  s->report = quality_report_new (config, s->wanted);
  s->lot = g_array_new (FALSE, FALSE, sizeof (Judged));
  /* That the tables are there is better known now than later. */
  if (config->script != SCRIPT_KEEP)
    {
      s->workers[0].script = quality_script_new (config->script, error);
      if (s->workers[0].script == NULL)
        {
          quality_close (s);
          return FALSE;
        }
    }
  *state = s;
  return TRUE;
}

static void
fail (State *s, GError *error)
{
  g_mutex_lock (&s->lock);
  if (s->error == NULL)
    s->error = error;
  else
    g_error_free (error);
  g_mutex_unlock (&s->lock);
}

/* TRUE when no thread failed. */
static gboolean
all_well (State *s, GError **error)
{
  if (s->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&s->error));
  return FALSE;
}

static Worker *
worker_of (State *s, guint thread)
{
  Worker *w = &s->workers[thread];

  if (w->key == NULL)
    {
      w->key = text_row_key_copy (s->key);
      w->quality = text_quality_new ();
      w->converted = g_string_new (NULL);
    }
  return w;
}

/* ---- script -------------------------------------------------------------------------- */

static void
convert_part (guint part, guint n_parts, guint thread, gpointer data)
{
  State *s = data;
  Worker *w = worker_of (s, thread);
  const FrBatch *batch = s->judged->batch;
  FrView view = fr_view (batch, s->column);
  gsize from = s->judged->n * part / n_parts, to = s->judged->n * (part + 1) / n_parts;
  GError *error = NULL;

  s->script_changes[part] = 0;
  if (w->script == NULL && (w->script = quality_script_new (s->config->script, &error)) == NULL)
    {
      fail (s, error);
      return;
    }
  for (gsize row = from; row < to; row++)
    {
      guint64 changed;
      gboolean japanese;

      if (quality_script_convert (w->script, fr_view_str (&view, row), w->converted, &changed,
                                  &japanese))
        {
          s->texts[row] = g_memdup2 (w->converted->str, w->converted->len + 1);
          s->lengths[row] = w->converted->len;
          s->script_changes[part] += changed;
        }
      s->japanese[row] |= japanese;
    }
}

/* The column with what its cells became, in a batch that shares the others. */
static FrBatch *
replace_column (State *s, GError **error)
{
  FrBatch *batch = s->judged->batch;
  FrField *field = fr_schema_field (fr_batch_schema (batch), s->column);
  g_autoptr (FrSchema) schema
      = fr_schema_new_simple (fr_field_name (field), fr_field_type (field), NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  FrView view = fr_view (batch, s->column);
  g_autoptr (FrBatch) made = NULL;

  for (gsize row = 0; row < s->judged->n; row++)
    {
      FrStr text = fr_view_str (&view, row);

      if (s->texts[row] != NULL)
        text = (FrStr){ s->texts[row], s->lengths[row] };
      fr_cells_append_str (fr_builder_cells (builder, 0), text.data, text.len);
      fr_builder_end_row (builder, fr_batch_ids (batch)[row]);
    }
  made = fr_builder_finish (builder, error);
  if (made == NULL)
    return NULL;
  return fr_batch_with_column (batch, field, fr_column_ref (fr_batch_column (made, 0)), error);
}

static gboolean
convert_column (State *s, guint8 *changed, GError **error)
{
  guint64 characters = 0;
  gboolean any = FALSE, ok;

  s->texts = g_new0 (char *, s->judged->n);
  s->lengths = g_new0 (gsize, s->judged->n);
  text_team_run (s->team, fr_host_threads (s->host), PARTS, convert_part, s);
  ok = all_well (s, error);
  for (guint part = 0; ok && part < PARTS; part++)
    characters += s->script_changes[part];
  quality_report_script (s->report, 0, characters, 0);
  for (gsize row = 0; row < s->judged->n; row++)
    {
      any |= s->texts[row] != NULL;
      changed[row] |= s->texts[row] != NULL;
    }
  if (ok && any)
    {
      FrBatch *batch = replace_column (s, error);

      ok = batch != NULL;
      if (ok)
        {
          fr_batch_unref (s->judged->batch);
          s->judged->batch = batch;
        }
    }
  for (gsize row = 0; row < s->judged->n; row++)
    g_free (s->texts[row]);
  g_clear_pointer (&s->texts, g_free);
  g_clear_pointer (&s->lengths, g_free);
  return ok;
}

static gboolean
convert (State *s, GError **error)
{
  g_autofree guint8 *changed = g_malloc0 (s->judged->n), *japanese = g_malloc0 (s->judged->n);
  guint64 n_changed = 0, n_japanese = 0;

  s->japanese = japanese;
  for (guint i = 0; i < text_row_key_n_columns (s->key); i++)
    {
      s->column = text_row_key_column (s->key, i);
      if (!convert_column (s, changed, error))
        return FALSE;
    }
  for (gsize row = 0; row < s->judged->n; row++)
    {
      n_changed += changed[row];
      n_japanese += japanese[row];
    }
  quality_report_script (s->report, n_changed, 0, n_japanese);
  return TRUE;
}

/* ---- figures ----------------------------------------------------------------------------- */

static void
measure_part (guint part, guint n_parts, guint thread, gpointer data)
{
  State *s = data;
  Worker *w = worker_of (s, thread);
  gsize from = s->judged->n * part / n_parts, to = s->judged->n * (part + 1) / n_parts;

  text_row_key_open (w->key, s->judged->batch);
  for (gsize row = from; row < to; row++)
    {
      Result *result = &s->judged->results[row];
      FrStr text = text_row_key_text (w->key, row);
      TextLanguageShare share;
      GError *error = NULL;

      text_quality_measure (w->quality, text, result->values);
      result->language = text_language (text, &share);
      result->confidence = share.confidence;
      result->values[VALUE_TOKENS] = result->values[VALUE_PERPLEXITY] = (double) NAN;
      if (s->model == NULL)
        continue;
      result->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
      if (!quality_model_encode (s->model, text, result->ids, &error))
        {
          fail (s, error);
          return;
        }
      result->values[VALUE_TOKENS] = result->ids->len;
      if (!s->wants_perplexity)
        g_clear_pointer (&result->ids, g_array_unref);
      else if (result->ids->len > s->config->perplexity_tokens)
        g_array_set_size (result->ids, (guint) s->config->perplexity_tokens);
    }
}

static gboolean
measure (State *s, FrBatch *batch, GError **error)
{
  Judged judged = { fr_batch_ref (batch), NULL, fr_batch_n_rows (batch) };

  judged.results = g_new0 (Result, judged.n);
  g_array_append_val (s->lot, judged);
  s->judged = &g_array_index (s->lot, Judged, s->lot->len - 1);
  if (s->config->script != SCRIPT_KEEP && !convert (s, error))
    return FALSE;
  text_team_run (s->team, fr_host_threads (s->host), PARTS, measure_part, s);
  if (!all_well (s, error))
    return FALSE;
  for (gsize row = 0; s->wants_perplexity && row < s->judged->n; row++)
    s->lot_tokens += s->judged->results[row].ids->len;
  return TRUE;
}

static gboolean
measure_perplexity (State *s, GError **error)
{
  gsize n = 0, at = 0;
  g_autofree GArray **ids = NULL;
  g_autofree double *perplexities = NULL;

  for (guint i = 0; i < s->lot->len; i++)
    n += g_array_index (s->lot, Judged, i).n;
  ids = g_new (GArray *, n + 1);
  perplexities = g_new (double, n + 1);
  for (guint i = 0; i < s->lot->len; i++)
    for (gsize row = 0; row < g_array_index (s->lot, Judged, i).n; row++)
      ids[at++] = g_array_index (s->lot, Judged, i).results[row].ids;
  if (!quality_model_perplexity (s->model, ids, n, perplexities, error))
    return FALSE;
  at = 0;
  for (guint i = 0; i < s->lot->len; i++)
    for (gsize row = 0; row < g_array_index (s->lot, Judged, i).n; row++)
      g_array_index (s->lot, Judged, i).results[row].values[VALUE_PERPLEXITY] = perplexities[at++];
  return TRUE;
}

/* ---- sending ------------------------------------------------------------------------------ */

static void
append_score (FrCells *cells, guint column, const Result *result, GString *scratch)
{
  if (column == COLUMN_LANGUAGE)
    {
      const char *name = text_language_name (result->language);

      fr_cells_append_str (cells, name, strlen (name));
      return;
    }
  if (column == COLUMN_RULES)
    {
      g_string_truncate (scratch, 0);
      for (guint rule = 0; rule < N_RULES; rule++)
        if (result->fired >> rule & 1)
          g_string_append_printf (scratch, "%s%s", scratch->len > 0 ? "," : "",
                                  quality_rule_name (rule));
      fr_cells_append_str (cells, scratch->str, scratch->len);
      return;
    }
  if (column == COLUMN_CONFIDENCE)
    fr_cells_append_float (cells, result->confidence);
  else if (isnan (result->values[column]))
    fr_cells_append_null (cells);
  else
    fr_cells_append_float (cells, result->values[column]);
}

/* @rows (taken) with the columns that @extra built. */
static FrBatch *
widen (FrBatch *rows, FrBuilder *extra, GError **error)
{
  g_autoptr (FrBatch) wide = rows, more = fr_builder_finish (extra, error);
  guint n = more != NULL ? fr_batch_n_columns (more) : 0;

  for (guint i = 0; wide != NULL && i < n; i++)
    {
      FrBatch *next = fr_batch_with_column (wide, fr_schema_field (fr_batch_schema (more), i),
                                            fr_column_ref (fr_batch_column (more, i)), error);

      fr_batch_unref (wide);
      wide = next;
    }
  return more != NULL ? g_steal_pointer (&wide) : NULL;
}

/* A builder of the columns that are added to rows for out; NULL for none. */
static FrBuilder *
scores_builder (State *s, GArray *columns)
{
  g_autoptr (FrSchema) schema = NULL;
  GPtrArray *fields = g_ptr_array_new ();

  for (guint i = 0; i < N_COLUMNS; i++)
    if (is_scored (s->config, i, s->model != NULL))
      {
        g_autofree char *name = g_strconcat ("quality_", column_name (i), NULL);

        g_array_append_val (columns, i);
        g_ptr_array_add (fields, fr_field_new (name, column_type (i)));
      }
  if (columns->len > 0)
    schema = fr_schema_new ((FrField *const *) fields->pdata, fields->len, NULL);
  g_ptr_array_unref (fields);
  return schema != NULL ? fr_builder_new (schema) : NULL;
}

static FrFlow
send_kept (State *s, const Judged *judged, const guint8 *keep, GError **error)
{
  g_autoptr (GArray) columns = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (FrBuilder) builder = scores_builder (s, columns);
  g_autoptr (GString) scratch = g_string_new (NULL);
  FrBatch *rows = fr_batch_filter (judged->batch, keep);

  for (gsize row = 0; builder != NULL && row < judged->n; row++)
    {
      if (!keep[row])
        continue;
      for (guint i = 0; i < columns->len; i++)
        append_score (fr_builder_cells (builder, i), g_array_index (columns, guint, i),
                      &judged->results[row], scratch);
      fr_builder_end_row (builder, fr_batch_ids (judged->batch)[row]);
    }
  if (builder != NULL && (rows = widen (rows, builder, error)) == NULL)
    return FR_FLOW_ERROR;
  return fr_host_push (s->host, "out", rows, error);
}

static FrFlow
send_dropped (State *s, const Judged *judged, const guint8 *drop, GError **error)
{
  g_autoptr (FrSchema) schema
      = fr_schema_new_simple ("quality_rule", FR_TYPE_UTF8, "quality_reason", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autoptr (GString) reason = g_string_new (NULL);
  FrBatch *rows = fr_batch_filter (judged->batch, drop);

  for (gsize row = 0; row < judged->n; row++)
    {
      const Result *result = &judged->results[row];
      guint rule = 0;

      if (!drop[row])
        continue;
      while (!(result->fired >> rule & 1))
        rule++;
      g_string_truncate (reason, 0);
      quality_reason (s->config, result, reason);
      fr_cells_append_str (fr_builder_cells (builder, 0), quality_rule_name (rule),
                           strlen (quality_rule_name (rule)));
      fr_cells_append_str (fr_builder_cells (builder, 1), reason->str, reason->len);
      fr_builder_end_row (builder, fr_batch_ids (judged->batch)[row]);
    }
  rows = widen (rows, builder, error);
  return rows != NULL ? fr_host_push (s->host, "dropped", rows, error) : FR_FLOW_ERROR;
}

static FrFlow
judge_batch (State *s, Judged *judged, GError **error)
{
  g_autofree guint8 *keep = g_malloc (judged->n);
  FrFlow flow;

  for (gsize row = 0; row < judged->n; row++)
    {
      Result *result = &judged->results[row];

      quality_judge (s->config, s->wanted, result);
      quality_report_add (s->report, s->host, fr_batch_ids (judged->batch)[row], result);
      keep[row] = result->fired == 0 || s->config->action == ACTION_SCORE;
    }
  flow = send_kept (s, judged, keep, error);
  if (flow == FR_FLOW_CANCELLED || flow == FR_FLOW_ERROR)
    return flow;
  for (gsize row = 0; row < judged->n; row++)
    keep[row] = !keep[row];
  return send_dropped (s, judged, keep, error);
}

static FrFlow
end_lot (State *s, GError **error)
{
  FrFlow flow = FR_FLOW_OK;

  if (s->wants_perplexity && s->lot->len > 0 && !measure_perplexity (s, error))
    {
      if (!fr_host_is_cancelled (s->host))
        return FR_FLOW_ERROR;
      g_clear_error (error);
      return FR_FLOW_CANCELLED;
    }
  for (guint i = 0; i < s->lot->len; i++)
    {
      flow = judge_batch (s, &g_array_index (s->lot, Judged, i), error);
      if (flow == FR_FLOW_CANCELLED || flow == FR_FLOW_ERROR)
        return flow;
    }
  clear_lot (s);
  return FR_FLOW_OK;
}

/* ---- run ------------------------------------------------------------------------------------- */

static gboolean
take_model (State *s, GError **error)
{
  GError *failed = NULL;
  gboolean asked
      = s->config->limits[RULE_min_perplexity] > 0 || s->config->limits[RULE_max_perplexity] > 0;

  if (!quality_model_known ())
    return TRUE;
  s->model = quality_model_new (s->host, s->config, &failed);
  if (failed != NULL)
    {
      g_propagate_error (error, failed);
      return FALSE;
    }
  s->wants_perplexity
      = s->model != NULL && (asked || is_scored (s->config, VALUE_PERPLEXITY, TRUE));
  return TRUE;
}

static FrFlow
quality_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  FrFlow flow;

  s->host = host;
  if (!take_model (s, error))
    return FR_FLOW_ERROR;
  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;

      if (fr_host_is_cancelled (host))
        return FR_FLOW_CANCELLED;
      flow = fr_host_next (host, "in", &batch, error);
      if (flow == FR_FLOW_DONE)
        break;
      if (flow != FR_FLOW_OK)
        return flow;
      if (!measure (s, batch, error))
        return FR_FLOW_ERROR;
      if (s->wants_perplexity && s->lot->len < LOT_BATCHES && s->lot_tokens < LOT_TOKENS)
        continue;
      flow = end_lot (s, error);
      if (flow != FR_FLOW_OK)
        return flow;
    }
  flow = end_lot (s, error);
  if (flow == FR_FLOW_OK)
    quality_report_tell (s->report, host);
  return flow;
}

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.quality",
  .revision = 1,
  .summary = "drop or score rows by language, repetition, symbols, length and perplexity",
  .details = details,
  .example
  = "{\"columns\": \"text\", \"languages\": [\"zh-Hans\", \"en\"], \"min_characters\": 20}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = outputs,
  .configure = quality_configure,
  .bind = quality_bind,
  .open = quality_open,
  .run = quality_run,
  .close = quality_close,
};

FR_PLUGIN ("quality", PACKAGE_VERSION, "rows worth learning from", "Apache-2.0", "flowrun",
           &element)
