/* SPDX-License-Identifier: Apache-2.0 */
/* scale.h: what is rated: criteria, each from 1 to 5, with what every number stands for.
 *
 * A scale is a GPtrArray of RatingCriterion, in the order in which they are asked.
 */
#ifndef FLOWRUN_RATING_SCALE_H
#define FLOWRUN_RATING_SCALE_H

#include <flowrun/flowrun.h>

G_BEGIN_DECLS

#define RATING_LEVELS 5
#define RATING_MAX_CRITERIA 12

enum
{
  RATING_EN,
  RATING_ZH,
  RATING_LANGUAGES
};

/** rating_languages: "en", "zh". */
extern const char *const rating_languages[RATING_LANGUAGES];

/**
 * RatingCriterion:
 * @name: as columns are called: "fluency"
 * @title, @ask: what a rater reads: its name, and a question or ""
 * @anchors: what 1 … 5 stand for
 */
typedef struct
{
  char *name;
  char *title[RATING_LANGUAGES];
  char *ask[RATING_LANGUAGES];
  char *anchors[RATING_LANGUAGES][RATING_LEVELS];
} RatingCriterion;

/** rating_scale_schema: JSON Schema of the parameter that rating_scale_new() reads. */
extern const char rating_scale_schema[];

/**
 * rating_scale_new:
 * @criteria: fits rating_scale_schema: words for the built-in criteria, objects for others
 * @problems: where a name that cannot be used goes, under "/criteria/N"; NULL when it was read
 * before
 *
 * Returns the scale, or NULL with problems.
 */
GPtrArray *rating_scale_new (JsonNode *criteria, FrProblems *problems);

/** rating_name_is_taken: whether a column of that name means something else in a file of ratings or
 * in what is made of it. */
gboolean rating_name_is_taken (const char *name);

G_END_DECLS

#endif
