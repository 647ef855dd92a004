/* SPDX-License-Identifier: Apache-2.0 */
/* mbox.h: a mailbox cut into messages (RFC 4155, appendix A).
 *
 * A message begins at a line "From " at the beginning or after an empty line
 * that ends in a date with a time and a year.  Lines of ">From " lose one '>'
 * (the format "mboxrd").  Holds one message at a time.
 */
#ifndef DOCUMENTS_MBOX_H
#define DOCUMENTS_MBOX_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct _Mbox Mbox;

/** MboxRead: up to @len bytes to @data; 0: the end; -1: failed. */
typedef gssize (*MboxRead) (gpointer source, char *data, gsize len);

Mbox *mbox_new (MboxRead read, gpointer source, gsize max_message);
void mbox_free (Mbox *mbox);
/**
 * mbox_next: the next message, valid until the next call, without its "From " line.
 * @too_long: it is longer than max_message; only its beginning is given
 * FALSE: no more, or reading failed (@failed).
 */
gboolean mbox_next (Mbox *mbox, const char **data, gsize *len, gboolean *too_long,
                    gboolean *failed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mbox, mbox_free)

G_END_DECLS

#endif
