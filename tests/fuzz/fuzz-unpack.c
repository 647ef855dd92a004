/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-unpack.c: any bytes as a file of source.documents: detection, archives, mailboxes, limits.
 */
#include "documents-fuzz.h"
#include "sources/documents/unpack.h"

#include <string.h>

static gboolean
take (gpointer data, Item *item)
{
  (void) data;
  g_assert_true ((item->told == NULL) == (item->rule != NULL));
  g_assert_true (item->member == NULL || g_utf8_validate (item->member, -1, NULL));
  g_assert_true (item->reason == NULL || g_utf8_validate (item->reason, -1, NULL));
  if (item->told)
    fuzz_look (item->told);
  item_free (item);
  return TRUE;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const names[] = { "a.txt", "a.md", "a.html", "a.eml" };
  UnpackOptions options = { .max_file = 1 << 20,
                            .max_unpacked = 4 << 20,
                            .max_ratio = 200,
                            .max_members = 200,
                            .max_depth = 3,
                            .seconds = 5,
                            .readers = readers_builtin (),
                            .archives = TRUE,
                            .reject_unknown = TRUE };
  g_autoptr (Unpack) unpack = NULL;

  if (size == 0)
    return 0;
  options.tell = fuzz_options (data[0]);
  unpack = unpack_new (&options, NULL, take, NULL);
  unpack_bytes (unpack, names[data[0] % G_N_ELEMENTS (names)], (const char *) data + 1, size - 1);
  return 0;
}
