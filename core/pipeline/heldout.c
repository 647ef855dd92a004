/* SPDX-License-Identifier: Apache-2.0 */
/* heldout.c: rows that are held out do not reach what learns from rows.
 *
 * See port.h: outputs say FR_PORT_HELD_OUT, inputs say FR_PORT_TRAINING, and in between every
 * output of records of a stage that held-out rows enter is held out too.  Only the pipeline's shape
 * is looked at, so that `flowrun check` knows what the run would.  A model or a report carries no
 * rows, and what was written to a file and read again in another pipeline is not known to have been
 * held out.
 */
#include "config.h"

#include <string.h>

#include "pipeline/pipeline-private.h"

/* The link by which held-out rows first enter each stage that they enter: FriStage * to FriLink *.
 */
typedef GHashTable Held;

static gboolean
is_held_out (Held *held, const FriLink *link)
{
  const FrPort *port;

  if (link->from->element == NULL)
    return FALSE;
  port = fri_find_port (link->from->element->outputs, link->port);
  if (port != NULL && port->kind != FR_PORT_RECORDS)
    return FALSE;
  return (port != NULL && (port->flags & FR_PORT_HELD_OUT))
         || g_hash_table_contains (held, link->from);
}

/* The link at whose beginning the rows were held out; @way: ", by way of 'a' and 'b'", in the
 * direction of the rows. */
static const FriLink *
origin_of (Held *held, const FriLink *link, GString *way)
{
  g_autoptr (GPtrArray) stages = g_ptr_array_new ();

  for (;;)
    {
      const FrPort *port = fri_find_port (link->from->element->outputs, link->port);

      if (port != NULL && (port->flags & FR_PORT_HELD_OUT))
        break;
      g_ptr_array_add (stages, link->from);
      link = g_hash_table_lookup (held, link->from);
    }
  for (guint i = stages->len; i-- > 0;)
    g_string_append_printf (way, "%s'%s'",
                            i + 1 == stages->len ? ", by way of "
                            : i == 0             ? " and "
                                                 : ", ",
                            ((FriStage *) stages->pdata[i])->id);
  return link;
}

/* "; connect 'split.train'": what else the element that held the rows out gives. */
static char *
advice (const FriStage *origin)
{
  const FrPort *const *outputs = origin->element->outputs;

  for (guint i = 0; outputs[i] != NULL; i++)
    if (outputs[i]->kind == FR_PORT_RECORDS
        && !(outputs[i]->flags & (FR_PORT_HELD_OUT | FR_PORT_FORECAST)))
      return g_strdup_printf ("; connect rows that come from '%s.%s'", origin->id,
                              outputs[i]->name);
  return g_strdup ("");
}

static void
refuse (FriLoad *load, Held *held, FriStage *stage, const FriLink *link)
{
  g_autoptr (GString) way = g_string_new (NULL);
  const FriLink *origin = origin_of (held, link, way);
  g_autofree char *instead = advice (origin->from);

  fri_problems_add_at (
      load->problems, FALSE, stage->id, link->pointer,
      "the input '%s' of '%s' (%s) takes only rows to learn from, but '%s.%s' (%s) "
      "holds its rows out%s%s",
      link->to_port, stage->id, stage->element->name, origin->from->id, origin->port,
      origin->from->element->name, way->str, instead);
  stage->sound = FALSE;
}

void
fri_held_out (FriLoad *load)
{
  g_autoptr (GHashTable) held = g_hash_table_new (NULL, NULL);
  const GPtrArray *stages = load->pipeline->stages;

  for (guint i = 0; i < stages->len; i++)
    {
      FriStage *stage = stages->pdata[i];

      for (guint k = 0; k < stage->inputs->len; k++)
        {
          FriLink *link = stage->inputs->pdata[k];
          const FrPort *to;

          if (stage->element == NULL || !is_held_out (held, link))
            continue;
          to = fri_find_port (stage->element->inputs, link->to_port);
          if (to != NULL && (to->flags & FR_PORT_TRAINING))
            refuse (load, held, stage, link);
          if ((to == NULL || !(to->flags & FR_PORT_LOOKS)) && !g_hash_table_contains (held, stage))
            g_hash_table_insert (held, stage, link);
        }
    }
}
