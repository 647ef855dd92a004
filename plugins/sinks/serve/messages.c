/* SPDX-License-Identifier: Apache-2.0 */
/* messages.c: OpenAI's messages, checked one by one, in the form that chat templates take.
 *
 * What is not text cannot be told to a language model and is refused by name.  Arguments of tool
 * calls, which the API has as JSON text, become the values that templates expect.
 */
#include "config.h"

#include <string.h>

#include "ask.h"

typedef struct
{
  char path[64]; /* "messages[3]" */
  ServeProblem *problem;
} Reader;

static gboolean refuse (Reader *r, const char *code, const char *member, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static gboolean
refuse (Reader *r, const char *code, const char *member, const char *format, ...)
{
  g_autofree char *param
      = member != NULL ? g_strdup_printf ("%s.%s", r->path, member) : g_strdup (r->path);
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  return serve_problem_set (r->problem, 400, code, param, "%s: %s", param, message);
}

static gboolean
is_text (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
}

/* ---- content -------------------------------------------------------------------------------- */

/* Parts of text as one, a line each. */
static gboolean
join_parts (Reader *r, JsonArray *parts, GString *out)
{
  for (guint i = 0; i < json_array_get_length (parts); i++)
    {
      JsonNode *node = json_array_get_element (parts, i);
      JsonObject *part = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      JsonNode *type = part != NULL ? json_object_get_member (part, "type") : NULL;
      JsonNode *text = part != NULL ? json_object_get_member (part, "text") : NULL;

      if (type == NULL || !is_text (type))
        return refuse (r, "invalid_type", "content", "part %u has no type", i);
      if (strcmp (json_node_get_string (type), "text") != 0)
        return refuse (r, "unsupported_value", "content",
                       "part %u is '%s'; this model takes text alone", i,
                       json_node_get_string (type));
      if (text == NULL || !is_text (text))
        return refuse (r, "invalid_type", "content", "part %u has no text", i);
      if (i > 0)
        g_string_append_c (out, '\n');
      g_string_append (out, json_node_get_string (text));
    }
  return TRUE;
}

static gboolean
read_content (Reader *r, JsonNode *node, gboolean may_lack, JsonObject *to)
{
  g_autoptr (GString) text = NULL;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    {
      if (!may_lack)
        return refuse (r, "missing_field", "content", "expected text");
      json_object_set_null_member (to, "content");
      return TRUE;
    }
  if (is_text (node))
    {
      json_object_set_string_member (to, "content", json_node_get_string (node));
      return TRUE;
    }
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return refuse (r, "invalid_type", "content", "expected text, or an array of parts");
  text = g_string_new (NULL);
  if (!join_parts (r, json_node_get_array (node), text))
    return FALSE;
  json_object_set_string_member (to, "content", text->str);
  return TRUE;
}

/* ---- tool calls ----------------------------------------------------------------------------- */

/* {"name", "arguments"}: arguments as JSON text become what they stand for. */
static gboolean
read_function (Reader *r, JsonObject *call, JsonObject *to)
{
  JsonNode *node = json_object_get_member (call, "function");
  JsonObject *function
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonNode *name = function != NULL ? json_object_get_member (function, "name") : NULL;
  JsonNode *arguments = function != NULL ? json_object_get_member (function, "arguments") : NULL;
  JsonNode *value = NULL;
  JsonObject *out;

  if (name == NULL || !is_text (name))
    return refuse (r, "invalid_type", "tool_calls", "a call has no function with a name");
  if (arguments != NULL && is_text (arguments))
    value = fr_json_parse (json_node_get_string (arguments), -1, 0, NULL);
  if (value == NULL && arguments != NULL)
    value = json_node_copy (arguments);
  out = json_object_new ();
  json_object_set_string_member (out, "name", json_node_get_string (name));
  if (value != NULL)
    json_object_set_member (out, "arguments", value);
  json_object_set_object_member (to, "function", out);
  return TRUE;
}

static gboolean
read_calls (Reader *r, JsonNode *node, JsonObject *to)
{
  g_autoptr (JsonArray) calls = json_array_new ();
  JsonArray *list;

  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return refuse (r, "invalid_type", "tool_calls", "expected an array");
  list = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonNode *element = json_array_get_element (list, i);
      JsonNode *id;
      JsonObject *call;

      if (!JSON_NODE_HOLDS_OBJECT (element))
        return refuse (r, "invalid_type", "tool_calls", "expected an array of objects");
      call = json_object_new ();
      json_array_add_object_element (calls, call);
      json_object_set_string_member (call, "type", "function");
      id = json_object_get_member (json_node_get_object (element), "id");
      if (id != NULL && is_text (id))
        json_object_set_string_member (call, "id", json_node_get_string (id));
      if (!read_function (r, json_node_get_object (element), call))
        return FALSE;
    }
  json_object_set_array_member (to, "tool_calls", g_steal_pointer (&calls));
  return TRUE;
}

/* ---- messages ------------------------------------------------------------------------------- */

/* The role as templates know it; NULL with a problem. */
static const char *
read_role (Reader *r, JsonObject *message)
{
  static const char *const roles[] = { "system", "user", "assistant", "tool", NULL };
  JsonNode *node = json_object_get_member (message, "role");
  const char *role;

  if (node == NULL || !is_text (node))
    {
      refuse (r, "missing_field", "role", "expected system, user, assistant or tool");
      return NULL;
    }
  role = json_node_get_string (node);
  if (strcmp (role, "developer") == 0) /* OpenAI's newer word for it */
    return "system";
  for (guint i = 0; roles[i] != NULL; i++)
    if (strcmp (roles[i], role) == 0)
      return roles[i];
  refuse (r, "invalid_value", "role",
          "there is no such role; expected system, user, assistant or tool");
  return NULL;
}

static gboolean
read_member (Reader *r, const char *name, JsonNode *node, JsonObject *to)
{
  static const char *const texts[] = { "name", "tool_call_id", "reasoning_content", NULL };
  static const char *const empty[] = { "refusal", "audio", "function_call", "annotations", NULL };

  if (strcmp (name, "role") == 0 || strcmp (name, "content") == 0)
    return TRUE;
  if (strcmp (name, "tool_calls") == 0)
    return read_calls (r, node, to);
  if (g_strv_contains (texts, name))
    {
      if (JSON_NODE_HOLDS_NULL (node))
        return TRUE;
      if (!is_text (node))
        return refuse (r, "invalid_type", name, "expected text");
      json_object_set_string_member (to, name, json_node_get_string (node));
      return TRUE;
    }
  if (g_strv_contains (empty, name)
      && (JSON_NODE_HOLDS_NULL (node)
          || (JSON_NODE_HOLDS_ARRAY (node)
              && json_array_get_length (json_node_get_array (node)) == 0)))
    return TRUE;
  return refuse (r, "unknown_field", name, "a message has no such field here");
}

static gboolean
read_message (Reader *r, JsonNode *node, JsonArray *to)
{
  JsonObject *out, *message;
  JsonObjectIter iter;
  const char *role, *name;
  JsonNode *member;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (r, "invalid_type", NULL, "expected an object with role and content");
  message = json_node_get_object (node);
  role = read_role (r, message);
  if (role == NULL)
    return FALSE;
  out = json_object_new ();
  json_array_add_object_element (to, out);
  json_object_set_string_member (out, "role", role);
  json_object_iter_init (&iter, message);
  while (json_object_iter_next (&iter, &name, &member))
    if (!read_member (r, name, member, out))
      return FALSE;
  return read_content (r, json_object_get_member (message, "content"),
                       json_object_has_member (out, "tool_calls"), out);
}

JsonArray *
serve_ask_messages (JsonNode *node, const char *param, ServeProblem *problem)
{
  g_autoptr (JsonArray) out = json_array_new ();
  Reader reader = { .problem = problem };
  JsonArray *list;

  g_strlcpy (reader.path, param, sizeof reader.path);
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node)
      || json_array_get_length (json_node_get_array (node)) == 0)
    {
      refuse (&reader, node == NULL ? "missing_field" : "invalid_type", NULL,
              "expected an array of messages, one at least");
      return NULL;
    }
  list = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      g_snprintf (reader.path, sizeof reader.path, "%s[%u]", param, i);
      if (!read_message (&reader, json_array_get_element (list, i), out))
        return NULL;
    }
  return g_steal_pointer (&out);
}
