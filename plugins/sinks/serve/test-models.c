/* SPDX-License-Identifier: Apache-2.0 */
/* test-models.c: loading while requests run, weights, guards, roll-backs, shadows, files that
 * change. */
#include "config.h"

#include <fcntl.h>
#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "models-private.h"
#include "test-adapters.h"
#include "test-teller.h"

typedef struct
{
  Shelf shelf;
  Told told;
  ServeTeller teller;
  ServeModelsConfig config;
  ServeAdapters ops;
} Place;

static void
place_up (Place *p, gconstpointer data)
{
  (void) data;
  shelf_up (&p->shelf);
  p->teller = told_init (&p->told);
  p->config = shelf_config ();
  p->config.name = (char *) "文案";
  p->ops = shelf_ops (&p->shelf);
}

static void
place_down (Place *p, gconstpointer data)
{
  (void) data;
  shelf_down (&p->shelf);
  told_clear (&p->told);
}

static ServeModels *
open_models (Place *p)
{
  g_autoptr (GError) error = NULL;
  ServeModels *models = serve_models_new (&p->config, p->shelf.model, &p->ops, &p->teller, &error);

  g_assert_no_error (error);
  return models;
}

static void
load (Place *p, ServeModels *models, const char *name, guint64 seed, double share)
{
  g_autofree char *file = g_strdup_printf ("adapter-%u", (guint) seed);
  g_autofree char *path = shelf_adapter (&p->shelf, file, seed);
  g_autoptr (GError) error = NULL;
  g_autoptr (ServeModel) model = NULL;
  gboolean unchanged;

  model = serve_models_load (models, name, path, share, NULL, &unchanged, &error);
  g_assert_no_error (error);
  g_assert_false (unchanged);
}

/* The id of who answers @who; g_free(). */
static char *
picked (ServeModels *models, const char *name, const char *who)
{
  g_auto (ServePick) pick = { 0 };
  g_autoptr (GError) error = NULL;

  if (!serve_models_pick (models, name, who, &pick, &error))
    return g_strdup (error->message);
  return g_strdup (pick.model->id);
}

static void
assert_picked (ServeModels *models, const char *name, const char *id)
{
  g_autofree char *found = picked (models, name, "somebody");

  g_assert_cmpstr (found, ==, id);
}

static JsonObject *
json (const char *text)
{
  return made_object (text);
}

static void
route (ServeModels *models, const char *name, const char *text)
{
  g_autoptr (JsonObject) object = json (text);
  g_autoptr (GError) error = NULL;

  serve_models_route (models, name, object, &error);
  g_assert_no_error (error);
}

static void
assert_error (GError *error, FrError code, const char *text)
{
  g_assert_error (error, FR_ERROR, (int) code);
  if (strstr (error->message, text) == NULL)
    g_error ("expected '%s' in: %s", text, error->message);
  g_error_free (error);
}

/* ---- names and loading -------------------------------------------------------------------------
 */

static void
test_base (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = open_models (p);
  g_autoptr (GPtrArray) names = serve_models_names (models);
  g_autofree char *unknown = picked (models, "文安", "x");
  g_auto (ServePick) pick = { 0 };

  (void) data;
  assert_picked (models, NULL, "文案@1");
  assert_picked (models, "", "文案@1");
  assert_picked (models, "文案", "文案@1");
  assert_picked (models, "文案@1", "文案@1");
  g_assert_cmpstr (unknown, ==, "there is no model '文安'; there are 文案, 文案@1");
  g_assert_cmpuint (names->len, ==, 1);
  g_assert_true (((ServeListed *) names->pdata[0])->is_default);
  g_assert_false (serve_models_split (models));
  serve_models_pick (models, NULL, "x", &pick, NULL);
  g_assert_cmpuint (pick.model->adapter, ==, 0);
  g_assert_true (pick.model->model == p->shelf.model);
  g_assert_true (g_str_has_prefix (pick.model->hash, "xxh3:"));
}

/* Without a name, the directory's. */
static void
test_names (Place *p, gconstpointer data)
{
  static const char *const bad[] = { "", "a b", "a@1", "a\nb", "\xff", NULL };
  g_autoptr (ServeModels) models = NULL;

  (void) data;
  p->config.name = NULL;
  models = open_models (p);
  assert_picked (models, "基座", "基座@1");
  for (guint i = 0; bad[i] != NULL; i++)
    {
      GError *error = NULL;

      g_assert_false (serve_name_check (bad[i], &error));
      assert_error (error, FR_ERROR_CONFIG, "printable characters");
    }
  g_assert_true (serve_name_check ("deepseek-ai/DeepSeek-R1:文案", NULL));
}

static void
test_load (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = open_models (p);
  g_autofree char *same = shelf_adapter (&p->shelf, "same", 1);
  g_autoptr (GError) error = NULL;
  g_auto (ServePick) running = { 0 };
  g_autoptr (ServeModel) again = NULL;
  gboolean unchanged;
  ServeModelsCounts counts;

  (void) data;
  load (p, models, "鞋", 1, 1);
  assert_picked (models, "鞋", "鞋@1");
  assert_picked (models, NULL, "文案@1");
  g_assert_cmpuint (p->shelf.changed, ==, 1);
  serve_models_pick (models, "鞋", "x", &running, NULL);
  load (p, models, "鞋", 2, 1);
  assert_picked (models, "鞋", "鞋@2");
  assert_picked (models, "鞋@1", "鞋@1"); /* kept for a roll-back */
  g_assert_cmpstr (running.model->id, ==, "鞋@1");
  /* The same numbers again are no new revision. */
  load (p, models, "鞋", 3, 1);
  again = serve_models_load (models, "鞋", same, 1, NULL, &unchanged, &error);
  g_assert_no_error (error);
  g_assert_false (unchanged); /* not those of the newest */
  serve_model_unref (g_steal_pointer (&again));
  again = serve_models_load (models, "鞋", same, 1, NULL, &unchanged, &error);
  g_assert_true (unchanged);
  g_assert_cmpstr (again->id, ==, "鞋@4");
  serve_models_counts (models, &counts);
  g_assert_cmpuint (counts.loaded, ==, 4);
  g_assert_cmpuint (counts.revisions, ==, 5);
  g_assert_cmpuint (shelf_n (&p->shelf), ==, 4);
}

static void
test_parameters (Place *p, gconstpointer data)
{
  g_autofree char *one = shelf_adapter (&p->shelf, "one", 1);
  g_autofree char *two = shelf_adapter (&p->shelf, "two", 2);
  FrPair adapters[] = { { (char *) "一", one }, { (char *) "二", two }, { NULL, NULL } };
  g_autoptr (JsonObject) routes = json ("{'店': {'targets': {'一': 1, '二': 1}}}");
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), routes);
  g_autoptr (ServeModels) models = NULL;
  GError *error = NULL;

  (void) data;
  p->config.adapters = adapters;
  p->config.routes = node;
  p->config.first = (char *) "店";
  models = open_models (p);
  g_assert_true (serve_models_split (models));
  assert_picked (models, "二", "二@1");
  g_clear_pointer (&models, serve_models_free);
  g_assert_cmpuint (shelf_n (&p->shelf), ==, 0);
  p->config.first = (char *) "站";
  g_assert_null (serve_models_new (&p->config, p->shelf.model, &p->ops, NULL, &error));
  assert_error (error, FR_ERROR_CONFIG, "default_model: there is no model '站'");
  error = NULL;
  adapters[0].value = (char *) "/nonexistent";
  g_assert_null (serve_models_new (&p->config, p->shelf.model, &p->ops, NULL, &error));
  assert_error (error, FR_ERROR_DATA, "adapter '一': /nonexistent");
}

static void
refused (ServeModels *models, const char *name, const char *path, double share, FrError code,
         const char *text)
{
  GError *error = NULL;
  gboolean unchanged;

  g_assert_null (serve_models_load (models, name, path, share, NULL, &unchanged, &error));
  assert_error (error, code, text);
}

/* A failed load changes nothing, and says why. */
static void
test_refused (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = open_models (p);
  g_autofree char *good = shelf_adapter (&p->shelf, "good", 1);
  g_autofree char *broken = shelf_adapter (&p->shelf, "broken", 2);
  g_autofree char *file = g_build_filename (broken, "adapter_model.safetensors", NULL);
  g_autofree char *before = NULL, *after = NULL;
  g_autoptr (JsonNode) list = NULL;
  ServeModelsCounts counts;

  (void) data;
  load (p, models, "鞋", 5, 1);
  before = picked (models, "鞋", "x");
  refused (models, "鞋", "/nonexistent", 1, FR_ERROR_DATA, "PEFT");
  refused (models, "鞋@2", good, 1, FR_ERROR_CONFIG, "'@'");
  refused (models, "鞋", good, 0, FR_ERROR_CONFIG, "percent");
  refused (models, "鞋", good, 1.5, FR_ERROR_CONFIG, "percent");
  g_assert_cmpint (truncate (file, 300), ==, 0);
  refused (models, "鞋", broken, 1, FR_ERROR_DATA, "adapter_model.safetensors");
  g_assert_cmpint (truncate (file, 0), ==, 0);
  refused (models, "鞋", broken, 1, FR_ERROR_DATA, "empty");
  p->shelf.full = TRUE;
  refused (models, "鞋", good, 1, FR_ERROR_IO, "no memory");
  p->shelf.full = FALSE;
  after = picked (models, "鞋", "x");
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpuint (shelf_n (&p->shelf), ==, 1);
  g_assert_cmpuint (p->shelf.changed, ==, 1);
  serve_models_counts (models, &counts);
  g_assert_cmpuint (counts.failed, ==, 7);
  g_assert_cmpuint (p->told.warnings, ==, 7);
}

static void
test_directory (Place *p, gconstpointer data)
{
  g_autofree char *inside = shelf_adapter (&p->shelf, "in/one", 1);
  g_autofree char *outside = shelf_adapter (&p->shelf, "out", 2);
  g_autofree char *root = g_build_filename (p->shelf.dir, "in", NULL);
  g_autofree char *link = g_build_filename (root, "link", NULL);
  g_autoptr (ServeModels) models = NULL;
  g_autoptr (ServeModel) model = NULL;
  gboolean unchanged;

  (void) data;
  p->config.adapters_dir = root;
  models = open_models (p);
  model = serve_models_load (models, "a", "one", 1, NULL, &unchanged, NULL);
  g_assert_nonnull (model);
  refused (models, "a", outside, 1, FR_ERROR_CONFIG, "adapters_dir");
  refused (models, "a", "../out", 1, FR_ERROR_CONFIG, "adapters_dir");
  refused (models, "a", ".", 1, FR_ERROR_CONFIG, "adapters_dir");
  g_assert_cmpint (symlink (outside, link), ==, 0);
  refused (models, "a", "link", 1, FR_ERROR_CONFIG, "adapters_dir");
}

/* What nobody is led to makes room for what is new. */
static void
test_room (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = NULL;
  g_autofree char *path = shelf_adapter (&p->shelf, "more", 99);
  g_auto (ServePick) held = { 0 };

  (void) data;
  p->config.max_adapters = 3;
  models = open_models (p);
  for (guint i = 1; i <= 5; i++)
    {
      load (p, models, "鞋", i, 1);
      if (i == 1)
        serve_models_pick (models, "鞋", "x", &held, NULL);
      g_assert_cmpuint (shelf_n (&p->shelf), <=,
                        3 + (i > 3 ? 1 : 0)); /* one is held by a request */
    }
  g_assert_false (serve_models_has (models, "鞋@1"));
  g_assert_true (serve_models_has (models, "鞋@4"));
  g_assert_cmpstr (held.model->id, ==, "鞋@1");
  serve_pick_clear (&held);
  g_assert_cmpuint (shelf_n (&p->shelf), ==, 3);
  /* Still there to go back to. */
  g_assert_true (serve_models_roll_back (models, "鞋", NULL));
  assert_picked (models, "鞋", "鞋@4");
  route (models, "鞋", "{'targets': {'鞋@3': 1, '鞋@4': 1, '鞋@5': 1}}");
  refused (models, "鞋", path, 1, FR_ERROR_CONFIG, "max_adapters");
}

static void
unload_refused (ServeModels *models, const char *id, const char *text)
{
  GError *error = NULL;

  g_assert_false (serve_models_unload (models, id, &error));
  assert_error (error, FR_ERROR_CONFIG, text);
}

static void
test_unload (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = open_models (p);
  g_auto (ServePick) running = { 0 };
  g_autoptr (GError) error = NULL;

  (void) data;
  load (p, models, "鞋", 1, 1);
  load (p, models, "鞋", 2, 1);
  load (p, models, "帽", 3, 1);
  unload_refused (models, "文案", "it stays");
  unload_refused (models, "文案@1", "it stays");
  unload_refused (models, "鞋@2", "route '鞋' leads to 鞋@2");
  unload_refused (models, "鞋@7", "there is no model");
  g_assert_true (serve_models_unload (models, "鞋@1", &error));
  g_assert_false (
      serve_models_roll_back (models, "鞋", NULL)); /* there is nothing before any more */
  route (models, "店", "{'targets': {'帽': 1}}");
  unload_refused (models, "帽", "route '店' leads to 帽@1");
  serve_models_pick (models, "鞋", "x", &running, NULL);
  g_assert_true (serve_models_unload (models, "鞋", &error));
  g_assert_false (serve_models_has (models, "鞋"));
  unload_refused (models, "鞋", "there is no model");
  g_assert_cmpuint (shelf_n (&p->shelf), ==, 2); /* one runs to its end */
  serve_pick_clear (&running);
  g_assert_cmpuint (shelf_n (&p->shelf), ==, 1);
  /* Numbers are not given twice: logs name them. */
  load (p, models, "鞋", 4, 1);
  assert_picked (models, "鞋", "鞋@3");
}

/* A request may outlive the models. */
static void
test_outlive (Place *p, gconstpointer data)
{
  ServeModels *models = open_models (p);
  g_auto (ServePick) running = { 0 };

  (void) data;
  load (p, models, "鞋", 1, 1);
  serve_models_pick (models, "鞋", "x", &running, NULL);
  serve_models_free (models);
  g_assert_cmpstr (running.model->id, ==, "鞋@1");
  serve_pick_clear (&running);
  /* Nobody was there to take it back. */
  g_assert_cmpuint (shelf_n (&p->shelf), ==, 1);
  g_hash_table_remove_all (p->shelf.there);
}

/* ---- weights -----------------------------------------------------------------------------------
 */

#define PEOPLE 4000

/* How many of PEOPLE get @id; which of them is written to @who. */
static guint
share_of (ServeModels *models, const char *name, const char *id, gboolean *who)
{
  guint n = 0;

  for (guint i = 0; i < PEOPLE; i++)
    {
      g_autofree char *person = g_strdup_printf ("用户%u", i);
      g_autofree char *found = picked (models, name, person);

      who[i] = strcmp (found, id) == 0;
      n += who[i] ? 1 : 0;
    }
  return n;
}

static void
test_weights (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = open_models (p);
  g_autofree gboolean *few = g_new (gboolean, PEOPLE), *again = g_new (gboolean, PEOPLE);
  g_autofree gboolean *more = g_new (gboolean, PEOPLE);
  guint n;

  (void) data;
  load (p, models, "鞋", 1, 1);
  load (p, models, "鞋", 2, 0.05);
  g_assert_true (serve_models_split (models));
  n = share_of (models, "鞋", "鞋@2", few);
  g_assert_cmpuint (n, >, PEOPLE * 5 / 100 - 60); /* 4.4 standard deviations */
  g_assert_cmpuint (n, <, PEOPLE * 5 / 100 + 60);
  g_assert_cmpuint (share_of (models, "鞋", "鞋@2", again), ==, n);
  g_assert_cmpmem (few, sizeof *few * PEOPLE, again, sizeof *again * PEOPLE);
  /* A canary that grows keeps whom it had. */
  route (models, "鞋", "{'targets': {'鞋@1': 70, '鞋@2': 30}}");
  n = share_of (models, "鞋", "鞋@2", more);
  g_assert_cmpuint (n, >, PEOPLE * 30 / 100 - 130);
  g_assert_cmpuint (n, <, PEOPLE * 30 / 100 + 130);
  for (guint i = 0; i < PEOPLE; i++)
    g_assert_true (more[i] || !few[i]);
  /* Names decide apart from each other. */
  route (models, "帽", "{'targets': {'鞋@1': 70, '鞋@2': 30}}");
  share_of (models, "帽", "鞋@2", again);
  g_assert_cmpint (memcmp (more, again, sizeof *more * PEOPLE), !=, 0);
  route (models, "鞋", "{'targets': {'鞋@2': 1}}");
  g_assert_cmpuint (share_of (models, "鞋", "鞋@2", more), ==, PEOPLE);
}

static void
test_routes_refused (Place *p, gconstpointer data)
{
  static const struct
  {
    const char *text, *says;
  } bad[] = { { "{}", "targets" },
              { "{'targets': {}}", "targets" },
              { "{'targets': []}", "targets" },
              { "{'targets': {'鞋@1': 0}}", "'鞋@1': expected a number" },
              { "{'targets': {'鞋@1': '5'}}", "'鞋@1': expected a number" },
              { "{'targets': {'鞋@1': 1, '鞋': 1}}", "twice" },
              { "{'targets': {'鞋@9': 1}}", "there is no model '鞋@9'" },
              { "{'targets': {'鞋': 1}, 'shadow': 3}", "shadow" },
              { "{'targets': {'鞋': 1}, 'shadow': '帽'}", "there is no model '帽'" },
              { "{'targets': {'鞋': 1}, 'shadow': '文案'}", "shadow_log" },
              { "{'targets': {'鞋': 1}, 'guard': 3}", "guard" },
              { "{'targets': {'鞋': 1}, 'guard': {'p95_ms': -1}}", "p95_ms" },
              { "{'targets': {'鞋': 1}, 'guard': {'fault_share': 2}}", "fault_share" },
              { "{'targets': {'鞋': 1}, 'guard': {'p95': 1}}", "'p95'" },
              { "{'targets': {'鞋': 1}, 'weights': 1}", "'weights'" } };
  g_autoptr (ServeModels) models = open_models (p);
  guint changed;

  (void) data;
  load (p, models, "鞋", 1, 1);
  changed = p->shelf.changed;
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (JsonObject) object = json (bad[i].text);
      GError *error = NULL;

      g_assert_false (serve_models_route (models, "鞋", object, &error));
      assert_error (error, FR_ERROR_CONFIG, bad[i].says);
    }
  assert_picked (models, "鞋", "鞋@1");
  g_assert_cmpuint (p->shelf.changed, ==, changed);
}

static void
test_roll_back (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = open_models (p);
  GError *error = NULL;

  (void) data;
  load (p, models, "鞋", 1, 1);
  load (p, models, "鞋", 2, 0.5);
  load (p, models, "鞋", 3, 1);
  g_assert_true (serve_models_roll_back (models, "鞋", NULL));
  g_assert_true (serve_models_split (models));
  g_assert_true (serve_models_roll_back (models, "鞋", NULL));
  assert_picked (models, "鞋", "鞋@1");
  g_assert_false (serve_models_roll_back (models, "鞋", &error));
  assert_error (error, FR_ERROR_CONFIG, "nothing to roll back to");
  error = NULL;
  g_assert_false (serve_models_roll_back (models, "帽", &error));
  assert_error (error, FR_ERROR_CONFIG, "there is no model '帽'");
  g_assert_true (told_has (&p->told, "route '鞋' was rolled back: it leads to 鞋@1 100"));
}

/* ---- guards ------------------------------------------------------------------------------------
 */

static void
answer (ServeModels *models, const char *id, gint64 us, gboolean fault, guint n, gint64 now)
{
  g_auto (ServePick) pick = { 0 };
  ServeRecord record = { .status = fault ? 500 : 200, .total_us = us, .fault = fault };

  g_assert_true (serve_models_pick (models, id, "x", &pick, NULL));
  for (guint i = 0; i < n; i++)
    serve_models_done (models, "鞋", pick.model, &record, now);
}

static void
test_window (void)
{
  ServeWindow *window = serve_window_new (10 * G_TIME_SPAN_SECOND);
  ServeWindowFigures figures;
  gint64 now = 1000 * G_TIME_SPAN_SECOND;

  serve_window_look (window, now, &figures);
  g_assert_cmpuint (figures.n, ==, 0);
  g_assert_cmpint (figures.p95, ==, 0);
  for (guint i = 1; i <= 1000; i++)
    serve_window_add (window, now, i * 1000, i % 10 == 0);
  serve_window_look (window, now, &figures);
  g_assert_cmpuint (figures.n, ==, 1000);
  g_assert_cmpuint (figures.faults, ==, 100);
  g_assert_cmpint (figures.p95, >, 900000);
  g_assert_cmpint (figures.p95, <, 1000000);
  now += 9 * G_TIME_SPAN_SECOND;
  serve_window_add (window, now, 5, FALSE);
  serve_window_look (window, now, &figures);
  g_assert_cmpuint (figures.n, ==, 1001);
  now += G_TIME_SPAN_SECOND; /* the first slice has left */
  serve_window_look (window, now, &figures);
  g_assert_cmpuint (figures.n, ==, 1);
  g_assert_cmpint (figures.p95, >=, 5);
  g_assert_cmpint (figures.p95, <=, 6);
  serve_window_add (window, now, G_MAXINT64, FALSE);
  serve_window_add (window, now, -1, FALSE);
  now += G_TIME_SPAN_DAY;
  serve_window_look (window, now, &figures);
  g_assert_cmpuint (figures.n, ==, 0);
  serve_window_free (window);
}

static void
test_guard_faults (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = NULL;
  gint64 now = g_get_monotonic_time ();
  ServeModelsCounts counts;

  (void) data;
  p->config.max_fault_share = 0.1;
  models = open_models (p);
  load (p, models, "鞋", 1, 1);
  /* The one that others are tried beside is not judged: there is nothing to go back to. */
  answer (models, "鞋@1", 1000, TRUE, 100, now);
  assert_picked (models, "鞋", "鞋@1");
  load (p, models, "鞋", 2, 0.5);
  answer (models, "鞋@1", 1000, TRUE, 100, now + 1);
  answer (models, "鞋@2", 1000, FALSE, 44, now + 2);
  answer (models, "鞋@2", 1000, TRUE, 5, now + 3); /* 49: too few to judge */
  serve_models_tick (models, now + G_TIME_SPAN_SECOND);
  g_assert_true (serve_models_split (models));
  answer (models, "鞋@2", 1000, FALSE, 1, now + 4); /* 10 % of 50: not above */
  serve_models_tick (models, now + 2 * G_TIME_SPAN_SECOND);
  g_assert_true (serve_models_split (models));
  answer (models, "鞋@2", 1000, TRUE, 1, now + 3 * G_TIME_SPAN_SECOND);
  serve_models_tick (models, now + 4 * G_TIME_SPAN_SECOND);
  g_assert_false (serve_models_split (models));
  assert_picked (models, "鞋", "鞋@1");
  g_assert_true (
      told_has (&p->told, "!鞋@2 was rolled back: 11.8 % of its last 51 answers failed"));
  serve_models_counts (models, &counts);
  g_assert_cmpuint (counts.rolled_back_alone, ==, 1);
  /* It is not what a roll-back by hand would lead to. */
  g_assert_false (serve_models_roll_back (models, "鞋", NULL));
}

static void
test_guard_latency (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = NULL;
  gint64 now = g_get_monotonic_time ();

  (void) data;
  p->config.max_p95 = 500 * G_TIME_SPAN_MILLISECOND;
  models = open_models (p);
  load (p, models, "鞋", 1, 1);
  load (p, models, "鞋", 2, 0.1);
  answer (models, "鞋@1", 2 * G_TIME_SPAN_SECOND, FALSE, 100, now);
  answer (models, "鞋@2", 300 * G_TIME_SPAN_MILLISECOND, FALSE, 90, now + 1);
  answer (models, "鞋@2", 900 * G_TIME_SPAN_MILLISECOND, FALSE, 4, now + 2);
  serve_models_tick (models, now + G_TIME_SPAN_SECOND);
  g_assert_true (serve_models_split (models));
  /* The whole of it: a swap is as new. */
  load (p, models, "鞋", 3, 1);
  answer (models, "鞋@3", 900 * G_TIME_SPAN_MILLISECOND, FALSE, 60, now + 2 * G_TIME_SPAN_SECOND);
  serve_models_tick (models, now + 3 * G_TIME_SPAN_SECOND);
  g_assert_true (serve_models_split (models));
  assert_picked (models, "鞋@3", "鞋@3");
  g_assert_true (told_has (&p->told, "!鞋@3 was rolled back: the 95th percentile"));
}

/* Answers from the cache, and to those who left, say nothing of a model. */
static void
test_guard_others (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = NULL;
  gint64 now = g_get_monotonic_time ();
  g_auto (ServePick) pick = { 0 };
  ServeRecord hit = { .status = 200, .cache = SERVE_CACHE_HIT, .total_us = 10 };
  ServeRecord left = { .status = 499, .total_us = G_TIME_SPAN_MINUTE };

  (void) data;
  p->config.max_fault_share = 0.5;
  p->config.watch = 10 * G_TIME_SPAN_SECOND;
  models = open_models (p);
  load (p, models, "鞋", 1, 1);
  load (p, models, "鞋", 2, 0.5);
  serve_models_pick (models, "鞋@2", "x", &pick, NULL);
  for (guint i = 0; i < 100; i++)
    {
      serve_models_done (models, "鞋", pick.model, &hit, now);
      serve_models_done (models, "鞋", pick.model, &left, now);
    }
  answer (models, "鞋@2", 1000, TRUE, 49, now);
  serve_models_tick (models, now + G_TIME_SPAN_SECOND);
  g_assert_true (serve_models_split (models));
  /* After its time on watch it is one of the old ones. */
  answer (models, "鞋@2", 1000, TRUE, 100, now + 20 * G_TIME_SPAN_SECOND);
  serve_models_tick (models, now + 21 * G_TIME_SPAN_SECOND);
  g_assert_true (serve_models_split (models));
}

/* A canary of the parameters has no past: the route goes on without it. */
static void
test_guard_start (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = open_models (p);
  gint64 now = g_get_monotonic_time ();

  (void) data;
  load (p, models, "a", 1, 1);
  load (p, models, "b", 2, 1);
  route (models, "鞋",
         "{'targets': {'a': 60, 'b': 40}, 'guard': {'fault_share': 0.5, 'least': 3}}");
  answer (models, "b@1", 1, TRUE, 3, now);
  serve_models_tick (models, now + G_TIME_SPAN_SECOND);
  assert_picked (models, "鞋", "a@1");
  g_assert_false (serve_models_split (models));
  g_assert_true (serve_models_has (models, "b")); /* its own route is as it was */
}

/* ---- crowds ------------------------------------------------------------------------------------
 */

typedef struct
{
  ServeModels *models;
  gint stop, picked;
} Crowd;

static gpointer
ask (gpointer data)
{
  Crowd *crowd = data;
  ServeRecord record = { .status = 200, .total_us = 1000 };

  while (!g_atomic_int_get (&crowd->stop))
    {
      g_auto (ServePick) pick = { 0 };

      g_assert_true (serve_models_pick (crowd->models, "鞋", "x", &pick, NULL));
      g_assert_true (g_str_has_prefix (pick.model->id, "鞋@"));
      serve_models_done (crowd->models, pick.name, pick.model, &record, g_get_monotonic_time ());
      g_atomic_int_inc (&crowd->picked);
    }
  return NULL;
}

/* Revisions come and go under requests, and none is dropped. */
static void
test_crowd (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = NULL;
  GThread *threads[4];
  Crowd crowd = { 0 };

  (void) data;
  p->config.max_adapters = 8;
  p->config.max_p95 = G_TIME_SPAN_HOUR;
  models = open_models (p);
  crowd.models = models;
  load (p, models, "鞋", 1, 1);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("asks", ask, &crowd);
  for (guint i = 2; i < 40; i++)
    {
      g_autoptr (JsonNode) list = NULL;

      load (p, models, "鞋", i, i % 2 == 0 ? 0.5 : 1);
      if (i % 5 == 0)
        serve_models_roll_back (models, "鞋", NULL);
      list = serve_models_list (models, g_get_monotonic_time ());
    }
  g_atomic_int_set (&crowd.stop, 1);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (crowd.picked, >, 100);
  g_assert_cmpuint (shelf_n (&p->shelf), <=, 8);
}

/* ---- shadows -----------------------------------------------------------------------------------
 */

static void
test_shadow (Place *p, gconstpointer data)
{
  g_autofree char *path = g_build_filename (p->shelf.dir, "shadow.jsonl", NULL);
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (ServePick) pick = { 0 };
  ServeModels *models;
  ServePair *pair, *second, *third;
  ServeModelsCounts counts;
  ServeSide a = { .text = "好鞋xx", .len = 6, .stop = "end", .answer_tokens = 2, .total_us = 1500 };
  ServeSide b = { .text = "好鞋", .len = 6, .stop = "end", .answer_tokens = 2, .total_us = 2500 };
  ServeSide failed = { .error = "queue_full" };
  JsonObject *object;

  (void) data;
  p->config.shadow_path = path;
  models = open_models (p);
  load (p, models, "鞋", 1, 1);
  load (p, models, "帽", 2, 1);
  g_assert_true (serve_models_pick (models, "鞋", "x", &pick, NULL));
  g_assert_null (pick.shadow);
  g_assert_null (serve_models_shadow (models, &pick, 0, "id", "问"));
  serve_pick_clear (&pick);
  route (models, "鞋", "{'targets': {'鞋': 1}, 'shadow': '帽'}");
  serve_models_pick (models, "鞋", "x", &pick, NULL);
  g_assert_cmpstr (pick.shadow->id, ==, "帽@1");
  pair = serve_models_shadow (models, &pick, 0, "req-1", "问\n题");
  second = serve_models_shadow (models, &pick, 0, "req-2", "二");
  third = serve_models_shadow (models, &pick, 0, "req-3", "三");
  g_assert_null (third);                                                 /* two are under way */
  g_assert_null (serve_models_shadow (models, &pick, 1, "req-4", "四")); /* somebody waits */
  serve_pair_answer (pair, FALSE, &a);
  serve_pair_answer (pair, TRUE, &b);
  serve_pair_answer (second, TRUE, &failed);
  third = serve_models_shadow (models, &pick, 0, "req-5", "五");
  g_assert_nonnull (third);
  serve_pair_answer (third, TRUE, &b);
  serve_pair_answer (third, FALSE, &failed);
  serve_pair_answer (second, FALSE, &a);
  serve_pair_answer (NULL, FALSE, &a);
  serve_models_counts (models, &counts);
  g_assert_cmpuint (counts.shadow_started, ==, 3);
  g_assert_cmpuint (counts.shadow_written, ==, 3);
  g_assert_cmpuint (counts.shadow_dropped, ==, 2);
  g_assert_cmpuint (counts.shadow_failed, ==, 1);
  serve_pick_clear (&pick);
  serve_models_free (models);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  *strchr (text, '\n') = '\0';
  node = fr_json_parse (text, -1, 0, &error);
  g_assert_no_error (error);
  object = json_node_get_object (node);
  g_assert_cmpstr (json_object_get_string_member (object, "prompt"), ==, "问\n题");
  g_assert_true (json_object_get_boolean_member (object, "same"));
  object = json_object_get_object_member (object, "shadow");
  g_assert_cmpstr (json_object_get_string_member (object, "revision"), ==, "帽@1");
  g_assert_cmpstr (json_object_get_string_member (object, "text"), ==, "好鞋");
  g_assert_cmpfloat (json_object_get_double_member (object, "total_ms"), ==, 2.5);
}

/* ---- files -------------------------------------------------------------------------------------
 */

static char *
weights_path (Place *p)
{
  return g_build_filename (p->shelf.base, "model.safetensors", NULL);
}

static void
test_replaced (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = open_models (p);
  g_autofree char *path = weights_path (p), *new_path = g_strconcat (path, ".new", NULL);
  g_autofree char *old = NULL;
  ServeModelsCounts counts;
  gsize len;

  (void) data;
  serve_models_tick (models, 0);
  g_assert_cmpuint (p->told.warnings, ==, 0);
  g_file_get_contents (path, &old, &len, NULL);
  g_file_set_contents (new_path, old, (gssize) len, NULL);
  g_rename (new_path, path);
  serve_models_tick (models, 0);
  serve_models_tick (models, 0);
  g_assert_cmpuint (p->told.warnings, ==, 1);
  g_assert_true (told_has (&p->told, "goes on with what it opened"));
  serve_models_counts (models, &counts);
  g_assert_true (counts.changed);
  g_unlink (path);
  serve_models_tick (models, 0);
  load (p, models, "鞋", 1, 1); /* goes on as ever */
}

static gpointer
overwrite (gpointer data)
{
  int fd = g_open (data, O_WRONLY | O_TRUNC, 0); /* waits for the lease */

  g_assert_cmpint (fd, >=, 0);
  close (fd);
  return NULL;
}

/* cp onto the weights of a running server. */
static void
test_written (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = NULL;
  g_autofree char *path = weights_path (p);
  const LmTensor *tensor = lm_model_weight (p->shelf.model, LM_W_EMBED, 0);
  g_autofree gpointer before = g_memdup2 (tensor->data, tensor->bytes);
  GThread *thread;

  (void) data;
  if (lm_model_guard (p->shelf.model) == 0)
    {
      g_test_skip ("this file system, or this user, knows no leases");
      return;
    }
  models = open_models (p);
  thread = g_thread_new ("overwrites", overwrite, path);
  for (guint i = 0; i < 500 && p->told.warnings == 0; i++)
    {
      serve_models_tick (models, 0);
      g_usleep (10000);
    }
  g_thread_join (thread);
  g_assert_true (told_has (&p->told, "was opened to be written to"));
  g_assert_cmpmem (tensor->data, tensor->bytes, before, tensor->bytes);
  serve_models_tick (models, 0);
  g_assert_cmpuint (p->told.warnings, ==, 1);
}

static void
test_memory (Place *p, gconstpointer data)
{
  g_autoptr (ServeModels) models = NULL;
  g_autofree char *path = weights_path (p);
  const LmTensor *tensor = lm_model_weight (p->shelf.model, LM_W_EMBED, 0);
  g_autofree gpointer before = g_memdup2 (tensor->data, tensor->bytes);

  (void) data;
  p->config.weights = SERVE_WEIGHTS_MEMORY;
  models = open_models (p);
  g_assert_cmpint (truncate (path, 0), ==, 0);
  g_assert_cmpmem (tensor->data, tensor->bytes, before, tensor->bytes);
  serve_models_tick (models, 0);
  g_assert_false (told_has (&p->told, "nonsense"));
}

#define ADD(name, function)                                                                        \
  g_test_add ("/models/" name, Place, NULL, place_up, function, place_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("base", test_base);
  ADD ("names", test_names);
  ADD ("load", test_load);
  ADD ("parameters", test_parameters);
  ADD ("refused", test_refused);
  ADD ("directory", test_directory);
  ADD ("room", test_room);
  ADD ("unload", test_unload);
  ADD ("outlive", test_outlive);
  ADD ("weights", test_weights);
  ADD ("routes-refused", test_routes_refused);
  ADD ("roll-back", test_roll_back);
  g_test_add_func ("/models/window", test_window);
  ADD ("guard-faults", test_guard_faults);
  ADD ("guard-latency", test_guard_latency);
  ADD ("guard-others", test_guard_others);
  ADD ("guard-start", test_guard_start);
  ADD ("crowd", test_crowd);
  ADD ("shadow", test_shadow);
  ADD ("replaced", test_replaced);
  ADD ("written", test_written);
  ADD ("memory", test_memory);
  return g_test_run ();
}
