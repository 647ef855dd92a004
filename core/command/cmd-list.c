/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-list.c: flowrun list: the elements and services that are installed, seen
 * from child processes. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "command/command.h"

#define SERVICE "service"
static const char *const kinds[] = { "source", "transform", "trainer", "evaluator", "sink", NULL };

static const char *
text_of (JsonObject *object, const char *key)
{
  return json_object_get_string_member_with_default (object, key, "");
}

static gboolean
is_kind (JsonObject *element, const char *kind)
{
  const char *name = text_of (element, "name");
  gsize len = strlen (kind);

  return strncmp (name, kind, len) == 0 && name[len] == '.';
}

typedef struct
{
  JsonObject *element, *plugin;
} Entry;

static int
compare (gconstpointer a, gconstpointer b)
{
  return strcmp (text_of (((const Entry *) a)->element, "name"),
                 text_of (((const Entry *) b)->element, "name"));
}

/* Entries of one kind, by name. */
static GArray *
entries_of (JsonArray *plugins, const char *kind)
{
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (Entry));

  for (guint p = 0; p < json_array_get_length (plugins); p++)
    {
      JsonObject *plugin = json_array_get_object_element (plugins, p);
      JsonArray *elements = json_object_has_member (plugin, "elements")
                                ? json_object_get_array_member (plugin, "elements")
                                : NULL;

      for (guint i = 0; elements != NULL && i < json_array_get_length (elements); i++)
        {
          Entry entry = { json_array_get_object_element (elements, i), plugin };

          if (is_kind (entry.element, kind))
            g_array_append_val (entries, entry);
        }
    }
  g_array_sort (entries, compare);
  return entries;
}

static void
print_table (JsonArray *plugins, const char *only)
{
  g_autoptr (Table) table = table_new ();
  gboolean tty = term_is (STDOUT_FILENO);

  table_column (table, "", TABLE_KEEP);
  table_column (table, "", 0);
  for (guint k = 0; kinds[k] != NULL; k++)
    {
      g_autoptr (GArray) entries = NULL;

      if (only != NULL && strcmp (only, kinds[k]) != 0)
        continue;
      entries = entries_of (plugins, kinds[k]);
      for (guint i = 0; i < entries->len; i++)
        {
          Entry *e = &g_array_index (entries, Entry, i);

          table_cell (table, STYLE_BOLD, text_of (e->element, "name"));
          table_cell (table, STYLE_NONE, text_of (e->element, "summary"));
        }
    }
  table_print (table, stdout, tty ? term_width (STDOUT_FILENO) : 0, term_colour (STDOUT_FILENO));
}

/* ---- services --------------------------------------------------------------------- */

typedef struct
{
  JsonObject *service, *plugin;
} Offer;

/* By kind, then the best first, as they would be chosen. */
static int
compare_offers (gconstpointer a, gconstpointer b)
{
  JsonObject *x = ((const Offer *) a)->service, *y = ((const Offer *) b)->service;
  gint64 score_x = json_object_get_int_member (x, "score");
  gint64 score_y = json_object_get_int_member (y, "score");
  int order = strcmp (text_of (x, "kind"), text_of (y, "kind"));

  if (order == 0 && score_x != score_y)
    return score_x > score_y ? -1 : 1;
  return order != 0 ? order : strcmp (text_of (x, "name"), text_of (y, "name"));
}

static GArray *
offers_of (JsonArray *plugins)
{
  GArray *offers = g_array_new (FALSE, FALSE, sizeof (Offer));

  for (guint p = 0; p < json_array_get_length (plugins); p++)
    {
      JsonObject *plugin = json_array_get_object_element (plugins, p);
      JsonArray *services = json_object_has_member (plugin, "services")
                                ? json_object_get_array_member (plugin, "services")
                                : NULL;

      for (guint i = 0; services != NULL && i < json_array_get_length (services); i++)
        {
          Offer offer = { json_array_get_object_element (services, i), plugin };

          g_array_append_val (offers, offer);
        }
    }
  g_array_sort (offers, compare_offers);
  return offers;
}

static void
print_services (JsonArray *plugins, gboolean after_elements)
{
  g_autoptr (GArray) offers = offers_of (plugins);
  g_autoptr (Table) table = table_new ();
  gboolean tty = term_is (STDOUT_FILENO);

  if (offers->len == 0)
    return;
  table_column (table, "service", TABLE_KEEP);
  table_column (table, "score", TABLE_RIGHT | TABLE_KEEP);
  table_column (table, "here", 0);
  table_column (table, "what", 0);
  for (guint i = 0; i < offers->len; i++)
    {
      JsonObject *service = g_array_index (offers, Offer, i).service;
      gint64 score = json_object_get_int_member (service, "score");

      table_cellf (table, STYLE_BOLD, "%s/%s", text_of (service, "kind"),
                   text_of (service, "name"));
      table_cellf (table, score > 0 ? STYLE_NONE : STYLE_DIM, "%" G_GINT64_FORMAT, score);
      table_cell (table, score > 0 ? STYLE_NONE : STYLE_YELLOW, text_of (service, "why"));
      table_cell (table, STYLE_NONE, text_of (service, "summary"));
    }
  if (after_elements)
    putchar ('\n');
  table_print (table, stdout, tty ? term_width (STDOUT_FILENO) : 0, term_colour (STDOUT_FILENO));
}

static void
add_provider (JsonObject *object, JsonObject *plugin, const char *version)
{
  json_object_set_string_member (object, "plugin", text_of (plugin, "name"));
  json_object_set_string_member (object, version, text_of (plugin, "version"));
  json_object_set_string_member (object, "file", text_of (plugin, "file"));
}

/* Files that did not load are news for standard error, not entries. */
static guint
print_failures (JsonArray *plugins)
{
  guint n = 0;

  for (guint p = 0; p < json_array_get_length (plugins); p++)
    {
      JsonObject *plugin = json_array_get_object_element (plugins, p);

      if (!json_object_has_member (plugin, "error"))
        continue;
      say_warning ("%s: %s", text_of (plugin, "file"), text_of (plugin, "error"));
      n++;
    }
  return n;
}

static JsonNode *
as_json (JsonArray *plugins, const char *only)
{
  JsonArray *out = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);

  for (guint k = 0; kinds[k] != NULL; k++)
    {
      g_autoptr (GArray) entries = NULL;

      if (only != NULL && strcmp (only, kinds[k]) != 0)
        continue;
      entries = entries_of (plugins, kinds[k]);
      for (guint i = 0; i < entries->len; i++)
        {
          Entry *e = &g_array_index (entries, Entry, i);
          JsonObject *object = json_object_ref (e->element);

          add_provider (object, e->plugin, "version");
          json_array_add_object_element (out, object);
        }
    }
  if (only == NULL || strcmp (only, SERVICE) == 0)
    {
      g_autoptr (GArray) offers = offers_of (plugins);

      for (guint i = 0; i < offers->len; i++)
        {
          Offer *offer = &g_array_index (offers, Offer, i);

          /* "version" is that of the service's table. */
          add_provider (offer->service, offer->plugin, "plugin_version");
          json_array_add_object_element (out, json_object_ref (offer->service));
        }
    }
  json_node_take_array (node, out);
  return node;
}

int
cmd_list (const CmdLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FriRegistry) registry = NULL;
  g_autoptr (JsonNode) list = NULL;
  const char *kind = line->n_args ? line->args[0] : NULL;
  g_autofree char *singular = NULL;

  if (kind != NULL && g_str_has_suffix (kind, "s")) /* "flowrun list sources" */
    kind = singular = g_strndup (kind, strlen (kind) - 1);
  if (kind != NULL && strcmp (kind, SERVICE) != 0 && !g_strv_contains (kinds, kind))
    {
      say_error ("'%s' is no kind of element; kinds are source, transform, trainer, evaluator and "
                 "sink; and there is service",
                 line->args[0]);
      return FRI_EXIT_USAGE;
    }
  registry = cmd_registry (line);
  list = fri_registry_list (registry, &error);
  if (list == NULL)
    return cmd_fail (error);
  print_failures (json_node_get_array (list));
  if (line->json)
    return cmd_print_json (as_json (json_node_get_array (list), kind));
  if (kind == NULL || strcmp (kind, SERVICE) != 0)
    print_table (json_node_get_array (list), kind);
  if (kind == NULL || strcmp (kind, SERVICE) == 0)
    print_services (json_node_get_array (list), kind == NULL);
  return cmd_flush () ? FRI_EXIT_OK : FRI_EXIT_FAILED;
}
