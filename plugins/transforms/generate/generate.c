/* SPDX-License-Identifier: Apache-2.0 */
/* generate.c: transform.generate, records and a model to records with answers.
 *
 *   rows --lm_record--> messages --lm_chat--> prompts --lm_generate--> column
 *
 * A batch of rows is answered as a whole, `batch` rows of it at a time.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <string.h>

#include "generate-details.h"
#include "lm/chat.h"
#include "lm/generate.h"

#define SHOWN_BYTES 60 /* of an answer, while it grows */

enum
{
  TYPE_AUTO,
  TYPE_F32,
  TYPE_BF16
};

typedef struct
{
  char *as;
  char *input;
  char *stop_reason, *tokens, *logprob;
  gint64 max_tokens;
  double temperature, top_p, min_p, repetition_penalty;
  gint64 top_k;
  char **stop;
  gint64 batch;
  int type;
  char *backend;
  JsonNode *variables;
  JsonNode *tools;
} Config;

static const FrEnumValue *const types[]
    = { FR_ENUM ("auto", TYPE_AUTO, "bf16 where the backend multiplies it faster, else f32"),
        FR_ENUM ("f32", TYPE_F32, "32-bit floats"), FR_ENUM ("bf16", TYPE_BF16, "16-bit brain floats"), NULL };

static const FrParam *const params[] = {
  FR_PARAM_STRING ("as", Config, as, "column for the answer; one of that name is replaced", .def = "generated"),
  FR_PARAM_COLUMN ("input", Config, input, FR_TYPES_TEXT, "column of the question, in place of 'input' or 'messages'",
                   .example = "\"title\""),
  FR_PARAM_INT ("max_tokens", Config, max_tokens, 1, 1 << 24, "an answer has at most so many tokens", .def = "512",
                .unit = "tokens"),
  FR_PARAM_FLOAT ("temperature", Config, temperature, -1, 100,
                  "divides the logits: 0 takes the likeliest token, 1 draws as the model says; -1: the model's own",
                  .def = "-1"),
  FR_PARAM_INT ("top_k", Config, top_k, -1, 1 << 24, "draw from the k likeliest; 0: all; -1: the model's own",
                .def = "-1"),
  FR_PARAM_FLOAT ("top_p", Config, top_p, -1, 1,
                  "draw from the likeliest that have this probability together; 1: all; -1: the model's own",
                  .def = "-1"),
  FR_PARAM_FLOAT ("min_p", Config, min_p, -1, 1,
                  "leave out what is less likely than this times the likeliest; 0: nothing; -1: the model's own",
                  .def = "-1"),
  FR_PARAM_FLOAT ("repetition_penalty", Config, repetition_penalty, -1, 100,
                  "makes what was said less likely; 1: no; -1: the model's own", .def = "-1"),
  FR_PARAM_STRINGS ("stop", Config, stop, "texts that end an answer", .example = "[\"\\n\\n\"]"),
  FR_PARAM_INT ("batch", Config, batch, 1, 4096, "rows answered at once", .def = "8", .unit = "rows"),
  FR_PARAM_ENUM ("type", Config, type, types, "type of activations", .def = "auto"),
  FR_PARAM_STRING ("backend", Config, backend,
                   "compute backend ('reference', 'openblas', 'onednn', 'cublas'); none given: the best here",
                   .example = "\"onednn\""),
  FR_PARAM_JSON ("variables", Config, variables, "an object of variables for the chat template",
                 .example = "{\"enable_thinking\": false}"),
  FR_PARAM_JSON ("tools", Config, tools, "an array of tools for the chat template, in OpenAI's form"),
  FR_PARAM_STRING ("stop_reason", Config, stop_reason, "column for why the answer ended: end, stop, length, context"),
  FR_PARAM_STRING ("tokens", Config, tokens, "column for the number of tokens in the answer"),
  FR_PARAM_STRING ("logprob", Config, logprob,
                   "column for the logarithm of the answer's probability under the model, before any cut"),
  NULL
};

static const FrPort *const inputs[] = {
  FR_PORT ("in", FR_PORT_RECORDS, "rows to answer: input, or messages", .flags = FR_PORT_MANY),
  FR_PORT ("model", FR_PORT_MODEL, "the model that answers", .object = &lm_model_type), NULL
};

typedef struct
{
  const Config *config;
  FrHost *host;
  LmModel *model;
  LmChat *chat;
  LmRecord *record;
  LmCompute *compute;
  LmDecoder *decoder;
  LmSampling sampling;
  gint64 started;
  guint64 n_tokens; /* given so far */
  guint64 n_rows;
} State;

/* ---- columns -------------------------------------------------------------------------------- */

/* The schema as lm_record_new() should see it: 'input' names another column than "input". */
static FrSchema *
seen_schema (const Config *config, FrSchema *schema, GError **error)
{
  guint n = fr_schema_n_fields (schema);
  g_autofree FrField **fields = NULL;

  if (config->input == NULL)
    return fr_schema_ref (schema);
  fields = g_new (FrField *, n);
  for (guint i = 0; i < n; i++)
    {
      FrField *field = fr_schema_field (schema, i);
      const char *name = fr_field_name (field);

      if (g_str_equal (name, config->input))
        fields[i] = fr_field_renamed (field, "input");
      else if (g_str_equal (name, "input") || g_str_equal (name, "messages"))
        {
          g_autofree char *other = g_strconcat ("_unused_", name, NULL);

          fields[i] = fr_field_renamed (field, other);
        }
      else
        fields[i] = fr_field_ref (field);
    }
  return fr_schema_new (fields, n, error);
}

static LmRecord *
make_record (const Config *config, FrSchema *schema, GError **error)
{
  g_autoptr (FrSchema) seen = seen_schema (config, schema, error);

  return seen != NULL ? lm_record_new (seen, FALSE, error) : NULL;
}

typedef struct
{
  const char *name;
  FrType type;
} NewColumn;

/* What is added, the answer first; names NULL where it is not wanted. */
static void
new_columns (const Config *c, NewColumn columns[4])
{
  columns[0] = (NewColumn){ c->as, FR_TYPE_UTF8 };
  columns[1] = (NewColumn){ c->stop_reason, FR_TYPE_UTF8 };
  columns[2] = (NewColumn){ c->tokens, FR_TYPE_INT64 };
  columns[3] = (NewColumn){ c->logprob, FR_TYPE_FLOAT64 };
}

static FrSchema *
output_schema (const Config *config, const FrSchema *in, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();
  NewColumn columns[4];

  new_columns (config, columns);
  for (guint i = 0; i < fr_schema_n_fields (in); i++)
    g_ptr_array_add (fields, fr_field_ref (fr_schema_field (in, i)));
  for (guint k = 0; k < G_N_ELEMENTS (columns); k++)
    {
      int at = columns[k].name != NULL ? fr_schema_find (in, columns[k].name) : -1;

      if (columns[k].name == NULL)
        continue;
      if (at < 0)
        g_ptr_array_add (fields, fr_field_new (columns[k].name, columns[k].type));
      else
        {
          fr_field_unref (fields->pdata[at]);
          fields->pdata[at] = fr_field_new (columns[k].name, columns[k].type);
        }
    }
  return fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
}

/* ---- before the run ---------------------------------------------------------------------------- */

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

static gboolean
generate_configure (gpointer data, FrProblems *problems)
{
  const Config *c = data;
  gboolean ok = check_kind (c->variables, FALSE, "/variables", problems);

  ok &= check_kind (c->tools, TRUE, "/tools", problems);
  ok &= check_auto (c->temperature, "/temperature", problems);
  ok &= check_auto (c->top_p, "/top_p", problems);
  ok &= check_auto (c->min_p, "/min_p", problems);
  ok &= check_auto (c->repetition_penalty, "/repetition_penalty", problems);
  if (c->repetition_penalty == 0)
    {
      fr_problems_add (problems, "/repetition_penalty", "logits cannot be divided by 0; 1 leaves them alone");
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

static gboolean
generate_bind (gconstpointer data, FrBind *bind, GError **error)
{
  FrSchema *in = fr_bind_input (bind, "in"), *out;
  LmRecord *record;

  if (in == NULL)
    return TRUE;
  record = make_record (data, in, error);
  if (record == NULL)
    return FALSE;
  lm_record_free (record);
  out = output_schema (data, in, error);
  if (out == NULL)
    return FALSE;
  fr_bind_output (bind, "out", out);
  return TRUE;
}

/* ---- start ---------------------------------------------------------------------------------------- */

static double
model_number (JsonObject *generation, const char *key, double otherwise)
{
  JsonNode *node = json_object_get_member (generation, key);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) != G_TYPE_STRING
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

static void
set_sampling (State *s)
{
  const Config *c = s->config;
  JsonObject *own = lm_model_generation (s->model);
  const GArray *eos = lm_model_config (s->model)->eos_tokens;
  gboolean draws = json_object_get_boolean_member_with_default (own, "do_sample", FALSE);
  gint32 end = lm_chat_end (s->chat);
  LmSampling *to = &s->sampling;

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

static void
report_settings (State *s, const char *backend, LmType type)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *o = json_object_new ();

  json_object_set_string_member (o, "model", lm_model_name (s->model));
  json_object_set_string_member (o, "backend", backend);
  json_object_set_string_member (o, "type", type == LM_BF16 ? "bf16" : "f32");
  json_object_set_boolean_member (o, "chat_template", lm_chat_has_template (s->chat));
  json_object_set_double_member (o, "temperature", s->sampling.temperature);
  json_object_set_int_member (o, "top_k", s->sampling.top_k);
  json_object_set_double_member (o, "top_p", s->sampling.top_p);
  json_object_set_double_member (o, "min_p", s->sampling.min_p);
  json_object_set_double_member (o, "repetition_penalty", s->sampling.repetition_penalty);
  json_object_set_int_member (o, "max_tokens", (gint64) s->sampling.max_tokens);
  json_node_take_object (node, o);
  fr_host_report (s->host, "generate", node);
}

static gboolean
start (State *s, GError **error)
{
  LmDecoderOptions options = { .type = LM_F32 };
  g_autofree char *backend = NULL;
  FrObject *object = NULL;

  if (fr_host_next_object (s->host, "model", &object, error) != FR_FLOW_OK)
    return FALSE;
  s->model = (LmModel *) object;
  s->chat = lm_chat_new (s->model, error);
  if (s->chat == NULL)
    return FALSE;
  if (!lm_chat_has_template (s->chat))
    fr_host_warn (s->host, "'%s' has no chat template: prompts are the texts of a row, a line each",
                  lm_model_name (s->model));
  s->record = make_record (s->config, fr_host_input (s->host, "in"), error);
  s->compute = s->record != NULL ? lm_compute_open (s->host, s->config->backend, fr_host_threads (s->host), error) : NULL;
  if (s->compute == NULL)
    return FALSE;
  backend = s->compute->klass->describe (s->compute);
  if (s->config->type == TYPE_BF16 || (s->config->type == TYPE_AUTO && s->compute->klass->fast_bf16 (s->compute)))
    options.type = LM_BF16;
  s->decoder = lm_decoder_new (s->model, s->compute, &options, error);
  if (s->decoder == NULL)
    return FALSE;
  set_sampling (s);
  report_settings (s, backend, options.type);
  return TRUE;
}

/* ---- rows -------------------------------------------------------------------------------------------- */

typedef struct
{
  State *state;
  gboolean alone; /* the only row: its text is shown as it comes */
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
  State *s = p->state;
  double seconds = (double) (g_get_monotonic_time () - s->started) / G_USEC_PER_SEC;
  double speed = (double) ++s->n_tokens / MAX (seconds, 1e-3);

  (void) piece, (void) len;
  if (p->alone)
    fr_host_status (s->host, "%.1f tok/s … %s", speed, tail (p->text));
  else
    fr_host_status (s->host, "%.1f tok/s", speed);
}

/* The row's prompt; NULL: the row was rejected. */
static GArray *
make_prompt (State *s, const FrBatch *batch, gsize row)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonArray) messages = lm_record_messages (s->record, batch, row, &error);
  JsonObject *variables = s->config->variables != NULL ? json_node_get_object (s->config->variables) : NULL;
  guint context = lm_model_config (s->model)->max_position;

  if (messages == NULL || !lm_chat_prompt (s->chat, messages, s->config->tools, variables, ids, NULL, &error))
    {
      fr_host_reject (s->host, batch, row, "no_prompt", "%s", error->message);
      return NULL;
    }
  if (ids->len == 0 || ids->len >= context)
    {
      fr_host_reject (s->host, batch, row, ids->len == 0 ? "no_prompt" : "too_long",
                      "the prompt has %u tokens; the model takes up to %u with the answer", ids->len, context);
      return NULL;
    }
  return g_steal_pointer (&ids);
}

static void
clear_job (gpointer data)
{
  LmJob *job = data;

  g_string_free (job->text, TRUE);
  g_array_unref (job->ids);
}

static const char *
stop_word (LmStop stop)
{
  return stop == LM_STOP_END      ? "end"
         : stop == LM_STOP_STRING ? "stop"
         : stop == LM_STOP_LENGTH ? "length"
                                  : "context";
}

/* Cells of the columns that @config adds, in the output's schema. */
static void
add_answer (const Config *config, FrSchema *out, FrBuilder *builder, const LmJob *job)
{
  NewColumn columns[4];

  new_columns (config, columns);
  for (guint k = 0; k < G_N_ELEMENTS (columns); k++)
    {
      FrCells *cells;

      if (columns[k].name == NULL)
        continue;
      cells = fr_builder_cells (builder, (guint) fr_schema_find (out, columns[k].name));
      if (k == 0)
        fr_cells_append_str (cells, job->text->str, job->text->len);
      else if (k == 1)
        fr_cells_append_str (cells, stop_word (job->stop), strlen (stop_word (job->stop)));
      else if (k == 2)
        fr_cells_append_int (cells, job->ids->len);
      else
        fr_cells_append_float (cells, job->logprob);
    }
}

static gboolean
is_new (const Config *config, const char *name)
{
  NewColumn columns[4];

  new_columns (config, columns);
  for (guint k = 0; k < G_N_ELEMENTS (columns); k++)
    if (g_strcmp0 (columns[k].name, name) == 0)
      return TRUE;
  return FALSE;
}

static FrBatch *
make_output (State *s, const FrBatch *batch, const GArray *rows, const GArray *jobs, GError **error)
{
  FrSchema *out = fr_host_output (s->host, "out");
  g_autoptr (FrBuilder) builder = fr_builder_new (out);
  guint n_in = fr_batch_n_columns (batch);
  g_autofree FrView *views = g_new (FrView, n_in);

  for (guint i = 0; i < n_in; i++)
    views[i] = fr_view (batch, i);
  for (guint k = 0; k < rows->len; k++)
    {
      gsize row = g_array_index (rows, gsize, k);

      for (guint i = 0; i < n_in; i++)
        if (!is_new (s->config, fr_field_name (fr_schema_field (out, i))))
          fr_cells_append_from (fr_builder_cells (builder, i), &views[i], row);
      add_answer (s->config, out, builder, &g_array_index (jobs, LmJob, k));
      fr_builder_end_row (builder, fr_batch_ids (batch)[row]);
    }
  return fr_builder_finish (builder, error);
}

static void
count (State *s, const GArray *jobs)
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
  fr_host_count (s->host, "tokens_in", in);
  fr_host_count (s->host, "tokens_out", out);
  fr_host_count (s->host, "stopped_by_length", length);
  fr_host_count (s->host, "stopped_by_context", context);
  s->n_rows += jobs->len;
  fr_host_progress (s->host, s->n_rows, 0, "rows");
}

static FrFlow
answer_batch (State *s, const FrBatch *batch, GError **error)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_autoptr (GArray) jobs = g_array_new (FALSE, TRUE, sizeof (LmJob));
  g_autoptr (GPtrArray) prompts = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  g_autofree Progress *progress = g_new0 (Progress, fr_batch_n_rows (batch));
  g_autoptr (GError) local = NULL;
  FrBatch *out;

  g_array_set_clear_func (jobs, clear_job);
  for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
    {
      GArray *prompt = make_prompt (s, batch, row);
      LmJob job = { .seed = fr_host_random (s->host, fr_batch_ids (batch)[row], 0), .progress = show_progress };

      if (prompt == NULL)
        continue;
      g_ptr_array_add (prompts, prompt);
      job.prompt = (const gint32 *) (gpointer) prompt->data;
      job.n_prompt = prompt->len;
      job.text = g_string_new (NULL);
      job.ids = g_array_new (FALSE, FALSE, sizeof (gint32));
      job.data = &progress[row];
      progress[row] = (Progress){ s, fr_batch_n_rows (batch) == 1, job.text };
      g_array_append_val (jobs, job);
      g_array_append_val (rows, row);
    }
  if (jobs->len == 0)
    return FR_FLOW_OK;
  if (!lm_generate (s->decoder, lm_model_tokenizer (s->model, NULL), &s->sampling, (LmJob *) (gpointer) jobs->data,
                    jobs->len, (guint) s->config->batch, fr_host_cancellable (s->host), &local))
    {
      gboolean cancelled = g_error_matches (local, FR_ERROR, FR_ERROR_CANCELLED);

      g_propagate_error (error, g_steal_pointer (&local));
      return cancelled ? FR_FLOW_CANCELLED : FR_FLOW_ERROR;
    }
  count (s, jobs);
  out = make_output (s, batch, rows, jobs, error);
  return out != NULL ? fr_host_push (s->host, "out", out, error) : FR_FLOW_ERROR;
}

static gboolean
generate_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  State *s = g_new0 (State, 1);

  (void) error;
  s->config = data;
  s->host = host;
  *state = s;
  return TRUE;
}

static FrFlow
generate_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  FrFlow flow;

  s->host = host;
  if (!start (s, error))
    return fr_host_is_cancelled (host) ? FR_FLOW_CANCELLED : FR_FLOW_ERROR;
  s->started = g_get_monotonic_time ();
  for (;;)
    {
      g_autoptr (FrBatch) batch = NULL;

      flow = fr_host_next (host, "in", &batch, error);
      if (flow == FR_FLOW_OK)
        flow = answer_batch (s, batch, error);
      if (flow != FR_FLOW_OK)
        return flow;
    }
}

static void
generate_close (gpointer state)
{
  State *s = state;

  g_clear_pointer (&s->decoder, lm_decoder_free);
  g_clear_pointer (&s->compute, lm_compute_close);
  g_clear_pointer (&s->record, lm_record_free);
  g_clear_pointer (&s->chat, lm_chat_free);
  g_clear_pointer (&s->model, fr_object_unref);
  g_clear_pointer (&s->sampling.ends, g_array_unref);
  g_free (s);
}

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.generate",
  .revision = 1,
  .summary = "a model's answer to each row",
  .details = details,
  .example = "{\"max_tokens\": 64, \"temperature\": 0}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .outputs = fr_ports_out,
  .configure = generate_configure,
  .bind = generate_bind,
  .open = generate_open,
  .run = generate_run,
  .close = generate_close,
};

FR_PLUGIN ("generate", PACKAGE_VERSION, "answers of language models", "Apache-2.0", "flowrun", &element)
