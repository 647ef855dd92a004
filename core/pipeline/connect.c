/* SPDX-License-Identifier: Apache-2.0 */
/* connect.c: who feeds whom.
 *
 * "from" is a stage, "stage.port", a list of those, or an object of those by
 * input port.  Links to or from a stage whose element is not known count for
 * the order but are not checked.
 */
#include "config.h"

#include <string.h>

#include "pipeline/pipeline-private.h"

/* One "from" being read. */
typedef struct
{
  FriLoad *load;
  FriStage *stage;
  gboolean ok;
} Reader;

static void wrong (Reader *reader, const char *pointer, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static void
wrong (Reader *reader, const char *pointer, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  fri_problems_add_at (reader->load->problems, FALSE, reader->stage->id, pointer, "%s", message);
  reader->ok = FALSE;
}

const FrPort *
fri_find_port (const FrPort *const *ports, const char *name)
{
  for (guint i = 0; ports != NULL && ports[i] != NULL; i++)
    if (strcmp (ports[i]->name, name) == 0)
      return ports[i];
  return NULL;
}

static GPtrArray *
port_names (const FrPort *const *ports, gboolean rejects)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; ports != NULL && ports[i] != NULL; i++)
    g_ptr_array_add (names, (gpointer) ports[i]->name);
  if (rejects)
    g_ptr_array_add (names, (gpointer) "rejects");
  g_ptr_array_add (names, NULL);
  return names;
}

static const char *
kind_words (FrPortKind kind)
{
  return kind == FR_PORT_RECORDS ? "records" : kind == FR_PORT_MODEL ? "a model" : "a report";
}

/* ---- one link ---------------------------------------------------------------------- */

/* Names of the outputs that may be connected, and NULL: those of the kind that
 * @to takes if there are any. */
static GPtrArray *
connectable (const FrPort *const *outputs, const FrPort *to)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; outputs != NULL && outputs[i] != NULL; i++)
    if (!(outputs[i]->flags & FR_PORT_FORECAST) && (to == NULL || outputs[i]->kind == to->kind))
      g_ptr_array_add (names, (gpointer) outputs[i]->name);
  if (names->len == 0 && to != NULL)
    {
      g_ptr_array_unref (names);
      return connectable (outputs, NULL);
    }
  g_ptr_array_add (names, NULL);
  return names;
}

static gboolean
lists (const GPtrArray *names, const char *name)
{
  return g_strv_contains ((const char *const *) names->pdata, name);
}

/* The output port that "stage" alone means to input @to (or NULL). */
static const char *
default_port (Reader *reader, const char *pointer, FriStage *from, const FrPort *to)
{
  g_autoptr (GPtrArray) names = connectable (from->element->outputs, to);

  if (names->len == 1)
    {
      wrong (reader, pointer, "'%s' (%s) has no output but 'rejects'", from->id,
             from->element->name);
      return NULL;
    }
  if (names->len == 2 || lists (names, "out"))
    return names->len == 2 ? names->pdata[0] : "out";
  {
    g_autofree char *all = g_strjoinv ("', '", (char **) names->pdata);

    wrong (reader, pointer, "'%s' (%s) has the outputs '%s': say which, as in '%s.%s'", from->id,
           from->element->name, all, from->id, (char *) names->pdata[0]);
  }
  return NULL;
}

static gboolean
check_output (Reader *reader, const char *pointer, FriStage *from, const char *port,
              const FrPort *to)
{
  const FrPort *output = fri_find_port (from->element->outputs, port);
  FrPortKind kind = output ? output->kind : FR_PORT_RECORDS;

  if (output == NULL && strcmp (port, "rejects") != 0)
    {
      g_autoptr (GPtrArray) names = port_names (from->element->outputs, TRUE);
      g_autofree char *all = g_strjoinv ("', '", (char **) names->pdata);
      const char *near = fr_suggest (port, (const char *const *) names->pdata);

      if (near != NULL)
        wrong (reader, pointer, "'%s' (%s) has no output '%s'; did you mean '%s.%s'?", from->id,
               from->element->name, port, from->id, near);
      else
        wrong (reader, pointer, "'%s' (%s) has no output '%s'; it has '%s'", from->id,
               from->element->name, port, all);
      return FALSE;
    }
  if (to != NULL && kind != to->kind)
    {
      wrong (reader, pointer, "'%s.%s' gives %s, but the input '%s' of '%s' (%s) takes %s",
             from->id, port, kind_words (kind), to->name, reader->stage->id,
             reader->stage->element->name, kind_words (to->kind));
      return FALSE;
    }
  if (output != NULL && (output->flags & FR_PORT_FORECAST))
    {
      wrong (reader, pointer,
             "nothing can be connected to '%s.%s' of %s: it has rows only for 'flowrun head'",
             from->id, port, from->element->name);
      return FALSE;
    }
  if (output != NULL && to != NULL && output->object != NULL && to->object != NULL
      && strcmp (output->object->name, to->object->name) != 0)
    {
      wrong (reader, pointer,
             "'%s.%s' (%s) gives %s of type '%s', but the input '%s' of '%s' (%s) takes one of "
             "type '%s'",
             from->id, port, from->element->name, kind_words (kind), output->object->name, to->name,
             reader->stage->id, reader->stage->element->name, to->object->name);
      return FALSE;
    }
  return TRUE;
}

static FriStage *
find_from (Reader *reader, const char *pointer, const char *id)
{
  FriStage *from = fri_load_stage (reader->load, id);

  if (from == NULL)
    {
      g_autoptr (GPtrArray) ids = fri_stage_ids (reader->load);
      g_autofree char *meant = NULL;

      /* Nobody means the stage itself. */
      for (guint i = 0; i + 1 < ids->len; i++)
        if (ids->pdata[i] == reader->stage->id)
          g_ptr_array_remove_index (ids, i);
      meant = fri_did_you_mean (id, (const char *const *) ids->pdata);
      wrong (reader, pointer, "there is no stage '%s'%s", id, meant);
    }
  return from;
}

/* @to is NULL when the element of this stage is not known. */
static void
read_link (Reader *reader, const char *pointer, const char *text, const FrPort *to,
           const char *to_name)
{
  const char *dot = strchr (text, '.');
  g_autofree char *id = dot ? g_strndup (text, (gsize) (dot - text)) : g_strdup (text);
  const char *port = dot ? dot + 1 : NULL;
  FriStage *from = find_from (reader, pointer, id);
  FriLink *link;

  if (from == NULL)
    return;
  if (from->element != NULL)
    {
      if (port == NULL)
        port = default_port (reader, pointer, from, to);
      if (port == NULL || !check_output (reader, pointer, from, port, to))
        return;
    }
  link = g_new0 (FriLink, 1);
  link->from = from;
  link->port = g_strdup (port ? port : "out");
  link->to_port = g_strdup (to_name);
  link->pointer = g_strdup (pointer);
  g_ptr_array_add (reader->stage->inputs, link);
  g_hash_table_add (from->connected, g_strdup (link->port));
}

/* One input port's sources: a text or a list of texts. */
static void
read_links (Reader *reader, const char *pointer, JsonNode *node, const FrPort *to,
            const char *to_name)
{
  static const char *const expected = "a stage such as \"clean\" or \"split.train\"";

  if (fri_is_text (node))
    read_link (reader, pointer, json_node_get_string (node), to, to_name);
  else if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);
      guint n = json_array_get_length (array);

      if (n == 0)
        wrong (reader, pointer, "the list of stages that feed '%s' is empty", reader->stage->id);
      if (n > 1 && to != NULL && !(to->flags & FR_PORT_MANY))
        wrong (reader, pointer, "the input '%s' of '%s' (%s) takes one connection, not %u", to_name,
               reader->stage->id, reader->stage->element->name, n);
      for (guint i = 0; i < n; i++)
        {
          JsonNode *item = json_array_get_element (array, i);
          g_autofree char *at = g_strdup_printf ("%s/%u", pointer, i);

          if (fri_is_text (item))
            read_link (reader, at, json_node_get_string (item), to, to_name);
          else
            reader->ok &= fri_expect (reader->load, reader->stage->id, at, "from", item, expected);
        }
    }
  else
    reader->ok &= fri_expect (reader->load, reader->stage->id, pointer, to_name, node,
                              "a stage such as \"clean\" or \"split.train\", or a list of those");
}

static void
unknown_input (Reader *reader, const char *pointer, const char *name)
{
  g_autoptr (GPtrArray) names = port_names (reader->stage->element->inputs, FALSE);
  g_autofree char *all = g_strjoinv ("', '", (char **) names->pdata);
  g_autofree char *meant = fri_did_you_mean (name, (const char *const *) names->pdata);

  if (*meant == '\0')
    {
      g_free (meant);
      meant = g_strdup_printf ("; it has '%s'", all);
    }
  fri_problems_add_key (reader->load->problems, FALSE, reader->stage->id, pointer,
                        "'%s' (%s) has no input '%s'%s", reader->stage->id,
                        reader->stage->element->name, name, meant);
  reader->ok = FALSE;
}

/* ---- one stage ------------------------------------------------------------------------ */

static void
read_by_port (Reader *reader, const char *pointer, JsonObject *object)
{
  const FrElement *element = reader->stage->element;
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  /* Links stand in the order of the ports, whatever the order of the keys. */
  for (guint i = 0; element != NULL && element->inputs[i] != NULL; i++)
    {
      g_autofree char *at = fri_pointer (pointer, element->inputs[i]->name);

      value = json_object_get_member (object, element->inputs[i]->name);
      if (value != NULL)
        read_links (reader, at, value, element->inputs[i], element->inputs[i]->name);
    }
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      g_autofree char *at = fri_pointer (pointer, name);

      if (strcmp (name, "$comment") == 0)
        continue;
      if (element == NULL)
        read_links (reader, at, value, NULL, name);
      else if (fri_find_port (element->inputs, name) == NULL)
        unknown_input (reader, at, name);
    }
}

static void
read_from (Reader *reader, const char *pointer, JsonNode *from)
{
  const FrElement *element = reader->stage->element;

  if (element != NULL && (element->inputs == NULL || element->inputs[0] == NULL))
    {
      fri_problems_add_key (reader->load->problems, FALSE, reader->stage->id, pointer,
                            "'%s' (%s) is a source and has no inputs; remove 'from'",
                            reader->stage->id, element->name);
      reader->ok = FALSE;
    }
  else if (JSON_NODE_HOLDS_OBJECT (from))
    read_by_port (reader, pointer, json_node_get_object (from));
  else if (fri_is_text (from) || JSON_NODE_HOLDS_ARRAY (from))
    read_links (reader, pointer, from, element ? element->inputs[0] : NULL,
                element ? element->inputs[0]->name : "in");
  else
    reader->ok &= fri_expect (reader->load, reader->stage->id, pointer, "from", from,
                              "a stage, a list of stages, or an object of those by input");
}

/* An input is named in "from", even if what it names is wrong. */
static gboolean
is_named (JsonNode *from, const FrPort *port, gboolean first)
{
  if (from == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (from))
    return first;
  return json_object_has_member (json_node_get_object (from), port->name);
}

static void
check_required (Reader *reader, const char *pointer, JsonNode *from)
{
  const FrElement *element = reader->stage->element;

  for (guint i = 0; element->inputs != NULL && element->inputs[i] != NULL; i++)
    {
      const FrPort *port = element->inputs[i];

      if ((port->flags & FR_PORT_OPTIONAL) || is_named (from, port, i == 0))
        continue;
      if (from == NULL && element->inputs[1] == NULL)
        wrong (reader, pointer, "'%s' (%s) lacks the key 'from': it needs %s (%s)",
               reader->stage->id, element->name, kind_words (port->kind), port->help);
      else
        wrong (reader, pointer, "the input '%s' of '%s' (%s) is not connected: it needs %s (%s)",
               port->name, reader->stage->id, element->name, kind_words (port->kind), port->help);
    }
}

void
fri_connect (FriLoad *load, JsonObject *stages)
{
  for (guint i = 0; i < load->order->len; i++)
    {
      FriStage *stage = load->order->pdata[i];
      JsonNode *node = json_object_get_member (stages, stage->id);
      g_autofree char *base = fri_pointer ("/stages", stage->id);
      g_autofree char *pointer = g_strconcat (base, "/from", NULL);
      Reader reader = { load, stage, TRUE };
      JsonNode *from;

      if (!JSON_NODE_HOLDS_OBJECT (node))
        continue;
      from = json_object_get_member (json_node_get_object (node), "from");
      if (from != NULL)
        read_from (&reader, pointer, from);
      if (stage->element != NULL)
        check_required (&reader, pointer, from);
      stage->sound &= reader.ok;
    }
}

/* ---- order -------------------------------------------------------------------------------- */

static gboolean
is_ready (FriStage *stage, GHashTable *done)
{
  for (guint i = 0; i < stage->inputs->len; i++)
    if (!g_hash_table_contains (done, ((FriLink *) stage->inputs->pdata[i])->from))
      return FALSE;
  return TRUE;
}

/* Walks against the stream from a stage that is left over until one comes
 * twice: that part of the way is a circle.  Every stage that is left over has
 * a feeder that is left over. */
static void
report_circle (FriLoad *load, FriStage *start, GHashTable *done, GHashTable *told)
{
  g_autoptr (GPtrArray) way = g_ptr_array_new ();
  g_autoptr (GString) names = g_string_new (NULL);
  FriStage *at = start;
  FriStage *head;
  g_autofree char *pointer = NULL;
  guint first;

  while (!g_ptr_array_find (way, at, &first))
    {
      if (g_hash_table_contains (told, at))
        return;
      g_ptr_array_add (way, at);
      for (guint i = 0; i < at->inputs->len; i++)
        {
          FriStage *from = ((FriLink *) at->inputs->pdata[i])->from;

          if (!g_hash_table_contains (done, from))
            {
              at = from;
              break;
            }
        }
    }
  for (guint i = 0; i < way->len; i++)
    g_hash_table_add (told, way->pdata[i]);
  if (first > 0)
    g_ptr_array_remove_range (way, 0, first);
  /* Told from the member that stands first in the file, in the direction of
   * the rows, which is against the way just walked. */
  head = way->pdata[0];
  for (guint i = 1; i < way->len; i++)
    if (((FriStage *) way->pdata[i])->source < head->source)
      head = way->pdata[i];
  g_ptr_array_find (way, head, &first);
  for (guint i = 0; i < way->len; i++)
    g_string_append_printf (names, "'%s' → ",
                            ((FriStage *) way->pdata[(first + way->len - i) % way->len])->id);
  pointer = fri_pointer ("/stages", head->id);
  fri_problems_add_key (load->problems, FALSE, head->id, pointer,
                        "stages feed each other in a "
                        "circle: %s'%s'",
                        names->str, head->id);
}

void
fri_order (FriLoad *load)
{
  g_autoptr (GHashTable) done = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) told = g_hash_table_new (NULL, NULL);
  GPtrArray *sorted = load->pipeline->stages;
  gboolean moved;

  do
    {
      moved = FALSE;
      for (guint i = 0; i < load->order->len && !moved; i++)
        {
          FriStage *stage = load->order->pdata[i];

          if (g_hash_table_contains (done, stage) || !is_ready (stage, done))
            continue;
          g_hash_table_add (done, stage);
          g_ptr_array_add (sorted, stage);
          moved = TRUE;
        }
    }
  while (moved);
  for (guint i = 0; i < load->order->len; i++)
    {
      FriStage *stage = load->order->pdata[i];

      if (g_hash_table_contains (done, stage))
        continue;
      report_circle (load, stage, done, told);
      stage->sound = FALSE;
      g_ptr_array_add (sorted, stage);
    }
}
