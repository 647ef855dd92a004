/* SPDX-License-Identifier: Apache-2.0 */
/* state.c: the loop's state on disk: parameters, both moments, and everything else as JSON.
 *
 * Two states are kept, and the best parameters that they name.  Chance needs
 * no state: orders and dropout are functions of seed, epoch and step.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "tune.h"

#define KEPT 2
#define STATE "state"
#define BEST "best"

/* ---- writing --------------------------------------------------------------------------- */

static JsonArray *
numbers_json (const double *numbers, gsize n)
{
  JsonArray *array = json_array_new ();

  for (gsize i = 0; i < n; i++)
    json_array_add_double_element (array, numbers[i]);
  return array;
}

static JsonObject *
settings_json (const Tune *t)
{
  JsonObject *json = json_object_new ();
  g_autofree char *hash
      = g_strdup_printf ("%016" G_GINT64_MODIFIER "x", lm_dataset_hash (t->train.data));

  json_object_set_string_member (json, "data", hash);
  json_object_set_int_member (json, "micro_rows", (gint64) t->micro_rows);
  json_object_set_boolean_member (json, "recompute", t->options.recompute);
  json_object_set_int_member (json, "type", t->options.type);
  json_object_set_int_member (json, "threads", t->threads);
  json_object_set_int_member (json, "numbers", (gint64) t->forecast.n_trained);
  return json;
}

static void
series_json (const Loop *loop, JsonObject *json)
{
  JsonArray *evaluations = json_array_new (), *logged = json_array_new ();

  for (guint i = 0; i < loop->evaluations->len; i++)
    {
      const Evaluation *e = &g_array_index (loop->evaluations, Evaluation, i);
      double numbers[] = { (double) e->step, e->loss };

      json_array_add_array_element (evaluations, numbers_json (numbers, G_N_ELEMENTS (numbers)));
    }
  for (guint i = 0; i < loop->logged->len; i++)
    {
      const Logged *l = &g_array_index (loop->logged, Logged, i);
      double numbers[] = { (double) l->step, l->loss, l->lr, l->grad_norm, l->tokens_per_second };

      json_array_add_array_element (logged, numbers_json (numbers, G_N_ELEMENTS (numbers)));
    }
  json_object_set_array_member (json, "evaluations", evaluations);
  json_object_set_array_member (json, "logged", logged);
  json_object_set_array_member (
      json, "recent",
      numbers_json ((const double *) (gpointer) loop->recent->data, loop->recent->len));
}

static JsonNode *
state_json (const Tune *t, const Loop *loop)
{
  JsonNode *root = json_node_new (JSON_NODE_OBJECT);
  JsonObject *json = json_object_new ();

  json_object_set_object_member (json, "settings", settings_json (t));
  json_object_set_int_member (json, "step", (gint64) loop->step);
  json_object_set_int_member (json, "rows", (gint64) loop->rows);
  json_object_set_int_member (json, "labels", (gint64) loop->labels);
  json_object_set_double_member (json, "seconds", loop->seconds);
  json_object_set_double_member (json, "loss_sum", loop->loss_sum);
  json_object_set_int_member (json, "label_sum", (gint64) loop->label_sum);
  json_object_set_int_member (json, "row_sum", (gint64) loop->row_sum);
  json_object_set_double_member (json, "second_sum", loop->second_sum);
  json_object_set_double_member (json, "low", loop->low);
  json_object_set_double_member (json, "first", loop->first);
  json_object_set_boolean_member (json, "has_best", loop->has_best);
  json_object_set_double_member (json, "best_loss", loop->best_loss);
  json_object_set_int_member (json, "best_step", (gint64) loop->best_step);
  json_object_set_int_member (json, "since_best", (gint64) loop->since_best);
  json_object_set_boolean_member (json, "stopped_early", loop->stopped_early);
  json_object_set_boolean_member (json, "finished", loop->finished);
  series_json (loop, json);
  json_node_take_object (root, json);
  return root;
}

static gboolean
put_buffer (Tune *t, CheckpointWriter *w, gconstpointer data, gsize n, GError **error)
{
  g_autofree float *host = g_new (float, n);

  t->compute->klass->download (t->compute, host, data, n * sizeof *host);
  return t->compute->klass->sync (t->compute, error) && checkpoint_put (w, host, n, error);
}

static gboolean
put_all (Tune *t, Loop *loop, CheckpointWriter *w, gboolean moments, GError **error)
{
  for (gsize i = 0; i < lm_decoder_n_params (loop->decoder); i++)
    {
      const LmParam *p = lm_decoder_param (loop->decoder, i);
      gsize n = p->rows * p->cols;

      if (!put_buffer (t, w, p->value, n, error)
          || (moments
              && (!put_buffer (t, w, loop->m[i], n, error)
                  || !put_buffer (t, w, loop->v[i], n, error))))
        return FALSE;
    }
  return TRUE;
}

static gboolean
save (Tune *t, Loop *loop, const char *kind, GError **error)
{
  g_autoptr (JsonNode) meta = state_json (t, loop);
  g_autoptr (CheckpointWriter) w = checkpoint_begin (t->checkpoints, kind, loop->step, meta, error);

  return w != NULL && put_all (t, loop, w, strcmp (kind, STATE) == 0, error)
         && checkpoint_commit (g_steal_pointer (&w), error);
}

/* The step of the best parameters that the state of @step names, 0 for none. */
static guint64
best_of (Tune *t, guint64 step)
{
  g_autoptr (Checkpoint) c = checkpoint_open (t->checkpoints, STATE, step, NULL);
  JsonObject *json = c != NULL ? json_node_get_object (c->meta) : NULL;

  if (json == NULL || !json_object_get_boolean_member_with_default (json, "has_best", FALSE))
    return 0;
  return (guint64) json_object_get_int_member_with_default (json, "best_step", 0);
}

gboolean
state_save (Tune *t, Loop *loop, GError **error)
{
  g_autoptr (GArray) steps = NULL;
  guint64 best[KEPT] = { 0 };
  gsize n;

  if (!save (t, loop, STATE, error))
    return FALSE;
  steps = checkpoint_steps (t->checkpoints, STATE);
  n = MIN (steps->len, KEPT);
  best[0] = loop->has_best ? loop->best_step : 0;
  for (gsize i = 1; i < n; i++)
    best[i] = best_of (t, g_array_index (steps, guint64, i));
  checkpoint_keep (t->checkpoints, STATE, (const guint64 *) (gpointer) steps->data, n);
  checkpoint_keep (t->checkpoints, BEST, best, n);
  return TRUE;
}

gboolean
state_save_best (Tune *t, Loop *loop, GError **error)
{
  return save (t, loop, BEST, error);
}

/* ---- finding ----------------------------------------------------------------------------- */

static gboolean
settings_fit (Tune *t, const Checkpoint *c, char **why)
{
  JsonObject *json = json_node_get_object (c->meta), *settings = NULL;
  g_autofree char *hash
      = g_strdup_printf ("%016" G_GINT64_MODIFIER "x", lm_dataset_hash (t->train.data));

  if (json_object_has_member (json, "settings"))
    settings = json_object_get_object_member (json, "settings");
  if (settings == NULL
      || g_strcmp0 (json_object_get_string_member_with_default (settings, "data", NULL), hash) != 0)
    {
      *why = g_strdup ("it belongs to other samples");
      return FALSE;
    }
  if (json_object_get_boolean_member_with_default (json, "has_best", FALSE) && t->config->load_best)
    {
      guint64 step = (guint64) json_object_get_int_member_with_default (json, "best_step", 0);
      g_autoptr (GError) local = NULL;
      g_autoptr (Checkpoint) best = checkpoint_open (t->checkpoints, BEST, step, &local);

      if (best == NULL)
        *why = g_strdup (local->message);
      return best != NULL;
    }
  return TRUE;
}

static void
take_settings (Tune *t, const Checkpoint *c)
{
  JsonObject *json = json_object_get_object_member (json_node_get_object (c->meta), "settings");

  t->micro_rows = (gsize) json_object_get_int_member (json, "micro_rows");
  t->options.recompute = json_object_get_boolean_member (json, "recompute");
  t->options.type = (LmType) json_object_get_int_member (json, "type");
  t->threads = (guint) json_object_get_int_member (json, "threads");
}

gboolean
state_find (Tune *t, GError **error)
{
  g_autoptr (GArray) steps = NULL;

  t->checkpoints = fr_host_checkpoint_dir (t->host, error);
  if (t->checkpoints == NULL)
    return FALSE;
  steps = checkpoint_steps (t->checkpoints, STATE);
  for (guint i = 0; i < steps->len && t->resume == NULL; i++)
    {
      g_autoptr (GError) local = NULL;
      g_autofree char *why = NULL;
      g_autoptr (Checkpoint) c
          = checkpoint_open (t->checkpoints, STATE, g_array_index (steps, guint64, i), &local);

      if (c != NULL && settings_fit (t, c, &why))
        {
          take_settings (t, c);
          t->resume = g_steal_pointer (&c);
        }
      else
        fr_host_warn (t->host, "the checkpoint of step %" G_GUINT64_FORMAT " is not used: %s",
                      g_array_index (steps, guint64, i), why != NULL ? why : local->message);
    }
  return TRUE;
}

/* ---- reading -------------------------------------------------------------------------------- */

static double
item (JsonArray *array, guint i)
{
  return i < json_array_get_length (array) ? json_array_get_double_element (array, i) : 0;
}

static void
take_series (JsonObject *json, Loop *loop)
{
  JsonArray *evaluations = json_object_get_array_member (json, "evaluations");
  JsonArray *logged = json_object_get_array_member (json, "logged");
  JsonArray *recent = json_object_get_array_member (json, "recent");

  for (guint i = 0; i < json_array_get_length (evaluations); i++)
    {
      JsonArray *row = json_array_get_array_element (evaluations, i);
      Evaluation e = { (guint64) item (row, 0), item (row, 1) };

      g_array_append_val (loop->evaluations, e);
    }
  for (guint i = 0; i < json_array_get_length (logged); i++)
    {
      JsonArray *row = json_array_get_array_element (logged, i);
      Logged l
          = { (guint64) item (row, 0), item (row, 1), item (row, 2), item (row, 3), item (row, 4) };

      g_array_append_val (loop->logged, l);
    }
  for (guint i = 0; i < json_array_get_length (recent); i++)
    {
      double loss = item (recent, i);

      g_array_append_val (loop->recent, loss);
    }
}

static void
take_state (JsonObject *json, Loop *loop)
{
  loop->step = (guint64) json_object_get_int_member (json, "step");
  loop->rows = (guint64) json_object_get_int_member (json, "rows");
  loop->labels = (guint64) json_object_get_int_member (json, "labels");
  loop->seconds = json_object_get_double_member (json, "seconds");
  loop->loss_sum = json_object_get_double_member (json, "loss_sum");
  loop->label_sum = (guint64) json_object_get_int_member (json, "label_sum");
  loop->row_sum = (guint64) json_object_get_int_member (json, "row_sum");
  loop->second_sum = json_object_get_double_member (json, "second_sum");
  loop->low = json_object_get_double_member (json, "low");
  loop->first = json_object_get_double_member (json, "first");
  loop->has_best = json_object_get_boolean_member (json, "has_best");
  loop->best_loss = json_object_get_double_member (json, "best_loss");
  loop->best_step = (guint64) json_object_get_int_member (json, "best_step");
  loop->since_best = (guint64) json_object_get_int_member (json, "since_best");
  loop->stopped_early = json_object_get_boolean_member (json, "stopped_early");
  loop->finished = json_object_get_boolean_member (json, "finished");
  take_series (json, loop);
}

static gboolean
get_buffer (Tune *t, const Checkpoint *c, gsize *at, gpointer data, gsize n, GError **error)
{
  g_autofree float *host = g_new (float, n);

  if (!checkpoint_get (c, *at, host, n))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "the checkpoint of step %" G_GUINT64_FORMAT " in %s has %" G_GSIZE_FORMAT
                   " numbers; the training has more; remove the directory to begin again",
                   c->step, t->checkpoints, c->n_numbers);
      return FALSE;
    }
  *at += n;
  t->compute->klass->upload (t->compute, data, host, n * sizeof *host);
  return t->compute->klass->sync (t->compute, error);
}

static gboolean
get_all (Tune *t, Loop *loop, const Checkpoint *c, gboolean moments, GError **error)
{
  gsize at = 0;

  for (gsize i = 0; i < lm_decoder_n_params (loop->decoder); i++)
    {
      LmParam *p = lm_decoder_param (loop->decoder, i);
      gsize n = p->rows * p->cols;

      if (!get_buffer (t, c, &at, p->value, n, error)
          || (moments
              && (!get_buffer (t, c, &at, loop->m[i], n, error)
                  || !get_buffer (t, c, &at, loop->v[i], n, error))))
        return FALSE;
    }
  lm_decoder_params_changed (loop->decoder);
  return t->compute->klass->sync (t->compute, error);
}

gboolean
state_resume (Tune *t, Loop *loop, GError **error)
{
  if (!get_all (t, loop, t->resume, TRUE, error))
    return FALSE;
  take_state (json_node_get_object (t->resume->meta), loop);
  g_clear_pointer (&t->resume, checkpoint_free);
  return TRUE;
}

gboolean
state_load_best (Tune *t, Loop *loop, GError **error)
{
  g_autoptr (Checkpoint) c = checkpoint_open (t->checkpoints, BEST, loop->best_step, error);

  return c != NULL && get_all (t, loop, c, FALSE, error);
}
