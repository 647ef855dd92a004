/* SPDX-License-Identifier: Apache-2.0 */
/* test-sqlite.c: sink.sqlite and source.sqlite as the built plugins, one
 * reading back what the other wrote. */
#include <flowrun/test.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

static char *tmp, *db;

static FrTest *element (const char *name, const char *format, ...) G_GNUC_PRINTF (2, 3);

static FrTest *
element (const char *name, const char *format, ...)
{
  g_autofree char *file = g_strdup_printf ("%s.so", name), *so = NULL, *with = NULL;
  va_list args;

  g_strdelimit (file, ".", '-');
  file[strlen (file) - 3] = '.';
  so = g_build_filename (g_getenv ("FLOWRUN_PLUGIN_PATH"), file, NULL);
  va_start (args, format);
  with = g_strdup_vprintf (format, args);
  va_end (args);
  return fr_test_new_file (so, name, with);
}

static void
sql (const char *text)
{
  sqlite3 *handle;

  g_assert_cmpint (sqlite3_open (db, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (handle, text, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (handle);
}

static const char columns[]
    = "id: int64, 名: utf8, on: bool, p: float64, at: timestamp, b: binary, l: list<utf8>";
static const char rows[]
    = "[{'id':1,'名':'茶 😀','on':true,'p':1.5,'at':'2024-05-01T08:30:00.25Z','b':'AP8=','l':['a']},"
      "{'id':2,'名':null,'on':false,'p':null,'at':null,'b':null,'l':null}]";

static void
write_rows (const char *mode)
{
  g_autoptr (FrTest) t
      = element ("sink.sqlite", "{'path': '%s', 'table': 't', 'mode': '%s'}", db, mode);

  fr_test_input (t, "in", columns, rows);
  fr_test_run (t);
}

static void
test_round_trip (void)
{
  g_autofree char *first = NULL, *second = NULL;
  gsize n1, n2;
  g_autoptr (FrTest) t = NULL;

  g_unlink (db);
  write_rows ("create");
  g_assert_true (g_file_get_contents (db, &first, &n1, NULL));
  t = element ("source.sqlite", "{'path': '%s', 'table': 't'}", db);
  fr_test_run (t);
  fr_test_expect (
      t, "out",
      "[{'id':1,'名':'茶 😀','on':true,'p':1.5,'at':'2024-05-01T08:30:00.25Z','b':'AP8=',"
      "'l':'[\\\"a\\\"]'},{'id':2,'名':null,'on':false,'p':null,'at':null,'b':null,'l':null}]");
  g_unlink (db);
  write_rows ("create");
  g_assert_true (g_file_get_contents (db, &second, &n2, NULL));
  g_assert_cmpmem (first, n1, second, n2);
}

static void
test_modes (void)
{
  g_autoptr (FrTest) again = element ("sink.sqlite", "{'path': '%s', 'table': 't'}", db);
  g_autoptr (FrTest) other
      = element ("sink.sqlite", "{'path': '%s', 'table': 't', 'mode': 'append'}", db);
  g_autoptr (FrTest) count
      = element ("source.sqlite", "{'path': '%s', 'query': 'select count(*) n from t'}", db);

  fr_test_input (again, "in", columns, rows);
  fr_test_run_error (again, FR_ERROR_CONFIG, "has a table 't' already");
  fr_test_input (other, "in", "id: int64, colour: utf8", "[{'id':1,'colour':'red'}]");
  fr_test_run_error (other, FR_ERROR_TYPE, "has the columns id, 名");
  write_rows ("append");
  fr_test_run (count);
  fr_test_expect (count, "out", "[{'n':4}]");
  write_rows ("replace");
}

static void
test_constraint (void)
{
  g_autoptr (FrTest) t = element (
      "sink.sqlite", "{'path': '%s', 'table': 'k', 'primary_key': 'id', 'indexes': 'n'}", db);
  g_autoptr (FrTest) bad
      = element ("sink.sqlite", "{'path': '%s', 'table': 'z', 'primary_key': 'idd'}", db);

  fr_test_input (t, "in", "id: int64, n: utf8",
                 "[{'id':1,'n':'a'},{'id':1,'n':'b'},{'id':2,'n':'c'}]");
  fr_test_run (t);
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "constraint"));
  fr_test_input (bad, "in", "id: int64", "[]");
  g_assert_false (fr_test_check (bad));
  g_assert_nonnull (strstr (fr_test_problems (bad), "did you mean 'id'"));
}

/* A run that is cancelled leaves the database as it was, and no temporary file. */
static void
test_cancelled (void)
{
  g_autofree char *path = g_build_filename (tmp, "new.db", NULL);
  g_autoptr (FrTest) t = element ("sink.sqlite", "{'path': '%s', 'table': 't'}", path);
  g_autoptr (GDir) dir = NULL;
  guint n = 0;

  fr_test_input (t, "in", "id: int64", "[{'id':1}]");
  fr_test_input (t, "in", "id: int64", "[{'id':2}]");
  fr_test_cancel_at (t, 2);
  fr_test_run_error (t, FR_ERROR_CANCELLED, "");
  dir = g_dir_open (tmp, 0, NULL);
  for (const char *name; (name = g_dir_read_name (dir));)
    n += strstr (name, "new.db") != NULL;
  g_assert_cmpuint (n, ==, 0);
}

static void
test_locked (void)
{
  g_autoptr (FrTest) sink
      = element ("sink.sqlite", "{'path': '%s', 'table': 'q', 'busy_timeout': '10ms'}", db);
  g_autoptr (FrTest) source
      = element ("source.sqlite", "{'path': '%s', 'table': 't', 'busy_timeout': '10ms'}", db);
  sqlite3 *handle;

  sqlite3_open (db, &handle);
  g_assert_cmpint (sqlite3_exec (handle, "BEGIN EXCLUSIVE", NULL, NULL, NULL), ==, SQLITE_OK);
  fr_test_input (sink, "in", "id: int64", "[{'id':1}]");
  fr_test_run_error (sink, FR_ERROR_IO, "busy_timeout");
  g_assert_false (fr_test_check (source));
  g_assert_nonnull (strstr (fr_test_problems (source), "busy_timeout"));
  sqlite3_close (handle);
}

static void
expect_problem (const char *with, const char *text)
{
  g_autoptr (FrTest) t = element ("source.sqlite", "{%s}", with);

  g_assert_false (fr_test_check (t));
  if (strstr (fr_test_problems (t), text) == NULL)
    g_error ("expected '%s' in: %s", text, fr_test_problems (t));
}

static void
test_problems (void)
{
  g_autofree char *junk = g_build_filename (tmp, "junk.db", NULL);
  g_autofree char *not_db = g_strdup_printf ("'path': '%s', 'table': 't'", junk);
  g_autofree char *base = g_strdup_printf ("'path': '%s'", db);
  static const struct
  {
    const char *with, *text;
  } cases[] = { { "'table': 'tt'", "did you mean 't'" },
                { "'query': 'delete from t'", "may only read" },
                { "'query': 'pragma journal_mode=wal'", "may only read" },
                { "'query': 'attach database :f as y'", "may only read" },
                { "'query': 'select nope from t'", "no such column" },
                { "'query': 'select 1; select 2'", "one statement" },
                { "'query': 'select :a', 'parameters': {'b': 1}",
                  "':a', which 'parameters' does not give" },
                { "'query': 'select ?', 'parameters': [1, 2]", "gives 2 values" },
                { "'query': 'select 1', 'table': 't'", "not both" } };

  g_assert_true (
      g_file_set_contents (junk, "this is no database, but long enough to look at ...", -1, NULL));
  expect_problem (not_db, "not an SQLite database");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *with = g_strdup_printf ("%s, %s", base, cases[i].with);

      expect_problem (with, cases[i].text);
    }
  g_unlink (junk);
}

static void
test_parameters_and_types (void)
{
  g_autoptr (FrTest) t = NULL;

  sql ("DROP TABLE IF EXISTS v; CREATE TABLE v (a INT, d DATETIME, n DECIMAL, x);"
       "INSERT INTO v VALUES (1, 0, 1, 'x'), (2, '2024-05-01', 2.5, 3), ('no', NULL, NULL, NULL);");
  t = element ("source.sqlite",
               "{'path': '%s', 'query': 'select * from v where a >= :a order by rowid', "
               "'parameters': {'a': 1}}",
               db);
  fr_test_run (t);
  fr_test_expect (t, "out",
                  "[{'a':1,'d':'1970-01-01T00:00:00Z','n':1,'x':'x'},{'a':2,'d':'2024-05-01T00:00:"
                  "00Z','n':2.5,'x':'3'}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 1);
  g_assert_cmpint (fr_test_counter (t, "numbers_as_text"), ==, 1);
}

static void
test_script (void)
{
  g_autofree char *file = g_build_filename (tmp, "s.sql", NULL);
  g_autoptr (FrTest) good = NULL;
  g_autofree char *with = g_strdup_printf ("'script': '%s', 'table': 'g'", file);

  g_assert_true (g_file_set_contents (file,
                                      "create table g (n text, primary key (n)) without "
                                      "rowid;\ninsert into g values ('茶'), ('a');\n-- end\n",
                                      -1, NULL));
  good = element ("source.sqlite", "{%s}", with);
  fr_test_run (good);
  fr_test_expect (good, "out", "[{'n':'a'},{'n':'茶'}]");
  g_assert_true (
      g_file_set_contents (file, "create table g (n);\n\ninsert into h values (1);", -1, NULL));
  expect_problem (with, "s.sql:3: no such table: h");
  g_assert_true (g_file_set_contents (file, "attach 'x.db' as x;", -1, NULL));
  expect_problem (with, "may not open other files");
  g_unlink (file);
}

static void
test_battery (void)
{
  g_autoptr (FrTest) source = element ("source.sqlite", "{'path': '%s', 'table': 't'}", db);

  fr_test_battery (source);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  tmp = g_dir_make_tmp ("flowrun-sqlite-XXXXXX", NULL);
  db = g_build_filename (tmp, "t.db", NULL);
  g_test_add_func ("/sqlite/round-trip", test_round_trip);
  g_test_add_func ("/sqlite/modes", test_modes);
  g_test_add_func ("/sqlite/constraint", test_constraint);
  g_test_add_func ("/sqlite/cancelled", test_cancelled);
  g_test_add_func ("/sqlite/locked", test_locked);
  g_test_add_func ("/sqlite/problems", test_problems);
  g_test_add_func ("/sqlite/types", test_parameters_and_types);
  g_test_add_func ("/sqlite/script", test_script);
  g_test_add_func ("/sqlite/battery", test_battery);
  status = g_test_run ();
  g_unlink (db);
  g_rmdir (tmp);
  g_free (db);
  g_free (tmp);
  return status;
}
