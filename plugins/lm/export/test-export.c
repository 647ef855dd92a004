/* SPDX-License-Identifier: Apache-2.0 */
/* test-export.c: what sinks of models share: folders, rows with an adapter merged, cards. */
#include "config.h"

#include <flowrun/test.h>
#include <math.h>

#include "lm/export.h"
#include "lm/weights/test-files.h"

#define ELEMENT "sink.test"

typedef struct
{
  char *dir, *base;
  LmModel *model;
} Fixture;

static void
setup (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  (void) data;
  f->dir = g_dir_make_tmp ("flowrun-XXXXXX", NULL);
  f->base = g_build_filename (f->dir, "base", NULL);
  made_directory (f->base, MADE_CONFIG ("qwen2", ""), LM_BF16);
  made_write (f->base, "LICENSE", "do good");
  f->model = lm_model_open (f->base, &error);
  g_assert_no_error (error);
}

static void
remove_all (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *below = g_build_filename (path, name, NULL);

      remove_all (below);
    }
  g_remove (path);
}

static void
teardown (Fixture *f, gconstpointer data)
{
  (void) data;
  fr_object_unref (f->model);
  remove_all (f->dir);
  g_free (f->base);
  g_free (f->dir);
}

/* A file in a directory below, replaced as a whole, and nothing left of one that failed. */
static void
test_folder (Fixture *f, gconstpointer data)
{
  g_autofree char *out = g_build_filename (f->dir, "out", NULL);
  g_autofree char *file = g_build_filename (out, "below", "x", NULL);
  g_autofree char *part = g_build_filename (f->dir, ".out.part", NULL);
  LmCard card = { .model = f->model, .element = ELEMENT, .library = "test", .what = "a test" };
  g_autofree char *text = lm_card_text (&card);
  g_autoptr (GError) error = NULL;

  (void) data;
  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (LmFolder) folder = lm_folder_new (out, ELEMENT, &error);
      g_auto (GStrv) names = NULL;

      g_assert_no_error (error);
      g_assert_true (lm_folder_write (folder, "below/x", round == 0 ? "1" : "2", -1, &error));
      g_assert_true (lm_folder_write (folder, "README.md", text, -1, &error));
      g_assert_true (lm_export_side_files (f->model, folder, &error));
      g_assert_true (lm_folder_commit (folder, &error));
      names = lm_folder_names (folder);
      g_assert_cmpstr (names[0], ==, "LICENSE");
      g_assert_cmpstr (names[2], ==, "below/x");
    }
  g_clear_pointer (&text, g_free);
  g_assert_true (g_file_get_contents (file, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "2");
  {
    g_autoptr (LmFolder) folder = lm_folder_new (out, ELEMENT, &error);

    g_assert_true (lm_folder_write (folder, "below/x", "3", -1, &error));
  }
  g_assert_false (g_file_test (part, G_FILE_TEST_EXISTS));
  g_assert_null (lm_folder_new (out, "sink.other", &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
  g_assert_false (g_file_test (part, G_FILE_TEST_EXISTS));
}

/* Whole rows and parts of them: W + scale · B · A, and W alone where nothing is merged. */
static void
test_rows (Fixture *f, gconstpointer data)
{
  char *targets[] = { (char *) "q_proj", NULL };
  LmLoraSpec spec = { .rank = 3, .alpha = 6, .targets = targets };
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLora) lora = lm_lora_plan (lm_model_config (f->model), &spec, &error);
  g_autoptr (LmModel) model = NULL;
  const LmTensor *tensor;

  (void) data;
  g_assert_no_error (error);
  lm_lora_init (lora, 5);
  for (guint i = 0; i < lora->modules->len; i++)
    {
      LmLoraModule *m = g_ptr_array_index (lora->modules, i);

      for (gsize k = 0; k < m->out * m->rank; k++)
        m->b[k] = made_number (m->module, k) / 8;
    }
  model = lm_model_new_adapted (f->model, lora, NULL);
  tensor = lm_model_weight (model, LM_W_Q, 1);
  for (guint merge = 0; merge < 2; merge++)
    {
      LmRows rows;

      lm_rows_init (&rows, model, tensor, merge);
      g_assert_cmpuint (rows.rows, ==, 8);
      g_assert_cmpuint (rows.cols, ==, 8);
      g_assert_true ((rows.module != NULL) == merge);
      for (gsize i = 0; i < rows.rows; i++)
        for (gsize j = 0; j < rows.cols; j++)
          {
            double expected = (double) made_number (tensor->name, i * rows.cols + j), delta = 0;
            const LmLoraModule *m = rows.module;

            for (guint k = 0; m != NULL && k < m->rank; k++)
              delta += (double) m->b[i * m->rank + k] * (double) m->a[k * m->in + j];
            if (m != NULL)
              expected += (double) m->scale * delta;
            g_assert_cmpfloat_with_epsilon ((double) lm_rows_get (&rows, i)[j], expected, 1e-6);
            g_assert_cmpfloat (lm_rows_part (&rows, i, j, 1)[0], ==, lm_rows_get (&rows, i)[j]);
          }
      lm_rows_clear (&rows);
    }
}

static void
test_card (Fixture *f, gconstpointer data)
{
  g_autoptr (JsonObject) facts = made_object ("{'numbers': 'a|b'}");
  g_autoptr (JsonObject) verification = made_object ("{'initializers': 7}");
  LmCard card = { f->model, ELEMENT, "onnx", "a whole model", facts, "Load it.", verification };
  g_autofree char *text = lm_card_text (&card);

  (void) data;
  g_assert_nonnull (strstr (text, "library_name: onnx\n"));
  g_assert_nonnull (strstr (text, "| numbers | a\\|b |\n"));
  g_assert_nonnull (strstr (text, "## Usage\n\nLoad it.\n"));
  g_assert_nonnull (strstr (text, "## Verification\n\n| | |\n| --- | --- |\n| initializers | 7 |"));
}

static void
test_apart (Fixture *f, gconstpointer data)
{
  g_autofree char *same = g_build_filename (f->dir, ".", "base", NULL);
  g_autoptr (GError) error = NULL;

  (void) data;
  g_assert_true (lm_export_apart (f->model, f->dir, NULL));
  g_assert_false (lm_export_apart (f->model, same, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_CONFIG);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/lm/export/folder", Fixture, NULL, setup, test_folder, teardown);
  g_test_add ("/lm/export/rows", Fixture, NULL, setup, test_rows, teardown);
  g_test_add ("/lm/export/card", Fixture, NULL, setup, test_card, teardown);
  g_test_add ("/lm/export/apart", Fixture, NULL, setup, test_apart, teardown);
  return g_test_run ();
}
