/* SPDX-License-Identifier: Apache-2.0 */
/* csv-types.h: what a cell's text means as a number, truth or time (internal to source.csv). */
#ifndef FLOWRUN_CSV_TYPES_H
#define FLOWRUN_CSV_TYPES_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

/** csv_parse_int: "-17"; not "+17", not "017" (those are codes, not numbers), not beyond 64 bits.
 */
gboolean csv_parse_int (FrStr text, gint64 *value);
/** csv_parse_float: "1.5", "-2e10", integers too; rounded correctly; no "nan", no hexadecimal,
 * nothing beyond the range. */
gboolean csv_parse_float (FrStr text, double *value);
/** csv_parse_bool: true and false in any case; with @wide also t f yes no y n 1 0. */
gboolean csv_parse_bool (FrStr text, gboolean wide, gboolean *value);
/** csv_parse_timestamp: "2024-05-01", "2024/5/1", "2024-05-01 08:30:00.5+08:00"; UTC where no
 * offset is given; microseconds. */
gboolean csv_parse_timestamp (FrStr text, gint64 *value);

/* A set of types that a column's cells have fitted so far, for inference. */
#define CSV_FITS (FR_TYPES (FR_TYPE_BOOL) | FR_TYPES (FR_TYPE_INT64) | FR_TYPES (FR_TYPE_FLOAT64))

/** csv_fits: those of the types in @still that this cell fits too. */
guint csv_fits (FrStr text, guint still);

G_END_DECLS

#endif
