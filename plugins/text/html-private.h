/* SPDX-License-Identifier: Apache-2.0 */
/* html-private.h: between html*.c, dom.c and entities.c. */
#ifndef FLOWRUN_TEXT_HTML_PRIVATE_H
#define FLOWRUN_TEXT_HTML_PRIVATE_H

#include <glib.h>

#include "text/html-names.h"

G_BEGIN_DECLS

typedef struct
{
  char name[32]; /* without '&' and ';' */
  guint32 legacy;
  gunichar first, second; /* second: 0 when there is one character */
} TextEntity;

extern const TextEntity text_entities[];
extern const guint text_n_entities;

/* What an element does to the text around and in it. */
enum
{
  TAG_BLOCK = 1 << 0, /* its own line                                            */
  TAG_PARA = 1 << 1,  /* an empty line around it                                 */
  TAG_BR = 1 << 2,    /* a newline                                               */
  TAG_CELL = 1 << 3,  /* a tab before it when it is not the first of its row     */
  TAG_PRE = 1 << 4,   /* white space in it counts                                */
  TAG_RAW = 1 << 5,   /* holds raw text: only its own end tag ends it            */
  TAG_REFS = 1 << 6,  /* with RAW: character references count in it (RCDATA)     */
  TAG_DROP = 1 << 7,  /* what it holds is no text                                */
  TAG_REST = 1 << 8,  /* with RAW, DROP: without an end tag it takes all the rest */
  TAG_NONE = 1 << 9,  /* no element of HTML                                      */
  TAG_INLINE = 0
};

/* What an element does to the tree. */
enum
{
  TREE_VOID = 1 << 0,    /* has no content                                                        */
  TREE_SPECIAL = 1 << 1, /* "special": an end tag for something else does not reach through it */
  TREE_ENDS_P = 1 << 2,  /* its start ends an open paragraph                                      */
  TREE_FORMAT = 1 << 3,  /* "formatting"                                                          */
  TREE_HEAD = 1 << 4,    /* belongs into head as long as that is open                             */
  TREE_SCOPE = 1 << 5,   /* the limit of "in scope"                                               */
  TREE_HEADING = 1 << 6  /* h1 to h6                                                              */
};

typedef struct
{
  char name[12];
  guint8 len;
  guint8 id; /* TextHtmlName */
  guint16 flags, tree;
} TextTag;

/** text_html_tag: the element called @name (any case); one with TAG_NONE for others. */
const TextTag *text_html_tag (const char *name, gsize len);

/** text_html_tag_of: the same by number. */
const TextTag *text_html_tag_of (TextHtmlName tag);

/** text_html_attribute: the attribute called @name (any case); TEXT_N_ATTRS for others. */
TextHtmlAttribute text_html_attribute (const char *name, gsize len);

/** text_html_bare: whether @name is an attribute that stands without a value. */
gboolean text_html_bare (const char *name, gsize len);

G_END_DECLS

#endif
