/* SPDX-License-Identifier: Apache-2.0 */
/* input.h: bytes of text files as UTF-8, wherever they lie (libflowrun-text).
 *
 * An input is a list of paths, globs, archives and "-" (standard input), read
 * as one sequence of texts.  libarchive takes off compression (.gz .xz .zst
 * .bz2) and opens archives (.zip .tar and compressed tars), each member one
 * text; the charset is taken from a byte order mark, from the caller, or
 * guessed from the first 256 KiB, and everything comes out as valid UTF-8 in
 * blocks.  Constant memory.  Bytes that are not text in the charset become
 * U+FFFD and are counted.
 *
 *     while (text_input_next_text (input, &name, &error))
 *       while (text_input_read (input, &block, &len, &error)) ...
 */
#ifndef FLOWRUN_TEXT_INPUT_H
#define FLOWRUN_TEXT_INPUT_H

#include <gio/gio.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct _TextInput TextInput;

/**
 * text_input_new:
 * @paths: NULL-terminated; globs are expanded and sorted by bytes; "archive.zip:member-glob" picks members; "-" is standard input
 * @charset: NULL or "auto": detect each text; else an ICU name ("gb18030", "big5", "utf-16le", ...); "bytes": nothing is decoded or checked
 * @cancellable: or NULL
 *
 * Returns NULL with FR_ERROR_IO (missing, a directory, unreadable: named with
 * what to do) or FR_ERROR_CONFIG (unknown charset, a glob that matches nothing).
 */
TextInput *text_input_new (const char *const *paths, const char *charset,
                           GCancellable *cancellable, GError **error);
void text_input_free (TextInput *input);

/** text_input_next_text: opens the next text; @name (owned) is "file" or "archive:member". FALSE: no more, or error. */
gboolean text_input_next_text (TextInput *input, const char **name, GError **error);

/**
 * text_input_read: the next block of the current text: @len > 0 bytes of valid
 * UTF-8 without BOM, valid until the next call; blocks never split a
 * character.  FALSE: end of this text, or error.
 */
gboolean text_input_read (TextInput *input, const char **block, gsize *len, GError **error);

/** text_input_charset: charset in use for the current text, and whether it was given, marked (BOM) or guessed. */
const char *text_input_charset (TextInput *input, const char **how);
/** text_input_n_replaced: characters that became U+FFFD so far. */
guint64 text_input_n_replaced (TextInput *input);
/**
 * text_input_unread: gives back what was read of standard input, if it is the
 * current file, to the next input that names "-"; for a look at a header.
 * Call it just before text_input_free().  FALSE: more than 8 MiB were read.
 */
gboolean text_input_unread (TextInput *input);
/** text_input_progress: bytes of files consumed and in all (0: not known). */
void text_input_progress (TextInput *input, guint64 *done, guint64 *total);

struct archive_entry;
/** text_input_member_name: a member's name in UTF-8; zip files made by older Chinese Windows programs have it in GBK; g_free(). */
char *text_input_member_name (struct archive_entry *entry);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextInput, text_input_free)

G_END_DECLS

#endif
