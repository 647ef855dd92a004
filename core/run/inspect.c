/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: a run directory in one JSON object, for `flowrun inspect`. */
#include "config.h"

#include "run/rundir-private.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void
copy (JsonObject *to, JsonObject *from, const char *name)
{
  if (from != NULL && json_object_has_member (from, name))
    json_object_set_member (to, name, json_object_dup_member (from, name));
}

static guint64
tree_bytes (const char *path)
{
  struct stat st;
  guint64 total = 0;

  if (lstat (path, &st) < 0)
    return 0;
  if (!S_ISDIR (st.st_mode))
    return (guint64) st.st_size;
  g_auto (GStrv) names = fri_list_dir (path);
  for (char **n = names; *n != NULL; n++)
    {
      g_autofree char *below = g_build_filename (path, *n, NULL);

      total += tree_bytes (below);
    }
  return total;
}

static JsonArray *
stages_json (JsonObject *manifest, JsonObject *report)
{
  static const char *const from_manifest[]
      = { "element",  "plugin_version", "fingerprint", "rows_in",
          "rows_out", "objects_in",     "objects_out", "outputs" };
  static const char *const from_report[]
      = { "rejects", "rejects_by_rule", "counters", "limits_passed", "warnings" };
  JsonArray *array = json_array_new ();
  JsonObject *stages = fri_json_member (manifest, "stages");
  g_autoptr (GList) ids = stages != NULL ? json_object_get_members (stages) : NULL;

  for (GList *i = ids; i != NULL; i = i->next)
    {
      JsonObject *stage = fri_json_member (stages, i->data), *o = json_object_new ();
      JsonObject *told = fri_json_member (fri_json_member (report, "stages"), i->data);
      JsonObject *run
          = fri_json_member (fri_json_member (fri_json_member (report, "run"), "stages"), i->data);

      json_object_set_string_member (o, "id", i->data);
      for (guint k = 0; k < G_N_ELEMENTS (from_manifest); k++)
        copy (o, stage, from_manifest[k]);
      for (guint k = 0; k < G_N_ELEMENTS (from_report); k++)
        copy (o, told, from_report[k]);
      copy (o, run, "state");
      copy (o, run, "working");
      json_array_add_object_element (array, o);
    }
  return array;
}

/* Name and size of everything in DIR/@name. */
static JsonArray *
listing (const char *dir, const char *name)
{
  JsonArray *array = json_array_new ();
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_auto (GStrv) names = fri_list_dir (path);

  for (char **n = names; *n != NULL; n++)
    {
      JsonObject *o = json_object_new ();
      g_autofree char *below = g_build_filename (path, *n, NULL);
      g_autofree char *shown = g_build_filename (name, *n, NULL);

      json_object_set_string_member (o, "path", shown);
      json_object_set_int_member (o, "bytes", (gint64) tree_bytes (below));
      json_array_add_object_element (array, o);
    }
  return array;
}

static gboolean
is_locked (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "lock", NULL);
  int fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  gboolean locked;

  if (fd < 0)
    return FALSE;
  locked = flock (fd, LOCK_SH | LOCK_NB) < 0;
  close (fd);
  return locked;
}

JsonNode *
fri_rundir_inspect (const char *run_dir, GError **error)
{
  g_autofree char *lock = g_build_filename (run_dir, "lock", NULL);
  g_autofree char *manifest_path = g_build_filename (run_dir, "manifest.json", NULL);
  g_autofree char *report_path = g_build_filename (run_dir, "report.json", NULL);
  g_autoptr (JsonObject) manifest = fri_json_load (manifest_path, NULL);
  g_autoptr (JsonObject) report = fri_json_load (report_path, NULL);
  g_autoptr (JsonObject) o = json_object_new ();
  JsonObject *pipeline = fri_json_member (manifest, "pipeline");

  if (manifest == NULL && !g_file_test (lock, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "'%s' is no run directory", run_dir);
      return NULL;
    }
  json_object_set_string_member (o, "kind", "run");
  json_object_set_string_member (o, "directory", run_dir);
  json_object_set_boolean_member (o, "under_way", is_locked (run_dir));
  json_object_set_boolean_member (o, "finished", manifest != NULL);
  copy (o, manifest, "flowrun");
  copy (o, manifest, "status");
  copy (o, manifest, "seed");
  if (pipeline != NULL)
    {
      json_object_set_member (o, "pipeline", json_object_dup_member (pipeline, "name"));
      copy (o, pipeline, "path");
    }
  copy (o, manifest, "run");
  json_object_set_array_member (o, "stages", stages_json (manifest, report));
  json_object_set_array_member (o, "rejects", listing (run_dir, "rejects"));
  json_object_set_array_member (o, "kept", listing (run_dir, "kept"));
  return json_node_init_object (json_node_alloc (), o);
}
