/* SPDX-License-Identifier: Apache-2.0 */
/* page.h: rows in a private file (internal).
 *
 * The form of spooled edges, kept stage outputs and lineage.  A file is a
 * header (magic, version byte, schema, names of source stages) and batches,
 * each with its length and an XXH3 checksum; the end is marked, so that a
 * truncated file is recognised.  Little-endian, not for interchange.
 */
#ifndef FLOWRUN_PAGE_H
#define FLOWRUN_PAGE_H

#include <flowrun/batch.h>
#include <flowrun/error.h>

G_BEGIN_DECLS

typedef struct _FriPageWriter FriPageWriter;
typedef struct _FriPageReader FriPageReader;

/** fri_page_writer_new: creates @path; @sources: names by FrRowId.source (index 0 unused), NULL-terminated from 1, or NULL. */
FriPageWriter *fri_page_writer_new (const char *path, FrSchema *schema,
                                    const char *const *sources, GError **error);
gboolean fri_page_writer_add (FriPageWriter *writer, FrBatch *batch, GError **error);
/** fri_page_writer_flush: what was added so far can be read by a reader opened now (it then ends there). */
gboolean fri_page_writer_flush (FriPageWriter *writer, GError **error);
/** fri_page_writer_close: marks the end; @sync: fsync too.  Frees the writer either way. */
gboolean fri_page_writer_close (FriPageWriter *writer, gboolean sync, GError **error);
/** fri_page_writer_discard: closes, removes the file and frees. */
void fri_page_writer_discard (FriPageWriter *writer);

/** fri_page_reader_new: FR_ERROR_DATA for a foreign, damaged or unfinished file. @complete: demand the end mark. */
FriPageReader *fri_page_reader_new (const char *path, gboolean complete, GError **error);
FrSchema *fri_page_reader_schema (FriPageReader *reader);
const char *const *fri_page_reader_sources (FriPageReader *reader);
/** fri_page_reader_next: the next batch, or NULL at the end (no error) or on error. */
FrBatch *fri_page_reader_next (FriPageReader *reader, GError **error);
gboolean fri_page_reader_rewind (FriPageReader *reader, GError **error);
void fri_page_reader_free (FriPageReader *reader);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FriPageReader, fri_page_reader_free)

G_END_DECLS

#endif
