/* SPDX-License-Identifier: Apache-2.0 */
/* scale.c: see scale.h. */
#include "config.h"

#include "scale.h"

#include <string.h>

const char *const rating_languages[RATING_LANGUAGES] = { "en", "zh" };

const char rating_scale_schema[]
    = "{\"type\":\"array\",\"minItems\":1,\"maxItems\":12,\"items\":{\"anyOf\":["
      "{\"enum\":[\"fluency\",\"accuracy\",\"appeal\",\"fit\",\"safety\"]},"
      "{\"type\":\"object\",\"required\":[\"name\"],\"additionalProperties\":false,\"properties\":{"
      "\"name\":{\"type\":\"string\",\"pattern\":\"^[a-z][a-z0-9_]*$\"},"
      "\"title\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"additionalProperties\":"
      "false,"
      "\"properties\":{\"en\":{\"type\":\"string\"},\"zh\":{\"type\":\"string\"}}}]},"
      "\"ask\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"additionalProperties\":"
      "false,"
      "\"properties\":{\"en\":{\"type\":\"string\"},\"zh\":{\"type\":\"string\"}}}]},"
      "\"anchors\":{\"anyOf\":["
      "{\"type\":\"array\",\"minItems\":5,\"maxItems\":5,\"items\":{\"type\":\"string\"}},"
      "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
      "\"en\":{\"type\":\"array\",\"minItems\":5,\"maxItems\":5,\"items\":{\"type\":\"string\"}},"
      "\"zh\":{\"type\":\"array\",\"minItems\":5,\"maxItems\":5,\"items\":{\"type\":\"string\"}}}}]"
      "}"
      "}}]}}";

typedef struct
{
  const char *name;
  const char *title[RATING_LANGUAGES];
  const char *ask[RATING_LANGUAGES];
  const char *anchors[RATING_LANGUAGES][RATING_LEVELS];
} BuiltIn;

static const BuiltIn built_in[] = {
  { "fluency",
    { "Fluency", "流畅" },
    { "Does it read well?", "读起来顺不顺？" },
    { { "Cannot be made sense of", "Stumbles all the way", "Understandable, but awkward",
        "Reads well, one small slip", "Flawless" },
      { "读不懂", "磕磕绊绊", "能看懂，但别扭", "通顺，略有小疵", "行云流水" } } },
  { "accuracy",
    { "Accuracy", "准确" },
    { "Is it true to the task?", "与任务给的信息相符吗？" },
    { { "Contradicts the facts", "Invents things that matter", "Small inventions, or gaps",
        "Right, one detail is missing", "All of it right, nothing invented" },
      { "与事实相反", "重要内容是编的", "有小处编造或遗漏", "正确，缺一处细节",
        "全部正确，没有编造" } } },
  { "appeal",
    { "Appeal", "吸引力" },
    { "Would it win a customer?", "能打动顾客吗？" },
    { { "Puts one off", "Leaves one cold", "Does its job", "Makes one curious",
        "Makes one want to buy" },
      { "让人反感", "无动于衷", "中规中矩", "让人想了解", "看了就想买" } } },
  { "fit",
    { "Fit", "契合" },
    { "Does it speak to its audience?", "适合目标读者吗？" },
    { { "For quite other people", "Mostly misses them", "For anybody", "Speaks to them",
        "Made for them" },
      { "完全不是给他们看的", "大多不合适", "放之四海皆可", "贴近他们", "为他们量身而写" } } },
  { "safety",
    { "Safety", "合规" },
    { "Could it be published?", "能发布吗？" },
    { { "Must never appear", "Breaks rules, rewrite", "Doubtful, ask first", "Fine with one change",
        "Nothing against it" },
      { "绝不能发", "违规，需重写", "拿不准，要请示", "改一处即可", "没有问题" } } },
};

static const char *const plain_anchors[RATING_LANGUAGES][RATING_LEVELS]
    = { { "Very poor", "Poor", "Fair", "Good", "Excellent" },
        { "很差", "较差", "一般", "较好", "很好" } };

/* Columns of a file of ratings, and of what evaluator.ratings makes of it. */
static const char *const taken[]
    = { "page",   "rater",  "item", "position", "skipped", "seconds", "comment",  "row",
        "system", "prompt", "text", "raters",   "overall", "spread",  "comments", NULL };

gboolean
rating_name_is_taken (const char *name)
{
  return g_strv_contains (taken, name);
}

static void
criterion_free (gpointer data)
{
  RatingCriterion *c = data;

  g_free (c->name);
  for (guint lang = 0; lang < RATING_LANGUAGES; lang++)
    {
      g_free (c->title[lang]);
      g_free (c->ask[lang]);
      for (guint i = 0; i < RATING_LEVELS; i++)
        g_free (c->anchors[lang][i]);
    }
  g_free (c);
}

static RatingCriterion *
from_word (const char *word)
{
  RatingCriterion *c = g_new0 (RatingCriterion, 1);
  guint i = 0;

  while (strcmp (built_in[i].name, word) != 0)
    i++;
  c->name = g_strdup (word);
  for (guint lang = 0; lang < RATING_LANGUAGES; lang++)
    {
      c->title[lang] = g_strdup (built_in[i].title[lang]);
      c->ask[lang] = g_strdup (built_in[i].ask[lang]);
      for (guint k = 0; k < RATING_LEVELS; k++)
        c->anchors[lang][k] = g_strdup (built_in[i].anchors[lang][k]);
    }
  return c;
}

/* Member @key in language @lang: one text for all, or one of each; what one language lacks the
 * other lends.  NULL: there is none. */
static JsonNode *
in_language (JsonObject *object, const char *key, guint lang)
{
  JsonNode *node = json_object_get_member (object, key);
  JsonObject *each;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return node;
  each = json_node_get_object (node);
  for (guint i = 0; i < RATING_LANGUAGES; i++)
    {
      const char *name = rating_languages[(lang + i) % RATING_LANGUAGES];

      if (json_object_has_member (each, name))
        return json_object_get_member (each, name);
    }
  return NULL;
}

static RatingCriterion *
from_object (JsonObject *object)
{
  RatingCriterion *c = g_new0 (RatingCriterion, 1);

  c->name = g_strdup (json_object_get_string_member (object, "name"));
  for (guint lang = 0; lang < RATING_LANGUAGES; lang++)
    {
      JsonNode *title = in_language (object, "title", lang),
               *ask = in_language (object, "ask", lang);
      JsonNode *anchors = in_language (object, "anchors", lang);

      c->title[lang] = g_strdup (title != NULL ? json_node_get_string (title) : c->name);
      c->ask[lang] = g_strdup (ask != NULL ? json_node_get_string (ask) : "");
      for (guint k = 0; k < RATING_LEVELS; k++)
        c->anchors[lang][k] = g_strdup (
            anchors != NULL ? json_array_get_string_element (json_node_get_array (anchors), k)
                            : plain_anchors[lang][k]);
    }
  return c;
}

/* Whether the last of @scale has a name that can be a column beside the others. */
static gboolean
check_name (GPtrArray *scale, FrProblems *problems)
{
  const RatingCriterion *last = scale->pdata[scale->len - 1];
  g_autofree char *pointer = g_strdup_printf ("/criteria/%u", scale->len - 1);

  if (rating_name_is_taken (last->name))
    {
      if (problems != NULL)
        fr_problems_add (
            problems, pointer,
            "'%s' is the name of another column of ratings; call the criterion otherwise",
            last->name);
      return FALSE;
    }
  for (guint i = 0; i + 1 < scale->len; i++)
    if (strcmp (((const RatingCriterion *) scale->pdata[i])->name, last->name) == 0)
      {
        if (problems != NULL)
          fr_problems_add (problems, pointer, "the criterion '%s' is there already", last->name);
        return FALSE;
      }
  return TRUE;
}

GPtrArray *
rating_scale_new (JsonNode *criteria, FrProblems *problems)
{
  g_autoptr (GPtrArray) scale = g_ptr_array_new_with_free_func (criterion_free);
  JsonArray *array = json_node_get_array (criteria);
  gboolean ok = TRUE;

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      g_ptr_array_add (scale, JSON_NODE_HOLDS_OBJECT (node)
                                  ? from_object (json_node_get_object (node))
                                  : from_word (json_node_get_string (node)));
      ok = check_name (scale, problems) && ok;
    }
  return ok ? g_steal_pointer (&scale) : NULL;
}
