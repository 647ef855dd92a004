/* SPDX-License-Identifier: Apache-2.0 */
/* html-lex.h: the one tokeniser for HTML in this library: text, tags, and what is dropped.
 *
 * WHATWG HTML, section 13.2.5, over UTF-8 in memory; nothing is allocated.  Where it leaves the
 * standard, it is to keep text that a browser would swallow: a tag or quote that never closes ends
 * at the next '>' or is text.  The memo fields say what is known not to come any more, so that such
 * searches stay linear in all.
 */
#ifndef FLOWRUN_TEXT_HTML_LEX_H
#define FLOWRUN_TEXT_HTML_LEX_H

#include <flowrun/batch.h>

#include "text/html-private.h"

G_BEGIN_DECLS

typedef enum
{
  LEX_TEXT,
  LEX_START,
  LEX_END,
  LEX_DROP,
  LEX_LITERAL
} LexKind;

/* TEXT: @from to @to may hold references; LITERAL: it does not.  DROP: @tag is the element whose
 * raw text @from to @to is, or NULL for comments and their like.  START, END: @from to @to is the
 * name, @from to @attributes_end what stands between the angle brackets. */
typedef struct
{
  LexKind kind;
  const char *from, *to;
  const char *attributes_end;
  gboolean self_closing; /* START: "/>" */
  const TextTag *tag;
} Lexeme;

typedef struct
{
  const char *p, *end;
  gboolean leftovers;            /* TEXT_HTML_LEFTOVERS */
  const TextTag *raw;            /* the start tag just read holds raw text */
  const char *no_quote[2];       /* from here on there is no '"', no '\'' */
  const char *no_gt;             /* from here on there is no '>' */
  gboolean no_cdata_end;         /* there is no "]]>" any more */
  const TextTag *no_end_tag[16]; /* elements known to have no end tag any more */
} Lexer;

static inline gboolean
lex_is_space (char c)
{
  return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

/** text_lex_next: the next piece; FALSE at the end. */
gboolean text_lex_next (Lexer *lex, Lexeme *lexeme);

/**
 * text_lex_attribute:
 * @p: within a tag, behind its name; moved on
 * @end: attributes_end
 * @value: as written: references not read; data NULL when there is none
 *
 * The next attribute of a start tag; FALSE after the last.
 */
gboolean text_lex_attribute (const char **p, const char *end, FrStr *name, FrStr *value);

G_END_DECLS

#endif
