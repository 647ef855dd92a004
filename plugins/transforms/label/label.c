/* SPDX-License-Identifier: Apache-2.0 */
/* label.c: transform.label, what a text is about, for whom, and how it speaks.
 *
 *   row -> text -> what a person said (review.h), or words and rules (rules.h), or a model
 * (labeler.h)
 *       -> label, confidence, evidence
 *
 * Rules and model write the same columns and the same review file.  The element knows no models:
 * what came by the port `model` is handed to the service "labeler".
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <string.h>

#include "details.h"
#include "review.h"
#include "rules.h"
#include "text/labeler.h"
#include "text/segment.h"

#define MODEL_ROWS 64 /* texts that a model is asked about at once */

enum
{
  BY_RULES,
  BY_MODEL
};

typedef struct
{
  char **columns;
  char **tasks;
  int engine;
  char *prompt;
  gboolean starter;
  char **sentiment_words;
  char **negation_words;
  char **degree_words;
  double neutral;
  char **audience_lists;
  char **feature_lists;
  char **topic_lists;
  gint64 keywords;
  char *dictionary;
  char *user_dictionary;
  char *review;
  gint64 review_rows;
  char **corrections;
} Config;

static const FrEnumValue *const engines[] = {
  FR_ENUM ("rules", BY_RULES, "words and rules"),
  FR_ENUM ("model", BY_MODEL, "the model at the port `model`, which chooses among the labels"), NULL
};

static const FrParam *const params[] = {
  FR_PARAM_COLUMNS ("columns", Config, columns, FR_TYPES_TEXT,
                    "text to label; of several columns, one after the other",
                    .flags = FR_PARAM_REQUIRED),
  FR_PARAM_STRINGS ("tasks", Config, tasks, "what to label", .def = "[\"sentiment\"]",
                    .pattern = "sentiment|audience|features|topic|keywords",
                    .example = "[\"sentiment\", \"audience\"]"),
  FR_PARAM_ENUM ("engine", Config, engine, engines, "who labels", .def = "rules"),
  FR_PARAM_STRING ("prompt", Config, prompt,
                   "what a model is asked; {text} is the text, {labels} the labels"),
  FR_PARAM_BOOL ("starter", Config, starter,
                 "use flowrun's own words for sentiment, audience and features", .def = "true"),
  FR_PARAM_PATHS ("sentiment_words", Config, sentiment_words,
                  "files of words with scores, negative ones below 0", .flags = FR_PARAM_READS,
                  .example = "\"sentiment_words.txt\""),
  FR_PARAM_PATHS ("negation_words", Config, negation_words, "files of words that turn what follows",
                  .flags = FR_PARAM_READS),
  FR_PARAM_PATHS ("degree_words", Config, degree_words,
                  "files of words with the factor that they give to what follows",
                  .flags = FR_PARAM_READS),
  FR_PARAM_FLOAT ("neutral", Config, neutral, 0, 1000, "a sum of sentiment up to this is neutral",
                  .def = "0.3"),
  FR_PARAM_PATHS ("audience_lists", Config, audience_lists,
                  "files of words, each named as its audience", .flags = FR_PARAM_READS),
  FR_PARAM_PATHS ("feature_lists", Config, feature_lists,
                  "files of words, each named as its feature", .flags = FR_PARAM_READS),
  FR_PARAM_PATHS ("topic_lists", Config, topic_lists,
                  "files of words with how many documents hold them, each named as its topic",
                  .flags = FR_PARAM_READS, .example = "\"lists/*.txt\""),
  FR_PARAM_INT ("keywords", Config, keywords, 1, 100, "how many keywords a text gets, at most",
                .def = "5"),
  FR_PARAM_PATH ("dictionary", Config, dictionary,
                 "word list by which text is cut into words, as jieba's", .flags = FR_PARAM_READS),
  FR_PARAM_PATH ("user_dictionary", Config, user_dictionary,
                 "words of your own, which win over the dictionary's", .flags = FR_PARAM_READS),
  FR_PARAM_PATH ("review", Config, review,
                 "file for people with the least sure rows: CSV by its ending, else JSON Lines",
                 .flags = FR_PARAM_WRITES, .example = "\"review.csv\""),
  FR_PARAM_INT ("review_rows", Config, review_rows, 1, 10000,
                "rows of each task and label in it, at most", .def = "20", .unit = "rows"),
  FR_PARAM_PATHS ("corrections", Config, corrections,
                  "review files that people have filled in: what they say wins",
                  .flags = FR_PARAM_READS),
  NULL
};

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "rows to label", .flags = FR_PORT_MANY),
        FR_PORT ("model", FR_PORT_MODEL, "the model that labels, for the engine 'model'",
                 .flags = FR_PORT_OPTIONAL),
        NULL };
static const FrPort *const outputs[]
    = { FR_PORT ("out", FR_PORT_RECORDS, "the rows with their labels"), NULL };

/* ---- configure and bind
 * ----------------------------------------------------------------------------- */

static gboolean
has (char **list)
{
  return list != NULL && *list != NULL;
}

static gboolean
check_task (const Config *c, guint i, FrProblems *problems)
{
  Task task = rules_task (c->tasks[i]);
  const char *lacks = NULL;

  for (guint k = 0; k < i; k++)
    if (strcmp (c->tasks[k], c->tasks[i]) == 0)
      {
        fr_problems_add (problems, "/tasks", "'%s' is listed twice", c->tasks[i]);
        return FALSE;
      }
  if ((task == TASK_TOPIC || task == TASK_KEYWORDS) && !has (c->topic_lists))
    lacks = "topic_lists";
  else if (!c->starter && task == TASK_SENTIMENT && !has (c->sentiment_words)
           && c->engine == BY_RULES)
    lacks = "sentiment_words";
  else if (!c->starter && task == TASK_AUDIENCE && !has (c->audience_lists))
    lacks = "audience_lists";
  else if (!c->starter && task == TASK_FEATURES && !has (c->feature_lists))
    lacks = "feature_lists";
  if (lacks != NULL)
    fr_problems_add (problems, "/tasks", "'%s' has no words to go by: give '%s'", c->tasks[i],
                     lacks);
  else if (c->engine == BY_MODEL && (task == TASK_FEATURES || task == TASK_KEYWORDS))
    {
      lacks = c->tasks[i];
      fr_problems_add (problems, "/tasks",
                       "a model chooses one label; '%s' gives several, which only rules do", lacks);
    }
  return lacks == NULL;
}

static gboolean
label_configure (gpointer data, FrProblems *problems)
{
  const Config *c = data;
  gboolean ok = TRUE;

  for (guint i = 0; c->tasks[i] != NULL; i++)
    ok = check_task (c, i, problems) && ok;
  if (c->prompt != NULL && c->engine == BY_RULES)
    {
      fr_problems_add (problems, "/prompt",
                       "rules are asked nothing; it goes with the engine 'model'");
      ok = FALSE;
    }
  if (c->user_dictionary != NULL && c->dictionary == NULL)
    {
      fr_problems_add (problems, "/user_dictionary",
                       "words of your own go beside a dictionary; give 'dictionary' too");
      ok = FALSE;
    }
  return ok;
}

static FrSchema *
with_columns (FrSchema *schema, FrBind *bind, const char *task)
{
  static const struct
  {
    const char *suffix;
    FrType type;
  } columns[]
      = { { "", FR_TYPE_UTF8 }, { "_confidence", FR_TYPE_FLOAT64 }, { "_evidence", FR_TYPE_UTF8 } };

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      g_autofree char *name = g_strconcat (task, columns[i].suffix, NULL);
      FrSchema *wider;

      if (fr_schema_find (schema, name) >= 0)
        fr_bind_warn (bind, "/tasks", "the input has a column '%s' already; it is replaced", name);
      wider = fr_schema_with (schema, fr_field_new (name, columns[i].type));
      fr_schema_unref (schema);
      schema = wider;
    }
  return schema;
}

static gboolean
label_bind (gconstpointer data, FrBind *bind, G_GNUC_UNUSED GError **error)
{
  const Config *c = data;
  FrSchema *input = fr_bind_input (bind, "in"), *schema;

  if (c->engine == BY_MODEL && !fr_bind_has_input (bind, "model"))
    {
      fr_bind_problem (bind, "/engine",
                       "the engine 'model' needs a model: connect the input 'model'");
      return FALSE;
    }
  if (c->engine == BY_RULES && fr_bind_has_input (bind, "model"))
    {
      fr_bind_problem (
          bind, "/engine",
          "rules use no model: say \"engine\": \"model\", or leave the input 'model' out");
      return FALSE;
    }
  if (input == NULL)
    return TRUE;
  schema = fr_schema_ref (input);
  for (guint i = 0; c->tasks[i] != NULL; i++)
    schema = with_columns (schema, bind, c->tasks[i]);
  fr_bind_output (bind, "out", schema);
  return TRUE;
}

/* ---- state
 * --------------------------------------------------------------------------------------------- */

typedef struct
{
  const Config *config;
  FrHost *host;
  Rules *rules;
  TextDictionary *dictionary;
  TextSegmenter *segmenter;
  GArray *segments;
  GByteArray *cuts;
  guint *columns, n_columns;
  GString *text;
  Label label;
  Review *review;          /* or NULL */
  TextOutput *review_file; /* or NULL */
  Corrections *corrections;
  const LabelerEngine *engine; /* or NULL: rules */
  FrObject *model;
  Labeler *labelers[N_TASKS];
  gint64 n_corrected, n_none, n_unsure;
} State;

static void
label_close (gpointer data)
{
  State *s = data;

  for (guint i = 0; i < N_TASKS; i++)
    if (s->labelers[i] != NULL)
      s->engine->close (s->labelers[i]);
  if (s->model != NULL)
    fr_object_unref (s->model);
  rules_free (s->rules);
  text_segmenter_free (s->segmenter);
  text_dictionary_unref (s->dictionary);
  g_array_unref (s->segments);
  g_byte_array_unref (s->cuts);
  g_free (s->columns);
  g_string_free (s->text, TRUE);
  g_string_free (s->label.label, TRUE);
  g_string_free (s->label.evidence, TRUE);
  review_free (s->review);
  text_output_free (s->review_file);
  corrections_free (s->corrections);
  g_free (s);
}

/* Hands each file of @paths to @read; @data is passed on. */
typedef gboolean (*ReadFunc) (State *s, const char *path, const char *text, gsize len, guint which,
                              GError **error);

static gboolean
read_files (State *s, char **paths, ReadFunc read, guint which, GError **error)
{
  for (guint i = 0; paths != NULL && paths[i] != NULL; i++)
    {
      g_autoptr (GError) failed = NULL;
      g_autofree char *text = NULL;
      gsize len;

      if (!g_file_get_contents (paths[i], &text, &len, &failed))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot read '%s': %s", paths[i],
                       failed->message);
          return FALSE;
        }
      if (!read (s, paths[i], text, len, which, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_sentiment (State *s, const char *path, const char *text, gsize len, guint which,
                GError **error)
{
  return which == 0   ? rules_read_sentiment (s->rules, path, text, len, error)
         : which == 1 ? rules_read_negations (s->rules, path, text, len, error)
                      : rules_read_degrees (s->rules, path, text, len, error);
}

static gboolean
read_list (State *s, const char *path, const char *text, gsize len, guint which, GError **error)
{
  g_autofree char *name = g_path_get_basename (path);
  char *dot = strchr (name, '.');

  if (dot != NULL && dot != name)
    *dot = '\0';
  return rules_read_list (s->rules, (Task) which, name, path, text, len, error);
}

static gboolean
read_corrections (State *s, const char *path, const char *text, gsize len,
                  G_GNUC_UNUSED guint which, GError **error)
{
  return corrections_read (s->corrections, path, text, len, error);
}

static gboolean
read_all (State *s, GError **error)
{
  const Config *c = s->config;

  /* A lexicon first: what flowrun says of a word, it says for shops. */
  if (!read_files (s, c->sentiment_words, read_sentiment, 0, error))
    return FALSE;
  if (c->starter)
    rules_add_starter (s->rules);
  return read_files (s, c->negation_words, read_sentiment, 1, error)
         && read_files (s, c->degree_words, read_sentiment, 2, error)
         && read_files (s, c->audience_lists, read_list, TASK_AUDIENCE, error)
         && read_files (s, c->feature_lists, read_list, TASK_FEATURES, error)
         && read_files (s, c->topic_lists, read_list, TASK_TOPIC, error)
         && rules_ready (s->rules, c->neutral, (guint) c->keywords, error)
         && read_files (s, c->corrections, read_corrections, 0, error);
}

static gboolean
label_open (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  const Config *c = data;
  FrSchema *input = fr_host_input (host, "in");
  State *s = g_new0 (State, 1);

  s->config = c;
  s->host = host;
  s->rules = rules_new ();
  s->segments = g_array_new (FALSE, FALSE, sizeof (TextSegment));
  s->cuts = g_byte_array_new ();
  s->text = g_string_new (NULL);
  s->label.label = g_string_new (NULL);
  s->label.evidence = g_string_new (NULL);
  s->corrections = corrections_new ();
  while (c->columns[s->n_columns] != NULL)
    s->n_columns++;
  s->columns = g_new (guint, s->n_columns + 1);
  for (guint i = 0; i < s->n_columns; i++)
    s->columns[i] = (guint) fr_schema_find (input, c->columns[i]);
  if (!read_all (s, error)
      || (c->dictionary != NULL
          && (s->dictionary = text_dictionary_new (c->dictionary, c->user_dictionary, error))
                 == NULL)
      || (s->segmenter = text_segmenter_new_with (s->dictionary, error)) == NULL
      || (c->review != NULL
          && (s->review_file = text_output_new (c->review, fr_host_cancellable (host), error))
                 == NULL))
    {
      label_close (s);
      return FALSE;
    }
  if (c->review != NULL)
    s->review = review_new ((guint) c->review_rows);
  fr_host_report (
      host, "segmenter",
      json_node_init_string (json_node_alloc (), text_segmenter_version (s->segmenter)));
  *state = s;
  return TRUE;
}

/* ---- models
 * ---------------------------------------------------------------------------------------------- */

static FrFlow
open_labelers (State *s, GError **error)
{
  const FrService *service
      = fr_host_service (s->host, LABELER_KIND, LABELER_VERSION, "model", error);
  FrFlow flow;

  if (service == NULL)
    return FR_FLOW_ERROR;
  s->engine = service->table;
  flow = fr_host_next_object (s->host, "model", &s->model, error);
  if (flow != FR_FLOW_OK)
    return flow;
  for (guint i = 0; s->config->tasks[i] != NULL; i++)
    {
      Task task = rules_task (s->config->tasks[i]);
      LabelerSettings settings
          = { rules_labels (s->rules, task), s->config->prompt, MODEL_ROWS, NULL };

      s->labelers[task] = s->engine->open (&settings, s->host, s->model, error);
      if (s->labelers[task] == NULL)
        return FR_FLOW_ERROR;
    }
  return FR_FLOW_OK;
}

/* ---- rows
 * --------------------------------------------------------------------------------------------------
 */

static FrStr
text_of (State *s, const FrView *views, gsize row)
{
  g_string_truncate (s->text, 0);
  for (guint i = 0; i < s->n_columns; i++)
    {
      FrStr cell = fr_view_str (&views[i], row);

      if (cell.len == 0)
        continue;
      if (s->text->len > 0)
        g_string_append_c (s->text, '\n');
      g_string_append_len (s->text, cell.data, (gssize) cell.len);
    }
  return (FrStr){ s->text->str, s->text->len };
}

static const guint8 *
cut (State *s, FrStr text)
{
  g_array_set_size (s->segments, 0);
  g_byte_array_set_size (s->cuts, (guint) text.len + 1);
  memset (s->cuts->data, 0, text.len + 1);
  text_segment_words (s->segmenter, text, s->segments);
  for (guint i = 0; i < s->segments->len; i++)
    {
      const TextSegment *segment = &g_array_index (s->segments, TextSegment, i);

      s->cuts->data[segment->offset] = s->cuts->data[segment->offset + segment->len] = 1;
    }
  return s->cuts->data;
}

static gboolean
is_single (Task task)
{
  return task != TASK_FEATURES && task != TASK_KEYWORDS;
}

/* Writes s->label, or what a person said of the text, as one row of @builder. */
static void
put (State *s, Task task, FrStr text, const FrBatch *batch, gsize row, FrBuilder *builder)
{
  const char *said = corrections_find (s->corrections, rules_task_name (task), text);
  const char *name = rules_task_name (task);
  Label *label = &s->label;

  if (said != NULL)
    {
      g_string_assign (label->label, said);
      g_string_assign (label->evidence, "review");
      label->confidence = 1;
      s->n_corrected++;
    }
  else if (s->review != NULL)
    {
      const char *group = is_single (task) ? label->label->str : "";

      if (review_wants (s->review, name, group, label->confidence))
        {
          g_autoptr (GString) id = g_string_new (NULL);

          fr_host_append_row_id (s->host, fr_batch_ids (batch)[row], id);
          review_add (s->review, name, group, label->label->str, label->confidence,
                      label->evidence->str, id->str, text);
        }
    }
  s->n_none += label->label->len == 0;
  if (label->label->len > 0)
    fr_cells_append_str (fr_builder_cells (builder, 0), label->label->str, label->label->len);
  else
    fr_cells_append_null (fr_builder_cells (builder, 0));
  fr_cells_append_float (fr_builder_cells (builder, 1), label->confidence);
  if (label->evidence->len > 0)
    fr_cells_append_str (fr_builder_cells (builder, 2), label->evidence->str, label->evidence->len);
  else
    fr_cells_append_null (fr_builder_cells (builder, 2));
  fr_builder_end_row (builder, fr_batch_ids (batch)[row]);
}

static void
label_by_rules (State *s, Task task, const FrBatch *batch, const FrView *views, FrBuilder *builder)
{
  for (gsize row = 0; row < fr_batch_n_rows (batch); row++)
    {
      FrStr text = text_of (s, views, row);

      rules_label (s->rules, task, text, cut (s, text), &s->label);
      put (s, task, text, batch, row, builder);
    }
}

static gboolean
label_by_model (State *s, Task task, const FrBatch *batch, const FrView *views, FrBuilder *builder,
                GError **error)
{
  const char *const *labels = rules_labels (s->rules, task);

  for (gsize first = 0; first < fr_batch_n_rows (batch); first += MODEL_ROWS)
    {
      gsize n = MIN (MODEL_ROWS, fr_batch_n_rows (batch) - first);
      g_autoptr (GPtrArray) keep = g_ptr_array_new_with_free_func (g_free);
      FrStr texts[MODEL_ROWS];
      LabelerResult results[MODEL_ROWS] = { { 0 } };

      for (gsize i = 0; i < n; i++)
        {
          FrStr text = text_of (s, views, first + i);
          char *copy = g_strndup (text.data, text.len);

          g_ptr_array_add (keep, copy);
          texts[i] = (FrStr){ copy, text.len };
        }
      if (!s->engine->label (s->labelers[task], texts, n, results, NULL, error))
        return FALSE;
      for (gsize i = 0; i < n; i++)
        {
          gboolean none = results[i].best == G_MAXSIZE;

          g_string_assign (s->label.label, none ? "" : labels[results[i].best]);
          if (none)
            g_string_assign (s->label.evidence, results[i].why != NULL ? results[i].why : "");
          else
            g_string_printf (s->label.evidence, "model %.2f of %.2f", results[i].confidence,
                             results[i].mass);
          s->label.confidence = none ? 0 : results[i].confidence;
          s->n_unsure += !none && results[i].mass < 0.5;
          put (s, task, texts[i], batch, first + i, builder);
          g_free (results[i].why);
        }
    }
  return TRUE;
}

/* @batch with the columns of task @name; taken and given. */
static FrBatch *
add_columns (State *s, FrBatch *batch, const char *name, const FrView *views, GError **error)
{
  g_autofree char *confidence = g_strconcat (name, "_confidence", NULL);
  g_autofree char *evidence = g_strconcat (name, "_evidence", NULL);
  g_autoptr (FrSchema) schema = fr_schema_new_simple (
      name, FR_TYPE_UTF8, confidence, FR_TYPE_FLOAT64, evidence, FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);
  g_autoptr (FrBatch) columns = NULL;
  g_autoptr (FrBatch) wide = batch;
  Task task = rules_task (name);

  if (s->engine == NULL)
    label_by_rules (s, task, wide, views, builder);
  else if (!label_by_model (s, task, wide, views, builder, error))
    return NULL;
  columns = fr_builder_finish (builder, error);
  for (guint i = 0; columns != NULL && i < 3; i++)
    {
      FrBatch *wider = fr_batch_with_column (wide, fr_schema_field (schema, i),
                                             fr_column_ref (fr_batch_column (columns, i)), error);

      if (wider == NULL)
        return NULL;
      fr_batch_unref (wide);
      wide = wider;
    }
  return columns != NULL ? g_steal_pointer (&wide) : NULL;
}

static FrFlow
label_batch (State *s, FrBatch *taken, GError **error)
{
  g_autoptr (FrBatch) source = fr_batch_ref (taken);
  g_autofree FrView *views = g_new (FrView, s->n_columns + 1);
  FrBatch *batch = taken;

  for (guint i = 0; i < s->n_columns; i++)
    views[i] = fr_view (source, s->columns[i]);
  for (guint i = 0; batch != NULL && s->config->tasks[i] != NULL; i++)
    batch = add_columns (s, batch, s->config->tasks[i], views, error);
  return batch != NULL ? fr_host_push (s->host, "out", batch, error) : FR_FLOW_ERROR;
}

static void
tell (State *s)
{
  fr_host_count (s->host, "corrected", s->n_corrected);
  fr_host_count (s->host, "no_label", s->n_none);
  if (s->n_unsure > 0)
    fr_host_count (s->host, "question_misunderstood", s->n_unsure);
  if (corrections_n_unused (s->corrections) > 0)
    {
      fr_host_count (s->host, "corrections_unused", corrections_n_unused (s->corrections));
      fr_host_warn (s->host,
                    "%u of %u corrections fit no text of this run: their texts have changed, or "
                    "are no longer there",
                    corrections_n_unused (s->corrections), corrections_n (s->corrections));
    }
}

static FrFlow
label_run (FrHost *host, gpointer data, GError **error)
{
  State *s = data;
  FrFlow flow = s->config->engine == BY_MODEL ? open_labelers (s, error) : FR_FLOW_OK;

  while (flow == FR_FLOW_OK)
    {
      FrBatch *batch;

      flow = fr_host_next (host, "in", &batch, error);
      if (flow == FR_FLOW_OK)
        flow = label_batch (s, batch, error);
    }
  if (flow == FR_FLOW_DONE)
    tell (s);
  return flow;
}

static gboolean
label_finish (FrHost *host, gpointer data, GError **error)
{
  State *s = data;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *lower = NULL;
  guint n;

  if (s->review == NULL)
    return TRUE;
  lower = g_ascii_strdown (s->config->review, -1);
  n = review_append (s->review, strstr (lower, ".csv") != NULL, text);
  if (!text_output_write (s->review_file, text->str, text->len, error)
      || !text_output_finish (s->review_file, host, s->config->review, error))
    return FALSE;
  fr_host_info (host, "%u rows for people to look at in %s", n, s->config->review);
  return TRUE;
}

static const FrElement label
    = { .size = sizeof (FrElement),
        .kind = FR_KIND_TRANSFORM,
        .name = "transform.label",
        .revision = 1,
        .summary = "labels of sentiment, audience, features and topic, by rules or by a model",
        .details = details,
        .example = "{\"columns\": \"text\", \"tasks\": [\"sentiment\", \"features\"]}",
        .config_size = sizeof (Config),
        .params = params,
        .inputs = inputs,
        .outputs = outputs,
        .configure = label_configure,
        .bind = label_bind,
        .open = label_open,
        .run = label_run,
        .finish = label_finish,
        .close = label_close };

FR_PLUGIN ("label", PACKAGE_VERSION, "labels of texts", "Apache-2.0", "flowrun", &label)
