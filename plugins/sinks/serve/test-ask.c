/* SPDX-License-Identifier: Apache-2.0 */
/* test-ask.c: what bodies ask for, and that a question is what training made of the same row. */
#include "config.h"

#include <flowrun/test.h>
#include <string.h>

#include "test-asker.h"

static JsonObject *
parse (const char *text, JsonNode **node)
{
  g_auto (ServeProblem) problem = { 0 };
  g_autofree char *json = g_strdelimit (g_strdup (text), "'", '"');

  *node = serve_ask_body (json, strlen (json), &problem);
  if (*node == NULL)
    g_error ("%s: %s", json, problem.message);
  return json_node_get_object (*node);
}

/* ---- settings ------------------------------------------------------------------------------- */

static void
test_settings (void)
{
  Serve serve;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (ServeAsk) ask = NULL;
  g_auto (ServeProblem) problem = { 0 };

  test_asker_init (&serve, 512, NULL);
  ask = serve_ask_chat (
      &serve,
      parse (
          "{'messages': [{'role': 'user', 'content': '你好'}], 'temperature': 0, 'top_p': 0.5, "
          "'top_k': -1, 'min_p': 0.1, 'presence_penalty': -1, 'frequency_penalty': 2, "
          "'repetition_penalty': 1.5, 'max_completion_tokens': 7.0, 'n': 3, 'stop': ['a', '中'], "
          "'seed': -5, 'logit_bias': {'65': -100}, 'logprobs': true, 'top_logprobs': 2, 'user': "
          "'u', 'stream': true, 'stream_options': {'include_usage': true}, 'ignore_eos': true}",
          &node),
      &problem);
  g_assert_cmpuint (problem.status, ==, 0);
  g_assert_cmpfloat (ask->sampling.temperature, ==, 0);
  g_assert_cmpfloat (ask->sampling.top_p, ==, 0.5);
  g_assert_cmpuint (ask->sampling.top_k, ==, 0);
  g_assert_cmpfloat (ask->sampling.min_p, ==, 0.1);
  g_assert_cmpfloat (ask->sampling.presence_penalty, ==, -1);
  g_assert_cmpfloat (ask->sampling.frequency_penalty, ==, 2);
  g_assert_cmpfloat (ask->sampling.repetition_penalty, ==, 1.5);
  g_assert_cmpuint (ask->sampling.max_tokens, ==, 7);
  g_assert_cmpuint (ask->sampling.n_logprobs, ==, 2);
  g_assert_true (ask->sampling.ignore_ends && ask->logprobs && ask->stream && ask->usage);
  g_assert_cmpstr (ask->sampling.stop[1], ==, "中");
  g_assert_null (ask->sampling.stop[2]);
  g_assert_cmpuint (ask->n, ==, 3);
  g_assert_true (ask->seeded);
  g_assert_cmpuint (ask->seed, ==, (guint64) -5);
  g_assert_cmpuint (ask->sampling.bias->len, ==, 1);
  g_assert_cmpint (g_array_index (ask->sampling.bias, LmBias, 0).id, ==, 65);
  g_assert_cmpstr (ask->user, ==, "u");
  test_asker_clear (&serve);
}

/* What is not said is the server's. */
static void
test_defaults (void)
{
  Serve serve;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (ServeAsk) ask = NULL;
  g_auto (ServeProblem) problem = { 0 };

  test_asker_init (&serve, 512, NULL);
  ask = serve_ask_chat (
      &serve,
      parse ("{'messages': [{'role': 'user', 'content': 'x'}], 'temperature': null}", &node),
      &problem);
  g_assert_cmpfloat (ask->sampling.temperature, ==, 0.5);
  g_assert_cmpuint (ask->sampling.max_tokens, ==, 64);
  g_assert_false (ask->seeded);
  g_assert_true (ask->reasoning);
  test_asker_clear (&serve);
}

/* ---- messages ------------------------------------------------------------------------------- */

static void
test_messages (void)
{
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (JsonArray) messages = NULL;
  g_autoptr (JsonNode) out = json_node_new (JSON_NODE_ARRAY);
  g_autofree char *text = NULL;
  g_auto (ServeProblem) problem = { 0 };
  JsonObject *o = parse (
      "{'m': [{'role': 'developer', 'content': 's'}, {'role': 'user', 'content': [{'type': 'text', "
      "'text': 'a'}, {'type': 'text', 'text': '中'}], 'name': 'n'}, {'role': 'assistant', "
      "'content': null, 'refusal': null, 'tool_calls': [{'id': '1', 'type': 'function', "
      "'function': {'name': 'f', 'arguments': '{}'}}]}, {'role': 'tool', 'tool_call_id': '1', "
      "'content': 'r'}]}",
      &node);

  messages = serve_ask_messages (json_object_get_member (o, "m"), "m", &problem);
  g_assert_cmpuint (problem.status, ==, 0);
  json_node_set_array (out, messages);
  text = fr_json_to_string (out, 0);
  g_assert_cmpstr (
      text, ==,
      "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"name\":\"n\",\"content\":"
      "\"a\\n中\"},{\"role\":\"assistant\",\"tool_calls\":[{\"type\":\"function\",\"id\":\"1\","
      "\"function\":{\"name\":\"f\",\"arguments\":{}}}],\"content\":null},{\"role\":\"tool\","
      "\"tool_call_id\":\"1\",\"content\":\"r\"}]");
}

/* ---- as in training ------------------------------------------------------------------------- */

/* The prompt's ids that transform.format and lm_chat_sample() make of a row with these columns. */
static GArray *
trained_prompt (Serve *serve, const char *row)
{
  const char *dir = g_getenv ("FLOWRUN_PLUGIN_PATH");
  g_autofree char *path = g_build_filename (dir, "transform-format.so", NULL);
  g_autofree char *with
      = g_strdup ("{'input': '为{name}写一句[[，给{audience}]]。', 'system': '语气：{tone|平实}', "
                  "'history': ['{q}', '{a}'], 'output': '{copy}', 'shape': 'messages'}");
  g_autoptr (FrTest) t = fr_test_new_file (path, "transform.format", with);
  g_autofree char *rows = g_strdup_printf ("[%s]", row);
  g_autoptr (JsonNode) out = NULL;
  g_autoptr (GError) error = NULL;
  LmSample sample;
  GArray *ids;

  fr_test_input (t, "in", "name: utf8, audience: utf8, tone: utf8, q: utf8, a: utf8, copy: utf8",
                 rows);
  fr_test_run (t);
  out = fr_json_parse (fr_test_output (t, "out"), -1, FR_JSON_MANY, &error);
  g_assert_no_error (error);
  lm_sample_init (&sample);
  g_assert_true (lm_chat_sample (
      serve->chat, json_object_get_array_member (json_node_get_object (out), "messages"), &sample,
      &error));
  g_assert_no_error (error);
  g_array_set_size (sample.ids, (guint) sample.n_prompt);
  ids = g_array_ref (sample.ids);
  lm_sample_clear (&sample);
  return ids;
}

static void
test_as_in_training (void)
{
  static const char *const rows[] = {
    "{'name': '茶杯', 'audience': '学生', 'tone': '活泼', 'copy': 'c'}",
    "{'name': '伞', 'copy': 'c'}",
    "{'name': '伞', 'tone': '', 'q': '你好', 'a': '好', 'copy': 'c'}",
  };
  Serve serve;

  test_asker_init (&serve, 2048, TEST_FORMAT);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GArray) expected = NULL;
      g_autoptr (JsonNode) node = NULL;
      g_autoptr (ServeAsk) ask = NULL;
      g_auto (ServeProblem) problem = { 0 };
      g_autofree char *body = g_strdup_printf ("{'fields': %s}", rows[i]);
      JsonObject *o = parse (body, &node);

      json_object_remove_member (json_object_get_object_member (o, "fields"), "copy");
      ask = serve_ask_generate (&serve, o, &problem);
      if (ask == NULL || !serve_ask_prepare (&serve, ask, &problem))
        g_error ("%s", problem.message);
      expected = trained_prompt (&serve, rows[i]);
      g_assert_cmpmem (ask->prompt->data, ask->prompt->len * sizeof (gint32), expected->data,
                       expected->len * sizeof (gint32));
    }
  test_asker_clear (&serve);
}

/* ---- what is refused ------------------------------------------------------------------------ */

static void
test_fits (void)
{
  Serve serve;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (ServeAsk) ask = NULL;
  g_auto (ServeProblem) problem = { 0 };

  test_asker_init (&serve, 48, NULL);
  ask = serve_ask_chat (
      &serve,
      parse ("{'messages': [{'role': 'user', 'content': '0123456789012345678901234567890'}]}",
             &node),
      &problem);
  g_assert_false (serve_ask_prepare (&serve, ask, &problem));
  g_assert_cmpstr (problem.code, ==, "context_length_exceeded");
  g_assert_nonnull (strstr (problem.message, "48"));
  test_asker_clear (&serve);
}

static void
test_format_problems (void)
{
  static const char *const wrong[][2]
      = { { "{'input': '{name'}", "character 1" },
          { "{'input': 'x', 'history': ['a']}", "last answer is missing" },
          { "{'input': '{a}', 'fields': {'b': {}}}", "no template uses a column 'b'" } };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (JsonNode) node = NULL;
      g_autoptr (GError) error = NULL;

      parse (wrong[i][0], &node);
      g_assert_null (serve_format_new (node, &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
      g_assert_nonnull (strstr (error->message, wrong[i][1]));
    }
}

static void
test_schema (void)
{
  g_autoptr (JsonObject) chat = serve_ask_schema (SERVE_FIELDS_CHAT);
  JsonObject *properties = json_object_get_object_member (chat, "properties");

  g_assert_true (json_object_has_member (properties, "messages"));
  g_assert_cmpfloat (json_object_get_double_member (
                         json_object_get_object_member (properties, "temperature"), "maximum"),
                     ==, 2);
  g_assert_false (json_object_has_member (properties, "functions"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ask/settings", test_settings);
  g_test_add_func ("/ask/defaults", test_defaults);
  g_test_add_func ("/ask/messages", test_messages);
  g_test_add_func ("/ask/as-in-training", test_as_in_training);
  g_test_add_func ("/ask/fits", test_fits);
  g_test_add_func ("/ask/format-problems", test_format_problems);
  g_test_add_func ("/ask/schema", test_schema);
  return g_test_run ();
}
