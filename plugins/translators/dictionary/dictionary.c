/* SPDX-License-Identifier: Apache-2.0 */
/* dictionary.c: the translator "dictionary": word by word from a list (words.h).
 *
 * For tests, for demonstrations without a network, and for trades whose list of terms is better
 * than any model.  It knows no grammar: what it gives reads like a telegram.  Deterministic.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <string.h>

#include "text/translator.h"
#include "words.h"

#define REVISION 1
#define DEFAULT_FROM "zh"
#define DEFAULT_TO "en"

struct _Translator
{
  FrHost *host;
  Words *words;
  char *from;
  gboolean refuses; /* texts with words that are not in the list */
  guint64 n_words, n_unknown;
};

static const char *
option (const TranslatorSettings *s, const char *key, const char *otherwise)
{
  for (const FrPair *p = s->options; p != NULL && p->key != NULL; p++)
    if (strcmp (p->key, key) == 0)
      return p->value;
  return otherwise;
}

static gboolean
dictionary_check (const TranslatorSettings *s, FrBind *bind, GError **error)
{
  static const char *const known[] = { "from", "to", "unknown", NULL };
  const char *unknown = option (s, "unknown", "keep");
  gboolean ok = TRUE;

  (void) error;
  if (s->path == NULL)
    {
      fr_bind_problem (bind, "/dictionary", "the engine 'dictionary' needs a file of words here");
      ok = FALSE;
    }
  if (s->url != NULL)
    fr_bind_warn (bind, "/url", "the engine 'dictionary' asks no server");
  if (strcmp (unknown, "keep") != 0 && strcmp (unknown, "refuse") != 0)
    {
      fr_bind_problem (bind, "/options", "'unknown' is '%s'; expected 'keep' or 'refuse'", unknown);
      ok = FALSE;
    }
  for (const FrPair *p = s->options; p != NULL && p->key != NULL; p++)
    if (!g_strv_contains (known, p->key))
      {
        fr_bind_problem (bind, "/options",
                         "the engine 'dictionary' knows 'from', 'to' and 'unknown', not '%s'",
                         p->key);
        ok = FALSE;
      }
  return ok;
}

static gboolean
dictionary_knows (const TranslatorSettings *s, const char *from, const char *to)
{
  const char *a = option (s, "from", DEFAULT_FROM), *b = option (s, "to", DEFAULT_TO);

  return (strcmp (from, a) == 0 && strcmp (to, b) == 0)
         || (strcmp (from, b) == 0 && strcmp (to, a) == 0);
}

static char *
dictionary_identity (const TranslatorSettings *s, FrObject *model)
{
  (void) model;
  return g_strdup_printf ("dictionary %d %s", REVISION, s->version != NULL ? s->version : s->path);
}

static Translator *
dictionary_open (const TranslatorSettings *s, FrHost *host, FrObject *model, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) fault = NULL;
  Translator *t;
  Words *words;
  gsize len;

  (void) model;
  if (!g_file_get_contents (s->path, &text, &len, &fault))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s", fault->message);
      return NULL;
    }
  words = words_parse (s->path, text, len, error);
  if (words == NULL)
    return NULL;
  t = g_new0 (Translator, 1);
  t->host = host;
  t->words = words;
  t->from = g_strdup (option (s, "from", DEFAULT_FROM));
  t->refuses = strcmp (option (s, "unknown", "keep"), "refuse") == 0;
  return t;
}

/* Whether words of @language stand apart. */
static gboolean
is_spaced (const char *language)
{
  return !g_str_has_prefix (language, "zh") && !g_str_has_prefix (language, "ja")
         && !g_str_has_prefix (language, "th");
}

static gboolean
dictionary_translate (Translator *t, TranslatorItem *items, gsize n, TranslatorDone done,
                      gpointer data, GError **error)
{
  for (gsize i = 0; i < n; i++)
    {
      TranslatorItem *item = &items[i];
      gsize words, unknown;
      char *text;

      if (fr_host_is_cancelled (t->host))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
          return FALSE;
        }
      text = words_translate (t->words, item->text, strcmp (item->from, t->from) != 0,
                              is_spaced (item->to), item->seed, &words, &unknown);
      t->n_words += words;
      t->n_unknown += unknown;
      if (t->refuses && unknown > 0)
        {
          translator_item_refuse (item, "unknown_words",
                                  "%" G_GSIZE_FORMAT " of its %" G_GSIZE_FORMAT
                                  " words are not in the dictionary",
                                  unknown, words);
          g_free (text);
        }
      else
        translator_item_done (item, text, strlen (text));
      if (!done (data, &(TranslatorItem *){ item }, 1, error))
        return FALSE;
    }
  return TRUE;
}

static void
dictionary_report (Translator *t, JsonObject *report)
{
  json_object_set_int_member (report, "entries", (gint64) words_n (t->words));
  json_object_set_int_member (report, "words", (gint64) t->n_words);
  json_object_set_int_member (report, "unknown_words", (gint64) t->n_unknown);
}

static void
dictionary_close (Translator *t)
{
  words_free (t->words);
  g_free (t->from);
  g_free (t);
}

static const TranslatorEngine engine = {
  .size = sizeof (TranslatorEngine),
  .flags = TRANSLATOR_CHEAP | TRANSLATOR_DRAWS,
  .check = dictionary_check,
  .knows = dictionary_knows,
  .identity = dictionary_identity,
  .open = dictionary_open,
  .translate = dictionary_translate,
  .report = dictionary_report,
  .close = dictionary_close,
};

static const FrService service = {
  .size = sizeof (FrService),
  .kind = TRANSLATOR_KIND,
  .name = "dictionary",
  .version = TRANSLATOR_VERSION,
  .summary = "word by word from a list in a file; no network",
  .table = &engine,
};

static const FrService *const services[] = { &service, NULL };

FR_PLUGIN_SERVICES ("translator-dictionary", PACKAGE_VERSION, "translation word by word",
                    "Apache-2.0", "flowrun", services)
