/* SPDX-License-Identifier: Apache-2.0 */
/* loss.c: evaluator.loss, records and a model to loss, perplexity, bits per byte, token accuracy.
 *
 *   rows --lm_sample_from_row--> datasets --lm_dataset_measure--> statistics of rows --tally-->
 * report
 *
 * Bits per byte are those of Gao et al., "The Pile" (2020), section 3.1: they
 * do not depend on the tokenizer.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <math.h>
#include <string.h>

#include "evaluators/stats/added.h"
#include "evaluators/stats/tally.h"
#include "lm/model.h"
#include "lm/samples.h"
#include "loss-details.h"

/* Rows through the decoder at once, as in the trainers' evaluations. */
#define MICRO_ROWS 512

typedef struct
{
  char **by;
  gint64 max_length;
  int truncate; /* LmTruncate */
  gint64 micro_tokens;
  int type; /* LmTypeChoice */
  char *backend;
  gint64 resamples;
  double level;
  JsonNode *fail_over, *fail_under;
} Config;

static const FrEnumValue *const truncates[]
    = { FR_ENUM ("error", LM_TRUNCATE_ERROR, "the run fails"),
        FR_ENUM ("reject", LM_TRUNCATE_REJECT, "the row goes to rejects"),
        FR_ENUM ("left", LM_TRUNCATE_LEFT, "the beginning of the prompt is cut off"),
        FR_ENUM ("right", LM_TRUNCATE_RIGHT, "the end of the answer is cut off, its end token too"),
        NULL };

static const FrParam *const params[] = {
  FR_PARAM_COLUMNS ("by", Config, by, FR_TYPES_ANY, "columns whose values are scored apart",
                    .example = "\"category\""),
  FR_PARAM_INT ("max_length", Config, max_length, 2, G_MAXINT32,
                "longest sample, prompt and answer together; the model's own limit counts too",
                .def = "2048", .unit = "tokens"),
  FR_PARAM_ENUM ("truncate", Config, truncate, truncates, "what becomes of longer samples",
                 .def = "reject"),
  FR_PARAM_INT ("micro_tokens", Config, micro_tokens, 0, G_MAXINT32,
                "tokens through the decoder at once; 0: chosen", .def = "0", .unit = "tokens"),
  FR_PARAM_ENUM ("type", Config, type, lm_type_choices, "type of activations", .def = "auto"),
  FR_PARAM_STRING ("backend", Config, backend,
                   "compute backend ('reference', 'openblas', 'onednn', 'cublas'); none given: the "
                   "best here",
                   .example = "\"onednn\""),
  FR_PARAM_INT ("resamples", Config, resamples, 1, 1000000, "draws behind an interval and a p",
                .def = "1000"),
  FR_PARAM_FLOAT ("level", Config, level, 0.5, 0.9999, "of intervals", .def = "0.95"),
  FR_PARAM_JSON ("fail_over", Config, fail_over,
                 "scores and the most each may be; more ends the run with status 3",
                 .schema = TALLY_LIMITS_SCHEMA, .example = "{\"loss\": 2.5, \"gain.loss\": 0}"),
  FR_PARAM_JSON ("fail_under", Config, fail_under,
                 "scores and the least each must be; less ends the run with status 3",
                 .schema = TALLY_LIMITS_SCHEMA, .example = "{\"token_accuracy\": 0.5}"),
  NULL
};

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "records to measure with: input and output, or messages",
                 .flags = FR_PORT_MANY | FR_PORT_REWINDABLE),
        FR_PORT ("model", FR_PORT_MODEL, "the model to measure", .object = &lm_model_type),
        FR_PORT ("baseline", FR_PORT_MODEL, "a model to compare with", .flags = FR_PORT_OPTIONAL,
                 .object = &lm_model_type),
        NULL };

static const FrPort *const outputs[]
    = { FR_PORT ("report", FR_PORT_REPORT, "what was measured", .flags = FR_PORT_OPTIONAL,
                 .object = &fr_report_type),
        FR_PORT ("out", FR_PORT_RECORDS, "the rows with their losses", .flags = FR_PORT_OPTIONAL),
        NULL };

/* ---- scores --------------------------------------------------------------------------------- */

/* Statistics of a row. */
enum
{
  SUM_LOSS, /* nats */
  SUM_LABELS,
  SUM_HITS,
  SUM_BYTES,
  N_SUMS
};

static double
ratio (double a, double b)
{
  return b > 0 ? a / b : NAN;
}

static double
score_loss (const double *sum, gpointer data)
{
  (void) data;
  return ratio (sum[SUM_LOSS], sum[SUM_LABELS]);
}

static double
score_perplexity (const double *sum, gpointer data)
{
  return exp (score_loss (sum, data));
}

static double
score_bits (const double *sum, gpointer data)
{
  (void) data;
  return ratio (sum[SUM_LOSS] / G_LN2, sum[SUM_BYTES]);
}

static double
score_accuracy (const double *sum, gpointer data)
{
  (void) data;
  return ratio (sum[SUM_HITS], sum[SUM_LABELS]);
}

static const TallyFigure figures[] = {
  { "loss", "loss", "nats a token", "nats a token", 1, -1, TRUE, SUM_LOSS, 2, score_loss, NULL },
  { "perplexity", "perplexity", NULL, "perplexity", 1, -1, TRUE, SUM_LOSS, 2, score_perplexity,
    NULL },
  { "bits_per_byte", "bits per byte", NULL, "bits a byte", 1, -1, TRUE, SUM_LOSS, 4, score_bits,
    NULL },
  { "token_accuracy", "token accuracy", NULL, "points of 100", 100, 1, TRUE, SUM_LABELS, 2,
    score_accuracy, NULL },
};

static const char *const figure_names[]
    = { "loss", "perplexity", "bits_per_byte", "token_accuracy", NULL };

enum
{
  ADD_LOSS,
  ADD_TOKENS,
  ADD_BITS,
  ADD_ACCURACY,
  ADD_BASELINE, /* only with one */
  N_ADDED
};

static const AddedColumn added[N_ADDED] = {
  { "loss", FR_TYPE_FLOAT64 },          { "loss_tokens", FR_TYPE_INT64 },
  { "bits_per_byte", FR_TYPE_FLOAT64 }, { "token_accuracy", FR_TYPE_FLOAT64 },
  { "baseline_loss", FR_TYPE_FLOAT64 },
};

/* ---- before the run ---------------------------------------------------------------------------
 */

static gboolean
loss_configure (gpointer data, FrProblems *problems)
{
  const Config *c = data;
  gboolean ok = tally_check_limits (c->fail_over, "/fail_over", figure_names, NULL, problems);

  return tally_check_limits (c->fail_under, "/fail_under", figure_names, NULL, problems) && ok;
}

static gboolean
loss_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *c = data;
  FrSchema *in = fr_bind_input (bind, "in");
  LmRecord *record;

  if (in == NULL)
    return TRUE;
  record = lm_record_new (in, TRUE, error);
  if (record == NULL)
    return FALSE;
  lm_record_free (record);
  fr_bind_output (
      bind, "out",
      added_schema (in, added, fr_bind_has_input (bind, "baseline") ? N_ADDED : ADD_BASELINE));
  tally_bind_limits (bind, c->fail_under, c->fail_over);
  return TRUE;
}

/* ---- state --------------------------------------------------------------------------------------
 */

/* A model, its samples, and what became of them. */
typedef struct
{
  const char *port;
  LmModel *model;
  LmChat *chat;
  LmTokenizer *tokenizer;
  gsize max_length;
  LmDataset *data;
  GArray *bytes; /* guint32: of each sample's answer */
  double *losses;
  guint32 *hits;
  double total;
  gsize n_labels, n_hits;
  JsonObject *facts;
} System;

typedef struct
{
  const Config *config;
  FrHost *host;
  System systems[TALLY_N_SYSTEMS];
  guint n_systems;
  LmRecord *record;
  GByteArray *made; /* of each row that came: whether it is a sample */
  GStringChunk *words;
  GPtrArray *labels; /* const char *, [samples, by] */
  guint n_by;
  guint64 n_over, n_cut;
} State;

static gboolean
loss_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  State *s = g_new0 (State, 1);

  (void) error;
  s->config = data;
  s->host = host;
  s->systems[TALLY_CANDIDATE].port = "model";
  s->systems[TALLY_BASELINE].port = "baseline";
  s->made = g_byte_array_new ();
  s->words = g_string_chunk_new (4096);
  s->labels = g_ptr_array_new ();
  s->n_by = s->config->by != NULL ? g_strv_length (s->config->by) : 0;
  *state = s;
  return TRUE;
}

static void
clear_system (System *y)
{
  g_clear_pointer (&y->data, lm_dataset_free);
  g_clear_pointer (&y->bytes, g_array_unref);
  g_clear_pointer (&y->losses, g_free);
  g_clear_pointer (&y->hits, g_free);
  g_clear_pointer (&y->chat, lm_chat_free);
  g_clear_pointer (&y->facts, json_object_unref);
  g_clear_pointer (&y->model, fr_object_unref);
}

static void
loss_close (gpointer state)
{
  State *s = state;

  for (guint i = 0; i < TALLY_N_SYSTEMS; i++)
    clear_system (&s->systems[i]);
  g_clear_pointer (&s->record, lm_record_free);
  g_byte_array_unref (s->made);
  g_string_chunk_free (s->words);
  g_ptr_array_unref (s->labels);
  g_free (s);
}

/* ---- models
 * --------------------------------------------------------------------------------------- */

static FrFlow
take_model (State *s, System *y, GError **error)
{
  FrObject *object = NULL;
  const char *dir = fr_host_spill_dir (s->host, error);
  FrFlow flow;

  if (dir == NULL)
    return FR_FLOW_ERROR;
  flow = fr_host_next_object (s->host, y->port, &object, error);
  if (flow != FR_FLOW_OK)
    return flow;
  y->model = (LmModel *) object;
  y->chat = lm_chat_new (y->model, error);
  y->tokenizer = y->chat != NULL ? lm_model_tokenizer (y->model, error) : NULL;
  if (y->tokenizer == NULL)
    return FR_FLOW_ERROR;
  if (!lm_chat_has_template (y->chat))
    fr_host_warn (s->host, "'%s' has no chat template: prompts are the texts of a row, a line each",
                  lm_model_name (y->model));
  y->max_length = MIN ((gsize) s->config->max_length, lm_model_config (y->model)->max_position);
  y->data = lm_dataset_new (dir, MAX (fr_host_memory (s->host) / 8, (gsize) 32 << 20));
  y->bytes = g_array_new (FALSE, FALSE, sizeof (guint32));
  s->n_systems++;
  return FR_FLOW_OK;
}

static FrFlow
take_models (State *s, GError **error)
{
  FrFlow flow = take_model (s, &s->systems[TALLY_CANDIDATE], error);

  if (flow != FR_FLOW_OK)
    return flow == FR_FLOW_CANCELLED ? flow : FR_FLOW_ERROR;
  flow = take_model (s, &s->systems[TALLY_BASELINE], error);
  return flow == FR_FLOW_DONE ? FR_FLOW_OK : flow;
}

/* ---- reading
 * ---------------------------------------------------------------------------------------- */

/* Bytes of text that the learned tokens say; the end token says none. */
static guint32
answer_bytes (System *y, const LmSample *sample)
{
  g_autoptr (GArray) learned = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree char *text = NULL;

  for (guint i = 1; i < sample->ids->len; i++)
    if (g_array_index (sample->learn, guint8, i))
      g_array_append_val (learned, g_array_index (sample->ids, gint32, i));
  text = lm_tokenizer_decode (y->tokenizer, (const gint32 *) (gpointer) learned->data, learned->len,
                              TRUE);
  return (guint32) strlen (text);
}

/* The row as a sample of @y; FALSE without an error: it is none, and was rejected. */
static gboolean
make_sample (State *s, System *y, const FrBatch *batch, gsize row, LmSample *sample, GError **error)
{
  g_autoptr (GError) local = NULL;
  LmSampleFate fate;
  gboolean made = lm_sample_from_row (s->record, y->chat, batch, row, y->max_length,
                                      (LmTruncate) s->config->truncate, sample, &fate, &local);

  s->n_over += fate.over;
  s->n_cut += fate.cut;
  if (made && fate.over && !fate.cut)
    {
      g_autoptr (GString) name = g_string_new (NULL);

      fr_host_append_row_id (s->host, fr_batch_ids (batch)[row], name);
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "row %s has %" G_GSIZE_FORMAT " tokens; max_length allows %" G_GSIZE_FORMAT
                   ". Raise it, or say with truncate whether such rows are rejected or cut",
                   name->str, fate.n_tokens, y->max_length);
      return FALSE;
    }
  if (made)
    return TRUE;
  if (fate.rule != NULL)
    fr_host_reject (s->host, batch, row, fate.rule, "%s%s",
                    y->port[0] == 'b' ? "for the baseline: " : "", local->message);
  else
    g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static void
keep_labels (State *s, const FrBatch *batch, gsize row)
{
  FrSchema *schema = fr_batch_schema (batch);

  for (guint k = 0; k < s->n_by; k++)
    {
      guint at = (guint) fr_schema_find (schema, s->config->by[k]);
      FrView view = fr_view (batch, at);
      g_autoptr (GString) label = g_string_new (NULL);

      tally_append_label (fr_schema_field (schema, at), &view, row, label);
      g_ptr_array_add (s->labels, g_string_chunk_insert_const (s->words, label->str));
    }
}

/* A row is a sample of all models, or of none. */
static gboolean
read_row (State *s, const FrBatch *batch, gsize row, LmSample samples[TALLY_N_SYSTEMS],
          GError **error)
{
  FrRowId id = fr_batch_ids (batch)[row];
  GError *local = NULL;
  guint8 made = 1;

  for (guint i = 0; i < s->n_systems && made; i++)
    made = make_sample (s, &s->systems[i], batch, row, &samples[i], &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  g_byte_array_append (s->made, &made, 1);
  if (!made)
    return TRUE;
  keep_labels (s, batch, row);
  for (guint i = 0; i < s->n_systems; i++)
    {
      guint32 bytes = answer_bytes (&s->systems[i], &samples[i]);

      g_array_append_val (s->systems[i].bytes, bytes);
      if (!lm_dataset_add (s->systems[i].data, id, &samples[i], error))
        return FALSE;
    }
  return TRUE;
}

static FrFlow
read_rows (State *s, LmSample samples[TALLY_N_SYSTEMS], GError **error)
{
  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      FrFlow flow = fr_host_next (s->host, "in", &batch, error);

      if (flow != FR_FLOW_OK)
        return flow;
      for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
        {
          if (fr_host_is_cancelled (s->host))
            return FR_FLOW_CANCELLED;
          if (!read_row (s, batch, row, samples, error))
            return FR_FLOW_ERROR;
        }
      fr_host_status (s->host, "reading: %u rows", s->made->len);
    }
}

static FrFlow
read_all (State *s, GError **error)
{
  LmSample samples[TALLY_N_SYSTEMS];
  FrFlow flow;

  s->record = lm_record_new (fr_host_input (s->host, "in"), TRUE, error);
  if (s->record == NULL)
    return FR_FLOW_ERROR;
  for (guint i = 0; i < TALLY_N_SYSTEMS; i++)
    lm_sample_init (&samples[i]);
  flow = read_rows (s, samples, error);
  for (guint i = 0; i < TALLY_N_SYSTEMS; i++)
    lm_sample_clear (&samples[i]);
  if (flow != FR_FLOW_DONE)
    return flow;
  for (guint i = 0; i < s->n_systems; i++)
    if (!lm_dataset_seal (s->systems[i].data, error))
      return FR_FLOW_ERROR;
  if (lm_dataset_n (s->systems[0].data) > 0)
    return FR_FLOW_OK;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "there is nothing to measure: %u rows came in, and none of them is a sample; see "
               "the rejects",
               s->made->len);
  return FR_FLOW_ERROR;
}

/* ---- measuring
 * ---------------------------------------------------------------------------------------- */

typedef struct
{
  State *s;
  System *y;
} Measuring;

static gboolean
go_on (gpointer data, gsize n_done)
{
  Measuring *m = data;
  gsize n = lm_dataset_n (m->y->data), before = m->y == &m->s->systems[0] ? 0 : n;

  fr_host_progress (m->s->host, before + n_done, n * m->s->n_systems, "rows");
  return !fr_host_is_cancelled (m->s->host);
}

static void
note_sample (gpointer data, gsize i, double loss, gsize hits)
{
  System *y = ((Measuring *) data)->y;

  y->losses[i] = loss;
  y->hits[i] = (guint32) hits;
}

static void
note_facts (System *y, LmCompute *compute, LmType type)
{
  g_autofree char *backend = compute->klass->describe (compute);

  y->facts = json_object_new ();
  json_object_set_string_member (y->facts, "name", lm_model_name (y->model));
  json_object_set_boolean_member (y->facts, "chat_template", lm_chat_has_template (y->chat));
  json_object_set_string_member (y->facts, "backend", backend);
  json_object_set_string_member (y->facts, "type", type == LM_BF16 ? "bf16" : "f32");
  json_object_set_int_member (y->facts, "tokens", (gint64) lm_dataset_n_tokens (y->data));
  json_object_set_int_member (y->facts, "tokens_measured", (gint64) y->n_labels);
  json_object_set_int_member (y->facts, "longest", lm_dataset_longest (y->data));
}

/* No fewer rows at once than the longest sample has, no more than there are. */
static gsize
rows_at_once (const Config *c, const LmDataset *d)
{
  gsize all = (gsize) lm_dataset_n_tokens (d) - lm_dataset_n (d);
  gsize want = c->micro_tokens > 0 ? (gsize) c->micro_tokens : MICRO_ROWS;

  return MAX (lm_dataset_longest (d) - 1, MIN (want, all));
}

static gboolean
measure (State *s, System *y, GError **error)
{
  LmDecoderOptions options = { .type = LM_F32 };
  g_autoptr (LmCompute) compute
      = lm_compute_open (s->host, s->config->backend, fr_host_workers (s->host), error);
  LmDecoder *decoder;
  Measuring m = { s, y };
  LmMeasure how = { .rows = rows_at_once (s->config, y->data),
                    .hits = TRUE,
                    .go_on = go_on,
                    .sample = note_sample,
                    .data = &m };
  gsize n = lm_dataset_n (y->data);
  gboolean ok;

  if (compute == NULL)
    return FALSE;
  options.type = lm_type_choose (compute, (LmTypeChoice) s->config->type);
  decoder = lm_decoder_new (y->model, compute, &options, error);
  if (decoder == NULL)
    return FALSE;
  y->losses = g_new (double, n);
  y->hits = g_new (guint32, n);
  ok = lm_dataset_measure (y->data, decoder, &how, &y->total, &y->n_labels, &y->n_hits, error);
  lm_decoder_free (decoder);
  note_facts (y, compute, options.type);
  if (!ok || isfinite (y->total))
    return ok;
  g_set_error (error, FR_ERROR, FR_ERROR_COMPUTE,
               "the loss of '%s' is %g: it gives no finite numbers in this type; try type f32, and "
               "look at its weights with 'flowrun inspect'",
               lm_model_name (y->model), y->total);
  return FALSE;
}

static Tally *
make_tally (State *s)
{
  const Config *c = s->config;
  StatsOptions options = { (guint) c->resamples, c->level, fr_host_seed (s->host) };
  System *y = s->systems;
  Tally *tally = tally_new (figures, G_N_ELEMENTS (figures), N_SUMS, "model",
                            s->n_systems > 1 ? "baseline" : NULL, &options);

  for (guint k = 0; k < s->n_by; k++)
    tally_slice_by (tally, c->by[k]);
  for (gsize i = 0; i < lm_dataset_n (y->data); i++)
    {
      double sums[TALLY_N_SYSTEMS][N_SUMS] = { { 0 } };

      for (guint k = 0; k < s->n_systems; k++)
        {
          sums[k][SUM_LOSS] = y[k].losses[i];
          sums[k][SUM_LABELS] = lm_dataset_sample (y[k].data, i)->n_labels;
          sums[k][SUM_HITS] = y[k].hits[i];
          sums[k][SUM_BYTES] = g_array_index (y[k].bytes, guint32, i);
        }
      tally_add (tally, sums[0], s->n_systems > 1 ? sums[1] : NULL,
                 (const char *const *) s->labels->pdata + i * s->n_by);
    }
  return tally;
}

/* ---- telling
 * ---------------------------------------------------------------------------------------------- */

static JsonNode *
make_report (State *s, Tally *tally)
{
  const Config *c = s->config;
  JsonObject *o = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT), *slices = tally_slices_json (tally);

  json_object_set_int_member (o, "rows", (gint64) tally_n_rows (tally));
  json_object_set_int_member (o, "rejected", (gint64) (s->made->len - tally_n_rows (tally)));
  json_object_set_int_member (o, "truncated", (gint64) s->n_cut);
  for (guint i = 0; i < s->n_systems; i++)
    json_object_set_object_member (o, s->systems[i].port, json_object_ref (s->systems[i].facts));
  json_object_set_member (o, "scores", tally_scores_json (tally));
  if (slices != NULL)
    json_object_set_member (o, "slices", slices);
  json_object_set_int_member (o, "resamples", c->resamples);
  json_object_set_double_member (o, "level", c->level);
  json_object_set_member (o, "limits",
                          tally_hold_limits (tally, s->host, c->fail_under, c->fail_over, NULL));
  json_node_take_object (node, o);
  return node;
}

static const FrViewWord chinese[] = {
  { "Loss", "损失" },
  { "loss", "损失" },
  { "perplexity", "困惑度" },
  { "bits per byte", "每字节比特数" },
  { "token accuracy", "词元准确率" },
  { "nats a token", "奈特/词元" },
  { "bits a byte", "比特/字节" },
  { "points of 100", "百分点" },
  { "baseline ", "基线 " },
  { "model", "模型" },
  { "baseline", "基线" },
  { "rows", "行数" },
  { "others were rejected", "其余被拒绝" },
  { NULL, NULL },
};

static JsonNode *
make_views (State *s, Tally *tally)
{
  g_autoptr (FrViews) views = fr_views_new ();
  guint64 rejected = s->made->len - tally_n_rows (tally);

  fr_views_translate (views, "zh", chinese);
  fr_views_begin (views, FR_VIEW_FIGURES, "Loss");
  for (gsize f = 0; f < G_N_ELEMENTS (figures); f++)
    {
      g_autoptr (GString) number = g_string_new (NULL);
      const char *note = figures[f].unit;

      if (s->n_systems > 1)
        {
          tally_append_number (number, tally_value (tally, f, TALLY_BASELINE));
          note = fr_views_join (views, "baseline ", number->str, NULL);
        }
      fr_views_add_figure (views, figures[f].title, tally_value (tally, f, TALLY_CANDIDATE), note);
    }
  fr_views_add_figure (views, "rows", (double) tally_n_rows (tally),
                       rejected > 0 ? "others were rejected" : NULL);
  tally_add_views (tally, views);
  return fr_views_to_json (views);
}

static FrFlow
tell (State *s, Tally *tally, GError **error)
{
  JsonNode *report = make_report (s, tally);

  for (gsize f = 0; f < G_N_ELEMENTS (figures); f++)
    {
      g_autofree char *name = g_strconcat ("baseline_", figures[f].name, NULL);

      fr_host_metric (s->host, figures[f].name, tally_value (tally, f, TALLY_CANDIDATE));
      if (s->n_systems > 1)
        fr_host_metric (s->host, name, tally_value (tally, f, TALLY_BASELINE));
    }
  fr_host_info (s->host, "loss %.4f, perplexity %.4g over %" G_GSIZE_FORMAT " rows",
                tally_value (tally, 0, TALLY_CANDIDATE), tally_value (tally, 1, TALLY_CANDIDATE),
                tally_n_rows (tally));
  fr_host_count (s->host, "tokens_measured", (gint64) s->systems[0].n_labels);
  if (s->n_cut > 0)
    fr_host_count (s->host, "truncated", (gint64) s->n_cut);
  fr_host_report (s->host, "loss", json_node_copy (report));
  fr_host_report (s->host, "views", make_views (s, tally));
  return fr_host_push_object (s->host, "report", fr_report_new (report), error);
}

/* ---- rows out
 * ------------------------------------------------------------------------------------------------
 */

static void
add_row (State *s, Added *out, gsize row, gsize i)
{
  System *y = s->systems;
  double labels = lm_dataset_sample (y->data, i)->n_labels;

  added_copy (out, row);
  added_number (out, ADD_LOSS, y->losses[i] / labels);
  fr_cells_append_int (added_cells (out, ADD_TOKENS), (gint64) labels);
  added_number (out, ADD_BITS, ratio (y->losses[i] / G_LN2, g_array_index (y->bytes, guint32, i)));
  added_number (out, ADD_ACCURACY, y->hits[i] / labels);
  if (s->n_systems > 1)
    added_number (out, ADD_BASELINE, y[1].losses[i] / lm_dataset_sample (y[1].data, i)->n_labels);
  added_end (out);
}

static FrFlow
push_rows (State *s, GError **error)
{
  g_autoptr (Added) out = added_new (fr_host_output (s->host, "out"), added,
                                     s->n_systems > 1 ? N_ADDED : ADD_BASELINE);
  gsize at = 0, i = 0;

  if (!fr_host_rewind (s->host, "in", error))
    return FR_FLOW_ERROR;
  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      FrFlow flow = fr_host_next (s->host, "in", &batch, error);

      if (flow != FR_FLOW_OK)
        return flow == FR_FLOW_DONE ? FR_FLOW_OK : flow;
      added_open (out, batch);
      for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
        if (s->made->data[at++])
          add_row (s, out, row, i++);
      flow = added_push (out, s->host, "out", error);
      if (flow != FR_FLOW_OK)
        return flow;
    }
}

static FrFlow
loss_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  g_autoptr (Tally) tally = NULL;
  FrFlow flow;

  s->host = host;
  flow = take_models (s, error);
  if (flow == FR_FLOW_OK)
    flow = read_all (s, error);
  if (flow != FR_FLOW_OK)
    return flow;
  for (guint i = 0; i < s->n_systems; i++)
    if (!measure (s, &s->systems[i], error))
      return fr_host_is_cancelled (host) ? FR_FLOW_CANCELLED : FR_FLOW_ERROR;
  tally = make_tally (s);
  if (!tally_work (tally, host, error))
    return FR_FLOW_CANCELLED;
  flow = tell (s, tally, error);
  if (flow != FR_FLOW_OK && flow != FR_FLOW_DONE)
    return flow;
  return fr_host_is_connected (host, "out") ? push_rows (s, error) : FR_FLOW_OK;
}

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_EVALUATOR,
  .name = "evaluator.loss",
  .revision = 1,
  .summary = "how well a model foresees answers: loss, perplexity, bits per byte, token accuracy",
  .details = details,
  .example = "{\"max_length\": 1024, \"fail_over\": {\"loss\": 2.5}}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = outputs,
  .configure = loss_configure,
  .bind = loss_bind,
  .open = loss_open,
  .run = loss_run,
  .close = loss_close,
};

FR_PLUGIN ("loss", PACKAGE_VERSION, "loss of language models", "Apache-2.0", "flowrun", &element)
