/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-feedback.c: bodies of POST /feedback; what is stored is one line that source.json's reader
 * takes. */
#include "config.h"

#include <flowrun/json.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "sinks/serve/feedback.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static ServeFeedback *feedback;
static char *path;

static void
remove_file (void)
{
  unlink (path);
}

static void
begin (void)
{
  const ServeFeedbackAnswer answer = { .id = "known", .model = "m", .input = "问", .output = "答" };
  ServeFeedbackConfig config = { .max_file = 1 << 30, .answers = 4, .answers_memory = 1 << 16 };
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp ("fuzz-feedback-XXXXXX", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  close (fd);
  config.path = path;
  feedback = serve_feedback_new (&config, &error);
  g_assert_no_error (error);
  serve_feedback_note (feedback, &answer);
  atexit (remove_file);
}

static void
check_line (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonObject *line;
  gsize len;

  g_assert_true (g_file_get_contents (path, &text, &len, NULL));
  g_assert_cmpuint (len, >, 1);
  g_assert_true (memchr (text, '\n', len) == text + len - 1);
  node = fr_json_parse (text, (gssize) len - 1, 0, &error);
  g_assert_no_error (error);
  line = json_node_get_object (node);
  g_assert_cmpuint (json_object_get_size (line), ==, 16);
  g_assert_cmpint (json_object_get_int_member (line, "rating"), >=, 1);
  g_assert_cmpint (json_object_get_int_member (line, "rating"), <=, 5);
  g_assert_nonnull (json_object_get_string_member (line, "answer"));
  g_assert_false (json_object_get_null_member (line, "output"));
  if (json_object_get_boolean_member (line, "verified"))
    g_assert_cmpstr (json_object_get_string_member (line, "output"), ==, "答");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  ServeFeedbackReply reply;
  gboolean stored;

  if (feedback == NULL)
    begin ();
  stored = serve_feedback_take (feedback, (const char *) data, size, NULL, &reply);
  g_assert_true (stored == (reply.status == 201));
  g_assert_true (g_utf8_validate (reply.text, -1, NULL));
  if (stored)
    {
      check_line ();
      g_assert_cmpint (truncate (path, 0), ==, 0);
    }
  else
    g_assert_true (reply.status == 400 || reply.status == 413);
  serve_feedback_reply_clear (&reply);
  return 0;
}
