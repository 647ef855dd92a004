/* SPDX-License-Identifier: Apache-2.0 */
/* small.c: products bound by reading, divided among threads. */
#include "config.h"

#include <string.h>

#include "compute/cpu/cpu.h"
#include "compute/cpu/kernels.h"

#define FEW_ROWS 16       /* of activations on a stored weight */
#define FEW_ROWS_PLAIN 8  /* on one that a product of matrices reads as it is */
#define LEAST_PAIR_ROWS 3 /* of BF16 activations, where the processor multiplies them */
#define MOST_PAIR_ROWS 16
#define NARROW 64  /* the largest LoRA rank that is memory's affair */
#define STRIP 96   /* rows that a thread takes at a time */
#define WIDE 16384 /* columns of which a few rows stay in a cache */

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

static void
dot (LmCompute *c, const LmCpuProduct *p)
{
  const LmCpuKernels *k = lm_cpu_kernels ();
  const gsize stride = (p->a.cols + 31) / 32 * 32, n = p->out.cols;
  const guint team = lm_cpu_team (c, 2 * work_of (p));
  float *x = lm_cpu_workspace (p->a.rows * stride * sizeof *x);

  for (gsize r = 0; r < p->a.rows; r++)
    {
      lm_cpu_widen (p->a.type, (char *) p->a.data + lm_type_bytes (p->a.type, r * p->a.stride),
                    LM_F32, x + r * stride, p->a.cols);
      for (gsize i = p->a.cols; i < stride; i++)
        x[r * stride + i] = 0;
    }
#pragma omp parallel for num_threads(team) schedule(static)
  for (guint i = 0; i < team; i++)
    k->products->dot (p, x, stride, n * i / team, n * (i + 1) / team);
  free (x);
}

/* BF16 as it is: twice as fast, but weights are rounded, which a single row need not pay for. */
static void
dot_pairs (LmCompute *c, const LmCpuProduct *p)
{
  const LmCpuKernels *k = lm_cpu_kernels ();
  const gsize stride = (p->a.cols + 31) / 32 * 16, n = p->out.cols;
  const gsize bytes = (p->a.rows + 7) / 8 * 8 * stride * sizeof (float);
  const guint team = lm_cpu_team (c, work_of (p));
  float *x = lm_cpu_workspace (bytes);

  memset (x, 0, bytes);
  for (gsize r = 0; r < p->a.rows; r++)
    memcpy (x + r * stride, (char *) p->a.data + lm_type_bytes (LM_BF16, r * p->a.stride),
            lm_type_bytes (LM_BF16, p->a.cols));
#pragma omp parallel for num_threads(team) schedule(static)
  for (guint i = 0; i < team; i++)
    k->products->dot_pairs (p, x, stride, n * i / team, n * (i + 1) / team);
  free (x);
}

static void
rows (LmCompute *c, const LmCpuProduct *p)
{
  const LmCpuProducts *k = lm_cpu_kernels ()->products;
  const gsize panels = (p->out.cols + k->panel - 1) / k->panel;
  const gsize strips = (p->out.rows + STRIP - 1) / STRIP;
  gpointer packed = lm_cpu_workspace (k->pack_bytes (p));

#pragma omp parallel num_threads(lm_cpu_team(c, work_of(p)))
  {
    gpointer workspace = lm_cpu_workspace (k->rows_bytes (p));

#pragma omp for schedule(static)
    for (gsize i = 0; i < panels; i++)
      k->pack (p, packed, i, i + 1);
#pragma omp for schedule(static)
    for (gsize i = 0; i < strips; i++)
      k->rows (p, packed, i * STRIP, MIN ((i + 1) * STRIP, p->out.rows), workspace);
    free (workspace);
  }
  free (packed);
}

static void
inner (LmCompute *c, const LmCpuProduct *p)
{
  const LmCpuKernels *k = lm_cpu_kernels ();
  const gboolean swap = p->out.cols < p->out.rows;
  const gsize n = swap ? p->out.rows : p->out.cols, units = (n + k->lanes - 1) / k->lanes;
  const guint team = MIN (lm_cpu_team (c, work_of (p)), units);

#pragma omp parallel for num_threads(team) schedule(static)
  for (guint i = 0; i < team; i++)
    {
      gpointer workspace = lm_cpu_workspace (k->products->inner_bytes (p));

      k->products->inner (p, swap, units * i / team * k->lanes,
                          MIN (units * (i + 1) / team * k->lanes, n), workspace);
      free (workspace);
    }
}

gboolean
lm_cpu_matmul_small (LmCompute *c, LmMat out, float beta, float alpha, LmMat a, gboolean ta,
                     LmMat b, gboolean tb)
{
  const LmCpuProduct p = { out, a, b, ta, tb, alpha, beta };
  const gsize depth = ta ? a.rows : a.cols;

  if (out.rows == 0 || out.cols == 0 || depth == 0)
    return FALSE;
  if (!ta && tb && is_stored (b.type) && a.type == LM_BF16 && out.rows >= LEAST_PAIR_ROWS
      && out.rows <= (is_plain (b.type) ? FEW_ROWS_PLAIN : MOST_PAIR_ROWS)
      && lm_cpu_kernels ()->products->dot_pairs != NULL)
    dot_pairs (c, &p);
  else if (!ta && tb && is_stored (b.type)
           && out.rows <= (is_plain (b.type) ? FEW_ROWS_PLAIN : FEW_ROWS))
    dot (c, &p);
  else if (!ta && is_plain (b.type) && MIN (out.cols, depth) <= NARROW
           && MAX (out.cols, depth) <= WIDE)
    rows (c, &p);
  else if (ta && !tb && is_plain (b.type) && MIN (out.rows, out.cols) <= NARROW)
    inner (c, &p);
  else
    return FALSE;
  return TRUE;
}
