/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-office.c: the readers of OOXML and OpenDocument.
 *
 * The second byte chooses the reader; what follows, parted by 0x1e, becomes
 * the parts that it asks for, in a zip container made here: so the walkers are
 * reached without the fuzzer having to know of zip.  From 6 on the bytes are
 * the container itself.
 */
#include "documents-fuzz.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define REL(id, type, target)                                                                      \
  "<Relationship Id='" id                                                                          \
  "' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/" type              \
  "' Target='" target "'/>"
#define RELS(body)                                                                                 \
  "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>" body      \
  "</Relationships>"

typedef struct
{
  const TextDocReader *reader;
  const char *parts[6]; /* filled from the input */
  const char *fixed[2]; /* name, content */
} Kind;

static const Kind kinds[]
    = { { &docx_reader,
          { "word/document.xml", "word/styles.xml", "word/numbering.xml", "word/footnotes.xml",
            "docProps/core.xml", "_rels/.rels" },
          { "word/_rels/document.xml.rels",
            RELS (REL ("a", "styles", "styles.xml") REL ("b", "numbering", "numbering.xml")
                      REL ("c", "footnotes", "footnotes.xml")) } },
        { &xlsx_reader,
          { "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml",
            "docProps/core.xml", "_rels/.rels" },
          { "xl/_rels/workbook.xml.rels",
            RELS (REL ("a", "worksheet", "worksheets/sheet1.xml") REL ("b", "styles", "styles.xml")
                      REL ("c", "sharedStrings", "sharedStrings.xml")) } },
        { &pptx_reader,
          { "ppt/slides/slide1.xml", "ppt/presentation.xml", "ppt/slides/_rels/slide1.xml.rels",
            "ppt/notesSlides/n.xml", "docProps/core.xml", "_rels/.rels" },
          { "ppt/_rels/presentation.xml.rels", RELS (REL ("a", "slide", "slides/slide1.xml")) } },
        { &odt_reader, { "content.xml", "meta.xml", "META-INF/manifest.xml" }, { NULL, NULL } },
        { &ods_reader, { "content.xml", "meta.xml", "META-INF/manifest.xml" }, { NULL, NULL } },
        { &odp_reader, { "content.xml", "meta.xml", "META-INF/manifest.xml" }, { NULL, NULL } } };

static void
add (struct archive *a, const char *name, const char *data, gsize len)
{
  struct archive_entry *entry = archive_entry_new ();

  archive_entry_set_pathname (entry, name);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_size (entry, (la_int64_t) len);
  archive_write_header (a, entry);
  archive_write_data (a, data, len);
  archive_entry_free (entry);
}

static gsize
make_container (const Kind *kind, const char *data, gsize len, char *out, gsize room)
{
  struct archive *a = archive_write_new ();
  gsize used = 0;

  archive_write_set_format_zip (a);
  archive_write_set_options (a, "zip:compression=store");
  archive_write_open_memory (a, out, room, &used);
  if (kind->fixed[0])
    add (a, kind->fixed[0], kind->fixed[1], strlen (kind->fixed[1]));
  for (guint i = 0; i < G_N_ELEMENTS (kind->parts) && kind->parts[i]; i++)
    {
      const char *end = len ? memchr (data, 0x1e, len) : NULL;
      gsize n = end ? (gsize) (end - data) : len;

      if (n > 0)
        add (a, kind->parts[i], data, n);
      data += n + (end != NULL);
      len -= n + (end != NULL);
    }
  archive_write_close (a);
  archive_write_free (a);
  return used;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const Kind *kind;
  g_autofree char *room = NULL;
  gsize n;

  if (size < 2)
    return 0;
  kind = &kinds[data[1] % G_N_ELEMENTS (kinds)];
  if (data[1] >= 128)
    {
      fuzz_read (kind->reader, data[0], (const char *) data + 2, size - 2);
      return 0;
    }
  room = g_malloc (size + 16384);
  n = make_container (kind, (const char *) data + 2, size - 2, room, size + 16384);
  fuzz_read (kind->reader, data[0], room, n);
  return 0;
}
