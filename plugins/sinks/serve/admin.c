/* SPDX-License-Identifier: Apache-2.0 */
/* admin.c: what /admin does, without HTTP (admin.h). */
#include "config.h"

#include "admin.h"

#include <flowrun/error.h>
#include <flowrun/json.h>
#include <string.h>

#include "models-private.h" /* guards as JSON */

#define PERCENT 100.0

/* ---- replies -----------------------------------------------------------------------------------
 */

void
serve_admin_reply_clear (ServeAdminReply *reply)
{
  g_clear_pointer (&reply->body, json_node_unref);
  g_clear_pointer (&reply->message, g_free);
}

static void refuse (ServeAdminReply *reply, guint status, const char *code, const char *param,
                    const char *format, ...) G_GNUC_PRINTF (5, 6);

static void
refuse (ServeAdminReply *reply, guint status, const char *code, const char *param,
        const char *format, ...)
{
  va_list args;

  va_start (args, format);
  reply->status = status;
  reply->code = code;
  reply->param = param;
  reply->message = g_strdup_vprintf (format, args);
  va_end (args);
}

/* @object: taken. */
static void
answer (ServeAdminReply *reply, JsonObject *object)
{
  reply->status = 200;
  reply->body = json_node_init_object (json_node_alloc (), object);
  json_object_unref (object);
}

/* What models.h refuses: there is no such thing, or it cannot be. */
static void
refuse_change (ServeAdminReply *reply, ServeModels *models, const char *name, guint status,
               const char *code, const GError *error)
{
  if (!serve_models_has (models, name))
    refuse (reply, 404, "model_not_found", NULL, "%s", error->message);
  else
    refuse (reply, status, code, NULL, "%s", error->message);
}

/* ---- what was asked ----------------------------------------------------------------------------
 */

/* The body's object with only members that @known names; NULL: refused. */
static JsonNode *
read_body (const char *body, gsize len, const char *const *known, ServeAdminReply *reply)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = fr_json_parse (body, (gssize) len, 0, &error);
  g_autoptr (GList) keys = NULL;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    {
      refuse (reply, 400, "invalid_json", NULL, "the body is no JSON object%s%s",
              error != NULL ? ": " : "", error != NULL ? error->message : "");
      return NULL;
    }
  keys = json_object_get_members (json_node_get_object (node));
  for (GList *l = keys; l != NULL; l = l->next)
    if (!g_strv_contains (known, l->data))
      {
        const char *near = fr_suggest (l->data, known);

        refuse (reply, 400, "unknown_field", NULL, "there is no field '%s' here%s%s%s",
                (const char *) l->data, near != NULL ? "; did you mean '" : "",
                near != NULL ? near : "", near != NULL ? "'?" : "");
        return NULL;
      }
  return g_steal_pointer (&node);
}

/* @key, a static word, as a text that is not empty; NULL: refused. */
static const char *
read_text (JsonObject *object, const char *key, ServeAdminReply *reply)
{
  JsonNode *node = json_object_get_member (object, key);

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) == G_TYPE_STRING && *json_node_get_string (node) != '\0')
    return json_node_get_string (node);
  refuse (reply, 400, node == NULL ? "missing_field" : "invalid_type", key, "%s: expected a text",
          key);
  return NULL;
}

static gboolean
read_percent (JsonObject *object, double *percent, ServeAdminReply *reply)
{
  JsonNode *node = json_object_get_member (object, "percent");
  GType type = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node)
                                                            : G_TYPE_NONE;

  *percent = PERCENT;
  if (node == NULL)
    return TRUE;
  if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
    *percent = json_node_get_double (node);
  if ((type == G_TYPE_INT64 || type == G_TYPE_DOUBLE) && *percent > 0 && *percent <= PERCENT)
    return TRUE;
  refuse (reply, 400, "out_of_range", "percent",
          "percent: expected a number above 0 and at most 100: the share of requests that the new "
          "revision gets");
  return FALSE;
}

/* ---- calls -------------------------------------------------------------------------------------
 */

static void
show_route (ServeModels *models, const char *name, ServeAdminReply *reply)
{
  JsonObject *route = serve_models_show (models, name);

  if (route != NULL)
    answer (reply, route);
  else
    refuse (reply, 404, "model_not_found", NULL, "there is no route '%s' any more", name);
}

static void
call_load (ServeModels *models, const char *body, gsize len, ServeAdminReply *reply)
{
  static const char *const known[] = { "name", "path", "percent", "guard", NULL };
  g_autoptr (JsonNode) node = read_body (body, len, known, reply);
  g_autoptr (ServeModel) model = NULL;
  g_autoptr (GError) error = NULL;
  ServeGuard guard = serve_models_guard (models);
  const char *name, *path;
  gboolean unchanged;
  JsonObject *object, *route;
  double percent;

  if (node == NULL)
    return;
  object = json_node_get_object (node);
  if ((name = read_text (object, "name", reply)) == NULL
      || (path = read_text (object, "path", reply)) == NULL
      || !read_percent (object, &percent, reply))
    return;
  if (!serve_guard_parse (json_object_get_member (object, "guard"), &guard, &error))
    {
      refuse (reply, 400, "invalid_value", "guard", "%s", error->message);
      return;
    }
  model = serve_models_load (models, name, path, percent / PERCENT, &guard, &unchanged, &error);
  if (model == NULL)
    {
      refuse (reply, 400, "adapter_refused", NULL, "nothing has changed: %s", error->message);
      return;
    }
  object = json_object_new ();
  json_object_set_string_member (object, "revision", model->id);
  json_object_set_string_member (object, "hash", model->hash);
  json_object_set_boolean_member (object, "unchanged", unchanged);
  route = serve_models_show (models, name);
  if (route != NULL)
    json_object_set_object_member (object, "route", route);
  answer (reply, object);
}

static void
call_unload (ServeModels *models, const char *id, ServeAdminReply *reply)
{
  g_autoptr (GError) error = NULL;
  JsonObject *object;

  if (!serve_models_unload (models, id, &error))
    {
      refuse_change (reply, models, id, 409, "model_in_use", error);
      return;
    }
  object = json_object_new ();
  json_object_set_string_member (object, "unloaded", id);
  answer (reply, object);
}

static void
call_route (ServeModels *models, const char *body, gsize len, ServeAdminReply *reply)
{
  static const char *const known[] = { "name", "targets", "shadow", "guard", NULL };
  g_autoptr (JsonNode) node = read_body (body, len, known, reply);
  g_autoptr (GError) error = NULL;
  const char *name;

  if (node == NULL || (name = read_text (json_node_get_object (node), "name", reply)) == NULL)
    return;
  if (serve_models_route (models, name, json_node_get_object (node), &error))
    show_route (models, name, reply);
  else
    refuse (reply, 400, "route_refused", NULL, "nothing has changed: %s", error->message);
}

static void
call_roll_back (ServeModels *models, const char *body, gsize len, ServeAdminReply *reply)
{
  static const char *const known[] = { "name", NULL };
  g_autoptr (JsonNode) node = read_body (body, len, known, reply);
  g_autoptr (GError) error = NULL;
  const char *name;

  if (node == NULL || (name = read_text (json_node_get_object (node), "name", reply)) == NULL)
    return;
  if (serve_models_roll_back (models, name, &error))
    show_route (models, name, reply);
  else
    refuse_change (reply, models, name, 409, "nothing_before", error);
}

static void
call_clear (ServeCache *cache, ServeAdminReply *reply)
{
  JsonObject *object = json_object_new ();

  json_object_set_int_member (object, "cleared", (gint64) serve_cache_clear (cache));
  answer (reply, object);
}

void
serve_admin_call (ServeModels *models, ServeCache *cache, ServeAdminCall call, const char *id,
                  const char *body, gsize len, ServeAdminReply *reply)
{
  memset (reply, 0, sizeof *reply);
  switch (call)
    {
    case SERVE_ADMIN_MODELS:
      reply->status = 200;
      reply->body = serve_models_list (models, g_get_monotonic_time ());
      break;
    case SERVE_ADMIN_LOAD:
      call_load (models, body, len, reply);
      break;
    case SERVE_ADMIN_UNLOAD:
      call_unload (models, id, reply);
      break;
    case SERVE_ADMIN_ROUTE:
      call_route (models, body, len, reply);
      break;
    case SERVE_ADMIN_ROLL_BACK:
      call_roll_back (models, body, len, reply);
      break;
    case SERVE_ADMIN_CLEAR:
      call_clear (cache, reply);
      break;
    case SERVE_N_ADMIN_CALLS:
    default:
      refuse (reply, 404, "not_found", NULL, "there is no such call");
    }
}
