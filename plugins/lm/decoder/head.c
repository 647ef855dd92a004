/* SPDX-License-Identifier: Apache-2.0 */
/* head.c: final norm, logits and loss of chosen rows, a chunk at a time.
 *
 *   r = chosen rows of the stream               [C, D]
 *   n = norm (r)                                [C, D]
 *   logits = n·Wᵀ                               [C, V]
 *   loss = sum of -log softmax (logits)[label]
 *
 * Backward follows at once, so that no more than C rows of logits exist; rows
 * without a label get no gradient.  A tied head's gradient is the embedding's.
 * Chunks are filled up with rows of zeros: products of odd heights are a
 * quarter slower.
 */
#include "config.h"

#include <string.h>

#include "lm/decoder/decoder-private.h"

/* Copies rows @rows [n] of the wide matrix to the packed one, or back, in runs of neighbours. */
static void
move_rows (LmPass *pass, LmMat wide, LmMat packed, const gsize *rows, gsize n, gboolean back)
{
  LmCompute *c = pass->compute;
  gsize bytes = lm_type_bytes (wide.type, wide.cols), run;

  for (gsize i = 0; i < n; i += run)
    {
      gpointer w = lm_mat_rows (wide, rows[i], 1).data, p = lm_mat_rows (packed, i, 1).data;

      for (run = 1; i + run < n && rows[i + run] == rows[i] + run;)
        run++;
      c->klass->copy (c, back ? w : p, back ? p : w, run * bytes);
    }
}

gsize
lm_head_padded (gsize n)
{
  return n <= 32 ? n : (n + 63) / 64 * 64;
}

/* Logits of n <= C rows, in work->logits; rows that fill it up are zero. */
static void
chunk_forward (LmPass *pass, const gsize *rows, gsize n)
{
  LmDecoder *d = pass->decoder;
  LmCompute *c = pass->compute;
  LmWork *w = pass->work;
  LmMat rstd = w->rows_rstd;
  gsize padded = MIN (lm_head_padded (n), w->rows.rows);

  rstd.rows = n;
  if (padded > n)
    c->klass->zero (c, lm_mat_rows (w->rows_normed, n, 1).data,
                    (padded - n) * lm_type_bytes (w->rows_normed.type, w->rows_normed.cols));
  move_rows (pass, w->stream, w->rows, rows, n, FALSE);
  c->klass->rms_norm (c, lm_mat_rows (w->rows_normed, 0, n), rstd, lm_mat_rows (w->rows, 0, n),
                      d->final_norm.weight, (float) d->config->rms_norm_eps);
  if (d->head.packed.data)
    c->klass->matmul_packed (
        c, &(LmPackedProduct){ lm_mat_rows (w->logits, 0, n), 0, &d->head.packed }, 1,
        lm_mat_rows (w->rows_normed, 0, n));
  else
    c->klass->matmul (c, lm_mat_rows (w->logits, 0, padded), 0, 1,
                      lm_mat_rows (w->rows_normed, 0, padded), FALSE, d->head.weight, TRUE);
}

/* From the gradient that cross-entropy left in work->logits to rows of dstream. */
static void
chunk_backward (LmPass *pass, const gsize *rows, gsize n)
{
  LmDecoder *d = pass->decoder;
  LmCompute *c = pass->compute;
  LmWork *w = pass->work;
  gsize padded = MIN (lm_head_padded (n), w->rows.rows);
  LmMat dlogits = lm_mat_rows (w->logits, 0, padded), dr = lm_mat_rows (w->drows, 0, n);

  if (d->head.weight_grad.data)
    c->klass->matmul (c, d->head.weight_grad, 1, 1, dlogits, TRUE,
                      lm_mat_rows (w->rows_normed, 0, padded), FALSE);
  c->klass->matmul (c, lm_mat_rows (w->drows, 0, padded), 0, 1, dlogits, FALSE, d->head.weight,
                    FALSE);
  c->klass->rms_norm_back (c, dr, 0, d->final_norm.grad, dr, lm_mat_rows (w->rows, 0, n),
                           d->final_norm.weight, w->rows_rstd);
  move_rows (pass, w->dstream, dr, rows, n, TRUE);
}

/* Of @n rows left, so that all chunks are about alike: a short last one would be slow. */
static gsize
chunk_size (gsize n, gsize most)
{
  gsize chunks = (n + most - 1) / most;

  return (n + chunks - 1) / chunks;
}

/* Whether the target's logit is the largest, of equals the first: no number before it is as large,
 * none behind it is larger.  Counting is what a compiler makes vectors of. */
static gboolean
is_likeliest (const float *logits, gsize n, gsize target)
{
  float own = logits[target];
  guint32 above = 0;

  for (gsize i = 0; i < target; i++)
    above += logits[i] >= own;
  for (gsize i = target + 1; i < n; i++)
    above += logits[i] > own;
  return above == 0 && own == own;
}

/* Hits of the @n rows of logits that chunk_forward() left; @room: host memory for one of them. */
static void
chunk_hits (LmPass *pass, const gint32 *targets, gsize n, float *room, guint8 *hits)
{
  LmCompute *c = pass->compute;
  LmMat logits = pass->work->logits;

  for (gsize i = 0; i < n; i++)
    {
      gconstpointer row = lm_mat_rows (logits, i, 1).data;

      if (!c->klass->host_memory)
        c->klass->download (c, room, row, logits.cols * sizeof *room);
      hits[i] = is_likeliest (c->klass->host_memory ? row : room, logits.cols, (gsize) targets[i]);
    }
}

/* @losses and @hits may be NULL; @hits only where @scale is 0, for going back takes the logits. */
static void
head_loss (LmPass *pass, const gint32 *labels, double scale, float *losses, guint8 *hits,
           double *loss, gsize *n_labels)
{
  LmCompute *c = pass->compute;
  LmWork *w = pass->work;
  gsize most = w->logits.rows, n = 0, k;
  g_autofree gsize *rows = g_new (gsize, pass->n_rows + 1);
  g_autofree gint32 *targets = g_new (gint32, pass->n_rows + 1);
  g_autofree float *some = g_new (float, most + 1), *room = hits ? g_new (float, w->logits.cols) : NULL;

  for (gsize t = 0; t < pass->n_rows; t++)
    if (labels[t] >= 0)
      {
        rows[n] = t;
        targets[n++] = labels[t];
      }
  *loss = 0;
  *n_labels = n;
  if (scale != 0)
    c->klass->zero (c, w->dstream.data,
                    w->dstream.rows * lm_type_bytes (w->dstream.type, w->dstream.cols));
  for (gsize i = 0; i < n; i += k)
    {
      k = chunk_size (n - i, most);
      chunk_forward (pass, rows + i, k);
      c->klass->cross_entropy (c, lm_mat_rows (w->logits, 0, k), targets + i, some, (float) scale);
      if (scale != 0)
        chunk_backward (pass, rows + i, k);
      if (hits)
        chunk_hits (pass, targets + i, k, room, hits + i);
      if (losses)
        memcpy (losses + i, some, k * sizeof *some);
      for (gsize j = 0; j < k; j++)
        *loss += some[j];
    }
}

void
lm_head_loss (LmPass *pass, const gint32 *labels, double scale, double *loss, gsize *n_labels)
{
  head_loss (pass, labels, scale, NULL, NULL, loss, n_labels);
}

void
lm_head_score (LmPass *pass, const gint32 *labels, float *losses, guint8 *hits, double *loss,
               gsize *n_labels)
{
  head_loss (pass, labels, 0, losses, hits, loss, n_labels);
}

void
lm_head_logits (LmPass *pass, const gsize *rows, gsize n, float *logits)
{
  LmCompute *c = pass->compute;
  LmMat made = pass->work->logits;

  for (gsize i = 0; i < n; i += made.rows)
    {
      gsize k = MIN (made.rows, n - i);

      chunk_forward (pass, rows + i, k);
      c->klass->download (c, logits + i * made.cols, made.data, k * made.cols * sizeof *logits);
    }
}
