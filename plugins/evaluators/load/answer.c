/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c: see answer.h. */
#include "config.h"

#include "answer.h"

#include <flowrun/json.h>
#include <string.h>

#define QUOTED 200 /* characters of a server's words that are kept */

void
load_answer_init (LoadAnswer *a)
{
  *a = (LoadAnswer){
    .tokens = -1, .prompt_tokens = -1, .line = g_string_new (NULL), .data = g_string_new (NULL)
  };
}

void
load_answer_clear (LoadAnswer *a)
{
  g_clear_pointer (&a->fault, g_free);
  if (a->line != NULL)
    g_string_free (a->line, TRUE);
  if (a->data != NULL)
    g_string_free (a->data, TRUE);
  a->line = a->data = NULL;
}

/* One line of at most QUOTED characters, whatever the server wrote. */
static char *
quote (FrStr text)
{
  g_autofree char *valid
      = g_utf8_make_valid (text.data != NULL ? text.data : "", (gssize) MIN (text.len, 4 * QUOTED));
  g_autoptr (GString) out = g_string_new (NULL);
  guint n = 0;

  for (const char *p = valid; *p != '\0' && n < QUOTED; p = g_utf8_next_char (p), n++)
    {
      gunichar c = g_utf8_get_char (p);

      g_string_append_unichar (out, g_unichar_iscntrl (c) || g_unichar_isspace (c) ? ' ' : c);
    }
  return g_strdup (g_strstrip (out->str));
}

static void
set_fault (LoadAnswer *a, gboolean refused, FrStr what)
{
  if (a->fault != NULL)
    return;
  a->fault = quote (what);
  a->refused = refused;
}

/* ---- the content ----------------------------------------------------------------------------
 *
 * Readers of one value each, after its first token; what nobody asked for is skipped.  They return
 * FALSE when the text is no JSON.
 */

typedef struct
{
  FrJsonReader *r;
  LoadAnswer *a;
  GString *error; /* the message of an error object, or NULL: there was none */
  GString *model; /* the first "id" within "data", or NULL: nobody asks */
  gboolean has_text, has_choices;
} Reading;

typedef gboolean (*Member) (Reading *x, FrStr key);

static gboolean
skip (Reading *x, FrJsonToken token)
{
  return token != FR_JSON_ERROR
         && ((token != FR_JSON_OBJECT && token != FR_JSON_ARRAY) || fr_json_reader_skip (x->r));
}

static gboolean
is (FrStr key, const char *name)
{
  return key.len == strlen (name) && memcmp (key.data, name, key.len) == 0;
}

/* The members of an object whose brace was read; @member reads the value of those it knows. */
static gboolean
each_member (Reading *x, Member member)
{
  FrJsonToken token;

  while ((token = fr_json_reader_next (x->r)) == FR_JSON_KEY)
    if (!member (x, x->r->str))
      return FALSE;
  return token == FR_JSON_OBJECT_END;
}

/* The objects of an array, where the value is one. */
static gboolean
each_object (Reading *x, Member member)
{
  FrJsonToken token = fr_json_reader_next (x->r);

  if (token != FR_JSON_ARRAY)
    return skip (x, token);
  while ((token = fr_json_reader_next (x->r)) != FR_JSON_ARRAY_END)
    if (token == FR_JSON_OBJECT ? !each_member (x, member) : !skip (x, token))
      return FALSE;
  return TRUE;
}

static gboolean
object_value (Reading *x, Member member)
{
  FrJsonToken token = fr_json_reader_next (x->r);

  return token == FR_JSON_OBJECT ? each_member (x, member) : skip (x, token);
}

static gboolean
take_text (Reading *x)
{
  FrJsonToken token = fr_json_reader_next (x->r);

  if (token != FR_JSON_STRING || x->r->str.len == 0)
    return skip (x, token);
  x->has_text = TRUE;
  for (gsize i = 0; i < x->r->str.len; i++)
    x->a->chars += ((guchar) x->r->str.data[i] & 0xc0) != 0x80;
  return TRUE;
}

static gboolean
message_member (Reading *x, FrStr key)
{
  if (is (key, "content") || is (key, "reasoning_content"))
    return take_text (x);
  return skip (x, fr_json_reader_next (x->r));
}

static gboolean
choice_member (Reading *x, FrStr key)
{
  FrJsonToken token;

  if (is (key, "delta") || is (key, "message"))
    return object_value (x, message_member);
  if (is (key, "text"))
    return take_text (x);
  if (!is (key, "finish_reason"))
    return skip (x, fr_json_reader_next (x->r));
  token = fr_json_reader_next (x->r);
  x->a->finished |= token == FR_JSON_STRING;
  return skip (x, token);
}

static gboolean
usage_member (Reading *x, FrStr key)
{
  gint64 *at = is (key, "completion_tokens") ? &x->a->tokens
               : is (key, "prompt_tokens")   ? &x->a->prompt_tokens
                                             : NULL;
  FrJsonToken token = fr_json_reader_next (x->r);

  if (at != NULL && token == FR_JSON_INT && x->r->integer >= 0)
    *at = x->r->integer;
  return skip (x, token);
}

static gboolean
error_member (Reading *x, FrStr key)
{
  gboolean message = is (key, "message");
  FrJsonToken token = fr_json_reader_next (x->r);

  if (message && token == FR_JSON_STRING)
    {
      g_string_truncate (x->error, 0);
      g_string_append_len (x->error, x->r->str.data, (gssize) x->r->str.len);
    }
  return skip (x, token);
}

/* An error is an object with a message, or a text. */
static gboolean
take_error (Reading *x)
{
  FrJsonToken token = fr_json_reader_next (x->r);

  if (token == FR_JSON_NULL)
    return TRUE;
  if (x->error == NULL)
    x->error = g_string_new ("an error without a message");
  if (token == FR_JSON_STRING)
    {
      g_string_truncate (x->error, 0);
      g_string_append_len (x->error, x->r->str.data, (gssize) x->r->str.len);
    }
  return token == FR_JSON_OBJECT ? each_member (x, error_member) : skip (x, token);
}

static gboolean
model_member (Reading *x, FrStr key)
{
  gboolean id = is (key, "id");
  FrJsonToken token = fr_json_reader_next (x->r);

  if (id && token == FR_JSON_STRING && x->model->len == 0)
    g_string_append_len (x->model, x->r->str.data, (gssize) x->r->str.len);
  return skip (x, token);
}

static gboolean
top_member (Reading *x, FrStr key)
{
  if (is (key, "choices"))
    {
      x->has_choices = TRUE;
      return each_object (x, choice_member);
    }
  if (is (key, "usage"))
    return object_value (x, usage_member);
  if (is (key, "error"))
    return take_error (x);
  if (is (key, "data") && x->model != NULL)
    return each_object (x, model_member);
  /* POST /generate answers with the text alone. */
  if (is (key, "output"))
    {
      x->has_choices = TRUE;
      return take_text (x);
    }
  return skip (x, fr_json_reader_next (x->r));
}

/* FALSE: no JSON object. */
static gboolean
read_object (Reading *x, const char *text, gsize len)
{
  FrJsonReader reader;
  gboolean ok;

  fr_json_reader_init (&reader, text, len, 0);
  x->r = &reader;
  ok = fr_json_reader_next (&reader) == FR_JSON_OBJECT && each_member (x, top_member)
       && fr_json_reader_next (&reader) == FR_JSON_END;
  fr_json_reader_clear (&reader);
  return ok;
}

static void
take_object (LoadAnswer *a, const char *text, gsize len, gint64 now)
{
  Reading x = { .a = a };

  if (!read_object (&x, text, len))
    set_fault (a, FALSE, FR_STR ("what came is not a JSON object"));
  else if (x.error != NULL)
    set_fault (a, TRUE, (FrStr){ x.error->str, x.error->len });
  else if (!x.has_choices)
    set_fault (a, FALSE, FR_STR ("JSON without 'choices'"));
  if (x.has_text && a->fault == NULL)
    {
      a->first = a->pieces++ == 0 ? now : a->first;
      a->last = now;
    }
  if (x.error != NULL)
    g_string_free (x.error, TRUE);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void
end_event (LoadAnswer *a, gint64 now)
{
  gboolean has = a->has_data;

  a->has_data = FALSE;
  if (!has)
    return;
  if (strcmp (a->data->str, "[DONE]") == 0)
    a->done = TRUE;
  else
    take_object (a, a->data->str, a->data->len, now);
  g_string_truncate (a->data, 0);
}

static void
end_line (LoadAnswer *a, gint64 now)
{
  const char *p = a->line->str;
  gsize len = a->line->len;

  if (len == 0)
    end_event (a, now);
  else if (len >= 5 && memcmp (p, "data:", 5) == 0)
    {
      gsize skipped = len > 5 && p[5] == ' ' ? 6 : 5;

      if (a->has_data)
        g_string_append_c (a->data, '\n');
      g_string_append_len (a->data, p + skipped, (gssize) (len - skipped));
      a->has_data = TRUE;
    }
  g_string_truncate (a->line, 0);
}

void
load_answer_feed (LoadAnswer *a, const char *bytes, gsize len, gint64 now)
{
  for (gsize i = 0; i < len && (a->fault == NULL || a->refused);)
    {
      gsize n = 0;

      if (a->after_cr && bytes[i] == '\n')
        {
          a->after_cr = FALSE;
          i++;
          continue;
        }
      a->after_cr = FALSE;
      while (i + n < len && bytes[i + n] != '\n' && bytes[i + n] != '\r')
        n++;
      g_string_append_len (a->line, bytes + i, (gssize) n);
      i += n;
      if (a->line->len + a->data->len > LOAD_EVENT_MAX)
        {
          set_fault (a, FALSE, FR_STR ("an event without an end"));
          return;
        }
      if (i == len)
        return;
      a->after_cr = bytes[i++] == '\r';
      end_line (a, now);
    }
}

void
load_answer_whole (LoadAnswer *a, const char *body, gsize len, gint64 now)
{
  take_object (a, body, len, now);
  a->done = TRUE;
}

gboolean
load_answer_is_whole (const LoadAnswer *a)
{
  return a->fault == NULL && (a->finished || a->done);
}

char *
load_answer_error (const char *body, gsize len)
{
  LoadAnswer none = { 0 };
  Reading x = { .a = &none };
  char *text = NULL;

  if (read_object (&x, body, len) && x.error != NULL)
    text = quote ((FrStr){ x.error->str, x.error->len });
  if (x.error != NULL)
    g_string_free (x.error, TRUE);
  return text;
}

char *
load_models_first (const char *body, gsize len)
{
  LoadAnswer none = { 0 };
  Reading x = { .a = &none, .model = g_string_new (NULL) };
  gboolean ok = read_object (&x, body, len) && x.model->len > 0;

  if (x.error != NULL)
    g_string_free (x.error, TRUE);
  if (!ok)
    {
      g_string_free (x.model, TRUE);
      return NULL;
    }
  return g_string_free (x.model, FALSE);
}
