/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h: the XML parts of a zip-based document (OOXML, OpenDocument).
 *
 * Reads every XML part into memory, under limits; pictures and other binaries
 * are passed over unread.  Part names are as in the zip, without a leading
 * slash; relationships (ISO 29500-2, section 9) lead from part to part.
 */
#ifndef DOCUMENTS_PARTS_H
#define DOCUMENTS_PARTS_H

#include "text/document.h"

G_BEGIN_DECLS

typedef struct _Parts Parts;

/** parts_new: the parts of @job's document; NULL after sink->fail(). */
Parts *parts_new (const TextDocJob *job, TextDocSink *sink);
void parts_free (Parts *parts);
/** parts_get: a part; {NULL, 0} when there is none. */
FrStr parts_get (Parts *parts, const char *name);
/** parts_sink: the sink that parts_new() was given. */
TextDocSink *parts_sink (Parts *parts);

/** Related: where a relationship leads. */
typedef struct
{
  char *id;
  char *type;   /* the last word of its type: "slide", "styles" */
  char *target; /* a part's name; NULL when it leads outside */
} Related;

/** parts_related: Related of the part @name ("" for the package itself), in order; free with
 * g_ptr_array_unref(); NULL after sink->fail(). */
GPtrArray *parts_related (Parts *parts, const char *name);
/** related_by_type, related_by_id: the target; NULL: none. */
const char *related_by_type (GPtrArray *related, const char *type);
const char *related_by_id (GPtrArray *related, FrStr id);

/**
 * parts_main: opens an OOXML package (ISO 29500-2): finds its main part and tells the facts of its
 * core properties.
 * @otherwise: where the main part is in packages that do not say
 * @missing: what is said when it is not there
 * @name: (out) (transfer full): the main part's name
 * @part: (out): and itself
 * Returns: Related of the main part, as parts_related(); NULL after sink->fail()
 */
GPtrArray *parts_main (Parts *parts, const char *otherwise, const char *missing, char **name,
                       FrStr *part);

/** parts_facts: tells title, author, date and language of docProps/core.xml or meta.xml. */
gboolean parts_facts (Parts *parts, const char *name);

/** parts_resolve: @target as a reference from the part @base: "../media/a" from "ppt/slides/s.xml"
 * is "ppt/media/a"; never above the root.  Free with g_free(). */
char *parts_resolve (const char *base, const char *target);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Parts, parts_free)

G_END_DECLS

#endif
