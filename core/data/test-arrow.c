/* SPDX-License-Identifier: Apache-2.0 */
/* test-arrow.c: the rules of the Arrow C data interface, kept by both sides:
 * release pointers, moved children, offsets, and arrays that lie.
 * (test-arrow.py does the same with other people's libraries.)
 */
#include "config.h"

#include "data/test-rows.h"

static void
test_there_and_back (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) batch = rows_all (30), back = NULL;
  g_autofree char *before = rows_text (batch), *after = NULL;
  g_autoptr (FrSchema) schema = fr_schema_ref (fr_batch_schema (batch));
  struct ArrowArray array;
  struct ArrowSchema types;

  fr_batch_export (batch, &array, &types);
  g_clear_pointer (&batch, fr_batch_unref);
  back = fr_batch_import (&array, &types, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (array.release);
  g_assert_null (types.release);
  rows_assert_valid (back);
  after = rows_text (back);
  g_assert_cmpstr (before, ==, after);
  g_assert_true (fr_schema_equal (schema, fr_batch_schema (back)));
  g_assert_cmpuint (fr_batch_ids (back)[29].position, ==, 30);
}

/* A consumer may move any child away, release the parent, and the child later. */
static void
test_moved_children (void)
{
  g_autoptr (FrBatch) batch = rows_all (10);
  struct ArrowArray array, child, grandchild;
  struct ArrowSchema types, child_type;

  fr_batch_export (batch, &array, &types);
  g_clear_pointer (&batch, fr_batch_unref);
  child = *array.children[9]; /* tags */
  array.children[9]->release = NULL;
  grandchild = *child.children[0];
  child.children[0]->release = NULL;
  child_type = *types.children[9];
  types.children[9]->release = NULL;
  array.release (&array);
  types.release (&types);
  g_assert_null (array.release);
  g_assert_null (types.release);
  g_assert_cmpstr (child_type.format, ==, "+l");
  g_assert_cmpstr (child_type.name, ==, "tags");
  g_assert_cmpint (child.length, ==, 10);
  child.release (&child);
  child_type.release (&child_type);
  g_assert_cmpint (((const gint32 *) grandchild.buffers[1])[0], ==, 0);
  g_assert_cmpint (((const gint32 *) grandchild.buffers[1])[grandchild.length], >, 0);
  grandchild.release (&grandchild);
}

static gpointer
release_array (gpointer data)
{
  struct ArrowArray *array = data;

  array->release (array);
  return NULL;
}

static void
test_other_thread (void)
{
  g_autoptr (FrBatch) batch = rows_all (10);

  for (guint i = 0; i < 100; i++)
    {
      struct ArrowArray array;
      struct ArrowSchema types;
      GThread *thread;

      fr_batch_export (batch, &array, &types);
      thread = g_thread_new ("release", release_array, &array);
      rows_assert_valid (batch);
      types.release (&types);
      g_thread_join (thread);
    }
}

/* ---- arrays by hand ------------------------------------------------------ */

static guint released;

static void
count_release (struct ArrowArray *array)
{
  for (int64_t i = 0; i < array->n_children; i++)
    if (array->children[i]->release != NULL)
      array->children[i]->release (array->children[i]);
  array->release = NULL;
  released++;
}

static void
release_nothing (struct ArrowSchema *schema)
{
  schema->release = NULL;
}

/* One column of one type in a batch of @length rows. */
typedef struct
{
  struct ArrowArray whole, column, *columns[1];
  struct ArrowSchema types, type, *all[1];
  const void *buffers[3], *none[1];
} Lone;

static void
lone_init (Lone *l, const char *format, int64_t length, int64_t n_buffers, const void *data,
           const void *text)
{
  memset (l, 0, sizeof *l);
  l->buffers[1] = data;
  l->buffers[2] = text;
  l->columns[0] = &l->column;
  l->all[0] = &l->type;
  l->column = (struct ArrowArray){
    .length = length, .n_buffers = n_buffers, .buffers = l->buffers, .release = count_release
  };
  l->whole = (struct ArrowArray){ .length = length,
                                  .n_buffers = 1,
                                  .n_children = 1,
                                  .buffers = l->none,
                                  .children = l->columns,
                                  .release = count_release };
  l->type = (struct ArrowSchema){ .format = format, .name = "c", .release = release_nothing };
  l->types = (struct ArrowSchema){
    .format = "+s", .n_children = 1, .children = l->all, .release = release_nothing
  };
  released = 0;
}

static void
expect_refused (Lone *l, FrError code, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (fr_batch_import (&l->whole, &l->types, NULL, &error));
  g_assert_error (error, FR_ERROR, (int) code);
  if (strstr (error->message, text) == NULL)
    g_error ("should say '%s', but says '%s'", text, error->message);
  g_assert_null (l->whole.release);
  g_assert_null (l->types.release);
  g_assert_cmpuint (released, ==, 2);
}

static void
test_liars (void)
{
  static const gint32 rising[] = { 0, 1, 2 }, falling[] = { 0, 5, 2 };
  Lone l;

  lone_init (&l, "u", 2, 3, falling, "abcdef");
  expect_refused (&l, FR_ERROR_DATA, "before it begins");
  lone_init (&l, "u", 2, 3, rising, "\xff\xff");
  expect_refused (&l, FR_ERROR_DATA, "UTF-8");
  lone_init (&l, "u", 2, 3, rising, NULL);
  expect_refused (&l, FR_ERROR_DATA, "last offset");
  lone_init (&l, "u", 2, 2, rising, "ab");
  expect_refused (&l, FR_ERROR_DATA, "2 buffers");
  lone_init (&l, "i", 2, 2, NULL, NULL);
  expect_refused (&l, FR_ERROR_DATA, "buffer 1 is missing");
  lone_init (&l, "i", -2, 2, rising, NULL);
  expect_refused (&l, FR_ERROR_DATA, "fit its schema");
  lone_init (&l, "i", 2, 2, rising, NULL);
  l.column.length = 1;
  expect_refused (&l, FR_ERROR_DATA, "shorter than its batch");
  lone_init (&l, "i", 2, 2, rising, NULL);
  l.column.offset = G_MAXINT64 - 1;
  expect_refused (&l, FR_ERROR_DATA, "out of range");
  lone_init (&l, "i", 2, 2, rising, NULL);
  l.column.null_count = 1;
  expect_refused (&l, FR_ERROR_DATA, "no validity buffer");
  lone_init (&l, "+l", 2, 2, rising, NULL);
  expect_refused (&l, FR_ERROR_DATA, "0 child columns");
  lone_init (&l, "s", 2, 2, rising, NULL);
  expect_refused (&l, FR_ERROR_TYPE, "Arrow type 's'");
  lone_init (&l, "i", 2, 2, rising, NULL);
  l.types.format = "i";
  expect_refused (&l, FR_ERROR_TYPE, "struct array");
  lone_init (&l, "i", 2, 2, rising, NULL);
  l.whole.null_count = 1;
  expect_refused (&l, FR_ERROR_DATA, "itself is null");
  lone_init (&l, "i", 2, 2, rising, NULL);
  l.types.n_children = 0;
  expect_refused (&l, FR_ERROR_DATA, "fit its schema");
}

/* Unknown null count, an offset of the batch and one of the column. */
static void
test_offsets (void)
{
  static const gint32 values[] = { 10, 11, 12, 13, 14, 15 };
  static const guint8 valid[] = { 0x2f }; /* all but the fifth */
  g_autoptr (GError) error = NULL;
  g_autoptr (FrBatch) batch = NULL;
  g_autofree char *text = NULL;
  Lone l;

  lone_init (&l, "i", 3, 2, values, NULL);
  l.whole.offset = 1;
  l.whole.null_count = -1;
  l.column.offset = 2;
  l.column.length = 4;
  l.column.null_count = -1;
  l.buffers[0] = valid;
  batch = fr_batch_import (&l.whole, &l.types,
                           (const FrRowId[]){ { 7, 1, 0 }, { 8, 1, 0 }, { 9, 1, 0 } }, &error);
  g_assert_no_error (error);
  rows_assert_valid (batch);
  text = rows_text (batch);
  g_assert_cmpstr (text, ==, "{\"c\":13}\n{\"c\":null}\n{\"c\":15}\n");
  g_assert_cmpuint (fr_batch_ids (batch)[2].position, ==, 9);
  g_assert_cmpuint (released, ==, 2);
}

/* An array that is used as it is lives until the last column is gone. */
static void
test_held (void)
{
  static const gint32 values[] = { 1, 2 };
  g_autoptr (FrBatch) batch = NULL;
  FrColumn *column;
  Lone l;

  lone_init (&l, "i", 2, 2, values, NULL);
  batch = fr_batch_import (&l.whole, &l.types, NULL, NULL);
  column = fr_column_ref (fr_batch_column (batch, 0));
  g_assert_true (fr_column_array (column)->buffers[1] == values);
  g_clear_pointer (&batch, fr_batch_unref);
  g_assert_cmpuint (released, ==, 0);
  fr_column_unref (column);
  g_assert_cmpuint (released, ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/arrow/there-and-back", test_there_and_back);
  g_test_add_func ("/arrow/moved-children", test_moved_children);
  g_test_add_func ("/arrow/other-thread", test_other_thread);
  g_test_add_func ("/arrow/liars", test_liars);
  g_test_add_func ("/arrow/offsets", test_offsets);
  g_test_add_func ("/arrow/held", test_held);
  return g_test_run ();
}
