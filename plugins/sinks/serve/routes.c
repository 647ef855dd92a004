/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c: where a public name leads: weights, shadow, guard, and back again (models.h). */
#include "config.h"

#include <flowrun/error.h>
#include <flowrun/json.h>
#include <math.h>
#include <string.h>

#include "models-private.h"

#define MAX_TARGETS 16
#define MAX_BEFORE 8
#define JUDGE_EVERY (100 * G_TIME_SPAN_MILLISECOND)
#define MILLISECOND ((double) G_TIME_SPAN_MILLISECOND)
#define SECOND ((double) G_TIME_SPAN_SECOND)

/* ---- states ------------------------------------------------------------------------------------
 */

static void
target_clear (gpointer data)
{
  ServeTarget *target = data;

  serve_model_unref (target->model);
  serve_window_free (target->window);
}

ServeRouteState *
serve_route_state_new (const ServeGuard *guard)
{
  ServeRouteState *state = g_new0 (ServeRouteState, 1);

  state->targets = g_array_new (FALSE, FALSE, sizeof (ServeTarget));
  g_array_set_clear_func (state->targets, target_clear);
  state->guard = *guard;
  state->since = g_get_monotonic_time ();
  return state;
}

void
serve_route_state_free (ServeRouteState *state)
{
  g_array_unref (state->targets);
  g_clear_pointer (&state->shadow, serve_model_unref);
  g_free (state);
}

static ServeTarget *
state_target (const ServeRouteState *state, guint i)
{
  return &g_array_index (state->targets, ServeTarget, i);
}

static ServeTarget *
find_target (const ServeRouteState *state, const ServeModel *model)
{
  for (guint i = 0; i < state->targets->len; i++)
    if (state_target (state, i)->model == model)
      return state_target (state, i);
  return NULL;
}

gboolean
serve_route_state_has (const ServeRouteState *state, const ServeModel *model)
{
  return state->shadow == model || find_target (state, model) != NULL;
}

void
serve_route_state_add (ServeRouteState *state, ServeModel *model, double weight)
{
  ServeTarget target = { serve_model_ref (model), weight, serve_window_new (state->guard.window) };

  g_array_append_val (state->targets, target);
}

void
serve_route_free (ServeRoute *route)
{
  serve_route_state_free (route->now);
  g_ptr_array_unref (route->before);
  g_free (route->name);
  g_free (route);
}

static ServeRoute *
route_new (const char *name, ServeRouteState *state)
{
  ServeRoute *route = g_new0 (ServeRoute, 1);

  route->name = g_strdup (name);
  route->now = state;
  route->before = g_ptr_array_new_with_free_func ((GDestroyNotify) serve_route_state_free);
  return route;
}

void
serve_routes_set (ServeModels *models, const char *name, ServeRouteState *state, GPtrArray *gone)
{
  ServeRoute *route = g_hash_table_lookup (models->routes, name);

  if (route == NULL)
    {
      route = route_new (name, state);
      g_hash_table_insert (models->routes, route->name, route);
    }
  else
    {
      if (route->before->len == MAX_BEFORE)
        g_ptr_array_add (gone, g_ptr_array_steal_index (route->before, 0));
      g_ptr_array_add (route->before, route->now);
      route->now = state;
    }
  serve_routes_changed (models);
}

void
serve_routes_changed (ServeModels *models)
{
  GHashTableIter iter;
  gpointer value;
  gint n = 0;

  g_hash_table_iter_init (&iter, models->routes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    n += ((ServeRoute *) value)->now->targets->len > 1 ? 1 : 0;
  g_atomic_int_set (&models->n_split, n);
}

void
serve_models_tell_changed (ServeModels *models)
{
  const ServeAdapters *ops = &models->home->ops;

  if (ops->changed != NULL)
    ops->changed (ops->data);
}

/* ---- guards ------------------------------------------------------------------------------------
 */

ServeGuard
serve_routes_default_guard (const ServeModelsConfig *config)
{
  return (ServeGuard){ .fault_share = config->max_fault_share,
                       .p95 = config->max_p95,
                       .window = config->window,
                       .watch = config->watch,
                       .least = (guint64) config->least };
}

ServeGuard
serve_models_guard (ServeModels *models)
{
  return serve_routes_default_guard (models->config);
}

static gboolean bad (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
bad (GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "%s", text);
  return FALSE;
}

/* A number in [@low, @high], as JSON has it. */
static gboolean
read_number (JsonNode *node, const char *key, double low, double high, double *to, GError **error)
{
  GType type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_NONE;

  if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
    {
      *to = json_node_get_double (node);
      if (*to >= low && *to <= high)
        return TRUE;
    }
  return bad (error, "%s: expected a number from %g to %g", key, low, high);
}

static gboolean
unknown_member (const char *key, const char *const *known, const char *where, GError **error)
{
  const char *near = fr_suggest (key, known);
  g_autofree char *all = g_strjoinv (", ", (char **) known);

  return bad (error, "%s has no member '%s'%s%s%s; it has %s", where, key,
              near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
              near != NULL ? "'?" : "", all);
}

gboolean
serve_guard_parse (JsonNode *node, ServeGuard *guard, GError **error)
{
  static const char *const known[]
      = { "fault_share", "p95_ms", "window_s", "watch_s", "least", NULL };
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  if (node == NULL)
    return TRUE;
  if (JSON_NODE_HOLDS_NULL (node))
    {
      guard->fault_share = 0;
      guard->p95 = 0;
      return TRUE;
    }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return bad (error, "guard: expected an object or null");
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &key, &value))
    {
      double number;
      gboolean share = strcmp (key, "fault_share") == 0;

      if (!g_strv_contains (known, key))
        return unknown_member (key, known, "guard", error);
      if (!read_number (value, key,
                        strcmp (key, "least") == 0 ? 1
                        : share                    ? 0
                                                   : 0.001,
                        share ? 1 : 1e9, &number, error))
        return FALSE;
      if (share)
        guard->fault_share = number;
      else if (strcmp (key, "p95_ms") == 0)
        guard->p95 = (gint64) (number * MILLISECOND);
      else if (strcmp (key, "window_s") == 0)
        guard->window = (gint64) (number * SECOND);
      else if (strcmp (key, "watch_s") == 0)
        guard->watch = (gint64) (number * SECOND);
      else
        guard->least = (guint64) number;
    }
  return TRUE;
}

JsonNode *
serve_guard_show (const ServeGuard *guard)
{
  JsonNode *node = json_node_alloc ();
  JsonObject *object;

  if (guard->fault_share == 0 && guard->p95 == 0)
    return json_node_init_null (node);
  object = json_object_new ();
  if (guard->fault_share > 0)
    json_object_set_double_member (object, "fault_share", guard->fault_share);
  if (guard->p95 > 0)
    json_object_set_double_member (object, "p95_ms", (double) guard->p95 / MILLISECOND);
  json_object_set_double_member (object, "window_s", (double) guard->window / SECOND);
  json_object_set_double_member (object, "watch_s", (double) guard->watch / SECOND);
  json_object_set_int_member (object, "least", (gint64) guard->least);
  json_node_init_object (node, object);
  json_object_unref (object);
  return node;
}

/* ---- what is asked for -------------------------------------------------------------------------
 */

/* A revision by its id, or the newest of a name; borrowed. */
static ServeModel *
find_revision (ServeModels *models, const char *id, GError **error)
{
  ServeModel *model = g_hash_table_lookup (models->revisions, id);
  ServeName *name = g_hash_table_lookup (models->names, id);

  if (model != NULL)
    return model;
  if (name != NULL && name->revisions->len > 0)
    return g_ptr_array_index (name->revisions, name->revisions->len - 1);
  serve_models_unknown (models, id, error);
  return NULL;
}

static gboolean
parse_targets (ServeModels *models, JsonNode *node, ServeRouteState *state, GError **error)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;
  guint n = node != NULL && JSON_NODE_HOLDS_OBJECT (node)
                ? json_object_get_size (json_node_get_object (node))
                : 0;

  if (n == 0 || n > MAX_TARGETS)
    return bad (error,
                "targets: expected an object of 1 to %d revisions and their weights, as in "
                "{\"copy@1\": 95, \"copy@2\": 5}",
                MAX_TARGETS);
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &key, &value))
    {
      g_autofree char *what = g_strdup_printf ("targets: '%s'", key);
      ServeModel *model;
      double weight;

      if (!read_number (value, what, G_MINDOUBLE, 1e9, &weight, error))
        return FALSE;
      model = find_revision (models, key, error);
      if (model == NULL)
        return FALSE;
      if (find_target (state, model) != NULL)
        return bad (error, "targets: '%s' stands there twice", model->id);
      serve_route_state_add (state, model, weight);
    }
  return TRUE;
}

static gboolean
parse_shadow (ServeModels *models, JsonNode *node, ServeRouteState *state, GError **error)
{
  ServeModel *model;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
    return bad (error, "shadow: expected the name of a revision, or null");
  model = find_revision (models, json_node_get_string (node), error);
  if (model == NULL)
    return FALSE;
  if (models->shadow == NULL)
    return bad (error, "shadow: there is no file for its answers: give the parameter shadow_log");
  state->shadow = serve_model_ref (model);
  return TRUE;
}

ServeRouteState *
serve_routes_parse (ServeModels *models, JsonObject *route, GError **error)
{
  static const char *const known[] = { "name", "targets", "shadow", "guard", NULL };
  ServeGuard guard = serve_routes_default_guard (models->config);
  g_autoptr (GList) keys = json_object_get_members (route);
  ServeRouteState *state;

  for (GList *l = keys; l != NULL; l = l->next)
    if (!g_strv_contains (known, l->data))
      {
        unknown_member (l->data, known, "a route", error);
        return NULL;
      }
  if (!serve_guard_parse (json_object_get_member (route, "guard"), &guard, error))
    return NULL;
  state = serve_route_state_new (&guard);
  if (parse_targets (models, json_object_get_member (route, "targets"), state, error)
      && parse_shadow (models, json_object_get_member (route, "shadow"), state, error))
    return state;
  serve_route_state_free (state);
  return NULL;
}

/* "copy@1 95, copy@2 5" */
static char *
describe (const ServeRouteState *state)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < state->targets->len; i++)
    g_string_append_printf (out, "%s%s %g", i > 0 ? ", " : "", state_target (state, i)->model->id,
                            state_target (state, i)->weight);
  if (state->shadow != NULL)
    g_string_append_printf (out, ", shadow %s", state->shadow->id);
  return g_string_free (out, FALSE);
}

static void
states_free (GPtrArray *gone)
{
  g_ptr_array_set_free_func (gone, (GDestroyNotify) serve_route_state_free);
  g_ptr_array_unref (gone);
}

gboolean
serve_models_route (ServeModels *models, const char *name, JsonObject *route, GError **error)
{
  GPtrArray *gone = g_ptr_array_new ();
  g_autofree char *text = NULL;
  ServeRouteState *state;

  if (!serve_name_check (name, error))
    {
      states_free (gone);
      return FALSE;
    }
  g_mutex_lock (&models->change);
  g_mutex_lock (&models->lock);
  state = serve_routes_parse (models, route, error);
  if (state != NULL)
    {
      text = describe (state);
      serve_routes_set (models, name, state, gone);
    }
  g_mutex_unlock (&models->lock);
  g_mutex_unlock (&models->change);
  states_free (gone);
  if (state == NULL)
    return FALSE;
  serve_models_tell_changed (models);
  serve_info (&models->teller, "route '%s' leads to %s", name, text);
  return TRUE;
}

/* ---- back --------------------------------------------------------------------------------------
 */

gboolean
serve_models_roll_back (ServeModels *models, const char *name, GError **error)
{
  ServeRouteState *left = NULL;
  g_autofree char *text = NULL;
  ServeRoute *route;

  g_mutex_lock (&models->change);
  g_mutex_lock (&models->lock);
  route = g_hash_table_lookup (models->routes, name);
  if (route == NULL)
    serve_models_unknown (models, name, error);
  else if (route->before->len == 0)
    bad (error, "route '%s' has led nowhere else before: there is nothing to roll back to", name);
  else
    {
      left = route->now;
      route->now = g_ptr_array_steal_index (route->before, route->before->len - 1);
      text = describe (route->now);
      models->counts.rolled_back++;
      serve_routes_changed (models);
    }
  g_mutex_unlock (&models->lock);
  g_mutex_unlock (&models->change);
  if (left == NULL)
    return FALSE;
  serve_route_state_free (left);
  serve_models_tell_changed (models);
  serve_info (&models->teller, "route '%s' was rolled back: it leads to %s", name, text);
  return TRUE;
}

/* Whether @target is new in @route, so that its guard watches it: by what the route was as far back
 * as it remembers, so that a canary that gets more weight is as new as it was; of several there,
 * the first is the one that others are tried beside. */
static gboolean
is_new (const ServeRoute *route, const ServeTarget *target, gint64 now)
{
  const ServeRouteState *first
      = route->before->len > 0 ? g_ptr_array_index (route->before, 0) : route->now;

  return now - route->now->since <= route->now->guard.watch
         && state_target (first, 0)->model != target->model
         && (first->targets->len > 1 || find_target (first, target->model) == NULL);
}

/* Why @target fails its guard; NULL: it does not. */
static char *
failing (const ServeRouteState *state, const ServeTarget *target, gint64 now)
{
  const ServeGuard *guard = &state->guard;
  ServeWindowFigures figures;
  double share;

  serve_window_look (target->window, now, &figures);
  if (figures.n < guard->least)
    return NULL;
  share = (double) figures.faults / (double) figures.n;
  if (guard->fault_share > 0 && share > guard->fault_share)
    return g_strdup_printf ("%.1f %% of its last %" G_GUINT64_FORMAT
                            " answers failed; the guard allows %.1f %%",
                            share * 100, figures.n, guard->fault_share * 100);
  if (guard->p95 > 0 && figures.p95 > guard->p95)
    return g_strdup_printf ("the 95th percentile of its last %" G_GUINT64_FORMAT
                            " answers is %.0f ms; the guard allows %.0f ms",
                            figures.n, (double) figures.p95 / MILLISECOND,
                            (double) guard->p95 / MILLISECOND);
  return NULL;
}

/* @state without @model; NULL: nothing would be left. */
static ServeRouteState *
without (const ServeRouteState *state, const ServeModel *model)
{
  ServeRouteState *rest = serve_route_state_new (&state->guard);

  for (guint i = 0; i < state->targets->len; i++)
    {
      const ServeTarget *target = state_target (state, i);

      if (target->model != model)
        serve_route_state_add (rest, target->model, target->weight);
    }
  if (state->shadow != NULL && state->shadow != model)
    rest->shadow = serve_model_ref (state->shadow);
  if (rest->targets->len > 0)
    return rest;
  serve_route_state_free (rest);
  return NULL;
}

/* Back to the latest state that does not lead to @model; else on without it. */
static gboolean
back_from (ServeModels *models, ServeRoute *route, const ServeModel *model, GPtrArray *gone)
{
  ServeRouteState *rest = NULL;
  guint keep = route->before->len;

  while (keep > 0 && find_target (g_ptr_array_index (route->before, keep - 1), model) != NULL)
    keep--;
  if (keep == 0 && (rest = without (route->now, model)) == NULL)
    return FALSE;
  g_ptr_array_add (gone, route->now);
  while (route->before->len > keep)
    g_ptr_array_add (gone, g_ptr_array_steal_index (route->before, route->before->len - 1));
  route->now = rest != NULL ? rest : g_ptr_array_steal_index (route->before, keep - 1);
  models->counts.rolled_back_alone++;
  serve_routes_changed (models);
  return TRUE;
}

void
serve_routes_judge (ServeModels *models, const char *name, gint64 now)
{
  GPtrArray *gone = g_ptr_array_new ();
  g_autofree char *why = NULL, *text = NULL, *id = NULL;
  ServeRoute *route;

  g_mutex_lock (&models->lock);
  route = g_hash_table_lookup (models->routes, name);
  if (route != NULL && (route->now->guard.fault_share > 0 || route->now->guard.p95 > 0)
      && (route->judged == 0 || now - route->judged >= JUDGE_EVERY || now < route->judged))
    {
      route->judged = now;
      for (guint i = 0; i < route->now->targets->len; i++)
        {
          const ServeTarget *target = state_target (route->now, i);

          if (!is_new (route, target, now) || (why = failing (route->now, target, now)) == NULL)
            continue;
          id = g_strdup (target->model->id);
          if (back_from (models, route, target->model, gone))
            text = describe (route->now);
          break;
        }
    }
  g_mutex_unlock (&models->lock);
  states_free (gone);
  if (text == NULL)
    return;
  serve_models_tell_changed (models);
  serve_warn (&models->teller, "%s was rolled back: %s; route '%s' leads to %s", id, why, name,
              text);
}
