/* SPDX-License-Identifier: Apache-2.0 */
/* detect.h: what a file is, asked of its bytes.
 *
 * Names lie (a PDF called .doc, a page called .txt); only where bytes cannot
 * tell, between Markdown and plain text, and for HTML without its frame, is the
 * name asked.
 */
#ifndef DOCUMENTS_DETECT_H
#define DOCUMENTS_DETECT_H

#include <glib.h>

G_BEGIN_DECLS

#define DETECT_HEAD 8192 /* bytes enough for detect() */

typedef enum
{
  FOUND_DOCUMENT = 1, /* type says which */
  FOUND_ZIP,          /* detect_zip() says more */
  FOUND_ARCHIVE,      /* anything else that libarchive opens: compressed, packed or both */
  FOUND_MBOX,
  FOUND_OLE,     /* Office before 2007, or an encrypted OOXML file: detect_ole() */
  FOUND_EMPTY,   /* no bytes */
  FOUND_UNKNOWN, /* not text; what: "a PNG image" */
} FoundKind;

typedef struct
{
  FoundKind kind;
  const char *type; /* media type, static */
  const char *what; /* for a person, static */
} Found;

/** detect: @head: the first bytes; @whole: they are all. */
Found detect (const char *name, const char *head, gsize len, gboolean whole);

/** detect_zip: a whole zip file: an office document, or FOUND_ARCHIVE. */
Found detect_zip (const char *data, gsize len);
/** detect_zip_fd: the same of an open file. */
Found detect_zip_fd (int fd);

/** detect_ole: a whole OLE file: @encrypted: it is an encrypted OOXML document. */
Found detect_ole (const char *data, gsize len, gboolean *encrypted);

G_END_DECLS

#endif
