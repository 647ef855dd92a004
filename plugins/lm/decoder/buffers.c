/* SPDX-License-Identifier: Apache-2.0 */
/* buffers.c: the one table of a pass's buffers.
 *
 * Places, allocation and the forecast (lm_decoder_bytes) all come from it.
 * Letters as in decoder-private.h.
 */
#include "config.h"

#include "lm/decoder/decoder-private.h"

typedef enum
{
  DIM_ONE,
  DIM_D,
  DIM_HD, /* H d */
  DIM_KD, /* K d */
  DIM_H,
  DIM_K,
  DIM_F,
  DIM_V,
  DIM_HALF, /* d / 2 */
  DIM_MAX_RANK,
  DIM_ANY_RANK, /* the largest of adapters beside the decoder's own, too */
  DIM_ADAPTED, /* the widest input of an adapter */
  DIM_RANK     /* + LmLinearIndex: of that linear layer in this layer */
} Dim;

typedef enum
{
  ROWS_T,
  ROWS_C,
} Rows;

typedef enum
{
  TYPE_ACT,
  TYPE_F32,
  TYPE_LOGITS, /* F32, but the activation's where gradients overwrite them */
} Type;

typedef enum
{
  LIFE_INPUT,  /* for each layer that backward reaches */
  LIFE_LAYER,  /* the same, but one for all when layers are computed again */
  LIFE_SHARED, /* one */
} Life;

enum
{
  WHEN_EVAL = LM_PASS_EVAL,
  WHEN_GRAD = LM_PASS_GRAD,
  WHEN_CACHE = LM_PASS_CACHE,
  WHEN_PACKED = WHEN_EVAL | WHEN_GRAD,
  WHEN_ALWAYS = WHEN_PACKED | WHEN_CACHE,
  IF_QK_NORM = 1 << 8,
  IF_DROPOUT = 1 << 9,
};

typedef struct
{
  gsize offset; /* in LmKept, or in LmWork when shared */
  Rows rows;
  Dim cols;
  Type type;
  Life life;
  guint when;
} Row;

#define KEPT(field) offsetof (LmKept, field)
#define WORK(field) offsetof (LmWork, field)
#define ADAPTER(linear)                                                                            \
  {                                                                                                \
    KEPT (h) + (linear) * sizeof (LmMat), ROWS_T, DIM_RANK + (linear), TYPE_ACT, LIFE_LAYER,       \
        WHEN_PACKED                                                                                \
  }

static const Row table[] = {
  /* the stream: before each layer, between its blocks, after the last (in all of a forward pass) */
  { KEPT (x), ROWS_T, DIM_D, TYPE_ACT, LIFE_INPUT, WHEN_GRAD },
  { KEPT (mid), ROWS_T, DIM_D, TYPE_ACT, LIFE_LAYER, WHEN_GRAD },
  { WORK (stream), ROWS_T, DIM_D, TYPE_ACT, LIFE_SHARED, WHEN_ALWAYS },
  /* attention */
  { KEPT (input_rstd), ROWS_T, DIM_ONE, TYPE_F32, LIFE_LAYER, WHEN_GRAD },
  { KEPT (q_raw), ROWS_T, DIM_HD, TYPE_ACT, LIFE_LAYER, WHEN_ALWAYS | IF_QK_NORM },
  { KEPT (k_raw), ROWS_T, DIM_KD, TYPE_ACT, LIFE_LAYER, WHEN_ALWAYS | IF_QK_NORM },
  { KEPT (q_rstd), ROWS_T, DIM_H, TYPE_F32, LIFE_LAYER, WHEN_GRAD | IF_QK_NORM },
  { KEPT (k_rstd), ROWS_T, DIM_K, TYPE_F32, LIFE_LAYER, WHEN_GRAD | IF_QK_NORM },
  { KEPT (q), ROWS_T, DIM_HD, TYPE_ACT, LIFE_LAYER, WHEN_ALWAYS },
  { KEPT (k), ROWS_T, DIM_KD, TYPE_ACT, LIFE_LAYER, WHEN_ALWAYS },
  { KEPT (v), ROWS_T, DIM_KD, TYPE_ACT, LIFE_LAYER, WHEN_ALWAYS },
  { KEPT (heads), ROWS_T, DIM_HD, TYPE_ACT, LIFE_LAYER, WHEN_ALWAYS },
  { KEPT (lse), ROWS_T, DIM_H, TYPE_F32, LIFE_LAYER, WHEN_GRAD },
  /* feed-forward */
  { KEPT (post_rstd), ROWS_T, DIM_ONE, TYPE_F32, LIFE_LAYER, WHEN_GRAD },
  { KEPT (gate), ROWS_T, DIM_F, TYPE_ACT, LIFE_LAYER, WHEN_ALWAYS },
  { KEPT (up), ROWS_T, DIM_F, TYPE_ACT, LIFE_LAYER, WHEN_ALWAYS },
  /* adapters: drop (x)·Aᵀ */
  ADAPTER (LM_LINEAR_Q),
  ADAPTER (LM_LINEAR_K),
  ADAPTER (LM_LINEAR_V),
  ADAPTER (LM_LINEAR_O),
  ADAPTER (LM_LINEAR_GATE),
  ADAPTER (LM_LINEAR_UP),
  ADAPTER (LM_LINEAR_DOWN),
  /* of one layer at a time */
  { WORK (normed), ROWS_T, DIM_D, TYPE_ACT, LIFE_SHARED, WHEN_ALWAYS },
  { WORK (act), ROWS_T, DIM_F, TYPE_ACT, LIFE_SHARED, WHEN_GRAD },
  { WORK (dropped), ROWS_T, DIM_ADAPTED, TYPE_ACT, LIFE_SHARED, WHEN_GRAD | IF_DROPOUT },
  { WORK (adapted), ROWS_T, DIM_ANY_RANK, TYPE_ACT, LIFE_SHARED, WHEN_CACHE },
  { WORK (cos), ROWS_T, DIM_HALF, TYPE_F32, LIFE_SHARED, WHEN_PACKED },
  { WORK (sin), ROWS_T, DIM_HALF, TYPE_F32, LIFE_SHARED, WHEN_PACKED },
  { WORK (dstream), ROWS_T, DIM_D, TYPE_ACT, LIFE_SHARED, WHEN_GRAD },
  { WORK (dnormed), ROWS_T, DIM_D, TYPE_ACT, LIFE_SHARED, WHEN_GRAD },
  { WORK (dheads), ROWS_T, DIM_HD, TYPE_ACT, LIFE_SHARED, WHEN_GRAD },
  { WORK (dq), ROWS_T, DIM_HD, TYPE_ACT, LIFE_SHARED, WHEN_GRAD },
  { WORK (dk), ROWS_T, DIM_KD, TYPE_ACT, LIFE_SHARED, WHEN_GRAD },
  { WORK (dv), ROWS_T, DIM_KD, TYPE_ACT, LIFE_SHARED, WHEN_GRAD },
  { WORK (dh), ROWS_T, DIM_MAX_RANK, TYPE_ACT, LIFE_SHARED, WHEN_GRAD },
  /* the head, a chunk at a time */
  { WORK (rows), ROWS_C, DIM_D, TYPE_ACT, LIFE_SHARED, WHEN_ALWAYS },
  { WORK (rows_normed), ROWS_C, DIM_D, TYPE_ACT, LIFE_SHARED, WHEN_ALWAYS },
  { WORK (rows_rstd), ROWS_C, DIM_ONE, TYPE_F32, LIFE_SHARED, WHEN_GRAD },
  { WORK (logits), ROWS_C, DIM_V, TYPE_LOGITS, LIFE_SHARED, WHEN_ALWAYS },
  { WORK (drows), ROWS_C, DIM_D, TYPE_ACT, LIFE_SHARED, WHEN_GRAD },
};

static gsize
linear_in (const LmConfig *c, guint linear)
{
  switch (linear)
    {
    case LM_LINEAR_O:
      return (gsize) c->n_heads * c->head_dim;
    case LM_LINEAR_DOWN:
      return c->intermediate_size;
    default:
      return c->hidden_size;
    }
}

static guint
rank_of (const LmShape *s, guint layer, guint linear)
{
  return s->ranks ? s->ranks[layer * LM_N_LINEARS + linear] : 0;
}

/* Of the rank that linear layer @linear has in @layer; G_MAXUINT: the largest of all layers. */
static gsize
rank_dim (const LmShape *s, guint layer, guint linear)
{
  gsize most = 0;

  if (layer != G_MAXUINT)
    return rank_of (s, layer, linear);
  for (guint l = 0; l < s->config->n_layers; l++)
    most = MAX (most, rank_of (s, l, linear));
  return most;
}

static gsize
dim (const LmShape *s, Dim what, guint layer)
{
  const LmConfig *c = s->config;
  gsize most = 0;

  switch (what)
    {
    case DIM_ONE:
      return 1;
    case DIM_D:
      return c->hidden_size;
    case DIM_HD:
      return (gsize) c->n_heads * c->head_dim;
    case DIM_KD:
      return (gsize) c->n_kv_heads * c->head_dim;
    case DIM_H:
      return c->n_heads;
    case DIM_K:
      return c->n_kv_heads;
    case DIM_F:
      return c->intermediate_size;
    case DIM_V:
      return c->vocab_size;
    case DIM_HALF:
      return c->head_dim / 2;
    case DIM_MAX_RANK:
      for (guint i = 0; i < LM_N_LINEARS; i++)
        most = MAX (most, rank_dim (s, G_MAXUINT, i));
      return most;
    case DIM_ANY_RANK:
      return MAX (dim (s, DIM_MAX_RANK, layer), s->adapter_rank);
    case DIM_ADAPTED:
      for (guint i = 0; i < LM_N_LINEARS; i++)
        if (rank_dim (s, G_MAXUINT, i) > 0)
          most = MAX (most, linear_in (c, i));
      return most;
    default:
      return rank_dim (s, layer, what - DIM_RANK);
    }
}

static gboolean
wanted (const LmShape *s, const Row *row)
{
  return row->when & s->kind && (!(row->when & IF_QK_NORM) || s->config->qk_norm)
         && (!(row->when & IF_DROPOUT) || s->dropout > 0);
}

static LmType
type_of (const LmShape *s, Type type)
{
  return type == TYPE_ACT || (type == TYPE_LOGITS && s->kind == LM_PASS_GRAD) ? s->act : LM_F32;
}

gpointer
lm_place (gpointer base, gsize *used, LmType type, gsize rows, gsize cols)
{
  gpointer place = GSIZE_TO_POINTER (GPOINTER_TO_SIZE (base) + *used); /* base NULL measures */
  gsize n;

  if (*used == G_MAXSIZE || !g_size_checked_mul (&n, rows, cols)
      || !g_size_checked_mul (&n, n, lm_types[type].bytes) || !g_size_checked_add (&n, n, 63)
      || !g_size_checked_add (used, *used, n & ~(gsize) 63))
    *used = G_MAXSIZE;
  return place;
}

static void
place_shared (const LmShape *s, const Row *row, gpointer base, gsize *used, LmWork *work)
{
  LmType type = type_of (s, row->type);
  gsize rows = row->rows == ROWS_T ? s->n_rows : s->loss_rows, cols = dim (s, row->cols, 0);
  gpointer place = lm_place (base, used, type, rows, cols);

  if (work)
    G_STRUCT_MEMBER (LmMat, work, row->offset) = lm_mat (place, type, rows, cols);
}

/* Layers below the lowest that backward reaches use the first set, before it does. */
static void
place_layers (const LmShape *s, const Row *row, gpointer base, gsize *used, LmKept *kept)
{
  gboolean each = s->kind == LM_PASS_GRAD && (row->life == LIFE_INPUT || s->keep_all);
  LmType type = type_of (s, row->type);
  gpointer place = NULL;

  for (guint l = s->low; l < s->config->n_layers; l++)
    {
      if (each || l == s->low)
        place = lm_place (base, used, type, s->n_rows, dim (s, row->cols, each ? l : G_MAXUINT));
      for (guint k = l == s->low ? 0 : l; kept && k <= l; k++)
        G_STRUCT_MEMBER (LmMat, &kept[k], row->offset)
            = lm_mat (place, type, s->n_rows, dim (s, row->cols, k));
    }
}

gsize
lm_buffers_place (const LmShape *s, gpointer base, LmKept *kept, LmWork *work)
{
  gsize used = 0;

  if (kept)
    memset (kept, 0, s->config->n_layers * sizeof *kept);
  if (work)
    memset (work, 0, sizeof *work);
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (wanted (s, &table[i]))
      {
        if (table[i].life == LIFE_SHARED)
          place_shared (s, &table[i], base, &used, work);
        else
          place_layers (s, &table[i], base, &used, kept);
      }
  return used == G_MAXSIZE ? 0 : used;
}
