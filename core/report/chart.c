/* SPDX-License-Identifier: Apache-2.0 */
/* chart.c: plots, histograms and intervals as SVG.
 *
 * A chart is drawn for half the width of a page (WIDTH), so that its text can
 * be read on a telephone too.  Series differ by colour and by dashes: print
 * and eyes that see few colours need both.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "report/report-private.h"

#define WIDTH 480.
#define SMALL 330. /* of many beside one another */
#define FONT 12.
#define MAX_POINTS 2000
#define N_COLOURS 8

/* The area of the data within a chart, and what it shows. */
typedef struct
{
  double left, right, top, bottom;
  FriAxis *x, *y;
} Area;

static double
x_of (const Area *a, double value)
{
  return a->left + fri_axis_place (a->x, value) * (a->right - a->left);
}

static double
y_of (const Area *a, double value)
{
  return a->bottom - fri_axis_place (a->y, value) * (a->bottom - a->top);
}

/* ---- axes --------------------------------------------------------------------- */

static double
widest_label (const FriAxis *axis)
{
  double widest = 0;

  for (guint i = 0; i < axis->ticks->len; i++)
    {
      g_autofree char *label = fri_axis_label (axis, g_array_index (axis->ticks, double, i));

      widest = MAX (widest, fri_text_width (label));
    }
  return widest * FONT;
}

static void
draw_y_axis (FriHtml *html, const Area *a, const char *label)
{
  for (guint i = 0; i < a->y->ticks->len; i++)
    {
      double tick = g_array_index (a->y->ticks, double, i), y = y_of (a, tick);
      g_autofree char *text = fri_axis_label (a->y, tick);

      fri_svg_line (html, "grid", a->left, y, a->right, y);
      fri_svg_text (html, "tick", a->left - 6, y + 4, "end", text);
    }
  if (*label != '\0')
    {
      g_autofree char *fitted = fri_text_fit (label, (a->right - 4) / FONT);

      fri_svg_text (html, "axis", 4, a->top - 10, "start", fitted);
    }
}

/* Labels that would run into one another are left out. */
static void
draw_x_axis (FriHtml *html, const Area *a, const char *label)
{
  double free_from = -HUGE_VAL;

  fri_svg_line (html, "base", a->left, a->bottom, a->right, a->bottom);
  for (guint i = 0; i < a->x->ticks->len; i++)
    {
      double tick = g_array_index (a->x->ticks, double, i), x = x_of (a, tick);
      g_autofree char *text = fri_axis_label (a->x, tick);
      /* Beyond the axis by no more than the margin, which ends at the edge of the chart. */
      double half = fri_text_width (text) * FONT / 2 + 2;

      fri_svg_line (html, "base", x, a->bottom, x, a->bottom + 4);
      x = CLAMP (x, half, MAX (a->right + 12 - half, half));
      if (x - half < free_from)
        continue;
      fri_svg_text (html, "tick", x, a->bottom + 17, "middle", text);
      free_from = x + half + 8;
    }
  if (*label != '\0')
    {
      g_autofree char *fitted = fri_text_fit (label, (a->right - a->left) / FONT);

      fri_svg_text (html, "axis", (a->left + a->right) / 2, a->bottom + 34, "middle", fitted);
    }
}

/* @x is [low, high] as it is; its ticks lie within it. */
static FriAxis *
tight_axis (double low, double high, guint n)
{
  FriAxis *axis = fri_axis_new (low, high, n, FALSE);

  if (low >= high)
    return axis;
  for (guint i = axis->ticks->len; i-- > 0;)
    {
      double tick = g_array_index (axis->ticks, double, i);
      double slack = (high - low) * 1e-6;

      if (tick < low - slack || tick > high + slack)
        g_array_remove_index (axis->ticks, i);
    }
  axis->low = low;
  axis->high = high;
  return axis;
}

static Area
area_new (FriAxis *x, FriAxis *y, double height)
{
  Area a = { .x = x, .y = y };

  a.left = CLAMP (widest_label (y) + 12, 28, 110);
  a.right = WIDTH - 16;
  a.top = 26;
  a.bottom = height - 42;
  return a;
}

static void
area_clear (Area *a)
{
  g_clear_pointer (&a->x, fri_axis_free);
  g_clear_pointer (&a->y, fri_axis_free);
}

/* ---- plots ------------------------------------------------------------------------ */

static gboolean
point_at (JsonArray *points, guint i, gboolean log, double *x, double *y)
{
  JsonArray *point = json_array_get_array_element (points, i);
  JsonNode *node = json_array_get_element (point, 1);

  *x = json_array_get_double_element (point, 0);
  if (JSON_NODE_HOLDS_NULL (node))
    return FALSE;
  *y = json_node_get_double (node);
  return !log || *y > 0;
}

typedef struct
{
  double x0, x1, y0, y1;
} Range;

static gboolean
range_of (JsonArray *series, gboolean log, Range *r)
{
  *r = (Range){ HUGE_VAL, -HUGE_VAL, HUGE_VAL, -HUGE_VAL };
  for (guint s = 0; s < json_array_get_length (series); s++)
    {
      JsonArray *points = fri_get_array (json_array_get_object_element (series, s), "points");

      for (guint i = 0; i < json_array_get_length (points); i++)
        {
          double x, y;

          if (!point_at (points, i, log, &x, &y))
            continue;
          r->x0 = MIN (r->x0, x);
          r->x1 = MAX (r->x1, x);
          r->y0 = MIN (r->y0, y);
          r->y1 = MAX (r->y1, y);
        }
    }
  return r->x0 <= r->x1;
}

static guint
stride_of (JsonArray *points)
{
  return (json_array_get_length (points) + MAX_POINTS - 1) / MAX_POINTS;
}

static void
draw_series (FriHtml *html, const Area *a, JsonObject *series, guint number)
{
  JsonArray *points = fri_get_array (series, "points");
  guint n = json_array_get_length (points), stride = MAX (stride_of (points), 1);
  gboolean marks = json_object_get_boolean_member_with_default (series, "marks", FALSE);
  g_autofree char *line = g_strdup_printf ("line c%u", number % N_COLOURS);
  g_autofree char *dot = g_strdup_printf ("dot c%u", number % N_COLOURS);
  g_autoptr (GString) d = g_string_new (NULL);
  gboolean pen = FALSE;

  for (guint i = 0; i < n; i += stride)
    {
      double x, y;
      gboolean there = point_at (points, i, a->y->log, &x, &y);

      if (there)
        fri_svg_point (d, pen ? "L" : "M", x_of (a, x), y_of (a, y));
      pen = there;
    }
  if (d->len > 0)
    fri_svg_path (html, line, d->str);
  for (guint i = 0; marks && i < n; i += stride)
    {
      double x, y;

      if (point_at (points, i, a->y->log, &x, &y))
        fri_svg_circle (html, dot, x_of (a, x), y_of (a, y), 3);
    }
}

static void
draw_legend (FriHtml *html, JsonArray *series)
{
  fri_html_open (html, "ul", "class", "legend", NULL);
  for (guint s = 0; s < json_array_get_length (series); s++)
    {
      g_autofree char *line = g_strdup_printf ("line c%u", s % N_COLOURS);

      fri_html_open (html, "li", NULL);
      fri_html_open (html, "svg", "xmlns", "http://www.w3.org/2000/svg", "class", "key", "viewBox",
                     "0 0 24 10", "width", "24", "height", "10", "aria-hidden", "true", NULL);
      fri_svg_line (html, line, 0, 5, 24, 5);
      fri_html_close (html);
      fri_html_printf (html, " %s",
                       fri_get_text (json_array_get_object_element (series, s), "name"));
      fri_html_close (html);
    }
  fri_html_close (html);
}

/* For those who cannot see the lines: where each begins and ends. */
static char *
describe_series (JsonArray *series)
{
  GString *text = g_string_new (NULL);

  for (guint s = 0; s < json_array_get_length (series); s++)
    {
      JsonObject *one = json_array_get_object_element (series, s);
      JsonArray *points = fri_get_array (one, "points");
      guint n = json_array_get_length (points);
      double x0, y0, x1, y1;

      if (n == 0 || !point_at (points, 0, FALSE, &x0, &y0)
          || !point_at (points, n - 1, FALSE, &x1, &y1))
        continue;
      g_autofree char *a = fri_number (x0), *b = fri_number (y0), *c = fri_number (x1),
                      *d = fri_number (y1);
      g_string_append_printf (text, "%s%s: (%s, %s) … (%s, %s)", text->len > 0 ? "; " : "",
                              fri_get_text (one, "name"), a, b, c, d);
    }
  return g_string_free (text, FALSE);
}

void
fri_chart_plot (FriHtml *html, JsonObject *view)
{
  JsonArray *series = fri_get_array (view, "series");
  JsonObject *y_axis = fri_get_object (view, "y");
  gboolean log = json_object_get_boolean_member_with_default (y_axis, "log", FALSE);
  g_autofree char *desc = describe_series (series);
  double height = 260;
  Range r;
  Area a;

  if (!range_of (series, log, &r))
    {
      fri_html_element (html, "p", "none", "–");
      return;
    }
  a = area_new (tight_axis (r.x0, r.x1, 6), fri_axis_new (r.y0, r.y1, 5, log), height);
  fri_svg_begin (html, "chart", WIDTH, height, fri_get_text (view, "title"), desc);
  draw_y_axis (html, &a, fri_get_text (y_axis, "label"));
  draw_x_axis (html, &a, fri_get_text (fri_get_object (view, "x"), "label"));
  for (guint s = 0; s < json_array_get_length (series); s++)
    draw_series (html, &a, json_array_get_object_element (series, s), s);
  fri_svg_end (html);
  if (json_array_get_length (series) > 1)
    draw_legend (html, series);
  area_clear (&a);
}

/* ---- histograms --------------------------------------------------------------------- */

typedef struct
{
  double from, to, count;
} Bin;

/* Bins of one width are as high as their counts; else area stands for count. */
static gboolean
equally_wide (const Bin *bins, guint n)
{
  for (guint i = 1; i < n; i++)
    if (fabs ((bins[i].to - bins[i].from) - (bins[0].to - bins[0].from))
        > 0.01 * (bins[0].to - bins[0].from))
      return FALSE;
  return TRUE;
}

static double
height_of (const Bin *bin, gboolean equal)
{
  double width = bin->to - bin->from;

  return equal || width <= 0 ? bin->count : bin->count / width;
}

static void
draw_bars (FriHtml *html, const char *title, const char *x_label, const Bin *bins, guint n)
{
  gboolean equal = equally_wide (bins, n);
  double top = 0, height = 230;
  Area a;

  for (guint i = 0; i < n; i++)
    top = MAX (top, height_of (&bins[i], equal));
  a = area_new (tight_axis (bins[0].from, bins[n - 1].to, 6), fri_axis_new (0, top, 4, FALSE),
                height);
  fri_svg_begin (html, "chart", WIDTH, height, title, NULL);
  draw_y_axis (html, &a, equal ? "" : "/ 1");
  for (guint i = 0; i < n; i++)
    {
      double x = x_of (&a, bins[i].from), width = x_of (&a, bins[i].to) - x;
      double y = y_of (&a, height_of (&bins[i], equal));

      fri_svg_rect (html, "bar", x, y, width > 3 ? width - 1 : MAX (width, 1), a.bottom - y, 0);
    }
  draw_x_axis (html, &a, x_label);
  fri_svg_end (html);
  area_clear (&a);
}

void
fri_chart_histogram (FriHtml *html, JsonObject *view)
{
  JsonArray *array = fri_get_array (view, "bins");
  guint n = json_array_get_length (array);
  g_autofree Bin *bins = g_new0 (Bin, n + 1);

  for (guint i = 0; i < n; i++)
    {
      JsonArray *bin = json_array_get_array_element (array, i);

      bins[i]
          = (Bin){ json_array_get_double_element (bin, 0), json_array_get_double_element (bin, 1),
                   json_array_get_double_element (bin, 2) };
    }
  if (n > 0)
    draw_bars (html, fri_get_text (view, "title"),
               fri_get_text (fri_get_object (view, "x"), "label"), bins, n);
  else
    fri_html_element (html, "p", "none", "–");
}

/* ---- intervals ------------------------------------------------------------------------- */

#define ITEM 44.

static void
draw_interval (FriHtml *html, const Area *a, JsonObject *item, double y)
{
  double value = fri_get_number (item, "value"), low = fri_get_number (item, "low"),
         high = fri_get_number (item, "high");
  g_autofree char *v = fri_number (value), *l = fri_number (low), *h = fri_number (high);
  const char *note = fri_get_text (item, "note");
  g_autofree char *range
      = g_strdup_printf ("%s [%s, %s]%s%s", v, l, h, *note != '\0' ? ", " : "", note);
  double used = fri_text_width (range) * FONT + 16;
  /* Bold letters are up to a fifth wider, and no two fonts agree. */
  g_autofree char *name = fri_text_fit (fri_get_text (item, "name"), (WIDTH - used) / FONT / 1.35);
  double x0 = x_of (a, low), x1 = x_of (a, high), at = y + 24;

  fri_html_open (html, "g", NULL);
  fri_html_element (html, "title", NULL, fri_get_text (item, "name"));
  fri_svg_text (html, "name", 4, y + 10, "start", name);
  fri_svg_text (html, "tick", WIDTH - 4, y + 10, "end", range);
  fri_svg_line (html, "whisker", x0, at, x1, at);
  fri_svg_line (html, "whisker", x0, at - 5, x0, at + 5);
  fri_svg_line (html, "whisker", x1, at - 5, x1, at + 5);
  fri_svg_circle (html, "estimate", x_of (a, value), at, 4.5);
  fri_html_close (html);
}

void
fri_chart_intervals (FriHtml *html, JsonObject *view)
{
  JsonArray *items = fri_get_array (view, "items");
  guint n = json_array_get_length (items);
  double low = HUGE_VAL, high = -HUGE_VAL, height = n * ITEM + 48;
  gboolean zero = json_object_get_boolean_member_with_default (view, "zero", FALSE);
  Area a = { .left = 12, .right = WIDTH - 12, .top = 4, .bottom = n * ITEM + 8 };

  if (n == 0)
    {
      fri_html_element (html, "p", "none", "–");
      return;
    }
  for (guint i = 0; i < n; i++)
    {
      JsonObject *item = json_array_get_object_element (items, i);

      low = MIN (low, fri_get_number (item, "low"));
      high = MAX (high, fri_get_number (item, "high"));
    }
  if (zero)
    {
      low = MIN (low, 0);
      high = MAX (high, 0);
    }
  a.x = fri_axis_new (low, high, 6, FALSE);
  fri_svg_begin (html, "chart", WIDTH, height, fri_get_text (view, "title"), NULL);
  /* Beside the whiskers alone, not through what is written above them. */
  for (guint i = 0; zero && i < n; i++)
    fri_svg_line (html, "zero", x_of (&a, 0), i * ITEM + 19, x_of (&a, 0), i * ITEM + 37);
  for (guint i = 0; i < n; i++)
    draw_interval (html, &a, json_array_get_object_element (items, i), 4 + i * ITEM);
  draw_x_axis (html, &a, fri_get_text (view, "unit"));
  fri_svg_end (html);
  area_clear (&a);
}

/* ---- lengths of texts --------------------------------------------------------------------- */

/* Counts of @lengths in bins of @width, a power of two, which whole bins of
 * the file fall into (see core/engine/samples.c). */
static double *
coarse (const FriLengths *lengths, double width, guint n)
{
  double *counts = g_new0 (double, n);

  for (guint i = 0; i < lengths->from->len; i++)
    {
      guint bin = (guint) (g_array_index (lengths->from, double, i) / width);

      counts[MIN (bin, n - 1)] += g_array_index (lengths->count, double, i);
    }
  return counts;
}

static double
bin_width (double max)
{
  double width = 1;

  while (max / width >= 32)
    width *= 2;
  return width;
}

double
fri_lengths_distance (const FriLengths *a, const FriLengths *b)
{
  double max = MAX (a->max, b->max), width = bin_width (max), sum = 0;
  double n_a = MAX (a->n - a->nulls, 1), n_b = MAX (b->n - b->nulls, 1);
  guint n = (guint) (max / width) + 1;
  g_autofree double *in_a = coarse (a, width, n);
  g_autofree double *in_b = coarse (b, width, n);

  for (guint i = 0; i < n; i++)
    sum += fabs (in_a[i] / n_a - in_b[i] / n_b);
  return sum / 2;
}

static double
largest (const double *counts, guint n)
{
  double most = 0;

  for (guint i = 0; i < n; i++)
    most = MAX (most, counts[i]);
  return most;
}

/* Steps around the counts of @before. */
static void
draw_outline (FriHtml *html, const Area *a, const double *counts, double width, guint n)
{
  g_autoptr (GString) d = g_string_new (NULL);

  fri_svg_point (d, "M", x_of (a, 0), a->bottom);
  for (guint i = 0; i < n; i++)
    {
      fri_svg_point (d, "L", x_of (a, i * width), y_of (a, counts[i]));
      fri_svg_point (d, "L", x_of (a, (i + 1) * width), y_of (a, counts[i]));
    }
  fri_svg_point (d, "L", x_of (a, n * width), a->bottom);
  fri_svg_path (html, "before", d->str);
}

void
fri_chart_lengths (FriHtml *html, const FriWords *words, const char *title, const FriLengths *now,
                   const FriLengths *before)
{
  double max = MAX (now->max, before != NULL ? before->max : 0), width = bin_width (max);
  double height = 148, top;
  g_autofree double *counts = NULL;
  g_autofree double *earlier = NULL;
  guint n;
  Area a;

  n = (guint) (max / width) + 1;
  counts = coarse (now, width, n);
  earlier = before != NULL ? coarse (before, width, n) : NULL;
  top = MAX (largest (counts, n), earlier != NULL ? largest (earlier, n) : 0);
  a = area_new (tight_axis (0, n * width, 5), fri_axis_new (0, MAX (top, 1), 2, FALSE), height);
  a.right = SMALL - 12;
  fri_svg_begin (html, "chart", SMALL, height, title, NULL);
  draw_y_axis (html, &a, FRI_W (ROWS));
  for (guint i = 0; i < n; i++)
    {
      double x = x_of (&a, i * width), w = x_of (&a, (i + 1) * width) - x, y = y_of (&a, counts[i]);

      if (counts[i] > 0)
        fri_svg_rect (html, "bar", x, y, w > 3 ? w - 1 : MAX (w, 1), a.bottom - y, 0);
    }
  if (earlier != NULL)
    draw_outline (html, &a, earlier, width, n);
  draw_x_axis (html, &a, FRI_W (CHARACTERS));
  fri_svg_end (html);
  area_clear (&a);
}
