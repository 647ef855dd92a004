/* SPDX-License-Identifier: Apache-2.0 */
/* gate.c: a model leaves only where a report lets it.
 *
 * An evaluator that holds limits says in its report which of them were passed (its member
 * "limits").  That alone ends a run with status 3, and everything is written all the same, for
 * scores are for people to read; a sink whose port "gate" the report is connected to writes nothing
 * then, and what an earlier run put at its path stays.
 */
#include "config.h"

#include "lm/export.h"

static JsonArray *
limits_of (FrObject *report)
{
  JsonNode *root = fr_report_root (report), *node;

  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return NULL;
  node = json_object_get_member (json_node_get_object (root), "limits");
  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static gboolean
has_limits (FrObject *report)
{
  JsonArray *limits = limits_of (report);

  return limits != NULL && json_array_get_length (limits) > 0;
}

#define NO_LIMITS                                                                                  \
  "the report at 'gate' holds no limits, so every model would pass; give the stage that it comes " \
  "from 'fail_under', such as {\"gain.chrf\": 0.1}"

gboolean
lm_export_gate_bind (FrBind *bind)
{
  FrObject *report = fr_bind_input_object (bind, "gate");

  if (report == NULL || has_limits (report))
    return TRUE;
  fr_bind_problem (bind, "", NO_LIMITS);
  return FALSE;
}

/* "gain.chrf is -1.2, at least 0.1 is asked for" of each that was passed. */
static void
add_passed (GString *out, JsonObject *limit)
{
  const char *name = json_object_get_string_member_with_default (limit, "name", "?");
  const char *kind = json_object_get_string_member_with_default (limit, "limit_is", "");
  JsonNode *value = json_object_get_member (limit, "value");

  if (!json_object_get_boolean_member_with_default (limit, "passed", TRUE))
    return;
  g_string_append (out, out->len > 0 ? "; " : "");
  if (value == NULL || JSON_NODE_HOLDS_NULL (value))
    g_string_append_printf (out, "%s could not be measured", name);
  else
    g_string_append_printf (out, "%s is %.4g", name, json_node_get_double (value));
  g_string_append_printf (out, ", %s %g is asked for",
                          g_strcmp0 (kind, "highest") == 0 ? "at most" : "at least",
                          json_object_get_double_member_with_default (limit, "limit", 0));
}

static char *
why_closed (FrObject *report)
{
  JsonArray *limits = limits_of (report);
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (limits); i++)
    {
      JsonNode *one = json_array_get_element (limits, i);

      if (JSON_NODE_HOLDS_OBJECT (one))
        add_passed (out, json_node_get_object (one));
      else
        g_string_append (out, "a limit that cannot be read");
    }
  return g_string_free (out, FALSE);
}

FrFlow
lm_export_gate (FrHost *host, const char *path, gboolean *open, GError **error)
{
  g_autofree char *why = NULL;
  g_autoptr (FrObject) report = NULL;
  FrFlow flow = fr_host_next_object (host, "gate", &report, error);

  *open = TRUE;
  if (flow == FR_FLOW_DONE)
    return FR_FLOW_OK; /* nothing is connected there */
  if (flow != FR_FLOW_OK)
    return flow;
  if (!has_limits (report))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, NO_LIMITS);
      return FR_FLOW_ERROR;
    }
  why = why_closed (report);
  *open = why[0] == '\0';
  if (*open)
    return FR_FLOW_OK;
  fr_host_count (host, "held_back", 1);
  fr_host_limit_passed (host, "nothing is written to %s: %s", path, why);
  return FR_FLOW_OK;
}

FrFlow
lm_export_run (FrHost *host, const char *path, LmModel **model,
               gboolean (*write) (gpointer state, FrHost *host, GError **error), gpointer state,
               GError **error)
{
  g_autoptr (GError) failure = NULL;
  FrObject *object;
  gboolean open;
  FrFlow flow = lm_export_gate (host, path, &open, error);

  if (flow != FR_FLOW_OK || !open)
    return flow;
  flow = fr_host_next_object (host, "in", &object, error);
  if (flow != FR_FLOW_OK)
    return flow;
  *model = (LmModel *) object;
  if (write (state, host, &failure))
    return FR_FLOW_OK;
  flow
      = g_error_matches (failure, FR_ERROR, FR_ERROR_CANCELLED) ? FR_FLOW_CANCELLED : FR_FLOW_ERROR;
  g_propagate_error (error, g_steal_pointer (&failure));
  return flow;
}
