/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c: whether a back-translation may stand beside its parent (guard.h). */
#include "config.h"

#include "guard.h"

#include <math.h>
#include <string.h>

#include "text/chars.h"
#include "text/language.h"
#include "text/normal.h"
#include "text/score.h"

#define SHOWN 40 /* bytes of a piece of text in a reason */

struct _Guard
{
  GuardLimits limits;
  const TextKeeper *keeper;
  TextScorer *scorer;
  double *stats, *values;
  gsize chrf, repetition; /* among the values */
  TextSeen *seen;
  FrStr parent;
  const FrStr *more;
  guint n_more;
};

static const char *const lost_rules[TEXT_KEEP_N] = { [TEXT_KEEP_PLACEHOLDER] = "lost_placeholder",
                                                     [TEXT_KEEP_URL] = "lost_url",
                                                     [TEXT_KEEP_TERM] = "lost_term",
                                                     [TEXT_KEEP_DATE] = "lost_date",
                                                     [TEXT_KEEP_PRICE] = "lost_price",
                                                     [TEXT_KEEP_NUMBER] = "lost_number",
                                                     [TEXT_KEEP_NEGATION] = "negation" };

const char *const *
guard_rules (void)
{
  static const char *const rules[]
      = { "same",       "length",      "lost_placeholder", "lost_url",  "lost_term", "lost_date",
          "lost_price", "lost_number", "negation",         "brackets",  "language",  "left_over",
          "repetition", "too_similar", "too_different",    "duplicate", NULL };

  return rules;
}

/* ---- life -------------------------------------------------------------------------------------
 */

/* The beginning of a piece of text, whole characters. */
static char *
show (FrStr text)
{
  const char *p = text.data, *end = text.data + text.len;

  while (p != NULL && p < end && p - text.data < SHOWN)
    p = g_utf8_next_char (p);
  return g_strndup (text.data, p != NULL ? (gsize) (p - text.data) : 0);
}

static gsize
find_figure (TextScorer *scorer, const char *name)
{
  gsize n;
  const TextFigure *figures = text_scorer_figures (scorer, &n);

  for (gsize i = 0; i < n; i++)
    if (strcmp (figures[i].name, name) == 0)
      return i;
  g_assert_not_reached ();
}

Guard *
guard_new (const GuardLimits *limits, const TextKeeper *keeper, GError **error)
{
  g_autoptr (Guard) g = g_new0 (Guard, 1);
  TextScoreOptions options;
  gsize n;

  g->limits = *limits;
  g->keeper = keeper;
  text_score_options_init (&options);
  options.metrics = TEXT_METRIC_CHRF | TEXT_METRIC_REPETITION;
  options.unit = TEXT_UNIT_CHAR;
  g->scorer = text_scorer_new (&options, error);
  if (g->scorer == NULL)
    return NULL;
  text_scorer_figures (g->scorer, &n);
  g->stats = g_new (double, text_scorer_n_stats (g->scorer));
  g->values = g_new (double, n);
  g->chrf = find_figure (g->scorer, "chrf");
  g->repetition = find_figure (g->scorer, "repetition");
  g->seen = text_seen_new ();
  return g_steal_pointer (&g);
}

void
guard_free (Guard *g)
{
  if (g == NULL)
    return;
  g_clear_pointer (&g->scorer, text_scorer_free);
  g_clear_pointer (&g->seen, text_seen_free);
  g_free (g->stats);
  g_free (g->values);
  g_free (g);
}

void
guard_family (Guard *g, FrStr parent, const FrStr *more, guint n_more)
{
  g->parent = parent;
  g->more = more;
  g->n_more = n_more;
  text_seen_clear (g->seen);
  text_seen_add (g->seen, parent);
}

/* ---- brackets ---------------------------------------------------------------------------------
 */

static const gunichar openers[][6] = {
  { '(', 0xff08 },                 /* ( （ */
  { '[', 0x3010, 0x3014, 0xff3b }, /* [ 【 〔 ［ */
  { '{', 0xff5b },                 /* { ｛ */
  { 0x300c, 0x300e },              /* 「 『 */
  { 0x300a, 0x3008, '<' },         /* 《 〈 < */
  { '*' },
  { 0x266a, 0x266b }, /* *laughs*, and the notes of subtitles */
};

static void
count_openers (FrStr text, guint *counts)
{
  const char *p = text.data, *end = text.data + text.len;

  memset (counts, 0, G_N_ELEMENTS (openers) * sizeof *counts);
  while (p < end)
    {
      gunichar c = text_next_char (&p);

      for (guint k = 0; k < G_N_ELEMENTS (openers); k++)
        for (guint i = 0; i < G_N_ELEMENTS (openers[k]) && openers[k][i] != 0; i++)
          counts[k] += openers[k][i] == c;
    }
}

static gboolean
invents_brackets (FrStr parent, FrStr child, gunichar *which)
{
  guint before[G_N_ELEMENTS (openers)], after[G_N_ELEMENTS (openers)];

  count_openers (parent, before);
  count_openers (child, after);
  for (guint k = 0; k < G_N_ELEMENTS (openers); k++)
    if (after[k] > before[k])
      {
        *which = openers[k][0];
        return TRUE;
      }
  return FALSE;
}

/* ---- language ---------------------------------------------------------------------------------
 */

static gboolean
is_word_char (gunichar c)
{
  return (text_char_flags (c) & (TEXT_CH_LATIN | TEXT_CH_CYRILLIC)) != 0;
}

static gboolean
next_word (const char **p, const char *end, FrStr *word)
{
  while (*p < end && !is_word_char (g_utf8_get_char (*p)))
    *p = g_utf8_next_char (*p);
  word->data = *p;
  while (*p < end && is_word_char (g_utf8_get_char (*p)))
    *p = g_utf8_next_char (*p);
  word->len = (gsize) (*p - word->data);
  return word->len > 0;
}

static char *
fold (FrStr text)
{
  g_autofree char *lower = g_utf8_casefold (text.data, (gssize) text.len);

  return g_utf8_normalize (lower, -1, G_NORMALIZE_NFKC);
}

static GHashTable *
words_of (const char *text)
{
  GHashTable *words = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const char *p = text, *end = text + strlen (text);
  FrStr word;

  while (next_word (&p, end, &word))
    g_hash_table_add (words, g_strndup (word.data, word.len));
  return words;
}

/* The first word of two letters or more in @child that does not stand in @parent.  A word of the
 * parent, or one that was found within one, is not searched for again: texts may be long. */
static gboolean
left_over (FrStr parent, FrStr child, FrStr *word)
{
  g_autofree char *before = fold (parent);
  g_autoptr (GHashTable) known = words_of (before);
  const char *p = child.data, *end = child.data + child.len;

  while (next_word (&p, end, word))
    {
      g_autofree char *folded = text_n_chars (*word) >= 2 ? fold (*word) : NULL;

      if (folded == NULL || g_hash_table_contains (known, folded))
        continue;
      if (strstr (before, folded) == NULL)
        return TRUE;
      g_hash_table_add (known, g_steal_pointer (&folded));
    }
  return FALSE;
}

static gboolean
is_chinese (const TextLanguageShare *s)
{
  return s->language == TEXT_LANGUAGE_ZH_HANS || s->language == TEXT_LANGUAGE_ZH_HANT;
}

/* Characters that tell the two ways of writing Chinese apart say one thing here and the other
 * there. */
static gboolean
changes_writing (const TextLanguageShare *a, const TextLanguageShare *b)
{
  return (a->simplified > a->traditional && b->simplified < b->traditional)
         || (a->simplified < a->traditional && b->simplified > b->traditional);
}

static gboolean
other_language (const TextLanguageShare *before, const TextLanguageShare *after)
{
  if (is_chinese (before) && is_chinese (after))
    return changes_writing (before, after);
  /* A mixture may settle on either of its languages. */
  return before->language != after->language && before->language != TEXT_LANGUAGE_MIXED
         && before->language != TEXT_LANGUAGE_NONE;
}

static const char *
judge_language (const Guard *g, FrStr child, char **why)
{
  TextLanguageShare before, after;
  FrStr word;

  text_language (g->parent, &before);
  text_language (child, &after);
  if (other_language (&before, &after))
    {
      *why = g_strdup_printf ("it is in %s and its parent in %s",
                              text_language_name (after.language),
                              text_language_name (before.language));
      return "language";
    }
  if (before.han > 0 && left_over (g->parent, child, &word))
    {
      g_autofree char *shown = show (word);

      *why = g_strdup_printf ("'%s' was left untranslated", shown);
      return "left_over";
    }
  return NULL;
}

/* ---- scores -----------------------------------------------------------------------------------
 */

static void
score (Guard *g, FrStr hypothesis, FrStr reference)
{
  text_scorer_row (g->scorer, hypothesis, &reference, 1, g->stats);
  text_scorer_values (g->scorer, g->stats, TEXT_SCORE_ROW, g->values);
}

static const char *
judge_scores (Guard *g, FrStr child, double *chrf, char **why)
{
  double repeats;

  score (g, child, g->parent);
  *chrf = g->values[g->chrf];
  repeats = g->values[g->repetition];
  if (repeats > g->limits.repetition)
    {
      score (g, g->parent, g->parent);
      if (repeats > g->values[g->repetition])
        {
          *why = g_strdup_printf ("%.0f %% of it was said before", 100 * repeats);
          return "repetition";
        }
    }
  if (*chrf > g->limits.chrf_max || *chrf < g->limits.chrf_min)
    {
      *why = g_strdup_printf ("chrF %.1f is outside %g to %g", *chrf, g->limits.chrf_min,
                              g->limits.chrf_max);
      return *chrf > g->limits.chrf_max ? "too_similar" : "too_different";
    }
  return NULL;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static const char *
judge_length (const Guard *g, FrStr child, char **why)
{
  double ratio = (double) text_n_chars (child) / (double) MAX (text_n_chars (g->parent), (gsize) 1);

  if (ratio >= g->limits.length_min && ratio <= g->limits.length_max)
    return NULL;
  *why = g_strdup_printf ("%.2f times as long as its parent", ratio);
  return "length";
}

static const char *
judge_kept (const Guard *g, FrStr child, char **why)
{
  g_autofree char *shown = NULL;
  FrStr lost = { NULL, 0 };
  TextKeepKind kind = text_keeper_judge (g->keeper, g->parent, child, g->more, g->n_more, &lost);

  if (kind == TEXT_KEEP_N)
    return NULL;
  shown = show (lost);
  *why = g_strdup_printf ("%s '%s' did not survive, or is new", text_keep_name (kind), shown);
  return lost_rules[kind];
}

/* Whether the seen set holds it: the parent alone is in there until a sibling was taken. */
static gboolean
is_same (FrStr a, FrStr b)
{
  g_autoptr (TextSeen) seen = text_seen_new ();

  text_seen_add (seen, a);
  return !text_seen_add (seen, b);
}

const char *
guard_judge (Guard *g, FrStr child, double *chrf, char **why)
{
  const char *rule;
  gunichar bracket;

  *chrf = NAN;
  *why = NULL;
  if (is_same (g->parent, child))
    {
      *why = g_strdup ("nothing but case, width, white space or punctuation has changed");
      return "same";
    }
  if ((rule = judge_length (g, child, why)) != NULL || (rule = judge_kept (g, child, why)) != NULL)
    return rule;
  if (invents_brackets (g->parent, child, &bracket))
    {
      char mark[8] = "";

      mark[g_unichar_to_utf8 (bracket, mark)] = '\0';
      *why = g_strdup_printf ("it has more '%s' than its parent", mark);
      return "brackets";
    }
  if ((rule = judge_language (g, child, why)) != NULL
      || (rule = judge_scores (g, child, chrf, why)) != NULL)
    return rule;
  if (!text_seen_add (g->seen, child))
    {
      *why = g_strdup ("another variant of this parent says the same");
      return "duplicate";
    }
  return NULL;
}
