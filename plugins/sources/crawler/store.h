/* SPDX-License-Identifier: Apache-2.0 */
/* store.h: every answer that came, on disk, in the stage's checkpoint directory.
 *
 * This is what makes a killed crawl go on without asking anything twice: the
 * crawl itself is deterministic, so it begins again from its start URLs and
 * finds in the store what it had fetched.  An answer is one record, written
 * when it is complete; a torn record at the end (the process
 * was killed, the disk full) is cut off when the store is opened.  After the
 * run the core removes the directory.
 *
 * Records: magic, lengths, XXH3 of the rest, then the parts one after the other; the
 * file is read by the flowrun that wrote it, not exchanged.
 */
#ifndef CRAWLER_STORE_H
#define CRAWLER_STORE_H

#include <flowrun/error.h>
#include <glib.h>

typedef struct _Store Store;

/**
 * Answer: what came for a URL.
 * @status: 0 when nothing came: @fault and @message say why
 * @fault: a NetFault
 * @fetched: real time, microseconds
 * @duration: microseconds
 * @headers: "name\0value\0name\0value\0…", @headers_len bytes
 * @body: decompressed
 * @replayed: it came out of the store
 */
typedef struct
{
  char *url;
  guint status;
  guint fault;
  gint64 fetched;
  gint64 duration;
  char *headers;
  gsize headers_len;
  char *message;
  GByteArray *body;
  gboolean cut;
  gboolean replayed;
} Answer;

void answer_free (Answer *answer);
/** answer_header: the last value of a header, name in lower case; NULL. */
const char *answer_header (const Answer *answer, const char *name);
/** answer_header_parameter: "utf-8" of 'text/html; charset="utf-8"'; free with g_free(); NULL. */
char *answer_header_parameter (const Answer *answer, const char *name, const char *parameter);

/** store_open: opens or makes @dir/answers; what was torn is cut off; @fresh: what was there goes.
 * FR_ERROR_IO. */
Store *store_open (const char *dir, gboolean fresh, GError **error);
void store_free (Store *store);
/** store_has: whether an answer for @url is there. */
gboolean store_has (const Store *store, const char *url);
/** store_put: appends @answer; it then is on its way to the disk whatever happens to the process.
 */
gboolean store_put (Store *store, const Answer *answer, GError **error);
/** store_get: reads it back; NULL with FR_ERROR_IO. */
Answer *store_get (Store *store, const char *url, GError **error);
/** store_count: answers in it; @bytes: of the file. */
guint64 store_count (const Store *store, guint64 *bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Answer, answer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Store, store_free)

#endif
