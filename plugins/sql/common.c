/* SPDX-License-Identifier: Apache-2.0 */
/* common.c: the small things that every driver needs (sql.h). */
#include "config.h"

#include "sql/sql.h"

#include <poll.h>
#include <string.h>

const FrEnumValue *const sql_decimals[]
    = { FR_ENUM ("float64", 0, "as the nearest double"),
        FR_ENUM ("text", 1, "as the digits in the database"), NULL };
const FrEnumValue *const sql_nesteds[]
    = { FR_ENUM ("keep", 0, "lists"), FR_ENUM ("text", 1, "utf8, as the server writes them"),
        NULL };
const FrEnumValue *const sql_zero_dates[] = { FR_ENUM ("null", 0, "becomes null and is counted"),
                                              FR_ENUM ("reject", 1, "rejects the row"), NULL };

gboolean
sql_cancelled (GError **error)
{
  g_set_error_literal (error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

int
sql_wait (int fd, short events, gint64 us, GCancellable *cancellable)
{
  gint64 end = us > 0 ? g_get_monotonic_time () + us : 0;
  GPollFD fds[2] = { { .fd = fd, .events = (gushort) events } };
  gboolean watched = cancellable != NULL && g_cancellable_make_pollfd (cancellable, &fds[1]);
  int result = 0;

  for (;;)
    {
      gint64 left = end > 0 ? end - g_get_monotonic_time () : 0;
      int n;

      /* Without a descriptor to wait on, it is looked at ten times a second. */
      if (g_cancellable_is_cancelled (cancellable))
        {
          result = -1;
          break;
        }
      if (end > 0 && left <= 0)
        break;
      left = end > 0 ? left / 1000 + 1 : -1;
      if (cancellable != NULL && !watched)
        left = left < 0 ? 100 : MIN (left, 100);
      fds[0].revents = fds[1].revents = 0;
      n = g_poll (fds + (fd < 0), (watched ? 2 : 1) - (fd < 0), (int) CLAMP (left, -1, G_MAXINT));
      if (n > 0 && fd >= 0 && fds[0].revents != 0)
        {
          result = fds[0].revents;
          break;
        }
    }
  if (watched)
    g_cancellable_release_fd (cancellable);
  return result;
}

char *
sql_hide (const char *text, const char *secret)
{
  g_auto (GStrv) pieces = NULL;

  /* One or two letters are in every text, and would only garble it. */
  if (secret == NULL || strlen (secret) < 3)
    return g_strdup (text);
  pieces = g_strsplit (text, secret, -1);
  return g_strjoinv ("***", pieces);
}

gboolean
sql_no_table (const char *table, GPtrArray *names, GError **error)
{
  g_autoptr (GString) list = g_string_new (NULL);
  const char *near;

  g_ptr_array_add (names, NULL);
  near = fr_suggest (table, (const char *const *) names->pdata);
  for (guint i = 0; i + 1 < names->len && i < 20; i++)
    g_string_append_printf (list, "%s%s", i ? ", " : "", (char *) names->pdata[i]);
  if (names->len > 21)
    g_string_append_printf (list, " and %u more", names->len - 21);
  if (near)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                 "there is no table '%s' that this user may read; did you mean '%s'?", table, near);
  else
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                 "there is no table '%s' that this user may read; there is %s", table,
                 list->len ? list->str : "none at all");
  return FALSE;
}

void
sql_append_quoted (GString *sql, const char *name, const char *quote)
{
  gsize n = strlen (quote);

  g_string_append (sql, quote);
  for (const char *p = name; *p; p++)
    {
      if (n > 0 && strncmp (p, quote, n) == 0)
        g_string_append (sql, quote);
      g_string_append_c (sql, *p);
    }
  g_string_append (sql, quote);
}

void
sql_split_table (const char *name, char **schema, char **table)
{
  const char *dot = strchr (name, '.');

  *schema = dot ? g_strndup (name, (gsize) (dot - name)) : NULL;
  *table = g_strdup (dot ? dot + 1 : name);
}
