/* SPDX-License-Identifier: Apache-2.0 */
/* test-model.c: source.model in a harness, and the inspect service on whole and damaged models. */
#include "config.h"

#include <flowrun/service.h>
#include <flowrun/test.h>

#include "lm/model.h"
#include "lm/weights/test-files.h"

static FrTest *
source (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "source-model.so", NULL);

  return fr_test_new_file (path, "source.model", with);
}

static void
test_run (void)
{
  g_autoptr (FrTest) t = source ("{'path': 'base'}");
  g_autofree char *dir = g_build_filename (fr_test_tmpdir (t), "base", NULL);
  LmModel *model;

  made_directory (dir, MADE_CONFIG ("qwen2", ""), LM_BF16);
  g_assert_true (fr_test_check (t));
  fr_test_run (t);
  model = (LmModel *) fr_test_output_object (t, "out");
  g_assert_nonnull (model);
  g_assert_true (fr_object_is ((FrObject *) model, "lm.model"));
  g_assert_cmpuint (lm_model_n_tensors (model), ==, 27);
  g_assert_null (lm_model_lora (model));
}

static void
write_adapter (const char *base_dir, const char *dir)
{
  char *targets[] = { (char *) "v_proj", NULL };
  LmLoraSpec spec = { .rank = 2, .alpha = 2, .targets = targets };
  g_autoptr (GError) error = NULL;
  g_autoptr (LmModel) base = lm_model_open (base_dir, &error);
  g_autoptr (LmLora) lora = NULL;

  g_assert_no_error (error);
  lora = lm_lora_plan (lm_model_config (base), &spec, &error);
  g_assert_no_error (error);
  lm_lora_init (lora, 7);
  g_mkdir_with_parents (dir, 0777);
  lm_lora_save (lora, base_dir, dir, &error);
  g_assert_no_error (error);
}

static void
test_adapter (void)
{
  g_autoptr (FrTest) t = source ("{'path': 'base', 'adapter': 'adapter'}");
  g_autofree char *dir = g_build_filename (fr_test_tmpdir (t), "base", NULL);
  g_autofree char *adapter = g_build_filename (fr_test_tmpdir (t), "adapter", NULL);
  LmModel *model;

  made_directory (dir, MADE_CONFIG ("qwen2", ""), LM_BF16);
  g_assert_false (fr_test_check (t));
  g_assert_nonnull (strstr (fr_test_problems (t), "adapter"));
  write_adapter (dir, adapter);
  fr_test_run (t);
  model = (LmModel *) fr_test_output_object (t, "out");
  g_assert_cmpuint (lm_model_lora (model)->modules->len, ==, 2);
}

/* The check finds it, and says which parameter is to blame. */
static void
test_bad (void)
{
  g_autoptr (FrTest) t = source ("{'path': 'base'}");
  g_autofree char *dir = g_build_filename (fr_test_tmpdir (t), "base", NULL);
  g_autofree char *file = g_build_filename (dir, "model.safetensors", NULL), *text = NULL;
  gsize len;

  made_directory (dir, MADE_CONFIG ("qwen2", ""), LM_BF16);
  g_file_get_contents (file, &text, &len, NULL);
  g_file_set_contents (file, text, (gssize) len - 3, NULL);
  g_assert_false (fr_test_check (t));
  g_assert_nonnull (strstr (fr_test_problems (t), "/path"));
  g_assert_nonnull (strstr (fr_test_problems (t), "truncated: its last 3 of"));
}

/* ---- inspect ----------------------------------------------------------------------------- */

static const FrInspect *
inspector (void)
{
  g_autoptr (GPtrArray) list = fr_service_list ("inspect");

  for (guint i = 0; i < list->len; i++)
    if (strcmp (((const FrService *) g_ptr_array_index (list, i))->name, "model") == 0)
      return ((const FrService *) g_ptr_array_index (list, i))->table;
  g_assert_not_reached ();
}

/* What it says of @path, as text. */
static char *
inspected (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = inspector ()->inspect (path, &error);

  g_assert_no_error (error);
  return fr_json_to_string (node, 0);
}

#define HAS(text, part)                                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (strstr ((text), (part)) == NULL)                                                           \
      {                                                                                            \
        g_test_message ("expected '%s' in: %s", (part), (text));                                   \
        g_test_fail ();                                                                            \
      }                                                                                            \
  }                                                                                                \
  G_STMT_END

static void
test_inspect_directory (void)
{
  g_autofree char *top = g_dir_make_tmp ("flowrun-XXXXXX", NULL);
  g_autofree char *dir = g_build_filename (top, "base", NULL);
  g_autofree char *adapter = g_build_filename (top, "adapter", NULL);
  g_autofree char *file = g_build_filename (dir, "model.safetensors", NULL);
  g_autofree char *whole = NULL, *cut = NULL, *peft = NULL, *bytes = NULL, *alone = NULL;
  gsize len;

  made_directory (dir, MADE_CONFIG ("qwen2", ""), LM_BF16);
  g_assert_true (inspector ()->knows (dir, NULL, 0));
  g_assert_false (inspector ()->knows (top, NULL, 0));
  whole = inspected (dir);
  HAS (whole, "[\"family\",\"qwen2 (Qwen2ForCausalLM)\"]");
  HAS (whole, "[\"model.layers.{0…1}.mlp.down_proj.weight\",\"[8, 12]\",\"BF16\",\"2\",\"384 B\"]");
  HAS (whole, "\"BF16 100.0 % of the bytes\"");
  HAS (whole, "[\"chat template\",\"none\"]");
  HAS (whole, "tokenizer.json"); /* that it is missing */
  write_adapter (dir, adapter);
  g_assert_true (inspector ()->knows (adapter, NULL, 0));
  peft = inspected (adapter);
  HAS (peft, "\"PEFT adapter\"");
  HAS (peft, "[\"rank\",\"2\"]");
  HAS (peft, "{0…1}.self_attn.v_proj.lora_A.weight");
  g_file_get_contents (file, &bytes, &len, NULL);
  g_file_set_contents (file, bytes, (gssize) len - 20, NULL);
  cut = inspected (dir);
  HAS (cut, "truncated: ");
  HAS (cut, "model.layers.{0…1}.self_attn.q_proj.weight");
  alone = inspected (file);
  HAS (alone, "\"safetensors file\"");
  made_remove (top);
}

static void
test_inspect_files (void)
{
  g_autofree char *dir = g_dir_make_tmp ("flowrun-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "m.gguf", NULL), *text = NULL;
  g_autoptr (GByteArray) out = gguf_begin (1, 1);
  const FrInspect *it = inspector ();

  gguf_key_text (out, "general.architecture", "qwen2");
  gguf_tensor (out, "token_embd.weight", 2, 32, 100, 2, 0);
  g_file_set_contents (path, (const char *) out->data, out->len, NULL);
  g_assert_true (it->knows (path, out->data, out->len));
  g_assert_false (it->knows (path, (const guint8 *) "id,name\n1,x\n", 12));
  g_assert_false (it->knows (path, (const guint8 *) "{\"a\": 1}", 8));
  text = inspected (path);
  HAS (text, "\"GGUF model\"");
  HAS (text, "[\"token_embd.weight\",\"[100, 32]\",\"Q4_0\",\"1\",\"1.8 KiB\"]");
  HAS (text, "truncated: 1 tensors of together 1.8 KiB");
  made_remove (dir);
}

static void
test_inspect_r1 (void)
{
  const char *path = g_getenv ("FLOWRUN_R1_GGUF");
  g_autofree char *text = NULL;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("FLOWRUN_R1_GGUF names no file");
      return;
    }
  text = inspected (path);
  HAS (text, "[\"context\",\"131,072 positions\"]");
  HAS (text, "[\"blk.{0…27}.attn_q.weight\",\"[3584, 3584]\",\"Q4_K\",\"28\"");
  HAS (text, "\"GGUF, 151,665 tokens\"");
  HAS (text, "truncated");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/source/model/run", test_run);
  g_test_add_func ("/source/model/adapter", test_adapter);
  g_test_add_func ("/source/model/bad", test_bad);
  g_test_add_func ("/inspect/model/directory", test_inspect_directory);
  g_test_add_func ("/inspect/model/files", test_inspect_files);
  g_test_add_func ("/inspect/model/r1", test_inspect_r1);
  return g_test_run ();
}
