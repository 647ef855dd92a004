/* SPDX-License-Identifier: Apache-2.0 */
/* flowrun.h: everything a plugin needs, in one include.
 *
 * Read in this order: element.h (what a plugin is and when it is called),
 * param.h (its parameters), port.h (its inputs and outputs), batch.h (rows),
 * host.h (what the core does for it).
 */
#ifndef FLOWRUN_FLOWRUN_H
#define FLOWRUN_FLOWRUN_H

#include <flowrun/arrow.h>
#include <flowrun/batch.h>
#include <flowrun/element.h>
#include <flowrun/error.h>
#include <flowrun/host.h>
#include <flowrun/json.h>
#include <flowrun/object.h>
#include <flowrun/param.h>
#include <flowrun/port.h>
#include <flowrun/schema.h>
#include <flowrun/service.h>
#include <flowrun/view.h>

#endif
