/* SPDX-License-Identifier: Apache-2.0 */
/* admin-routes.h: /admin over HTTP: admin.h says what there is.
 *
 * One change is at work at a time, on a thread of its own, so that reading an adapter from a slow
 * disk holds up nobody's connection.
 */
#ifndef FLOWRUN_SERVE_ADMIN_ROUTES_H
#define FLOWRUN_SERVE_ADMIN_ROUTES_H

#include <glib.h>

#include "http.h"

G_BEGIN_DECLS

/** serve_admin_routes: handlers get the Serve as data. */
extern const HttpRoute serve_admin_routes[];

/** ServeAdmin: the thread that changes are made on. */
typedef struct _ServeAdmin ServeAdmin;
ServeAdmin *serve_admin_new (void);
/** serve_admin_free: changes that were asked for are made first. */
void serve_admin_free (ServeAdmin *admin);

G_END_DECLS

#endif
