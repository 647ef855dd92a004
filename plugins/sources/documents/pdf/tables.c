/* SPDX-License-Identifier: Apache-2.0 */
/* tables.c: the rules of tables.h.  All distances are in widths of the text's size ("em"). */
#include "config.h"

#include "tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL_GAP 0.8f    /* parts closer than this are one cell */
#define STRIPE 0.7f      /* least width of an empty stripe between columns */
#define ROW_GAP 0.4f     /* white between rows; between lines of a cell there is less */
#define FAR 1.8f         /* white after which a table has ended */
#define PITCH 1.45f      /* from row to row, where two columns are no blocks of text */
#define SHORT 6          /* a first column that is narrower has names */
#define RUNNING 7        /* columns of running text are at least this wide, */
#define RUNNING_FULL 0.6 /* and so many of their lines reach the edge */
#define BESIDE (-0.2f)   /* white that is none: lines beside each other, not quite at one height */
#define MAX_ALONE 12     /* bands of one cell between those of several */
#define MAX_BOXES 20000
#define MAX_BANDS 300  /* of one table */
#define MAX_WORK 20000 /* bands looked at on one page */
#define N_BUCKETS 1024

typedef struct
{
  float x0, x1;
  guint first, end; /* in Find.order */
} Cell;

typedef struct
{
  float y0, y1, size;
  guint first, end; /* in Find.cells */
} Band;

typedef struct
{
  float left, right;
  gboolean empty; /* nothing lies across the stripe before it */
  guint lines, full;
  float width; /* of all lines */
} Column;

typedef struct
{
  const TableBox *boxes;
  TablePlace *places;
  GArray *order; /* guint: boxes by band, then from left to right */
  GArray *cells; /* Cell */
  GArray *bands; /* Band */
  float left, scale;
  guint16 cover[N_BUCKETS]; /* bands of the run that have text there */
  Column columns[TABLE_COLUMNS];
  guint n_columns;
  guint n_tables;
  guint work;
} Find;

static const TableBox *
box_at (const Find *f, guint i)
{
  return &f->boxes[g_array_index (f->order, guint, i)];
}

static Band *
band_at (const Find *f, guint i)
{
  return &g_array_index (f->bands, Band, i);
}

static Cell *
cell_at (const Find *f, guint i)
{
  return &g_array_index (f->cells, Cell, i);
}

static guint
n_cells (const Band *band)
{
  return band->end - band->first;
}

/* ---- bands ------------------------------------------------------------------------ */

static int
compare (float a, float b)
{
  return (a > b) - (a < b);
}

static int
by_height (gconstpointer a, gconstpointer b, gpointer data)
{
  const TableBox *boxes = data, *x = &boxes[*(const guint *) a], *y = &boxes[*(const guint *) b];
  const int order = compare (x->y0 + x->y1, y->y0 + y->y1);

  return order ? order : compare (x->x0, y->x0);
}

static int
by_side (gconstpointer a, gconstpointer b, gpointer data)
{
  const TableBox *boxes = data;

  return compare (boxes[*(const guint *) a].x0, boxes[*(const guint *) b].x0);
}

/* A band of the boxes [@first, @end) of the order. */
static void
add_band (Find *f, guint first, guint end)
{
  Band band = { INFINITY, -INFINITY, INFINITY, f->cells->len, 0 };
  Cell cell = { 0 };

  g_qsort_with_data (&g_array_index (f->order, guint, first), (gint) (end - first), sizeof (guint),
                     by_side, (gpointer) f->boxes);
  for (guint i = first; i < end; i++)
    {
      const TableBox *b = box_at (f, i);

      band.y0 = MIN (band.y0, b->y0);
      band.y1 = MAX (band.y1, b->y1);
      band.size = MIN (band.size, b->size);
      if (i > first && b->x0 < cell.x1 + CELL_GAP * b->size)
        {
          cell.x1 = MAX (cell.x1, b->x1);
          cell.end = i + 1;
          continue;
        }
      if (i > first)
        g_array_append_val (f->cells, cell);
      cell = (Cell){ b->x0, b->x1, i, i + 1 };
    }
  g_array_append_val (f->cells, cell);
  band.end = f->cells->len;
  g_array_append_val (f->bands, band);
}

static void
find_bands (Find *f, guint n)
{
  float left = INFINITY, right = -INFINITY, middle = 0, height = 0;
  guint first = 0;

  for (guint i = 0; i < n; i++)
    if (f->boxes[i].kind != TABLE_NONE)
      {
        g_array_append_val (f->order, i);
        left = MIN (left, f->boxes[i].x0);
        right = MAX (right, f->boxes[i].x1);
      }
  f->left = left;
  f->scale = right - left > 1 ? N_BUCKETS / (right - left) : 0;
  g_array_sort_with_data (f->order, by_height, (gpointer) f->boxes);
  for (guint i = 0; i < f->order->len; i++)
    {
      const TableBox *b = box_at (f, i);
      const float here = (b->y0 + b->y1) / 2, tall = MAX (b->y1 - b->y0, 1);

      if (i > first && here - middle > 0.4f * MIN (height, tall))
        {
          add_band (f, first, i);
          first = i;
        }
      if (i == first)
        {
          middle = here;
          height = tall;
        }
    }
  if (first < f->order->len)
    add_band (f, first, f->order->len);
}

/* ---- stripes ---------------------------------------------------------------------- */

static guint
bucket (const Find *f, float x)
{
  return (guint) CLAMP ((x - f->left) * f->scale, 0, N_BUCKETS - 1);
}

static void
cover (Find *f, const Band *band)
{
  for (guint c = band->first; c < band->end; c++)
    for (guint i = bucket (f, cell_at (f, c)->x0), end = bucket (f, cell_at (f, c)->x1); i <= end;
         i++)
      f->cover[i]++;
}

/* Where a run of @n bands leaves upright stripes empty, or has no more than a few bands across;
 * FALSE: nowhere. */
static gboolean
find_stripes (Find *f, guint n, float size)
{
  const guint across = n < 4 ? 0 : CLAMP (n / 8, 1, 3), wide = (guint) (STRIPE * size * f->scale);
  guint blank = 0, least = G_MAXUINT;

  f->n_columns = 0;
  for (guint i = 0; i < N_BUCKETS; i++)
    {
      const float x = f->left + (float) i / f->scale;

      if (f->cover[i] <= across)
        {
          blank++;
          least = MIN (least, f->cover[i]);
          continue;
        }
      if (f->n_columns == 0 || blank > MAX (wide, 1))
        {
          if (f->n_columns == TABLE_COLUMNS)
            return FALSE;
          f->columns[f->n_columns++] = (Column){ .left = x, .empty = least == 0 };
        }
      f->columns[f->n_columns - 1].right = x + 1 / f->scale;
      blank = 0;
      least = G_MAXUINT;
    }
  return f->n_columns >= 2;
}

/* The column that @x0 to @x1 begins in, else the nearest; what stands between two, as the name of
 * both does, goes to the first. */
static guint
column_of (const Find *f, float x0, float x1)
{
  const float middle = (x0 + x1) / 2;
  guint best = 0;
  float least = INFINITY;

  for (guint c = 0; c < f->n_columns; c++)
    {
      const Column *column = &f->columns[c];
      float away = MAX (column->left - middle, 0.7f * (middle - column->right));

      if (x0 >= column->left - 1 && x0 < column->right)
        return c;
      if (away < least)
        {
          least = away;
          best = c;
        }
    }
  return best;
}

static guint
column_of_cell (const Find *f, guint cell)
{
  return column_of (f, cell_at (f, cell)->x0, cell_at (f, cell)->x1);
}

/* Bands of [@from, @end) that have a cell in column @c and another in the next. */
static guint
bands_with_both (const Find *f, guint from, guint end, guint c)
{
  guint n = 0;

  for (guint i = from; i < end; i++)
    {
      const Band *band = band_at (f, i);
      gboolean left = FALSE, right = FALSE;

      for (guint k = band->first; k < band->end; k++)
        {
          left |= column_of_cell (f, k) == c;
          right |= column_of_cell (f, k) == c + 1;
        }
      n += left && right;
    }
  return n;
}

/* The columns of the run [@from, @end), whose cells are covered; FALSE: fewer than two.  A stripe
 * that something lies across parts columns where others have cells on both sides: below a name of
 * two columns, not within a column of long and short texts. */
static gboolean
find_columns (Find *f, guint from, guint end, float size)
{
  if (!find_stripes (f, end - from, size))
    return FALSE;
  for (guint c = 0; c + 1 < f->n_columns;)
    if (f->columns[c + 1].empty || bands_with_both (f, from, end, c) >= 2)
      c++;
    else
      {
        f->columns[c].right = f->columns[c + 1].right;
        memmove (&f->columns[c + 1], &f->columns[c + 2],
                 (f->n_columns - c - 2) * sizeof *f->columns);
        f->n_columns--;
      }
  return f->n_columns >= 2;
}

/* ---- runs of bands ------------------------------------------------------------------ */

static float
white_between (const Find *f, guint upper)
{
  const Band *a = band_at (f, upper), *b = band_at (f, upper + 1);

  return (b->y0 - a->y1) / MIN (a->size, b->size);
}

static gboolean
lies_across (const Find *f, const Cell *cell)
{
  for (guint c = 0; c + 1 < f->n_columns; c++)
    if (cell->x0 < f->columns[c].right && cell->x1 > f->columns[c + 1].left)
      return TRUE;
  return FALSE;
}

/* Whether the bands [@from, @end) have cells in several columns. */
static gboolean
in_columns (const Find *f, guint from, guint end)
{
  const guint first = column_of_cell (f, band_at (f, from)->first);

  for (guint k = band_at (f, from)->first; k < band_at (f, end - 1)->end; k++)
    if (column_of_cell (f, k) != first)
      return TRUE;
  return FALSE;
}

/* Whether a table may begin at band @i: several cells, or one beside which another stands, in the
 * middle of more lines. */
static gboolean
may_begin (const Find *f, guint i)
{
  const Cell *cell = cell_at (f, band_at (f, i)->first), *next;

  if (n_cells (band_at (f, i)) > 1)
    return TRUE;
  if (i + 1 == f->bands->len || white_between (f, i) > BESIDE)
    return FALSE;
  next = cell_at (f, band_at (f, i + 1)->first);
  return next->x1 < cell->x0 || cell->x1 < next->x0;
}

/* The end of the run that begins at band @from; its columns are found.  It ends with a group of
 * bands, with no white of a row between them, that has several cells. */
static guint
grow (Find *f, guint from)
{
  guint end = from, group = from, alone = 0;
  float size = INFINITY;
  gboolean parted = FALSE;

  memset (f->cover, 0, sizeof f->cover);
  f->n_columns = 0;
  for (guint i = from; i < MIN (f->bands->len, from + MAX_BANDS); i++)
    {
      const Band *band = band_at (f, i);

      if ((i > from && white_between (f, i - 1) > FAR) || n_cells (band) > TABLE_COLUMNS
          || f->work++ > MAX_WORK)
        break;
      alone = n_cells (band) == 1 ? alone + 1 : 0;
      if (alone > MAX_ALONE || (alone > 0 && lies_across (f, cell_at (f, band->first))))
        break;
      cover (f, band);
      if (!find_columns (f, from, i + 1, MIN (size, band->size)) && i > from)
        break;
      size = MIN (size, band->size);
      if (i > from && white_between (f, i - 1) >= ROW_GAP)
        {
          parted = TRUE;
          group = i;
        }
      /* Below rows that nothing parts, a line at the left edge is the text behind the table. */
      if (f->n_columns >= 2 && in_columns (f, group, i + 1)
          && (alone == 0 || parted || column_of_cell (f, band->first) > 0))
        end = i + 1;
    }
  memset (f->cover, 0, sizeof f->cover);
  for (guint i = from; i < end; i++)
    cover (f, band_at (f, i));
  return end > from + 1 && find_columns (f, from, end, size) ? end : from;
}

/* ---- whether it is a table ------------------------------------------------------------ */

static void
measure_columns (Find *f, guint from, guint end)
{
  for (guint i = band_at (f, from)->first; i < band_at (f, end - 1)->end; i++)
    {
      const Cell *cell = cell_at (f, i);
      Column *column = &f->columns[column_of_cell (f, i)];
      const float size = MAX (box_at (f, cell->first)->size, 1);

      column->lines++;
      column->width += (cell->x1 - cell->x0) / size;
      column->full
          += cell->x1 > column->right - MAX (1.5f * size, 0.25f * (column->right - column->left));
    }
}

static gboolean
is_running_text (const Column *column)
{
  return column->lines >= 3 && column->width > RUNNING * (float) column->lines
         && column->full > RUNNING_FULL * column->lines;
}

static gboolean
is_all_marks (const Find *f, guint from, guint end)
{
  for (guint i = from; i < end; i++)
    {
      const guint cell = band_at (f, i)->first;

      if (column_of_cell (f, cell) == 0 && box_at (f, cell_at (f, cell)->first)->kind != TABLE_MARK)
        return FALSE;
    }
  return TRUE;
}

/* The last column is numbers flush right, or at least half of it. */
static gboolean
ends_in_numbers (const Find *f, guint from, guint end)
{
  guint numbers = 0, all = 0;

  for (guint i = from; i < end; i++)
    {
      const guint cell = band_at (f, i)->end - 1;

      if (column_of_cell (f, cell) + 1 != f->n_columns)
        continue;
      all++;
      numbers += box_at (f, cell_at (f, cell)->first)->kind == TABLE_NUMBER;
    }
  return numbers >= 2 && numbers * 2 >= all;
}

typedef enum
{
  VERDICT_NONE,    /* from this band on */
  VERDICT_RUNNING, /* text in columns, all of it */
  VERDICT_TABLE
} Verdict;

static Verdict
judge (Find *f, guint from, guint end)
{
  guint several = 0, groups = 0, full_groups = 0, running = 0;
  float cells = 0;

  measure_columns (f, from, end);
  for (guint i = from, group = from; i < end; i++)
    {
      const Band *band = band_at (f, i);

      if (i + 1 == end || white_between (f, i) >= ROW_GAP)
        {
          groups++;
          full_groups += in_columns (f, group, i + 1);
          group = i + 1;
        }
      if (n_cells (band) < 2)
        continue;
      several++;
      cells += (float) n_cells (band);
    }
  for (guint c = 0; c < f->n_columns; c++)
    running += is_running_text (&f->columns[c]);
  /* Cells of running text have several lines, but not many; columns of text have paragraphs, too,
   * but not at the same heights. */
  if (running >= 2 && (groups < 3 || groups * 3 < end - from || groups * 4 > (end - from) * 3))
    return VERDICT_RUNNING;
  if (f->n_columns == 2)
    {
      const float pitch = (band_at (f, end - 1)->y0 - band_at (f, from)->y0)
                          / MAX (band_at (f, from)->size * (float) (end - from - 1), 1);
      const guint rows = MAX (several, full_groups);
      const Column *first = &f->columns[0];

      if (is_all_marks (f, from, end))
        return VERDICT_NONE;
      /* Names and what belongs to them. */
      if (rows >= 2 && first->width < SHORT * (float) first->lines)
        return VERDICT_TABLE;
      return rows >= 3 && (pitch > PITCH || groups >= several || ends_in_numbers (f, from, end))
                 ? VERDICT_TABLE
                 : VERDICT_NONE;
    }
  return several >= 2 && cells >= 0.5f * (float) (several * f->n_columns) ? VERDICT_TABLE
                                                                          : VERDICT_NONE;
}

/* ---- rows ------------------------------------------------------------------------------ */

/* The cell of @band in @column; FALSE: there is none. */
static gboolean
find_cell (const Find *f, const Band *band, guint column, guint *cell)
{
  for (guint i = band->first; i < band->end; i++)
    if (column_of_cell (f, i) == column)
      {
        *cell = i;
        return TRUE;
      }
  return FALSE;
}

/* Whether @lower may be the next lines of the cells of @upper: text that filled its column. */
static gboolean
may_go_on (const Find *f, const Band *upper, const Band *lower)
{
  for (guint i = lower->first; i < lower->end; i++)
    {
      const guint c = column_of_cell (f, i);
      const Column *column = &f->columns[c];
      const Cell *above;
      guint at;

      if (!find_cell (f, upper, c, &at))
        return FALSE;
      above = cell_at (f, at);
      if (box_at (f, above->first)->kind == TABLE_NUMBER
          || box_at (f, cell_at (f, i)->first)->kind == TABLE_NUMBER
          || above->x1 - above->x0 < 3 * upper->size
          || above->x1 < column->right - 0.3f * (column->right - column->left))
        return FALSE;
    }
  return TRUE;
}

/* Whether band @i begins a row; @parted: rows of this table are parted by white. */
static gboolean
begins_row (const Find *f, guint i, gboolean parted)
{
  const Band *upper = band_at (f, i - 1), *lower = band_at (f, i);
  const float white = white_between (f, i - 1);
  guint cell;

  if (white >= ROW_GAP)
    return TRUE;
  /* Lines beside a cell that stands in the middle of them. */
  if (white < BESIDE)
    return FALSE;
  if (!find_cell (f, lower, 0, &cell))
    return n_cells (lower) > 1 && !parted;
  if (!parted)
    return TRUE;
  return find_cell (f, upper, 0, &cell) && !may_go_on (f, upper, lower);
}

static void
place (Find *f, guint from, guint end)
{
  guint row = 0;
  gboolean parted = FALSE;

  f->n_tables++;
  for (guint i = from; i + 1 < end; i++)
    parted |= white_between (f, i) >= ROW_GAP;
  for (guint i = from; i < end; i++)
    {
      const Band *band = band_at (f, i);

      row += i > from && begins_row (f, i, parted);
      for (guint c = band->first; c < band->end; c++)
        for (guint k = cell_at (f, c)->first; k < cell_at (f, c)->end; k++)
          f->places[g_array_index (f->order, guint, k)]
              = (TablePlace){ f->n_tables, row, column_of_cell (f, c) };
    }
}

/* ---- over pages ------------------------------------------------------------------------ */

/* Whether all cells of @band stand in columns, without reaching into others. */
static gboolean
fits (const Find *f, const Band *band)
{
  for (guint k = band->first; k < band->end; k++)
    {
      const Cell *cell = cell_at (f, k);
      const guint c = column_of_cell (f, k);

      if (cell->x1 < f->columns[c].left || cell->x0 > f->columns[c].right
          || (c > 0 && cell->x0 <= f->columns[c - 1].right)
          || (c + 1 < f->n_columns && cell->x1 >= f->columns[c + 1].left))
        return FALSE;
    }
  return TRUE;
}

/* The end of the rows at the top of the page that go on with a table; 0: none do. */
static guint
go_on (Find *f, const TableColumns *columns)
{
  guint end = 0, group = 0;

  f->n_columns = columns->n;
  for (guint c = 0; c < columns->n; c++)
    f->columns[c] = (Column){ .left = columns->left[c], .right = columns->right[c] };
  for (guint i = 0; i < f->bands->len && n_cells (band_at (f, i)) <= TABLE_COLUMNS; i++)
    {
      if (!fits (f, band_at (f, i)) || (i > 0 && white_between (f, i - 1) > FAR))
        break;
      if (i > 0 && white_between (f, i - 1) >= ROW_GAP)
        group = i;
      if (in_columns (f, group, i + 1))
        end = i + 1;
    }
  return end;
}

static void
keep_columns (const Find *f, TableColumns *columns)
{
  columns->n = f->n_columns;
  for (guint c = 0; c < f->n_columns; c++)
    {
      columns->left[c] = f->columns[c].left;
      columns->right[c] = f->columns[c].right;
    }
}

/* The end of the table that begins at band @i; @next: where to look further when there is none. */
static guint
find_table (Find *f, guint i, guint *next)
{
  const guint end = may_begin (f, i) ? grow (f, i) : i;
  const Verdict verdict = end > i ? judge (f, i, end) : VERDICT_NONE;

  *next = verdict == VERDICT_NONE ? i + 1 : end;
  return verdict == VERDICT_TABLE ? end : i;
}

/* Returns whether the last table goes to the end of the page; then @end has its columns. */
static gboolean
find_all (Find *f, TableColumns *end)
{
  const guint n = f->bands->len;
  const TableColumns before = *end;
  gboolean to_the_end = FALSE;

  for (guint i = 0, next; i < n; i = next)
    {
      guint to = find_table (f, i, &next);

      if (i == 0 && before.n > 0)
        {
          const guint on = go_on (f, &before);

          end->used = on > 0 && on >= to;
          if (end->used)
            next = to = on;
          else
            find_table (f, i, &next);
        }
      if (to == i)
        continue;
      place (f, i, to);
      to_the_end = to == n;
      if (to_the_end)
        keep_columns (f, end);
    }
  return to_the_end;
}

guint
tables_find (const TableBox *boxes, guint n, TableColumns *end, TablePlace *places)
{
  g_autofree Find *f = g_new0 (Find, 1);
  g_autoptr (GArray) order = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GArray) cells = g_array_new (FALSE, FALSE, sizeof (Cell));
  g_autoptr (GArray) bands = g_array_new (FALSE, FALSE, sizeof (Band));

  for (guint i = 0; i < n; i++)
    places[i] = (TablePlace){ 0 };
  f->boxes = boxes;
  f->places = places;
  f->order = order;
  f->cells = cells;
  f->bands = bands;
  if (n <= MAX_BOXES)
    find_bands (f, n);
  end->used = FALSE;
  if (f->scale <= 0 || !find_all (f, end))
    end->n = 0;
  return f->n_tables;
}
