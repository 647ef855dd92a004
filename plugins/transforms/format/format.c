/* SPDX-License-Identifier: Apache-2.0 */
/* format.c: transform.format, training records from rows.
 *
 * Whatever shape a row has, it becomes a Dialogue; the dialogue is checked
 * once, and written in the shape that is wanted.  Templates are text/template.h.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <string.h>

#include "dialogue.h"
#include "text/cell.h"
#include "text/template.h"

enum
{
  FROM_COLUMNS = 0,
  FROM_ALPACA,
  FROM_SHAREGPT,
  FROM_OPENAI
};
enum
{
  TO_PAIR = 0,
  TO_MESSAGES
};
enum
{
  CHOOSE_ALL = 0,
  CHOOSE_ONE
};
enum
{
  TURNS_LAST = 0,
  TURNS_EACH
};

typedef struct
{
  int from_shape;
  int shape;
  char *input;
  char *output;
  char *system;
  char **history;
  JsonNode *variants;
  int choose;
  char *column;
  FrPair *roles;
  int turns;
  char **keep;
} Config;

/* One way to make a record from columns; NULL templates are not there. */
typedef struct
{
  TextTemplate *input, *output, *system;
} Variant;

typedef struct
{
  const Config *config;
  FrSchema *in, *out;
  GArray *variants;   /* Variant; one without input and output for shapes that bring their own */
  GPtrArray *history; /* TextTemplate *, question and answer in turn */
  guint *keep;
  guint n_keep;
  int instruction, alpaca_input, answer, system, past; /* columns, or -1 */
  guint messages;                                      /* column of the messages */
  gboolean messages_are_text;
  guint role_member, content_member;
  gboolean has_system, has_history; /* columns of the output */
} Plan;

/* ---- plan: from parameters and columns to what is done ----------------------- */

static void
clear_variant (gpointer data)
{
  Variant *v = data;

  text_template_free (v->input);
  text_template_free (v->output);
  text_template_free (v->system);
}

static void
free_template (gpointer data)
{
  text_template_free (data);
}

static void
plan_free (Plan *plan)
{
  if (plan == NULL)
    return;
  g_array_unref (plan->variants);
  g_ptr_array_unref (plan->history);
  g_clear_pointer (&plan->in, fr_schema_unref);
  g_clear_pointer (&plan->out, fr_schema_unref);
  g_free (plan->keep);
  g_free (plan);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Plan, plan_free)

/* Where a problem goes: to the check, or, when the run opens, nowhere (the
 * check has passed by then). */
static TextTemplate *
make_template (FrBind *bind, FrSchema *schema, const char *pointer, const char *source)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TextTemplate) tmpl = text_template_new (source, &error);

  if (tmpl != NULL && text_template_bind (tmpl, schema, &error))
    return g_steal_pointer (&tmpl);
  if (bind != NULL)
    fr_bind_problem (bind, pointer, "%s", error->message);
  return NULL;
}

/* A template that may be absent; FALSE when it is wrong. */
static gboolean
optional_template (FrBind *bind, FrSchema *schema, const char *pointer, const char *source,
                   TextTemplate **out)
{
  *out = source ? make_template (bind, schema, pointer, source) : NULL;
  return source == NULL || *out != NULL;
}

static const char *
member (JsonObject *object, const char *name, const char *fallback)
{
  if (object != NULL && json_object_has_member (object, name))
    return json_object_get_string_member (object, name);
  return fallback;
}

static gboolean
add_variant (Plan *plan, FrBind *bind, JsonObject *object, guint i)
{
  const Config *c = plan->config;
  Variant v = { NULL };
  g_autofree char *in = object ? g_strdup_printf ("/variants/%u/input", i) : g_strdup ("/input");
  g_autofree char *out = object ? g_strdup_printf ("/variants/%u/output", i) : g_strdup ("/output");
  g_autofree char *sys = object ? g_strdup_printf ("/variants/%u/system", i) : g_strdup ("/system");
  gboolean own = object && json_object_has_member (object, "input");
  gboolean own_out = object && json_object_has_member (object, "output");
  gboolean own_sys = object && json_object_has_member (object, "system");
  gboolean ok;

  ok = optional_template (bind, plan->in, own ? in : "/input", member (object, "input", c->input),
                          &v.input);
  ok &= optional_template (bind, plan->in, own_out ? out : "/output",
                           member (object, "output", c->output), &v.output);
  ok &= optional_template (bind, plan->in, own_sys ? sys : "/system",
                           member (object, "system", c->system), &v.system);
  plan->has_system |= v.system != NULL;
  g_array_append_val (plan->variants, v);
  return ok;
}

static gboolean
add_templates (Plan *plan, FrBind *bind)
{
  const Config *c = plan->config;
  JsonArray *list = c->variants ? json_node_get_array (c->variants) : NULL;
  guint n = list ? json_array_get_length (list) : 0;
  gboolean ok = TRUE;

  for (guint i = 0; i < n; i++)
    ok &= add_variant (plan, bind, json_array_get_object_element (list, i), i);
  if (n == 0)
    ok &= add_variant (plan, bind, NULL, 0);
  for (guint i = 0; c->history != NULL && c->history[i] != NULL; i++)
    {
      g_autofree char *pointer = g_strdup_printf ("/history/%u", i);
      TextTemplate *tmpl = make_template (bind, plan->in, pointer, c->history[i]);

      ok &= tmpl != NULL;
      if (tmpl != NULL)
        g_ptr_array_add (plan->history, tmpl);
    }
  return ok;
}

static gboolean
is_text (const FrSchema *schema, int i)
{
  FrType type = i < 0 ? 0 : fr_field_type (fr_schema_field (schema, (guint) i));

  return type == FR_TYPE_UTF8 || type == FR_TYPE_LARGE_UTF8;
}

static void
no_column (FrBind *bind, const FrSchema *schema, const char *pointer, const char *shape,
           const char *name, const char *type)
{
  g_auto (GStrv) names = fr_schema_names (schema);
  const char *near = fr_suggest (name, (const char *const *) names);
  g_autofree char *all = fr_schema_describe (schema);

  if (bind == NULL)
    return;
  fr_bind_problem (
      bind, pointer, "the shape '%s' needs a column '%s' (%s); the columns are: %s%s%s%s", shape,
      name, type, all, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static gboolean
find_alpaca (Plan *plan, FrBind *bind)
{
  plan->instruction = fr_schema_find (plan->in, "instruction");
  plan->alpaca_input = fr_schema_find (plan->in, "input");
  plan->answer = fr_schema_find (plan->in, "output");
  plan->system = fr_schema_find (plan->in, "system");
  plan->past = fr_schema_find (plan->in, "history");
  plan->alpaca_input = is_text (plan->in, plan->alpaca_input) ? plan->alpaca_input : -1;
  plan->system = is_text (plan->in, plan->system) ? plan->system : -1;
  if (plan->past >= 0 && !is_text (plan->in, plan->past))
    {
      const FrField *f = fr_schema_field (plan->in, (guint) plan->past);
      g_autofree char *type = fr_field_describe (f);

      if (fr_field_type (f) != FR_TYPE_LIST || fr_field_type (fr_field_child (f, 0)) != FR_TYPE_LIST
          || fr_field_type (fr_field_child (fr_field_child (f, 0), 0)) != FR_TYPE_UTF8)
        {
          if (bind != NULL)
            fr_bind_problem (bind, "/from_shape",
                             "column 'history' is %s; expected list<list<utf8>> or JSON text",
                             type);
          return FALSE;
        }
    }
  plan->has_system |= plan->system >= 0;
  plan->has_history |= plan->past >= 0;
  if (is_text (plan->in, plan->instruction) && is_text (plan->in, plan->answer))
    return TRUE;
  no_column (bind, plan->in, "/from_shape", "alpaca",
             is_text (plan->in, plan->instruction) ? "output" : "instruction", "text");
  return FALSE;
}

static int
struct_member (const FrField *item, const char *a, const char *b)
{
  for (guint i = 0; i < fr_field_n_children (item); i++)
    {
      const FrField *child = fr_field_child (item, i);

      if (fr_field_type (child) == FR_TYPE_UTF8
          && (strcmp (fr_field_name (child), a) == 0 || strcmp (fr_field_name (child), b) == 0))
        return (int) i;
    }
  return -1;
}

static gboolean
find_messages (Plan *plan, FrBind *bind)
{
  const Config *c = plan->config;
  const char *shape = c->from_shape == FROM_SHAREGPT ? "sharegpt" : "openai";
  const char *name = c->column                        ? c->column
                     : c->from_shape == FROM_SHAREGPT ? "conversations"
                                                      : "messages";
  int at = fr_schema_find (plan->in, name);
  int role = -1, content = -1;

  plan->system = fr_schema_find (plan->in, "system");
  plan->system = is_text (plan->in, plan->system) ? plan->system : -1;
  plan->has_system = plan->has_history = TRUE;
  plan->messages = (guint) MAX (at, 0);
  plan->messages_are_text = is_text (plan->in, at);
  if (plan->messages_are_text)
    return TRUE;
  if (at >= 0 && fr_field_type (fr_schema_field (plan->in, (guint) at)) == FR_TYPE_LIST)
    {
      const FrField *item = fr_field_child (fr_schema_field (plan->in, (guint) at), 0);

      role = struct_member (item, "role", "from");
      content = struct_member (item, "content", "value");
    }
  if (role < 0 || content < 0)
    {
      no_column (
          bind, plan->in, c->column ? "/column" : "/from_shape", shape, name,
          "list<struct<role: utf8, content: utf8>>, or with 'from' and 'value', or JSON text");
      return FALSE;
    }
  plan->role_member = (guint) role;
  plan->content_member = (guint) content;
  return TRUE;
}

static FrField *
history_field (void)
{
  return fr_field_new_list ("history",
                            fr_field_new_list ("item", fr_field_new ("item", FR_TYPE_UTF8)));
}

static FrField *
messages_field (void)
{
  FrField *members[]
      = { fr_field_new ("role", FR_TYPE_UTF8), fr_field_new ("content", FR_TYPE_UTF8) };

  return fr_field_new_list ("messages", fr_field_new_struct ("item", members, 2));
}

static gboolean
make_output (Plan *plan, FrBind *bind, GError **error)
{
  const Config *c = plan->config;
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();
  gboolean ok = TRUE;

  if (c->shape == TO_MESSAGES)
    g_ptr_array_add (fields, messages_field ());
  else
    {
      if (plan->has_system)
        g_ptr_array_add (fields, fr_field_new ("system", FR_TYPE_UTF8));
      g_ptr_array_add (fields, fr_field_new ("input", FR_TYPE_UTF8));
      g_ptr_array_add (fields, fr_field_new ("output", FR_TYPE_UTF8));
      if (plan->has_history)
        g_ptr_array_add (fields, history_field ());
    }
  plan->keep = g_new0 (guint, c->keep ? g_strv_length (c->keep) + 1 : 1);
  for (guint i = 0; c->keep != NULL && c->keep[i] != NULL; i++)
    {
      int at = fr_schema_find (plan->in, c->keep[i]);
      gboolean clash = FALSE;

      for (guint j = 0; j < fields->len; j++)
        clash |= strcmp (fr_field_name (fields->pdata[j]), c->keep[i]) == 0;
      if (clash && bind != NULL)
        {
          g_autofree char *pointer = g_strdup_printf ("/keep/%u", i);

          fr_bind_problem (bind, pointer,
                           "the record has a column '%s' already; rename it with transform.select "
                           "first, or leave it out",
                           c->keep[i]);
        }
      ok &= !clash && at >= 0;
      if (clash || at < 0)
        continue;
      plan->keep[plan->n_keep++] = (guint) at;
      g_ptr_array_add (fields, fr_field_ref (fr_schema_field (plan->in, (guint) at)));
    }
  plan->out = fr_schema_new ((FrField *const *) fields->pdata, fields->len, error);
  return ok && plan->out != NULL;
}

/* @bind NULL: the run opens.  NULL without an error: problems were told. */
static Plan *
plan_new (const Config *c, FrSchema *schema, FrBind *bind, GError **error)
{
  g_autoptr (Plan) plan = g_new0 (Plan, 1);
  gboolean ok;

  plan->config = c;
  plan->in = fr_schema_ref (schema);
  plan->variants = g_array_new (FALSE, FALSE, sizeof (Variant));
  g_array_set_clear_func (plan->variants, clear_variant);
  plan->history = g_ptr_array_new_with_free_func (free_template);
  plan->instruction = plan->alpaca_input = plan->answer = plan->system = plan->past = -1;
  plan->has_history = c->history != NULL && c->history[0] != NULL;
  ok = add_templates (plan, bind);
  if (c->from_shape == FROM_ALPACA)
    ok &= find_alpaca (plan, bind);
  else if (c->from_shape != FROM_COLUMNS)
    ok &= find_messages (plan, bind);
  ok &= make_output (plan, bind, error);
  return ok ? g_steal_pointer (&plan) : NULL;
}

/* ---- a row becomes a dialogue -------------------------------------------------- */

static Fault
render (Dialogue *d, TextRole role, const TextTemplate *tmpl, const FrView *views, gsize row,
        const char **missing)
{
  return text_turns_render (&d->said, role, tmpl, views, row, missing) ? FAULT_NONE : FAULT_EMPTY;
}

static void
add_cell (Dialogue *d, TextRole role, const FrView *view, gsize row)
{
  FrStr text = fr_view_str (view, row);

  text_turns_begin (&d->said, role);
  g_string_append_len (d->said.text, text.data ? text.data : "", (gssize) text.len);
  text_turns_end (&d->said);
}

static Fault
read_alpaca (const Plan *plan, Dialogue *d, const FrView *views, gsize row)
{
  Fault fault = FAULT_NONE;
  const FrView *extra = plan->alpaca_input >= 0 ? &views[plan->alpaca_input] : NULL;

  if (plan->past >= 0)
    fault = dialogue_add_history (d, &views[plan->past], row);
  if (fault != FAULT_NONE)
    return fault;
  text_turns_begin (&d->said, TEXT_ROLE_USER);
  if (!text_cell_is_empty (&views[plan->instruction], row))
    {
      FrStr text = fr_view_str (&views[plan->instruction], row);

      g_string_append_len (d->said.text, text.data, (gssize) text.len);
    }
  if (extra != NULL && !text_cell_is_empty (extra, row))
    {
      FrStr text = fr_view_str (extra, row);

      if (d->said.text->len > g_array_index (d->said.turns, TextTurn, d->said.turns->len - 1).start)
        g_string_append_c (d->said.text, '\n');
      g_string_append_len (d->said.text, text.data, (gssize) text.len);
    }
  text_turns_end (&d->said);
  add_cell (d, TEXT_ROLE_ASSISTANT, &views[plan->answer], row);
  return FAULT_NONE;
}

static Fault
read_messages (const Plan *plan, Dialogue *d, const FrView *views, gsize row)
{
  const FrView *view = &views[plan->messages];

  if (fr_view_is_null (view, row))
    return FAULT_SHAPE;
  if (plan->messages_are_text)
    return dialogue_add_json (d, plan->config->roles, fr_view_str (view, row));
  return dialogue_add_list (d, plan->config->roles, view, row, plan->role_member,
                            plan->content_member);
}

/* The system text: the row's own, else the template's; an empty one is none. */
static void
add_system (const Plan *plan, const Variant *v, Dialogue *d, const FrView *views, gsize row)
{
  if (d->said.turns->len > 0 && g_array_index (d->said.turns, TextTurn, 0).role == TEXT_ROLE_SYSTEM)
    return;
  if (plan->system >= 0 && !text_cell_is_empty (&views[plan->system], row))
    {
      add_cell (d, TEXT_ROLE_SYSTEM, &views[plan->system], row);
      text_turns_put_first (&d->said);
    }
  else if (v->system != NULL)
    text_turns_system (&d->said, v->system, views, row);
}

static Fault
read_row (const Plan *plan, const Variant *v, Dialogue *d, const FrView *views, gsize row,
          const char **missing)
{
  Fault fault = FAULT_NONE;

  text_turns_reset (&d->said);
  *missing = NULL;
  switch (plan->config->from_shape)
    {
    case FROM_ALPACA:
      fault = read_alpaca (plan, d, views, row);
      break;
    case FROM_COLUMNS:
      if (!text_turns_history (&d->said, plan->history, views, row, missing))
        fault = FAULT_EMPTY;
      if (fault == FAULT_NONE)
        fault = render (d, TEXT_ROLE_USER, v->input, views, row, missing);
      if (fault == FAULT_NONE)
        fault = render (d, TEXT_ROLE_ASSISTANT, v->output, views, row, missing);
      break;
    default:
      fault = read_messages (plan, d, views, row);
    }
  if (fault != FAULT_NONE)
    return fault;
  add_system (plan, v, d, views, row);
  return dialogue_check (d);
}

/* ---- a dialogue becomes a record ------------------------------------------------ */

static void
put (FrCells *cells, FrStr text)
{
  fr_cells_append_str (cells, text.data, text.len);
}

static void
write_messages (const Dialogue *d, FrCells *cells)
{
  FrCells *item = fr_cells_child (cells, 0);

  for (guint i = 0; i < d->said.turns->len; i++)
    {
      const TextTurn *turn = &g_array_index (d->said.turns, TextTurn, i);

      const char *word = text_role_word (turn->role);

      fr_cells_append_str (fr_cells_child (item, 0), word, strlen (word));
      put (fr_cells_child (item, 1), text_turns_text (&d->said, turn));
      fr_cells_end (item);
    }
  fr_cells_end (cells);
}

/* The turns from @first to before @last as pairs of question and answer. */
static void
write_history (const Dialogue *d, FrCells *cells, guint first, guint last)
{
  FrCells *pair = fr_cells_child (cells, 0);

  if (first == last)
    {
      fr_cells_append_null (cells);
      return;
    }
  for (guint i = first; i < last; i += 2)
    {
      put (fr_cells_child (pair, 0),
           text_turns_text (&d->said, &g_array_index (d->said.turns, TextTurn, i)));
      put (fr_cells_child (pair, 0),
           text_turns_text (&d->said, &g_array_index (d->said.turns, TextTurn, i + 1)));
      fr_cells_end (pair);
    }
  fr_cells_end (cells);
}

/* One record that answers with turn @answer. */
static void
write_record (const Plan *plan, const Dialogue *d, guint answer, FrBuilder *builder,
              const FrView *views, gsize row, FrRowId id)
{
  const TextTurn *turns = (const TextTurn *) (gpointer) d->said.turns->data;
  guint first = turns[0].role == TEXT_ROLE_SYSTEM;
  guint column = 0;

  if (plan->config->shape == TO_MESSAGES)
    write_messages (d, fr_builder_cells (builder, column++));
  else
    {
      if (plan->has_system)
        put (fr_builder_cells (builder, column++),
             first ? text_turns_text (&d->said, &turns[0]) : (FrStr){ NULL, 0 });
      put (fr_builder_cells (builder, column++), text_turns_text (&d->said, &turns[answer - 1]));
      put (fr_builder_cells (builder, column++), text_turns_text (&d->said, &turns[answer]));
      if (plan->has_history)
        write_history (d, fr_builder_cells (builder, column++), first, answer - 1);
    }
  for (guint i = 0; i < plan->n_keep; i++)
    fr_cells_append_from (fr_builder_cells (builder, column++), &views[plan->keep[i]], row);
  fr_builder_end_row (builder, id);
}

static void
reject (const Plan *plan, FrHost *host, const FrBatch *batch, gsize row, const Dialogue *d,
        Fault fault, const char *missing)
{
  switch (fault)
    {
    case FAULT_ROLE:
      fr_host_reject (
          host, batch, row, "role",
          "'%s' is not a role; expected user, assistant or system, or a name from 'roles'",
          d->role_seen);
      break;
    case FAULT_ALTERNATION:
      fr_host_reject (host, batch, row, "alternation",
                      "%u turns that do not alternate between user and assistant, beginning with "
                      "the user and ending with the assistant",
                      d->said.turns->len);
      break;
    case FAULT_SHAPE:
      fr_host_reject (host, batch, row, "shape", "column '%s' does not hold a list of messages",
                      fr_field_name (fr_schema_field (plan->in, plan->past >= 0 ? (guint) plan->past
                                                                                : plan->messages)));
      break;
    default:
      if (missing != NULL)
        fr_host_reject (
            host, batch, row, "empty_field",
            "column '%s' is empty, and the template has neither a default nor a section for it",
            missing);
      else
        fr_host_reject (host, batch, row, "empty_field", "a question or an answer is empty");
    }
}

typedef struct
{
  FrBuilder *builder;
  Dialogue dialogue;
} Local;

/* The records that dialogue @d makes; returns how many there are now. */
static guint
write_records (const Plan *plan, Local *local, const FrView *views, gsize row, FrRowId id,
               gboolean many, guint child)
{
  const Dialogue *d = &local->dialogue;
  guint answer = d->said.turns->len - 1;

  if (plan->config->turns == TURNS_EACH)
    answer = (g_array_index (d->said.turns, TextTurn, 0).role == TEXT_ROLE_SYSTEM) + 1;
  for (; answer < d->said.turns->len; answer += 2)
    {
      child++;
      write_record (plan, d, answer, local->builder, views, row,
                    many ? fr_row_id_child (id, child) : id);
    }
  return child;
}

/* The records of a row.  A variant that cannot be made is left out and
 * counted; a row of which none can be made is rejected. */
static void
format_row (const Plan *plan, FrHost *host, Local *local, const FrBatch *batch, const FrView *views,
            gsize row)
{
  const Config *c = plan->config;
  FrRowId id = fr_batch_ids (batch)[row];
  guint n = plan->variants->len, from = 0, to = n, made = 0, failed = 0;
  gboolean many = (c->choose == CHOOSE_ALL && n > 1) || c->turns == TURNS_EACH;

  if (c->choose == CHOOSE_ONE)
    {
      from = (guint) (fr_host_random (host, id, 1) % n);
      to = from + 1;
    }
  for (guint i = from; i < to; i++)
    {
      const Variant *variant = &g_array_index (plan->variants, Variant, i);
      const char *missing;
      Fault fault = read_row (plan, variant, &local->dialogue, views, row, &missing);

      if (fault == FAULT_NONE)
        {
          made = write_records (plan, local, views, row, id, many, made);
          continue;
        }
      failed++;
      if (made == 0 && i + 1 == to)
        reject (plan, host, batch, row, &local->dialogue, fault, missing);
    }
  if (made > 0 && failed > 0)
    fr_host_count (host, "variants_left_out", failed);
}

static FrFlow
format_map (FrHost *host, gpointer data, gpointer thread, FrBatch *taken, GError **error)
{
  const Plan *plan = data;
  Local *local = thread;
  g_autoptr (FrBatch) batch = taken;
  guint n = fr_batch_n_columns (batch);
  g_autofree FrView *views = g_new (FrView, MAX (n, 1));

  for (guint i = 0; i < n; i++)
    views[i] = fr_view (batch, i);
  for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
    {
      format_row (plan, host, local, batch, views, row);
      if (fr_builder_full (local->builder) || row + 1 == fr_batch_n_rows (batch))
        {
          FrBatch *out = fr_builder_finish (local->builder, error);
          FrFlow flow = out ? fr_host_push (host, "out", out, error) : FR_FLOW_ERROR;

          if (flow != FR_FLOW_OK)
            return flow;
        }
    }
  return FR_FLOW_OK;
}

/* ---- its life --------------------------------------------------------------------- */

static void
check_columns_shape (const Config *c, FrProblems *problems)
{
  JsonArray *list = c->variants ? json_node_get_array (c->variants) : NULL;
  guint n = list ? json_array_get_length (list) : 0;
  gboolean input = c->input != NULL, output = c->output != NULL;

  for (guint i = 0; i < n; i++)
    {
      JsonObject *o = json_array_get_object_element (list, i);

      if ((!input && !json_object_has_member (o, "input"))
          || (!output && !json_object_has_member (o, "output")))
        {
          g_autofree char *pointer = g_strdup_printf ("/variants/%u", i);

          fr_problems_add (problems, pointer,
                           "this variant has no %s; give it one, or one for all beside 'variants'",
                           input || json_object_has_member (o, "input") ? "output" : "input");
        }
    }
  if (n == 0 && !input)
    fr_problems_add (problems, "", "'input' is missing; it is the template of the question");
  if (n == 0 && !output)
    fr_problems_add (problems, "", "'output' is missing; it is the template of the answer");
}

static void
check_other_shape (const Config *c, FrProblems *problems)
{
  if (c->input != NULL)
    fr_problems_add (problems, "/input", "only the shape 'columns' takes templates of this kind");
  if (c->output != NULL)
    fr_problems_add (problems, "/output", "only the shape 'columns' takes templates of this kind");
  if (c->history != NULL && c->history[0] != NULL)
    fr_problems_add (problems, "/history", "only the shape 'columns' takes templates of this kind");
  if (c->variants != NULL)
    fr_problems_add (problems, "/variants",
                     "only the shape 'columns' takes templates of this kind");
}

static gboolean
format_configure (gpointer data, FrProblems *problems)
{
  Config *c = data;

  if (c->from_shape == FROM_COLUMNS)
    check_columns_shape (c, problems);
  else
    check_other_shape (c, problems);
  if (c->history != NULL && g_strv_length (c->history) % 2 != 0)
    fr_problems_add (problems, "/history",
                     "history is questions and answers in turn; the last answer is missing");
  if (c->column != NULL && c->from_shape != FROM_SHAREGPT && c->from_shape != FROM_OPENAI)
    fr_problems_add (problems, "/column",
                     "only the shapes 'sharegpt' and 'openai' have a column of messages");
  if (c->turns == TURNS_EACH && c->shape == TO_MESSAGES)
    fr_problems_add (problems, "/turns",
                     "'each' makes pairs; the shape 'messages' keeps a dialogue whole");
  for (const FrPair *pair = c->roles; pair != NULL && pair->key != NULL; pair++)
    if (dialogue_role (NULL, (FrStr){ pair->value, strlen (pair->value) }) == TEXT_ROLE_NONE)
      fr_problems_add (problems, "/roles", "'%s' is not a role; expected user, assistant or system",
                       pair->value);
  return TRUE;
}

static gboolean
format_bind (gconstpointer data, FrBind *bind, GError **error)
{
  g_autoptr (Plan) plan = plan_new (data, fr_bind_input (bind, "in"), bind, error);

  if (plan == NULL)
    return FALSE;
  fr_bind_output (bind, "out", fr_schema_ref (plan->out));
  return TRUE;
}

static gboolean
format_open (gconstpointer data, FrHost *host, gpointer *out, GError **error)
{
  *out = plan_new (data, fr_host_input (host, "in"), NULL, error);
  if (*out == NULL && error != NULL && *error == NULL)
    g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, "the columns are not those of the check");
  return *out != NULL;
}

static void
format_close (gpointer data)
{
  plan_free (data);
}

static gboolean
format_thread_begin (FrHost *host, gpointer data, gpointer *thread, GError **error)
{
  const Plan *plan = data;
  Local *local = g_new0 (Local, 1);

  (void) host;
  (void) error;
  local->builder = fr_builder_new (plan->out);
  dialogue_init (&local->dialogue);
  *thread = local;
  return TRUE;
}

static void
format_thread_end (gpointer data, gpointer thread)
{
  Local *local = thread;

  (void) data;
  fr_builder_free (local->builder);
  dialogue_clear (&local->dialogue);
  g_free (local);
}

/* ---- parameters --------------------------------------------------------------------- */

static const FrEnumValue *const from_words[]
    = { FR_ENUM ("columns", FROM_COLUMNS, "templates over columns: input, output, system, history"),
        FR_ENUM ("alpaca", FROM_ALPACA,
                 "columns instruction, input, output, and system and history where they are"),
        FR_ENUM ("sharegpt", FROM_SHAREGPT, "a column conversations of {from, value}"),
        FR_ENUM ("openai", FROM_OPENAI, "a column messages of {role, content}"), NULL };
static const FrEnumValue *const shape_words[]
    = { FR_ENUM ("pair", TO_PAIR,
                 "columns input and output, with system and history where there are such"),
        FR_ENUM ("messages", TO_MESSAGES, "a column messages of {role, content}"), NULL };
static const FrEnumValue *const choose_words[]
    = { FR_ENUM ("all", CHOOSE_ALL, "a record for each variant"),
        FR_ENUM ("one", CHOOSE_ONE, "one variant a row, drawn by the seed"), NULL };
static const FrEnumValue *const turns_words[]
    = { FR_ENUM ("last", TURNS_LAST,
                 "one pair a dialogue: its last answer, what came before as history"),
        FR_ENUM ("each", TURNS_EACH, "a pair for every answer of a dialogue"), NULL };

static const FrParam *const params[] = {
  FR_PARAM_ENUM ("from_shape", Config, from_shape, from_words, "the shape of the rows that come",
                 .def = "columns"),
  FR_PARAM_ENUM ("shape", Config, shape, shape_words, "the shape of the records that go",
                 .def = "pair"),
  FR_PARAM_STRING ("input", Config, input, "template of the question",
                   .example = "\"Write a line about {name}[[, for {audience}]].\""),
  FR_PARAM_STRING ("output", Config, output, "template of the answer", .example = "\"{copy}\""),
  FR_PARAM_STRING ("system", Config, system,
                   "template of the system text, for rows that bring none"),
  FR_PARAM_STRINGS ("history", Config, history,
                    "templates of earlier questions and answers, in turn",
                    .example = "[\"{question_1}\", \"{answer_1}\"]"),
  FR_PARAM_JSON (
      "variants", Config, variants,
      "several ways to make a record; what one lacks it takes from input, output and system",
      .schema = "{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"object\","
                "\"additionalProperties\":false,"
                "\"properties\":{\"input\":{\"type\":\"string\"},\"output\":{\"type\":\"string\"},"
                "\"system\":{\"type\":\"string\"}}}}",
      .example = "[{\"input\": \"Describe {name}.\"}, {\"input\": \"What is {name}?\"}]"),
  FR_PARAM_ENUM ("choose", Config, choose, choose_words, "which variants a row gets", .def = "all"),
  FR_PARAM_COLUMN ("column", Config, column, FR_TYPES_ANY,
                   "the column of messages; absent: conversations (sharegpt) or messages (openai)"),
  FR_PARAM_MAP ("roles", Config, roles, "names of roles in the data, and what they mean",
                .example = "{\"usr\": \"user\", \"sys\": \"assistant\"}"),
  FR_PARAM_ENUM ("turns", Config, turns, turns_words, "how a dialogue becomes pairs",
                 .def = "last"),
  FR_PARAM_COLUMNS ("keep", Config, keep, FR_TYPES_ANY, "columns that the record carries along",
                    .example = "[\"product\", \"category\"]"),
  NULL
};

#include "details.h"

static const FrElement element = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_TRANSFORM,
  .name = "transform.format",
  .revision = 1,
  .flags = FR_ELEMENT_PARALLEL | FR_ELEMENT_UNTRUSTED,
  .summary = "make training records from columns or other record shapes",
  .details = details,
  .example = "{\"input\": \"Write a line about {name}.\", \"output\": \"{copy}\"}",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = fr_ports_in,
  .outputs = fr_ports_out,
  .configure = format_configure,
  .bind = format_bind,
  .open = format_open,
  .thread_begin = format_thread_begin,
  .map = format_map,
  .thread_end = format_thread_end,
  .close = format_close,
};

FR_PLUGIN ("format", PACKAGE_VERSION, "training records from rows", "Apache-2.0", "flowrun",
           &element)
