/* SPDX-License-Identifier: Apache-2.0 */
/* test-pipeline.c: reading, checking and binding pipeline files. */
#include "config.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "param/param-private.h"
#include "pipeline/fake.h"
#include "pipeline/pipeline.h"

static FriRegistry *
registry (void)
{
  static const char *const none[] = { NULL };
  FriRegistry *r = fri_registry_new (none);
  g_autoptr (GError) error = NULL;

  g_assert_true (fri_registry_add (r, &fake_plugin, &error));
  g_assert_no_error (error);
  return r;
}

typedef struct
{
  FriPipeline *pipeline;
  FrProblems *problems;
  char *text;
} Loaded;

/* @source may use ' for ". */
static Loaded
load (const char *source, const FriLoadOptions *options)
{
  g_autoptr (GString) text = g_string_new (source);
  g_autoptr (FriRegistry) r = registry ();
  Loaded l = { 0 };

  g_string_replace (text, "'", "\"", 0);
  l.pipeline = fri_pipeline_load_text (text->str, -1, "/base", r, options, &l.problems);
  if (l.pipeline != NULL)
    fri_pipeline_bind (l.pipeline, TRUE, l.problems);
  l.text = fri_problems_text (l.problems);
  return l;
}

static void
done (Loaded *l)
{
  fri_pipeline_free (l->pipeline);
  fri_problems_free (l->problems);
  g_free (l->text);
}

static void
expect (const char *source, const FriLoadOptions *options, const char *problems)
{
  Loaded l = load (source, options);

  if (g_strcmp0 (l.text, problems) != 0)
    g_printerr ("expected\n%s%sgot\n%s", problems, g_str_has_suffix (problems, "\n") ? "" : "\n",
                l.text);
  g_assert_true (g_strcmp0 (l.text, problems) == 0);
  done (&l);
}

/* ---- what is right ------------------------------------------------------------- */

static void
test_whole (void)
{
  Loaded l = load ("{ 'name': 'shop', 'seed': 42, 'description': 'd', // a comment\n"
                   "  '$schema': 'x', '$comment': 'y',\n"
                   "  'run': {'workers': 3, 'memory': '1GiB', 'max_rejects': 0.25, 'keep': true},\n"
                   "  'stages': {\n"
                   "    'end': {'use': 'sink.fake', 'from': ['b.train', 'b.test']},\n"
                   "    'b': {'use': 'transform.divide', 'from': 'a', 'keep': false},\n"
                   "    'a': {'use': 'transform.fake', 'from': 'goods', 'max_rejects': 7,\n"
                   "          'with': {'column': 'text', '$comment': [1]}},\n"
                   "    'goods': {'use': 'source.fake'},\n"
                   "    'bad': {'use': 'sink.fake', 'from': {'in': 'a.rejects'}} } }",
                   NULL);
  static const char *const order[] = { "goods", "a", "b", "end", "bad" };
  FriPipeline *p = l.pipeline;
  FriStage *stage;
  g_autofree char *schema = NULL;

  g_assert_cmpstr (l.text, ==, "");
  g_assert_cmpstr (p->name, ==, "shop");
  g_assert_cmpstr (p->description, ==, "d");
  g_assert_cmpuint (p->seed, ==, 42);
  g_assert_cmpuint (p->workers, ==, 3);
  g_assert_cmpuint (p->memory, ==, 1u << 30);
  g_assert_cmpuint (p->stages->len, ==, 5);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpstr (((FriStage *) p->stages->pdata[i])->id, ==, order[i]);
  stage = fri_pipeline_stage (p, "end");
  g_assert_cmpuint (stage->source, ==, 1);
  g_assert_cmpuint (stage->inputs->len, ==, 2);
  g_assert_cmpstr (((FriLink *) stage->inputs->pdata[1])->port, ==, "test");
  g_assert_cmpint (stage->keep, ==, FRI_KEEP_YES);
  g_assert_cmpfloat (stage->max_rejects, ==, 0.25);
  stage = fri_pipeline_stage (p, "b");
  g_assert_cmpint (stage->keep, ==, FRI_KEEP_NO);
  g_assert_true (g_hash_table_contains (stage->connected, "train"));
  stage = fri_pipeline_stage (p, "a");
  g_assert_cmpfloat (stage->max_rejects, ==, 7);
  g_assert_true (stage->bound);
  schema = fr_schema_describe (g_hash_table_lookup (stage->out_schemas, "rejects"));
  g_assert_cmpstr (schema, ==,
                   "id: int64, text: utf8, price: float64, reject_rule: utf8, reject_reason: utf8");
  done (&l);
}

static void
test_rejects_names (void)
{
  Loaded l = load ("{'stages': {'g': {'use': 'source.fake', 'with': {'word': 'reject'}},"
                   "'a': {'use': 'transform.fake', 'from': 'g'},"
                   "'b': {'use': 'transform.fake', 'from': 'a.rejects'}}}",
                   NULL);
  g_autofree char *source = NULL, *twice = NULL;

  g_assert_cmpstr (l.text, ==, "");
  source = fr_schema_describe (
      g_hash_table_lookup (fri_pipeline_stage (l.pipeline, "g")->out_schemas, "rejects"));
  twice = fr_schema_describe (
      g_hash_table_lookup (fri_pipeline_stage (l.pipeline, "b")->out_schemas, "rejects"));
  g_assert_cmpstr (source, ==, "where: utf8, raw: utf8, reject_rule: utf8, reject_reason: utf8");
  g_assert_cmpstr (twice, ==,
                   "id: int64, reject: utf8, price: float64, reject_rule: utf8, reject_reason: "
                   "utf8, reject_rule_: utf8, reject_reason_: utf8");
  done (&l);
}

static void
test_vars (void)
{
  const char *const vars[] = { "n=7", "where=sub/x.csv", "on=false", NULL };
  FriLoadOptions options = { .vars = vars, .run_dir = "/runs/r" };
  g_autofree char *here = g_get_current_dir ();
  g_autofree char *sub = g_build_filename (here, "sub/x.csv", NULL);
  Loaded l = load ("{'name': 'p', 'vars': {"
                   "  'n': {'default': 5, 'help': 'how many'}, 'on': {'type': 'bool'},"
                   "  'where': {'type': 'path', 'default': 'y.csv'},"
                   "  'there': {'type': 'path', 'default': 'z.csv'},"
                   "  'share': {'type': 'float', 'default': 1},"
                   "  'w': 'wörd', 'both': '${w}-${name}' },"
                   " 'stages': {'s': {'use': 'source.fake', 'with': {"
                   "  'count': '${n}', 'flag': '${on}', 'share': '${share}', 'path': '${where}',"
                   "  'paths': ['${there}', 'a', '-', '/b', '${run_dir}/c', '${pipeline_dir}/d'],"
                   "  'text': 'n=${n} on=${on} $${n} $ ${both} ${share}'}}}}",
                   &options);
  const FakeConfig *c;

  g_assert_cmpstr (l.text, ==, "");
  c = fri_pipeline_stage (l.pipeline, "s")->config;
  g_assert_cmpint (c->count, ==, 7);
  g_assert_false (c->flag);
  g_assert_cmpfloat (c->share, ==, 1);
  g_assert_cmpstr (c->path, ==, sub);
  g_assert_cmpstr (c->paths[0], ==, "/base/z.csv");
  g_assert_cmpstr (c->paths[1], ==, "/base/a");
  g_assert_cmpstr (c->paths[2], ==, "-");
  g_assert_cmpstr (c->paths[3], ==, "/b");
  g_assert_cmpstr (c->paths[4], ==, "/runs/r/c");
  g_assert_cmpstr (c->paths[5], ==, "/base/d");
  g_assert_cmpstr (c->text, ==, "n=7 on=false ${n} $ wörd-p 1");
  done (&l);
}

static void
test_sets (void)
{
  const char *const sets[] = { "s.count=12",        "s.text=2024", "s.keep=true",
                               "s.max_rejects=0.1", "s.map.a=1",   "s.strings=[\"x\",\"y\"]",
                               "s.word=\"q\"",      NULL };
  FriLoadOptions options = { .sets = sets };
  Loaded l = load ("{'stages': {'s': {'use': 'source.fake', 'with': {'count': 'wrong', 'map': "
                   "{'b': 'c'}}}}}",
                   &options);
  const FriStage *s;
  const FakeConfig *c;

  g_assert_cmpstr (l.text, ==, "");
  s = fri_pipeline_stage (l.pipeline, "s");
  c = s->config;
  g_assert_cmpint (c->count, ==, 12);
  g_assert_cmpstr (c->text, ==, "2024");
  g_assert_cmpstr (c->word, ==, "q");
  g_assert_cmpint (s->keep, ==, FRI_KEEP_YES);
  g_assert_cmpfloat (s->max_rejects, ==, 0.1);
  g_assert_cmpstr (c->strings[1], ==, "y");
  g_assert_cmpstr (c->map[0].key, ==, "b");
  g_assert_cmpstr (c->map[1].key, ==, "a");
  g_assert_cmpstr (c->map[1].value, ==, "1");
  done (&l);
}

/* ---- what is wrong ------------------------------------------------------------------ */

#define STAGES(text) "{'stages': {\n" text "\n}}"
#define GOODS "'goods': {'use': 'source.fake'}"

static void
test_everything_at_once (void)
{
  expect (
      "{ 'nmae': 'x', 'seed': -1,\n"
      "  'stages': {\n"
      "    'goods': {'use': 'source.fale'},\n"
      "    'a': {'use': 'transform.fake', 'frm': 'goods', 'with': {'colum': 'x', 'count': 101}},\n"
      "    'b': {'use': 'transform.fake', 'from': 'godds'} } }",
      NULL,
      "pipeline:1:3: error: a pipeline has no key 'nmae'; did you mean 'name'? (/nmae)\n"
      "pipeline:1:24: error: 'seed' is the number -1; it must be a whole number from 0 to "
      "9223372036854775807 (/seed)\n"
      "pipeline:3:22: error: there is no element 'source.fale' in an empty plugin path; did you "
      "mean 'source.fake'? (/stages/goods/use)\n"
      "pipeline:4:5: error: 'a' (transform.fake) lacks the key 'from': it needs records (the rows "
      "to work on) (/stages/a/from)\n"
      "pipeline:4:36: error: a stage has no key 'frm'; did you mean 'from'? (/stages/a/frm)\n"
      "pipeline:4:61: error: transform.fake has no parameter 'colum'; did you mean 'column'? "
      "(/stages/a/with/colum)\n"
      "pipeline:4:84: error: 'count' is the number 101; it must be a whole number from 0 to 100 "
      "(/stages/a/with/count)\n"
      "pipeline:5:44: error: there is no stage 'godds'; did you mean 'goods'? (/stages/b/from)\n");
}

static void
test_links (void)
{
  expect (STAGES (GOODS
                  ",\n"
                  "'split': {'use': 'transform.divide', 'from': ['goods', 'goods']},\n"
                  "'a': {'use': 'sink.fake', 'from': 'split'},\n"
                  "'b': {'use': 'sink.fake', 'from': 'split.tain'},\n"
                  "'c': {'use': 'sink.fake', 'from': 'a'},\n"
                  "'d': {'use': 'source.fake', 'from': 'goods'},\n"
                  "'e': {'use': 'sink.fake', 'from': {'inn': 'goods'}},\n"
                  "'f': {'use': 'trainer.fake', 'from': {'train': 'goods', 'model': 'goods'}},\n"
                  "'g': {'use': 'trainer.fake', 'from': 'goods'},\n"
                  "'h': {'use': 'sink.fake', 'from': []},\n"
                  "'i': {'use': 'sink.fake', 'from': [7]},\n"
                  "'j': {'use': 'sink.fake', 'from': true}"),
          NULL,
          "pipeline:3:46: error: the input 'in' of 'split' (transform.divide) takes one "
          "connection, not 2 (/stages/split/from)\n"
          "pipeline:4:35: error: 'split' (transform.divide) has the outputs 'train', 'test': say "
          "which, as in 'split.train' (/stages/a/from)\n"
          "pipeline:5:35: error: 'split' (transform.divide) has no output 'tain'; did you mean "
          "'split.train'? (/stages/b/from)\n"
          "pipeline:6:35: error: 'a' (sink.fake) has no output but 'rejects' (/stages/c/from)\n"
          "pipeline:7:29: error: 'd' (source.fake) is a source and has no inputs; remove 'from' "
          "(/stages/d/from)\n"
          "pipeline:8:35: error: the input 'in' of 'e' (sink.fake) is not connected: it needs "
          "records (the rows to work on) (/stages/e/from)\n"
          "pipeline:8:36: error: 'e' (sink.fake) has no input 'inn'; did you mean 'in'? "
          "(/stages/e/from/inn)\n"
          "pipeline:9:66: error: 'goods.out' gives records, but the input 'model' of 'f' "
          "(trainer.fake) takes a model (/stages/f/from/model)\n"
          "pipeline:10:38: error: the input 'model' of 'g' (trainer.fake) is not connected: it "
          "needs a model (what to start from) (/stages/g/from)\n"
          "pipeline:11:35: error: the list of stages that feed 'h' is empty (/stages/h/from)\n"
          "pipeline:12:36: error: 'from' is the number 7; it must be a stage such as \"clean\" or "
          "\"split.train\" (/stages/i/from/0)\n"
          "pipeline:13:35: error: 'from' is true; it must be a stage, a list of stages, or an "
          "object of those by input (/stages/j/from)\n");
}

static void
test_circles (void)
{
  expect (STAGES ("'x': {'use': 'transform.fake', 'from': 'c'},\n"
                  "'a': {'use': 'transform.fake', 'from': 'c'},\n"
                  "'b': {'use': 'transform.fake', 'from': 'a'},\n"
                  "'c': {'use': 'transform.fake', 'from': 'b'},\n"
                  "'me': {'use': 'transform.fake', 'from': 'me'}"),
          NULL,
          "pipeline:3:1: error: stages feed each other in a circle: 'a' → 'b' → 'c' → 'a' "
          "(/stages/a)\n"
          "pipeline:6:1: error: stages feed each other in a circle: 'me' → 'me' (/stages/me)\n");
}

/* Held-out rows are followed through whatever they pass, and refused with both ends named. */
static void
test_held_out (void)
{
#define DIVIDE GOODS ",\n'd': {'use': 'transform.divide', 'from': 'goods'}"
  expect (
      STAGES (DIVIDE ",\n'a': {'use': 'transform.augment', 'from': 'd.test'}"), NULL,
      "pipeline:4:43: error: the input 'in' of 'a' (transform.augment) takes only rows to learn "
      "from, but 'd.test' (transform.divide) holds its rows out; connect rows that come from "
      "'d.train' (/stages/a/from)\n");
  expect (
      STAGES (DIVIDE ",\n'x': {'use': 'transform.fake', 'from': 'd.test'},\n"
                     "'y': {'use': 'transform.fake', 'from': ['d.train', 'x']},\n"
                     "'z': {'use': 'transform.divide', 'from': 'y'},\n"
                     "'a': {'use': 'transform.augment', 'from': ['d.train', 'z.train']},\n"
                     "'b': {'use': 'sink.fake', 'from': 'a'}"),
      NULL,
      "pipeline:7:55: error: the input 'in' of 'a' (transform.augment) takes only rows to learn "
      "from, but 'd.test' (transform.divide) holds its rows out, by way of 'x', 'y' and 'z'; "
      "connect rows that come from 'd.train' (/stages/a/from/1)\n");
  /* Nothing to complain of: the other side, rows before they are divided, rows looked at, and what
   * a model has learned. */
  expect (STAGES (DIVIDE
                  ",\n'a': {'use': 'transform.augment', 'from': {'in': 'd.train', 'against': "
                  "'d.test'}},\n"
                  "'b': {'use': 'transform.augment', 'from': ['goods', 'a']},\n"
                  "'c': {'use': 'sink.fake', 'from': 'd.test'}, 'e': {'use': 'transform.augment', "
                  "'from': 'd.rejects'}"),
          NULL, "");
#undef DIVIDE
}

static void
test_columns (void)
{
  expect (
      STAGES (
          "'g': {'use': 'source.fake'}, 'h': {'use': 'source.fake', 'with': {'word': 'texd'}},\n"
          "'m': {'use': 'source.fakemodel'},\n"
          "'a': {'use': 'transform.fake', 'from': 'g', 'with': {'column': 'texxt'}},\n"
          "'b': {'use': 'transform.fake', 'from': 'g', 'with': {'column': 'price'}},\n"
          "'c': {'use': 'transform.fake', 'from': 'g', 'with': {'columns': ['id', 'nix']}},\n"
          "'d': {'use': 'transform.fake', 'from': 'c', 'with': {'column': 'silent'}},\n"
          "'e': {'use': 'sink.fake', 'from': ['g', 'h']},\n"
          "'f': {'use': 'trainer.fake', 'from': {'train': 'h', 'model': 'm'}},\n"
          "'i': {'use': 'transform.required', 'from': 'g'},\n"
          "'j': {'use': 'transform.fake', 'from': 'g', 'with': {'refuse': true, 'count': 99}},\n"
          "'k': {'use': 'source.fake', 'with': {'refuse': true}}"),
      NULL,
      "pipeline:4:64: error: there is no column 'texxt' (did you mean 'text'?) in 'g.out' (id: "
      "int64, text: utf8, price: float64) (/stages/a/with/column)\n"
      "pipeline:5:64: error: the column 'price' of 'g.out' is float64; 'column' takes utf8 or "
      "large_utf8 (/stages/b/with/column)\n"
      "pipeline:6:72: error: there is no column 'nix' in 'g.out' (id: int64, text: utf8, price: "
      "float64) (/stages/c/with/columns/1)\n"
      "pipeline:8:41: error: 'e' joins 'g.out' and 'h.out', which must have the same columns: only "
      "'g.out' has the column 'text'; transform.select can make them equal (/stages/e/from/1)\n"
      "pipeline:9:48: error: there is no column 'text' (did you mean 'texd'?) in 'h.out' (id: "
      "int64, texd: utf8, price: float64), which the input 'train' of 'f' (trainer.fake) needs "
      "(/stages/f/from/train)\n"
      "pipeline:9:48: error: the column 'price' of 'h.out' is float64; the input 'train' of 'f' "
      "(trainer.fake) needs int32 or int64 (/stages/f/from/train)\n"
      "pipeline:10:1: error: transform.required needs the parameter 'column': the text (the name "
      "of a column) (/stages/i/with/column)\n"
      "pipeline:11:64: error: refused as asked (/stages/j/with/refuse)\n"
      "pipeline:11:79: warning: 99 is much (/stages/j/with/count)\n"
      "pipeline:12:37: error: cannot open 'x': No such file or directory (/stages/k/with)\n");
}

static void
test_unknown_columns (void)
{
  expect (STAGES ("'g': {'use': 'source.fake', 'with': {'unknown': true}},\n"
                  "'a': {'use': 'transform.fake', 'from': 'g', 'with': {'column': 'any'}},\n"
                  "'b': {'use': 'sink.fake', 'from': 'a'}, 'r': {'use': 'sink.fake', 'from': "
                  "'g.rejects'}"),
          NULL,
          "pipeline:2:1: warning: the columns that 'g' gives are known only when it runs, so they "
          "could not be checked against 'a', 'b' (/stages/g)\n");
}

static void
test_bad_vars (void)
{
  const char *const vars[] = { "nn=1", "n=x", "name=y", "junk", NULL };
  const char *const sets[] = { "tee.x=1", "s.count=1000", "junk", "s.cont=5", NULL };
  FriLoadOptions options = { .vars = vars, .sets = sets, .deny_network = TRUE };

  expect (
      "{ 'vars': { 'n': {'default': 5}, 'm': {'typ': 'int'}, 'a b': 1, 'run_dir': 2,\n"
      "  'bad': {'type': 'int', 'default': 'x'}, 'ty': {'type': 'integer'}, 'list': [1],\n"
      "  'must': {'type': 'string'} },\n"
      " 'stages': {'t': {'use': 'source.fake', 'with': {\n"
      "  'text': '${mm}', 'word': 'x${must}', 'count': '${bad}', 'path': '${', 'strings': "
      "['${}']}},\n"
      "  's': {'use': 'source.fake'}}}",
      &options,
      "--var nn=1: error: the pipeline declares no variable 'nn'; did you mean 'n'?\n"
      "--var n=x: error: the variable 'n' is 'x'; it must be a whole number\n"
      "--var name=y: error: 'name' is set by flowrun itself\n"
      "--var junk: error: a variable is given as NAME=VALUE\n"
      "--set junk: error: a parameter is set as STAGE.KEY=VALUE\n"
      "--set s.count=1000: error: 'count' is the number 1000; it must be a whole number from 0 to "
      "100 (/stages/s/with/count)\n"
      "--set s.cont=5: error: source.fake has no parameter 'cont'; did you mean 'count'? "
      "(/stages/s/with/cont)\n"
      "--set tee.x=1: error: there is no stage 'tee'\n"
      "pipeline:1:13: warning: nothing uses the variable 'n' (/vars/n)\n"
      "pipeline:1:34: warning: nothing uses the variable 'm' (/vars/m)\n"
      "pipeline:1:40: error: a variable has no key 'typ'; did you mean 'type'? (/vars/m/typ)\n"
      "pipeline:1:55: error: 'a b' cannot be the name of a variable: use letters, digits and '_', "
      "with a letter first (/vars/a b)\n"
      "pipeline:1:65: error: the variable 'run_dir' is set by flowrun itself; choose another name "
      "(/vars/run_dir)\n"
      "pipeline:2:37: error: 'default' is the text 'x'; it must be a whole number "
      "(/vars/bad/default)\n"
      "pipeline:2:58: error: 'integer' is no type of a variable; it must be string, int, float, "
      "bool or path (/vars/ty/type)\n"
      "pipeline:2:78: error: 'list' is an array; it must be a text, a number, true or false "
      "(/vars/list)\n"
      "pipeline:3:3: error: the variable 'must' has no value: give it one with --var must=VALUE, "
      "or a default here (/vars/must)\n"
      "pipeline:4:26: error: source.fake uses the network, which '--deny network' forbids "
      "(/stages/t/use)\n"
      "pipeline:5:11: error: there is no variable 'mm'; did you mean 'm'? (/stages/t/with/text)\n"
      "pipeline:5:67: error: '${' must be followed by the name of a variable and '}'; a plain "
      "\"${\" is written \"$${\" (/stages/t/with/path)\n"
      "pipeline:5:85: error: '${' must be followed by the name of a variable and '}'; a plain "
      "\"${\" is written \"$${\" (/stages/t/with/strings/0)\n"
      "pipeline:6:16: error: source.fake uses the network, which '--deny network' forbids "
      "(/stages/s/use)\n");
}

static void
test_text_faults (void)
{
  expect ("", NULL, "pipeline:1:1: error: expected a value, but there is none\n");
  expect (
      "[1]", NULL,
      "pipeline:1:1: error: a pipeline is an object with the key 'stages', but this is an array\n");
  expect ("{'stages': {'a': {'use': 'source.fake', 'use': 'x'}, 'a': 1,}} x", NULL,
          "pipeline:1:41: error: the key 'use' appears twice; it was first at line 1, column 19; "
          "remove one of them (/stages/a/use)\n"
          "pipeline:1:54: error: the key 'a' appears twice; it was first at line 1, column 13; "
          "remove one of them (/stages/a)\n"
          "pipeline:1:61: error: expected another value: nothing follows this comma (/stages)\n"
          "pipeline:1:64: error: expected nothing more after the value\n");
  expect ("{'stages': {}}", NULL, "pipeline:1:12: error: the pipeline has no stages (/stages)\n");
  expect ("{'name': '../x'}", NULL,
          "pipeline:1:1: error: the pipeline lacks the key 'stages', which holds its stages by "
          "name (/stages)\n"
          "pipeline:1:10: error: 'name' is the text '../x'; it must be a text of at most 100 bytes "
          "without '/' that does not begin with a dot (/name)\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pipeline/whole", test_whole);
  g_test_add_func ("/pipeline/rejects-names", test_rejects_names);
  g_test_add_func ("/pipeline/vars", test_vars);
  g_test_add_func ("/pipeline/sets", test_sets);
  g_test_add_func ("/pipeline/everything-at-once", test_everything_at_once);
  g_test_add_func ("/pipeline/links", test_links);
  g_test_add_func ("/pipeline/circles", test_circles);
  g_test_add_func ("/pipeline/held-out", test_held_out);
  g_test_add_func ("/pipeline/columns", test_columns);
  g_test_add_func ("/pipeline/unknown-columns", test_unknown_columns);
  g_test_add_func ("/pipeline/bad-vars", test_bad_vars);
  g_test_add_func ("/pipeline/text-faults", test_text_faults);
  return g_test_run ();
}
