/* SPDX-License-Identifier: Apache-2.0 */
/* record.c: the few words that all parts of the server share (record.h). */
#include "config.h"

#include "record.h"

static void
tell (const ServeTeller *teller, gboolean warning, const char *format, va_list args)
{
  g_autofree char *text = NULL;

  if (teller == NULL || teller->tell == NULL)
    return;
  text = g_strdup_vprintf (format, args);
  teller->tell (teller->data, warning, text);
}

void
serve_info (const ServeTeller *teller, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  tell (teller, FALSE, format, args);
  va_end (args);
}

void
serve_warn (const ServeTeller *teller, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  tell (teller, TRUE, format, args);
  va_end (args);
}

const char *
serve_cache_word (ServeCacheState state)
{
  switch (state)
    {
    case SERVE_CACHE_HIT:
    case SERVE_CACHE_SHARED:
      return "hit";
    case SERVE_CACHE_MISS:
      return "miss";
    case SERVE_CACHE_BYPASS:
      return "bypass";
    case SERVE_CACHE_NONE:
    default:
      return NULL;
    }
}
