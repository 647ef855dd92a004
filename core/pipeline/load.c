/* SPDX-License-Identifier: Apache-2.0 */
/* load.c: the pipeline file, from text to stages with filled parameters.
 *
 * Reading goes on after every mistake that leaves something to read, so that
 * one check shows all of a file's problems.  A mistake's consequences are kept
 * silent: a stage whose element is not known is not asked for its parameters.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/pipeline-private.h"
#include "json/json-private.h"

/* A pipeline file is written by hand or by a small program. */
#define MAX_FILE (16 * 1024 * 1024)
#define MAX_ID 100

/* ---- words shared by the readers --------------------------------------------------- */

gboolean
fri_is_text (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
}

static gboolean
is_number (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node)
         && (json_node_get_value_type (node) == G_TYPE_INT64
             || json_node_get_value_type (node) == G_TYPE_DOUBLE);
}

gboolean
fri_expect (FriLoad *load, const char *stage, const char *pointer, const char *key, JsonNode *node,
            const char *expected)
{
  g_autofree char *is = fri_json_describe (node);

  fri_problems_add_at (load->problems, FALSE, stage, pointer, "'%s' is %s; it must be %s", key, is,
                       expected);
  return FALSE;
}

char *
fri_did_you_mean (const char *word, const char *const *candidates)
{
  const char *near = fr_suggest (word, candidates);

  return near ? g_strdup_printf ("; did you mean '%s'?", near) : g_strdup ("");
}

void
fri_check_keys (FriLoad *load, const char *stage, const char *pointer, JsonObject *object,
                const char *const *keys, const char *what)
{
  JsonObjectIter iter;
  const char *key;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &key, NULL))
    if (!g_strv_contains (keys, key))
      {
        g_autofree char *at = fri_pointer (pointer, key);
        g_autofree char *meant = fri_did_you_mean (key, keys);

        fri_problems_add_key (load->problems, FALSE, stage, at, "%s has no key '%s'%s", what, key,
                              meant);
      }
}

gboolean
fri_places_locate (gpointer places, const char *pointer, gboolean key, guint *line, guint *column)
{
  const FriJsonPlace *place = g_hash_table_lookup (places, pointer);

  if (place == NULL)
    return FALSE;
  *line = key && place->key_line ? place->key_line : place->line;
  *column = key && place->key_line ? place->key_column : place->column;
  return TRUE;
}

/* ---- stages ---------------------------------------------------------------------------- */

FriStage *
fri_stage_new (const char *id, const FrElement *element, gpointer config)
{
  FriStage *stage = g_new0 (FriStage, 1);

  stage->id = g_strdup (id);
  stage->element = element;
  stage->config = config;
  stage->max_rejects = -1;
  stage->sound = TRUE;
  stage->inputs = g_ptr_array_new ();
  stage->in_schemas
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) fr_schema_unref);
  stage->out_schemas
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) fr_schema_unref);
  stage->in_objects
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) fr_object_unref);
  stage->out_objects
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) fr_object_unref);
  stage->connected = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return stage;
}

static void
link_free (gpointer data)
{
  FriLink *link = data;

  g_free (link->port);
  g_free (link->to_port);
  g_free (link->pointer);
  g_free (link);
}

void
fri_stage_free (FriStage *stage)
{
  if (stage == NULL)
    return;
  g_free (stage->id);
  if (stage->element != NULL)
    fri_params_free (stage->element, stage->config);
  g_ptr_array_set_free_func (stage->inputs, link_free);
  g_ptr_array_unref (stage->inputs);
  g_hash_table_unref (stage->in_schemas);
  g_hash_table_unref (stage->out_schemas);
  g_hash_table_unref (stage->in_objects);
  g_hash_table_unref (stage->out_objects);
  g_hash_table_unref (stage->connected);
  g_free (stage);
}

GPtrArray *
fri_stage_ids (FriLoad *load)
{
  GPtrArray *ids = g_ptr_array_new ();

  for (guint i = 0; i < load->order->len; i++)
    g_ptr_array_add (ids, ((FriStage *) load->order->pdata[i])->id);
  g_ptr_array_add (ids, NULL);
  return ids;
}

FriStage *
fri_load_stage (FriLoad *load, const char *id)
{
  for (guint i = 0; i < load->order->len; i++)
    if (strcmp (((FriStage *) load->order->pdata[i])->id, id) == 0)
      return load->order->pdata[i];
  return NULL;
}

/* Ids become names of files in the run directory and stand before a dot in
 * "from". */
static gboolean
is_id (const char *id)
{
  if (id[0] == '\0' || id[0] == '-' || strlen (id) > MAX_ID)
    return FALSE;
  for (; *id != '\0'; id = g_utf8_next_char (id))
    {
      gunichar c = g_utf8_get_char (id);

      if (c != '_' && c != '-' && !g_unichar_isalnum (c) && !g_unichar_ismark (c))
        return FALSE;
    }
  return TRUE;
}

static void
read_keep (FriLoad *load, const char *stage, const char *pointer, JsonNode *node, FriKeep *keep)
{
  if (fri_is_text (node) && strcmp (json_node_get_string (node), "auto") == 0)
    *keep = FRI_KEEP_AUTO;
  else if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    *keep = json_node_get_boolean (node) ? FRI_KEEP_YES : FRI_KEEP_NO;
  else
    fri_expect (load, stage, pointer, "keep", node, "\"auto\", true or false");
}

static void
read_max_rejects (FriLoad *load, const char *stage, const char *pointer, JsonNode *node,
                  double *max_rejects)
{
  double value = is_number (node) ? json_node_get_double (node) : -1;

  if (is_number (node) && json_node_get_value_type (node) == G_TYPE_INT64)
    value = (double) json_node_get_int (node);
  if (value >= 0 && (value < 1 || value == (double) (gint64) MIN (value, 9e18)))
    *max_rejects = value;
  else
    fri_expect (load, stage, pointer, "max_rejects", node,
                "a number of rows such as 100, or a share of all rows below 1 such as 0.01");
}

static const FrElement *
find_element (FriLoad *load, FriStage *stage, const char *pointer, JsonNode *use)
{
  g_autofree char *at = fri_pointer (pointer, "use");
  g_autoptr (GError) error = NULL;
  const FrElement *element;

  if (use == NULL)
    fri_problems_add_at (load->problems, FALSE, stage->id, at,
                         "the stage '%s' lacks the key 'use', which names its element", stage->id);
  else if (!fri_is_text (use))
    fri_expect (load, stage->id, at, "use", use, "the name of an element such as \"source.csv\"");
  else
    {
      element = fri_registry_find (load->pipeline->registry, json_node_get_string (use),
                                   &stage->plugin, &stage->plugin_file, &error);
      if (element == NULL)
        fri_problems_add_at (load->problems, FALSE, stage->id, at, "%s", error->message);
      else if (load->options->deny_network && (element->flags & FR_ELEMENT_NETWORK))
        fri_problems_add_at (load->problems, FALSE, stage->id, at,
                             "%s uses the network, which '--deny network' forbids", element->name);
      return element;
    }
  return NULL;
}

static void
fill_config (FriLoad *load, FriStage *stage, const char *pointer, JsonNode *with)
{
  g_autofree char *scope = fri_pointer (pointer, "with");
  guint before = fri_problems_n_errors (load->problems);

  fri_problems_set_scope (load->problems, stage->id, scope);
  stage->config = fri_params_fill (stage->element, with, load->pipeline->dir, load->options->dry,
                                   load->problems);
  /* configure compares parameters, so it needs all of them to be right. */
  if (fri_problems_n_errors (load->problems) == before && stage->element->configure != NULL
      && !stage->element->configure (stage->config, load->problems)
      && fri_problems_n_errors (load->problems) == before)
    fr_problems_add (load->problems, "", "%s refuses these parameters without saying why",
                     stage->element->name);
  fri_problems_set_scope (load->problems, NULL, NULL);
}

static void
read_stage (FriLoad *load, FriStage *stage, const char *pointer, JsonObject *object)
{
  static const char *const keys[]
      = { "use", "from", "with", "keep", "max_rejects", "$comment", NULL };
  static const char *const expanded[] = { "with", "keep", "max_rejects" };
  g_autofree char *keep_at = fri_pointer (pointer, "keep");
  g_autofree char *max_at = fri_pointer (pointer, "max_rejects");
  g_autofree char *with_at = fri_pointer (pointer, "with");
  guint before = fri_problems_n_errors (load->problems);
  JsonNode *with;

  fri_check_keys (load, stage->id, pointer, object, keys, "a stage");
  stage->element = find_element (load, stage, pointer, json_object_get_member (object, "use"));
  fri_sets_apply (load, stage->id, object, stage->element);
  for (guint i = 0; i < G_N_ELEMENTS (expanded); i++)
    if (json_object_has_member (object, expanded[i]))
      {
        g_autofree char *at = fri_pointer (pointer, expanded[i]);

        json_object_set_member (
            object, expanded[i],
            fri_vars_expand (load, stage->id, at, json_object_dup_member (object, expanded[i])));
      }
  if (json_object_has_member (object, "keep"))
    read_keep (load, stage->id, keep_at, json_object_get_member (object, "keep"), &stage->keep);
  if (json_object_has_member (object, "max_rejects"))
    read_max_rejects (load, stage->id, max_at, json_object_get_member (object, "max_rejects"),
                      &stage->max_rejects);
  with = json_object_get_member (object, "with");
  if (with != NULL && !JSON_NODE_HOLDS_OBJECT (with))
    fri_expect (load, stage->id, with_at, "with", with, "an object of parameters");
  else
    {
      stage->with = with;
      if (stage->element != NULL)
        fill_config (load, stage, pointer, with);
    }
  stage->sound = stage->element != NULL && fri_problems_n_errors (load->problems) == before;
}

static void
read_stages (FriLoad *load, JsonNode *node)
{
  JsonObjectIter iter;
  const char *id;
  JsonNode *value;

  if (node == NULL)
    {
      fri_problems_add_at (load->problems, FALSE, NULL, "/stages",
                           "the pipeline lacks the key 'stages', which holds its stages by name");
      return;
    }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      fri_expect (load, NULL, "/stages", "stages", node, "an object of stages by name");
      return;
    }
  if (json_object_get_size (json_node_get_object (node)) == 0)
    fri_problems_add_at (load->problems, FALSE, NULL, "/stages", "the pipeline has no stages");
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &id, &value))
    {
      g_autofree char *pointer = fri_pointer ("/stages", id);
      FriStage *stage = fri_stage_new (id, NULL, NULL);

      stage->network_denied = load->options->deny_network;
      g_ptr_array_add (load->order, stage);
      stage->source = load->order->len;
      stage->keep = load->keep;
      stage->max_rejects = load->max_rejects;
      if (!is_id (id))
        fri_problems_add_key (
            load->problems, FALSE, id, pointer,
            "'%s' cannot be the name of a stage: use at most %d bytes of letters, "
            "digits, '_' and '-'",
            id, MAX_ID);
      stage->sound = FALSE;
      if (JSON_NODE_HOLDS_OBJECT (value))
        read_stage (load, stage, pointer, json_node_get_object (value));
      else
        fri_expect (load, id, pointer, id, value, "an object with the key 'use'");
    }
  fri_sets_check (load);
  fri_connect (load, json_node_get_object (node));
}

/* Two stages that write one file would each put their own in its place, and
 * the last to end would win in silence. */
static void
check_outputs (FriLoad *load)
{
  g_autoptr (GHashTable) writers = g_hash_table_new (g_str_hash, g_str_equal); /* path → FriStage */

  for (guint i = 0; i < load->order->len; i++)
    {
      FriStage *stage = load->order->pdata[i];
      const FrParam *const *params = stage->element ? stage->element->params : NULL;

      for (; stage->config != NULL && params != NULL && *params != NULL; params++)
        {
          const FrParam *param = *params;
          char *path;
          FriStage *other;
          g_autofree char *pointer = NULL;

          if (param->type != FR_PARAM_TYPE_PATH || !(param->flags & FR_PARAM_WRITES))
            continue;
          path = G_STRUCT_MEMBER (char *, stage->config, param->offset);
          if (path == NULL)
            continue;
          other = g_hash_table_lookup (writers, path);
          pointer = g_strdup_printf ("/stages/%s/with/%s", stage->id, param->key);
          if (other != NULL)
            fri_problems_add_at (load->problems, FALSE, stage->id, pointer,
                                 "stage '%s' writes '%s' too; give each stage a file of its own",
                                 other->id, path);
          else
            g_hash_table_insert (writers, path, stage);
        }
    }
}

/* ---- top-level keys ------------------------------------------------------------------- */

/* Variables are known only after "vars" was read, wherever that stands. */
static JsonNode *
expanded_member (FriLoad *load, JsonObject *object, const char *base, const char *key)
{
  g_autofree char *at = fri_pointer (base, key);

  if (!json_object_has_member (object, key))
    return NULL;
  json_object_set_member (object, key,
                          fri_vars_expand (load, NULL, at, json_object_dup_member (object, key)));
  return json_object_get_member (object, key);
}

static void
read_seed (FriLoad *load, JsonObject *root)
{
  JsonNode *node = expanded_member (load, root, "", "seed");

  if (node == NULL)
    return;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64
      && json_node_get_int (node) >= 0)
    load->pipeline->seed = (guint64) json_node_get_int (node);
  else
    fri_expect (load, NULL, "/seed", "seed", node, "a whole number from 0 to 9223372036854775807");
}

/* The name of the pipeline is also the name of its run directory. */
static gboolean
is_pipeline_name (const char *name)
{
  return name[0] != '\0' && name[0] != '.' && strlen (name) <= MAX_ID
         && strpbrk (name, "/\\\n\r\t") == NULL;
}

static void
read_name (FriLoad *load, JsonObject *root)
{
  JsonNode *name = json_object_get_member (root, "name");
  JsonNode *description = json_object_get_member (root, "description");
  FriPipeline *pipeline = load->pipeline;

  if (pipeline->path != NULL)
    {
      pipeline->name = g_path_get_basename (pipeline->path);
      if (g_str_has_suffix (pipeline->name, ".json") && strlen (pipeline->name) > 5)
        pipeline->name[strlen (pipeline->name) - 5] = '\0';
    }
  else
    pipeline->name = g_strdup ("pipeline");
  if (name != NULL && fri_is_text (name) && is_pipeline_name (json_node_get_string (name)))
    {
      g_free (pipeline->name);
      pipeline->name = g_strdup (json_node_get_string (name));
    }
  else if (name != NULL)
    fri_expect (load, NULL, "/name", "name", name,
                "a text of at most 100 bytes without '/' that does not begin with a dot");
  if (description != NULL && !fri_is_text (description))
    fri_expect (load, NULL, "/description", "description", description, "a text");
  else if (description != NULL)
    pipeline->description = g_strdup (json_node_get_string (description));
}

/* What report.html shows, and in which language. */
static void
read_page (FriLoad *load, JsonObject *run)
{
  JsonNode *samples = json_object_get_member (run, "samples");
  JsonNode *language = json_object_get_member (run, "language");

  if (samples != NULL && JSON_NODE_HOLDS_VALUE (samples)
      && json_node_get_value_type (samples) == G_TYPE_INT64 && json_node_get_int (samples) >= 0
      && json_node_get_int (samples) <= 100)
    load->pipeline->samples = (guint) json_node_get_int (samples);
  else if (samples != NULL)
    fri_expect (load, NULL, "/run/samples", "samples", samples, "a whole number from 0 to 100");
  if (language != NULL && fri_is_text (language)
      && (strcmp (json_node_get_string (language), "en") == 0
          || strcmp (json_node_get_string (language), "zh") == 0))
    load->pipeline->language = g_strdup (json_node_get_string (language));
  else if (language != NULL)
    fri_expect (load, NULL, "/run/language", "language", language, "\"en\" or \"zh\"");
}

static void
read_run (FriLoad *load, JsonObject *root)
{
  static const char *const keys[] = { "workers", "memory",   "record",   "keep", "max_rejects",
                                      "samples", "language", "$comment", NULL };
  JsonNode *node = expanded_member (load, root, "", "run");
  JsonObject *run;
  JsonNode *value;

  if (node == NULL)
    return;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      fri_expect (load, NULL, "/run", "run", node, "an object of defaults for the run");
      return;
    }
  run = json_node_get_object (node);
  fri_check_keys (load, NULL, "/run", run, keys, "'run'");
  if ((value = json_object_get_member (run, "workers")) != NULL)
    {
      if (JSON_NODE_HOLDS_VALUE (value) && json_node_get_value_type (value) == G_TYPE_INT64
          && json_node_get_int (value) >= 1 && json_node_get_int (value) <= 1024)
        load->pipeline->workers = (guint) json_node_get_int (value);
      else
        fri_expect (load, NULL, "/run/workers", "workers", value, "a whole number from 1 to 1024");
    }
  if ((value = json_object_get_member (run, "memory")) != NULL)
    {
      guint64 bytes = 0;

      if (JSON_NODE_HOLDS_VALUE (value) && json_node_get_value_type (value) == G_TYPE_INT64
          && json_node_get_int (value) > 0)
        load->pipeline->memory = (guint64) json_node_get_int (value);
      else if (fri_is_text (value) && fri_parse_size (json_node_get_string (value), &bytes)
               && bytes > 0)
        load->pipeline->memory = bytes;
      else
        fri_expect (load, NULL, "/run/memory", "memory", value, "a size such as \"2GiB\"");
    }
  if ((value = json_object_get_member (run, "record")) != NULL)
    {
      if (JSON_NODE_HOLDS_VALUE (value) && json_node_get_value_type (value) == G_TYPE_BOOLEAN)
        load->pipeline->no_record = !json_node_get_boolean (value);
      else
        fri_expect (load, NULL, "/run/record", "record", value, "true or false");
    }
  if ((value = json_object_get_member (run, "keep")) != NULL)
    read_keep (load, NULL, "/run/keep", value, &load->keep);
  if ((value = json_object_get_member (run, "max_rejects")) != NULL)
    read_max_rejects (load, NULL, "/run/max_rejects", value, &load->max_rejects);
  read_page (load, run);
}

static void
add_plugin_dir (FriLoad *load, const char *pointer, JsonNode *node, GPtrArray *paths)
{
  const char *text = fri_is_text (node) ? json_node_get_string (node) : "";

  if (*text == '\0')
    {
      fri_expect (load, NULL, pointer, "plugin_path", node, "a directory");
      return;
    }
  g_ptr_array_add (paths, g_canonicalize_filename (text, load->pipeline->dir));
  if (!g_file_test (paths->pdata[paths->len - 1], G_FILE_TEST_IS_DIR))
    fri_problems_add_at (load->problems, TRUE, NULL, pointer,
                         "the plugin directory '%s' does not exist", text);
}

static void
make_registry (FriLoad *load, JsonObject *root, FriRegistry *registry)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) all = NULL;
  JsonNode *node = expanded_member (load, root, "", "plugin_path");

  for (guint i = 0; load->options->plugin_paths != NULL && load->options->plugin_paths[i] != NULL;
       i++)
    g_ptr_array_add (paths, g_strdup (load->options->plugin_paths[i]));
  if (node != NULL && fri_is_text (node))
    add_plugin_dir (load, "/plugin_path", node, paths);
  else if (node != NULL && JSON_NODE_HOLDS_ARRAY (node))
    for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
      {
        g_autofree char *at = g_strdup_printf ("/plugin_path/%u", i);

        add_plugin_dir (load, at, json_array_get_element (json_node_get_array (node), i), paths);
      }
  else if (node != NULL)
    fri_expect (load, NULL, "/plugin_path", "plugin_path", node,
                "a directory or an array of directories");
  g_ptr_array_add (paths, NULL);
  if (registry == NULL)
    all = fri_registry_default_paths ((const char *const *) paths->pdata);
  load->pipeline->registry
      = registry ? fri_registry_ref (registry) : fri_registry_new ((const char *const *) all);
}

/* What run directories are called when nobody says otherwise. */
static char *
run_dir (FriLoad *load)
{
  g_autofree char *here = g_get_current_dir ();

  if (load->options->run_dir != NULL)
    return g_canonicalize_filename (load->options->run_dir, here);
  return g_build_filename (here, "runs", load->pipeline->name, NULL);
}

static void
read_root (FriLoad *load, JsonObject *root, FriRegistry *registry)
{
  static const char *const keys[] = { "$schema", "$comment", "name",        "description", "seed",
                                      "vars",    "stages",   "plugin_path", "run",         NULL };
  g_autofree char *dir = NULL;

  fri_check_keys (load, NULL, "", root, keys, "a pipeline");
  if (json_object_has_member (root, "$schema")
      && !fri_is_text (json_object_get_member (root, "$schema")))
    fri_expect (load, NULL, "/$schema", "$schema", json_object_get_member (root, "$schema"),
                "the address of a JSON Schema");
  read_name (load, root);
  dir = run_dir (load);
  fri_vars_builtin (load, "run_dir", dir);
  fri_vars_builtin (load, "pipeline_dir", load->pipeline->dir);
  fri_vars_builtin (load, "name", load->pipeline->name);
  fri_vars_read (load, json_object_get_member (root, "vars"));
  read_seed (load, root);
  read_run (load, root);
  make_registry (load, root, registry);
  fri_sets_read (load);
  read_stages (load, json_object_get_member (root, "stages"));
  check_outputs (load);
  fri_order (load);
  fri_held_out (load);
  fri_vars_warn_unused (load);
}

/* ---- text and files ---------------------------------------------------------------------- */

static JsonNode *
parse (const char *text, gssize len, GHashTable **places, FrProblems *problems)
{
  g_autoptr (GPtrArray) faults = NULL;
  JsonNode *root;

  root = fri_json_parse_located (text, len, FR_JSON_COMMENTS, places, &faults);
  fri_problems_set_locator (problems, fri_places_locate, g_hash_table_ref (*places),
                            (GDestroyNotify) g_hash_table_unref);
  for (guint i = 0; i < faults->len; i++)
    {
      const FriJsonProblem *fault = faults->pdata[i];

      fri_problems_add_here (problems, fault->line, fault->column, fault->pointer, "%s",
                             fault->message);
    }
  return root;
}

static FriPipeline *
load_tree (JsonNode *root, GHashTable *places, const char *path, const char *dir,
           FriRegistry *registry, const FriLoadOptions *options, FrProblems *problems)
{
  static const FriLoadOptions none = { 0 };
  FriLoad load = { 0 };
  FriPipeline *pipeline = g_new0 (FriPipeline, 1);

  pipeline->path = g_strdup (path);
  pipeline->dir = g_strdup (dir);
  pipeline->places = g_hash_table_ref (places);
  pipeline->stages = g_ptr_array_new_with_free_func ((GDestroyNotify) fri_stage_free);
  pipeline->resolved = json_node_ref (root);
  pipeline->samples = 5;
  load.pipeline = pipeline;
  load.options = options ? options : &none;
  load.problems = problems;
  load.order = g_ptr_array_new ();
  load.max_rejects = -1;
  read_root (&load, json_node_get_object (root), registry);
  g_clear_pointer (&load.vars, g_hash_table_unref);
  g_clear_pointer (&load.sets, g_ptr_array_unref);
  g_ptr_array_unref (load.order);
  return pipeline;
}

static FriPipeline *
load_text (const char *text, gssize len, const char *path, const char *dir, FriRegistry *registry,
           const FriLoadOptions *options, FrProblems *problems)
{
  g_autoptr (GHashTable) places = NULL;
  g_autoptr (JsonNode) root = parse (text, len, &places, problems);

  if (root == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (root))
    {
      g_autofree char *is = fri_json_describe (root);

      fri_problems_add_at (problems, FALSE, NULL, "",
                           "a pipeline is an object with the key 'stages', but this is %s", is);
      return NULL;
    }
  return load_tree (root, places, path, dir, registry, options, problems);
}

FriPipeline *
fri_pipeline_load_text (const char *text, gssize len, const char *dir, FriRegistry *registry,
                        const FriLoadOptions *options, FrProblems **problems)
{
  g_autofree char *absolute = g_canonicalize_filename (dir ? dir : ".", NULL);

  *problems = fri_problems_new (NULL);
  return load_text (text, len, NULL, absolute, registry, options, *problems);
}

/* Reads at most one byte more than is allowed, so that a device or a huge file
 * given by mistake does no harm. */
static char *
read_file (const char *path, gsize *len, GError **error)
{
  FILE *stream = fopen (path, "rbe");
  g_autoptr (GString) text = g_string_new (NULL);
  char block[16384];
  gsize n = 0;

  if (stream == NULL)
    {
      fr_error_errno (error, errno, "open the pipeline file", path);
      return NULL;
    }
  while (text->len <= MAX_FILE && (n = fread (block, 1, sizeof block, stream)) > 0)
    g_string_append_len (text, block, (gssize) n);
  if (ferror (stream))
    fr_error_errno (error, errno, "read the pipeline file", path);
  else if (text->len > MAX_FILE)
    g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                 "the file is larger than 16 MiB, which no pipeline is");
  else
    {
      fclose (stream);
      *len = text->len;
      return g_string_free (g_steal_pointer (&text), FALSE);
    }
  fclose (stream);
  return NULL;
}

FriPipeline *
fri_pipeline_load (const char *path, const FriLoadOptions *options, FrProblems **problems)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *dir = g_path_get_dirname (absolute);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize len = 0;

  *problems = fri_problems_new (path);
  text = read_file (path, &len, &error);
  if (text == NULL)
    {
      fri_problems_add_at (*problems, FALSE, NULL, "", "%s", error->message);
      return NULL;
    }
  return load_text (text, (gssize) len, absolute, dir, NULL, options, *problems);
}

FriStage *
fri_pipeline_stage (FriPipeline *pipeline, const char *id)
{
  for (guint i = 0; i < pipeline->stages->len; i++)
    if (strcmp (((FriStage *) pipeline->stages->pdata[i])->id, id) == 0)
      return pipeline->stages->pdata[i];
  return NULL;
}

void
fri_pipeline_free (FriPipeline *pipeline)
{
  if (pipeline == NULL)
    return;
  g_ptr_array_unref (pipeline->stages);
  g_free (pipeline->path);
  g_free (pipeline->dir);
  g_free (pipeline->name);
  g_free (pipeline->description);
  g_free (pipeline->language);
  g_clear_pointer (&pipeline->resolved, json_node_unref);
  fri_registry_free (pipeline->registry);
  g_hash_table_unref (pipeline->places);
  g_free (pipeline);
}

/* ---- installed pipelines ------------------------------------------------------------------ */

/* "shop", "shop/records": a name may lead into a folder of the installed ones. */
static gboolean
is_path (const char *name_or_path)
{
  return *name_or_path == '/' || *name_or_path == '.' || strstr (name_or_path, "/.") != NULL
         || g_str_has_suffix (name_or_path, "/") || g_str_has_suffix (name_or_path, ".json")
         || g_file_test (name_or_path, G_FILE_TEST_IS_REGULAR);
}

char *
fri_pipeline_find (const char *name_or_path, GError **error)
{
  g_autoptr (GPtrArray) dirs = g_ptr_array_new_with_free_func (g_free);
  const char *said = g_getenv ("FLOWRUN_PIPELINE_PATH");
  g_autofree char *base = NULL;
  g_autofree char *places = NULL;

  if (is_path (name_or_path))
    return g_strdup (name_or_path);
  if (said != NULL)
    {
      g_auto (GStrv) parts = g_strsplit (said, ":", -1);

      for (char **part = parts; *part != NULL; part++)
        if (**part != '\0')
          g_ptr_array_add (dirs, g_strdup (*part));
    }
  g_ptr_array_add (dirs, g_build_filename (g_get_user_data_dir (), "flowrun", "pipelines", NULL));
  g_ptr_array_add (dirs, g_strdup (FR_PIPELINEDIR));
  base = g_strconcat (name_or_path, ".json", NULL);
  for (guint i = 0; i < dirs->len; i++)
    {
      g_autofree char *file = g_build_filename (dirs->pdata[i], base, NULL);

      if (g_file_test (file, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&file);
    }
  g_ptr_array_add (dirs, NULL);
  places = g_strjoinv (", ", (char **) dirs->pdata);
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "there is no pipeline '%s' in %s; a file of your own is given with its path, as in "
               "'./%s.json'",
               name_or_path, places, name_or_path);
  return NULL;
}
