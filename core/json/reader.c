/* SPDX-License-Identifier: Apache-2.0 */
/* reader.c: JSON tokens, pulled from memory.
 *
 * RFC 8259 to the letter, and what it leaves open decided for strictness: a
 * number beyond a double's range, a lone surrogate and invalid UTF-8 are
 * errors.  Strings without escapes are handed out where they stand; the
 * reader's scratch memory is only for the others.  Building trees is tree.c's
 * work, filling columns cell.c's.
 */
#include "config.h"

#include <float.h>
#include <math.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "json/json-private.h"

/* reader.state: what may come next. */
enum
{
  WANT_VALUE,        /* at the start, after a key, after a comma in an array */
  WANT_FIRST_VALUE,  /* after [ */
  WANT_FIRST_KEY,    /* after { */
  WANT_KEY,          /* after a comma in an object */
  WANT_COMMA_OR_END, /* after a value within another */
  WANT_NOTHING,      /* after the whole value */
  WANT_STOP,         /* an error was found */
  WANT_START         /* nothing read yet */
};

const char fri_json_trailing_comma[] = "expected another value: nothing follows this comma";
const char fri_json_double_comma[] = "expected a value: there are two commas";
const char fri_json_missing_comma_object[] = "expected a comma or '}'";
const char fri_json_missing_comma_array[] = "expected a comma or ']'";

void
fr_json_reader_init (FrJsonReader *reader, const char *text, gsize len, guint flags)
{
  memset (reader, 0, sizeof *reader);
  reader->flags = flags;
  fr_json_reader_reset (reader, text, len);
}

void
fr_json_reader_reset (FrJsonReader *reader, const char *text, gsize len)
{
  if (len >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0)
    {
      text += 3;
      len -= 3;
    }
  reader->text = reader->pos = reader->start = text;
  reader->end = text + len;
  reader->depth = 0;
  reader->state = WANT_START;
  reader->fault = NULL;
}

void
fr_json_reader_clear (FrJsonReader *reader)
{
  if (reader->scratch != NULL)
    g_string_free (reader->scratch, TRUE);
  reader->scratch = NULL;
}

static FrJsonToken
fault_at (FrJsonReader *reader, const char *at, const char *fault)
{
  reader->pos = reader->start = at;
  reader->fault = fault;
  reader->state = WANT_STOP;
  return FR_JSON_ERROR;
}

/* ---- blanks and comments ------------------------------------------------- */

static inline gboolean
is_blank (char c)
{
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Past one comment at @p, or NULL with the fault set. */
static const char *
skip_comment (FrJsonReader *reader, const char *p)
{
  const char *start = p, *stop, *end = reader->end;
  gsize valid;

  if (end - p >= 2 && p[1] == '/')
    {
      stop = memchr (p, '\n', (gsize) (end - p));
      stop = stop != NULL ? stop + 1 : end;
    }
  else if (end - p >= 2 && p[1] == '*')
    {
      for (stop = p + 2;; stop++)
        {
          stop = stop < end ? memchr (stop, '*', (gsize) (end - stop)) : NULL;
          if (stop == NULL || stop + 1 >= end)
            {
              fault_at (reader, start, "this comment has no end; expected '*/'");
              return NULL;
            }
          if (stop[1] == '/')
            break;
        }
      stop += 2;
    }
  else
    {
      fault_at (reader, p, "expected '//' or '/*'");
      return NULL;
    }
  valid = fri_utf8_valid (start, (gsize) (stop - start));
  if (start + valid != stop)
    {
      fault_at (reader, start + valid, "this is not valid UTF-8");
      return NULL;
    }
  if (memchr (start, '\0', valid) != NULL)
    {
      fault_at (reader, memchr (start, '\0', valid), "a zero byte stands in this comment");
      return NULL;
    }
  return stop;
}

static G_GNUC_NO_INLINE const char *
skip_blanks_slowly (FrJsonReader *reader, const char *p)
{
  for (;;)
    {
      while (p < reader->end && is_blank (*p))
        p++;
      if (p == reader->end || *p != '/' || !(reader->flags & FR_JSON_COMMENTS))
        return p;
      p = skip_comment (reader, p);
      if (p == NULL)
        return NULL;
    }
}

/* Past blanks (and comments); NULL after a fault.  Most tokens have no blank
 * or one before them. */
static inline const char *
skip_blanks (FrJsonReader *reader, const char *p)
{
  if (G_LIKELY (p < reader->end && (guchar) *p > ' ' && *p != '/'))
    return p;
  if (G_LIKELY (reader->end - p >= 2 && *p == ' ' && (guchar) p[1] > ' ' && p[1] != '/'))
    return p + 1;
  return skip_blanks_slowly (reader, p);
}

/* ---- strings ------------------------------------------------------------- */

/* The first of '"', '\\' and control characters from @p on, or the end;
 * *high gets a bit set when a byte above 0x7f was passed. */
static inline const char *
scan_string (const char *p, const char *end, guint *high)
{
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8 ('"'), slash = _mm_set1_epi8 ('\\'),
                control = _mm_set1_epi8 (0x1f);

  while (end - p >= 16)
    {
      __m128i v = _mm_loadu_si128 ((const __m128i *) p);
      __m128i hit
          = _mm_or_si128 (_mm_or_si128 (_mm_cmpeq_epi8 (v, quote), _mm_cmpeq_epi8 (v, slash)),
                          _mm_cmpeq_epi8 (_mm_min_epu8 (v, control), v));
      guint hits = (guint) _mm_movemask_epi8 (hit), highs = (guint) _mm_movemask_epi8 (v);

      if (hits != 0)
        {
          *high |= highs & (hits ^ (hits - 1));
          return p + __builtin_ctz (hits);
        }
      *high |= highs;
      p += 16;
    }
#endif
  for (; p < end; p++)
    {
      guchar c = (guchar) *p;

      if (c == '"' || c == '\\' || c < 0x20)
        break;
      *high |= c & 0x80;
    }
  return p;
}

static int
hex4 (const char *p)
{
  int value = 0;

  for (int i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value (p[i]);

      if (digit < 0)
        return -1;
      value = value << 4 | digit;
    }
  return value;
}

/* The character of a \u escape whose backslash is at *@p; *@p moves past it
 * (and the second half of a pair).  -1 with the fault set. */
static gint64
unicode_escape (FrJsonReader *reader, const char **p)
{
  const char *at = *p;
  int high, low;

  high = reader->end - at >= 6 ? hex4 (at + 2) : -1;
  if (high < 0)
    return fault_at (reader, at, "expected four hexadecimal digits after '\\u'");
  *p = at + 6;
  if (high < 0xd800 || high > 0xdfff)
    return high;
  low = high < 0xdc00 && reader->end - at >= 12 && at[6] == '\\' && at[7] == 'u' ? hex4 (at + 8)
                                                                                 : -1;
  if (low < 0xdc00 || low > 0xdfff)
    return fault_at (reader, at,
                     "this is half of a surrogate pair; expected both halves, high before low");
  *p = at + 12;
  return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* One escape, from the backslash at *@p, to the scratch. */
static gboolean
unescape (FrJsonReader *reader, const char **p)
{
  static const char plain[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
  GString *out = reader->scratch;
  char c = reader->end - *p >= 2 ? (*p)[1] : '\0';
  gint64 u;

  if (c == 'u')
    {
      u = unicode_escape (reader, p);
      if (u < 0)
        return FALSE;
      fri_string_room (out, 6);
      out->len += (gsize) g_unichar_to_utf8 ((gunichar) u, out->str + out->len);
      return TRUE;
    }
  for (const char *pair = plain; *pair != '\0'; pair += 2)
    if (*pair == c)
      {
        *fri_string_room (out, 1) = pair[1];
        out->len++;
        *p += 2;
        return TRUE;
      }
  fault_at (reader, *p, "expected one of \" \\ / b f n r t u after '\\'");
  return FALSE;
}

static gboolean
valid_run (FrJsonReader *reader, const char *run, const char *end, guint high)
{
  gsize valid;

  if (G_LIKELY (high == 0) || (reader->flags & FR_JSON_UTF8))
    return TRUE;
  valid = fri_utf8_valid (run, (gsize) (end - run));
  if (G_LIKELY (run + valid == end))
    return TRUE;
  fault_at (reader, run + valid, "this is not valid UTF-8");
  return FALSE;
}

/* The rest of a string that has an escape at @stop; @p is where its text
 * begins. */
static G_GNUC_NO_INLINE gboolean
escaped_string (FrJsonReader *reader, const char *p, const char *stop)
{
  GString *out = reader->scratch;
  guint high = 0;

  if (out == NULL)
    out = reader->scratch = g_string_sized_new (1024);
  out->len = 0;
  for (;;)
    {
      gsize n = (gsize) (stop - p);

      memcpy (fri_string_room (out, n), p, n);
      out->len += n;
      if (stop == reader->end || *stop != '\\')
        break;
      p = stop;
      if (!unescape (reader, &p))
        return FALSE;
      high = 0;
      stop = scan_string (p, reader->end, &high);
      if (!valid_run (reader, p, stop, high))
        return FALSE;
    }
  fri_string_end (out);
  reader->str.data = out->str;
  reader->str.len = out->len;
  reader->pos = stop;
  return TRUE;
}

/* A string whose opening quote is at @p: to reader.str; reader.pos past it. */
static inline gboolean
string (FrJsonReader *reader, const char *p)
{
  guint high = 0;
  const char *stop = scan_string (++p, reader->end, &high);

  if (!valid_run (reader, p, stop, high))
    return FALSE;
  if (G_LIKELY (stop < reader->end && *stop == '"'))
    {
      reader->str.data = p;
      reader->str.len = (gsize) (stop - p);
      reader->pos = stop + 1;
      return TRUE;
    }
  if (stop < reader->end && *stop == '\\')
    {
      if (!escaped_string (reader, p, stop))
        return FALSE;
      stop = reader->pos;
    }
  if (stop == reader->end)
    fault_at (reader, reader->start, "this string has no end; expected '\"'");
  else if (*stop != '"')
    fault_at (reader, stop,
              *stop == '\n' || *stop == '\r'
                  ? "a line ends inside a string; expected '\"' before, or '\\n'"
                  : "a control character stands inside a string; write it as an escape");
  else
    {
      reader->pos = stop + 1;
      return TRUE;
    }
  return FALSE;
}

/* ---- numbers ------------------------------------------------------------- */

/* Digits as they were read: up to 19 of them in @mantissa, times ten to the
 * @exponent; @exact: none were left out. */
typedef struct
{
  guint64 mantissa;
  int exponent;
  guint digits;
  gboolean exact;
} Decimal;

#if LDBL_MANT_DIG == 64
/* mantissa * 10^exponent through an 80-bit float: both are exact in it, so the
 * product is off by at most half a unit of its 64 bits.  Rounding that to the
 * 53 bits of a double is right unless the cut-off bits lie next to a half;
 * returns FALSE then.  (W. D. Clinger, "How to read floating point numbers
 * accurately", 1990.) */
static gboolean
quick_double (const Decimal *d, double *value)
{
  static const long double powers[]
      = { 1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
          1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
          1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L };
  long double product = (long double) d->mantissa;
  guint64 bits;
  guint cut;

  if (!d->exact || d->exponent < -27 || d->exponent > 27)
    return FALSE;
  product = d->exponent < 0 ? product / powers[-d->exponent] : product * powers[d->exponent];
  memcpy (&bits, &product, sizeof bits);
  cut = bits & 0x7ff;
  if (cut >= 0x3ff && cut <= 0x401)
    return FALSE;
  *value = (double) product;
  return TRUE;
}
#else
static gboolean
quick_double (const Decimal *d, double *value)
{
  static const double powers[]
      = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
          1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

  if (!d->exact || d->exponent < -22 || d->exponent > 22 || d->mantissa >> 53 != 0)
    return FALSE;
  *value = d->exponent < 0 ? (double) d->mantissa / powers[-d->exponent]
                           : (double) d->mantissa * powers[d->exponent];
  return TRUE;
}
#endif

static double
slow_double (FrJsonReader *reader, const char *start, const char *end)
{
  char small[64];
  gsize n = (gsize) (end - start);

  if (n < sizeof small)
    {
      memcpy (small, start, n);
      small[n] = '\0';
      return g_ascii_strtod (small, NULL);
    }
  if (reader->scratch == NULL)
    reader->scratch = g_string_sized_new (1024);
  g_string_truncate (reader->scratch, 0);
  g_string_append_len (reader->scratch, start, (gssize) n);
  return g_ascii_strtod (reader->scratch->str, NULL);
}

static inline gboolean
is_digit (const char *p, const char *end)
{
  return p < end && (guchar) (*p - '0') < 10;
}

static const char *
digits (Decimal *d, const char *p, const char *end, gboolean fraction)
{
  for (; is_digit (p, end); p++)
    {
      if (d->digits >= 19)
        {
          d->exact = d->exact && *p == '0';
          d->exponent += !fraction;
          d->digits++;
          continue;
        }
      d->mantissa = d->mantissa * 10 + (guint) (*p - '0');
      d->digits += d->mantissa != 0;
      d->exponent -= fraction;
    }
  return p;
}

/* ".5e-3" at @p, if it is there; NULL with the fault set. */
static const char *
fraction_and_exponent (FrJsonReader *reader, Decimal *d, const char *p)
{
  const char *end = reader->end;
  gboolean minus;
  int exponent = 0;

  if (p < end && *p == '.')
    {
      if (!is_digit (++p, end))
        {
          fault_at (reader, p, "expected a digit after the decimal point");
          return NULL;
        }
      p = digits (d, p, end, TRUE);
    }
  if (p == end || (*p | 0x20) != 'e')
    return p;
  p++;
  minus = p < end && *p == '-';
  p += p < end && (*p == '-' || *p == '+');
  if (!is_digit (p, end))
    {
      fault_at (reader, p, "expected a digit in the exponent");
      return NULL;
    }
  for (; is_digit (p, end); p++)
    exponent = MIN (exponent * 10 + (*p - '0'), 1000000);
  d->exponent += minus ? -exponent : exponent;
  return p;
}

static FrJsonToken
number (FrJsonReader *reader, const char *start)
{
  const char *p = start, *end = reader->end, *whole_end;
  gboolean minus = *p == '-';
  Decimal d = { 0, 0, 0, TRUE };

  p += minus;
  if (!is_digit (p, end))
    return fault_at (reader, p, "expected a digit");
  if (*p == '0' && is_digit (p + 1, end))
    return fault_at (reader, p, "a number has no leading zeros");
  whole_end = p = digits (&d, p, end, FALSE);
  if (p < end && (*p == '.' || (*p | 0x20) == 'e'))
    {
      p = fraction_and_exponent (reader, &d, p);
      if (p == NULL)
        return FR_JSON_ERROR;
    }
  reader->pos = p;
  if (p == whole_end && d.digits <= 19 && d.mantissa <= (guint64) G_MAXINT64 + minus)
    {
      reader->integer = (gint64) (minus ? 0 - d.mantissa : d.mantissa);
      reader->number = (double) reader->integer;
      return FR_JSON_INT;
    }
  if (!quick_double (&d, &reader->number))
    reader->number = slow_double (reader, start + minus, p);
  if (!isfinite (reader->number))
    return fault_at (reader, start, "this number is beyond the range of a 64-bit float");
  if (minus)
    reader->number = -reader->number;
  return FR_JSON_FLOAT;
}

/* ---- tokens -------------------------------------------------------------- */

static inline gboolean
in_object (const FrJsonReader *reader)
{
  guint d = reader->depth - 1;

  return (reader->nesting[d >> 3] >> (d & 7)) & 1;
}

static FrJsonToken
open_value (FrJsonReader *reader, const char *p, gboolean object)
{
  guint d = reader->depth;

  if (d == FR_JSON_MAX_DEPTH)
    return fault_at (
        reader, p,
        "more than " G_STRINGIFY (FR_JSON_MAX_DEPTH) " values lie within each other here");
  reader->nesting[d >> 3]
      = (guint8) ((reader->nesting[d >> 3] & ~(1u << (d & 7))) | (guint) object << (d & 7));
  reader->depth++;
  reader->pos = p + 1;
  reader->state = object ? WANT_FIRST_KEY : WANT_FIRST_VALUE;
  return object ? FR_JSON_OBJECT : FR_JSON_ARRAY;
}

static inline void
value_done (FrJsonReader *reader)
{
  reader->state = reader->depth > 0 ? WANT_COMMA_OR_END : WANT_NOTHING;
}

static FrJsonToken
close_value (FrJsonReader *reader, const char *p)
{
  gboolean object = in_object (reader);

  reader->depth--;
  reader->pos = p + 1;
  value_done (reader);
  return object ? FR_JSON_OBJECT_END : FR_JSON_ARRAY_END;
}

static FrJsonToken
literal (FrJsonReader *reader, const char *p, const char *word, FrJsonToken token)
{
  gsize n = strlen (word);

  if ((gsize) (reader->end - p) < n || memcmp (p, word, n) != 0)
    return fault_at (
        reader, p,
        "expected a value: text in double quotes, a number, true, false, null, '{' or '['");
  reader->pos = p + n;
  value_done (reader);
  return token;
}

static inline FrJsonToken
value (FrJsonReader *reader, const char *p)
{
  FrJsonToken token;

  switch (*p)
    {
    case '"':
      if (!string (reader, p))
        return FR_JSON_ERROR;
      value_done (reader);
      return FR_JSON_STRING;
    case '{':
      return open_value (reader, p, TRUE);
    case '[':
      return open_value (reader, p, FALSE);
    case 't':
      return literal (reader, p, "true", FR_JSON_TRUE);
    case 'f':
      return literal (reader, p, "false", FR_JSON_FALSE);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
      token = number (reader, p);
      if (token != FR_JSON_ERROR)
        value_done (reader);
      return token;
    default:
      return literal (reader, p, "null", FR_JSON_NULL);
    }
}

static inline FrJsonToken
key (FrJsonReader *reader, const char *p)
{
  if (*p != '"')
    return fault_at (reader, p,
                     reader->state == WANT_FIRST_KEY ? "expected a key in double quotes or '}'"
                     : *p == '}'                     ? fri_json_trailing_comma
                                                     : "expected a key in double quotes");
  if (!string (reader, p))
    return FR_JSON_ERROR;
  p = skip_blanks (reader, reader->pos);
  if (p == NULL)
    return FR_JSON_ERROR;
  if (p == reader->end || *p != ':')
    return fault_at (reader, p, "expected ':' after the key");
  reader->pos = p + 1;
  reader->state = WANT_VALUE;
  return FR_JSON_KEY;
}

/* After a comma, or at a closing bracket. */
static inline FrJsonToken
comma_or_end (FrJsonReader *reader, const char *p)
{
  gboolean object = in_object (reader);

  if (*p == (object ? '}' : ']'))
    return close_value (reader, p);
  if (*p != ',')
    return fault_at (reader, p,
                     object ? fri_json_missing_comma_object : fri_json_missing_comma_array);
  reader->state = object ? WANT_KEY : WANT_VALUE;
  p = skip_blanks (reader, p + 1);
  if (p == NULL)
    return FR_JSON_ERROR;
  if (p == reader->end)
    return fault_at (reader, p, "the text ends too early");
  reader->start = p;
  if (G_UNLIKELY (*p == ','))
    return fault_at (reader, p, fri_json_double_comma);
  if (object)
    return key (reader, p);
  if (G_UNLIKELY (*p == ']'))
    return fault_at (reader, p, fri_json_trailing_comma);
  return value (reader, p);
}

static FrJsonToken
at_end (FrJsonReader *reader, const char *p)
{
  reader->pos = reader->start = p;
  if (reader->state == WANT_NOTHING)
    return FR_JSON_END;
  if (reader->state == WANT_START && (reader->flags & FR_JSON_MANY))
    return FR_JSON_END;
  return fault_at (reader, p,
                   reader->state == WANT_START ? "expected a value, but there is none"
                                               : "the text ends too early");
}

FrJsonToken
fr_json_reader_next (FrJsonReader *reader)
{
  const char *p;

  if (G_UNLIKELY (reader->state == WANT_STOP))
    return FR_JSON_ERROR;
  if (reader->state == WANT_NOTHING && (reader->flags & FR_JSON_MANY))
    return FR_JSON_END;
  p = skip_blanks (reader, reader->pos);
  if (G_UNLIKELY (p == NULL))
    return FR_JSON_ERROR;
  if (G_UNLIKELY (p == reader->end))
    return at_end (reader, p);
  reader->start = p;
  switch (reader->state)
    {
    case WANT_COMMA_OR_END:
      return comma_or_end (reader, p);
    case WANT_FIRST_KEY:
      return *p == '}' ? close_value (reader, p) : key (reader, p);
    case WANT_KEY:
      return key (reader, p);
    case WANT_FIRST_VALUE:
      return *p == ']' ? close_value (reader, p) : value (reader, p);
    case WANT_NOTHING:
      return fault_at (reader, p, "expected nothing more after the value");
    default:
      return value (reader, p);
    }
}

gboolean
fr_json_reader_leave (FrJsonReader *reader, guint depth)
{
  while (reader->depth > depth)
    if (fr_json_reader_next (reader) <= FR_JSON_END)
      return FALSE;
  return reader->state != WANT_STOP;
}

gboolean
fr_json_reader_skip (FrJsonReader *reader)
{
  guint depth = reader->depth;
  FrJsonToken token;

  switch (reader->state)
    {
    case WANT_FIRST_KEY:
    case WANT_FIRST_VALUE:
      return fr_json_reader_leave (reader, depth - 1);
    case WANT_VALUE:
      token = fr_json_reader_next (reader);
      return token > FR_JSON_END && fr_json_reader_leave (reader, depth);
    default:
      return reader->state != WANT_STOP;
    }
}

void
fri_json_reader_pass (FrJsonReader *reader)
{
  gboolean object = in_object (reader);

  if (reader->fault == fri_json_trailing_comma || reader->fault == fri_json_double_comma)
    reader->state = WANT_COMMA_OR_END;
  else
    reader->state = object ? WANT_KEY : WANT_VALUE;
  reader->fault = NULL;
}

/* ---- places and errors --------------------------------------------------- */

void
fri_json_walk (const char **from, const char *at, guint *line, guint *column)
{
  for (const char *p = *from; p < at; p++)
    if (*p == '\n')
      {
        ++*line;
        *column = 1;
      }
    else
      *column += ((guchar) *p & 0xc0) != 0x80;
  *from = at;
}

void
fr_json_reader_where (const FrJsonReader *reader, const char *at, guint *line, guint *column)
{
  const char *from = reader->text;

  *line = *column = 1;
  fri_json_walk (&from, at, line, column);
}

gboolean
fr_json_reader_error (const FrJsonReader *reader, GError **error)
{
  guint line, column;

  fr_json_reader_where (reader, reader->pos, &line, &column);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "line %u, column %u: %s", line, column,
               reader->fault ? reader->fault : "this is not what was expected here");
  return FALSE;
}
