/* SPDX-License-Identifier: Apache-2.0 */
/* data-private.h: what columns, batches and cells are made of (internal).
 *
 * A column is a tree of FrColumn, one per Arrow array, each with its own
 * count, so that a child can be shared or exported without its parent.  Its
 * buffers are either g_malloc'ed, one by one, or all borrowed from one owner
 * (an imported array, a block read from a page file) that it holds a
 * reference on.
 */
#ifndef FLOWRUN_DATA_PRIVATE_H
#define FLOWRUN_DATA_PRIVATE_H

#include <flowrun/batch.h>
#include <flowrun/error.h>

G_BEGIN_DECLS

/* ---- fields -------------------------------------------------------------- */

struct _FrField
{
  gint ref;
  FrType type;
  char *name;
  gsize name_len;
  char *json_key; /* "name": with quotes, escaped, and the colon */
  gsize json_key_len;
  guint n_children;
  FrField **children;
};

/* ---- columns ------------------------------------------------------------- */

struct _FrColumn
{
  gint ref;
  FrType type;
  struct ArrowArray
      array; /* buffers and children point into this structure; its release does nothing */
  const void *buffers[3];
  gsize data_size; /* bytes of the last buffer (text, binary), for validation */
  gsize bytes;     /* memory of all buffers, children's too */
  gpointer owner;  /* NULL: the buffers are ours */
  GDestroyNotify owner_unref;
  struct ArrowArray **child_arrays;
  guint n_children;
  FrColumn **children;
};

/* Where the parts of a type lie among an array's buffers. */
#define FRI_BUFFER_VALIDITY 0
#define FRI_BUFFER_OFFSETS 1 /* text, binary, list */
#define FRI_BUFFER_VALUES 1  /* fixed width, bool */
#define FRI_BUFFER_TEXT 2    /* text, binary */

/** fri_type_width: bytes of a fixed-width value; 0 for bool and everything else. */
gsize fri_type_width (FrType type);
/** fri_type_n_buffers: how many buffers Arrow gives the type. */
guint fri_type_n_buffers (FrType type);
static inline gboolean
fri_type_is_text (FrType type)
{
  return type == FR_TYPE_UTF8 || type == FR_TYPE_LARGE_UTF8 || type == FR_TYPE_BINARY;
}

/**
 * fri_column_new:
 * @buffers: fri_type_n_buffers() of them, in Arrow's order; taken when @owner is NULL
 * (g_malloc'ed); a missing one is replaced by an empty one where the profile demands it
 * @data_size: bytes of the text buffer (text, binary only)
 * @children: @n_children columns, each taken
 * @owner: what the buffers belong to (a reference, taken), with @owner_unref to let go of it; or
 * NULL
 */
FrColumn *fri_column_new (FrType type, gsize length, gsize null_count, void *const *buffers,
                          gsize data_size, FrColumn *const *children, guint n_children,
                          gpointer owner, GDestroyNotify owner_unref);

/** fri_column_fits: FALSE with FR_ERROR_TYPE when types (children too) or @length differ. */
gboolean fri_column_fits (const FrColumn *column, const FrField *field, gsize length,
                          GError **error);

/** fri_column_view: as fr_view(), of a column. */
FrView fri_column_view (const FrColumn *column);

/** fri_column_take: rows @rows; NULL when text or items would pass 2 GiB. */
FrColumn *fri_column_take (FrColumn *column, const guint32 *rows, gsize n);
/** fri_column_slice: rows [@start, @start + @n), copied. */
FrColumn *fri_column_slice (FrColumn *column, gsize start, gsize n);

/** fri_column_validate: every promise of the profile; FR_ERROR_INTERNAL. @name: for the message. */
gboolean fri_column_validate (const FrColumn *column, const FrField *field, const char *name,
                              GError **error);

/** fri_count_nulls: zero bits among the first @n of @validity. */
gsize fri_count_nulls (const guint8 *validity, gsize n);

/* ---- batches ------------------------------------------------------------- */

struct _FrBatch
{
  gint ref;
  FrSchema *schema;
  gsize n_rows;
  gsize bytes;
  FrRowId *ids; /* g_atomic_rc_box */
  guint n_columns;
  FrColumn *columns[];
};

/** fri_batch_new_shared: like fr_batch_new(), with @ids as a g_atomic_rc_box of which a reference
 * is taken over. */
FrBatch *fri_batch_new_shared (FrSchema *schema, gsize n_rows, FrColumn *const *columns,
                               FrRowId *ids, GError **error);

/** fri_batches_live: how many batches exist in this process. */
gint fri_batches_live (void);

/* ---- cells being written ------------------------------------------------- */

struct _FrCells
{
  FrType type;
  guint width; /* of a fixed-width value */
  FrField *field;
  gsize length;
  gsize nulls;
  guint8 *validity; /* NULL until the first null */
  gsize validity_size;
  gint32 *offsets;    /* text, binary, list; length + 1 of them */
  gint64 *offsets64;  /* large text */
  gsize offsets_size; /* entries */
  guint8 *data;
  gsize data_len;
  gsize data_size;
  gsize usual_size;  /* what the last batch needed */
  const char *fault; /* static: what the caller did wrong */
  gboolean too_big;
  guint n_children;
  FrCells **children;
};

FrCells *fri_cells_new (FrField *field);
void fri_cells_free (FrCells *cells);
/** fri_cells_truncate: takes back all cells from @length on, and children begun but not ended. */
void fri_cells_truncate (FrCells *cells, gsize length);
/** fri_cells_finish: the cells as a column; they are empty again. FR_ERROR_INTERNAL or
 * FR_ERROR_DATA. */
FrColumn *fri_cells_finish (FrCells *cells, GError **error);

G_END_DECLS

#endif
