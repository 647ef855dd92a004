/* SPDX-License-Identifier: Apache-2.0 */
/* test-lora.c: which modules a specification means; PEFT's files there and back; what is refused.
 */
#include "config.h"

#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "lm/checkpoint.h"
#include "lm/lora.h"

static LmConfig *
tiny (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) root = fr_json_parse (
      "{\"model_type\": \"qwen2\", \"vocab_size\": 32, \"hidden_size\": 8, \"intermediate_size\": "
      "12,"
      " \"num_hidden_layers\": 4, \"num_attention_heads\": 2, \"num_key_value_heads\": 1,"
      " \"max_position_embeddings\": 64, \"rms_norm_eps\": 1e-6, \"rope_theta\": 10000.0,"
      " \"hidden_act\": \"silu\", \"tie_word_embeddings\": true}",
      -1, 0, &error);
  LmConfig *config;

  g_assert_no_error (error);
  config = lm_config_parse (json_node_get_object (root), &error);
  g_assert_no_error (error);
  return config;
}

static LmLoraSpec
spec_new (const char *targets, const guint *layers, guint n)
{
  LmLoraSpec spec
      = { .rank = 4, .alpha = 8, .dropout = 0.1, .targets = g_strsplit (targets, ",", -1) };

  if (n > 0)
    {
      spec.layers = g_array_new (FALSE, FALSE, sizeof (guint));
      g_array_append_vals (spec.layers, layers, n);
    }
  return spec;
}

static LmLora *
plan (const LmConfig *config, const char *targets, const guint *layers, guint n, GError **error)
{
  LmLoraSpec spec = spec_new (targets, layers, n);
  LmLora *lora = lm_lora_plan (config, &spec, error);

  lm_lora_spec_clear (&spec);
  return lora;
}

static LmLoraModule *
module (LmLora *lora, guint i)
{
  g_assert_cmpuint (i, <, lora->modules->len);
  return lora->modules->pdata[i];
}

static void
test_plan (void)
{
  static const struct
  {
    const char *targets;
    guint layers[4], n_layers;
    guint n;
    const char *first, *last;
  } cases[] = {
    { "q_proj,v_proj",
      { 0 },
      0,
      8,
      "model.layers.0.self_attn.q_proj",
      "model.layers.3.self_attn.v_proj" },
    { "all-linear",
      { 0 },
      0,
      28,
      "model.layers.0.self_attn.q_proj",
      "model.layers.3.mlp.down_proj" },
    { "v_proj",
      { 1, 1, 3, 3 },
      4,
      2,
      "model.layers.1.self_attn.v_proj",
      "model.layers.3.self_attn.v_proj" },
    { "mlp.up_proj", { 0, 1 }, 2, 2, "model.layers.0.mlp.up_proj", "model.layers.1.mlp.up_proj" },
    { "model.layers.2.mlp.down_proj",
      { 0 },
      0,
      1,
      "model.layers.2.mlp.down_proj",
      "model.layers.2.mlp.down_proj" },
  };
  g_autoptr (LmConfig) config = tiny ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmLora) lora
          = plan (config, cases[i].targets, cases[i].layers, cases[i].n_layers, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (lora->modules->len, ==, cases[i].n);
      g_assert_cmpstr (module (lora, 0)->module, ==, cases[i].first);
      g_assert_cmpstr (module (lora, cases[i].n - 1)->module, ==, cases[i].last);
      g_assert_cmpuint (module (lora, 0)->rank, ==, 4);
      g_assert_cmpfloat (module (lora, 0)->scale, ==, 2);
    }
}

static void
test_plan_refuses (void)
{
  static const struct
  {
    const char *targets;
    guint layers[2], n_layers;
    const char *says;
  } cases[] = {
    { "q_prj", { 0 }, 0, "did you mean 'q_proj'" },
    { "q_proj,lm_head", { 0 }, 0, "no layer has a linear part 'lm_head'" },
    { "q_proj", { 2, 4 }, 2, "the model's layers are 0-3" },
    { "q_proj", { 2, 1 }, 2, "layers 2-1" },
    { "model.layers.2.mlp.down_proj", { 0, 0 }, 2, "name no module" },
    { "proj", { 0 }, 0, "no layer has a linear part 'proj'" },
  };
  g_autoptr (LmConfig) config = tiny ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (plan (config, cases[i].targets, cases[i].layers, cases[i].n_layers, &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
}

static void
test_init (void)
{
  g_autoptr (LmConfig) config = tiny ();
  g_autoptr (LmLora) one = plan (config, "all-linear", NULL, 0, NULL);
  g_autoptr (LmLora) two = plan (config, "v_proj", NULL, 0, NULL);
  double sum = 0, squares = 0, most = 0;
  gsize n = 0;

  lm_lora_init (one, 7);
  lm_lora_init (two, 7);
  /* the same module begins the same, whatever else is trained */
  g_assert_cmpmem (module (one, 2)->a, 4 * 8 * sizeof (float), module (two, 0)->a,
                   4 * 8 * sizeof (float));
  for (guint i = 0; i < one->modules->len; i++)
    {
      LmLoraModule *m = module (one, i);
      double bound = 1 / sqrt ((double) m->in);

      for (gsize j = 0; j < m->rank * m->in; j++, n++)
        {
          g_assert_cmpfloat (fabs ((double) m->a[j]), <=, bound);
          sum += (double) m->a[j] / bound;
          squares += (double) m->a[j] * (double) m->a[j] / (bound * bound);
          most = MAX (most, fabs ((double) m->a[j]) / bound);
        }
      for (gsize j = 0; j < m->out * m->rank; j++)
        g_assert_cmpfloat (m->b[j], ==, 0);
    }
  g_assert_cmpfloat (fabs (sum / (double) n), <, 0.08);
  g_assert_cmpfloat (fabs (squares / (double) n - 1.0 / 3), <, 0.05);
  g_assert_cmpfloat (most, >, 0.98);
  lm_lora_init (two, 8);
  g_assert_cmpint (memcmp (module (one, 2)->a, module (two, 0)->a, 4 * 8 * sizeof (float)), !=, 0);
}

/* ---- files ------------------------------------------------------------------------- */

static char *
tmpdir (void)
{
  char *dir = g_dir_make_tmp ("lora-XXXXXX", NULL);

  g_assert_nonnull (dir);
  return dir;
}

static void
rmdir_all (const char *dir)
{
  static const char *const names[] = { "adapter_config.json", "adapter_model.safetensors" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (dir, names[i], NULL);

      g_unlink (path);
    }
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

static void
assert_equal (LmLora *a, LmLora *b)
{
  g_assert_cmpuint (a->modules->len, ==, b->modules->len);
  for (guint i = 0; i < a->modules->len; i++)
    {
      LmLoraModule *x = module (a, i), *y = module (b, i);

      g_assert_cmpstr (x->module, ==, y->module);
      g_assert_cmpuint (x->rank, ==, y->rank);
      g_assert_cmpfloat (x->scale, ==, y->scale);
      g_assert_cmpmem (x->a, x->rank * x->in * sizeof (float), y->a,
                       y->rank * y->in * sizeof (float));
      g_assert_cmpmem (x->b, x->rank * x->out * sizeof (float), y->b,
                       y->rank * y->out * sizeof (float));
    }
}

static void
fill_b (LmLora *lora)
{
  for (guint i = 0; i < lora->modules->len; i++)
    for (gsize j = 0; j < module (lora, i)->out * module (lora, i)->rank; j++)
      module (lora, i)->b[j] = (float) (i + 1) / (float) (j + 2);
}

static void
check_there_and_back (const char *targets, const guint *layers, guint n, gboolean uneven)
{
  g_autoptr (LmConfig) config = tiny ();
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLora) lora = plan (config, targets, layers, n, &error);
  g_autoptr (LmLora) back = NULL, again = NULL;
  g_autofree char *dir = tmpdir ();

  g_assert_no_error (error);
  if (uneven)
    {
      module (lora, 1)->rank = 2;
      module (lora, 1)->scale = 4;
      module (lora, 2)->scale = 0.75f;
    }
  lm_lora_init (lora, 3);
  fill_b (lora);
  g_assert_true (lm_lora_save (lora, "a/base", dir, &error));
  g_assert_no_error (error);
  back = lm_lora_load (dir, config, &error);
  g_assert_no_error (error);
  assert_equal (lora, back);
  g_assert_true (lm_lora_save (back, "a/base", dir, &error));
  again = lm_lora_load (dir, config, &error);
  g_assert_no_error (error);
  assert_equal (lora, again);
  rmdir_all (dir);
}

static void
test_there_and_back (void)
{
  static const guint pairs[] = { 0, 0, 2, 3 };

  check_there_and_back ("q_proj,v_proj", NULL, 0, FALSE);
  check_there_and_back ("all-linear", NULL, 0, TRUE);
  check_there_and_back ("o_proj,gate_proj", pairs, 4, TRUE);
  check_there_and_back ("model.layers.1.mlp.up_proj,model.layers.3.self_attn.k_proj", NULL, 0,
                        FALSE);
}

/* The very text, so that a reader who has only PEFT's documentation can follow it. */
static void
test_config_text (void)
{
  static const guint pairs[] = { 1, 2 };
  g_autoptr (LmConfig) config = tiny ();
  g_autoptr (LmLora) lora = plan (config, "v_proj,q_proj", pairs, 2, NULL);
  g_autofree char *dir = tmpdir ();
  g_autofree char *path = g_build_filename (dir, "adapter_config.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  lm_lora_init (lora, 1);
  g_assert_true (lm_lora_save (lora, "org/base", dir, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (
      text, ==,
      "{\n  \"alpha_pattern\": {},\n  \"auto_mapping\": null,\n"
      "  \"base_model_name_or_path\": \"org/base\",\n  \"bias\": \"none\",\n"
      "  \"fan_in_fan_out\": false,\n  \"inference_mode\": true,\n"
      "  \"init_lora_weights\": true,\n  \"layer_replication\": null,\n"
      "  \"layers_pattern\": null,\n  \"layers_to_transform\": [\n    1,\n    2\n  ],\n"
      "  \"loftq_config\": {},\n  \"lora_alpha\": 8,\n  \"lora_dropout\": 0.1,\n"
      "  \"megatron_config\": null,\n  \"megatron_core\": \"megatron.core\",\n"
      "  \"modules_to_save\": null,\n  \"peft_type\": \"LORA\",\n  \"r\": 4,\n"
      "  \"rank_pattern\": {},\n  \"revision\": null,\n"
      "  \"target_modules\": [\n    \"q_proj\",\n    \"v_proj\"\n  ],\n"
      "  \"task_type\": \"CAUSAL_LM\",\n  \"use_dora\": false,\n  \"use_rslora\": false\n}");
  rmdir_all (dir);
}

static void
write_config (const char *dir, const char *text)
{
  g_autofree char *path = g_build_filename (dir, "adapter_config.json", NULL);
  g_autofree char *json = g_strdelimit (g_strdup (text), "'", '"');

  g_assert_true (g_file_set_contents (path, json, -1, NULL));
}

static void
test_load_refuses (void)
{
  static const struct
  {
    const char *config;
    const char *says;
  } cases[] = {
    { "{'peft_type': 'LORA', 'r': 4, 'target_modules': ['q_proj'], 'use_dora': true}",
      "\"use_dora\": true" },
    { "{'peft_type': 'LORA', 'r': 4, 'target_modules': ['q_proj'], 'bias': 'all'}",
      "\"bias\": \"all\"" },
    { "{'peft_type': 'LORA', 'r': 4, 'target_modules': ['q_proj'], 'modules_to_save': ['lm_head']}",
      "modules_to_save" },
    { "{'peft_type': 'IA3', 'target_modules': ['q_proj']}",
      "\"peft_type\": expected \"LORA\", found IA3" },
    { "{'peft_type': 'LORA', 'r': 4}", "\"target_modules\" is missing" },
    { "{'peft_type': 'LORA', 'r': 4, 'target_modules': ['c_attn']}",
      "no linear layer of this model" },
    { "{'peft_type': 'LORA', 'r': 4.5, 'target_modules': ['q_proj']}", "whole number" },
    { "{'peft_type': 'LORA', 'r': 'x', 'target_modules': ['q_proj']}", "\"r\": expected a number" },
    { "{'peft_type': 'LORA', 'r': 8, 'target_modules': ['q_proj']}", "ask for [8, 8]" },
    { "{'peft_type': 'LORA', 'r': 4, 'target_modules': ['q_proj', 'v_proj']}",
      "lacks tensors of targeted modules" },
    { "{'peft_type': 'LORA', 'r': 4, 'target_modules': ['q_proj'], 'layers_to_transform': [0]}",
      "belong to no targeted module" },
    { "{'peft_type': 'LORA', 'r': 4, 'target_modules': '('}", "regular" },
    { "{'peft_type': 'LORA', 'r': 4, 'target_modules': ['q_proj'], 'rank_pattern': {'q_proj': 0}}",
      "rank_pattern" },
    { "[]", "expected a JSON object" },
    { "{'peft_type': ", "adapter_config.json" },
  };
  g_autoptr (LmConfig) config = tiny ();
  g_autoptr (LmLora) lora = plan (config, "q_proj", NULL, 0, NULL);
  g_autofree char *dir = tmpdir ();

  lm_lora_init (lora, 1);
  g_assert_true (lm_lora_save (lora, NULL, dir, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      write_config (dir, cases[i].config);
      g_assert_null (lm_lora_load (dir, config, &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
  rmdir_all (dir);
}

/* What PEFT also accepts: a regular expression, exclusions, keys of later versions. */
static void
test_load_accepts (void)
{
  static const char *const cases[] = {
    "{'peft_type': 'LORA', 'r': 4, 'lora_alpha': 8, 'target_modules': '.*\\\\.q_proj'}",
    "{'peft_type': 'LORA', 'r': 4, 'lora_alpha': 8, 'target_modules': ['q_proj', 'v_proj'], "
    "'exclude_modules': ['v_proj']}",
    "{'peft_type': 'LORA', 'r': 16, 'lora_alpha': 1, 'target_modules': ['q_proj'], 'rank_pattern': "
    "{'q_proj': 4},"
    " 'alpha_pattern': {'layers.[0-9].self_attn.q_proj': 8}, 'a_later_key': 1, 'lora_bias': false}",
  };
  g_autoptr (LmConfig) config = tiny ();
  g_autoptr (LmLora) lora = plan (config, "q_proj", NULL, 0, NULL);
  g_autofree char *dir = tmpdir ();

  lm_lora_init (lora, 1);
  fill_b (lora);
  g_assert_true (lm_lora_save (lora, NULL, dir, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmLora) back = NULL;

      write_config (dir, cases[i]);
      back = lm_lora_load (dir, config, &error);
      g_assert_no_error (error);
      assert_equal (lora, back);
    }
  rmdir_all (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lora/plan", test_plan);
  g_test_add_func ("/lora/plan-refuses", test_plan_refuses);
  g_test_add_func ("/lora/init", test_init);
  g_test_add_func ("/lora/there-and-back", test_there_and_back);
  g_test_add_func ("/lora/config-text", test_config_text);
  g_test_add_func ("/lora/load-refuses", test_load_refuses);
  g_test_add_func ("/lora/load-accepts", test_load_accepts);
  return g_test_run ();
}
