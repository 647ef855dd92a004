/* SPDX-License-Identifier: Apache-2.0 */
/* plugin.c: the reference backend as a service; its code is in libflowrun-lm. */
#include "config.h"

#include <flowrun/flowrun.h>

#include "lm/compute.h"

static LmCompute *
open_reference (const LmComputeClass *klass, guint threads, GError **error)
{
  (void) klass;
  return lm_compute_open_class (lm_compute_reference (), threads, error);
}

static const LmComputeClass table = {
  .version = LM_COMPUTE_VERSION,
  .name = "reference",
  .host_memory = TRUE,
  .open = open_reference,
};

static const FrService reference = {
  .size = sizeof (FrService),
  .kind = LM_COMPUTE_KIND,
  .name = "reference",
  .version = LM_COMPUTE_VERSION,
  .summary = "plain C on one thread: the definition of right, and slow",
  .table = &table,
};

static const FrService *const services[] = { &reference, NULL };

FR_PLUGIN_SERVICES ("compute-reference", "0.1.0", "compute in plain C", "Apache-2.0", "flowrun",
                    services)
