/* SPDX-License-Identifier: Apache-2.0 */
/* blocks.h: a text handed over in blocks, for fuzzers of what reads a stream. */
#ifndef FLOWRUN_FUZZ_BLOCKS_H
#define FLOWRUN_FUZZ_BLOCKS_H

#include <glib.h>

/* @block: bytes that are handed over at once, at most */
typedef struct
{
  const char *text;
  gsize len, block;
} Blocks;

static gboolean
read_block (gpointer data, const char **block, gsize *len, GError **error)
{
  Blocks *b = data;

  (void) error;
  *block = b->text;
  *len = MIN (b->block, b->len);
  b->text += *len;
  b->len -= *len;
  return *len > 0;
}

#endif
