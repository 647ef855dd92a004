/* SPDX-License-Identifier: Apache-2.0 */
/* page.c: see page.h. */
#include "config.h"

#include "page.h"

#include <string.h>

/* ---- the data -------------------------------------------------------------------------------- */

static void
append_member (GString *out, const char *name, const char *text)
{
  g_string_append_printf (out, "\"%s\":", name);
  fr_json_append_string (out, text, strlen (text));
}

static void
append_languages (GString *out, const char *name, char *const *texts)
{
  g_string_append_printf (out, "\"%s\":{", name);
  for (guint lang = 0; lang < RATING_LANGUAGES; lang++)
    {
      g_string_append (out, lang > 0 ? "," : "");
      append_member (out, rating_languages[lang], texts[lang]);
    }
  g_string_append_c (out, '}');
}

static void
append_criterion (GString *out, const RatingCriterion *c)
{
  g_string_append_c (out, '{');
  append_member (out, "name", c->name);
  g_string_append_c (out, ',');
  append_languages (out, "title", c->title);
  g_string_append_c (out, ',');
  append_languages (out, "ask", c->ask);
  g_string_append (out, ",\"anchors\":{");
  for (guint lang = 0; lang < RATING_LANGUAGES; lang++)
    {
      g_string_append_printf (out, "%s\"%s\":[", lang > 0 ? "," : "", rating_languages[lang]);
      for (guint i = 0; i < RATING_LEVELS; i++)
        {
          g_string_append (out, i > 0 ? "," : "");
          fr_json_append_string (out, c->anchors[lang][i], strlen (c->anchors[lang][i]));
        }
      g_string_append_c (out, ']');
    }
  g_string_append (out, "}}");
}

static void
append_task (GString *out, const RatingTask *task)
{
  g_string_append (out, "{\"parts\":[");
  for (guint i = 0; task->parts[i] != NULL; i += 2)
    {
      g_string_append (out, i > 0 ? ",[" : "[");
      fr_json_append_string (out, task->parts[i], strlen (task->parts[i]));
      g_string_append_c (out, ',');
      fr_json_append_string (out, task->parts[i + 1], strlen (task->parts[i + 1]));
      g_string_append_c (out, ']');
    }
  g_string_append (out, "],\"reference\":");
  if (task->reference != NULL)
    fr_json_append_string (out, task->reference, strlen (task->reference));
  else
    g_string_append (out, "null");
  g_string_append_c (out, '}');
}

static void
append_item (GString *out, const RatingKey *key, guint i)
{
  const RatingItem *item = key->items->pdata[i];

  g_string_append_printf (out, "{\"id\":\"%s\",\"p\":%u,\"fast\":", item->id, item->prompt);
  fr_json_append_double (out, item->fast);
  g_string_append_c (out, ',');
  append_member (out, "text", rating_key_text (key, i));
  g_string_append_c (out, '}');
}

/* Everything that page.js is told, but the page's id; no name of a system is among it. */
static GString *
make_data (const RatingPage *page)
{
  GString *out = g_string_new (NULL);
  char *instructions[RATING_LANGUAGES]
      = { (char *) page->instructions, (char *) page->instructions };

  append_member (out, "title", page->title);
  g_string_append_c (out, ',');
  append_languages (out, "instructions", instructions);
  g_string_append_c (out, ',');
  append_member (out, "language", page->language);
  g_string_append_printf (
      out, ",\"repeats\":%s,\"criteria\":[",
      page->key->items->len > page->key->prompts->len * page->key->n_systems ? "true" : "false");
  for (guint i = 0; i < page->scale->len; i++)
    {
      g_string_append (out, i > 0 ? "," : "");
      append_criterion (out, page->scale->pdata[i]);
    }
  g_string_append (out, "],\"prompts\":[");
  for (guint i = 0; i < page->tasks->len; i++)
    {
      g_string_append (out, i > 0 ? ",\n" : "\n");
      append_task (out, page->tasks->pdata[i]);
    }
  g_string_append (out, "],\"items\":[");
  for (guint i = 0; i < page->key->items->len; i++)
    {
      g_string_append (out, i > 0 ? ",\n" : "\n");
      append_item (out, page->key, i);
    }
  g_string_append_c (out, ']');
  return out;
}

/* JSON that no text in it can lead out of: what HTML or old JavaScript gives a meaning to stands
 * as \u escapes.  Outside strings JSON has none of these. */
static void
append_for_script (GString *out, const GString *json)
{
  for (const char *p = json->str; *p != '\0'; p++)
    if (*p == '<' || *p == '>' || *p == '&' || *p == '\x7f')
      g_string_append_printf (out, "\\u%04x", (guint) *p);
    else if (memcmp (p, "\xe2\x80", 2) == 0 && (p[2] == '\xa8' || p[2] == '\xa9'))
      {
        g_string_append_printf (out, "\\u20%02x", p[2] == '\xa8' ? 0x28u : 0x29u);
        p += 2;
      }
    else
      g_string_append_c (out, *p);
}

/* ---- the page -------------------------------------------------------------------------------- */

static GBytes *
part (const char *name)
{
  g_autofree char *path = g_strconcat ("/flowrun/rating/", name, NULL);
  GBytes *bytes = g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

  g_assert (bytes != NULL); /* it is compiled in */
  return bytes;
}

/* 'sha256-…' of a script or style, as Content Security Policy 3, section 2.3.1 has it. */
static char *
policy_hash (GBytes *bytes)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *text = NULL;
  guint8 digest[32];
  gsize len = sizeof digest;

  g_checksum_update (sum, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
  g_checksum_get_digest (sum, digest, &len);
  text = g_base64_encode (digest, len);
  return g_strdup_printf ("'sha256-%s'", text);
}

static char *
make_policy (GBytes *style, GBytes *script)
{
  g_autofree char *style_hash = policy_hash (style), *script_hash = policy_hash (script);

  return g_strdup_printf (
      "default-src 'none'; style-src %s; script-src %s; img-src data:; base-uri 'none'; "
      "form-action 'none'",
      style_hash, script_hash);
}

/* Copies @template with each @NAME@ replaced; what is put in is not looked at again. */
static void
fill (GString *out, GBytes *template, const char *const *names, const GString *const *values)
{
  gsize len;
  const char *p = g_bytes_get_data (template, &len), *end = p + len;

  while (p < end)
    {
      const char *at = memchr (p, '@', (gsize) (end - p));
      guint i = 0;

      g_string_append_len (out, p, at != NULL ? at - p : end - p);
      if (at == NULL)
        return;
      while (names[i] != NULL && !g_str_has_prefix (at + 1, names[i]))
        i++;
      if (names[i] != NULL)
        g_string_append_len (out, values[i]->str, (gssize) values[i]->len);
      else
        g_string_append_c (out, '@');
      p = at + 1 + (names[i] != NULL ? strlen (names[i]) : 0);
    }
}

static GString *
string_of (GBytes *bytes)
{
  return g_string_new_len (g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
}

GString *
rating_page_build (const RatingPage *page)
{
  g_autoptr (GBytes) html = part ("page.html"), css = part ("page.css"), js = part ("page.js");
  g_autofree char *policy_text = make_policy (css, js), *sum = NULL;
  g_autofree char *title_text
      = g_markup_escape_text (page->title[0] != '\0' ? page->title : "Blind rating 盲评", -1);
  g_autoptr (GString) policy = g_string_new (policy_text), title = g_string_new (title_text),
                      style = string_of (css), script = string_of (js), json = make_data (page),
                      data = g_string_new ("{\"page\":\"");
  const char *const names[] = { "POLICY@", "TITLE@", "STYLE@", "DATA@", "SCRIPT@", NULL };
  const GString *const values[] = { policy, title, style, data, script };
  GString *out = g_string_new (NULL);

  sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, json->str, (gssize) json->len);
  g_free (page->key->page);
  page->key->page = g_strdup_printf ("p%.16s", sum);
  g_string_append_printf (data, "%s\",", page->key->page);
  append_for_script (data, json);
  g_string_append_c (data, '}');
  fill (out, html, names, values);
  return out;
}
