/* SPDX-License-Identifier: Apache-2.0 */
/* filters.c: filters, tests and global functions, by name.
 *
 * Jinja2's own, with what transformers changes: tojson is json.dumps() without
 * HTML escaping, and raise_exception and strftime_now are there.  A name in a
 * table without a function is Jinja's and refused; one in no table is unknown.
 */
#include "config.h"

#include "jinja-private.h"

#include <math.h>
#include <string.h>
#include <time.h>

static JValue
or_default (JValue v, JValue otherwise)
{
  return v.kind == J_MISSING ? otherwise : v;
}

static gboolean
flag (Jinja *j, JValue v)
{
  return v.kind != J_MISSING && lm_jinja_truth (j, v);
}

/* sorted()'s reverse must be an integer. */
static gboolean
reverse_flag (Jinja *j, JValue v)
{
  return v.kind != J_MISSING && lm_jinja_need_int (j, v, "reverse") != 0;
}

/* Calls a method of text on str (self); text marked safe stays it. */
static JValue
as_method (Jinja *j, JValue self, const char *name, JArgs *args)
{
  gboolean refused = FALSE, markup = self.kind == J_STR && self.str->markup;
  JValue text = { .kind = J_STR, .str = lm_jinja_to_str (j, self) };
  JValue out = lm_jinja_method (J_STR, name, strlen (name), &refused)->call (j, text, args);

  if (markup && out.kind == J_STR)
    {
      out = lm_jinja_str_static (j, out.str->s, out.str->len);
      out.str->markup = TRUE;
    }
  return out;
}

#define METHOD_FILTER(name)                                  \
  static JValue filter_##name (Jinja *j, JValue v, JArgs *a) \
  {                                                          \
    return as_method (j, v, #name, a);                       \
  }
METHOD_FILTER (capitalize)
METHOD_FILTER (lower)
METHOD_FILTER (upper)

static JValue
filter_trim (Jinja *j, JValue v, JArgs *args)
{
  return as_method (j, v, "strip", args);
}

/* Words, split at blanks, '-' and opening brackets, begin with a capital. */
static JValue
filter_title (Jinja *j, JValue v, JArgs *args)
{
  JStr *s = lm_jinja_to_str (j, v);
  const char *p = s->s, *end = p + s->len, *word = p;
  JArgs none = { 0 };
  JBuf buf = { 0 };

  lm_jinja_bind (j, "title", args, "", 0, NULL);
  lm_jinja_step (j, s->len);
  while (p <= end)
    {
      gboolean stop = p == end || lm_jinja_is_space (g_utf8_get_char (p)) || strchr ("-({[<", *p) != NULL;

      if (stop && p > word)
        {
          JValue part = lm_jinja_str_static (j, word, (gsize) (p - word));

          lm_jinja_buf_str (j, &buf, as_method (j, part, "capitalize", &none));
        }
      if (p == end)
        break;
      if (stop)
        {
          lm_jinja_buf_add (j, &buf, p, (gsize) (g_utf8_next_char (p) - p));
          word = g_utf8_next_char (p);
        }
      p = g_utf8_next_char (p);
    }
  return lm_jinja_buf_done (j, &buf);
}

static JValue
filter_center (Jinja *j, JValue v, JArgs *args)
{
  JValue a[1];
  JArgs given = { .v = a, .n = 1 };

  lm_jinja_bind (j, "center", args, "width", 0, a);
  a[0] = or_default (a[0], j_int (80));
  return as_method (j, v, "center", &given);
}

static JValue
filter_string (Jinja *j, JValue v, JArgs *args)
{
  lm_jinja_bind (j, "string", args, "", 0, NULL);
  return (JValue){ .kind = J_STR, .str = lm_jinja_to_str (j, v) };
}

static JValue
filter_safe (Jinja *j, JValue v, JArgs *args)
{
  JStr *s = lm_jinja_to_str (j, v);
  JValue out = lm_jinja_str_static (j, s->s, s->len);

  lm_jinja_bind (j, "safe", args, "", 0, NULL);
  out.str->markup = TRUE;
  return out;
}

JValue
lm_jinja_escape (Jinja *j, JValue v)
{
  JStr *s = lm_jinja_to_str (j, v);
  JBuf buf = { 0 };
  JValue out;

  if (s->markup)
    return v;
  for (gsize i = 0; i < s->len; i++)
    {
      const char *word = s->s[i] == '&'    ? "&amp;"
                         : s->s[i] == '<'  ? "&lt;"
                         : s->s[i] == '>'  ? "&gt;"
                         : s->s[i] == '\'' ? "&#39;"
                         : s->s[i] == '"'  ? "&#34;"
                                           : NULL;

      lm_jinja_buf_add (j, &buf, word != NULL ? word : &s->s[i], word != NULL ? strlen (word) : 1);
    }
  out = lm_jinja_buf_done (j, &buf);
  out.str->markup = TRUE;
  return out;
}

static JValue
filter_escape (Jinja *j, JValue v, JArgs *args)
{
  lm_jinja_bind (j, "escape", args, "", 0, NULL);
  return lm_jinja_escape (j, v);
}

static JValue
filter_forceescape (Jinja *j, JValue v, JArgs *args)
{
  JStr *s = lm_jinja_to_str (j, v);

  lm_jinja_bind (j, "forceescape", args, "", 0, NULL);
  return lm_jinja_escape (j, lm_jinja_str_static (j, s->s, s->len));
}

static JValue
filter_replace (Jinja *j, JValue v, JArgs *args)
{
  JValue a[3];
  JArgs given = { .v = a, .n = 3 };

  lm_jinja_bind (j, "replace", args, "old new count", 2, a);
  for (gsize i = 0; i < 2; i++)
    a[i] = (JValue){ .kind = J_STR, .str = lm_jinja_to_str (j, a[i]) };
  a[2] = or_default (a[2], j_int (-1));
  if (a[2].kind == J_NONE)
    a[2] = j_int (-1);
  v = (JValue){ .kind = J_STR, .str = lm_jinja_to_str (j, v) };
  return as_method (j, lm_jinja_str_static (j, v.str->s, v.str->len), "replace", &given);
}

static JValue
filter_format (Jinja *j, JValue v, JArgs *args)
{
  JStr *s = lm_jinja_to_str (j, v);
  JValue values = lm_jinja_list (j, J_TUPLE, args->n), named;

  if (args->n > 0 && args->n_named > 0)
    lm_jinja_fail (j, "can't handle positional and keyword arguments at the same time");
  if (args->n_named > 0)
    {
      named = lm_jinja_dict (j, J_DICT, args->n_named);
      for (gsize i = 0; i < args->n_named; i++)
        lm_jinja_put (j, named.dict, (JValue){ .kind = J_STR, .str = args->names[i] }, args->named[i]);
      return lm_jinja_format (j, s, named);
    }
  for (gsize i = 0; i < args->n; i++)
    lm_jinja_append (j, values, args->v[i]);
  return lm_jinja_format (j, s, values);
}

static JValue
filter_indent (Jinja *j, JValue v, JArgs *args)
{
  JStr *s, *by;
  JValue a[3], text, lines;
  JArgs none = { 0 };
  JBuf buf = { 0 };
  gboolean first, blank;

  lm_jinja_bind (j, "indent", args, "width first blank", 0, a);
  a[0] = or_default (a[0], j_int (4));
  by = a[0].kind == J_STR ? a[0].str
                          : lm_jinja_binary (j, OP_MUL, lm_jinja_str_static (j, " ", 1),
                                             j_int (lm_jinja_need_int (j, a[0], "width")))
                                .str;
  first = flag (j, a[1]);
  blank = flag (j, a[2]);
  s = lm_jinja_need_str (j, v, "what is indented");
  text = lm_jinja_binary (j, OP_ADD, lm_jinja_str_static (j, s->s, s->len), lm_jinja_str_static (j, "\n", 1));
  lines = as_method (j, text, "splitlines", &none);
  for (gsize i = 0; i < lines.list->n; i++)
    {
      JStr *line = lines.list->v[i].str;

      if (i > 0)
        lm_jinja_buf_add (j, &buf, "\n", 1);
      if (i == 0 ? first : blank || line->len > 0)
        lm_jinja_buf_add (j, &buf, by->s, by->len);
      lm_jinja_buf_add (j, &buf, line->s, line->len);
    }
  text = lm_jinja_buf_done (j, &buf);
  text.str->markup = s->markup;
  return text;
}

static JValue
filter_truncate (Jinja *j, JValue v, JArgs *args)
{
  JValue a[4], cut, parts, sep[2] = { lm_jinja_str_static (j, " ", 1), j_int (1) };
  JArgs rsplit = { .v = sep, .n = 2 };
  gint64 length, leeway;
  JStr *s, *end;

  lm_jinja_bind (j, "truncate", args, "length killwords end leeway", 0, a);
  length = lm_jinja_need_int (j, or_default (a[0], j_int (255)), "length");
  end = lm_jinja_need_str (j, or_default (a[2], lm_jinja_str_static (j, "...", 3)), "end");
  leeway = a[3].kind == J_MISSING || a[3].kind == J_NONE ? 5 : lm_jinja_need_int (j, a[3], "leeway");
  if (length < (gint64) end->chars)
    lm_jinja_fail (j, "expected length >= %" G_GSIZE_FORMAT ", got %" G_GINT64_FORMAT, end->chars, length);
  if (leeway < 0)
    lm_jinja_fail (j, "expected leeway >= 0, got %" G_GINT64_FORMAT, leeway);
  if (lm_jinja_length (j, v) <= (guint64) length + (guint64) leeway)
    return v;
  s = lm_jinja_need_str (j, v, "what is truncated");
  cut = lm_jinja_substr (j, s, 0, lm_jinja_offset (s, (gsize) length - end->chars));
  if (!flag (j, a[1]))
    {
      parts = as_method (j, cut, "rsplit", &rsplit);
      cut = parts.list->v[0];
    }
  return lm_jinja_binary (j, OP_ADD, cut, (JValue){ .kind = J_STR, .str = end });
}

static JValue
filter_wordcount (Jinja *j, JValue v, JArgs *args)
{
  JStr *s = lm_jinja_to_str (j, v);
  gboolean inside = FALSE;
  gint64 n = 0;

  lm_jinja_bind (j, "wordcount", args, "", 0, NULL);
  lm_jinja_step (j, s->len / 8);
  for (const char *p = s->s, *end = p + s->len; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      gboolean word = c == '_' || g_unichar_isalnum (c);

      n += word && !inside;
      inside = word;
    }
  return j_int (n);
}

/* ---- numbers ---------------------------------------------------------------------------- */

static JValue
filter_abs (Jinja *j, JValue v, JArgs *args)
{
  lm_jinja_bind (j, "abs", args, "", 0, NULL);
  if (v.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, v);
  if (v.kind == J_FLOAT)
    return j_float (fabs (v.f));
  if (!j_is_int (v))
    lm_jinja_fail (j, "bad operand type for abs(): '%s'", lm_jinja_type (v));
  return v.i < 0 ? lm_jinja_binary (j, OP_SUB, j_int (0), v) : j_int (v.i);
}

/* A number as Python writes it: sign, digits with single underscores between; FALSE: it is none. */
static gboolean
plain_number (Jinja *j, const JStr *s, gboolean integer, const char **text)
{
  const char *p = s->s, *end = p + s->len;
  char *out = lm_jinja_alloc (j, s->len + 1), *o = out;

  while (p < end && lm_jinja_is_space (g_utf8_get_char (p)))
    p = g_utf8_next_char (p);
  while (end > p && lm_jinja_is_space (g_utf8_get_char (g_utf8_prev_char (end))))
    end = g_utf8_prev_char (end);
  *text = out;
  for (const char *q = p; q < end; q++)
    {
      if (*q == '_' && q > p && q + 1 < end && g_ascii_isdigit (q[-1]) && g_ascii_isdigit (q[1]))
        continue;
      if (!g_ascii_isdigit (*q) && !(q == p && (*q == '-' || *q == '+'))
          && (integer || strchr ("eE.+-infatyINFATY", *q) == NULL || *q == '\0'))
        return FALSE;
      *o++ = *q;
    }
  return o > out && (g_ascii_isdigit (o[-1]) || !integer);
}

static gboolean
to_float (Jinja *j, JValue v, double *f)
{
  const char *text;
  char *rest;

  if (v.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, v);
  if (j_is_number (v))
    {
      *f = j_number (v);
      return TRUE;
    }
  if (v.kind != J_STR || !plain_number (j, v.str, FALSE, &text))
    return FALSE;
  *f = g_ascii_strtod (text, &rest);
  return rest != text && *rest == '\0';
}

static JValue
truncate_float (Jinja *j, double f)
{
  if (!(fabs (f) < 9.2e18))
    lm_jinja_fail (j, "cannot convert float %g to a 64-bit integer", f);
  return j_int ((gint64) f);
}

static JValue
filter_int (Jinja *j, JValue v, JArgs *args)
{
  const char *text;
  JValue a[2];
  double f;

  lm_jinja_bind (j, "int", args, "default base", 0, a);
  if (a[1].kind != J_MISSING && !(j_is_int (a[1]) && a[1].i == 10))
    lm_jinja_fail (j, "the filter 'int' with another base than ten is not supported");
  if (j_is_int (v))
    return j_int (v.i);
  if (v.kind == J_FLOAT && !isnan (v.f))
    return truncate_float (j, v.f);
  if (v.kind == J_STR && plain_number (j, v.str, TRUE, &text))
    {
      if (strlen (text) > 18)
        lm_jinja_fail (j, "the integer %.40s is too big", text);
      return j_int (g_ascii_strtoll (text, NULL, 10));
    }
  if (to_float (j, v, &f) && isfinite (f))
    return truncate_float (j, f);
  return or_default (a[0], j_int (0));
}

static JValue
filter_float (Jinja *j, JValue v, JArgs *args)
{
  JValue a[1];
  double f;

  lm_jinja_bind (j, "float", args, "default", 0, a);
  return to_float (j, v, &f) ? j_float (f) : or_default (a[0], j_float (0));
}

static JValue
filter_round (Jinja *j, JValue v, JArgs *args)
{
  char format[16], text[400];
  const char *method;
  gint64 precision;
  JValue a[2];
  double scale;

  lm_jinja_bind (j, "round", args, "precision method", 0, a);
  precision = lm_jinja_need_int (j, or_default (a[0], j_int (0)), "precision");
  method = lm_jinja_need_str (j, or_default (a[1], lm_jinja_str_static (j, "common", 6)), "method")->s;
  if (v.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, v);
  if (!j_is_number (v))
    lm_jinja_fail (j, "type %s doesn't define __round__ method", lm_jinja_type (v));
  if (precision < 0 || precision > 15)
    lm_jinja_fail (j, "the filter 'round' with precision %" G_GINT64_FORMAT " is not supported", precision);
  if (g_str_equal (method, "common"))
    {
      if (j_is_int (v))
        return j_int (v.i);
      if (!isfinite (v.f))
        return v;
      g_snprintf (format, sizeof format, "%%.%df", (int) precision);
      return j_float (g_ascii_strtod (g_ascii_formatd (text, sizeof text, format, v.f), NULL));
    }
  if (!g_str_equal (method, "ceil") && !g_str_equal (method, "floor"))
    lm_jinja_fail (j, "method must be common, ceil or floor");
  scale = pow (10, (double) precision);
  return j_float ((*method == 'c' ? ceil : floor) (j_number (v) * scale) / scale);
}

/* ---- sequences -------------------------------------------------------------------------------- */

static JValue
filter_length (Jinja *j, JValue v, JArgs *args)
{
  lm_jinja_bind (j, "length", args, "", 0, NULL);
  return j_int ((gint64) lm_jinja_length (j, v));
}

static JValue
copy_items (Jinja *j, const JList *items)
{
  JValue out = lm_jinja_list (j, J_LIST, items->n);

  lm_jinja_step (j, items->n);
  for (gsize i = 0; i < items->n; i++)
    lm_jinja_append (j, out, items->v[i]);
  return out;
}

static JValue
filter_list (Jinja *j, JValue v, JArgs *args)
{
  lm_jinja_bind (j, "list", args, "", 0, NULL);
  return copy_items (j, lm_jinja_items (j, v));
}

static JValue
filter_first (Jinja *j, JValue v, JArgs *args)
{
  JList *items;

  lm_jinja_bind (j, "first", args, "", 0, NULL);
  if (v.kind == J_ITER)
    lm_jinja_force (j, v.list);
  if (v.kind == J_ITER && v.list->pos < v.list->n)
    return v.list->v[v.list->pos++];
  items = lm_jinja_items (j, v);
  return items->n > 0 ? items->v[0]
                      : lm_jinja_undefined_hint (j, "No first item, sequence was empty.");
}

static JValue
filter_last (Jinja *j, JValue v, JArgs *args)
{
  JList *items;

  lm_jinja_bind (j, "last", args, "", 0, NULL);
  if (v.kind == J_ITER)
    lm_jinja_fail (j, "'generator' object is not reversible");
  items = lm_jinja_items (j, v);
  return items->n > 0 ? items->v[items->n - 1]
                      : lm_jinja_undefined_hint (j, "No last item, sequence was empty.");
}

static JValue
filter_reverse (Jinja *j, JValue v, JArgs *args)
{
  JValue out;
  JList *items;

  lm_jinja_bind (j, "reverse", args, "", 0, NULL);
  if (v.kind == J_STR)
    return lm_jinja_slice (j, v, j_none (), j_none (), j_int (-1));
  items = lm_jinja_items (j, v);
  out = lm_jinja_list (j, v.kind == J_ITER ? J_LIST : J_ITER, items->n);
  lm_jinja_step (j, items->n);
  for (gsize i = items->n; i-- > 0;)
    lm_jinja_append (j, out, items->v[i]);
  return out;
}

static JValue
make_items (Jinja *j, JValue v, JArgs *args)
{
  JValue out = lm_jinja_list (j, J_ITER, 0);

  lm_jinja_bind (j, "items", args, "", 0, NULL);
  if (v.kind == J_UNDEFINED)
    return out;
  if (v.kind != J_DICT)
    lm_jinja_fail (j, "Can only get item pairs from a mapping.");
  for (gsize i = 0; i < v.dict->n; i++)
    lm_jinja_append (j, out, lm_jinja_pair (j, v.dict->keys[i], v.dict->values[i]));
  return out;
}

/* "a.b.0": parts of digits are indices. */
static JValue
get_path (Jinja *j, JValue item, JValue path, JValue otherwise)
{
  const char *p, *end;

  if (path.kind == J_NONE || path.kind == J_MISSING)
    return item;
  if (path.kind != J_STR)
    {
      item = lm_jinja_getitem (j, item, path);
      return item.kind == J_UNDEFINED && otherwise.kind != J_MISSING ? otherwise : item;
    }
  for (p = path.str->s, end = p + path.str->len; p <= end;)
    {
      const char *dot = memchr (p, '.', (gsize) (end - p));
      gsize len = dot != NULL ? (gsize) (dot - p) : (gsize) (end - p), digits = 0;
      JValue key = lm_jinja_str (j, p, (gssize) len);

      while (digits < len && g_ascii_isdigit (p[digits]))
        digits++;
      if (len > 0 && digits == len && len < 18)
        key = j_int (g_ascii_strtoll (key.str->s, NULL, 10));
      item = lm_jinja_getitem (j, item, key);
      if (item.kind == J_UNDEFINED && otherwise.kind != J_MISSING)
        item = otherwise;
      p += len + 1;
    }
  return item;
}

static JValue
fold (Jinja *j, JValue v, gboolean case_sensitive)
{
  JArgs none = { 0 };

  return v.kind == J_STR && !case_sensitive ? as_method (j, v, "lower", &none) : v;
}

static JValue
filter_join (Jinja *j, JValue v, JArgs *args)
{
  const JValue missing = { .kind = J_MISSING };
  JBuf buf = { 0 };
  JValue a[2];
  JList *items;
  JStr *d;

  lm_jinja_bind (j, "join", args, "d attribute", 0, a);
  d = lm_jinja_to_str (j, or_default (a[0], lm_jinja_str_static (j, "", 0)));
  items = lm_jinja_items (j, v);
  for (gsize i = 0; i < items->n; i++)
    {
      lm_jinja_step (j, 1);
      if (i > 0)
        lm_jinja_buf_add (j, &buf, d->s, d->len);
      lm_jinja_buf_str (j, &buf, get_path (j, items->v[i], a[1], missing));
    }
  return lm_jinja_buf_done (j, &buf);
}

static JValue
filter_sort (Jinja *j, JValue v, JArgs *args)
{
  const JValue missing = { .kind = J_MISSING };
  JValue a[3], out, paths, comma[1] = { lm_jinja_str_static (j, ",", 1) }, *keys;
  JArgs by_comma = { .v = comma, .n = 1 };
  gboolean exact;

  lm_jinja_bind (j, "sort", args, "reverse case_sensitive attribute", 0, a);
  exact = flag (j, a[1]);
  out = copy_items (j, lm_jinja_items (j, v));
  if (a[2].kind == J_STR)
    paths = as_method (j, a[2], "split", &by_comma);
  else
    {
      paths = lm_jinja_list (j, J_LIST, 1);
      lm_jinja_append (j, paths, a[2]);
    }
  keys = lm_jinja_alloc (j, out.list->n * sizeof *keys);
  for (gsize i = 0; i < out.list->n; i++)
    {
      keys[i] = lm_jinja_list (j, J_LIST, paths.list->n);
      for (gsize k = 0; k < paths.list->n; k++)
        lm_jinja_append (j, keys[i], fold (j, get_path (j, out.list->v[i], paths.list->v[k], missing), exact));
    }
  lm_jinja_sort (j, out.list->v, keys, out.list->n, reverse_flag (j, a[0]));
  return out;
}

static JValue
filter_dictsort (Jinja *j, JValue v, JArgs *args)
{
  JValue a[3], out, *keys;
  gboolean by_value = FALSE;

  lm_jinja_bind (j, "dictsort", args, "case_sensitive by reverse", 0, a);
  if (v.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, v);
  if (v.kind != J_DICT)
    lm_jinja_fail (j, "'%s' object has no attribute 'items'", lm_jinja_type (v));
  if (a[1].kind != J_MISSING)
    {
      by_value = a[1].kind == J_STR && g_str_equal (lm_jinja_to_str (j, a[1])->s, "value");
      if (!by_value && !(a[1].kind == J_STR && g_str_equal (a[1].str->s, "key")))
        lm_jinja_fail (j, "You can only sort by either \"key\" or \"value\"");
    }
  out = lm_jinja_list (j, J_LIST, v.dict->n);
  keys = lm_jinja_alloc (j, v.dict->n * sizeof *keys);
  for (gsize i = 0; i < v.dict->n; i++)
    {
      lm_jinja_append (j, out, lm_jinja_pair (j, v.dict->keys[i], v.dict->values[i]));
      keys[i] = fold (j, by_value ? v.dict->values[i] : v.dict->keys[i], flag (j, a[0]));
    }
  lm_jinja_sort (j, out.list->v, keys, v.dict->n, reverse_flag (j, a[2]));
  return out;
}

static JValue
make_unique (Jinja *j, JValue v, JArgs *args)
{
  const JValue missing = { .kind = J_MISSING };
  JValue a[2], out = lm_jinja_list (j, J_ITER, 0);
  JList *items = lm_jinja_items (j, v);
  JDict *seen = lm_jinja_dict (j, J_DICT, 0).dict;

  lm_jinja_bind (j, "unique", args, "case_sensitive attribute", 0, a);
  for (gsize i = 0; i < items->n; i++)
    {
      JValue key = fold (j, get_path (j, items->v[i], a[1], missing), flag (j, a[0]));
      gsize before = seen->n;

      lm_jinja_put (j, seen, key, j_none ());
      if (seen->n > before)
        lm_jinja_append (j, out, items->v[i]);
    }
  return out;
}

static JValue
extreme (Jinja *j, JValue v, JArgs *args, const char *what, gboolean max)
{
  const JValue missing = { .kind = J_MISSING };
  JValue a[2], best = missing, best_key = missing;
  JList *items = lm_jinja_items (j, v);

  lm_jinja_bind (j, what, args, "case_sensitive attribute", 0, a);
  for (gsize i = 0; i < items->n; i++)
    {
      JValue key = fold (j, get_path (j, items->v[i], a[1], missing), flag (j, a[0]));

      if (i == 0 || (max ? lm_jinja_less (j, best_key, key, ">") : lm_jinja_less (j, key, best_key, "<")))
        {
          best = items->v[i];
          best_key = key;
        }
    }
  return items->n > 0 ? best : lm_jinja_undefined_hint (j, "No aggregated item, sequence was empty.");
}

static JValue
filter_min (Jinja *j, JValue v, JArgs *args)
{
  return extreme (j, v, args, "min", FALSE);
}
static JValue
filter_max (Jinja *j, JValue v, JArgs *args)
{
  return extreme (j, v, args, "max", TRUE);
}

static JValue
filter_sum (Jinja *j, JValue v, JArgs *args)
{
  const JValue missing = { .kind = J_MISSING };
  JList *items = lm_jinja_items (j, v);
  JValue a[2], sum;

  lm_jinja_bind (j, "sum", args, "attribute start", 0, a);
  sum = or_default (a[1], j_int (0));
  if (sum.kind == J_STR)
    lm_jinja_fail (j, "sum() can't sum strings [use ''.join(seq) instead]");
  for (gsize i = 0; i < items->n; i++)
    {
      lm_jinja_step (j, 1);
      sum = lm_jinja_binary (j, OP_ADD, sum, get_path (j, items->v[i], a[0], missing));
    }
  return sum;
}

static JValue
make_batch (Jinja *j, JValue v, JArgs *args)
{
  JValue a[2], out = lm_jinja_list (j, J_ITER, 0), row = { .kind = J_MISSING };
  JList *items = lm_jinja_items (j, v);
  gint64 n;

  lm_jinja_bind (j, "batch", args, "linecount fill_with", 1, a);
  if (items->n == 0)
    return out;
  n = lm_jinja_need_int (j, a[0], "linecount");
  if (n < 1)
    lm_jinja_fail (j, "the filter 'batch' with %" G_GINT64_FORMAT " a line is not supported", n);
  for (gsize i = 0; i < items->n; i++)
    {
      lm_jinja_step (j, 1);
      if (i % (guint64) n == 0)
        lm_jinja_append (j, out, row = lm_jinja_list (j, J_LIST, 0));
      lm_jinja_append (j, row, items->v[i]);
    }
  while (row.kind == J_LIST && a[1].kind != J_MISSING && a[1].kind != J_NONE && (gint64) row.list->n < n)
    {
      lm_jinja_step (j, 1);
      lm_jinja_append (j, row, a[1]);
    }
  return out;
}

static JValue
make_slice (Jinja *j, JValue v, JArgs *args)
{
  JValue a[2], out = lm_jinja_list (j, J_ITER, 0);
  JList *items = lm_jinja_items (j, v);
  gint64 n, each, longer, at = 0;

  lm_jinja_bind (j, "slice", args, "slices fill_with", 1, a);
  n = lm_jinja_need_int (j, a[0], "slices");
  if (n < 1 || n > 100000)
    lm_jinja_fail (j, "the filter 'slice' with %" G_GINT64_FORMAT " slices is not supported", n);
  each = (gint64) items->n / n;
  longer = (gint64) items->n % n;
  for (gint64 i = 0; i < n; i++)
    {
      JValue part = lm_jinja_list (j, J_LIST, 0);
      gint64 end = at + each + (i < longer);

      lm_jinja_step (j, 1);
      for (; at < end; at++)
        lm_jinja_append (j, part, items->v[at]);
      if (a[1].kind != J_MISSING && a[1].kind != J_NONE && i >= longer)
        lm_jinja_append (j, part, a[1]);
      lm_jinja_append (j, out, part);
    }
  return out;
}

static JValue
filter_default (Jinja *j, JValue v, JArgs *args)
{
  JValue a[2];

  lm_jinja_bind (j, "default", args, "default_value boolean", 0, a);
  if (v.kind == J_UNDEFINED || (flag (j, a[1]) && !lm_jinja_truth (j, v)))
    return or_default (a[0], lm_jinja_str_static (j, "", 0));
  return v;
}

static JValue
filter_attr (Jinja *j, JValue v, JArgs *args)
{
  gboolean refused = FALSE;
  JStr *name;
  JValue a[1];

  lm_jinja_bind (j, "attr", args, "name", 1, a);
  name = lm_jinja_need_str (j, a[0], "an attribute's name");
  if (v.kind == J_DICT && lm_jinja_method (J_DICT, name->s, name->len, &refused) == NULL && !refused)
    return lm_jinja_undefined (j, name->s, v.kind);
  return lm_jinja_getattr (j, v, name->s, name->len);
}

/* ---- map, select, reject -------------------------------------------------------------------------- */

static const JFunc *
find_func (Jinja *j, JValue name, gboolean is_test)
{
  const char *text = lm_jinja_need_str (j, name, is_test ? "a test's name" : "a filter's name")->s;
  const JFunc *func;

  /* The text may be part of a longer one. */
  text = lm_jinja_str (j, text, (gssize) name.str->len).str->s;
  func = (is_test ? lm_jinja_test : lm_jinja_filter) (text);
  if (func == NULL)
    lm_jinja_fail (j, "No %s named '%s'", is_test ? "test" : "filter", text);
  if (func->call == NULL)
    lm_jinja_fail (j, "the %s '%s' is not supported", is_test ? "test" : "filter", text);
  return func;
}

static JArgs
rest_of (const JArgs *args, gsize from)
{
  JArgs rest = *args;

  from = MIN (from, args->n);
  rest.v += from;
  rest.n -= from;
  return rest;
}

static JValue
make_map (Jinja *j, JValue v, JArgs *args)
{
  JValue out = lm_jinja_list (j, J_ITER, 0), a[2] = { { .kind = J_MISSING }, { .kind = J_MISSING } };
  const JFunc *func = NULL;
  JArgs rest = { 0 };
  JList *items;

  if (v.kind != J_ITER && !lm_jinja_truth (j, v))
    return out;
  if (args->n == 0 && args->n_named > 0)
    lm_jinja_bind (j, "map", args, "attribute default", 0, a);
  else if (args->n == 0)
    lm_jinja_fail (j, "map requires a filter argument");
  else
    {
      func = find_func (j, args->v[0], FALSE);
      rest = rest_of (args, 1);
    }
  if (a[1].kind == J_NONE)
    a[1].kind = J_MISSING;
  items = lm_jinja_items (j, v);
  for (gsize i = 0; i < items->n; i++)
    {
      lm_jinja_step (j, 2);
      lm_jinja_append (j, out, func != NULL ? func->call (j, items->v[i], &rest) : get_path (j, items->v[i], a[0], a[1]));
    }
  return out;
}

static JValue
choose (Jinja *j, JValue v, JArgs *args, gboolean by_attribute, gboolean wanted)
{
  const JValue missing = { .kind = J_MISSING };
  JValue out = lm_jinja_list (j, J_ITER, 0);
  gsize off = by_attribute;
  const JFunc *func = NULL;
  JArgs rest;
  JList *items;

  if (v.kind != J_ITER && !lm_jinja_truth (j, v))
    return out;
  if (by_attribute && args->n == 0)
    lm_jinja_fail (j, "Missing parameter for attribute name");
  if (args->n > off)
    func = find_func (j, args->v[off], TRUE);
  rest = rest_of (args, off + 1);
  items = lm_jinja_items (j, v);
  for (gsize i = 0; i < items->n; i++)
    {
      JValue x = by_attribute ? get_path (j, items->v[i], args->v[0], missing) : items->v[i];

      lm_jinja_step (j, 2);
      if (lm_jinja_truth (j, func != NULL ? func->call (j, x, &rest) : x) == wanted)
        lm_jinja_append (j, out, items->v[i]);
    }
  return out;
}

static JValue
make_select (Jinja *j, JValue v, JArgs *args)
{
  return choose (j, v, args, FALSE, TRUE);
}
static JValue
make_reject (Jinja *j, JValue v, JArgs *args)
{
  return choose (j, v, args, FALSE, FALSE);
}
static JValue
make_selectattr (Jinja *j, JValue v, JArgs *args)
{
  return choose (j, v, args, TRUE, TRUE);
}
static JValue
make_rejectattr (Jinja *j, JValue v, JArgs *args)
{
  return choose (j, v, args, TRUE, FALSE);
}

/* Generators in Jinja: nothing happens, no error either, before an item is wanted. */
#define LAZY_FILTER(name)                                    \
  static JValue filter_##name (Jinja *j, JValue v, JArgs *a) \
  {                                                          \
    return lm_jinja_lazy (j, make_##name, v, a);             \
  }
LAZY_FILTER (items)
LAZY_FILTER (map)
LAZY_FILTER (reject)
LAZY_FILTER (rejectattr)
LAZY_FILTER (select)
LAZY_FILTER (selectattr)
LAZY_FILTER (unique)

static JValue
filter_batch (Jinja *j, JValue v, JArgs *args)
{
  JValue a[2];

  lm_jinja_bind (j, "batch", args, "linecount fill_with", 1, a);
  return lm_jinja_lazy (j, make_batch, v, args);
}

static JValue
filter_slice (Jinja *j, JValue v, JArgs *args)
{
  JValue a[2];

  lm_jinja_bind (j, "slice", args, "slices fill_with", 1, a);
  return lm_jinja_lazy (j, make_slice, v, args);
}

/* ---- tojson ------------------------------------------------------------------------------------------ */

static void
dump_separators (Jinja *j, JValue v, JDump *how)
{
  if (v.kind == J_MISSING || v.kind == J_NONE)
    return;
  if ((v.kind != J_LIST && v.kind != J_TUPLE) || v.list->n != 2)
    lm_jinja_fail (j, "tojson: separators must be two texts");
  how->item_separator = lm_jinja_need_str (j, v.list->v[0], "the first separator");
  how->key_separator = lm_jinja_need_str (j, v.list->v[1], "the second separator");
}

static JValue
filter_tojson (Jinja *j, JValue v, JArgs *args)
{
  JDump how = { 0 };
  JBuf buf = { 0 };
  JValue a[4];

  lm_jinja_bind (j, "tojson", args, "ensure_ascii indent separators sort_keys", 0, a);
  how.ensure_ascii = flag (j, a[0]);
  how.sort_keys = flag (j, a[3]);
  if (a[1].kind == J_STR)
    how.indent = a[1].str;
  else if (a[1].kind != J_MISSING && a[1].kind != J_NONE)
    how.indent = lm_jinja_binary (j, OP_MUL, lm_jinja_str_static (j, " ", 1),
                                  j_int (lm_jinja_need_int (j, a[1], "indent")))
                     .str;
  how.item_separator = lm_jinja_str_static (j, ", ", how.indent != NULL ? 1 : 2).str;
  how.key_separator = lm_jinja_str_static (j, ": ", 2).str;
  dump_separators (j, a[2], &how);
  lm_jinja_dump (j, &buf, v, &how, 0);
  return lm_jinja_buf_done (j, &buf);
}

/* ---- tests ---------------------------------------------------------------------------------------------- */

static JValue
other (Jinja *j, JArgs *args, const char *what)
{
  JValue a[1];

  lm_jinja_bind (j, what, args, "other", 1, a);
  return a[0];
}

#define KIND_TEST(name, condition)                         \
  static JValue test_##name (Jinja *j, JValue v, JArgs *a) \
  {                                                        \
    lm_jinja_bind (j, #name, a, "", 0, NULL);              \
    return j_bool (condition);                             \
  }
KIND_TEST (defined, v.kind != J_UNDEFINED)
KIND_TEST (undefined, v.kind == J_UNDEFINED)
KIND_TEST (none, v.kind == J_NONE)
KIND_TEST (boolean, v.kind == J_BOOL)
KIND_TEST (false, v.kind == J_BOOL && !v.i)
KIND_TEST (true, v.kind == J_BOOL && v.i)
KIND_TEST (integer, v.kind == J_INT)
KIND_TEST (float, v.kind == J_FLOAT)
KIND_TEST (number, j_is_number (v))
KIND_TEST (string, v.kind == J_STR)
KIND_TEST (mapping, v.kind == J_DICT)
KIND_TEST (sequence, v.kind == J_STR || v.kind == J_DICT || v.kind == J_UNDEFINED || j_is_sequence (v))
KIND_TEST (iterable, v.kind == J_STR || v.kind == J_DICT || v.kind == J_UNDEFINED || j_is_sequence (v)
                         || v.kind == J_VIEW || v.kind == J_ITER || v.kind == J_LOOP)
KIND_TEST (callable, v.kind == J_FUNC || v.kind == J_METHOD || v.kind == J_MACRO
                         || v.kind == J_UNDEFINED || v.kind == J_LOOP)
KIND_TEST (escaped, v.kind == J_STR && v.str->markup)

static JValue
test_lower (Jinja *j, JValue v, JArgs *args)
{
  return as_method (j, (JValue){ .kind = J_STR, .str = lm_jinja_to_str (j, v) }, "islower", args);
}
static JValue
test_upper (Jinja *j, JValue v, JArgs *args)
{
  return as_method (j, (JValue){ .kind = J_STR, .str = lm_jinja_to_str (j, v) }, "isupper", args);
}

static JValue
remainder_is (Jinja *j, JValue v, JValue by, gint64 wanted)
{
  return j_bool (lm_jinja_equal (j, lm_jinja_binary (j, OP_MOD, v, by), j_int (wanted)));
}

static JValue
test_odd (Jinja *j, JValue v, JArgs *args)
{
  lm_jinja_bind (j, "odd", args, "", 0, NULL);
  return remainder_is (j, v, j_int (2), 1);
}
static JValue
test_even (Jinja *j, JValue v, JArgs *args)
{
  lm_jinja_bind (j, "even", args, "", 0, NULL);
  return remainder_is (j, v, j_int (2), 0);
}
static JValue
test_divisibleby (Jinja *j, JValue v, JArgs *args)
{
  return remainder_is (j, v, other (j, args, "divisibleby"), 0);
}

static JValue
test_sameas (Jinja *j, JValue v, JArgs *args)
{
  JValue o = other (j, args, "sameas");

  if (v.kind != o.kind)
    return j_bool (FALSE);
  if (v.kind == J_NONE)
    return j_bool (TRUE);
  if (v.kind == J_BOOL)
    return j_bool (v.i == o.i);
  if (v.kind == J_INT || v.kind == J_FLOAT || v.kind == J_STR)
    lm_jinja_fail (j, "the test 'sameas' between two of type %s is not supported", lm_jinja_type (v));
  return j_bool (v.list == o.list);
}

static JValue
test_in (Jinja *j, JValue v, JArgs *args)
{
  return j_bool (lm_jinja_contains (j, other (j, args, "in"), v));
}

static void
need_hashable (Jinja *j, JValue v)
{
  JValue scratch = lm_jinja_dict (j, J_DICT, 1);

  lm_jinja_put (j, scratch.dict, v, j_none ());
}

static JValue
test_filter (Jinja *j, JValue v, JArgs *args)
{
  lm_jinja_bind (j, "filter", args, "", 0, NULL);
  need_hashable (j, v);
  return j_bool (v.kind == J_STR && lm_jinja_filter (lm_jinja_str (j, v.str->s, (gssize) v.str->len).str->s) != NULL);
}
static JValue
test_test (Jinja *j, JValue v, JArgs *args)
{
  lm_jinja_bind (j, "test", args, "", 0, NULL);
  need_hashable (j, v);
  return j_bool (v.kind == J_STR && lm_jinja_test (lm_jinja_str (j, v.str->s, (gssize) v.str->len).str->s) != NULL);
}

#define COMPARE_TEST(name, op)                                             \
  static JValue test_##name (Jinja *j, JValue v, JArgs *a)                 \
  {                                                                        \
    return j_bool (lm_jinja_compare (j, op, v, other (j, a, #name)));      \
  }
COMPARE_TEST (eq, OP_EQ)
COMPARE_TEST (ne, OP_NE)
COMPARE_TEST (lt, OP_LT)
COMPARE_TEST (le, OP_LE)
COMPARE_TEST (gt, OP_GT)
COMPARE_TEST (ge, OP_GE)

/* ---- globals ------------------------------------------------------------------------------------------------ */

static JValue
global_raise (Jinja *j, JValue self, JArgs *args)
{
  JValue a[1];
  JStr *text;

  (void) self;
  lm_jinja_bind (j, "raise_exception()", args, "message", 1, a);
  text = lm_jinja_to_str (j, a[0]);
  lm_jinja_fail_plain (j, text->s, text->len);
}

static JValue
global_strftime_now (Jinja *j, JValue self, JArgs *args)
{
  time_t now = time (NULL);
  JValue a[1], format;
  struct tm tm;
  gsize room;
  char *text;

  (void) self;
  lm_jinja_bind (j, "strftime_now()", args, "format", 1, a);
  format = lm_jinja_str (j, lm_jinja_need_str (j, a[0], "a format")->s, (gssize) a[0].str->len);
  if (format.str->len == 0)
    return format;
  localtime_r (&now, &tm);
  room = format.str->len * 64 + 64;
  text = lm_jinja_alloc (j, room);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  strftime (text, room, format.str->s, &tm);
#pragma GCC diagnostic pop
  if (!g_utf8_validate (text, -1, NULL))
    lm_jinja_fail (j, "strftime_now(): the date is not valid UTF-8");
  return lm_jinja_str (j, text, -1);
}

static JValue
global_range (Jinja *j, JValue self, JArgs *args)
{
  gint64 start = 0, stop, step = 1;
  JValue out;

  (void) self;
  if (args->n < 1 || args->n > 3 || args->n_named > 0)
    lm_jinja_fail (j, "range() takes one to three integers");
  stop = lm_jinja_need_int (j, args->v[args->n > 1], "range()'s end");
  if (args->n > 1)
    start = lm_jinja_need_int (j, args->v[0], "range()'s start");
  if (args->n > 2)
    step = lm_jinja_need_int (j, args->v[2], "range()'s step");
  if (step == 0)
    lm_jinja_fail (j, "range() arg 3 must not be zero");
  out = lm_jinja_list (j, J_RANGE, 0);
  out.list->range[0] = start;
  out.list->range[1] = stop;
  out.list->range[2] = step;
  while (step > 0 ? start < stop : start > stop)
    {
      lm_jinja_step (j, 1);
      if (out.list->n == 100000)
        lm_jinja_fail (j, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
      lm_jinja_append (j, out, j_int (start));
      if (__builtin_add_overflow (start, step, &start))
        break;
    }
  return out;
}

/* dict(): of another, of pairs, of keywords. */
static JValue
make_dict (Jinja *j, JArgs *args, JKind kind)
{
  JValue out = lm_jinja_dict (j, kind, args->n_named);
  JList *pairs;

  if (args->n == 1 && args->v[0].kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, args->v[0]);
  if (args->n > 1)
    lm_jinja_fail (j, "dict expected at most 1 argument, got %" G_GSIZE_FORMAT, args->n);
  if (args->n == 1 && args->v[0].kind == J_DICT)
    for (gsize i = 0; i < args->v[0].dict->n; i++)
      lm_jinja_put (j, out.dict, args->v[0].dict->keys[i], args->v[0].dict->values[i]);
  else if (args->n == 1)
    {
      pairs = lm_jinja_items (j, args->v[0]);
      for (gsize i = 0; i < pairs->n; i++)
        {
          JList *pair = lm_jinja_items (j, pairs->v[i]);

          if (pair->n != 2)
            lm_jinja_fail (j, "dictionary update sequence element #%" G_GSIZE_FORMAT " has length %" G_GSIZE_FORMAT "; 2 is required",
                           i, pair->n);
          lm_jinja_put (j, out.dict, pair->v[0], pair->v[1]);
        }
    }
  for (gsize i = 0; i < args->n_named; i++)
    lm_jinja_put (j, out.dict, (JValue){ .kind = J_STR, .str = args->names[i] }, args->named[i]);
  return out;
}

static JValue
global_dict (Jinja *j, JValue self, JArgs *args)
{
  (void) self;
  return make_dict (j, args, J_DICT);
}

static JValue
global_namespace (Jinja *j, JValue self, JArgs *args)
{
  (void) self;
  return make_dict (j, args, J_NAMESPACE);
}

/* ---- the tables -------------------------------------------------------------------------------------------------- */

static const JFunc filters[] = {
  { "abs", filter_abs },
  { "attr", filter_attr },
  { "batch", filter_batch },
  { "capitalize", filter_capitalize },
  { "center", filter_center },
  { "count", filter_length },
  { "d", filter_default },
  { "default", filter_default },
  { "dictsort", filter_dictsort },
  { "e", filter_escape },
  { "escape", filter_escape },
  { "filesizeformat", NULL },
  { "first", filter_first },
  { "float", filter_float },
  { "forceescape", filter_forceescape },
  { "format", filter_format },
  { "groupby", NULL },
  { "indent", filter_indent },
  { "int", filter_int },
  { "items", filter_items },
  { "join", filter_join },
  { "last", filter_last },
  { "length", filter_length },
  { "list", filter_list },
  { "lower", filter_lower },
  { "map", filter_map },
  { "max", filter_max },
  { "min", filter_min },
  { "pprint", NULL },
  { "random", NULL },
  { "reject", filter_reject },
  { "rejectattr", filter_rejectattr },
  { "replace", filter_replace },
  { "reverse", filter_reverse },
  { "round", filter_round },
  { "safe", filter_safe },
  { "select", filter_select },
  { "selectattr", filter_selectattr },
  { "slice", filter_slice },
  { "sort", filter_sort },
  { "string", filter_string },
  { "striptags", NULL },
  { "sum", filter_sum },
  { "title", filter_title },
  { "tojson", filter_tojson },
  { "trim", filter_trim },
  { "truncate", filter_truncate },
  { "unique", filter_unique },
  { "upper", filter_upper },
  { "urlencode", NULL },
  { "urlize", NULL },
  { "wordcount", filter_wordcount },
  { "wordwrap", NULL },
  { "xmlattr", NULL },
  { NULL, NULL },
};
static const JFunc tests[] = {
  { "!=", test_ne },
  { "<", test_lt },
  { "<=", test_le },
  { "==", test_eq },
  { ">", test_gt },
  { ">=", test_ge },
  { "boolean", test_boolean },
  { "callable", test_callable },
  { "defined", test_defined },
  { "divisibleby", test_divisibleby },
  { "eq", test_eq },
  { "equalto", test_eq },
  { "escaped", test_escaped },
  { "even", test_even },
  { "false", test_false },
  { "filter", test_filter },
  { "float", test_float },
  { "ge", test_ge },
  { "greaterthan", test_gt },
  { "gt", test_gt },
  { "in", test_in },
  { "integer", test_integer },
  { "iterable", test_iterable },
  { "le", test_le },
  { "lessthan", test_lt },
  { "lower", test_lower },
  { "lt", test_lt },
  { "mapping", test_mapping },
  { "ne", test_ne },
  { "none", test_none },
  { "number", test_number },
  { "odd", test_odd },
  { "sameas", test_sameas },
  { "sequence", test_sequence },
  { "string", test_string },
  { "test", test_test },
  { "true", test_true },
  { "undefined", test_undefined },
  { "upper", test_upper },
  { NULL, NULL },
};
static const JFunc globals[] = {
  { "cycler", NULL },
  { "dict", global_dict },
  { "joiner", NULL },
  { "lipsum", NULL },
  { "namespace", global_namespace },
  { "raise_exception", global_raise },
  { "range", global_range },
  { "strftime_now", global_strftime_now },
  { NULL, NULL },
};

static const JFunc *
find (const JFunc *table, const char *name)
{
  for (; table->name != NULL; table++)
    if (strcmp (table->name, name) == 0)
      return table;
  return NULL;
}

const JFunc *
lm_jinja_filter (const char *name)
{
  return find (filters, name);
}

const JFunc *
lm_jinja_test (const char *name)
{
  return find (tests, name);
}

const JFunc *
lm_jinja_global (const char *name)
{
  return find (globals, name);
}
