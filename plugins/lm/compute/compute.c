/* SPDX-License-Identifier: Apache-2.0 */
/* compute.c: finding and opening backends, and their memory counted. */
#include "config.h"

#include "lm/compute.h"

/* Every member from `open` on is a pointer to a function, so that a new slot is inherited without
 * being named here. */
#define FIRST_SLOT G_STRUCT_OFFSET (LmComputeClass, open)
G_STATIC_ASSERT ((sizeof (LmComputeClass) - FIRST_SLOT) % sizeof (GCallback) == 0);

void
lm_compute_inherit (LmComputeClass *klass, const LmComputeClass *from)
{
  for (gsize at = FIRST_SLOT; at < sizeof *klass; at += sizeof (GCallback))
    {
      GCallback *slot = G_STRUCT_MEMBER_P (klass, at);

      if (*slot == NULL)
        *slot = G_STRUCT_MEMBER (GCallback, from, at);
    }
}

LmCompute *
lm_compute_open_class (const LmComputeClass *klass, guint threads, GError **error)
{
  return klass->open (klass, MAX (threads, 1), error);
}

LmCompute *
lm_compute_open (FrHost *host, const char *name, guint threads, GError **error)
{
  const FrService *service;

  if (g_strcmp0 (name, "reference") == 0)
    return lm_compute_open_class (lm_compute_reference (), threads, error);
  service = host != NULL ? fr_host_service (host, LM_COMPUTE_KIND, LM_COMPUTE_VERSION, name, error)
                         : fr_service_find (LM_COMPUTE_KIND, LM_COMPUTE_VERSION, name, error);
  return service != NULL ? lm_compute_open_class (service->table, threads, error) : NULL;
}

void
lm_compute_close (LmCompute *c)
{
  if (c != NULL)
    c->klass->close (c);
}

static void
count (LmCompute *c, gsize bytes)
{
  c->bytes += bytes;
  c->peak_bytes = MAX (c->peak_bytes, c->bytes);
}

gpointer
lm_compute_alloc (LmCompute *c, gsize bytes, GError **error)
{
  gpointer data = c->klass->alloc (c, bytes, error);

  if (data != NULL)
    count (c, bytes);
  return data;
}

void
lm_compute_release (LmCompute *c, gpointer data, gsize bytes)
{
  if (data == NULL)
    return;
  c->klass->release (c, data, bytes);
  c->bytes -= bytes;
}

gboolean
lm_compute_import (LmCompute *c, LmMat *m, gsize *bytes, GError **error)
{
  *bytes = 0;
  if (!c->klass->import (c, m, bytes, error))
    return FALSE;
  count (c, *bytes);
  return TRUE;
}

gboolean
lm_compute_mat (LmCompute *c, LmMat *m, LmType type, gsize rows, gsize cols, GError **error)
{
  gsize bytes;

  *m = lm_mat (NULL, type, rows, cols);
  if (!g_size_checked_mul (&bytes, rows, lm_type_bytes (type, cols)))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "a matrix of %" G_GSIZE_FORMAT " × %" G_GSIZE_FORMAT
                   " %s does not fit an address space",
                   rows, cols, lm_types[type].name);
      return FALSE;
    }
  m->data = lm_compute_alloc (c, bytes, error);
  return m->data != NULL;
}

void
lm_compute_release_mat (LmCompute *c, LmMat *m)
{
  lm_compute_release (c, m->data, m->rows * lm_type_bytes (m->type, m->stride));
  m->data = NULL;
}

const FrEnumValue *const lm_type_choices[]
    = { FR_ENUM ("auto", LM_TYPE_AUTO, "bf16 where the backend multiplies it faster, else f32"),
        FR_ENUM ("f32", LM_TYPE_F32, "32-bit floats"),
        FR_ENUM ("bf16", LM_TYPE_BF16, "16-bit brain floats"), NULL };

LmType
lm_type_choose (LmCompute *c, LmTypeChoice choice)
{
  if (choice != LM_TYPE_AUTO)
    return choice == LM_TYPE_BF16 ? LM_BF16 : LM_F32;
  return c->klass->fast_bf16 (c) ? LM_BF16 : LM_F32;
}
