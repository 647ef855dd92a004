/* SPDX-License-Identifier: Apache-2.0 */
/* test-quality.c: figures of texts, counted by hand. */
#include "config.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#include "text/quality.h"

static void
measure (const char *text, double *figures)
{
  g_autoptr (TextQuality) quality = text_quality_new ();

  text_quality_measure (quality, (FrStr){ text, strlen (text) }, figures);
}

static void
test_counts (void)
{
/* Fifty words of 119 letters. */
#define WORDS                                                                                      \
  "one two three four five six seven eight nine ten aa bb cc dd ee ff gg hh ii jj "                \
  "ka ke ki ko ku la le li lo lu ma mi mo mu na ne ni nu pa pe pi pu ra re ri ro ru sa se si"
/* A hundred characters, none twice: the book of a thousand characters begins so. */
#define HAN                                                                                                                  \
  "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜" \
  "金生丽水玉出昆冈剑号巨阙珠称夜光果珍李柰菜重芥姜海咸河淡鳞潜羽翔龙师火帝鸟官人皇" \
  "始制文字乃服衣裳推位让国吊民伐罪周发殷汤"
  static const struct
  {
    const char *text;
    TextFigureOfQuality figure;
    double want; /* NaN: not enough text */
  } cases[] = {
    { "", TEXT_FIGURE_CHARACTERS, 0 },
    { "", TEXT_FIGURE_UNITS, 0 },
    { "", TEXT_FIGURE_ALPHANUMERIC, NAN },
    { " ab\u3000中文\n", TEXT_FIGURE_CHARACTERS, 4 },
    { "Two words, 中文四个", TEXT_FIGURE_UNITS, 6 },
    { "第一句。第二句！第三句？！还有", TEXT_FIGURE_SENTENCES, 4 },
    { "One. Two! Three", TEXT_FIGURE_SENTENCES, 3 },
    { "...", TEXT_FIGURE_SENTENCES, 0 },
    { "abcd abcd abcd abcd abcd abcd abcd abcd abcd abcdefgh", TEXT_FIGURE_MEAN_WORD, 4.4 },
    { "一个中文句子没有单词", TEXT_FIGURE_MEAN_WORD, NAN },
    { HAN " a b c d e f g h i j k l", TEXT_FIGURE_MEAN_WORD, NAN },
    { "a/b/c dddd 中文中文中文中文", TEXT_FIGURE_LONGEST_WORD, 5 },
    { "ab\n\n  cdef \n", TEXT_FIGURE_MEAN_LINE, 3 },
    { "a b\nc d\na b\na b", TEXT_FIGURE_REPEATED_LINES, 0.5 },
    { "a b\nc d\na b\na b", TEXT_FIGURE_REPEATED_LINE_CHARACTERS, 0.5 },
    { "a b\na b", TEXT_FIGURE_REPEATED_LINES, NAN },
    { "aa\n\nbb\n\naa", TEXT_FIGURE_REPEATED_PARAGRAPHS, 1.0 / 3 },
    { "aa\nbb\naa", TEXT_FIGURE_REPEATED_PARAGRAPHS, NAN },
    { WORDS, TEXT_FIGURE_TOP_2GRAM, 0 },
    /* Twice "one two", of 6 letters each, among 125. */
    { WORDS " one two", TEXT_FIGURE_TOP_2GRAM, 12.0 / 125 },
    { WORDS " one two", TEXT_FIGURE_TOP_3GRAM, 0 },
    { WORDS " One Two Three", TEXT_FIGURE_TOP_3GRAM, 22.0 / 130 },
    { "one two one two", TEXT_FIGURE_TOP_2GRAM, NAN },
    /* Four Han characters are two words. */
    { HAN, TEXT_FIGURE_TOP_2GRAM, 0 },
    { "春眠不觉晓处处闻啼鸟处处闻啼鸟", TEXT_FIGURE_TOP_2GRAM, NAN },
    { "保温茶杯" HAN "保温茶杯", TEXT_FIGURE_TOP_2GRAM, 8.0 / 108 },
    { "保温茶杯" HAN "保温茶杯", TEXT_FIGURE_TOP_3GRAM, 0 },
    { WORDS " one two three four five", TEXT_FIGURE_REPEATED_5GRAMS, 19.0 / 138 },
    { WORDS " one two three four five", TEXT_FIGURE_REPEATED_6GRAMS, 0 },
    { HAN "天地玄黄宇宙洪荒日月", TEXT_FIGURE_REPEATED_5GRAMS, 10.0 / 110 },
    { "0123456789 abcdefghij 0123456789", TEXT_FIGURE_REPEATED_CHARACTERS, 1.0 / 21 },
    { "short", TEXT_FIGURE_REPEATED_CHARACTERS, NAN },
    { WORDS " #a #b", TEXT_FIGURE_MARKS_PER_UNIT, 2.0 / 52 },
    { WORDS " …", TEXT_FIGURE_MARKS_PER_UNIT, 1.0 / 50 },
    { "• a\n- b\nc\nd", TEXT_FIGURE_BULLET_LINES, 0.5 },
    { "a...\nb……\nc。\nd", TEXT_FIGURE_ELLIPSIS_LINES, 0.5 },
    { "12 34 ab 中", TEXT_FIGURE_ALPHABETIC, 0.5 },
    { "ab ++ == 中文", TEXT_FIGURE_ALPHABETIC, 3.0 / 5 },
    { "ab，。", TEXT_FIGURE_ALPHANUMERIC, 0.5 },
    { "ab，。$😀", TEXT_FIGURE_SYMBOLS, 2.0 / 6 },
    { "a1２中", TEXT_FIGURE_DIGITS, 0.5 },
    { WORDS " The cup of tea that I have is with the best of the best and to be a friend in need",
      TEXT_FIGURE_STOP_WORDS, 8 },
    { HAN "。这是我的保温杯，他在家里不用，我就拿来了，也很好用", TEXT_FIGURE_STOP_WORDS, 11 },
    { WORDS, TEXT_FIGURE_STOP_WORDS, 0 },
    { "the of", TEXT_FIGURE_STOP_WORDS, NAN },
    { "一。\n二！\n三”\n四", TEXT_FIGURE_END_MARKS, 0.75 },
    { "One.\nTwo\nThree?\nFour", TEXT_FIGURE_END_MARKS, 0.5 },
    { "春眠不觉晓处处闻啼鸟夜来风雨声\n春眠不觉晓处处闻啼鸟夜来风雨声花\n"
      "123456789012345678901234567890\n1234567890123456789012345678901",
      TEXT_FIGURE_SHORT_LINES, 0.5 },
    { WORDS "\n\n", TEXT_FIGURE_NEWLINES, 0.04 },
    { "We use Cookies here\n正文一行\n版权所有，翻印必究\n正文又一行", TEXT_FIGURE_BOILERPLATE,
      0.5 },
    { "正文", TEXT_FIGURE_BOILERPLATE, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      double figures[TEXT_N_FIGURES], got, want = cases[i].want;

      measure (cases[i].text, figures);
      got = figures[cases[i].figure];
      if (isnan (want) ? !isnan (got) : !(fabs (got - want) < 1e-9))
        {
          g_test_message ("case %u, %s of '%s': %g, not %g", i, text_quality_name (cases[i].figure),
                          cases[i].text, got, want);
          g_test_fail ();
        }
    }
}

/* Shares are shares, whatever is measured; measuring again, and after other texts, gives the same.
 */
static void
test_bounds (void)
{
  g_autoptr (TextQuality) quality = text_quality_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  static const char *const pieces[]
      = { "a", "好",   " ",  "\n",           "\n\n", ".",  "。",     "…", "12",
          "😀", "the ", "的", "重复的句子。", "- ",   "\t", "\u0301", "か" };

  for (guint round = 0; round < 3000; round++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      double once[TEXT_N_FIGURES], again[TEXT_N_FIGURES];

      for (gint n = g_rand_int_range (rand, 0, 120); n > 0; n--)
        g_string_append (text, pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))]);
      text_quality_measure (quality, (FrStr){ text->str, text->len }, once);
      measure (text->str, again);
      for (guint i = 0; i < TEXT_N_FIGURES; i++)
        {
          g_assert_true (once[i] == again[i] || (isnan (once[i]) && isnan (again[i])));
          g_assert_true (isnan (once[i]) || (once[i] >= 0 && isfinite (once[i])));
          if (text_quality_is_share ((TextFigureOfQuality) i))
            g_assert_true (isnan (once[i]) || once[i] <= 1);
        }
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quality/counts", test_counts);
  g_test_add_func ("/quality/bounds", test_bounds);
  return g_test_run ();
}
