/* SPDX-License-Identifier: Apache-2.0 */
/* dedup.c: transform.dedup, one row of each set of equal rows.
 *
 * A row is its key: the hash of some columns after normalisation (rowkey.h).
 * A map from key to what is known of the cluster (runs.h) decides.  Keeping
 * the first row needs one pass, and a row goes on at once; keeping the best
 * needs a pass to find it and a second to send it.  Rows themselves are never
 * held.  Near-duplicates are not found here yet: `method` has their place.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <math.h>

#include "text/normal.h"
#include "text/rowkey.h"

enum
{
  METHOD_EXACT
};
enum
{
  KEEP_FIRST,
  KEEP_LONGEST,
  KEEP_MOST,
  KEEP_LEAST
};

typedef struct
{
  char **columns;
  char **normalize;
  int method;
  int keep;
  char *keep_by;
  char *cluster;
} Config;

static const FrEnumValue *const methods[]
    = { FR_ENUM ("exact", METHOD_EXACT, "equal after normalisation"), NULL };

static const FrEnumValue *const keeps[]
    = { FR_ENUM ("first", KEEP_FIRST, "the one that comes first; rows go on at once"),
        FR_ENUM ("longest", KEEP_LONGEST,
                 "the one with most characters in the columns compared, as they are"),
        FR_ENUM ("most", KEEP_MOST, "the one with the largest value of keep_by"),
        FR_ENUM ("least", KEEP_LEAST, "the one with the smallest value of keep_by"), NULL };

static const FrParam *const params[] = {
  FR_PARAM_COLUMNS ("columns", Config, columns, FR_TYPES_ANY,
                    "columns that make a row the same as another; none given: every text column",
                    .example = "[\"title\", \"content\"]"),
  FR_PARAM_STRINGS ("normalize", Config, normalize,
                    "what is levelled out before text is compared; the rows keep their text",
                    .def = "[\"unicode\", \"width\", \"case\", \"space\"]",
                    .pattern = "none|unicode|width|case|control|space|all_space|punctuation",
                    .example = "[\"unicode\", \"case\", \"all_space\", \"punctuation\"]"),
  FR_PARAM_ENUM ("method", Config, method, methods, "what counts as a duplicate", .def = "exact"),
  FR_PARAM_ENUM ("keep", Config, keep, keeps, "which row of a cluster stays", .def = "first"),
  FR_PARAM_COLUMN (
      "keep_by", Config, keep_by,
      FR_TYPES_NUMBER | FR_TYPES (FR_TYPE_TIMESTAMP) | FR_TYPES (FR_TYPE_BOOL),
      "for keep most and least: the column that decides; null is worst, the first of equals wins"),
  FR_PARAM_STRING ("cluster", Config, cluster,
                   "name of a column to add to out: the id of the first row of the row's cluster",
                   .example = "\"cluster\""),
  NULL
};

static const FrPort *const inputs[] = { FR_PORT ("in", FR_PORT_RECORDS, "rows that may repeat",
                                                 .flags = FR_PORT_MANY | FR_PORT_REWINDABLE),
                                        NULL };

static const FrPort *const outputs[]
    = { FR_PORT ("out", FR_PORT_RECORDS, "one row of each cluster, in the order of the input"),
        FR_PORT ("duplicates", FR_PORT_RECORDS,
                 "the others, with 'duplicate_of' (id of the row that stayed) and 'cluster'",
                 .flags = FR_PORT_OPTIONAL),
        NULL };

/* ---- configure, bind, open ------------------------------------------------- */

static gboolean
dedup_configure (gpointer data, FrProblems *problems)
{
  const Config *config = data;
  const char *wrong;
  gboolean by = config->keep == KEEP_MOST || config->keep == KEEP_LEAST, ok = TRUE;

  text_normal_words ((const char *const *) config->normalize, &wrong);
  if (wrong != NULL)
    {
      const char *near = fr_suggest (wrong, text_normal_word_list ());

      fr_problems_add (problems, "/normalize",
                       strcmp (wrong, "none") == 0 ? "'none' stands alone%s%s%s"
                                                   : "there is no normalisation '%s'%s%s",
                       strcmp (wrong, "none") == 0 ? "" : wrong, near ? "; did you mean " : "",
                       near ? near : "");
      ok = FALSE;
    }
  if (by && config->keep_by == NULL)
    {
      fr_problems_add (problems, "/keep",
                       "this needs 'keep_by', the column that decides which row stays");
      ok = FALSE;
    }
  if (!by && config->keep_by != NULL)
    {
      fr_problems_add (problems, "/keep_by",
                       "this has no effect unless 'keep' is 'most' or 'least'");
      ok = FALSE;
    }
  if (config->cluster != NULL && *config->cluster == '\0')
    {
      fr_problems_add (problems, "/cluster", "a column needs a name");
      ok = FALSE;
    }
  return ok;
}

static FrSchema *
with_text_column (FrSchema *schema, const char *name)
{
  FrSchema *more = fr_schema_with (schema, fr_field_new (name, FR_TYPE_UTF8));

  fr_schema_unref (schema);
  return more;
}

static gboolean
dedup_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;
  FrSchema *schema = fr_bind_input (bind, "in"), *others;

  (void) error;
  if (schema == NULL)
    {
      fr_bind_output (bind, "out", NULL);
      fr_bind_output (bind, "duplicates", NULL);
      return TRUE;
    }
  if (config->cluster != NULL && fr_schema_find (schema, config->cluster) >= 0)
    fr_bind_warn (bind, "/cluster", "the input has a column '%s' already; it is replaced",
                  config->cluster);
  fr_bind_output (bind, "out",
                  config->cluster != NULL
                      ? with_text_column (fr_schema_ref (schema), config->cluster)
                      : fr_schema_ref (schema));
  others = with_text_column (fr_schema_ref (schema), "duplicate_of");
  fr_bind_output (bind, "duplicates", with_text_column (others, "cluster"));
  return TRUE;
}

/* What is known of a cluster.  Only `first` and `count` when the first stays. */
typedef struct
{
  FrRowId first;
  guint64 count;
  FrRowId best;
  guint64 best_at; /* number of the row in the input */
  gint64 score;
} Cluster;

typedef struct
{
  const Config *config;
  TextRowKey *key;
  TextKeyMap *map;
  int keep_by;
  guint64 at; /* rows seen in this pass */
  guint64 n_rows, n_duplicates;
  GString *id;
} State;

static void
dedup_close (gpointer data)
{
  State *s = data;

  text_row_key_free (s->key);
  text_key_map_free (s->map);
  g_string_free (s->id, TRUE);
  g_free (s);
}

static gboolean
dedup_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  const Config *config = data;
  const char *wrong, *dir = fr_host_spill_dir (host, error);
  FrSchema *schema = fr_host_input (host, "in");
  State *s;

  if (dir == NULL)
    return FALSE;
  s = g_new0 (State, 1);
  s->config = config;
  s->key = text_row_key_new (schema, (const char *const *) config->columns,
                             text_normal_words ((const char *const *) config->normalize, &wrong));
  s->map = text_key_map_new (config->keep == KEEP_FIRST ? G_STRUCT_OFFSET (Cluster, best)
                                                        : sizeof (Cluster),
                             fr_host_memory (host), dir);
  s->keep_by = config->keep_by != NULL ? fr_schema_find (schema, config->keep_by) : -1;
  s->id = g_string_new (NULL);
  *state = s;
  return TRUE;
}

/* ---- which row is better ---------------------------------------------------- */

/* Any number as an integer of the same order; the smallest of all is left for null. */
static gint64
score_of_column (const FrView *view, gsize row, gboolean least)
{
  gint64 score;

  if (fr_view_is_null (view, row))
    return G_MININT64;
  if (view->type == FR_TYPE_FLOAT32 || view->type == FR_TYPE_FLOAT64)
    {
      double value = fr_view_float (view, row) + 0.0;

      if (isnan (value))
        return G_MININT64;
      memcpy (&score, &value, sizeof score);
      if (score < 0)
        score ^= G_MAXINT64;
    }
  else
    score = fr_view_int (view, row);
  score = least ? ~score : score;
  return MAX (score, G_MININT64 + 1);
}

static gint64
score_of_length (State *s, const FrBatch *batch, gsize row)
{
  gint64 chars = 0;

  for (guint i = 0; i < text_row_key_n_columns (s->key); i++)
    {
      FrView view = fr_view (batch, text_row_key_column (s->key, i));

      if (FR_TYPES (view.type) & FR_TYPES_TEXT)
        chars += (gint64) text_n_chars (fr_view_str (&view, row));
    }
  return chars;
}

static gint64
score_of (State *s, const FrBatch *batch, gsize row)
{
  FrView view;

  if (s->config->keep == KEEP_LONGEST)
    return score_of_length (s, batch, row);
  view = fr_view (batch, (guint) s->keep_by);
  return score_of_column (&view, row, s->config->keep == KEEP_LEAST);
}

/* Takes a row into its cluster; @is_new: the cluster was not known. */
static gboolean
learn (State *s, const FrBatch *batch, gsize row, Cluster *cluster, gboolean *is_new,
       GError **error)
{
  TextKey key = text_row_key_hash (s->key, row, 0);
  FrRowId id = fr_batch_ids (batch)[row];
  gboolean found, best = s->config->keep != KEEP_FIRST;
  gint64 score = best ? score_of (s, batch, row) : 0;

  if (!text_key_map_find (s->map, key, cluster, &found, error))
    return FALSE;
  *is_new = !found;
  if (!found)
    *cluster = (Cluster){ .first = id, .best = id, .best_at = s->at, .score = score };
  cluster->count++;
  if (best && score > cluster->score)
    {
      cluster->best = id;
      cluster->best_at = s->at;
      cluster->score = score;
    }
  return text_key_map_store (s->map, key, cluster, error);
}

/* ---- sending ----------------------------------------------------------------- */

/* Where the rows of one batch go. */
typedef struct
{
  guint8 *keep;
  FrBuilder *of_out;        /* cluster; NULL when nobody wants it */
  FrBuilder *of_duplicates; /* duplicate_of, cluster */
} Sorted;

static void
append_id (State *s, FrHost *host, FrCells *cells, FrRowId id)
{
  g_string_truncate (s->id, 0);
  fr_host_append_row_id (host, id, s->id);
  fr_cells_append_str (cells, s->id->str, s->id->len);
}

static void
sort_row (State *s, FrHost *host, Sorted *to, const FrBatch *batch, gsize row, gboolean keep,
          FrRowId best, FrRowId first)
{
  FrRowId id = fr_batch_ids (batch)[row];

  to->keep[row] = keep;
  s->n_rows++;
  if (keep && to->of_out != NULL)
    {
      append_id (s, host, fr_builder_cells (to->of_out, 0), first);
      fr_builder_end_row (to->of_out, id);
    }
  if (!keep)
    {
      append_id (s, host, fr_builder_cells (to->of_duplicates, 0), best);
      append_id (s, host, fr_builder_cells (to->of_duplicates, 1), first);
      fr_builder_end_row (to->of_duplicates, id);
      s->n_duplicates++;
    }
}

/* @rows (taken) with the columns that @extra built. */
static FrBatch *
widen (FrBatch *rows, FrBuilder *extra, const char *const *names, GError **error)
{
  g_autoptr (FrBatch) wide = rows, more = fr_builder_finish (extra, error);

  for (guint i = 0; wide != NULL && more != NULL && names[i] != NULL; i++)
    {
      g_autoptr (FrField) field = fr_field_new (names[i], FR_TYPE_UTF8);
      FrBatch *next
          = fr_batch_with_column (wide, field, fr_column_ref (fr_batch_column (more, i)), error);

      fr_batch_unref (wide);
      wide = next;
    }
  return more != NULL ? g_steal_pointer (&wide) : NULL;
}

static FrFlow
send_batch (State *s, FrHost *host, FrBatch *batch, Sorted *to, GError **error)
{
  const char *const cluster[] = { s->config->cluster, NULL };
  const char *const both[] = { "duplicate_of", "cluster", NULL };
  FrBatch *kept = fr_batch_filter (batch, to->keep), *others;
  gsize n = fr_batch_n_rows (batch);
  FrFlow flow = FR_FLOW_OK;

  if (to->of_out != NULL && (kept = widen (kept, to->of_out, cluster, error)) == NULL)
    return FR_FLOW_ERROR;
  flow = fr_host_push (host, "out", kept, error);
  if (flow == FR_FLOW_CANCELLED || flow == FR_FLOW_ERROR)
    return flow;
  for (gsize i = 0; i < n; i++)
    to->keep[i] = !to->keep[i];
  others = widen (fr_batch_filter (batch, to->keep), to->of_duplicates, both, error);
  return others != NULL ? fr_host_push (host, "duplicates", others, error) : FR_FLOW_ERROR;
}

static FrFlow
work_batch (State *s, FrHost *host, FrBatch *batch, gboolean learning, gboolean sending,
            GError **error)
{
  gsize n = fr_batch_n_rows (batch);
  g_autofree guint8 *keep = g_malloc (n);
  g_autoptr (FrSchema) one = fr_schema_new_simple ("cluster", FR_TYPE_UTF8, NULL);
  g_autoptr (FrSchema) two
      = fr_schema_new_simple ("duplicate_of", FR_TYPE_UTF8, "cluster", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) of_out = s->config->cluster != NULL ? fr_builder_new (one) : NULL;
  g_autoptr (FrBuilder) of_duplicates = fr_builder_new (two);
  Sorted to = { keep, of_out, of_duplicates };

  text_row_key_open (s->key, batch);
  for (gsize row = 0; row < n; row++, s->at++)
    {
      Cluster cluster = { .count = 0 };
      gboolean is_new = FALSE, found;

      if (learning && !learn (s, batch, row, &cluster, &is_new, error))
        return FR_FLOW_ERROR;
      if (!learning
          && !text_key_map_find (s->map, text_row_key_hash (s->key, row, 0), &cluster, &found,
                                 error))
        return FR_FLOW_ERROR;
      if (sending && learning)
        sort_row (s, host, &to, batch, row, is_new, cluster.first, cluster.first);
      else if (sending)
        sort_row (s, host, &to, batch, row, cluster.best_at == s->at, cluster.best, cluster.first);
    }
  return sending ? send_batch (s, host, batch, &to, error) : FR_FLOW_OK;
}

static FrFlow
pass (State *s, FrHost *host, gboolean learning, gboolean sending, GError **error)
{
  FrFlow flow;

  s->at = 0;
  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;

      flow = fr_host_next (host, "in", &batch, error);
      if (flow != FR_FLOW_OK)
        return flow;
      flow = work_batch (s, host, batch, learning, sending, error);
      if (flow == FR_FLOW_CANCELLED || flow == FR_FLOW_ERROR)
        return flow;
    }
}

/* ---- report -------------------------------------------------------------------- */

#define N_LARGEST 10

typedef struct
{
  guint64 clusters; /* of two rows or more */
  guint64 sizes[6];
  Cluster largest[N_LARGEST];
  guint n_largest;
} Census;

static const char *const size_names[] = { "2", "3", "4", "5-9", "10-99", "100+" };

/* Larger first; of equals, the one whose first row came first at its source. */
static gboolean
ranks_before (const Cluster *a, const Cluster *b)
{
  if (a->count != b->count)
    return a->count > b->count;
  if (a->first.source != b->first.source)
    return a->first.source < b->first.source;
  if (a->first.position != b->first.position)
    return a->first.position < b->first.position;
  return a->first.child < b->first.child;
}

static void
count_cluster (TextKey key, gconstpointer value, gpointer data)
{
  Census *census = data;
  Cluster cluster = { .count = 0 };
  guint i;

  (void) key;
  memcpy (&cluster, value, G_STRUCT_OFFSET (Cluster, best));
  if (cluster.count < 2)
    return;
  census->clusters++;
  census->sizes[cluster.count < 5     ? cluster.count - 2
                : cluster.count < 10  ? 3
                : cluster.count < 100 ? 4
                                      : 5]++;
  for (i = census->n_largest; i > 0 && ranks_before (&cluster, &census->largest[i - 1]); i--)
    if (i < N_LARGEST)
      census->largest[i] = census->largest[i - 1];
  if (i < N_LARGEST)
    {
      census->largest[i] = cluster;
      census->n_largest = MIN (census->n_largest + 1, N_LARGEST);
    }
}

/* The clusters, for report.html. */
static void
show_clusters (State *s, FrHost *host, const Census *census)
{
  g_autoptr (FrViews) v = fr_views_new ();

  fr_views_begin (v, FR_VIEW_FIGURES, "Duplicates");
  fr_views_add_figure (v, "rows", (double) s->n_rows, NULL);
  fr_views_add_figure (v, "kept", (double) (s->n_rows - s->n_duplicates), NULL);
  fr_views_add_figure (v, "duplicates", (double) s->n_duplicates, NULL);
  fr_views_add_figure (v, "clusters", (double) census->clusters, "groups of rows alike");
  if (census->clusters > 0)
    {
      fr_views_begin (v, FR_VIEW_TABLE, "Sizes of clusters");
      fr_views_add_column (v, "rows", FR_VIEW_TEXT);
      fr_views_add_column (v, "clusters", FR_VIEW_BAR);
      for (guint i = 0; i < G_N_ELEMENTS (size_names); i++)
        {
          if (census->sizes[i] == 0)
            continue;
          fr_views_begin_row (v, NULL, NULL);
          fr_views_add_cell (v, size_names[i]);
          fr_views_add_number (v, (double) census->sizes[i]);
        }
    }
  /* Pairs are many and alike. */
  if (census->n_largest > 0 && census->largest[0].count > 2)
    {
      fr_views_begin (v, FR_VIEW_TABLE, "Largest clusters");
      fr_views_add_column (v, "first row", FR_VIEW_TEXT);
      fr_views_add_column (v, "rows", FR_VIEW_BAR);
      for (guint i = 0; i < census->n_largest; i++)
        {
          g_string_truncate (s->id, 0);
          fr_host_append_row_id (host, census->largest[i].first, s->id);
          fr_views_begin_row (v, NULL, NULL);
          fr_views_add_cell (v, s->id->str);
          fr_views_add_number (v, (double) census->largest[i].count);
        }
    }
  fr_host_report (host, "views", fr_views_to_json (v));
}

static gboolean
report (State *s, FrHost *host, GError **error)
{
  Census census = { .clusters = 0 };
  JsonObject *object = json_object_new (), *sizes = json_object_new ();
  JsonArray *largest = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  json_object_set_object_member (object, "cluster_sizes", sizes);
  json_object_set_array_member (object, "largest_clusters", largest);
  if (!text_key_map_foreach (s->map, count_cluster, &census, error))
    {
      json_node_unref (node);
      return FALSE;
    }
  json_object_set_int_member (object, "rows", (gint64) s->n_rows);
  json_object_set_int_member (object, "kept", (gint64) (s->n_rows - s->n_duplicates));
  json_object_set_int_member (object, "duplicates", (gint64) s->n_duplicates);
  json_object_set_int_member (object, "clusters", (gint64) census.clusters);
  for (guint i = 0; i < G_N_ELEMENTS (size_names); i++)
    json_object_set_int_member (sizes, size_names[i], (gint64) census.sizes[i]);
  for (guint i = 0; i < census.n_largest; i++)
    {
      JsonObject *one = json_object_new ();

      g_string_truncate (s->id, 0);
      fr_host_append_row_id (host, census.largest[i].first, s->id);
      json_object_set_string_member (one, "cluster", s->id->str);
      json_object_set_int_member (one, "rows", (gint64) census.largest[i].count);
      json_array_add_object_element (largest, one);
    }
  fr_host_report (host, "duplicates", node);
  show_clusters (s, host, &census);
  return TRUE;
}

static FrFlow
dedup_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  gboolean once = s->config->keep == KEEP_FIRST;
  FrFlow flow = pass (s, host, TRUE, once, error);

  if (flow != FR_FLOW_DONE)
    return flow;
  if (!once)
    {
      if (!fr_host_rewind (host, "in", error))
        return FR_FLOW_ERROR;
      flow = pass (s, host, FALSE, TRUE, error);
      if (flow != FR_FLOW_DONE)
        return flow;
    }
  fr_host_count (host, "duplicates", (gint64) s->n_duplicates);
  if (text_key_map_spilled (s->map) > 0)
    fr_host_info (host, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " keys were kept on disk",
                  text_key_map_spilled (s->map), text_key_map_size (s->map));
  return report (s, host, error) ? FR_FLOW_OK : FR_FLOW_ERROR;
}

static const char details[]
    = "Rows are the same when all `columns` are: text after the steps of `normalize`, numbers by "
      "value, null\n"
      "only to null. One row of each such cluster goes to `out`, in the order of the input; the "
      "others go to\n"
      "`duplicates` with the id of the row that stayed for them. The text of rows is never "
      "changed.\n"
      "\n"
      "| word of `normalize` | levels out |\n"
      "| --- | --- |\n"
      "| `unicode` | NFKC: composed and decomposed letters, ligatures, circled numbers |\n"
      "| `width` | full-width and half-width letters, digits and kana |\n"
      "| `case` | upper and lower case of every script |\n"
      "| `control` | control and invisible characters |\n"
      "| `space` | runs of white space become one blank, none at the ends |\n"
      "| `all_space` | white space is ignored (good for Chinese) |\n"
      "| `punctuation` | punctuation and symbols, emoji too, are ignored |\n"
      "| `none` | alone: text as it is |\n"
      "\n"
      "The report has the number of clusters, their sizes and the ten largest by the id of their "
      "first row.\n"
      "With `cluster`, every row of `out` gets that id too, and `transform.split` with `by` set to "
      "the column can\n"
      "keep a cluster on one side.\n"
      "\n"
      "### Memory\n"
      "\n"
      "A row costs 40 bytes for its key (72 unless the first row stays), never its text, and a "
      "table of keys is\n"
      "at most three quarters full. When the stage's share of memory is used up, keys are sorted "
      "into files in\n"
      "the run directory; about one and a half bytes a key stay in memory to find them again. The "
      "result is the\n"
      "same. Rows are told apart by 128-bit hashes: with a billion different rows the chance of "
      "one mistake is\n"
      "about 1 in 10^21.\n";

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.dedup",
  .revision = 1,
  .summary = "keep one row of each set of equal rows",
  .details = details,
  .example = "{\"normalize\": [\"unicode\", \"case\", \"all_space\"], \"keep\": \"longest\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = outputs,
  .configure = dedup_configure,
  .bind = dedup_bind,
  .open = dedup_open,
  .run = dedup_run,
  .close = dedup_close,
};

FR_PLUGIN ("dedup", PACKAGE_VERSION, "one row of each set of equal rows", "Apache-2.0", "flowrun",
           &element)
