/* SPDX-License-Identifier: Apache-2.0 */
/* measure.c: the loss of a dataset. */
#include "config.h"

#include <flowrun/error.h>

#include "lm/samples.h"

/* Samples that are packed together: enough for full micro-batches, few enough to pack quickly. */
#define PACKED 1024

typedef struct
{
  const LmDataset *d;
  LmDecoder *decoder;
  const LmMeasure *how;
  LmPack pack;
  LmMicro micro;
  GArray *losses; /* float, of a micro-batch's labels */
  GByteArray *hits;
  double loss;
  gsize n_labels, n_hits, n_done;
} Pass;

static void
tell_samples (Pass *p, const guint32 *samples, gsize n)
{
  const LmMicro *m = &p->micro;
  gsize at = 0;

  for (gsize i = 0; i < n; i++)
    {
      gsize n_labels = lm_dataset_sample (p->d, samples[i])->n_labels, hits = 0;
      double loss = 0;

      for (gsize end = at + n_labels; at < end; at++)
        {
          loss += g_array_index (p->losses, float, at);
          hits += p->how->hits ? p->hits->data[at] : 0;
        }
      p->n_hits += hits;
      if (p->how->sample != NULL)
        p->how->sample (p->how->data, samples[i], loss, hits);
    }
  g_assert (at == m->n_labels);
}

static gboolean
measure_micro (Pass *p, const guint32 *samples, gsize n, GError **error)
{
  double loss;
  gsize n_labels;

  if (p->how->go_on != NULL && !p->how->go_on (p->how->data, p->n_done))
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
      return FALSE;
    }
  lm_micro_fill (&p->micro, p->d, samples, n, 0);
  g_array_set_size (p->losses, (guint) p->micro.n_labels);
  g_byte_array_set_size (p->hits, (guint) p->micro.n_labels);
  if (!lm_decoder_score (p->decoder, &p->micro.batch, (float *) (gpointer) p->losses->data,
                         p->how->hits ? p->hits->data : NULL, &loss, &n_labels, error))
    return FALSE;
  p->loss += loss;
  p->n_labels += n_labels;
  p->n_done += n;
  tell_samples (p, samples, n);
  return TRUE;
}

static gboolean
measure_some (Pass *p, gsize from, gsize n, GError **error)
{
  guint32 samples[PACKED];
  gsize at = 0;

  for (gsize i = 0; i < n; i++)
    samples[i] = (guint32) (from + i);
  lm_pack_fill (&p->pack, p->d, samples, n, p->how->rows, TRUE);
  for (guint m = 0; m < p->pack.ends->len; m++)
    {
      gsize end = g_array_index (p->pack.ends, gsize, m);

      if (!measure_micro (p, &g_array_index (p->pack.samples, guint32, at), end - at, error))
        return FALSE;
      at = end;
    }
  return TRUE;
}

gboolean
lm_dataset_measure (const LmDataset *d, LmDecoder *decoder, const LmMeasure *how, double *loss,
                    gsize *n_labels, gsize *n_hits, GError **error)
{
  Pass p = { .d = d, .decoder = decoder, .how = how };
  gsize n = lm_dataset_n (d);
  gboolean ok = TRUE;

  lm_pack_init (&p.pack);
  lm_micro_init (&p.micro);
  p.losses = g_array_new (FALSE, FALSE, sizeof (float));
  p.hits = g_byte_array_new ();
  for (gsize from = 0; ok && from < n; from += PACKED)
    ok = measure_some (&p, from, MIN (n - from, PACKED), error);
  *loss = p.loss;
  *n_labels = p.n_labels;
  if (n_hits != NULL)
    *n_hits = p.n_hits;
  lm_pack_clear (&p.pack);
  lm_micro_clear (&p.micro);
  g_array_unref (p.losses);
  g_byte_array_unref (p.hits);
  return ok;
}
