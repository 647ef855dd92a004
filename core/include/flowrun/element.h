/* SPDX-License-Identifier: Apache-2.0 */
/* element.h: what a plugin offers, and how the core calls it.
 *
 * A plugin is a shared object that exports one function, flowrun_plugin(),
 * which returns constant data: who made it, and its elements.  Describing an
 * element runs none of its code.
 *
 * An element's life in one run:
 *
 *   phase     callback       how often             may fail   side effects
 *   check     configure      once per stage        yes        none
 *   check     bind           once per stage        yes        reads only
 *   start     open           once per stage        yes        files, network
 *   start     thread_begin   once per worker       yes        memory
 *   work      map            once per batch        yes        none outside the host
 *        or   run            once                  yes        yes
 *   end       thread_end     once per thread_begin no         release
 *   end       finish         once, if all is well  yes        commit
 *   close     close          once, if open worked  no         release; discard what was not committed
 *
 * `flowrun check` stops after bind.  When anything fails or the run is
 * cancelled, finish is not called and close is.
 *
 * Two shapes of work:
 *
 *   map   a batch in, batches out, no memory between batches.  The core calls
 *         it from several threads if the element says FR_ELEMENT_PARALLEL, and
 *         puts the results back in order.  map has one input, "in".
 *   run   the element's own loop over fr_host_next() and fr_host_push(), on a
 *         thread the core owns: sources, sinks, anything with memory.
 *
 * An element never makes pipeline threads of its own, never exits, never
 * prints, and gives the same bytes for the same input, parameters and seed.
 *
 * All structures here begin with their size and grow only at the end; lists
 * are arrays of pointers that end in NULL.
 */
#ifndef FLOWRUN_ELEMENT_H
#define FLOWRUN_ELEMENT_H

#include <flowrun/batch.h>
#include <flowrun/error.h>
#include <flowrun/object.h>
#include <flowrun/param.h>
#include <flowrun/port.h>
#include <flowrun/service.h>
#include <glib.h>

G_BEGIN_DECLS

#define FR_ABI_MAJOR 0 /* must be equal */
#define FR_ABI_MINOR 4 /* a plugin's must not be newer than the core's */

typedef struct _FrHost FrHost; /* host.h */
typedef struct _FrBind FrBind;

typedef enum {
  FR_KIND_SOURCE = 1,
  FR_KIND_TRANSFORM,
  FR_KIND_TRAINER,
  FR_KIND_EVALUATOR,
  FR_KIND_SINK
} FrKind;

typedef enum {
  FR_ELEMENT_PARALLEL = 1 << 0,       /* map may run in several threads at once on one state           */
  FR_ELEMENT_PROCESS_SERIAL = 1 << 1, /* uses a library with global state: one at a time in the process */
  FR_ELEMENT_NETWORK = 1 << 2,        /* touches the network; refused under --deny network              */
  FR_ELEMENT_UNTRUSTED = 1 << 3,      /* parses input from outside                                      */
  FR_ELEMENT_WAITS = 1 << 4,          /* run mostly waits for others: holds no worker while it does      */
  FR_ELEMENT_VOLATILE = 1 << 5,       /* may give other output for the same input: never reused, unless its
                                         fingerprint adds something, which then tells one output from another */
  FR_ELEMENT_RUNS_PROGRAMS = 1 << 6,  /* starts other programs                                          */
  FR_ELEMENT_SERVES = 1 << 7          /* run lasts until it is told to stop: see fr_host_ending() (since 0.4)    */
} FrElementFlags;

/** FrFlow: how data calls and work callbacks end. */
typedef enum {
  FR_FLOW_OK = 0,
  FR_FLOW_DONE,      /* next: no more rows.  push: nobody wants more rows; stop when convenient */
  FR_FLOW_CANCELLED, /* the run ends: return this at once                                      */
  FR_FLOW_ERROR      /* the GError is set                                                      */
} FrFlow;

/**
 * FrElement:
 * @size: sizeof (FrElement)
 * @kind: see FrKind; the first word of @name says the same
 * @name: "transform.dedup": kind, dot, lower-case letters, digits and '_'
 * @revision: raise it whenever the same input may give other output: kept results of older revisions are not reused
 * @flags: FrElementFlags
 * @summary: one line, no full stop
 * @details: the manual's text, Markdown; NULL for none
 * @example: a whole "with" object as JSON that works; shown by help and tried by tests
 * @config_size: of the config structure that @params fill; 0 when there is none
 * @params: the parameter table; NULL for none
 * @inputs: NULL for none (a source)
 * @outputs: NULL for none (a sink)
 * @configure: checks and completes the config across parameters; optional
 * @bind: says the output schemas; optional when every output has the schema of the first input
 * @open: makes the state; optional
 * @thread_begin: makes a worker's own data for map; optional
 * @map: see above; consumes @batch
 * @run: see above; exactly one of map and run is there.  Returns FR_FLOW_OK or FR_FLOW_DONE for success
 * @thread_end: releases a worker's own data; required with thread_begin
 * @finish: commits (a sink renames its file here); optional
 * @close: releases the state; required with open
 * @fingerprint: adds to the stage's fingerprint what the parameter table cannot say; optional
 * @forecast: what run would do, found out without doing it (since 0.2): `flowrun check` calls it in place of open, run and
 *            finish, with the stage's real input.  It reads its ports as run would, puts what it found under the
 *            key "forecast" with fr_host_report(), and may push rows to ports marked FR_PORT_FORECAST.  It must be
 *            quick, and without side effects; optional
 */
typedef struct {
  gsize size;
  FrKind kind;
  const char *name;
  guint revision;
  guint flags;
  const char *summary;
  const char *details;
  const char *example;
  gsize config_size;
  const FrParam *const *params;
  const FrPort *const *inputs;
  const FrPort *const *outputs;

  gboolean (*configure) (gpointer config, FrProblems *problems);
  gboolean (*bind) (gconstpointer config, FrBind *bind, GError **error);
  gboolean (*open) (gconstpointer config, FrHost *host, gpointer *state, GError **error);
  gboolean (*thread_begin) (FrHost *host, gpointer state, gpointer *local, GError **error);
  FrFlow (*map) (FrHost *host, gpointer state, gpointer local, FrBatch *batch, GError **error);
  FrFlow (*run) (FrHost *host, gpointer state, GError **error);
  void (*thread_end) (gpointer state, gpointer local);
  gboolean (*finish) (FrHost *host, gpointer state, GError **error);
  void (*close) (gpointer state);
  gboolean (*fingerprint) (gconstpointer config, GString *out, GError **error);
  FrFlow (*forecast) (gconstpointer config, FrHost *host, GError **error);
} FrElement;

/**
 * FrPlugin:
 * @size: sizeof (FrPlugin)
 * @abi_major, @abi_minor: FR_ABI_MAJOR and FR_ABI_MINOR of the headers it was built with
 * @name: "csv"
 * @version: of the plugin, for manifests
 * @summary: one line
 * @licence: SPDX expression
 * @origin: where it comes from (a URL or a person)
 * @elements: NULL-terminated; may be empty when there are services
 * @services: NULL-terminated; NULL for none (since 0.2)
 */
typedef struct {
  gsize size;
  guint abi_major;
  guint abi_minor;
  const char *name;
  const char *version;
  const char *summary;
  const char *licence;
  const char *origin;
  const FrElement *const *elements;
  const FrService *const *services;
} FrPlugin;

/* The one exported symbol of a plugin. */
#define FR_PLUGIN_SYMBOL "flowrun_plugin"
typedef const FrPlugin *(*FrPluginFunc) (void);

/**
 * FR_PLUGIN:
 *
 * Defines it:  FR_PLUGIN ("shout", "1.0", "text in capitals", "Apache-2.0", "example.org", &shout)
 * with the elements at the end.
 */
#define FR_PLUGIN(name_, version_, summary_, licence_, origin_, ...)            \
  G_MODULE_EXPORT const FrPlugin *flowrun_plugin (void);                        \
  const FrPlugin *flowrun_plugin (void)                                         \
  {                                                                             \
    static const FrElement *const elements[] = { __VA_ARGS__, NULL };           \
    static const FrPlugin plugin = { sizeof (FrPlugin), FR_ABI_MAJOR,           \
                                     FR_ABI_MINOR, (name_), (version_),         \
                                     (summary_), (licence_), (origin_),         \
                                     elements, NULL };                          \
    return &plugin;                                                             \
  }

/**
 * FR_PLUGIN_SERVICES: the same for a plugin with services, given as an array
 * that ends in NULL; the elements follow, none being well too.
 */
#define FR_PLUGIN_SERVICES(name_, version_, summary_, licence_, origin_, services_, ...) \
  G_MODULE_EXPORT const FrPlugin *flowrun_plugin (void);                        \
  const FrPlugin *flowrun_plugin (void)                                         \
  {                                                                             \
    static const FrElement *const elements[] = { __VA_ARGS__ NULL };            \
    static const FrPlugin plugin = { sizeof (FrPlugin), FR_ABI_MAJOR,           \
                                     FR_ABI_MINOR, (name_), (version_),         \
                                     (summary_), (licence_), (origin_),         \
                                     elements, (services_) };                   \
    return &plugin;                                                             \
  }

#ifndef G_MODULE_EXPORT
#define G_MODULE_EXPORT __attribute__ ((visibility ("default")))
#endif

/* ---- bind ----------------------------------------------------------------
 *
 * Where bind or fingerprint have to wait (for a server, in a run),
 * g_cancellable_get_current() is what a person's wish to stop fires.  A bind
 * that fails with FR_ERROR_TRANSIENT (no server there) makes a failed run, exit
 * status 1; with any other error, a wrong pipeline, exit status 2.
 */

/**
 * fr_bind_is_check: TRUE under `flowrun check`, where no connection may be
 * made; files may be read (a header, a sample of rows) but never written.
 */
gboolean fr_bind_is_check (const FrBind *bind);

/**
 * fr_bind_is_network_denied: TRUE under --deny network (since 0.3).  An element that always uses the
 * network says so with FR_ELEMENT_NETWORK, and is refused; one whose parameters decide leaves the
 * flag out, asks here, and reports a problem where it would leave the machine.
 */
gboolean fr_bind_is_network_denied (const FrBind *bind);

/** fr_bind_input: the schema that input port @port brings; NULL when it is not connected. */
FrSchema *fr_bind_input (const FrBind *bind, const char *port);

/** fr_bind_has_input: whether input port @port is connected, also one of a model or report of which nothing is known yet (since 0.2). */
gboolean fr_bind_has_input (const FrBind *bind, const char *port);

/** fr_bind_is_connected: whether output port @port leads anywhere. */
gboolean fr_bind_is_connected (const FrBind *bind, const char *port);

/**
 * fr_bind_output:
 * @schema: taken; NULL when it cannot be known without a connection (fr_bind_is_check() only)
 *
 * States the schema of an output port.  Ports not stated get the schema of
 * the first input.
 */
void fr_bind_output (FrBind *bind, const char *port, FrSchema *schema);

/**
 * fr_bind_output_object:
 * @object: borrowed; NULL when it cannot be known before the run
 *
 * States what an output port of a model or report will carry, as far as it is
 * known now: a stand-in that later stages may ask for shapes and settings.
 * source.model gives the opened checkpoint, a trainer its base model.
 */
void fr_bind_output_object (FrBind *bind, const char *port, FrObject *object);

/** fr_bind_input_object: the stand-in that input port @port brings; owned by the core; NULL when it is not connected or not known. */
FrObject *fr_bind_input_object (const FrBind *bind, const char *port);

/**
 * fr_bind_problem:
 * @pointer: JSON Pointer relative to "with"
 *
 * Reports that a parameter does not fit the columns; may be called several
 * times.  bind then returns FALSE without setting its GError.
 */
void fr_bind_problem (FrBind *bind, const char *pointer, const char *format,
                      ...) G_GNUC_PRINTF (3, 4);

/** fr_bind_warn: something the user should know before the run; shown with file and line. */
void fr_bind_warn (FrBind *bind, const char *pointer, const char *format,
                   ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS

#endif
