/* SPDX-License-Identifier: Apache-2.0 */
/* model.c: the labeler "model": which of the labels a language model would say, and how surely. */
#include "config.h"

#include <flowrun/flowrun.h>
#include <math.h>
#include <string.h>

#include "lm/answer.h"
#include "text/labeler.h"

struct _Labeler
{
  const LabelerSettings *settings;
  LmAnswerConfig config;
  LmAnswerer *answerer;
  LmChoices *choices;
  char *before, *after; /* of the prompt, around {text} */
};

static const char *
prompt_of (const LabelerSettings *s)
{
  return s->prompt != NULL ? s->prompt : LABELER_PROMPT;
}

static gboolean
check (const LabelerSettings *s, GError **error)
{
  guint n = s->labels != NULL ? g_strv_length ((char **) s->labels) : 0;

  if (n < 2)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "a model needs two labels or more to choose from");
      return FALSE;
    }
  for (guint i = 0; i < n; i++)
    for (guint k = 0; k <= i; k++)
      if (*s->labels[i] == '\0' || (k < i && strcmp (s->labels[i], s->labels[k]) == 0))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                       *s->labels[i] == '\0' ? "label %u is empty" : "label %u, '%s', stands twice",
                       i + 1, s->labels[i]);
          return FALSE;
        }
  if (strstr (prompt_of (s), "{text}") == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "the prompt has no place for the text: {text}");
      return FALSE;
    }
  return TRUE;
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void
labeler_close (Labeler *l)
{
  g_clear_pointer (&l->choices, lm_choices_free);
  g_clear_pointer (&l->answerer, lm_answerer_free);
  g_free (l->before);
  g_free (l->after);
  g_free (l);
}

/* The labels are put in before the text is, which may hold such marks itself. */
static void
cut_prompt (Labeler *l)
{
  g_autofree char *labels = g_strjoinv (", ", (char **) l->settings->labels);
  const char *prompt = prompt_of (l->settings), *place = strstr (prompt, "{text}");
  g_autoptr (GString) before = g_string_new_len (prompt, place - prompt);
  g_autoptr (GString) after = g_string_new (place + strlen ("{text}"));

  g_string_replace (before, "{labels}", labels, 0);
  g_string_replace (after, "{labels}", labels, 0);
  l->before = g_strdup (before->str);
  l->after = g_strdup (after->str);
}

static Labeler *
labeler_open (const LabelerSettings *s, FrHost *host, FrObject *model, GError **error)
{
  Labeler *l;

  if (!check (s, error))
    return NULL;
  if (model == NULL || !fr_object_is (model, lm_model_type.name))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG, "labels by a model need a model");
      return NULL;
    }
  l = g_new0 (Labeler, 1);
  l->settings = s;
  l->config = (LmAnswerConfig){ .max_tokens = 1,
                                .top_k = -1,
                                .top_p = -1,
                                .min_p = -1,
                                .repetition_penalty = -1,
                                .batch = MAX (s->batch, 1),
                                .backend = (char *) s->backend };
  cut_prompt (l);
  l->answerer = lm_answerer_new (host, &l->config, (LmModel *) model, error);
  if (l->answerer != NULL)
    l->choices = lm_answerer_choices (l->answerer, s->labels, error);
  if (l->choices != NULL)
    return l;
  labeler_close (l);
  return NULL;
}

/* ---- labels -----------------------------------------------------------------------------------
 */

static JsonArray *
messages_of (const Labeler *l, FrStr text)
{
  g_autofree char *content = g_strdup_printf (
      "%s%.*s%s", l->before, (int) MIN (text.len, (gsize) G_MAXINT), text.data, l->after);
  JsonArray *messages = json_array_new ();
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", "user");
  json_object_set_string_member (message, "content", content);
  json_array_add_object_element (messages, message);
  return messages;
}

/* Asks about @texts; @asked: the index of each question's text. */
static void
ask (Labeler *l, LmAnswers *answers, const FrStr *texts, gsize n, LabelerResult *results,
     GArray *asked)
{
  for (gsize i = 0; i < n; i++)
    {
      FrStr text = texts[i].data != NULL ? texts[i] : FR_STR ("");
      g_autoptr (JsonArray) messages = messages_of (l, text);
      g_autoptr (GError) fault = NULL;
      const char *rule = NULL;

      results[i] = (LabelerResult){ .best = G_MAXSIZE };
      if (lm_answerer_ask (l->answerer, answers, messages, 0, &rule, &fault))
        g_array_append_val (asked, i);
      else
        {
          results[i].rule = rule != NULL ? rule : "no_prompt";
          results[i].why = g_strdup (fault->message);
        }
    }
}

static gboolean
labeler_label (Labeler *l, const FrStr *texts, gsize n, LabelerResult *results,
               double *probabilities, GError **error)
{
  g_autoptr (LmAnswers) answers = lm_answers_new ();
  g_autoptr (GArray) asked = g_array_new (FALSE, FALSE, sizeof (gsize));
  gsize width = lm_choices_n (l->choices);
  g_autofree LmChosen *chosen = NULL;
  g_autofree double *p = NULL;

  ask (l, answers, texts, n, results, asked);
  if (probabilities != NULL)
    memset (probabilities, 0, n * width * sizeof (double));
  if (asked->len == 0)
    return TRUE;
  chosen = g_new (LmChosen, asked->len);
  p = g_new (double, asked->len *width);
  if (!lm_answerer_choose (l->answerer, answers, l->choices, chosen, p, error))
    return FALSE;
  for (guint k = 0; k < asked->len; k++)
    {
      gsize i = g_array_index (asked, gsize, k);

      results[i].best = chosen[k].best;
      results[i].confidence = chosen[k].confidence;
      results[i].mass = chosen[k].mass;
      if (probabilities != NULL)
        memcpy (probabilities + i * width, p + k * width, width * sizeof (double));
    }
  return TRUE;
}

static const LabelerEngine engine = {
  .size = sizeof (LabelerEngine),
  .check = check,
  .open = labeler_open,
  .label = labeler_label,
  .close = labeler_close,
};

static const FrService service = {
  .size = sizeof (FrService),
  .kind = LABELER_KIND,
  .name = "model",
  .version = LABELER_VERSION,
  .summary = "the label that a language model would say",
  .table = &engine,
};

static const FrService *const services[] = { &service, NULL };

FR_PLUGIN_SERVICES ("labeler-model", PACKAGE_VERSION, "labels by a language model", "Apache-2.0",
                    "flowrun", services)
