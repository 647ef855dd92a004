/* SPDX-License-Identifier: Apache-2.0 */
/* protocol.c: translation asked of a chat model (protocol.h). */
#include "config.h"

#include "protocol.h"

#include <flowrun/json.h>
#include <string.h>

#define CLOSE "</think>"

const char openai_default_prompt[]
    = "Translate the user's text from {from} to {to}. Answer with the translation alone: no "
      "explanation, no notes, no quotation marks around it. Copy marks in braces, such as {1}, "
      "exactly as they stand.";

static const char batch_prompt[]
    = " The user gives a JSON array of texts. Answer with a JSON array of their translations, as "
      "many and in the same order, and nothing else.";

/* ---- request ----------------------------------------------------------------------------------
 */

static void
append_prompt (const TranslatorSettings *s, const TranslatorItem *item, gboolean many, GString *out)
{
  g_autofree char *from = translator_language (item->from), *to = translator_language (item->to);
  g_autoptr (GString) prompt = g_string_new (s->prompt != NULL ? s->prompt : openai_default_prompt);

  g_string_replace (prompt, "{from}", from, 0);
  g_string_replace (prompt, "{to}", to, 0);
  if (many)
    g_string_append (prompt, batch_prompt);
  fr_json_append_string (out, prompt->str, prompt->len);
}

static void
append_user (TranslatorItem *const *items, gsize n, GString *out)
{
  g_autoptr (GString) array = g_string_new ("[");

  if (n == 1)
    {
      fr_json_append_string (out, items[0]->text.data, items[0]->text.len);
      return;
    }
  for (gsize i = 0; i < n; i++)
    {
      g_string_append (array, i > 0 ? ", " : "");
      fr_json_append_string (array, items[i]->text.data, items[i]->text.len);
    }
  g_string_append_c (array, ']');
  fr_json_append_string (out, array->str, array->len);
}

static void
write_request (const TranslatorSettings *s, TranslatorItem *const *items, gsize n, GString *body)
{
  g_string_append (body, "{\"model\":");
  fr_json_append_string (body, s->model, strlen (s->model));
  g_string_append (body, ",\"messages\":[{\"role\":\"system\",\"content\":");
  append_prompt (s, items[0], n > 1, body);
  g_string_append (body, "},{\"role\":\"user\",\"content\":");
  append_user (items, n, body);
  g_string_append (body, "}],\"stream\":false,\"temperature\":");
  fr_json_append_double (body, s->temperature);
  g_string_append_printf (body, ",\"max_tokens\":%" G_GINT64_FORMAT, s->max_tokens * (gint64) n);
  /* A whole number that every JSON reader holds exactly. */
  if (s->temperature > 0)
    g_string_append_printf (body, ",\"seed\":%" G_GUINT64_FORMAT,
                            items[0]->seed & (((guint64) 1 << 31) - 1));
  g_string_append_c (body, '}');
}

/* ---- answer -----------------------------------------------------------------------------------
 */

static JsonNode *
member (JsonNode *node, const char *name)
{
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node)
             ? json_object_get_member (json_node_get_object (node), name)
             : NULL;
}

static const char *
text_of (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static JsonNode *
first_of (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_ARRAY (node)
                 && json_array_get_length (json_node_get_array (node)) > 0
             ? json_array_get_element (json_node_get_array (node), 0)
             : NULL;
}

/* Content is a text, or a list of parts with texts in them. */
static char *
content_text (JsonNode *content)
{
  const char *text = text_of (content);
  GString *all;

  if (text != NULL)
    return g_strdup (text);
  if (content == NULL || !JSON_NODE_HOLDS_ARRAY (content))
    return NULL;
  all = g_string_new (NULL);
  for (guint i = 0; i < json_array_get_length (json_node_get_array (content)); i++)
    {
      text = text_of (member (json_array_get_element (json_node_get_array (content), i), "text"));
      if (text != NULL)
        g_string_append (all, text);
    }
  return g_string_free (all, FALSE);
}

static const char *
behind_reasoning (const char *text)
{
  const char *found;

  while ((found = strstr (text, CLOSE)) != NULL)
    text = found + strlen (CLOSE);
  return text;
}

/* The array in an answer that may stand in a fence or among words; NULL: there is none. */
static JsonNode *
find_array (const char *text)
{
  const char *open = strchr (text, '['), *close = strrchr (text, ']');
  JsonNode *node;

  if (open == NULL || close == NULL || close < open)
    return NULL;
  node = fr_json_parse (open, close + 1 - open, 0, NULL);
  if (node != NULL && !JSON_NODE_HOLDS_ARRAY (node))
    g_clear_pointer (&node, json_node_unref);
  return node;
}

static RemoteVerdict
read_many (const char *text, TranslatorItem *const *items, gsize n, char **why)
{
  g_autoptr (JsonNode) node = find_array (text);
  JsonArray *array = node != NULL ? json_node_get_array (node) : NULL;
  gboolean texts = array != NULL && json_array_get_length (array) == n;

  for (guint i = 0; texts && i < n; i++)
    texts = text_of (json_array_get_element (array, i)) != NULL;
  if (!texts)
    {
      *why = array == NULL
                 ? g_strdup ("the model did not answer with a JSON array")
                 : g_strdup_printf ("%u translations for %" G_GSIZE_FORMAT " texts, or not texts",
                                    json_array_get_length (array), n);
      return REMOTE_MISCOUNT;
    }
  for (guint i = 0; i < n; i++)
    {
      const char *one = text_of (json_array_get_element (array, i));

      translator_item_done (items[i], g_strdup (one), strlen (one));
    }
  return REMOTE_OK;
}

static RemoteVerdict
read_choice (JsonNode *choice, TranslatorItem *const *items, gsize n, char **why)
{
  JsonNode *message = member (choice, "message");
  const char *reason = text_of (member (choice, "finish_reason")),
             *refusal = text_of (member (message, "refusal")), *answer;
  g_autofree char *text = content_text (member (message, "content"));

  if (refusal != NULL && *refusal != '\0')
    {
      *why = g_strdup (refusal);
      return REMOTE_REFUSED;
    }
  if (text == NULL)
    {
      *why = g_strdup ("JSON without 'choices[0].message.content'");
      return REMOTE_NONSENSE;
    }
  if (g_strcmp0 (reason, "content_filter") == 0)
    {
      *why = g_strdup ("the service's content filter stopped the answer");
      return n > 1 ? REMOTE_MISCOUNT : REMOTE_REFUSED;
    }
  if (g_strcmp0 (reason, "length") == 0)
    {
      *why = g_strdup ("the answer was cut off at 'max_tokens'");
      if (n > 1)
        return REMOTE_MISCOUNT;
      translator_item_refuse (items[0], "too_long", "%s", *why);
      return REMOTE_OK;
    }
  answer = behind_reasoning (text);
  if (n > 1)
    return read_many (answer, items, n, why);
  translator_item_done (items[0], g_strdup (answer), strlen (answer));
  return REMOTE_OK;
}

static RemoteVerdict
read_answer (const char *body, gsize len, TranslatorItem *const *items, gsize n, char **why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) root = fr_json_parse (body, (gssize) len, 0, &error);
  JsonNode *fault = member (root, "error"), *choice = first_of (member (root, "choices"));
  const char *said
      = text_of (fault) != NULL ? text_of (fault) : text_of (member (fault, "message"));

  if (root == NULL)
    {
      *why = g_strdup_printf ("no JSON: %s", error->message);
      return REMOTE_NONSENSE;
    }
  if (said != NULL)
    {
      *why = g_strdup (said);
      return REMOTE_REFUSED;
    }
  if (choice == NULL)
    {
      *why = g_strdup ("JSON without 'choices'");
      return REMOTE_NONSENSE;
    }
  return read_choice (choice, items, n, why);
}

const RemoteProtocol openai_protocol = {
  .name = "the chat completions service",
  .path = "/chat/completions",
  .bearer = TRUE,
  .write = write_request,
  .read = read_answer,
};
