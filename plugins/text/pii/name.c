/* SPDX-License-Identifier: Apache-2.0 */
/* name.c: names of persons, where context says that one stands.
 *
 * A Chinese name is a surname and one or two characters that do not go on a
 * sentence; it is looked for behind a label (收件人：), before a title (先生)
 * and beside a telephone number, nowhere else: a bare 高明 is an adjective as
 * often as a man.  Of English ones: capitalised words behind Mr, "Name:", "Dear".
 */
#include "config.h"

#include <string.h>
#include <wchar.h>

#include "text/pii/pii-private.h"

#define LABELS                                                                                     \
  (K_MOBILE | K_LANDLINE | K_ID | K_CARD | K_PASSPORT | K_PERMIT | K_USCC | K_PLATE | K_WECHAT     \
   | K_QQ | K_NAME_LABEL | K_NAME_COLON | K_NAME_TITLE | K_ADDRESS | K_POSTFIX | K_NUMBER)

static gboolean
is_han (const Scan *scan, gssize i)
{
  return (pii_cls (scan, i) & C_HAN) != 0;
}

/* Whether a name may end before @i. */
static gboolean
ends_before (const Scan *scan, gsize i)
{
  return !is_han (scan, (gssize) i) || pii_not_in_name (scan->ch[i])
         || pii_word_at (scan, i, LABELS, NULL) != NULL;
}

/* Whether a name may begin at @i. */
static gboolean
begins_at (const Scan *scan, gsize i)
{
  return i == 0 || !is_han (scan, (gssize) i - 1) || pii_not_in_name (scan->ch[i - 1]);
}

static gboolean
is_word (const Scan *scan, gsize i)
{
  return pii_word_at (scan, i, K_NOT_NAME, NULL) != NULL;
}

/* "阿不都·热合曼": parts of two and more characters with a middle dot. */
static gsize
dotted_name (const Scan *scan, gsize p)
{
  gsize i = p, parts = 0;

  while (is_han (scan, (gssize) i) && i - p < 24)
    {
      gsize from = i;

      while (is_han (scan, (gssize) i) && i - from < 8
             && !(parts > 0 && i - from >= 2 && pii_word_at (scan, i, LABELS, NULL) != NULL))
        i++;
      if (i - from < 2)
        return p;
      parts++;
      if (pii_at (scan, (gssize) i) != 0xb7 || !is_han (scan, (gssize) i + 1))
        break;
      i++;
    }
  return parts >= 2 ? i : p;
}

/* Where the Chinese name that begins at @p ends; @p: there is none.
 * @sure: only common surnames and characters that names are made of. */
static gsize
name_end (const Scan *scan, gsize p, gboolean sure)
{
  gsize head, i = dotted_name (scan, p);
  guint32 g1, g2;
  guint rank = pii_surname (scan->ch[p]);
  gboolean second, third;

  if (i > p)
    return i;
  if (!is_han (scan, (gssize) p) || is_word (scan, p))
    return p;
  head = is_han (scan, (gssize) p + 1) && pii_surname_pair (scan->ch[p], scan->ch[p + 1]) ? 2 : 1;
  if (head == 1 && (rank == 0 || (sure && rank == 1)))
    return p;
  /* 于 and 向 go on a sentence: "本人于三月", "家长向老师". */
  if (sure && (scan->ch[p] == L'于' || scan->ch[p] == L'向'))
    return p;
  i = p + head;
  g1 = pii_at (scan, (gssize) i);
  g2 = pii_at (scan, (gssize) i + 1);
  second = is_han (scan, (gssize) i) && !pii_not_in_name (g1);
  /* 月, 日 and the like end names too, where nothing goes on: 朱明月. */
  third = second && is_han (scan, (gssize) i + 1)
          && (!pii_not_in_name (g2) || (pii_given (g2) && !is_han (scan, (gssize) i + 2)));
  if (!second
      || (pii_word_at (scan, i, LABELS & ~(guint32) K_POSTFIX, NULL) != NULL && !pii_given (g1)))
    return p;
  if (third && ends_before (scan, i + 2)
      && !(pii_word_at (scan, i + 1, LABELS, NULL) != NULL && !pii_given (g2)))
    /* Where something other than a character follows, the form is enough. */
    return !sure || pii_given (g1) || pii_given (g2) || !is_han (scan, (gssize) i + 2) ? i + 2 : p;
  if (ends_before (scan, i + 1))
    return !sure || pii_given (g1) || !is_han (scan, (gssize) i + 1) ? i + 1 : p;
  if (third && pii_given (g1) && pii_given (g2))
    return i + 2;
  return !sure && pii_given (g1) && !pii_given (g2) ? i + 1 : p;
}

/* ---- English ----------------------------------------------------------------- */

static gboolean
is_upper (guint32 c)
{
  return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

static gboolean
is_lower (guint32 c)
{
  return (c >= 'a' && c <= 'z') || (c >= 0xdf && c <= 0x17f && c != 0xf7);
}

static gboolean
is_common_word (const Scan *scan, gsize s, gsize e)
{
  static const char words[]
      = "|customer|sir|sirs|madam|team|all|friend|friends|guest|guests|user|users|valued|support|"
        "service|sales|hiring|manager|hotel|the|our|your|none|"
        "unknown|mr|mrs|ms|dr|prof|client|clients|colleague|colleagues|everyone|folks|partner|"
        "partners|editor|reader|readers|members|member|students|"
        "please|thank|thanks|hello|hi|we|it|this|that|these|is|are|company|department|office|order|"
        "street|road|account|card|phone|email|mail|address|"
        "number|date|time|price|product|item|model|blue|red|green|black|white|new|best|kind|warm|"
        "yours|sincerely|regards|you|to|from|for|and|on|at|in|"
        "parent|parents|applicant|candidate|tenant|seller|buyer|driver|passenger|patient|shopper|"
        "subscriber|president|chairman|director|santa|recruiter|"
        "string|integer|boolean|object|array|vue|text|tbd|tba|na|null|admin|administrator|test|"
        "default|info|us|me|him|her|them|not|no|yes|i|he|"
        "she|they|if|as|when|while|but|or|so|will|"
        "monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|"
        "june|july|august|september|october|november|december|";
  char word[24];

  if (e - s + 2 >= sizeof word)
    return FALSE;
  word[0] = '|';
  for (gsize i = s; i < e; i++)
    word[i - s + 1] = (char) (scan->ch[i] < 128 ? g_ascii_tolower ((char) scan->ch[i]) : '?');
  word[e - s + 1] = '|';
  word[e - s + 2] = '\0';
  return strstr (words, word) != NULL;
}

/* Up to three capitalised words from @p; @words: how many. */
static gsize
english_end (const Scan *scan, gsize p, guint *words)
{
  gsize end = p, i = p;

  *words = 0;
  while (*words < 4 && is_upper (pii_at (scan, (gssize) i)))
    {
      gsize from = i++;

      if (scan->ch[i] == '.' && (pii_cls (scan, (gssize) i + 1) & C_SPACE))
        i++; /* an initial */
      else
        {
          gsize lower = 0;

          while (i < scan->n
                 && (is_lower (scan->ch[i]) || is_upper (scan->ch[i])
                     || ((scan->ch[i] == '\'' || scan->ch[i] == '-' || scan->ch[i] == 0x2019)
                         && is_upper (scan->ch[i + 1]))))
            lower += is_lower (scan->ch[i++]);
          if (lower == 0 || is_common_word (scan, from, i) || pii_cls (scan, (gssize) i) & C_DIGIT
              || pii_at (scan, (gssize) i) == '_' || pii_at (scan, (gssize) i) == '@')
            break;
          end = i;
        }
      ++*words;
      if (pii_cls (scan, (gssize) i) & C_SPACE && is_upper (pii_at (scan, (gssize) i + 1)))
        i++;
      else
        break;
    }
  if (end == p)
    *words = 0;
  return end;
}

static void
english (Scan *scan, const Event *event, const Word *word)
{
  gsize p = event->end, e, from;
  gboolean colon = FALSE, greeting, title = (word->kinds & K_NAME_TITLE_EN) != 0;
  guint words;

  if (title)
    {
      if (!is_upper (scan->ch[event->start]) || event->end - event->start > 10)
        return;
      if (pii_at (scan, (gssize) p) == '.')
        p++;
      from = p;
      while (p < from + 2 && pii_cls (scan, (gssize) p) & C_SPACE)
        p++;
      if (p == from && scan->ch[p - 1] != '.')
        return;
      e = english_end (scan, p, &words);
      if (words > 0)
        pii_add (scan, TEXT_PII_NAME, p, e, 85, TEXT_PII_CHECK_NONE, "name.title_en", word->text);
      return;
    }
  greeting = strcmp (word->text, "dear") == 0 || strstr (word->text, "sincerely") != NULL
             || strstr (word->text, "regards") != NULL || strcmp (word->text, "yours truly") == 0;
  if (greeting && !is_upper (scan->ch[event->start]) && strcmp (word->text, "dear") == 0)
    return;
  p = pii_skip_label (scan, event->end, 6, &colon);
  if (greeting && strcmp (word->text, "dear") != 0)
    while (p < event->end + 6
           && (scan->ch[p] == ',' || scan->ch[p] == '\n' || scan->ch[p] == '\r'
               || scan->cls[p] & C_SPACE))
      p++;
  if (!colon && !greeting && strstr (word->text, " is") == NULL
      && strstr (word->text, "signed") == NULL)
    return;
  /* "Product name: Blue Kettle" */
  if (strcmp (word->text, "name") == 0 && event->start > 1 && scan->ch[event->start - 1] == ' '
      && scan->cls[event->start - 2] & C_ALPHA)
    return;
  if (is_han (scan, (gssize) p))
    {
      e = name_end (scan, p, !colon);
      if (e > p)
        pii_add (scan, TEXT_PII_NAME, p, e, 75, TEXT_PII_CHECK_NONE, "name.label", word->text);
      return;
    }
  e = english_end (scan, p, &words);
  if (words == 0 || (words == 1 && e - p < 3))
    return;
  pii_add (scan, TEXT_PII_NAME, p, e, words > 1 ? 80 : 60, TEXT_PII_CHECK_NONE, "name.label_en",
           word->text);
}

/* ---- behind a label ---------------------------------------------------------- */

static void
after_label (Scan *scan, const Event *event, const Word *word)
{
  gboolean colon, direct;
  gsize p = pii_skip_label (scan, event->end, 6, &colon);
  guint score;

  direct = p == event->end;
  if (!(word->kinds & K_NAME_LABEL) && !colon)
    return;
  /* 经理：, 顾问： */
  for (guint more = 0; more < 6; more++)
    {
      gsize e = name_end (scan, p, direct);
      guint rank = pii_surname (pii_at (scan, (gssize) p));

      if (e == p && is_upper (pii_at (scan, (gssize) p)) && colon)
        {
          guint words;

          e = english_end (scan, p, &words);
          if (words > 0)
            pii_add (scan, TEXT_PII_NAME, p, e, words > 1 ? 75 : 55, TEXT_PII_CHECK_NONE,
                     "name.label", word->text);
        }
      else if (e > p)
        {
          score = colon ? 90 : direct ? 70 : 80;
          pii_add (scan, TEXT_PII_NAME, p, e, rank == 1 ? score - 15 : score, TEXT_PII_CHECK_NONE,
                   "name.label", word->text);
        }
      if (e == p
          || (pii_at (scan, (gssize) e) != 0x3001 && pii_at (scan, (gssize) e) != '/'
              && pii_at (scan, (gssize) e) != ',' && pii_at (scan, (gssize) e) != L'和')) /* 、和 */
        return;
      /* The next of a list has to look like one more. */
      p = e + 1;
      direct = TRUE;
    }
}

/* ---- before a title ---------------------------------------------------------- */

/* Whether @s to @e may be a full name, its surname @head characters long. */
static gboolean
full_name (const Scan *scan, gsize s, gsize e, gsize head)
{
  gsize n = e - s;

  for (gsize i = s; i < e; i++)
    if (!is_han (scan, (gssize) i) || (i >= s + head && pii_not_in_name (scan->ch[i])))
      return FALSE;
  if (head == 1
      && (pii_surname (scan->ch[s]) == 0 || is_word (scan, s)
          || (s > 0 && pii_not_surname_after (scan->ch[s - 1], scan->ch[s]))))
    return FALSE;
  if (pii_word_at (scan, s + head, LABELS & ~(guint32) K_POSTFIX, NULL) != NULL
      && !pii_given (scan->ch[s + head]))
    return FALSE;
  if (pii_surname (scan->ch[s]) == 1 && head == 1)
    return begins_at (scan, s) && pii_given (scan->ch[e - 1]);
  if (begins_at (scan, s))
    return TRUE;
  for (gsize i = s + head; i < e; i++)
    if (!pii_given (scan->ch[i]))
      return FALSE;
  return n >= head + 1;
}

static gboolean
goes_on (const Scan *scan, const Word *word, gsize e)
{
  static const struct
  {
    const char *title;
    guint32 next[24];
  } more[] = {
    /* 是会共计体部数结价额量裁监经理统能归算得而之和可 */
    { "总", { L'是', L'会', L'共', L'计', L'体', L'部', L'数', L'结', L'价', L'额', L'量', L'裁',
              L'监', L'经', L'理', L'统', L'能', L'归', L'算', L'得', L'而', L'之', L'和' } },
    /* 作程资业厂人地具艺期会夫龄序伤商读种件 */
    { "工",
      { L'作', L'程', L'资', L'业', L'厂', L'人', L'地', L'具', L'艺', L'期', L'会', L'夫', L'龄',
        L'序', L'伤', L'商', L'读', L'种', L'件' } },
    { "哥", { L'伦', L'哥', L'拉', L'特' } },
    { "姐", { L'妹', L'夫', L'姐' } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (more); i++)
    if (strcmp (word->text, more[i].title) == 0)
      for (guint k = 0; k < G_N_ELEMENTS (more[i].next); k++)
        if (more[i].next[k] != 0 && more[i].next[k] == pii_at (scan, (gssize) e))
          return TRUE;
  return FALSE;
}

/* 晚天早日找问让叫跟见陪听帮求谢喊约由老小 : what stands before "王哥" */
static gboolean
before_person (guint32 c)
{
  static const wchar_t chars[] = L"晚天早找问让叫跟见陪听帮求谢喊约由老小";

  for (guint i = 0; chars[i] != 0; i++)
    if ((guint32) chars[i] == c)
      return TRUE;
  return FALSE;
}

static void
before_title (Scan *scan, const Event *event, const Word *word)
{
  gsize e = event->start, s;
  gboolean strong = strstr ("先生|女士|小姐|太太|夫人", word->text) != NULL && word->n == 2;

  if (goes_on (scan, word, event->end) || e == 0)
    return;
  /* "欧阳娜娜女士", "阿不都·热合曼先生" */
  for (gsize back = MIN (e, 12); back >= 3; back--)
    if (begins_at (scan, e - back) && dotted_name (scan, e - back) == e)
      {
        pii_add (scan, TEXT_PII_NAME, e - back, e, 75, TEXT_PII_CHECK_NONE, "name.title",
                 word->text);
        return;
      }
  for (gsize n = 4; n >= 2 && word->n > 1; n--)
    {
      if (e < n)
        continue;
      s = e - n;
      if (is_han (scan, (gssize) s) && is_han (scan, (gssize) s + 1)
          && pii_surname_pair (scan->ch[s], scan->ch[s + 1])
          && (n == 2 || full_name (scan, s, e, 2)))
        {
          pii_add (scan, TEXT_PII_NAME, s, e, strong ? 90 : 80, TEXT_PII_CHECK_NONE, "name.title",
                   word->text);
          return;
        }
      if (n <= 3 && full_name (scan, s, e, 1))
        {
          pii_add (scan, TEXT_PII_NAME, s, e, strong ? 85 : 75, TEXT_PII_CHECK_NONE, "name.title",
                   word->text);
          return;
        }
    }
  s = e - 1;
  if (is_word (scan, s))
    return;
  if (!is_han (scan, (gssize) s) || pii_surname (scan->ch[s]) != 2
      || (s > 0 && pii_not_surname_after (scan->ch[s - 1], scan->ch[s])))
    return;
  if (word->n == 1
      && (!(begins_at (scan, s) || before_person (scan->ch[s - 1])) || is_word (scan, s)
          || (is_han (scan, (gssize) event->end) && !ends_before (scan, event->end))))
    return;
  pii_add (scan, TEXT_PII_NAME, s, e,
           strong         ? 75
           : word->n == 1 ? 55
                          : 65,
           TEXT_PII_CHECK_NONE, "name.surname", word->text);
}

void
pii_name_event (Scan *scan, const Event *event, const Word *word)
{
  if (word->kinds & (K_NAME_TITLE_EN | K_NAME_LABEL_EN))
    english (scan, event, word);
  if (word->kinds & (K_NAME_LABEL | K_NAME_COLON))
    after_label (scan, event, word);
  if (word->kinds & K_NAME_TITLE)
    before_title (scan, event, word);
}

/* ---- beside a number
 * ----------------------------------------------------------------------------- */

static gboolean
separates (guint32 c)
{
  return c == ' ' || c == ',' || c == ':' || c == '(' || c == ')' || c == '/' || c == 0x3001
         || c == '\t' || c == '-' || c == '|';
}

static void
add_beside (Scan *scan, gsize s, gsize e)
{
  gsize head
      = is_han (scan, (gssize) s + 1) && pii_surname_pair (scan->ch[s], scan->ch[s + 1]) ? 2 : 1;
  guint givens = 0;

  /* "张伟收，138…" */
  if (e > s + 2 && scan->ch[e - 1] == L'收')
    e--;
  if (e - s < head + 1 || e - s > head + 2 || is_word (scan, s)
      || (head == 1 && pii_surname (scan->ch[s]) != 2))
    return;
  for (gsize i = s + head; i < e; i++)
    {
      if (pii_not_in_name (scan->ch[i]) || pii_word_at (scan, i, K_NAME_TITLE, NULL) != NULL)
        return;
      givens += pii_given (scan->ch[i]);
    }
  if (givens > 0)
    pii_add (scan, TEXT_PII_NAME, s, e, 60, TEXT_PII_CHECK_NONE, "name.beside", NULL);
}

/* "——王建国" at the end of a line: who signed. */
void
pii_name_signature (Scan *scan, gsize s)
{
  gsize e = name_end (scan, s, TRUE);

  if (e > s && (e == scan->n || scan->ch[e] == '\n' || scan->ch[e] == '\r')
      && pii_given (scan->ch[e - 1]))
    pii_add (scan, TEXT_PII_NAME, s, e, 60, TEXT_PII_CHECK_NONE, "name.signature", NULL);
}

/* "Priya Mercer <p.mercer@…>": the display name of RFC 5322; @at: where the '<' stands. */
void
pii_name_of_mail (Scan *scan, gsize at)
{
  gsize e = at, s;
  guint words = 0;

  if (!pii_wants (scan, TEXT_PII_NAME))
    return;
  while (e > 0 && at - e < 3 && (scan->cls[e - 1] & C_SPACE || scan->ch[e - 1] == '"'))
    e--;
  for (s = e; s > 0 && words < 4;)
    {
      gsize w = s, end;
      guint n;

      while (w > 0 && s - w < 24 && (is_lower (scan->ch[w - 1]) || is_upper (scan->ch[w - 1])))
        w--;
      if (w == s)
        break;
      end = english_end (scan, w, &n);
      if (n == 0 || end < s)
        break;
      words++;
      s = w;
      if (s > 1 && scan->ch[s - 1] == ' ')
        s--;
      else
        break;
    }
  while (s < e && scan->cls[s] & C_SPACE)
    s++;
  if (words >= 2)
    pii_add (scan, TEXT_PII_NAME, s, e, 75, TEXT_PII_CHECK_NONE, "name.mail", NULL);
  pii_name_beside (scan, at, at);
}

/* Names to both sides of a telephone number or identity card, as on parcels. */
void
pii_name_beside (Scan *scan, gsize s, gsize e)
{
  gsize i = s, from;

  if (!pii_wants (scan, TEXT_PII_NAME))
    return;
  while (i > 0 && s - i < 3 && separates (scan->ch[i - 1]))
    i--;
  if (i < s)
    {
      from = i;
      while (from > 0 && i - from < 5 && is_han (scan, (gssize) from - 1))
        from--;
      add_beside (scan, from, i);
    }
  i = e;
  while (i < scan->n && i - e < 3 && separates (scan->ch[i]))
    i++;
  if (i > e)
    {
      from = i;
      while (i - from < 5 && is_han (scan, (gssize) i))
        i++;
      add_beside (scan, from, i);
    }
}
