/* SPDX-License-Identifier: Apache-2.0 */
/* decoder.c: a decoder's life, its passes over batches of packed sequences, and their memory. */
#include "config.h"

#include "lm/decoder/decoder-private.h"

/* Bytes of F32 logits that one chunk may take, and its rows: a piece for each of two threads is
 * fast from 256 on. */
#define LOGITS_BYTES ((gsize) 128 << 20)
#define LEAST_ROWS 256
#define MOST_ROWS 512

gsize
lm_decoder_loss_rows (const LmConfig *config, const LmDecoderOptions *options)
{
  gsize rows = LOGITS_BYTES / sizeof (float) / MAX (config->vocab_size, 1);

  if (options->loss_rows > 0)
    return options->loss_rows;
  return CLAMP (rows / LEAST_ROWS * LEAST_ROWS, LEAST_ROWS, MOST_ROWS);
}

static LmShape
shape_of (const LmConfig *config, const LmDecoderOptions *options, const guint *ranks, guint low,
          LmPassKind kind, gsize n_rows, gsize n_out)
{
  LmLora *lora = options->lora;

  return (LmShape){
    .config = config,
    .kind = kind,
    .act = options->type,
    .n_rows = n_rows,
    .loss_rows = MIN (lm_head_padded (n_out), lm_decoder_loss_rows (config, options)),
    .low = kind == LM_PASS_GRAD ? low : 0,
    .ranks = ranks,
    .dropout = lora ? (float) lora->spec.dropout : 0,
    .keep_all = !options->recompute,
  };
}

gsize
lm_decoder_bytes (const LmConfig *config, const LmDecoderOptions *options, gsize n_tokens,
                  gsize n_labels, gsize *fixed)
{
  g_autoptr (GArray) held = lm_held_plan (config, options->train, options->lora);
  gsize held_bytes = lm_held_place (held, options->type, NULL), most = 0;
  guint low;
  g_autofree guint *ranks = lm_lora_ranks (config, options->lora, &low);

  for (LmPassKind kind = LM_PASS_EVAL; kind <= LM_PASS_GRAD; kind <<= 1)
    if (kind == LM_PASS_EVAL || options->train != LM_TRAIN_NOTHING)
      {
        LmShape shape = shape_of (config, options, ranks, low, kind, n_tokens, n_labels);

        most = MAX (most, lm_buffers_place (&shape, NULL, NULL, NULL));
      }
  if (fixed)
    *fixed = held_bytes;
  return held_bytes + most;
}

/* ---- life ---------------------------------------------------------------------------------- */

static gboolean
check_options (LmDecoder *d, GError **error)
{
  const char *name = lm_model_name (d->model);
  LmLora *lora = d->options.lora;

  if (d->options.type != LM_F32 && d->options.type != LM_BF16)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "activations can be F32 or BF16, not %s",
                 lm_types[d->options.type].name);
  else if (d->options.train == LM_TRAIN_LORA && (!lora || lora->modules->len == 0))
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "%s: there is no adapter to train", name);
  else if (d->options.train == LM_TRAIN_FULL && lora)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                 "%s has an adapter: merge it into the weights before they are trained", name);
  else if (d->options.train != LM_TRAIN_NOTHING && d->options.int8 != LM_INT8_NEVER)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                 "%s: products of int8 have no gradient: train with floats", name);
  else
    return TRUE;
  return FALSE;
}

static void
make_layers (LmDecoder *d)
{
  d->layers = g_new0 (LmLayer, d->config->n_layers);
  for (guint l = 0; l < d->config->n_layers; l++)
    {
      d->layers[l].index = l;
      d->layers[l].attention = &lm_block_attention;
      d->layers[l].feedforward = &lm_block_feedforward;
      for (guint i = 0; i < LM_N_LINEARS; i++)
        d->layers[l].linears[i].index = (gsize) l * LM_N_LINEARS + i;
    }
}

LmDecoder *
lm_decoder_new (LmModel *model, LmCompute *compute, const LmDecoderOptions *options, GError **error)
{
  g_autoptr (LmDecoder) d = g_new0 (LmDecoder, 1);
  LmLora *lora = options->lora ? options->lora : lm_model_lora (model);

  d->model = fr_object_ref (model);
  d->config = lm_model_config (model);
  d->compute = compute;
  d->adapters = g_ptr_array_new ();
  d->options = *options;
  d->options.lora = lora ? lm_lora_ref (lora) : NULL;
  if (!check_options (d, error))
    return NULL;
  make_layers (d);
  d->ranks = lm_lora_ranks (d->config, lora, &d->low);
  d->kept = g_new0 (LmKept, d->config->n_layers);
  d->inv_freq = g_new (double, d->config->head_dim / 2);
  lm_rope_frequencies (d->config, d->inv_freq);
  d->module_keys = g_array_new (FALSE, FALSE, sizeof (guint64));
  d->spans = g_array_new (FALSE, FALSE, sizeof (LmSpan));
  return lm_params_new (d, error) && lm_packed_new (d, error) ? g_steal_pointer (&d) : NULL;
}

LmModel *
lm_decoder_model (LmDecoder *decoder)
{
  return decoder->model;
}

void
lm_decoder_free (LmDecoder *d)
{
  if (!d)
    return;
  lm_adapters_free (d);
  lm_packed_free (d);
  lm_params_free (d);
  if (d->arena)
    lm_compute_release (d->compute, d->arena, d->arena_bytes);
  g_clear_pointer (&d->module_keys, g_array_unref);
  g_clear_pointer (&d->spans, g_array_unref);
  g_clear_pointer (&d->options.lora, lm_lora_unref);
  g_free (d->layers);
  g_free (d->ranks);
  g_free (d->kept);
  g_free (d->inv_freq);
  fr_object_unref (d->model);
  g_free (d);
}

/* ---- a pass -------------------------------------------------------------------------------- */

void
lm_decoder_rotation (LmDecoder *d, LmMat cos_mat, LmMat sin_mat, gsize from, gsize to)
{
  gsize half = d->config->head_dim / 2, n = (to - from) * half;
  g_autofree float *values = g_new (float, 2 * n);

  lm_rope_table (d->config, d->inv_freq, from, to, values, values + n);
  d->compute->klass->upload (d->compute, lm_mat_rows (cos_mat, from, 1).data, values,
                             n * sizeof *values);
  d->compute->klass->upload (d->compute, lm_mat_rows (sin_mat, from, 1).data, values + n,
                             n * sizeof *values);
}

gboolean
lm_decoder_begin (LmDecoder *d, LmPassKind kind, gsize n_rows, gsize n_out, LmPass *pass,
                  GError **error)
{
  LmShape shape = shape_of (d->config, &d->options, d->ranks, d->low, kind, n_rows, n_out);
  gsize bytes;

  for (guint i = 0; i < d->adapters->len; i++)
    shape.adapter_rank
        = MAX (shape.adapter_rank, ((LmAdapter *) g_ptr_array_index (d->adapters, i))->rank);
  bytes = lm_buffers_place (&shape, NULL, NULL, NULL);
  if (bytes == 0 && n_rows > 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "a batch of %" G_GSIZE_FORMAT " tokens needs more memory than can be addressed",
                   n_rows);
      return FALSE;
    }
  if (bytes > d->arena_bytes)
    {
      if (d->arena)
        lm_compute_release (d->compute, d->arena, d->arena_bytes);
      d->arena_bytes = 0;
      if (!(d->arena = lm_compute_alloc (d->compute, bytes, error)))
        return FALSE;
      d->arena_bytes = bytes;
    }
  lm_buffers_place (&shape, d->arena, d->kept, &d->work);
  *pass = (LmPass){ .decoder = d,
                    .compute = d->compute,
                    .config = d->config,
                    .work = &d->work,
                    .kind = kind,
                    .n_rows = n_rows,
                    .cos = d->work.cos,
                    .sin = d->work.sin };
  return TRUE;
}

static gboolean
bad_row (const char *what, gsize row, gint64 found, gint64 limit, GError **error)
{
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "%s %" G_GINT64_FORMAT " of token %" G_GSIZE_FORMAT
               " of a batch is not in 0 … %" G_GINT64_FORMAT,
               what, found, row, limit - 1);
  return FALSE;
}

static gboolean
check_batch (const LmDecoder *d, const LmBatch *b, GError **error)
{
  gint64 vocab = d->config->vocab_size, positions = MIN (d->config->max_position, b->n_tokens);

  for (gsize t = 0; t < b->n_tokens; t++)
    {
      if (b->tokens[t] < 0 || b->tokens[t] >= vocab)
        return bad_row ("number", t, b->tokens[t], vocab, error);
      if (b->positions[t] < 0 || b->positions[t] >= positions)
        return bad_row ("position", t, b->positions[t], positions, error);
      if (b->labels && b->labels[t] >= vocab)
        return bad_row ("label", t, b->labels[t], vocab, error);
    }
  for (gsize s = 0; s < b->n_seqs; s++)
    if (b->starts[s] > b->starts[s + 1] || b->starts[0] != 0)
      return bad_row ("start of sequence", s, b->starts[s], b->n_tokens, error);
  if (b->n_tokens > 0 && (b->n_seqs == 0 || b->starts[b->n_seqs] != b->n_tokens))
    return bad_row ("end of sequences", b->n_tokens, b->n_seqs ? b->starts[b->n_seqs] : 0,
                    b->n_tokens + 1, error);
  return TRUE;
}

static gsize
n_labels_of (const LmBatch *b)
{
  gsize n = 0;

  for (gsize t = 0; t < b->n_tokens; t++)
    n += b->labels[t] >= 0;
  return n;
}

static void
set_sequences (LmDecoder *d, const LmBatch *b, LmPass *pass)
{
  gint32 last = -1;

  g_array_set_size (d->spans, 0);
  for (gsize s = 0; s < b->n_seqs; s++)
    {
      gsize n = b->starts[s + 1] - b->starts[s];
      LmSpan span = { b->starts[s], n, b->starts[s], n, FALSE };

      if (n > 0)
        g_array_append_val (d->spans, span);
    }
  for (gsize t = 0; t < b->n_tokens; t++)
    last = MAX (last, b->positions[t]);
  lm_decoder_rotation (d, pass->cos, pass->sin, 0, last + 1);
  pass->spans = (const LmSpan *) (gpointer) d->spans->data;
  pass->n_spans = d->spans->len;
  pass->tokens = b->tokens;
  pass->positions = b->positions;
}

static gboolean
begin_batch (LmDecoder *d, LmPassKind kind, const LmBatch *b, gsize n_out, LmPass *pass,
             GError **error)
{
  if (!check_batch (d, b, error) || !lm_decoder_begin (d, kind, b->n_tokens, n_out, pass, error))
    return FALSE;
  set_sequences (d, b, pass);
  return TRUE;
}

gboolean
lm_decoder_score (LmDecoder *d, const LmBatch *batch, float *losses, guint8 *hits, double *loss,
                  gsize *n_labels, GError **error)
{
  LmPass pass;

  if (!begin_batch (d, LM_PASS_EVAL, batch, n_labels_of (batch), &pass, error))
    return FALSE;
  lm_layers_forward (&pass);
  lm_head_score (&pass, batch->labels, losses, hits, loss, n_labels);
  return d->compute->klass->sync (d->compute, error);
}

gboolean
lm_decoder_loss (LmDecoder *d, const LmBatch *batch, double *loss, gsize *n_labels, GError **error)
{
  return lm_decoder_score (d, batch, NULL, NULL, loss, n_labels, error);
}

gboolean
lm_decoder_grad (LmDecoder *d, const LmBatch *batch, double scale, double *loss, gsize *n_labels,
                 GError **error)
{
  LmPass pass;

  g_return_val_if_fail (d->options.train != LM_TRAIN_NOTHING, FALSE);
  if (!begin_batch (d, LM_PASS_GRAD, batch, n_labels_of (batch), &pass, error))
    return FALSE;
  pass.keys = batch->keys;
  lm_layers_forward (&pass);
  lm_head_loss (&pass, batch->labels, scale, loss, n_labels);
  if (*n_labels > 0 && scale != 0)
    lm_layers_backward (&pass);
  return d->compute->klass->sync (d->compute, error);
}

gboolean
lm_decoder_logits (LmDecoder *d, const LmBatch *batch, float *logits, GError **error)
{
  g_autofree gsize *rows = g_new (gsize, batch->n_tokens + 1);
  LmPass pass;

  if (!begin_batch (d, LM_PASS_EVAL, batch, batch->n_tokens, &pass, error))
    return FALSE;
  for (gsize t = 0; t < batch->n_tokens; t++)
    rows[t] = t;
  lm_layers_forward (&pass);
  lm_head_logits (&pass, rows, batch->n_tokens, logits);
  return d->compute->klass->sync (d->compute, error);
}
