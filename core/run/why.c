/* SPDX-License-Identifier: Apache-2.0 */
/* why.c: the way of one row through a finished run.
 *
 * Everything comes from the run directory alone: the manifest says which port
 * fed which, the lineage files say which rows passed each port, in order.  A
 * sink writes rows in the order they come, so a row's place among the sink's
 * input is its place in the file.
 */
#include "config.h"

#include "run/rundir-private.h"

#include <flowrun/json.h>
#include <stdlib.h>
#include <string.h>

typedef struct
{
  char *source;
  guint64 position;
  guint32 child; /* 0: the row and all that descend from it */
} RowName;

/* A row found at a port. */
typedef struct
{
  guint32 child;
  guint64 index;
} Found;

typedef struct
{
  const char *dir;
  JsonObject *stages; /* of the manifest */
  JsonObject *file;   /* the pipeline file in it, or NULL */
  RowName row;
  GHashTable *seen; /* "stage.port" → GArray of Found */
  JsonArray *path, *ends;
} Why;

static char *
show_row (const RowName *row, guint32 child)
{
  if (child == 0)
    return g_strdup_printf ("%s:%" G_GUINT64_FORMAT, row->source, row->position);
  return g_strdup_printf ("%s:%" G_GUINT64_FORMAT "~%08x", row->source, row->position, child);
}

/* ---- which row is meant ---------------------------------------------------------- */

static gboolean
parse_row (const char *text, RowName *row)
{
  const char *colon = strrchr (text, ':');
  char *end;

  if (colon == NULL || colon == text || !g_ascii_isdigit (colon[1]))
    return FALSE;
  row->position = g_ascii_strtoull (colon + 1, &end, 10);
  row->child = 0;
  if (*end == '~' && g_ascii_isxdigit (end[1]))
    row->child = (guint32) g_ascii_strtoull (end + 1, &end, 16);
  if (*end != '\0' || row->position == 0)
    return FALSE;
  row->source = g_strndup (text, (gsize) (colon - text));
  return TRUE;
}

static char *
lineage_path (const char *dir, const char *stage, const char *port)
{
  return g_strdup_printf ("%s/lineage/%s.%s", dir, stage, port);
}

/* Rows that a sink refused never reached its file; NULL when there are none. */
static GHashTable *
rejected_rows (const char *dir, const char *stage)
{
  g_autofree char *path = g_strdup_printf ("%s/rejects/%s.jsonl", dir, stage);
  g_autofree char *other = g_strdup_printf ("%s/lineage/%s.reasons.jsonl", dir, stage);
  g_autofree char *text = NULL;
  GHashTable *rows;

  if (!g_file_get_contents (path, &text, NULL, NULL)
      && !g_file_get_contents (other, &text, NULL, NULL))
    return NULL;
  rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (char *line = text; line != NULL && *line != '\0';)
    {
      char *name = strstr (line, "row\":\"");
      char *end = name != NULL ? strchr (name + 6, '"') : NULL;

      if (end != NULL)
        g_hash_table_add (rows, g_strndup (name + 6, (gsize) (end - name - 6)));
      line = strchr (line, '\n');
      line = line != NULL ? line + 1 : NULL;
    }
  return rows;
}

typedef struct
{
  RowName *row;
  GHashTable *rejected;
  guint64 left; /* rows to pass by */
  gboolean found;
} Nth;

static gboolean
find_nth (const char *source, FrRowId first, guint64 count, guint64 index, gpointer data)
{
  Nth *nth = data;

  (void) index;
  if (nth->rejected == NULL && nth->left >= count)
    {
      nth->left -= count;
      return TRUE;
    }
  for (guint64 i = 0; i < count; i++)
    {
      RowName row = { (char *) source, first.position + i, first.child };
      g_autofree char *name = show_row (&row, first.child);

      if (nth->rejected != NULL && g_hash_table_contains (nth->rejected, name))
        continue;
      if (nth->left-- > 0)
        continue;
      *nth->row = row;
      nth->row->source = g_strdup (source);
      nth->found = TRUE;
      return FALSE;
    }
  return TRUE;
}

/* The ends that feed a stage, in order. */
static GPtrArray *
feeding (JsonObject *stage)
{
  GPtrArray *ends = g_ptr_array_new ();
  JsonObject *from = fri_json_member (stage, "from");
  g_autoptr (GList) ports = from != NULL ? json_object_get_members (from) : NULL;

  for (GList *p = ports; p != NULL; p = p->next)
    {
      JsonArray *list = json_object_get_array_member (from, p->data);

      for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
        g_ptr_array_add (ends, (char *) json_array_get_string_element (list, i));
    }
  return ends;
}

static gboolean
row_of_sink (Why *why, const char *id, JsonObject *stage, guint64 n, GError **error)
{
  g_autoptr (GPtrArray) ends = feeding (stage);
  g_autoptr (GHashTable) rejected = rejected_rows (why->dir, id);
  Nth nth = { &why->row, rejected, n - 1, FALSE };

  for (guint i = 0; i < ends->len && !nth.found; i++)
    {
      g_autofree char *path
          = g_build_filename (why->dir, "lineage", g_ptr_array_index (ends, i), NULL);

      if (!fri_lineage_read (path, find_nth, &nth, error))
        return FALSE;
    }
  if (!nth.found)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                 "the output of stage '%s' has no row %" G_GUINT64_FORMAT, id, n);
  return nth.found;
}

static JsonArray *
outputs_of (JsonObject *stage)
{
  JsonNode *node = json_object_get_member (stage, "outputs");

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static gboolean
has_output (JsonObject *stage, const char *path)
{
  JsonArray *outputs = outputs_of (stage);
  g_autofree char *full = g_canonicalize_filename (path, NULL);

  for (guint i = 0; outputs != NULL && i < json_array_get_length (outputs); i++)
    {
      JsonObject *file = json_array_get_object_element (outputs, i);
      const char *out = json_object_get_string_member_with_default (file, "path", "");

      if (strcmp (out, full) == 0
          || (g_str_has_suffix (out, path) && out[strlen (out) - strlen (path) - 1] == '/'))
        return TRUE;
    }
  return FALSE;
}

static gboolean
which_row (Why *why, const char *text, GError **error)
{
  g_autoptr (GList) ids = json_object_get_members (why->stages);
  RowName name = { 0 };
  g_autofree char *file = NULL;

  if (!parse_row (text, &name))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "'%s' names no row; write STAGE:NUMBER, such as goods:17, or FILE:ROW of an "
                   "output, such as out/train.jsonl:5",
                   text);
      return FALSE;
    }
  if (json_object_has_member (why->stages, name.source))
    {
      why->row = name;
      return TRUE;
    }
  file = name.source;
  for (GList *i = ids; i != NULL; i = i->next)
    {
      JsonObject *stage = fri_json_member (why->stages, i->data);

      if (!has_output (stage, file))
        continue;
      if (json_array_get_length (outputs_of (stage)) == 1)
        return row_of_sink (why, i->data, stage, name.position, error);
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "stage '%s' wrote several files, so the row cannot be told from its place in "
                   "'%s'; name it as STAGE:NUMBER",
                   (char *) i->data, file);
      return FALSE;
    }
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "this run has neither a stage nor an output file '%s'", file);
  return FALSE;
}

/* ---- where it went -------------------------------------------------------------------- */

typedef struct
{
  const RowName *row;
  GArray *found;
} Search;

static gboolean
find_row (const char *source, FrRowId first, guint64 count, guint64 index, gpointer data)
{
  Search *s = data;
  Found f = { first.child, index };

  if (s->row->position < first.position || s->row->position - first.position >= count
      || strcmp (source, s->row->source) != 0)
    return TRUE;
  f.index += s->row->position - first.position;
  g_array_append_val (s->found, f);
  return TRUE;
}

/* Where a port let the row, or its descendants, pass; of these only the one asked for, if it is
 * there. */
static GArray *
look_at_port (Why *why, const char *stage, const char *port, GError **error)
{
  g_autofree char *path = lineage_path (why->dir, stage, port);
  GArray *found = g_array_new (FALSE, FALSE, sizeof (Found));
  Search search = { &why->row, found };
  Found exact = { 0 };
  gboolean has_exact = FALSE;

  if (!fri_lineage_read (path, find_row, &search, error))
    {
      g_array_unref (found);
      return NULL;
    }
  for (guint i = 0; why->row.child != 0 && !has_exact && i < found->len; i++)
    {
      exact = g_array_index (found, Found, i);
      has_exact = exact.child == why->row.child;
    }
  if (has_exact)
    {
      g_array_set_size (found, 0);
      g_array_append_val (found, exact);
    }
  return found;
}

static JsonObject *
add_end (Why *why, const char *kind, const char *stage)
{
  JsonObject *end = json_object_new ();

  json_object_set_string_member (end, "kind", kind);
  json_object_set_string_member (end, "stage", stage);
  json_array_add_object_element (why->ends, end);
  return end;
}

/* Rule and reason of a rejected row, from whichever file has them. */
static void
add_reason (Why *why, const char *stage, guint32 child, JsonObject *end)
{
  g_autofree char *rejects = g_strdup_printf ("%s/rejects/%s.jsonl", why->dir, stage);
  g_autofree char *reasons = g_strdup_printf ("%s/lineage/%s.reasons.jsonl", why->dir, stage);
  g_autofree char *name = show_row (&why->row, child);
  g_autofree char *needle = g_strdup_printf ("row\":\"%s\"", name);
  g_autofree char *text = NULL;
  char *at, *start, *stop;

  json_object_set_string_member (end, "row", name);
  if (!g_file_get_contents (rejects, &text, NULL, NULL)
      && !g_file_get_contents (reasons, &text, NULL, NULL))
    return;
  at = strstr (text, needle);
  if (at == NULL)
    return;
  for (start = at; start > text && start[-1] != '\n';)
    start--;
  stop = strchr (at, '\n');
  g_autoptr (JsonNode) node = fr_json_parse (start, stop != NULL ? stop - start : -1, 0, NULL);
  JsonObject *line = node != NULL ? json_node_get_object (node) : NULL;
  for (guint i = 0; line != NULL && i < 2; i++)
    {
      const char *const keys[] = { "reject_rule", "reject_reason" };
      const char *value = json_object_get_string_member_with_default (line, keys[i], NULL);

      if (value != NULL)
        json_object_set_string_member (end, i == 0 ? "rule" : "reason", value);
    }
}

static gboolean
is_read (Why *why, const char *end)
{
  g_autoptr (GList) ids = json_object_get_members (why->stages);

  for (GList *i = ids; i != NULL; i = i->next)
    {
      g_autoptr (GPtrArray) ends = feeding (fri_json_member (why->stages, i->data));

      for (guint k = 0; k < ends->len; k++)
        if (strcmp (g_ptr_array_index (ends, k), end) == 0)
          return TRUE;
    }
  return FALSE;
}

static guint64
rows_at (Why *why, const char *end)
{
  const char *dot = strrchr (end, '.');
  g_autofree char *id = g_strndup (end, (gsize) (dot - end));
  JsonObject *rows = fri_json_member (fri_json_member (why->stages, id), "rows_out");

  return rows != NULL ? (guint64) json_object_get_int_member_with_default (rows, dot + 1, 0) : 0;
}

static gboolean
count_rejected (const char *source, FrRowId first, guint64 count, guint64 index, gpointer data)
{
  Nth *nth = data;

  (void) index;
  for (guint64 i = 0; i < count; i++)
    {
      RowName row = { (char *) source, first.position + i, first.child };
      g_autofree char *name = show_row (&row, first.child);

      if (nth->left == 0)
        return FALSE;
      nth->left--;
      if (g_hash_table_contains (nth->rejected, name))
        nth->row->position++;
    }
  return TRUE;
}

/* How many of the first @n rows of @end the sink refused. */
static guint64
refused_before (Why *why, const char *end, guint64 n, GHashTable *rejected)
{
  g_autofree char *path = g_build_filename (why->dir, "lineage", end, NULL);
  RowName counter = { 0 };
  Nth nth = { &counter, rejected, n, FALSE };

  if (rejected != NULL)
    (void) fri_lineage_read (path, count_rejected, &nth, NULL);
  return counter.position;
}

static void
add_output_ends (Why *why, const char *id, JsonObject *stage, GPtrArray *ends)
{
  JsonArray *outputs = outputs_of (stage);
  guint n = outputs != NULL ? json_array_get_length (outputs) : 0;
  g_autoptr (GHashTable) rejected = rejected_rows (why->dir, id);
  guint64 before = 0;

  for (guint e = 0; e < ends->len; e++)
    {
      const char *end = g_ptr_array_index (ends, e);
      GArray *found = g_hash_table_lookup (why->seen, end);

      for (guint i = 0; found != NULL && i < found->len; i++)
        {
          Found *f = &g_array_index (found, Found, i);
          g_autofree char *name = show_row (&why->row, f->child);
          JsonObject *o;

          if (rejected != NULL && g_hash_table_contains (rejected, name))
            continue;
          o = add_end (why, "output", id);
          json_object_set_string_member (o, "row", name);
          if (n > 0)
            json_object_set_array_member (o, "files", json_array_ref (outputs));
          if (n != 1)
            continue;
          json_object_set_int_member (
              o, "place",
              (gint64) (before + f->index - refused_before (why, end, f->index, rejected) + 1));
        }
      before += rows_at (why, end) - refused_before (why, end, G_MAXUINT64, rejected);
    }
}

/* ---- one stage -------------------------------------------------------------------------- */

/* "parameters" are all that were in force, "with" those that the pipeline file states. */
static JsonObject *
step_new (Why *why, const char *id, JsonObject *stage)
{
  static const char *const copied[]
      = { "element", "plugin", "plugin_version", "revision", "parameters", "seed" };
  JsonObject *step = json_object_new (), *written;

  json_object_set_string_member (step, "stage", id);
  for (guint i = 0; i < G_N_ELEMENTS (copied); i++)
    if (json_object_has_member (stage, copied[i]))
      json_object_set_member (step, copied[i], json_object_dup_member (stage, copied[i]));
  written = fri_json_member (fri_json_member (fri_json_member (why->file, "stages"), id), "with");
  if (written != NULL)
    json_object_set_object_member (step, "with", json_object_ref (written));
  return step;
}

static void
add_found (Why *why, JsonObject *step, const char *port, GArray *found)
{
  JsonObject *out = json_object_get_object_member (step, "left_by");
  JsonArray *rows = json_array_new ();

  for (guint i = 0; i < found->len; i++)
    {
      g_autofree char *name = show_row (&why->row, g_array_index (found, Found, i).child);

      json_array_add_string_element (rows, name);
    }
  json_object_set_array_member (out, port, rows);
}

/* The row came into a stage: see by which ports it left. */
static gboolean
pass_stage (Why *why, const char *id, JsonObject *stage, GPtrArray *ends, GError **error)
{
  JsonObject *rows_out = fri_json_member (stage, "rows_out");
  g_autoptr (GList) ports = rows_out != NULL ? json_object_get_members (rows_out) : NULL;
  JsonObject *step = step_new (why, id, stage);
  gboolean left = FALSE;

  json_object_set_object_member (step, "left_by", json_object_new ());
  json_array_add_object_element (why->path, step);
  for (GList *p = ports; p != NULL; p = p->next)
    {
      GArray *found = look_at_port (why, id, p->data, error);
      char *end = g_strdup_printf ("%s.%s", id, (char *) p->data);

      if (found == NULL)
        {
          g_free (end);
          return FALSE;
        }
      g_hash_table_insert (why->seen, end, found);
      if (found->len == 0)
        continue;
      left = TRUE;
      add_found (why, step, p->data, found);
      if (strcmp (p->data, "rejects") == 0)
        for (guint i = 0; i < found->len; i++)
          add_reason (why, id, g_array_index (found, Found, i).child,
                      add_end (why, "rejected", id));
      else if (!is_read (why, end))
        json_object_set_string_member (add_end (why, "unconnected", id), "port", p->data);
    }
  if (g_str_has_prefix (json_object_get_string_member_with_default (stage, "element", ""), "sink."))
    add_output_ends (why, id, stage, ends);
  else if (!left)
    add_end (why, "absorbed", id);
  return TRUE;
}

static gboolean
came_in (Why *why, GPtrArray *ends)
{
  for (guint i = 0; i < ends->len; i++)
    {
      GArray *found = g_hash_table_lookup (why->seen, g_ptr_array_index (ends, i));

      if (found != NULL && found->len > 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
walk (Why *why, GError **error)
{
  g_autoptr (GList) ids = json_object_get_members (why->stages);

  for (GList *i = ids; i != NULL; i = i->next)
    {
      JsonObject *stage = fri_json_member (why->stages, i->data);
      g_autoptr (GPtrArray) ends = feeding (stage);

      if ((strcmp (i->data, why->row.source) == 0 || came_in (why, ends))
          && !pass_stage (why, i->data, stage, ends, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- where it came from -------------------------------------------------------------------- */

static void
add_origin (Why *why, JsonObject *result)
{
  g_autofree char *path = g_strdup_printf ("%s/lineage/%s.origins", why->dir, why->row.source);
  g_autofree char *text = NULL;
  JsonObject *origin = json_object_new ();
  g_auto (GStrv) lines = NULL;

  json_object_set_string_member (origin, "stage", why->row.source);
  json_object_set_int_member (origin, "position", (gint64) why->row.position);
  json_object_set_object_member (result, "origin", origin);
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  lines = g_strsplit (text, "\n", -1);
  for (char **l = lines; *l != NULL && **l != '\0'; l++)
    {
      g_autoptr (JsonNode) node = fr_json_parse (*l, -1, 0, NULL);
      JsonObject *o = node != NULL ? json_node_get_object (node) : NULL;
      gint64 first = o != NULL ? json_object_get_int_member (o, "first") : G_MAXINT64;

      if ((guint64) first > why->row.position)
        continue;
      json_object_set_string_member (origin, "name", json_object_get_string_member (o, "name"));
      json_object_set_int_member (origin, "row", (gint64) why->row.position - first + 1);
    }
}

/* A row that its source never gave is a slip of the one who asks. */
static gboolean
exists (Why *why, GError **error)
{
  JsonObject *first
      = json_array_get_length (why->path) > 0 ? json_array_get_object_element (why->path, 0) : NULL;
  JsonObject *left = fri_json_member (first, "left_by");

  if (left != NULL && json_object_get_size (left) > 0)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "stage '%s' gave no row number %" G_GUINT64_FORMAT
               "; rows are named by the stage they come from",
               why->row.source, why->row.position);
  return FALSE;
}

JsonNode *
fri_why (const char *run_dir, const char *row, GError **error)
{
  g_autofree char *path = g_build_filename (run_dir, "manifest.json", NULL);
  g_autoptr (JsonObject) manifest = fri_json_load (path, error);
  g_autoptr (JsonObject) result = json_object_new ();
  g_autoptr (JsonArray) steps = json_array_new ();
  g_autoptr (JsonArray) ends = json_array_new ();
  g_autofree char *name = NULL;
  Why why = { .dir = run_dir, .path = steps, .ends = ends };
  gboolean ok;

  if (manifest == NULL)
    {
      g_prefix_error (error, "'%s' holds no finished run: ", run_dir);
      return NULL;
    }
  why.stages = fri_json_member (manifest, "stages");
  why.file = fri_json_member (fri_json_member (manifest, "pipeline"), "file");
  if (why.stages == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "'%s' has no stages", path);
      return NULL;
    }
  if (!which_row (&why, row, error))
    return NULL;
  why.seen
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_array_unref);
  name = show_row (&why.row, why.row.child);
  json_object_set_string_member (result, "row", name);
  add_origin (&why, result);
  ok = walk (&why, error) && exists (&why, error);
  g_hash_table_unref (why.seen);
  g_free (why.row.source);
  if (!ok)
    return NULL;
  json_object_set_array_member (result, "path", json_array_ref (steps));
  json_object_set_array_member (result, "ends", json_array_ref (ends));
  return json_node_init_object (json_node_alloc (), result);
}

/* ---- for a person ------------------------------------------------------------------------- */

static const char *
word (JsonObject *object, const char *name)
{
  return json_object_get_string_member_with_default (object, name, "?");
}

static void
say_step (GString *text, JsonObject *step, gboolean first)
{
  JsonObject *left = json_object_get_object_member (step, "left_by");
  g_autoptr (GList) ports = json_object_get_members (left);
  JsonNode *with = json_object_get_member (step, "with");

  g_string_append_printf (text, "\n  %s '%s'  (%s, revision %" G_GINT64_FORMAT ", %s %s)\n",
                          first ? "given by" : "reached", word (step, "stage"),
                          word (step, "element"),
                          json_object_get_int_member_with_default (step, "revision", 0),
                          word (step, "plugin"), word (step, "plugin_version"));
  if (with != NULL && JSON_NODE_HOLDS_OBJECT (with)
      && json_object_get_size (json_node_get_object (with)) > 0)
    {
      g_autofree char *json = fr_json_to_string (with, 0);

      g_string_append_printf (text, "      with %s\n", json);
    }
  for (GList *p = ports; p != NULL; p = p->next)
    {
      JsonArray *rows = json_object_get_array_member (left, p->data);
      guint n = json_array_get_length (rows);

      g_string_append_printf (text, "      left by '%s'", (char *) p->data);
      if (n == 1)
        g_string_append_printf (text, " as %s\n", json_array_get_string_element (rows, 0));
      else
        g_string_append_printf (text, " as %u rows\n", n);
    }
}

static void
say_end (GString *text, JsonObject *end)
{
  const char *kind = word (end, "kind"), *stage = word (end, "stage");
  JsonArray *files;

  if (strcmp (kind, "rejected") == 0)
    g_string_append_printf (text, "  rejected by '%s': %s (%s)\n", stage, word (end, "reason"),
                            word (end, "rule"));
  else if (strcmp (kind, "unconnected") == 0)
    g_string_append_printf (text, "  left '%s' by its port '%s', which nothing reads\n", stage,
                            word (end, "port"));
  else if (strcmp (kind, "absorbed") == 0)
    g_string_append_printf (text, "  used up by '%s', which passed no row on for it\n", stage);
  else if (json_object_has_member (end, "place"))
    {
      const char *path;

      files = json_object_get_array_member (end, "files");
      path = word (json_array_get_object_element (files, 0), "path");
      g_string_append_printf (text, "  written by '%s' to %s, %s %" G_GINT64_FORMAT "\n", stage,
                              path, g_str_has_suffix (path, ".jsonl") ? "line" : "row",
                              json_object_get_int_member (end, "place"));
    }
  else
    g_string_append_printf (text, "  written by '%s'\n", stage);
}

char *
fri_why_text (JsonNode *why)
{
  JsonObject *o = json_node_get_object (why);
  JsonObject *origin = json_object_get_object_member (o, "origin");
  JsonArray *steps = json_object_get_array_member (o, "path");
  JsonArray *ends = json_object_get_array_member (o, "ends");
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "row %s\n", word (o, "row"));
  if (json_object_has_member (origin, "name"))
    g_string_append_printf (text, "  row %" G_GINT64_FORMAT " of %s\n",
                            json_object_get_int_member (origin, "row"), word (origin, "name"));
  for (guint i = 0; i < json_array_get_length (steps); i++)
    say_step (text, json_array_get_object_element (steps, i), i == 0);
  g_string_append (text, "\nand ended\n");
  for (guint i = 0; i < json_array_get_length (ends); i++)
    say_end (text, json_array_get_object_element (ends, i));
  return g_string_free (text, FALSE);
}
