/* SPDX-License-Identifier: Apache-2.0 */
/* file.c: a weight file, mapped: what safetensors and GGUF have in common.
 *
 * The mapping is private and read-only, so that several processes share the
 * pages of one checkpoint.  Whoever shortens a file that is mapped ends this
 * process with SIGBUS; writers of flowrun rename instead, and guard.c is for
 * processes that live long enough to meet others.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lm/weights/weights-private.h"

#define MAX_MESSAGE 1000

static void
array_free (gpointer data)
{
  LmGgufArray *array = data;

  g_free (array->cooked);
  g_free (array);
}

static void
tensor_clear (gpointer data)
{
  g_free (((LmTensor *) data)->name);
}

static LmWeightFile *
file_new (const char *name)
{
  LmWeightFile *file = g_new0 (LmWeightFile, 1);

  file->refs = 1;
  file->name = g_strdup (name);
  file->tensors = g_array_new (FALSE, TRUE, sizeof (LmTensor));
  g_array_set_clear_func (file->tensors, tensor_clear);
  file->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  file->arrays = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, array_free);
  file->metadata = json_object_new ();
  g_mutex_init (&file->lock);
  file->lease = -1;
  return file;
}

LmWeightFile *
lm_weight_file_ref (LmWeightFile *file)
{
  g_atomic_int_inc (&file->refs);
  return file;
}

void
lm_weight_file_unref (LmWeightFile *file)
{
  if (file == NULL || !g_atomic_int_dec_and_test (&file->refs))
    return;
  if (file->mapped)
    munmap ((gpointer) file->data, file->len);
  if (file->lease >= 0)
    close (file->lease);
  g_hash_table_unref (file->by_name);
  g_hash_table_unref (file->arrays);
  g_array_unref (file->tensors);
  json_object_unref (file->metadata);
  g_mutex_clear (&file->lock);
  g_free (file->name);
  g_free (file);
}

gboolean
lm_weights_error (const LmWeightFile *file, GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  if (strlen (text) > MAX_MESSAGE) /* of names that are no names */
    *g_utf8_find_prev_char (text, text + MAX_MESSAGE) = '\0';
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s: %s", file->name, text);
  return FALSE;
}

gboolean
lm_weights_add (LmWeightFile *file, LmTensor *tensor, GError **error)
{
  if (g_hash_table_contains (file->by_name, tensor->name))
    {
      lm_weights_error (file, error, "tensor '%s' is there twice", tensor->name);
      g_free (tensor->name);
      return FALSE;
    }
  g_array_append_val (file->tensors, *tensor);
  /* The array moves while it grows; its index is put right when all are there. */
  g_hash_table_insert (file->by_name, tensor->name, NULL);
  return TRUE;
}

gboolean
lm_weights_elements (const gint64 *dims, guint n, guint64 *elements)
{
  guint64 product = 1;

  for (guint i = 0; i < n; i++)
    if (!g_uint64_checked_mul (&product, product, (guint64) dims[i]))
      return FALSE;
  *elements = product;
  return product <= G_MAXINT64 / 8;
}

static gboolean
file_parse (LmWeightFile *file, GError **error)
{
  static const char magic[4] = "GGUF";
  gboolean ok;

  file->gguf = file->len >= sizeof magic && memcmp (file->data, magic, sizeof magic) == 0;
  ok = file->gguf ? lm_gguf_parse (file, error) : lm_safetensors_parse (file, error);
  for (guint i = 0; ok && i < file->tensors->len; i++)
    {
      LmTensor *t = &g_array_index (file->tensors, LmTensor, i);

      g_hash_table_replace (file->by_name, t->name, t);
    }
  return ok;
}

void
lm_file_stamp (LmFileStamp *stamp, const struct stat *st)
{
  memset (stamp, 0, sizeof *stamp);
  stamp->device = st->st_dev;
  stamp->inode = st->st_ino;
  stamp->size = (guint64) st->st_size;
  stamp->seconds = st->st_mtim.tv_sec;
  stamp->nanoseconds = st->st_mtim.tv_nsec;
}

/* Fills memory of our own from @fd, whose length was file->len. */
static gboolean
fill (LmWeightFile *file, int fd, guint8 *to, GError **error)
{
  gsize done = 0;

  while (done < file->len)
    {
      gssize n = read (fd, to + done, file->len - done);

      if (n == 0)
        return lm_weights_error (file, error, "it became shorter while it was read");
      if (n < 0 && errno != EINTR)
        return fr_error_errno (error, errno, "read", file->name);
      done += n > 0 ? (gsize) n : 0;
    }
  return mprotect (to, file->len, PROT_READ) == 0
         || fr_error_errno (error, errno, "protect the memory of", file->name);
}

/* A mapping either way, so that it is let go in one way. */
static gboolean
file_map (LmWeightFile *file, gboolean copy, int fd, GError **error)
{
  struct stat st;
  gpointer map;

  if (fstat (fd, &st) < 0 || !S_ISREG (st.st_mode) || st.st_size == 0)
    return lm_weights_error (file, error, "it is empty or no regular file; expected weights");
  lm_file_stamp (&file->stamp, &st);
  map = copy ? mmap (NULL, (gsize) st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0)
             : mmap (NULL, (gsize) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (map == MAP_FAILED)
    return fr_error_errno (error, errno, "map", file->name);
  file->data = map;
  file->len = (gsize) st.st_size;
  file->mapped = TRUE;
  file->held = copy;
  return !copy || fill (file, fd, map, error);
}

static LmWeightFile *
file_open (const char *path, gboolean header_only, gboolean copy, GError **error)
{
  g_autoptr (LmWeightFile) file = file_new (path);
  int fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  gboolean ok;

  if (fd < 0)
    {
      fr_error_errno (error, errno, "open", path);
      return NULL;
    }
  file->header_only = header_only;
  ok = file_map (file, copy, fd, error) && file_parse (file, error);
  close (fd);
  return ok ? g_steal_pointer (&file) : NULL;
}

LmWeightFile *
lm_weight_file_open (const char *path, GError **error)
{
  return file_open (path, FALSE, FALSE, error);
}

LmWeightFile *
lm_weight_file_read (const char *path, GError **error)
{
  return file_open (path, FALSE, TRUE, error);
}

LmWeightFile *
lm_weight_file_open_header (const char *path, gboolean *truncated, GError **error)
{
  LmWeightFile *file = file_open (path, TRUE, FALSE, error);

  if (file != NULL && truncated != NULL)
    *truncated = file->truncated;
  return file;
}

LmWeightFile *
lm_weight_file_parse (const char *name, gconstpointer data, gsize len, GError **error)
{
  g_autoptr (LmWeightFile) file = file_new (name);

  file->data = data;
  file->len = len;
  return file_parse (file, error) ? g_steal_pointer (&file) : NULL;
}

gsize
lm_weight_file_n_tensors (const LmWeightFile *file)
{
  return file->tensors->len;
}

const LmTensor *
lm_weight_file_tensor (const LmWeightFile *file, gsize i)
{
  return &g_array_index (file->tensors, LmTensor, i);
}

const LmTensor *
lm_weight_file_find (const LmWeightFile *file, const char *name)
{
  return g_hash_table_lookup (file->by_name, name);
}

JsonObject *
lm_weight_file_metadata (const LmWeightFile *file)
{
  return file->metadata;
}

gboolean
lm_weight_file_is_gguf (const LmWeightFile *file)
{
  return file->gguf;
}
