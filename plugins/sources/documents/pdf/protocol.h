/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/* protocol.h: what the plugin and its worker process say to each other.
 *
 * The plugin (pdf.c) starts document-pdf-worker once per thread with a socket
 * as file descriptor PDF_SOCKET, and sends a PdfRequest with two descriptors
 * for each document: one to read the PDF from, one to write frames to.  The
 * worker answers with the wait status of the process it forked for it.
 *
 * A frame is a PdfFrame followed by `len` bytes:
 *
 *   'T' title   'A' author   'D' date (RFC 3339)      texts
 *   'P' a page begins                                 PdfPage
 *   'L' a line of it, or a part after a wide blank    PdfLine, then its text
 *   'N' nobody may copy its text, says the document   nothing
 *   'F' it cannot be read                             rule, NUL, reason
 *   'E' all was told                                  nothing
 *
 * Both run on one machine, so numbers are as they lie in memory.  The plugin
 * trusts nothing of it.
 */
#ifndef DOCUMENTS_PDF_PROTOCOL_H
#define DOCUMENTS_PDF_PROTOCOL_H

#include <stdint.h>

#define PDF_SOCKET 3
#define PDF_MAGIC 0x32464450u /* "PDF2" */
#define PDF_MAX_FRAME (64u * 1024 * 1024)

typedef struct
{
  uint32_t magic;
  uint32_t seconds;
  uint64_t len;    /* of the document */
  uint64_t memory; /* of the process, bytes */
} PdfRequest;

typedef struct
{
  uint32_t kind;
  uint32_t len;
} PdfFrame;

typedef struct
{
  float width, height; /* points */
} PdfPage;

/* From the page's upper left corner, points. */
typedef struct
{
  float x0, y0, x1, y1, size;
  uint32_t bold;
  uint32_t goes_on; /* the same line as the one before, after a wide blank */
} PdfLine;

#endif
