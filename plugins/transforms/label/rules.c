/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c: see rules.h.
 *
 * Sentiment: a text is sentences, a sentence clauses.  A word's score is multiplied by the words of
 * degree and by NEGATED for each negation that stand before it in its clause, at most WINDOW
 * characters and no other word of sentiment in between.  What follows 但是 in a sentence counts
 * more, what stands before it less (Taboada et al. 2011 on negation by shift, intensifiers and
 * irrealis; here the plain product).
 */
#include "config.h"

#include "rules.h"

#include <flowrun/error.h>
#include <math.h>
#include <string.h>

#include "text/chars.h"

#define NEGATED (-0.8)
#define WINDOW 8 /* characters */
#define BEFORE_CONTRAST 0.5
#define AFTER_CONTRAST 1.4
#define CONCEDED 0.6 /* 虽然 */
#define MAX_EVIDENCE 6
#define HALF 1.5 /* a sum of this has the confidence 0.5 */

/* The sentiment table's words, told apart by label. */
enum
{
  IS_SENTIMENT,
  IS_NEGATION,
  IS_DEGREE,
  IS_CONTRAST,
  IS_CONCESSION
};

typedef struct
{
  Words *words;
  GPtrArray *names; /* of labels, NULL-terminated once ready */
} Table;

struct _Rules
{
  Table tables[N_TASKS]; /* TASK_KEYWORDS uses TASK_TOPIC's */
  double neutral;
  guint keywords;
  double max_documents;
};

static const char *const task_names[N_TASKS]
    = { "sentiment", "audience", "features", "topic", "keywords" };

Task
rules_task (const char *name)
{
  guint i = 0;

  while (i < N_TASKS && strcmp (task_names[i], name) != 0)
    i++;
  return (Task) i;
}

const char *
rules_task_name (Task task)
{
  return task_names[task];
}

Rules *
rules_new (void)
{
  Rules *r = g_new0 (Rules, 1);

  for (guint i = 0; i < TASK_KEYWORDS; i++)
    {
      r->tables[i].words = words_new ();
      r->tables[i].names = g_ptr_array_new_with_free_func (g_free);
    }
  g_ptr_array_add (r->tables[TASK_SENTIMENT].names, g_strdup ("positive"));
  g_ptr_array_add (r->tables[TASK_SENTIMENT].names, g_strdup ("negative"));
  g_ptr_array_add (r->tables[TASK_SENTIMENT].names, g_strdup ("neutral"));
  r->max_documents = 1;
  return r;
}

void
rules_free (Rules *r)
{
  if (r == NULL)
    return;
  for (guint i = 0; i < TASK_KEYWORDS; i++)
    {
      words_free (r->tables[i].words);
      g_ptr_array_unref (r->tables[i].names);
    }
  g_free (r);
}

/* The number of a label, new or known; -1: too many. */
static int
label_number (Table *table, const char *name)
{
  for (guint i = 0; i < table->names->len; i++)
    if (strcmp (table->names->pdata[i], name) == 0)
      return (int) i;
  if (table->names->len >= WORDS_MAX_LABELS)
    return -1;
  g_ptr_array_add (table->names, g_strdup (name));
  return (int) table->names->len - 1;
}

static void
add_starter (Table *table, const StarterList *lists, guint label)
{
  for (guint i = 0; lists[i].words != NULL; i++)
    words_add_list (table->words, lists[i].words, lists[i].weight,
                    lists[i].label != NULL ? (guint) label_number (table, lists[i].label) : label);
}

void
rules_add_starter (Rules *r)
{
  Table *sentiment = &r->tables[TASK_SENTIMENT];

  add_starter (sentiment, starter_sentiment, IS_SENTIMENT);
  add_starter (sentiment, starter_degrees, IS_DEGREE);
  words_add_list (sentiment->words, starter_negations, 0, IS_NEGATION);
  words_add_list (sentiment->words, starter_contrast, 0, IS_CONTRAST);
  words_add_list (sentiment->words, starter_concession, 0, IS_CONCESSION);
  add_starter (&r->tables[TASK_AUDIENCE], starter_audience, 0);
  add_starter (&r->tables[TASK_FEATURES], starter_features, 0);
}

gboolean
rules_read_sentiment (Rules *r, const char *name, const char *text, gsize len, GError **error)
{
  return words_read (r->tables[TASK_SENTIMENT].words, name, text, len, 1, IS_SENTIMENT, error);
}

gboolean
rules_read_negations (Rules *r, const char *name, const char *text, gsize len, GError **error)
{
  return words_read (r->tables[TASK_SENTIMENT].words, name, text, len, 0, IS_NEGATION, error);
}

gboolean
rules_read_degrees (Rules *r, const char *name, const char *text, gsize len, GError **error)
{
  return words_read (r->tables[TASK_SENTIMENT].words, name, text, len, 1.5, IS_DEGREE, error);
}

gboolean
rules_read_list (Rules *r, Task task, const char *label, const char *name, const char *text,
                 gsize len, GError **error)
{
  int number = label_number (&r->tables[task], label);

  if (number < 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "%s can have %d labels, not more",
                   task_names[task], WORDS_MAX_LABELS);
      return FALSE;
    }
  return words_read (r->tables[task].words, name, text, len, 1, (guint) number, error);
}

gboolean
rules_ready (Rules *r, double neutral, guint keywords, GError **error)
{
  r->neutral = neutral;
  r->keywords = keywords;
  for (guint i = 0; i < TASK_KEYWORDS; i++)
    {
      g_ptr_array_add (r->tables[i].names, NULL);
      if (!words_ready (r->tables[i].words, error))
        return FALSE;
    }
  r->max_documents = MAX (words_max_weight (r->tables[TASK_TOPIC].words), 1);
  return TRUE;
}

const char *const *
rules_labels (const Rules *r, Task task)
{
  return (const char *const *) r->tables[task == TASK_KEYWORDS ? TASK_TOPIC : task].names->pdata;
}

static void
clear (Label *label)
{
  g_string_truncate (label->label, 0);
  g_string_truncate (label->evidence, 0);
  label->confidence = 0;
}

/* ---- sentiment
 * ------------------------------------------------------------------------------------ */

typedef struct
{
  double total, sentence,
      factor;        /* sum so far; of the sentence; of what stands before the next word */
  double weight;     /* of the clause: contrast, concession */
  gsize since;       /* characters since the factor began */
  gsize from;        /* where the piece of evidence begins */
  GString *evidence; /* or NULL */
  guint n_evidence;
} Walk;

static void
end_clause (Walk *w)
{
  w->factor = 1;
  w->since = 0;
}

static void
end_sentence (Walk *w)
{
  end_clause (w);
  w->total += w->sentence;
  w->sentence = 0;
  w->weight = 1;
}

static void
take_sentiment (Walk *w, const Word *word, FrStr text, gsize at, gsize len)
{
  double value = word->weight * w->factor * w->weight;
  gsize from = w->factor != 1 ? w->from : at;

  w->sentence += value;
  if (w->evidence != NULL && w->n_evidence++ < MAX_EVIDENCE)
    {
      if (w->evidence->len > 0)
        g_string_append_c (w->evidence, ' ');
      g_string_append_len (w->evidence, text.data + from, (gssize) (at + len - from));
      g_string_append_printf (w->evidence, "%+.1f", value);
    }
  end_clause (w);
}

static void
take_word (Walk *w, const Word *word, FrStr text, gsize at, gsize len)
{
  if (word->labels & 1u << IS_CONTRAST)
    {
      w->sentence *= BEFORE_CONTRAST;
      w->weight = AFTER_CONTRAST;
      end_clause (w);
    }
  else if (word->labels & 1u << IS_CONCESSION)
    {
      w->weight = CONCEDED;
      end_clause (w);
    }
  else if (word->labels & (1u << IS_NEGATION | 1u << IS_DEGREE))
    {
      if (w->factor == 1)
        w->from = at;
      /* A list of sentiment may have the word too, and its score is no factor. */
      w->factor *= word->labels & 1u << IS_NEGATION    ? NEGATED
                   : word->labels & 1u << IS_SENTIMENT ? 1.5
                                                       : word->weight;
      w->since = 0;
    }
  else
    take_sentiment (w, word, text, at, len);
}

/* 0: nothing ends; 1: a clause; 2: a sentence. */
static int
ends (gunichar c)
{
  if (c == 0x3002 || c == '!' || c == 0xff01 || c == '?' || c == 0xff1f || c == '\n' || c == 0xff0e
      || c == 0x2026)
    return 2;
  return c == ',' || c == 0xff0c || c == ';' || c == 0xff1b || c == 0x3001 || c == ':'
         || c == 0xff1a || c == '.' || c == '~' || c == 0xff5e || c == ' ';
}

static double
walk_sentiment (const Rules *r, FrStr text, const guint8 *cuts, GString *evidence, guint *n_words)
{
  Walk w = { .factor = 1, .weight = 1, .evidence = evidence };

  for (gsize at = 0; at < text.len;)
    {
      const char *p = text.data + at;
      gsize len;
      const Word *word = words_at (r->tables[TASK_SENTIMENT].words, text, at, cuts, &len);
      gunichar c;

      if (word != NULL)
        {
          take_word (&w, word, text, at, len);
          at += len;
          continue;
        }
      c = text_next_char (&p);
      at = (gsize) (p - text.data);
      if (ends (c) == 2)
        end_sentence (&w);
      else if (ends (c) == 1 || ++w.since > WINDOW)
        end_clause (&w);
    }
  end_sentence (&w);
  *n_words = w.n_evidence;
  return w.total;
}

double
rules_sentiment (const Rules *r, FrStr text, const guint8 *cuts)
{
  guint n;

  return walk_sentiment (r, text, cuts, NULL, &n);
}

static void
label_sentiment (const Rules *r, FrStr text, const guint8 *cuts, Label *label)
{
  guint n;
  double sum = walk_sentiment (r, text, cuts, label->evidence, &n), size = fabs (sum);

  if (size <= r->neutral)
    {
      g_string_assign (label->label, "neutral");
      /* The less there is to weigh, the surer; but a text without a word of sentiment may have been
       * misunderstood altogether. */
      label->confidence = label->evidence->len == 0 ? 0.5 : HALF / (HALF + r->neutral + size);
      return;
    }
  g_string_assign (label->label, sum > 0 ? "positive" : "negative");
  label->confidence = size / (size + HALF);
}

/* ---- words by label
 * ---------------------------------------------------------------------------------- */

typedef struct
{
  FrStr text; /* where it stands first */
  guint64 labels;
  double rarity;
  guint n;
} Hit;

static double
rarity (const Rules *r, Task task, const Word *word)
{
  return task == TASK_TOPIC ? log ((r->max_documents + 1) / (MAX (word->weight, 0) + 1)) + 1 : 1;
}

static GArray *
find_hits (const Rules *r, Task task, FrStr text, const guint8 *cuts)
{
  const Words *words = r->tables[task].words;
  g_autoptr (GHashTable) known = g_hash_table_new (NULL, NULL);
  GArray *hits = g_array_new (FALSE, FALSE, sizeof (Hit));

  for (gsize at = 0; at < text.len;)
    {
      gsize len;
      const Word *word = words_at (words, text, at, cuts, &len);
      const char *p = text.data + at;

      if (word != NULL)
        {
          guint i = GPOINTER_TO_UINT (g_hash_table_lookup (known, word));

          if (i == 0)
            {
              Hit hit = { { text.data + at, len }, word->labels, rarity (r, task, word), 0 };

              g_array_append_val (hits, hit);
              i = hits->len;
              g_hash_table_insert (known, (gpointer) word, GUINT_TO_POINTER (i));
            }
          g_array_index (hits, Hit, i - 1).n++;
          at += len;
          continue;
        }
      text_next_char (&p);
      at = (gsize) (p - text.data);
    }
  return hits;
}

static double
score (const Hit *hit)
{
  return hit->n * hit->rarity;
}

/* The highest score first; of equal ones, the first in the text. */
static int
by_score (gconstpointer a, gconstpointer b)
{
  const Hit *x = a, *y = b;

  if (score (x) != score (y))
    return score (x) > score (y) ? -1 : 1;
  return x->text.data < y->text.data ? -1 : x->text.data > y->text.data;
}

static void
append_evidence (const GArray *hits, guint64 labels, GString *out)
{
  guint n = 0;

  for (guint i = 0; i < hits->len && n < MAX_EVIDENCE; i++)
    {
      const Hit *hit = &g_array_index (hits, Hit, i);

      if (!(hit->labels & labels))
        continue;
      g_string_append_printf (out, "%s%.*s", n++ ? " " : "", (int) hit->text.len, hit->text.data);
      if (hit->n > 1)
        g_string_append_printf (out, "×%u", hit->n);
    }
}

/* The label with the highest sum; the confidence is its share among all. */
static void
label_one (const Rules *r, Task task, FrStr text, const guint8 *cuts, Label *label)
{
  g_autoptr (GArray) hits = find_hits (r, task, text, cuts);
  double sums[WORDS_MAX_LABELS] = { 0 }, all = 0;
  guint best = 0;

  g_array_sort (hits, by_score);
  for (guint i = 0; i < hits->len; i++)
    {
      const Hit *hit = &g_array_index (hits, Hit, i);

      for (guint k = 0; k < WORDS_MAX_LABELS; k++)
        if (hit->labels >> k & 1)
          {
            sums[k] += score (hit);
            all += score (hit);
          }
    }
  if (hits->len == 0)
    return;
  for (guint k = 1; k < WORDS_MAX_LABELS; k++)
    if (sums[k] > sums[best])
      best = k;
  g_string_assign (label->label, r->tables[task].names->pdata[best]);
  append_evidence (hits, G_GUINT64_CONSTANT (1) << best, label->evidence);
  /* One word alone is little to go by. */
  label->confidence
      = sums[best] / all * (hits->len > 1 || g_array_index (hits, Hit, 0).n > 1 ? 1 : 0.8);
}

static void
label_features (const Rules *r, FrStr text, const guint8 *cuts, Label *label)
{
  g_autoptr (GArray) hits = find_hits (r, TASK_FEATURES, text, cuts);
  guint64 all = 0;

  for (guint i = 0; i < hits->len; i++)
    all |= g_array_index (hits, Hit, i).labels;
  for (guint k = 0; k < WORDS_MAX_LABELS; k++)
    if (all >> k & 1)
      g_string_append_printf (label->label, "%s%s", label->label->len ? "、" : "",
                              (char *) r->tables[TASK_FEATURES].names->pdata[k]);
  append_evidence (hits, G_MAXUINT64, label->evidence);
  if (hits->len > 0)
    label->confidence = hits->len / (hits->len + 1.0);
}

static void
label_keywords (const Rules *r, FrStr text, const guint8 *cuts, Label *label)
{
  g_autoptr (GArray) hits = find_hits (r, TASK_TOPIC, text, cuts);
  double all = 0, shown = 0;

  g_array_sort (hits, by_score);
  for (guint i = 0; i < hits->len; i++)
    {
      const Hit *hit = &g_array_index (hits, Hit, i);

      all += score (hit);
      if (i >= r->keywords)
        continue;
      shown += score (hit);
      g_string_append_printf (label->label, "%s%.*s", i ? "、" : "", (int) hit->text.len,
                              hit->text.data);
      g_string_append_printf (label->evidence, "%s%.*s %.1f", i ? " " : "", (int) hit->text.len,
                              hit->text.data, score (hit));
    }
  label->confidence = all > 0 ? shown / all : 0;
}

void
rules_label (const Rules *r, Task task, FrStr text, const guint8 *cuts, Label *label)
{
  clear (label);
  if (task == TASK_SENTIMENT)
    label_sentiment (r, text, cuts, label);
  else if (task == TASK_FEATURES)
    label_features (r, text, cuts, label);
  else if (task == TASK_KEYWORDS)
    label_keywords (r, text, cuts, label);
  else
    label_one (r, task, text, cuts, label);
}
