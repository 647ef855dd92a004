/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.c: text to token ids and back.
 *
 * Encoding goes as tokenizers does it: added tokens that stand in the text as
 * written; the normaliser on what is between; added tokens that stand in
 * normalised text; the pre-tokenisers; byte-pair encoding; what the
 * post-processor puts around.
 */
#include "config.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "tokenizer-private.h"

LmTokenizer *
lm_tokenizer_alloc (const char *name)
{
  LmTokenizer *t = g_new0 (LmTokenizer, 1);

  t->refs = 1;
  t->name = g_strdup (name);
  t->vocab = lm_vocab_new ();
  t->trie = lm_trie_new ();
  t->trie_norm = lm_trie_new ();
  return t;
}

LmTokenizer *
lm_tokenizer_new_json (const char *name, const char *data, gsize len, GError **error)
{
  g_autoptr (LmTokenizer) t = lm_tokenizer_alloc (name);

  if (!lm_tokenizer_read (t, data, len, error))
    return NULL;
  t->json = g_malloc (len + 1);
  memcpy (t->json, data, len);
  t->json[len] = 0;
  t->json_len = len;
  return g_steal_pointer (&t);
}

LmTokenizer *
lm_tokenizer_ref (LmTokenizer *t)
{
  g_atomic_int_inc (&t->refs);
  return t;
}

void
lm_tokenizer_unref (LmTokenizer *t)
{
  if (t == NULL || !g_atomic_int_dec_and_test (&t->refs))
    return;
  lm_vocab_free (t->vocab);
  lm_trie_free (t->trie);
  lm_trie_free (t->trie_norm);
  for (guint i = 0; i < t->n_added; i++)
    g_free (t->added[i].content);
  for (guint i = 0; i < t->n_splits; i++)
    lm_split_clear (&t->splits[i]);
  g_free (t->added);
  g_free (t->splits);
  g_free (t->prefix);
  g_free (t->suffix);
  g_free (t->json);
  g_free (t->head);
  g_clear_pointer (&t->config, json_node_unref);
  g_free (t->name);
  g_free (t);
}

char *
lm_tokenizer_to_json (LmTokenizer *t, gsize *len)
{
  if (t->json == NULL)
    return lm_tokenizer_gguf_json (t, len);
  *len = t->json_len;
  return g_memdup2 (t->json, t->json_len + 1);
}

JsonNode *
lm_tokenizer_config_json (LmTokenizer *t)
{
  return t->config != NULL ? json_node_copy (t->config) : NULL;
}

guint
lm_tokenizer_n_tokens (LmTokenizer *t)
{
  return t->vocab->n_tokens;
}

gint32
lm_tokenizer_find (LmTokenizer *t, const char *text)
{
  return lm_vocab_find (t->vocab, text, strlen (text));
}

static const LmToken *
token_of (LmTokenizer *t, gint32 id)
{
  if (id < 0 || (guint) id >= t->vocab->n_tokens
      || (t->vocab->tokens[id].flags & LM_TOKEN_HERE) == 0)
    return NULL;
  return &t->vocab->tokens[id];
}

gboolean
lm_tokenizer_is_special (LmTokenizer *t, gint32 id)
{
  const LmToken *token = token_of (t, id);

  return token != NULL && token->flags & LM_TOKEN_SPECIAL;
}

FrStr
lm_tokenizer_bytes (LmTokenizer *t, gint32 id)
{
  const LmToken *token = token_of (t, id);

  return token != NULL ? (FrStr){ token->data, token->len } : (FrStr){ NULL, 0 };
}

/* ---- normalising ------------------------------------------------------------------------- */

static void
nfc_of (const UNormalizer2 *nfc, const char *text, gsize len, GString *out)
{
  UErrorCode status = U_ZERO_ERROR;
  int32_t n16 = 0, n = 0, n8 = 0;
  g_autofree UChar *utf16 = g_new (UChar, len), *made = NULL;
  gsize room = out->len;

  u_strFromUTF8 (utf16, (int32_t) len, &n16, text, (int32_t) len, &status);
  made = g_new (UChar, (gsize) n16 * 3); /* no character grows more in NFC */
  n = unorm2_normalize (nfc, utf16, n16, made, n16 * 3, &status);
  g_string_set_size (out, room + (gsize) n * 3);
  u_strToUTF8 (out->str + room, n * 3, &n8, made, n, &status);
  g_string_truncate (out, room + (gsize) n8);
}

/* Text is cut where NFC of both sides is the whole's, so that only what composes is copied about.
 */
gboolean
lm_nfc_append (const char *text, gsize len, GString *out)
{
  const LmClasses *classes = lm_classes ();
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2 *nfc = unorm2_getNFCInstance (&status);
  gsize done = 0, before = 0, at = 0, next;

  while (at < len)
    {
      if ((guint8) text[at] < 0xcc) /* below U+0300 */
        {
          before = at;
          at += (guint8) text[at] < 0x80 ? 1 : 2;
          continue;
        }
      if ((lm_class_of (classes, lm_utf8_get (text, at, &next)) & LM_CLASS_COMPOSES) == 0)
        {
          before = at;
          at = next;
          continue;
        }
      while ((at = next) < len
             && lm_class_of (classes, lm_utf8_get (text, at, &next)) & LM_CLASS_COMPOSES)
        ;
      g_string_append_len (out, text + done, (gssize) (before - done));
      nfc_of (nfc, text + before, at - before, out);
      done = before = at;
    }
  if (done == 0)
    return FALSE;
  g_string_append_len (out, text + done, (gssize) (len - done));
  return TRUE;
}

/* ---- encoding ------------------------------------------------------------------------------ */

typedef struct
{
  LmTokenizer *t;
  guint flags;
  GArray *ids;
  GString *norm; /* one stretch between added tokens, normalised */
  gsize n_left_out;
  GError **error;
} Encoding;

static gboolean
encode_piece (const char *piece, gsize len, gpointer user, GError **error G_GNUC_UNUSED)
{
  Encoding *e = user;

  e->n_left_out += lm_vocab_encode (e->t->vocab, piece, len, e->ids);
  return TRUE;
}

static gboolean
encode_plain (Encoding *e, const char *text, gsize len)
{
  return lm_split_run (e->t->splits, e->t->n_splits, text, len, encode_piece, e, e->error);
}

/* \w of Rust's regex crate */
static gboolean
is_word (guint32 c)
{
  return u_isUAlphabetic ((UChar32) c) || u_hasBinaryProperty ((UChar32) c, UCHAR_JOIN_CONTROL)
         || (U_GET_GC_MASK ((UChar32) c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0;
}

static gboolean
stands_alone (const char *text, gsize len, gsize start, gsize end)
{
  gsize next;

  return !(start > 0 && is_word (lm_utf8_get (text, lm_utf8_before (text, start), &next)))
         && !(end < len && is_word (lm_utf8_get (text, end, &next)));
}

static gboolean
is_space (guint32 c)
{
  return lm_class_of (lm_classes (), c) & LM_CLASS_SPACE;
}

/* Takes the spaces around a token that wants them, but none that the one before it has. */
static void
take_spaces (const LmAdded *a, const char *text, gsize len, gsize done, gsize *start, gsize *end)
{
  gsize at, next;

  while (a->lstrip && *start > done)
    {
      at = lm_utf8_before (text, *start);
      if (!is_space (lm_utf8_get (text, at, &next)))
        break;
      *start = at;
    }
  while (a->rstrip && *end < len && is_space (lm_utf8_get (text, *end, &next)))
    *end = next;
}

typedef gboolean (*StretchFunc) (Encoding *e, const char *text, gsize len);

/* Added tokens of @trie become ids; what is between goes to @func. */
static gboolean
cut_added (Encoding *e, const LmTrie *trie, const char *text, gsize len, StretchFunc func)
{
  gsize from = 0, done = 0, start = 0, end = 0;
  gint32 i;

  while (!lm_trie_is_empty (trie) && (i = lm_trie_find (trie, text, len, from, &start, &end)) >= 0)
    {
      const LmAdded *a = &e->t->added[i];

      from = end;
      if ((e->flags & LM_ENCODE_PLAIN && a->special)
          || (a->single_word && !stands_alone (text, len, start, end)))
        continue;
      take_spaces (a, text, len, done, &start, &end);
      if (start > done && !func (e, text + done, start - done))
        return FALSE;
      g_array_append_val (e->ids, a->id);
      done = end;
    }
  return done >= len || func (e, text + done, len - done);
}

static gboolean
encode_stretch (Encoding *e, const char *text, gsize len)
{
  if (e->t->nfc)
    {
      g_string_truncate (e->norm, 0);
      if (lm_nfc_append (text, len, e->norm))
        {
          text = e->norm->str;
          len = e->norm->len;
        }
    }
  return cut_added (e, e->t->trie_norm, text, len, encode_plain);
}

gboolean
lm_tokenizer_encode (LmTokenizer *t, const char *text, gsize len, guint flags, GArray *ids,
                     gsize *n_replaced, GError **error)
{
  Encoding e = { t, flags, ids, NULL, 0, error };
  GString *repaired = NULL;
  guint n_before = ids->len;
  gboolean ok;

  if (n_replaced != NULL)
    *n_replaced = 0;
  if (lm_utf8_span (text, len) < len)
    {
      repaired = g_string_sized_new (len + 64);
      lm_utf8_append (repaired, text, len, TRUE, n_replaced);
      text = repaired->str;
      len = repaired->len;
    }
  e.norm = g_string_new (NULL);
  if (flags & LM_ENCODE_SPECIAL)
    g_array_append_vals (ids, t->prefix, t->n_prefix);
  ok = cut_added (&e, t->trie, text, len, encode_stretch);
  if (flags & LM_ENCODE_SPECIAL)
    g_array_append_vals (ids, t->suffix, t->n_suffix);
  if (!ok)
    g_array_set_size (ids, n_before);
  if (n_replaced != NULL)
    *n_replaced += e.n_left_out;
  g_string_free (e.norm, TRUE);
  if (repaired != NULL)
    g_string_free (repaired, TRUE);
  return ok;
}

/* ---- decoding ------------------------------------------------------------------------------ */

struct _LmDetokenizer
{
  LmTokenizer *tokenizer;
  gboolean skip_special;
  GString *held; /* the beginning of a character */
};

LmDetokenizer *
lm_detokenizer_new (LmTokenizer *tokenizer, gboolean skip_special)
{
  LmDetokenizer *d = g_new0 (LmDetokenizer, 1);

  d->tokenizer = lm_tokenizer_ref (tokenizer);
  d->skip_special = skip_special;
  d->held = g_string_new (NULL);
  return d;
}

void
lm_detokenizer_push (LmDetokenizer *d, gint32 id, GString *out)
{
  const LmToken *token = token_of (d->tokenizer, id);

  if (token == NULL || (d->skip_special && token->flags & LM_TOKEN_SPECIAL))
    return;
  g_string_append_len (d->held, token->data, token->len);
  g_string_erase (d->held, 0,
                  (gssize) lm_utf8_append (out, d->held->str, d->held->len, FALSE, NULL));
}

void
lm_detokenizer_finish (LmDetokenizer *d, GString *out)
{
  lm_utf8_append (out, d->held->str, d->held->len, TRUE, NULL);
  g_string_truncate (d->held, 0);
}

void
lm_detokenizer_free (LmDetokenizer *d)
{
  if (d == NULL)
    return;
  lm_tokenizer_unref (d->tokenizer);
  g_string_free (d->held, TRUE);
  g_free (d);
}

char *
lm_tokenizer_decode (LmTokenizer *t, const gint32 *ids, gsize n, gboolean skip_special)
{
  g_autoptr (LmDetokenizer) d = lm_detokenizer_new (t, skip_special);
  GString *out = g_string_sized_new (4 * n);

  for (gsize i = 0; i < n; i++)
    lm_detokenizer_push (d, ids[i], out);
  lm_detokenizer_finish (d, out);
  return g_string_free (out, FALSE);
}
