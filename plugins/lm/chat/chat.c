/* SPDX-License-Identifier: Apache-2.0 */
/* chat.c: messages to token ids through the checkpoint's own template.
 *
 * A training sample is not the whole dialogue rendered: templates change what
 * earlier turns said (DeepSeek-R1's drops their reasoning) and would change the
 * answer to be learned as well.  So the prompt alone is rendered, as it is
 * when the model is asked, and the answer follows as it stands.
 */
#include "config.h"

#include "lm/chat.h"

#include <string.h>

struct _LmChat
{
  LmModel *model;
  LmTokenizer *tokenizer;
  LmTemplate *tmpl; /* NULL: the checkpoint has none */
  gint32 end;
};

#define THINK "<think>"

/* ---- rendering --------------------------------------------------------------------------- */

static void
add_special_tokens (LmChat *chat, JsonObject *variables)
{
  static const char *const names[] = { "bos_token", "eos_token", "unk_token", "pad_token",
                                       "sep_token", "cls_token", "mask_token" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *text = lm_model_special (chat->model, names[i]);

      if (text != NULL)
        json_object_set_string_member (variables, names[i], text);
    }
}

static void
copy_member (JsonObject *object, const char *name, JsonNode *node, gpointer to)
{
  (void) object;
  json_object_set_member (to, name, json_node_copy (node));
}

/* What transformers gives a template: tools and documents are always there, if only as none. */
static JsonObject *
make_variables (LmChat *chat, JsonArray *messages, JsonNode *tools, JsonObject *more, gboolean ask)
{
  JsonObject *variables = json_object_new ();

  add_special_tokens (chat, variables);
  json_object_set_null_member (variables, "documents");
  if (tools != NULL)
    json_object_set_member (variables, "tools", json_node_copy (tools));
  else
    json_object_set_null_member (variables, "tools");
  if (more != NULL)
    json_object_foreach_member (more, copy_member, variables);
  json_object_set_array_member (variables, "messages", json_array_ref (messages));
  json_object_set_boolean_member (variables, "add_generation_prompt", ask);
  return variables;
}

static const char *
text_of (JsonObject *message, const char *key)
{
  JsonNode *node = json_object_get_member (message, key);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/* Without a template: what was said, a line each. */
static char *
plain_prompt (JsonArray *messages, gsize *len, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (messages); i++)
    {
      const char *text = text_of (json_array_get_object_element (messages, i), "content");

      if (text == NULL)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                       "message %u has no text, and the model has no chat template to say what that means", i + 1);
          return NULL;
        }
      g_string_append (out, text);
      g_string_append_c (out, '\n');
    }
  *len = out->len;
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static char *
render (LmChat *chat, JsonArray *messages, JsonNode *tools, JsonObject *more, gboolean ask, gsize *len,
        GError **error)
{
  g_autoptr (JsonObject) variables = NULL;

  if (chat->tmpl == NULL && tools != NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                   "%s has no chat template, so tools cannot be told to it", lm_model_name (chat->model));
      return NULL;
    }
  if (chat->tmpl == NULL)
    return plain_prompt (messages, len, error);
  variables = make_variables (chat, messages, tools, more, ask);
  return lm_template_render (chat->tmpl, variables, len, error);
}

gboolean
lm_chat_text (LmChat *chat, const char *text, gsize len, GArray *ids, GError **error)
{
  guint before = ids->len;

  if (!lm_tokenizer_encode (chat->tokenizer, text, len, LM_ENCODE_SPECIAL, ids, NULL, error))
    return FALSE;
  /* A post-processor that ends what it encodes ends no prompt. */
  if (ids->len > before && g_array_index (ids, gint32, ids->len - 1) == chat->end)
    g_array_set_size (ids, ids->len - 1);
  return TRUE;
}

/* Ids of a prompt.  The template writes bos itself; without one the post-processor does. */
static gboolean
encode_prompt (LmChat *chat, const char *text, gsize len, GArray *ids, GError **error)
{
  return chat->tmpl != NULL ? lm_tokenizer_encode (chat->tokenizer, text, len, 0, ids, NULL, error)
                            : lm_chat_text (chat, text, len, ids, error);
}

/* ---- the end of an answer -------------------------------------------------------------------- */

static JsonObject *
new_message (const char *role, const char *content)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", role);
  json_object_set_string_member (message, "content", content);
  return message;
}

/* The special token that the template writes behind an answer; -1: none, or it renders no such dialogue. */
static gint32
template_end (LmChat *chat)
{
  static const char answer[] = "Answer 7 to the question.";
  g_autoptr (JsonArray) messages = json_array_new ();
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree char *text = NULL;
  const char *found;
  gsize len;
  gint32 id;

  json_array_add_object_element (messages, new_message ("user", "A question."));
  json_array_add_object_element (messages, new_message ("assistant", answer));
  text = render (chat, messages, NULL, NULL, FALSE, &len, NULL);
  found = text != NULL ? g_strrstr_len (text, (gssize) len, answer) : NULL;
  if (found == NULL)
    return -1;
  found += sizeof answer - 1;
  if (!lm_tokenizer_encode (chat->tokenizer, found, len - (gsize) (found - text), 0, ids, NULL, NULL) || ids->len == 0)
    return -1;
  id = g_array_index (ids, gint32, 0);
  return lm_tokenizer_is_special (chat->tokenizer, id) ? id : -1;
}

static gboolean
find_end (LmChat *chat, GError **error)
{
  const GArray *eos = lm_model_config (chat->model)->eos_tokens;
  const char *text = lm_model_special (chat->model, "eos_token");

  chat->end = chat->tmpl != NULL ? template_end (chat) : -1;
  if (chat->end < 0 && eos != NULL && eos->len > 0)
    chat->end = g_array_index (eos, gint32, 0);
  if (chat->end < 0 && text != NULL)
    chat->end = lm_tokenizer_find (chat->tokenizer, text);
  if (chat->end >= 0)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "%s: nothing says which token ends an answer: neither the chat template nor eos_token_id in "
               "generation_config.json or config.json", lm_model_name (chat->model));
  return FALSE;
}

LmChat *
lm_chat_new (LmModel *model, GError **error)
{
  g_autoptr (LmChat) chat = g_new0 (LmChat, 1);

  chat->model = model;
  chat->tokenizer = lm_model_tokenizer (model, error);
  if (chat->tokenizer == NULL)
    return NULL;
  if (lm_model_template_source (model) != NULL && (chat->tmpl = lm_model_template (model, error)) == NULL)
    return NULL;
  if (!find_end (chat, error))
    return NULL;
  return g_steal_pointer (&chat);
}

void
lm_chat_free (LmChat *chat)
{
  g_free (chat);
}

gint32
lm_chat_end (LmChat *chat)
{
  return chat->end;
}

gboolean
lm_chat_has_template (LmChat *chat)
{
  return chat->tmpl != NULL;
}

gboolean
lm_chat_prompt (LmChat *chat, JsonArray *messages, JsonNode *tools, JsonObject *variables, GArray *ids,
                GString *text, GError **error)
{
  g_autofree char *prompt = NULL;
  gsize len;

  prompt = render (chat, messages, tools, variables, TRUE, &len, error);
  if (prompt == NULL || !encode_prompt (chat, prompt, len, ids, error))
    return FALSE;
  if (text != NULL)
    g_string_append_len (text, prompt, (gssize) len);
  return TRUE;
}

/* ---- samples ------------------------------------------------------------------------------------ */

void
lm_sample_init (LmSample *sample)
{
  sample->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  sample->learn = g_array_new (FALSE, FALSE, sizeof (guint8));
  sample->n_prompt = 0;
}

void
lm_sample_clear (LmSample *sample)
{
  g_clear_pointer (&sample->ids, g_array_unref);
  g_clear_pointer (&sample->learn, g_array_unref);
  sample->n_prompt = 0;
}

static gboolean
is_blank (const char *text)
{
  return text[strspn (text, " \t\r\n")] == '\0';
}

/* The answer without the "<think>" that the prompt's end has opened already, and what follows it there. */
static const char *
skip_opened_think (const char *prompt, gsize len, const char *answer)
{
  const char *opened = g_strrstr_len (prompt, (gssize) len, THINK), *after;

  if (opened == NULL || !g_str_has_prefix (answer, THINK))
    return answer;
  after = opened + strlen (THINK);
  if (!is_blank (after))
    return answer;
  answer += strlen (THINK);
  if (g_str_has_prefix (answer, after))
    return answer + strlen (after);
  return answer;
}

/* Prompt and answer are encoded apart; together they must still be the text. */
static gboolean
check_round_trip (LmChat *chat, const GArray *ids, const char *prompt, const char *answer, GError **error)
{
  g_autofree char *text = g_strconcat (prompt, answer, NULL);
  g_autofree char *back = lm_tokenizer_decode (chat->tokenizer, (const gint32 *) (gpointer) ids->data, ids->len, FALSE);
  g_autoptr (GArray) whole = NULL;

  if (strcmp (back, text) == 0)
    return TRUE;
  /* A normaliser (NFC) changes text for good, a post-processor adds to it: then both ways must agree. */
  whole = g_array_new (FALSE, FALSE, sizeof (gint32));
  if (!lm_tokenizer_encode (chat->tokenizer, text, strlen (text), chat->tmpl != NULL ? 0 : LM_ENCODE_SPECIAL, whole, NULL,
                            error))
    return FALSE;
  if (chat->tmpl == NULL && whole->len > 0 && g_array_index (whole, gint32, whole->len - 1) == chat->end)
    g_array_set_size (whole, whole->len - 1);
  g_free (text);
  text = lm_tokenizer_decode (chat->tokenizer, (const gint32 *) (gpointer) whole->data, whole->len, FALSE);
  if (strcmp (back, text) == 0)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "the tokens of prompt and answer do not read back as the text that they were made from");
  return FALSE;
}

/* The messages but the last, which is the answer; NULL with an error. */
static JsonArray *
split_answer (JsonArray *messages, const char **answer, GError **error)
{
  guint n = json_array_get_length (messages);
  JsonObject *last = n > 0 ? json_array_get_object_element (messages, n - 1) : NULL;
  JsonArray *prompt;

  if (last == NULL || g_strcmp0 (text_of (last, "role"), "assistant") != 0)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "there is no answer at the end to be learned");
      return NULL;
    }
  *answer = text_of (last, "content");
  if (*answer == NULL || is_blank (*answer))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "the answer is empty");
      return NULL;
    }
  if (n == 1)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "there is an answer, but nothing before it");
      return NULL;
    }
  prompt = json_array_sized_new (n - 1);
  for (guint i = 0; i + 1 < n; i++)
    json_array_add_element (prompt, json_node_copy (json_array_get_element (messages, i)));
  return prompt;
}

static void
mark (LmSample *sample)
{
  sample->n_prompt = MIN (sample->n_prompt, sample->ids->len);
  g_array_set_size (sample->learn, sample->ids->len);
  for (guint i = 0; i < sample->ids->len; i++)
    g_array_index (sample->learn, guint8, i) = i >= sample->n_prompt;
}

gboolean
lm_chat_sample (LmChat *chat, JsonArray *messages, LmSample *sample, GError **error)
{
  g_autoptr (JsonArray) before = NULL;
  g_autofree char *prompt = NULL;
  const char *answer;
  gsize len;

  g_array_set_size (sample->ids, 0);
  before = split_answer (messages, &answer, error);
  if (before == NULL)
    return FALSE;
  prompt = render (chat, before, NULL, NULL, TRUE, &len, error);
  if (prompt == NULL || !encode_prompt (chat, prompt, len, sample->ids, error))
    return FALSE;
  sample->n_prompt = sample->ids->len;
  answer = skip_opened_think (prompt, len, answer);
  if (!lm_tokenizer_encode (chat->tokenizer, answer, strlen (answer), 0, sample->ids, NULL, error)
      || !check_round_trip (chat, sample->ids, prompt, answer, error))
    return FALSE;
  g_array_append_val (sample->ids, chat->end);
  mark (sample);
  return TRUE;
}
