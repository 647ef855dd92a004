/* SPDX-License-Identifier: Apache-2.0 */
/* output.c: a file that is either whole or not there.
 *
 * The temporary name is ".NAME.flowrun-PID-N.tmp" beside the target, locked
 * with flock(2) for as long as its writer lives: a later writer of the same
 * target removes those that nobody holds, so a killed run leaves nothing for
 * long.  A target that is a pipe or a device is written in place, since a
 * rename would replace it.
 */
#include "config.h"

#include "text/output.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <flowrun/error.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (256 * 1024)
#define WRITE_BEHIND (8 * 1024 * 1024)
#define BUFFER_KEPT (8 * 1024 * 1024) /* of what an enormous row has made grow */
#define NAME_PART 180                 /* of the target's name, so that the temporary name fits */

struct _TextOutput
{
  char *path;      /* as given, for messages */
  char *target;    /* symbolic links resolved */
  char *temporary; /* NULL: written in place */
  int fd;
  gboolean is_stream; /* not to be synced or closed by us: standard output */
  GCancellable *cancellable;
  struct archive *archive; /* compresses; NULL: as it is */
  struct archive_entry *entry;
  char *buffer;
  gsize used;
  guint64 written, started; /* bytes; of those, on their way to the disk */
  GError *io_error;         /* set inside a libarchive callback */
  gboolean in_place;        /* no temporary name */
  gboolean cut;             /* what comes next begins a compressed stream of its own */
};

/* ---- temporary names ------------------------------------------------------ */

static char *
temporary_prefix (const char *target)
{
  g_autofree char *base = g_path_get_basename (target);

  if (strlen (base) > NAME_PART)
    base[NAME_PART] = '\0';
  return g_strconcat (".", base, ".flowrun-", NULL);
}

static void
remove_leftovers (const char *dir, const char *prefix)
{
  DIR *d = opendir (dir);
  struct dirent *e;

  while (d != NULL && (e = readdir (d)) != NULL)
    {
      int fd;

      if (!g_str_has_prefix (e->d_name, prefix) || !g_str_has_suffix (e->d_name, ".tmp"))
        continue;
      fd = openat (dirfd (d), e->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
      if (fd < 0)
        continue;
      if (flock (fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat (dirfd (d), e->d_name, 0);
      close (fd);
    }
  if (d != NULL)
    closedir (d);
}

static gboolean
open_temporary (TextOutput *output, const struct stat *old, GError **error)
{
  static int serial;
  g_autofree char *dir = g_path_get_dirname (output->target);
  g_autofree char *prefix = temporary_prefix (output->target);

  if (g_mkdir_with_parents (dir, 0777) != 0)
    return fr_error_errno (error, errno, "create directory", dir);
  remove_leftovers (dir, prefix);
  for (;;)
    {
      g_autofree char *name
          = g_strdup_printf ("%s%d-%d.tmp", prefix, (int) getpid (), g_atomic_int_add (&serial, 1));
      g_autofree char *path = g_build_filename (dir, name, NULL);
      struct stat st;

      output->fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (output->fd < 0 && errno == EEXIST)
        continue;
      if (output->fd < 0)
        return fr_error_errno (error, errno, "write", output->path);
      /* Somebody who cleans up may have been faster than our lock. */
      if (flock (output->fd, LOCK_EX | LOCK_NB) == 0 && fstat (output->fd, &st) == 0
          && st.st_nlink > 0)
        {
          output->temporary = g_steal_pointer (&path);
          break;
        }
      if (fstat (output->fd, &st) == 0 && st.st_nlink > 0)
        {
          /* A file system without locks: do without. */
          output->temporary = g_steal_pointer (&path);
          break;
        }
      close (output->fd);
    }
  if (old != NULL && fchmod (output->fd, old->st_mode & 07777) != 0 && errno != EPERM)
    return fr_error_errno (error, errno, "set the permissions of", output->temporary);
  return TRUE;
}

/* ---- writing -------------------------------------------------------------- */

/* write(2) whose SIGPIPE, if any, is swallowed: a closed pipe is an error like
 * others, whatever the program does about signals. */
static gssize
write_quietly (int fd, const char *data, gsize len)
{
  sigset_t pipe_set, old, pending;
  const struct timespec now = { 0, 0 };
  gboolean was_pending;
  gssize n;
  int saved;

  sigemptyset (&pipe_set);
  sigaddset (&pipe_set, SIGPIPE);
  sigpending (&pending);
  was_pending = sigismember (&pending, SIGPIPE) == 1;
  pthread_sigmask (SIG_BLOCK, &pipe_set, &old);
  n = write (fd, data, len);
  saved = errno;
  if (n < 0 && saved == EPIPE && !was_pending)
    while (sigtimedwait (&pipe_set, NULL, &now) < 0 && errno == EINTR)
      ;
  pthread_sigmask (SIG_SETMASK, &old, NULL);
  errno = saved;
  return n;
}

static gboolean
write_all (TextOutput *output, const char *data, gsize len, GError **error)
{
  while (len > 0)
    {
      gssize n;

      if (g_cancellable_is_cancelled (output->cancellable))
        {
          g_set_error_literal (error, FR_ERROR, FR_ERROR_CANCELLED, "the run was cancelled");
          return FALSE;
        }
      n = output->temporary != NULL ? write (output->fd, data, len)
                                    : write_quietly (output->fd, data, len);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EPIPE)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_IO,
                       "the program that reads %s%s%s ended before all was written",
                       output->is_stream ? "standard output" : "'",
                       output->is_stream ? "" : output->path, output->is_stream ? "" : "'");
          return FALSE;
        }
      if (n < 0)
        return fr_error_errno (error, errno, "write",
                               output->is_stream ? "standard output" : output->path);
      data += n;
      len -= (gsize) n;
      output->written += (guint64) n;
    }
#ifdef SYNC_FILE_RANGE_WRITE
  /* The disk works while we do, so that the fsync at the end waits for little. */
  if (output->temporary != NULL && output->written - output->started >= WRITE_BEHIND)
    {
      sync_file_range (output->fd, (off_t) output->started,
                       (off_t) (output->written - output->started), SYNC_FILE_RANGE_WRITE);
      output->started = output->written;
    }
#endif
  return TRUE;
}

static la_ssize_t
packed (struct archive *archive, void *data, const void *bytes, size_t len)
{
  TextOutput *output = data;

  if (!write_all (output, bytes, len, output->io_error ? NULL : &output->io_error))
    {
      archive_set_error (archive, EIO, "write failed");
      return -1;
    }
  return (la_ssize_t) len;
}

static gboolean
archive_failed (TextOutput *output, GError **error)
{
  const char *why = archive_error_string (output->archive);

  if (output->io_error != NULL)
    g_propagate_error (error, g_steal_pointer (&output->io_error));
  else
    g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot compress '%s': %s", output->path,
                 why ? why : "unknown fault");
  return FALSE;
}

static gboolean open_compression (TextOutput *output, GError **error);

/* Ends the compressed stream and begins another, which readers take for one. */
static gboolean
begin_stream (TextOutput *output, GError **error)
{
  output->cut = FALSE;
  if (archive_write_close (output->archive) != ARCHIVE_OK)
    return archive_failed (output, error);
  archive_entry_free (g_steal_pointer (&output->entry));
  archive_write_free (g_steal_pointer (&output->archive));
  return open_compression (output, error);
}

static gboolean
write_through (TextOutput *output, const char *data, gsize len, GError **error)
{
  if (output->archive == NULL)
    return write_all (output, data, len, error);
  if (output->cut && len > 0 && !begin_stream (output, error))
    return FALSE;
  while (len > 0)
    {
      la_ssize_t n = archive_write_data (output->archive, data, len);

      if (n <= 0)
        return archive_failed (output, error);
      data += n;
      len -= (gsize) n;
    }
  return TRUE;
}

gboolean
text_output_write (TextOutput *output, const char *data, gsize len, GError **error)
{
  if (output->used + len <= BUFFER)
    {
      memcpy (output->buffer + output->used, data, len);
      output->used += len;
      return TRUE;
    }
  if (!write_through (output, output->buffer, output->used, error))
    return FALSE;
  output->used = 0;
  if (len >= BUFFER)
    return write_through (output, data, len, error);
  memcpy (output->buffer, data, len);
  output->used = len;
  return TRUE;
}

gboolean
text_output_cut (TextOutput *output, GError **error)
{
  if (output->archive == NULL)
    return TRUE;
  if (!write_through (output, output->buffer, output->used, error))
    return FALSE;
  output->used = 0;
  output->cut = TRUE;
  return TRUE;
}

/* ---- opening, committing -------------------------------------------------- */

/* Compression by suffix, with nothing in the bytes but the data. */
static gboolean
open_compression (TextOutput *output, GError **error)
{
  static const struct
  {
    const char *suffix;
    int (*add) (struct archive *);
  } filters[] = { { ".gz", archive_write_add_filter_gzip },
                  { ".xz", archive_write_add_filter_xz },
                  { ".zst", archive_write_add_filter_zstd },
                  { ".bz2", archive_write_add_filter_bzip2 } };
  gsize i = 0;

  while (i < G_N_ELEMENTS (filters) && !g_str_has_suffix (output->path, filters[i].suffix))
    i++;
  if (i == G_N_ELEMENTS (filters))
    return TRUE;
  output->archive = archive_write_new ();
  if (filters[i].add (output->archive) != ARCHIVE_OK)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "this libarchive cannot write %s files",
                   filters[i].suffix);
      return FALSE;
    }
  if (i == 0)
    archive_write_set_filter_option (output->archive, "gzip", "timestamp", NULL);
  archive_write_set_format_raw (output->archive);
  archive_write_set_bytes_per_block (output->archive, 64 * 1024);
  archive_write_set_bytes_in_last_block (output->archive, 1);
  output->entry = archive_entry_new ();
  archive_entry_set_filetype (output->entry, AE_IFREG);
  if (archive_write_open (output->archive, output, NULL, packed, NULL) != ARCHIVE_OK
      || archive_write_header (output->archive, output->entry) != ARCHIVE_OK)
    return archive_failed (output, error);
  return TRUE;
}

static gboolean
open_target (TextOutput *output, GError **error)
{
  struct stat st;

  if (g_str_equal (output->path, "-"))
    {
      output->fd = STDOUT_FILENO;
      output->is_stream = output->in_place = TRUE;
      return TRUE;
    }
  output->target = realpath (output->path, NULL);
  if (output->target == NULL)
    {
      output->target = strdup (output->path);
      return open_temporary (output, NULL, error) && open_compression (output, error);
    }
  if (stat (output->target, &st) != 0)
    return fr_error_errno (error, errno, "write", output->path);
  if (S_ISDIR (st.st_mode))
    return fr_error_errno (error, EISDIR, "write", output->path);
  if (S_ISREG (st.st_mode))
    return open_temporary (output, &st, error) && open_compression (output, error);
  output->in_place = TRUE;
  output->fd = open (output->target, O_WRONLY | O_CLOEXEC);
  if (output->fd < 0)
    return fr_error_errno (error, errno, "write", output->path);
  return open_compression (output, error);
}

TextOutput *
text_output_new (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (TextOutput) output = g_new0 (TextOutput, 1);

  output->path = g_strdup (path);
  output->fd = -1;
  if (cancellable != NULL)
    output->cancellable = g_object_ref (cancellable);
  output->buffer = g_malloc (BUFFER);
  return open_target (output, error) ? g_steal_pointer (&output) : NULL;
}

static gboolean
sync_directory (const char *file, GError **error)
{
  g_autofree char *dir = g_path_get_dirname (file);
  int fd = open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean ok;

  if (fd < 0)
    return fr_error_errno (error, errno, "open", dir);
  /* Some file systems cannot sync a directory, and say so with EINVAL. */
  ok = fsync (fd) == 0 || errno == EINVAL || errno == ENOTSUP
       || fr_error_errno (error, errno, "sync", dir);
  close (fd);
  return ok;
}

gboolean
text_output_commit (TextOutput *output, GError **error)
{
  if (!write_through (output, output->buffer, output->used, error))
    return FALSE;
  output->used = 0;
  if (output->archive != NULL && archive_write_close (output->archive) != ARCHIVE_OK)
    return archive_failed (output, error);
  if (output->temporary == NULL)
    return TRUE;
  if (fsync (output->fd) != 0)
    return fr_error_errno (error, errno, "write", output->path);
  if (rename (output->temporary, output->target) != 0)
    return fr_error_errno (error, errno, "put in place", output->path);
  g_clear_pointer (&output->temporary, g_free);
  return sync_directory (output->target, error);
}

gboolean
text_output_is_file (const TextOutput *output)
{
  return !output->in_place;
}

/* ---- sinks ------------------------------------------------------------------- */

gboolean
text_output_put (TextOutput *output, GString **buffer, GError **error)
{
  if (!text_output_write (output, (*buffer)->str, (*buffer)->len, error))
    return FALSE;
  if ((*buffer)->allocated_len > BUFFER_KEPT)
    {
      g_string_free (*buffer, TRUE);
      *buffer = g_string_new (NULL);
    }
  g_string_truncate (*buffer, 0);
  return TRUE;
}

FrFlow
text_output_run (FrHost *host,
                 gboolean (*write) (gpointer state, FrHost *host, FrBatch *batch, GError **error),
                 gpointer state, GError **error)
{
  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;
      GError *failure = NULL;
      FrFlow flow = fr_host_next (host, "in", &batch, error);

      if (flow != FR_FLOW_OK)
        return flow;
      if (write (state, host, batch, &failure))
        continue;
      flow = g_error_matches (failure, FR_ERROR, FR_ERROR_CANCELLED) ? FR_FLOW_CANCELLED
                                                                     : FR_FLOW_ERROR;
      g_propagate_error (error, failure);
      return flow;
    }
}

gboolean
text_output_finish (TextOutput *output, FrHost *host, const char *path, GError **error)
{
  if (!text_output_commit (output, error))
    return FALSE;
  if (text_output_is_file (output))
    fr_host_committed (host, path);
  return TRUE;
}

void
text_output_free (TextOutput *output)
{
  if (output == NULL)
    return;
  if (output->temporary != NULL)
    unlink (output->temporary);
  if (output->archive != NULL)
    {
      /* Whatever closing would still write belongs to nobody. */
      archive_write_fail (output->archive);
      archive_write_free (output->archive);
    }
  if (output->entry != NULL)
    archive_entry_free (output->entry);
  if (output->fd >= 0 && !output->is_stream)
    close (output->fd);
  g_clear_error (&output->io_error);
  g_clear_object (&output->cancellable);
  free (output->target);
  g_free (output->temporary);
  g_free (output->path);
  g_free (output->buffer);
  g_free (output);
}
