/* SPDX-License-Identifier: Apache-2.0 */
/* html-tags.c: finding elements and attributes by name; the list itself is html-names.h. */
#include "config.h"

#include <string.h>

#include "text/html-private.h"

#define TAG_ROW(id, name, text, tree) { name, sizeof name - 1, TEXT_TAG_##id, text, tree },
static const TextTag tags[] = { TEXT_HTML_ELEMENTS (TAG_ROW) };
#undef TAG_ROW

static const TextTag other = { "", 0, TEXT_TAG_OTHER, TAG_NONE, 0 };
/* What word processors leave: <o:p>, <v:shape>, <st1:city>. */
static const TextTag office = { "o:p", 3, TEXT_TAG_OTHER, TAG_INLINE, 0 };

#define ATTRIBUTE_ROW(id, name) { name, sizeof name - 1 },
static const struct
{
  char name[12];
  guint8 len;
} attributes[] = { TEXT_HTML_ATTRIBUTES (ATTRIBUTE_ROW) };
#undef ATTRIBUTE_ROW

/* Where the names with each first letter begin. */
static guint8 tag_starts[27], attribute_starts[27];

static void
fill_starts (void)
{
  static gsize done = 0;

  if (!g_once_init_enter (&done))
    return;
  for (guint letter = 0; letter <= 26; letter++)
    {
      guint i = 0;

      while (i < G_N_ELEMENTS (tags) && (guint) (tags[i].name[0] - 'a') < letter)
        i++;
      tag_starts[letter] = (guint8) i;
      for (i = 0; i < G_N_ELEMENTS (attributes) && (guint) (attributes[i].name[0] - 'a') < letter;)
        i++;
      attribute_starts[letter] = (guint8) i;
    }
  g_once_init_leave (&done, 1);
}

/* Names are lower case; @name is any. */
static inline gboolean
same_name (const char *name, const char *lower, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if ((name[i] | 0x20) != lower[i] || name[i] < '-')
      return FALSE;
  return TRUE;
}

static gboolean
is_office (const char *name, gsize len)
{
  const char *colon = memchr (name, ':', len);

  if (colon == NULL || colon == name || colon - name > 3 || colon == name + len - 1)
    return FALSE;
  for (gsize i = 0; i < len; i++)
    if (name + i != colon && !g_ascii_isalnum (name[i]))
      return FALSE;
  return TRUE;
}

const TextTag *
text_html_tag (const char *name, gsize len)
{
  guint letter = len > 0 ? (guint) ((name[0] | 0x20) - 'a') : 26;

  fill_starts ();
  if (letter >= 26)
    return &other;
  for (guint i = tag_starts[letter]; i < tag_starts[letter + 1]; i++)
    if (tags[i].len == len && same_name (name, tags[i].name, len))
      return &tags[i];
  return is_office (name, len) ? &office : &other;
}

TextHtmlAttribute
text_html_attribute (const char *name, gsize len)
{
  guint letter = len > 0 ? (guint) ((name[0] | 0x20) - 'a') : 26;

  fill_starts ();
  if (letter >= 26)
    return TEXT_N_ATTRS;
  for (guint i = attribute_starts[letter]; i < attribute_starts[letter + 1]; i++)
    if (attributes[i].len == len && same_name (name, attributes[i].name, len))
      return (TextHtmlAttribute) i;
  return TEXT_N_ATTRS;
}

const char *
text_html_name (TextHtmlName tag)
{
  return tag < TEXT_TAG_OTHER ? tags[tag].name : "";
}

gboolean
text_html_is_block (TextHtmlName tag)
{
  return tag < TEXT_TAG_OTHER && (tags[tag].flags & (TAG_BLOCK | TAG_CELL)) != 0;
}

const TextTag *
text_html_tag_of (TextHtmlName tag)
{
  return tag < TEXT_TAG_OTHER ? &tags[tag] : &other;
}

gboolean
text_html_bare (const char *name, gsize len)
{
  static const char *const bare[]
      = { "allowfullscreen", "async",    "autofocus", "autoplay", "checked",  "compact",
          "controls",        "declare",  "default",   "defer",    "disabled", "hidden",
          "inert",           "ismap",    "itemscope", "loop",     "multiple", "muted",
          "nohref",          "nomodule", "noresize",  "noshade",  "nowrap",   "open",
          "playsinline",     "readonly", "required",  "reversed", "scoped",   "seamless",
          "selected",        "truespeed" };

  for (guint i = 0; i < G_N_ELEMENTS (bare); i++)
    if (strlen (bare[i]) == len && g_ascii_strncasecmp (bare[i], name, len) == 0)
      return TRUE;
  /* data-v-7ba5bd90 and its like, made by web frameworks. */
  return (len > 5 && g_ascii_strncasecmp (name, "data-", 5) == 0)
         || (len > 3 && memcmp (name, "_ng", 3) == 0);
}
