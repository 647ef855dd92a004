/* SPDX-License-Identifier: Apache-2.0 */
/* attention.c: causal attention of grouped heads, one key head of one span at a time, for one
 * instruction set.
 *
 * FlashAttention (Dao and others, 2022; Dao, 2023): keys pass by in blocks, packed
 * once for all queries and heads that share them; scores of a few queries live
 * in the first cache; a running maximum rescales what was summed before.  Backward makes
 * probabilities anew from the log-sum-exp.  Blocks that lie in the future are never
 * made.  Operands of products are bfloat16 where the processor multiplies them
 * and activations are BF16, otherwise floats; sums are floats.  AMX takes 16 rows and
 * 32 numbers of the inner dimension at a time, so blocks are filled up with zeros to that.
 */
#include "config.h"

#include "compute/cpu/kernels.h"
#include "compute/cpu/tile.h"
#include "lm/simd.h"

#define KEYS 256                     /* forward: keys of a block */
#define QUERIES (HAVE_AMX ? 16 : 12) /* forward: queries that share what is read of a block */
#define BACK_KEYS 192
#define BACK_QUERIES 96
#define BACK_ROWS (HAVE_AMX ? 16 : TILE_ROWS) /* backward: queries, or keys, that do */

typedef struct
{
  LmType type;
  gboolean pairs;
  gsize group, key_dim, value_dim;
  gsize kw, vw;   /* words of a row */
  gsize kdp, vdp; /* floats of a row, whole vectors */
  gsize kpanels, vpanels;
  gsize queries, rows; /* at a time: at most QUERIES and BACK_ROWS */
  Tiles *tiles;        /* of this unit of work */
  gsize unit, columns; /* queries or keys that go together along an inner dimension, side by side */
} Shape;

static Shape
shape_of (const LmAttention *a)
{
  const gboolean pairs = HAVE_DPBF16 && a->q.type == LM_BF16, amx = HAVE_AMX && pairs;

  return (Shape){
    .type = a->q.type,
    .pairs = pairs,
    .group = a->n_heads / a->n_kv_heads,
    .key_dim = a->key_dim,
    .value_dim = a->value_dim,
    .kw = words (a->key_dim, pairs),
    .vw = words (a->value_dim, pairs),
    .kdp = whole (a->key_dim, W),
    .vdp = whole (a->value_dim, W),
    .kpanels = whole (a->key_dim, PANEL) / PANEL,
    .vpanels = whole (a->value_dim, PANEL) / PANEL,
    .queries = amx ? QUERIES : 2 * TILE_ROWS,
    .rows = amx ? BACK_ROWS : TILE_ROWS,
    .unit = amx     ? 2 * AMX_WORDS
            : pairs ? 2
                    : 1,
    .columns = amx ? 2 * AMX_WORDS : W,
  };
}

static Shape
shape_with (const LmAttention *a, Tiles *tiles)
{
  Shape s = shape_of (a);

  s.tiles = tiles;
  return s;
}

static char *
row_at (const LmMat *m, gsize row, gsize head, gsize dim)
{
  return (char *) m->data + (row * m->stride + head * dim) * (m->type == LM_BF16 ? 2 : 4);
}

/* The packings of tile.h for rows of one head. */

static void
pack_columns (const Shape *s, const LmMat *m, gsize start, gsize n, gsize head, gsize dim,
              gsize depth, float *line, float *to)
{
  columns_to_panels (s->type, s->pairs, row_at (m, start, head, dim), row_bytes (m), n, dim, depth,
                     s->columns, line, to);
}

static void
pack_rows (const Shape *s, const LmMat *m, gsize start, gsize n, gsize head, gsize dim, gsize depth,
           float *to)
{
  rows_to_panels (s->type, s->pairs, row_at (m, start, head, dim), row_bytes (m), n, dim, depth,
                  s->unit, to);
}

static void
copy_rows (const Shape *s, const LmMat *m, gsize start, gsize n, gsize head, gsize dim, gsize depth,
           float *to)
{
  rows_to_words (s->type, s->pairs, row_at (m, start, head, dim), row_bytes (m), n, dim, depth, to);
}

/* ---- forward ------------------------------------------------------------------------- */

typedef struct
{
  float *k, *v;            /* a block of keys, packed */
  float *q, *line;         /* rows of queries; one row */
  float *scores, *p;       /* [QUERIES][KEYS] */
  float *out, *most, *sum; /* [group * queries]: running sums of values, maximum, sum */
} Forward;

static gsize
forward_lay (const Shape *s, gsize q_rows, char *at, Forward *f)
{
  char *const begin = at;
  const gsize rows = q_rows * s->group;

  f->k = take (&at, KEYS * s->kw);
  f->v = take (&at, s->vpanels * PANEL * words (KEYS, s->pairs));
  f->q = take (&at, QUERIES * s->kw);
  f->line = take (&at, MAX (s->kdp, s->vdp));
  f->scores = take (&at, QUERIES * KEYS);
  f->p = take (&at, QUERIES * KEYS);
  f->out = take (&at, rows * s->vdp);
  f->most = take (&at, rows);
  f->sum = take (&at, rows);
  return (gsize) (at - begin);
}

static gsize
forward_bytes (const LmAttention *a, gsize q_rows)
{
  const Shape s = shape_of (a);
  Forward f;

  return forward_lay (&s, q_rows, NULL, &f);
}

/* Lanes [@n, W) become @fill. */
INLINE vf
keep_first (vf v, gsize n, float fill)
{
#if W == 16
  return _mm512_mask_mov_ps (vset (fill), (__mmask16) (n >= W ? 0xffff : (1u << n) - 1), v);
#else
  for (gsize i = n; i < W; i++)
    v[i] = fill;
  return v;
#endif
}

/* One row of scores to probabilities up to the running maximum: @n keys, zeros up to @width. */
INLINE void
soften (gboolean pairs, const float *scores, gsize n, gsize width, float scale, float *most,
        float *sum, float *out, gsize vdp, float *p)
{
  vf m0 = vset (*most), m1 = m0, total = {};
  float largest, shrink;
  gsize j;

  for (j = 0; j + 2 * W <= n; j += 2 * W)
    {
      m0 = vmax (m0, vload (scores + j) * scale);
      m1 = vmax (m1, vload (scores + j + W) * scale);
    }
  for (; j < n; j += W)
    m0 = vmax (m0, keep_first (vload (scores + j) * scale, n - j, -INFINITY));
  largest = vmax_all (vmax (m0, m1));
  for (j = 0; j < n; j += W)
    {
      vf e = vexp (vfma (vload (scores + j), vset (scale), vset (-largest)));

      if (n - j < W)
        e = keep_first (e, n - j, 0);
      total += e;
      vput (pairs ? LM_BF16 : LM_F32, p, j, j + W, e);
    }
  for (; j < width; j += W)
    vput (pairs ? LM_BF16 : LM_F32, p, j, j + W, (vf){});
  shrink = *most == largest ? 1 : expf (*most - largest);
  *most = largest;
  *sum = *sum * shrink + vsum (total);
  if (shrink != 1)
    for (gsize i = 0; i < vdp; i += W)
      vstore (out + i, vload (out + i) * shrink);
}

/* Keys of the block at @key, @n of them, that row @i of the span's queries sees. */
INLINE gsize
visible (const LmSpan *span, gsize i, gsize key, gsize n)
{
  const gsize end = span->k_rows - span->q_rows + i + 1; /* q_rows <= k_rows */

  return end <= key ? 0 : MIN (end - key, n);
}

/* Up to QUERIES rows from row @i on, of one head, and the packed block at @key. */
static void
forward_tile (const LmCpuUnit *u, const Shape *s, const Forward *f, gsize head, gsize i, gsize rows,
              gsize key, gsize n)
{
  const gsize most = visible (&u->span, i + rows - 1, key, n), ldp = words (KEYS, s->pairs);
  const gsize width = whole (most, s->unit);
  const gsize at = head * (u->q_to - u->q_from) + i - u->q_from;

  if (most == 0)
    return;
  copy_rows (s, &u->a->q, u->span.q_start + i, rows, u->kv_head * s->group + head, s->key_dim,
             s->kw, f->q);
  tile_panels (s->tiles, f->scores, KEYS, f->q, s->kw, 1, f->k, s->kw, s->kw, rows, most, FALSE,
               s->pairs);
  for (gsize r = 0; r < rows; r++)
    {
      const gsize seen = visible (&u->span, i + r, key, n);
      float *scores = f->scores + r * KEYS, *p = f->p + r * ldp;
      float *out = f->out + (at + r) * s->vdp;

      if (s->pairs)
        soften (TRUE, scores, seen, width, u->a->scale, &f->most[at + r], &f->sum[at + r], out,
                s->vdp, p);
      else
        soften (FALSE, scores, seen, width, u->a->scale, &f->most[at + r], &f->sum[at + r], out,
                s->vdp, p);
    }
  tile_panels (s->tiles, f->out + at * s->vdp, s->vdp, f->p, ldp, 1, f->v, ldp,
               words (width, s->pairs), rows, s->value_dim, TRUE, s->pairs);
}

static void
store_row (LmType type, void *to, const float *from, gsize n, float scale)
{
  if (type == LM_BF16)
    for (gsize i = 0; i < n; i += W)
      vput (LM_BF16, to, i, n, vget (LM_F32, from, i, n) * scale);
  else
    for (gsize i = 0; i < n; i += W)
      vput (LM_F32, to, i, n, vget (LM_F32, from, i, n) * scale);
}

static void
forward (const LmCpuUnit *u, gpointer workspace)
{
  const LmAttention *a = u->a;
  Tiles tiles = { 0 };
  const Shape s = shape_with (a, &tiles);
  const gsize rows = u->q_to - u->q_from, keys = visible (&u->span, u->q_to - 1, 0, u->span.k_rows);
  Forward f;

  forward_lay (&s, rows, workspace, &f);
  memset (f.out, 0, rows * s.group * s.vdp * sizeof *f.out);
  for (gsize i = 0; i < rows * s.group; i++)
    {
      f.most[i] = -INFINITY;
      f.sum[i] = 0;
    }
  for (gsize key = 0; key < keys; key += KEYS)
    {
      const gsize n = MIN (KEYS, keys - key), start = u->span.k_start + key;

      pack_columns (&s, &a->k, start, n, u->kv_head, s.key_dim, s.kw, f.line, f.k);
      pack_rows (&s, &a->v, start, n, u->kv_head, s.value_dim, words (KEYS, s.pairs), f.v);
      for (gsize head = 0; head < s.group; head++)
        for (gsize i = u->q_from; i < u->q_to; i += s.queries)
          forward_tile (u, &s, &f, head, i, MIN (s.queries, u->q_to - i), key, n);
    }
  tiles_end (&tiles);
  for (gsize head = 0; head < s.group; head++)
    for (gsize i = 0; i < rows; i++)
      {
        const gsize at = head * rows + i, row = u->span.q_start + u->q_from + i;
        const gsize h = u->kv_head * s.group + head;

        store_row (s.type, row_at (&a->out, row, h, s.value_dim), f.out + at * s.vdp, s.value_dim,
                   1 / f.sum[at]);
        if (a->lse.data != NULL)
          ((float *) a->lse.data)[row * a->lse.stride + h] = f.most[at] + logf (f.sum[at]);
      }
}

/* ---- backward ------------------------------------------------------------------------ */

typedef struct
{
  float *kt, *vt, *kr; /* a block of keys and values: as columns; keys as rows */
  float *q, *dout;     /* a block of queries and output gradients: plain rows */
  float *qr, *doutr;   /* packed as rows */
  float *s, *dp;       /* a tile of scores and of gradients of probabilities */
  float *p, *ds;       /* [queries][BACK_KEYS]; with pairs two queries woven into one row */
  float *ds_rows;      /* with pairs: ds again, keys paired; else ds */
  float *dk, *dv;      /* of the block of keys */
  float *dq, *delta;   /* [group * queries] */
  float *line;
} Back;

static gsize
back_lay (const Shape *s, gsize q_rows, char *at, Back *b)
{
  char *const begin = at;
  const gsize rows = q_rows * s->group, deep = words (BACK_QUERIES, s->pairs);

  b->kt = take (&at, BACK_KEYS * s->kw);
  b->vt = take (&at, BACK_KEYS * s->vw);
  b->kr = take (&at, s->kpanels * PANEL * words (BACK_KEYS, s->pairs));
  b->q = take (&at, BACK_QUERIES * s->kw);
  b->dout = take (&at, BACK_QUERIES * s->vw);
  b->qr = take (&at, s->kpanels * PANEL * deep);
  b->doutr = take (&at, s->vpanels * PANEL * deep);
  b->s = take (&at, BACK_ROWS * PANEL);
  b->dp = take (&at, BACK_ROWS * PANEL);
  b->p = take (&at, deep * BACK_KEYS);
  b->ds = take (&at, deep * BACK_KEYS);
  b->ds_rows = s->pairs ? take (&at, BACK_QUERIES * words (BACK_KEYS, TRUE)) : b->ds;
  b->dk = take (&at, BACK_KEYS * s->kdp);
  b->dv = take (&at, BACK_KEYS * s->vdp);
  b->line = take (&at, MAX (s->kdp, s->vdp));
  b->dq = take (&at, rows * s->kdp);
  b->delta = take (&at, rows);
  return (gsize) (at - begin);
}

static gsize
back_bytes (const LmAttention *a, gsize q_rows)
{
  const Shape s = shape_of (a);
  Back b;

  return back_lay (&s, q_rows, NULL, &b);
}

/* delta: dout · out of each row, which is the sum of p dp. */
static void
back_delta (const LmCpuUnit *u, const Shape *s, float *delta)
{
  for (gsize head = 0; head < s->group; head++)
    for (gsize i = 0; i < u->span.q_rows; i++)
      {
        const gsize row = u->span.q_start + i, h = u->kv_head * s->group + head, n = s->value_dim;
        const char *x = row_at (&u->dout, row, h, n), *y = row_at (&u->a->out, row, h, n);
        vf sum = {};

        for (gsize j = 0; j < n; j += W)
          sum = s->type == LM_BF16 ? vfma (vget (LM_BF16, x, j, n), vget (LM_BF16, y, j, n), sum)
                                   : vfma (vget (LM_F32, x, j, n), vget (LM_F32, y, j, n), sum);
        delta[head * u->span.q_rows + i] = vsum (sum);
      }
}

/* What is known of a query. */
typedef struct
{
  gsize seen;
  float lse, delta;
} Query;

/* W keys from @j on of one query: p, and ds by @ds. */
INLINE vf
probable (const Query *q, const float *s, const float *dp, gsize j, float scale, vf *ds)
{
  vf p = vexp (vfma (vload (s), vset (scale), vset (-q->lse)));

  if (j + W > q->seen)
    p = keep_first (p, q->seen > j ? q->seen - j : 0, 0);
  *ds = p * ((vload (dp) - q->delta) * scale);
  return p;
}

/* The tile of rows [@r, @r + @rows) of the block of queries and keys [@j, @j + PANEL) of the block
 * of keys. */
INLINE void
back_soften (const Back *b, gboolean pairs, const Query *q, gsize r, gsize rows, gsize j,
             gsize cols, float scale)
{
  if (pairs)
    {
      for (gsize k = 0; k < rows; k += 2)
        for (gsize i = 0; i < cols; i += W)
          {
            const gsize at = k * PANEL + i, to = (r + k) / 2 * BACK_KEYS + j + i;
            guint16 *row = (guint16 *) (gpointer) b->ds_rows + (r + k) * BACK_KEYS;
            vf ds0, ds1 = {}, p0, p1 = {};

            p0 = probable (&q[k], b->s + at, b->dp + at, j + i, scale, &ds0);
            vput (LM_BF16, row, j + i, j + i + W, ds0);
            if (k + 1 < rows)
              {
                p1 = probable (&q[k + 1], b->s + at + PANEL, b->dp + at + PANEL, j + i, scale,
                               &ds1);
                vput (LM_BF16, row + BACK_KEYS, j + i, j + i + W, ds1);
              }
            vstore (b->p + to, weave (p0, p1));
            vstore (b->ds + to, weave (ds0, ds1));
          }
      return;
    }
  for (gsize k = 0; k < rows; k++)
    for (gsize i = 0; i < cols; i += W)
      {
        const gsize at = k * PANEL + i, to = (r + k) * BACK_KEYS + j + i;
        vf ds;

        vstore (b->p + to, probable (&q[k], b->s + at, b->dp + at, j + i, scale, &ds));
        vstore (b->ds + to, ds);
      }
}

/* Rows [@r, @r + @rows) of the block of queries at @i against the block of keys at @key: p, ds and
 * dq. */
static void
back_tile (const LmCpuUnit *u, const Shape *s, const Back *b, gsize head, gsize i, gsize r,
           gsize rows, gsize key, gsize n)
{
  const gsize h = u->kv_head * s->group + head, at = head * u->span.q_rows + i + r;
  const gsize seen = visible (&u->span, i + r + rows - 1, key, n),
              ldr = words (BACK_KEYS, s->pairs);
  const gsize lines = words (rows, s->pairs), first = r / (s->pairs ? 2 : 1);
  Query q[BACK_ROWS];

  for (gsize k = 0; k < rows; k++)
    q[k]
        = (Query){ visible (&u->span, i + r + k, key, n),
                   ((float *) u->a->lse.data)[(u->span.q_start + i + r + k) * u->a->lse.stride + h],
                   b->delta[at + k] };
  for (gsize j = 0; j < seen; j += PANEL)
    {
      const gsize cols = MIN (PANEL, whole (seen - j, s->columns));

      tile_panels (s->tiles, b->s, PANEL, b->q + r * s->kw, s->kw, 1, b->kt + j * s->kw, s->kw,
                   s->kw, rows, cols, FALSE, s->pairs);
      tile_panels (s->tiles, b->dp, PANEL, b->dout + r * s->vw, s->vw, 1, b->vt + j * s->vw, s->vw,
                   s->vw, rows, cols, FALSE, s->pairs);
      if (s->pairs)
        back_soften (b, TRUE, q, r, rows, j, cols, u->a->scale);
      else
        back_soften (b, FALSE, q, r, rows, j, cols, u->a->scale);
    }
  for (gsize k = 0; k < lines; k++)
    for (gsize j = whole (seen, s->columns); j < whole (n, W); j += W)
      {
        vstore (b->p + (first + k) * BACK_KEYS + j, (vf){});
        vstore (b->ds + (first + k) * BACK_KEYS + j, (vf){});
      }
  tile_panels (s->tiles, b->dq + at * s->kdp, s->kdp, b->ds_rows + r * ldr, ldr, 1, b->kr, ldr,
               words (whole (seen, s->unit), s->pairs), rows, s->key_dim, TRUE, s->pairs);
}

/* dk and dv of the block from a block of @rows queries at @i; keys of the future are not looked at.
 */
static void
back_keys (const LmCpuUnit *u, const Shape *s, const Back *b, gsize i, gsize rows, gsize key,
           gsize n)
{
  const gsize deep = words (BACK_QUERIES, s->pairs), all = words (rows, s->pairs);
  const gsize past = u->span.k_rows - u->span.q_rows + i; /* the last key that row i sees */

  for (gsize j = 0; j < n; j += s->rows)
    {
      const gsize few = MIN (s->rows, n - j);
      /* the first row that sees key + j; rows before it are 0 there */
      const gsize from
          = words (key + j > past ? (key + j - past) / s->unit * s->unit : 0, s->pairs);

      if (from >= all)
        break;
      tile_panels (s->tiles, b->dv + j * s->vdp, s->vdp, b->p + from * BACK_KEYS + j, 1, BACK_KEYS,
                   b->doutr + from * PANEL, deep, all - from, few, s->value_dim, TRUE, s->pairs);
      tile_panels (s->tiles, b->dk + j * s->kdp, s->kdp, b->ds + from * BACK_KEYS + j, 1, BACK_KEYS,
                   b->qr + from * PANEL, deep, all - from, few, s->key_dim, TRUE, s->pairs);
    }
}

/* All queries of one head and the packed block of keys at @key. */
static void
back_head (const LmCpuUnit *u, const Shape *s, const Back *b, gsize head, gsize key, gsize n)
{
  const gsize past = u->span.k_rows - u->span.q_rows, h = u->kv_head * s->group + head;

  for (gsize i = key > past ? key - past : 0, rows; i < u->span.q_rows; i += rows)
    {
      const gsize row = u->span.q_start + i;

      rows = MIN (BACK_QUERIES, u->span.q_rows - i);
      copy_rows (s, &u->a->q, row, rows, h, s->key_dim, s->kw, b->q);
      copy_rows (s, &u->dout, row, rows, h, s->value_dim, s->vw, b->dout);
      pack_rows (s, &u->a->q, row, rows, h, s->key_dim, words (BACK_QUERIES, s->pairs), b->qr);
      pack_rows (s, &u->dout, row, rows, h, s->value_dim, words (BACK_QUERIES, s->pairs), b->doutr);
      for (gsize r = 0; r < rows; r += s->rows)
        back_tile (u, s, b, head, i, r, MIN (s->rows, rows - r), key, n);
      back_keys (u, s, b, i, rows, key, n);
    }
}

static gsize
partial_floats (const LmAttention *a, gsize q_rows)
{
  const Shape s = shape_of (a);

  return q_rows * s.group * s.kdp;
}

static void
store_dq (const LmCpuUnit *u, const Shape *s, const float *dq)
{
  for (gsize head = 0; head < s->group; head++)
    for (gsize i = 0; i < u->span.q_rows; i++)
      store_row (s->type,
                 row_at (&u->dq, u->span.q_start + i, u->kv_head * s->group + head, s->key_dim),
                 dq + (head * u->span.q_rows + i) * s->kdp, s->key_dim, 1);
}

static void
back (const LmCpuUnit *u, gpointer workspace)
{
  const LmAttention *a = u->a;
  Tiles tiles = { 0 };
  const Shape s = shape_with (a, &tiles);
  Back b;

  back_lay (&s, u->span.q_rows, workspace, &b);
  if (u->partial != NULL)
    b.dq = u->partial;
  back_delta (u, &s, b.delta);
  memset (b.dq, 0, partial_floats (a, u->span.q_rows) * sizeof *b.dq);
  for (gsize key = u->part * BACK_KEYS; key < u->span.k_rows; key += u->parts * BACK_KEYS)
    {
      const gsize n = MIN (BACK_KEYS, u->span.k_rows - key), start = u->span.k_start + key;

      pack_columns (&s, &a->k, start, n, u->kv_head, s.key_dim, s.kw, b.line, b.kt);
      pack_columns (&s, &a->v, start, n, u->kv_head, s.value_dim, s.vw, b.line, b.vt);
      pack_rows (&s, &a->k, start, n, u->kv_head, s.key_dim, words (BACK_KEYS, s.pairs), b.kr);
      memset (b.dk, 0, n * s.kdp * sizeof *b.dk);
      memset (b.dv, 0, n * s.vdp * sizeof *b.dv);
      for (gsize head = 0; head < s.group; head++)
        back_head (u, &s, &b, head, key, n);
      for (gsize j = 0; j < n; j++)
        {
          store_row (s.type, row_at (&u->dk, start + j, u->kv_head, s.key_dim), b.dk + j * s.kdp,
                     s.key_dim, 1);
          store_row (s.type, row_at (&u->dv, start + j, u->kv_head, s.value_dim), b.dv + j * s.vdp,
                     s.value_dim, 1);
        }
    }
  tiles_end (&tiles);
  if (u->partial == NULL)
    store_dq (u, &s, b.dq);
}

static void
merge_back (const LmCpuUnit *u, gsize step)
{
  const Shape s = shape_of (u->a);
  const gsize n = partial_floats (u->a, u->span.q_rows);

  for (gsize part = 1; part < u->parts; part++)
    for (gsize i = 0; i < n; i += W)
      vstore (u->partial + i, vload (u->partial + i) + vload (u->partial + part * step + i));
  store_dq (u, &s, u->partial);
}

/* ---- decoding: few queries, many keys, which are read once and not packed -------------- */

typedef struct
{
  float *q, *p; /* [heads * queries][kdp], [heads * queries][keys] */
} Decode;

static gsize
decode_lay (const Shape *s, gsize rows, gsize k_rows, char *at, Decode *d)
{
  char *const begin = at;

  d->q = take (&at, rows * s->kdp);
  d->p = take (&at, rows * whole (k_rows, W));
  return (gsize) (at - begin);
}

static gsize
decode_bytes (const LmAttention *a, gsize q_rows, gsize k_rows)
{
  const Shape s = shape_of (a);
  Decode d;

  return decode_lay (&s, q_rows * a->n_heads, k_rows, NULL, &d);
}

#define DECODE_ROWS 4
#define AHEAD 8 /* rows */

/* A row of all heads, for soon: the processor's own foresight ends with a page. */
INLINE void
prefetch_row (const LmMat *m, gsize row)
{
  const char *p = row_at (m, row, 0, 0);

  for (gsize i = 0; i < m->cols * (m->type == LM_BF16 ? 2 : 4); i += 64)
    __builtin_prefetch (p + i, 0, 2);
}

/* Calls @f with its first argument, up to DECODE_ROWS, a constant. */
#define BY_ROWS(rows, f, ...)                                                                      \
  switch (rows)                                                                                    \
    {                                                                                              \
    case 4:                                                                                        \
      f (4, __VA_ARGS__);                                                                          \
      break;                                                                                       \
    case 3:                                                                                        \
      f (3, __VA_ARGS__);                                                                          \
      break;                                                                                       \
    case 2:                                                                                        \
      f (2, __VA_ARGS__);                                                                          \
      break;                                                                                       \
    default:                                                                                       \
      f (1, __VA_ARGS__);                                                                          \
    }

/* W words of a row at word @i: pairs as they are, or numbers as floats. */
INLINE vf
row_words (LmType type, gboolean pairs, const char *row, gsize i, gsize n)
{
  return pairs ? vload (row + 4 * i) : vget (type, row, i, n);
}

/* p[r][j] = scale * q[r] · k[j] of @rows queries for 4 keys, of which @n count. */
INLINE void
decode_scores (const int rows, LmType type, gboolean pairs, const char *const *key, gsize n,
               const float *q, gsize ldq, gsize dim, float scale, float *p, gsize ldp)
{
  const gsize wide = pairs ? dim / 2 : dim;
  vf sum[DECODE_ROWS][4];

#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int k = 0; k < 4; k++)
      sum[r][k] = (vf){};
  for (gsize i = 0; i < wide; i += W)
    {
      vf x[4];

#pragma GCC unroll 8
      for (int k = 0; k < 4; k++)
        x[k] = row_words (type, pairs, key[k], i, wide);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (int k = 0; k < 4; k++)
          sum[r][k] = word_product (vload (q + r * ldq + i), x[k], sum[r][k], pairs);
    }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
    {
      float four[4];

      vsum4 (sum[r], four);
      for (gsize k = 0; k < n; k++)
        p[r * ldp + k] = four[k] * scale;
    }
}

/* Scores of 4 keys at row @row on, @n of them counting, of all queries of one key head. */
INLINE void
decode_head (LmType type, gboolean pairs, const LmCpuUnit *u, const Shape *s, gsize kv_head,
             gsize row, gsize n, const float *q, gsize rows, float *p, gsize ldp)
{
  const char *key[4];

  for (gsize k = 0; k < 4; k++)
    key[k] = row_at (&u->a->k, row + MIN (k, n - 1), kv_head, s->key_dim);
  for (gsize r = 0; r < rows; r += DECODE_ROWS)
    BY_ROWS (MIN (rows - r, DECODE_ROWS), decode_scores, type, pairs, key, n, q + r * s->kdp,
             s->kdp, s->key_dim, u->a->scale, p + r * ldp, ldp)
}

/* out[r] = sum of p[r][j] v[j], for @rows queries and TILE_VECTORS vectors of values at @from. */
INLINE void
decode_values (const int rows, LmType type, const LmCpuUnit *u, const Shape *s, gsize kv_head,
               const float *p, gsize keys, gsize from, float *out, gsize step)
{
  const gsize n = s->value_dim;
  vf sum[DECODE_ROWS][TILE_VECTORS];

#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int v = 0; v < TILE_VECTORS; v++)
      sum[r][v] = (vf){};
  for (gsize j = 0; j < keys; j++)
    {
      const char *value = row_at (&u->a->v, u->span.k_start + u->k_from + j, kv_head, n);
      vf x[TILE_VECTORS];

#pragma GCC unroll 8
      for (int v = 0; v < TILE_VECTORS; v++)
        x[v] = from + v * W < n ? vget (type, value, from + v * W, n) : (vf){};
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (int v = 0; v < TILE_VECTORS; v++)
          sum[r][v] = vfma (vset (p[r * whole (keys, W) + j]), x[v], sum[r][v]);
    }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
    for (int v = 0; v < TILE_VECTORS; v++)
      if (from + v * W < n)
        vput (LM_F32, out + r * step, from + v * W, n, sum[r][v]);
}

INLINE void
decode_typed (LmType type, gboolean pairs, const LmCpuUnit *u, const Shape *s, const Decode *d)
{
  const LmAttention *a = u->a;
  const gsize q_rows = u->q_to - u->q_from, rows = q_rows * s->group, keys = u->k_to - u->k_from;
  const gsize step = 2 + s->value_dim, ldp = whole (keys, W), start = u->span.k_start + u->k_from;

  for (gsize r = 0; r < q_rows * a->n_heads; r++)
    {
      float *q = d->q + r * s->kdp;

      memset (q, 0, s->kdp * sizeof *q);
      words_of_row (
          type, pairs,
          row_at (&a->q, u->span.q_start + u->q_from + r % q_rows, r / q_rows, s->key_dim),
          s->key_dim, q);
    }
  for (gsize j = 0; j < keys; j += 4)
    {
      for (gsize k = j; k < MIN (j + 4, keys); k++)
        {
          prefetch_row (&a->k, start + MIN (k + AHEAD, keys - 1));
          prefetch_row (&a->v, start + k);
        }
      for (gsize h = 0; h < a->n_kv_heads; h++)
        decode_head (type, pairs, u, s, h, start + j, MIN (4, keys - j), d->q + h * rows * s->kdp,
                     rows, d->p + h * rows * ldp + j, ldp);
    }
  for (gsize r = 0; r < q_rows * a->n_heads; r++)
    {
      const gsize seen = visible (&u->span, u->q_from + r % q_rows, u->k_from, keys);
      float *p = d->p + r * ldp, *partial = u->partial + r * step;

      partial[0] = -INFINITY;
      partial[1] = 0;
      soften (FALSE, p, seen, keys, 1, &partial[0], &partial[1], NULL, 0, p);
    }
  for (gsize h = 0; h < a->n_kv_heads; h++)
    for (gsize r = 0; r < rows; r += DECODE_ROWS)
      for (gsize i = 0; i < s->value_dim; i += PANEL)
        BY_ROWS (MIN (rows - r, DECODE_ROWS), decode_values, type, u, s, h,
                 d->p + (h * rows + r) * ldp, keys, i, u->partial + (h * rows + r) * step + 2, step)
}

static void
decode (const LmCpuUnit *u, gpointer workspace)
{
  const Shape s = shape_of (u->a);
  Decode d;

  decode_lay (&s, (u->q_to - u->q_from) * u->a->n_heads, u->k_to - u->k_from, workspace, &d);
  if (s.pairs && s.key_dim % (2 * W) == 0)
    decode_typed (LM_BF16, TRUE, u, &s, &d);
  else if (s.type == LM_BF16)
    decode_typed (LM_BF16, FALSE, u, &s, &d);
  else
    decode_typed (LM_F32, FALSE, u, &s, &d);
}

static void
merge (const LmCpuUnit *u, gsize n, gsize step)
{
  const LmAttention *a = u->a;
  const Shape s = shape_of (a);
  const gsize q_rows = u->q_to - u->q_from, width = 2 + s.value_dim;

  for (gsize r = 0; r < q_rows * a->n_heads; r++)
    {
      const gsize row = u->span.q_start + u->q_from + r % q_rows, h = r / q_rows;
      float *first = u->partial + r * width, *out = first + 2, largest = first[0], sum = 0;

      for (gsize i = 1; i < n; i++)
        largest = MAX (largest, first[i * step]);
      for (gsize i = 0; i < n; i++)
        {
          const float *part = first + i * step, weight = expf (part[0] - largest);

          sum += part[1] * weight;
          for (gsize j = 0; j < s.value_dim; j++)
            out[j] = (i > 0 ? out[j] : 0) + part[2 + j] * weight;
        }
      store_row (s.type, row_at (&a->out, row, h, s.value_dim), out, s.value_dim, 1 / sum);
      if (a->lse.data != NULL)
        ((float *) a->lse.data)[row * a->lse.stride + h] = largest + logf (sum);
    }
}

const LmCpuAttention LM_CPU_TABLE (lm_cpu_attention) = {
  .bytes = forward_bytes,
  .forward = forward,
  .back_bytes = back_bytes,
  .back = back,
  .back_keys = BACK_KEYS,
  .partial_floats = partial_floats,
  .merge_back = merge_back,
  .decode_bytes = decode_bytes,
  .decode = decode,
  .merge = merge,
};
