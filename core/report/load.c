/* SPDX-License-Identifier: Apache-2.0 */
/* load.c: the files of a run directory, for the page.
 *
 * They may come from another version of flowrun, or have been edited: nothing
 * is taken for granted, and what is not there is left out of the page.
 */
#include "config.h"

#include <flowrun/error.h>
#include <math.h>
#include <string.h>

#include "report/report-private.h"
#include "report/report.h"
#include "run/rundir-private.h"

/* ---- members ------------------------------------------------------------------ */

static JsonNode *
member (JsonObject *object, const char *name)
{
  return object != NULL ? json_object_get_member (object, name) : NULL;
}

JsonObject *
fri_get_object (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

JsonArray *
fri_get_array (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

const char *
fri_get_text (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : "";
}

double
fri_get_number (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name);
  GType type = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node)
                                                            : G_TYPE_INVALID;

  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double (node) : 0;
}

const char *
fri_text_at (JsonArray *array, guint i)
{
  JsonNode *node = json_array_get_element (array, i);

  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : "";
}

double
fri_number_at (JsonArray *array, guint i)
{
  JsonNode *node = json_array_get_element (array, i);
  GType type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;

  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double (node) : NAN;
}

JsonObject *
fri_page_stage (JsonObject *document, const char *id)
{
  return fri_get_object (fri_get_object (document, "stages"), id);
}

/* ---- order ---------------------------------------------------------------------- */

/* Whether all stages that feed @id are among @order, or are not known at all. */
static gboolean
is_next (FriPageData *data, GHashTable *placed, const char *id)
{
  JsonObject *from = fri_get_object (fri_get_object (data->graph, id), "from");
  g_autoptr (GList) ports = from != NULL ? json_object_get_members (from) : NULL;

  for (GList *p = ports; p != NULL; p = p->next)
    {
      JsonArray *ends = fri_get_array (from, p->data);

      for (guint i = 0; ends != NULL && i < json_array_get_length (ends); i++)
        {
          g_autofree char *stage = fri_page_end (ends, i, NULL);

          if (stage != NULL && json_object_has_member (data->graph, stage)
              && !g_hash_table_contains (placed, stage))
            return FALSE;
        }
    }
  return TRUE;
}

static void
set_order (FriPageData *data)
{
  g_autoptr (GHashTable) placed = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GList) ids = json_object_get_members (data->graph);
  gboolean grown = TRUE;

  while (grown)
    {
      grown = FALSE;
      for (GList *i = ids; i != NULL; i = i->next)
        {
          if (g_hash_table_contains (placed, i->data) || !is_next (data, placed, i->data))
            continue;
          g_hash_table_add (placed, i->data);
          g_ptr_array_add (data->order, g_strdup (i->data));
          grown = TRUE;
        }
    }
  /* A circle, which only an edited file can hold. */
  for (GList *i = ids; i != NULL; i = i->next)
    if (!g_hash_table_contains (placed, i->data))
      g_ptr_array_add (data->order, g_strdup (i->data));
}

char *
fri_page_end (JsonArray *ends, guint i, char **port)
{
  const char *end = fri_text_at (ends, i);
  const char *dot = strrchr (end, '.');

  if (port != NULL)
    *port = dot != NULL ? g_strdup (dot + 1) : NULL;
  return dot != NULL ? g_strndup (end, (gsize) (dot - end)) : NULL;
}

gboolean
fri_page_is_read (FriPageData *data, const char *id, const char *port)
{
  g_autofree char *wanted = g_strdup_printf ("%s.%s", id, port);

  for (guint i = 0; i < data->order->len; i++)
    {
      JsonObject *entry = fri_get_object (data->graph, g_ptr_array_index (data->order, i));
      JsonObject *from = fri_get_object (entry, "from");
      g_autoptr (GList) ports = from != NULL ? json_object_get_members (from) : NULL;

      for (GList *p = ports; p != NULL; p = p->next)
        {
          JsonArray *ends = fri_get_array (from, p->data);

          for (guint k = 0; ends != NULL && k < json_array_get_length (ends); k++)
            if (strcmp (fri_text_at (ends, k), wanted) == 0)
              return TRUE;
        }
    }
  return FALSE;
}

/* ---- the whole -------------------------------------------------------------------- */

static JsonObject *
load (const char *run_dir, const char *name)
{
  g_autofree char *path = g_build_filename (run_dir, name, NULL);

  return fri_json_load (path, NULL);
}

/* failed.json counts unless a run succeeded after it. */
static gboolean
is_newer (JsonObject *failed, JsonObject *manifest)
{
  return failed != NULL
         && strcmp (fri_get_text (failed, "started"),
                    fri_get_text (fri_get_object (manifest, "run"), "started"))
                >= 0;
}

static JsonObject *
part (JsonObject *failed, const char *name)
{
  JsonObject *object = fri_get_object (failed, name);

  return object != NULL ? json_object_ref (object) : NULL;
}

FriPageData *
fri_page_data_load (const char *run_dir, GError **error)
{
  g_autoptr (FriPageData) data = g_new0 (FriPageData, 1);

  data->order = g_ptr_array_new_with_free_func (g_free);
  data->manifest = load (run_dir, "manifest.json");
  data->failed = load (run_dir, "failed.json");
  if (is_newer (data->failed, data->manifest))
    {
      data->before = data->manifest;
      data->manifest = part (data->failed, "manifest");
      data->report = part (data->failed, "report");
      data->samples = part (data->failed, "samples");
    }
  else
    {
      g_clear_pointer (&data->failed, json_object_unref);
      data->report = load (run_dir, "report.json");
      data->samples = load (run_dir, "samples.json");
    }
  data->graph = fri_get_object (data->manifest, "stages");
  if (data->graph == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "'%s' is no directory of a run that has ended: it has no manifest.json; run the "
                   "pipeline first, and name the directory that its last lines tell",
                   run_dir);
      return NULL;
    }
  data->rows = fri_get_number (data->samples, "rows") > 0;
  set_order (data);
  return g_steal_pointer (&data);
}

void
fri_page_data_free (FriPageData *data)
{
  if (data == NULL)
    return;
  g_clear_pointer (&data->manifest, json_object_unref);
  g_clear_pointer (&data->report, json_object_unref);
  g_clear_pointer (&data->samples, json_object_unref);
  g_clear_pointer (&data->failed, json_object_unref);
  g_clear_pointer (&data->before, json_object_unref);
  g_ptr_array_unref (data->order);
  g_free (data);
}

gboolean
fri_report_write (const char *run_dir, const char *language, GError **error)
{
  g_autofree char *path = g_build_filename (run_dir, "report.html", NULL);
  g_autoptr (FriPageData) data = fri_page_data_load (run_dir, error);
  g_autofree char *page = NULL;
  g_autofree char *before = NULL;
  gsize len, len_before;

  if (data == NULL)
    return FALSE;
  if (language == NULL)
    language = fri_get_text (fri_get_object (data->manifest, "run"), "language");
  page = fri_page_make (data, language, &len);
  if (g_file_get_contents (path, &before, &len_before, NULL) && len == len_before
      && memcmp (page, before, len) == 0)
    return TRUE;
  return fri_file_replace (path, page, (gssize) len, error);
}
