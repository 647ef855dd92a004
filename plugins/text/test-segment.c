/* SPDX-License-Identifier: Apache-2.0 */
/* test-segment.c: tries against a plain search, and the cuts of a dictionary. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "text/chars.h"
#include "text/segment.h"
#include "text/trie.h"

static FrStr
str (const char *text)
{
  return (FrStr){ text, strlen (text) };
}

/* ---- tries ------------------------------------------------------------------------------------
 */

static void
append_random (GString *out, GRand *rand, guint len, guint letters)
{
  static const char *const alphabet[] = { "的", "了", "a", "𠀀", "好", "b", "é", "看", "1", "是" };

  while (len-- > 0)
    g_string_append (out, alphabet[g_rand_int_range (rand, 0, (gint32) letters)]);
}

static void
test_trie (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (guint round = 0; round < 60; round++)
    {
      guint n = (guint) g_rand_int_range (rand, 0, 300), letters = 1 + round % 10;
      g_autoptr (GHashTable) known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      g_autoptr (GPtrArray) keep = g_ptr_array_new_with_free_func (g_free);
      g_autofree FrStr *words = g_new (FrStr, n + 1);
      g_autofree guint64 *values = g_new (guint64, n + 1);
      g_autoptr (GError) error = NULL;
      g_autoptr (TextTrie) trie = NULL;

      for (guint i = 0; i < n; i++)
        {
          g_autoptr (GString) word = g_string_new (NULL);

          append_random (word, rand, (guint) g_rand_int_range (rand, 1, 7), letters);
          values[i] = i + 1;
          g_ptr_array_add (keep, g_strdup (word->str));
          words[i] = str (keep->pdata[i]);
          g_hash_table_replace (known, g_strdup (word->str), GUINT_TO_POINTER (i + 1));
        }
      trie = text_trie_new (words, values, n, &error);
      g_assert_no_error (error);
      for (guint i = 0; i < 300; i++)
        {
          g_autoptr (GString) text = g_string_new (NULL);
          guint64 value = 0, want = 0;
          gsize longest = 0, end = 0;

          append_random (text, rand, (guint) g_rand_int_range (rand, 1, 9), 10);
          for (const char *p = text->str; *p != '\0';)
            {
              g_autofree char *start = NULL;
              gpointer found;

              text_next_char (&p);
              end = (gsize) (p - text->str);
              start = g_strndup (text->str, end);
              if ((found = g_hash_table_lookup (known, start)) == NULL)
                continue;
              longest = end;
              want = GPOINTER_TO_UINT (found);
            }
          g_assert_cmpuint (text_trie_longest (trie, str (text->str), &value), ==, longest);
          g_assert_cmpuint (longest > 0 ? value : 0, ==, want);
          g_assert_cmpuint (text_trie_find (trie, str (text->str)), ==,
                            longest == text->len ? want : TEXT_TRIE_NONE);
        }
    }
}

/* ---- cuts ---------------------------------------------------------------------------------------
 */

static TextDictionary *
dictionary (const char *words, const char *user)
{
  g_autoptr (GError) error = NULL;
  TextDictionary *d = text_dictionary_new_text (str (words), "words",
                                                str (user != NULL ? user : ""), "mine", &error);

  g_assert_no_error (error);
  return d;
}

/* "word/pos word/pos": what is no word in brackets. */
static char *
cut (TextDictionary *d, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TextSegmenter) segmenter = text_segmenter_new_with (d, &error);
  g_autoptr (GArray) segments = g_array_new (FALSE, FALSE, sizeof (TextSegment));
  GString *out = g_string_new (NULL);

  g_assert_no_error (error);
  text_segment_words (segmenter, str (text), segments);
  for (guint i = 0; i < segments->len; i++)
    {
      const TextSegment *s = &g_array_index (segments, TextSegment, i);

      g_string_append_printf (out, "%s%s%.*s%s%s%s", i ? " " : "", s->is_word ? "" : "(",
                              (int) s->len, text + s->offset, s->is_word ? "" : ")",
                              *s->pos ? "/" : "", s->pos);
    }
  return g_string_free (out, FALSE);
}

#define WORDS                                                                                         \
  "我 100 r\n爱 50 v\n北京 80 ns\n京 5 n\n天安门 30 ns\n天安 2 n\n门 20 n\n\n# a remark\n" \
  "T恤 10 n\n恤 3 zg\n研究 60 v\n研究生 20 n\n生命 40 n\n命 10 n\n起源 15 n\n"

static void
test_cuts (void)
{
  static const struct
  {
    const char *text, *want;
  } cases[] = {
    { "", "" },
    { " \t\u3000\n", "" },
    { "我爱北京天安门", "我/r 爱/v 北京/ns 天安门/ns" },
    { "研究生命起源", "研究/v 生命/n 起源/n" },
    { "新词，我", "新 词 (，) 我/r" },
    { "T恤TT恤x", "T恤/n T/eng T恤/n x/eng" },
    { "买iPhone15 3.14元!", "买 iPhone15/eng 3/m (.) 14/m 元 (!)" },
    { "été 한국어 naïve北京", "été 한국어 naïve 北京/ns" },
    { "👩‍👩‍👧爱", "(👩‍👩‍👧) 爱/v" },
    { "𠀀㐀〇", "𠀀 㐀 〇" },
    { "a_b-c", "a/eng (_) b/eng (-) c/eng" },
  };
  g_autoptr (TextDictionary) d = dictionary (WORDS, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = cut (d, cases[i].text);

      g_assert_cmpstr (got, ==, cases[i].want);
    }
  g_assert_cmpuint (text_dictionary_n_words (d), ==, 14);
  g_assert_true (g_str_has_prefix (text_dictionary_version (d), "words:14:"));
}

/* Every way through, tried one after the other. */
static double
best_by_hand (TextDictionary *d, double log_total, const char *text, GString *words)
{
  double best = -INFINITY;
  g_autoptr (GString) best_words = g_string_new (NULL);
  gboolean any = FALSE;

  if (*text == '\0')
    return 0;
  for (int pass = 0; pass < 2 && !any; pass++)
    for (const char *p = text; *p != '\0';)
      {
        TextWord word = { 1, "" };
        g_autoptr (GString) rest = g_string_new (NULL);
        double score;

        text_next_char (&p);
        if (pass == 0 && !text_dictionary_find (d, (FrStr){ text, (gsize) (p - text) }, &word))
          continue;
        any = TRUE;
        score = log ((double) word.frequency) - log_total + best_by_hand (d, log_total, p, rest);
        if (score >= best)
          {
            best = score;
            g_string_printf (best_words, "%.*s%s%s", (int) (p - text), text, *p ? " " : "",
                             rest->str);
          }
        if (pass == 1)
          break;
      }
  g_string_append (words, best_words->str);
  return best;
}

static void
test_best (void)
{
  static const char *const alphabet[] = { "天", "地", "人", "和", "新" };
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);

  for (guint round = 0; round < 30; round++)
    {
      g_autoptr (GString) list = g_string_new (NULL);
      g_autoptr (TextDictionary) d = NULL;
      double total = 0;

      for (guint i = 0; i < 20; i++)
        {
          guint frequency = (guint) g_rand_int_range (rand, 1, 200);

          for (int k = g_rand_int_range (rand, 1, 5); k > 0; k--)
            g_string_append (list, alphabet[g_rand_int_range (rand, 0, 4)]);
          g_string_append_printf (list, " %u n\n", frequency);
          total += frequency;
        }
      d = dictionary (list->str, NULL);
      for (guint i = 0; i < 40; i++)
        {
          g_autoptr (GString) text = g_string_new (NULL), want = g_string_new (NULL);
          g_autofree char *got = NULL;
          g_autoptr (GString) plain = g_string_new (NULL);

          for (int k = g_rand_int_range (rand, 1, 10); k > 0; k--)
            g_string_append (text, alphabet[g_rand_int_range (rand, 0, 5)]);
          best_by_hand (d, log (total), text->str, want);
          got = cut (d, text->str);
          g_string_assign (plain, got);
          g_string_replace (plain, "/n", "", 0);
          g_assert_cmpstr (plain->str, ==, want->str);
        }
    }
}

static void
test_user (void)
{
  g_autoptr (TextDictionary) d
      = dictionary (WORDS, "我爱\n北京天安门 99999 nt\n研究 0\n量子杯 n\nT 恤 5\n");
  g_autofree char *a = cut (d, "我爱北京天安门"), *b = cut (d, "研究研究生"),
                  *c = cut (d, "量子杯");
  TextWord word;

  /* One more than as probable as its parts. */
  g_assert_cmpstr (a, ==, "我爱 北京天安门/nt");
  g_assert_cmpstr (b, ==, "研 究 研究生/n");
  g_assert_cmpstr (c, ==, "量子杯/n");
  g_assert_true (text_dictionary_find (d, FR_STR ("我爱"), &word));
  g_assert_cmpuint (word.frequency, ==, (guint64) (100.0 * 50 / 445) + 1);
  g_assert_true (text_dictionary_find (d, FR_STR ("T 恤"), &word));
  g_assert_cmpstr (word.pos, ==, "");
  g_assert_false (text_dictionary_find (d, FR_STR ("研究"), NULL));
  g_assert_false (text_dictionary_find (d, FR_STR (""), NULL));
}

static void
test_refused (void)
{
  static const struct
  {
    const char *words, *user, *want;
  } cases[] = {
    { "", "", "words: there is no word in it" },
    { "我 1 r\n北京\n", "", "words:2: '北京' is no line of a dictionary" },
    { "我 x1\n", "", "words:1: '我 x1' is no line" },
    { "我 99999999999999999 n\n", "", "words:1: '我 99999999999999999 n' is no line" },
    { "\xff 1 n\n", "", "words:1: '\xef\xbf\xbd' is not UTF-8" },
    { "我 1 r\n", "好\n\xff\n", "mine:2: '\xef\xbf\xbd' is not UTF-8" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      TextDictionary *d = text_dictionary_new_text (str (cases[i].words), "words",
                                                    str (cases[i].user), "mine", &error);

      g_assert_null (d);
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      g_assert_true (g_str_has_prefix (error->message, cases[i].want));
    }
  {
    g_autoptr (GError) error = NULL;

    g_assert_null (text_dictionary_new ("/nowhere/words", NULL, &error));
    g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  }
}

static void
test_without (void)
{
  g_autoptr (TextDictionary) d = dictionary (WORDS, NULL);
  g_autofree char *got = cut (NULL, "我们的价格3.14元");
  g_autoptr (TextSegmenter) a = text_segmenter_new (NULL), b = text_segmenter_new_with (d, NULL);

  g_assert_cmpstr (got, ==, "我们 的 价格 3.14 元");
  g_assert_cmpstr (text_segmenter_version (a), ==, text_segment_version ());
  g_assert_cmpstr (text_segmenter_version (b), ==, text_dictionary_version (d));
}

/* A real dictionary: known cuts of jieba's. */
static void
test_real (void)
{
  const char *base = g_getenv ("FLOWRUN_DATA");
  g_autofree char *path
      = g_build_filename (base != NULL ? base : "", "segment-jieba", "jieba.dict.small.utf8", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (TextDictionary) d = NULL;
  g_autofree char *got = NULL;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("segment-jieba is not there (FLOWRUN_DATA)");
      return;
    }
  d = text_dictionary_new (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (text_dictionary_n_words (d), ==, 109750);
  got = cut (d, "结婚的和尚未结婚的，他来到了网易大厦");
  g_assert_cmpstr (got, ==,
                   "结婚/v 的/uj 和/c 尚未/d 结婚/v 的/uj (，) 他/r 来到/v 了/ul 网易/n 大厦/n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/segment/trie", test_trie);
  g_test_add_func ("/segment/cuts", test_cuts);
  g_test_add_func ("/segment/best", test_best);
  g_test_add_func ("/segment/user", test_user);
  g_test_add_func ("/segment/refused", test_refused);
  g_test_add_func ("/segment/without", test_without);
  g_test_add_func ("/segment/real", test_real);
  return g_test_run ();
}
