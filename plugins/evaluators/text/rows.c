/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c: the second reading of evaluator.text: questions, answers, statistics, rows out.
 *
 * Rows go through in groups, so that a model has enough to answer at once and
 * no more than a group's texts are held.
 */
#include "config.h"

#include "text.h"

#include <math.h>
#include <string.h>

#define TEXT_BYTES 4000 /* of a text that the report shows */
/* A longer text is no answer: ROUGE-L takes the product of two lengths. */
#define MOST_BYTES (1 << 20)
#define SHOWN_SALT G_GUINT64_CONSTANT (0x73686f776e)

/* A row at work. */
typedef struct
{
  gsize row;  /* in the batch */
  guint64 at; /* of all */
  FrRowId id;
  char *reference;                   /* as it is scored */
  char *given[TALLY_N_SYSTEMS];      /* of a column; NULL: the model answers */
  const char *text[TALLY_N_SYSTEMS]; /* the first sample, as it is scored */
  const char *stop;                  /* of the candidate; NULL: a column */
  double *stats[TALLY_N_SYSTEMS];    /* of all samples added up */
  Verdict verdict;
} Item;

static void
clear_item (gpointer data)
{
  Item *item = data;

  g_free (item->reference);
  for (guint i = 0; i < TALLY_N_SYSTEMS; i++)
    {
      g_free (item->given[i]);
      g_free (item->stats[i]);
    }
}

/* ---- texts beside
 * --------------------------------------------------------------------------------- */

/* The port "candidates", a row at a time. */
typedef struct
{
  FrBatch *batch;
  gsize row;
  guint64 n;
} Beside;

static FrFlow
next_beside (State *s, Beside *b, GError **error)
{
  FrFlow flow;

  if (b->batch != NULL && ++b->row < fr_batch_n_rows (b->batch))
    {
      b->n++;
      return FR_FLOW_OK;
    }
  g_clear_pointer (&b->batch, fr_batch_unref);
  b->row = 0;
  flow = fr_host_next (s->host, "candidates", &b->batch, error);
  b->n += flow == FR_FLOW_OK;
  return flow;
}

static FrFlow
numbers_differ (const State *s, guint64 n, gboolean more, GError **error)
{
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "'in' has %" G_GUINT64_FORMAT " rows and 'candidates' has %s%" G_GUINT64_FORMAT
               "; they are read side by side and must have as many",
               s->n_in, more ? "more than " : "", n);
  return FR_FLOW_ERROR;
}

/* ---- questions
 * -------------------------------------------------------------------------------------- */

typedef struct
{
  State *s;
  const FrBatch *batch;
  GArray *items; /* Item */
  LmAnswers *answers[TALLY_N_SYSTEMS];
} Group;

static gboolean
is_blank (const char *text)
{
  return text == NULL || text[strspn (text, " \t\r\n")] == '\0';
}

static void
reject (Group *g, gsize row, const char *rule, const char *why)
{
  g->s->n_rejected++;
  fr_host_reject (g->s->host, g->batch, row, rule, "%s", why);
}

/* The reference as it is scored; NULL: it has none, and was rejected. */
static char *
take_reference (Group *g, gsize row)
{
  g_autofree char *text = source_text (&g->s->reference, g->batch, row);
  const char *answer = text;

  if (is_blank (text))
    {
      reject (g, row, "no_reference",
              text == NULL ? "the reference is missing" : "the reference is empty");
      return NULL;
    }
  if (g->s->config->strip_think)
    lm_think_split (text, strlen (text), FALSE, &answer);
  if (strlen (answer) > MOST_BYTES)
    {
      reject (g, row, "too_large", "the reference has more than 1 MiB");
      return NULL;
    }
  if (!is_blank (answer))
    return g_strdup (answer);
  reject (g, row, "no_reference", "nothing of the reference is left behind its reasoning");
  return NULL;
}

/* Questions to a system, one a sample; FALSE: the row was rejected. */
static gboolean
ask (Group *g, guint system, const Item *item)
{
  State *s = g->s;
  LmAnswers *answers = g->answers[system];
  guint before = answers->jobs->len;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonArray) messages = lm_record_messages (s->question, g->batch, item->row, &error);
  const char *rule = "no_prompt";

  for (gint64 k = 0; messages != NULL && k < s->samples; k++)
    if (!lm_answerer_ask (s->answerers[system], answers, messages,
                          fr_host_random (s->host, item->id, (guint64) k), &rule, &error))
      break;
  if (error == NULL)
    return TRUE;
  /* What the other system was asked goes with it. */
  g_assert (answers->jobs->len == before);
  reject (g, item->row, rule, error->message);
  return FALSE;
}

static void
forget_last (LmAnswers *answers, guint n)
{
  g_array_set_size (answers->jobs, answers->jobs->len - n);
  g_array_set_size (answers->opened, answers->opened->len - n);
  g_ptr_array_set_size (answers->prompts, (int) (answers->prompts->len - n));
}

/* Texts of columns, questions to models; FALSE: the row was rejected. */
static gboolean
take_systems (Group *g, Item *item, const Beside *beside)
{
  State *s = g->s;

  for (guint i = 0; i < (s->has_baseline ? 2u : 1u); i++)
    {
      if (s->answerers[i] != NULL)
        {
          if (!ask (g, i, item))
            {
              if (i > 0 && s->answerers[0] != NULL)
                forget_last (g->answers[0], (guint) s->samples);
              return FALSE;
            }
          continue;
        }
      item->given[i] = source_text (&s->texts[i], s->beside[i] ? beside->batch : g->batch,
                                    s->beside[i] ? beside->row : item->row);
      if (item->given[i] != NULL && strlen (item->given[i]) <= MOST_BYTES)
        continue;
      if (item->given[i] != NULL)
        reject (g, item->row, "too_large", "a text has more than 1 MiB");
      else
        reject (g, item->row, i == 0 ? "no_candidate" : "no_baseline",
                i == 0 ? "the candidate is missing" : "the baseline's text is missing");
      if (i > 0 && s->answerers[0] != NULL)
        forget_last (g->answers[0], (guint) s->samples);
      return FALSE;
    }
  return TRUE;
}

static void
add_item (Group *g, gsize row, guint64 at, const Beside *beside)
{
  Item item = { .row = row, .at = at, .id = fr_batch_ids (g->batch)[row] };

  item.reference = take_reference (g, row);
  if (item.reference == NULL || !take_systems (g, &item, beside))
    {
      clear_item (&item);
      return;
    }
  item.verdict = verdict_of (g->s, at);
  g_array_append_val (g->items, item);
}

/* ---- scores
 * --------------------------------------------------------------------------------------------- */

/* Adds the statistics of one text. */
static void
score_text (State *s, guint system, Item *item, guint sample, const char *text, gsize len,
            gboolean opened, LmStop stop)
{
  gsize width = s->figures.width;
  g_autofree double *stats = g_new0 (double, width + N_EXTRA);
  const char *answer = text;
  LmThink think
      = s->config->strip_think ? lm_think_split (text, len, opened, &answer) : LM_THINK_NONE;
  FrStr candidate = { answer, (gsize) (text + len - answer) };
  FrStr reference = { item->reference, strlen (item->reference) };

  text_scorer_row (s->figures.scorer, candidate, &reference, 1, stats);
  stats[width + EXTRA_ROWS] = 1;
  stats[width + EXTRA_ANSWERED] = stop != 0;
  stats[width + EXTRA_CUT] = stop == LM_STOP_LENGTH || stop == LM_STOP_CONTEXT;
  stats[width + EXTRA_THINK] = think != LM_THINK_NONE;
  stats[width + EXTRA_OPEN] = think == LM_THINK_OPEN;
  stats[width + EXTRA_EMPTY] = is_blank (answer);
  text_stats_add (item->stats[system], stats, width + N_EXTRA);
  text_stats_add (&g_array_index (s->sample_sums[system], double, sample *(width + N_EXTRA)), stats,
                  width + N_EXTRA);
  text_distinct_add (s->distinct[system], candidate);
  if (sample == 0)
    item->text[system] = answer;
}

static void
score_item (Group *g, guint system, guint at)
{
  State *s = g->s;
  Item *item = &g_array_index (g->items, Item, at);
  const LmAnswers *answers = g->answers[system];

  item->stats[system] = g_new0 (double, s->figures.width + N_EXTRA);
  if (item->given[system] != NULL)
    {
      score_text (s, system, item, 0, item->given[system], strlen (item->given[system]), FALSE, 0);
      return;
    }
  for (guint k = 0; k < s->samples; k++)
    {
      guint i = at * (guint) s->samples + k;
      const LmJob *job = &g_array_index (answers->jobs, LmJob, i);

      score_text (s, system, item, k, job->text->str, job->text->len,
                  g_array_index (answers->opened, gboolean, i), job->stop);
      if (system == TALLY_CANDIDATE && k == 0)
        item->stop = lm_stop_word (job->stop);
    }
}

/* ---- telling the tally
 * ------------------------------------------------------------------------------------ */

static const char *
leak_word (const Verdict *v)
{
  return v->same ? "same" : v->near ? "near" : v->grams ? "13-grams" : NULL;
}

static void
count_leak (State *s, const Verdict *v)
{
  s->n_same += v->same;
  s->n_question += v->question;
  s->n_grams += v->grams;
  s->n_near += v->near;
  s->n_leaking += leak_word (v) != NULL;
}

static void
add_to_tally (Group *g, const Item *item)
{
  State *s = g->s;
  FrSchema *schema = fr_batch_schema (g->batch);
  guint n_by = s->config->by != NULL ? g_strv_length (s->config->by) : 0;
  g_autoptr (GPtrArray) labels = g_ptr_array_new_with_free_func (g_free);

  for (guint k = 0; k < n_by; k++)
    {
      guint at = (guint) fr_schema_find (schema, s->config->by[k]);
      FrView view = fr_view (g->batch, at);
      GString *label = g_string_new (NULL);

      tally_append_label (fr_schema_field (schema, at), &view, item->row, label);
      g_ptr_array_add (labels, g_string_free (label, FALSE));
    }
  if (s->has_train)
    g_ptr_array_add (labels,
                     g_strdup (leak_word (&item->verdict) != NULL ? "in train" : "not in train"));
  count_leak (s, &item->verdict);
  tally_add (s->tally, item->stats[0], item->stats[1], (const char *const *) labels->pdata);
}

/* ---- rows for the report
 * ------------------------------------------------------------------------------------ */

/* A copy of at most TEXT_BYTES, whole characters. */
static char *
shorten (const char *text)
{
  gsize len = text != NULL ? strlen (text) : 0;
  const char *end;

  if (text == NULL || len <= TEXT_BYTES)
    return g_strdup (text);
  end = g_utf8_find_prev_char (text, text + TEXT_BYTES + 1);
  return g_strdup_printf ("%.*s…", (int) (end - text), text);
}

static Shown *
make_shown (Group *g, const Item *item, double key, const double scores[TALLY_N_SYSTEMS])
{
  Shown *shown = g_new0 (Shown, 1);
  GString *id = g_string_new (NULL);
  g_autofree char *question = question_text (g->s->question, g->batch, item->row);

  fr_host_append_row_id (g->s->host, item->id, id);
  shown->id = g_string_free (id, FALSE);
  shown->key = key;
  shown->at = item->at;
  shown->question = shorten (question);
  shown->reference = shorten (item->reference);
  for (guint i = 0; i < (g->s->has_baseline ? 2u : 1u); i++)
    {
      shown->texts[i] = shorten (item->text[i]);
      shown->scores[i] = scores[i];
    }
  return shown;
}

/* Keeps the rows with the largest keys, of equals the first. */
static void
keep (Group *g, GPtrArray *kept, const Item *item, double key, const double scores[TALLY_N_SYSTEMS])
{
  guint most = (guint) g->s->config->examples, at = kept->len;

  while (at > 0 && ((const Shown *) kept->pdata[at - 1])->key < key)
    at--;
  if (at >= most)
    return;
  g_ptr_array_insert (kept, (int) at, make_shown (g, item, key, scores));
  if (kept->len > most)
    g_ptr_array_set_size (kept, (int) most);
}

static double
row_score (const State *s, const Item *item, guint system, gsize figure)
{
  return item->stats[system] != NULL ? text_scorer_value (
             s->figures.scorer, item->stats[system],
             s->samples > 1 && s->answerers[system] != NULL ? TEXT_SCORE_CORPUS : TEXT_SCORE_ROW,
             figure)
                                     : NAN;
}

static void
keep_shown (Group *g, const Item *item, const double scores[TALLY_N_SYSTEMS], double gain)
{
  State *s = g->s;
  double better = s->figures.lower ? -gain : gain;

  if (s->config->examples == 0)
    return;
  if (better > 0 || !s->has_baseline)
    keep (g, s->gains, item, better, scores);
  if (better < 0 || !s->has_baseline)
    keep (g, s->losses, item, -better, scores);
  keep (g, s->some, item,
        (double) (fr_host_random (s->host, item->id, SHOWN_SALT) >> 11) / 9007199254740992.0,
        scores);
}

/* ---- rows out
 * ---------------------------------------------------------------------------------------------------
 */

static void
add_text (const State *s, Added *out, guint column, const char *text)
{
  if (s->figures.at[column] >= 0)
    added_text (out, (guint) s->figures.at[column], text);
}

static void
add_number (const State *s, Added *out, guint column, double value)
{
  if (s->figures.at[column] >= 0)
    added_number (out, (guint) s->figures.at[column], value);
}

static void
add_row (Group *g, Added *out, const Item *item, double gain)
{
  const State *s = g->s;
  guint n = s->figures.baseline ? 2 : 1;

  added_copy (out, item->row);
  add_text (s, out, ADD_REFERENCE, item->reference);
  add_text (s, out, ADD_CANDIDATE, item->text[TALLY_CANDIDATE]);
  add_text (s, out, ADD_BASELINE, item->text[TALLY_BASELINE]);
  add_text (s, out, ADD_STOP, item->stop);
  add_number (s, out, ADD_GAIN, gain);
  add_text (s, out, ADD_LEAK, leak_word (&item->verdict));
  add_number (s, out, ADD_LEAK_SHARE, item->verdict.share);
  add_number (s, out, ADD_LEAK_NEAR, item->verdict.index);
  for (guint i = 0; i < s->figures.of_row->len; i++)
    for (guint k = 0; k < n; k++)
      added_number (out, s->figures.scores + n * i + k,
                    row_score (s, item, k, g_array_index (s->figures.of_row, gsize, i)));
  added_end (out);
}

/* ---- groups
 * -------------------------------------------------------------------------------------------------------
 */

static gboolean
answer_group (Group *g, GError **error)
{
  State *s = g->s;

  for (guint i = 0; i < TALLY_N_SYSTEMS; i++)
    if (s->answerers[i] != NULL && g->answers[i]->jobs->len > 0
        && !lm_answerer_answer (s->answerers[i], g->answers[i], error))
      return FALSE;
  return TRUE;
}

static FrFlow
finish_group (Group *g, Added *out, GError **error)
{
  State *s = g->s;

  if (!answer_group (g, error))
    return fr_host_is_cancelled (s->host) ? FR_FLOW_CANCELLED : FR_FLOW_ERROR;
  for (guint i = 0; i < g->items->len; i++)
    {
      Item *item = &g_array_index (g->items, Item, i);
      double scores[TALLY_N_SYSTEMS] = { 0, 0 }, gain;

      for (guint k = 0; k < (s->has_baseline ? 2u : 1u); k++)
        {
          score_item (g, k, i);
          scores[k] = row_score (s, item, k, s->figures.rank);
        }
      gain = scores[0] - scores[1];
      add_to_tally (g, item);
      keep_shown (g, item, scores, gain);
      if (out != NULL)
        add_row (g, out, item, gain);
    }
  s->n_rows += g->items->len;
  fr_host_progress (s->host, s->n_rows + s->n_rejected, s->n_in, "rows");
  return out != NULL ? added_push (out, s->host, "out", error) : FR_FLOW_OK;
}

static void
open_group (Group *g)
{
  g->items = g_array_new (FALSE, FALSE, sizeof (Item));
  g_array_set_clear_func (g->items, clear_item);
  for (guint i = 0; i < TALLY_N_SYSTEMS; i++)
    g->answers[i] = g->s->answerers[i] != NULL ? lm_answers_new () : NULL;
}

static void
close_group (Group *g)
{
  g_clear_pointer (&g->items, g_array_unref);
  for (guint i = 0; i < TALLY_N_SYSTEMS; i++)
    g_clear_pointer (&g->answers[i], lm_answers_free);
}

/* Rows at once: several fillings of the model's batch, for slots that are done take the next row.
 */
static gsize
group_rows (const State *s)
{
  gboolean asks = s->answerers[0] != NULL || s->answerers[1] != NULL;

  return asks ? (gsize) MAX (s->config->answer.batch * 8 / s->samples, 1) : 1024;
}

static FrFlow
score_batch (State *s, const FrBatch *batch, guint64 *at, Beside *beside, Added *out,
             GError **error)
{
  gsize n = fr_batch_n_rows (batch), most = group_rows (s);
  FrFlow flow = FR_FLOW_OK;

  if (out != NULL)
    added_open (out, batch);
  for (gsize from = 0; from < n && flow == FR_FLOW_OK; from += most)
    {
      Group g = { .s = s, .batch = batch };

      open_group (&g);
      for (gsize row = from; row < MIN (from + most, n) && flow == FR_FLOW_OK; row++, (*at)++)
        {
          if (s->has_beside)
            flow = next_beside (s, beside, error);
          if (flow == FR_FLOW_DONE)
            flow = numbers_differ (s, beside->n, FALSE, error);
          if (flow == FR_FLOW_OK)
            add_item (&g, row, *at, beside);
        }
      if (flow == FR_FLOW_OK)
        flow = finish_group (&g, out, error);
      close_group (&g);
    }
  return flow;
}

static void
open_tally (State *s)
{
  const Config *c = s->config;
  StatsOptions options = { (guint) c->resamples, c->level, fr_host_seed (s->host) };

  s->tally = tally_new ((const TallyFigure *) (gpointer) s->figures.figures->data,
                        s->figures.figures->len, s->figures.width + N_EXTRA, "candidate",
                        s->has_baseline ? "baseline" : NULL, &options);
  for (guint i = 0; c->by != NULL && c->by[i] != NULL; i++)
    tally_slice_by (s->tally, c->by[i]);
  if (s->has_train)
    tally_slice_by (s->tally, "leak");
}

static gboolean
open_scores (State *s, GError **error)
{
  if (!figures_make (&s->figures, s->config, s->chinese, s->has_baseline, s->has_train, error))
    return FALSE;
  open_tally (s);
  for (guint i = 0; i < TALLY_N_SYSTEMS; i++)
    {
      s->distinct[i] = text_distinct_new (s->chinese ? TEXT_UNIT_CHAR : TEXT_UNIT_WORDS, 2, error);
      if (s->distinct[i] == NULL)
        return FALSE;
      s->sample_sums[i] = g_array_new (FALSE, TRUE, sizeof (double));
      g_array_set_size (s->sample_sums[i],
                        (guint) ((gsize) s->samples * (s->figures.width + N_EXTRA)));
    }
  return TRUE;
}

static FrFlow
end_rows (State *s, Beside *beside, GError **error)
{
  FrFlow flow = s->has_beside ? next_beside (s, beside, error) : FR_FLOW_DONE;

  if (flow == FR_FLOW_OK)
    return numbers_differ (s, s->n_in, TRUE, error);
  if (flow != FR_FLOW_DONE)
    return flow;
  /* Not an error, for the report says so too; and never a success. */
  if (s->n_rows == 0)
    fr_host_limit_passed (s->host,
                          "there is nothing to score: %" G_GUINT64_FORMAT
                          " rows came in, and none is left; see the rejects",
                          s->n_in);
  return FR_FLOW_OK;
}

FrFlow
score_rows (State *s, GError **error)
{
  g_autoptr (Added) out = NULL;
  Beside beside = { 0 };
  guint64 at = 0;
  FrFlow flow = FR_FLOW_OK;

  if (!open_scores (s, error))
    return FR_FLOW_ERROR;
  if (fr_host_is_connected (s->host, "out"))
    out = added_new (fr_host_output (s->host, "out"),
                     (const AddedColumn *) (gpointer) s->figures.columns->data,
                     s->figures.columns->len);
  while (flow == FR_FLOW_OK)
    {
      g_autoptr (FrBatch) batch = NULL;

      flow = fr_host_next (s->host, "in", &batch, error);
      if (flow == FR_FLOW_OK)
        flow = score_batch (s, batch, &at, &beside, out, error);
    }
  if (flow == FR_FLOW_DONE)
    flow = end_rows (s, &beside, error);
  g_clear_pointer (&beside.batch, fr_batch_unref);
  return flow;
}
