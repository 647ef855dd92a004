/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.h: tensors in files: safetensors and GGUF v3, read and written.
 *
 * Files are memory-mapped and every length, offset and shape is checked
 * before it is used.  Follows the safetensors format description (with the
 * checks of its Rust crate, in their order) and the GGUF specification.
 */
#ifndef FLOWRUN_LM_CHECKPOINT_H
#define FLOWRUN_LM_CHECKPOINT_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <glib.h>
#include <json-glib/json-glib.h>

#include "lm/type.h"

G_BEGIN_DECLS

/**
 * LmTensor: a named tensor as it is stored.
 * @dims: outermost first, as PyTorch has it: a weight is [out, in]
 * @data: in mapped (or owned) memory; may be unaligned
 */
typedef struct {
  char *name;
  LmType type;
  guint n_dims;
  gint64 dims[4];
  gconstpointer data;
  gsize bytes;
} LmTensor;

typedef struct _LmWeightFile LmWeightFile;

/**
 * lm_weight_file_open: a .safetensors or .gguf file by its first bytes.
 * FR_ERROR_DATA with file, offset, tensor and what was expected.
 */
LmWeightFile *lm_weight_file_open (const char *path, GError **error);
/** lm_weight_file_read: the same, read into memory whole instead of mapped: what becomes of the file afterwards does not matter. */
LmWeightFile *lm_weight_file_read (const char *path, GError **error);
/** lm_weight_file_parse: the same from memory (fuzzing, tests); @data must outlive it. */
LmWeightFile *lm_weight_file_parse (const char *name, gconstpointer data, gsize len, GError **error);
/** lm_weight_file_open_header: reads names, types and shapes even where the data is cut off; *@truncated says so (tensors
 * beyond the end have data NULL). */
LmWeightFile *lm_weight_file_open_header (const char *path, gboolean *truncated, GError **error);
LmWeightFile *lm_weight_file_ref (LmWeightFile *file);
void lm_weight_file_unref (LmWeightFile *file);

gsize lm_weight_file_n_tensors (const LmWeightFile *file);
const LmTensor *lm_weight_file_tensor (const LmWeightFile *file, gsize i);
const LmTensor *lm_weight_file_find (const LmWeightFile *file, const char *name);
/** lm_weight_file_metadata: safetensors: the strings of __metadata__; GGUF: all keys except arrays longer than 64; owned by the file. */
JsonObject *lm_weight_file_metadata (const LmWeightFile *file);
gboolean lm_weight_file_is_gguf (const LmWeightFile *file);
/** lm_gguf_strings: an array of strings, as pointers into the file with lengths; *@n items; NULL when there is no such key or it is none. */
const FrStr *lm_gguf_strings (LmWeightFile *file, const char *key, gsize *n);
/** lm_gguf_ints: an array of integers (i32 or u32); owned by the file. */
const gint32 *lm_gguf_ints (LmWeightFile *file, const char *key, gsize *n);
/**
 * lm_gguf_config: a config.json made from the metadata (the data may be cut off), such that transformers loads it
 * beside converted weights; FR_ERROR_CONFIG; json_object_unref().
 */
JsonObject *lm_gguf_config (LmWeightFile *file, GError **error);

/* ---- writing ------------------------------------------------------------------- */

/**
 * LmTensorSource: gives a tensor's bytes when the writer comes to it, so that
 * no more than one is held.
 * @fill: writes exactly lm_type_bytes() of @tensor's numbers to @out
 */
typedef struct {
  LmTensor tensor; /* data is not looked at */
  gboolean (*fill) (const LmTensor *tensor, gpointer out, gpointer user, GError **error);
  gpointer user;
} LmTensorSource;

/**
 * lm_safetensors_write: the bytes that the safetensors crate writes for the same tensors (sorted by type, then name).
 * @path: written under a temporary name beside it, synced, renamed
 * @metadata: strings, or NULL
 */
gboolean lm_safetensors_write (const char *path, const LmTensorSource *tensors, gsize n,
                               JsonObject *metadata, GError **error);

/**
 * LmGgufKeys: the metadata of a GGUF file to be written; keys in the order in which they were set, each once.
 * Texts are copied.
 */
typedef struct _LmGgufKeys LmGgufKeys;
LmGgufKeys *lm_gguf_keys_new (void);
void lm_gguf_keys_free (LmGgufKeys *keys);
void lm_gguf_keys_set_u32 (LmGgufKeys *keys, const char *key, guint32 value);
void lm_gguf_keys_set_f32 (LmGgufKeys *keys, const char *key, float value);
void lm_gguf_keys_set_bool (LmGgufKeys *keys, const char *key, gboolean value);
void lm_gguf_keys_set_text (LmGgufKeys *keys, const char *key, const char *value);
void lm_gguf_keys_set_texts (LmGgufKeys *keys, const char *key, const FrStr *values, gsize n);
void lm_gguf_keys_set_i32s (LmGgufKeys *keys, const char *key, const gint32 *values, gsize n);

/**
 * LmRowSource: gives rows of a tensor as they are to be stored; called by several threads at once.
 * @tensor: under its name in the file; data and bytes are not looked at
 * @fill: writes rows [@first, @first + @n) to @out; a vector is one row
 */
typedef struct {
  LmTensor tensor;
  gboolean (*fill) (const LmTensor *tensor, gsize first, gsize n, gpointer out, gpointer user,
                    GError **error);
  gpointer user;
} LmRowSource;

/** LmWriteStep: how far a file is, on the thread that called; FALSE stops. */
typedef gboolean (*LmWriteStep) (guint64 done, guint64 total, gpointer user);

/**
 * lm_gguf_write: a GGUF v3 file, synced, then read again and compared with what was written.
 * @path: created anew under this very name: a temporary one, which the caller renames; removed on failure
 * @threads: how many fill blocks of rows, each into a few MiB of its own, and write them where they belong
 * @step: may be NULL
 * @error: FR_ERROR_IO: a full disk, or what was read differs; FR_ERROR_CANCELLED; what @fill said
 *
 * The same bytes for any number of threads.
 */
gboolean lm_gguf_write (const char *path, const LmGgufKeys *keys, const LmRowSource *tensors,
                        gsize n, guint threads, LmWriteStep step, gpointer user, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmWeightFile, lm_weight_file_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmGgufKeys, lm_gguf_keys_free)

G_END_DECLS

#endif
