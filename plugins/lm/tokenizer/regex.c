/* SPDX-License-Identifier: Apache-2.0 */
/* regex.c: a tokenizer.json's patterns by PCRE2.
 *
 * tokenizers matches with Oniguruma in Ruby's syntax.  What both read alike is
 * passed on; what differs is written differently; anything else is refused by
 * name, since a pattern that is nearly the same gives ids that are nearly right.
 */
#include "config.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "tokenizer-private.h"

#define MATCH_LIMIT 100000000   /* steps of one match: seconds */
#define HEAP_LIMIT (256 * 1024) /* KiB */

/* White_Space, which has been without U+180E since Unicode 6.3; PCRE2's \s has it. */
#define SPACES                                                                                     \
  "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{"  \
  "205f}\\x{3000}"
#define NO_SPACES                                                                                  \
  "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"  \
  "\\x{200b}-\\x{2027}"                                                                            \
  "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{d7ff}\\x{e000}-\\x{"     \
  "10ffff}"

struct _LmRegex
{
  pcre2_code *code;
  pcre2_match_context *context;
};

typedef struct
{
  const char *pattern, *p;
  GString *out;
  guint caseless; /* groups (?i: that are open */
  GError **error;
} Translation;

static gboolean
refuse (Translation *t, const char *what, gsize len)
{
  g_set_error (
      t->error, FR_ERROR, FR_ERROR_DATA,
      "%.*s at byte %u of the pattern is not among what is known to match as Oniguruma does",
      (int) len, what, (guint) (what - t->pattern));
  return FALSE;
}

/* \p{L}, \p{Lu}, \p{^L}: general categories only; a script means another set of characters to
 * PCRE2. */
static gboolean
property (Translation *t)
{
  const char *from = t->p, *p = t->p + 2;
  gsize n;

  if (*p++ != '{')
    return refuse (t, from, 2);
  if (*p == '^')
    p++;
  n = strspn (p, "CLMNPSZcdefiklmnopstu");
  if (n < 1 || n > 2 || strchr ("CLMNPSZ", p[0]) == NULL || p[n] != '}')
    return refuse (t, from, strcspn (from, "}") + (strchr (from, '}') != NULL));
  p += n + 1;
  g_string_append_len (t->out, from, p - from);
  t->p = p;
  return TRUE;
}

/* After \x or \u: hexadecimal digits. */
static gboolean
hexadecimal (Translation *t)
{
  const char *from = t->p, *digits = t->p + 2;
  gsize n = 0, most = from[1] == 'u' ? 4 : 2;
  gboolean braces = from[1] == 'x' && *digits == '{';

  if (braces)
    digits++, most = 6;
  while (n < most && g_ascii_isxdigit (digits[n]))
    n++;
  if (n == 0 || (from[1] == 'u' && n < 4) || (braces && digits[n] != '}'))
    return refuse (t, from, (gsize) (digits - from) + n);
  /* Two digits are a byte to Oniguruma. */
  if (!braces && from[1] == 'x' && digits[0] > '7')
    return refuse (t, from, 2 + n);
  g_string_append_printf (t->out, "\\x{%.*s}", (int) n, digits);
  t->p = digits + n + braces;
  return TRUE;
}

static gboolean
escape (Translation *t, gboolean in_class)
{
  static const struct
  {
    char letter;
    const char *outside, *inside;
  } words[] = {
    { 's', "[" SPACES "]", SPACES },
    { 'S', "[^" SPACES "]", NO_SPACES },
    { 'd', "\\p{Nd}", "\\p{Nd}" },
    { 'D', "\\P{Nd}", "\\P{Nd}" },
    { 'h', "[0-9A-Fa-f]", "0-9A-Fa-f" },
    { 'r', "\\r", "\\r" },
    { 'n', "\\n", "\\n" },
    { 't', "\\t", "\\t" },
    { 'f', "\\f", "\\f" },
    { 'v', "\\x{b}", "\\x{b}" },
    { 'a', "\\x{7}", "\\x{7}" },
    { 'e', "\\x{1b}", "\\x{1b}" },
  };
  char c = t->p[1];

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (c == words[i].letter)
      {
        g_string_append (t->out, in_class ? words[i].inside : words[i].outside);
        t->p += 2;
        return TRUE;
      }
  if (c == 'p' || c == 'P')
    return property (t);
  if (c == 'x' || c == 'u')
    return hexadecimal (t);
  if (!g_ascii_ispunct (c))
    return refuse (t, t->p, c == 0 ? 1 : 2);
  g_string_append_len (t->out, t->p, 2);
  t->p += 2;
  return TRUE;
}

static gboolean class(Translation *t)
{
  const char *from = t->p;

  g_string_append_c (t->out, *t->p++);
  if (*t->p == '^')
    g_string_append_c (t->out, *t->p++);
  if (*t->p == ']')
    return refuse (t, t->p, 1);
  while (*t->p != ']')
    {
      if (*t->p == 0)
        return refuse (t, from, 1);
      if (*t->p == '[' || (t->p[0] == '&' && t->p[1] == '&'))
        return refuse (t, t->p, 1 + (*t->p == '&'));
      if (*t->p != '\\')
        g_string_append_c (t->out, *t->p++);
      else if (!escape (t, TRUE))
        return FALSE;
    }
  g_string_append_c (t->out, *t->p++);
  return TRUE;
}

/* {n}, {n,}, {n,m} and Ruby's {,m}.  A + or ? behind it means other things there. */
static gboolean
interval (Translation *t)
{
  const char *p = t->p + 1;
  gsize least = strspn (p, "0123456789"), most = 0;
  gboolean comma = p[least] == ',';

  if (comma)
    most = strspn (p + least + 1, "0123456789");
  p += least + comma + most;
  if (*p != '}' || least + most == 0 || p[1] == '+' || (p[1] == '?' && !comma))
    return refuse (t, t->p, strcspn (t->p, "}"));
  if (least == 0)
    g_string_append (t->out, "{0");
  g_string_append_len (t->out, t->p + (least == 0), p + 1 - t->p - (least == 0));
  t->p = p + 1;
  return TRUE;
}

static gboolean
group (Translation *t)
{
  static const char *const kinds[]
      = { "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:" };

  if (t->p[1] != '?')
    {
      g_string_append (t->out, "(?:");
      t->p++;
      return TRUE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_has_prefix (t->p, kinds[i]))
      {
        g_string_append (t->out, kinds[i]);
        t->p += strlen (kinds[i]);
        t->caseless |= g_str_equal (kinds[i], "(?i:");
        return TRUE;
      }
  return refuse (t, t->p, strnlen (t->p, 3));
}

static gboolean
translate (Translation *t)
{
  while (*t->p != 0)
    {
      gboolean ok = TRUE;

      switch (*t->p)
        {
        case '\\':
          ok = escape (t, FALSE);
          break;
        case '[':
          ok = class(t);
          break;
        case '{':
          ok = interval (t);
          break;
        case '(':
          ok = group (t);
          break;
        case '^':
        case '$':
          ok = refuse (t, t->p, 1);
          break;
        default:
          g_string_append_c (t->out, *t->p++);
        }
      if (!ok)
        return FALSE;
    }
  return TRUE;
}

/* Oniguruma folds these letters together into one character (U+00DF, U+FB00 and on) when case does
 * not matter. */
static gboolean
folds_apart (Translation *t)
{
  static const char *const folded[] = { "ss", "st", "ff", "fi", "fl" };
  g_autofree char *lower = g_ascii_strdown (t->pattern, -1);

  for (gsize i = 0; t->caseless && i < G_N_ELEMENTS (folded); i++)
    {
      const char *at = strstr (lower, folded[i]);

      if (at != NULL)
        return refuse (t, t->pattern + (at - lower), 2);
    }
  return TRUE;
}

LmRegex *
lm_regex_new (const char *pattern, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  Translation t = { pattern, pattern, out, 0, error };
  LmRegex *regex;
  PCRE2_UCHAR message[256];
  PCRE2_SIZE where;
  int code;

  if (*pattern == 0)
    return g_set_error (error, FR_ERROR, FR_ERROR_DATA, "the pattern is empty"), NULL;
  if (!translate (&t) || !folds_apart (&t))
    return NULL;
  regex = g_new0 (LmRegex, 1);
  regex->code
      = pcre2_compile ((PCRE2_SPTR) out->str, out->len, PCRE2_UTF | PCRE2_UCP, &code, &where, NULL);
  if (regex->code == NULL)
    {
      pcre2_get_error_message (code, message, sizeof message);
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "the pattern is wrong: %s",
                   (const char *) message);
      g_free (regex);
      return NULL;
    }
  /* Without a just-in-time compiler it is slower, and the same. */
  pcre2_jit_compile (regex->code, PCRE2_JIT_COMPLETE);
  regex->context = pcre2_match_context_create (NULL);
  pcre2_set_match_limit (regex->context, MATCH_LIMIT);
  pcre2_set_heap_limit (regex->context, HEAP_LIMIT);
  return regex;
}

void
lm_regex_free (LmRegex *regex)
{
  if (regex == NULL)
    return;
  pcre2_code_free (regex->code);
  pcre2_match_context_free (regex->context);
  g_free (regex);
}

void
lm_regex_walk_init (LmRegexWalk *walk, const LmRegex *regex)
{
  *walk = (LmRegexWalk){ regex, pcre2_match_data_create (1, NULL), 0, FALSE };
}

void
lm_regex_walk_clear (LmRegexWalk *walk)
{
  pcre2_match_data_free (walk->match_data);
}

int
lm_regex_walk_next (LmRegexWalk *walk, const char *text, gsize len, gsize *start, gsize *end,
                    GError **error)
{
  PCRE2_UCHAR message[256];
  PCRE2_SIZE *at;
  gsize from = walk->last_end;
  int n;

  for (; from <= len; lm_utf8_get (text, from, &from))
    {
      n = pcre2_match (walk->regex->code, (PCRE2_SPTR) text, len, from, PCRE2_NO_UTF_CHECK,
                       walk->match_data, walk->regex->context);
      if (n == PCRE2_ERROR_NOMATCH)
        return 0;
      if (n < 0)
        {
          pcre2_get_error_message (n, message, sizeof message);
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "the pattern failed at byte %" G_GSIZE_FORMAT ": %s", from,
                       (const char *) message);
          return -1;
        }
      at = pcre2_get_ovector_pointer (walk->match_data);
      /* An empty match where the last one ended is not another one. */
      if (at[0] != at[1] || !walk->any || at[1] != walk->last_end)
        {
          *start = at[0];
          *end = walk->last_end = at[1];
          walk->any = TRUE;
          return 1;
        }
      if (from == len)
        break;
    }
  return 0;
}
