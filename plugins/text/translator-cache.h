/* SPDX-License-Identifier: Apache-2.0 */
/* translator-cache.h: translations once paid for, kept on disk (libflowrun-text).
 *
 * One file of JSON Lines, one line a translation, which any editor shows and `grep` finds:
 *
 *   {"key":"8d0c…32 hex digits","engine":"libretranslate 1 http://…","from":"zh","to":"en",
 *    "text":"限时优惠","translation":"limited-time offer"}
 *
 * or, for a text that an engine refused, "refused" (the rule) and "why" in place of "translation".
 * The key is the hash of engine identity, languages, seed and text, so a line moved elsewhere or
 * corrected by hand still serves, and a line whose text was changed serves nothing.  Of two lines
 * with one key the later counts.
 *
 * Lines are only ever added, each whole and flushed to the disk before the call returns: a process
 * killed at any moment leaves at most one line without an end, which the next to open the file
 * takes off.  Several processes may use one file at once; each finds what the others have stored by
 * the time it stores itself.  The file holds texts as they are: it is made readable for its owner
 * alone.
 *
 * Memory: 24 bytes a line up to a budget, beyond it on disk (runs.h).  Not for several threads.
 */
#ifndef FLOWRUN_TEXT_TRANSLATOR_CACHE_H
#define FLOWRUN_TEXT_TRANSLATOR_CACHE_H

#include <glib.h>

#include "text/translator.h"

G_BEGIN_DECLS

typedef struct _TranslatorCache TranslatorCache;

/**
 * translator_cache_open:
 * @path: made with its directories where it is missing
 * @identity: of the engine; copied
 * @memory: bytes for the index
 * @spill_dir: for an index beyond that; must outlive the cache
 * @error: FR_ERROR_IO; FR_ERROR_DATA for a file that is no such cache, which is left as it is
 */
TranslatorCache *translator_cache_open (const char *path, const char *identity, guint64 memory,
                                        const char *spill_dir, GError **error);
void translator_cache_free (TranslatorCache *cache);

/** translator_cache_find: answers @item from the file if it holds it (*@found); FALSE: FR_ERROR_IO.
 */
gboolean translator_cache_find (TranslatorCache *cache, TranslatorItem *item, gboolean *found,
                                GError **error);
/** translator_cache_store: adds @n answered items; when it returns TRUE they are on the disk. */
gboolean translator_cache_store (TranslatorCache *cache, TranslatorItem *const *items, gsize n,
                                 GError **error);

/** translator_cache_n: translations that can be found. */
guint64 translator_cache_n (const TranslatorCache *cache);
/** translator_cache_n_damaged: lines met so far that are none, and were passed over. */
guint64 translator_cache_n_damaged (const TranslatorCache *cache);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TranslatorCache, translator_cache_free)

G_END_DECLS

#endif
