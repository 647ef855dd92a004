/* SPDX-License-Identifier: Apache-2.0 */
/* gguf.c: the tokenizer of a GGUF, and writing it as tokenizer.json.
 *
 * Follows the GGUF specification (tokenizer.ggml.*) and, for what a name in
 * tokenizer.ggml.pre stands for, llama.cpp.  A GGUF has tokens and merges as
 * tokenizer.json has them but not the components around: those are written
 * here as the head of a tokenizer.json, which is then read like any other.
 */
#include "config.h"

#include <flowrun/json.h>

#include "lm/weights/weights-private.h"
#include "tokenizer-private.h"

/* Kinds of token in tokenizer.ggml.token_type. */
enum
{
  NORMAL = 1,
  UNKNOWN = 2,
  CONTROL = 3,
  USER_DEFINED = 4,
  UNUSED = 5
};

#define BYTE_LEVEL(regex)                                                                          \
  "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":false,\"use_regex\":" regex \
  "}"

typedef struct
{
  const char *names; /* of tokenizer.ggml.pre, with spaces around each */
  const char *patterns[4];
  const char *before; /* a pre-tokeniser before the patterns */
  const char *byte_level;
  gboolean nfc, ignore_merges, add_bos;
} Family;

static const Family families[] = {
  { " gpt-2 gpt2 phi-2 ", { NULL }, NULL, BYTE_LEVEL ("true"), FALSE, FALSE, FALSE },
  { " smollm starcoder refact ",
    { NULL },
    "{\"type\":\"Digits\",\"individual_digits\":true}",
    BYTE_LEVEL ("true"),
    FALSE,
    FALSE,
    FALSE },
  { " qwen2 deepseek-r1-qwen ",
    { LM_QWEN2_PATTERN },
    NULL,
    BYTE_LEVEL ("false"),
    TRUE,
    FALSE,
    FALSE },
  { " llama-bpe llama3 llama-v3 ",
    { LM_LLAMA3_PATTERN },
    NULL,
    BYTE_LEVEL ("false"),
    FALSE,
    TRUE,
    TRUE },
  { " deepseek-v3 ",
    { LM_DIGITS3_PATTERN, LM_CJK_PATTERN, LM_DEEPSEEK3_PATTERN },
    NULL,
    BYTE_LEVEL ("false"),
    FALSE,
    FALSE,
    TRUE },
};

typedef struct
{
  LmWeightFile *file;
  JsonObject *metadata;
  const FrStr *tokens;
  const gint32 *types;
  gsize n_tokens;
  const Family *family;
  LmTokenizer *t;
} Gguf;

/* ---- metadata ---------------------------------------------------------------------------- */

static const char *
get_text (const Gguf *g, const char *key)
{
  JsonNode *node = json_object_get_member (g->metadata, key);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static gboolean
get_flag (const Gguf *g, const char *key, gboolean missing)
{
  JsonNode *node = json_object_get_member (g->metadata, key);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_BOOLEAN
             ? json_node_get_boolean (node)
             : missing;
}

/* Token tokenizer.ggml.@what, or -1. */
static gint64
get_token (const Gguf *g, const char *what)
{
  g_autofree char *key = g_strdup_printf ("tokenizer.ggml.%s_token_id", what);
  JsonNode *node = json_object_get_member (g->metadata, key);
  gint64 id = node != NULL && JSON_NODE_HOLDS_VALUE (node)
                      && json_node_get_value_type (node) == G_TYPE_INT64
                  ? json_node_get_int (node)
                  : -1;

  return id >= 0 && (guint64) id < g->n_tokens ? id : -1;
}

static gboolean
add_bos (const Gguf *g)
{
  return get_flag (g, "tokenizer.ggml.add_bos_token", g->family->add_bos)
         && get_token (g, "bos") >= 0;
}

static gboolean
add_eos (const Gguf *g)
{
  return get_flag (g, "tokenizer.ggml.add_eos_token", FALSE) && get_token (g, "eos") >= 0;
}

static gboolean
find_family (Gguf *g, GError **error)
{
  const char *model = get_text (g, "tokenizer.ggml.model"),
             *pre = get_text (g, "tokenizer.ggml.pre");
  g_autofree char *word = g_strdup_printf (" %s ", pre != NULL ? pre : "");

  if (g_strcmp0 (model, "gpt2") != 0)
    return lm_weights_error (
        g->file, error,
        "tokenizer.ggml.model is \"%s\"; known is \"gpt2\", which is byte-level BPE",
        model != NULL ? model : "missing");
  if (pre == NULL)
    return lm_weights_error (
        g->file, error,
        "tokenizer.ggml.pre is missing, so nothing says how text is cut; convert the model "
        "again with a newer llama.cpp");
  for (gsize i = 0; i < G_N_ELEMENTS (families) && strchr (pre, ' ') == NULL; i++)
    if (strstr (families[i].names, word) != NULL)
      {
        g->family = &families[i];
        return TRUE;
      }
  return lm_weights_error (
      g->file, error,
      "tokenizer.ggml.pre \"%s\" is not known; known are gpt-2, smollm, qwen2, deepseek-r1-qwen, "
      "llama-bpe and deepseek-v3",
      pre);
}

/* ---- the head ---------------------------------------------------------------------------- */

static void
append_token (GString *out, const Gguf *g, gint64 id)
{
  fr_json_append_string (out, g->tokens[id].data, g->tokens[id].len);
}

static gboolean
is_added (const Gguf *g, gsize id)
{
  return g->types[id] == CONTROL || g->types[id] == USER_DEFINED;
}

static void
append_flags (GString *out, const Gguf *g, gsize id)
{
  g_string_append (out, "\"content\":");
  append_token (out, g, (gint64) id);
  g_string_append_printf (out,
                          ",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":"
                          "false,\"special\":%s}",
                          g->types[id] == CONTROL ? "true" : "false");
}

static void
append_added (GString *out, const Gguf *g)
{
  const char *comma = "\n";

  for (gsize id = 0; id < g->n_tokens; id++)
    if (is_added (g, id))
      {
        g_string_append_printf (out, "%s{\"id\":%" G_GSIZE_FORMAT ",", comma, id);
        append_flags (out, g, id);
        comma = ",\n";
      }
}

static void
append_pre_tokenizer (GString *out, const Family *family)
{
  if (family->before == NULL && family->patterns[0] == NULL)
    {
      g_string_append (out, family->byte_level);
      return;
    }
  g_string_append (out, "{\"type\":\"Sequence\",\"pretokenizers\":[");
  if (family->before != NULL)
    g_string_append_printf (out, "%s,", family->before);
  for (guint i = 0; i < G_N_ELEMENTS (family->patterns) && family->patterns[i] != NULL; i++)
    {
      g_string_append (out, "{\"type\":\"Split\",\"pattern\":{\"Regex\":");
      fr_json_append_string (out, family->patterns[i], strlen (family->patterns[i]));
      g_string_append (out, "},\"behavior\":\"Isolated\",\"invert\":false},");
    }
  g_string_append_printf (out, "%s]}", family->byte_level);
}

static void
append_special (GString *out, const Gguf *g, gint64 id)
{
  g_string_append (out, "{\"SpecialToken\":{\"id\":");
  append_token (out, g, id);
  g_string_append (out, ",\"type_id\":0}}");
}

/* "single" or "pair": the texts @names with bos before and eos behind each. */
static void
append_template (GString *out, const Gguf *g, const char *names)
{
  const char *comma = "";

  for (guint i = 0; names[i] != 0; i++)
    {
      g_string_append (out, comma);
      if (add_bos (g))
        {
          append_special (out, g, get_token (g, "bos"));
          g_string_append_c (out, ',');
        }
      g_string_append_printf (out, "{\"Sequence\":{\"id\":\"%c\",\"type_id\":%u}}", names[i], i);
      if (add_eos (g))
        {
          g_string_append_c (out, ',');
          append_special (out, g, get_token (g, "eos"));
        }
      comma = ",";
    }
}

static void
append_post_processor (GString *out, const Gguf *g)
{
  const char *const names[] = { "bos", "eos" };
  gboolean wanted[] = { add_bos (g), add_eos (g) };
  const char *comma = "";

  if (!wanted[0] && !wanted[1])
    {
      g_string_append (out, BYTE_LEVEL ("false"));
      return;
    }
  g_string_append (out, "{\"type\":\"TemplateProcessing\",\"single\":[");
  append_template (out, g, "A");
  g_string_append (out, "],\"pair\":[");
  append_template (out, g, "AB");
  g_string_append (out, "],\"special_tokens\":{");
  for (guint i = 0; i < 2; i++)
    {
      gint64 id = get_token (g, names[i]);

      if (!wanted[i] || (i == 1 && wanted[0] && id == get_token (g, "bos")))
        continue;
      g_string_append (out, comma);
      append_token (out, g, id);
      g_string_append (out, ":{\"id\":");
      append_token (out, g, id);
      g_string_append_printf (out, ",\"ids\":[%" G_GINT64_FORMAT "],\"tokens\":[", id);
      append_token (out, g, id);
      g_string_append (out, "]}");
      comma = ",";
    }
  g_string_append (out, "}}");
}

/* tokenizer.json up to the vocabulary, without what closes it. */
static char *
make_head (const Gguf *g)
{
  GString *out = g_string_new (
      "{\"version\":\"1.0\",\n\"truncation\":null,\n\"padding\":null,\n\"added_tokens\":[");

  append_added (out, g);
  g_string_append_printf (out, "],\n\"normalizer\":%s,\n\"pre_tokenizer\":",
                          g->family->nfc ? "{\"type\":\"NFC\"}" : "null");
  append_pre_tokenizer (out, g->family);
  g_string_append (out, ",\n\"post_processor\":");
  append_post_processor (out, g);
  g_string_append (out, ",\n\"decoder\":" BYTE_LEVEL ("false"));
  g_string_append_printf (
      out,
      ",\n\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,"
      "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":false,"
      "\"byte_fallback\":false,\"ignore_merges\":%s,\n\"vocab\":{",
      g->family->ignore_merges ? "true" : "false");
  return g_string_free (out, FALSE);
}

char *
lm_tokenizer_gguf_json (LmTokenizer *t, gsize *len)
{
  const LmVocab *v = t->vocab;
  GString *out = g_string_new (t->head), *text = g_string_new (NULL);
  const char *comma = "\n";

  for (guint32 id = 0; id < v->n_tokens; id++)
    if (v->tokens[id].flags & LM_TOKEN_MODEL)
      {
        g_string_truncate (text, 0);
        lm_vocab_text (v, id, text);
        g_string_append (out, comma);
        fr_json_append_string (out, text->str, text->len);
        g_string_append_printf (out, ":%u", id);
        comma = ",\n";
      }
  g_string_append (out, "},\n\"merges\":[");
  comma = "\n";
  for (gsize rank = 0; rank < v->n_merges; rank++)
    {
      g_string_truncate (text, 0);
      lm_vocab_text (v, (guint32) (v->parts[rank] >> 32), text);
      g_string_append_c (text, ' ');
      lm_vocab_text (v, (guint32) v->parts[rank], text);
      g_string_append (out, comma);
      fr_json_append_string (out, text->str, text->len);
      comma = ",\n";
    }
  g_string_append (out, "]}}\n");
  g_string_free (text, TRUE);
  *len = out->len;
  return g_string_free (out, FALSE);
}

/* ---- tokenizer_config.json ----------------------------------------------------------------- */

static void
append_named (GString *out, const Gguf *g, const char *key, const char *what)
{
  gint64 id = get_token (g, what);

  g_string_append_printf (out, ",\n\"%s\":", key);
  if (id >= 0)
    append_token (out, g, id);
  else
    g_string_append (out, "null");
}

static JsonNode *
make_config (const Gguf *g, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const char *template = get_text (g, "tokenizer.chat_template"), *comma = "\n";
  const char *arch = get_text (g, "general.architecture");
  g_autofree char *key = g_strdup_printf ("%s.context_length", arch != NULL ? arch : "");
  gint64 context = json_object_get_int_member_with_default (g->metadata, key, 0);

  g_string_append_printf (
      out, "{\"add_bos_token\":%s,\n\"add_eos_token\":%s,\n\"add_prefix_space\":false",
      add_bos (g) ? "true" : "false", add_eos (g) ? "true" : "false");
  g_string_append (out, ",\n\"added_tokens_decoder\":{");
  for (gsize id = 0; id < g->n_tokens; id++)
    if (is_added (g, id))
      {
        g_string_append_printf (out, "%s\"%" G_GSIZE_FORMAT "\":{", comma, id);
        append_flags (out, g, id);
        comma = ",\n";
      }
  g_string_append (out, "}");
  append_named (out, g, "bos_token", "bos");
  if (template != NULL)
    {
      g_string_append (out, ",\n\"chat_template\":");
      fr_json_append_string (out, template, strlen (template));
    }
  g_string_append (out, ",\n\"clean_up_tokenization_spaces\":false");
  append_named (out, g, "eos_token", "eos");
  /* transformers 4 would else make token_type_ids, which these models do not take. */
  g_string_append (out, ",\n\"model_input_names\":[\"input_ids\",\"attention_mask\"]");
  if (context > 0)
    g_string_append_printf (out, ",\n\"model_max_length\":%" G_GINT64_FORMAT, context);
  append_named (out, g, "pad_token", "padding");
  g_string_append (out, ",\n\"tokenizer_class\":\"PreTrainedTokenizerFast\"");
  append_named (out, g, "unk_token", "unknown");
  g_string_append (out, "}");
  return fr_json_parse (out->str, (gssize) out->len, 0, error);
}

/* ---- tokens and merges ----------------------------------------------------------------------- */

/* llama.cpp fills the vocabulary up to the size of the embedding with "[PAD151665]" and the like.
 */
static gsize
without_padding (const Gguf *g)
{
  gsize n = g->n_tokens;

  while (n > 0 && g->types[n - 1] == UNUSED)
    {
      char name[32];
      int len = g_snprintf (name, sizeof name, "[PAD%" G_GSIZE_FORMAT "]", n - 1);

      if (g->tokens[n - 1].len != (gsize) len
          || memcmp (g->tokens[n - 1].data, name, (gsize) len) != 0)
        break;
      n--;
    }
  return n;
}

static gboolean
read_tokens (Gguf *g, GError **error)
{
  LmVocab *v = g->t->vocab;
  const char *fault;
  gsize n_types;

  g->tokens = lm_gguf_strings (g->file, "tokenizer.ggml.tokens", &g->n_tokens);
  g->types = lm_gguf_ints (g->file, "tokenizer.ggml.token_type", &n_types);
  if (g->tokens == NULL || g->types == NULL || n_types != g->n_tokens
      || g->n_tokens >= LM_VOCAB_MAX)
    return lm_weights_error (
        g->file, error,
        "tokenizer.ggml.tokens and tokenizer.ggml.token_type are not lists of equal length, "
        "below %d",
        LM_VOCAB_MAX);
  g->n_tokens = without_padding (g);
  lm_vocab_reserve (v, g->n_tokens);
  for (gsize id = 0; id < g->n_tokens; id++)
    {
      FrStr s = g->tokens[id];

      if (id + 32 < g->n_tokens)
        lm_vocab_prefetch (v, g->tokens[id + 32].data, g->tokens[id + 32].len);
      if (g->types[id] < NORMAL || g->types[id] > UNUSED)
        return lm_weights_error (g->file, error,
                                 "token %" G_GSIZE_FORMAT
                                 " is of kind %d, which byte-level BPE does not have",
                                 id, g->types[id]);
      if (lm_utf8_span (s.data, s.len) != s.len || memchr (s.data, 0, s.len) != NULL)
        return lm_weights_error (g->file, error,
                                 "token %" G_GSIZE_FORMAT " is not valid UTF-8 without NUL", id);
      if (s.len == 0 && is_added (g, id))
        return lm_weights_error (g->file, error, "token %" G_GSIZE_FORMAT " is empty", id);
      if (!lm_vocab_add (v, (guint32) id, s.data, s.len, LM_TOKEN_MODEL, &fault))
        return lm_weights_error (g->file, error, "token %" G_GSIZE_FORMAT " \"%.*s\": %s", id,
                                 (int) MIN (s.len, 256), s.data, fault);
    }
  return TRUE;
}

static gboolean
read_merges (Gguf *g, GError **error)
{
  const FrStr *merges;
  const char *fault;
  gsize n;

  merges = lm_gguf_strings (g->file, "tokenizer.ggml.merges", &n);
  if (merges == NULL)
    return lm_weights_error (g->file, error,
                             "tokenizer.ggml.merges is missing or no list of strings");
  for (gsize i = 0; i < n; i++)
    {
      FrStr s = merges[i];
      const char *space = memchr (s.data, ' ', s.len);
      g_autofree char *text = g_malloc (s.len + 1);
      gsize cut = space != NULL ? (gsize) (space - s.data) : s.len;

      fault = "it is not two tokens with a space between";
      if (space != NULL)
        {
          memcpy (text, s.data, cut);
          memcpy (text + cut, space + 1, s.len - cut - 1);
        }
      if (space == NULL || !lm_vocab_merge (g->t->vocab, text, cut, s.len - 1, &fault))
        return lm_weights_error (g->file, error, "merge %" G_GSIZE_FORMAT " \"%.*s\": %s", i,
                                 (int) MIN (s.len, 256), s.data, fault);
    }
  return TRUE;
}

/* ---- which family a tokenizer is of
 * -------------------------------------------------------------- */

/* What splits text in @family, in order; returns how many. */
static guint
family_scans (const Family *family, LmScan *scans)
{
  guint n = 0;

  if (family->before != NULL)
    scans[n++] = lm_scan_digit;
  for (guint i = 0; i < G_N_ELEMENTS (family->patterns) && family->patterns[i] != NULL; i++)
    scans[n++] = lm_scan_for (family->patterns[i]);
  if (n == 0 || family->before != NULL)
    scans[n++] = lm_scan_gpt2;
  return n;
}

static gboolean
splits_as (const LmTokenizer *t, const Family *family)
{
  LmScan scans[8];
  guint n = family_scans (family, scans);

  if (t->n_splits != n)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (t->splits[i].scan != scans[i] || t->splits[i].invert || t->splits[i].prefix_space
        || t->splits[i].behavior != LM_BEHAVIOR_ISOLATED)
      return FALSE;
  return TRUE;
}

/* The first name of those the family has; Qwen's has a second, for DeepSeek's tokens. */
static char *
name_in (const LmTokenizer *t, const Family *family)
{
  g_auto (GStrv) names = g_strsplit (family->names + 1, " ", -1);
  const char *user = "<\xef\xbd\x9cUser\xef\xbd\x9c>";
  gboolean deepseek = family->nfc && lm_vocab_find (t->vocab, user, strlen (user)) >= 0;

  return g_strdup (names[deepseek ? 1 : 0]);
}

char *
lm_tokenizer_gguf_pre (LmTokenizer *t, GError **error)
{
  const char *differs = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    {
      if (!splits_as (t, &families[i]))
        continue;
      if (t->nfc != families[i].nfc)
        differs
            = t->nfc ? "but it normalises text to NFC" : "but it does not normalise text to NFC";
      else if (t->vocab->ignore_merges != families[i].ignore_merges)
        differs = "but \"ignore_merges\" is another";
      else
        return name_in (t, &families[i]);
    }
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "%s: nothing that tokenizer.ggml.pre can say stands for how this tokenizer cuts "
               "text%s%s; known are gpt-2, smollm, qwen2, deepseek-r1-qwen, llama-bpe and "
               "deepseek-v3",
               t->name, differs != NULL ? ": it splits like a known one, " : "",
               differs != NULL ? differs : "");
  return NULL;
}

LmTokenizer *
lm_tokenizer_new_gguf (LmWeightFile *file, GError **error)
{
  g_autoptr (LmTokenizer) t = NULL;
  g_autofree char *empty = NULL;
  Gguf g = { .file = file, .metadata = lm_weight_file_metadata (file) };

  if (!lm_weight_file_is_gguf (file))
    return lm_weights_error (file, error, "it is no GGUF, and has no tokenizer"), NULL;
  if (!find_family (&g, error))
    return NULL;
  t = g.t = lm_tokenizer_alloc (file->name);
  if (!read_tokens (&g, error) || !read_merges (&g, error))
    return NULL;
  t->head = make_head (&g);
  empty = g_strconcat (t->head, "},\"merges\":[]}}", NULL);
  if (!lm_tokenizer_read (t, empty, strlen (empty), error))
    return NULL;
  t->config = make_config (&g, error);
  return t->config != NULL ? g_steal_pointer (&t) : NULL;
}
