/* SPDX-License-Identifier: Apache-2.0 */
/* bench-pii.c FILE [TYPE]: looks for personal data in every line of a text file, one
 * thread, every type or one, and prints the megabytes a second of the best of five
 * rounds: the rules alone, without reading and writing. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "text/pii.h"

int
main (int argc, char **argv)
{
  int type = argc > 2 ? text_pii_type_from_name (argv[2]) : -1;
  g_autoptr (TextPii) pii = text_pii_new (type >= 0 ? TEXT_PII_BIT (type) : TEXT_PII_ALL);
  g_autoptr (TextPiiScan) scan = NULL;
  g_autofree char *text = NULL;
  double best = 0;
  gsize len, hits = 0;

  if (argc < 2 || !g_file_get_contents (argv[1], &text, &len, NULL) || !text_pii_ready (pii, NULL))
    {
      fprintf (stderr, "usage: bench-pii FILE [TYPE]\n");
      return 2;
    }
  scan = text_pii_scan_new (pii);
  for (guint round = 0; round < 5; round++)
    {
      gint64 start = g_get_monotonic_time ();

      hits = 0;
      for (const char *p = text, *end = text + len; p < end;)
        {
          const char *line = memchr (p, '\n', (gsize) (end - p));

          line = line ? line : end;
          text_pii_scan (scan, (FrStr){ p, (gsize) (line - p) }, TEXT_PII_MIN_SCORE);
          hits += text_pii_n_hits (scan) > 0;
          p = line + 1;
        }
      best = MAX (best, (double) len / (double) (g_get_monotonic_time () - start));
    }
  printf ("%.1f %" G_GSIZE_FORMAT "\n", best, hits);
  return 0;
}
