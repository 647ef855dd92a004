/* SPDX-License-Identifier: Apache-2.0 */
/* own.c: see own.h. */
#include "config.h"

#include "own.h"

#include <flowrun/error.h>
#include <string.h>

static const char *
text_of (JsonObject *rule, const char *member)
{
  return json_object_has_member (rule, member) ? json_object_get_string_member (rule, member)
                                               : NULL;
}

static gboolean
add_words (TextPii *pii, guint type, JsonObject *rule, GError **error)
{
  JsonArray *words = json_object_has_member (rule, "words")
                         ? json_object_get_array_member (rule, "words")
                         : NULL;

  for (guint i = 0; words != NULL && i < json_array_get_length (words); i++)
    {
      const char *word = json_array_get_string_element (words, i);

      if (!text_pii_add_word (pii, type, word, strlen (word), error))
        return FALSE;
    }
  return TRUE;
}

gboolean
own_add_rules (TextPii *pii, JsonNode *rules, char **pointer, GError **error)
{
  JsonObject *object = rules ? json_node_get_object (rules) : NULL;
  g_autoptr (GList) members = object ? json_object_get_members (object) : NULL;

  for (GList *l = members; l != NULL; l = l->next)
    {
      const char *name = l->data;
      JsonObject *rule = json_object_get_object_member (object, name);
      const char *pattern = text_of (rule, "pattern"), *member = "";
      int type = text_pii_add_type (pii, name, text_of (rule, "zh"), text_of (rule, "en"), error);
      gboolean ok = type >= 0;

      if (ok && pattern != NULL)
        {
          ok = text_pii_add_pattern (pii, (guint) type, pattern, error);
          member = "/pattern";
        }
      if (ok)
        {
          member = "/words";
          ok = add_words (pii, (guint) type, rule, error);
        }
      if (ok && pattern == NULL && !json_object_has_member (rule, "words"))
        {
          member = "";
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                       "the rule '%s' has neither 'pattern' nor 'words'", name);
          ok = FALSE;
        }
      if (!ok)
        {
          *pointer = g_strconcat ("/rules/", name, member, NULL);
          return FALSE;
        }
    }
  return TRUE;
}

char *
own_type_of_file (const char *path)
{
  char *name = g_path_get_basename (path), *dot = strchr (name, '.');

  if (dot != NULL && dot > name)
    *dot = '\0';
  for (char *p = name; *p != '\0'; p++)
    *p = *p == '-' || *p == ' ' ? '_' : g_ascii_tolower (*p);
  return name;
}

static gboolean
add_lines (TextPii *pii, guint type, const char *path, const char *text, gsize len, GError **error)
{
  const char *p = text, *end = text + len;
  guint line = 0;

  if (len >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0)
    p += 3;
  while (p < end)
    {
      const char *stop = memchr (p, '\n', (gsize) (end - p)), *last;
      g_autoptr (GError) cause = NULL;

      stop = stop ? stop : end;
      last = stop;
      line++;
      while (p < last && (*p == ' ' || *p == '\t'))
        p++;
      while (last > p && (last[-1] == ' ' || last[-1] == '\t' || last[-1] == '\r'))
        last--;
      if (!g_utf8_validate_len (p, (gsize) (last - p), NULL))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "%s:%u: the word is no UTF-8; save the list as UTF-8", path, line);
          return FALSE;
        }
      if (last > p && *p != '#' && !text_pii_add_word (pii, type, p, (gsize) (last - p), &cause))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s:%u: %s", path, line, cause->message);
          return FALSE;
        }
      p = stop + 1;
    }
  return TRUE;
}

gboolean
own_add_files (TextPii *pii, char **paths, GError **error)
{
  for (guint i = 0; paths != NULL && paths[i] != NULL; i++)
    {
      g_autofree char *text = NULL, *name = own_type_of_file (paths[i]);
      g_autoptr (GError) cause = NULL;
      gsize len;
      int type = text_pii_add_type (pii, name, NULL, NULL, &cause);

      if (type < 0)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                       "the word list %s gives its name to a type, but %s; rename the file",
                       paths[i], cause->message);
          return FALSE;
        }
      if (!g_file_get_contents (paths[i], &text, &len, &cause))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot read the word list: %s",
                       cause->message);
          return FALSE;
        }
      if (!add_lines (pii, (guint) type, paths[i], text, len, error))
        return FALSE;
    }
  return TRUE;
}
