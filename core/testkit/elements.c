/* SPDX-License-Identifier: Apache-2.0 */
/* elements.c: the fake elements around the one under test.
 *
 * source.test_feed pushes the batches of one input port, sink.test_collect
 * keeps what arrives; source.test_object_N and sink.test_model (or _report) do
 * the same for an object.  All find their harness by number, since a pipeline
 * file cannot hold a pointer.
 */
#include "config.h"

#include "testkit/testkit.h"

typedef struct
{
  gint64 harness;
  char *port;
} Config;

static const FrParam *const params[]
    = { FR_PARAM_INT ("harness", Config, harness, 1, G_MAXINT32, "which harness",
                      .flags = FR_PARAM_REQUIRED),
        FR_PARAM_STRING ("port", Config, port, "which port of it", .flags = FR_PARAM_REQUIRED),
        NULL };

typedef struct
{
  FrTest *test;
  char *port;
} State;

static gboolean
both_open (gconstpointer config, FrHost *host, gpointer *state, GError **error)
{
  const Config *c = config;
  FrTest *test = fri_test_find ((guint) c->harness);
  State *s;

  (void) host;
  if (test == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, "there is no harness %" G_GINT64_FORMAT,
                   c->harness);
      return FALSE;
    }
  s = g_new0 (State, 1);
  s->test = test;
  s->port = g_strdup (c->port);
  *state = s;
  return TRUE;
}

static void
both_close (gpointer state)
{
  State *s = state;

  g_free (s->port);
  g_free (s);
}

static gboolean
feed_bind (gconstpointer config, FrBind *bind, GError **error)
{
  const Config *c = config;
  FrTest *test = fri_test_find ((guint) c->harness);
  FriTestInput *input = test ? fri_test_input (test, c->port) : NULL;

  if (input == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, "nothing feeds port '%s'", c->port);
      return FALSE;
    }
  fr_bind_output (bind, "out", fr_schema_ref (input->schema));
  return TRUE;
}

static FrFlow
feed_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  FriTestInput *input = fri_test_input (s->test, s->port);

  for (guint i = 0; i < input->batches->len; i++)
    {
      FrFlow flow;

      if (s->test->cancel_at == i + 1)
        fri_test_fire (s->test);
      flow
          = fr_host_push (host, "out", fr_batch_ref (g_ptr_array_index (input->batches, i)), error);
      if (flow != FR_FLOW_OK)
        return flow;
    }
  return FR_FLOW_OK;
}

static FrFlow
collect_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;

  for (guint n = 1;; n++)
    {
      FrBatch *batch = NULL;
      FrFlow flow = fr_host_next (host, "in", &batch, error);

      if (flow != FR_FLOW_OK)
        return flow;
      fri_test_collect (s->test, s->port, batch);
      /* A source asks for no batch: its own count instead. */
      if (s->test->inputs->len == 0 && s->test->cancel_at == n)
        fri_test_fire (s->test);
    }
}

/* ---- objects ------------------------------------------------------------------ */

static gboolean
object_bind (gconstpointer config, FrBind *bind, GError **error)
{
  const Config *c = config;
  FrTest *test = fri_test_find ((guint) c->harness);
  FriTestInput *input = test ? fri_test_input (test, c->port) : NULL;

  if (input == NULL)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_INTERNAL, "nothing feeds port '%s'", c->port);
      return FALSE;
    }
  fr_bind_output_object (bind, "out", input->object);
  return TRUE;
}

static FrFlow
object_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;

  return fr_host_push_object (host, "out",
                              fr_object_ref (fri_test_input (s->test, s->port)->object), error);
}

static FrFlow
keep_run (FrHost *host, gpointer state, GError **error)
{
  State *s = state;
  FrObject *object = NULL;
  FrFlow flow = fr_host_next_object (host, "in", &object, error);

  if (flow == FR_FLOW_OK)
    fri_test_collect_object (s->test, s->port, object);
  return flow;
}

/* ---- descriptions --------------------------------------------------------------- */

static const FrElement feed = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SOURCE,
  .name = "source.test_feed",
  .revision = 1,
  .flags = FR_ELEMENT_VOLATILE,
  .summary = "the input rows of a harness",
  .config_size = sizeof (Config),
  .params = params,
  .outputs = fr_ports_out,
  .bind = feed_bind,
  .open = both_open,
  .run = feed_run,
  .close = both_close,
};

static const FrElement collect = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SINK,
  .name = "sink.test_collect",
  .revision = 1,
  .flags = FR_ELEMENT_VOLATILE,
  .summary = "keeps rows for a harness to look at",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = fr_ports_in,
  .open = both_open,
  .run = collect_run,
  .close = both_close,
};

static const FrPort *const model_in[] = { FR_PORT ("in", FR_PORT_MODEL, "what to keep"), NULL };
static const FrPort *const report_in[] = { FR_PORT ("in", FR_PORT_REPORT, "what to keep"), NULL };

#define KEEP(name_, inputs_)                                                                       \
  {                                                                                                \
    .size = sizeof (FrElement), .kind = FR_KIND_SINK, .name = (name_), .revision = 1,              \
    .flags = FR_ELEMENT_VOLATILE, .summary = "keeps an object for a harness to look at",           \
    .config_size = sizeof (Config), .params = params, .inputs = (inputs_), .open = both_open,      \
    .run = keep_run, .close = both_close                                                           \
  }

static const FrElement keep_model = KEEP ("sink.test_model", model_in);
static const FrElement keep_report = KEEP ("sink.test_report", report_in);

/* ---- all of them ------------------------------------------------------------------ */

/* The port of a source of an object has that object's type, so each object
 * needs a source of its own. */
typedef struct
{
  FrElement element;
  FrPort port;
  const FrPort *outputs[2];
  char name[32];
} ObjectSource;

static ObjectSource *
object_source (guint i, const FrObject *object)
{
  ObjectSource *source = g_new0 (ObjectSource, 1);

  g_snprintf (source->name, sizeof source->name, "source.test_object_%u", i);
  source->port = (FrPort){ .size = sizeof (FrPort),
                           .name = "out",
                           .kind = (FrPortKind) object->type->kind,
                           .help = "the object of a harness",
                           .object = object->type };
  source->outputs[0] = &source->port;
  source->element = (FrElement){ .size = sizeof (FrElement),
                                 .kind = FR_KIND_SOURCE,
                                 .name = source->name,
                                 .revision = 1,
                                 .flags = FR_ELEMENT_VOLATILE,
                                 .summary = "an object for an input port of a harness",
                                 .config_size = sizeof (Config),
                                 .params = params,
                                 .outputs = source->outputs,
                                 .bind = object_bind,
                                 .open = both_open,
                                 .run = object_run,
                                 .close = both_close };
  return source;
}

gboolean
fri_test_add_ends (FrTest *test, FriRegistry *registry, GError **error)
{
  g_autoptr (GPtrArray) elements = g_ptr_array_new ();
  FrPlugin plugin = { .size = sizeof (FrPlugin),
                      .abi_major = FR_ABI_MAJOR,
                      .abi_minor = FR_ABI_MINOR,
                      .name = "test",
                      .version = PACKAGE_VERSION,
                      .summary = "fake ends for a harness",
                      .licence = "Apache-2.0",
                      .origin = "flowrun" };

  g_ptr_array_add (elements, (gpointer) &feed);
  g_ptr_array_add (elements, (gpointer) &collect);
  g_ptr_array_add (elements, (gpointer) &keep_model);
  g_ptr_array_add (elements, (gpointer) &keep_report);
  for (guint i = 0; i < test->inputs->len; i++)
    {
      FriTestInput *input = g_ptr_array_index (test->inputs, i);

      if (input->object == NULL)
        continue;
      /* The registry's copy points to the name and the type, so this lives as long as @test. */
      g_ptr_array_add (test->sources, object_source (i, input->object));
      g_ptr_array_add (elements, g_ptr_array_index (test->sources, test->sources->len - 1));
    }
  g_ptr_array_add (elements, NULL);
  plugin.elements = (const FrElement *const *) elements->pdata;
  return fri_registry_add (registry, &plugin, error);
}
