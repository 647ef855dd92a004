/* SPDX-License-Identifier: Apache-2.0 */
/* methods.c: what str, dict, list and tuple can do in Python, by name.
 *
 * Three kinds of names: those offered here; those that Python has and we do not,
 * which are refused by name; those that change an object, which the sandbox keeps away.
 */
#include "config.h"

#include "jinja-private.h"

#include <math.h>
#include <string.h>

static JStr *
self_str (Jinja *j, JValue self)
{
  return lm_jinja_need_str (j, self, "the object");
}

static void
no_arguments (Jinja *j, const char *what, JArgs *args)
{
  lm_jinja_bind (j, what, args, "", 0, NULL);
}

/* Text made by GLib, moved to the arena; @text is freed whatever happens. */
static JValue
take (Jinja *j, char *text)
{
  g_free (j->scratch);
  j->scratch = text;
  return lm_jinja_str (j, text, -1);
}

/* ---- case ------------------------------------------------------------------------------ */

/* One character by GLib's full mapping; NULs stand for themselves. */
static void
add_cased (Jinja *j, JBuf *buf, const char *p, const char *next, char *(*func) (const char *, gssize))
{
  if (*p == '\0')
    lm_jinja_buf_add (j, buf, p, 1);
  else
    lm_jinja_buf_str (j, buf, take (j, func (p, next - p)));
}

static JValue
map_case (Jinja *j, const JStr *s, char *(*func) (const char *, gssize))
{
  JBuf buf = { 0 };

  lm_jinja_step (j, s->len / 8);
  if (s->len == 0 || memchr (s->s, '\0', s->len) == NULL)
    return s->len == 0 ? lm_jinja_str_static (j, "", 0) : take (j, func (s->s, (gssize) s->len));
  for (const char *p = s->s, *end = p + s->len; p < end; p = g_utf8_next_char (p))
    add_cased (j, &buf, p, g_utf8_next_char (p), func);
  return lm_jinja_buf_done (j, &buf);
}

static JValue
str_lower (Jinja *j, JValue self, JArgs *args)
{
  no_arguments (j, "lower()", args);
  return map_case (j, self_str (j, self), g_utf8_strdown);
}

static JValue
str_upper (Jinja *j, JValue self, JArgs *args)
{
  no_arguments (j, "upper()", args);
  return map_case (j, self_str (j, self), g_utf8_strup);
}

static JValue
str_casefold (Jinja *j, JValue self, JArgs *args)
{
  no_arguments (j, "casefold()", args);
  return map_case (j, self_str (j, self), g_utf8_casefold);
}

static void
add_titled (Jinja *j, JBuf *buf, gunichar c, const char *p, const char *next)
{
  gunichar title = g_unichar_totitle (c);

  /* Only a full mapping makes two of one (ß): the first of them is a capital. */
  if (title != c || !g_unichar_islower (c))
    lm_jinja_buf_char (j, buf, title);
  else
    {
      JValue up = take (j, g_utf8_strup (p, next - p));
      gsize first = lm_jinja_offset (up.str, 1);

      lm_jinja_buf_add (j, buf, up.str->s, first);
      if (first < up.str->len)
        lm_jinja_buf_str (
            j, buf, take (j, g_utf8_strdown (up.str->s + first, (gssize) (up.str->len - first))));
    }
}

static JValue
str_capitalize (Jinja *j, JValue self, JArgs *args)
{
  const JStr *s = self_str (j, self);
  JBuf buf = { 0 };
  gsize first = lm_jinja_offset (s, 1);

  no_arguments (j, "capitalize()", args);
  if (s->len == 0)
    return self;
  add_titled (j, &buf, g_utf8_get_char (s->s), s->s, s->s + first);
  lm_jinja_buf_str (j, &buf,
                    map_case (j, lm_jinja_substr (j, s, first, s->len).str, g_utf8_strdown));
  return lm_jinja_buf_done (j, &buf);
}

/* Cased letters after another cased letter are small, others capital. */
static JValue
str_title (Jinja *j, JValue self, JArgs *args)
{
  const JStr *s = self_str (j, self);
  JBuf buf = { 0 };
  gboolean inside = FALSE;

  no_arguments (j, "title()", args);
  lm_jinja_step (j, s->len);
  for (const char *p = s->s, *end = p + s->len; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      gboolean cased = g_unichar_islower (c) || g_unichar_isupper (c) || g_unichar_istitle (c);

      if (inside)
        add_cased (j, &buf, p, g_utf8_next_char (p), g_utf8_strdown);
      else
        add_titled (j, &buf, c, p, g_utf8_next_char (p));
      inside = cased;
    }
  return lm_jinja_buf_done (j, &buf);
}

static JValue
str_swapcase (Jinja *j, JValue self, JArgs *args)
{
  const JStr *s = self_str (j, self);
  JBuf buf = { 0 };

  no_arguments (j, "swapcase()", args);
  lm_jinja_step (j, s->len);
  for (const char *p = s->s, *end = p + s->len; p < end; p = g_utf8_next_char (p))
    add_cased (j, &buf, p, g_utf8_next_char (p),
               g_unichar_isupper (g_utf8_get_char (p)) ? g_utf8_strdown : g_utf8_strup);
  return lm_jinja_buf_done (j, &buf);
}

/* ---- questions ------------------------------------------------------------------------- */

typedef gboolean (*CharTest) (gunichar c);

static JValue
all_chars (Jinja *j, JValue self, JArgs *args, CharTest test)
{
  const JStr *s = self_str (j, self);

  no_arguments (j, "this method", args);
  lm_jinja_step (j, s->len / 8);
  for (const char *p = s->s, *end = p + s->len; p < end; p = g_utf8_next_char (p))
    if (!test (g_utf8_get_char (p)))
      return j_bool (FALSE);
  return j_bool (s->len > 0);
}

static gboolean
is_digit (gunichar c)
{
  static const gunichar superscripts[] = { 0xb2, 0xb3, 0xb9 };

  for (gsize i = 0; i < G_N_ELEMENTS (superscripts); i++)
    if (c == superscripts[i])
      return TRUE;
  return g_unichar_isdigit (c) || (c >= 0x2070 && c <= 0x2089 && g_unichar_type (c) == G_UNICODE_OTHER_NUMBER)
         || (c >= 0x2460 && c <= 0x2468);
}

static gboolean
is_numeric (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);

  return type == G_UNICODE_DECIMAL_NUMBER || type == G_UNICODE_LETTER_NUMBER
         || type == G_UNICODE_OTHER_NUMBER;
}

static gboolean
is_decimal (gunichar c)
{
  return g_unichar_type (c) == G_UNICODE_DECIMAL_NUMBER;
}

static gboolean
is_alpha (gunichar c)
{
  return g_unichar_isalpha (c);
}

static gboolean
is_alnum (gunichar c)
{
  return g_unichar_isalpha (c) || is_numeric (c);
}

static gboolean
is_ascii (gunichar c)
{
  return c < 0x80;
}

static JValue
str_isalpha (Jinja *j, JValue self, JArgs *args)
{
  return all_chars (j, self, args, is_alpha);
}
static JValue
str_isalnum (Jinja *j, JValue self, JArgs *args)
{
  return all_chars (j, self, args, is_alnum);
}
static JValue
str_isdigit (Jinja *j, JValue self, JArgs *args)
{
  return all_chars (j, self, args, is_digit);
}
static JValue
str_isdecimal (Jinja *j, JValue self, JArgs *args)
{
  return all_chars (j, self, args, is_decimal);
}
static JValue
str_isnumeric (Jinja *j, JValue self, JArgs *args)
{
  return all_chars (j, self, args, is_numeric);
}
static JValue
str_isspace (Jinja *j, JValue self, JArgs *args)
{
  return all_chars (j, self, args, lm_jinja_is_space);
}
static JValue
str_isascii (Jinja *j, JValue self, JArgs *args)
{
  return j_bool (self_str (j, self)->len == 0 || all_chars (j, self, args, is_ascii).i);
}

/* No letter of the other case, and at least one of this. */
static JValue
is_case (Jinja *j, JValue self, JArgs *args, gboolean upper)
{
  const JStr *s = self_str (j, self);
  gboolean any = FALSE;

  no_arguments (j, "this method", args);
  lm_jinja_step (j, s->len / 8);
  for (const char *p = s->s, *end = p + s->len; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (g_unichar_istitle (c) || (upper ? g_unichar_islower (c) : g_unichar_isupper (c)))
        return j_bool (FALSE);
      any |= upper ? g_unichar_isupper (c) : g_unichar_islower (c);
    }
  return j_bool (any);
}

static JValue
str_isupper (Jinja *j, JValue self, JArgs *args)
{
  return is_case (j, self, args, TRUE);
}
static JValue
str_islower (Jinja *j, JValue self, JArgs *args)
{
  return is_case (j, self, args, FALSE);
}

/* ---- searching ----------------------------------------------------------------------------- */

static const char *
find_first (Jinja *j, const char *s, gsize len, const JStr *needle)
{
  lm_jinja_step (j, 1 + len / 16);
  return needle->len == 0 ? s : memmem (s, len, needle->s, needle->len);
}

static const char *
find_last (Jinja *j, const char *s, gsize len, const JStr *needle)
{
  lm_jinja_step (j, 1 + len / 4);
  if (needle->len > len)
    return NULL;
  for (gsize i = len - needle->len + 1; i-- > 0;)
    if (memcmp (s + i, needle->s, needle->len) == 0)
      return s + i;
  return NULL;
}

/* start and end of find(), count(), startswith(): bytes; FALSE: start lies behind end. */
static gboolean
clip (Jinja *j, const JStr *s, JValue from, JValue to, gsize *start, gsize *end)
{
  gint64 n = (gint64) s->chars, a = 0, b = n;

  if (from.kind != J_MISSING && from.kind != J_NONE)
    a = lm_jinja_need_int (j, from, "start");
  if (to.kind != J_MISSING && to.kind != J_NONE)
    b = lm_jinja_need_int (j, to, "end");
  a = a < 0 ? MAX (a + n, 0) : a;
  b = b < 0 ? MAX (b + n, 0) : MIN (b, n);
  if (a > b)
    return FALSE;
  *start = lm_jinja_offset (s, (gsize) a);
  *end = lm_jinja_offset (s, (gsize) b);
  return TRUE;
}

static JValue
search (Jinja *j, JValue self, JArgs *args, const char *what, gboolean last, gboolean must)
{
  const JStr *s = self_str (j, self), *needle;
  const char *found = NULL;
  gsize start, end;
  JValue a[3];

  lm_jinja_bind (j, what, args, "sub start end", 1, a);
  needle = lm_jinja_need_str (j, a[0], "what is looked for");
  if (clip (j, s, a[1], a[2], &start, &end))
    found = (last ? find_last : find_first) (j, s->s + start, end - start, needle);
  if (found == NULL && must)
    lm_jinja_fail (j, "substring not found");
  return j_int (found == NULL ? -1 : (gint64) g_utf8_pointer_to_offset (s->s, found));
}

static JValue
str_find (Jinja *j, JValue self, JArgs *args)
{
  return search (j, self, args, "find()", FALSE, FALSE);
}
static JValue
str_rfind (Jinja *j, JValue self, JArgs *args)
{
  return search (j, self, args, "rfind()", TRUE, FALSE);
}
static JValue
str_index (Jinja *j, JValue self, JArgs *args)
{
  return search (j, self, args, "index()", FALSE, TRUE);
}
static JValue
str_rindex (Jinja *j, JValue self, JArgs *args)
{
  return search (j, self, args, "rindex()", TRUE, TRUE);
}

static JValue
str_count (Jinja *j, JValue self, JArgs *args)
{
  const JStr *s = self_str (j, self), *needle;
  gsize start, end, n = 0;
  const char *p;
  JValue a[3];

  lm_jinja_bind (j, "count()", args, "sub start end", 1, a);
  needle = lm_jinja_need_str (j, a[0], "what is counted");
  if (!clip (j, s, a[1], a[2], &start, &end))
    return j_int (0);
  if (needle->len == 0)
    return j_int (1 + g_utf8_pointer_to_offset (s->s + start, s->s + end));
  while ((p = find_first (j, s->s + start, end - start, needle)) != NULL)
    {
      n++;
      start = (gsize) (p - s->s) + needle->len;
    }
  return j_int ((gint64) n);
}

static gboolean
matches_at_end (const char *s, gsize len, const JStr *word, gboolean suffix)
{
  return word->len <= len && memcmp (suffix ? s + len - word->len : s, word->s, word->len) == 0;
}

static JValue
starts_or_ends (Jinja *j, JValue self, JArgs *args, const char *what, gboolean suffix)
{
  const JStr *s = self_str (j, self);
  gsize start, end;
  JValue a[3];

  lm_jinja_bind (j, what, args, "prefix start end", 1, a);
  if (!clip (j, s, a[1], a[2], &start, &end))
    return j_bool (FALSE);
  if (a[0].kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, a[0]);
  if (a[0].kind == J_TUPLE)
    {
      for (gsize i = 0; i < a[0].list->n; i++)
        if (matches_at_end (s->s + start, end - start,
                            lm_jinja_need_str (j, a[0].list->v[i], "an item"), suffix))
          return j_bool (TRUE);
      return j_bool (FALSE);
    }
  return j_bool (matches_at_end (s->s + start, end - start, lm_jinja_need_str (j, a[0], what), suffix));
}

static JValue
str_startswith (Jinja *j, JValue self, JArgs *args)
{
  return starts_or_ends (j, self, args, "startswith()", FALSE);
}
static JValue
str_endswith (Jinja *j, JValue self, JArgs *args)
{
  return starts_or_ends (j, self, args, "endswith()", TRUE);
}

static JValue
remove_end (Jinja *j, JValue self, JArgs *args, const char *what, gboolean suffix)
{
  const JStr *s = self_str (j, self), *word;
  JValue a[1];

  lm_jinja_bind (j, what, args, "word", 1, a);
  word = lm_jinja_need_str (j, a[0], what);
  if (!matches_at_end (s->s, s->len, word, suffix))
    return self;
  return lm_jinja_substr (j, s, suffix ? 0 : word->len, suffix ? s->len - word->len : s->len);
}

static JValue
str_removeprefix (Jinja *j, JValue self, JArgs *args)
{
  return remove_end (j, self, args, "removeprefix()", FALSE);
}
static JValue
str_removesuffix (Jinja *j, JValue self, JArgs *args)
{
  return remove_end (j, self, args, "removesuffix()", TRUE);
}

/* ---- stripping and splitting ------------------------------------------------------------------ */

static gboolean
is_stripped (gunichar c, const JStr *set)
{
  if (set == NULL)
    return lm_jinja_is_space (c);
  for (const char *p = set->s, *end = p + set->len; p < end; p = g_utf8_next_char (p))
    if (g_utf8_get_char (p) == c)
      return TRUE;
  return FALSE;
}

static JValue
strip (Jinja *j, JValue self, JArgs *args, const char *what, gboolean left, gboolean right)
{
  const JStr *s = self_str (j, self), *set = NULL;
  const char *from = s->s, *to = s->s + s->len;
  JValue a[1];

  lm_jinja_bind (j, what, args, "chars", 0, a);
  if (a[0].kind != J_MISSING && a[0].kind != J_NONE)
    set = lm_jinja_need_str (j, a[0], "what is stripped");
  lm_jinja_step (j, 1 + s->len / 16);
  while (left && from < to && is_stripped (g_utf8_get_char (from), set))
    from = g_utf8_next_char (from);
  while (right && to > from && is_stripped (g_utf8_get_char (g_utf8_prev_char (to)), set))
    to = g_utf8_prev_char (to);
  return lm_jinja_substr (j, s, (gsize) (from - s->s), (gsize) (to - s->s));
}

static JValue
str_strip (Jinja *j, JValue self, JArgs *args)
{
  return strip (j, self, args, "strip()", TRUE, TRUE);
}
static JValue
str_lstrip (Jinja *j, JValue self, JArgs *args)
{
  return strip (j, self, args, "lstrip()", TRUE, FALSE);
}
static JValue
str_rstrip (Jinja *j, JValue self, JArgs *args)
{
  return strip (j, self, args, "rstrip()", FALSE, TRUE);
}

static void
reverse_items (JList *list)
{
  for (gsize i = 0; i < list->n / 2; i++)
    {
      JValue t = list->v[i];

      list->v[i] = list->v[list->n - 1 - i];
      list->v[list->n - 1 - i] = t;
    }
}

static JValue
split_words (Jinja *j, const JStr *s, gint64 max)
{
  JValue out = lm_jinja_list (j, J_LIST, 0);
  const char *p = s->s, *end = p + s->len;

  for (;;)
    {
      const char *word;

      while (p < end && lm_jinja_is_space (g_utf8_get_char (p)))
        p = g_utf8_next_char (p);
      if (p == end)
        return out;
      word = p;
      if (max == 0)
        {
          lm_jinja_append (j, out, lm_jinja_substr (j, s, (gsize) (word - s->s), s->len));
          return out;
        }
      while (p < end && !lm_jinja_is_space (g_utf8_get_char (p)))
        p = g_utf8_next_char (p);
      lm_jinja_append (j, out, lm_jinja_substr (j, s, (gsize) (word - s->s), (gsize) (p - s->s)));
      max--;
    }
}

static JValue
rsplit_words (Jinja *j, const JStr *s, gint64 max)
{
  JValue out = lm_jinja_list (j, J_LIST, 0);
  const char *p = s->s + s->len;

  for (;;)
    {
      const char *end;

      while (p > s->s && lm_jinja_is_space (g_utf8_get_char (g_utf8_prev_char (p))))
        p = g_utf8_prev_char (p);
      if (p == s->s)
        break;
      end = p;
      if (max == 0)
        {
          lm_jinja_append (j, out, lm_jinja_substr (j, s, 0, (gsize) (end - s->s)));
          break;
        }
      while (p > s->s && !lm_jinja_is_space (g_utf8_get_char (g_utf8_prev_char (p))))
        p = g_utf8_prev_char (p);
      lm_jinja_append (j, out, lm_jinja_substr (j, s, (gsize) (p - s->s), (gsize) (end - s->s)));
      max--;
    }
  reverse_items (out.list);
  return out;
}

static JValue
split (Jinja *j, JValue self, JArgs *args, const char *what, gboolean right)
{
  const JStr *s = self_str (j, self), *sep;
  JValue a[2], out;
  gsize from = 0, to = s->len;
  const char *p;
  gint64 max;

  lm_jinja_bind (j, what, args, "sep maxsplit", 0, a);
  max = a[1].kind == J_MISSING ? -1 : lm_jinja_need_int (j, a[1], "maxsplit");
  lm_jinja_step (j, 1 + s->len / 8);
  if (a[0].kind == J_MISSING || a[0].kind == J_NONE)
    return right ? rsplit_words (j, s, max) : split_words (j, s, max);
  sep = lm_jinja_need_str (j, a[0], "the separator");
  if (sep->len == 0)
    lm_jinja_fail (j, "empty separator");
  out = lm_jinja_list (j, J_LIST, 0);
  while (max-- != 0
         && (p = (right ? find_last : find_first) (j, s->s + from, to - from, sep)) != NULL)
    {
      gsize at = (gsize) (p - s->s);

      lm_jinja_append (j, out, right ? lm_jinja_substr (j, s, at + sep->len, to) : lm_jinja_substr (j, s, from, at));
      if (right)
        to = at;
      else
        from = at + sep->len;
    }
  lm_jinja_append (j, out, lm_jinja_substr (j, s, from, to));
  if (right)
    reverse_items (out.list);
  return out;
}

static JValue
str_split (Jinja *j, JValue self, JArgs *args)
{
  return split (j, self, args, "split()", FALSE);
}
static JValue
str_rsplit (Jinja *j, JValue self, JArgs *args)
{
  return split (j, self, args, "rsplit()", TRUE);
}

static JValue
partition (Jinja *j, JValue self, JArgs *args, const char *what, gboolean right)
{
  const JStr *s = self_str (j, self), *sep;
  JValue a[1], out = lm_jinja_list (j, J_TUPLE, 3), empty = lm_jinja_str_static (j, "", 0);
  const char *p;
  gsize at;

  lm_jinja_bind (j, what, args, "sep", 1, a);
  sep = lm_jinja_need_str (j, a[0], "the separator");
  if (sep->len == 0)
    lm_jinja_fail (j, "empty separator");
  p = (right ? find_last : find_first) (j, s->s, s->len, sep);
  at = p != NULL ? (gsize) (p - s->s) : 0;
  lm_jinja_append (j, out, p != NULL ? lm_jinja_substr (j, s, 0, at) : right ? empty : self);
  lm_jinja_append (j, out, p != NULL ? a[0] : empty);
  lm_jinja_append (j, out, p != NULL ? lm_jinja_substr (j, s, at + sep->len, s->len) : right ? self : empty);
  return out;
}

static JValue
str_partition (Jinja *j, JValue self, JArgs *args)
{
  return partition (j, self, args, "partition()", FALSE);
}
static JValue
str_rpartition (Jinja *j, JValue self, JArgs *args)
{
  return partition (j, self, args, "rpartition()", TRUE);
}

static gboolean
is_line_end (gunichar c)
{
  return (c >= 10 && c <= 13) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static JValue
str_splitlines (Jinja *j, JValue self, JArgs *args)
{
  const JStr *s = self_str (j, self);
  JValue a[1], out = lm_jinja_list (j, J_LIST, 0);
  const char *end = s->s + s->len, *line = s->s;
  gboolean keep;

  lm_jinja_bind (j, "splitlines()", args, "keepends", 0, a);
  keep = a[0].kind != J_MISSING && lm_jinja_truth (j, a[0]);
  lm_jinja_step (j, 1 + s->len / 8);
  for (const char *p = line; p < end;)
    {
      const char *next = g_utf8_next_char (p);

      if (is_line_end (g_utf8_get_char (p)))
        {
          if (*p == '\r' && next < end && *next == '\n')
            next++;
          lm_jinja_append (j, out, lm_jinja_substr (j, s, (gsize) (line - s->s), (gsize) ((keep ? next : p) - s->s)));
          line = next;
        }
      p = next;
    }
  if (line < end)
    lm_jinja_append (j, out, lm_jinja_substr (j, s, (gsize) (line - s->s), s->len));
  return out;
}

static JValue
str_join (Jinja *j, JValue self, JArgs *args)
{
  const JStr *s = self_str (j, self);
  JBuf buf = { 0 };
  JValue a[1];
  JList *items;

  lm_jinja_bind (j, "join()", args, "iterable", 1, a);
  items = lm_jinja_items (j, a[0]);
  for (gsize i = 0; i < items->n; i++)
    {
      if (items->v[i].kind != J_STR)
        lm_jinja_fail (j, "sequence item %" G_GSIZE_FORMAT ": expected str instance, %s found", i,
                       lm_jinja_type (items->v[i]));
      lm_jinja_step (j, 1);
      if (i > 0)
        lm_jinja_buf_add (j, &buf, s->s, s->len);
      lm_jinja_buf_str (j, &buf, items->v[i]);
    }
  return lm_jinja_buf_done (j, &buf);
}

static void
replace_between (Jinja *j, JBuf *buf, const JStr *s, const JStr *with, gint64 max)
{
  const char *p = s->s, *end = p + s->len;

  for (; max != 0; max--)
    {
      lm_jinja_step (j, 1);
      lm_jinja_buf_add (j, buf, with->s, with->len);
      if (p == end)
        return;
      lm_jinja_buf_add (j, buf, p, (gsize) (g_utf8_next_char (p) - p));
      p = g_utf8_next_char (p);
    }
  lm_jinja_buf_add (j, buf, p, (gsize) (end - p));
}

static JValue
str_replace (Jinja *j, JValue self, JArgs *args)
{
  const JStr *s = self_str (j, self), *from, *to;
  JBuf buf = { 0 };
  gsize at = 0;
  const char *p;
  gint64 max;
  JValue a[3];

  lm_jinja_bind (j, "replace()", args, "old new count", 2, a);
  from = lm_jinja_need_str (j, a[0], "what is replaced");
  to = lm_jinja_need_str (j, a[1], "the replacement");
  max = a[2].kind == J_MISSING || a[2].kind == J_NONE ? -1 : lm_jinja_need_int (j, a[2], "count");
  if (from->len == 0)
    {
      replace_between (j, &buf, s, to, max);
      return lm_jinja_buf_done (j, &buf);
    }
  for (; max != 0 && (p = find_first (j, s->s + at, s->len - at, from)) != NULL; max--)
    {
      lm_jinja_buf_add (j, &buf, s->s + at, (gsize) (p - s->s) - at);
      lm_jinja_buf_add (j, &buf, to->s, to->len);
      at = (gsize) (p - s->s) + from->len;
    }
  lm_jinja_buf_add (j, &buf, s->s + at, s->len - at);
  return lm_jinja_buf_done (j, &buf);
}

/* ---- padding ------------------------------------------------------------------------------------- */

static void
pad (Jinja *j, JBuf *buf, const JStr *fill, gint64 n)
{
  for (; n > 0; n--)
    {
      lm_jinja_step (j, 1);
      lm_jinja_buf_add (j, buf, fill->s, fill->len);
    }
}

/* @share: of the padding, in halves, that goes to the left. */
static JValue
justify (Jinja *j, JValue self, JArgs *args, const char *what, int share)
{
  const JStr *s = self_str (j, self), *fill;
  gint64 missing, left, width;
  JBuf buf = { 0 };
  JValue a[2];

  lm_jinja_bind (j, what, args, "width fillchar", 1, a);
  width = lm_jinja_need_int (j, a[0], "width");
  fill = a[1].kind == J_MISSING ? lm_jinja_str_static (j, " ", 1).str
                                : lm_jinja_need_str (j, a[1], "fillchar");
  if (fill->chars != 1)
    lm_jinja_fail (j, "the fill character must be exactly one character long");
  if (width <= (gint64) s->chars)
    return self;
  missing = width - (gint64) s->chars;
  /* CPython gives the odd blank to the left only where the width is odd. */
  left = share == 0 ? 0 : share == 2 ? missing : missing / 2 + (missing & width & 1);
  pad (j, &buf, fill, left);
  lm_jinja_buf_add (j, &buf, s->s, s->len);
  pad (j, &buf, fill, missing - left);
  return lm_jinja_buf_done (j, &buf);
}

static JValue
str_ljust (Jinja *j, JValue self, JArgs *args)
{
  return justify (j, self, args, "ljust()", 0);
}
static JValue
str_center (Jinja *j, JValue self, JArgs *args)
{
  return justify (j, self, args, "center()", 1);
}
static JValue
str_rjust (Jinja *j, JValue self, JArgs *args)
{
  return justify (j, self, args, "rjust()", 2);
}

static JValue
str_zfill (Jinja *j, JValue self, JArgs *args)
{
  const JStr *s = self_str (j, self);
  gsize sign = s->len > 0 && (*s->s == '-' || *s->s == '+');
  JBuf buf = { 0 };
  JValue a[1];
  gint64 width;

  lm_jinja_bind (j, "zfill()", args, "width", 1, a);
  width = lm_jinja_need_int (j, a[0], "width");
  lm_jinja_buf_add (j, &buf, s->s, sign);
  pad (j, &buf, lm_jinja_str_static (j, "0", 1).str, width - (gint64) s->chars);
  lm_jinja_buf_add (j, &buf, s->s + sign, s->len - sign);
  return lm_jinja_buf_done (j, &buf);
}

/* str.format() with {}, {0} and {name}; conversions and specifications are refused. */
static JValue
str_format (Jinja *j, JValue self, JArgs *args)
{
  const JStr *s = self_str (j, self);
  const char *p = s->s, *end = p + s->len;
  gsize automatic = 0;
  JBuf buf = { 0 };

  while (p < end)
    {
      const char *close;

      if ((*p == '{' || *p == '}') && p + 1 < end && p[1] == *p)
        {
          lm_jinja_buf_add (j, &buf, p, 1);
          p += 2;
          continue;
        }
      if (*p == '}')
        lm_jinja_fail (j, "Single '}' encountered in format string");
      if (*p != '{')
        {
          lm_jinja_buf_add (j, &buf, p++, 1);
          continue;
        }
      close = memchr (p, '}', (gsize) (end - p));
      if (close == NULL)
        lm_jinja_fail (j, "Single '{' encountered in format string");
      p++;
      for (const char *q = p; q < close; q++)
        if (strchr (":!.[{", *q) != NULL)
          lm_jinja_fail (j, "format(): '%.*s' is not supported", (int) MIN (close - p, 80), p);
      if (p == close || g_ascii_isdigit (*p))
        {
          gsize i = p == close ? automatic++ : (gsize) g_ascii_strtoull (p, NULL, 10);

          if (i >= args->n)
            lm_jinja_fail (j, "Replacement index %" G_GSIZE_FORMAT " out of range for positional args tuple", i);
          lm_jinja_buf_str (j, &buf, args->v[i]);
        }
      else
        {
          gsize i = 0;

          while (i < args->n_named
                 && (args->names[i]->len != (gsize) (close - p) || memcmp (args->names[i]->s, p, args->names[i]->len) != 0))
            i++;
          if (i == args->n_named)
            lm_jinja_fail (j, "format(): nothing is called '%.*s'", (int) MIN (close - p, 80), p);
          lm_jinja_buf_str (j, &buf, args->named[i]);
        }
      p = close + 1;
    }
  return lm_jinja_buf_done (j, &buf);
}

/* ---- dict, list, loop ------------------------------------------------------------------------------ */

static JValue
dict_get (Jinja *j, JValue self, JArgs *args)
{
  const JValue *found;
  JValue a[2];

  lm_jinja_bind (j, "get()", args, "key default", 1, a);
  if (a[0].kind == J_LIST || a[0].kind == J_DICT)
    lm_jinja_fail (j, "unhashable type: '%s'", lm_jinja_type (a[0]));
  found = lm_jinja_get (j, self.dict, a[0]);
  return found != NULL ? *found : a[1].kind == J_MISSING ? j_none () : a[1];
}

static JValue
view (Jinja *j, JValue self, JArgs *args, const char *what, const char *label)
{
  const JDict *dict = self.dict;
  JValue out = lm_jinja_list (j, J_VIEW, dict->n);

  no_arguments (j, what, args);
  lm_jinja_step (j, dict->n);
  out.list->label = label;
  for (gsize i = 0; i < dict->n; i++)
    lm_jinja_append (j, out,
                     what[0] == 'k'   ? dict->keys[i]
                     : what[0] == 'v' ? dict->values[i]
                                      : lm_jinja_pair (j, dict->keys[i], dict->values[i]));
  return out;
}

static JValue
dict_items (Jinja *j, JValue self, JArgs *args)
{
  return view (j, self, args, "items()", "dict_items");
}
static JValue
dict_keys (Jinja *j, JValue self, JArgs *args)
{
  return view (j, self, args, "keys()", "dict_keys");
}
static JValue
dict_values (Jinja *j, JValue self, JArgs *args)
{
  return view (j, self, args, "values()", "dict_values");
}

static JValue
copy (Jinja *j, JValue self, JArgs *args)
{
  no_arguments (j, "copy()", args);
  return self; /* nothing here can change either of them */
}

static JValue
list_index (Jinja *j, JValue self, JArgs *args)
{
  JValue a[1];

  lm_jinja_bind (j, "index()", args, "value", 1, a);
  for (gsize i = 0; i < self.list->n; i++)
    if (lm_jinja_equal (j, self.list->v[i], a[0]))
      return j_int ((gint64) i);
  lm_jinja_fail (j, "the value is not in the list");
}

static JValue
list_count (Jinja *j, JValue self, JArgs *args)
{
  gint64 n = 0;
  JValue a[1];

  lm_jinja_bind (j, "count()", args, "value", 1, a);
  for (gsize i = 0; i < self.list->n; i++)
    n += lm_jinja_equal (j, self.list->v[i], a[0]);
  return j_int (n);
}

static JValue
loop_cycle (Jinja *j, JValue self, JArgs *args)
{
  if (args->n == 0 || args->n_named > 0)
    lm_jinja_fail (j, "no items for cycling given");
  return args->v[self.loop->index0 % args->n];
}

static JValue
loop_changed (Jinja *j, JValue self, JArgs *args)
{
  JValue now = lm_jinja_list (j, J_TUPLE, args->n);

  for (gsize i = 0; i < args->n; i++)
    lm_jinja_append (j, now, args->v[i]);
  if (self.loop->changed.kind == J_TUPLE && lm_jinja_equal (j, self.loop->changed, now))
    return j_bool (FALSE);
  self.loop->changed = now;
  return j_bool (TRUE);
}

static JValue
float_is_integer (Jinja *j, JValue self, JArgs *args)
{
  no_arguments (j, "is_integer()", args);
  return j_bool (self.kind != J_FLOAT || (isfinite (self.f) && self.f == floor (self.f)));
}

/* ---- the tables --------------------------------------------------------------------------------------- */

static const JFunc str_methods[] = {
  { "capitalize", str_capitalize },
  { "casefold", str_casefold },
  { "center", str_center },
  { "count", str_count },
  { "encode", NULL },
  { "endswith", str_endswith },
  { "expandtabs", NULL },
  { "find", str_find },
  { "format", str_format },
  { "format_map", NULL },
  { "index", str_index },
  { "isalnum", str_isalnum },
  { "isalpha", str_isalpha },
  { "isascii", str_isascii },
  { "isdecimal", str_isdecimal },
  { "isdigit", str_isdigit },
  { "isidentifier", NULL },
  { "islower", str_islower },
  { "isnumeric", str_isnumeric },
  { "isprintable", NULL },
  { "isspace", str_isspace },
  { "istitle", NULL },
  { "isupper", str_isupper },
  { "join", str_join },
  { "ljust", str_ljust },
  { "lower", str_lower },
  { "lstrip", str_lstrip },
  { "maketrans", NULL },
  { "partition", str_partition },
  { "removeprefix", str_removeprefix },
  { "removesuffix", str_removesuffix },
  { "replace", str_replace },
  { "rfind", str_rfind },
  { "rindex", str_rindex },
  { "rjust", str_rjust },
  { "rpartition", str_rpartition },
  { "rsplit", str_rsplit },
  { "rstrip", str_rstrip },
  { "split", str_split },
  { "splitlines", str_splitlines },
  { "startswith", str_startswith },
  { "strip", str_strip },
  { "swapcase", str_swapcase },
  { "title", str_title },
  { "translate", NULL },
  { "upper", str_upper },
  { "zfill", str_zfill },
  { NULL, NULL },
};
static const JFunc dict_methods[] = {
  { "copy", copy },   { "fromkeys", NULL },  { "get", dict_get },       { "items", dict_items },
  { "keys", dict_keys }, { "values", dict_values }, { NULL, NULL },
};
static const JFunc list_methods[]
    = { { "copy", copy }, { "count", list_count }, { "index", list_index }, { NULL, NULL } };
static const JFunc tuple_methods[]
    = { { "count", list_count }, { "index", list_index }, { NULL, NULL } };
static const JFunc loop_methods[]
    = { { "cycle", loop_cycle }, { "changed", loop_changed }, { NULL, NULL } };
static const JFunc number_methods[] = {
  { "as_integer_ratio", NULL }, { "bit_count", NULL },  { "bit_length", NULL }, { "conjugate", NULL },
  { "denominator", NULL },      { "from_bytes", NULL }, { "fromhex", NULL },    { "hex", NULL },
  { "imag", NULL },             { "is_integer", float_is_integer }, { "numerator", NULL }, { "real", NULL },
  { "to_bytes", NULL },         { NULL, NULL },
};
/* What changes its object. */
static const char *const dict_refused[]
    = { "clear", "pop", "popitem", "setdefault", "update", NULL };
static const char *const list_refused[]
    = { "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort", NULL };

const JFunc *
lm_jinja_method (JKind kind, const char *name, gsize len, gboolean *refused)
{
  const JFunc *table = kind == J_STR                                           ? str_methods
                       : kind == J_DICT                                        ? dict_methods
                       : kind == J_LIST                                        ? list_methods
                       : kind == J_TUPLE || kind == J_RANGE                    ? tuple_methods
                       : kind == J_LOOP                                        ? loop_methods
                       : kind == J_INT || kind == J_FLOAT || kind == J_BOOL ? number_methods
                                                                               : NULL;
  const char *const *no = kind == J_DICT ? dict_refused : kind == J_LIST ? list_refused : NULL;

  if (strlen (name) != len)
    return NULL;
  *refused = no != NULL && g_strv_contains (no, name);
  for (; table != NULL && table->name != NULL; table++)
    if (strcmp (table->name, name) == 0)
      return table;
  return NULL;
}
