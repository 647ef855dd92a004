/* SPDX-License-Identifier: Apache-2.0 */
/* keys-private.h: lines of the file of keys, between keys-file.c and keys.c (and fuzzing). */
#ifndef FLOWRUN_SERVE_KEYS_PRIVATE_H
#define FLOWRUN_SERVE_KEYS_PRIVATE_H

#include "keys.h"

G_BEGIN_DECLS

#define SERVE_KEY_DIGEST 32

/**
 * ServeKeyLine:
 * @salt: NULL: none; @digest: SHA-256 of salt and key
 * @anyone: '*': no key at all
 * @rpm, @tpm: 0: not said on this line
 * @until: µs since 1970 from which it holds no more; 0: for ever
 * @client: set by keys.c
 */
typedef struct
{
  guint number;
  char *salt, *name;
  guint8 digest[SERVE_KEY_DIGEST];
  gboolean anyone;
  ServeRole role;
  guint64 rpm, tpm;
  gint64 until;
  ServeClient *client;
} ServeKeyLine;

void serve_key_line_free (ServeKeyLine *line);

/** ServeKeyTable: a file as it was read; reference-counted (g_atomic_rc_box). */
typedef struct
{
  GPtrArray *lines; /* ServeKeyLine * */
} ServeKeyTable;

/** serve_key_table_parse: @name: of the file, for messages; FR_ERROR_CONFIG. */
ServeKeyTable *serve_key_table_parse (const char *name, const char *text, gsize len,
                                      GError **error);
void serve_key_table_unref (ServeKeyTable *table);

/** serve_key_digest: SHA-256 of @salt (NULL: none) and @key. */
void serve_key_digest (const char *salt, const char *key, guint8 *digest);

G_END_DECLS

#endif
