/* SPDX-License-Identifier: Apache-2.0 */
/* generate.c: many answers at once: jobs are requests of a scheduler that lives as long as they do.
 *
 * Nothing goes by time here, so that the same jobs make the same passes.
 */
#include "config.h"

#include "lm/generate.h"
#include "lm/scheduler.h"

/* One for each job: what the scheduler's callbacks need. */
typedef struct
{
  LmJob *job;
  GError **fault; /* the first of all jobs */
} Asked;

static void
take_piece (gpointer data, const LmPiece *piece)
{
  LmJob *job = ((Asked *) data)->job;

  for (gsize i = 0; i < piece->n_tokens; i++)
    g_array_append_val (job->ids, piece->tokens[i].id);
  if (piece->len == 0)
    return;
  g_string_append_len (job->text, piece->text, (gssize) piece->len);
  if (job->progress != NULL)
    job->progress (job->data, piece->text, piece->len);
}

static void
take_end (gpointer data, const LmOutcome *outcome)
{
  Asked *asked = data;

  asked->job->stop = outcome->why;
  asked->job->logprob = outcome->logprob;
  if (outcome->error != NULL && *asked->fault == NULL)
    *asked->fault = g_error_copy (outcome->error);
}

/* ---- room ------------------------------------------------------------------------------------ */

/* Tokens of prompt and answer. */
static gsize
job_tokens (const LmJob *job, const LmSampling *sampling, gsize context)
{
  return MIN (job->n_prompt + MIN (sampling->max_tokens, context), context);
}

/* No more rows than the jobs can fill. */
static void
choose_room (LmSchedulerOptions *options, const LmSampling *sampling, const LmJob *jobs, gsize n,
             gsize context)
{
  gsize longest = 1, all = 0;

  for (gsize i = 0; i < n; i++)
    if (jobs[i].n_prompt <= context)
      {
        longest = MAX (longest, job_tokens (&jobs[i], sampling, context));
        all += job_tokens (&jobs[i], sampling, context);
      }
  options->context = longest;
  options->kv_tokens = MAX (1, MIN (all, options->max_running * longest));
}

/* ---- work ------------------------------------------------------------------------------------ */

/* A prompt that is longer than the context has no answer, but that is no fault. */
static gboolean
submit_jobs (LmScheduler *scheduler, const LmSampling *sampling, Asked *asked, gsize n,
             GError **error)
{
  gsize context = lm_scheduler_options (scheduler)->context;

  for (gsize i = 0; i < n; i++)
    {
      LmJob *job = asked[i].job;
      LmRequest request = { .prompt = job->prompt,
                            .n_prompt = job->n_prompt,
                            .sampling = sampling,
                            .seed = job->seed,
                            .exact = TRUE,
                            .piece = take_piece,
                            .end = take_end,
                            .data = &asked[i] };

      job->logprob = 0;
      job->stop = sampling->max_tokens == 0 ? LM_STOP_LENGTH : LM_STOP_CONTEXT;
      if (sampling->max_tokens > 0 && job->n_prompt <= context
          && lm_scheduler_submit (scheduler, &request, 1, NULL, NULL, error) != LM_SUBMIT_OK)
        return FALSE;
    }
  return TRUE;
}

static gboolean
run_jobs (LmScheduler *scheduler, GError **fault, GCancellable *cancellable, GError **error)
{
  for (;;)
    {
      if (g_cancellable_is_cancelled (cancellable))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
          return FALSE;
        }
      if (!lm_scheduler_step (scheduler))
        return TRUE;
      if (*fault != NULL)
        {
          g_propagate_error (error, g_steal_pointer (fault));
          return FALSE;
        }
    }
}

gboolean
lm_generate (LmDecoder *decoder, LmTokenizer *tokenizer, const LmSampling *sampling, LmJob *jobs,
             gsize n_jobs, guint batch, GCancellable *cancellable, GError **error)
{
  const LmConfig *config = lm_model_config (lm_decoder_model (decoder));
  LmSchedulerOptions options = { .max_running = (guint) MIN (MAX (batch, 1), n_jobs) };
  g_autofree Asked *asked = g_new (Asked, n_jobs + 1);
  g_autoptr (GError) fault = NULL;
  LmScheduler *scheduler;
  gboolean ok;

  if (n_jobs == 0)
    return TRUE;
  for (gsize i = 0; i < n_jobs; i++)
    {
      asked[i] = (Asked){ &jobs[i], &fault };
      if (jobs[i].n_prompt > 0)
        continue;
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "prompt %" G_GSIZE_FORMAT " has no tokens",
                   i + 1);
      return FALSE;
    }
  choose_room (&options, sampling, jobs, n_jobs, config->max_position);
  scheduler = lm_scheduler_new (decoder, tokenizer, &options, error);
  ok = scheduler != NULL && submit_jobs (scheduler, sampling, asked, n_jobs, error)
       && run_jobs (scheduler, &fault, cancellable, error);
  lm_scheduler_free (scheduler);
  return ok;
}
