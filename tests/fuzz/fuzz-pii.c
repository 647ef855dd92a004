/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-pii.c: looks for personal data in a text, hides it in a way that the first
 * byte says, and looks again.  A text of lines: the first is a word of the caller's too. */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "text/pii.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static TextPii *
rules (const char *text, gsize len)
{
  static TextPii *all;
  const char *line = memchr (text, '\n', len);
  TextPii *pii;

  if (line == NULL || line == text || text[0] != 'w')
    {
      if (all == NULL)
        {
          all = text_pii_new (TEXT_PII_ALL);
          g_assert_true (text_pii_ready (all, NULL));
        }
      return all;
    }
  pii = text_pii_new (TEXT_PII_ALL);
  g_assert_cmpint (text_pii_add_type (pii, "own", NULL, NULL, NULL), ==, TEXT_PII_BUILTIN);
  text_pii_add_word (pii, TEXT_PII_BUILTIN, text + 1, (gsize) (line - text - 1), NULL);
  g_assert_true (text_pii_ready (pii, NULL));
  return pii;
}

/* All hits hidden; how many. */
static guint
hide (const TextPii *pii, TextPiiScan *scan, const TextPiiKey *key, const TextPiiHide *how,
      const char *text, gsize len, GString *out)
{
  const TextPiiHit *hits;
  gsize from = 0;

  g_assert_true (text_pii_scan (scan, (FrStr){ text, len }, TEXT_PII_MIN_SCORE));
  hits = text_pii_hits (scan);
  for (guint i = 0; i < text_pii_n_hits (scan); i++)
    {
      FrStr value = { text + hits[i].start, hits[i].end - hits[i].start };
      g_autoptr (GString) hash = g_string_new (NULL);

      g_assert_cmpuint (hits[i].start, >=, from);
      g_assert_cmpuint (hits[i].end, >, hits[i].start);
      g_assert_cmpuint (hits[i].end, <=, len);
      g_assert_true (g_utf8_validate_len (value.data, value.len, NULL));
      g_assert_nonnull (hits[i].rule);
      text_pii_append_hash (pii, key, hits[i].type, value, 16, hash);
      g_assert_cmpuint (hash->len, ==, 16);
      g_string_append_len (out, text + from, (gssize) (hits[i].start - from));
      text_pii_append_hidden (pii, key, hits[i].type, value, how, out);
      from = hits[i].end;
    }
  for (guint i = 0; i < text_pii_n_doubts (scan); i++)
    g_assert_cmpuint (text_pii_doubts (scan)[i].end, <=, len);
  g_string_append_len (out, text + from, (gssize) (len - from));
  g_assert_true (g_utf8_validate_len (out->str, out->len, NULL));
  return text_pii_n_hits (scan);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_utf8_make_valid ((const char *) data, (gssize) size);
  g_autoptr (TextPiiKey) key = text_pii_key_new ("fuzz", 4);
  gsize len = strlen (text);
  TextPii *pii = rules (text, len);
  g_autoptr (TextPiiScan) scan = text_pii_scan_new (pii);
  g_autoptr (GString) out = g_string_new (NULL), again = g_string_new (NULL);
  TextPiiHide how = { (TextPiiAction) (size ? data[0] % 5 : 0), size > 1 ? data[1] % 8 : 0,
                      size > 2 ? data[2] % 8 : 0, size & 1, 8 };
  guint64 counts[TEXT_PII_BUILTIN] = { 0 };

  if (size > 3 && data[3] & 1)
    how.first = how.last = TEXT_PII_USUAL;
  hide (pii, scan, key, &how, text, len, out);
  hide (pii, scan, key, &how, out->str, out->len, again);
  text_pii_residual (scan, (FrStr){ out->str, out->len }, TEXT_PII_ALL, counts);
  if (text[0] == 'w' && strchr (text, '\n') != NULL && strchr (text, '\n') != text)
    {
      text_pii_scan_free (g_steal_pointer (&scan));
      text_pii_free (pii);
    }
  return 0;
}
