/* SPDX-License-Identifier: Apache-2.0 */
/* book.h: all ratings of a page, by rater, sample and criterion. */
#ifndef FLOWRUN_RATING_BOOK_H
#define FLOWRUN_RATING_BOOK_H

#include "key.h"

G_BEGIN_DECLS

typedef enum
{
  RATING_UNSEEN, /* there is no line of it */
  RATING_RATED,  /* one criterion at least */
  RATING_SKIPPED,
  RATING_BLANK /* a line that says nothing but perhaps a comment */
} RatingState;

/**
 * Rater:
 * @values: [items, criteria], 1 … 5, 0 for none
 * @states: [items], of RatingState
 * @seconds: [items], NAN where it is not known
 * @comments: [items], each may be NULL
 */
typedef struct
{
  char *name;
  guint8 *values;
  guint8 *states;
  double *seconds;
  char **comments;
} Rater;

/** RatingBook: @raters in the order in which they came; @firsts: [items], the row that first rated
 * the item. */
typedef struct
{
  const RatingKey *key; /* borrowed */
  GPtrArray *raters;
  FrRowId *firsts;
} RatingBook;

RatingBook *rating_book_new (const RatingKey *key);
void rating_book_free (RatingBook *book);

/** rating_book_rater: the rater of that name, made when there is none; owned by the book. */
Rater *rating_book_rater (RatingBook *book, const char *name);

/** rating_book_value: 1 … 5, or 0. */
guint8 rating_book_value (const RatingBook *book, guint rater, guint item, guint criterion);

/** rating_book_score: the same as a number, NAN for none; criterion n_criteria is the mean of those
 * given. */
double rating_book_score (const RatingBook *book, guint rater, guint item, guint criterion);

/** rating_book_spread: of an item, the widest difference of two raters in one criterion; @raters:
 * how many rated it. */
guint rating_book_spread (const RatingBook *book, guint item, guint *raters);

/** rating_book_is_fast: whether the rater took less time than reading takes. */
gboolean rating_book_is_fast (const RatingBook *book, guint rater, guint item);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RatingBook, rating_book_free)

G_END_DECLS

#endif
