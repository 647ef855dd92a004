/* SPDX-License-Identifier: Apache-2.0 */
/* report.c: what is told when a training is over: the model's card, the report, the forecast beside
 * it. */
#include "config.h"

#include <math.h>

#include "tune.h"

void
tune_append_bytes (GString *out, gsize bytes)
{
  if (bytes >= (gsize) 1 << 30)
    g_string_append_printf (out, "%.2f GiB", (double) bytes / (1 << 30));
  else
    g_string_append_printf (out, "%.0f MiB", (double) bytes / (1 << 20));
}

void
tune_append_time (GString *out, double seconds)
{
  guint64 s = seconds > 0 ? (guint64) (seconds + 0.5) : 0;

  if (s >= 86400)
    g_string_append_printf (out, "%.1f days", seconds / 86400);
  else if (s >= 3600)
    g_string_append_printf (out, "%" G_GUINT64_FORMAT " h %" G_GUINT64_FORMAT " min", s / 3600,
                            s % 3600 / 60);
  else if (s >= 120)
    g_string_append_printf (out, "%" G_GUINT64_FORMAT " min", (s + 30) / 60);
  else
    g_string_append_printf (out, "%" G_GUINT64_FORMAT " s", s);
}

static void
set_count (JsonObject *json, const char *key, guint64 n)
{
  json_object_set_int_member (json, key, (gint64) n);
}

/* ---- data --------------------------------------------------------------------------- */

static JsonObject *
part_json (const Part *p)
{
  JsonObject *json = json_object_new ();
  g_autofree char *hash = g_strdup_printf ("%016" G_GINT64_MODIFIER "x", lm_dataset_hash (p->data));

  set_count (json, "rows", p->n_rows);
  set_count (json, "samples", lm_dataset_n (p->data));
  set_count (json, "rejected", p->n_rejected);
  set_count (json, "cut", p->n_cut);
  set_count (json, "tokens", lm_dataset_n_tokens (p->data));
  set_count (json, "labels", lm_dataset_n_labels (p->data));
  set_count (json, "longest", lm_dataset_longest (p->data));
  json_object_set_string_member (json, "hash", hash);
  return json;
}

/* ---- settings ------------------------------------------------------------------------ */

static JsonObject *
adapter_json (const LmLora *lora)
{
  JsonObject *json = json_object_new ();
  JsonArray *targets = json_array_new ();

  for (char **target = lora->spec.targets; *target != NULL; target++)
    json_array_add_string_element (targets, *target);
  set_count (json, "rank", lora->spec.rank);
  json_object_set_double_member (json, "alpha", lora->spec.alpha);
  json_object_set_double_member (json, "dropout", lora->spec.dropout);
  json_object_set_boolean_member (json, "rslora", lora->spec.rslora);
  json_object_set_array_member (json, "targets", targets);
  set_count (json, "modules", lora->modules->len);
  return json;
}

static JsonObject *
settings_json (const Tune *t)
{
  static const char *const kinds[] = { "cosine", "linear", "constant" };
  const Config *c = t->config;
  JsonObject *json = json_object_new ();

  if (!t->full)
    json_object_set_object_member (json, "adapter", adapter_json (t->lora));
  json_object_set_double_member (json, "lr", c->lr);
  json_object_set_string_member (json, "schedule", kinds[c->schedule]);
  set_count (json, "warmup_steps", t->warmup_steps);
  set_count (json, "steps", t->total_steps);
  set_count (json, "samples_per_step", t->step_samples);
  json_object_set_double_member (json, "weight_decay", c->weight_decay);
  json_object_set_double_member (json, "beta1", c->beta1);
  json_object_set_double_member (json, "beta2", c->beta2);
  json_object_set_double_member (json, "epsilon", c->epsilon);
  json_object_set_double_member (json, "max_grad_norm", c->max_grad_norm);
  set_count (json, "max_length", t->max_length);
  set_count (json, "micro_tokens", t->micro_rows);
  json_object_set_boolean_member (json, "packing", c->packing);
  json_object_set_boolean_member (json, "group_by_length", c->group_by_length);
  json_object_set_boolean_member (json, "recompute", t->options.recompute);
  json_object_set_string_member (json, "type", lm_types[t->options.type].name);
  json_object_set_string_member (json, "backend", t->backend);
  set_count (json, "threads", t->threads);
  {
    g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, t->seed);

    json_object_set_string_member (json, "seed", seed);
  }
  return json;
}

/* ---- results ---------------------------------------------------------------------------- */

static void
set_loss (JsonObject *json, const char *when, double loss)
{
  JsonObject *point = json_object_new ();

  json_object_set_double_member (point, "loss", loss);
  json_object_set_double_member (point, "perplexity", exp (loss));
  json_object_set_object_member (json, when, point);
}

/* Losses before, at the end, and of what was kept. */
static JsonObject *
validation_json (const Tune *t, const Loop *loop)
{
  JsonObject *json = json_object_new ();
  guint n = loop->evaluations->len;

  if (n == 0)
    return json;
  set_loss (json, "before", g_array_index (loop->evaluations, Evaluation, 0).loss);
  set_loss (json, "after", g_array_index (loop->evaluations, Evaluation, n - 1).loss);
  if (loop->has_best)
    {
      set_loss (json, "best", loop->best_loss);
      set_count (json, "best_step", loop->best_step);
      json_object_set_boolean_member (json, "best_kept", t->config->load_best);
    }
  return json;
}

static JsonObject *
result_json (const Tune *t, const Loop *loop)
{
  JsonObject *json = json_object_new ();
  guint n = loop->logged->len;

  set_count (json, "steps", loop->step);
  json_object_set_boolean_member (json, "stopped_early", loop->stopped_early);
  set_count (json, "tokens", loop->rows);
  set_count (json, "labels", loop->labels);
  if (n > 0)
    {
      json_object_set_double_member (json, "loss_first",
                                     g_array_index (loop->logged, Logged, 0).loss);
      json_object_set_double_member (json, "loss_last",
                                     g_array_index (loop->logged, Logged, n - 1).loss);
    }
  json_object_set_object_member (json, "validation", validation_json (t, loop));
  json_object_set_double_member (json, "seconds", loop->seconds);
  json_object_set_double_member (json, "tokens_per_second",
                                 (double) loop->rows / MAX (loop->seconds, 1e-6));
  return json;
}

JsonObject *
tune_card (Tune *t, const Loop *loop)
{
  JsonObject *json = json_object_new (), *base = json_object_new (), *data = json_object_new ();
  const char *hash = lm_model_path (t->base) != NULL ? lm_model_hash (t->base, NULL) : NULL;

  json_object_set_string_member (json, "element", t->full ? "trainer.full" : "trainer.lora");
  json_object_set_string_member (json, "flowrun", PACKAGE_VERSION);
  json_object_set_string_member (base, "name", lm_model_name (t->base));
  if (hash != NULL)
    json_object_set_string_member (base, "hash", hash);
  json_object_set_object_member (json, "base", base);
  set_count (json, "trained", t->forecast.n_trained);
  set_count (json, "parameters", t->forecast.n_parameters);
  json_object_set_object_member (data, "train", part_json (&t->train));
  if (t->has_validation)
    json_object_set_object_member (data, "validation", part_json (&t->validation));
  json_object_set_object_member (json, "data", data);
  json_object_set_object_member (json, "settings", settings_json (t));
  json_object_set_object_member (json, "result", result_json (t, loop));
  return json;
}

/* ---- the report ---------------------------------------------------------------------------- */

static JsonArray *
training_curve (const Loop *loop)
{
  JsonArray *curve = json_array_new ();

  for (guint i = 0; i < loop->logged->len; i++)
    {
      const Logged *l = &g_array_index (loop->logged, Logged, i);
      JsonObject *point = json_object_new ();

      set_count (point, "step", l->step);
      json_object_set_double_member (point, "loss", l->loss);
      json_object_set_double_member (point, "lr", l->lr);
      json_object_set_double_member (point, "grad_norm", l->grad_norm);
      json_object_set_double_member (point, "tokens_per_second", l->tokens_per_second);
      json_array_add_object_element (curve, point);
    }
  return curve;
}

static JsonArray *
validation_curve (const Loop *loop)
{
  JsonArray *curve = json_array_new ();

  for (guint i = 0; i < loop->evaluations->len; i++)
    {
      const Evaluation *e = &g_array_index (loop->evaluations, Evaluation, i);
      JsonObject *point = json_object_new ();

      set_count (point, "step", e->step);
      json_object_set_double_member (point, "loss", e->loss);
      json_object_set_double_member (point, "perplexity", exp (e->loss));
      json_array_add_object_element (curve, point);
    }
  return curve;
}

/* The most that the process has held since training began: its own high-water mark where it rose,
 * else the most seen at the ends of steps. */
gsize
tune_measured_resident (const Loop *loop)
{
  gsize now, most;

  loop_resident (&now, &most);
  return most > loop->peak_before ? most : MAX (loop->resident, now);
}

static JsonObject *
beside_json (double forecast, double measured)
{
  JsonObject *json = json_object_new ();

  json_object_set_double_member (json, "forecast", forecast);
  json_object_set_double_member (json, "measured", measured);
  return json;
}

JsonNode *
tune_report (Tune *t, const Loop *loop)
{
  JsonNode *root = json_node_new (JSON_NODE_OBJECT);
  JsonObject *json = tune_card (t, loop), *beside = json_object_new ();

  json_object_set_array_member (json, "curve", training_curve (loop));
  json_object_set_array_member (json, "validation_curve", validation_curve (loop));
  json_object_set_object_member (
      beside, "resident_bytes",
      beside_json ((double) t->forecast.resident, (double) tune_measured_resident (loop)));
  json_object_set_object_member (
      beside, "backend_bytes",
      beside_json ((double) t->forecast.decoder_bytes + (double) t->forecast.optimiser_bytes,
                   (double) t->compute->peak_bytes));
  json_object_set_object_member (beside, "seconds",
                                 beside_json (t->forecast.step_seconds, loop->seconds));
  json_object_set_object_member (beside, "tokens",
                                 beside_json ((double) t->forecast.rows, (double) loop->rows));
  json_object_set_object_member (json, "forecast", beside);
  json_node_take_object (root, json);
  return root;
}
