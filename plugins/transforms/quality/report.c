/* SPDX-License-Identifier: Apache-2.0 */
/* report.c: what a run of transform.quality says of itself: which rule fires on how many rows, with
 * rows as examples, how figures are spread, and the languages; see quality.h.
 */
#include "config.h"

#include <math.h>

#include "transforms/quality/quality.h"

#define N_EXAMPLES 3
#define N_BINS 40
#define N_HISTOGRAMS 8

/* Shares in steps of a twentieth, the last bin being 1; other values by powers of two, the first
 * bin being 0, the second below 1. */
#define N_SHARE_BINS 21

typedef struct
{
  guint64 fired, alone;
  GPtrArray *examples; /* char *: the row's id and the reason */
} RuleCount;

struct _QualityReport
{
  const Config *config;
  guint64 wanted;
  guint64 rows, failed;
  RuleCount rules[N_RULES];
  guint64 bins[N_VALUES][N_BINS], known[N_VALUES];
  guint64 languages[TEXT_N_LANGUAGES];
  guint64 script_rows, script_characters, japanese;
};

QualityReport *
quality_report_new (const Config *config, guint64 wanted)
{
  QualityReport *r = g_new0 (QualityReport, 1);

  r->config = config;
  r->wanted = wanted;
  for (guint i = 0; i < N_RULES; i++)
    r->rules[i].examples = g_ptr_array_new_with_free_func (g_free);
  return r;
}

void
quality_report_free (QualityReport *r)
{
  if (r == NULL)
    return;
  for (guint i = 0; i < N_RULES; i++)
    g_ptr_array_unref (r->rules[i].examples);
  g_free (r);
}

/* ---- counting --------------------------------------------------------------------- */

static guint
bin_of (guint value, double x)
{
  if (quality_value_is_share (value))
    return (guint) CLAMP (floor (x * (N_SHARE_BINS - 1) + 1e-9), 0, N_SHARE_BINS - 1);
  if (x <= 0)
    return 0;
  return (guint) CLAMP (floor (log2 (x)) + 2, 1, N_BINS - 1);
}

static void
bounds_of (guint value, guint bin, double *from, double *to)
{
  if (quality_value_is_share (value))
    {
      *from = (double) bin / (N_SHARE_BINS - 1);
      *to = (double) (bin + 1) / (N_SHARE_BINS - 1);
      return;
    }
  *from = bin < 2 ? 0 : exp2 (bin - 2.0);
  *to = bin == 0 ? 0 : exp2 (bin - 1.0);
}

void
quality_report_add (QualityReport *r, FrHost *host, FrRowId id, const Result *result)
{
  r->rows++;
  r->failed += result->fired != 0;
  r->languages[result->language]++;
  for (guint value = 0; value < N_VALUES; value++)
    if (!isnan (result->values[value]))
      {
        r->bins[value][bin_of (value, result->values[value])]++;
        r->known[value]++;
      }
  for (guint rule = 0; rule < N_RULES; rule++)
    {
      RuleCount *count = &r->rules[rule];
      GString *example;

      if (!(result->fired >> rule & 1))
        continue;
      count->fired++;
      count->alone += result->fired == (guint64) 1 << rule;
      if (count->examples->len == N_EXAMPLES)
        continue;
      example = g_string_new (NULL);
      fr_host_append_row_id (host, id, example);
      g_string_append (example, ": ");
      quality_reason_of (r->config, rule, result, example);
      g_ptr_array_add (count->examples, g_string_free (example, FALSE));
    }
}

void
quality_report_script (QualityReport *r, guint64 rows, guint64 characters, guint64 japanese)
{
  r->script_rows += rows;
  r->script_characters += characters;
  r->japanese += japanese;
}

/* ---- telling ------------------------------------------------------------------------ */

static JsonNode *
rules_json (QualityReport *r)
{
  JsonObject *object = json_object_new (), *rules = json_object_new (),
             *languages = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  json_object_set_int_member (object, "rows", (gint64) r->rows);
  json_object_set_int_member (object, "failed", (gint64) r->failed);
  for (guint rule = 0; rule < N_RULES; rule++)
    {
      JsonObject *one;
      JsonArray *examples;

      if (!(r->wanted >> rule & 1))
        continue;
      one = json_object_new ();
      examples = json_array_new ();
      if (rule != RULE_language)
        json_object_set_double_member (one, "limit", r->config->limits[rule]);
      json_object_set_int_member (one, "rows", (gint64) r->rules[rule].fired);
      json_object_set_int_member (one, "alone", (gint64) r->rules[rule].alone);
      for (guint i = 0; i < r->rules[rule].examples->len; i++)
        json_array_add_string_element (examples, r->rules[rule].examples->pdata[i]);
      json_object_set_array_member (one, "examples", examples);
      json_object_set_object_member (rules, quality_rule_name (rule), one);
    }
  json_object_set_object_member (object, "rules", rules);
  for (guint i = 0; i < TEXT_N_LANGUAGES; i++)
    if (r->languages[i] > 0)
      json_object_set_int_member (languages, text_language_name ((TextLanguage) i),
                                  (gint64) r->languages[i]);
  json_object_set_object_member (object, "languages", languages);
  if (r->config->script != SCRIPT_KEEP)
    {
      JsonObject *script = json_object_new ();

      json_object_set_int_member (script, "rows", (gint64) r->script_rows);
      json_object_set_int_member (script, "characters", (gint64) r->script_characters);
      json_object_set_int_member (script, "japanese_left_alone", (gint64) r->japanese);
      json_object_set_object_member (object, "script", script);
    }
  return node;
}

/* What is shown, in Chinese; names of rules and languages are those of parameters and columns. */
static const FrViewWord chinese[] = {
  { "Quality", "质量" },
  { "rows", "行数" },
  { "dropped", "已丢弃" },
  { "would be dropped", "将被丢弃" },
  { "rows in the other script", "另一种字形的行" },
  { "converted", "已转换" },
  { "Rules", "规则" },
  { "rule", "规则" },
  { "limit", "限值" },
  { "alone", "仅此规则" },
  { "for example", "示例" },
  { "alone: rows that no other rule fires on: what changing this limit could bring back.",
    "仅此规则：其他规则都未命中的行，即放宽此限值可挽回的行数。" },
  { "Languages", "语言" },
  { "language", "语言" },
  { "share", "占比" },
  { "by powers of two", "按 2 的幂分组" },
  { "characters", "字符数（characters）" },
  { "units", "词数（units）" },
  { "sentences", "句数（sentences）" },
  { "mean_word", "平均词长（mean_word）" },
  { "longest_word", "最长词（longest_word）" },
  { "mean_line", "平均行长（mean_line）" },
  { "repeated_lines", "重复行（repeated_lines）" },
  { "repeated_line_characters", "重复行的字符（repeated_line_characters）" },
  { "repeated_paragraphs", "重复段落（repeated_paragraphs）" },
  { "repeated_paragraph_characters", "重复段落的字符（repeated_paragraph_characters）" },
  { "top_2gram", "最常见的 2 元组（top_2gram）" },
  { "top_3gram", "最常见的 3 元组（top_3gram）" },
  { "top_4gram", "最常见的 4 元组（top_4gram）" },
  { "repeated_5grams", "重复的 5 元组（repeated_5grams）" },
  { "repeated_6grams", "重复的 6 元组（repeated_6grams）" },
  { "repeated_7grams", "重复的 7 元组（repeated_7grams）" },
  { "repeated_8grams", "重复的 8 元组（repeated_8grams）" },
  { "repeated_9grams", "重复的 9 元组（repeated_9grams）" },
  { "repeated_10grams", "重复的 10 元组（repeated_10grams）" },
  { "repeated_characters", "重复字符（repeated_characters）" },
  { "marks_per_unit", "每词标点数（marks_per_unit）" },
  { "bullet_lines", "列表行（bullet_lines）" },
  { "ellipsis_lines", "省略号结尾的行（ellipsis_lines）" },
  { "alphabetic", "含字母的词（alphabetic）" },
  { "alphanumeric", "字母和数字（alphanumeric）" },
  { "symbols", "符号（symbols）" },
  { "digits", "数字（digits）" },
  { "stop_words", "停用词（stop_words）" },
  { "stop_share", "停用词占比（stop_share）" },
  { "end_marks", "句末标点结尾的行（end_marks）" },
  { "short_lines", "短行（short_lines）" },
  { "newlines", "换行（newlines）" },
  { "boilerplate", "套话行（boilerplate）" },
  { "tokens", "词元数（tokens）" },
  { "perplexity", "困惑度（perplexity）" },
  { NULL, NULL },
};

static void
show_rules (QualityReport *r, FrViews *v)
{
  fr_views_begin (v, FR_VIEW_TABLE, "Rules");
  fr_views_add_column (v, "rule", FR_VIEW_TEXT);
  fr_views_add_column (v, "limit", FR_VIEW_NUMBER);
  fr_views_add_column (v, "rows", FR_VIEW_BAR);
  fr_views_add_column (v, "alone", FR_VIEW_NUMBER);
  fr_views_add_column (v, "for example", FR_VIEW_TEXT);
  for (guint rule = 0; rule < N_RULES; rule++)
    {
      const RuleCount *count = &r->rules[rule];
      g_autoptr (GString) examples = g_string_new (NULL);

      if (!(r->wanted >> rule & 1))
        continue;
      for (guint i = 0; i < count->examples->len; i++)
        g_string_append_printf (examples, "%s%s", i > 0 ? "; " : "",
                                (const char *) count->examples->pdata[i]);
      fr_views_begin_row (v, NULL, NULL);
      fr_views_add_cell (v, quality_rule_name (rule));
      fr_views_add_number (v, rule == RULE_language ? (double) NAN : r->config->limits[rule]);
      fr_views_add_number (v, (double) count->fired);
      fr_views_add_number (v, (double) count->alone);
      fr_views_add_cell (v, examples->str);
    }
  fr_views_note (v, "alone: rows that no other rule fires on: what changing this limit could bring "
                    "back.");
}

static void
show_languages (QualityReport *r, FrViews *v)
{
  fr_views_begin (v, FR_VIEW_TABLE, "Languages");
  fr_views_add_column (v, "language", FR_VIEW_TEXT);
  fr_views_add_column (v, "rows", FR_VIEW_BAR);
  for (guint i = 0; i < TEXT_N_LANGUAGES; i++)
    if (r->languages[i] > 0)
      {
        fr_views_begin_row (v, NULL, NULL);
        fr_views_add_cell (v, text_language_name ((TextLanguage) i));
        fr_views_add_number (v, (double) r->languages[i]);
      }
}

static void
show_histogram (QualityReport *r, FrViews *v, guint value)
{
  guint first = 0, last = N_BINS - 1;

  while (first < last && r->bins[value][first] == 0)
    first++;
  while (last > first && r->bins[value][last] == 0)
    last--;
  /* An empty interval cannot be drawn: what is 0 goes with what is below 1. */
  if (first == 0 && !quality_value_is_share (value))
    {
      r->bins[value][1] += r->bins[value][0];
      r->bins[value][0] = 0;
      first = 1;
      last = MAX (last, 1);
    }
  fr_views_begin (v, FR_VIEW_HISTOGRAM, quality_value_name (value));
  fr_views_axes (v, quality_value_is_share (value) ? "share" : "by powers of two", NULL, FALSE);
  for (guint bin = first; bin <= last; bin++)
    {
      double from, to;

      bounds_of (value, bin, &from, &to);
      fr_views_add_bin (v, from, to, r->bins[value][bin]);
    }
}

/* Length, and the values of the rules that fire most. */
static void
show_histograms (QualityReport *r, FrViews *v)
{
  gboolean shown[N_VALUES + 1] = { FALSE };

  if (r->known[TEXT_FIGURE_CHARACTERS] > 0)
    show_histogram (r, v, TEXT_FIGURE_CHARACTERS);
  shown[TEXT_FIGURE_CHARACTERS] = TRUE;
  for (guint n = 1; n < N_HISTOGRAMS; n++)
    {
      guint best = N_RULES;

      for (guint rule = 0; rule < N_RULES; rule++)
        if (r->rules[rule].fired > 0 && quality_rule_value (rule) < N_VALUES
            && !shown[quality_rule_value (rule)]
            && (best == N_RULES || r->rules[rule].fired > r->rules[best].fired))
          best = rule;
      if (best == N_RULES)
        return;
      shown[quality_rule_value (best)] = TRUE;
      show_histogram (r, v, quality_rule_value (best));
    }
}

void
quality_report_tell (QualityReport *r, FrHost *host)
{
  g_autoptr (FrViews) v = fr_views_new ();

  fr_views_translate (v, "zh", chinese);
  fr_views_begin (v, FR_VIEW_FIGURES, "Quality");
  fr_views_add_figure (v, "rows", (double) r->rows, NULL);
  fr_views_add_figure (v, r->config->action == ACTION_DROP ? "dropped" : "would be dropped",
                       (double) r->failed, NULL);
  if (r->config->script != SCRIPT_KEEP)
    fr_views_add_figure (v, "rows in the other script", (double) r->script_rows, "converted");
  show_rules (r, v);
  show_languages (r, v);
  show_histograms (r, v);
  for (guint rule = 0; rule < N_RULES; rule++)
    if (r->rules[rule].fired > 0)
      fr_host_count (host, quality_rule_name (rule), (gint64) r->rules[rule].fired);
  if (r->config->action == ACTION_DROP)
    fr_host_count (host, "dropped", (gint64) r->failed);
  if (r->config->script != SCRIPT_KEEP)
    {
      fr_host_count (host, "script_rows", (gint64) r->script_rows);
      fr_host_count (host, "script_characters", (gint64) r->script_characters);
      if (r->japanese > 0)
        fr_host_count (host, "script_left_alone", (gint64) r->japanese);
    }
  fr_host_report (host, "quality", rules_json (r));
  fr_host_report (host, "views", fr_views_to_json (v));
}
