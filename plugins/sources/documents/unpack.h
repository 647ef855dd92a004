/* SPDX-License-Identifier: Apache-2.0 */
/* unpack.h: one file of the walk down to its documents.
 *
 * Finds out what the file is, opens archives (and archives in archives, and
 * mailboxes, and attachments) up to the limits, and has each document told by
 * the reader for its type.  Every document, and everything that cannot be one,
 * is an item for the caller, in order.
 *
 * Memory: one document at a time with its unpacked parts (at most max_file and
 * twice that), its archive's and its mail's bytes as far as these lie in an
 * archive themselves; archives and mailboxes on disk are read as streams.
 */
#ifndef DOCUMENTS_UNPACK_H
#define DOCUMENTS_UNPACK_H

#include "tell.h"

G_BEGIN_DECLS

/**
 * UnpackOptions:
 * @max_file: bytes of a document
 * @max_unpacked: bytes that one file on disk may unpack to, in all
 * @max_ratio: how many times its size a file may unpack to, once past 64 MiB
 * @max_members: members of archives, messages and attachments in one file on disk
 * @max_depth: archives in archives; 1: none within another
 * @seconds: for one document
 * @readers: TextDocReader, in the order of preference; ends with NULL
 * @reject_unknown: what is no document is rejected rather than counted
 */
typedef struct
{
  TellOptions tell;
  guint64 max_file, max_unpacked, max_ratio, max_members;
  guint max_depth;
  double seconds;
  const TextDocReader *const *readers;
  gboolean archives, reject_unknown;
} UnpackOptions;

/**
 * Item: a document, or a reject.
 * @member: path within the file; NULL: the file itself
 * @bytes: of the document
 * @kind: of the reader; NULL: none was asked
 * @told: the document; NULL with a @rule
 */
typedef struct
{
  char *member;
  guint64 bytes;
  const char *kind;
  Told *told;
  const char *rule; /* interned */
  char *reason;
} Item;

void item_free (Item *item);

/** UnpackEmit: takes @item; FALSE: stop. */
typedef gboolean (*UnpackEmit) (gpointer data, Item *item);

typedef struct _Unpack Unpack;

/** unpack_new: for one thread, any number of files. */
Unpack *unpack_new (const UnpackOptions *options, GCancellable *cancellable, UnpackEmit emit,
                    gpointer data);
void unpack_free (Unpack *unpack);

/** unpack_file: FALSE: the caller wanted no more, or the run is cancelled. */
gboolean unpack_file (Unpack *unpack, const char *path, const char *shown);

/** unpack_bytes: the same of bytes in memory; for tests. */
gboolean unpack_bytes (Unpack *unpack, const char *name, const char *data, gsize len);

/** unpack_counts: counters since the last call, static name → gint64 *; the caller's to unref. */
GHashTable *unpack_counts (Unpack *unpack);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Unpack, unpack_free)

G_END_DECLS

#endif
