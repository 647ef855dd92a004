/* SPDX-License-Identifier: Apache-2.0 */
/* bench-decoder.c: how long training steps, prefill and decoding take, and on what.
 *
 * usage: bench-decoder SHAPE BACKEND f32|bf16 lora|all|full|infer|generate BATCH SEQ STEPS [threads=N]
 * [weights=TYPE] [loss_rows=N] [recompute=1] [int8=never|stored|all]
 *
 * SHAPE: smollm2 or qwen2-1.5b (random weights of that shape), or a checkpoint.
 * weights: type of random weights (F32, BF16, Q4_1, Q8_0, …); the activations' by default.
 * lora: rank 16 on q and v with dropout 0.1, all: on every linear layer; AdamW each step.
 * infer: prefill of SEQ tokens and STEPS tokens on BATCH slots after it.
 * generate: STEPS tokens of BATCH answers at once by lm_generate(), choosing included.
 * int8: which products are of int8 (decoder.h); stored by default, in inference alone.
 * Prints the best and the median step, the peak of resident memory, and where the time of the timed
 * steps went, by operation.  Dense products are shown by shape with their speed.  With one thread
 * all times are of the processor, which is what can be compared on a busy machine.
 */
#include "config.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "lm/decoder.h"
#include "lm/generate.h"

/* ---- time by operation --------------------------------------------------------------------- */

static guint n_threads = 2;

/* Microseconds: of the processor for one thread, so that neighbours do not count; of the wall for
 * more. */
static gint64
now (void)
{
  struct timespec t;

  clock_gettime (n_threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return t.tv_sec * G_USEC_PER_SEC + t.tv_nsec / 1000;
}

typedef struct
{
  double seconds, flops;
  guint64 calls;
} Spent;

static const LmComputeClass *inner;
static GHashTable *spent; /* name → Spent */

static void
spend (const char *name, gint64 since, double flops)
{
  Spent *s = g_hash_table_lookup (spent, name);

  if (!s)
    g_hash_table_insert (spent, g_strdup (name), s = g_new0 (Spent, 1));
  s->seconds += (now () - since) * 1e-6;
  s->flops += flops;
  s->calls++;
}

#define TIMED(op, params, args)                                                                    \
  static void timed_##op params                                                                    \
  {                                                                                                \
    gint64 since = now ();                                                                         \
    inner->op args;                                                                                \
    spend (#op, since, 0);                                                                         \
  }

TIMED (upload, (LmCompute * c, gpointer d, gconstpointer s, gsize n), (c, d, s, n))
TIMED (download, (LmCompute * c, gpointer d, gconstpointer s, gsize n), (c, d, s, n))
TIMED (copy, (LmCompute * c, gpointer d, gconstpointer s, gsize n), (c, d, s, n))
TIMED (zero, (LmCompute * c, gpointer d, gsize n), (c, d, n))
TIMED (add, (LmCompute * c, LmMat x, LmMat y), (c, x, y))
TIMED (add_row, (LmCompute * c, LmMat x, LmMat y), (c, x, y))
TIMED (sum_rows, (LmCompute * c, LmMat x, LmMat y), (c, x, y))
TIMED (cast, (LmCompute * c, LmMat x, LmMat y), (c, x, y))
TIMED (silu, (LmCompute * c, LmMat o, LmMat g, LmMat u), (c, o, g, u))
TIMED (silu_back, (LmCompute * c, LmMat dg, LmMat du, LmMat o, LmMat g, LmMat u),
       (c, dg, du, o, g, u))
TIMED (dropout, (LmCompute * c, LmMat o, gboolean add, LmMat x, const guint64 *k, float r),
       (c, o, add, x, k, r))
TIMED (rms_norm, (LmCompute * c, LmMat o, LmMat r, LmMat x, LmMat w, float e), (c, o, r, x, w, e))
TIMED (rms_norm_back,
       (LmCompute * c, LmMat dx, float b, LmMat dw, LmMat dout, LmMat x, LmMat w, LmMat r),
       (c, dx, b, dw, dout, x, w, r))
TIMED (rope,
       (LmCompute * c, LmMat x, guint h, guint d, guint half, const gint32 *p, LmMat cos, LmMat sin,
        gboolean inv),
       (c, x, h, d, half, p, cos, sin, inv))
TIMED (attention, (LmCompute * c, const LmAttention *a), (c, a))
TIMED (attention_back, (LmCompute * c, const LmAttention *a, LmMat d, LmMat dq, LmMat dk, LmMat dv),
       (c, a, d, dq, dk, dv))
TIMED (embed, (LmCompute * c, LmMat o, LmMat w, const gint32 *t), (c, o, w, t))
TIMED (embed_back, (LmCompute * c, LmMat dw, LmMat d, const gint32 *t), (c, dw, d, t))
TIMED (cross_entropy, (LmCompute * c, LmMat l, const gint32 *t, float *losses, float s),
       (c, l, t, losses, s))
TIMED (adamw,
       (LmCompute * c, gpointer p, gconstpointer g, gpointer m, gpointer v, gsize n,
        const LmAdam *a),
       (c, p, g, m, v, n, a))

static void
timed_matmul (LmCompute *c, LmMat out, float beta, float alpha, LmMat a, gboolean ta, LmMat b,
              gboolean tb)
{
  gint64 since = now ();
  gsize k = ta ? a.rows : a.cols;
  char name[100];

  inner->matmul (c, out, beta, alpha, a, ta, b, tb);
  g_snprintf (name, sizeof name, "matmul%s %s%s·%s%s → %s", beta != 0 ? "+" : "",
              lm_types[a.type].name, ta ? "ᵀ" : "", lm_types[b.type].name, tb ? "ᵀ" : "",
              lm_types[out.type].name);
  g_snprintf (name + strlen (name), sizeof name - strlen (name), " %zu %zu %zu", (size_t) out.rows,
              (size_t) out.cols, (size_t) k);
  spend (name, since, 2.0 * out.rows * out.cols * k);
}

static void
timed_matmul_packed (LmCompute *c, const LmPackedProduct *products, gsize n, LmMat x)
{
  gint64 since = now ();
  gsize cols = 0;
  char name[100];

  inner->matmul_packed (c, products, n, x);
  for (gsize i = 0; i < n; i++)
    cols += products[i].weight->rows;
  g_snprintf (name, sizeof name, "matmul of int8 %s·%sᵀ %zu %zu %zu", lm_types[x.type].name,
              lm_types[products[0].weight->type].name, (size_t) x.rows, (size_t) cols,
              (size_t) x.cols);
  spend (name, since, 2.0 * x.rows * cols * x.cols);
}

static void
time_operations (LmCompute *c)
{
  static LmComputeClass timed;

  inner = c->klass;
  timed = *inner;
#define USE(op) timed.op = timed_##op
  USE (upload), USE (download), USE (copy), USE (zero), USE (add), USE (add_row), USE (sum_rows),
      USE (cast), USE (silu), USE (silu_back), USE (dropout), USE (rms_norm), USE (rms_norm_back),
      USE (rope), USE (attention), USE (attention_back), USE (embed), USE (embed_back),
      USE (cross_entropy), USE (adamw), USE (matmul);
  if (inner->matmul_packed)
    USE (matmul_packed);
  c->klass = &timed;
}

static gint
by_time (gconstpointer a, gconstpointer b)
{
  const Spent *x = g_hash_table_lookup (spent, *(char *const *) a),
              *y = g_hash_table_lookup (spent, *(char *const *) b);

  return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

static void
print_spent (double wall)
{
  guint n;
  g_autofree char **names = (char **) g_hash_table_get_keys_as_array (spent, &n);
  double sum = 0;

  qsort (names, n, sizeof *names, by_time);
  for (guint i = 0; i < n; i++)
    {
      const Spent *s = g_hash_table_lookup (spent, names[i]);

      sum += s->seconds;
      if (s->seconds > 0.002 * wall)
        g_print ("  %5.1f %% %8.1f ms %7" G_GUINT64_FORMAT " × %-52s", 100 * s->seconds / wall,
                 1e3 * s->seconds, s->calls, names[i]);
      if (s->seconds > 0.002 * wall)
        g_print (s->flops > 0 ? " %6.1f GF/s\n" : "\n", s->flops / s->seconds * 1e-9);
    }
  g_print ("  %5.1f %% %8.1f ms outside of operations\n", 100 * (1 - sum / wall),
           1e3 * (wall - sum));
}

/* ---- models of random weights -------------------------------------------------------------- */

static void
free_tensor (gpointer data)
{
  LmTensor *t = data;

  g_free (t->name);
  g_free ((gpointer) t->data);
  g_free (t);
}

/* Bits that are small finite numbers in every type; quality does not matter, speed and size do. */
static LmTensor *
random_tensor (const LmConfig *config, LmWeightRole role, guint layer, LmType type, guint64 *state)
{
  LmTensor *t;
  gsize rows, cols;
  float row[16384];

  if (!lm_weight_shape (config, role, &rows, &cols))
    return NULL;
  t = g_new0 (LmTensor, 1);
  t->name = lm_weight_name (role, layer);
  t->type = rows ? type : LM_F32;
  t->n_dims = rows ? 2 : 1;
  t->dims[0] = rows ? rows : cols;
  t->dims[1] = rows ? cols : 0;
  t->bytes = MAX (rows, 1) * lm_type_bytes (t->type, cols);
  t->data = g_malloc0 (t->bytes);
  for (gsize r = 0; r < MAX (rows, 1); r++)
    {
      for (gsize i = 0; i < cols; i++)
        {
          *state = *state * 6364136223846793005u + 1442695040888963407u;
          row[i] = rows ? ((gint32) (*state >> 32)) * 0x1p-31f * 0.04f : 1;
        }
      if (t->type == LM_F32 || t->type == LM_BF16 || t->type == LM_F16 || t->type == LM_Q8_0)
        lm_encode (t->type, row, (char *) t->data + r * lm_type_bytes (t->type, cols), cols);
      else
        memset ((char *) t->data + r * lm_type_bytes (t->type, cols), (int) (*state >> 58) | 1,
                lm_type_bytes (t->type, cols));
    }
  return t;
}

static LmModel *
random_model (const char *json, LmType type, GError **error)
{
  g_autoptr (JsonNode) root = json_from_string (json, error);
  LmConfig *config = root ? lm_config_parse (json_node_get_object (root), error) : NULL;
  GPtrArray *tensors;
  guint64 state = 1;

  if (!config)
    return NULL;
  tensors = g_ptr_array_new_with_free_func (free_tensor);
  for (guint role = 0; role < LM_N_WEIGHTS; role++)
    for (guint l = 0; l < (lm_weights[role].per_layer ? config->n_layers : 1); l++)
      {
        LmTensor *t = role == LM_W_HEAD && config->tied
                          ? NULL
                          : random_tensor (config, role, l, type, &state);
        if (t)
          g_ptr_array_add (tensors, t);
      }
  return lm_model_new_memory (config, tensors, NULL, NULL);
}

static LmModel *
open_model (const char *shape, LmType type, GError **error)
{
  if (strcmp (shape, "smollm2") == 0)
    return random_model (
        "{ \"model_type\": \"llama\", \"vocab_size\": 49152, \"hidden_size\": 576,"
        " \"intermediate_size\": 1536, \"num_hidden_layers\": 30, \"num_attention_heads\": 9,"
        " \"num_key_value_heads\": 3, \"max_position_embeddings\": 8192, \"rms_norm_eps\": 1e-5,"
        " \"hidden_act\": \"silu\", \"rope_theta\": 100000.0, \"tie_word_embeddings\": true }",
        type, error);
  if (strcmp (shape, "qwen2-1.5b") == 0)
    return random_model (
        "{ \"model_type\": \"qwen2\", \"vocab_size\": 151936, \"hidden_size\": 1536,"
        " \"intermediate_size\": 8960, \"num_hidden_layers\": 28, \"num_attention_heads\": 12,"
        " \"num_key_value_heads\": 2, \"max_position_embeddings\": 131072, \"rms_norm_eps\": 1e-6,"
        " \"hidden_act\": \"silu\", \"rope_theta\": 10000.0, \"tie_word_embeddings\": false }",
        type, error);
  return lm_model_open (shape, error);
}

static double
resident_gib (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1048576.0;
}

/* ---- training ------------------------------------------------------------------------------ */

typedef struct
{
  GArray *tokens, *positions, *labels, *keys, *starts;
  LmBatch batch;
} Data;

static void
make_data (Data *d, guint vocab, gsize n_seqs, gsize length)
{
  d->tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  d->positions = g_array_new (FALSE, FALSE, sizeof (gint32));
  d->labels = g_array_new (FALSE, FALSE, sizeof (gint32));
  d->keys = g_array_new (FALSE, FALSE, sizeof (guint64));
  d->starts = g_array_new (FALSE, FALSE, sizeof (gsize));
  for (gsize s = 0; s <= n_seqs; s++)
    g_array_append_val (d->starts, (gsize){ s * length });
  for (gsize t = 0; t < n_seqs * length; t++)
    {
      guint64 key = (t + 1) * 0x9e3779b97f4a7c15u;
      gint32 token = (gint32) ((key >> 33) % vocab), position = (gint32) (t % length);
      gint32 label
          = t % length + 1 < length ? (gint32) (((t + 2) * 0x9e3779b97f4a7c15u >> 33) % vocab) : -1;

      g_array_append_val (d->tokens, token);
      g_array_append_val (d->positions, position);
      g_array_append_val (d->labels, label);
      g_array_append_val (d->keys, key);
    }
  d->batch = (LmBatch){ n_seqs * length,
                        n_seqs,
                        (gpointer) d->tokens->data,
                        (gpointer) d->positions->data,
                        (gpointer) d->labels->data,
                        (gpointer) d->starts->data,
                        (gpointer) d->keys->data };
}

static void
clear_data (Data *d)
{
  g_array_unref (d->tokens);
  g_array_unref (d->positions);
  g_array_unref (d->labels);
  g_array_unref (d->keys);
  g_array_unref (d->starts);
}

static gboolean
step (LmDecoder *decoder, LmCompute *c, const LmBatch *batch, gpointer *m, gpointer *v, guint64 n,
      double *loss, GError **error)
{
  LmAdam adam = { 5e-5f, 0.9f, 0.999f, 1e-8f, 0.01f, n, 1 };
  gsize counted;

  if (!lm_decoder_grad (decoder, batch, 1.0 / batch->n_tokens, loss, &counted, error))
    return FALSE;
  for (gsize i = 0; i < lm_decoder_n_params (decoder); i++)
    {
      LmParam *p = lm_decoder_param (decoder, i);

      c->klass->adamw (c, p->value, p->grad, m[i], v[i], p->rows * p->cols, &adam);
    }
  lm_decoder_params_changed (decoder);
  lm_decoder_zero_grad (decoder);
  *loss /= MAX (counted, 1);
  return c->klass->sync (c, error);
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static gboolean
train (LmDecoder *decoder, LmCompute *c, const LmBatch *batch, guint steps, GError **error)
{
  gsize n = lm_decoder_n_params (decoder);
  g_autofree gpointer *m = g_new0 (gpointer, n), *v = g_new0 (gpointer, n);
  g_autofree double *times = g_new (double, steps);
  double loss = 0, total = 0;

  for (gsize i = 0; i < n; i++)
    {
      LmParam *p = lm_decoder_param (decoder, i);
      gsize bytes = p->rows * p->cols * sizeof (float);

      if (!(m[i] = lm_compute_alloc (c, bytes, error))
          || !(v[i] = lm_compute_alloc (c, bytes, error)))
        return FALSE;
      c->klass->zero (c, m[i], bytes);
      c->klass->zero (c, v[i], bytes);
    }
  for (guint i = 0; i <= steps; i++)
    {
      gint64 since = now ();

      if (i == 1)
        g_hash_table_remove_all (spent);
      if (!step (decoder, c, batch, m, v, i + 1, &loss, error))
        return FALSE;
      if (i > 0)
        total += times[i - 1] = (now () - since) * 1e-6;
    }
  qsort (times, steps, sizeof *times, compare_doubles);
  g_print ("loss %.4f; step: best %.3f s, median %.3f s: %.1f, %.1f tok/s; peak %.2f GiB resident, "
           "%.2f GiB of the backend\n",
           loss, times[0], times[steps / 2], batch->n_tokens / times[0],
           batch->n_tokens / times[steps / 2], resident_gib (), c->peak_bytes / 1073741824.0);
  print_spent (total);
  for (gsize i = 0; i < n; i++)
    {
      LmParam *p = lm_decoder_param (decoder, i);

      lm_compute_release (c, m[i], p->rows * p->cols * sizeof (float));
      lm_compute_release (c, v[i], p->rows * p->cols * sizeof (float));
    }
  return TRUE;
}

/* ---- generation ---------------------------------------------------------------------------- */

static gboolean
infer (LmDecoder *decoder, const Data *d, guint vocab, gsize n_slots, gsize length, guint steps,
       GError **error)
{
  g_autoptr (LmCache) cache = lm_cache_new (decoder, n_slots * (length + steps), length + steps, error);
  g_autofree float *logits = g_new (float, n_slots *vocab);
  g_autofree LmFeed *feeds = g_new (LmFeed, n_slots);
  gint64 since;
  double seconds, best = G_MAXDOUBLE;

  for (guint s = 0; cache && s < n_slots; s++)
    lm_cache_open (cache, length + steps);
  for (guint trial = 0; cache && trial < 3; trial++)
    {
      LmFeed feed = { 0, d->batch.tokens, length, TRUE, LM_ADAPTER_OWN, TRUE };

      lm_cache_cut (cache, 0, 0);
      since = now ();
      if (!lm_cache_feed (cache, &feed, 1, logits, error))
        return FALSE;
      best = MIN (best, (now () - since) * 1e-6);
    }
  g_print ("prefill: %.1f tok/s\n", length / best);
  for (guint s = 1; cache && s < n_slots; s++)
    {
      LmFeed feed = { s, d->batch.tokens, length, TRUE, LM_ADAPTER_OWN, TRUE };

      if (!lm_cache_feed (cache, &feed, 1, logits, error))
        return FALSE;
    }
  g_hash_table_remove_all (spent);
  since = now ();
  for (guint i = 0; cache && i < steps; i++)
    {
      for (guint s = 0; s < n_slots; s++)
        feeds[s] = (LmFeed){ s, d->batch.tokens + i % length, 1, TRUE, LM_ADAPTER_OWN, FALSE };
      if (!lm_cache_feed (cache, feeds, n_slots, logits, error))
        return FALSE;
    }
  seconds = (now () - since) * 1e-6;
  if (!cache)
    return FALSE;
  g_print ("decode: %.1f tok/s on %zu slots; peak %.2f GiB resident\n", steps * n_slots / seconds,
           (size_t) n_slots, resident_gib ());
  print_spent (seconds);
  return TRUE;
}

/* Seconds that @steps tokens of each of @n_slots answers take, prompts included. */
static gboolean
time_answers (LmDecoder *decoder, LmTokenizer *tokenizer, const Data *d, gsize n_slots,
              gsize length, guint steps, double *seconds, GError **error)
{
  g_autofree LmJob *jobs = g_new0 (LmJob, n_slots);
  LmSampling sampling = { .temperature = 0, .top_p = 1, .repetition_penalty = 1, .max_tokens = steps };
  gint64 since;
  gboolean done;

  for (gsize i = 0; i < n_slots; i++)
    {
      jobs[i].prompt = d->batch.tokens + i * length;
      jobs[i].n_prompt = length;
      jobs[i].text = g_string_new (NULL);
      jobs[i].ids = g_array_new (FALSE, FALSE, sizeof (gint32));
    }
  since = now ();
  done = lm_generate (decoder, tokenizer, &sampling, jobs, n_slots, n_slots, NULL, error);
  *seconds = (now () - since) * 1e-6;
  for (gsize i = 0; i < n_slots; i++)
    {
      g_string_free (jobs[i].text, TRUE);
      g_array_unref (jobs[i].ids);
    }
  return done;
}

static gboolean
generate (LmDecoder *decoder, const Data *d, gsize n_slots, gsize length, guint steps,
          GError **error)
{
  LmTokenizer *tokenizer = lm_model_tokenizer (lm_decoder_model (decoder), error);
  double first, all, best = 0;

  if (!tokenizer)
    return FALSE;
  for (guint trial = 0; trial < 3; trial++)
    {
      if (!time_answers (decoder, tokenizer, d, n_slots, length, 1, &first, error))
        return FALSE;
      g_hash_table_remove_all (spent);
      if (!time_answers (decoder, tokenizer, d, n_slots, length, steps, &all, error))
        return FALSE;
      best = MAX (best, (steps - 1) * n_slots / (all - first));
    }
  g_print ("generate: %.1f tok/s in %zu answers; peak %.2f GiB resident\n", best, (size_t) n_slots,
           resident_gib ());
  print_spent (all);
  return TRUE;
}

static LmLora *
make_lora (const LmConfig *config, const char *what, GError **error)
{
  char *few[] = { (char *) "q_proj", (char *) "v_proj", NULL },
       *all[] = { (char *) "all-linear", NULL };
  LmLoraSpec spec = {
    .rank = 16, .alpha = 32, .dropout = 0.1, .targets = strcmp (what, "all") == 0 ? all : few
  };
  LmLora *lora = lm_lora_plan (config, &spec, error);

  if (lora)
    lm_lora_init (lora, 1);
  return lora;
}

static LmType
type_named (const char *name)
{
  for (guint i = 0; i < LM_N_TYPES; i++)
    if (g_ascii_strcasecmp (lm_types[i].name, name) == 0)
      return i;
  return LM_F32;
}

static LmInt8
int8_named (const char *name)
{
  return strcmp (name, "all") == 0 ? LM_INT8_ALL : strcmp (name, "stored") == 0 ? LM_INT8_STORED : LM_INT8_NEVER;
}

/* The value of "name=value" among the arguments, or @otherwise. */
static const char *
option (char **argv, const char *name, const char *otherwise)
{
  gsize n = strlen (name);

  for (char **arg = argv + 1; *arg; arg++)
    if (strncmp (*arg, name, n) == 0 && (*arg)[n] == '=')
      return *arg + n + 1;
  return otherwise;
}

static gboolean
bench (char **argv, GError **error)
{
  LmType type = type_named (argv[3]);
  gsize n_seqs = strtoul (argv[5], NULL, 10), length = strtoul (argv[6], NULL, 10), bytes, fixed;
  guint steps = atoi (argv[7]);
  g_autoptr (LmModel) model
      = open_model (argv[1], type_named (option (argv, "weights", argv[3])), error);
  g_autoptr (LmLora) lora = NULL;
  g_autoptr (LmCompute) c = NULL;
  g_autoptr (LmDecoder) decoder = NULL;
  g_autofree char *described = NULL;
  LmDecoderOptions options = { .type = type,
                               .recompute = atoi (option (argv, "recompute", "0")),
                               .loss_rows = atoi (option (argv, "loss_rows", "0")) };
  gboolean done;
  Data data;

  n_threads = atoi (option (argv, "threads", "2"));
  if (!model
      || !(c = lm_compute_open (NULL, strcmp (argv[2], "best") == 0 ? NULL : argv[2], n_threads,
                                error)))
    return FALSE;
  described = c->klass->describe (c);
  time_operations (c);
  if (strcmp (argv[4], "full") == 0)
    options.train = LM_TRAIN_FULL;
  else if (strcmp (argv[4], "infer") == 0 || strcmp (argv[4], "generate") == 0)
    options.int8 = int8_named (option (argv, "int8", "stored"));
  else
    {
      options.train = LM_TRAIN_LORA;
      if (!(options.lora = lora = make_lora (lm_model_config (model), argv[4], error)))
        return FALSE;
    }
  if (!(decoder = lm_decoder_new (model, c, &options, error)))
    return FALSE;
  make_data (&data, lm_model_config (model)->vocab_size, n_seqs, length);
  bytes = lm_decoder_bytes (lm_model_config (model), &options, data.batch.n_tokens,
                            data.batch.n_tokens - n_seqs, &fixed);
  g_print ("%s, %s: forecast %.3f GiB, %.3f of it fixed\n", argv[1], described,
           bytes / 1073741824.0, fixed / 1073741824.0);
  done = options.train ? train (decoder, c, &data.batch, steps, error)
         : strcmp (argv[4], "generate") == 0
             ? generate (decoder, &data, n_seqs, length, steps, error)
                       : infer (decoder, &data, lm_model_config (model)->vocab_size, n_seqs, length,
                                steps, error);
  clear_data (&data);
  return done;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  spent = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (argc < 8)
    g_printerr ("usage: bench-decoder SHAPE BACKEND f32|bf16 lora|all|full|infer|generate BATCH SEQ STEPS "
                "[threads=N] [weights=TYPE] [loss_rows=N] [recompute=1] [int8=never|stored|all]\n");
  else if (bench (argv, &error))
    return 0;
  else
    g_printerr ("bench-decoder: %s\n", error->message);
  return 1;
}
