/* SPDX-License-Identifier: Apache-2.0 */
/* forecast.c: what stages would do, found out without doing it.
 *
 * An element with forecast() is asked for it in an ephemeral run: the stages
 * that feed it run as always, forecast() stands in for its open, run, finish
 * and close, and what comes after it is left out, for there is nothing to
 * give it.
 */
#include "config.h"

#include "engine/engine-private.h"

static gboolean
rests_on_forecast (FrHost *h)
{
  for (guint i = 0; i < h->stage->inputs->len; i++)
    {
      FriLink *link = g_ptr_array_index (h->stage->inputs, i);
      FrHost *from = fri_graph_host (h->e, link->from);

      if (from->forecasting || rests_on_forecast (from))
        return TRUE;
    }
  return FALSE;
}

void
fri_forecast_choose (FriEngine *e)
{
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      h->forecasting = h->stage->element->forecast != NULL && !rests_on_forecast (h);
    }
}

void
fri_forecast_tell (FriEngine *e)
{
  for (guint i = 0; e->options->forecast != NULL && i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);
      JsonNode *told = h->forecasting ? g_hash_table_lookup (h->reports, "forecast") : NULL;

      if (told != NULL)
        e->options->forecast (h->stage->id, told, e->options->forecast_data);
    }
}

/* ---- whether to ask at all ------------------------------------------------------- */

/* Why @stage must not run for a forecast, or NULL. */
static const char *
objection (const FriStage *stage)
{
  if (stage->element->flags & FR_ELEMENT_NETWORK)
    return "uses the network";
  if (stage->element->flags & FR_ELEMENT_RUNS_PROGRAMS)
    return "starts other programs";
  /* With a forecast of its own it is not run, nor is anything after it asked. */
  if (stage->element->kind == FR_KIND_TRAINER && stage->element->forecast == NULL)
    return "would have to train";
  return NULL;
}

/* The first stage among @stage and what feeds it that must not run. */
static const FriStage *
hindrance (const FriStage *stage)
{
  if (objection (stage) != NULL)
    return stage;
  for (guint i = 0; i < stage->inputs->len; i++)
    {
      const FriStage *found = hindrance (((FriLink *) g_ptr_array_index (stage->inputs, i))->from);

      if (found != NULL)
        return found;
    }
  return NULL;
}

gboolean
fri_forecast_possible (const FriPipeline *pipeline, char **why_not)
{
  gboolean any = FALSE;

  *why_not = NULL;
  for (guint i = 0; i < pipeline->stages->len; i++)
    {
      const FriStage *stage = g_ptr_array_index (pipeline->stages, i);
      const FriStage *found;

      if (stage->element == NULL || stage->element->forecast == NULL)
        continue;
      found = hindrance (stage);
      if (found != NULL)
        {
          *why_not
              = g_strdup_printf ("no forecast of '%s': it would need '%s' (%s), which %s",
                                 stage->id, found->id, found->element->name, objection (found));
          return FALSE;
        }
      any = TRUE;
    }
  return any;
}
