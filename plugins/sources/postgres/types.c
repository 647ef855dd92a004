/* SPDX-License-Identifier: Apache-2.0 */
/* types.c: the columns of a PostgreSQL result, sorted into kinds (types.h).
 *
 * Object identifiers of built-in types are fixed (catalog/pg_type.dat of
 * PostgreSQL); all others are told apart by what pg_type says of them.
 */
#include "config.h"

#include "sources/postgres/types.h"

#include <string.h>

static SqlKind
kind_of (Oid oid)
{
  switch (oid)
    {
    case 16: /* bool */
      return SQL_KIND_BOOL;
    case 20: /* int8 */
    case 21: /* int2 */
    case 23: /* int4 */
    case 26: /* oid */
      return SQL_KIND_INT;
    case 700: /* float4 */
    case 701: /* float8 */
      return SQL_KIND_FLOAT;
    case 1700: /* numeric */
      return SQL_KIND_DECIMAL;
    case 17: /* bytea */
      return SQL_KIND_BYTES;
    case 1082: /* date */
    case 1114: /* timestamp */
      return SQL_KIND_DATE;
    case 1184: /* timestamptz */
      return SQL_KIND_TIME;
    case 2950: /* uuid */
      return SQL_KIND_UUID;
    case 114:  /* json */
    case 3802: /* jsonb */
      return SQL_KIND_JSON;
    default:
      return SQL_KIND_TEXT;
    }
}

/* One row a column: its type's name with length and precision, and, for an
 * array, the type of its items and what stands between them.  int2vector and
 * its like have items but are written without braces. */
static const char question[]
    = "SELECT format_type(c.oid, c.mod), CASE WHEN t.typinput = 'array_in'::regproc THEN"
      " coalesce((SELECT CASE WHEN e.typtype = 'd' THEN e.typbasetype ELSE e.oid END"
      " FROM pg_type e WHERE e.oid = t.typelem), 0) ELSE 0 END, t.typdelim"
      " FROM unnest($1::oid[], $2::int4[]) WITH ORDINALITY AS c(oid, mod, n)"
      " LEFT JOIN pg_type t ON t.oid = c.oid ORDER BY c.n";

static char *
array_of (const PGresult *described, gboolean modifiers)
{
  g_autoptr (GString) text = g_string_new ("{");

  for (int i = 0; i < PQnfields (described); i++)
    {
      if (i > 0)
        g_string_append_c (text, ',');
      if (modifiers)
        g_string_append_printf (text, "%d", PQfmod (described, i));
      else
        g_string_append_printf (text, "%u", PQftype (described, i));
    }
  g_string_append_c (text, '}');
  return g_string_free (g_steal_pointer (&text), FALSE);
}

GPtrArray *
pg_columns (PgLink *link, const PGresult *described, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) columns = g_ptr_array_new_with_free_func ((GDestroyNotify) sql_column_free);
  g_autofree char *oids = array_of (described, FALSE), *mods = array_of (described, TRUE);
  const char *values[] = { oids, mods };
  g_autoptr (PGresult) types = pg_ask (link, question, 2, values, cancellable, error);

  if (types == NULL)
    return NULL;
  for (int i = 0; i < PQnfields (described) && i < PQntuples (types); i++)
    {
      SqlColumn *column = sql_column_new (PQfname (described, i), PQgetvalue (types, i, 0),
                                          kind_of (PQftype (described, i)));
      Oid item = (Oid) g_ascii_strtoull (PQgetvalue (types, i, 1), NULL, 10);

      g_ptr_array_add (columns, column);
      column->native = PQftype (described, i);
      if (item == 0)
        continue;
      column->kind = SQL_KIND_ARRAY;
      column->item = kind_of (item);
      column->delimiter = *PQgetvalue (types, i, 2);
    }
  return g_steal_pointer (&columns);
}
