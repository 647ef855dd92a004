/* SPDX-License-Identifier: Apache-2.0 */
/* site-lines.h: transform.site_lines, for the plugin's list. */
#ifndef CONTENT_SITE_LINES_H
#define CONTENT_SITE_LINES_H

#include <flowrun/flowrun.h>

extern const FrElement site_lines_element;

#endif
