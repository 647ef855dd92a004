/* SPDX-License-Identifier: Apache-2.0 */
/* mask.h: what a translator must not touch, taken out before and put back after.
 *
 *     "限时优惠，满300减40，顺丰包邮"  →  "限时优惠，{1}，{2}包邮"
 *
 * A mark is a number in braces, which translators of every kind tend to copy; what they do to it
 * nevertheless (full-width braces, blanks inside) is understood.  Each mark must come back exactly
 * once, in any order.  Negations are not taken out: a translator has to see them.
 */
#ifndef FLOWRUN_BACKTRANSLATE_MASK_H
#define FLOWRUN_BACKTRANSLATE_MASK_H

#include <flowrun/batch.h>
#include <glib.h>

/** mask_text: appends @text to @out with marks in place of @keeps (TextKeep, in order); what each
 * stands for goes to
 * @masked (FrStr, into @text).  Marks that would touch, or have blanks alone between them, become
 * one. */
void mask_text (FrStr text, const GArray *keeps, GString *out, GArray *masked);

/** mask_has_words: whether @masked_text has a letter beside its marks: whether there is anything to
 * translate. */
gboolean mask_has_words (FrStr masked_text);

/**
 * mask_restore: appends @text to @out with @masked back in the place of marks.
 * @tight: the language writes no blanks: those that a translator put beside a mark go, where the
 * text has Han before or behind them
 * @why: FALSE: which mark is missing, or stands twice, or was never given; newly allocated
 */
gboolean mask_restore (FrStr text, const GArray *masked, gboolean tight, GString *out, char **why);

#endif
