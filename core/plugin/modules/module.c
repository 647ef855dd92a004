/* SPDX-License-Identifier: Apache-2.0 */
/* module.c: small plugins for test-registry, one for each way to be wrong.
 *
 * The build compiles this file once per variant, with MODULE_... saying which.
 */
#include <flowrun/flowrun.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef NAME
#define NAME "transform.good"
#endif

#if defined MODULE_CRASH
static void __attribute__ ((constructor)) at_once (void)
{
  abort ();
}
#elif defined MODULE_HANG
static void __attribute__ ((constructor)) at_once (void)
{
  sleep (60);
}
#elif defined MODULE_PRINT
static void __attribute__ ((constructor)) at_once (void)
{
  puts ("welcome to this wonderful plugin");
  fflush (stdout);
}
#elif defined MODULE_EXIT
static void __attribute__ ((constructor)) at_once (void)
{
  _exit (0);
}
#elif defined MODULE_UNDEFINED
void nowhere_to_be_found (void);
#endif

typedef struct
{
  char *word;
  gint64 count;
} Config;

static const FrParam *const params[]
    = { FR_PARAM_STRING ("word", Config, word, "a word", .def = "x"),
        FR_PARAM_INT ("count", Config, count, 0, 9, "a number", .def = "3"), NULL };

static FrFlow
map (G_GNUC_UNUSED FrHost *host, G_GNUC_UNUSED gpointer state, G_GNUC_UNUSED gpointer local,
     FrBatch *batch, G_GNUC_UNUSED GError **error)
{
#ifdef MODULE_UNDEFINED
  nowhere_to_be_found ();
#endif
  fr_batch_unref (batch);
  return FR_FLOW_OK;
}

#ifdef MODULE_BOTH
static FrFlow
run (G_GNUC_UNUSED FrHost *host, G_GNUC_UNUSED gpointer state, G_GNUC_UNUSED GError **error)
{
  return FR_FLOW_OK;
}
#endif

/* As a later flowrun would have it: a member more, which this one must not see. */
typedef struct
{
  FrElement element;
  gpointer later;
} BigElement;

static const BigElement good = {
  .element = {
#ifdef MODULE_LATER
      .size = sizeof (BigElement),
#elif defined MODULE_EARLIER
      .size = G_STRUCT_OFFSET (FrElement, fingerprint),
#elif defined MODULE_SHORT
      .size = 24,
#else
      .size = sizeof (FrElement),
#endif
#ifdef MODULE_KIND
      .kind = FR_KIND_SINK,
#else
      .kind = FR_KIND_TRANSFORM,
#endif
      .name = NAME,
      .revision = 1,
      .summary = "a test",
      .config_size = sizeof (Config),
      .params = params,
      .inputs = fr_ports_in,
      .outputs = fr_ports_out,
#ifndef MODULE_NOTHING
      .map = map,
#endif
#ifdef MODULE_BOTH
      .run = run,
#endif
#ifdef MODULE_EARLIER
      /* Beyond the size it states: not to be looked at. */
      .fingerprint = (gboolean (*) (gconstpointer, GString *, GError **)) 0x1,
#endif
  },
  .later = NULL,
};

static const FrElement second = { .size = sizeof (FrElement),
                                  .kind = FR_KIND_TRANSFORM,
                                  .name = "transform.second",
                                  .revision = 1,
                                  .summary = "another test",
                                  .inputs = fr_ports_in,
                                  .outputs = fr_ports_out,
                                  .map = map };

static const FrElement *const elements[] = { &good.element, &second, NULL };

#ifdef MODULE_SERVICE
static const FrService odd = { .size = sizeof (FrService),
                               .kind = "odd",
                               .name = "odd",
                               .version = 1,
                               .summary = "beside elements",
                               .table = elements };
static const FrService *const services[] = { &odd, NULL };
#endif

G_GNUC_UNUSED static const FrPlugin plugin = {
#ifdef MODULE_EARLIER
  .size = G_STRUCT_OFFSET (FrPlugin, services),
  /* Beyond that size, as above. */
  .services = (const FrService *const *) 0x1,
#else
  .size = sizeof (FrPlugin),
#endif
#ifdef MODULE_SERVICE
  .services = services,
#endif
#ifdef MODULE_MAJOR
  .abi_major = FR_ABI_MAJOR + 1,
#else
  .abi_major = FR_ABI_MAJOR,
#endif
#ifdef MODULE_EARLIER
  .abi_minor = 1,
#elif defined MODULE_MINOR
  .abi_minor = FR_ABI_MINOR + 1,
#else
  .abi_minor = FR_ABI_MINOR,
#endif
  .name = "test",
  .version = "1.0",
  .summary = "a test",
  .licence = "Apache-2.0",
  .origin = "flowrun",
  .elements = elements
};

#ifdef MODULE_ENTRY
#define flowrun_plugin another_name
#endif
G_MODULE_EXPORT const FrPlugin *flowrun_plugin (void);

const FrPlugin *
flowrun_plugin (void)
{
#ifdef MODULE_NULL
  return NULL;
#else
  return &plugin;
#endif
}
