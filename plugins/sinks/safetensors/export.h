/* SPDX-License-Identifier: Apache-2.0 */
/* export.h: what sink.safetensors' files share: a folder, what is written into it, its card. */
#ifndef FLOWRUN_SINK_SAFETENSORS_EXPORT_H
#define FLOWRUN_SINK_SAFETENSORS_EXPORT_H

#include <flowrun/flowrun.h>

#include "lm/model.h"

/* ---- folder.c: a directory that is whole or not there -------------------------------- */

/* In a README.md: the directory may be replaced by a later run. */
#define FOLDER_MARK                                                                                \
  "<!-- Made by sink.safetensors of flowrun; the next run replaces this directory. -->"

typedef struct _Folder Folder;

/** folder_check: whether @path may be written: not there, empty, or made by this sink;
 * FR_ERROR_CONFIG. */
gboolean folder_check (const char *path, GError **error);
/** folder_new: a fresh directory beside @path. */
Folder *folder_new (const char *path, GError **error);
/** folder_free: removes the fresh directory unless it was committed. */
void folder_free (Folder *folder);
/** folder_dir: where to write. */
const char *folder_dir (const Folder *folder);
/** folder_write, folder_copy: a file; all are synced when the folder is committed. */
gboolean folder_write (Folder *folder, const char *name, const char *text, gssize len,
                       GError **error);
gboolean folder_copy (Folder *folder, const char *name, const char *from, GError **error);
gboolean folder_write_json (Folder *folder, const char *name, JsonObject *object, GError **error);
/** folder_commit: puts the directory at its place in one step, in place of one that was there. */
gboolean folder_commit (Folder *folder, GError **error);
/** folder_names: relative names of all files in it, sorted; NULL-terminated; g_strfreev(). */
char **folder_names (const Folder *folder);

/* ---- tensors.c: a model's tensors, with its adapter added ----------------------------- */

typedef struct
{
  LmModel *model;
  FrHost *host;
  gboolean merge;
  gboolean keep; /* each tensor in the base's type, quantised ones in BF16 */
  LmType dtype;  /* else */
  guint64 max_shard;
  guint64 done, total; /* bytes, for the progress */
  /* found while writing and reading again */
  guint n_tensors, n_files, n_merged;
  double rounding; /* largest distance of a written number from the one computed in F32 */
} Export;

/** export_dtype: the type that config.json names. */
LmType export_dtype (const Export *e);
/** export_tensors: one file, or shards with their index. */
gboolean export_tensors (Export *e, Folder *folder, GError **error);

/* ---- card.c: README.md ------------------------------------------------------------- */

/** card_text: @kind: "adapter", "merged" or "model"; g_free(). */
char *card_text (const Export *e, const char *kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Folder, folder_free)

#endif
