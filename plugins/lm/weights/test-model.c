/* SPDX-License-Identifier: Apache-2.0 */
/* test-model.c: models from directories, shards, GGUF files and adapters; what is refused; kept
 * and loaded again.
 */
#include "config.h"

#include <flowrun/port.h>

#include "lm/model.h"
#include "lm/weights/test-files.h"

typedef struct
{
  char *dir;  /* removed at the end */
  char *path; /* a model directory in it */
} Place;

static void
place_up (Place *p, gconstpointer data)
{
  (void) data;
  p->dir = g_dir_make_tmp ("flowrun-XXXXXX", NULL);
  p->path = g_build_filename (p->dir, "base", NULL);
}

static void
place_down (Place *p, gconstpointer data)
{
  (void) data;
  made_remove (p->dir);
  g_free (p->dir);
  g_free (p->path);
}

static LmModel *
opened (const char *path)
{
  g_autoptr (GError) error = NULL;
  LmModel *model = lm_model_open (path, &error);

  g_assert_no_error (error);
  return model;
}

static void
not_opened (const char *path, FrError code, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (lm_model_open (path, &error));
  g_assert_error (error, FR_ERROR, (int) code);
  if (strstr (error->message, text) == NULL)
    {
      g_test_message ("expected '%s' in: %s", text, error->message);
      g_test_fail ();
    }
}

/* Every number of @t is the one that @name's maker gave. */
static void
assert_made (const LmTensor *t, const char *name)
{
  gsize n = t->n_dims == 1 ? (gsize) t->dims[0] : (gsize) (t->dims[0] * t->dims[1]);
  g_autofree float *numbers = g_new (float, n);

  g_assert_cmpstr (t->name, ==, name);
  lm_decode (t->type, t->data, numbers, n);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat (numbers[i], ==, made_number (name, i));
}

/* ---- Hugging Face directories -------------------------------------------------------- */

static void
test_directory (Place *p, gconstpointer data)
{
  g_autoptr (LmModel) model = NULL;
  gsize rows, cols;

  (void) data;
  made_directory (p->path, MADE_CONFIG ("qwen2", ", 'pad_token_id': 5"), LM_BF16);
  made_write (p->path, "generation_config.json", "{'eos_token_id': [7, 2], 'temperature': 0.6}");
  made_write (p->path, "tokenizer_config.json",
              "{'bos_token': {'content': '<s>', 'lstrip': false}, 'eos_token': null,"
              " 'chat_template': [{'name': 'rag', 'template': 'no'},"
              " {'name': 'default', 'template': 'yes'}]}");
  made_write (p->path, "special_tokens_map.json", "{'eos_token': '</s>'}");
  model = opened (p->path);
  for (guint role = 0; role < LM_N_WEIGHTS; role++)
    for (guint layer = 0; layer < 3; layer++)
      {
        g_autofree char *name = lm_weight_name (role, layer);
        const LmTensor *t = lm_model_weight (model, role, layer);

        if (lm_weight_shape (lm_model_config (model), role, &rows, &cols)
            && layer < (lm_weights[role].per_layer ? 2 : 1))
          assert_made (t, name);
        else
          g_assert_null (t);
      }
  g_assert_cmpuint (lm_model_n_tensors (model), ==, 3 + 2 * 12);
  g_assert_cmpstr (lm_model_nth_tensor (model, 0)->name, ==, "model.embed_tokens.weight");
  g_assert_null (lm_model_tensor (model, "none"));
  g_assert_cmpuint (lm_model_n_parameters (model), ==, 24 * 8 * 2 + 8 + 2 * 512);
  g_assert_cmpstr (lm_model_special (model, "bos_token"), ==, "<s>");
  g_assert_cmpstr (lm_model_special (model, "eos_token"), ==, "</s>");
  g_assert_null (lm_model_special (model, "pad_token"));
  g_assert_cmpstr (lm_model_template_source (model), ==, "yes");
  g_assert_cmpuint (lm_model_config (model)->eos_tokens->len, ==, 2);
  g_assert_cmpint (g_array_index (lm_model_config (model)->eos_tokens, gint32, 0), ==, 7);
  g_assert_cmpfloat (json_object_get_double_member (lm_model_generation (model), "temperature"), ==,
                     0.6);
  g_assert_cmpstr (lm_model_name (model), ==, "base");
  g_assert_true (g_str_has_prefix (lm_model_hash (model, NULL), "xxh3:"));
  g_assert_cmpstr (lm_model_files (model)[0], ==, "tokenizer_config.json");
  g_assert_null (lm_model_base (model));
  g_assert_null (lm_model_lora (model));
}

static void
test_jinja_wins (Place *p, gconstpointer data)
{
  g_autoptr (LmModel) model = NULL;
  g_autoptr (GError) error = NULL;

  (void) data;
  made_directory (p->path, MADE_CONFIG ("llama", ""), LM_F32);
  made_write (p->path, "tokenizer_config.json", "{'chat_template': 'old'}");
  made_write (p->path, "chat_template.jinja", "new");
  model = opened (p->path);
  g_assert_cmpstr (lm_model_template_source (model), ==, "new");
  g_assert_null (lm_model_tokenizer (model, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "tokenizer.json"));
}

/* Two shards, an index with a key too many and a tensor that only a shard names. */
static void
test_shards (Place *p, gconstpointer data)
{
  static const char text[] = MADE_CONFIG ("qwen3", ", 'tie_word_embeddings': true");
  g_autoptr (LmConfig) config = made_config (text);
  g_autofree char *one = g_build_filename (p->path, "a.safetensors", NULL);
  g_autofree char *two = g_build_filename (p->path, "b.safetensors", NULL);
  g_autoptr (LmModel) model = NULL;

  (void) data;
  g_mkdir (p->path, 0777);
  made_write (p->path, "config.json", text);
  made_weights (one, config, LM_F16, 0, 10);
  made_weights (two, config, LM_F32, 10, G_MAXUINT);
  made_write (p->path, "model.safetensors.index.json",
              "{'metadata': {}, 'more': 1, 'weight_map': {'model.norm.weight': 'a.safetensors',"
              " 'x': 'b.safetensors'}}");
  model = opened (p->path);
  assert_made (lm_model_weight (model, LM_W_DOWN, 1), "model.layers.1.mlp.down_proj.weight");
  assert_made (lm_model_weight (model, LM_W_Q_NORM, 0), "model.layers.0.self_attn.q_norm.weight");
  assert_made (lm_model_weight (model, LM_W_HEAD, 0), "model.embed_tokens.weight");
  g_clear_pointer (&model, fr_object_unref);
  made_write (p->path, "model.safetensors.index.json",
              "{'weight_map': {'x': '../base/a.safetensors'}}");
  not_opened (p->path, FR_ERROR_DATA, "no file beside it");
  made_write (p->path, "model.safetensors.index.json", "{'weight_map': {'x': 'c.safetensors'}}");
  not_opened (p->path, FR_ERROR_IO, "c.safetensors");
  made_write (p->path, "model.safetensors.index.json", "{'weight_map': {}}");
  not_opened (p->path, FR_ERROR_DATA, "no weight_map");
}

static void
test_refused (Place *p, gconstpointer data)
{
  g_autofree char *file = g_build_filename (p->path, "model.safetensors", NULL);
  g_autoptr (LmConfig) config = made_config (MADE_CONFIG ("qwen2", ""));

  (void) data;
  not_opened (p->path, FR_ERROR_IO, "base");
  made_directory (p->path, MADE_CONFIG ("qwen2", ""), LM_BF16);
  not_opened (file, FR_ERROR_CONFIG, "give its directory");
  made_weights (file, config, LM_BF16, 0, 20);
  not_opened (p->path, FR_ERROR_DATA, "are missing: 'model.layers.");
  made_directory (p->path, MADE_CONFIG ("llama", ", 'tie_word_embeddings': true"), LM_BF16);
  made_write (p->path, "config.json", MADE_CONFIG ("llama", ""));
  not_opened (p->path, FR_ERROR_DATA, "'lm_head.weight'; with tie_word_embeddings");
  made_write (p->path, "config.json",
              "{'model_type': 'llama', 'vocab_size': 24, 'hidden_size': 8,"
              " 'intermediate_size': 13, 'num_hidden_layers': 2, 'num_attention_heads': 2,"
              " 'num_key_value_heads': 1, 'tie_word_embeddings': true}");
  not_opened (p->path, FR_ERROR_DATA, "has the shape [12, 8], the config asks for [13, 8]");
  made_write (p->path, "config.json", "{'model_type': 'gpt2'}");
  not_opened (p->path, FR_ERROR_CONFIG, "gpt2");
  made_write (p->path, "config.json", "{");
  not_opened (p->path, FR_ERROR_DATA, "config.json");
  made_write (p->path, "config.json", MADE_CONFIG ("llama", ""));
  made_write (p->path, "tokenizer_config.json", "[]");
  not_opened (p->path, FR_ERROR_DATA, "tokenizer_config.json: expected an object");
  made_write (p->path, "tokenizer_config.json", "{}");
  g_unlink (file);
  made_write (p->path, "pytorch_model.bin", "");
  not_opened (p->path, FR_ERROR_DATA, "is a pickle");
  not_opened (p->dir, FR_ERROR_DATA, "neither config.json nor");
}

static void
test_extra (Place *p, gconstpointer data)
{
  g_autoptr (LmModel) model = NULL;

  (void) data;
  /* Biases and an untied head in the file; the config asks for neither. */
  made_directory (p->path, MADE_CONFIG ("llama", ", 'attention_bias': true"), LM_F32);
  made_write (p->path, "config.json", MADE_CONFIG ("llama", ", 'tie_word_embeddings': true"));
  model = opened (p->path);
  g_assert_cmpuint (lm_model_warnings (model)->len, ==, 2);
  g_assert_nonnull (strstr (g_ptr_array_index (lm_model_warnings (model), 0), "lm_head.weight"));
  g_assert_true (g_str_has_prefix (g_ptr_array_index (lm_model_warnings (model), 1), "8 tensors"));
}

/* ---- GGUF ---------------------------------------------------------------------------- */

#define N_GGUF 12

/* A model of one layer: hidden 64, two heads of 32 on one key head, vocabulary 4, tied. */
static void
write_gguf (const char *path, const char *arch)
{
  static const struct
  {
    const char *name;
    guint64 cols, rows;
    guint32 type;
  } tensors[N_GGUF]
      = { { "token_embd.weight", 64, 4, 0 },         { "output_norm.weight", 64, 0, 0 },
          { "blk.0.attn_norm.weight", 64, 0, 0 },    { "blk.0.attn_q.weight", 64, 64, 2 },
          { "blk.0.attn_k.weight", 64, 32, 2 },      { "blk.0.attn_v.weight", 64, 32, 2 },
          { "blk.0.attn_output.weight", 64, 64, 2 }, { "blk.0.ffn_norm.weight", 64, 0, 0 },
          { "blk.0.ffn_gate.weight", 64, 96, 2 },    { "blk.0.ffn_up.weight", 64, 96, 2 },
          { "blk.0.ffn_down.weight", 96, 64, 2 },    { "extra.weight", 32, 0, 0 } };
  static const char *const numbers[][2]
      = { { "block_count", "1" },          { "context_length", "128" },
          { "embedding_length", "64" },    { "feed_forward_length", "96" },
          { "attention.head_count", "2" }, { "attention.head_count_kv", "1" } };
  g_autoptr (GByteArray) out = gguf_begin (N_GGUF, 4 + G_N_ELEMENTS (numbers));
  g_autofree char *epsilon = g_strconcat (arch, ".attention.layer_norm_rms_epsilon", NULL);
  guint64 at = 0;

  gguf_key_text (out, "general.architecture", arch);
  gguf_key_f32 (out, epsilon, 1e-5f);
  gguf_key_u32 (out, "tokenizer.ggml.eos_token_id", 2);
  gguf_key_u32 (out, "tokenizer.ggml.eot_token_id", 3);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autofree char *key = g_strconcat (arch, ".", numbers[i][0], NULL);

      gguf_key_u32 (out, key, (guint32) g_ascii_strtoull (numbers[i][1], NULL, 10));
    }
  for (guint i = 0; i < N_GGUF; i++)
    {
      guint64 n = tensors[i].cols * MAX (tensors[i].rows, 1);

      gguf_tensor (out, tensors[i].name, tensors[i].rows > 0 ? 2 : 1, tensors[i].cols,
                   tensors[i].rows, tensors[i].type, at);
      at += (tensors[i].type == 2 ? n / 32 * 18 : n * 4) + 31;
      at -= at % 32;
    }
  gguf_pad (out, 32);
  for (guint64 i = 0; i < at; i++) /* each row of blocks differs */
    {
      guint8 byte = (guint8) (i * 7 % 251);

      g_byte_array_append (out, &byte, 1);
    }
  g_file_set_contents (path, (const char *) out->data, out->len, NULL);
}

static void
test_gguf (Place *p, gconstpointer data)
{
  g_autofree char *path = g_build_filename (p->dir, "m.gguf", NULL);
  g_autoptr (LmModel) model = NULL;
  g_autoptr (LmWeightFile) file = NULL;
  const LmTensor *k, *stored;
  gboolean llama = data != NULL;

  write_gguf (path, llama ? "llama" : "qwen3");
  if (!llama)
    {
      not_opened (path, FR_ERROR_DATA, "'blk.0.attn_q_norm.weight'");
      return;
    }
  model = opened (path);
  g_assert_true (lm_model_config (model)->tied);
  g_assert_cmpuint (lm_model_config (model)->head_dim, ==, 32);
  g_assert_cmpfloat (lm_model_config (model)->rms_norm_eps, ==, 1e-5);
  g_assert_cmpuint (lm_model_config (model)->eos_tokens->len, ==, 2);
  g_assert_true (g_str_has_prefix (g_ptr_array_index (lm_model_warnings (model), 0), "1 tensors"));
  file = lm_weight_file_open (path, NULL);
  stored = lm_weight_file_find (file, "blk.0.attn_k.weight");
  k = lm_model_weight (model, LM_W_K, 0);
  g_assert_true (k == lm_model_tensor (model, "model.layers.0.self_attn.k_proj.weight"));
  for (guint i = 0; i < 32; i++) /* row (half, i) was stored as row (i, half) */
    g_assert_cmpmem ((const guint8 *) k->data + i * 36, 36,
                     (const guint8 *) stored->data + (i % 16 * 2 + i / 16) * 36, 36);
  stored = lm_weight_file_find (file, "blk.0.attn_v.weight");
  g_assert_cmpmem (lm_model_weight (model, LM_W_V, 0)->data, stored->bytes, stored->data,
                   stored->bytes);
}

/* ---- models on models ------------------------------------------------------------------ */

static LmLora *
made_lora (LmModel *base)
{
  char *targets[] = { (char *) "q_proj", NULL };
  LmLoraSpec spec = { .rank = 2, .alpha = 4, .targets = targets };
  g_autoptr (GError) error = NULL;
  LmLora *lora = lm_lora_plan (lm_model_config (base), &spec, &error);

  g_assert_no_error (error);
  lm_lora_init (lora, 1);
  for (guint i = 0; i < lora->modules->len; i++)
    {
      LmLoraModule *m = g_ptr_array_index (lora->modules, i);

      for (gsize k = 0; k < m->out * m->rank; k++)
        m->b[k] = made_number (m->module, k);
    }
  return lora;
}

static void
tensor_free (gpointer data)
{
  LmTensor *t = data;

  g_free (t->name);
  g_free ((gpointer) t->data);
  g_free (t);
}

static GPtrArray *
made_tuned (LmModel *base)
{
  GPtrArray *tensors = g_ptr_array_new_with_free_func (tensor_free);
  LmTensor *t = g_memdup2 (lm_model_weight (base, LM_W_UP, 1), sizeof *t);
  float *numbers = g_new (float, 96);

  for (guint i = 0; i < 96; i++)
    numbers[i] = (float) i;
  t->name = g_strdup (t->name);
  t->type = LM_F32;
  t->data = numbers;
  t->bytes = 96 * sizeof (float);
  g_ptr_array_add (tensors, t);
  return tensors;
}

/* Saves @model, loads it, and sees that both describe themselves alike. */
static LmModel *
kept (Place *p, LmModel *model)
{
  g_autofree char *dir = g_build_filename (p->dir, "kept", NULL), *a = NULL, *b = NULL;
  g_autoptr (JsonNode) before = lm_model_type.describe ((FrObject *) model), after = NULL;
  g_autoptr (GError) error = NULL;
  LmModel *again;

  g_mkdir (dir, 0777);
  lm_model_type.save ((FrObject *) model, dir, &error);
  g_assert_no_error (error);
  again = (LmModel *) lm_model_type.load (dir, &error);
  g_assert_no_error (error);
  after = lm_model_type.describe ((FrObject *) again);
  a = fr_json_to_string (before, 0);
  b = fr_json_to_string (after, 0);
  g_assert_cmpstr (a, ==, b);
  return again;
}

static void
test_adapted (Place *p, gconstpointer data)
{
  g_autoptr (LmModel) base = NULL, model = NULL, more = NULL, again = NULL, opened_again = NULL;
  g_autoptr (LmLora) lora = NULL;
  g_autofree char *adapter = g_build_filename (p->dir, "kept", "adapter", NULL);

  (void) data;
  made_directory (p->path, MADE_CONFIG ("qwen2", ""), LM_BF16);
  base = opened (p->path);
  lora = made_lora (base);
  model = lm_model_new_adapted (base, lora, made_object ("{'loss': 1.5}"));
  g_assert_true (lm_model_base (model) == base);
  g_assert_true (lm_model_lora (model) == lora);
  g_assert_true (lm_model_config (model) == lm_model_config (base));
  g_assert_true (lm_model_weight (model, LM_W_Q, 1) == lm_model_weight (base, LM_W_Q, 1));
  g_assert_cmpstr (lm_model_path (model), ==, p->path);
  more = lm_model_new_adapted (model, lora, NULL);
  g_assert_true (lm_model_base (more) == base); /* in the first one's place */
  again = kept (p, model);
  g_assert_cmpfloat (json_object_get_double_member (lm_model_card (again), "loss"), ==, 1.5);
  g_assert_cmpuint (lm_model_lora (again)->modules->len, ==, lora->modules->len);
  /* The adapter's own directory names the base. */
  opened_again = opened (adapter);
  g_assert_nonnull (lm_model_lora (opened_again));
  g_assert_cmpstr (lm_model_path (opened_again), ==, p->path);
}

static void
test_tuned (Place *p, gconstpointer data)
{
  g_autoptr (LmModel) base = NULL, model = NULL, again = NULL;

  (void) data;
  made_directory (p->path, MADE_CONFIG ("llama", ""), LM_BF16);
  base = opened (p->path);
  model = lm_model_new_tuned (base, made_tuned (base), NULL);
  g_assert_cmpint (lm_model_weight (model, LM_W_UP, 1)->type, ==, LM_F32);
  g_assert_true (lm_model_weight (model, LM_W_UP, 0) == lm_model_weight (base, LM_W_UP, 0));
  again = kept (p, model);
  g_assert_cmpfloat (((const float *) lm_model_weight (again, LM_W_UP, 1)->data)[95], ==, 95);
  g_assert_null (lm_model_lora (again));
}

/* A base that changed is not the one that was kept. */
static void
test_changed (Place *p, gconstpointer data)
{
  g_autofree char *dir = g_build_filename (p->dir, "kept", NULL);
  g_autofree char *file = g_build_filename (p->path, "model.safetensors", NULL);
  g_autoptr (LmConfig) config = made_config (MADE_CONFIG ("llama", ""));
  g_autoptr (LmModel) base = NULL, again = NULL;
  g_autoptr (GError) error = NULL;

  (void) data;
  made_directory (p->path, MADE_CONFIG ("llama", ""), LM_BF16);
  base = opened (p->path);
  again = kept (p, base);
  g_assert_cmpstr (lm_model_path (again), ==, p->path);
  made_weights (file, config, LM_F16, 0, G_MAXUINT);
  g_assert_null (lm_model_type.load (dir, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "has changed"));
  g_clear_error (&error);
  g_assert_null (lm_model_type.load (p->dir, &error));
  g_assert_nonnull (strstr (error->message, "holds no model"));
}

/* ---- the quickstart's base model --------------------------------------------------------- */

static void
test_smollm2 (void)
{
  const char *path = g_getenv ("FLOWRUN_SMOLLM2");
  g_autoptr (LmModel) model = NULL;
  gint64 start = g_get_monotonic_time ();

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("FLOWRUN_SMOLLM2 names no file");
      return;
    }
  model = opened (path);
  g_test_message ("opened in %.2f ms", (double) (g_get_monotonic_time () - start) / 1000);
  g_assert_cmpuint (lm_model_n_parameters (model), ==, 134515008);
  g_assert_cmpstr (lm_model_special (model, "eos_token"), ==, "<|im_end|>");
  g_assert_cmpint (lm_model_weight (model, LM_W_Q, 29)->type, ==, LM_Q4_1);
  g_assert_nonnull (lm_model_template_source (model));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name, function, data)                                                                 \
  g_test_add ("/lm/model/" name, Place, data, place_up, function, place_down)
  TEST ("directory", test_directory, NULL);
  TEST ("jinja-wins", test_jinja_wins, NULL);
  TEST ("shards", test_shards, NULL);
  TEST ("refused", test_refused, NULL);
  TEST ("extra", test_extra, NULL);
  TEST ("gguf-llama", test_gguf, "llama");
  TEST ("gguf-lacking", test_gguf, NULL);
  TEST ("adapted", test_adapted, NULL);
  TEST ("tuned", test_tuned, NULL);
  TEST ("changed", test_changed, NULL);
  g_test_add_func ("/lm/model/smollm2", test_smollm2);
  return g_test_run ();
}
