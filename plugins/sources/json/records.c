/* SPDX-License-Identifier: Apache-2.0 */
/* records.c: a JSON text cut into its records (records.h).
 *
 * JSON Lines needs a search for newlines and nothing else.  The other layouts
 * need brackets matched and strings passed over, which a table and memchr do
 * without looking at values.  A record that lies in one block is handed out
 * where it stands; only one that crosses a border is copied.
 */
#include "records.h"

#include <flowrun/error.h>
#include <flowrun/json.h>
#include <string.h>

#define HEAD 65536 /* what the layout is guessed from, at most */
#define SHOW 65536 /* kept of a record that is too long */

typedef enum
{
  AT_START,
  AT_FIRST,
  AT_NEXT,
  AT_END
} Where;

struct _Records
{
  RecordsRead read;
  gpointer data;
  RecordsFormat given, format;
  char **path; /* the pointer's tokens; NULL: the whole text */
  gsize max_row;
  GString *head;
  gboolean started, eof;
  Where where;
  const char *p, *end;
  /* position */
  const char *counted;
  guint64 line, column;
  /* the record */
  const char *from; /* in this block; NULL: nothing is being kept */
  GString *kept;    /* what came from earlier blocks */
  gboolean crossed, too_long;
  GError *error;
};

static void
count (Records *r)
{
  const char *last = NULL;

  for (const char *q = r->counted; q < r->p; q++)
    {
      const char *newline = memchr (q, '\n', (gsize) (r->p - q));

      if (newline == NULL)
        break;
      r->line++;
      last = q = newline;
    }
  if (last)
    r->column = 1;
  for (const char *q = last ? last + 1 : r->counted; q < r->p; q++)
    r->column += ((guchar) *q & 0xc0) != 0x80;
  r->counted = r->p;
}

static void
keep (Records *r)
{
  gsize len = (gsize) (r->p - r->from);
  gsize room = r->max_row > r->kept->len ? r->max_row - r->kept->len : 0;

  r->crossed = TRUE;
  if (len > room)
    {
      r->too_long = TRUE;
      len = r->kept->len < SHOW ? MIN (len, SHOW - r->kept->len) : 0;
      if (r->kept->len > SHOW)
        g_string_truncate (r->kept, SHOW);
    }
  if (!r->too_long || r->kept->len + len <= SHOW)
    g_string_append_len (r->kept, r->from, (gssize) len);
}

/* The first blocks as one, or the layout could not be told from a trickle. */
static gboolean
read_head (Records *r, const char **block, gsize *len)
{
  g_string_truncate (r->head, 0);
  while (r->head->len < HEAD && r->read (r->data, block, len, &r->error) && *len > 0)
    {
      if (r->head->len == 0 && *len >= HEAD)
        return TRUE;
      g_string_append_len (r->head, *block, (gssize) *len);
    }
  *block = r->head->str;
  *len = r->head->len;
  return r->error == NULL;
}

static gboolean
refill (Records *r)
{
  const char *block = NULL;
  gsize len = 0;
  gboolean ok;

  if (r->eof)
    return FALSE;
  r->p = r->end;
  if (r->format != RECORDS_LINES)
    count (r);
  if (r->from)
    keep (r);
  ok = r->started ? r->read (r->data, &block, &len, &r->error) : read_head (r, &block, &len);
  r->started = TRUE;
  if (!ok || len == 0)
    {
      r->eof = TRUE;
      r->from = r->from ? r->end : NULL;
      return FALSE;
    }
  r->p = r->counted = block;
  r->end = block + len;
  if (r->from)
    r->from = block;
  return TRUE;
}

static inline int
peek (Records *r)
{
  if (G_UNLIKELY (r->p == r->end) && !refill (r))
    return -1;
  return (guchar) *r->p;
}

static inline gboolean
is_blank (int c)
{
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static int
skip_blanks (Records *r)
{
  int c;

  while (is_blank (c = peek (r)))
    r->p++;
  return c;
}

static gboolean fail (Records *r, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
fail (Records *r, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  if (r->error)
    return FALSE;
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  count (r);
  g_set_error (&r->error, FR_ERROR, FR_ERROR_DATA,
               "line %" G_GUINT64_FORMAT ", column %" G_GUINT64_FORMAT ": %s", r->line, r->column,
               message);
  return FALSE;
}

/* ---- the extent of a value ------------------------------------------------- */

static void
begin_record (Records *r, Record *record)
{
  if (r->format != RECORDS_LINES)
    count (r);
  record->line = r->line;
  record->column = r->column;
  r->from = r->p;
  r->crossed = r->too_long = FALSE;
  g_string_truncate (r->kept, 0);
}

static void
end_record (Records *r, Record *record)
{
  if (!r->crossed)
    {
      gsize len = (gsize) (r->p - r->from);

      r->too_long = len > r->max_row;
      record->text = (FrStr){ r->from, r->too_long ? MIN (len, SHOW) : len };
    }
  else
    {
      keep (r);
      record->text = (FrStr){ r->kept->str, r->kept->len };
    }
  record->too_long = r->too_long;
  r->from = NULL;
}

/* After the opening quote.  FALSE: the text ended. */
static gboolean
pass_string (Records *r)
{
  while (peek (r) >= 0)
    {
      const char *q = r->p;

      while (q < r->end && *q != '"' && *q != '\\')
        q++;
      r->p = q;
      if (q == r->end)
        continue;
      r->p++;
      if (*q == '"')
        return TRUE;
      if (peek (r) < 0)
        return FALSE;
      r->p++;
    }
  return FALSE;
}

/* One value, brackets matched, whatever is inside.  FALSE: the text ended in it. */
static gboolean
pass_value (Records *r)
{
  static const guchar special[256] = { ['"'] = 1, ['{'] = 2, ['['] = 2, ['}'] = 3, [']'] = 3 };
  guint64 depth = 0;
  int c = peek (r);

  if (c != '{' && c != '[' && c != '"')
    {
      for (; c >= 0 && !is_blank (c) && c != ',' && c != ']' && c != '}'; c = peek (r))
        r->p++;
      return TRUE;
    }
  do
    {
      while (r->p < r->end && !special[(guchar) *r->p])
        r->p++;
      if (r->p == r->end)
        continue;
      switch (special[(guchar) *r->p++])
        {
        case 1:
          if (!pass_string (r))
            return FALSE;
          break;
        case 2:
          depth++;
          break;
        default:
          depth--;
        }
      if (depth == 0)
        return TRUE;
    }
  while (peek (r) >= 0);
  return FALSE;
}

/* ---- the layout ------------------------------------------------------------ */

/* Whether the bytes are one balanced value and nothing else. */
static gboolean
is_balanced (const char *text, gsize len)
{
  gint64 depth = 0;
  gboolean string = FALSE;

  for (gsize i = 0; i < len; i++)
    {
      if (string)
        {
          i += text[i] == '\\';
          string = i < len && text[i] != '"';
        }
      else if (text[i] == '"')
        string = TRUE;
      else if (text[i] == '{' || text[i] == '[')
        depth++;
      else if (text[i] == '}' || text[i] == ']')
        depth--;
    }
  return depth == 0 && !string;
}

/* JSON Lines when the first line is a value by itself, or when the second
 * begins one as no line within an object does. */
static RecordsFormat
guess (Records *r)
{
  int c = skip_blanks (r);
  const char *nl, *next;

  if (c == '[')
    return RECORDS_ARRAY;
  if (c != '{')
    return RECORDS_LINES;
  nl = memchr (r->p, '\n', (gsize) (r->end - r->p));
  if (nl == NULL)
    return RECORDS_LINES;
  if (is_balanced (r->p, (gsize) (nl - r->p)))
    return RECORDS_LINES;
  for (next = nl + 1; next < r->end && (*next == '\n' || *next == '\r'); next++)
    ;
  return next < r->end && *next == '{' ? RECORDS_LINES : RECORDS_VALUES;
}

/* ---- the pointer ----------------------------------------------------------- */

/* After '{': to the value of member @name.  FALSE with an error when there is none. */
static gboolean
enter_member (Records *r, const char *name)
{
  for (;;)
    {
      g_autoptr (JsonNode) key = NULL;
      Record quoted = { { NULL, 0 }, FALSE, 0, 0 };
      int c = skip_blanks (r);

      if (c == ',')
        {
          r->p++;
          c = skip_blanks (r);
        }
      if (c == '}')
        return fail (r, "the object has no member '%s', which 'at' names", name);
      if (c != '"')
        return fail (r, "expected a key on the way to 'at'");
      begin_record (r, &quoted);
      if (!pass_value (r))
        return fail (r, "the text ends inside a key: it is cut off");
      end_record (r, &quoted);
      if (!quoted.too_long)
        key = fr_json_parse (quoted.text.data, (gssize) quoted.text.len, 0, NULL);
      if (skip_blanks (r) != ':')
        return fail (r, "expected ':' after a key");
      r->p++;
      skip_blanks (r);
      if (key && g_strcmp0 (json_node_get_string (key), name) == 0)
        return TRUE;
      if (!pass_value (r))
        return fail (r, "the text ends before 'at' is reached: it is cut off");
    }
}

/* After '[': to item number @name. */
static gboolean
enter_item (Records *r, const char *name)
{
  guint64 n;

  if (!g_ascii_string_to_unsigned (name, 10, 0, G_MAXINT64, &n, NULL))
    return fail (r, "here is an array, but 'at' goes on with '%s', which is no index", name);
  for (guint64 i = 0;; i++)
    {
      int c = skip_blanks (r);

      if (i > 0 && c == ',')
        {
          r->p++;
          c = skip_blanks (r);
        }
      if (c == ']')
        return fail (r, "the array ends before item %s, which 'at' names", name);
      if (c < 0)
        return fail (r, "the text ends before 'at' is reached: it is cut off");
      if (i == n)
        return TRUE;
      if (!pass_value (r))
        return fail (r, "the text ends before 'at' is reached: it is cut off");
    }
}

static gboolean
follow_pointer (Records *r)
{
  for (char **step = r->path; step && *step; step++)
    {
      int c = skip_blanks (r);

      if (c == '{')
        r->p++;
      else if (c == '[')
        r->p++;
      else
        return fail (r, "'at' goes on with '%s', but here is neither an object nor an array",
                     *step);
      if (!(c == '{' ? enter_member (r, *step) : enter_item (r, *step)))
        return FALSE;
    }
  return TRUE;
}

/* ---- the records ----------------------------------------------------------- */

static gboolean
next_line (Records *r, Record *record)
{
  for (;;)
    {
      const char *q;
      gboolean blank = TRUE;

      if (peek (r) < 0)
        return FALSE;
      begin_record (r, record);
      record->column = 1;
      for (;;)
        {
          q = memchr (r->p, '\n', (gsize) (r->end - r->p));
          r->p = q ? q : r->end;
          if (q || !refill (r))
            break;
        }
      if (r->error)
        return FALSE;
      end_record (r, record);
      if (q)
        r->p++;
      r->line++;
      for (gsize i = 0; blank && i < record->text.len; i++)
        blank = is_blank (record->text.data[i]);
      if (!blank)
        return TRUE;
    }
}

static gboolean
take_value (Records *r, Record *record)
{
  begin_record (r, record);
  if (!pass_value (r))
    return fail (r,
                 "the text ends inside the value that began in line %" G_GUINT64_FORMAT
                 ", column %" G_GUINT64_FORMAT ": it is cut off, or a bracket or quote is missing",
                 record->line, record->column);
  end_record (r, record);
  return TRUE;
}

static gboolean
next_value (Records *r, Record *record)
{
  int c = skip_blanks (r);

  if (c < 0)
    return FALSE;
  if (c == ',' || c == ']' || c == '}')
    return fail (r, "expected a value, found '%c'", c);
  return take_value (r, record);
}

static gboolean
next_element (Records *r, Record *record)
{
  int c = skip_blanks (r);

  if (r->where == AT_END)
    return FALSE;
  if (r->where == AT_NEXT && c == ',')
    {
      r->p++;
      c = skip_blanks (r);
      if (c == ']')
        return fail (r, "expected another value: nothing follows this comma");
    }
  else if (r->where == AT_NEXT && c >= 0 && c != ']')
    return fail (r, "expected ',' or ']' between the records of the array");
  if (c < 0)
    return fail (r, "the text ends inside the array of records: it is cut off");
  if (c == ']')
    {
      r->p++;
      r->where = AT_END;
      if (r->path == NULL && skip_blanks (r) >= 0)
        return fail (r, "expected nothing more after the array of records");
      return FALSE;
    }
  if (c == ',' || c == '}')
    return fail (r, "expected a value, found '%c'", c);
  r->where = AT_NEXT;
  return take_value (r, record);
}

/* At the first byte of the text: the layout, and the way to the records. */
static gboolean
start (Records *r)
{
  int c;

  r->format = r->given;
  if (r->path == NULL && r->given == RECORDS_AUTO)
    {
      if (peek (r) < 0)
        return FALSE;
      r->format = guess (r);
    }
  r->where = AT_FIRST;
  if (r->format == RECORDS_LINES || (r->format == RECORDS_VALUES && r->path == NULL))
    {
      if (r->format == RECORDS_LINES) /* blanks that the guess passed over are lines too */
        count (r);
      return TRUE;
    }
  if (skip_blanks (r) < 0)
    return r->path == NULL || fail (r, "the text is empty, so it has no '%s'", r->path[0]);
  if (!follow_pointer (r))
    return FALSE;
  c = skip_blanks (r);
  if (c == '[' && r->format != RECORDS_VALUES)
    {
      r->p++;
      r->format = RECORDS_ARRAY;
      return TRUE;
    }
  if (r->format == RECORDS_ARRAY)
    return fail (r, "expected an array of records");
  r->format = RECORDS_VALUES;
  return TRUE;
}

gboolean
records_next (Records *r, Record *record, GError **error)
{
  gboolean ok = r->where != AT_START || start (r);

  record->too_long = FALSE;
  if (ok && r->format == RECORDS_LINES)
    ok = next_line (r, record);
  else if (ok && r->format == RECORDS_ARRAY)
    ok = next_element (r, record);
  else if (ok)
    {
      ok = r->where != AT_END && next_value (r, record);
      if (r->path) /* the one value that the pointer leads to */
        r->where = AT_END;
    }
  if (ok)
    return TRUE;
  if (r->error)
    {
      g_propagate_error (error, g_steal_pointer (&r->error));
      r->where = AT_END;
      r->format = RECORDS_ARRAY;
    }
  return FALSE;
}

RecordsFormat
records_format (const Records *r)
{
  return r->format;
}

/* ---- life ------------------------------------------------------------------ */

/* RFC 6901: "/data/items" to its tokens; "" is the whole text. */
static char **
pointer_tokens (const char *at)
{
  char **tokens;

  if (at == NULL || *at == 0)
    return NULL;
  tokens = g_strsplit (at[0] == '/' ? at + 1 : at, "/", -1);
  for (char **t = tokens; *t; t++)
    {
      char *out = *t;

      for (const char *in = *t; *in; in++)
        if (in[0] == '~' && (in[1] == '0' || in[1] == '1'))
          *out++ = *++in == '0' ? '~' : '/';
        else
          *out++ = *in;
      *out = 0;
    }
  return tokens;
}

Records *
records_new (RecordsFormat format, const char *at, gsize max_row, RecordsRead read, gpointer data)
{
  Records *r = g_new0 (Records, 1);

  r->given = format;
  r->path = pointer_tokens (at);
  r->max_row = max_row;
  r->read = read;
  r->data = data;
  r->head = g_string_new (NULL);
  r->kept = g_string_new (NULL);
  records_restart (r);
  return r;
}

void
records_restart (Records *r)
{
  r->p = r->end = r->counted = r->from = NULL;
  r->line = r->column = 1;
  r->started = r->eof = FALSE;
  r->where = AT_START;
  r->format = r->given;
  g_clear_error (&r->error);
}

void
records_free (Records *r)
{
  g_strfreev (r->path);
  g_string_free (r->head, TRUE);
  g_string_free (r->kept, TRUE);
  g_clear_error (&r->error);
  g_free (r);
}
