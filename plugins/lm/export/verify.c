/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c: whether a model that was written reads and computes as the one in memory.
 *
 * A wrong name, order of rows, scaling of positions or merge leaves every
 * tensor readable and every number plausible; only running the model tells.
 * Both are run over the same short text, and every logit is compared.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "lm/decoder.h"
#include "lm/export.h"

#define MAX_TOKENS 24

/* Always as many: sums depend on how they are divided, and the figures go into files that are the
 * same for any number of workers. */
#define THREADS 2

/* Latin, Chinese, emoji, digits, accents in two forms, line ends of both kinds, code, blanks. */
static const char *const texts[] = {
  "Write two sentences about a desk lamp of brushed steel. 写两句话介绍一盏台灯,适合在家办公。",
  "价格：¥1,299.00(约 185 美元)。24小时发货，支持7天无理由退货！「新品」上市……",
  "It's 3.14159 or 2026-11-26 12:34:56; we'll see, they've said: \"DON'T\".\r\n\r\n\tEnd\n",
  "caf\xc3\xa9 cafe\xcc\x81 na\xc3\xafve \xc3\x9c"
  "ber \xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 "
  "\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7 \xed\x95\x9c\xea\xb5\xad\xec\x96\xb4 "
  "\xe3\x81\x8b\xe3\x81\xaa\xe3\x82\xab\xe3\x83\x8a",
  "\xf0\x9f\x98\x80\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 "
  "\xf0\x9f\x87\xa8\xf0\x9f\x87\xb3 \xe2\x82\xac",
  "for (int i = 0; i < n; i++)\n    x[i] += y[i] * 0x1F;  // \xe6\xb3\xa8\xe9\x87\x8a\n",
  "   leading, trailing   and\xe3\x80\x80wide\xe2\x80\x89thin blanks   ",
  "<think>\nOkay.\n</think>\n\nAnswer",
};

static const char *
where (LmModel *model)
{
  return lm_model_path (model) != NULL ? lm_model_path (model) : lm_model_name (model);
}

/* ---- the tokenizer ------------------------------------------------------------------------- */

static gboolean
encode (LmModel *model, const char *text, guint flags, GArray *ids, GError **error)
{
  LmTokenizer *tokenizer = lm_model_tokenizer (model, error);

  return tokenizer != NULL
         && lm_tokenizer_encode (tokenizer, text, strlen (text), flags, ids, NULL, error);
}

gboolean
lm_verify_tokenizer (LmModel *memory, LmModel *again, guint *n_ids, GError **error)
{
  static const guint flags[] = { 0, LM_ENCODE_SPECIAL, LM_ENCODE_PLAIN };

  *n_ids = 0;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    for (guint k = 0; k < G_N_ELEMENTS (flags); k++)
      {
        g_autoptr (GArray) a = g_array_new (FALSE, FALSE, sizeof (gint32));
        g_autoptr (GArray) b = g_array_new (FALSE, FALSE, sizeof (gint32));

        if (!encode (memory, texts[i], flags[k], a, error)
            || !encode (again, texts[i], flags[k], b, error))
          return FALSE;
        *n_ids += a->len;
        if (a->len == b->len && memcmp (a->data, b->data, a->len * sizeof (gint32)) == 0)
          continue;
        g_set_error (error, FR_ERROR, FR_ERROR_DATA,
                     "%s: its tokenizer, read again, cuts text number %u into %u tokens where the "
                     "model's own makes %u of it, or other ones",
                     where (again), i + 1, b->len, a->len);
        return FALSE;
      }
  return TRUE;
}

/* ---- logits ---------------------------------------------------------------------------------- */

/* What both are asked; a model without a tokenizer gets tokens from all over its vocabulary. */
static GArray *
make_prompt (LmModel *model)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  guint vocab = lm_model_config (model)->vocab_size;

  if (!encode (model, texts[0], LM_ENCODE_SPECIAL, ids, NULL) || ids->len == 0)
    for (guint i = 0; i < MAX_TOKENS; i++)
      {
        gint32 id = (gint32) ((guint64) i * 7919 % vocab);

        g_array_append_val (ids, id);
      }
  g_array_set_size (ids, MIN (ids->len, MIN (MAX_TOKENS, lm_model_config (model)->max_position)));
  return ids;
}

static float *
run (LmModel *model, LmCompute *compute, const GArray *ids, GError **error)
{
  LmDecoderOptions options = { .type = LM_F32 };
  g_autoptr (LmDecoder) decoder = lm_decoder_new (model, compute, &options, error);
  g_autofree float *logits = NULL;
  gint32 positions[MAX_TOKENS], labels[MAX_TOKENS];
  gsize starts[2] = { 0, ids->len };
  LmBatch batch = { .n_tokens = ids->len,
                    .n_seqs = 1,
                    .tokens = (const gint32 *) (gconstpointer) ids->data,
                    .positions = positions,
                    .labels = labels,
                    .starts = starts };

  if (decoder == NULL)
    return NULL;
  for (guint i = 0; i < ids->len; i++)
    {
      positions[i] = (gint32) i;
      labels[i] = -1;
    }
  logits = g_new (float, (gsize) ids->len *lm_model_config (model)->vocab_size);
  return lm_decoder_logits (decoder, &batch, logits, error) ? g_steal_pointer (&logits) : NULL;
}

/* log Σ exp of a row, its mean, and where it is largest. */
static double
normaliser (const float *row, gsize n, double *mean, gsize *top)
{
  double sum = 0, total = 0, largest;

  *top = 0;
  for (gsize i = 1; i < n; i++)
    if (row[i] > row[*top])
      *top = i;
  largest = (double) row[*top];
  for (gsize i = 0; i < n; i++)
    {
      sum += exp ((double) row[i] - largest);
      total += (double) row[i];
    }
  *mean = total / (double) n;
  return largest + log (sum);
}

/* What is added to all logits of a row alike changes no prediction, and does not count. */
static void
compare (const float *a, const float *b, guint rows, gsize n, LmLogitCheck *check)
{
  double off = 0, all = 0;

  *check = (LmLogitCheck){ .n_tokens = rows };
  for (guint r = 0; r < rows; r++, a += n, b += n)
    {
      double mean_a, mean_b, za, zb;
      gsize top_a, top_b;

      za = normaliser (a, n, &mean_a, &top_a);
      zb = normaliser (b, n, &mean_b, &top_b);
      check->same_top += top_a == top_b;
      for (gsize i = 0; i < n; i++)
        {
          double x = (double) a[i] - mean_a, d = (double) b[i] - mean_b - x;

          off += d * d;
          all += x * x;
          if (!(fabs (d) <= check->largest))
            check->largest = fabs (d);
          check->divergence
              += exp ((double) a[i] - za) * (((double) a[i] - za) - ((double) b[i] - zb));
        }
    }
  check->divergence /= MAX (rows, 1);
  check->error = all > 0 ? sqrt (off / all) : sqrt (off);
}

double
lm_verify_limit (LmType type)
{
  switch (type)
    {
    case LM_F32:
      return 1e-3;
    case LM_F16:
      return 0.05;
    case LM_BF16:
      return 0.2;
    case LM_Q8_0:
      return 0.3;
    case LM_Q6_K:
      return 0.5;
    default:
      return 0.8;
    }
}

/* The best there is; plain C where no backend is installed. */
static LmCompute *
open_compute (FrHost *host, GError **error)
{
  LmCompute *compute = lm_compute_open (host, NULL, THREADS, NULL);

  return compute != NULL ? compute
                         : lm_compute_open_class (lm_compute_reference (), THREADS, error);
}

gboolean
lm_verify_logits (FrHost *host, LmModel *memory, LmModel *again, double limit, LmLogitCheck *check,
                  GError **error)
{
  g_autoptr (LmCompute) compute = open_compute (host, error);
  gsize n = lm_model_config (memory)->vocab_size;
  g_autoptr (GArray) ids = make_prompt (memory);
  g_autofree float *a = NULL, *b = NULL;

  if (compute == NULL)
    return FALSE;
  if (lm_model_config (again)->vocab_size != n)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_DATA, "%s: read again it has %u tokens, expected %zu",
                   where (again), lm_model_config (again)->vocab_size, n);
      return FALSE;
    }
  a = run (memory, compute, ids, error);
  b = a != NULL ? run (again, compute, ids, error) : NULL;
  if (b == NULL)
    return FALSE;
  compare (a, b, ids->len, n, check);
  if (check->error <= limit)
    return TRUE;
  g_set_error (
      error, FR_ERROR, FR_ERROR_DATA,
      "%s: read again and run over %u tokens, its logits are off by %.3g of their spread, "
      "expected at most %g: it does not compute what the model in memory computes, and was "
      "removed",
      where (again), check->n_tokens, check->error, limit);
  return FALSE;
}

void
lm_verify_add (JsonObject *out, const LmLogitCheck *check)
{
  json_object_set_int_member (out, "prompt_tokens", check->n_tokens);
  json_object_set_double_member (out, "logit_error", check->error);
  json_object_set_double_member (out, "largest_logit_difference", check->largest);
  json_object_set_double_member (out, "divergence", check->divergence);
  json_object_set_int_member (out, "same_most_likely_token", check->same_top);
}
