/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-page.c: the reader of files of rows, on hostile files.
 *
 * Checksums would keep a fuzzer out, so it mends them: each record's hash is
 * set to what its payload needs before the file is read.  Whatever comes out
 * must be a valid batch that can be chosen from and written again.
 */
#include "config.h"

#include <stdint.h>
#include <unistd.h>
#include <xxhash.h>

#include "data/test-rows.h"
#include "run/page.h"

/* Not g_error(), whose signal libFuzzer does not catch. */
#define FAIL(...) (g_printerr (__VA_ARGS__), abort ())

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
mend (uint8_t *file, gsize size)
{
  for (gsize at = 0; size - at >= 32;)
    {
      guint64 length, hash;

      memcpy (&length, file + at + 8, 8);
      if (memcmp (file + at, "DONE", 4) == 0)
        {
          guint64 numbers[2];

          memcpy (&numbers[0], file + at + 8, 8);
          memcpy (&numbers[1], file + at + 24, 8);
          hash = XXH3_64bits (numbers, sizeof numbers);
          memcpy (file + at + 16, &hash, 8);
          return;
        }
      if (length > size - at - 32)
        return;
      hash = XXH3_64bits (file + at + 32, length);
      memcpy (file + at + 16, &hash, 8);
      at += 32 + length;
    }
}

static void
use (FrBatch *batch)
{
  gsize n = fr_batch_n_rows (batch);
  g_autofree guint8 *keep = g_malloc0 (n + 1);
  g_autoptr (FrBatch) some = NULL;
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  if (!fr_batch_validate (batch, &error))
    FAIL ("broken promise: %s\n", error->message);
  for (gsize i = 0; i < n; i += 2)
    keep[i] = 1;
  some = fr_batch_filter (batch, keep);
  if (some != NULL && !fr_batch_validate (some, &error))
    FAIL ("broken promise after filter: %s\n", error->message);
  for (gsize i = 0; i < n && out->len < 100000; i++)
    fr_batch_append_json (batch, i, FALSE, out);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static char *path;
  g_autofree uint8_t *file = g_memdup2 (data, size);

  if (path == NULL)
    path = g_strdup_printf ("%s/fuzz-page-%d", g_get_tmp_dir (), (int) getpid ());
  if (file != NULL)
    mend (file, size);
  g_file_set_contents_full (path, file ? (char *) file : "", (gssize) size,
                            G_FILE_SET_CONTENTS_NONE, 0600, NULL);
  for (guint complete = 0; complete < 2; complete++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (FriPageReader) reader = fri_page_reader_new (path, complete != 0, &error);
      FrBatch *batch;

      while (reader != NULL && (batch = fri_page_reader_next (reader, &error)) != NULL)
        {
          use (batch);
          fr_batch_unref (batch);
        }
      if (reader == NULL && error == NULL)
        FAIL ("broken promise: no reader, no error\n");
    }
  unlink (path);
  return 0;
}
