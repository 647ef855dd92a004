/* SPDX-License-Identifier: Apache-2.0 */
/* format.c: a question of columns; knows no HTTP.
 *
 *   {"input": "…"}               the question as it stands
 *   {"fields": {"name": "…"}}    columns of the format's templates; also at the top level, where no
 *                                setting has their name
 */
#include "config.h"

#include <string.h>

#include "generate.h"
#include "text/turns.h"

/** Input: a column that the templates use, as a form shows it. */
typedef struct
{
  const char *name; /* of the schema */
  char *label, *example, *fallback;
  gboolean multiline, needed;
} Input;

struct _ServeFormat
{
  TextTemplate *input, *system; /* system: NULL: none */
  GPtrArray *history;           /* TextTemplate *, question and answer in turn */
  char *source;                 /* of input */
  GArray *inputs;               /* Input, in the order in which they appear */
  FrSchema *schema;             /* of them, all text */
};

/* ---- the format ----------------------------------------------------------------------------- */

static void
clear_input (gpointer data)
{
  Input *input = data;

  g_free (input->label);
  g_free (input->example);
  g_free (input->fallback);
}

static void
free_template (gpointer data)
{
  text_template_free (data);
}

void
serve_format_free (ServeFormat *format)
{
  if (format == NULL)
    return;
  text_template_free (format->input);
  text_template_free (format->system);
  g_ptr_array_unref (format->history);
  g_array_unref (format->inputs);
  g_clear_pointer (&format->schema, fr_schema_unref);
  g_free (format->source);
  g_free (format);
}

static TextTemplate *
compile (const char *key, const char *source, GError **error)
{
  TextTemplate *tmpl = text_template_new (source, error);

  if (tmpl == NULL)
    g_prefix_error (error, "format: %s: ", key);
  return tmpl;
}

static Input *
find_input (ServeFormat *format, const char *name)
{
  for (guint i = 0; i < format->inputs->len; i++)
    {
      Input *input = &g_array_index (format->inputs, Input, i);

      if (strcmp (input->name, name) == 0)
        return input;
    }
  return NULL;
}

/* The columns of @tmpl; only the question itself cannot do without (turns.h). */
static void
add_inputs (ServeFormat *format, TextTemplate *tmpl, gboolean needs, GPtrArray *fields)
{
  const char *const *names = text_template_columns (tmpl);

  for (guint i = 0; names[i] != NULL; i++)
    {
      Input *input = find_input (format, names[i]), fresh = { .name = names[i] };
      const char *fallback = NULL;
      gboolean needed = text_template_needs (tmpl, i, &fallback);

      if (input == NULL)
        {
          g_array_append_val (format->inputs, fresh);
          g_ptr_array_add (fields, fr_field_new (names[i], FR_TYPE_UTF8));
          input = &g_array_index (format->inputs, Input, format->inputs->len - 1);
        }
      input->needed |= needs && needed;
      if (input->fallback == NULL)
        input->fallback = g_strdup (fallback);
    }
}

static gboolean
make_schema (ServeFormat *format, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();

  add_inputs (format, format->input, TRUE, fields);
  if (format->system != NULL)
    add_inputs (format, format->system, FALSE, fields);
  for (guint i = 0; i < format->history->len; i++)
    add_inputs (format, format->history->pdata[i], FALSE, fields);
  format->schema = fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
  if (format->schema == NULL || !text_template_bind (format->input, format->schema, error)
      || (format->system != NULL && !text_template_bind (format->system, format->schema, error)))
    return FALSE;
  for (guint i = 0; i < format->history->len; i++)
    if (!text_template_bind (format->history->pdata[i], format->schema, error))
      return FALSE;
  return TRUE;
}

/* What the parameter says of columns beyond their names. */
static gboolean
describe_inputs (ServeFormat *format, JsonObject *fields, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (fields == NULL)
    return TRUE;
  json_object_iter_init (&iter, fields);
  while (json_object_iter_next (&iter, &name, &node))
    {
      Input *input = find_input (format, name);
      JsonObject *facts = json_node_get_object (node);

      if (input == NULL)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                       "format: fields: no template uses a column '%s'", name);
          return FALSE;
        }
      input->label = g_strdup (json_object_get_string_member_with_default (facts, "label", NULL));
      input->example
          = g_strdup (json_object_get_string_member_with_default (facts, "example", NULL));
      input->multiline = json_object_get_boolean_member_with_default (facts, "multiline", FALSE);
    }
  return TRUE;
}

static gboolean
compile_history (ServeFormat *format, JsonArray *list, GError **error)
{
  guint n = list != NULL ? json_array_get_length (list) : 0;

  if (n % 2 != 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "format: history is questions and answers in turn; the last answer is missing");
      return FALSE;
    }
  for (guint i = 0; i < n; i++)
    {
      TextTemplate *tmpl = compile ("history", json_array_get_string_element (list, i), error);

      if (tmpl == NULL)
        return FALSE;
      g_ptr_array_add (format->history, tmpl);
    }
  return TRUE;
}

ServeFormat *
serve_format_new (JsonNode *node, GError **error)
{
  g_autoptr (ServeFormat) format = g_new0 (ServeFormat, 1);
  JsonObject *object = json_node_get_object (node);
  const char *system = json_object_get_string_member_with_default (object, "system", NULL);

  format->history = g_ptr_array_new_with_free_func (free_template);
  format->inputs = g_array_new (FALSE, FALSE, sizeof (Input));
  g_array_set_clear_func (format->inputs, clear_input);
  format->source = g_strdup (json_object_get_string_member (object, "input"));
  format->input = compile ("input", format->source, error);
  if (format->input == NULL)
    return NULL;
  if (system != NULL && (format->system = compile ("system", system, error)) == NULL)
    return NULL;
  if (!compile_history (format,
                        json_object_has_member (object, "history")
                            ? json_object_get_array_member (object, "history")
                            : NULL,
                        error)
      || !make_schema (format, error)
      || !describe_inputs (format,
                           json_object_has_member (object, "fields")
                               ? json_object_get_object_member (object, "fields")
                               : NULL,
                           error))
    return NULL;
  return g_steal_pointer (&format);
}

/* ---- a row of columns ----------------------------------------------------------------------- */

/* As a template would write it: text as it is, anything else as JSON; NULL: an empty cell. */
static char *
cell_text (JsonNode *node)
{
  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return NULL;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_dup_string (node);
  return fr_json_to_string (node, 0);
}

static FrBatch *
make_row (ServeFormat *format, JsonObject *columns, GError **error)
{
  g_autoptr (FrBuilder) builder = fr_builder_new (format->schema);

  for (guint i = 0; i < format->inputs->len; i++)
    {
      const char *name = g_array_index (format->inputs, Input, i).name;
      g_autofree char *text
          = columns != NULL ? cell_text (json_object_get_member (columns, name)) : NULL;

      if (text != NULL)
        fr_cells_append_str (fr_builder_cells (builder, i), text, strlen (text));
      else
        fr_cells_append_null (fr_builder_cells (builder, i));
    }
  fr_builder_end_row (builder, (FrRowId){ 0 });
  return fr_builder_finish (builder, error);
}

static JsonArray *
messages_of (const TextTurns *turns)
{
  JsonArray *messages = json_array_new ();

  for (guint i = 0; i < turns->turns->len; i++)
    {
      const TextTurn *turn = &g_array_index (turns->turns, TextTurn, i);
      FrStr text = text_turns_text (turns, turn);
      g_autofree char *copy = g_strndup (text.data, text.len);
      JsonObject *message = json_object_new ();

      json_object_set_string_member (message, "role", text_role_word (turn->role));
      json_object_set_string_member (message, "content", copy);
      json_array_add_object_element (messages, message);
    }
  return messages;
}

/* The turns of the format's templates; @question NULL: of the template, else as it stands. */
static gboolean
make_turns (ServeFormat *format, JsonObject *columns, const char *question, TextTurns *turns,
            ServeProblem *problem)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) row = make_row (format, columns, &error);
  guint n = format->inputs->len;
  g_autofree FrView *views = g_new (FrView, MAX (n, 1));
  const char *missing = NULL;

  if (row == NULL)
    return serve_problem_set (problem, 400, "invalid_value", NULL, "%s", error->message);
  for (guint i = 0; i < n; i++)
    views[i] = fr_view (row, i);
  if (question == NULL
      && (!text_turns_history (turns, format->history, views, 0, &missing)
          || !text_turns_render (turns, TEXT_ROLE_USER, format->input, views, 0, &missing)))
    return serve_problem_set (
        problem, 400, "missing_field", missing,
        "'%s' is empty, and the format has neither a default nor a section for that",
        missing != NULL ? missing : "a column");
  if (question != NULL)
    {
      text_turns_begin (turns, TEXT_ROLE_USER);
      g_string_append (turns->text, question);
      text_turns_end (turns);
    }
  if (format->system != NULL)
    text_turns_system (turns, format->system, views, 0);
  return TRUE;
}

/* The columns as texts, for feedback. */
static JsonObject *
texts_of (ServeFormat *format, JsonObject *columns)
{
  JsonObject *texts = json_object_new ();

  for (guint i = 0; i < format->inputs->len; i++)
    {
      const char *name = g_array_index (format->inputs, Input, i).name;
      g_autofree char *text = cell_text (json_object_get_member (columns, name));

      if (text != NULL)
        json_object_set_string_member (texts, name, text);
    }
  return texts;
}

/* ---- what a body asks ----------------------------------------------------------------------- */

static void
prepend_system (JsonArray **messages, const char *system)
{
  JsonArray *all = json_array_new ();
  JsonObject *message = json_object_new ();
  guint n = json_array_get_length (*messages);

  json_object_set_string_member (message, "role", "system");
  json_object_set_string_member (message, "content", system);
  json_array_add_object_element (all, message);
  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (*messages, i);
      const char *role = json_object_get_string_member (json_node_get_object (node), "role");

      if (i > 0 || strcmp (role, "system") != 0)
        json_array_add_element (all, json_node_copy (node));
    }
  json_array_unref (*messages);
  *messages = all;
}

static gboolean
set_question (Serve *serve, ServeAsk *ask, const char *text, JsonObject *columns,
              ServeProblem *problem)
{
  TextTurns turns;
  gboolean ok = TRUE;

  text_turns_init (&turns);
  if (serve->format != NULL)
    ok = make_turns (serve->format, columns, text, &turns, problem);
  else
    {
      text_turns_begin (&turns, TEXT_ROLE_USER);
      g_string_append (turns.text, text);
      text_turns_end (&turns);
    }
  if (ok)
    {
      const TextTurn *last = &g_array_index (turns.turns, TextTurn, turns.turns->len - 1);
      FrStr question = text_turns_text (&turns, last);

      ask->messages = messages_of (&turns);
      ask->input = g_strndup (question.data, question.len);
    }
  text_turns_clear (&turns);
  return ok;
}

ServeAsk *
serve_ask_question (Serve *serve, const char *text, JsonObject *settings, const char *const *others,
                    const char *prefix, ServeProblem *problem)
{
  g_autoptr (ServeAsk) ask = serve_ask_new (serve);

  if (settings != NULL && !serve_ask_settings (serve, ask, settings, others, prefix, problem))
    return NULL;
  if (!set_question (serve, ask, text, NULL, problem))
    return NULL;
  return g_steal_pointer (&ask);
}

/* Names at the top level that are no settings: our own, and the format's columns. */
static GPtrArray *
own_names (Serve *serve)
{
  static const char *const names[] = { "input", "fields", "system", "variants" };
  GPtrArray *all = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_ptr_array_add (all, (char *) names[i]);
  for (guint i = 0; serve->format != NULL && i < serve->format->inputs->len; i++)
    g_ptr_array_add (all, (char *) g_array_index (serve->format->inputs, Input, i).name);
  g_ptr_array_add (all, NULL);
  return all;
}

/* Where the columns are: "fields", or the body itself. */
static JsonObject *
columns_of (Serve *serve, JsonObject *body, ServeProblem *problem)
{
  JsonNode *node = json_object_get_member (body, "fields");
  JsonObjectIter iter;
  const char *name;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return body;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      serve_problem_set (problem, 400, "invalid_type", "fields",
                         "fields: expected an object of columns");
      return NULL;
    }
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &name, NULL))
    if (find_input (serve->format, name) == NULL)
      {
        serve_problem_set (problem, 400, "unknown_field", "fields",
                           "fields: the format has no such column; GET /format lists them");
        return NULL;
      }
  return json_node_get_object (node);
}

/* "variants" is the page's and the pipelines' word for n. */
static gboolean
read_variants (Serve *serve, ServeAsk *ask, JsonObject *body, ServeProblem *problem)
{
  JsonNode *node = json_object_get_member (body, "variants");
  gint64 n;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_INT64)
    return serve_problem_set (problem, 400, "invalid_type", "variants",
                              "variants: expected a whole number");
  n = json_node_get_int (node);
  if (n < 1 || n > serve->limits.choices)
    return serve_problem_set (problem, 400, "out_of_range", "variants",
                              "variants: %" G_GINT64_FORMAT
                              " is not between 1 and %" G_GINT64_FORMAT,
                              n, serve->limits.choices);
  ask->n = (guint) n;
  return TRUE;
}

static gboolean
read_question (Serve *serve, ServeAsk *ask, JsonObject *body, ServeProblem *problem)
{
  JsonNode *input = json_object_get_member (body, "input");
  JsonObject *columns;
  gboolean is_column = serve->format != NULL && find_input (serve->format, "input") != NULL;

  if (input != NULL && !JSON_NODE_HOLDS_NULL (input) && !is_column)
    {
      const char *text = serve_ask_text (input, "input", problem);

      if (json_object_has_member (body, "fields"))
        return serve_problem_set (problem, 400, "invalid_value", "input",
                                  "input: either a question or fields to make it of");
      return text != NULL && set_question (serve, ask, text, NULL, problem);
    }
  if (serve->format == NULL)
    return serve_problem_set (problem, 400, "missing_field", "input",
                              "input: expected a question (this server has no format to make one "
                              "of columns)");
  columns = columns_of (serve, body, problem);
  if (columns == NULL || !set_question (serve, ask, NULL, columns, problem))
    return FALSE;
  ask->fields = texts_of (serve->format, columns);
  return TRUE;
}

ServeAsk *
serve_ask_generate (Serve *serve, JsonObject *body, ServeProblem *problem)
{
  g_autoptr (ServeAsk) ask = serve_ask_new (serve);
  g_autoptr (GPtrArray) others = own_names (serve);
  JsonNode *system = json_object_get_member (body, "system");
  const char *text;

  if (!serve_ask_settings (serve, ask, body, (const char *const *) others->pdata, "", problem)
      || !read_variants (serve, ask, body, problem) || !read_question (serve, ask, body, problem))
    return NULL;
  if (system != NULL && !JSON_NODE_HOLDS_NULL (system)
      && !(serve->format != NULL && find_input (serve->format, "system") != NULL))
    {
      text = serve_ask_text (system, "system", problem);
      if (text == NULL)
        return NULL;
      if (*text != '\0')
        prepend_system (&ask->messages, text);
    }
  return g_steal_pointer (&ask);
}

/* ---- as a form shows it ---------------------------------------------------------------------- */

static void
append_member (GString *out, const char *name, const char *text)
{
  if (text == NULL)
    return;
  g_string_append_printf (out, ",\"%s\":", name);
  fr_json_append_string (out, text, strlen (text));
}

static void
append_inputs (const ServeFormat *format, GString *out)
{
  for (guint i = 0; i < format->inputs->len; i++)
    {
      const Input *input = &g_array_index (format->inputs, Input, i);

      g_string_append (out, i > 0 ? ",{\"name\":" : "{\"name\":");
      fr_json_append_string (out, input->name, strlen (input->name));
      append_member (out, "label", input->label);
      append_member (out, "default", input->fallback);
      append_member (out, "example", input->example);
      g_string_append_printf (out, ",\"required\":%s,\"multiline\":%s}",
                              input->needed ? "true" : "false",
                              input->multiline ? "true" : "false");
    }
}

void
serve_format_append (const ServeFormat *format, GString *out)
{
  g_string_append (out, "\"template\":");
  if (format != NULL)
    fr_json_append_string (out, format->source, strlen (format->source));
  else
    g_string_append (out, "null");
  g_string_append (out, ",\"fields\":[");
  if (format != NULL)
    append_inputs (format, out);
  g_string_append_printf (out, "],\"system\":%s",
                          format != NULL && format->system != NULL ? "true" : "false");
}
