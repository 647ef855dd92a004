/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h: finding and opening plugins (internal).
 *
 * An element "kind.name" is looked for in every directory of the search path:
 * first in a file called kind-name.so, then, if no directory has one, in every
 * file, each described by a child process so that a bad plugin cannot hurt
 * this one.  Only the plugin that has the element is opened here, with
 * immediate and local binding, and never closed.  Nothing is cached on disk.
 */
#ifndef FLOWRUN_REGISTRY_H
#define FLOWRUN_REGISTRY_H

#include <flowrun/element.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _FriRegistry FriRegistry;

/** fri_registry_new: @paths: directories in search order (explicit ones, FLOWRUN_PLUGIN_PATH, user,
 * installed are put together by fri_registry_default_paths()). */
FriRegistry *fri_registry_new (const char *const *paths);
FriRegistry *fri_registry_ref (FriRegistry *registry);
/** fri_registry_free: gives back one reference; elements added from memory live as long as the
 * registry. */
void fri_registry_free (FriRegistry *registry);

/**
 * fri_registry_default_paths: @extra (may be NULL: `--plugin-path` and the
 * pipeline's plugin_path), then FLOWRUN_PLUGIN_PATH (colon-separated), then
 * $XDG_DATA_HOME/flowrun/plugins, then the installed directory; free with g_strfreev().
 */
char **fri_registry_default_paths (const char *const *extra);

/**
 * fri_registry_find: the element called @name.  NULL with FR_ERROR_LOAD that
 * tells every directory tried, near names, and the loader's message for a file
 * that did not open.
 */
const FrElement *fri_registry_find (FriRegistry *registry, const char *name,
                                    const FrPlugin **plugin, const char **file, GError **error);

/**
 * fri_registry_service: see fr_service_find(), on the path of @registry.
 */
const FrService *fri_registry_service (FriRegistry *registry, const char *kind, guint version,
                                       const char *name, GError **error);

/** fri_registry_services: see fr_service_list(); plugins that are not called KIND-*.so are not
 * looked into. */
GPtrArray *fri_registry_services (FriRegistry *registry, const char *kind);

/** fri_registry_add: a plugin that is already in memory (tests). */
gboolean fri_registry_add (FriRegistry *registry, const FrPlugin *plugin, GError **error);

/** fri_plugin_open: opens, checks and copies (sized structures) the plugin at @path. */
const FrPlugin *fri_plugin_open (const char *path, GError **error);

/**
 * fri_registry_list: every plugin file on the path, described by child
 * processes (`flowrun --describe-plugin FILE` prints fri_plugin_json()).
 * An array node; a file that did not load is an object with "file" and "error".
 */
JsonNode *fri_registry_list (FriRegistry *registry, GError **error);
JsonNode *fri_plugin_json (const FrPlugin *plugin, const char *file);

/** fri_kind_name: "source", "transform", ...; NULL for no kind. */
const char *fri_kind_name (FrKind kind);

/** fri_registry_names: names of all elements on the path (child processes), for did-you-mean;
 * g_strfreev(). */
char **fri_registry_names (FriRegistry *registry);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FriRegistry, fri_registry_free)

G_END_DECLS

#endif
