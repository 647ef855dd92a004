/* SPDX-License-Identifier: Apache-2.0 */
/* test-words.c: word lists, good and bad, and what becomes of texts. */
#include "config.h"

#include <string.h>

#include "words.h"

#define LIST                                                                                       \
  "# shop words\n"                                                                                 \
  "优惠\tdiscount; special offer\n"                                                              \
  "\n"                                                                                             \
  "限时\tlimited-time\r\n"                                                                       \
  "特价\tdiscount;bargain\n"                                                                     \
  "棉\tcotton\n"                                                                                  \
  "纯棉\tpure cotton\n"                                                                          \
  "T恤\tT-shirt\n"

static Words *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  Words *words = words_parse ("list.tsv", text, strlen (text), &error);

  g_assert_no_error (error);
  return words;
}

static void
expect (const Words *words, const char *text, gboolean backward, guint64 seed, const char *want)
{
  gsize n, unknown;
  g_autofree char *got = words_translate (words, (FrStr){ text, strlen (text) }, backward,
                                          !backward, seed, &n, &unknown);

  g_assert_cmpstr (got, ==, want);
}

static void
test_translate (void)
{
  g_autoptr (Words) words = parse (LIST);
  gsize n, unknown;

  g_assert_cmpuint (words_n (words), ==, 6);
  expect (words, "限时特价，纯棉T恤。", FALSE, 3, "limited-time bargain, pure cotton T-shirt.");
  /* Marks, numbers and what is not in the list stay. */
  expect (words, "{1}元，3.5折：棉", FALSE, 0, "{1}元, 3.5 折: cotton");
  /* The longest first, in any case; not inside a word. */
  expect (words, "Pure Cotton T-Shirt, cottonwood 1,000", TRUE, 0, "纯棉T恤，cottonwood 1,000");
  expect (words, "", FALSE, 0, "");
  /* The seed chooses, and only among what the list has. */
  {
    g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

    for (guint64 seed = 0; seed < 40; seed++)
      g_hash_table_add (
          seen, words_translate (words, FR_STR ("discount"), TRUE, FALSE, seed, &n, &unknown));
    g_assert_cmpuint (g_hash_table_size (seen), ==, 2);
    g_assert_true (g_hash_table_contains (seen, "优惠"));
    g_assert_true (g_hash_table_contains (seen, "特价"));
  }
  g_free (words_translate (words, FR_STR ("优惠与特价"), FALSE, TRUE, 0, &n, &unknown));
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (unknown, ==, 1);
}

static void
test_broken (void)
{
  static const struct
  {
    const char *text, *says;
  } bad[] = {
    { "", "has no words" },
    { "# only this\n", "has no words" },
    { "优惠\tdiscount\nno tab\n", "list.tsv:2: expected a word" },
    { "\tdiscount\n", "list.tsv:1: expected" },
    { "优惠\t ; ;\n", "list.tsv:1: expected" },
    { "优惠\t\xff\n", "not UTF-8" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (words_parse ("list.tsv", bad[i].text, strlen (bad[i].text), &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      g_assert_nonnull (strstr (error->message, bad[i].says));
    }
}

/* The Chinese and English list of the reference data, where it lies here. */
static void
test_wordnet (void)
{
  const char *data = g_getenv ("FLOWRUN_DATA");
  g_autofree char *path = g_build_filename (data != NULL ? data : "../shared/data",
                                            "synonyms-cow/cow-zh-en.tsv", NULL);
  g_autofree char *text = NULL;
  g_autoptr (Words) words = NULL;
  gsize len, n, unknown;
  g_autofree char *there = NULL, *back = NULL;

  if (!g_file_get_contents (path, &text, &len, NULL))
    {
      g_test_skip ("FLOWRUN_DATA has no synonyms-cow/cow-zh-en.tsv");
      return;
    }
  words = words_parse (path, text, len, NULL);
  g_assert_nonnull (words);
  g_assert_cmpuint (words_n (words), >, 50000);
  there = words_translate (words, FR_STR ("大炮"), FALSE, TRUE, 0, &n, &unknown);
  g_assert_cmpuint (unknown, ==, 0);
  back = words_translate (words, (FrStr){ there, strlen (there) }, TRUE, FALSE, 0, &n, &unknown);
  g_assert_cmpuint (unknown, ==, 0);
  g_assert_cmpstr (back, !=, there);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/words/translate", test_translate);
  g_test_add_func ("/words/broken", test_broken);
  g_test_add_func ("/words/wordnet", test_wordnet);
  return g_test_run ();
}
