/* SPDX-License-Identifier: Apache-2.0 */
/* protocol.h: translation asked of a chat model, POST /chat/completions as OpenAI has it.
 *
 * One text goes as the user's words, and the answer is the translation.  Several go as a JSON array
 * of texts, and the answer must be one of as many.  Reasoning before </think> is left out.
 */
#ifndef FLOWRUN_OPENAI_PROTOCOL_H
#define FLOWRUN_OPENAI_PROTOCOL_H

#include "translators/remote.h"

extern const RemoteProtocol openai_protocol;

/** openai_default_prompt: what is asked for where settings.prompt says nothing. */
extern const char openai_default_prompt[];

#endif
