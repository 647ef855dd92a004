/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-review.c: any bytes as a review file that people gave back, and as a list of words for
 * transform.label: a line is named or all is read. */
#include "config.h"

#include <flowrun/error.h>
#include <stdint.h>
#include <string.h>

#include "transforms/label/review.h"
#include "transforms/label/rules.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (Corrections) corrections = corrections_new ();
  g_autoptr (Rules) rules = rules_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree guint8 *cuts = NULL;
  Label label = { g_string_new (NULL), 0, g_string_new (NULL) };
  FrStr whole;

  if (size > 65536)
    return 0;
  if (!corrections_read (corrections, "file", (const char *) data, size, &error))
    {
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      g_assert_true (g_str_has_prefix (error->message, "file:"));
      g_clear_error (&error);
    }
  g_assert_cmpuint (corrections_n_unused (corrections), ==, corrections_n (corrections));
  rules_add_starter (rules);
  if (!rules_read_sentiment (rules, "file", (const char *) data, size, &error)
      || !rules_read_list (rules, TASK_TOPIC, "topic", "file", (const char *) data, size, &error))
    {
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      g_assert_true (g_str_has_prefix (error->message, "file:"));
      g_clear_error (&error);
    }
  g_assert_true (rules_ready (rules, 0.3, 3, &error));
  text = g_utf8_make_valid ((const char *) data, (gssize) size);
  whole = (FrStr){ text, strlen (text) };
  cuts = g_malloc (whole.len + 1);
  memset (cuts, 1, whole.len + 1);
  for (guint task = 0; task < N_TASKS; task++)
    {
      rules_label (rules, (Task) task, whole, cuts, &label);
      g_assert_cmpfloat (label.confidence, >=, 0);
      g_assert_cmpfloat (label.confidence, <=, 1);
      g_assert_true (g_utf8_validate (label.evidence->str, -1, NULL));
    }
  g_string_free (label.label, TRUE);
  g_string_free (label.evidence, TRUE);
  return 0;
}
