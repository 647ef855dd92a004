/* SPDX-License-Identifier: Apache-2.0 */
/* webpage.c: see webpage.h. */
#include "config.h"

#include "text/webpage/webpage.h"

#include <string.h>

static void
append_part (GString *out, const char *folder, const char *name)
{
  g_autofree char *path = g_strconcat (folder, name, NULL);
  g_autoptr (GBytes) bytes = g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

  g_assert (bytes != NULL); /* it is compiled in */
  g_string_append_len (out, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
}

/* The page's own behind what all pages share. */
static GString *
two_parts (const char *folder, const char *shared, const char *own)
{
  GString *out = g_string_new (NULL);

  append_part (out, "/flowrun/webpage/", shared);
  append_part (out, folder, own);
  return out;
}

/* JSON that no text in it can lead out of: what HTML or old JavaScript gives a meaning to stands
 * as \u escapes.  Outside strings JSON has none of these. */
static GString *
for_script (const GString *json)
{
  GString *out = g_string_new (NULL);

  for (const char *p = json != NULL ? json->str : ""; *p != '\0'; p++)
    if (*p == '<' || *p == '>' || *p == '&' || *p == '\x7f')
      g_string_append_printf (out, "\\u%04x", (guint) *p);
    else if (memcmp (p, "\xe2\x80", 2) == 0 && (p[2] == '\xa8' || p[2] == '\xa9'))
      {
        g_string_append_printf (out, "\\u20%02x", p[2] == '\xa8' ? 0x28u : 0x29u);
        p += 2;
      }
    else
      g_string_append_c (out, *p);
  return out;
}

/* 'sha256-…' of a script or style, as Content Security Policy 3, section 2.3.1 has it. */
static char *
policy_hash (const GString *text)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *hash = NULL;
  guint8 digest[32];
  gsize len = sizeof digest;

  g_checksum_update (sum, (const guchar *) text->str, (gssize) text->len);
  g_checksum_get_digest (sum, digest, &len);
  hash = g_base64_encode (digest, len);
  return g_strdup_printf ("'sha256-%s'", hash);
}

static GString *
make_policy (const GString *style, const GString *script, const char *more)
{
  g_autofree char *style_hash = policy_hash (style), *script_hash = policy_hash (script);
  GString *policy = g_string_new (NULL);

  g_string_printf (
      policy,
      "default-src 'none'; style-src %s; script-src %s; img-src data:; base-uri 'none'; "
      "form-action 'none'%s",
      style_hash, script_hash, more);
  return policy;
}

/* Copies @html with each @NAME@ replaced. */
static GString *
put_together (const GString *html, const char *const *names, const GString *const *values)
{
  GString *out = g_string_new (NULL);
  const char *p = html->str;

  for (const char *at; (at = strchr (p, '@')) != NULL;)
    {
      guint i = 0;

      g_string_append_len (out, p, at - p);
      while (names[i] != NULL && !g_str_has_prefix (at + 1, names[i]))
        i++;
      if (names[i] != NULL)
        g_string_append_len (out, values[i]->str, (gssize) values[i]->len);
      else
        g_string_append_c (out, '@');
      p = at + 1 + (names[i] != NULL ? strlen (names[i]) : 0);
    }
  return g_string_append (out, p);
}

GString *
text_webpage_build (const char *resources, const char *title, const GString *data,
                    const char *policy_more, char **policy)
{
  static const char *const names[] = { "POLICY@", "TITLE@", "STYLE@", "DATA@", "SCRIPT@", NULL };
  g_autofree char *escaped = g_markup_escape_text (title, -1);
  g_autoptr (GString) html = g_string_new (NULL), head = g_string_new (escaped),
                      style = two_parts (resources, "base.css", "page.css"),
                      script = two_parts (resources, "base.js", "page.js"),
                      json = for_script (data), rules = make_policy (style, script, policy_more);
  const GString *const values[] = { rules, head, style, json, script };

  append_part (html, resources, "page.html");
  if (policy != NULL)
    *policy = g_strdup (rules->str);
  return put_together (html, names, values);
}
