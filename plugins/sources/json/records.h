/* SPDX-License-Identifier: Apache-2.0 */
/* records.h: a JSON text cut into its records.
 *
 * Finds where each record begins and ends; it does not check what is inside
 * (FrJsonReader does, record by record), so that one bad record is one bad
 * record.  Four layouts: JSON Lines, values one after the other over any number
 * of lines, the elements of an array, and an array (or one value) somewhere in
 * a larger document, found by an RFC 6901 pointer.  Holds one record at a time.
 */
#ifndef JSON_RECORDS_H
#define JSON_RECORDS_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  RECORDS_AUTO = 0,
  RECORDS_LINES,
  RECORDS_ARRAY,
  RECORDS_VALUES
} RecordsFormat;

/* The next block of the text; valid until the next call.  FALSE: the end, or an error. */
typedef gboolean (*RecordsRead) (gpointer data, const char **block, gsize *len, GError **error);

typedef struct
{
  FrStr text;        /* the record; of one that is too long, its beginning */
  gboolean too_long; /* more than max_row bytes */
  guint64 line;      /* where it begins, both from 1; the column in characters */
  guint64 column;
} Record;

typedef struct _Records Records;

/** records_new: @at: a JSON Pointer to the records, or NULL. */
Records *records_new (RecordsFormat format, const char *at, gsize max_row, RecordsRead read,
                      gpointer data);
void records_free (Records *records);
/** records_restart: another text follows. */
void records_restart (Records *records);
/** records_next: valid until the next call.  FALSE: no more, or an error: the text cannot be cut
 * further. */
gboolean records_next (Records *records, Record *record, GError **error);
/** records_format: what RECORDS_AUTO found in the current text. */
RecordsFormat records_format (const Records *records);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Records, records_free)

G_END_DECLS

#endif
