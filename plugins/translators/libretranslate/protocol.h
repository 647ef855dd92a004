/* SPDX-License-Identifier: Apache-2.0 */
/* protocol.h: requests and answers of LibreTranslate's POST /translate.
 *
 * Request: {"q": [text, …], "source": "zh", "target": "en", "format": "text", "api_key": …}.
 * Answer: {"translatedText": [text, …]}, or a plain text for a request of one; {"error": text}.
 */
#ifndef FLOWRUN_LIBRETRANSLATE_PROTOCOL_H
#define FLOWRUN_LIBRETRANSLATE_PROTOCOL_H

#include "translators/remote.h"

extern const RemoteProtocol libretranslate_protocol;

#endif
