/* SPDX-License-Identifier: Apache-2.0 */
/* decoder-private.h: what the parts of the decoder share.
 *
 * A decoder is an embedding, layers and a head.  A layer is two blocks on a
 * residual stream, attention and feed-forward; each is a forward/backward
 * pair behind LmBlock, made of linear layers, which are a pair of their own
 * and know LoRA.  Another kind of attention (multi-head latent) or
 * feed-forward (experts) is another LmBlock and a few rows in buffers.c.
 *
 * Letters in shapes: T rows (tokens) of a pass, D hidden, H heads, K key
 * heads, d head size, F feed-forward, V vocabulary, R rank, C rows of logits
 * made at once.  Matrices whose data is NULL are not there: no bias, not
 * trained, not wanted.
 */
#ifndef FLOWRUN_LM_DECODER_PRIVATE_H
#define FLOWRUN_LM_DECODER_PRIVATE_H

#include "lm/decoder.h"

typedef enum
{
  LM_LINEAR_Q = 0,
  LM_LINEAR_K,
  LM_LINEAR_V,
  LM_LINEAR_O,
  LM_LINEAR_GATE,
  LM_LINEAR_UP,
  LM_LINEAR_DOWN,
  LM_N_LINEARS
} LmLinearIndex;

/**
 * LmLinear: y = x·Wᵀ + bias + scale (drop (x)·Aᵀ)·Bᵀ.
 * @weight: [out, in], as stored or in the activation type
 * @packed: the same for products of int8; data NULL: floats
 * @bias: F32 [1, out]
 * @index: layer * LM_N_LINEARS + LmLinearIndex
 * @rank: 0: no adapter
 * @salt: makes this module's dropout another than its neighbours': by the module's name
 * @a, @b: [rank, in], [out, rank], activation type
 * gradients are F32
 */
typedef struct
{
  LmMat weight, weight_grad;
  LmPacked packed;
  LmMat bias, bias_grad;
  gsize index;
  guint rank;
  float scale, dropout;
  guint64 salt;
  LmMat a, a_grad, b, b_grad;
} LmLinear;

/** LmNorm: F32 [1, n] both. */
typedef struct
{
  LmMat weight, grad;
} LmNorm;

typedef struct _LmLayer LmLayer;
typedef struct _LmPass LmPass;
typedef struct _LmKept LmKept;

/**
 * LmBlock: one half of a layer: out = x + f (norm (x)).
 * @forward: adds f (norm (x)) to @out, which holds x (and may be x); @out NULL: only what backward
 * needs is computed
 * @backward: @dstream is the gradient of out; adds to the gradients of what is trained and, with
 * @need_dx, turns @dstream into the gradient of x
 * @trained: whether anything in it is
 */
typedef struct
{
  void (*forward) (LmPass *pass, const LmLayer *layer, LmKept *kept, LmMat x, const LmMat *out);
  void (*backward) (LmPass *pass, const LmLayer *layer, LmKept *kept, LmMat x, LmMat dstream,
                    gboolean need_dx);
  gboolean (*trained) (const LmLayer *layer);
} LmBlock;

extern const LmBlock lm_block_attention;   /* attention.c: grouped queries, rotary positions */
extern const LmBlock lm_block_feedforward; /* feedforward.c: gated by SiLU */

struct _LmLayer
{
  guint index;
  const LmBlock *attention, *feedforward;
  LmNorm input_norm, post_norm, q_norm, k_norm;
  LmLinear linears[LM_N_LINEARS];
};

/* ---- buffers.c: activations and gradients of one pass -------------------------------------- */

typedef enum
{
  LM_PASS_EVAL = 1 << 0,  /* forward of packed sequences */
  LM_PASS_GRAD = 1 << 1,  /* forward and backward */
  LM_PASS_CACHE = 1 << 2, /* forward with keys and values of a cache */
} LmPassKind;

/** LmKept: what backward needs of one layer's forward pass; shapes in the table. */
struct _LmKept
{
  LmMat x, mid;
  LmMat input_rstd, q_raw, k_raw, q_rstd, k_rstd, q, k, v, heads, lse;
  LmMat post_rstd, gate, up;
  LmMat h[LM_N_LINEARS];
};

/** LmWork: what all layers and the head share; shapes in the table. */
typedef struct
{
  LmMat stream, normed, act, dropped, adapted, cos, sin;
  LmMat dstream, dnormed, dheads, dq, dk, dv, dh;
  LmMat rows, rows_normed, rows_rstd, logits, drows;
} LmWork;

/**
 * LmShape: all that sizes of buffers depend on.
 * @n_rows: T; @loss_rows: C
 * @low: the lowest layer that backward reaches
 * @ranks: [n_layers * LM_N_LINEARS], of the decoder's own adapter; NULL: none
 * @adapter_rank: the largest of adapters beside it
 * @keep_all: each layer keeps its own (else all use one set, and only x is kept for each)
 */
typedef struct
{
  const LmConfig *config;
  LmPassKind kind;
  LmType act;
  gsize n_rows, loss_rows;
  guint low;
  const guint *ranks;
  guint adapter_rank;
  float dropout;
  gboolean keep_all;
} LmShape;

/**
 * lm_buffers_place: gives every buffer of @shape its place from @base on.
 * @kept: [n_layers], and @work: filled; both NULL to measure only
 * Returns the bytes, or 0 when they are more than can be counted.
 */
gsize lm_buffers_place (const LmShape *shape, gpointer base, LmKept *kept, LmWork *work);

/** lm_place: takes @rows × @cols numbers from the arena that has handed out *@used bytes, aligned
 * as lm_compute_alloc() aligns. */
gpointer lm_place (gpointer base, gsize *used, LmType type, gsize rows, gsize cols);

/* ---- params.c: what lives as long as the decoder ------------------------------------------- */

/**
 * LmHeld: a tensor that the decoder holds itself, not mapped.
 * @module: of an adapter (and @half_b which half); NULL: a weight of the model, by @role and @layer
 * @value, @grad: F32; grad of what is trained
 * @working: in the activation type where that is not the value itself
 */
typedef struct
{
  LmWeightRole role;
  guint layer;
  const LmLoraModule *module;
  gboolean half_b;
  gsize rows, cols;
  gboolean trained;
  LmMat value, grad, working;
} LmHeld;

/** lm_held_plan: LmHeld rows with nothing placed. */
GArray *lm_held_plan (const LmConfig *config, LmTrain train, LmLora *lora);
/** lm_held_place: as lm_buffers_place(). */
gsize lm_held_place (GArray *held, LmType act, gpointer base);
gboolean lm_params_new (LmDecoder *decoder, GError **error);
void lm_params_free (LmDecoder *decoder);
/** lm_lora_ranks: [n_layers * LM_N_LINEARS], g_free(); *@low: the lowest layer with one. */
guint *lm_lora_ranks (const LmConfig *config, LmLora *lora, guint *low);
/** lm_linear_of_role: LmLinearIndex of a matrix that LoRA can sit on. */
guint lm_linear_of_role (LmWeightRole role);
/** lm_fill_mat: writes numbers of type @from in host memory to @dst, converted. */
void lm_fill_mat (LmCompute *compute, LmMat dst, LmType from, gconstpointer src);

/* ---- adapter.c: adapters beside the decoder's own ------------------------------------------ */

/** LmAdapted: an adapter's part of one linear layer; rank 0: none. */
typedef struct
{
  guint rank;
  float scale;
  LmMat a, b;
} LmAdapted;

/** LmAdapter: @linears: [n_layers * LM_N_LINEARS]; @rank: the largest of them. */
typedef struct
{
  guint id, holds, rank;
  gpointer memory;
  gsize bytes;
  LmAdapted *linears;
} LmAdapter;

/** lm_decoder_adapter: NULL: none such. */
const LmAdapter *lm_decoder_adapter (LmDecoder *decoder, guint id);
void lm_adapters_free (LmDecoder *decoder);

/** LmPart: rows of a cache's pass that share an adapter: the decoder's own, none (NULL) or another. */
typedef struct
{
  gboolean own;
  const LmAdapter *adapter;
  gsize from, n;
} LmPart;

/* ---- packed.c ------------------------------------------------------------------------------ */

/** lm_packed_new: packs what options.int8 says, of weights that are in place. */
gboolean lm_packed_new (LmDecoder *decoder, GError **error);
void lm_packed_free (LmDecoder *decoder);

/* ---- decoder.c ----------------------------------------------------------------------------- */

struct _LmDecoder
{
  LmModel *model;
  const LmConfig *config;
  LmCompute *compute;
  LmDecoderOptions options; /* lora owned */

  gpointer fixed;
  gsize fixed_bytes;
  GArray *held;    /* LmHeld */
  GArray *params;  /* LmParam */
  GArray *imports; /* LmImport, params.c */
  gpointer packed; /* of all LmLinear, packed.c */
  gsize packed_bytes;
  guint n_packed;
  LmLinear embed, head;
  LmNorm final_norm;
  LmLayer *layers;
  double *inv_freq; /* [d / 2] */
  guint *ranks;
  guint low;
  GPtrArray *adapters; /* LmAdapter, beside its own */
  guint last_adapter;  /* the highest id given */

  gpointer arena; /* of one pass; grows, never shrinks */
  gsize arena_bytes;
  LmKept *kept;
  LmWork work;
  GArray *module_keys; /* guint64 [T]: keys of one module's dropout */
  GArray *spans;       /* LmSpan */
};

/**
 * LmPass: one run through the layers.
 * @keys: of dropout; NULL: none
 * @cache_k, @cache_v: [rows of the cache, K d] of the layer at work is cache_k[layer]; NULL: keys
 * are the pass's own
 * @parts: of a cache's pass: all its rows, in order
 * @spans: of attention; with a cache k_start and k_rows are rows of the cache
 */
struct _LmPass
{
  LmDecoder *decoder;
  LmCompute *compute;
  const LmConfig *config;
  LmWork *work;
  LmPassKind kind;
  gsize n_rows;
  const gint32 *tokens, *positions;
  const guint64 *keys;
  const LmSpan *spans;
  gsize n_spans;
  LmMat cos, sin;
  const LmMat *cache_k, *cache_v;
  const LmPart *parts;
  gsize n_parts;
};

/** lm_decoder_begin: makes room for a pass with logits of @n_out rows and describes it in @pass;
 * tokens, spans and rotation are the caller's. */
gboolean lm_decoder_begin (LmDecoder *decoder, LmPassKind kind, gsize n_rows, gsize n_out,
                           LmPass *pass, GError **error);
/** lm_decoder_rotation: fills rows [@from, @to) of cos and sin, F32 [max, d / 2]. */
void lm_decoder_rotation (LmDecoder *decoder, LmMat cos, LmMat sin, gsize from, gsize to);
gsize lm_decoder_loss_rows (const LmConfig *config, const LmDecoderOptions *options);

/* ---- layer.c ------------------------------------------------------------------------------- */

/** lm_layers_forward: embedding and all layers; the stream is left in work->stream [T, D]. */
void lm_layers_forward (LmPass *pass);
/** lm_layers_backward: from work->dstream [T, D], the gradient of what forward left. */
void lm_layers_backward (LmPass *pass);

/* ---- linear.c ------------------------------------------------------------------------------ */

/**
 * lm_linear_forward: y = (@add: +=) linear (x).
 * @y: [T, out]; data NULL: only @h is wanted
 * @x: [T, in]; @h: [T, rank], kept for backward; not looked at in a cache's pass, where each part
 * of the rows has its adapter
 */
void lm_linear_forward (LmPass *pass, const LmLinear *l, LmMat y, gboolean add, LmMat x, LmMat h);
/** lm_linears_forward: y[i] = linear i (x) of @n at most LM_N_LINEARS neighbours, in one product where that can be. */
void lm_linears_forward (LmPass *pass, const LmLinear *l, guint n, const LmMat *y, LmMat x,
                         const LmMat *h);
/**
 * lm_linear_backward: adds to the gradients of what is trained.
 * @dx: [T, in]: = (@add: +=) gradient of x; NULL: not wanted; may be @x
 * @dy: [T, out]; @x: [T, in], looked at only when lm_linear_trained(); @h: as forward left it
 */
void lm_linear_backward (LmPass *pass, const LmLinear *l, const LmMat *dx, gboolean add, LmMat dy,
                         LmMat x, LmMat h);
gboolean lm_linear_trained (const LmLinear *l);

/* ---- head.c -------------------------------------------------------------------------------- */

/**
 * lm_head_loss: loss of the labelled rows of work->stream.
 * @scale: not 0: work->dstream becomes @scale times the loss's gradient by the stream
 */
void lm_head_loss (LmPass *pass, const gint32 *labels, double scale, double *loss, gsize *n_labels);
/** lm_head_score: the loss alone, with what lm_decoder_score() wants of each label. */
void lm_head_score (LmPass *pass, const gint32 *labels, float *losses, guint8 *hits, double *loss,
                    gsize *n_labels);
/** lm_head_padded: rows that a chunk of @n takes in the products. */
gsize lm_head_padded (gsize n);
/** lm_head_logits: F32 logits of rows @rows [n] of work->stream into host memory [n, V]. */
void lm_head_logits (LmPass *pass, const gsize *rows, gsize n, float *logits);

#endif
