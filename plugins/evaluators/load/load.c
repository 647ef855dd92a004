/* SPDX-License-Identifier: Apache-2.0 */
/* load.c: evaluator.load, records as requests to a server: parameters, ports, the order of things.
 *
 *   rows --prompts--> bodies --drive--> server --answer--> figures --tell--> report, page, limits
 */
#include "config.h"

#include "load.h"

#include <string.h>

#include "load-details.h"
#include "text/translator.h"

static const FrEnumValue *const apis[]
    = { FR_ENUM ("chat", LOAD_API_CHAT, "POST /v1/chat/completions"),
        FR_ENUM ("completions", LOAD_API_COMPLETIONS, "POST /v1/completions"),
        FR_ENUM ("generate", LOAD_API_GENERATE,
                 "POST /generate: columns for flowrun's own template"),
        NULL };

static const FrEnumValue *const arrivals[]
    = { FR_ENUM ("poisson", LOAD_POISSON, "as of people who know nothing of each other"),
        FR_ENUM ("constant", LOAD_CONSTANT, "evenly spaced"), NULL };

static const FrParam *const params[] = {
  FR_PARAM_STRING ("url", Config, url, "address of the server, with or without /v1",
                   .def = "http://127.0.0.1:8080", .example = "\"http://127.0.0.1:8080\""),
  FR_PARAM_STRING ("key", Config, key, "API key, sent as a bearer token; empty: none",
                   .flags = FR_PARAM_SECRET, .example = "{\"env\": \"FLOWRUN_KEY\"}"),
  FR_PARAM_ENUM ("api", Config, api, apis, "how it is asked", .def = "chat"),
  FR_PARAM_STRING ("model", Config, model,
                   "which of the server's models; none given: the first that it lists"),
  FR_PARAM_STRING ("template", Config, template,
                   "the question made of columns, {column}; none given: input, or messages",
                   .example = "\"Write a sentence about {name}.\""),
  FR_PARAM_INT ("prompts", Config, prompts, 1, 1000000, "rows that are asked, at most",
                .def = "1000", .unit = "rows"),
  FR_PARAM_BOOL ("shuffle", Config, shuffle, "rows are asked by chance, not in turn"),
  FR_PARAM_INT ("max_tokens", Config, max_tokens, 1, G_MAXINT32, "an answer's greatest length",
                .def = "64", .unit = "tokens"),
  FR_PARAM_FLOAT ("temperature", Config, temperature, 0, 10,
                  "0: the likeliest token, which a server may answer from its cache", .def = "0.7"),
  FR_PARAM_BOOL ("stream", Config, stream,
                 "answers as they are made; without it there is no time to the first token",
                 .def = "true"),
  FR_PARAM_JSON ("settings", Config, settings, "more members of each request",
                 .schema = "{\"type\": \"object\"}",
                 .example = "{\"top_p\": 0.9, \"stop\": [\"\\n\"]}"),
  FR_PARAM_MAP ("headers", Config, headers, "more headers of each request",
                .example = "{\"X-Team\": \"copy\"}"),
  FR_PARAM_FLOAT ("rate", Config, rate, 0, 1000000,
                  "requests a second, whatever the answers do; 0: `concurrency` users who wait for "
                  "their answers",
                  .def = "0"),
  FR_PARAM_JSON ("rates", Config, rates,
                 "rates to try in turn, rising, until one misses the objective",
                 .schema = "{\"type\": \"array\", \"minItems\": 1, \"maxItems\": 100, \"items\": "
                           "{\"type\": \"number\", \"minimum\": 0.001}}",
                 .example = "[1, 2, 4, 8]"),
  FR_PARAM_ENUM ("arrivals", Config, arrivals, arrivals, "how requests of a rate are spread",
                 .def = "poisson"),
  FR_PARAM_INT ("concurrency", Config, concurrency, 1, 10000, "without a rate: users at once",
                .def = "4"),
  FR_PARAM_INT ("in_flight", Config, in_flight, 1, 10000,
                "with a rate: requests out at once, at most", .def = "256"),
  FR_PARAM_DURATION ("warmup", Config, warmup, "at the beginning, sent and not counted",
                     .def = "2s"),
  FR_PARAM_DURATION ("seconds", Config, seconds,
                     "how long requests are counted, of each step; 0: until `requests`",
                     .def = "30s"),
  FR_PARAM_INT ("requests", Config, requests, 0, G_MAXINT32,
                "how many are counted at most, of each step; 0: as many as there are in time",
                .def = "0"),
  FR_PARAM_DURATION ("timeout", Config, timeout,
                     "how long anybody waits for an answer, from when it was due", .def = "60s"),
  FR_PARAM_DURATION ("objective", Config, objective, "latency allowed at `percentile`; 0: any",
                     .def = "500ms"),
  FR_PARAM_FLOAT ("percentile", Config, percentile, 1, 100, "of requests that must be as fast",
                  .def = "95"),
  FR_PARAM_DURATION ("first_token", Config, first_token,
                     "time to the first token allowed at `percentile`; 0: any", .def = "0"),
  FR_PARAM_DURATION ("per_token", Config, per_token,
                     "time per output token allowed at `percentile`; 0: any", .def = "0"),
  FR_PARAM_FLOAT ("errors", Config, errors, 0, 1, "share of failures allowed", .def = "0.01"),
  FR_PARAM_FLOAT (
      "least_rate", Config, least_rate, 0, 1000000,
      "requests a second that must be answered; of `rates`: the greatest that meets the "
      "objective",
      .def = "0"),
  NULL
};

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "what is asked: input, or messages, or columns",
                 .flags = FR_PORT_MANY),
        NULL };

static const FrPort *const outputs[]
    = { FR_PORT ("report", FR_PORT_REPORT, "what was measured", .flags = FR_PORT_OPTIONAL,
                 .object = &fr_report_type),
        FR_PORT ("out", FR_PORT_RECORDS, "a row for each request", .flags = FR_PORT_OPTIONAL),
        NULL };

/* ---- before the run -------------------------------------------------------------------------- */

static gboolean
check_rates (const Config *c, FrProblems *problems)
{
  JsonArray *rates = c->rates != NULL ? json_node_get_array (c->rates) : NULL;

  if (rates == NULL)
    return TRUE;
  for (guint i = 1; i < json_array_get_length (rates); i++)
    if (json_array_get_double_element (rates, i) <= json_array_get_double_element (rates, i - 1))
      {
        fr_problems_add (problems, "/rates", "the rates must rise from each to the next");
        return FALSE;
      }
  if (c->rate > 0)
    fr_problems_add (problems, "/rates", "give 'rate' or 'rates', not both");
  return c->rate == 0;
}

static gboolean
load_configure (gpointer data, FrProblems *problems)
{
  Config *c = data;
  gboolean ok = check_rates (c, problems);

  if (c->seconds <= 0 && c->requests == 0)
    {
      fr_problems_add (problems, "/seconds", "without 'seconds' it needs 'requests' to end");
      ok = FALSE;
    }
  if (c->timeout <= 0)
    {
      fr_problems_add (problems, "/timeout", "a time-out is more than 0");
      ok = FALSE;
    }
  if (!c->stream && (c->first_token > 0 || c->per_token > 0))
    {
      fr_problems_add (problems, c->first_token > 0 ? "/first_token" : "/per_token",
                       "only a stream has this time: set 'stream' to true");
      ok = FALSE;
    }
  for (const FrPair *p = c->headers; p != NULL && p->key != NULL; p++)
    if (strpbrk (p->key, ":\r\n ") != NULL || strpbrk (p->value, "\r\n") != NULL)
      {
        fr_problems_add (problems, "/headers", "'%s' is no header: a name and one line of text",
                         p->key);
        ok = FALSE;
      }
  return ok;
}

static gboolean
check_address (const Config *c, FrBind *bind)
{
  TranslatorReach reach = translator_reach (c->url);

  if (reach == TRANSLATOR_REACH_NONE)
    {
      fr_bind_problem (bind, "/url", "expected an http or https address, found '%s'", c->url);
      return FALSE;
    }
  if (reach == TRANSLATOR_REACH_LOCAL || !fr_bind_is_network_denied (bind))
    return TRUE;
  fr_bind_problem (bind, "/url",
                   "requests go to %s, which '--deny network' forbids; a server on this machine "
                   "(127.0.0.1) may be asked",
                   c->url);
  return FALSE;
}

static gboolean
load_bind (gconstpointer data, FrBind *bind, GError **error)
{
  fr_bind_output (bind, "out", load_rows_schema ());
  return check_address (data, bind)
         && load_prompts_bind (data, fr_bind_input (bind, "in"), bind, error);
}

/* ---- state ----------------------------------------------------------------------------------- */

static void
step_free (gpointer data)
{
  LoadStep *step = data;

  load_figures_clear (&step->figures);
  g_free (step);
}

static void
load_close (gpointer data)
{
  State *s = data;

  g_clear_pointer (&s->client, net_client_free);
  g_array_unref (s->prompts);
  g_array_unref (s->rates);
  g_ptr_array_unref (s->steps);
  load_timeline_clear (&s->timeline);
  g_clear_pointer (&s->rows, fr_builder_free);
  g_queue_clear_full (&s->packed, (GDestroyNotify) fr_batch_unref);
  g_strfreev (s->headers);
  g_free (s->base);
  g_free (s->ask_url);
  g_free (s->model);
  g_free (s);
}

static void
set_addresses (State *s)
{
  static const char *const paths[] = { [LOAD_API_CHAT] = "/v1/chat/completions",
                                       [LOAD_API_COMPLETIONS] = "/v1/completions",
                                       [LOAD_API_GENERATE] = "/generate" };
  const char *url = s->config->url;
  gsize len = strlen (url);

  while (len > 0 && url[len - 1] == '/')
    len--;
  if (len > 3 && strncmp (url + len - 3, "/v1", 3) == 0)
    len -= 3;
  s->base = g_strndup (url, len);
  s->ask_url = g_strconcat (s->base, paths[s->config->api], NULL);
}

static void
set_headers (State *s)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new ();

  for (const FrPair *p = s->config->headers; p != NULL && p->key != NULL; p++)
    g_ptr_array_add (lines, g_strdup_printf ("%s: %s", p->key, p->value));
  g_ptr_array_add (lines, NULL);
  s->headers = (char **) g_ptr_array_free (g_steal_pointer (&lines), FALSE);
}

static void
set_rates (State *s)
{
  JsonArray *rates = s->config->rates != NULL ? json_node_get_array (s->config->rates) : NULL;
  double rate = s->config->rate;

  for (guint i = 0; rates != NULL && i < json_array_get_length (rates); i++)
    {
      rate = json_array_get_double_element (rates, i);
      g_array_append_val (s->rates, rate);
    }
  if (rates == NULL)
    g_array_append_val (s->rates, rate);
}

static gboolean
load_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  const Config *c = data;
  State *s = g_new0 (State, 1);
  guint connections = (guint) MAX (c->concurrency, c->in_flight);
  NetOptions options = { .allow_private = TRUE,
                         .connections = connections,
                         .host_connections = connections,
                         .connect_timeout = c->timeout,
                         .timeout = c->timeout };

  s->config = c;
  s->host = host;
  s->model = g_strdup (c->model);
  s->seeded
      = c->settings != NULL && json_object_has_member (json_node_get_object (c->settings), "seed");
  s->prompts = g_array_new (FALSE, TRUE, sizeof (LoadPrompt));
  g_array_set_clear_func (s->prompts, load_prompt_clear);
  s->rates = g_array_new (FALSE, FALSE, sizeof (double));
  s->steps = g_ptr_array_new_with_free_func (step_free);
  g_queue_init (&s->packed);
  set_addresses (s);
  set_headers (s);
  set_rates (s);
  load_timeline_init (&s->timeline, 0);
  if (fr_host_is_connected (host, "out"))
    s->rows = fr_builder_new (fr_host_output (host, "out"));
  s->client = net_client_new (&options, error);
  if (s->client == NULL)
    {
      load_close (s);
      return FALSE;
    }
  *state = s;
  return TRUE;
}

/* ---- the run --------------------------------------------------------------------------------- */

static FrFlow
run_step (State *s, double rate, GError **error)
{
  const Config *c = s->config;
  LoadObjective objective = { .percentile = c->percentile,
                              .latency = c->objective,
                              .first = c->first_token,
                              .per_token = c->per_token,
                              .errors = c->errors };
  LoadStep *step = g_new0 (LoadStep, 1);
  FrFlow flow;

  step->rate = rate;
  load_figures_init (&step->figures);
  g_ptr_array_add (s->steps, step);
  flow = load_drive (s, step, error);
  if (flow != FR_FLOW_OK)
    return flow;
  step->met = load_judge (&step->figures, &objective, step->verdicts);
  load_tell_step (s, step);
  return FR_FLOW_OK;
}

static FrFlow
load_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  FrFlow flow;

  (void) host;
  if (!load_greet (s, error))
    return fr_host_is_cancelled (s->host) ? FR_FLOW_CANCELLED : FR_FLOW_ERROR;
  flow = load_prompts_read (s, error);
  s->begin = s->timeline.begin = g_get_monotonic_time ();
  for (guint i = 0; flow == FR_FLOW_OK && i < s->rates->len; i++)
    {
      flow = run_step (s, g_array_index (s->rates, double, i), error);
      if (flow == FR_FLOW_OK && !((LoadStep *) s->steps->pdata[i])->met)
        break;
    }
  return flow == FR_FLOW_OK ? load_tell (s, error) : flow;
}

/* ---- element --------------------------------------------------------------------------------- */

static const FrElement load_element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_EVALUATOR,
  .name = "evaluator.load",
  .revision = 1,
  .flags = FR_ELEMENT_VOLATILE | FR_ELEMENT_WAITS,
  .summary = "how many requests a server answers, and how fast, against an objective",
  .details = details,
  .example = "{\"url\": \"http://127.0.0.1:8080\", \"rate\": 2, \"objective\": \"500ms\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = outputs,
  .configure = load_configure,
  .bind = load_bind,
  .open = load_open,
  .run = load_run,
  .close = load_close,
};

FR_PLUGIN ("load", PACKAGE_VERSION, "servers under load", "Apache-2.0", "flowrun", &load_element)
