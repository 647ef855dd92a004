/* SPDX-License-Identifier: Apache-2.0 */
/* state.c: what a stage keeps for the next run of its pipeline, in DIR/state.json.
 *
 * One file for all stages, replaced by one rename when everything else of the
 * run is in place: a run killed at any moment leaves either all of the old
 * states, and then its rows are read again, or all of the new ones, and then
 * its results stand.  Only whole runs write it: after --until or `flowrun
 * head` the rest of the pipeline has not seen the rows.  The states of stages
 * that the pipeline no longer has stay, for they may come back.
 */
#include "config.h"

#include "engine/engine-private.h"

#include <flowrun/json.h>

static char *
state_path (FriEngine *e)
{
  return g_build_filename (e->dir->dir, "state.json", NULL);
}

gboolean
fri_state_load (FriEngine *e, GError **error)
{
  g_autofree char *path = state_path (e);

  if (e->options->ephemeral || e->dir->ephemeral || !g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  e->states = fri_json_load (path, error);
  if (e->states == NULL)
    g_prefix_error (error, "what the last run left for this one cannot be read (--run-dir with "
                           "another directory starts anew): ");
  return e->states != NULL;
}

gboolean
fri_state_save (FriEngine *e, GError **error)
{
  g_autoptr (JsonObject) states = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *path = NULL;
  gboolean any = FALSE;

  if (e->options->ephemeral || e->dir->ephemeral || e->options->until != NULL)
    return TRUE;
  states = e->states != NULL ? json_object_ref (e->states) : json_object_new ();
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (!h->active || h->state_to_keep == NULL)
        continue;
      json_object_set_member (states, h->stage->id, g_steal_pointer (&h->state_to_keep));
      any = TRUE;
    }
  if (!any)
    return TRUE;
  path = state_path (e);
  node = json_node_init_object (json_node_alloc (), states);
  return fri_json_save (path, node, TRUE, error);
}

/* ---- what elements call --------------------------------------------------------------------- */

JsonNode *
fr_host_state (FrHost *h)
{
  if (h->e->states == NULL || h->e->options->fresh)
    return NULL;
  return json_object_get_member (h->e->states, h->stage->id);
}

void
fr_host_set_state (FrHost *h, JsonNode *state)
{
  g_mutex_lock (&h->notes_lock);
  g_clear_pointer (&h->state_to_keep, json_node_unref);
  h->state_to_keep = state;
  g_mutex_unlock (&h->notes_lock);
}
