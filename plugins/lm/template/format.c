/* SPDX-License-Identifier: Apache-2.0 */
/* format.c: text % values, Python's printf: %s %r %d %i %f %e %g %x %o %c %% with flags, width and precision. */
#include "config.h"

#include "jinja-private.h"

#include <math.h>
#include <string.h>

typedef struct
{
  gboolean left, zero, plus, blank, alternate;
  gint64 width, precision; /* precision -1: none */
} Spec;

typedef struct
{
  Jinja *j;
  JValue args;
  gsize used;
} Source;

static JValue
next_value (Source *s)
{
  if (s->args.kind == J_TUPLE)
    {
      if (s->used == s->args.list->n)
        lm_jinja_fail (s->j, "not enough arguments for format string");
      return s->args.list->v[s->used++];
    }
  if (s->used++ > 0)
    lm_jinja_fail (s->j, "not enough arguments for format string");
  return s->args;
}

/* (name) at *@p, which stands on '('. */
static JValue
named_value (Source *s, const char **p, const char *end)
{
  const char *close = memchr (*p, ')', (gsize) (end - *p));
  const JValue *found;

  if (close == NULL)
    lm_jinja_fail (s->j, "incomplete format key");
  if (s->args.kind != J_DICT)
    lm_jinja_fail (s->j, "format requires a mapping");
  found = lm_jinja_get_str (s->j, s->args.dict, *p + 1, (gsize) (close - *p) - 1);
  if (found == NULL)
    lm_jinja_fail (s->j, "'%.*s'", (int) MIN (close - *p - 1, 80), *p + 1);
  *p = close + 1;
  return *found;
}

static gint64
read_number (Source *s, const char **p, const char *end)
{
  gint64 n = 0;

  if (*p < end && **p == '*')
    {
      (*p)++;
      return lm_jinja_need_int (s->j, next_value (s), "*");
    }
  for (; *p < end && g_ascii_isdigit (**p); (*p)++)
    if ((n = n * 10 + (**p - '0')) > 100000)
      lm_jinja_fail (s->j, "a width of more than 100000 is not supported");
  return n;
}

static void
read_flags (Spec *spec, const char **p, const char *end)
{
  for (; *p < end; (*p)++)
    if (**p == '-')
      spec->left = TRUE;
    else if (**p == '0')
      spec->zero = TRUE;
    else if (**p == '+')
      spec->plus = TRUE;
    else if (**p == ' ')
      spec->blank = TRUE;
    else if (**p == '#')
      spec->alternate = TRUE;
    else
      return;
}

static void
add_padded (Jinja *j, JBuf *buf, const Spec *spec, JValue text, gboolean number)
{
  const JStr *s = text.str;
  gsize sign = number && spec->zero && !spec->left && s->len > 0 && strchr ("+- ", *s->s) != NULL;
  gint64 missing = spec->width - (gint64) s->chars;
  gboolean zero = number && spec->zero && !spec->left;

  lm_jinja_buf_add (j, buf, s->s, sign);
  for (gint64 i = 0; !spec->left && i < missing; i++)
    lm_jinja_buf_add (j, buf, zero ? "0" : " ", 1);
  lm_jinja_buf_add (j, buf, s->s + sign, s->len - sign);
  for (gint64 i = 0; spec->left && i < missing; i++)
    lm_jinja_buf_add (j, buf, " ", 1);
}

static const char *
sign_of (const Spec *spec, gboolean negative)
{
  return negative ? "-" : spec->plus ? "+" : spec->blank ? " " : "";
}

static JValue
integer_text (Jinja *j, const Spec *spec, JValue v, char type)
{
  guint64 magnitude;
  char digits[32];

  if (v.kind == J_FLOAT && type == 'd' && isfinite (v.f) && fabs (v.f) < 9e18)
    v = j_int ((gint64) v.f);
  if (v.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, v);
  if (v.kind == J_FLOAT && type == 'd')
    lm_jinja_fail (j, "an integer of the size of %g is not supported", v.f);
  if (!j_is_int (v))
    lm_jinja_fail (j, "%%%c format: an integer is required, not %s", type, lm_jinja_type (v));
  if (spec->alternate || spec->precision > 20)
    lm_jinja_fail (j, "this format of an integer is not supported");
  magnitude = v.i < 0 ? -(guint64) v.i : (guint64) v.i;
  if (type == 'd')
    g_snprintf (digits, sizeof digits, "%" G_GUINT64_FORMAT, magnitude);
  else
    g_snprintf (digits, sizeof digits, type == 'x' ? "%" G_GINT64_MODIFIER "x" : type == 'X' ? "%" G_GINT64_MODIFIER "X" : "%" G_GINT64_MODIFIER "o",
                magnitude);
  return lm_jinja_printf (j, "%s%.*s%s", sign_of (spec, v.i < 0),
                          (int) MAX (0, spec->precision - (gint64) strlen (digits)),
                          "00000000000000000000", digits);
}

static JValue
float_text (Jinja *j, const Spec *spec, JValue v, char type)
{
  char format[16], text[512];
  double f;

  if (v.kind == J_UNDEFINED)
    lm_jinja_fail_undefined (j, v);
  if (!j_is_number (v))
    lm_jinja_fail (j, "must be real number, not %s", lm_jinja_type (v));
  if (spec->alternate || spec->precision > 100)
    lm_jinja_fail (j, "this format of a number is not supported");
  f = j_number (v);
  if (!isfinite (f))
    return lm_jinja_printf (j, "%s%s", isnan (f) ? sign_of (spec, FALSE) : sign_of (spec, f < 0),
                            isnan (f) ? "nan" : "inf");
  g_snprintf (format, sizeof format, "%%.%d%c", spec->precision < 0 ? 6 : (int) spec->precision, type);
  g_ascii_formatd (text, sizeof text, format, fabs (f));
  return lm_jinja_printf (j, "%s%s", sign_of (spec, signbit (f)), text);
}

static JValue
text_of (Jinja *j, const Spec *spec, JValue v, char type)
{
  JBuf buf = { 0 };
  JValue text;

  if (type == 's')
    lm_jinja_buf_str (j, &buf, v);
  else
    lm_jinja_buf_repr (j, &buf, v);
  text = lm_jinja_buf_done (j, &buf);
  if (spec->precision >= 0)
    text = lm_jinja_substr (j, text.str, 0, lm_jinja_offset (text.str, (gsize) spec->precision));
  return text;
}

static void
add_value (Jinja *j, JBuf *buf, const Spec *spec, JValue v, char type)
{
  switch (type)
    {
    case 's':
    case 'r':
      add_padded (j, buf, spec, text_of (j, spec, v, type), FALSE);
      return;
    case 'd':
    case 'i':
    case 'u':
      add_padded (j, buf, spec, integer_text (j, spec, v, 'd'), TRUE);
      return;
    case 'x':
    case 'X':
    case 'o':
      add_padded (j, buf, spec, integer_text (j, spec, v, type), TRUE);
      return;
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
      add_padded (j, buf, spec, float_text (j, spec, v, type == 'F' ? 'f' : type), TRUE);
      return;
    case 'c':
      if (v.kind != J_STR || v.str->chars != 1)
        lm_jinja_fail (j, "%%c needs one character");
      add_padded (j, buf, spec, v, FALSE);
      return;
    default:
      lm_jinja_fail (j, "unsupported format character '%c'", g_ascii_isprint (type) ? type : '?');
    }
}

JValue
lm_jinja_format (Jinja *j, const JStr *format, JValue args)
{
  const char *p = format->s, *end = p + format->len;
  Source source = { j, args, 0 };
  JBuf buf = { 0 };

  if (format->markup)
    lm_jinja_fail (j, "formatting a text marked safe is not supported");
  while (p < end)
    {
      Spec spec = { .precision = -1 };
      const char *percent = memchr (p, '%', (gsize) (end - p));
      JValue v = { .kind = J_MISSING };

      lm_jinja_step (j, 1);
      lm_jinja_buf_add (j, &buf, p, (gsize) ((percent != NULL ? percent : end) - p));
      if (percent == NULL)
        break;
      p = percent + 1;
      if (p < end && *p == '(')
        v = named_value (&source, &p, end);
      read_flags (&spec, &p, end);
      spec.width = read_number (&source, &p, end);
      if (spec.width < 0)
        {
          spec.left = TRUE;
          spec.width = -spec.width;
        }
      if (p < end && *p == '.')
        {
          p++;
          spec.precision = MAX (0, read_number (&source, &p, end));
        }
      while (p < end && strchr ("hlL", *p) != NULL && *p != '\0')
        p++;
      if (p == end)
        lm_jinja_fail (j, "incomplete format");
      if (*p == '%')
        lm_jinja_buf_add (j, &buf, "%", 1);
      else
        add_value (j, &buf, &spec, v.kind == J_MISSING ? next_value (&source) : v, *p);
      p++;
    }
  /* What has items by key may go unused: it could be meant for %(name)s. */
  if (args.kind == J_TUPLE ? source.used < args.list->n
                           : args.kind != J_DICT && args.kind != J_LIST && args.kind != J_RANGE
                                 && args.kind != J_UNDEFINED && source.used == 0)
    lm_jinja_fail (j, "not all arguments converted during string formatting");
  return lm_jinja_buf_done (j, &buf);
}
