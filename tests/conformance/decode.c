/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: what our decoder makes of a model and tokens, for another program to compare.
 *
 * usage: decode MODEL BACKEND F32|BF16 logits|cache|lora|dropout|full TOKENS OUT.safetensors
 *
 * MODEL: a Hugging Face directory, a GGUF file or a PEFT adapter directory.
 * BACKEND: a name, or "best".  TOKENS: a text file, a sequence of token
 * numbers on each line.  OUT holds "loss" [1], the mean of -log p of each
 * sequence's tokens after its first (not with cache), and
 *
 * - logits: "logits" [T, V] of all sequences, packed;
 *
 * - cache: "logits" [sequences, V] of each sequence's last token, the first
 * half fed as a prompt and the rest one by one;
 *
 * - lora, full: the gradient of the loss, by parameter name;
 *
 * - dropout: as lora, with dropout, the key of row t being t + 1.
 */
#include "config.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "lm/decoder.h"

typedef struct
{
  GArray *tokens, *positions, *labels, *starts;
} Sequences;

static gboolean
read_sequences (const char *path, Sequences *s, GError **error)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, error))
    return FALSE;
  lines = g_strsplit (g_strchomp (text), "\n", 0);
  s->tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  s->positions = g_array_new (FALSE, FALSE, sizeof (gint32));
  s->labels = g_array_new (FALSE, FALSE, sizeof (gint32));
  s->starts = g_array_new (FALSE, FALSE, sizeof (gsize));
  for (char **line = lines; *line; line++)
    {
      g_auto (GStrv) words = g_strsplit (*line, " ", 0);
      gsize start = s->tokens->len;

      g_array_append_val (s->starts, start);
      for (gint32 i = 0; words[i]; i++)
        {
          gint32 token = atoi (words[i]), label = words[i + 1] ? atoi (words[i + 1]) : -1;

          g_array_append_val (s->tokens, token);
          g_array_append_val (s->positions, i);
          g_array_append_val (s->labels, label);
        }
    }
  g_array_append_val (s->starts, (gsize){ s->tokens->len });
  return TRUE;
}

static void
clear_sequences (Sequences *s)
{
  g_array_unref (s->tokens);
  g_array_unref (s->positions);
  g_array_unref (s->labels);
  g_array_unref (s->starts);
}

static LmBatch
batch_of (const Sequences *s)
{
  return (LmBatch){ .n_tokens = s->tokens->len,
                    .n_seqs = s->starts->len - 1,
                    .tokens = (const gint32 *) (gpointer) s->tokens->data,
                    .positions = (const gint32 *) (gpointer) s->positions->data,
                    .labels = (const gint32 *) (gpointer) s->labels->data,
                    .starts = (const gsize *) (gpointer) s->starts->data };
}

/* ---- writing ------------------------------------------------------------------------------- */

static gboolean
fill (const LmTensor *tensor, gpointer out, gpointer user, GError **error)
{
  (void) error;
  memcpy (out, user, tensor->bytes);
  return TRUE;
}

static void
add_tensor (GArray *sources, const char *name, gsize rows, gsize cols, float *data)
{
  LmTensorSource source = { .tensor = { .name = g_strdup (name),
                                        .type = LM_F32,
                                        .n_dims = rows > 0 ? 2 : 1,
                                        .dims = { rows > 0 ? rows : cols, cols },
                                        .bytes = MAX (rows, 1) * cols * sizeof (float) },
                            .fill = fill,
                            .user = data };

  g_array_append_val (sources, source);
}

static void
clear_source (gpointer data)
{
  LmTensorSource *source = data;

  g_free (source->tensor.name);
  g_free (source->user);
}

static void
add_loss (GArray *sources, double loss)
{
  float *mean = g_new (float, 1);

  *mean = (float) loss;
  add_tensor (sources, "loss", 0, 1, mean);
}

/* ---- work ---------------------------------------------------------------------------------- */

static gboolean
make_logits (LmDecoder *decoder, const LmBatch *batch, gsize vocab, GArray *out, GError **error)
{
  float *logits = g_new (float, batch->n_tokens *vocab);

  double loss;
  gsize n;

  add_tensor (out, "logits", batch->n_tokens, vocab, logits);
  if (!lm_decoder_loss (decoder, batch, &loss, &n, error))
    return FALSE;
  add_loss (out, loss / n);
  return lm_decoder_logits (decoder, batch, logits, error);
}

static gboolean
make_cached (LmDecoder *decoder, const LmBatch *batch, gsize vocab, GArray *out, GError **error)
{
  g_autoptr (LmCache) cache = NULL;
  gsize n = batch->n_seqs, longest = 0;
  float *logits = g_new0 (float, n *vocab);

  add_tensor (out, "logits", n, vocab, logits);
  for (gsize s = 0; s < n; s++)
    longest = MAX (longest, batch->starts[s + 1] - batch->starts[s]);
  if (!(cache = lm_cache_new (decoder, n * longest, longest, error)))
    return FALSE;
  for (gsize s = 0; s < n; s++)
    lm_cache_open (cache, longest);
  for (gsize step = 0; step <= longest / 2 + 1; step++)
    for (gsize s = 0; s < n; s++)
      {
        gsize length = batch->starts[s + 1] - batch->starts[s], from = lm_cache_length (cache, s);
        LmFeed feed = { s, batch->tokens + batch->starts[s] + from,
                        step == 0 ? (length + 1) / 2 : 1, TRUE, LM_ADAPTER_OWN, FALSE };

        if (from < length && !lm_cache_feed (cache, &feed, 1, logits + s * vocab, error))
          return FALSE;
      }
  return TRUE;
}

static gboolean
make_gradients (LmDecoder *decoder, LmCompute *compute, LmBatch batch, gboolean dropout,
                GArray *out, GError **error)
{
  g_autofree guint64 *keys = g_new (guint64, batch.n_tokens);
  double loss;
  gsize n, counted = 0;

  for (gsize t = 0; t < batch.n_tokens; t++)
    {
      counted += batch.labels[t] >= 0;
      keys[t] = t + 1;
    }
  batch.keys = dropout ? keys : NULL;
  if (!lm_decoder_grad (decoder, &batch, 1.0 / counted, &loss, &n, error))
    return FALSE;
  add_loss (out, loss / counted);
  for (gsize i = 0; i < lm_decoder_n_params (decoder); i++)
    {
      const LmParam *p = lm_decoder_param (decoder, i);
      float *grad = g_new (float, p->rows * p->cols);

      compute->klass->download (compute, grad, p->grad, p->rows * p->cols * sizeof (float));
      add_tensor (out, p->name, p->decay ? p->rows : 0, p->cols, grad);
    }
  return TRUE;
}

static gboolean
decode (char **argv, GError **error)
{
  const char *what = argv[4];
  g_autoptr (LmModel) model = lm_model_open (argv[1], error);
  g_autoptr (LmCompute) compute = NULL;
  g_autoptr (LmDecoder) decoder = NULL;
  g_autoptr (GArray) out = g_array_new (FALSE, FALSE, sizeof (LmTensorSource));
  LmDecoderOptions options = { .type = strcmp (argv[3], "BF16") == 0 ? LM_BF16 : LM_F32 };
  Sequences sequences;
  LmBatch batch;
  gsize vocab;
  gboolean done;

  if (!model || !read_sequences (argv[5], &sequences, error))
    return FALSE;
  g_array_set_clear_func (out, clear_source);
  vocab = lm_model_config (model)->vocab_size;
  batch = batch_of (&sequences);
  if (strcmp (what, "lora") == 0 || strcmp (what, "dropout") == 0)
    options.train = LM_TRAIN_LORA;
  else if (strcmp (what, "full") == 0)
    options.train = LM_TRAIN_FULL;
  compute = lm_compute_open (NULL, strcmp (argv[2], "best") == 0 ? NULL : argv[2], 2, error);
  decoder = compute ? lm_decoder_new (model, compute, &options, error) : NULL;
  done = decoder != NULL;
  if (done && strcmp (what, "logits") == 0)
    done = make_logits (decoder, &batch, vocab, out, error);
  else if (done && strcmp (what, "cache") == 0)
    done = make_cached (decoder, &batch, vocab, out, error);
  else if (done)
    done = make_gradients (decoder, compute, batch, strcmp (what, "dropout") == 0, out, error);
  clear_sequences (&sequences);
  return done
         && lm_safetensors_write (argv[6], (LmTensorSource *) (gpointer) out->data, out->len, NULL,
                                  error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  if (argc < 7)
    g_printerr ("usage: decode MODEL BACKEND F32|BF16 logits|cache|lora|dropout|full TOKENS "
                "OUT.safetensors\n");
  else if (!decode (argv, &error))
    g_printerr ("decode: %s\n", error->message);
  else
    return 0;
  return 1;
}
