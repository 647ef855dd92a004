/* SPDX-License-Identifier: Apache-2.0 */
/* speak.c: texts of views in several languages (view.h).
 *
 * English is the key: a text, or the format that it was made from, is looked up
 * in the tables that the element gave.  In JSON a text that has translations is
 * an object of them; the page takes out what it does not speak before anything
 * is drawn, so that nothing but this file knows.
 */
#include "config.h"

#include <flowrun/error.h>
#include <string.h>

#include "report/report-private.h"

#define ENGLISH "en"

struct _FriSpeech
{
  GPtrArray *languages; /* char * */
  GPtrArray *words;     /* of each language: GHashTable, English → the other */
  GHashTable *put;      /* texts that were put together → JsonObject, or NULL: in English alone */
};

static void
unref_object (gpointer object)
{
  if (object != NULL)
    json_object_unref (object);
}

FriSpeech *
fri_speech_new (void)
{
  FriSpeech *s = g_new0 (FriSpeech, 1);

  s->languages = g_ptr_array_new_with_free_func (g_free);
  s->words = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  s->put = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, unref_object);
  return s;
}

void
fri_speech_free (FriSpeech *s)
{
  g_ptr_array_unref (s->languages);
  g_ptr_array_unref (s->words);
  g_hash_table_unref (s->put);
  g_free (s);
}

/* ---- tables ---------------------------------------------------------------------- */

/* The next conversion of @format from *@at on, "%" to its letter; NULL: no more. Without the flag
 * " ", which no format here has and "100 % of" does. */
static char *
next_conversion (const char **at)
{
  for (const char *p = strchr (*at, '%'); p != NULL; p = strchr (p, '%'))
    {
      const char *end = p + 1;

      end += strspn (end, "-+#0'");
      end += strspn (end, "0123456789.*$");
      end += strspn (end, "hlLqjzt");
      if (*end != '\0' && strchr ("diouxXeEfFgGaAcsp", *end) != NULL)
        {
          *at = end + 1;
          return g_strndup (p, (gsize) (end + 1 - p));
        }
      p += p[1] == '%' ? 2 : 1;
    }
  return NULL;
}

/* Both take the same arguments in the same order. */
static gboolean
takes_the_same (const char *english, const char *other)
{
  g_autofree char *a = next_conversion (&english), *b = next_conversion (&other);

  while (a != NULL && b != NULL && strcmp (a, b) == 0)
    {
      g_free (a);
      g_free (b);
      a = next_conversion (&english);
      b = next_conversion (&other);
    }
  return a == NULL && b == NULL;
}

static GHashTable *
words_of (FriSpeech *s, const char *language)
{
  for (guint i = 0; i < s->languages->len; i++)
    if (strcmp (s->languages->pdata[i], language) == 0)
      return s->words->pdata[i];
  g_ptr_array_add (s->languages, g_strdup (language));
  g_ptr_array_add (s->words, g_hash_table_new (g_str_hash, g_str_equal));
  return s->words->pdata[s->words->len - 1];
}

void
fri_speech_add (FriSpeech *s, const char *language, const FrViewWord *words)
{
  GHashTable *table = words_of (s, language);

  for (const FrViewWord *w = words; w->english != NULL; w++)
    if (takes_the_same (w->english, w->other))
      g_hash_table_replace (table, (gpointer) w->english, (gpointer) w->other);
    else
      g_critical ("'%s' and '%s' take different arguments", w->english, w->other);
}

/* ---- saying ------------------------------------------------------------------------ */

/* JSON is UTF-8: what is not is shown as U+FFFD. */
static void
set_valid (JsonObject *texts, const char *language, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  json_object_set_string_member (texts, language, valid);
}

/* @english (taken) and @texts of it (taken; NULL: there are none), for as long as @s lives. One
 * that was put together before may be in use: its key stays, and insert() frees ours. */
static const char *
keep (FriSpeech *s, char *english, JsonObject *texts)
{
  char *known;

  if (!g_hash_table_lookup_extended (s->put, english, (gpointer *) &known, NULL))
    known = english;
  g_hash_table_insert (s->put, english, texts);
  return known;
}

/* Adds what @language calls @english to @texts, which is made when it is NULL. */
static void
add_said (JsonObject **texts, const char *english, const char *language, const char *said)
{
  if (*texts == NULL)
    {
      *texts = json_object_new ();
      set_valid (*texts, ENGLISH, english);
    }
  set_valid (*texts, language, said);
}

const char *
fri_speech_put (FriSpeech *s, const char *format, va_list args)
{
  JsonObject *texts = NULL;
  char *english;
  va_list again;

  va_copy (again, args);
  english = g_strdup_vprintf (format, again);
  va_end (again);
  for (guint i = 0; i < s->languages->len; i++)
    {
      const char *other = g_hash_table_lookup (s->words->pdata[i], format);
      g_autofree char *said = NULL;

      if (other == NULL)
        continue;
      va_copy (again, args);
      said = g_strdup_vprintf (other, again);
      va_end (again);
      add_said (&texts, english, s->languages->pdata[i], said);
    }
  return keep (s, english, texts);
}

/* @text in language number @i; NULL: it has it not. */
static const char *
look_up (FriSpeech *s, guint i, const char *text)
{
  JsonObject *texts = g_hash_table_lookup (s->put, text);
  const char *said = texts != NULL ? fri_get_text (texts, s->languages->pdata[i]) : "";

  return *said != '\0' ? said : g_hash_table_lookup (s->words->pdata[i], text);
}

const char *
fri_speech_join (FriSpeech *s, const char *first, va_list more)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new ();
  JsonObject *texts = NULL;
  char *english;

  for (const char *part = first; part != NULL; part = va_arg (more, const char *))
    g_ptr_array_add (parts, (gpointer) part);
  g_ptr_array_add (parts, NULL);
  english = g_strjoinv (NULL, (char **) parts->pdata);
  for (guint i = 0; i < s->languages->len; i++)
    {
      g_autoptr (GString) all = g_string_new (NULL);
      gboolean any = FALSE;

      for (guint k = 0; k + 1 < parts->len; k++)
        {
          const char *said = look_up (s, i, parts->pdata[k]);

          g_string_append (all, said != NULL ? said : parts->pdata[k]);
          any |= said != NULL;
        }
      if (any)
        add_said (&texts, english, s->languages->pdata[i], all->str);
    }
  return keep (s, english, texts);
}

JsonNode *
fri_speech_say (FriSpeech *s, const char *text)
{
  JsonObject *texts = NULL;
  JsonNode *node;
  g_autofree char *valid = NULL;

  for (guint i = 0; i < s->languages->len; i++)
    {
      const char *said = look_up (s, i, text);

      if (said != NULL)
        add_said (&texts, text, s->languages->pdata[i], said);
    }
  if (texts != NULL)
    {
      json_node_take_object (node = json_node_new (JSON_NODE_OBJECT), texts);
      return node;
    }
  valid = g_utf8_make_valid (text, -1);
  return json_node_init_string (json_node_alloc (), valid);
}

/* ---- reading ----------------------------------------------------------------------- */

/* @node is a text in several languages; no other object of a view has such a member. */
static gboolean
is_spoken (JsonNode *node)
{
  return JSON_NODE_HOLDS_OBJECT (node)
         && json_object_has_member (json_node_get_object (node), ENGLISH);
}

/* "zh" is good for "zh-Hans". */
static JsonNode *
choose (JsonObject *texts, const char *language)
{
  g_autoptr (GList) names = json_object_get_members (texts);

  for (GList *n = names; n != NULL; n = n->next)
    if (g_str_has_prefix (language, n->data))
      return json_object_get_member (texts, n->data);
  return json_object_get_member (texts, ENGLISH);
}

JsonNode *
fri_speech_in (JsonNode *node, const char *language)
{
  JsonNode *copy;

  if (is_spoken (node))
    return json_node_copy (choose (json_node_get_object (node), language));
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *from = json_node_get_array (node), *to = json_array_new ();

      for (guint i = 0; i < json_array_get_length (from); i++)
        json_array_add_element (to, fri_speech_in (json_array_get_element (from, i), language));
      json_node_take_array (copy = json_node_new (JSON_NODE_ARRAY), to);
      return copy;
    }
  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObject *from = json_node_get_object (node), *to = json_object_new ();
      g_autoptr (GList) names = json_object_get_members (from);

      for (GList *n = names; n != NULL; n = n->next)
        json_object_set_member (to, n->data,
                                fri_speech_in (json_object_get_member (from, n->data), language));
      json_node_take_object (copy = json_node_new (JSON_NODE_OBJECT), to);
      return copy;
    }
  return json_node_copy (node);
}

/* ---- checking ------------------------------------------------------------------------ */

static gboolean
speaks (JsonNode *node)
{
  g_autoptr (GList) parts = NULL;

  if (is_spoken (node))
    return json_object_get_size (json_node_get_object (node)) > 1;
  if (JSON_NODE_HOLDS_ARRAY (node))
    parts = json_array_get_elements (json_node_get_array (node));
  else if (JSON_NODE_HOLDS_OBJECT (node))
    parts = json_object_get_values (json_node_get_object (node));
  for (GList *p = parts; p != NULL; p = p->next)
    if (speaks (p->data))
      return TRUE;
  return FALSE;
}

/* Two small letters in a row are a word: neither "BLEU" nor "p" nor "GB/s". */
static gboolean
looks_english (const char *text)
{
  for (; *text != '\0'; text++)
    if (g_ascii_islower (text[0]) && g_ascii_islower (text[1]))
      return TRUE;
  return FALSE;
}

static gboolean
is_said (JsonObject *object, const char *member, GError **error)
{
  const char *text = fri_get_text (object, member);

  if (!looks_english (text))
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "other texts are said in another language too, but not the %s \"%s\"", member, text);
  return FALSE;
}

gboolean
fri_speech_check (JsonNode *views, GError **error)
{
  static const char *const members[] = { "title", "unit", "note" };
  JsonArray *array = json_node_get_array (views);

  if (!speaks (views))
    return TRUE;
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *view = json_array_get_object_element (array, i);

      for (guint m = 0; m < G_N_ELEMENTS (members); m++)
        if (!is_said (view, members[m], error))
          return FALSE;
      if (!is_said (fri_get_object (view, "x"), "label", error)
          || !is_said (fri_get_object (view, "y"), "label", error))
        return FALSE;
    }
  return TRUE;
}
