/* SPDX-License-Identifier: Apache-2.0 */
/* rundir.c: the run directory as a place: lock, temporary files, and the
 * moment when results are put in place.
 *
 * Putting results in place is a handful of renames.  A marker file spans them,
 * so that a run killed in between is known to have been, and nothing is
 * reused on the word of a manifest that may no longer fit the files.
 */
#include "config.h"

#include "run/rundir-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define MARKER "committing"

static gboolean
lock_dir (FriRunDir *run, GError **error)
{
  g_autofree char *path = g_build_filename (run->dir, "lock", NULL);
  char text[32] = "";
  int n;

  run->lock = g_open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (run->lock < 0)
    return fr_error_errno (error, errno, "open", path);
  if (flock (run->lock, LOCK_EX | LOCK_NB) < 0)
    {
      int errnum = errno;

      if (errnum != EWOULDBLOCK)
        return fr_error_errno (error, errnum, "lock", path);
      n = (int) pread (run->lock, text, sizeof text - 1, 0);
      text[MAX (n, 0)] = '\0';
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "another run (process %s) is using the run directory '%s'; wait for it, or "
                   "choose another directory",
                   g_strchomp (text), run->dir);
      return FALSE;
    }
  n = g_snprintf (text, sizeof text, "%d\n", (int) getpid ());
  if (ftruncate (run->lock, 0) < 0 || pwrite (run->lock, text, (gsize) n, 0) < 0)
    return fr_error_errno (error, errno, "write", path);
  return TRUE;
}

/* With the lock held, any tmp-PID is a dead run's. */
static void
clear_dead (FriRunDir *run)
{
  g_auto (GStrv) names = fri_list_dir (run->dir);

  for (char **n = names; *n != NULL; n++)
    if (g_str_has_prefix (*n, "tmp-") || g_str_has_suffix (*n, ".tmp"))
      {
        g_autofree char *path = g_build_filename (run->dir, *n, NULL);

        fri_remove_tree (path);
      }
}

static gboolean
make_private (FriRunDir *run, GError **error)
{
  g_autofree char *template = g_build_filename (g_get_tmp_dir (), "flowrun-XXXXXX", NULL);

  run->ephemeral = TRUE;
  if (g_mkdtemp (template) == NULL)
    return fr_error_errno (error, errno, "make a directory in", g_get_tmp_dir ());
  run->dir = g_steal_pointer (&template);
  return TRUE;
}

FriRunDir *
fri_rundir_open (const char *dir, GError **error)
{
  FriRunDir *run = g_new0 (FriRunDir, 1);
  g_autofree char *name = g_strdup_printf ("tmp-%d", (int) getpid ());
  g_autofree char *marker = NULL;

  run->lock = -1;
  if (dir == NULL ? !make_private (run, error) : !fri_mkdir (dir, error))
    goto failed;
  if (dir != NULL)
    run->dir = g_canonicalize_filename (dir, NULL);
  if (!lock_dir (run, error))
    goto failed;
  clear_dead (run);
  run->tmp = g_build_filename (run->dir, name, NULL);
  if (!fri_mkdir (run->tmp, error))
    goto failed;
  marker = g_build_filename (run->dir, MARKER, NULL);
  run->interrupted = g_file_test (marker, G_FILE_TEST_EXISTS);
  return run;

failed:
  fri_rundir_close (run);
  return NULL;
}

void
fri_rundir_close (FriRunDir *run)
{
  if (run == NULL)
    return;
  if (run->tmp != NULL)
    fri_remove_tree (run->tmp);
  if (run->ephemeral && run->dir != NULL)
    fri_remove_tree (run->dir);
  if (run->lock >= 0)
    close (run->lock);
  g_free (run->tmp);
  g_free (run->dir);
  g_free (run);
}

char *
fri_rundir_stage (FriRunDir *run, const char *stage, GError **error)
{
  g_autofree char *path = g_build_filename (run->tmp, "stages", stage, NULL);

  return fri_mkdir (path, error) ? g_steal_pointer (&path) : NULL;
}

gboolean
fri_rundir_begin_commit (FriRunDir *run, GError **error)
{
  g_autofree char *marker = g_build_filename (run->dir, MARKER, NULL);

  return fri_file_replace (marker, "", 0, error);
}

gboolean
fri_rundir_end_commit (FriRunDir *run, GError **error)
{
  g_autofree char *marker = g_build_filename (run->dir, MARKER, NULL);

  if (g_unlink (marker) < 0)
    return fr_error_errno (error, errno, "remove", marker);
  return fri_sync_dir (run->dir, error);
}

/* "clean.out" belongs to stage clean; ids have no dots. */
static gboolean
belongs (const char *file, char **stages)
{
  for (; *stages != NULL; stages++)
    {
      gsize n = strlen (*stages);

      if (strncmp (file, *stages, n) == 0 && file[n] == '.')
        return TRUE;
    }
  return FALSE;
}

static void
clear_stages (const char *dir, char **stages, char **known)
{
  g_auto (GStrv) names = fri_list_dir (dir);

  for (char **n = names; *n != NULL; n++)
    if (belongs (*n, stages) || !belongs (*n, known))
      {
        g_autofree char *path = g_build_filename (dir, *n, NULL);

        fri_remove_tree (path);
      }
}

/* Where a file of a stage's folder goes in the end; NULL: nowhere. */
static char *
final_name (FriRunDir *run, const char *stage, const char *file)
{
  g_autofree char *name = NULL;

  if (strcmp (file, "rejects.jsonl") == 0)
    {
      name = g_strconcat (stage, ".jsonl", NULL);
      return g_build_filename (run->dir, "rejects", name, NULL);
    }
  name = g_strconcat (stage, ".", file, NULL);
  if (g_str_has_suffix (file, ".ids"))
    name[strlen (name) - 4] = '\0';
  else if (strcmp (file, "origins.jsonl") == 0)
    name[strlen (name) - 6] = '\0';
  else if (strcmp (file, "reasons.jsonl") != 0)
    return NULL;
  return g_build_filename (run->dir, "lineage", name, NULL);
}

static gboolean
install_stage (FriRunDir *run, const char *stage, GError **error)
{
  g_autofree char *dir = g_build_filename (run->tmp, "stages", stage, NULL);
  g_auto (GStrv) names = fri_list_dir (dir);

  for (char **n = names; *n != NULL; n++)
    {
      g_autofree char *from = g_build_filename (dir, *n, NULL);
      g_autofree char *to = final_name (run, stage, *n);

      if (to == NULL)
        continue;
      g_autofree char *parent = g_path_get_dirname (to);
      if (!fri_mkdir (parent, error))
        return FALSE;
      if (g_rename (from, to) < 0)
        return fr_error_errno (error, errno, "write", to);
    }
  return TRUE;
}

gboolean
fri_rundir_install (FriRunDir *run, char **stages, char **known, GError **error)
{
  g_autofree char *rejects = g_build_filename (run->dir, "rejects", NULL);
  g_autofree char *lineage = g_build_filename (run->dir, "lineage", NULL);

  clear_stages (rejects, stages, known);
  clear_stages (lineage, stages, known);
  for (char **s = stages; *s != NULL; s++)
    if (!install_stage (run, *s, error))
      return FALSE;
  (void) g_rmdir (rejects); /* stays when there is something in it */
  return TRUE;
}

gboolean
fri_rundir_recover (FriRunDir *run, const char *stage, GError **error)
{
  g_autofree char *to = fri_rundir_stage (run, stage, error);
  g_autofree char *rejects = g_strdup_printf ("%s/rejects/%s.jsonl", run->dir, stage);
  g_autofree char *lineage = g_build_filename (run->dir, "lineage", NULL);
  g_auto (GStrv) names = fri_list_dir (lineage);
  g_autofree char *prefix = g_strconcat (stage, ".", NULL);

  if (to == NULL)
    return FALSE;
  if (g_file_test (rejects, G_FILE_TEST_EXISTS))
    {
      g_autofree char *path = g_build_filename (to, "rejects.jsonl", NULL);

      if (!fri_link_file (rejects, path, error))
        return FALSE;
    }
  for (char **n = names; *n != NULL; n++)
    if (g_str_has_prefix (*n, prefix))
      {
        const char *rest = *n + strlen (prefix);
        gboolean plain = strcmp (rest, "reasons.jsonl") == 0;
        gboolean origins = strcmp (rest, "origins") == 0;
        g_autofree char *from = g_build_filename (lineage, *n, NULL);
        g_autofree char *path = g_strconcat (to, "/", rest,
                                             plain     ? ""
                                             : origins ? ".jsonl"
                                                       : ".ids",
                                             NULL);

        if (!fri_link_file (from, path, error))
          return FALSE;
      }
  return TRUE;
}
