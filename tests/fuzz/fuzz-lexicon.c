/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-lexicon.c: any bytes as a list of synonyms or a wordnet: a line is named or all is read, and
 * every synonym is valid text that is not its own word. */
#include "config.h"

#include <flowrun/error.h>
#include <stdint.h>
#include <string.h>

#include "transforms/synonyms/lexicon.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Lexicon) lexicon = lexicon_new ();
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_autofree char *text = NULL;
  gsize n;

  if (size > 65536)
    return 0;
  lexicon_add (lexicon, FROM_TABLE, FR_STR ("优惠"), FR_STR ("折扣"));
  if (!lexicon_read (lexicon, "list", (const char *) data, size, &error))
    {
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      g_assert_true (g_str_has_prefix (error->message, "list:"));
      return 0;
    }
  g_assert_no_error (error);
  g_assert_true (lexicon_ready (lexicon, &error));
  g_assert_cmpuint (lexicon_n_words (lexicon), >=, 1);
  text = g_utf8_make_valid ((const char *) data, (gssize) size);
  n = strlen (text);
  for (gsize i = 1; i <= n; i++)
    if (i == n || ((guchar) text[i] & 0xc0) != 0x80)
      g_array_append_val (ends, i);
  for (gsize at = 0, first = 0; at < n; at = g_array_index (ends, gsize, first++))
    {
      gsize len = 0;
      const Entry *entry
          = lexicon_at (lexicon, (FrStr){ text, n }, at, &g_array_index (ends, gsize, first),
                        ends->len - (guint) first, &len);

      if (entry == NULL)
        continue;
      g_assert_cmpuint (len, >, 0);
      g_assert_cmpuint (at + len, <=, n);
      for (guint i = 0; i < entry->n; i++)
        g_assert_true (g_utf8_validate (entry->synonyms[i].word.data,
                                        (gssize) entry->synonyms[i].word.len, NULL));
    }
  return 0;
}
