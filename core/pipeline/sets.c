/* SPDX-License-Identifier: Apache-2.0 */
/* sets.c: --set stage.key=value.
 *
 * "key" is a parameter, or "keep" or "max_rejects" of the stage where the
 * element has no parameter of that name; "key.member" reaches into an object.
 * The value is JSON, or else the text as it stands.  A text parameter takes
 * the text as it stands unless it is a JSON string or array, so that
 * `--set goods.table=2024` needs no quotes within quotes.
 */
#include "config.h"

#include <string.h>

#include "pipeline/pipeline-private.h"

typedef struct
{
  char *stage;
  char *key;
  char *member; /* or NULL */
  char *raw;
  char *label; /* "--set stage.key=value", for messages */
} Set;

static void
set_free (gpointer data)
{
  Set *set = data;

  g_free (set->stage);
  g_free (set->key);
  g_free (set->member);
  g_free (set->raw);
  g_free (set->label);
  g_free (set);
}

void
fri_sets_read (FriLoad *load)
{
  load->sets = g_ptr_array_new_with_free_func (set_free);
  for (guint i = 0; load->options->sets != NULL && load->options->sets[i] != NULL; i++)
    {
      const char *given = load->options->sets[i];
      const char *equals = strchr (given, '=');
      const char *dot = strchr (given, '.');
      g_autofree char *label = g_strdup_printf ("--set %s", given);
      Set *set;
      char *member;

      if (equals == NULL || dot == NULL || dot > equals || dot == given || dot + 1 == equals)
        {
          fri_problems_add_given (load->problems, label, "a parameter is set as STAGE.KEY=VALUE");
          continue;
        }
      set = g_new0 (Set, 1);
      set->stage = g_strndup (given, (gsize) (dot - given));
      set->key = g_strndup (dot + 1, (gsize) (equals - dot - 1));
      member = strchr (set->key, '.');
      if (member != NULL)
        {
          set->member = g_strdup (member + 1);
          *member = '\0';
        }
      set->raw = g_strdup (equals + 1);
      set->label = g_steal_pointer (&label);
      g_ptr_array_add (load->sets, set);
    }
}

static gboolean
takes_text (const FrParam *row)
{
  switch (row->type)
    {
    case FR_PARAM_TYPE_STRING:
      return !(row->flags & FR_PARAM_SECRET);
    case FR_PARAM_TYPE_ENUM:
    case FR_PARAM_TYPE_PATH:
    case FR_PARAM_TYPE_PATHS:
    case FR_PARAM_TYPE_COLUMN:
    case FR_PARAM_TYPE_COLUMNS:
    case FR_PARAM_TYPE_STRINGS:
    case FR_PARAM_TYPE_MAP: /* of a member */
      return TRUE;
    default:
      return FALSE;
    }
}

static JsonNode *
value_of (const Set *set, const FrParam *row)
{
  g_autoptr (JsonNode) node = fr_json_parse (set->raw, -1, 0, NULL);

  if (node != NULL && row != NULL && takes_text (row) && !fri_is_text (node)
      && !JSON_NODE_HOLDS_ARRAY (node) && !JSON_NODE_HOLDS_OBJECT (node))
    g_clear_pointer (&node, json_node_unref);
  if (node == NULL)
    return json_node_init_string (json_node_alloc (), set->raw);
  return g_steal_pointer (&node);
}

/* The object called @key in @parent, made when there is none; NULL when
 * something else is there. */
static JsonObject *
object_in (JsonObject *parent, const char *key)
{
  JsonNode *node = json_object_get_member (parent, key);

  if (node == NULL)
    {
      json_object_set_object_member (parent, key, json_object_new ());
      node = json_object_get_member (parent, key);
    }
  return JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static void
apply (FriLoad *load, const Set *set, JsonObject *stage, const FrElement *element)
{
  const FrParam *row = element ? fri_param_find (element, set->key) : NULL;
  gboolean own = row == NULL && set->member == NULL
                 && (strcmp (set->key, "keep") == 0 || strcmp (set->key, "max_rejects") == 0);
  g_autofree char *base = fri_pointer ("/stages", set->stage);
  g_autofree char *with = g_strconcat (base, own ? "" : "/with", NULL);
  g_autofree char *at = fri_pointer (with, set->key);
  JsonObject *object = own ? stage : object_in (stage, "with");
  const char *key = set->key;

  if (object != NULL && set->member != NULL)
    {
      char *deeper = fri_pointer (at, set->member);

      g_free (at);
      at = deeper;
      object = object_in (object, set->key);
      key = set->member;
    }
  fri_problems_set_origin (load->problems, at, set->label);
  if (object == NULL)
    fri_problems_add_at (load->problems, FALSE, set->stage, at,
                         "what '%s.%s' is set in is no object", set->stage, set->key);
  else
    json_object_set_member (object, key, value_of (set, row));
}

void
fri_sets_apply (FriLoad *load, const char *id, JsonObject *stage, const FrElement *element)
{
  for (guint i = 0; i < load->sets->len; i++)
    {
      const Set *set = load->sets->pdata[i];

      if (strcmp (set->stage, id) == 0)
        apply (load, set, stage, element);
    }
}

void
fri_sets_check (FriLoad *load)
{
  g_autoptr (GPtrArray) ids = fri_stage_ids (load);

  for (guint i = 0; i < load->sets->len; i++)
    {
      const Set *set = load->sets->pdata[i];
      g_autofree char *meant = NULL;

      if (fri_load_stage (load, set->stage) != NULL)
        continue;
      meant = fri_did_you_mean (set->stage, (const char *const *) ids->pdata);
      fri_problems_add_given (load->problems, set->label, "there is no stage '%s'%s", set->stage,
                              meant);
    }
}
