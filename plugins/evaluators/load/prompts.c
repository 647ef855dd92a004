/* SPDX-License-Identifier: Apache-2.0 */
/* prompts.c: rows to the bodies of requests.
 *
 * All of them are made before the first is sent: making them must not cost time
 * while time is measured.
 */
#include "config.h"

#include <string.h>

#include "lm/chat.h"
#include "load.h"
#include "text/template.h"

/* What turns a row into a question: a template, the shapes of LmRecord, or the row itself. */
typedef struct
{
  const Config *config;
  LmRecord *record;
  TextTemplate *tmpl;
} Maker;

static void
maker_clear (Maker *m)
{
  g_clear_pointer (&m->record, lm_record_free);
  g_clear_pointer (&m->tmpl, text_template_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Maker, maker_clear)

static gboolean
maker_init (Maker *m, const Config *c, FrSchema *schema, GError **error)
{
  *m = (Maker){ .config = c };
  if (c->template != NULL)
    {
      m->tmpl = text_template_new (c->template, error);
      return m->tmpl != NULL && text_template_bind (m->tmpl, schema, error);
    }
  if (c->api == LOAD_API_GENERATE)
    return TRUE;
  m->record = lm_record_new (schema, FALSE, error);
  return m->record != NULL;
}

gboolean
load_prompts_bind (const Config *c, FrSchema *schema, FrBind *bind, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_auto (Maker) m = { 0 };

  if (schema == NULL || maker_init (&m, c, schema, &local))
    return TRUE;
  if (c->template != NULL)
    fr_bind_problem (bind, "/template", "%s", local->message);
  else
    g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

void
load_prompt_clear (gpointer data)
{
  LoadPrompt *prompt = data;

  g_clear_pointer (&prompt->head, g_free);
}

/* ---- bodies ---------------------------------------------------------------------------------- */

/* The columns of a row that are not null, for the template that the server has. */
static JsonNode *
row_fields (const FrBatch *batch, gsize row, GError **error)
{
  g_autoptr (GString) json = g_string_new (NULL);

  fr_batch_append_json (batch, row, TRUE, json);
  return fr_json_parse (json->str, (gssize) json->len, 0, error);
}

/* The text of messages, for an interface that knows none: their contents, a line each. */
static char *
plain_text (JsonArray *messages)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (messages); i++)
    {
      JsonObject *message = json_array_get_object_element (messages, i);
      const char *content = json_object_get_string_member_with_default (message, "content", NULL);

      if (content != NULL)
        g_string_append_printf (text, "%s%s", text->len > 0 ? "\n" : "", content);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static JsonArray *
one_message (const char *text)
{
  JsonArray *messages = json_array_new ();
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", "user");
  json_object_set_string_member (message, "content", text);
  json_array_add_object_element (messages, message);
  return messages;
}

/* FALSE: the row is no question; FR_ERROR_DATA says why. */
static gboolean
set_question (const Maker *m, const FrBatch *batch, gsize row, JsonObject *body, GError **error)
{
  g_autofree FrView *views = NULL;
  g_autoptr (GString) text = NULL;
  const char *missing = NULL;
  JsonArray *messages;

  if (m->tmpl == NULL && m->record == NULL)
    {
      JsonNode *fields = row_fields (batch, row, error);

      if (fields != NULL)
        json_object_set_member (body, "fields", fields);
      return fields != NULL;
    }
  if (m->record != NULL)
    {
      messages = lm_record_messages (m->record, batch, row, error);
      if (messages == NULL)
        return FALSE;
      if (m->config->api == LOAD_API_CHAT)
        json_object_set_array_member (body, "messages", messages);
      else
        {
          g_autofree char *plain = plain_text (messages);

          json_object_set_string_member (body, "prompt", plain);
          json_array_unref (messages);
        }
      return TRUE;
    }
  views = g_new (FrView, fr_batch_n_columns (batch));
  for (guint i = 0; i < fr_batch_n_columns (batch); i++)
    views[i] = fr_view (batch, i);
  text = g_string_new (NULL);
  if (!text_template_render (m->tmpl, views, row, text, &missing))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "the template needs '%s', which is empty",
                   missing);
      return FALSE;
    }
  if (m->config->api == LOAD_API_CHAT)
    json_object_set_array_member (body, "messages", one_message (text->str));
  else
    json_object_set_string_member (body, m->config->api == LOAD_API_GENERATE ? "input" : "prompt",
                                   text->str);
  return TRUE;
}

static void
set_settings (const State *s, JsonObject *body)
{
  const Config *c = s->config;

  if (s->model != NULL)
    json_object_set_string_member (body, "model", s->model);
  json_object_set_int_member (body, "max_tokens", c->max_tokens);
  json_object_set_double_member (body, "temperature", c->temperature);
  json_object_set_boolean_member (body, "stream", c->stream);
  if (c->stream && c->api != LOAD_API_GENERATE)
    {
      JsonObject *options = json_object_new ();

      json_object_set_boolean_member (options, "include_usage", TRUE);
      json_object_set_object_member (body, "stream_options", options);
    }
  if (c->settings != NULL)
    {
      JsonObjectIter iter;
      const char *name;
      JsonNode *value;

      json_object_iter_init_ordered (&iter, json_node_get_object (c->settings));
      while (json_object_iter_next_ordered (&iter, &name, &value))
        json_object_set_member (body, name, json_node_copy (value));
    }
}

static gboolean
make_prompt (const State *s, const Maker *m, const FrBatch *batch, gsize row, LoadPrompt *prompt,
             GError **error)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  JsonObject *body = json_object_new ();

  json_node_take_object (root, body);
  if (!set_question (m, batch, row, body, error))
    return FALSE;
  set_settings (s, body);
  prompt->id = fr_batch_ids (batch)[row];
  prompt->head = fr_json_to_string (root, 0);
  prompt->len = strlen (prompt->head) - 1;
  g_assert (prompt->head[prompt->len] == '}');
  prompt->head[prompt->len] = '\0';
  return TRUE;
}

void
load_prompt_append (const LoadPrompt *prompt, gboolean seeded, guint32 seed, GString *body)
{
  g_string_append_len (body, prompt->head, (gssize) prompt->len);
  if (!seeded)
    g_string_append_printf (body, ",\"seed\":%u", seed);
  g_string_append_c (body, '}');
}

/* ---- reading --------------------------------------------------------------------------------- */

static void
read_row (State *s, const Maker *m, const FrBatch *batch, gsize row)
{
  g_autoptr (GError) local = NULL;
  LoadPrompt prompt;

  if (s->prompts->len >= (guint64) s->config->prompts)
    s->n_left++;
  else if (make_prompt (s, m, batch, row, &prompt, &local))
    g_array_append_val (s->prompts, prompt);
  else
    fr_host_reject (s->host, batch, row, "no_prompt", "%s", local->message);
}

FrFlow
load_prompts_read (State *s, GError **error)
{
  g_auto (Maker) m = { 0 };

  if (!maker_init (&m, s->config, fr_host_input (s->host, "in"), error))
    return FR_FLOW_ERROR;
  while (s->n_left == 0)
    {
      g_autoptr (FrBatch) batch = NULL;
      FrFlow flow = fr_host_next (s->host, "in", &batch, error);

      if (flow == FR_FLOW_DONE)
        break;
      if (flow != FR_FLOW_OK)
        return flow;
      for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
        read_row (s, &m, batch, row);
      if (fr_host_is_cancelled (s->host))
        return FR_FLOW_CANCELLED;
    }
  if (s->n_left > 0)
    fr_host_info (s->host, "%u rows are asked, and the others left out; see `prompts`",
                  s->prompts->len);
  if (s->prompts->len > 0)
    return FR_FLOW_OK;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "there is nothing to ask: no row of the input is a question; see the rejects");
  return FR_FLOW_ERROR;
}
