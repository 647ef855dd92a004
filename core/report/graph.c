/* SPDX-License-Identifier: Apache-2.0 */
/* graph.c: the stages of a run and what flowed between them, left to right.
 *
 * The drawing of layered graphs of Sugiyama, Tagawa and Toda (1981): a layer
 * for each stage, one to the right of all that feed it; stand-ins where a
 * connection crosses layers; an order in each layer by the mean place of the
 * neighbours, swept forth and back; then heights, pulled towards neighbours.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "report/report-private.h"

#define NODE_WIDTH 136.
#define NODE_HEIGHT 56.
#define GAP_MIN 50. /* between layers: as wide as the labels there */
#define GAP_MAX 140.
#define LABEL 11. /* size of its text */
#define ROW_GAP 26.
#define ASIDE_LINE 15.
#define STAND_IN 18.
#define MARGIN 12.
#define SWEEPS 12

/* A stage, or a stand-in on the way of a connection. */
typedef struct
{
  const char *id; /* NULL: a stand-in */
  guint layer, place;
  double y, height; /* middle, whole height */
  double wish;
  guint n_wishes;
  GPtrArray *aside; /* char *: rows that left by ports nothing reads; NULL: none */
  guint n_in;       /* connections that arrive */
} Node;

/* A connection; via stand-ins, first and last of which it begins and ends at. */
typedef struct
{
  guint from, to;
  char *port, *to_port;
  char *label;
  gboolean rejects, object, name_input;
  GArray *path; /* guint: nodes, from and to included */
} Edge;

typedef struct
{
  FriPageData *data;
  const FriWords *words;
  GArray *nodes;     /* Node */
  GArray *edges;     /* Edge */
  GPtrArray *layers; /* GArray of guint */
  GArray *lefts;     /* double: where each layer begins, and where the next would */
} Graph;

static Node *
node_at (Graph *g, guint i)
{
  return &g_array_index (g->nodes, Node, i);
}

static Edge *
edge_at (Graph *g, guint i)
{
  return &g_array_index (g->edges, Edge, i);
}

/* ---- reading ------------------------------------------------------------------- */

static int
find_node (Graph *g, const char *id)
{
  for (guint i = 0; i < g->nodes->len; i++)
    if (strcmp (node_at (g, i)->id, id) == 0)
      return (int) i;
  return -1;
}

static void
add_edge (Graph *g, guint from, guint to, char *port, const char *to_port, gboolean name_input)
{
  JsonObject *rows
      = fri_get_object (fri_page_stage (g->data->manifest, node_at (g, from)->id), "rows_out");
  Edge edge = { .from = from, .to = to, .port = port, .to_port = g_strdup (to_port) };

  edge.rejects = strcmp (port, "rejects") == 0;
  edge.object = rows == NULL || !json_object_has_member (rows, port);
  /* Which input a model goes to is plain from its colour. */
  edge.name_input
      = name_input && !edge.object && strcmp (to_port, "in") != 0 && strcmp (to_port, port) != 0;
  edge.path = g_array_new (FALSE, FALSE, sizeof (guint));
  if (edge.object)
    edge.label = g_strdup (strcmp (port, "out") == 0 ? "" : port);
  else
    {
      g_autofree char *n = fri_count ((guint64) fri_get_number (rows, port));

      edge.label
          = strcmp (port, "out") == 0 ? g_steal_pointer (&n) : g_strdup_printf ("%s %s", port, n);
    }
  node_at (g, to)->n_in++;
  g_array_append_val (g->edges, edge);
}

static void
read_edges (Graph *g, guint to)
{
  JsonObject *entry = fri_get_object (g->data->graph, node_at (g, to)->id);
  JsonObject *from = fri_get_object (entry, "from");
  g_autoptr (GList) ports = from != NULL ? json_object_get_members (from) : NULL;

  for (GList *p = ports; p != NULL; p = p->next)
    {
      JsonArray *ends = fri_get_array (from, p->data);

      for (guint i = 0; ends != NULL && i < json_array_get_length (ends); i++)
        {
          g_autofree char *port = NULL;
          g_autofree char *stage = fri_page_end (ends, i, &port);
          int n = stage != NULL ? find_node (g, stage) : -1;

          if (n >= 0 && (guint) n < to)
            add_edge (g, (guint) n, to, g_steal_pointer (&port), p->data, ports->next != NULL);
        }
    }
}

static gboolean
is_connected (Graph *g, guint node, const char *port)
{
  for (guint i = 0; i < g->edges->len; i++)
    if (edge_at (g, i)->from == node && strcmp (edge_at (g, i)->port, port) == 0)
      return TRUE;
  return FALSE;
}

/* Rows that leave by a port nothing reads. */
static void
read_aside (Graph *g, guint i)
{
  Node *node = node_at (g, i);
  JsonObject *rows = fri_get_object (fri_page_stage (g->data->manifest, node->id), "rows_out");
  g_autoptr (GList) ports = rows != NULL ? json_object_get_members (rows) : NULL;

  for (GList *p = ports; p != NULL; p = p->next)
    {
      double n = fri_get_number (rows, p->data);
      g_autofree char *count = fri_count ((guint64) n);

      if (n == 0 || is_connected (g, i, p->data))
        continue;
      if (node->aside == NULL)
        node->aside = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (node->aside, g_strdup_printf ("%s %s", (const char *) p->data, count));
    }
  node->height = NODE_HEIGHT + (node->aside != NULL ? ASIDE_LINE * node->aside->len + 4 : 0);
}

static void
edge_clear (gpointer p)
{
  Edge *edge = p;

  g_free (edge->port);
  g_free (edge->to_port);
  g_free (edge->label);
  g_array_unref (edge->path);
}

static void
node_clear (gpointer p)
{
  g_clear_pointer (&((Node *) p)->aside, g_ptr_array_unref);
}

static void
graph_read (Graph *g)
{
  for (guint i = 0; i < g->data->order->len; i++)
    {
      Node node = { .id = g_ptr_array_index (g->data->order, i) };

      g_array_append_val (g->nodes, node);
    }
  for (guint i = 0; i < g->nodes->len; i++)
    read_edges (g, i);
  for (guint i = 0; i < g->nodes->len; i++)
    read_aside (g, i);
}

/* ---- layers ---------------------------------------------------------------------- */

static void
set_layers (Graph *g)
{
  guint n = g->nodes->len;

  for (guint i = 0; i < n; i++)
    for (guint e = 0; e < g->edges->len; e++)
      if (edge_at (g, e)->to == i)
        node_at (g, i)->layer
            = MAX (node_at (g, i)->layer, node_at (g, edge_at (g, e)->from)->layer + 1);
  /* A source stands beside its first consumer, not at the far left. */
  for (guint i = 0; i < n; i++)
    {
      guint nearest = G_MAXUINT;

      for (guint e = 0; node_at (g, i)->n_in == 0 && e < g->edges->len; e++)
        if (edge_at (g, e)->from == i)
          nearest = MIN (nearest, node_at (g, edge_at (g, e)->to)->layer);
      if (nearest != G_MAXUINT)
        node_at (g, i)->layer = nearest - 1;
    }
}

static void
put_in_layer (Graph *g, guint node)
{
  guint layer = node_at (g, node)->layer;
  GArray *nodes;

  while (g->layers->len <= layer)
    g_ptr_array_add (g->layers, g_array_new (FALSE, FALSE, sizeof (guint)));
  nodes = g_ptr_array_index (g->layers, layer);
  node_at (g, node)->place = nodes->len;
  g_array_append_val (nodes, node);
}

static void
fill_layers (Graph *g)
{
  guint n = g->nodes->len;

  for (guint i = 0; i < n; i++)
    put_in_layer (g, i);
  for (guint e = 0; e < g->edges->len; e++)
    {
      Edge *edge = edge_at (g, e);
      guint last = node_at (g, edge->to)->layer;

      g_array_append_val (edge->path, edge->from);
      for (guint layer = node_at (g, edge->from)->layer + 1; layer < last; layer++)
        {
          Node stand_in = { .layer = layer, .height = STAND_IN };
          guint number = g->nodes->len;

          g_array_append_val (g->nodes, stand_in);
          put_in_layer (g, number);
          g_array_append_val (edge->path, number);
        }
      g_array_append_val (edge->path, edge->to);
    }
}

/* ---- order and heights --------------------------------------------------------------- */

/* What every node wishes for, from its neighbours on one side: the mean of
 * their places, or of their heights on the drawing. */
static void
wish (Graph *g, gboolean from_left, gboolean heights)
{
  for (guint i = 0; i < g->nodes->len; i++)
    {
      node_at (g, i)->wish = 0;
      node_at (g, i)->n_wishes = 0;
    }
  for (guint e = 0; e < g->edges->len; e++)
    {
      GArray *path = edge_at (g, e)->path;

      for (guint k = 0; k + 1 < path->len; k++)
        {
          Node *left = node_at (g, g_array_index (path, guint, k));
          Node *right = node_at (g, g_array_index (path, guint, k + 1));
          Node *to = from_left ? right : left, *from = from_left ? left : right;

          to->wish += heights ? from->y : from->place;
          to->n_wishes++;
        }
    }
}

static double
wish_of (const Node *node, double otherwise)
{
  return node->n_wishes > 0 ? node->wish / node->n_wishes : otherwise;
}

/* Insertion sort: stable, and layers are short. */
static void
sort_layer (Graph *g, GArray *layer)
{
  for (guint i = 1; i < layer->len; i++)
    for (guint k = i; k > 0; k--)
      {
        guint *a = &g_array_index (layer, guint, k - 1), *b = &g_array_index (layer, guint, k),
              swap;

        if (wish_of (node_at (g, *a), node_at (g, *a)->place)
            <= wish_of (node_at (g, *b), node_at (g, *b)->place))
          break;
        swap = *a;
        *a = *b;
        *b = swap;
      }
  for (guint i = 0; i < layer->len; i++)
    node_at (g, g_array_index (layer, guint, i))->place = i;
}

static void
set_order (Graph *g)
{
  for (guint s = 0; s < SWEEPS; s++)
    for (guint l = 0; l < g->layers->len; l++)
      {
        gboolean right = s % 2 == 0;

        wish (g, right, FALSE);
        sort_layer (g, g_ptr_array_index (g->layers, right ? l : g->layers->len - 1 - l));
      }
}

static double
apart (const Node *above, const Node *below)
{
  return (above->height + below->height) / 2 + (above->id && below->id ? ROW_GAP : ROW_GAP / 2);
}

/* As near to the wishes as their order and size allow: pushed down where they
 * overlap, then all up by what that was too much. */
static void
place_layer (Graph *g, GArray *layer)
{
  double too_much = 0;

  for (guint i = 0; i < layer->len; i++)
    {
      Node *node = node_at (g, g_array_index (layer, guint, i));
      double wanted = wish_of (node, node->y);

      node->y = wanted;
      if (i > 0)
        {
          Node *above = node_at (g, g_array_index (layer, guint, i - 1));

          node->y = MAX (wanted, above->y + apart (above, node));
        }
      too_much += node->y - wanted;
    }
  for (guint i = 0; i < layer->len; i++)
    node_at (g, g_array_index (layer, guint, i))->y -= too_much / layer->len;
}

static void
set_heights (Graph *g)
{
  for (guint l = 0; l < g->layers->len; l++)
    {
      GArray *layer = g_ptr_array_index (g->layers, l);

      for (guint i = 1; i < layer->len; i++)
        {
          Node *above = node_at (g, g_array_index (layer, guint, i - 1));
          Node *node = node_at (g, g_array_index (layer, guint, i));

          node->y = above->y + apart (above, node);
        }
    }
  for (guint s = 0; s < SWEEPS; s++)
    for (guint l = 0; l < g->layers->len; l++)
      {
        gboolean right = s % 2 == 0;

        wish (g, right, TRUE);
        place_layer (g, g_ptr_array_index (g->layers, right ? l : g->layers->len - 1 - l));
      }
}

/* Everything below the top margin; returns the height of the drawing. */
static double
settle (Graph *g)
{
  double top = HUGE_VAL, bottom = -HUGE_VAL;

  for (guint i = 0; i < g->nodes->len; i++)
    {
      Node *node = node_at (g, i);

      top = MIN (top, node->y - node->height / 2);
      bottom = MAX (bottom, node->y + node->height / 2);
    }
  for (guint i = 0; i < g->nodes->len; i++)
    node_at (g, i)->y = round (node_at (g, i)->y - top + MARGIN);
  return bottom - top + 2 * MARGIN;
}

/* ---- drawing ------------------------------------------------------------------------------ */

static double
left_of (Graph *g, const Node *node)
{
  return g_array_index (g->lefts, double, node->layer);
}

/* Room between layers for what is written there. */
static void
set_lefts (Graph *g)
{
  double left = MARGIN;

  for (guint l = 0; l < g->layers->len; l++)
    {
      double gap = GAP_MIN;

      g_array_append_val (g->lefts, left);
      for (guint e = 0; e < g->edges->len; e++)
        {
          const Edge *edge = edge_at (g, e);

          if (node_at (g, edge->from)->layer == l)
            gap = MAX (gap, fri_text_width (edge->label) * LABEL + 48);
          if (edge->name_input && node_at (g, edge->to)->layer == l + 1)
            gap = MAX (gap, fri_text_width (edge->to_port) * LABEL + 30);
        }
      left += NODE_WIDTH + MIN (gap, GAP_MAX);
    }
  g_array_append_val (g->lefts, left);
}

static double
top_of (const Node *node)
{
  return node->y - node->height / 2;
}

/* Connections leave and arrive evenly along a side, in the order of where they
 * lead, not to cross.  Those of one output port leave at one point. */
static double
port_y (const Node *node, guint number, guint n)
{
  return top_of (node) + NODE_HEIGHT * (number + 1) / (n + 1);
}

static double
far_end (Graph *g, const Edge *edge, gboolean out)
{
  return node_at (g, g_array_index (edge->path, guint, out ? 1 : edge->path->len - 2))->y;
}

static gboolean
is_first_of_port (Graph *g, guint number)
{
  const Edge *edge = edge_at (g, number);

  for (guint e = 0; e < number; e++)
    if (edge_at (g, e)->from == edge->from && strcmp (edge_at (g, e)->port, edge->port) == 0)
      return FALSE;
  return TRUE;
}

/* The mean of the ends that the port of @edge leads to. */
static double
port_wish (Graph *g, const Edge *edge)
{
  double sum = 0;
  guint n = 0;

  for (guint e = 0; e < g->edges->len; e++)
    {
      const Edge *other = edge_at (g, e);

      if (other->from != edge->from || strcmp (other->port, edge->port) != 0)
        continue;
      sum += far_end (g, other, TRUE);
      n++;
    }
  return sum / n;
}

static double
leaves_at (Graph *g, guint number)
{
  const Edge *edge = edge_at (g, number);
  double wish = port_wish (g, edge);
  guint rank = 0, n = 0;

  for (guint e = 0; e < g->edges->len; e++)
    {
      const Edge *other = edge_at (g, e);
      double at;

      if (other->from != edge->from || !is_first_of_port (g, e))
        continue;
      n++;
      at = port_wish (g, other);
      if (strcmp (other->port, edge->port) != 0)
        rank += at < wish || (at == wish && strcmp (other->port, edge->port) < 0);
    }
  return port_y (node_at (g, edge->from), rank, n);
}

static double
arrives_at (Graph *g, guint number)
{
  const Edge *edge = edge_at (g, number);
  double y = far_end (g, edge, FALSE);
  guint rank = 0;

  for (guint e = 0; e < g->edges->len; e++)
    {
      const Edge *other = edge_at (g, e);
      double at;

      if (e == number || other->to != edge->to)
        continue;
      at = far_end (g, other, FALSE);
      rank += at < y || (at == y && e < number);
    }
  return port_y (node_at (g, edge->to), rank, node_at (g, edge->to)->n_in);
}

static void
draw_edge (FriHtml *html, Graph *g, guint number)
{
  Edge *edge = edge_at (g, number);
  const Node *from = node_at (g, edge->from), *to = node_at (g, edge->to);
  double x = left_of (g, from) + NODE_WIDTH, y = leaves_at (g, number);
  double end_y = arrives_at (g, number), first_y = y;
  g_autoptr (GString) d = g_string_new (NULL);
  g_autofree char *label = fri_text_fit (edge->label, (GAP_MAX - 20) / LABEL);
  const char *class = edge->rejects ? "edge rejects" : edge->object ? "edge object" : "edge";

  fri_html_open (html, "g", "class", class, NULL);
  fri_html_open (html, "title", NULL);
  fri_html_printf (html, "%s.%s → %s.%s: %s", from->id, edge->port, to->id, edge->to_port,
                   edge->label);
  fri_html_close (html);
  fri_svg_point (d, "M", x, y);
  if (y != end_y || edge->path->len > 2)
    {
      x += fri_text_width (label) * LABEL + 8;
      fri_svg_point (d, "L", x, y);
    }
  for (guint k = 1; k < edge->path->len; k++)
    {
      const Node *node = node_at (g, g_array_index (edge->path, guint, k));
      double next_x = left_of (g, node), next_y = k + 1 < edge->path->len ? node->y : end_y;
      double middle = (x + next_x) / 2;

      fri_svg_point (d, "C", middle, y);
      fri_svg_point (d, " ", middle, next_y);
      fri_svg_point (d, " ", k + 1 < edge->path->len ? next_x : next_x - 5, next_y);
      x = next_x;
      y = next_y;
      if (k + 1 < edge->path->len)
        {
          x += NODE_WIDTH;
          fri_svg_point (d, "L", x, y);
        }
    }
  fri_svg_path (html, "way", d->str);
  g_string_truncate (d, 0);
  fri_svg_point (d, "M", x, y);
  fri_svg_point (d, "L", x - 7, y - 4);
  fri_svg_point (d, "L", x - 7, y + 4);
  g_string_append_c (d, 'Z');
  fri_svg_path (html, "tip", d->str);
  if (is_first_of_port (g, number))
    fri_svg_text (html, "label", left_of (g, from) + NODE_WIDTH + 6, first_y - 5, "start", label);
  if (edge->name_input)
    {
      g_autofree char *name = fri_text_fit (edge->to_port, (GAP_MAX - 24) / LABEL);

      fri_svg_text (html, "port", x - 10, y + 13, "end", name);
    }
  fri_html_close (html);
}

static const char *
state_of (Graph *g, const char *id)
{
  JsonObject *run = fri_get_object (g->data->report, "run");

  return fri_get_text (fri_get_object (fri_get_object (run, "stages"), id), "state");
}

static void
draw_node (FriHtml *html, Graph *g, guint number)
{
  const FriWords *words = g->words;
  const Node *node = node_at (g, number);
  JsonObject *run = fri_get_object (
      fri_get_object (fri_get_object (g->data->report, "run"), "stages"), node->id);
  const char *state = state_of (g, node->id);
  const char *element = fri_get_text (fri_get_object (g->data->graph, node->id), "element");
  g_autofree char *id = fri_text_fit (node->id, (NODE_WIDTH - 20) / 14);
  g_autofree char *shown = fri_text_fit (element, (NODE_WIDTH - 20) / LABEL);
  g_autofree char *time = fri_seconds (fri_get_number (run, "working"));
  g_autofree char *target = g_strdup_printf ("#stage-%u", number + 1);
  gboolean reused = strcmp (state, "reused") == 0, failed = strcmp (state, "failed") == 0;
  gboolean done = reused || strcmp (state, "done") == 0;
  double x = left_of (g, node), y = top_of (node);

  fri_html_open (html, "a", "href", target, NULL);
  fri_html_open (html, "g", "class",
                 failed   ? "node failed"
                 : reused ? "node reused"
                 : done   ? "node"
                          : "node undone",
                 NULL);
  fri_html_open (html, "title", NULL);
  fri_html_printf (html, "%s (%s): %s", node->id, element, fri_word_of_state (words, state));
  fri_html_close (html);
  fri_svg_rect (html, "box", x, y, NODE_WIDTH, NODE_HEIGHT, 7);
  fri_svg_text (html, "id", x + 10, y + 18, "start", id);
  fri_svg_text (html, "element", x + 10, y + 33, "start", shown);
  fri_svg_text (html, failed ? "state bad" : "state", x + 10, y + 48, "start",
                reused ? FRI_W (KEPT)
                : done ? time
                       : fri_word_of_state (words, state));
  for (guint i = 0; node->aside != NULL && i < node->aside->len; i++)
    {
      const char *text = g_ptr_array_index (node->aside, i);
      g_autofree char *fitted = fri_text_fit (text, (NODE_WIDTH - 24) / LABEL);
      double at = y + NODE_HEIGHT + 13 + i * ASIDE_LINE;
      gboolean rejects = g_str_has_prefix (text, "rejects ");
      g_autoptr (GString) d = g_string_new (NULL);

      fri_svg_point (d, "M", x + 14, at - 13);
      fri_svg_point (d, "L", x + 14, at - 4);
      fri_svg_point (d, "L", x + 20, at - 4);
      fri_svg_path (html, rejects ? "way rejects" : "way aside", d->str);
      fri_svg_text (html, rejects ? "label rejects" : "port", x + 25, at, "start", fitted);
    }
  fri_html_close (html);
  fri_html_close (html);
}

static void
draw (FriHtml *html, Graph *g, double height)
{
  guint n = g->data->order->len;
  double width = g_array_index (g->lefts, double, g->layers->len - 1) + NODE_WIDTH + MARGIN;
  const FriWords *words = g->words;

  fri_html_open (html, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label",
                 FRI_W (GRAPH), NULL);
  fri_svg_begin (html, "graph", width, height, FRI_W (GRAPH), NULL);
  for (guint e = 0; e < g->edges->len; e++)
    draw_edge (html, g, e);
  for (guint i = 0; i < n; i++)
    draw_node (html, g, i);
  fri_svg_end (html);
  fri_html_close (html);
}

void
fri_graph_draw (FriHtml *html, const FriWords *words, FriPageData *data)
{
  Graph g = { .data = data, .words = words };

  if (data->order->len == 0)
    return;
  g.nodes = g_array_new (FALSE, TRUE, sizeof (Node));
  g.edges = g_array_new (FALSE, TRUE, sizeof (Edge));
  g_array_set_clear_func (g.nodes, node_clear);
  g_array_set_clear_func (g.edges, edge_clear);
  g.layers = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  g.lefts = g_array_new (FALSE, FALSE, sizeof (double));
  graph_read (&g);
  set_layers (&g);
  fill_layers (&g);
  set_order (&g);
  set_heights (&g);
  set_lefts (&g);
  draw (html, &g, settle (&g));
  g_array_unref (g.lefts);
  g_ptr_array_unref (g.layers);
  g_array_unref (g.edges);
  g_array_unref (g.nodes);
}
