/* SPDX-License-Identifier: Apache-2.0 */
/* show.c: see show.h. */
#include "config.h"

#include "show.h"

#include <math.h>

/* ---- JSON ------------------------------------------------------------------------------------ */

static void
set_number (JsonObject *object, const char *name, double value)
{
  if (isfinite (value))
    json_object_set_double_member (object, name, value);
  else
    json_object_set_null_member (object, name);
}

static void
set_interval (JsonObject *object, const char *name, const StatsInterval *interval)
{
  JsonObject *of = json_object_new ();

  set_number (of, "value", interval->value);
  set_number (of, "low", interval->low);
  set_number (of, "high", interval->high);
  json_object_set_object_member (object, name, of);
}

static JsonArray *
json_of_means (const RatingKey *key, const RatingFigures *f)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < f->means->len; i++)
    {
      const RatingMean *m = &g_array_index (f->means, RatingMean, i);
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "system", key->systems[m->system]);
      json_object_set_string_member (object, "criterion", rating_figures_name (key, m->criterion));
      json_object_set_int_member (object, "ratings", (gint64) m->n);
      set_interval (object, "mean", &m->mean);
      json_array_add_object_element (array, object);
    }
  return array;
}

static JsonArray *
json_of_contests (const RatingKey *key, const RatingFigures *f)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < f->contests->len; i++)
    {
      const RatingContest *c = &g_array_index (f->contests, RatingContest, i);
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "system", key->systems[c->system]);
      json_object_set_string_member (object, "baseline", key->systems[c->baseline]);
      json_object_set_string_member (object, "criterion", rating_figures_name (key, c->criterion));
      json_object_set_int_member (object, "wins", (gint64) c->wins);
      json_object_set_int_member (object, "ties", (gint64) c->ties);
      json_object_set_int_member (object, "losses", (gint64) c->losses);
      set_interval (object, "win_rate", &c->rate);
      set_interval (object, "difference", &c->difference);
      set_number (object, "p", c->p);
      json_array_add_object_element (array, object);
    }
  return array;
}

static JsonArray *
json_of_agreement (const RatingKey *key, const RatingFigures *f)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < f->agreements->len; i++)
    {
      const RatingAgreement *a = &g_array_index (f->agreements, RatingAgreement, i);
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "criterion", key->criteria[a->criterion]);
      json_object_set_int_member (object, "items", (gint64) a->n);
      set_interval (object, "alpha", &a->alpha);
      json_array_add_object_element (array, object);
    }
  return array;
}

static const char *
rater_name (const RatingBook *book, guint r)
{
  return ((const Rater *) book->raters->pdata[r])->name;
}

static JsonArray *
json_of_pairs (const RatingBook *book, const RatingFigures *f)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < f->pairs->len; i++)
    {
      const RatingPair *pair = &g_array_index (f->pairs, RatingPair, i);
      JsonObject *object = json_object_new (), *kappa = json_object_new ();

      json_object_set_string_member (object, "a", rater_name (book, pair->a));
      json_object_set_string_member (object, "b", rater_name (book, pair->b));
      json_object_set_int_member (object, "ratings", (gint64) pair->n);
      for (guint c = 0; c < book->key->n_criteria; c++)
        set_number (kappa, book->key->criteria[c], pair->kappa[c]);
      json_object_set_object_member (object, "kappa", kappa);
      json_array_add_object_element (array, object);
    }
  return array;
}

static double
share (guint64 part, guint64 all)
{
  return all > 0 ? (double) part / (double) all : NAN;
}

static JsonArray *
json_of_raters (const RatingBook *book, const RatingFigures *f)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < f->raters->len; i++)
    {
      const RatingRater *r = &g_array_index (f->raters, RatingRater, i);
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "rater", rater_name (book, i));
      json_object_set_int_member (object, "rated", (gint64) r->rated);
      json_object_set_int_member (object, "skipped", (gint64) r->skipped);
      set_number (object, "too_fast", share (r->fast, r->timed));
      set_number (object, "median_seconds", r->median_seconds);
      set_number (object, "mean", r->mean);
      json_object_set_int_member (object, "rated_again", (gint64) r->again);
      set_number (object, "same_again", share (r->same, r->again));
      set_number (object, "within_one_again", share (r->near, r->again));
      set_number (object, "kappa_with_self", r->kappa);
      json_array_add_object_element (array, object);
    }
  return array;
}

JsonNode *
rating_show_json (const RatingBook *book, const RatingFigures *f)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *root = json_object_new ();

  json_object_set_string_member (root, "page", book->key->page);
  json_object_set_int_member (root, "ratings", (gint64) f->n_ratings);
  json_object_set_array_member (root, "systems", json_of_means (book->key, f));
  json_object_set_array_member (root, "contests", json_of_contests (book->key, f));
  json_object_set_array_member (root, "agreement", json_of_agreement (book->key, f));
  json_object_set_array_member (root, "pairs", json_of_pairs (book, f));
  json_object_set_array_member (root, "raters", json_of_raters (book, f));
  json_node_take_object (node, root);
  return node;
}

/* ---- views ----------------------------------------------------------------------------------- */

static const FrViewWord chinese[] = {
  { "People's ratings", "人工评分" },
  { "%s wins against %s", "%s 胜 %s" },
  { "overall; %.0f to %.0f %%; sign test p = %.2g", "总体；%.0f 至 %.0f %%；符号检验 p = %.2g" },
  { "raters", "评分人" },
  { "samples rated", "已评样本" },
  { "by all raters together, repeats among them", "全部评分人合计，含重复样本" },
  { "rated too fast", "评得过快" },
  { "in less time than reading takes", "用时短于阅读所需" },
  { "Mean rating, 1 to 5", "平均评分（1 至 5）" },
  { "overall", "总体" },
  { "%" G_GUINT64_FORMAT " ratings", "%" G_GUINT64_FORMAT " 次评分" },
  { "%g %% bootstrap intervals over prompts; samples shown twice count once",
    "按提示自助抽样的 %g %% 区间；重复出现的样本只计一次" },
  { "Difference of ratings, %s − %s", "评分之差：%s − %s" },
  { "same prompt, same rater; p of the sign test over prompts",
    "同一提示、同一评分人；p 来自按提示的符号检验" },
  { "Who wins", "胜负" },
  { "criterion", "评价标准" },
  { "system", "系统" },
  { "against", "对手" },
  { "wins", "胜" },
  { "ties", "平" },
  { "losses", "负" },
  { "win rate", "胜率" },
  { "%s (%s to %s)", "%s（%s 至 %s）" },
  { "wins, ties and losses: prompts, by the majority of their raters",
    "胜、平、负：提示数，以多数评分人为准" },
  { "Agreement of raters (Krippendorff's alpha, ordinal)",
    "评分人的一致性（Krippendorff α，定序）" },
  { "%" G_GUINT64_FORMAT " samples", "%" G_GUINT64_FORMAT " 个样本" },
  { "1: perfect; 0: as by chance. Krippendorff asks for 0.8, and for 0.667 where a tentative "
    "conclusion will do",
    "1：完全一致；0：与随机相同。Krippendorff 要求 0.8，初步结论可用 0.667" },
  { "Pairs of raters (quadratically weighted kappa)", "评分人两两比较（二次加权 kappa）" },
  { "rater", "评分人" },
  { "and", "与" },
  { "ratings", "评分数" },
  { "Raters", "评分人" },
  { "rated", "已评" },
  { "skipped", "跳过" },
  { "mean", "平均分" },
  { "seconds a sample", "每样本秒数" },
  { "too fast", "过快" },
  { "same again", "再评相同" },
  { "within one", "相差不超过 1" },
  { "seconds: the median; same again, within one: of samples that were shown twice",
    "秒数：中位数；再评相同、相差不超过 1：取自出现两次的样本" },
  { "To talk about: where raters differ most", "值得讨论：评分人分歧最大之处" },
  { "sample", "样本" },
  { "ratings: %s", "评分：%s" },
  { "%s, %u apart", "%s，相差 %u" },
  { "%u of %u samples that raters differ about", "显示 %u 个样本，评分人有分歧的共 %u 个" },
  { NULL, NULL },
};

static char *
percent (double value)
{
  return isfinite (value) ? g_strdup_printf ("%.0f %%", 100 * value) : g_strdup ("–");
}

/* A percentile interval of few rows may leave its own estimate out; a whisker may not. */
static void
add_interval (FrViews *views, const char *name, const StatsInterval *i, const char *note)
{
  if (isfinite (i->value) && isfinite (i->low) && isfinite (i->high))
    fr_views_add_interval (views, name, i->value, MIN (i->low, i->value), MAX (i->high, i->value),
                           note);
}

static void
show_figures (FrViews *views, const RatingBook *book, const RatingFigures *f)
{
  guint64 rated = 0, fast = 0, timed = 0;
  g_autofree char *too_fast = NULL;

  for (guint i = 0; i < f->raters->len; i++)
    {
      const RatingRater *r = &g_array_index (f->raters, RatingRater, i);

      rated += r->rated;
      fast += r->fast;
      timed += r->timed;
    }
  fr_views_begin (views, FR_VIEW_FIGURES, "People's ratings");
  for (guint i = 0; i < f->contests->len; i++)
    {
      const RatingContest *c = &g_array_index (f->contests, RatingContest, i);
      const char *name, *note;
      g_autofree char *rate = NULL;

      if (c->criterion < book->key->n_criteria || isnan (c->rate.value))
        continue;
      name = fr_views_printf (views, "%s wins against %s", book->key->systems[c->system],
                              book->key->systems[c->baseline]);
      rate = percent (c->rate.value);
      note = fr_views_printf (views, "overall; %.0f to %.0f %%; sign test p = %.2g",
                              100 * c->rate.low, 100 * c->rate.high, c->p);
      fr_views_add_figure_text (views, name, rate, note);
    }
  fr_views_add_figure (views, "raters", book->raters->len, NULL);
  fr_views_add_figure (views, "samples rated", (double) rated,
                       "by all raters together, repeats among them");
  too_fast = percent (share (fast, timed));
  fr_views_add_figure_text (views, "rated too fast", too_fast, "in less time than reading takes");
}

static void
show_means (FrViews *views, const RatingKey *key, const RatingFigures *f)
{
  fr_views_begin (views, FR_VIEW_INTERVALS, "Mean rating, 1 to 5");
  for (guint c = 0; c <= key->n_criteria; c++)
    for (guint i = 0; i < f->means->len; i++)
      {
        const RatingMean *m = &g_array_index (f->means, RatingMean, i);

        if (m->criterion == c)
          add_interval (views,
                        fr_views_join (views, rating_figures_name (key, c), " · ",
                                       key->systems[m->system], NULL),
                        &m->mean, fr_views_printf (views, "%" G_GUINT64_FORMAT " ratings", m->n));
      }
  fr_views_note (views,
                 fr_views_printf (views,
                                  "%g %% bootstrap intervals over prompts; samples shown twice "
                                  "count once",
                                  100 * f->level));
}

/* @system against the baseline, criterion by criterion. */
static void
show_differences (FrViews *views, const RatingKey *key, const RatingFigures *f, guint system)
{
  gboolean begun = FALSE;

  for (guint i = 0; i < f->contests->len; i++)
    {
      const RatingContest *c = &g_array_index (f->contests, RatingContest, i);
      g_autofree char *note = g_strdup_printf ("p = %.2g", c->p);

      if (c->system != system || !isfinite (c->difference.value))
        continue;
      if (!begun)
        {
          fr_views_begin (views, FR_VIEW_INTERVALS,
                          fr_views_printf (views, "Difference of ratings, %s − %s",
                                           key->systems[c->system], key->systems[c->baseline]));
          fr_views_unit (views, NULL, TRUE);
          fr_views_note (views, "same prompt, same rater; p of the sign test over prompts");
          begun = TRUE;
        }
      add_interval (views, rating_figures_name (key, c->criterion), &c->difference, note);
    }
}

static void
show_contests (FrViews *views, const RatingKey *key, const RatingFigures *f)
{
  if (f->contests->len == 0)
    return;
  for (guint system = 0; system < key->n_systems; system++)
    show_differences (views, key, f, system);
  fr_views_begin (views, FR_VIEW_TABLE, "Who wins");
  fr_views_add_column (views, "criterion", FR_VIEW_TEXT);
  fr_views_add_column (views, "system", FR_VIEW_TEXT);
  fr_views_add_column (views, "against", FR_VIEW_TEXT);
  fr_views_add_column (views, "wins", FR_VIEW_NUMBER);
  fr_views_add_column (views, "ties", FR_VIEW_NUMBER);
  fr_views_add_column (views, "losses", FR_VIEW_NUMBER);
  fr_views_add_column (views, "win rate", FR_VIEW_TEXT);
  for (guint i = 0; i < f->contests->len; i++)
    {
      const RatingContest *c = &g_array_index (f->contests, RatingContest, i);
      g_autofree char *rate = percent (c->rate.value);
      g_autofree char *low = percent (c->rate.low), *high = percent (c->rate.high);

      fr_views_begin_row (views, NULL, NULL);
      fr_views_add_word (views, rating_figures_name (key, c->criterion));
      fr_views_add_cell (views, key->systems[c->system]);
      fr_views_add_cell (views, key->systems[c->baseline]);
      fr_views_add_number (views, (double) c->wins);
      fr_views_add_number (views, (double) c->ties);
      fr_views_add_number (views, (double) c->losses);
      fr_views_add_word (views, fr_views_printf (views, "%s (%s to %s)", rate, low, high));
    }
  fr_views_note (views, "wins, ties and losses: prompts, by the majority of their raters");
}

static void
show_agreement (FrViews *views, const RatingKey *key, const RatingFigures *f)
{
  gboolean any = FALSE;

  for (guint i = 0; i < f->agreements->len; i++)
    any |= isfinite (g_array_index (f->agreements, RatingAgreement, i).alpha.low);
  if (!any)
    return;
  fr_views_begin (views, FR_VIEW_INTERVALS, "Agreement of raters (Krippendorff's alpha, ordinal)");
  fr_views_unit (views, NULL, TRUE);
  for (guint i = 0; i < f->agreements->len; i++)
    {
      const RatingAgreement *a = &g_array_index (f->agreements, RatingAgreement, i);

      add_interval (views, key->criteria[a->criterion], &a->alpha,
                    fr_views_printf (views, "%" G_GUINT64_FORMAT " samples", a->n));
    }
  fr_views_note (
      views,
      "1: perfect; 0: as by chance. Krippendorff asks for 0.8, and for 0.667 where a tentative "
      "conclusion will do");
}

static void
show_pairs (FrViews *views, const RatingBook *book, const RatingFigures *f)
{
  if (f->pairs->len == 0)
    return;
  fr_views_begin (views, FR_VIEW_TABLE, "Pairs of raters (quadratically weighted kappa)");
  fr_views_add_column (views, "rater", FR_VIEW_TEXT);
  fr_views_add_column (views, "and", FR_VIEW_TEXT);
  fr_views_add_column (views, "ratings", FR_VIEW_NUMBER);
  for (guint c = 0; c < book->key->n_criteria; c++)
    fr_views_add_column (views, book->key->criteria[c], FR_VIEW_NUMBER);
  for (guint i = 0; i < f->pairs->len && i < 200; i++)
    {
      const RatingPair *pair = &g_array_index (f->pairs, RatingPair, i);

      fr_views_begin_row (views, NULL, NULL);
      fr_views_add_cell (views, rater_name (book, pair->a));
      fr_views_add_cell (views, rater_name (book, pair->b));
      fr_views_add_number (views, (double) pair->n);
      for (guint c = 0; c < book->key->n_criteria; c++)
        fr_views_add_number (views, pair->kappa[c]);
    }
}

static void
show_raters (FrViews *views, const RatingBook *book, const RatingFigures *f)
{
  static const char *const columns[] = { "rated", "skipped", "mean", "seconds a sample" };

  fr_views_begin (views, FR_VIEW_TABLE, "Raters");
  fr_views_add_column (views, "rater", FR_VIEW_TEXT);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    fr_views_add_column (views, columns[i], FR_VIEW_NUMBER);
  fr_views_add_column (views, "too fast", FR_VIEW_TEXT);
  fr_views_add_column (views, "same again", FR_VIEW_TEXT);
  fr_views_add_column (views, "within one", FR_VIEW_TEXT);
  for (guint i = 0; i < f->raters->len; i++)
    {
      const RatingRater *r = &g_array_index (f->raters, RatingRater, i);
      g_autofree char *fast = percent (share (r->fast, r->timed)),
                      *same = percent (share (r->same, r->again));
      g_autofree char *near = percent (share (r->near, r->again));

      fr_views_begin_row (views, NULL, NULL);
      fr_views_add_cell (views, rater_name (book, i));
      fr_views_add_number (views, (double) r->rated);
      fr_views_add_number (views, (double) r->skipped);
      fr_views_add_number (views, r->mean);
      fr_views_add_number (views, r->median_seconds);
      fr_views_add_cell (views, fast);
      fr_views_add_cell (views, same);
      fr_views_add_cell (views, near);
    }
  fr_views_note (views,
                 "seconds: the median; same again, within one: of samples that were shown twice");
}

/* "anna: 5 4 3", a line a rater, in the order of the criteria. */
static char *
ratings_of (const RatingBook *book, guint item)
{
  GString *out = g_string_new (NULL);

  for (guint r = 0; r < book->raters->len; r++)
    {
      const Rater *rater = book->raters->pdata[r];

      if (rater->states[item] != RATING_RATED)
        continue;
      g_string_append_printf (out, "%s%s:", out->len > 0 ? "\n" : "", rater->name);
      for (guint c = 0; c < book->key->n_criteria; c++)
        {
          guint8 value = rating_book_value (book, r, item, c);

          if (value != 0)
            g_string_append_printf (out, " %u", value);
          else
            g_string_append (out, " –");
        }
      if (rater->comments[item] != NULL)
        g_string_append_printf (out, " “%s”", rater->comments[item]);
    }
  return g_string_free (out, FALSE);
}

static void
show_disputed (FrViews *views, const RatingBook *book, const RatingFigures *f, guint most)
{
  guint n = MIN (most, f->disputed->len);
  g_autofree char *criteria = g_strjoinv (", ", book->key->criteria);

  if (n == 0)
    return;
  fr_views_begin (views, FR_VIEW_TEXTS, "To talk about: where raters differ most");
  fr_views_add_column (views, "sample", FR_VIEW_TEXT);
  fr_views_add_column (views, fr_views_printf (views, "ratings: %s", criteria), FR_VIEW_TEXT);
  for (guint i = 0; i < n; i++)
    {
      guint item = g_array_index (f->disputed, guint, i), raters;
      const RatingItem *of = book->key->items->pdata[item];
      g_autofree char *ratings = ratings_of (book, item);
      const char *note = fr_views_printf (views, "%s, %u apart", book->key->systems[of->system],
                                          rating_book_spread (book, item, &raters));

      fr_views_begin_row (
          views, ((const RatingPrompt *) book->key->prompts->pdata[of->prompt])->row, note);
      fr_views_add_cell (views, rating_key_text (book->key, item));
      fr_views_add_cell (views, ratings);
    }
  if (f->disputed->len > n)
    fr_views_note (views, fr_views_printf (views, "%u of %u samples that raters differ about", n,
                                           f->disputed->len));
}

JsonNode *
rating_show_views (const RatingBook *book, const RatingFigures *f, guint disputed)
{
  g_autoptr (FrViews) views = fr_views_new ();

  fr_views_translate (views, "zh", chinese);
  show_figures (views, book, f);
  if (f->n_ratings > 0)
    {
      show_means (views, book->key, f);
      show_contests (views, book->key, f);
      show_agreement (views, book->key, f);
      show_pairs (views, book, f);
      show_raters (views, book, f);
      show_disputed (views, book, f, disputed);
    }
  return fr_views_to_json (views);
}

char *
rating_show_verdict (const RatingBook *book, const RatingFigures *f)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < f->contests->len; i++)
    {
      const RatingContest *c = &g_array_index (f->contests, RatingContest, i);

      if (c->criterion == book->key->n_criteria && isfinite (c->rate.value))
        g_string_append_printf (out, "%s%s wins %.0f %% against %s (%.0f to %.0f), p = %.2g",
                                out->len > 0 ? "; " : "", book->key->systems[c->system],
                                100 * c->rate.value, book->key->systems[c->baseline],
                                100 * c->rate.low, 100 * c->rate.high, c->p);
    }
  return out->len > 0 ? g_strdup (out->str) : NULL;
}
