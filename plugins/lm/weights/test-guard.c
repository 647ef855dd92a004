/* SPDX-License-Identifier: Apache-2.0 */
/* test-guard.c: a model whose files others replace, overwrite and shorten while it is read. */
#include "config.h"

#include <fcntl.h>
#include <flowrun/error.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "lm/model.h"
#include "lm/weights/test-files.h"

typedef struct
{
  char *dir, *path, *file;
  LmModel *model;
  const LmTensor *tensor;
  gpointer before; /* its bytes */
} Place;

static void
place_up (Place *p, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  (void) data;
  p->dir = g_dir_make_tmp ("flowrun-XXXXXX", NULL);
  p->path = g_build_filename (p->dir, "base", NULL);
  p->file = g_build_filename (p->path, "model.safetensors", NULL);
  made_directory (p->path, MADE_CONFIG ("qwen2", ""), LM_F32);
  p->model = lm_model_open (p->path, &error);
  g_assert_no_error (error);
  p->tensor = lm_model_weight (p->model, LM_W_EMBED, 0);
  p->before = g_memdup2 (p->tensor->data, p->tensor->bytes);
}

static void
place_down (Place *p, gconstpointer data)
{
  (void) data;
  fr_object_unref (p->model);
  made_remove (p->dir);
  g_free (p->before);
  g_free (p->file);
  g_free (p->path);
  g_free (p->dir);
}

static void
assert_state (Place *p, LmFilesState expected)
{
  const char *which;

  g_assert_cmpint (lm_model_look (p->model, &which, NULL), ==, expected);
  g_assert_cmpstr (which, ==, expected == LM_FILES_SAME ? NULL : p->file);
}

static void
assert_weights (Place *p)
{
  g_assert_cmpmem (p->tensor->data, p->tensor->bytes, p->before, p->tensor->bytes);
}

/* Writes the file anew, in place, all zeros, @size bytes long. */
static void
overwrite (const char *file, gsize size)
{
  g_autofree char *zeros = g_malloc0 (size);
  int fd = g_open (file, O_WRONLY | O_TRUNC, 0);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, zeros, size), ==, (gssize) size);
  close (fd);
}

static void
test_replaced (Place *p, gconstpointer data)
{
  g_autofree char *other = g_strconcat (p->file, ".new", NULL);

  (void) data;
  assert_state (p, LM_FILES_SAME);
  g_file_set_contents (other, "other", -1, NULL);
  g_rename (other, p->file);
  assert_state (p, LM_FILES_REPLACED);
  assert_weights (p);
  g_unlink (p->file);
  assert_state (p, LM_FILES_REPLACED);
  assert_weights (p);
}

static void
test_written (Place *p, gconstpointer data)
{
  int fd = g_open (p->file, O_WRONLY, 0);
  g_autoptr (GError) error = NULL;

  (void) data;
  g_usleep (20000); /* a tick of the file system's clock */
  g_assert_cmpint (pwrite (fd, "x", 1, 0), ==, 1);
  close (fd);
  assert_state (p, LM_FILES_WRITTEN);
  /* What was written to is not worth holding. */
  g_assert_false (lm_model_hold (p->model, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
}

static void
test_hold (Place *p, gconstpointer data)
{
  gconstpointer at = p->tensor->data;
  g_autoptr (GError) error = NULL;

  (void) data;
  g_assert_true (lm_model_hold (p->model, &error));
  g_assert_no_error (error);
  g_assert_true (lm_model_hold (p->model, NULL));
  g_assert_true (p->tensor->data == at);
  overwrite (p->file, 10);
  assert_weights (p);
  assert_state (p, LM_FILES_HELD);
}

typedef struct
{
  Place *place;
  gint stop, rounds;
} Reader;

static gpointer
read_weights (gpointer data)
{
  Reader *r = data;

  while (!g_atomic_int_get (&r->stop))
    {
      assert_weights (r->place);
      g_atomic_int_inc (&r->rounds);
    }
  return NULL;
}

/* Until each of them has read once more. */
static void
wait_for_readers (Reader *readers, guint n)
{
  for (guint i = 0; i < n; i++)
    for (gint before = g_atomic_int_get (&readers[i].rounds);
         g_atomic_int_get (&readers[i].rounds) == before;)
      g_usleep (1000);
}

/* Nobody who reads the weights notices that they are put into memory. */
static void
test_hold_while_read (Place *p, gconstpointer data)
{
  Reader readers[3] = { { p, 0, 0 }, { p, 0, 0 }, { p, 0, 0 } };
  GThread *threads[3];

  (void) data;
  for (guint i = 0; i < 3; i++)
    threads[i] = g_thread_new ("reads", read_weights, &readers[i]);
  wait_for_readers (readers, 3);
  g_assert_true (lm_model_hold (p->model, NULL));
  overwrite (p->file, 1);
  wait_for_readers (readers, 3);
  for (guint i = 0; i < 3; i++)
    {
      g_atomic_int_set (&readers[i].stop, 1);
      g_thread_join (threads[i]);
    }
}

static gpointer
overwrite_thread (gpointer data)
{
  overwrite (data, 3);
  return NULL;
}

static void
test_lease (Place *p, gconstpointer data)
{
  LmFilesState state = LM_FILES_SAME;
  const char *which;
  GThread *thread;

  (void) data;
  if (lm_model_guard (p->model) == 0)
    {
      g_test_skip ("this file system, or this user, knows no leases");
      return;
    }
  g_assert_cmpuint (lm_model_guard (p->model), ==, 1);
  assert_state (p, LM_FILES_SAME);
  thread = g_thread_new ("overwrites", overwrite_thread, p->file);
  for (guint i = 0; i < 1000 && state == LM_FILES_SAME; i++)
    {
      g_usleep (5000);
      assert_weights (p);
      state = lm_model_look (p->model, &which, NULL);
    }
  g_thread_join (thread);
  g_assert_cmpint (state, ==, LM_FILES_HELD);
  assert_weights (p);
  assert_state (p, LM_FILES_HELD);
}

/* Somebody has it open to write to it already: no lease, only watching. */
static void
test_no_lease (Place *p, gconstpointer data)
{
  int fd = g_open (p->file, O_WRONLY, 0);

  (void) data;
  g_assert_cmpuint (lm_model_guard (p->model), ==, 0);
  close (fd);
}

static void
test_read (Place *p, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmWeightFile) file = lm_weight_file_read (p->file, &error);
  const LmTensor *t;

  (void) data;
  g_assert_no_error (error);
  overwrite (p->file, 3);
  t = lm_weight_file_find (file, "model.embed_tokens.weight");
  g_assert_cmpmem (t->data, t->bytes, p->before, t->bytes);
  g_assert_null (lm_weight_file_read (p->file, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
  g_clear_error (&error);
  g_assert_null (lm_weight_file_read (p->dir, &error));
  g_assert_nonnull (error);
}

#define ADD(name, function) g_test_add ("/guard/" name, Place, NULL, place_up, function, place_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("replaced", test_replaced);
  ADD ("written", test_written);
  ADD ("hold", test_hold);
  ADD ("hold-while-read", test_hold_while_read);
  ADD ("lease", test_lease);
  ADD ("no-lease", test_no_lease);
  ADD ("read", test_read);
  return g_test_run ();
}
