/* SPDX-License-Identifier: Apache-2.0 */
/* ports.c: the ready-made port lists of port.h. */
#include "config.h"

#include <flowrun/port.h>

const FrPort *const fr_ports_in[] = {
  FR_PORT ("in", FR_PORT_RECORDS, "the rows to work on", .flags = FR_PORT_MANY),
  NULL,
};

const FrPort *const fr_ports_out[] = {
  FR_PORT ("out", FR_PORT_RECORDS, "the rows that result"),
  NULL,
};
