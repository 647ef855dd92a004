/* SPDX-License-Identifier: Apache-2.0 */
/* think.c: reasoning and answer apart, as DeepSeek-R1's template parts them: the answer is what
 * follows the last </think>. */
#include "config.h"

#include <string.h>

#include "lm/answer.h"

#define OPEN "<think>"
#define CLOSE "</think>"

static const char *
skip_blank (const char *p, const char *end)
{
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
    p++;
  return p;
}

/* Behind the last tag that ends reasoning; NULL: there is none. */
static const char *
behind_last (const char *text, gsize len)
{
  const char *end = text + len, *found = NULL, *p = text;

  while ((p = memmem (p, (gsize) (end - p), CLOSE, strlen (CLOSE))) != NULL)
    found = p += strlen (CLOSE);
  return found;
}

LmThink
lm_think_split (const char *text, gsize len, gboolean opened, const char **answer)
{
  const char *end = text + len, *first = skip_blank (text, end), *behind = behind_last (text, len);

  if (behind != NULL)
    {
      *answer = skip_blank (behind, end);
      return LM_THINK_CLOSED;
    }
  if (opened
      || ((gsize) (end - first) >= strlen (OPEN) && memcmp (first, OPEN, strlen (OPEN)) == 0))
    {
      *answer = end;
      return LM_THINK_OPEN;
    }
  *answer = text;
  return LM_THINK_NONE;
}
