/* SPDX-License-Identifier: Apache-2.0 */
/* battery.c: the checks that any element must pass, whatever it does.
 *
 * Each check runs the element on a variation of the rows it was given and
 * looks at what must not change (the output for other batch borders and worker
 * counts) or must not happen (a failure on nulls, a hang after cancelling, a
 * batch never let go, a half-written file).  What the output should *be* is
 * the business of the element's own tests.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <string.h>

#include "data/data-private.h"
#include "report/report-private.h"
#include "testkit/testkit.h"

#define AMPLE_BATCHES 48
#define MAX_CANCELS 12
#define HUGE_CELL (8u << 20)
#define CANCEL_LIMIT_US                                                                            \
  (5 * G_USEC_PER_SEC) /* a second is promised; sanitizers and valgrind need more */

/* ---- variations --------------------------------------------------------------- */

/* Copies row @row of @batch to @builder under another id. */
static void
copy_row (FrBuilder *builder, FrBatch *batch, gsize row, FrRowId id)
{
  for (guint i = 0; i < fr_batch_n_columns (batch); i++)
    {
      FrView view = fr_view (batch, i);

      fr_cells_append_from (fr_builder_cells (builder, i), &view, row);
    }
  fr_builder_end_row (builder, id);
}

static FriTestInput *
input_like (FriTestInput *input)
{
  FriTestInput *copy = g_new0 (FriTestInput, 1);

  copy->port = g_strdup (input->port);
  copy->object = input->object != NULL ? fr_object_ref (input->object) : NULL;
  copy->schema = input->schema != NULL ? fr_schema_ref (input->schema) : NULL;
  copy->batches = g_ptr_array_new_with_free_func ((GDestroyNotify) fr_batch_unref);
  return copy;
}

static void
add_built (FriTestInput *input, FrBuilder *builder)
{
  FrBatch *batch = fr_builder_n_rows (builder) ? fr_builder_finish (builder, NULL) : NULL;

  if (batch == NULL)
    return;
  input->n_rows += fr_batch_n_rows (batch);
  g_ptr_array_add (input->batches, batch);
}

typedef FriTestInput *(*Vary) (FriTestInput *input, guint32 source);

static FriTestInput *
vary_none (FriTestInput *input, guint32 source)
{
  (void) source;
  return input_like (input);
}

static FriTestInput *
vary_first (FriTestInput *input, guint32 source)
{
  FriTestInput *copy = input_like (input);
  guint32 row = 0;

  (void) source;
  if (input->batches->len > 0)
    {
      g_ptr_array_add (copy->batches,
                       fr_batch_take (g_ptr_array_index (input->batches, 0), &row, 1));
      copy->n_rows = 1;
    }
  return copy;
}

static FriTestInput *
vary_single_rows (FriTestInput *input, guint32 source)
{
  FriTestInput *copy = input_like (input);

  (void) source;
  for (guint b = 0; b < input->batches->len; b++)
    {
      FrBatch *batch = g_ptr_array_index (input->batches, b);

      for (guint32 r = 0; r < fr_batch_n_rows (batch); r++)
        g_ptr_array_add (copy->batches, fr_batch_take (batch, &r, 1));
    }
  copy->n_rows = input->n_rows;
  return copy;
}

static FriTestInput *
vary_one_batch (FriTestInput *input, guint32 source)
{
  FriTestInput *copy = input_like (input);
  g_autoptr (FrBuilder) builder = fr_builder_new (input->schema);

  (void) source;
  for (guint b = 0; b < input->batches->len; b++)
    {
      FrBatch *batch = g_ptr_array_index (input->batches, b);

      for (gsize r = 0; r < fr_batch_n_rows (batch); r++)
        copy_row (builder, batch, r, fr_batch_ids (batch)[r]);
    }
  add_built (copy, builder);
  return copy;
}

static FriTestInput *
vary_nulls (FriTestInput *input, guint32 source)
{
  FriTestInput *copy = input_like (input);
  g_autoptr (FrBuilder) builder = fr_builder_new (input->schema);

  for (guint64 r = 1; r <= 3; r++)
    fr_builder_end_row (builder, (FrRowId){ .position = r, .source = source });
  add_built (copy, builder);
  return copy;
}

/* Every row in a batch of its own, over and over, so that workers have
 * something to overtake each other with. */
static FriTestInput *
vary_ample (FriTestInput *input, guint32 source)
{
  FriTestInput *copy = input_like (input);
  g_autoptr (FrBuilder) builder = fr_builder_new (input->schema);
  guint64 position = 0;

  while (input->n_rows > 0 && copy->batches->len < AMPLE_BATCHES)
    for (guint b = 0; b < input->batches->len; b++)
      {
        FrBatch *batch = g_ptr_array_index (input->batches, b);

        for (gsize r = 0; r < MIN (fr_batch_n_rows (batch), AMPLE_BATCHES); r++)
          {
            copy_row (builder, batch, r, (FrRowId){ .position = ++position, .source = source });
            add_built (copy, builder);
          }
      }
  return copy;
}

static char *
huge_text (void)
{
  static const char piece[] = "A very long cell, 很长的一格，";
  GString *text = g_string_sized_new (HUGE_CELL + sizeof piece);

  while (text->len < HUGE_CELL)
    g_string_append_len (text, piece, sizeof piece - 1);
  return g_string_free (text, FALSE);
}

static int
text_column (FrSchema *schema)
{
  for (guint i = 0; i < fr_schema_n_fields (schema); i++)
    if (FR_TYPES (fr_field_type (fr_schema_field (schema, i))) & FR_TYPES_TEXT)
      return (int) i;
  return -1;
}

/* The first row with a cell of 8 MiB in its first text column. */
static FriTestInput *
vary_huge (FriTestInput *input, guint32 source)
{
  FriTestInput *copy = input_like (input);
  g_autoptr (FrBuilder) builder = fr_builder_new (input->schema);
  g_autofree char *text = huge_text ();
  int column = text_column (input->schema);
  FrBatch *first;

  if (input->n_rows == 0)
    return copy;
  first = g_ptr_array_index (input->batches, 0);
  for (guint i = 0; i < fr_batch_n_columns (first); i++)
    {
      FrView view = fr_view (first, i);

      if ((int) i == column)
        fr_cells_append_str (fr_builder_cells (builder, i), text, strlen (text));
      else
        fr_cells_append_from (fr_builder_cells (builder, i), &view, 0);
    }
  fr_builder_end_row (builder, (FrRowId){ .position = 1, .source = source });
  add_built (copy, builder);
  return copy;
}

/* An object is as it is. */
static FriTestInput *
vary_input (Vary vary, FriTestInput *input, guint32 source)
{
  return input->object != NULL ? input_like (input) : vary (input, source);
}

/* ---- one run of a variation ------------------------------------------------------ */

static gboolean
writes_files (const FrElement *element)
{
  for (guint i = 0; element->params != NULL && element->params[i] != NULL; i++)
    if (element->params[i]->flags & FR_PARAM_WRITES)
      return TRUE;
  return FALSE;
}

/* g_ptr_array_sort() gives pointers to the elements. */
static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
append_tree (GString *out, const char *root, const char *below)
{
  g_autofree char *path = g_build_filename (root, below, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  if (dir == NULL)
    {
      g_autofree char *text = NULL;
      gsize len = 0;

      g_file_get_contents (path, &text, &len, NULL);
      g_string_append_printf (out, "file %s, %" G_GSIZE_FORMAT " bytes\n", below, len);
      g_string_append_len (out, text, (gssize) len);
      return;
    }
  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, by_name);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *child = g_build_filename (below, g_ptr_array_index (names, i), NULL);

      append_tree (out, root, child);
    }
}

/* An object as far as it says what it is. */
static void
append_objects (GString *out, FrTest *test)
{
  g_autoptr (GList) ports = g_list_sort (g_hash_table_get_keys (test->objects),
                                         (GCompareFunc) (void (*) (void)) g_strcmp0);

  for (GList *l = ports; l != NULL; l = l->next)
    {
      FrObject *object = g_hash_table_lookup (test->objects, l->data);
      g_autoptr (JsonNode) node
          = object->type->describe != NULL ? object->type->describe (object) : NULL;
      g_autofree char *text = node != NULL ? fr_json_to_string (node, 0) : g_strdup ("");

      g_string_append_printf (out, "port %s: %s %s\n", (const char *) l->data, object->type->name,
                              text);
    }
}

/* Everything that the last run gave, as text that can be compared. */
static GString *
snapshot (FrTest *test)
{
  GString *out = g_string_new (NULL);
  g_autoptr (GList) ports = g_list_sort (g_hash_table_get_keys (test->outputs),
                                         (GCompareFunc) (void (*) (void)) g_strcmp0);

  for (GList *l = ports; l != NULL; l = l->next)
    {
      g_autofree char *rows = fri_test_text (test, l->data, TRUE);

      g_string_append_printf (out, "port %s\n%s", (const char *) l->data, rows);
    }
  append_objects (out, test);
  if (test->base_dir != NULL)
    append_tree (out, test->base_dir, "");
  return out;
}

static gboolean
fresh_base (FrTest *test, GString *why)
{
  if (!writes_files (test->element))
    return TRUE;
  g_free (test->base_dir);
  test->base_dir = g_build_filename (fr_test_tmpdir (test), "XXXXXX", NULL);
  if (g_mkdtemp (test->base_dir) != NULL)
    return TRUE;
  g_string_append (why, "cannot make a directory for the output");
  return FALSE;
}

/* Runs with other rows, workers and moment of cancelling, and puts the harness
 * back as it was.  Returns the status; *@out (or NULL) gets the snapshot. */
static FriExit
run_varied (FrTest *test, Vary vary, guint workers, guint cancel_at, GString **out, GString *why)
{
  GPtrArray *given = test->inputs;
  guint given_workers = test->workers, given_cancel = test->cancel_at;
  char *given_base = g_steal_pointer (&test->base_dir);
  g_autoptr (GError) error = NULL;
  FriExit status = FRI_EXIT_FAILED;

  test->inputs = g_ptr_array_new_with_free_func ((GDestroyNotify) fri_test_input_free);
  for (guint i = 0; i < given->len; i++)
    g_ptr_array_add (test->inputs, vary_input (vary, g_ptr_array_index (given, i), i + 1));
  test->workers = workers ? workers : given_workers;
  test->cancel_at = cancel_at;
  if (fresh_base (test, why))
    status = fri_test_go (test, &error);
  if (error != NULL && status != FRI_EXIT_INTERRUPTED && status != FRI_EXIT_LIMIT)
    g_string_append_printf (why, "the run failed: %s", error->message);
  if (out != NULL)
    *out = snapshot (test);
  g_ptr_array_unref (test->inputs);
  test->inputs = given;
  test->workers = given_workers;
  test->cancel_at = given_cancel;
  g_free (test->base_dir);
  test->base_dir = given_base;
  return status;
}

static gboolean
ended_well (FriExit status)
{
  return status == FRI_EXIT_OK || status == FRI_EXIT_LIMIT;
}

static FriCheckResult
must_run (FrTest *test, Vary vary, GString *why)
{
  return ended_well (run_varied (test, vary, 0, 0, NULL, why)) ? FRI_CHECK_PASSED
                                                               : FRI_CHECK_FAILED;
}

static FriCheckResult
skip (GString *why, const char *reason)
{
  g_string_append (why, reason);
  return FRI_CHECK_SKIPPED;
}

static gboolean
has_input (FrTest *test)
{
  for (guint i = 0; i < test->inputs->len; i++)
    if (((FriTestInput *) g_ptr_array_index (test->inputs, i))->object == NULL)
      return TRUE;
  return FALSE;
}

/* ---- comparing --------------------------------------------------------------------- */

static void
tell_difference (GString *why, const char *name_a, GString *a, const char *name_b, GString *b)
{
  gsize i = 0, start;

  while (i < a->len && i < b->len && a->str[i] == b->str[i])
    i++;
  for (start = i; start > 0 && a->str[start - 1] != '\n'; start--)
    ;
  g_string_append_printf (why, "the output differs\n%8s: %.*s\n%8s: %.*s", name_a,
                          (int) MIN (strcspn (a->str + start, "\n"), 300), a->str + start, name_b,
                          (int) MIN (strcspn (b->str + start, "\n"), 300), b->str + start);
}

static FriCheckResult
must_equal (FrTest *test, Vary vary_a, guint workers_a, const char *name_a, Vary vary_b,
            guint workers_b, const char *name_b, GString *why)
{
  GString *a = NULL, *b = NULL;
  FriCheckResult result = FRI_CHECK_FAILED;

  if (test->element->flags & FR_ELEMENT_VOLATILE)
    return skip (why, "the element says that its output may vary");
  if (ended_well (run_varied (test, vary_a, workers_a, 0, &a, why))
      && ended_well (run_varied (test, vary_b, workers_b, 0, &b, why)))
    {
      if (g_string_equal (a, b))
        result = FRI_CHECK_PASSED;
      else
        tell_difference (why, name_a, a, name_b, b);
    }
  if (a != NULL)
    g_string_free (a, TRUE);
  if (b != NULL)
    g_string_free (b, TRUE);
  return result;
}

/* ---- the checks ---------------------------------------------------------------------- */

static gboolean
is_line (const char *text)
{
  gsize len = text ? strlen (text) : 0;

  return len > 0 && len <= 160 && strchr (text, '\n') == NULL && text[len - 1] != '.'
         && g_utf8_validate (text, -1, NULL);
}

static void blame (GString *why, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
blame (GString *why, const char *format, ...)
{
  va_list args;

  if (why->len > 0)
    g_string_append_c (why, '\n');
  va_start (args, format);
  g_string_append_vprintf (why, format, args);
  va_end (args);
}

static void
describe_ports (const FrPort *const *ports, const char *direction, GString *why)
{
  for (guint i = 0; ports != NULL && ports[i] != NULL; i++)
    if (ports[i]->name == NULL || !is_line (ports[i]->help))
      blame (why, "%s port %u needs a name, and a help line without a full stop", direction, i + 1);
}

static void
describe_params (const FrElement *e, GString *why)
{
  for (guint i = 0; e->params != NULL && e->params[i] != NULL; i++)
    {
      const FrParam *p = e->params[i];

      if (p->key == NULL || !g_regex_match_simple ("^[a-z][a-z0-9_]*$", p->key, 0, 0))
        blame (why, "parameter '%s' is not lower-case letters, digits and '_'",
               p->key ? p->key : "");
      else if (!is_line (p->help))
        blame (why, "parameter '%s' needs one help line without a full stop", p->key);
      if (p->offset + p->width > e->config_size)
        blame (why, "parameter '%s' lies outside the config structure", p->key ? p->key : "");
    }
}

static const char *
kind_word (FrKind kind)
{
  static const char *const words[] = { "", "source", "transform", "trainer", "evaluator", "sink" };

  return kind >= FR_KIND_SOURCE && kind <= FR_KIND_SINK ? words[kind] : "";
}

static void
describe_callbacks (const FrElement *e, GString *why)
{
  if ((e->map == NULL) == (e->run == NULL))
    blame (why, "exactly one of map and run is needed");
  if ((e->flags & FR_ELEMENT_PARALLEL) && e->map == NULL)
    blame (why, "only an element with map can be parallel");
  if (e->open != NULL && e->close == NULL)
    blame (why, "open without close: nobody would release the state");
  if (e->thread_begin != NULL && e->thread_end == NULL)
    blame (why, "thread_begin without thread_end: nobody would release a worker's data");
  if (e->kind == FR_KIND_SOURCE && e->inputs != NULL && e->inputs[0] != NULL)
    blame (why, "a source has no inputs");
  if (e->kind == FR_KIND_SINK && e->outputs != NULL && e->outputs[0] != NULL)
    blame (why, "a sink has no outputs");
}

static FriCheckResult
check_description (FrTest *test, GString *why)
{
  const FrElement *e = test->element;
  g_autofree char *pattern = g_strdup_printf ("^%s\\.[a-z][a-z0-9_]*$", kind_word (e->kind));
  g_autoptr (JsonNode) example = e->example ? fr_json_parse (e->example, -1, 0, NULL) : NULL;

  if (!g_regex_match_simple (pattern, e->name, 0, 0))
    blame (why, "the name '%s' is not KIND.NAME of lower-case letters, digits and '_'", e->name);
  if (e->revision == 0)
    blame (why, "revision begins at 1");
  if (!is_line (e->summary))
    blame (why, "the summary must be one line without a full stop");
  if (e->details == NULL || e->details[0] == '\0')
    blame (why, "details are missing: they are the manual");
  if (example == NULL || !JSON_NODE_HOLDS_OBJECT (example))
    blame (why, "the example must be a JSON object, as behind \"with\"");
  describe_callbacks (e, why);
  describe_params (e, why);
  describe_ports (e->inputs, "input", why);
  describe_ports (e->outputs, "output", why);
  return why->len ? FRI_CHECK_FAILED : FRI_CHECK_PASSED;
}

static FriCheckResult
check_bind (FrTest *test, GString *why)
{
  if (fri_test_check (test))
    return FRI_CHECK_PASSED;
  g_string_append (why, test->problems);
  return FRI_CHECK_FAILED;
}

static FriTestInput *
vary_as_given (FriTestInput *input, guint32 source)
{
  FriTestInput *copy = input_like (input);

  (void) source;
  for (guint i = 0; i < input->batches->len; i++)
    g_ptr_array_add (copy->batches, fr_batch_ref (g_ptr_array_index (input->batches, i)));
  copy->n_rows = input->n_rows;
  return copy;
}

/* What it shows in report.html can be drawn. */
static FriCheckResult
views_follow (FrTest *test, GString *why)
{
  g_autoptr (GError) error = NULL;
  JsonNode *views = fr_test_report (test, "views");

  if (views == NULL || (fr_views_check (views, &error) && fri_speech_check (views, &error)))
    return FRI_CHECK_PASSED;
  g_string_append_printf (why, "a view does not follow flowrun/view.h: %s", error->message);
  return FRI_CHECK_FAILED;
}

static FriCheckResult
check_run (FrTest *test, GString *why)
{
  FriCheckResult result = must_run (test, vary_as_given, why);

  return result == FRI_CHECK_PASSED ? views_follow (test, why) : result;
}

static FriCheckResult
check_twice (FrTest *test, GString *why)
{
  return must_equal (test, vary_as_given, 0, "once", vary_as_given, 0, "again", why);
}

static FriCheckResult
check_empty (FrTest *test, GString *why)
{
  return has_input (test) ? must_run (test, vary_none, why) : skip (why, "no input");
}

static FriCheckResult
check_one (FrTest *test, GString *why)
{
  return has_input (test) ? must_run (test, vary_first, why) : skip (why, "no input");
}

static FriCheckResult
check_nulls (FrTest *test, GString *why)
{
  return has_input (test) ? must_run (test, vary_nulls, why) : skip (why, "no input");
}

static FriCheckResult
check_huge (FrTest *test, GString *why)
{
  for (guint i = 0; i < test->inputs->len; i++)
    {
      FriTestInput *input = g_ptr_array_index (test->inputs, i);

      if (input->n_rows > 0 && text_column (input->schema) >= 0)
        return must_run (test, vary_huge, why);
    }
  return skip (why, "no input with a text column");
}

static FriCheckResult
check_batches (FrTest *test, GString *why)
{
  if (!has_input (test))
    return skip (why, "no input");
  return must_equal (test, vary_single_rows, 0, "single", vary_one_batch, 0, "together", why);
}

static FriCheckResult
check_workers (FrTest *test, GString *why)
{
  return must_equal (test, vary_ample, 1, "1 worker", vary_ample, 4, "4", why);
}

static guint
n_ample (FrTest *test)
{
  guint n = 0;

  for (guint i = 0; i < test->inputs->len; i++)
    {
      FriTestInput *copy = vary_input (vary_ample, g_ptr_array_index (test->inputs, i), 1);

      n = MAX (n, copy->batches->len);
      fri_test_input_free (copy);
    }
  return n;
}

static gboolean
cancel_once (FrTest *test, guint at, GString *why)
{
  GString *left = NULL;
  FriExit status = run_varied (test, vary_ample, 0, at, &left, why);
  gboolean fired = test->cancelled_us != 0, good = TRUE;

  if (fired && test->ended_us - test->cancelled_us > CANCEL_LIMIT_US)
    {
      blame (why, "cancelled at batch %u, it went on for %.1f s", at,
             (double) (test->ended_us - test->cancelled_us) / G_USEC_PER_SEC);
      good = FALSE;
    }
  else if (status != FRI_EXIT_INTERRUPTED && !ended_well (status))
    {
      blame (why, "cancelled at batch %u, it failed instead of stopping", at);
      good = FALSE;
    }
  else if (status == FRI_EXIT_INTERRUPTED && strstr (left->str, "file ") != NULL
           && writes_files (test->element))
    {
      blame (why, "cancelled at batch %u, it left a file: %.80s", at, strstr (left->str, "file "));
      good = FALSE;
    }
  g_string_free (left, TRUE);
  return good;
}

static FriCheckResult
check_cancel (FrTest *test, GString *why)
{
  guint n = has_input (test) ? n_ample (test) : MAX_CANCELS;

  for (guint i = 1; i <= MIN (n, MAX_CANCELS); i++)
    if (!cancel_once (test, i, why))
      return FRI_CHECK_FAILED;
  return FRI_CHECK_PASSED;
}

static FriCheckResult
check_leaks (FrTest *test, GString *why)
{
  gint before, after;

  g_hash_table_remove_all (test->outputs);
  g_hash_table_remove_all (test->objects);
  before = fri_batches_live ();
  /* Copies, since the given batches live on in the harness. */
  if (!ended_well (run_varied (test, vary_ample, 0, 0, NULL, why)))
    return FRI_CHECK_FAILED;
  run_varied (test, vary_ample, 0, 2, NULL, why); /* a cancelled run lets go, too */
  g_hash_table_remove_all (test->outputs);
  g_hash_table_remove_all (test->objects);
  after = fri_batches_live ();
  if (after == before)
    return FRI_CHECK_PASSED;
  g_string_append_printf (why, "%d batches were never let go", after - before);
  return FRI_CHECK_FAILED;
}

static const FriCheck checks[] = {
  { "the description is complete", check_description },
  { "parameters and columns are accepted", check_bind },
  { "it runs", check_run },
  { "a second run gives the same", check_twice },
  { "no rows at all", check_empty },
  { "one row", check_one },
  { "rows of nulls", check_nulls },
  { "a cell of 8 MiB", check_huge },
  { "batch borders change nothing", check_batches },
  { "one worker and four give the same", check_workers },
  { "cancelled at each batch, it stops", check_cancel },
  { "every batch is let go", check_leaks },
};

const FriCheck *
fri_battery (guint *n)
{
  *n = G_N_ELEMENTS (checks);
  return checks;
}
