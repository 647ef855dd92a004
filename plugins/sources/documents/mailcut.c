/* SPDX-License-Identifier: Apache-2.0 */
/* mailcut.c: the rules of mailcut.h over an array of lines. */
#include "config.h"

#include "mailcut.h"

#include <string.h>

typedef enum
{
  LINE_TEXT = 0,
  LINE_BLANK,
  LINE_QUOTE,
  LINE_SEPARATOR, /* all that follows is history */
  LINE_FIELD,     /* "From: ..." */
  LINE_ATTRIBUTION,
  LINE_DASHES, /* "-- " */
  LINE_RULE,   /* a line of underscores, as Outlook draws above the history */
  LINE_CUT
} LineKind;

typedef struct
{
  const char *text;
  gsize len;
  LineKind kind;
} Line;

#define NBSP "\xc2\xa0"
#define WIDE_SPACE "\xe3\x80\x80"

static FrStr
trim (FrStr s)
{
  for (;;)
    {
      if (s.len && strchr (" \t", *s.data))
        s = (FrStr){ s.data + 1, s.len - 1 };
      else if (s.len >= 2 && memcmp (s.data, NBSP, 2) == 0)
        s = (FrStr){ s.data + 2, s.len - 2 };
      else if (s.len >= 3 && memcmp (s.data, WIDE_SPACE, 3) == 0)
        s = (FrStr){ s.data + 3, s.len - 3 };
      else
        break;
    }
  for (;;)
    {
      const char *end = s.data + s.len;

      if (s.len && strchr (" \t", end[-1]))
        s.len--;
      else if (s.len >= 2 && memcmp (end - 2, NBSP, 2) == 0)
        s.len -= 2;
      else if (s.len >= 3 && memcmp (end - 3, WIDE_SPACE, 3) == 0)
        s.len -= 3;
      else
        return s;
    }
}

static gboolean
starts (FrStr s, const char *with)
{
  gsize n = strlen (with);

  return s.len >= n && g_ascii_strncasecmp (s.data, with, n) == 0;
}

static gboolean
ends (FrStr s, const char *with)
{
  gsize n = strlen (with);

  return s.len >= n && g_ascii_strncasecmp (s.data + s.len - n, with, n) == 0;
}

static gboolean
has (FrStr s, const char *what)
{
  return s.data && g_strstr_len (s.data, (gssize) s.len, what) != NULL;
}

/* A header line in the words of mail programs, bold or not. */
static gboolean
is_field (FrStr s)
{
  static const char *const names[]
      = { "From",     "Sent",     "To",     "Cc",       "Subject", "Date",   "Reply-To", "发件人",
          "发送时间", "发送日期", "日期",   "收件人",   "抄送",    "抄送人", "主题",     "时间",
          "寄件者",   "寄件人",   "收件者", "傳送時間", "主旨",    "副本",   "回复",     "發件人" };

  while (s.len && *s.data == '*')
    s = (FrStr){ s.data + 1, s.len - 1 };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      FrStr rest;

      if (!starts (s, names[i]))
        continue;
      rest = trim ((FrStr){ s.data + strlen (names[i]), s.len - strlen (names[i]) });
      while (rest.len && *rest.data == '*')
        rest = (FrStr){ rest.data + 1, rest.len - 1 };
      if (starts (rest, ":") || starts (rest, "："))
        return TRUE;
    }
  return FALSE;
}

static gboolean
is_separator (FrStr s)
{
  static const char *const words[] = { "original message",
                                       "original appointment",
                                       "forwarded message",
                                       "原始邮件",
                                       "原邮件",
                                       "原始信件",
                                       "原始郵件",
                                       "转发的邮件",
                                       "转发邮件",
                                       "转发邮件信息",
                                       "轉寄郵件",
                                       "Original",
                                       "回复的原邮件",
                                       "邮件原文",
                                       "原邮件信息",
                                       "回复邮件" };
  guint before = 0, after = 0;
  FrStr inner = s;

  while (inner.len && *inner.data == '-')
    {
      inner = (FrStr){ inner.data + 1, inner.len - 1 };
      before++;
    }
  while (inner.len && inner.data[inner.len - 1] == '-')
    {
      inner.len--;
      after++;
    }
  inner = trim (inner);
  if (before < 2 || after < 2)
    return starts (s, "Begin forwarded message:") || starts (s, "开始转发的邮件：")
           || starts (s, "开始转发的邮件:");
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (inner.len == strlen (words[i]) && starts (inner, words[i]))
      return TRUE;
  return FALSE;
}

static gboolean
has_digit (FrStr s)
{
  for (gsize i = 0; i < s.len; i++)
    if (g_ascii_isdigit (s.data[i]))
      return TRUE;
  return FALSE;
}

/* The whole of one or two lines: "On <date> <name> wrote:". */
static gboolean
is_attribution (FrStr s)
{
  static const char *const said[] = { "wrote:", "writes:", "写道：",   "写道:",    "写到：",
                                      "寫道：", "寫道:",   "schrieb:", "a écrit :" };
  gboolean end = FALSE;

  if (s.len > 600)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (said); i++)
    end |= ends (s, said[i]);
  /* Dates and addresses tell it from speech. */
  return end && (has_digit (s) || has (s, "@"));
}

static gboolean
is_mobile_signature (FrStr s)
{
  static const char *const starts_with[] = { "Sent from my ",
                                             "Sent from Mail for ",
                                             "Sent from Outlook",
                                             "Get Outlook for ",
                                             "Sent via ",
                                             "Sent with ",
                                             "发自我的",
                                             "发自",
                                             "來自我的",
                                             "从我的",
                                             "来自我的",
                                             "发送自",
                                             "来自网易邮箱大师",
                                             "發自我的",
                                             "从 Windows 版邮件发送" };

  if (s.len > 120)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (starts_with); i++)
    if (starts (s, starts_with[i]))
      return TRUE;
  return (starts (s, "从我的") || starts (s, "從我的")) && (ends (s, "发送") || ends (s, "傳送"));
}

static gboolean
is_notice (FrStr s)
{
  static const char *const words[] = { "confidential",
                                       "intended recipient",
                                       "intended only for",
                                       "privileged",
                                       "保密信息",
                                       "机密信息",
                                       "保密",
                                       "收件人以外",
                                       "非指定收件人",
                                       "误收",
                                       "機密",
                                       "specified recipient" };
  static const char *const subjects[] = { "e-mail", "email", "message", "communication", "邮件",
                                          "郵件",   "信息",  "E-mail",  "Email",         "EMAIL" };
  guint n = 0;
  gboolean subject = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (subjects); i++)
    subject |= has (s, subjects[i]);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    n += has (s, words[i]);
  return subject
         && (n >= 2
             || (n == 1 && (starts (s, "本邮件") || starts (s, "此邮件") || starts (s, "This e"))));
}

static LineKind
classify (FrStr whole)
{
  FrStr s = trim (whole);
  guint underscores = 0;

  if (s.len == 0)
    return LINE_BLANK;
  if (*s.data == '>')
    return LINE_QUOTE;
  if ((whole.len == 3 && memcmp (whole.data, "-- ", 3) == 0)
      || (whole.len == 2 && memcmp (whole.data, "--", 2) == 0))
    return LINE_DASHES;
  if (is_separator (s))
    return LINE_SEPARATOR;
  while (underscores < s.len && s.data[underscores] == '_')
    underscores++;
  if (underscores == s.len && underscores >= 20)
    return LINE_RULE;
  if (is_field (s))
    return LINE_FIELD;
  return is_attribution (s) ? LINE_ATTRIBUTION : LINE_TEXT;
}

static GArray *
split (FrStr text)
{
  GArray *lines = g_array_new (FALSE, FALSE, sizeof (Line));

  for (gsize at = 0; at < text.len;)
    {
      const char *newline = memchr (text.data + at, '\n', text.len - at);
      gsize n = newline ? (gsize) (newline - text.data) - at : text.len - at;
      Line line = { text.data + at, n, LINE_TEXT };

      line.kind = classify ((FrStr){ line.text, line.len });
      g_array_append_val (lines, line);
      at += n + 1;
    }
  return lines;
}

static FrStr
str_of (const Line *line)
{
  return (FrStr){ line->text, line->len };
}

/* At least three header lines within five lines, blank ones aside: a history. */
static gboolean
is_header_block (const Line *lines, guint n, guint at)
{
  guint fields = 0, seen = 0;

  for (guint i = at; i < n && seen < 6; i++)
    {
      if (lines[i].kind == LINE_BLANK)
        {
          if (fields >= 3)
            break;
          continue;
        }
      seen++;
      fields += lines[i].kind == LINE_FIELD;
    }
  return fields >= 3;
}

/* An attribution that a mail program broke: this line and the next. */
static gboolean
attributes_over_two (const Line *lines, guint n, guint at)
{
  g_autofree char *joined = NULL;
  FrStr a, b;

  if (at + 1 >= n || lines[at].kind != LINE_TEXT || lines[at + 1].kind == LINE_BLANK)
    return FALSE;
  a = trim (str_of (&lines[at]));
  b = trim (str_of (&lines[at + 1]));
  if (a.len + b.len > 500
      || !(starts (a, "On ") || starts (a, "在") || starts (a, "于") || starts (a, "Am ")))
    return FALSE;
  joined = g_strdup_printf ("%.*s %.*s", (int) a.len, a.data, (int) b.len, b.data);
  return is_attribution ((FrStr){ joined, strlen (joined) });
}

static guint
next_not_blank (const Line *lines, guint n, guint at)
{
  while (at < n && lines[at].kind == LINE_BLANK)
    at++;
  return at;
}

static gboolean
anything_left (const Line *lines, guint n)
{
  for (guint i = 0; i < n; i++)
    if (lines[i].kind != LINE_CUT && lines[i].kind != LINE_BLANK && lines[i].kind != LINE_QUOTE)
      return TRUE;
  return FALSE;
}

static void
cut (Line *lines, guint from, guint to, guint64 *count)
{
  for (guint i = from; i < to; i++)
    {
      *count += lines[i].kind != LINE_CUT && lines[i].kind != LINE_BLANK;
      lines[i].kind = LINE_CUT;
    }
}

/* Where the history begins; @n when there is none. */
static guint
find_history (Line *lines, guint n, MailCuts *cuts)
{
  for (guint i = 0; i < n; i++)
    {
      guint words = 0;

      if (lines[i].kind == LINE_SEPARATOR
          || (lines[i].kind == LINE_FIELD && is_header_block (lines, n, i))
          || (lines[i].kind == LINE_RULE && is_header_block (lines, n, i + 1)))
        return i;
      words = lines[i].kind == LINE_ATTRIBUTION ? 1 : attributes_over_two (lines, n, i) ? 2 : 0;
      if (words)
        {
          guint next = next_not_blank (lines, n, i + words);

          /* Before quoted lines it goes with them; answers may come between.
           * Else the history has no marks, and is all that follows. */
          if (next < n && lines[next].kind == LINE_QUOTE)
            cut (lines, i, i + words, &cuts->quoted);
          else if (next < n)
            return i;
          else
            cut (lines, i, i + words, &cuts->quoted);
          i += words - 1;
        }
    }
  return n;
}

/* Nothing but a history: a forward.  Its header lines go, its words stay. */
static void
keep_forwarded (Line *lines, guint n, guint from, MailCuts *cuts)
{
  guint i = from;

  while (i < n && lines[i].kind != LINE_TEXT && lines[i].kind != LINE_QUOTE)
    i++;
  cut (lines, from, i, &cuts->quoted);
  for (; i < n; i++)
    if (lines[i].kind == LINE_SEPARATOR
        || (lines[i].kind == LINE_FIELD && is_header_block (lines, n, i)))
      {
        cut (lines, i, n, &cuts->quoted);
        return;
      }
}

static void
cut_history (Line *lines, guint n, MailCuts *cuts)
{
  guint from = find_history (lines, n, cuts);
  gboolean quotes_alone;

  if (from < n && !anything_left (lines, from))
    keep_forwarded (lines, n, from, cuts);
  else
    cut (lines, from, n, &cuts->quoted);
  quotes_alone = !anything_left (lines, n);
  if (!quotes_alone)
    for (guint i = 0; i < n; i++)
      if (lines[i].kind == LINE_QUOTE)
        cut (lines, i, i + 1, &cuts->quoted);
}

static void
cut_signature (Line *lines, guint n, MailCuts *cuts)
{
  for (guint i = 0; i < n; i++)
    if (lines[i].kind == LINE_DASHES && anything_left (lines, i))
      {
        /* A list's own footer below history has gone already. */
        guint end = i + 1;

        while (end < n && lines[end].kind != LINE_CUT)
          end++;
        cut (lines, i, end, &cuts->signature);
        break;
      }
}

static guint
last_words (const Line *lines, guint n)
{
  while (n > 0 && (lines[n - 1].kind == LINE_CUT || lines[n - 1].kind == LINE_BLANK))
    n--;
  return n;
}

static void
cut_endings (Line *lines, guint n, MailCuts *cuts)
{
  for (guint rounds = 0; rounds < 3; rounds++)
    {
      guint end = last_words (lines, n), from;
      gboolean notice = FALSE;

      if (end == 0)
        return;
      if (is_mobile_signature (trim (str_of (&lines[end - 1]))) && anything_left (lines, end - 1))
        {
          cut (lines, end - 1, end, &cuts->signature);
          continue;
        }
      for (from = end;
           from > 0 && lines[from - 1].kind != LINE_BLANK && lines[from - 1].kind != LINE_CUT;
           from--)
        ;
      if (from < end)
        notice = is_notice (
            (FrStr){ lines[from].text,
                     (gsize) (lines[end - 1].text + lines[end - 1].len - lines[from].text) });
      if (!notice || !anything_left (lines, from))
        return;
      cut (lines, from, end, &cuts->notice);
    }
}

void
mail_cut (FrStr text, GString *out, MailCuts *cuts)
{
  g_autoptr (GArray) array = split (text);
  Line *lines = (Line *) (void *) array->data;
  guint n = array->len, blank = 0;
  gsize before = out->len;

  cut_history (lines, n, cuts);
  cut_signature (lines, n, cuts);
  cut_endings (lines, n, cuts);
  for (guint i = 0; i < n; i++)
    {
      if (lines[i].kind == LINE_CUT || lines[i].kind == LINE_BLANK)
        {
          blank++;
          continue;
        }
      if (out->len > before)
        g_string_append (out, blank ? "\n\n" : "\n");
      blank = 0;
      /* Quotes stay where nothing else is there: then they are the text. */
      while (lines[i].kind == LINE_QUOTE && lines[i].len && strchr ("> ", *lines[i].text))
        {
          lines[i].text++;
          lines[i].len--;
        }
      g_string_append_len (out, lines[i].text, (gssize) lines[i].len);
    }
}

void
mail_unflow (FrStr text, gboolean delsp, GString *out)
{
  for (gsize at = 0; at < text.len;)
    {
      const char *newline = memchr (text.data + at, '\n', text.len - at);
      gsize n = newline ? (gsize) (newline - text.data) - at : text.len - at;
      const char *line = text.data + at;
      gboolean flows = n > 0 && line[n - 1] == ' ' && !(n == 3 && memcmp (line, "-- ", 3) == 0)
                       && *line != '>';
      gsize stuffed = n > 0 && *line == ' ';
      gsize blank = flows && delsp && n > stuffed;

      g_string_append_len (out, line + stuffed, (gssize) (n - stuffed - blank));
      if (newline && !(flows && n > 1))
        g_string_append_c (out, '\n');
      at += n + 1;
    }
}
