/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h: pages as rows on their way out. */
#ifndef CRAWLER_ROWS_H
#define CRAWLER_ROWS_H

#include "known.h"
#include "net/url.h"
#include "page.h"

/** rows_schema: of "out"; @duplicates: of "duplicates", which has one column more. */
FrSchema *rows_schema (const Settings *settings, gboolean duplicates);

/** RowFacts: what the answer and the page do not say themselves. */
typedef struct
{
  const char *url;       /* as it was found */
  const char *final_url; /* after redirects */
  const char *referrer;  /* NULL: given */
  gint64 depth;          /* -1: not known */
  gboolean unchanged;
} RowFacts;

typedef struct _Rows Rows;

Rows *rows_new (const Settings *settings, FrHost *host);
void rows_free (Rows *rows);
/**
 * rows_page: what is to become of a page: a row, a row of duplicates, or a count.
 * @closed: set TRUE when this page has shown the shape of its URL to be a trap; or NULL
 */
FrFlow rows_page (Rows *rows, const Answer *answer, const Page *page, const RowFacts *facts,
                  gboolean *closed, GError **error);
/** rows_closed: whether @url has the shape of a trap. */
gboolean rows_closed (const Rows *rows, const char *url);
/** rows_reject: an answer that is no page, or none at all. */
void rows_reject (Rows *rows, const char *url, const char *rule, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
FrFlow rows_flush (Rows *rows, GError **error);
/** rows_count: pages pushed to "out". */
guint64 rows_count (const Rows *rows);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rows, rows_free)

#endif
