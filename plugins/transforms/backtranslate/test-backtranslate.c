/* SPDX-License-Identifier: Apache-2.0 */
/* test-backtranslate.c: transform.backtranslate with a dictionary, and with a server that
 * misbehaves (translators/trap-server.py). */
#include "config.h"

#include <flowrun/test.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

/* ---- the server -------------------------------------------------------------------------------
 */

typedef struct
{
  GSubprocess *process;
  GDataInputStream *said;
  int port;
} Server;

static Server server;

/* FALSE: no python3 here. */
static gboolean
server_start (void)
{
  g_autofree char *script
      = g_test_build_filename (G_TEST_DIST, "plugins", "translators", "trap-server.py", NULL);
  g_autofree char *line = NULL;

  server.process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE,
                                     NULL, "python3", script, NULL);
  if (server.process == NULL)
    return FALSE;
  server.said = g_data_input_stream_new (g_subprocess_get_stdout_pipe (server.process));
  line = g_data_input_stream_read_line (server.said, NULL, NULL, NULL);
  server.port = line != NULL ? atoi (line) : 0;
  return server.port > 0;
}

static void
server_stop (void)
{
  if (server.process == NULL)
    return;
  g_output_stream_close (g_subprocess_get_stdin_pipe (server.process), NULL, NULL);
  g_subprocess_wait (server.process, NULL, NULL);
  g_clear_object (&server.said);
  g_clear_object (&server.process);
}

/* GET @path: the numbers it answers with. */
static void
server_ask (const char *path, guint *a, guint *b)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect_to_host (client, "127.0.0.1", (guint16) server.port, NULL, NULL);
  g_autofree char *request = g_strdup_printf ("GET %s HTTP/1.0\r\nConnection: close\r\n\r\n", path);
  g_autoptr (GString) all = g_string_new (NULL);
  char block[512];
  gssize n;

  g_assert_nonnull (connection);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), request,
                             strlen (request), NULL, NULL, NULL);
  while ((n = g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), block,
                                   sizeof block, NULL, NULL))
         > 0)
    g_string_append_len (all, block, n);
  g_assert_nonnull (strstr (all->str, "\r\n\r\n"));
  g_assert_cmpint (sscanf (strstr (all->str, "\r\n\r\n") + 4, "%u %u", a, b), >=, 1);
}

static guint
requests_so_far (void)
{
  guint requests = 0, texts = 0;

  server_ask ("/count", &requests, &texts);
  return requests;
}

/* ---- harness ----------------------------------------------------------------------------------
 */

static FrTest *
new_test (const char *with)
{
  g_autofree char *plugin = g_test_build_filename (G_TEST_BUILT, "plugins", ".libs",
                                                   "transform-backtranslate.so", NULL);

  return fr_test_new_file (plugin, "transform.backtranslate", with);
}

/* @more: "" or more members of the parameters, with a comma in front */
static FrTest *
new_remote (const char *engine, const char *behaviour, const char *more)
{
  g_autofree char *with = g_strdup_printf (
      "{'column': 'text', 'engine': '%s', 'url': 'http://127.0.0.1:%d/%s'%s%s}", engine,
      server.port, behaviour, strcmp (engine, "openai") == 0 ? ", 'model': 'm'" : "", more);

  return new_test (with);
}

#define ROWS                                                                                       \
  "[{'text': '这件衣服质量很好，我非常喜欢它的颜色'}, {'text': "                 \
  "'价格便宜，值得购买，推荐给大家'}, "                                             \
  "{'text': '快递第二天就到了，包装完整，很好'}]"

static const char *
run_rows (FrTest *t, const char *rows)
{
  fr_test_input (t, "in", "text: utf8", rows);
  fr_test_run (t);
  return fr_test_output (t, "out");
}

static gboolean
has (const char *text, const char *part)
{
  return strstr (text, part) != NULL;
}

/* ---- a dictionary -----------------------------------------------------------------------------
 */

#define LIST                                                                                       \
  "优惠\tdiscount\n特价\tdiscount\n折扣\tdiscount\n衣服\tclothes\n服装\tclothes\n"       \
  "漂亮\tbeautiful\n美丽\tbeautiful\n好看\tbeautiful\n很\tvery\n非常\tvery\n"

static FrTest *
new_dictionary (const char *more)
{
  g_autofree char *dir = g_dir_make_tmp ("backtranslate-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "list.tsv", NULL);
  g_autofree char *with = g_strdup_printf (
      "{'column': 'text', 'engine': 'dictionary', 'dictionary': '%s'%s}", path, more);

  g_assert_true (g_file_set_contents (path, LIST, -1, NULL));
  return new_test (with);
}

static void
test_dictionary (void)
{
  g_autoptr (FrTest) t = new_dictionary (", 'variants': 4, 'details': true, 'chrf_min': 0");
  g_autoptr (FrTest) again = new_dictionary (", 'variants': 4, 'details': true, 'chrf_min': 0");
  const char *out = run_rows (
      t,
      "[{'text': '这件衣服很漂亮，优惠价199元'}, {'text': null}, {'text': ''}, {'text': '12.5'}]");
  gsize n = fr_test_n_rows (t, "out");

  g_assert_cmpuint (n, >=, 5); /* four rows, and a variant at least */
  g_assert_true (has (out, "\"variant\":1"));
  g_assert_true (has (out, "zh>en>zh dictionary"));
  g_assert_cmpint (fr_test_counter (t, "variants_kept"), ==, n - 4);
  g_assert_cmpint (fr_test_counter (t, "variants_kept") + fr_test_counter (t, "variants_dropped"),
                   ==, 4);
  g_assert_cmpuint (fr_test_n_rows (t, "dropped"), ==, 8 - n);
  g_assert_cmpint (fr_test_counter (t, "rows_without_words"), ==, 3);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 0);
  /* The price stays, the seed decides. */
  for (const char *p = out; (p = strstr (p, "199元")) != NULL; p++)
    n--;
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpstr (
      run_rows (again, "[{'text': '这件衣服很漂亮，优惠价199元'}, {'text': null}, {'text': ''}, "
                       "{'text': '12.5'}]"),
      ==, out);
  fr_test_set_seed (again, 99);
  fr_test_run (again);
  g_assert_cmpstr (fr_test_output (again, "out"), !=, out);
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = new_dictionary (", 'variants': 2");

  fr_test_input (t, "in", "text: utf8, n: int64",
                 "[{'text': '衣服很漂亮', 'n': 1}, {'text': '优惠', 'n': 2}, {'text': null}]");
  fr_test_battery (t);
}

static void
test_originals (void)
{
  g_autoptr (FrTest) t = new_dictionary (", 'originals': false, 'chrf_min': 0, 'variants': 6");

  run_rows (t, "[{'text': '这件衣服很漂亮'}, {'text': '无'}]");
  g_assert_cmpuint (fr_test_n_rows (t, "out"), >=, 1);
  g_assert_false (has (fr_test_output (t, "out"), "\"variant\":0"));
}

/* ---- good servers -----------------------------------------------------------------------------
 */

static void
test_libretranslate (void)
{
  g_autoptr (FrTest) t = new_remote ("libretranslate", "ok", ", 'batch': 2, 'details': true");
  const char *out = run_rows (t, ROWS);

  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 6);
  g_assert_true (has (out, "这件衣服品质非常棒，我非常喜爱它的颜色"));
  g_assert_true (has (out, "价格实惠，应当购买，建议给大家"));
  g_assert_cmpint (fr_test_counter (t, "texts_asked"), ==, 6);
  g_assert_nonnull (fr_test_report (t, "backtranslate"));
}

static void
test_openai (void)
{
  for (guint batch = 1; batch <= 3; batch += 2)
    {
      g_autofree char *more = g_strdup_printf (", 'batch': %u", batch);
      g_autoptr (FrTest) t = new_remote ("openai", "ok", more);
      guint before = requests_so_far ();

      g_assert_true (has (run_rows (t, ROWS), "这件衣服品质非常棒，我非常喜爱它的颜色"));
      g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 6);
      g_assert_cmpuint (requests_so_far () - before, ==, batch == 1 ? 6 : 2);
    }
}

static void
test_key (void)
{
  static const char *const engines[] = { "libretranslate", "openai" };

  g_setenv ("BACKTRANSLATE_TEST_KEY", "s3cret", TRUE);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (FrTest) t
          = new_remote (engines[i], "key", ", 'api_key': {'env': 'BACKTRANSLATE_TEST_KEY'}");
      g_autoptr (FrTest) none = new_remote (engines[i], "key", "");

      run_rows (t, ROWS);
      g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 6);
      fr_test_input (none, "in", "text: utf8", ROWS);
      fr_test_run_error (none, FR_ERROR_CONFIG, "is the key right?");
    }
}

static void
append_goods (GString *out, guint i, const char *rest)
{
  /* A character of its own for each row; none of these is a number or a negation. */
  g_string_append_unichar (out, 0x6100 + i);
  g_string_append (out, rest);
}

/* Many rows, several requests in flight: the order of rows is kept, and the limit on requests. */
static void
test_many (void)
{
  g_autoptr (GString) rows = g_string_new ("[");
  g_autoptr (FrTest) t = new_remote ("libretranslate", "slow", ", 'batch': 5, 'concurrency': 3");
  g_auto (GStrv) lines = NULL;
  guint peak = 0, none = 0, before = requests_so_far ();

  for (guint i = 0; i < 100; i++)
    {
      g_string_append (rows, i > 0 ? ", {'text': '" : "{'text': '");
      append_goods (rows, i, "牌的衣服质量很好，很便宜'}");
    }
  g_string_append_c (rows, ']');
  lines = g_strsplit (run_rows (t, rows->str), "\n", -1);
  g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 200);
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (GString) parent = g_string_new ("\""), child = g_string_new ("\"");

      append_goods (parent, i, "牌的衣服质量很好，很便宜\"");
      append_goods (child, i, "牌的衣服品质非常棒，很实惠\"");
      g_assert_true (has (lines[2 * i], parent->str));
      g_assert_true (has (lines[2 * i + 1], child->str));
    }
  server_ask ("/peak", &peak, &none);
  g_assert_cmpuint (peak, ==, 3);
  g_assert_cmpuint (requests_so_far () - before, ==, 2 * 20);
}

/* Numbers are marks: rows that differ in them alone are one text to the translator. */
static void
test_once (void)
{
  g_autoptr (FrTest) t = new_remote ("libretranslate", "ok", "");

  run_rows (t, "[{'text': '质量很好，只要199元'}, {'text': '质量很好，只要25元'}, {'text': "
               "'质量很好，只要199元'}]");
  g_assert_cmpint (fr_test_counter (t, "texts_asked"), ==, 2);
  g_assert_true (has (fr_test_output (t, "out"), "品质非常棒，只要25元"));
}

/* ---- the cache --------------------------------------------------------------------------------
 */

static void
test_cache (void)
{
  g_autofree char *dir = g_dir_make_tmp ("backtranslate-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "cache.jsonl", NULL);
  g_autofree char *more = g_strdup_printf (", 'cache': '%s', 'version': 'v1'", path);
  g_autofree char *offline = g_strconcat (more, ", 'offline': true", NULL);
  g_autofree char *first = NULL;
  guint before;

  {
    g_autoptr (FrTest) t = new_remote ("libretranslate", "ok", more);

    first = g_strdup (run_rows (t, ROWS));
  }
  before = requests_so_far ();
  {
    g_autoptr (FrTest) t = new_remote ("libretranslate", "ok", more);

    g_assert_cmpstr (run_rows (t, ROWS), ==, first);
    g_assert_cmpint (fr_test_counter (t, "texts_cached"), ==, 6);
    g_assert_cmpint (fr_test_counter (t, "texts_asked"), ==, 0);
  }
  {
    /* Nobody listens there, and nobody is asked. */
    g_autofree char *with
        = g_strdup_printf ("{'column': 'text', 'engine': 'libretranslate', 'url': "
                           "'http://127.0.0.1:1'%s}",
                           offline);
    g_autoptr (FrTest) t = new_test (with);

    g_assert_cmpstr (run_rows (t, ROWS), ==, first);
    fr_test_input (t, "in", "text: utf8", "[{'text': '从来没有问过的一句话'}]");
    fr_test_run (t);
    g_assert_cmpint (fr_test_counter (t, "dropped_not_cached"), ==, 1);
    g_assert_true (has (fr_test_output (t, "dropped"), "not_cached"));
  }
  g_assert_cmpuint (requests_so_far (), ==, before);
  {
    /* Another version is another translator. */
    g_autofree char *other = g_strdup_printf (", 'cache': '%s', 'version': 'v2'", path);
    g_autoptr (FrTest) t = new_remote ("libretranslate", "ok", other);

    run_rows (t, ROWS);
    g_assert_cmpuint (requests_so_far (), >, before);
  }
}

/* The service breaks down half-way; the next run asks only for the rest. */
static void
test_resume (void)
{
  g_autofree char *dir = g_dir_make_tmp ("backtranslate-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "cache.jsonl", NULL);
  g_autofree char *more = g_strdup_printf (
      ", 'cache': '%s', 'version': 'v', 'batch': 1, 'concurrency': 1, 'tries': 1", path);
  gint64 cached;

  {
    g_autoptr (FrTest) t = new_remote ("libretranslate", "poison", more);

    /* Five refused in a row is a service that is broken. */
    fr_test_input (
        t, "in", "text: utf8",
        "[{'text': '这件衣服质量很好也很便宜'}, {'text': '有毒一'}, {'text': '有毒二'}, {'text': '有毒三'}, "
        "{'text': '有毒四'}, {'text': '有毒五'}, {'text': '有毒六'}]");
    fr_test_run_error (t, FR_ERROR_DATA, "refuses every text");
  }
  {
    g_autoptr (FrTest) t = new_remote ("libretranslate", "ok", more);

    run_rows (t, "[{'text': '这件衣服质量很好也很便宜'}, {'text': '有毒一'}, {'text': '有毒六'}]");
    cached = fr_test_counter (t, "texts_cached");
    g_assert_cmpint (cached, ==, 2); /* the first there, and one refusal; not what ended the run */
    g_assert_cmpint (fr_test_counter (t, "dropped_refused"), ==, 1);
    g_assert_true (has (fr_test_output (t, "out"), "这件衣服品质非常棒也很实惠"));
  }
}

/* ---- misbehaviour -----------------------------------------------------------------------------
 */

/* The run fails, and says what and where. */
static void
test_fails (void)
{
  static const struct
  {
    const char *how, *more;
    FrError code;
    const char *says;
  } cases[] = {
    { "html", ", 'tries': 1", FR_ERROR_DATA, "answers nonsense (no JSON" },
    { "json", ", 'tries': 1", FR_ERROR_DATA, "JSON without 'translatedText'" },
    { "utf8", ", 'tries': 1", FR_ERROR_DATA, "nonsense" },
    { "endless", ", 'tries': 1, 'max_answer': '1MiB'", FR_ERROR_DATA, "nonsense" },
    { "drip", ", 'tries': 1, 'timeout': '600ms'", FR_ERROR_TRANSIENT, "after 1 tries" },
    { "429", ", 'tries': 2", FR_ERROR_TRANSIENT, "status 429: slow down, after 2 tries" },
    { "429long", "", FR_ERROR_TRANSIENT, "asks to wait 1440 minutes" },
    { "500", ", 'tries': 2", FR_ERROR_TRANSIENT, "status 500" },
    { "drop", ", 'tries': 2", FR_ERROR_TRANSIENT, "run again when the service is back" },
    { "short", ", 'tries': 1", FR_ERROR_TRANSIENT, "after 1 tries" },
    { "401", "", FR_ERROR_CONFIG, "status 401: bad key None" },
    { "redirect", "", FR_ERROR_CONFIG, "give the final address" },
    { "nothing-here", "", FR_ERROR_CONFIG, "is the address right?" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = new_remote ("libretranslate", cases[i].how, cases[i].more);

      g_test_message ("%s", cases[i].how);
      fr_test_input (t, "in", "text: utf8", ROWS);
      fr_test_run_error (t, cases[i].code, cases[i].says);
    }
}

/* An error object for every text is refused one by one; the key is never quoted. */
static void
test_secret (void)
{
  static const char *const hows[] = { "error200", "401" };

  g_setenv ("BACKTRANSLATE_TEST_KEY", "s3cret", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (hows); i++)
    {
      g_autoptr (FrTest) t = new_remote ("libretranslate", hows[i],
                                         ", 'api_key': {'env': 'BACKTRANSLATE_TEST_KEY'}");

      fr_test_input (t, "in", "text: utf8", ROWS);
      if (i == 0)
        {
          fr_test_run (t);
          g_assert_cmpint (fr_test_counter (t, "dropped_refused"), ==, 3);
          g_assert_true (has (fr_test_output (t, "dropped"), "not supported; key …"));
          g_assert_false (has (fr_test_output (t, "dropped"), "s3cret"));
        }
      else
        fr_test_run_error (t, FR_ERROR_CONFIG, "bad key …");
    }
}

/* The run goes on, and nothing is lost. */
static void
test_passes (void)
{
  static const char *const hows[]
      = { "html-once", "json-once",  "429-once",  "500-once", "503-once",
          "drop-once", "short-once", "utf8-once", "count" };

  for (guint i = 0; i < G_N_ELEMENTS (hows); i++)
    {
      g_autoptr (FrTest) t = new_remote ("libretranslate", hows[i], ", 'tries': 3");

      g_test_message ("%s", hows[i]);
      run_rows (t, ROWS);
      g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 6);
      g_assert_cmpuint (fr_test_n_rows (t, "dropped"), ==, 0);
    }
  {
    g_autoptr (FrTest) t = new_remote ("openai", "count", "");

    run_rows (t, ROWS);
    g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, 6);
  }
}

/* One variant does not do; its rule says why, and the row itself goes on. */
static void
test_dropped (void)
{
  static const struct
  {
    const char *how, *text, *rule;
  } cases[] = {
    { "empty", "这里有坏的内容，质量很好", "empty_answer" },
    { "poison", "这里有毒的内容，质量很好", "refused" },
    { "loop", "这件衣服的质量真不错呀我们全家人都挺满意", "repetition" },
    { "laugh", "这件衣服质量很好，我非常喜欢它的颜色", "brackets" },
    { "half", "这件衣服质量很好，我非常喜欢它的颜色", "left_over" },
    { "marks", "这件衣服质量很好，只要199元，快来买", "lost_mark" },
    { "ok", "今天天气不错", "same" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FrTest) t = new_remote ("libretranslate", cases[i].how, "");
      g_autofree char *rows
          = g_strdup_printf ("[{'text': '%s'}, {'text': '价格便宜，值得购买'}]", cases[i].text);
      g_autofree char *counter = g_strconcat ("dropped_", cases[i].rule, NULL);

      g_test_message ("%s", cases[i].how);
      run_rows (t, rows);
      g_assert_cmpint (fr_test_counter (t, counter), >=, 1);
      g_assert_true (has (fr_test_output (t, "dropped"), cases[i].rule));
      g_assert_true (has (fr_test_output (t, "out"), cases[i].text));
    }
  {
    g_autoptr (FrTest) t = new_remote ("libretranslate", "widemarks", "");

    run_rows (t, "[{'text': '这件衣服质量很好，只要199元，快来买'}]");
    g_assert_true (has (fr_test_output (t, "out"), "品质非常棒，只要199元，快来买"));
  }
}

/* Lines and blank lines come back as they were. */
static void
test_lines (void)
{
  g_autoptr (FrTest) t = new_remote ("libretranslate", "ok", ", 'max_chars': 32");

  run_rows (t, "[{'text': '质量很好\\n\\n  - "
               "价格便宜\\n第三行很好。这一句话比较长，是为了要超过三十二个字才写得这么长的，值得一"
               "看吧。\\n'}]");
  g_assert_true (has (fr_test_output (t, "out"), "品质非常棒\\n\\n  - "
                                                 "价格实惠\\n第三行非常棒。这一句话比较长，是为了要"
                                                 "超过三十二个字才写得这么长的，应当一看吧。\\n"));
}

static void
test_rate (void)
{
  g_autoptr (FrTest) t = new_remote ("libretranslate", "ok", ", 'batch': 1, 'rate': 20");
  gint64 began = g_get_monotonic_time ();

  run_rows (t, ROWS);
  /* Six requests, so five intervals of a twentieth. */
  g_assert_cmpint (g_get_monotonic_time () - began, >=, 5 * G_USEC_PER_SEC / 20 - 1000);
}

static void
test_cancel (void)
{
  g_autoptr (FrTest) t = new_remote ("libretranslate", "ok", "");

  fr_test_input (t, "in", "text: utf8", ROWS);
  fr_test_input (t, "in", "text: utf8", ROWS);
  fr_test_cancel_at (t, 2);
  fr_test_run (t);
}

/* ---- problems ---------------------------------------------------------------------------------
 */

static void
test_problems (void)
{
  static const struct
  {
    const char *with, *says;
  } cases[] = {
    { "'engine': 'libretranslate'", "its address is needed" },
    { "'engine': 'libretranslate', 'url': 'ftp://x'", "expected an http or https address" },
    { "'engine': 'openai', 'url': 'http://x'", "the name of the service's model" },
    { "'engine': 'dictionary'", "needs a file of words" },
    { "'engine': 'model'", "needs a model: connect one" },
    { "'engine': 'oracle'", "oracle" },
    { "'engine': 'libretranslate', 'url': 'http://x', 'variants': 2", "gives one answer" },
    { "'engine': 'openai', 'url': 'http://x', 'model': 'm', 'variants': 2", "temperature of 0" },
    { "'engine': 'libretranslate', 'url': 'http://x', 'via': ['en', 'en']", "listed twice" },
    { "'engine': 'libretranslate', 'url': 'http://x', 'via': 'zh'", "to itself" },
    { "'engine': 'libretranslate', 'url': 'http://x', 'via': []", "no language to go through" },
    { "'engine': 'libretranslate', 'url': 'http://x', 'chrf_min': 90", "not below 'chrf_max'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *with = g_strdup_printf ("{'column': 'text', %s}", cases[i].with);
      g_autoptr (FrTest) t = new_test (with);

      fr_test_input (t, "in", "text: utf8", "[{'text': 'x'}]");
      g_test_message ("%s", cases[i].with);
      g_assert_false (fr_test_check (t));
      if (!has (fr_test_problems (t), cases[i].says))
        g_error ("'%s' is not in: %s", cases[i].says, fr_test_problems (t));
    }
  {
    g_autoptr (FrTest) t = new_dictionary (", 'via': ['en', 'ja']");

    fr_test_input (t, "in", "text: utf8", "[{'text': 'x'}]");
    g_assert_false (fr_test_check (t));
    g_assert_true (has (fr_test_problems (t), "cannot translate from 'zh' to 'ja'"));
  }
}

static void
add_remote (const char *name, GTestFunc func)
{
  if (server.port > 0)
    g_test_add_func (name, func);
}

static void
test_no_server (void)
{
  if (server.port == 0)
    g_test_skip ("python3 is missing: the tests against a server are left out");
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  server_start ();
  g_test_add_func ("/backtranslate/server", test_no_server);
  g_test_add_func ("/backtranslate/dictionary", test_dictionary);
  g_test_add_func ("/backtranslate/battery", test_battery);
  g_test_add_func ("/backtranslate/originals", test_originals);
  g_test_add_func ("/backtranslate/problems", test_problems);
  add_remote ("/backtranslate/libretranslate", test_libretranslate);
  add_remote ("/backtranslate/openai", test_openai);
  add_remote ("/backtranslate/many", test_many);
  add_remote ("/backtranslate/once", test_once);
  add_remote ("/backtranslate/key", test_key);
  add_remote ("/backtranslate/cache", test_cache);
  add_remote ("/backtranslate/resume", test_resume);
  add_remote ("/backtranslate/fails", test_fails);
  add_remote ("/backtranslate/secret", test_secret);
  add_remote ("/backtranslate/passes", test_passes);
  add_remote ("/backtranslate/dropped", test_dropped);
  add_remote ("/backtranslate/lines", test_lines);
  add_remote ("/backtranslate/rate", test_rate);
  add_remote ("/backtranslate/cancel", test_cancel);
  status = g_test_run ();
  server_stop ();
  return status;
}
