/* SPDX-License-Identifier: Apache-2.0 */
/* template.h: chat templates: the Jinja that checkpoints carry.
 *
 * Follows Jinja2's template designer documentation, in the environment that
 * transformers sets up: trim_blocks, lstrip_blocks, loop controls, tojson
 * without HTML escaping, raise_exception, strftime_now.  What is not understood is
 * an error with line and name, never a wrong prompt.  Templates are untrusted:
 * steps, depth and output are limited.
 */
#ifndef FLOWRUN_LM_TEMPLATE_H
#define FLOWRUN_LM_TEMPLATE_H

#include <flowrun/error.h>
#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _LmTemplate LmTemplate;

/** lm_template_new: compiles; FR_ERROR_DATA with @name, line and what is not understood. */
LmTemplate *lm_template_new (const char *name, const char *source, gsize len, GError **error);
void lm_template_free (LmTemplate *tmpl);
const char *lm_template_source (const LmTemplate *tmpl);

/**
 * lm_template_render:
 * @variables: messages, tools, add_generation_prompt, bos_token, …; borrowed
 * @error: FR_ERROR_DATA; what the template's own raise_exception() said, or line and cause
 *
 * Returns the text; g_free().
 */
char *lm_template_render (const LmTemplate *tmpl, JsonObject *variables, gsize *len, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmTemplate, lm_template_free)

G_END_DECLS

#endif
