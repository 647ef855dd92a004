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
 * LmInt8: which products of a forward pass are of int8 (compute.h, matmul_packed), activations being rounded on the way:
 * none; those with weights that are stored in blocks; all, other weights being rounded to Q8_0 when the decoder is made.
 *
 * What it costs: SmolLM2-135M (Q4_1) has a loss of 9 400 tokens of English prose of 4.408 with floats and 4.411 with int8
 * (BF16 activations) or 4.413 (F32): 0.002 to 0.004 more, where the standard error is 0.001; single tokens move by 0.1.  The likeliest token is right
 * as often (29.5 %).  What a row gives does not depend on the rows beside it then, adapters of a rank of at most 64 included.
 */
typedef enum {
  LM_INT8_NEVER = 0,
  LM_INT8_STORED,
  LM_INT8_ALL
} LmInt8;

/**
 * LmDecoderOptions:
 * @type: of activations: LM_F32 or LM_BF16
 * @int8: a wish: what the backend cannot do so, and a matrix whose rows are no whole blocks, stays with
 *        floats; not with @train.  Takes as much memory as the weights again: they are packed.
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
  LmInt8 int8;
} LmDecoderOptions;

/** Words for two parameters of an element, and what they mean together: lm_weights_choices: "stored", "int8"; lm_products_choices:
 * "auto" (int8 of weights in blocks), "float".  Rounded weights have no products of floats: "int8" is the word that counts. */
extern const FrEnumValue *const lm_weights_choices[];
extern const FrEnumValue *const lm_products_choices[];
LmInt8 lm_int8_choose (int weights, int products);

/** lm_decoder_new: @model is referenced, @compute must outlive it. */
LmDecoder *lm_decoder_new (LmModel *model, LmCompute *compute, const LmDecoderOptions *options, GError **error);
void lm_decoder_free (LmDecoder *decoder);
/** lm_decoder_model: owned by the decoder. */
LmModel *lm_decoder_model (LmDecoder *decoder);
/** lm_decoder_int8: matrices that are multiplied by int8; *@bytes (may be NULL): what they take in the backend's memory,
 * packed.  0: all products are of floats. */
guint lm_decoder_int8 (LmDecoder *decoder, gsize *bytes);

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

/* ---- adapters beside the decoder's own ------------------------------------------------ */

/** Adapters of a feed: the decoder's own, if it has one; none; others by the id that lm_decoder_add_adapter() gave. */
#define LM_ADAPTER_OWN 0
#define LM_ADAPTER_NONE G_MAXUINT

/**
 * lm_decoder_add_adapter: copies A and B to the backend's memory in the activation type, for lm_cache_feed() alone.
 * Returns its id with one hold on it, never used again for another; 0: failed.
 * @error: FR_ERROR_DATA: a module that the model has not, or has with other sizes; FR_ERROR_IO: no memory
 */
guint lm_decoder_add_adapter (LmDecoder *decoder, LmLora *lora, GError **error);
/** lm_decoder_hold_adapter: one hold more; FALSE: there is none such.  LM_ADAPTER_OWN and LM_ADAPTER_NONE are always there. */
gboolean lm_decoder_hold_adapter (LmDecoder *decoder, guint adapter);
/** lm_decoder_release_adapter: one hold less; with the last one it is gone. */
void lm_decoder_release_adapter (LmDecoder *decoder, guint adapter);
/** lm_decoder_n_adapters: those that were added and are not gone. */
guint lm_decoder_n_adapters (LmDecoder *decoder);

/* ---- generation: a cache of keys and values ------------------------------------------ */

/**
 * LmCache: rows of keys and values, one for each token, in the decoder's activation type; freed before the decoder.
 * A region is a run of rows that one sequence owns; its tokens lie in them from the first on.  Regions
 * are moved as needed, which changes nothing that can be seen: the rows that are free are always enough for a region
 * of their number.
 */
typedef struct _LmCache LmCache;

#define LM_NO_REGION G_MAXUINT

/** lm_cache_token_bytes: what a row takes. */
gsize lm_cache_token_bytes (LmDecoder *decoder);
/**
 * lm_cache_new:
 * @n_rows: of all regions together
 * @longest: most tokens of one sequence: 1 … the model's context
 */
LmCache *lm_cache_new (LmDecoder *decoder, gsize n_rows, gsize longest, GError **error);
void lm_cache_free (LmCache *cache);
/** lm_cache_free_rows: those that no region owns. */
gsize lm_cache_free_rows (const LmCache *cache);
/** lm_cache_n_moved: how often regions were moved to join free rows. */
guint64 lm_cache_n_moved (const LmCache *cache);

/** lm_cache_open: a region of @n_rows without tokens: the lowest number that is not in use; LM_NO_REGION: not so many are free. */
guint lm_cache_open (LmCache *cache, gsize n_rows);
void lm_cache_close (LmCache *cache, guint region);
/** lm_cache_resize: to @n_rows, at least its length; FALSE: not so many are free. */
gboolean lm_cache_resize (LmCache *cache, guint region, gsize n_rows);
/** lm_cache_length: its tokens; lm_cache_room: its rows. */
gsize lm_cache_length (const LmCache *cache, guint region);
gsize lm_cache_room (const LmCache *cache, guint region);
/** lm_cache_cut: forget what it holds beyond @length tokens. */
void lm_cache_cut (LmCache *cache, guint region, gsize length);
/** lm_cache_copy: makes @to hold the first @n tokens of @from, another region with at least so many; @to has room for them. */
void lm_cache_copy (LmCache *cache, guint to, guint from, gsize n);

/** LmFeed: tokens to append to one region. */
typedef struct {
  guint region;
  const gint32 *tokens;
  gsize n;
  gboolean want_logits; /* of the last of them */
  guint adapter;        /* LM_ADAPTER_OWN, LM_ADAPTER_NONE or an id; held until the call is over */
  gboolean prompt;      /* what these rows give must not depend on how a sequence is cut into feeds; may be slower */
} LmFeed;

/**
 * lm_cache_feed: appends to several regions in one pass, whatever their adapters; long prompts go in chunks inside.
 * @logits: host memory, [number of feeds that want them, V] F32, in the order of @feeds
 * @error: FR_ERROR_DATA: a region is full, an adapter or a token is none of the decoder's
 */
gboolean lm_cache_feed (LmCache *cache, const LmFeed *feeds, gsize n_feeds, float *logits,
                        GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDecoder, lm_decoder_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCache, lm_cache_free)

G_END_DECLS

#endif
