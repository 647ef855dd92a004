/* SPDX-License-Identifier: Apache-2.0 */
/* cache.c: generation's forward pass: keys and values of what was fed stay, by slot.
 *
 * Slot s owns rows s max_tokens … (s + 1) max_tokens of each layer's keys and
 * values.  A pass takes rows of any slots, new prompts and single tokens
 * alike, up to CHUNK of them; longer feeds take several passes.
 */
#include "config.h"

#include <string.h>

#include "lm/decoder/decoder-private.h"

#define CHUNK 512

struct _LmCache
{
  LmDecoder *decoder;
  guint n_slots;
  gsize max_tokens;
  gpointer memory;
  gsize bytes;
  LmMat *k, *v;                                /* [n_layers] of [n_slots * max_tokens, K d] */
  LmMat cos, sin;                              /* F32 [max_tokens, d / 2] */
  gsize n_rotated;                             /* rows of them that are filled */
  gsize *lengths;                              /* [n_slots] */
  GArray *tokens, *positions, *spans, *wanted; /* of one pass */
};

/* Returns the bytes, 0 when they are more than can be counted. */
static gsize
place (LmCache *cache, gpointer base)
{
  const LmConfig *c = cache->decoder->config;
  LmType type = cache->decoder->options.type;
  gsize used = 0, width = (gsize) c->n_kv_heads * c->head_dim, half = c->head_dim / 2, rows;

  if (!g_size_checked_mul (&rows, cache->n_slots, cache->max_tokens))
    return 0;
  for (guint l = 0; l < c->n_layers; l++)
    {
      cache->k[l] = lm_mat (lm_place (base, &used, type, rows, width), type, rows, width);
      cache->v[l] = lm_mat (lm_place (base, &used, type, rows, width), type, rows, width);
    }
  cache->cos = lm_mat (lm_place (base, &used, LM_F32, cache->max_tokens, half), LM_F32,
                       cache->max_tokens, half);
  cache->sin = lm_mat (lm_place (base, &used, LM_F32, cache->max_tokens, half), LM_F32,
                       cache->max_tokens, half);
  return used == G_MAXSIZE ? 0 : used;
}

LmCache *
lm_cache_new (LmDecoder *decoder, guint n_slots, gsize max_tokens, GError **error)
{
  g_autoptr (LmCache) cache = g_new0 (LmCache, 1);
  guint n_layers = decoder->config->n_layers;
  gsize bytes;

  cache->decoder = decoder;
  cache->n_slots = n_slots;
  cache->max_tokens = max_tokens;
  cache->k = g_new0 (LmMat, n_layers);
  cache->v = g_new0 (LmMat, n_layers);
  cache->lengths = g_new0 (gsize, MAX (n_slots, 1));
  cache->tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  cache->positions = g_array_new (FALSE, FALSE, sizeof (gint32));
  cache->spans = g_array_new (FALSE, FALSE, sizeof (LmSpan));
  cache->wanted = g_array_new (FALSE, FALSE, sizeof (gsize));
  if (n_slots == 0 || max_tokens == 0 || max_tokens > decoder->config->max_position
      || (bytes = place (cache, NULL)) == 0)
    {
      g_set_error (
          error, FR_ERROR, FR_ERROR_CONFIG,
          "a cache of %u sequences of %" G_GSIZE_FORMAT " tokens cannot be: %s was made for 1 … %u",
          n_slots, max_tokens, lm_model_name (decoder->model), decoder->config->max_position);
      return NULL;
    }
  if (!(cache->memory = lm_compute_alloc (decoder->compute, bytes, error)))
    return NULL;
  cache->bytes = bytes;
  place (cache, cache->memory);
  return g_steal_pointer (&cache);
}

void
lm_cache_free (LmCache *cache)
{
  if (!cache)
    return;
  if (cache->memory)
    lm_compute_release (cache->decoder->compute, cache->memory, cache->bytes);
  g_array_unref (cache->tokens);
  g_array_unref (cache->positions);
  g_array_unref (cache->spans);
  g_array_unref (cache->wanted);
  g_free (cache->k);
  g_free (cache->v);
  g_free (cache->lengths);
  g_free (cache);
}

gsize
lm_cache_length (const LmCache *cache, guint slot)
{
  g_return_val_if_fail (slot < cache->n_slots, 0);
  return cache->lengths[slot];
}

void
lm_cache_cut (LmCache *cache, guint slot, gsize length)
{
  g_return_if_fail (slot < cache->n_slots);
  cache->lengths[slot] = MIN (cache->lengths[slot], length);
}

/* Everything is checked before anything is appended. */
static gboolean
check_feeds (const LmCache *cache, const LmFeed *feeds, gsize n_feeds, GError **error)
{
  g_autofree gsize *lengths = g_memdup2 (cache->lengths, cache->n_slots * sizeof (gsize));
  guint vocab = cache->decoder->config->vocab_size;

  for (gsize i = 0; i < n_feeds; i++)
    {
      const LmFeed *f = &feeds[i];

      g_return_val_if_fail (f->slot < cache->n_slots && f->n > 0, FALSE);
      if (f->n > cache->max_tokens - lengths[f->slot])
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "a sequence of %" G_GSIZE_FORMAT " tokens has no room for %" G_GSIZE_FORMAT
                       " more: the limit is %" G_GSIZE_FORMAT,
                       lengths[f->slot], f->n, cache->max_tokens);
          return FALSE;
        }
      lengths[f->slot] += f->n;
      for (gsize t = 0; t < f->n; t++)
        if (f->tokens[t] < 0 || (guint) f->tokens[t] >= vocab)
          {
            g_set_error (error, FR_ERROR, FR_ERROR_DATA, "token %d is not in 0 … %u", f->tokens[t],
                         vocab - 1);
            return FALSE;
          }
    }
  return TRUE;
}

/* Adds tokens [from, from + n) of a feed to the pass that is being put together. */
static void
plan_rows (LmCache *cache, const LmFeed *f, gsize from, gsize n)
{
  gsize length = cache->lengths[f->slot];
  LmSpan span = { cache->tokens->len, n, f->slot * cache->max_tokens, length + n };

  g_array_append_val (cache->spans, span);
  g_array_append_vals (cache->tokens, f->tokens + from, n);
  for (gsize i = 0; i < n; i++)
    {
      gint32 position = (gint32) (length + i);

      g_array_append_val (cache->positions, position);
    }
  cache->lengths[f->slot] = length + n;
  if (f->want_logits && from + n == f->n)
    {
      gsize last = cache->tokens->len - 1;

      g_array_append_val (cache->wanted, last);
    }
}

static void
clear_plan (LmCache *cache)
{
  g_array_set_size (cache->tokens, 0);
  g_array_set_size (cache->positions, 0);
  g_array_set_size (cache->spans, 0);
  g_array_set_size (cache->wanted, 0);
}

static void
rotate_up_to (LmCache *cache, const LmFeed *feeds, gsize n_feeds)
{
  gsize most = cache->n_rotated;

  for (gsize i = 0; i < n_feeds; i++)
    most = MAX (most, cache->lengths[feeds[i].slot]);
  if (most == cache->n_rotated)
    return;
  most = MIN (cache->max_tokens, (most + 63) / 64 * 64);
  lm_decoder_rotation (cache->decoder, cache->cos, cache->sin, cache->n_rotated, most);
  cache->n_rotated = most;
}

/* Runs what was planned; *@logits moves on by what was wanted. */
static gboolean
run_plan (LmCache *cache, float **logits, GError **error)
{
  LmDecoder *d = cache->decoder;
  LmPass pass;

  if (!lm_decoder_begin (d, LM_PASS_CACHE, cache->tokens->len, cache->wanted->len, &pass, error))
    return FALSE;
  pass.tokens = (const gint32 *) (gpointer) cache->tokens->data;
  pass.positions = (const gint32 *) (gpointer) cache->positions->data;
  pass.spans = (const LmSpan *) (gpointer) cache->spans->data;
  pass.n_spans = cache->spans->len;
  pass.cos = cache->cos;
  pass.sin = cache->sin;
  pass.cache_k = cache->k;
  pass.cache_v = cache->v;
  lm_layers_forward (&pass);
  lm_head_logits (&pass, (const gsize *) (gpointer) cache->wanted->data, cache->wanted->len,
                  *logits);
  *logits += cache->wanted->len * (gsize) d->config->vocab_size;
  return d->compute->klass->sync (d->compute, error);
}

gboolean
lm_cache_feed (LmCache *cache, const LmFeed *feeds, gsize n_feeds, float *logits, GError **error)
{
  g_autofree gsize *before = NULL;

  if (!check_feeds (cache, feeds, n_feeds, error))
    return FALSE;
  before = g_memdup2 (cache->lengths, cache->n_slots * sizeof (gsize));
  clear_plan (cache);
  for (gsize i = 0, from = 0; i < n_feeds;)
    {
      gsize n = MIN (feeds[i].n - from, CHUNK - cache->tokens->len);

      plan_rows (cache, &feeds[i], from, n);
      from += n;
      if (from == feeds[i].n)
        {
          i++;
          from = 0;
        }
      if (i < n_feeds && cache->tokens->len < CHUNK)
        continue;
      rotate_up_to (cache, feeds, n_feeds);
      if (!run_plan (cache, &logits, error))
        {
          memcpy (cache->lengths, before, cache->n_slots * sizeof (gsize));
          return FALSE;
        }
      clear_plan (cache);
    }
  return TRUE;
}
