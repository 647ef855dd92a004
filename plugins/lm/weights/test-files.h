/* SPDX-License-Identifier: Apache-2.0 */
/* test-files.h: small models made up for tests: Hugging Face directories and GGUF files.
 *
 * Numbers follow from a tensor's name and an index, so that a test can tell what
 * it should find without keeping it.
 */
#ifndef FLOWRUN_LM_TEST_FILES_H
#define FLOWRUN_LM_TEST_FILES_H

#include <flowrun/json.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lm/checkpoint.h"
#include "lm/config.h"

/* Number @i of the tensor @name, in [-0.5, 0.5), exact in BF16. */
static inline float
made_number (const char *name, gsize i)
{
  guint32 h = g_str_hash (name) + (guint32) i * 2654435761u;

  h ^= h >> 15;
  h *= 0x2c1b3c6d;
  h ^= h >> 12;
  return ((float) (h & 0x7f) - 64) / 128;
}

static inline JsonObject *
made_object (const char *text)
{
  g_autofree char *json = g_strdelimit (g_strdup (text), "'", '"');
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = fr_json_parse (json, -1, 0, &error);

  g_assert_no_error (error);
  return json_object_ref (json_node_get_object (node));
}

static inline LmConfig *
made_config (const char *text)
{
  g_autoptr (JsonObject) json = made_object (text);
  g_autoptr (GError) error = NULL;
  LmConfig *config = lm_config_parse (json, &error);

  g_assert_no_error (error);
  return config;
}

/* Two layers, two heads of four on one key head; @more: further members, each after a comma. */
#define MADE_CONFIG(family, more)                                                                  \
  "{'model_type': '" family "', 'vocab_size': 24, 'hidden_size': 8, 'intermediate_size': 12,"      \
  " 'num_hidden_layers': 2, 'num_attention_heads': 2, 'num_key_value_heads': 1,"                   \
  " 'head_dim': 4, 'max_position_embeddings': 64, 'rms_norm_eps': 1e-6, 'rope_theta': 10000.0,"    \
  " 'hidden_act': 'silu', 'eos_token_id': 2" more "}"

static inline void
made_write (const char *dir, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *json = g_strdelimit (g_strdup (text), "'", '"');
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, json, -1, &error);
  g_assert_no_error (error);
}

static inline gboolean
made_fill (const LmTensor *t, gpointer out, gpointer user, GError **error)
{
  gsize n = t->n_dims == 1 ? (gsize) t->dims[0] : (gsize) (t->dims[0] * t->dims[1]);
  g_autofree float *numbers = g_new (float, n);

  (void) user;
  (void) error;
  for (gsize i = 0; i < n; i++)
    numbers[i] = made_number (t->name, i);
  lm_encode (t->type, numbers, out, n);
  return TRUE;
}

/* Every tensor of @config in @type, those between @from and @to of them, as a safetensors file. */
static inline void
made_weights (const char *path, const LmConfig *config, LmType type, guint from, guint to)
{
  g_autoptr (GArray) sources = g_array_new (FALSE, TRUE, sizeof (LmTensorSource));
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (JsonObject) metadata = made_object ("{'format': 'pt'}");
  g_autoptr (GError) error = NULL;
  guint at = 0;

  for (guint role = 0; role < LM_N_WEIGHTS; role++)
    for (guint layer = 0; layer < (lm_weights[role].per_layer ? config->n_layers : 1); layer++)
      {
        LmTensorSource s = { .tensor.type = type, .fill = made_fill };
        gsize rows, cols;

        if (!lm_weight_shape (config, role, &rows, &cols) || at++ < from || at > to)
          continue;
        g_ptr_array_add (names, lm_weight_name (role, layer));
        s.tensor.name = g_ptr_array_index (names, names->len - 1);
        s.tensor.n_dims = rows > 0 ? 2 : 1;
        s.tensor.dims[0] = (gint64) (rows > 0 ? rows : cols);
        s.tensor.dims[1] = (gint64) (rows > 0 ? cols : 0);
        g_array_append_val (sources, s);
      }
  lm_safetensors_write (path, (gpointer) sources->data, sources->len, metadata, &error);
  g_assert_no_error (error);
}

static inline void
made_directory (const char *dir, const char *config_text, LmType type)
{
  g_autoptr (LmConfig) config = made_config (config_text);
  g_autofree char *path = g_build_filename (dir, "model.safetensors", NULL);

  g_assert_cmpint (g_mkdir_with_parents (dir, 0777), ==, 0);
  made_write (dir, "config.json", config_text);
  made_weights (path, config, type, 0, G_MAXUINT);
}

/* ---- GGUF, built piece by piece ------------------------------------------------------ */

static inline void
gguf_u32 (GByteArray *out, guint32 v)
{
  g_byte_array_append (out, (const guint8 *) &v, sizeof v);
}

static inline void
gguf_u64 (GByteArray *out, guint64 v)
{
  g_byte_array_append (out, (const guint8 *) &v, sizeof v);
}

static inline void
gguf_text (GByteArray *out, const char *text)
{
  gguf_u64 (out, strlen (text));
  g_byte_array_append (out, (const guint8 *) text, (guint) strlen (text));
}

static inline void
gguf_key_text (GByteArray *out, const char *key, const char *text)
{
  gguf_text (out, key);
  gguf_u32 (out, 8);
  gguf_text (out, text);
}

static inline void
gguf_key_u32 (GByteArray *out, const char *key, guint32 v)
{
  gguf_text (out, key);
  gguf_u32 (out, 4);
  gguf_u32 (out, v);
}

static inline void
gguf_key_f32 (GByteArray *out, const char *key, float v)
{
  gguf_text (out, key);
  gguf_u32 (out, 6);
  g_byte_array_append (out, (const guint8 *) &v, sizeof v);
}

static inline GByteArray *
gguf_begin (guint64 n_tensors, guint64 n_keys)
{
  GByteArray *out = g_byte_array_new ();

  g_byte_array_append (out, (const guint8 *) "GGUF", 4);
  gguf_u32 (out, 3);
  gguf_u64 (out, n_tensors);
  gguf_u64 (out, n_keys);
  return out;
}

/* Dimensions fastest first, as the file has them. */
static inline void
gguf_tensor (GByteArray *out, const char *name, guint n_dims, guint64 d0, guint64 d1, guint32 type,
             guint64 offset)
{
  gguf_text (out, name);
  gguf_u32 (out, n_dims);
  gguf_u64 (out, d0);
  if (n_dims > 1)
    gguf_u64 (out, d1);
  gguf_u32 (out, type);
  gguf_u64 (out, offset);
}

static inline void
gguf_pad (GByteArray *out, guint64 to)
{
  while (out->len % to != 0)
    g_byte_array_append (out, (const guint8 *) "", 1);
}

static inline void
made_remove (const char *dir)
{
  GDir *d = g_dir_open (dir, 0, NULL);
  const char *name;

  while (d != NULL && (name = g_dir_read_name (d)) != NULL)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        made_remove (path);
      else
        g_unlink (path);
    }
  if (d != NULL)
    g_dir_close (d);
  g_rmdir (dir);
}

#endif
