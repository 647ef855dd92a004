/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c: settings, prompts and answers of a model. */
#include "config.h"

#include "lm/answer.h"

#include <flowrun/error.h>
#include <string.h>

#define SHOWN_BYTES 60 /* of an answer, while it grows */
#define OFF_CHOICE 0.5 /* the answers allowed had less than this together */

struct _LmAnswerer
{
  const LmAnswerConfig *config;
  FrHost *host;
  LmModel *model;
  LmChat *chat;
  LmCompute *compute;
  LmDecoder *decoder;
  LmSampling sampling;
  LmType type;
  gint64 started, spent; /* µs: when it began to answer, what it took for answers before */
  guint64 n_tokens;      /* given so far */
  gboolean alone;        /* one answer at work: its text is shown as it comes */
  gsize room;            /* tokens that a prompt must leave for the answer */
};

/* ---- settings ----------------------------------------------------------------------------------
 */

static gboolean
check_kind (JsonNode *node, gboolean array, const char *pointer, FrProblems *problems)
{
  if (node == NULL || (array ? JSON_NODE_HOLDS_ARRAY (node) : JSON_NODE_HOLDS_OBJECT (node)))
    return TRUE;
  fr_problems_add (problems, pointer, "expected a JSON %s", array ? "array" : "object");
  return FALSE;
}

/* -1 is the only negative number that means something. */
static gboolean
check_auto (double value, const char *pointer, FrProblems *problems)
{
  if (value >= 0 || value == -1)
    return TRUE;
  fr_problems_add (problems, pointer, "%g is neither -1 nor 0 or more", value);
  return FALSE;
}

gboolean
lm_answer_configure (const LmAnswerConfig *c, FrProblems *problems)
{
  gboolean ok = check_kind (c->variables, FALSE, "/variables", problems);

  ok &= check_kind (c->tools, TRUE, "/tools", problems);
  ok &= check_auto (c->temperature, "/temperature", problems);
  ok &= check_auto (c->top_p, "/top_p", problems);
  ok &= check_auto (c->min_p, "/min_p", problems);
  ok &= check_auto (c->repetition_penalty, "/repetition_penalty", problems);
  if (c->repetition_penalty == 0)
    {
      fr_problems_add (problems, "/repetition_penalty",
                       "logits cannot be divided by 0; 1 leaves them alone");
      ok = FALSE;
    }
  for (guint i = 0; c->stop != NULL && c->stop[i] != NULL; i++)
    if (*c->stop[i] == '\0')
      {
        fr_problems_add (problems, "/stop", "an empty text would end every answer at once");
        ok = FALSE;
      }
  return ok;
}

static double
model_number (JsonObject *generation, const char *key, double otherwise)
{
  JsonNode *node = json_object_get_member (generation, key);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) != G_TYPE_STRING
             ? json_node_get_double (node)
             : otherwise;
}

static double
choose (double given, gboolean sampling, JsonObject *generation, const char *key, double otherwise)
{
  if (given >= 0)
    return given;
  return sampling ? model_number (generation, key, otherwise) : otherwise;
}

void
lm_answer_sampling (const LmAnswerConfig *c, LmModel *model, LmChat *chat, LmSampling *to)
{
  JsonObject *own = lm_model_generation (model);
  const GArray *eos = lm_model_config (model)->eos_tokens;
  gboolean draws = json_object_get_boolean_member_with_default (own, "do_sample", FALSE);
  gint32 end = lm_chat_end (chat);

  memset (to, 0, sizeof *to);
  to->temperature = choose (c->temperature, draws, own, "temperature", draws ? 1 : 0);
  to->top_k = (guint) CLAMP (choose ((double) c->top_k, draws, own, "top_k", 0), 0, G_MAXINT32);
  to->top_p = choose (c->top_p, draws, own, "top_p", 1);
  to->min_p = choose (c->min_p, draws, own, "min_p", 0);
  to->repetition_penalty = choose (c->repetition_penalty, TRUE, own, "repetition_penalty", 1);
  to->max_tokens = (gsize) c->max_tokens;
  to->stop = (const char *const *) c->stop;
  to->ends = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_array_append_val (to->ends, end);
  if (eos != NULL)
    g_array_append_vals (to->ends, eos->data, eos->len);
}

JsonObject *
lm_answerer_settings (LmAnswerer *a)
{
  JsonObject *o = json_object_new ();
  g_autofree char *backend = a->compute->klass->describe (a->compute);

  json_object_set_string_member (o, "model", lm_model_name (a->model));
  json_object_set_string_member (o, "backend", backend);
  json_object_set_string_member (o, "type", a->type == LM_BF16 ? "bf16" : "f32");
  json_object_set_int_member (o, "int8_matrices", lm_decoder_int8 (a->decoder, NULL));
  json_object_set_boolean_member (o, "chat_template", lm_chat_has_template (a->chat));
  json_object_set_double_member (o, "temperature", a->sampling.temperature);
  json_object_set_int_member (o, "top_k", a->sampling.top_k);
  json_object_set_double_member (o, "top_p", a->sampling.top_p);
  json_object_set_double_member (o, "min_p", a->sampling.min_p);
  json_object_set_double_member (o, "repetition_penalty", a->sampling.repetition_penalty);
  json_object_set_int_member (o, "max_tokens", (gint64) a->sampling.max_tokens);
  return o;
}

gboolean
lm_answerer_draws (LmAnswerer *a)
{
  return a->sampling.temperature > 0;
}

/* ---- life --------------------------------------------------------------------------------------
 */

LmAnswerer *
lm_answerer_new (FrHost *host, const LmAnswerConfig *config, LmModel *model, GError **error)
{
  g_autoptr (LmAnswerer) a = g_new0 (LmAnswerer, 1);
  LmDecoderOptions options = { .type = LM_F32 };

  a->config = config;
  a->host = host;
  a->room = 1;
  a->model = fr_object_ref (model);
  a->chat = lm_chat_new (model, error);
  if (a->chat == NULL)
    return NULL;
  if (!lm_chat_has_template (a->chat))
    fr_host_warn (host, "'%s' has no chat template: prompts are the texts of a row, a line each",
                  lm_model_name (model));
  a->compute = lm_compute_open (host, config->backend, fr_host_workers (host), error);
  if (a->compute == NULL)
    return NULL;
  a->type = options.type = lm_type_choose (a->compute, config->type);
  options.int8 = lm_int8_choose (config->weights, config->products);
  a->decoder = lm_decoder_new (model, a->compute, &options, error);
  if (a->decoder == NULL)
    return NULL;
  lm_answer_sampling (config, model, a->chat, &a->sampling);
  return g_steal_pointer (&a);
}

void
lm_answerer_free (LmAnswerer *a)
{
  if (a == NULL)
    return;
  g_clear_pointer (&a->decoder, lm_decoder_free);
  g_clear_pointer (&a->compute, lm_compute_close);
  g_clear_pointer (&a->chat, lm_chat_free);
  g_clear_pointer (&a->model, fr_object_unref);
  g_clear_pointer (&a->sampling.ends, g_array_unref);
  g_free (a);
}

LmModel *
lm_answerer_model (LmAnswerer *a)
{
  return a->model;
}

/* ---- questions ---------------------------------------------------------------------------------
 */

static void
clear_job (gpointer data)
{
  LmJob *job = data;

  g_string_free (job->text, TRUE);
  g_array_unref (job->ids);
}

LmAnswers *
lm_answers_new (void)
{
  LmAnswers *answers = g_new0 (LmAnswers, 1);

  answers->jobs = g_array_new (FALSE, TRUE, sizeof (LmJob));
  g_array_set_clear_func (answers->jobs, clear_job);
  answers->opened = g_array_new (FALSE, FALSE, sizeof (gboolean));
  answers->prompts = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  return answers;
}

void
lm_answers_free (LmAnswers *answers)
{
  if (answers == NULL)
    return;
  g_array_unref (answers->jobs);
  g_array_unref (answers->opened);
  g_ptr_array_unref (answers->prompts);
  g_free (answers);
}

static void
add_job (LmAnswers *answers, GArray *prompt, gboolean opened, guint64 seed)
{
  LmJob job = { .prompt = (const gint32 *) (gpointer) prompt->data,
                .n_prompt = prompt->len,
                .seed = seed,
                .text = g_string_new (NULL),
                .ids = g_array_new (FALSE, FALSE, sizeof (gint32)) };

  g_ptr_array_add (answers->prompts, prompt);
  g_array_append_val (answers->jobs, job);
  g_array_append_val (answers->opened, opened);
}

gboolean
lm_answerer_ask (LmAnswerer *a, LmAnswers *answers, JsonArray *messages, guint64 seed,
                 const char **rule, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GString) text = g_string_new (NULL);
  const LmAnswerConfig *c = a->config;
  JsonObject *variables = c->variables != NULL ? json_node_get_object (c->variables) : NULL;
  guint context = lm_model_config (a->model)->max_position;

  *rule = "no_prompt";
  if (!lm_chat_prompt (a->chat, messages, c->tools, variables, ids, text, error))
    return FALSE;
  if (ids->len == 0 || ids->len + a->room > context)
    {
      *rule = ids->len == 0 ? "no_prompt" : "too_long";
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "the prompt has %u tokens; the model takes up to %u with the answer", ids->len,
                   context);
      return FALSE;
    }
  add_job (answers, g_steal_pointer (&ids), lm_think_opened (text->str, text->len), seed);
  *rule = NULL;
  return TRUE;
}

/* ---- one of a set ------------------------------------------------------------------------------
 */

LmChoices *
lm_answerer_choices (LmAnswerer *a, const char *const *texts, GError **error)
{
  LmTokenizer *tokenizer = lm_model_tokenizer (a->model, error);
  LmChoices *choices
      = tokenizer != NULL ? lm_choices_new (tokenizer, texts, a->sampling.ends, error) : NULL;

  if (choices != NULL)
    a->room = MAX (a->room, lm_choices_depth (choices));
  return choices;
}

static void
count_chosen (LmAnswerer *a, const LmChoiceJob *jobs, gsize n)
{
  gint64 in = 0, off = 0;

  for (gsize i = 0; i < n; i++)
    {
      in += (gint64) jobs[i].n_prompt;
      off += jobs[i].mass < OFF_CHOICE;
    }
  fr_host_count (a->host, "tokens_in", in);
  fr_host_count (a->host, "off_choice", off);
}

gboolean
lm_answerer_choose (LmAnswerer *a, LmAnswers *answers, const LmChoices *choices, LmChosen *chosen,
                    double *probabilities, GError **error)
{
  guint n = answers->jobs->len;
  gsize n_choices = lm_choices_n (choices);
  g_autofree LmChoiceJob *jobs = g_new0 (LmChoiceJob, n);
  g_autofree double *own = probabilities == NULL ? g_new (double, n *n_choices) : NULL;
  gint64 started = g_get_monotonic_time ();

  for (guint i = 0; i < n; i++)
    {
      const LmJob *job = &g_array_index (answers->jobs, LmJob, i);

      jobs[i].prompt = job->prompt;
      jobs[i].n_prompt = job->n_prompt;
      jobs[i].probabilities = (own != NULL ? own : probabilities) + i * n_choices;
    }
  if (!lm_generate_choice (a->decoder, choices, jobs, n, (guint) a->config->batch,
                           fr_host_cancellable (a->host), error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    chosen[i] = (LmChosen){ jobs[i].best, jobs[i].probabilities[jobs[i].best], jobs[i].mass };
  a->spent += g_get_monotonic_time () - started;
  a->n_tokens += n;
  fr_host_status (a->host, "%.1f rows/s",
                  (double) a->n_tokens * G_USEC_PER_SEC / (double) MAX (a->spent, 1));
  count_chosen (a, jobs, n);
  return TRUE;
}

/* ---- answers -----------------------------------------------------------------------------------
 */

typedef struct
{
  LmAnswerer *a;
  GString *text;
} Progress;

/* The end of @text's last line, whole characters. */
static const char *
tail (const GString *text)
{
  const char *line = strrchr (text->str, '\n'), *end = text->str + text->len, *from;

  line = line == NULL ? text->str : line + 1;
  from = end - line > SHOWN_BYTES ? end - SHOWN_BYTES : line;
  while (from > line && ((guchar) *from & 0xc0) == 0x80)
    from--;
  return from;
}

static void
show_progress (gpointer data, const char *piece, gsize len)
{
  Progress *p = data;
  LmAnswerer *a = p->a;
  double seconds = (double) (a->spent + g_get_monotonic_time () - a->started) / G_USEC_PER_SEC;
  double speed = (double) ++a->n_tokens / MAX (seconds, 1e-3);

  (void) piece, (void) len;
  if (a->alone)
    fr_host_status (a->host, "%.1f tok/s … %s", speed, tail (p->text));
  else
    fr_host_status (a->host, "%.1f tok/s", speed);
}

static void
count (LmAnswerer *a, const GArray *jobs)
{
  gint64 in = 0, out = 0, length = 0, context = 0;

  for (guint k = 0; k < jobs->len; k++)
    {
      const LmJob *job = &g_array_index (jobs, LmJob, k);

      in += (gint64) job->n_prompt;
      out += job->ids->len;
      length += job->stop == LM_STOP_LENGTH;
      context += job->stop == LM_STOP_CONTEXT;
    }
  fr_host_count (a->host, "tokens_in", in);
  fr_host_count (a->host, "tokens_out", out);
  fr_host_count (a->host, "stopped_by_length", length);
  fr_host_count (a->host, "stopped_by_context", context);
}

gboolean
lm_answerer_answer (LmAnswerer *a, LmAnswers *answers, GError **error)
{
  LmJob *jobs = (LmJob *) (gpointer) answers->jobs->data;
  guint n = answers->jobs->len;
  g_autofree Progress *progress = g_new0 (Progress, n);
  LmTokenizer *tokenizer = lm_model_tokenizer (a->model, error);

  if (tokenizer == NULL)
    return FALSE;
  a->alone = n == 1;
  a->started = g_get_monotonic_time ();
  for (guint i = 0; i < n; i++)
    {
      progress[i] = (Progress){ a, jobs[i].text };
      jobs[i].progress = show_progress;
      jobs[i].data = &progress[i];
    }
  if (!lm_generate (a->decoder, tokenizer, &a->sampling, jobs, n, (guint) a->config->batch,
                    fr_host_cancellable (a->host), error))
    return FALSE;
  a->spent += g_get_monotonic_time () - a->started;
  count (a, answers->jobs);
  return TRUE;
}

const char *
lm_stop_word (LmStop stop)
{
  static const char *const words[LM_N_STOPS] = {
    [LM_STOP_END] = "end",
    [LM_STOP_STRING] = "stop",
    [LM_STOP_LENGTH] = "length",
    [LM_STOP_CONTEXT] = "context",
    [LM_STOP_CANCELLED] = "cancelled",
    [LM_STOP_DEADLINE] = "deadline",
    [LM_STOP_ERROR] = "error",
  };

  return words[stop];
}
