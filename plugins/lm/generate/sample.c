/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c: one token from logits.
 *
 * In transformers' order (its LogitsProcessorList): bias, repetition penalty
 * (Keskar et al., 2019), temperature, top-k, top-p (Holtzman et al., 2020), min-p
 * (Nguyen et al., 2024), then a draw; OpenAI's presence and frequency penalties come behind the
 * repetition penalty.  Greedy takes the lowest id of the largest logits.
 *
 * A vocabulary is long: with top-k its largest are looked for, else all are put into buckets by
 * size, and only the buckets are sorted in which a cut or the draw falls.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "lm/generate.h"
#include "lm/generate/sums.h"
#include "lm/level.h"

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

/* ---- what changes logits --------------------------------------------------------------------- */

static void
add_bias (float *logits, gsize n_vocab, const GArray *bias)
{
  for (guint i = 0; bias != NULL && i < bias->len; i++)
    {
      const LmBias *b = &g_array_index (bias, LmBias, i);

      if (b->id >= 0 && (gsize) b->id < n_vocab)
        logits[b->id] += b->bias;
    }
}

static gboolean
penalises (const LmSampling *s)
{
  return (s->repetition_penalty != 1 && s->repetition_penalty > 0) || s->presence_penalty != 0
         || s->frequency_penalty != 0;
}

/* Each token once: the repetition penalty for all of @seen, OpenAI's by its number in the answer.
 */
static void
penalise (float *logits, gsize n_vocab, const LmSampling *s, const gint32 *seen, gsize n_seen,
          gsize n_prompt)
{
  g_autofree guint32 *counts = NULL; /* in the answer + 1; G_MAXUINT32: done */
  double penalty = s->repetition_penalty > 0 ? s->repetition_penalty : 1;

  if (!penalises (s) || n_seen == 0)
    return;
  counts = g_new0 (guint32, n_vocab);
  for (gsize i = 0; i < n_seen; i++)
    if (seen[i] >= 0 && (gsize) seen[i] < n_vocab)
      counts[seen[i]] = MAX (counts[seen[i]], 1) + (i >= n_prompt);
  for (gsize i = 0; i < n_seen; i++)
    {
      gint32 id = seen[i];
      guint32 n;

      if (id < 0 || (gsize) id >= n_vocab || counts[id] == G_MAXUINT32)
        continue;
      n = counts[id] - 1;
      counts[id] = G_MAXUINT32;
      logits[id] = (float) (logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty);
      logits[id] -= (float) (n * s->frequency_penalty + (n > 0) * s->presence_penalty);
    }
}

/* ---- sums over the vocabulary ---------------------------------------------------------------- */

const LmSums *
lm_sums (void)
{
#ifdef HAVE_X86_VARIANTS
  static gsize chosen;

  if (g_once_init_enter (&chosen))
    {
      guint level = lm_x86_level ();

      g_once_init_leave (&chosen, (gsize) (level == 4   ? &lm_sums_v4
                                           : level == 3 ? &lm_sums_v3
                                                        : &lm_sums_base));
    }
  return (const LmSums *) chosen;
#else
  return &lm_sums_base;
#endif
}

/* ---- candidates ------------------------------------------------------------------------------ */

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

/* The @k largest logits, in order, into room for them. */
static gsize
take_largest (const float *logits, gsize n, gsize k, Candidate *out)
{
  gsize kept = MIN (k, n);

  for (gsize i = 0; i < kept; i++)
    out[i] = (Candidate){ logits[i], (gint32) i };
  for (gsize i = kept / 2; i-- > 0;)
    sink (out, kept, i);
  for (gsize i = kept; kept > 0 && i < n; i++)
    {
      Candidate c = { logits[i], (gint32) i };

      if ((double) logits[i] <= out[0].logit) /* of equals the lower id is in already */
        continue;
      out[0] = c;
      sink (out, kept, 0);
    }
  qsort (out, kept, sizeof *out, compare_candidates);
  return kept;
}

/* All that are at least @least, in order, into @out (room for n). */
static gsize
take_above (const float *logits, gsize n, float least, Candidate *out)
{
  gsize kept = 0;

  for (gsize i = 0; i < n; i++)
    if (logits[i] >= least)
      out[kept++] = (Candidate){ logits[i], (gint32) i };
  qsort (out, kept, sizeof *out, compare_candidates);
  return kept;
}

/* Probabilities of the first @n, which sum to 1. */
static void
softmax (const Candidate *c, gsize n, double temperature, double *p)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += p[i] = exp ((c[i].logit - c[0].logit) / temperature);
  for (gsize i = 0; i < n; i++)
    p[i] /= sum;
}

/* TopPLogitsWarper: the tail whose summed probability is at most 1 - top_p goes; one stays always.
 */
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

/* ---- drawing among the largest --------------------------------------------------------------- */

/* @u in [0, 1) of the probability of the first @n, which do not have to sum to 1. */
static gint32
draw (const Candidate *c, const double *p, gsize n, double u)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += p[i];
  u *= sum;
  for (gsize i = 0; i + 1 < n; i++)
    {
      if (u < p[i])
        return c[i].id;
      u -= p[i];
    }
  return c[n - 1].id;
}

static gint32
draw_of_largest (const float *logits, gsize n_vocab, const LmSampling *s, double u)
{
  g_autofree Candidate *c = g_new (Candidate, n_vocab);
  g_autofree double *p = g_new (double, n_vocab);
  gsize n = take_largest (logits, n_vocab, s->top_k, c);

  /* Like transformers: those equal to the last of them stay too. */
  n = take_above (logits, n_vocab, (float) c[n - 1].logit, c);
  softmax (c, n, s->temperature, p);
  if (s->top_p < 1)
    n = cut_top_p (p, n, s->top_p);
  if (s->min_p > 0)
    n = cut_min_p (p, n, s->min_p);
  return draw (c, p, n, u);
}

/* ---- drawing among all ----------------------------------------------------------------------- */

/* Logits less than REACH below the largest have buckets of their own; the last one takes the rest.
 */
#define BUCKETS 1024
#define REACH 40.0f
#define COLDEST 1e-6 /* a temperature below is taken for it: nothing but equals is left there */

/* @p: exp ((logit - largest) / temperature); @mass: of each bucket; @sorted: room for one. */
typedef struct
{
  const float *logits;
  gsize n_vocab;
  float largest;
  float *p;
  double mass[BUCKETS];
  Candidate *sorted;
} Spread;

static inline guint
bucket_of (const Spread *spread, gsize i)
{
  float at = (spread->largest - spread->logits[i]) * (BUCKETS / REACH);

  return at < BUCKETS - 1 ? (guint) at : BUCKETS - 1;
}

/* Returns how many. */
static gsize
sort_bucket (Spread *spread, guint bucket)
{
  gsize n = 0;

  for (gsize i = 0; i < spread->n_vocab; i++)
    if (bucket_of (spread, i) == bucket)
      spread->sorted[n++] = (Candidate){ spread->logits[i], (gint32) i };
  qsort (spread->sorted, n, sizeof *spread->sorted, compare_candidates);
  return n;
}

/* Of those in order, each stays before which less than @most is gone, and that is not below @least
 * itself; the first always.  Returns what they have together. */
static double
kept_mass (Spread *spread, double temperature, double most, double least)
{
  double before = 0;

  for (guint b = 0; b < BUCKETS; b++)
    {
      double smallest
          = b + 1 < BUCKETS ? exp (-(b + 1.0) * (double) (REACH / BUCKETS) / temperature) : 0;
      gsize n;

      if (spread->mass[b] == 0 || (before + spread->mass[b] <= most && smallest * 0.999 >= least))
        {
          before += spread->mass[b];
          continue;
        }
      n = sort_bucket (spread, b);
      for (gsize i = 0; i < n; i++)
        {
          double p = (double) spread->p[spread->sorted[i].id];

          if (before > 0 && (before >= most || p < least))
            return before;
          before += p;
        }
    }
  return before;
}

/* Whose share of the mass, in order, holds @at. */
static gint32
find_at (Spread *spread, double at)
{
  double before = 0;
  gint32 last = 0;

  for (guint b = 0; b < BUCKETS; b++)
    {
      gsize n;

      if (spread->mass[b] == 0 || at >= before + spread->mass[b])
        {
          before += spread->mass[b];
          continue;
        }
      n = sort_bucket (spread, b);
      for (gsize i = 0; i < n; i++)
        {
          last = spread->sorted[i].id;
          before += (double) spread->p[last];
          if (at < before)
            return last;
        }
    }
  return last;
}

static gint32
draw_of_all (const float *logits, gsize n_vocab, float largest, const LmSampling *s, double u)
{
  g_autofree float *p = g_new (float, n_vocab);
  g_autofree Candidate *sorted = g_new (Candidate, n_vocab);
  g_autofree Spread *spread = g_new0 (Spread, 1);
  double temperature = MAX (s->temperature, COLDEST), total = 0;

  *spread = (Spread){
    .logits = logits, .n_vocab = n_vocab, .largest = largest, .p = p, .sorted = sorted
  };
  lm_sums ()->exps (logits, n_vocab, largest, (float) (1 / temperature), p);
  for (gsize i = 0; i < n_vocab; i++)
    spread->mass[bucket_of (spread, i)] += (double) p[i];
  for (guint b = 0; b < BUCKETS; b++)
    total += spread->mass[b];
  if (s->top_p < 1 || s->min_p > 0)
    total = kept_mass (spread, temperature, s->top_p < 1 ? s->top_p * total : INFINITY, s->min_p);
  return find_at (spread, u * total);
}

/* ---- a token --------------------------------------------------------------------------------- */

static void
tell_top (const float *logits, gsize n_vocab, guint n, double total, LmLikely *top)
{
  g_autofree Candidate *c = g_new (Candidate, n);

  n = (guint) take_largest (logits, n_vocab, n, c);
  for (guint i = 0; i < n; i++)
    top[i] = (LmLikely){ c[i].id, (float) (c[i].logit - total) };
}

gint32
lm_sample (float *logits, gsize n_vocab, const LmSampling *s, const gint32 *seen, gsize n_seen,
           gsize n_prompt, guint64 *rng, LmLikely *top, double *logprob)
{
  gboolean changed = penalises (s) || (s->bias != NULL && s->bias->len > 0);
  gsize best = lm_sums ()->largest (logits, n_vocab);
  double total = (double) logits[best] + log (lm_sums ()->exp (logits, n_vocab, logits[best], 1));
  g_autofree float *own = NULL;
  gint32 id;

  *logprob = NAN;
  if (!isfinite (total))
    return 0;
  if (top != NULL && s->n_logprobs > 0)
    tell_top (logits, n_vocab, s->n_logprobs, total, top);
  if (changed)
    {
      own = g_memdup2 (logits, n_vocab * sizeof *logits);
      add_bias (logits, n_vocab, s->bias);
      penalise (logits, n_vocab, s, seen, n_seen, n_prompt);
      best = lm_sums ()->largest (logits, n_vocab);
    }
  if (s->temperature <= 0)
    id = (gint32) best;
  else if (s->top_k > 0)
    id = draw_of_largest (logits, n_vocab, s, next_uniform (rng));
  else
    id = draw_of_all (logits, n_vocab, logits[best], s, next_uniform (rng));
  *logprob = (own != NULL ? own : logits)[id] - total;
  return id;
}
