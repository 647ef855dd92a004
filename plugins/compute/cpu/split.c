/* SPDX-License-Identifier: Apache-2.0 */
/* split.c: big products of F32 and BF16 by a processor that multiplies BF16 many times faster,
 * divided among threads; split-amx.c says how.
 *
 * Each operand is packed once for each stretch of the inner dimension: that with fewer rows, or
 * columns, of the output (the sheet) by all threads, for all of them; the other in pieces, by the
 * thread that multiplies a piece.  A sheet too large for its memory is done in parts, for which the
 * other operand is packed again.
 */
#include "config.h"

#include "compute/cpu/cpu.h"
#include "compute/cpu/kernels.h"
#include "compute/cpu/team.h"

#define DEPTH 1024              /* the longest stretch of the inner dimension, */
#define DEPTH_BF16 1536         /* and of products of BF16 */
#define PIECE_LINES 256         /* the most; with the block of the sheet in the second cache: */
#define PIECE_BYTES (900 << 10) /* packed */
#define SHEET_BYTES (16 << 20)  /* packed */
#define LEAST_SHARED 48.0       /* rows * columns / (rows + columns); measured: below, and below */
#define LEAST_WORK 0x1p24       /* so many products, oneDNN's F32 is as fast */
#define LEAST_TURNED 1024       /* of BF16, the inner dimension where a is transposed, */
#define LEAST_DEEP 4096         /* where b is, */
#define LEAST_WIDE 1024         /* and columns where neither is; measured */
#define LINES LM_CPU_SPLIT_LINES
#define STEP LM_CPU_SPLIT_STEP

typedef struct
{
  LmCpuProduct p;
  const LmCpuSplit *kernels;
  gboolean by_rows; /* pieces are rows, and the sheet is of b */
  gsize inner, depth, sheet, piece;
  gsize sheet_block, piece_block; /* bytes of 32 lines, a stretch deep */
  guint threads;
} Plan;

static gsize
whole (gsize n, gsize unit)
{
  return (n + unit - 1) / unit * unit;
}

static gsize
block_bytes (LmType type, gsize depth)
{
  return (gsize) lm_cpu_split_parts (type) * LINES * depth * sizeof (guint16);
}

/* Lines of a piece: the most, up to @most, that give all threads about the same. */
static gsize
piece_lines (gsize lines, gsize most, guint threads)
{
  gsize best = LINES, least = G_MAXSIZE;

  for (gsize n = most / LINES * LINES; n >= LINES; n -= LINES)
    {
      const gsize pieces = (lines + n - 1) / n, turns = (pieces + threads - 1) / threads;

      if (turns * n < least)
        {
          least = turns * n;
          best = n;
        }
    }
  return best;
}

static gsize
most_depth (LmType a)
{
  return a == LM_BF16 ? DEPTH_BF16 : DEPTH;
}

static void
make_plan (Plan *plan, const LmCompute *c, const LmCpuProduct *p)
{
  const gsize most = most_depth (p->a.type);
  const gsize stretches = ((p->ta ? p->a.rows : p->a.cols) + most - 1) / most;

  plan->p = *p;
  plan->kernels = lm_cpu_kernels ()->split;
  plan->threads = MAX (c->threads, 1);
  plan->by_rows = p->out.rows >= p->out.cols;
  plan->inner = p->ta ? p->a.rows : p->a.cols;
  plan->depth = whole ((plan->inner + stretches - 1) / stretches, STEP);
  plan->sheet_block = block_bytes (plan->by_rows ? p->b.type : p->a.type, plan->depth);
  plan->piece_block = block_bytes (plan->by_rows ? p->a.type : p->b.type, plan->depth);
  plan->sheet = MIN (SHEET_BYTES / plan->sheet_block * LINES,
                     whole (MIN (p->out.rows, p->out.cols), LINES));
  plan->piece
      = piece_lines (MAX (p->out.rows, p->out.cols),
                     MIN (PIECE_LINES, PIECE_BYTES / plan->piece_block * LINES), plan->threads);
}

static gsize
sheet_bytes (const Plan *plan)
{
  return plan->sheet / LINES * plan->sheet_block;
}

static gsize
piece_bytes (const Plan *plan)
{
  return plan->piece / LINES * plan->piece_block;
}

gsize
lm_cpu_split_bytes (const LmCompute *c, LmMat out, LmMat a, gboolean ta, LmMat b)
{
  const LmCpuProduct p = { out, a, b, ta, FALSE, 1, 0 };
  Plan plan;

  if (lm_cpu_kernels ()->split == NULL || (a.type != LM_F32 && a.type != LM_BF16)
      || (b.type != LM_BF16 && (b.type != LM_F32 || a.type != LM_F32)) || out.rows == 0
      || out.cols == 0 || a.rows == 0 || a.cols == 0
      || (out.type != LM_F32 && (ta ? a.rows : a.cols) > most_depth (a.type)))
    return 0;
  make_plan (&plan, c, &p);
  return sheet_bytes (&plan) + plan.threads * piece_bytes (&plan);
}

/* What is packed grows with the rows and the columns, what it saves with their product.  oneDNN's
 * BF16 is slower only where it reads a large b by columns, packs a long inner dimension again and
 * again, or turns a. */
gboolean
lm_cpu_split_repays (LmMat out, LmMat a, gboolean ta, gboolean tb)
{
  const double m = (double) out.rows, n = (double) out.cols;
  const gsize inner = ta ? a.rows : a.cols;

  if (m * n < LEAST_SHARED * (m + n) || m * n * (double) inner < LEAST_WORK)
    return FALSE;
  if (a.type == LM_F32)
    return TRUE;
  return ta ? inner >= LEAST_TURNED : tb ? inner >= LEAST_DEEP : out.cols >= LEAST_WIDE;
}

/* Blocks [@from, @to) of the sheet's or of the piece's side, whose first line is @line. */
static void
pack (const Plan *plan, gboolean a, gsize line, gsize from, gsize to, gsize k, char *packed)
{
  const gsize bytes = a == plan->by_rows ? plan->piece_block : plan->sheet_block;

  (a ? plan->kernels->pack_a : plan->kernels->pack_b) (&plan->p, line + from * LINES, to - from, k,
                                                       plan->depth, packed + from * bytes);
}

static void
multiply_piece (const Plan *plan, gsize k, gsize from, gsize n, const char *sheet, gsize line,
                char *packed)
{
  const gsize lines = MIN (plan->piece, MAX (plan->p.out.rows, plan->p.out.cols) - line);
  LmCpuSplitPart part = { &plan->p, line, lines, from, n, k, plan->depth, packed, sheet };

  pack (plan, plan->by_rows, line, 0, (lines + LINES - 1) / LINES, k, packed);
  if (!plan->by_rows)
    part = (LmCpuSplitPart){ &plan->p, from, n, line, lines, k, plan->depth, sheet, packed };
  plan->kernels->multiply (&part);
}

/* A part of the sheet, and what is done with it. */
typedef struct
{
  const Plan *plan;
  gsize k, from, n;
  char *sheet;
} Step;

static void
pack_part (gconstpointer data, const LmCpuShare *share)
{
  const Step *step = data;
  const gsize blocks = (step->n + LINES - 1) / LINES;

  pack (step->plan, !step->plan->by_rows, step->from, lm_cpu_from (share, blocks),
        lm_cpu_to (share, blocks), step->k, step->sheet);
}

static void
multiply_part (gconstpointer data, const LmCpuShare *share)
{
  const Step *step = data;
  const Plan *plan = step->plan;
  char *packed = step->sheet + sheet_bytes (plan) + share->thread * piece_bytes (plan);

  multiply_piece (plan, step->k, step->from, step->n, step->sheet, share->part * plan->piece,
                  packed);
}

void
lm_cpu_matmul_split (LmCompute *c, gpointer workspace, LmMat out, float beta, float alpha, LmMat a,
                     gboolean ta, LmMat b, gboolean tb)
{
  const LmCpuProduct p = { out, a, b, ta, tb, alpha, beta };
  const gsize shorter = MIN (out.rows, out.cols), longer = MAX (out.rows, out.cols);
  Plan plan;

  make_plan (&plan, c, &p);
  for (gsize k = 0; k < plan.inner; k += plan.depth)
    for (gsize from = 0; from < shorter; from += plan.sheet)
      {
        const Step step = { &plan, k, from, MIN (plan.sheet, shorter - from), workspace };

        lm_cpu_share (plan.threads, lm_cpu_parts (plan.threads, (step.n + LINES - 1) / LINES), 0,
                      pack_part, &step);
        lm_cpu_share (plan.threads, (longer + plan.piece - 1) / plan.piece, 0, multiply_part,
                      &step);
      }
}
