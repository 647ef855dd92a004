/* SPDX-License-Identifier: Apache-2.0 */
/* dump.h: SQL dump files as tables and rows, read as they stream by.
 *
 * Reads what mysqldump, mariadb-dump, pg_dump (plain format) and sqlite3's
 * .dump write, and the near relatives that other tools write.  It is a lexer
 * with a little grammar on top: CREATE TABLE, INSERT/REPLACE ... VALUES and
 * COPY ... FROM stdin are understood, everything else is walked over.  It
 * executes nothing, knows no types (types.h does) and holds one row at a time,
 * so a statement of any length costs the memory of its longest row.
 *
 * Grammars: MySQL 8.0 Reference Manual 9.1 (literals), 9.7 (comments) and
 * 13.2.6 (INSERT); PostgreSQL 16 documentation 4.1 (lexical structure) and
 * COPY (text format); SQLite "SQL as understood" (literals).
 */
#ifndef SQLDUMP_DUMP_H
#define SQLDUMP_DUMP_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  DUMP_AUTO = 0,
  DUMP_MYSQL,
  DUMP_POSTGRES,
  DUMP_SQLITE
} DumpDialect;

typedef enum
{
  DUMP_FAILED = -1, /* the GError is set                                        */
  DUMP_EOF = 0,     /* the text ended between two statements                    */
  DUMP_TABLE,       /* a CREATE TABLE: dump.table, dump.columns                 */
  DUMP_INSERT,      /* rows of dump.table begin; say dump_skip() if not wanted  */
  DUMP_ROW          /* one row: dump.values                                     */
} DumpEvent;

typedef enum
{
  DUMP_NULL,
  DUMP_TEXT,   /* a string literal or a COPY field, unescaped            */
  DUMP_NUMBER, /* a number as written, sign included                     */
  DUMP_BYTES,  /* X'..', 0x.., b'..', _binary '..'                       */
  DUMP_TRUE,
  DUMP_FALSE,
  DUMP_DEFAULT,
  DUMP_EXPRESSION /* anything that would have to be computed              */
} DumpKind;

typedef struct
{
  DumpKind kind;
  gsize start, len; /* within dump.arena */
} DumpValue;

/* A column as CREATE TABLE has it; for the list of an INSERT or COPY only the name. */
typedef struct
{
  char *name;
  char *type; /* lower case, words parted by one blank: "bigint unsigned", "text[]" */
  char *args; /* what stood in parentheses: "1", "10,2"; or NULL */
} DumpColumn;

/* The next block of the text; valid until the next call.  FALSE: the end, or an error. */
typedef gboolean (*DumpRead) (gpointer data, const char **block, gsize *len, GError **error);

typedef struct _DumpPrivate DumpPrivate;

typedef struct
{
  /* The current table, for TABLE and INSERT (and until the next of them). */
  char *schema; /* "public", or NULL */
  char *table;
  GPtrArray *columns; /* DumpColumn *; INSERT without a list: empty */

  /* The current row. */
  GArray *values; /* DumpValue */
  GString *arena;
  gboolean too_long; /* more than max_row bytes: values are missing   */
  guint64 line;      /* of the row's or statement's first byte, from 1 */
  FrStr raw;         /* the row as it stands in the file, at most 64 KiB */

  DumpDialect dialect; /* found or given */
  char *charset;       /* last SET NAMES or client_encoding, lower case; or NULL */
  gboolean headed;     /* the dump program's own first comment was seen */
  gboolean completed;  /* and its last */
  gboolean unreadable; /* the INSERT has rows in a form that is not read (SELECT, SET, COPY CSV) */

  DumpPrivate *priv;
} Dump;

/**
 * dump_new:
 * @dialect: DUMP_AUTO looks for signs in the first block
 * @no_backslash: MySQL strings in which a backslash is an ordinary character
 * @max_row: longest row in bytes, unescaped
 */
Dump *dump_new (DumpDialect dialect, gboolean no_backslash, gsize max_row, DumpRead read,
                gpointer data);
void dump_free (Dump *dump);

/** dump_restart: another text follows; what was learnt of the dialect stays unless the text says
 * otherwise. */
void dump_restart (Dump *dump);

DumpEvent dump_next (Dump *dump, GError **error);

/** dump_skip: after DUMP_INSERT: walks over the rows of this statement. */
void dump_skip (Dump *dump);

/** dump_value: the bytes of value @i of the current row. */
static inline FrStr
dump_value (const Dump *dump, guint i)
{
  const DumpValue *v = &g_array_index (dump->values, DumpValue, i);

  return (FrStr){ dump->arena->str + v->start, v->len };
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Dump, dump_free)

G_END_DECLS

#endif
