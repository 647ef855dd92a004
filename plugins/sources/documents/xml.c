/* SPDX-License-Identifier: Apache-2.0 */
/* xml.c: libxml2's push parser, SAX version 2, behind xml.h. */
#include "config.h"

#include "xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

#define PIECE (64 * 1024)
#define N_CACHE 512 /* a power of two; more names than that are looked up anew */

typedef struct
{
  const xmlChar *local, *uri;
  int id;
} Known;

struct _XmlWalk
{
  xmlParserCtxt *parser;
  const XmlHandler *handler;
  gpointer data;
  TextDocSink *sink;
  const char *what;
  Known cache[N_CACHE];
  GArray *open; /* ids of open elements */
  guint skip;   /* depth of the part passed over */
  gboolean stopped, entities;
  char *fault;
  const xmlChar *local;
  const xmlChar **attributes;
  int n_attributes;
  guint n_events;
};

static gboolean
ends (const char *uri, const char *with)
{
  return g_str_has_suffix (uri, with);
}

static XmlNs
odf_ns (const char *uri)
{
  static const struct
  {
    const char *name;
    XmlNs ns;
  } names[] = { { ":office:1.0", XML_NS_OFFICE },
                { ":text:1.0", XML_NS_TEXT },
                { ":table:1.0", XML_NS_TABLE },
                { ":drawing:1.0", XML_NS_DRAW },
                { ":presentation:1.0", XML_NS_PRESENTATION },
                { ":style:1.0", XML_NS_STYLE },
                { ":meta:1.0", XML_NS_META },
                { ":manifest:1.0", XML_NS_MANIFEST } };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (ends (uri, names[i].name))
      return names[i].ns;
  return XML_NS_OTHER;
}

static XmlNs
ns_of (const xmlChar *namespace)
{
  const char *uri = (const char *) namespace;

  if (uri == NULL)
    return XML_NS_NONE;
  if (g_str_has_prefix (uri, "urn:oasis:names:tc:opendocument:xmlns:"))
    return odf_ns (uri);
  if (strstr (uri, "wordprocessingml") && ends (uri, "/main"))
    return XML_NS_W;
  if (strstr (uri, "spreadsheetml") && ends (uri, "/main"))
    return XML_NS_S;
  if (strstr (uri, "presentationml") && ends (uri, "/main"))
    return XML_NS_P;
  if (strstr (uri, "drawingml") && ends (uri, "/main"))
    return XML_NS_A;
  if (ends (uri, "officeDocument/2006/math") || ends (uri, "officeDocument/math"))
    return XML_NS_M;
  if (ends (uri, "officeDocument/2006/relationships") || ends (uri, "officeDocument/relationships"))
    return XML_NS_R;
  if (ends (uri, "package/2006/relationships"))
    return XML_NS_PACKAGE;
  if (strstr (uri, "markup-compatibility"))
    return XML_NS_MC;
  if (g_str_has_prefix (uri, "http://purl.org/dc/"))
    return XML_NS_DC;
  return XML_NS_OTHER;
}

static int
look_up (const XmlHandler *handler, const xmlChar *local, const xmlChar *uri)
{
  XmlNs ns = ns_of (uri);

  for (const XmlName *n = handler->names; n->name; n++)
    if (n->ns == ns && strcmp (n->name, (const char *) local) == 0)
      return n->id;
  return 0;
}

/* Names are unique strings of the parser, so that their addresses will do. */
static int
id_of (XmlWalk *walk, const xmlChar *local, const xmlChar *uri)
{
  gsize hash = ((gsize) local >> 3) * 31 + ((gsize) uri >> 3);
  Known *known = &walk->cache[(hash ^ hash >> 9) & (N_CACHE - 1)];

  if (known->local != local || known->uri != uri)
    *known = (Known){ local, uri, look_up (walk->handler, local, uri) };
  return known->id;
}

static void
stop (XmlWalk *walk)
{
  walk->stopped = TRUE;
  xmlStopParser (walk->parser);
}

static void
settle (XmlWalk *walk, XmlNext next)
{
  if (next == XML_STOP || (++walk->n_events % 4096 == 0 && !walk->sink->go_on (walk->sink)))
    stop (walk);
}

static void
on_start (void *data, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
          int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
          const xmlChar **attributes)
{
  XmlWalk *walk = data;
  XmlNext next = XML_ON;
  int id;

  (void) prefix, (void) n_namespaces, (void) namespaces, (void) n_defaulted;
  if (walk->stopped)
    return;
  if (walk->skip > 0)
    {
      walk->skip++;
      return;
    }
  id = id_of (walk, local, uri);
  walk->local = local;
  walk->attributes = attributes;
  walk->n_attributes = n_attributes;
  if (walk->handler->start)
    next = walk->handler->start (walk->data, id, walk);
  walk->n_attributes = 0;
  if (next == XML_SKIP)
    walk->skip = 1;
  else
    g_array_append_val (walk->open, id);
  settle (walk, next);
}

static void
on_end (void *data, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
  XmlWalk *walk = data;
  int id;

  (void) local, (void) prefix, (void) uri;
  if (walk->stopped)
    return;
  if (walk->skip > 0)
    {
      walk->skip--;
      return;
    }
  if (walk->open->len == 0)
    return;
  id = g_array_index (walk->open, int, walk->open->len - 1);
  g_array_set_size (walk->open, walk->open->len - 1);
  if (walk->handler->end)
    settle (walk, walk->handler->end (walk->data, id));
}

static void
on_text (void *data, const xmlChar *text, int len)
{
  XmlWalk *walk = data;

  if (!walk->stopped && walk->skip == 0 && walk->handler->text && len > 0)
    settle (walk, walk->handler->text (walk->data, (const char *) text, (gsize) len));
}

/* What stands in a document type can only harm. */
static void
on_entity (void *data, const xmlChar *name, int type, const xmlChar *public_id,
           const xmlChar *system_id, xmlChar *content)
{
  XmlWalk *walk = data;

  (void) name, (void) type, (void) public_id, (void) system_id, (void) content;
  walk->entities = TRUE;
  stop (walk);
}

static xmlEntity *
on_reference (void *data, const xmlChar *name)
{
  (void) data, (void) name;
  return NULL;
}

static void
on_error (void *data, xmlErrorPtr error)
{
  XmlWalk *walk = data;

  if (error->level < XML_ERR_ERROR || walk->fault || walk->stopped)
    return;
  /* An attribute without its namespace, and the like, does not hide text. */
  if (error->domain == XML_FROM_NAMESPACE)
    return;
  walk->fault = g_strdup_printf ("line %d: %s", error->line,
                                 error->message ? error->message : "not well-formed");
  g_strchomp (walk->fault);
}

/* The parser says some things past its handlers, to standard error. */
G_GNUC_PRINTF (2, 3) static void hush (void *data, const char *format, ...)
{
  (void) data, (void) format;
}

static void
parse (XmlWalk *walk, const char *data, int len)
{
  int code = xmlParseChunk (walk->parser, data, len, data == NULL);

  /* After this one the parser takes what came before for the whole. */
  if (code == XML_ERR_INVALID_ENCODING && walk->fault == NULL && !walk->stopped)
    {
      walk->fault = g_strdup ("its bytes are not in the charset that it declares");
      walk->parser->wellFormed = 0;
      xmlStopParser (walk->parser);
    }
}

static gboolean
feed (XmlWalk *walk, FrStr part)
{
  for (gsize at = 0; at < part.len && !walk->stopped && !walk->parser->disableSAX; at += PIECE)
    {
      if (!walk->sink->go_on (walk->sink))
        return FALSE;
      parse (walk, part.data + at, (int) MIN (PIECE, part.len - at));
    }
  if (!walk->stopped && !walk->parser->disableSAX)
    parse (walk, NULL, 0);
  return !walk->stopped;
}

static gboolean
tell_fault (XmlWalk *walk)
{
  g_autofree char *reason = NULL;

  if (walk->entities)
    {
      reason = g_strdup_printf ("'%s' declares entities, which no office program writes and which "
                                "can grow without end",
                                walk->what);
      return walk->sink->fail (walk->sink, "entities", reason);
    }
  if (walk->stopped)
    return FALSE;
  if (walk->parser->wellFormed || (walk->fault == NULL && walk->parser->nsWellFormed == 0))
    return TRUE;
  reason = g_strdup_printf ("'%s' is no well-formed XML: %s", walk->what,
                            walk->fault ? walk->fault : "it ends too early");
  return walk->sink->fail (walk->sink, "damaged", reason);
}

/* Once, by one thread: of two that begin to use the library, each would make its locks. */
static void
start_library (void)
{
  static gsize started;

  if (g_once_init_enter (&started))
    {
      xmlInitParser ();
      g_once_init_leave (&started, 1);
    }
}

gboolean
xml_walk (FrStr part, const char *what, const XmlHandler *handler, gpointer data, TextDocSink *sink)
{
  XmlWalk *walk = g_new0 (XmlWalk, 1);
  xmlSAXHandler sax = { 0 };
  xmlGenericErrorFunc told;
  void *told_data;
  gboolean ok;

  start_library ();
  told = xmlGenericError;
  told_data = xmlGenericErrorContext;

  sax.initialized = XML_SAX2_MAGIC;
  sax.startElementNs = on_start;
  sax.endElementNs = on_end;
  sax.characters = on_text;
  sax.cdataBlock = on_text;
  sax.entityDecl = on_entity;
  sax.getEntity = on_reference;
  sax.serror = on_error;
  walk->handler = handler;
  walk->data = data;
  walk->sink = sink;
  walk->what = what;
  walk->open = g_array_new (FALSE, FALSE, sizeof (int));
  walk->parser = xmlCreatePushParserCtxt (&sax, walk, NULL, 0, what);
  if (walk->parser == NULL)
    {
      g_array_unref (walk->open);
      g_free (walk);
      return sink->fail (sink, "too_large", "there is no memory for the XML parser");
    }
  /* Without NOENT, "&amp;" in an attribute would arrive as "&#38;"; nothing else can be replaced,
   * for there are no entities. */
  xmlCtxtUseOptions (walk->parser, XML_PARSE_NONET | XML_PARSE_NOENT);
  xmlSetGenericErrorFunc (NULL, hush);
  ok = feed (walk, part) && tell_fault (walk);
  if (!ok && walk->entities)
    ok = tell_fault (walk);
  xmlSetGenericErrorFunc (told_data, told);
  g_free (walk->fault);
  g_array_unref (walk->open);
  if (walk->parser->myDoc)
    xmlFreeDoc (walk->parser->myDoc);
  xmlFreeParserCtxt (walk->parser);
  g_free (walk);
  return ok;
}

FrStr
xml_attribute (XmlWalk *walk, XmlNs ns, const char *name)
{
  for (int i = 0; i < walk->n_attributes; i++)
    {
      const xmlChar **a = walk->attributes + 5 * i;

      if (strcmp ((const char *) a[0], name) == 0 && ns_of (a[2]) == ns)
        return (FrStr){ (const char *) a[3], (gsize) (a[4] - a[3]) };
    }
  return (FrStr){ NULL, 0 };
}

gint64
xml_attribute_int (XmlWalk *walk, XmlNs ns, const char *name, gint64 otherwise)
{
  FrStr value = xml_attribute (walk, ns, name);
  char digits[24];
  char *end;
  gint64 n;

  if (value.len == 0 || value.len >= sizeof digits)
    return otherwise;
  memcpy (digits, value.data, value.len);
  digits[value.len] = '\0';
  n = g_ascii_strtoll (digits, &end, 10);
  return end == digits ? otherwise : n;
}

gboolean
xml_attribute_on (XmlWalk *walk, XmlNs ns, const char *name)
{
  FrStr value = xml_attribute (walk, ns, name);

  return value.data == NULL || fr_str_equal (value, FR_STR ("1"))
         || fr_str_equal (value, FR_STR ("true")) || fr_str_equal (value, FR_STR ("on"));
}

const char *
xml_local_name (XmlWalk *walk)
{
  return (const char *) walk->local;
}
