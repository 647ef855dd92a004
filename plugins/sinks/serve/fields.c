/* SPDX-License-Identifier: Apache-2.0 */
/* fields.c: the fields of a request, one table a protocol.
 *
 * Names and ranges are those of OpenAI's API reference (chat/create, completions/create), of vLLM
 * where OpenAI has none (top_k, min_p, repetition_penalty, ignore_eos, chat_template_kwargs) and of
 * DeepSeek (reasoning_content).  A field is read by its row; null is the same as no field; one
 * without a row is refused by name.  Rows that a server like this one cannot honour say so.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "ask.h"

#define MAX_STOP_BYTES 1024
#define MAX_BIAS 1024
#define MAX_NAME_BYTES 512

typedef struct
{
  Serve *serve;
  ServeAsk *ask;
  ServeProblem *problem;
  const char *prefix;
  JsonObject *object;
  gint64 max_tokens, max_completion_tokens; /* -1: not given */
} Reader;

typedef struct _Field Field;
struct _Field
{
  const char *name;
  gboolean (*read) (Reader *r, const Field *field, JsonNode *node);
  gsize offset; /* in ServeAsk */
  double min, max;
  const char *word; /* why it is refused, or the one text that is allowed */
};

static gboolean refuse (Reader *r, const Field *field, const char *code, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static gboolean
refuse (Reader *r, const Field *field, const char *code, const char *format, ...)
{
  g_autofree char *param = g_strconcat (r->prefix, field->name, NULL);
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  return serve_problem_set (r->problem, 400, code, param, "%s: %s", param, message);
}

const char *
serve_ask_text (JsonNode *node, const char *param, ServeProblem *problem)
{
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_get_string (node);
  serve_problem_set (problem, 400, "invalid_type", param, "%s: expected text", param);
  return NULL;
}

/* ---- plain values --------------------------------------------------------------------------- */

static gboolean
is_text (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
}

static gboolean
is_bool (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_BOOLEAN;
}

static gboolean
is_number (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node)
         && (json_node_get_value_type (node) == G_TYPE_INT64
             || json_node_get_value_type (node) == G_TYPE_DOUBLE);
}

static gboolean
get_number (Reader *r, const Field *field, JsonNode *node, double *value)
{
  if (!is_number (node))
    return refuse (r, field, "invalid_type", "expected a number");
  *value = json_node_get_double (node);
  if (!(*value >= field->min && *value <= field->max))
    return refuse (r, field, "out_of_range", "%g is not between %g and %g", *value, field->min,
                   field->max);
  return TRUE;
}

static gboolean
get_int (Reader *r, const Field *field, JsonNode *node, gint64 *value)
{
  double number;

  if (!is_number (node))
    return refuse (r, field, "invalid_type", "expected a whole number");
  number = json_node_get_double (node);
  if (number != floor (number) || fabs (number) > 9e18)
    return refuse (r, field, "invalid_type", "expected a whole number");
  *value = json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node)
                                                           : (gint64) number;
  if ((double) *value < field->min || (double) *value > field->max)
    return refuse (r, field, "out_of_range", "%" G_GINT64_FORMAT " is not between %.0f and %.0f",
                   *value, field->min, field->max);
  return TRUE;
}

static gboolean
read_number (Reader *r, const Field *field, JsonNode *node)
{
  return get_number (r, field, node, G_STRUCT_MEMBER_P (r->ask, field->offset));
}

/* Above 0: OpenAI's top_p of 0 is that of the likeliest alone. */
static gboolean
read_top_p (Reader *r, const Field *field, JsonNode *node)
{
  double value;

  if (!get_number (r, field, node, &value))
    return FALSE;
  r->ask->sampling.top_p = value;
  if (value == 0)
    {
      r->ask->sampling.top_p = 1;
      r->ask->sampling.top_k = 1;
    }
  return TRUE;
}

static gboolean
read_penalty (Reader *r, const Field *field, JsonNode *node)
{
  double value;

  if (!get_number (r, field, node, &value))
    return FALSE;
  if (value == 0)
    return refuse (r, field, "out_of_range", "logits cannot be divided by 0; 1 leaves them alone");
  r->ask->sampling.repetition_penalty = value;
  return TRUE;
}

static gboolean
read_top_k (Reader *r, const Field *field, JsonNode *node)
{
  gint64 value;

  if (!get_int (r, field, node, &value))
    return FALSE;
  r->ask->sampling.top_k = (guint) MAX (value, 0);
  return TRUE;
}

static gboolean
read_max_tokens (Reader *r, const Field *field, JsonNode *node)
{
  gint64 limit = r->serve->limits.output_tokens, value;

  if (!get_int (r, field, node, &value))
    return FALSE;
  if (limit > 0 && value > limit)
    return refuse (r, field, "out_of_range",
                   "%" G_GINT64_FORMAT " tokens; this server answers with up to %" G_GINT64_FORMAT,
                   value, limit);
  if (strcmp (field->name, "max_completion_tokens") == 0)
    r->max_completion_tokens = value;
  else
    r->max_tokens = value;
  if (r->max_tokens >= 0 && r->max_completion_tokens >= 0
      && r->max_tokens != r->max_completion_tokens)
    return refuse (r, field, "invalid_value",
                   "max_tokens and max_completion_tokens are two names of one number, and differ");
  r->ask->sampling.max_tokens = (gsize) value;
  return TRUE;
}

static gboolean
read_seed (Reader *r, const Field *field, JsonNode *node)
{
  gint64 value;

  if (!get_int (r, field, node, &value))
    return FALSE;
  r->ask->seed = (guint64) value;
  r->ask->seeded = TRUE;
  return TRUE;
}

static gboolean
read_n (Reader *r, const Field *field, JsonNode *node)
{
  gint64 value;

  if (!get_int (r, field, node, &value))
    return FALSE;
  if (value > r->serve->limits.choices)
    return refuse (r, field, "out_of_range",
                   "%" G_GINT64_FORMAT " answers; this server gives up to %" G_GINT64_FORMAT
                   " to a request",
                   value, r->serve->limits.choices);
  r->ask->n = (guint) value;
  return TRUE;
}

static gboolean
read_bool (Reader *r, const Field *field, JsonNode *node)
{
  if (!is_bool (node))
    return refuse (r, field, "invalid_type", "expected true or false");
  *(gboolean *) G_STRUCT_MEMBER_P (r->ask, field->offset) = json_node_get_boolean (node);
  return TRUE;
}

static gboolean
read_text (Reader *r, const Field *field, JsonNode *node)
{
  char **to = G_STRUCT_MEMBER_P (r->ask, field->offset);

  if (!is_text (node))
    return refuse (r, field, "invalid_type", "expected text");
  if (strlen (json_node_get_string (node)) > MAX_NAME_BYTES)
    return refuse (r, field, "out_of_range", "more than %d bytes", MAX_NAME_BYTES);
  g_free (*to);
  *to = json_node_dup_string (node);
  return TRUE;
}

/* ---- values of their own -------------------------------------------------------------------- */

static gboolean
add_stop (Reader *r, const Field *field, JsonNode *node, GPtrArray *list)
{
  const char *text;

  if (!is_text (node))
    return refuse (r, field, "invalid_type", "expected text, or an array of texts");
  text = json_node_get_string (node);
  if (*text == '\0')
    return refuse (r, field, "invalid_value", "an empty text would end every answer at once");
  if (strlen (text) > MAX_STOP_BYTES)
    return refuse (r, field, "out_of_range", "a text of more than %d bytes", MAX_STOP_BYTES);
  g_ptr_array_add (list, g_strdup (text));
  return TRUE;
}

static gboolean
read_stop (Reader *r, const Field *field, JsonNode *node)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (g_free);
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  guint n = array != NULL ? json_array_get_length (array) : 1;

  if (n > r->serve->limits.stops)
    return refuse (r, field, "out_of_range", "%u texts; this server takes up to %" G_GINT64_FORMAT,
                   n, r->serve->limits.stops);
  for (guint i = 0; i < n; i++)
    if (!add_stop (r, field, array != NULL ? json_array_get_element (array, i) : node, list))
      return FALSE;
  g_ptr_array_add (list, NULL);
  g_strfreev (r->ask->stop);
  r->ask->stop = (char **) g_ptr_array_free (g_steal_pointer (&list), FALSE);
  return TRUE;
}

static gboolean
add_bias (Reader *r, const Field *field, const char *name, JsonNode *node)
{
  guint n_vocab = lm_model_config (r->serve->model)->vocab_size;
  guint64 id;
  LmBias bias;
  double value;

  if (!g_ascii_string_to_unsigned (name, 10, 0, n_vocab - 1, &id, NULL))
    return refuse (r, field, "invalid_value", "a key is no token of this model, which has %u",
                   n_vocab);
  if (!get_number (r, field, node, &value))
    return FALSE;
  bias = (LmBias){ (gint32) id, (float) value };
  g_array_append_val (r->ask->sampling.bias, bias);
  return TRUE;
}

static gboolean
read_bias (Reader *r, const Field *field, JsonNode *node)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (r, field, "invalid_type", "expected an object of token ids and numbers");
  if (json_object_get_size (json_node_get_object (node)) > MAX_BIAS)
    return refuse (r, field, "out_of_range", "more than %d tokens", MAX_BIAS);
  g_clear_pointer (&r->ask->sampling.bias, g_array_unref);
  if (json_object_get_size (json_node_get_object (node)) == 0)
    return TRUE;
  r->ask->sampling.bias = g_array_new (FALSE, FALSE, sizeof (LmBias));
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &name, &value))
    if (!add_bias (r, field, name, value))
      return FALSE;
  return TRUE;
}

/* Chat: a bool here, the number in top_logprobs. */
static gboolean
read_top_logprobs (Reader *r, const Field *field, JsonNode *node)
{
  gint64 value;

  if (!get_int (r, field, node, &value))
    return FALSE;
  if (!json_object_has_member (r->object, "logprobs")
      || !is_bool (json_object_get_member (r->object, "logprobs"))
      || !json_object_get_boolean_member (r->object, "logprobs"))
    return refuse (r, field, "invalid_value", "logprobs must be true beside it");
  r->ask->sampling.n_logprobs = (guint) value;
  return TRUE;
}

/* Completions: a number, of alternatives. */
static gboolean
read_logprobs_count (Reader *r, const Field *field, JsonNode *node)
{
  gint64 value;

  if (!get_int (r, field, node, &value))
    return FALSE;
  r->ask->logprobs = TRUE;
  r->ask->sampling.n_logprobs = (guint) value;
  return TRUE;
}

static gboolean
read_stream_options (Reader *r, const Field *field, JsonNode *node)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (r, field, "invalid_type", "expected an object");
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &name, &value))
    {
      if (strcmp (name, "include_usage") == 0 && is_bool (value))
        r->ask->usage = json_node_get_boolean (value);
      else if (!(is_bool (value) && !json_node_get_boolean (value)
                 && (strcmp (name, "include_obfuscation") == 0
                     || strcmp (name, "continuous_usage_stats") == 0)))
        return refuse (r, field, "unknown_field", "expected {\"include_usage\": true or false}");
    }
  return TRUE;
}

static gboolean
read_format (Reader *r, const Field *field, JsonNode *node)
{
  JsonObject *format = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonNode *type = format != NULL ? json_object_get_member (format, "type") : NULL;

  if (type == NULL || !is_text (type))
    return refuse (r, field, "invalid_type", "expected an object with a type");
  if (strcmp (json_node_get_string (type), "text") != 0)
    return refuse (r, field, "unsupported_value",
                   "answers are text here and held to no grammar; expected {\"type\": \"text\"}");
  return TRUE;
}

static gboolean
read_tools (Reader *r, const Field *field, JsonNode *node)
{
  JsonArray *list = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (list == NULL)
    return refuse (r, field, "invalid_type", "expected an array");
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonNode *tool = json_array_get_element (list, i);
      JsonNode *function = JSON_NODE_HOLDS_OBJECT (tool)
                               ? json_object_get_member (json_node_get_object (tool), "function")
                               : NULL;

      if (function == NULL || !JSON_NODE_HOLDS_OBJECT (function))
        return refuse (r, field, "invalid_type", "element %u is no {\"type\": \"function\", …}", i);
    }
  if (json_array_get_length (list) == 0)
    return TRUE;
  g_clear_pointer (&r->ask->tools, json_node_unref);
  r->ask->tools = json_node_copy (node);
  return TRUE;
}

static gboolean
read_tool_choice (Reader *r, const Field *field, JsonNode *node)
{
  const char *text = is_text (node) ? json_node_get_string (node) : NULL;

  if (g_strcmp0 (text, "auto") == 0 || g_strcmp0 (text, "none") == 0)
    return TRUE;
  return refuse (r, field, "unsupported_value",
                 "the model cannot be made to call a tool; expected \"auto\" or \"none\"");
}

static gboolean
read_variables (Reader *r, const Field *field, JsonNode *node)
{
  g_autoptr (JsonObject) all = json_object_new ();
  JsonObject *const from[2]
      = { r->ask->variables, JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL };
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  if (from[1] == NULL)
    return refuse (r, field, "invalid_type", "expected an object");
  for (guint i = 0; i < G_N_ELEMENTS (from); i++)
    {
      if (from[i] == NULL)
        continue;
      json_object_iter_init (&iter, from[i]);
      while (json_object_iter_next (&iter, &name, &value))
        json_object_set_member (all, name, json_node_copy (value));
    }
  g_clear_pointer (&r->ask->variables, json_object_unref);
  r->ask->variables = g_steal_pointer (&all);
  return TRUE;
}

/* llama.cpp's word for what include_reasoning says. */
static gboolean
read_reasoning_format (Reader *r, const Field *field, JsonNode *node)
{
  const char *text = is_text (node) ? json_node_get_string (node) : "";

  if (strcmp (text, "none") != 0 && strcmp (text, "deepseek") != 0 && strcmp (text, "auto") != 0)
    return refuse (r, field, "invalid_value", "expected \"none\", \"deepseek\" or \"auto\"");
  r->ask->reasoning = strcmp (text, "none") != 0;
  return TRUE;
}

/* ---- what changes nothing, and what cannot be ----------------------------------------------- */

/* A bool that asks for nothing beyond what is so anyway: field->min. */
static gboolean
read_moot_bool (Reader *r, const Field *field, JsonNode *node)
{
  if (!is_bool (node))
    return refuse (r, field, "invalid_type", "expected true or false");
  if (json_node_get_boolean (node) != (field->min != 0))
    return refuse (r, field, "unsupported_value", "%s", field->word);
  return TRUE;
}

/* For whoever keeps books on the client's side. */
static gboolean
read_moot_text (Reader *r, const Field *field, JsonNode *node)
{
  return is_text (node) || refuse (r, field, "invalid_type", "expected text");
}

static gboolean
read_moot_object (Reader *r, const Field *field, JsonNode *node)
{
  return JSON_NODE_HOLDS_OBJECT (node) || refuse (r, field, "invalid_type", "expected an object");
}

static gboolean
read_tier (Reader *r, const Field *field, JsonNode *node)
{
  const char *text = is_text (node) ? json_node_get_string (node) : NULL;

  if (g_strcmp0 (text, "auto") == 0 || g_strcmp0 (text, "default") == 0)
    return TRUE;
  return refuse (r, field, "unsupported_value", "expected \"auto\" or \"default\"");
}

static gboolean
read_modalities (Reader *r, const Field *field, JsonNode *node)
{
  JsonArray *list = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (list != NULL && json_array_get_length (list) == 1
      && is_text (json_array_get_element (list, 0))
      && strcmp (json_array_get_string_element (list, 0), "text") == 0)
    return TRUE;
  return refuse (r, field, "unsupported_value", "answers are text; expected [\"text\"]");
}

static gboolean
read_best_of (Reader *r, const Field *field, JsonNode *node)
{
  gint64 value, n = 1;
  JsonNode *other = json_object_get_member (r->object, "n");

  if (!get_int (r, field, node, &value))
    return FALSE;
  if (other != NULL && is_number (other))
    n = (gint64) json_node_get_double (other);
  if (value != n)
    return refuse (r, field, "unsupported_value",
                   "all answers that are made are given; it can only be equal to n");
  return TRUE;
}

static gboolean
read_not (Reader *r, const Field *field, JsonNode *node)
{
  (void) node;
  return refuse (r, field, "unsupported_field", "%s", field->word);
}

/* Read by the caller. */
static gboolean
read_elsewhere (Reader *r, const Field *field, JsonNode *node)
{
  (void) r, (void) field, (void) node;
  return TRUE;
}

/* ---- tables --------------------------------------------------------------------------------- */

#define AT(member) G_STRUCT_OFFSET (ServeAsk, member)
#define NO_GRAMMAR "answers are held to no grammar here"

/* What every protocol knows. */
static const Field settings[]
    = { { "model", read_text, AT (model), 0, 0, NULL },
        { "temperature", read_number, AT (sampling.temperature), 0, 2, NULL },
        { "top_p", read_top_p, 0, 0, 1, NULL },
        { "top_k", read_top_k, 0, -1, G_MAXINT32, NULL },
        { "min_p", read_number, AT (sampling.min_p), 0, 1, NULL },
        { "repetition_penalty", read_penalty, 0, 0, 10, NULL },
        { "presence_penalty", read_number, AT (sampling.presence_penalty), -2, 2, NULL },
        { "frequency_penalty", read_number, AT (sampling.frequency_penalty), -2, 2, NULL },
        { "max_tokens", read_max_tokens, 0, 1, G_MAXINT32, NULL },
        { "n", read_n, 0, 1, 4096, NULL },
        { "stop", read_stop, 0, 0, 0, NULL },
        { "seed", read_seed, 0, -9.3e18, 9.3e18, NULL },
        { "logit_bias", read_bias, 0, -100, 100, NULL },
        { "ignore_eos", read_bool, AT (sampling.ignore_ends), 0, 0, NULL },
        { "include_reasoning", read_bool, AT (reasoning), 0, 0, NULL },
        { "reasoning_format", read_reasoning_format, 0, 0, 0, NULL },
        { "stream", read_bool, AT (stream), 0, 0, NULL },
        { "stream_options", read_stream_options, 0, 0, 0, NULL },
        { "user", read_text, AT (user), 0, 0, NULL },
        { NULL, NULL, 0, 0, 0, NULL } };

static const Field chat[] = {
  { "messages", read_elsewhere, 0, 0, 0, NULL },
  { "max_completion_tokens", read_max_tokens, 0, 1, G_MAXINT32, NULL },
  { "logprobs", read_bool, AT (logprobs), 0, 0, NULL },
  { "top_logprobs", read_top_logprobs, 0, 0, 20, NULL },
  { "response_format", read_format, 0, 0, 0, NULL },
  { "tools", read_tools, 0, 0, 0, NULL },
  { "tool_choice", read_tool_choice, 0, 0, 0, NULL },
  { "parallel_tool_calls", read_moot_bool, 0, 1, 0, "calls of tools are not parted from text" },
  { "chat_template_kwargs", read_variables, 0, 0, 0, NULL },
  { "store", read_moot_bool, 0, 0, 0, "answers are not stored here" },
  { "metadata", read_moot_object, 0, 0, 0, NULL },
  { "safety_identifier", read_moot_text, 0, 0, 0, NULL },
  { "prompt_cache_key", read_moot_text, 0, 0, 0, NULL },
  { "service_tier", read_tier, 0, 0, 0, NULL },
  { "modalities", read_modalities, 0, 0, 0, NULL },
  { "functions", read_not, 0, 0, 0, "the old form of tools; use tools" },
  { "function_call", read_not, 0, 0, 0, "the old form of tool_choice; use tool_choice" },
  { "reasoning_effort", read_not, 0, 0, 0, "the model cannot be told how long to reason" },
  { "verbosity", read_not, 0, 0, 0, "the model cannot be told how much to say; use max_tokens" },
  { "prediction", read_not, 0, 0, 0, "predicted outputs are not used here" },
  { "audio", read_not, 0, 0, 0, "answers are text" },
  { "web_search_options", read_not, 0, 0, 0, "nothing leaves this server" },
  { "guided_json", read_not, 0, 0, 0, NO_GRAMMAR },
  { "guided_regex", read_not, 0, 0, 0, NO_GRAMMAR },
  { "guided_choice", read_not, 0, 0, 0, NO_GRAMMAR },
  { "grammar", read_not, 0, 0, 0, NO_GRAMMAR },
  { NULL, NULL, 0, 0, 0, NULL }
};

static const Field completion[]
    = { { "prompt", read_elsewhere, 0, 0, 0, NULL },
        { "logprobs", read_logprobs_count, 0, 0, 20, NULL },
        { "echo", read_bool, AT (echo), 0, 0, NULL },
        { "best_of", read_best_of, 0, 1, 4096, NULL },
        { "suffix", read_not, 0, 0, 0, "a text behind the answer cannot be told to this model" },
        { NULL, NULL, 0, 0, 0, NULL } };

static const Field *
find (const Field *table, const char *name)
{
  for (; table != NULL && table->name != NULL; table++)
    if (strcmp (table->name, name) == 0)
      return table;
  return NULL;
}

static gboolean
refuse_unknown (Reader *r, const char *name, const Field *own, const char *const *others)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const Field unknown = { name, NULL, 0, 0, 0, NULL };
  const Field *tables[] = { settings, own };
  const char *near;

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const Field *f = tables[i]; f != NULL && f->name != NULL; f++)
      g_ptr_array_add (names, (char *) f->name);
  for (guint i = 0; others != NULL && others[i] != NULL; i++)
    g_ptr_array_add (names, (char *) others[i]);
  g_ptr_array_add (names, NULL);
  near = strlen (name) < 64 ? fr_suggest (name, (const char *const *) names->pdata) : NULL;
  if (strlen (name) >= 64)
    return serve_problem_set (r->problem, 400, "unknown_field", NULL,
                              "there is no field of a name that long");
  return refuse (r, &unknown, "unknown_field", "there is no such field here%s%s%s",
                 near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                 near != NULL ? "'?" : "");
}

static gboolean
read_all (Reader *r, const Field *own, const char *const *others)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  r->max_tokens = r->max_completion_tokens = -1;
  json_object_iter_init (&iter, r->object);
  while (json_object_iter_next (&iter, &name, &node))
    {
      const Field *field = find (own, name);

      if (field == NULL)
        field = find (settings, name);
      if (field == NULL && others != NULL && g_strv_contains (others, name))
        continue;
      if (field == NULL && !refuse_unknown (r, name, own, others))
        return FALSE;
      if (!JSON_NODE_HOLDS_NULL (node) && !field->read (r, field, node))
        return FALSE;
    }
  if (r->ask->usage && !r->ask->stream)
    return serve_problem_set (r->problem, 400, "invalid_value", "stream_options",
                              "stream_options: only a stream takes it");
  r->ask->sampling.stop = (const char *const *) r->ask->stop;
  return TRUE;
}

gboolean
serve_ask_settings (Serve *serve, ServeAsk *ask, JsonObject *object, const char *const *others,
                    const char *prefix, ServeProblem *problem)
{
  Reader reader
      = { .serve = serve, .ask = ask, .problem = problem, .prefix = prefix, .object = object };

  return read_all (&reader, NULL, others);
}

/* ---- chat ----------------------------------------------------------------------------------- */

/* The last thing the user said, for feedback. */
static char *
last_words (JsonArray *messages)
{
  for (guint i = json_array_get_length (messages); i-- > 0;)
    {
      JsonObject *message = json_array_get_object_element (messages, i);

      if (strcmp (json_object_get_string_member (message, "role"), "user") == 0)
        return g_strdup (json_object_get_string_member_with_default (message, "content", ""));
    }
  return NULL;
}

ServeAsk *
serve_ask_chat (Serve *serve, JsonObject *object, ServeProblem *problem)
{
  g_autoptr (ServeAsk) ask = serve_ask_new (serve);
  Reader reader
      = { .serve = serve, .ask = ask, .problem = problem, .prefix = "", .object = object };
  JsonNode *choice = json_object_get_member (object, "tool_choice");

  if (!read_all (&reader, chat, NULL))
    return NULL;
  if (choice != NULL && is_text (choice) && strcmp (json_node_get_string (choice), "none") == 0)
    g_clear_pointer (&ask->tools, json_node_unref);
  ask->messages
      = serve_ask_messages (json_object_get_member (object, "messages"), "messages", problem);
  if (ask->messages == NULL)
    return NULL;
  ask->input = last_words (ask->messages);
  return g_steal_pointer (&ask);
}

/* ---- completions ---------------------------------------------------------------------------- */

static const Field prompt_field = { "prompt", NULL, 0, 0, G_MAXINT32, NULL };

/* An array of ids. */
static gboolean
read_ids (Reader *r, JsonArray *list)
{
  guint n = json_array_get_length (list);

  r->ask->tokens = g_array_sized_new (FALSE, FALSE, sizeof (gint32), n);
  for (guint i = 0; i < n; i++)
    {
      gint64 value;
      gint32 id;

      if (!get_int (r, &prompt_field, json_array_get_element (list, i), &value))
        return FALSE;
      id = (gint32) value;
      g_array_append_val (r->ask->tokens, id);
    }
  return TRUE;
}

static gboolean
read_prompt (Reader *r, JsonNode *node)
{
  if (is_text (node))
    {
      r->ask->text = json_node_dup_string (node);
      r->ask->input = json_node_dup_string (node);
      return TRUE;
    }
  if (JSON_NODE_HOLDS_ARRAY (node))
    return read_ids (r, json_node_get_array (node));
  return refuse (r, &prompt_field, "invalid_type",
                 "expected text, an array of texts, an array of token ids, or an array of those");
}

/* Settings are read anew for each prompt: they are few, and asks share nothing. */
static ServeAsk *
one_completion (Serve *serve, JsonObject *object, JsonNode *prompt, ServeProblem *problem)
{
  g_autoptr (ServeAsk) ask = serve_ask_new (serve);
  Reader reader
      = { .serve = serve, .ask = ask, .problem = problem, .prefix = "", .object = object };

  ask->reasoning = FALSE; /* one text, as it comes */
  if (!read_all (&reader, completion, NULL) || !read_prompt (&reader, prompt))
    return NULL;
  if (ask->echo && (ask->logprobs || ask->text == NULL))
    {
      serve_problem_set (problem, 400, "unsupported_value", "echo",
                         "echo: only a text comes back, and without logprobs");
      return NULL;
    }
  return g_steal_pointer (&ask);
}

static gboolean
is_list_of_prompts (JsonNode *node)
{
  JsonArray *list = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  return list != NULL && json_array_get_length (list) > 0
         && !is_number (json_array_get_element (list, 0));
}

GPtrArray *
serve_ask_completions (Serve *serve, JsonObject *object, ServeProblem *problem)
{
  g_autoptr (GPtrArray) asks = g_ptr_array_new_with_free_func ((GDestroyNotify) serve_ask_unref);
  JsonNode *prompt = json_object_get_member (object, "prompt");
  JsonArray *list;
  guint n = 1;

  if (prompt == NULL || JSON_NODE_HOLDS_NULL (prompt))
    {
      serve_problem_set (problem, 400, "missing_field", "prompt", "prompt: there is none");
      return NULL;
    }
  list = is_list_of_prompts (prompt) ? json_node_get_array (prompt) : NULL;
  if (list != NULL)
    n = json_array_get_length (list);
  if (n > serve->limits.prompts)
    {
      serve_problem_set (problem, 400, "out_of_range", "prompt",
                         "prompt: %u prompts; this server takes up to %" G_GINT64_FORMAT, n,
                         serve->limits.prompts);
      return NULL;
    }
  for (guint i = 0; i < n; i++)
    {
      ServeAsk *ask = one_completion (
          serve, object, list != NULL ? json_array_get_element (list, i) : prompt, problem);

      if (ask == NULL)
        return NULL;
      g_ptr_array_add (asks, ask);
    }
  return g_steal_pointer (&asks);
}

/* ---- what they look like -------------------------------------------------------------------- */

static const char *
type_of (const Field *f)
{
  static const struct
  {
    gboolean (*read) (Reader *r, const Field *field, JsonNode *node);
    const char *type;
  } types[] = {
    { read_number, "number" },
    { read_top_p, "number" },
    { read_penalty, "number" },
    { read_top_k, "integer" },
    { read_max_tokens, "integer" },
    { read_seed, "integer" },
    { read_n, "integer" },
    { read_top_logprobs, "integer" },
    { read_logprobs_count, "integer" },
    { read_best_of, "integer" },
    { read_bool, "boolean" },
    { read_moot_bool, "boolean" },
    { read_text, "string" },
    { read_moot_text, "string" },
    { read_tier, "string" },
    { read_tool_choice, "string" },
    { read_reasoning_format, "string" },
    { read_bias, "object" },
    { read_stream_options, "object" },
    { read_format, "object" },
    { read_variables, "object" },
    { read_moot_object, "object" },
    { read_tools, "array" },
    { read_modalities, "array" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].read == f->read)
      return types[i].type;
  return NULL;
}

static JsonNode *
schema_of (const Field *f)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *o = json_object_new ();
  const char *type = type_of (f);
  gboolean number = type != NULL && (*type == 'n' || *type == 'i');

  json_node_take_object (node, o);
  if (f->read == read_stop)
    json_object_set_member (
        o, "anyOf",
        fr_json_parse ("[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":"
                       "\"string\"}},{\"type\":\"null\"}]",
                       -1, 0, NULL));
  if (type != NULL)
    {
      JsonArray *types = json_array_new ();

      json_array_add_string_element (types, type);
      json_array_add_string_element (types, "null");
      json_object_set_array_member (o, "type", types);
    }
  if (number && f->max > f->min && f->max < 1e18)
    {
      json_object_set_double_member (o, "minimum", f->min);
      json_object_set_double_member (o, "maximum", f->max);
    }
  return node;
}

#define MESSAGES                                                                                   \
  "{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"object\",\"required\":[\"role\"],"     \
  "\"properties\":{\"role\":{\"enum\":[\"system\",\"developer\",\"user\",\"assistant\",\"tool\"]}" \
  ","                                                                                              \
  "\"content\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":"         \
  "\"object\"}},{\"type\":\"null\"}]}}}}"
#define PROMPT                                                                                     \
  "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":"         \
  "\"string\"},{\"type\":\"integer\"},{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}]}}]}"

JsonObject *
serve_ask_schema (ServeFields which)
{
  const Field *const tables[] = { settings, which == SERVE_FIELDS_CHAT         ? chat
                                            : which == SERVE_FIELDS_COMPLETION ? completion
                                                                               : NULL };
  const char *own = which == SERVE_FIELDS_CHAT ? "messages" : "prompt";
  JsonObject *o = json_object_new (), *properties = json_object_new ();

  json_object_set_string_member (o, "type", "object");
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const Field *f = tables[i]; f != NULL && f->name != NULL; f++)
      if (f->read != read_not && f->read != read_elsewhere)
        json_object_set_member (properties, f->name, schema_of (f));
  if (which != SERVE_FIELDS_SETTINGS)
    {
      JsonArray *required = json_array_new ();

      json_object_set_member (
          properties, own,
          fr_json_parse (which == SERVE_FIELDS_CHAT ? MESSAGES : PROMPT, -1, 0, NULL));
      json_array_add_string_element (required, own);
      json_object_set_array_member (o, "required", required);
      json_object_set_boolean_member (o, "additionalProperties", FALSE);
    }
  json_object_set_object_member (o, "properties", properties);
  return o;
}
