/* SPDX-License-Identifier: Apache-2.0 */
/* test.h: libflowrun-test, for testing one element without a pipeline.
 *
 * A harness is a core of its own around one element: give it parameters and
 * input rows as JSON, run it, look at what came out.  Everything a person
 * writes in a pipeline file is written the same way here.
 *
 *     g_autoptr (FrTest) t = fr_test_new (flowrun_plugin (), "transform.shout",
 *                                         "{'column': 'text'}");
 *     fr_test_input (t, "in", "text: utf8", "[{'text': 'hello'}, {'text': null}]");
 *     fr_test_run (t);
 *     fr_test_expect (t, "out", "[{'text': 'HELLO'}, {'text': null}]");
 *
 * JSON in these calls may use ' for ", since C strings cannot without noise.
 * Expectations that fail are g_test failures with both sides shown.
 */
#ifndef FLOWRUN_TEST_H
#define FLOWRUN_TEST_H

#include <flowrun/flowrun.h>

G_BEGIN_DECLS

typedef struct _FrTest FrTest;

/**
 * fr_test_new: a harness for the element called @name in @plugin, with
 * parameters @with as JSON (NULL for none).  Relative paths in it are relative
 * to fr_test_tmpdir().
 */
FrTest *fr_test_new (const FrPlugin *plugin, const char *name, const char *with);
/** fr_test_new_file: the same for a shared object. */
FrTest *fr_test_new_file (const char *path, const char *name, const char *with);
void fr_test_free (FrTest *test);

/**
 * fr_test_input:
 * @port: an input port
 * @columns: "name: type, name: type"
 * @rows: a JSON array of objects
 *
 * Sets the rows of a port; several calls on one port add batches, so that
 * borders between batches are under the test's control.
 */
void fr_test_input (FrTest *test, const char *port, const char *columns, const char *rows);
/** fr_test_input_batch: a ready batch (taken). */
void fr_test_input_batch (FrTest *test, const char *port, FrBatch *batch);

/** fr_test_input_object: what comes in at @port, a port of a model or report; @object is borrowed. */
void fr_test_input_object (FrTest *test, const char *port, FrObject *object);

void fr_test_set_seed (FrTest *test, guint64 seed);
void fr_test_set_workers (FrTest *test, guint workers);
void fr_test_set_memory (FrTest *test, guint64 bytes);
/**
 * fr_test_cancel_at: fires the cancellation before input batch number @n (from
 * 1) is given, or, for an element without inputs, when its batch number @n has
 * arrived.  fr_test_run() then takes a cancelled run for a good one.
 */
void fr_test_cancel_at (FrTest *test, guint n);

/** fr_test_check: configure and bind only; TRUE when there was no problem. */
gboolean fr_test_check (FrTest *test);
/** fr_test_problems: what the check said, one a line; owned by the harness. */
const char *fr_test_problems (FrTest *test);

/** fr_test_run: the whole life of the element; a failure fails the test, and so does a view (view.h) that cannot be drawn. */
void fr_test_run (FrTest *test);
/** fr_test_run_error: the same, but it must fail, with @code and a message that contains @text. */
void fr_test_run_error (FrTest *test, FrError code, const char *text);

/** fr_test_output: all rows of an output port (or "rejects") as JSON Lines; owned by the harness. */
const char *fr_test_output (FrTest *test, const char *port);
gsize fr_test_n_rows (FrTest *test, const char *port);
/** fr_test_expect: the rows of @port are exactly @rows (a JSON array). */
void fr_test_expect (FrTest *test, const char *port, const char *rows);
/** fr_test_counter: value of a counter that the element kept. */
gint64 fr_test_counter (FrTest *test, const char *name);
/** fr_test_report: what the element reported under @key; NULL when nothing; owned by the harness. */
JsonNode *fr_test_report (FrTest *test, const char *key);

/** fr_test_output_object: what the last run pushed to @port, a port of a model or report; owned by the harness; NULL: nothing. */
FrObject *fr_test_output_object (FrTest *test, const char *port);

/**
 * fr_test_forecast: calls the element's forecast instead of running it; a
 * failure fails the test.  Returns what it reported, as fr_test_report() of
 * "forecast" does from then on; the rows of its FR_PORT_FORECAST ports can be
 * looked at like other outputs.
 */
JsonNode *fr_test_forecast (FrTest *test);

/**
 * fr_test_battery:
 *
 * The generic battery that `flowrun plugin-check` runs on any element: its
 * description, empty input, one row, all nulls, sliced and rebatched input
 * giving equal output, one worker and several giving equal output,
 * cancellation at every batch, and leaks of batches.  Needs fr_test_input()
 * first for elements with inputs.
 */
void fr_test_battery (FrTest *test);

/** fr_test_tmpdir: a fresh directory, removed with the harness. */
const char *fr_test_tmpdir (FrTest *test);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FrTest, fr_test_free)

G_END_DECLS

#endif
