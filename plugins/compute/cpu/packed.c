/* SPDX-License-Identifier: Apache-2.0 */
/* packed.c: products of int8 divided among threads.
 *
 * Panels of all products of a call stand in one row, so that a decoder's query, key and value, or
 * gate and up, cost the threads one meeting.  A part is a stretch of them; where panels are fewer
 * than threads, rows are divided too.  Who does what changes no sum.
 */
#include "config.h"

#include <string.h>

#include "compute/cpu/kernels.h"
#include "compute/cpu/packed.h"
#include "compute/cpu/team.h"

#define FEW_ROWS 4        /* that one thread rounds */
#define LEAST_ROWS 16     /* worth a division */
#define AT_ONCE (1 << 20) /* bytes of codes of rows that stay in the second cache */

gsize
lm_cpu_packed_bytes (LmCompute *c, LmType type, gsize rows, gsize cols)
{
  const LmType packed = lm_packed_type (type);

  (void) c;
  return lm_types[type].numeric && cols % lm_types[packed].block == 0
             ? lm_packed_panels (rows) * lm_packed_panel_bytes (packed, cols)
             : 0;
}

typedef struct
{
  LmMat weight;
  LmType type; /* packed */
  guint8 *to;
} Packing;

/* Panel @panel of a weight that is in no blocks: @rounded is room for its rows. */
static void
round_panel (LmMat weight, gsize panel, LmMat rounded, guint8 *to)
{
  const gsize from = panel * PACK_COLS, n = MIN (PACK_COLS, weight.rows - from);

  for (gsize i = 0; i < n; i++)
    lm_convert (weight.type, lm_mat_rows (weight, from + i, 1).data, rounded.type,
                lm_mat_rows (rounded, i, 1).data, weight.cols);
  rounded.rows = n;
  lm_pack_panel (rounded, 0, to);
}

static void
pack_part (gconstpointer data, const LmCpuShare *share)
{
  const Packing *p = data;
  const gsize panels = lm_packed_panels (p->weight.rows), to = lm_cpu_to (share, panels);
  const gsize step = lm_packed_panel_bytes (p->type, p->weight.cols);

  for (gsize i = lm_cpu_from (share, panels); i < to; i++)
    if (share->room != NULL)
      round_panel (p->weight, i, lm_mat (share->room, p->type, PACK_COLS, p->weight.cols),
                   p->to + i * step);
    else
      lm_pack_panel (p->weight, i, p->to + i * step);
}

void
lm_cpu_pack (LmCompute *c, LmPacked *packed, gpointer data, LmMat weight)
{
  const LmType type = lm_packed_type (weight.type);
  const guint team = lm_cpu_team (c, (double) weight.rows * (double) weight.cols);

  lm_cpu_share (team, lm_cpu_parts (team, lm_packed_panels (weight.rows)),
                type != weight.type ? PACK_COLS * lm_type_bytes (type, weight.cols) : 0, pack_part,
                &(Packing){ weight, type, data });
  *packed = (LmPacked){ data, type, weight.rows, weight.cols };
}

/* Room for @rows rows of @cols numbers: the bytes.  A stride that is no large power of two: rows
 * that are read together stay apart in the first cache. */
static gsize
lay (gsize rows, gsize cols, char *at, LmCpuRounded *r)
{
  char *const begin = at;

  *r = (LmCpuRounded){ .rows = rows, .blocks = cols / PACK_BLOCK, .stride = cols + 64 };
  r->codes = (gint8 *) at;
  at += rows * r->stride;
  r->step = (float *) (gpointer) at;
  at += rows * r->blocks * sizeof (float);
  r->sum = (float *) (gpointer) at;
  at += rows * r->blocks * sizeof (float);
  r->less = (gint32 *) (gpointer) at;
  at += 2 * rows * r->blocks * sizeof (gint32);
  return (gsize) (at - begin);
}

static gsize
panels_of (const LmPackedProduct *products, gsize n)
{
  gsize panels = 0;

  for (gsize i = 0; i < n; i++)
    panels += lm_packed_panels (products[i].weight->rows);
  return panels;
}

typedef struct
{
  const LmPackedProduct *products;
  gsize n, panels; /* of all products */
  gsize panel_parts, row_parts, at_once;
  LmMat x;
  LmCpuRounded rounded;
} Products;

static void
round_part (gconstpointer data, const LmCpuShare *share)
{
  const Products *p = data;

  lm_cpu_kernels ()->int8->round (&p->x, lm_cpu_from (share, p->x.rows),
                                  lm_cpu_to (share, p->x.rows), &p->rounded);
}

/* Rows [row, to_row) by panels [from, to) of all products. */
static void
multiply (const Products *p, gsize row, gsize to_row, gsize from, gsize to, gpointer workspace)
{
  const LmCpuInt8 *k = lm_cpu_kernels ()->int8;

  for (gsize i = 0, first = 0, panels; i < p->n; i++, first += panels)
    {
      panels = lm_packed_panels (p->products[i].weight->rows);
      if (from < first + panels && to > first)
        k->product (&p->rounded, &p->products[i], row, to_row, MAX (from, first) - first,
                    MIN (to, first + panels) - first, workspace);
    }
}

static void
multiply_part (gconstpointer data, const LmCpuShare *share)
{
  const Products *p = data;
  const gsize at = share->part % p->panel_parts, row_part = share->part / p->panel_parts;
  const gsize end = p->x.rows * (row_part + 1) / p->row_parts;

  for (gsize row = p->x.rows * row_part / p->row_parts; row < end; row += p->at_once)
    multiply (p, row, MIN (row + p->at_once, end), p->panels * at / p->panel_parts,
              p->panels * (at + 1) / p->panel_parts, share->room);
}

/* How rows by panels go to @team threads: parts of the panels, and of the rows. */
static void
divide (Products *p, guint team)
{
  p->panel_parts = lm_cpu_parts (team, p->panels);
  p->row_parts = CLAMP (p->x.rows / LEAST_ROWS, 1, (team + p->panel_parts - 1) / p->panel_parts);
}

void
lm_cpu_matmul_packed (LmCompute *c, const LmPackedProduct *products, gsize n, LmMat x)
{
  const LmCpuInt8 *k = lm_cpu_kernels ()->int8;
  Products p = { .products = products,
                 .n = n,
                 .panels = panels_of (products, n),
                 .at_once = MAX (AT_ONCE / MAX (x.cols, 1), LEAST_ROWS),
                 .x = x };
  const guint team
      = lm_cpu_team (c, (double) x.rows * (double) x.cols * (double) (p.panels * PACK_COLS) / 8);
  gpointer room;

  if (x.rows == 0 || p.panels == 0)
    return;
  room = lm_cpu_workspace (lay (x.rows, x.cols, NULL, &p.rounded));
  lay (x.rows, x.cols, room, &p.rounded);
  divide (&p, team);
  lm_cpu_share (x.rows > FEW_ROWS ? team : 1, x.rows > FEW_ROWS ? lm_cpu_parts (team, x.rows) : 1,
                0, round_part, &p);
  lm_cpu_share (team, p.panel_parts * p.row_parts, k->bytes (x.rows, x.cols), multiply_part, &p);
  free (room);
}
