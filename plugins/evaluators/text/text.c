/* SPDX-License-Identifier: Apache-2.0 */
/* text.c: evaluator.text, records and answers to scores: parameters, ports, what is scored.
 *
 *   rows --answers of models, or columns--> texts --text_scorer_row--> statistics --tally--> report
 *
 * Scores are those of text/score.h, intervals and p those of stats.h, answers
 * those of lm/answer.h, leaks those of text/leak.h and text/near.h: what is
 * here brings them together.
 */
#include "config.h"

#include "text.h"

#include <math.h>
#include <string.h>

#include "text-details.h"

static const FrEnumValue *const tokenizes[]
    = { FR_ENUM ("auto", TOKENIZE_AUTO, "zh where most references are Chinese, else 13a"),
        FR_ENUM ("13a", TOKENIZE_13A,
                 "BLEU as sacreBLEU's default, ROUGE over a-z and 0-9 as rouge-score"),
        FR_ENUM ("zh", TOKENIZE_ZH, "BLEU as sacreBLEU's zh, ROUGE over characters"),
        FR_ENUM ("zh-fixed", TOKENIZE_ZH_FIXED, "zh without the slip in sacreBLEU's ranges"),
        FR_ENUM ("char", TOKENIZE_CHAR, "characters"),
        FR_ENUM ("words", TOKENIZE_WORDS, "words of a dictionary, also in Chinese"),
        FR_ENUM ("intl", TOKENIZE_INTL, "BLEU as sacreBLEU's intl, ROUGE over words"),
        FR_ENUM ("none", TOKENIZE_NONE, "words as white space parts them"),
        NULL };

static const FrParam *const params[] = {
  FR_PARAM_COLUMN ("input", Config, input, FR_TYPES_TEXT,
                   "column of the question, in place of 'input' or 'messages'",
                   .example = "\"title\""),
  FR_PARAM_COLUMN ("reference", Config, reference, FR_TYPES_TEXT,
                   "column of the text that is right; none given: 'output', the last message, or "
                   "'reference'",
                   .example = "\"output\""),
  FR_PARAM_STRING ("candidate", Config, candidate,
                   "column of texts to score, of `candidates` or `in`; none given: the model "
                   "answers, or without one 'generated'",
                   .example = "\"generated\""),
  FR_PARAM_STRING ("baseline", Config, baseline,
                   "column of texts to compare with; none given: the model at `baseline` answers"),
  FR_PARAM_STRINGS ("metrics", Config, metrics, "what is scored",
                    .def = "[\"bleu\", \"chrf\", \"chrf++\", \"rouge\", \"distinct\", "
                           "\"repetition\", \"length\", \"exact\"]",
                    .pattern = "bleu|bleu_nltk|chrf|chrf\\+\\+|ter|rouge|rouge1|rouge2|rougeL|"
                               "rougeLsum|distinct|repetition|length|exact"),
  FR_PARAM_ENUM ("tokenize", Config, tokenize, tokenizes, "what a token is", .def = "auto"),
  FR_PARAM_BOOL ("strip_think", Config, strip_think,
                 "reasoning up to </think> is left out of what is scored", .def = "true"),
  LM_ANSWER_PARAMS (Config, answer, "512", "0", "64", "float"),
  FR_PARAM_INT ("samples", Config, samples, 1, 1000,
                "answers to each row, of which the report gives mean and deviation", .def = "1"),
  FR_PARAM_COLUMNS ("by", Config, by, FR_TYPES_ANY, "columns whose values are scored apart",
                    .example = "[\"category\", \"audience\"]"),
  FR_PARAM_STRING ("rank_by", Config, rank_by,
                   "score that says which rows gain and lose most; none given: chrF if it is there",
                   .example = "\"rougeL_f\""),
  FR_PARAM_INT ("examples", Config, examples, 0, 100,
                "rows whose texts the report shows: so many of the largest gains, of the largest "
                "losses, and of any",
                .def = "8", .unit = "rows"),
  FR_PARAM_INT ("resamples", Config, resamples, 1, 1000000, "draws behind an interval and a p",
                .def = "1000"),
  FR_PARAM_FLOAT ("level", Config, level, 0.5, 0.9999, "of intervals", .def = "0.95"),
  FR_PARAM_FLOAT ("leak_share", Config, leak_share, 0, 1,
                  "a row leaks when more than this share of its reference's 13-grams is in train; "
                  "0: one is enough",
                  .def = "0"),
  FR_PARAM_FLOAT ("leak_near", Config, leak_near, 0.5, 1,
                  "a row leaks when its reference is so much like one in train (Jaccard)",
                  .def = "0.8"),
  FR_PARAM_JSON ("fail_under", Config, fail_under,
                 "scores and the least each must be; less ends the run with status 3",
                 .schema = TALLY_LIMITS_SCHEMA,
                 .example = "{\"chrf\": 30, \"gain.chrf\": 0}"),
  FR_PARAM_JSON ("fail_over", Config, fail_over,
                 "scores and the most each may be; more ends the run with status 3",
                 .schema = TALLY_LIMITS_SCHEMA,
                 .example = "{\"leak\": 0.01, \"cut_off\": 0.05}"),
  NULL
};

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_RECORDS,
                 "rows with references: input and output, messages, or columns",
                 .flags = FR_PORT_MANY | FR_PORT_REWINDABLE),
        FR_PORT ("candidates", FR_PORT_RECORDS,
                 "rows with texts to score, one for each row of `in`, in its order",
                 .flags = FR_PORT_OPTIONAL | FR_PORT_MANY),
        FR_PORT ("train", FR_PORT_RECORDS, "rows that the model learned, to look for leaks",
                 .flags = FR_PORT_OPTIONAL | FR_PORT_MANY | FR_PORT_REWINDABLE),
        FR_PORT ("model", FR_PORT_MODEL, "the model that answers", .flags = FR_PORT_OPTIONAL,
                 .object = &lm_model_type),
        FR_PORT ("baseline", FR_PORT_MODEL, "a model to compare with", .flags = FR_PORT_OPTIONAL,
                 .object = &lm_model_type),
        NULL };

static const FrPort *const outputs[]
    = { FR_PORT ("report", FR_PORT_REPORT, "what was scored", .flags = FR_PORT_OPTIONAL,
                 .object = &fr_report_type),
        FR_PORT ("out", FR_PORT_RECORDS, "the rows with texts, scores and leaks",
                 .flags = FR_PORT_OPTIONAL),
        NULL };

/* ---- figures ----------------------------------------------------------------------------------
 */

typedef struct
{
  TextScorer *scorer;
  gsize index;
} ScorerFigure;

static double
score_text (const double *sum, gpointer data)
{
  const ScorerFigure *f = data;

  return text_scorer_value (f->scorer, sum, TEXT_SCORE_CORPUS, f->index);
}

/* The share of rows that an extra statistic counts. */
static double
score_extra (const double *sum, gpointer data)
{
  const gsize *at = data; /* of the statistic, and of what it is a share of */

  return sum[at[1]] > 0 ? sum[at[0]] / sum[at[1]] : NAN;
}

static const struct
{
  const char *name, *title;
  int better;
  guint at, of;
} extras[] = {
  { "cut_off", "Answers cut off", -1, EXTRA_CUT, EXTRA_ANSWERED },
  { "think", "Texts with reasoning", 0, EXTRA_THINK, EXTRA_ROWS },
  { "think_open", "Reasoning never ended", -1, EXTRA_OPEN, EXTRA_ROWS },
  { "empty", "Empty texts", -1, EXTRA_EMPTY, EXTRA_ROWS },
};

static const char *const extra_limits[] = { "leak", "rejected", NULL };

static void
set_units (TextScoreOptions *o, int tokenize, gboolean chinese)
{
  static const TextUnit units[] = {
    [TOKENIZE_13A] = TEXT_UNIT_13A,           [TOKENIZE_ZH] = TEXT_UNIT_ZH,
    [TOKENIZE_ZH_FIXED] = TEXT_UNIT_ZH_FIXED, [TOKENIZE_CHAR] = TEXT_UNIT_CHAR,
    [TOKENIZE_WORDS] = TEXT_UNIT_WORDS,       [TOKENIZE_INTL] = TEXT_UNIT_INTL,
    [TOKENIZE_NONE] = TEXT_UNIT_NONE,
  };

  if (tokenize == TOKENIZE_AUTO)
    tokenize = chinese ? TOKENIZE_ZH : TOKENIZE_13A;
  if (tokenize == TOKENIZE_ZH || tokenize == TOKENIZE_ZH_FIXED)
    text_score_options_chinese (o);
  o->bleu.unit = units[tokenize];
  if (tokenize == TOKENIZE_CHAR || tokenize == TOKENIZE_WORDS || tokenize == TOKENIZE_NONE)
    o->rouge.unit = o->unit = units[tokenize];
  else if (tokenize == TOKENIZE_INTL)
    o->rouge.unit = TEXT_UNIT_WORDS;
}

static void
add_scorer_figure (Figures *figures, const TextFigure *f, gsize index)
{
  ScorerFigure *data;
  TallyFigure one = { .name = f->name,
                      .title = f->title,
                      .unit = f->unit,
                      .scale = "points of 100",
                      .factor = f->max == 100 ? 1 : 100,
                      .better = f->better,
                      .main = f->headline,
                      .score = score_text };

  text_scorer_stats_range (figures->scorer, index, &one.first, &one.n);
  data = g_new (ScorerFigure, 1);
  *data = (ScorerFigure){ figures->scorer, index };
  one.data = data;
  g_ptr_array_add (figures->data, data);
  g_array_append_val (figures->figures, one);
  if (f->of_row && f->headline)
    g_array_append_val (figures->of_row, index);
}

static void
add_extra_figure (Figures *figures, guint i)
{
  gsize *at = g_new (gsize, 2);
  TallyFigure one = { .name = extras[i].name,
                      .title = extras[i].title,
                      .scale = "points of 100",
                      .factor = 100,
                      .better = extras[i].better,
                      .main = extras[i].at == EXTRA_CUT,
                      .first = figures->width,
                      .n = N_EXTRA,
                      .score = score_extra,
                      .data = at };

  at[0] = figures->width + extras[i].at;
  at[1] = figures->width + extras[i].of;
  g_ptr_array_add (figures->data, at);
  g_array_append_val (figures->figures, one);
}

/* The scorer's figure that rows are ranked by: the one asked for, chrF, or the first of rows. */
static gboolean
choose_rank (Figures *figures, const Config *c, GError **error)
{
  gsize n;
  const TextFigure *all = text_scorer_figures (figures->scorer, &n);
  const char *wanted = c->rank_by != NULL ? c->rank_by : "chrf";
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (gsize i = 0; i < n; i++)
    if (all[i].of_row && all[i].better != 0)
      {
        if (names->len == 0 || strcmp (all[i].name, wanted) == 0)
          figures->rank = i;
        g_ptr_array_add (names, (gpointer) all[i].name);
      }
  g_ptr_array_add (names, NULL);
  figures->lower = all[figures->rank].better < 0;
  if (c->rank_by == NULL || strcmp (all[figures->rank].name, wanted) == 0)
    return TRUE;
  wanted = fr_suggest (c->rank_by, (const char *const *) names->pdata);
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "rank_by: rows have no score '%s' among those asked for%s%s%s", c->rank_by,
               wanted != NULL ? "; did you mean '" : "", wanted != NULL ? wanted : "",
               wanted != NULL ? "'?" : "");
  return FALSE;
}

static void
add_column (Figures *figures, const char *name, FrType type)
{
  AddedColumn column = { g_intern_string (name), type };

  g_array_append_val (figures->columns, column);
}

static void
make_columns (Figures *figures, gboolean answers, gboolean leak)
{
  const struct
  {
    const char *name;
    FrType type;
    gboolean wanted;
  } ours[N_ADD] = {
    [ADD_REFERENCE] = { "reference", FR_TYPE_UTF8, TRUE },
    [ADD_CANDIDATE] = { "candidate", FR_TYPE_UTF8, TRUE },
    [ADD_BASELINE] = { "baseline", FR_TYPE_UTF8, figures->baseline },
    [ADD_STOP] = { "stop_reason", FR_TYPE_UTF8, answers },
    [ADD_GAIN] = { "gain", FR_TYPE_FLOAT64, figures->baseline },
    [ADD_LEAK] = { "leak", FR_TYPE_UTF8, leak },
    [ADD_LEAK_SHARE] = { "leak_share", FR_TYPE_FLOAT64, leak },
    [ADD_LEAK_NEAR] = { "leak_near", FR_TYPE_FLOAT64, leak },
  };
  gsize n;
  const TextFigure *all = text_scorer_figures (figures->scorer, &n);

  for (guint i = 0; i < N_ADD; i++)
    {
      figures->at[i] = ours[i].wanted ? (int) figures->columns->len : -1;
      if (ours[i].wanted)
        add_column (figures, ours[i].name, ours[i].type);
    }
  figures->scores = figures->columns->len;
  for (guint i = 0; i < figures->of_row->len; i++)
    {
      const char *name = all[g_array_index (figures->of_row, gsize, i)].name;
      g_autofree char *other = g_strconcat ("baseline_", name, NULL);

      add_column (figures, name, FR_TYPE_FLOAT64);
      if (figures->baseline)
        add_column (figures, other, FR_TYPE_FLOAT64);
    }
}

gboolean
figures_make (Figures *figures, const Config *c, gboolean chinese, gboolean baseline, gboolean leak,
              GError **error)
{
  TextScoreOptions options;
  const TextFigure *all;
  gsize n;

  text_score_options_init (&options);
  options.metrics = 0;
  for (guint i = 0; c->metrics != NULL && c->metrics[i] != NULL; i++)
    options.metrics |= text_metric_from_name (c->metrics[i]);
  set_units (&options, c->tokenize, chinese);
  *figures = (Figures){ .scorer = text_scorer_new (&options, error), .baseline = baseline };
  if (figures->scorer == NULL)
    return FALSE;
  figures->width = text_scorer_n_stats (figures->scorer);
  figures->figures = g_array_new (FALSE, TRUE, sizeof (TallyFigure));
  figures->data = g_ptr_array_new_with_free_func (g_free);
  figures->of_row = g_array_new (FALSE, FALSE, sizeof (gsize));
  figures->columns = g_array_new (FALSE, FALSE, sizeof (AddedColumn));
  all = text_scorer_figures (figures->scorer, &n);
  for (gsize i = 0; i < n; i++)
    if (strcmp (all[i].name, "rows") != 0)
      add_scorer_figure (figures, &all[i], i);
  for (guint i = 0; i < G_N_ELEMENTS (extras); i++)
    add_extra_figure (figures, i);
  make_columns (figures, c->candidate == NULL, leak);
  return choose_rank (figures, c, error);
}

void
figures_clear (Figures *figures)
{
  g_clear_pointer (&figures->scorer, text_scorer_free);
  g_clear_pointer (&figures->figures, g_array_unref);
  g_clear_pointer (&figures->data, g_ptr_array_unref);
  g_clear_pointer (&figures->of_row, g_array_unref);
  g_clear_pointer (&figures->columns, g_array_unref);
}

/* ---- texts of rows ----------------------------------------------------------------------------
 */

static const char *
string_member (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static char *
last_content (JsonArray *messages)
{
  guint n = messages != NULL ? json_array_get_length (messages) : 0;

  return n > 0
             ? g_strdup (string_member (json_array_get_object_element (messages, n - 1), "content"))
             : NULL;
}

char *
source_text (const Source *source, const FrBatch *batch, gsize row)
{
  g_autoptr (JsonArray) messages = NULL;
  FrView view;
  FrStr text;

  if (source->record != NULL)
    {
      messages = lm_record_messages (source->record, batch, row, NULL);
      return last_content (messages);
    }
  if (source->column < 0)
    return NULL;
  view = fr_view (batch, (guint) source->column);
  text = fr_view_str (&view, row);
  return text.data != NULL ? g_strndup (text.data, text.len) : NULL;
}

char *
question_text (LmRecord *record, const FrBatch *batch, gsize row)
{
  g_autoptr (JsonArray) messages
      = record != NULL ? lm_record_messages (record, batch, row, NULL) : NULL;

  return last_content (messages);
}

void
shown_free (gpointer data)
{
  Shown *shown = data;

  g_free (shown->id);
  g_free (shown->question);
  g_free (shown->reference);
  for (guint i = 0; i < TALLY_N_SYSTEMS; i++)
    g_free (shown->texts[i]);
  g_free (shown);
}

/* ---- configure and bind -------------------------------------------------------------------------
 */

static gboolean
text_configure (gpointer data, FrProblems *problems)
{
  const Config *c = data;
  gboolean ok = lm_answer_configure (&c->answer, problems);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  Figures figures;

  if (!figures_make (&figures, c, FALSE, FALSE, FALSE, &error))
    {
      fr_problems_add (problems,
                       g_str_has_prefix (error->message, "rank_by") ? "/rank_by" : "/metrics", "%s",
                       error->message);
      figures_clear (&figures);
      return FALSE;
    }
  for (guint i = 0; i < figures.figures->len; i++)
    g_ptr_array_add (names, (gpointer) g_array_index (figures.figures, TallyFigure, i).name);
  g_ptr_array_add (names, NULL);
  ok &= tally_check_limits (c->fail_under, "/fail_under", (const char *const *) names->pdata,
                            extra_limits, problems);
  ok &= tally_check_limits (c->fail_over, "/fail_over", (const char *const *) names->pdata,
                            extra_limits, problems);
  figures_clear (&figures);
  return ok;
}

static gboolean
is_text (const FrSchema *schema, int column)
{
  return column >= 0
         && (FR_TYPES (fr_field_type (fr_schema_field (schema, (guint) column))) & FR_TYPES_TEXT);
}

/* Where @schema has the answer that is right; FALSE: nowhere. */
static gboolean
find_answer (const FrSchema *schema, const char *named, Source *source)
{
  *source = (Source){ .column = named != NULL ? fr_schema_find (schema, named) : -1 };
  if (is_text (schema, source->column))
    return TRUE;
  if (fr_schema_find (schema, "messages") >= 0
      && (source->record = lm_record_new (schema, TRUE, NULL)) != NULL)
    return TRUE;
  source->column = fr_schema_find (schema, "output");
  if (!is_text (schema, source->column))
    source->column = fr_schema_find (schema, "reference");
  return is_text (schema, source->column);
}

static gboolean
bind_column (FrBind *bind, const char *name, const char *pointer)
{
  const char *const ports[] = { "candidates", "in" };
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *near;

  if (name == NULL)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (ports); i++)
    {
      FrSchema *schema = fr_bind_input (bind, ports[i]);
      int at = schema != NULL ? fr_schema_find (schema, name) : -1;

      if (is_text (schema, at))
        return TRUE;
      for (guint k = 0; schema != NULL && k < fr_schema_n_fields (schema); k++)
        g_ptr_array_add (names, g_strdup (fr_field_name (fr_schema_field (schema, k))));
    }
  g_ptr_array_add (names, NULL);
  near = fr_suggest (name, (const char *const *) names->pdata);
  fr_bind_problem (bind, pointer, "there is no column of text '%s' at `candidates` or `in`%s%s%s",
                   name, near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                   near != NULL ? "'?" : "");
  return FALSE;
}

/* The column of texts where no model answers and none is named. */
#define GENERATED "generated"

static gboolean
bind_texts (const Config *c, FrBind *bind)
{
  FrSchema *beside = fr_bind_input (bind, "candidates"), *in = fr_bind_input (bind, "in");
  gboolean model = fr_bind_has_input (bind, "model");

  if (!bind_column (bind, c->candidate, "/candidate")
      || !bind_column (bind, c->baseline, "/baseline"))
    return FALSE;
  if (c->candidate != NULL && model)
    fr_bind_warn (bind, "/candidate",
                  "the texts of this column are scored, so the model is not asked");
  if (c->candidate == NULL && !model
      && !(beside != NULL && is_text (beside, fr_schema_find (beside, GENERATED)))
      && !is_text (in, fr_schema_find (in, GENERATED)))
    {
      fr_bind_problem (bind, "",
                       "nothing says what to score: connect a model to 'model', or name the "
                       "column of texts with 'candidate'");
      return FALSE;
    }
  return TRUE;
}

static gboolean
text_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *c = data;
  FrSchema *in = fr_bind_input (bind, "in"), *train = fr_bind_input (bind, "train");
  gboolean answers = (c->candidate == NULL && fr_bind_has_input (bind, "model"))
                     || (c->baseline == NULL && fr_bind_has_input (bind, "baseline"));
  LmRecord *record = NULL;
  Source source;
  Figures figures;
  gboolean ok;

  if (in == NULL)
    return TRUE;
  if (!find_answer (in, c->reference, &source))
    {
      fr_bind_problem (bind, "/reference",
                       "there is no column 'output', 'messages' or 'reference'; name "
                       "the column of the text that is right");
      return FALSE;
    }
  g_clear_pointer (&source.record, lm_record_free);
  if (!bind_texts (c, bind))
    return FALSE;
  if (answers && (record = lm_record_new_named (in, c->input, FALSE, error)) == NULL)
    return FALSE;
  g_clear_pointer (&record, lm_record_free);
  if (train != NULL && !find_answer (train, c->reference, &source))
    {
      fr_bind_problem (bind, "", "'train' has no column '%s' to look for leaks in",
                       c->reference != NULL ? c->reference : "output");
      return FALSE;
    }
  if (train != NULL)
    g_clear_pointer (&source.record, lm_record_free);
  ok = figures_make (&figures, c, FALSE,
                     c->baseline != NULL || fr_bind_has_input (bind, "baseline"), train != NULL,
                     error);
  if (ok)
    fr_bind_output (bind, "out",
                    added_schema (in, (const AddedColumn *) (gpointer) figures.columns->data,
                                  figures.columns->len));
  figures_clear (&figures);
  tally_bind_limits (bind, c->fail_under, c->fail_over);
  return ok;
}

/* ---- life
 * ---------------------------------------------------------------------------------------- */

static gboolean
text_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  State *s = g_new0 (State, 1);

  (void) error;
  s->config = data;
  s->host = host;
  s->gains = g_ptr_array_new_with_free_func (shown_free);
  s->losses = g_ptr_array_new_with_free_func (shown_free);
  s->some = g_ptr_array_new_with_free_func (shown_free);
  s->question_of_row = g_array_new (FALSE, FALSE, sizeof (guint64));
  *state = s;
  return TRUE;
}

static void
text_close (gpointer state)
{
  State *s = state;

  for (guint i = 0; i < TALLY_N_SYSTEMS; i++)
    {
      g_clear_pointer (&s->answerers[i], lm_answerer_free);
      g_clear_pointer (&s->distinct[i], text_distinct_free);
      g_clear_pointer (&s->sample_sums[i], g_array_unref);
    }
  g_clear_pointer (&s->reference.record, lm_record_free);
  g_clear_pointer (&s->train_text.record, lm_record_free);
  g_clear_pointer (&s->question, lm_record_free);
  g_clear_pointer (&s->train_question, lm_record_free);
  g_clear_pointer (&s->tally, tally_free);
  figures_clear (&s->figures);
  g_clear_pointer (&s->leak, text_leak_free);
  g_clear_pointer (&s->near, text_near_free);
  g_clear_pointer (&s->questions, g_hash_table_unref);
  g_array_unref (s->question_of_row);
  g_ptr_array_unref (s->gains);
  g_ptr_array_unref (s->losses);
  g_ptr_array_unref (s->some);
  g_free (s);
}

/* ---- run
 * ------------------------------------------------------------------------------------------- */

/* The column called @name, of port "candidates" if it is there, else of "in". */
static gboolean
find_texts (State *s, TallySystem system, const char *name)
{
  FrSchema *beside = fr_host_input (s->host, "candidates"), *in = fr_host_input (s->host, "in");
  int at = beside != NULL ? fr_schema_find (beside, name) : -1;

  s->beside[system] = beside != NULL && is_text (beside, at);
  if (!s->beside[system])
    at = fr_schema_find (in, name);
  s->texts[system] = (Source){ .column = is_text (s->beside[system] ? beside : in, at) ? at : -1 };
  return s->texts[system].column >= 0;
}

/* A column, a model, or nothing (FR_FLOW_DONE). */
static FrFlow
take_texts (State *s, TallySystem system, const char *column, const char *port, GError **error)
{
  g_autoptr (FrObject) object = NULL;
  FrFlow flow;

  s->texts[system].column = -1;
  if (column != NULL)
    {
      if (find_texts (s, system, column))
        return FR_FLOW_OK;
      g_set_error (error, FR_ERROR, FR_ERROR_TYPE, "there is no column of text '%s'", column);
      return FR_FLOW_ERROR;
    }
  flow = fr_host_next_object (s->host, port, &object, error);
  if (flow != FR_FLOW_OK)
    return flow;
  s->answerers[system] = lm_answerer_new (s->host, &s->config->answer, (LmModel *) object, error);
  return s->answerers[system] != NULL ? FR_FLOW_OK : FR_FLOW_ERROR;
}

static FrFlow
take_systems (State *s, GError **error)
{
  const Config *c = s->config;
  FrFlow flow = take_texts (s, TALLY_CANDIDATE, c->candidate, "model", error);

  if (flow == FR_FLOW_DONE && !find_texts (s, TALLY_CANDIDATE, GENERATED))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "nothing says what to score: connect a model to 'model', or name the column of "
                   "texts with 'candidate'");
      return FR_FLOW_ERROR;
    }
  if (flow == FR_FLOW_CANCELLED || flow == FR_FLOW_ERROR)
    return flow;
  flow = take_texts (s, TALLY_BASELINE, c->baseline, "baseline", error);
  s->has_baseline = flow == FR_FLOW_OK;
  s->samples = 1;
  for (guint i = 0; i < TALLY_N_SYSTEMS; i++)
    if (s->answerers[i] != NULL && lm_answerer_draws (s->answerers[i]))
      s->samples = c->samples;
  if (s->samples < c->samples)
    fr_host_warn (s->host,
                  "samples: with temperature 0 a model always answers the same, so it answers "
                  "once");
  return flow == FR_FLOW_DONE ? FR_FLOW_OK : flow;
}

static gboolean
take_columns (State *s, GError **error)
{
  const Config *c = s->config;
  FrSchema *in = fr_host_input (s->host, "in"), *train = fr_host_input (s->host, "train");
  gboolean asks = s->answerers[0] != NULL || s->answerers[1] != NULL;

  if (!find_answer (in, c->reference, &s->reference)
      || (train != NULL && !find_answer (train, c->reference, &s->train_text)))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_TYPE, "there is no column of references");
      return FALSE;
    }
  s->question = lm_record_new_named (in, c->input, FALSE, asks ? error : NULL);
  if (s->question == NULL && asks)
    return FALSE;
  s->has_train = train != NULL;
  s->has_beside = fr_host_input (s->host, "candidates") != NULL;
  if (train != NULL)
    {
      const char *input
          = c->input != NULL && fr_schema_find (train, c->input) >= 0 ? c->input : NULL;

      s->train_question = lm_record_new_named (train, input, FALSE, NULL);
    }
  return TRUE;
}

static FrFlow
text_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  FrFlow flow;

  s->host = host;
  flow = take_systems (s, error);
  if (flow != FR_FLOW_OK)
    return flow;
  if (!take_columns (s, error))
    return FR_FLOW_ERROR;
  flow = look_at_rows (s, error);
  if (flow == FR_FLOW_OK)
    flow = score_rows (s, error);
  return flow == FR_FLOW_OK ? tell (s, error) : flow;
}

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_EVALUATOR,
  .name = "evaluator.text",
  .revision = 1,
  .summary = "scores a model's answers, or texts, against references; compares two",
  .details = details,
  .example = "{\"candidate\": \"generated\", \"fail_under\": {\"chrf\": 20}}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = outputs,
  .configure = text_configure,
  .bind = text_bind,
  .open = text_open,
  .run = text_run,
  .close = text_close,
};

FR_PLUGIN ("text-scores", PACKAGE_VERSION, "scores of texts", "Apache-2.0", "flowrun", &element)
