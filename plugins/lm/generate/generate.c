/* SPDX-License-Identifier: Apache-2.0 */
/* generate.c: many answers at once.
 *
 *   jobs --next free slot--> slot: prompt, then one token a round --end--> next job
 *
 * Every round feeds all running slots in one pass: those that just began their
 * whole prompt, the others their last token.  A slot's choices depend on its
 * own logits, seen tokens and random state alone.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "lm/generate.h"

typedef struct
{
  LmJob *job; /* NULL: free */
  gboolean begun;
  guint64 rng;
  LmDetokenizer *detokenizer;
  GString *pending; /* decoded, not yet sure not to be part of a stop string */
  GArray *seen;     /* prompt and answer, for the penalty */
} Slot;

typedef struct
{
  LmDecoder *decoder;
  LmTokenizer *tokenizer;
  const LmSampling *sampling;
  LmCache *cache;
  gsize n_vocab, room;
  Slot *slots;
  guint n_slots;
  LmFeed *feeds;
  Slot **fed;
  float *logits;
  LmJob *jobs;
  gsize n_jobs, next_job;
} Run;

/* ---- text ----------------------------------------------------------------------------------- */

static void
give (Slot *slot, const char *text, gsize len)
{
  if (len == 0)
    return;
  g_string_append_len (slot->job->text, text, (gssize) len);
  if (slot->job->progress != NULL)
    slot->job->progress (slot->job->data, text, len);
}

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

/* Gives away what is certain; TRUE when a stop string was met. */
static gboolean
release_text (Run *run, Slot *slot, gboolean all)
{
  GString *pending = slot->pending;
  gsize stop = find_stop (run->sampling, pending), n;

  if (stop != G_MAXSIZE)
    {
      give (slot, pending->str, stop);
      g_string_truncate (pending, 0);
      return TRUE;
    }
  n = pending->len - (all ? 0 : held_back (run->sampling, pending));
  give (slot, pending->str, n);
  g_string_erase (pending, 0, (gssize) n);
  return FALSE;
}

/* ---- slots ------------------------------------------------------------------------------------ */

static void
end_slot (Run *run, Slot *slot, LmStop why)
{
  if (why != LM_STOP_STRING)
    {
      lm_detokenizer_finish (slot->detokenizer, slot->pending);
      if (release_text (run, slot, TRUE))
        why = LM_STOP_STRING;
    }
  slot->job->stop = why;
  slot->job = NULL;
  g_clear_pointer (&slot->detokenizer, lm_detokenizer_free);
}

static void
start_slot (Run *run, Slot *slot)
{
  LmJob *job;

  if (run->next_job == run->n_jobs)
    return;
  job = &run->jobs[run->next_job++];
  slot->job = job;
  slot->begun = FALSE;
  slot->rng = job->seed;
  slot->detokenizer = lm_detokenizer_new (run->tokenizer, TRUE);
  g_string_truncate (slot->pending, 0);
  g_array_set_size (slot->seen, 0);
  g_array_append_vals (slot->seen, job->prompt, (guint) job->n_prompt);
  lm_cache_cut (run->cache, (guint) (slot - run->slots), 0);
  job->logprob = 0;
  /* No token is wanted, or none fits behind the prompt. */
  if (run->sampling->max_tokens == 0)
    end_slot (run, slot, LM_STOP_LENGTH);
  else if (job->n_prompt > run->room)
    end_slot (run, slot, LM_STOP_CONTEXT);
}

static gboolean
is_end (const LmSampling *sampling, gint32 id)
{
  for (guint i = 0; sampling->ends != NULL && i < sampling->ends->len; i++)
    if (g_array_index (sampling->ends, gint32, i) == id)
      return TRUE;
  return FALSE;
}

static gboolean
choose (Run *run, Slot *slot, float *logits, GError **error)
{
  LmJob *job = slot->job;
  double logprob;
  gint32 id;

  id = lm_sample (logits, run->n_vocab, run->sampling, (const gint32 *) (gpointer) slot->seen->data,
                  slot->seen->len, &slot->rng, &logprob);
  if (!isfinite (logprob))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_COMPUTE,
                   "the model's logits are not finite after %u tokens; its weights or the type of activations do not do",
                   slot->seen->len);
      return FALSE;
    }
  job->logprob += logprob;
  g_array_append_val (job->ids, id);
  g_array_append_val (slot->seen, id);
  if (is_end (run->sampling, id))
    {
      end_slot (run, slot, LM_STOP_END);
      return TRUE;
    }
  lm_detokenizer_push (slot->detokenizer, id, slot->pending);
  if (release_text (run, slot, FALSE))
    end_slot (run, slot, LM_STOP_STRING);
  else if (job->ids->len >= run->sampling->max_tokens)
    end_slot (run, slot, LM_STOP_LENGTH);
  else if (slot->seen->len > run->room)
    end_slot (run, slot, LM_STOP_CONTEXT);
  return TRUE;
}

/* Fills free slots and says what each feeds; 0: all is done. */
static gsize
prepare_round (Run *run)
{
  gsize n = 0;

  for (guint i = 0; i < run->n_slots; i++)
    {
      Slot *slot = &run->slots[i];

      while (slot->job == NULL && run->next_job < run->n_jobs)
        start_slot (run, slot);
      if (slot->job == NULL)
        continue;
      run->feeds[n] = (LmFeed){ .slot = i, .want_logits = TRUE };
      run->feeds[n].tokens = slot->begun ? &g_array_index (slot->seen, gint32, slot->seen->len - 1) : slot->job->prompt;
      run->feeds[n].n = slot->begun ? 1 : slot->job->n_prompt;
      slot->begun = TRUE;
      run->fed[n++] = slot;
    }
  return n;
}

static gboolean
run_jobs (Run *run, GCancellable *cancellable, GError **error)
{
  gsize n;

  while ((n = prepare_round (run)) > 0)
    {
      if (g_cancellable_is_cancelled (cancellable))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
          return FALSE;
        }
      if (!lm_cache_feed (run->cache, run->feeds, n, run->logits, error))
        return FALSE;
      for (gsize i = 0; i < n; i++)
        if (!choose (run, run->fed[i], run->logits + i * run->n_vocab, error))
          return FALSE;
    }
  return TRUE;
}

static void
clear_run (Run *run)
{
  for (guint i = 0; i < run->n_slots; i++)
    {
      g_clear_pointer (&run->slots[i].detokenizer, lm_detokenizer_free);
      g_string_free (run->slots[i].pending, TRUE);
      g_array_unref (run->slots[i].seen);
    }
  g_clear_pointer (&run->cache, lm_cache_free);
  g_free (run->slots);
  g_free (run->feeds);
  g_free (run->fed);
  g_free (run->logits);
}

/* Tokens that the longest job needs room for. */
static gsize
longest (const LmJob *jobs, gsize n, gsize max_tokens, gsize context)
{
  gsize most = 1;

  for (gsize i = 0; i < n; i++)
    if (jobs[i].n_prompt <= context)
      most = MAX (most, jobs[i].n_prompt + MIN (max_tokens, context));
  return MIN (most, context);
}

gboolean
lm_generate (LmDecoder *decoder, LmTokenizer *tokenizer, const LmSampling *sampling, LmJob *jobs,
             gsize n_jobs, guint batch, GCancellable *cancellable, GError **error)
{
  const LmConfig *config = lm_model_config (lm_decoder_model (decoder));
  Run run = { .decoder = decoder, .tokenizer = tokenizer, .sampling = sampling, .jobs = jobs, .n_jobs = n_jobs };
  gboolean ok = TRUE;

  if (n_jobs == 0)
    return TRUE;
  for (gsize i = 0; i < n_jobs; i++)
    if (jobs[i].n_prompt == 0)
      {
        g_set_error (error, FR_ERROR, FR_ERROR_DATA, "prompt %" G_GSIZE_FORMAT " has no tokens", i + 1);
        return FALSE;
      }
  run.n_vocab = config->vocab_size;
  run.room = longest (jobs, n_jobs, sampling->max_tokens, config->max_position);
  run.n_slots = (guint) MIN (MAX (batch, 1), n_jobs);
  run.cache = lm_cache_new (decoder, run.n_slots, run.room, error);
  if (run.cache == NULL)
    return FALSE;
  run.slots = g_new0 (Slot, run.n_slots);
  run.feeds = g_new0 (LmFeed, run.n_slots);
  run.fed = g_new0 (Slot *, run.n_slots);
  run.logits = g_new (float, run.n_slots * run.n_vocab);
  for (guint i = 0; i < run.n_slots; i++)
    {
      run.slots[i].pending = g_string_new (NULL);
      run.slots[i].seen = g_array_new (FALSE, FALSE, sizeof (gint32));
    }
  ok = run_jobs (&run, cancellable, error);
  clear_run (&run);
  return ok;
}
