/* SPDX-License-Identifier: Apache-2.0 */
/* models.c: who answers, and what became of it (models.h).  load.c makes revisions, routes.c leads
 * to them, window.c looks back, shadow.c compares.
 */
#include "config.h"

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "models-private.h"

#define SHADOW_BUFFER (4 * 1024 * 1024)
#define MILLISECOND ((double) G_TIME_SPAN_MILLISECOND)

const FrEnumValue *const serve_weights_choices[]
    = { FR_ENUM ("mapped", SERVE_WEIGHTS_MAPPED,
                 "in their files, mapped: shared by processes, read as needed, watched"),
        FR_ENUM ("memory", SERVE_WEIGHTS_MEMORY,
                 "copied at the start: files may be written to; takes their size in memory"),
        NULL };

gboolean
serve_models_configure (const ServeModelsConfig *config, FrProblems *problems)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = TRUE;

  if (config->name != NULL && !serve_name_check (config->name, &error))
    {
      fr_problems_add (problems, "/name", "%s", error->message);
      ok = FALSE;
    }
  for (const FrPair *p = config->adapters; p != NULL && p->key != NULL; p++)
    {
      g_clear_error (&error);
      if (serve_name_check (p->key, &error))
        continue;
      fr_problems_add (problems, "/adapters", "'%s': %s", p->key, error->message);
      ok = FALSE;
    }
  if (config->window <= 0)
    {
      fr_problems_add (problems, "/rollback_window", "a window of no length holds no requests");
      ok = FALSE;
    }
  return ok;
}

/* ---- life --------------------------------------------------------------------------------------
 */

static gboolean
keep_weights (ServeModels *models, GError **error)
{
  guint guarded;

  if (models->config->weights == SERVE_WEIGHTS_MEMORY)
    return lm_model_hold (models->model, error);
  guarded = lm_model_guard (models->model);
  if (guarded == 0 && lm_model_path (models->model) != NULL)
    serve_info (&models->teller,
                "the files of %s cannot be guarded against being written to (not ours, or the file "
                "system knows no leases): put new ones in place by renaming, or set weights_in to "
                "\"memory\"",
                lm_model_path (models->model));
  return TRUE;
}

static gboolean
load_adapters (ServeModels *models, GError **error)
{
  for (const FrPair *p = models->config->adapters; p != NULL && p->key != NULL; p++)
    {
      g_autoptr (ServeModel) model = NULL;
      gboolean unchanged;

      model = serve_models_load (models, p->key, p->value, 1, NULL, &unchanged, error);
      if (model == NULL)
        {
          g_prefix_error (error, "adapter '%s': ", p->key);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
set_routes (ServeModels *models, GError **error)
{
  JsonNode *routes = models->config->routes;
  JsonObjectIter iter;
  const char *name;
  JsonNode *route;

  if (routes == NULL)
    return TRUE;
  json_object_iter_init_ordered (&iter, json_node_get_object (routes));
  while (json_object_iter_next_ordered (&iter, &name, &route))
    if (!serve_models_route (models, name, json_node_get_object (route), error))
      {
        g_prefix_error (error, "route '%s': ", name);
        return FALSE;
      }
  return TRUE;
}

static gboolean
set_default (ServeModels *models, const char *base, GError **error)
{
  const char *first = models->config->first != NULL ? models->config->first : base;
  gboolean ok;

  g_mutex_lock (&models->lock);
  ok = g_hash_table_contains (models->routes, first) || serve_models_unknown (models, first, error);
  g_mutex_unlock (&models->lock);
  if (!ok)
    g_prefix_error (error, "default_model: ");
  models->default_name = g_strdup (first);
  return ok;
}

/* What a model is called that was given no name: the last part of its path that says something. */
static char *
base_name (const ServeModels *models)
{
  g_autofree char *last = NULL;
  const char *path = lm_model_path (models->model);
  char *at;

  if (models->config->name != NULL)
    return g_strdup (models->config->name);
  last = path != NULL ? g_path_get_basename (path) : g_strdup ("model");
  if (g_str_has_suffix (last, ".gguf"))
    last[strlen (last) - strlen (".gguf")] = '\0';
  for (at = last; (at = strpbrk (at, "@ \t\n\r")) != NULL;)
    *at = '-';
  return serve_name_check (last, NULL) ? g_steal_pointer (&last) : g_strdup ("model");
}

static ServeAdapterHome *
home_new (const ServeAdapters *ops)
{
  ServeAdapterHome *home = g_new0 (ServeAdapterHome, 1);

  home->refs = 1;
  home->open = TRUE;
  home->ops = *ops;
  g_mutex_init (&home->lock);
  return home;
}

static ServeModels *
models_alloc (const ServeModelsConfig *config, LmModel *model, const ServeAdapters *adapters,
              const ServeTeller *teller)
{
  ServeModels *models = g_new0 (ServeModels, 1);

  models->config = config;
  models->model = fr_object_ref (model);
  models->home = home_new (adapters);
  if (teller != NULL)
    models->teller = *teller;
  g_mutex_init (&models->change);
  g_mutex_init (&models->look);
  g_mutex_init (&models->lock);
  models->names
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) serve_name_free);
  models->revisions = g_hash_table_new (g_str_hash, g_str_equal);
  models->routes
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) serve_route_free);
  return models;
}

ServeModels *
serve_models_new (const ServeModelsConfig *config, LmModel *model, const ServeAdapters *adapters,
                  const ServeTeller *teller, GError **error)
{
  g_autoptr (ServeModels) models = models_alloc (config, model, adapters, teller);
  g_autofree char *base = base_name (models);

  if (config->shadow_path != NULL)
    {
      models->shadow = serve_lines_open (config->shadow_path, "the shadow log", 0600, SHADOW_BUFFER,
                                         teller, error);
      if (models->shadow == NULL)
        return NULL;
    }
  if (!keep_weights (models, error))
    return NULL;
  serve_models_add_base (models, base);
  if (!load_adapters (models, error) || !set_routes (models, error)
      || !set_default (models, base, error))
    return NULL;
  return g_steal_pointer (&models);
}

void
serve_models_free (ServeModels *models)
{
  if (models == NULL)
    return;
  g_hash_table_unref (models->routes);
  g_hash_table_unref (models->revisions);
  g_hash_table_unref (models->names);
  g_mutex_lock (&models->home->lock);
  models->home->open = FALSE;
  g_mutex_unlock (&models->home->lock);
  serve_models_home_unref (models->home);
  g_clear_pointer (&models->shadow, serve_lines_close);
  fr_object_unref (models->model);
  g_mutex_clear (&models->change);
  g_mutex_clear (&models->look);
  g_mutex_clear (&models->lock);
  g_free (models->default_name);
  g_free (models);
}

/* ---- who answers -------------------------------------------------------------------------------
 */

void
serve_pick_clear (ServePick *pick)
{
  g_clear_pointer (&pick->model, serve_model_unref);
  g_clear_pointer (&pick->shadow, serve_model_unref);
}

/* Where @who stands in [0, 1) of the requests for @name. */
static double
place_of (const char *name, const char *who)
{
  XXH64_hash_t seed = XXH3_64bits (name, strlen (name));

  return ldexp ((double) (XXH3_64bits_withSeed (who, strlen (who), seed) >> 11), -53);
}

/* Targets lie one behind the other; a new one is at the end, and grows towards the front. */
static ServeModel *
choose (const ServeRoute *route, const char *who)
{
  const GArray *targets = route->now->targets;
  double total = 0, place;

  if (targets->len == 1)
    return g_array_index (targets, ServeTarget, 0).model;
  for (guint i = 0; i < targets->len; i++)
    total += g_array_index (targets, ServeTarget, i).weight;
  place = place_of (route->name, who) * total;
  for (guint i = 0; i + 1 < targets->len; i++)
    {
      const ServeTarget *target = &g_array_index (targets, ServeTarget, i);

      if (place < target->weight)
        return target->model;
      place -= target->weight;
    }
  return g_array_index (targets, ServeTarget, targets->len - 1).model;
}

gboolean
serve_models_pick (ServeModels *models, const char *name, const char *who, ServePick *pick,
                   GError **error)
{
  ServeRoute *route;
  ServeModel *model;

  memset (pick, 0, sizeof *pick);
  if (name == NULL || *name == '\0')
    name = models->default_name;
  g_mutex_lock (&models->lock);
  route = g_hash_table_lookup (models->routes, name);
  if (route != NULL)
    {
      pick->name = g_intern_string (route->name);
      pick->model = serve_model_ref (choose (route, who));
      if (route->now->shadow != NULL && route->now->shadow != pick->model)
        pick->shadow = serve_model_ref (route->now->shadow);
    }
  else if ((model = g_hash_table_lookup (models->revisions, name)) != NULL)
    {
      pick->name = g_intern_string (model->id);
      pick->model = serve_model_ref (model);
    }
  else
    serve_models_unknown (models, name, error);
  g_mutex_unlock (&models->lock);
  return pick->model != NULL;
}

gboolean
serve_models_has (ServeModels *models, const char *id)
{
  ServeName *name;
  gboolean has;

  g_mutex_lock (&models->lock);
  name = g_hash_table_lookup (models->names, id);
  has = g_hash_table_contains (models->routes, id) || g_hash_table_contains (models->revisions, id)
        || (name != NULL && name->revisions->len > 0);
  g_mutex_unlock (&models->lock);
  return has;
}

gboolean
serve_models_split (ServeModels *models)
{
  return g_atomic_int_get (&models->n_split) > 0;
}

/* Whether @record says something of the model: not when nothing was computed, or nobody waited. */
static gboolean
counts_for_guard (const ServeRecord *record)
{
  return record->cache != SERVE_CACHE_HIT && record->cache != SERVE_CACHE_SHARED
         && record->status != 499 && g_strcmp0 (record->stop, "cancelled") != 0;
}

void
serve_models_done (ServeModels *models, const char *name, ServeModel *model,
                   const ServeRecord *record, gint64 now)
{
  gboolean guarded = FALSE;
  ServeRoute *route;

  __atomic_fetch_add (&model->priv->requests, 1, __ATOMIC_RELAXED);
  if (record->fault)
    __atomic_fetch_add (&model->priv->faults, 1, __ATOMIC_RELAXED);
  if (!counts_for_guard (record))
    return;
  g_mutex_lock (&models->lock);
  route = g_hash_table_lookup (models->routes, name);
  for (guint i = 0; route != NULL && i < route->now->targets->len; i++)
    {
      ServeTarget *target = &g_array_index (route->now->targets, ServeTarget, i);

      if (target->model == model)
        serve_window_add (target->window, now, record->total_us, record->fault);
    }
  if (route != NULL)
    guarded = route->now->guard.fault_share > 0 || route->now->guard.p95 > 0;
  g_mutex_unlock (&models->lock);
  if (guarded)
    serve_routes_judge (models, name, now);
}

/* ---- the base's files --------------------------------------------------------------------------
 */

static void
tell_files (ServeModels *models, LmFilesState state, const char *which, const GError *error)
{
  switch (state)
    {
    case LM_FILES_REPLACED:
      serve_warn (&models->teller,
                  "%s is another file now, or gone; the server goes on with what it opened, and "
                  "serves the new one when it is started again",
                  which);
      break;
    case LM_FILES_HELD:
      serve_warn (&models->teller,
                  "%s was opened to be written to; its weights were in memory before anything was "
                  "written, and the server goes on with them",
                  which);
      break;
    case LM_FILES_WRITTEN:
      serve_warn (
          &models->teller,
          "%s was written to in place while it is served%s%s: answers may be nonsense, and a "
          "file that became shorter ends the server; start it again, and put files in place "
          "by renaming",
          which, error != NULL ? ", " : "", error != NULL ? error->message : "");
      break;
    case LM_FILES_SAME:
    default:
      serve_info (&models->teller, "the model's files are those that were opened again");
    }
}

void
serve_models_look (ServeModels *models)
{
  g_autoptr (GError) error = NULL;
  LmFilesState state, before;
  const char *which;

  g_mutex_lock (&models->look);
  before = models->files;
  state = lm_model_look (models->model, &which, &error);
  /* Who was held up has not written yet. */
  if (state == LM_FILES_SAME && before == LM_FILES_HELD)
    state = before;
  models->files = state;
  if (state != before)
    tell_files (models, state, which, error);
  g_mutex_unlock (&models->look);
  if (state == LM_FILES_WRITTEN && before != state)
    serve_models_tell_changed (models);
}

void
serve_models_tick (ServeModels *models, gint64 now)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer value;

  serve_models_look (models);
  g_mutex_lock (&models->lock);
  g_hash_table_iter_init (&iter, models->routes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const ServeGuard *guard = &((ServeRoute *) value)->now->guard;

      if (guard->fault_share > 0 || guard->p95 > 0)
        g_ptr_array_add (names, g_strdup (((ServeRoute *) value)->name));
    }
  g_mutex_unlock (&models->lock);
  for (guint i = 0; i < names->len; i++)
    serve_routes_judge (models, g_ptr_array_index (names, i), now);
}

/* ---- telling -----------------------------------------------------------------------------------
 */

static void
add_array (JsonObject *object, const char *key, JsonArray *array)
{
  json_object_set_array_member (object, key, array);
}

static JsonObject *
show_target (const ServeTarget *target, gint64 now)
{
  JsonObject *object = json_object_new ();
  ServeWindowFigures figures;

  serve_window_look (target->window, now, &figures);
  json_object_set_string_member (object, "revision", target->model->id);
  json_object_set_double_member (object, "weight", target->weight);
  json_object_set_int_member (object, "recent_requests", (gint64) figures.n);
  json_object_set_int_member (object, "recent_faults", (gint64) figures.faults);
  if (figures.n > 0)
    json_object_set_double_member (object, "recent_p95_ms", (double) figures.p95 / MILLISECOND);
  return object;
}

static JsonObject *
show_route (const ServeModels *models, const ServeRoute *route, gint64 now)
{
  JsonObject *object = json_object_new ();
  JsonArray *targets = json_array_new ();

  for (guint i = 0; i < route->now->targets->len; i++)
    json_array_add_object_element (
        targets, show_target (&g_array_index (route->now->targets, ServeTarget, i), now));
  json_object_set_string_member (object, "name", route->name);
  json_object_set_boolean_member (object, "default",
                                  g_strcmp0 (route->name, models->default_name) == 0);
  add_array (object, "targets", targets);
  if (route->now->shadow != NULL)
    json_object_set_string_member (object, "shadow", route->now->shadow->id);
  else
    json_object_set_null_member (object, "shadow");
  json_object_set_member (object, "guard", serve_guard_show (&route->now->guard));
  json_object_set_int_member (object, "steps_back", route->before->len);
  return object;
}

static JsonObject *
show_revision (const ServeModel *model)
{
  JsonObject *object = json_object_new ();
  GString *since = g_string_new (NULL);

  fr_timestamp_append (since, model->since);
  json_object_set_string_member (object, "revision", model->id);
  json_object_set_string_member (object, "name", model->name);
  json_object_set_string_member (object, "kind", model->priv->is_base ? "model" : "adapter");
  if (model->path != NULL)
    json_object_set_string_member (object, "path", model->path);
  json_object_set_string_member (object, "hash", model->hash);
  json_object_set_string_member (object, "loaded", since->str);
  json_object_set_int_member (object, "requests",
                              (gint64) __atomic_load_n (&model->priv->requests, __ATOMIC_RELAXED));
  json_object_set_int_member (object, "faults",
                              (gint64) __atomic_load_n (&model->priv->faults, __ATOMIC_RELAXED));
  g_string_free (since, TRUE);
  return object;
}

static int
compare_keys (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

static int
compare_revisions (gconstpointer a, gconstpointer b)
{
  const ServeModel *x = *(ServeModel *const *) a, *y = *(ServeModel *const *) b;
  int names = strcmp (x->name, y->name);

  return names != 0 ? names : (int) x->number - (int) y->number;
}

/* Lock held. */
static JsonArray *
show_revisions (ServeModels *models)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  JsonArray *array = json_array_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, models->revisions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_add (all, value);
  g_ptr_array_sort (all, compare_revisions);
  for (guint i = 0; i < all->len; i++)
    json_array_add_object_element (array, show_revision (g_ptr_array_index (all, i)));
  return array;
}

JsonNode *
serve_models_list (ServeModels *models, gint64 now)
{
  JsonObject *object = json_object_new ();
  JsonArray *routes = json_array_new ();
  JsonNode *node = json_node_alloc ();
  g_autoptr (GList) names = NULL;

  g_mutex_lock (&models->lock);
  names = g_list_sort (g_hash_table_get_keys (models->routes), compare_keys);
  for (GList *l = names; l != NULL; l = l->next)
    json_array_add_object_element (
        routes, show_route (models, g_hash_table_lookup (models->routes, l->data), now));
  add_array (object, "routes", routes);
  add_array (object, "revisions", show_revisions (models));
  g_mutex_unlock (&models->lock);
  g_mutex_lock (&models->look);
  json_object_set_boolean_member (object, "files_changed",
                                  models->files == LM_FILES_REPLACED
                                      || models->files == LM_FILES_WRITTEN);
  g_mutex_unlock (&models->look);
  json_node_init_object (node, object);
  json_object_unref (object);
  return node;
}

JsonObject *
serve_models_show (ServeModels *models, const char *name)
{
  JsonObject *object = NULL;
  ServeRoute *route;

  g_mutex_lock (&models->lock);
  route = g_hash_table_lookup (models->routes, name);
  if (route != NULL)
    object = show_route (models, route, g_get_monotonic_time ());
  g_mutex_unlock (&models->lock);
  return object;
}

static void
listed_free (gpointer data)
{
  ServeListed *listed = data;

  g_free (listed->name);
  g_free (listed->root);
  g_free (listed);
}

static ServeListed *
list_route (const ServeModels *models, const ServeRoute *route)
{
  const ServeTarget *most = &g_array_index (route->now->targets, ServeTarget, 0);
  ServeListed *listed = g_new0 (ServeListed, 1);

  for (guint i = 1; i < route->now->targets->len; i++)
    if (g_array_index (route->now->targets, ServeTarget, i).weight > most->weight)
      most = &g_array_index (route->now->targets, ServeTarget, i);
  listed->name = g_strdup (route->name);
  listed->root = g_strdup (most->model->id);
  listed->since = most->model->since;
  listed->is_default = g_strcmp0 (route->name, models->default_name) == 0;
  return listed;
}

static int
compare_listed (gconstpointer a, gconstpointer b)
{
  const ServeListed *x = *(ServeListed *const *) a, *y = *(ServeListed *const *) b;

  return x->is_default != y->is_default ? (x->is_default ? -1 : 1) : strcmp (x->name, y->name);
}

GPtrArray *
serve_models_names (ServeModels *models)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (listed_free);
  GHashTableIter iter;
  gpointer value;

  g_mutex_lock (&models->lock);
  g_hash_table_iter_init (&iter, models->routes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_add (names, list_route (models, value));
  g_mutex_unlock (&models->lock);
  g_ptr_array_sort (names, compare_listed);
  return names;
}

void
serve_models_counts (ServeModels *models, ServeModelsCounts *counts)
{
  g_mutex_lock (&models->lock);
  *counts = models->counts;
  counts->routes = g_hash_table_size (models->routes);
  counts->revisions = g_hash_table_size (models->revisions);
  g_mutex_unlock (&models->lock);
  g_mutex_lock (&models->look);
  counts->changed = models->files == LM_FILES_REPLACED || models->files == LM_FILES_WRITTEN;
  g_mutex_unlock (&models->look);
}

static void
watch_route (const ServeRoute *route, ServeMetrics *metrics)
{
  const GArray *targets = route->now->targets;
  double total = 0;

  for (guint i = 0; i < targets->len; i++)
    total += g_array_index (targets, ServeTarget, i).weight;
  for (guint i = 0; i < targets->len; i++)
    {
      const ServeTarget *target = &g_array_index (targets, ServeTarget, i);

      serve_cell_set (SERVE_CELL (metrics, SERVE_F_ROUTE_SHARE, route->name, target->model->id),
                      target->weight / total);
    }
}

void
serve_models_watch (ServeModels *models, ServeMetrics *metrics)
{
  GHashTableIter iter;
  gpointer value;

  serve_metrics_forget (metrics, SERVE_F_MODEL_INFO);
  serve_metrics_forget (metrics, SERVE_F_ROUTE_SHARE);
  g_mutex_lock (&models->lock);
  g_hash_table_iter_init (&iter, models->revisions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const ServeModel *model = value;

      serve_cell_set (SERVE_CELL (metrics, SERVE_F_MODEL_INFO, model->name, model->id, model->hash),
                      1);
    }
  g_hash_table_iter_init (&iter, models->routes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    watch_route (value, metrics);
  g_mutex_unlock (&models->lock);
}
