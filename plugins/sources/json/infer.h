/* SPDX-License-Identifier: Apache-2.0 */
/* infer.h: a schema that fits the records of a sample.
 *
 *   only integers of 64 bits            int64
 *   numbers, some with a fraction       float64
 *   true and false                      bool
 *   text, or nothing but null           utf8
 *   objects                             struct of their members, in order of appearance
 *   lists                               list of what fits all items; always empty: list<utf8>
 *   scalars of several kinds, integers beyond 64 bits, objects without members,
 *   and whatever holds such a thing     utf8, with JSON text in it
 */
#ifndef JSON_INFER_H
#define JSON_INFER_H

#include <flowrun/json.h>

G_BEGIN_DECLS

typedef struct _Infer Infer;

/** infer_new: @nested_text: objects and lists become utf8 too. */
Infer *infer_new (gboolean nested_text);
void infer_free (Infer *infer);
/** infer_record: takes one record into account; one that is no object, or broken, is passed over:
 * the run rejects it. */
void infer_record (Infer *infer, FrStr record);
/** infer_first_only: mixed scalars take the kind seen first, rather than utf8. */
void infer_first_only (Infer *infer);
/** infer_fields: FrField *, owned by the caller. */
GPtrArray *infer_fields (Infer *infer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Infer, infer_free)

G_END_DECLS

#endif
