/* SPDX-License-Identifier: Apache-2.0 */
/* plugin-private.h: copying and checking what a plugin says of itself (internal). */
#ifndef FLOWRUN_PLUGIN_PRIVATE_H
#define FLOWRUN_PLUGIN_PRIVATE_H

#include <flowrun/element.h>
#include <flowrun/error.h>

#include "plugin/registry.h"

G_BEGIN_DECLS

/**
 * fri_plugin_copy: a copy of @raw in the structures of this flowrun, whatever
 * (compatible) version it was built for; its lists are never NULL.  Texts, constants and callbacks
 * stay the plugin's.  NULL with FR_ERROR_LOAD when the version does not fit or a structure is too
 * short to mean anything.
 */
FrPlugin *fri_plugin_copy (const FrPlugin *raw, GError **error);
void fri_plugin_free (FrPlugin *plugin);

/** fri_plugin_check: whether the description keeps its promises; FALSE with FR_ERROR_LOAD. */
gboolean fri_plugin_check (const FrPlugin *plugin, GError **error);

/**
 * fri_describe_files: what `flowrun --describe-plugin FILE` prints for each of
 * the @n files, as an array of objects in that order; a child that fails,
 * crashes or does not answer gives {"file", "error"}.
 */
JsonArray *fri_describe_files (const char *const *files, guint n);

/** fri_registry_paths: the directories of the search path. */
const char *const *fri_registry_paths (FriRegistry *registry);
/** fri_registry_plugin: the @i-th plugin that @registry knows; NULL past the last. */
const FrPlugin *fri_registry_plugin (FriRegistry *registry, guint i);
/** fri_registry_open: fri_plugin_open(), and @registry knows it from then on. */
const FrPlugin *fri_registry_open (FriRegistry *registry, const char *file, GError **error);
/** fri_service_json: what it is, and how well it serves here. */
JsonObject *fri_service_json (const FrService *service);

G_END_DECLS

#endif
