/* SPDX-License-Identifier: Apache-2.0 */
/* models.h: which models answer, by name, and which revision of them whom.
 *
 *   public name ──route──▶ revisions with weights ──hash of who asks──▶ one revision (ServeModel)
 *                     └──▶ a shadow: answers too, for comparison; nobody waits for it
 *
 * All revisions stand on one base and run in one scheduler: the base itself (or a merged model),
 * and LoRA adapters over it.  "copy" is a public name, "copy@2" the second revision loaded under
 * it, which can be asked for by that name as well, before any weight leads to it.
 *
 * A request takes a reference to its revision and keeps it to the end.  A new one is read and
 * checked whole before anything changes (every tensor's place, shape and numbers); then the route
 * is swapped: later requests get the new, running ones end with the old.  A failed load changes
 * nothing and says why.
 *
 * Who asks is a key that is stable for a person (the request's "user", else the API key's name,
 * else the request's id): its hash decides, so one person stays on one side, and a canary whose
 * weight grows keeps those it had.
 *
 * A route remembers what it was.  serve_models_roll_back() goes one step back.  A route with a
 * guard does so by itself when a revision that is new there has too large a share of faults, or too
 * high a 95th percentile of latency: over a window, and after a least number of requests.  New is
 * what the route did not lead to before its last change, for some time (`rollback_watch`); answers
 * from the cache do not count.
 *
 * Files: an adapter is read into memory whole, so what happens to its directory afterwards does not
 * matter.  The base's weights are mapped.  A file replaced by renaming leaves the mapping what it
 * was; one that is written into in place would change or end a running server.  So the files are
 * watched (serve_models_tick()) and a change is told; and where the system lets us (Linux, the
 * file's owner) a lease makes whoever opens them for writing wait until the weights are in memory
 * of our own (lm_model_guard()).  With `weights_in` "memory" they are from the start.
 *
 * Thread-safe.  Nothing here is called back with a lock held.
 */
#ifndef FLOWRUN_SERVE_MODELS_H
#define FLOWRUN_SERVE_MODELS_H

#include <flowrun/param.h>
#include <glib.h>
#include <json-glib/json-glib.h>

#include "cache.h"
#include "lm/lora.h"
#include "lm/model.h"
#include "metrics.h"
#include "record.h"

G_BEGIN_DECLS

typedef enum
{
  SERVE_WEIGHTS_MAPPED = 0,
  SERVE_WEIGHTS_MEMORY
} ServeWeights;

extern const FrEnumValue *const serve_weights_choices[];

/** ServeModelsConfig: as in SERVE_MODELS_PARAMS. */
typedef struct
{
  char *name, *first;
  FrPair *adapters;
  char *adapters_dir;
  JsonNode *routes;
  int weights; /* ServeWeights */
  gint64 max_adapters;
  double max_fault_share;
  gint64 max_p95, window, watch, least;
  char *shadow_path;
  gint64 shadow_running;
} ServeModelsConfig;

#define SERVE_MODELS_PARAMS(Config, in)                                                            \
  FR_PARAM_STRING ("name", Config, in.name,                                                        \
                   "public name of the model; none given: that of its directory or file",          \
                   .example = "\"copywriter\""),                                                   \
      FR_PARAM_MAP ("adapters", Config, in.adapters,                                               \
                    "LoRA adapters over the model: public name to PEFT directory",                 \
                    .example = "{\"shoes\": \"out/shoes\"}"),                                      \
      FR_PARAM_STRING ("default_model", Config, in.first,                                          \
                       "who answers a request that names no model; none given: `name`"),           \
      FR_PARAM_JSON ("routes", Config, in.routes,                                                  \
                     "routes as POST /admin/routes takes them, by public name",                    \
                     .schema = SERVE_ROUTES_SCHEMA,                                                \
                     .example = "{\"shop\": {\"targets\": {\"shoes\": 95, \"shoes-new\": 5}}}"),   \
      FR_PARAM_PATH ("adapters_dir", Config, in.adapters_dir,                                      \
                     "the only place that /admin/adapters loads from; none given: any"),           \
      FR_PARAM_INT ("max_adapters", Config, in.max_adapters, 1, 4096,                              \
                    "revisions of adapters held at once, old ones for a roll-back included",       \
                    .def = "16", .unit = "adapters"),                                              \
      FR_PARAM_ENUM ("weights_in", Config, in.weights, serve_weights_choices,                      \
                     "where the model's weights are", .def = "mapped"),                            \
      FR_PARAM_FLOAT ("rollback_fault_share", Config, in.max_fault_share, 0, 1,                    \
                      "a new revision with a larger share of failed answers is rolled back; 0: "   \
                      "never for that",                                                            \
                      .def = "0"),                                                                 \
      FR_PARAM_DURATION ("rollback_p95", Config, in.max_p95,                                       \
                         "a new revision whose 95th percentile of latency is above is rolled "     \
                         "back; 0: never for that",                                                \
                         .def = "0"),                                                              \
      FR_PARAM_DURATION ("rollback_window", Config, in.window,                                     \
                         "the time that both are looked at over", .def = "5m"),                    \
      FR_PARAM_DURATION ("rollback_watch", Config, in.watch,                                       \
                         "how long after a change of its route a revision counts as new",          \
                         .def = "1h"),                                                             \
      FR_PARAM_INT ("rollback_least", Config, in.least, 1, 1e9,                                    \
                    "requests in that time, before anything is judged", .def = "50",               \
                    .unit = "requests"),                                                           \
      FR_PARAM_PATH ("shadow_log", Config, in.shadow_path,                                         \
                     "JSON Lines of what a model and its shadow answered, texts included; none: "  \
                     "no shadow answers",                                                          \
                     .flags = FR_PARAM_NO_RESULT),                                                 \
      FR_PARAM_INT ("shadow_running", Config, in.shadow_running, 1, 4096,                          \
                    "shadow answers under way at most; others are dropped and counted",            \
                    .def = "2", .unit = "requests")

/* A route as in "routes" and POST /admin/routes, without its name. */
#define SERVE_ROUTE_GUARD                                                                          \
  "\"guard\": {\"type\": [\"object\", \"null\"], \"additionalProperties\": false, "                \
  "\"properties\": {"                                                                              \
  "\"fault_share\": {\"type\": \"number\", \"minimum\": 0, \"maximum\": 1},"                       \
  "\"p95_ms\": {\"type\": \"number\", \"exclusiveMinimum\": 0},"                                   \
  "\"window_s\": {\"type\": \"number\", \"exclusiveMinimum\": 0},"                                 \
  "\"watch_s\": {\"type\": \"number\", \"exclusiveMinimum\": 0},"                                  \
  "\"least\": {\"type\": \"integer\", \"minimum\": 1}}}"
#define SERVE_ROUTE_MEMBERS                                                                        \
  "\"targets\": {\"type\": \"object\", \"minProperties\": 1, \"additionalProperties\": "           \
  "{\"type\": \"number\", \"exclusiveMinimum\": 0}},"                                              \
  "\"shadow\": {\"type\": [\"string\", \"null\"]}," SERVE_ROUTE_GUARD
#define SERVE_ROUTES_SCHEMA                                                                        \
  "{\"type\": \"object\", \"additionalProperties\": {\"type\": \"object\", "                       \
  "\"additionalProperties\": false, \"required\": [\"targets\"], \"properties\": "                 \
  "{" SERVE_ROUTE_MEMBERS "}}}"

gboolean serve_models_configure (const ServeModelsConfig *config, FrProblems *problems);

/* ---- revisions ------------------------------------------------------------------------------- */

/**
 * ServeModel: one revision; constant but for its counts; reference-counted.
 * @name: it was loaded under; @number: 1, 2, … of that name; @id: "copy@2"
 * @model: the base, whose tokenizer and template count for all; owned
 * @adapter: for LmRequest (LM_ADAPTER_OWN for the model itself)
 * @path: as given; @hash: of the weights that are its own ("xxh3:…")
 * @base_hash, @template_hash: what else makes an answer what it is
 * @since: g_get_real_time() when it was there
 * The rest is private.
 */
typedef struct _ServeModel ServeModel;
struct _ServeModel
{
  gint refs;
  char *name, *id, *path, *hash, *base_hash, *template_hash;
  guint number, adapter;
  LmModel *model;
  gint64 since;
  struct _ServeModelPrivate *priv;
};

ServeModel *serve_model_ref (ServeModel *model);
/** serve_model_unref: the last one takes the adapter out of the scheduler, if it is still there. */
void serve_model_unref (ServeModel *model);
/** serve_model_hash: adds all that makes an answer of this revision what it is to a cache key. */
void serve_model_hash (const ServeModel *model, ServeCacheHash *hash);

/* ---- the models ------------------------------------------------------------------------------ */

/**
 * ServeAdapters: where adapters go: lm_scheduler_add_adapter() and lm_scheduler_remove_adapter(),
 * or a test's.  Called from any thread.
 * @changed: models or routes changed: serve_cache_turn(); may be NULL
 */
typedef struct
{
  gboolean (*add) (gpointer data, LmLora *lora, guint *adapter, GError **error);
  void (*remove) (gpointer data, guint adapter);
  void (*changed) (gpointer data);
  gpointer data;
} ServeAdapters;

typedef struct _ServeModels ServeModels;

/**
 * serve_models_new: the model, its adapters, its routes.
 * @config: borrowed, must outlive it; @model: referenced; @adapters, @teller: copied
 * @error: FR_ERROR_CONFIG, FR_ERROR_DATA, FR_ERROR_IO: which adapter or route, and why
 */
ServeModels *serve_models_new (const ServeModelsConfig *config, LmModel *model,
                               const ServeAdapters *adapters, const ServeTeller *teller,
                               GError **error);
/** serve_models_free: revisions that requests still hold go with their last reference. */
void serve_models_free (ServeModels *models);

/**
 * ServePick: who answers a request.
 * @name: the public name, interned
 * @model: a reference; @shadow: a reference, or NULL: nobody answers beside it
 */
typedef struct
{
  const char *name;
  ServeModel *model, *shadow;
} ServePick;

void serve_pick_clear (ServePick *pick);

/**
 * serve_models_pick:
 * @name: a public name, or a revision's id; NULL or "": the default
 * @who: stable key of who asks; not NULL
 * @error: FR_ERROR_CONFIG: there is none such; names those there are
 */
gboolean serve_models_pick (ServeModels *models, const char *name, const char *who, ServePick *pick,
                            GError **error);
/** serve_models_has: whether @id is a public name, or a revision. */
gboolean serve_models_has (ServeModels *models, const char *id);
/** serve_models_split: whether any route has several targets: see serve_cache_body_key(). */
gboolean serve_models_split (ServeModels *models);

/**
 * serve_models_done: a request that @model answered has ended.
 * @name: the public name it was picked by
 * @record: its fault, status and total_us count; requests that the client left do not
 * @now: monotonic µs
 * Judges the route's guard, and may roll it back.
 */
void serve_models_done (ServeModels *models, const char *name, ServeModel *model,
                        const ServeRecord *record, gint64 now);

/** serve_models_tick: about once a second: guards, and whether the base's files changed. */
void serve_models_tick (ServeModels *models, gint64 now);

/* ---- changing them --------------------------------------------------------------------------- */

/** ServeGuard: 0 of the first two: not looked at. */
typedef struct
{
  double fault_share;
  gint64 p95, window, watch; /* µs */
  guint64 least;
} ServeGuard;

/**
 * serve_models_load: a new revision of @name, which may be a new name; waits for the files: not for
 * a thread that serves connections.
 * @share: of the requests for @name that it gets, in (0, 1]; the others keep their proportions
 * @guard: or NULL: the configured one
 * @unchanged: set when the newest revision of that name holds the same numbers: nothing was loaded
 * Returns a reference, or NULL and nothing has changed: FR_ERROR_CONFIG (name, directory, too
 * many), FR_ERROR_DATA (not of this base, not finite, broken), FR_ERROR_IO.
 */
ServeModel *serve_models_load (ServeModels *models, const char *name, const char *path,
                               double share, const ServeGuard *guard, gboolean *unchanged,
                               GError **error);
/**
 * serve_models_unload: a name with all its revisions ("copy"), or one of them ("copy@2").
 * Running requests end with it.  FR_ERROR_CONFIG: there is none such, it is the model itself, or
 * a route leads there.
 */
gboolean serve_models_unload (ServeModels *models, const char *id, GError **error);
/**
 * serve_models_route: sets the route of @name whole; a new name is made.
 * @route: {"targets": {"copy@1": 95, "copy@2": 5}, "shadow": …, "guard": …}; a target that is a
 * name means its newest revision now
 */
gboolean serve_models_route (ServeModels *models, const char *name, JsonObject *route,
                             GError **error);
/** serve_models_guard: that of the parameters. */
ServeGuard serve_models_guard (ServeModels *models);
/** serve_models_roll_back: the route as it was before its last change; FR_ERROR_CONFIG: there is
 * nothing before. */
gboolean serve_models_roll_back (ServeModels *models, const char *name, GError **error);

/* ---- telling --------------------------------------------------------------------------------- */

/** serve_models_list: all of them, as GET /admin/models answers; json_node_unref(). */
JsonNode *serve_models_list (ServeModels *models, gint64 now);
/** serve_models_show: one route of that list; NULL: none such. */
JsonObject *serve_models_show (ServeModels *models, const char *name);

/** ServeListed: a public name, for GET /v1/models. @root: id of the revision that most get. */
typedef struct
{
  char *name, *root;
  gint64 since; /* µs since 1970 */
  gboolean is_default;
} ServeListed;

/** serve_models_names: ServeListed *, the default first, then by name; g_ptr_array_unref(). */
GPtrArray *serve_models_names (ServeModels *models);

/** ServeModelsCounts: since the start; @routes, @revisions now; @changed: files of the base differ
 * from what was opened. */
typedef struct
{
  guint64 loaded, failed, unloaded, rolled_back, rolled_back_alone;
  guint64 shadow_started, shadow_written, shadow_dropped, shadow_failed;
  guint routes, revisions;
  gboolean changed;
} ServeModelsCounts;

void serve_models_counts (ServeModels *models, ServeModelsCounts *counts);
/** serve_models_watch: which revisions are held, and what share of a name's requests they get. */
void serve_models_watch (ServeModels *models, ServeMetrics *metrics);

/* ---- shadow ---------------------------------------------------------------------------------- */

/** ServePair: a request answered twice; freed by the second serve_pair_answer(). */
typedef struct _ServePair ServePair;

/** ServeSide: what one of the two answered. @text: all choices; @error: why there is none; NULL. */
typedef struct
{
  const char *text, *stop, *error;
  gsize len;
  guint64 answer_tokens;
  gint64 first_us, total_us;
} ServeSide;

/**
 * serve_models_shadow: whether the shadow of @pick answers too.
 * @waiting: requests that wait for a place in the batch: with any, no shadow answers
 * @id: of the request; @prompt: what was asked, rendered
 * Returns NULL: no (there is none, no log, too many under way, somebody waits): dropped ones are
 * counted.  Otherwise submit the same request for pick->shadow, with a client name of its own, and
 * give both ends to serve_pair_answer(), once each, whatever becomes of them.
 */
ServePair *serve_models_shadow (ServeModels *models, const ServePick *pick, guint waiting,
                                const char *id, const char *prompt);
/** serve_pair_answer: @shadow: of the shadow, else of the one that answers.  Any thread. */
void serve_pair_answer (ServePair *pair, gboolean shadow, const ServeSide *side);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeModel, serve_model_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeModels, serve_models_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ServePick, serve_pick_clear)

G_END_DECLS

#endif
