/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c: which element is in which file, and opening that file.
 *
 * Opened plugins stay for the life of the process (unloading code that made
 * thread-local data or registered anything is never safe), so they are kept in
 * one table for all registries.
 */
#include "config.h"

#include <gmodule.h>
#include <stdlib.h>
#include <string.h>

#include "param/param-private.h"
#include "plugin/plugin-private.h"

typedef struct
{
  const FrPlugin *plugin;
  char *file; /* NULL: added from memory */
} Known;

struct _FriRegistry
{
  gatomicrefcount refs;
  char **paths;
  GPtrArray *known;  /* Known * */
  GPtrArray *copies; /* FrPlugin * that this registry owns */
  JsonNode *list;    /* made when first asked for */
  gboolean failures_told;
};

static void
known_free (gpointer data)
{
  Known *known = data;

  g_free (known->file);
  g_free (known);
}

FriRegistry *
fri_registry_new (const char *const *paths)
{
  FriRegistry *registry = g_new0 (FriRegistry, 1);

  g_atomic_ref_count_init (&registry->refs);
  registry->paths = paths ? g_strdupv ((char **) paths) : g_new0 (char *, 1);
  registry->known = g_ptr_array_new_with_free_func (known_free);
  registry->copies = g_ptr_array_new_with_free_func ((GDestroyNotify) fri_plugin_free);
  return registry;
}

FriRegistry *
fri_registry_ref (FriRegistry *registry)
{
  g_atomic_ref_count_inc (&registry->refs);
  return registry;
}

void
fri_registry_free (FriRegistry *registry)
{
  if (registry == NULL || !g_atomic_ref_count_dec (&registry->refs))
    return;
  g_strfreev (registry->paths);
  g_ptr_array_unref (registry->known);
  g_ptr_array_unref (registry->copies);
  g_clear_pointer (&registry->list, json_node_unref);
  g_free (registry);
}

char **
fri_registry_default_paths (const char *const *extra)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();
  const char *said = g_getenv ("FLOWRUN_PLUGIN_PATH");

  for (; extra != NULL && *extra != NULL; extra++)
    g_ptr_array_add (paths, g_strdup (*extra));
  if (said != NULL)
    {
      g_auto (GStrv) parts = g_strsplit (said, ":", -1);

      for (char **part = parts; *part != NULL; part++)
        if (**part != '\0')
          g_ptr_array_add (paths, g_strdup (*part));
    }
  g_ptr_array_add (paths, g_build_filename (g_get_user_data_dir (), "flowrun", "plugins", NULL));
  g_ptr_array_add (paths, g_strdup (FR_PLUGINDIR));
  g_ptr_array_add (paths, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&paths), FALSE);
}

/* ---- opening --------------------------------------------------------------------- */

G_LOCK_DEFINE_STATIC (opened);
static GHashTable *opened; /* absolute path → FrPlugin * */

static FrPlugin *
open_module (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  GModule *module;
  gpointer symbol = NULL;
  const FrPlugin *raw;

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD, "there is no such file");
      return NULL;
    }
  /* Without LAZY every symbol is looked up now: a missing one is an error
   * that names it here, not a crash in the middle of a run. */
  module = g_module_open_full (path, G_MODULE_BIND_LOCAL, &local);
  if (module == NULL)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_LOAD, local->message);
      return NULL;
    }
  g_module_make_resident (module);
  if (!g_module_symbol (module, FR_PLUGIN_SYMBOL, &symbol) || symbol == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD,
                   "it is no flowrun plugin: it does not export '%s' (see FR_PLUGIN in "
                   "<flowrun/element.h>)",
                   FR_PLUGIN_SYMBOL);
      return NULL;
    }
  raw = ((FrPluginFunc) symbol) ();
  if (raw == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_LOAD, "its '%s' returns NULL", FR_PLUGIN_SYMBOL);
      return NULL;
    }
  return fri_plugin_copy (raw, error);
}

const FrPlugin *
fri_plugin_open (const char *path, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  FrPlugin *plugin;

  G_LOCK (opened);
  if (opened == NULL)
    opened = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  plugin = g_hash_table_lookup (opened, absolute);
  if (plugin == NULL)
    {
      plugin = open_module (absolute, error);
      if (plugin != NULL && !fri_plugin_check (plugin, error))
        g_clear_pointer (&plugin, fri_plugin_free);
      if (plugin != NULL)
        g_hash_table_insert (opened, g_steal_pointer (&absolute), plugin);
    }
  G_UNLOCK (opened);
  if (plugin == NULL)
    g_prefix_error (error, "cannot load the plugin '%s': ", path);
  return plugin;
}

static void
add_known (FriRegistry *registry, const FrPlugin *plugin, const char *file)
{
  Known *known = g_new0 (Known, 1);

  known->plugin = plugin;
  known->file = g_strdup (file);
  g_ptr_array_add (registry->known, known);
}

gboolean
fri_registry_add (FriRegistry *registry, const FrPlugin *plugin, GError **error)
{
  FrPlugin *copy = fri_plugin_copy (plugin, error);

  if (copy == NULL)
    return FALSE;
  if (!fri_plugin_check (copy, error))
    {
      fri_plugin_free (copy);
      return FALSE;
    }
  g_ptr_array_add (registry->copies, copy);
  add_known (registry, copy, NULL);
  g_clear_pointer (&registry->list, json_node_unref);
  return TRUE;
}

/* ---- listing ----------------------------------------------------------------------- */

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Plugin files of one directory, sorted.  Shared libraries that plugins link
 * may lie beside them; those are called lib*. */
static void
add_files (const char *dir, GPtrArray *files)
{
  g_autoptr (GDir) d = g_dir_open (dir, 0, NULL);
  guint first = files->len;
  const char *name;

  while (d != NULL && (name = g_dir_read_name (d)) != NULL)
    if (g_str_has_suffix (name, ".so") && !g_str_has_prefix (name, "lib"))
      g_ptr_array_add (files, g_build_filename (dir, name, NULL));
  if (files->len > first)
    qsort (files->pdata + first, files->len - first, sizeof (gpointer), by_name);
}

JsonNode *
fri_registry_list (FriRegistry *registry, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GPtrArray) files = NULL;
  JsonArray *array;

  if (registry->list != NULL)
    return json_node_ref (registry->list);
  files = g_ptr_array_new_with_free_func (g_free);
  for (char **path = registry->paths; *path != NULL; path++)
    {
      gboolean seen = FALSE;

      for (char **before = registry->paths; before < path; before++)
        seen |= strcmp (*before, *path) == 0;
      if (!seen)
        add_files (*path, files);
    }
  array = fri_describe_files ((const char *const *) files->pdata, files->len);
  for (guint i = 0; i < registry->known->len; i++)
    {
      const Known *known = registry->known->pdata[i];

      if (known->file == NULL)
        json_array_add_element (array, fri_plugin_json (known->plugin, NULL));
    }
  registry->list = fri_node_array (array);
  return json_node_ref (registry->list);
}

/* Calls @each for every element in the list until it returns FALSE. */
static void
each_listed (FriRegistry *registry,
             gboolean (*each) (const char *name, const char *file, gpointer data), gpointer data)
{
  g_autoptr (JsonNode) list = fri_registry_list (registry, NULL);
  JsonArray *plugins = json_node_get_array (list);

  for (guint i = 0; i < json_array_get_length (plugins); i++)
    {
      JsonObject *plugin = json_array_get_object_element (plugins, i);
      const char *file = json_object_get_string_member_with_default (plugin, "file", NULL);
      JsonArray *elements;

      if (!json_object_has_member (plugin, "elements"))
        continue;
      elements = json_object_get_array_member (plugin, "elements");
      for (guint k = 0; k < json_array_get_length (elements); k++)
        if (!each (
                json_object_get_string_member (json_array_get_object_element (elements, k), "name"),
                file, data))
          return;
    }
}

static gboolean
collect_name (const char *name, G_GNUC_UNUSED const char *file, gpointer data)
{
  GPtrArray *names = data;

  if (!g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
    g_ptr_array_add (names, g_strdup (name));
  return TRUE;
}

char **
fri_registry_names (FriRegistry *registry)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  each_listed (registry, collect_name, names);
  if (names->len > 0)
    g_ptr_array_sort (names, by_name);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

/* ---- finding ------------------------------------------------------------------------ */

static const FrElement *
element_of (const FrPlugin *plugin, const char *name)
{
  for (guint i = 0; plugin->elements[i] != NULL; i++)
    if (strcmp (plugin->elements[i]->name, name) == 0)
      return plugin->elements[i];
  return NULL;
}

static const FrElement *
find_known (FriRegistry *registry, const char *name, const FrPlugin **plugin, const char **file)
{
  for (guint i = 0; i < registry->known->len; i++)
    {
      const Known *known = registry->known->pdata[i];
      const FrElement *element = element_of (known->plugin, name);

      if (element == NULL)
        continue;
      if (plugin != NULL)
        *plugin = known->plugin;
      if (file != NULL)
        *file = known->file;
      return element;
    }
  return NULL;
}

static gboolean
is_known (FriRegistry *registry, const char *file)
{
  for (guint i = 0; i < registry->known->len; i++)
    if (g_strcmp0 (((Known *) registry->known->pdata[i])->file, file) == 0)
      return TRUE;
  return FALSE;
}

/* Opens kind-name.so of every directory until one has the element.  A file
 * that is there but does not load ends the search: another plugin further down
 * the path must not silently stand in for it. */
static gboolean
open_by_name (FriRegistry *registry, const char *name, GError **error)
{
  g_autofree char *base = g_strconcat (name, ".so", NULL);

  *strchr (base, '.') = '-';
  for (char **path = registry->paths; *path != NULL; path++)
    {
      g_autofree char *file = g_build_filename (*path, base, NULL);
      const FrPlugin *plugin;

      if (!g_file_test (file, G_FILE_TEST_EXISTS) || is_known (registry, file))
        continue;
      plugin = fri_plugin_open (file, error);
      if (plugin == NULL)
        return FALSE;
      add_known (registry, plugin, file);
      if (element_of (plugin, name) != NULL)
        return TRUE;
    }
  return TRUE;
}

typedef struct
{
  const char *name;
  char *file;
} Wanted;

static gboolean
is_wanted (const char *name, const char *file, gpointer data)
{
  Wanted *wanted = data;

  if (file == NULL || strcmp (name, wanted->name) != 0)
    return TRUE;
  wanted->file = g_strdup (file);
  return FALSE;
}

static void
not_found (FriRegistry *registry, const char *name, GError **error)
{
  g_auto (GStrv) names = fri_registry_names (registry);
  g_autofree char *places = g_strjoinv (", ", registry->paths);
  g_autoptr (GString) failed = g_string_new (NULL);
  JsonArray *plugins = json_node_get_array (registry->list);
  const char *near = fr_suggest (name, (const char *const *) names);

  /* Files that did not load might hold it; once is enough for a pipeline that names several. */
  for (guint i = 0; !registry->failures_told && i < json_array_get_length (plugins); i++)
    {
      JsonObject *plugin = json_array_get_object_element (plugins, i);

      if (json_object_has_member (plugin, "error"))
        g_string_append_printf (failed, "\nnot loaded: %s: %s",
                                json_object_get_string_member (plugin, "file"),
                                json_object_get_string_member (plugin, "error"));
    }
  registry->failures_told = TRUE;
  if (near != NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_LOAD,
                 "there is no element '%s' in %s; did you mean '%s'?%s", name,
                 *places ? places : "an empty plugin path", near, failed->str);
  else
    g_set_error (error, FR_ERROR, FR_ERROR_LOAD,
                 "there is no element '%s' in %s; 'flowrun list' shows what is installed%s", name,
                 *places ? places : "an empty plugin path", failed->str);
}

static gboolean
is_element_name (const char *name)
{
  const char *dot = strchr (name, '.');

  if (dot == NULL || dot == name || dot[1] == '\0')
    return FALSE;
  for (const char *p = name; *p != '\0'; p++)
    if (!g_ascii_islower (*p) && !g_ascii_isdigit (*p) && *p != '_' && p != dot)
      return FALSE;
  return TRUE;
}

const FrElement *
fri_registry_find (FriRegistry *registry, const char *name, const FrPlugin **plugin,
                   const char **file, GError **error)
{
  const FrElement *element = find_known (registry, name, plugin, file);
  Wanted wanted = { name, NULL };
  const FrPlugin *found;

  if (element != NULL)
    return element;
  /* The name becomes part of a path only when it can be one of an element. */
  if (is_element_name (name))
    {
      if (!open_by_name (registry, name, error))
        return NULL;
      element = find_known (registry, name, plugin, file);
      if (element != NULL)
        return element;
      each_listed (registry, is_wanted, &wanted);
    }
  if (wanted.file == NULL)
    {
      not_found (registry, name, error);
      return NULL;
    }
  found = fri_registry_open (registry, wanted.file, error);
  g_free (wanted.file);
  if (found == NULL)
    return NULL;
  element = find_known (registry, name, plugin, file);
  if (element == NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_LOAD,
                 "the plugin that listed '%s' does not have it any more; start again", name);
  return element;
}

/* ---- for service.c --------------------------------------------------------------------- */

const char *const *
fri_registry_paths (FriRegistry *registry)
{
  return (const char *const *) registry->paths;
}

const FrPlugin *
fri_registry_plugin (FriRegistry *registry, guint i)
{
  return i < registry->known->len ? ((Known *) registry->known->pdata[i])->plugin : NULL;
}

const FrPlugin *
fri_registry_open (FriRegistry *registry, const char *file, GError **error)
{
  const FrPlugin *plugin = fri_plugin_open (file, error);

  if (plugin != NULL && !is_known (registry, file))
    add_known (registry, plugin, file);
  return plugin;
}

/* ---- as JSON ------------------------------------------------------------------------ */

JsonNode *
fri_plugin_json (const FrPlugin *plugin, const char *file)
{
  JsonObject *object = json_object_new ();
  JsonArray *elements = json_array_new ();
  g_autoptr (JsonArray) services = json_array_new ();

  if (file != NULL)
    json_object_set_string_member (object, "file", file);
  json_object_set_string_member (object, "name", plugin->name);
  json_object_set_string_member (object, "version", plugin->version);
  json_object_set_string_member (object, "summary", plugin->summary);
  json_object_set_string_member (object, "licence", plugin->licence);
  if (plugin->origin != NULL)
    json_object_set_string_member (object, "origin", plugin->origin);
  for (guint i = 0; plugin->elements[i] != NULL; i++)
    json_array_add_element (elements, fri_element_json (plugin->elements[i]));
  json_object_set_array_member (object, "elements", elements);
  for (guint i = 0; plugin->services[i] != NULL; i++)
    json_array_add_object_element (services, fri_service_json (plugin->services[i]));
  if (json_array_get_length (services) > 0)
    json_object_set_array_member (object, "services", json_array_ref (services));
  return fri_node_object (object);
}
