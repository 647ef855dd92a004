/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h: the bytes of a text as UTF-8, charset given or guessed. */
#ifndef DOCUMENTS_UTF8_H
#define DOCUMENTS_UTF8_H

#include "text/document.h"

G_BEGIN_DECLS

/**
 * utf8_decode:
 * @charset: any label, or NULL; an unknown one, and one that the bytes refute by being valid UTF-8
 *   beyond ASCII, is not believed
 * @replaced: added to: characters that the bytes did not give
 *
 * Returns valid UTF-8 without a byte order mark, line ends as newlines.
 */
GString *utf8_decode (const char *data, gsize len, const char *charset, guint64 *replaced);

G_END_DECLS

#endif
