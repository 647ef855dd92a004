/* SPDX-License-Identifier: Apache-2.0 */
/* bad-plugin.c: what no plugin may do, for the test of plugin-check. */
#include <flowrun/flowrun.h>
#include <signal.h>
#include <stdlib.h>

/* By a signal that no sanitizer takes for itself. */
static FrFlow
map_crashes (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  (void) host, (void) state, (void) local, (void) batch, (void) error;
  raise (SIGTRAP);
  return FR_FLOW_OK;
}

static FrFlow
map_exits (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  (void) host, (void) state, (void) local, (void) batch, (void) error;
  exit (7);
}

static FrFlow
map_hangs (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  (void) host, (void) state, (void) local, (void) batch, (void) error;
  for (;;)
    g_usleep (G_USEC_PER_SEC);
  return FR_FLOW_OK;
}

#define BAD(id, word, function, ...)                                                               \
  static const FrElement id = { .size = sizeof (FrElement),                                        \
                                .kind = FR_KIND_TRANSFORM,                                         \
                                .name = "transform." word,                                         \
                                .revision = 1,                                                     \
                                .summary = "breaks one promise",                                   \
                                .inputs = fr_ports_in,                                             \
                                .outputs = fr_ports_out,                                           \
                                .map = function,                                                   \
                                __VA_ARGS__ }

BAD (crashes, "crashes", map_crashes, .details = "It crashes.", .example = "{}");
BAD (exits, "exits", map_exits, .example = "{}");
BAD (hangs, "hangs", map_hangs, .details = "It hangs.", .example = "{}");

FR_PLUGIN ("bad", "1", "for the test of plugin-check", "Apache-2.0", "here", &crashes, &exits,
           &hangs)
