/* SPDX-License-Identifier: Apache-2.0 */
/* protocol.c: requests and answers of LibreTranslate (protocol.h). */
#include "config.h"

#include "protocol.h"

#include <flowrun/json.h>
#include <string.h>

/* The server's own name of a language ("zh-Hans" for "zh"), where options give one. */
static const char *
server_code (const TranslatorSettings *s, const char *code)
{
  for (const FrPair *p = s->options; p != NULL && p->key != NULL; p++)
    if (strcmp (p->key, code) == 0)
      return p->value;
  return code;
}

static void
write_request (const TranslatorSettings *s, TranslatorItem *const *items, gsize n, GString *body)
{
  const char *from = server_code (s, items[0]->from), *to = server_code (s, items[0]->to);

  g_string_append (body, "{\"q\":[");
  for (gsize i = 0; i < n; i++)
    {
      g_string_append (body, i > 0 ? "," : "");
      fr_json_append_string (body, items[i]->text.data, items[i]->text.len);
    }
  g_string_append (body, "],\"source\":");
  fr_json_append_string (body, from, strlen (from));
  g_string_append (body, ",\"target\":");
  fr_json_append_string (body, to, strlen (to));
  g_string_append (body, ",\"format\":\"text\"");
  if (s->key != NULL)
    {
      g_string_append (body, ",\"api_key\":");
      fr_json_append_string (body, s->key, strlen (s->key));
    }
  g_string_append_c (body, '}');
}

static RemoteVerdict
read_texts (JsonNode *node, TranslatorItem *const *items, gsize n, char **why)
{
  gboolean one = JSON_NODE_HOLDS_VALUE (node);
  JsonArray *array = one ? NULL : json_node_get_array (node);
  gsize got = one ? 1 : json_array_get_length (array);

  if (got != n)
    {
      *why = g_strdup_printf ("%" G_GSIZE_FORMAT " translations for %" G_GSIZE_FORMAT " texts", got,
                              n);
      return REMOTE_MISCOUNT;
    }
  for (gsize i = 0; i < n; i++)
    {
      JsonNode *text = one ? node : json_array_get_element (array, (guint) i);

      if (!JSON_NODE_HOLDS_VALUE (text) || json_node_get_value_type (text) != G_TYPE_STRING)
        {
          *why = g_strdup ("'translatedText' holds something that is no text");
          return REMOTE_NONSENSE;
        }
    }
  for (gsize i = 0; i < n; i++)
    {
      const char *text
          = json_node_get_string (one ? node : json_array_get_element (array, (guint) i));

      translator_item_done (items[i], g_strdup (text), strlen (text));
    }
  return REMOTE_OK;
}

static RemoteVerdict
read_answer (const char *body, gsize len, TranslatorItem *const *items, gsize n, char **why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) root = fr_json_parse (body, (gssize) len, 0, &error);
  JsonNode *texts = NULL, *fault = NULL;

  if (root == NULL)
    {
      *why = g_strdup_printf ("no JSON: %s", error->message);
      return REMOTE_NONSENSE;
    }
  if (JSON_NODE_HOLDS_OBJECT (root))
    {
      texts = json_object_get_member (json_node_get_object (root), "translatedText");
      fault = json_object_get_member (json_node_get_object (root), "error");
    }
  if (fault != NULL && JSON_NODE_HOLDS_VALUE (fault)
      && json_node_get_value_type (fault) == G_TYPE_STRING)
    {
      *why = g_strdup (json_node_get_string (fault));
      return REMOTE_REFUSED;
    }
  if (texts == NULL || (!JSON_NODE_HOLDS_VALUE (texts) && !JSON_NODE_HOLDS_ARRAY (texts)))
    {
      *why = g_strdup ("JSON without 'translatedText'");
      return REMOTE_NONSENSE;
    }
  return read_texts (texts, items, n, why);
}

const RemoteProtocol libretranslate_protocol = {
  .name = "LibreTranslate",
  .path = "/translate",
  .write = write_request,
  .read = read_answer,
};
