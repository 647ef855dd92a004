/* SPDX-License-Identifier: Apache-2.0 */
/* test-param.c: parameter tables: filling, values, schema, manual. */
#include "config.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#include "param/param-private.h"
#include "pipeline/fake.h"

static JsonNode *
parse (const char *source)
{
  g_autoptr (GString) text = g_string_new (source);
  g_autoptr (GError) error = NULL;
  JsonNode *node;

  g_string_replace (text, "'", "\"", 0);
  node = fr_json_parse (text->str, -1, 0, &error);
  g_assert_no_error (error);
  return node;
}

static FakeConfig *
fill (const FrElement *element, const char *with, gboolean dry, FrProblems *problems)
{
  g_autoptr (JsonNode) node = with ? parse (with) : NULL;

  return fri_params_fill (element, node, "/base", dry, problems);
}

static void
one_problem (const char *with, gboolean dry, const char *message)
{
  g_autoptr (FrProblems) problems = fri_problems_new ("x");
  FakeConfig *config = fill (&fake_transform, with, dry, problems);
  const FriProblem *problem;

  g_assert_cmpuint (fri_problems_list (problems)->len, ==, 1);
  problem = fri_problems_list (problems)->pdata[0];
  g_assert_cmpstr (problem->message, ==, message);
  fri_params_free (&fake_transform, config);
}

/* ---- quantities ------------------------------------------------------------------- */

static void
test_sizes (void)
{
  static const struct
  {
    const char *text;
    guint64 bytes;
  } good[] = { { "0", 0 },
               { "4096", 4096 },
               { "64MiB", 64u << 20 },
               { "64 MiB", 64u << 20 },
               { "2GB", 2000000000 },
               { "512k", 512 << 10 },
               { "1.5g", 3ull << 29 },
               { "1tib", 1ull << 40 },
               { "3T", 3ull << 40 },
               { "7b", 7 },
               { "0.5kB", 500 },
               { "18446744073709551615", G_MAXUINT64 } };
  static const char *const bad[] = { "",
                                     "k",
                                     "-1",
                                     "+1",
                                     "1e3",
                                     "0x10",
                                     " 1",
                                     "1 ",
                                     "1 k b",
                                     "1.",
                                     ".5",
                                     "1,5",
                                     "1KiBs",
                                     "１２",
                                     "1千",
                                     "NaN",
                                     "inf",
                                     "18446744073709551616",
                                     "99999999999TB" };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      guint64 bytes = 1;

      g_assert_true (fri_parse_size (good[i].text, &bytes));
      g_assert_cmpuint (bytes, ==, good[i].bytes);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      guint64 bytes;

      if (fri_parse_size (bad[i], &bytes))
        g_error ("'%s' is no size", bad[i]);
    }
}

static void
test_durations (void)
{
  static const struct
  {
    const char *text;
    gint64 us;
  } good[] = { { "0", 0 },           { "30", 30000000 },        { "250ms", 250000 },
               { "7us", 7 },         { "30s", 30000000 },       { "1.5s", 1500000 },
               { "2h", 7200000000 }, { "1h30min", 5400000000 }, { "1d 2h 3m 4s", 93784000000 } };
  static const char *const bad[] = { "",      "s",  "-1s",  "1h2h",           "1s1h",    "5 parsec",
                                     "1h 30", "1x", "1e3s", "9999999999999d", "1h,30min" };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      gint64 us = 1;

      if (!fri_parse_duration (good[i].text, &us) || us != good[i].us)
        g_error ("'%s' gave %" G_GINT64_FORMAT, good[i].text, us);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      gint64 us;

      if (fri_parse_duration (bad[i], &us))
        g_error ("'%s' is no duration", bad[i]);
    }
}

/* ---- filling ------------------------------------------------------------------------ */

static void
test_defaults (void)
{
  g_autoptr (FrProblems) problems = fri_problems_new ("x");
  FakeConfig *c = fill (&fake_transform, NULL, FALSE, problems);

  g_assert_cmpuint (fri_problems_n_errors (problems), ==, 0);
  g_assert_true (c->flag);
  g_assert_cmpint (c->count, ==, 10);
  g_assert_cmpfloat (c->share, ==, 0.5);
  g_assert_null (c->text);
  g_assert_cmpint (c->mode, ==, 1);
  g_assert_cmpuint (c->size, ==, 64u << 20);
  g_assert_cmpint (c->wait, ==, 1500000);
  g_assert_null (c->path);
  g_assert_null (c->paths);
  g_assert_cmpstr (c->strings[1], ==, "b");
  g_assert_null (c->strings[2]);
  g_assert_null (c->map);
  g_assert_null (c->json);
  fri_params_free (&fake_transform, c);
}

static void
test_values (void)
{
  g_autoptr (FrProblems) problems = fri_problems_new ("x");
  FakeConfig *c = fill (&fake_transform,
                        "{'flag': false, 'count': 1e1, 'share': 1, 'text': '中文 ｆｕｌｌ 😀',"
                        " 'word': 'abc', 'mode': 'fast', 'size': 5, 'wait': 0.25,"
                        " 'path': './/a/../b', 'paths': '*.csv', 'column': '名称',"
                        " 'columns': ['a', 'b'], 'strings': [], 'map': {'k': 'v', '': ''},"
                        " 'json': [{'name': 'n', 'weight': 'auto'}], '$comment': 7}",
                        FALSE, problems);
  g_autofree char *json = NULL;

  g_assert_cmpuint (fri_problems_n_errors (problems), ==, 0);
  g_assert_false (c->flag);
  g_assert_cmpint (c->count, ==, 10);
  g_assert_cmpfloat (c->share, ==, 1);
  g_assert_cmpstr (c->text, ==, "中文 ｆｕｌｌ 😀");
  g_assert_cmpint (c->mode, ==, 0);
  g_assert_cmpuint (c->size, ==, 5);
  g_assert_cmpint (c->wait, ==, 250000);
  g_assert_cmpstr (c->path, ==, "/base/a/../b");
  g_assert_cmpstr (c->paths[0], ==, "/base/*.csv");
  g_assert_cmpstr (c->column, ==, "名称");
  g_assert_cmpstr (c->columns[1], ==, "b");
  g_assert_null (c->strings[0]);
  g_assert_cmpstr (c->map[0].value, ==, "v");
  g_assert_cmpstr (c->map[1].key, ==, "");
  g_assert_null (c->map[2].key);
  json = fr_json_to_string (c->json, 0);
  g_assert_nonnull (strstr (json, "auto"));
  fri_params_free (&fake_transform, c);
}

/* A folder whose name looks like a glob does not act as one. */
static void
test_glob_folder (void)
{
  g_autoptr (FrProblems) problems = fri_problems_new ("x");
  g_autoptr (JsonNode) node = parse ("{'paths': ['*.csv', 'plain'], 'path': 'x'}");
  FakeConfig *c = fri_params_fill (&fake_source, node, "/a[1]/b", FALSE, problems);

  g_assert_cmpstr (c->paths[0], ==, "/a\\[1]/b/*.csv");
  g_assert_cmpstr (c->paths[1], ==, "/a[1]/b/plain");
  g_assert_cmpstr (c->path, ==, "/a[1]/b/x");
  fri_params_free (&fake_source, c);
}

static void
test_secrets (void)
{
  g_autofree char *file = g_build_filename (g_get_tmp_dir (), "fr-secret-XXXXXX", NULL);
  int fd = g_mkstemp (file);
  g_autofree char *with = g_strdup_printf ("{'secret': {'file': '%s'}}", file);
  g_autoptr (FrProblems) problems = fri_problems_new ("x");
  g_autofree char *big = g_strnfill (70000, 'x');
  g_autoptr (JsonNode) effective = NULL;
  g_autofree char *shown = NULL, *too_big = NULL;
  FakeConfig *c;

  g_assert_cmpint (write (fd, "hunter2\r\n", 9), ==, 9);
  c = fill (&fake_transform, with, FALSE, problems);
  g_assert_cmpstr (c->secret, ==, "hunter2");
  effective = fri_params_effective (&fake_transform, c);
  shown = fr_json_to_string (effective, 0);
  g_assert_null (strstr (shown, "hunter2"));
  g_assert_nonnull (strstr (shown, "\"secret\":{\"secret\":true}"));
  fri_params_free (&fake_transform, c);

  g_setenv ("FR_TEST_SECRET", "s3", TRUE);
  c = fill (&fake_transform, "{'secret': {'env': 'FR_TEST_SECRET'}}", FALSE, problems);
  g_assert_cmpstr (c->secret, ==, "s3");
  fri_params_free (&fake_transform, c);
  g_unsetenv ("FR_TEST_SECRET");
  /* A check does not need what only the run may know. */
  c = fill (&fake_transform, "{'secret': {'env': 'FR_TEST_SECRET'}}", TRUE, problems);
  g_assert_cmpstr (c->secret, ==, "");
  fri_params_free (&fake_transform, c);
  g_assert_cmpuint (fri_problems_n_errors (problems), ==, 0);

  one_problem ("{'secret': {'env': 'FR_TEST_SECRET'}}", FALSE,
               "the environment variable 'FR_TEST_SECRET', which holds the secret 'secret', is "
               "not set");
  one_problem ("{'secret': {'file': 'nowhere'}}", FALSE,
               "cannot open the secret file /base/nowhere: No such file or directory");
  g_assert_cmpint (write (fd, big, 70000), ==, 70000);
  too_big = g_strdup_printf ("the secret file '%s' is no text of at most 64 KiB in UTF-8", file);
  one_problem (with, FALSE, too_big);
  close (fd);
  g_unlink (file);
}

static void
test_numbers (void)
{
  one_problem ("{'count': 9223372036854775808}", FALSE,
               "'count' is the number 9.223372036854776e18; it must be a whole number from 0 to "
               "100");
  one_problem ("{'size': 1.5}", FALSE,
               "'size' is the number 1.5; it must be a size such as 4096, \"64MiB\" or \"2GB\"");
  one_problem ("{'text': 'x', 'word': 'two words and many more of them than forty characters'}",
               FALSE,
               "'word' is 'two words and many more of them than forty characters'; it must match "
               "the pattern [a-z]+");
}

/* ---- back to JSON ------------------------------------------------------------------- */

static void
test_fingerprint (void)
{
  g_autoptr (FrProblems) problems = fri_problems_new ("x");
  FakeConfig *a = fill (&fake_source, "{'wait': 1, 'count': 3}", FALSE, problems);
  FakeConfig *b = fill (&fake_source, "{'wait': 2, 'count': 3}", FALSE, problems);
  FakeConfig *c = fill (&fake_source, "{'wait': 1, 'count': 4}", FALSE, problems);
  g_autoptr (JsonNode) na = fri_params_fingerprint (&fake_source, a);
  g_autoptr (JsonNode) nb = fri_params_fingerprint (&fake_source, b);
  g_autoptr (JsonNode) nc = fri_params_fingerprint (&fake_source, c);
  g_autoptr (JsonNode) effective = fri_params_effective (&fake_source, b);

  g_assert_true (json_node_equal (na, nb));
  g_assert_false (json_node_equal (na, nc));
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (effective), "wait"), ==, 2);
  fri_params_free (&fake_source, a);
  fri_params_free (&fake_source, b);
  fri_params_free (&fake_source, c);
}

static void
touch (const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);

  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
}

static void
test_reads (void)
{
  static const char *const names[] = { "b.csv", "a.csv", "c.zip", "z:z" };
  g_autofree char *dir = g_dir_make_tmp ("fr-reads-XXXXXX", NULL);
  g_autoptr (FrProblems) problems = fri_problems_new ("x");
  g_autoptr (JsonNode) node
      = parse ("{'path': 'b.csv', 'paths': ['*.csv', 'c.zip:in/*.csv', '-', 'z:z', 'missing']}");
  FakeConfig *c = fri_params_fill (&fake_source, node, dir, FALSE, problems);
  g_autoptr (GPtrArray) files = NULL;
  g_autoptr (GString) all = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    touch (dir, names[i]);
  files = fri_params_reads (&fake_source, c);
  for (guint i = 0; i < files->len; i++)
    g_string_append_printf (all, "%s ", (char *) files->pdata[i] + strlen (dir) + 1);
  g_assert_cmpstr (all->str, ==, "a.csv b.csv c.zip missing z:z ");
  fri_params_free (&fake_source, c);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (dir, names[i], NULL);

      g_unlink (path);
    }
  g_rmdir (dir);
}

/* ---- descriptions ------------------------------------------------------------------- */

static void
test_schema (void)
{
  g_autoptr (JsonNode) node = fri_params_schema (&fake_required);
  g_autofree char *text = fr_json_to_string (node, 0);

  g_assert_cmpstr (
      text, ==,
      "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
      "\"$id\":\"https://flowrun.dev/schemas/elements/transform.required.schema.json\","
      "\"title\":\"transform.required\",\"description\":\"rows with a column\","
      "\"type\":\"object\",\"properties\":{\"column\":{\"description\":\"the text\","
      "\"type\":\"string\",\"minLength\":1},\"$comment\":{\"description\":\"a note for people; "
      "flowrun ignores it\"}},\"required\":[\"column\"],\"additionalProperties\":false,"
      "\"$defs\":{\"variable\":{\"type\":\"string\","
      "\"pattern\":\"^\\\\$\\\\{[A-Za-z_][A-Za-z0-9_]*\\\\}$\","
      "\"description\":\"a variable of the pipeline\"}}}");
}

static void
test_markdown (void)
{
  const FrParam *rows[]
      = { fake_source_params[1], fake_source_params[3], fake_source_params[5], NULL };
  FrElement element = fake_source;
  g_autofree char *text = NULL, *none = NULL;
  FrElement bare = fake_model;

  element.params = rows;
  text = fri_params_markdown (&element);
  none = fri_params_markdown (&bare);
  g_assert_cmpstr (none, ==, "## Parameters\n\nNone.\n");
  g_assert_cmpstr (text, ==,
                   "## Parameters\n"
                   "\n"
                   "| name | type | default | help |\n"
                   "| --- | --- | --- | --- |\n"
                   "| `count` | integer | `10` | how many |\n"
                   "| `text` | text |  | a text |\n"
                   "| `mode` | word | `exact` | how to work |\n"
                   "\n"
                   "### `count`\n"
                   "\n"
                   "How many.\n"
                   "\n"
                   "Takes a whole number from 0 to 100, in rows.\n"
                   "\n"
                   "### `text`\n"
                   "\n"
                   "A text.\n"
                   "\n"
                   "Takes a text.\n"
                   "\n"
                   "It may be **any** text.\n"
                   "\n"
                   "Example: `\"text\": \"hello\"`\n"
                   "\n"
                   "### `mode`\n"
                   "\n"
                   "How to work.\n"
                   "\n"
                   "- `fast`: quick and rough\n"
                   "- `exact`: slow and right\n");
}

static void
test_element_json (void)
{
  g_autoptr (JsonNode) node = fri_element_json (&fake_transform);
  JsonObject *object = json_node_get_object (node);
  JsonArray *params = json_object_get_array_member (object, "params");

  g_assert_cmpstr (json_object_get_string_member (object, "name"), ==, "transform.fake");
  g_assert_cmpstr (json_object_get_string_member (object, "kind"), ==, "transform");
  g_assert_cmpstr (json_object_get_string_member (object, "shape"), ==, "map");
  g_assert_cmpuint (json_array_get_length (params), ==, 19);
  for (guint i = 0; i < json_array_get_length (params); i++)
    g_assert_true (json_object_has_member (json_array_get_object_element (params, i), "expects"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/param/sizes", test_sizes);
  g_test_add_func ("/param/durations", test_durations);
  g_test_add_func ("/param/defaults", test_defaults);
  g_test_add_func ("/param/values", test_values);
  g_test_add_func ("/param/glob-folder", test_glob_folder);
  g_test_add_func ("/param/secrets", test_secrets);
  g_test_add_func ("/param/numbers", test_numbers);
  g_test_add_func ("/param/fingerprint", test_fingerprint);
  g_test_add_func ("/param/reads", test_reads);
  g_test_add_func ("/param/schema", test_schema);
  g_test_add_func ("/param/markdown", test_markdown);
  g_test_add_func ("/param/element-json", test_element_json);
  return g_test_run ();
}
