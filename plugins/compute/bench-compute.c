/* SPDX-License-Identifier: Apache-2.0 */
/* bench-compute.c: how fast backends are, by operation, on the shapes of SmolLM2-135M and
 * R1-Distill-Qwen-1.5B (not a test; build it by name).
 *
 *     make plugins/compute/bench-compute
 *     FLOWRUN_PLUGIN_PATH=plugins/.libs plugins/compute/bench-compute [BACKEND,… [TOKENS [THREADS [OPERATION]]]]
 *
 * Backends take turns within each line, so that a busy machine slows all of
 * them, and the least of several times counts; with one thread it is processor time, which a busy
 * machine hardly changes.  Products are told in
 * 10⁹ operations a second (a multiplication and an addition are two), the rest
 * in 10⁹ bytes read and written a second, each operand once.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lm/compute.h"

#define MOST_BACKENDS 8
#define SECONDS 0.4 /* spent on each number */
#define MOST_TIMES 30

typedef struct
{
  const char *name;
  guint hidden, ffn, heads, kv_heads, head_dim, vocabulary;
  LmType stored; /* what a quantised file of it holds */
} Model;

static const Model models[] = {
  { "SmolLM2-135M", 576, 1536, 9, 3, 64, 49152, LM_Q4_1 },
  { "Qwen2-1.5B", 1536, 8960, 12, 2, 128, 151936, LM_Q4_K },
};

typedef struct
{
  LmCompute *c;
  GPtrArray *memory;
} Bench;

typedef struct
{
  const Model *model;
  gsize tokens;
  LmType act;
  LmMat mats[8];
  gint32 *tokens_at, *positions;
  guint64 *keys;
  float *losses;
  LmAttention attention;
  LmSpan span;
  LmAdam adam;
  LmType weight; /* of products */
  gsize in, out, rows;
} Work;

typedef struct
{
  gpointer data;
  gsize bytes;
} Memory;

static LmMat
mat (Bench *b, LmType type, gsize rows, gsize cols)
{
  const gsize bytes = rows * lm_type_bytes (type, cols);
  g_autofree guint8 *host = g_malloc (bytes + 1);
  Memory *m = g_new (Memory, 1);
  guint32 random = 1;
  const guint16 scale = lm_float_to_f16 (0.01f);

  for (gsize i = 0; lm_types[type].block == 1 && i < rows * cols; i++)
    {
      const float x = ((random = random * 1664525 + 1013904223) >> 8) * 0x1p-23f - 1;

      lm_encode (type, &x, host + i * lm_types[type].bytes, 1);
    }
  for (gsize i = 0; lm_types[type].block > 1 && i < bytes; i++)
    host[i] = (random = random * 1664525 + 1013904223) >> 24;
  for (gsize i = 0; lm_types[type].block > 1 && i < bytes; i += lm_types[type].bytes)
    {
      memcpy (host + i, &scale, 2);
      memcpy (host + i + (type == LM_Q6_K ? 208 : 2), &scale, 2);
    }
  m->data = lm_compute_alloc (b->c, bytes, NULL);
  m->bytes = bytes;
  g_ptr_array_add (b->memory, m);
  b->c->klass->upload (b->c, m->data, host, bytes);
  return lm_mat (m->data, type, rows, cols);
}

static double
bytes_of (LmMat m)
{
  return m.rows * lm_type_bytes (m.type, m.cols);
}

/* An operation: prepare() makes operands and returns 10⁹ operations or bytes; run() does it once.
 */
typedef struct
{
  const char *name;
  double (*prepare) (Bench *b, Work *w);
  void (*run) (LmCompute *c, const Work *w);
} Operation;

static void
add (LmCompute *c, const Work *w)
{
  c->klass->add (c, w->mats[0], w->mats[1]);
}

static double
prepare_add (Bench *b, Work *w)
{
  w->mats[0] = mat (b, w->act, w->tokens, w->model->hidden);
  w->mats[1] = mat (b, w->act, w->tokens, w->model->hidden);
  return 3 * bytes_of (w->mats[0]) / 1e9;
}

static void
cast (LmCompute *c, const Work *w)
{
  c->klass->cast (c, w->mats[1], w->mats[0]);
}

static double
prepare_cast (Bench *b, Work *w)
{
  w->mats[0] = mat (b, w->act, w->tokens, w->model->hidden);
  w->mats[1] = mat (b, w->act == LM_F32 ? LM_BF16 : LM_F32, w->tokens, w->model->hidden);
  return (bytes_of (w->mats[0]) + bytes_of (w->mats[1])) / 1e9;
}

static void
silu (LmCompute *c, const Work *w)
{
  c->klass->silu (c, w->mats[2], w->mats[0], w->mats[1]);
}

static void
silu_back (LmCompute *c, const Work *w)
{
  c->klass->silu_back (c, w->mats[3], w->mats[4], w->mats[2], w->mats[0], w->mats[1]);
}

static double
prepare_silu (Bench *b, Work *w)
{
  for (guint i = 0; i < 5; i++)
    w->mats[i] = mat (b, w->act, w->tokens, w->model->ffn);
  return 3 * bytes_of (w->mats[0]) / 1e9;
}

static double
prepare_silu_back (Bench *b, Work *w)
{
  return prepare_silu (b, w) / 3 * 5;
}

static void
dropout (LmCompute *c, const Work *w)
{
  c->klass->dropout (c, w->mats[1], FALSE, w->mats[0], w->keys, 0.05f);
}

static double
prepare_dropout (Bench *b, Work *w)
{
  w->mats[0] = mat (b, w->act, w->tokens, w->model->hidden);
  w->mats[1] = mat (b, w->act, w->tokens, w->model->hidden);
  return 2 * bytes_of (w->mats[0]) / 1e9;
}

static void
rms_norm (LmCompute *c, const Work *w)
{
  c->klass->rms_norm (c, w->mats[1], w->mats[3], w->mats[0], w->mats[2], 1e-5f);
}

static void
rms_norm_back (LmCompute *c, const Work *w)
{
  c->klass->rms_norm_back (c, w->mats[4], 1, w->mats[5], w->mats[1], w->mats[0], w->mats[2],
                           w->mats[3]);
}

static double
prepare_rms_norm (Bench *b, Work *w)
{
  w->mats[0] = mat (b, w->act, w->tokens, w->model->hidden);
  w->mats[1] = mat (b, w->act, w->tokens, w->model->hidden);
  w->mats[2] = mat (b, LM_F32, 1, w->model->hidden);
  w->mats[3] = mat (b, LM_F32, w->tokens, 1);
  w->mats[4] = mat (b, w->act, w->tokens, w->model->hidden);
  w->mats[5] = mat (b, LM_F32, 1, w->model->hidden);
  return 2 * bytes_of (w->mats[0]) / 1e9;
}

static double
prepare_rms_norm_back (Bench *b, Work *w)
{
  return 2 * prepare_rms_norm (b, w);
}

static void
rope (LmCompute *c, const Work *w)
{
  c->klass->rope (c, w->mats[0], w->model->heads, w->model->head_dim, w->model->head_dim / 2,
                  w->positions, w->mats[1], w->mats[2], FALSE);
}

static double
prepare_rope (Bench *b, Work *w)
{
  w->mats[0] = mat (b, w->act, w->tokens, w->model->heads * w->model->head_dim);
  w->mats[1] = mat (b, LM_F32, w->tokens, w->model->head_dim / 2);
  w->mats[2] = mat (b, LM_F32, w->tokens, w->model->head_dim / 2);
  return 2 * bytes_of (w->mats[0]) / 1e9;
}

static void
attention (LmCompute *c, const Work *w)
{
  c->klass->attention (c, &w->attention);
}

static void
attention_back (LmCompute *c, const Work *w)
{
  c->klass->attention_back (c, &w->attention, w->mats[0], w->mats[1], w->mats[2], w->mats[3]);
}

static double
prepare_attention (Bench *b, Work *w)
{
  const Model *m = w->model;
  const gsize n = MIN (w->tokens, 512);

  w->span = (LmSpan){ .q_rows = n, .k_rows = n };
  w->attention = (LmAttention){ .q = mat (b, w->act, n, m->heads * m->head_dim),
                                .k = mat (b, w->act, n, m->kv_heads * m->head_dim),
                                .v = mat (b, w->act, n, m->kv_heads * m->head_dim),
                                .out = mat (b, w->act, n, m->heads * m->head_dim),
                                .lse = mat (b, LM_F32, n, m->heads),
                                .n_heads = m->heads,
                                .n_kv_heads = m->kv_heads,
                                .key_dim = m->head_dim,
                                .value_dim = m->head_dim,
                                .scale = 1 / sqrt (m->head_dim),
                                .spans = &w->span,
                                .n_spans = 1 };
  return 2.0 * m->heads * m->head_dim * n * n / 1e9; /* two products, half of each masked */
}

static double
prepare_attention_back (Bench *b, Work *w)
{
  const double one = prepare_attention (b, w);

  w->mats[0] = mat (b, w->act, w->span.q_rows, w->attention.out.cols);
  w->mats[1] = mat (b, w->act, w->span.q_rows, w->attention.q.cols);
  w->mats[2] = mat (b, w->act, w->span.q_rows, w->attention.k.cols);
  w->mats[3] = mat (b, w->act, w->span.q_rows, w->attention.v.cols);
  attention (b->c, w);
  return 2.5 * one;
}

static void
embed (LmCompute *c, const Work *w)
{
  c->klass->embed (c, w->mats[1], w->mats[0], w->tokens_at);
}

static double
prepare_embed (Bench *b, Work *w)
{
  w->mats[0] = mat (b, LM_Q8_0, 8192, w->model->hidden);
  w->mats[1] = mat (b, w->act, w->tokens, w->model->hidden);
  return (bytes_of (w->mats[1]) + w->tokens * lm_type_bytes (LM_Q8_0, w->model->hidden)) / 1e9;
}

static void
cross_entropy (LmCompute *c, const Work *w)
{
  c->klass->cross_entropy (c, w->mats[0], w->tokens_at, w->losses, 1);
}

static double
prepare_cross_entropy (Bench *b, Work *w)
{
  w->mats[0] = mat (b, LM_F32, MIN (w->tokens, 128), w->model->vocabulary);
  return 2 * bytes_of (w->mats[0]) / 1e9;
}

static void
adamw (LmCompute *c, const Work *w)
{
  c->klass->adamw (c, w->mats[0].data, w->mats[1].data, w->mats[2].data, w->mats[3].data,
                   w->mats[0].cols, &w->adam);
}

static double
prepare_adamw (Bench *b, Work *w)
{
  for (guint i = 0; i < 4; i++)
    w->mats[i] = mat (b, LM_F32, 1, (gsize) w->model->hidden * w->model->ffn);
  return 7 * bytes_of (w->mats[0]) / 1e9;
}

/* x * Wᵀ, dy * W, and dyᵀ * x: what one linear layer asks for. */
static void
forward (LmCompute *c, const Work *w)
{
  c->klass->matmul (c, w->mats[1], 0, 1, w->mats[0], FALSE, w->mats[2], TRUE);
}

static void
input_gradient (LmCompute *c, const Work *w)
{
  c->klass->matmul (c, w->mats[0], 0, 1, w->mats[1], FALSE, w->mats[2], FALSE);
}

static void
weight_gradient (LmCompute *c, const Work *w)
{
  c->klass->matmul (c, w->mats[3], 1, 1, w->mats[1], TRUE, w->mats[0], FALSE);
}

static double
prepare_product (Bench *b, Work *w)
{
  w->mats[0] = mat (b, w->act, w->rows, w->in);
  w->mats[1] = mat (b, w->act, w->rows, w->out);
  w->mats[2] = mat (b, w->weight, w->out, w->in);
  w->mats[3] = mat (b, LM_F32, w->out, w->in);
  return 2.0 * w->rows * w->in * w->out / 1e9;
}

static const Operation operations[] = {
  { "add", prepare_add, add },
  { "cast", prepare_cast, cast },
  { "silu", prepare_silu, silu },
  { "silu_back", prepare_silu_back, silu_back },
  { "dropout", prepare_dropout, dropout },
  { "rms_norm", prepare_rms_norm, rms_norm },
  { "rms_norm_back", prepare_rms_norm_back, rms_norm_back },
  { "rope", prepare_rope, rope },
  { "embed", prepare_embed, embed },
  { "cross_entropy", prepare_cross_entropy, cross_entropy },
  { "adamw", prepare_adamw, adamw },
  { "attention", prepare_attention, attention },
  { "attention_back", prepare_attention_back, attention_back },
};

static const Operation products[] = {
  { "forward", prepare_product, forward },
  { "input_gradient", prepare_product, input_gradient },
  { "weight_gradient", prepare_product, weight_gradient },
};

/* ---- measuring */

static double
now (const LmCompute *c)
{
  struct timespec t;

  clock_gettime (
      c->threads == 1 && c->klass->host_memory ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static void
measure (Bench *benches, guint n, const Operation *o, const Work *like, const char *what,
         const char *unit)
{
  Work work[MOST_BACKENDS];
  double amount = 0, least[MOST_BACKENDS];

  for (guint i = 0; i < n; i++)
    {
      work[i] = *like;
      amount = o->prepare (&benches[i], &work[i]);
      work[i].attention.spans = &work[i].span;
      o->run (benches[i].c, &work[i]);
      benches[i].c->klass->sync (benches[i].c, NULL);
      least[i] = G_MAXDOUBLE;
    }
  for (gint64 start = g_get_monotonic_time (), times = 0;
       times < MOST_TIMES && (times < 2 || g_get_monotonic_time () - start < SECONDS * n * 1e6);
       times++)
    for (guint i = 0; i < n; i++)
      {
        const double before = now (benches[i].c);

        o->run (benches[i].c, &work[i]);
        benches[i].c->klass->sync (benches[i].c, NULL);
        least[i] = MIN (least[i], now (benches[i].c) - before);
      }
  printf ("%-16s %-36s", o->name, what);
  for (guint i = 0; i < n; i++)
    {
      printf (" %10.1f", amount / MAX (least[i], 1e-9));
      for (guint k = 0; k < benches[i].memory->len; k++)
        {
          const Memory *m = benches[i].memory->pdata[k];

          lm_compute_release (benches[i].c, m->data, m->bytes);
        }
      g_ptr_array_set_size (benches[i].memory, 0);
    }
  printf (" %s\n", unit);
  fflush (stdout);
}

static void
measure_rows (Bench *benches, guint n, const Model *model, const Work *like, const char *only)
{
  for (gsize i = 0; i < G_N_ELEMENTS (operations); i++)
    for (guint act = 0; act < 2; act++)
      {
        Work work = *like;
        g_autofree char *what = NULL;
        const gboolean product = g_str_has_prefix (operations[i].name, "attention");

        if (only != NULL && strcmp (only, operations[i].name) != 0)
          continue;
        work.act = act ? LM_BF16 : LM_F32;
        what = g_strdup_printf ("%s %s %zu", model->name, lm_types[work.act].name, work.tokens);
        measure (benches, n, &operations[i], &work, what, product ? "GF/s" : "GB/s");
      }
}

static void
measure_products (Bench *benches, guint n, const Model *m, const Work *like, const char *only)
{
  const guint shapes[][2] = { { m->hidden, m->heads * m->head_dim },
                              { m->hidden, m->kv_heads * m->head_dim },
                              { m->hidden, m->ffn },
                              { m->ffn, m->hidden },
                              { m->hidden, m->vocabulary } };
  const LmType types[][2] = { { LM_F32, LM_F32 },
                              { LM_BF16, LM_BF16 },
                              { LM_BF16, m->stored },
                              { LM_F32, m->stored },
                              { LM_F32, LM_BF16 } };

  for (gsize i = 0; i < G_N_ELEMENTS (products); i++)
    for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
      for (gsize s = 0; s < G_N_ELEMENTS (shapes); s++)
        {
          Work work = *like;
          g_autofree char *what = NULL;

          if ((only != NULL && strcmp (only, products[i].name) != 0) || (i == 2 && t >= 2))
            continue;
          work.act = types[t][0];
          work.weight = types[t][1];
          work.in = shapes[s][0];
          work.out = shapes[s][1];
          work.rows = work.out == m->vocabulary ? MIN (like->tokens, 512) : like->tokens;
          what = g_strdup_printf ("%zu x [%zu, %zu] %s %s", work.rows, work.out, work.in,
                                  lm_types[work.act].name, lm_types[work.weight].name);
          measure (benches, n, &products[i], &work, what, "GF/s");
        }
}

int
main (int argc, char **argv)
{
  g_auto (GStrv) names = g_strsplit (argc > 1 ? argv[1] : "openblas,onednn", ",", -1);
  const gsize tokens = argc > 2 ? strtoul (argv[2], NULL, 10) : 1024;
  const guint threads = argc > 3 ? strtoul (argv[3], NULL, 10) : g_get_num_processors ();
  const char *only = argc > 4 ? argv[4] : NULL;
  Bench benches[MOST_BACKENDS];
  const guint n = MIN (g_strv_length (names), MOST_BACKENDS);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = NULL;

      benches[i].c = lm_compute_open (NULL, names[i], threads, &error);
      if (benches[i].c == NULL)
        {
          fprintf (stderr, "%s\n", error->message);
          return 1;
        }
      benches[i].memory = g_ptr_array_new_with_free_func (g_free);
      text = benches[i].c->klass->describe (benches[i].c);
      printf ("%s: %s\n", names[i], text);
    }
  for (gsize m = 0; m < G_N_ELEMENTS (models); m++)
    {
      Work work = { .model = &models[m],
                    .tokens = tokens,
                    .adam = { 1e-4f, 0.9f, 0.999f, 1e-8f, 0.01f, 1, 1 } };

      work.tokens_at = g_new (gint32, MAX (tokens, 512));
      work.positions = g_new (gint32, MAX (tokens, 512));
      work.keys = g_new (guint64, MAX (tokens, 512));
      work.losses = g_new (float, MAX (tokens, 512));
      for (gsize i = 0; i < MAX (tokens, 512); i++)
        {
          work.tokens_at[i] = i * 7919 % 8192;
          work.positions[i] = i % tokens;
          work.keys[i] = i * 0x9e3779b97f4a7c15u;
        }
      measure_rows (benches, n, &models[m], &work, only);
      measure_products (benches, n, &models[m], &work, only);
      g_free (work.tokens_at);
      g_free (work.positions);
      g_free (work.keys);
      g_free (work.losses);
    }
  for (guint i = 0; i < n; i++)
    {
      g_ptr_array_unref (benches[i].memory);
      lm_compute_close (benches[i].c);
    }
  return 0;
}
