/* SPDX-License-Identifier: Apache-2.0 */
/* content-json.c: JSON-LD of a page (schema.org in JSON-LD 1.1's plainest form).
 *
 * Objects whose @type is an article, a page or the like give title, author, dates and publisher;
 * those in @graph and in arrays too.  The text is read with flowrun's strict reader, control
 * characters in it made blanks first, as pages have them in strings; from the first fault on it is
 * left.
 */
#include "config.h"

#include <flowrun/json.h>
#include <string.h>

#include "text/content-meta.h"

/* Longer ones are data sets, not descriptions. */
#define MAX_JSON (256 * 1024)
#define MAX_NESTING 12

typedef struct
{
  gboolean article; /* @type says that it is about this page */
  FrStr title, name, author, published, modified, publisher, description, language, body;
} Thing;

typedef struct
{
  Page *page;
  Meta *meta;
  FrJsonReader reader;
} Ld;

static FrStr
keep (Ld *ld, FrStr s)
{
  return text_dom_store (ld->page->dom, s.data, s.len);
}

static gboolean
key_is (FrStr key, const char *name)
{
  return key.len == strlen (name) && memcmp (key.data, name, key.len) == 0;
}

/* Article, NewsArticle, BlogPosting, TechArticle, WebPage, Product, ... */
static gboolean
is_about_page (FrStr type)
{
  static const char *const ends[]
      = { "Article", "Posting", "Page",  "Product",      "Report",     "Recipe",
          "Review",  "Book",    "Event", "CreativeWork", "VideoObject" };

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      gsize n = strlen (ends[i]);

      if (type.len >= n && memcmp (type.data + type.len - n, ends[i], n) == 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean read_value (Ld *ld, FrJsonToken token, guint depth, FrStr *into);
static gboolean read_object (Ld *ld, guint depth, FrStr *name);

/* A person, a list of them, or a name: the names, separated. */
static gboolean
read_names (Ld *ld, guint depth, FrStr *into)
{
  FrJsonToken token = fr_json_reader_next (&ld->reader);

  if (token != FR_JSON_ARRAY)
    return read_value (ld, token, depth, into);
  while ((token = fr_json_reader_next (&ld->reader)) != FR_JSON_ARRAY_END)
    {
      FrStr one = { NULL, 0 };

      if (!read_value (ld, token, depth + 1, &one))
        return FALSE;
      if (one.len == 0)
        continue;
      if (into->len == 0)
        *into = one;
      else if (into->len + one.len < 512)
        {
          g_autofree char *both = g_strdup_printf ("%.*s, %.*s", (int) into->len, into->data,
                                                   (int) one.len, one.data);

          *into = text_dom_store (ld->page->dom, both, strlen (both));
        }
    }
  return TRUE;
}

/* A value whose text, or whose name, is asked for. */
static gboolean
read_value (Ld *ld, FrJsonToken token, guint depth, FrStr *into)
{
  switch (token)
    {
    case FR_JSON_STRING:
      if (into != NULL && into->len == 0)
        *into = keep (ld, ld->reader.str);
      return TRUE;
    case FR_JSON_OBJECT:
      return read_object (ld, depth + 1, into);
    case FR_JSON_ARRAY:
      while ((token = fr_json_reader_next (&ld->reader)) != FR_JSON_ARRAY_END)
        if (!read_value (ld, token, depth + 1, into))
          return FALSE;
      return TRUE;
    default:
      return token > FR_JSON_END;
    }
}

static gboolean
read_type (Ld *ld, guint depth, Thing *thing)
{
  FrStr type = { NULL, 0 };

  if (!read_value (ld, fr_json_reader_next (&ld->reader), depth, &type))
    return FALSE;
  thing->article |= type.len > 0 && is_about_page (type);
  return TRUE;
}

static gboolean
read_member (Ld *ld, guint depth, Thing *thing)
{
  const struct
  {
    const char *name;
    FrStr *into;
  } members[] = { { "headline", &thing->title },          { "name", &thing->name },
                  { "datePublished", &thing->published }, { "dateCreated", &thing->published },
                  { "uploadDate", &thing->published },    { "pubDate", &thing->published },
                  { "dateModified", &thing->modified },   { "upDate", &thing->modified },
                  { "publisher", &thing->publisher },     { "description", &thing->description },
                  { "inLanguage", &thing->language },     { "articleBody", &thing->body } };
  FrStr key = ld->reader.str;

  if (key_is (key, "@type"))
    return read_type (ld, depth, thing);
  if (key_is (key, "author") || key_is (key, "creator"))
    return read_names (ld, depth, &thing->author);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (key_is (key, members[i].name))
      return read_value (ld, fr_json_reader_next (&ld->reader), depth, members[i].into);
  if (key_is (key, "@graph") || key_is (key, "mainEntity") || key_is (key, "hasPart"))
    return read_value (ld, fr_json_reader_next (&ld->reader), depth, NULL);
  return fr_json_reader_skip (&ld->reader);
}

static void
use_thing (Meta *meta, const Thing *t)
{
  /* Baidu's landing page data has title and pubDate without a type. */
  if (!t->article && t->published.len == 0)
    return;
  text_value_set (&meta->title, t->title.len > 0 ? t->title : t->name, SOURCE_JSON);
  text_value_set (&meta->byline, t->author, SOURCE_JSON);
  text_value_set (&meta->published, t->published, SOURCE_JSON);
  text_value_set (&meta->modified, t->modified, SOURCE_JSON);
  text_value_set (&meta->site, t->publisher, SOURCE_JSON);
  text_value_set (&meta->description, t->description, SOURCE_JSON);
  text_value_set (&meta->language, t->language, SOURCE_JSON);
  if (t->body.len > meta->body.len)
    meta->body = t->body;
}

/* @name: what the object is called, for the one that has it as a value; NULL: nobody asks. */
static gboolean
read_object (Ld *ld, guint depth, FrStr *name)
{
  Thing thing = { 0 };
  FrJsonToken token;

  if (depth > MAX_NESTING)
    return fr_json_reader_leave (&ld->reader, ld->reader.depth - 1);
  while ((token = fr_json_reader_next (&ld->reader)) == FR_JSON_KEY)
    if (!read_member (ld, depth, &thing))
      return FALSE;
  if (token != FR_JSON_OBJECT_END)
    return FALSE;
  if (name != NULL)
    {
      if (name->len == 0)
        *name = thing.name;
    }
  else
    use_thing (ld->meta, &thing);
  return TRUE;
}

void
text_meta_json (Page *page, FrStr json, Meta *meta)
{
  Ld ld = { .page = page, .meta = meta };
  g_autoptr (GString) text = NULL;
  gsize from = 0;
  FrJsonToken token;

  if (json.len > MAX_JSON)
    return;
  text = g_string_new_len (json.data, (gssize) json.len);
  for (gsize i = 0; i < text->len; i++)
    if ((guchar) text->str[i] < ' ')
      text->str[i] = ' ';
  /* "<!--" and "<![CDATA[" stand before it in old pages. */
  while (from < text->len && text->str[from] != '{' && text->str[from] != '[')
    from++;
  if (g_str_has_prefix (text->str + from, "[CDATA["))
    for (from += 7; from < text->len && text->str[from] != '{' && text->str[from] != '[';)
      from++;
  fr_json_reader_init (&ld.reader, text->str + from, text->len - from, FR_JSON_MANY | FR_JSON_UTF8);
  token = fr_json_reader_next (&ld.reader);
  if (token > FR_JSON_END)
    read_value (&ld, token, 0, NULL);
  fr_json_reader_clear (&ld.reader);
}
