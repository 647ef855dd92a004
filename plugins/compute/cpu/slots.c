/* SPDX-License-Identifier: Apache-2.0 */
/* slots.c: the operations of compute.h by kernels of rows, divided among threads.
 *
 * Rows are independent; sums over rows are divided by columns, sums of all by
 * blocks of fixed size: no result depends on the number of threads.
 */
#include "config.h"

#include "compute/cpu/cpu.h"
#include "compute/cpu/kernels.h"
#include "compute/cpu/team.h"

#define ROWS (lm_cpu_kernels ()->rows)

/* What repays sharing. */
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

/* @n things, altogether @work, divided into stretches. */
static void
share (const LmCompute *c, double work, gsize n, LmCpuPart part, gconstpointer data)
{
  const guint team = lm_cpu_team (c, work);

  lm_cpu_share (team, lm_cpu_parts (team, n), 0, part, data);
}

/* What follows is one shape over and over: what an operation is about, a stretch of its rows or
 * strips of its columns, and the slot. */

typedef struct
{
  LmMat x, y;
} Add;

static void
add_part (gconstpointer data, const LmCpuShare *share)
{
  const Add *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, o->x.rows);

  for (gsize t = lm_cpu_from (share, o->x.rows); t < to; t++)
    k->add (o->x.type, row_of (&o->x, t), row_of (&o->y, t), o->x.cols);
}

static void
cpu_add (LmCompute *c, LmMat x, LmMat y)
{
  share (c, size_of (&x), x.rows, add_part, &(Add){ x, y });
}

typedef struct
{
  LmMat x, row;
} AddRow;

static void
add_row_part (gconstpointer data, const LmCpuShare *share)
{
  const AddRow *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, o->x.rows);

  for (gsize t = lm_cpu_from (share, o->x.rows); t < to; t++)
    k->add_row (o->x.type, row_of (&o->x, t), o->row.data, o->x.cols);
}

static void
cpu_add_row (LmCompute *c, LmMat x, LmMat row)
{
  share (c, size_of (&x), x.rows, add_row_part, &(AddRow){ x, row });
}

#define COLUMNS 64 /* the narrowest strip of columns worth a part */

static gsize
strips_of (gsize cols)
{
  return (cols + COLUMNS - 1) / COLUMNS;
}

static LmMat
strip_of (LmMat m, gsize i)
{
  return lm_mat_cols (m, i * COLUMNS, MIN (COLUMNS, m.cols - i * COLUMNS));
}

typedef struct
{
  LmMat sum, x;
} SumRows;

static void
sum_rows_part (gconstpointer data, const LmCpuShare *share)
{
  const SumRows *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, strips_of (o->x.cols));

  for (gsize i = lm_cpu_from (share, strips_of (o->x.cols)); i < to; i++)
    {
      const LmMat strip = strip_of (o->x, i);

      k->sum_rows ((float *) o->sum.data + i * COLUMNS, &strip);
    }
}

static void
cpu_sum_rows (LmCompute *c, LmMat sum, LmMat x)
{
  share (c, size_of (&x), strips_of (x.cols), sum_rows_part, &(SumRows){ sum, x });
}

static void
cpu_cast (LmCompute *c, LmMat dst, LmMat src)
{
  lm_cpu_widen_rows (c, dst, src);
}

typedef struct
{
  LmMat out, gate, up;
} Silu;

static void
silu_part (gconstpointer data, const LmCpuShare *share)
{
  const Silu *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, o->out.rows);

  for (gsize t = lm_cpu_from (share, o->out.rows); t < to; t++)
    k->silu (o->out.type, row_of (&o->out, t), row_of (&o->gate, t), row_of (&o->up, t),
             o->out.cols);
}

static void
cpu_silu (LmCompute *c, LmMat out, LmMat gate, LmMat up)
{
  share (c, 8 * size_of (&out), out.rows, silu_part, &(Silu){ out, gate, up });
}

typedef struct
{
  LmMat dgate, dup, dout, gate, up;
} SiluBack;

static void
silu_back_part (gconstpointer data, const LmCpuShare *share)
{
  const SiluBack *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, o->dout.rows);

  for (gsize t = lm_cpu_from (share, o->dout.rows); t < to; t++)
    k->silu_back (o->dout.type, row_of (&o->dgate, t), row_of (&o->dup, t), row_of (&o->dout, t),
                  row_of (&o->gate, t), row_of (&o->up, t), o->dout.cols);
}

static void
cpu_silu_back (LmCompute *c, LmMat dgate, LmMat dup, LmMat dout, LmMat gate, LmMat up)
{
  share (c, 8 * size_of (&dout), dout.rows, silu_back_part,
         &(SiluBack){ dgate, dup, dout, gate, up });
}

typedef struct
{
  LmMat out, x;
  gboolean add;
  const guint64 *keys;
  float rate;
} Dropout;

static void
dropout_part (gconstpointer data, const LmCpuShare *share)
{
  const Dropout *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, o->x.rows);

  for (gsize t = lm_cpu_from (share, o->x.rows); t < to; t++)
    k->dropout (o->x.type, row_of (&o->out, t), o->add, row_of (&o->x, t), o->keys[t], o->rate,
                o->x.cols);
}

static void
cpu_dropout (LmCompute *c, LmMat out, gboolean add, LmMat x, const guint64 *keys, float rate)
{
  share (c, 4 * size_of (&x), x.rows, dropout_part, &(Dropout){ out, x, add, keys, rate });
}

typedef struct
{
  LmMat out, rstd, x, weight;
  float epsilon;
} RmsNorm;

static void
rms_norm_part (gconstpointer data, const LmCpuShare *share)
{
  const RmsNorm *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, o->x.rows);

  for (gsize t = lm_cpu_from (share, o->x.rows); t < to; t++)
    {
      const float r = k->rms_norm (o->x.type, row_of (&o->out, t), row_of (&o->x, t),
                                   o->weight.data, o->epsilon, o->x.cols);

      if (o->rstd.data != NULL)
        ((float *) o->rstd.data)[t] = r;
    }
}

static void
cpu_rms_norm (LmCompute *c, LmMat out, LmMat rstd, LmMat x, LmMat weight, float epsilon)
{
  share (c, 2 * size_of (&x), x.rows, rms_norm_part, &(RmsNorm){ out, rstd, x, weight, epsilon });
}

typedef struct
{
  LmMat dx, dweight, dout, x, weight, rstd;
  gboolean add;
} RmsNormBack;

static void
norm_weight_part (gconstpointer data, const LmCpuShare *share)
{
  const RmsNormBack *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, strips_of (o->x.cols));

  for (gsize i = lm_cpu_from (share, strips_of (o->x.cols)); i < to; i++)
    {
      const LmMat dout = strip_of (o->dout, i), x = strip_of (o->x, i);

      k->norm_weight ((float *) o->dweight.data + i * COLUMNS, &dout, &x, o->rstd.data);
    }
}

static void
rms_norm_back_part (gconstpointer data, const LmCpuShare *share)
{
  const RmsNormBack *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, o->x.rows);

  for (gsize t = lm_cpu_from (share, o->x.rows); t < to; t++)
    k->rms_norm_back (o->x.type, row_of (&o->dx, t), o->add, row_of (&o->dout, t),
                      row_of (&o->x, t), o->weight.data, ((float *) o->rstd.data)[t], o->x.cols);
}

static void
cpu_rms_norm_back (LmCompute *c, LmMat dx, float beta, LmMat dweight, LmMat dout, LmMat x,
                   LmMat weight, LmMat rstd)
{
  const RmsNormBack o = { dx, dweight, dout, x, weight, rstd, beta != 0 };
  const double work = 2 * size_of (&x);

  /* first what reads dout: dx may take its place */
  if (dweight.data != NULL)
    share (c, work, strips_of (x.cols), norm_weight_part, &o);
  share (c, work, x.rows, rms_norm_back_part, &o);
}

typedef struct
{
  LmMat x, cosine, sine;
  guint heads, head_dim, half;
  const gint32 *positions;
  gboolean inverse;
} Rope;

static void
rope_part (gconstpointer data, const LmCpuShare *share)
{
  const Rope *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, o->x.rows);

  for (gsize t = lm_cpu_from (share, o->x.rows); t < to; t++)
    k->rope (o->x.type, row_of (&o->x, t), o->heads, o->head_dim, o->half,
             row_of (&o->cosine, o->positions[t]), row_of (&o->sine, o->positions[t]), o->inverse);
}

static void
cpu_rope (LmCompute *c, LmMat x, guint heads, guint head_dim, guint half, const gint32 *positions,
          LmMat cosine, LmMat sine, gboolean inverse)
{
  share (c, 2 * size_of (&x), x.rows, rope_part,
         &(Rope){ x, cosine, sine, heads, head_dim, half, positions, inverse });
}

typedef struct
{
  LmMat out, weight;
  const gint32 *tokens;
} Embed;

static void
embed_part (gconstpointer data, const LmCpuShare *share)
{
  const Embed *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, o->out.rows);

  for (gsize t = lm_cpu_from (share, o->out.rows); t < to; t++)
    k->widen (o->weight.type, row_of (&o->weight, o->tokens[t]), o->out.type, row_of (&o->out, t),
              o->out.cols);
}

static void
cpu_embed (LmCompute *c, LmMat out, LmMat weight, const gint32 *tokens)
{
  share (c, size_of (&out), out.rows, embed_part, &(Embed){ out, weight, tokens });
}

typedef struct
{
  LmMat dweight, dout;
  const gint32 *tokens;
} EmbedBack;

static void
embed_back_part (gconstpointer data, const LmCpuShare *share)
{
  const EmbedBack *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, strips_of (o->dout.cols));

  for (gsize i = lm_cpu_from (share, strips_of (o->dout.cols)); i < to; i++)
    for (gsize t = 0; t < o->dout.rows; t++)
      {
        const LmMat row = lm_mat_rows (strip_of (o->dout, i), t, 1);

        k->sum_rows ((float *) row_of (&o->dweight, o->tokens[t]) + i * COLUMNS, &row);
      }
}

static void
cpu_embed_back (LmCompute *c, LmMat dweight, LmMat dout, const gint32 *tokens)
{
  share (c, size_of (&dout), strips_of (dout.cols), embed_back_part,
         &(EmbedBack){ dweight, dout, tokens });
}

typedef struct
{
  LmMat logits;
  const gint32 *targets;
  float *losses;
  float grad_scale;
} CrossEntropy;

static void
cross_entropy_part (gconstpointer data, const LmCpuShare *share)
{
  const CrossEntropy *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, o->logits.rows);

  for (gsize i = lm_cpu_from (share, o->logits.rows); i < to; i++)
    o->losses[i] = k->cross_entropy (o->logits.type, row_of (&o->logits, i), o->targets[i],
                                     o->grad_scale, o->logits.cols);
}

static void
cpu_cross_entropy (LmCompute *c, LmMat logits, const gint32 *targets, float *losses,
                   float grad_scale)
{
  share (c, 8 * size_of (&logits), logits.rows, cross_entropy_part,
         &(CrossEntropy){ logits, targets, losses, grad_scale });
}

#define BLOCK 16384 /* of long arrays */

static gsize
blocks_of (gsize n)
{
  return (n + BLOCK - 1) / BLOCK;
}

typedef struct
{
  float *param;
  const float *grad;
  float *m, *v;
  gsize n;
  const LmAdam *adam;
} Adamw;

static void
adamw_part (gconstpointer data, const LmCpuShare *share)
{
  const Adamw *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, blocks_of (o->n));

  for (gsize i = lm_cpu_from (share, blocks_of (o->n)); i < to; i++)
    {
      const gsize at = i * BLOCK;

      k->adamw (o->param + at, o->grad + at, o->m + at, o->v + at, MIN (BLOCK, o->n - at), o->adam);
    }
}

static void
cpu_adamw (LmCompute *c, gpointer param, gconstpointer grad, gpointer m, gpointer v, gsize n,
           const LmAdam *adam)
{
  share (c, 4.0 * (double) n, blocks_of (n), adamw_part, &(Adamw){ param, grad, m, v, n, adam });
}

typedef struct
{
  const float *x;
  gsize n;
  double *sums;
} SumSquares;

static void
sum_squares_part (gconstpointer data, const LmCpuShare *share)
{
  const SumSquares *o = data;
  const gsize to = lm_cpu_to (share, blocks_of (o->n));

  for (gsize i = lm_cpu_from (share, blocks_of (o->n)); i < to; i++)
    o->sums[i] = ROWS->sum_squares (o->x + i * BLOCK, MIN (BLOCK, o->n - i * BLOCK));
}

static double
cpu_sum_squares (LmCompute *c, gconstpointer x, gsize n)
{
  const gsize blocks = blocks_of (n);
  g_autofree double *sums = g_new (double, blocks);
  double sum = 0;

  share (c, (double) n, blocks, sum_squares_part, &(SumSquares){ x, n, sums });
  for (gsize i = 0; i < blocks; i++)
    sum += sums[i];
  return sum;
}

void
lm_cpu_widen (LmType from, gconstpointer src, LmType to, gpointer dst, gsize n)
{
  ROWS->widen (from, src, to, dst, n);
}

typedef struct
{
  LmMat dst, src;
} Widen;

static void
widen_part (gconstpointer data, const LmCpuShare *share)
{
  const Widen *o = data;
  const LmCpuRows *k = ROWS;
  const gsize to = lm_cpu_to (share, o->src.rows);

  for (gsize t = lm_cpu_from (share, o->src.rows); t < to; t++)
    k->widen (o->src.type, row_of (&o->src, t), o->dst.type, row_of (&o->dst, t), o->src.cols);
}

void
lm_cpu_widen_rows (LmCompute *c, LmMat dst, LmMat src)
{
  share (c, size_of (&src), src.rows, widen_part, &(Widen){ dst, src });
}

void
lm_cpu_fill (LmComputeClass *klass)
{
#define FILL(slot, f)                                                                              \
  if (klass->slot == NULL)                                                                         \
    klass->slot = f;
  FILL (packed_bytes, lm_cpu_packed_bytes)
  FILL (pack, lm_cpu_pack)
  FILL (matmul_packed, lm_cpu_matmul_packed)
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
