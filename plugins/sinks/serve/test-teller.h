/* SPDX-License-Identifier: Apache-2.0 */
/* test-teller.h: a ServeTeller that keeps what it is told. */
#ifndef FLOWRUN_SERVE_TEST_TELLER_H
#define FLOWRUN_SERVE_TEST_TELLER_H

#include <string.h>

#include "record.h"

typedef struct
{
  GMutex lock;
  GString *text; /* a line each; warnings begin with '!' */
  guint warnings;
} Told;

static inline void
told_tell (gpointer data, gboolean warning, const char *text)
{
  Told *told = data;

  g_mutex_lock (&told->lock);
  g_string_append_printf (told->text, "%s%s\n", warning ? "!" : "", text);
  told->warnings += warning ? 1 : 0;
  g_mutex_unlock (&told->lock);
}

static inline ServeTeller
told_init (Told *told)
{
  g_mutex_init (&told->lock);
  told->text = g_string_new (NULL);
  told->warnings = 0;
  return (ServeTeller){ told_tell, told };
}

static inline gboolean
told_has (Told *told, const char *text)
{
  gboolean has;

  g_mutex_lock (&told->lock);
  has = strstr (told->text->str, text) != NULL;
  g_mutex_unlock (&told->lock);
  return has;
}

static inline void
told_clear (Told *told)
{
  g_string_free (told->text, TRUE);
  g_mutex_clear (&told->lock);
}

#endif
