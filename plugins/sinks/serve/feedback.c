/* SPDX-License-Identifier: Apache-2.0 */
/* feedback.c: see feedback.h: what a body says, what of it is believed, and the line that comes of
 * it.
 *
 * The body is read with the house's one JSON reader, member by member against a table; nothing that
 * the table does not name is taken.
 */
#include "config.h"

#include <flowrun/json.h>
#include <string.h>

#include "feedback-private.h"

struct _ServeFeedback
{
  FeedbackFile *file; /* NULL: nothing is collected */
  FeedbackMemory *memory;
  GMutex lock; /* of what follows */
  gint64 last; /* time of the newest line, so that the next is later whatever the clock does */
  ServeFeedbackFigures figures;
};

/* ---- a body ------------------------------------------------------------------------------------
 */

/* What a body says; texts are NULL where it says nothing. */
typedef struct
{
  char *answer, *model, *revision, *system, *input, *fields, *output, *reasoning, *comment,
      *corrected;
  gint64 rating, variant;
} Said;

typedef enum
{
  KIND_NAME, /* a text on one line */
  KIND_TEXT,
  KIND_WRITTEN, /* a text of a model, or made of one */
  KIND_NUMBER,
  KIND_FIELDS
} Kind;

static const struct
{
  const char *name;
  Kind kind;
  gsize offset;
  gint64 least, most; /* of a number; most bytes of a text */
} members[] = {
  { "answer", KIND_NAME, G_STRUCT_OFFSET (Said, answer), 1, SERVE_FEEDBACK_MAX_NAME },
  { "variant", KIND_NUMBER, G_STRUCT_OFFSET (Said, variant), 0, G_MAXINT32 },
  { "model", KIND_NAME, G_STRUCT_OFFSET (Said, model), 1, SERVE_FEEDBACK_MAX_NAME },
  { "revision", KIND_NAME, G_STRUCT_OFFSET (Said, revision), 1, SERVE_FEEDBACK_MAX_NAME },
  { "system", KIND_TEXT, G_STRUCT_OFFSET (Said, system), 0, SERVE_FEEDBACK_MAX_TEXT },
  { "input", KIND_TEXT, G_STRUCT_OFFSET (Said, input), 0, SERVE_FEEDBACK_MAX_TEXT },
  { "fields", KIND_FIELDS, G_STRUCT_OFFSET (Said, fields), 0, SERVE_FEEDBACK_MAX_TEXT },
  { "output", KIND_WRITTEN, G_STRUCT_OFFSET (Said, output), 0, SERVE_FEEDBACK_MAX_TEXT },
  { "reasoning", KIND_WRITTEN, G_STRUCT_OFFSET (Said, reasoning), 0, SERVE_FEEDBACK_MAX_TEXT },
  { "rating", KIND_NUMBER, G_STRUCT_OFFSET (Said, rating), 1, 5 },
  { "comment", KIND_TEXT, G_STRUCT_OFFSET (Said, comment), 0, SERVE_FEEDBACK_MAX_COMMENT },
  { "corrected", KIND_WRITTEN, G_STRUCT_OFFSET (Said, corrected), 0, SERVE_FEEDBACK_MAX_TEXT },
};

static void
said_clear (Said *said)
{
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (members[i].kind != KIND_NUMBER)
      g_free (G_STRUCT_MEMBER (char *, said, members[i].offset));
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Said, said_clear)

static gboolean refuse (ServeFeedbackReply *reply, guint status, const char *code,
                        const char *param, const char *format, ...) G_GNUC_PRINTF (5, 6);

static gboolean
refuse (ServeFeedbackReply *reply, guint status, const char *code, const char *param,
        const char *format, ...)
{
  va_list args;

  serve_feedback_reply_clear (reply);
  va_start (args, format);
  reply->text = g_strdup_vprintf (format, args);
  va_end (args);
  reply->status = status;
  reply->code = code;
  reply->param = g_strdup (param);
  return FALSE;
}

static gboolean
refuse_json (const FrJsonReader *r, ServeFeedbackReply *reply)
{
  g_autoptr (GError) error = NULL;

  fr_json_reader_error (r, &error);
  return refuse (reply, 400, "invalid_json", NULL, "the body is no correct JSON: %s",
                 error->message);
}

/* A name is on one line; a text may hold anything but what ends a C string. */
static gboolean
is_text (FrStr str, gboolean one_line)
{
  for (gsize i = 0; i < str.len; i++)
    {
      guchar c = (guchar) str.data[i];

      if (c == 0 || (one_line && (c < 0x20 || c == 0x7f)))
        return FALSE;
    }
  return TRUE;
}

static gboolean
take_text (FrJsonReader *r, FrJsonToken token, guint i, Said *said, ServeFeedbackReply *reply)
{
  const char *name = members[i].name;

  if (token != FR_JSON_STRING)
    return refuse (reply, 400, "invalid_type", name, "'%s' is a text, or null", name);
  if (r->str.len > (gsize) members[i].most)
    return refuse (reply, 413, "too_large", name,
                   "'%s' has %" G_GSIZE_FORMAT " bytes; at most %" G_GINT64_FORMAT " are taken",
                   name, r->str.len, members[i].most);
  if (r->str.len < (gsize) members[i].least)
    return refuse (reply, 400, "invalid_value", name, "'%s' is empty; leave it out", name);
  if (members[i].kind != KIND_WRITTEN && !is_text (r->str, members[i].kind == KIND_NAME))
    return refuse (reply, 400, "invalid_value", name, "'%s' holds %s", name,
                   members[i].kind == KIND_NAME ? "control characters" : "U+0000");
  /* A NUL is nobody's fault in what a model wrote, and becomes U+FFFD. */
  G_STRUCT_MEMBER (char *, said, members[i].offset)
      = g_utf8_make_valid (r->str.data, (gssize) r->str.len);
  return TRUE;
}

static gboolean
take_number (FrJsonReader *r, FrJsonToken token, guint i, Said *said, ServeFeedbackReply *reply)
{
  const char *name = members[i].name;

  if (token != FR_JSON_INT || r->integer < members[i].least || r->integer > members[i].most)
    return refuse (reply, 400, "invalid_value", name,
                   "'%s' is a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, name,
                   members[i].least, members[i].most);
  G_STRUCT_MEMBER (gint64, said, members[i].offset) = r->integer;
  return TRUE;
}

/* One member of fields: a text; a number or truth value becomes the text it is written as. */
static gboolean
take_field (FrJsonReader *r, GString *out, ServeFeedbackReply *reply)
{
  FrJsonToken token;

  if (r->str.len == 0 || r->str.len > SERVE_FEEDBACK_MAX_NAME || !is_text (r->str, TRUE))
    return refuse (reply, 400, "invalid_value", "fields",
                   "a name in 'fields' has 1 to %u bytes and no control characters",
                   SERVE_FEEDBACK_MAX_NAME);
  fr_json_append_string (out, r->str.data, (gssize) r->str.len);
  g_string_append_c (out, ':');
  token = fr_json_reader_next (r);
  if (token == FR_JSON_ERROR)
    return refuse_json (r, reply);
  if (token == FR_JSON_NULL)
    g_string_append (out, "null");
  else if (token == FR_JSON_STRING && is_text (r->str, FALSE))
    fr_json_append_string (out, r->str.data, (gssize) r->str.len);
  else if (token == FR_JSON_INT || token == FR_JSON_FLOAT || token == FR_JSON_TRUE
           || token == FR_JSON_FALSE)
    fr_json_append_string (out, r->start, r->pos - r->start);
  else
    return refuse (reply, 400, "invalid_type", "fields",
                   "what 'fields' holds are texts without U+0000, numbers, true or false");
  return TRUE;
}

static gboolean
take_fields (FrJsonReader *r, FrJsonToken token, guint i, Said *said, ServeFeedbackReply *reply)
{
  g_autoptr (GString) out = g_string_new ("{");
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  if (token != FR_JSON_OBJECT)
    return refuse (reply, 400, "invalid_type", "fields", "'fields' is an object, or null");
  while ((token = fr_json_reader_next (r)) == FR_JSON_KEY)
    {
      if (!g_hash_table_add (names, g_strndup (r->str.data, r->str.len)))
        return refuse (reply, 400, "duplicate_member", "fields", "a name is twice in 'fields'");
      if (g_hash_table_size (names) > SERVE_FEEDBACK_MAX_FIELDS)
        return refuse (reply, 413, "too_large", "fields", "'fields' holds more than %u members",
                       SERVE_FEEDBACK_MAX_FIELDS);
      g_string_append (out, out->len > 1 ? "," : "");
      if (!take_field (r, out, reply))
        return FALSE;
      if (out->len > (gsize) members[i].most)
        return refuse (reply, 413, "too_large", "fields",
                       "'fields' has more than %" G_GINT64_FORMAT " bytes", members[i].most);
    }
  if (token != FR_JSON_OBJECT_END)
    return refuse_json (r, reply);
  g_string_append_c (out, '}');
  if (out->len > 2)
    said->fields = g_strndup (out->str, out->len);
  return TRUE;
}

static gboolean
take_member (FrJsonReader *r, guint32 *seen, Said *said, ServeFeedbackReply *reply)
{
  g_autofree char *name = g_strndup (r->str.data, r->str.len);
  FrJsonToken token;
  guint i = 0;

  while (i < G_N_ELEMENTS (members) && strcmp (members[i].name, name) != 0)
    i++;
  if (i == G_N_ELEMENTS (members) || strlen (name) != r->str.len)
    {
      g_autofree char *shown = g_utf8_substring (name, 0, MIN (g_utf8_strlen (name, -1), 60));

      return refuse (reply, 400, "unknown_member", NULL,
                     "'%s' is none of the members that a rating has", shown);
    }
  if (*seen & (1u << i))
    return refuse (reply, 400, "duplicate_member", members[i].name, "'%s' is there twice", name);
  *seen |= 1u << i;
  token = fr_json_reader_next (r);
  if (token == FR_JSON_ERROR)
    return refuse_json (r, reply);
  if (token == FR_JSON_NULL)
    return TRUE;
  return members[i].kind == KIND_NUMBER   ? take_number (r, token, i, said, reply)
         : members[i].kind == KIND_FIELDS ? take_fields (r, token, i, said, reply)
                                          : take_text (r, token, i, said, reply);
}

static gboolean
read_body (FrJsonReader *r, Said *said, ServeFeedbackReply *reply)
{
  guint32 seen = 0;
  FrJsonToken token = fr_json_reader_next (r);

  if (token == FR_JSON_ERROR || token == FR_JSON_END)
    return refuse_json (r, reply);
  if (token != FR_JSON_OBJECT)
    return refuse (reply, 400, "invalid_type", NULL, "the body is a JSON object");
  while ((token = fr_json_reader_next (r)) == FR_JSON_KEY)
    if (!take_member (r, &seen, said, reply))
      return FALSE;
  if (token != FR_JSON_OBJECT_END || fr_json_reader_next (r) != FR_JSON_END)
    return refuse_json (r, reply);
  if (said->rating == 0)
    return refuse (reply, 400, "missing_member", "rating",
                   "'rating' is missing: a whole number from 1 to 5");
  return TRUE;
}

static gboolean
is_blank (const char *text)
{
  while (g_unichar_isspace (g_utf8_get_char (text)))
    text = g_utf8_next_char (text);
  return *text == '\0';
}

/* ---- a line ------------------------------------------------------------------------------------
 */

static void
put (char **to, const char *from)
{
  g_free (*to);
  *to = g_strdup (from);
}

/* What the server knows stands in place of what the body claims. */
static void
believe (Said *said, const FeedbackKnown *known)
{
  put (&said->model, known->model);
  put (&said->revision, known->revision);
  put (&said->system, known->system);
  put (&said->input, known->input);
  put (&said->fields, known->fields);
  put (&said->output, known->output);
  put (&said->reasoning, known->reasoning);
}

/* A remark of blanks is none, and a correction that changes nothing is none. */
static void
tidy (Said *said)
{
  if (said->comment != NULL && is_blank (said->comment))
    g_clear_pointer (&said->comment, g_free);
  if (said->corrected != NULL
      && (is_blank (said->corrected) || g_strcmp0 (said->corrected, said->output) == 0))
    g_clear_pointer (&said->corrected, g_free);
}

static void
add_text (GString *line, const char *name, const char *text)
{
  g_string_append_printf (line, ",\"%s\":", name);
  if (text != NULL)
    fr_json_append_string (line, text, (gssize) strlen (text));
  else
    g_string_append (line, "null");
}

/* RFC 3339 in microseconds. */
static char *
time_text (gint64 at)
{
  g_autoptr (GDateTime) second = g_date_time_new_from_unix_utc (at / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format (second, "%Y-%m-%dT%H:%M:%S");

  return g_strdup_printf ("%s.%06dZ", text, (int) (at % G_USEC_PER_SEC));
}

static gint64
next_time (ServeFeedback *feedback)
{
  gint64 now = g_get_real_time ();

  g_mutex_lock (&feedback->lock);
  now = feedback->last = MAX (now, feedback->last + 1);
  g_mutex_unlock (&feedback->lock);
  return now;
}

static GString *
make_line (const Said *said, const char *id, gint64 at, gboolean verified, const char *key)
{
  GString *line = g_string_new ("{\"feedback\":");
  g_autofree char *time = time_text (at);

  fr_json_append_string (line, id, (gssize) strlen (id));
  add_text (line, "time", time);
  add_text (line, "answer", said->answer);
  g_string_append_printf (line, ",\"variant\":%" G_GINT64_FORMAT ",\"verified\":%s", said->variant,
                          verified ? "true" : "false");
  add_text (line, "model", said->model);
  add_text (line, "revision", said->revision);
  add_text (line, "system", said->system);
  add_text (line, "input", said->input);
  g_string_append_printf (line, ",\"fields\":%s", said->fields != NULL ? said->fields : "null");
  add_text (line, "output", said->output);
  add_text (line, "reasoning", said->reasoning);
  g_string_append_printf (line, ",\"rating\":%" G_GINT64_FORMAT, said->rating);
  add_text (line, "comment", said->comment);
  add_text (line, "corrected", said->corrected);
  add_text (line, "key", key);
  g_string_append (line, "}\n");
  return line;
}

static void
acknowledge (ServeFeedbackReply *reply, const Said *said, const char *id, gboolean verified)
{
  GString *text = g_string_new ("{\"object\":\"feedback\"");

  add_text (text, "id", id);
  add_text (text, "answer", said->answer);
  g_string_append_printf (text, ",\"variant\":%" G_GINT64_FORMAT ",\"verified\":%s}", said->variant,
                          verified ? "true" : "false");
  reply->status = 201;
  reply->verified = verified;
  reply->text = g_string_free (text, FALSE);
}

static gboolean
store (ServeFeedback *feedback, Said *said, gboolean verified, const char *key,
       ServeFeedbackReply *reply)
{
  g_autofree char *uuid = g_uuid_string_random (), *id = g_strconcat ("fb-", uuid, NULL);
  g_autoptr (GString) line = NULL;
  g_autoptr (GError) error = NULL;
  FeedbackWritten written;

  if (said->answer == NULL)
    said->answer = g_strdup (id);
  line = make_line (said, id, next_time (feedback), verified, key);
  written = feedback_file_append (feedback->file, line->str, line->len, &error);
  if (written == FEEDBACK_WRITTEN)
    {
      acknowledge (reply, said, id, verified);
      return TRUE;
    }
  if (written == FEEDBACK_FULL)
    refuse (reply, 507, "disk_full", NULL,
            "there is no room for the rating: it was not stored; tell whoever runs this server");
  else
    refuse (reply, 503, "cannot_store", NULL,
            "the rating cannot be written now: it was not stored; try again later");
  reply->cause = g_strdup (error->message);
  return FALSE;
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

ServeFeedback *
serve_feedback_new (const ServeFeedbackConfig *config, GError **error)
{
  FeedbackFile *file = NULL;
  ServeFeedback *feedback;

  if (config->path != NULL)
    {
      file = feedback_file_open (config->path, config->sync, config->max_file, error);
      if (file == NULL)
        return NULL;
    }
  feedback = g_new0 (ServeFeedback, 1);
  feedback->file = file;
  feedback->memory
      = feedback_memory_new (file != NULL ? config->answers : 0, config->answers_memory);
  g_mutex_init (&feedback->lock);
  return feedback;
}

void
serve_feedback_free (ServeFeedback *feedback)
{
  if (feedback == NULL)
    return;
  feedback_file_free (feedback->file);
  feedback_memory_free (feedback->memory);
  g_mutex_clear (&feedback->lock);
  g_free (feedback);
}

const char *
serve_feedback_mended (const ServeFeedback *feedback)
{
  return feedback->file != NULL ? feedback_file_mended (feedback->file) : NULL;
}

void
serve_feedback_note (ServeFeedback *feedback, const ServeFeedbackAnswer *answer)
{
  feedback_memory_note (feedback->memory, answer);
}

void
serve_feedback_reply_clear (ServeFeedbackReply *reply)
{
  g_free (reply->param);
  g_free (reply->text);
  g_free (reply->cause);
  *reply = (ServeFeedbackReply){ 0 };
}

static gboolean
check_claims (const Said *said, ServeFeedbackReply *reply)
{
  if (said->output == NULL)
    return refuse (reply, 400, "unknown_answer", "output",
                   "this server does not know the answer%s; its text is needed in 'output'",
                   said->answer != NULL ? " (any more)" : "");
  if (said->input == NULL && said->fields == NULL)
    return refuse (
        reply, 400, "unknown_answer", "input",
        "this server does not know the answer%s; what was asked is needed in 'input' or 'fields'",
        said->answer != NULL ? " (any more)" : "");
  return TRUE;
}

static gboolean
take (ServeFeedback *feedback, const char *body, gsize len, const char *key, Said *said,
      ServeFeedbackReply *reply)
{
  g_autoptr (FeedbackKnown) known = NULL;
  FrJsonReader r;
  gboolean ok;

  if (feedback->file == NULL)
    return refuse (reply, 404, "not_collected", NULL, "this server collects no ratings");
  if (len > SERVE_FEEDBACK_MAX_BODY)
    return refuse (reply, 413, "too_large", NULL, "a rating has at most %" G_GSIZE_FORMAT " bytes",
                   SERVE_FEEDBACK_MAX_BODY);
  fr_json_reader_init (&r, body, len, 0);
  ok = read_body (&r, said, reply);
  fr_json_reader_clear (&r);
  if (!ok)
    return FALSE;
  if (said->answer != NULL)
    known = feedback_memory_find (feedback->memory, said->answer, (guint) said->variant);
  if (known != NULL)
    believe (said, known);
  else if (!check_claims (said, reply))
    return FALSE;
  tidy (said);
  return store (feedback, said, known != NULL, key, reply);
}

static void
count (ServeFeedback *feedback, const Said *said, const ServeFeedbackReply *reply)
{
  ServeFeedbackFigures *f = &feedback->figures;

  g_mutex_lock (&feedback->lock);
  if (reply->status == 201)
    {
      f->stored++;
      f->unverified += !reply->verified;
      f->ratings[said->rating - 1]++;
    }
  else if (reply->status >= 500)
    f->failed++;
  else
    f->refused++;
  g_mutex_unlock (&feedback->lock);
}

gboolean
serve_feedback_take (ServeFeedback *feedback, const char *body, gsize len, const char *key,
                     ServeFeedbackReply *reply)
{
  g_auto (Said) said = { 0 };
  gboolean stored;

  *reply = (ServeFeedbackReply){ 0 };
  stored = take (feedback, body, len, key, &said, reply);
  count (feedback, &said, reply);
  return stored;
}

void
serve_feedback_figures (ServeFeedback *feedback, ServeFeedbackFigures *figures)
{
  g_mutex_lock (&feedback->lock);
  *figures = feedback->figures;
  g_mutex_unlock (&feedback->lock);
  feedback_memory_figures (feedback->memory, figures);
}

const char *
serve_feedback_request_schema (void)
{
  return "{\"type\":\"object\",\"required\":[\"rating\"],\"additionalProperties\":false,"
         "\"properties\":{"
         "\"answer\":{\"type\":[\"string\",\"null\"],\"description\":\"id of the answer\"},"
         "\"variant\":{\"type\":[\"integer\",\"null\"],\"minimum\":0,\"default\":0,\"description\":"
         "\"which of its choices\"},"
         "\"rating\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5},"
         "\"comment\":{\"type\":[\"string\",\"null\"]},"
         "\"corrected\":{\"type\":[\"string\",\"null\"],\"description\":\"the answer as it should "
         "have been\"},"
         "\"model\":{\"type\":[\"string\",\"null\"]},\"revision\":{\"type\":[\"string\",\"null\"]},"
         "\"system\":{\"type\":[\"string\",\"null\"]},\"input\":{\"type\":[\"string\",\"null\"],"
         "\"description\":\"what was asked, where the "
         "server does not know the answer\"},"
         "\"fields\":{\"type\":[\"object\",\"null\"],\"additionalProperties\":{\"type\":["
         "\"string\",\"number\",\"boolean\",\"null\"]}},"
         "\"output\":{\"type\":[\"string\",\"null\"],\"description\":\"what was answered, where "
         "the server does not know it\"},"
         "\"reasoning\":{\"type\":[\"string\",\"null\"]}}}";
}

const char *
serve_feedback_answer_schema (void)
{
  return "{\"type\":\"object\",\"required\":[\"object\",\"id\",\"answer\",\"variant\",\"verified\"]"
         ",\"properties\":{"
         "\"object\":{\"const\":\"feedback\"},\"id\":{\"type\":\"string\"},\"answer\":{\"type\":"
         "\"string\"},"
         "\"variant\":{\"type\":\"integer\"},"
         "\"verified\":{\"type\":\"boolean\",\"description\":\"stored with what the server itself "
         "was asked and said\"}}}";
}
