/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: what `flowrun inspect` tells of a model: facts, tensors, problems.
 *
 * As much as can be told is told: a file whose data is cut off still shows its
 * header, a directory with a shard missing its other shards.
 */
#include "config.h"

#include <errno.h>
#include <flowrun/flowrun.h>
#include <glib/gstdio.h>
#include <string.h>

#include "groups.h"
#include "lm/model.h"

#define MAX_JSON ((goffset) 64 * 1024 * 1024)

typedef struct
{
  const char *path;
  JsonArray *facts, *problems;
  Groups *groups;
} Report;

static void fact (Report *r, const char *name, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
fact (Report *r, const char *name, const char *format, ...)
{
  g_autofree char *text = NULL;
  JsonArray *pair = json_array_new ();
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  json_array_add_string_element (pair, name);
  json_array_add_string_element (pair, text);
  json_array_add_array_element (r->facts, pair);
}

static void
problem (Report *r, const char *text)
{
  json_array_add_string_element (r->problems, text);
}

/* The object in @dir/@name; NULL when there is none, or none that can be read: then a problem says
 * so. */
static JsonObject *
read_object (Report *r, const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL), *text = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  GStatBuf st;
  gsize len;

  if (g_stat (path, &st) < 0 || st.st_size > MAX_JSON
      || !g_file_get_contents (path, &text, &len, NULL))
    return NULL;
  node = fr_json_parse (text, (gssize) len, 0, &error);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return json_object_ref (json_node_get_object (node));
  if (r != NULL)
    {
      g_autofree char *message
          = g_strdup_printf ("%s: %s", name, error != NULL ? error->message : "no object");

      problem (r, message);
    }
  return NULL;
}

static char *
member_text (JsonObject *object, const char *key)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, key) : NULL;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return NULL;
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
             ? g_strdup (json_node_get_string (node))
             : fr_json_to_string (node, 0);
}

/* ---- facts --------------------------------------------------------------------------- */

static void
rope_facts (Report *r, const LmRope *rope)
{
  static const char *const kinds[] = { "", ", linear", ", llama3", ", yarn" };
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_printf (text, "base %g%s", rope->theta, kinds[rope->kind]);
  if (rope->kind != LM_ROPE_DEFAULT)
    g_string_append_printf (text, " × %g", rope->factor);
  if (rope->original_max_position > 0)
    g_string_append_printf (text, " of %g positions", rope->original_max_position);
  if (rope->kind == LM_ROPE_YARN)
    g_string_append_printf (text, ", attention factor %g", rope->attention_factor);
  fact (r, "rotary positions", "%s", text->str);
}

static void
config_facts (Report *r, const LmConfig *c)
{
  g_autofree char *vocabulary = count_text (c->vocab_size);
  g_autofree char *context = count_text (c->max_position);

  fact (r, "family", "%s (%s)", c->family->name, c->family->architecture);
  fact (r, "layers", "%u, hidden %u, feed-forward %u", c->n_layers, c->hidden_size,
        c->intermediate_size);
  fact (r, "attention", "%u heads of %u on %u key heads%s%s", c->n_heads, c->head_dim,
        c->n_kv_heads, c->qkv_bias ? ", with biases" : "", c->qk_norm ? ", q and k normed" : "");
  fact (r, "context", "%s positions", context);
  rope_facts (r, &c->rope);
  fact (r, "vocabulary", "%s%s", vocabulary, c->tied ? ", the head is the embedding" : "");
  for (guint i = 0; i < c->warnings->len; i++)
    problem (r, g_ptr_array_index (c->warnings, i));
}

static void
weight_facts (Report *r)
{
  g_autofree char *types = groups_types (r->groups);
  g_autofree char *n = count_text (groups_numbers (r->groups));

  fact (r, "numbers", "%s", n);
  if (*types != '\0')
    fact (r, "types", "%s of the bytes", types);
}

static void
tokenizer_facts (Report *r, LmTokenizer *tokenizer, const char *where, const char *message)
{
  g_autofree char *n = tokenizer != NULL ? count_text (lm_tokenizer_n_tokens (tokenizer)) : NULL;

  if (tokenizer != NULL)
    fact (r, "tokenizer", "%s, %s tokens", where, n);
  else
    problem (r, message);
}

static void
template_fact (Report *r, const char *source)
{
  if (source != NULL)
    fact (r, "chat template", "yes, %zu bytes", strlen (source));
  else
    fact (r, "chat template", "none");
}

static void
special_facts (Report *r, LmModel *model)
{
  static const char *const names[] = { "bos_token", "eos_token", "pad_token" };
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *token = lm_model_special (model, names[i]);

      if (token != NULL)
        g_string_append_printf (text, "%s%.3s %s", text->len > 0 ? ", " : "", names[i], token);
    }
  if (text->len > 0)
    fact (r, "special tokens", "%s", text->str);
}

/* What only a whole model can tell. */
static void
model_facts (Report *r, LmModel *model)
{
  g_autofree char *parameters = count_text (lm_model_n_parameters (model));
  const GPtrArray *warnings = lm_model_warnings (model);
  g_autoptr (GError) error = NULL;
  LmTokenizer *tokenizer = lm_model_tokenizer (model, &error);

  fact (r, "parameters", "%s", parameters);
  tokenizer_facts (r, tokenizer, lm_model_files (model)[0] != NULL ? "tokenizer.json" : "GGUF",
                   error != NULL ? error->message : "");
  template_fact (r, lm_model_template_source (model));
  special_facts (r, model);
  for (guint i = lm_model_config (model)->warnings->len; i < warnings->len; i++)
    problem (r, g_ptr_array_index (warnings, i));
}

/* ---- files --------------------------------------------------------------------------- */

/* Adds a weight file as far as it goes; NULL when not even its header can be read. */
static LmWeightFile *
add_file (Report *r, const char *path)
{
  g_autoptr (GError) error = NULL;
  gboolean truncated;
  LmWeightFile *file = lm_weight_file_open_header (path, &truncated, &error);

  if (file != NULL)
    groups_add (r->groups, file);
  else
    problem (r, error->message);
  return file;
}

static void
cut_problem (Report *r)
{
  g_autofree char *message = NULL, *size = NULL;
  const char *first;
  guint64 bytes;
  guint n = groups_cut (r->groups, &first, &bytes);

  if (n == 0)
    return;
  size = size_text (bytes);
  message = g_strdup_printf ("truncated: %u tensors of together %s are cut off, '%s' the first", n,
                             size, first);
  problem (r, message);
}

/* The whole check, in the words that a run would use. */
static void
open_and_tell (Report *r)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmModel) model = lm_model_open (r->path, &error);

  if (model != NULL)
    model_facts (r, model);
  else
    problem (r, error->message);
}

static void
gguf_facts (Report *r, LmWeightFile *file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) json = lm_gguf_config (file, &error);
  g_autoptr (LmConfig) config = json != NULL ? lm_config_parse (json, &error) : NULL;
  g_autofree char *name = member_text (lm_weight_file_metadata (file), "general.name");
  g_autofree char *licence = member_text (lm_weight_file_metadata (file), "general.license");

  if (name != NULL)
    fact (r, "name", "%s", name);
  if (licence != NULL)
    fact (r, "licence", "%s", licence);
  if (config != NULL)
    config_facts (r, config);
  else
    problem (r, error->message);
}

/* Of a file that cannot be opened as a model: its tokenizer and template may still be whole. */
static void
gguf_remains (Report *r, LmWeightFile *file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmTokenizer) tokenizer = lm_tokenizer_new_gguf (file, &error);
  g_autofree char *source = member_text (lm_weight_file_metadata (file), "tokenizer.chat_template");

  tokenizer_facts (r, tokenizer, "GGUF", error != NULL ? error->message : "");
  template_fact (r, source);
}

static const char *
inspect_file (Report *r)
{
  g_autoptr (LmWeightFile) file = add_file (r, r->path);
  gboolean gguf = file != NULL && lm_weight_file_is_gguf (file);
  if (file == NULL)
    return "weights that cannot be read";
  if (gguf)
    gguf_facts (r, file);
  weight_facts (r);
  cut_problem (r);
  if (gguf && groups_cut (r->groups, NULL, NULL) > 0)
    gguf_remains (r, file);
  else if (gguf)
    open_and_tell (r);
  return gguf ? "GGUF model" : "safetensors file";
}

/* ---- directories --------------------------------------------------------------------- */

static gint
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
list_files (Report *r, const char *dir)
{
  g_autoptr (GDir) d = g_dir_open (dir, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (d != NULL && (name = g_dir_read_name (d)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, by_name);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (dir, g_ptr_array_index (names, i), NULL);
      g_autofree char *size = NULL;
      GStatBuf st;

      if (g_stat (path, &st) < 0 || !S_ISREG (st.st_mode))
        continue;
      size = size_text ((guint64) st.st_size);
      fact (r, g_ptr_array_index (names, i), "%s", size);
      if (g_str_has_suffix (path, ".safetensors"))
        lm_weight_file_unref (add_file (r, path));
    }
}

/* An export for ONNX runtimes has no weights that are a checkpoint's. */
static gboolean
is_onnx (const char *dir)
{
  static const char *const weights[] = { "model.safetensors", "model.safetensors.index.json" };
  g_autofree char *genai = g_build_filename (dir, "genai_config.json", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (weights); i++)
    {
      g_autofree char *path = g_build_filename (dir, weights[i], NULL);

      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return FALSE;
    }
  return g_file_test (genai, G_FILE_TEST_EXISTS);
}

static const char *
inspect_directory (Report *r, JsonObject *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmConfig) config = lm_config_parse (json, &error);

  if (config != NULL)
    config_facts (r, config);
  else
    problem (r, error->message);
  list_files (r, r->path);
  if (is_onnx (r->path))
    return "ONNX model directory; inspect the .onnx file for the graph";
  weight_facts (r);
  cut_problem (r);
  if (config != NULL)
    open_and_tell (r);
  return "Hugging Face model directory";
}

static const char *
inspect_adapter (Report *r, JsonObject *json)
{
  static const char *const keys[][2] = { { "base", "base_model_name_or_path" },
                                         { "kind", "peft_type" },
                                         { "rank", "r" },
                                         { "alpha", "lora_alpha" },
                                         { "dropout", "lora_dropout" },
                                         { "targets", "target_modules" },
                                         { "rsLoRA", "use_rslora" } };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *text = member_text (json, keys[i][1]);

      if (text != NULL)
        fact (r, keys[i][0], "%s", text);
    }
  list_files (r, r->path);
  weight_facts (r);
  cut_problem (r);
  return "PEFT adapter";
}

/* ---- the service --------------------------------------------------------------------- */

static gboolean
knows_directory (const char *path)
{
  g_autofree char *adapter = g_build_filename (path, "adapter_config.json", NULL);
  g_autoptr (JsonObject) config = NULL;

  if (g_file_test (adapter, G_FILE_TEST_EXISTS))
    return TRUE;
  config = read_object (NULL, path, "config.json");
  return config != NULL && json_object_has_member (config, "model_type");
}

static gboolean
knows (const char *path, const guint8 *head, gsize n)
{
  guint64 header;

  if (n == 0)
    return g_file_test (path, G_FILE_TEST_IS_DIR) && knows_directory (path);
  if (n >= 4 && memcmp (head, "GGUF", 4) == 0)
    return TRUE;
  if (n < 9)
    return FALSE;
  memcpy (&header, head, sizeof header);
  return header >= 2 && header <= 100000000 && head[8] == '{';
}

static const char *
inspect_path (Report *r)
{
  g_autoptr (JsonObject) config = NULL, adapter = NULL;

  if (!g_file_test (r->path, G_FILE_TEST_IS_DIR))
    return inspect_file (r);
  config = read_object (r, r->path, "config.json");
  if (config != NULL)
    return inspect_directory (r, config);
  adapter = read_object (r, r->path, "adapter_config.json");
  if (adapter != NULL)
    return inspect_adapter (r, adapter);
  list_files (r, r->path);
  return "directory whose config cannot be read";
}

static JsonNode *
inspect (const char *path, GError **error)
{
  Report r = { path, json_array_new (), json_array_new (), groups_new () };
  g_autoptr (JsonObject) out = NULL;
  JsonArray *tables;
  const char *title;
  GStatBuf st;

  if (g_stat (path, &st) < 0)
    {
      fr_error_errno (error, errno, "open", path);
      json_array_unref (r.facts);
      json_array_unref (r.problems);
      groups_free (r.groups);
      return NULL;
    }
  if (S_ISREG (st.st_mode))
    {
      g_autofree char *size = size_text ((guint64) st.st_size);

      fact (&r, "size", "%s", size);
    }
  title = inspect_path (&r);
  out = json_object_new ();
  tables = json_array_new ();
  json_array_add_object_element (tables, groups_table (r.groups));
  groups_free (r.groups);
  json_object_set_string_member (out, "title", title);
  json_object_set_array_member (out, "facts", r.facts);
  json_object_set_array_member (out, "tables", tables);
  json_object_set_array_member (out, "problems", r.problems);
  return json_node_init_object (json_node_alloc (), out);
}

static const FrInspect model_inspect = { knows, inspect };

static const FrService service = {
  .size = sizeof (FrService),
  .kind = "inspect",
  .name = "model",
  .version = FR_INSPECT_VERSION,
  .summary = "model directories, adapters, safetensors and GGUF files",
  .table = &model_inspect,
};

static const FrService *const services[] = { &service, NULL };

FR_PLUGIN_SERVICES ("model-inspect", "0.1.0", "what a model file or directory holds", "Apache-2.0",
                    "flowrun", services)
