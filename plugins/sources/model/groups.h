/* SPDX-License-Identifier: Apache-2.0 */
/* groups.h: the tensors of weight files as a short table. */
#ifndef FLOWRUN_SOURCE_MODEL_GROUPS_H
#define FLOWRUN_SOURCE_MODEL_GROUPS_H

#include "lm/checkpoint.h"

/** Groups: tensors of one name but for its numbers, of one shape and type, as one line. */
typedef struct _Groups Groups;
Groups *groups_new (void);
void groups_free (Groups *groups);
/** groups_add: all tensors of @file. */
void groups_add (Groups *groups, const LmWeightFile *file);
/** groups_table: the table as FrInspect wants it. */
JsonObject *groups_table (const Groups *groups);
/** groups_types: "Q4_1 76 %, Q8_0 24 %", by bytes; g_free(). */
char *groups_types (const Groups *groups);
/** groups_numbers: in all tensors together. */
guint64 groups_numbers (const Groups *groups);
/** groups_cut: how many tensors are cut off; the name of the first and the size of all may be
 * wanted too. */
guint groups_cut (const Groups *groups, const char **first, guint64 *bytes);

/** size_text: "93.8 MiB"; g_free(). */
char *size_text (guint64 bytes);
/** count_text: "134,515,008"; g_free(). */
char *count_text (guint64 n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Groups, groups_free)

#endif
