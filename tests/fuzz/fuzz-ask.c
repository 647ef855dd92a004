/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-ask.c: any bytes as the body of a request for an answer; the first says of which protocol.
 */
#include "config.h"

#include <string.h>

#include "sinks/serve/test-asker.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static Serve *
server (void)
{
  static Serve serve;

  if (serve.model == NULL)
    test_asker_init (&serve, 256, TEST_FORMAT);
  return &serve;
}

/* What was understood must be within what a server allows. */
static void
check (Serve *serve, ServeAsk *ask)
{
  g_auto (ServeProblem) problem = { 0 };
  const LmSampling *s = &ask->sampling;

  g_assert_true (s->temperature >= 0 && s->temperature <= 2 && s->top_p > 0 && s->top_p <= 1);
  g_assert_true (s->min_p >= 0 && s->min_p <= 1 && s->repetition_penalty > 0);
  g_assert_true (s->max_tokens >= 1 && s->n_logprobs <= 20);
  g_assert_true (ask->n >= 1 && ask->n <= serve->limits.choices);
  for (guint i = 0; s->stop != NULL && s->stop[i] != NULL; i++)
    g_assert_true (*s->stop[i] != '\0');
  if (serve_ask_prepare (serve, ask, &problem))
    g_assert_true (ask->prompt->len > 0 && ask->prompt->len < serve->context);
  else
    g_assert_true (problem.status == 400 && problem.message != NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  Serve *serve = server ();
  g_auto (ServeProblem) problem = { 0 };
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GPtrArray) asks = NULL;
  g_autoptr (ServeAsk) ask = NULL;
  JsonObject *body;

  if (size == 0)
    return 0;
  node = serve_ask_body ((const char *) data + 1, size - 1, &problem);
  g_assert_true ((node == NULL) == (problem.status == 400));
  if (node == NULL)
    return 0;
  body = json_node_get_object (node);
  if (*data == 'c')
    ask = serve_ask_chat (serve, body, &problem);
  else if (*data == 'g')
    ask = serve_ask_generate (serve, body, &problem);
  else
    asks = serve_ask_completions (serve, body, &problem);
  g_assert_true ((ask == NULL && asks == NULL) == (problem.status != 0));
  if (problem.status != 0)
    g_assert_true (problem.message != NULL && g_utf8_validate (problem.message, -1, NULL));
  if (ask != NULL)
    check (serve, ask);
  for (guint i = 0; asks != NULL && i < asks->len; i++)
    check (serve, asks->pdata[i]);
  return 0;
}
