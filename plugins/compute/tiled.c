/* SPDX-License-Identifier: Apache-2.0 */
/* tiled.c: big products in pieces (tiled.h). */
#include "config.h"

#include "compute/tiled.h"

#include <omp.h>

#include "compute/cpu/cpu.h"
#include "compute/cpu/team.h"

#define TILE_BYTES (32 << 20) /* of a weight, widened */
#define SUM_BYTES (16 << 20)  /* of F32 sums that several tiles add to */
#define PIECE_BYTES (8 << 20) /* of rows of a, converted by one thread */
/* of output that one thread converts: they stay in its cache */
#define PIECE_OUT_NUMBERS (1 << 18)
#define MOST_ROWS 256 /* of a piece: more is no faster */
#define LEAST_ROWS 32
#define COLUMNS 64 /* a part of the columns is a multiple of this */

typedef struct
{
  gpointer data;
  gsize bytes;
} Buffer;

struct _LmTiles
{
  guint threads;
  Buffer tile, sums, split;
  Buffer *a, *out; /* of each thread */
};

typedef struct
{
  LmCompute *c;
  LmTiles *tiles;
  const LmTiling *how;
  LmMat out, a, b;
  float beta, alpha;
  gboolean ta, tb;
} Product;

/* Rows of the output, and columns of it. */
typedef struct
{
  gsize row, rows, col, cols;
} Piece;

LmTiles *
lm_tiles_new (guint threads)
{
  LmTiles *tiles = g_new0 (LmTiles, 1);

  tiles->threads = threads;
  tiles->a = g_new0 (Buffer, threads);
  tiles->out = g_new0 (Buffer, threads);
  return tiles;
}

void
lm_tiles_free (LmTiles *tiles)
{
  for (guint i = 0; i < tiles->threads; i++)
    {
      g_aligned_free (tiles->a[i].data);
      g_aligned_free (tiles->out[i].data);
    }
  g_aligned_free (tiles->tile.data);
  g_aligned_free (tiles->sums.data);
  g_aligned_free (tiles->split.data);
  g_free (tiles->a);
  g_free (tiles->out);
  g_free (tiles);
}

static gpointer
buffer_room (Buffer *buffer, gsize bytes)
{
  if (buffer->bytes < bytes)
    {
      g_aligned_free (buffer->data);
      buffer->data = g_aligned_alloc (1, bytes, 64);
      buffer->bytes = bytes;
    }
  return buffer->data;
}

static LmMat
buffer_mat (Buffer *buffer, LmType type, gsize rows, gsize cols)
{
  return lm_mat (buffer_room (buffer, rows * lm_type_bytes (type, cols)), type, rows, cols);
}

/* What rows, and columns, of op(m) are of m. */
static LmMat
op_rows (LmMat m, gboolean transposed, gsize from, gsize n)
{
  return transposed ? lm_mat_cols (m, from, n) : lm_mat_rows (m, from, n);
}

static LmMat
op_cols (LmMat m, gboolean transposed, gsize from, gsize n)
{
  return op_rows (m, !transposed, from, n);
}

static void
convert (LmMat dst, LmMat src)
{
  for (gsize i = 0; i < src.rows; i++)
    lm_cpu_widen (src.type, lm_mat_rows (src, i, 1).data, dst.type, lm_mat_rows (dst, i, 1).data,
                  src.cols);
}

/* The library writes F32 where BF16 is wanted: columns that stay in a cache at a time. */
static void
multiply_through (const Product *p, guint thread, LmMat out, LmMat a, LmMat b)
{
  const gsize most = MAX (PIECE_OUT_NUMBERS / out.rows / COLUMNS, 1) * COLUMNS;

  for (gsize from = 0, n; from < out.cols; from += n)
    {
      LmMat part, wide;

      n = MIN (most, out.cols - from);
      part = lm_mat_cols (out, from, n);
      wide = buffer_mat (&p->tiles->out[thread], LM_F32, out.rows, n);
      if (p->beta != 0)
        convert (wide, part);
      p->how->product (p->c, thread, wide, p->beta, p->alpha, a, p->ta, op_cols (b, p->tb, from, n),
                       p->tb);
      convert (part, wide);
    }
}

static void
multiply_piece (const Product *p, guint thread, const Piece *piece)
{
  LmMat out = lm_mat_cols (lm_mat_rows (p->out, piece->row, piece->rows), piece->col, piece->cols);
  LmMat a = op_rows (p->a, p->ta, piece->row, piece->rows);
  LmMat b = op_cols (p->b, p->tb, piece->col, piece->cols);

  if (a.type != p->how->operands)
    {
      LmMat same = buffer_mat (&p->tiles->a[thread], p->how->operands, a.rows, a.cols);

      convert (same, a);
      a = same;
    }
  if (out.type != LM_F32 && !p->how->writes_bf16)
    multiply_through (p, thread, out, a, b);
  else
    p->how->product (p->c, thread, out, p->beta, p->alpha, a, p->ta, b, p->tb);
}

/* The largest power of two that gives all threads something, and about the same. */
static gsize
piece_rows (const Product *p, gsize inner)
{
  const gsize threads = p->c->threads;
  gsize rows = MOST_ROWS;

  for (; rows > LEAST_ROWS; rows /= 2)
    {
      const gsize n = p->out.rows / rows;
      const gboolean fits = p->a.type == p->how->operands
                            || rows * lm_type_bytes (p->how->operands, inner) <= PIECE_BYTES;

      if (fits && n >= threads && ((threads - n % threads) % threads) * 10 <= n)
        break;
    }
  return rows;
}

/* What is left of the rows goes in powers of two, the last piece, of less than 2 * LEAST_ROWS,
 * whole. */
static gsize
next_rows (gsize left, gsize rows)
{
  while (rows > left)
    rows /= 2;
  return left < 2 * LEAST_ROWS && rows < LEAST_ROWS ? left : rows;
}

static GArray *
cut (const Product *p)
{
  const gsize inner = p->ta ? p->a.rows : p->a.cols;
  const gsize rows = piece_rows (p, inner), cols = p->out.cols;
  const gsize parts = p->out.rows / rows >= p->c->threads ? 1 : p->c->threads;
  const gsize part = MAX ((cols + parts * COLUMNS - 1) / (parts * COLUMNS), 1) * COLUMNS;
  GArray *pieces = g_array_new (FALSE, FALSE, sizeof (Piece));

  for (gsize row = 0, n; row < p->out.rows; row += n)
    {
      n = next_rows (p->out.rows - row, rows);
      for (gsize col = 0; col < cols; col += part)
        {
          const Piece piece = { row, n, col, MIN (part, cols - col) };

          g_array_append_val (pieces, piece);
        }
    }
  return pieces;
}

typedef struct
{
  const Product *p;
  const Piece *pieces;
} Pieces;

/* The library asks OpenMP how many threads it may use. */
static void
multiply_part (gconstpointer data, const LmCpuShare *share)
{
  const Pieces *all = data;
  const int before = omp_get_max_threads ();

  omp_set_num_threads (1);
  multiply_piece (all->p, share->thread, &all->pieces[share->part]);
  omp_set_num_threads (before);
}

/* b is of the type of the operands. */
static void
multiply_pieces (const Product *p)
{
  g_autoptr (GArray) pieces = cut (p);

  lm_cpu_share (p->c->threads, pieces->len, 0, multiply_part,
                &(Pieces){ p, &g_array_index (pieces, Piece, 0) });
}

/* What is added tile by tile, or stretch by stretch, along the inner dimension: in F32, rounded
 * once. */
static void
multiply_by_sums (const Product *p)
{
  const gsize most = MAX (SUM_BYTES / lm_type_bytes (LM_F32, p->out.cols), 1);

  for (gsize from = 0, n; from < p->out.rows; from += n)
    {
      LmMat sums, out;

      n = MIN (most, p->out.rows - from);
      out = lm_mat_rows (p->out, from, n);
      sums = buffer_mat (&p->tiles->sums, LM_F32, n, out.cols);
      if (p->beta != 0)
        lm_cpu_widen_rows (p->c, sums, out);
      lm_tiled_matmul (p->c, p->tiles, p->how, sums, p->beta, p->alpha,
                       op_rows (p->a, p->ta, from, n), p->ta, p->b, p->tb);
      lm_cpu_widen_rows (p->c, out, sums);
    }
}

/* FALSE: nothing was done. */
static gboolean
multiply_split (const Product *p)
{
  const gboolean repays = p->how->splits && lm_cpu_split_repays (p->out, p->a, p->ta, p->tb);
  const gsize bytes = repays ? lm_cpu_split_bytes (p->c, p->out, p->a, p->ta, p->b) : 0;
  LmMat sums = p->out;

  sums.type = LM_F32;
  if (bytes > 0)
    lm_cpu_matmul_split (p->c, buffer_room (&p->tiles->split, bytes), p->out, p->beta, p->alpha,
                         p->a, p->ta, p->b, p->tb);
  else if (repays && lm_cpu_split_bytes (p->c, sums, p->a, p->ta, p->b) > 0)
    multiply_by_sums (p);
  else
    return FALSE;
  return TRUE;
}

static void
multiply_tiles (const Product *p, gsize tile_rows)
{
  for (gsize from = 0, n; from < p->b.rows; from += n)
    {
      Product part = *p;

      n = MIN (tile_rows, p->b.rows - from);
      part.b = buffer_mat (&p->tiles->tile, p->how->operands, n, p->b.cols);
      lm_cpu_widen_rows (p->c, part.b, lm_mat_rows (p->b, from, n));
      if (p->tb)
        part.out = lm_mat_cols (p->out, from, n);
      else
        {
          part.a = op_cols (p->a, p->ta, from, n);
          part.beta = from == 0 ? p->beta : 1;
        }
      if (!multiply_split (&part))
        multiply_pieces (&part);
    }
}

void
lm_tiled_matmul (LmCompute *c, LmTiles *tiles, const LmTiling *how, LmMat out, float beta,
                 float alpha, LmMat a, gboolean ta, LmMat b, gboolean tb)
{
  const Product p = { c, tiles, how, out, a, b, beta, alpha, ta, tb };
  gsize tile_rows;

  if (out.rows == 0 || out.cols == 0)
    return;
  if (b.rows == 0 || b.cols == 0)
    {
      for (gsize i = 0; beta == 0 && i < out.rows; i++)
        c->klass->zero (c, lm_mat_rows (out, i, 1).data, lm_type_bytes (out.type, out.cols));
      return;
    }
  if (multiply_split (&p))
    return;
  if (b.type == how->operands)
    {
      multiply_pieces (&p);
      return;
    }
  tile_rows = MAX (TILE_BYTES / lm_type_bytes (how->operands, b.cols), 1);
  if (tile_rows > COLUMNS)
    tile_rows -= tile_rows % COLUMNS;
  if (!tb && tile_rows < b.rows && out.type != LM_F32)
    multiply_by_sums (&p);
  else
    multiply_tiles (&p, tile_rows);
}
