/* SPDX-License-Identifier: Apache-2.0 */
/* webpage.h: pages for people, each one HTML file that needs nothing beside it (libflowrun-text).
 *
 * A page is page.html with style, data and script put in.  base.css and base.js, which pages share,
 * stand in front of the page's own.  Its content security policy (CSP 3) names style and script by
 * their hash and allows nothing else: no script of anybody's text could run, and nothing can be
 * fetched or sent but where the page says so.
 */
#ifndef FLOWRUN_TEXT_WEBPAGE_H
#define FLOWRUN_TEXT_WEBPAGE_H

#include <gio/gio.h>
#include <glib.h>

G_BEGIN_DECLS

/**
 * text_webpage_build:
 * @resources: where page.html, page.css and page.js are compiled in: "/flowrun/rating/"
 * @title: stands for @TITLE@; a text, escaped here
 * @data: JSON that stands for @DATA@ in a script element of type application/json, such that
 * nothing in it can lead out; NULL: none
 * @policy_more: what is added to the policy: "; connect-src 'self'"; "" for nothing
 * @policy: where to put the policy, which also stands for @POLICY@; g_free(); or NULL
 *
 * Returns the whole file.  The names stand with an @ on both sides; what is put in is not looked at
 * again.
 */
GString *text_webpage_build (const char *resources, const char *title, const GString *data,
                             const char *policy_more, char **policy);

G_END_DECLS

#endif
