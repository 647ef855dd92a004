/* SPDX-License-Identifier: Apache-2.0 */
/* feedback-file.c: a file of lines that only grows, and from which nothing acknowledged is lost.
 *
 * A line is written with one write(2) to a descriptor with O_APPEND, synced (fdatasync), and only
 * then true.  While it is written, flock(2) keeps out other servers on the same file, so that what
 * fails can be cut off again: nobody's line can lie behind it.  Before each line the file's last
 * byte is looked at; a half line (of a process that was killed, or that could not even cut) goes
 * first.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "feedback-private.h"

#define LONGEST_LINE ((gsize) 64 << 20) /* a half line beyond this is not ours */

struct _FeedbackFile
{
  GMutex lock;
  char *path;
  int fd;
  gboolean sync;
  guint64 max_size;
  char *mended;
};

/* ---- opening -------------------------------------------------------------------------------- */

static gboolean
sync_directory (const char *path, GError **error)
{
  g_autofree char *dir = g_path_get_dirname (path);
  int fd = open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  /* Some file systems cannot sync a directory; they need not. */
  gboolean ok = fd >= 0 && (fsync (fd) == 0 || errno == EINVAL);
  int saved = errno;

  if (fd >= 0)
    close (fd);
  return ok || fr_error_errno (error, saved, "sync the directory", dir);
}

static gboolean
check_regular (FeedbackFile *file, GError **error)
{
  struct stat st;

  if (fstat (file->fd, &st) != 0)
    return fr_error_errno (error, errno, "look at", file->path);
  if (S_ISREG (st.st_mode))
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_IO,
               "%s is no regular file; ratings need one that can be written again and cut off",
               file->path);
  return FALSE;
}

/* O_NONBLOCK, so that a pipe without a reader is refused instead of waited for. */
static gboolean
open_file (FeedbackFile *file, GError **error)
{
  const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  gboolean made = FALSE;

  file->fd = open (file->path, flags);
  if (file->fd < 0 && errno == ENOENT)
    {
      file->fd = open (file->path, flags | O_CREAT | O_EXCL, 0640);
      made = file->fd >= 0;
      if (file->fd < 0 && errno == EEXIST) /* another server was faster */
        file->fd = open (file->path, flags);
    }
  if (file->fd < 0)
    return fr_error_errno (error, errno, "open", file->path);
  if (check_regular (file, error) && (!made || !file->sync || sync_directory (file->path, error)))
    return TRUE;
  close (file->fd);
  file->fd = -1;
  return FALSE;
}

/* Somebody may have renamed or removed the file: then the next line begins a new one. */
static gboolean
open_again (FeedbackFile *file, GError **error)
{
  struct stat ours, there;

  if (file->fd >= 0 && fstat (file->fd, &ours) == 0 && stat (file->path, &there) == 0
      && ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
    return TRUE;
  if (file->fd >= 0)
    close (file->fd);
  file->fd = -1;
  return open_file (file, error);
}

/* ---- the end of the file -------------------------------------------------------------------- */

static gboolean
read_at (FeedbackFile *file, char *to, gsize len, gint64 from, GError **error)
{
  for (gsize done = 0; done < len;)
    {
      gssize n = pread (file->fd, to + done, len - done, (off_t) from + (off_t) done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fr_error_errno (error, errno, "read", file->path);
      if (n == 0)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s became shorter while it was read",
                       file->path);
          return FALSE;
        }
      done += (gsize) n;
    }
  return TRUE;
}

/* What stands behind the last LF; NULL with the error set. */
static GString *
read_rest (FeedbackFile *file, gint64 size, GError **error)
{
  g_autoptr (GString) rest = g_string_new (NULL);
  char part[16384];

  for (gint64 at = size; at > 0;)
    {
      gsize n = (gsize) MIN (at, (gint64) sizeof part);
      const char *lf;

      at -= (gint64) n;
      if (!read_at (file, part, n, at, error))
        return NULL;
      lf = memrchr (part, '\n', n);
      g_string_prepend_len (rest, lf != NULL ? lf + 1 : part,
                            lf != NULL ? part + n - (lf + 1) : (gssize) n);
      if (lf != NULL)
        break;
      if (rest->len > LONGEST_LINE)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "%s has no end of line in its last %" G_GSIZE_FORMAT
                       " bytes: it is no file of ratings",
                       file->path, rest->len);
          return NULL;
        }
    }
  return g_steal_pointer (&rest);
}

static gboolean
is_object (const GString *text)
{
  g_autoptr (JsonNode) node = fr_json_parse (text->str, (gssize) text->len, 0, NULL);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node);
}

static gboolean
cut (FeedbackFile *file, gint64 size, GError **error)
{
  while (ftruncate (file->fd, (off_t) size) != 0)
    if (errno != EINTR)
      return fr_error_errno (error, errno, "cut a half line off", file->path);
  return TRUE;
}

/* With both locks held.  A whole object without its LF (an editor's) gets it; a half one goes. */
static gboolean
mend (FeedbackFile *file, gint64 *size, char **done, GError **error)
{
  g_autoptr (GString) rest = NULL;
  struct stat st;

  if (fstat (file->fd, &st) != 0)
    return fr_error_errno (error, errno, "look at", file->path);
  *size = st.st_size;
  if (*size == 0)
    return TRUE;
  rest = read_rest (file, *size, error);
  if (rest == NULL)
    return FALSE;
  if (rest->len == 0)
    return TRUE;
  if (is_object (rest))
    {
      if (write (file->fd, "\n", 1) != 1)
        return fr_error_errno (error, errno, "end the last line of", file->path);
      *size += 1;
      *done = g_strdup_printf ("%s did not end in a line feed; it got one", file->path);
      return TRUE;
    }
  *done = g_strdup_printf (
      "%s ended in half a line, which was acknowledged to nobody; its %" G_GSIZE_FORMAT
      " bytes were cut off",
      file->path, rest->len);
  *size -= (gint64) rest->len;
  return cut (file, *size, error);
}

/* The lock of the file; file systems without locks do without. */
static void
lock_file (FeedbackFile *file, gboolean lock)
{
  while (flock (file->fd, lock ? LOCK_EX : LOCK_UN) != 0 && errno == EINTR)
    ;
}

FeedbackFile *
feedback_file_open (const char *path, gboolean sync, guint64 max_size, GError **error)
{
  g_autoptr (FeedbackFile) file = g_new0 (FeedbackFile, 1);
  gboolean ok;
  gint64 size;

  g_mutex_init (&file->lock);
  file->path = g_strdup (path);
  file->sync = sync;
  file->max_size = max_size;
  file->fd = -1;
  if (!open_file (file, error))
    return NULL;
  lock_file (file, TRUE);
  ok = mend (file, &size, &file->mended, error);
  lock_file (file, FALSE);
  return ok ? g_steal_pointer (&file) : NULL;
}

void
feedback_file_free (FeedbackFile *file)
{
  if (file == NULL)
    return;
  if (file->fd >= 0)
    close (file->fd);
  g_free (file->path);
  g_free (file->mended);
  g_mutex_clear (&file->lock);
  g_free (file);
}

const char *
feedback_file_mended (const FeedbackFile *file)
{
  return file->mended;
}

/* ---- a line -----------------------------------------------------------------------------------
 */

/* write(2) whose SIGXFSZ (a limit on the size of files, as of LimitFSIZE=) is an error like others.
 */
static gssize
write_quietly (int fd, const char *data, gsize len)
{
  const struct timespec now = { 0, 0 };
  sigset_t set, old, pending;
  gboolean was_pending;
  gssize n;
  int saved;

  sigemptyset (&set);
  sigaddset (&set, SIGXFSZ);
  sigpending (&pending);
  was_pending = sigismember (&pending, SIGXFSZ) == 1;
  pthread_sigmask (SIG_BLOCK, &set, &old);
  n = write (fd, data, len);
  saved = errno;
  if (n < 0 && saved == EFBIG && !was_pending)
    while (sigtimedwait (&set, NULL, &now) < 0 && errno == EINTR)
      ;
  pthread_sigmask (SIG_SETMASK, &old, NULL);
  errno = saved;
  return n;
}

/* As a rule one write; what a disk takes in pieces goes on until it takes no more. */
static gboolean
write_all (FeedbackFile *file, const char *line, gsize len)
{
  while (len > 0)
    {
      gssize n = write_quietly (file->fd, line, len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          errno = n == 0 ? ENOSPC : errno;
          return FALSE;
        }
      line += n;
      len -= (gsize) n;
    }
  while (file->sync && fdatasync (file->fd) != 0)
    if (errno != EINTR)
      return FALSE;
  return TRUE;
}

static FeedbackWritten
append_locked (FeedbackFile *file, const char *line, gsize len, GError **error)
{
  g_autofree char *mended = NULL;
  gint64 size;
  int saved;

  if (!mend (file, &size, &mended, error))
    return FEEDBACK_FAILED;
  if ((guint64) size + len > file->max_size)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "%s would grow beyond feedback_max_file; rename it, and a new one begins",
                   file->path);
      return FEEDBACK_FULL;
    }
  if (write_all (file, line, len))
    return FEEDBACK_WRITTEN;
  saved = errno;
  cut (file, size, NULL); /* if even that fails, the next line's mend() does it */
  fr_error_errno (error, saved, "write", file->path);
  return saved == ENOSPC || saved == EDQUOT || saved == EFBIG ? FEEDBACK_FULL : FEEDBACK_FAILED;
}

FeedbackWritten
feedback_file_append (FeedbackFile *file, const char *line, gsize len, GError **error)
{
  FeedbackWritten written = FEEDBACK_FAILED;

  g_mutex_lock (&file->lock);
  if (open_again (file, error))
    {
      lock_file (file, TRUE);
      written = append_locked (file, line, len, error);
      lock_file (file, FALSE);
    }
  g_mutex_unlock (&file->lock);
  return written;
}
