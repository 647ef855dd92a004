/* SPDX-License-Identifier: Apache-2.0 */
/* error.c: the error domain and "did you mean". */
#include "config.h"

#include <errno.h>
#include <flowrun/error.h>
#include <string.h>

GQuark
fr_error_quark (void)
{
  return g_quark_from_static_string ("fr-error-quark");
}

static const char *
advice (int errnum)
{
  switch (errnum)
    {
    case ENOSPC:
    case EDQUOT:
      return "; free some space or write elsewhere";
    case EACCES:
    case EPERM:
      return "; give this user permission or choose another place";
    case EISDIR:
      return "; a file is needed here";
    case EMFILE:
      return "; raise the limit on open files (ulimit -n)";
    default:
      return "";
    }
}

gboolean
fr_error_errno (GError **error, int errnum, const char *doing, const char *path)
{
  g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot %s%s%s: %s%s", doing, path ? " " : "",
               path ? path : "", g_strerror (errnum), advice (errnum));
  return FALSE;
}

/* Optimal string alignment distance (Damerau-Levenshtein without repeated
 * edits of one place), in bytes: names of elements, keys and columns are
 * short, and for Chinese names a byte distance still orders candidates. */
static guint
distance (const char *a, const char *b)
{
  gsize n = strlen (a), m = strlen (b);
  g_autofree guint *rows = g_new (guint, 3 * (m + 1));
  guint *before = rows, *last = rows + (m + 1), *now = rows + 2 * (m + 1);

  for (gsize j = 0; j <= m; j++)
    last[j] = (guint) j;
  for (gsize i = 1; i <= n; i++)
    {
      guint *spare = before;

      now[0] = (guint) i;
      for (gsize j = 1; j <= m; j++)
        {
          guint change = last[j - 1] + (a[i - 1] != b[j - 1]);

          now[j] = MIN (change, MIN (last[j], now[j - 1]) + 1);
          if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            now[j] = MIN (now[j], before[j - 2] + 1);
        }
      before = last;
      last = now;
      now = spare;
    }
  return last[m];
}

const char *
fr_suggest (const char *word, const char *const *candidates)
{
  const char *best = NULL;
  guint nearest = (guint) MAX (1, strlen (word) / 3) + 1;

  if (strlen (word) > 256)
    return NULL;
  /* Every letter is one change away from every other. */
  nearest = MIN (nearest, (guint) strlen (word));
  for (; *candidates != NULL; candidates++)
    {
      guint d;

      if (strlen (*candidates) > 256)
        continue;
      d = distance (word, *candidates);
      if (d < nearest)
        {
          nearest = d;
          best = *candidates;
        }
    }
  return best;
}
