/* SPDX-License-Identifier: Apache-2.0 */
/* remote.h: what translators behind HTTP have in common: requests of several texts, a few in flight
 * at once, tried again as the server asks, and every kind of nonsense told apart.
 *
 * A protocol only writes a request and reads an answer; both are pure, and fuzzed.
 */
#ifndef FLOWRUN_TRANSLATORS_REMOTE_H
#define FLOWRUN_TRANSLATORS_REMOTE_H

#include <flowrun/flowrun.h>

#include "text/translator.h"

/**
 * RemoteVerdict: what an answer with status 2xx was.
 * @REMOTE_OK: every item is answered
 * @REMOTE_MISCOUNT: an answer, but not one for each text: worth asking one by one
 * @REMOTE_REFUSED: the service says in so many words that it will not (an error object)
 * @REMOTE_NONSENSE: not what this protocol answers: no JSON, other members
 */
typedef enum
{
  REMOTE_OK,
  REMOTE_MISCOUNT,
  REMOTE_REFUSED,
  REMOTE_NONSENSE
} RemoteVerdict;

/**
 * RemoteProtocol:
 * @name: for messages ("LibreTranslate")
 * @path: behind the address in settings.url ("/translate")
 * @bearer: settings.key goes as "Authorization: Bearer", not in the body
 * @write: the request for @n items of one pair
 * @read: answers them from @body; @why: for a person, what was wrong, without texts of ours; newly
 *   allocated.  Items of a verdict other than OK stay as they were
 */
typedef struct
{
  const char *name;
  const char *path;
  gboolean bearer;
  void (*write) (const TranslatorSettings *settings, TranslatorItem *const *items, gsize n,
                 GString *body);
  RemoteVerdict (*read) (const char *body, gsize len, TranslatorItem *const *items, gsize n,
                         char **why);
} RemoteProtocol;

/** remote_check: address, limits and key, for engines' check. */
gboolean remote_check (const RemoteProtocol *protocol, const TranslatorSettings *settings,
                       FrBind *bind);
/** remote_identity: "name revision address-or-version". */
char *remote_identity (const char *name, int revision, const TranslatorSettings *settings);

Translator *remote_open (const RemoteProtocol *protocol, const TranslatorSettings *settings,
                         FrHost *host, GError **error);
gboolean remote_translate (Translator *translator, TranslatorItem *items, gsize n,
                           TranslatorDone done, gpointer data, GError **error);
void remote_report (Translator *translator, JsonObject *report);
void remote_close (Translator *translator);

/* The plugin of an engine that speaks a protocol: with check() and identity(), static, of its own
 * (TranslatorEngine). @flags_: besides TRANSLATOR_NETWORK. */
#define REMOTE_TRANSLATOR(name_, protocol, flags_, summary_, what)                                 \
  static Translator *open_engine (const TranslatorSettings *settings, FrHost *host,                \
                                  FrObject *model, GError **error)                                 \
  {                                                                                                \
    (void) model;                                                                                  \
    return remote_open (protocol, settings, host, error);                                          \
  }                                                                                                \
                                                                                                   \
  static const TranslatorEngine engine = {                                                         \
    .size = sizeof (TranslatorEngine),                                                             \
    .flags = TRANSLATOR_NETWORK | (flags_),                                                        \
    .check = check,                                                                                \
    .identity = identity,                                                                          \
    .open = open_engine,                                                                           \
    .translate = remote_translate,                                                                 \
    .report = remote_report,                                                                       \
    .close = remote_close,                                                                         \
  };                                                                                               \
                                                                                                   \
  static const FrService service = {                                                               \
    .size = sizeof (FrService),                                                                    \
    .kind = TRANSLATOR_KIND,                                                                       \
    .name = name_,                                                                                 \
    .version = TRANSLATOR_VERSION,                                                                 \
    .summary = summary_,                                                                           \
    .table = &engine,                                                                              \
  };                                                                                               \
                                                                                                   \
  static const FrService *const services[] = { &service, NULL };                                   \
                                                                                                   \
  FR_PLUGIN_SERVICES ("translator-" name_, PACKAGE_VERSION, what, "Apache-2.0", "flowrun", services)

#endif
