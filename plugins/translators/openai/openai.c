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

REMOTE_TRANSLATOR ("openai", &openai_protocol, TRANSLATOR_DRAWS,
                   "a chat model behind OpenAI's HTTP interface",
                   "translation by a chat model over HTTP")
