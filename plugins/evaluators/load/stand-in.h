/* SPDX-License-Identifier: Apache-2.0 */
/* stand-in.h: a server with OpenAI's interface and no model, for tests: it says "word word …" as
 * slowly as it is told, and goes wrong in every way that the prompt names.
 *
 * The last message (or prompt, or input) decides; words in it:
 *
 *   wait=MS           before the first piece       gap=MS      between pieces
 *   pieces=N          how many (3)                 alone=MS    one at a time in the whole server
 *   status=N          this error                   whole       JSON even for a stream
 *   cut               the connection breaks        error       an error event after the first piece
 *   incomplete        no end                       nonsense    no JSON
 *   uncounted         no usage                     hit         as from a cache
 *   stall=N,MS        request number N and all others wait until MS after it came
 */
#ifndef FLOWRUN_LOAD_STAND_IN_H
#define FLOWRUN_LOAD_STAND_IN_H

#include "net/test-server.h"

/** StandIn: zero at first.  @key: needed as a bearer, or NULL; @last: the last body that came, and
 * @keyed: with its Authorization header; under @lock. */
typedef struct
{
  const char *key;
  GMutex lock, alone;
  guint n;
  gint64 stalled;
  char *last, *authorization, *path;
  GHashTable *seeds; /* of all requests, as text */
} StandIn;

void stand_in_init (StandIn *stand_in, const char *key);
void stand_in_clear (StandIn *stand_in);
/** stand_in_answer: a TestHandler; @data: a StandIn. */
gboolean stand_in_answer (const TestAsk *ask, TestAnswer *answer, gpointer data);

#endif
