/* SPDX-License-Identifier: Apache-2.0 */
/* test-answer.c: reasoning and answer apart.  Answers themselves are tested with
 * transform.generate. */
#include "config.h"

#include <glib.h>
#include <string.h>

#include "lm/answer.h"

static void
test_think (void)
{
  static const struct
  {
    const char *text, *answer;
    gboolean opened;
    LmThink think;
  } cases[] = {
    { "plain", "plain", FALSE, LM_THINK_NONE },
    { "", "", FALSE, LM_THINK_NONE },
    { "<think>why</think>\n\nso", "so", FALSE, LM_THINK_CLOSED },
    { " \n<think>\n</think>so", "so", FALSE, LM_THINK_CLOSED },
    { "why\n</think>\n so ", "so ", TRUE, LM_THINK_CLOSED },
    { "a</think>b</think>c", "c", TRUE, LM_THINK_CLOSED },
    { "why", "", TRUE, LM_THINK_OPEN },
    { "<think>why", "", FALSE, LM_THINK_OPEN },
    { "the tag <think> is said", "the tag <think> is said", FALSE, LM_THINK_NONE },
    { "</think>", "", FALSE, LM_THINK_CLOSED },
    { "思考</think>结论", "结论", TRUE, LM_THINK_CLOSED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *answer = NULL;

      g_assert_cmpint (
          lm_think_split (cases[i].text, strlen (cases[i].text), cases[i].opened, &answer), ==,
          cases[i].think);
      g_assert_cmpstr (answer, ==, cases[i].answer);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/answer/think", test_think);
  return g_test_run ();
}
