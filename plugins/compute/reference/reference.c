/* SPDX-License-Identifier: Apache-2.0 */
/* reference.c: the reference backend: host memory, and its table of operations. */
#include "config.h"

#include "compute/reference/reference.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64

static LmCompute *
reference_open (const LmComputeClass *klass, guint threads, GError **error)
{
  LmCompute *c = g_new0 (LmCompute, 1);

  (void) error;
  c->klass = klass;
  c->threads = threads;
  return c;
}

static void
reference_close (LmCompute *c)
{
  g_free (c);
}

static char *
reference_describe (LmCompute *c)
{
  (void) c;
  return g_strdup ("reference, plain C, 1 thread");
}

static gpointer
reference_alloc (LmCompute *c, gsize bytes, GError **error)
{
  gpointer data = NULL;

  (void) c;
  if (bytes <= G_MAXSIZE - ALIGNMENT)
    data = aligned_alloc (ALIGNMENT, (MAX (bytes, 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
  if (data == NULL)
    {
      g_autofree char *size = g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);

      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "there is no memory for another %s; use a smaller batch or shorter rows", size);
    }
  return data;
}

static void
reference_release (LmCompute *c, gpointer data, gsize bytes)
{
  (void) c;
  (void) bytes;
  free (data);
}

static gboolean
reference_fast_bf16 (LmCompute *c)
{
  (void) c;
  return FALSE;
}

static gboolean
reference_import (LmCompute *c, LmMat *m, gsize *bytes, GError **error)
{
  (void) c;
  (void) m;
  (void) error;
  *bytes = 0;
  return TRUE;
}

static void
reference_copy (LmCompute *c, gpointer dst, gconstpointer src, gsize bytes)
{
  (void) c;
  if (bytes > 0)
    memcpy (dst, src, bytes);
}

static void
reference_zero (LmCompute *c, gpointer dst, gsize bytes)
{
  (void) c;
  if (bytes > 0)
    memset (dst, 0, bytes);
}

static gboolean
reference_sync (LmCompute *c, GError **error)
{
  (void) c;
  (void) error;
  return TRUE;
}

static const LmComputeClass reference = {
  .version = LM_COMPUTE_VERSION,
  .name = "reference",
  .host_memory = TRUE,
  .open = reference_open,
  .close = reference_close,
  .describe = reference_describe,
  .alloc = reference_alloc,
  .release = reference_release,
  .import = reference_import,
  .upload = reference_copy,
  .download = reference_copy,
  .copy = reference_copy,
  .zero = reference_zero,
  .sync = reference_sync,
  .matmul = lm_reference_matmul,
  .packed_bytes = lm_reference_packed_bytes,
  .pack = lm_reference_pack,
  .matmul_packed = lm_reference_matmul_packed,
  .add = lm_reference_add,
  .add_row = lm_reference_add_row,
  .sum_rows = lm_reference_sum_rows,
  .cast = lm_reference_cast,
  .silu = lm_reference_silu,
  .silu_back = lm_reference_silu_back,
  .dropout = lm_reference_dropout,
  .rms_norm = lm_reference_rms_norm,
  .rms_norm_back = lm_reference_rms_norm_back,
  .rope = lm_reference_rope,
  .attention = lm_reference_attention,
  .attention_back = lm_reference_attention_back,
  .embed = lm_reference_embed,
  .embed_back = lm_reference_embed_back,
  .cross_entropy = lm_reference_cross_entropy,
  .adamw = lm_reference_adamw,
  .sum_squares = lm_reference_sum_squares,
  .fast_bf16 = reference_fast_bf16,
};

const LmComputeClass *
lm_compute_reference (void)
{
  return &reference;
}
