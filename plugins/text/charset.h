/* SPDX-License-Identifier: Apache-2.0 */
/* charset.h: which charset bytes are in, and the way from there to UTF-8
 * (libflowrun-text).
 *
 * Labels follow the WHATWG Encoding Standard where it has an opinion: gb2312
 * and gbk are read as GB18030, big5 with the Hong Kong supplement, latin1 as
 * windows-1252.  Other names go to ICU.  Bytes that are no text become U+FFFD,
 * one per maximal subpart (Unicode 15, section 3.9), and are counted.
 */
#ifndef FLOWRUN_TEXT_CHARSET_H
#define FLOWRUN_TEXT_CHARSET_H

#include <flowrun/error.h>
#include <glib.h>

G_BEGIN_DECLS

/* What text_charset_detect() looks at, at most. */
#define TEXT_CHARSET_WINDOW (256 * 1024)

typedef struct _TextDecoder TextDecoder;

/** text_charset_canonical: "gb2312" to "gb18030"; owned by the library; NULL with FR_ERROR_CONFIG
 * for an unknown name. */
const char *text_charset_canonical (const char *label, GError **error);

/**
 * text_charset_detect:
 * @data: the first bytes of a text
 * @whole: @data is the whole text, so that a cut last character is a fault
 * @how: "marked" (a byte order mark), or "guessed"
 *
 * Looks at a byte order mark, then for UTF-16 by its zeros, for valid UTF-8,
 * for nearly valid UTF-8, then weighs GB18030 against Big5 by how frequent the
 * Han characters are that each reading gives; what is neither is windows-1252.
 */
const char *text_charset_detect (const char *data, gsize len, gboolean whole, const char **how);

/** text_utf8_valid_len: length of the longest prefix that is valid UTF-8 (NUL is a character). */
gsize text_utf8_valid_len (const char *data, gsize len);
/** text_ascii_len: length of the longest prefix of bytes below 0x80. */
gsize text_ascii_len (const char *data, gsize len);

/** text_decoder_new: @charset is canonical. */
TextDecoder *text_decoder_new (const char *charset, GError **error);
void text_decoder_free (TextDecoder *decoder);

/**
 * text_decoder_decode:
 * @data: at most 2^28 bytes that follow what was consumed before
 * @flush: nothing follows
 * @out: valid UTF-8, in @data itself where that is UTF-8 already, else owned
 *   by the decoder until the next call
 *
 * Returns how many bytes of @data were used up; what is left (at most three
 * bytes, never with @flush) comes again with more behind it.
 */
gsize text_decoder_decode (TextDecoder *decoder, const char *data, gsize len, gboolean flush,
                           const char **out, gsize *out_len);
/** text_decoder_n_replaced: characters that became U+FFFD so far. */
guint64 text_decoder_n_replaced (const TextDecoder *decoder);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextDecoder, text_decoder_free)

G_END_DECLS

#endif
