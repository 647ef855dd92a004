/* SPDX-License-Identifier: Apache-2.0 */
/* test-admin.c: /admin, as its bodies say it. */
#include "config.h"

#include "admin.h"

#include <flowrun/json.h>

#include "test-adapters.h"

typedef struct
{
  Shelf shelf;
  ServeModelsConfig config;
  ServeModels *models;
  ServeCache *cache;
} Place;

static void
place_up (Place *p, gconstpointer data)
{
  ServeCacheConfig cache = { .rule = SERVE_CACHE_RULE_ALL, .size = 1 << 20 };
  ServeAdapters ops;
  g_autoptr (GError) error = NULL;

  (void) data;
  shelf_up (&p->shelf);
  p->config = shelf_config ();
  p->config.name = (char *) "base";
  ops = shelf_ops (&p->shelf);
  p->models = serve_models_new (&p->config, p->shelf.model, &ops, NULL, &error);
  g_assert_no_error (error);
  p->cache = serve_cache_new (&cache);
}

static void
place_down (Place *p, gconstpointer data)
{
  (void) data;
  serve_models_free (p->models);
  serve_cache_free (p->cache);
  shelf_down (&p->shelf);
}

/* The reply's body as text, or "STATUS CODE PARAM"; @body: with ' for "; g_free(). */
static char *
call (Place *p, ServeAdminCall what, const char *id, const char *body)
{
  g_auto (ServeAdminReply) reply = { 0 };
  g_autofree char *json = g_strdelimit (g_strdup (body), "'", '"');

  serve_admin_call (p->models, p->cache, what, id, json, strlen (json), &reply);
  g_assert_true ((reply.status == 200) == (reply.body != NULL));
  if (reply.status == 200)
    return fr_json_to_string (reply.body, 0);
  g_assert_nonnull (reply.message);
  return g_strdup_printf ("%u %s %s", reply.status, reply.code,
                          reply.param != NULL ? reply.param : "-");
}

static void
assert_call (Place *p, ServeAdminCall what, const char *id, const char *body, const char *expected)
{
  g_autofree char *found = call (p, what, id, body);

  if (*expected == '{' ? !strstr (found, expected + 1) : strcmp (found, expected) != 0)
    g_error ("%s: expected %s, found %s", body, expected, found);
}

static void
load (Place *p, const char *name, guint64 seed, const char *more, const char *expected)
{
  g_autofree char *path = shelf_adapter (&p->shelf, name, seed);
  g_autofree char *body = g_strdup_printf ("{'name': '%s', 'path': '%s'%s}", name, path, more);

  assert_call (p, SERVE_ADMIN_LOAD, NULL, body, expected);
}

static void
test_load (Place *p, gconstpointer data)
{
  (void) data;
  load (p, "鞋", 1, "", "{\"revision\":\"鞋@1\"");
  load (p, "鞋", 1, "", "{\"unchanged\":true");
  load (p, "鞋", 2, ", 'percent': 5, 'guard': {'p95_ms': 800}", "{\"weight\":95");
  load (p, "鞋", 3, ", 'percent': 0", "400 out_of_range percent");
  load (p, "鞋", 3, ", 'percent': '5'", "400 out_of_range percent");
  load (p, "鞋", 3, ", 'guard': {'p95': 1}", "400 invalid_value guard");
  load (p, "鞋", 3, ", 'percnet': 5", "400 unknown_field -");
  load (p, "a@b", 3, "", "400 adapter_refused -");
  assert_call (p, SERVE_ADMIN_LOAD, NULL, "{'name': 'a', 'path': '/nonexistent'}",
               "400 adapter_refused -");
  assert_call (p, SERVE_ADMIN_LOAD, NULL, "{'name': 'a'}", "400 missing_field path");
  assert_call (p, SERVE_ADMIN_LOAD, NULL, "{'name': 3, 'path': 'x'}", "400 invalid_type name");
  assert_call (p, SERVE_ADMIN_LOAD, NULL, "{'name': 'a', 'name': 'b'}", "400 invalid_json -");
  assert_call (p, SERVE_ADMIN_LOAD, NULL, "[]", "400 invalid_json -");
  assert_call (p, SERVE_ADMIN_LOAD, NULL, "", "400 invalid_json -");
}

static void
test_routes (Place *p, gconstpointer data)
{
  (void) data;
  load (p, "鞋", 1, "", "{\"revision\":\"鞋@1\"");
  load (p, "帽", 2, "", "{\"revision\":\"帽@1\"");
  assert_call (p, SERVE_ADMIN_ROUTE, NULL, "{'name': '店', 'targets': {'鞋': 9, '帽': 1}}",
               "{\"name\":\"店\"");
  assert_call (p, SERVE_ADMIN_ROUTE, NULL, "{'name': '店', 'targets': {'袜': 9}}",
               "400 route_refused -");
  assert_call (p, SERVE_ADMIN_ROUTE, NULL, "{'targets': {'鞋': 9}}", "400 missing_field name");
  assert_call (p, SERVE_ADMIN_ROLL_BACK, NULL, "{'name': '店'}", "409 nothing_before -");
  assert_call (p, SERVE_ADMIN_ROUTE, NULL, "{'name': '店', 'targets': {'帽': 1}, 'guard': null}",
               "{\"guard\":null");
  assert_call (p, SERVE_ADMIN_ROLL_BACK, NULL, "{'name': '店'}", "{\"revision\":\"鞋@1\"");
  assert_call (p, SERVE_ADMIN_ROLL_BACK, NULL, "{'name': '袜'}", "404 model_not_found -");
  assert_call (p, SERVE_ADMIN_UNLOAD, "帽", "", "409 model_in_use -");
  assert_call (p, SERVE_ADMIN_UNLOAD, "袜", "", "404 model_not_found -");
  assert_call (p, SERVE_ADMIN_UNLOAD, "店", "", "{\"unloaded\":\"店\"");
  assert_call (p, SERVE_ADMIN_UNLOAD, "帽@1", "", "409 model_in_use -");
  assert_call (p, SERVE_ADMIN_UNLOAD, "帽", "", "{\"unloaded\":\"帽\"");
}

static void
test_models (Place *p, gconstpointer data)
{
  g_autofree char *list = NULL;

  (void) data;
  load (p, "鞋", 1, "", "{\"revision\":\"鞋@1\"");
  list = call (p, SERVE_ADMIN_MODELS, NULL, "");
  g_assert_nonnull (strstr (list, "\"routes\":[{\"name\":\"base\",\"default\":true"));
  g_assert_nonnull (strstr (list, "\"kind\":\"adapter\""));
  g_assert_nonnull (strstr (list, "\"hash\":\"xxh3:"));
  g_assert_nonnull (strstr (list, "\"files_changed\":false"));
}

static void
test_clear (Place *p, gconstpointer data)
{
  g_autoptr (ServeCached) value = serve_cached_new (NULL, 1, NULL, 0);

  (void) data;
  serve_cache_put (p->cache, (ServeCacheKey){ 1, 2 }, value, 0);
  assert_call (p, SERVE_ADMIN_CLEAR, NULL, "", "{\"cleared\":1");
  assert_call (p, SERVE_ADMIN_CLEAR, NULL, "", "{\"cleared\":0");
  g_clear_pointer (&p->cache, serve_cache_free);
  assert_call (p, SERVE_ADMIN_CLEAR, NULL, "", "{\"cleared\":0");
}

/* The schemas are JSON, which the route table does not check. */
static void
test_schemas (void)
{
  static const char *const texts[]
      = { SERVE_ADMIN_LOAD_ASK,      SERVE_ADMIN_ROUTE_ASK,     SERVE_ADMIN_ROLL_BACK_ASK,
          SERVE_ADMIN_ROUTE_ANSWER,  SERVE_ADMIN_MODELS_ANSWER, SERVE_ADMIN_LOAD_ANSWER,
          SERVE_ADMIN_UNLOAD_ANSWER, SERVE_ADMIN_CLEAR_ANSWER,  SERVE_ROUTES_SCHEMA };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = fr_json_parse (texts[i], -1, 0, &error);

      g_assert_no_error (error);
      g_assert_true (JSON_NODE_HOLDS_OBJECT (node));
    }
}

#define ADD(name, function) g_test_add ("/admin/" name, Place, NULL, place_up, function, place_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("load", test_load);
  ADD ("routes", test_routes);
  ADD ("models", test_models);
  ADD ("clear", test_clear);
  g_test_add_func ("/admin/schemas", test_schemas);
  return g_test_run ();
}
