/* SPDX-License-Identifier: Apache-2.0 */
/* model.c: the translator "model": the language model that the stage's port "model" brings, asked
 * as transform.generate asks it.  No network. */
#include "config.h"

#include <flowrun/flowrun.h>
#include <string.h>

#include "lm/answer.h"
#include "text/translator.h"

#define REVISION 1
#define ROUNDS 4 /* a call of the decoder gets so many times the texts it works on at once */

static const char default_prompt[]
    = "Translate the text below from {from} to {to}. Answer with the translation alone: no "
      "explanation, no notes, no quotation marks around it. Copy marks in braces, such as {1}, "
      "exactly as they stand.";

struct _Translator
{
  FrHost *host;
  const TranslatorSettings *settings;
  LmAnswerConfig config;
  LmAnswerer *answerer;
  guint64 n_asked, n_cut;
};

static const char *
prompt_of (const TranslatorSettings *s)
{
  return s->prompt != NULL ? s->prompt : default_prompt;
}

/* ---- before the run ---------------------------------------------------------------------------
 */

static void
warn_of (FrBind *bind, const char *pointer, gboolean given)
{
  if (given)
    fr_bind_warn (bind, pointer,
                  "the engine 'model' works with the model of its port and has no use for this");
}

static gboolean
check (const TranslatorSettings *s, FrBind *bind, GError **error)
{
  gboolean ok = TRUE;

  (void) error;
  warn_of (bind, "/url", s->url != NULL);
  warn_of (bind, "/model", s->model != NULL);
  warn_of (bind, "/api_key", s->key != NULL);
  warn_of (bind, "/dictionary", s->path != NULL);
  for (const FrPair *p = s->options; p != NULL && p->key != NULL; p++)
    if (strcmp (p->key, "backend") != 0)
      {
        fr_bind_problem (bind, "/options", "the engine 'model' knows 'backend', not '%s'", p->key);
        ok = FALSE;
      }
  return ok;
}

static char *
describe (FrObject *model)
{
  g_autoptr (JsonNode) node
      = model != NULL && model->type->describe != NULL ? model->type->describe (model) : NULL;

  return node != NULL ? fr_json_to_string (node, 0) : g_strdup ("none");
}

static char *
identity (const TranslatorSettings *s, FrObject *model)
{
  g_autofree char *about = describe (model);
  g_autofree char *all = g_strconcat (about, "\n", prompt_of (s), NULL);
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, all, -1);

  return g_strdup_printf ("model %d %.32s temperature %g", REVISION,
                          s->version != NULL ? s->version : digest, s->temperature);
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void
close_engine (Translator *t)
{
  g_clear_pointer (&t->answerer, lm_answerer_free);
  g_free (t);
}

static Translator *
open_engine (const TranslatorSettings *s, FrHost *host, FrObject *model, GError **error)
{
  Translator *t;

  if (model == NULL || !fr_object_is (model, lm_model_type.name))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "the engine 'model' needs a model at the port 'model'");
      return NULL;
    }
  t = g_new0 (Translator, 1);
  t->host = host;
  t->settings = s;
  t->config = (LmAnswerConfig){ .max_tokens = s->max_tokens,
                                .temperature = s->temperature,
                                .top_k = -1,
                                .top_p = -1,
                                .min_p = -1,
                                .repetition_penalty = -1,
                                .batch = s->batch_texts };
  for (const FrPair *p = s->options; p != NULL && p->key != NULL; p++)
    if (strcmp (p->key, "backend") == 0)
      t->config.backend = p->value;
  t->answerer = lm_answerer_new (host, &t->config, (LmModel *) model, error);
  if (t->answerer != NULL)
    return t;
  close_engine (t);
  return NULL;
}

/* ---- translating ------------------------------------------------------------------------------
 */

static JsonArray *
messages_of (const Translator *t, const TranslatorItem *item)
{
  g_autofree char *from = translator_language (item->from), *to = translator_language (item->to);
  g_autoptr (GString) text = g_string_new (prompt_of (t->settings));
  JsonArray *messages = json_array_new ();
  JsonObject *message = json_object_new ();

  g_string_replace (text, "{from}", from, 0);
  g_string_replace (text, "{to}", to, 0);
  g_string_append (text, "\n\n");
  g_string_append_len (text, item->text.data, (gssize) item->text.len);
  json_object_set_string_member (message, "role", "user");
  json_object_set_string_member (message, "content", text->str);
  json_array_add_object_element (messages, message);
  return messages;
}

/* Equal texts draw alike, whatever else is translated beside them. */
static guint64
seed_of (const TranslatorItem *item)
{
  guint64 hash = 14695981039346656037u ^ item->seed;

  for (gsize i = 0; i < item->text.len; i++)
    hash = (hash ^ (guchar) item->text.data[i]) * 1099511628211u;
  return hash;
}

static void
take_answer (Translator *t, TranslatorItem *item, const LmJob *job, gboolean opened)
{
  const char *answer;
  LmThink think = lm_think_split (job->text->str, job->text->len, opened, &answer);

  if (think == LM_THINK_OPEN || job->stop == LM_STOP_LENGTH || job->stop == LM_STOP_CONTEXT)
    {
      t->n_cut++;
      translator_item_refuse (item, "too_long", "the answer was cut off after %u tokens",
                              job->ids->len);
      return;
    }
  translator_item_done (item, g_strdup (answer), strlen (answer));
}

static gboolean
translate_some (Translator *t, TranslatorItem *items, gsize n, GError **error)
{
  g_autoptr (LmAnswers) answers = lm_answers_new ();
  g_autofree guint *job = g_new (guint, n);

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (JsonArray) messages = messages_of (t, &items[i]);
      g_autoptr (GError) fault = NULL;
      const char *rule;

      job[i] = answers->jobs->len;
      if (lm_answerer_ask (t->answerer, answers, messages, seed_of (&items[i]), &rule, &fault))
        continue;
      job[i] = G_MAXUINT;
      translator_item_refuse (&items[i], g_strcmp0 (rule, "too_long") == 0 ? rule : "refused", "%s",
                              fault->message);
    }
  if (answers->jobs->len > 0 && !lm_answerer_answer (t->answerer, answers, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (job[i] != G_MAXUINT)
      take_answer (t, &items[i], &g_array_index (answers->jobs, LmJob, job[i]),
                   g_array_index (answers->opened, gboolean, job[i]));
  t->n_asked += n;
  return TRUE;
}

static gboolean
translate (Translator *t, TranslatorItem *items, gsize n, TranslatorDone done, gpointer data,
           GError **error)
{
  gsize step = (gsize) t->settings->batch_texts * ROUNDS;

  for (gsize first = 0; first < n; first += step)
    {
      gsize some = MIN (step, n - first);
      g_autofree TranslatorItem **answered = g_new (TranslatorItem *, some);

      if (!translate_some (t, items + first, some, error))
        return FALSE;
      for (gsize i = 0; i < some; i++)
        answered[i] = &items[first + i];
      if (!done (data, answered, some, error))
        return FALSE;
    }
  return TRUE;
}

static void
report (Translator *t, JsonObject *to)
{
  json_object_set_object_member (to, "model", lm_answerer_settings (t->answerer));
  json_object_set_int_member (to, "answers", (gint64) t->n_asked);
  json_object_set_int_member (to, "answers_cut_off", (gint64) t->n_cut);
}

static const TranslatorEngine engine = {
  .size = sizeof (TranslatorEngine),
  .flags = TRANSLATOR_MODEL | TRANSLATOR_DRAWS,
  .check = check,
  .identity = identity,
  .open = open_engine,
  .translate = translate,
  .report = report,
  .close = close_engine,
};

static const FrService service = {
  .size = sizeof (FrService),
  .kind = TRANSLATOR_KIND,
  .name = "model",
  .version = TRANSLATOR_VERSION,
  .summary = "the language model at the stage's port; no network",
  .table = &engine,
};

static const FrService *const services[] = { &service, NULL };

FR_PLUGIN_SERVICES ("translator-model", PACKAGE_VERSION, "translation by a language model",
                    "Apache-2.0", "flowrun", services)
