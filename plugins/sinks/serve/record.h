/* SPDX-License-Identifier: Apache-2.0 */
/* record.h: what is known of one request when it has ended; how parts of the server say something.
 *
 * When a request has ended, one ServeRecord is made of it and goes to serve_metrics_done(),
 * serve_models_done() and serve_access_write(): one truth for figures, roll-back and log.
 * It holds text of the request only where the access log was told to keep it.
 */
#ifndef FLOWRUN_SERVE_RECORD_H
#define FLOWRUN_SERVE_RECORD_H

#include <glib.h>

G_BEGIN_DECLS

/**
 * ServeTeller: where a part of the server says what an operator should know: fr_host_info() and
 * fr_host_warn() in the element, a list in a test.  Called from any thread; never with a lock held
 * that the callee could want, never with text of a request or with a key.
 */
typedef struct
{
  void (*tell) (gpointer data, gboolean warning, const char *text);
  gpointer data;
} ServeTeller;

void serve_info (const ServeTeller *teller, const char *format, ...) G_GNUC_PRINTF (2, 3);
void serve_warn (const ServeTeller *teller, const char *format, ...) G_GNUC_PRINTF (2, 3);

/** ServeCacheState: what X-Flowrun-Cache says. */
typedef enum
{
  SERVE_CACHE_NONE = 0, /* no cache is kept, or the route has none: no header */
  SERVE_CACHE_HIT,
  SERVE_CACHE_MISS,
  SERVE_CACHE_SHARED, /* computed once for several that asked at once; the header says "hit" */
  SERVE_CACHE_BYPASS  /* not looked at: not deterministic, or asked not to */
} ServeCacheState;

/** serve_cache_word: "hit", "miss", "bypass"; "hit" for shared; NULL for none. */
const char *serve_cache_word (ServeCacheState state);

/**
 * ServeRecord: all zero bits: nothing known.  Strings are borrowed for the call.
 *
 * @id: request id, as in X-Request-Id
 * @key: name of the API key; NULL: none was needed
 * @method, @route: as in the route table ("/v1/models/{id}"), never the path as it was asked for
 * @model: public name asked for; @revision: what answered ("copy@2"); NULL: it never came to that
 * @address: of the client, as text
 * @stop: why it ended: "end", "stop", "length", "context", "cancelled", "deadline", "error"; NULL:
 * nothing was generated
 * @error: kind of error for the counters: the error body's code or type ("queue_full"); NULL: none
 * @status: HTTP status sent, 499 when the client left before one was
 * @fault: the server is to blame (an exception in computing, a deadline passed): what rolls a
 * canary back
 * @stream: answered as server-sent events
 * @wall: when it came, µs since 1970
 * @total_us: from the last byte of the request to the last of the answer
 * @queue_us: waiting for a place in the batch; @prefill_us: from there to the first token;
 *   @decode_us: from the first token to the last; 0 when nothing was generated
 * @first_us: from the request to the first token: 0 when nothing was generated
 * @prompt_tokens; @cached_tokens: of them, taken from the prefix cache; @answer_tokens: of all
 * choices
 * @max_tokens: that it was allowed; 0: not known; @n: choices asked for
 * @request_text, @answer_text: for the access log with texts asked for; NULL otherwise
 */
typedef struct
{
  const char *id, *key, *method, *route, *model, *revision, *address, *stop, *error;
  guint status;
  gboolean fault, stream;
  ServeCacheState cache;
  gint64 wall, total_us, queue_us, prefill_us, decode_us, first_us;
  guint64 prompt_tokens, cached_tokens, answer_tokens, max_tokens, n;
  const char *request_text, *answer_text;
} ServeRecord;

G_END_DECLS

#endif
