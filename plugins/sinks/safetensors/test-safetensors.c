/* SPDX-License-Identifier: Apache-2.0 */
/* test-safetensors.c: sink.safetensors: what is written, read again as a model; what is refused;
 * what is left when it fails.
 */
#include "config.h"

#include <flowrun/test.h>
#include <glib/gstdio.h>
#include <math.h>

#include "lm/export/test-gate.h"
#include "lm/model.h"
#include "lm/weights/test-files.h"

#define FAMILY "qwen2"

static FrTest *
sink (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "sink-safetensors.so", NULL);

  return fr_test_new_file (path, "sink.safetensors", with);
}

static char *
in_dir (FrTest *t, const char *name)
{
  return g_build_filename (fr_test_tmpdir (t), name, NULL);
}

static LmModel *
opened (const char *path)
{
  g_autoptr (GError) error = NULL;
  LmModel *model = lm_model_open (path, &error);

  g_assert_no_error (error);
  return model;
}

static LmModel *
made_base (FrTest *t, const char *config, LmType type)
{
  g_autofree char *dir = in_dir (t, "base");

  made_directory (dir, config, type);
  made_write (dir, "tokenizer_config.json", "{'a':   1}");
  made_write (dir, "LICENSE", "do good");
  made_write (dir, "README.md", "---\nlicense: mit\n---\nx");
  return opened (dir);
}

static LmModel *
made_adapted (LmModel *base, JsonObject *card)
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
  return lm_model_new_adapted (base, lora, card);
}

static void
assert_holds (FrTest *t, const char *name, const char *part)
{
  g_autofree char *path = in_dir (t, name), *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  if (strstr (text, part) == NULL)
    {
      g_test_message ("expected '%s' in %s: %s", part, name, text);
      g_test_fail ();
    }
}

static gboolean
is_there (FrTest *t, const char *name)
{
  g_autofree char *path = in_dir (t, name);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* ---- what is written ------------------------------------------------------------------- */

static void
test_adapter (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'out'}");
  g_autoptr (LmModel) base = made_base (t, MADE_CONFIG (FAMILY, ""), LM_BF16);
  g_autoptr (LmModel) model = made_adapted (
      base, made_object ("{'loss_before': 3.5, 'targets': ['a', 'b|c'],"
                         " 'data': {'train_rows': 7}, 'points': [{'step': 1, 'loss': 2}]}"));
  g_autofree char *out = in_dir (t, "out");
  g_autoptr (LmModel) again = NULL;

  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run (t);
  again = opened (out);
  g_assert_cmpuint (lm_model_lora (again)->modules->len, ==, 4);
  g_assert_cmpstr (lm_model_path (again), ==, lm_model_path (base));
  assert_holds (t, "out/README.md", "library_name: peft\nlicense: mit\n");
  assert_holds (t, "out/README.md", "| loss before | 3.5 |");
  assert_holds (t, "out/README.md", "| targets | a, b\\|c |");
  assert_holds (t, "out/README.md", "### data\n\n| | |\n| --- | --- |\n| train rows | 7 |");
  assert_holds (t, "out/README.md", "| step | loss |\n| --- | --- |\n| 1 | 2 |");
  assert_holds (t, "out/README.md", "xxh3:");
  g_assert_false (is_there (t, "out/config.json"));
  g_assert_false (is_there (t, ".out.part"));
}

/* fp32 (W) + scale · B · A, rounded once. */
static void
assert_merged (LmModel *model, LmModel *again, LmWeightRole role, guint layer)
{
  const LmTensor *w = lm_model_weight (model, role, layer),
                 *got = lm_model_weight (again, role, layer);
  const LmLora *lora = lm_model_lora (model);
  gsize rows = (gsize) w->dims[0], cols = (gsize) w->dims[1];
  g_autofree float *from = g_new (float, rows *cols), *to = g_new (float, rows *cols);
  const LmLoraModule *m = NULL;

  for (guint i = 0; i < lora->modules->len; i++)
    {
      const LmLoraModule *one = g_ptr_array_index (lora->modules, i);

      if (one->role == role && one->layer == layer)
        m = one;
    }
  lm_decode (w->type, w->data, from, rows * cols);
  lm_decode (got->type, got->data, to, rows * cols);
  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < cols; j++)
      {
        double delta = 0, expected = (double) from[i * cols + j];

        for (guint k = 0; m != NULL && k < m->rank; k++)
          delta += (double) m->b[i * m->rank + k] * (double) m->a[k * cols + j];
        if (m != NULL)
          expected += (double) m->scale * delta;
        g_assert_cmpfloat_with_epsilon ((double) to[i * cols + j], expected,
                                        got->type == LM_F32 ? 1e-6 : 4e-3);
      }
}

static void
test_merged (void)
{
  static const struct
  {
    const char *dtype, *name;
    LmType type;
  } cases[] = { { "keep", "bfloat16", LM_BF16 },
                { "f32", "float32", LM_F32 },
                { "f16", "float16", LM_F16 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *with
          = g_strdup_printf ("{'path': 'out', 'what': 'merged', 'dtype': '%s'}", cases[i].dtype);
      g_autofree char *dtype = g_strdup_printf ("\"torch_dtype\": \"%s\"", cases[i].name);
      g_autoptr (FrTest) t = sink (with);
      g_autoptr (LmModel) base = made_base (
          t, MADE_CONFIG (FAMILY, ", 'tie_word_embeddings': true, 'mine': 1.0"), LM_BF16);
      g_autoptr (LmModel) model = made_adapted (base, NULL), again = NULL;
      g_autofree char *out = in_dir (t, "out"), *below = in_dir (t, "out/adapter");
      g_autoptr (LmLora) lora = NULL;
      JsonObject *report;

      fr_test_input_object (t, "in", (FrObject *) model);
      fr_test_run (t);
      again = opened (out);
      g_assert_null (lm_model_lora (again));
      g_assert_cmpuint (lm_model_warnings (again)->len, ==, 0); /* no head written */
      for (guint layer = 0; layer < 2; layer++)
        {
          g_assert_cmpint (lm_model_weight (again, LM_W_Q, layer)->type, ==, cases[i].type);
          assert_merged (model, again, LM_W_Q, layer);
          assert_merged (model, again, LM_W_K, layer);
          assert_merged (model, again, LM_W_DOWN, layer);
        }
      assert_holds (t, "out/config.json", dtype);
      assert_holds (t, "out/config.json", "\"mine\": 1.0");
      assert_holds (t, "out/config.json", "\"rope_theta\": 10000.0");
      assert_holds (t, "out/tokenizer_config.json", "{\"a\":   1}");
      assert_holds (t, "out/LICENSE", "do good");
      lora = lm_lora_load (below, lm_model_config (base), NULL);
      g_assert_nonnull (lora);
      report = json_node_get_object (fr_test_report (t, "written"));
      g_assert_cmpint (json_object_get_int_member (report, "merged"), ==, 4);
      g_assert_cmpint (json_object_get_int_member (report, "tensors"), ==, 2 + 2 * 12);
      if (cases[i].type == LM_F32)
        g_assert_cmpfloat (json_object_get_double_member (report, "largest_rounding"), ==, 0);
      else
        g_assert_cmpfloat (json_object_get_double_member (report, "largest_rounding"), >, 0);
    }
}

static void
test_shards (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'deep/er/out', 'max_shard_size': '600'}");
  g_autoptr (LmModel) base = made_base (t, MADE_CONFIG (FAMILY, ""), LM_BF16), again = NULL;
  g_autofree char *out = in_dir (t, "deep/er/out");
  gint64 n;

  fr_test_input_object (t, "in", (FrObject *) base);
  fr_test_run (t);
  again = opened (out);
  n = json_object_get_int_member (json_node_get_object (fr_test_report (t, "written")), "files");
  g_assert_cmpint (n, >, 2);
  g_assert_true (is_there (t, "deep/er/out/model.safetensors.index.json"));
  g_assert_false (is_there (t, "deep/er/out/model.safetensors"));
  assert_holds (t, "deep/er/out/model.safetensors.index.json", "\"total_size\": 2832");
  for (gsize i = 0; i < lm_model_n_tensors (base); i++)
    {
      const LmTensor *a = lm_model_nth_tensor (base, i), *b = lm_model_nth_tensor (again, i);

      g_assert_cmpstr (a->name, ==, b->name);
      g_assert_cmpmem (a->data, a->bytes, b->data, b->bytes);
    }
}

static void
tensor_free (gpointer data)
{
  LmTensor *t = data;

  g_free (t->name);
  g_free ((gpointer) t->data);
  g_free (t);
}

/* A tensor tuned in F32 on a base in BF16 is written in BF16. */
static void
test_tuned (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'out', 'what': 'model'}");
  g_autoptr (LmModel) base = made_base (t, MADE_CONFIG (FAMILY, ""), LM_BF16), again = NULL;
  GPtrArray *tensors = g_ptr_array_new_with_free_func (tensor_free);
  LmTensor *own = g_memdup2 (lm_model_weight (base, LM_W_O, 1), sizeof *own);
  float *numbers = g_new (float, 64);
  g_autoptr (LmModel) model = NULL;
  g_autofree char *out = in_dir (t, "out");
  const LmTensor *got;

  for (guint i = 0; i < 64; i++)
    numbers[i] = (float) i + 0.001f;
  own->name = g_strdup (own->name);
  own->type = LM_F32;
  own->data = numbers;
  own->bytes = 64 * sizeof (float);
  g_ptr_array_add (tensors, own);
  model = lm_model_new_tuned (base, tensors, NULL);
  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run (t);
  again = opened (out);
  got = lm_model_weight (again, LM_W_O, 1);
  g_assert_cmpint (got->type, ==, LM_BF16);
  g_assert_cmpfloat (lm_bf16_to_float (((const guint16 *) got->data)[63]), ==, 63);
}

/* ---- the directory ----------------------------------------------------------------------- */

static void
test_replaced (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'out'}");
  g_autoptr (LmModel) base = made_base (t, MADE_CONFIG (FAMILY, ""), LM_BF16);
  g_autoptr (LmModel) model = made_adapted (base, NULL);
  g_autofree char *out = in_dir (t, "out"), *left = in_dir (t, ".out.part");

  g_mkdir (left, 0777); /* of a killed run */
  made_write (left, "x", "x");
  fr_test_input_object (t, "in", (FrObject *) base);
  fr_test_run (t);
  g_assert_true (is_there (t, "out/model.safetensors"));
  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run (t);
  g_assert_true (is_there (t, "out/adapter_model.safetensors"));
  g_assert_false (is_there (t, "out/model.safetensors"));
  g_assert_false (is_there (t, ".out.part"));
}

static void
test_foreign (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'out'}");
  g_autoptr (LmModel) base = made_base (t, MADE_CONFIG (FAMILY, ""), LM_BF16);
  g_autofree char *out = in_dir (t, "out");

  g_mkdir (out, 0777);
  fr_test_input_object (t, "in", (FrObject *) base);
  g_assert_true (fr_test_check (t)); /* empty */
  made_write (out, "thesis.txt", "years of work");
  g_assert_false (fr_test_check (t));
  g_assert_nonnull (strstr (fr_test_problems (t), "not made by this sink"));
  fr_test_run_error (t, FR_ERROR_CONFIG, "not made by this sink");
  assert_holds (t, "out/thesis.txt", "years");
}

/* Neither the base's own directory nor anything half-written. */
static void
test_refused (void)
{
  static const struct
  {
    const char *with;
    gboolean adapted;
    const char *text;
  } cases[] = { { "{'path': 'out', 'what': 'merged'}", FALSE, "has none" },
                { "{'path': 'out', 'what': 'adapter'}", FALSE, "has none" },
                { "{'path': 'out', 'what': 'model'}", TRUE, "has an adapter" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = sink (cases[i].with);
      g_autoptr (LmModel) base = made_base (t, MADE_CONFIG (FAMILY, ""), LM_BF16);
      g_autoptr (LmModel) model = made_adapted (base, NULL);

      fr_test_input_object (t, "in", (FrObject *) (cases[i].adapted ? model : base));
      fr_test_run_error (t, FR_ERROR_CONFIG, cases[i].text);
      g_assert_false (is_there (t, "out"));
      g_assert_false (is_there (t, ".out.part"));
    }
}

static void
test_own_base (void)
{
  g_autoptr (FrTest) first = sink ("{'path': 'out'}");
  g_autoptr (LmModel) base = made_base (first, MADE_CONFIG (FAMILY, ""), LM_BF16), made = NULL;
  g_autofree char *out = in_dir (first, "out");
  g_autofree char *with = g_strdup_printf ("{'path': '%s'}", out);
  g_autoptr (FrTest) second = sink (with);

  fr_test_input_object (first, "in", (FrObject *) base);
  fr_test_run (first);
  made = opened (out);
  fr_test_input_object (second, "in", (FrObject *) made);
  fr_test_run_error (second, FR_ERROR_CONFIG, "is the model that this is made from");
  g_assert_true (is_there (first, "out/model.safetensors"));
}

/* ---- a gate ---------------------------------------------------------------------------------- */

/* What an earlier run wrote stays as it is when a later model is no better. */
static void
test_gate (void)
{
  static const struct
  {
    const char *limits;
    gboolean open;
  } cases[] = { { "[" TEST_LIMIT ("false") "]", TRUE },
                { "[" TEST_LIMIT ("true") "]", FALSE },
                { "[" TEST_LIMIT ("false") ", {'name': 'leak', 'limit_is': 'highest', 'limit': 0, "
                                           "'value': null, 'passed': true}]",
                  FALSE },
                { "[{'name': 'bleu'}]", FALSE }, /* not said to be kept: not kept */
                { "['?']", FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint before = 0; before < 2; before++)
      {
        g_autoptr (FrTest) t = sink ("{'path': 'out'}");
        g_autoptr (LmModel) base = made_base (t, MADE_CONFIG (FAMILY, ""), LM_BF16);
        g_autoptr (LmModel) model = made_adapted (base, NULL);
        g_autoptr (FrObject) report = test_report (cases[i].limits);
        g_autofree char *mark = in_dir (t, "out/mark");

        if (before)
          {
            g_autoptr (FrTest) first = sink ("{'path': 'out'}");
            g_autofree char *made = in_dir (first, "out"), *out = in_dir (t, "out");

            fr_test_input_object (first, "in", (FrObject *) model);
            fr_test_run (first);
            g_assert_cmpint (g_rename (made, out), ==, 0);
            g_assert_true (g_file_set_contents (mark, "before", -1, NULL));
          }
        fr_test_input_object (t, "in", (FrObject *) model);
        fr_test_input_object (t, "gate", report);
        fr_test_run (t);
        g_assert_cmpint (fr_test_counter (t, "held_back"), ==, cases[i].open ? 0 : 1);
        g_assert_true (is_there (t, "out/adapter_model.safetensors") == (cases[i].open || before));
        g_assert_true (is_there (t, "out/mark") == (before && !cases[i].open));
      }
}

static void
test_gate_without_limits (void)
{
  g_autoptr (FrTest) t = sink ("{'path': 'out'}");
  g_autoptr (LmModel) model = made_base (t, MADE_CONFIG (FAMILY, ""), LM_BF16);
  g_autoptr (FrObject) report = test_report ("[]");

  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_input_object (t, "gate", report);
  fr_test_run_error (t, FR_ERROR_CONFIG, "holds no limits");
  g_assert_false (is_there (t, "out"));
}

/* ---- the quickstart's base model --------------------------------------------------------- */

static void
test_gguf (void)
{
  const char *path = g_getenv ("FLOWRUN_SMOLLM2");
  g_autoptr (FrTest) t = sink ("{'path': 'out'}");
  g_autoptr (LmModel) model = NULL, again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *out = in_dir (t, "out");
  float a[64], b[64];

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("FLOWRUN_SMOLLM2 names no file");
      return;
    }
  model = opened (path);
  fr_test_input_object (t, "in", (FrObject *) model);
  fr_test_run (t);
  again = opened (out);
  g_assert_cmpint (lm_model_weight (again, LM_W_Q, 7)->type, ==, LM_BF16);
  lm_decode (LM_Q4_1, lm_model_weight (model, LM_W_Q, 7)->data, a, 64);
  lm_decode (LM_BF16, lm_model_weight (again, LM_W_Q, 7)->data, b, 64);
  for (guint i = 0; i < 64; i++)
    g_assert_cmpfloat (fabsf (a[i] - b[i]), <=, fabsf (a[i]) / 256);
  g_assert_cmpstr (lm_model_special (again, "bos_token"), ==,
                   lm_model_special (model, "bos_token"));
  g_assert_cmpstr (lm_model_template_source (again), ==, lm_model_template_source (model));
  g_assert_nonnull (lm_model_tokenizer (again, &error));
  g_assert_cmpfloat (lm_model_config (again)->rms_norm_eps, ==, 1e-5);
  assert_holds (t, "out/README.md", "license: apache-2.0");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sink/safetensors/adapter", test_adapter);
  g_test_add_func ("/sink/safetensors/merged", test_merged);
  g_test_add_func ("/sink/safetensors/shards", test_shards);
  g_test_add_func ("/sink/safetensors/tuned", test_tuned);
  g_test_add_func ("/sink/safetensors/replaced", test_replaced);
  g_test_add_func ("/sink/safetensors/foreign", test_foreign);
  g_test_add_func ("/sink/safetensors/refused", test_refused);
  g_test_add_func ("/sink/safetensors/own-base", test_own_base);
  g_test_add_func ("/sink/safetensors/gate", test_gate);
  g_test_add_func ("/sink/safetensors/gate-without-limits", test_gate_without_limits);
  g_test_add_func ("/sink/safetensors/gguf", test_gguf);
  return g_test_run ();
}
