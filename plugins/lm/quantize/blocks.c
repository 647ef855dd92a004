/* SPDX-License-Identifier: Apache-2.0 */
/* blocks.c: rows of floats to the block types of GGUF, compiled once for each instruction set.
 *
 * Layouts: the GGUF specification and ggml's block structures.  Q8_0 gives
 * ggml's bytes.  The others look for the codes of least square error, weighted
 * by size, as ggml does for its K types: over a grid of steps, scale and
 * minimum solved in closed form for the codes that a step gives, then again
 * from the best on.  Where ggml takes a scale from the extremes alone (Q4_0 to
 * Q5_1) that one is among those tried.  Superblocks then try, with the scales
 * as they will be stored, the neighbouring ones, solve for the common factors,
 * and try again, so that the error is below ggml's.
 *
 * One lane of a vector works on one small block: no sum is split, and no
 * product contracted, so that every instruction set gives the same bytes.
 */
#include "config.h"

#include "lm/quantize/quantize-private.h"
#include "lm/simd.h"

/* How often a search goes on from its best, and how often the common factors of a superblock are
 * solved for again: more gains less than a thousandth of the error. */
#define AGAIN 2
#define ROUNDS 1

/* Rounds to nearest even; |v| below 2^22. */
INLINE vf
nearest (vf v)
{
  return v + 0x1.8p+23f - 0x1.8p+23f;
}

INLINE vf
clamp (vf v, float low, float high)
{
  return vmin (vset (high), vmax (vset (low), v));
}

INLINE vf
absolute (vf v)
{
  return (vf) ((vi) v & 0x7fffffff);
}

/* Rounds towards zero. */
INLINE vi
truncated (vf v)
{
  return __builtin_convertvector(v, vi);
}

INLINE void
put_half (guint8 *p, float f)
{
  guint16 h = lm_float_to_f16 (f);

  memcpy (p, &h, sizeof h);
}

INLINE float
as_half (float f)
{
  return lm_f16_to_float (lm_float_to_f16 (f));
}

/* x[i] of W blocks of @n numbers each, of which @lanes are there: lane k is block k. */
INLINE void
across (const float *src, guint n, guint lanes, vf *x)
{
  float t[32 * W] = { 0 };

  for (guint k = 0; k < lanes; k++)
    for (guint i = 0; i < n; i++)
      t[i * W + k] = src[k * n + i];
  for (guint i = 0; i < n; i++)
    x[i] = vload (t + i * W);
}

/* ---- Q8_0: as ggml does ---------------------------------------- */

/* Codes of W blocks, back as bytes: block k at codes + 32 * k. */
INLINE void
back (const vi *q, guint n, guint8 *codes)
{
  gint32 t[32 * W];

  memcpy (t, q, n * sizeof *q);
  for (guint k = 0; k < W; k++)
    for (guint i = 0; i < n; i++)
      codes[k * n + i] = (guint8) t[i * W + k];
}

INLINE void
pack_halves (const guint8 *codes, guint8 *q)
{
  for (guint i = 0; i < 16; i++)
    q[i] = (guint8) ((codes[i] & 15) | (codes[i + 16] & 15) << 4);
}

INLINE void
pack_fifth (const guint8 *codes, guint8 *high)
{
  guint32 bits = 0;

  for (guint i = 0; i < 32; i++)
    bits |= (guint32) (codes[i] >> 4 & 1) << i;
  memcpy (high, &bits, sizeof bits);
}

/* 0 where @d is 0. */
INLINE vf
inverse (vf d)
{
  return (vf) ((vi) (1.0f / d) & (d != vset (0)));
}

static void
encode_q8_0 (const float *x, guint8 *out, gsize n)
{
  for (gsize at = 0; at < n; at += 32 * W)
    {
      guint lanes = (guint) MIN ((n - at) / 32, W);
      guint8 codes[32 * W];
      vf v[32], largest = vset (0), d, id;
      vi q[32];

      across (x + at, 32, lanes, v);
      for (guint i = 0; i < 32; i++)
        largest = vmax (largest, absolute (v[i]));
      d = largest / 127.0f;
      id = inverse (d);
      for (guint i = 0; i < 32; i++)
        {
          vf y = v[i] * id, whole, rest;

          y = vselect (absolute (y) <= 127.5f, y, vset (0)); /* what is not finite has no code */
          whole = __builtin_convertvector(truncated (y), vf);
          rest = y - whole; /* half goes away from zero */
          q[i] = truncated (whole) - (vi) (rest >= 0.5f) + (vi) (rest <= -0.5f);
        }
      back (q, 32, codes);
      for (guint k = 0; k < lanes; k++, out += 34)
        {
          put_half (out, d[k]);
          memcpy (out + 2, codes + 32 * k, 32);
        }
    }
}

/* ---- one block of 32: the least weighted square error ------------------------------------ */

typedef struct
{
  float most;        /* the largest code */
  float first, step; /* of the grid, added to @most */
  int steps;
} Grid;

static const Grid grid_q4 = { 15, -1, 0.1f, 20 }, grid_q5 = { 31, -0.5f, 0.1f, 15 };

/* Blocks in lanes; @w: what an error of each number weighs. */
typedef struct
{
  vf x[32], w[32];
  vf sum_w, sum_x, sum_xx; /* of w, w x, w x² */
} Block;

INLINE void
weigh (Block *b)
{
  vf squares = vset (0), mean;

  for (guint i = 0; i < 32; i++)
    squares += b->x[i] * b->x[i];
  mean = vsqrt (squares / 32.0f);
  b->sum_w = b->sum_x = b->sum_xx = vset (0);
  for (guint i = 0; i < 32; i++)
    {
      b->w[i] = mean + absolute (b->x[i]);
      b->sum_w += b->w[i];
      b->sum_x += b->w[i] * b->x[i];
      b->sum_xx += b->w[i] * b->x[i] * b->x[i];
    }
}

/* Weighted square error of scale * code - low, which has the codes that are nearest. */
INLINE vf
error_of (const Block *b, float most, vf scale, vf low)
{
  vf id = inverse (scale), error = vset (0);

  for (guint i = 0; i < 32; i++)
    {
      vf code = clamp (nearest ((b->x[i] + low) * id), 0, most);
      vf off = scale * code - low - b->x[i];

      error += b->w[i] * off * off;
    }
  return error;
}

/* The best found so far: of scale * code - low, the error less the sum of w x². */
typedef struct
{
  vf scale, low, error;
} Found;

/* Solves for scale and minimum with the codes of (x + @low) * @step; @free: the minimum may be
 * above 0. */
INLINE void
attempt (const Block *b, float most, gboolean free, vf low, vf step, Found *f)
{
  vf l1 = vset (0), l2 = vset (0), lx = vset (0), det, s, m, error;
  vi better;

  for (guint i = 0; i < 32; i++)
    {
      vf code = clamp (nearest ((b->x[i] + low) * step), 0, most), wl = b->w[i] * code;

      l1 += wl;
      l2 += wl * code;
      lx += wl * b->x[i];
    }
  det = b->sum_w * l2 - l1 * l1;
  s = (b->sum_w * lx - b->sum_x * l1) / det;
  m = (l2 * b->sum_x - l1 * lx) / det;
  if (!free)
    {
      s = vselect (m > 0, lx / l2, s);
      m = vselect (m > 0, vset (0), m);
    }
  error = s * (s * l2 + 2.0f * (m * l1 - lx)) + m * (m * b->sum_w - 2.0f * b->sum_x);
  better = (det > 0) & (s > 0) & (error < f->error);
  f->error = vselect (better, error, f->error);
  f->scale = vselect (better, s, f->scale);
  f->low = vselect (better, -m, f->low);
}

/* The scale and the minimum (as -minimum, >= 0 unless @free) of least error: over a grid, then from
 * the best on. */
INLINE void
search (const Block *b, const Grid *g, gboolean free, vf *scale, vf *low)
{
  vf least = free ? b->x[0] : vset (0), largest = b->x[0], range, id;
  Found f;

  for (guint i = 0; i < 32; i++)
    {
      least = vmin (b->x[i], least);
      largest = vmax (b->x[i], largest);
    }
  range = largest - least;
  id = inverse (range);
  f.scale = range / g->most;
  f.low = -least;
  f.error = error_of (b, g->most, f.scale, f.low) - b->sum_xx;
  for (int k = 0; k <= g->steps; k++)
    attempt (b, g->most, free, -least, (g->first + g->step * (float) k + g->most) * id, &f);
  for (int k = 0; k < AGAIN; k++)
    attempt (b, g->most, free, f.low, inverse (f.scale), &f);
  *scale = f.scale;
  *low = f.low;
}

/* ---- Q4_0, Q4_1, Q5_0, Q5_1 ---------------------------------------------------------------- */

/* Each lane's number as it will be stored. */
INLINE vf
halves (vf v)
{
  for (guint k = 0; k < W; k++)
    v[k] = as_half (v[k]);
  return v;
}

/* Blocks of codes of @bits with what stands before them: d and, with @low, the minimum. */
INLINE guint8 *
put_blocks (guint8 *out, guint lanes, int bits, vf d, const vf *least, const vi *q)
{
  guint8 codes[32 * W];

  back (q, 32, codes);
  for (guint k = 0; k < lanes; k++)
    {
      put_half (out, d[k]);
      out += 2;
      if (least != NULL)
        {
          put_half (out, (*least)[k]);
          out += 2;
        }
      if (bits == 5)
        {
          pack_fifth (codes + 32 * k, out);
          out += 4;
        }
      pack_halves (codes + 32 * k, out);
      out += 16;
    }
  return out;
}

/* The scale of least error for codes from -@middle on; ggml's is one of those tried. */
INLINE vf
search_signed (const Block *b, float middle)
{
  vf largest = vset (0), value = vset (0), best, scale, id;

  for (guint i = 0; i < 32; i++)
    {
      vi more = absolute (b->x[i]) > largest;

      value = vselect (more, b->x[i], value);
      largest = vselect (more, absolute (b->x[i]), largest);
    }
  id = inverse (value);
  scale = value / -middle;
  best = vset (0);
  for (int k = -9; k <= 9; k++)
    {
      vf step = -(middle + 0.1f * (float) k) * id, lx = vset (0), l2 = vset (0), gain;
      vi better;

      for (guint i = 0; i < 32; i++)
        {
          vf code = clamp (nearest (b->x[i] * step), -middle, middle - 1), wl = b->w[i] * code;

          lx += wl * b->x[i];
          l2 += wl * code;
        }
      gain = lx * lx / l2; /* how far the error falls; NaN where all is 0 */
      better = gain > best;
      best = vselect (better, gain, best);
      scale = vselect (better, lx / l2, scale);
    }
  /* what ggml takes, where that is better once it is stored */
  best = error_of (b, 2 * middle - 1, halves (scale), middle * halves (scale));
  return vselect (
      error_of (b, 2 * middle - 1, halves (value / -middle), halves (value / -middle) * middle)
          <= best,
      value / -middle, scale);
}

/* Symmetric codes of @bits. */
INLINE void
encode_signed (const float *x, guint8 *out, gsize n, int bits)
{
  float middle = bits == 4 ? 8 : 16;

  for (gsize at = 0; at < n; at += 32 * W)
    {
      guint lanes = (guint) MIN ((n - at) / 32, W);
      vi q[32];
      Block b;
      vf d, id;

      across (x + at, 32, lanes, b.x);
      weigh (&b);
      d = halves (search_signed (&b, middle));
      id = inverse (d);
      for (guint i = 0; i < 32; i++)
        q[i] = truncated (clamp (nearest (b.x[i] * id), -middle, middle - 1) + middle);
      out = put_blocks (out, lanes, bits, d, NULL, q);
    }
}

/* Codes of @bits from a minimum on; from the least number, as ggml has it, where that is better. */
INLINE void
encode_from_least (const float *x, guint8 *out, gsize n, int bits)
{
  const Grid *g = bits == 4 ? &grid_q4 : &grid_q5;

  for (gsize at = 0; at < n; at += 32 * W)
    {
      guint lanes = (guint) MIN ((n - at) / 32, W);
      vf least, largest, d, low, id;
      vi q[32], plain;
      Block b;

      across (x + at, 32, lanes, b.x);
      weigh (&b);
      least = largest = b.x[0];
      for (guint i = 1; i < 32; i++)
        {
          least = vmin (b.x[i], least);
          largest = vmax (b.x[i], largest);
        }
      search (&b, g, TRUE, &d, &low);
      d = halves (d);
      low = halves (low);
      least = halves (least);
      id = halves ((largest - least) / g->most);
      plain = error_of (&b, g->most, id, -least) <= error_of (&b, g->most, d, low);
      d = vselect (plain, id, d);
      least = vselect (plain, least, -low);
      id = inverse (d);
      for (guint i = 0; i < 32; i++)
        q[i] = truncated (clamp (nearest ((b.x[i] - least) * id), 0, g->most));
      out = put_blocks (out, lanes, bits, d, &least, q);
    }
}

static void
encode_q4_0 (const float *x, guint8 *out, gsize n)
{
  encode_signed (x, out, n, 4);
}

static void
encode_q5_0 (const float *x, guint8 *out, gsize n)
{
  encode_signed (x, out, n, 5);
}

static void
encode_q4_1 (const float *x, guint8 *out, gsize n)
{
  encode_from_least (x, out, n, 4);
}

static void
encode_q5_1 (const float *x, guint8 *out, gsize n)
{
  encode_from_least (x, out, n, 5);
}

/* ---- Q4_K, Q5_K: eight blocks of 32, each with a scale and a minimum of 6 bits ---------- */

/* How many superblocks are worked on at a time, and how many times W blocks those are. */
#if W >= 8
#define MANY (W / 8)
#define TURNS 1
#else
#define MANY 1
#define TURNS (8 / W)
#endif

/* What is stored of @MANY superblocks: common factors, and scales and minima as multiples of them.
 */
typedef struct
{
  float d[MANY], e[MANY], error[MANY];
  float scales[MANY * 8], lows[MANY * 8]; /* whole numbers, 0 to 63 */
} Super;

/* Each lane's own factor. */
INLINE vf
spread (const float *of_super, guint turn)
{
  vf v;

  for (guint k = 0; k < W; k++)
    v[k] = of_super[(turn * W + k) / 8];
  return v;
}

/* Tries the neighbours of every scale and minimum, and keeps the best. */
INLINE void
settle (const Block *b, float most, Super *s)
{
  float errors[MANY * 8];

  for (guint turn = 0; turn < TURNS; turn++)
    {
      vf d = spread (s->d, turn), e = spread (s->e, turn), best = vset (INFINITY);
      vf scale = vload (s->scales + turn * W), low = vload (s->lows + turn * W);
      vf scale_best = scale, low_best = low;

      for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++)
          {
            vf sc = clamp (scale + (float) i, 0, 63), lo = clamp (low + (float) j, 0, 63);
            vf error = error_of (&b[turn], most, d * sc, e * lo);
            vi better = error < best;

            best = vselect (better, error, best);
            scale_best = vselect (better, sc, scale_best);
            low_best = vselect (better, lo, low_best);
          }
      vstore (s->scales + turn * W, scale_best);
      vstore (s->lows + turn * W, low_best);
      vstore (errors + turn * W, best);
    }
  for (guint i = 0; i < MANY; i++)
    {
      s->error[i] = 0;
      for (guint j = 0; j < 8; j++)
        s->error[i] += errors[i * 8 + j];
    }
}

/* The common factors of least error for the codes, scales and minima as they are. */
INLINE void
solve (const Block *b, float most, Super *s)
{
  float sums[5][MANY * 8]; /* of w a², w a m, w m², w a x, w m x; a: scale times code */

  for (guint turn = 0; turn < TURNS; turn++)
    {
      vf scale = vload (s->scales + turn * W), m = vload (s->lows + turn * W);
      vf id = inverse (spread (s->d, turn) * scale), low = spread (s->e, turn) * m;
      vf aa = vset (0), a1 = vset (0), ax = vset (0);

      for (guint i = 0; i < 32; i++)
        {
          vf a = scale * clamp (nearest ((b[turn].x[i] + low) * id), 0, most);
          vf wa = b[turn].w[i] * a;

          aa += wa * a;
          a1 += wa;
          ax += wa * b[turn].x[i];
        }
      vstore (sums[0] + turn * W, aa);
      vstore (sums[1] + turn * W, a1 * m);
      vstore (sums[2] + turn * W, b[turn].sum_w * m * m);
      vstore (sums[3] + turn * W, ax);
      vstore (sums[4] + turn * W, b[turn].sum_x * m);
    }
  for (guint i = 0; i < MANY; i++)
    {
      float t[5] = { 0 }, det, d, e;

      for (guint k = 0; k < 5; k++)
        for (guint j = 0; j < 8; j++)
          t[k] += sums[k][i * 8 + j];
      det = t[0] * t[2] - t[1] * t[1];
      d = det > 0 ? (t[3] * t[2] - t[1] * t[4]) / det : t[0] > 0 ? t[3] / t[0] : s->d[i];
      e = det > 0 ? (t[1] * t[3] - t[0] * t[4]) / det : s->e[i];
      s->d[i] = as_half (d > 0 ? d : s->d[i]);
      s->e[i] = as_half (e > 0 ? e : s->e[i]);
    }
}

/* The common factors that the largest scale and minimum ask for. */
INLINE void
begin (Super *s)
{
  for (guint i = 0; i < MANY; i++)
    {
      float *scales = s->scales + 8 * i, *lows = s->lows + 8 * i, d, e;
      float largest = 0, lowest = 0;

      for (guint j = 0; j < 8; j++)
        {
          largest = MAX (largest, scales[j]);
          lowest = MAX (lowest, lows[j]);
        }
      s->d[i] = d = as_half (largest / 63);
      s->e[i] = e = as_half (lowest / 63);
      for (guint j = 0; j < 8; j++)
        {
          scales[j] = d > 0 ? MIN (rintf (scales[j] / d), 63) : 0;
          lows[j] = e > 0 ? MIN (rintf (lows[j] / e), 63) : 0;
        }
    }
}

/* @MANY superblocks; codes of block k at codes + 32 * k. */
INLINE void
fit (const float *x, guint many, const Grid *g, Super *s, guint8 *codes)
{
  Block b[TURNS];
  Super next;

  for (guint turn = 0; turn < TURNS; turn++)
    {
      vf scale, low;

      across (x + turn * W * 32, 32, MIN (many * 8 - turn * W, W), b[turn].x);
      weigh (&b[turn]);
      search (&b[turn], g, FALSE, &scale, &low);
      vstore (s->scales + turn * W, scale);
      vstore (s->lows + turn * W, low);
    }
  begin (s);
  settle (b, g->most, s);
  for (guint again = 0; again < ROUNDS; again++)
    {
      next = *s;
      solve (b, g->most, &next);
      settle (b, g->most, &next);
      for (guint i = 0; i < MANY; i++)
        if (next.error[i] < s->error[i])
          {
            s->d[i] = next.d[i];
            s->e[i] = next.e[i];
            s->error[i] = next.error[i];
            memcpy (s->scales + 8 * i, next.scales + 8 * i, 8 * sizeof (float));
            memcpy (s->lows + 8 * i, next.lows + 8 * i, 8 * sizeof (float));
          }
    }
  for (guint turn = 0; turn < TURNS; turn++)
    {
      vf id = inverse (spread (s->d, turn) * vload (s->scales + turn * W));
      vf low = spread (s->e, turn) * vload (s->lows + turn * W);
      vi q[32];

      for (guint i = 0; i < 32; i++)
        q[i] = truncated (clamp (nearest ((b[turn].x[i] + low) * id), 0, g->most));
      back (q, 32, codes + turn * W * 32);
    }
}

static void
pack_scales (const float *scales, const float *lows, guint8 *out)
{
  for (guint j = 0; j < 4; j++)
    {
      guint s = (guint) scales[j + 4], m = (guint) lows[j + 4];

      out[j] = (guint8) ((guint) scales[j] | s >> 4 << 6);
      out[j + 4] = (guint8) ((guint) lows[j] | m >> 4 << 6);
      out[j + 8] = (guint8) ((s & 15) | (m & 15) << 4);
    }
}

/* d, minimum's d, 12 bytes of scales, [fifth bits], codes. */
INLINE void
encode_k (const float *x, guint8 *out, gsize n, const Grid *g, gboolean fifth)
{
  for (gsize at = 0; at < n; at += 256 * MANY)
    {
      guint many = (guint) MIN ((n - at) / 256, MANY);
      guint8 codes[256 * MANY];
      Super s;

      fit (x + at, many, g, &s, codes);
      for (guint i = 0; i < many; i++)
        {
          const guint8 *c = codes + 256 * i;
          guint8 *high = out + 16, *q = fifth ? out + 48 : out + 16;

          put_half (out, s.d[i]);
          put_half (out + 2, s.e[i]);
          pack_scales (s.scales + 8 * i, s.lows + 8 * i, out + 4);
          if (fifth)
            memset (high, 0, 32);
          for (guint j = 0; j < 8; j += 2, c += 64, q += 32)
            for (guint l = 0; l < 32; l++)
              {
                q[l] = (guint8) ((c[l] & 15) | (c[l + 32] & 15) << 4);
                if (fifth)
                  high[l] |= (guint8) (c[l] >> 4 << j | c[l + 32] >> 4 << (j + 1));
              }
          out = q;
        }
    }
}

static void
encode_q4_k (const float *x, guint8 *out, gsize n)
{
  encode_k (x, out, n, &grid_q4, FALSE);
}

static void
encode_q5_k (const float *x, guint8 *out, gsize n)
{
  encode_k (x, out, n, &grid_q5, TRUE);
}

/* ---- Q6_K: sixteen blocks of 16, each with a scale of 8 bits ----------------------------- */

#define TURNS6 (16 / W)

/* Codes of numbers in lanes, -32 to 31; the error of a number weighs its square. */
INLINE vf
code6 (vf x, vf id)
{
  return clamp (nearest (x * id), -32, 31);
}

INLINE vf
search6 (const vf *x)
{
  vf largest = vset (0), value = vset (0), best = vset (0), scale = vset (0), id;

  for (guint i = 0; i < 16; i++)
    {
      vi more = absolute (x[i]) > largest;

      value = vselect (more, x[i], value);
      largest = vselect (more, absolute (x[i]), largest);
    }
  id = inverse (value);
  for (int k = -9; k <= 9; k++)
    {
      vf step = -(32.0f + 0.1f * (float) k) * id, lx = vset (0), l2 = vset (0), gain;
      vi better;

      for (guint i = 0; i < 16; i++)
        {
          vf code = code6 (x[i], step), wl = x[i] * x[i] * code;

          lx += wl * x[i];
          l2 += wl * code;
        }
      gain = lx * lx / l2; /* how far the error falls; NaN where all is 0 */
      better = gain > best;
      best = vselect (better, gain, best);
      scale = vselect (better, lx / l2, scale);
    }
  return scale;
}

/* Tries the neighbours of every scale; returns the sum of the errors. */
INLINE float
settle6 (const vf (*x)[16], float d, float *scales)
{
  float errors[16], sum = 0;

  for (guint turn = 0; turn < TURNS6; turn++)
    {
      vf scale = vload (scales + turn * W), scale_best = scale, best = vset (INFINITY);

      for (int k = -1; k <= 1; k++)
        {
          vf sc = clamp (scale + (float) k, -128, 127), step = d * sc, id = inverse (step);
          vf error = vset (0);
          vi better;

          for (guint i = 0; i < 16; i++)
            {
              vf off = step * code6 (x[turn][i], id) - x[turn][i];

              error += x[turn][i] * x[turn][i] * off * off;
            }
          better = error < best;
          best = vselect (better, error, best);
          scale_best = vselect (better, sc, scale_best);
        }
      vstore (scales + turn * W, scale_best);
      vstore (errors + turn * W, best);
    }
  for (guint i = 0; i < 16; i++)
    sum += errors[i];
  return sum;
}

/* The common factor of least error for codes and scales as they are. */
INLINE float
solve6 (const vf (*x)[16], float d, const float *scales)
{
  float sums[2][16], t[2] = { 0 };

  for (guint turn = 0; turn < TURNS6; turn++)
    {
      vf scale = vload (scales + turn * W), id = inverse (d * scale);
      vf aa = vset (0), ax = vset (0);

      for (guint i = 0; i < 16; i++)
        {
          vf a = scale * code6 (x[turn][i], id), wa = x[turn][i] * x[turn][i] * a;

          aa += wa * a;
          ax += wa * x[turn][i];
        }
      vstore (sums[0] + turn * W, aa);
      vstore (sums[1] + turn * W, ax);
    }
  for (guint k = 0; k < 2; k++)
    for (guint i = 0; i < 16; i++)
      t[k] += sums[k][i];
  return as_half (t[0] > 0 ? t[1] / t[0] : d);
}

/* The common factor and the 16 scales of a superblock in lanes. */
INLINE float
fit6 (const vf (*x)[16], float *scales)
{
  float largest = 0, value = 0, d, error;

  for (guint turn = 0; turn < TURNS6; turn++)
    vstore (scales + turn * W, search6 (x[turn]));
  for (guint i = 0; i < 16; i++)
    if (fabsf (scales[i]) > largest)
      largest = fabsf (value = scales[i]);
  d = as_half (value / -128);
  for (guint i = 0; i < 16; i++)
    scales[i] = d != 0 ? CLAMP (rintf (scales[i] / d), -128, 127) : 0;
  error = settle6 (x, d, scales);
  for (guint again = 0; again < ROUNDS; again++)
    {
      float next[16], d_next, error_next;

      memcpy (next, scales, sizeof next);
      d_next = solve6 (x, d, scales);
      error_next = settle6 (x, d_next, next);
      if (error_next < error)
        {
          error = error_next;
          d = d_next;
          memcpy (scales, next, sizeof next);
        }
    }
  return d;
}

/* Codes from 0 on, in the order of the numbers: 4 low bits, then 2 high ones. */
static void
pack6 (const guint8 *c, guint8 *low, guint8 *high)
{
  for (guint half = 0; half < 2; half++, c += 128, low += 64, high += 32)
    for (guint l = 0; l < 32; l++)
      {
        low[l] = (guint8) ((c[l] & 15) | (c[l + 64] & 15) << 4);
        low[l + 32] = (guint8) ((c[l + 32] & 15) | (c[l + 96] & 15) << 4);
        high[l] = (guint8) (c[l] >> 4 | c[l + 32] >> 4 << 2 | c[l + 64] >> 4 << 4
                            | c[l + 96] >> 4 << 6);
      }
}

static void
encode_q6_k (const float *x, guint8 *out, gsize n)
{
  for (gsize at = 0; at < n; at += 256, out += 210)
    {
      guint8 codes[256];
      float scales[16], d;
      vf v[TURNS6][16];

      for (guint turn = 0; turn < TURNS6; turn++)
        across (x + at + turn * W * 16, 16, W, v[turn]);
      d = fit6 ((const vf (*)[16]) v, scales);
      for (guint turn = 0; turn < TURNS6; turn++)
        {
          vf id = inverse (d * vload (scales + turn * W));
          vi q[16];

          for (guint i = 0; i < 16; i++)
            q[i] = truncated (code6 (v[turn][i], id)) + 32;
          back (q, 16, codes + turn * W * 16);
        }
      pack6 (codes, out, out + 128);
      for (guint i = 0; i < 16; i++)
        out[192 + i] = (guint8) (gint8) scales[i];
      put_half (out + 208, d);
    }
}

const LmQuantizers LM_QUANTIZE_JOIN (LM_QUANTIZE_VARIANT) = { .encode = {
                                                                  [LM_Q4_0] = encode_q4_0,
                                                                  [LM_Q4_1] = encode_q4_1,
                                                                  [LM_Q5_0] = encode_q5_0,
                                                                  [LM_Q5_1] = encode_q5_1,
                                                                  [LM_Q8_0] = encode_q8_0,
                                                                  [LM_Q4_K] = encode_q4_k,
                                                                  [LM_Q5_K] = encode_q5_k,
                                                                  [LM_Q6_K] = encode_q6_k,
                                                              } };
