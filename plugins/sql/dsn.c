/* SPDX-License-Identifier: Apache-2.0 */
/* dsn.c: where a server is and who asks, in one secret text (dsn.h). */
#include "config.h"

#include "sql/dsn.h"

#include <flowrun/error.h>
#include <string.h>

static void
free_secret (gpointer text)
{
  explicit_bzero (text, strlen (text));
  g_free (text);
}

static gboolean
wrong (GError **error, const char *what)
{
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "'dsn' cannot be read: %s; the form is scheme://user:password@host:port/database or "
               "key=value, its text is not shown since it may hold a password",
               what);
  return FALSE;
}

static gboolean
set (GHashTable *values, const char *const *keys, const char *key, char *value, GError **error)
{
  if (!g_strv_contains (keys, key))
    {
      g_autofree char *all = g_strjoinv (", ", (char **) keys);

      /* A key may be a piece of a password with a blank in it. */
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "'dsn' holds a key that is none of %s (it is not shown since it may be part of "
                   "a password: values with blanks belong in quotes)",
                   all);
      free_secret (value);
      return FALSE;
    }
  if (g_hash_table_contains (values, key))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "'dsn' gives '%s' twice", key);
      free_secret (value);
      return FALSE;
    }
  g_hash_table_insert (values, g_strdup (key), value);
  return TRUE;
}

/* ---- scheme://... ----------------------------------------------------------- */

/* [at, end) without its percents; FALSE for bad ones, NUL and bad UTF-8. */
static gboolean
set_decoded (GHashTable *values, const char *const *keys, const char *key, const char *at,
             const char *end, GError **error)
{
  char *value = g_uri_unescape_segment (at, end, NULL);

  if (value == NULL || !g_utf8_validate (value, -1, NULL))
    {
      g_free (value);
      return wrong (error, "a '%' that two hexadecimal digits of UTF-8 do not follow");
    }
  return set (values, keys, key, value, error);
}

static const char *
find (const char *at, const char *end, char wanted)
{
  return memchr (at, wanted, (gsize) (end - at));
}

static gboolean
parse_host (GHashTable *values, const char *const *keys, const char *at, const char *end,
            GError **error)
{
  const char *close = at < end && *at == '[' ? find (at, end, ']') : NULL;
  const char *colon;

  if (at < end && *at == '[' && close == NULL)
    return wrong (error, "an IPv6 address without its ']'");
  colon = find (close ? close : at, end, ':');
  if (close && close + 1 != end && close + 1 != colon)
    return wrong (error, "text behind the ']' of an address");
  if (close ? !set_decoded (values, keys, "host", at + 1, close, error)
            : at < (colon ? colon : end)
                  && !set_decoded (values, keys, "host", at, colon ? colon : end, error))
    return FALSE;
  return colon == NULL || colon + 1 == end
         || set_decoded (values, keys, "port", colon + 1, end, error);
}

static gboolean
parse_options (GHashTable *values, const char *const *keys, const char *at, const char *end,
               GError **error)
{
  while (at < end)
    {
      const char *next = find (at, end, '&'), *stop = next ? next : end;
      const char *equals = find (at, stop, '=');
      g_autofree char *key = NULL;

      if (equals == NULL || equals == at)
        return wrong (error, "an option behind '?' that is no key=value");
      key = g_strndup (at, (gsize) (equals - at));
      if (!set_decoded (values, keys, key, equals + 1, stop, error))
        return FALSE;
      at = next ? next + 1 : end;
    }
  return TRUE;
}

static gboolean
parse_uri (GHashTable *values, const char *const *keys, const char *at, GError **error)
{
  const char *end = at + strlen (at), *options = find (at, end, '?');
  const char *path_end = options ? options : end;
  const char *path = find (at, path_end, '/'), *who_end = path ? path : path_end;
  const char *host = at, *sign = NULL;

  /* The last '@', for passwords that were not encoded. */
  for (const char *p = at; p < who_end; p++)
    if (*p == '@')
      sign = p;
  if (sign)
    {
      const char *colon = find (at, sign, ':');

      if (!set_decoded (values, keys, "user", at, colon ? colon : sign, error)
          || (colon && !set_decoded (values, keys, "password", colon + 1, sign, error)))
        return FALSE;
      host = sign + 1;
    }
  if (!parse_host (values, keys, host, who_end, error))
    return FALSE;
  if (path && path + 1 < path_end
      && !set_decoded (values, keys, "database", path + 1, path_end, error))
    return FALSE;
  return options == NULL || parse_options (values, keys, options + 1, end, error);
}

/* ---- key=value -------------------------------------------------------------- */

static gboolean
parse_pairs (GHashTable *values, const char *const *keys, const char *at, GError **error)
{
  for (;;)
    {
      g_autoptr (GString) value = g_string_new (NULL);
      g_autofree char *key = NULL;
      const char *start;
      gboolean quoted, ok;

      while (g_ascii_isspace (*at) || *at == ';')
        at++;
      if (*at == '\0')
        return TRUE;
      for (start = at; g_ascii_isalnum (*at) || *at == '_'; at++)
        ;
      if (at == start || *at != '=')
        return wrong (error, "a word that is no key=value");
      key = g_strndup (start, (gsize) (at++ - start));
      quoted = *at == '\'';
      for (at += quoted; *at && (quoted ? *at != '\'' : !g_ascii_isspace (*at) && *at != ';'); at++)
        {
          if (*at == '\\' && at[1] != '\0')
            at++;
          g_string_append_c (value, *at);
        }
      if (quoted && *at++ != '\'')
        return wrong (error, "a quote that is never closed");
      ok = set (values, keys, key, g_strndup (value->str, value->len), error);
      explicit_bzero (value->str, value->len);
      if (!ok)
        return FALSE;
    }
}

/* ---- all -------------------------------------------------------------------- */

GHashTable *
sql_dsn_parse (const char *dsn, const char *const *schemes, const char *const *keys, GError **error)
{
  g_autoptr (GHashTable) values
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_secret);
  const char *rest = strstr (dsn, "://");
  gboolean ok;

  if (!g_utf8_validate (dsn, -1, NULL))
    {
      wrong (error, "it is not UTF-8");
      return NULL;
    }
  while (g_ascii_isspace (*dsn))
    dsn++;
  if (rest && strcspn (dsn, "=/ ") > (gsize) (rest - dsn))
    {
      g_autofree char *scheme = g_strndup (dsn, (gsize) (rest - dsn));
      g_autofree char *text = g_strdup (rest + 3);

      /* A file ends in a newline. */
      g_strchomp (text);
      ok = g_strv_contains (schemes, scheme) ? parse_uri (values, keys, text, error)
                                             : wrong (error, "another kind of server's");
      explicit_bzero (text, strlen (text));
    }
  else
    ok = parse_pairs (values, keys, dsn, error);
  return ok ? g_steal_pointer (&values) : NULL;
}

/* Where the value at @at ends; @value: where to put it, or NULL. */
static const char *
braced_value (const char *at, char **value)
{
  g_autoptr (GString) out = g_string_new (NULL);

  if (*at == '{')
    for (at++; *at && (*at != '}' || at[1] == '}'); at++)
      {
        at += *at == '}'; /* doubled */
        g_string_append_c (out, *at);
      }
  else
    for (; *at && *at != ';'; at++)
      g_string_append_c (out, *at);
  if (value)
    *value = g_strndup (out->str, out->len);
  explicit_bzero (out->str, out->len);
  while (*at && *at != ';')
    at++;
  return *at ? at + 1 : at;
}

char *
sql_dsn_braced (const char *dsn, const char *key)
{
  char *value = NULL;

  while (*dsn && value == NULL)
    {
      gsize n;

      while (g_ascii_isspace (*dsn) || *dsn == ';')
        dsn++;
      n = strcspn (dsn, "=;");
      if (dsn[n] != '=')
        {
          dsn += n + (dsn[n] != '\0');
          continue;
        }
      while (n > 0 && g_ascii_isspace (dsn[n - 1]))
        n--;
      dsn = braced_value (dsn + strcspn (dsn, "=") + 1,
                          n == strlen (key) && g_ascii_strncasecmp (dsn, key, n) == 0 ? &value
                                                                                      : NULL);
    }
  return value;
}

gboolean
sql_dsn_is_local (const char *host)
{
  return host == NULL || *host == '\0' || *host == '/' || *host == '@';
}
