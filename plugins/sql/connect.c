/* SPDX-License-Identifier: Apache-2.0 */
/* connect.c: a connection, with patience, and what the server says of the statement. */
#include "config.h"

#include "sql/build.h"
#include "sql/source-private.h"

#define FIRST_PAUSE_US 500000
#define LONGEST_PAUSE_US (30 * G_USEC_PER_SEC)

gpointer
sql_connect (const SqlDriver *driver, const SqlConfig *config, FrHost *host,
             GCancellable *cancellable, GError **error)
{
  gint64 pause = FIRST_PAUSE_US, start = g_get_monotonic_time ();

  for (gint64 attempt = 0;; attempt++)
    {
      g_autoptr (GError) failure = NULL;
      gpointer link = driver->connect (config, cancellable, &failure);

      if (link != NULL)
        return link;
      if (!g_error_matches (failure, FR_ERROR, FR_ERROR_TRANSIENT))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return NULL;
        }
      if (attempt == config->retries)
        {
          /* In open the core would try all of this again. */
          g_set_error (error, FR_ERROR, host ? FR_ERROR_IO : FR_ERROR_TRANSIENT,
                       "%s (tried %d times in %.0f seconds)", failure->message, (int) attempt + 1,
                       (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC);
          return NULL;
        }
      if (host)
        fr_host_warn (host, "%s; trying again in %.1f seconds", failure->message,
                      (double) pause / G_USEC_PER_SEC);
      if (sql_wait (-1, 0, pause, cancellable) < 0)
        {
          sql_cancelled (error);
          return NULL;
        }
      pause = MIN (pause * 2, LONGEST_PAUSE_US);
    }
}

/* Asks the server about the statement, without bounds; @key is filled. */
GPtrArray *
sql_describe (const SqlDriver *driver, gpointer link, const SqlConfig *config, GPtrArray *key,
              GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  g_autofree char *sql = NULL;
  GPtrArray *columns;

  if (config->table && !driver->key (link, config->table, key, cancellable, error))
    return NULL;
  sql = sql_build (driver, link, config, key, NULL, NULL, values);
  columns = driver->describe (link, sql, cancellable, error);
  if (columns && columns->len == 0)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                           "the query gives no rows to read; expected a SELECT");
      g_clear_pointer (&columns, g_ptr_array_unref);
    }
  return columns;
}
