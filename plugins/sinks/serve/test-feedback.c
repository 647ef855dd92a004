/* SPDX-License-Identifier: Apache-2.0 */
/* test-feedback.c: ratings: what is taken, what is believed, and that no line is lost or half
 * there. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "feedback.h"

typedef struct
{
  char *dir, *path;
  ServeFeedback *feedback;
} Place;

static ServeFeedbackConfig
config_for (const char *path)
{
  return (ServeFeedbackConfig){ .path = (char *) path,
                                .sync = FALSE,
                                .max_file = 1 << 30,
                                .answers = 100,
                                .answers_memory = 1 << 20 };
}

static ServeFeedback *
must_open (const ServeFeedbackConfig *config)
{
  g_autoptr (GError) error = NULL;
  ServeFeedback *feedback = serve_feedback_new (config, &error);

  g_assert_no_error (error);
  return feedback;
}

static void
place_init (Place *p)
{
  ServeFeedbackConfig config;

  p->dir = g_dir_make_tmp ("feedback-XXXXXX", NULL);
  p->path = g_build_filename (p->dir, "feedback.jsonl", NULL);
  config = config_for (p->path);
  p->feedback = must_open (&config);
}

static void
place_clear (Place *p)
{
  g_autoptr (GDir) dir = g_dir_open (p->dir, 0, NULL);
  const char *name;

  serve_feedback_free (p->feedback);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (p->dir, name, NULL);

      g_unlink (path);
    }
  g_rmdir (p->dir);
  g_free (p->path);
  g_free (p->dir);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ServeFeedbackReply, serve_feedback_reply_clear)

static char *
contents (const char *path, gsize *len)
{
  char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, len, NULL));
  return text;
}

/* All lines of a file, each one JSON object. */
static GPtrArray *
read_lines (const char *path)
{
  g_autofree char *text = contents (path, NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GPtrArray *out = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  guint n = g_strv_length (lines);

  g_assert_cmpstr (n > 0 ? lines[n - 1] : "", ==, "");
  for (guint i = 0; i + 1 < n; i++)
    {
      g_autoptr (GError) error = NULL;
      JsonNode *node = fr_json_parse (lines[i], -1, 0, &error);

      g_assert_no_error (error);
      g_assert_true (JSON_NODE_HOLDS_OBJECT (node));
      g_ptr_array_add (out, node);
    }
  return out;
}

static JsonObject *
line_at (GPtrArray *lines, guint i)
{
  g_assert_cmpuint (i, <, lines->len);
  return json_node_get_object (lines->pdata[i]);
}

#define assert_member(object, name, text)                                                          \
  g_assert_cmpstr (json_object_get_string_member (object, name), ==, text)

static guint
take (ServeFeedback *feedback, const char *body)
{
  g_auto (ServeFeedbackReply) reply = { 0 };

  g_assert_true (serve_feedback_take (feedback, body, strlen (body), NULL, &reply)
                 == (reply.status == 201));
  g_assert_nonnull (reply.text);
  g_assert_true (reply.status == 201 || reply.code != NULL);
  return reply.status;
}

/* ---- what is taken ------------------------------------------------------------------------- */

static void
test_unverified (void)
{
  g_auto (Place) p = { 0 };
  g_auto (ServeFeedbackReply) reply = { 0 };
  g_autoptr (GPtrArray) lines = NULL;
  g_autoptr (JsonNode) told = NULL;
  JsonObject *line;
  static const char body[]
      = "{\"answer\": \"chatcmpl-1\", \"variant\": 2, \"rating\": 4, \"comment\": \"很好 "
        "\\u00e9\\n第二行\", "
        "\"model\": \"shop\", \"revision\": \"fp_1\", \"fields\": {\"名称\": \"茶杯\", \"price\": "
        "12.50, \"new\": true, "
        "\"tone\": null}, \"output\": \"蓝色的茶杯，\\\"带把手\\\"。\", \"reasoning\": null}";

  place_init (&p);
  g_assert_true (serve_feedback_take (p.feedback, body, strlen (body), "anna", &reply));
  g_assert_cmpuint (reply.status, ==, 201);
  g_assert_false (reply.verified);
  told = fr_json_parse (reply.text, -1, 0, NULL);
  assert_member (json_node_get_object (told), "object", "feedback");
  lines = read_lines (p.path);
  g_assert_cmpuint (lines->len, ==, 1);
  line = line_at (lines, 0);
  assert_member (line, "feedback",
                 json_object_get_string_member (json_node_get_object (told), "id"));
  assert_member (line, "answer", "chatcmpl-1");
  g_assert_cmpint (json_object_get_int_member (line, "variant"), ==, 2);
  g_assert_false (json_object_get_boolean_member (line, "verified"));
  assert_member (line, "comment", "很好 é\n第二行");
  assert_member (line, "output", "蓝色的茶杯，\"带把手\"。");
  assert_member (line, "key", "anna");
  g_assert_true (json_object_get_null_member (line, "input"));
  g_assert_true (json_object_get_null_member (line, "corrected"));
  line = json_object_get_object_member (line, "fields");
  assert_member (line, "名称", "茶杯");
  assert_member (line, "price", "12.50");
  assert_member (line, "new", "true");
  g_assert_true (json_object_get_null_member (line, "tone"));
}

/* What a model writes is taken as it is; only what people type is looked at. */
static void
test_odd_output (void)
{
  static const char body[]
      = "{\"rating\": 3, \"input\": \"q\", \"comment\": \" \\u3000\\n\", \"output\": "
        "\"a\\u0000\\u001b\\u007f\\b\", \"corrected\": \"\\u0000\"}";
  g_auto (Place) p = { 0 };
  g_autoptr (GPtrArray) lines = NULL;

  place_init (&p);
  g_assert_cmpuint (take (p.feedback, body), ==, 201);
  lines = read_lines (p.path);
  assert_member (line_at (lines, 0), "output", "a\xef\xbf\xbd\x1b\x7f\b");
  assert_member (line_at (lines, 0), "corrected", "\xef\xbf\xbd");
  g_assert_true (json_object_get_null_member (line_at (lines, 0), "comment"));
}

/* The server's own words stand for those of the body. */
static void
test_verified (void)
{
  g_auto (Place) p = { 0 };
  g_autoptr (JsonObject) fields = json_object_new ();
  g_autoptr (GPtrArray) lines = NULL;
  ServeFeedbackAnswer answer = { .id = "chatcmpl-7",
                                 .variant = 1,
                                 .model = "shop",
                                 .revision = "fp_9",
                                 .input = "写一段文案：茶杯",
                                 .fields = fields,
                                 .output = "真正的回答",
                                 .reasoning = "想了想\x01" };
  JsonObject *line;

  place_init (&p);
  json_object_set_string_member (fields, "name", "茶杯");
  serve_feedback_note (p.feedback, &answer);
  g_assert_cmpuint (
      take (p.feedback,
            "{\"answer\": \"chatcmpl-7\", \"variant\": 1, \"rating\": 5, \"output\": "
            "\"claimed\", \"model\": \"other\", \"input\": \"else\", \"corrected\": \"改过的\"}"),
      ==, 201);
  g_assert_cmpuint (
      take (p.feedback,
            "{\"answer\":\"chatcmpl-7\",\"variant\":1,\"rating\":2,\"corrected\":\"真正的回答\"}"),
      ==, 201);
  /* another variant of it is not known */
  g_assert_cmpuint (
      take (p.feedback, "{\"answer\": \"chatcmpl-7\", \"variant\": 0, \"rating\": 5}"), ==, 400);
  lines = read_lines (p.path);
  g_assert_cmpuint (lines->len, ==, 2);
  line = line_at (lines, 0);
  g_assert_true (json_object_get_boolean_member (line, "verified"));
  assert_member (line, "output", "真正的回答");
  assert_member (line, "model", "shop");
  assert_member (line, "revision", "fp_9");
  assert_member (line, "input", "写一段文案：茶杯");
  assert_member (line, "reasoning", "想了想\x01");
  assert_member (line, "corrected", "改过的");
  assert_member (json_object_get_object_member (line, "fields"), "name", "茶杯");
  g_assert_cmpstr (json_object_get_string_member (line, "time"), <,
                   json_object_get_string_member (line_at (lines, 1), "time"));
  /* a correction that changes nothing is none */
  g_assert_true (json_object_get_null_member (line_at (lines, 1), "corrected"));
}

static void
test_bad_bodies (void)
{
  static const struct
  {
    const char *body;
    guint status;
    const char *code, *param;
  } cases[] = {
    { "", 400, "invalid_json", NULL },
    { " ", 400, "invalid_json", NULL },
    { "{", 400, "invalid_json", NULL },
    { "[]", 400, "invalid_type", NULL },
    { "null", 400, "invalid_type", NULL },
    { "\"x\"", 400, "invalid_type", NULL },
    { "{}", 400, "missing_member", "rating" },
    { "{\"rating\": null, \"output\": \"a\", \"input\": \"b\"}", 400, "missing_member", "rating" },
    { "{\"rating\": 0, \"output\": \"a\", \"input\": \"b\"}", 400, "invalid_value", "rating" },
    { "{\"rating\": 6, \"output\": \"a\", \"input\": \"b\"}", 400, "invalid_value", "rating" },
    { "{\"rating\": 4.5, \"output\": \"a\", \"input\": \"b\"}", 400, "invalid_value", "rating" },
    { "{\"rating\": \"5\", \"output\": \"a\", \"input\": \"b\"}", 400, "invalid_value", "rating" },
    { "{\"rating\": true}", 400, "invalid_value", "rating" },
    { "{\"rating\": 99999999999999999999}", 400, "invalid_value", "rating" },
    { "{\"rating\": 5, \"rating\": 1}", 400, "duplicate_member", "rating" },
    { "{\"rating\": 5, \"stars\": 1}", 400, "unknown_member", NULL },
    { "{\"rating\": 5, \"rating\\u0000\": 1}", 400, "unknown_member", NULL },
    { "{\"rating\": 5,}", 400, "invalid_json", NULL },
    { "{\"rating\": 5} {}", 400, "invalid_json", NULL },
    { "{\"rating\": 5", 400, "invalid_json", NULL },
    { "{\"rating\": 05}", 400, "invalid_json", NULL },
    { "{\"rating\": 5}", 400, "unknown_answer", "output" },
    { "{\"rating\": 5, \"output\": \"a\"}", 400, "unknown_answer", "input" },
    { "{\"rating\": 5, \"output\": \"a\", \"fields\": {}}", 400, "unknown_answer", "input" },
    { "{\"rating\": 5, \"variant\": -1}", 400, "invalid_value", "variant" },
    { "{\"rating\": 5, \"variant\": 1e3}", 400, "invalid_value", "variant" },
    { "{\"rating\": 5, \"answer\": \"\"}", 400, "invalid_value", "answer" },
    { "{\"rating\": 5, \"answer\": \"a\\nb\"}", 400, "invalid_value", "answer" },
    { "{\"rating\": 5, \"answer\": 7}", 400, "invalid_type", "answer" },
    { "{\"rating\": 5, \"comment\": [\"x\"]}", 400, "invalid_type", "comment" },
    { "{\"rating\": 5, \"comment\": \"a\\u0000b\"}", 400, "invalid_value", "comment" },
    { "{\"rating\": 5, \"comment\": \"\\ud800\"}", 400, "invalid_json", NULL },
    { "{\"rating\": 5, \"comment\": \"\xff\"}", 400, "invalid_json", NULL },
    { "{\"rating\": 5, \"fields\": [1]}", 400, "invalid_type", "fields" },
    { "{\"rating\": 5, \"fields\": {\"a\": {}}}", 400, "invalid_type", "fields" },
    { "{\"rating\": 5, \"fields\": {\"a\": [1]}}", 400, "invalid_type", "fields" },
    { "{\"rating\": 5, \"fields\": {\"a\": \"\\u0000\"}}", 400, "invalid_type", "fields" },
    { "{\"rating\": 5, \"fields\": {\"\": \"x\"}}", 400, "invalid_value", "fields" },
    { "{\"rating\": 5, \"fields\": {\"a\": 1, \"a\": 2}}", 400, "duplicate_member", "fields" },
    { "{\"rating\": 5, \"fields\": {\"a\": }}", 400, "invalid_json", NULL },
    { "{\"rating\": 5, \"fields\": {\"a\": 1", 400, "invalid_json", NULL },
  };
  g_auto (Place) p = { 0 };
  ServeFeedbackFigures figures;
  struct stat st;

  place_init (&p);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (ServeFeedbackReply) reply = { 0 };

      if (g_utf8_validate (cases[i].body, -1, NULL))
        g_test_message ("%s", cases[i].body);
      g_assert_false (
          serve_feedback_take (p.feedback, cases[i].body, strlen (cases[i].body), NULL, &reply));
      g_assert_cmpuint (reply.status, ==, cases[i].status);
      g_assert_cmpstr (reply.code, ==, cases[i].code);
      g_assert_cmpstr (reply.param, ==, cases[i].param);
      g_assert_true (g_utf8_validate (reply.text, -1, NULL));
    }
  g_assert_cmpint (stat (p.path, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, 0);
  serve_feedback_figures (p.feedback, &figures);
  g_assert_cmpuint (figures.refused, ==, G_N_ELEMENTS (cases));
  g_assert_cmpuint (figures.stored, ==, 0);
}

static guint
take_long (ServeFeedback *feedback, const char *member, gsize n)
{
  g_autofree char *text = g_strnfill (n, 'x');
  g_autofree char *body = g_strdup_printf (
      "{\"rating\":1,\"input\":\"a\",\"output\":\"b\",\"%s\":\"%s\"}", member, text);

  return take (feedback, body);
}

static void
test_sizes (void)
{
  g_auto (Place) p = { 0 };
  g_autoptr (GString) body = g_string_new ("{\"rating\":1,\"output\":\"b\",\"fields\":{");
  g_autofree char *large = g_strnfill (SERVE_FEEDBACK_MAX_BODY + 1, ' ');

  place_init (&p);
  g_assert_cmpuint (take_long (p.feedback, "comment", SERVE_FEEDBACK_MAX_COMMENT), ==, 201);
  g_assert_cmpuint (take_long (p.feedback, "comment", SERVE_FEEDBACK_MAX_COMMENT + 1), ==, 413);
  g_assert_cmpuint (take_long (p.feedback, "reasoning", SERVE_FEEDBACK_MAX_TEXT), ==, 201);
  g_assert_cmpuint (take_long (p.feedback, "reasoning", SERVE_FEEDBACK_MAX_TEXT + 1), ==, 413);
  g_assert_cmpuint (take_long (p.feedback, "model", SERVE_FEEDBACK_MAX_NAME), ==, 201);
  g_assert_cmpuint (take_long (p.feedback, "model", SERVE_FEEDBACK_MAX_NAME + 1), ==, 413);
  for (guint i = 0; i <= SERVE_FEEDBACK_MAX_FIELDS; i++)
    g_string_append_printf (body, "%s\"f%u\":\"\"", i > 0 ? "," : "", i);
  g_string_append (body, "}}");
  g_assert_cmpuint (take (p.feedback, body->str), ==, 413);
  g_assert_cmpuint (take (p.feedback, large), ==, 413);
}

static void
test_not_collected (void)
{
  const ServeFeedbackConfig config = { 0 };
  g_autoptr (ServeFeedback) feedback = must_open (&config);
  const ServeFeedbackAnswer answer = { .id = "a", .output = "b" };
  ServeFeedbackFigures figures;

  serve_feedback_note (feedback, &answer);
  g_assert_cmpuint (take (feedback, "{\"rating\": 5, \"output\": \"a\", \"input\": \"b\"}"), ==,
                    404);
  serve_feedback_figures (feedback, &figures);
  g_assert_cmpuint (figures.answers, ==, 0);
}

/* ---- what is remembered -------------------------------------------------------------------- */

static void
note (ServeFeedback *feedback, guint i, const char *output)
{
  g_autofree char *id = g_strdup_printf ("a%u", i);
  const ServeFeedbackAnswer answer = { .id = id, .model = "m", .input = "q", .output = output };

  serve_feedback_note (feedback, &answer);
}

static gboolean
knows (ServeFeedback *feedback, guint i)
{
  g_autofree char *body = g_strdup_printf ("{\"answer\":\"a%u\",\"rating\":3}", i);

  return take (feedback, body) == 201;
}

static void
test_memory (void)
{
  g_auto (Place) p = { 0 };
  g_autofree char *large = g_strnfill (600 * 1024, 'y');
  ServeFeedbackFigures figures;

  place_init (&p); /* 100 answers, 1 MiB */
  for (guint i = 0; i < 150; i++)
    note (p.feedback, i, "x");
  note (p.feedback, 149, "the same again");
  serve_feedback_figures (p.feedback, &figures);
  g_assert_cmpuint (figures.answers, ==, 100);
  g_assert_cmpuint (figures.forgotten, ==, 50);
  g_assert_false (knows (p.feedback, 49));
  g_assert_true (knows (p.feedback, 50));
  g_assert_true (knows (p.feedback, 149));
  note (p.feedback, 200, large);
  note (p.feedback, 201, large);
  serve_feedback_figures (p.feedback, &figures);
  g_assert_cmpuint (figures.answers, ==, 1);
  g_assert_cmpuint (figures.answers_bytes, <=, 1 << 20);
  g_assert_false (knows (p.feedback, 200));
  g_assert_true (knows (p.feedback, 201));
}

/* ---- the file -------------------------------------------------------------------------------- */

#define GOOD "{\"rating\":4,\"input\":\"问\",\"output\":\"答\"}"

static void
write_file (const char *path, const char *text)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_mend (void)
{
  static const struct
  {
    const char *before, *after;
    gboolean mended;
  } cases[] = {
    { "", "", FALSE },
    { "{\"a\":1}\n", "{\"a\":1}\n", FALSE },
    { "{\"a\":1}\n{\"feedb", "{\"a\":1}\n", TRUE },
    { "{\"feedb", "", TRUE },
    { "{\"a\":1}\n{\"b\":2}", "{\"a\":1}\n{\"b\":2}\n", TRUE }, /* an editor's */
    { "{\"a\":1}\n\n\"text\"", "{\"a\":1}\n\n", TRUE },
  };
  g_auto (Place) p = { 0 };

  place_init (&p);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const ServeFeedbackConfig config = config_for (p.path);
      g_autoptr (ServeFeedback) feedback = NULL;
      g_autofree char *text = NULL;

      write_file (p.path, cases[i].before);
      feedback = must_open (&config);
      text = contents (p.path, NULL);
      g_assert_cmpstr (text, ==, cases[i].after);
      g_assert_true ((serve_feedback_mended (feedback) != NULL) == cases[i].mended);
      g_assert_cmpuint (take (feedback, GOOD), ==, 201);
    }
}

/* A half line that another process leaves while this one runs goes before the next line. */
static void
test_mend_later (void)
{
  g_auto (Place) p = { 0 };
  g_autoptr (GPtrArray) lines = NULL;
  int fd;

  place_init (&p);
  g_assert_cmpuint (take (p.feedback, GOOD), ==, 201);
  fd = open (p.path, O_WRONLY | O_APPEND | O_CLOEXEC);
  g_assert_cmpint (write (fd, "{\"half", 6), ==, 6);
  close (fd);
  g_assert_cmpuint (take (p.feedback, GOOD), ==, 201);
  lines = read_lines (p.path);
  g_assert_cmpuint (lines->len, ==, 2);
}

static void
refused_path (const char *path, const char *why)
{
  const ServeFeedbackConfig config = config_for (path);
  g_autoptr (GError) error = NULL;

  g_assert_null (serve_feedback_new (&config, &error));
  g_assert_nonnull (error);
  g_assert_cmpint (error->domain, ==, FR_ERROR);
  g_assert_nonnull (strstr (error->message, why));
}

static void
test_bad_files (void)
{
  g_auto (Place) p = { 0 };
  g_autofree char *fifo = NULL, *nowhere = NULL;

  place_init (&p);
  fifo = g_build_filename (p.dir, "pipe", NULL);
  nowhere = g_build_filename (p.dir, "no", "such", "file", NULL);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  refused_path (fifo, "no regular file");
  refused_path (p.dir, p.dir);
  refused_path (nowhere, "No such file");
  refused_path ("/dev/full", "no regular file");
}

static void
test_rotation (void)
{
  g_auto (Place) p = { 0 };
  g_autofree char *old = NULL;
  g_autoptr (GPtrArray) before = NULL, after = NULL;

  place_init (&p);
  old = g_strconcat (p.path, ".1", NULL);
  g_assert_cmpuint (take (p.feedback, GOOD), ==, 201);
  g_assert_cmpint (g_rename (p.path, old), ==, 0);
  g_assert_cmpuint (take (p.feedback, GOOD), ==, 201);
  g_assert_cmpint (g_unlink (p.path), ==, 0);
  g_assert_cmpuint (take (p.feedback, GOOD), ==, 201);
  g_assert_cmpuint (take (p.feedback, GOOD), ==, 201);
  before = read_lines (old);
  after = read_lines (p.path);
  g_assert_cmpuint (before->len, ==, 1);
  g_assert_cmpuint (after->len, ==, 2);
}

static void
limit_files (rlim_t size)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = size;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* A disk that takes a part of a line and no more: nothing half-written stays, and when there is
 * room again it goes on.  SIGXFSZ would end the process if it were let through. */
static void
test_full (void)
{
  g_auto (Place) p = { 0 };
  g_auto (ServeFeedbackReply) reply = { 0 };
  g_autofree char *before = NULL, *after = NULL;
  g_autoptr (GPtrArray) lines = NULL;
  ServeFeedbackFigures figures;
  gsize len;

  place_init (&p);
  g_assert_cmpuint (take (p.feedback, GOOD), ==, 201);
  before = contents (p.path, &len);
  for (gsize more = 0; more < 50; more += 7)
    {
      limit_files (len + more);
      serve_feedback_reply_clear (&reply);
      g_assert_false (serve_feedback_take (p.feedback, GOOD, strlen (GOOD), NULL, &reply));
      limit_files (RLIM_INFINITY);
      g_assert_cmpuint (reply.status, ==, 507);
      g_assert_cmpstr (reply.code, ==, "disk_full");
      g_assert_nonnull (reply.cause);
      g_assert_null (strstr (reply.text, p.path));
      g_free (after);
      after = contents (p.path, NULL);
      g_assert_cmpstr (after, ==, before);
    }
  g_assert_cmpuint (take (p.feedback, GOOD), ==, 201);
  lines = read_lines (p.path);
  g_assert_cmpuint (lines->len, ==, 2);
  serve_feedback_figures (p.feedback, &figures);
  g_assert_cmpuint (figures.failed, ==, 8);
  g_assert_cmpuint (figures.stored, ==, 2);
  g_assert_cmpuint (figures.ratings[3], ==, 2);
}

static void
test_max_file (void)
{
  g_auto (Place) p = { 0 };
  ServeFeedbackConfig config;
  g_autoptr (ServeFeedback) feedback = NULL;
  g_autoptr (GPtrArray) lines = NULL;
  guint stored = 0;

  place_init (&p);
  config = config_for (p.path);
  config.max_file = 2000;
  feedback = must_open (&config);
  while (take (feedback, GOOD) == 201)
    g_assert_cmpuint (++stored, <, 100);
  g_assert_cmpuint (take (feedback, GOOD), ==, 507);
  lines = read_lines (p.path);
  g_assert_cmpuint (lines->len, ==, stored);
  g_assert_cmpuint (stored, >, 1);
}

#define THREADS 4
#define EACH 250

static gpointer
take_many (gpointer data)
{
  for (guint i = 0; i < EACH; i++)
    g_assert_cmpuint (take (data, GOOD), ==, 201);
  return NULL;
}

/* Several threads, and two servers on one file. */
static void
test_side_by_side (void)
{
  g_auto (Place) p = { 0 };
  ServeFeedbackConfig config;
  g_autoptr (ServeFeedback) other = NULL;
  g_autoptr (GPtrArray) lines = NULL;
  g_autoptr (GHashTable) ids = g_hash_table_new (g_str_hash, g_str_equal);
  GThread *threads[THREADS];

  place_init (&p);
  config = config_for (p.path);
  other = must_open (&config);
  for (guint i = 0; i < THREADS; i++)
    threads[i] = g_thread_new ("take", take_many, i % 2 ? other : p.feedback);
  for (guint i = 0; i < THREADS; i++)
    g_thread_join (threads[i]);
  lines = read_lines (p.path);
  g_assert_cmpuint (lines->len, ==, THREADS * EACH);
  for (guint i = 0; i < lines->len; i++)
    g_assert_true (g_hash_table_add (
        ids, (gpointer) json_object_get_string_member (line_at (lines, i), "feedback")));
}

static void
write_forever (const char *path, int to)
{
  ServeFeedbackConfig config = config_for (path);
  ServeFeedback *feedback;

  config.sync = TRUE;
  feedback = serve_feedback_new (&config, NULL);
  for (;;)
    {
      ServeFeedbackReply reply;

      if (!serve_feedback_take (feedback, GOOD, strlen (GOOD), NULL, &reply)
          || write (to, strstr (reply.text, "\"fb-") + 1, 39) != 39)
        _exit (1);
      serve_feedback_reply_clear (&reply);
    }
}

/* Whatever was acknowledged before a kill -9 is there afterwards, and every line is whole. */
static void
test_kill (void)
{
  g_auto (Place) p = { 0 };
  g_autoptr (GHashTable) ids = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) lines = NULL;
  g_autoptr (GString) told = g_string_new (NULL);
  ServeFeedbackConfig config;
  int ends[2], status;

  place_init (&p);
  for (guint round = 0; round < 5; round++)
    {
      struct pollfd told_some = { .events = POLLIN };
      char part[4096];
      gssize n;
      pid_t pid;

      g_assert_cmpint (pipe (ends), ==, 0);
      pid = fork ();
      if (pid == 0)
        write_forever (p.path, ends[1]);
      close (ends[1]);
      told_some.fd = ends[0];
      g_assert_cmpint (poll (&told_some, 1, 60000), ==, 1);
      g_usleep (round * 7000);
      kill (pid, SIGKILL);
      waitpid (pid, &status, 0);
      while ((n = read (ends[0], part, sizeof part)) > 0)
        g_string_append_len (told, part, n);
      close (ends[0]);
    }
  serve_feedback_free (g_steal_pointer (&p.feedback));
  config = config_for (p.path);
  p.feedback = must_open (&config);
  lines = read_lines (p.path);
  for (guint i = 0; i < lines->len; i++)
    g_hash_table_add (ids,
                      (gpointer) json_object_get_string_member (line_at (lines, i), "feedback"));
  g_assert_cmpuint (told->len % 39, ==, 0);
  g_assert_cmpuint (told->len, >, 0);
  for (gsize i = 0; i < told->len; i += 39)
    {
      g_autofree char *id = g_strndup (told->str + i, 39);

      g_assert_true (g_hash_table_contains (ids, id));
    }
  g_test_message ("%" G_GSIZE_FORMAT " acknowledged, %u lines", told->len / 39, lines->len);
}

static void
test_schemas (void)
{
  const char *const schemas[]
      = { serve_feedback_request_schema (), serve_feedback_answer_schema () };

  for (guint i = 0; i < G_N_ELEMENTS (schemas); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = fr_json_parse (schemas[i], -1, 0, &error);

      g_assert_no_error (error);
      g_assert_true (JSON_NODE_HOLDS_OBJECT (node));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/feedback/unverified", test_unverified);
  g_test_add_func ("/feedback/verified", test_verified);
  g_test_add_func ("/feedback/odd-output", test_odd_output);
  g_test_add_func ("/feedback/bad-bodies", test_bad_bodies);
  g_test_add_func ("/feedback/sizes", test_sizes);
  g_test_add_func ("/feedback/not-collected", test_not_collected);
  g_test_add_func ("/feedback/memory", test_memory);
  g_test_add_func ("/feedback/mend", test_mend);
  g_test_add_func ("/feedback/mend-later", test_mend_later);
  g_test_add_func ("/feedback/bad-files", test_bad_files);
  g_test_add_func ("/feedback/rotation", test_rotation);
  g_test_add_func ("/feedback/full", test_full);
  g_test_add_func ("/feedback/max-file", test_max_file);
  g_test_add_func ("/feedback/side-by-side", test_side_by_side);
  g_test_add_func ("/feedback/kill", test_kill);
  g_test_add_func ("/feedback/schemas", test_schemas);
  return g_test_run ();
}
