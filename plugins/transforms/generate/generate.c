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
#include "lm/answer.h"

typedef struct
{
  char *as;
  char *input;
  char *stop_reason, *tokens, *logprob;
  char **choices;
  char *confidence, *mass;
  LmAnswerConfig answer;
} Config;

static const FrParam *const params[]
    = { FR_PARAM_STRING ("as", Config, as, "column for the answer; one of that name is replaced",
                         .def = "generated"),
        FR_PARAM_COLUMN ("input", Config, input, FR_TYPES_TEXT,
                         "column of the question, in place of 'input' or 'messages'",
                         .example = "\"title\""),
        LM_ANSWER_PARAMS (Config, answer, "512", "-1", "8", "auto"),
        FR_PARAM_STRING ("stop_reason", Config, stop_reason,
                         "column for why the answer ended: end, stop, length, context"),
        FR_PARAM_STRING ("tokens", Config, tokens, "column for the number of tokens in the answer"),
        FR_PARAM_STRING (
            "logprob", Config, logprob,
            "column for the logarithm of the answer's probability under the model, before any cut"),
        FR_PARAM_STRINGS ("choices", Config, choices,
                          "the answers allowed: the likeliest of them is taken, nothing is drawn",
                          .example = "[\"positive\", \"negative\", \"neutral\"]"),
        FR_PARAM_STRING ("confidence", Config, confidence,
                         "with choices: column for the answer's probability among them"),
        FR_PARAM_STRING (
            "mass", Config, mass,
            "with choices: column for the probability of all of them together, of all answers"),
        NULL };

static const FrPort *const inputs[] = {
  FR_PORT ("in", FR_PORT_RECORDS, "rows to answer: input, or messages", .flags = FR_PORT_MANY),
  FR_PORT ("model", FR_PORT_MODEL, "the model that answers", .object = &lm_model_type), NULL
};

typedef struct
{
  const Config *config;
  FrHost *host;
  LmRecord *record;
  LmAnswerer *answerer;
  LmChoices *choices; /* NULL: any answer */
  guint64 n_rows;
} State;

/* ---- columns -------------------------------------------------------------------------------- */

typedef struct
{
  const char *name;
  FrType type;
} NewColumn;

#define N_NEW 6

/* What is added, the answer first; names NULL where it is not wanted. */
static void
new_columns (const Config *c, NewColumn columns[N_NEW])
{
  columns[0] = (NewColumn){ c->as, FR_TYPE_UTF8 };
  columns[1] = (NewColumn){ c->stop_reason, FR_TYPE_UTF8 };
  columns[2] = (NewColumn){ c->tokens, FR_TYPE_INT64 };
  columns[3] = (NewColumn){ c->logprob, FR_TYPE_FLOAT64 };
  columns[4] = (NewColumn){ c->confidence, FR_TYPE_FLOAT64 };
  columns[5] = (NewColumn){ c->mass, FR_TYPE_FLOAT64 };
}

static FrSchema *
output_schema (const Config *config, const FrSchema *in, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();
  NewColumn columns[N_NEW];

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

/* ---- before the run ----------------------------------------------------------------------------
 */

/* Columns of free answers beside choices, and the other way round. */
static gboolean
check_columns (const Config *c, FrProblems *problems)
{
  const struct
  {
    const char *value, *pointer;
    gboolean choices;
  } rows[] = { { c->stop_reason, "/stop_reason", FALSE },
               { c->tokens, "/tokens", FALSE },
               { c->logprob, "/logprob", FALSE },
               { c->confidence, "/confidence", TRUE },
               { c->mass, "/mass", TRUE } };
  gboolean ok = TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].value != NULL && rows[i].choices != (c->choices != NULL))
      {
        fr_problems_add (problems, rows[i].pointer,
                         rows[i].choices
                             ? "there is none without 'choices'"
                             : "with 'choices' the answer is not generated word by word; "
                               "'confidence' says how sure it is");
        ok = FALSE;
      }
  return ok;
}

static gboolean
check_choices (const Config *c, FrProblems *problems)
{
  guint n = c->choices != NULL ? g_strv_length (c->choices) : 0;
  gboolean ok = TRUE;

  if (c->choices != NULL && n < 2)
    {
      fr_problems_add (problems, "/choices", "a choice needs two answers or more");
      ok = FALSE;
    }
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *pointer = g_strdup_printf ("/choices/%u", i);

      if (*c->choices[i] == '\0')
        {
          fr_problems_add (problems, pointer, "an empty text is no answer");
          ok = FALSE;
        }
      for (guint k = 0; k < i; k++)
        if (strcmp (c->choices[i], c->choices[k]) == 0)
          {
            fr_problems_add (problems, pointer, "'%s' is listed twice", c->choices[i]);
            ok = FALSE;
            break;
          }
    }
  return ok;
}

static gboolean
generate_configure (gpointer data, FrProblems *problems)
{
  const Config *c = data;
  gboolean ok = lm_answer_configure (&c->answer, problems);

  ok &= check_columns (c, problems);
  return check_choices (c, problems) && ok;
}

static gboolean
generate_bind (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *c = data;
  FrSchema *in = fr_bind_input (bind, "in"), *out;
  LmRecord *record;

  if (in == NULL)
    return TRUE;
  record = lm_record_new_named (in, c->input, FALSE, error);
  if (record == NULL)
    return FALSE;
  lm_record_free (record);
  out = output_schema (data, in, error);
  if (out == NULL)
    return FALSE;
  fr_bind_output (bind, "out", out);
  return TRUE;
}

/* ---- start
 * ---------------------------------------------------------------------------------------- */

static gboolean
start (State *s, GError **error)
{
  g_autoptr (FrObject) object = NULL;
  JsonNode *settings;

  if (fr_host_next_object (s->host, "model", &object, error) != FR_FLOW_OK)
    return FALSE;
  s->record = lm_record_new_named (fr_host_input (s->host, "in"), s->config->input, FALSE, error);
  if (s->record == NULL)
    return FALSE;
  s->answerer = lm_answerer_new (s->host, &s->config->answer, (LmModel *) object, error);
  if (s->answerer == NULL)
    return FALSE;
  if (s->config->choices != NULL)
    {
      s->choices
          = lm_answerer_choices (s->answerer, (const char *const *) s->config->choices, error);
      if (s->choices == NULL)
        return FALSE;
    }
  settings = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (settings, lm_answerer_settings (s->answerer));
  fr_host_report (s->host, "generate", settings);
  return TRUE;
}

/* ---- rows
 * -------------------------------------------------------------------------------------------- */

/* The cell of new column number @k; @chosen NULL: a free answer. */
static void
add_cell (const Config *config, guint k, FrCells *cells, const LmJob *job, const LmChosen *chosen)
{
  const char *text = k == 1 ? lm_stop_word (job->stop) : NULL;

  if (k == 0 && chosen != NULL)
    text = config->choices[chosen->best];
  if (text != NULL)
    fr_cells_append_str (cells, text, strlen (text));
  else if (k == 0)
    fr_cells_append_str (cells, job->text->str, job->text->len);
  else if (k == 2)
    fr_cells_append_int (cells, job->ids->len);
  else
    fr_cells_append_float (cells, k == 3   ? job->logprob
                                  : k == 4 ? chosen->confidence
                                           : chosen->mass);
}

/* Cells of the columns that @config adds, in the output's schema. */
static void
add_answer (const Config *config, FrSchema *out, FrBuilder *builder, const LmJob *job,
            const LmChosen *chosen)
{
  NewColumn columns[N_NEW];

  new_columns (config, columns);
  for (guint k = 0; k < G_N_ELEMENTS (columns); k++)
    if (columns[k].name != NULL)
      add_cell (config, k,
                fr_builder_cells (builder, (guint) fr_schema_find (out, columns[k].name)), job,
                chosen);
}

static gboolean
is_new (const Config *config, const char *name)
{
  NewColumn columns[N_NEW];

  new_columns (config, columns);
  for (guint k = 0; k < G_N_ELEMENTS (columns); k++)
    if (g_strcmp0 (columns[k].name, name) == 0)
      return TRUE;
  return FALSE;
}

static FrBatch *
make_output (State *s, const FrBatch *batch, const GArray *rows, const GArray *jobs,
             const LmChosen *chosen, GError **error)
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
      add_answer (s->config, out, builder, &g_array_index (jobs, LmJob, k),
                  chosen != NULL ? &chosen[k] : NULL);
      fr_builder_end_row (builder, fr_batch_ids (batch)[row]);
    }
  return fr_builder_finish (builder, error);
}

/* Adds the row's question; a row that is none is rejected. */
static void
ask (State *s, LmAnswers *answers, const FrBatch *batch, gsize row, GArray *rows)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonArray) messages = lm_record_messages (s->record, batch, row, &error);
  guint64 seed = fr_host_random (s->host, fr_batch_ids (batch)[row], 0);
  const char *rule = "no_prompt";

  if (messages != NULL && lm_answerer_ask (s->answerer, answers, messages, seed, &rule, &error))
    g_array_append_val (rows, row);
  else
    fr_host_reject (s->host, batch, row, rule, "%s", error->message);
}

static FrFlow
answer_batch (State *s, const FrBatch *batch, GError **error)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_autoptr (LmAnswers) answers = lm_answers_new ();
  g_autofree LmChosen *chosen = NULL;
  FrBatch *out;

  for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
    ask (s, answers, batch, row, rows);
  if (rows->len == 0)
    return FR_FLOW_OK;
  if (s->choices != NULL)
    chosen = g_new (LmChosen, rows->len);
  if (chosen != NULL ? !lm_answerer_choose (s->answerer, answers, s->choices, chosen, NULL, error)
                     : !lm_answerer_answer (s->answerer, answers, error))
    return fr_host_is_cancelled (s->host) ? FR_FLOW_CANCELLED : FR_FLOW_ERROR;
  s->n_rows += rows->len;
  fr_host_progress (s->host, s->n_rows, 0, "rows");
  out = make_output (s, batch, rows, answers->jobs, chosen, error);
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

  g_clear_pointer (&s->choices, lm_choices_free);
  g_clear_pointer (&s->answerer, lm_answerer_free);
  g_clear_pointer (&s->record, lm_record_free);
  g_free (s);
}

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.generate",
  .revision = 2,
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

FR_PLUGIN ("generate", PACKAGE_VERSION, "answers of language models", "Apache-2.0", "flowrun",
           &element)
