/* SPDX-License-Identifier: Apache-2.0 */
/* export-private.h: what folder.c and card.c share. */
#ifndef FLOWRUN_LM_EXPORT_PRIVATE_H
#define FLOWRUN_LM_EXPORT_PRIVATE_H

#include <glib.h>

/* lm_folder_mark: the line of README.md by which an export of @element is known; g_free(). */
G_GNUC_INTERNAL char *lm_folder_mark (const char *element);

#endif
