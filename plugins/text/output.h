/* SPDX-License-Identifier: Apache-2.0 */
/* output.h: a file that is either whole or not there (libflowrun-text).
 *
 * Bytes go to a temporary name in the same directory, compressed as the final
 * name's suffix says (.gz .xz .zst .bz2, through libarchive, without time
 * stamps, so that equal input gives equal bytes).  Commit fsyncs, renames over
 * the final name and fsyncs the directory.  "-" is standard output, written as
 * it comes.
 */
#ifndef FLOWRUN_TEXT_OUTPUT_H
#define FLOWRUN_TEXT_OUTPUT_H

#include <flowrun/flowrun.h>
#include <gio/gio.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct _TextOutput TextOutput;

/** text_output_new: missing parent directories are made. NULL with FR_ERROR_IO. */
TextOutput *text_output_new (const char *path, GCancellable *cancellable, GError **error);
/** text_output_write: buffered; a full disk is FR_ERROR_IO naming the file. */
gboolean text_output_write (TextOutput *output, const char *data, gsize len, GError **error);
/** text_output_cut: what is written from here on is a compressed stream of its own (a gzip member,
 * a frame), so that a reader may begin there; nothing where the file is not compressed. */
gboolean text_output_cut (TextOutput *output, GError **error);
gboolean text_output_commit (TextOutput *output, GError **error);
/** text_output_is_file: FALSE for standard output, a pipe or a device, of which nothing is left to
 * look at: no fr_host_committed(). */
gboolean text_output_is_file (const TextOutput *output);
/**
 * text_output_put: writes the text of *@buffer, which is empty then; one that an enormous row made
 * grow is exchanged.
 */
gboolean text_output_put (TextOutput *output, GString **buffer, GError **error);
/** text_output_run: all batches of "in" through @write, as a sink's run does. */
FrFlow text_output_run (FrHost *host,
                        gboolean (*write) (gpointer state, FrHost *host, FrBatch *batch,
                                           GError **error),
                        gpointer state, GError **error);
/** text_output_finish: commits, and tells the host of @path, as a sink's finish does. */
gboolean text_output_finish (TextOutput *output, FrHost *host, const char *path, GError **error);
/** text_output_free: what was not committed is removed. */
void text_output_free (TextOutput *output);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextOutput, text_output_free)

G_END_DECLS

#endif
