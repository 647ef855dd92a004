/* SPDX-License-Identifier: Apache-2.0 */
/* walk.c: walk.h with readdir, lstat and realpath. */
#include "config.h"

#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <flowrun/error.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_DEPTH 256

typedef struct
{
  dev_t dev;
  ino_t ino;
} Place;

typedef struct
{
  const WalkOptions *options;
  GCancellable *cancellable;
  Walked *out;
  GHashTable *entered; /* Place of directories */
  GHashTable *labels;  /* shown names of roots so far */
  GPatternSpec **include, **exclude;
  char *root;        /* the folder, all links resolved */
  GPtrArray *links;  /* WalkFile: links to files within the folder, looked at last */
  GHashTable *taken; /* Place of the files met without links */
} Walk;

static guint
place_hash (gconstpointer p)
{
  const Place *place = p;

  return (guint) (place->ino * 2654435761u ^ place->dev);
}

static gboolean
place_equal (gconstpointer a, gconstpointer b)
{
  const Place *x = a, *y = b;

  return x->dev == y->dev && x->ino == y->ino;
}

static void
file_free (gpointer data)
{
  WalkFile *file = data;

  g_free (file->path);
  g_free (file->shown);
  g_free (file->reason);
  g_free (file);
}

void
walked_free (Walked *walked)
{
  if (walked == NULL)
    return;
  g_ptr_array_unref (walked->files);
  g_free (walked);
}

/* ---- patterns ------------------------------------------------------------------- */

static GPatternSpec **
compile (const char *const *patterns)
{
  guint n = patterns ? g_strv_length ((char **) patterns) : 0;
  GPatternSpec **out = g_new0 (GPatternSpec *, n + 1);

  for (guint i = 0; i < n; i++)
    out[i] = g_pattern_spec_new (patterns[i]);
  return out;
}

static void
patterns_free (GPatternSpec **patterns)
{
  for (GPatternSpec **p = patterns; *p; p++)
    g_pattern_spec_free (*p);
  g_free (patterns);
}

static gboolean
matches (GPatternSpec *const *patterns, const char *below)
{
  const char *slash = strrchr (below, '/');

  for (; *patterns; patterns++)
    if (g_pattern_spec_match_string (*patterns, below)
        || g_pattern_spec_match_string (*patterns, slash ? slash + 1 : below))
      return TRUE;
  return FALSE;
}

static gboolean
is_wanted (Walk *w, const char *below)
{
  if ((*w->include == NULL || matches (w->include, below)) && !matches (w->exclude, below))
    return TRUE;
  w->out->n_excluded++;
  return FALSE;
}

/* ---- adding --------------------------------------------------------------------- */

/* Names are bytes; what is shown is UTF-8. */
static char *
utf8 (const char *name)
{
  return g_utf8_validate (name, -1, NULL) ? g_strdup (name) : g_utf8_make_valid (name, -1);
}

static WalkFile *
add (GPtrArray *to, const char *path, const char *shown)
{
  WalkFile *file = g_new0 (WalkFile, 1);

  file->path = g_strdup (path);
  file->shown = utf8 (shown);
  g_ptr_array_add (to, file);
  return file;
}

static void
refuse (Walk *w, const char *path, const char *shown, const char *rule, char *reason)
{
  WalkFile *file = add (w->out->files, path, shown);

  file->rule = rule;
  file->reason = reason;
}

/* ---- folders -------------------------------------------------------------------- */

static gboolean
is_within (const char *root, const char *path)
{
  gsize n = strlen (root);

  return strncmp (root, path, n) == 0
         && (path[n] == '/' || path[n] == '\0' || strcmp (root, "/") == 0);
}

/* A part of @path below @root is hidden: what is there is not met by walking. */
static gboolean
is_hidden_below (const char *root, const char *path)
{
  return strstr (path + strlen (root), "/.") != NULL;
}

static int
by_bytes (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static GPtrArray *
names_in (const char *path, int *errnum)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  GDir *dir;
  const char *name;

  errno = 0;
  dir = g_dir_open (path, 0, NULL);
  *errnum = dir ? 0 : errno ? errno : EACCES;
  while (dir && (name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  if (dir)
    g_dir_close (dir);
  g_ptr_array_sort (names, by_bytes);
  return names;
}

static gboolean walk_dir (Walk *w, const char *path, const char *shown, const char *below,
                          guint depth, GError **error);

static gboolean
take (Walk *w, const char *path, const char *shown, const char *below, const struct stat *st,
      guint depth, GError **error)
{
  Place place = { st->st_dev, st->st_ino };

  if (S_ISDIR (st->st_mode))
    return !w->options->recursive || walk_dir (w, path, shown, below, depth + 1, error);
  if (!is_wanted (w, below))
    return TRUE;
  if (!S_ISREG (st->st_mode))
    refuse (w, path, shown, "not_a_file", g_strdup ("it is a pipe, a socket or a device"));
  else if (g_hash_table_add (w->taken, g_memdup2 (&place, sizeof place)))
    add (w->out->files, path, shown);
  else
    w->out->n_links++;
  return TRUE;
}

static gboolean
take_link (Walk *w, const char *path, const char *shown, const char *below, guint depth,
           GError **error)
{
  g_autofree char *target = realpath (path, NULL);
  struct stat st;

  if (target == NULL || stat (path, &st) != 0)
    {
      gboolean loop = errno == ELOOP;

      if (is_wanted (w, below))
        refuse (w, path, shown, "dangling_link",
                g_strdup (loop ? "the link leads to itself" : "the link leads nowhere"));
      return TRUE;
    }
  if (is_within (w->root, target))
    {
      if (S_ISREG (st.st_mode) && is_wanted (w, below))
        add (w->links, path, shown);
      else if (S_ISDIR (st.st_mode) && !w->options->hidden && is_hidden_below (w->root, target))
        return take (w, path, shown, below, &st, depth, error);
      else
        w->out->n_links++;
      return TRUE;
    }
  if (w->options->follow)
    return take (w, path, shown, below, &st, depth, error);
  if (S_ISDIR (st.st_mode) || is_wanted (w, below))
    refuse (w, path, shown, "leaves_folder",
            g_strdup ("the link leads out of the folder; set 'follow_links' to read it"));
  return TRUE;
}

static gboolean
walk_dir (Walk *w, const char *path, const char *shown, const char *below, guint depth,
          GError **error)
{
  g_autoptr (GPtrArray) names = NULL;
  struct stat st;
  Place place;
  int errnum;

  if (g_cancellable_is_cancelled (w->cancellable))
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CANCELLED, "the run was cancelled");
      return FALSE;
    }
  if (depth > MAX_DEPTH)
    {
      refuse (w, path, shown, "too_deep", g_strdup ("folders go more than 256 deep"));
      return TRUE;
    }
  if (stat (path, &st) == 0)
    {
      place = (Place){ st.st_dev, st.st_ino };
      if (g_hash_table_contains (w->entered, &place))
        {
          w->out->n_links++;
          return TRUE;
        }
      g_hash_table_add (w->entered, g_memdup2 (&place, sizeof place));
    }
  names = names_in (path, &errnum);
  if (errnum)
    {
      refuse (w, path, shown, "unreadable",
              g_strdup_printf ("the folder cannot be read: %s", g_strerror (errnum)));
      return TRUE;
    }
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = names->pdata[i];
      g_autofree char *full = g_build_filename (path, name, NULL);
      g_autofree char *show = g_strconcat (shown, "/", name, NULL);
      g_autofree char *under = *below ? g_strconcat (below, "/", name, NULL) : g_strdup (name);

      if (*name == '.' && !w->options->hidden)
        {
          w->out->n_hidden++;
          continue;
        }
      if (lstat (full, &st) != 0)
        {
          refuse (w, full, show, "unreadable", g_strdup (g_strerror (errno)));
          continue;
        }
      if (S_ISLNK (st.st_mode) ? !take_link (w, full, show, under, depth, error)
                               : !take (w, full, show, under, &st, depth, error))
        return FALSE;
    }
  return TRUE;
}

static int
by_shown (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(WalkFile *const *) a)->shown, (*(WalkFile *const *) b)->shown);
}

/* Links whose targets were not met: those in hidden or excluded places. */
static void
settle_links (Walk *w)
{
  for (guint i = 0; i < w->links->len; i++)
    {
      WalkFile *link = w->links->pdata[i];
      struct stat st;
      Place place;

      if (stat (link->path, &st) != 0)
        continue;
      place = (Place){ st.st_dev, st.st_ino };
      if (!g_hash_table_add (w->taken, g_memdup2 (&place, sizeof place)))
        {
          w->out->n_links++;
          continue;
        }
      add (w->out->files, link->path, link->shown);
    }
  g_ptr_array_set_size (w->links, 0);
}

/* ---- what was named --------------------------------------------------------------- */

/* A name for a root that no other has: "docs", then "docs~2". */
static char *
label (Walk *w, const char *path)
{
  g_autofree char *name = g_path_get_basename (path);
  char *out = g_strdup (name);

  if (strcmp (out, "/") == 0 || strcmp (out, ".") == 0)
    {
      g_free (out);
      out = g_strdup ("");
    }
  for (guint i = 2; g_hash_table_contains (w->labels, out); i++)
    {
      g_free (out);
      out = g_strdup_printf ("%s~%u", name, i);
    }
  g_hash_table_add (w->labels, g_strdup (out));
  return out;
}

static gboolean
walk_root (Walk *w, const char *path, GError **error)
{
  g_autofree char *shown = NULL;
  struct stat st;
  guint from = w->out->files->len;
  gboolean ok = TRUE;

  if (stat (path, &st) != 0)
    return fr_error_errno (error, errno, "open", path);
  shown = label (w, path);
  if (!S_ISDIR (st.st_mode))
    {
      /* A file that is named is read, whatever the patterns say. */
      Place place = { st.st_dev, st.st_ino };

      if (!S_ISREG (st.st_mode))
        refuse (w, path, shown, "not_a_file", g_strdup ("it is a pipe, a socket or a device"));
      else if (g_hash_table_add (w->taken, g_memdup2 (&place, sizeof place)))
        add (w->out->files, path, shown);
      else
        w->out->n_links++;
      return TRUE;
    }
  free (w->root);
  w->root = realpath (path, NULL);
  if (w->root == NULL)
    return fr_error_errno (error, errno, "open", path);
  ok = walk_dir (w, path, shown, "", 0, error);
  settle_links (w);
  /* Links stand where their names sort. */
  if (w->out->files->len > from)
    qsort (w->out->files->pdata + from, w->out->files->len - from, sizeof (gpointer), by_shown);
  return ok;
}

static gboolean
walk_glob (Walk *w, const char *pattern, GError **error)
{
  glob_t g;
  gboolean ok = TRUE;

  if (glob (pattern, GLOB_NOSORT, NULL, &g) != 0 || g.gl_pathc == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "no file matches '%s'; check the path and the pattern", pattern);
      return FALSE;
    }
  qsort (g.gl_pathv, g.gl_pathc, sizeof (char *), by_bytes);
  for (gsize i = 0; ok && i < g.gl_pathc; i++)
    ok = walk_root (w, g.gl_pathv[i], error);
  globfree (&g);
  return ok;
}

static gboolean
is_glob (const char *path)
{
  return strpbrk (path, "*?[") != NULL && access (path, F_OK) != 0;
}

Walked *
walk_paths (const char *const *paths, const WalkOptions *options, GCancellable *cancellable,
            GError **error)
{
  Walk w = { .options = options, .cancellable = cancellable };
  gboolean ok = TRUE;

  w.out = g_new0 (Walked, 1);
  w.out->files = g_ptr_array_new_with_free_func (file_free);
  w.links = g_ptr_array_new_with_free_func (file_free);
  w.entered = g_hash_table_new_full (place_hash, place_equal, g_free, NULL);
  w.taken = g_hash_table_new_full (place_hash, place_equal, g_free, NULL);
  w.labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  w.include = compile (options->include);
  w.exclude = compile (options->exclude);
  for (; ok && *paths; paths++)
    ok = is_glob (*paths) ? walk_glob (&w, *paths, error) : walk_root (&w, *paths, error);
  g_hash_table_unref (w.entered);
  g_hash_table_unref (w.taken);
  g_hash_table_unref (w.labels);
  g_ptr_array_unref (w.links);
  patterns_free (w.include);
  patterns_free (w.exclude);
  free (w.root);
  if (ok)
    return w.out;
  walked_free (w.out);
  return NULL;
}

gboolean
walk_check (const char *const *paths, guint *which, GError **error)
{
  for (*which = 0; paths[*which]; ++*which)
    {
      const char *path = paths[*which];
      glob_t g;
      int rc;

      if (!is_glob (path))
        {
          if (access (path, R_OK) != 0)
            return fr_error_errno (error, errno, "open", path);
          continue;
        }
      rc = glob (path, GLOB_NOSORT, NULL, &g);
      if (rc == 0)
        globfree (&g);
      else
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                       "no file matches '%s'; check the path and the pattern", path);
          return FALSE;
        }
    }
  return TRUE;
}

char *
walk_hash (const char *path)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guchar *piece = g_malloc (65536);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  gssize n;

  if (fd < 0)
    return g_strdup (g_strerror (errno));
  while ((n = read (fd, piece, 65536)) > 0)
    g_checksum_update (sum, piece, n);
  close (fd);
  return g_strdup (n < 0 ? "unreadable" : g_checksum_get_string (sum));
}
