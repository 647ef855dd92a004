/* SPDX-License-Identifier: Apache-2.0 */
/* weights-private.h: what the files of this folder share. */
#ifndef FLOWRUN_LM_WEIGHTS_PRIVATE_H
#define FLOWRUN_LM_WEIGHTS_PRIVATE_H

#include "lm/checkpoint.h"
#include "lm/config.h"

G_BEGIN_DECLS

/** LmFileStamp: what tells one state of a file from another. */
typedef struct
{
  guint64 device, inode, size;
  gint64 seconds, nanoseconds;
} LmFileStamp;

/**
 * LmWeightFile: a parsed file.
 * @name: for messages
 * @data, @len: the bytes, mapped when @mapped
 * @tensors: LmTensor, in the order of the file
 * @by_name: name → LmTensor *, names borrowed
 * @arrays: GGUF: key → LmGgufArray *
 * @truncated: the data ends before the tensors do (tolerated when only the header is wanted)
 * @stamp: of the file when it was opened; @lease: guard.c's descriptor; -1: none
 * @held: the mapping is of memory, no longer of the file (guard.c)
 */
struct _LmWeightFile
{
  gint refs;
  char *name;
  const guint8 *data;
  gsize len;
  gboolean mapped;
  gboolean gguf;
  gboolean header_only;
  gboolean truncated;
  GArray *tensors;
  GHashTable *by_name;
  JsonObject *metadata;
  GHashTable *arrays;
  GMutex lock;
  LmFileStamp stamp;
  int lease;
  gboolean held;
};

struct stat;
/** lm_file_stamp: of a file as stat() saw it. */
void lm_file_stamp (LmFileStamp *stamp, const struct stat *st);

/**
 * LmGgufArray: an array of a GGUF that is looked at when somebody asks.
 * @type: of its elements, as GGUF numbers them; @at: where they begin
 * @cooked: FrStr or gint32, made under the file's lock
 */
typedef struct
{
  guint32 type;
  guint64 n;
  const guint8 *at;
  gpointer cooked;
} LmGgufArray;

/** lm_weights_error: sets FR_ERROR_DATA "FILE: …"; returns FALSE. */
gboolean lm_weights_error (const LmWeightFile *file, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/** lm_weights_add: adds @tensor (its name is taken); FR_ERROR_DATA when the name is there already.
 */
gboolean lm_weights_add (LmWeightFile *file, LmTensor *tensor, GError **error);

/** lm_weights_elements: product of @n dims, each >= 0; FALSE when it, or eight times it, is beyond
 * 63 bits. */
gboolean lm_weights_elements (const gint64 *dims, guint n, guint64 *elements);

gboolean lm_safetensors_parse (LmWeightFile *file, GError **error);
gboolean lm_gguf_parse (LmWeightFile *file, GError **error);

G_END_DECLS

#endif
