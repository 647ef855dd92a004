/* SPDX-License-Identifier: Apache-2.0 */
/* details.h: the manual's prose of transform.desensitize. */
#ifndef DESENSITIZE_DETAILS_H
#define DESENSITIZE_DETAILS_H

static const char details[] = "To be written.\n";

#endif
