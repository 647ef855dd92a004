/* SPDX-License-Identifier: Apache-2.0 */
/* generate.h: choosing tokens: greedy, temperature, top-k, top-p, min-p, repetition penalty; stop strings.
 *
 * The order of steps is transformers': repetition penalty, temperature, top-k, top-p, min-p, then a draw.
 */
#ifndef FLOWRUN_LM_GENERATE_H
#define FLOWRUN_LM_GENERATE_H

#include <gio/gio.h>
#include <glib.h>

#include "lm/decoder.h"

G_BEGIN_DECLS

/**
 * LmSampling:
 * @temperature: 0: greedy
 * @top_k: 0: off; @top_p: 1: off; @min_p: 0: off; @repetition_penalty: 1: off
 * @max_tokens: at most so many new ones
 * @stop: texts that end the answer (not part of it); NULL: none
 * @ends: token ids that end it (gint32)
 */
typedef struct {
  double temperature, top_p, min_p, repetition_penalty;
  guint top_k;
  gsize max_tokens;
  const char *const *stop;
  GArray *ends;
} LmSampling;

typedef enum { LM_STOP_END = 1, LM_STOP_STRING, LM_STOP_LENGTH, LM_STOP_CONTEXT } LmStop;

/**
 * LmJob: one answer wanted.
 * @prompt: ids; @seed: of this row alone
 * @text: the answer so far (whole characters); @ids: its tokens; @stop: why it ended; @logprob: sum over its tokens
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
 * lm_generate: runs @jobs, @batch at a time: a slot that is done takes the next job at once.  What a job gives does not
 * depend on the others beyond rounding.
 * @cancellable: or NULL: FR_ERROR_CANCELLED
 */
gboolean lm_generate (LmDecoder *decoder, LmTokenizer *tokenizer, const LmSampling *sampling,
                      LmJob *jobs, gsize n_jobs, guint batch, GCancellable *cancellable,
                      GError **error);

/** lm_sample: one token from @logits [n_vocab] (changed); @seen: ids before it, for the penalty; @rng: state, advanced; *@logprob of the choice before truncation. */
gint32 lm_sample (float *logits, gsize n_vocab, const LmSampling *sampling, const gint32 *seen,
                  gsize n_seen, guint64 *rng, double *logprob);

G_END_DECLS

#endif
