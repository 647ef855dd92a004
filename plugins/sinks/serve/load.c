/* SPDX-License-Identifier: Apache-2.0 */
/* load.c: revisions: how they come, and how they go (models.h).
 *
 *   directory --read, checked--> LmLora --given to the scheduler--> ServeModel --lock, route-->
 * served
 *
 * Everything that takes time is done before the lock; what fails on the way leaves no trace.
 */
#include "config.h"

#include <flowrun/error.h>
#include <flowrun/json.h>
#include <string.h>
#include <xxhash.h>

#include "models-private.h"

#define MAX_NAME 128
#define ADAPTER_OWN 0 /* LM_ADAPTER_OWN of lm/decoder.h */
#define LISTED 20     /* names in a message */

/* ---- names -------------------------------------------------------------------------------------
 */

gboolean
serve_name_check (const char *name, GError **error)
{
  gboolean ok = *name != '\0' && strlen (name) <= MAX_NAME && g_utf8_validate (name, -1, NULL);

  for (const char *at = name; ok && *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      ok = c != '@' && g_unichar_isprint (c) && !g_unichar_isspace (c);
    }
  if (!ok)
    g_set_error (
        error, FR_ERROR, FR_ERROR_CONFIG,
        "a model's name has 1 to %d bytes of printable characters, none of them a space or "
        "'@', which stands between a name and the number of its revision",
        MAX_NAME);
  return ok;
}

void
serve_name_free (ServeName *name)
{
  g_ptr_array_unref (name->revisions);
  g_free (name->name);
  g_free (name);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

gboolean
serve_models_unknown (ServeModels *models, const char *name, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *all = NULL;
  GHashTable *tables[] = { models->routes, models->revisions };
  const char *near;
  gboolean more;

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      GHashTableIter iter;
      gpointer key;

      g_hash_table_iter_init (&iter, tables[i]);
      while (g_hash_table_iter_next (&iter, &key, NULL))
        g_ptr_array_add (names, key);
    }
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  near = fr_suggest (name, (const char *const *) names->pdata);
  more = names->len > LISTED + 1;
  if (more)
    names->pdata[LISTED] = NULL;
  all = g_strjoinv (", ", (char **) names->pdata);
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "there is no model '%s'%s%s%s; there are %s%s",
               name, near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
               near != NULL ? "'?" : "", all, more ? " and more" : "");
  return FALSE;
}

/* ---- revisions ---------------------------------------------------------------------------------
 */

void
serve_models_home_unref (ServeAdapterHome *home)
{
  if (!g_atomic_int_dec_and_test (&home->refs))
    return;
  g_mutex_clear (&home->lock);
  g_free (home);
}

ServeModel *
serve_model_ref (ServeModel *model)
{
  g_atomic_int_inc (&model->refs);
  return model;
}

void
serve_model_unref (ServeModel *model)
{
  ServeAdapterHome *home;

  if (model == NULL || !g_atomic_int_dec_and_test (&model->refs))
    return;
  home = model->priv->home;
  g_mutex_lock (&home->lock);
  if (home->open && !model->priv->is_base)
    home->ops.remove (home->ops.data, model->adapter);
  g_mutex_unlock (&home->lock);
  serve_models_home_unref (home);
  fr_object_unref (model->model);
  g_free (model->name);
  g_free (model->id);
  g_free (model->path);
  g_free (model->hash);
  g_free (model->base_hash);
  g_free (model->template_hash);
  g_free (model->priv);
  g_free (model);
}

void
serve_model_hash (const ServeModel *model, ServeCacheHash *hash)
{
  serve_cache_hash_add_text (hash, model->base_hash);
  serve_cache_hash_add_text (hash, model->hash);
  serve_cache_hash_add_text (hash, model->template_hash);
}

static char *
template_hash (LmModel *model)
{
  const char *source = lm_model_template_source (model);
  XXH128_hash_t hash;

  if (source == NULL)
    return NULL;
  hash = XXH3_128bits (source, strlen (source));
  return g_strdup_printf ("xxh3:%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
                          (guint64) hash.high64, (guint64) hash.low64);
}

/* @key of what describes @model in a manifest; NULL: it has none. */
static char *
described (LmModel *model, const char *key)
{
  g_autoptr (JsonNode) node = lm_model_type.describe ((FrObject *) model);

  return g_strdup (
      json_object_get_string_member_with_default (json_node_get_object (node), key, NULL));
}

/* Of the weights below all adapters.  A model that lies in no file is itself alone. */
static char *
weights_hash (LmModel *model)
{
  g_autofree char *base = described (model, "base_hash");
  g_autofree char *tensors = described (model, "tensors_hash");

  if (base == NULL)
    return g_strdup_printf ("memory:%p", (gpointer) model);
  return tensors != NULL ? g_strconcat (base, " + ", tensors, NULL) : g_steal_pointer (&base);
}

static char *
adapter_hash (LmModel *base, LmLora *lora)
{
  g_autoptr (LmModel) adapted = lm_model_new_adapted (base, lora, NULL);

  return described (adapted, "adapter_hash");
}

/* @hash: taken. */
static ServeModel *
model_new (ServeModels *models, const char *name, guint number, const char *path, char *hash)
{
  ServeModel *model = g_new0 (ServeModel, 1);

  model->refs = 1;
  model->name = g_strdup (name);
  model->number = number;
  model->id = g_strdup_printf ("%s@%u", name, number);
  model->path = g_strdup (path);
  model->hash = hash;
  model->base_hash = weights_hash (models->model);
  model->template_hash = template_hash (models->model);
  model->model = fr_object_ref (models->model);
  model->since = g_get_real_time ();
  model->priv = g_new0 (struct _ServeModelPrivate, 1);
  model->priv->home = models->home;
  g_atomic_int_inc (&models->home->refs);
  return model;
}

/* Lock held; @model: taken. */
static void
add_revision (ServeModels *models, ServeModel *model)
{
  ServeName *name = g_hash_table_lookup (models->names, model->name);

  if (name == NULL)
    {
      name = g_new0 (ServeName, 1);
      name->name = g_strdup (model->name);
      name->revisions = g_ptr_array_new_with_free_func ((GDestroyNotify) serve_model_unref);
      g_hash_table_insert (models->names, name->name, name);
    }
  name->last = model->number;
  g_ptr_array_add (name->revisions, model);
  g_hash_table_insert (models->revisions, model->id, model);
}

void
serve_models_add_base (ServeModels *models, const char *name)
{
  ServeGuard guard = serve_routes_default_guard (models->config);
  ServeRouteState *state = serve_route_state_new (&guard);
  g_autofree char *own = described (models->model, "adapter_hash");
  ServeModel *model = model_new (models, name, 1, lm_model_path (models->model), NULL);

  model->hash = own != NULL ? g_steal_pointer (&own) : g_strdup (model->base_hash);
  model->adapter = ADAPTER_OWN;
  model->priv->is_base = TRUE;
  serve_route_state_add (state, model, 1);
  g_mutex_lock (&models->lock);
  add_revision (models, model);
  serve_routes_set (models, name, state, NULL);
  g_mutex_unlock (&models->lock);
}

/* ---- room for another --------------------------------------------------------------------------
 */

typedef enum
{
  USE_NONE = 0,
  USE_LAST, /* a route would be rolled back to it */
  USE_NOW
} Use;

static Use
use_of (ServeModels *models, const ServeModel *model)
{
  GHashTableIter iter;
  gpointer value;
  Use use = USE_NONE;

  g_hash_table_iter_init (&iter, models->routes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const ServeRoute *route = value;

      if (serve_route_state_has (route->now, model))
        return USE_NOW;
      if (route->before->len > 0
          && serve_route_state_has (g_ptr_array_index (route->before, route->before->len - 1),
                                    model))
        use = USE_LAST;
    }
  return use;
}

/* Lock held: takes @model out of names and of what routes remember; what is to be freed without the
 * lock goes to @gone (states) and @free_models. */
static void
drop_revision (ServeModels *models, ServeModel *model, GPtrArray *gone, GPtrArray *free_models)
{
  ServeName *name = g_hash_table_lookup (models->names, model->name);
  GHashTableIter iter;
  gpointer value;
  guint at;

  g_hash_table_iter_init (&iter, models->routes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      ServeRoute *route = value;

      for (guint i = route->before->len; i > 0; i--)
        if (serve_route_state_has (g_ptr_array_index (route->before, i - 1), model))
          g_ptr_array_add (gone, g_ptr_array_steal_index (route->before, i - 1));
    }
  g_hash_table_remove (models->revisions, model->id);
  g_ptr_array_add (free_models, serve_model_ref (model));
  if (g_ptr_array_find (name->revisions, model, &at))
    g_ptr_array_remove_index (name->revisions, at);
  models->counts.unloaded++;
}

/* The one that is missed least: the oldest that no route leads to, nor would be rolled back to. */
static ServeModel *
least_needed (ServeModels *models)
{
  ServeModel *best = NULL;
  Use best_use = USE_NOW;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, models->revisions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      ServeModel *model = value;
      Use use = model->priv->is_base ? USE_NOW : use_of (models, model);

      if (use < best_use || (use == best_use && best != NULL && model->since < best->since))
        {
          best = model;
          best_use = use;
        }
    }
  return best;
}

static gboolean
make_room (ServeModels *models, GPtrArray *gone, GPtrArray *free_models, GError **error)
{
  while (g_hash_table_size (models->revisions) > (guint) models->config->max_adapters) /* + base */
    {
      ServeModel *model = least_needed (models);

      if (model == NULL)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                       "%" G_GINT64_FORMAT
                       " adapters are held, and routes lead to all of them: unload one, or raise "
                       "max_adapters",
                       models->config->max_adapters);
          return FALSE;
        }
      drop_revision (models, model, gone, free_models);
    }
  return TRUE;
}

/* ---- loading -----------------------------------------------------------------------------------
 */

/* Where @path leads, when it may: below adapters_dir, where there is one. */
static char *
allowed_path (const ServeModels *models, const char *path, GError **error)
{
  const char *root = models->config->adapters_dir;
  g_autofree char *full = g_canonicalize_filename (path, root);
  g_autofree char *real = realpath (full, NULL), *real_root = NULL;
  gsize len;

  if (root == NULL)
    return g_steal_pointer (&full);
  real_root = realpath (root, NULL);
  len = real_root != NULL ? strlen (real_root) : 0;
  if (real != NULL && len > 0 && strncmp (real, real_root, len) == 0 && real[len] == '/')
    return g_strdup (real);
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "adapters are loaded from below %s (adapters_dir) alone; there is no '%s' there",
               root, path);
  return NULL;
}

/* The newest revision of @name, a reference, when it holds what @hash says. */
static ServeModel *
same_as_newest (ServeModels *models, const char *name, const char *hash)
{
  ServeModel *same = NULL;
  ServeName *known;

  g_mutex_lock (&models->lock);
  known = g_hash_table_lookup (models->names, name);
  if (known != NULL && known->revisions->len > 0)
    {
      ServeModel *newest = g_ptr_array_index (known->revisions, known->revisions->len - 1);

      if (strcmp (newest->hash, hash) == 0)
        same = serve_model_ref (newest);
    }
  g_mutex_unlock (&models->lock);
  return same;
}

static guint
next_number (ServeModels *models, const char *name)
{
  ServeName *known;
  guint number;

  g_mutex_lock (&models->lock);
  known = g_hash_table_lookup (models->names, name);
  number = known != NULL ? known->last + 1 : 1;
  g_mutex_unlock (&models->lock);
  return number;
}

/* What the route of @name says when @model gets @share of it. */
static ServeRouteState *
share_with (ServeModels *models, ServeModel *model, double share, const ServeGuard *guard)
{
  ServeRoute *route = g_hash_table_lookup (models->routes, model->name);
  ServeRouteState *state = serve_route_state_new (guard);
  double total = 0;

  if (route != NULL && share < 1)
    {
      for (guint i = 0; i < route->now->targets->len; i++)
        total += g_array_index (route->now->targets, ServeTarget, i).weight;
      for (guint i = 0; i < route->now->targets->len; i++)
        {
          const ServeTarget *t = &g_array_index (route->now->targets, ServeTarget, i);

          serve_route_state_add (state, t->model, t->weight / total * (1 - share) * 100);
        }
    }
  if (route != NULL && route->now->shadow != NULL)
    state->shadow = serve_model_ref (route->now->shadow);
  serve_route_state_add (state, model, route != NULL ? share * 100 : 100);
  return state;
}

/* Read, checked and in the scheduler, but not yet known to anybody. */
static ServeModel *
read_adapter (ServeModels *models, const char *name, const char *path, gboolean *unchanged,
              GError **error)
{
  g_autoptr (LmLora) lora = lm_lora_load (path, lm_model_config (models->model), error);
  g_autofree char *hash = NULL;
  ServeModel *model;
  guint adapter;

  if (lora == NULL)
    return NULL;
  hash = adapter_hash (models->model, lora);
  if ((model = same_as_newest (models, name, hash)) != NULL)
    {
      *unchanged = TRUE;
      return model;
    }
  if (!models->home->ops.add (models->home->ops.data, lora, &adapter, error))
    return NULL;
  model = model_new (models, name, next_number (models, name), path, g_steal_pointer (&hash));
  model->adapter = adapter;
  return model;
}

static void
all_free (GPtrArray *gone, GPtrArray *free_models)
{
  g_ptr_array_set_free_func (gone, (GDestroyNotify) serve_route_state_free);
  g_ptr_array_unref (gone);
  g_ptr_array_set_free_func (free_models, (GDestroyNotify) serve_model_unref);
  g_ptr_array_unref (free_models);
}

/* Makes @model known and leads @share of its name's requests there. */
static gboolean
enter (ServeModels *models, ServeModel *model, double share, const ServeGuard *guard,
       GError **error)
{
  GPtrArray *gone = g_ptr_array_new (), *free_models = g_ptr_array_new ();
  gboolean ok;

  g_mutex_lock (&models->lock);
  ok = make_room (models, gone, free_models, error);
  if (ok)
    {
      ServeRouteState *state = share_with (models, model, share, guard);

      add_revision (models, serve_model_ref (model));
      serve_routes_set (models, model->name, state, gone);
      models->counts.loaded++;
    }
  g_mutex_unlock (&models->lock);
  all_free (gone, free_models);
  return ok;
}

static ServeModel *
load (ServeModels *models, const char *name, const char *path, double share,
      const ServeGuard *guard, gboolean *unchanged, GError **error)
{
  g_autofree char *full = NULL;
  g_autoptr (ServeModel) model = NULL;

  serve_models_look (models);
  if (!serve_name_check (name, error) || (full = allowed_path (models, path, error)) == NULL)
    return NULL;
  if (!(share > 0 && share <= 1))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "a new revision gets more than 0 and at most 100 percent of the requests");
      return NULL;
    }
  model = read_adapter (models, name, full, unchanged, error);
  if (model == NULL || (!*unchanged && !enter (models, model, share, guard, error)))
    return NULL;
  return g_steal_pointer (&model);
}

ServeModel *
serve_models_load (ServeModels *models, const char *name, const char *path, double share,
                   const ServeGuard *guard, gboolean *unchanged, GError **error)
{
  ServeGuard own = serve_routes_default_guard (models->config);
  GError *local = NULL;
  ServeModel *model;

  *unchanged = FALSE;
  g_mutex_lock (&models->change);
  model = load (models, name, path, share, guard != NULL ? guard : &own, unchanged, &local);
  g_mutex_unlock (&models->change);
  if (model == NULL)
    {
      g_mutex_lock (&models->lock);
      models->counts.failed++;
      g_mutex_unlock (&models->lock);
      serve_warn (&models->teller,
                  "an adapter for '%s' was not loaded, and nothing has changed: %s", name,
                  local->message);
      g_propagate_error (error, local);
      return NULL;
    }
  if (*unchanged)
    return model;
  serve_models_tell_changed (models);
  serve_info (&models->teller, "%s was loaded from %s (%s) and gets %g %% of the requests for '%s'",
              model->id, model->path, model->hash, share * 100, name);
  return model;
}

/* ---- unloading ---------------------------------------------------------------------------------
 */

/* Lock held: why @model cannot go, when only the route @own may lead to it. */
static gboolean
may_go (ServeModels *models, const ServeModel *model, const char *own, GError **error)
{
  GHashTableIter iter;
  gpointer value;

  if (model->priv->is_base)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "%s is the model that all others stand on; it stays", model->id);
      return FALSE;
    }
  g_hash_table_iter_init (&iter, models->routes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const ServeRoute *route = value;

      if (g_strcmp0 (route->name, own) != 0 && serve_route_state_has (route->now, model))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                       "route '%s' leads to %s: lead it elsewhere first", route->name, model->id);
          return FALSE;
        }
    }
  return TRUE;
}

/* Lock held; a name goes with its route and all its revisions. */
static gboolean
drop_name (ServeModels *models, const char *name, GPtrArray *gone, GPtrArray *free_models,
           GError **error)
{
  ServeName *known = g_hash_table_lookup (models->names, name);
  ServeRoute *route = g_hash_table_lookup (models->routes, name);

  if ((known == NULL || known->revisions->len == 0) && route == NULL)
    return serve_models_unknown (models, name, error);
  if (strcmp (name, models->default_name) == 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "'%s' answers requests that name no model; it stays", name);
      return FALSE;
    }
  for (guint i = 0; known != NULL && i < known->revisions->len; i++)
    if (!may_go (models, g_ptr_array_index (known->revisions, i), name, error))
      return FALSE;
  if (route != NULL)
    {
      g_hash_table_steal (models->routes, name);
      g_ptr_array_add (gone, g_steal_pointer (&route->now));
      while (route->before->len > 0)
        g_ptr_array_add (gone, g_ptr_array_steal_index (route->before, 0));
      g_ptr_array_unref (route->before);
      g_free (route->name);
      g_free (route);
    }
  while (known != NULL && known->revisions->len > 0)
    drop_revision (models, g_ptr_array_index (known->revisions, 0), gone, free_models);
  return TRUE;
}

gboolean
serve_models_unload (ServeModels *models, const char *id, GError **error)
{
  GPtrArray *gone = g_ptr_array_new (), *free_models = g_ptr_array_new ();
  ServeModel *model;
  gboolean ok;

  g_mutex_lock (&models->change);
  g_mutex_lock (&models->lock);
  model = g_hash_table_lookup (models->revisions, id);
  if (model == NULL)
    ok = drop_name (models, id, gone, free_models, error);
  else if ((ok = may_go (models, model, NULL, error)))
    drop_revision (models, model, gone, free_models);
  serve_routes_changed (models);
  g_mutex_unlock (&models->lock);
  g_mutex_unlock (&models->change);
  all_free (gone, free_models);
  if (!ok)
    return FALSE;
  serve_models_tell_changed (models);
  serve_info (&models->teller, "'%s' was unloaded; requests at work end with it", id);
  return TRUE;
}
