/* SPDX-License-Identifier: Apache-2.0 */
/* augment-private.h: numbers as augmenters see them (libflowrun-text). */
#ifndef FLOWRUN_TEXT_AUGMENT_PRIVATE_H
#define FLOWRUN_TEXT_AUGMENT_PRIVATE_H

#include "text/augment.h"

/* A number in a text.
 * @strong: it must survive; a weak one may go and come: 一 in 一个, "one", the digits of a model's
 * name
 * @arabic: written in digits */
typedef struct
{
  double value;
  gsize offset, len;
  gboolean strong, arabic;
} TextNumber;

/** text_fold_char: lower case and half width, character for character. */
gunichar text_fold_char (gunichar c);

/**
 * text_number_at: the number, date or price that begins at @at of @text, where no word of letters
 * and digits is under way.
 * @kind: TEXT_KEEP_NUMBER, _DATE or _PRICE
 * @numbers: TextNumber are appended; NULL: not wanted
 *
 * Returns: how many bytes it takes; 0: none begins here.
 */
gsize text_number_at (FrStr text, gsize at, TextKeepKind *kind, GArray *numbers);

#endif
