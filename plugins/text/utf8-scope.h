/* SPDX-License-Identifier: Apache-2.0 */
/* utf8-scope.h: UTF-8 for a thread, whatever the user's locale.
 *
 * Libraries that take names and text in "the encoding of the locale" (libarchive, ODBC's driver
 * manager) lose Chinese, mostly without a word, where that is ASCII: under cron, in a container
 * without LANG.  POSIX.1-2008, uselocale(): a thread's locale is its own.
 *
 *   g_auto (TextUtf8Scope) scope = text_utf8_scope_begin ();
 */
#ifndef TEXT_UTF8_SCOPE_H
#define TEXT_UTF8_SCOPE_H

#include <glib.h>
#include <locale.h>

G_BEGIN_DECLS

typedef struct
{
  locale_t before, utf8;
} TextUtf8Scope;

/** text_utf8_scope_begin: this thread's characters are UTF-8 until text_utf8_scope_end(), which
 * g_auto() calls.  A system without any UTF-8 locale keeps what it has. */
static inline TextUtf8Scope
text_utf8_scope_begin (void)
{
  TextUtf8Scope scope = { .utf8 = newlocale (LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0) };

  if (scope.utf8 == (locale_t) 0)
    scope.utf8 = newlocale (LC_CTYPE_MASK, "en_US.UTF-8", (locale_t) 0);
  if (scope.utf8 != (locale_t) 0)
    scope.before = uselocale (scope.utf8);
  return scope;
}

static inline void
text_utf8_scope_end (TextUtf8Scope *scope)
{
  if (scope->utf8 == (locale_t) 0)
    return;
  uselocale (scope->before);
  freelocale (scope->utf8);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TextUtf8Scope, text_utf8_scope_end)

G_END_DECLS

#endif
