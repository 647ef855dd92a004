/* SPDX-License-Identifier: Apache-2.0 */
/* guard.h: whether a back-translation may stand beside its parent.
 *
 * Machine translation fails in known ways: it copies, drops a number, turns a brand into a word,
 * loses a "not", adds "(laughter)", goes round in circles, leaves half of it in English, or says
 * something else.  Each has a rule here, each with its name, in this order:
 *
 *   same            nothing but case, width, white space or punctuation has changed
 *   length          shorter or longer than the limits, in characters
 *   lost_KIND       a placeholder, url, term, date, price or number did not survive (augment.h)
 *   negation        negated in one of the two alone
 *   brackets        more brackets of a kind than before
 *   language        another language than the parent's (language.h)
 *   left_over       Latin words that the parent has not, in a text written in Han
 *   repetition      more of it is said twice than the limit, and than in the parent
 *   too_similar, too_different   chrF outside the band
 *   duplicate       equal to a sibling
 */
#ifndef FLOWRUN_BACKTRANSLATE_GUARD_H
#define FLOWRUN_BACKTRANSLATE_GUARD_H

#include <flowrun/flowrun.h>

#include "text/augment.h"

/**
 * GuardLimits:
 * @length_min, @length_max: characters of the variant / of the parent
 * @chrf_min, @chrf_max: chrF of the variant against the parent, 0 to 100
 * @repetition: share of its runs of four characters that it had before
 */
typedef struct
{
  double length_min, length_max, chrf_min, chrf_max, repetition;
} GuardLimits;

typedef struct _Guard Guard;

/** guard_new: @keeper is borrowed, must outlive it. */
Guard *guard_new (const GuardLimits *limits, const TextKeeper *keeper, GError **error);
void guard_free (Guard *guard);

/** guard_family: a new parent; its variants are judged next. @more: as for text_keeper_find(); all
 * borrowed until then. */
void guard_family (Guard *guard, FrStr parent, const FrStr *more, guint n_more);

/**
 * guard_judge:
 * @chrf: written, also for what is dropped (NaN where it was dropped before it was known)
 * @why: what is wrong with it, for a person; newly allocated
 *
 * Returns: NULL when @child may stand, else the rule, static.
 */
const char *guard_judge (Guard *guard, FrStr child, double *chrf, char **why);

/** guard_rules: every rule, NULL-terminated; static. */
const char *const *guard_rules (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Guard, guard_free)

#endif
