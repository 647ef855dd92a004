/* SPDX-License-Identifier: Apache-2.0 */
/* bench-content.c: main-content extraction over files, for tests/bench/content.sh.
 *
 *   bench-content time SECONDS FILE...     pages/s and MB/s, one process, whole API (bytes to text)
 *   bench-content text FILE...             for each file its text as one JSON line
 *   bench-content explain FILE...          every block and its score
 */
#include "config.h"

#include <flowrun/json.h>
#include <stdio.h>
#include <string.h>

#include "text/content.h"

static void
show (const char *name, const TextContent *page)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) line = g_string_new ("{\"file\":");
  const struct
  {
    const char *key;
    FrStr value;
  } members[] = { { "title", page->title },
                  { "byline", page->byline },
                  { "site", page->site },
                  { "description", page->description },
                  { "published", page->published },
                  { "language", page->language },
                  { "charset", { page->charset, strlen (page->charset) } } };

  fr_json_append_string (line, name, strlen (name));
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      g_string_append_printf (line, ",\"%s\":", members[i].key);
      fr_json_append_string (line, members[i].value.data, members[i].value.len);
    }
  text_content_append (page, TEXT_STYLE_PLAIN, text);
  g_string_append_printf (line, ",\"kind\":\"%s\",\"confidence\":%.2f,\"links\":%u,\"text\":",
                          text_page_kind_name (page->kind), page->confidence, page->n_links);
  fr_json_append_string (line, text->str, text->len);
  g_string_append_c (line, '}');
  puts (line->str);
}

static void
measure (double seconds, GPtrArray *pages, GArray *lens)
{
  gint64 start = g_get_monotonic_time (), now;
  gsize n = 0, bytes = 0, chars = 0;

  do
    {
      for (guint i = 0; i < pages->len; i++)
        {
          gsize len = g_array_index (lens, gsize, i);
          g_autoptr (GString) text = g_string_new (NULL);
          TextContent *page = text_content_new (pages->pdata[i], len, NULL);

          text_content_append (page, TEXT_STYLE_PLAIN, text);
          chars += text->len;
          text_content_free (page);
          n++;
          bytes += len;
        }
      now = g_get_monotonic_time ();
    }
  while ((double) (now - start) < seconds * 1e6);
  printf ("{\"pages_s\": %.1f, \"mb_s\": %.3f, \"chars\": %zu}\n",
          (double) n * 1e6 / (double) (now - start), (double) bytes / (double) (now - start),
          chars / n);
}

int
main (int argc, char **argv)
{
  gboolean time = argc > 1 && strcmp (argv[1], "time") == 0;
  g_autoptr (GPtrArray) pages = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) lens = g_array_new (FALSE, FALSE, sizeof (gsize));

  if (argc < 3)
    {
      fprintf (stderr,
               "usage: bench-content time SECONDS FILE... | text FILE... | explain FILE...\n");
      return 2;
    }
  for (int i = time ? 3 : 2; i < argc; i++)
    {
      g_autoptr (GError) error = NULL;
      char *data;
      gsize len;

      if (!g_file_get_contents (argv[i], &data, &len, &error))
        {
          fprintf (stderr, "%s\n", error->message);
          return 1;
        }
      if (time)
        {
          g_ptr_array_add (pages, data);
          g_array_append_val (lens, len);
          continue;
        }
      TextContentOptions options = { .flags = TEXT_CONTENT_EXPLAIN };
      g_autoptr (TextContent) page = text_content_new (data, len, &options);

      if (strcmp (argv[1], "text") == 0)
        show (argv[i], page);
      else
        {
          g_autoptr (GString) why = g_string_new (NULL);

          text_content_explain (page, why);
          printf ("== %s: %s, %.2f\n%s", argv[i], text_page_kind_name (page->kind),
                  page->confidence, why->str);
        }
      g_free (data);
    }
  if (time)
    measure (g_ascii_strtod (argv[2], NULL), pages, lens);
  return 0;
}
