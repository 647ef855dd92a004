/* SPDX-License-Identifier: Apache-2.0 */
/* test-elements.h: elements that do on purpose what real ones do by accident. */
#ifndef FLOWRUN_TEST_ELEMENTS_H
#define FLOWRUN_TEST_ELEMENTS_H

#include <errno.h>
#include <flowrun/flowrun.h>
#include <stdio.h>
#include <unistd.h>

/* How often each callback was entered, over all stages. */
typedef struct
{
  int opens, closes, begins, ends, maps, runs, finishes;
  int sources, trainings, loads;
  int inside, most_inside; /* of serial maps */
  int transient;           /* opens still to fail for a moment */
  int threads, workers;    /* what a stage was told beside a lingering source */
} Calls;

static Calls calls;

typedef struct
{
  gint64 rows;  /* a source gives so many */
  gint64 batch; /* in batches of so many */
  gint64 delay; /* microseconds at every batch */
  gint64 mod;   /* rows whose number is a multiple are rejected */
  gint64 width; /* of the text */
  gint64 spin;  /* rounds of arithmetic at every row */
  char *fail;   /* where to fail */
  char *path;   /* a sink's file */
  char *read;   /* a file the source reads */
} Config;

static const FrParam *const params[]
    = { FR_PARAM_INT ("rows", Config, rows, 0, G_MAXINT32, "how many", .def = "100"),
        FR_PARAM_INT ("batch", Config, batch, 1, 4096, "rows a batch", .def = "100"),
        FR_PARAM_INT ("delay", Config, delay, 0, G_MAXINT32, "per batch", .unit = "us",
                      .flags = FR_PARAM_NO_RESULT),
        FR_PARAM_INT ("mod", Config, mod, 0, G_MAXINT32, "reject multiples"),
        FR_PARAM_INT ("width", Config, width, 0, 1000000, "bytes of text", .def = "10"),
        FR_PARAM_INT ("spin", Config, spin, 0, G_MAXINT32, "work per row"),
        FR_PARAM_STRING ("fail", Config, fail, "where to fail"),
        FR_PARAM_PATH ("path", Config, path, "file to write", .flags = FR_PARAM_WRITES),
        FR_PARAM_PATH ("read", Config, read, "file to read", .flags = FR_PARAM_READS),
        NULL };

typedef struct
{
  const Config *config;
  FILE *file;
  char *temporary;
  gint64 sum;
} State;

static gboolean
fails (const Config *c, const char *where, GError **error)
{
  if (g_strcmp0 (c->fail, where) != 0)
    return FALSE;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA, "asked to fail in %s", where);
  return TRUE;
}

static gboolean
any_open (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  State *s;

  (void) host;
  if (fails (config, "open", error))
    return FALSE;
  if (g_strcmp0 (((const Config *) config)->fail, "silent open") == 0)
    return FALSE;
  if (g_strcmp0 (((const Config *) config)->fail, "transient") == 0
      && g_atomic_int_get (&calls.transient) > 0)
    {
      g_atomic_int_add (&calls.transient, -1);
      g_set_error (error, FR_ERROR, FR_ERROR_TRANSIENT, "the server is busy");
      return FALSE;
    }
  s = g_new0 (State, 1);
  s->config = config;
  *state = s;
  g_atomic_int_inc (&calls.opens);
  return TRUE;
}

static void
any_close (gpointer state)
{
  State *s = state;

  g_atomic_int_inc (&calls.closes);
  if (s->file != NULL)
    fclose (s->file);
  if (s->temporary != NULL)
    unlink (s->temporary);
  g_free (s->temporary);
  g_free (s);
}

static gboolean
any_begin (FrHost *host, gpointer state, gpointer *local, GError **error)
{
  (void) host;
  if (fails (((State *) state)->config, "begin", error))
    return FALSE;
  *local = g_new (char, 1);
  g_atomic_int_inc (&calls.begins);
  return TRUE;
}

static void
any_end (gpointer state, gpointer local)
{
  (void) state;
  g_free (local);
  g_atomic_int_inc (&calls.ends);
}

static gboolean
any_finish (FrHost *host, gpointer state, GError **error)
{
  State *s = state;

  g_atomic_int_inc (&calls.finishes);
  /* When all other stages have ended, even on a busy machine. */
  if (g_strcmp0 (s->config->fail, "late finish") == 0)
    g_usleep (G_USEC_PER_SEC / 2);
  if (fails (s->config, "finish", error) || fails (s->config, "late finish", error))
    return FALSE;
  if (s->file == NULL)
    return TRUE;
  fclose (s->file);
  s->file = NULL;
  if (rename (s->temporary, s->config->path) < 0)
    return fr_error_errno (error, errno, "rename to", s->config->path);
  g_clear_pointer (&s->temporary, g_free);
  fr_host_committed (host, s->config->path);
  return TRUE;
}

static gboolean
count_bind (gconstpointer config, FrBind *bind, GError **error)
{
  if (fails (config, "bind", error))
    return FALSE;
  if (fails (config, "away", NULL))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_TRANSIENT, "the server is away");
      return FALSE;
    }
  if (fails (config, "long", NULL))
    {
      /* As a person would, while it waits for a server. */
      g_cancellable_cancel (g_cancellable_get_current ());
      g_set_error (error, FR_ERROR, FR_ERROR_CANCELLED, "cancelled");
      return FALSE;
    }
  fr_bind_output (bind, "out",
                  fr_schema_new_simple ("n", FR_TYPE_INT64, "text", FR_TYPE_UTF8, NULL));
  return TRUE;
}

static FrFlow
flow_failure (FrHost *host, const Config *c, GError **error)
{
  if (g_strcmp0 (c->fail, "silent") == 0)
    return FR_FLOW_ERROR;
  if (g_strcmp0 (c->fail, "false cancel") == 0)
    return FR_FLOW_CANCELLED;
  if (g_strcmp0 (c->fail, "port") == 0)
    {
      g_autoptr (FrBuilder) b = fr_builder_new (fr_host_output (host, "out"));

      return fr_host_push (host, "nowhere", fr_builder_finish (b, NULL), error);
    }
  if (g_strcmp0 (c->fail, "schema") == 0)
    {
      g_autoptr (FrSchema) other = fr_schema_new_simple ("other", FR_TYPE_BOOL, NULL);
      g_autoptr (FrBuilder) b = fr_builder_new (other);

      fr_cells_append_bool (fr_builder_cells (b, 0), TRUE);
      fr_builder_end_row (b, (FrRowId){ 1, fr_host_source (host), 0 });
      return fr_host_push (host, "out", fr_builder_finish (b, NULL), error);
    }
  if (g_strcmp0 (c->fail, "touch") == 0 && !g_file_set_contents (c->read, "changed", -1, error))
    return FR_FLOW_ERROR;
  return fails (c, "work", error) ? FR_FLOW_ERROR : FR_FLOW_OK;
}

static FrFlow
count_run (FrHost *host, gpointer state, GError **error)
{
  const Config *c = ((State *) state)->config;
  g_autoptr (FrBuilder) b = fr_builder_new (fr_host_output (host, "out"));
  g_autofree char *text = g_malloc ((gsize) c->width + 1);
  FrFlow flow = FR_FLOW_OK;

  g_atomic_int_inc (&calls.runs);
  fr_host_origin (host, 1, "first half");
  fr_host_origin (host, (guint64) c->rows / 2 + 1, "second half");
  for (gint64 i = 1; i <= c->rows && flow == FR_FLOW_OK; i++)
    {
      FrRowId id = { (guint64) i, fr_host_source (host), 0 };

      if (c->mod > 0 && i % c->mod == 0)
        {
          fr_host_reject_raw (host, id, "somewhere", FR_STR ("raw \xff"), "multiple",
                              "%d is a multiple", (int) i);
          continue;
        }
      for (gint64 k = 0; k < c->width; k++)
        text[k] = (char) ('a' + (i + k) % 26);
      fr_cells_append_int (fr_builder_cells (b, 0), i);
      fr_cells_append_str (fr_builder_cells (b, 1), text, (gsize) c->width);
      fr_builder_end_row (b, id);
      if (fr_builder_n_rows (b) < (gsize) c->batch && i < c->rows)
        continue;
      fr_host_progress (host, (guint64) i, (guint64) c->rows, "rows");
      if (c->delay > 0 && !fr_host_sleep (host, c->delay))
        return FR_FLOW_CANCELLED;
      flow = fr_host_push (host, "out", fr_builder_finish (b, error), error);
      if (flow == FR_FLOW_OK && i > c->rows / 2)
        flow = flow_failure (host, c, error);
    }
  if (flow == FR_FLOW_OK && fr_builder_n_rows (b) > 0)
    flow = fr_host_push (host, "out", fr_builder_finish (b, error), error);
  return flow == FR_FLOW_DONE ? FR_FLOW_OK : flow;
}

/* Reads on from where the last run stopped. */
static FrFlow
more_run (FrHost *host, gpointer state, GError **error)
{
  const Config *c = ((State *) state)->config;
  g_autoptr (FrBuilder) b = fr_builder_new (fr_host_output (host, "out"));
  JsonNode *left = fr_host_state (host), *leave = json_node_new (JSON_NODE_VALUE);
  gint64 first = left != NULL ? json_node_get_int (left) : 0;

  g_atomic_int_inc (&calls.runs);
  for (gint64 i = first + 1; i <= first + c->rows; i++)
    {
      fr_cells_append_int (fr_builder_cells (b, 0), i);
      fr_cells_append_str (fr_builder_cells (b, 1), "more", 4);
      fr_builder_end_row (b, (FrRowId){ (guint64) i, fr_host_source (host), 0 });
    }
  json_node_set_int (leave, first + c->rows);
  fr_host_set_state (host, leave);
  return fr_host_push (host, "out", fr_builder_finish (b, error), error);
}

/* What it gives is told by what stands in a file that it does not declare. */
static gboolean
dated_fingerprint (gconstpointer config, GString *out, GError **error)
{
  const Config *c = config;
  g_autofree char *text = NULL;

  if (c->path == NULL)
    return TRUE;
  if (!g_file_get_contents (c->path, &text, NULL, error))
    return FALSE;
  g_string_append (out, text);
  return TRUE;
}

/* ---- maps --------------------------------------------------------------------------- */

static gboolean
shout (FrStr text, GString *out, gpointer data)
{
  volatile guint64 x = text.len;

  for (gint64 i = 0; i < *(gint64 *) data; i++)
    x = x * 6364136223846793005u + 1442695040888963407u;
  for (gsize i = 0; i < text.len; i++)
    g_string_append_c (out, g_ascii_toupper (text.data[i]));
  return TRUE;
}

/* Passes rows on in capitals, rejects some, tells something, late by chance. */
static FrFlow
shout_map (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  const Config *c = ((State *) state)->config;
  gsize n = fr_batch_n_rows (batch);
  g_autofree guint8 *keep = g_malloc (n);
  FrView view = fr_view (batch, 0);
  gint64 spin = c->spin;
  FrBatch *kept, *loud;
  FrFlow flow = flow_failure (host, c, error);

  (void) local;
  g_atomic_int_inc (&calls.maps);
  if (flow != FR_FLOW_OK)
    {
      fr_batch_unref (batch);
      return flow;
    }
  if (c->delay > 0)
    g_usleep ((gulong) (fr_host_random (host, fr_batch_ids (batch)[0], 1) % (guint64) c->delay));
  for (gsize i = 0; i < n; i++)
    {
      gint64 v = fr_view_int (&view, i);

      keep[i] = c->mod == 0 || v % c->mod != 0;
      if (!keep[i])
        fr_host_reject (host, batch, i, v % 2 == 0 ? "even" : "odd", "%d is a multiple of %d",
                        (int) v, (int) c->mod);
    }
  fr_host_count (host, "seen", (gint64) n);
  fr_host_metric (host, "first", (double) fr_view_int (&view, 0));
  kept = fr_batch_filter (batch, keep);
  loud = fr_batch_map_text (kept, 1, shout, &spin, error);
  fr_batch_unref (kept);
  fr_batch_unref (batch);
  return loud != NULL ? fr_host_push (host, "out", loud, error) : FR_FLOW_ERROR;
}

static FrFlow
serial_map (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  int inside = g_atomic_int_add (&calls.inside, 1) + 1;

  (void) local;
  (void) state;
  if (inside > calls.most_inside)
    calls.most_inside = inside;
  g_usleep (200);
  g_atomic_int_add (&calls.inside, -1);
  return fr_host_push (host, "out", batch, error);
}

/* Passes everything on. */
static FrFlow
same_map (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  (void) local;
  (void) state;
  return fr_host_push (host, "out", batch, error);
}

/* Sends every row to one of two ports. */
static FrFlow
halves_map (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error)
{
  gsize n = fr_batch_n_rows (batch);
  g_autofree guint8 *keep = g_malloc (n);
  FrView view = fr_view (batch, 0);
  FrFlow flow;

  (void) local;
  (void) state;
  for (gsize i = 0; i < n; i++)
    keep[i] = fr_view_int (&view, i) % 2 == 0;
  flow = fr_host_push (host, "even", fr_batch_filter (batch, keep), error);
  for (gsize i = 0; i < n; i++)
    keep[i] = !keep[i];
  if (flow == FR_FLOW_OK)
    flow = fr_host_push (host, "odd", fr_batch_filter (batch, keep), error);
  fr_batch_unref (batch);
  return flow;
}

/* ---- runs ---------------------------------------------------------------------------- */

static FrFlow
pass_all (FrHost *host, const char *port, GError **error)
{
  FrBatch *batch;
  FrFlow flow;

  while ((flow = fr_host_next (host, port, &batch, error)) == FR_FLOW_OK)
    if ((flow = fr_host_push (host, "out", batch, error)) != FR_FLOW_OK)
      return flow;
  return flow == FR_FLOW_DONE ? FR_FLOW_OK : flow;
}

static FrFlow
pass_run (FrHost *host, gpointer state, GError **error)
{
  const Config *c = ((State *) state)->config;
  FrBatch *batch;
  FrFlow flow;

  g_atomic_int_inc (&calls.runs);
  while ((flow = fr_host_next (host, "in", &batch, error)) == FR_FLOW_OK)
    {
      if (c->delay > 0)
        g_usleep ((gulong) c->delay);
      flow = fr_host_push (host, "out", batch, error);
      if (flow == FR_FLOW_OK)
        flow = flow_failure (host, c, error);
      if (flow != FR_FLOW_OK)
        return flow;
    }
  return flow;
}

/* All of "a", then all of "b". */
static FrFlow
join_run (FrHost *host, gpointer state, GError **error)
{
  FrFlow flow = pass_all (host, "a", error);

  (void) state;
  return flow == FR_FLOW_OK ? pass_all (host, "b", error) : flow;
}

/* Looks at everything three times, then passes it on. */
static FrFlow
again_run (FrHost *host, gpointer state, GError **error)
{
  guint64 sums[3] = { 0 };

  (void) state;
  for (guint pass = 0; pass < 3; pass++)
    {
      FrBatch *batch;
      FrFlow flow;

      while ((flow = fr_host_next (host, "in", &batch, error)) == FR_FLOW_OK)
        {
          FrView view = fr_view (batch, 0);

          for (gsize i = 0; i < fr_batch_n_rows (batch); i++)
            sums[pass] = sums[pass] * 31 + (guint64) fr_view_int (&view, i);
          fr_batch_unref (batch);
          /* The first look ends early. */
          if (pass == 0)
            {
              flow = FR_FLOW_DONE;
              break;
            }
        }
      if (flow != FR_FLOW_DONE)
        return flow;
      if (!fr_host_rewind (host, "in", error))
        return FR_FLOW_ERROR;
    }
  fr_host_report (host, "equal", json_node_init_boolean (json_node_alloc (), sums[1] == sums[2]));
  return pass_all (host, "in", error);
}

static FrFlow
few_run (FrHost *host, gpointer state, GError **error)
{
  FrBatch *batch;
  FrFlow flow = FR_FLOW_OK;

  (void) state;
  for (guint i = 0; i < 3 && flow == FR_FLOW_OK; i++)
    {
      flow = fr_host_next (host, "in", &batch, error);
      if (flow == FR_FLOW_OK)
        flow = fr_host_push (host, "out", batch, error);
    }
  return flow;
}

/* Takes everything and writes nothing. */
static FrFlow
null_run (FrHost *host, gpointer state, GError **error)
{
  FrBatch *batch;
  FrFlow flow;

  (void) state;
  while ((flow = fr_host_next (host, "in", &batch, error)) == FR_FLOW_OK)
    fr_batch_unref (batch);
  return flow;
}

static FrFlow
file_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  FrBatch *batch;
  FrFlow flow;

  s->temporary = g_strconcat (s->config->path, ".tmp", NULL);
  s->file = fopen (s->temporary, "we");
  if (s->file == NULL)
    {
      fr_error_errno (error, errno, "write", s->temporary);
      return FR_FLOW_ERROR;
    }
  while ((flow = fr_host_next (host, "in", &batch, error)) == FR_FLOW_OK)
    {
      g_autoptr (GString) text = g_string_new (NULL);

      for (gsize i = 0; i < fr_batch_n_rows (batch); i++)
        {
          FrView view = fr_view (batch, 0);
          gint64 v = fr_view_int (&view, i);

          if (s->config->mod > 0 && v % s->config->mod == 0)
            {
              fr_host_reject (host, batch, i, "unwritable", "cannot write %d", (int) v);
              continue;
            }
          fr_batch_append_json (batch, i, FALSE, text);
          g_string_append_c (text, '\n');
        }
      fwrite (text->str, 1, text->len, s->file);
      fr_batch_unref (batch);
      if (s->config->delay > 0)
        g_usleep ((gulong) s->config->delay);
      if (fails (s->config, "work", error))
        return FR_FLOW_ERROR;
    }
  fflush (s->file);
  return flow;
}

/* As file_run, and then there until it is told to go. */
static FrFlow
serve_run (FrHost *host, gpointer state, GError **error)
{
  FrFlow flow = file_run (host, state, error);
  GCancellable *ending = fr_host_ending (host);

  if (flow != FR_FLOW_OK && flow != FR_FLOW_DONE)
    return flow;
  while (!g_cancellable_is_cancelled (ending))
    g_usleep (500);
  return fr_host_is_cancelled (host) ? FR_FLOW_CANCELLED : FR_FLOW_OK;
}

/* ---- objects ---------------------------------------------------------------------------- */

typedef struct
{
  FrObject object;
  gint64 number;
} Thing;

static int things; /* alive */

static gboolean
thing_save (FrObject *object, const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "number", NULL);
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, ((Thing *) object)->number);

  return g_file_set_contents (path, text, -1, error);
}

static FrObject *thing_load (const char *dir, GError **error);

static JsonNode *
thing_describe (FrObject *object)
{
  return json_node_init_int (json_node_alloc (), ((Thing *) object)->number);
}

static void
thing_free (FrObject *object)
{
  g_atomic_int_add (&things, -1);
  g_free (object);
}

static const FrObjectType thing_type
    = { sizeof (FrObjectType), "test.thing", FR_PORT_MODEL, thing_save, thing_load,
        thing_describe,        thing_free };
static const FrObjectType other_type
    = { sizeof (FrObjectType), "test.other", FR_PORT_MODEL, NULL, NULL, NULL, thing_free };

static FrObject *
thing_new (gint64 number)
{
  Thing *thing = g_new0 (Thing, 1);

  fr_object_init (&thing->object, &thing_type);
  thing->number = number;
  g_atomic_int_inc (&things);
  return &thing->object;
}

static FrObject *
thing_load (const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "number", NULL);
  g_autofree char *text = NULL;

  g_atomic_int_inc (&calls.loads);
  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  return thing_new (g_ascii_strtoll (text, NULL, 10));
}

static gboolean
thing_bind (gconstpointer config, FrBind *bind, GError **error)
{
  const Config *c = config;
  g_autoptr (FrObject) stand_in = thing_new (c->rows);

  (void) error;
  if (fr_bind_is_connected (bind, "model"))
    fr_bind_output_object (bind, "model", stand_in);
  return TRUE;
}

static FrFlow
push_thing (FrHost *host, const Config *c, gint64 number, GError **error)
{
  FrFlow flow;

  if (g_strcmp0 (c->fail, "no object") == 0)
    return FR_FLOW_OK;
  if (g_strcmp0 (c->fail, "other object") == 0)
    {
      FrObject *other = thing_new (0);

      other->type = &other_type;
      return fr_host_push_object (host, "model", other, error);
    }
  flow = fr_host_push_object (host, "model", thing_new (number), error);
  if (flow == FR_FLOW_OK && g_strcmp0 (c->fail, "two objects") == 0)
    flow = fr_host_push_object (host, "model", thing_new (number), error);
  return flow;
}

static FrFlow
thing_run (FrHost *host, gpointer state, GError **error)
{
  const Config *c = ((State *) state)->config;

  FrFlow flow = push_thing (host, c, c->rows, error);

  g_atomic_int_inc (&calls.sources);
  /* At work still, while those that have the thing are. */
  while (flow == FR_FLOW_OK && g_strcmp0 (c->fail, "linger") == 0
         && g_atomic_int_get (&calls.workers) == 0)
    {
      if (fr_host_is_cancelled (host))
        return FR_FLOW_CANCELLED;
      g_usleep (1000); /* not fr_host_sleep(), which would leave the thread to others */
    }
  return flow;
}

/* Adds up the rows and what it started from; looks for that only after the rows. */
static FrFlow
learn_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  g_autoptr (FrObject) base = NULL, again = NULL;
  FrBatch *batch;
  FrFlow flow;

  g_atomic_int_inc (&calls.trainings);
  if (g_strcmp0 (s->config->fail, "model first") == 0)
    {
      g_autoptr (FrObject) first = NULL;

      flow = fr_host_next_object (host, "base", &first, error);
      if (flow != FR_FLOW_OK)
        return flow;
    }
  while ((flow = fr_host_next (host, "in", &batch, error)) == FR_FLOW_OK)
    {
      s->sum += (gint64) fr_batch_n_rows (batch);
      fr_host_metric (host, "loss", 1. / (double) s->sum);
      fr_host_status (host, "%d rows", (int) s->sum);
      fr_batch_unref (batch);
    }
  if (flow != FR_FLOW_DONE)
    return flow;
  flow = fr_host_next_object (host, "base", &base, error);
  if (flow == FR_FLOW_OK)
    {
      g_assert_cmpint (fr_host_next_object (host, "base", &again, error), ==, FR_FLOW_OK);
      g_assert_true (base == again);
      s->sum += ((Thing *) base)->number;
    }
  if (flow != FR_FLOW_OK && flow != FR_FLOW_DONE)
    return flow;
  if (g_strcmp0 (s->config->fail, "late") == 0)
    return FR_FLOW_OK;
  return push_thing (host, s->config, s->sum, error);
}

static gboolean
learn_finish (FrHost *host, gpointer state, GError **error)
{
  State *s = state;

  g_atomic_int_inc (&calls.finishes);
  if (g_strcmp0 (s->config->fail, "late") != 0)
    return TRUE;
  return fr_host_push_object (host, "model", thing_new (s->sum), error) == FR_FLOW_OK;
}

static FrFlow
learn_forecast (gconstpointer config, FrHost *host, GError **error)
{
  const Config *c = config;
  g_autoptr (FrObject) base = NULL;
  g_autoptr (JsonObject) told = json_object_new ();
  gint64 n = 0;
  FrBatch *batch;
  FrFlow flow;

  if (fails (c, "forecast", error))
    return FR_FLOW_ERROR;
  while ((flow = fr_host_next (host, "in", &batch, error)) == FR_FLOW_OK)
    {
      n += (gint64) fr_batch_n_rows (batch);
      flow = fr_host_push (host, "seen", batch, error);
      if (flow == FR_FLOW_ERROR || flow == FR_FLOW_CANCELLED)
        return flow;
    }
  if (flow != FR_FLOW_DONE)
    return flow;
  flow = fr_host_next_object (host, "base", &base, error);
  if (flow == FR_FLOW_OK)
    n += ((Thing *) base)->number;
  json_object_set_int_member (told, "sum", n);
  fr_host_report (host, "forecast", json_node_init_object (json_node_alloc (), told));
  return flow;
}

/* Writes the number of its model, and the rows if there are any, to its file. */
static FrFlow
store_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  g_autoptr (FrObject) model = NULL;
  FrFlow flow = fr_host_next_object (host, "model", &model, error);
  FrBatch *batch;

  if (flow != FR_FLOW_OK)
    return flow;
  if (g_strcmp0 (s->config->fail, "threads") == 0)
    {
      g_atomic_int_set (&calls.threads, (int) fr_host_threads (host));
      g_atomic_int_set (&calls.workers, (int) fr_host_workers (host));
    }
  while ((flow = fr_host_next (host, "rows", &batch, error)) == FR_FLOW_OK)
    {
      s->sum += (gint64) fr_batch_n_rows (batch);
      fr_batch_unref (batch);
    }
  if (flow != FR_FLOW_DONE)
    return flow;
  s->temporary = g_strconcat (s->config->path, ".tmp", NULL);
  s->file = fopen (s->temporary, "we");
  if (s->file == NULL)
    {
      fr_error_errno (error, errno, "write", s->temporary);
      return FR_FLOW_ERROR;
    }
  fprintf (s->file, "%d %d\n", (int) ((Thing *) model)->number, (int) s->sum);
  return FR_FLOW_OK;
}

/* ---- descriptions ---------------------------------------------------------------------- */

static const FrPort *const halves_out[] = { FR_PORT ("even", FR_PORT_RECORDS, "2, 4, ..."),
                                            FR_PORT ("odd", FR_PORT_RECORDS, "1, 3, ..."), NULL };
static const FrPort *const join_in[] = { FR_PORT ("a", FR_PORT_RECORDS, "read first"),
                                         FR_PORT ("b", FR_PORT_RECORDS, "read then"), NULL };
static const FrPort *const again_in[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "read again", .flags = FR_PORT_REWINDABLE | FR_PORT_MANY),
        NULL };

#define COMMON                                                                                     \
  .size = sizeof (FrElement), .revision = 1, .config_size = sizeof (Config), .params = params,     \
  .open = any_open, .close = any_close, .finish = NULL
#define TRANSFORM(name_)                                                                           \
  COMMON, .kind = FR_KIND_TRANSFORM, .name = "transform." name_, .summary = "for tests",           \
          .inputs = fr_ports_in, .outputs = fr_ports_out

#pragma GCC diagnostic ignored "-Woverride-init"

static const FrElement el_count = { COMMON,
                                    .kind = FR_KIND_SOURCE,
                                    .name = "source.count",
                                    .summary = "counts",
                                    .outputs = fr_ports_out,
                                    .bind = count_bind,
                                    .run = count_run };
static const FrElement el_volatile = { COMMON,
                                       .kind = FR_KIND_SOURCE,
                                       .name = "source.volatile",
                                       .summary = "counts",
                                       .outputs = fr_ports_out,
                                       .bind = count_bind,
                                       .run = count_run,
                                       .flags = FR_ELEMENT_VOLATILE | FR_ELEMENT_NETWORK };
static const FrElement el_dated = { COMMON,
                                    .kind = FR_KIND_SOURCE,
                                    .name = "source.dated",
                                    .summary = "counts",
                                    .outputs = fr_ports_out,
                                    .bind = count_bind,
                                    .run = count_run,
                                    .fingerprint = dated_fingerprint,
                                    .flags = FR_ELEMENT_VOLATILE };
static const FrElement el_more = { COMMON,
                                   .kind = FR_KIND_SOURCE,
                                   .name = "source.more",
                                   .summary = "counts on",
                                   .outputs = fr_ports_out,
                                   .bind = count_bind,
                                   .run = more_run,
                                   .flags = FR_ELEMENT_VOLATILE };
static const FrElement el_shout
    = { TRANSFORM ("shout"), .flags = FR_ELEMENT_PARALLEL, .map = shout_map,
        .thread_begin = any_begin, .thread_end = any_end };
static const FrElement el_same
    = { TRANSFORM ("same"), .flags = FR_ELEMENT_PARALLEL, .map = same_map };
static const FrElement el_null = { COMMON,
                                   .kind = FR_KIND_SINK,
                                   .name = "sink.null",
                                   .summary = "forgets",
                                   .inputs = fr_ports_in,
                                   .run = null_run };
static const FrElement el_serial = { TRANSFORM ("serial"), .map = serial_map };
static const FrElement el_process = { TRANSFORM ("process"), .map = serial_map,
                                      .flags = FR_ELEMENT_PROCESS_SERIAL | FR_ELEMENT_PARALLEL };
static const FrElement el_halves = { TRANSFORM ("halves"), .flags = FR_ELEMENT_PARALLEL,
                                     .outputs = halves_out, .map = halves_map };
static const FrElement el_pass = { TRANSFORM ("pass"), .run = pass_run };
static const FrElement el_join = { TRANSFORM ("join"), .inputs = join_in, .run = join_run };
static const FrElement el_again = { TRANSFORM ("again"), .inputs = again_in, .run = again_run };
static const FrElement el_few = { TRANSFORM ("few"), .run = few_run };
static const FrElement el_file = { COMMON,
                                   .kind = FR_KIND_SINK,
                                   .name = "sink.file",
                                   .summary = "writes",
                                   .inputs = fr_ports_in,
                                   .run = file_run,
                                   .finish = any_finish };
static const FrElement el_serve = { COMMON,
                                    .kind = FR_KIND_SINK,
                                    .name = "sink.serve",
                                    .summary = "writes, and stays",
                                    .flags = FR_ELEMENT_SERVES | FR_ELEMENT_WAITS,
                                    .inputs = fr_ports_in,
                                    .run = serve_run,
                                    .finish = any_finish };

static const FrPort *const thing_out[]
    = { FR_PORT ("model", FR_PORT_MODEL, "a thing", .object = &thing_type), NULL };
static const FrPort *const learn_in[]
    = { FR_PORT ("in", FR_PORT_RECORDS, "what to learn"),
        FR_PORT ("base", FR_PORT_MODEL, "what to start from", .object = &thing_type,
                 .flags = FR_PORT_OPTIONAL),
        NULL };
static const FrPort *const learn_out[]
    = { FR_PORT ("model", FR_PORT_MODEL, "what was learnt", .object = &thing_type),
        FR_PORT ("seen", FR_PORT_RECORDS, "what would be learnt", .flags = FR_PORT_FORECAST),
        NULL };
static const FrPort *const store_in[]
    = { FR_PORT ("model", FR_PORT_MODEL, "what to write", .object = &thing_type),
        FR_PORT ("rows", FR_PORT_RECORDS, "rows to count", .flags = FR_PORT_OPTIONAL), NULL };

static const FrElement el_thing = { COMMON,
                                    .kind = FR_KIND_SOURCE,
                                    .name = "source.thing",
                                    .summary = "makes a thing",
                                    .outputs = thing_out,
                                    .bind = thing_bind,
                                    .run = thing_run };
static const FrElement el_learn = { COMMON,
                                    .kind = FR_KIND_TRAINER,
                                    .name = "trainer.sum",
                                    .summary = "adds up",
                                    .inputs = learn_in,
                                    .outputs = learn_out,
                                    .run = learn_run,
                                    .finish = learn_finish,
                                    .forecast = learn_forecast };
static const FrElement el_plain = { COMMON,
                                    .kind = FR_KIND_TRAINER,
                                    .name = "trainer.plain",
                                    .summary = "adds up, and commits nothing",
                                    .inputs = learn_in,
                                    .outputs = thing_out,
                                    .run = learn_run };
/* That the model will come is known, though nothing is known of it. */
static gboolean
store_bind (gconstpointer config, FrBind *bind, GError **error)
{
  (void) config;
  if (fr_bind_has_input (bind, "model") && !fr_bind_has_input (bind, "other"))
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, "the inputs are not those of the pipeline");
  return FALSE;
}

static const FrElement el_store = { COMMON,
                                    .kind = FR_KIND_SINK,
                                    .name = "sink.thing",
                                    .summary = "writes a number",
                                    .inputs = store_in,
                                    .bind = store_bind,
                                    .run = store_run,
                                    .finish = any_finish };

FR_PLUGIN ("fakes", "1.0", "elements for tests", "Apache-2.0", "flowrun", &el_count, &el_volatile,
           &el_dated, &el_more, &el_shout, &el_serial, &el_process, &el_halves, &el_pass, &el_join,
           &el_again, &el_few, &el_file, &el_serve, &el_same, &el_null, &el_thing, &el_learn, &el_plain,
           &el_store)

#endif
