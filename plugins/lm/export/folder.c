/* SPDX-License-Identifier: Apache-2.0 */
/* folder.c: a directory that has its name only when it is whole.
 *
 * Files go into a fresh directory beside the final one; everything is synced,
 * then it is renamed.  Where the name is taken by an earlier export the two are
 * exchanged in one step (renameat2), so that a reader sees the old one or the
 * new one.  A directory of somebody else's is never touched.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <flowrun/json.h>

#include "lm/export.h"
#include "lm/export/export-private.h"

/* In a README.md: the directory may be replaced by a later run. */
#define MARK "<!-- Made by %s of flowrun; the next run replaces this directory. -->"

struct _LmFolder
{
  char *element;
  char *path;
  char *fresh;
  gboolean committed;
};

char *
lm_folder_mark (const char *element)
{
  return g_strdup_printf (MARK, element);
}

static gboolean
is_empty (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);

  return dir != NULL && g_dir_read_name (dir) == NULL;
}

static gboolean
is_ours (const char *path, const char *element)
{
  g_autofree char *readme = g_build_filename (path, "README.md", NULL), *text = NULL;
  g_autofree char *mark = lm_folder_mark (element);

  return g_file_get_contents (readme, &text, NULL, NULL) && strstr (text, mark) != NULL;
}

gboolean
lm_folder_check (const char *path, const char *element, GError **error)
{
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  if (g_file_test (path, G_FILE_TEST_IS_DIR) && (is_empty (path) || is_ours (path, element)))
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "%s is there and was not made by this sink, so it is not replaced; move it away or "
               "name another directory",
               path);
  return FALSE;
}

static void
remove_tree (const char *path)
{
  GDir *dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *below = g_build_filename (path, name, NULL);

      remove_tree (below);
    }
  if (dir != NULL)
    g_dir_close (dir);
  remove (path);
}

gboolean
lm_folder_bind (FrBind *bind, const char *path, const char *element)
{
  g_autoptr (GError) error = NULL;

  if (lm_folder_check (path, element, &error))
    return TRUE;
  fr_bind_problem (bind, "/path", "%s", error->message);
  return FALSE;
}

LmFolder *
lm_folder_new (const char *path, const char *element, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (path), *base = g_path_get_basename (path);
  g_autofree char *hidden = g_strdup_printf (".%s.part", base);
  g_autoptr (LmFolder) folder = g_new0 (LmFolder, 1);

  folder->element = g_strdup (element);
  folder->path = g_strdup (path);
  folder->fresh = g_build_filename (parent, hidden, NULL);
  if (!lm_folder_check (path, element, error))
    {
      folder->committed = TRUE; /* nothing to remove */
      return NULL;
    }
  remove_tree (folder->fresh); /* what a killed run left */
  if (g_mkdir_with_parents (folder->fresh, 0777) < 0)
    {
      fr_error_errno (error, errno, "make the directory", folder->fresh);
      return NULL;
    }
  return g_steal_pointer (&folder);
}

void
lm_folder_free (LmFolder *folder)
{
  if (folder == NULL)
    return;
  if (!folder->committed)
    remove_tree (folder->fresh);
  g_free (folder->fresh);
  g_free (folder->path);
  g_free (folder->element);
  g_free (folder);
}

const char *
lm_folder_dir (const LmFolder *folder)
{
  return folder->fresh;
}

gboolean
lm_folder_write (LmFolder *folder, const char *name, const char *text, gssize len, GError **error)
{
  g_autofree char *path = g_build_filename (folder->fresh, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_autoptr (GError) local = NULL;

  if (g_mkdir_with_parents (parent, 0777) < 0)
    return fr_error_errno (error, errno, "make the directory", parent);
  if (g_file_set_contents_full (path, text, len, G_FILE_SET_CONTENTS_NONE, 0666, &local))
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s", local->message);
  return FALSE;
}

gboolean
lm_folder_copy (LmFolder *folder, const char *name, const char *from, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  gsize len;

  if (g_file_get_contents (from, &text, &len, &local))
    return lm_folder_write (folder, name, text, (gssize) len, error);
  g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s", local->message);
  return FALSE;
}

/* As Python's json.dumps (indent=2) has it: a number that is a float stays one
 * ("10000.0"), for transformers minds. */
static void
append_node (GString *out, JsonNode *node, guint indent)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;
  gsize start = out->len, n = 0;
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      g_string_append_c (out, '{');
      json_object_iter_init_ordered (&iter, json_node_get_object (node));
      while (json_object_iter_next_ordered (&iter, &key, &value))
        {
          g_string_append_printf (out, "%s\n%*s", n++ > 0 ? "," : "", (int) indent + 2, "");
          fr_json_append_string (out, key, strlen (key));
          g_string_append (out, ": ");
          append_node (out, value, indent + 2);
        }
    }
  else if (array != NULL)
    {
      g_string_append_c (out, '[');
      for (; n < json_array_get_length (array); n++)
        {
          g_string_append_printf (out, "%s\n%*s", n > 0 ? "," : "", (int) indent + 2, "");
          append_node (out, json_array_get_element (array, (guint) n), indent + 2);
        }
    }
  else if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_DOUBLE)
    {
      fr_json_append_double (out, json_node_get_double (node));
      if (strpbrk (out->str + start, ".en") == NULL)
        g_string_append (out, ".0");
    }
  else
    {
      g_autofree char *text = fr_json_to_string (node, 0);

      g_string_append (out, text);
    }
  if (n > 0)
    g_string_append_printf (out, "\n%*s", (int) indent, "");
  if (JSON_NODE_HOLDS_OBJECT (node) || array != NULL)
    g_string_append_c (out, array != NULL ? ']' : '}');
}

gboolean
lm_folder_write_json (LmFolder *folder, const char *name, JsonObject *object, GError **error)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);
  g_autoptr (GString) text = g_string_new (NULL);

  append_node (text, node, 0);
  g_string_append_c (text, '\n');
  return lm_folder_write (folder, name, text->str, (gssize) text->len, error);
}

static gboolean
sync_one (const char *path, GError **error)
{
  int fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  int failed = fd < 0 || fsync (fd) < 0 ? errno : 0;

  if (fd >= 0)
    close (fd);
  /* Some file systems cannot sync a directory, and need not. */
  return failed == 0 || failed == EINVAL || failed == ENOTSUP
             ? TRUE
             : fr_error_errno (error, failed, "sync", path);
}

static gboolean
sync_all (const char *path, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *below = g_build_filename (path, name, NULL);

      if (!(g_file_test (below, G_FILE_TEST_IS_DIR) ? sync_all (below, error)
                                                    : sync_one (below, error)))
        return FALSE;
    }
  return sync_one (path, error);
}

/* Puts the fresh directory where an old one is; afterwards @fresh is the old one. */
static gboolean
exchange (const LmFolder *folder, GError **error)
{
  g_autofree char *aside = NULL;

  if (renameat2 (AT_FDCWD, folder->fresh, AT_FDCWD, folder->path, RENAME_EXCHANGE) == 0)
    return TRUE;
  if (errno != ENOSYS && errno != EINVAL)
    return fr_error_errno (error, errno, "replace", folder->path);
  aside = g_strconcat (folder->fresh, ".old", NULL);
  remove_tree (aside);
  if (g_rename (folder->path, aside) < 0)
    return fr_error_errno (error, errno, "replace", folder->path);
  if (g_rename (folder->fresh, folder->path) < 0)
    {
      int errnum = errno;

      g_rename (aside, folder->path);
      return fr_error_errno (error, errnum, "replace", folder->path);
    }
  return g_rename (aside, folder->fresh) == 0
             ? TRUE
             : fr_error_errno (error, errno, "rename to", folder->fresh);
}

gboolean
lm_folder_commit (LmFolder *folder, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (folder->path);
  gboolean replaces = g_file_test (folder->path, G_FILE_TEST_EXISTS);

  if (!sync_all (folder->fresh, error) || !lm_folder_check (folder->path, folder->element, error))
    return FALSE;
  if (replaces && !exchange (folder, error))
    return FALSE;
  if (!replaces && g_rename (folder->fresh, folder->path) < 0)
    return fr_error_errno (error, errno, "rename to", folder->path);
  if (replaces)
    remove_tree (folder->fresh);
  folder->committed = TRUE;
  return sync_one (parent, error);
}

static void
add_names (const char *dir, const char *prefix, GPtrArray *names)
{
  g_autoptr (GDir) d = g_dir_open (dir, 0, NULL);
  const char *name;

  while (d != NULL && (name = g_dir_read_name (d)) != NULL)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);
      g_autofree char *relative = g_strconcat (prefix, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        {
          g_autofree char *below = g_strconcat (relative, "/", NULL);

          add_names (path, below, names);
        }
      else
        g_ptr_array_add (names, g_steal_pointer (&relative));
    }
}

static gint
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

char **
lm_folder_names (const LmFolder *folder)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  add_names (folder->committed ? folder->path : folder->fresh, "", names);
  g_ptr_array_sort (names, by_name);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

gboolean
lm_folder_finish (LmFolder *folder, FrHost *host, const char *path, guint *n_files, GError **error)
{
  g_auto (GStrv) names = NULL;

  if (!lm_folder_commit (folder, error))
    return FALSE;
  names = lm_folder_names (folder);
  for (char **name = names; *name != NULL; name++)
    {
      g_autofree char *file = g_build_filename (path, *name, NULL);

      fr_host_committed (host, file);
    }
  *n_files = g_strv_length (names);
  return TRUE;
}
