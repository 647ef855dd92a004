/* SPDX-License-Identifier: Apache-2.0 */
/* census.c: the report of transform.dedup; see dedup.h. */
#include "config.h"

#include "transforms/dedup/dedup.h"

static const char *const size_names[CENSUS_SIZES] = { "2", "3", "4", "5-9", "10-99", "100+" };

/* Larger first; of equals, the one whose first row came first at its source. */
static gboolean
ranks_before (FrRowId a, guint64 n_a, FrRowId b, guint64 n_b)
{
  if (n_a != n_b)
    return n_a > n_b;
  if (a.source != b.source)
    return a.source < b.source;
  if (a.position != b.position)
    return a.position < b.position;
  return a.child < b.child;
}

void
dedup_census_add (Census *census, FrRowId first, guint64 count)
{
  guint i;

  if (count < 2)
    return;
  census->clusters++;
  census->sizes[count < 5 ? count - 2 : count < 10 ? 3 : count < 100 ? 4 : 5]++;
  for (i = census->n_largest;
       i > 0
       && ranks_before (first, count, census->largest[i - 1].first, census->largest[i - 1].count);
       i--)
    if (i < CENSUS_LARGEST)
      census->largest[i] = census->largest[i - 1];
  if (i < CENSUS_LARGEST)
    {
      census->largest[i].first = first;
      census->largest[i].count = count;
      census->n_largest = MIN (census->n_largest + 1, CENSUS_LARGEST);
    }
}

static const char *
id_text (Dedup *d, FrRowId id)
{
  g_string_truncate (d->id, 0);
  fr_host_append_row_id (d->host, id, d->id);
  return d->id->str;
}

static const FrViewWord chinese[] = {
  { "Duplicates", "重复" },
  { "rows", "行数" },
  { "kept", "保留" },
  { "duplicates", "重复行" },
  { "near-duplicates", "近似重复" },
  { "of them, not equal", "包含在重复行内，文本不完全相同" },
  { "clusters", "重复组" },
  { "groups of rows alike", "由相同或相近的行组成" },
  { "Similarity of near-duplicates to the row that stayed", "近似重复行与保留行的相似度" },
  { "Jaccard index", "Jaccard 系数" },
  { "Sizes of clusters", "重复组的大小" },
  { "Largest clusters", "最大的重复组" },
  { "first row", "首行" },
  { NULL, NULL },
};

/* How alike the rows that went are to those that stay, from the least alike on. */
static void
show_similarities (Dedup *d, FrViews *v)
{
  guint least = 0;

  while (least < 100 && d->similarities[least] == 0)
    least++;
  fr_views_begin (v, FR_VIEW_HISTOGRAM, "Similarity of near-duplicates to the row that stayed");
  fr_views_axes (v, "Jaccard index", NULL, FALSE);
  for (guint i = least; i <= 100; i++)
    fr_views_add_bin (v, i / 100.0, (i + 1) / 100.0, d->similarities[i]);
}

/* The clusters, for report.html. */
static void
show_clusters (Dedup *d, const Census *census, const TextClusterCounts *counts)
{
  g_autoptr (FrViews) v = fr_views_new ();

  fr_views_translate (v, "zh", chinese);
  fr_views_begin (v, FR_VIEW_FIGURES, "Duplicates");
  fr_views_add_figure (v, "rows", (double) d->n_rows, NULL);
  fr_views_add_figure (v, "kept", (double) (d->n_rows - d->n_duplicates), NULL);
  fr_views_add_figure (v, "duplicates", (double) d->n_duplicates, NULL);
  if (counts != NULL)
    fr_views_add_figure (v, "near-duplicates", (double) d->n_near, "of them, not equal");
  fr_views_add_figure (v, "clusters", (double) census->clusters, "groups of rows alike");
  if (d->n_near > 0)
    show_similarities (d, v);
  if (census->clusters > 0)
    {
      fr_views_begin (v, FR_VIEW_TABLE, "Sizes of clusters");
      fr_views_add_column (v, "rows", FR_VIEW_TEXT);
      fr_views_add_column (v, "clusters", FR_VIEW_BAR);
      for (guint i = 0; i < CENSUS_SIZES; i++)
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
          fr_views_begin_row (v, NULL, NULL);
          fr_views_add_cell (v, id_text (d, census->largest[i].first));
          fr_views_add_number (v, (double) census->largest[i].count);
        }
    }
  fr_host_report (d->host, "views", fr_views_to_json (v));
}

/* What was looked at to find near pairs. */
static JsonObject *
search_facts (const Config *config, const TextClusterCounts *counts)
{
  JsonObject *o = json_object_new ();

  json_object_set_int_member (o, "bands", counts->bands);
  json_object_set_int_member (o, "rows_in_a_band", counts->rows);
  json_object_set_int_member (o, "candidate_pairs", (gint64) counts->candidates);
  if (config->method == METHOD_MINHASH)
    json_object_set_double_member (o, "threshold", config->threshold);
  else
    json_object_set_int_member (o, "distance", config->distance);
  return o;
}

void
dedup_report (Dedup *d, const Census *census, const TextClusterCounts *counts)
{
  JsonObject *object = json_object_new (), *sizes = json_object_new ();
  JsonArray *largest = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  json_object_set_object_member (object, "cluster_sizes", sizes);
  json_object_set_array_member (object, "largest_clusters", largest);
  json_object_set_int_member (object, "rows", (gint64) d->n_rows);
  json_object_set_int_member (object, "kept", (gint64) (d->n_rows - d->n_duplicates));
  json_object_set_int_member (object, "duplicates", (gint64) d->n_duplicates);
  json_object_set_int_member (object, "clusters", (gint64) census->clusters);
  if (counts != NULL)
    {
      json_object_set_int_member (object, "near_duplicates", (gint64) d->n_near);
      json_object_set_object_member (object, "search", search_facts (d->config, counts));
    }
  for (guint i = 0; i < CENSUS_SIZES; i++)
    json_object_set_int_member (sizes, size_names[i], (gint64) census->sizes[i]);
  for (guint i = 0; i < census->n_largest; i++)
    {
      JsonObject *one = json_object_new ();

      json_object_set_string_member (one, "cluster", id_text (d, census->largest[i].first));
      json_object_set_int_member (one, "rows", (gint64) census->largest[i].count);
      json_array_add_object_element (largest, one);
    }
  fr_host_count (d->host, "duplicates", (gint64) d->n_duplicates);
  if (counts != NULL)
    fr_host_count (d->host, "near_duplicates", (gint64) d->n_near);
  fr_host_report (d->host, "duplicates", node);
  show_clusters (d, census, counts);
}
