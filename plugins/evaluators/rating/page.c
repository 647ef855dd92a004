/* SPDX-License-Identifier: Apache-2.0 */
/* page.c: see page.h. */
#include "config.h"

#include "page.h"

#include <string.h>

#include "text/webpage/webpage.h"

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

/* ---- the page -------------------------------------------------------------------------------- */

GString *
rating_page_build (const RatingPage *page)
{
  g_autoptr (GString) json = make_data (page), data = g_string_new ("{\"page\":\"");
  g_autofree char *sum
      = g_compute_checksum_for_string (G_CHECKSUM_SHA256, json->str, (gssize) json->len);

  g_free (page->key->page);
  page->key->page = g_strdup_printf ("p%.16s", sum);
  g_string_append_printf (data, "%s\",%s}", page->key->page, json->str);
  return text_webpage_build ("/flowrun/rating/",
                             page->title[0] != '\0' ? page->title : "Blind rating 盲评", data, "",
                             NULL);
}
