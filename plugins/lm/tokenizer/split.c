/* SPDX-License-Identifier: Apache-2.0 */
/* split.c: pre-tokenisers: a piece of text becomes smaller ones.
 *
 * Each pre-tokeniser sees only the piece that the one before it cut, and hands
 * on what it cuts at once; so nothing is kept but one pending part a level.
 */
#include "config.h"

#include "tokenizer-private.h"

void
lm_split_clear (LmSplit *split)
{
  lm_regex_free (split->regex);
  g_free (split->literal);
}

typedef struct
{
  const LmSplit *splits;
  guint n;
  LmPieceFunc func;
  gpointer user;
  const LmClasses *classes;
} Run;

static gboolean run_level (const Run *run, guint level, const char *text, gsize len,
                           GError **error);

/* What has been cut but may yet grow. */
typedef struct
{
  const Run *run;
  guint level;
  const char *text;
  gsize start, end;
  gboolean is_match, any;
} Pending;

static gboolean
flush (Pending *p, GError **error)
{
  gboolean removed = p->is_match && p->run->splits[p->level].behavior == LM_BEHAVIOR_REMOVED;

  if (p->end > p->start && !removed
      && !run_level (p->run, p->level + 1, p->text + p->start, p->end - p->start, error))
    return FALSE;
  p->start = p->end;
  return TRUE;
}

/* The next part of the text, by the behaviours of tokenizers' NormalizedString::split(). */
static gboolean
part (Pending *p, gsize start, gsize end, gboolean is_match, GError **error)
{
  const LmSplit *split = &p->run->splits[p->level];
  gboolean joins = FALSE;

  is_match ^= split->invert;
  switch (split->behavior)
    {
    case LM_BEHAVIOR_CONTIGUOUS:
      joins = is_match == p->is_match;
      break;
    case LM_BEHAVIOR_MERGED_WITH_PREVIOUS:
      joins = is_match && !p->is_match;
      break;
    case LM_BEHAVIOR_MERGED_WITH_NEXT:
      joins = !is_match && p->is_match;
      break;
    default:
      break;
    }
  if (!(joins && p->any) && !flush (p, error))
    return FALSE;
  p->end = end;
  if (!(joins && p->any))
    p->start = start;
  p->is_match = is_match;
  p->any = TRUE;
  return TRUE;
}

/* A match of @start to @end, after what lies between it and the last. */
static inline gboolean
match (Pending *p, gsize *done, gsize start, gsize end, GError **error)
{
  if (start > *done && !part (p, *done, start, FALSE, error))
    return FALSE;
  *done = end;
  return part (p, start, end, TRUE, error);
}

static gboolean
by_regex (Pending *p, const LmRegex *regex, gsize len, gsize *done, GError **error)
{
  LmRegexWalk walk;
  gsize start, end;
  int more;

  lm_regex_walk_init (&walk, regex);
  while ((more = lm_regex_walk_next (&walk, p->text, len, &start, &end, error)) > 0)
    if (!match (p, done, start, end, error))
      {
        more = -1;
        break;
      }
  lm_regex_walk_clear (&walk);
  return more == 0;
}

static gboolean
by_literal (Pending *p, const LmSplit *split, gsize len, gsize *done, GError **error)
{
  const char *at;

  while ((at = memmem (p->text + *done, len - *done, split->literal, split->literal_len)) != NULL)
    if (!match (p, done, (gsize) (at - p->text), (gsize) (at - p->text) + split->literal_len,
                error))
      return FALSE;
  return TRUE;
}

/* Nothing joins or falls away: no pending part is needed. */
static gboolean
isolated (const Run *run, guint level, const char *text, gsize len, GError **error)
{
  LmScan scan = run->splits[level].scan;
  gboolean last = level + 1 == run->n;
  gsize done = 0, start, end;

  while (scan (run->classes, text, len, done, &start, &end))
    {
      if (start > done && !run_level (run, level + 1, text + done, start - done, error))
        return FALSE;
      if (!(last ? run->func (text + start, end - start, run->user, error)
                 : run_level (run, level + 1, text + start, end - start, error)))
        return FALSE;
      done = end;
    }
  return done == len || run_level (run, level + 1, text + done, len - done, error);
}

static gboolean
run_level (const Run *run, guint level, const char *text, gsize len, GError **error)
{
  const LmSplit *split;
  Pending p = { run, level, text, 0, 0, FALSE, FALSE };
  g_autofree char *spaced = NULL;
  gsize done = 0, start, end;

  if (level == run->n)
    return run->func (text, len, run->user, error);
  split = &run->splits[level];
  if (split->prefix_space && text[0] != ' ')
    {
      spaced = g_malloc (len + 1);
      spaced[0] = ' ';
      memcpy (spaced + 1, text, len);
      p.text = text = spaced;
      len++;
    }
  if (split->scan != NULL && split->behavior == LM_BEHAVIOR_ISOLATED)
    return isolated (run, level, text, len, error);
  if (split->scan != NULL)
    {
      while (split->scan (run->classes, text, len, done, &start, &end))
        if (!match (&p, &done, start, end, error))
          return FALSE;
    }
  else if (split->regex != NULL
               ? !by_regex (&p, split->regex, len, &done, error)
               : split->literal != NULL && !by_literal (&p, split, len, &done, error))
    return FALSE;
  if (done < len && !part (&p, done, len, FALSE, error))
    return FALSE;
  return flush (&p, error);
}

gboolean
lm_split_run (const LmSplit *splits, guint n, const char *text, gsize len, LmPieceFunc func,
              gpointer user, GError **error)
{
  Run run = { splits, n, func, user, lm_classes () };

  return len == 0 || run_level (&run, 0, text, len, error);
}
