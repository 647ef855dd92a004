/* SPDX-License-Identifier: Apache-2.0 */
/* test-registry.c: finding, opening and refusing plugins.
 *
 * Called with --describe-plugin it does what the command does, so that it can
 * describe for itself and needs no command.
 */
#include "config.h"

#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/fake.h"
#include "plugin/plugin-private.h"

static char *
dir_of (const char *which)
{
  return g_test_build_filename (G_TEST_BUILT, "core", "plugin", "modules", which, ".libs", NULL);
}

static FriRegistry *
registry_of (const char *first, const char *second)
{
  g_autofree char *a = dir_of (first);
  g_autofree char *b = second ? dir_of (second) : NULL;
  const char *paths[] = { a, b, NULL };

  return fri_registry_new (paths);
}

/* ---- finding --------------------------------------------------------------------- */

static void
test_find (void)
{
  g_autoptr (FriRegistry) registry = registry_of ("good", NULL);
  g_autoptr (GError) error = NULL;
  const FrPlugin *plugin = NULL;
  const char *file = NULL;
  const FrElement *element = fri_registry_find (registry, "transform.good", &plugin, &file, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (element->name, ==, "transform.good");
  g_assert_cmpstr (plugin->name, ==, "test");
  g_assert_true (g_str_has_suffix (file, "good/.libs/transform-good.so"));
  g_assert_true (fri_registry_find (registry, "transform.good", NULL, NULL, &error) == element);
  /* The other element of the same file is known by now. */
  g_assert_nonnull (fri_registry_find (registry, "transform.second", NULL, NULL, &error));
}

static void
test_find_elsewhere (void)
{
  g_autoptr (FriRegistry) registry = registry_of ("good", NULL);
  g_autoptr (GError) error = NULL;
  const char *file = NULL;
  const FrElement *element = fri_registry_find (registry, "transform.odd", NULL, &file, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (element->name, ==, "transform.odd");
  g_assert_true (g_str_has_suffix (file, "/oddly-named.so"));
}

static void
test_not_found (void)
{
  g_autoptr (FriRegistry) registry = registry_of ("good", NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = dir_of ("good");

  g_assert_null (fri_registry_find (registry, "transform.god", NULL, NULL, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_LOAD);
  g_assert_nonnull (strstr (error->message, "there is no element 'transform.god' in "));
  g_assert_nonnull (strstr (error->message, dir));
  g_assert_nonnull (strstr (error->message, "did you mean 'transform."));
}

static void
test_odd_names (void)
{
  static const char *const names[] = { "",
                                       ".",
                                       "x",
                                       "transform.",
                                       ".good",
                                       "../../x.y",
                                       "transform.go/od",
                                       "transform.Good",
                                       "transform.good.so",
                                       "a.b.c",
                                       "变换.好" };
  g_autoptr (FriRegistry) registry = registry_of ("good", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (fri_registry_find (registry, names[i], NULL, NULL, &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_LOAD);
      g_assert_nonnull (strstr (error->message, "there is no element"));
    }
}

static void
test_sizes (void)
{
  g_autoptr (FriRegistry) registry = registry_of ("good", NULL);
  g_autoptr (GError) error = NULL;
  const FrElement *later = fri_registry_find (registry, "transform.later", NULL, NULL, &error);
  const FrElement *earlier = fri_registry_find (registry, "transform.earlier", NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (later->size, ==, sizeof (FrElement));
  g_assert_cmpuint (earlier->size, ==, sizeof (FrElement));
  g_assert_null (earlier->fingerprint);
  g_assert_nonnull (earlier->map);
}

/* ---- refusing ----------------------------------------------------------------------- */

static void
refused (gconstpointer data)
{
  const char *const *pair = data;
  g_autofree char *dir = dir_of ("bad");
  g_autofree char *path = g_strconcat (dir, "/", pair[0], ".so", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_null (fri_plugin_open (path, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_LOAD);
  if (strstr (error->message, pair[1]) == NULL || strstr (error->message, path) == NULL)
    g_error ("%s: '%s' is not in: %s", pair[0], pair[1], error->message);
}

static const char *const refusals[][2] = {
  { "transform-major", "it was built for version 1.4 of flowrun's plugin interface and this "
                       "flowrun has 0.4: build it again with this flowrun's headers" },
  { "transform-minor", "it was built for the newer version 0.5 of flowrun's plugin interface and "
                       "this flowrun has 0.4: install a newer flowrun, or build it again" },
  { "transform-entry", "it is no flowrun plugin: it does not export 'flowrun_plugin'" },
  { "transform-null", "its 'flowrun_plugin' returns NULL" },
  { "transform-nothing", "it has neither map nor run; it needs one of them" },
  { "transform-both", "it has both map and run; it may have only one of them" },
  { "transform-kind", "element 'transform.kind' must be called 'sink.' and a word" },
  { "transform-short", "an FrElement says its size is 24 bytes" },
  { "transform-undefined", "nowhere_to_be_found" },
};

static void
test_no_file (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *junk = g_build_filename (g_get_tmp_dir (), "fr-junk-XXXXXX", NULL);
  int fd = g_mkstemp (junk);

  g_assert_null (fri_plugin_open ("/nonexistent/x.so", &error));
  g_assert_cmpstr (error->message, ==,
                   "cannot load the plugin '/nonexistent/x.so': there is no such file");
  g_clear_error (&error);
  g_assert_cmpint (write (fd, "not an object", 13), ==, 13);
  close (fd);
  g_assert_null (fri_plugin_open (junk, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_LOAD);
  g_assert_nonnull (strstr (error->message, junk));
  g_unlink (junk);
}

/* A file of the right name that does not load is not passed over for another. */
static void
test_bad_first (void)
{
  g_autoptr (FriRegistry) registry = registry_of ("bad", "good");
  g_autoptr (GError) error = NULL;

  g_assert_null (fri_registry_find (registry, "transform.nothing", NULL, NULL, &error));
  g_assert_nonnull (strstr (error->message, "neither map nor run"));
}

/* ---- listing ----------------------------------------------------------------------------- */

static const char *
error_of (JsonNode *list, const char *base)
{
  JsonArray *array = json_node_get_array (list);

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *object = json_array_get_object_element (array, i);

      if (g_str_has_suffix (json_object_get_string_member (object, "file"), base))
        return json_object_get_string_member_with_default (object, "error", NULL);
    }
  g_error ("%s is not in the list", base);
}

static void
test_list_bad (void)
{
  g_autoptr (FriRegistry) registry = registry_of ("bad", NULL);
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  g_autoptr (JsonNode) list = fri_registry_list (registry, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (json_array_get_length (json_node_get_array (list)), ==, 13);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 20 * G_USEC_PER_SEC);
  g_assert_nonnull (strstr (error_of (list, "transform-crash.so"), "it crashed while"));
  g_assert_cmpstr (error_of (list, "transform-hang.so"), ==,
                   "it did not answer within 5 seconds of being opened");
  g_assert_nonnull (strstr (error_of (list, "transform-print.so"), "it printed something"));
  g_assert_nonnull (error_of (list, "transform-exit.so"));
  g_assert_nonnull (strstr (error_of (list, "transform-both.so"), "both map and run"));
}

static void
test_list_good (void)
{
  g_autoptr (FriRegistry) registry = registry_of ("good", NULL);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = fri_registry_names (registry);
  g_autofree char *all = g_strjoinv (" ", names);
  g_autoptr (JsonNode) list = NULL;

  g_assert_cmpstr (all, ==,
                   "transform.earlier transform.good transform.later transform.odd "
                   "transform.second");
  g_assert_true (fri_registry_add (registry, &fake_plugin, &error));
  list = fri_registry_list (registry, &error);
  g_assert_cmpuint (json_array_get_length (json_node_get_array (list)), ==, 5);
}

static void
test_no_describer (void)
{
  g_autoptr (FriRegistry) registry = registry_of ("good", NULL);
  g_autofree char *before = g_strdup (g_getenv ("FLOWRUN"));
  g_autoptr (JsonNode) list = NULL;

  g_setenv ("FLOWRUN", "/nonexistent/flowrun", TRUE);
  list = fri_registry_list (registry, NULL);
  g_setenv ("FLOWRUN", before, TRUE);
  g_assert_nonnull (strstr (error_of (list, "transform-good.so"), "cannot be started"));
}

static void
test_default_paths (void)
{
  static const char *const extra[] = { "/x", "/y", NULL };
  g_autofree char *before = g_strdup (g_getenv ("FLOWRUN_PLUGIN_PATH"));
  g_auto (GStrv) paths = NULL;
  g_autofree char *all = NULL;

  g_setenv ("FLOWRUN_PLUGIN_PATH", "/a::/b", TRUE);
  paths = fri_registry_default_paths (extra);
  if (before)
    g_setenv ("FLOWRUN_PLUGIN_PATH", before, TRUE);
  all = g_strjoinv (" ", paths);
  g_assert_true (g_str_has_prefix (all, "/x /y /a /b "));
  g_assert_true (g_str_has_suffix (all, "flowrun/plugins " FR_PLUGINDIR));
}

/* ---- descriptions -----------------------------------------------------------------------------
 */

/* A sound element, spoiled by @spoil, must be refused with @message. */
static void
spoiled (void (*spoil) (FrPlugin *plugin, FrElement *element), const char *message)
{
  FrElement element = fake_transform;
  const FrElement *elements[] = { &element, NULL };
  FrPlugin plugin = fake_plugin;
  g_autoptr (FriRegistry) registry = fri_registry_new (NULL);
  g_autoptr (GError) error = NULL;

  plugin.elements = elements;
  spoil (&plugin, &element);
  g_assert_false (fri_registry_add (registry, &plugin, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_LOAD);
  if (strstr (error->message, message) == NULL)
    g_error ("'%s' is not in: %s", message, error->message);
}

#define SPOIL(name, ...)                                                                           \
  static void name (G_GNUC_UNUSED FrPlugin *p, G_GNUC_UNUSED FrElement *e)                         \
  {                                                                                                \
    __VA_ARGS__;                                                                                   \
  }

#define SPOIL_ROWS(name, ...)                                                                      \
  static const FrParam *const name##_rows[] = { __VA_ARGS__, NULL };                               \
  SPOIL (name, e->params = name##_rows)

static const FrPort *const ports_rejects[] = { FR_PORT ("rejects", FR_PORT_RECORDS, "x"), NULL };
static const FrPort *const ports_twins[]
    = { FR_PORT ("out", FR_PORT_RECORDS, "x"), FR_PORT ("out", FR_PORT_RECORDS, "x"), NULL };
static const FrParam *rows_endless[2000];

static void
never (G_GNUC_UNUSED FrObject *object)
{
}

static gboolean
half_save (G_GNUC_UNUSED FrObject *object, G_GNUC_UNUSED const char *dir,
           G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static const FrObjectType type_short = { .size = 8, .name = "x", .kind = FR_PORT_MODEL };
static const FrObjectType type_half = { .size = sizeof (FrObjectType),
                                        .name = "x",
                                        .kind = FR_PORT_MODEL,
                                        .save = half_save,
                                        .free = never };
#define PORTS(name, ...) static const FrPort *const name[] = { FR_PORT ("out", __VA_ARGS__), NULL };
PORTS (ports_untyped, FR_PORT_MODEL, "x")
PORTS (ports_short, FR_PORT_MODEL, "x", .object = &type_short)
PORTS (ports_half, FR_PORT_MODEL, "x", .object = &type_half)
PORTS (ports_kind, FR_PORT_REPORT, "x", .object = &type_half)
PORTS (ports_typed_rows, FR_PORT_RECORDS, "x", .object = &type_half)
PORTS (ports_many, FR_PORT_MODEL, "x", .object = &fake_model_type, .flags = FR_PORT_MANY)
PORTS (ports_forecast, FR_PORT_RECORDS, "x", .flags = FR_PORT_FORECAST)
PORTS (ports_forecast_model, FR_PORT_MODEL, "x", .object = &fake_model_type,
       .flags = FR_PORT_FORECAST)

PORTS (ports_held_model, FR_PORT_MODEL, "x", .object = &fake_model_type, .flags = FR_PORT_HELD_OUT)
PORTS (ports_held_in, FR_PORT_RECORDS, "x", .flags = FR_PORT_HELD_OUT)
PORTS (ports_training, FR_PORT_RECORDS, "x", .flags = FR_PORT_TRAINING)

static const FrService nameless = { .size = sizeof (FrService), .kind = "x", .summary = "x" };
static const FrService tableless
    = { .size = sizeof (FrService), .kind = "x", .name = "y", .summary = "x" };
static const FrService sound_service
    = { .size = sizeof (FrService), .kind = "x", .name = "y", .summary = "x", .table = &nameless };
static const FrService *const services_nameless[] = { &nameless, NULL };
static const FrService *const services_tableless[] = { &tableless, NULL };
static const FrService *const services_twins[] = { &sound_service, &sound_service, NULL };

SPOIL (untyped, e->outputs = ports_untyped)
SPOIL (short_type, e->outputs = ports_short)
SPOIL (half_type, e->outputs = ports_half)
SPOIL (other_kind, e->outputs = ports_kind)
SPOIL (typed_rows, e->outputs = ports_typed_rows)
SPOIL (many_models, e->outputs = ports_many)
SPOIL (no_forecast, e->outputs = ports_forecast)
SPOIL (forecast_model, e->outputs = ports_forecast_model)
SPOIL (held_model, e->outputs = ports_held_model)
SPOIL (training_out, e->outputs = ports_training)
SPOIL (held_in, e->inputs = ports_held_in)
SPOIL (forecast_map, e->forecast = (gpointer) fake_run)
SPOIL (nameless_service, p->services = services_nameless)
SPOIL (tableless_service, p->services = services_tableless)
SPOIL (twin_services, p->services = services_twins)
SPOIL (no_name, p->name = NULL)
SPOIL (long_version, p->version = "1\n2")
SPOIL (no_elements, p->elements = NULL)
SPOIL (no_summary, e->summary = "")
SPOIL (bad_name, e->name = "transform.Fake")
SPOIL (no_kind, e->kind = (FrKind) 9)
SPOIL (no_close, e->open = (gpointer) fake_run)
SPOIL (no_end, e->thread_begin = (gpointer) fake_run)
SPOIL (no_input, e->inputs = NULL)
SPOIL (two_inputs, e->inputs = fake_train_in)
SPOIL (parallel, e->map = NULL; e->run = fake_run)
SPOIL (bad_example, e->example = "{\"column\": 1}")
SPOIL (no_json, e->example = "{")
SPOIL (no_object, e->example = "[]")
SPOIL (big_config, e->config_size = 1 << 21)
SPOIL (small_config, e->config_size = 8)
SPOIL (rejects_port, e->outputs = ports_rejects)
SPOIL (twin_ports, e->outputs = ports_twins)
SPOIL (endless, for (guint i = 0; i < 2000; i++) rows_endless[i] = fake_params[0];
       e->params = rows_endless)
SPOIL_ROWS (twin_rows, FR_PARAM_BOOL ("flag", FakeConfig, flag, "x"),
            FR_PARAM_BOOL ("flag", FakeConfig, unknown, "x"))
SPOIL_ROWS (same_field, FR_PARAM_BOOL ("flag", FakeConfig, flag, "x"),
            FR_PARAM_BOOL ("glag", FakeConfig, flag, "x"))
SPOIL_ROWS (no_help, FR_PARAM_BOOL ("flag", FakeConfig, flag, ""))
SPOIL_ROWS (bad_key, FR_PARAM_BOOL ("Flag", FakeConfig, flag, "x"))
SPOIL_ROWS (bad_default, FR_PARAM_INT ("count", FakeConfig, count, 0, 5, "x", .def = "6"))
SPOIL_ROWS (no_default, FR_PARAM_INT ("count", FakeConfig, count, 0, 5, "x", .def = "six"))
SPOIL_ROWS (bad_row_example, FR_PARAM_SIZE ("size", FakeConfig, size, "x", .example = "\"ten\""))
SPOIL_ROWS (bad_bounds, FR_PARAM_INT ("count", FakeConfig, count, 5, 0, "x"))
SPOIL_ROWS (bad_pattern, FR_PARAM_STRING ("word", FakeConfig, word, "x", .pattern = "("))
SPOIL_ROWS (bad_schema, FR_PARAM_JSON ("json", FakeConfig, json, "x", .schema = "{"))
SPOIL_ROWS (rich_schema,
            FR_PARAM_JSON ("json", FakeConfig, json, "x", .schema = "{\"$ref\": \"#/x\"}"))
SPOIL_ROWS (bool_secret, FR_PARAM_BOOL ("flag", FakeConfig, flag, "x", .flags = FR_PARAM_SECRET))
SPOIL_ROWS (text_reads, FR_PARAM_STRING ("word", FakeConfig, word, "x", .flags = FR_PARAM_READS))
SPOIL_ROWS (needless, FR_PARAM_BOOL ("flag", FakeConfig, flag, "x", .def = "true",
                                     .flags = FR_PARAM_REQUIRED))
SPOIL_ROWS (no_values, FR_PARAM_ENUM ("mode", FakeConfig, mode, NULL, "x"))
SPOIL (column_source, e->kind = FR_KIND_SOURCE; e->name = "source.x"; e->inputs = NULL;
       e->flags = 0; e->map = NULL; e->run = fake_run)

static void
test_descriptions (void)
{
  spoiled (untyped, "output 'out' does not say the type of its object");
  spoiled (short_type, "lacks its size, its name or free");
  spoiled (half_type, "has only one of save and load");
  spoiled (other_kind, "of another kind than the port");
  spoiled (typed_rows, "carries records, so it has no object type");
  spoiled (many_models, "is MANY or REWINDABLE");
  spoiled (no_forecast, "its output 'out' is FORECAST, but it has no forecast");
  spoiled (forecast_model, "is FORECAST, which only outputs of records may be");
  spoiled (held_model, "is HELD_OUT, which only outputs of records may be");
  spoiled (held_in, "is HELD_OUT, which only outputs of records may be");
  spoiled (training_out, "is TRAINING or LOOKS, which only inputs of records may be");
  spoiled (forecast_map, "has forecast, which only elements with run may have");
  spoiled (nameless_service, "a service without a kind and a name");
  spoiled (tableless_service,
           "its service 'y' of kind 'x' has no summary of one line, or no table");
  spoiled (twin_services, "two services 'y' of kind 'x'");
  spoiled (no_name, "has no name of one line");
  spoiled (long_version, "has no version of one line");
  spoiled (no_elements, "offers no elements");
  spoiled (no_summary, "no summary of one line");
  spoiled (bad_name, "must be called 'transform.'");
  spoiled (no_kind, "no known kind (9)");
  spoiled (no_close, "open but no close");
  spoiled (no_end, "thread_begin but no thread_end");
  spoiled (no_input, "at least one input and one output");
  spoiled (two_inputs, "exactly one input");
  spoiled (parallel, "flag PARALLEL");
  spoiled (bad_example, "its example is not right: 'column' is the number 1");
  spoiled (no_json, "its example is not JSON");
  spoiled (no_object, "its example is not a JSON object");
  spoiled (big_config, "more than 1 MiB");
  spoiled (small_config, "is config_size the size of that structure?");
  spoiled (rejects_port, "no output may be called 'rejects'");
  spoiled (twin_ports, "two outputs are called 'out'");
  spoiled (endless, "lack the NULL at its end");
  spoiled (twin_rows, "its parameter 'flag': it is there twice");
  spoiled (same_field, "its parameter 'glag': its field is also that of 'flag'");
  spoiled (no_help, "no help of one line");
  spoiled (bad_key, "no key of lower-case letters");
  spoiled (bad_default, "its default is not right: 'count' is the number 6");
  spoiled (no_default, "its default 'six' is not JSON");
  spoiled (bad_row_example, "its example is not right: 'size' is the text 'ten'");
  spoiled (bad_bounds, "its minimum is above its maximum");
  spoiled (bad_pattern, "no regular expression");
  spoiled (bad_schema, "its schema is not right: it is not JSON");
  spoiled (rich_schema, "'$ref' is malformed or not a keyword");
  spoiled (bool_secret, "only a string without a default can be a secret");
  spoiled (text_reads, "only paths can be read or written");
  spoiled (needless, "what is required has no default");
  spoiled (no_values, "it has no values");
  spoiled (column_source, "columns are those of the first input");
}

static int
describe (const char *path)
{
  g_autoptr (GError) error = NULL;
  const FrPlugin *plugin = fri_plugin_open (path, &error);
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;

  if (plugin == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  node = fri_plugin_json (plugin, path);
  text = fr_json_to_string (node, 0);
  puts (text);
  return 0;
}

/* ---- services ----------------------------------------------------------------------- */

static void
test_service (void)
{
  g_autoptr (FriRegistry) registry = registry_of ("services", NULL);
  g_autoptr (GError) error = NULL;
  const FrService *service = fri_registry_service (registry, "thing", 3, NULL, &error);

  /* Of two that are as good the first by name; a better one of another version does not count. */
  g_assert_no_error (error);
  g_assert_cmpstr (service->name, ==, "also");
  g_assert_cmpstr (*(const char *const *) service->table, ==, "also");
  service = fri_registry_service (registry, "thing", 3, "fast", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (service->name, ==, "fast");
  service = fri_registry_service (registry, "thing", 2, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (service->name, ==, "old");
}

static void
test_service_none (void)
{
  static const struct
  {
    const char *kind;
    guint version;
    const char *name, *says;
  } cases[] = {
    { "thing", 3, "none", "'none': it cannot serve here (built, no device)" },
    { "thing", 3, "old", "'old': it is of version 2 and version 3 is asked for" },
    { "thing", 3, "slow", "no service 'slow' of kind 'thing' will do; looked in " },
    { "thing", 3, "slow", "'fast': it is there" },
    { "thing", 3, "slow", "thing-broken.so': " },
    { "other", 1, NULL, "no service of kind 'other' will do; looked in " },
  };
  g_autoptr (FriRegistry) registry = registry_of ("services", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (
          fri_registry_service (registry, cases[i].kind, cases[i].version, cases[i].name, &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_LOAD);
      if (strstr (error->message, cases[i].says) == NULL)
        g_error ("expected '%s' in '%s'", cases[i].says, error->message);
    }
}

static void
test_service_list (void)
{
  static const char *const names[] = { "old", "also", "fast", "none" };
  g_autofree char *dir = dir_of ("services");
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GError) error = NULL;

  g_setenv ("FLOWRUN_PLUGIN_PATH", dir, TRUE);
  list = fr_service_list ("thing");
  g_assert_cmpuint (list->len, ==, G_N_ELEMENTS (names));
  for (guint i = 0; i < list->len; i++)
    g_assert_cmpstr (((const FrService *) list->pdata[i])->name, ==, names[i]);
  g_assert_cmpstr (fr_service_find ("thing", 3, NULL, &error)->name, ==, "also");
  g_assert_no_error (error);
  g_unsetenv ("FLOWRUN_PLUGIN_PATH");
}

/* One that no file name tells of. */
static void
test_service_beside (void)
{
  g_autoptr (FriRegistry) registry = registry_of ("good", NULL);
  g_autoptr (GPtrArray) listed = fri_registry_services (registry, "odd");
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (listed->len, ==, 0);
  g_assert_nonnull (fri_registry_service (registry, "odd", 1, NULL, &error));
  g_assert_no_error (error);
}

static void
test_service_described (void)
{
  g_autoptr (FriRegistry) registry = registry_of ("services", NULL);
  g_autoptr (JsonNode) list = fri_registry_list (registry, NULL);
  JsonArray *plugins = json_node_get_array (list);
  guint found = 0;

  for (guint i = 0; i < json_array_get_length (plugins); i++)
    {
      JsonObject *plugin = json_array_get_object_element (plugins, i);
      JsonObject *service;

      if (!json_object_has_member (plugin, "services"))
        continue;
      service
          = json_array_get_object_element (json_object_get_array_member (plugin, "services"), 0);
      if (strcmp (json_object_get_string_member (service, "name"), "none") == 0)
        {
          g_assert_cmpint (json_object_get_int_member (service, "score"), ==, 0);
          g_assert_cmpstr (json_object_get_string_member (service, "why"), ==, "built, no device");
        }
      g_assert_cmpuint (json_array_get_length (json_object_get_array_member (plugin, "elements")),
                        ==, 0);
      found++;
    }
  g_assert_cmpuint (found, ==, 4);
}

int
main (int argc, char **argv)
{
  g_autofree char *self = NULL;

  if (argc == 3 && strcmp (argv[1], "--describe-plugin") == 0)
    return describe (argv[2]);
  self = g_file_read_link ("/proc/self/exe", NULL);
  g_setenv ("FLOWRUN", self, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/registry/find", test_find);
  g_test_add_func ("/registry/find-elsewhere", test_find_elsewhere);
  g_test_add_func ("/registry/not-found", test_not_found);
  g_test_add_func ("/registry/odd-names", test_odd_names);
  g_test_add_func ("/registry/sizes", test_sizes);
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autofree char *name = g_strconcat ("/registry/refused/", refusals[i][0], NULL);

      g_test_add_data_func (name, refusals[i], refused);
    }
  g_test_add_func ("/registry/no-file", test_no_file);
  g_test_add_func ("/registry/bad-first", test_bad_first);
  g_test_add_func ("/registry/list-bad", test_list_bad);
  g_test_add_func ("/registry/list-good", test_list_good);
  g_test_add_func ("/registry/no-describer", test_no_describer);
  g_test_add_func ("/registry/default-paths", test_default_paths);
  g_test_add_func ("/registry/descriptions", test_descriptions);
  g_test_add_func ("/registry/service", test_service);
  g_test_add_func ("/registry/service-none", test_service_none);
  g_test_add_func ("/registry/service-list", test_service_list);
  g_test_add_func ("/registry/service-beside", test_service_beside);
  g_test_add_func ("/registry/service-described", test_service_described);
  return g_test_run ();
}
