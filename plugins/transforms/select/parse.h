/* SPDX-License-Identifier: Apache-2.0 */
/* parse.h: text that stands for a number, a truth or a time.
 *
 * Strict, independent of locale, whole text or nothing; white space around is
 * the caller's business.  No library but GLib.
 */
#ifndef SELECT_PARSE_H
#define SELECT_PARSE_H

#include <glib.h>

G_BEGIN_DECLS

/** parse_int: an optional sign and decimal digits; FALSE beyond 64 bits. */
gboolean parse_int (const char *text, gsize len, gint64 *value);
/** parse_float: a decimal number with optional sign, fraction and exponent; not "nan", not "inf",
 * no hexadecimal. */
gboolean parse_float (const char *text, gsize len, double *value);
/** parse_bool: true/false, yes/no, 1/0, t/f, y/n in any case, and 是/否. */
gboolean parse_bool (const char *text, gsize len, gboolean *value);
/**
 * parse_timestamp:
 * @value: microseconds since 1970-01-01T00:00:00Z
 *
 * What fr_timestamp_parse() takes (RFC 3339) and what people write instead:
 * "2024/1/31", "2024年1月31日", "2024-01-31 8:15", each with or without a time "08:15", "08:15:30",
 * "08:15:30.123456" after 'T' or blanks, and with or without a zone "Z" or
 * "+08:00"; no zone is UTC.  Digits beyond the microsecond are cut.
 */
gboolean parse_timestamp (const char *text, gsize len, gint64 *value);

G_END_DECLS

#endif
