/* SPDX-License-Identifier: Apache-2.0 */
/* accesslog.h: one line of JSON for each request, in a file that is only added to.
 *
 *   {"time":"2026-11-26T15:04:05.123456Z","id":"req-…","client":"web","method":"POST",
 *    "route":"/v1/chat/completions","status":200,"model":"copy","revision":"copy@2","stream":true,
 *    "cache":"miss","prompt_tokens":51,"cached_tokens":32,"answer_tokens":80,"stop":"end",
 *    "queue_ms":0.8,"first_ms":61.2,"total_ms":904.7,"address":"10.0.0.9"}
 *
 * What is not known is left out.  Nothing of what was asked or answered stands there unless
 * access_log_text is set, and never a key: only its name.  Addresses are written when asked for.
 * How lines reach the disk, and what a full one does: lines.h.
 */
#ifndef FLOWRUN_SERVE_ACCESSLOG_H
#define FLOWRUN_SERVE_ACCESSLOG_H

#include <flowrun/param.h>
#include <glib.h>

#include "lines.h"
#include "record.h"

G_BEGIN_DECLS

/** ServeAccessConfig: as in SERVE_ACCESS_PARAMS. */
typedef struct
{
  char *path;
  gboolean text, address;
} ServeAccessConfig;

#define SERVE_ACCESS_PARAMS(Config, in)                                                            \
  FR_PARAM_PATH (                                                                                  \
      "access_log", Config, in.path,                                                               \
      "JSON Lines, one for each request, added to; \"-\": standard output; none: no log",          \
      .flags = FR_PARAM_NO_RESULT, .example = "\"access.jsonl\""),                                 \
      FR_PARAM_BOOL ("access_log_text", Config, in.text,                                           \
                     "write what was asked and answered into it too",                              \
                     .flags = FR_PARAM_NO_RESULT),                                                 \
      FR_PARAM_BOOL ("access_log_address", Config, in.address,                                     \
                     "write the address of the client into it", .flags = FR_PARAM_NO_RESULT)

typedef struct _ServeAccessLog ServeAccessLog;

/** serve_access_open: NULL without an error when there is to be no log; every function takes NULL.
 * @config: borrowed, must outlive it. */
ServeAccessLog *serve_access_open (const ServeAccessConfig *config, const ServeTeller *teller,
                                   GError **error);
void serve_access_close (ServeAccessLog *log);
/** serve_access_wants_text: whether ServeRecord should bring the texts. */
gboolean serve_access_wants_text (ServeAccessLog *log);
/** serve_access_write: any thread; never waits. */
void serve_access_write (ServeAccessLog *log, const ServeRecord *record);
void serve_access_counts (ServeAccessLog *log, ServeLinesCounts *counts);

/** serve_access_append: the line of @record, newline included (tests). */
void serve_access_append (GString *out, const ServeRecord *record, gboolean text, gboolean address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServeAccessLog, serve_access_close)

G_END_DECLS

#endif
