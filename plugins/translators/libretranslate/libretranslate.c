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

REMOTE_TRANSLATOR ("libretranslate", &libretranslate_protocol, 0,
                   "a server with LibreTranslate's HTTP interface",
                   "translation by a LibreTranslate server")
