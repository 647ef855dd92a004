/* SPDX-License-Identifier: Apache-2.0 */
/* feedback.h: what people think of answers: POST /feedback, kept in a file that only grows.
 *
 *   an answer ends --serve_feedback_note()--> remembered, bounded     (any thread)
 *   POST /feedback --serve_feedback_take()--> a line in the file      (any thread; waits for the
 * disk)
 *
 * It knows no HTTP: a body goes in, a status and a reply come out.
 *
 * The file is JSON Lines (RFC 8259 objects, LF at every end) in a form that source.json reads,
 * every line with the same members:
 *
 *   feedback   text    id of the line
 *   time       text    RFC 3339, UTC, microseconds
 *   answer     text    id of the answer; where there is none, that of the line
 *   variant    number  which of the answer's texts, from 0
 *   verified   bool    whether the server knew the answer (see below)
 *   model      text    name of the model that answered; null: nobody said
 *   revision   text    tells it from others of that name; null: nobody said
 *   system     text    what the model was told before the question; null: nothing
 *   input      text    the question as training has it; null: only fields are known
 *   fields     object  columns of the format template, all texts; null: none
 *   output     text    the answer without its reasoning
 *   reasoning  text    null: none
 *   rating     number  1 to 5
 *   comment    text    null: none
 *   corrected  text    the answer as it should have been; null: as it is
 *   key        text    name of the API key that it came with; null: none
 *
 * Of an answer that the server knows, all from model to reasoning is what it was asked and said,
 * whatever the body claims.
 *
 * A rating that is given again is another line with the same `answer` and `variant`; the one with
 * the latest `time` counts (transform.dedup with keep: most, keep_by: time).
 *
 * What was acknowledged is there: a line is one write() to a file opened with O_APPEND, under a
 * lock that other servers on the same file wait for, synced unless the parameters say otherwise,
 * before anybody is told.  What could not be written whole is cut off again.  A half line that a
 * crash left was acknowledged to nobody: it is cut off at the next start.  The file may be renamed
 * at any time (rotation): the next line begins a new one.
 */
#ifndef FLOWRUN_SERVE_FEEDBACK_H
#define FLOWRUN_SERVE_FEEDBACK_H

#include <flowrun/error.h>
#include <flowrun/param.h>
#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/** ServeFeedbackConfig: as in SERVE_FEEDBACK_PARAMS. */
typedef struct
{
  char *path;
  gboolean sync;
  guint64 max_file, answers_memory;
  gint64 answers;
} ServeFeedbackConfig;

/* Rows for the ServeFeedbackConfig that is member @in of @Config. */
#define SERVE_FEEDBACK_PARAMS(Config, in)                                                          \
  FR_PARAM_PATH ("feedback", Config, in.path,                                                      \
                 "file that ratings are added to, as JSON Lines; none given: ratings are refused", \
                 .flags = FR_PARAM_NO_RESULT, .example = "\"feedback.jsonl\""),                    \
      FR_PARAM_BOOL ("feedback_sync", Config, in.sync,                                             \
                     "a rating is on the disk before it is acknowledged", .def = "true",           \
                     .flags = FR_PARAM_NO_RESULT),                                                 \
      FR_PARAM_SIZE ("feedback_max_file", Config, in.max_file,                                     \
                     "ratings are refused when their file would grow beyond this", .def = "4GiB",  \
                     .flags = FR_PARAM_NO_RESULT),                                                 \
      FR_PARAM_INT ("feedback_answers", Config, in.answers, 0, 10000000,                           \
                    "answers remembered, so that a rating stands for what was really said",        \
                    .def = "10000", .unit = "answers", .flags = FR_PARAM_NO_RESULT),               \
      FR_PARAM_SIZE ("feedback_answers_memory", Config, in.answers_memory,                         \
                     "and at most so much memory for them", .def = "64MiB",                        \
                     .flags = FR_PARAM_NO_RESULT)

/* What a body may hold, in bytes of UTF-8. */
#define SERVE_FEEDBACK_MAX_BODY ((gsize) 1 << 20)
#define SERVE_FEEDBACK_MAX_NAME 512u   /* ids, model, revision, names of fields */
#define SERVE_FEEDBACK_MAX_FIELDS 256u /* members of fields */
#define SERVE_FEEDBACK_MAX_COMMENT 16384u
#define SERVE_FEEDBACK_MAX_TEXT                                                                    \
  ((gsize) 256 * 1024) /* input, output, corrected, fields together                                \
                        */

typedef struct _ServeFeedback ServeFeedback;

/**
 * serve_feedback_new:
 * @config: copied
 * @error: FR_ERROR_IO: the file cannot be opened, or is no regular file; FR_ERROR_CONFIG
 *
 * Opens the file, made if it is not there (mode 0640), and mends its end.  With no path nothing is
 * remembered and serve_feedback_take() answers 404.
 */
ServeFeedback *serve_feedback_new (const ServeFeedbackConfig *config, GError **error);
/** serve_feedback_free: NULL is fine. */
void serve_feedback_free (ServeFeedback *feedback);
/** serve_feedback_mended: what serve_feedback_new() did to the file's end, for a warning; NULL:
 * nothing. */
const char *serve_feedback_mended (const ServeFeedback *feedback);

/**
 * ServeFeedbackAnswer: one text that was answered; all borrowed for the call, all UTF-8.
 * @id: of the answer, as its reply has it ("chatcmpl-…")
 * @variant: which choice
 * @model, @revision: who answered; the revision changes with the weights
 * @system: the system text, the format's or the client's; NULL: none
 * @input: the question as the records of training have it (the format template filled in, or the
 * last message of the user); NULL: there is none
 * @fields: columns that the template was filled with, texts; NULL: none
 * @output: the answer, without its reasoning
 * @reasoning: NULL: none
 */
typedef struct
{
  const char *id;
  guint variant;
  const char *model, *revision;
  const char *system, *input;
  JsonObject *fields;
  const char *output, *reasoning;
} ServeFeedbackAnswer;

/** serve_feedback_note: remembers @answer until newer ones need its place; quick, never fails. */
void serve_feedback_note (ServeFeedback *feedback, const ServeFeedbackAnswer *answer);

/**
 * ServeFeedbackReply: what POST /feedback is answered with.
 * @status: 201 stored; 400 not understood; 404 nothing is collected here; 413 too large; 507 the
 * disk or the file is full; 503 the file cannot be written now
 * @code: a word for programs ("disk_full"), of the reply's error; NULL: stored
 * @param: the member that is wrong; NULL: none in particular
 * @text: stored: the whole reply, a JSON object {"object": "feedback", "id", "answer", "verified"};
 * else the message for a person
 * @cause: what the disk said, for the operator's log; never for the client; NULL: nothing
 * @verified: stored with what the server itself said
 */
typedef struct
{
  guint status;
  const char *code;
  char *param;
  char *text;
  char *cause;
  gboolean verified;
} ServeFeedbackReply;

void serve_feedback_reply_clear (ServeFeedbackReply *reply);

/**
 * serve_feedback_take: one body of POST /feedback.
 * @body, @len: the bytes that came; need not be UTF-8 or end in 0
 * @key: name of the API key that came with it; NULL: none
 * @reply: filled in every case; serve_feedback_reply_clear()
 *
 * The body is an object of `rating` (required, a whole number from 1 to 5) and `answer`, `variant`
 * (0), `comment`, `corrected`, `model`, `revision`, `system`, `input`, `fields`, `output`,
 * `reasoning`, each as the file has them, or null, or missing; nothing else.  When the server does
 * not know `answer` (any more), `output` and one of `input` and `fields` are required, and the line
 * is not `verified`.
 *
 * Returns whether it was stored.
 */
gboolean serve_feedback_take (ServeFeedback *feedback, const char *body, gsize len, const char *key,
                              ServeFeedbackReply *reply);

/** ServeFeedbackFigures: counted since the start, for metrics. */
typedef struct
{
  guint64 stored, unverified, refused, failed; /* failed: could not be written */
  guint64 ratings[5];                          /* stored, by rating - 1 */
  guint64 answers, answers_bytes;              /* remembered now */
  guint64 forgotten;                           /* made room for newer ones */
} ServeFeedbackFigures;

void serve_feedback_figures (ServeFeedback *feedback, ServeFeedbackFigures *figures);

/** serve_feedback_request_schema: JSON Schema of the body, for the OpenAPI document; constant JSON
 * text. */
const char *serve_feedback_request_schema (void);
/** serve_feedback_answer_schema: the same of the reply. */
const char *serve_feedback_answer_schema (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeFeedback, serve_feedback_free)

G_END_DECLS

#endif
