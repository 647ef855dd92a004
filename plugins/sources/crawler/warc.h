/* SPDX-License-Identifier: Apache-2.0 */
/* warc.h: web archives (ISO 28500, WARC 1.1), written and read.
 *
 * Written: a warcinfo record; for each answer a response record (or a revisit
 * record where the payload is one that stands there already, or that an
 * earlier archive holds) and a metadata record that says how the crawl came
 * there (via, hopsFromSeed, as Heritrix writes it: L a link, R a redirect, M a
 * sitemap, P robots.txt).  A name that ends in .gz: each record a gzip member
 * of its own (Annex D), through libarchive.  The file has its name when it is
 * complete.
 *
 * Answers are kept decompressed, as Common Crawl does: where the server sent
 * Content-Encoding or Transfer-Encoding, the header's name has "X-Crawler-" in
 * front, and Content-Length is that of what is there.
 *
 * Read: any WARC of version 0.17 to 1.1, packed as libarchive can unpack it
 * (text/input.h).  libarchive's own WARC reader does not know revisit and
 * metadata records, so the records are read here.  Damage is told and passed
 * over: reading goes on at the next record.
 */
#ifndef CRAWLER_WARC_H
#define CRAWLER_WARC_H

#include "store.h"

#include <flowrun/batch.h>
#include <gio/gio.h>

/* A larger record is passed over. */
#define WARC_MAX (256 * 1024 * 1024)

/* ---- writing ----------------------------------------------------------------- */

typedef struct _WarcWriter WarcWriter;

/** warc_writer_new: @path as it will be called; @software and @robots ("obey") for the warcinfo
 * record; FR_ERROR_IO. */
WarcWriter *warc_writer_new (const char *path, const char *software, const char *robots,
                             GCancellable *cancellable, GError **error);
/**
 * warc_writer_put:
 * @answer: with a status
 * @via: URL where it was found; NULL: given
 * @hops: path from a start URL, of L, R, M and P
 * @earlier: an earlier answer with the same payload: a revisit record of it is written instead
 * (@answer is a 304: of server-not-modified, else of identical-payload-digest); NULL: none
 */
gboolean warc_writer_put (WarcWriter *writer, const Answer *answer, const char *via,
                          const char *hops, const Answer *earlier, GError **error);
/** warc_writer_commit: everything is on the disk under its name. */
gboolean warc_writer_commit (WarcWriter *writer, GError **error);
/** warc_writer_free: what was not committed is removed. */
void warc_writer_free (WarcWriter *writer);

/* ---- reading ------------------------------------------------------------------ */

typedef enum
{
  WARC_END = 0,
  WARC_MORE, /* of the parser: needs more bytes          */
  WARC_RECORD,
  WARC_FAULT /* bytes were passed over; WarcRecord.fault */
} WarcEvent;

/**
 * WarcRecord: a record; text is owned by it, what is not given is NULL.
 * @type: "response", "revisit", "metadata", …
 * @date: microseconds, 0 when there is none
 * @content_type: of the block
 * @block: points into what was parsed
 * @fault: WARC_FAULT: what is wrong; static
 */
typedef struct
{
  char *type, *id, *uri, *content_type, *concurrent_to, *profile, *refers_to_uri, *refers_to_date;
  gint64 date;
  FrStr block;
  const char *fault;
} WarcRecord;

void warc_record_clear (WarcRecord *record);
/**
 * warc_parse: one record at the beginning of @data.
 * @end: nothing follows @data
 * @used: bytes that are done with
 * @need: WARC_MORE: of @data at least so many are needed; else untouched
 */
WarcEvent warc_parse (const char *data, gsize len, gboolean end, WarcRecord *record, gsize *used,
                      gsize *need);

typedef struct _WarcReader WarcReader;
/** warc_reader_new: @paths as in text/input.h. */
WarcReader *warc_reader_new (const char *const *paths, GCancellable *cancellable, GError **error);
void warc_reader_free (WarcReader *reader);
/** warc_reader_next: @record (cleared by the caller) is valid until the next call. WARC_END with
 * @error: it failed. */
WarcEvent warc_reader_next (WarcReader *reader, WarcRecord *record, GError **error);
/** warc_reader_where: "file, record 12"; owned by the reader. */
const char *warc_reader_where (WarcReader *reader);
/** warc_reader_progress: as text_input_progress(). */
void warc_reader_progress (WarcReader *reader, guint64 *done, guint64 *total);

/**
 * warc_http: the HTTP response in the block of a record: status, headers and body, its transfer and
 * content codings taken off (chunked, gzip, deflate).
 * @fault: static: what cannot be read
 *
 * NULL when it is no HTTP response or its coding is not known.
 */
Answer *warc_http (const WarcRecord *record, const char **fault);

/** warc_field: value of "name: value" in an application/warc-fields block; free with g_free();
 * NULL. */
char *warc_field (FrStr block, const char *name);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WarcRecord, warc_record_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WarcReader, warc_reader_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WarcWriter, warc_writer_free)

#endif
