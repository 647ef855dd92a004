/* SPDX-License-Identifier: Apache-2.0 */
/* think.c: reasoning and answer apart, as DeepSeek-R1's template parts them: the answer is what
 * follows the last </think>; of a text that is still coming, the first. */
#include "config.h"

#include <string.h>

#include "lm/answer.h"

#define OPEN "<think>"
#define CLOSE "</think>"

static const char *
skip_blank (const char *p, const char *end)
{
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
    p++;
  return p;
}

/* Behind the last tag that ends reasoning; NULL: there is none. */
static const char *
behind_last (const char *text, gsize len)
{
  const char *end = text + len, *found = NULL, *p = text;

  while ((p = memmem (p, (gsize) (end - p), CLOSE, strlen (CLOSE))) != NULL)
    found = p += strlen (CLOSE);
  return found;
}

LmThink
lm_think_split (const char *text, gsize len, gboolean opened, const char **answer)
{
  const char *end = text + len, *first = skip_blank (text, end), *behind = behind_last (text, len);

  if (behind != NULL)
    {
      *answer = skip_blank (behind, end);
      return LM_THINK_CLOSED;
    }
  if (opened
      || ((gsize) (end - first) >= strlen (OPEN) && memcmp (first, OPEN, strlen (OPEN)) == 0))
    {
      *answer = end;
      return LM_THINK_OPEN;
    }
  *answer = text;
  return LM_THINK_NONE;
}

gboolean
lm_think_opened (const char *prompt, gsize len)
{
  while (len > 0 && g_ascii_isspace (prompt[len - 1]))
    len--;
  return len >= strlen (OPEN) && memcmp (prompt + len - strlen (OPEN), OPEN, strlen (OPEN)) == 0;
}

/* ---- a text that comes piece by piece ----------------------------------------------------------
 */

typedef enum
{
  AT_START,  /* blanks, or a part of <think>, may become either */
  AT_REASON, /* <think> was there */
  IN_REASON, /* something was said */
  AT_ANSWER, /* behind </think> */
  IN_ANSWER
} Place;

struct _LmThinker
{
  Place place;
  gboolean closed;
  GString *held; /* what may still be part of a tag, or of white space that nobody gets */
};

LmThinker *
lm_thinker_new (gboolean opened)
{
  LmThinker *t = g_new0 (LmThinker, 1);

  t->place = opened ? AT_REASON : AT_START;
  t->held = g_string_new (NULL);
  return t;
}

void
lm_thinker_free (LmThinker *t)
{
  if (t == NULL)
    return;
  g_string_free (t->held, TRUE);
  g_free (t);
}

/* Whether @tag goes on where @text ends. */
static gboolean
begins (const char *text, gsize len, const char *tag)
{
  return len < strlen (tag) && memcmp (text, tag, len) == 0;
}

static gboolean
is (const char *text, gsize len, const char *tag)
{
  return len >= strlen (tag) && memcmp (text, tag, strlen (tag)) == 0;
}

/* FALSE: more is needed. */
static gboolean
leave_start (LmThinker *t)
{
  const char *end = t->held->str + t->held->len, *first = skip_blank (t->held->str, end);
  gsize len = (gsize) (end - first);
  gboolean opens = is (first, len, OPEN);

  if (begins (first, len, OPEN))
    return FALSE;
  if (opens)
    g_string_erase (t->held, 0, first + strlen (OPEN) - t->held->str);
  t->place = opens ? AT_REASON : IN_ANSWER;
  return TRUE;
}

/* What of @held is certainly reasoning: up to white space or a tag that may be the end of it. */
static gsize
certain (const GString *held)
{
  const char *start = held->str, *end = start + held->len;
  gsize n = held->len;

  for (gsize i = 1; i < strlen (CLOSE) && i <= held->len; i++)
    if (begins (end - i, i, CLOSE))
      n = held->len - i;
  while (n > 0 && skip_blank (start + n - 1, start + n) == start + n)
    n--;
  return n;
}

static gboolean
leave_reason (LmThinker *t, GString *reasoning)
{
  const char *found;
  gsize n;

  if (t->place == AT_REASON)
    g_string_erase (t->held, 0,
                    skip_blank (t->held->str, t->held->str + t->held->len) - t->held->str);
  found = memmem (t->held->str, t->held->len, CLOSE, strlen (CLOSE));
  n = found != NULL ? (gsize) (found - t->held->str) : certain (t->held);
  if (found != NULL)
    while (n > 0 && skip_blank (t->held->str + n - 1, t->held->str + n) == t->held->str + n)
      n--;
  g_string_append_len (reasoning, t->held->str, (gssize) n);
  if (n > 0)
    t->place = IN_REASON;
  if (found == NULL)
    {
      g_string_erase (t->held, 0, (gssize) n);
      return FALSE;
    }
  g_string_erase (t->held, 0, found + strlen (CLOSE) - t->held->str);
  t->place = AT_ANSWER;
  t->closed = TRUE;
  return TRUE;
}

void
lm_thinker_push (LmThinker *t, const char *text, gsize len, GString *reasoning, GString *answer)
{
  g_string_append_len (t->held, text, (gssize) len);
  if (t->place == AT_START && !leave_start (t))
    return;
  if ((t->place == AT_REASON || t->place == IN_REASON) && !leave_reason (t, reasoning))
    return;
  if (t->place == AT_ANSWER)
    g_string_erase (t->held, 0,
                    skip_blank (t->held->str, t->held->str + t->held->len) - t->held->str);
  if (t->held->len > 0)
    t->place = IN_ANSWER;
  g_string_append_len (answer, t->held->str, (gssize) t->held->len);
  g_string_truncate (t->held, 0);
}

gboolean
lm_thinker_answers (const LmThinker *t)
{
  return t->place == AT_ANSWER || t->place == IN_ANSWER;
}

LmThink
lm_thinker_finish (LmThinker *t, GString *reasoning, GString *answer)
{
  gboolean open = t->place == AT_REASON || t->place == IN_REASON;
  GString *to = open ? reasoning : answer;

  /* White space alone ends the reasoning, as before </think>. */
  if (open && skip_blank (t->held->str, t->held->str + t->held->len) == t->held->str + t->held->len)
    g_string_truncate (t->held, 0);
  g_string_append_len (to, t->held->str, (gssize) t->held->len);
  g_string_truncate (t->held, 0);
  return open ? LM_THINK_OPEN : t->closed ? LM_THINK_CLOSED : LM_THINK_NONE;
}
