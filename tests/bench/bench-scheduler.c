/* SPDX-License-Identifier: Apache-2.0 */
/* bench-scheduler.c: what many requests at once get of one decoder, without a network.
 *
 * usage: bench-scheduler MODEL BACKEND f32|bf16 [threads=N] [streams=N] [tokens=N]
 * [stall=MICROSECONDS] [temperature=T] [top_p=P] [int8=0|1|2]
 *
 * int8: as LmInt8; 1: weights in blocks are multiplied so.
 *
 * streams: 1, and N (8) answers of TOKENS (128) at once: tokens a second of all, and what a pass
 * costs besides the decoder (choosing tokens, texts).
 *
 * same: of N answers together, how many have the tokens that they have alone.
 *
 * first: time to the first token of a prompt of 50 tokens that comes while N answers are at work,
 * the worst of ten; and the longest time that one of those went without a token while a prompt of
 * 1500 came in.
 *
 * shared: 16 requests with the same 400 leading tokens and 30 of their own, one token each: with
 * reuse and without.
 */
#include "config.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "lm/scheduler.h"

typedef struct
{
  LmDecoder *decoder;
  LmTokenizer *tokenizer;
  guint vocab, streams;
  gsize tokens;
  gint64 stall;
  LmSampling sampling;
} Bench;

typedef struct
{
  gint64 last, longest; /* microseconds between pieces */
  gint64 first;
  gsize reused;
  guint64 tokens; /* a hash of them */
} Stream;

static void
on_piece (gpointer data, const LmPiece *piece)
{
  Stream *s = data;
  gint64 now = g_get_monotonic_time ();

  for (gsize i = 0; i < piece->n_tokens; i++)
    s->tokens = (s->tokens ^ (guint64) piece->tokens[i].id) * 0x100000001b3u;
  if (s->last > 0)
    s->longest = MAX (s->longest, now - s->last);
  s->last = now;
}

static void
on_end (gpointer data, const LmOutcome *outcome)
{
  Stream *s = data;

  s->first = outcome->first_token;
  s->reused = outcome->reused_tokens;
}

static gint32 *
random_prompt (const Bench *b, guint seed, gsize n)
{
  gint32 *ids = g_new (gint32, n);
  GRand *rand = g_rand_new_with_seed (seed);

  for (gsize i = 0; i < n; i++)
    ids[i] = g_rand_int_range (rand, 100, (gint32) MIN (b->vocab, 30000));
  g_rand_free (rand);
  return ids;
}

static void
ask (const Bench *b, LmScheduler *s, Stream *stream, const gint32 *prompt, gsize n,
     gsize max_tokens)
{
  LmSampling sampling = b->sampling;
  LmRequest request = { .prompt = prompt,
                        .n_prompt = n,
                        .sampling = &sampling,
                        .piece = on_piece,
                        .end = on_end,
                        .data = stream };
  g_autoptr (GError) error = NULL;

  sampling.max_tokens = max_tokens;
  if (lm_scheduler_submit (s, &request, 1, NULL, NULL, &error) != LM_SUBMIT_OK)
    g_printerr ("%s\n", error->message);
}

static LmScheduler *
open_scheduler (const Bench *b, gboolean no_reuse, GError **error)
{
  LmSchedulerOptions options = { .max_running = MAX (b->streams + 2, 16),
                                 .context = 2048,
                                 .kv_tokens = 16384,
                                 .stall = b->stall,
                                 .no_reuse = no_reuse };

  return lm_scheduler_new (b->decoder, b->tokenizer, &options, error);
}

static gboolean
bench_streams (const Bench *b, guint n, GError **error)
{
  g_autofree Stream *streams = g_new0 (Stream, n);
  LmScheduler *s = open_scheduler (b, TRUE, error);
  LmSchedulerFigures begun, f;
  gint64 since, wall;
  double passes;

  if (s == NULL)
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      g_autofree gint32 *prompt = random_prompt (b, i, 20);

      ask (b, s, &streams[i], prompt, 20, b->tokens);
    }
  lm_scheduler_step (s);
  lm_scheduler_figures (s, &begun);
  since = g_get_monotonic_time ();
  while (lm_scheduler_step (s))
    ;
  wall = g_get_monotonic_time () - since;
  lm_scheduler_figures (s, &f);
  passes = (double) (f.passes - begun.passes);
  g_print ("streams: %u: %.1f tok/s; %.2f ms a pass, %.2f ms of it besides the decoder\n", n,
           (double) (f.answer_tokens - begun.answer_tokens) / (double) wall * 1e6,
           (double) wall / passes / 1e3,
           (double) (wall - (f.pass_time - begun.pass_time)) / passes / 1e3);
  lm_scheduler_free (s);
  return TRUE;
}

static gboolean
bench_first (const Bench *b, GError **error)
{
  g_autofree Stream *streams = g_new0 (Stream, b->streams);
  g_autofree gint32 *large = random_prompt (b, 77, 1500);
  LmScheduler *s = open_scheduler (b, TRUE, error);
  Stream longest = { 0 };
  gint64 worst = 0, gap = 0;

  if (s == NULL)
    return FALSE;
  for (guint i = 0; i < b->streams; i++)
    {
      g_autofree gint32 *prompt = random_prompt (b, i, 20);

      ask (b, s, &streams[i], prompt, 20, 1000);
    }
  for (guint i = 0; i < 10; i++)
    {
      g_autofree gint32 *prompt = random_prompt (b, 100 + i, 50);
      Stream one = { 0 };

      for (guint k = 0; k < 5; k++)
        lm_scheduler_step (s);
      ask (b, s, &one, prompt, 50, 1);
      while (one.first == 0 && lm_scheduler_step (s))
        ;
      worst = MAX (worst, one.first);
    }
  for (guint i = 0; i < b->streams; i++)
    streams[i].longest = 0;
  ask (b, s, &longest, large, 1500, 1);
  while (longest.first == 0 && lm_scheduler_step (s))
    ;
  for (guint i = 0; i < b->streams; i++)
    gap = MAX (gap, streams[i].longest);
  g_print (
      "first: 50 tokens beside %u answers: %.0f ms; 1500 tokens: %.0f ms, answers waited %.0f ms "
      "at most\n",
      b->streams, (double) worst / 1e3, (double) longest.first / 1e3, (double) gap / 1e3);
  lm_scheduler_free (s);
  return TRUE;
}

static gboolean
bench_same (const Bench *b, GError **error)
{
  g_autofree Stream *together = g_new0 (Stream, b->streams);
  LmScheduler *s = open_scheduler (b, FALSE, error);
  guint same = 0;

  if (s == NULL)
    return FALSE;
  for (guint i = 0; i < b->streams; i++)
    {
      g_autofree gint32 *prompt = random_prompt (b, i, 10 + 17 * i);

      ask (b, s, &together[i], prompt, 10 + 17 * i, b->tokens);
      lm_scheduler_step (s);
    }
  while (lm_scheduler_step (s))
    ;
  lm_scheduler_free (s);
  for (guint i = 0; i < b->streams; i++)
    {
      g_autofree gint32 *prompt = random_prompt (b, i, 10 + 17 * i);
      Stream alone = { 0 };

      if ((s = open_scheduler (b, TRUE, error)) == NULL)
        return FALSE;
      ask (b, s, &alone, prompt, 10 + 17 * i, b->tokens);
      while (lm_scheduler_step (s))
        ;
      lm_scheduler_free (s);
      same += alone.tokens == together[i].tokens;
    }
  g_print ("same: %u of %u answers of %u tokens\n", same, b->streams, (guint) b->tokens);
  return TRUE;
}

static gboolean
bench_shared (const Bench *b, gboolean no_reuse, GError **error)
{
  g_autofree Stream *streams = g_new0 (Stream, 16);
  g_autofree gint32 *common = random_prompt (b, 5, 400);
  LmScheduler *s = open_scheduler (b, no_reuse, error);
  LmSchedulerFigures f;
  gint64 since;

  if (s == NULL)
    return FALSE;
  for (guint i = 0; i < 16; i++)
    {
      g_autofree gint32 *prompt = random_prompt (b, 200 + i, 430);

      memcpy (prompt, common, 400 * sizeof *prompt);
      ask (b, s, &streams[i], prompt, 430, 1);
    }
  since = g_get_monotonic_time ();
  while (lm_scheduler_step (s))
    ;
  lm_scheduler_figures (s, &f);
  g_print ("shared: 16 × (400 + 30) tokens, reuse %s: %.0f ms, %u rows\n", no_reuse ? "off" : "on",
           (double) (g_get_monotonic_time () - since) / 1e3, (guint) f.pass_rows);
  lm_scheduler_free (s);
  return TRUE;
}

/* The value of "name=value" among the arguments, or @otherwise. */
static const char *
option (char **argv, const char *name, const char *otherwise)
{
  gsize n = strlen (name);

  for (char **arg = argv + 1; *arg != NULL; arg++)
    if (strncmp (*arg, name, n) == 0 && (*arg)[n] == '=')
      return *arg + n + 1;
  return otherwise;
}

static gboolean
run (char **argv, GError **error)
{
  g_autoptr (LmModel) model = lm_model_open (argv[1], error);
  g_autoptr (LmCompute) compute = NULL;
  g_autoptr (LmDecoder) decoder = NULL;
  LmDecoderOptions options = { .type = strcmp (argv[3], "bf16") == 0 ? LM_BF16 : LM_F32,
                               .int8 = (LmInt8) atoi (option (argv, "int8", "1")) };
  Bench b = { .streams = (guint) atoi (option (argv, "streams", "8")),
              .tokens = (gsize) atoi (option (argv, "tokens", "128")),
              .stall = atoi (option (argv, "stall", "0")),
              .sampling = { .temperature = atof (option (argv, "temperature", "0")),
                            .top_p = atof (option (argv, "top_p", "1")),
                            .ignore_ends = TRUE } };

  if (model == NULL)
    return FALSE;
  compute = lm_compute_open (NULL, strcmp (argv[2], "best") == 0 ? NULL : argv[2],
                             (guint) atoi (option (argv, "threads", "2")), error);
  if (compute == NULL || (decoder = lm_decoder_new (model, compute, &options, error)) == NULL)
    return FALSE;
  b.decoder = decoder;
  b.tokenizer = lm_model_tokenizer (model, error);
  b.vocab = lm_model_config (model)->vocab_size;
  return b.tokenizer != NULL && bench_streams (&b, 1, error) && bench_streams (&b, b.streams, error)
         && bench_same (&b, error) && bench_first (&b, error) && bench_shared (&b, TRUE, error)
         && bench_shared (&b, FALSE, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  if (argc < 4)
    {
      g_printerr (
          "usage: bench-scheduler MODEL BACKEND f32|bf16 [threads=N] [streams=N] [tokens=N] "
          "[stall=MICROSECONDS]\n");
      return 2;
    }
  if (run (argv, &error))
    return 0;
  g_printerr ("bench-scheduler: %s\n", error->message);
  return 1;
}
