/* SPDX-License-Identifier: Apache-2.0 */
/* known.h: what has been read before, and shapes of URLs that lead to nothing new.
 *
 * Same: two texts are equal but for white space (XXH3, 128 bits).  Near: their
 * SimHashes are a few bits apart (simhash.h).
 *
 * Traps: the shape of a URL is its text with every run of digits as one '#'
 * ("/cal/2024/05?day=7" and "/cal/1999/12?day=31" have one).  When the last
 * pages of a shape, as many as asked for, had nothing new to say (same, near,
 * empty, or equal when digits are left out), it is closed: an endless calendar
 * is such a shape.
 */
#ifndef CRAWLER_KNOWN_H
#define CRAWLER_KNOWN_H

#include <flowrun/batch.h>

typedef struct _Known Known;

typedef enum
{
  KNOWN_NEW = 0,
  KNOWN_SAME,
  KNOWN_NEAR
} KnownHow;

/** known_new: @distance: bits of SimHash, 0: only equal texts; @trap: pages, 0: no shape is closed.
 */
Known *known_new (guint distance, guint trap);
void known_free (Known *known);

/**
 * known_check: whether @text was read before; if not, it is from now on, as what @url has.
 * @hash: room for 33 bytes: the content's hash in hex
 * @of: the URL that had it first; owned by @known, valid until the next call
 */
KnownHow known_check (Known *known, FrStr text, const char *url, char *hash, const char **of);

/** known_closed: whether @url has the shape of a trap. */
gboolean known_closed (const Known *known, const char *url);
/** known_note: a page of @url's shape was read; @text says nothing new if @how is not KNOWN_NEW.
 * TRUE: its shape is closed from now on. */
gboolean known_note (Known *known, const char *url, FrStr text, KnownHow how);
/** known_shape: free with g_free(). */
char *known_shape (const char *url);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Known, known_free)

#endif
