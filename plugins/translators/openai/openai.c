/* SPDX-License-Identifier: Apache-2.0 */
/* openai.c: the translator "openai": a chat model behind any server with OpenAI's HTTP interface
 * (sink.serve of flowrun among them). */
#include "config.h"

#include "protocol.h"

#define REVISION 1

static gboolean
check (const TranslatorSettings *s, FrBind *bind, GError **error)
{
  gboolean ok = remote_check (&openai_protocol, s, bind);

  (void) error;
  if (s->model == NULL)
    {
      fr_bind_problem (bind, "/model",
                       "the engine 'openai' needs the name of the service's model here");
      ok = FALSE;
    }
  for (const FrPair *p = s->options; p != NULL && p->key != NULL; p++)
    {
      fr_bind_problem (bind, "/options", "the engine 'openai' has no setting '%s'", p->key);
      ok = FALSE;
    }
  return ok;
}

static char *
identity (const TranslatorSettings *s, FrObject *model)
{
  g_autofree char *base = remote_identity ("openai", REVISION, s);
  const char *prompt = s->prompt != NULL ? s->prompt : openai_default_prompt;
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, prompt, -1);

  (void) model;
  return g_strdup_printf ("%s %s temperature %g prompt %.16s", base, s->model, s->temperature,
                          digest);
}

static Translator *
open_engine (const TranslatorSettings *s, FrHost *host, FrObject *model, GError **error)
{
  (void) model;
  return remote_open (&openai_protocol, s, host, error);
}

static const TranslatorEngine engine = {
  .size = sizeof (TranslatorEngine),
  .flags = TRANSLATOR_NETWORK | TRANSLATOR_DRAWS,
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
  .name = "openai",
  .version = TRANSLATOR_VERSION,
  .summary = "a chat model behind OpenAI's HTTP interface",
  .table = &engine,
};

static const FrService *const services[] = { &service, NULL };

FR_PLUGIN_SERVICES ("translator-openai", PACKAGE_VERSION, "translation by a chat model over HTTP",
                    "Apache-2.0", "flowrun", services)
