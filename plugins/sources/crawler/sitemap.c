/* SPDX-License-Identifier: Apache-2.0 */
/* sitemap.c: a scan for <loc>, <lastmod> and <link>; see sitemap.h. */
#include "config.h"

#include "sitemap.h"
#include "text/html.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

typedef struct
{
  const char *p, *end;
  FrStr name; /* of the tag found last, without prefix; a closing one begins with '/' */
  FrStr attributes;
} Scan;

static void
entry_clear (gpointer data)
{
  SitemapEntry *entry = data;

  g_free (entry->url);
  g_free (entry->lastmod);
}

void
sitemap_free (Sitemap *sitemap)
{
  if (sitemap == NULL)
    return;
  g_array_unref (sitemap->entries);
  g_free (sitemap);
}

/* ---- scanning --------------------------------------------------------------------- */

static const char *
find (const char *p, const char *end, const char *what)
{
  return memmem (p, (gsize) (end - p), what, strlen (what));
}

static gboolean
at (const char *p, const char *end, const char *what)
{
  return (gsize) (end - p) >= strlen (what) && memcmp (p, what, strlen (what)) == 0;
}

/* Past a comment, CDATA, declaration or instruction that begins at @p; NULL when it never ends. */
static const char *
skip_other (const char *p, const char *end)
{
  const char *closing = at (p, end, "<!--") ? "-->" : at (p, end, "<![CDATA[") ? "]]>" : ">";
  const char *close = find (p + 2, end, closing);

  return close ? close + strlen (closing) : NULL;
}

/* To the next tag; comments, CDATA and declarations are passed over. FALSE at the end. */
static gboolean
next_tag (Scan *s)
{
  const char *open, *close, *q, *colon;

  for (;;)
    {
      open = memchr (s->p, '<', (gsize) (s->end - s->p));
      if (open == NULL || s->end - open < 3)
        return FALSE;
      if (open[1] != '!' && open[1] != '?')
        break;
      s->p = skip_other (open, s->end);
      if (s->p == NULL)
        {
          s->p = s->end;
          return FALSE;
        }
    }
  close = memchr (open, '>', (gsize) (s->end - open));
  if (close == NULL)
    return FALSE;
  s->p = close + 1;
  for (q = open + 1 + (open[1] == '/'); q < close && !g_ascii_isspace (*q) && *q != '/'; q++)
    ;
  s->name = (FrStr){ open + 1, (gsize) (q - open - 1) };
  s->attributes = (FrStr){ q, (gsize) (close - q) };
  colon = s->name.len ? memchr (s->name.data, ':', s->name.len) : NULL;
  if (colon && s->name.data[0] != '/')
    s->name = (FrStr){ colon + 1, (gsize) (q - colon - 1) };
  return TRUE;
}

static gboolean
is (const Scan *s, const char *name)
{
  return s->name.len == strlen (name) && g_ascii_strncasecmp (s->name.data, name, s->name.len) == 0;
}

/* Character data with CDATA opened, references read, white space around taken off. */
static char *
read_text (FrStr raw)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const char *p = raw.data, *end = p + raw.len;

  while (p < end)
    {
      gunichar chars[2];
      gsize n;

      if (end - p >= 9 && memcmp (p, "<![CDATA[", 9) == 0)
        {
          const char *close = find (p, end, "]]>");

          g_string_append_len (out, p + 9, (close ? close : end) - p - 9);
          p = close ? close + 3 : end;
        }
      else if (*p == '&' && (n = text_html_reference (p, end, chars)) > 0)
        {
          g_string_append_unichar (out, chars[0]);
          p += n;
        }
      else if (*p == '<')
        break;
      else
        g_string_append_c (out, *p++);
    }
  return g_strdup (g_strstrip (out->str));
}

/* What stands from here to the next closing tag. */
static char *
text_here (Scan *s)
{
  const char *from = s->p, *p = from;

  while (p < s->end && *p != '<')
    p++;
  while (s->end - p >= 9 && memcmp (p, "<![CDATA[", 9) == 0)
    {
      const char *close = find (p, s->end, "]]>");

      p = close ? close + 3 : s->end;
      while (p < s->end && *p != '<')
        p++;
    }
  s->p = p;
  return read_text ((FrStr){ from, (gsize) (p - from) });
}

static char *
attribute (const Scan *s, const char *name)
{
  const char *p = s->attributes.data, *end = p + s->attributes.len;
  gsize n = strlen (name);

  for (; (p = find (p, end, name)) != NULL; p += n)
    if (g_ascii_isspace (p[-1]) && end - p >= (gssize) n + 3 && p[n] == '='
        && (p[n + 1] == '"' || p[n + 1] == '\''))
      {
        const char *close = memchr (p + n + 2, p[n + 1], (gsize) (end - p - (gssize) n - 2));

        return close ? read_text ((FrStr){ p + n + 2, (gsize) (close - p - (gssize) n - 2) })
                     : NULL;
      }
  return NULL;
}

/* ---- kinds ---------------------------------------------------------------------------- */

static gboolean
add (Sitemap *sitemap, SitemapEntry *entry)
{
  gboolean room = sitemap->entries->len < SITEMAP_URLS;

  if (entry->url && *entry->url && room)
    g_array_append_val (sitemap->entries, *entry);
  else
    {
      sitemap->fault = room ? "an entry has no address"
                            : "it has more than 50000 entries; the rest was not read";
      entry_clear (entry);
    }
  memset (entry, 0, sizeof *entry);
  return room;
}

static void
read_entries (Sitemap *sitemap, Scan *s, const char *entry_name, const char *end_name)
{
  g_autofree char *end_entry = g_strconcat ("/", entry_name, NULL);
  SitemapEntry entry = { 0 };
  gboolean open = FALSE, closed = FALSE, room = TRUE;

  while (room && !closed && next_tag (s))
    if (is (s, entry_name) || is (s, end_entry))
      {
        if (open)
          room = add (sitemap, &entry);
        open = is (s, entry_name);
      }
    else if (open && is (s, "loc"))
      {
        g_free (entry.url);
        entry.url = text_here (s);
      }
    else if (open && is (s, "lastmod"))
      {
        g_free (entry.lastmod);
        entry.lastmod = text_here (s);
      }
    else
      closed = g_ascii_strncasecmp (s->name.data, end_name, s->name.len) == 0
               && s->name.len == strlen (end_name);
  if (open && room && entry.url)
    room = add (sitemap, &entry);
  entry_clear (&entry);
  if (room && !closed)
    sitemap->fault = "it ends before it is closed";
}

/* RSS: <item><link>address</link>; Atom: <entry><link href="address"/>. */
static void
read_feed (Sitemap *sitemap, Scan *s)
{
  gboolean inside = FALSE;

  while (next_tag (s))
    if (is (s, "item") || is (s, "entry"))
      inside = TRUE;
    else if (is (s, "/item") || is (s, "/entry"))
      inside = FALSE;
    else if (inside && is (s, "link"))
      {
        SitemapEntry entry = { attribute (s, "href"), NULL };
        g_autofree char *rel = attribute (s, "rel");

        if (entry.url == NULL)
          entry.url = text_here (s);
        if (rel && strcmp (rel, "alternate") != 0)
          entry_clear (&entry);
        else if (!add (sitemap, &entry))
          return;
      }
}

static gboolean
is_address (const char *line)
{
  return g_ascii_strncasecmp (line, "http://", 7) == 0
         || g_ascii_strncasecmp (line, "https://", 8) == 0;
}

static gboolean
read_lines (Sitemap *sitemap, FrStr text)
{
  const char *p = text.data, *end = p + text.len;

  while (p < end)
    {
      const char *stop = memchr (p, '\n', (gsize) (end - p));
      g_autofree char *line = g_strndup (p, (gsize) ((stop ? stop : end) - p));
      SitemapEntry entry = { 0 };

      p = stop ? stop + 1 : end;
      g_strstrip (line);
      if (*line == '\0')
        continue;
      if (!is_address (line))
        {
          sitemap->fault = "a line of it is no address";
          if (sitemap->entries->len == 0)
            return FALSE;
          continue;
        }
      entry.url = g_steal_pointer (&line);
      if (!add (sitemap, &entry))
        break;
    }
  return sitemap->entries->len > 0;
}

Sitemap *
sitemap_parse (FrStr text)
{
  g_autoptr (Sitemap) sitemap = g_new0 (Sitemap, 1);
  Scan s = { .p = text.data, .end = text.data + text.len };

  sitemap->entries = g_array_new (FALSE, FALSE, sizeof (SitemapEntry));
  g_array_set_clear_func (sitemap->entries, entry_clear);
  if (text.len == 0)
    return NULL;
  if (!next_tag (&s))
    return read_lines (sitemap, text) ? g_steal_pointer (&sitemap) : NULL;
  if (is (&s, "urlset"))
    read_entries (sitemap, &s, "url", "/urlset");
  else if (is (&s, "sitemapindex"))
    {
      sitemap->is_index = TRUE;
      read_entries (sitemap, &s, "sitemap", "/sitemapindex");
    }
  else if (is (&s, "rss") || is (&s, "feed") || is (&s, "RDF"))
    read_feed (sitemap, &s);
  else
    return NULL;
  return g_steal_pointer (&sitemap);
}

/* ---- packed ones --------------------------------------------------------------------------- */

GByteArray *
sitemap_unpack (const guint8 *data, gsize len, gboolean *cut, GError **error)
{
  struct archive *a = archive_read_new ();
  struct archive_entry *entry;
  g_autoptr (GByteArray) out = g_byte_array_new ();
  gssize n = 0;
  int opened;

  *cut = FALSE;
  archive_read_support_filter_gzip (a); /* not all: some start programs */
  archive_read_support_format_raw (a);
  archive_read_support_format_empty (a);
  opened = archive_read_open_memory (a, data, len);
  if (opened == ARCHIVE_OK)
    opened = archive_read_next_header (a, &entry);
  if (opened < ARCHIVE_WARN)
    n = -1;
  else if (opened != ARCHIVE_EOF)
    do
      {
        guint8 block[16384];

        n = archive_read_data (a, block, sizeof block);
        if (n > 0)
          g_byte_array_append (out, block, (guint) MIN ((gsize) n, SITEMAP_BYTES - out->len));
        *cut = out->len == SITEMAP_BYTES;
      }
    while (n > 0 && !*cut);
  if (n < 0)
    g_set_error (error, FR_ERROR, FR_ERROR_DATA, "it cannot be unpacked: %s",
                 archive_error_string (a));
  archive_read_free (a);
  return n < 0 ? NULL : g_steal_pointer (&out);
}
