/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c: see audit.h. */
#include "config.h"

#include "audit.h"

#include <flowrun/view.h>
#include <string.h>

Audit *
audit_new (guint n_columns, guint n_types)
{
  Audit *audit = g_new0 (Audit, 1);

  audit->n_columns = n_columns;
  audit->n_types = n_types;
  audit->tallies = g_new0 (Tally, (gsize) n_columns * n_types + 1);
  audit->residual = g_new0 (guint64, n_types + 1);
  audit->rules = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  return audit;
}

void
audit_free (Audit *audit)
{
  if (audit == NULL)
    return;
  g_free (audit->tallies);
  g_free (audit->residual);
  g_hash_table_unref (audit->rules);
  g_free (audit);
}

void
audit_rule (Audit *audit, const char *rule, guint64 n)
{
  guint64 *count = g_hash_table_lookup (audit->rules, rule);

  if (count == NULL)
    {
      count = g_new0 (guint64, 1);
      g_hash_table_insert (audit->rules, (gpointer) (gsize) rule, count);
    }
  *count += n;
}

void
audit_merge (Audit *to, Audit *from)
{
  GHashTableIter iter;
  gpointer rule, count;

  for (gsize i = 0; i < (gsize) to->n_columns * to->n_types; i++)
    {
      to->tallies[i].found += from->tallies[i].found;
      to->tallies[i].hidden += from->tallies[i].hidden;
      to->tallies[i].doubtful += from->tallies[i].doubtful;
      from->tallies[i] = (Tally){ 0 };
    }
  for (guint i = 0; i < to->n_types; i++)
    {
      to->residual[i] += from->residual[i];
      from->residual[i] = 0;
    }
  g_hash_table_iter_init (&iter, from->rules);
  while (g_hash_table_iter_next (&iter, &rule, &count))
    audit_rule (to, rule, *(guint64 *) count);
  g_hash_table_remove_all (from->rules);
  to->rows += from->rows;
  to->changed += from->changed;
  to->dropped += from->dropped;
  to->unsure += from->unsure;
  from->rows = from->changed = from->dropped = from->unsure = 0;
}

guint64
audit_residual (const Audit *audit)
{
  guint64 sum = 0;

  for (guint i = 0; i < audit->n_types; i++)
    sum += audit->residual[i];
  return sum;
}

/* ---- report.json ------------------------------------------------------------- */

static void
add_number (JsonBuilder *b, const char *name, guint64 value)
{
  json_builder_set_member_name (b, name);
  json_builder_add_int_value (b, (gint64) value);
}

static void
add_text (JsonBuilder *b, const char *name, const char *value)
{
  json_builder_set_member_name (b, name);
  json_builder_add_string_value (b, value);
}

static gboolean
is_empty (const Tally *tally)
{
  return tally->found == 0 && tally->doubtful == 0;
}

static GList *
sorted_rules (const Audit *audit)
{
  return g_list_sort (g_hash_table_get_keys (audit->rules), (GCompareFunc) strcmp);
}

static JsonNode *
as_json (const Audit *audit, const TextPii *pii, const char *const *names, const Action *actions,
         gboolean checked)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();
  g_autoptr (GList) rules = sorted_rules (audit);

  json_builder_begin_object (b);
  add_number (b, "rows", audit->rows);
  add_number (b, "rows_changed", audit->changed);
  add_number (b, "rows_dropped", audit->dropped);
  json_builder_set_member_name (b, "found");
  json_builder_begin_array (b);
  for (guint c = 0; c < audit->n_columns; c++)
    for (guint t = 0; t < audit->n_types; t++)
      {
        const Tally *tally = &audit->tallies[c * audit->n_types + t];

        if (is_empty (tally))
          continue;
        json_builder_begin_object (b);
        add_text (b, "column", names[c]);
        add_text (b, "type", text_pii_type_name (pii, t));
        add_text (b, "action", action_name (&actions[t]));
        add_number (b, "found", tally->found);
        add_number (b, "hidden", tally->hidden);
        add_number (b, "doubtful", tally->doubtful);
        json_builder_end_object (b);
      }
  json_builder_end_array (b);
  json_builder_set_member_name (b, "rules");
  json_builder_begin_object (b);
  for (GList *l = rules; l != NULL; l = l->next)
    add_number (b, l->data, *(guint64 *) g_hash_table_lookup (audit->rules, l->data));
  json_builder_end_object (b);
  if (checked)
    {
      json_builder_set_member_name (b, "residual");
      json_builder_begin_object (b);
      add_number (b, "total", audit_residual (audit));
      for (guint t = 0; t < audit->n_types; t++)
        if (audit->residual[t] > 0)
          add_number (b, text_pii_type_name (pii, t), audit->residual[t]);
      json_builder_end_object (b);
    }
  json_builder_end_object (b);
  return json_builder_get_root (b);
}

/* ---- the page ---------------------------------------------------------------- */

/* Names of types and actions are those of parameters and of report.json. */
static const FrViewWord chinese[] = {
  { "Personal data", "个人信息" },
  { "left behind", "残留" },
  { "by the residual scan; must be 0", "残留扫描所见，必须为 0" },
  { "found", "发现" },
  { "hidden", "已隐去" },
  { "doubtful", "存疑" },
  { "right form, wrong checksum", "格式正确，校验码错误" },
  { "rows changed", "改动的行" },
  { "rows dropped", "丢弃的行" },
  { "By column and type", "按列和类型" },
  { "column", "列" },
  { "type", "类型" },
  { "action", "处理方式" },
  { "The first 200 of more; report.json has all. 'Left behind' counts all columns together.",
    "仅显示前 200 项，全部见 report.json。“残留”为所有列合计。" },
  { "'Left behind' counts all columns together.", "“残留”为所有列合计。" },
  { NULL, NULL },
};

static void
view_figures (FrViews *v, const Audit *audit, gboolean checked)
{
  guint64 found = 0, hidden = 0, doubtful = 0;

  for (gsize i = 0; i < (gsize) audit->n_columns * audit->n_types; i++)
    {
      found += audit->tallies[i].found;
      hidden += audit->tallies[i].hidden;
      doubtful += audit->tallies[i].doubtful;
    }
  fr_views_begin (v, FR_VIEW_FIGURES, "Personal data");
  if (checked)
    fr_views_add_figure (v, "left behind", (double) audit_residual (audit),
                         "by the residual scan; must be 0");
  fr_views_add_figure (v, "found", (double) found, NULL);
  fr_views_add_figure (v, "hidden", (double) hidden, NULL);
  fr_views_add_figure (v, "doubtful", (double) doubtful, "right form, wrong checksum");
  fr_views_add_figure (v, "rows changed", (double) audit->changed, NULL);
  fr_views_add_figure (v, "rows dropped", (double) audit->dropped, NULL);
}

static void
view_table (FrViews *v, const Audit *audit, const TextPii *pii, const char *const *names,
            const Action *actions)
{
  guint shown = 0;

  fr_views_begin (v, FR_VIEW_TABLE, "By column and type");
  fr_views_add_column (v, "column", FR_VIEW_TEXT);
  fr_views_add_column (v, "type", FR_VIEW_TEXT);
  fr_views_add_column (v, "action", FR_VIEW_TEXT);
  fr_views_add_column (v, "found", FR_VIEW_BAR);
  fr_views_add_column (v, "hidden", FR_VIEW_NUMBER);
  fr_views_add_column (v, "doubtful", FR_VIEW_NUMBER);
  fr_views_add_column (v, "left behind", FR_VIEW_NUMBER);
  for (guint c = 0; c < audit->n_columns; c++)
    for (guint t = 0; t < audit->n_types; t++)
      {
        const Tally *tally = &audit->tallies[c * audit->n_types + t];

        if (is_empty (tally) || ++shown > 200)
          continue;
        fr_views_begin_row (v, NULL, NULL);
        fr_views_add_cell (v, names[c]);
        fr_views_add_cell (v, text_pii_type_name (pii, t));
        fr_views_add_cell (v, action_name (&actions[t]));
        fr_views_add_number (v, (double) tally->found);
        fr_views_add_number (v, (double) tally->hidden);
        fr_views_add_number (v, (double) tally->doubtful);
        fr_views_add_number (v, (double) audit->residual[t]);
      }
  fr_views_note (
      v,
      shown > 200
          ? "The first 200 of more; report.json has all. 'Left behind' counts all columns together."
          : "'Left behind' counts all columns together.");
}

void
audit_report (const Audit *audit, FrHost *host, const TextPii *pii, const char *const *names,
              const Action *actions, gboolean checked)
{
  g_autoptr (FrViews) v = fr_views_new ();

  fr_host_report (host, "audit", as_json (audit, pii, names, actions, checked));
  fr_views_translate (v, "zh", chinese);
  view_figures (v, audit, checked);
  view_table (v, audit, pii, names, actions);
  fr_host_report (host, "views", fr_views_to_json (v));
}
