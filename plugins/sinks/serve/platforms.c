/* SPDX-License-Identifier: Apache-2.0 */
/* platforms.c: see platforms.h. */
#include "config.h"

#include "platforms.h"

#include <string.h>

#include "generate.h"
#include "openai.h"

/* What our settings are called there: text-generation-inference's names. */
static const struct
{
  const char *theirs, *ours;
} renamed[] = { { "max_new_tokens", "max_tokens" }, { "return_full_text", "echo" } };

/* ---- asking --------------------------------------------------------------------------------- */

static gboolean
get_bool (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
         && json_node_get_value_type (node) == G_TYPE_BOOLEAN && json_node_get_boolean (node);
}

/* @parameters in our names; "do_sample": false is a temperature of 0. */
static JsonObject *
our_names (JsonObject *parameters)
{
  JsonObject *out = json_object_new ();
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (parameters == NULL)
    return out;
  json_object_iter_init (&iter, parameters);
  while (json_object_iter_next (&iter, &name, &node))
    {
      for (guint i = 0; i < G_N_ELEMENTS (renamed); i++)
        if (strcmp (name, renamed[i].theirs) == 0)
          name = renamed[i].ours;
      if (strcmp (name, "do_sample") == 0)
        {
          if (!get_bool (parameters, name) && !json_object_has_member (parameters, "temperature"))
            json_object_set_double_member (out, "temperature", 0);
        }
      else if (strcmp (name, "details") != 0)
        json_object_set_member (out, name, json_node_copy (node));
    }
  return out;
}

/* One ask of @text. */
static ServeAsk *
ask_of (Serve *serve, const char *text, JsonObject *settings, ServeProblem *problem)
{
  static const char *const others[] = { "raw", "echo", NULL };
  g_autoptr (ServeAsk) ask = NULL;

  if (!get_bool (settings, "raw"))
    ask = serve_ask_question (serve, text, settings, others, "parameters.", problem);
  else
    {
      ask = serve_ask_new (serve);
      if (!serve_ask_settings (serve, ask, settings, others, "parameters.", problem))
        return NULL;
      ask->text = g_strdup (text);
      ask->input = g_strdup (text);
    }
  if (ask == NULL)
    return NULL;
  if (get_bool (settings, "echo"))
    {
      ask->echo = TRUE;
      if (ask->text == NULL)
        ask->text = g_strdup (text);
    }
  return serve_ask_prepare (serve, ask, problem) ? g_steal_pointer (&ask) : NULL;
}

/* An ask of each text of @node (one, or an array); NULL with a problem. */
static GPtrArray *
asks_of (Serve *serve, JsonNode *node, const char *param, JsonObject *settings,
         ServeProblem *problem)
{
  g_autoptr (GPtrArray) asks = g_ptr_array_new_with_free_func ((GDestroyNotify) serve_ask_unref);
  JsonArray *list = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  guint n = list != NULL ? json_array_get_length (list) : 1;

  if (n == 0 || n > serve->limits.prompts)
    {
      serve_problem_set (problem, 400, "out_of_range", param,
                         "%s: %u texts; this server takes 1 to %" G_GINT64_FORMAT, param, n,
                         serve->limits.prompts);
      return NULL;
    }
  for (guint i = 0; i < n; i++)
    {
      const char *text
          = serve_ask_text (list != NULL ? json_array_get_element (list, i) : node, param, problem);
      ServeAsk *ask = text != NULL ? ask_of (serve, text, settings, problem) : NULL;

      if (ask == NULL)
        return NULL;
      g_ptr_array_add (asks, ask);
    }
  return g_steal_pointer (&asks);
}

/* ---- text-generation-inference's shape ------------------------------------------------------ */

static void
append_text (GString *out, const GString *text)
{
  fr_json_append_string (out, text->str, text->len);
}

static void
tgi_whole (ServeReply *reply, GString *out)
{
  g_string_append_c (out, '[');
  for (guint i = 0; i < reply->result->n; i++)
    {
      g_string_append (out, i > 0 ? ",{\"generated_text\":" : "{\"generated_text\":");
      append_text (out, reply->result->choices[i].content);
      g_string_append_c (out, '}');
    }
  g_string_append_c (out, ']');
}

static void
tgi_delta (ServeReply *reply, const ServeDelta *delta, GString *out)
{
  (void) reply;
  if (delta->reasoning)
    return;
  g_string_append_printf (out, "data:{\"index\":%u,\"token\":{\"text\":", delta->choice);
  fr_json_append_string (out, delta->text, delta->len);
  g_string_append (out, ",\"special\":false},\"generated_text\":null,\"details\":null}\n\n");
}

static void
tgi_finish (ServeReply *reply, guint choice, GString *out)
{
  const ServeChoice *c = &reply->result->choices[choice];

  g_string_append_printf (
      out,
      "data:{\"index\":%u,\"token\":{\"text\":\"\",\"special\":true},\"generated_text\":", choice);
  append_text (out, c->content);
  g_string_append_printf (
      out,
      ",\"details\":{\"finish_reason\":\"%s\",\"generated_tokens\":%" G_GUINT64_FORMAT "}}\n\n",
      c->stop == LM_STOP_END      ? "eos_token"
      : c->stop == LM_STOP_STRING ? "stop_sequence"
                                  : "length",
      c->tokens);
}

static void
no_end (ServeReply *reply, GString *out)
{
  (void) reply, (void) out;
}

static void
failed (ServeReply *reply, guint status, const char *code, const char *message, GString *out)
{
  HttpShape shape = http_request_route (reply->request)->shape;

  g_string_append (out, "data: ");
  http_append_error (out, shape, status, code, NULL, message);
  g_string_append (out, "\n\n");
}

static const ServeProtocol tgi_protocol = {
  .prefix = "inv-",
  .whole = tgi_whole,
  .delta = tgi_delta,
  .finish = tgi_finish,
  .end = no_end,
  .failed = failed,
};

static JsonObject *
object_member (JsonObject *object, const char *name, ServeProblem *problem)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return NULL;
  if (JSON_NODE_HOLDS_OBJECT (node))
    return json_node_get_object (node);
  serve_problem_set (problem, 400, "invalid_type", name, "%s: expected an object", name);
  return NULL;
}

static void
answer_inputs (Serve *serve, HttpRequest *request, JsonObject *body)
{
  g_auto (ServeProblem) problem = { 0 };
  g_autoptr (JsonObject) settings = our_names (object_member (body, "parameters", &problem));
  g_autoptr (GPtrArray) asks = NULL;
  JsonObjectIter iter;
  const char *name;

  json_object_iter_init (&iter, body);
  while (json_object_iter_next (&iter, &name, NULL))
    if (strcmp (name, "inputs") != 0 && strcmp (name, "parameters") != 0
        && strcmp (name, "stream") != 0 && strcmp (name, "model") != 0)
      serve_problem_set (&problem, 400, "unknown_field", NULL,
                         "expected inputs, parameters, stream and model");
  if (json_object_has_member (body, "stream"))
    json_object_set_boolean_member (settings, "stream", get_bool (body, "stream"));
  if (json_object_has_member (body, "model"))
    json_object_set_member (settings, "model",
                            json_node_copy (json_object_get_member (body, "model")));
  if (problem.status == 0)
    asks = asks_of (serve, json_object_get_member (body, "inputs"), "inputs", settings, &problem);
  serve_answer (serve, request, g_steal_pointer (&asks), &problem, &tgi_protocol);
}

/* ---- SageMaker and Azure ML ----------------------------------------------------------------- */

static void
answer_untagged (Serve *serve, HttpRequest *request, JsonObject *body)
{
  JsonNode *inputs = json_object_get_member (body, "inputs");

  if (json_object_has_member (body, "messages"))
    serve_answer_chat (serve, request, body);
  else if (json_object_has_member (body, "prompt"))
    serve_answer_completion (serve, request, body);
  else if (inputs != NULL)
    answer_inputs (serve, request, body);
  else
    serve_answer_generate (serve, request, body);
}

static void
handle_invocations (HttpRequest *request, gpointer data)
{
  serve_handle (request, data, answer_untagged);
}

static void
handle_ping (HttpRequest *request, gpointer data)
{
  if (serve_ready (data, request))
    http_reply (request, 200, NULL, NULL);
}

/* ---- Open Inference Protocol ---------------------------------------------------------------- */

#define PLATFORM "flowrun"

static void
handle_v2 (HttpRequest *request, gpointer data)
{
  (void) data;
  http_reply_string (request, 200, "application/json",
                     g_string_new ("{\"name\":\"flowrun\",\"version\":\"" PACKAGE_VERSION
                                   "\",\"extensions\":[\"generate\"]}"));
}

static void
handle_v2_live (HttpRequest *request, gpointer data)
{
  (void) data;
  http_reply_static (request, 200, "application/json", "{\"live\":true}", 13);
}

/* The status decides. */
static void
handle_v2_ready (HttpRequest *request, gpointer data)
{
  gboolean ready = serve_state (data) == SERVE_READY;

  http_reply_string (request, ready ? 200 : 503, "application/json",
                     g_string_new (ready ? "{\"ready\":true}" : "{\"ready\":false}"));
}

/* FALSE: answered. */
static gboolean
knows_model (Serve *serve, HttpRequest *request)
{
  const char *name = http_request_part (request, "model");
  g_auto (ServePick) pick = { 0 };
  g_autoptr (GError) error = NULL;

  if (!serve_ready (serve, request))
    return FALSE;
  if (serve_models_pick (serve->models, name, "", &pick, &error))
    return TRUE;
  http_reply_error (request, 404, "model_not_found", "model", "%s", error->message);
  return FALSE;
}

static void
handle_v2_model (HttpRequest *request, gpointer data)
{
  const char *name = http_request_part (request, "model");
  GString *out;

  if (!knows_model (data, request))
    return;
  out = g_string_new ("{\"name\":");
  fr_json_append_string (out, name, strlen (name));
  g_string_append (out,
                   ",\"versions\":[\"1\"],\"platform\":\"" PLATFORM "\",\"inputs\":[{\"name\":"
                   "\"text_input\",\"datatype\":\"BYTES\",\"shape\":[-1]}],\"outputs\":[{\"name\":"
                   "\"text_output\",\"datatype\":\"BYTES\",\"shape\":[-1]}]}");
  http_reply_string (request, 200, "application/json", out);
}

static void
handle_v2_model_ready (HttpRequest *request, gpointer data)
{
  const char *name = http_request_part (request, "model");
  GString *out;

  if (!knows_model (data, request))
    return;
  out = g_string_new ("{\"name\":");
  fr_json_append_string (out, name, strlen (name));
  g_string_append (out, ",\"ready\":true}");
  http_reply_string (request, 200, "application/json", out);
}

/* ---- infer ---------------------------------------------------------------------------------- */

/* The one tensor of @body: its array of texts; NULL with a problem. */
static JsonNode *
read_tensor (JsonObject *body, ServeProblem *problem)
{
  JsonNode *inputs = json_object_get_member (body, "inputs");
  JsonArray *list
      = inputs != NULL && JSON_NODE_HOLDS_ARRAY (inputs) ? json_node_get_array (inputs) : NULL;
  JsonNode *first
      = list != NULL && json_array_get_length (list) == 1 ? json_array_get_element (list, 0) : NULL;
  JsonObject *tensor
      = first != NULL && JSON_NODE_HOLDS_OBJECT (first) ? json_node_get_object (first) : NULL;
  JsonNode *type = tensor != NULL ? json_object_get_member (tensor, "datatype") : NULL;
  JsonNode *data = tensor != NULL ? json_object_get_member (tensor, "data") : NULL;

  if (tensor == NULL)
    serve_problem_set (problem, 400, "invalid_type", "inputs",
                       "inputs: expected an array of one tensor");
  else if (type == NULL || !JSON_NODE_HOLDS_VALUE (type)
           || g_strcmp0 (json_node_get_string (type), "BYTES") != 0)
    serve_problem_set (problem, 400, "invalid_value", "inputs",
                       "inputs: the tensor's datatype is not BYTES");
  else if (data == NULL || !JSON_NODE_HOLDS_ARRAY (data))
    serve_problem_set (problem, 400, "invalid_type", "inputs",
                       "inputs: the tensor has no data, an array of texts");
  else
    return data;
  return NULL;
}

/* Infer's answer names the model, and gives the client's id back: kept as the ask's user. */
static void
infer_whole (ServeReply *reply, GString *out)
{
  const ServeResult *result = reply->result;
  const char *id = serve_reply_ask (reply, 0)->user;

  g_string_append (out, "{\"model_name\":");
  fr_json_append_string (out, reply->name, strlen (reply->name));
  g_string_append (out, ",\"model_version\":\"1\"");
  if (id != NULL)
    {
      g_string_append (out, ",\"id\":");
      fr_json_append_string (out, id, strlen (id));
    }
  g_string_append_printf (out,
                          ",\"outputs\":[{\"name\":\"text_output\",\"datatype\":\"BYTES\","
                          "\"shape\":[%u],\"data\":[",
                          result->n);
  for (guint i = 0; i < result->n; i++)
    {
      g_string_append (out, i > 0 ? "," : "");
      append_text (out, result->choices[i].content);
    }
  g_string_append (out, "]}]}");
}

static const ServeProtocol infer_protocol = { .prefix = "infer-", .whole = infer_whole };

static void
set_model (HttpRequest *request, JsonObject *settings)
{
  json_object_set_string_member (settings, "model", http_request_part (request, "model"));
}

static void
answer_infer (Serve *serve, HttpRequest *request, JsonObject *body)
{
  g_auto (ServeProblem) problem = { 0 };
  g_autoptr (JsonObject) settings = our_names (object_member (body, "parameters", &problem));
  JsonNode *texts = problem.status == 0 ? read_tensor (body, &problem) : NULL;
  JsonNode *id = json_object_get_member (body, "id");
  g_autoptr (GPtrArray) asks = NULL;

  set_model (request, settings);
  if (json_object_has_member (settings, "stream"))
    serve_problem_set (&problem, 400, "unsupported_value", "parameters.stream",
                       "infer gives one answer; generate_stream gives events");
  if (id != NULL && serve_ask_text (id, "id", &problem) != NULL)
    json_object_set_member (settings, "user", json_node_copy (id));
  if (texts != NULL && problem.status == 0)
    asks = asks_of (serve, texts, "inputs", settings, &problem);
  serve_answer (serve, request, g_steal_pointer (&asks), &problem, &infer_protocol);
}

static void
handle_infer (HttpRequest *request, gpointer data)
{
  serve_handle (request, data, answer_infer);
}

/* ---- Triton's generate extension ------------------------------------------------------------ */

static void
append_output (const ServeReply *reply, const char *text, gsize len, GString *out)
{
  g_string_append (out, "{\"model_name\":");
  fr_json_append_string (out, reply->name, strlen (reply->name));
  g_string_append (out, ",\"model_version\":\"1\",\"text_output\":");
  fr_json_append_string (out, text, len);
  g_string_append_c (out, '}');
}

static void
triton_whole (ServeReply *reply, GString *out)
{
  const GString *content = reply->result->choices[0].content;

  append_output (reply, content->str, content->len, out);
}

static void
triton_delta (ServeReply *reply, const ServeDelta *delta, GString *out)
{
  if (delta->reasoning)
    return;
  g_string_append (out, "data: ");
  append_output (reply, delta->text, delta->len, out);
  g_string_append (out, "\n\n");
}

static void
no_finish (ServeReply *reply, guint choice, GString *out)
{
  (void) reply, (void) choice, (void) out;
}

static const ServeProtocol triton_protocol = {
  .prefix = "gen-",
  .whole = triton_whole,
  .delta = triton_delta,
  .finish = no_finish,
  .end = no_end,
  .failed = failed,
};

static void
answer_triton (Serve *serve, HttpRequest *request, JsonObject *body)
{
  g_auto (ServeProblem) problem = { 0 };
  g_autoptr (JsonObject) settings = our_names (object_member (body, "parameters", &problem));
  JsonNode *text = json_object_get_member (body, "text_input");
  gboolean stream = g_str_has_suffix (http_request_route (request)->path, "_stream");
  g_autoptr (GPtrArray) asks = NULL;

  set_model (request, settings);
  json_object_set_boolean_member (settings, "stream", stream);
  if (text == NULL)
    serve_problem_set (&problem, 400, "missing_field", "text_input", "text_input: there is none");
  if (json_object_has_member (settings, "n"))
    serve_problem_set (&problem, 400, "unsupported_field", "parameters.n",
                       "parameters.n: this route gives one answer");
  if (problem.status == 0 && serve_ask_text (text, "text_input", &problem) != NULL)
    asks = asks_of (serve, text, "text_input", settings, &problem);
  serve_answer (serve, request, g_steal_pointer (&asks), &problem, &triton_protocol);
}

static void
handle_triton (HttpRequest *request, gpointer data)
{
  serve_handle (request, data, answer_triton);
}

/* ---- routes --------------------------------------------------------------------------------- */

#define OIP(method_, path_, handle_, summary_, flags_, asks_, answers_)                            \
  {                                                                                                \
    .method = method_, .path = path_, .handle = handle_, .summary = summary_, .flags = flags_,     \
    .shape = HTTP_SHAPE_OIP, .tag = "Open Inference Protocol v2", .asks = asks_,                   \
    .answers = answers_                                                                            \
  }
/* A model's routes, with and without a version. */
#define OIP_MODEL(method_, rest_, handle_, summary_, asks_, answers_)                              \
  OIP (method_, "/v2/models/{model}" rest_, handle_, summary_, 0, asks_, answers_),                \
      OIP (method_, "/v2/models/{model}/versions/{version}" rest_, handle_, summary_, HTTP_HIDDEN, \
           asks_, answers_)

#define OBJECT "{\"type\":\"object\"}"
#define SCHEMA(name) "#/components/schemas/" name

const HttpRoute serve_platforms_routes[] = {
  { .method = HTTP_GET,
    .path = "/ping",
    .handle = handle_ping,
    .flags = HTTP_OPEN | HTTP_QUIET,
    .summary = "SageMaker: 200 when the model is loaded",
    .tag = "platforms" },
  { .method = HTTP_POST,
    .path = "/invocations",
    .handle = handle_invocations,
    .summary = "SageMaker: what any of the other routes takes",
    .tag = "platforms",
    .asks = SCHEMA ("Invocation"),
    .answers = "{}" },
  { .method = HTTP_POST,
    .path = "/score",
    .handle = handle_invocations,
    .summary = "Azure ML: the same",
    .tag = "platforms",
    .asks = SCHEMA ("Invocation"),
    .answers = "{}" },
  OIP (HTTP_GET, "/v2", handle_v2, "the server", HTTP_OPEN, NULL, OBJECT),
  OIP (HTTP_GET, "/v2/health/live", handle_v2_live, "alive", HTTP_OPEN | HTTP_QUIET, NULL, OBJECT),
  OIP (HTTP_GET, "/v2/health/ready", handle_v2_ready, "ready", HTTP_OPEN | HTTP_QUIET, NULL,
       OBJECT),
  OIP_MODEL (HTTP_GET, "", handle_v2_model, "a model and its tensors", NULL, OBJECT),
  OIP_MODEL (HTTP_GET, "/ready", handle_v2_model_ready, "whether a model is ready", NULL, OBJECT),
  OIP_MODEL (HTTP_POST, "/infer", handle_infer, "answers to a tensor of texts",
             SCHEMA ("InferRequest"), SCHEMA ("InferAnswer")),
  OIP_MODEL (HTTP_POST, "/generate", handle_triton, "an answer to a text", SCHEMA ("TritonRequest"),
             SCHEMA ("TritonAnswer")),
  OIP_MODEL (HTTP_POST, "/generate_stream", handle_triton, "the same, by events",
             SCHEMA ("TritonRequest"), NULL),
  { .path = NULL },
};
