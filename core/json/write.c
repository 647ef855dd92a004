/* SPDX-License-Identifier: Apache-2.0 */
/* write.c: strings, numbers and trees as JSON text.
 *
 * Text stays as it is but for what RFC 8259 demands: quotation mark, reverse
 * solidus and control characters.  Numbers are written in the fewest digits
 * that read back equal: no decimal point for whole numbers, an exponent
 * outside 1e-5 ... 1e17.  Nothing here depends on the locale.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "json/json-private.h"

/* ---- strings ------------------------------------------------------------- */

static inline gboolean
needs_escape (guchar c)
{
  return c < 0x20 || c == '"' || c == '\\';
}

static inline char *
write_escape (char *out, guchar c)
{
  static const char names[] = "btn.fr"; /* from U+0008 on; U+000B has none */
  static const char hex[] = "0123456789abcdef";

  *out++ = '\\';
  if (c == '"' || c == '\\')
    *out++ = (char) c;
  else if (c >= 8 && c <= 13 && c != 11)
    *out++ = names[c - 8];
  else
    {
      memcpy (out, "u00", 3);
      out[3] = hex[c >> 4];
      out[4] = hex[c & 15];
      out += 5;
    }
  return out;
}

/* Copies from @p until something needs an escape or the end; returns where
 * that is.  *@out moves along; it has room for all of the rest and 16 more. */
static inline const char *
copy_plain (const char *p, const char *end, char **out)
{
  char *o = *out;

#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8 ('"'), slash = _mm_set1_epi8 ('\\'),
                control = _mm_set1_epi8 (0x1f);

  while (end - p >= 16)
    {
      __m128i v = _mm_loadu_si128 ((const __m128i *) p);
      __m128i hit
          = _mm_or_si128 (_mm_or_si128 (_mm_cmpeq_epi8 (v, quote), _mm_cmpeq_epi8 (v, slash)),
                          _mm_cmpeq_epi8 (_mm_min_epu8 (v, control), v));
      guint hits = (guint) _mm_movemask_epi8 (hit);

      _mm_storeu_si128 ((__m128i *) o, v);
      if (hits != 0)
        {
          *out = o + __builtin_ctz (hits);
          return p + __builtin_ctz (hits);
        }
      p += 16;
      o += 16;
    }
#endif
  while (p < end && !needs_escape ((guchar) *p))
    *o++ = *p++;
  *out = o;
  return p;
}

void
fr_json_append_string (GString *out, const char *text, gsize len)
{
  const char *p = text, *end = text + len;
  char *o = fri_string_room (out, len + 32);

  *o++ = '"';
  while (p < end)
    {
      p = copy_plain (p, end, &o);
      if (p == end)
        break;
      o = write_escape (o, (guchar) *p++);
      out->len = (gsize) (o - out->str);
      o = fri_string_room (out, (gsize) (end - p) + 32);
    }
  *o++ = '"';
  out->len = (gsize) (o - out->str);
  fri_string_end (out);
}

/* ---- numbers ------------------------------------------------------------- */

/* The decimal digits of @value, ending at @end; returns where they begin. */
static char *
digits_of (guint64 value, char *end)
{
  static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233"
                              "34353637383940414243444546474849505152535455565758596061626364656667"
                              "6869707172737475767778798081828384858687888990919293949596979899";

  while (value >= 100)
    {
      end -= 2;
      memcpy (end, pairs + value % 100 * 2, 2);
      value /= 100;
    }
  if (value < 10)
    *--end = (char) ('0' + value);
  else
    {
      end -= 2;
      memcpy (end, pairs + value * 2, 2);
    }
  return end;
}

void
fri_json_append_int (GString *out, gint64 value)
{
  char text[24], *end = text + sizeof text, *p;

  p = digits_of (value < 0 ? 0 - (guint64) value : (guint64) value, end);
  if (value < 0)
    *--p = '-';
  memcpy (fri_string_room (out, sizeof text), p, (gsize) (end - p));
  out->len += (gsize) (end - p);
  fri_string_end (out);
}

/* digits * 10^exponent in its shortest form. */
static void
append_decimal (GString *out, gboolean minus, guint64 mantissa, int exponent)
{
  char text[24], *end = text + sizeof text, *p;
  int n, point;

  while (mantissa != 0 && mantissa % 10 == 0)
    {
      mantissa /= 10;
      exponent++;
    }
  p = digits_of (mantissa, end);
  n = (int) (end - p);
  point = n + exponent; /* digits before the decimal point */
  if (minus)
    g_string_append_c (out, '-');
  if (point > 17 || point < -4)
    {
      g_string_append_c (out, *p);
      if (n > 1)
        {
          g_string_append_c (out, '.');
          g_string_append_len (out, p + 1, n - 1);
        }
      g_string_append_c (out, 'e');
      fri_json_append_int (out, point - 1);
    }
  else if (point <= 0)
    {
      g_string_append_len (out, "0.00000", 2 - point);
      g_string_append_len (out, p, n);
    }
  else if (exponent < 0)
    {
      g_string_append_len (out, p, point);
      g_string_append_c (out, '.');
      g_string_append_len (out, p + point, n - point);
    }
  else
    {
      g_string_append_len (out, p, n);
      g_string_append_len (out, "00000000000000000", exponent);
    }
}

static gboolean
same (double decimal, double value, gboolean single)
{
  return single ? (float) decimal == (float) value : decimal == value;
}

/* Most numbers that people write have few decimals: the smallest k for which
 * n / 10^k gives the value back.  n and 10^k are exact, so the division is the
 * very rounding that a reader does. */
static gboolean
append_short (GString *out, double value, gboolean minus, gboolean single)
{
  static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };
  static const double limit = 9007199254740992.0; /* 2^53 */

  for (guint k = 0; k < G_N_ELEMENTS (powers); k++)
    {
      double n = rint (value * powers[k]);

      if (n >= limit)
        return FALSE;
      if (n > 0 && same (n / powers[k], value, single))
        {
          append_decimal (out, minus, (guint64) n, -(int) k);
          return TRUE;
        }
    }
  return FALSE;
}

/* "d.ddde±xx" as printf gives it, to digits and exponent. */
static guint64
split (const char *text, int *exponent)
{
  guint64 mantissa = 0;
  int fraction = 0;
  gboolean after = FALSE;

  for (; *text != 'e'; text++)
    if (g_ascii_isdigit (*text))
      {
        mantissa = mantissa * 10 + (guint64) (*text - '0');
        fraction += after;
      }
    else
      after = TRUE; /* whatever the locale's decimal point is */
  *exponent = atoi (text + 1) - fraction;
  return mantissa;
}

static double
joined (guint64 mantissa, int exponent)
{
  char text[48];

  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT "e%d", mantissa, exponent);
  return g_ascii_strtod (text, NULL);
}

/* Any finite value above 0: as few digits as will do.  A double needs 15 to 17
 * (fewer below its normal range), a float 6 to 9; with one digit fewer than the
 * most, the neighbours are tried too, since at powers of two the nearest
 * decimal may not be the one that reads back. */
static void
append_any (GString *out, double value, gboolean minus, gboolean single)
{
  int most = single ? 9 : 17;
  int least
      = value < (single ? 1.17549435e-38 : 2.2250738585072014e-308) ? 1 : most - (single ? 3 : 2);
  guint64 mantissa = 0;
  int exponent = 0;

  for (int n = least; n <= most; n++)
    {
      char text[40];

      g_snprintf (text, sizeof text, "%.*e", n - 1, value);
      mantissa = split (text, &exponent);
      if (n == most || same (joined (mantissa, exponent), value, single))
        break;
      if (n == most - 1 && same (joined (mantissa + 1, exponent), value, single))
        {
          mantissa++;
          break;
        }
    }
  append_decimal (out, minus, mantissa, exponent);
}

static void
append_number (GString *out, double value, gboolean single)
{
  gboolean minus = signbit (value) != 0;

  if (!isfinite (value))
    g_string_append_len (out, "null", 4);
  else if (value == 0)
    g_string_append (out, minus ? "-0.0" : "0");
  else if (!append_short (out, fabs (value), minus, single))
    append_any (out, fabs (value), minus, single);
}

void
fr_json_append_double (GString *out, double value)
{
  append_number (out, value, FALSE);
}

void
fri_json_append_float (GString *out, float value)
{
  append_number (out, (double) value, TRUE);
}

/* ---- trees --------------------------------------------------------------- */

static void append_node (GString *out, JsonNode *node, guint indent, guint level);

static void
new_line (GString *out, guint indent, guint level)
{
  if (indent == 0)
    return;
  g_string_append_c (out, '\n');
  for (guint i = 0; i < indent * level; i++)
    g_string_append_c (out, ' ');
}

static void
append_object (GString *out, JsonObject *object, guint indent, guint level)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *member;
  gboolean first = TRUE;

  g_string_append_c (out, '{');
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &key, &member))
    {
      if (!first)
        g_string_append_c (out, ',');
      first = FALSE;
      new_line (out, indent, level + 1);
      fr_json_append_string (out, key, strlen (key));
      g_string_append (out, indent > 0 ? ": " : ":");
      append_node (out, member, indent, level + 1);
    }
  if (!first)
    new_line (out, indent, level);
  g_string_append_c (out, '}');
}

static void
append_array (GString *out, JsonArray *array, guint indent, guint level)
{
  guint n = json_array_get_length (array);

  g_string_append_c (out, '[');
  for (guint i = 0; i < n; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      new_line (out, indent, level + 1);
      append_node (out, json_array_get_element (array, i), indent, level + 1);
    }
  if (n > 0)
    new_line (out, indent, level);
  g_string_append_c (out, ']');
}

static void
append_scalar (GString *out, JsonNode *node)
{
  GType type = json_node_get_value_type (node);
  const char *text;

  if (type == G_TYPE_STRING)
    {
      text = json_node_get_string (node);
      fr_json_append_string (out, text, strlen (text));
    }
  else if (type == G_TYPE_BOOLEAN)
    g_string_append (out, json_node_get_boolean (node) ? "true" : "false");
  else if (type == G_TYPE_INT64)
    fri_json_append_int (out, json_node_get_int (node));
  else
    fr_json_append_double (out, json_node_get_double (node));
}

static void
append_node (GString *out, JsonNode *node, guint indent, guint level)
{
  switch (json_node_get_node_type (node))
    {
    case JSON_NODE_OBJECT:
      append_object (out, json_node_get_object (node), indent, level);
      break;
    case JSON_NODE_ARRAY:
      append_array (out, json_node_get_array (node), indent, level);
      break;
    case JSON_NODE_VALUE:
      append_scalar (out, node);
      break;
    default:
      g_string_append_len (out, "null", 4);
      break;
    }
}

char *
fr_json_to_string (JsonNode *node, guint indent)
{
  GString *out = g_string_new (NULL);

  append_node (out, node, indent, 0);
  return g_string_free (out, FALSE);
}
