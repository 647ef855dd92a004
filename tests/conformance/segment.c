/* SPDX-License-Identifier: Apache-2.0 */
/* segment.c: cuts text by a dictionary, for test-segment.py and tests/bench/segment.sh.
 *
 * segment DICTIONARY USER: standard input, a text a line; standard output, its segments with U+001F
 * between.  segment --time DICTIONARY FILE: cuts the lines of FILE on one thread and prints
 * "segment MB/s seconds segments load-seconds", reading the file left out.  USER and DICTIONARY may
 * be
 * "-": none.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "text/segment.h"

static TextSegmenter *
open_segmenter (const char *dictionary, const char *user)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TextDictionary) d = NULL;
  TextSegmenter *segmenter;

  if (strcmp (dictionary, "-") != 0)
    d = text_dictionary_new (dictionary, user != NULL && strcmp (user, "-") != 0 ? user : NULL,
                             &error);
  segmenter = error == NULL ? text_segmenter_new_with (d, &error) : NULL;
  if (segmenter == NULL)
    fprintf (stderr, "segment: %s\n", error->message);
  return segmenter;
}

static int
clock_file (const char *dictionary, const char *path)
{
  gint64 start = g_get_monotonic_time (), loaded;
  g_autoptr (TextSegmenter) segmenter = open_segmenter (dictionary, NULL);
  g_autoptr (GArray) segments = g_array_new (FALSE, FALSE, sizeof (TextSegment));
  g_autofree char *text = NULL;
  gsize len, n = 0;
  double seconds;

  if (segmenter == NULL || !g_file_get_contents (path, &text, &len, NULL))
    return 1;
  loaded = g_get_monotonic_time ();
  for (const char *p = text, *end = p + len; p < end;)
    {
      const char *eol = memchr (p, '\n', (gsize) (end - p));

      if (eol == NULL)
        eol = end;
      g_array_set_size (segments, 0);
      text_segment_words (segmenter, (FrStr){ p, (gsize) (eol - p) }, segments);
      n += segments->len;
      p = eol + 1;
    }
  seconds = (double) (g_get_monotonic_time () - loaded) / 1e6;
  printf ("segment %.2f %.3f %" G_GSIZE_FORMAT " %.3f\n", (double) len / 1e6 / seconds, seconds, n,
          (double) (loaded - start) / 1e6);
  return 0;
}

int
main (int argc, char **argv)
{
  g_autoptr (TextSegmenter) segmenter = NULL;
  g_autoptr (GArray) segments = g_array_new (FALSE, FALSE, sizeof (TextSegment));
  char *line = NULL;
  size_t room = 0;
  ssize_t n;

  if (argc == 4 && strcmp (argv[1], "--time") == 0)
    return clock_file (argv[2], argv[3]);
  if (argc != 3 || (segmenter = open_segmenter (argv[1], argv[2])) == NULL)
    return 2;
  while ((n = getline (&line, &room, stdin)) > 0)
    {
      if (line[n - 1] == '\n')
        n--;
      g_array_set_size (segments, 0);
      text_segment_words (segmenter, (FrStr){ line, (gsize) n }, segments);
      for (guint i = 0; i < segments->len; i++)
        {
          const TextSegment *s = &g_array_index (segments, TextSegment, i);

          if (i > 0)
            putchar (0x1f);
          fwrite (line + s->offset, 1, s->len, stdout);
        }
      putchar ('\n');
    }
  free (line);
  return 0;
}
