/* SPDX-License-Identifier: Apache-2.0 */
/* dataset.c: tokenised samples, kept for all epochs. */
#include "config.h"

#include "lm/samples.h"

#include <errno.h>
#include <fcntl.h>
#include <flowrun/error.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#define FLUSH_BYTES (4u << 20)

struct _LmDataset
{
  char *dir;
  gsize limit;
  GArray *samples; /* LmDatasetSample */
  GArray *tokens;  /* guint32: all, or those not yet in the file */
  gsize n_tokens;
  int fd; /* -1: in memory */
  const guint32 *mapped;
  guint64 n_labels;
  guint32 longest;
  XXH3_state_t *hash;
};

LmDataset *
lm_dataset_new (const char *dir, gsize limit)
{
  LmDataset *d = g_new0 (LmDataset, 1);

  d->dir = g_strdup (dir);
  d->limit = limit;
  d->samples = g_array_new (FALSE, FALSE, sizeof (LmDatasetSample));
  d->tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  d->fd = -1;
  d->hash = XXH3_createState ();
  XXH3_64bits_reset (d->hash);
  return d;
}

void
lm_dataset_free (LmDataset *d)
{
  if (d == NULL)
    return;
  if (d->mapped != NULL)
    munmap ((gpointer) d->mapped, d->n_tokens * sizeof (guint32));
  if (d->fd >= 0)
    close (d->fd);
  g_array_unref (d->samples);
  g_array_unref (d->tokens);
  XXH3_freeState (d->hash);
  g_free (d->dir);
  g_free (d);
}

/* ---- one sample -------------------------------------------------------------------- */

void
lm_dataset_cut (LmSample *s, gsize max, gboolean left)
{
  gsize over = s->ids->len > max ? s->ids->len - max : 0;

  if (over == 0)
    return;
  g_array_remove_range (s->ids, left ? 0 : (guint) max, (guint) over);
  g_array_remove_range (s->learn, left ? 0 : (guint) max, (guint) over);
  if (left)
    s->n_prompt -= MIN (s->n_prompt, over);
  else
    s->n_prompt = MIN (s->n_prompt, max);
}

gsize
lm_dataset_labels (const LmSample *s)
{
  gsize n = 0;

  for (guint i = 1; i < s->ids->len; i++)
    n += g_array_index (s->learn, guint8, i) != 0;
  return n;
}

/* ---- writing ------------------------------------------------------------------------- */

/* The file has no name: it goes with the process, however that ends. */
static gboolean
open_file (LmDataset *d, GError **error)
{
  g_autofree char *path = g_build_filename (d->dir, "samples-XXXXXX", NULL);

  d->fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
  if (d->fd < 0)
    return fr_error_errno (error, errno, "write", path);
  g_unlink (path);
  return TRUE;
}

static gboolean
flush (LmDataset *d, GError **error)
{
  const char *data = d->tokens->data;
  gsize left = d->tokens->len * sizeof (guint32);

  if (d->fd < 0 && !open_file (d, error))
    return FALSE;
  while (left > 0)
    {
      gssize n = write (d->fd, data, left);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fr_error_errno (error, errno, "write samples to", d->dir);
      data += n;
      left -= (gsize) n;
    }
  g_array_set_size (d->tokens, 0);
  return TRUE;
}

gboolean
lm_dataset_add (LmDataset *d, FrRowId id, const LmSample *s, GError **error)
{
  LmDatasetSample sample = { .id = id, .at = d->n_tokens, .n = s->ids->len };
  guint64 head[3]
      = { GUINT64_TO_LE (id.position), GUINT64_TO_LE ((guint64) id.source << 32 | id.child),
          GUINT64_TO_LE ((guint64) sample.n) };
  gsize held = d->tokens->len * sizeof (guint32);

  XXH3_64bits_update (d->hash, head, sizeof head);
  sample.n_labels = (guint32) lm_dataset_labels (s);
  for (guint i = 0; i < sample.n; i++)
    {
      guint32 token = (guint32) g_array_index (s->ids, gint32, i) & LM_TOKEN_ID;

      if (i > 0 && g_array_index (s->learn, guint8, i))
        token |= LM_TOKEN_LEARN;
      g_array_append_val (d->tokens, token);
      token = GUINT32_TO_LE (token);
      XXH3_64bits_update (d->hash, &token, sizeof token);
    }
  g_array_append_val (d->samples, sample);
  d->n_tokens += sample.n;
  d->n_labels += sample.n_labels;
  d->longest = MAX (d->longest, sample.n);
  if (d->dir != NULL && (d->fd >= 0 ? held >= FLUSH_BYTES : held >= d->limit))
    return flush (d, error);
  return TRUE;
}

gboolean
lm_dataset_seal (LmDataset *d, GError **error)
{
  gpointer mapped;

  if (d->fd < 0)
    return TRUE;
  if (!flush (d, error))
    return FALSE;
  mapped = mmap (NULL, d->n_tokens * sizeof (guint32), PROT_READ, MAP_PRIVATE, d->fd, 0);
  if (mapped == MAP_FAILED)
    return fr_error_errno (error, errno, "map samples in", d->dir);
  d->mapped = mapped;
  return TRUE;
}

/* ---- reading --------------------------------------------------------------------------- */

gsize
lm_dataset_n (const LmDataset *d)
{
  return d->samples->len;
}

const LmDatasetSample *
lm_dataset_sample (const LmDataset *d, gsize i)
{
  return &g_array_index (d->samples, LmDatasetSample, i);
}

const guint32 *
lm_dataset_tokens (const LmDataset *d, const LmDatasetSample *s)
{
  const guint32 *all = d->mapped != NULL ? d->mapped : (const guint32 *) (gpointer) d->tokens->data;

  return all + s->at;
}

guint64
lm_dataset_n_tokens (const LmDataset *d)
{
  return d->n_tokens;
}

guint64
lm_dataset_n_labels (const LmDataset *d)
{
  return d->n_labels;
}

guint32
lm_dataset_longest (const LmDataset *d)
{
  return d->longest;
}

gsize
lm_dataset_bytes (const LmDataset *d)
{
  return d->samples->len * sizeof (LmDatasetSample) + d->tokens->len * sizeof (guint32);
}

guint64
lm_dataset_hash (const LmDataset *d)
{
  return XXH3_64bits_digest (d->hash);
}
