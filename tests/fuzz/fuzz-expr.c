/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-expr.c: any bytes as an expression of transform.filter, bound and run. */
#include "config.h"

#include <stdint.h>

#include "transforms/filter/expr.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static FrBatch *
sample (void)
{
  g_autoptr (FrSchema) schema
      = fr_schema_new_simple ("a", FR_TYPE_UTF8, "b", FR_TYPE_INT64, "c", FR_TYPE_FLOAT64, "d",
                              FR_TYPE_BOOL, "e", FR_TYPE_TIMESTAMP, "商", FR_TYPE_UTF8, NULL);
  g_autoptr (FrBuilder) builder = fr_builder_new (schema);

  for (guint i = 0; i < 3; i++)
    {
      if (i != 1)
        {
          fr_cells_append_str (fr_builder_cells (builder, 0), "aé中👍🏽 Ⱥ",
                               i == 0 ? 0 : strlen ("aé中👍🏽 Ⱥ"));
          fr_cells_append_int (fr_builder_cells (builder, 1), i == 0 ? G_MAXINT64 : -1);
          fr_cells_append_float (fr_builder_cells (builder, 2), i == 0 ? 1e308 : -0.5);
          fr_cells_append_bool (fr_builder_cells (builder, 3), i == 0);
          fr_cells_append_int (fr_builder_cells (builder, 4), i);
          fr_cells_append_str (fr_builder_cells (builder, 5), "　品 ", strlen ("　品 "));
        }
      fr_builder_end_row (builder, (FrRowId){ i + 1, 1, 0 });
    }
  return fr_builder_finish (builder, NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static FrBatch *batch;
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (Expr) expr = NULL;
  g_autoptr (ExprScratch) scratch = NULL;
  guint8 result[3];

  if (batch == NULL)
    batch = sample ();
  expr = expr_new (text, &error);
  if (expr == NULL || !expr_bind (expr, fr_batch_schema (batch), &error))
    {
      /* A message is valid UTF-8 and says where. */
      g_assert_nonnull (error);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_true (g_str_has_prefix (error->message, "at character "));
      return 0;
    }
  scratch = expr_scratch_new (expr);
  expr_run (expr, scratch, batch, result);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (result[i], <=, EXPR_OVERFLOW);
  return 0;
}
