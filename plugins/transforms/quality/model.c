/* SPDX-License-Identifier: Apache-2.0 */
/* model.c: tokens and perplexity, by a model; see quality.h.
 *
 * The perplexity of a text is exp of the mean loss of its tokens as evaluator.loss
 * has it, of the text itself, without a chat template: begun by the model's first
 * token if it has one.  It is that of one model and one tokenizer, and compares with no other's.
 */
#include "config.h"

#include <math.h>

#include "transforms/quality/quality.h"

#ifdef HAVE_LM

#include "lm/model.h"
#include "lm/samples.h"

/* Rows through the decoder at once. */
#define MICRO_ROWS 512

struct _QualityModel
{
  FrHost *host;
  const Config *config;
  LmModel *model;
  LmTokenizer *tokenizer;
  LmCompute *compute; /* when first needed */
  LmDecoder *decoder;
};

gboolean
quality_model_known (void)
{
  return TRUE;
}

QualityModel *
quality_model_new (FrHost *host, const Config *config, GError **error)
{
  FrObject *object = NULL;
  FrFlow flow = fr_host_next_object (host, "model", &object, error);
  QualityModel *m;

  if (flow != FR_FLOW_OK)
    return NULL;
  m = g_new0 (QualityModel, 1);
  m->host = host;
  m->config = config;
  m->model = (LmModel *) object;
  m->tokenizer = lm_model_tokenizer (m->model, error);
  if (m->tokenizer == NULL)
    g_clear_pointer (&m, quality_model_free);
  return m;
}

void
quality_model_free (QualityModel *m)
{
  if (m == NULL)
    return;
  g_clear_pointer (&m->decoder, lm_decoder_free);
  g_clear_pointer (&m->compute, lm_compute_close);
  fr_object_unref ((FrObject *) m->model);
  g_free (m);
}

gboolean
quality_model_encode (QualityModel *m, FrStr text, GArray *ids, GError **error)
{
  return lm_tokenizer_encode (m->tokenizer, text.data != NULL ? text.data : "", text.len,
                              LM_ENCODE_PLAIN, ids, NULL, error);
}

/* ---- perplexity ----------------------------------------------------------------------- */

static gboolean
open_decoder (QualityModel *m, GError **error)
{
  LmDecoderOptions options = { .type = LM_F32 };

  if (m->decoder != NULL)
    return TRUE;
  m->compute = lm_compute_open (m->host, m->config->backend, fr_host_workers (m->host), error);
  if (m->compute == NULL)
    return FALSE;
  options.type = lm_type_choose (m->compute, LM_TYPE_AUTO);
  m->decoder = lm_decoder_new (m->model, m->compute, &options, error);
  return m->decoder != NULL;
}

/* One text of at most so many tokens, every one of which the model must guess but the first. */
static gboolean
add_text (QualityModel *m, LmDataset *data, LmSample *sample, const GArray *ids, GError **error)
{
  const LmConfig *config = lm_model_config (m->model);
  gsize most = MIN ((gsize) m->config->perplexity_tokens, config->max_position);
  guint8 learn = 0;

  g_array_set_size (sample->ids, 0);
  g_array_set_size (sample->learn, 0);
  sample->n_prompt = 0;
  if (config->bos_token >= 0)
    {
      g_array_append_val (sample->ids, config->bos_token);
      g_array_append_val (sample->learn, learn);
      learn = 1;
    }
  for (guint i = 0; i < ids->len && sample->ids->len < most; i++)
    {
      g_array_append_val (sample->ids, g_array_index (ids, gint32, i));
      g_array_append_val (sample->learn, learn);
      learn = 1;
    }
  return lm_dataset_add (data, (FrRowId){ 0, 0, 0 }, sample, error);
}

typedef struct
{
  QualityModel *m;
  double *losses;
} Measuring;

static gboolean
go_on (gpointer data, gsize n_done)
{
  (void) n_done;
  return !fr_host_is_cancelled (((Measuring *) data)->m->host);
}

static void
note_sample (gpointer data, gsize i, double loss, gsize hits)
{
  (void) hits;
  ((Measuring *) data)->losses[i] = loss;
}

static gboolean
measure (QualityModel *m, LmDataset *data, double *losses, GError **error)
{
  Measuring measuring = { m, losses };
  gsize rows = MAX (lm_dataset_longest (data) - 1, MICRO_ROWS);
  LmMeasure how = { .rows = rows, .go_on = go_on, .sample = note_sample, .data = &measuring };
  double total;
  gsize n_labels;

  return open_decoder (m, error) && lm_dataset_seal (data, error)
         && lm_dataset_measure (data, m->decoder, &how, &total, &n_labels, NULL, error);
}

gboolean
quality_model_perplexity (QualityModel *m, GArray **ids, gsize n, double *perplexities,
                          GError **error)
{
  const char *dir = fr_host_spill_dir (m->host, error);
  g_autofree gsize *which = g_new (gsize, n + 1);
  g_autofree double *losses = g_new0 (double, n + 1);
  guint least = lm_model_config (m->model)->bos_token >= 0 ? 1 : 2;
  gsize n_texts = 0;
  LmDataset *data;
  LmSample sample;
  gboolean ok = TRUE;

  if (dir == NULL)
    return FALSE;
  data = lm_dataset_new (dir, (gsize) MAX (fr_host_memory (m->host) / 8, (guint64) 32 << 20));
  lm_sample_init (&sample);
  for (gsize i = 0; ok && i < n; i++)
    {
      perplexities[i] = (double) NAN;
      if (ids[i]->len < least)
        continue;
      which[n_texts++] = i;
      ok = add_text (m, data, &sample, ids[i], error);
    }
  lm_sample_clear (&sample);
  ok = ok && (n_texts == 0 || measure (m, data, losses, error));
  for (gsize i = 0; ok && i < n_texts; i++)
    {
      guint32 labels = lm_dataset_sample (data, i)->n_labels;

      perplexities[which[i]] = labels > 0 ? exp (losses[i] / labels) : (double) NAN;
    }
  lm_dataset_free (data);
  return ok;
}

#else

gboolean
quality_model_known (void)
{
  return FALSE;
}

QualityModel *
quality_model_new (FrHost *host, const Config *config, GError **error)
{
  (void) host;
  (void) config;
  (void) error;
  return NULL;
}

void
quality_model_free (QualityModel *m)
{
  (void) m;
}

gboolean
quality_model_encode (QualityModel *m, FrStr text, GArray *ids, GError **error)
{
  (void) m;
  (void) text;
  (void) ids;
  (void) error;
  return FALSE;
}

gboolean
quality_model_perplexity (QualityModel *m, GArray **ids, gsize n, double *perplexities,
                          GError **error)
{
  (void) m;
  (void) ids;
  (void) n;
  (void) perplexities;
  (void) error;
  return FALSE;
}

#endif
