/* SPDX-License-Identifier: Apache-2.0 */
/* test-adapters.h: a small model on disk, adapters over it, and a scheduler that only counts. */
#ifndef FLOWRUN_SERVE_TEST_ADAPTERS_H
#define FLOWRUN_SERVE_TEST_ADAPTERS_H

#include <flowrun/error.h>

#include "lm/weights/test-files.h"
#include "models.h"

/** Shelf: where adapters are given to: ids that are there, in the order of loading. */
typedef struct
{
  char *dir, *base;
  LmModel *model;
  GMutex lock;
  GHashTable *there; /* adapter ids */
  guint last, changed;
  gboolean full;
} Shelf;

static inline gboolean
shelf_add (gpointer data, LmLora *lora, guint *adapter, GError **error)
{
  Shelf *shelf = data;

  g_assert_cmpuint (lora->modules->len, >, 0);
  if (shelf->full)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "no memory for an adapter");
      return FALSE;
    }
  g_mutex_lock (&shelf->lock);
  *adapter = ++shelf->last;
  g_hash_table_add (shelf->there, GUINT_TO_POINTER (*adapter));
  g_mutex_unlock (&shelf->lock);
  return TRUE;
}

static inline void
shelf_remove (gpointer data, guint adapter)
{
  Shelf *shelf = data;

  g_mutex_lock (&shelf->lock);
  g_assert_true (g_hash_table_remove (shelf->there, GUINT_TO_POINTER (adapter)));
  g_mutex_unlock (&shelf->lock);
}

static inline void
shelf_changed (gpointer data)
{
  g_atomic_int_inc (&((Shelf *) data)->changed);
}

static inline guint
shelf_n (Shelf *shelf)
{
  guint n;

  g_mutex_lock (&shelf->lock);
  n = g_hash_table_size (shelf->there);
  g_mutex_unlock (&shelf->lock);
  return n;
}

static inline ServeAdapters
shelf_ops (Shelf *shelf)
{
  return (ServeAdapters){ shelf_add, shelf_remove, shelf_changed, shelf };
}

static inline void
shelf_up (Shelf *shelf)
{
  g_autoptr (GError) error = NULL;

  memset (shelf, 0, sizeof *shelf);
  shelf->dir = g_dir_make_tmp ("flowrun-models-XXXXXX", NULL);
  shelf->base = g_build_filename (shelf->dir, "基座", NULL);
  made_directory (shelf->base, MADE_CONFIG ("qwen2", ""), LM_F32);
  shelf->model = lm_model_open (shelf->base, &error);
  g_assert_no_error (error);
  g_mutex_init (&shelf->lock);
  shelf->there = g_hash_table_new (NULL, NULL);
}

static inline void
shelf_down (Shelf *shelf)
{
  g_assert_cmpuint (g_hash_table_size (shelf->there), ==, 0);
  fr_object_unref (shelf->model);
  made_remove (shelf->dir);
  g_hash_table_unref (shelf->there);
  g_mutex_clear (&shelf->lock);
  g_free (shelf->base);
  g_free (shelf->dir);
}

/* An adapter's directory; equal seeds give equal numbers; g_free(). */
static inline char *
shelf_adapter (Shelf *shelf, const char *name, guint64 seed)
{
  char *path = g_build_filename (shelf->dir, name, NULL);
  LmLoraSpec spec = { .rank = 2, .alpha = 4, .targets = g_strsplit ("q_proj,v_proj", ",", -1) };
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLora) lora = lm_lora_plan (lm_model_config (shelf->model), &spec, &error);

  g_assert_no_error (error);
  lm_lora_init (lora, seed);
  g_mkdir_with_parents (path, 0777);
  lm_lora_save (lora, shelf->base, path, &error);
  g_assert_no_error (error);
  lm_lora_spec_clear (&spec);
  return path;
}

/* What the parameters' defaults are. */
static inline ServeModelsConfig
shelf_config (void)
{
  return (ServeModelsConfig){ .max_adapters = 16,
                              .window = 5 * G_TIME_SPAN_MINUTE,
                              .watch = G_TIME_SPAN_HOUR,
                              .least = 50,
                              .shadow_running = 2 };
}

#endif
