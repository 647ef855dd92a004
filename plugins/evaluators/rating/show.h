/* SPDX-License-Identifier: Apache-2.0 */
/* show.h: the figures of ratings, as JSON for programs and as views for people. */
#ifndef FLOWRUN_RATING_SHOW_H
#define FLOWRUN_RATING_SHOW_H

#include "figures.h"

G_BEGIN_DECLS

/** rating_show_json: all figures; members "systems", "contests", "agreement", "pairs", "raters";
 * the caller's. */
JsonNode *rating_show_json (const RatingBook *book, const RatingFigures *figures);

/** rating_show_views: for report.html; @disputed: that many of the samples that raters differ about
 * most. */
JsonNode *rating_show_views (const RatingBook *book, const RatingFigures *figures, guint disputed);

/** rating_show_verdict: one line on the outcome, for the log; NULL where nothing can be told; the
 * caller's. */
char *rating_show_verdict (const RatingBook *book, const RatingFigures *figures);

G_END_DECLS

#endif
