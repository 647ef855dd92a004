/* SPDX-License-Identifier: Apache-2.0 */
/* cache.c: generation's forward pass: keys and values of what was fed stay, by region.
 *
 * A region is a run of neighbouring rows of each layer's keys and values, for attention reads a
 * sequence's as one matrix.  Regions lie in the arena as a list by their first row; what is between
 * them is free.  A new one takes the smallest hole that will do; where only holes together are
 * large enough, the fewest rows are moved that join so many.
 *
 * A pass takes rows of any regions, new prompts and single tokens alike, up to CHUNK of them;
 * longer feeds take several passes.  Rows of one adapter lie together in a pass.
 */
#include "config.h"

#include <string.h>

#include "lm/decoder/decoder-private.h"

#define CHUNK 512

typedef struct
{
  gboolean used;
  gsize first, n_rows, length;
} Region;

/* Tokens [from, from + n) of a feed, in the pass that is put together. */
typedef struct
{
  const LmFeed *feed;
  gsize from, n, length; /* length of the region before them */
  gsize at;              /* row of the pass */
  gboolean laid;
} Piece;

struct _LmCache
{
  LmDecoder *decoder;
  gsize n_rows, longest, n_free;
  gpointer memory;
  gsize bytes;
  LmMat *k, *v;    /* [n_layers] of [n_rows, K d] */
  LmMat cos, sin;  /* F32 [longest, d / 2] */
  gsize n_rotated; /* rows of them that are filled */
  GArray *regions; /* Region, by number */
  GArray *order;   /* guint: those in use, by first row */
  guint64 n_moved;
  GArray *pieces, *tokens, *positions, *spans, *parts, *wanted; /* of one pass */
};

#define REGION(cache, i) (&g_array_index ((cache)->regions, Region, (i)))
/* The region at place @i in the order of rows. */
#define ORDERED(cache, i) REGION (cache, g_array_index ((cache)->order, guint, (i)))

/* ---- memory ---------------------------------------------------------------------------------- */

/* Returns the bytes, 0 when they are more than can be counted. */
static gsize
place (LmCache *cache, gpointer base)
{
  const LmConfig *c = cache->decoder->config;
  LmType type = cache->decoder->options.type;
  gsize used = 0, width = (gsize) c->n_kv_heads * c->head_dim, half = c->head_dim / 2;

  for (guint l = 0; l < c->n_layers; l++)
    {
      cache->k[l]
          = lm_mat (lm_place (base, &used, type, cache->n_rows, width), type, cache->n_rows, width);
      cache->v[l]
          = lm_mat (lm_place (base, &used, type, cache->n_rows, width), type, cache->n_rows, width);
    }
  cache->cos
      = lm_mat (lm_place (base, &used, LM_F32, cache->longest, half), LM_F32, cache->longest, half);
  cache->sin
      = lm_mat (lm_place (base, &used, LM_F32, cache->longest, half), LM_F32, cache->longest, half);
  return used == G_MAXSIZE ? 0 : used;
}

gsize
lm_cache_token_bytes (LmDecoder *decoder)
{
  const LmConfig *c = decoder->config;

  return 2 * (gsize) c->n_layers
         * lm_type_bytes (decoder->options.type, (gsize) c->n_kv_heads * c->head_dim);
}

LmCache *
lm_cache_new (LmDecoder *decoder, gsize n_rows, gsize longest, GError **error)
{
  g_autoptr (LmCache) cache = g_new0 (LmCache, 1);
  guint n_layers = decoder->config->n_layers;
  gsize bytes;

  cache->decoder = decoder;
  cache->n_rows = cache->n_free = n_rows;
  cache->longest = longest;
  cache->k = g_new0 (LmMat, n_layers);
  cache->v = g_new0 (LmMat, n_layers);
  cache->regions = g_array_new (FALSE, TRUE, sizeof (Region));
  cache->order = g_array_new (FALSE, FALSE, sizeof (guint));
  cache->pieces = g_array_new (FALSE, FALSE, sizeof (Piece));
  cache->tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  cache->positions = g_array_new (FALSE, FALSE, sizeof (gint32));
  cache->spans = g_array_new (FALSE, FALSE, sizeof (LmSpan));
  cache->parts = g_array_new (FALSE, FALSE, sizeof (LmPart));
  cache->wanted = g_array_new (FALSE, FALSE, sizeof (gsize));
  if (n_rows == 0 || longest == 0 || longest > decoder->config->max_position
      || (bytes = place (cache, NULL)) == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "a cache of %" G_GSIZE_FORMAT " tokens, up to %" G_GSIZE_FORMAT
                   " in a sequence, cannot be: %s was made for 1 … %u",
                   n_rows, longest, lm_model_name (decoder->model), decoder->config->max_position);
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
  g_array_unref (cache->regions);
  g_array_unref (cache->order);
  g_array_unref (cache->pieces);
  g_array_unref (cache->tokens);
  g_array_unref (cache->positions);
  g_array_unref (cache->spans);
  g_array_unref (cache->parts);
  g_array_unref (cache->wanted);
  g_free (cache->k);
  g_free (cache->v);
  g_free (cache);
}

gsize
lm_cache_free_rows (const LmCache *cache)
{
  return cache->n_free;
}

guint64
lm_cache_n_moved (const LmCache *cache)
{
  return cache->n_moved;
}

/* ---- regions --------------------------------------------------------------------------------- */

static void
copy_rows (LmCache *cache, gsize to, gsize from, gsize n)
{
  LmDecoder *d = cache->decoder;
  gsize row = lm_type_bytes (cache->k[0].type, cache->k[0].cols);

  for (guint l = 0; l < d->config->n_layers; l++)
    {
      d->compute->klass->copy (d->compute, lm_mat_rows (cache->k[l], to, n).data,
                               lm_mat_rows (cache->k[l], from, n).data, n * row);
      d->compute->klass->copy (d->compute, lm_mat_rows (cache->v[l], to, n).data,
                               lm_mat_rows (cache->v[l], from, n).data, n * row);
    }
}

/* Old and new place may overlap; a backend's copy may not: by pieces as long as the way, from the
 * end that lies ahead. */
static void
move_region (LmCache *cache, Region *r, gsize first)
{
  gboolean down = first < r->first;
  gsize way = down ? r->first - first : first - r->first;

  for (gsize done = 0, n; way > 0 && done < r->length; done += n)
    {
      gsize at;

      n = MIN (way, r->length - done);
      at = down ? done : r->length - done - n;
      copy_rows (cache, first + at, r->first + at, n);
    }
  r->first = first;
}

/* Where the rows before place @i in the order end. */
static gsize
end_before (const LmCache *cache, guint i)
{
  const Region *r = i > 0 ? ORDERED (cache, i - 1) : NULL;

  return r ? r->first + r->n_rows : 0;
}

/* Free rows between places @i - 1 and @i in the order. */
static gsize
hole_before (const LmCache *cache, guint i)
{
  return (i < cache->order->len ? ORDERED (cache, i)->first : cache->n_rows)
         - end_before (cache, i);
}

/* The place in the order before which the smallest hole of at least @n rows is; G_MAXUINT: none. */
static guint
best_hole (const LmCache *cache, gsize n)
{
  guint best = G_MAXUINT;
  gsize smallest = G_MAXSIZE;

  for (guint i = 0; i <= cache->order->len; i++)
    {
      gsize hole = hole_before (cache, i);

      if (hole >= n && hole < smallest)
        {
          best = i;
          smallest = hole;
        }
    }
  return best;
}

/* Moves the regions at places [@from, @to) to the rows' beginning, so that the holes among and
 * around them are one before @to. */
static void
join_holes (LmCache *cache, guint from, guint to)
{
  for (guint i = from; i < to; i++)
    {
      Region *r = ORDERED (cache, i);

      if (r->first != end_before (cache, i))
        move_region (cache, r, end_before (cache, i));
    }
  cache->n_moved++;
}

/* Joins holes of together at least @n rows, which there must be, where the fewest rows are to be
 * moved; returns the place in the order before which that hole is then. */
static guint
make_hole (LmCache *cache, gsize n)
{
  guint best_from = 0, best_to = cache->order->len;
  gsize least = G_MAXSIZE;

  for (guint from = 0; from <= cache->order->len; from++)
    {
      gsize holes = hole_before (cache, from), rows = 0;
      guint to = from;

      for (; holes < n && to < cache->order->len; to++)
        {
          rows += ORDERED (cache, to)->length;
          holes += hole_before (cache, to + 1);
        }
      if (holes >= n && rows < least)
        {
          least = rows;
          best_from = from;
          best_to = to;
        }
    }
  join_holes (cache, best_from, best_to);
  return best_to;
}

static guint
take_number (LmCache *cache)
{
  Region none = { 0 };
  guint i;

  for (i = 0; i < cache->regions->len; i++)
    if (!REGION (cache, i)->used)
      return i;
  g_array_append_val (cache->regions, none);
  return i;
}

guint
lm_cache_open (LmCache *cache, gsize n_rows)
{
  guint at, region;

  g_return_val_if_fail (n_rows > 0, LM_NO_REGION);
  if (n_rows > cache->n_free)
    return LM_NO_REGION;
  at = best_hole (cache, n_rows);
  if (at == G_MAXUINT)
    at = make_hole (cache, n_rows);
  region = take_number (cache);
  *REGION (cache, region)
      = (Region){ .used = TRUE, .first = end_before (cache, at), .n_rows = n_rows };
  g_array_insert_val (cache->order, at, region);
  cache->n_free -= n_rows;
  return region;
}

static guint
place_of (const LmCache *cache, guint region)
{
  guint i = 0;

  while (g_array_index (cache->order, guint, i) != region)
    i++;
  return i;
}

static gboolean
is_region (const LmCache *cache, guint region)
{
  return region < cache->regions->len && REGION (cache, region)->used;
}

void
lm_cache_close (LmCache *cache, guint region)
{
  g_return_if_fail (is_region (cache, region));
  g_array_remove_index (cache->order, place_of (cache, region));
  cache->n_free += REGION (cache, region)->n_rows;
  REGION (cache, region)->used = FALSE;
}

/* All free rows behind @region: those before it go down, those behind it up. */
static void
gather_behind (LmCache *cache, guint region)
{
  guint at = place_of (cache, region);
  gsize end = cache->n_rows;

  for (guint i = cache->order->len; --i > at;)
    {
      Region *r = ORDERED (cache, i);

      end -= r->n_rows;
      if (r->first != end)
        move_region (cache, r, end);
    }
  join_holes (cache, 0, at + 1);
}

gboolean
lm_cache_resize (LmCache *cache, guint region, gsize n_rows)
{
  Region *r;
  gsize more;
  guint at;

  g_return_val_if_fail (is_region (cache, region) && n_rows > 0, FALSE);
  r = REGION (cache, region);
  g_return_val_if_fail (n_rows >= r->length, FALSE);
  more = n_rows > r->n_rows ? n_rows - r->n_rows : 0;
  if (more > cache->n_free)
    return FALSE;
  if (more > hole_before (cache, place_of (cache, region) + 1))
    {
      if ((at = best_hole (cache, n_rows)) != G_MAXUINT)
        {
          guint old = place_of (cache, region);

          move_region (cache, r, end_before (cache, at));
          g_array_insert_val (cache->order, at, region);
          g_array_remove_index (cache->order, at > old ? old : old + 1);
          cache->n_moved++;
        }
      else
        gather_behind (cache, region);
    }
  cache->n_free += r->n_rows;
  r->n_rows = n_rows;
  cache->n_free -= n_rows;
  return TRUE;
}

gsize
lm_cache_length (const LmCache *cache, guint region)
{
  g_return_val_if_fail (is_region (cache, region), 0);
  return REGION (cache, region)->length;
}

gsize
lm_cache_room (const LmCache *cache, guint region)
{
  g_return_val_if_fail (is_region (cache, region), 0);
  return REGION (cache, region)->n_rows;
}

void
lm_cache_cut (LmCache *cache, guint region, gsize length)
{
  g_return_if_fail (is_region (cache, region));
  REGION (cache, region)->length = MIN (REGION (cache, region)->length, length);
}

void
lm_cache_copy (LmCache *cache, guint to, guint from, gsize n)
{
  g_return_if_fail (is_region (cache, to) && is_region (cache, from) && to != from);
  g_return_if_fail (n <= REGION (cache, from)->length && n <= REGION (cache, to)->n_rows);
  copy_rows (cache, REGION (cache, to)->first, REGION (cache, from)->first, n);
  REGION (cache, to)->length = n;
}

/* ---- feeding --------------------------------------------------------------------------------- */

static gboolean
check_feed (const LmCache *cache, const LmFeed *f, gsize length, GError **error)
{
  LmDecoder *d = cache->decoder;
  guint vocab = d->config->vocab_size;
  gsize limit = MIN (REGION (cache, f->region)->n_rows, cache->longest);

  if (length > limit || f->n > limit - length)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "a sequence of %" G_GSIZE_FORMAT " tokens has no room for %" G_GSIZE_FORMAT
                   " more: the limit is %" G_GSIZE_FORMAT,
                   length, f->n, limit);
      return FALSE;
    }
  if (f->adapter != LM_ADAPTER_OWN && f->adapter != LM_ADAPTER_NONE
      && !lm_decoder_adapter (d, f->adapter))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "there is no adapter %u", f->adapter);
      return FALSE;
    }
  for (gsize t = 0; t < f->n; t++)
    if (f->tokens[t] < 0 || (guint) f->tokens[t] >= vocab)
      {
        g_set_error (error, FR_ERROR, FR_ERROR_DATA, "token %d is not in 0 … %u", f->tokens[t],
                     vocab - 1);
        return FALSE;
      }
  return TRUE;
}

static gsize *
all_lengths (const LmCache *cache)
{
  gsize *lengths = g_new (gsize, cache->regions->len + 1);

  for (guint i = 0; i < cache->regions->len; i++)
    lengths[i] = REGION (cache, i)->length;
  return lengths;
}

/* Everything is checked before anything is appended. */
static gboolean
check_feeds (const LmCache *cache, const LmFeed *feeds, gsize n_feeds, GError **error)
{
  g_autofree gsize *lengths = all_lengths (cache);

  for (gsize i = 0; i < n_feeds; i++)
    {
      g_return_val_if_fail (is_region (cache, feeds[i].region) && feeds[i].n > 0, FALSE);
      if (!check_feed (cache, &feeds[i], lengths[feeds[i].region], error))
        return FALSE;
      lengths[feeds[i].region] += feeds[i].n;
    }
  return TRUE;
}

/* Rows of @piece come next in the pass. */
static void
lay_piece (LmCache *cache, Piece *piece)
{
  const LmFeed *f = piece->feed;
  LmSpan span = { cache->tokens->len, piece->n, REGION (cache, f->region)->first,
                  piece->length + piece->n, f->prompt };

  piece->at = cache->tokens->len;
  piece->laid = TRUE;
  g_array_append_val (cache->spans, span);
  g_array_append_vals (cache->tokens, f->tokens + piece->from, (guint) piece->n);
  for (gsize i = 0; i < piece->n; i++)
    {
      gint32 position = (gint32) (piece->length + i);

      g_array_append_val (cache->positions, position);
    }
}

/* The pieces in order, but those of one adapter together. */
static void
lay_pass (LmCache *cache)
{
  Piece *pieces = (Piece *) (gpointer) cache->pieces->data;
  guint n = cache->pieces->len;

  for (guint i = 0; i < n; i++)
    {
      guint id = pieces[i].feed->adapter;
      LmPart part = { id == LM_ADAPTER_OWN, lm_decoder_adapter (cache->decoder, id),
                      cache->tokens->len, 0 };

      if (pieces[i].laid)
        continue;
      for (guint j = i; j < n; j++)
        if (!pieces[j].laid && pieces[j].feed->adapter == id)
          lay_piece (cache, &pieces[j]);
      part.n = cache->tokens->len - part.from;
      g_array_append_val (cache->parts, part);
    }
  for (guint i = 0; i < n; i++)
    if (pieces[i].feed->want_logits && pieces[i].from + pieces[i].n == pieces[i].feed->n)
      {
        gsize last = pieces[i].at + pieces[i].n - 1;

        g_array_append_val (cache->wanted, last);
      }
}

static void
clear_pass (LmCache *cache)
{
  g_array_set_size (cache->pieces, 0);
  g_array_set_size (cache->tokens, 0);
  g_array_set_size (cache->positions, 0);
  g_array_set_size (cache->spans, 0);
  g_array_set_size (cache->parts, 0);
  g_array_set_size (cache->wanted, 0);
}

static void
rotate_up_to (LmCache *cache, const LmFeed *feeds, gsize n_feeds)
{
  gsize most = cache->n_rotated;

  for (gsize i = 0; i < n_feeds; i++)
    most = MAX (most, REGION (cache, feeds[i].region)->length);
  if (most == cache->n_rotated)
    return;
  most = MIN (cache->longest, (most + 63) / 64 * 64);
  lm_decoder_rotation (cache->decoder, cache->cos, cache->sin, cache->n_rotated, most);
  cache->n_rotated = most;
}

/* Runs the pieces; *@logits moves on by what was wanted. */
static gboolean
run_pass (LmCache *cache, float **logits, GError **error)
{
  LmDecoder *d = cache->decoder;
  LmPass pass;

  lay_pass (cache);
  if (!lm_decoder_begin (d, LM_PASS_CACHE, cache->tokens->len, cache->wanted->len, &pass, error))
    return FALSE;
  pass.tokens = (const gint32 *) (gpointer) cache->tokens->data;
  pass.positions = (const gint32 *) (gpointer) cache->positions->data;
  pass.spans = (const LmSpan *) (gpointer) cache->spans->data;
  pass.n_spans = cache->spans->len;
  pass.parts = (const LmPart *) (gpointer) cache->parts->data;
  pass.n_parts = cache->parts->len;
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
  gsize rows = 0;

  if (!check_feeds (cache, feeds, n_feeds, error))
    return FALSE;
  before = all_lengths (cache);
  clear_pass (cache);
  for (gsize i = 0, from = 0; i < n_feeds;)
    {
      Region *r = REGION (cache, feeds[i].region);
      Piece piece = { .feed = &feeds[i], .from = from, .length = r->length };

      piece.n = MIN (feeds[i].n - from, CHUNK - rows);
      g_array_append_val (cache->pieces, piece);
      r->length += piece.n;
      rows += piece.n;
      from += piece.n;
      if (from == feeds[i].n)
        {
          i++;
          from = 0;
        }
      if (i < n_feeds && rows < CHUNK)
        continue;
      rotate_up_to (cache, feeds, n_feeds);
      if (!run_pass (cache, &logits, error))
        {
          for (guint k = 0; k < cache->regions->len; k++)
            REGION (cache, k)->length = before[k];
          return FALSE;
        }
      clear_pass (cache);
      rows = 0;
    }
  return TRUE;
}
