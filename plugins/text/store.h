/* SPDX-License-Identifier: Apache-2.0 */
/* store.h: bytes that are kept, in memory or beyond it (libflowrun-text).
 *
 * A store grows at its end.  What passes the budget goes to a file in the
 * spill directory, unlinked as soon as it is open.  Reading is the same from
 * both, and safe from several threads while nobody writes.
 */
#ifndef FLOWRUN_TEXT_STORE_H
#define FLOWRUN_TEXT_STORE_H

#include <flowrun/error.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct _TextStore TextStore;

/** text_store_new: @memory: bytes to hold before the file is used; @spill_dir: copied. */
TextStore *text_store_new (guint64 memory, const char *spill_dir);
void text_store_free (TextStore *store);
/** text_store_append: @offset: where it begins; NULL if nobody asks.  FR_ERROR_IO. */
gboolean text_store_append (TextStore *store, gconstpointer data, gsize len, guint64 *offset,
                            GError **error);
/** text_store_write: replaces @len bytes at @offset, which are there. */
gboolean text_store_write (TextStore *store, guint64 offset, gconstpointer data, gsize len,
                           GError **error);
/** text_store_read: copies @len bytes from @offset, which are there, to @data. */
gboolean text_store_read (const TextStore *store, guint64 offset, gpointer data, gsize len,
                          GError **error);
/** text_store_peek: the bytes where they lie, if they lie in memory in one piece; else NULL. */
gconstpointer text_store_peek (const TextStore *store, guint64 offset, gsize len);
guint64 text_store_size (const TextStore *store);
/** text_store_spilled: how many bytes are in the file. */
guint64 text_store_spilled (const TextStore *store);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextStore, text_store_free)

G_END_DECLS

#endif
