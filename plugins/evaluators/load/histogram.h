/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.h: how often each time was measured, in bounded memory and with a bounded error.
 *
 * Bins as in Gil Tene's HdrHistogram: each power of two is cut into equally
 * wide bins, so that a bin is never wider than a fixed share of what lies in
 * it.  With B bits values below 2^B have a bin each, and above it a bin is at
 * most 2^(1-B) of its values wide: 0.1 % for 11 bits, 3.2 % for 6.
 *
 * Unlike a sorted list it does not grow with what is measured; two of them add
 * up to what one would have been.  Least, greatest and sum are exact.
 */
#ifndef FLOWRUN_LOAD_HISTOGRAM_H
#define FLOWRUN_LOAD_HISTOGRAM_H

#include <glib.h>

G_BEGIN_DECLS

#define HISTOGRAM_FINE 11
#define HISTOGRAM_COARSE 6

typedef struct _Histogram Histogram;

/** histogram_new: @bits: from 2 to 16; memory grows with the greatest value, at most 2^@bits·8
 * bytes for each power of two above 2^@bits. */
Histogram *histogram_new (guint bits);
void histogram_free (Histogram *histogram);
/** histogram_add: counts @value, microseconds or anything else; below 0 it is 0. */
void histogram_add (Histogram *histogram, gint64 value);
/** histogram_merge: adds all of @other, which must have as many bits. */
void histogram_merge (Histogram *histogram, const Histogram *other);

guint64 histogram_n (const Histogram *histogram);
gint64 histogram_min (const Histogram *histogram); /* 0 of none */
gint64 histogram_max (const Histogram *histogram); /* 0 of none */
/** histogram_mean: NaN of none. */
double histogram_mean (const Histogram *histogram);
/**
 * histogram_percentile: the least value that @percent per cent of all values do not exceed (the
 * nearest rank), read as the greatest that its bin holds, so never too small, and never beyond the
 * maximum.
 * @percent: from 0 (the least value's bin) to 100
 *
 * Returns 0 of none.
 */
gint64 histogram_percentile (const Histogram *histogram, double percent);
/** histogram_share_over: the share of values that are surely over @value: of bins that begin above
 * it; 0 of none. */
double histogram_share_over (const Histogram *histogram, gint64 value);

/** HistogramEach: a bin that is not empty: values in [@from, @to), @n of them. */
typedef void (*HistogramEach) (gint64 from, gint64 to, guint64 n, gpointer data);
/** histogram_each: the bins that are not empty, in order. */
void histogram_each (const Histogram *histogram, HistogramEach each, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Histogram, histogram_free)

G_END_DECLS

#endif
