/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-robots.c: any bytes as robots.txt, and any path against it: no crash, no endless match, and
 * the file itself is always allowed.  The first line is the path.
 */
#include "sources/crawler/robots.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data, *line_end = size ? memchr (text, '\n', size) : NULL;
  gsize path_len = line_end ? (gsize) (line_end - text) : 0;
  g_autofree char *path = g_strndup (size ? text : "", path_len);
  g_autoptr (Robots) robots = robots_parse (text + path_len, size - path_len);

  robots_allows (robots, "flowrun", path);
  robots_allows (robots, "", path);
  g_assert_true (robots_allows (robots, "flowrun", "/robots.txt"));
  g_assert_cmpfloat (robots_delay (robots, "flowrun"), >=, 0);
  for (const char *const *p = robots_sitemaps (robots); *p; p++)
    g_assert_nonnull (*p);
  return 0;
}
