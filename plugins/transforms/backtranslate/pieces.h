/* SPDX-License-Identifier: Apache-2.0 */
/* pieces.h: a text as pieces that a translator takes, and what lies between them.
 *
 * Lines are translated one by one, so that paragraphs, lists and blank lines come back as they
 * were; a line that is longer than a translator should get is cut behind the end of a sentence, or
 * else behind a comma or blank.  Marks (mask.h) are never cut.
 */
#ifndef FLOWRUN_BACKTRANSLATE_PIECES_H
#define FLOWRUN_BACKTRANSLATE_PIECES_H

#include <flowrun/batch.h>
#include <glib.h>

/**
 * Piece:
 * @text: to be translated, or, where @kept, to stay as it is (white space, what has no letters)
 */
typedef struct
{
  FrStr text;
  gboolean kept;
} Piece;

/** pieces_cut: appends the pieces of @text to @pieces, an array of Piece; together they are @text.
 * @max: characters of one piece, at least 32 */
void pieces_cut (FrStr text, gsize max, GArray *pieces);

#endif
