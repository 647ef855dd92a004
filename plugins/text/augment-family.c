/* SPDX-License-Identifier: Apache-2.0 */
/* augment-family.c: rows and their variants, and texts seen before; see augment.h. */
#include "config.h"

#include <string.h>
#include <xxhash.h>

#include "text/augment-private.h"
#include "text/chars.h"

/* ---- family
 * --------------------------------------------------------------------------------------- */

struct _TextFamily
{
  FrHost *host;
  guint64 stage; /* hash of its id */
  guint n_input;
  int cluster, parent, variant; /* columns of the input; -1: added */
  guint n_columns;
};

static gboolean
is_type (FrSchema *schema, int column, guint types)
{
  return (FR_TYPES (fr_field_type (fr_schema_field (schema, (guint) column))) & types) != 0;
}

static FrSchema *
with_column (FrSchema *schema, const char *name, FrType type)
{
  FrSchema *wider = schema;

  if (fr_schema_find (schema, name) < 0)
    {
      wider = fr_schema_with (schema, fr_field_new (name, type));
      fr_schema_unref (schema);
    }
  return wider;
}

FrSchema *
text_family_schema (FrSchema *input, GError **error)
{
  int cluster = fr_schema_find (input, TEXT_FAMILY_CLUSTER);
  int parent = fr_schema_find (input, TEXT_FAMILY_PARENT);
  int variant = fr_schema_find (input, TEXT_FAMILY_VARIANT);
  FrSchema *schema;

  if (cluster >= 0 && !is_type (input, cluster, FR_TYPES_TEXT))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "the column '" TEXT_FAMILY_CLUSTER "', by which relatives are kept together, is "
                   "not text; make it text, or give it another name, with transform.select");
      return NULL;
    }
  if ((parent >= 0) != (variant >= 0) || (parent >= 0 && !is_type (input, parent, FR_TYPES_TEXT))
      || (variant >= 0 && !is_type (input, variant, FR_TYPES_INTEGER)))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "the input has a column '%s' that is no augmenter's: augmenters write "
                   "'" TEXT_FAMILY_PARENT "' (text) and '" TEXT_FAMILY_VARIANT
                   "' (a whole number) to say what a row was made of; give yours another name with "
                   "transform.select",
                   parent >= 0 ? TEXT_FAMILY_PARENT : TEXT_FAMILY_VARIANT);
      return NULL;
    }
  schema = with_column (fr_schema_ref (input), TEXT_FAMILY_CLUSTER, FR_TYPE_UTF8);
  schema = with_column (schema, TEXT_FAMILY_PARENT, FR_TYPE_UTF8);
  return with_column (schema, TEXT_FAMILY_VARIANT, FR_TYPE_INT32);
}

TextFamily *
text_family_new (FrHost *host, const FrSchema *input)
{
  TextFamily *family = g_new0 (TextFamily, 1);
  const char *stage = fr_host_stage (host);

  family->host = host;
  family->stage = XXH3_64bits (stage, strlen (stage));
  family->n_input = fr_schema_n_fields (input);
  family->cluster = fr_schema_find (input, TEXT_FAMILY_CLUSTER);
  family->parent = fr_schema_find (input, TEXT_FAMILY_PARENT);
  family->variant = fr_schema_find (input, TEXT_FAMILY_VARIANT);
  family->n_columns
      = family->n_input + (family->cluster < 0) + (family->parent < 0) + (family->variant < 0);
  return family;
}

void
text_family_free (TextFamily *family)
{
  g_free (family);
}

guint
text_family_n_columns (const TextFamily *family)
{
  return family->n_columns;
}

static void
append_id (const TextFamily *family, FrCells *cells, FrRowId id)
{
  g_autoptr (GString) text = g_string_new (NULL);

  fr_host_append_row_id (family->host, id, text);
  fr_cells_append_str (cells, text->str, text->len);
}

/* Two stages number their variants apart: a row that went through both has no two alike. */
static guint32
number_of (const TextFamily *family, guint variant)
{
  guint64 mixed = family->stage + variant * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  guint32 n = (guint32) XXH3_64bits (&mixed, sizeof mixed);

  return n != 0 ? n : 1;
}

FrRowId
text_family_append (const TextFamily *family, FrBuilder *builder, const FrBatch *batch, gsize row,
                    guint variant, const FrStr *texts)
{
  FrRowId id = fr_batch_ids (batch)[row];
  guint next = family->n_input;

  for (guint i = 0; i < family->n_input; i++)
    {
      FrCells *cells = fr_builder_cells (builder, i);
      FrView view = fr_view (batch, i);

      if ((int) i == family->cluster && fr_view_is_null (&view, row))
        append_id (family, cells, id);
      else if ((int) i == family->parent && variant > 0)
        append_id (family, cells, id);
      else if ((int) i == family->variant && variant > 0)
        fr_cells_append_int (cells, variant);
      else if ((int) i == family->variant && fr_view_is_null (&view, row))
        fr_cells_append_int (cells, 0);
      else if (texts != NULL && texts[i].data != NULL)
        fr_cells_append_str (cells, texts[i].data, texts[i].len);
      else
        fr_cells_append_from (cells, &view, row);
    }
  if (family->cluster < 0)
    append_id (family, fr_builder_cells (builder, next++), id);
  if (family->parent < 0)
    {
      if (variant > 0)
        append_id (family, fr_builder_cells (builder, next), id);
      else
        fr_cells_append_null (fr_builder_cells (builder, next));
      next++;
    }
  if (family->variant < 0)
    fr_cells_append_int (fr_builder_cells (builder, next), variant);
  return variant > 0 ? fr_row_id_child (id, number_of (family, variant)) : id;
}

/* ---- seen
 * -------------------------------------------------------------------------------------------- */

struct _TextSeen
{
  GHashTable *texts; /* set of char *: folded, letters and digits alone */
};

TextSeen *
text_seen_new (void)
{
  TextSeen *seen = g_new (TextSeen, 1);

  seen->texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return seen;
}

void
text_seen_free (TextSeen *seen)
{
  if (seen == NULL)
    return;
  g_hash_table_unref (seen->texts);
  g_free (seen);
}

void
text_seen_clear (TextSeen *seen)
{
  g_hash_table_remove_all (seen->texts);
}

gboolean
text_seen_add (TextSeen *seen, FrStr text)
{
  g_autoptr (GString) out = g_string_sized_new (text.len + 1);

  for (const char *p = text.data, *end = p + text.len; p < end;)
    {
      gunichar c = text_fold_char (text_next_char (&p));
      guint32 flags = text_char_flags (c);

      if (c != 0 && !(flags & (TEXT_CH_BLANK | TEXT_CH_NEWLINE | TEXT_CH_PUNCT)))
        g_string_append_unichar (out, c);
    }
  return g_hash_table_add (seen->texts, g_string_free (g_steal_pointer (&out), FALSE));
}
