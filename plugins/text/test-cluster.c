/* SPDX-License-Identifier: Apache-2.0 */
/* test-cluster.c: sets of grams, sketches of them, and clusters of texts. */
#include "config.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "text/cluster.h"
#include "text/minhash.h"
#include "text/store.h"

static FrStr
str (const char *text)
{
  return (FrStr){ text, strlen (text) };
}

/* ---- grams --------------------------------------------------------------------- */

static void
test_index (void)
{
  static const struct
  {
    TextGramRule rule;
    const char *a, *b;
    double index;
  } cases[] = {
    /* Seven characters make three grams of five; one at the end differs. */
    { { TEXT_GRAM_CHARACTERS, 5, 2 }, "abc defg", "abc def h", 0.5 },
    { { TEXT_GRAM_CHARACTERS, 5, 2 }, "一二三四五六", "一 二\n三　四\u00a0五六", 1 },
    { { TEXT_GRAM_CHARACTERS, 5, 2 }, "一二三四", "一二三四", 1 },
    { { TEXT_GRAM_CHARACTERS, 5, 2 }, "一二三四", "一二三五", 0 },
    { { TEXT_GRAM_CHARACTERS, 5, 2 }, "一二三四", "一二三四五", 0 },
    { { TEXT_GRAM_CHARACTERS, 2, 2 }, "ababab", "abab", 1 },
    { { TEXT_GRAM_WORDS, 5, 2 }, "one two three", "one, two! four", 1.0 / 3 },
    { { TEXT_GRAM_WORDS, 5, 2 }, "甲乙丙", "甲乙丁", 1.0 / 3 },
    { { TEXT_GRAM_WORDS, 5, 2 }, "one", " one", 1 },
    { { TEXT_GRAM_WORDS, 5, 2 }, "C", "C++", 0 },
    { { TEXT_GRAM_WORDS, 5, 1 }, "C", "C++", 1 },
    { { TEXT_GRAM_WORDS, 5, 2 }, "one", "on", 0 },
    { { TEXT_GRAM_WORDS, 5, 2 }, "!!!", "!!!", 1 },
    { { TEXT_GRAM_WORDS, 5, 2 }, "!!!", "!?!", 0 },
    { { TEXT_GRAM_AUTO, 5, 2 }, "一二三四五六", "一二三四五七", 1.0 / 3 },
    { { TEXT_GRAM_AUTO, 5, 2 }, "one two three", "one two four", 1.0 / 3 },
    /* A word weighs two and a half characters: 在Vue中, Vue中使, 中使用hooks, and so on. */
    { { TEXT_GRAM_AUTO, 5, 2 }, "在 Vue 中使用 hooks", "在 Vue 中使用 hooks", 1 },
    { { TEXT_GRAM_AUTO, 5, 2 }, "在 Vue 中使用 hooks", "在 Vue 中使用 mixins", 0.5 },
    { { TEXT_GRAM_AUTO, 5, 2 }, "", "", 0 },
    { { TEXT_GRAM_AUTO, 5, 2 }, "一", "", 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TextGrams) grams = text_grams_new (&cases[i].rule);
      double index = text_grams_index (grams, str (cases[i].a), str (cases[i].b));

      if (fabs (index - cases[i].index) > 1e-12)
        g_error ("case %u: '%s' and '%s' have index %g, not %g", i, cases[i].a, cases[i].b, index,
                 cases[i].index);
    }
}

static int
order (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

  return (x > y) - (x < y);
}

/* The sort that is quick on hashes, on sizes around its borders and with many repeats. */
static void
test_set (void)
{
  TextGramRule rule = { TEXT_GRAM_CHARACTERS, 3, 2 };
  g_autoptr (TextGrams) grams = text_grams_new (&rule);
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (guint size = 0; size < 200000; size = size < 60 ? size + 1 : size * 3)
    for (gunichar kinds = 2; kinds < 6000; kinds *= 40)
      {
        g_autoptr (GString) text = g_string_new (NULL);
        g_autofree guint64 *all = NULL;
        const guint64 *set;
        gsize n, n_set, kept = 0;

        for (guint i = 0; i < size; i++)
          g_string_append_unichar (text,
                                   0x4e00 + (gunichar) g_rand_int_range (rand, 0, (gint32) kinds));
        set = text_grams_of (grams, (FrStr){ text->str, text->len }, &n, NULL);
        all = g_memdup2 (set, n * sizeof *set + 1);
        qsort (all, n, sizeof *all, order);
        for (gsize i = 0; i < n; i++)
          if (kept == 0 || all[kept - 1] != all[i])
            all[kept++] = all[i];
        set = text_grams_set (grams, (FrStr){ text->str, text->len }, &n_set, NULL);
        g_assert_cmpmem (all, kept * sizeof *all, set, n_set * sizeof *set);
      }
}

/* ---- sketches ------------------------------------------------------------------ */

/* Two sets of @n elements, @shared of them in both; all different in every round. */
static void
make_sets (guint64 seed, guint n, guint shared, guint64 *a, guint64 *b)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32) seed);

  for (guint i = 0; i < n; i++)
    {
      a[i] = (guint64) g_rand_int (rand) << 32 | g_rand_int (rand);
      b[i] = i < shared ? a[i] : (guint64) g_rand_int (rand) << 32 | g_rand_int (rand);
    }
}

/* The share of equal values is Jaccard's index on average, and spreads about
 * it no more than so many independent hashes would: for small sets and large. */
static void
test_sketch (void)
{
  static const guint sizes[] = { 1, 5, 30, 300, 3000 };
  enum
  {
    K = 256,
    ROUNDS = 200
  };

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint tenths = 0; tenths <= 10; tenths += 2)
      {
        guint n = sizes[s], shared = n * tenths / 10;
        double index = (double) shared / (2 * n - shared), sum = 0, squares = 0, mean, deviation;
        double expected = sqrt (index * (1 - index) / K);

        for (guint round = 0; round < ROUNDS; round++)
          {
            g_autofree guint64 *a = g_new (guint64, n), *b = g_new (guint64, n);
            guint32 x[K], y[K];
            guint equal = 0;

            make_sets (round * 1000 + s * 11 + tenths, n, shared, a, b);
            text_sketch (a, n, x, K);
            text_sketch (b, n, y, K);
            for (guint i = 0; i < K; i++)
              equal += x[i] == y[i];
            sum += (double) equal / K;
            squares += (double) equal / K * equal / K;
          }
        mean = sum / ROUNDS;
        deviation = sqrt (MAX (squares / ROUNDS - mean * mean, 0));
        g_assert_cmpfloat (fabs (mean - index), <, 5 * expected / sqrt (ROUNDS) + 1e-9 + 0.003);
        g_assert_cmpfloat (deviation, <, 1.25 * expected + 0.004);
      }
}

static void
test_bands (void)
{
  static const struct
  {
    guint k;
    double threshold, recall;
    guint bands, rows;
  } cases[]
      = { { 256, 0.8, 0.995, 32, 8 }, { 256, 0.8, 0.999, 36, 7 }, { 256, 0.5, 0.999, 85, 3 },
          { 128, 0.8, 0.999, 25, 5 }, { 256, 1, 0.999, 1, 256 },  { 64, 0.3, 0.9999999, 64, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint bands, rows;

      text_sketch_bands (cases[i].k, cases[i].threshold, cases[i].recall, &bands, &rows);
      g_assert_cmpuint (bands, ==, cases[i].bands);
      g_assert_cmpuint (rows, ==, cases[i].rows);
    }
}

static void
test_simhash (void)
{
  guint64 a[40], b[40];

  for (guint i = 0; i < 40; i++)
    a[i] = (i + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  g_assert_cmpuint (text_simhash (a, 1), ==, a[0]);
  g_assert_cmpuint (text_simhash (a, 0), ==, 0);
  for (guint round = 0; round < 3; round++)
    {
      guint64 got, want = 0;
      guint n = round == 0 ? 3 : 40;
      g_autofree guint64 *many = g_new (guint64, 2000);

      /* Beyond 255, where the eight-bit counters start anew. */
      if (round == 2)
        n = 2000;
      for (guint i = 0; i < n; i++)
        many[i] = a[i % 40] * (i / 40 + 1) + i;
      for (guint bit = 0; bit < 64; bit++)
        {
          guint ones = 0;

          for (guint i = 0; i < n; i++)
            ones += many[i] >> bit & 1;
          want |= (guint64) (ones * 2 > n) << bit;
        }
      got = text_simhash (many, n);
      g_assert_cmpuint (got, ==, want);
    }
  make_sets (1, 40, 39, a, b);
  g_assert_cmpint (__builtin_popcountll (text_simhash (a, 40) ^ text_simhash (b, 40)), <, 16);
  make_sets (1, 40, 0, a, b);
  g_assert_cmpint (__builtin_popcountll (text_simhash (a, 40) ^ text_simhash (b, 40)), >, 16);
}

/* ---- the store ------------------------------------------------------------------ */

static void
test_store (void)
{
  static const guint64 budgets[] = { 0, 300 * 1024, 1 << 30 };
  g_autofree char *dir = g_dir_make_tmp ("test-cluster-XXXXXX", NULL);

  for (guint round = 0; round < G_N_ELEMENTS (budgets); round++)
    {
      g_autoptr (TextStore) store = text_store_new (budgets[round], dir);
      g_autoptr (GByteArray) model = g_byte_array_new ();
      g_autoptr (GRand) rand = g_rand_new_with_seed (round);
      guint8 piece[70000];

      while (model->len < 1500000)
        {
          gsize len = (gsize) g_rand_int_range (rand, 0, g_rand_boolean (rand) ? 100 : 70000);
          guint64 offset, at, size = model->len;

          for (gsize i = 0; i < len; i++)
            piece[i] = (guint8) g_rand_int (rand);
          g_assert_true (text_store_append (store, piece, len, &offset, NULL));
          g_assert_cmpuint (offset, ==, size);
          g_byte_array_append (model, piece, (guint) len);
          /* Some bytes anywhere are replaced, others read. */
          len = MIN (len, model->len);
          at = (guint64) g_rand_int_range (rand, 0, (gint32) (model->len - len + 1));
          g_assert_true (text_store_write (store, at, piece, len, NULL));
          memcpy (model->data + at, piece, len);
          at = (guint64) g_rand_int_range (rand, 0, (gint32) (model->len - len + 1));
          g_assert_true (text_store_read (store, at, piece, len, NULL));
          g_assert_cmpmem (piece, len, model->data + at, len);
          if (len > 0 && text_store_peek (store, at, len) != NULL)
            g_assert_cmpmem (text_store_peek (store, at, len), len, piece, len);
        }
      g_assert_cmpuint (text_store_size (store), ==, model->len);
      g_assert_cmpint (text_store_spilled (store) > 0, ==, round < 2);
    }
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

/* ---- clusters -------------------------------------------------------------------- */

static void
add (TextCluster *cluster, const TextClusterRule *rule, const char *text)
{
  g_autoptr (TextGrams) grams = text_grams_new (&rule->grams);
  g_autofree guint8 *item = g_malloc (text_cluster_item_size (cluster));
  GError *error = NULL;

  text_cluster_describe (cluster, grams, str (text), item);
  g_assert_true (text_cluster_add (cluster, str (text), item, &error));
}

/* Texts that come in families of near copies, some linked in chains, most alone. */
static GPtrArray *
make_texts (guint n, guint32 seed)
{
  GPtrArray *texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);

      if (i > 10 && g_rand_int_range (rand, 0, 3) == 0)
        {
          const char *old = texts->pdata[g_rand_int_range (rand, 0, (gint32) i)];
          glong at = 0, len = g_utf8_strlen (old, -1),
                edit = g_rand_int_range (rand, 0, (gint32) len);

          for (const char *p = old; *p != '\0'; p = g_utf8_next_char (p), at++)
            g_string_append_unichar (text, at == edit ? 0x6c38 : g_utf8_get_char (p));
        }
      else
        for (gint k = g_rand_int_range (rand, 1, 200); k > 0; k--)
          g_string_append_unichar (text, 0x4e00 + (gunichar) g_rand_int_range (rand, 0, 900));
      g_ptr_array_add (texts, g_string_free (g_steal_pointer (&text), FALSE));
    }
  return texts;
}

static gboolean
rank_first (guint32 text, gint64 *score, guint64 *at, gpointer data, GError **error)
{
  (void) data;
  (void) error;
  *score = 0;
  *at = text;
  return TRUE;
}

static gboolean
note_pair (guint32 a, guint32 b, double index, gpointer data, GError **error)
{
  (void) error;
  g_string_append_printf (data, "%u %u %.17g\n", a, b, index);
  return TRUE;
}

/* All that can be asked, as text. */
static char *
verdict (const TextClusterRule *rule, GPtrArray *texts, guint threads, guint64 memory,
         GString *pairs)
{
  g_autofree char *dir = g_dir_make_tmp ("test-cluster-XXXXXX", NULL);
  TextCluster *cluster = text_cluster_new (rule, memory, dir);
  g_autoptr (TextTeam) team = text_team_new ();
  GString *out = g_string_new (NULL);
  GError *error = NULL;

  for (guint i = 0; i < texts->len; i++)
    add (cluster, rule, texts->pdata[i]);
  g_assert_true (text_cluster_join (cluster, team, threads, pairs != NULL ? note_pair : NULL, pairs,
                                    NULL, &error));
  g_assert_true (text_cluster_choose (cluster, team, threads, rank_first, NULL, NULL, &error));
  for (guint32 i = 0; i < texts->len; i++)
    {
      double index;
      guint32 kept = text_cluster_kept (cluster, i, &index);

      g_string_append_printf (out, "%u in %u kept %u %.17g\n", i, text_cluster_first (cluster, i),
                              kept, index);
    }
  g_string_append_printf (out, "%" G_GUINT64_FORMAT " candidates\n",
                          text_cluster_counts (cluster)->candidates);
  text_cluster_free (cluster);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
  return g_string_free (out, FALSE);
}

/* Threads, memory, and whether pairs are asked for make no difference. */
static void
test_same (gconstpointer simhash)
{
  TextClusterRule rule = { { TEXT_GRAM_AUTO, 5, 2 }, simhash != NULL, 0.8, 0.999, 256, 3, FALSE };
  g_autoptr (GPtrArray) texts = make_texts (3000, 1);
  g_autofree char *first = verdict (&rule, texts, 1, 1 << 30, NULL);
  g_autoptr (GString) first_pairs = NULL;
  static const guint threads[] = { 2, 7, 1 };

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_autoptr (GString) pairs = g_string_new (NULL);
      g_autofree char *plain = verdict (&rule, texts, threads[i], i == 0 ? 1 << 30 : 1, NULL);
      g_autofree char *told = verdict (&rule, texts, threads[i], i == 1 ? 1 : 1 << 30, pairs);

      g_assert_cmpstr (plain, ==, first);
      g_assert_cmpstr (told, ==, first);
      if (first_pairs == NULL)
        first_pairs = g_steal_pointer (&pairs);
      else
        g_assert_cmpstr (pairs->str, ==, first_pairs->str);
    }
  g_assert_nonnull (strchr (first_pairs->str, '\n'));
}

/* Against every pair counted out: no pair below the threshold, hardly one missed. */
static void
test_truth (void)
{
  TextClusterRule rule = { { TEXT_GRAM_CHARACTERS, 5, 2 }, FALSE, 0.8, 0.999, 256, 3, FALSE };
  g_autoptr (GPtrArray) texts = make_texts (1000, 2);
  g_autoptr (TextGrams) grams = text_grams_new (&rule.grams);
  g_autoptr (GString) pairs = g_string_new (NULL);
  g_autofree char *all = verdict (&rule, texts, 2, 1 << 30, pairs);
  g_autoptr (GHashTable) found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) lines = g_strsplit (pairs->str, "\n", -1);
  guint n_true = 0, n_found = g_strv_length (lines) - 1, n_missed = 0;

  for (guint i = 0; i < n_found; i++)
    g_hash_table_add (found, g_strdup (lines[i]));
  for (guint32 a = 0; a < texts->len; a++)
    for (guint32 b = a + 1; b < texts->len; b++)
      {
        double index = text_grams_index (grams, str (texts->pdata[a]), str (texts->pdata[b]));
        g_autofree char *line = NULL;

        if (index < 0.8)
          continue;
        line = g_strdup_printf ("%u %u %.17g", a, b, index);
        n_true++;
        n_missed += !g_hash_table_contains (found, line);
      }
  g_assert_cmpuint (n_true, >, 100);
  g_assert_cmpuint (n_missed, <=, n_true / 100);
  g_assert_cmpuint (n_found, ==, n_true - n_missed);
}

/* a ~ b ~ c, but a and c are too far apart: b goes for a, c stays or not as was asked. */
static void
test_chain (void)
{
  static const char *const texts[]
      = { "一二三四五六七八九十甲乙丙丁戊己庚辛壬癸", "一二三四五六七八九十甲乙丙丁戊己庚辛壬癸子",
          "二三四五六七八九十甲乙丙丁戊己庚辛壬癸子丑",
          "春眠不觉晓处处闻啼鸟夜来风雨声花落知多少" };

  for (guint chains = 0; chains < 2; chains++)
    {
      TextClusterRule rule = { { TEXT_GRAM_AUTO, 5, 2 }, FALSE, 0.85, 0.9999, 256, 3, chains != 0 };
      g_autofree char *dir = g_dir_make_tmp ("test-cluster-XXXXXX", NULL);
      g_autoptr (TextCluster) cluster = text_cluster_new (&rule, 1 << 20, dir);
      g_autoptr (TextTeam) team = text_team_new ();
      GError *error = NULL;
      double index;

      for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
        add (cluster, &rule, texts[i]);
      g_assert_true (text_cluster_join (cluster, team, 2, NULL, NULL, NULL, &error));
      g_assert_true (text_cluster_choose (cluster, team, 2, rank_first, NULL, NULL, &error));
      g_assert_cmpuint (text_cluster_first (cluster, 2), ==, 0);
      g_assert_cmpuint (text_cluster_first (cluster, 3), ==, 3);
      g_assert_cmpuint (text_cluster_kept (cluster, 1, &index), ==, 0);
      g_assert_cmpfloat_with_epsilon (index, 16.0 / 17, 1e-12);
      g_assert_cmpuint (text_cluster_kept (cluster, 2, &index), ==, chains ? 0 : 2);
      g_assert_cmpfloat_with_epsilon (index, chains ? 15.0 / 18 : 1, 1e-12);
      g_rmdir (dir);
    }
}

/* Texts of 1 to 10 characters, alike to the eye: equal ones are the caller's to
 * find, so none is near to another.  (From nine characters on, a text may be
 * another and one more, which is an index of 0.8.) */
static void
test_short (gconstpointer simhash)
{
  static const char *const alike[]
      = { "",         "！",       "。。。",   "好",       "好评",      "好评！",
          "很好",     "不好",     "很不好",   "不很好",   "好好好",    "型号A1",
          "型号A2",   "型号 B1",  "买一送一", "买二送一", "红色大号",  "红色小号",
          "大号红色", "a",        "b",        "ab",       "ok",        "not ok",
          "ok ok",    "ok not",   "size 40",  "size 41",  "13800000",  "13800001",
          "満足です", "満足でし", "좋아요",   "좋아",     "very good", "good very" };
  TextClusterRule rule = { { TEXT_GRAM_AUTO, 5, 2 }, simhash != NULL, 0.8, 0.999, 256, 3, FALSE };
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autofree char *said = NULL;
  g_auto (GStrv) lines = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (alike); i++)
    g_ptr_array_add (texts, g_strdup (alike[i]));
  for (guint len = 3; len <= 10; len++)
    for (guint which = 0; which < 100; which++)
      {
        g_autoptr (GString) text = g_string_new (NULL);

        for (guint i = 0; i < len; i++)
          g_string_append_unichar (text, 0x4e00 + (gunichar) g_rand_int_range (rand, 0, 3000));
        g_ptr_array_add (texts, g_string_free (g_steal_pointer (&text), FALSE));
      }
  said = verdict (&rule, texts, 2, 1 << 30, NULL);
  lines = g_strsplit (said, "\n", -1);
  for (guint i = 0; i < texts->len; i++)
    {
      g_autofree char *want = g_strdup_printf ("%u in %u kept %u 1", i, i, i);

      g_assert_cmpstr (lines[i], ==, want);
    }
}

/* A hundred thousand near copies of one text must not become five thousand million pairs. */
static void
test_crowd (void)
{
  TextClusterRule rule = { { TEXT_GRAM_AUTO, 5, 2 }, FALSE, 0.8, 0.999, 256, 3, FALSE };
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *said = NULL, *want = NULL;

  for (guint i = 0; i < 20000; i++)
    g_ptr_array_add (
        texts, g_strdup_printf ("这款保温杯采用三百一十六不锈钢内胆，保温二十四小时，"
                                "保冷十二小时，杯盖防漏，随身携带不占地方，适合上班上学、"
                                "户外运动和长途旅行使用，送礼自用都合适，全国联保一年，编号 %u",
                                i));
  said = verdict (&rule, texts, 2, 1 << 30, NULL);
  want = g_strdup_printf ("\n%u in 0 kept 0 ", 19999);
  g_assert_nonnull (strstr (said, want));
}

static void
test_cancel (void)
{
  TextClusterRule rule = { { TEXT_GRAM_AUTO, 5, 2 }, FALSE, 0.8, 0.999, 256, 3, FALSE };
  g_autoptr (GPtrArray) texts = make_texts (200, 3);
  g_autofree char *dir = g_dir_make_tmp ("test-cluster-XXXXXX", NULL);
  g_autoptr (TextCluster) cluster = text_cluster_new (&rule, 1 << 20, dir);
  g_autoptr (TextTeam) team = text_team_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < texts->len; i++)
    add (cluster, &rule, texts->pdata[i]);
  g_cancellable_cancel (cancellable);
  g_assert_false (text_cluster_join (cluster, team, 2, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_rmdir (dir);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/grams/index", test_index);
  g_test_add_func ("/grams/set", test_set);
  g_test_add_func ("/minhash/sketch", test_sketch);
  g_test_add_func ("/minhash/bands", test_bands);
  g_test_add_func ("/minhash/simhash", test_simhash);
  g_test_add_func ("/store", test_store);
  g_test_add_data_func ("/cluster/same/minhash", NULL, test_same);
  g_test_add_data_func ("/cluster/same/simhash", "", test_same);
  g_test_add_func ("/cluster/truth", test_truth);
  g_test_add_func ("/cluster/chain", test_chain);
  g_test_add_data_func ("/cluster/short/minhash", NULL, test_short);
  g_test_add_data_func ("/cluster/short/simhash", "", test_short);
  g_test_add_func ("/cluster/crowd", test_crowd);
  g_test_add_func ("/cluster/cancel", test_cancel);
  return g_test_run ();
}
