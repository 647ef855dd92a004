/* SPDX-License-Identifier: Apache-2.0 */
/* service.c: plugins with a service and no element, for test-registry. */
#include <flowrun/flowrun.h>

#ifndef SCORE
#define SCORE 20
#endif
#ifndef VERSION_
#define VERSION_ 3
#endif

static int
score (const char **why)
{
  *why = SCORE > 0 ? "as asked" : "built, no device";
  return SCORE;
}

static const char *const table[] = { NAME };

static const FrService service = { .size = sizeof (FrService),
                                   .kind = "thing",
                                   .name = NAME,
                                   .version = VERSION_,
                                   .summary = "a service for tests",
                                   .score = score,
                                   .table = table };
static const FrService *const services[] = { &service, NULL };

FR_PLUGIN_SERVICES (NAME, "1.0", "a service for tests", "Apache-2.0", "flowrun", services)
