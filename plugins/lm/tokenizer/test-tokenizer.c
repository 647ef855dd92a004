/* SPDX-License-Identifier: Apache-2.0 */
/* test-tokenizer.c: tokenizers made for the test, and what SmolLM2's own gives.
 *
 * tests/conformance/test-tokenizer.py compares with `tokenizers` at length; here
 * are the parts, and the rules that the families do not use.  What is expected
 * of behaviours, stripping and merging was computed with tokenizers 0.23.
 */
#include "config.h"

#include <unicode/uchar.h>

#include "lm/tokenizer/tokenizer-private.h"

#define BYTE_LEVEL "{'type':'ByteLevel','add_prefix_space':false,'use_regex':false}"
#define DECODER "'decoder':{'type':'ByteLevel'}"
#define MODEL(more, merges)                                                                         \
  "'model':{'type':'BPE'," more                                                                     \
  "'vocab':{'a':0,'b':1,'c':2,'Ġ':3,'ab':4,'bc':5,'abc':6,'aa':7,'aaaa':8,'Ã':9,'©':10,'é':11," \
  "'1':12,'.':13,'Ì':14,'ģ':15,'e':16},'merges':[" merges "]}"
#define MERGES "'b c','a b','a bc','a a','aa aa'"
#define PLAIN "'pre_tokenizer':" BYTE_LEVEL "," DECODER "," MODEL ("", MERGES)

static char *
quoted (const char *json)
{
  return g_strdelimit (g_strdup (json), "'", '"');
}

static LmTokenizer *
made (const char *members)
{
  g_autofree char *quotes = quoted (members), *json = g_strdup_printf ("{%s}", quotes);
  g_autoptr (GError) error = NULL;
  LmTokenizer *t = lm_tokenizer_new_json ("test.json", json, strlen (json), &error);

  g_assert_no_error (error);
  return t;
}

static char *
ids_text (const gint32 *ids, gsize n)
{
  GString *out = g_string_new (NULL);

  for (gsize i = 0; i < n; i++)
    g_string_append_printf (out, "%s%d", i > 0 ? " " : "", ids[i]);
  return g_string_free (out, FALSE);
}

static void
assert_ids (LmTokenizer *t, const char *text, guint flags, const char *expected)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;
  g_autofree char *got = NULL;

  g_assert_true (lm_tokenizer_encode (t, text, strlen (text), flags, ids, NULL, &error));
  g_assert_no_error (error);
  got = ids_text ((gint32 *) (gpointer) ids->data, ids->len);
  g_assert_cmpstr (got, ==, expected);
}

/* ---- byte-pair encoding --------------------------------------------------------------- */

static void
test_merge (void)
{
  g_autoptr (LmTokenizer) t = made (PLAIN);

  assert_ids (t, "abc", 0, "6"); /* b c, then a bc: not ab, c */
  assert_ids (t, "ab", 0, "4");
  assert_ids (t, "aaa", 0, "7 0"); /* the leftmost pair */
  assert_ids (t, "aaaaa", 0, "8 0");
  assert_ids (t, "", 0, "");
  g_assert_cmpint (lm_tokenizer_n_tokens (t), ==, 17);
  g_assert_cmpint (lm_tokenizer_find (t, "abc"), ==, 6);
  g_assert_cmpint (lm_tokenizer_find (t, "Ġ"), ==, 3);
  g_assert_cmpint (lm_tokenizer_find (t, "x"), ==, -1);
  g_assert_cmpint ((int) lm_tokenizer_bytes (t, 9).len, ==, 1);
  g_assert_null (lm_tokenizer_bytes (t, 17).data);
  g_assert_null (lm_tokenizer_bytes (t, -1).data);
}

static void
test_ignore_merges (void)
{
  const char *model
      = "'pre_tokenizer':" BYTE_LEVEL "," DECODER "," MODEL ("'ignore_merges':true,", "'a b'");
  g_autoptr (LmTokenizer) t = made (model);

  assert_ids (t, "abc", 0, "6");
  assert_ids (t, "abcb", 0, "4 2 1");
}

/* By definition: the lowest rank, the leftmost on ties, until there is none. */
static void
merge_plainly (const LmVocab *v, GArray *ids)
{
  for (;;)
    {
      gsize best = G_MAXSIZE;
      guint at = 0;

      for (guint i = 0; i + 1 < ids->len; i++)
        for (gsize rank = 0; rank < v->n_merges && rank < best; rank++)
          if (v->parts[rank] >> 32 == g_array_index (ids, guint32, i)
              && (guint32) v->parts[rank] == g_array_index (ids, guint32, i + 1))
            best = rank, at = i;
      if (best == G_MAXSIZE)
        return;
      g_array_index (ids, guint32, at) = v->merged[best];
      g_array_remove_index (ids, at + 1);
    }
}

static void
test_merge_random (void)
{
  g_autoptr (LmTokenizer) t = made (PLAIN);

  for (guint n = 0; n < 600; n++)
    {
      guint len = (guint) g_test_rand_int_range (1, n % 6 == 0 ? 500 : 40);
      g_autofree char *text = g_malloc (len), *a = NULL, *b = NULL;
      g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32)),
                         plain = g_array_new (FALSE, FALSE, sizeof (gint32));

      for (guint i = 0; i < len; i++)
        {
          text[i] = "aabc"[g_test_rand_int_range (0, 4)];
          g_array_append_val (plain, t->vocab->bytes[(guint8) text[i]]);
        }
      merge_plainly (t->vocab, plain);
      g_assert_true (lm_tokenizer_encode (t, text, len, 0, ids, NULL, NULL));
      a = ids_text ((gint32 *) (gpointer) ids->data, ids->len);
      b = ids_text ((gint32 *) (gpointer) plain->data, plain->len);
      g_assert_cmpstr (a, ==, b);
    }
}

static void
test_long_piece (void)
{
  g_autoptr (LmTokenizer) t = made (PLAIN);
  gsize len = (1 << 20) + 3;
  g_autofree char *text = g_malloc (len);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  memset (text, 'a', len);
  g_assert_true (lm_tokenizer_encode (t, text, len, 0, ids, NULL, NULL));
  g_assert_cmpint (ids->len, ==, (1 << 18) + 2);
  g_assert_cmpint (g_array_index (ids, gint32, 1 << 18), ==, 7);
}

static void
test_unknown_bytes (void)
{
  g_autoptr (LmTokenizer) t = made (PLAIN);
  g_autoptr (LmTokenizer) u
      = made ("'pre_tokenizer':" BYTE_LEVEL "," DECODER "," MODEL ("'unk_token':'.',", MERGES));
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  gsize n = 0;

  g_assert_true (lm_tokenizer_encode (t, "azb", 3, 0, ids, &n, NULL));
  g_assert_cmpint (n, ==, 1);
  assert_ids (t, "azb", 0, "4"); /* what is left grows together */
  assert_ids (u, "azb", 0, "0 13 1");
}

/* ---- added tokens ---------------------------------------------------------------------- */

#define ADDED(id, content, more)                                                                   \
  "{'id':" id ",'content':'" content "','normalized':false,'special':true" more "}"

static void
test_added (void)
{
  g_autoptr (LmTokenizer) t
      = made ("'added_tokens':[" ADDED ("17", "<x>", "") "," ADDED ("18", "<x><y>", "") "," ADDED (
          "19", "a.",
          ",'lstrip':true,'rstrip':true") ","
                                          "{'id':20,'content':'bb','single_word':true,'special':"
                                          "false,'normalized':true},"
                                          "{'id':0,'content':'a','special':false,'single_word':"
                                          "true,'normalized':false}]," PLAIN);

  assert_ids (t, "b<x><y><x>", 0, "1 18 17");
  assert_ids (t, "b  a. \t b", 0, "1 19 1"); /* spaces on both sides belong to it */
  assert_ids (t, "a.  a.", 0, "19 19");
  assert_ids (t, "bb", 0, "20");
  assert_ids (t, "bbc", 0, "1 5");
  assert_ids (t, "c bb.", 0, "2 3 20 13");
  assert_ids (t, "<x>bb", LM_ENCODE_PLAIN, "20"); /* the rest has no tokens */
  g_assert_true (lm_tokenizer_is_special (t, 17));
  g_assert_false (lm_tokenizer_is_special (t, 20));
  g_assert_cmpint (lm_tokenizer_find (t, "<x><y>"), ==, 18);
  g_assert_cmpint (lm_tokenizer_n_tokens (t), ==, 21);
}

static void
test_template (void)
{
  g_autoptr (LmTokenizer) t = made (
      "'post_processor':{'type':'Sequence','processors':[{'type':'ByteLevel'},{'type':'"
      "TemplateProcessing',"
      "'single':[{'SpecialToken':{'id':'<s>','type_id':0}},{'Sequence':{'id':'A','type_id':0}},"
      "{'SpecialToken':{'id':'</"
      "s>','type_id':0}}],'pair':[],'special_tokens':{'<s>':{'id':'<s>','ids':[13,0],"
      "'tokens':['.','a']},'</s>':{'id':'</s>','ids':[1],'tokens':['b']}}}]}," PLAIN);

  assert_ids (t, "c", LM_ENCODE_SPECIAL, "13 0 2 1");
  assert_ids (t, "c", 0, "2");
  assert_ids (t, "", LM_ENCODE_SPECIAL, "13 0 1");
}

static void
test_nfc (void)
{
  g_autoptr (LmTokenizer) t = made (
      "'normalizer':{'type':'Sequence','normalizers':[{'type':'NFC'}]},"
      "'added_tokens':[{'id':17,'content':'.e\u0301','special':false,'normalized':true}]," PLAIN);
  g_autoptr (GString) out = g_string_new (NULL);

  assert_ids (t, "e\u0301", 0, "9 10");
  assert_ids (t, "a\u00e9a", 0, "0 9 10 0");
  assert_ids (t, "c.\u00e9", 0, "2 17");
  g_assert_false (lm_nfc_append ("plain \u4e2d\u6587", strlen ("plain \u4e2d\u6587"), out));
  g_assert_true (lm_nfc_append ("x\u1112\u1161\u11aby\u0344\u212b",
                                strlen ("x\u1112\u1161\u11aby\u0344\u212b"), out));
  g_assert_cmpstr (out->str, ==, "x\ud55c\u00ff\u0301\u00c5");
}

/* ---- pre-tokenisers ---------------------------------------------------------------------- */

static gboolean
add_piece (const char *piece, gsize len, gpointer user, GError **error G_GNUC_UNUSED)
{
  GString *out = user;

  if (out->len > 0)
    g_string_append_c (out, '|');
  g_string_append_len (out, piece, (gssize) len);
  return TRUE;
}

static char *
pieces (const LmSplit *splits, guint n, const char *text, gsize len)
{
  GString *out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (lm_split_run (splits, n, text, len, add_piece, out, &error));
  g_assert_no_error (error);
  return g_string_free (out, FALSE);
}

static void
test_behaviors (void)
{
  static const struct
  {
    LmBehavior behavior;
    gboolean invert;
    const char *expected;
  } cases[] = {
    { LM_BEHAVIOR_ISOLATED, FALSE, "-|a|-|-|bc|-" },
    { LM_BEHAVIOR_REMOVED, FALSE, "a|bc" },
    { LM_BEHAVIOR_REMOVED, TRUE, "-|-|-|-" },
    { LM_BEHAVIOR_MERGED_WITH_PREVIOUS, FALSE, "-|a-|-|bc-" },
    { LM_BEHAVIOR_MERGED_WITH_NEXT, FALSE, "-a|-|-bc|-" },
    { LM_BEHAVIOR_CONTIGUOUS, FALSE, "-|a|--|bc|-" },
    { LM_BEHAVIOR_CONTIGUOUS, TRUE, "-|a|--|bc|-" },
  };
  LmSplit split = { .literal = (char *) "-", .literal_len = 1 };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *by_literal = NULL, *by_regex = NULL;
      LmSplit regex = { .regex = lm_regex_new ("-", NULL),
                        .behavior = cases[i].behavior,
                        .invert = cases[i].invert };

      split.behavior = cases[i].behavior;
      split.invert = cases[i].invert;
      by_literal = pieces (&split, 1, "-a--bc-", 7);
      by_regex = pieces (&regex, 1, "-a--bc-", 7);
      g_assert_cmpstr (by_literal, ==, cases[i].expected);
      g_assert_cmpstr (by_regex, ==, by_literal);
      lm_split_clear (&regex);
    }
}

static void
test_prefix_space (void)
{
  g_autoptr (LmTokenizer) t = made (
      "'pre_tokenizer':{'type':'ByteLevel','add_prefix_space':true,'use_regex':true}," DECODER
      "," MODEL ("", MERGES));

  assert_ids (t, "ab ab", 0, "3 4 3 4");
  assert_ids (t, " ab", 0, "3 4");
}

static void
test_digits (void)
{
  g_autoptr (LmTokenizer) t
      = made ("'pre_tokenizer':{'type':'Sequence','pretokenizers':[{'type':'Digits','individual_"
              "digits':true}," BYTE_LEVEL "]}," DECODER "," MODEL ("", MERGES));
  LmSplit digits = { .scan = lm_scan_digits }, digit = { .scan = lm_scan_digit };
  g_autofree char *a = pieces (&digits, 1, "a12b\u00bd3", strlen ("a12b\u00bd3")),
                  *b = pieces (&digit, 1, "a12", 3);

  g_assert_cmpstr (a, ==, "a|12|b|\u00bd3");
  g_assert_cmpstr (b, ==, "a|1|2");
  assert_ids (t, "a11", 0, "0 12 12");
}

/* The scanners against PCRE2 on strings of what the patterns tell apart. */
static void
test_scanners (void)
{
  static const char *const letters[]
      = { " ",      " ",       "  ",         "\n",         "\r",       "\r\n",   "\t",
          "\u00a0", "\u3000",  "\u180e",     "\u2028",     "\xc2\x85", "'",      "'s",
          "'T",     "'\u017f", "'re",        "'LL",        "'vE",      "'r",     "'l",
          "a",      "B",       "\u00e9",     "\u017f",     "\u4e2d",   "\u9fa5", "\u9fa6",
          "\u3042", "\u30ff",  "\u3100",     "\u0301",     "\u0903",   "1",      "2",
          "\u0663", "\u00bd",  "\u2167",     ".",          "!",        "_",      "$",
          "+",      "\u3002",  "\u20ac",     "\U0001f600", "\x01",     "\u200b", "\u200d",
          "\ue000", "\u0378",  "\U0010ffff", "\U00020000" };
  static const char *const patterns[]
      = { LM_GPT2_PATTERN,    LM_LLAMA3_PATTERN, LM_QWEN2_PATTERN,
          LM_DIGITS3_PATTERN, LM_CJK_PATTERN,    LM_DEEPSEEK3_PATTERN };
  guint rounds = g_test_thorough () ? 200000 : 20000;

  for (gsize p = 0; p < G_N_ELEMENTS (patterns); p++)
    {
      LmSplit scan = { .scan = lm_scan_for (patterns[p]) },
              regex = { .regex = lm_regex_new (patterns[p], NULL) };

      g_assert_nonnull (scan.scan);
      g_assert_nonnull (regex.regex);
      for (guint n = 0; n < rounds; n++)
        {
          g_autoptr (GString) text = g_string_new (NULL);
          g_autofree char *a = NULL, *b = NULL;

          for (gint32 i = g_test_rand_int_range (1, 14); i > 0; i--)
            g_string_append (text, letters[g_test_rand_int_range (0, G_N_ELEMENTS (letters))]);
          a = pieces (&scan, 1, text->str, text->len);
          b = pieces (&regex, 1, text->str, text->len);
          g_assert_cmpstr (a, ==, b);
        }
      lm_split_clear (&regex);
    }
}

/* Every character that both know, between letters and alone. */
static void
test_classes (void)
{
  LmSplit scan = { .scan = lm_scan_llama3 },
          regex = { .regex = lm_regex_new (LM_LLAMA3_PATTERN, NULL) };
  LmSplit scan3 = { .scan = lm_scan_deepseek3 },
          regex3 = { .regex = lm_regex_new (LM_DEEPSEEK3_PATTERN, NULL) };

  for (gunichar c = 1; c < 0x110000; c++)
    {
      char text[16];
      gsize len = 0;
      UVersionInfo age;
      g_autofree char *a = NULL, *b = NULL, *a3 = NULL, *b3 = NULL;

      u_charAge ((UChar32) c, age);
      if ((c >= 0xd800 && c < 0xe000) || age[0] == 0 || age[0] > 13
          || (c >= 0x3500 && c < 0xf800 && c % 16 != 0))
        continue;
      text[len++] = '.';
      len += (gsize) g_unichar_to_utf8 (c, text + len);
      text[len++] = '1';
      len += (gsize) g_unichar_to_utf8 (c, text + len);
      text[len++] = 'a';
      a = pieces (&scan, 1, text, len);
      b = pieces (&regex, 1, text, len);
      g_assert_cmpstr (a, ==, b);
      a3 = pieces (&scan3, 1, text, len);
      b3 = pieces (&regex3, 1, text, len);
      g_assert_cmpstr (a3, ==, b3);
    }
  lm_split_clear (&regex);
  lm_split_clear (&regex3);
}

static void
test_regex (void)
{
  static const struct
  {
    const char *pattern, *text, *expected;
  } works[] = {
    { "\\s+", "a \u180e\tb", "a| |\u180e|\t|b" },
    { "[\\s.]+", "a .\u180eb", "a| .|\u180eb" },
    { "\\S+", " ab\u180e", " |ab\u180e" },
    { "[^\\S]+", "a b", "a| |b" },
    { "a*", "baac", "b|aa|c" },
    { "(a|b){,2}", "abab", "ab|ab" },
    { "\\x41|\\u0042|\\x{1F600}", "xAB\U0001f600", "x|A|B|\U0001f600" },
    { "(?<=a)b", "abb", "a|b|b" },
    { "\\h+", "xfFz", "x|fF|z" },
  };
  static const char *const refused[]
      = { "\\w+",     "\\bx",       "^a",    "a$",       "[a[b]]",  "[[:alpha:]]", "[a&&b]",
          "\\p{Han}", "\\p{Alpha}", "(?i)a", "(?m:a)",   "(?x: a)", "a{2,3}+",     "a{2}?",
          "\\1",      "\\R",        "\\Ka",  "(?i:ss)",  "(?<n>a)", "[]a]",        "[a",
          "(?P<n>a)", "\\xff",      "\\p",   "(*ACCEPT)" };

  for (gsize i = 0; i < G_N_ELEMENTS (works); i++)
    {
      g_autoptr (GError) error = NULL;
      LmSplit split = { .regex = lm_regex_new (works[i].pattern, &error) };
      g_autofree char *got = NULL;

      g_assert_no_error (error);
      got = pieces (&split, 1, works[i].text, strlen (works[i].text));
      g_assert_cmpstr (got, ==, works[i].expected);
      lm_split_clear (&split);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", refused[i]);
      g_assert_null (lm_regex_new (refused[i], &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
    }
}

static void
test_regex_limits (void)
{
  g_autoptr (LmTokenizer) t
      = made ("'pre_tokenizer':{'type':'Sequence','pretokenizers':[{'type':'Split','pattern':{'"
              "Regex':'(?:a+)+[bc]'},"
              "'behavior':'Isolated'}," BYTE_LEVEL "]}," DECODER "," MODEL ("", MERGES));
  g_autofree char *text = g_strnfill (3000, 'a');
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;

  g_assert_false (lm_tokenizer_encode (t, text, 3000, 0, ids, NULL, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_assert_cmpint (ids->len, ==, 0);
}

/* ---- decoding ------------------------------------------------------------------------------ */

static void
test_decode (void)
{
  g_autoptr (LmTokenizer) t = made ("'added_tokens':[" ADDED ("17", "<x>", "") "]," PLAIN);
  static const gint32 ids[] = { 0, 9, 10, 17, 9, 99, 1, 9 };
  g_autofree char *all = lm_tokenizer_decode (t, ids, G_N_ELEMENTS (ids), FALSE),
                  *skipped = lm_tokenizer_decode (t, ids, G_N_ELEMENTS (ids), TRUE);
  LmDetokenizer *d = lm_detokenizer_new (t, TRUE);
  g_autoptr (GString) out = g_string_new (NULL);

  g_assert_cmpstr (all, ==, "a\u00e9<x>\ufffdb\ufffd");
  g_assert_cmpstr (skipped, ==, "a\u00e9\ufffdb\ufffd");
  lm_detokenizer_push (d, 9, out);
  g_assert_cmpint (out->len, ==, 0); /* half a character stays */
  lm_detokenizer_push (d, 10, out);
  g_assert_cmpstr (out->str, ==, "\u00e9");
  lm_detokenizer_push (d, 9, out);
  lm_detokenizer_finish (d, out);
  g_assert_cmpstr (out->str, ==, "\u00e9\ufffd");
  lm_detokenizer_free (d);
}

static void
test_invalid (void)
{
  g_autoptr (LmTokenizer) t = made (PLAIN);
  static const struct
  {
    const char *text, *repaired;
    gsize n;
  } cases[] = {
    { "a\xff\xc3", "a\ufffd\ufffd", 2 },
    { "\xe4\xb8"
      "a",
      "\ufffd"
      "a",
      1 },
    { "\xed\xa0\x80", "\ufffd\ufffd\ufffd", 3 },
    { "\xf0\x9f\x98", "\ufffd", 1 },
    { "\xc0\xaf", "\ufffd\ufffd", 2 },
    { "\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd", 4 },
    { "\u4e2d", "\u4e2d", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) out = g_string_new (NULL);
      gsize n = 0;

      g_assert_cmpint (lm_utf8_append (out, cases[i].text, strlen (cases[i].text), TRUE, &n), ==,
                       strlen (cases[i].text));
      g_assert_cmpstr (out->str, ==, cases[i].repaired);
      g_assert_cmpint (n, ==, cases[i].n);
    }
}

static void
test_alphabet (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char all[256], back[512];
  gsize n;

  for (guint i = 0; i < 256; i++)
    all[i] = (char) i;
  lm_alphabet_write (text, all, 256);
  g_assert_cmpint (g_utf8_strlen (text->str, -1), ==, 256);
  g_assert_true (g_str_has_prefix (text->str, "\u0100\u0101"));
  g_assert_true (lm_alphabet_read (text->str, text->len, back, &n));
  g_assert_cmpmem (back, n, all, 256);
  g_assert_false (lm_alphabet_read (" ", 1, back, &n));
  g_assert_false (lm_alphabet_read ("\u0144", 2, back, &n));
}

/* ---- files ----------------------------------------------------------------------------------- */

static void
test_refused (void)
{
  static const struct
  {
    const char *members, *message;
  } cases[] = {
    { "'normalizer':{'type':'NFKC'}," PLAIN, "/normalizer: the normalizer \"NFKC\"" },
    { "'pre_tokenizer':{'type':'Sequence','pretokenizers':[{'type':'Whitespace'}]}," DECODER
      "," MODEL ("", ""),
      "/pre_tokenizer/pretokenizers/0: the pre-tokenizer \"Whitespace\"" },
    { "'pre_tokenizer':null," DECODER "," MODEL ("", ""), "/pre_tokenizer: it has no ByteLevel" },
    { "'pre_tokenizer':{'type':'Sequence','pretokenizers':[" BYTE_LEVEL
      ",{'type':'Digits'}]}," DECODER "," MODEL ("", ""),
      "after ByteLevel" },
    { "'pre_tokenizer':{'type':'Sequence','pretokenizers':[{'type':'Split','pattern':{'Regex':'"
      "\\\\w'},'behavior':'Isolated'}]}," DECODER "," MODEL ("", ""),
      "\\w at byte 0 of the pattern" },
    { "'post_processor':{'type':'BertProcessing'}," PLAIN,
      "/post_processor: the post-processor \"BertProcessing\"" },
    { "'pre_tokenizer':" BYTE_LEVEL ",'decoder':{'type':'Metaspace'}," MODEL ("", ""),
      "/decoder: the decoder \"Metaspace\"" },
    { "'pre_tokenizer':" BYTE_LEVEL "," MODEL ("", ""), "decoder: it is missing" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER, "/model: it is missing" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER ",'model':{'type':'Unigram'}",
      "the model \"Unigram\"" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER "," MODEL ("'dropout':0.1,", ""),
      "/model/dropout: 0.1" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER "," MODEL ("'continuing_subword_prefix':'##',", ""),
      "/model/continuing_subword_prefix" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER "," MODEL ("'byte_fallback':true,", ""),
      "/model/byte_fallback" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER "," MODEL ("'unk_token':'<unk>',", ""),
      "/model/unk_token" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER "," MODEL ("", "'a x'"),
      "its right half is no token" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER "," MODEL ("", "'a c'"),
      "its halves together are no token" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER "," MODEL ("", "'abc'"), "not two tokens" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER "," MODEL ("", "['a','b','c']"), "neither" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER ",'model':{'vocab':{'a':0,'b':0},'merges':[]}",
      "its id is that of another token" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER ",'model':{'vocab':{'a':0,'a':1},'merges':[]}",
      "it is there twice" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER ",'model':{'vocab':{'a':2097152},'merges':[]}",
      "no whole number between" },
    { "'pre_tokenizer':" BYTE_LEVEL "," DECODER ",'model':{'vocab':{},'merges':[]}",
      "the vocabulary is empty" },
    { "'added_tokens':[" ADDED ("30", "<x>", "") "]," PLAIN, "tokenizers would give it 17" },
    { "'surprise':1," PLAIN, "surprise: this member" },
    { PLAIN "," PLAIN, "it is there twice" },
    { "'version':", "test.json: line" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *quotes = quoted (cases[i].members), *json = g_strdup_printf ("{%s}", quotes);
      g_autoptr (GError) error = NULL;

      g_assert_null (lm_tokenizer_new_json ("test.json", json, strlen (json), &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      g_assert_true (g_str_has_prefix (error->message, "test.json: "));
      if (strstr (error->message, cases[i].message) == NULL)
        g_error ("expected \"%s\" in: %s", cases[i].message, error->message);
    }
}

static void
test_bytes_kept (void)
{
  g_autofree char *quotes = quoted ("{ " PLAIN " }\n"), *back = NULL;
  g_autoptr (LmTokenizer) t = lm_tokenizer_new_json ("x", quotes, strlen (quotes), NULL);
  gsize len;

  back = lm_tokenizer_to_json (t, &len);
  g_assert_cmpmem (back, len, quotes, strlen (quotes));
  g_assert_null (lm_tokenizer_config_json (t));
}

/* Merges may stand before the vocabulary, and as pairs. */
static void
test_order (void)
{
  g_autoptr (LmTokenizer) t
      = made ("'model':{'merges':[['a','b'],['ab','c']],'vocab':{'a':0,'b':1,'c':2,'ab':3,'abc':4},"
              "'type':'BPE'}," DECODER ",'pre_tokenizer':" BYTE_LEVEL);

  assert_ids (t, "abcab", 0, "4 3");
}

static gpointer
encode_much (gpointer data)
{
  LmTokenizer *t = data;
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  for (guint i = 0; i < 20000; i++)
    {
      char text[16];
      int len = g_snprintf (text, sizeof text, "a%03uabc", i % 1000);

      g_assert_true (lm_tokenizer_encode (t, text, (gsize) len, 0, ids, NULL, NULL));
    }
  return ids;
}

static void
test_threads (void)
{
  g_autoptr (LmTokenizer) t = made (PLAIN);
  GThread *threads[4];
  GArray *first = NULL;

  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("encode", encode_much, t);
  for (guint i = 0; i < 4; i++)
    {
      GArray *ids = g_thread_join (threads[i]);

      if (first == NULL)
        first = g_array_ref (ids);
      g_assert_cmpmem (ids->data, ids->len * 4, first->data, first->len * 4);
      g_array_unref (ids);
    }
  g_array_unref (first);
}

/* The ids were computed with transformers. */
static void
test_smollm2 (void)
{
  const char *path = g_getenv ("FLOWRUN_SMOLLM2");
  g_autoptr (LmWeightFile) file = NULL;
  g_autoptr (LmTokenizer) t = NULL, again = NULL;
  g_autoptr (JsonNode) config = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *json = NULL;
  gsize len;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("FLOWRUN_SMOLLM2 names no GGUF");
      return;
    }
  file = lm_weight_file_open (path, &error);
  g_assert_no_error (error);
  t = lm_tokenizer_new_gguf (file, &error);
  g_assert_no_error (error);
  g_assert_cmpint (lm_tokenizer_n_tokens (t), ==, 49152);
  g_assert_cmpint (lm_tokenizer_find (t, "<|im_end|>"), ==, 2);
  g_assert_true (lm_tokenizer_is_special (t, 2));
  json = lm_tokenizer_to_json (t, &len);
  again = lm_tokenizer_new_json ("exported", json, len, &error);
  g_assert_no_error (error);
  for (LmTokenizer *which = t; which != NULL; which = which == t ? again : NULL)
    {
      assert_ids (which, "Hello world! 123", 0, "19556 905 17 216 33 34 35");
      assert_ids (which, "Caf\u00e9 d\u00e9j\u00e0 vu.", 0,
                  "51 1939 2756 32564 90 16739 386 101 30");
      assert_ids (which, "  multiple   spaces", 0, "216 2701 256 5600");
      assert_ids (which, "<|im_end|>", 0, "2");
    }
  config = lm_tokenizer_config_json (t);
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (config), "eos_token"), ==,
                   "<|im_end|>");
}

/* A GGUF header with one string key and nothing else. */
static void
test_gguf_refused (void)
{
  static const char gguf[] = "GGUF\3\0\0\0"
                             "\0\0\0\0\0\0\0\0"
                             "\1\0\0\0\0\0\0\0"
                             "\24\0\0\0\0\0\0\0"
                             "tokenizer.ggml.model"
                             "\10\0\0\0"
                             "\5\0\0\0\0\0\0\0"
                             "llama";
  g_autoptr (GError) error = NULL;
  g_autoptr (LmWeightFile) file = lm_weight_file_parse ("x.gguf", gguf, sizeof gguf - 1, &error);

  g_assert_no_error (error);
  g_assert_null (lm_tokenizer_new_gguf (file, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "x.gguf: tokenizer.ggml.model is \"llama\""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tokenizer/merge", test_merge);
  g_test_add_func ("/tokenizer/merge/ignored", test_ignore_merges);
  g_test_add_func ("/tokenizer/merge/random", test_merge_random);
  g_test_add_func ("/tokenizer/merge/long", test_long_piece);
  g_test_add_func ("/tokenizer/merge/unknown", test_unknown_bytes);
  g_test_add_func ("/tokenizer/added", test_added);
  g_test_add_func ("/tokenizer/template", test_template);
  g_test_add_func ("/tokenizer/nfc", test_nfc);
  g_test_add_func ("/tokenizer/split/behaviors", test_behaviors);
  g_test_add_func ("/tokenizer/split/prefix-space", test_prefix_space);
  g_test_add_func ("/tokenizer/split/digits", test_digits);
  g_test_add_func ("/tokenizer/split/scanners", test_scanners);
  g_test_add_func ("/tokenizer/split/classes", test_classes);
  g_test_add_func ("/tokenizer/split/regex", test_regex);
  g_test_add_func ("/tokenizer/split/limits", test_regex_limits);
  g_test_add_func ("/tokenizer/decode", test_decode);
  g_test_add_func ("/tokenizer/invalid", test_invalid);
  g_test_add_func ("/tokenizer/alphabet", test_alphabet);
  g_test_add_func ("/tokenizer/refused", test_refused);
  g_test_add_func ("/tokenizer/bytes-kept", test_bytes_kept);
  g_test_add_func ("/tokenizer/order", test_order);
  g_test_add_func ("/tokenizer/threads", test_threads);
  g_test_add_func ("/tokenizer/smollm2", test_smollm2);
  g_test_add_func ("/tokenizer/gguf-refused", test_gguf_refused);
  return g_test_run ();
}
