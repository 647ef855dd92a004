/* SPDX-License-Identifier: Apache-2.0 */
/* lines.h: a file that lines are added to, which nobody ever waits for.
 *
 * Access log and shadow answers are written through it.  serve_lines_add() copies the line into a
 * bounded buffer and returns; a thread of this object writes it, in whole lines, some milliseconds
 * later.  When the buffer is full the line is dropped and counted.
 *
 * A full disk is told once and counted; the service goes on, lines wait in the buffer, and writing
 * is tried again each second.  A line that the disk had room for in part is ended there, and
 * written whole as soon as there is room: a reader finds one line that is no JSON, and loses
 * nothing.
 *
 * Rotation: when the name leads to another file than the one that is open (or to none), it is
 * opened anew: mv, and the next line is in a new file; no signal is needed.  The file is opened
 * with O_APPEND, so several processes may share it.
 */
#ifndef FLOWRUN_SERVE_LINES_H
#define FLOWRUN_SERVE_LINES_H

#include <glib.h>

#include "record.h"

G_BEGIN_DECLS

typedef struct _ServeLines ServeLines;

/**
 * serve_lines_open:
 * @path: "-" for standard output
 * @what: for messages: "the access log"
 * @mode: permissions of a new file
 * @buffer: bytes that may wait
 * @error: FR_ERROR_IO: it cannot be opened now
 */
ServeLines *serve_lines_open (const char *path, const char *what, guint mode, gsize buffer,
                              const ServeTeller *teller, GError **error);
/** serve_lines_close: writes what waits, for up to five seconds; then the rest is dropped and told.
 */
void serve_lines_close (ServeLines *lines);
/** serve_lines_add: @text holds whole lines, each with its newline; FALSE: dropped.  Any thread. */
gboolean serve_lines_add (ServeLines *lines, const char *text, gsize len);
/** serve_lines_flush: waits until what was added is written or has failed; for tests and a drain.
 */
void serve_lines_flush (ServeLines *lines);

/** ServeLinesCounts: lines @written, @dropped (the buffer was full, or the end came before the disk
 * had room); @failures of writing or opening; @reopened: after a rotation. */
typedef struct
{
  guint64 written, dropped, failures, reopened;
} ServeLinesCounts;

void serve_lines_counts (ServeLines *lines, ServeLinesCounts *counts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeLines, serve_lines_close)

G_END_DECLS

#endif
