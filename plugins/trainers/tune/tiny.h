/* SPDX-License-Identifier: Apache-2.0 */
/* tiny.h: a random model of a few thousand numbers, for tests: byte tokens, ChatML, two llama
 * layers. */
#ifndef FLOWRUN_TUNE_TINY_H
#define FLOWRUN_TUNE_TINY_H

#include "lm/model.h"

/** tiny_model: weights are uniform in ±@scale, and depend on @seed. */
LmModel *tiny_model (guint64 seed, double scale);
/** tiny_write: the same as a Hugging Face directory; must exist. */
gboolean tiny_write (const char *dir, guint64 seed, double scale, GError **error);

#endif
