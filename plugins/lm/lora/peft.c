/* SPDX-License-Identifier: Apache-2.0 */
/* peft.c: an adapter's directory: adapter_config.json and adapter_model.safetensors.
 *
 * Follows huggingface/peft: LoraConfig, check_target_module_exists() and
 * get_pattern_key() for reading, save_pretrained() for writing.  Only keys that
 * every version of PEFT knows are written.  On reading any key is welcome,
 * but one that would change the mathematics and is not known here is refused.
 * The tensors are matched against the model in both directions.
 */
#include "config.h"

#include "lm/lora/lora-private.h"

#include <flowrun/json.h>
#include <math.h>
#include <string.h>

#include "lm/checkpoint.h"

#define CONFIG_FILE "adapter_config.json"
#define MODEL_FILE "adapter_model.safetensors"
#define PREFIX "base_model.model."
#define SUFFIX_A ".lora_A.weight"
#define SUFFIX_B ".lora_B.weight"
#define MAX_NAMED 3

/* ---- reading: the configuration --------------------------------------------------------- */

/* What is read of adapter_config.json; pointers go into @root. */
typedef struct
{
  char *path;
  JsonNode *root;
  JsonObject *json;
  guint rank;
  double alpha, dropout;
  gboolean rslora;
  GPtrArray *rank_patterns, *alpha_patterns; /* Pattern * */
} Peft;

typedef struct
{
  GRegex *regex;
  double value;
} Pattern;

static void
pattern_free (Pattern *p)
{
  g_regex_unref (p->regex);
  g_free (p);
}

static void
peft_clear (Peft *p)
{
  g_free (p->path);
  g_clear_pointer (&p->root, json_node_unref);
  g_clear_pointer (&p->rank_patterns, g_ptr_array_unref);
  g_clear_pointer (&p->alpha_patterns, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Peft, peft_clear)

static gboolean bad (const Peft *p, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
bad (const Peft *p, GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s: %s", p->path, what);
  return FALSE;
}

/* Whether a setting has no effect: absent, null, false, "none", or empty. */
static gboolean
is_neutral (JsonNode *node)
{
  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (JSON_NODE_HOLDS_ARRAY (node))
    return json_array_get_length (json_node_get_array (node)) == 0;
  if (JSON_NODE_HOLDS_OBJECT (node))
    return json_object_get_size (json_node_get_object (node)) == 0;
  if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return !json_node_get_boolean (node);
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return strcmp (json_node_get_string (node), "none") == 0
           || *json_node_get_string (node) == '\0';
  return FALSE;
}

static gboolean
check_refused (const Peft *p, GError **error)
{
  static const char *const keys[] = { "use_dora",
                                      "use_qalora",
                                      "use_bdlora",
                                      "alora_invocation_tokens",
                                      "lora_bias",
                                      "layer_replication",
                                      "target_parameters",
                                      "trainable_token_indices",
                                      "modules_to_save",
                                      "fan_in_fan_out",
                                      "bias",
                                      "kasa_config",
                                      "monteclora_config",
                                      "velora_config",
                                      "arrow_config",
                                      "megatron_config" };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (!is_neutral (json_object_get_member (p->json, keys[i])))
      {
        g_autofree char *value = fr_json_to_string (json_object_get_member (p->json, keys[i]), 0);

        return bad (p, error,
                    "\"%s\": %s changes what the adapter computes and is not supported; merge it "
                    "with PEFT's merge_and_unload() and open the merged model",
                    keys[i], value);
      }
  return TRUE;
}

static gboolean
get_number (const Peft *p, const char *key, double def, double low, double high, double *value,
            GError **error)
{
  JsonNode *node = json_object_get_member (p->json, key);
  GType type;

  *value = def;
  if (node == NULL)
    return TRUE;
  type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_NONE;
  if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
    *value = json_node_get_double (node);
  if ((type != G_TYPE_INT64 && type != G_TYPE_DOUBLE) || !(*value >= low && *value <= high))
    {
      g_autofree char *text = fr_json_to_string (node, 0);

      return bad (p, error, "\"%s\": expected a number from %g to %g, found %s", key, low, high,
                  text);
    }
  return TRUE;
}

/* rank_pattern, alpha_pattern: PEFT matches (.*\.)?(KEY)$ from the start, first come first served.
 */
static gboolean
get_patterns (const Peft *p, const char *key, gboolean whole, GPtrArray **patterns, GError **error)
{
  JsonNode *node = json_object_get_member (p->json, key);
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;

  *patterns = g_ptr_array_new_with_free_func ((GDestroyNotify) pattern_free);
  if (is_neutral (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return bad (p, error, "\"%s\": expected an object of numbers", key);
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &name, &member))
    {
      g_autofree char *text = g_strdup_printf ("^(.*\\.)?(%s)$", name);
      g_autoptr (GRegex) regex = g_regex_new (text, 0, 0, NULL);
      GType type = JSON_NODE_HOLDS_VALUE (member) ? json_node_get_value_type (member) : G_TYPE_NONE;
      Pattern *pattern;

      if (regex == NULL || (type != G_TYPE_INT64 && (whole || type != G_TYPE_DOUBLE))
          || !(json_node_get_double (member) > 0)
          || (whole && json_node_get_int (member) > G_MAXINT32))
        return bad (p, error,
                    "\"%s\": expected module names or regular expressions with positive numbers; "
                    "see '%s'",
                    key, name);
      pattern = g_new (Pattern, 1);
      pattern->regex = g_steal_pointer (&regex);
      pattern->value = json_node_get_double (member);
      g_ptr_array_add (*patterns, pattern);
    }
  return TRUE;
}

static double
pattern_value (GPtrArray *patterns, const char *module, double def)
{
  for (guint i = 0; i < patterns->len; i++)
    {
      Pattern *p = patterns->pdata[i];

      if (g_regex_match (p->regex, module, 0, NULL))
        return p->value;
    }
  return def;
}

static gboolean
read_config (Peft *p, const char *dir, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  double rank;
  gsize len;
  const char *type;

  p->path = g_build_filename (dir, CONFIG_FILE, NULL);
  if (!g_file_test (p->path, G_FILE_TEST_EXISTS))
    return bad (p, error, "there is no such file; a PEFT adapter is a directory that has it");
  if (!g_file_get_contents (p->path, &text, &len, &local))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot read %s: %s", p->path, local->message);
      return FALSE;
    }
  p->root = fr_json_parse (text, (gssize) len, 0, &local);
  if (p->root == NULL)
    return bad (p, error, "%s", local->message);
  if (!JSON_NODE_HOLDS_OBJECT (p->root))
    return bad (p, error, "expected a JSON object");
  p->json = json_node_get_object (p->root);
  type = json_object_get_string_member_with_default (p->json, "peft_type", NULL);
  if (g_strcmp0 (type, "LORA") != 0)
    return bad (p, error, "\"peft_type\": expected \"LORA\", found %s",
                type != NULL ? type : "nothing");
  if (!check_refused (p, error) || !get_number (p, "r", 8, 1, G_MAXINT32, &rank, error)
      || !get_number (p, "lora_alpha", 8, G_MINDOUBLE, G_MAXDOUBLE, &p->alpha, error)
      || !get_number (p, "lora_dropout", 0, 0, 0.999999, &p->dropout, error)
      || !get_patterns (p, "rank_pattern", TRUE, &p->rank_patterns, error)
      || !get_patterns (p, "alpha_pattern", FALSE, &p->alpha_patterns, error))
    return FALSE;
  if (rank != floor (rank))
    return bad (p, error, "\"r\": expected a whole number, found %g", rank);
  p->rank = (guint) rank;
  p->rslora = json_object_get_boolean_member_with_default (p->json, "use_rslora", FALSE);
  return TRUE;
}

/* ---- reading: which modules are meant ------------------------------------------------------ */

/* Whether @node, a list of names or one regular expression, means @module; @wrong: it is neither.
 */
static gboolean
names_module (JsonNode *node, const char *module, gboolean *wrong)
{
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    {
      const char *name = json_node_get_string (node);
      g_autofree char *text = g_strdup_printf ("^(?:%s)$", name);
      g_autoptr (GRegex) regex = NULL;

      if (strcmp (name, "all-linear") == 0)
        return TRUE;
      regex = g_regex_new (text, 0, 0, NULL);
      *wrong |= regex == NULL;
      return regex != NULL && g_regex_match (regex, module, 0, NULL);
    }
  if (!JSON_NODE_HOLDS_ARRAY (node))
    {
      *wrong = TRUE;
      return FALSE;
    }
  for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
    {
      JsonNode *item = json_array_get_element (json_node_get_array (node), i);

      if (!JSON_NODE_HOLDS_VALUE (item) || json_node_get_value_type (item) != G_TYPE_STRING)
        *wrong = TRUE;
      else if (lm_lora_is_meant (module, json_node_get_string (item)))
        return TRUE;
    }
  return FALSE;
}

static gboolean
has_layer (JsonNode *node, guint layer, gboolean *wrong)
{
  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64)
    return json_node_get_int (node) == layer;
  if (!JSON_NODE_HOLDS_ARRAY (node))
    {
      *wrong = TRUE;
      return FALSE;
    }
  for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
    if (json_array_get_int_element (json_node_get_array (node), i) == layer)
      return TRUE;
  return json_array_get_length (json_node_get_array (node)) == 0;
}

/* Leaves in @modules those that the configuration means. */
static gboolean
keep_meant (const Peft *p, GPtrArray *modules, GError **error)
{
  JsonNode *targets = json_object_get_member (p->json, "target_modules");
  JsonNode *layers = json_object_get_member (p->json, "layers_to_transform");
  JsonNode *excluded = json_object_get_member (p->json, "exclude_modules");
  gboolean wrong = FALSE;

  if (targets == NULL || JSON_NODE_HOLDS_NULL (targets))
    return bad (p, error, "\"target_modules\" is missing");
  for (guint i = 0; i < modules->len;)
    {
      LmLoraModule *m = modules->pdata[i];
      gboolean meant = names_module (targets, m->module, &wrong)
                       && has_layer (layers, m->layer, &wrong)
                       && (is_neutral (excluded) || !names_module (excluded, m->module, &wrong));

      if (meant)
        i++;
      else
        g_ptr_array_remove_index (modules, i);
    }
  if (wrong)
    return bad (p, error,
                "\"target_modules\", \"exclude_modules\": expected a list of names or a regular "
                "expression; \"layers_to_transform\": numbers");
  if (modules->len == 0)
    return bad (p, error,
                "\"target_modules\" names no linear layer of this model; is it for "
                "another family?");
  return TRUE;
}

/* ---- reading: the tensors -------------------------------------------------------------------- */

static gboolean
read_half (const Peft *p, const LmTensor *t, gsize rows, gsize cols, float **out, GError **error)
{
  if (t->n_dims != 2 || t->dims[0] != (gint64) rows || t->dims[1] != (gint64) cols
      || !lm_types[t->type].numeric)
    {
      GString *shape = g_string_new (NULL);

      for (guint i = 0; i < t->n_dims; i++)
        g_string_append_printf (shape, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "", t->dims[i]);
      bad (p, error,
           "tensor '%s' is %s [%s]; \"r\", \"rank_pattern\" and the model ask for [%" G_GSIZE_FORMAT
           ", %" G_GSIZE_FORMAT "]",
           t->name, lm_types[t->type].name, shape->str, rows, cols);
      g_string_free (shape, TRUE);
      return FALSE;
    }
  *out = g_new (float, rows *cols);
  lm_decode (t->type, t->data, *out, rows * cols);
  for (gsize i = 0; i < rows * cols; i++)
    if (!isfinite ((*out)[i]))
      return bad (p, error, "tensor '%s' holds %g at number %" G_GSIZE_FORMAT, t->name,
                  (double) (*out)[i], i);
  return TRUE;
}

static const LmTensor *
find_half (LmWeightFile *file, const LmLoraModule *m, const char *suffix, GHashTable *used,
           GPtrArray *missing)
{
  g_autofree char *name = g_strconcat (PREFIX, m->module, suffix, NULL);
  const LmTensor *t = lm_weight_file_find (file, name);

  if (t == NULL)
    g_ptr_array_add (missing, g_steal_pointer (&name));
  else
    g_hash_table_add (used, (gpointer) t);
  return t;
}

/* "a, b, c and 12 more" */
static char *
first_few (GPtrArray *names)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < names->len && i < MAX_NAMED; i++)
    g_string_append_printf (out, "%s'%s'", i > 0 ? ", " : "", (const char *) names->pdata[i]);
  if (names->len > MAX_NAMED)
    g_string_append_printf (out, " and %u more", names->len - MAX_NAMED);
  return g_string_free (out, FALSE);
}

/* Total both ways: PEFT itself loads an adapter with other names without a word, and the base model
 * answers. */
static gboolean
check_total (const Peft *p, LmWeightFile *file, GHashTable *used, GPtrArray *missing,
             GError **error)
{
  g_autoptr (GPtrArray) extra = g_ptr_array_new ();
  g_autofree char *list = NULL;

  for (gsize i = 0; i < lm_weight_file_n_tensors (file); i++)
    {
      const LmTensor *t = lm_weight_file_tensor (file, i);

      if (!g_hash_table_contains (used, t))
        g_ptr_array_add (extra, t->name);
    }
  if (extra->len > 0)
    {
      list = first_few (extra);
      return bad (p, error,
                  MODEL_FILE " has tensors that belong to no targeted module of this "
                             "model: %s; expected '" PREFIX "MODULE" SUFFIX_A "'",
                  list);
    }
  if (missing->len > 0)
    {
      list = first_few (missing);
      return bad (p, error, MODEL_FILE " lacks tensors of targeted modules: %s", list);
    }
  return TRUE;
}

static gboolean
read_tensors (const Peft *p, LmWeightFile *file, GPtrArray *modules, GError **error)
{
  g_autoptr (GHashTable) used = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) missing = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < modules->len; i++)
    {
      LmLoraModule *m = modules->pdata[i];
      const LmTensor *a = find_half (file, m, SUFFIX_A, used, missing);
      const LmTensor *b = find_half (file, m, SUFFIX_B, used, missing);
      double rank = pattern_value (p->rank_patterns, m->module, p->rank);

      if (a == NULL || b == NULL)
        continue;
      m->rank = (guint) rank;
      m->scale = lm_lora_scale (pattern_value (p->alpha_patterns, m->module, p->alpha), m->rank,
                                p->rslora);
      if (!read_half (p, a, m->rank, m->in, &m->a, error)
          || !read_half (p, b, m->out, m->rank, &m->b, error))
        return FALSE;
    }
  return check_total (p, file, used, missing, error);
}

/* ---- reading: the specification that makes these modules ----------------------------------------
 */

/* Layers that occur, as (first, last) pairs; NULL when all do. */
static GArray *
layer_pairs (GPtrArray *modules, guint n_layers)
{
  GArray *pairs = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < modules->len; i++)
    {
      guint layer = ((LmLoraModule *) modules->pdata[i])->layer;
      guint *last = pairs->len > 0 ? &g_array_index (pairs, guint, pairs->len - 1) : NULL;

      if (last != NULL && layer <= *last + 1)
        {
          *last = layer;
          continue;
        }
      g_array_append_val (pairs, layer);
      g_array_append_val (pairs, layer);
    }
  if (pairs->len == 2 && g_array_index (pairs, guint, 0) == 0
      && g_array_index (pairs, guint, 1) == n_layers - 1)
    g_clear_pointer (&pairs, g_array_unref);
  return pairs;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Sorted last parts of the modules' names. */
static char **
last_parts (GPtrArray *modules)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < modules->len; i++)
    {
      const char *part = lm_lora_last_part (((LmLoraModule *) modules->pdata[i])->module);

      if (g_hash_table_add (seen, (gpointer) part))
        g_ptr_array_add (names, g_strdup (part));
    }
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

/* Short names and layers where those mean just these modules, else the modules one by one. */
static LmLoraSpec
spec_of (const Peft *p, GPtrArray *modules, const LmConfig *config)
{
  LmLoraSpec spec = { .rank = p->rank,
                      .alpha = p->alpha,
                      .dropout = p->dropout,
                      .rslora = p->rslora,
                      .targets = last_parts (modules),
                      .layers = layer_pairs (modules, config->n_layers) };
  guint n_layers = spec.layers == NULL ? config->n_layers : 0;

  for (guint i = 0; spec.layers != NULL && i < spec.layers->len; i += 2)
    n_layers
        += g_array_index (spec.layers, guint, i + 1) - g_array_index (spec.layers, guint, i) + 1;
  if (n_layers * g_strv_length (spec.targets) == modules->len)
    return spec;
  lm_lora_spec_clear (&spec);
  spec.targets = g_new0 (char *, modules->len + 1);
  for (guint i = 0; i < modules->len; i++)
    spec.targets[i] = g_strdup (((LmLoraModule *) modules->pdata[i])->module);
  return spec;
}

LmLora *
lm_lora_load (const char *dir, const LmConfig *config, GError **error)
{
  g_auto (Peft) p = { 0 };
  g_autofree char *path = g_build_filename (dir, MODEL_FILE, NULL);
  g_autoptr (LmWeightFile) file = NULL;
  g_autoptr (GPtrArray) modules = NULL;
  LmLoraSpec spec;
  LmLora *lora;

  if (!read_config (&p, dir, error))
    return NULL;
  modules = lm_lora_linear (config);
  if (!keep_meant (&p, modules, error))
    return NULL;
  /* A server takes adapters from directories that others write to. */
  file = lm_weight_file_read (path, error);
  if (file == NULL)
    {
      g_autofree char *pickle = g_build_filename (dir, "adapter_model.bin", NULL);

      if (!g_file_test (path, G_FILE_TEST_EXISTS) && g_file_test (pickle, G_FILE_TEST_EXISTS))
        g_prefix_error (error,
                        "%s is a pickle, which is not read: save it with "
                        "safe_serialization=True; ",
                        pickle);
      return NULL;
    }
  if (!read_tensors (&p, file, modules, error))
    return NULL;
  spec = spec_of (&p, modules, config);
  lora = lm_lora_new (&spec);
  lm_lora_spec_clear (&spec);
  g_ptr_array_unref (lora->modules);
  lora->modules = g_steal_pointer (&modules);
  return lora;
}

/* ---- writing ------------------------------------------------------------------------------------
 */

static void
set_number (JsonObject *json, const char *key, double value)
{
  if (value == floor (value) && fabs (value) < 1e15)
    json_object_set_int_member (json, key, (gint64) value);
  else
    json_object_set_double_member (json, key, value);
}

/* Last parts, or whole names where a target is longer: PEFT looks at layers for short ones alone.
 */
static JsonArray *
targets_json (const LmLora *lora, gboolean whole)
{
  JsonArray *array = json_array_new ();
  g_auto (GStrv) parts = last_parts (lora->modules);

  for (guint i = 0; whole && i < lora->modules->len; i++)
    json_array_add_string_element (array, ((LmLoraModule *) lora->modules->pdata[i])->module);
  for (guint i = 0; !whole && parts[i] != NULL; i++)
    json_array_add_string_element (array, parts[i]);
  return array;
}

/* Every layer of the specification by its number; NULL: all. */
static JsonArray *
layers_json (const GArray *layers)
{
  JsonArray *array;

  if (layers == NULL || layers->len == 0)
    return NULL;
  array = json_array_new ();
  for (guint i = 0; i + 1 < layers->len; i += 2)
    for (guint l = g_array_index (layers, guint, i); l <= g_array_index (layers, guint, i + 1); l++)
      json_array_add_int_element (array, l);
  return array;
}

/* What differs from the specification's rank and alpha, by module. */
static void
patterns_json (const LmLora *lora, JsonObject *ranks, JsonObject *alphas)
{
  for (guint i = 0; i < lora->modules->len; i++)
    {
      const LmLoraModule *m = lora->modules->pdata[i];
      double by = lora->spec.rslora ? sqrt (m->rank) : m->rank;

      if (m->rank != lora->spec.rank)
        json_object_set_int_member (ranks, m->module, m->rank);
      if (m->scale != lm_lora_scale (lora->spec.alpha, m->rank, lora->spec.rslora))
        set_number (alphas, m->module, (double) m->scale * by);
    }
}

static JsonNode *
config_json (const LmLora *lora, const char *base)
{
  JsonNode *root = json_node_new (JSON_NODE_OBJECT);
  JsonObject *json = json_object_new ();
  JsonObject *ranks = json_object_new (), *alphas = json_object_new ();
  JsonArray *layers;
  gboolean whole = FALSE;

  for (guint i = 0; lora->spec.targets[i] != NULL; i++)
    whole |= strchr (lora->spec.targets[i], '.') != NULL;
  layers = whole ? NULL : layers_json (lora->spec.layers);
  patterns_json (lora, ranks, alphas);
  json_object_set_object_member (json, "alpha_pattern", alphas);
  json_object_set_null_member (json, "auto_mapping");
  if (base != NULL)
    json_object_set_string_member (json, "base_model_name_or_path", base);
  else
    json_object_set_null_member (json, "base_model_name_or_path");
  json_object_set_string_member (json, "bias", "none");
  json_object_set_boolean_member (json, "fan_in_fan_out", FALSE);
  json_object_set_boolean_member (json, "inference_mode", TRUE);
  json_object_set_boolean_member (json, "init_lora_weights", TRUE);
  json_object_set_null_member (json, "layer_replication");
  json_object_set_null_member (json, "layers_pattern");
  if (layers != NULL)
    json_object_set_array_member (json, "layers_to_transform", layers);
  else
    json_object_set_null_member (json, "layers_to_transform");
  json_object_set_object_member (json, "loftq_config", json_object_new ());
  set_number (json, "lora_alpha", lora->spec.alpha);
  json_object_set_double_member (json, "lora_dropout", lora->spec.dropout);
  json_object_set_null_member (json, "megatron_config");
  json_object_set_string_member (json, "megatron_core", "megatron.core");
  json_object_set_null_member (json, "modules_to_save");
  json_object_set_string_member (json, "peft_type", "LORA");
  json_object_set_int_member (json, "r", lora->spec.rank);
  json_object_set_object_member (json, "rank_pattern", ranks);
  json_object_set_null_member (json, "revision");
  json_object_set_array_member (json, "target_modules", targets_json (lora, whole));
  json_object_set_string_member (json, "task_type", "CAUSAL_LM");
  json_object_set_boolean_member (json, "use_dora", FALSE);
  json_object_set_boolean_member (json, "use_rslora", lora->spec.rslora);
  json_node_take_object (root, json);
  return root;
}

static gboolean
fill_half (const LmTensor *tensor, gpointer out, gpointer user, GError **error)
{
  (void) error;
  memcpy (out, user, (gsize) tensor->dims[0] * (gsize) tensor->dims[1] * sizeof (float));
  return TRUE;
}

static void
add_half (GArray *sources, const LmLoraModule *m, const char *suffix, gsize rows, gsize cols,
          float *data)
{
  LmTensorSource source = { .tensor = { .name = g_strconcat (PREFIX, m->module, suffix, NULL),
                                        .type = LM_F32,
                                        .n_dims = 2,
                                        .dims = { (gint64) rows, (gint64) cols },
                                        .bytes = rows * cols * sizeof (float) },
                            .fill = fill_half,
                            .user = data };

  g_array_append_val (sources, source);
}

static void
clear_source (gpointer data)
{
  g_free (((LmTensorSource *) data)->tensor.name);
}

static gboolean
save_tensors (const LmLora *lora, const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, MODEL_FILE, NULL);
  g_autoptr (GArray) sources = g_array_new (FALSE, FALSE, sizeof (LmTensorSource));
  g_autoptr (JsonObject) metadata = json_object_new ();

  g_array_set_clear_func (sources, clear_source);
  for (guint i = 0; i < lora->modules->len; i++)
    {
      const LmLoraModule *m = lora->modules->pdata[i];

      add_half (sources, m, SUFFIX_A, m->rank, m->in, m->a);
      add_half (sources, m, SUFFIX_B, m->out, m->rank, m->b);
    }
  json_object_set_string_member (metadata, "format", "pt");
  return lm_safetensors_write (path, (const LmTensorSource *) (gpointer) sources->data,
                               sources->len, metadata, error);
}

gboolean
lm_lora_save (const LmLora *lora, const char *base, const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, CONFIG_FILE, NULL);
  g_autoptr (JsonNode) root = config_json (lora, base);
  g_autofree char *text = fr_json_to_string (root, 2);
  g_autoptr (GError) local = NULL;

  if (!save_tensors (lora, dir, error))
    return FALSE;
  if (!g_file_set_contents_full (path, text, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644,
                                 &local))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot write %s: %s", path, local->message);
      return FALSE;
    }
  return TRUE;
}
