/* SPDX-License-Identifier: Apache-2.0 */
/* report.h: report.html, the page about a run (internal).
 *
 * The page is made of the files of the run directory alone, so that it can be
 * made again at any time, in another language, or by a later flowrun.
 */
#ifndef FLOWRUN_REPORT_H
#define FLOWRUN_REPORT_H

#include <glib.h>

G_BEGIN_DECLS

/**
 * fri_report_write:
 * @run_dir: of a run that ended, well or not
 * @language: "en" or "zh"; NULL: the one the run says
 * @error: FR_ERROR_CONFIG when it is no run directory or no run has ended there; FR_ERROR_IO
 *
 * Puts DIR/report.html in place in one step; leaves it alone when it is already as it would be.
 */
gboolean fri_report_write (const char *run_dir, const char *language, GError **error);

G_END_DECLS

#endif
