/* SPDX-License-Identifier: Apache-2.0 */
/* record.c: what one stage adds to manifest and report, and its kept outputs.
 *
 * A record holds nothing that depends on time, threads or on what was reused,
 * so that a run that was killed and begun again ends with the same record.
 */
#include "config.h"

#include "engine/engine-private.h"
#include "param/param-private.h"

#include <errno.h>
#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <string.h>

/* ---- manifest ------------------------------------------------------------------- */

static JsonObject *
inputs_json (FrHost *h)
{
  JsonObject *object = json_object_new ();

  for (guint i = 0; i < h->stage->inputs->len; i++)
    {
      FriLink *link = g_ptr_array_index (h->stage->inputs, i);
      JsonArray *array;
      g_autofree char *end = g_strdup_printf ("%s.%s", link->from->id, link->port);

      if (!json_object_has_member (object, link->to_port))
        json_object_set_array_member (object, link->to_port, json_array_new ());
      array = json_object_get_array_member (object, link->to_port);
      json_array_add_string_element (array, end);
    }
  return object;
}

static void
add_rows (FrHost *h, JsonObject *object)
{
  JsonObject *in = json_object_new (), *out = json_object_new ();

  for (guint i = 0; i < h->ins->len; i++)
    {
      FriIn *p = g_ptr_array_index (h->ins, i);

      if (p->port->kind != FR_PORT_RECORDS)
        continue;
      json_object_set_int_member (in, p->port->name, (gint64) p->rows);
    }
  for (guint i = 0; i < h->outs->len; i++)
    {
      FriOut *p = g_ptr_array_index (h->outs, i);

      if (p->port != NULL
          && (p->port->kind != FR_PORT_RECORDS || p->port->flags & FR_PORT_FORECAST))
        continue;
      json_object_set_int_member (out, p->name, (gint64) p->rows);
    }
  json_object_set_object_member (object, "rows_in", in);
  json_object_set_object_member (object, "rows_out", out);
}

static gboolean
add_file (JsonArray *array, const char *shown, const char *path, GError **error)
{
  JsonObject *file;
  guint64 size = 0;
  g_autofree char *hash = fri_hash_tree (path, &size, error);

  if (hash == NULL)
    return FALSE;
  file = json_object_new ();
  json_object_set_string_member (file, "path", shown);
  json_object_set_string_member (file, "hash", hash);
  json_object_set_int_member (file, "bytes", (gint64) size);
  json_array_add_object_element (array, file);
  return TRUE;
}

static gboolean
add_outputs (FrHost *h, JsonObject *object, GError **error)
{
  g_autoptr (JsonArray) outputs = json_array_new ();
  g_autoptr (JsonArray) rejects = json_array_new ();
  g_autofree char *path = g_build_filename (h->dir, "rejects.jsonl", NULL);
  g_autofree char *shown = g_strdup_printf ("rejects/%s.jsonl", h->stage->id);

  for (guint i = 0; i < h->committed->len; i++)
    {
      const char *committed = g_ptr_array_index (h->committed, i);

      if (!add_file (outputs, committed, committed, error))
        return FALSE;
    }
  if (g_file_test (path, G_FILE_TEST_EXISTS) && !add_file (rejects, shown, path, error))
    return FALSE;
  json_object_set_array_member (object, "outputs", json_array_ref (outputs));
  if (json_array_get_length (rejects) > 0)
    json_object_set_member (object, "rejects_file",
                            json_node_copy (json_array_get_element (rejects, 0)));
  return TRUE;
}

static JsonObject *
manifest_entry (FrHost *h, gboolean outputs, GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  FriStage *s = h->stage;
  g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, fr_host_seed (h));
  JsonNode *verification = g_hash_table_lookup (h->reports, "verification");

  json_object_set_string_member (object, "element", s->element->name);
  json_object_set_int_member (object, "revision", s->element->revision);
  json_object_set_string_member (object, "plugin", s->plugin->name);
  json_object_set_string_member (object, "plugin_version", s->plugin->version);
  json_object_set_string_member (object, "fingerprint", h->fingerprint);
  json_object_set_boolean_member (object, "reusable", !h->volatile_);
  json_object_set_string_member (object, "seed", seed);
  json_object_set_member (object, "parameters", fri_params_effective (s->element, s->config));
  json_object_set_object_member (object, "from", inputs_json (h));
  json_object_set_object_member (object, "files", json_object_ref (h->files));
  add_rows (h, object);
  fri_object_describe (h, object);
  if (verification != NULL)
    json_object_set_member (object, "verification", json_node_copy (verification));
  if (outputs && !add_outputs (h, object, error))
    return NULL;
  return g_steal_pointer (&object);
}

/* ---- report ----------------------------------------------------------------------- */

static gint
note_by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (((const FriNote *) a)->name, ((const FriNote *) b)->name);
}

static JsonObject *
counts_json (GArray *counts)
{
  JsonObject *object = json_object_new ();

  g_array_sort (counts, note_by_name);
  for (guint i = 0; i < counts->len; i++)
    {
      FriNote *c = &g_array_index (counts, FriNote, i);

      json_object_set_int_member (object, c->name, c->n);
    }
  return object;
}

static gint
metric_by_name (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(FriMetric *const *) a)->name, (*(FriMetric *const *) b)->name);
}

static JsonObject *
metrics_json (GPtrArray *metrics)
{
  JsonObject *object = json_object_new ();

  g_ptr_array_sort (metrics, metric_by_name);
  for (guint i = 0; i < metrics->len; i++)
    {
      FriMetric *m = g_ptr_array_index (metrics, i);
      JsonObject *one = json_object_new ();
      JsonArray *values = json_array_new ();

      for (guint k = 0; k < m->values->len; k++)
        json_array_add_double_element (values, g_array_index (m->values, double, k));
      json_object_set_double_member (one, "last", m->last);
      json_object_set_double_member (one, "min", m->min);
      json_object_set_double_member (one, "max", m->max);
      json_object_set_int_member (one, "n", (gint64) m->n);
      json_object_set_int_member (one, "every", (gint64) m->stride);
      json_object_set_array_member (one, "values", values);
      json_object_set_object_member (object, m->name, one);
    }
  return object;
}

static JsonObject *
reports_json (GHashTable *reports)
{
  JsonObject *object = json_object_new ();
  g_autoptr (GList) keys = g_list_sort (g_hash_table_get_keys (reports), (GCompareFunc) strcmp);

  for (GList *k = keys; k != NULL; k = k->next)
    json_object_set_member (object, k->data,
                            json_node_ref (g_hash_table_lookup (reports, k->data)));
  return object;
}

static JsonObject *
report_entry (FrHost *h)
{
  JsonObject *object = json_object_new ();
  JsonArray *limits = json_array_new ();

  json_object_set_string_member (object, "element", h->stage->element->name);
  add_rows (h, object);
  json_object_set_int_member (object, "rejects", (gint64) h->n_rejects);
  json_object_set_object_member (object, "rejects_by_rule", counts_json (h->rules));
  json_object_set_object_member (object, "counters", counts_json (h->counts));
  json_object_set_object_member (object, "metrics", metrics_json (h->metrics));
  json_object_set_object_member (object, "reports", reports_json (h->reports));
  for (guint i = 0; i < h->limits->len; i++)
    json_array_add_string_element (limits, g_ptr_array_index (h->limits, i));
  json_object_set_array_member (object, "limits_passed", limits);
  json_object_set_int_member (object, "warnings", (gint64) h->warnings);
  return object;
}

/* A file that changed while the run read it: nobody knows which rows came. */
static void
look_again (FrHost *h)
{
  for (guint i = 0; i < h->reads->len; i++)
    {
      const FriRead *before = &g_array_index (h->reads, FriRead, i);
      FriRead now = { 0 };

      fri_plan_look (before->path, &now);
      if (now.size == before->size && now.seconds == before->seconds
          && now.nanoseconds == before->nanoseconds && now.inode == before->inode)
        continue;
      if (!h->volatile_)
        fr_host_warn (h, "'%s' changed while it was read; this run's results will not be reused",
                      before->path);
      h->volatile_ = TRUE;
    }
}

static JsonObject *
make (FrHost *h, gboolean outputs, GError **error)
{
  JsonObject *manifest = manifest_entry (h, outputs, error);
  JsonObject *record;

  if (manifest == NULL)
    return NULL;
  record = json_object_new ();
  json_object_set_object_member (record, "manifest", manifest);
  g_mutex_lock (&h->notes_lock);
  json_object_set_object_member (record, "report", report_entry (h));
  g_mutex_unlock (&h->notes_lock);
  return record;
}

JsonObject *
fri_record_make (FrHost *h, GError **error)
{
  return make (h, TRUE, error);
}

JsonObject *
fri_record_partial (FrHost *h)
{
  return make (h, FALSE, NULL);
}

/* Beside the record, so that it is kept and found again with it. */
static gboolean
save_samples (FrHost *h, GError **error)
{
  g_autofree char *path = g_build_filename (h->dir, "samples.json", NULL);
  g_autoptr (JsonObject) samples = fri_samples_stage (h);
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), samples);

  return fri_json_save (path, node, FALSE, error);
}

gboolean
fri_record_save (FrHost *h, GError **error)
{
  g_autofree char *path = g_build_filename (h->dir, "record.json", NULL);
  g_autoptr (JsonNode) node = NULL;

  if (h->e->options->ephemeral)
    return TRUE;
  g_clear_pointer (&h->record, json_object_unref);
  if (!h->ended)
    look_again (h);
  for (guint i = 0; i < h->stage->inputs->len; i++)
    {
      FriLink *link = g_ptr_array_index (h->stage->inputs, i);

      h->volatile_ |= fri_graph_host (h->e, link->from)->volatile_;
    }
  h->record = fri_record_make (h, error);
  if (h->record == NULL)
    return FALSE;
  node = json_node_init_object (json_node_alloc (), h->record);
  return save_samples (h, error) && fri_json_save (path, node, FALSE, error);
}

/* ---- limits ----------------------------------------------------------------------- */

static gint64
sum (JsonObject *rows, const char *except)
{
  g_autoptr (GList) names = json_object_get_members (rows);
  gint64 total = 0;

  for (GList *n = names; n != NULL; n = n->next)
    if (except == NULL || strcmp (n->data, except) != 0)
      total += json_object_get_int_member (rows, n->data);
  return total;
}

static char *
rejects_limit (FrHost *h, JsonObject *report)
{
  FriStage *s = h->stage;
  gint64 n = json_object_get_int_member_with_default (report, "rejects", 0), rows;
  const FrPort *const *in = s->element->inputs;
  g_autofree char *where = NULL;
  gboolean share = s->max_rejects < 1;

  if (s->max_rejects < 0 || n == 0)
    return NULL;
  if (in != NULL && in[0] != NULL)
    rows = sum (fri_json_member (report, "rows_in"), NULL);
  else
    rows = n + sum (fri_json_member (report, "rows_out"), "rejects");
  if ((double) n <= (share ? s->max_rejects * (double) rows : s->max_rejects))
    return NULL;
  where = h->rejects->edges->len > 0
              ? g_strdup ("they left by its port 'rejects'")
              : g_strdup_printf ("they are in %s/rejects/%s.jsonl", h->e->dir->dir, s->id);
  if (share)
    return g_strdup_printf ("stage '%s' rejected %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                            " rows (%.2f %%), more than its max_rejects of %g %%; %s",
                            s->id, n, rows, 100. * (double) n / (double) MAX (rows, 1),
                            100 * s->max_rejects, where);
  return g_strdup_printf ("stage '%s' rejected %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                          " rows, more than its max_rejects of %g; %s",
                          s->id, n, rows, s->max_rejects, where);
}

char *
fri_record_limit (FrHost *h)
{
  JsonObject *record = h->active ? h->record : h->old;
  JsonObject *report = fri_json_member (record, "report");
  JsonArray *limits;
  char *text;

  if (report == NULL)
    return NULL;
  text = rejects_limit (h, report);
  limits = json_object_get_array_member (report, "limits_passed");
  if (text != NULL || limits == NULL || json_array_get_length (limits) == 0)
    return text;
  return g_strdup_printf ("stage '%s': %s", h->stage->id,
                          json_array_get_string_element (limits, 0));
}

/* ---- kept outputs ------------------------------------------------------------------- */

char *
fri_record_kept_dir (FrHost *h)
{
  return g_strdup_printf ("%s/kept/%s-%s", h->e->dir->dir, h->stage->id, h->fingerprint);
}

char *
fri_record_kept_path (const FriOut *out)
{
  g_autofree char *dir = fri_record_kept_dir (out->host);

  return g_strdup_printf ("%s/%s.%s", dir, out->name, fri_out_is_object (out) ? "object" : "rows");
}

/* All stages that @h rests on, itself first. */
static void
add_ancestors (FrHost *h, GPtrArray *all)
{
  if (g_ptr_array_find (all, h, NULL))
    return;
  g_ptr_array_add (all, h);
  for (guint i = 0; i < h->stage->inputs->len; i++)
    {
      FriLink *link = g_ptr_array_index (h->stage->inputs, i);

      add_ancestors (fri_graph_host (h->e, link->from), all);
    }
}

static gboolean
is_over (FriEngine *e, GPtrArray *all)
{
  gboolean over = TRUE;

  g_mutex_lock (&e->lock);
  for (guint i = 0; i < all->len; i++)
    {
      FrHost *h = g_ptr_array_index (all, i);

      if (h->active && (!h->ended || (h->stage->element->finish != NULL && !h->finished)))
        over = FALSE;
    }
  g_mutex_unlock (&e->lock);
  return over;
}

/* Which start of the machine this is.  What was written since then is as it
 * was written, whether a process was killed or not; what was written before
 * may have been lost with the power, for kept outputs are not fsynced: they
 * are large, and can be made again. */
static char *
boot_id (void)
{
  char *id = NULL;

  if (g_file_get_contents ("/proc/sys/kernel/random/boot_id", &id, NULL, NULL))
    return g_strchomp (id);
  return g_strdup ("");
}

/* @made: when the run began that made it. */
static gboolean
seal (const char *dir, JsonObject *folders, const char *made, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "kept.json", NULL);
  g_autofree char *boot = boot_id ();
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);

  json_object_set_string_member (object, "boot", boot);
  json_object_set_string_member (object, "made", made);
  json_object_set_object_member (object, "folders", json_object_ref (folders));
  return fri_json_save (path, node, FALSE, error);
}

static gboolean
rows_are_whole (const char *path)
{
  g_autoptr (FriPageReader) reader = fri_page_reader_new (path, TRUE, NULL);
  GError *error = NULL;
  FrBatch *batch;

  if (reader == NULL)
    return FALSE;
  while ((batch = fri_page_reader_next (reader, &error)) != NULL)
    fr_batch_unref (batch);
  if (error == NULL)
    return TRUE;
  g_error_free (error);
  return FALSE;
}

/* @objects_only: rows have checksums of their own, and the rest is as it was
 * written; what an object's load would notice nobody knows. */
static gboolean
is_undamaged (const char *dir, JsonObject *folders, gboolean objects_only)
{
  g_auto (GStrv) names = fri_list_dir (dir);
  guint n = 0;

  for (char **name = names; *name != NULL; name++)
    {
      g_autofree char *path = g_build_filename (dir, *name, NULL);
      g_autofree char *hash = NULL;

      if (strcmp (*name, "kept.json") == 0)
        continue;
      if (objects_only && !g_str_has_suffix (*name, ".object"))
        {
          n += !g_str_has_suffix (*name, ".rows");
          continue;
        }
      if (g_str_has_suffix (*name, ".rows"))
        {
          if (!rows_are_whole (path))
            return FALSE;
          continue;
        }
      hash = fri_hash_tree (path, NULL, NULL);
      if (g_strcmp0 (hash, json_object_get_string_member_with_default (folders, *name, "")) != 0)
        return FALSE;
      n++;
    }
  return n == json_object_get_size (folders);
}

static gboolean
check_kept (FrHost *h)
{
  g_autofree char *dir = fri_record_kept_dir (h);
  g_autofree char *path = g_build_filename (dir, "kept.json", NULL);
  g_autofree char *boot = boot_id ();
  g_autoptr (JsonObject) object = NULL;
  JsonObject *folders;
  const char *made;

  if (!g_file_test (dir, G_FILE_TEST_IS_DIR))
    return FALSE;
  object = fri_json_load (path, NULL);
  folders = fri_json_member (object, "folders");
  made = object != NULL ? json_object_get_string_member_with_default (object, "made", "") : "";
  if (folders != NULL && *boot != '\0'
      && strcmp (json_object_get_string_member_with_default (object, "boot", ""), boot) == 0
      && is_undamaged (dir, folders, TRUE))
    return TRUE;
  if (folders != NULL && is_undamaged (dir, folders, FALSE) && seal (dir, folders, made, NULL))
    return TRUE;
  fri_events_log (h->e->events, FRI_LOG_WARNING, h->stage->id,
                  "its kept output is damaged and will be made again");
  fri_remove_tree (dir);
  return FALSE;
}

gboolean
fri_record_kept_whole (FrHost *h)
{
  if (h->kept_state == 0)
    h->kept_state = check_kept (h) ? 1 : -1;
  return h->kept_state > 0;
}

static gboolean
gather_output (FriOut *out, const char *to, JsonObject *folders, GError **error)
{
  g_autofree char *final = NULL;
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;
  g_autofree char *hash = NULL;

  if (!out->keep)
    return TRUE;
  final = fri_record_kept_path (out);
  name = g_path_get_basename (final);
  path = g_build_filename (to, name, NULL);
  if (!fri_out_is_object (out))
    return fri_link_file (out->kept_path, path, error);
  if (!fri_link_tree (out->kept_path, path, NULL, error)
      || (hash = fri_hash_tree (path, NULL, error)) == NULL)
    return FALSE;
  json_object_set_string_member (folders, name, hash);
  return TRUE;
}

static gboolean
gather (FrHost *h, GPtrArray *all, const char *to, GError **error)
{
  static const char *const outputs[] = { ".rows", ".object", NULL };
  g_autoptr (JsonObject) folders = json_object_new ();
  g_autofree char *made = NULL;

  for (guint i = 0; i < all->len; i++)
    {
      FrHost *a = g_ptr_array_index (all, i);
      g_autofree char *from = g_build_filename (h->e->dir->tmp, "stages", a->stage->id, NULL);
      g_autofree char *below = g_build_filename (to, a->stage->id, NULL);
      g_autofree char *hash = NULL;

      if (!fri_link_tree (from, below, outputs, error)
          || (hash = fri_hash_tree (below, NULL, error)) == NULL)
        return FALSE;
      json_object_set_string_member (folders, a->stage->id, hash);
    }
  for (guint i = 0; i < h->outs->len; i++)
    if (!gather_output (g_ptr_array_index (h->outs, i), to, folders, error))
      return FALSE;
  made = fri_summary_time (h->e->started_at);
  return seal (to, folders, made, error);
}

gboolean
fri_record_keep (FrHost *h, gboolean late, GError **error)
{
  FriEngine *e = h->e;
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_autofree char *to = fri_record_kept_dir (h);
  g_autofree char *temporary = g_strdup_printf ("%s/kept-%s", e->dir->tmp, h->stage->id);
  g_autofree char *kept = g_build_filename (e->dir->dir, "kept", NULL);
  gboolean keep = FALSE;

  for (guint i = 0; i < h->outs->len; i++)
    keep |= ((FriOut *) g_ptr_array_index (h->outs, i))->keep;
  if (!keep || h->kept_done || h->volatile_)
    return TRUE;
  add_ancestors (h, all);
  if (!late && !is_over (e, all))
    return TRUE;
  h->kept_done = TRUE;
  if (!gather (h, all, temporary, error) || !fri_mkdir (kept, error))
    return FALSE;
  fri_remove_tree (to);
  if (g_rename (temporary, to) < 0)
    return fr_error_errno (error, errno, "write", to);
  return TRUE;
}

static gboolean
is_wanted (FriEngine *e, const char *name)
{
  for (guint i = 0; i < e->hosts->len; i++)
    {
      FrHost *h = g_ptr_array_index (e->hosts, i);
      gsize n = strlen (h->stage->id);

      if (strncmp (name, h->stage->id, n) != 0 || name[n] != '-')
        continue;
      if (strcmp (name + n + 1, h->fingerprint) == 0 || (!h->in_scope && strlen (name) == n + 33))
        return TRUE;
    }
  return FALSE;
}

void
fri_record_clean (FriEngine *e)
{
  g_autofree char *kept = g_build_filename (e->dir->dir, "kept", NULL);
  g_autofree char *checkpoints = g_build_filename (e->dir->dir, "checkpoints", NULL);
  g_auto (GStrv) names = fri_list_dir (kept);

  for (char **n = names; *n != NULL; n++)
    if (!is_wanted (e, *n))
      {
        g_autofree char *path = g_build_filename (kept, *n, NULL);

        fri_remove_tree (path);
      }
  fri_remove_tree (checkpoints);
}
