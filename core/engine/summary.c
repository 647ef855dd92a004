/* SPDX-License-Identifier: Apache-2.0 */
/* summary.c: manifest.json, report.json and samples.json, and after them the
 * page that is made of them.
 *
 * All that may differ between two runs of one pipeline over the same data
 * (times, threads, bytes in memory, what was reused) is under "run"; the rest
 * compares equal.
 */
#include "config.h"

#include "engine/engine-private.h"
#include "report/report.h"

#include <glib/gstdio.h>

JsonObject *
fri_summary_stages (JsonObject *document)
{
  return fri_json_member (document, "stages");
}

char *
fri_summary_time (gint64 unix_us)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (unix_us / G_USEC_PER_SEC);

  return g_date_time_format (utc, "%Y-%m-%dT%H:%M:%SZ");
}

static double
seconds (gint64 us)
{
  return (double) (us / 1000) / 1000.;
}

/* Of report.html. */
static const char *
language (FriEngine *e)
{
  const char *const *names = g_get_language_names ();

  if (e->pipeline->language != NULL)
    return e->pipeline->language;
  return g_str_has_prefix (names[0], "zh") ? "zh" : "en";
}

static JsonObject *
run_json (FriEngine *e)
{
  JsonObject *run = json_object_new ();
  g_autofree char *started = fri_summary_time (e->started_at);

  json_object_set_string_member (run, "started", started);
  json_object_set_double_member (run, "seconds", seconds (g_get_monotonic_time () - e->start_us));
  json_object_set_int_member (run, "workers", e->workers);
  json_object_set_int_member (run, "memory", (gint64) e->memory);
  json_object_set_int_member (run, "peak_resident_bytes", (gint64) fri_machine_peak_memory ());
  if (e->options->command_line != NULL)
    json_object_set_string_member (run, "command", e->options->command_line);
  json_object_set_string_member (run, "language", language (e));
  json_object_set_object_member (run, "machine", fri_machine_json ());
  return run;
}

static JsonObject *
stage_run_json (FrHost *h)
{
  JsonObject *o = json_object_new ();
  guint64 in = 0, out = 0;

  json_object_set_string_member (o, "state",
                                 fri_stage_state_name (h->active ? h->phase : FRI_STAGE_REUSED));
  if (h->made != NULL && !h->active)
    json_object_set_string_member (o, "kept_from", h->made);
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

/* What there is of a stage that worked in this run. */
static JsonObject *
record_of (FrHost *h)
{
  if (h->record == NULL && h->fingerprint != NULL)
    h->record = fri_record_partial (h);
  return h->record;
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
      JsonObject *record = h->active ? record_of (h) : h->old;
      JsonObject *entry = h->in_scope ? fri_json_member (record, part)
                                      : fri_json_member (fri_summary_stages (before), h->stage->id);

      if (entry != NULL)
        json_object_set_object_member (stages, h->stage->id, json_object_ref (entry));
    }
  return stages;
}

/* The same of samples; a new reference, or NULL. */
static JsonObject *
samples_of (FriEngine *e, FrHost *h)
{
  JsonObject *before = fri_json_member (fri_summary_stages (e->samples_before), h->stage->id);
  g_autofree char *path = NULL;

  if (h->active)
    return fri_samples_stage (h);
  if (h->old_dir == NULL || !h->in_scope)
    return before != NULL ? json_object_ref (before) : NULL;
  path = g_build_filename (h->old_dir, "samples.json", NULL);
  return fri_json_load (path, NULL);
}

static JsonObject *
samples_json (FriEngine *e)
{
  JsonObject *samples = json_object_new (), *stages = json_object_new ();

  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);
      JsonObject *entry = samples_of (e, h);

      if (entry == NULL)
        continue;
      if (e->pipeline->samples == 0)
        fri_samples_strip (entry);
      json_object_set_object_member (stages, h->stage->id, entry);
    }
  json_object_set_int_member (samples, "rows", e->pipeline->samples);
  json_object_set_object_member (samples, "stages", stages);
  return samples;
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
  return status == FRI_EXIT_OK            ? "ok"
         : status == FRI_EXIT_LIMIT       ? "limit passed"
         : status == FRI_EXIT_INTERRUPTED ? "interrupted"
                                          : "failed";
}

static JsonObject *
manifest_json (FriEngine *e, int status)
{
  JsonObject *manifest = json_object_new ();
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
  return manifest;
}

static JsonArray *
limits_json (FriEngine *e)
{
  JsonArray *limits = json_array_new ();

  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);
      g_autofree char *limit = h->in_scope ? fri_record_limit (h) : NULL;

      if (limit != NULL)
        json_array_add_string_element (limits, limit);
    }
  return limits;
}

static JsonObject *
report_json (FriEngine *e, int status)
{
  JsonObject *report = json_object_new ();
  JsonObject *run = run_json (e), *stages = json_object_new ();

  json_object_set_string_member (report, "flowrun", PACKAGE_VERSION);
  json_object_set_string_member (report, "pipeline",
                                 e->pipeline->name != NULL ? e->pipeline->name : "");
  json_object_set_string_member (report, "status", status_word (status));
  json_object_set_array_member (report, "limits_passed", limits_json (e));
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
  return report;
}

static gboolean
save (FriEngine *e, const char *name, JsonObject *object, gboolean sync, GError **error)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);
  g_autofree char *path = g_build_filename (e->dir->dir, name, NULL);

  return fri_json_save (path, node, sync, error);
}

gboolean
fri_summary_write (FriEngine *e, int status, GError **error)
{
  g_autoptr (JsonObject) manifest = manifest_json (e, status);
  g_autoptr (JsonObject) report = report_json (e, status);
  g_autoptr (JsonObject) samples = samples_json (e);

  return save (e, "samples.json", samples, TRUE, error)
         && save (e, "report.json", report, TRUE, error)
         && save (e, "manifest.json", manifest, TRUE, error);
}

/* ---- the page ------------------------------------------------------------------- */

static gboolean
save_failed (FriEngine *e, int status, const GError *failure, GError **error)
{
  g_autoptr (JsonObject) failed = json_object_new ();
  g_autofree char *started = fri_summary_time (e->started_at);

  json_object_set_string_member (failed, "started", started);
  json_object_set_string_member (failed, "status", status_word (status));
  json_object_set_string_member (failed, "error", failure != NULL ? failure->message : "");
  json_object_set_object_member (failed, "manifest", manifest_json (e, status));
  json_object_set_object_member (failed, "report", report_json (e, status));
  json_object_set_object_member (failed, "samples", samples_json (e));
  return save (e, "failed.json", failed, FALSE, error);
}

/* Where nothing had to be done, rows of an earlier run may be there that this
 * one must not show. */
static gboolean
forget_rows (FriEngine *e, GError **error)
{
  JsonObject *before = e->samples_before;

  if (e->pipeline->samples > 0 || before == NULL
      || json_object_get_int_member_with_default (before, "rows", 0) == 0)
    return TRUE;
  g_autoptr (JsonObject) samples = samples_json (e);
  return save (e, "samples.json", samples, TRUE, error);
}

void
fri_summary_page (FriEngine *e, int status, const GError *failure)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *failed = g_build_filename (e->dir->dir, "failed.json", NULL);
  gboolean done = status == FRI_EXIT_OK || status == FRI_EXIT_LIMIT, ok;

  if (done)
    {
      (void) g_unlink (failed);
      ok = !fri_plan_unchanged (e) || forget_rows (e, &error);
    }
  else
    ok = save_failed (e, status, failure, &error);
  if (!ok || !fri_report_write (e->dir->dir, NULL, &error))
    {
      g_autofree char *text
          = g_strdup_printf ("report.html could not be written: %s", error->message);

      fri_events_log (e->events, FRI_LOG_WARNING, NULL, text);
      fri_events_pump (e->events);
    }
}
