/* SPDX-License-Identifier: Apache-2.0 */
/* figures.c: see figures.h. */
#include "config.h"

#include "figures.h"

#include <math.h>
#include <string.h>

static void
kind_free (gpointer data)
{
  LoadKind *kind = data;

  g_free (kind->what);
  g_free (kind);
}

void
load_figures_init (LoadFigures *f)
{
  *f = (LoadFigures){ .latency = histogram_new (HISTOGRAM_FINE),
                      .first = histogram_new (HISTOGRAM_FINE),
                      .per_token = histogram_new (HISTOGRAM_FINE),
                      .lag = histogram_new (HISTOGRAM_FINE),
                      .kinds = g_hash_table_new_full (NULL, NULL, NULL, kind_free) };
}

void
load_figures_clear (LoadFigures *f)
{
  g_clear_pointer (&f->latency, histogram_free);
  g_clear_pointer (&f->first, histogram_free);
  g_clear_pointer (&f->per_token, histogram_free);
  g_clear_pointer (&f->lag, histogram_free);
  g_clear_pointer (&f->kinds, g_hash_table_unref);
}

gint64
load_tokens (const LoadDone *done)
{
  return done->tokens >= 0 ? done->tokens : (gint64) done->pieces;
}

static void
count_failure (LoadFigures *f, const LoadDone *done)
{
  LoadKind *kind = g_hash_table_lookup (f->kinds, done->outcome);

  if (kind == NULL)
    {
      kind = g_new0 (LoadKind, 1);
      kind->what = g_strdup (done->what);
      g_hash_table_insert (f->kinds, (gpointer) done->outcome, kind);
    }
  kind->n++;
}

static void
count_answer (LoadFigures *f, const LoadDone *done)
{
  gint64 tokens = load_tokens (done);

  f->n_ok++;
  f->tokens += tokens;
  f->prompt_tokens += MAX (done->prompt_tokens, 0);
  f->n_estimated += done->tokens < 0;
  f->n_whole += !done->streamed;
  f->n_empty += done->pieces == 0;
  if (done->first > 0)
    histogram_add (f->first, done->first - done->due);
  if (done->first > 0 && tokens > 1 && done->pieces > 1)
    histogram_add (f->per_token, (done->last - done->first) / (tokens - 1));
}

void
load_figures_add (LoadFigures *f, const LoadDone *done)
{
  gboolean ok = done->outcome == LOAD_OK, timeout = done->outcome == LOAD_TIMEOUT;

  if (done->warm_up)
    {
      f->n_warm_up++;
      return;
    }
  f->begin = f->n == 0 ? done->due : MIN (f->begin, done->due);
  f->end = MAX (f->end, done->ended);
  f->n++;
  f->n_timeouts += timeout;
  f->n_unsent += done->sent == 0;
  f->n_hits += done->cache == LOAD_CACHE_HIT;
  f->n_misses += done->cache == LOAD_CACHE_MISS;
  if (ok || timeout)
    histogram_add (f->latency, done->ended - done->due);
  if (done->sent > 0)
    histogram_add (f->lag, done->sent - done->due);
  if (ok)
    count_answer (f, done);
  else
    count_failure (f, done);
}

double
load_figures_seconds (const LoadFigures *f)
{
  return (double) (f->end - f->begin) / G_USEC_PER_SEC;
}

static double
a_second (const LoadFigures *f, double n)
{
  double seconds = load_figures_seconds (f);

  return seconds > 0 ? n / seconds : NAN;
}

double
load_figures_qps (const LoadFigures *f)
{
  return a_second (f, (double) f->n_ok);
}

double
load_figures_tps (const LoadFigures *f)
{
  return a_second (f, (double) f->tokens);
}

double
load_figures_errors (const LoadFigures *f)
{
  return f->n > 0 ? (double) (f->n - f->n_ok) / (double) f->n : NAN;
}

/* ---- objectives ------------------------------------------------------------------------------ */

static LoadVerdict
judge_time (const Histogram *times, double percentile, gint64 limit)
{
  LoadVerdict v = { .asked = limit > 0, .limit = (double) limit / 1000, .value = NAN };

  if (histogram_n (times) > 0)
    v.value = (double) histogram_percentile (times, percentile) / 1000;
  v.met = v.value <= v.limit;
  return v;
}

gboolean
load_judge (const LoadFigures *f, const LoadObjective *o, LoadVerdict verdicts[LOAD_N_BY])
{
  double errors = load_figures_errors (f);
  gboolean met = TRUE;

  verdicts[LOAD_BY_LATENCY] = judge_time (f->latency, o->percentile, o->latency);
  verdicts[LOAD_BY_FIRST] = judge_time (f->first, o->percentile, o->first);
  verdicts[LOAD_BY_PER_TOKEN] = judge_time (f->per_token, o->percentile, o->per_token);
  verdicts[LOAD_BY_ERRORS] = (LoadVerdict){
    .asked = o->errors >= 0, .met = errors <= o->errors, .value = errors, .limit = o->errors
  };
  for (guint i = 0; i < LOAD_N_BY; i++)
    met &= !verdicts[i].asked || verdicts[i].met;
  return met;
}

/* ---- over time ------------------------------------------------------------------------------- */

static void
slot_clear (gpointer data)
{
  LoadSlot *slot = data;

  g_clear_pointer (&slot->latency, histogram_free);
  g_clear_pointer (&slot->first, histogram_free);
}

void
load_timeline_init (LoadTimeline *t, gint64 begin)
{
  t->begin = begin;
  t->width = LOAD_SLOT;
  t->slots = g_array_new (FALSE, TRUE, sizeof (LoadSlot));
  g_array_set_clear_func (t->slots, slot_clear);
}

void
load_timeline_clear (LoadTimeline *t)
{
  g_clear_pointer (&t->slots, g_array_unref);
}

static void
merge (Histogram **into, Histogram **from)
{
  if (*into == NULL)
    *into = g_steal_pointer (from);
  else if (*from != NULL)
    histogram_merge (*into, *from);
}

static void
halve (LoadTimeline *t)
{
  guint n = (t->slots->len + 1) / 2;

  for (guint i = 0; i < t->slots->len; i++)
    {
      LoadSlot *from = &g_array_index (t->slots, LoadSlot, i),
               *into = &g_array_index (t->slots, LoadSlot, i / 2);

      if (i == 0)
        continue;
      if (i % 2 == 0)
        {
          slot_clear (into); /* spent: its histograms went to its pair */
          *into = *from;
          memset (from, 0, sizeof *from);
          continue;
        }
      into->due += from->due;
      into->ok += from->ok;
      into->failed += from->failed;
      into->tokens += from->tokens;
      merge (&into->latency, &from->latency);
      merge (&into->first, &from->first);
    }
  g_array_set_size (t->slots, n);
  t->width *= 2;
}

void
load_timeline_fold (LoadTimeline *t, guint n)
{
  while (t->slots->len > MAX (n, 1))
    halve (t);
}

static LoadSlot *
slot_at (LoadTimeline *t, gint64 when)
{
  gint64 i = MAX (when - t->begin, 0) / t->width;

  while (i >= LOAD_SLOTS)
    {
      halve (t);
      i = MAX (when - t->begin, 0) / t->width;
    }
  if (i >= t->slots->len)
    g_array_set_size (t->slots, (guint) i + 1);
  return &g_array_index (t->slots, LoadSlot, i);
}

static void
add_time (Histogram **times, gint64 value)
{
  if (*times == NULL)
    *times = histogram_new (HISTOGRAM_COARSE);
  histogram_add (*times, value);
}

void
load_timeline_add (LoadTimeline *t, const LoadDone *done)
{
  LoadSlot *slot;

  slot = slot_at (t, done->ended);
  slot->ok += done->outcome == LOAD_OK;
  slot->failed += done->outcome != LOAD_OK;
  slot->tokens += done->outcome == LOAD_OK ? load_tokens (done) : 0;
  slot = slot_at (t, done->due);
  slot->due++;
  if (done->outcome == LOAD_OK || done->outcome == LOAD_TIMEOUT)
    add_time (&slot->latency, done->ended - done->due);
  if (done->outcome == LOAD_OK && done->first > 0)
    add_time (&slot->first, done->first - done->due);
}
