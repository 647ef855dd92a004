/* SPDX-License-Identifier: Apache-2.0 */
/* take-feedback.c: ratings without a server, for tests: take-feedback FILE
 *
 * Each line of standard input is the body of a POST /feedback, or "note " and an answer to
 * remember:
 * {"id", "variant", "model", "revision", "system", "input", "output"}.  Prints a status for each
 * body.
 */
#include "config.h"

#include <flowrun/json.h>
#include <stdio.h>
#include <string.h>

#include "feedback.h"

static void
note (ServeFeedback *feedback, const char *text)
{
  g_autoptr (JsonNode) node = fr_json_parse (text, -1, 0, NULL);
  JsonObject *o = node != NULL ? json_node_get_object (node) : NULL;
  ServeFeedbackAnswer answer;

  if (o == NULL)
    return;
  answer = (ServeFeedbackAnswer){
    .id = json_object_get_string_member (o, "id"),
    .variant = (guint) json_object_get_int_member_with_default (o, "variant", 0),
    .model = json_object_get_string_member_with_default (o, "model", "m"),
    .revision = json_object_get_string_member_with_default (o, "revision", "r"),
    .system = json_object_get_string_member_with_default (o, "system", NULL),
    .input = json_object_get_string_member (o, "input"),
    .output = json_object_get_string_member (o, "output"),
  };
  serve_feedback_note (feedback, &answer);
}

static void
take (ServeFeedback *feedback, const char *body)
{
  ServeFeedbackReply reply;

  serve_feedback_take (feedback, body, strlen (body), "tester", &reply);
  printf ("%u %s\n", reply.status, reply.text);
  serve_feedback_reply_clear (&reply);
}

int
main (int argc, char **argv)
{
  ServeFeedbackConfig config
      = { .sync = TRUE, .max_file = 1 << 30, .answers = 10000, .answers_memory = 1 << 26 };
  g_autoptr (ServeFeedback) feedback = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) all = g_string_new (NULL);
  g_auto (GStrv) lines = NULL;
  char part[65536];
  gsize n;

  config.path = argc == 2 ? argv[1] : NULL;
  feedback = serve_feedback_new (&config, &error);
  if (feedback == NULL)
    {
      fprintf (stderr, "take-feedback: %s\n", error->message);
      return 1;
    }
  while ((n = fread (part, 1, sizeof part, stdin)) > 0)
    g_string_append_len (all, part, (gssize) n);
  lines = g_strsplit (all->str, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (g_str_has_prefix (*line, "note "))
      note (feedback, *line + 5);
    else if (**line != '\0')
      take (feedback, *line);
  return 0;
}
