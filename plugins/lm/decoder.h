/* SPDX-License-Identifier: Apache-2.0 */
/* decoder.h: a decoder at work on a compute backend: loss, gradients, logits with a cache.
 *
 * Follows transformers' modeling_llama, modeling_qwen2 and modeling_qwen3.
 * Shapes: T tokens of all sequences of a batch, packed one after the other
 * without padding; D hidden; H heads; K key heads; d head size; F feed-forward; V vocabulary.
 * LoRA is part of the linear layer: y = x·Wᵀ + s·(drop(x)·Aᵀ)·Bᵀ; ΔW is never made.
 * Logits are made a chunk at a time and only where a label counts.
 */
#ifndef FLOWRUN_LM_DECODER_H
#define FLOWRUN_LM_DECODER_H

#include <glib.h>

#include "lm/compute.h"
#include "lm/model.h"

G_BEGIN_DECLS

typedef struct _LmDecoder LmDecoder;

typedef enum {
  LM_TRAIN_NOTHING = 0,
  LM_TRAIN_LORA,
  LM_TRAIN_FULL
} LmTrain;

/**
 * LmDecoderOptions:
 * @type: of activations: LM_F32 or LM_BF16
 * @train: what gets gradients
 * @lora: the adapter to start from (its A and B are copied); NULL: the model's own, if any
 * @recompute: keep only each layer's input and compute the rest again going back
 * @loss_rows: rows of logits made at once; 0: chosen
 */
typedef struct {
  LmType type;
  LmTrain train;
  LmLora *lora;
  gboolean recompute;
  gsize loss_rows;
} LmDecoderOptions;

/** lm_decoder_new: @model is referenced, @compute must outlive it. */
LmDecoder *lm_decoder_new (LmModel *model, LmCompute *compute, const LmDecoderOptions *options, GError **error);
void lm_decoder_free (LmDecoder *decoder);
/** lm_decoder_model: owned by the decoder. */
LmModel *lm_decoder_model (LmDecoder *decoder);

/** lm_decoder_bytes: the most that a batch of @n_tokens, @n_labels of them labelled, will hold in the backend's memory
 * besides mapped weights, by the same table that allocates; *@fixed (may be NULL): of it, what does not depend on the batch. */
gsize lm_decoder_bytes (const LmConfig *config, const LmDecoderOptions *options, gsize n_tokens,
                        gsize n_labels, gsize *fixed);

/**
 * LmBatch: packed sequences.
 * @tokens, @positions: [T]; positions start at 0 in every sequence
 * @labels: [T]: the token that row t should predict (the next one); -1: none
 * @starts: [n_seqs + 1]: sequence s is rows starts[s] … starts[s + 1]
 * @keys: [T]: for dropout: a number that stands for step, record and position; NULL: no dropout
 */
typedef struct {
  gsize n_tokens, n_seqs;
  const gint32 *tokens, *positions, *labels;
  const gsize *starts;
  const guint64 *keys;
} LmBatch;

/**
 * lm_decoder_loss: forward only, without dropout.
 * *@loss: sum over labelled rows of -log p; *@n_labels: how many
 */
gboolean lm_decoder_loss (LmDecoder *decoder, const LmBatch *batch, double *loss, gsize *n_labels,
                          GError **error);
/**
 * lm_decoder_score: lm_decoder_loss(), label by label.
 * @losses: host memory, [labels of the batch]: -log p of each, in their order; NULL: not wanted
 * @hits: [labels of the batch]: 1 where the label is the likeliest token (of equals the one with the lowest number),
 *        0 else; NULL: not wanted, which saves a look at all logits
 */
gboolean lm_decoder_score (LmDecoder *decoder, const LmBatch *batch, float *losses, guint8 *hits,
                           double *loss, gsize *n_labels, GError **error);
/**
 * lm_decoder_grad: forward and backward; adds @scale times the gradient of the summed loss to the gradients.
 * With @scale = 1 / (labels of the whole step), micro-batches give the gradient of the big batch.
 */
gboolean lm_decoder_grad (LmDecoder *decoder, const LmBatch *batch, double scale, double *loss,
                          gsize *n_labels, GError **error);
/** lm_decoder_logits: F32 logits of every row into @logits [T, V] in host memory (tests, evaluation). */
gboolean lm_decoder_logits (LmDecoder *decoder, const LmBatch *batch, float *logits, GError **error);

/* ---- what is trained --------------------------------------------------------------- */

/**
 * LmParam: one trained tensor; value and grad are F32 in the backend's memory.
 * @name: as it is saved: "model.layers.0.self_attn.q_proj.lora_A.weight", or the tensor's own name
 * @decay: whether weight decay applies (matrices; not norms and biases)
 */
typedef struct {
  char *name;
  gsize rows, cols; /* rows 1 for a vector */
  gpointer value, grad;
  gboolean decay;
} LmParam;

gsize lm_decoder_n_params (LmDecoder *decoder);
LmParam *lm_decoder_param (LmDecoder *decoder, gsize i);
void lm_decoder_zero_grad (LmDecoder *decoder);
/** lm_decoder_params_changed: call after values were written: working copies in the activation type are made anew. */
void lm_decoder_params_changed (LmDecoder *decoder);
/** lm_decoder_take_lora: the adapter as it is now, in host memory. */
LmLora *lm_decoder_take_lora (LmDecoder *decoder, GError **error);
/** lm_decoder_take_tensors: all trained tensors in @type (LmTensor *, owned by the array), for lm_model_new_tuned(). */
GPtrArray *lm_decoder_take_tensors (LmDecoder *decoder, LmType type, GError **error);

/* ---- generation: a cache of keys and values ------------------------------------------ */

/** LmCache: @n_slots sequences of at most @max_tokens each, in the decoder's activation type; freed before the decoder. */
typedef struct _LmCache LmCache;
LmCache *lm_cache_new (LmDecoder *decoder, guint n_slots, gsize max_tokens, GError **error);
void lm_cache_free (LmCache *cache);
gsize lm_cache_length (const LmCache *cache, guint slot);
/** lm_cache_cut: forget what slot holds beyond @length tokens. */
void lm_cache_cut (LmCache *cache, guint slot, gsize length);

/** LmFeed: tokens to append to one slot. */
typedef struct {
  guint slot;
  const gint32 *tokens;
  gsize n;
  gboolean want_logits; /* of the last of them */
} LmFeed;

/**
 * lm_cache_feed: appends to several slots in one pass; long prompts go in chunks inside.
 * @logits: host memory, [number of feeds that want them, V] F32, in the order of @feeds
 * @error: FR_ERROR_DATA: a slot is full
 */
gboolean lm_cache_feed (LmCache *cache, const LmFeed *feeds, gsize n_feeds, float *logits,
                        GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDecoder, lm_decoder_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCache, lm_cache_free)

G_END_DECLS

#endif
