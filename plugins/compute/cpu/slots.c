/* SPDX-License-Identifier: Apache-2.0 */
/* slots.c: the operations of compute.h by kernels of rows, divided among threads.
 *
 * Rows are independent; sums over rows are divided by columns, sums of all by
 * blocks of fixed size: no result depends on the number of threads.
 */
#include "config.h"

#include "compute/cpu/cpu.h"
#include "compute/cpu/kernels.h"

#define ROWS (lm_cpu_kernels ()->rows)

/* What repays waking all threads; one or all of them, for OpenMP ends those that a smaller team
 * leaves out. */
#define WORK_TO_SHARE 65536.0
#define WORK_FOR_A_THREAD 8192.0

guint
lm_cpu_team (const LmCompute *c, double work)
{
  const gboolean shared = work >= WORK_TO_SHARE && work >= WORK_FOR_A_THREAD * c->threads;

  return shared ? MAX (c->threads, 1) : 1;
}

static gpointer
row_of (const LmMat *m, gsize row)
{
  return (char *) m->data + row * lm_type_bytes (m->type, m->stride);
}

static double
size_of (const LmMat *m)
{
  return (double) m->rows * (double) m->cols;
}

static void
cpu_add (LmCompute *c, LmMat x, LmMat y)
{
  const LmCpuRows *k = ROWS;

#pragma omp parallel for num_threads(lm_cpu_team(c, size_of(&x))) schedule(static)
  for (gsize t = 0; t < x.rows; t++)
    k->add (x.type, row_of (&x, t), row_of (&y, t), x.cols);
}

static void
cpu_add_row (LmCompute *c, LmMat x, LmMat row)
{
  const LmCpuRows *k = ROWS;

#pragma omp parallel for num_threads(lm_cpu_team(c, size_of(&x))) schedule(static)
  for (gsize t = 0; t < x.rows; t++)
    k->add_row (x.type, row_of (&x, t), row.data, x.cols);
}

#define COLUMNS 64 /* the narrowest strip of columns worth a thread */

static void
cpu_sum_rows (LmCompute *c, LmMat sum, LmMat x)
{
  const LmCpuRows *k = ROWS;
  const gsize strips = (x.cols + COLUMNS - 1) / COLUMNS;

#pragma omp parallel for num_threads(lm_cpu_team(c, size_of(&x))) schedule(static)
  for (gsize i = 0; i < strips; i++)
    {
      LmMat part = lm_mat_cols (x, i * COLUMNS, MIN (COLUMNS, x.cols - i * COLUMNS));

      k->sum_rows ((float *) sum.data + i * COLUMNS, &part);
    }
}

static void
cpu_cast (LmCompute *c, LmMat dst, LmMat src)
{
  lm_cpu_widen_rows (c, dst, src);
}

static void
cpu_silu (LmCompute *c, LmMat out, LmMat gate, LmMat up)
{
  const LmCpuRows *k = ROWS;

#pragma omp parallel for num_threads(lm_cpu_team(c, 8 * size_of(&out))) schedule(static)
  for (gsize t = 0; t < out.rows; t++)
    k->silu (out.type, row_of (&out, t), row_of (&gate, t), row_of (&up, t), out.cols);
}

static void
cpu_silu_back (LmCompute *c, LmMat dgate, LmMat dup, LmMat dout, LmMat gate, LmMat up)
{
  const LmCpuRows *k = ROWS;

#pragma omp parallel for num_threads(lm_cpu_team(c, 8 * size_of(&dout))) schedule(static)
  for (gsize t = 0; t < dout.rows; t++)
    k->silu_back (dout.type, row_of (&dgate, t), row_of (&dup, t), row_of (&dout, t),
                  row_of (&gate, t), row_of (&up, t), dout.cols);
}

static void
cpu_dropout (LmCompute *c, LmMat out, gboolean add, LmMat x, const guint64 *keys, float rate)
{
  const LmCpuRows *k = ROWS;

#pragma omp parallel for num_threads(lm_cpu_team(c, 4 * size_of(&x))) schedule(static)
  for (gsize t = 0; t < x.rows; t++)
    k->dropout (x.type, row_of (&out, t), add, row_of (&x, t), keys[t], rate, x.cols);
}

static void
cpu_rms_norm (LmCompute *c, LmMat out, LmMat rstd, LmMat x, LmMat weight, float epsilon)
{
  const LmCpuRows *k = ROWS;

#pragma omp parallel for num_threads(lm_cpu_team(c, 2 * size_of(&x))) schedule(static)
  for (gsize t = 0; t < x.rows; t++)
    {
      float r
          = k->rms_norm (x.type, row_of (&out, t), row_of (&x, t), weight.data, epsilon, x.cols);

      if (rstd.data != NULL)
        ((float *) rstd.data)[t] = r;
    }
}

static void
cpu_rms_norm_back (LmCompute *c, LmMat dx, float beta, LmMat dweight, LmMat dout, LmMat x,
                   LmMat weight, LmMat rstd)
{
  const LmCpuRows *k = ROWS;
  const guint team = lm_cpu_team (c, 2 * size_of (&x));
  const gsize strips = dweight.data != NULL ? (x.cols + COLUMNS - 1) / COLUMNS : 0;

  /* first what reads dout: dx may take its place */
#pragma omp parallel for num_threads(team) schedule(static)
  for (gsize i = 0; i < strips; i++)
    {
      const gsize n = MIN (COLUMNS, x.cols - i * COLUMNS);
      LmMat d = lm_mat_cols (dout, i * COLUMNS, n), part = lm_mat_cols (x, i * COLUMNS, n);

      k->norm_weight ((float *) dweight.data + i * COLUMNS, &d, &part, rstd.data);
    }
#pragma omp parallel for num_threads(team) schedule(static)
  for (gsize t = 0; t < x.rows; t++)
    k->rms_norm_back (x.type, row_of (&dx, t), beta != 0, row_of (&dout, t), row_of (&x, t),
                      weight.data, ((float *) rstd.data)[t], x.cols);
}

static void
cpu_rope (LmCompute *c, LmMat x, guint heads, guint head_dim, guint half, const gint32 *positions,
          LmMat cosine, LmMat sine, gboolean inverse)
{
  const LmCpuRows *k = ROWS;

#pragma omp parallel for num_threads(lm_cpu_team(c, 2 * size_of(&x))) schedule(static)
  for (gsize t = 0; t < x.rows; t++)
    k->rope (x.type, row_of (&x, t), heads, head_dim, half, row_of (&cosine, positions[t]),
             row_of (&sine, positions[t]), inverse);
}

static void
cpu_embed (LmCompute *c, LmMat out, LmMat weight, const gint32 *tokens)
{
#pragma omp parallel for num_threads(lm_cpu_team(c, size_of(&out))) schedule(static)
  for (gsize t = 0; t < out.rows; t++)
    lm_cpu_widen (weight.type, row_of (&weight, tokens[t]), out.type, row_of (&out, t), out.cols);
}

static void
cpu_embed_back (LmCompute *c, LmMat dweight, LmMat dout, const gint32 *tokens)
{
  const LmCpuRows *k = ROWS;
  const gsize strips = (dout.cols + COLUMNS - 1) / COLUMNS;

#pragma omp parallel for num_threads(lm_cpu_team(c, size_of(&dout))) schedule(static)
  for (gsize i = 0; i < strips; i++)
    {
      LmMat part = lm_mat_cols (dout, i * COLUMNS, MIN (COLUMNS, dout.cols - i * COLUMNS));

      for (gsize t = 0; t < part.rows; t++)
        {
          LmMat row = lm_mat_rows (part, t, 1);

          k->sum_rows ((float *) row_of (&dweight, tokens[t]) + i * COLUMNS, &row);
        }
    }
}

static void
cpu_cross_entropy (LmCompute *c, LmMat logits, const gint32 *targets, float *losses,
                   float grad_scale)
{
  const LmCpuRows *k = ROWS;

#pragma omp parallel for num_threads(lm_cpu_team(c, 8 * size_of(&logits))) schedule(static)
  for (gsize i = 0; i < logits.rows; i++)
    losses[i]
        = k->cross_entropy (logits.type, row_of (&logits, i), targets[i], grad_scale, logits.cols);
}

#define BLOCK 16384 /* of long arrays */

static void
cpu_adamw (LmCompute *c, gpointer param, gconstpointer grad, gpointer m, gpointer v, gsize n,
           const LmAdam *adam)
{
  const LmCpuRows *k = ROWS;

#pragma omp parallel for num_threads(lm_cpu_team(c, 4.0 * (double) n)) schedule(static)
  for (gsize i = 0; i < n; i += BLOCK)
    k->adamw ((float *) param + i, (const float *) grad + i, (float *) m + i, (float *) v + i,
              MIN (BLOCK, n - i), adam);
}

static double
cpu_sum_squares (LmCompute *c, gconstpointer x, gsize n)
{
  const LmCpuRows *k = ROWS;
  const gsize blocks = n / BLOCK + 1;
  g_autofree double *sums = g_new0 (double, blocks);
  double sum = 0;

#pragma omp parallel for num_threads(lm_cpu_team(c, (double) n)) schedule(static)
  for (gsize i = 0; i < n; i += BLOCK)
    sums[i / BLOCK] = k->sum_squares ((const float *) x + i, MIN (BLOCK, n - i));
  for (gsize i = 0; i < blocks; i++)
    sum += sums[i];
  return sum;
}

void
lm_cpu_widen (LmType from, gconstpointer src, LmType to, gpointer dst, gsize n)
{
  ROWS->widen (from, src, to, dst, n);
}

void
lm_cpu_widen_rows (LmCompute *c, LmMat dst, LmMat src)
{
  const LmCpuRows *k = ROWS;

#pragma omp parallel for num_threads(lm_cpu_team(c, size_of(&src))) schedule(static)
  for (gsize t = 0; t < src.rows; t++)
    k->widen (src.type, row_of (&src, t), dst.type, row_of (&dst, t), src.cols);
}

void
lm_cpu_fill (LmComputeClass *klass)
{
#define FILL(slot, f)                                                                              \
  if (klass->slot == NULL)                                                                         \
    klass->slot = f;
  FILL (add, cpu_add)
  FILL (add_row, cpu_add_row)
  FILL (sum_rows, cpu_sum_rows)
  FILL (cast, cpu_cast)
  FILL (silu, cpu_silu)
  FILL (silu_back, cpu_silu_back)
  FILL (dropout, cpu_dropout)
  FILL (rms_norm, cpu_rms_norm)
  FILL (rms_norm_back, cpu_rms_norm_back)
  FILL (rope, cpu_rope)
  FILL (attention, lm_cpu_attention)
  FILL (attention_back, lm_cpu_attention_back)
  FILL (embed, cpu_embed)
  FILL (embed_back, cpu_embed_back)
  FILL (cross_entropy, cpu_cross_entropy)
  FILL (adamw, cpu_adamw)
  FILL (sum_squares, cpu_sum_squares)
#undef FILL
}
