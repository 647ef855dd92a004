/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-template.c: compiles a template and, when its columns are there, renders it. */
#include "config.h"

#include <stdint.h>

#include "text/template.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static FrBatch *
sample (void)
{
  g_autoptr (FrSchema) schema
      = fr_schema_new_simple ("a", FR_TYPE_UTF8, "n", FR_TYPE_FLOAT64, "e", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);

  fr_cells_append_str (fr_builder_cells (builder, 0), "文", 3);
  fr_cells_append_float (fr_builder_cells (builder, 1), 1.5);
  fr_builder_end_row (builder, (FrRowId){ 1, 1, 0 });
  return fr_builder_finish (builder, NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *source = g_strndup ((const char *) data, size);
  g_autoptr (TextTemplate) tmpl = text_template_new (source, NULL);
  g_autoptr (FrBatch) batch = sample ();
  g_autoptr (GString) out = g_string_new (NULL);
  const char *missing = NULL;
  FrView views[3];

  if (tmpl == NULL || !text_template_bind (tmpl, fr_batch_schema (batch), NULL))
    return 0;
  for (guint i = 0; i < 3; i++)
    views[i] = fr_view (batch, i);
  if (!text_template_render (tmpl, views, 0, out, &missing))
    g_assert_nonnull (missing);
  g_assert_true (g_utf8_validate_len (out->str, out->len, NULL));
  return 0;
}
