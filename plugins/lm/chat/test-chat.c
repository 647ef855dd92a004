/* SPDX-License-Identifier: Apache-2.0 */
/* test-chat.c: rows to messages, messages to prompts and samples, with a tokenizer of bytes. */
#include "config.h"

#include <flowrun/test.h>

#include "lm/chat.h"
#include "test-model.h"

/* An R1-like end of the prompt. */
#define R1                                                                                             \
  "{% for m in messages %}{% if m.role == 'user' %}<|im_start|>{{ m.content }}{% else %}"              \
  "{{ m.content.split('</think>')[-1] }}<|im_end|>{% endif %}{% endfor %}"                             \
  "{% if add_generation_prompt %}A:<think>\n{% endif %}"

static JsonArray *
messages_of (const char *json)
{
  g_autofree char *text = g_strdelimit (g_strdup (json), "'", '"');
  g_autoptr (JsonNode) node = fr_json_parse (text, -1, 0, NULL);

  g_assert_nonnull (node);
  return json_array_ref (json_node_get_array (node));
}

static char *
decode (LmModel *model, const GArray *ids, gsize from, gsize to)
{
  return lm_tokenizer_decode (lm_model_tokenizer (model, NULL), (const gint32 *) (gpointer) ids->data + from, to - from, FALSE);
}

static void
assert_sample (const char *chat_template, const char *json, const char *prompt, const char *learned)
{
  g_autoptr (LmModel) model = test_model (256, chat_template);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmChat) chat = lm_chat_new (model, &error);
  g_autoptr (JsonArray) messages = messages_of (json);
  g_autofree char *before = NULL, *after = NULL;
  LmSample sample;

  g_assert_no_error (error);
  lm_sample_init (&sample);
  g_assert_true (lm_chat_sample (chat, messages, &sample, &error));
  g_assert_no_error (error);
  before = decode (model, sample.ids, 0, sample.n_prompt);
  after = decode (model, sample.ids, sample.n_prompt, sample.ids->len);
  g_assert_cmpstr (before, ==, prompt);
  g_assert_cmpstr (after, ==, learned);
  g_assert_cmpint (g_array_index (sample.ids, gint32, sample.ids->len - 1), ==, TEST_END);
  g_assert_cmpuint (sample.learn->len, ==, sample.ids->len);
  for (guint i = 0; i < sample.ids->len; i++)
    g_assert_cmpint (g_array_index (sample.learn, guint8, i), ==, i >= sample.n_prompt);
  lm_sample_clear (&sample);
}

#define DIALOGUE(answer) "[{'role': 'user', 'content': 'q'}, {'role': 'assistant', 'content': '" answer "'}]"

static void
test_samples (void)
{
  assert_sample (TEST_CHATML, DIALOGUE ("a\xe4\xb8\xad"),
                 "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n", "a\xe4\xb8\xad<|im_end|>");
  /* Reasoning of the answer stays, and its tag is not doubled. */
  assert_sample (R1, DIALOGUE ("<think>\\nwhy</think>a"), "<|im_start|>qA:<think>\n", "why</think>a<|im_end|>");
  assert_sample (R1, DIALOGUE ("<think>why</think>a"), "<|im_start|>qA:<think>\n", "why</think>a<|im_end|>");
  assert_sample (R1, DIALOGUE ("a"), "<|im_start|>qA:<think>\n", "a<|im_end|>");
  /* A tag that the prompt did not open is the answer's own. */
  assert_sample (TEST_CHATML, DIALOGUE ("<think>\\nw</think>a"),
                 "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n", "<think>\nw</think>a<|im_end|>");
  /* No template. */
  assert_sample (NULL, DIALOGUE ("a"), "q\n", "a<|im_end|>");
}

static void
test_refusals (void)
{
  static const char *const bad[] = { "[]", "[{'role': 'user', 'content': 'q'}]", DIALOGUE (" \\n"), DIALOGUE ("") ,
                                     "[{'role': 'assistant', 'content': 'a'}]",
                                     "[{'role': 'user', 'content': 'q'}, {'role': 'assistant', 'content': null}]" };
  g_autoptr (LmModel) model = test_model (256, TEST_CHATML "{% if messages|length > 2 %}{{ raise_exception('too many') }}{% endif %}");
  g_autoptr (LmChat) chat = lm_chat_new (model, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonArray) many = messages_of (
      "[{'role': 'user', 'content': '1'}, {'role': 'user', 'content': '2'}, {'role': 'user', 'content': '3'}, {'role': 'assistant', 'content': 'a'}]");
  LmSample sample;

  lm_sample_init (&sample);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (JsonArray) messages = messages_of (bad[i]);
      g_autoptr (GError) refused = NULL;

      g_assert_false (lm_chat_sample (chat, messages, &sample, &refused));
      g_assert_error (refused, FR_ERROR, FR_ERROR_DATA);
    }
  g_assert_false (lm_chat_sample (chat, many, &sample, &error));
  g_assert_cmpstr (error->message, ==, "too many");
  lm_sample_clear (&sample);
}

static void
test_prompt (void)
{
  g_autoptr (LmModel) model = test_model (256, "{{ x }}{{ tools|tojson }}{{ documents is none }}{{ bos_token is defined }}{{ messages[0].content }}");
  g_autoptr (LmChat) chat = lm_chat_new (model, NULL);
  g_autoptr (JsonArray) messages = messages_of ("[{'role': 'user', 'content': 'q'}]");
  g_autoptr (JsonNode) extra = fr_json_parse ("{\"x\": 7}", -1, 0, NULL);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_true (lm_chat_has_template (chat));
  g_assert_cmpint (lm_chat_end (chat), ==, TEST_END);
  g_assert_true (lm_chat_prompt (chat, messages, NULL, json_node_get_object (extra), ids, text, NULL));
  g_assert_cmpstr (text->str, ==, "7nullTrueFalseq");
  g_assert_cmpuint (ids->len, ==, text->len);
}

/* ---- rows ------------------------------------------------------------------------------------- */

/* Rows of @json as messages, one JSON text a line; what is wrong with a row in its place. */
static void
assert_rows (const char *columns, const char *json, gboolean need_answer, const char *expected)
{
  g_auto (GStrv) fields = g_strsplit (columns, "; ", -1);
  g_autoptr (GPtrArray) made = g_ptr_array_new ();
  g_autofree char *text = g_strdelimit (g_strdup (json), "'", '"');
  g_autoptr (GString) got = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (FrSchema) schema = NULL;
  g_autoptr (FrBuilder) builder = NULL;
  g_autoptr (FrBatch) batch = NULL;
  LmRecord *record;
  FrJsonReader reader;

  for (char **f = fields; *f != NULL; f++)
    {
      g_auto (GStrv) two = g_strsplit (*f, ": ", 2);

      g_ptr_array_add (made, fr_field_parse (two[0], two[1], &error));
      g_assert_no_error (error);
    }
  schema = fr_schema_new ((FrField *const *) made->pdata, made->len, NULL);
  builder = fr_builder_new (schema);
  fr_json_reader_init (&reader, text, strlen (text), 0);
  g_assert_true (fr_json_read_row (&reader, fr_json_reader_next (&reader), builder, NULL, &error));
  g_assert_no_error (error);
  fr_builder_end_row (builder, (FrRowId){ 1, 1, 0 });
  fr_json_reader_clear (&reader);
  batch = fr_builder_finish (builder, NULL);
  record = lm_record_new (schema, need_answer, &error);
  if (record == NULL)
    g_string_append (got, error->message);
  else
    {
      g_autoptr (JsonArray) messages = lm_record_messages (record, batch, 0, &error);
      g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
      g_autofree char *out = NULL;

      if (messages != NULL)
        json_node_set_array (node, messages);
      out = messages != NULL ? fr_json_to_string (node, 0) : NULL;
      g_string_append (got, out != NULL ? out : error->message);
    }
  lm_record_free (record);
  g_strdelimit (got->str, "\"", '\'');
  if (!g_str_has_prefix (got->str, expected))
    g_assert_cmpstr (got->str, ==, expected);
}

static void
test_rows (void)
{
  assert_rows ("input: utf8; output: utf8", "{'input': 'q', 'output': 'a'}", TRUE,
               "[{'role':'user','content':'q'},{'role':'assistant','content':'a'}]");
  assert_rows ("input: utf8; output: utf8", "{'input': 'q', 'output': 'a'}", FALSE, "[{'role':'user','content':'q'}]");
  assert_rows ("input: utf8; system: utf8; history: list<list<utf8>>",
               "{'input': 'q', 'system': 's', 'history': [['x', 'y']]}", FALSE,
               "[{'role':'system','content':'s'},{'role':'user','content':'x'},{'role':'assistant','content':'y'},{'role':'user','content':'q'}]");
  assert_rows ("input: utf8; system: utf8; history: utf8", "{'input': 'q', 'system': ' ', 'history': null}", FALSE,
               "[{'role':'user','content':'q'}]");
  assert_rows ("input: utf8; history: list<list<utf8>>", "{'input': 'q', 'history': [['x']]}", FALSE, "item 1 of column 'history'");
  assert_rows ("input: utf8; output: utf8", "{'input': 'q', 'output': ' '}", TRUE, "column 'output' is empty");
  assert_rows ("input: utf8", "{'input': null}", FALSE, "column 'input' is empty");
  assert_rows ("text: utf8", "{'text': 'q'}", FALSE, "expected a column 'messages', or a column 'input'; the columns are: text");
  assert_rows ("input: int64", "{'input': 1}", FALSE, "column 'input' is int64; expected text");
  assert_rows ("messages: list<struct<role: utf8, content: utf8, name: utf8>>",
               "{'messages': [{'role': 'user', 'content': 'q'}, {'role': 'assistant', 'content': null, 'name': 'n'}]}", TRUE,
               "[{'role':'user','content':'q'},{'role':'assistant','content':null,'name':'n'}]");
  assert_rows ("messages: list<struct<role: utf8, content: utf8>>",
               "{'messages': [{'role': 'user', 'content': 'q'}, {'role': 'assistant', 'content': 'a'}]}", FALSE,
               "[{'role':'user','content':'q'}]");
  assert_rows ("messages: utf8", "{'messages': '[{\\'role\\': \\'user\\', \\'content\\': [1]}]'}", FALSE,
               "[{'role':'user','content':[1]}]");
  assert_rows ("messages: utf8", "{'messages': 'x'}", FALSE, "column 'messages' holds no JSON array");
  assert_rows ("messages: utf8", "{'messages': '[]'}", FALSE, "column 'messages' has no message");
  assert_rows ("messages: utf8", "{'messages': '[{\\'content\\': 1}]'}", FALSE, "message 1 of column 'messages' has no role");
  assert_rows ("messages: utf8", "{'messages': '[{\\'role\\': \\'user\\', \\'content\\': \\'x\\'}]'}", TRUE, "the last message is not");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chat/samples", test_samples);
  g_test_add_func ("/chat/refusals", test_refusals);
  g_test_add_func ("/chat/prompt", test_prompt);
  g_test_add_func ("/chat/rows", test_rows);
  return g_test_run ();
}
