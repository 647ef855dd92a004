/* SPDX-License-Identifier: Apache-2.0 */
/* rules.h: named rules that find advertising in a sentence or line.
 *
 * A rule has phrases (plain text, ASCII letters in any case) and patterns
 * (PCRE2).  With "needs", its patterns are only tried where one of those
 * phrases stands, which keeps them cheap.  All phrases of all rules are one
 * Aho-Corasick automaton (Aho and Corasick, 1975).
 */
#ifndef CLEAN_RULES_H
#define CLEAN_RULES_H

#include <flowrun/batch.h>

typedef struct _Rules Rules;
typedef struct _RulesScratch RulesScratch;

Rules *rules_new (void);
void rules_free (Rules *rules);
/** rules_add: reads a rule file (JSON when it begins with '{', else lines); @name for messages.
 * FR_ERROR_DATA with line and column. */
gboolean rules_add (Rules *rules, const char *name, const char *text, gsize len, GError **error);
/** rules_ready: builds the automaton; after the last rules_add(). */
void rules_ready (Rules *rules);
guint rules_n (const Rules *rules);
const char *rules_name (const Rules *rules, guint i);

/** rules_default: flowrun's own set. */
const char *rules_default (void);

/* What a thread needs of its own. */
RulesScratch *rules_scratch_new (const Rules *rules);
void rules_scratch_free (RulesScratch *scratch);
/** rules_scratch_limits: patterns given up at their match limit since the last call. */
guint64 rules_scratch_limits (RulesScratch *scratch);

/** rules_possible: FALSE when no rule can match anywhere in @text. */
gboolean rules_possible (const Rules *rules, FrStr text);
/** rules_match: the first rule that matches the sentence or line @text, or -1. */
int rules_match (const Rules *rules, RulesScratch *scratch, FrStr text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rules, rules_free)

#endif
