/* SPDX-License-Identifier: Apache-2.0 */
/* files.c: hashing, replacing, linking and removing files of a run.
 *
 * Hashes are XXH3-128 (https://xxhash.com, specification of XXH3): they tell
 * changed from unchanged, they do not protect against forgery.
 */
#include "config.h"

#include "run/rundir-private.h"

#include <errno.h>
#include <fcntl.h>
#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

/* Small enough to stay in the cache between reading and hashing. */
#define HASH_BLOCK (64 * 1024)

static char *
hex (XXH128_hash_t h)
{
  XXH128_canonical_t c;
  GString *s = g_string_sized_new (32);

  XXH128_canonicalFromHash (&c, h);
  for (guint i = 0; i < sizeof c.digest; i++)
    g_string_append_printf (s, "%02x", c.digest[i]);
  return g_string_free (s, FALSE);
}

char *
fri_hash_text (const char *text, gsize len)
{
  return hex (XXH3_128bits (text, len));
}

static gboolean
hash_fd (int fd, const char *path, XXH3_state_t *state, guint64 *size, GError **error)
{
  g_autofree char *block = g_malloc (HASH_BLOCK);

  for (;;)
    {
      gssize n = read (fd, block, HASH_BLOCK);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fr_error_errno (error, errno, "read", path);
      if (n == 0)
        return TRUE;
      XXH3_128bits_update (state, block, (gsize) n);
      *size += (guint64) n;
    }
}

static gboolean hash_into (const char *path, XXH3_state_t *state, guint64 *size, guint depth,
                           GError **error);

/* What lies in a directory is not all for reading: a link may lead out of it or
 * back into it, opening a pipe waits for ever, and a file may be closed to us,
 * which whoever reads the directory tells better.  Of these what they are
 * counts, not what they hold. */
static gboolean
hash_entry (const char *path, XXH3_state_t *state, guint64 *size, guint depth, GError **error)
{
  struct stat st, target;
  char what[32];

  if (lstat (path, &st) < 0)
    return fr_error_errno (error, errno, "open", path);
  if (S_ISDIR (st.st_mode))
    return hash_into (path, state, size, depth, error);
  if (S_ISREG (st.st_mode) && access (path, R_OK) == 0)
    return hash_into (path, state, size, depth, error);
  if (S_ISLNK (st.st_mode))
    {
      char to[4096];
      gssize n;

      if (stat (path, &target) == 0 && S_ISREG (target.st_mode) && access (path, R_OK) == 0)
        return hash_into (path, state, size, depth, error);
      n = readlink (path, to, sizeof to);
      XXH3_128bits_update (state, to, n > 0 ? (gsize) n : 0);
    }
  g_snprintf (what, sizeof what, "mode %o", (guint) (st.st_mode & S_IFMT));
  XXH3_128bits_update (state, what, strlen (what) + 1);
  return TRUE;
}

static gboolean
hash_into (const char *path, XXH3_state_t *state, guint64 *size, guint depth, GError **error)
{
  gboolean ok;
  struct stat st;
  int fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);

  if (fd < 0 || fstat (fd, &st) < 0)
    {
      int errnum = errno;

      if (fd >= 0)
        close (fd);
      return fr_error_errno (error, errnum, "open", path);
    }
  if (!S_ISDIR (st.st_mode))
    {
      ok = hash_fd (fd, path, state, size, error);
      close (fd);
      return ok;
    }
  close (fd);
  if (depth > 64)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot hash '%s': directories go too deep", path);
      return FALSE;
    }
  ok = TRUE;
  g_auto (GStrv) names = fri_list_dir (path);
  for (char **n = names; ok && *n != NULL; n++)
    {
      g_autofree char *below = g_build_filename (path, *n, NULL);

      XXH3_128bits_update (state, *n, strlen (*n) + 1);
      ok = hash_entry (below, state, size, depth + 1, error);
    }
  return ok;
}

char *
fri_hash_tree (const char *path, guint64 *size, GError **error)
{
  XXH3_state_t *state = XXH3_createState ();
  g_autofree char *digits = NULL;
  guint64 total = 0;

  XXH3_128bits_reset (state);
  if (hash_into (path, state, &total, 0, error))
    digits = hex (XXH3_128bits_digest (state));
  XXH3_freeState (state);
  if (size != NULL)
    *size = total;
  return digits != NULL ? g_strconcat ("xxh3:", digits, NULL) : NULL;
}

char *
fri_hash_file (const char *path, GError **error)
{
  return fri_hash_tree (path, NULL, error);
}

gboolean
fri_mkdir (const char *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0777) < 0)
    return fr_error_errno (error, errno, "make the directory", path);
  return TRUE;
}

static gint
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

char **
fri_list_dir (const char *path)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, by_name);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

void
fri_remove_tree (const char *path)
{
  struct stat st;

  if (lstat (path, &st) < 0)
    return;
  if (S_ISDIR (st.st_mode))
    {
      g_auto (GStrv) names = fri_list_dir (path);

      for (char **n = names; *n != NULL; n++)
        {
          g_autofree char *below = g_build_filename (path, *n, NULL);

          fri_remove_tree (below);
        }
      (void) rmdir (path);
    }
  else
    (void) unlink (path);
}

/* A hard link costs nothing; file systems without them get a copy. */
gboolean
fri_link_file (const char *from, const char *to, GError **error)
{
  g_autoptr (GFile) a = NULL;
  g_autoptr (GFile) b = NULL;

  if (link (from, to) == 0)
    return TRUE;
  if (errno == ENOENT)
    return fr_error_errno (error, errno, "link", from);
  a = g_file_new_for_path (from);
  b = g_file_new_for_path (to);
  return g_file_copy (a, b, G_FILE_COPY_OVERWRITE, NULL, NULL, NULL, error);
}

static gboolean
has_suffix (const char *name, const char *const *suffixes)
{
  for (; suffixes != NULL && *suffixes != NULL; suffixes++)
    if (g_str_has_suffix (name, *suffixes))
      return TRUE;
  return FALSE;
}

gboolean
fri_link_tree (const char *from, const char *to, const char *const *except, GError **error)
{
  g_auto (GStrv) names = fri_list_dir (from);

  if (!fri_mkdir (to, error))
    return FALSE;
  for (char **n = names; *n != NULL; n++)
    {
      g_autofree char *a = g_build_filename (from, *n, NULL);
      g_autofree char *b = g_build_filename (to, *n, NULL);

      if (has_suffix (*n, except))
        continue;
      if (g_file_test (a, G_FILE_TEST_IS_DIR) ? !fri_link_tree (a, b, except, error)
                                              : !fri_link_file (a, b, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
fri_sync_dir (const char *path, GError **error)
{
  int fd = g_open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

  /* Some file systems refuse to sync a directory: nothing is lost by that but
   * durability over a power cut. */
  if (fd < 0)
    return fr_error_errno (error, errno, "open", path);
  (void) fsync (fd);
  close (fd);
  return TRUE;
}

static gboolean
write_all (int fd, const char *data, gsize len)
{
  while (len > 0)
    {
      gssize n = write (fd, data, len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      data += n;
      len -= (gsize) n;
    }
  return TRUE;
}

static gboolean
replace (const char *path, const char *data, gsize len, gboolean sync, GError **error)
{
  g_autofree char *dir = g_path_get_dirname (path);
  g_autofree char *temporary = g_strdup_printf ("%s.%d.tmp", path, (int) getpid ());
  int fd = g_open (temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  int errnum = 0;

  if (fd < 0)
    return fr_error_errno (error, errno, "write", path);
  if (!write_all (fd, data, len) || (sync && fsync (fd) < 0))
    errnum = errno;
  if (close (fd) < 0 && errnum == 0)
    errnum = errno;
  if (errnum == 0 && g_rename (temporary, path) < 0)
    errnum = errno;
  if (errnum != 0)
    {
      (void) unlink (temporary);
      return fr_error_errno (error, errnum, "write", path);
    }
  return !sync || fri_sync_dir (dir, error);
}

gboolean
fri_file_replace (const char *path, const char *data, gssize len, GError **error)
{
  return replace (path, data, len < 0 ? strlen (data) : (gsize) len, TRUE, error);
}

JsonObject *
fri_json_load (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) node = NULL;
  gsize len;

  if (!g_file_get_contents (path, &text, &len, error))
    return NULL;
  node = fr_json_parse (text, (gssize) len, 0, error);
  if (node == NULL)
    {
      g_prefix_error (error, "%s: ", path);
      return NULL;
    }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s: a JSON object was expected", path);
      return NULL;
    }
  return json_node_dup_object (node);
}

gboolean
fri_json_save (const char *path, JsonNode *node, gboolean sync, GError **error)
{
  g_autofree char *text = fr_json_to_string (node, 2);
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  return replace (path, line, strlen (line), sync, error);
}

JsonObject *
fri_json_member (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}
