/* SPDX-License-Identifier: Apache-2.0 */
/* test-model.c: the translator "model" under transform.backtranslate: a random model, whose answers
 * are no translations, and, where it lies here, SmolLM2. */
#include "config.h"

#include <flowrun/test.h>
#include <string.h>

#include "lm/chat/test-model.h"

#define ROWS                                                                                       \
  "[{'text': 'one of them'}, {'text': 'and another'}, {'text': 'one of them'}, {'text': '7'}]"

static FrTest *
new_test (const char *with, LmModel *model)
{
  g_autofree char *plugin = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs",
                                                   "transform-backtranslate.so", NULL);
  FrTest *t = fr_test_new_file (plugin, "transform.backtranslate", with);

  if (model != NULL)
    fr_test_input_object (t, "model", (FrObject *) model);
  return t;
}

static void
test_random (void)
{
  g_autofree char *dir = g_dir_make_tmp ("translator-XXXXXX", NULL);
  g_autofree char *with = g_strdup_printf (
      "{'column': 'text', 'engine': 'model', 'language': 'en', 'via': 'zh', 'max_tokens': 6, "
      "'batch': 3, "
      "'options': {'backend': 'reference'}, 'cache': '%s/cache.jsonl', 'version': 'test'}",
      dir);
  g_autofree char *first = NULL;

  for (guint run = 0; run < 2; run++)
    {
      g_autoptr (LmModel) model = test_model (1024, TEST_CHATML);
      g_autoptr (FrTest) t = new_test (with, model);

      fr_test_input (t, "in", "text: utf8", ROWS);
      fr_test_run (t);
      g_assert_cmpint (fr_test_counter (t, "rows_without_words"), ==, 1);
      g_assert_cmpint (
          fr_test_counter (t, "variants_kept") + fr_test_counter (t, "variants_dropped"), ==, 3);
      g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 4 + fr_test_counter (t, "variants_kept"));
      /* Equal texts are asked once, and nothing twice. */
      g_assert_cmpint (fr_test_counter (t, "texts_asked") > 0, ==, run == 0);
      g_assert_cmpint (fr_test_counter (t, "tokens_out") > 0, ==, run == 0);
      if (run == 0)
        first = g_strdup (fr_test_output (t, "dropped"));
      else
        g_assert_cmpstr (fr_test_output (t, "dropped"), ==, first);
    }
}

/* Longer than the model's context: dropped with its reason, and the others are not. */
static void
test_too_long (void)
{
  g_autoptr (LmModel) model = test_model (512, TEST_CHATML);
  g_autofree char *line = g_strnfill (900, 'x');
  g_autofree char *rows = g_strdup_printf ("[{'text': 'short one'}, {'text': '%s'}]", line);
  g_autoptr (FrTest) t = new_test (
      "{'column': 'text', 'engine': 'model', 'language': 'en', 'via': 'zh', 'max_tokens': 4, "
      "'options': {'backend': 'reference'}}",
      model);

  fr_test_input (t, "in", "text: utf8", rows);
  fr_test_run (t);
  g_assert_cmpint (fr_test_counter (t, "dropped_too_long"), >=, 1);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), >=, 2);
  g_assert_nonnull (strstr (fr_test_output (t, "dropped"), "en>zh: "));
}

static void
test_smollm2 (void)
{
  const char *path = g_getenv ("FLOWRUN_SMOLLM2");
  g_autoptr (LmModel) model = NULL;
  g_autoptr (FrTest) t = NULL;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("FLOWRUN_SMOLLM2 does not name a checkpoint");
      return;
    }
  model = lm_model_open (path, NULL);
  t = new_test (
      "{'column': 'text', 'engine': 'model', 'language': 'en', 'via': 'fr', 'max_tokens': 32, "
      "'temperature': 0.7, 'variants': 2, 'options': {'backend': 'reference'}}",
      model);
  fr_test_input (t, "in", "text: utf8", "[{'text': 'The soup is very good and only 5 dollars.'}]");
  fr_test_run (t);
  g_test_message ("%s%s", fr_test_output (t, "out"), fr_test_output (t, "dropped"));
  g_assert_cmpint (fr_test_counter (t, "variants_kept") + fr_test_counter (t, "variants_dropped"),
                   ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/translator-model/random", test_random);
  g_test_add_func ("/translator-model/too-long", test_too_long);
  g_test_add_func ("/translator-model/smollm2", test_smollm2);
  return g_test_run ();
}
