/* SPDX-License-Identifier: Apache-2.0 */
/* gguf-keys.c: a tokenizer as a GGUF's metadata: gguf.c backwards.
 *
 * Follows the GGUF specification (tokenizer.ggml.*).  Tokens are written as
 * tokenizer.json has them, in byte-level letters; added tokens as their text.
 */
#include "config.h"

#include <string.h>

#include "tokenizer-private.h"

/* Kinds of token in tokenizer.ggml.token_type. */
enum
{
  NORMAL = 1,
  CONTROL = 3,
  USER_DEFINED = 4,
  UNUSED = 5
};

static gboolean
refuse (const LmTokenizer *t, GError **error, const char *why)
{
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "%s: a GGUF cannot say that %s; use sink.safetensors", t->name, why);
  return FALSE;
}

static gint32
kind_of (guint flags)
{
  return flags & LM_TOKEN_SPECIAL ? CONTROL : flags & LM_TOKEN_ADDED ? USER_DEFINED : NORMAL;
}

/* Texts one after the other, and where each begins. */
typedef struct
{
  GString *text;
  GArray *starts; /* gsize */
} Texts;

static void
texts_init (Texts *texts)
{
  texts->text = g_string_new (NULL);
  texts->starts = g_array_new (FALSE, FALSE, sizeof (gsize));
}

static void
texts_next (Texts *texts)
{
  g_array_append_val (texts->starts, texts->text->len);
}

/* Writes them under @key, and frees them. */
static void
texts_set (Texts *texts, LmGgufKeys *keys, const char *key)
{
  gsize n = texts->starts->len;
  g_autofree FrStr *strings = g_new (FrStr, MAX (n, 1));

  for (gsize i = 0; i < n; i++)
    {
      gsize from = g_array_index (texts->starts, gsize, i);
      gsize to = i + 1 < n ? g_array_index (texts->starts, gsize, i + 1) : texts->text->len;

      strings[i] = (FrStr){ texts->text->str + from, to - from };
    }
  lm_gguf_keys_set_texts (keys, key, strings, n);
  g_string_free (texts->text, TRUE);
  g_array_unref (texts->starts);
}

static void
set_tokens (LmGgufKeys *keys, const LmVocab *v, guint n)
{
  g_autofree gint32 *kinds = g_new (gint32, MAX (n, 1));
  Texts texts;

  texts_init (&texts);
  for (guint id = 0; id < n; id++)
    {
      texts_next (&texts);
      kinds[id] = UNUSED;
      if (id < v->n_tokens && (v->tokens[id].flags & LM_TOKEN_HERE))
        {
          kinds[id] = kind_of (v->tokens[id].flags);
          lm_vocab_text (v, id, texts.text);
        }
      else
        g_string_append_printf (texts.text, "[PAD%u]", id);
    }
  texts_set (&texts, keys, "tokenizer.ggml.tokens");
  lm_gguf_keys_set_i32s (keys, "tokenizer.ggml.token_type", kinds, n);
}

static void
set_merges (LmGgufKeys *keys, const LmVocab *v)
{
  Texts texts;

  texts_init (&texts);
  for (gsize rank = 0; rank < v->n_merges; rank++)
    {
      texts_next (&texts);
      lm_vocab_text (v, (guint32) (v->parts[rank] >> 32), texts.text);
      g_string_append_c (texts.text, ' ');
      lm_vocab_text (v, (guint32) v->parts[rank], texts.text);
    }
  texts_set (&texts, keys, "tokenizer.ggml.merges");
}

static void
set_id (LmGgufKeys *keys, const char *what, gint32 id)
{
  g_autofree char *key = g_strdup_printf ("tokenizer.ggml.%s_token_id", what);

  if (id >= 0)
    lm_gguf_keys_set_u32 (keys, key, (guint32) id);
}

gboolean
lm_gguf_keys_set_tokenizer (LmGgufKeys *keys, LmTokenizer *t, const LmGgufTokens *tokens,
                            GError **error)
{
  g_autofree char *pre = lm_tokenizer_gguf_pre (t, error);
  gboolean bos = t->n_prefix > 0, eos = t->n_suffix > 0;

  if (pre == NULL)
    return FALSE;
  if (t->n_prefix > 1 || (bos && t->prefix[0] != tokens->bos))
    return refuse (t, error, "other tokens than the bos token stand before a text");
  if (t->n_suffix > 1 || (eos && t->suffix[0] != tokens->eos))
    return refuse (t, error, "other tokens than the eos token stand after a text");
  for (guint i = 0; i < t->n_added; i++)
    if (t->added[i].single_word || t->added[i].lstrip || t->added[i].rstrip)
      return refuse (t, error, "an added token takes the space around it, or only whole words");
  lm_gguf_keys_set_text (keys, "tokenizer.ggml.model", "gpt2");
  lm_gguf_keys_set_text (keys, "tokenizer.ggml.pre", pre);
  set_tokens (keys, t->vocab, MAX (tokens->n_tokens, t->vocab->n_tokens));
  set_merges (keys, t->vocab);
  set_id (keys, "bos", tokens->bos);
  set_id (keys, "eos", tokens->eos);
  set_id (keys, "eot", tokens->eot);
  set_id (keys, "padding", tokens->padding);
  set_id (keys, "unknown", tokens->unknown);
  lm_gguf_keys_set_bool (keys, "tokenizer.ggml.add_bos_token", bos);
  lm_gguf_keys_set_bool (keys, "tokenizer.ggml.add_eos_token", eos);
  return TRUE;
}
