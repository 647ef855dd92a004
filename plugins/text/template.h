/* SPDX-License-Identifier: Apache-2.0 */
/* template.h: the one template renderer for records (libflowrun-text).
 *
 * "{column}" is replaced by the cell; "{{" and "}}" are braces; "{column|text}"
 * gives "text" for an empty or null cell; "[[ ... ]]" is a section that
 * vanishes when a column in it is empty or null.  plugins/text/template.md is
 * the manual.
 */
#ifndef FLOWRUN_TEXT_TEMPLATE_H
#define FLOWRUN_TEXT_TEMPLATE_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct _TextTemplate TextTemplate;

/** text_template_new: compiles @source; NULL with FR_ERROR_CONFIG that gives the character position and what was expected. */
TextTemplate *text_template_new (const char *source, GError **error);
void text_template_free (TextTemplate *tmpl);
/** text_template_columns: columns it uses, each once, NULL-terminated; owned by the template. */
const char *const *text_template_columns (TextTemplate *tmpl);
/**
 * text_template_needs: whether its column @i must not be empty: it stands somewhere outside any section and without a
 * default.
 * @fallback: set to the default that it has somewhere, owned by the template; NULL: it has none; may be NULL
 */
gboolean text_template_needs (const TextTemplate *tmpl, guint i, const char **fallback);
/** text_template_bind: finds the columns in @schema; FALSE with FR_ERROR_TYPE naming the missing column and a near one. */
gboolean text_template_bind (TextTemplate *tmpl, const FrSchema *schema, GError **error);
/**
 * text_template_render: appends row @row; numbers, bools and timestamps as in
 * JSON, lists and structs as JSON.  @views: fr_view() of every column of the
 * batch.  FALSE: a column needed outside any section or default was empty;
 * its name is in @missing.
 */
gboolean text_template_render (const TextTemplate *tmpl, const FrView *views, gsize row,
                               GString *out, const char **missing);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextTemplate, text_template_free)

G_END_DECLS

#endif
