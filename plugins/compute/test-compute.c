/* SPDX-License-Identifier: Apache-2.0 */
/* test-compute.c: every operation of every backend against the reference, and the reference against
 * formulas in double.
 *
 * An operation is written once, as a function that fills its inputs from a seeded generator, calls
 * the backend, and hands over its outputs; it runs on the reference and on the backend, and the
 * outputs are compared by ‖x − reference‖ / ‖reference‖, or, where single sums may cancel, against
 * the size of what is added up, as ‖a‖ ‖b‖ / √inner of products.  It runs again, for the same
 * bytes, and again on one thread.  Rows are padded, and the padding must come back untouched.
 *
 * Tolerances: 1e-5 where all is F32, or products are of BF16 and their sums F32; 5e-3, a little
 * more than one rounding to BF16 (2^-8), where outputs are BF16; 12e-3, three roundings, where a
 * weight of another type may be brought to BF16 too, to meet BF16 activations.  Denormals may be
 * flushed to zero, as processors' own BF16 products do, so errors below 1e-36 a number do not
 * count.  Products of F32 that are made of BF16 numbers are held against double too, with bounds
 * that sums in F32 just keep.
 *
 * With the argument "levels" (test-levels.sh) it runs itself on each older instruction set instead.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <math.h>
#include <string.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "compute/cpu/cpu.h"
#include "lm/compute.h"

#ifdef FR_EMULATE
#define EMULATED TRUE
const FrPlugin *flowrun_plugin (void); /* the one backend of test-emulated */
#else
#define EMULATED FALSE
#endif

#define TOLERANCE_F32 1e-5
#define TOLERANCE_BF16 5e-3
#define TOLERANCE_MIXED 12e-3
#define FLUSHED 1e-36
#define PADDING 0x5a /* byte */

/* ---- one run of an operation on one backend */

typedef struct
{
  float *v;
  gsize n;
  double tolerance;
  double size; /* of what was added up, where it may cancel; else 0 */
} Output;

typedef struct
{
  LmCompute *c;
  guint64 random;
  GArray *outputs;   /* Output */
  GPtrArray *memory; /* what to release */
} Side;

/* What numbers are like. */
typedef enum
{
  NORMAL,
  LARGE,    /* around ±1e4 */
  NEGATIVE, /* around -1e4, as masked logits are */
  EQUAL,
  DENORMAL,
  N_FILLS
} Fill;

typedef struct
{
  gpointer data;
  gsize bytes;
} Memory;

static guint64
random_bits (Side *s)
{
  guint64 z = s->random += 0x9e3779b97f4a7c15u;

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static gsize
random_below (Side *s, gsize n)
{
  return random_bits (s) % n;
}

/* About normal: the sum of four uniform numbers, variance 1. */
static float
random_normal (Side *s)
{
  double sum = -2;

  for (int i = 0; i < 4; i++)
    sum += (random_bits (s) >> 11) * 0x1p-53;
  return sum * 1.7320508;
}

static float
random_number (Side *s, Fill fill)
{
  const float x = random_normal (s);

  switch (fill)
    {
    case LARGE:
      return x < 0 ? -1e4f + x : 1e4f + x;
    case NEGATIVE:
      return -1e4f + 10 * x;
    case EQUAL:
      return 0.75f;
    case DENORMAL:
      return x * 1e-39f;
    default:
      return x;
    }
}

static gpointer
side_alloc (Side *s, gsize bytes)
{
  g_autoptr (GError) error = NULL;
  Memory *m = g_new (Memory, 1);

  m->bytes = bytes;
  m->data = lm_compute_alloc (s->c, bytes, &error);
  g_assert_no_error (error);
  g_assert_nonnull (m->data);
  g_assert_cmpuint ((guintptr) m->data % 64, ==, 0);
  g_ptr_array_add (s->memory, m);
  return m->data;
}

static void
side_sync (Side *s)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (s->c->klass->sync (s->c, &error));
  g_assert_no_error (error);
}

/* Scales of a block are half floats among random bytes: make them small numbers. */
static void
tame_block (Side *s, LmType type, guint8 *block)
{
  guint16 scale = lm_float_to_f16 (0.001f + 0.02f * (random_below (s, 100) / 100.f));
  guint16 least = lm_float_to_f16 (0.01f * random_normal (s));

  memcpy (block + (type == LM_Q6_K ? 208 : 0), &scale, 2);
  if (type == LM_Q4_1 || type == LM_Q5_1 || type == LM_Q4_K || type == LM_Q5_K)
    memcpy (block + 2, &least, 2);
}

static void
fill_row (Side *s, LmType type, Fill fill, guint8 *row, gsize n)
{
  const LmTypeInfo *info = &lm_types[type];

  for (gsize i = 0; info->block == 1 && i < n; i++)
    {
      const float x = random_number (s, fill);

      if (type == LM_F64)
        memcpy (row + 8 * i, &(double){ x }, 8);
      else
        lm_encode (type, &x, row + i * info->bytes, 1);
    }
  for (gsize i = 0; info->block > 1 && i < n / info->block; i++)
    {
      guint8 *block = row + i * info->bytes;

      for (guint b = 0; b < info->bytes; b++)
        block[b] = random_bits (s) >> 13;
      tame_block (s, type, block);
    }
}

/* A matrix of random numbers, its rows @pad numbers apart. */
static LmMat
side_mat (Side *s, LmType type, Fill fill, gsize rows, gsize cols, gsize pad)
{
  LmMat m = lm_mat (NULL, type, rows, cols);
  g_autofree guint8 *host = NULL;
  gsize row, bytes;

  if (lm_types[type].block == 1)
    m.stride += pad;
  row = lm_type_bytes (type, m.stride);
  bytes = rows * row;
  host = g_malloc (bytes + 1);
  memset (host, PADDING, bytes);
  for (gsize i = 0; i < rows; i++)
    fill_row (s, type, fill, host + i * row, cols);
  m.data = side_alloc (s, bytes);
  s->c->klass->upload (s->c, m.data, host, bytes);
  return m;
}

/* A matrix of one number everywhere, for outputs. */
static LmMat
side_mat_of (Side *s, LmType type, float value, gsize rows, gsize cols, gsize pad)
{
  LmMat m = side_mat (s, type, NORMAL, rows, cols, pad);
  const gsize row = lm_type_bytes (type, m.stride);
  g_autofree guint8 *host = g_malloc (rows * row + 1);

  memset (host, PADDING, rows * row);
  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < cols; j++)
      lm_encode (type, &value, host + i * row + lm_type_bytes (type, j), 1);
  s->c->klass->upload (s->c, m.data, host, rows * row);
  return m;
}

static void
add_output (Side *s, float *v, gsize n, double tolerance)
{
  const Output output = { v, n, tolerance, 0 };

  g_array_append_val (s->outputs, output);
}

/* Hands over a matrix, whose padding must be as it was. */
static void
side_output (Side *s, LmMat m, double tolerance)
{
  const gsize row = lm_type_bytes (m.type, m.stride), used = lm_type_bytes (m.type, m.cols);
  g_autofree guint8 *host = g_malloc (m.rows * row + 1);
  float *v = g_new (float, m.rows *m.cols + 1);

  side_sync (s);
  s->c->klass->download (s->c, host, m.data, m.rows * row);
  for (gsize i = 0; i < m.rows; i++)
    {
      lm_decode (m.type, host + i * row, v + i * m.cols, m.cols);
      for (gsize b = used; b < row; b++)
        g_assert_cmpuint (host[i * row + b], ==, PADDING);
    }
  add_output (s, v, m.rows * m.cols, tolerance);
}

static double
type_tolerance (LmType type)
{
  return type == LM_BF16 ? TOLERANCE_BF16 : TOLERANCE_F32;
}

static double
norm (Side *s, LmMat m)
{
  const gsize bytes = m.rows * lm_type_bytes (m.type, m.stride);
  g_autofree guint8 *host = g_malloc (bytes + 1);
  g_autofree float *v = g_new (float, m.cols + 1);
  double sum = 0;

  s->c->klass->download (s->c, host, m.data, bytes);
  for (gsize i = 0; i < m.rows; i++)
    {
      lm_decode (m.type, host + i * lm_type_bytes (m.type, m.stride), v, m.cols);
      for (gsize j = 0; j < m.cols; j++)
        sum += (double) v[j] * v[j];
    }
  return sqrt (sum);
}

/* Errors of the last output are against @size, where that is more than the output itself. */
static void
side_output_size (Side *s, double size)
{
  g_array_index (s->outputs, Output, s->outputs->len - 1).size = size;
}

/* ---- operations */

typedef struct
{
  LmType act;
  Fill fill;
  gsize rows, cols, pad;
} Shape;

static void
op_add (Side *s, const Shape *p)
{
  LmMat x = side_mat (s, p->act, p->fill, p->rows, p->cols, p->pad);
  LmMat y = side_mat (s, p->act, NORMAL, p->rows, p->cols, 0);

  s->c->klass->add (s->c, x, y);
  side_output (s, x, type_tolerance (p->act));
}

static void
op_add_row (Side *s, const Shape *p)
{
  LmMat x = side_mat (s, p->act, p->fill, p->rows, p->cols, p->pad);
  LmMat row = side_mat (s, LM_F32, NORMAL, 1, p->cols, 0);

  s->c->klass->add_row (s->c, x, row);
  side_output (s, x, type_tolerance (p->act));
}

static void
op_sum_rows (Side *s, const Shape *p)
{
  LmMat x = side_mat (s, p->act, p->fill, p->rows, p->cols, p->pad);
  LmMat sum = side_mat (s, LM_F32, NORMAL, 1, p->cols, 0);

  s->c->klass->sum_rows (s->c, sum, x);
  side_output (s, sum, TOLERANCE_F32);
}

static void
op_cast (Side *s, const Shape *p)
{
  const LmType other = p->act == LM_F32 ? LM_BF16 : LM_F32;
  LmMat x = side_mat (s, p->act, p->fill, p->rows, p->cols, p->pad);
  LmMat y = side_mat_of (s, other, NAN, p->rows, p->cols, 3);
  LmMat z = side_mat_of (s, p->act, NAN, p->rows, p->cols, 0);

  s->c->klass->cast (s->c, y, x);
  s->c->klass->cast (s->c, z, x);
  side_output (s, y, 0);
  side_output (s, z, 0);
}

static void
op_silu (Side *s, const Shape *p)
{
  const double tolerance = type_tolerance (p->act);
  LmMat gate = side_mat (s, p->act, p->fill, p->rows, p->cols, p->pad);
  LmMat up = side_mat (s, p->act, NORMAL, p->rows, p->cols, 0);
  LmMat out = side_mat_of (s, p->act, NAN, p->rows, p->cols, 7);

  s->c->klass->silu (s->c, out, gate, up);
  side_output (s, out, tolerance);
  s->c->klass->silu (s->c, gate, gate, up);
  side_output (s, gate, tolerance);
  gate = side_mat (s, p->act, p->fill, p->rows, p->cols, 0);
  s->c->klass->silu (s->c, up, gate, up);
  side_output (s, up, tolerance);
}

static void
op_silu_back (Side *s, const Shape *p)
{
  const double tolerance = type_tolerance (p->act);
  LmMat gate = side_mat (s, p->act, p->fill, p->rows, p->cols, p->pad);
  LmMat up = side_mat (s, p->act, NORMAL, p->rows, p->cols, 0);
  LmMat dout = side_mat (s, p->act, NORMAL, p->rows, p->cols, 1);
  LmMat dgate = side_mat_of (s, p->act, NAN, p->rows, p->cols, 0);
  LmMat dup = side_mat_of (s, p->act, NAN, p->rows, p->cols, 2);

  s->c->klass->silu_back (s->c, dgate, dup, dout, gate, up);
  side_output (s, dgate, tolerance);
  side_output (s, dup, tolerance);
  s->c->klass->silu_back (s->c, gate, up, dout, gate, up);
  side_output (s, gate, tolerance);
  side_output (s, up, tolerance);
}

static void
op_dropout (Side *s, const Shape *p)
{
  LmMat x = side_mat (s, p->act, p->fill, p->rows, p->cols, p->pad);
  LmMat set = side_mat_of (s, p->act, NAN, p->rows, p->cols, 0);
  LmMat added = side_mat (s, p->act, NORMAL, p->rows, p->cols, 3);
  g_autofree guint64 *keys = g_new (guint64, p->rows + 1);
  const Output *kept;

  for (gsize t = 0; t < p->rows; t++)
    keys[t] = random_bits (s);
  s->c->klass->dropout (s->c, set, FALSE, x, keys, 0.3f);
  s->c->klass->dropout (s->c, added, TRUE, x, keys, 0.1f);
  side_output (s, set, type_tolerance (p->act));
  side_output (s, added, type_tolerance (p->act));
  kept = &g_array_index (s->outputs, Output, s->outputs->len - 2);
  for (gsize i = 0; p->fill == NORMAL && i < kept->n; i++)
    g_assert_cmpint (kept->v[i] != 0, ==, lm_dropout_keep (keys[i / p->cols], i % p->cols, 0.3f));
  s->c->klass->dropout (s->c, set, FALSE, x, keys, 0);
  side_output (s, set, 0);
}

static void
op_rms_norm (Side *s, const Shape *p)
{
  LmMat x = side_mat (s, p->act, p->fill, p->rows, p->cols, p->pad);
  LmMat weight = side_mat (s, LM_F32, NORMAL, 1, p->cols, 0);
  LmMat out = side_mat_of (s, p->act, NAN, p->rows, p->cols, 3);
  LmMat rstd = side_mat_of (s, LM_F32, NAN, p->rows, 1, 0);

  s->c->klass->rms_norm (s->c, out, rstd, x, weight, 1e-5f);
  side_output (s, out, type_tolerance (p->act));
  side_output (s, rstd, TOLERANCE_F32);
  rstd.data = NULL;
  s->c->klass->rms_norm (s->c, out, rstd, x, weight, 1e-6f);
  side_output (s, out, type_tolerance (p->act));
}

static void
op_rms_norm_back (Side *s, const Shape *p)
{
  const double tolerance = type_tolerance (p->act);
  LmMat x = side_mat (s, p->act, p->fill, p->rows, p->cols, p->pad);
  LmMat weight = side_mat (s, LM_F32, NORMAL, 1, p->cols, 0);
  LmMat rstd = side_mat_of (s, LM_F32, NAN, p->rows, 1, 0);
  LmMat dout = side_mat (s, p->act, NORMAL, p->rows, p->cols, 0);
  LmMat dx = side_mat_of (s, p->act, NAN, p->rows, p->cols, 1);
  LmMat dweight = side_mat (s, LM_F32, NORMAL, 1, p->cols, 0);
  LmMat more = side_mat (s, p->act, NORMAL, p->rows, p->cols, 0);
  LmMat none = lm_mat (NULL, LM_F32, 1, p->cols);
  double size;

  s->c->klass->rms_norm (s->c, dx, rstd, x, weight, 1e-5f);
  size = norm (s, dout) * norm (s, weight) * norm (s, rstd) / sqrt (MAX (p->cols * p->rows, 1));
  s->c->klass->rms_norm_back (s->c, dx, 0, dweight, dout, x, weight, rstd);
  side_output (s, dx, tolerance);
  side_output_size (s, size);
  side_output (s, dweight, TOLERANCE_F32);
  s->c->klass->rms_norm_back (s->c, more, 1, none, dout, x, weight, rstd);
  side_output (s, more, tolerance);
  side_output_size (s, size);
  s->c->klass->rms_norm_back (s->c, dout, 0, dweight, dout, x, weight, rstd);
  side_output (s, dout, tolerance);
  side_output_size (s, size);
  side_output (s, dweight, TOLERANCE_F32);
}

static void
op_rope (Side *s, const Shape *p)
{
  const guint heads = 3, head_dim = MAX (p->cols, 2), half = MAX (p->cols / 2, 1), most = 50;
  LmMat x = side_mat (s, p->act, p->fill, p->rows, heads * head_dim, p->pad);
  LmMat cosine = side_mat (s, LM_F32, NORMAL, most, half, 0);
  LmMat sine = side_mat (s, LM_F32, NORMAL, most, half, 0);
  g_autofree gint32 *positions = g_new (gint32, p->rows + 1);

  for (gsize t = 0; t < p->rows; t++)
    positions[t] = random_below (s, most);
  s->c->klass->rope (s->c, x, heads, head_dim, half, positions, cosine, sine, FALSE);
  side_output (s, x, type_tolerance (p->act));
  s->c->klass->rope (s->c, x, heads, head_dim, half, positions, cosine, sine, TRUE);
  side_output (s, x, 3 * type_tolerance (p->act));
}

static const LmType weight_types[] = { LM_F32,  LM_F16,  LM_BF16, LM_F64,  LM_Q4_0, LM_Q4_1,
                                       LM_Q5_0, LM_Q5_1, LM_Q8_0, LM_Q4_K, LM_Q5_K, LM_Q6_K };

static void
op_embed (Side *s, const Shape *p)
{
  g_autofree gint32 *tokens = g_new (gint32, p->rows + 1);
  LmMat dweight, dout;

  for (gsize t = 0; t < p->rows; t++)
    tokens[t] = random_below (s, 19);
  for (gsize i = 0; i < G_N_ELEMENTS (weight_types); i++)
    {
      const gsize block = lm_types[weight_types[i]].block;
      const gsize cols = block == 1 ? p->cols : (p->cols % 3 + 1) * block;
      LmMat weight = side_mat (s, weight_types[i], p->fill, 19, cols, 0);
      LmMat out = side_mat_of (s, p->act, NAN, p->rows, cols, p->pad);

      s->c->klass->embed (s->c, out, weight, tokens);
      side_output (s, out, p->act == LM_BF16 ? TOLERANCE_BF16 : 1e-6);
    }
  dweight = side_mat (s, LM_F32, NORMAL, 19, p->cols, 0);
  dout = side_mat (s, p->act, NORMAL, p->rows, p->cols, p->pad);
  s->c->klass->embed_back (s->c, dweight, dout, tokens);
  side_output (s, dweight, 1e-6);
}

static void
op_cross_entropy (Side *s, const Shape *p)
{
  LmMat logits = side_mat (s, p->act, p->fill, p->rows, p->cols, p->pad);
  g_autofree gint32 *targets = g_new (gint32, p->rows + 1);
  float *before = g_new0 (float, p->rows + 1), *losses = g_new0 (float, p->rows + 1);

  for (gsize t = 0; t < p->rows; t++)
    targets[t] = random_below (s, p->cols);
  s->c->klass->cross_entropy (s->c, logits, targets, before, 0);
  side_output (s, logits, 0);
  s->c->klass->cross_entropy (s->c, logits, targets, losses, 0.125f);
  side_output (s, logits, type_tolerance (p->act));
  add_output (s, losses, p->rows, TOLERANCE_F32);
  add_output (s, before, p->rows, TOLERANCE_F32);
}

static void
op_adamw (Side *s, const Shape *p)
{
  const gsize n = p->rows * p->cols;
  LmMat param = side_mat (s, LM_F32, NORMAL, 1, n, 0);
  LmMat m = side_mat_of (s, LM_F32, 0, 1, n, 0), v = side_mat_of (s, LM_F32, 0, 1, n, 0);

  for (guint step = 1; step <= 3; step++)
    {
      const LmAdam adam = { 1e-2f, 0.9f, 0.999f, 1e-8f, 0.1f, step * step, 0.5f };
      LmMat grad = side_mat (s, LM_F32, p->fill, 1, n, 0);

      s->c->klass->adamw (s->c, param.data, grad.data, m.data, v.data, n, &adam);
    }
  side_output (s, param, TOLERANCE_F32);
  side_output (s, m, TOLERANCE_F32);
  side_output (s, v, TOLERANCE_F32);
}

static void
op_sum_squares (Side *s, const Shape *p)
{
  LmMat x = side_mat (s, LM_F32, p->fill, 1, p->rows * p->cols, 0);
  float *sum = g_new0 (float, 1);

  *sum = s->c->klass->sum_squares (s->c, x.data, x.cols);
  add_output (s, sum, 1, 1e-6);
}

static void
op_memory (Side *s, const Shape *p)
{
  LmMat a = side_mat (s, p->act, p->fill, p->rows, p->cols, 0);
  LmMat b = side_mat_of (s, p->act, NAN, p->rows, p->cols, 0);
  const gsize bytes = p->rows * lm_type_bytes (p->act, p->cols);

  s->c->klass->copy (s->c, b.data, a.data, bytes);
  side_output (s, b, 0);
  s->c->klass->zero (s->c, a.data, bytes / 2);
  side_output (s, lm_mat (a.data, LM_BF16, 1, bytes / 2), 0);
}

/* Spans: a prompt alone, keys that came before, one query of a cache, a single row; gaps between.
 */
static gsize
make_spans (LmSpan *spans, gsize length, gsize *q_rows, gsize *k_rows)
{
  const gsize lengths[][2]
      = { { length, length }, { length / 2 + 1, length + 3 }, { 1, length + 9 }, { 1, 1 } };
  gsize q = 0, k = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      spans[i] = (LmSpan){ q, lengths[i][0], k, lengths[i][1], i == 2 && length % 2 };
      q += lengths[i][0] + i % 2;
      k += lengths[i][1] + 2;
    }
  *q_rows = q;
  *k_rows = k;
  return length == 0 ? 0 : G_N_ELEMENTS (lengths);
}

static void
op_attention (Side *s, const Shape *p)
{
  const double tolerance = type_tolerance (p->act);
  LmSpan spans[4];
  gsize q_rows, k_rows;
  const gsize n_spans = make_spans (spans, p->rows, &q_rows, &k_rows);
  const guint heads = p->cols % 2 ? 4 : 6, kv_heads = p->cols % 3 ? 2 : heads;
  const guint key_dim = p->cols, value_dim = p->rows % 2 ? p->cols : p->cols / 2 + 1;
  LmAttention a = {
    .q = side_mat (s, p->act, p->fill, q_rows, heads * key_dim, p->pad),
    .k = side_mat (s, p->act, NORMAL, k_rows, kv_heads * key_dim, p->pad),
    .v = side_mat (s, p->act, NORMAL, k_rows, kv_heads * value_dim, 0),
    .out = side_mat_of (s, p->act, 7, q_rows, heads * value_dim, p->pad),
    .lse = side_mat_of (s, LM_F32, 7, q_rows, heads, 0),
    .n_heads = heads,
    .n_kv_heads = kv_heads,
    .key_dim = key_dim,
    .value_dim = value_dim,
    .scale = (p->fill == LARGE || p->fill == NEGATIVE ? 1e-3 : 1) / sqrt (key_dim),
    .spans = spans,
    .n_spans = n_spans,
  };
  LmMat dout = side_mat (s, p->act, NORMAL, q_rows, heads * value_dim, 0);
  LmMat dq = side_mat_of (s, p->act, 7, q_rows, heads * key_dim, p->pad);
  LmMat dk = side_mat_of (s, p->act, 7, k_rows, kv_heads * key_dim, 0);
  LmMat dv = side_mat_of (s, p->act, 7, k_rows, kv_heads * value_dim, p->pad);

  s->c->klass->attention (s->c, &a);
  side_output (s, a.out, tolerance);
  side_output (s, a.lse, TOLERANCE_F32);
  s->c->klass->attention_back (s->c, &a, dout, dq, dk, dv);
  side_output (s, dq, 3 * tolerance);
  side_output (s, dk, 3 * tolerance);
  side_output (s, dv, 3 * tolerance);
  a.lse.data = NULL;
  s->c->klass->attention (s->c, &a);
  side_output (s, a.out, tolerance);
  a.scale = 1; /* scores of tens of thousands, whose own last bits are hundredths */
  s->c->klass->attention (s->c, &a);
  side_output (s, a.out, p->fill == LARGE || p->fill == NEGATIVE ? 0.02 : tolerance);
}

static gpointer
side_bytes (Side *s, LmMat m)
{
  const gsize bytes = m.rows * lm_type_bytes (m.type, m.cols);
  gpointer host = g_malloc (bytes + 1);

  side_sync (s);
  s->c->klass->download (s->c, host, m.data, bytes);
  return host;
}

/* A prompt gives the same bits in one call and in several, alone and beside another sequence. */
static void
op_attention_chunks (Side *s, const Shape *p)
{
  static const gsize chunks[] = { 1, 3, 4, 7, 64, 300 };
  const gsize dim = p->cols, n = p->rows;
  LmMat q = side_mat (s, p->act, p->fill, n, 6 * dim, 0);
  LmMat k = side_mat (s, p->act, p->fill, n, 2 * dim, 0);
  LmMat v = side_mat (s, p->act, NORMAL, n, 2 * dim, 0);
  LmMat all = side_mat_of (s, p->act, 0, n, 6 * dim, 0);
  LmMat parts = side_mat_of (s, p->act, 0, n, 6 * dim, 0);
  const LmSpan whole = { 0, n, 0, n, TRUE };
  LmAttention a = { q, k, v, all, { 0 }, 6, 2, dim, dim, 1 / sqrtf (dim), &whole, 1 };
  g_autofree char *expected = NULL;

  s->c->klass->attention (s->c, &a);
  expected = side_bytes (s, all);
  a.out = parts;
  for (gsize i = 0; s->c->klass->host_memory && i < G_N_ELEMENTS (chunks); i++)
    {
      g_autofree char *got = NULL;

      for (gsize row = 0, rows; row < n; row += rows)
        {
          LmSpan spans[] = { { row, 0, 0, 0, TRUE }, { 0, 1, 0, 1, FALSE } };

          rows = MIN (chunks[i], n - row);
          spans[0].q_rows = rows;
          spans[0].k_rows = row + rows;
          a.spans = spans;
          a.n_spans = 1 + (row > 0);
          if (row > 0)
            s->c->klass->copy (s->c, parts.data, all.data, lm_type_bytes (p->act, 6 * dim));
          s->c->klass->attention (s->c, &a);
          if (row > 0) /* what the other sequence wrote */
            s->c->klass->copy (s->c, parts.data, all.data, lm_type_bytes (p->act, 6 * dim));
        }
      got = side_bytes (s, parts);
      g_assert_cmpmem (got, n * lm_type_bytes (p->act, 6 * dim), expected,
                       n * lm_type_bytes (p->act, 6 * dim));
    }
  side_output (s, all, type_tolerance (p->act));
}

/* One product; what the shape does not say comes from the random numbers. */
static void
product (Side *s, const Shape *p, gsize inner, LmType b_type, gboolean ta, gboolean tb)
{
  const gsize m = p->rows, n = p->cols;
  const gboolean more = random_below (s, 2), half = random_below (s, 2);
  const LmType out_type = random_below (s, 2) ? LM_F32 : LM_BF16;
  const gboolean mixed = p->act == LM_BF16 && b_type != LM_BF16;
  LmMat a = side_mat (s, p->act, p->fill, ta ? inner : m, ta ? m : inner, p->pad);
  LmMat b = side_mat (s, b_type, NORMAL, tb ? n : inner, tb ? inner : n, p->pad);
  LmMat out = more ? side_mat (s, out_type, NORMAL, m, n, 3)
                   : side_mat_of (s, out_type, NAN, m, n, random_below (s, 2) * 5);
  const double size = norm (s, a) * norm (s, b) / sqrt (MAX (inner, 1));

  s->c->klass->matmul (s->c, out, more, half ? 0.5f : 1, a, ta, b, tb);
  side_output (s, out, mixed ? TOLERANCE_MIXED : type_tolerance (out_type));
  side_output_size (s, size);
}

static void
op_matmul (Side *s, const Shape *p)
{
  static const gsize inners[] = { 0, 1, 17, 129 };

  for (gsize i = 0; i < (p->fill == NORMAL ? G_N_ELEMENTS (weight_types) : 3); i++)
    for (guint how = 0; how < 4; how++)
      {
        const LmType type = weight_types[i];
        const gsize block = lm_types[type].block;
        const gboolean ta = how & 1, tb = how >> 1;
        Shape shape = *p;
        gsize inner = inners[random_below (s, G_N_ELEMENTS (inners))];

        if (block > 1 && tb)
          inner = (random_below (s, 2) + 1) * block;
        if (block > 1 && !tb)
          shape.cols = (p->cols % 2 + 1) * block;
        product (s, &shape, inner, type, ta, tb);
      }
}

/* Shapes beyond any block of a backend's own. */
static void
op_matmul_large (Side *s, const Shape *p)
{
  static const LmType types[] = { LM_F32, LM_BF16, LM_F16, LM_Q4_1, LM_Q6_K };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    for (guint how = i < 2 ? 0 : i % 2; how < 4; how += i < 2 ? 1 : 2)
      product (s, p, 512, types[i], how & 1, how >> 1);
}

/* Sums longer than a backend makes at once. */
static void
op_matmul_deep (Side *s, const Shape *p)
{
  for (guint how = 0; how < 8; how++)
    product (s, p, 1600, how >> 2 ? LM_BF16 : LM_F32, how & 1, how >> 1 & 1);
}

/* ---- products of int8 */

static const LmType packed_types[] = { LM_Q4_0, LM_Q4_1, LM_Q5_0, LM_Q5_1, LM_Q8_0, LM_Q4_K,
                                       LM_Q5_K, LM_Q6_K, LM_F32,  LM_F16,  LM_BF16 };

/* What blocks can hold at most: all bits of codes and factors set, one, or none; scales that are
 * subnormal, the largest, negative, or 0. */
static void
fill_extremes (Side *s, LmMat weight)
{
  static const guint16 scales[] = { 0x0001, 0x03ff, 0x8200, 0x7bff, 0xfbff, 0x0000, 0x8000 };
  const guint bytes = lm_types[weight.type].bytes;
  guint8 *data = weight.data; /* of the host */

  for (gsize i = 0; i < weight.rows * weight.cols / lm_types[weight.type].block; i++)
    {
      memset (data + i * bytes, random_below (s, 2) ? 0xff : random_below (s, 2) ? 0x80 : 0, bytes);
      tame_block (s, weight.type, data + i * bytes);
      if (random_below (s, 2))
        {
          const guint16 scale = scales[random_below (s, G_N_ELEMENTS (scales))];

          memcpy (data + i * bytes + (weight.type == LM_Q6_K ? 208 : 0), &scale, 2);
        }
    }
}

/* *@size: the weight's norm by the root of the inner dimension. */
static LmPacked
side_pack (Side *s, LmType type, gsize rows, gsize cols, gboolean extremes, double *size)
{
  const LmComputeClass *k = s->c->klass;
  const gsize bytes = k->packed_bytes (s->c, type, rows, cols);
  LmMat weight = side_mat (s, type, NORMAL, rows, cols, 0);
  LmPacked packed;

  if (extremes && lm_types[type].block > 1)
    fill_extremes (s, weight);
  *size = norm (s, weight) / sqrt (cols);
  g_assert_cmpuint (bytes, >, 0);
  k->pack (s->c, &packed, side_alloc (s, bytes), weight);
  g_assert_cmpuint (packed.rows, ==, rows);
  g_assert_cmpuint (packed.cols, ==, cols);
  g_assert_cmpint (packed.type, ==, lm_packed_type (type));
  return packed;
}

/* Up to three products of one x, of all types. */
static void
op_packed (Side *s, const Shape *p)
{
  const LmComputeClass *k = s->c->klass;

  for (gsize i = 0; k->packed_bytes != NULL && i < G_N_ELEMENTS (packed_types); i++)
    {
      const gsize n = random_below (s, 3) + 1, block = MAX (lm_types[packed_types[i]].block, 32);
      const gsize inner = (random_below (s, block == 32 ? 21 : 3) + 1) * block;
      LmMat x = side_mat (s, p->act, p->fill, p->rows, inner, p->pad);
      LmPackedProduct products[3];
      LmPacked weights[3];
      double sizes[3];

      for (gsize j = 0; j < n; j++)
        {
          const LmType other = packed_types[random_below (s, 5)];
          const LmType out = random_below (s, 2) ? LM_F32 : LM_BF16;
          const gsize rows = j == 0 ? p->cols : random_below (s, 40) + 1;
          const float beta = (float) random_below (s, 2);

          weights[j] = side_pack (s, j == 0 ? packed_types[i] : other, rows, inner,
                                  random_below (s, 2), &sizes[j]);
          products[j] = (LmPackedProduct){ beta != 0 ? side_mat (s, out, NORMAL, p->rows, rows, 3)
                                                     : side_mat_of (s, out, NAN, p->rows, rows, 5),
                                           beta, &weights[j] };
        }
      k->matmul_packed (s->c, products, n, x);
      for (gsize j = 0; j < n; j++)
        {
          side_output (s, products[j].out, type_tolerance (products[j].out.type));
          side_output_size (s, norm (s, x) * sizes[j]);
        }
    }
}

/* A row gives the same bits however many are beside it. */
static void
op_packed_rows (Side *s, const Shape *p)
{
  static const gsize at_once[] = { 1, 2, 3, 4, 5, 8, 13, 16, 31, 64 };
  const LmComputeClass *k = s->c->klass;

  for (gsize i = 0; k->packed_bytes != NULL && i < G_N_ELEMENTS (packed_types); i++)
    {
      const gsize inner = MAX (lm_types[packed_types[i]].block, 32) * (random_below (s, 3) + 1);
      double size;
      const LmPacked w = side_pack (s, packed_types[i], p->cols, inner, FALSE, &size);
      LmMat x = side_mat (s, p->act, p->fill, p->rows, inner, 0);
      LmMat all = side_mat_of (s, p->act, 0, p->rows, p->cols, 0);
      LmMat parts = side_mat_of (s, p->act, 0, p->rows, p->cols, 0);
      g_autofree char *expected = NULL;

      k->matmul_packed (s->c, &(LmPackedProduct){ all, 0, &w }, 1, x);
      expected = side_bytes (s, all);
      for (gsize j = 0; j < G_N_ELEMENTS (at_once); j++)
        {
          g_autofree char *got = NULL;

          for (gsize row = 0, n; row < p->rows; row += n)
            {
              n = MIN (at_once[j], p->rows - row);
              k->matmul_packed (s->c, &(LmPackedProduct){ lm_mat_rows (parts, row, n), 0, &w }, 1,
                                lm_mat_rows (x, row, n));
            }
          got = side_bytes (s, parts);
          g_assert_cmpmem (got, p->rows * lm_type_bytes (p->act, p->cols), expected,
                           p->rows * lm_type_bytes (p->act, p->cols));
        }
      side_output (s, all, type_tolerance (p->act));
      side_output_size (s, norm (s, x) * size);
    }
}

/* What is not finite stays so, in its own row alone; zeros give zeros. */
static void
op_packed_broken (Side *s, const Shape *p)
{
  static const float broken[] = { NAN, INFINITY, -INFINITY };
  const LmComputeClass *k = s->c->klass;
  const gsize inner = 256;

  for (gsize i = 0; k->packed_bytes != NULL && p->rows > 4 && i < G_N_ELEMENTS (packed_types); i++)
    {
      double size;
      const LmPacked w = side_pack (s, packed_types[i], p->cols, inner, FALSE, &size);
      LmMat x = side_mat (s, p->act, NORMAL, p->rows, inner, 0);
      LmMat out = side_mat_of (s, LM_F32, 0, p->rows, p->cols, 0);
      g_autofree float *got = NULL;

      for (gsize r = 0; r < 3; r++)
        lm_encode (p->act, &broken[r],
                   (char *) lm_mat_rows (x, r, 1).data
                       + lm_type_bytes (p->act, random_below (s, inner)),
                   1);
      memset (lm_mat_rows (x, 3, 1).data, 0, lm_type_bytes (p->act, inner));
      k->matmul_packed (s->c, &(LmPackedProduct){ out, 0, &w }, 1, x);
      got = side_bytes (s, out);
      for (gsize r = 0; r < p->rows; r++)
        for (gsize j = 0; j < p->cols; j++)
          if (r == 3)
            g_assert_cmpfloat (got[r * p->cols + j], ==, 0);
          else
            g_assert_cmpint (isfinite (got[r * p->cols + j]) != 0, ==, r > 2);
      side_output (s, out, TOLERANCE_F32);
      side_output_size (s, norm (s, lm_mat_rows (x, 4, p->rows - 4)) * size);
    }
}

static void
op_packed_bytes (Side *s, const Shape *p)
{
  const LmComputeClass *k = s->c->klass;

  (void) p;
  if (k->packed_bytes == NULL)
    return;
  g_assert_cmpuint (k->packed_bytes (s->c, LM_Q4_1, 5, 48), ==, 0);
  g_assert_cmpuint (k->packed_bytes (s->c, LM_Q4_K, 5, 128), ==, 0);
  g_assert_cmpuint (k->packed_bytes (s->c, LM_F32, 5, 31), ==, 0);
  g_assert_cmpuint (k->packed_bytes (s->c, LM_I32, 5, 32), ==, 0);
  g_assert_cmpuint (k->packed_bytes (s->c, LM_BF16, 5, 32), >=, 5 * 34);
}

/* ---- comparing */

typedef struct
{
  const char *name;
  void (*run) (Side *s, const Shape *p);
  const gsize (*sizes)[2]; /* rows, columns */
  gsize n_sizes;
  guint fills; /* a bit for each Fill */
} Operation;

static const gsize row_sizes[][2] = { { 0, 64 }, { 1, 1 },   { 1, 129 },  { 3, 17 },
                                      { 17, 3 }, { 64, 64 }, { 65, 129 }, { 129, 65 } };
static const gsize attention_sizes[][2] = { { 0, 16 },  { 1, 16 },  { 3, 17 },  { 17, 3 },
                                            { 33, 64 }, { 64, 32 }, { 65, 65 }, { 129, 8 } };
static const gsize matmul_sizes[][2] = { { 0, 17 }, { 1, 1 },   { 1, 129 }, { 3, 65 },
                                         { 17, 3 }, { 64, 64 }, { 65, 16 }, { 129, 129 } };
static const gsize large_sizes[][2]
    = { { 5, 1536 }, { 70, 512 }, { 9, 512 }, { 300, 256 }, { 600, 256 } };
static const gsize deep_sizes[][2] = { { 110, 113 } };

static const gsize chunk_sizes[][2]
    = { { 1, 64 }, { 70, 64 }, { 300, 16 }, { 601, 32 }, { 45, 24 } };
static const gsize packed_sizes[][2]
    = { { 0, 17 }, { 1, 1 },   { 1, 129 },  { 2, 65 },   { 3, 16 },  { 4, 40 }, { 5, 33 },
        { 7, 31 }, { 8, 129 }, { 13, 100 }, { 16, 257 }, { 33, 15 }, { 70, 49 } };
static const gsize packed_row_sizes[][2] = { { 13, 50 }, { 200, 70 }, { 9, 300 } };

#define ALL_FILLS ((1 << N_FILLS) - 1)

static const Operation operations[] = {
  { "memory", op_memory, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "add", op_add, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "add-row", op_add_row, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "sum-rows", op_sum_rows, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "cast", op_cast, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "silu", op_silu, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "silu-back", op_silu_back, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "dropout", op_dropout, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "rms-norm", op_rms_norm, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "rms-norm-back", op_rms_norm_back, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "rope", op_rope, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "embed", op_embed, row_sizes, G_N_ELEMENTS (row_sizes), 1 << NORMAL },
  { "cross-entropy", op_cross_entropy, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "adamw", op_adamw, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "sum-squares", op_sum_squares, row_sizes, G_N_ELEMENTS (row_sizes), ALL_FILLS },
  { "attention", op_attention, attention_sizes, G_N_ELEMENTS (attention_sizes),
    1 << NORMAL | 1 << LARGE | 1 << EQUAL },
  { "attention-chunks", op_attention_chunks, chunk_sizes, G_N_ELEMENTS (chunk_sizes), 1 << NORMAL },
  { "matmul", op_matmul, matmul_sizes, G_N_ELEMENTS (matmul_sizes),
    1 << NORMAL | 1 << LARGE | 1 << DENORMAL },
  { "matmul-large", op_matmul_large, large_sizes, G_N_ELEMENTS (large_sizes), 1 << NORMAL },
  { "matmul-deep", op_matmul_deep, deep_sizes, G_N_ELEMENTS (deep_sizes), 1 << NORMAL },
  { "packed", op_packed, packed_sizes, G_N_ELEMENTS (packed_sizes), ALL_FILLS },
  { "packed-rows", op_packed_rows, packed_row_sizes, G_N_ELEMENTS (packed_row_sizes), 1 << NORMAL },
  { "packed-broken", op_packed_broken, packed_row_sizes, G_N_ELEMENTS (packed_row_sizes),
    1 << NORMAL },
  { "packed-bytes", op_packed_bytes, packed_row_sizes, 1, 1 << NORMAL },
};

typedef struct
{
  const LmComputeClass *klass;
  const Operation *operation;
} Case;

static GArray *
run (LmCompute *c, const Operation *operation, const Shape *shape, guint64 seed)
{
  Side s = { .c = c, .random = seed };

  s.outputs = g_array_new (FALSE, FALSE, sizeof (Output));
  s.memory = g_ptr_array_new_with_free_func (g_free);
  operation->run (&s, shape);
  for (guint i = 0; i < s.memory->len; i++)
    {
      const Memory *m = s.memory->pdata[i];

      lm_compute_release (c, m->data, m->bytes);
    }
  g_ptr_array_unref (s.memory);
  g_assert_cmpuint (c->bytes, ==, 0);
  return s.outputs;
}

static void
free_outputs (GArray *outputs)
{
  for (guint i = 0; i < outputs->len; i++)
    g_free (g_array_index (outputs, Output, i).v);
  g_array_unref (outputs);
}

/* ‖x − r‖ / ‖r‖, or infinity where one is finite and the other is not. */
static double
normalised_error (const Output *x, const Output *r)
{
  double difference = 0, norm = 0;

  for (gsize i = 0; i < r->n; i++)
    {
      if (isfinite (r->v[i]) != isfinite (x->v[i]))
        return INFINITY;
      if (!isfinite (r->v[i]))
        continue;
      difference += ((double) x->v[i] - r->v[i]) * ((double) x->v[i] - r->v[i]);
      norm += (double) r->v[i] * r->v[i];
    }
  difference = sqrt (difference);
  if (difference <= FLUSHED * (r->n + 1))
    return 0;
  return difference / MAX (sqrt (norm), r->size);
}

static void
compare (const Case *test, const Shape *shape, const char *what, GArray *got, GArray *expected)
{
  g_assert_cmpuint (got->len, ==, expected->len);
  for (guint i = 0; i < got->len; i++)
    {
      const Output *x = &g_array_index (got, Output, i), *r = &g_array_index (expected, Output, i);
      double error;

      g_assert_cmpuint (x->n, ==, r->n);
      error = normalised_error (x, r);
      if (!(error <= r->tolerance))
        {
          g_test_message ("%s, output %u, %s, %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT
                          " %s, numbers %d: error %g, allowed %g",
                          test->operation->name, i, what, shape->rows, shape->cols,
                          lm_types[shape->act].name, shape->fill, error, r->tolerance);
          g_test_fail ();
        }
    }
}

static void
same_bytes (GArray *a, GArray *b)
{
  for (guint i = 0; i < a->len; i++)
    {
      const Output *x = &g_array_index (a, Output, i), *y = &g_array_index (b, Output, i);

      g_assert_cmpmem (x->v, x->n * sizeof (float), y->v, y->n * sizeof (float));
    }
}

static void
compare_shape (const Case *test, LmCompute *two, LmCompute *one, LmCompute *reference,
               const Shape *shape, guint64 seed)
{
  GArray *expected = run (reference, test->operation, shape, seed);
  GArray *got = run (two, test->operation, shape, seed);

  compare (test, shape, "2 threads", got, expected);
  if (two->klass == reference->klass)
    same_bytes (got, expected);
  else
    {
      GArray *again = run (two, test->operation, shape, seed);
      GArray *alone = run (one, test->operation, shape, seed);

      compare (test, shape, "1 thread", alone, expected);
      same_bytes (got, again);
      free_outputs (again);
      free_outputs (alone);
    }
  free_outputs (expected);
  free_outputs (got);
}

static void
test_operation (gconstpointer data)
{
  const Case *test = data;
  const Operation *o = test->operation;
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCompute) reference = lm_compute_open_class (lm_compute_reference (), 1, &error);
  g_autoptr (LmCompute) two = lm_compute_open_class (test->klass, 2, &error);
  g_autoptr (LmCompute) one = lm_compute_open_class (test->klass, 1, &error);

  g_assert_no_error (error);
  if (g_str_has_prefix (o->name, "packed") && test->klass->packed_bytes == NULL)
    {
      g_test_skip ("this backend has no products of int8");
      return;
    }
  for (gsize i = 0; i < o->n_sizes; i++)
    for (Fill fill = NORMAL; fill < N_FILLS; fill++)
      for (guint act = 0; (o->fills >> fill & 1) && act < 2; act++)
        {
          const Shape shape = { act ? LM_BF16 : LM_F32, fill, o->sizes[i][0], o->sizes[i][1],
                                (i + fill) % 2 * 5 };

          compare_shape (test, two, one, reference, &shape, 1 + i);
        }
}

/* ---- the reference against formulas in double, and gradients against differences of them */

#define STEP 1e-5
#define GRADIENT_TOLERANCE                                                                         \
  1e-4 /* of the largest; a backward pass rounds to float, differences to about 1e-9 */

typedef double (*Formula) (const double *x, gpointer data);

static void
check_gradient (Formula formula, double *x, gsize n, gpointer data, const float *gradient)
{
  double largest = 1e-3;

  for (gsize i = 0; i < n; i++)
    largest = MAX (largest, fabs (gradient[i]));
  for (gsize i = 0; i < n; i++)
    {
      const double at = x[i];
      double above, below;

      x[i] = at + STEP;
      above = formula (x, data);
      x[i] = at - STEP;
      below = formula (x, data);
      x[i] = at;
      g_assert_cmpfloat_with_epsilon ((above - below) / (2 * STEP), gradient[i],
                                      GRADIENT_TOLERANCE * largest);
    }
}

static void
begin (Side *s, guint64 seed)
{
  g_autoptr (GError) error = NULL;

  *s = (Side){ .random = seed };
  s->c = lm_compute_open_class (lm_compute_reference (), 1, &error);
  g_assert_no_error (error);
  s->outputs = g_array_new (FALSE, FALSE, sizeof (Output));
  s->memory = g_ptr_array_new_with_free_func (g_free);
}

static void
end (Side *s)
{
  for (guint i = 0; i < s->memory->len; i++)
    lm_compute_release (s->c, ((Memory *) s->memory->pdata[i])->data,
                        ((Memory *) s->memory->pdata[i])->bytes);
  g_ptr_array_unref (s->memory);
  free_outputs (s->outputs);
  lm_compute_close (s->c);
}

static void
to_double (double *dst, LmMat m)
{
  for (gsize i = 0; i < m.rows * m.cols; i++)
    dst[i] = ((float *) m.data)[i];
}

static LmMat
normal (Side *s, gsize rows, gsize cols)
{
  return side_mat (s, LM_F32, NORMAL, rows, cols, 0);
}

static void
test_product (void)
{
  Side s;

  begin (&s, 1);
  for (guint how = 0; how < 4; how++)
    {
      const gboolean ta = how & 1, tb = how >> 1;
      LmMat a = normal (&s, ta ? 7 : 35, ta ? 35 : 7), b = normal (&s, tb ? 9 : 7, tb ? 7 : 9);
      LmMat out = normal (&s, 35, 9);
      const float *x = a.data, *y = b.data, *z = out.data;
      g_autofree float *before = g_memdup2 (z, 35 * 9 * sizeof (float));

      s.c->klass->matmul (s.c, out, 1, 0.5f, a, ta, b, tb);
      for (gsize i = 0; i < 35; i++)
        for (gsize j = 0; j < 9; j++)
          {
            double sum = 0;

            for (gsize k = 0; k < 7; k++)
              sum += (double) x[ta ? k * 35 + i : i * 7 + k] * y[tb ? j * 7 + k : k * 9 + j];
            g_assert_cmpfloat_with_epsilon (0.5 * sum + before[i * 9 + j], z[i * 9 + j], 1e-5);
          }
    }
  end (&s);
}

/* x: gates, then ups, then gradients of the output. */
static double
silu_formula (const double *x, gpointer data)
{
  const gsize n = *(gsize *) data;
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += x[i] / (1 + exp (-x[i])) * x[n + i] * x[2 * n + i];
  return sum;
}

static void
test_silu_gradient (void)
{
  gsize n = 12;
  Side s;
  LmMat x, d;
  double at[36];

  begin (&s, 2);
  x = normal (&s, 3, n);
  d = normal (&s, 2, n);
  to_double (at, x);
  s.c->klass->silu_back (s.c, lm_mat_rows (d, 0, 1), lm_mat_rows (d, 1, 1), lm_mat_rows (x, 2, 1),
                         lm_mat_rows (x, 0, 1), lm_mat_rows (x, 1, 1));
  check_gradient (silu_formula, at, 2 * n, &n, d.data);
  end (&s);
}

#define NORM_ROWS 3
#define NORM_COLS 5

/* x: rows, then the weight, then gradients of the output. */
static double
norm_formula (const double *x, gpointer data)
{
  const double *weight = x + NORM_ROWS * NORM_COLS, *dout = weight + NORM_COLS;
  double sum = 0;

  (void) data;
  for (gsize t = 0; t < NORM_ROWS; t++)
    {
      double squares = 0;

      for (gsize j = 0; j < NORM_COLS; j++)
        squares += x[t * NORM_COLS + j] * x[t * NORM_COLS + j];
      for (gsize j = 0; j < NORM_COLS; j++)
        sum += x[t * NORM_COLS + j] / sqrt (squares / NORM_COLS + 0.01) * weight[j]
               * dout[t * NORM_COLS + j];
    }
  return sum;
}

static void
test_norm_gradient (void)
{
  Side s;
  LmMat x, weight, dout, out, d, dx, dweight, rstd;
  double at[(2 * NORM_ROWS + 1) * NORM_COLS];

  begin (&s, 3);
  x = normal (&s, NORM_ROWS, NORM_COLS);
  weight = normal (&s, 1, NORM_COLS);
  dout = normal (&s, NORM_ROWS, NORM_COLS);
  out = normal (&s, NORM_ROWS, NORM_COLS);
  rstd = normal (&s, NORM_ROWS, 1);
  d = side_mat_of (&s, LM_F32, 0, NORM_ROWS + 1, NORM_COLS, 0);
  dx = lm_mat_rows (d, 0, NORM_ROWS);
  dweight = lm_mat_rows (d, NORM_ROWS, 1);
  to_double (at, x);
  to_double (at + NORM_ROWS * NORM_COLS, weight);
  to_double (at + (NORM_ROWS + 1) * NORM_COLS, dout);
  s.c->klass->rms_norm (s.c, out, rstd, x, weight, 0.01f);
  s.c->klass->rms_norm_back (s.c, dx, 0, dweight, dout, x, weight, rstd);
  check_gradient (norm_formula, at, (NORM_ROWS + 1) * NORM_COLS, NULL, d.data);
  end (&s);
}

#define CLASSES 7

static const gint32 loss_targets[2] = { 3, 6 };

static double
loss_formula (const double *x, gpointer data)
{
  double loss = 0;

  (void) data;
  for (gsize i = 0; i < 2; i++)
    {
      double sum = 0;

      for (gsize j = 0; j < CLASSES; j++)
        sum += exp (x[i * CLASSES + j]);
      loss += log (sum) - x[i * CLASSES + loss_targets[i]];
    }
  return 0.25 * loss;
}

static void
test_loss_gradient (void)
{
  Side s;
  LmMat x;
  double at[2 * CLASSES];
  float losses[2];

  begin (&s, 4);
  x = normal (&s, 2, CLASSES);
  to_double (at, x);
  s.c->klass->cross_entropy (s.c, x, loss_targets, losses, 0.25f);
  g_assert_cmpfloat_with_epsilon (0.25 * (losses[0] + losses[1]), loss_formula (at, NULL), 1e-6);
  check_gradient (loss_formula, at, 2 * CLASSES, NULL, x.data);
  end (&s);
}

/* Two spans, the second with keys that came before; four heads on two. */
enum
{
  HEADS = 4,
  KV_HEADS = 2,
  KEY_DIM = 3,
  VALUE_DIM = 2,
  Q_ROWS = 5,
  K_ROWS = 7,
  N_Q = Q_ROWS * HEADS * KEY_DIM,
  N_K = K_ROWS * KV_HEADS * KEY_DIM,
  N_V = K_ROWS * KV_HEADS * VALUE_DIM,
  N_OUT = Q_ROWS * HEADS * VALUE_DIM
};

static const LmSpan attention_spans[] = { { 0, 3, 0, 3, FALSE }, { 3, 2, 3, 4, FALSE } };

static void
attend_row (const double *q, const double *k, const double *v, gsize keys, double *out)
{
  double weights[K_ROWS], sum = 0;

  for (gsize j = 0; j < keys; j++)
    {
      double score = 0;

      for (gsize d = 0; d < KEY_DIM; d++)
        score += q[d] * k[j * KV_HEADS * KEY_DIM + d];
      sum += weights[j] = exp (0.6 * score);
    }
  for (gsize d = 0; d < VALUE_DIM; d++)
    {
      out[d] = 0;
      for (gsize j = 0; j < keys; j++)
        out[d] += weights[j] / sum * v[j * KV_HEADS * VALUE_DIM + d];
    }
}

static void
attention_outputs (const double *x, double *out)
{
  const double *q = x, *k = x + N_Q, *v = k + N_K;

  for (gsize s = 0; s < G_N_ELEMENTS (attention_spans); s++)
    {
      const LmSpan *span = &attention_spans[s];

      for (gsize i = 0; i < span->q_rows; i++)
        for (gsize h = 0; h < HEADS; h++)
          attend_row (q + ((span->q_start + i) * HEADS + h) * KEY_DIM,
                      k + (span->k_start * KV_HEADS + h / (HEADS / KV_HEADS)) * KEY_DIM,
                      v + (span->k_start * KV_HEADS + h / (HEADS / KV_HEADS)) * VALUE_DIM,
                      span->k_rows - span->q_rows + i + 1,
                      out + ((span->q_start + i) * HEADS + h) * VALUE_DIM);
    }
}

/* x: queries, keys, values, gradients of the output. */
static double
attention_formula (const double *x, gpointer data)
{
  double out[N_OUT], sum = 0;

  (void) data;
  attention_outputs (x, out);
  for (gsize i = 0; i < N_OUT; i++)
    sum += out[i] * x[N_Q + N_K + N_V + i];
  return sum;
}

static void
test_attention_gradient (void)
{
  Side s;
  LmAttention a = { .n_heads = HEADS,
                    .n_kv_heads = KV_HEADS,
                    .key_dim = KEY_DIM,
                    .value_dim = VALUE_DIM,
                    .scale = 0.6f,
                    .spans = attention_spans,
                    .n_spans = 2 };
  LmMat dout, dq, dk, dv;
  double at[N_Q + N_K + N_V + N_OUT], out[N_OUT];

  begin (&s, 5);
  a.q = normal (&s, Q_ROWS, HEADS * KEY_DIM);
  a.k = normal (&s, K_ROWS, KV_HEADS * KEY_DIM);
  a.v = normal (&s, K_ROWS, KV_HEADS * VALUE_DIM);
  a.out = normal (&s, Q_ROWS, HEADS * VALUE_DIM);
  a.lse = normal (&s, Q_ROWS, HEADS);
  dout = normal (&s, Q_ROWS, HEADS * VALUE_DIM);
  dq = normal (&s, Q_ROWS, HEADS * KEY_DIM);
  dk = normal (&s, K_ROWS, KV_HEADS * KEY_DIM);
  dv = normal (&s, K_ROWS, KV_HEADS * VALUE_DIM);
  to_double (at, a.q);
  to_double (at + N_Q, a.k);
  to_double (at + N_Q + N_K, a.v);
  to_double (at + N_Q + N_K + N_V, dout);
  s.c->klass->attention (s.c, &a);
  attention_outputs (at, out);
  for (gsize i = 0; i < N_OUT; i++)
    g_assert_cmpfloat_with_epsilon (((float *) a.out.data)[i], out[i], 1e-6);
  s.c->klass->attention_back (s.c, &a, dout, dq, dk, dv);
  {
    g_autofree float *gradient = g_new (float, N_Q + N_K + N_V);

    memcpy (gradient, dq.data, N_Q * sizeof (float));
    memcpy (gradient + N_Q, dk.data, N_K * sizeof (float));
    memcpy (gradient + N_Q + N_K, dv.data, N_V * sizeof (float));
    check_gradient (attention_formula, at, N_Q + N_K + N_V, NULL, gradient);
  }
  end (&s);
}

static double
inner (LmMat a, LmMat b)
{
  double sum = 0;

  for (gsize i = 0; i < a.rows * a.cols; i++)
    sum += (double) ((float *) a.data)[i] * ((float *) b.data)[i];
  return sum;
}

/* Linear operations: ⟨f x, y⟩ = ⟨x, fᵀ y⟩. */
static void
test_adjoints (void)
{
  static const gint32 positions[] = { 4, 0, 9 }, tokens[] = { 2, 0, 2 };
  static const guint64 keys[] = { 7, 8, 9 };
  Side s;
  LmMat x, y, fx, fy, cosine, sine, weight, dweight;
  double left;

  begin (&s, 6);
  x = normal (&s, 3, 16);
  y = normal (&s, 3, 16);
  fx = normal (&s, 3, 16);
  fy = normal (&s, 3, 16);
  cosine = normal (&s, 10, 3);
  sine = normal (&s, 10, 3);
  s.c->klass->dropout (s.c, fx, FALSE, x, keys, 0.4f);
  s.c->klass->dropout (s.c, fy, FALSE, y, keys, 0.4f);
  g_assert_cmpfloat_with_epsilon (inner (fx, y), inner (x, fy), 1e-5);
  s.c->klass->copy (s.c, fx.data, x.data, 3 * 16 * sizeof (float));
  s.c->klass->copy (s.c, fy.data, y.data, 3 * 16 * sizeof (float));
  s.c->klass->rope (s.c, fx, 2, 8, 3, positions, cosine, sine, FALSE);
  s.c->klass->rope (s.c, fy, 2, 8, 3, positions, cosine, sine, TRUE);
  g_assert_cmpfloat_with_epsilon (inner (fx, y), inner (x, fy), 1e-5);
  weight = normal (&s, 4, 16);
  dweight = side_mat_of (&s, LM_F32, 0, 4, 16, 0);
  s.c->klass->embed (s.c, fx, weight, tokens);
  left = inner (fx, y);
  s.c->klass->embed_back (s.c, dweight, y, tokens);
  g_assert_cmpfloat_with_epsilon (left, inner (weight, dweight), 1e-5);
  end (&s);
}

/* Against a rotation by hand, a step of AdamW by hand, and means. */
static void
test_by_hand (void)
{
  const LmAdam adam = { 0.1f, 0.9f, 0.99f, 1e-8f, 0.01f, 1, 2 };
  const gint32 position = 0;
  float x[4] = { 1, 2, 3, 4 }, cosine[2] = { 0.6f, 0 }, sine[2] = { 0.8f, 1 };
  float p = 1, g = -0.5f, m = 0, v = 0;
  Side s;

  begin (&s, 7);
  s.c->klass->rope (s.c, lm_mat (x, LM_F32, 1, 4), 1, 4, 2, &position,
                    lm_mat (cosine, LM_F32, 1, 2), lm_mat (sine, LM_F32, 1, 2), FALSE);
  g_assert_cmpfloat_with_epsilon (x[0], 0.6 * 1 - 0.8 * 3, 1e-6);
  g_assert_cmpfloat_with_epsilon (x[2], 0.6 * 3 + 0.8 * 1, 1e-6);
  g_assert_cmpfloat_with_epsilon (x[1], -4, 1e-6);
  g_assert_cmpfloat_with_epsilon (x[3], 2, 1e-6);
  s.c->klass->adamw (s.c, &p, &g, &m, &v, 1, &adam);
  g_assert_cmpfloat_with_epsilon (m, -0.1, 1e-7);
  g_assert_cmpfloat_with_epsilon (v, 0.01, 1e-7);
  g_assert_cmpfloat_with_epsilon (p, 1 - 0.001 + 0.1, 1e-6); /* the first step is lr long */
  end (&s);
}

/* ---- memory and finding */

static void
test_memory (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCompute) c = lm_compute_open (NULL, "reference", 1, &error);
  LmMat m, n;
  gsize bytes;

  g_assert_no_error (error);
  g_assert_true (lm_compute_mat (c, &m, LM_F32, 3, 5, &error));
  g_assert_true (lm_compute_mat (c, &n, LM_BF16, 2, 2, &error));
  g_assert_cmpuint (c->bytes, ==, 3 * 5 * 4 + 2 * 2 * 2);
  lm_compute_release_mat (c, &n);
  g_assert_cmpuint (c->bytes, ==, 60);
  g_assert_true (lm_compute_import (c, &m, &bytes, &error));
  g_assert_cmpuint (bytes, ==, 0);
  lm_compute_release_mat (c, &m);
  g_assert_null (m.data);
  lm_compute_release_mat (c, &m);
  g_assert_cmpuint (c->bytes, ==, 0);
  g_assert_cmpuint (c->peak_bytes, ==, 68);
  g_assert_false (lm_compute_mat (c, &m, LM_F32, G_MAXSIZE / 8, 16, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  g_clear_error (&error);
  g_assert_false (lm_compute_mat (c, &m, LM_F32, G_MAXSIZE / 256, 16, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  g_assert_cmpuint (c->bytes, ==, 0);
}

static void
test_inherit (void)
{
  const LmComputeClass *reference = lm_compute_reference ();
  LmComputeClass klass
      = { .version = LM_COMPUTE_VERSION, .name = "mine", .add = reference->add_row };

  lm_compute_inherit (&klass, reference);
  g_assert_cmpstr (klass.name, ==, "mine");
  g_assert_true (klass.add == reference->add_row);
  g_assert_true (klass.open == reference->open);
  g_assert_true (klass.sum_squares == reference->sum_squares);
}

static void
test_unknown (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (lm_compute_open (NULL, "abacus", 1, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_LOAD);
  g_assert_nonnull (strstr (error->message, "reference"));
}

#if defined __linux__ && !defined FR_EMULATE
#define SET_MDWE 65 /* PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN of newer headers */
#define REFUSE_EXEC_GAIN 1

/* No memory that is written and then run, as systemd's MemoryDenyWriteExecute has it: the best
 * backend is one that can do without, and who asks for another is told which. */
static void
test_no_made_code (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) refused = NULL;
  g_autoptr (LmCompute) best = NULL;
  g_autoptr (LmCompute) onednn = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      g_test_trap_assert_stdout ("*chosen*");
      return;
    }
  if (prctl (SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) != 0)
    {
      g_print ("nothing was chosen: this kernel has no PR_SET_MDWE\n");
      return;
    }
  best = lm_compute_open (NULL, NULL, 2, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (best->klass->name, !=, "onednn");
  onednn = lm_compute_open (NULL, "onednn", 2, &refused);
  g_assert_null (onednn);
  g_assert_error (refused, FR_ERROR, FR_ERROR_LOAD);
  g_print ("%s was chosen: %s\n", best->klass->name, refused->message);
  /* where it is built, it says why */
  if (strstr (refused->message, "'onednn': ") != NULL)
    g_assert_nonnull (strstr (refused->message, "openblas need not"));
}
#endif

static void
test_describe (gconstpointer data)
{
  const FrService *service = data;
  g_autoptr (GError) error = NULL;
#ifdef FR_EMULATE
  g_autoptr (LmCompute) c = lm_compute_open_class (service->table, 2, &error);
#else
  g_autoptr (LmCompute) c = lm_compute_open (NULL, service->name, 2, &error);
#endif
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  text = c->klass->describe (c);
  g_test_message ("%s: %s", service->name, text);
  g_assert_cmpstr (c->klass->name, ==, service->name);
}

static void
skip (gconstpointer data)
{
  g_test_skip (data);
}

static GPtrArray *cases; /* a test that is not run would keep its own */

/* Operations whose names begin so. */
static void
add_class (const char *name, const LmComputeClass *klass, const char *prefix)
{
  for (gsize i = 0; i < G_N_ELEMENTS (operations); i++)
    if (g_str_has_prefix (operations[i].name, prefix))
      {
        g_autofree char *path = g_strdup_printf ("/compute/%s/%s", name, operations[i].name);
        Case *test = g_new (Case, 1);

        *test = (Case){ klass, &operations[i] };
        g_ptr_array_add (cases, test);
        g_test_add_data_func (path, test, test_operation);
      }
}

static void
add_backend (const FrService *service)
{
  const char *why = NULL;
  const int score = service->score != NULL ? service->score (&why) : 1;
  g_autofree char *describe = g_strdup_printf ("/compute/%s/describe", service->name);

  if (score <= 0)
    {
      g_test_add_data_func (describe, why, skip);
      return;
    }
  g_test_add_data_func (describe, service, test_describe);
  add_class (service->name, service->table, "");
}

/* ---- the kernels that host backends share, of each instruction set this processor has */

static void
small_matmul (LmCompute *c, LmMat out, float beta, float alpha, LmMat a, gboolean ta, LmMat b,
              gboolean tb)
{
  if (!lm_cpu_matmul_small (c, out, beta, alpha, a, ta, b, tb))
    lm_compute_reference ()->matmul (c, out, beta, alpha, a, ta, b, tb);
}

static LmComputeClass
cpu_class (void)
{
  LmComputeClass klass = {
    .version = LM_COMPUTE_VERSION, .name = "cpu", .host_memory = TRUE, .matmul = small_matmul
  };

  lm_cpu_fill (&klass);
  lm_compute_inherit (&klass, lm_compute_reference ());
  return klass;
}

/* ---- products of F32 by sums of BF16, of any size and shape */

static void
split_matmul (LmCompute *c, LmMat out, float beta, float alpha, LmMat a, gboolean ta, LmMat b,
              gboolean tb)
{
  const gsize bytes = lm_cpu_split_bytes (c, out, a, ta, b);
  gpointer workspace = g_aligned_alloc (1, bytes + 1, 64);

  if (bytes > 0)
    lm_cpu_matmul_split (c, workspace, out, beta, alpha, a, ta, b, tb);
  else
    lm_compute_reference ()->matmul (c, out, beta, alpha, a, ta, b, tb);
  g_aligned_free (workspace);
}

static const LmComputeClass *
split_class (void)
{
  static LmComputeClass klass = {
    .version = LM_COMPUTE_VERSION, .name = "split", .host_memory = TRUE, .matmul = split_matmul
  };

  lm_compute_inherit (&klass, lm_compute_reference ());
  return &klass;
}

static void
begin_split (Side *s, guint64 seed, guint threads)
{
  g_autoptr (GError) error = NULL;

  begin (s, seed);
  lm_compute_close (s->c);
  s->c = lm_compute_open_class (split_class (), threads, &error);
  g_assert_no_error (error);
}

static float *
number_at (LmMat m, gboolean transposed, gsize row, gsize col)
{
  return (float *) m.data + (transposed ? col * m.stride + row : row * m.stride + col);
}

/* Numbers of op(m) whose sizes differ: by @rows powers of ten from row to row, by @cols from column
 * to column, both ways. */
static LmMat
scaled_mat (Side *s, gboolean transposed, gsize rows, gsize cols, double rows_by, double cols_by)
{
  LmMat m = side_mat (s, LM_F32, NORMAL, transposed ? cols : rows, transposed ? rows : cols, 3);
  g_autofree double *scales = g_new (double, rows + cols);

  for (gsize i = 0; i < rows + cols; i++)
    scales[i] = pow (10, (i < rows ? rows_by : cols_by) * ((random_bits (s) >> 11) * 0x1p-52 - 1));
  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < cols; j++)
      *number_at (m, transposed, i, j) *= scales[i] * scales[rows + j];
  return m;
}

typedef struct
{
  gsize rows, cols, inner;
  double by_line, by_inner; /* powers of ten */
} Scales;

/* The types of a and b. */
enum
{
  FLOATS,
  FLOATS_BY_BF16,
  ALL_BF16,
  N_OPERANDS
};

/* Errors of the product and of sums in F32, one number after the other, in parts of what is summed:
 * the root of the mean of squares, and the largest. */
static void
split_errors (LmMat out, LmMat a, gboolean ta, LmMat b, gboolean tb, double error[2],
              double plain_error[2])
{
  const gsize inner = ta ? a.rows : a.cols;

  error[0] = error[1] = plain_error[0] = plain_error[1] = 0;
  for (gsize i = 0; i < out.rows; i++)
    for (gsize j = 0; j < out.cols; j++)
      {
        double sum = 0, squares = 0, e, f;
        float plain = 0;

        for (gsize k = 0; k < inner; k++)
          {
            const double x = (double) *number_at (a, ta, i, k) * *number_at (b, tb, k, j);

            sum += x;
            squares += x * x;
            plain = (float) (plain + x);
          }
        e = fabs (*number_at (out, FALSE, i, j) - sum) / sqrt (squares);
        f = fabs (plain - sum) / sqrt (squares);
        error[0] += e * e;
        plain_error[0] += f * f;
        error[1] = MAX (error[1], e);
        plain_error[1] = MAX (plain_error[1], f);
      }
  error[0] = sqrt (error[0] / (out.rows * out.cols));
  plain_error[0] = sqrt (plain_error[0] / (out.rows * out.cols));
}

/* Rounds @m to BF16, and gives it as that. */
static LmMat
as_bf16 (Side *s, LmMat m)
{
  LmMat half = side_mat (s, LM_BF16, NORMAL, m.rows, m.cols, 1);

  for (gsize i = 0; i < m.rows; i++)
    {
      lm_encode (LM_BF16, lm_mat_rows (m, i, 1).data, lm_mat_rows (half, i, 1).data, m.cols);
      lm_decode (LM_BF16, lm_mat_rows (half, i, 1).data, lm_mat_rows (m, i, 1).data, m.cols);
    }
  return half;
}

/* No worse than sums in F32, of whichever types. */
static void
test_split_error (void)
{
  static const char *const names[] = { "F32 by F32", "F32 by BF16", "BF16 by BF16" };
  static const Scales scales[]
      = { { 70, 40, 33, 0, 0 },  { 64, 96, 576, 0, 0 },  { 33, 65, 4100, 0, 0 },
          { 50, 50, 576, 9, 0 }, { 50, 50, 1536, 0, 4 }, { 40, 40, 5000, 6, 2 } };

  for (gsize i = 0; i < G_N_ELEMENTS (scales); i++)
    for (guint how = 0; how < 4 * N_OPERANDS; how++)
      {
        const Scales *t = &scales[i];
        const gboolean ta = how & 1, tb = how >> 1 & 1;
        const guint types = how >> 2;
        double error[2], plain[2];
        LmMat a, b, out, half_a, half_b;
        Side s;

        begin_split (&s, i + 1, 2);
        a = scaled_mat (&s, ta, t->rows, t->inner, t->by_line, t->by_inner);
        b = scaled_mat (&s, tb, t->inner, t->cols, t->by_inner, t->by_line);
        out = side_mat_of (&s, LM_F32, NAN, t->rows, t->cols, 2);
        half_a = types == ALL_BF16 ? as_bf16 (&s, a) : a;
        half_b = types != FLOATS ? as_bf16 (&s, b) : b;
        s.c->klass->matmul (s.c, out, 0, 1, half_a, ta, half_b, tb);
        split_errors (out, a, ta, b, tb, error, plain);
        g_test_message ("%" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT
                        ", lines 10^+-%g, inner 10^+-%g, %s: error %.2e, largest %.2e; of F32 "
                        "%.2e, largest %.2e",
                        t->rows, t->cols, t->inner, t->by_line, t->by_inner, names[types], error[0],
                        error[1], plain[0], plain[1]);
        g_assert_cmpfloat (plain[0], >, 0);
        g_assert_cmpfloat (error[0], <=, plain[0]);
        g_assert_cmpfloat (error[1], <=, 2 * plain[1]);
        end (&s);
      }
}

/* Whether a sum in F32 of what is finite could pass the largest number on its way. */
static gboolean
may_overflow (LmMat a, gboolean ta, gsize row, LmMat b, gboolean tb, gsize col)
{
  double sum = 0;

  for (gsize k = 0; k < (ta ? a.rows : a.cols); k++)
    {
      const double x = (double) *number_at (a, ta, row, k) * *number_at (b, tb, k, col);

      sum += isfinite (x) ? fabs (x) : 0;
    }
  return sum > G_MAXFLOAT;
}

/* Infinities, NaN, the largest and the smallest numbers come out as in the reference. */
static void
test_split_extremes (void)
{
  static const float extremes[]
      = { NAN, INFINITY, -INFINITY, G_MAXFLOAT, -G_MAXFLOAT, 3.39e38f, 1e-44f, -1e-39f, -1e30f, 0 };

  for (guint how = 0; how < 16; how++)
    for (gsize x = 0; x < 2 * G_N_ELEMENTS (extremes); x++)
      {
        const gboolean ta = how & 1, tb = how >> 1 & 1, more = how >> 2 & 1, half = how >> 3;
        const gsize rows = 70, cols = 45, inner = x % 3 == 0 ? half ? 1600 : 1100 : 90;
        LmMat a, b, out, expected, half_a, half_b;
        Side s;

        begin_split (&s, x + 1, 2);
        a = side_mat (&s, LM_F32, NORMAL, ta ? inner : rows, ta ? rows : inner, 1);
        b = side_mat (&s, LM_F32, NORMAL, tb ? cols : inner, tb ? inner : cols, 0);
        out = side_mat_of (&s, LM_F32, more ? 7 : NAN, rows, cols, 0);
        expected = side_mat_of (&s, LM_F32, more ? 7 : NAN, rows, cols, 0);
        for (guint i = 0; i < 3; i++)
          {
            const float e
                = extremes[(x + i * (x / G_N_ELEMENTS (extremes))) % G_N_ELEMENTS (extremes)];

            *number_at (a, ta, random_below (&s, rows), random_below (&s, inner)) = e;
            *number_at (b, tb, random_below (&s, inner), random_below (&s, cols)) = e;
          }
        half_a = half ? as_bf16 (&s, a) : a;
        half_b = half ? as_bf16 (&s, b) : b;
        s.c->klass->matmul (s.c, out, more, 1, half_a, ta, half_b, tb);
        lm_compute_reference ()->matmul (s.c, expected, more, 1, half_a, ta, half_b, tb);
        for (gsize i = 0; i < rows; i++)
          for (gsize j = 0; j < cols; j++)
            {
              const float got = *number_at (out, FALSE, i, j);
              const float wanted = *number_at (expected, FALSE, i, j);

              const gboolean same = isnan (wanted) ? isnan (got)
                                    : isinf (wanted)
                                        ? got == wanted
                                        : fabsf (got - wanted) <= 1e-4 + 1e-5 * fabsf (wanted);

              if (!same && (inner == 90 || !may_overflow (a, ta, i, b, tb, j)))
                g_error ("[%u, %" G_GSIZE_FORMAT "] %" G_GSIZE_FORMAT " %" G_GSIZE_FORMAT
                         ": %g is not %g",
                         how, x, i, j, got, wanted);
            }
        end (&s);
      }
}

static void
split_in_parts (LmType type)
{
  const gsize rows = 300, cols = 200, inner = 2000, parts[][2] = { { 7, 200 }, { 300, 33 } };
  Side s, others;
  LmMat a, b, out, again;

  begin_split (&s, 1, 2);
  a = side_mat (&s, type, NORMAL, rows, inner, 0);
  b = side_mat (&s, type, NORMAL, inner, cols, 0);
  out = side_mat_of (&s, LM_F32, NAN, rows, cols, 0);
  again = side_mat_of (&s, LM_F32, NAN, rows, cols, 0);
  s.c->klass->matmul (s.c, out, 0, 1, a, FALSE, b, FALSE);
  for (guint threads = 1; threads <= 5; threads += 2)
    {
      begin_split (&others, 1, threads);
      others.c->klass->matmul (others.c, again, 0, 1, a, FALSE, b, FALSE);
      g_assert_cmpmem (again.data, rows * cols * 4, out.data, rows * cols * 4);
      end (&others);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      memset (again.data, PADDING, rows * cols * 4);
      for (gsize row = 0; row < rows; row += parts[i][0])
        for (gsize col = 0; col < cols; col += parts[i][1])
          {
            const gsize m = MIN (parts[i][0], rows - row), n = MIN (parts[i][1], cols - col);

            s.c->klass->matmul (s.c, lm_mat_cols (lm_mat_rows (again, row, m), col, n), 0, 1,
                                lm_mat_rows (a, row, m), FALSE, lm_mat_cols (b, col, n), FALSE);
          }
      g_assert_cmpmem (again.data, rows * cols * 4, out.data, rows * cols * 4);
    }
  end (&s);
}

/* Any number of threads, and any rows and columns beside it, give an output the same bits. */
static void
test_split_parts (void)
{
  split_in_parts (LM_F32);
  split_in_parts (LM_BF16);
}

/* However large a product, its memory is bounded; what cannot be is said to be so. */
static void
test_split_bytes (void)
{
  const LmCompute c = { .threads = 64 };
  const gsize n = 1 << 20;
  const LmMat f = lm_mat (NULL, LM_F32, n, n), h = lm_mat (NULL, LM_BF16, n, n);

  g_assert_cmpuint (lm_cpu_split_bytes (&c, f, f, FALSE, f), <=, (16 + 64) << 20);
  g_assert_cmpuint (lm_cpu_split_bytes (&c, f, f, TRUE, h), >, 0);
  g_assert_cmpuint (lm_cpu_split_bytes (&c, f, h, FALSE, h), <=, (16 + 64) << 20);
  g_assert_cmpuint (lm_cpu_split_bytes (&c, f, h, FALSE, h), >, 0);
  g_assert_cmpuint (lm_cpu_split_bytes (&c, h, h, FALSE, h), ==, 0);
  g_assert_cmpuint (lm_cpu_split_bytes (&c, h, f, FALSE, f), ==, 0);
  g_assert_cmpuint (lm_cpu_split_bytes (&c, f, h, FALSE, f), ==, 0);
  g_assert_cmpuint (lm_cpu_split_bytes (&c, f, f, FALSE, lm_mat (NULL, LM_F16, n, n)), ==, 0);
  g_assert_cmpuint (
      lm_cpu_split_bytes (&c, lm_mat (NULL, LM_F32, 0, n), lm_mat (NULL, LM_F32, 0, n), FALSE, f),
      ==, 0);
}

static void
add_split (void)
{
  const LmCompute c = { .threads = 1 };
  const LmMat m = lm_mat (NULL, LM_F32, 64, 64);

  if (lm_cpu_split_bytes (&c, m, m, FALSE, m) == 0)
    {
      g_test_add_data_func ("/compute/split", "this processor has no AMX, or FLOWRUN_CPU lowers it",
                            skip);
      return;
    }
  add_class ("split", split_class (), "matmul");
  g_test_add_func ("/compute/split/error", test_split_error);
  g_test_add_func ("/compute/split/extremes", test_split_extremes);
  g_test_add_func ("/compute/split/parts", test_split_parts);
  g_test_add_func ("/compute/split/bytes", test_split_bytes);
}

static const char *program;

#define NOT_HERE 77 /* exit status: this processor does not have what FLOWRUN_CPU names */

typedef struct
{
  const char *variable, *level, *tests;
} Level;

static const Level levels[] = {
  { "FLOWRUN_CPU", "AVX512-BF16", "/compute/cpu" },
  { "FLOWRUN_CPU", "AVX512-VNNI", "/compute/cpu" },
  { "FLOWRUN_CPU", "AVX512", "/compute/cpu" },
  { "FLOWRUN_CPU", "AVX-VNNI", "/compute/cpu" },
  { "FLOWRUN_CPU", "AVX2", "/compute/cpu" },
  { "FLOWRUN_CPU", "baseline", "/compute/cpu" },
  { "FLOWRUN_CPU", "AVX512-BF16", "/compute/onednn/matmul" }, /* F32 by oneDNN alone */
  { "ONEDNN_MAX_CPU_ISA", "AVX2", "/compute/onednn/matmul" }, /* BF16 by F32 */
};

/* This program again, held down to an older instruction set. */
static void
test_level (gconstpointer data)
{
  const Level *level = data;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) env = g_environ_setenv (g_get_environ (), level->variable, level->level, TRUE);
  g_autofree char *out = NULL;
  const char *argv[] = { program, "-p", level->tests, NULL };
  int status;

  if (g_str_equal (level->level, lm_cpu_name ()))
    {
      g_test_skip ("this is what the processor has, and test-compute has looked at");
      return;
    }
  g_spawn_sync (NULL, (char **) argv, env, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL, &status,
                &error);
  g_assert_no_error (error);
  if (WIFEXITED (status) && WEXITSTATUS (status) == NOT_HERE)
    g_test_skip ("this processor does not have it");
  else if (!g_spawn_check_wait_status (status, &error))
    g_error ("%s=%s: %s\n%s", level->variable, level->level, error->message, out);
}

static void
add_levels (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++)
    {
      g_autofree char *path = g_strdup_printf ("/compute/levels/%s/%s%s", levels[i].variable,
                                               levels[i].level, levels[i].tests);

      g_test_add_data_func (path, &levels[i], test_level);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) services = NULL;
  const LmComputeClass cpu = cpu_class ();
  int status;

  program = argv[0];
  g_test_init (&argc, &argv, NULL);
  if (argc > 1 && g_str_equal (argv[1], "levels"))
    {
      add_levels ();
      return g_test_run ();
    }
  if (g_getenv ("FLOWRUN_CPU") != NULL && !g_str_equal (g_getenv ("FLOWRUN_CPU"), lm_cpu_name ()))
    return NOT_HERE;
  cases = g_ptr_array_new_with_free_func (g_free);
  g_test_add_func ("/compute/formulas/product", test_product);
  g_test_add_func ("/compute/formulas/silu", test_silu_gradient);
  g_test_add_func ("/compute/formulas/rms-norm", test_norm_gradient);
  g_test_add_func ("/compute/formulas/cross-entropy", test_loss_gradient);
  g_test_add_func ("/compute/formulas/attention", test_attention_gradient);
  g_test_add_func ("/compute/formulas/adjoints", test_adjoints);
  g_test_add_func ("/compute/formulas/by-hand", test_by_hand);
  g_test_add_func ("/compute/memory", test_memory);
  g_test_add_func ("/compute/inherit", test_inherit);
  g_test_add_func ("/compute/unknown", test_unknown);
#ifdef FR_EMULATE
  services = g_ptr_array_new ();
  g_ptr_array_add (services, (gpointer) flowrun_plugin ()->services[0]);
#else
  services = fr_service_list (LM_COMPUTE_KIND);
#endif
  for (guint i = 0; i < services->len; i++)
    add_backend (services->pdata[i]);
  if (!EMULATED)
    {
#if defined __linux__ && !defined FR_EMULATE
      g_test_add_func ("/compute/no-made-code", test_no_made_code);
#endif
      add_class ("cpu", &cpu, "");
      add_split ();
    }
  status = g_test_run ();
  g_ptr_array_unref (cases);
  return status;
}
