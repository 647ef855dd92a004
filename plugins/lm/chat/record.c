/* SPDX-License-Identifier: Apache-2.0 */
/* record.c: a row as messages: columns input, output, system, history; or one column messages. */
#include "config.h"

#include <string.h>

#include "lm/chat.h"

struct _LmRecord
{
  gboolean need_answer;
  int messages;                       /* column; -1: the other shape */
  int input, output, system, history; /* -1: none */
  FrField *field;                     /* of messages or history; NULL: neither */
};

/* ---- columns ---------------------------------------------------------------------------------- */

static gboolean
is_text (const FrSchema *schema, int column)
{
  FrType type = fr_field_type (fr_schema_field (schema, (guint) column));

  return type == FR_TYPE_UTF8 || type == FR_TYPE_LARGE_UTF8;
}

/* A column of text called @name, or -1; FALSE when it is of another type. */
static gboolean
find_text (const FrSchema *schema, const char *name, int *column, GError **error)
{
  g_autofree char *type = NULL;

  *column = fr_schema_find (schema, name);
  if (*column < 0 || is_text (schema, *column))
    return TRUE;
  type = fr_field_describe (fr_schema_field (schema, (guint) *column));
  g_set_error (error, FR_ERROR, FR_ERROR_TYPE, "column '%s' is %s; expected text", name, type);
  return FALSE;
}

/* The same for one that may also be a list. */
static gboolean
find_list (LmRecord *record, const FrSchema *schema, const char *name, int *column, GError **error)
{
  g_autofree char *type = NULL;
  FrField *field;

  *column = fr_schema_find (schema, name);
  if (*column < 0)
    return TRUE;
  field = fr_schema_field (schema, (guint) *column);
  if (is_text (schema, *column) || fr_field_type (field) == FR_TYPE_LIST)
    {
      record->field = fr_field_ref (field);
      return TRUE;
    }
  type = fr_field_describe (field);
  g_set_error (error, FR_ERROR, FR_ERROR_TYPE, "column '%s' is %s; expected a list or JSON text", name, type);
  return FALSE;
}

static void
set_no_shape (const FrSchema *schema, gboolean need_answer, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", fr_field_name (fr_schema_field (schema, i)));
  g_set_error (error, FR_ERROR, FR_ERROR_TYPE,
               "expected a column 'messages', or %s; the columns are: %s; transform.format makes either",
               need_answer ? "columns 'input' and 'output'" : "a column 'input'", names->str);
}

LmRecord *
lm_record_new (const FrSchema *schema, gboolean need_answer, GError **error)
{
  g_autoptr (LmRecord) record = g_new0 (LmRecord, 1);

  record->need_answer = need_answer;
  record->input = record->output = record->system = record->history = -1;
  if (!find_list (record, schema, "messages", &record->messages, error))
    return NULL;
  if (record->messages >= 0)
    return g_steal_pointer (&record);
  if (!find_text (schema, "input", &record->input, error) || !find_text (schema, "output", &record->output, error)
      || !find_text (schema, "system", &record->system, error)
      || !find_list (record, schema, "history", &record->history, error))
    return NULL;
  if (record->input < 0 || (need_answer && record->output < 0))
    {
      set_no_shape (schema, need_answer, error);
      return NULL;
    }
  return g_steal_pointer (&record);
}

/* The schema as lm_record_new() should see it: @input names another column than "input". */
static FrSchema *
seen_schema (const FrSchema *schema, const char *input, GError **error)
{
  guint n = fr_schema_n_fields (schema);
  g_autofree FrField **fields = g_new (FrField *, n);

  for (guint i = 0; i < n; i++)
    {
      FrField *field = fr_schema_field (schema, i);
      const char *name = fr_field_name (field);

      if (g_str_equal (name, input))
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

LmRecord *
lm_record_new_named (const FrSchema *schema, const char *input, gboolean need_answer,
                     GError **error)
{
  g_autoptr (FrSchema) seen = NULL;

  if (input == NULL)
    return lm_record_new (schema, need_answer, error);
  seen = seen_schema (schema, input, error);
  return seen != NULL ? lm_record_new (seen, need_answer, error) : NULL;
}

void
lm_record_free (LmRecord *record)
{
  if (record == NULL)
    return;
  g_clear_pointer (&record->field, fr_field_unref);
  g_free (record);
}

/* ---- cells --------------------------------------------------------------------------------------- */

static char *
cell_text (const FrBatch *batch, int column, gsize row)
{
  FrView view;
  FrStr cell;

  if (column < 0)
    return NULL;
  view = fr_view (batch, (guint) column);
  cell = fr_view_str (&view, row);
  return cell.data != NULL ? g_strndup (cell.data, cell.len) : NULL;
}

static gboolean
is_blank (const char *text)
{
  return text == NULL || text[strspn (text, " \t\r\n")] == '\0';
}

/* A list, or text that holds one, as JSON; NULL without an error: the cell is null. */
static JsonNode *
cell_json (LmRecord *record, const FrBatch *batch, int column, gsize row, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) local = NULL;
  const char *name = fr_field_name (record->field);
  FrView view = fr_view (batch, (guint) column);
  JsonNode *node;

  if (fr_view_is_null (&view, row))
    return NULL;
  if (fr_field_type (record->field) == FR_TYPE_LIST)
    fr_view_append_json (&view, record->field, row, text);
  else
    {
      FrStr cell = fr_view_str (&view, row);

      g_string_append_len (text, cell.data, (gssize) cell.len);
    }
  if (is_blank (text->str))
    return NULL;
  node = json_from_string (text->str, &local);
  if (node != NULL && JSON_NODE_HOLDS_ARRAY (node))
    return node;
  g_clear_pointer (&node, json_node_unref);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "column '%s' holds no JSON array%s%s", name,
               local != NULL ? ": " : "", local != NULL ? local->message : "");
  return NULL;
}

static void
add_message (JsonArray *messages, const char *role, const char *content)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", role);
  json_object_set_string_member (message, "content", content);
  json_array_add_object_element (messages, message);
}

static const char *
string_of (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/* ---- the shape of columns ---------------------------------------------------------------------------- */

static gboolean
add_history (LmRecord *record, JsonArray *messages, const FrBatch *batch, gsize row, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonArray *pairs;

  if (record->history < 0)
    return TRUE;
  node = cell_json (record, batch, record->history, row, &local);
  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  pairs = node != NULL ? json_node_get_array (node) : NULL;
  for (guint i = 0; pairs != NULL && i < json_array_get_length (pairs); i++)
    {
      JsonNode *pair = json_array_get_element (pairs, i);
      JsonArray *two = JSON_NODE_HOLDS_ARRAY (pair) ? json_node_get_array (pair) : NULL;
      gboolean ok = two != NULL && json_array_get_length (two) == 2;
      const char *question = ok ? string_of (json_array_get_element (two, 0)) : NULL;
      const char *answer = ok ? string_of (json_array_get_element (two, 1)) : NULL;

      if (question == NULL || answer == NULL)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "item %u of column 'history' is not a question and an answer", i + 1);
          return FALSE;
        }
      add_message (messages, "user", question);
      add_message (messages, "assistant", answer);
    }
  return TRUE;
}

static JsonArray *
from_columns (LmRecord *record, const FrBatch *batch, gsize row, GError **error)
{
  g_autoptr (JsonArray) messages = json_array_new ();
  g_autofree char *system = cell_text (batch, record->system, row);
  g_autofree char *input = cell_text (batch, record->input, row);
  g_autofree char *output = record->need_answer ? cell_text (batch, record->output, row) : NULL;

  if (is_blank (input) || (record->need_answer && is_blank (output)))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "column '%s' is empty", is_blank (input) ? "input" : "output");
      return NULL;
    }
  if (!is_blank (system))
    add_message (messages, "system", system);
  if (!add_history (record, messages, batch, row, error))
    return NULL;
  add_message (messages, "user", input);
  if (record->need_answer)
    add_message (messages, "assistant", output);
  return g_steal_pointer (&messages);
}

/* ---- the shape of messages ------------------------------------------------------------------------------ */

/* A struct has all its members in every row: those that are null were not said.  "content": null is meant. */
static JsonObject *
without_nulls (JsonObject *message)
{
  JsonObject *out = json_object_new ();
  g_autoptr (GList) names = json_object_get_members (message);

  for (GList *l = names; l != NULL; l = l->next)
    {
      JsonNode *node = json_object_get_member (message, l->data);

      if (!JSON_NODE_HOLDS_NULL (node) || g_str_equal (l->data, "content"))
        json_object_set_member (out, l->data, json_node_copy (node));
    }
  return out;
}

static gboolean
is_answer (JsonObject *message)
{
  return g_strcmp0 (string_of (json_object_get_member (message, "role")), "assistant") == 0;
}

static JsonArray *
from_messages (LmRecord *record, const FrBatch *batch, gsize row, GError **error)
{
  g_autoptr (JsonArray) messages = json_array_new ();
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonNode) node = cell_json (record, batch, record->messages, row, &local);
  JsonArray *given = node != NULL ? json_node_get_array (node) : NULL;
  guint n = given != NULL ? json_array_get_length (given) : 0;
  JsonObject *last = NULL;

  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  for (guint i = 0; i < n; i++)
    {
      JsonNode *one = json_array_get_element (given, i);

      if (!JSON_NODE_HOLDS_OBJECT (one) || string_of (json_object_get_member (json_node_get_object (one), "role")) == NULL)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA, "message %u of column 'messages' has no role", i + 1);
          return NULL;
        }
      last = json_node_get_object (one);
      if (record->need_answer || i + 1 < n || !is_answer (last))
        json_array_add_object_element (messages, without_nulls (last));
    }
  if (json_array_get_length (messages) == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "column 'messages' has no message%s", n > 0 ? " before the answer" : "");
      return NULL;
    }
  if (record->need_answer && !is_answer (last))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "the last message is not the assistant's: there is no answer to be learned");
      return NULL;
    }
  return g_steal_pointer (&messages);
}

JsonArray *
lm_record_messages (LmRecord *record, const FrBatch *batch, gsize row, GError **error)
{
  return record->messages >= 0 ? from_messages (record, batch, row, error) : from_columns (record, batch, row, error);
}
