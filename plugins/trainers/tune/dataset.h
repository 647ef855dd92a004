/* SPDX-License-Identifier: Apache-2.0 */
/* dataset.h: tokenised samples, kept for all epochs.
 *
 * A token is an id with a mark for what is learned, 4 bytes.  Samples stay in
 * memory until they pass a limit, and then lie in a temporary file that is
 * mapped when all are there.
 */
#ifndef FLOWRUN_TUNE_DATASET_H
#define FLOWRUN_TUNE_DATASET_H

#include <flowrun/batch.h>
#include <glib.h>

#include "lm/chat.h"

#define TOKEN_LEARN 0x80000000u
#define TOKEN_ID 0x7fffffffu

/**
 * Sample:
 * @at: its first token in the dataset
 * @n: its tokens; the decoder sees n - 1 rows, each predicting the token after it
 * @n_labels: how many of those predictions count
 */
typedef struct
{
  FrRowId id;
  gsize at;
  guint32 n;
  guint32 n_labels;
} Sample;

typedef enum
{
  TRUNCATE_ERROR = 0,
  TRUNCATE_REJECT,
  TRUNCATE_LEFT,
  TRUNCATE_RIGHT
} Truncate;

typedef struct _Dataset Dataset;

/** dataset_new: spills into @dir (borrowed) beyond @limit bytes; NULL: never. */
Dataset *dataset_new (const char *dir, gsize limit);
void dataset_free (Dataset *d);

/** dataset_cut: shortens @s to @max tokens; @left: at the beginning, else at the end. */
void dataset_cut (LmSample *s, gsize max, gboolean left);
/** dataset_labels: tokens of @s that are predicted and learned. */
gsize dataset_labels (const LmSample *s);
/** dataset_add: FR_ERROR_IO when the disk is full. */
gboolean dataset_add (Dataset *d, FrRowId id, const LmSample *s, GError **error);
/** dataset_seal: no more are added; from now on tokens can be read. */
gboolean dataset_seal (Dataset *d, GError **error);

gsize dataset_n (const Dataset *d);
const Sample *dataset_sample (const Dataset *d, gsize i);
const guint32 *dataset_tokens (const Dataset *d, const Sample *s);
/** dataset_n_tokens, dataset_n_labels: over all samples; dataset_longest: tokens of the longest;
 * dataset_bytes: memory held. */
guint64 dataset_n_tokens (const Dataset *d);
guint64 dataset_n_labels (const Dataset *d);
guint32 dataset_longest (const Dataset *d);
gsize dataset_bytes (const Dataset *d);
/** dataset_hash: of ids, marks and row ids in their order, so that a checkpoint fits only its own
 * data. */
guint64 dataset_hash (const Dataset *d);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Dataset, dataset_free)

#endif
