/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint.c: what tells one state of the data from another ('reuse_while'). */
#include "config.h"

#include "sql/source-private.h"

/* All that a query says now: its rows, as text. */
static gboolean
ask (const SqlDriver *driver, gpointer link, const char *query, GCancellable *cancellable,
     GString *out, GError **error)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GPtrArray) columns = driver->describe (link, query, cancellable, error);
  g_autofree SqlCell *cells = columns ? g_new0 (SqlCell, columns->len) : NULL;
  SqlStep step = SQL_STEP_FAILED;
  guint rows = 0;

  if (columns == NULL || !driver->start (link, query, none, cancellable, error))
    return FALSE;
  while ((step = driver->next (link, cells, cancellable, error)) == SQL_STEP_ROW && ++rows <= 1000)
    for (guint i = 0; i < columns->len; i++)
      {
        /* Whole cells, where a shown one is cut. */
        if (cells[i].form == SQL_CELL_TEXT || cells[i].form == SQL_CELL_BYTES)
          fr_json_append_string (out, cells[i].text.data, cells[i].text.len);
        else
          sql_append_shown (out, &cells[i]);
        g_string_append_c (out, i + 1 < columns->len ? ',' : '\n');
      }
  if (step == SQL_STEP_ROW)
    g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                         "'reuse_while' gives more than 1000 rows; expected one, such as "
                         "select count(*), max(updated_at) from goods");
  return step == SQL_STEP_DONE;
}

gboolean
sql_source_fingerprint (const SqlDriver *driver, const SqlConfig *config, GString *out,
                        GError **error)
{
  GCancellable *cancellable = g_cancellable_get_current ();
  g_autofree char *place = NULL;
  gpointer link;
  gboolean ok;

  /* Nothing said: the element is volatile (FR_ELEMENT_VOLATILE). */
  if (config->reuse_while == NULL)
    return TRUE;
  place = driver->place (config->dsn, error);
  link = place ? sql_connect (driver, config, NULL, cancellable, error) : NULL;
  if (link == NULL)
    return FALSE;
  g_string_append_printf (out, "%s\n", place);
  ok = ask (driver, link, config->reuse_while, cancellable, out, error);
  driver->close (link);
  if (!ok)
    g_prefix_error (error, "'reuse_while': ");
  return ok;
}
