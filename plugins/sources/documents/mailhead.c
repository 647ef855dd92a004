/* SPDX-License-Identifier: Apache-2.0 */
/* mailhead.c: RFC 2047. */
#include "config.h"

#include "mailhead.h"
#include "utf8.h"

#include <string.h>

typedef struct
{
  char charset[64];
  GString *bytes; /* of adjacent words in one charset */
  GString *out;
  guint64 *replaced;
} Words;

static void
settle (Words *w)
{
  GString *text;

  if (w->bytes->len == 0)
    return;
  text = utf8_decode (w->bytes->str, w->bytes->len, *w->charset ? w->charset : NULL, w->replaced);
  g_string_append_len (w->out, text->str, (gssize) text->len);
  g_string_free (text, TRUE);
  g_string_truncate (w->bytes, 0);
  *w->charset = '\0';
}

static int
hex (char c)
{
  return g_ascii_xdigit_value (c);
}

static void
append_q (const char *p, const char *end, GString *out)
{
  for (; p < end; p++)
    if (*p == '_')
      g_string_append_c (out, ' ');
    else if (*p == '=' && end - p > 2 && hex (p[1]) >= 0 && hex (p[2]) >= 0)
      {
        g_string_append_c (out, (char) (hex (p[1]) * 16 + hex (p[2])));
        p += 2;
      }
    else
      g_string_append_c (out, *p);
}

static void
append_b (const char *p, const char *end, GString *out)
{
  gsize n = (gsize) (end - p);
  g_autofree guchar *bytes = g_malloc (n / 4 * 3 + 8);
  gint state = 0;
  guint save = 0;

  g_string_append_len (out, (char *) bytes,
                       (gssize) g_base64_decode_step (p, n, bytes, &state, &save));
}

/* "=?charset?B?text?=" at @p; where it ends, NULL when it is none. */
static const char *
take_word (Words *w, const char *p, const char *end)
{
  const char *charset = p + 2, *q, *text, *close = NULL;
  gsize n;

  if (end - p < 8 || p[0] != '=' || p[1] != '?')
    return NULL;
  q = memchr (charset, '?', MIN ((gsize) (end - charset), 64));
  if (q == NULL || end - q < 5 || q[2] != '?' || !strchr ("bBqQ", q[1]))
    return NULL;
  text = q + 3;
  /* A Q word may hold '?' by mistake; a B word may not. */
  for (close = text; close + 1 < end && !(close[0] == '?' && close[1] == '='); close++)
    if (close - text > 4096)
      return NULL;
  if (close + 1 >= end)
    return NULL;
  n = (gsize) (q - charset);
  for (gsize i = 0; i < n; i++)
    if (charset[i] == '*')
      n = i;
  if (strlen (w->charset) != n || g_ascii_strncasecmp (w->charset, charset, n) != 0)
    {
      settle (w);
      n = MIN (n, sizeof w->charset - 1);
      memcpy (w->charset, charset, n);
      w->charset[n] = '\0';
    }
  if (q[1] == 'b' || q[1] == 'B')
    append_b (text, close, w->bytes);
  else
    append_q (text, close, w->bytes);
  return close + 2;
}

static gboolean
is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
collapse (GString *text)
{
  gsize to = 0;

  for (gsize i = 0; i < text->len; i++)
    {
      guchar c = (guchar) text->str[i];

      if (c > ' ' && c != 0x7f)
        text->str[to++] = (char) c;
      else if (to > 0 && text->str[to - 1] != ' ')
        text->str[to++] = ' ';
    }
  while (to > 0 && text->str[to - 1] == ' ')
    to--;
  g_string_truncate (text, to);
}

GString *
mail_header_decode (FrStr raw, guint64 *replaced)
{
  Words w = { "", g_string_new (NULL), g_string_new (NULL), replaced };
  const char *p = raw.data, *end = p + raw.len, *plain = p;
  GString *rest = g_string_new (NULL);

  while (p < end)
    {
      const char *next = *p == '=' ? take_word (&w, p, end) : NULL;

      if (next)
        {
          const char *after = next;

          /* Blanks between two encoded words are none. */
          while (after < end && is_space (*after))
            after++;
          p = plain
              = after < end && *after == '=' && after + 1 < end && after[1] == '?' ? after : next;
          continue;
        }
      settle (&w);
      while (p < end && (*p != '=' || p == plain))
        p++;
      g_string_truncate (rest, 0);
      g_string_append_len (rest, plain, p - plain);
      if (g_utf8_validate (rest->str, (gssize) rest->len, NULL))
        g_string_append_len (w.out, rest->str, (gssize) rest->len);
      else
        {
          GString *text = utf8_decode (rest->str, rest->len, NULL, replaced);

          g_string_append_len (w.out, text->str, (gssize) text->len);
          g_string_free (text, TRUE);
        }
      plain = p;
    }
  settle (&w);
  g_string_free (rest, TRUE);
  g_string_free (w.bytes, TRUE);
  collapse (w.out);
  return w.out;
}

GString *
mail_name (FrStr decoded)
{
  GString *name = g_string_new (NULL);
  const char *open = memchr (decoded.data, '<', decoded.len);
  gsize to = open ? (gsize) (open - decoded.data) : decoded.len;
  gboolean quoted = FALSE;

  for (gsize i = 0; i < to; i++)
    {
      char c = decoded.data[i];

      if (c == '"')
        quoted = !quoted;
      else if (c == '\\' && i + 1 < to)
        g_string_append_c (name, decoded.data[++i]);
      else if (c == ',' && !quoted)
        break;
      else
        g_string_append_c (name, c);
    }
  collapse (name);
  if (name->len == 0 && open)
    {
      const char *close = memchr (open, '>', decoded.len - to);

      if (close)
        g_string_append_len (name, open + 1, close - open - 1);
    }
  if (!g_utf8_validate (name->str, (gssize) name->len, NULL))
    {
      g_autofree char *valid = g_utf8_make_valid (name->str, (gssize) name->len);

      g_string_assign (name, valid);
    }
  return name;
}
