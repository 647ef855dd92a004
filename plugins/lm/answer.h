/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h: a model that answers rows: what transform.generate and the evaluators share.
 *
 *   messages --lm_answerer_prompt--> prompts --lm_answerer_answer--> answers
 *
 * The settings are parameters of an element: LmAnswerConfig is a member of its configuration and
 * LM_ANSWER_PARAMS are its rows of the table.
 */
#ifndef FLOWRUN_LM_ANSWER_H
#define FLOWRUN_LM_ANSWER_H

#include <flowrun/host.h>
#include <flowrun/param.h>
#include <glib.h>

#include "lm/chat.h"
#include "lm/generate.h"

G_BEGIN_DECLS

/** LmAnswerConfig: as in LM_ANSWER_PARAMS; a number of -1 is the model's own. */
typedef struct
{
  gint64 max_tokens;
  double temperature, top_p, min_p, repetition_penalty;
  gint64 top_k;
  char **stop;
  gint64 batch;
  int type;              /* LmTypeChoice */
  int weights, products; /* of lm_int8_choose() */
  char *backend;
  JsonNode *variables, *tools;
} LmAnswerConfig;

/* Rows for the LmAnswerConfig that is member @in of @Config: settings of an answer, and who computes
 * it. */
#define LM_ANSWER_SETTINGS(Config, in, max_tokens_, temperature_, products_)                       \
  FR_PARAM_INT ("max_tokens", Config, in.max_tokens, 1, 1 << 24,                                   \
                "an answer has at most so many tokens", .def = max_tokens_, .unit = "tokens"),     \
      FR_PARAM_FLOAT ("temperature", Config, in.temperature, -1, 100,                              \
                      "divides the logits: 0 takes the likeliest token, 1 draws as the model "     \
                      "says; -1: the model's own",                                                 \
                      .def = temperature_),                                                        \
      FR_PARAM_INT ("top_k", Config, in.top_k, -1, 1 << 24,                                        \
                    "draw from the k likeliest; 0: all; -1: the model's own", .def = "-1"),        \
      FR_PARAM_FLOAT ("top_p", Config, in.top_p, -1, 1,                                            \
                      "draw from the likeliest that have this probability together; 1: all; -1: "  \
                      "the model's own",                                                           \
                      .def = "-1"),                                                                \
      FR_PARAM_FLOAT ("min_p", Config, in.min_p, -1, 1,                                            \
                      "leave out what is less likely than this times the likeliest; 0: nothing; "  \
                      "-1: the model's own",                                                       \
                      .def = "-1"),                                                                \
      FR_PARAM_FLOAT ("repetition_penalty", Config, in.repetition_penalty, -1, 100,                \
                      "makes what was said less likely; 1: no; -1: the model's own", .def = "-1"), \
      FR_PARAM_STRINGS ("stop", Config, in.stop, "texts that end an answer",                       \
                        .example = "[\"\\n\\n\"]"),                                                \
      FR_PARAM_ENUM ("type", Config, in.type, lm_type_choices, "type of activations",              \
                     .def = "auto"),                                                               \
      FR_PARAM_ENUM ("weights", Config, in.weights, lm_weights_choices,                            \
                     "weights in floats: as stored, or rounded to 8 bits: less memory to read, "   \
                     "so faster",                                                                  \
                     .def = "stored"),                                                             \
      FR_PARAM_ENUM ("products", Config, in.products, lm_products_choices,                         \
                     "how weights in blocks are multiplied: activations rounded to 8 bits on the " \
                     "way, or floats",                                                             \
                     .def = products_),                                                            \
      FR_PARAM_STRING ("backend", Config, in.backend,                                              \
                       "compute backend ('reference', 'openblas', 'onednn', 'cublas'); none "      \
                       "given: the best here",                                                     \
                       .example = "\"onednn\""),                                                   \
      FR_PARAM_JSON ("variables", Config, in.variables,                                            \
                     "an object of variables for the chat template",                               \
                     .example = "{\"enable_thinking\": false}"),                                   \
      FR_PARAM_JSON ("tools", Config, in.tools,                                                    \
                     "an array of tools for the chat template, in OpenAI's form")

/* The same with the number of rows that are answered together. */
#define LM_ANSWER_PARAMS(Config, in, max_tokens_, temperature_, batch_, products_)                 \
  LM_ANSWER_SETTINGS (Config, in, max_tokens_, temperature_, products_),                           \
      FR_PARAM_INT ("batch", Config, in.batch, 1, 4096, "rows answered at once", .def = batch_,    \
                    .unit = "rows")

/** lm_answer_configure: checks @config; FALSE with problems at the parameters' pointers. */
gboolean lm_answer_configure (const LmAnswerConfig *config, FrProblems *problems);

/**
 * lm_answer_sampling: what @config means for @model: a -1 becomes the model's own number, or what stands for none.
 * @sampling: written; ends is a new array; stop is borrowed from @config
 */
void lm_answer_sampling (const LmAnswerConfig *config, LmModel *model, LmChat *chat,
                         LmSampling *sampling);

/** LmAnswerer: a model with its decoder. */
typedef struct _LmAnswerer LmAnswerer;

/**
 * lm_answerer_new: opens backend and decoder.
 * @host: of the stage; gets counters, status lines and, for a model without a chat template, a
 * warning
 * @config: borrowed, must outlive it
 * @model: referenced
 */
LmAnswerer *lm_answerer_new (FrHost *host, const LmAnswerConfig *config, LmModel *model,
                             GError **error);
void lm_answerer_free (LmAnswerer *answerer);
LmModel *lm_answerer_model (LmAnswerer *answerer);
/** lm_answerer_settings: model, backend, type, and how tokens are chosen, for a report;
 * json_object_unref(). */
JsonObject *lm_answerer_settings (LmAnswerer *answerer);
/** lm_answerer_draws: whether tokens are drawn, so that another seed may give another answer. */
gboolean lm_answerer_draws (LmAnswerer *answerer);

/**
 * LmAnswers: answers to be given together.
 * @jobs: LmJob, in the order they were added; after lm_answerer_answer() with text, ids, stop,
 * logprob
 * @opened: gboolean for each: its prompt ends in an opened <think>
 */
typedef struct
{
  GArray *jobs;
  GArray *opened;
  GPtrArray *prompts;
} LmAnswers;

LmAnswers *lm_answers_new (void);
void lm_answers_free (LmAnswers *answers);

/**
 * lm_answerer_ask: adds a question to @answers.
 * @messages: ends with the user's turn
 * @seed: of this answer alone
 * @rule: set on FR_ERROR_DATA: what a row is rejected by: "no_prompt", or "too_long" for the
 * model's context
 */
gboolean lm_answerer_ask (LmAnswerer *answerer, LmAnswers *answers, JsonArray *messages,
                          guint64 seed, const char **rule, GError **error);

/** lm_answerer_answer: FR_ERROR_CANCELLED when the run is; counts tokens_in, tokens_out,
 * stopped_by_length and stopped_by_context. */
gboolean lm_answerer_answer (LmAnswerer *answerer, LmAnswers *answers, GError **error);

/**
 * lm_answerer_choices: the answers of @texts for this model; lm_choices_free().  From then on lm_answerer_ask() calls a
 * prompt too long that leaves no room for the longest of them.
 * @texts: NULL-terminated, at least two, distinct
 */
LmChoices *lm_answerer_choices (LmAnswerer *answerer, const char *const *texts, GError **error);

/**
 * LmChosen: one choice made.
 * @best: index of the likeliest answer; of equals the first
 * @confidence: its probability among the answers, 1 / n to 1
 * @mass: probability of all answers together before that: how much the model wanted to give one of
 * them at all
 */
typedef struct
{
  gsize best;
  double confidence, mass;
} LmChosen;

/**
 * lm_answerer_choose: lm_answerer_answer(), where an answer is one of @choices: nothing is drawn;
 * seeds, temperature and stop texts do not count.  Counts tokens_in, and off_choice for each
 * question where the model would rather have said something else (mass below 0.5).
 * @chosen: the caller's room for one for each question, in the order they were added; written
 * @probabilities: room for [questions, lm_choices_n()], written: of every answer; NULL: not wanted
 */
gboolean lm_answerer_choose (LmAnswerer *answerer, LmAnswers *answers, const LmChoices *choices,
                             LmChosen *chosen, double *probabilities, GError **error);

/** lm_stop_word: "end", "stop", "length", "context", "cancelled", "deadline", "error". */
const char *lm_stop_word (LmStop stop);

/** LmThink: what reasoning a text has. */
typedef enum
{
  LM_THINK_NONE = 0,
  LM_THINK_CLOSED,
  LM_THINK_OPEN /* it was begun and never ended: there is no answer */
} LmThink;

/**
 * lm_think_split: where the answer of @text begins.
 * @opened: the prompt ended in an opened <think>
 * @answer: set to the place behind the last </think> and the white space there; to the end when it
 * is open
 */
LmThink lm_think_split (const char *text, gsize len, gboolean opened, const char **answer);

/** lm_think_opened: whether @prompt ends in an opened <think>. */
gboolean lm_think_opened (const char *prompt, gsize len);

/**
 * LmThinker: reasoning and answer apart while they come, as lm_think_split() does it afterwards, but for a
 * second </think>: a stream cannot wait for the last one, so the first ends the reasoning.  The tags, and white
 * space at both ends of the reasoning, belong to neither.
 */
typedef struct _LmThinker LmThinker;
/** lm_thinker_new: @opened as in lm_think_split(). */
LmThinker *lm_thinker_new (gboolean opened);
void lm_thinker_free (LmThinker *thinker);
/** lm_thinker_push: @len bytes more; what is certain now is appended to one or both. */
void lm_thinker_push (LmThinker *thinker, const char *text, gsize len, GString *reasoning,
                      GString *answer);
/** lm_thinker_answers: whether the answer has begun. */
gboolean lm_thinker_answers (const LmThinker *thinker);
/** lm_thinker_finish: nothing more comes: appends the rest; what the text was. */
LmThink lm_thinker_finish (LmThinker *thinker, GString *reasoning, GString *answer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmThinker, lm_thinker_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmAnswerer, lm_answerer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmAnswers, lm_answers_free)

G_END_DECLS

#endif
