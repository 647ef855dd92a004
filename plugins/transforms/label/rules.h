/* SPDX-License-Identifier: Apache-2.0 */
/* rules.h: labels by words and rules.
 *
 *   sentiment  positive, negative or neutral: words with scores, turned by negations, strengthened
 * by words of degree, weighed by contrast (但是) audience   for whom: the group whose words are
 * most frequent features   what of a product is spoken of: every feature with a word in the text
 *   topic      which list of words a text is about: term frequency times the words' rarity
 *   keywords   the words of those lists that say most about the text, by the same measure
 */
#ifndef LABEL_RULES_H
#define LABEL_RULES_H

#include "words.h"

typedef enum
{
  TASK_SENTIMENT,
  TASK_AUDIENCE,
  TASK_FEATURES,
  TASK_TOPIC,
  TASK_KEYWORDS,
  N_TASKS
} Task;

/**
 * Label: what was found.
 * @label: empty: none fits
 * @confidence: 0 to 1; for ordering within one task, no probability
 * @evidence: the words that spoke for it, "好看+1.2 不便宜-0.9"
 */
typedef struct
{
  GString *label;
  double confidence;
  GString *evidence;
} Label;

typedef struct _Rules Rules;

Rules *rules_new (void);
void rules_free (Rules *rules);

/** rules_task: the task called @name, or N_TASKS; rules_task_name(): the reverse. */
Task rules_task (const char *name);
const char *rules_task_name (Task task);

/** rules_add_starter: flowrun's own words for sentiment, audience and features. */
void rules_add_starter (Rules *rules);
/** rules_read_sentiment: words with scores, negative below 0, as words_read(). */
gboolean rules_read_sentiment (Rules *rules, const char *name, const char *text, gsize len,
                               GError **error);
/** rules_read_negations, rules_read_degrees: words that turn the sentiment, words with factors. */
gboolean rules_read_negations (Rules *rules, const char *name, const char *text, gsize len,
                               GError **error);
gboolean rules_read_degrees (Rules *rules, const char *name, const char *text, gsize len,
                             GError **error);
/**
 * rules_read_list: the words of one label of TASK_AUDIENCE, TASK_FEATURES or TASK_TOPIC, as
 * words_read(): the number is how many documents hold the word.  FR_ERROR_CONFIG for more than 64
 * labels.
 */
gboolean rules_read_list (Rules *rules, Task task, const char *label, const char *name,
                          const char *text, gsize len, GError **error);
/** rules_ready: after the last word. @neutral: sentiment below this is neutral; @keywords: how
 * many. */
gboolean rules_ready (Rules *rules, double neutral, guint keywords, GError **error);

/** rules_labels: the labels of @task, NULL-terminated; owned by @rules. */
const char *const *rules_labels (const Rules *rules, Task task);

/**
 * rules_label: labels @text, valid UTF-8; what @label held before is forgotten.
 * @cuts: where words begin and end, see words_at()
 */
void rules_label (const Rules *rules, Task task, FrStr text, const guint8 *cuts, Label *label);
/** rules_sentiment: the sum behind TASK_SENTIMENT; for measurements. */
double rules_sentiment (const Rules *rules, FrStr text, const guint8 *cuts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rules, rules_free)

/* starter.c */
typedef struct
{
  const char *label; /* of sentiment: NULL */
  double weight;
  const char *words; /* blanks between */
} StarterList;
extern const StarterList starter_sentiment[], starter_audience[], starter_features[];
extern const char starter_negations[], starter_contrast[], starter_concession[];
extern const StarterList starter_degrees[];

#endif
