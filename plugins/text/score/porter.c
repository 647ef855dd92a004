/* SPDX-License-Identifier: Apache-2.0 */
/* porter.c: Porter's stemmer, as rouge-score uses it.
 *
 * Porter, "An algorithm for suffix stripping", Program 14(3), 1980, with the departures that NLTK
 * makes by default (nltk.stem.PorterStemmer, mode NLTK_EXTENSIONS): a table of irregular forms,
 * -ies and -ied of short words, y to i only behind a consonant, -fulli and -logi, -alli first,
 * words of two letters left alone.  Digits count as consonants.  Lower-case ASCII in, lower-case
 * ASCII out.
 */
#include "config.h"

#include <string.h>

#include "text/score/score-private.h"

/* The word being stemmed: the first len bytes of s. */
typedef struct
{
  char *s;
  gsize len;
} Word;

static gboolean
is_vowel_letter (char c)
{
  return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

/* y is a consonant at the start and behind a vowel: a run of them alternates. */
static gboolean
is_consonant (const char *s, gsize i)
{
  gboolean negate = FALSE;

  if (is_vowel_letter (s[i]))
    return FALSE;
  for (; i > 0 && s[i] == 'y'; i--)
    negate = !negate;
  return is_vowel_letter (s[i]) == negate;
}

/* How many times a consonant follows a vowel in the first len letters. */
static gsize
measure (const char *s, gsize len)
{
  gsize m = 0;
  gboolean before = TRUE;

  for (gsize i = 0; i < len; i++)
    {
      gboolean now = is_vowel_letter (s[i]) ? FALSE : s[i] == 'y' ? i == 0 || !before : TRUE;

      m += i > 0 && now && !before;
      before = now;
    }
  return m;
}

static gboolean
has_vowel (const char *s, gsize len)
{
  gboolean before = FALSE;

  for (gsize i = 0; i < len; i++)
    {
      gboolean now = is_vowel_letter (s[i]) ? FALSE : s[i] == 'y' ? i == 0 || !before : TRUE;

      if (!now)
        return TRUE;
      before = now;
    }
  return FALSE;
}

static gboolean
ends_double_consonant (const Word *w)
{
  return w->len >= 2 && w->s[w->len - 1] == w->s[w->len - 2] && is_consonant (w->s, w->len - 1);
}

/* consonant, vowel, consonant that is not w, x or y; two letters as in "at" count too. */
static gboolean
ends_cvc (const char *s, gsize n)
{
  if (n == 2)
    return !is_consonant (s, 0) && is_consonant (s, 1);
  return n >= 3 && is_consonant (s, n - 3) && !is_consonant (s, n - 2) && is_consonant (s, n - 1)
         && s[n - 1] != 'w' && s[n - 1] != 'x' && s[n - 1] != 'y';
}

static gboolean
ends (const Word *w, const char *suffix)
{
  gsize n = strlen (suffix);

  return w->len >= n && memcmp (w->s + w->len - n, suffix, n) == 0;
}

/* The last n letters become by, which is at most one longer than all there was room for. */
static void
set_end (Word *w, gsize n, const char *by)
{
  gsize m = strlen (by);

  memcpy (w->s + w->len - n, by, m);
  w->len = w->len - n + m;
}

typedef struct
{
  const char *suffix, *by;
} Rule;

/* The first rule whose suffix fits decides: it is done if the stem's measure is above least. */
static void
apply (Word *w, const Rule *rules, gsize n_rules, gsize least)
{
  for (gsize i = 0; i < n_rules; i++)
    if (ends (w, rules[i].suffix))
      {
        gsize n = strlen (rules[i].suffix);

        if (measure (w->s, w->len - n) > least)
          set_end (w, n, rules[i].by);
        return;
      }
}

static void
step_1a (Word *w)
{
  if (ends (w, "ies"))
    set_end (w, 3, w->len == 4 ? "ie" : "i");
  else if (ends (w, "sses"))
    set_end (w, 4, "ss");
  else if (ends (w, "s") && !ends (w, "ss"))
    set_end (w, 1, "");
}

static void
step_1b (Word *w)
{
  gsize n = ends (w, "ed") ? 2 : ends (w, "ing") ? 3 : 0;

  if (ends (w, "ied"))
    {
      set_end (w, 3, w->len == 4 ? "ie" : "i");
      return;
    }
  if (ends (w, "eed"))
    {
      if (measure (w->s, w->len - 3) > 0)
        set_end (w, 3, "ee");
      return;
    }
  if (n == 0 || !has_vowel (w->s, w->len - n))
    return;
  w->len -= n;
  if (ends (w, "at") || ends (w, "bl") || ends (w, "iz"))
    set_end (w, 0, "e");
  else if (ends_double_consonant (w))
    {
      char last = w->s[w->len - 1];

      if (last != 'l' && last != 's' && last != 'z')
        w->len--;
    }
  else if (measure (w->s, w->len) == 1 && ends_cvc (w->s, w->len))
    set_end (w, 0, "e");
}

static void
step_1c (Word *w)
{
  if (w->len > 2 && w->s[w->len - 1] == 'y' && is_consonant (w->s, w->len - 2))
    w->s[w->len - 1] = 'i';
}

static void
step_2 (Word *w)
{
  static const Rule rules[] = {
    { "ational", "ate" }, { "tional", "tion" }, { "enci", "ence" },   { "anci", "ance" },
    { "izer", "ize" },    { "bli", "ble" },     { "alli", "al" },     { "entli", "ent" },
    { "eli", "e" },       { "ousli", "ous" },   { "ization", "ize" }, { "ation", "ate" },
    { "ator", "ate" },    { "alism", "al" },    { "iveness", "ive" }, { "fulness", "ful" },
    { "ousness", "ous" }, { "aliti", "al" },    { "iviti", "ive" },   { "biliti", "ble" },
    { "fulli", "ful" },
  };

  if (ends (w, "alli") && measure (w->s, w->len - 4) > 0)
    set_end (w, 4, "al"); /* and again: -ational, -tional may be there now */
  if (ends (w, "logi"))
    {
      if (measure (w->s, w->len - 3) > 0)
        set_end (w, 4, "log");
    }
  else
    apply (w, rules, G_N_ELEMENTS (rules), 0);
}

static void
step_3 (Word *w)
{
  static const Rule rules[]
      = { { "icate", "ic" }, { "ative", "" }, { "alize", "al" }, { "iciti", "ic" },
          { "ical", "ic" },  { "ful", "" },   { "ness", "" } };

  apply (w, rules, G_N_ELEMENTS (rules), 0);
}

static void
step_4 (Word *w)
{
  static const Rule rules[]
      = { { "al", "" },   { "ance", "" }, { "ence", "" }, { "er", "" },    { "ic", "" },
          { "able", "" }, { "ible", "" }, { "ant", "" },  { "ement", "" }, { "ment", "" },
          { "ent", "" },  { "ou", "" },   { "ism", "" },  { "ate", "" },   { "iti", "" },
          { "ous", "" },  { "ive", "" },  { "ize", "" } };

  if (ends (w, "ion"))
    {
      gsize n = w->len - 3;

      if (n > 0 && measure (w->s, n) > 1 && (w->s[n - 1] == 's' || w->s[n - 1] == 't'))
        w->len = n;
    }
  else
    apply (w, rules, G_N_ELEMENTS (rules), 1);
}

static void
step_5 (Word *w)
{
  if (ends (w, "e"))
    {
      gsize m = measure (w->s, w->len - 1);

      if (m > 1 || (m == 1 && !ends_cvc (w->s, w->len - 1)))
        w->len--;
    }
  if (ends (w, "ll") && measure (w->s, w->len - 1) > 1)
    w->len--;
}

static gboolean
irregular (Word *w)
{
  static const char *const forms[][2]
      = { { "sky", "sky" },        { "skies", "sky" },        { "dying", "die" },
          { "lying", "lie" },      { "tying", "tie" },        { "news", "news" },
          { "innings", "inning" }, { "inning", "inning" },    { "outings", "outing" },
          { "outing", "outing" },  { "cannings", "canning" }, { "canning", "canning" },
          { "howe", "howe" },      { "proceed", "proceed" },  { "exceed", "exceed" },
          { "succeed", "succeed" } };

  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++)
    if (strlen (forms[i][0]) == w->len && ends (w, forms[i][0]))
      {
        set_end (w, w->len, forms[i][1]);
        return TRUE;
      }
  return FALSE;
}

gsize
score_porter (char *word, gsize len)
{
  Word w = { word, len };

  if (irregular (&w) || len <= 2)
    return w.len;
  step_1a (&w);
  step_1b (&w);
  step_1c (&w);
  step_2 (&w);
  step_3 (&w);
  step_4 (&w);
  step_5 (&w);
  return w.len;
}
