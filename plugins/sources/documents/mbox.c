/* SPDX-License-Identifier: Apache-2.0 */
/* mbox.c: lines of a stream, gathered until the next separator. */
#include "config.h"

#include "mbox.h"

#include <string.h>

#define BLOCK (64 * 1024)
/* A line is judged by so much of it; a separator is shorter. */
#define MAX_SEPARATOR 512

struct _Mbox
{
  MboxRead read;
  gpointer source;
  gsize max;
  GByteArray *message;
  char buffer[BLOCK];
  gsize start, end;
  gboolean eof, failed;
  gboolean begun;       /* a separator was seen: what follows is a message */
  gboolean after_blank; /* the last line was empty */
};

Mbox *
mbox_new (MboxRead read, gpointer source, gsize max_message)
{
  Mbox *m = g_new0 (Mbox, 1);

  m->read = read;
  m->source = source;
  m->max = max_message;
  m->message = g_byte_array_new ();
  m->after_blank = TRUE;
  return m;
}

void
mbox_free (Mbox *mbox)
{
  if (mbox == NULL)
    return;
  g_byte_array_unref (mbox->message);
  g_free (mbox);
}

/* "From someone@host Thu Nov 26 10:00:00 2026" */
static gboolean
is_separator (const char *line, gsize len)
{
  gboolean colon = FALSE;
  guint digits = 0;
  gsize i = len;

  if (len < 15 || len > MAX_SEPARATOR || memcmp (line, "From ", 5) != 0)
    return FALSE;
  while (i > 5 && (line[i - 1] == '\r' || line[i - 1] == '\n' || line[i - 1] == ' '))
    i--;
  /* The year, perhaps with a zone behind it: "2026", "2026 +0800". */
  for (gsize k = i > 40 ? i - 40 : 5; k < i; k++)
    {
      colon |= line[k] == ':' && g_ascii_isdigit (line[k - 1]);
      digits = g_ascii_isdigit (line[k]) ? digits + 1 : digits >= 4 && line[k] == ' ' ? 4 : 0;
      if (digits == 4 && colon)
        return TRUE;
    }
  return FALSE;
}

static gboolean
fill (Mbox *m)
{
  gssize n;

  if (m->start > 0)
    {
      memmove (m->buffer, m->buffer + m->start, m->end - m->start);
      m->end -= m->start;
      m->start = 0;
    }
  if (m->eof || m->end == BLOCK)
    return FALSE;
  n = m->read (m->source, m->buffer + m->end, BLOCK - m->end);
  m->failed |= n < 0;
  m->eof |= n <= 0;
  m->end += n > 0 ? (gsize) n : 0;
  return n > 0;
}

/* A line with its end, or a block's worth of a longer one. */
static gboolean
next_piece (Mbox *m, const char **line, gsize *len)
{
  for (;;)
    {
      const char *from = m->buffer + m->start;
      const char *newline = memchr (from, '\n', m->end - m->start);

      if (newline)
        {
          *line = from;
          *len = (gsize) (newline - from) + 1;
          m->start += *len;
          return TRUE;
        }
      if (fill (m))
        continue;
      *line = m->buffer + m->start;
      *len = m->end - m->start;
      m->start = m->end;
      return *len > 0;
    }
}

static void
take (Mbox *m, const char *line, gsize len, gboolean whole, gboolean *too_long)
{
  gsize quotes = 0;

  while (quotes < len && line[quotes] == '>')
    quotes++;
  if (whole && quotes > 0 && len - quotes >= 5 && memcmp (line + quotes, "From ", 5) == 0)
    {
      line++;
      len--;
    }
  if (m->message->len + len > m->max)
    {
      *too_long = TRUE;
      len = m->max - m->message->len;
    }
  g_byte_array_append (m->message, (const guint8 *) line, (guint) len);
}

gboolean
mbox_next (Mbox *m, const char **data, gsize *len, gboolean *too_long, gboolean *failed)
{
  const char *line;
  gsize n;
  gboolean whole = TRUE, any = FALSE;

  *too_long = FALSE;
  g_byte_array_set_size (m->message, 0);
  while (next_piece (m, &line, &n))
    {
      if (whole && m->after_blank && is_separator (line, n))
        {
          m->after_blank = FALSE;
          if (m->begun && any)
            break;
          m->begun = TRUE;
          any = TRUE;
          continue;
        }
      m->begun = any = TRUE;
      m->after_blank = whole && (n == 1 || (n == 2 && *line == '\r'));
      take (m, line, n, whole, too_long);
      whole = line[n - 1] == '\n';
    }
  *failed = m->failed;
  if (m->failed || !any)
    return FALSE;
  *data = m->message->data ? (const char *) m->message->data : "";
  *len = m->message->len;
  return TRUE;
}
