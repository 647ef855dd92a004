/* SPDX-License-Identifier: Apache-2.0 */
/* xml.h: an XML part of an office document, walked once.
 *
 * libxml2's SAX parser under rules for hostile input: no network, nothing external, no "huge" mode
 * (256 elements deep at most), and no entity but XML's own five: the first entity declaration ends
 * the walk and rejects the document ("entities"), before anything could be expanded.
 *
 * Elements and attributes are told by namespace and local name.  A walker lists those it knows with
 * a number each and switches over the numbers; the strict and the transitional namespaces of OOXML
 * (ISO 29500) are one.
 */
#ifndef DOCUMENTS_XML_H
#define DOCUMENTS_XML_H

#include "text/document.h"

G_BEGIN_DECLS

typedef enum
{
  XML_NS_NONE = 0,
  XML_NS_W,       /* wordprocessingml */
  XML_NS_S,       /* spreadsheetml */
  XML_NS_P,       /* presentationml */
  XML_NS_A,       /* drawingml */
  XML_NS_M,       /* mathematics of OOXML */
  XML_NS_R,       /* relationships as OOXML refers to them */
  XML_NS_PACKAGE, /* the parts of relationships files */
  XML_NS_MC,      /* markup compatibility */
  XML_NS_DC,      /* Dublin Core, elements and terms */
  XML_NS_OFFICE,  /* the rest are ODF's (ISO 26300) */
  XML_NS_TEXT,
  XML_NS_TABLE,
  XML_NS_DRAW,
  XML_NS_PRESENTATION,
  XML_NS_STYLE,
  XML_NS_META,
  XML_NS_MANIFEST,
  XML_NS_OTHER
} XmlNs;

/** XmlName: an element that a walker knows; a list ends with name NULL. */
typedef struct
{
  XmlNs ns;
  const char *name;
  int id; /* above 0 */
} XmlName;

typedef struct _XmlWalk XmlWalk;

typedef enum
{
  XML_STOP = 0, /* the sink, or the walker, wants no more */
  XML_ON,
  XML_SKIP /* of start: pass over all within this element, its end too */
} XmlNext;

/**
 * XmlHandler:
 * @names: the elements known
 * @start: an element begins; @id: its number, 0 for one that is not known.  NULL: all go on
 * @end: it ends
 * @text: characters; a run may come in pieces
 */
typedef struct
{
  const XmlName *names;
  XmlNext (*start) (gpointer data, int id, XmlWalk *walk);
  XmlNext (*end) (gpointer data, int id);
  XmlNext (*text) (gpointer data, const char *text, gsize len);
} XmlHandler;

/**
 * xml_walk:
 * @part: the bytes, in any charset that the part declares
 * @what: name of the part, for messages
 * @data: for @handler
 *
 * FALSE: the walker or the sink stopped it, or the part is no XML (sink->fail() was called).
 */
gboolean xml_walk (FrStr part, const char *what, const XmlHandler *handler, gpointer data,
                   TextDocSink *sink);

/** xml_attribute: an attribute of the element that start was called for; {NULL, 0} when it has none
 * such.  XML_NS_NONE: one without prefix. */
FrStr xml_attribute (XmlWalk *walk, XmlNs ns, const char *name);
/** xml_attribute_int: as a number, @otherwise when it is absent or none. */
gint64 xml_attribute_int (XmlWalk *walk, XmlNs ns, const char *name, gint64 otherwise);
/** xml_attribute_on: OOXML's ST_OnOff: TRUE when it is absent, "1", "true" or "on". */
gboolean xml_attribute_on (XmlWalk *walk, XmlNs ns, const char *name);
/** xml_local_name: of the element that start was called for. */
const char *xml_local_name (XmlWalk *walk);

G_END_DECLS

#endif
