/* SPDX-License-Identifier: Apache-2.0 */
/* pack.h: in which order samples are learned, and which go through the decoder together.
 *
 * An epoch is an order of all samples.  A step takes the next few of them and
 * passes them through the decoder in micro-batches of limited size.  The
 * decoder takes sequences of any length side by side, each with its own
 * positions and attention, without padding: so micro-batches change how fast
 * a step is, never what it learns.
 */
#ifndef FLOWRUN_TUNE_PACK_H
#define FLOWRUN_TUNE_PACK_H

#include <glib.h>

#include "dataset.h"
#include "lm/decoder.h"

/**
 * pack_order: the order of @epoch, a permutation of the samples' indices that
 * depends on @seed and @epoch alone.
 * @step: samples a step takes
 * @shuffle: FALSE: as they came
 * @by_length: samples of one step have like lengths; steps stay in random order
 */
void pack_order (const Dataset *d, guint64 seed, guint64 epoch, gsize step, gboolean shuffle,
                 gboolean by_length, guint32 *order);

/**
 * Pack: samples cut into micro-batches.
 * @samples: all of them, micro-batch after micro-batch
 * @ends: where each micro-batch ends in @samples
 */
typedef struct
{
  GArray *samples; /* guint32 */
  GArray *ends;    /* gsize */
} Pack;

void pack_init (Pack *p);
void pack_clear (Pack *p);
/**
 * pack_fill: cuts @n samples into micro-batches of at most @rows rows; one that is longer is alone.
 * @best_fit: best fit decreasing; else in the order given, a new micro-batch whenever the next does
 * not fit
 */
void pack_fill (Pack *p, const Dataset *d, const guint32 *samples, gsize n, gsize rows,
                gboolean best_fit);

/** Micro: a micro-batch as the decoder wants it; reused from one to the next. */
typedef struct
{
  LmBatch batch;
  gsize n_labels;
  GArray *tokens, *positions, *labels, *starts, *keys;
} Micro;

void micro_init (Micro *m);
void micro_clear (Micro *m);
/**
 * micro_fill: @n samples side by side.
 * @key: with the sample's index and the position it makes the dropout keys: equal keys drop equal
 *       elements, whatever else is in the micro-batch; 0: no dropout
 */
void micro_fill (Micro *m, const Dataset *d, const guint32 *samples, gsize n, guint64 key);

/** pack_mix: splitmix64 of @key and @i: the numbers behind orders and dropout. */
static inline guint64
pack_mix (guint64 key, guint64 i)
{
  guint64 z = key + (i + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

#endif
