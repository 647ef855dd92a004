/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors-write.c: writing .safetensors files, to the byte as the Rust crate.
 *
 * Tensors by type, widest first in the crate's own order, then by name; a
 * compact header, padded with blanks to a multiple of eight.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "lm/weights/weights-private.h"

/* The crate's Dtype, last first: what is written first. */
static const LmType order[] = { LM_I64, LM_F64,     LM_F32,     LM_I32, LM_BF16, LM_F16,
                                LM_I16, LM_F8_E4M3, LM_F8_E5M2, LM_I8,  LM_U8,   LM_BOOL };

static int
rank_of (LmType type)
{
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    if (order[i] == type)
      return (int) i;
  return -1;
}

static gint
by_type_and_name (gconstpointer a, gconstpointer b)
{
  const LmTensorSource *x = *(const LmTensorSource *const *) a;
  const LmTensorSource *y = *(const LmTensorSource *const *) b;

  if (x->tensor.type != y->tensor.type)
    return rank_of (x->tensor.type) - rank_of (y->tensor.type);
  return strcmp (x->tensor.name, y->tensor.name);
}

static void
append_metadata (GString *out, JsonObject *metadata)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;
  gboolean first = TRUE;

  g_string_append (out, "\"__metadata__\":{");
  json_object_iter_init_ordered (&iter, metadata);
  while (json_object_iter_next_ordered (&iter, &key, &value))
    {
      const char *text = json_node_get_string (value);

      if (!first)
        g_string_append_c (out, ',');
      first = FALSE;
      fr_json_append_string (out, key, strlen (key));
      g_string_append_c (out, ':');
      fr_json_append_string (out, text != NULL ? text : "", text != NULL ? strlen (text) : 0);
    }
  g_string_append_c (out, '}');
}

static void
append_tensor (GString *out, const LmTensor *t, guint64 begin)
{
  fr_json_append_string (out, t->name, strlen (t->name));
  g_string_append_printf (out, ":{\"dtype\":\"%s\",\"shape\":[", lm_types[t->type].safetensors);
  for (guint i = 0; i < t->n_dims; i++)
    g_string_append_printf (out, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", t->dims[i]);
  g_string_append_printf (out, "],\"data_offsets\":[%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]}",
                          begin, begin + t->bytes);
}

static GString *
make_header (const GPtrArray *sorted, JsonObject *metadata)
{
  GString *out = g_string_new ("{");
  guint64 at = 0, n;

  if (metadata != NULL && json_object_get_size (metadata) > 0)
    append_metadata (out, metadata);
  for (guint i = 0; i < sorted->len; i++)
    {
      const LmTensorSource *s = g_ptr_array_index (sorted, i);

      if (out->len > 1)
        g_string_append_c (out, ',');
      append_tensor (out, &s->tensor, at);
      at += s->tensor.bytes;
    }
  g_string_append_c (out, '}');
  while (out->len % 8 != 0)
    g_string_append_c (out, ' ');
  n = out->len;
  g_string_prepend_len (out, (const char *) &n, sizeof n);
  return out;
}

static gboolean
write_all (int fd, const char *path, gconstpointer data, gsize n, GError **error)
{
  const char *p = data;

  while (n > 0)
    {
      gssize done = write (fd, p, MIN (n, (gsize) 1 << 30));

      if (done < 0 && errno == EINTR)
        continue;
      if (done < 0)
        return fr_error_errno (error, errno, "write", path);
      p += done;
      n -= (gsize) done;
    }
  return TRUE;
}

static gboolean
write_tensors (int fd, const char *path, const GPtrArray *sorted, GError **error)
{
  g_autofree guint8 *buffer = NULL;
  gsize largest = 0;

  for (guint i = 0; i < sorted->len; i++)
    largest = MAX (largest, ((LmTensorSource *) g_ptr_array_index (sorted, i))->tensor.bytes);
  buffer = g_try_malloc (MAX (largest, 1));
  if (buffer == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_IO, "%s: no memory for a tensor of %zu bytes", path,
                   largest);
      return FALSE;
    }
  for (guint i = 0; i < sorted->len; i++)
    {
      const LmTensorSource *s = g_ptr_array_index (sorted, i);

      if (!s->fill (&s->tensor, buffer, s->user, error)
          || !write_all (fd, path, buffer, s->tensor.bytes, error))
        return FALSE;
    }
  return TRUE;
}

/* Puts the bytes of every tensor right, and refuses what cannot be written. */
static GPtrArray *
sort_sources (const char *path, LmTensorSource *tensors, gsize n, GError **error)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();

  for (gsize i = 0; i < n; i++)
    {
      LmTensor *t = &tensors[i].tensor;
      guint64 elements;

      if (lm_types[t->type].safetensors == NULL
          || !lm_weights_elements (t->dims, t->n_dims, &elements))
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                       "%s: tensor '%s' of %s cannot be written as safetensors", path, t->name,
                       lm_types[t->type].name);
          return NULL;
        }
      t->bytes = lm_type_bytes (t->type, elements);
      g_ptr_array_add (sorted, &tensors[i]);
    }
  g_ptr_array_sort (sorted, by_type_and_name);
  for (guint i = 1; i < sorted->len; i++)
    {
      const LmTensorSource *a = g_ptr_array_index (sorted, i - 1);
      const LmTensorSource *b = g_ptr_array_index (sorted, i);

      if (strcmp (a->tensor.name, b->tensor.name) == 0)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, "%s: tensor '%s' is there twice", path,
                       b->tensor.name);
          return NULL;
        }
    }
  return g_steal_pointer (&sorted);
}

static gboolean
write_file (const char *path, const GPtrArray *sorted, JsonObject *metadata, GError **error)
{
  g_autoptr (GString) header = make_header (sorted, metadata);
  int fd = g_open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  gboolean ok;

  if (fd < 0)
    return fr_error_errno (error, errno, "create", path);
  ok = write_all (fd, path, header->str, header->len, error)
       && write_tensors (fd, path, sorted, error);
  if (ok && fsync (fd) < 0)
    ok = fr_error_errno (error, errno, "write", path);
  if (close (fd) < 0 && ok)
    ok = fr_error_errno (error, errno, "write", path);
  return ok;
}

gboolean
lm_safetensors_write (const char *path, const LmTensorSource *tensors, gsize n,
                      JsonObject *metadata, GError **error)
{
  g_autofree LmTensorSource *copy = g_memdup2 (tensors, n * sizeof *tensors);
  g_autofree char *temporary = g_strconcat (path, ".part", NULL);
  g_autoptr (GPtrArray) sorted = sort_sources (path, copy, n, error);

  if (sorted == NULL)
    return FALSE;
  if (!write_file (temporary, sorted, metadata, error))
    {
      g_unlink (temporary);
      return FALSE;
    }
  if (g_rename (temporary, path) < 0)
    {
      int errnum = errno;

      g_unlink (temporary);
      return fr_error_errno (error, errnum, "rename to", path);
    }
  return TRUE;
}
