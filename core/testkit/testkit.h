/* SPDX-License-Identifier: Apache-2.0 */
/* testkit.h: the harness inside, shared with `flowrun plugin-check` (internal).
 *
 * Nothing here calls g_test_*(): test.h's functions are a thin layer over
 * this, and plugin-check, which is no GLib test program, is another.
 *
 * A harness runs its element on the real engine, in a pipeline of three
 * layers made in memory: one source.test_feed per input port of records, the
 * element as stage "it", one sink.test_collect per such output port; for ports
 * of objects there are source.test_object_N, sink.test_model and
 * sink.test_report.
 */
#ifndef FLOWRUN_TESTKIT_H
#define FLOWRUN_TESTKIT_H

#include <flowrun/test.h>

#include "engine/engine.h"

G_BEGIN_DECLS

/* Rows, or an object, for one input port. */
typedef struct
{
  char *port;
  FrObject *object; /* NULL: rows */
  FrSchema *schema;
  GPtrArray *batches; /* FrBatch * */
  guint64 n_rows;
} FriTestInput;

struct _FrTest
{
  guint id; /* what the fake elements find this harness by */
  const FrPlugin *plugin;
  const FrElement
      *element; /* owned by the plugin; never NULL in a harness that fri_test_new() gave */
  JsonNode *with;
  GPtrArray *inputs; /* FriTestInput * */
  GPtrArray *sources; /* of elements.c: the fake sources of objects */
  guint64 seed;
  guint workers;
  guint64 memory;
  guint cancel_at; /* 0: never */
  char *base_dir;  /* what relative paths are relative to; tmpdir unless a check set it */
  char *tmpdir;
  guint n_runs;

  /* of the last run */
  GMutex lock;
  GCancellable *cancellable;
  gint64 cancelled_us; /* monotonic time when cancel_at fired; 0: it did not */
  gint64 ended_us;
  GHashTable *outputs; /* port → GPtrArray of FrBatch * */
  GHashTable *objects; /* port → FrObject * */
  GHashTable *texts;   /* port → char *: cache of fr_test_output() */
  JsonNode *report;    /* the stage's part of report.json */
  char *problems;
};

/** fri_test_new: NULL with FR_ERROR_CONFIG for an unknown element or parameters that are no JSON
 * object. */
FrTest *fri_test_new (const FrPlugin *plugin, const char *name, const char *with, GError **error);
/** fri_test_add_input: appends a batch (taken) to @port; NULL only states the @schema. */
void fri_test_add_input (FrTest *test, const char *port, FrSchema *schema, FrBatch *batch);
/** fri_test_add_object: puts @object (borrowed) at @port. */
void fri_test_add_object (FrTest *test, const char *port, FrObject *object);
FriTestInput *fri_test_input (FrTest *test, const char *port);
void fri_test_input_free (FriTestInput *input);
/** fri_test_check: configure and bind; what was wrong is in test->problems. */
gboolean fri_test_check (FrTest *test);
/** fri_test_go: one run; the status the engine gave. */
FriExit fri_test_go (FrTest *test, GError **error);
/** fri_test_foresee: asks for the forecast instead. */
FriExit fri_test_foresee (FrTest *test, GError **error);
/** fri_test_text: rows of @port as JSON Lines; with @ids each line begins with its row id. */
char *fri_test_text (FrTest *test, const char *port, gboolean ids);

/* ---- used by the fake elements ------------------------------------------ */

/** fri_test_find: the harness with this id while it lives. */
FrTest *fri_test_find (guint id);
void fri_test_fire (FrTest *test);
void fri_test_collect (FrTest *test, const char *port, FrBatch *batch);
void fri_test_collect_object (FrTest *test, const char *port, FrObject *object);
/** fri_test_add_ends: adds the fake elements that @test needs to @registry. */
gboolean fri_test_add_ends (FrTest *test, FriRegistry *registry, GError **error);

/* ---- rows as JSON -------------------------------------------------------- */

/** fri_test_json: JSON in which ' may stand for ". */
JsonNode *fri_test_json (const char *text, GError **error);
/** fri_test_rows: an array of objects as a batch, rows numbered from @first of source @source. */
FrBatch *fri_test_rows (FrSchema *schema, const char *rows, guint32 source, guint64 first,
                        GError **error);
/** fri_test_json_equal: by value: members in any order, 1 equals 1.0. */
gboolean fri_test_json_equal (JsonNode *a, JsonNode *b);

/* ---- the battery --------------------------------------------------------- */

typedef enum
{
  FRI_CHECK_PASSED,
  FRI_CHECK_FAILED,
  FRI_CHECK_SKIPPED
} FriCheckResult;

typedef struct
{
  const char *name;
  FriCheckResult (*run) (FrTest *test, GString *why);
} FriCheck;

/** fri_battery: the checks of fr_test_battery(), in order. */
const FriCheck *fri_battery (guint *n);

/**
 * fri_test_invent: input rows for an element that plugin-check knows nothing
 * of: columns that its ports need and its parameters name, of types that bind
 * accepts.  FALSE when no guess binds; test->problems then says why.
 */
gboolean fri_test_invent (FrTest *test);

G_END_DECLS

#endif
