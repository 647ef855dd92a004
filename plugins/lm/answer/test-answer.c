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

/* Cut anywhere, in three pieces: what comes is what lm_think_split() finds. */
static void
check_thinker (const char *text, gboolean opened, gsize first, gsize second)
{
  g_autoptr (LmThinker) thinker = lm_thinker_new (opened);
  g_autoptr (GString) reasoning = g_string_new (NULL), answer = g_string_new (NULL);
  gsize len = strlen (text);
  const char *expected = NULL, *close = strstr (text, "</think>");
  LmThink think = lm_think_split (text, len, opened, &expected);

  lm_thinker_push (thinker, text, first, reasoning, answer);
  lm_thinker_push (thinker, text + first, second - first, reasoning, answer);
  lm_thinker_push (thinker, text + second, len - second, reasoning, answer);
  g_assert_cmpint (lm_thinker_finish (thinker, reasoning, answer), ==, think);
  g_assert_cmpstr (answer->str, ==, expected);
  g_assert_null (strstr (reasoning->str, "<think>"));
  g_assert_true ((reasoning->len > 0) == (think != LM_THINK_NONE && strstr (text, "why") != NULL));
  if (close != NULL && reasoning->len > 0)
    g_assert_true (g_strrstr_len (text, close - text, reasoning->str) != NULL);
}

static void
test_thinker (void)
{
  static const struct
  {
    const char *text;
    gboolean opened;
  } cases[] = {
    { "plain", FALSE },
    { "", FALSE },
    { "", TRUE },
    { " \n", FALSE },
    { "<thin", FALSE },
    { "  <thinker>", FALSE },
    { "<think>why</think>\n\nso", FALSE },
    { " \n<think>\nwhy a < b and </thin\n\n</think>so < it", FALSE },
    { "<think>\n</think>so", FALSE },
    { "why\n</think>\n so ", TRUE },
    { "why", TRUE },
    { "<think>why", FALSE },
    { "the tag <think> is said", FALSE },
    { "\nwhy：因为\n</think>\n\n结论", TRUE },
    { "why</think>", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize first = 0; first <= strlen (cases[i].text); first++)
      for (gsize second = first; second <= strlen (cases[i].text); second++)
        check_thinker (cases[i].text, cases[i].opened, first, second);
}

/* What a second </think> does, and how reasoning looks. */
static void
test_thinker_texts (void)
{
  g_autoptr (LmThinker) thinker = lm_thinker_new (TRUE);
  g_autoptr (GString) reasoning = g_string_new (NULL), answer = g_string_new (NULL);

  lm_thinker_push (thinker, "\n 一 \n二", strlen ("\n 一 \n二"), reasoning, answer);
  g_assert_cmpstr (reasoning->str, ==, "一 \n二");
  lm_thinker_push (thinker, " \n", 2, reasoning, answer);
  g_assert_cmpstr (reasoning->str, ==, "一 \n二");
  lm_thinker_push (thinker, "三</think> a</think>b", strlen ("三</think> a</think>b"), reasoning, answer);
  g_assert_cmpint (lm_thinker_finish (thinker, reasoning, answer), ==, LM_THINK_CLOSED);
  g_assert_cmpstr (reasoning->str, ==, "一 \n二 \n三");
  g_assert_cmpstr (answer->str, ==, "a</think>b");
}

static void
test_opened (void)
{
  g_assert_true (lm_think_opened ("<think>", 7));
  g_assert_true (lm_think_opened ("a<think>\n", 9));
  g_assert_false (lm_think_opened ("a<think>b", 9));
  g_assert_false (lm_think_opened ("", 0));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/answer/think", test_think);
  g_test_add_func ("/answer/thinker", test_thinker);
  g_test_add_func ("/answer/thinker-texts", test_thinker_texts);
  g_test_add_func ("/answer/opened", test_opened);
  return g_test_run ();
}
