/* SPDX-License-Identifier: Apache-2.0 */
/* fake.h: a plugin in memory for tests and fuzzing of the pipeline reader.
 *
 * Its elements do nothing, but have every type of parameter and port, and
 * bind like real ones.
 */
#ifndef FLOWRUN_FAKE_H
#define FLOWRUN_FAKE_H

#include <flowrun/flowrun.h>
#include <string.h>

typedef struct
{
  gboolean flag;
  gint64 count;
  double share;
  char *text;
  char *word;
  int mode;
  guint64 size;
  gint64 wait;
  char *path;
  char **paths;
  char *column;
  char **columns;
  char **strings;
  FrPair *map;
  JsonNode *json;
  char *secret;
  char *old;
  gboolean unknown;
  gboolean refuse;
} FakeConfig;

static const FrEnumValue *const fake_modes[]
    = { FR_ENUM ("fast", 0, "quick and rough"), FR_ENUM ("exact", 1, "slow and right"), NULL };

/* Every type once. */
#define FAKE_COMMON                                                                                \
  FR_PARAM_BOOL ("flag", FakeConfig, flag, "a switch", .def = "true"),                             \
      FR_PARAM_INT ("count", FakeConfig, count, 0, 100, "how many", .def = "10", .unit = "rows"),  \
      FR_PARAM_FLOAT ("share", FakeConfig, share, 0, 1, "how much", .def = "0.5"),                 \
      FR_PARAM_STRING ("text", FakeConfig, text, "a text", .example = "\"hello\"",                 \
                       .details = "It may be **any** text."),                                      \
      FR_PARAM_STRING ("word", FakeConfig, word, "a word", .pattern = "[a-z]+"),                   \
      FR_PARAM_ENUM ("mode", FakeConfig, mode, fake_modes, "how to work", .def = "exact"),         \
      FR_PARAM_SIZE ("size", FakeConfig, size, "how much to hold", .def = "64MiB"),                \
      FR_PARAM_DURATION ("wait", FakeConfig, wait, "how long to wait", .def = "1.5s",              \
                         .flags = FR_PARAM_NO_RESULT),                                             \
      FR_PARAM_PATH ("path", FakeConfig, path, "a file", .flags = FR_PARAM_READS),                 \
      FR_PARAM_PATHS ("paths", FakeConfig, paths, "files", .flags = FR_PARAM_READS),               \
      FR_PARAM_STRINGS ("strings", FakeConfig, strings, "words", .def = "[\"a\", \"b\"]"),         \
      FR_PARAM_MAP ("map", FakeConfig, map, "names to texts"),                                     \
      FR_PARAM_JSON ("json", FakeConfig, json, "rules",                                            \
                     .schema                                                                       \
                     = "{\"type\": \"array\", \"items\": {\"type\": \"object\", \"required\": "    \
                       "[\"name\"], \"additionalProperties\": false, \"properties\": {\"name\": "  \
                       "{\"type\": \"string\", \"minLength\": 1}, \"weight\": {\"anyOf\": "        \
                       "[{\"type\": \"number\", \"minimum\": 0}, {\"enum\": [\"auto\"]}]}}}}"),    \
      FR_PARAM_STRING ("secret", FakeConfig, secret, "a password", .flags = FR_PARAM_SECRET),      \
      FR_PARAM_STRING ("old", FakeConfig, old, "an old name", .deprecated = "'text'"),             \
      FR_PARAM_BOOL ("unknown", FakeConfig, unknown, "columns known only in the run"),             \
      FR_PARAM_BOOL ("refuse", FakeConfig, refuse, "makes bind fail")

static const FrParam *const fake_source_params[] = { FAKE_COMMON, NULL };
static const FrParam *const fake_params[]
    = { FAKE_COMMON, FR_PARAM_COLUMN ("column", FakeConfig, column, FR_TYPES_TEXT, "the text"),
        FR_PARAM_COLUMNS ("columns", FakeConfig, columns, FR_TYPES_ANY, "more columns"), NULL };
static const FrParam *const fake_required_params[]
    = { FR_PARAM_COLUMN ("column", FakeConfig, column, FR_TYPES_TEXT, "the text",
                         .flags = FR_PARAM_REQUIRED),
        NULL };

static gboolean
fake_configure (gpointer config, FrProblems *problems)
{
  const FakeConfig *c = config;

  if (c->text == NULL || strcmp (c->text, "bad") != 0)
    return TRUE;
  fr_problems_add (problems, "/text", "'text' must not be 'bad'");
  return FALSE;
}

static gboolean
fake_source_bind (gconstpointer config, FrBind *bind, GError **error)
{
  const FakeConfig *c = config;

  if (c->refuse)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "cannot open 'x': No such file or directory");
      return FALSE;
    }
  if (c->unknown && fr_bind_is_check (bind))
    fr_bind_output (bind, "out", NULL);
  else
    fr_bind_output (bind, "out",
                    fr_schema_new_simple ("id", FR_TYPE_INT64, c->word ? c->word : "text",
                                          FR_TYPE_UTF8, "price", FR_TYPE_FLOAT64, NULL));
  return TRUE;
}

static gboolean
fake_bind (gconstpointer config, FrBind *bind, G_GNUC_UNUSED GError **error)
{
  const FakeConfig *c = config;

  if (c->count == 99)
    fr_bind_warn (bind, "/count", "99 is much");
  if (!c->refuse)
    return TRUE;
  fr_bind_problem (bind, "/refuse", "refused as asked");
  return FALSE;
}

static FrFlow
fake_run (G_GNUC_UNUSED FrHost *host, G_GNUC_UNUSED gpointer state, G_GNUC_UNUSED GError **error)
{
  return FR_FLOW_OK;
}

static FrFlow
fake_map (G_GNUC_UNUSED FrHost *host, G_GNUC_UNUSED gpointer state, G_GNUC_UNUSED gpointer local,
          FrBatch *batch, G_GNUC_UNUSED GError **error)
{
  fr_batch_unref (batch);
  return FR_FLOW_OK;
}

static const FrElement fake_source = { .size = sizeof (FrElement),
                                       .kind = FR_KIND_SOURCE,
                                       .name = "source.fake",
                                       .revision = 1,
                                       .flags = FR_ELEMENT_NETWORK,
                                       .summary = "rows of nothing",
                                       .config_size = sizeof (FakeConfig),
                                       .params = fake_source_params,
                                       .outputs = fr_ports_out,
                                       .configure = fake_configure,
                                       .bind = fake_source_bind,
                                       .run = fake_run };

static const FrElement fake_transform = { .size = sizeof (FrElement),
                                          .kind = FR_KIND_TRANSFORM,
                                          .name = "transform.fake",
                                          .revision = 1,
                                          .flags = FR_ELEMENT_PARALLEL,
                                          .summary = "rows as they are",
                                          .details = "Nothing happens.",
                                          .example = "{\"column\": \"text\"}",
                                          .config_size = sizeof (FakeConfig),
                                          .params = fake_params,
                                          .inputs = fr_ports_in,
                                          .outputs = fr_ports_out,
                                          .configure = fake_configure,
                                          .bind = fake_bind,
                                          .map = fake_map };

static const FrElement fake_required = { .size = sizeof (FrElement),
                                         .kind = FR_KIND_TRANSFORM,
                                         .name = "transform.required",
                                         .revision = 1,
                                         .summary = "rows with a column",
                                         .config_size = sizeof (FakeConfig),
                                         .params = fake_required_params,
                                         .inputs = fr_ports_in,
                                         .outputs = fr_ports_out,
                                         .map = fake_map };

static const FrPort *const fake_split_in[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "rows to divide"), NULL };
static const FrPort *const fake_split_out[]
    = { FR_PORT ("train", FR_PORT_RECORDS, "most rows"),
        FR_PORT ("test", FR_PORT_RECORDS, "the others", .flags = FR_PORT_HELD_OUT), NULL };

static const FrElement fake_split = { .size = sizeof (FrElement),
                                      .kind = FR_KIND_TRANSFORM,
                                      .name = "transform.divide",
                                      .revision = 1,
                                      .summary = "rows in two",
                                      .inputs = fake_split_in,
                                      .outputs = fake_split_out,
                                      .run = fake_run };

static const FrPort *const fake_augment_in[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "rows to make more of",
                 .flags = FR_PORT_MANY | FR_PORT_TRAINING),
        FR_PORT ("against", FR_PORT_RECORDS, "rows to keep away from",
                 .flags = FR_PORT_OPTIONAL | FR_PORT_LOOKS),
        NULL };

static const FrElement fake_augment = { .size = sizeof (FrElement),
                                        .kind = FR_KIND_TRANSFORM,
                                        .name = "transform.augment",
                                        .revision = 1,
                                        .summary = "rows and more of them",
                                        .inputs = fake_augment_in,
                                        .outputs = fr_ports_out,
                                        .run = fake_run };

static void
fake_object_free (FrObject *object)
{
  g_free (object);
}

static const FrObjectType fake_model_type = { .size = sizeof (FrObjectType),
                                              .name = "fake.model",
                                              .kind = FR_PORT_MODEL,
                                              .free = fake_object_free };

static const FrNeed *const fake_needs[]
    = { FR_NEED ("text", FR_TYPES_TEXT), FR_NEED ("price", FR_TYPES_INTEGER), NULL };
static const FrPort *const fake_train_in[]
    = { FR_PORT ("train", FR_PORT_RECORDS, "what to learn", .flags = FR_PORT_REWINDABLE,
                 .needs = fake_needs),
        FR_PORT ("model", FR_PORT_MODEL, "what to start from", .object = &fake_model_type),
        FR_PORT ("validation", FR_PORT_RECORDS, "what to measure on", .flags = FR_PORT_OPTIONAL),
        NULL };
static const FrPort *const fake_train_out[]
    = { FR_PORT ("model", FR_PORT_MODEL, "what was learnt", .object = &fake_model_type),
        FR_PORT ("report", FR_PORT_REPORT, "how well", .object = &fr_report_type),
        FR_PORT ("seen", FR_PORT_RECORDS, "what would be learnt", .flags = FR_PORT_FORECAST),
        NULL };

static FrFlow
fake_forecast (G_GNUC_UNUSED gconstpointer config, G_GNUC_UNUSED FrHost *host,
               G_GNUC_UNUSED GError **error)
{
  return FR_FLOW_OK;
}

static const FrElement fake_trainer = { .size = sizeof (FrElement),
                                        .kind = FR_KIND_TRAINER,
                                        .name = "trainer.fake",
                                        .revision = 1,
                                        .summary = "learns nothing",
                                        .inputs = fake_train_in,
                                        .outputs = fake_train_out,
                                        .run = fake_run,
                                        .forecast = fake_forecast };

static const FrPort *const fake_model_out[]
    = { FR_PORT ("model", FR_PORT_MODEL, "a model of nothing", .object = &fake_model_type), NULL };

static const FrElement fake_model = { .size = sizeof (FrElement),
                                      .kind = FR_KIND_SOURCE,
                                      .name = "source.fakemodel",
                                      .revision = 1,
                                      .summary = "a model of nothing",
                                      .outputs = fake_model_out,
                                      .run = fake_run };

static const FrObjectType fake_other_type = { .size = sizeof (FrObjectType),
                                              .name = "fake.other",
                                              .kind = FR_PORT_MODEL,
                                              .free = fake_object_free };
static const FrPort *const fake_other_out[]
    = { FR_PORT ("model", FR_PORT_MODEL, "another", .object = &fake_other_type), NULL };

static const FrElement fake_other = { .size = sizeof (FrElement),
                                      .kind = FR_KIND_SOURCE,
                                      .name = "source.othermodel",
                                      .revision = 1,
                                      .summary = "a model of another type",
                                      .outputs = fake_other_out,
                                      .run = fake_run };

static const FrElement fake_sink = { .size = sizeof (FrElement),
                                     .kind = FR_KIND_SINK,
                                     .name = "sink.fake",
                                     .revision = 1,
                                     .summary = "rows to nowhere",
                                     .config_size = sizeof (FakeConfig),
                                     .params = fake_source_params,
                                     .inputs = fr_ports_in,
                                     .run = fake_run };

static const FrElement *const fake_elements[]
    = { &fake_source,  &fake_transform, &fake_required, &fake_split, &fake_augment,
        &fake_trainer, &fake_model,     &fake_other,    &fake_sink,  NULL };

static const FrPlugin fake_plugin = { .size = sizeof (FrPlugin),
                                      .abi_major = FR_ABI_MAJOR,
                                      .abi_minor = FR_ABI_MINOR,
                                      .name = "fake",
                                      .version = "1.0",
                                      .summary = "elements for tests",
                                      .licence = "Apache-2.0",
                                      .elements = fake_elements };

#endif
