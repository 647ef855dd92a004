/* SPDX-License-Identifier: Apache-2.0 */
/* fake.c: the elements of core/pipeline/fake.h as a plugin file, so that tests
 * of whole pipelines do not change with the real elements. */
#include "pipeline/fake.h"

G_MODULE_EXPORT const FrPlugin *flowrun_plugin (void);

const FrPlugin *
flowrun_plugin (void)
{
  return &fake_plugin;
}
