/* SPDX-License-Identifier: Apache-2.0 */
/* detect.c: magic numbers, the names in a zip, and what text looks like. */
#include "config.h"

#include "detect.h"
#include "readers.h"
#include "text/charset.h"
#include "utf8.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  gsize at;
  const char *bytes;
  gsize n;
  FoundKind kind;
  const char *what;
} Magic;

#define M(at, bytes, kind, what)                                                                   \
  {                                                                                                \
    at, bytes, sizeof bytes - 1, kind, what                                                        \
  }
static const Magic magics[] = {
  M (0, "PK\003\004", FOUND_ZIP, "a zip archive"),
  M (0, "PK\005\006", FOUND_ZIP, "a zip archive"),
  M (0, "PK\007\010", FOUND_ZIP, "a zip archive"),
  M (0, "\037\213", FOUND_ARCHIVE, "a gzip file"),
  M (0, "\3757zXZ\0", FOUND_ARCHIVE, "an xz file"),
  M (0, "\x28\xb5\x2f\xfd", FOUND_ARCHIVE, "a zstd file"),
  M (4, "1AY&SY", FOUND_ARCHIVE, "a bzip2 file"),
  M (0, "7z\xbc\xaf\x27\x1c", FOUND_ARCHIVE, "a 7-Zip archive"),
  M (0, "Rar!\x1a\x07", FOUND_ARCHIVE, "a RAR archive"),
  M (0, "LZIP\1", FOUND_ARCHIVE, "an lzip file"),
  M (0, "\x04\x22\x4d\x18", FOUND_ARCHIVE, "an lz4 file"),
  M (0, "MSCF\0\0\0\0", FOUND_ARCHIVE, "a cabinet file"),
  M (257, "ustar", FOUND_ARCHIVE, "a tar archive"),
  M (0, "\320\317\021\340\241\261\032\341", FOUND_OLE, "an Office file of before 2007"),
  M (0, "{\\rtf", FOUND_UNKNOWN, "an RTF document"),
  M (0, "\x89PNG\r\n\x1a\n", FOUND_UNKNOWN, "a PNG image"),
  M (0, "\xff\xd8\xff", FOUND_UNKNOWN, "a JPEG image"),
  M (0, "GIF8", FOUND_UNKNOWN, "a GIF image"),
  M (0, "II*\0", FOUND_UNKNOWN, "a TIFF image"),
  M (0, "MM\0*", FOUND_UNKNOWN, "a TIFF image"),
  M (8, "WEBP", FOUND_UNKNOWN, "a WebP image"),
  M (0,
     "\x7f"
     "ELF",
     FOUND_UNKNOWN, "a program"),
  M (0, "SQLite format 3\0", FOUND_UNKNOWN, "an SQLite database"),
  M (0, "%!PS", FOUND_UNKNOWN, "a PostScript document"),
  M (0, "ID3\3", FOUND_UNKNOWN, "a sound file"),
  M (0, "ID3\4", FOUND_UNKNOWN, "a sound file"),
  M (4, "ftyp", FOUND_UNKNOWN, "a video or an image"),
  M (0, "!BDN", FOUND_UNKNOWN, "an Outlook mailbox (.pst)"),
};
#undef M

static const char *
find (const char *text, gsize len, const char *what)
{
  gsize n = strlen (what);

  for (gsize i = 0; i + n <= len; i++)
    if (g_ascii_strncasecmp (text + i, what, n) == 0)
      return text + i;
  return NULL;
}

static gboolean
is_named (const char *name, const char *const *endings)
{
  for (; *endings; endings++)
    {
      gsize n = strlen (name), k = strlen (*endings);

      if (n >= k && g_ascii_strcasecmp (name + n - k, *endings) == 0)
        return TRUE;
    }
  return FALSE;
}

/* ---- text --------------------------------------------------------------------- */

/* Blanks, comments, an XML declaration: what may stand before a page. */
static const char *
past_prologue (const char *p, const char *end)
{
  for (;;)
    {
      const char *close;

      while (p < end && g_ascii_isspace (*p))
        p++;
      if (end - p > 4 && memcmp (p, "<!--", 4) == 0)
        close = find (p, (gsize) (end - p), "-->");
      else if (end - p > 5 && g_ascii_strncasecmp (p, "<?xml", 5) == 0)
        close = find (p, (gsize) (end - p), "?>");
      else
        return p;
      if (close == NULL)
        return end;
      p = close + 2 + (*close == '-');
    }
}

static gboolean
begins (const char *p, const char *end, const char *with)
{
  gsize n = strlen (with);

  return (gsize) (end - p) >= n && g_ascii_strncasecmp (p, with, n) == 0;
}

static gboolean
is_html (const char *name, const char *text, gsize len)
{
  static const char *const endings[] = { ".html", ".htm", ".xhtml", ".shtml", ".xht", NULL };
  const char *end = text + len, *p = past_prologue (text, end);

  if (begins (p, end, "<!doctype html") || begins (p, end, "<html") || begins (p, end, "<head")
      || begins (p, end, "<body"))
    return TRUE;
  if (is_named (name, endings))
    return memchr (text, '<', len) != NULL;
  return begins (p, end, "<") && find (p, MIN ((gsize) (end - p), 1024), "<html") != NULL;
}

/* Any other XML: tags would drown what text there is. */
static gboolean
is_xml (const char *text, gsize len)
{
  while (len && g_ascii_isspace (*text))
    {
      text++;
      len--;
    }
  return len >= 6 && memcmp (text, "<?xml", 5) == 0 && g_ascii_isspace (text[5]);
}

/* Header fields at the beginning, and how many of those that every mail has. */
static guint
mail_fields (const char *text, gsize len)
{
  static const char *const fields[] = {
    "From:",         "To:",           "Subject:",     "Date:",         "Received:", "Message-ID:",
    "MIME-Version:", "Content-Type:", "Return-Path:", "Delivered-To:", "X-Mailer:", "Reply-To:"
  };
  guint known = 0, n = 0;

  for (gsize at = 0; at < len && n < 64; n++)
    {
      const char *newline = memchr (text + at, '\n', len - at);
      gsize end = newline ? (gsize) (newline - text) : len, name = at;

      if (end == at || (end == at + 1 && text[at] == '\r'))
        break;
      if (text[at] != ' ' && text[at] != '\t')
        {
          while (name < end && text[name] > ' ' && text[name] < 127 && text[name] != ':')
            name++;
          /* A line that is no field: no mail, unless the text was cut there. */
          if (name == at || name == end || text[name] != ':')
            return newline == NULL ? known : 0;
          for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
            if (strlen (fields[i]) == name - at + 1
                && g_ascii_strncasecmp (text + at, fields[i], name - at + 1) == 0)
              known++;
        }
      at = end + 1;
    }
  return known;
}

/* Share of bytes that no text has. */
static gboolean
is_binary (const char *text, gsize len)
{
  gsize odd = 0;

  for (gsize i = 0; i < len; i++)
    {
      guchar c = (guchar) text[i];

      odd += c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b;
      if (c == 0)
        return TRUE;
    }
  return odd * 50 > len;
}

static Found
detect_text (const char *name, const char *head, gsize len, gboolean whole)
{
  static const char *const mails[] = { ".eml", ".mht", ".mhtml", ".msg", NULL };
  static const char *const markdowns[]
      = { ".md", ".markdown", ".mkd", ".mdown", ".qmd", ".rmd", NULL };
  const char *how;
  const char *charset = text_charset_detect (head, len, whole, &how);
  gboolean wide = g_str_has_prefix (charset, "utf-16") || g_str_has_prefix (charset, "utf-32");
  guint64 replaced = 0;
  guint fields;
  GString *text;
  Found found = { FOUND_DOCUMENT, TYPE_PLAIN, "plain text" };

  if (!wide && is_binary (head, len))
    return (Found){ FOUND_UNKNOWN, NULL, "binary data of a kind that is not known" };
  if (!wide && begins (head, head + len, "From "))
    {
      const char *newline = memchr (head, '\n', len);

      if (newline && mail_fields (newline + 1, len - (gsize) (newline + 1 - head)) >= 1)
        return (Found){ FOUND_MBOX, TYPE_MBOX, "a mailbox" };
    }
  text = utf8_decode (head, len, charset, &replaced);
  fields = mail_fields (text->str, text->len);
  if (is_html (name, text->str, text->len))
    found = (Found){ FOUND_DOCUMENT, TYPE_HTML, "an HTML page" };
  else if (is_xml (text->str, text->len))
    found = (Found){ FOUND_UNKNOWN, NULL, "XML data" };
  else if (fields >= 3 || (fields >= 1 && is_named (name, mails)))
    found = (Found){ FOUND_DOCUMENT, TYPE_MAIL, "a mail message" };
  else if (is_named (name, markdowns))
    found = (Found){ FOUND_DOCUMENT, TYPE_MARKDOWN, "Markdown" };
  g_string_free (text, TRUE);
  return found;
}

/* ---- the rest ------------------------------------------------------------------- */

Found
detect (const char *name, const char *head, gsize len, gboolean whole)
{
  gsize skip = 0;

  if (len == 0)
    return (Found){ FOUND_EMPTY, NULL, "an empty file" };
  for (guint i = 0; i < G_N_ELEMENTS (magics); i++)
    {
      const Magic *m = &magics[i];

      if (len >= m->at + m->n && memcmp (head + m->at, m->bytes, m->n) == 0)
        return (Found){ m->kind, NULL, m->what };
    }
  /* Readers find a PDF's mark within its first kilobyte. */
  if (g_strstr_len (head, (gssize) MIN (len, 1024), "%PDF-"))
    return (Found){ FOUND_DOCUMENT, TYPE_PDF, "a PDF document" };
  while (skip < len && head[skip] == '\0')
    skip++;
  if (skip == len)
    return (Found){ FOUND_UNKNOWN, NULL, "nothing but zero bytes" };
  return detect_text (name, head, len, whole);
}

static const struct
{
  const char *part, *type, *what;
} offices[] = { { "word/document.xml", TYPE_DOCX, "a Word document" },
                { "xl/workbook.xml", TYPE_XLSX, "an Excel workbook" },
                { "ppt/presentation.xml", TYPE_PPTX, "a PowerPoint presentation" } };

static const char *
odf_type (const char *mime, gsize len)
{
  static const char *const known[] = { TYPE_ODT, TYPE_ODS, TYPE_ODP };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (len >= strlen (known[i]) && memcmp (mime, known[i], strlen (known[i])) == 0)
      return known[i];
  return NULL;
}

static Found
look_at_entries (struct archive *a)
{
  struct archive_entry *entry;
  gboolean types = FALSE;
  int rc;

  for (guint n = 0; n < 65536 && (rc = archive_read_next_header (a, &entry)) != ARCHIVE_EOF; n++)
    {
      const char *name;

      if (rc < ARCHIVE_WARN && rc != ARCHIVE_RETRY)
        break;
      name = archive_entry_pathname (entry);
      if (name == NULL)
        continue;
      if (strcmp (name, "mimetype") == 0)
        {
          char mime[128];
          la_ssize_t got = archive_read_data (a, mime, sizeof mime);
          const char *type = got > 0 ? odf_type (mime, (gsize) got) : NULL;

          if (type)
            return (Found){ FOUND_DOCUMENT, type, "an OpenDocument file" };
        }
      types |= strcmp (name, "[Content_Types].xml") == 0;
      for (guint i = 0; i < G_N_ELEMENTS (offices); i++)
        if (strcmp (name, offices[i].part) == 0)
          return (Found){ FOUND_DOCUMENT, offices[i].type, offices[i].what };
      /* Main parts may be called otherwise ("word/document2.xml"). */
      if (types && g_str_has_prefix (name, "word/document") && g_str_has_suffix (name, ".xml"))
        return (Found){ FOUND_DOCUMENT, TYPE_DOCX, offices[0].what };
    }
  return (Found){ FOUND_ARCHIVE, TYPE_ZIP, "a zip archive" };
}

Found
detect_zip (const char *data, gsize len)
{
  struct archive *a = archive_read_new ();
  Found found = { FOUND_ARCHIVE, TYPE_ZIP, "a zip archive" };

  /* By the entries themselves where the directory at the end is lost. */
  archive_read_support_format_zip (a);
  if (archive_read_open_memory (a, data, len) == ARCHIVE_OK)
    found = look_at_entries (a);
  archive_read_free (a);
  return found;
}

Found
detect_zip_fd (int fd)
{
  struct archive *a = archive_read_new ();
  Found found = { FOUND_ARCHIVE, TYPE_ZIP, "a zip archive" };

  archive_read_support_format_zip (a);
  lseek (fd, 0, SEEK_SET);
  if (archive_read_open_fd (a, fd, 64 * 1024) == ARCHIVE_OK)
    found = look_at_entries (a);
  archive_read_free (a);
  return found;
}

Found
detect_ole (const char *data, gsize len, gboolean *encrypted)
{
  static const char name[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
  static const char message[] = "_\0_\0p\0r\0o\0p\0e\0r\0t\0i\0e\0s";
  Found found = { FOUND_OLE, NULL, "an Office file of before 2007 (.doc, .xls, .ppt)" };

  *encrypted = memmem (data, len, name, sizeof name - 1) != NULL;
  if (memmem (data, len, message, sizeof message - 1))
    found.what = "an Outlook message (.msg)";
  return found;
}
