/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-tokenizer.c: tokenizer.json, GGUF tokenizers, and text through them.
 *
 * The first byte chooses:
 *   j  the rest is a tokenizer.json; what is read encodes a text and decodes it
 *   g  the rest is a GGUF; what is read is written as tokenizer.json, which is
 *      read again and gives the same ids
 *   r  a pattern and, after a NUL, a text that it cuts; nothing is lost
 *   else the rest is a text for a small fixed tokenizer of that family.
 * What must hold for the last: ids decode to the text with what is invalid
 * replaced; the incremental decoder gives valid UTF-8 at every step; pieces put
 * together are the text; encoding again gives the same ids.
 */
#include "config.h"

#include <stdint.h>

#include "lm/tokenizer/tokenizer-private.h"

/* Not g_error(), whose signal libFuzzer does not catch. */
#define FAIL(...) (g_printerr (__VA_ARGS__), abort ())

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const char sample[] = "Hello, World's 1234 \u4e2d\u6587 e\u0301\r\n\t <x> aaaa";

static void
need (gboolean truth, const char *what)
{
  if (!truth)
    FAIL ("broken promise: %s\n", what);
}

static GArray *
encode (LmTokenizer *t, const char *text, gsize len, guint flags, gsize *n_replaced)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;

  need (lm_tokenizer_encode (t, text, len, flags, ids, n_replaced, &error) == (error == NULL),
        "no ids, an error");
  return ids;
}

static gboolean
same (const GArray *a, const GArray *b)
{
  return a->len == b->len
         && (a->len == 0 || memcmp (a->data, b->data, a->len * sizeof (gint32)) == 0);
}

static void
use (LmTokenizer *t)
{
  g_autoptr (GArray) ids = encode (t, sample, sizeof sample - 1, LM_ENCODE_SPECIAL, NULL);
  g_autofree char *text = lm_tokenizer_decode (t, (gint32 *) (gpointer) ids->data, ids->len, FALSE);

  need (g_utf8_validate (text, -1, NULL), "decoded text is UTF-8");
}

static void
json (const char *data, gsize len)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmTokenizer) t = lm_tokenizer_new_json ("fuzz", data, len, &error);

  need ((t == NULL) == (error != NULL), "no tokenizer, an error");
  if (t != NULL)
    use (t);
}

static void
gguf (const char *data, gsize len)
{
  g_autoptr (LmWeightFile) file = lm_weight_file_parse ("fuzz", data, len, NULL);
  g_autoptr (LmTokenizer) t = NULL, again = NULL;
  g_autoptr (GArray) a = NULL, b = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize n;

  if (file == NULL)
    return;
  t = lm_tokenizer_new_gguf (file, &error);
  need ((t == NULL) == (error != NULL), "no tokenizer, an error");
  if (t == NULL)
    return;
  use (t);
  text = lm_tokenizer_to_json (t, &n);
  again = lm_tokenizer_new_json ("again", text, n, &error);
  if (again == NULL)
    FAIL ("not read back: %s: %s\n", error->message, text);
  a = encode (t, sample, sizeof sample - 1, LM_ENCODE_SPECIAL, NULL);
  b = encode (again, sample, sizeof sample - 1, LM_ENCODE_SPECIAL, NULL);
  need (same (a, b), "written and read gives the same ids");
}

static gboolean
collect (const char *piece, gsize len, gpointer user, GError **error G_GNUC_UNUSED)
{
  need (len > 0, "pieces are not empty");
  g_string_append_len (user, piece, (gssize) len);
  return TRUE;
}

static void
pattern (const char *data, gsize len)
{
  const char *nul = memchr (data, 0, len), *text = nul != NULL ? nul + 1 : data + len;
  g_autofree char *copy = g_strndup (data, len);
  gsize n = (gsize) (data + len - text);
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  LmSplit split = { .regex = NULL };

  if (lm_utf8_span (data, len) < len || strlen (copy) > 200 || n > 200)
    return;
  split.regex = lm_regex_new (copy, &error);
  need ((split.regex == NULL) == (error != NULL), "no pattern, an error");
  for (guint b = 0; split.regex != NULL && b <= LM_BEHAVIOR_CONTIGUOUS; b++)
    {
      split.behavior = (LmBehavior) b;
      g_string_truncate (out, 0);
      if (lm_split_run (&split, 1, text, n, collect, out, NULL) && b != LM_BEHAVIOR_REMOVED)
        need (out->len == n && (n == 0 || memcmp (out->str, text, n) == 0), "nothing is lost");
    }
  lm_split_clear (&split);
}

/* All bytes, and some merges among them. */
static LmTokenizer *
small (const char *pre_tokenizer)
{
  GString *s = g_string_new (
      "{\"added_tokens\":[{\"id\":261,\"content\":\"<x>\",\"special\":true,\"normalized\":false}],"
      "\"decoder\":{\"type\":\"ByteLevel\"},\"pre_tokenizer\":");
  LmTokenizer *t;
  const char *comma = "";

  g_string_append (s, pre_tokenizer);
  g_string_append (s, ",\"model\":{\"type\":\"BPE\",\"vocab\":{");
  for (guint i = 0; i < 256; i++)
    {
      char byte = (char) i;
      g_autoptr (GString) letter = g_string_new (NULL);

      lm_alphabet_write (letter, &byte, 1);
      g_string_append_printf (s, "%s\"%s%s\":%u", comma,
                              strchr ("\"\\", letter->str[0]) != NULL ? "\\" : "", letter->str, i);
      comma = ",";
    }
  g_string_append (s, ",\"aa\":256,\"aaa\":257,\"ab\":258,\"\u00e4\u00b8\":259,\"\u0120a\":260},"
                      "\"merges\":[\"a a\",\"aa a\",\"a b\",\"\u00e4 \u00b8\",\"\u0120 a\"]}}");
  t = lm_tokenizer_new_json ("small", s->str, s->len, NULL);
  need (t != NULL, "the fixed tokenizer is read");
  g_string_free (s, TRUE);
  return t;
}

static void
text_through (LmTokenizer *t, const char *text, gsize len)
{
  gsize n_replaced = 0, n_again = 0;
  g_autoptr (GArray) ids = encode (t, text, len, 0, &n_replaced),
                     plain = encode (t, text, len, LM_ENCODE_PLAIN, NULL), again = NULL;
  g_autoptr (GString) repaired = g_string_new (NULL), steps = g_string_new (NULL),
                      pieces = g_string_new (NULL);
  g_autofree char *back = lm_tokenizer_decode (t, (gint32 *) (gpointer) ids->data, ids->len, FALSE),
                  *plain_back
                  = lm_tokenizer_decode (t, (gint32 *) (gpointer) plain->data, plain->len, FALSE);
  LmDetokenizer *d = lm_detokenizer_new (t, FALSE);

  need (lm_utf8_append (repaired, text, len, TRUE, &n_again) == len && n_again == n_replaced,
        "what was replaced is counted");
  need (lm_utf8_span (repaired->str, repaired->len) == repaired->len, "repaired text is UTF-8");
  for (guint i = 0; i < ids->len; i++)
    {
      lm_detokenizer_push (d, g_array_index (ids, gint32, i), steps);
      need (lm_utf8_span (steps->str, steps->len) == steps->len, "no half characters");
    }
  lm_detokenizer_finish (d, steps);
  lm_detokenizer_free (d);
  need (g_string_equal (steps, repaired), "steps decode to the text");
  need (strcmp (back, repaired->str) == 0 && strcmp (plain_back, repaired->str) == 0,
        "ids decode to the text");
  need (lm_split_run (t->splits, t->n_splits, repaired->str, repaired->len, collect, pieces, NULL)
            && g_string_equal (pieces, repaired),
        "pieces are the text");
  again = encode (t, repaired->str, repaired->len, 0, NULL);
  need (same (ids, again), "the same text has the same ids");
}

static LmTokenizer *
of_family (char letter)
{
  static LmTokenizer *gpt2, *plain;
  static LmTokenizer *families[2];

  if (gpt2 == NULL)
    {
      gpt2 = small ("{\"type\":\"ByteLevel\",\"add_prefix_space\":false}");
      plain = small ("{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}");
      families[0] = small ("{\"type\":\"ByteLevel\",\"add_prefix_space\":false}");
      families[1] = small ("{\"type\":\"ByteLevel\",\"add_prefix_space\":false}");
      families[0]->splits[0].scan = lm_scan_llama3;
      families[1]->splits[0].scan = lm_scan_deepseek3;
    }
  return letter == 'l' ? families[0] : letter == 'd' ? families[1] : letter == 'p' ? plain : gpt2;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *rest = (const char *) data + 1;

  if (size < 1)
    return 0;
  switch (data[0])
    {
    case 'j':
      json (rest, size - 1);
      break;
    case 'g':
      gguf (rest, size - 1);
      break;
    case 'r':
      pattern (rest, size - 1);
      break;
    default:
      text_through (of_family ((char) data[0]), rest, size - 1);
    }
  return 0;
}
