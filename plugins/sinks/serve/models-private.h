/* SPDX-License-Identifier: Apache-2.0 */
/* models-private.h: the inside of models.h: models.c, load.c, routes.c, window.c, shadow.c. */
#ifndef FLOWRUN_SERVE_MODELS_PRIVATE_H
#define FLOWRUN_SERVE_MODELS_PRIVATE_H

#include "lines.h"
#include "models.h"

G_BEGIN_DECLS

/* ---- windows: what a guard looks at (window.c) -------------------------------------------------
 */

/** ServeWindow: requests of the last while: how many, how many failed, how long they took. */
typedef struct _ServeWindow ServeWindow;

/** serve_window_new: @length: µs that it covers. */
ServeWindow *serve_window_new (gint64 length);
void serve_window_free (ServeWindow *window);
void serve_window_add (ServeWindow *window, gint64 now, gint64 us, gboolean fault);

/** ServeWindowFigures: @p95: µs, to 1/8 of an octave at worst; 0 without requests. */
typedef struct
{
  guint64 n, faults;
  gint64 p95;
} ServeWindowFigures;

void serve_window_look (ServeWindow *window, gint64 now, ServeWindowFigures *figures);

/* ---- routes (routes.c) -------------------------------------------------------------------------
 */

/** ServeTarget: @window: what its requests by this route were, since the route is what it is. */
typedef struct
{
  ServeModel *model;
  double weight;
  ServeWindow *window;
} ServeTarget;

/** ServeRouteState: what a route says, from one change to the next. @since: monotonic µs. */
typedef struct
{
  GArray *targets; /* ServeTarget; at least one */
  ServeModel *shadow;
  ServeGuard guard;
  gint64 since;
} ServeRouteState;

/** ServeRoute: @before: ServeRouteState *, the latest last; @judged: monotonic µs, when it was
 * last. */
typedef struct
{
  char *name;
  ServeRouteState *now;
  GPtrArray *before;
  gint64 judged;
} ServeRoute;

/** ServeName: what was loaded under a name: @revisions: ServeModel *, in order, none when all are
 * gone; @last: number of the last one, never given again. */
typedef struct
{
  char *name;
  guint last;
  GPtrArray *revisions;
} ServeName;

/**
 * ServeAdapterHome: what revisions need of the models after these are gone: reference-counted.
 * @open: FALSE from serve_models_free() on: nobody is there to give the adapter back to
 */
typedef struct
{
  gint refs;
  GMutex lock;
  gboolean open;
  ServeAdapters ops;
} ServeAdapterHome;

struct _ServeModelPrivate
{
  ServeAdapterHome *home;
  gboolean is_base;
  guint64 requests, faults; /* atomic */
};

/**
 * ServeModels:
 * @change: held by whoever changes models or routes, for as long as it takes
 * @lock: guards everything below it, for moments
 * @n_split: routes with several targets; atomic
 */
struct _ServeModels
{
  const ServeModelsConfig *config;
  LmModel *model;
  ServeAdapterHome *home;
  ServeTeller teller;
  ServeLines *shadow;
  char *default_name;
  GMutex change;
  GMutex look; /* of files */
  LmFilesState files;
  gint n_split, shadow_running;

  GMutex lock;
  GHashTable *names;     /* ServeName by name */
  GHashTable *revisions; /* ServeModel by id; references are those of names */
  GHashTable *routes;    /* ServeRoute by name */
  ServeModelsCounts counts;
};

/** serve_route_state_new: @guard: copied. */
ServeRouteState *serve_route_state_new (const ServeGuard *guard);
/** serve_route_state_free: takes no lock, but may free a model: not under models->lock. */
void serve_route_state_free (ServeRouteState *state);
void serve_route_state_add (ServeRouteState *state, ServeModel *model, double weight);
/** serve_route_state_has: whether it leads to @model, as a target or a shadow. */
gboolean serve_route_state_has (const ServeRouteState *state, const ServeModel *model);
void serve_route_free (ServeRoute *route);

/**
 * serve_routes_set: makes @state (taken) what the route of @name says now, under models->lock.
 * @gone: what is to be freed after the lock (ServeRouteState *)
 */
void serve_routes_set (ServeModels *models, const char *name, ServeRouteState *state,
                       GPtrArray *gone);
/** serve_routes_changed: after every change, with models->lock held: counts split routes. */
void serve_routes_changed (ServeModels *models);
/** serve_models_tell_changed: after every change, with no lock held. */
void serve_models_tell_changed (ServeModels *models);
/** serve_routes_judge: looks at the guard of @name, and rolls back; no lock held. */
void serve_routes_judge (ServeModels *models, const char *name, gint64 now);
/** serve_routes_default_guard: that of the parameters. */
ServeGuard serve_routes_default_guard (const ServeModelsConfig *config);
/** serve_routes_parse: @route as POST /admin/routes takes it; NULL with FR_ERROR_CONFIG; lock held.
 */
ServeRouteState *serve_routes_parse (ServeModels *models, JsonObject *route, GError **error);
/** serve_guard_parse: @node: an object, null (no guard) or NULL (@guard as it is). */
gboolean serve_guard_parse (JsonNode *node, ServeGuard *guard, GError **error);
/** serve_guard_show: NULL: it watches nothing. */
JsonNode *serve_guard_show (const ServeGuard *guard);

/** serve_models_look: at the base's files, and says what has changed. */
void serve_models_look (ServeModels *models);

void serve_models_home_unref (ServeAdapterHome *home);

/* ---- names (load.c) ----------------------------------------------------------------------------
 */

/** serve_name_check: whether @name may be a public name. */
gboolean serve_name_check (const char *name, GError **error);
void serve_name_free (ServeName *name);
/** serve_models_add_base: the model itself, as the first revision of its name. */
void serve_models_add_base (ServeModels *models, const char *name);
/** serve_models_unknown: FR_ERROR_CONFIG: there is no @name, but those; lock held; returns FALSE.
 */
gboolean serve_models_unknown (ServeModels *models, const char *name, GError **error);

G_END_DECLS

#endif
