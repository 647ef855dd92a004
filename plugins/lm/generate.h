/* SPDX-License-Identifier: Apache-2.0 */
/* generate.h: choosing tokens: greedy, temperature, top-k, top-p, min-p, repetition penalty; stop strings.
 *
 * The order of steps is transformers': bias, repetition penalty, (OpenAI's penalties,) temperature, top-k, top-p, min-p,
 * then a draw.
 */
#ifndef FLOWRUN_LM_GENERATE_H
#define FLOWRUN_LM_GENERATE_H

#include <gio/gio.h>
#include <glib.h>

#include "lm/decoder.h"

G_BEGIN_DECLS

/** LmBias: added to the logit of token @id. */
typedef struct
{
  gint32 id;
  float bias;
} LmBias;

/**
 * LmSampling:
 * @temperature: 0: greedy
 * @top_k: 0: off; @top_p: 1: off; @min_p: 0: off; @repetition_penalty: 1 or 0: off; over prompt and answer
 * @presence_penalty, @frequency_penalty: as OpenAI defines them: taken off the logit of a token that the answer has
 *   already, once and for each time; 0: off; negative: the other way
 * @max_tokens: at most so many new ones
 * @stop: texts that end the answer (not part of it); NULL: none
 * @ends: token ids that end it (gint32)
 * @bias: (LmBias) of one id each; NULL: none
 * @n_logprobs: so many of the likeliest tokens are told with each (scheduler.h)
 * @ignore_ends: @ends are tokens like others
 */
typedef struct {
  double temperature, top_p, min_p, repetition_penalty;
  guint top_k;
  gsize max_tokens;
  const char *const *stop;
  GArray *ends;
  double presence_penalty, frequency_penalty;
  GArray *bias;
  guint n_logprobs;
  gboolean ignore_ends;
} LmSampling;

/** LmStop: why an answer ended; those from LM_STOP_CANCELLED on only of a scheduler's requests. */
typedef enum {
  LM_STOP_END = 1,
  LM_STOP_STRING,
  LM_STOP_LENGTH,
  LM_STOP_CONTEXT,
  LM_STOP_CANCELLED,
  LM_STOP_DEADLINE,
  LM_STOP_ERROR,
  LM_N_STOPS
} LmStop;

/**
 * LmJob: one answer wanted.
 * @prompt: ids; @seed: of this row alone
 * @text: the answer so far (whole characters); @ids: its tokens; @stop: why it ended; @logprob: sum over its tokens,
 *   of the model's own distribution
 * @progress: called with each new piece of text, or NULL
 */
typedef struct {
  const gint32 *prompt;
  gsize n_prompt;
  guint64 seed;
  GString *text;
  GArray *ids;
  LmStop stop;
  double logprob;
  void (*progress) (gpointer data, const char *piece, gsize len);
  gpointer data;
} LmJob;

/**
 * lm_generate: runs @jobs, @batch at a time, as requests of a scheduler (scheduler.h) that lives as long: a job that is done
 * makes place for the next one at once, and prompts that begin alike are computed once as far as they do.  What a job gives
 * does not depend on the others beyond rounding.
 * @cancellable: or NULL: FR_ERROR_CANCELLED
 */
gboolean lm_generate (LmDecoder *decoder, LmTokenizer *tokenizer, const LmSampling *sampling,
                      LmJob *jobs, gsize n_jobs, guint batch, GCancellable *cancellable,
                      GError **error);

/** LmLikely: a token, and the logarithm of the probability that the model gave it. */
typedef struct
{
  gint32 id;
  float logprob;
} LmLikely;

/**
 * lm_sample: one token from @logits [n_vocab] (changed).
 * @seen: ids before it, for the penalties; @n_prompt: of them the prompt, which OpenAI's penalties leave out
 * @rng: state, advanced by one draw; not at all when greedy
 * @top: room for n_logprobs likeliest tokens, largest first, of equals the lower id, or NULL
 * @logprob: of the token chosen; it and @top are the model's own: before bias, penalties, temperature and cuts;
 *   not finite when @logits are not
 */
gint32 lm_sample (float *logits, gsize n_vocab, const LmSampling *sampling, const gint32 *seen,
                  gsize n_seen, gsize n_prompt, guint64 *rng, LmLikely *top, double *logprob);

/* ---- one of a given set of answers -------------------------------------------------------- */

/**
 * LmChoices: the answers allowed, as a tree of tokens.
 *
 * The probability of an answer is that of its tokens after the prompt, the product over its path,
 * with nothing drawn and nothing cut: exact, whatever the number of answers.  Where one answer is
 * the beginning of another ("good", "good value"), an end token behind it is part of every answer,
 * or the shorter one could not be told from the longer; else the end is left out, as it is where
 * benchmarks rank answers by likelihood.  An answer is read the one way the tokenizer writes it.
 * Immutable.
 */
typedef struct _LmChoices LmChoices;

/**
 * lm_choices_new:
 * @texts: NULL-terminated, at least two, distinct
 * @ends: token ids (gint32) that end an answer, as in LmSampling
 * @error: FR_ERROR_CONFIG: an answer is empty, stands twice, or has no tokens of its own
 */
LmChoices *lm_choices_new (LmTokenizer *tokenizer, const char *const *texts, const GArray *ends,
                           GError **error);
void lm_choices_free (LmChoices *choices);
gsize lm_choices_n (const LmChoices *choices);
/** lm_choices_depth: tokens of the longest answer. */
gsize lm_choices_depth (const LmChoices *choices);
/** lm_choices_n_nodes: how often the model is asked for one prompt: 1 where every answer differs in its first token. */
gsize lm_choices_n_nodes (const LmChoices *choices);

/**
 * LmChoiceJob: one choice wanted.
 * @prompt: ids
 * @probabilities: [lm_choices_n()], the caller's room; written: of each answer among the answers; they sum to 1
 * @best: the likeliest; of equals the first
 * @mass: what the model gives all answers together: near 1: it was about to say one of them; near 0: something else
 */
typedef struct {
  const gint32 *prompt;
  gsize n_prompt;
  double *probabilities;
  gsize best;
  double mass;
} LmChoiceJob;

/**
 * lm_generate_choice: weighs the answers for @jobs, @batch prompts at a time; a prompt is read once.
 * What a job gives does not depend on the others beyond rounding.
 * @error: FR_ERROR_DATA: a prompt without tokens, or without room for the longest answer; FR_ERROR_COMPUTE: logits not
 *         finite; FR_ERROR_CANCELLED
 */
gboolean lm_generate_choice (LmDecoder *decoder, const LmChoices *choices, LmChoiceJob *jobs,
                             gsize n_jobs, guint batch, GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmChoices, lm_choices_free)

G_END_DECLS

#endif
