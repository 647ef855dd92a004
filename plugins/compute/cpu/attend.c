/* SPDX-License-Identifier: Apache-2.0 */
/* attend.c: attention divided among threads.
 *
 * A unit is a key head of a span and, forward, some of its queries; what a
 * unit computes is the same whichever thread takes it, so the next free one
 * does.  A few queries of a long cache are divided by stretches of
 * keys instead, and the parts merged in their order (flash-decoding).
 */
#include "config.h"

#include "compute/cpu/kernels.h"
#include "compute/cpu/team.h"

#define DECODE_QUERIES 4 /* spans of so few rows are not worth packing keys for */
#define DECODE_KEYS 256  /* of all heads: values come to the second cache while scores are made */
/* of queries times heads of a unit: its sums stay in the second cache */
#define UNIT_ROWS 768

/* Whether decode() does a span. */
static gboolean
is_few (const LmSpan *span)
{
  return span->q_rows <= DECODE_QUERIES && !span->prompt;
}

/* The units of all spans; *@few: how many of them, at the end, are for decode(). */
static GArray *
divide (const LmAttention *a, gsize *few)
{
  const gsize group = a->n_heads / a->n_kv_heads, most = MAX (UNIT_ROWS / group, 12);
  GArray *units = g_array_new (FALSE, TRUE, sizeof (LmCpuUnit));

  for (gsize s = 0; s < a->n_spans; s++)
    for (guint head = 0; !is_few (&a->spans[s]) && head < a->n_kv_heads; head++)
      {
        const gsize rows = a->spans[s].q_rows, parts = (rows + most - 1) / most;

        for (gsize i = parts; i-- > 0;) /* the last ones see most keys and go first */
          {
            LmCpuUnit unit = { .a = a, .span = a->spans[s], .kv_head = head };

            unit.q_from = rows * i / parts;
            unit.q_to = rows * (i + 1) / parts;
            g_array_append_val (units, unit);
          }
      }
  *few = units->len;
  for (gsize s = 0; s < a->n_spans; s++)
    for (gsize k = 0; a->spans[s].q_rows > 0 && is_few (&a->spans[s]) && k < a->spans[s].k_rows;
         k += DECODE_KEYS)
      {
        LmCpuUnit unit = { .a = a, .span = a->spans[s] };

        unit.q_to = unit.span.q_rows;
        unit.k_from = k;
        unit.k_to = MIN (k + DECODE_KEYS, unit.span.k_rows);
        g_array_append_val (units, unit);
      }
  *few = units->len - *few;
  return units;
}

/* Multiplications of a call, about. */
static double
work_of (const LmAttention *a)
{
  double work = 0;

  for (gsize s = 0; s < a->n_spans; s++)
    work += (double) a->spans[s].q_rows * (double) a->spans[s].k_rows;
  return work * a->n_heads * (a->key_dim + a->value_dim) / 8;
}

typedef struct
{
  const LmCpuUnit *units;
  gsize n, few;
} Units;

static void
unit_part (gconstpointer data, const LmCpuShare *share)
{
  const LmCpuAttention *k = lm_cpu_kernels ()->attention;
  const Units *u = data;

  if (share->part < u->n - u->few)
    k->forward (&u->units[share->part], share->room);
  else
    k->decode (&u->units[share->part], share->room);
}

static void
run_units (const LmCompute *c, const LmAttention *a, const LmCpuUnit *units, gsize n, gsize few)
{
  const LmCpuAttention *k = lm_cpu_kernels ()->attention;
  gsize bytes = 0;

  for (gsize i = 0; i < n - few; i++)
    bytes = MAX (bytes, k->bytes (a, units[i].q_to - units[i].q_from));
  if (few > 0)
    bytes = MAX (bytes, k->decode_bytes (a, DECODE_QUERIES, DECODE_KEYS));
  lm_cpu_share (lm_cpu_team (c, work_of (a)), n, bytes, unit_part, &(Units){ units, n, few });
}

void
lm_cpu_attention (LmCompute *c, const LmAttention *a)
{
  const LmCpuAttention *k = lm_cpu_kernels ()->attention;
  const gsize step = DECODE_QUERIES * (gsize) a->n_heads * (2 + a->value_dim);
  gsize few;
  g_autoptr (GArray) array = divide (a, &few);
  LmCpuUnit *units = (LmCpuUnit *) (gpointer) array->data, *decoding = units + array->len - few;
  g_autofree float *partials = g_new (float, few *step);

  for (gsize i = 0; i < few; i++)
    decoding[i].partial = partials + i * step;
  run_units (c, a, units, array->len, few);
  for (gsize i = 0, n; i < few; i += n)
    {
      for (n = 1; i + n < few && decoding[i + n].k_from > 0; n++)
        ;
      k->merge (&decoding[i], n, step);
    }
}

/* In how many parts the keys of each unit go, so that there is work for all threads. */
static gsize
back_parts (const LmCompute *c, gsize n, gsize k_rows)
{
  const gsize blocks = k_rows / lm_cpu_kernels ()->attention->back_keys + 1;

  if (n % c->threads == 0 || n >= 4 * (gsize) c->threads)
    return 1;
  return MIN ((2 * c->threads + n - 1) / n, blocks);
}

/* The longest first, so that none is left alone at the end; parts of one unit side by side. */
static gint
compare_units (gconstpointer a, gconstpointer b)
{
  const LmCpuUnit *x = a, *y = b;
  const double mine = (double) x->span.q_rows * (double) x->span.k_rows;
  const double other = (double) y->span.q_rows * (double) y->span.k_rows;

  if (mine != other)
    return mine > other ? -1 : 1;
  if (x->span.k_start != y->span.k_start)
    return x->span.k_start < y->span.k_start ? -1 : 1;
  if (x->kv_head != y->kv_head)
    return x->kv_head < y->kv_head ? -1 : 1;
  return x->part < y->part ? -1 : x->part > y->part;
}

static GArray *
divide_back (const LmAttention *a, gsize parts, const LmCpuUnit *like)
{
  GArray *units = g_array_new (FALSE, TRUE, sizeof (LmCpuUnit));

  for (gsize s = 0; s < a->n_spans; s++)
    for (guint head = 0; head < a->n_kv_heads; head++)
      for (gsize part = 0; part < parts; part++)
        {
          LmCpuUnit unit = *like;

          unit.span = a->spans[s];
          unit.kv_head = head;
          unit.part = part;
          unit.parts = parts;
          g_array_append_val (units, unit);
        }
  g_array_sort (units, compare_units);
  return units;
}

typedef struct
{
  const LmCpuUnit *units;
  gsize parts, step; /* of a unit */
} BackUnits;

static void
back_part (gconstpointer data, const LmCpuShare *share)
{
  const BackUnits *b = data;

  lm_cpu_kernels ()->attention->back (&b->units[share->part], share->room);
}

static void
merge_back_part (gconstpointer data, const LmCpuShare *share)
{
  const BackUnits *b = data;

  lm_cpu_kernels ()->attention->merge_back (&b->units[share->part * b->parts], b->step);
}

static void
run_back (const LmCompute *c, const LmAttention *a, const LmCpuUnit *units, gsize n, gsize bytes,
          gsize parts, gsize step)
{
  const BackUnits b = { units, parts, step };
  const guint team = lm_cpu_team (c, 3 * work_of (a));

  lm_cpu_share (team, n, bytes, back_part, &b);
  if (parts > 1)
    lm_cpu_share (team, n / parts, 0, merge_back_part, &b);
}

void
lm_cpu_attention_back (LmCompute *c, const LmAttention *a, LmMat dout, LmMat dq, LmMat dk, LmMat dv)
{
  const LmCpuAttention *k = lm_cpu_kernels ()->attention;
  const LmCpuUnit like = { .a = a, .dout = dout, .dq = dq, .dk = dk, .dv = dv };
  gsize bytes = 0, step = 0, k_rows = 0, parts;
  g_autoptr (GArray) array = NULL;
  g_autofree float *partials = NULL;

  for (gsize s = 0; s < a->n_spans; s++)
    {
      bytes = MAX (bytes, k->back_bytes (a, a->spans[s].q_rows));
      step = MAX (step, k->partial_floats (a, a->spans[s].q_rows));
      k_rows = MAX (k_rows, a->spans[s].k_rows);
    }
  parts = back_parts (c, a->n_spans * a->n_kv_heads, k_rows);
  array = divide_back (a, parts, &like);
  if (parts > 1)
    partials = g_new (float, array->len *step);
  for (guint i = 0; parts > 1 && i < array->len; i++)
    g_array_index (array, LmCpuUnit, i).partial = partials + i * step;
  run_back (c, a, (const LmCpuUnit *) (gpointer) array->data, array->len, bytes, parts, step);
}
