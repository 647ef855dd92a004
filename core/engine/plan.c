/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c: what has to run.
 *
 * A stage's fingerprint is a hash over everything its result depends on: the
 * element, its revision and plugin version, its parameters, the seed, the
 * content of the files it reads, and the fingerprints of what feeds it.  Where
 * an earlier run with the same fingerprint left its result, it is not run:
 *
 *   - the last stages of the pipeline, when the manifest has them and the
 *     files they wrote still have the hashes it states;
 *   - any stage whose kept outputs (kept/ID-FINGERPRINT) give its consumers
 *     all they read;
 *   - every stage that only fed such stages, if its record is known.
 */
#include "config.h"

#include "engine/engine-private.h"
#include "param/param-private.h"

#include <flowrun/json.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

/* ---- fingerprints --------------------------------------------------------------- */

void
fri_plan_look (const char *path, FriRead *read)
{
  struct stat st = { 0 };

  (void) stat (path, &st);
  read->size = st.st_size;
  read->seconds = st.st_mtim.tv_sec;
  read->nanoseconds = st.st_mtim.tv_nsec;
  read->inode = st.st_ino;
}

static gboolean
add_read (FrHost *h, const char *path, GString *text, GError **error)
{
  struct stat st;
  FriRead read = { 0 };
  JsonObject *file;
  guint64 size = 0;
  g_autofree char *hash = NULL;

  /* What comes through a pipe cannot be looked at without taking it. */
  if (strcmp (path, "-") == 0
      || (stat (path, &st) == 0 && !S_ISREG (st.st_mode) && !S_ISDIR (st.st_mode)))
    {
      h->volatile_ = TRUE;
      return TRUE;
    }
  fri_plan_look (path, &read);
  read.path = g_strdup (path);
  g_array_append_val (h->reads, read);
  hash = fri_hash_tree (path, &size, error);
  if (hash == NULL)
    return FALSE;
  file = json_object_new ();
  json_object_set_string_member (file, "hash", hash);
  json_object_set_int_member (file, "bytes", (gint64) size);
  json_object_set_object_member (h->files, path, file);
  g_string_append_printf (text, "reads %s\n", hash);
  return TRUE;
}

static gboolean
add_inputs (FrHost *h, GString *text)
{
  for (guint i = 0; i < h->stage->inputs->len; i++)
    {
      FriLink *link = g_ptr_array_index (h->stage->inputs, i);
      FrHost *from = fri_graph_host (h->e, link->from);

      if (from->rank >= h->rank)
        return FALSE;
      g_string_append_printf (text, "%s from %s %s\n", link->to_port, from->fingerprint,
                              link->port);
      h->volatile_ |= from->volatile_;
    }
  return TRUE;
}

static gboolean
fingerprint (FrHost *h, GError **error)
{
  FriStage *s = h->stage;
  const FrElement *el = s->element;
  g_autoptr (JsonNode) with = fri_params_fingerprint (el, s->config);
  g_autofree char *params = with != NULL ? fr_json_to_string (with, 0) : g_strdup ("");
  g_autoptr (GPtrArray) reads = fri_params_reads (el, s->config);
  g_autoptr (GString) text = g_string_new ("flowrun stage 1\n");
  JsonNode *state = fr_host_state (h);
  gsize before;

  g_string_append_printf (text, "%s\n%s %u\n%s %s\nseed %" G_GUINT64_FORMAT "\n%s\n", s->id,
                          el->name, el->revision, s->plugin->name, s->plugin->version,
                          h->e->pipeline->seed, params);
  if (!add_inputs (h, text))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, "the stages are not in order");
      return FALSE;
    }
  for (guint i = 0; reads != NULL && i < reads->len; i++)
    if (!add_read (h, g_ptr_array_index (reads, i), text, error))
      return FALSE;
  if (state != NULL)
    {
      g_autofree char *json = fr_json_to_string (state, 0);

      g_string_append_printf (text, "state %s\n", json);
    }
  before = text->len;
  if (el->fingerprint != NULL && !el->fingerprint (s->config, text, error))
    {
      if (error != NULL && *error == NULL)
        g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, "fingerprint failed without saying why");
      return FALSE;
    }
  if ((el->flags & FR_ELEMENT_VOLATILE) && text->len == before)
    h->volatile_ = TRUE;
  h->fingerprint = fri_hash_text (text->str, text->len);
  return TRUE;
}

/* ---- scope -------------------------------------------------------------------------- */

static void
mark_ancestors (FriEngine *e, FrHost *h)
{
  h->in_scope = TRUE;
  for (guint i = 0; i < h->stage->inputs->len; i++)
    {
      FriLink *link = g_ptr_array_index (h->stage->inputs, i);

      mark_ancestors (e, fri_graph_host (e, link->from));
    }
}

static gboolean
set_scope (FriEngine *e, GError **error)
{
  const char *last = e->options->tap != NULL ? e->options->tap_stage : e->options->until;

  if (last != NULL)
    {
      FriStage *stage = fri_pipeline_stage (e->pipeline, last);

      if (stage == NULL)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "the pipeline has no stage '%s'", last);
          return FALSE;
        }
      mark_ancestors (e, fri_graph_host (e, stage));
      return TRUE;
    }
  if (e->options->forecast != NULL)
    fri_forecast_choose (e);
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (h->forecasting)
        mark_ancestors (e, h);
      else if (e->options->forecast == NULL)
        h->in_scope = !e->options->ephemeral || h->stage->element->kind != FR_KIND_SINK;
    }
  return TRUE;
}

static gboolean
set_tap (FriEngine *e, GError **error)
{
  const char *port = e->options->tap_port;
  FrHost *h;
  FriOut *out;

  if (e->options->tap == NULL)
    return TRUE;
  h = fri_graph_host (e, fri_pipeline_stage (e->pipeline, e->options->tap_stage));
  out = port != NULL ? fri_host_out (h, port) : g_ptr_array_index (h->outs, 0);
  if (out == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "stage '%s' (%s) has no output port '%s'",
                   h->stage->id, h->stage->element->name, port);
      return FALSE;
    }
  if (fri_out_is_object (out))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "the output '%s' of stage '%s' (%s) carries a %s and no rows", out->name,
                   h->stage->id, h->stage->element->name,
                   out->port->kind == FR_PORT_MODEL ? "model" : "report");
      return FALSE;
    }
  h->forecasting = out->port != NULL && (out->port->flags & FR_PORT_FORECAST);
  out->tapped = TRUE;
  return TRUE;
}

/* ---- what is there already ------------------------------------------------------------- */

static JsonObject *
entry_before (FrHost *h, JsonObject *document)
{
  return fri_json_member (fri_summary_stages (document), h->stage->id);
}

static gboolean
file_is (const char *path, JsonObject *file)
{
  g_autofree char *hash = fri_hash_tree (path, NULL, NULL);

  return hash != NULL
         && g_strcmp0 (hash, json_object_get_string_member_with_default (file, "hash", "")) == 0;
}

static gboolean
rejects_are (FrHost *h, JsonObject *entry)
{
  JsonObject *file = fri_json_member (entry, "rejects_file");
  g_autofree char *path = g_strdup_printf ("%s/rejects/%s.jsonl", h->e->dir->dir, h->stage->id);

  return file == NULL || file_is (path, file);
}

/* The record of the last run for the very same work, or NULL; a new reference. */
static JsonObject *
record_before (FrHost *h)
{
  JsonObject *manifest = entry_before (h, h->e->manifest_before);
  JsonObject *report = entry_before (h, h->e->report_before);
  JsonObject *record;

  if (h->volatile_ || manifest == NULL || report == NULL
      || strcmp (json_object_get_string_member_with_default (manifest, "fingerprint", ""),
                 h->fingerprint)
             != 0
      || !rejects_are (h, manifest))
    return NULL;
  record = json_object_new ();
  json_object_set_object_member (record, "manifest", json_object_ref (manifest));
  json_object_set_object_member (record, "report", json_object_ref (report));
  return record;
}

static gboolean
can_keep (const FriOut *out)
{
  return fri_out_is_object (out) ? fri_object_can_keep (out)
                                 : out->port != NULL && !(out->port->flags & FR_PORT_FORECAST);
}

static gboolean
has_kept (FrHost *h, const FriOut *out)
{
  g_autofree char *path = fri_record_kept_path (out);

  return !h->e->options->fresh && !h->e->options->ephemeral && !h->volatile_ && can_keep (out)
         && g_file_test (path, G_FILE_TEST_EXISTS) && fri_record_kept_whole (h);
}

/* When the run that put the folder @kept in place began; NULL when it does not say. */
static char *
made_of (const char *kept)
{
  g_autofree char *path = g_build_filename (kept, "kept.json", NULL);
  g_autoptr (JsonObject) object = fri_json_load (path, NULL);
  const char *made
      = object != NULL ? json_object_get_string_member_with_default (object, "made", "") : "";

  return *made != '\0' ? g_strdup (made) : NULL;
}

/* The same of a stage that the last run has a record of. */
static char *
made_before (FrHost *h)
{
  JsonObject *run = fri_json_member (h->e->report_before, "run");
  JsonObject *stage = fri_json_member (fri_json_member (run, "stages"), h->stage->id);
  const char *made
      = run != NULL ? json_object_get_string_member_with_default (run, "started", "") : "";

  if (stage != NULL && json_object_has_member (stage, "kept_from"))
    made = json_object_get_string_member_with_default (stage, "kept_from", "");
  return *made != '\0' ? g_strdup (made) : NULL;
}

/* A record kept with the outputs of a stage further down; a new reference. */
static JsonObject *
record_kept (FrHost *h, FrHost *with, char **dir)
{
  g_autofree char *kept = fri_record_kept_dir (with);
  g_autofree char *path = g_build_filename (kept, h->stage->id, "record.json", NULL);
  JsonObject *record = fri_record_kept_whole (with) ? fri_json_load (path, NULL) : NULL;
  JsonObject *manifest = fri_json_member (record, "manifest");

  if (manifest == NULL || fri_json_member (record, "report") == NULL
      || strcmp (json_object_get_string_member_with_default (manifest, "fingerprint", ""),
                 h->fingerprint)
             != 0)
    {
      g_clear_pointer (&record, json_object_unref);
      return NULL;
    }
  *dir = g_build_filename (kept, h->stage->id, NULL);
  h->made = made_of (kept);
  return record;
}

static gboolean
outputs_are (FrHost *h, JsonObject *record)
{
  JsonObject *manifest = fri_json_member (record, "manifest");
  JsonArray *outputs = json_object_has_member (manifest, "outputs")
                           ? json_object_get_array_member (manifest, "outputs")
                           : NULL;
  guint n = outputs != NULL ? json_array_get_length (outputs) : 0;

  /* A sink that left no file wrote somewhere else: nobody knows what is there now. */
  if (n == 0 && h->stage->element->kind == FR_KIND_SINK)
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      JsonObject *file = json_array_get_object_element (outputs, i);

      if (!file_is (json_object_get_string_member_with_default (file, "path", ""), file))
        return FALSE;
    }
  return TRUE;
}

/* ---- decisions ------------------------------------------------------------------------------ */

static gboolean
feeds (FrHost *h, FrHost *to, const char *port)
{
  for (guint i = 0; i < to->stage->inputs->len; i++)
    {
      FriLink *link = g_ptr_array_index (to->stage->inputs, i);

      if (link->from == h->stage && (port == NULL || strcmp (link->port, port) == 0))
        return TRUE;
    }
  return FALSE;
}

static gboolean
is_last (FrHost *h)
{
  for (guint i = h->rank + 1; i < h->e->hosts->len; i++)
    {
      FrHost *to = g_ptr_array_index (h->e->hosts, i);

      if (to->in_scope && feeds (h, to, NULL))
        return FALSE;
    }
  return TRUE;
}

/* @none: what to say of a stage without outputs. */
static gboolean
keeps_all (FrHost *h, gboolean none)
{
  gboolean all = none;

  for (guint i = 0; i + 1 < h->outs->len; i++)
    {
      FriOut *out = g_ptr_array_index (h->outs, i);

      if (out->port->flags & FR_PORT_FORECAST)
        continue;
      if (!has_kept (h, out))
        return FALSE;
      all = TRUE;
    }
  return all;
}

static gboolean
is_up_to_date (FrHost *h)
{
  g_autoptr (JsonObject) record = record_before (h);

  if (h->stage->keep == FRI_KEEP_YES && !keeps_all (h, TRUE))
    return FALSE;
  return record != NULL && outputs_are (h, record);
}

/* Whether kept outputs give every consumer that runs what it reads; TRUE, too, when none runs. */
static gboolean
is_supplied (FrHost *h)
{
  for (guint i = h->rank + 1; i < h->e->hosts->len; i++)
    {
      FrHost *to = g_ptr_array_index (h->e->hosts, i);

      if (!to->active)
        continue;
      for (guint k = 0; k < to->stage->inputs->len; k++)
        {
          FriLink *link = g_ptr_array_index (to->stage->inputs, k);

          if (link->from == h->stage && !has_kept (h, fri_host_out (h, link->port)))
            return FALSE;
        }
    }
  return TRUE;
}

static void
decide (FrHost *h)
{
  h->active = FALSE;
  if (!h->in_scope)
    return;
  if (h->forced || h->e->options->fresh || h->e->options->ephemeral || !is_supplied (h))
    h->active = TRUE;
  else if (is_last (h) || h->stage->keep == FRI_KEEP_YES)
    h->active = !is_up_to_date (h) && !keeps_all (h, FALSE);
}

/* What stands in for a stage that is not run; FALSE when nothing does. */
static gboolean
find_record (FrHost *h)
{
  g_clear_pointer (&h->old, json_object_unref);
  g_clear_pointer (&h->old_dir, g_free);
  g_clear_pointer (&h->made, g_free);
  h->old = record_before (h);
  if (h->old != NULL)
    h->made = made_before (h);
  for (guint i = h->rank; h->old == NULL && i < h->e->hosts->len; i++)
    h->old = record_kept (h, g_ptr_array_index (h->e->hosts, i), &h->old_dir);
  return h->old != NULL;
}

static void
decide_all (FriEngine *e)
{
  gboolean again = TRUE;

  while (again)
    {
      again = FALSE;
      for (guint i = e->hosts->len; i-- > 0;)
        decide (g_ptr_array_index (e->hosts, i));
      for (guint i = 0; i < e->hosts->len; i++)
        {
          FrHost *h = g_ptr_array_index (e->hosts, i);

          if (h->in_scope && !h->active && !find_record (h))
            h->forced = again = TRUE;
        }
    }
}

/* What another run would have to compute for long, or read twice, is kept
 * unasked: what a trainer made, and rows that a consumer rewinds.  A source is
 * run again instead: what it reads is there already. */
static void
set_keep (FrHost *h)
{
  for (guint i = 0; i + 1 < h->outs->len; i++)
    {
      FriOut *out = g_ptr_array_index (h->outs, i);

      if (h->e->options->ephemeral || !can_keep (out))
        continue;
      out->keep = h->stage->keep == FRI_KEEP_YES
                  || (h->stage->keep == FRI_KEEP_AUTO && fri_out_is_object (out)
                      && h->stage->element->kind == FR_KIND_TRAINER && !h->volatile_);
      for (guint k = h->rank + 1; k < h->e->hosts->len && h->stage->keep == FRI_KEEP_AUTO; k++)
        {
          FrHost *to = g_ptr_array_index (h->e->hosts, k);

          for (guint l = 0; to->in_scope && l < to->stage->inputs->len; l++)
            {
              FriLink *link = g_ptr_array_index (to->stage->inputs, l);

              if (link->from == h->stage && strcmp (link->port, out->name) == 0
                  && (fri_host_in (to, link->to_port)->port->flags & FR_PORT_REWINDABLE)
                  && !h->volatile_)
                out->keep = TRUE;
            }
        }
    }
}

static void
load_before (FriEngine *e)
{
  g_autofree char *manifest = g_build_filename (e->dir->dir, "manifest.json", NULL);
  g_autofree char *report = g_build_filename (e->dir->dir, "report.json", NULL);
  g_autofree char *samples = g_build_filename (e->dir->dir, "samples.json", NULL);

  if (e->options->ephemeral || e->options->fresh || e->dir->interrupted)
    return;
  e->manifest_before = fri_json_load (manifest, NULL);
  e->report_before = fri_json_load (report, NULL);
  e->samples_before = fri_json_load (samples, NULL);
}

gboolean
fri_plan (FriEngine *e, GError **error)
{
  for (guint i = 0; i < e->n_sources; i++)
    e->source_hashes[i] = XXH3_64bits (e->sources[i], strlen (e->sources[i]));
  if (!set_scope (e, error) || !set_tap (e, error))
    return FALSE;
  load_before (e);
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (h->in_scope && !e->options->ephemeral && !fingerprint (h, error))
        {
          g_prefix_error (error, "stage '%s' (%s): ", h->stage->id, h->stage->element->name);
          return FALSE;
        }
      if (h->fingerprint == NULL)
        h->fingerprint = g_strdup (h->stage->id);
    }
  decide_all (e);
  for (guint i = 0; i < e->hosts->len; i++)
    set_keep (g_ptr_array_index (e->hosts, i));
  return TRUE;
}

gboolean
fri_plan_unchanged (FriEngine *e)
{
  guint n_before = 0, n = 0;
  g_autoptr (GList) names = NULL;

  if (e->manifest_before == NULL || fri_summary_stages (e->manifest_before) == NULL)
    return FALSE;
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);

      if (h->active || (h->in_scope && h->old_dir != NULL))
        return FALSE;
      n += h->in_scope || entry_before (h, e->manifest_before) != NULL;
    }
  names = json_object_get_members (fri_summary_stages (e->manifest_before));
  n_before = g_list_length (names);
  return n == n_before;
}
