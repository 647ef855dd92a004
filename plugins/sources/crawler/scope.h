/* SPDX-License-Identifier: Apache-2.0 */
/* scope.h: which URLs belong to the crawl. */
#ifndef CRAWLER_SCOPE_H
#define CRAWLER_SCOPE_H

#include "net/url.h"
#include "settings.h"

typedef struct _Scope Scope;

/** SCOPE_IN, or why not; names for counters are scope_counter(). */
typedef enum
{
  SCOPE_IN = 0,
  SCOPE_OUTSIDE,  /* another host, domain or folder            */
  SCOPE_EXCLUDED, /* by exclude, or not by include             */
  SCOPE_FILE,     /* a name that ends like a file without text */
  SCOPE_REPEATING /* the same path segment again and again     */
} ScopeWhy;

Scope *scope_new (const Settings *settings);
void scope_free (Scope *scope);
/** scope_add: what @url stands for (its host, folder or domain) belongs to the crawl. */
void scope_add (Scope *scope, const NetUrl *url);
/** scope_is_given: whether @url's origin is that of something added. */
gboolean scope_is_given (const Scope *scope, const NetUrl *url);
/** scope_add_redirect: a start URL led from @from to @to: that belongs too if it is the same
 * domain. */
gboolean scope_add_redirect (Scope *scope, const NetUrl *from, const NetUrl *to);
ScopeWhy scope_check (const Scope *scope, const NetUrl *url);
const char *scope_counter (ScopeWhy why);

/** scope_matches: @text whole, '*' in @pattern stands for anything. */
gboolean scope_matches (const char *pattern, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scope, scope_free)

#endif
