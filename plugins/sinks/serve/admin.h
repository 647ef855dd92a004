/* SPDX-License-Identifier: Apache-2.0 */
/* admin.h: changing what is served while it is served.
 *
 *   GET    /admin/models            names, routes, revisions, counts
 *   POST   /admin/adapters          {"name", "path", "percent"?, "guard"?}: load a new revision
 *   DELETE /admin/adapters/{+id}    a name with all its revisions, or one ("copy@2")
 *   POST   /admin/routes            {"name", "targets", "shadow"?, "guard"?}: weights and shadow
 *   POST   /admin/rollback          {"name"}: the route as it was before its last change
 *   POST   /admin/cache/clear       forget all answers
 *
 * The routes (admin-routes.h) ask for an admin key (keys.h); without one in the file there are none
 * of them.  What they do is here, and knows no HTTP.
 */
#ifndef FLOWRUN_SERVE_ADMIN_H
#define FLOWRUN_SERVE_ADMIN_H

#include <glib.h>
#include <json-glib/json-glib.h>

#include "cache.h"
#include "models.h"

G_BEGIN_DECLS

typedef enum
{
  SERVE_ADMIN_MODELS = 0,
  SERVE_ADMIN_LOAD,
  SERVE_ADMIN_UNLOAD,
  SERVE_ADMIN_ROUTE,
  SERVE_ADMIN_ROLL_BACK,
  SERVE_ADMIN_CLEAR,
  SERVE_N_ADMIN_CALLS
} ServeAdminCall;

/* JSON Schemas of bodies, for the table of routes. */
#define SERVE_ADMIN_NAME "\"name\":{\"type\":\"string\",\"description\":\"public name\"}"
#define SERVE_ADMIN_ASK(required, properties)                                                      \
  "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[" required                    \
  "],\"properties\":{" SERVE_ADMIN_NAME properties "}}"
#define SERVE_ADMIN_LOAD_ASK                                                                       \
  SERVE_ADMIN_ASK ("\"name\",\"path\"",                                                            \
                   ",\"path\":{\"type\":\"string\",\"description\":\"PEFT directory on the "       \
                   "server\"},\"percent\":{\"type\":\"number\",\"exclusiveMinimum\":0,"            \
                   "\"maximum\":100,\"default\":100,\"description\":\"of the requests for name\"}" \
                   "," SERVE_ROUTE_GUARD)
#define SERVE_ADMIN_ROUTE_ASK SERVE_ADMIN_ASK ("\"name\",\"targets\"", "," SERVE_ROUTE_MEMBERS)
#define SERVE_ADMIN_ROLL_BACK_ASK SERVE_ADMIN_ASK ("\"name\"", "")
#define SERVE_ADMIN_ROUTE_ANSWER                                                                   \
  "{\"type\":\"object\",\"properties\":{" SERVE_ADMIN_NAME                                         \
  ",\"default\":{\"type\":\"boolean\"},\"targets\":{\"type\":\"array\",\"items\":{\"type\":"       \
  "\"object\",\"properties\":{\"revision\":{\"type\":\"string\"},\"weight\":{\"type\":"            \
  "\"number\"},\"recent_requests\":{\"type\":\"integer\"},\"recent_faults\":{\"type\":"            \
  "\"integer\"},\"recent_p95_ms\":{\"type\":\"number\"}}}},\"shadow\":{\"type\":[\"string\","      \
  "\"null\"]},\"guard\":{\"type\":[\"object\",\"null\"]},\"steps_back\":{\"type\":\"integer\","    \
  "\"description\":\"that roll-backs can go\"}}}"
#define SERVE_ADMIN_MODELS_ANSWER                                                                  \
  "{\"type\":\"object\",\"properties\":{\"routes\":{\"type\":\"array\","                           \
  "\"items\":" SERVE_ADMIN_ROUTE_ANSWER "},\"revisions\":{\"type\":\"array\",\"items\":{\"type\":" \
  "\"object\",\"properties\":{\"revision\":{\"type\":\"string\"}," SERVE_ADMIN_NAME                \
  ",\"kind\":{\"enum\":[\"model\",\"adapter\"]},\"path\":{\"type\":\"string\"},\"hash\":{"         \
  "\"type\":\"string\"},\"loaded\":{\"type\":\"string\",\"format\":\"date-time\"},"                \
  "\"requests\":{\"type\":\"integer\"},\"faults\":{\"type\":\"integer\"}}}},\"files_changed\":{"   \
  "\"type\":\"boolean\",\"description\":\"the model's files are not those that were opened\"}}}"
#define SERVE_ADMIN_LOAD_ANSWER                                                                    \
  "{\"type\":\"object\",\"properties\":{\"revision\":{\"type\":\"string\"},\"hash\":{\"type\":"    \
  "\"string\"},\"unchanged\":{\"type\":\"boolean\",\"description\":\"the newest revision holds "   \
  "the same numbers already\"},\"route\":" SERVE_ADMIN_ROUTE_ANSWER "}}"
#define SERVE_ADMIN_UNLOAD_ANSWER                                                                  \
  "{\"type\":\"object\",\"properties\":{\"unloaded\":{\"type\":\"string\"}}}"
#define SERVE_ADMIN_CLEAR_ANSWER                                                                   \
  "{\"type\":\"object\",\"properties\":{\"cleared\":{\"type\":\"integer\"}}}"

/**
 * ServeAdminReply:
 * @status: of HTTP: 200; 400 what was asked for cannot be; 404 there is no such name; 409 it cannot
 * be as things stand
 * @body: of a 200; @code, @param: static; @message: of the others
 */
typedef struct
{
  guint status;
  JsonNode *body;
  const char *code, *param;
  char *message;
} ServeAdminReply;

void serve_admin_reply_clear (ServeAdminReply *reply);

/**
 * serve_admin_call: does it, on this thread.
 * @id: of SERVE_ADMIN_UNLOAD, from the path; @body: as it came, of the others
 */
void serve_admin_call (ServeModels *models, ServeCache *cache, ServeAdminCall call, const char *id,
                       const char *body, gsize len, ServeAdminReply *reply);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ServeAdminReply, serve_admin_reply_clear)

G_END_DECLS

#endif
