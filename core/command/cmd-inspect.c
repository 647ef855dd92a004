/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-inspect.c: flowrun inspect: a run directory, a data file, or what a plugin
 * knows to tell about (a service of kind "inspect": a model).
 *
 * Data files are read by the same sources that a pipeline uses, in a small
 * pipeline of one stage, so what is shown is what a run would see.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/rows.h"
#include "run/rundir.h"

static const char *
text_of (JsonObject *object, const char *key)
{
  return json_object_get_string_member_with_default (object, key, "");
}

/* ---- run directories ------------------------------------------------------------- */

static guint64
sum_of (JsonObject *stage, const char *key)
{
  JsonNode *node = json_object_get_member (stage, key);
  JsonObjectIter iter;
  JsonNode *value;
  guint64 n = 0;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? (guint64) json_node_get_int (node) : 0;
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, NULL, &value))
    n += (guint64) json_node_get_int (value);
  return n;
}

static void
count_cell (Table *table, guint64 n, Style style)
{
  g_autofree char *text = text_count (n);

  table_cell (table, n ? style : STYLE_DIM, text);
}

static void
print_run_stages (JsonArray *stages)
{
  g_autoptr (Table) table = table_new ();

  table_column (table, "stage", 0);
  table_column (table, "element", 0);
  table_column (table, "rows in", TABLE_RIGHT | TABLE_KEEP);
  table_column (table, "rows out", TABLE_RIGHT | TABLE_KEEP);
  table_column (table, "rejects", TABLE_RIGHT | TABLE_KEEP);
  table_column (table, "state", 0);
  for (guint i = 0; i < json_array_get_length (stages); i++)
    {
      JsonObject *stage = json_array_get_object_element (stages, i);

      table_cell (table, STYLE_BOLD, text_of (stage, "id"));
      table_cell (table, STYLE_NONE, text_of (stage, "element"));
      count_cell (table, sum_of (stage, "rows_in"), STYLE_NONE);
      count_cell (table, sum_of (stage, "rows_out"), STYLE_NONE);
      count_cell (table, sum_of (stage, "rejects"), STYLE_YELLOW);
      table_cell (table, STYLE_DIM, text_of (stage, "state"));
    }
  table_print (table, stdout, term_is (STDOUT_FILENO) ? term_width (STDOUT_FILENO) : 0,
               term_colour (STDOUT_FILENO));
}

/* Counters by the rule they belong to: "html: rows 9, cells 9, chars 195". */
static void
print_counters (const char *stage, JsonObject *counters)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;
  g_autofree char *rule = NULL;

  printf ("%s counted", stage);
  json_object_iter_init_ordered (&iter, counters);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      const char *dot = strrchr (name, '.');
      g_autofree char *of = g_strndup (name, dot != NULL ? (gsize) (dot - name) : 0);
      g_autofree char *count = text_count ((guint64) MAX (json_node_get_int (value), 0));

      if (rule == NULL || strcmp (rule, of) != 0)
        printf ("\n  %s%s%s %s", of, *of != '\0' ? ": " : "", dot != NULL ? dot + 1 : name, count);
      else
        printf (", %s %s", dot != NULL ? dot + 1 : name, count);
      g_free (rule);
      rule = g_steal_pointer (&of);
    }
  printf ("\n");
}

/* What the stages wrote, counted and warned of. */
static void
print_run_details (JsonArray *stages)
{
  for (guint i = 0; i < json_array_get_length (stages); i++)
    {
      JsonObject *stage = json_array_get_object_element (stages, i);
      JsonNode *outputs = json_object_get_member (stage, "outputs");
      JsonNode *counters = json_object_get_member (stage, "counters");

      for (guint k = 0;
           outputs != NULL && k < json_array_get_length (json_node_get_array (outputs)); k++)
        {
          JsonObject *file = json_array_get_object_element (json_node_get_array (outputs), k);
          g_autofree char *size = text_bytes (sum_of (file, "bytes"));

          printf ("%s wrote %s (%s, %s)\n", text_of (stage, "id"), text_of (file, "path"), size,
                  text_of (file, "hash"));
        }
      if (counters != NULL && JSON_NODE_HOLDS_OBJECT (counters)
          && json_object_get_size (json_node_get_object (counters)) > 0)
        print_counters (text_of (stage, "id"), json_node_get_object (counters));
    }
}

static void
print_listing (JsonObject *run, const char *key, const char *title)
{
  JsonArray *files = json_object_get_array_member (run, key);

  for (guint i = 0; files != NULL && i < json_array_get_length (files); i++)
    {
      JsonObject *file = json_array_get_object_element (files, i);
      g_autofree char *size = text_bytes (sum_of (file, "bytes"));

      printf ("%s%s (%s)\n", i == 0 ? title : "         ", text_of (file, "path"), size);
    }
}

static int
inspect_run (const CmdLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = fri_rundir_inspect (line->args[0], &error);
  JsonObject *run;

  if (node == NULL)
    return cmd_fail (error);
  if (line->json)
    return cmd_print_json (g_steal_pointer (&node));
  run = json_node_get_object (node);
  printf ("run directory of pipeline '%s'\n", text_of (run, "pipeline"));
  if (json_object_get_boolean_member_with_default (run, "under_way", FALSE))
    puts ("a run is under way in it");
  if (!json_object_get_boolean_member_with_default (run, "finished", FALSE))
    puts ("no run has finished in it yet");
  else
    printf ("status: %s, seed %s, by flowrun %s\n", text_of (run, "status"), text_of (run, "seed"),
            text_of (run, "flowrun"));
  print_run_stages (json_object_get_array_member (run, "stages"));
  print_run_details (json_object_get_array_member (run, "stages"));
  print_listing (run, "rejects", "rejects: ");
  print_listing (run, "kept", "kept:    ");
  return cmd_flush () ? FRI_EXIT_OK : FRI_EXIT_FAILED;
}

/* ---- data files -------------------------------------------------------------------- */

/* What one column held. */
typedef struct
{
  guint64 nulls, longest;
} ColumnFacts;

typedef struct
{
  FriPipeline *pipeline;
  guint64 rows, wanted;
  gboolean json;
  FrSchema *schema;
  ColumnFacts *facts;
  RowsTable *table;
  JsonArray *sample;
} Look;

static void
look_at_columns (Look *look, FrBatch *batch)
{
  for (guint i = 0; i < fr_batch_n_columns (batch); i++)
    {
      FrView view = fr_view (batch, i);
      gboolean text = (FR_TYPES (view.type) & FR_TYPES_TEXT) != 0;

      for (gsize r = 0; r < fr_batch_n_rows (batch); r++)
        if (fr_view_is_null (&view, r))
          look->facts[i].nulls++;
        else if (text)
          look->facts[i].longest = MAX (look->facts[i].longest, fr_view_str (&view, r).len);
    }
}

static gboolean
take (FrBatch *batch, gpointer data)
{
  Look *look = data;

  if (look->schema == NULL)
    {
      look->schema = fr_schema_ref (fr_batch_schema (batch));
      look->facts = g_new0 (ColumnFacts, fr_batch_n_columns (batch));
      look->table = rows_table_new (look->schema);
    }
  look_at_columns (look, batch);
  for (gsize r = 0; r < fr_batch_n_rows (batch) && look->rows + r < look->wanted; r++)
    {
      g_autofree char *id = rows_id (look->pipeline, fr_batch_ids (batch)[r]);
      g_autoptr (GString) text = g_string_new (NULL);

      if (look->json)
        {
          fr_batch_append_json (batch, r, FALSE, text);
          json_array_add_element (look->sample,
                                  fr_json_parse (text->str, (gssize) text->len, 0, NULL));
        }
      else
        rows_table_add (look->table, batch, r, strchr (id, ':') + 1);
    }
  look->rows += fr_batch_n_rows (batch);
  return TRUE;
}

static JsonObject *
look_json (const Look *look, const char *what)
{
  JsonObject *object = json_object_new ();
  JsonArray *columns = json_array_new ();

  json_object_set_string_member (object, "read_by", what);
  json_object_set_int_member (object, "rows", (gint64) look->rows);
  for (guint i = 0; look->schema != NULL && i < fr_schema_n_fields (look->schema); i++)
    {
      FrField *field = fr_schema_field (look->schema, i);
      g_autofree char *type = fr_field_describe (field);
      JsonObject *column = json_object_new ();

      json_object_set_string_member (column, "name", fr_field_name (field));
      json_object_set_string_member (column, "type", type);
      json_object_set_int_member (column, "nulls", (gint64) look->facts[i].nulls);
      if (FR_TYPES (fr_field_type (field)) & FR_TYPES_TEXT)
        json_object_set_int_member (column, "longest", (gint64) look->facts[i].longest);
      json_array_add_object_element (columns, column);
    }
  json_object_set_array_member (object, "columns", columns);
  json_object_set_array_member (object, "sample", json_array_ref (look->sample));
  return object;
}

static void
print_columns (const Look *look)
{
  g_autoptr (Table) table = table_new ();

  table_column (table, "column", 0);
  table_column (table, "type", 0);
  table_column (table, "nulls", TABLE_RIGHT | TABLE_KEEP);
  table_column (table, "longest", TABLE_RIGHT | TABLE_KEEP);
  for (guint i = 0; i < fr_schema_n_fields (look->schema); i++)
    {
      FrField *field = fr_schema_field (look->schema, i);
      g_autofree char *type = fr_field_describe (field),
                      *size = text_bytes (look->facts[i].longest);
      gboolean text = (FR_TYPES (fr_field_type (field)) & FR_TYPES_TEXT) != 0;

      table_cell (table, STYLE_BOLD, fr_field_name (field));
      table_cell (table, STYLE_NONE, type);
      count_cell (table, look->facts[i].nulls, STYLE_NONE);
      table_cell (table, STYLE_DIM, text ? size : "");
    }
  table_print (table, stdout, term_is (STDOUT_FILENO) ? term_width (STDOUT_FILENO) : 0,
               term_colour (STDOUT_FILENO));
}

static void
print_look (Look *look, const char *name, const char *what)
{
  g_autofree char *rows = text_count (look->rows);

  printf ("%s: %s row%s, read by %s\n", name, rows, look->rows == 1 ? "" : "s", what);
  if (look->schema == NULL)
    return;
  print_columns (look);
  putchar ('\n');
  rows_table_print (look->table, stdout);
}

/* A pipeline of one source, stage "file".  Its problems are told without their
 * place: the user wrote no such file.
 * @with: (transfer full): its parameters. */
static FriPipeline *
one_source (const CmdLine *line, const char *use, JsonObject *with, GError **error)
{
  g_autoptr (FriRegistry) registry = cmd_registry (line);
  g_autoptr (FriPipeline) pipeline = NULL;
  g_autoptr (GString) text
      = g_string_new ("{\"name\":\"inspect\",\"stages\":{\"file\":{\"use\":\"");
  g_autofree char *dir = g_get_current_dir (), *with_text = NULL;
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  FriLoadOptions options = { NULL };
  FrProblems *problems = NULL;

  json_node_take_object (node, with);
  with_text = fr_json_to_string (node, 0);
  json_node_unref (node);
  g_string_append_printf (text, "%s\",\"with\":%s}}}", use, with_text);
  pipeline
      = fri_pipeline_load_text (text->str, (gssize) text->len, dir, registry, &options, &problems);
  if (pipeline != NULL && fri_problems_n_errors (problems) == 0)
    fri_pipeline_bind (pipeline, TRUE, problems);
  if (pipeline == NULL || fri_problems_n_errors (problems) > 0)
    {
      GPtrArray *list = fri_problems_list (problems);

      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                           list->len ? ((FriProblem *) list->pdata[0])->message
                                     : "it cannot be read");
      g_clear_pointer (&pipeline, fri_pipeline_free);
    }
  fri_problems_free (problems);
  return g_steal_pointer (&pipeline);
}

/* Runs it over the whole file. */
static FriExit
look_through (const CmdLine *line, const char *use, JsonObject *with, Look *look, GError **error)
{
  look->sample = json_array_new ();
  look->wanted = (guint64) line->count;
  look->json = line->json;
  look->pipeline = one_source (line, use, with, error);
  if (look->pipeline == NULL)
    return FRI_EXIT_USAGE;
  return rows_take (line, look->pipeline, "file", "out", take, look, error);
}

static void
look_clear (Look *look)
{
  g_clear_pointer (&look->pipeline, fri_pipeline_free);
  g_clear_pointer (&look->schema, fr_schema_unref);
  g_clear_pointer (&look->table, rows_table_free);
  g_clear_pointer (&look->sample, json_array_unref);
  g_clear_pointer (&look->facts, g_free);
}

/* One file, or one table of one (@key names it, @value). */
static int
inspect_one (const CmdLine *line, const char *use, const char *key, const char *value,
             JsonArray *out)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  JsonObject *with = json_object_new ();
  Look look = { NULL };
  FriExit status;

  json_object_set_string_member (with, "path", line->args[0]);
  if (key != NULL)
    json_object_set_string_member (with, key, value);
  name = key ? g_strdup_printf ("%s, table %s", line->args[0], value) : g_strdup (line->args[0]);
  status = look_through (line, use, with, &look, &error);
  if (status == FRI_EXIT_LIMIT)
    status = FRI_EXIT_OK;
  if (status != FRI_EXIT_OK)
    say_error ("%s: %s", line->args[0], error ? error->message : "it cannot be read");
  else if (line->json)
    {
      JsonObject *object = look_json (&look, use);

      if (key != NULL)
        json_object_set_string_member (object, "table", value);
      json_array_add_object_element (out, object);
    }
  else
    print_look (&look, name, use);
  look_clear (&look);
  return (int) status;
}

/* The names of an SQLite file's tables, asked through source.sqlite itself. */
static gboolean
take_names (FrBatch *batch, gpointer data)
{
  FrView view = fr_view (batch, 0);

  for (gsize r = 0; r < fr_batch_n_rows (batch); r++)
    {
      FrStr s = fr_view_str (&view, r);

      g_ptr_array_add (data, g_strndup (s.data ? s.data : "", s.len));
    }
  return TRUE;
}

static FriExit
sqlite_tables (const CmdLine *line, GPtrArray *names, GError **error)
{
  JsonObject *with = json_object_new ();
  g_autoptr (FriPipeline) pipeline = NULL;

  json_object_set_string_member (with, "path", line->args[0]);
  json_object_set_string_member (with, "query",
                                 "select name from sqlite_master where type in ('table', 'view')"
                                 " and name not like 'sqlite_%' order by name");
  pipeline = one_source (line, "source.sqlite", with, error);
  if (pipeline == NULL)
    return FRI_EXIT_USAGE;
  return rows_take (line, pipeline, "file", "out", take_names, names, error);
}

static int
inspect_sqlite (const CmdLine *line, JsonArray *out)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  FriExit status = FRI_EXIT_OK;

  if (line->table != NULL)
    g_ptr_array_add (names, g_strdup (line->table));
  else
    status = sqlite_tables (line, names, &error);
  if (status != FRI_EXIT_OK)
    {
      say_error ("%s", error ? error->message : "it cannot be read");
      return (int) status;
    }
  if (names->len == 0 && !line->json)
    printf ("%s: a database without tables\n", line->args[0]);
  for (guint i = 0; i < names->len && status == FRI_EXIT_OK; i++)
    {
      if (i > 0 && !line->json)
        putchar ('\n');
      status = (FriExit) inspect_one (line, "source.sqlite", "table", names->pdata[i], out);
    }
  return (int) status;
}

/* A dump is read once per table, which takes as long as it is big: so one table
 * at a time.  Asked for a table that cannot be, the source says which there are. */
static int
inspect_dump (const CmdLine *line, JsonArray *out)
{
  if (line->table == NULL)
    say ("a dump is shown table by table: name one with --table");
  return inspect_one (line, "source.sqldump", "table", line->table ? line->table : "?", out);
}

/* ---- which ---------------------------------------------------------------------------- */

/* By the first bytes where a format has them, else by the name less any
 * suffix of compression. */
static const char *
source_of (const char *path, GError **error)
{
  static const char *const packed[] = { ".gz", ".xz", ".zst", ".bz2", ".zip", ".tar", NULL };
  static const struct
  {
    const char *suffix, *use;
  } known[]
      = { { ".csv", "source.csv" },     { ".tsv", "source.csv" },     { ".json", "source.json" },
          { ".jsonl", "source.json" },  { ".ndjson", "source.json" }, { ".sql", "source.sqldump" },
          { ".dump", "source.sqldump" } };
  g_autofree char *name = g_ascii_strdown (path, -1);
  FILE *file = fopen (path, "rb");
  char head[16] = "";
  gsize n;

  if (file == NULL)
    {
      fr_error_errno (error, errno, "open", path);
      return NULL;
    }
  n = fread (head, 1, sizeof head, file);
  fclose (file);
  if (n == sizeof head && memcmp (head, "SQLite format 3", 16) == 0)
    return "source.sqlite";
  for (guint again = 0; again < 2; again++)
    for (guint i = 0; packed[i] != NULL; i++)
      if (g_str_has_suffix (name, packed[i]))
        name[strlen (name) - strlen (packed[i])] = '\0';
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_has_suffix (name, known[i].suffix))
      return known[i].use;
  g_set_error (
      error, FR_ERROR, FR_ERROR_CONFIG,
      "'%s' is of no kind that inspect knows: run directories, .csv, .tsv, .json, .jsonl, .sql "
      "(compressed too), SQLite databases, and what the inspect services that 'flowrun list' "
      "shows tell of",
      path);
  return NULL;
}

/* ---- what plugins know ------------------------------------------------------------------ */

#define HEAD_BYTES 4096

static const FrInspect *
inspector_of (const CmdLine *line, const char *path)
{
  g_autoptr (FriRegistry) registry = cmd_registry (line);
  g_autoptr (GPtrArray) services = fri_registry_services (registry, "inspect");
  guint8 head[HEAD_BYTES];
  gsize n = 0;
  FILE *file = g_file_test (path, G_FILE_TEST_IS_REGULAR) ? fopen (path, "rbe") : NULL;

  if (file != NULL)
    {
      n = fread (head, 1, sizeof head, file);
      fclose (file);
    }
  for (guint i = 0; i < services->len; i++)
    {
      const FrService *service = services->pdata[i];
      const FrInspect *inspect = service->table;

      if (service->version == FR_INSPECT_VERSION && inspect->knows (path, head, n))
        return inspect;
    }
  return NULL;
}

static int
inspect_by (const CmdLine *line, const FrInspect *inspect)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) found = inspect->inspect (line->args[0], &error);

  if (found == NULL)
    {
      say_error ("%s", error != NULL ? error->message : "it cannot be inspected");
      return FRI_EXIT_FAILED;
    }
  if (line->json)
    return cmd_print_json (g_steal_pointer (&found));
  facts_print (found, line->args[0], stdout);
  return cmd_flush () ? FRI_EXIT_OK : FRI_EXIT_FAILED;
}

/* A directory in which a run left its manifest, or is about to, is no other thing. */
static gboolean
is_run_dir (const char *path)
{
  g_autofree char *manifest = g_build_filename (path, "manifest.json", NULL);
  g_autofree char *lock = g_build_filename (path, "lock", NULL);

  return g_file_test (path, G_FILE_TEST_IS_DIR)
         && (g_file_test (manifest, G_FILE_TEST_EXISTS) || g_file_test (lock, G_FILE_TEST_EXISTS));
}

int
cmd_inspect (const CmdLine *line)
{
  const FrInspect *inspector = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonArray) out = json_array_new ();
  const char *use;
  int status;

  if (!is_run_dir (line->args[0]) && g_file_test (line->args[0], G_FILE_TEST_EXISTS))
    inspector = inspector_of (line, line->args[0]);
  if (inspector != NULL)
    return inspect_by (line, inspector);
  if (g_file_test (line->args[0], G_FILE_TEST_IS_DIR))
    return inspect_run (line);
  use = source_of (line->args[0], &error);
  if (use == NULL)
    {
      cmd_fail (error);
      return FRI_EXIT_USAGE;
    }
  if (strcmp (use, "source.sqlite") == 0)
    status = inspect_sqlite (line, out);
  else if (strcmp (use, "source.sqldump") == 0)
    status = inspect_dump (line, out);
  else
    status = inspect_one (line, use, NULL, NULL, out);
  if (status == FRI_EXIT_OK && line->json)
    return cmd_print_json (json_node_init_array (json_node_alloc (), out));
  if (!cmd_flush ())
    return FRI_EXIT_FAILED;
  return status;
}
