/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-servekeys.c: files of keys: what is read has names and hashes, what is refused is refused by
 * the number of a line, and no message shows what stands there.
 */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "sinks/serve/keys-private.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define SHOWN 24 /* bytes of the file in a row would be a key */

static void
check_line (const ServeKeyLine *line)
{
  g_assert_cmpuint (line->number, >, 0);
  g_assert_cmpuint (strlen (line->name), >, 0);
  g_assert_true (g_utf8_validate (line->name, -1, NULL));
  g_assert_true (line->role == SERVE_ROLE_USE || line->role == SERVE_ROLE_ADMIN);
  g_assert_false (line->anyone && (line->role == SERVE_ROLE_ADMIN || line->salt != NULL));
}

static void
check_message (const char *message, const char *text, gsize len)
{
  g_assert_true (g_utf8_validate (message, -1, NULL));
  for (gsize i = 0; i + SHOWN <= len; i++)
    {
      g_autofree char *part = g_strndup (text + i, SHOWN);

      if (strlen (part) == SHOWN && strpbrk (part, " \t\r\n") == NULL)
        g_assert_null (strstr (message, part));
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  ServeKeyTable *table = serve_key_table_parse ("keys", (const char *) data, size, &error);

  g_assert_true ((table != NULL) == (error == NULL));
  if (table == NULL)
    {
      check_message (error->message, (const char *) data, size);
      return 0;
    }
  for (guint i = 0; i < table->lines->len; i++)
    check_line (g_ptr_array_index (table->lines, i));
  serve_key_table_unref (table);
  return 0;
}
