/* SPDX-License-Identifier: Apache-2.0 */
/* object.c: reference counts of what flows on ports that carry no rows, and
 * the one type of object that is the core's own, a JSON document.
 */
#include "config.h"

#include <flowrun/json.h>
#include <flowrun/object.h>
#include <flowrun/port.h>
#include <string.h>

void
fr_object_init (FrObject *object, const FrObjectType *type)
{
  object->type = type;
  object->refs = 1;
}

gpointer
fr_object_ref (gpointer object)
{
  g_atomic_int_inc (&((FrObject *) object)->refs);
  return object;
}

void
fr_object_unref (gpointer object)
{
  FrObject *o = object;

  if (g_atomic_int_dec_and_test (&o->refs))
    o->type->free (o);
}

gboolean
fr_object_is (const FrObject *object, const char *name)
{
  return strcmp (object->type->name, name) == 0;
}

/* ---- reports ----------------------------------------------------------------- */

#define REPORT_FILE "report.json"

typedef struct
{
  FrObject object;
  JsonNode *root;
} Report;

static gboolean
report_save (FrObject *object, const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, REPORT_FILE, NULL);
  g_autofree char *text = fr_json_to_string (((Report *) object)->root, 2);

  return g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0666, error);
}

static FrObject *
report_load (const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, REPORT_FILE, NULL);
  g_autofree char *text = NULL;
  JsonNode *root;
  gsize len;

  if (!g_file_get_contents (path, &text, &len, error))
    return NULL;
  root = fr_json_parse (text, (gssize) len, 0, error);
  if (root != NULL)
    return fr_report_new (root);
  g_prefix_error (error, "%s: ", path);
  return NULL;
}

static JsonNode *
report_describe (FrObject *object)
{
  return json_node_ref (((Report *) object)->root);
}

static void
report_free (FrObject *object)
{
  json_node_unref (((Report *) object)->root);
  g_free (object);
}

const FrObjectType fr_report_type = { .size = sizeof (FrObjectType),
                                      .name = "flowrun.report",
                                      .kind = FR_PORT_REPORT,
                                      .save = report_save,
                                      .load = report_load,
                                      .describe = report_describe,
                                      .free = report_free };

FrObject *
fr_report_new (JsonNode *root)
{
  Report *report = g_new0 (Report, 1);

  fr_object_init (&report->object, &fr_report_type);
  report->root = root;
  return &report->object;
}

JsonNode *
fr_report_root (FrObject *report)
{
  return ((Report *) report)->root;
}
