/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c: problems, and a request's way from what was asked to the ids of a prompt. */
#include "config.h"

#include "ask.h"

#include <string.h>

/* ---- problems ------------------------------------------------------------------------------- */

void
serve_problem_clear (ServeProblem *problem)
{
  g_free (problem->param);
  g_free (problem->message);
  memset (problem, 0, sizeof *problem);
}

gboolean
serve_problem_set (ServeProblem *problem, guint status, const char *code, const char *param,
                   const char *format, ...)
{
  va_list args;

  if (problem->status != 0)
    return FALSE;
  problem->status = status;
  problem->code = code;
  problem->param = g_strdup (param);
  va_start (args, format);
  problem->message = g_strdup_vprintf (format, args);
  va_end (args);
  return FALSE;
}

/* ---- life ----------------------------------------------------------------------------------- */

ServeAsk *
serve_ask_new (Serve *serve)
{
  ServeAsk *ask = g_new0 (ServeAsk, 1);

  ask->refs = 1;
  ask->sampling = serve->sampling;
  ask->stop = g_strdupv ((char **) serve->sampling.stop);
  ask->sampling.ends = serve->sampling.ends != NULL ? g_array_ref (serve->sampling.ends) : NULL;
  ask->sampling.bias = NULL;
  ask->tools = serve->tools != NULL ? json_node_copy (serve->tools) : NULL;
  ask->variables = serve->variables != NULL ? json_object_ref (serve->variables) : NULL;
  ask->n = 1;
  ask->reasoning = TRUE;
  return ask;
}

ServeAsk *
serve_ask_ref (ServeAsk *ask)
{
  g_atomic_int_inc (&ask->refs);
  return ask;
}

void
serve_ask_unref (ServeAsk *ask)
{
  if (ask == NULL || !g_atomic_int_dec_and_test (&ask->refs))
    return;
  g_free (ask->model);
  g_clear_pointer (&ask->messages, json_array_unref);
  g_free (ask->text);
  g_clear_pointer (&ask->tokens, g_array_unref);
  g_clear_pointer (&ask->tools, json_node_unref);
  g_clear_pointer (&ask->variables, json_object_unref);
  g_clear_pointer (&ask->sampling.ends, g_array_unref);
  g_clear_pointer (&ask->sampling.bias, g_array_unref);
  g_strfreev (ask->stop);
  g_free (ask->user);
  g_free (ask->input);
  g_clear_pointer (&ask->fields, json_object_unref);
  g_clear_pointer (&ask->prompt, g_array_unref);
  if (ask->rendered != NULL)
    g_string_free (ask->rendered, TRUE);
  g_free (ask);
}

JsonNode *
serve_ask_body (const char *body, gsize len, ServeProblem *problem)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;

  if (len == 0)
    {
      serve_problem_set (problem, 400, "no_body", NULL,
                         "the request has no body; expected a JSON object");
      return NULL;
    }
  node = fr_json_parse (body, (gssize) len, 0, &error);
  if (node == NULL)
    {
      serve_problem_set (problem, 400, "invalid_json", NULL, "the body is not JSON: %s",
                         error->message);
      return NULL;
    }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      serve_problem_set (problem, 400, "invalid_type", NULL, "the body is no JSON object");
      return NULL;
    }
  return g_steal_pointer (&node);
}

/* ---- the prompt ----------------------------------------------------------------------------- */

static gboolean
render (Serve *serve, ServeAsk *ask, ServeProblem *problem)
{
  g_autoptr (GError) error = NULL;
  gboolean ok;

  ask->prompt = g_array_new (FALSE, FALSE, sizeof (gint32));
  if (ask->tokens != NULL)
    {
      g_array_append_vals (ask->prompt, ask->tokens->data, ask->tokens->len);
      return TRUE;
    }
  ask->rendered = g_string_new (NULL);
  if (ask->messages != NULL)
    ok = lm_chat_prompt (serve->chat, ask->messages, ask->tools, ask->variables, ask->prompt,
                         ask->rendered, &error);
  else
    {
      g_string_append (ask->rendered, ask->text);
      ok = lm_chat_text (serve->chat, ask->text, ask->rendered->len, ask->prompt, &error);
    }
  if (!ok)
    return serve_problem_set (
        problem, 400, "not_rendered", ask->messages != NULL ? "messages" : "prompt",
        "the model's chat template takes no such request: %s", error->message);
  ask->opened = lm_think_opened (ask->rendered->str, ask->rendered->len);
  return TRUE;
}

static gboolean
check_ids (Serve *serve, const ServeAsk *ask, ServeProblem *problem)
{
  guint n = lm_model_config (serve->model)->vocab_size;

  for (guint i = 0; ask->tokens != NULL && i < ask->tokens->len; i++)
    {
      gint32 id = g_array_index (ask->tokens, gint32, i);

      if (id < 0 || (guint) id >= n)
        return serve_problem_set (problem, 400, "invalid_token", "prompt",
                                  "%d is no token of this model, which has %u", id, n);
    }
  return TRUE;
}

gboolean
serve_ask_prepare (Serve *serve, ServeAsk *ask, ServeProblem *problem)
{
  const char *param = ask->messages != NULL ? "messages" : "prompt";
  gint64 limit = serve->limits.prompt_tokens;

  if (!check_ids (serve, ask, problem) || !render (serve, ask, problem))
    return FALSE;
  if (ask->prompt->len == 0)
    return serve_problem_set (problem, 400, "empty_prompt", param, "the prompt has no tokens");
  if (ask->prompt->len >= serve->context)
    return serve_problem_set (problem, 400, "context_length_exceeded", param,
                              "the prompt has %u tokens; the context holds %" G_GSIZE_FORMAT
                              ", the answer included",
                              ask->prompt->len, serve->context);
  if (limit > 0 && ask->prompt->len > limit)
    return serve_problem_set (problem, 400, "context_length_exceeded", param,
                              "the prompt has %u tokens; this server takes up to %" G_GINT64_FORMAT,
                              ask->prompt->len, limit);
  return TRUE;
}
