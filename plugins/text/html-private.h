/* SPDX-License-Identifier: Apache-2.0 */
/* html-private.h: between html.c, html-tags.c and entities.c. */
#ifndef FLOWRUN_TEXT_HTML_PRIVATE_H
#define FLOWRUN_TEXT_HTML_PRIVATE_H

#include <glib.h>

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

typedef struct
{
  char name[12];
  guint32 flags;
} TextTag;

/** text_html_tag: the element called @name (any case); one with TAG_NONE for others. */
const TextTag *text_html_tag (const char *name, gsize len);

/** text_html_bare: whether @name is an attribute that stands without a value. */
gboolean text_html_bare (const char *name, gsize len);

G_END_DECLS

#endif
