/* SPDX-License-Identifier: Apache-2.0 */
/* added.c: see added.h. */
#include "config.h"

#include "added.h"

#include <math.h>
#include <string.h>

struct _Added
{
  FrBuilder *builder;
  guint *at; /* where each added column stands */
  GArray
      *kept; /* guint: columns of the input that stay, which have the same number in the output */
  const AddedColumn *columns;
  guint n;
  const FrBatch *batch;
  GArray *views; /* FrView, beside kept */
  gsize row;
};

FrSchema *
added_schema (const FrSchema *in, const AddedColumn *columns, guint n)
{
  FrSchema *out = fr_schema_ref ((FrSchema *) in);

  for (guint i = 0; i < n; i++)
    {
      FrSchema *with = fr_schema_with (out, fr_field_new (columns[i].name, columns[i].type));

      fr_schema_unref (out);
      out = with;
    }
  return out;
}

Added *
added_new (FrSchema *out, const AddedColumn *columns, guint n)
{
  Added *a = g_new0 (Added, 1);

  a->builder = fr_builder_new (out);
  a->columns = columns;
  a->n = n;
  a->at = g_new (guint, n + 1);
  for (guint i = 0; i < n; i++)
    a->at[i] = (guint) fr_schema_find (out, columns[i].name);
  a->kept = g_array_new (FALSE, FALSE, sizeof (guint));
  a->views = g_array_new (FALSE, FALSE, sizeof (FrView));
  return a;
}

void
added_free (Added *a)
{
  if (a == NULL)
    return;
  g_clear_pointer (&a->builder, fr_builder_free);
  g_array_unref (a->kept);
  g_array_unref (a->views);
  g_free (a->at);
  g_free (a);
}

static gboolean
is_added (const Added *a, const char *name)
{
  for (guint i = 0; i < a->n; i++)
    if (strcmp (a->columns[i].name, name) == 0)
      return TRUE;
  return FALSE;
}

void
added_open (Added *a, const FrBatch *batch)
{
  FrSchema *schema = fr_batch_schema (batch);

  a->batch = batch;
  g_array_set_size (a->kept, 0);
  g_array_set_size (a->views, 0);
  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    if (!is_added (a, fr_field_name (fr_schema_field (schema, i))))
      {
        FrView view = fr_view (batch, i);

        g_array_append_val (a->kept, i);
        g_array_append_val (a->views, view);
      }
}

void
added_copy (Added *a, gsize row)
{
  a->row = row;
  for (guint i = 0; i < a->kept->len; i++)
    fr_cells_append_from (fr_builder_cells (a->builder, g_array_index (a->kept, guint, i)),
                          &g_array_index (a->views, FrView, i), row);
}

FrCells *
added_cells (Added *a, guint i)
{
  return fr_builder_cells (a->builder, a->at[i]);
}

void
added_text (Added *a, guint i, const char *text)
{
  fr_cells_append_str (added_cells (a, i), text, text != NULL ? strlen (text) : 0);
}

void
added_number (Added *a, guint i, double value)
{
  if (isfinite (value))
    fr_cells_append_float (added_cells (a, i), value);
  else
    fr_cells_append_null (added_cells (a, i));
}

void
added_end (Added *a)
{
  fr_builder_end_row (a->builder, fr_batch_ids (a->batch)[a->row]);
}

FrFlow
added_push (Added *a, FrHost *host, const char *port, GError **error)
{
  FrBatch *batch;

  if (fr_builder_n_rows (a->builder) == 0)
    return FR_FLOW_OK;
  batch = fr_builder_finish (a->builder, error);
  return batch != NULL ? fr_host_push (host, port, batch, error) : FR_FLOW_ERROR;
}
