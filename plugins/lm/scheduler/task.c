/* SPDX-License-Identifier: Apache-2.0 */
/* task.c: one request: its copy, and its answer as it grows.
 *
 *   logits --lm_sample--> token --detokenizer--> pending --no part of a stop string--> ready -->
 * piece
 *
 * Nothing here depends on another request.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "lm/scheduler/scheduler-private.h"

/* ---- life ------------------------------------------------------------------------------------ */

static void
copy_sampling (LmSampling *to, const LmSampling *from)
{
  *to = *from;
  to->stop = (const char *const *) g_strdupv ((char **) from->stop);
  to->ends = from->ends != NULL ? g_array_copy (from->ends) : NULL;
  to->bias = from->bias != NULL ? g_array_copy (from->bias) : NULL;
}

/* The last token is not fed: it needs no row. */
static gsize
rows_needed (gsize n_prompt, gsize max_tokens, gsize context)
{
  return max_tokens > context - n_prompt ? context : n_prompt + MAX (max_tokens, 1) - 1;
}

LmTask *
lm_task_new (const LmRequest *request, LmTokenizer *tokenizer, gsize context)
{
  LmTask *task = g_new0 (LmTask, 1);

  task->request = *request;
  task->request.client = g_strdup (request->client);
  task->request.prompt = NULL;
  copy_sampling (&task->sampling, request->sampling);
  task->request.sampling = &task->sampling;
  task->n_prompt = request->n_prompt;
  task->reserve = rows_needed (request->n_prompt, request->sampling->max_tokens, context);
  task->rng = request->seed;
  task->region = LM_NO_REGION;
  task->seen = g_array_sized_new (FALSE, FALSE, sizeof (gint32), (guint) request->n_prompt + 64);
  g_array_append_vals (task->seen, request->prompt, (guint) request->n_prompt);
  task->detokenizer = lm_detokenizer_new (tokenizer, TRUE);
  task->pending = g_string_new (NULL);
  task->ready = g_string_new (NULL);
  task->fresh = g_array_new (FALSE, FALSE, sizeof (LmAnswerToken));
  task->tops = g_array_new (FALSE, FALSE, sizeof (LmLikely));
  task->submitted = g_get_monotonic_time ();
  return task;
}

void
lm_task_free (LmTask *task)
{
  g_free ((char *) task->request.client);
  g_strfreev ((char **) task->sampling.stop);
  g_clear_pointer (&task->sampling.ends, g_array_unref);
  g_clear_pointer (&task->sampling.bias, g_array_unref);
  g_array_unref (task->seen);
  lm_detokenizer_free (task->detokenizer);
  g_string_free (task->pending, TRUE);
  g_string_free (task->ready, TRUE);
  g_array_unref (task->fresh);
  g_array_unref (task->tops);
  g_free (task);
}

const gint32 *
lm_task_tokens (const LmTask *task)
{
  return (const gint32 *) (gpointer) task->seen->data;
}

gsize
lm_task_n_answer (const LmTask *task)
{
  return task->seen->len - task->n_prompt;
}

gboolean
lm_task_answering (const LmTask *task)
{
  return task->seen->len > task->n_prompt;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* Where the first stop string begins in @text; G_MAXSIZE: nowhere. */
static gsize
find_stop (const LmSampling *sampling, const GString *text)
{
  gsize first = G_MAXSIZE;

  for (const char *const *s = sampling->stop; s != NULL && *s != NULL; s++)
    {
      const char *found = **s != '\0' ? memmem (text->str, text->len, *s, strlen (*s)) : NULL;

      if (found != NULL)
        first = MIN (first, (gsize) (found - text->str));
    }
  return first;
}

/* How many bytes at the end of @text could be the beginning of a stop string. */
static gsize
held_back (const LmSampling *sampling, const GString *text)
{
  gsize most = 0;

  for (const char *const *s = sampling->stop; s != NULL && *s != NULL; s++)
    {
      gsize len = strlen (*s);

      for (gsize n = MIN (len > 0 ? len - 1 : 0, text->len); n > most; n--)
        if (memcmp (text->str + text->len - n, *s, n) == 0)
          most = n;
    }
  return most;
}

/* Makes ready what is certain; TRUE when a stop string was met. */
static gboolean
release_text (LmTask *task, gboolean all)
{
  GString *pending = task->pending;
  gsize stop = find_stop (&task->sampling, pending), n;

  if (stop != G_MAXSIZE)
    {
      g_string_append_len (task->ready, pending->str, (gssize) stop);
      g_string_truncate (pending, 0);
      return TRUE;
    }
  n = pending->len - (all ? 0 : held_back (&task->sampling, pending));
  g_string_append_len (task->ready, pending->str, (gssize) n);
  g_string_erase (pending, 0, (gssize) n);
  return FALSE;
}

static void
give_piece (LmTask *task)
{
  const LmLikely *top = (const LmLikely *) (gpointer) task->tops->data;
  LmPiece piece = { .text = task->ready->str,
                    .len = task->ready->len,
                    .tokens = (const LmAnswerToken *) (gpointer) task->fresh->data,
                    .n_tokens = task->fresh->len };

  for (guint i = 0; i < task->fresh->len; i++)
    {
      LmAnswerToken *token = &g_array_index (task->fresh, LmAnswerToken, i);

      token->top = token->n_top > 0 ? top : NULL;
      top += token->n_top;
    }
  if (task->request.piece != NULL)
    task->request.piece (task->request.data, &piece);
  g_string_truncate (task->ready, 0);
  g_array_set_size (task->fresh, 0);
  g_array_set_size (task->tops, 0);
}

/* ---- a token --------------------------------------------------------------------------------- */

static gboolean
is_end (const LmSampling *sampling, gint32 id)
{
  const GArray *ends = sampling->ignore_ends ? NULL : sampling->ends;

  for (guint i = 0; ends != NULL && i < ends->len; i++)
    if (g_array_index (ends, gint32, i) == id)
      return TRUE;
  return FALSE;
}

static void
add_token (LmTask *task, gint32 id, double logprob, gsize n_top)
{
  LmAnswerToken token = {
    .id = id, .logprob = (float) logprob, .end = is_end (&task->sampling, id), .n_top = n_top
  };

  g_array_append_val (task->seen, id);
  g_array_append_val (task->fresh, token);
  task->logprob += logprob;
  if (task->first == 0)
    task->first = g_get_monotonic_time ();
}

LmStop
lm_task_choose (LmTask *task, float *logits, gsize n_vocab, gsize context, GError **error)
{
  LmSampling *s = &task->sampling;
  gsize n_top = MIN (s->n_logprobs, n_vocab), at = task->tops->len;
  double logprob;
  gint32 id;

  s->n_logprobs = (guint) n_top;
  g_array_set_size (task->tops, (guint) (at + n_top));
  id = lm_sample (logits, n_vocab, s, lm_task_tokens (task), task->seen->len, task->n_prompt,
                  &task->rng, n_top > 0 ? &g_array_index (task->tops, LmLikely, at) : NULL,
                  &logprob);
  if (!isfinite (logprob))
    {
      g_array_set_size (task->tops, (guint) at);
      g_set_error (error, FR_ERROR, FR_ERROR_COMPUTE,
                   "the model's logits are not finite after %u tokens; its weights or the type of "
                   "activations do not do",
                   task->seen->len);
      return LM_STOP_ERROR;
    }
  add_token (task, id, logprob, n_top);
  if (is_end (s, id))
    return LM_STOP_END;
  lm_detokenizer_push (task->detokenizer, id, task->pending);
  if (release_text (task, FALSE))
    return LM_STOP_STRING;
  if (lm_task_n_answer (task) >= s->max_tokens)
    return LM_STOP_LENGTH;
  if (task->seen->len > context)
    return LM_STOP_CONTEXT;
  if (task->ready->len > 0)
    give_piece (task);
  return 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

static LmOutcome
outcome_of (const LmTask *task, LmStop why, const GError *error)
{
  gint64 now = g_get_monotonic_time (), first = task->first;
  gint64 admitted = task->admitted;

  return (LmOutcome){
    .why = why,
    .error = why == LM_STOP_ERROR ? error : NULL,
    .prompt_tokens = task->n_prompt,
    .reused_tokens = task->reused,
    .answer_tokens = lm_task_n_answer (task),
    .logprob = task->logprob,
    .queued = (admitted > 0 ? admitted : now) - task->submitted,
    .prefill = admitted > 0 ? (first > 0 ? first : now) - admitted : 0,
    .decode = first > 0 ? now - first : 0,
    .first_token = first > 0 ? first - task->submitted : 0,
  };
}

LmStop
lm_task_finish (LmTask *task, LmStop why)
{
  if (why == LM_STOP_STRING)
    return why;
  lm_detokenizer_finish (task->detokenizer, task->pending);
  return release_text (task, TRUE) && why < LM_STOP_CANCELLED ? LM_STOP_STRING : why;
}

void
lm_task_tell_end (LmTask *task, LmStop why, const GError *error)
{
  LmOutcome outcome;

  if (task->ready->len > 0 || task->fresh->len > 0)
    give_piece (task);
  outcome = outcome_of (task, why, error);
  if (task->request.end != NULL)
    task->request.end (task->request.data, &outcome);
}
