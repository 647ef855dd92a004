/* SPDX-License-Identifier: Apache-2.0 */
/* companions.h: what runtimes read beside the graph: config.json, genai_config.json. */
#ifndef FLOWRUN_SINK_ONNX_COMPANIONS_H
#define FLOWRUN_SINK_ONNX_COMPANIONS_H

#include "export.h"

/** companions_write: config, generation settings, genai's config and the base's side files, after export_write(). */
gboolean companions_write (Export *e, GError **error);
/** companions_usage: Markdown for the model card: how to load it; @transformersjs: laid out for it; @dtype: the word that it takes; g_free(). */
char *companions_usage (const Export *e, gboolean transformersjs, const char *dtype);

#endif
