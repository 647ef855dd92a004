/* SPDX-License-Identifier: Apache-2.0 */
/* test-normal.c: the normaliser, against examples and against ICU on whole strings. */
#include "config.h"

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "text/chars.h"
#include "text/normal.h"

typedef struct
{
  guint how;
  const char *in, *out;
} Case;

static const Case cases[] = {
  { 0, "as it is  ", "as it is  " },
  { TEXT_NFC, "", "" },
  { TEXT_NFC, "plain", "plain" },
  { TEXT_NFC, "e\u0301te\u0301", "\u00e9t\u00e9" },
  { TEXT_NFC, "\u00e9 and e\u0323\u0301", "\u00e9 and \u1eb9\u0301" },
  { TEXT_NFC, "中e\u0301文", "中\u00e9文" },
  { TEXT_NFC, "\u0301x", "\u0301x" },
  { TEXT_NFC, "\u1100\u1161\u11a8", "\uac01" },
  { TEXT_NFC, "か\u3099", "が" },
  { TEXT_NFC, "Ａ①ﬁ", "Ａ①ﬁ" },
  { TEXT_NFKC, "Ａ①ﬁ，㎏", "A1fi,kg" },
  { TEXT_NFC | TEXT_NFKC, "Ａ", "A" },
  { TEXT_WIDTH, "ＡＢＣ１２３％＋", "ABC123%+" },
  { TEXT_WIDTH, "你好，世界！（是？）：；～", "你好，世界！（是？）：；～" },
  { TEXT_WIDTH, "ｶﾞｷﾞﾊﾟｱﾞ｡｢｣", "ガギパア゛。「」" },
  { TEXT_WIDTH, "￥100　元", "¥100 元" },
  { TEXT_WIDTH | TEXT_NFC, "Ａ\u0301", "\u00c1" },
  { TEXT_CASE, "Straße ΣΊΣΥΦΟΣ ＡBC", "strasse σίσυφοσ ａbc" },
  { TEXT_CASE, "中文 Ok", "中文 ok" },
  { TEXT_CONTROL,
    "a\x01"
    "b\tc\nd\x7f"
    "e",
    "ab\tc\nde" },
  { TEXT_CONTROL,
    "a\r\nb\rc\u2028d\xc2\x85"
    "e\vf",
    "a\nb\nc\nd\ne\nf" },
  { TEXT_CONTROL, "\ufeff零\u200b宽\u200c度\u200d\u2060\u00ad", "零宽度" },
  { TEXT_CONTROL, "\u202ea\u2066b\u200f", "ab" },
  { TEXT_CONTROL, "\ufffd stays", "\ufffd stays" },
  /* family, rainbow flag, skin tone with joiner, keycap, heart on fire */
  { TEXT_CONTROL,
    "👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍⚕️ 1️⃣ ❤️‍🔥",
    "👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍⚕️ 1️⃣ ❤️‍🔥" },
  { TEXT_CONTROL, "👨\u200d\u200d👩 👨\u200d字 \u200d👩", "👨\u200d👩 👨字 👩" },
  /* England's flag is made of tags; tags elsewhere are hidden text */
  { TEXT_CONTROL, "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f" },
  { TEXT_CONTROL, "hi\U000e0067\U000e0062\U000e007f!", "hi!" },
  { TEXT_CONTROL, "🏴\U000e0067\U000e0062", "🏴" },
  { TEXT_CONTROL, "a\ufe0f b\U000e0101 葛\U000e0100 葛\U000e0100\U000e0101",
    "a b 葛\U000e0100 葛\U000e0100" },
  /* Persian "mikhaham" needs its non-joiner, Hindi "ksha" may have a joiner */
  { TEXT_CONTROL, "می\u200cخواهم", "می\u200cخواهم" },
  { TEXT_CONTROL, "क\u094d\u200dष", "क\u094d\u200dष" },
  { TEXT_SPACE, "  a \t b\u3000\u3000c\u00a0 ", "a b c" },
  { TEXT_SPACE, "a \n b\n\n\n c\r\n\r\n\r\nd\r\ne", "a\nb\n\nc\n\nd\ne" },
  { TEXT_SPACE, " \n ", "" },
  { TEXT_SPACE, "中文  English\n", "中文 English" },
  { TEXT_NO_SPACE, " a b\u3000c\n", "abc" },
  { TEXT_NO_PUNCTUATION, "“你好”，世界！—— a+b=c …… 1️⃣❤️",
    "你好世界 abc  1" },
  { TEXT_NFKC | TEXT_CASE | TEXT_CONTROL | TEXT_NO_SPACE | TEXT_NO_PUNCTUATION,
    "【新品】ＡＢＣ　智能\u200b手环（Pro）！", "新品abc智能手环pro" },
};

static void
check_case (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (GString) out = g_string_new ("x");
  g_autoptr (GString) twice = g_string_new (NULL);
  FrStr in = { c->in, strlen (c->in) };

  text_normalise (in, c->how, out);
  g_assert_cmpstr (out->str + 1, ==, c->out);
  text_normalise ((FrStr){ out->str + 1, out->len - 1 }, c->how, twice);
  g_assert_cmpstr (twice->str, ==, c->out);
  g_assert_cmpuint (text_normal_needed ((FrStr){ c->out, strlen (c->out) }, c->how & TEXT_SPACE),
                    ==, 0);
  if (strcmp (c->in, c->out) != 0)
    g_assert_cmpuint (text_normal_needed (in, c->how), !=, 0);
}

/* ICU over the whole string, as the rule that the piecewise way must match. */
static char *
icu_whole (const char *text, gboolean compatible)
{
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2 *form
      = compatible ? unorm2_getNFKCInstance (&status) : unorm2_getNFCInstance (&status);
  UChar in[4096], out[65536];
  char *utf8 = g_malloc0 (65536 * 3);
  int32_t n, m;

  u_strFromUTF8 (in, 4096, &n, text, -1, &status);
  m = unorm2_normalize (form, in, n, out, 65536, &status);
  u_strToUTF8 (utf8, 65536 * 3, NULL, out, m, &status);
  g_assert_true (U_SUCCESS (status));
  return utf8;
}

static gunichar
random_char (GRand *rand)
{
  static const gunichar marks[]
      = { 0x300, 0x301, 0x323, 0x3099, 0x309a, 0x1161, 0x11a8, 0x94d, 0x9be };
  gunichar c;

  switch (g_rand_int_range (rand, 0, 5))
    {
    case 0:
      return (gunichar) g_rand_int_range (rand, 32, 127);
    case 1:
      return marks[g_rand_int_range (rand, 0, G_N_ELEMENTS (marks))];
    case 2:
      return (gunichar) g_rand_int_range (rand, 0x1100, 0x1180);
    default:
      do
        c = (gunichar) g_rand_int_range (rand, 1, 0x30000);
      while (c >= 0xd800 && c < 0xe000);
      return c;
    }
}

static void
check_against_icu (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  g_autoptr (GString) in = g_string_new (NULL);
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < 20000; i++)
    {
      guint how = i & 1 ? TEXT_NFKC : TEXT_NFC;
      g_autofree char *expected = NULL;

      g_string_truncate (in, 0);
      g_string_truncate (out, 0);
      for (int n = g_rand_int_range (rand, 0, 12); n > 0; n--)
        g_string_append_unichar (in, random_char (rand));
      text_normalise ((FrStr){ in->str, in->len }, how, out);
      expected = icu_whole (in->str, how == TEXT_NFKC);
      g_assert_cmpstr (out->str, ==, expected);
    }
}

static void
check_twice (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  g_autoptr (GString) in = g_string_new (NULL);
  g_autoptr (GString) once = g_string_new (NULL);
  g_autoptr (GString) twice = g_string_new (NULL);
  static const guint hows[] = { TEXT_NFC | TEXT_WIDTH | TEXT_CONTROL | TEXT_SPACE,
                                TEXT_NFKC | TEXT_WIDTH | TEXT_CONTROL | TEXT_SPACE, TEXT_CONTROL,
                                TEXT_WIDTH, TEXT_SPACE };

  for (guint i = 0; i < 20000; i++)
    {
      guint how = hows[i % G_N_ELEMENTS (hows)];

      g_string_truncate (in, 0);
      g_string_truncate (once, 0);
      g_string_truncate (twice, 0);
      for (int n = g_rand_int_range (rand, 0, 12); n > 0; n--)
        g_string_append_unichar (in, g_rand_int_range (rand, 0, 4)
                                         ? random_char (rand)
                                         : (gunichar) g_rand_int_range (rand, 0x2000, 0x2070));
      text_normalise ((FrStr){ in->str, in->len }, how, once);
      text_normalise ((FrStr){ once->str, once->len }, how, twice);
      g_assert_true (g_utf8_validate (once->str, (gssize) once->len, NULL));
      g_assert_cmpstr (once->str, ==, twice->str);
    }
}

static void
check_measures (void)
{
  g_assert_cmpuint (text_n_chars (FR_STR ("a中😀e\u0301")), ==, 5);
  g_assert_cmpfloat (text_han_share (FR_STR ("中文ab")), ==, 0.5);
  g_assert_cmpfloat (text_han_share (FR_STR ("，。!")), ==, 0);
  g_assert_cmpfloat (text_han_share (FR_STR ("")), ==, 0);
  g_assert_cmpfloat (text_han_share (FR_STR ("中々〇！")), ==, 1);
}

/* A piece longer than any buffer on the stack. */
static void
check_long (void)
{
  g_autoptr (GString) in = g_string_new ("a");
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < 100000; i++)
    g_string_append (in, i & 1 ? "\u0301" : "\u0323");
  text_normalise ((FrStr){ in->str, in->len }, TEXT_NFC, out);
  g_assert_true (g_utf8_validate (out->str, (gssize) out->len, NULL));
  g_assert_cmpint (strncmp (out->str, "\u1ea1", 3), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = g_strdup_printf ("/normal/case/%02u", i);

      g_test_add_data_func (name, &cases[i], check_case);
    }
  g_test_add_func ("/normal/against-icu", check_against_icu);
  g_test_add_func ("/normal/twice", check_twice);
  g_test_add_func ("/normal/measures", check_measures);
  g_test_add_func ("/normal/long", check_long);
  return g_test_run ();
}
