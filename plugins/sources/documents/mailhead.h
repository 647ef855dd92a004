/* SPDX-License-Identifier: Apache-2.0 */
/* mailhead.h: header fields of mail as text.
 *
 * Encoded words (RFC 2047) in any charset, GB2312 read as GB18030, adjacent
 * ones joined before they are decoded (mail programs cut characters in two);
 * bytes without any encoding are guessed.  Dates as RFC 5322 has them.
 */
#ifndef DOCUMENTS_MAILHEAD_H
#define DOCUMENTS_MAILHEAD_H

#include <flowrun/batch.h>
#include <glib.h>

G_BEGIN_DECLS

/** mail_header_decode: @raw: the value as it stands, folded or not.  Valid UTF-8, white space
 * collapsed. */
GString *mail_header_decode (FrStr raw, guint64 *replaced);
/** mail_name: the name in "name <address>", decoded, or the address when there is none; of a list
 * the first. */
GString *mail_name (FrStr decoded);

G_END_DECLS

#endif
