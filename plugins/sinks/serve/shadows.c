/* SPDX-License-Identifier: Apache-2.0 */
/* shadows.c: shadow answers at work (shadows.h). */
#include "config.h"

#include "shadows.h"

#include <string.h>

#include "lm/answer.h"

#define CLIENT "shadow" /* its own turn among those who wait */
#define PATIENCE 2      /* passes that others may find no place in */

/* One at work; it ends on the scheduler's thread. */
typedef struct
{
  ServeShadows *shadows;
  ServePair *pair;
  ServeModel *model;
  LmThinker *thinker; /* NULL: all is answer */
  GString *reasoning, *content;
  GList link;
  guint64 id;
  gint64 started;
} Shadow;

struct _ServeShadows
{
  GMutex lock;
  GQueue running; /* Shadow */
  guint waited;   /* passes, one after the other */
};

ServeShadows *
serve_shadows_new (void)
{
  ServeShadows *shadows = g_new0 (ServeShadows, 1);

  g_mutex_init (&shadows->lock);
  return shadows;
}

void
serve_shadows_free (ServeShadows *shadows)
{
  if (shadows == NULL)
    return;
  g_mutex_clear (&shadows->lock);
  g_free (shadows);
}

/* Tells @side, and lets go of @shadow, which is in no list any more. */
static void
end (Shadow *shadow, const ServeSide *side)
{
  serve_pair_answer (shadow->pair, TRUE, side);
  serve_model_unref (shadow->model);
  lm_thinker_free (shadow->thinker);
  g_string_free (shadow->reasoning, TRUE);
  g_string_free (shadow->content, TRUE);
  g_free (shadow);
}

static void
on_piece (gpointer data, const LmPiece *piece)
{
  Shadow *shadow = data;

  if (shadow->thinker != NULL)
    lm_thinker_push (shadow->thinker, piece->text, piece->len, shadow->reasoning, shadow->content);
  else
    g_string_append_len (shadow->content, piece->text, (gssize) piece->len);
}

char *
serve_shadows_text (const GString *reasoning, const GString *content)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (reasoning->len > 0)
    {
      g_string_append (text, "<think>");
      g_string_append_len (text, reasoning->str, (gssize) reasoning->len);
      g_string_append (text, "</think>");
    }
  g_string_append_len (text, content->str, (gssize) content->len);
  return g_utf8_make_valid (text->str, (gssize) text->len);
}

/* Why there is no whole answer; NULL: there is one. */
static const char *
failure (LmStop why)
{
  switch (why)
    {
    case LM_STOP_CANCELLED:
      return "gave way";
    case LM_STOP_DEADLINE:
      return "deadline";
    case LM_STOP_ERROR:
      return "failed";
    default:
      return NULL;
    }
}

static void
on_end (gpointer data, const LmOutcome *outcome)
{
  Shadow *shadow = data;
  g_autofree char *text = NULL;
  ServeSide side = { .error = failure (outcome->why),
                     .answer_tokens = outcome->answer_tokens,
                     .first_us = outcome->first_token,
                     .total_us = g_get_monotonic_time () - shadow->started };

  if (shadow->thinker != NULL)
    lm_thinker_finish (shadow->thinker, shadow->reasoning, shadow->content);
  side.text = text = serve_shadows_text (shadow->reasoning, shadow->content);
  side.len = strlen (text);
  side.stop = side.error == NULL ? lm_stop_word (outcome->why) : NULL;
  g_mutex_lock (&shadow->shadows->lock);
  g_queue_unlink (&shadow->shadows->running, &shadow->link);
  g_mutex_unlock (&shadow->shadows->lock);
  end (shadow, &side);
}

static Shadow *
shadow_new (ServeShadows *shadows, ServePair *pair, ServeModel *model)
{
  Shadow *shadow = g_new0 (Shadow, 1);

  shadow->shadows = shadows;
  shadow->pair = pair;
  shadow->model = serve_model_ref (model);
  shadow->reasoning = g_string_new (NULL);
  shadow->content = g_string_new (NULL);
  shadow->link.data = shadow;
  shadow->started = g_get_monotonic_time ();
  return shadow;
}

ServePair *
serve_shadows_ask (ServeShadows *shadows, ServeModels *models, LmScheduler *scheduler,
                   const ServePick *pick, const LmRequest *like, gboolean parts, gboolean opened,
                   const char *id, const char *prompt)
{
  static const ServeSide refused = { .error = "not taken" };
  LmRequest request = *like;
  LmSchedulerFigures figures;
  ServePair *pair;
  Shadow *shadow;
  LmSubmit why;

  if (pick->shadow == NULL)
    return NULL;
  lm_scheduler_figures (scheduler, &figures);
  /* The request itself may wait still, for the next pass: not for a place, while there are some. */
  pair = serve_models_shadow (
      models, pick,
      figures.running + figures.waiting < lm_scheduler_options (scheduler)->max_running ? 0 : 1, id,
      prompt);
  if (pair == NULL)
    return NULL;
  shadow = shadow_new (shadows, pair, pick->shadow);
  shadow->thinker = parts ? lm_thinker_new (opened) : NULL;
  request.adapter = pick->shadow->adapter;
  request.client = CLIENT;
  request.piece = on_piece;
  request.end = on_end;
  request.data = shadow;
  g_mutex_lock (&shadows->lock); /* it cannot end before it is in the list */
  why = lm_scheduler_submit (scheduler, &request, 1, &shadow->id, NULL, NULL);
  if (why == LM_SUBMIT_OK)
    g_queue_push_tail_link (&shadows->running, &shadow->link);
  g_mutex_unlock (&shadows->lock);
  if (why != LM_SUBMIT_OK)
    end (shadow, &refused);
  return pair;
}

void
serve_shadows_pass (ServeShadows *shadows, LmScheduler *scheduler)
{
  g_autoptr (GArray) ids = NULL;
  LmSchedulerFigures figures;

  g_mutex_lock (&shadows->lock);
  if (shadows->running.length > 0)
    ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  for (GList *l = shadows->running.head; l != NULL; l = l->next)
    g_array_append_val (ids, ((Shadow *) l->data)->id);
  g_mutex_unlock (&shadows->lock);
  if (ids == NULL)
    {
      shadows->waited = 0;
      return;
    }
  lm_scheduler_figures (scheduler, &figures);
  shadows->waited = figures.waiting > 0 ? shadows->waited + 1 : 0;
  if (shadows->waited < PATIENCE)
    return;
  for (guint i = 0; i < ids->len; i++)
    lm_scheduler_cancel (scheduler, g_array_index (ids, guint64, i));
  shadows->waited = 0;
}
