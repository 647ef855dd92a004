/* SPDX-License-Identifier: Apache-2.0 */
/* book.c: see book.h. */
#include "config.h"

#include "book.h"

#include <math.h>
#include <string.h>

static void
rater_free (Rater *rater, guint n_items)
{
  for (guint i = 0; i < n_items; i++)
    g_free (rater->comments[i]);
  g_free (rater->comments);
  g_free (rater->seconds);
  g_free (rater->states);
  g_free (rater->values);
  g_free (rater->name);
  g_free (rater);
}

RatingBook *
rating_book_new (const RatingKey *key)
{
  RatingBook *book = g_new0 (RatingBook, 1);

  book->key = key;
  book->raters = g_ptr_array_new ();
  book->firsts = g_new0 (FrRowId, key->items->len);
  return book;
}

void
rating_book_free (RatingBook *book)
{
  for (guint i = 0; i < book->raters->len; i++)
    rater_free (book->raters->pdata[i], book->key->items->len);
  g_ptr_array_unref (book->raters);
  g_free (book->firsts);
  g_free (book);
}

Rater *
rating_book_rater (RatingBook *book, const char *name)
{
  guint n = book->key->items->len;
  Rater *rater;

  for (guint i = 0; i < book->raters->len; i++)
    if (strcmp (((Rater *) book->raters->pdata[i])->name, name) == 0)
      return book->raters->pdata[i];
  rater = g_new (Rater, 1);
  rater->name = g_strdup (name);
  rater->values = g_new0 (guint8, (gsize) n * book->key->n_criteria);
  rater->states = g_new0 (guint8, n);
  rater->seconds = g_new (double, n);
  rater->comments = g_new0 (char *, n);
  for (guint i = 0; i < n; i++)
    rater->seconds[i] = NAN;
  g_ptr_array_add (book->raters, rater);
  return rater;
}

guint8
rating_book_value (const RatingBook *book, guint rater, guint item, guint criterion)
{
  const Rater *r = book->raters->pdata[rater];

  return r->values[(gsize) item * book->key->n_criteria + criterion];
}

double
rating_book_score (const RatingBook *book, guint rater, guint item, guint criterion)
{
  guint n = book->key->n_criteria, given = 0, sum = 0;

  if (criterion < n)
    {
      guint8 value = rating_book_value (book, rater, item, criterion);

      return value != 0 ? value : NAN;
    }
  for (guint c = 0; c < n; c++)
    {
      sum += rating_book_value (book, rater, item, c);
      given += rating_book_value (book, rater, item, c) != 0;
    }
  return given > 0 ? (double) sum / given : NAN;
}

guint
rating_book_spread (const RatingBook *book, guint item, guint *raters)
{
  guint widest = 0;

  *raters = 0;
  for (guint r = 0; r < book->raters->len; r++)
    *raters += ((const Rater *) book->raters->pdata[r])->states[item] == RATING_RATED;
  for (guint c = 0; c < book->key->n_criteria; c++)
    {
      guint low = RATING_LEVELS + 1, high = 0;

      for (guint r = 0; r < book->raters->len; r++)
        {
          guint8 value = rating_book_value (book, r, item, c);

          if (value == 0)
            continue;
          low = MIN (low, value);
          high = MAX (high, value);
        }
      if (high > low)
        widest = MAX (widest, high - low);
    }
  return widest;
}

gboolean
rating_book_is_fast (const RatingBook *book, guint rater, guint item)
{
  const Rater *r = book->raters->pdata[rater];

  /* not-a-number is not less than anything */
  return r->states[item] == RATING_RATED
         && r->seconds[item] < ((const RatingItem *) book->key->items->pdata[item])->fast;
}
