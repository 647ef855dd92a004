/* SPDX-License-Identifier: Apache-2.0 */
/* gguf.c */
#include "config.h"

#include "tokenizer-private.h"

char *
lm_tokenizer_gguf_json (LmTokenizer *t, gsize *len)
{
  *len = strlen (t->head);
  return g_strdup (t->head);
}
