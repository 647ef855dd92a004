/* SPDX-License-Identifier: Apache-2.0 */
/* bind.c: settling schemas, in the order of the rows.
 *
 * For each stage: what its inputs bring, whether that fits its ports and
 * column parameters, then the element's own bind.  A stage with problems is
 * not bound, and what comes after it is skipped in silence: its columns are
 * not known.
 */
#include "config.h"

#include <string.h>

#include "pipeline/pipeline-private.h"

struct _FrBind
{
  FriStage *stage;
  gboolean check;
  FrProblems *problems;
  GHashTable *stated; /* set of output ports that were stated */
  guint n_problems;
};

/* ---- what elements call ------------------------------------------------------------ */

gboolean
fr_bind_is_check (const FrBind *bind)
{
  return bind->check;
}

gboolean
fr_bind_is_network_denied (const FrBind *bind)
{
  return bind->stage->network_denied;
}

FrSchema *
fr_bind_input (const FrBind *bind, const char *port)
{
  return g_hash_table_lookup (bind->stage->in_schemas, port);
}

gboolean
fr_bind_has_input (const FrBind *bind, const char *port)
{
  const GPtrArray *links = bind->stage->inputs;

  for (guint i = 0; i < links->len; i++)
    if (strcmp (((const FriLink *) links->pdata[i])->to_port, port) == 0)
      return TRUE;
  return g_hash_table_contains (bind->stage->in_schemas, port)
         || g_hash_table_contains (bind->stage->in_objects, port);
}

gboolean
fr_bind_is_connected (const FrBind *bind, const char *port)
{
  return g_hash_table_contains (bind->stage->connected, port);
}

void
fr_bind_output (FrBind *bind, const char *port, FrSchema *schema)
{
  const FrPort *output = fri_find_port (bind->stage->element->outputs, port);

  if (output == NULL || output->kind != FR_PORT_RECORDS)
    {
      bind->n_problems++;
      fr_problems_add (bind->problems, "",
                       "%s states columns for '%s', which is no output of records of it: a mistake "
                       "in the plugin",
                       bind->stage->element->name, port);
      g_clear_pointer (&schema, fr_schema_unref);
      return;
    }
  g_hash_table_add (bind->stated, g_strdup (port));
  if (schema != NULL)
    g_hash_table_replace (bind->stage->out_schemas, g_strdup (port), schema);
  else
    g_hash_table_remove (bind->stage->out_schemas, port);
}

void
fr_bind_output_object (FrBind *bind, const char *port, FrObject *object)
{
  const FrPort *output = fri_find_port (bind->stage->element->outputs, port);

  if (output == NULL || output->kind == FR_PORT_RECORDS
      || (object != NULL && output->object != NULL && !fr_object_is (object, output->object->name)))
    {
      bind->n_problems++;
      fr_problems_add (bind->problems, "",
                       "%s states an object for '%s', which is no output of such objects of it: a "
                       "mistake in the plugin",
                       bind->stage->element->name, port);
    }
  else if (object != NULL)
    g_hash_table_replace (bind->stage->out_objects, g_strdup (port), fr_object_ref (object));
  else
    g_hash_table_remove (bind->stage->out_objects, port);
}

FrObject *
fr_bind_input_object (const FrBind *bind, const char *port)
{
  return g_hash_table_lookup (bind->stage->in_objects, port);
}

void
fr_bind_problem (FrBind *bind, const char *pointer, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  bind->n_problems++;
  fri_problems_add_in_scope (bind->problems, FALSE, FALSE, pointer, "%s", message);
}

void
fr_bind_warn (FrBind *bind, const char *pointer, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  fri_problems_add_in_scope (bind->problems, TRUE, FALSE, pointer, "%s", message);
}

/* ---- one stage ---------------------------------------------------------------------------- */

/* The first input of records that is connected, by the order of ports. */
static const FrPort *
first_records (const FriStage *stage)
{
  const FrPort *const *inputs = stage->element->inputs;

  for (guint i = 0; inputs != NULL && inputs[i] != NULL; i++)
    if (inputs[i]->kind == FR_PORT_RECORDS
        && g_hash_table_contains (stage->in_schemas, inputs[i]->name))
      return inputs[i];
  return NULL;
}

/* "goods.out" for messages: who feeds @port. */
static char *
feeder (const FriStage *stage, const char *port)
{
  for (guint i = 0; i < stage->inputs->len; i++)
    {
      const FriLink *link = stage->inputs->pdata[i];

      if (strcmp (link->to_port, port) == 0)
        return g_strdup_printf ("'%s.%s'", link->from->id, link->port);
    }
  return g_strdup_printf ("the input '%s'", port);
}

static const char *
feeder_pointer (const FriStage *stage, const char *port)
{
  for (guint i = 0; i < stage->inputs->len; i++)
    if (strcmp (((FriLink *) stage->inputs->pdata[i])->to_port, port) == 0)
      return ((FriLink *) stage->inputs->pdata[i])->pointer;
  return "";
}

static char *
missing_column (const FriStage *stage, const FrPort *port, FrSchema *schema, const char *name)
{
  g_auto (GStrv) names = fr_schema_names (schema);
  const char *near = fr_suggest (name, (const char *const *) names);
  g_autofree char *brings = fr_schema_describe (schema);
  g_autofree char *who = feeder (stage, port->name);

  /* A table of hundreds of columns does not help. */
  if (strlen (brings) > 410)
    {
      char *cut = g_utf8_find_prev_char (brings, brings + 400);

      strcpy (cut, "...");
    }
  if (near != NULL)
    return g_strdup_printf ("there is no column '%s' (did you mean '%s'?) in %s (%s)", name, near,
                            who, brings);
  return g_strdup_printf ("there is no column '%s' in %s (%s)", name, who,
                          *brings ? brings : "no columns");
}

static gboolean
has_type (const FrField *field, guint types)
{
  return types == FR_TYPES_ANY || (types & FR_TYPES (fr_field_type (field)));
}

static gboolean
check_column (const FriStage *stage, const FrPort *port, FrSchema *schema, const char *pointer,
              const char *name, const FrParam *row, FrProblems *problems)
{
  int i = fr_schema_find (schema, name);
  g_autofree char *message = NULL;

  if (i < 0)
    message = missing_column (stage, port, schema, name);
  else if (!has_type (fr_schema_field (schema, (guint) i), row->types))
    {
      g_autofree char *who = feeder (stage, port->name);
      g_autofree char *is = fr_field_describe (fr_schema_field (schema, (guint) i));
      g_autofree char *needs = fr_types_describe (row->types);

      message = g_strdup_printf ("the column '%s' of %s is %s; '%s' takes %s", name, who, is,
                                 row->key, needs);
    }
  if (message != NULL)
    fr_problems_add (problems, pointer, "%s", message);
  return message == NULL;
}

static gboolean
check_columns (const FriStage *stage, const FrPort *port, FrProblems *problems)
{
  const FrElement *element = stage->element;
  FrSchema *schema = g_hash_table_lookup (stage->in_schemas, port->name);
  gboolean ok = TRUE;

  for (guint i = 0; element->params != NULL && element->params[i] != NULL; i++)
    {
      const FrParam *row = element->params[i];
      const void *field = (const char *) stage->config + row->offset;
      g_autofree char *at = fri_pointer ("", row->key);

      if (row->type == FR_PARAM_TYPE_COLUMN && *(char *const *) field != NULL)
        ok &= check_column (stage, port, schema, at, *(char *const *) field, row, problems);
      else if (row->type == FR_PARAM_TYPE_COLUMNS && *(char **const *) field != NULL)
        {
          char *const *names = *(char **const *) field;
          JsonNode *with
              = stage->with ? json_object_get_member (json_node_get_object (stage->with), row->key)
                            : NULL;
          gboolean list = with != NULL && JSON_NODE_HOLDS_ARRAY (with);

          for (guint k = 0; names[k] != NULL; k++)
            {
              g_autofree char *item = list ? g_strdup_printf ("%s/%u", at, k) : g_strdup (at);

              ok &= check_column (stage, port, schema, item, names[k], row, problems);
            }
        }
    }
  return ok;
}

static gboolean
check_needs (const FriStage *stage, const FrPort *port, FrProblems *problems)
{
  FrSchema *schema = g_hash_table_lookup (stage->in_schemas, port->name);
  gboolean ok = TRUE;

  for (guint i = 0; schema != NULL && port->needs != NULL && port->needs[i] != NULL; i++)
    {
      const FrNeed *need = port->needs[i];
      int column = fr_schema_find (schema, need->name);
      g_autofree char *who = feeder (stage, port->name);
      g_autofree char *message = NULL;

      if (column < 0)
        {
          g_autofree char *missing = missing_column (stage, port, schema, need->name);

          message = g_strdup_printf ("%s, which the input '%s' of '%s' (%s) needs", missing,
                                     port->name, stage->id, stage->element->name);
        }
      else if (!has_type (fr_schema_field (schema, (guint) column), need->types))
        {
          g_autofree char *is = fr_field_describe (fr_schema_field (schema, (guint) column));
          g_autofree char *types = fr_types_describe (need->types);

          message = g_strdup_printf (
              "the column '%s' of %s is %s; the input '%s' of '%s' (%s) needs %s", need->name, who,
              is, port->name, stage->id, stage->element->name, types);
        }
      if (message == NULL)
        continue;
      ok = FALSE;
      fri_problems_add_at (problems, FALSE, stage->id, feeder_pointer (stage, port->name), "%s",
                           message);
    }
  return ok;
}

FrSchema *
fri_stage_rejects_schema (FriStage *stage)
{
  const FrPort *port = first_records (stage);
  g_autoptr (FrSchema) schema = NULL;
  static const char *const names[] = { "reject_rule", "reject_reason" };

  if (port == NULL)
    return fr_schema_new_simple ("where", FR_TYPE_UTF8, "raw", FR_TYPE_UTF8, "reject_rule",
                                 FR_TYPE_UTF8, "reject_reason", FR_TYPE_UTF8, NULL);
  schema = fr_schema_ref (g_hash_table_lookup (stage->in_schemas, port->name));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GString) name = g_string_new (names[i]);
      FrSchema *wider;

      while (fr_schema_find (schema, name->str) >= 0)
        g_string_append_c (name, '_');
      wider = fr_schema_with (schema, fr_field_new (name->str, FR_TYPE_UTF8));
      fr_schema_unref (schema);
      schema = wider;
    }
  return g_steal_pointer (&schema);
}

/* The element's own bind; then every output of records must have columns, but
 * in a check, where an element may have to connect to know. */
static gboolean
call_bind (FriStage *stage, FrBind *bind)
{
  const FrElement *element = stage->element;
  const FrPort *first = first_records (stage);
  g_autoptr (GError) error = NULL;

  stage->bind_error = 0;
  if (element->bind != NULL && !element->bind (stage->config, bind, &error)
      && (error != NULL || bind->n_problems == 0))
    {
      stage->bind_error = error != NULL ? error->code : FR_ERROR_INTERNAL;
      fr_problems_add (bind->problems, "", "%s",
                       error ? error->message
                             : "the element refuses its inputs without saying why");
      return FALSE;
    }
  if (bind->n_problems > 0)
    return FALSE;
  for (guint i = 0; element->outputs != NULL && element->outputs[i] != NULL; i++)
    {
      const FrPort *port = element->outputs[i];

      if (port->kind != FR_PORT_RECORDS)
        continue;
      if (!g_hash_table_contains (bind->stated, port->name) && first != NULL)
        g_hash_table_replace (stage->out_schemas, g_strdup (port->name),
                              fr_schema_ref (g_hash_table_lookup (stage->in_schemas, first->name)));
      else if (!g_hash_table_contains (stage->out_schemas, port->name)
               && !(bind->check && g_hash_table_contains (bind->stated, port->name)))
        {
          fr_problems_add (bind->problems, "",
                           "%s does not state the columns of its output '%s': a mistake in the "
                           "plugin",
                           element->name, port->name);
          return FALSE;
        }
    }
  g_hash_table_replace (stage->out_schemas, g_strdup ("rejects"), fri_stage_rejects_schema (stage));
  return TRUE;
}

gboolean
fri_stage_bind (FriStage *stage, gboolean check, FrProblems *problems)
{
  g_autofree char *base = fri_pointer ("/stages", stage->id);
  g_autofree char *scope = g_strconcat (base, "/with", NULL);
  g_autoptr (GHashTable) stated = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  FrBind bind = { stage, check, problems, stated, 0 };
  const FrPort *first = first_records (stage);
  gboolean ok = TRUE;

  g_hash_table_remove_all (stage->out_schemas);
  g_hash_table_remove_all (stage->out_objects);
  fri_problems_set_scope (problems, stage->id, scope);
  for (guint i = 0; stage->element->inputs != NULL && stage->element->inputs[i] != NULL; i++)
    ok &= check_needs (stage, stage->element->inputs[i], problems);
  if (first != NULL)
    ok &= check_columns (stage, first, problems);
  stage->bound = ok && call_bind (stage, &bind);
  fri_problems_set_scope (problems, NULL, NULL);
  return stage->bound;
}

/* ---- the pipeline -------------------------------------------------------------------------- */

static char *
difference (FrSchema *a, FrSchema *b, const char *name_a, const char *name_b)
{
  for (guint i = 0; i < fr_schema_n_fields (a); i++)
    {
      FrField *field = fr_schema_field (a, i);
      int k = fr_schema_find (b, fr_field_name (field));
      g_autofree char *type_a = NULL, *type_b = NULL;

      if (k < 0)
        return g_strdup_printf ("only '%s' has the column '%s'", name_a, fr_field_name (field));
      if (fr_field_equal (field, fr_schema_field (b, (guint) k)))
        continue;
      type_a = fr_field_describe (field);
      type_b = fr_field_describe (fr_schema_field (b, (guint) k));
      return g_strdup_printf ("the column '%s' is %s in '%s' and %s in '%s'", fr_field_name (field),
                              type_a, name_a, type_b, name_b);
    }
  for (guint i = 0; i < fr_schema_n_fields (b); i++)
    if (fr_schema_find (a, fr_field_name (fr_schema_field (b, i))) < 0)
      return g_strdup_printf ("only '%s' has the column '%s'", name_b,
                              fr_field_name (fr_schema_field (b, i)));
  return g_strdup ("the same columns stand in another order");
}

/* Puts what @link brings into the stage's inputs; FALSE when it does not go
 * with what another link already brought to the same port. */
static gboolean
take_input (FriStage *stage, const FriLink *link, FrProblems *problems)
{
  FrSchema *brings = g_hash_table_lookup (link->from->out_schemas, link->port);
  FrSchema *before = g_hash_table_lookup (stage->in_schemas, link->to_port);
  FrObject *object = g_hash_table_lookup (link->from->out_objects, link->port);
  g_autofree char *first = NULL, *second = NULL, *what = NULL;

  if (object != NULL)
    g_hash_table_replace (stage->in_objects, g_strdup (link->to_port), fr_object_ref (object));
  if (brings == NULL)
    return TRUE;
  if (before == NULL)
    {
      g_hash_table_replace (stage->in_schemas, g_strdup (link->to_port), fr_schema_ref (brings));
      return TRUE;
    }
  if (fr_schema_equal (before, brings))
    return TRUE;
  for (guint i = 0; first == NULL; i++)
    {
      const FriLink *other = stage->inputs->pdata[i];

      if (strcmp (other->to_port, link->to_port) == 0)
        first = g_strdup_printf ("%s.%s", other->from->id, other->port);
    }
  second = g_strdup_printf ("%s.%s", link->from->id, link->port);
  what = difference (before, brings, first, second);
  fri_problems_add_at (problems, FALSE, stage->id, link->pointer,
                       "'%s' joins '%s' and '%s', which must have the same columns: %s; "
                       "transform.select can make them equal",
                       stage->id, first, second, what);
  return FALSE;
}

/* Where columns are not known because of whom; key and value: FriStage *. */
typedef struct
{
  GHashTable *because;
  GPtrArray *origins;
} Unknown;

static gboolean
gives_records (const FriStage *stage, const char *port)
{
  const FrPort *output = fri_find_port (stage->element->outputs, port);

  return output == NULL || output->kind == FR_PORT_RECORDS;
}

/* FALSE when an input is not known: silently when its stage has problems,
 * noted when its columns will be known only in the run. */
static gboolean
take_inputs (FriStage *stage, gboolean check, FrProblems *problems, Unknown *unknown)
{
  gboolean ok = TRUE;

  g_hash_table_remove_all (stage->in_schemas);
  g_hash_table_remove_all (stage->in_objects);
  for (guint i = 0; i < stage->inputs->len; i++)
    {
      const FriLink *link = stage->inputs->pdata[i];
      FriStage *origin = g_hash_table_lookup (unknown->because, link->from);

      if (origin == NULL && link->from->bound && check && gives_records (link->from, link->port)
          && !g_hash_table_contains (link->from->out_schemas, link->port))
        {
          origin = link->from;
          if (!g_ptr_array_find (unknown->origins, origin, NULL))
            g_ptr_array_add (unknown->origins, origin);
        }
      if (origin != NULL)
        g_hash_table_insert (unknown->because, stage, origin);
      if (origin != NULL || !link->from->bound)
        ok = FALSE;
    }
  for (guint i = 0; ok && i < stage->inputs->len; i++)
    ok = take_input (stage, stage->inputs->pdata[i], problems);
  return ok;
}

static void
note_unknown (FriPipeline *pipeline, FrProblems *problems, Unknown *unknown)
{
  for (guint i = 0; i < unknown->origins->len; i++)
    {
      FriStage *origin = unknown->origins->pdata[i];
      g_autoptr (GString) names = g_string_new (NULL);
      g_autofree char *pointer = fri_pointer ("/stages", origin->id);

      for (guint k = 0; k < pipeline->stages->len; k++)
        {
          FriStage *stage = pipeline->stages->pdata[k];

          if (g_hash_table_lookup (unknown->because, stage) == origin)
            g_string_append_printf (names, "%s'%s'", names->len ? ", " : "", stage->id);
        }
      fri_problems_add_key (problems, TRUE, origin->id, pointer,
                            "the columns that '%s' gives are known only when it runs, so they "
                            "could not be checked against %s",
                            origin->id, names->str);
    }
}

gboolean
fri_pipeline_bind (FriPipeline *pipeline, gboolean check, FrProblems *problems)
{
  g_autoptr (GHashTable) because = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) origins = g_ptr_array_new ();
  Unknown unknown = { because, origins };

  if (!fri_problems_has_locator (problems))
    fri_problems_set_locator (problems, fri_places_locate, g_hash_table_ref (pipeline->places),
                              (GDestroyNotify) g_hash_table_unref);
  for (guint i = 0; i < pipeline->stages->len; i++)
    {
      FriStage *stage = pipeline->stages->pdata[i];

      stage->bound = FALSE;
      if (stage->sound && take_inputs (stage, check, problems, &unknown))
        fri_stage_bind (stage, check, problems);
    }
  note_unknown (pipeline, problems, &unknown);
  return fri_problems_n_errors (problems) == 0;
}
