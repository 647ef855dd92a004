/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c: mapped weights, while others write to their files.
 *
 * Three things can happen to a mapped file.  Its name may be given to another (mv, an atomic
 * writer): the mapping stays what it was.  It may be written to in place (cp onto it): a private
 * mapping shows the new bytes, so the model changes under its user.  It may be shortened: reading
 * beyond the new end is SIGBUS, which ends the process.
 *
 * Against the last two, Linux has leases (fcntl(2), "Leases"): whoever opens the file for writing
 * or shortens it is held up until the holder gives the lease back.  In that time the weights are
 * copied into memory of this process and put in the place of the mapping, at the same addresses, so
 * that nobody who reads them notices.  The signal that tells of a wish to write is SIGURG, which is
 * ignored unless somebody asks for it; the wish is seen by asking (F_GETLEASE).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lm/weights/model-private.h"

/* ---- memory in the place of a file -------------------------------------------------------------
 */

/* Bytes that could be had now without swapping; as many as there are when the system does not say.
 */
static guint64
memory_there (void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/meminfo", &text, NULL, NULL)
      || (line = strstr (text, "MemAvailable:")) == NULL)
    return G_MAXUINT64;
  return g_ascii_strtoull (line + strlen ("MemAvailable:"), NULL, 10) * 1024;
}

static gboolean
no_room (const LmWeightFile *file, GError **error)
{
  g_set_error (error, FR_ERROR, FR_ERROR_IO,
               "%s: no memory for a copy of its %" G_GSIZE_FORMAT " bytes", file->name, file->len);
  return FALSE;
}

#ifdef MREMAP_FIXED
static gboolean
put_in_place (LmWeightFile *file, gpointer copy)
{
  return mremap (copy, file->len, file->len, MREMAP_MAYMOVE | MREMAP_FIXED, (gpointer) file->data)
         != MAP_FAILED;
}
#else
static gboolean
put_in_place (LmWeightFile *file, gpointer copy)
{
  (void) file;
  (void) copy;
  return FALSE;
}
#endif

static gboolean
hold_file (LmWeightFile *file, GError **error)
{
  gpointer copy;

  if (!file->mapped || file->held)
    return TRUE;
  if (file->len >= memory_there ())
    return no_room (file, error);
  copy = mmap (NULL, file->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (copy == MAP_FAILED)
    return no_room (file, error);
  memcpy (copy, file->data, file->len);
  if (mprotect (copy, file->len, PROT_READ) < 0 || !put_in_place (file, copy))
    {
      munmap (copy, file->len);
      return no_room (file, error);
    }
  file->held = TRUE;
  return TRUE;
}

/* ---- leases ------------------------------------------------------------------------------------
 */

static gboolean
same_stamp (const LmWeightFile *file, const struct stat *st)
{
  LmFileStamp now;

  lm_file_stamp (&now, st);
  return memcmp (&now, &file->stamp, sizeof now) == 0;
}

static void
give_back (LmWeightFile *file)
{
  if (file->lease < 0)
    return;
#ifdef F_SETLEASE
  fcntl (file->lease, F_SETLEASE, F_UNLCK);
#endif
  close (file->lease);
  file->lease = -1;
}

static gboolean
guard_file (LmWeightFile *file)
{
#ifdef F_SETLEASE
  struct stat st;

  if (!file->mapped || file->held || file->lease >= 0)
    return file->held || file->lease >= 0;
  file->lease = g_open (file->name, O_RDONLY | O_CLOEXEC, 0);
  if (file->lease < 0)
    return FALSE;
  /* Nothing may have happened to it since it was mapped: looked at when the lease is there. */
  if (fcntl (file->lease, F_SETSIG, SIGURG) == 0 && fcntl (file->lease, F_SETLEASE, F_RDLCK) == 0
      && fstat (file->lease, &st) == 0 && same_stamp (file, &st))
    return TRUE;
  give_back (file);
#else
  (void) file;
#endif
  return FALSE;
}

/* Whether somebody waits for the lease. */
static gboolean
is_wanted (const LmWeightFile *file)
{
#ifdef F_SETLEASE
  return file->lease >= 0 && fcntl (file->lease, F_GETLEASE) != F_RDLCK;
#else
  (void) file;
  return FALSE;
#endif
}

/* ---- looking -----------------------------------------------------------------------------------
 */

static LmFilesState
look_at_file (LmWeightFile *file, GError **error)
{
  struct stat st;
  LmFileStamp now;

  if (!file->mapped)
    return LM_FILES_SAME;
  if (is_wanted (file))
    {
      gboolean ok = hold_file (file, error);

      give_back (file);
      return ok ? LM_FILES_HELD : LM_FILES_WRITTEN;
    }
  if (stat (file->name, &st) < 0)
    return errno == ENOENT || errno == ENOTDIR ? LM_FILES_REPLACED : LM_FILES_SAME;
  lm_file_stamp (&now, &st);
  if (memcmp (&now, &file->stamp, sizeof now) == 0)
    return LM_FILES_SAME;
  if (now.device != file->stamp.device || now.inode != file->stamp.inode)
    return LM_FILES_REPLACED;
  return file->held ? LM_FILES_HELD : LM_FILES_WRITTEN;
}

LmFilesState
lm_model_look (LmModel *model, const char **which, GError **error)
{
  LmFilesState worst = LM_FILES_SAME;

  *which = NULL;
  for (; model != NULL; model = model->base)
    for (guint i = 0; i < model->files->len; i++)
      {
        LmWeightFile *file = g_ptr_array_index (model->files, i);
        LmFilesState state = look_at_file (file, error != NULL && *error == NULL ? error : NULL);

        if (state > worst)
          {
            worst = state;
            *which = file->name;
          }
      }
  return worst;
}

guint
lm_model_guard (LmModel *model)
{
  guint n = 0;

  for (; model != NULL; model = model->base)
    for (guint i = 0; i < model->files->len; i++)
      n += guard_file (g_ptr_array_index (model->files, i)) ? 1 : 0;
  return n;
}

/* A copy is worth something only if nobody wrote before or during it. */
static gboolean
check_unwritten (const LmWeightFile *file, GError **error)
{
  struct stat st;
  LmFileStamp now;

  if (!file->mapped || stat (file->name, &st) < 0)
    return TRUE;
  lm_file_stamp (&now, &st);
  if (now.device != file->stamp.device || now.inode != file->stamp.inode || same_stamp (file, &st))
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "%s was written to since it was opened: its weights are not what they were; put new "
               "files in place by renaming",
               file->name);
  return FALSE;
}

gboolean
lm_model_hold (LmModel *model, GError **error)
{
  for (; model != NULL; model = model->base)
    for (guint i = 0; i < model->files->len; i++)
      {
        LmWeightFile *file = g_ptr_array_index (model->files, i);

        if (!file->held
            && (!check_unwritten (file, error) || !hold_file (file, error)
                || !check_unwritten (file, error)))
          return FALSE;
        give_back (file);
      }
  return TRUE;
}
