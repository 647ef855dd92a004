/* SPDX-License-Identifier: Apache-2.0 */
/* service.h: what plugins offer to other plugins.
 *
 * A service is a table of functions under a kind and a name: "compute" /
 * "onednn" multiplies matrices, "inspect" / "model" tells what is in a weight
 * file.  The core finds services and knows nothing of their tables; provider
 * and user share a header that gives the table's type, and @version must be
 * equal on both sides, for such plugins are built together.
 *
 * A service lies in a plugin file called KIND-*.so ("compute-onednn.so"), or
 * in any plugin that has elements too (FrPlugin.services).  The first are found
 * without opening the rest; the others are looked for only where there is no
 * file of that name.
 */
#ifndef FLOWRUN_SERVICE_H
#define FLOWRUN_SERVICE_H

#include <flowrun/error.h>
#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/**
 * FrService:
 * @size: sizeof (FrService)
 * @kind: "compute"
 * @name: "onednn"
 * @version: of the table's layout; must be equal to what the user of the service asks for
 * @summary: one line, no full stop
 * @score: how well it can serve on this machine, 0: not at all; @why (static text) says what it found
 *         ("AVX512-BF16", "built, no device"); NULL: 1
 * @table: the functions; its type belongs to @kind
 */
typedef struct {
  gsize size;
  const char *kind;
  const char *name;
  guint version;
  const char *summary;
  int (*score) (const char **why);
  gconstpointer table;
} FrService;

/**
 * fr_service_find:
 * @kind, @version: what is asked for
 * @name: which; NULL: the one with the highest score, ties by name
 *
 * Looks on the plugin path (FLOWRUN_PLUGIN_PATH, the user's, the installed
 * one).  NULL with FR_ERROR_LOAD that lists what was found and why it will
 * not do.  The service is never unloaded.  Inside an element use
 * fr_host_service(), which knows the pipeline's own plugin path.
 */
const FrService *fr_service_find (const char *kind, guint version, const char *name, GError **error);

/**
 * fr_service_list: all services of @kind that loaded, best first, whatever
 * their version or score; free the array with g_ptr_array_unref().
 */
GPtrArray *fr_service_list (const char *kind);

/* ---- the kind "inspect" ---------------------------------------------------- */

#define FR_INSPECT_VERSION 1

/**
 * FrInspect:
 * @knows: whether this is a file or directory it can tell about; @head: its first @n bytes (none of a directory)
 * @inspect: what is in it, as
 *           { "title": text, "facts": [[name, text], …],
 *             "tables": [{ "title", "columns": [text, …], "rows": [[text, …], …] }, …],
 *             "problems": [text, …], "data": any }
 *           which `flowrun inspect` prints as tables (without "data"), or as it is with --json.  A damaged file
 *           is no error as long as anything can be told: say so among the problems.
 */
typedef struct {
  gboolean (*knows) (const char *path, const guint8 *head, gsize n);
  JsonNode *(*inspect) (const char *path, GError **error);
} FrInspect;

G_END_DECLS

#endif
