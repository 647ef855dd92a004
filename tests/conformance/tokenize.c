/* SPDX-License-Identifier: Apache-2.0 */
/* tokenize.c: one file's ids, for tests and benchmarks.
 *
 *   tokenize TOKENIZER TEXT IDS [plain|special]   writes ids as int32
 *   tokenize --decode TOKENIZER IDS TEXT          and back, by the incremental decoder
 *   tokenize --time TOKENIZER TEXT                prints seconds to load and to encode, line by
 * line tokenize --json GGUF TOKENIZER [CONFIG]       writes a GGUF's tokenizer.json and
 * tokenizer_config.json
 */
#include "config.h"

#include <flowrun/json.h>

#include "lm/tokenizer.h"

static LmTokenizer *
load (const char *path, GError **error)
{
  g_autofree char *data = NULL;
  gsize len;

  if (!g_str_has_suffix (path, ".json"))
    {
      gboolean truncated;
      g_autoptr (LmWeightFile) file = lm_weight_file_open_header (path, &truncated, error);

      return file != NULL ? lm_tokenizer_new_gguf (file, error) : NULL;
    }
  if (!g_file_get_contents (path, &data, &len, error))
    return NULL;
  return lm_tokenizer_new_json (path, data, len, error);
}

static gboolean
encode (LmTokenizer *t, const char *path, const char *to, const char *how, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  guint flags = g_strcmp0 (how, "plain") == 0     ? LM_ENCODE_PLAIN
                : g_strcmp0 (how, "special") == 0 ? LM_ENCODE_SPECIAL
                                                  : 0;
  g_autofree char *text = NULL;
  gsize len, n_replaced = 0;

  if (!g_file_get_contents (path, &text, &len, error)
      || !lm_tokenizer_encode (t, text, len, flags, ids, &n_replaced, error))
    return FALSE;
  g_print ("%u ids, %" G_GSIZE_FORMAT " replaced\n", ids->len, n_replaced);
  return g_file_set_contents (to, ids->data, (gssize) (ids->len * sizeof (gint32)), error);
}

static gboolean
decode (LmTokenizer *t, const char *path, const char *to, GError **error)
{
  g_autoptr (LmDetokenizer) d = lm_detokenizer_new (t, FALSE);
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *data = NULL;
  gsize len;

  if (!g_file_get_contents (path, &data, &len, error))
    return FALSE;
  for (gsize i = 0; i < len / sizeof (gint32); i++)
    lm_detokenizer_push (d, ((const gint32 *) (gpointer) data)[i], out);
  lm_detokenizer_finish (d, out);
  return g_file_set_contents (to, out->str, (gssize) out->len, error);
}

static gboolean
measure (LmTokenizer *t, gint64 start, const char *path, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree char *text = NULL;
  gint64 loaded = g_get_monotonic_time (), begun;
  const char *end, *newline;
  guint64 n = 0;
  gsize len;

  if (!g_file_get_contents (path, &text, &len, error))
    return FALSE;
  begun = g_get_monotonic_time ();
  end = text + len;
  for (const char *line = text; line <= end; line = newline + 1)
    {
      newline = memchr (line, '\n', (gsize) (end - line));
      if (newline == NULL)
        newline = end;
      g_array_set_size (ids, 0);
      if (!lm_tokenizer_encode (t, line, (gsize) (newline - line), 0, ids, NULL, error))
        return FALSE;
      n += ids->len;
    }
  g_print ("load %.4f encode %.4f tokens %" G_GUINT64_FORMAT "\n", (double) (loaded - start) / 1e6,
           (double) (g_get_monotonic_time () - begun) / 1e6, n);
  return TRUE;
}

static gboolean
write_json (LmTokenizer *t, const char *to, const char *config_to, GError **error)
{
  g_autoptr (JsonNode) config = lm_tokenizer_config_json (t);
  gsize len;
  g_autofree char *json = lm_tokenizer_to_json (t, &len), *config_text = NULL;

  if (!g_file_set_contents (to, json, (gssize) len, error))
    return FALSE;
  if (config_to == NULL || config == NULL)
    return TRUE;
  config_text = fr_json_to_string (config, 2);
  return g_file_set_contents (config_to, config_text, -1, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmTokenizer) t = NULL;
  const char *mode = argc > 1 && g_str_has_prefix (argv[1], "--") ? argv[1] + 2 : "encode";
  char **args = argv + 1 + (argc > 1 && g_str_has_prefix (argv[1], "--"));
  gint64 start = g_get_monotonic_time ();
  gboolean ok = FALSE;

  if (g_strv_length (args) < 2)
    {
      g_printerr ("usage: tokenize [--decode|--time|--json] TOKENIZER FILE...\n");
      return 2;
    }
  t = load (args[0], &error);
  if (t != NULL)
    ok = g_str_equal (mode, "time")     ? measure (t, start, args[1], &error)
         : g_str_equal (mode, "json")   ? write_json (t, args[1], args[2], &error)
         : args[2] == NULL              ? FALSE
         : g_str_equal (mode, "decode") ? decode (t, args[1], args[2], &error)
                                        : encode (t, args[1], args[2], args[3], &error);
  if (!ok)
    g_printerr ("%s\n", error != NULL ? error->message : "a file is missing");
  return ok ? 0 : 1;
}
