/* SPDX-License-Identifier: Apache-2.0 */
/* level.h: which vectors this processor has, for what is compiled once for each. */
#ifndef FLOWRUN_LM_LEVEL_H
#define FLOWRUN_LM_LEVEL_H

#include <glib.h>

G_BEGIN_DECLS

/** lm_x86_level: 4, 3 or 1: x86-64-v4 (AVX-512), -v3 (AVX2 and FMA), neither or another machine;
 * $FLOWRUN_CPU ("baseline", "AVX2") chooses a lesser one, for tests. */
guint lm_x86_level (void);

G_END_DECLS

#endif
