/* SPDX-License-Identifier: Apache-2.0 */
/* normal.c: see normal.h. */
#include "config.h"

#include "text/normal.h"

gsize
text_n_chars (FrStr text)
{
  gsize n = 0;

  for (gsize i = 0; i < text.len; i++)
    n += ((guchar) text.data[i] & 0xc0) != 0x80;
  return n;
}
