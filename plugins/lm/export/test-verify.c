/* SPDX-License-Identifier: Apache-2.0 */
/* test-verify.c: a model is found equal to itself, and not to one that computes otherwise. */
#include "config.h"

#include <math.h>

#include "lm/chat/test-model.h"
#include "lm/export.h"

/* test_model() whose positions turn at another speed. */
static LmModel *
made (double theta_by)
{
  LmModel *model = test_model (64, NULL);

  /* The config is the model's own, and only this test has it. */
  ((LmConfig *) lm_model_config (model))->rope.theta *= theta_by;
  return model;
}

static void
test_same (void)
{
  g_autoptr (LmModel) a = made (1), b = made (1);
  g_autoptr (GError) error = NULL;
  LmLogitCheck check;
  guint n_ids;

  g_assert_true (lm_verify_logits (NULL, a, b, lm_verify_limit (LM_F32), &check, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (check.n_tokens, ==, 24);
  g_assert_cmpuint (check.same_top, ==, 24);
  g_assert_cmpfloat (check.error, ==, 0);
  g_assert_cmpfloat (check.largest, ==, 0);
  g_assert_true (lm_verify_tokenizer (a, b, &n_ids, &error));
  g_assert_cmpuint (n_ids, >, 500);
}

/* Positions that turn at another speed are off by more than rounding to 8 bits explains. */
static void
test_other_settings (void)
{
  g_autoptr (LmModel) a = made (1), b = made (0.001);
  g_autoptr (GError) error = NULL;
  LmLogitCheck check;

  g_assert_false (lm_verify_logits (NULL, a, b, lm_verify_limit (LM_Q8_0), &check, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "logits are off by"));
}

static void
test_not_finite (void)
{
  g_autoptr (LmModel) a = made (1), b = made (1);
  g_autoptr (GError) error = NULL;
  LmLogitCheck check;

  ((float *) lm_model_weight (b, LM_W_DOWN, 1)->data)[0] = NAN;
  g_assert_false (lm_verify_logits (NULL, a, b, 1e9, &check, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
}

static void
test_other_tokenizer (void)
{
  g_autoptr (LmTokenizer) plain = test_tokenizer (), other = NULL;
  gsize len;
  g_autofree char *json = lm_tokenizer_to_json (plain, &len);
  g_autoptr (LmModel) a = test_model (64, NULL), b = NULL;
  g_autoptr (GError) error = NULL;
  char *at = strstr (json, "\"<think>\"");
  guint n_ids;

  memcpy (at, "\"<thunk>\"", 9);
  other = lm_tokenizer_new_json ("other", json, len, NULL);
  b = lm_model_new_memory (test_config (64), g_ptr_array_new (), other, NULL);
  g_assert_false (lm_verify_tokenizer (a, b, &n_ids, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "text number 8"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/export/verify/same", test_same);
  g_test_add_func ("/export/verify/other-settings", test_other_settings);
  g_test_add_func ("/export/verify/not-finite", test_not_finite);
  g_test_add_func ("/export/verify/other-tokenizer", test_other_tokenizer);
  return g_test_run ();
}
