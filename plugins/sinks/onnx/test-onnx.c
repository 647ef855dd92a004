/* SPDX-License-Identifier: Apache-2.0 */
/* test-onnx.c: sink.onnx: files read again, numbers in them, what is refused, what is left when it
 * fails.  Whether other programs agree is for tests/conformance/test-onnx.py.
 */
#include "config.h"

#include <flowrun/service.h>
#include <flowrun/test.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#include "export.h"
#include "lm/export/test-gate.h"
#include "lm/weights/test-files.h"
#include "read.h"

#define FAMILY "qwen2"

/* One layer whose matrices are large enough to lie in a file of their own. */
#define LARGER                                                                                     \
  "{'model_type': 'llama', 'vocab_size': 300, 'hidden_size': 32, 'intermediate_size': 520,"        \
  " 'num_hidden_layers': 1, 'num_attention_heads': 2, 'max_position_embeddings': 64,"              \
  " 'hidden_act': 'silu', 'eos_token_id': 2}"

static FrTest *
sink (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "sink-onnx.so", NULL);

  return fr_test_new_file (path, "sink.onnx", with);
}

static char *
in_dir (FrTest *t, const char *name)
{
  return g_build_filename (fr_test_tmpdir (t), name, NULL);
}

static LmModel *
made_model (FrTest *t, const char *config)
{
  g_autofree char *dir = in_dir (t, "base");
  g_autoptr (GError) error = NULL;
  LmModel *model;

  made_directory (dir, config, LM_BF16);
  made_write (dir, "tokenizer_config.json", "{'a':   1}");
  made_write (dir, "LICENSE", "do good");
  model = lm_model_open (dir, &error);
  g_assert_no_error (error);
  return model;
}

static LmModel *
made_adapted (LmModel *base)
{
  char *targets[] = { (char *) "q_proj", (char *) "down_proj", NULL };
  LmLoraSpec spec = { .rank = 3, .alpha = 6, .targets = targets };
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLora) lora = lm_lora_plan (lm_model_config (base), &spec, &error);

  g_assert_no_error (error);
  lm_lora_init (lora, 5);
  for (guint i = 0; i < lora->modules->len; i++)
    {
      LmLoraModule *m = g_ptr_array_index (lora->modules, i);

      for (gsize k = 0; k < m->out * m->rank; k++)
        m->b[k] = made_number (m->module, k) / 8;
    }
  return lm_model_new_adapted (base, lora, NULL);
}

static gboolean
is_there (FrTest *t, const char *name)
{
  g_autofree char *path = in_dir (t, name);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static char *
contents (FrTest *t, const char *name, gsize *len)
{
  g_autofree char *path = in_dir (t, name);
  char *text;

  g_assert_true (g_file_get_contents (path, &text, len, NULL));
  return text;
}

static void
assert_holds (FrTest *t, const char *name, const char *part)
{
  g_autofree char *text = contents (t, name, NULL);

  if (strstr (text, part) == NULL)
    {
      g_test_message ("expected '%s' in %s: %s", part, name, text);
      g_test_fail ();
    }
}

static OnnxFile *
opened (FrTest *t, const char *name)
{
  g_autofree char *path = in_dir (t, name);
  g_autoptr (GError) error = NULL;
  OnnxFile *file = onnx_file_open (path, &error);

  g_assert_no_error (error);
  onnx_file_check (file, name, &error);
  g_assert_no_error (error);
  return file;
}

static gboolean
is (FrStr s, const char *text)
{
  return s.len == strlen (text) && memcmp (s.data, text, s.len) == 0;
}

static const OnnxTensor *
found (const OnnxFile *file, const char *name)
{
  for (guint i = 0; i < file->tensors->len; i++)
    if (is (g_array_index (file->tensors, OnnxTensor, i).name, name))
      return &g_array_index (file->tensors, OnnxTensor, i);
  g_test_message ("no initializer %s", name);
  g_test_fail ();
  return NULL;
}

/* ---- the wire -------------------------------------------------------------------------------- */

static void
test_wire (void)
{
  static const guint64 numbers[] = { 0, 1, 127, 128, 300, G_MAXUINT32, G_MAXUINT64 };
  static const guint sizes[] = { 1, 1, 1, 2, 2, 5, 10 };
  g_autoptr (GByteArray) out = g_byte_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_byte_array_set_size (out, 0);
      wire_varint (out, numbers[i]);
      g_assert_cmpuint (out->len, ==, sizes[i]);
      g_assert_cmpuint (wire_varint_size (numbers[i]), ==, sizes[i]);
    }
  g_byte_array_set_size (out, 0);
  wire_int (out, 1, 300); /* of the documentation */
  wire_string (out, 2, "testing");
  g_assert_cmpmem (out->data, out->len, "\x08\xac\x02\x12\x07testing", 12);
}

/* ---- what is written ------------------------------------------------------------------------- */

static void
assert_number (const OnnxTensor *t, gsize i, float expected)
{
  float got;

  memcpy (&got, t->raw.data + i * sizeof got, sizeof got);
  g_assert_cmpfloat (got, ==, expected);
}

static void
test_plain (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'out'}");
  g_autoptr (LmModel) model = made_model (t, MADE_CONFIG (FAMILY, ""));
  g_autoptr (OnnxFile) file = NULL;
  const char *q = "model.layers.1.self_attn.q_proj.weight";
  const OnnxTensor *tensor;
  JsonObject *report;

  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run (t);
  file = opened (t, "out/model.onnx");
  g_assert_cmpint (file->ir_version, ==, 8);
  g_assert_true (is (file->producer, "flowrun"));
  g_assert_true (is (file->graph, "main_graph"));
  g_assert_cmpuint (file->opsets->len, ==, 1);
  g_assert_cmpint (g_array_index (file->opsets, OnnxOpset, 0).version, ==, 17);
  g_assert_cmpuint (file->inputs->len, ==, 3 + 2 * 2);
  g_assert_cmpuint (file->outputs->len, ==, 1 + 2 * 2);
  g_assert_true (is (g_array_index (file->inputs, OnnxValue, 3).name, "past_key_values.0.key"));
  g_assert_cmpint (g_array_index (file->inputs, OnnxValue, 3).dims[3], ==, 4);
  g_assert_true (is (g_array_index (file->outputs, OnnxValue, 4).name, "present.1.value"));
  tensor = found (file, "model.layers.1.attn.q_proj.MatMul.weight");
  g_assert_cmpint (tensor->dims[0], ==, 8);
  for (gsize row = 0; row < 8; row++)
    for (gsize col = 0; col < 8; col++)
      assert_number (tensor, col * 8 + row, made_number (q, row * 8 + col));
  tensor = found (file, "model.embed_tokens.weight");
  assert_number (tensor, 17, made_number ("model.embed_tokens.weight", 17));
  tensor = found (file, "cos_cache");
  g_assert_cmpint (tensor->dims[0], ==, 64);
  assert_number (tensor, 2 * 5, cosf (5));
  assert_holds (t, "out/genai_config.json", "\"past_present_share_buffer\": false");
  assert_holds (t, "out/tokenizer_config.json", "{\"a\":   1}");
  assert_holds (t, "out/generation_config.json", "\"eos_token_id\"");
  assert_holds (t, "out/README.md", "## Verification");
  assert_holds (t, "out/README.md", "passed");
  report = json_node_get_object (fr_test_report (t, "verification"));
  g_assert_cmpint (json_object_get_int_member (report, "initializers"), ==, file->tensors->len);
  g_assert_cmpint (json_object_get_int_member (report, "numbers_computed_anew"), >, 500);
}

/* Weights on pages of their own, and the same twice, by any number of threads. */
static void
test_external (void)
{
  g_autofree char *first = NULL, *first_data = NULL;
  gsize len = 0, data_len = 0;

  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (FrTest) t = sink ("{'path': 'out', 'external_data': '0'}");
      g_autoptr (LmModel) model = made_model (t, LARGER);
      g_autoptr (OnnxFile) file = NULL;
      g_autofree char *bytes = NULL, *data = NULL;
      gsize n, n_data;

      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_run (t);
      file = opened (t, "out/model.onnx");
      for (guint i = 0; i < file->tensors->len; i++)
        {
          const OnnxTensor *one = &g_array_index (file->tensors, OnnxTensor, i);

          g_assert_true (one->external == (onnx_tensor_bytes (one) >= 1024));
          if (one->external)
            {
              g_assert_true (is (one->location, "model.onnx_data"));
              g_assert_cmpint (one->offset % 4096, ==, 0);
            }
        }
      assert_holds (t, "out/config.json", "\"use_external_data_format\": true");
      data = contents (t, "out/model.onnx_data", &n_data);
      bytes = contents (t, "out/model.onnx", &n);
      if (round > 0)
        {
          g_assert_cmpmem (data, n_data, first_data, data_len);
          g_assert_cmpuint (n, ==, len); /* the base's path is not in it */
          g_assert_cmpmem (bytes, n, first, len);
        }
      g_free (first);
      g_free (first_data);
      first = g_steal_pointer (&bytes);
      first_data = g_steal_pointer (&data);
      len = n;
      data_len = n_data;
    }
}

static void
test_dtypes (void)
{
  static const struct
  {
    const char *dtype, *tensor;
    gint64 type;
  } cases[] = { { "f16", "model.layers.0.mlp.up_proj.MatMul.weight", ONNX_FLOAT16 },
                { "bf16", "model.layers.0.mlp.up_proj.MatMul.weight", ONNX_BFLOAT16 },
                { "int8", "model.layers.0.mlp.up_proj.MatMul.weight_quantized", ONNX_INT8 },
                { "int8", "model.embed_tokens.weight_quantized", ONNX_INT8 },
                { "int4", "model.layers.0.mlp.up_proj.MatMulNBits.qweight", ONNX_UINT8 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *with = g_strdup_printf ("{'path': 'out', 'dtype': '%s'}", cases[i].dtype);
      g_autoptr (FrTest) t = sink (with);
      g_autoptr (LmModel) model
          = made_model (t, MADE_CONFIG ("qwen3", ", 'tie_word_embeddings': true"));
      g_autoptr (OnnxFile) file = NULL;
      JsonObject *report;

      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_run (t);
      file = opened (t, "out/model.onnx");
      g_assert_cmpint (found (file, cases[i].tensor)->type, ==, cases[i].type);
      g_assert_cmpint (found (file, "model.layers.0.attn.q_norm.layernorm.weight")->type, ==,
                       ONNX_FLOAT);
      g_assert_cmpint (g_array_index (file->inputs, OnnxValue, 3).type, ==,
                       strcmp (cases[i].dtype, "f16") == 0 ? ONNX_FLOAT16 : ONNX_FLOAT);
      report = json_node_get_object (fr_test_report (t, "written"));
      g_assert_cmpint (json_object_get_int_member (report, "contrib_nodes"), ==,
                       strcmp (cases[i].dtype, "int4") == 0 ? 2 * 7 : 0);
    }
}

/* A weight beyond FLOAT16's range stays as it is, and is told. */
static void
test_wide (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'out', 'dtype': 'f16'}");
  g_autoptr (LmModel) base = made_model (t, MADE_CONFIG (FAMILY, "")), model = NULL;
  char *targets[] = { (char *) "o_proj", NULL };
  LmLoraSpec spec = { .rank = 1, .alpha = 1, .targets = targets };
  g_autoptr (LmLora) lora = lm_lora_plan (lm_model_config (base), &spec, NULL);
  g_autoptr (OnnxFile) file = NULL;
  LmLoraModule *m = g_ptr_array_index (lora->modules, 1);

  lm_lora_init (lora, 5);
  m->a[3] = 1000;
  m->b[2] = 70;
  model = lm_model_new_adapted (base, lora, NULL);
  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run (t);
  file = opened (t, "out/model.onnx");
  g_assert_cmpint (found (file, "model.layers.0.attn.o_proj.MatMul.weight")->type, ==,
                   ONNX_FLOAT16);
  g_assert_cmpint (found (file, "model.layers.1.attn.o_proj.MatMul.weight")->type, ==, ONNX_FLOAT);
  g_assert_cmpint (
      json_object_get_int_member (json_node_get_object (fr_test_report (t, "written")), "kept_f32"),
      ==, 1);
  assert_holds (t, "out/README.md", "model.layers.1.self_attn.o_proj.weight");
}

static void
test_adapter (void)
{
  static const char *const names[] = { "merged", "apart" };

  for (guint apart = 0; apart < 2; apart++)
    {
      g_autofree char *with = g_strdup_printf ("{'path': 'out', 'adapter': '%s'}", names[apart]);
      g_autoptr (FrTest) t = sink (with);
      g_autoptr (LmModel) base = made_model (t, MADE_CONFIG (FAMILY, ""));
      g_autoptr (LmModel) model = made_adapted (base);
      g_autoptr (OnnxFile) file = NULL;
      const LmLoraModule *m = lm_export_module (model, "model.layers.0.self_attn.q_proj.weight");
      JsonObject *report;
      float got, w = made_number ("model.layers.0.self_attn.q_proj.weight", 2 * 8 + 5), delta = 0;

      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_run (t);
      file = opened (t, "out/model.onnx");
      memcpy (&got,
              found (file, "model.layers.0.attn.q_proj.MatMul.weight")->raw.data
                  + (5 * 8 + 2) * sizeof got,
              sizeof got);
      for (guint k = 0; k < m->rank; k++)
        delta += m->b[2 * m->rank + k] * m->a[k * m->in + 5];
      g_assert_cmpfloat_with_epsilon (got, apart ? w : w + m->scale * delta, 1e-6);
      report = json_node_get_object (fr_test_report (t, "written"));
      g_assert_cmpint (json_object_get_int_member (report, names[apart]), ==, 4);
      g_assert_cmpint (json_object_get_int_member (report, names[!apart]), ==, 0);
      if (apart)
        assert_number (found (file, "model.layers.0.attn.q_proj.lora_A.MatMul.weight"), 5 * 3 + 1,
                       m->a[1 * m->in + 5]);
    }
}

static void
test_javascript (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'out', 'dtype': 'f16', 'layout': 'transformersjs'}");
  g_autoptr (LmModel) model = made_model (t, MADE_CONFIG (FAMILY, ""));

  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run (t);
  g_assert_true (is_there (t, "out/onnx/model_fp16.onnx"));
  assert_holds (t, "out/genai_config.json", "\"filename\": \"onnx/model_fp16.onnx\"");
  assert_holds (t, "out/config.json", "\"fp16\": \"float16\"");
}

/* ---- what is refused ---------------------------------------------------------------------------
 */

static void
test_refused (void)
{
  static const char *const withs[]
      = { "{'path': 'out', 'dtype': 'bf16', 'layout': 'transformersjs'}",
          "{'path': 'out', 'dtype': 'f16', 'activations': 'int8'}" };
  g_autoptr (FrTest) t = sink ("{'path': 'out', 'adapter': 'apart'}");
  g_autoptr (LmModel) model = made_model (t, MADE_CONFIG (FAMILY, ""));

  for (guint i = 0; i < G_N_ELEMENTS (withs); i++)
    {
      g_autoptr (FrTest) other = sink (withs[i]);

      fr_test_input_object (other, "in", (FrObject *) model);
      g_assert_false (fr_test_check (other));
    }
  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run_error (t, FR_ERROR_CONFIG, "has none");
  g_assert_false (is_there (t, "out"));
  g_assert_false (is_there (t, ".out.part"));
}

/* A NaN cannot be quantised; nothing is left of what was begun. */
static void
test_not_finite (void)
{
  static const char *const dtypes[] = { "int8", "int4" };

  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++)
    {
      g_autofree char *with = g_strdup_printf ("{'path': 'out', 'dtype': '%s'}", dtypes[i]);
      g_autoptr (FrTest) t = sink (with);
      g_autoptr (LmModel) base = made_model (t, MADE_CONFIG (FAMILY, "")), model = NULL;
      char *targets[] = { (char *) "o_proj", NULL };
      LmLoraSpec spec = { .rank = 1, .alpha = 1, .targets = targets };
      g_autoptr (LmLora) lora = lm_lora_plan (lm_model_config (base), &spec, NULL);

      lm_lora_init (lora, 5);
      ((LmLoraModule *) g_ptr_array_index (lora->modules, 1))->b[2] = NAN;
      model = lm_model_new_adapted (base, lora, NULL);
      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_run_error (t, FR_ERROR_DATA, "model.layers.1.self_attn.o_proj.weight");
      g_assert_false (is_there (t, "out"));
      g_assert_false (is_there (t, ".out.part"));
    }
}

/* A disk that is full in the middle: files may have @limit bytes. */
static void
test_full_disk (void)
{
  static const char *const externals[] = { "0", "1GB" };

  signal (SIGXFSZ, SIG_IGN);
  for (guint i = 0; i < 4; i++)
    {
      g_autofree char *with
          = g_strdup_printf ("{'path': 'out', 'external_data': '%s'}", externals[i % 2]);
      g_autoptr (FrTest) t = sink (with);
      g_autoptr (LmModel) model = made_model (t, LARGER);
      struct rlimit was, now;

      getrlimit (RLIMIT_FSIZE, &was);
      now = was;
      now.rlim_cur = i < 2 ? 1000 : 9000;
      fr_test_input_object (t, "in", (FrObject *) model);
      setrlimit (RLIMIT_FSIZE, &now);
      fr_test_run_error (t, FR_ERROR_IO, "model.onnx");
      setrlimit (RLIMIT_FSIZE, &was);
      g_assert_false (is_there (t, "out"));
      g_assert_false (is_there (t, ".out.part"));
    }
}

/* ---- verification -------------------------------------------------------------------------------
 */

/* One byte of @name is changed between writing and reading again. */
static void
assert_noticed (const char *name, gboolean external, Dtype dtype, gsize from_end)
{
  g_autoptr (FrTest) t = sink ("{'path': 'unused'}");
  g_autoptr (LmModel) model = made_model (t, LARGER);
  g_autofree char *out = in_dir (t, "verify"), *path = NULL, *bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (LmFolder) folder = lm_folder_new (out, "sink.onnx", &error);
  Export e = { .model = model,
               .folder = folder,
               .file = "model.onnx",
               .limit = external ? 0 : G_MAXINT32,
               .options = { .dtype = dtype, .threads = 2 } };
  gsize len;

  g_assert_no_error (error);
  export_write (&e, &error);
  g_assert_no_error (error);
  export_verify (&e, &error);
  g_assert_no_error (error);
  path = g_build_filename (lm_folder_dir (folder), name, NULL);
  g_assert_true (g_file_get_contents (path, &bytes, &len, NULL));
  bytes[len - from_end] ^= 1;
  g_assert_true (g_file_set_contents (path, bytes, (gssize) len, NULL));
  g_assert_false (export_verify (&e, &error));
  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  g_clear_error (&error);
  /* And cut off. */
  bytes[len - from_end] ^= 1;
  g_assert_true (g_file_set_contents (path, bytes, (gssize) (len - from_end), NULL));
  g_assert_false (export_verify (&e, &error));
  g_assert_nonnull (error);
  export_clear (&e);
}

static void
test_verify (void)
{
  assert_noticed ("model.onnx_data", TRUE, DTYPE_F32, 1);
  assert_noticed ("model.onnx_data", TRUE, DTYPE_F16, 5000);
  assert_noticed ("model.onnx", FALSE, DTYPE_F32, 10000);
  assert_noticed ("model.onnx", FALSE, DTYPE_INT4, 5000);
}

/* Numbers computed anew tell a mistake that a hash does not. */
static void
test_recompute (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'unused'}");
  g_autoptr (LmModel) model = made_model (t, MADE_CONFIG (FAMILY, ""));
  const LmTensor *source = lm_model_weight (model, LM_W_UP, 0); /* [12, 8] */
  g_autoptr (Tensor) tensor = tensor_new ("x", ONNX_FLOAT, FORM_TURNED, (gint64[]){ 8, 12 }, 2);
  float right[96], wrong[96];
  guint64 n = 0;

  tensor->source = source;
  lm_decode (source->type, source->data, wrong, 96); /* not turned */
  for (guint i = 0; i < 12; i++)
    for (guint j = 0; j < 8; j++)
      right[j * 12 + i] = wrong[i * 8 + j];
  g_assert_cmpint (tensor_wrong (tensor, model, (gconstpointer) right, NULL, &n), ==, -1);
  g_assert_cmpuint (n, ==, 64);
  g_assert_cmpint (tensor_wrong (tensor, model, (gconstpointer) wrong, NULL, &n), >=, 0);
}

/* ---- inspect ------------------------------------------------------------------------------------
 */

static void
test_inspect (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'out', 'external_data': '0', 'dtype': 'int4'}");
  g_autoptr (LmModel) model = made_model (t, LARGER);
  g_autofree char *path = in_dir (t, "out/model.onnx"), *data = in_dir (t, "out/model.onnx_data");
  g_autoptr (GPtrArray) services = NULL;
  const FrInspect *it = NULL;

  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run (t);
  services = fr_service_list ("inspect");
  for (guint i = 0; i < services->len; i++)
    {
      const FrService *one = g_ptr_array_index (services, i);

      if (strcmp (one->name, "onnx") == 0)
        it = one->table;
    }
  g_assert_nonnull (it);
  g_assert_true (it->knows (path, (const guint8 *) "\x08\x08", 2));
  g_assert_false (it->knows ("x.gguf", (const guint8 *) "\x08\x08", 2));
  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = it->inspect (path, &error);
      g_autofree char *text = NULL;

      g_assert_no_error (error);
      text = fr_json_to_string (node, 0);
      g_assert_nonnull (strstr (text, "[\"operators\",\"com.microsoft 1\"]"));
      g_assert_nonnull (strstr (text, "[\"com.microsoft.MatMulNBits\",\"7\"]"));
      g_assert_nonnull (strstr (text, "past_sequence_length + sequence_length"));
      g_assert_true ((strstr (text, "is not there") != NULL) == (round > 0));
      g_remove (data);
    }
}

/* A model is written where its report lets it, and else not at all. */
static void
test_gate (void)
{
  for (guint closed = 0; closed < 2; closed++)
    {
      g_autoptr (FrTest) t = sink ("{'path': 'out'}");
      g_autoptr (LmModel) model = made_model (t, MADE_CONFIG (FAMILY, ""));
      g_autoptr (FrObject) report
          = test_report (closed ? "[" TEST_LIMIT ("true") "]" : "[" TEST_LIMIT ("false") "]");
      g_autofree char *path = g_build_filename (fr_test_tmpdir (t), "out", NULL);

      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_input_object (t, "gate", report);
      fr_test_run (t);
      g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS) == !closed);
      g_assert_cmpint (fr_test_counter (t, "held_back"), ==, closed);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sink/onnx/wire", test_wire);
  g_test_add_func ("/sink/onnx/plain", test_plain);
  g_test_add_func ("/sink/onnx/external", test_external);
  g_test_add_func ("/sink/onnx/dtypes", test_dtypes);
  g_test_add_func ("/sink/onnx/wide", test_wide);
  g_test_add_func ("/sink/onnx/adapter", test_adapter);
  g_test_add_func ("/sink/onnx/javascript", test_javascript);
  g_test_add_func ("/sink/onnx/refused", test_refused);
  g_test_add_func ("/sink/onnx/not-finite", test_not_finite);
  g_test_add_func ("/sink/onnx/full-disk", test_full_disk);
  g_test_add_func ("/sink/onnx/verify", test_verify);
  g_test_add_func ("/sink/onnx/recompute", test_recompute);
  g_test_add_func ("/sink/onnx/inspect", test_inspect);
  g_test_add_func ("/sink/onnx/gate", test_gate);
  return g_test_run ();
}
