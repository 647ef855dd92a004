/* SPDX-License-Identifier: Apache-2.0 */
/* readers.h: the readers that source.documents has itself. */
#ifndef DOCUMENTS_READERS_H
#define DOCUMENTS_READERS_H

#include "text/document.h"

G_BEGIN_DECLS

/* Media types, as detect.h tells them. */
#define TYPE_DOCX "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#define TYPE_XLSX "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#define TYPE_PPTX "application/vnd.openxmlformats-officedocument.presentationml.presentation"
#define TYPE_ODT "application/vnd.oasis.opendocument.text"
#define TYPE_ODS "application/vnd.oasis.opendocument.spreadsheet"
#define TYPE_ODP "application/vnd.oasis.opendocument.presentation"
#define TYPE_PDF "application/pdf"
#define TYPE_HTML "text/html"
#define TYPE_MARKDOWN "text/markdown"
#define TYPE_PLAIN "text/plain"
#define TYPE_MAIL "message/rfc822"
#define TYPE_MBOX "application/mbox"
#define TYPE_ZIP "application/zip"

extern const TextDocReader docx_reader, xlsx_reader, pptx_reader; /* with libxml2 */
extern const TextDocReader odt_reader, ods_reader, odp_reader;
extern const TextDocReader mail_reader; /* with gmime */
extern const TextDocReader html_reader, markdown_reader, plain_reader;

/** readers_builtin: all of them that this build has; ends with NULL. */
const TextDocReader *const *readers_builtin (void);

G_END_DECLS

#endif
