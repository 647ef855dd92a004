/* SPDX-License-Identifier: Apache-2.0 */
/* card.c: README.md, the model card: what this is, what it was made from, and how it did.
 *
 * Follows the model cards of the Hugging Face Hub: YAML in front, then
 * Markdown.  Facts of the training come from the trainer as a JSON object and
 * are shown whatever they are.
 */
#include "config.h"

#include <string.h>

#include <flowrun/json.h>

#include "lm/export.h"
#include "lm/export/export-private.h"

/* ---- what the base says of itself ---------------------------------------------------- */

/* "license: apache-2.0" of the YAML in front of the base's own card. */
static char *
card_licence (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "README.md", NULL), *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL) || !g_str_has_prefix (text, "---\n"))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines + 1; *line != NULL && strcmp (*line, "---") != 0; line++)
    if (g_str_has_prefix (*line, "license:"))
      return g_strstrip (g_strdup (*line + strlen ("license:")));
  return NULL;
}

static char *
licence_of (LmModel *model)
{
  const char *path = lm_model_path (model);
  g_autoptr (LmWeightFile) file = NULL;
  JsonNode *node = NULL;

  if (path == NULL)
    return NULL;
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return card_licence (path);
  file = lm_weight_file_open (path, NULL);
  if (file != NULL)
    node = json_object_get_member (lm_weight_file_metadata (file), "general.license");
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? g_strdup (json_node_get_string (node))
                                                      : NULL;
}

/* ---- Markdown ------------------------------------------------------------------------ */

/* A value in a cell: no line ends, no bars. */
static void
append_cell (GString *out, JsonNode *value)
{
  gboolean text
      = JSON_NODE_HOLDS_VALUE (value) && json_node_get_value_type (value) == G_TYPE_STRING;
  g_autofree char *plain
      = text ? g_strdup (json_node_get_string (value)) : fr_json_to_string (value, 0);

  for (const char *p = plain; *p != '\0'; p++)
    {
      if (*p == '|')
        g_string_append_c (out, '\\');
      g_string_append_c (out, *p == '\n' || *p == '\r' ? ' ' : *p);
    }
}

/* "learning_rate" as "learning rate". */
static void
append_key (GString *out, const char *key)
{
  g_autofree char *words = g_strdelimit (g_strdup (key), "_", ' ');

  g_string_append (out, words);
}

static gboolean
is_table (JsonNode *value)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (value) ? json_node_get_array (value) : NULL;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    if (!JSON_NODE_HOLDS_OBJECT (json_array_get_element (array, i)))
      return FALSE;
  return array != NULL && json_array_get_length (array) > 0;
}

static void
append_list (GString *out, JsonArray *array)
{
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      if (i > 0)
        g_string_append (out, ", ");
      append_cell (out, json_array_get_element (array, i));
    }
}

/* Members that are one value, as rows of name and value. */
static void
append_values (GString *out, JsonObject *object)
{
  gboolean first = TRUE;
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &key, &value))
    {
      if (JSON_NODE_HOLDS_OBJECT (value) || is_table (value))
        continue;
      if (first)
        g_string_append (out, "| | |\n| --- | --- |\n");
      first = FALSE;
      g_string_append (out, "| ");
      append_key (out, key);
      g_string_append (out, " | ");
      if (JSON_NODE_HOLDS_ARRAY (value))
        append_list (out, json_node_get_array (value));
      else
        append_cell (out, value);
      g_string_append (out, " |\n");
    }
  if (!first)
    g_string_append_c (out, '\n');
}

/* Rows of objects; the first says the columns. */
static void
append_rows (GString *out, JsonArray *rows)
{
  g_autoptr (GList) keys = json_object_get_members (json_array_get_object_element (rows, 0));

  g_string_append_c (out, '|');
  for (GList *k = keys; k != NULL; k = k->next)
    {
      g_string_append_c (out, ' ');
      append_key (out, k->data);
      g_string_append (out, " |");
    }
  g_string_append (out, "\n|");
  for (GList *k = keys; k != NULL; k = k->next)
    g_string_append (out, " --- |");
  g_string_append_c (out, '\n');
  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);

      g_string_append_c (out, '|');
      for (GList *k = keys; k != NULL; k = k->next)
        {
          JsonNode *value = json_object_get_member (row, k->data);

          g_string_append_c (out, ' ');
          if (value != NULL)
            append_cell (out, value);
          g_string_append (out, " |");
        }
      g_string_append_c (out, '\n');
    }
  g_string_append_c (out, '\n');
}

static void
append_section (GString *out, const char *title, JsonObject *object, guint depth)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  for (guint i = 0; i < MIN (depth, 5); i++)
    g_string_append_c (out, '#');
  g_string_append_c (out, ' ');
  append_key (out, title);
  g_string_append (out, "\n\n");
  append_values (out, object);
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &key, &value))
    if (JSON_NODE_HOLDS_OBJECT (value))
      append_section (out, key, json_node_get_object (value), depth + 1);
    else if (is_table (value))
      {
        for (guint i = 0; i < MIN (depth + 1, 5); i++)
          g_string_append_c (out, '#');
        g_string_append_c (out, ' ');
        append_key (out, key);
        g_string_append (out, "\n\n");
        append_rows (out, json_node_get_array (value));
      }
}

/* ---- the card ------------------------------------------------------------------------ */

static void
append_front (GString *out, const LmCard *card, const char *licence)
{
  const char *path = lm_model_path (card->model);
  g_autofree char *mark = lm_folder_mark (card->element);

  g_string_append (out, "---\nbase_model: ");
  fr_json_append_string (out, path != NULL ? path : "", path != NULL ? strlen (path) : 0);
  g_string_append_printf (out,
                          "\nlibrary_name: %s\nlicense: %s\n"
                          "pipeline_tag: text-generation\n---\n\n%s\n\n",
                          card->library, licence != NULL ? licence : "unknown", mark);
}

/* The rows of @facts, without a head. */
static void
append_more_facts (GString *out, JsonObject *facts)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  json_object_iter_init_ordered (&iter, facts);
  while (json_object_iter_next_ordered (&iter, &key, &value))
    {
      g_string_append_printf (out, "| %s | ", key);
      append_cell (out, value);
      g_string_append (out, " |\n");
    }
}

static void
append_facts (GString *out, const LmCard *card, const char *licence)
{
  LmModel *model = card->model;
  const char *hash = lm_model_hash (model, NULL);
  const LmLora *lora = lm_model_lora (model);

  g_string_append (out, "| | |\n| --- | --- |\n");
  g_string_append_printf (out, "| what this is | %s |\n", card->what);
  g_string_append_printf (out, "| family | %s |\n", lm_model_config (model)->family->name);
  g_string_append_printf (out, "| parameters | %" G_GUINT64_FORMAT " |\n",
                          lm_model_n_parameters (model));
  if (lm_model_path (model) != NULL)
    g_string_append_printf (out, "| base model | %s |\n", lm_model_path (model));
  if (hash != NULL)
    g_string_append_printf (out, "| its weights | %s |\n", hash);
  g_string_append_printf (
      out, "| licence | %s |\n",
      licence != NULL ? licence : "unknown: see the base model's; this one is bound by it");
  if (lora != NULL)
    g_string_append_printf (out, "| adapter | rank %u, alpha %g%s, %u modules |\n", lora->spec.rank,
                            lora->spec.alpha, lora->spec.rslora ? ", rank-stabilised" : "",
                            lora->modules->len);
  if (card->facts != NULL)
    append_more_facts (out, card->facts);
  g_string_append_printf (out, "| made by | flowrun %s |\n\n", PACKAGE_VERSION);
}

static JsonObject *
find_training (LmModel *model)
{
  for (; model != NULL; model = lm_model_base (model))
    if (lm_model_card (model) != NULL)
      return lm_model_card (model);
  return NULL;
}

char *
lm_card_text (const LmCard *card)
{
  g_autofree char *licence = licence_of (card->model);
  GString *out = g_string_new (NULL);
  JsonObject *training = find_training (card->model);

  append_front (out, card, licence);
  g_string_append_printf (out, "# %s\n\n", lm_model_name (card->model));
  append_facts (out, card, licence);
  if (card->usage != NULL)
    g_string_append_printf (out, "## Usage\n\n%s\n\n", card->usage);
  if (card->verification != NULL)
    append_section (out, "Verification", card->verification, 2);
  if (training != NULL)
    append_section (out, "Training", training, 2);
  return g_string_free (out, FALSE);
}
