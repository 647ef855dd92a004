/* SPDX-License-Identifier: Apache-2.0 */
/* test-parts.c: the parts of a training that need no model: schedule and checkpoints. */
#include "config.h"

#include <flowrun/error.h>
#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "checkpoint.h"
#include "schedule.h"

/* ---- schedule ------------------------------------------------------------------------ */

static void
test_schedule (void)
{
  g_assert_cmpuint (schedule_warmup (0.03, 100), ==, 3);
  g_assert_cmpuint (schedule_warmup (0.03, 10), ==, 1);
  g_assert_cmpuint (schedule_warmup (0, 10), ==, 0);
  g_assert_cmpuint (schedule_warmup (7, 10), ==, 7);
  for (ScheduleKind kind = SCHEDULE_COSINE; kind <= SCHEDULE_CONSTANT; kind++)
    {
      g_assert_cmpfloat (schedule_factor (kind, 1, 3, 103), ==, 0.25);
      g_assert_cmpfloat (schedule_factor (kind, 3, 3, 103), ==, 0.75);
      g_assert_cmpfloat (schedule_factor (kind, 4, 3, 103), ==, 1);
      g_assert_cmpfloat (schedule_factor (kind, 1, 0, 1), ==, 1);
    }
  g_assert_cmpfloat (fabs (schedule_factor (SCHEDULE_COSINE, 54, 3, 103) - 0.5), <, 1e-12);
  g_assert_cmpfloat (fabs (schedule_factor (SCHEDULE_LINEAR, 79, 3, 103) - 0.25), <, 1e-12);
  g_assert_cmpfloat (schedule_factor (SCHEDULE_CONSTANT, 103, 3, 103), ==, 1);
  g_assert_cmpfloat (schedule_factor (SCHEDULE_COSINE, 103, 3, 103), >, 0);
  g_assert_cmpfloat (schedule_factor (SCHEDULE_LINEAR, 104, 3, 103), ==, 0);
}

/* ---- checkpoints --------------------------------------------------------------------------- */

static void
write_one (const char *dir, const char *kind, guint64 step, const float *numbers, gsize n)
{
  g_autoptr (JsonNode) meta = fr_json_parse ("{\"loss\": 0.1}", -1, 0, NULL);
  g_autoptr (GError) error = NULL;
  CheckpointWriter *w = checkpoint_begin (dir, kind, step, meta, &error);

  g_assert_no_error (error);
  for (gsize i = 0; i < n; i++)
    g_assert_true (checkpoint_put (w, numbers + i, 1, &error));
  g_assert_true (checkpoint_commit (w, &error));
  g_assert_no_error (error);
}

static void
test_checkpoint (void)
{
  static const float numbers[] = { 1.5f, -0.0f, 3e-40f };
  g_autofree char *dir = g_dir_make_tmp ("tune-XXXXXX", NULL);
  g_autoptr (Checkpoint) c = NULL;
  g_autoptr (GArray) steps = NULL;
  g_autoptr (GError) error = NULL;
  guint64 keep[] = { 30, 200000000 };
  float back[3];

  write_one (dir, "state", 30, numbers, 3);
  write_one (dir, "state", 4, numbers, 0);
  write_one (dir, "state", 200000000, numbers, 1);
  write_one (dir, "best", 5, numbers, 3);
  steps = checkpoint_steps (dir, "state");
  g_assert_cmpuint (steps->len, ==, 3);
  g_assert_cmpuint (g_array_index (steps, guint64, 0), ==, 200000000);
  g_assert_cmpuint (g_array_index (steps, guint64, 2), ==, 4);
  c = checkpoint_open (dir, "state", 30, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (c->n_numbers, ==, 3);
  g_assert_true (checkpoint_get (c, 0, back, 3));
  g_assert_cmpmem (back, sizeof back, numbers, sizeof numbers);
  g_assert_false (checkpoint_get (c, 2, back, 2));
  g_assert_cmpfloat (json_object_get_double_member (json_node_get_object (c->meta), "loss"), ==,
                     0.1);
  checkpoint_keep (dir, "state", keep, 2);
  g_array_unref (steps);
  steps = checkpoint_steps (dir, "state");
  g_assert_cmpuint (steps->len, ==, 2);
  checkpoint_keep (dir, "state", NULL, 0);
  checkpoint_keep (dir, "best", NULL, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

/* Any byte changed, any byte missing: refused, and not as something else. */
static void
test_checkpoint_damaged (void)
{
  static const float numbers[] = { 1, 2 };
  g_autofree char *dir = g_dir_make_tmp ("tune-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "state-00000007", NULL), *whole = NULL;
  gsize len;

  write_one (dir, "state", 7, numbers, 2);
  g_assert_true (g_file_get_contents (path, &whole, &len, NULL));
  for (gsize i = 0; i < 2 * len; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *bytes = g_memdup2 (whole, len);

      if (i < len)
        bytes[i] ^= 0x10;
      g_assert_true (
          g_file_set_contents (path, bytes, i < len ? (gssize) len : (gssize) (i - len), NULL));
      g_assert_null (checkpoint_open (dir, "state", 7, &error));
      g_assert_error (error, FR_ERROR, FR_ERROR_DATA);
      g_assert_nonnull (strstr (error->message, "damaged"));
    }
  checkpoint_keep (dir, "state", NULL, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

/* What was being written when the process died, or was given up, is not there. */
static void
test_checkpoint_unfinished (void)
{
  g_autofree char *dir = g_dir_make_tmp ("tune-XXXXXX", NULL);
  g_autofree char *left = g_build_filename (dir, "writing-state-00000009", NULL);
  g_autoptr (JsonNode) meta = fr_json_parse ("{}", -1, 0, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) steps = NULL;
  CheckpointWriter *w = checkpoint_begin (dir, "state", 1, meta, NULL);

  checkpoint_abandon (w);
  g_assert_true (g_file_set_contents (left, "FRT", -1, NULL));
  steps = checkpoint_steps (dir, "state");
  g_assert_cmpuint (steps->len, ==, 0);
  g_assert_null (checkpoint_begin ("/nonexistent", "state", 1, meta, &error));
  g_assert_error (error, FR_ERROR, FR_ERROR_IO);
  checkpoint_keep (dir, "state", NULL, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tune/schedule", test_schedule);
  g_test_add_func ("/tune/checkpoint", test_checkpoint);
  g_test_add_func ("/tune/checkpoint-damaged", test_checkpoint_damaged);
  g_test_add_func ("/tune/checkpoint-unfinished", test_checkpoint_unfinished);
  return g_test_run ();
}
