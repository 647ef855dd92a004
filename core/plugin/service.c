/* SPDX-License-Identifier: Apache-2.0 */
/* service.c: finding what plugins offer to other plugins (service.h).
 *
 * Services of a kind lie in KIND-*.so, all of which are opened, since only the
 * services themselves can tell how well they serve here.  Where two on the path have
 * one name, the first counts, as it does for elements.  A file that does not
 * open (a library of a vendor is not installed) leaves the others as they are,
 * and is told when none of them will do.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "param/param-private.h"
#include "plugin/plugin-private.h"

typedef struct
{
  const FrService *service;
  int score;
  const char *why; /* or NULL */
} Found;

/* A registry is filled by whoever asks first, and elements ask from several threads. */
G_LOCK_DEFINE_STATIC (finding);

static int
rate (const FrService *service, const char **why)
{
  *why = NULL;
  return service->score != NULL ? MAX (service->score (why), 0) : 1;
}

static gboolean
has_name (const GPtrArray *services, const char *name)
{
  for (guint i = 0; i < services->len; i++)
    if (strcmp (((const FrService *) services->pdata[i])->name, name) == 0)
      return TRUE;
  return FALSE;
}

static void
add_services (const FrPlugin *plugin, const char *kind, GPtrArray *services)
{
  for (guint i = 0; plugin->services[i] != NULL; i++)
    if (strcmp (plugin->services[i]->kind, kind) == 0
        && !has_name (services, plugin->services[i]->name))
      g_ptr_array_add (services, (gpointer) plugin->services[i]);
}

static void
open_file (FriRegistry *registry, const char *file, const char *kind, GPtrArray *services,
           GString *failed)
{
  g_autoptr (GError) error = NULL;
  const FrPlugin *plugin = fri_registry_open (registry, file, &error);

  if (plugin != NULL)
    add_services (plugin, kind, services);
  else
    g_string_append_printf (failed, "\n%s", error->message);
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* KIND-*.so of every directory. */
static guint
open_by_kind (FriRegistry *registry, const char *kind, GPtrArray *services, GString *failed)
{
  g_autofree char *prefix = g_strconcat (kind, "-", NULL);
  guint n = 0;

  for (const char *const *path = fri_registry_paths (registry); *path != NULL; path++)
    {
      g_autoptr (GDir) dir = g_dir_open (*path, 0, NULL);
      g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
      const char *name;

      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        if (g_str_has_prefix (name, prefix) && g_str_has_suffix (name, ".so"))
          g_ptr_array_add (files, g_build_filename (*path, name, NULL));
      g_ptr_array_sort (files, by_name);
      for (guint i = 0; i < files->len; i++, n++)
        open_file (registry, files->pdata[i], kind, services, failed);
    }
  return n;
}

/* Every file, described by child processes first: only one that has such a service is opened. */
static void
open_listed (FriRegistry *registry, const char *kind, GPtrArray *services, GString *failed)
{
  g_autoptr (JsonNode) list = fri_registry_list (registry, NULL);
  JsonArray *plugins = json_node_get_array (list);

  for (guint p = 0; p < json_array_get_length (plugins); p++)
    {
      JsonObject *plugin = json_array_get_object_element (plugins, p);
      JsonArray *offered = json_object_has_member (plugin, "services")
                               ? json_object_get_array_member (plugin, "services")
                               : NULL;
      const char *file = json_object_get_string_member_with_default (plugin, "file", NULL);
      gboolean has = FALSE;

      for (guint i = 0; offered != NULL && i < json_array_get_length (offered); i++)
        has |= strcmp (json_object_get_string_member (json_array_get_object_element (offered, i),
                                                      "kind"),
                       kind)
               == 0;
      if (has && file != NULL)
        open_file (registry, file, kind, services, failed);
    }
}

/* All services of @kind, the first of each name on the path. */
static GPtrArray *
collect (FriRegistry *registry, const char *kind, gboolean everywhere, GString *failed)
{
  GPtrArray *services = g_ptr_array_new ();
  const FrPlugin *plugin;
  guint n;

  G_LOCK (finding);
  n = open_by_kind (registry, kind, services, failed);
  for (guint i = 0; (plugin = fri_registry_plugin (registry, i)) != NULL; i++)
    add_services (plugin, kind, services);
  if (n == 0 && services->len == 0 && everywhere)
    open_listed (registry, kind, services, failed);
  G_UNLOCK (finding);
  return services;
}

static int
best_first (gconstpointer a, gconstpointer b)
{
  const Found *x = a, *y = b;

  if (x->score != y->score)
    return x->score > y->score ? -1 : 1;
  return strcmp (x->service->name, y->service->name);
}

static GArray *
rank (const GPtrArray *services)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (Found));

  for (guint i = 0; i < services->len; i++)
    {
      Found one = { .service = services->pdata[i] };

      one.score = rate (one.service, &one.why);
      g_array_append_val (found, one);
    }
  g_array_sort (found, best_first);
  return found;
}

static gboolean
serves (const Found *found, guint version, const char *name)
{
  return found->service->version == version && found->score > 0
         && (name == NULL || strcmp (found->service->name, name) == 0);
}

static void
not_found (FriRegistry *registry, const char *kind, guint version, const char *name,
           const GArray *found, const GString *failed, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *places = g_strjoinv (", ", (char **) fri_registry_paths (registry));

  if (name != NULL)
    g_string_append_printf (text, "no service '%s' of kind '%s' will do", name, kind);
  else
    g_string_append_printf (text, "no service of kind '%s' will do", kind);
  g_string_append_printf (text, "; looked in %s", *places ? places : "an empty plugin path");
  for (guint i = 0; i < found->len; i++)
    {
      const Found *f = &g_array_index (found, Found, i);

      g_string_append_printf (text, "\n'%s': ", f->service->name);
      if (f->service->version != version)
        g_string_append_printf (text,
                                "it is of version %u and version %u is asked for: build both "
                                "plugins together",
                                f->service->version, version);
      else if (f->score == 0)
        g_string_append_printf (text, "it cannot serve here (%s)",
                                f->why != NULL ? f->why : "it does not say why");
      else
        g_string_append (text, "it is there");
    }
  g_set_error (error, FR_ERROR, FR_ERROR_LOAD, "%s%s", text->str, failed->str);
}

const FrService *
fri_registry_service (FriRegistry *registry, const char *kind, guint version, const char *name,
                      GError **error)
{
  g_autoptr (GString) failed = g_string_new (NULL);
  g_autoptr (GPtrArray) services = collect (registry, kind, TRUE, failed);
  g_autoptr (GArray) found = rank (services);

  for (guint i = 0; i < found->len; i++)
    if (serves (&g_array_index (found, Found, i), version, name))
      return g_array_index (found, Found, i).service;
  not_found (registry, kind, version, name, found, failed, error);
  return NULL;
}

static GPtrArray *
list_of (FriRegistry *registry, const char *kind, gboolean everywhere)
{
  g_autoptr (GString) failed = g_string_new (NULL);
  g_autoptr (GPtrArray) services = collect (registry, kind, everywhere, failed);
  g_autoptr (GArray) found = rank (services);
  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; i < found->len; i++)
    g_ptr_array_add (list, (gpointer) g_array_index (found, Found, i).service);
  return list;
}

GPtrArray *
fri_registry_services (FriRegistry *registry, const char *kind)
{
  return list_of (registry, kind, FALSE);
}

/* ---- outside of a pipeline -------------------------------------------------------- */

static FriRegistry *
default_registry (void)
{
  g_auto (GStrv) paths = fri_registry_default_paths (NULL);

  return fri_registry_new ((const char *const *) paths);
}

const FrService *
fr_service_find (const char *kind, guint version, const char *name, GError **error)
{
  g_autoptr (FriRegistry) registry = default_registry ();

  return fri_registry_service (registry, kind, version, name, error);
}

GPtrArray *
fr_service_list (const char *kind)
{
  g_autoptr (FriRegistry) registry = default_registry ();

  return list_of (registry, kind, TRUE);
}

JsonObject *
fri_service_json (const FrService *service)
{
  JsonObject *object = json_object_new ();
  const char *why;
  int score = rate (service, &why);

  json_object_set_string_member (object, "kind", service->kind);
  json_object_set_string_member (object, "name", service->name);
  json_object_set_int_member (object, "version", service->version);
  json_object_set_string_member (object, "summary", service->summary);
  json_object_set_int_member (object, "score", score);
  if (why != NULL)
    json_object_set_string_member (object, "why", why);
  return object;
}
