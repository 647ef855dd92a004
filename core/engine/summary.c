/* SPDX-License-Identifier: Apache-2.0 */
/* summary.c: manifest.json and report.json.
 *
 * All that may differ between two runs of one pipeline over the same data
 * (times, threads, bytes in memory, what was reused) is under "run"; the rest
 * compares equal.
 */
#include "config.h"

#include "engine/engine-private.h"

JsonObject *
fri_summary_stages (JsonObject *document)
{
  return fri_json_member (document, "stages");
}

static char *
iso_time (gint64 unix_us)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (unix_us / G_USEC_PER_SEC);

  return g_date_time_format (utc, "%Y-%m-%dT%H:%M:%SZ");
}

static double
seconds (gint64 us)
{
  return (double) (us / 1000) / 1000.;
}

static JsonObject *
run_json (FriEngine *e)
{
  JsonObject *run = json_object_new ();
  g_autofree char *started = iso_time (e->started_at);

  json_object_set_string_member (run, "started", started);
  json_object_set_double_member (run, "seconds", seconds (g_get_monotonic_time () - e->start_us));
  json_object_set_int_member (run, "workers", e->workers);
  json_object_set_int_member (run, "memory", (gint64) e->memory);
  if (e->options->command_line != NULL)
    json_object_set_string_member (run, "command", e->options->command_line);
  return run;
}

static JsonObject *
stage_run_json (FrHost *h)
{
  JsonObject *o = json_object_new ();
  guint64 in = 0, out = 0;

  json_object_set_string_member (o, "state",
                                 fri_stage_state_name (h->active ? h->phase : FRI_STAGE_REUSED));
  if (!h->active)
    return o;
  for (guint i = 0; i < h->outs->len; i++)
    out += ((FriOut *) g_ptr_array_index (h->outs, i))->bytes;
  for (guint i = 0; i < h->ins->len; i++)
    in += ((FriIn *) g_ptr_array_index (h->ins, i))->bytes;
  json_object_set_double_member (o, "working", seconds (h->busy_us));
  json_object_set_double_member (o, "waiting_for_input", seconds (h->wait_in_us));
  json_object_set_double_member (o, "waiting_for_output", seconds (h->wait_out_us));
  json_object_set_int_member (o, "bytes_in", (gint64) in);
  json_object_set_int_member (o, "bytes_out", (gint64) out);
  return o;
}

/* The entries of every stage: of this run, of what stands in for it, or, for
 * a stage that this run leaves aside, what was there before. */
static JsonObject *
entries (FriEngine *e, const char *part, JsonObject *before)
{
  JsonObject *stages = json_object_new ();

  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);
      JsonObject *record = h->active ? h->record : h->old;
      JsonObject *entry = h->in_scope ? fri_json_member (record, part)
                                      : fri_json_member (fri_summary_stages (before), h->stage->id);

      if (entry != NULL)
        json_object_set_object_member (stages, h->stage->id, json_object_ref (entry));
    }
  return stages;
}

static JsonObject *
pipeline_json (FriPipeline *p)
{
  JsonObject *o = json_object_new ();

  json_object_set_string_member (o, "name", p->name != NULL ? p->name : "");
  if (p->path != NULL)
    json_object_set_string_member (o, "path", p->path);
  if (p->resolved != NULL)
    json_object_set_member (o, "file", json_node_ref (p->resolved));
  return o;
}

static const char *
status_word (int status)
{
  return status == FRI_EXIT_OK ? "ok" : status == FRI_EXIT_LIMIT ? "limit passed" : "failed";
}

static gboolean
save (FriEngine *e, const char *name, JsonObject *object, GError **error)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);
  g_autofree char *path = g_build_filename (e->dir->dir, name, NULL);

  return fri_json_save (path, node, TRUE, error);
}

gboolean
fri_summary_write (FriEngine *e, int status, GError **error)
{
  g_autoptr (JsonObject) manifest = json_object_new ();
  g_autoptr (JsonObject) report = json_object_new ();
  JsonObject *run = run_json (e), *stages = json_object_new ();
  JsonArray *sources = json_array_new ();
  g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, e->pipeline->seed);

  json_object_set_string_member (manifest, "flowrun", PACKAGE_VERSION);
  json_object_set_string_member (manifest, "status", status_word (status));
  json_object_set_object_member (manifest, "pipeline", pipeline_json (e->pipeline));
  json_object_set_string_member (manifest, "seed", seed);
  for (guint i = 1; i < e->n_sources; i++)
    json_array_add_string_element (sources, e->sources[i]);
  json_object_set_array_member (manifest, "sources", sources);
  json_object_set_object_member (manifest, "stages", entries (e, "manifest", e->manifest_before));
  json_object_set_object_member (manifest, "run", run_json (e));

  json_object_set_string_member (report, "flowrun", PACKAGE_VERSION);
  json_object_set_string_member (report, "pipeline",
                                 e->pipeline->name != NULL ? e->pipeline->name : "");
  json_object_set_string_member (report, "status", status_word (status));
  json_object_set_object_member (report, "stages", entries (e, "report", e->report_before));
  json_object_set_int_member (run, "peak_queued_bytes", (gint64) e->peak_bytes);
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (h->in_scope)
        json_object_set_object_member (stages, h->stage->id, stage_run_json (h));
    }
  json_object_set_object_member (run, "stages", stages);
  json_object_set_object_member (report, "run", run);
  return save (e, "report.json", report, error) && save (e, "manifest.json", manifest, error);
}
