/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-sitemap.c: any bytes as a sitemap, packed or not: no crash, entries that have an address. */
#include "sources/crawler/sitemap.h"
#include "text/charset.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  gboolean cut;
  g_autoptr (GByteArray) plain = sitemap_unpack (data, size, &cut, NULL);
  g_autofree char *valid = plain && plain->len
                               ? g_utf8_make_valid ((const char *) plain->data, plain->len)
                               : g_strdup ("");
  g_autoptr (Sitemap) sitemap = sitemap_parse ((FrStr){ valid, strlen (valid) });

  for (guint i = 0; sitemap && i < sitemap->entries->len; i++)
    g_assert_true (*g_array_index (sitemap->entries, SitemapEntry, i).url != '\0');
  return 0;
}
