/* SPDX-License-Identifier: Apache-2.0 */
/* bench-cpu.c: how fast the kernels of the host are, at the shapes of a LoRA step of SmolLM2-135M
 * (8 rows of 512 tokens) and of decoding with it.
 *
 *   bench-cpu [-t THREADS] [PART OF A NAME]
 *
 * The best of several runs each; in GF/s, GB/s (what must be read and written at least) or G
 * weights/s.
 */
#include "config.h"

#include <string.h>
#include <time.h>

#include "compute/cpu/cpu.h"

#define ROWS 4096
#define HIDDEN 576
#define FEED 1536
#define VOCABULARY 49152
#define LAYERS 30

static guint threads = 2;
static const char *wanted;
static LmCompute compute;
static LmComputeClass klass;

typedef void (*Run) (gpointer data);

static guint64 seed = 1;

static float
noise (void)
{
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (float) (gint32) (seed >> 32) * 0x1p-31f;
}

static LmMat
random_mat (LmType type, gsize rows, gsize cols)
{
  const gsize bytes = rows * lm_type_bytes (type, cols);
  LmMat m = lm_mat (g_aligned_alloc (1, bytes + 1, 64), type, rows, cols);

  if (lm_types[type].block > 1)
    memset (m.data, 0x11, bytes);
  else
    for (gsize i = 0; i < rows * cols; i++)
      {
        const float x = noise ();

        lm_encode (type, &x, (char *) m.data + lm_type_bytes (type, i), 1);
      }
  return m;
}

/* Of one thread, the processor's time: others may be at work on the machine. */
static gint64
now (void)
{
  struct timespec t;

  clock_gettime (threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return t.tv_sec * G_GINT64_CONSTANT (1000000000) + t.tv_nsec;
}

/* The shortest of runs for about half a second. */
static double
best_of (Run run, gpointer data)
{
  gint64 best = G_MAXINT64, spent = 0;

  run (data);
  for (guint n = 0; n < 3 || (spent < 500000000 && n < 1000); n++)
    {
      const gint64 start = now ();
      gint64 took;

      run (data);
      took = MAX (now () - start, 1);
      best = MIN (best, took);
      spent += took;
    }
  return (double) best / 1e9;
}

static gboolean
is_wanted (const char *name)
{
  return wanted == NULL || strstr (name, wanted) != NULL;
}

/* @calls: in a step, for the last column; 0: none */
static void
report (const char *name, double seconds, double work, const char *unit, guint calls)
{
  g_print ("%-34s %10.3f ms %9.2f %s", name, seconds * 1e3, work / seconds / 1e9, unit);
  if (calls > 0)
    g_print ("   %7.1f ms a step", seconds * 1e3 * calls);
  g_print ("\n");
}

/* ---- rows --------------------------------------------------------------------------- */

typedef struct
{
  LmMat x, y, z, weight, rstd, dweight;
  guint64 keys[ROWS];
  gint32 positions[ROWS], targets[ROWS];
  float losses[ROWS];
} Rows;

static void
run_add (gpointer data)
{
  Rows *r = data;

  klass.add (&compute, r->x, r->y);
}

static void
run_norm (gpointer data)
{
  Rows *r = data;

  klass.rms_norm (&compute, r->y, r->rstd, r->x, r->weight, 1e-5f);
}

static void
run_norm_back (gpointer data)
{
  Rows *r = data;

  klass.rms_norm_back (&compute, r->z, 1, lm_mat (NULL, LM_F32, 0, 0), r->y, r->x, r->weight,
                       r->rstd);
}

static void
run_norm_weight (gpointer data)
{
  Rows *r = data;

  klass.rms_norm_back (&compute, r->z, 1, r->dweight, r->y, r->x, r->weight, r->rstd);
}

static void
run_silu (gpointer data)
{
  Rows *r = data;

  klass.silu (&compute, r->z, r->x, r->y);
}

static void
run_silu_back (gpointer data)
{
  Rows *r = data;

  klass.silu_back (&compute, r->z, r->z, r->z, r->x, r->y);
}

static void
run_dropout (gpointer data)
{
  Rows *r = data;

  klass.dropout (&compute, r->z, FALSE, r->x, r->keys, 0.1f);
}

static void
run_rope (gpointer data)
{
  Rows *r = data;

  klass.rope (&compute, r->x, 9, 64, 32, r->positions, r->weight, r->weight, FALSE);
}

static void
run_sum_rows (gpointer data)
{
  Rows *r = data;

  klass.sum_rows (&compute, r->dweight, r->x);
}

static void
run_cross_entropy (gpointer data)
{
  Rows *r = data;

  klass.cross_entropy (&compute, r->x, r->targets, r->losses, 0.01f);
}

static void
bench_row (const char *name, LmType type, gsize cols, Run run, guint streams, guint calls)
{
  g_autofree Rows *r = NULL;
  double size = (double) ROWS * (double) lm_type_bytes (type, cols);

  if (!is_wanted (name))
    return;
  r = g_new0 (Rows, 1);
  r->x = random_mat (type, ROWS, cols);
  r->y = random_mat (type, ROWS, cols);
  r->z = random_mat (type, ROWS, cols);
  r->weight = random_mat (LM_F32, 512, cols);
  r->weight.rows = 1;
  r->rstd = random_mat (LM_F32, 1, ROWS);
  r->dweight = random_mat (LM_F32, 1, cols);
  for (guint i = 0; i < ROWS; i++)
    r->positions[i] = i % 512;
  report (name, best_of (run, r), size * streams, "GB/s", calls);
  g_aligned_free (r->x.data);
  g_aligned_free (r->y.data);
  g_aligned_free (r->z.data);
  g_aligned_free (r->weight.data);
  g_aligned_free (r->rstd.data);
  g_aligned_free (r->dweight.data);
}

static void
bench_loss (const char *name, LmType type)
{
  g_autofree Rows *r = NULL;

  if (!is_wanted (name))
    return;
  r = g_new0 (Rows, 1);
  r->x = random_mat (type, 256, VOCABULARY);
  report (name, best_of (run_cross_entropy, r),
          2.0 * 256 * (double) lm_type_bytes (type, VOCABULARY), "GB/s", 16);
  g_aligned_free (r->x.data);
}

/* ---- the optimiser -------------------------------------------------------------------- */

typedef struct
{
  gsize n;
  LmMat p, g, m, v;
} Weights;

static void
run_adamw (gpointer data)
{
  const Weights *w = data;
  const LmAdam adam = { 1e-4f, 0.9f, 0.999f, 1e-8f, 0.01f, 3, 1 };

  klass.adamw (&compute, w->p.data, w->g.data, w->m.data, w->v.data, w->n, &adam);
}

static void
run_sum_squares (gpointer data)
{
  const Weights *w = data;

  klass.sum_squares (&compute, w->g.data, w->n);
}

static void
bench_weights (void)
{
  const gsize n = 8 << 20;
  Weights w;

  if (!is_wanted ("adamw") && !is_wanted ("sum-squares"))
    return;
  w = (Weights){ n, random_mat (LM_F32, 1, n), random_mat (LM_F32, 1, n), random_mat (LM_F32, 1, n),
                 random_mat (LM_F32, 1, n) };
  for (gsize i = 0; i < n; i++)
    ((float *) w.v.data)[i] *= ((float *) w.v.data)[i];
  report ("adamw", best_of (run_adamw, &w), 28.0 * (double) n, "GB/s", 0);
  report ("sum-squares", best_of (run_sum_squares, &w), 4.0 * (double) n, "GB/s", 0);
  g_aligned_free (w.p.data);
  g_aligned_free (w.g.data);
  g_aligned_free (w.m.data);
  g_aligned_free (w.v.data);
}

/* ---- attention ------------------------------------------------------------------------ */

typedef struct
{
  LmAttention a;
  LmMat dout, dq, dk, dv;
} Attention;

static void
run_attention (gpointer data)
{
  klass.attention (&compute, &((Attention *) data)->a);
}

static void
run_attention_back (gpointer data)
{
  Attention *t = data;

  klass.attention_back (&compute, &t->a, t->dout, t->dq, t->dk, t->dv);
}

static void
bench_attention (const char *name, LmType type, gsize n_spans, gsize q_rows, gsize k_rows,
                 guint heads, guint kv_heads, guint dim, gboolean back, guint calls)
{
  g_autofree LmSpan *spans = g_new (LmSpan, n_spans);
  const gsize rows = n_spans * q_rows, keys = n_spans * k_rows;
  /* pairs of a query and a key that it sees */
  const double pairs = (double) rows * heads * ((double) k_rows - ((double) q_rows - 1) / 2);
  g_autofree char *line = NULL;
  Attention t;

  if (!is_wanted (name))
    return;
  for (gsize i = 0; i < n_spans; i++)
    spans[i] = (LmSpan){ i * q_rows, q_rows, i * k_rows, k_rows, FALSE };
  t.a = (LmAttention){ random_mat (type, rows, heads * dim),
                       random_mat (type, keys, kv_heads * dim),
                       random_mat (type, keys, kv_heads * dim),
                       random_mat (type, rows, heads * dim),
                       random_mat (LM_F32, rows, heads),
                       heads,
                       kv_heads,
                       dim,
                       dim,
                       0.125f,
                       spans,
                       n_spans };
  line = g_strdup_printf ("%s forward", name);
  if (q_rows > 4)
    report (line, best_of (run_attention, &t), 4 * dim * pairs, "GF/s", calls);
  else
    report (line, best_of (run_attention, &t),
            2.0 * (double) keys * (double) lm_type_bytes (type, kv_heads * dim), "GB/s", calls);
  if (back)
    {
      t.dout = random_mat (type, rows, heads * dim);
      t.dq = random_mat (type, rows, heads * dim);
      t.dk = random_mat (type, keys, kv_heads * dim);
      t.dv = random_mat (type, keys, kv_heads * dim);
      g_free (line);
      line = g_strdup_printf ("%s back", name);
      report (line, best_of (run_attention_back, &t), 10 * dim * pairs, "GF/s", calls);
      g_aligned_free (t.dout.data);
      g_aligned_free (t.dq.data);
      g_aligned_free (t.dk.data);
      g_aligned_free (t.dv.data);
    }
  g_aligned_free (t.a.q.data);
  g_aligned_free (t.a.k.data);
  g_aligned_free (t.a.v.data);
  g_aligned_free (t.a.out.data);
  g_aligned_free (t.a.lse.data);
}

/* ---- products --------------------------------------------------------------------------- */

typedef struct
{
  LmMat out, a, b;
  gboolean ta, tb;
  gsize rows; /* of a stored weight in use: moves, so that no cache keeps it */
  gsize at;
} Product;

static void
run_product (gpointer data)
{
  Product *p = data;
  LmMat b = p->b;

  if (p->rows > 0)
    {
      b = lm_mat_rows (b, p->at, p->rows);
      p->at = p->at + 2 * p->rows <= p->b.rows ? p->at + p->rows : 0;
    }
  g_assert_true (lm_cpu_matmul_small (&compute, p->out, 0, 1, p->a, p->ta, b, p->tb));
}

/* Decoding: @m rows times the linear layers of a model, as one tall weight. */
static void
bench_dot (LmType type, gsize m, gsize n, gsize k)
{
  g_autofree char *name
      = g_strdup_printf ("dot %s, %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT,
                         lm_types[type].name, m, n, k);
  Product p = { .tb = TRUE, .rows = n };

  if (!is_wanted (name))
    return;
  p.out = random_mat (LM_F32, m, n);
  p.a = random_mat (LM_F32, m, k);
  p.b = random_mat (type, MAX (n, 48000000 / k), k);
  report (name, best_of (run_product, &p), (double) n * (double) k, "G weights/s", 0);
  g_aligned_free (p.out.data);
  g_aligned_free (p.a.data);
  g_aligned_free (p.b.data);
}

/* The same of int8: a weight in parts, which take turns. */
typedef struct
{
  LmMat out, x;
  LmPacked *parts;
  gsize n, at;
} Packed;

static void
run_packed (gpointer data)
{
  Packed *p = data;

  klass.matmul_packed (&compute, &(LmPackedProduct){ p->out, 0, &p->parts[p->at] }, 1, p->x);
  p->at = (p->at + 1) % p->n;
}

static void
bench_packed (LmType type, gsize m, gsize n, gsize k)
{
  g_autofree char *name
      = g_strdup_printf ("packed %s, %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT,
                         lm_types[type].name, m, n, k);
  const gsize bytes = klass.packed_bytes (&compute, type, n, k);
  Packed p = { .n = MAX (48000000 / k / n, 1) };
  g_autofree LmPacked *parts = p.parts = g_new (LmPacked, p.n);
  gpointer room;
  LmMat weight;
  double seconds;

  if (!is_wanted (name))
    return;
  room = g_aligned_alloc (p.n, bytes, 64);
  weight = random_mat (type, n, k);
  for (gsize i = 0; i < p.n; i++)
    klass.pack (&compute, &p.parts[i], (char *) room + i * bytes, weight);
  p.out = random_mat (LM_F32, m, n);
  p.x = random_mat (LM_F32, m, k);
  seconds = best_of (run_packed, &p);
  report (name, seconds, (double) n * (double) k * (double) m, "G products/s", 0);
  g_print ("%-34s %24.2f GB/s\n", "", (double) bytes / seconds / 1e9);
  g_aligned_free (room);
  g_aligned_free (weight.data);
  g_aligned_free (p.out.data);
  g_aligned_free (p.x.data);
}

static void
bench_skinny (const char *name, LmType type, LmType b_type, LmType out, gsize m, gsize n, gsize k,
              gboolean ta, gboolean tb, guint calls)
{
  Product p = { .ta = ta, .tb = tb };

  if (!is_wanted (name))
    return;
  p.out = random_mat (out, m, n);
  p.a = ta ? random_mat (type, k, m) : random_mat (type, m, k);
  p.b = tb ? random_mat (b_type, n, k) : random_mat (b_type, k, n);
  report (name, best_of (run_product, &p), 2.0 * (double) m * (double) n * (double) k, "GF/s",
          calls);
  g_aligned_free (p.out.data);
  g_aligned_free (p.a.data);
  g_aligned_free (p.b.data);
}

/* ---- widening ---------------------------------------------------------------------------- */

typedef struct
{
  LmMat src, dst;
} Widen;

static void
run_widen (gpointer data)
{
  const Widen *w = data;

  lm_cpu_widen_rows (&compute, w->dst, w->src);
}

static void
bench_widen (LmType from, LmType to)
{
  g_autofree char *name
      = g_strdup_printf ("widen %s to %s", lm_types[from].name, lm_types[to].name);
  Widen w;

  if (!is_wanted (name))
    return;
  w.src = random_mat (from, 512, FEED);
  w.dst = random_mat (to, 512, FEED);
  report (name, best_of (run_widen, &w), 512.0 * FEED, "G numbers/s", 0);
  g_aligned_free (w.src.data);
  g_aligned_free (w.dst.data);
}

static void
bench_rows (void)
{
  for (guint i = 0; i < 2; i++)
    {
      const LmType type = i == 0 ? LM_BF16 : LM_F32;

      g_print ("%s\n", lm_types[type].name);
      bench_row ("add", type, HIDDEN, run_add, 3, 4 * LAYERS);
      bench_row ("rms-norm", type, HIDDEN, run_norm, 2, 2 * LAYERS);
      bench_row ("rms-norm-back", type, HIDDEN, run_norm_back, 4, 2 * LAYERS);
      bench_row ("rms-norm-back with weight", type, HIDDEN, run_norm_weight, 6, 0);
      bench_row ("silu", type, FEED, run_silu, 3, LAYERS);
      bench_row ("silu-back", type, FEED, run_silu_back, 4, LAYERS);
      bench_row ("dropout", type, HIDDEN, run_dropout, 2, 4 * LAYERS);
      bench_row ("rope", type, HIDDEN, run_rope, 2, 3 * LAYERS);
      bench_row ("sum-rows", type, HIDDEN, run_sum_rows, 1, 0);
      bench_loss ("cross-entropy", type);
    }
  bench_weights ();
}

static void
bench_products (void)
{
  static const LmType types[] = { LM_Q4_0, LM_Q4_1, LM_Q5_0, LM_Q5_1, LM_Q8_0, LM_Q4_K,
                                  LM_Q5_K, LM_Q6_K, LM_F16,  LM_BF16, LM_F32 };

  bench_skinny ("x A^T bf16 r16", LM_BF16, LM_F32, LM_BF16, ROWS, 16, HIDDEN, FALSE, TRUE,
                2 * LAYERS);
  bench_skinny ("h B^T bf16 r16", LM_BF16, LM_F32, LM_BF16, ROWS, HIDDEN, 16, FALSE, TRUE,
                2 * LAYERS);
  bench_skinny ("dy B bf16 r16", LM_BF16, LM_F32, LM_BF16, ROWS, 16, HIDDEN, FALSE, FALSE,
                2 * LAYERS);
  bench_skinny ("dh A bf16 r16", LM_BF16, LM_F32, LM_BF16, ROWS, HIDDEN, 16, FALSE, FALSE,
                2 * LAYERS);
  bench_skinny ("dy^T h bf16 r16", LM_BF16, LM_BF16, LM_F32, HIDDEN, 16, ROWS, TRUE, FALSE,
                2 * LAYERS);
  bench_skinny ("dh^T x bf16 r16", LM_BF16, LM_BF16, LM_F32, 16, HIDDEN, ROWS, TRUE, FALSE,
                2 * LAYERS);
  bench_skinny ("x A^T f32 r16", LM_F32, LM_F32, LM_F32, ROWS, 16, HIDDEN, FALSE, TRUE, 2 * LAYERS);
  bench_skinny ("h B^T f32 r16", LM_F32, LM_F32, LM_F32, ROWS, HIDDEN, 16, FALSE, TRUE, 2 * LAYERS);
  bench_skinny ("dy^T h f32 r16", LM_F32, LM_F32, LM_F32, HIDDEN, 16, ROWS, TRUE, FALSE,
                2 * LAYERS);
  bench_skinny ("dh^T x f32 r16", LM_F32, LM_F32, LM_F32, 16, HIDDEN, ROWS, TRUE, FALSE,
                2 * LAYERS);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    bench_widen (types[i], LM_BF16);
  bench_widen (LM_Q4_1, LM_F32);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    bench_dot (types[i], 1, FEED, lm_types[types[i]].block > 32 ? 512 : HIDDEN);
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    for (gsize m = 1; m <= 512; m *= 8)
      bench_packed (types[i], m, FEED, lm_types[types[i]].block > 32 ? 512 : HIDDEN);
  bench_packed (LM_Q4_1, 2, FEED, HIDDEN);
  bench_packed (LM_Q4_1, 4, FEED, HIDDEN);
  bench_packed (LM_Q4_1, 16, FEED, HIDDEN);
  bench_packed (LM_Q8_0, 1, VOCABULARY, HIDDEN);
  bench_packed (LM_Q4_K, 1, 8960, 1536);
  bench_packed (LM_Q4_K, 1, 1536, 8960);
  bench_dot (LM_Q4_1, 1, HIDDEN, FEED);
  bench_dot (LM_Q4_1, 1, VOCABULARY, HIDDEN);
  bench_dot (LM_Q8_0, 1, VOCABULARY, HIDDEN);
  bench_dot (LM_Q4_1, 8, FEED, HIDDEN);
  bench_dot (LM_Q8_0, 16, FEED, HIDDEN);
}

int
main (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (g_str_equal (argv[i], "-t") && i + 1 < argc)
      threads = (guint) MAX (atoi (argv[++i]), 1);
    else
      wanted = argv[i];
  lm_cpu_fill (&klass);
  compute = (LmCompute){ .klass = &klass, .threads = threads };
  g_print ("%s, %u threads\n", lm_cpu_name (), threads);
  bench_attention ("attention bf16 8x512", LM_BF16, 8, 512, 512, 9, 3, 64, TRUE, LAYERS);
  bench_attention ("attention f32 8x512", LM_F32, 8, 512, 512, 9, 3, 64, TRUE, LAYERS);
  bench_attention ("attention bf16 4096", LM_BF16, 1, 4096, 4096, 9, 3, 64, TRUE, 0);
  bench_attention ("attention bf16 2x256 d128", LM_BF16, 2, 256, 256, 12, 2, 128, TRUE, 28);
  bench_attention ("attention decode bf16 512", LM_BF16, 1, 1, 512, 9, 3, 64, FALSE, LAYERS);
  bench_attention ("attention decode bf16 32k", LM_BF16, 1, 1, 32768, 9, 3, 64, FALSE, 0);
  bench_attention ("attention decode f32 32k", LM_F32, 1, 1, 32768, 9, 3, 64, FALSE, 0);
  bench_rows ();
  bench_products ();
  return 0;
}
