/* SPDX-License-Identifier: Apache-2.0 */
/* dump.c: the lexer and the little grammar of dump.h.
 *
 * The text comes in blocks of any length, so nothing here looks further ahead
 * than one byte: every function takes up where the last byte was consumed, and
 * peek() fetches the next block when it must.  What has to be kept is appended
 * to a GString as it is read; what is only walked over costs no copy.
 */
#include "dump.h"

#include <flowrun/error.h>
#include <string.h>

#define MAX_WORD 65536   /* names, defaults and comments of CREATE TABLE */
#define MAX_RAW 65536    /* what of a row a reject shows */
#define HEAD 65536       /* where signs of the dialect are looked for */
#define MAX_VALUES 65536 /* values of one row, columns of one table */

typedef enum
{
  ESCAPE_NONE,
  ESCAPE_MYSQL,
  ESCAPE_C
} Escape;

typedef enum
{
  T_EOF,
  T_WORD,
  T_QUOTED,
  T_STRING,
  T_NUMBER,
  T_PUNCT
} Token;

typedef enum
{
  STATE_STATEMENT,
  STATE_SKIP,
  STATE_VALUES,
  STATE_NEXT_ROW,
  STATE_COPY,
  STATE_COPY_SKIP
} State;

struct _DumpPrivate
{
  DumpRead read;
  gpointer data;
  GError *error;
  const char *p, *end, *counted, *quote;
  guint64 line_counted;
  gboolean started, eof;
  gboolean given_dialect, given_no_backslash;
  gboolean backslash, saved_backslash;
  guint in_version; /* open version comments, whose text is code */
  gsize max_row;
  State state;
  guint64 statement_line;
  /* grammar */
  GString *word;
  Token token;
  int punct;
  gboolean unread;
  GString *delimiter; /* empty: ';' */
  /* the row as it stands */
  const char *row_start;
  GString *raw;
  GString *head;
};

/* ---- bytes ----------------------------------------------------------------- */

static void
count_lines (DumpPrivate *s)
{
  guint64 n = 0;

  for (const char *q = s->counted; q < s->p; q++)
    n += *q == '\n';
  s->line_counted += n;
  s->counted = s->p;
}

static guint64
here (Dump *d)
{
  count_lines (d->priv);
  return d->priv->line_counted;
}

static void
keep_raw (DumpPrivate *s)
{
  gsize room = s->raw->len < MAX_RAW ? MAX_RAW - s->raw->len : 0;

  g_string_append_len (s->raw, s->row_start, (gssize) MIN (room, (gsize) (s->p - s->row_start)));
  s->row_start = s->p;
}

static void detect (Dump *d);

/* The first blocks as one of at least HEAD bytes, or signs could lie across blocks. */
static gboolean
read_head (DumpPrivate *s, const char **block, gsize *len)
{
  g_string_truncate (s->head, 0);
  while (s->head->len < HEAD && s->read (s->data, block, len, &s->error) && *len > 0)
    {
      if (s->head->len == 0 && *len >= HEAD)
        return TRUE;
      g_string_append_len (s->head, *block, (gssize) *len);
    }
  *block = s->head->str;
  *len = s->head->len;
  return s->error == NULL;
}

/* The next block.  FALSE at the end of the text and after an error. */
static gboolean
refill (Dump *d)
{
  DumpPrivate *s = d->priv;
  const char *block = NULL;
  gsize len = 0;
  gboolean ok;

  if (s->eof)
    return FALSE;
  s->p = s->end;
  count_lines (s);
  if (s->row_start)
    keep_raw (s);
  ok = s->started ? s->read (s->data, &block, &len, &s->error) : read_head (s, &block, &len);
  if (!ok || len == 0)
    {
      s->eof = TRUE;
      s->row_start = NULL;
      return FALSE;
    }
  s->p = s->counted = block;
  s->end = block + len;
  s->quote = NULL;
  if (s->row_start)
    s->row_start = block;
  if (!s->started)
    detect (d);
  s->started = TRUE;
  return TRUE;
}

static inline int
peek (Dump *d)
{
  DumpPrivate *s = d->priv;

  if (G_UNLIKELY (s->p == s->end) && !refill (d))
    return -1;
  return (guchar) *s->p;
}

static inline int
take (Dump *d)
{
  int c = peek (d);

  if (c >= 0)
    d->priv->p++;
  return c;
}

/* Appends to what is being kept; a row beyond its limit is dropped and marked. */
static inline void
put (Dump *d, GString *out, const char *data, gsize len)
{
  gsize limit = out == d->arena ? d->priv->max_row : MAX_WORD;

  if (G_UNLIKELY (out == NULL))
    return;
  if (G_UNLIKELY (len > limit || out->len > limit - len))
    {
      if (out == d->arena)
        d->too_long = TRUE;
      return;
    }
  g_string_append_len (out, data, (gssize) len);
}

static inline void
put_char (Dump *d, GString *out, char c)
{
  put (d, out, &c, 1);
}

static inline gboolean
is_space (int c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline gboolean
is_digit (int c)
{
  return c >= '0' && c <= '9';
}

static inline gboolean
is_word_start (int c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@' || c >= 0x80;
}

static inline gboolean
is_word (int c)
{
  return is_word_start (c) || is_digit (c) || c == '$';
}

/* ---- the dialect ----------------------------------------------------------- */

static const struct
{
  const char *sign;
  DumpDialect dialect;
} signs[] = { { "-- MySQL dump", DUMP_MYSQL },
              { "-- MariaDB dump", DUMP_MYSQL },
              { "/*!4", DUMP_MYSQL },
              { "/*!5", DUMP_MYSQL },
              { "/*M!", DUMP_MYSQL },
              { "phpMyAdmin SQL Dump", DUMP_MYSQL },
              { "Navicat MySQL", DUMP_MYSQL },
              { "ENGINE=", DUMP_MYSQL },
              { "AUTO_INCREMENT", DUMP_MYSQL },
              { "LOCK TABLES `", DUMP_MYSQL },
              { "SET NAMES ", DUMP_MYSQL },
              { "-- PostgreSQL database dump", DUMP_POSTGRES },
              { "pg_catalog", DUMP_POSTGRES },
              { " FROM stdin;", DUMP_POSTGRES },
              { "standard_conforming_strings", DUMP_POSTGRES },
              { "client_encoding", DUMP_POSTGRES },
              { "PRAGMA ", DUMP_SQLITE },
              { "sqlite_sequence", DUMP_SQLITE } };

/* The earliest sign decides; a backquote alone speaks for MySQL. */
static void
detect (Dump *d)
{
  DumpPrivate *s = d->priv;
  gsize len = MIN ((gsize) (s->end - s->p), HEAD);
  const char *first = NULL;

  if (s->given_dialect)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (signs); i++)
    {
      const char *at = g_strstr_len (s->p, (gssize) len, signs[i].sign);

      if (at && (first == NULL || at < first))
        {
          first = at;
          d->dialect = signs[i].dialect;
        }
    }
  if (first == NULL && d->dialect == DUMP_AUTO && memchr (s->p, '`', len))
    d->dialect = DUMP_MYSQL;
  s->backslash = d->dialect == DUMP_MYSQL && !s->given_no_backslash;
}

static Escape
escape_mode (Dump *d)
{
  if (!d->priv->backslash)
    return ESCAPE_NONE;
  return d->dialect == DUMP_POSTGRES ? ESCAPE_C : ESCAPE_MYSQL;
}

/* ---- blanks and comments --------------------------------------------------- */

static void
skip_line (Dump *d, GString *out)
{
  DumpPrivate *s = d->priv;

  while (peek (d) >= 0)
    {
      const char *nl = memchr (s->p, '\n', (gsize) (s->end - s->p));

      if (out && out->len < 128)
        put (d, out, s->p, MIN ((gsize) ((nl ? nl : s->end) - s->p), 128));
      s->p = nl ? nl : s->end;
      if (nl)
        return;
    }
}

/* Comments of the dump programs tell whether the dump is whole. */
static void
line_comment (Dump *d)
{
  char text[129] = "";
  g_autoptr (GString) line = g_string_sized_new (129);

  skip_line (d, line);
  g_strlcpy (text, line->str, sizeof text);
  if (strstr (text, "MySQL dump ") || strstr (text, "MariaDB dump ")
      || strstr (text, "PostgreSQL database dump"))
    d->headed = TRUE;
  if (strstr (text, "Dump completed") || strstr (text, "PostgreSQL database dump complete"))
    d->completed = TRUE;
}

static gboolean
skip_block_comment (Dump *d)
{
  guint depth = 1;
  int c = take (d);

  while (c >= 0)
    {
      if (c == '*' && peek (d) == '/')
        {
          take (d);
          if (--depth == 0)
            return TRUE;
          c = take (d);
        }
      else if (c == '/' && d->dialect == DUMP_POSTGRES && peek (d) == '*')
        {
          take (d);
          depth++;
          c = take (d);
        }
      else
        c = take (d);
    }
  return FALSE;
}

/* After the opening of a comment: MySQL runs the text of its version comments
 * unless the version is one that no server has. */
static void
block_comment (Dump *d)
{
  guint version = 0;
  int c = peek (d);

  if (d->dialect == DUMP_MYSQL && c == 'M')
    {
      take (d);
      c = peek (d);
      if (c != '!')
        {
          skip_block_comment (d);
          return;
        }
    }
  if (c != '!' || d->dialect == DUMP_POSTGRES || d->dialect == DUMP_SQLITE)
    {
      skip_block_comment (d);
      return;
    }
  take (d);
  while (is_digit (peek (d)) && version < 100000000)
    version = version * 10 + (guint) (take (d) - '0');
  if (version >= 999999)
    skip_block_comment (d);
  else
    d->priv->in_version++;
}

/* Consumes blanks and comments and the first byte after them, which it returns; -1 at the end. */
static int
next_byte (Dump *d)
{
  for (;;)
    {
      int c = take (d);

      switch (c)
        {
        case ' ':
        case '\t':
        case '\n':
        case '\r':
        case '\v':
        case '\f':
          continue;
        case '-':
          if (peek (d) != '-')
            return c;
          line_comment (d);
          continue;
        case '#':
          if (d->dialect == DUMP_POSTGRES || d->dialect == DUMP_SQLITE)
            return c;
          skip_line (d, NULL);
          continue;
        case '/':
          if (peek (d) != '*')
            return c;
          take (d);
          block_comment (d);
          continue;
        case '*':
          if (d->priv->in_version == 0 || peek (d) != '/')
            return c;
          take (d);
          d->priv->in_version--;
          continue;
        default:
          return c;
        }
    }
}

/* ---- strings --------------------------------------------------------------- */

static inline int
hex (int c)
{
  return c < 0 ? -1 : g_ascii_xdigit_value ((char) c);
}

/* @n hexadecimal digits at most; the value, with the number read in @got. */
static gunichar
read_hex (Dump *d, guint n, guint *got)
{
  gunichar value = 0;

  for (*got = 0; *got < n && hex (peek (d)) >= 0; (*got)++)
    value = value << 4 | (gunichar) hex (take (d));
  return value;
}

static void
put_unichar (Dump *d, GString *out, gunichar c)
{
  char utf8[6];

  if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
    c = 0xfffd;
  put (d, out, utf8, (gsize) g_unichar_to_utf8 (c, utf8));
}

static void
escape_mysql (Dump *d, int c, GString *out)
{
  static const char from[] = "0bnrtZ", to[] = "\0\b\n\r\t\032";
  const char *at = strchr (from, c);

  if (c == '%' || c == '_') /* patterns for LIKE keep their backslash */
    put_char (d, out, '\\');
  put_char (d, out, at && c ? to[at - from] : (char) c);
}

/* The escapes of E'..' strings and of COPY. */
static void
escape_c (Dump *d, int c, GString *out)
{
  static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
  const char *at = c ? strchr (from, c) : NULL;
  guint got;
  gunichar value;

  if (at)
    put_char (d, out, to[at - from]);
  else if (c >= '0' && c <= '7')
    {
      value = (gunichar) (c - '0');
      for (got = 0; got < 2 && peek (d) >= '0' && peek (d) <= '7'; got++)
        value = value << 3 | (gunichar) (take (d) - '0');
      put_char (d, out, (char) value);
    }
  else if (c == 'x' && hex (peek (d)) >= 0)
    put_char (d, out, (char) read_hex (d, 2, &got));
  else if ((c == 'u' || c == 'U') && hex (peek (d)) >= 0)
    put_unichar (d, out, read_hex (d, c == 'u' ? 4 : 8, &got));
  else
    put_char (d, out, (char) c);
}

/* Where the run of ordinary bytes ends: at the quote or an escape.  The quote
 * found is remembered, or text full of escapes would be searched again and
 * again. */
static const char *
ordinary (DumpPrivate *s, char quote, Escape escape)
{
  const char *stop, *back;

  if (s->quote == NULL || s->quote < s->p || *s->quote != quote)
    s->quote = memchr (s->p, quote, (gsize) (s->end - s->p));
  stop = s->quote ? s->quote : s->end;
  if (escape == ESCAPE_NONE)
    return stop;
  back = memchr (s->p, '\\', (gsize) (stop - s->p));
  return back ? back : stop;
}

/* After the opening quote: the text to the closing one.  FALSE: the dump ended. */
static gboolean
read_string (Dump *d, char quote, Escape escape, GString *out)
{
  DumpPrivate *s = d->priv;

  while (peek (d) >= 0)
    {
      const char *stop = ordinary (s, quote, escape);
      int c;

      put (d, out, s->p, (gsize) (stop - s->p));
      s->p = stop;
      if (stop == s->end)
        continue;
      c = take (d);
      if (c == quote)
        {
          if (peek (d) != quote)
            return TRUE;
          s->p++;
          put_char (d, out, quote);
          continue;
        }
      c = take (d);
      if (c < 0)
        break;
      if (escape == ESCAPE_C)
        escape_c (d, c, out);
      else
        escape_mysql (d, c, out);
    }
  return FALSE;
}

/* After a '$': walks over a dollar-quoted string, or does nothing when it is none. */
static gboolean
skip_dollar (Dump *d)
{
  g_autoptr (GString) needle = g_string_new ("$");
  gsize at = 0;

  while (is_word_start (peek (d)) || (needle->len > 1 && is_digit (peek (d))))
    {
      if (needle->len > 128)
        return TRUE;
      g_string_append_c (needle, (char) take (d));
    }
  if (peek (d) != '$')
    return TRUE;
  g_string_append_c (needle, (char) take (d));
  for (int c = take (d); c >= 0; c = take (d))
    {
      at = c == needle->str[at] ? at + 1 : c == '$' ? 1 : 0;
      if (at == needle->len)
        return TRUE;
    }
  return FALSE;
}

/* ---- tokens of the grammar ------------------------------------------------- */

static void
read_word (Dump *d, int c, GString *out)
{
  put_char (d, out, (char) c);
  while (is_word (peek (d)))
    put_char (d, out, (char) take (d));
}

static Token
lex (Dump *d)
{
  DumpPrivate *s = d->priv;
  int c = next_byte (d);

  g_string_truncate (s->word, 0);
  if (c < 0)
    return T_EOF;
  if (c == '\'')
    return read_string (d, '\'', escape_mode (d), s->word) ? T_STRING : T_EOF;
  if (c == '"' || c == '`')
    return read_string (d, (char) c, c == '"' ? escape_mode (d) : ESCAPE_NONE, s->word) ? T_QUOTED
                                                                                        : T_EOF;
  if (c == '[' && d->dialect == DUMP_SQLITE)
    return read_string (d, ']', ESCAPE_NONE, s->word) ? T_QUOTED : T_EOF;
  if (is_word_start (c))
    {
      read_word (d, c, s->word);
      if (peek (d) == '\'' && g_ascii_strcasecmp (s->word->str, "e") == 0)
        {
          take (d);
          g_string_truncate (s->word, 0);
          return read_string (d, '\'', ESCAPE_C, s->word) ? T_STRING : T_EOF;
        }
      return T_WORD;
    }
  if (is_digit (c))
    {
      put_char (d, s->word, (char) c);
      while (is_word (peek (d)) || peek (d) == '.')
        put_char (d, s->word, (char) take (d));
      return T_NUMBER;
    }
  if (c == '$' && d->dialect != DUMP_MYSQL && !skip_dollar (d))
    return T_EOF;
  s->punct = c;
  return T_PUNCT;
}

static Token
next_token (Dump *d)
{
  DumpPrivate *s = d->priv;

  if (!s->unread)
    s->token = lex (d);
  s->unread = FALSE;
  return s->token;
}

static gboolean
is_keyword (Dump *d, const char *word)
{
  return d->priv->token == T_WORD && g_ascii_strcasecmp (d->priv->word->str, word) == 0;
}

static gboolean
is_one_of (Dump *d, const char *const *words)
{
  for (; *words; words++)
    if (is_keyword (d, *words))
      return TRUE;
  return FALSE;
}

static gboolean
is_punct (Dump *d, int c)
{
  return d->priv->token == T_PUNCT && d->priv->punct == c;
}

/* ---- walking over ---------------------------------------------------------- */

/* Bytes that a skipped statement may hold without meaning anything. */
static const guchar plain[256]
    = { [','] = 1,         ['.'] = 1,         ['('] = 1,         [')'] = 1,
        ['_'] = 1,         ['@'] = 1,         ['='] = 1,         [' '] = 1,
        ['0' ... '9'] = 1, ['a' ... 'z'] = 1, ['A' ... 'Z'] = 1, [0x80 ... 0xff] = 1 };

/* After the first byte of a MySQL delimiter: TRUE when the rest follows. */
static gboolean
ends_delimiter (Dump *d)
{
  GString *delimiter = d->priv->delimiter;
  gsize at = 1;

  while (at < delimiter->len && peek (d) == (guchar) delimiter->str[at])
    {
      take (d);
      at++;
    }
  return at == delimiter->len;
}

/* How the string after bytes @before and @last is escaped: E'..' has its own way. */
static Escape
quote_mode (Dump *d, int before, int last)
{
  return (last == 'E' || last == 'e') && !is_word (before) ? ESCAPE_C : escape_mode (d);
}

/* To the end of the statement.  FALSE: the dump ended first. */
static gboolean
skip_statement (Dump *d)
{
  DumpPrivate *s = d->priv;
  int stop = s->delimiter->len ? (guchar) s->delimiter->str[0] : ';';
  int before = 0, last = 0;

  if (s->unread)
    {
      s->unread = FALSE;
      if (is_punct (d, stop) && (s->delimiter->len == 0 || ends_delimiter (d)))
        return TRUE;
    }
  for (;;)
    {
      int c;

      /* Most of a skipped statement is digits, letters and commas. */
      for (; s->p < s->end && plain[(guchar) *s->p]; s->p++)
        {
          before = last;
          last = (guchar) *s->p;
        }
      c = next_byte (d);
      if (c < 0)
        return FALSE;
      if (c == stop && (s->delimiter->len == 0 || ends_delimiter (d)))
        return TRUE;
      if (c == '\'' && !read_string (d, '\'', quote_mode (d, before, last), NULL))
        return FALSE;
      before = last;
      last = c;
      if ((c == '"' || c == '`')
          && !read_string (d, (char) c, c == '"' ? escape_mode (d) : ESCAPE_NONE, NULL))
        return FALSE;
      if (c == '$' && d->dialect != DUMP_MYSQL && !skip_dollar (d))
        return FALSE;
    }
}

/* A trigger or function whose body holds statements of its own. */
static gboolean
skip_routine (Dump *d)
{
  gint depth = 0;

  if (d->priv->delimiter->len)
    return skip_statement (d);
  for (Token t = next_token (d); t != T_EOF; t = next_token (d))
    {
      if (is_keyword (d, "begin") || is_keyword (d, "case"))
        depth++;
      else if (is_keyword (d, "end") && depth > 0)
        depth--;
      else if (is_punct (d, ';') && depth == 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
truncated (Dump *d)
{
  DumpPrivate *s = d->priv;

  if (s->error == NULL)
    g_set_error (&s->error, FR_ERROR, FR_ERROR_DATA,
                 "line %" G_GUINT64_FORMAT ": the text ends inside the statement that began on "
                 "line %" G_GUINT64_FORMAT ": the dump is cut off; make it again",
                 here (d), s->statement_line);
  return FALSE;
}

static gboolean
skip_whole (Dump *d)
{
  return skip_statement (d) || truncated (d);
}

static gboolean
malformed (Dump *d, const char *expected)
{
  DumpPrivate *s = d->priv;

  if (s->error == NULL && s->eof)
    return truncated (d);
  if (s->error == NULL)
    g_set_error (&s->error, FR_ERROR, FR_ERROR_DATA,
                 "line %" G_GUINT64_FORMAT ": expected %s in the statement that began on line "
                 "%" G_GUINT64_FORMAT,
                 here (d), expected, s->statement_line);
  return FALSE;
}

/* ---- CREATE TABLE ---------------------------------------------------------- */

static void
column_free (gpointer data)
{
  DumpColumn *column = data;

  g_free (column->name);
  g_free (column->type);
  g_free (column->args);
  g_free (column);
}

static void
forget_table (Dump *d)
{
  g_clear_pointer (&d->schema, g_free);
  g_clear_pointer (&d->table, g_free);
  g_ptr_array_set_size (d->columns, 0);
}

static DumpColumn *
add_column (Dump *d)
{
  DumpColumn *column;

  if (d->columns->len >= MAX_VALUES)
    {
      malformed (d, "fewer than 65536 columns");
      return NULL;
    }
  column = g_new0 (DumpColumn, 1);
  column->name = g_utf8_make_valid (d->priv->word->str, (gssize) d->priv->word->len);
  g_ptr_array_add (d->columns, column);
  return column;
}

static gboolean
is_name (Dump *d)
{
  Token t = d->priv->token;

  return (t == T_WORD || t == T_QUOTED || t == T_STRING) && d->priv->word->len > 0;
}

/* The current token is a name; schema-qualified names go on after a dot. */
static gboolean
read_name (Dump *d)
{
  if (!is_name (d))
    return malformed (d, "the name of a table");
  forget_table (d);
  d->table = g_utf8_make_valid (d->priv->word->str, (gssize) d->priv->word->len);
  while (next_token (d) == T_PUNCT && d->priv->punct == '.')
    {
      next_token (d);
      if (!is_name (d))
        return malformed (d, "a name after the '.'");
      g_free (d->schema);
      d->schema = d->table;
      d->table = g_utf8_make_valid (d->priv->word->str, (gssize) d->priv->word->len);
    }
  d->priv->unread = TRUE;
  return TRUE;
}

/* To the ',' or ')' that ends an element of a list; that token stays current. */
static gboolean
skip_element (Dump *d)
{
  guint depth = 0;

  d->priv->unread = TRUE;
  for (Token t = next_token (d); t != T_EOF; t = next_token (d))
    {
      if (depth == 0 && (is_punct (d, ',') || is_punct (d, ')')))
        return TRUE;
      if (is_punct (d, '('))
        depth++;
      else if (is_punct (d, ')'))
        depth--;
    }
  return truncated (d);
}

/* After "(": the arguments of a type, up to its ")". */
static gboolean
read_arguments (Dump *d, DumpColumn *column)
{
  g_autoptr (GString) args = g_string_new (NULL);
  guint depth = 0;

  for (Token t = next_token (d); t != T_EOF; t = next_token (d))
    {
      if (is_punct (d, ')') && depth-- == 0)
        {
          g_free (column->args);
          column->args = g_string_free (g_steal_pointer (&args), FALSE);
          return TRUE;
        }
      if (is_punct (d, '('))
        depth++;
      if (args->len < 256 && t == T_PUNCT)
        g_string_append_c (args, (char) d->priv->punct);
      else if (args->len < 256 && t == T_NUMBER)
        g_string_append (args, d->priv->word->str);
    }
  return truncated (d);
}

static const char *const column_options[]
    = { "not",       "null",         "default", "comment",     "auto_increment", "autoincrement",
        "primary",   "unique",       "key",     "collate",     "references",     "constraint",
        "generated", "check",        "on",      "as",          "stored",         "virtual",
        "invisible", "visible",      "storage", "compression", "identity",       "column_format",
        "using",     "with_options", NULL };
static const char *const after_type[]
    = { "character", "charset", "binary", "ascii", "unicode", NULL };
static const char *const constraints[]
    = { "primary", "key",   "unique",  "index", "constraint", "foreign", "fulltext",
        "spatial", "check", "exclude", "like",  "period",     NULL };

/* One column after its name; ends on ',' or ')'. */
static gboolean
read_type (Dump *d, DumpColumn *column)
{
  g_autoptr (GString) type = g_string_new (NULL);
  gboolean ok = TRUE;

  for (;;)
    {
      Token t = next_token (d);

      if (t == T_EOF)
        return truncated (d);
      if (is_punct (d, ',') || is_punct (d, ')'))
        break;
      if (is_punct (d, '(') && type->len > 0)
        {
          if (!read_arguments (d, column))
            return FALSE;
        }
      else if (is_punct (d, '[') && type->len > 0)
        g_string_append (type, "[]");
      else if (is_punct (d, '.') && type->len > 0)
        g_string_truncate (type, 0); /* "public.mood": the schema of a type says nothing */
      else if (is_punct (d, ']') || t == T_NUMBER)
        continue;
      else if (t == T_QUOTED
               || (t == T_WORD && !is_one_of (d, column_options)
                   && !(type->len > 0 && is_one_of (d, after_type)
                        && !g_str_has_suffix (type->str, "national"))))
        {
          if (type->len > 0)
            g_string_append_c (type, ' ');
          g_string_append (type, d->priv->word->str);
        }
      else
        {
          ok = skip_element (d);
          break;
        }
      if (type->len > 256)
        g_string_truncate (type, 256);
    }
  column->type = g_ascii_strdown (type->str, -1);
  return ok;
}

static gboolean
read_columns (Dump *d)
{
  do
    {
      DumpColumn *column;

      next_token (d);
      if (is_punct (d, ')'))
        return TRUE;
      if (is_one_of (d, constraints))
        {
          if (!skip_element (d))
            return FALSE;
          continue;
        }
      if (!is_name (d))
        return malformed (d, "the name of a column");
      column = add_column (d);
      if (column == NULL || !read_type (d, column))
        return FALSE;
    }
  while (is_punct (d, ','));
  return TRUE;
}

static const char *const routines[]
    = { "trigger", "function", "procedure", "event", "package", NULL };
static const char *const table_words[]
    = { "or", "replace", "temporary", "temp", "unlogged", "foreign", "global", "local", NULL };

/* After CREATE.  TRUE with table set: a table; FALSE with no error: something else, walked over. */
static gboolean
read_create (Dump *d)
{
  for (guint words = 0; words < 24; words++)
    {
      next_token (d);
      if (is_one_of (d, routines))
        return skip_routine (d) ? FALSE : truncated (d);
      if (is_keyword (d, "table"))
        break;
      /* DEFINER=`root`@`localhost` and SQL SECURITY stand before TRIGGER and VIEW. */
      if (is_keyword (d, "view") || d->priv->token == T_EOF || is_punct (d, ';')
          || is_punct (d, '('))
        {
          d->priv->unread = TRUE;
          return skip_whole (d) && FALSE;
        }
      if (words == 0 && d->dialect != DUMP_MYSQL && !is_one_of (d, table_words))
        return skip_whole (d) && FALSE;
    }
  next_token (d);
  if (is_keyword (d, "if"))
    {
      next_token (d); /* NOT */
      next_token (d); /* EXISTS */
      next_token (d);
    }
  if (!read_name (d))
    return FALSE;
  next_token (d);
  if (!is_punct (d, '(')) /* AS SELECT, PARTITION OF: no columns here */
    d->priv->unread = TRUE;
  else if (!read_columns (d))
    return FALSE;
  return skip_whole (d);
}

/* ---- INSERT, COPY, SET ----------------------------------------------------- */

static gboolean
read_name_list (Dump *d)
{
  do
    {
      next_token (d);
      if (is_punct (d, ')'))
        return TRUE;
      if (!is_name (d))
        return malformed (d, "the name of a column");
      if (add_column (d) == NULL)
        return FALSE;
      next_token (d);
    }
  while (is_punct (d, ','));
  return is_punct (d, ')') || malformed (d, "',' or ')'");
}

static const char *const insert_words[]
    = { "low_priority", "delayed", "high_priority", "ignore", "into", "overwrite", NULL };

/* After INSERT or REPLACE.  Leaves the state at the first row, or past it all. */
static gboolean
read_insert (Dump *d)
{
  DumpPrivate *s = d->priv;

  for (next_token (d); is_one_of (d, insert_words) || is_keyword (d, "or"); next_token (d))
    if (is_keyword (d, "or"))
      next_token (d);
  if (!read_name (d))
    return FALSE;
  for (;;)
    {
      next_token (d);
      if (is_keyword (d, "values") || is_keyword (d, "value"))
        {
          s->state = STATE_VALUES;
          return TRUE;
        }
      if (is_punct (d, '('))
        {
          next_token (d);
          s->unread = TRUE;
          if (is_keyword (d, "select") || is_keyword (d, "with"))
            break;
          if (!read_name_list (d))
            return FALSE;
        }
      else if (is_keyword (d, "overriding")) /* SYSTEM VALUE, USER VALUE */
        {
          next_token (d);
          next_token (d);
        }
      else if (is_keyword (d, "partition"))
        {
          next_token (d);
          if (!skip_element (d))
            return FALSE;
        }
      else
        break;
    }
  if (s->token == T_EOF)
    return truncated (d);
  s->unread = TRUE;
  d->unreadable = TRUE;
  s->state = STATE_SKIP;
  return TRUE;
}

/* After COPY.  FALSE without an error: it reads no rows from this text. */
static gboolean
read_copy (Dump *d)
{
  DumpPrivate *s = d->priv;
  gboolean from = FALSE, in = FALSE, other = FALSE;

  next_token (d);
  if (!is_name (d))
    {
      s->unread = TRUE;
      return skip_whole (d) && FALSE;
    }
  if (!read_name (d))
    return FALSE;
  next_token (d);
  if (is_punct (d, '('))
    {
      if (!read_name_list (d))
        return FALSE;
    }
  else
    s->unread = TRUE;
  for (next_token (d); !is_punct (d, ';'); next_token (d))
    {
      if (s->token == T_EOF)
        return truncated (d);
      from |= is_keyword (d, "from");
      in |= from && is_keyword (d, "stdin");
      other |= is_keyword (d, "csv") || is_keyword (d, "binary") || is_keyword (d, "delimiter")
               || is_keyword (d, "delimiters");
    }
  if (!in)
    return FALSE;
  skip_line (d, NULL);
  take (d);
  d->unreadable = other;
  s->state = other ? STATE_COPY_SKIP : STATE_COPY;
  return TRUE;
}

static gboolean
has_mode (const char *modes, const char *mode)
{
  g_autofree char *upper = g_ascii_strup (modes, -1);

  return strstr (upper, mode) != NULL;
}

/* One assignment of SET that changes how the rest is read. */
static void
apply_setting (Dump *d, const char *key)
{
  DumpPrivate *s = d->priv;
  const char *value = s->word->str;

  if (g_ascii_strcasecmp (key, "names") == 0 || g_ascii_strcasecmp (key, "client_encoding") == 0)
    {
      g_free (d->charset);
      d->charset = g_ascii_strdown (value, -1);
    }
  else if (g_ascii_strcasecmp (key, "standard_conforming_strings") == 0)
    s->backslash = g_ascii_strcasecmp (value, "off") == 0;
  else if (g_ascii_strcasecmp (key, "sql_mode") == 0 && !s->given_no_backslash)
    {
      gboolean before = s->backslash;

      /* A variable restores what was in force before. */
      s->backslash
          = value[0] == '@' ? s->saved_backslash : !has_mode (value, "NO_BACKSLASH_ESCAPES");
      s->saved_backslash = before;
    }
}

static gboolean
read_set (Dump *d)
{
  g_autofree char *key = NULL;

  for (next_token (d); !is_punct (d, ';'); next_token (d))
    {
      if (d->priv->token == T_EOF)
        return truncated (d);
      if (is_punct (d, ','))
        g_clear_pointer (&key, g_free);
      else if (key && d->priv->token != T_PUNCT && !is_keyword (d, "to"))
        {
          apply_setting (d, key);
          g_clear_pointer (&key, g_free);
        }
      else if (key == NULL && d->priv->token == T_WORD && !is_keyword (d, "session")
               && !is_keyword (d, "global") && !is_keyword (d, "local"))
        key = g_strdup (d->priv->word->str);
    }
  return TRUE;
}

static void
read_delimiter (Dump *d)
{
  DumpPrivate *s = d->priv;

  g_string_truncate (s->delimiter, 0);
  skip_line (d, s->delimiter);
  g_strstrip (s->delimiter->str);
  g_string_truncate (s->delimiter, strlen (s->delimiter->str));
  if (strcmp (s->delimiter->str, ";") == 0)
    g_string_truncate (s->delimiter, 0);
}

/* ---- values ---------------------------------------------------------------- */

/* From byte @c on to the ',' or ')' that ends the value; returns it, -1 at the end. */
static int
skip_expression (Dump *d, int c)
{
  guint depth = 0;
  int before = 0, last = 0;

  for (; c >= 0; before = last, last = c, c = next_byte (d))
    {
      if (depth == 0 && (c == ',' || c == ')'))
        return c;
      if (c == '(' || c == '[')
        depth++;
      else if ((c == ')' || c == ']') && depth > 0)
        depth--;
      else if (c == '\'' && !read_string (d, '\'', quote_mode (d, before, last), NULL))
        return -1;
      else if ((c == '"' || c == '`')
               && !read_string (d, (char) c, c == '"' ? escape_mode (d) : ESCAPE_NONE, NULL))
        return -1;
      else if (c == '$' && d->dialect != DUMP_MYSQL && !skip_dollar (d))
        return -1;
    }
  return -1;
}

/* The hexadecimal digits at the end of the arena to bytes. */
static gboolean
decode_hex (Dump *d, DumpValue *v)
{
  char *text = d->arena->str + v->start;
  gsize n = d->arena->len - v->start, odd = n & 1;

  for (gsize i = 0; i < n; i++)
    if (hex ((guchar) text[i]) < 0)
      return FALSE;
  for (gsize i = 0; i < (n + odd) / 2; i++)
    {
      gsize at = 2 * i;
      int high = odd ? (at == 0 ? 0 : hex (text[at - 1])) : hex (text[at]);
      int low = odd ? hex (text[at]) : hex (text[at + 1]);

      text[i] = (char) (high << 4 | low);
    }
  g_string_truncate (d->arena, v->start + (n + odd) / 2);
  return TRUE;
}

/* The binary digits at the end of the arena to bytes, the first byte padded. */
static gboolean
decode_bits (Dump *d, DumpValue *v)
{
  char *text = d->arena->str + v->start;
  gsize n = d->arena->len - v->start, bytes = (n + 7) / 8, lead = bytes * 8 - n;

  for (gsize i = 0; i < n; i++)
    if (text[i] != '0' && text[i] != '1')
      return FALSE;
  for (gsize i = 0; i < bytes; i++)
    {
      guint byte = 0;

      for (gsize bit = 0; bit < 8; bit++)
        {
          gsize at = i * 8 + bit;

          byte = byte << 1 | (at < lead ? 0 : (guint) (text[at - lead] - '0'));
        }
      /* Digit 8i - lead and later are still unread: byte i is written at or before them. */
      text[i] = (char) byte;
    }
  g_string_truncate (d->arena, v->start + bytes);
  return TRUE;
}

static gboolean
number_value (Dump *d, DumpValue *v, int c)
{
  int last = c;

  put_char (d, d->arena, (char) c);
  if (c == '0' && (peek (d) == 'x' || peek (d) == 'X' || peek (d) == 'b'))
    {
      gboolean bits = take (d) == 'b';

      g_string_truncate (d->arena, MIN (v->start, d->arena->len));
      while (is_word (peek (d)))
        put_char (d, d->arena, (char) take (d));
      v->kind = DUMP_BYTES;
      return d->too_long || (bits ? decode_bits (d, v) : decode_hex (d, v));
    }
  v->kind = DUMP_NUMBER;
  for (;;)
    {
      int e = peek (d);
      gboolean sign = (e == '+' || e == '-') && (last == 'e' || last == 'E');

      if (!is_digit (e) && e != '.' && e != 'e' && e != 'E' && !sign)
        return !is_word (e);
      put_char (d, d->arena, (char) e);
      take (d);
      last = e;
    }
}

static int read_value (Dump *d, DumpValue *v, int c);

/* unistr('..'), as sqlite3 writes control characters: \uXXXX and \\ inside. */
static gboolean
decode_unistr (Dump *d, DumpValue *v)
{
  gsize n = d->arena->len - v->start;
  g_autofree char *text = g_memdup2 (d->arena->str + v->start, n + 1);

  g_string_truncate (d->arena, v->start);
  for (gsize i = 0; i < n; i++)
    {
      guint digits, at;
      gunichar value = 0;

      if (text[i] != '\\')
        {
          put_char (d, d->arena, text[i]);
          continue;
        }
      if (i + 1 < n && text[i + 1] == '\\')
        {
          put_char (d, d->arena, '\\');
          i++;
          continue;
        }
      at = i + 1 < n && text[i + 1] == 'u' ? 2 : i + 1 < n && text[i + 1] == 'U' ? 2 : 1;
      digits = at == 2 && text[i + 1] == 'U' ? 8 : 4;
      if (i + at + digits > n)
        return FALSE;
      for (guint k = 0; k < digits; k++)
        {
          int x = hex ((guchar) text[i + at + k]);

          if (x < 0)
            return FALSE;
          value = value << 4 | (gunichar) x;
        }
      put_unichar (d, d->arena, value);
      i += at + digits - 1;
    }
  return TRUE;
}

/* Replaces @from by @to in the value at the end of the arena. */
static void
replace_in_value (Dump *d, DumpValue *v, const char *from, char to)
{
  char *text = d->arena->str + v->start, *out = text;
  char *end = d->arena->str + d->arena->len;
  gsize len = strlen (from);

  if (len == 0)
    return;
  for (char *at = text; at < end;)
    if ((gsize) (end - at) >= len && memcmp (at, from, len) == 0)
      {
        *out++ = to;
        at += len;
      }
    else
      *out++ = *at++;
  g_string_truncate (d->arena, (gsize) (out - d->arena->str));
}

/* After "replace(": a value, a text and char(N), as older sqlite3 write line
 * breaks.  Returns the byte after the call's ')'; what is another call is
 * walked over and left an expression. */
static int
read_replace (Dump *d, DumpValue *v)
{
  g_autoptr (GString) from = g_string_new (NULL);
  guint code = 0;
  int c = read_value (d, v, next_byte (d));

  if (c == ',' && v->kind == DUMP_TEXT && (c = next_byte (d)) == '\''
      && read_string (d, '\'', ESCAPE_NONE, from) && (c = next_byte (d)) == ',')
    {
      const char *call = "char(";

      while (*call && (c = next_byte (d)) == *call)
        call++;
      while (*call == 0 && is_digit (peek (d)) && code < 256)
        code = code * 10 + (guint) (take (d) - '0');
      if (code > 0 && code < 128 && (c = next_byte (d)) == ')' && (c = next_byte (d)) == ')')
        {
          replace_in_value (d, v, from->str, (char) code);
          return next_byte (d);
        }
      if (*call == 0) /* inside char( ): out of it first */
        c = skip_expression (d, c) == ')' ? next_byte (d) : -1;
    }
  v->kind = DUMP_EXPRESSION;
  while (c >= 0 && (c = skip_expression (d, c)) == ',')
    c = next_byte (d);
  return c == ')' ? next_byte (d) : -1;
}

static Escape
introduced_escape (Dump *d, const char *word)
{
  return g_ascii_strcasecmp (word, "e") == 0 ? ESCAPE_C : escape_mode (d);
}

/* A word right before a quote: X'..', b'..', E'..', N'..', _charset'..'. */
static gboolean
prefixed_string (Dump *d, DumpValue *v, const char *word)
{
  gboolean x = g_ascii_strcasecmp (word, "x") == 0, b = g_ascii_strcasecmp (word, "b") == 0;

  if (!read_string (d, '\'', x || b ? ESCAPE_NONE : introduced_escape (d, word), d->arena))
    return FALSE;
  v->kind = DUMP_TEXT;
  if (d->too_long)
    return TRUE;
  if (x || (b && d->dialect != DUMP_POSTGRES))
    {
      v->kind = DUMP_BYTES;
      if (!(x ? decode_hex (d, v) : decode_bits (d, v)))
        v->kind = DUMP_EXPRESSION;
    }
  else if (g_ascii_strcasecmp (word, "_binary") == 0)
    v->kind = DUMP_BYTES;
  else if (!b && word[0] != '_' && g_ascii_strcasecmp (word, "e") != 0
           && g_ascii_strcasecmp (word, "n") != 0)
    v->kind = DUMP_EXPRESSION;
  return TRUE;
}

static const struct
{
  const char *word;
  DumpKind kind;
} constants[] = {
  { "null", DUMP_NULL }, { "true", DUMP_TRUE }, { "false", DUMP_FALSE }, { "default", DUMP_DEFAULT }
};

/* A value that begins with a word; returns the byte after it. */
static int
word_value (Dump *d, DumpValue *v, int c)
{
  DumpPrivate *s = d->priv;
  char word[24];
  int after;

  g_string_truncate (s->word, 0);
  read_word (d, c, s->word);
  g_strlcpy (word, s->word->str, sizeof word);
  v->kind = DUMP_EXPRESSION;
  for (guint i = 0; i < G_N_ELEMENTS (constants); i++)
    if (g_ascii_strcasecmp (word, constants[i].word) == 0)
      v->kind = constants[i].kind;
  after = next_byte (d);
  if (after == '\'')
    return prefixed_string (d, v, word) ? next_byte (d) : -1;
  if (word[0] == '_' && (after == '0' || after == 'x' || after == 'X')) /* _utf8mb4 0x.. */
    {
      after = read_value (d, v, after);
      if (v->kind == DUMP_BYTES && g_ascii_strcasecmp (word, "_binary") != 0)
        v->kind = DUMP_TEXT;
      return after;
    }
  if (after == '(' && d->dialect == DUMP_SQLITE && g_ascii_strcasecmp (word, "replace") == 0)
    return read_replace (d, v);
  if (after == '(' && g_ascii_strcasecmp (word, "unistr") == 0)
    {
      after = read_value (d, v, next_byte (d));
      if (v->kind != DUMP_TEXT || after != ')' || d->too_long || !decode_unistr (d, v))
        v->kind = DUMP_EXPRESSION;
      return after == ')' ? next_byte (d) : after;
    }
  return after;
}

/* One value that begins with byte @c.  Returns the ',' or ')' after it; -1 at
 * the end of the text. */
static int
read_value (Dump *d, DumpValue *v, int c)
{
  gboolean negative = FALSE;

  v->start = d->arena->len;
  v->kind = DUMP_EXPRESSION;
  while (c == '-' || c == '+')
    {
      negative ^= c == '-';
      c = next_byte (d);
    }
  if (negative)
    put_char (d, d->arena, '-');
  if (c < 0)
    return -1;
  if (is_digit (c) || c == '.')
    {
      if (!number_value (d, v, c))
        v->kind = DUMP_EXPRESSION;
      c = next_byte (d);
    }
  else if (c == '\'' || (c == '"' && d->dialect == DUMP_MYSQL))
    {
      if (!read_string (d, (char) c, escape_mode (d), d->arena))
        return -1;
      v->kind = DUMP_TEXT;
      c = next_byte (d);
    }
  else if (is_word_start (c))
    c = word_value (d, v, c);
  if (negative && v->kind != DUMP_NUMBER)
    v->kind = DUMP_EXPRESSION;
  if (c == ':') /* a cast; the value is what it was */
    c = skip_expression (d, next_byte (d));
  else if (c != ',' && c != ')')
    {
      v->kind = DUMP_EXPRESSION;
      c = skip_expression (d, c);
    }
  return c;
}

/* ---- rows ------------------------------------------------------------------ */

static void
begin_row (Dump *d, const char *start)
{
  DumpPrivate *s = d->priv;

  g_array_set_size (d->values, 0);
  g_string_truncate (d->arena, 0);
  g_string_truncate (s->raw, 0);
  d->too_long = FALSE;
  s->row_start = start;
  d->line = here (d);
}

/* The row's own bytes: within the block, unless it began in an earlier one. */
static void
end_row (Dump *d)
{
  DumpPrivate *s = d->priv;

  if (s->row_start == NULL || s->raw->len > 0)
    {
      if (s->row_start)
        keep_raw (s);
      d->raw = (FrStr){ s->raw->str, s->raw->len };
    }
  else
    d->raw = (FrStr){ s->row_start, MIN ((gsize) (s->p - s->row_start), MAX_RAW) };
  s->row_start = NULL;
}

static void
add_value (Dump *d, DumpValue *v)
{
  v->len = d->arena->len - MIN (v->start, d->arena->len);
  if (d->values->len < MAX_VALUES)
    g_array_append_val (d->values, *v);
  else
    d->too_long = TRUE;
}

/* After "(": the values up to ")". */
static gboolean
read_row (Dump *d)
{
  int c;

  begin_row (d, d->priv->p - 1);
  c = next_byte (d);
  while (c >= 0 && c != ')')
    {
      DumpValue v = { DUMP_EXPRESSION, 0, 0 };

      c = read_value (d, &v, c);
      add_value (d, &v);
      if (c == ',')
        c = next_byte (d);
    }
  if (c < 0)
    return truncated (d);
  end_row (d);
  return TRUE;
}

/* Between VALUES, or a row, and the next row.  FALSE: no more, or an error. */
static gboolean
to_row (Dump *d)
{
  DumpPrivate *s = d->priv;
  int c = next_byte (d);

  if (s->state == STATE_NEXT_ROW)
    {
      if (c == ';')
        {
          s->state = STATE_STATEMENT;
          return FALSE;
        }
      if (c >= 0 && c != ',') /* ON DUPLICATE KEY UPDATE, ON CONFLICT, RETURNING */
        {
          s->state = STATE_STATEMENT;
          if (!is_word_start (c))
            return malformed (d, "',' or ';' after a row");
          return skip_whole (d) && FALSE;
        }
      if (c == ',')
        c = next_byte (d);
    }
  if (c < 0)
    return truncated (d);
  if (c != '(')
    return malformed (d, "a row in parentheses");
  s->state = STATE_NEXT_ROW;
  return read_row (d);
}

/* One field of a COPY line; returns the tab or newline after it, -1 at the end
 * of the text, '.' for the end of the block. */
static int
copy_field (Dump *d, DumpValue *v)
{
  DumpPrivate *s = d->priv;
  gboolean first = TRUE;

  v->start = d->arena->len;
  v->kind = DUMP_TEXT;
  for (;;)
    {
      const char *q = s->p;
      int c;

      while (q < s->end && *q != '\t' && *q != '\n' && *q != '\\')
        q++;
      if (q > s->p)
        {
          put (d, d->arena, s->p, (gsize) (q - s->p));
          first = FALSE;
          s->p = q;
        }
      c = take (d);
      if (c < 0 || c == '\t' || c == '\n')
        return c;
      if (c != '\\')
        {
          s->p--;
          continue;
        }
      c = take (d);
      if (c < 0)
        return -1;
      if (first && c == '.' && d->values->len == 0)
        return '.';
      if (first && c == 'N' && (peek (d) == '\t' || peek (d) == '\n' || peek (d) == '\r'))
        v->kind = DUMP_NULL;
      else
        escape_c (d, c, d->arena);
      first = FALSE;
    }
}

/* One line of a COPY block.  FALSE: its end, or an error. */
static gboolean
read_copy_row (Dump *d)
{
  DumpPrivate *s = d->priv;
  int c;

  if (peek (d) < 0)
    return truncated (d);
  begin_row (d, s->p);
  do
    {
      DumpValue v = { DUMP_TEXT, 0, 0 };

      c = copy_field (d, &v);
      if (c == '.')
        {
          s->row_start = NULL;
          skip_line (d, NULL);
          s->state = STATE_STATEMENT;
          return FALSE;
        }
      /* A file that went through Windows; COPY itself writes a carriage return as \\r. */
      if (c == '\n' && d->arena->len > v.start && d->arena->str[d->arena->len - 1] == '\r')
        g_string_truncate (d->arena, d->arena->len - 1);
      if (v.kind == DUMP_NULL)
        g_string_truncate (d->arena, MIN (v.start, d->arena->len));
      add_value (d, &v);
    }
  while (c == '\t');
  if (c < 0)
    return truncated (d);
  s->p--; /* not part of the row */
  end_row (d);
  s->p++;
  return TRUE;
}

static gboolean
skip_copy (Dump *d)
{
  for (;;)
    {
      gboolean end = FALSE;

      if (peek (d) < 0)
        return truncated (d);
      if (peek (d) == '\\')
        {
          take (d);
          end = peek (d) == '.';
        }
      skip_line (d, NULL);
      take (d);
      if (end)
        return TRUE;
    }
}

/* ---- statements ------------------------------------------------------------ */

/* The statement whose first byte is @c.  The event it makes, or DUMP_EOF for none. */
static DumpEvent
statement (Dump *d, int c)
{
  DumpPrivate *s = d->priv;

  if (c == '\\' && s->delimiter->len == 0) /* a command of psql */
    {
      skip_line (d, NULL);
      return DUMP_EOF;
    }
  if (!is_word_start (c))
    {
      if (s->delimiter->len ? c == (guchar) s->delimiter->str[0] && ends_delimiter (d) : c == ';')
        return DUMP_EOF;
      return skip_whole (d) ? DUMP_EOF : DUMP_FAILED;
    }
  g_string_truncate (s->word, 0);
  read_word (d, c, s->word);
  s->token = T_WORD;
  d->unreadable = FALSE;
  if (is_keyword (d, "delimiter") && d->dialect == DUMP_MYSQL)
    read_delimiter (d);
  else if (s->delimiter->len)
    skip_whole (d);
  else if (is_keyword (d, "create"))
    return read_create (d) ? DUMP_TABLE : DUMP_EOF;
  else if (is_keyword (d, "insert") || is_keyword (d, "replace"))
    return read_insert (d) ? DUMP_INSERT : DUMP_EOF;
  else if (is_keyword (d, "copy") && d->dialect != DUMP_MYSQL)
    return read_copy (d) ? DUMP_INSERT : DUMP_EOF;
  else if (is_keyword (d, "set"))
    read_set (d);
  else
    skip_whole (d);
  return DUMP_EOF;
}

static DumpEvent
failed (Dump *d, GError **error)
{
  g_propagate_error (error, g_steal_pointer (&d->priv->error));
  return DUMP_FAILED;
}

DumpEvent
dump_next (Dump *d, GError **error)
{
  DumpPrivate *s = d->priv;
  DumpEvent event = DUMP_EOF;

  while (s->error == NULL)
    {
      int c;

      if ((s->state == STATE_VALUES || s->state == STATE_NEXT_ROW) && to_row (d))
        event = DUMP_ROW;
      else if (s->error == NULL && s->state == STATE_COPY && read_copy_row (d))
        event = DUMP_ROW;
      if (s->error)
        break;
      if (event != DUMP_EOF)
        return event;
      if (s->state == STATE_SKIP || s->state == STATE_COPY_SKIP)
        {
          if (!(s->state == STATE_SKIP ? skip_whole (d) : skip_copy (d)))
            break;
          s->state = STATE_STATEMENT;
        }
      c = next_byte (d);
      s->statement_line = d->line = here (d);
      if (c < 0)
        {
          if (s->error || (s->in_version > 0 && !truncated (d)))
            break;
          return DUMP_EOF;
        }
      event = statement (d, c);
      if (event != DUMP_EOF && s->error == NULL)
        return event;
      event = DUMP_EOF;
    }
  return failed (d, error);
}

void
dump_skip (Dump *d)
{
  DumpPrivate *s = d->priv;

  if (s->state == STATE_COPY)
    s->state = STATE_COPY_SKIP;
  else if (s->state != STATE_COPY_SKIP && s->state != STATE_STATEMENT)
    s->state = STATE_SKIP;
}

/* ---- life ------------------------------------------------------------------ */

Dump *
dump_new (DumpDialect dialect, gboolean no_backslash, gsize max_row, DumpRead read, gpointer data)
{
  Dump *d = g_new0 (Dump, 1);
  DumpPrivate *s = d->priv = g_new0 (DumpPrivate, 1);

  d->dialect = dialect;
  d->columns = g_ptr_array_new_with_free_func (column_free);
  d->values = g_array_new (FALSE, FALSE, sizeof (DumpValue));
  d->arena = g_string_new (NULL);
  s->word = g_string_new (NULL);
  s->delimiter = g_string_new (NULL);
  s->raw = g_string_new (NULL);
  s->head = g_string_new (NULL);
  s->read = read;
  s->data = data;
  s->max_row = max_row;
  s->given_dialect = dialect != DUMP_AUTO;
  s->given_no_backslash = no_backslash;
  s->backslash = s->saved_backslash = dialect == DUMP_MYSQL && !no_backslash;
  dump_restart (d);
  return d;
}

void
dump_restart (Dump *d)
{
  DumpPrivate *s = d->priv;

  s->p = s->end = s->counted = s->quote = s->row_start = NULL;
  s->line_counted = 1;
  s->started = s->eof = s->unread = FALSE;
  s->in_version = 0;
  s->state = STATE_STATEMENT;
  g_string_truncate (s->delimiter, 0);
  d->headed = d->completed = FALSE;
}

void
dump_free (Dump *d)
{
  DumpPrivate *s = d->priv;

  forget_table (d);
  g_ptr_array_unref (d->columns);
  g_array_unref (d->values);
  g_string_free (d->arena, TRUE);
  g_string_free (s->word, TRUE);
  g_string_free (s->delimiter, TRUE);
  g_string_free (s->raw, TRUE);
  g_string_free (s->head, TRUE);
  g_clear_error (&s->error);
  g_free (d->charset);
  g_free (s);
  g_free (d);
}
