/* SPDX-License-Identifier: Apache-2.0 */
/* small.c: products bound by reading, divided among threads. */
#include "config.h"

#include <string.h>

#include "compute/cpu/cpu.h"
#include "compute/cpu/kernels.h"
#include "compute/cpu/team.h"

#define FEW_ROWS 16       /* of activations on a stored weight */
#define FEW_ROWS_PLAIN 8  /* on one that a product of matrices reads as it is */
#define LEAST_PAIR_ROWS 3 /* of BF16 activations, where the processor multiplies them */
#define MOST_PAIR_ROWS 16
#define NARROW 64  /* the largest LoRA rank that is memory's affair */
#define STRIP 96   /* rows that a thread takes at a time */
#define WIDE 16384 /* columns of which a few rows stay in a cache */
#define COLUMNS 16 /* of the output: kernels do so many at once, or fewer of a weight in blocks */

static gboolean
is_plain (LmType type)
{
  return type == LM_F32 || type == LM_BF16;
}

static gboolean
is_stored (LmType type)
{
  return is_plain (type) || type == LM_F16 || (type >= LM_Q4_0 && type <= LM_Q6_K);
}

static double
work_of (const LmCpuProduct *p)
{
  return (double) p->out.rows * (double) p->out.cols * (double) (p->ta ? p->a.rows : p->a.cols) / 8;
}

typedef void (*Dot) (const LmCpuProduct *p, const float *x, gsize stride, gsize from, gsize to);

typedef struct
{
  const LmCpuProduct *p;
  Dot dot;
  const float *x;
  gsize stride;
} Dots;

static void
dot_part (gconstpointer data, const LmCpuShare *share)
{
  const Dots *d = data;
  const gsize n = d->p->out.cols, units = (n + COLUMNS - 1) / COLUMNS;

  d->dot (d->p, d->x, d->stride, lm_cpu_from (share, units) * COLUMNS,
          MIN (lm_cpu_to (share, units) * COLUMNS, n));
}

static void
share_dots (LmCompute *c, double work, const Dots *d)
{
  const guint team = lm_cpu_team (c, work);

  lm_cpu_share (team, lm_cpu_parts (team, (d->p->out.cols + COLUMNS - 1) / COLUMNS), 0, dot_part,
                d);
}

static void
dot (LmCompute *c, const LmCpuProduct *p)
{
  const gsize stride = (p->a.cols + 31) / 32 * 32;
  float *x = lm_cpu_workspace (p->a.rows * stride * sizeof *x);

  for (gsize r = 0; r < p->a.rows; r++)
    {
      lm_cpu_widen (p->a.type, (char *) p->a.data + lm_type_bytes (p->a.type, r * p->a.stride),
                    LM_F32, x + r * stride, p->a.cols);
      for (gsize i = p->a.cols; i < stride; i++)
        x[r * stride + i] = 0;
    }
  share_dots (c, 2 * work_of (p), &(Dots){ p, lm_cpu_kernels ()->products->dot, x, stride });
  free (x);
}

/* BF16 as it is: twice as fast, but weights are rounded, which a single row need not pay for. */
static void
dot_pairs (LmCompute *c, const LmCpuProduct *p)
{
  const gsize stride = (p->a.cols + 31) / 32 * 16;
  const gsize bytes = (p->a.rows + 7) / 8 * 8 * stride * sizeof (float);
  float *x = lm_cpu_workspace (bytes);

  memset (x, 0, bytes);
  for (gsize r = 0; r < p->a.rows; r++)
    memcpy (x + r * stride, (char *) p->a.data + lm_type_bytes (LM_BF16, r * p->a.stride),
            lm_type_bytes (LM_BF16, p->a.cols));
  share_dots (c, work_of (p), &(Dots){ p, lm_cpu_kernels ()->products->dot_pairs, x, stride });
  free (x);
}

typedef struct
{
  const LmCpuProduct *p;
  gpointer packed;
} Strips;

static gsize
panels_of (const LmCpuProduct *p)
{
  const gsize panel = lm_cpu_kernels ()->products->panel;

  return (p->out.cols + panel - 1) / panel;
}

static void
pack_part (gconstpointer data, const LmCpuShare *share)
{
  const Strips *s = data;
  const gsize n = panels_of (s->p);

  lm_cpu_kernels ()->products->pack (s->p, s->packed, lm_cpu_from (share, n), lm_cpu_to (share, n));
}

static void
rows_part (gconstpointer data, const LmCpuShare *share)
{
  const Strips *s = data;

  lm_cpu_kernels ()->products->rows (s->p, s->packed, share->part * STRIP,
                                     MIN ((share->part + 1) * STRIP, s->p->out.rows), share->room);
}

static void
rows (LmCompute *c, const LmCpuProduct *p)
{
  const LmCpuProducts *k = lm_cpu_kernels ()->products;
  const guint team = lm_cpu_team (c, work_of (p));
  const Strips s = { p, lm_cpu_workspace (k->pack_bytes (p)) };

  lm_cpu_share (team, lm_cpu_parts (team, panels_of (p)), 0, pack_part, &s);
  lm_cpu_share (team, (p->out.rows + STRIP - 1) / STRIP, k->rows_bytes (p), rows_part, &s);
  free (s.packed);
}

/* A product with half of an adapter: always by the same kernel, so that what a row gives does not
 * depend on the number of rows. */
static gboolean
is_narrow (const LmCpuProduct *p)
{
  return !p->ta && is_plain (p->b.type) && MIN (p->out.cols, p->a.cols) <= NARROW
         && MAX (p->out.cols, p->a.cols) <= WIDE;
}

/* Whether rows of the output are divided, not columns: what is more. */
static gboolean
is_swapped (const LmCpuProduct *p)
{
  return p->out.cols < p->out.rows;
}

/* Vectors of what is divided. */
static gsize
vectors_of (const LmCpuProduct *p)
{
  const guint lanes = lm_cpu_kernels ()->lanes;

  return (MAX (p->out.rows, p->out.cols) + lanes - 1) / lanes;
}

static void
inner_part (gconstpointer data, const LmCpuShare *share)
{
  const LmCpuProduct *p = data;
  const LmCpuKernels *k = lm_cpu_kernels ();
  const gsize n = vectors_of (p);

  k->products->inner (p, is_swapped (p), lm_cpu_from (share, n) * k->lanes,
                      MIN (lm_cpu_to (share, n) * k->lanes, MAX (p->out.rows, p->out.cols)),
                      share->room);
}

static void
inner (LmCompute *c, const LmCpuProduct *p)
{
  const guint team = lm_cpu_team (c, work_of (p));

  /* each part packs what is narrow once more */
  lm_cpu_share (team, MIN (team, vectors_of (p)), lm_cpu_kernels ()->products->inner_bytes (p),
                inner_part, p);
}

gboolean
lm_cpu_matmul_small (LmCompute *c, LmMat out, float beta, float alpha, LmMat a, gboolean ta,
                     LmMat b, gboolean tb)
{
  const LmCpuProduct p = { out, a, b, ta, tb, alpha, beta };
  const gsize depth = ta ? a.rows : a.cols;

  if (out.rows == 0 || out.cols == 0 || depth == 0)
    return FALSE;
  if (is_narrow (&p))
    rows (c, &p);
  else if (!ta && tb && is_stored (b.type) && a.type == LM_BF16 && out.rows >= LEAST_PAIR_ROWS
           && out.rows <= (is_plain (b.type) ? FEW_ROWS_PLAIN : MOST_PAIR_ROWS)
           && lm_cpu_kernels ()->products->dot_pairs != NULL)
    dot_pairs (c, &p);
  else if (!ta && tb && is_stored (b.type)
           && out.rows <= (is_plain (b.type) ? FEW_ROWS_PLAIN : FEW_ROWS))
    dot (c, &p);
  else if (ta && !tb && is_plain (b.type) && MIN (out.rows, out.cols) <= NARROW)
    inner (c, &p);
  else
    return FALSE;
  return TRUE;
}
