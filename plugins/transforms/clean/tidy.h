/* SPDX-License-Identifier: Apache-2.0 */
/* tidy.h: the small rules of transform.clean: repeats, links, addresses,
 * emoji, length, and where sentences end. */
#ifndef CLEAN_TIDY_H
#define CLEAN_TIDY_H

#include <flowrun/batch.h>

typedef enum
{
  TIDY_KEEP = 0,
  TIDY_REMOVE,
  TIDY_TAG
} TidyAction;

/* Each appends @text, tidied, to @out. */
void tidy_punctuation (FrStr text, GString *out);
void tidy_repeats (FrStr text, guint limit, GString *out);
void tidy_links (FrStr text, TidyAction action, GString *out);
void tidy_emails (FrStr text, TidyAction action, GString *out);
void tidy_emoji (FrStr text, GString *out);

/* Whether there can be something to do; quick. */
gboolean tidy_has_link (FrStr text);
gboolean tidy_has_email (FrStr text);

/* The longest beginning of @text of at most @limit characters that splits no
 * character from its marks and selectors. */
FrStr tidy_cut (FrStr text, gsize limit);

/* Where the sentence (or line, with its newline) that begins at @p ends. */
const char *tidy_unit_end (const char *p, const char *end, gboolean lines);

#endif
