/* SPDX-License-Identifier: Apache-2.0 */
/* object.h: what flows on ports that do not carry rows.
 *
 * A port of kind FR_PORT_MODEL or FR_PORT_REPORT carries one object in a run:
 * its producer pushes it once with fr_host_push_object(), each consumer takes
 * it with fr_host_next_object().  The core knows an object only by its type:
 * how to count references, to save it for reuse in a later run, and to say
 * what it is.  What is in it is between the elements.
 *
 * An element that makes objects is built like this:
 *
 *     typedef struct { FrObject object; char *path; } Thing;
 *     static const FrObjectType thing_type = { sizeof (FrObjectType), "lm.model", FR_PORT_MODEL,
 *                                              thing_save, thing_load, thing_describe, thing_free };
 *     Thing *t = g_new0 (Thing, 1);
 *     fr_object_init (&t->object, &thing_type);
 *
 * and its port names the type, FR_PORT ("model", FR_PORT_MODEL, "…", .object = &thing_type), so
 * that the core can load what an earlier run saved.
 */
#ifndef FLOWRUN_OBJECT_H
#define FLOWRUN_OBJECT_H

#include <flowrun/error.h>
#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _FrObject FrObject;

/**
 * FrObjectType:
 * @size: sizeof (FrObjectType)
 * @name: "lm.model": equal names are the same type, wherever they were built
 * @kind: FR_PORT_MODEL or FR_PORT_REPORT
 * @save: writes the object into the empty directory @dir; its folder is renamed into place by the core.
 *        NULL: the stage that makes it is never reused
 * @load: the object that save wrote into @dir; must refuse a damaged one
 * @describe: what it is, for manifest.json: small, and equal for equal objects; NULL for nothing
 * @free: the last reference is gone
 */
typedef struct {
  gsize size;
  const char *name;
  int kind; /* FrPortKind */
  gboolean (*save) (FrObject *object, const char *dir, GError **error);
  FrObject *(*load) (const char *dir, GError **error);
  JsonNode *(*describe) (FrObject *object);
  void (*free) (FrObject *object);
} FrObjectType;

/** FrObject: the head of every object; its members are private. */
struct _FrObject {
  const FrObjectType *type;
  gint refs;
};

/** fr_object_init: @object gets one reference, the caller's. */
void fr_object_init (FrObject *object, const FrObjectType *type);
/** fr_object_ref, fr_object_unref: from any thread; both take any pointer to a structure that begins with an FrObject. */
gpointer fr_object_ref (gpointer object);
void fr_object_unref (gpointer object);
/** fr_object_is: whether @object is of the type called @name. */
gboolean fr_object_is (const FrObject *object, const char *name);

/* The core's own type: "flowrun.report", a JSON document. */
extern const FrObjectType fr_report_type;
/** fr_report_new: @root is taken. */
FrObject *fr_report_new (JsonNode *root);
/** fr_report_root: owned by the report. */
JsonNode *fr_report_root (FrObject *report);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FrObject, fr_object_unref)

G_END_DECLS

#endif
