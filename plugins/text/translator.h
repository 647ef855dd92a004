/* SPDX-License-Identifier: Apache-2.0 */
/* translator.h: who translates (the service "translator"), and what every user of it shares.
 *
 * An engine is a plugin file of its own, translator-NAME.so, with a TranslatorEngine as the table
 * of its service.  It knows one thing: how its kind of translator is asked.  What all uses share
 * lies on this side (translator.c, translator-cache.h): the settings, whether a server may be
 * reached at all, the cache on disk.  Elements know no engine; engines know no element.
 *
 * One use:
 *
 *     engine = translator_find (host, "libretranslate", &error);
 *     engine->check (&settings, bind, &error)                      under bind: problems with their
 * places t = engine->open (&settings, host, model, &error); engine->translate (t, items, n, done,
 * data, &error);         any number of times, one thread engine->close (t);
 *
 * What an engine promises:
 *
 *   - it answers every item, or the call fails: TRANSLATOR_DONE with a translation, or
 *     TRANSLATOR_REFUSED with the reason, for a text that it was given and could not translate;
 *   - it calls `done` as soon as items are answered, in any order, on the thread that called it,
 *     so that what was paid for is kept even if the next moment kills the process;
 *   - a translator that is not there, or that answers nonsense whatever it is asked, is an error
 *     after settings.tries, not a refusal: it says which address, what was expected, what came;
 *   - it tries again where trying again can help (no connection, 408, 425, 429, 500, 502, 503,
 *     504), waits as long as the server asks (Retry-After), and ends at once when the run is
 *     cancelled (fr_host_cancellable());
 *   - one text that spoils a request is found by asking for its texts one by one;
 *   - translations are valid UTF-8, not empty, without white space at both ends.
 *
 * It may be given the same text twice, and never gives texts to anybody but the address it was
 * told.
 */
#ifndef FLOWRUN_TEXT_TRANSLATOR_H
#define FLOWRUN_TEXT_TRANSLATOR_H

#include <flowrun/host.h>
#include <flowrun/service.h>
#include <glib.h>

G_BEGIN_DECLS

#define TRANSLATOR_KIND "translator"
#define TRANSLATOR_VERSION 1

/**
 * TranslatorSettings: how an engine is to work.  In check an engine refuses where something that it
 * needs is missing, and warns of what it was given and has no use for.
 * @url: base address of an HTTP service, "http://127.0.0.1:5000"; NULL: none
 * @key: secret to be sent along; NULL: none.  Never part of a message, a file or an identity
 * @model: which of the service's models; NULL: none named
 * @prompt: instruction to a language model, with {from} and {to} for the languages' English names;
 *   NULL: the engine's own
 * @path: a file to work from (a dictionary); NULL: none
 * @version: what stands for the translator's version in identities, in place of what the engine
 *   can find out: name a new one, and everything is asked again; NULL: the engine's own
 * @options: more settings, of engines not known here; NULL: none
 * @temperature: 0: the likeliest; above 0 drawn, with the item's seed
 * @max_tokens: of an answer of a language model
 * @batch_texts, @batch_chars: a request holds at most so many texts and characters (one text is
 *   always allowed)
 * @concurrency: requests in flight at once
 * @tries: attempts at a request, the first included
 * @timeout: microseconds that one attempt may take, from connection to last byte
 * @rate: requests a second, at most; 0: no limit
 * @max_answer: bytes of one answer beyond which it is nonsense
 */
typedef struct
{
  char *url, *key, *model, *prompt, *path, *version;
  FrPair *options;
  double temperature;
  gint64 max_tokens;
  gint64 batch_texts, batch_chars;
  gint64 concurrency, tries, timeout;
  double rate;
  guint64 max_answer;
} TranslatorSettings;

typedef enum
{
  TRANSLATOR_WAITING = 0, /* on entry of translate */
  TRANSLATOR_DONE,        /* @translation is there */
  TRANSLATOR_REFUSED      /* @rule and @why say what came instead */
} TranslatorState;

/**
 * TranslatorItem: one text to translate.
 * @from, @to: BCP 47 ("zh", "en", "zh-Hant"), of static or caller's storage
 * @text: valid UTF-8, neither empty nor white space alone
 * @seed: for engines that draw: with the same settings the same seed should give the same answer
 * @state: written
 * @translation: DONE: newly allocated, the caller's to free
 * @rule: REFUSED: one word to count by, static: "empty_answer", "bad_answer", "too_long",
 *   "unknown_words", or "refused", with the service's own words in @why
 * @why: REFUSED: for a person, newly allocated; never the text itself
 * @data: the caller's
 */
typedef struct
{
  const char *from, *to;
  FrStr text;
  guint64 seed;
  TranslatorState state;
  char *translation;
  const char *rule;
  char *why;
  gpointer data;
} TranslatorItem;

/** translator_item_clear: frees what an engine has put there. */
void translator_item_clear (TranslatorItem *item);
/** translator_item_done: for engines: takes @translation, cuts white space at both ends, and
 * refuses what is empty or no UTF-8. */
void translator_item_done (TranslatorItem *item, char *translation, gsize len);
/** translator_item_refuse: for engines. */
void translator_item_refuse (TranslatorItem *item, const char *rule, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/** translator_rule: the static word among those above that equals @rule; "refused" where none does.
 */
const char *translator_rule (const char *rule);

/** TranslatorDone: @n items, not always neighbours, have been answered. @error: FALSE ends the
 * whole call with it (the disk of the cache is full). */
typedef gboolean (*TranslatorDone) (gpointer data, TranslatorItem *const *items, gsize n,
                                    GError **error);

typedef struct _Translator Translator;

typedef enum
{
  TRANSLATOR_NETWORK = 1 << 0, /* connects to settings.url */
  TRANSLATOR_MODEL = 1 << 1,   /* works with the model of the stage's port "model" */
  TRANSLATOR_DRAWS = 1 << 2,   /* with a temperature, other seeds give other answers */
  TRANSLATOR_CHEAP = 1 << 3    /* quicker than a cache; its answers are not stored */
} TranslatorFlags;

/**
 * TranslatorEngine: the table of a service of kind "translator".
 * @size: sizeof (TranslatorEngine)
 * @flags: TranslatorFlags
 * @check: under bind: reports what does not do with fr_bind_problem() at the parameters' pointers
 *   ("/url"), which are the names in TranslatorSettings, and returns FALSE; opens nothing but
 *   files
 * @identity: what an answer depends on besides pair, text and seed: engine, its revision, address
 *   or version, model, prompt, temperature.  Equal identities may share a cache.  Newly allocated
 * @knows: whether it can translate from @from to @to; NULL: only asking tells
 * @open: @model: what came by the port "model", borrowed until close; NULL: none
 * @translate: see above; FALSE with FR_ERROR_TRANSIENT (not there), FR_ERROR_DATA (nonsense),
 *   FR_ERROR_CONFIG (refuses our key or request), FR_ERROR_CANCELLED, or @done's own error
 * @report: adds to @report what it found out of itself (requests, retries, waits, bytes); may be
 *   NULL
 */
typedef struct
{
  gsize size;
  guint flags;
  gboolean (*check) (const TranslatorSettings *settings, FrBind *bind, GError **error);
  gboolean (*knows) (const TranslatorSettings *settings, const char *from, const char *to);
  char *(*identity) (const TranslatorSettings *settings, FrObject *model);
  Translator *(*open) (const TranslatorSettings *settings, FrHost *host, FrObject *model,
                       GError **error);
  gboolean (*translate) (Translator *translator, TranslatorItem *items, gsize n,
                         TranslatorDone done, gpointer data, GError **error);
  void (*report) (Translator *translator, JsonObject *report);
  void (*close) (Translator *translator);
} TranslatorEngine;

/**
 * translator_find: the engine called @name.
 * @host: or NULL under bind
 * @error: FR_ERROR_LOAD: there is none; says which there are
 */
const TranslatorEngine *translator_find (FrHost *host, const char *name, GError **error);

/**
 * TranslatorReach: where an address lies.
 * @TRANSLATOR_REACH_NONE: it is no http or https address
 * @TRANSLATOR_REACH_LOCAL: this machine: "localhost", 127.0.0.0/8 or [::1], as written
 * @TRANSLATOR_REACH_REMOTE: another machine, or a name that may stand for one
 */
typedef enum
{
  TRANSLATOR_REACH_NONE,
  TRANSLATOR_REACH_LOCAL,
  TRANSLATOR_REACH_REMOTE
} TranslatorReach;

/** translator_reach: tells from @url alone, without asking for a name. */
TranslatorReach translator_reach (const char *url);

/** translator_language: the English name of @code ("Chinese", "Chinese (Traditional)") for prompts;
 * @code itself where it has none; newly allocated. */
char *translator_language (const char *code);

G_END_DECLS

#endif
