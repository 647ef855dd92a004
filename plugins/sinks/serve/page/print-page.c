/* SPDX-License-Identifier: Apache-2.0 */
/* print-page.c: the page as it is sent, headers and bytes, for the server that stands in for
 * sink.serve in tests. */
#include "config.h"

#include <stdio.h>

#include "page.h"

int
main (void)
{
  g_autoptr (ServePage) page = serve_page_new ();
  gsize len;
  const char *bytes = g_bytes_get_data (serve_page_bytes (page), &len);

  for (const ServePageHeader *h = serve_page_headers (page); h->name != NULL; h++)
    printf ("%s: %s\r\n", h->name, h->value);
  printf ("\r\n");
  return fwrite (bytes, 1, len, stdout) == len && fflush (stdout) == 0 ? 0 : 1;
}
