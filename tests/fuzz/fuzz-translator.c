/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-translator.c: what comes from translators and their files.  The first byte says what the
 * rest is: '1' '3' an answer of LibreTranslate to so many texts, 'a' 'c' one of OpenAI's to one or
 * three, 'w' a word list, and a text for it behind its last line, 'f' a cache file, 'm' a text with
 * marks. */
#include "config.h"

#include <flowrun/flowrun.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "text/translator-cache.h"
#include "transforms/backtranslate/mask.h"
#include "transforms/backtranslate/pieces.h"
#include "translators/dictionary/words.h"
#include "translators/libretranslate/protocol.h"
#include "translators/openai/protocol.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* An item after an answer: done with good text, refused with a reason, or as it was. */
static void
check_item (TranslatorItem *item, gboolean answered)
{
  g_assert_cmpint (item->state != TRANSLATOR_WAITING, ==, answered);
  g_assert_cmpint (item->translation != NULL, ==, item->state == TRANSLATOR_DONE);
  g_assert_cmpint (item->rule != NULL, ==, item->state == TRANSLATOR_REFUSED);
  if (item->translation != NULL)
    {
      g_assert_true (g_utf8_validate (item->translation, -1, NULL));
      g_assert_cmpint (item->translation[0], !=, '\0');
    }
  translator_item_clear (item);
}

static void
answer (const RemoteProtocol *protocol, gsize n, const char *body, gsize len)
{
  TranslatorItem items[3] = { 0 }, *pointers[3] = { NULL };
  g_autofree char *why = NULL;
  RemoteVerdict verdict;

  for (gsize i = 0; i < n; i++)
    {
      items[i] = (TranslatorItem){ .from = "zh", .to = "en", .text = FR_STR ("好") };
      pointers[i] = &items[i];
    }
  verdict = protocol->read (body, len, pointers, n, &why);
  g_assert_cmpint (why != NULL, >=, verdict != REMOTE_OK);
  for (gsize i = 0; i < n; i++)
    check_item (&items[i], verdict == REMOTE_OK);
}

static void
words (const char *data, gsize len)
{
  const char *last = memrchr (data, '\n', len);
  gsize list = last != NULL ? (gsize) (last + 1 - data) : len, n, unknown;
  g_autoptr (Words) w = words_parse ("fuzz", data, list, NULL);
  FrStr text = { data + list, len - list };

  if (w == NULL || !g_utf8_validate_len (text.data, text.len, NULL))
    return;
  for (guint i = 0; i < 4; i++)
    {
      g_autofree char *out = words_translate (w, text, i & 1, i & 2, i, &n, &unknown);

      g_assert_true (g_utf8_validate (out, -1, NULL));
      g_assert_cmpuint (unknown, <=, n);
    }
}

static void
cache (const char *data, gsize len)
{
  static char *dir;
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TranslatorCache) c = NULL;

  if (dir == NULL)
    dir = g_dir_make_tmp ("fuzz-translator-XXXXXX", NULL);
  path = g_build_filename (dir, "cache.jsonl", NULL);
  {
    FILE *file = g_fopen (path, "wb");

    fwrite (data, 1, len, file);
    fclose (file);
  }
  c = translator_cache_open (path, "e", 1 << 16, dir, &error);
  if (c != NULL)
    {
      TranslatorItem item = { .from = "zh", .to = "en", .text = FR_STR ("好") }, *one = &item;
      gboolean found;

      g_assert_true (translator_cache_find (c, &item, &found, NULL));
      check_item (&item, found);
      translator_item_done (&item, g_strdup ("good"), 4);
      g_assert_true (translator_cache_store (c, &one, 1, NULL));
      translator_item_clear (&item);
      g_assert_true (translator_cache_find (c, &item, &found, NULL));
      g_assert_true (found);
      g_assert_cmpstr (item.translation, ==, "good");
      translator_item_clear (&item);
    }
  else
    g_assert_nonnull (error);
  g_unlink (path);
}

static void
marks (const char *data, gsize len)
{
  static const FrStr kept[] = { { "199元", 6 }, { "A", 1 } };
  g_autoptr (GArray) masked = g_array_new (FALSE, FALSE, sizeof (FrStr)),
                     pieces = g_array_new (FALSE, FALSE, sizeof (Piece));
  g_autoptr (GString) out = g_string_new (NULL), joined = g_string_new (NULL);
  g_autofree char *why = NULL;
  FrStr text = { data, len };

  if (!g_utf8_validate_len (data, len, NULL))
    return;
  g_array_append_vals (masked, kept, 2);
  if (mask_restore (text, masked, TRUE, out, &why))
    g_assert_true (strstr (out->str, "199元") != NULL || memchr (data, '\0', len) != NULL);
  else
    g_assert_nonnull (why);
  g_assert_true (g_utf8_validate_len (out->str, out->len, NULL));
  mask_has_words (text);
  pieces_cut (text, 32, pieces);
  for (guint i = 0; i < pieces->len; i++)
    g_string_append_len (joined, g_array_index (pieces, Piece, i).text.data,
                         (gssize) g_array_index (pieces, Piece, i).text.len);
  g_assert_cmpmem (joined->str, joined->len, data, len);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *rest = (const char *) data + 1;
  g_autofree char *text = NULL;

  if (size < 1)
    return 0;
  /* As an HTTP body comes: with a NUL behind it. */
  text = g_malloc0 (size);
  memcpy (text, rest, size - 1);
  switch (data[0])
    {
    case '1':
    case '3':
      answer (&libretranslate_protocol, data[0] - '0', text, size - 1);
      break;
    case 'a':
    case 'c':
      answer (&openai_protocol, data[0] - 'a' + 1, text, size - 1);
      break;
    case 'w':
      words (text, size - 1);
      break;
    case 'f':
      cache (text, size - 1);
      break;
    case 'm':
      marks (text, size - 1);
      break;
    default:
      break;
    }
  return 0;
}
