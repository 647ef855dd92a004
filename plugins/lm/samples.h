/* SPDX-License-Identifier: Apache-2.0 */
/* samples.h: tokenised samples, kept for all epochs, and how they go through a decoder.
 *
 * Rows become samples here (lm_sample_from_row()) for training and for
 * measuring alike, so that a loss means the same wherever it is told.
 *
 * A token is an id with a mark for what is learned, 4 bytes.  Samples stay in
 * memory until they pass a limit, and then lie in a temporary file that is
 * mapped when all are there.
 *
 * An epoch is an order of all samples.  A step takes the next few of them and
 * passes them through the decoder in micro-batches of limited size.  The
 * decoder takes sequences of any length side by side, each with its own
 * positions and attention, without padding: so micro-batches change how fast
 * a step is, never what it learns.
 */
#ifndef FLOWRUN_LM_SAMPLES_H
#define FLOWRUN_LM_SAMPLES_H

#include <flowrun/batch.h>
#include <glib.h>

#include "lm/chat.h"
#include "lm/decoder.h"

G_BEGIN_DECLS

#define LM_TOKEN_LEARN 0x80000000u
#define LM_TOKEN_ID 0x7fffffffu

/**
 * LmDatasetSample:
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
} LmDatasetSample;

typedef enum
{
  LM_TRUNCATE_ERROR = 0,
  LM_TRUNCATE_REJECT,
  LM_TRUNCATE_LEFT,
  LM_TRUNCATE_RIGHT
} LmTruncate;

/**
 * LmSampleFate: what became of a row.
 * @n_tokens: of the whole sample, before it was cut
 * @over: it was longer than allowed; @cut: and was shortened
 * @rule: why it is none: "no_sample", "too_long", "nothing_to_learn"; NULL else
 */
typedef struct
{
  gsize n_tokens;
  gboolean over, cut;
  const char *rule;
} LmSampleFate;

/**
 * lm_sample_from_row: row @row of @batch as a sample of at most @max tokens.
 * @truncate: what becomes of a longer one; with LM_TRUNCATE_ERROR it is left as it is, for the
 * caller to complain
 * @error: FR_ERROR_DATA with @fate's rule: the row is no sample, and why; other errors have no rule
 */
gboolean lm_sample_from_row (LmRecord *record, LmChat *chat, const FrBatch *batch, gsize row,
                             gsize max, LmTruncate truncate, LmSample *sample, LmSampleFate *fate,
                             GError **error);

/** LmDataset: the samples of one input. */
typedef struct _LmDataset LmDataset;

/** lm_dataset_new: spills into @dir (borrowed) beyond @limit bytes; NULL: never. */
LmDataset *lm_dataset_new (const char *dir, gsize limit);
void lm_dataset_free (LmDataset *d);

/** lm_dataset_cut: shortens @s to @max tokens; @left: at the beginning, else at the end. */
void lm_dataset_cut (LmSample *s, gsize max, gboolean left);
/** lm_dataset_labels: tokens of @s that are predicted and learned. */
gsize lm_dataset_labels (const LmSample *s);
/** lm_dataset_add: FR_ERROR_IO when the disk is full. */
gboolean lm_dataset_add (LmDataset *d, FrRowId id, const LmSample *s, GError **error);
/** lm_dataset_seal: no more are added; from now on tokens can be read. */
gboolean lm_dataset_seal (LmDataset *d, GError **error);

gsize lm_dataset_n (const LmDataset *d);
const LmDatasetSample *lm_dataset_sample (const LmDataset *d, gsize i);
const guint32 *lm_dataset_tokens (const LmDataset *d, const LmDatasetSample *s);
/** lm_dataset_n_tokens, lm_dataset_n_labels: over all samples; lm_dataset_longest: tokens of the
 * longest; lm_dataset_bytes: memory held. */
guint64 lm_dataset_n_tokens (const LmDataset *d);
guint64 lm_dataset_n_labels (const LmDataset *d);
guint32 lm_dataset_longest (const LmDataset *d);
gsize lm_dataset_bytes (const LmDataset *d);
/** lm_dataset_hash: of ids, marks and row ids in their order, so that a checkpoint fits only its
 * own data. */
guint64 lm_dataset_hash (const LmDataset *d);

/* ---- orders and micro-batches ------------------------------------------------------------ */

/**
 * lm_pack_order: the order of @epoch, a permutation of the samples' indices that
 * depends on @seed and @epoch alone.
 * @step: samples a step takes
 * @shuffle: FALSE: as they came
 * @by_length: samples of one step have like lengths; steps stay in random order
 */
void lm_pack_order (const LmDataset *d, guint64 seed, guint64 epoch, gsize step, gboolean shuffle,
                    gboolean by_length, guint32 *order);

/**
 * LmPack: samples cut into micro-batches.
 * @samples: all of them, micro-batch after micro-batch
 * @ends: where each micro-batch ends in @samples
 */
typedef struct
{
  GArray *samples; /* guint32 */
  GArray *ends;    /* gsize */
} LmPack;

void lm_pack_init (LmPack *p);
void lm_pack_clear (LmPack *p);
/**
 * lm_pack_fill: cuts @n samples into micro-batches of at most @rows rows; one that is longer is
 * alone.
 * @best_fit: best fit decreasing; else in the order given, a new micro-batch whenever the next does
 * not fit
 */
void lm_pack_fill (LmPack *p, const LmDataset *d, const guint32 *samples, gsize n, gsize rows,
                   gboolean best_fit);

/** LmMicro: a micro-batch as the decoder wants it; reused from one to the next. */
typedef struct
{
  LmBatch batch;
  gsize n_labels;
  GArray *tokens, *positions, *labels, *starts, *keys;
} LmMicro;

void lm_micro_init (LmMicro *m);
void lm_micro_clear (LmMicro *m);
/**
 * lm_micro_fill: @n samples side by side.
 * @key: with the sample's index and the position it makes the dropout keys: equal keys drop equal
 *       elements, whatever else is in the micro-batch; 0: no dropout
 */
void lm_micro_fill (LmMicro *m, const LmDataset *d, const guint32 *samples, gsize n, guint64 key);

/**
 * LmMeasure: how a dataset is measured.
 * @rows: rows through the decoder at once; a longer sample is alone
 * @hits: whether to see if labels are the likeliest tokens
 * @go_on: called before each micro-batch with the samples done; FALSE: stop with
 * FR_ERROR_CANCELLED; or NULL
 * @sample: called for each sample, in the order they were measured in: its summed loss and hits; or
 * NULL
 */
typedef struct
{
  gsize rows;
  gboolean hits;
  gboolean (*go_on) (gpointer data, gsize n_done);
  void (*sample) (gpointer data, gsize i, double loss, gsize hits);
  gpointer data;
} LmMeasure;

/**
 * lm_dataset_measure: the loss of all samples, forward only.
 * *@loss: sum over labels of -log p; *@n_labels: how many; *@n_hits: of them the likeliest token;
 * may be NULL
 */
gboolean lm_dataset_measure (const LmDataset *d, LmDecoder *decoder, const LmMeasure *how,
                             double *loss, gsize *n_labels, gsize *n_hits, GError **error);

/** lm_pack_mix: splitmix64 of @key and @i: the numbers behind orders and dropout. */
static inline guint64
lm_pack_mix (guint64 key, guint64 i)
{
  guint64 z = key + (i + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDataset, lm_dataset_free)

G_END_DECLS

#endif
