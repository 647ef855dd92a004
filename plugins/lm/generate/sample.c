/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c: one token from logits.
 *
 * In transformers' order (its LogitsProcessorList): repetition penalty
 * (Keskar et al., 2019), temperature, top-k, top-p (Holtzman et al., 2020), min-p
 * (Nguyen et al., 2024), then a draw.  Greedy takes the lowest id of the largest logits.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "lm/generate.h"

typedef struct
{
  double logit;
  gint32 id;
} Candidate;

static guint64
next_random (guint64 *state)
{
  guint64 z = (*state += 0x9e3779b97f4a7c15u); /* splitmix64 */

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* [0, 1) */
static double
next_uniform (guint64 *state)
{
  return (double) (next_random (state) >> 11) * 0x1p-53;
}

static void
penalise (float *logits, gsize n_vocab, double penalty, const gint32 *seen, gsize n_seen)
{
  g_autofree guint8 *done = NULL;

  if (penalty == 1 || n_seen == 0)
    return;
  done = g_malloc0 (n_vocab);
  for (gsize i = 0; i < n_seen; i++)
    {
      gint32 id = seen[i];

      if (id < 0 || (gsize) id >= n_vocab || done[id])
        continue;
      done[id] = 1;
      logits[id] = (float) (logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty);
    }
}

static gsize
find_largest (const float *logits, gsize n)
{
  gsize best = 0;

  for (gsize i = 1; i < n; i++)
    if (logits[i] > logits[best])
      best = i;
  return best;
}

/* log of the sum of exponentials */
static double
log_sum (const float *logits, gsize n, double largest)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += expf (logits[i] - (float) largest);
  return largest + log (sum);
}

/* Larger first, of equals the lower id. */
static int
compare_candidates (gconstpointer a, gconstpointer b)
{
  const Candidate *x = a, *y = b;

  if (x->logit != y->logit)
    return x->logit > y->logit ? -1 : 1;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* Sinks element @i of a heap whose root is the least wanted candidate. */
static void
sink (Candidate *heap, gsize n, gsize i)
{
  for (;;)
    {
      gsize child = 2 * i + 1;
      Candidate t;

      if (child >= n)
        return;
      if (child + 1 < n && compare_candidates (&heap[child + 1], &heap[child]) > 0)
        child++;
      if (compare_candidates (&heap[child], &heap[i]) <= 0)
        return;
      t = heap[i];
      heap[i] = heap[child];
      heap[child] = t;
      i = child;
    }
}

/* The @k largest logits, in order; like transformers, those equal to the last of them stay too. */
static gsize
take_largest (const float *logits, gsize n, gsize k, Candidate *out)
{
  gsize kept = MIN (k, n);

  for (gsize i = 0; i < kept; i++)
    out[i] = (Candidate){ logits[i], (gint32) i };
  for (gsize i = kept / 2; i-- > 0;)
    sink (out, kept, i);
  for (gsize i = kept; i < n; i++)
    {
      Candidate c = { logits[i], (gint32) i };

      if (compare_candidates (&c, &out[0]) < 0)
        {
          out[0] = c;
          sink (out, kept, 0);
        }
    }
  qsort (out, kept, sizeof *out, compare_candidates);
  for (gsize i = 0, threshold = kept; kept < n && i < n; i++)
    if (logits[i] == out[threshold - 1].logit && (gint32) i > out[threshold - 1].id)
      out[kept++] = (Candidate){ logits[i], (gint32) i };
  return kept;
}

/* Probabilities of the first @n, which sum to 1. */
static void
softmax (const Candidate *c, gsize n, double *p)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += p[i] = exp (c[i].logit - c[0].logit);
  for (gsize i = 0; i < n; i++)
    p[i] /= sum;
}

/* TopPLogitsWarper: the tail whose summed probability is at most 1 - top_p goes; one stays always. */
static gsize
cut_top_p (const double *p, gsize n, double top_p)
{
  double tail = 0;

  while (n > 1)
    {
      tail += p[n - 1];
      if (tail > 1 - top_p)
        break;
      n--;
    }
  return n;
}

/* MinPLogitsWarper: what is less likely than min_p times the likeliest goes. */
static gsize
cut_min_p (const double *p, gsize n, double min_p)
{
  while (n > 1 && p[n - 1] < min_p * p[0])
    n--;
  return n;
}

static gint32
draw (const Candidate *c, const double *p, gsize n, guint64 *rng)
{
  double sum = 0, u;

  for (gsize i = 0; i < n; i++)
    sum += p[i];
  u = next_uniform (rng) * sum;
  for (gsize i = 0; i + 1 < n; i++)
    {
      if (u < p[i])
        return c[i].id;
      u -= p[i];
    }
  return c[n - 1].id;
}

gint32
lm_sample (float *logits, gsize n_vocab, const LmSampling *sampling, const gint32 *seen, gsize n_seen,
           guint64 *rng, double *logprob)
{
  g_autofree Candidate *c = NULL;
  g_autofree double *p = NULL;
  gsize best, n = n_vocab;
  double total;
  gint32 id;

  penalise (logits, n_vocab, sampling->repetition_penalty, seen, n_seen);
  best = find_largest (logits, n_vocab);
  total = log_sum (logits, n_vocab, logits[best]);
  if (sampling->temperature <= 0)
    {
      *logprob = logits[best] - total;
      return (gint32) best;
    }
  c = g_new (Candidate, n_vocab);
  n = take_largest (logits, n_vocab, sampling->top_k > 0 ? sampling->top_k : n_vocab, c);
  for (gsize i = 0; i < n; i++)
    c[i].logit /= sampling->temperature;
  p = g_new (double, n);
  softmax (c, n, p);
  if (sampling->top_p < 1)
    n = cut_top_p (p, n, sampling->top_p);
  softmax (c, n, p);
  if (sampling->min_p > 0)
    n = cut_min_p (p, n, sampling->min_p);
  id = draw (c, p, n, rng);
  *logprob = logits[id] - total;
  return id;
}
