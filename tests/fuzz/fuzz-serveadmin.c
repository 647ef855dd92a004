/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-serveadmin.c: bodies of /admin: whatever they say, the model itself goes on answering. */
#include "config.h"

#include <flowrun/json.h>
#include <stdint.h>

#include "sinks/serve/admin.h"
#include "sinks/serve/test-adapters.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static Shelf shelf;
static ServeModelsConfig config;
static ServeModels *models;
static ServeModel *adapter;

static void
end (void)
{
  serve_model_unref (adapter);
  serve_models_free (models);
  shelf_down (&shelf);
}

static void
begin (void)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  ServeAdapters ops;
  gboolean unchanged;

  shelf_up (&shelf);
  config = shelf_config ();
  config.name = (char *) "base";
  config.adapters_dir = shelf.dir;
  ops = shelf_ops (&shelf);
  models = serve_models_new (&config, shelf.model, &ops, NULL, &error);
  g_assert_no_error (error);
  path = shelf_adapter (&shelf, "one", 1);
  adapter = serve_models_load (models, "a", path, 1, NULL, &unchanged, &error);
  g_assert_no_error (error);
  atexit (end);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const ServeAdminCall calls[]
      = { SERVE_ADMIN_LOAD, SERVE_ADMIN_ROUTE, SERVE_ADMIN_ROLL_BACK };
  g_autofree char *body = g_strndup ((const char *) data, size);

  if (models == NULL)
    begin ();
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_auto (ServeAdminReply) reply = { 0 };
      g_auto (ServePick) pick = { 0 };

      serve_admin_call (models, NULL, calls[i], NULL, body, size, &reply);
      g_assert_true ((reply.status == 200) == (reply.body != NULL));
      g_assert_true (reply.status == 200 || g_utf8_validate (reply.message, -1, NULL));
      g_assert_true (serve_models_pick (models, "base@1", "x", &pick, NULL));
    }
  return 0;
}
