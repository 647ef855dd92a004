/* SPDX-License-Identifier: Apache-2.0 */
/* display.c: a URL as it may stand in a message: without its secrets. */
#include "config.h"

#include "url.h"

#include <string.h>

#define SHOWN 300 /* characters */

/* Parts of parameter names whose values give access. */
static gboolean
is_telling (const char *name, gsize len)
{
  static const char *const parts[]
      = { "token", "key",     "secret", "sign",   "passw",      "pwd", "auth",
          "code",  "session", "sid",    "ticket", "credential", "jwt" };
  g_autofree char *lower = g_ascii_strdown (name, (gssize) len);

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (strstr (lower, parts[i]))
      return TRUE;
  return FALSE;
}

static void
append_query (GString *out, const char *p)
{
  while (*p)
    {
      gsize len = strcspn (p, "&;"), name = strcspn (p, "=&;");

      if (name < len && is_telling (p, name))
        {
          g_string_append_len (out, p, (gssize) name);
          g_string_append (out, "=***");
        }
      else
        g_string_append_len (out, p, (gssize) len);
      p += len;
      if (*p)
        g_string_append_c (out, *p++);
    }
}

char *
net_url_display (const char *text)
{
  g_autofree char *copy = g_strdup (text ? text : "");
  g_autoptr (GString) out = g_string_new (NULL);
  char *rest = copy, *authority, *query;
  g_autofree char *valid = NULL;

  rest[strcspn (rest, "#")] = '\0';
  authority = strstr (rest, "//");
  if (authority)
    {
      gsize len = strcspn (authority + 2, "/?\\");
      char *at = g_strrstr_len (authority + 2, (gssize) len, "@");

      g_string_append_len (out, rest, authority + 2 - rest);
      rest = at ? at + 1 : authority + 2;
    }
  query = strchr (rest, '?');
  g_string_append_len (out, rest, query ? query + 1 - rest : (gssize) strlen (rest));
  if (query)
    append_query (out, query + 1);
  valid = g_utf8_make_valid (out->str, (gssize) out->len);
  for (char *p = valid; *p; p++)
    if ((guchar) *p < ' ' || *p == 0x7f)
      *p = ' ';
  if (g_utf8_strlen (valid, -1) > SHOWN)
    {
      char *end = g_utf8_offset_to_pointer (valid, SHOWN);

      *end = '\0';
      return g_strconcat (valid, "…", NULL);
    }
  return g_steal_pointer (&valid);
}
