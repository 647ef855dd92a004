/* SPDX-License-Identifier: Apache-2.0 */
/* test-names.c: names and messages as drivers write them (link.h). */
#include "config.h"

#include "sources/odbc/link.h"

/* What lies behind a name is whatever was there before: here lone surrogates. */
static void
check (const char *name, SQLLEN said, const char *expected)
{
  SQLWCHAR wide[8];
  g_autofree SQLWCHAR *units = odbc_wide (name);
  g_autoptr (GString) text = g_string_new ("'");
  gsize len = 0;

  for (guint i = 0; i < G_N_ELEMENTS (wide); i++)
    wide[i] = 0xdc00;
  do
    wide[len] = units[len];
  while (units[len++] != 0 && len < G_N_ELEMENTS (wide));
  g_assert_true (odbc_append_name (text, wide, G_N_ELEMENTS (wide), said));
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_lengths (void)
{
  check ("", 0, "'");
  check ("id", 2, "'id");
  check ("引号", 2, "'引号");
  /* SQLite's driver counts bytes. */
  check ("引号", 6, "'引号");
  check ("引", 30000, "'引");
  /* No length, and lengths that are none. */
  check ("引号", SQL_NO_TOTAL, "'");
  check ("引号", SQL_NULL_DATA, "'");
  /* A name that fills the buffer; one that was cut so that no NUL is left. */
  check ("七个字的名字啊", 7, "'七个字的名字啊");
  check ("八个字的长名字啊", 8, "'八个字的长名字");
}

static void
test_surrogates (void)
{
  const SQLWCHAR lone[] = { 'a', 0xdc00, 0 }, cut[] = { 'a', 0xd83d, 0xde00, 0 };
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_false (odbc_append_name (text, lone, G_N_ELEMENTS (lone), 2));
  g_string_truncate (text, 0);
  g_assert_false (odbc_append_name (text, cut, G_N_ELEMENTS (cut), 2));
  g_string_truncate (text, 0);
  g_assert_true (odbc_append_name (text, cut, G_N_ELEMENTS (cut), 3));
  g_assert_cmpstr (text->str, ==, "a😀");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/odbc/names/lengths", test_lengths);
  g_test_add_func ("/odbc/names/surrogates", test_surrogates);
  return g_test_run ();
}
