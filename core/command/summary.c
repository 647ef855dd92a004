/* SPDX-License-Identifier: Apache-2.0 */
/* summary.c: what is said when a run has ended: a table of stages, what was
 * written, what to look at, and where the rest is. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/progress-private.h"

/* The manifest that the engine has just put in place, or NULL. */
static JsonNode *
read_manifest (const char *run_dir)
{
  g_autofree char *path = g_build_filename (run_dir, "manifest.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;
  gsize len;

  if (!g_file_get_contents (path, &text, &len, NULL))
    return NULL;
  root = fr_json_parse (text, (gssize) len, 0, NULL);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)
      || !json_object_has_member (json_node_get_object (root), "stages"))
    return NULL;
  return g_steal_pointer (&root);
}

static JsonObject *
manifest_stage (JsonNode *manifest, const char *id)
{
  JsonObject *stages
      = manifest ? json_object_get_object_member (json_node_get_object (manifest), "stages") : NULL;

  return stages != NULL && json_object_has_member (stages, id)
             ? json_object_get_object_member (stages, id)
             : NULL;
}

/* Rows over all ports but rejects. */
static guint64
port_sum (JsonObject *stage, const char *key)
{
  JsonNode *node = stage ? json_object_get_member (stage, key) : NULL;
  JsonObjectIter iter;
  const char *port;
  JsonNode *rows;
  guint64 n = 0;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return 0;
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &port, &rows))
    if (strcmp (port, "rejects") != 0)
      n += (guint64) json_node_get_int (rows);
  return n;
}

static gboolean
lists (JsonNode *node, const char *end)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    if (strcmp (json_array_get_string_element (array, i), end) == 0)
      return TRUE;
  return FALSE;
}

/* Whether any stage of the run reads output "stage.port". */
static gboolean
is_read (JsonNode *manifest, const char *end)
{
  JsonObject *stages = json_object_get_object_member (json_node_get_object (manifest), "stages");
  g_autoptr (GList) all = json_object_get_values (stages);

  for (GList *l = all; l != NULL; l = l->next)
    {
      JsonObject *inputs = json_object_get_object_member (json_node_get_object (l->data), "from");
      g_autoptr (GList) ports = inputs != NULL ? json_object_get_values (inputs) : NULL;

      for (GList *p = ports; p != NULL; p = p->next)
        if (lists (p->data, end))
          return TRUE;
    }
  return FALSE;
}

/* Rows that left by ports nothing reads: duplicates, the rest of a filter. */
static guint64
rows_aside (JsonNode *manifest, const char *id, JsonObject *stage)
{
  JsonObject *out = stage ? json_object_get_object_member (stage, "rows_out") : NULL;
  g_autoptr (GList) ports = out != NULL ? json_object_get_members (out) : NULL;
  guint64 n = 0;

  for (GList *l = ports; l != NULL; l = l->next)
    {
      g_autofree char *end = g_strdup_printf ("%s.%s", id, (const char *) l->data);

      if (strcmp (l->data, "rejects") != 0 && !is_read (manifest, end))
        n += (guint64) json_object_get_int_member (out, l->data);
    }
  return n;
}

static guint64
rows_of_port (JsonObject *stage, const char *port)
{
  JsonObject *out = stage ? json_object_get_object_member (stage, "rows_out") : NULL;

  return out != NULL ? (guint64) json_object_get_int_member_with_default (out, port, 0) : 0;
}

static void
stage_row (Table *table, const ProgressStage *stage, JsonNode *manifest)
{
  const FriStageStats *s = &stage->now;
  gboolean reused = s->state == FRI_STAGE_REUSED;
  JsonObject *told
      = reused || s->state == FRI_STAGE_DONE ? manifest_stage (manifest, stage->id) : NULL;
  guint64 n_in = reused ? port_sum (told, "rows_in") : s->rows_in;
  guint64 n_aside = rows_aside (manifest, stage->id, told);
  guint64 n_out = (reused ? port_sum (told, "rows_out") : s->rows_out) - n_aside;
  guint64 n_rejects = reused ? rows_of_port (told, "rejects") : s->rejects;
  g_autofree char *in = text_count (n_in), *out = text_count (n_out);
  g_autofree char *aside = text_count (n_aside), *rejects = text_count (n_rejects);
  g_autofree char *time = text_duration (s->busy_us);
  Style style = STYLE_NONE;

  if (s->state == FRI_STAGE_FAILED)
    style = STYLE_RED;
  else if (s->state == FRI_STAGE_CANCELLED || s->state == FRI_STAGE_WAITING)
    style = STYLE_DIM;
  table_cell (table, style, stage->id);
  table_cell (table, n_in ? STYLE_NONE : STYLE_DIM, in);
  table_cell (table, n_out ? STYLE_NONE : STYLE_DIM, out);
  table_cell (table, n_aside ? STYLE_NONE : STYLE_DIM, aside);
  table_cell (table, n_rejects ? STYLE_YELLOW : STYLE_DIM, rejects);
  table_cell (table, STYLE_NONE, reused ? "" : time);
  table_cell (table, s->state == FRI_STAGE_DONE ? STYLE_DIM : style,
              fri_stage_state_name (s->state));
}

static void
print_stages (Progress *p, JsonNode *manifest, gboolean colour)
{
  g_autoptr (Table) table = table_new ();

  table_column (table, "stage", 0);
  table_column (table, "rows in", TABLE_RIGHT | TABLE_KEEP);
  table_column (table, "rows out", TABLE_RIGHT | TABLE_KEEP);
  table_column (table, "set aside", TABLE_RIGHT | TABLE_KEEP);
  table_column (table, "rejects", TABLE_RIGHT | TABLE_KEEP);
  table_column (table, "time", TABLE_RIGHT | TABLE_KEEP);
  table_column (table, "state", 0);
  for (guint i = 0; i < p->stages->len; i++)
    stage_row (table, &g_array_index (p->stages, ProgressStage, i), manifest);
  table_print (table, stderr, term_is (STDERR_FILENO) ? term_width (STDERR_FILENO) - 1 : 0, colour);
}

static void
print_files (JsonObject *stage)
{
  JsonArray *array = json_object_has_member (stage, "outputs")
                         ? json_object_get_array_member (stage, "outputs")
                         : NULL;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonObject *output = json_array_get_object_element (array, i);
      const char *file = json_object_get_string_member_with_default (output, "path", NULL);
      gint64 bytes = json_object_get_int_member_with_default (output, "bytes", 0);
      g_autofree char *size = text_bytes ((guint64) MAX (bytes, 0));

      if (file != NULL)
        say ("wrote %s (%s)", file, size);
    }
}

static void
print_outputs (Progress *p, JsonNode *manifest)
{
  for (guint i = 0; i < p->stages->len; i++)
    {
      JsonObject *stage = manifest_stage (manifest, g_array_index (p->stages, ProgressStage, i).id);

      if (stage != NULL)
        print_files (stage);
    }
}

/* The engine warns where it could not write one. */
static void
print_page (const char *run_dir)
{
  g_autofree char *path = g_build_filename (run_dir, "report.html", NULL);

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    say ("report: %s", path);
}

static void
print_status (Progress *p, FriExit status, const GError *error, gboolean colour)
{
  g_autofree char *time = text_duration (p->last_us);
  gboolean utf8 = term_utf8 ();

  if (status == FRI_EXIT_OK)
    say ("%s%s done%s in %s", term_style (STYLE_GREEN, colour), utf8 ? "✓" : "+",
         term_plain (colour), time);
  else if (status == FRI_EXIT_INTERRUPTED)
    say ("%sinterrupted%s after %s; run again to go on", term_style (STYLE_YELLOW, colour),
         term_plain (colour), time);
  else if (status == FRI_EXIT_LIMIT)
    say ("%sdone, but a limit was passed%s: %s", term_style (STYLE_YELLOW, colour),
         term_plain (colour), error ? error->message : "see the report");
  else
    say_error ("%s", error ? error->message : "the run failed");
}

/* Nobody can look for them later. */
static void
warn_of_rejects (const Progress *p)
{
  for (guint i = 0; i < p->stages->len; i++)
    {
      const ProgressStage *stage = &g_array_index (p->stages, ProgressStage, i);
      g_autofree char *rejects = text_count (stage->now.rejects);

      if (stage->now.rejects > 0)
        say_warning ("%s rejected %s row%s, and this pipeline leaves no record; run it with "
                     "--run-dir DIR to see them and why",
                     stage->id, rejects, stage->now.rejects == 1 ? "" : "s");
    }
}

void
progress_end (Progress *p, FriExit status, const GError *error, const char *run_dir)
{
  gboolean colour = term_colour (STDERR_FILENO);
  gboolean ran = p->stages->len > 0;
  g_autoptr (JsonNode) manifest = NULL;

  g_mutex_lock (&p->lock);
  progress_live_clear (p);
  g_mutex_unlock (&p->lock);
  if (run_dir == NULL)
    warn_of_rejects (p);
  if (p->mode == PROGRESS_JSON || p->mode == PROGRESS_NONE || !ran || run_dir == NULL)
    {
      if (status != FRI_EXIT_OK && error != NULL)
        say_error ("%s", error->message);
      return;
    }
  manifest = read_manifest (run_dir);
  print_stages (p, manifest, colour);
  /* After a failure it is still that of an earlier run. */
  if (status == FRI_EXIT_OK || status == FRI_EXIT_LIMIT)
    print_outputs (p, manifest);
  if (p->n_warnings > 0)
    say ("%u warning%s; see %s/log.jsonl", p->n_warnings, p->n_warnings == 1 ? "" : "s", run_dir);
  say ("run directory: %s", run_dir);
  print_page (run_dir);
  print_status (p, status, error, colour);
}
