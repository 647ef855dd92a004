/* SPDX-License-Identifier: Apache-2.0 */
/* libretranslate.c: the translator "libretranslate": any server with LibreTranslate's HTTP
 * interface.  LibreTranslate is asked over HTTP and no part of it is in here. */
#include "config.h"

#include "protocol.h"

#define REVISION 1

static gboolean
check (const TranslatorSettings *s, FrBind *bind, GError **error)
{
  gboolean ok = remote_check (&libretranslate_protocol, s, bind);

  (void) error;
  if (s->prompt != NULL || s->model != NULL)
    fr_bind_warn (bind, s->prompt != NULL ? "/prompt" : "/model",
                  "the engine 'libretranslate' has neither prompts nor models");
  return ok;
}

static char *
identity (const TranslatorSettings *s, FrObject *model)
{
  (void) model;
  return remote_identity ("libretranslate", REVISION, s);
}

static Translator *
open_engine (const TranslatorSettings *s, FrHost *host, FrObject *model, GError **error)
{
  (void) model;
  return remote_open (&libretranslate_protocol, s, host, error);
}

static const TranslatorEngine engine = {
  .size = sizeof (TranslatorEngine),
  .flags = TRANSLATOR_NETWORK,
  .check = check,
  .identity = identity,
  .open = open_engine,
  .translate = remote_translate,
  .report = remote_report,
  .close = remote_close,
};

static const FrService service = {
  .size = sizeof (FrService),
  .kind = TRANSLATOR_KIND,
  .name = "libretranslate",
  .version = TRANSLATOR_VERSION,
  .summary = "a server with LibreTranslate's HTTP interface",
  .table = &engine,
};

static const FrService *const services[] = { &service, NULL };

FR_PLUGIN_SERVICES ("translator-libretranslate", PACKAGE_VERSION,
                    "translation by a LibreTranslate server", "Apache-2.0", "flowrun", services)
