/* SPDX-License-Identifier: Apache-2.0 */
/* http-routes.c: the table of routes: which row takes a request, and the document that lists them.
 *
 * The document follows the OpenAPI Specification 3.1.
 */
#include "config.h"

#include <flowrun/json.h>
#include <string.h>

#include "http-private.h"

static const struct
{
  const char *name;
  guint method;
} methods[] = { { "GET", HTTP_GET },
                { "HEAD", HTTP_GET },
                { "POST", HTTP_POST },
                { "PUT", HTTP_PUT },
                { "DELETE", HTTP_DELETE } };

guint
http_method_of (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (strcmp (methods[i].name, name) == 0)
      return methods[i].method;
  return 0;
}

void
http_append_methods (GString *out, guint allowed)
{
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (allowed & methods[i].method)
      g_string_append_printf (out, "%s, ", methods[i].name);
  g_string_append (out, "OPTIONS");
}

/* ---- finding -------------------------------------------------------------------------------- */

static void
drop_parts (HttpRequest *request)
{
  for (guint i = 0; i < request->n_parts; i++)
    g_free (request->parts[i]);
  request->n_parts = 0;
}

/* Keeps @len bytes of @raw, decoded, for the name that begins at @name.  A slash written as %2F is
 * part of the piece. */
static gboolean
add_part (HttpRequest *request, const char *name, const char *raw, gsize len)
{
  g_autofree char *piece = g_strndup (raw, len);
  char *text = g_uri_unescape_string (piece, NULL);

  if (text == NULL || *text == '\0' || request->n_parts == HTTP_MAX_PARTS
      || !g_utf8_validate (text, -1, NULL))
    {
      g_free (text);
      return FALSE;
    }
  request->part_names[request->n_parts] = name;
  request->parts[request->n_parts++] = text;
  return TRUE;
}

/* Whether @path (up to @end, as sent) is what @pattern says. */
static gboolean
matches (HttpRequest *request, const char *pattern, const char *path, const char *end)
{
  while (*pattern != '\0')
    {
      const char *name = pattern + 1, *stop = path;

      if (*pattern != '{')
        {
          if (path == end || *path != *pattern)
            return FALSE;
          path++;
          pattern++;
          continue;
        }
      if (*name == '+')
        return path < end && add_part (request, name + 1, path, (gsize) (end - path));
      while (stop < end && *stop != '/')
        stop++;
      if (stop == path || !add_part (request, name, path, (gsize) (stop - path)))
        return FALSE;
      path = stop;
      pattern = strchr (pattern, '}') + 1;
    }
  return path == end;
}

const HttpRoute *
http_find_route (HttpServer *server, HttpRequest *request, const char *target, guint method,
                 guint *allowed)
{
  const char *path = target, *end;

  if (*path != '/')
    path = strchr (strstr (path, "//") + 2, '/');
  if (path == NULL)
    path = "/";
  end = path + strcspn (path, "?#");
  *allowed = 0;
  for (guint t = 0; server->routes[t] != NULL; t++)
    for (const HttpRoute *route = server->routes[t]; route->path != NULL; route++)
      {
        if (matches (request, route->path, path, end))
          {
            *allowed |= route->method;
            if (route->method == method)
              return route;
          }
        drop_parts (request);
      }
  return NULL;
}

/* ---- the document --------------------------------------------------------------------------- */

static JsonNode *
schema_of (const char *text)
{
  JsonNode *node = NULL;

  if (*text == '{')
    node = fr_json_parse (text, -1, 0, NULL);
  if (node == NULL)
    {
      JsonObject *o = json_object_new ();

      json_object_set_string_member (o, "$ref", text);
      node = json_node_new (JSON_NODE_OBJECT);
      json_node_take_object (node, o);
    }
  return node;
}

static JsonObject *
content_of (const char *type, const char *schema)
{
  JsonObject *content = json_object_new (), *media = json_object_new ();

  if (schema != NULL)
    json_object_set_member (media, "schema", schema_of (schema));
  json_object_set_object_member (content, type, media);
  return content;
}

static JsonObject *
responses_of (const HttpRoute *route)
{
  JsonObject *all = json_object_new (), *good = json_object_new (), *bad = json_object_new ();

  json_object_set_string_member (good, "description", "the answer");
  if (route->type != NULL || route->answers != NULL)
    json_object_set_object_member (
        good, "content",
        content_of (route->type != NULL ? route->type : "application/json", route->answers));
  json_object_set_object_member (all, "200", good);
  json_object_set_string_member (bad, "description", "why not");
  json_object_set_object_member (
      bad, "content",
      content_of ("application/json", route->shape == HTTP_SHAPE_OIP
                                          ? "#/components/schemas/OipError"
                                          : "#/components/schemas/Error"));
  json_object_set_object_member (all, "default", bad);
  return all;
}

static JsonArray *
parameters_of (const char *path)
{
  JsonArray *list = json_array_new ();

  for (const char *p = strchr (path, '{'); p != NULL; p = strchr (p, '{'))
    {
      JsonObject *o = json_object_new (), *schema = json_object_new ();
      const char *name = p[1] == '+' ? p + 2 : p + 1, *end = strchr (p, '}');
      g_autofree char *text = g_strndup (name, (gsize) (end - name));

      json_object_set_string_member (o, "name", text);
      json_object_set_string_member (o, "in", "path");
      json_object_set_boolean_member (o, "required", TRUE);
      json_object_set_string_member (schema, "type", "string");
      json_object_set_object_member (o, "schema", schema);
      json_array_add_object_element (list, o);
      p = end;
    }
  return list;
}

static JsonObject *
operation_of (const HttpRoute *route)
{
  JsonObject *o = json_object_new ();
  JsonArray *parameters = parameters_of (route->path);

  json_object_set_string_member (o, "summary", route->summary);
  if (route->tag != NULL)
    {
      JsonArray *tags = json_array_new ();

      json_array_add_string_element (tags, route->tag);
      json_object_set_array_member (o, "tags", tags);
    }
  if (json_array_get_length (parameters) > 0)
    json_object_set_array_member (o, "parameters", json_array_ref (parameters));
  json_array_unref (parameters);
  if (route->asks != NULL)
    {
      JsonObject *body = json_object_new ();

      json_object_set_boolean_member (body, "required", TRUE);
      json_object_set_object_member (body, "content", content_of ("application/json", route->asks));
      json_object_set_object_member (o, "requestBody", body);
    }
  if (route->flags & HTTP_OPEN)
    json_object_set_array_member (o, "security", json_array_new ());
  json_object_set_object_member (o, "responses", responses_of (route));
  return o;
}

static const char *
operation_name (guint method)
{
  return method == HTTP_GET    ? "get"
         : method == HTTP_POST ? "post"
         : method == HTTP_PUT  ? "put"
                               : "delete";
}

/* "{+id}" is "{id}" there. */
static char *
path_name (const char *path)
{
  g_auto (GStrv) pieces = g_strsplit (path, "{+", -1);

  return g_strjoinv ("{", pieces);
}

static JsonObject *
paths_of (HttpServer *server)
{
  JsonObject *paths = json_object_new ();

  for (guint t = 0; server->routes[t] != NULL; t++)
    for (const HttpRoute *route = server->routes[t]; route->path != NULL; route++)
      {
        g_autofree char *name = path_name (route->path);
        JsonObject *item;

        if (route->flags & HTTP_HIDDEN)
          continue;
        if (!json_object_has_member (paths, name))
          json_object_set_object_member (paths, name, json_object_new ());
        item = json_object_get_object_member (paths, name);
        json_object_set_object_member (item, operation_name (route->method), operation_of (route));
      }
  return paths;
}

#define FAILURES                                                                                   \
  "{\"Error\":{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{\"type\":"  \
  "\"object\",\"required\":[\"message\",\"type\",\"param\",\"code\"],\"properties\":{\"message\":" \
  "{\"type\":\"string\"},\"type\":{\"type\":\"string\"},\"param\":{\"type\":[\"string\",\"null\"]" \
  "},\"code\":{\"type\":[\"string\",\"null\"]}}}}},"                                               \
  "\"OipError\":{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{\"type\"" \
  ":\"string\"}}}}"

#define SECURITY                                                                                   \
  "{\"key\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"an API key, where the "     \
  "server asks for one\"}}"

static JsonObject *
components_of (JsonObject *schemas)
{
  g_autoptr (JsonNode) failures = fr_json_parse (FAILURES, -1, 0, NULL);
  JsonObject *all = json_object_new (), *named = json_node_dup_object (failures);
  g_autoptr (GList) names = schemas != NULL ? json_object_get_members (schemas) : NULL;

  for (GList *l = names; l != NULL; l = l->next)
    json_object_set_member (named, l->data,
                            json_node_copy (json_object_get_member (schemas, l->data)));
  json_object_set_object_member (all, "schemas", named);
  json_object_set_member (all, "securitySchemes", fr_json_parse (SECURITY, -1, 0, NULL));
  return all;
}

JsonNode *
http_server_openapi (HttpServer *server, const char *title, const char *version,
                     JsonObject *schemas)
{
  JsonNode *root = json_node_new (JSON_NODE_OBJECT);
  JsonObject *o = json_object_new (), *info = json_object_new ();

  json_object_set_string_member (o, "openapi", "3.1.0");
  json_object_set_string_member (info, "title", title);
  json_object_set_string_member (info, "version", version);
  json_object_set_object_member (o, "info", info);
  json_object_set_member (o, "security", fr_json_parse ("[{\"key\": []}, {}]", -1, 0, NULL));
  json_object_set_object_member (o, "paths", paths_of (server));
  json_object_set_object_member (o, "components", components_of (schemas));
  json_node_take_object (root, o);
  return root;
}
