/* SPDX-License-Identifier: Apache-2.0 */
/* test-sqldump.c: source.sqldump as the built plugin, on small dumps and on a
 * real shop's where that lies beside the checkout. */
#include <flowrun/test.h>
#include <glib/gstdio.h>
#include <string.h>

static char *tmp;

static FrTest *
element (const char *with)
{
  g_autofree char *so
      = g_build_filename (g_getenv ("FLOWRUN_PLUGIN_PATH"), "source-sqldump.so", NULL);

  return fr_test_new_file (so, "source.sqldump", with);
}

static FrTest *
harness (const char *text, const char *with)
{
  g_autofree char *file = g_build_filename (tmp, "in.sql", NULL);
  g_autofree char *all = g_strdup_printf ("{'path': '%s', %s}", file, with);

  g_assert_true (g_file_set_contents (file, text, -1, NULL));
  return element (all);
}

static const char shop[]
    = "-- MySQL dump 10.13\nCREATE TABLE `goods` (`id` int(11), `名` varchar(9), `on` tinyint(1),\n"
      " `p` decimal(10,2), `at` datetime, `b` blob);\n"
      "INSERT INTO `goods` VALUES (1,'茶\\'壶',1,9.90,'2024-05-01 08:30:00',_binary 'a\xff'),\n"
      "(2,NULL,0,-1e2,'0000-00-00 00:00:00',0x00ff);\n"
      "INSERT INTO `goods` (`名`,`id`) VALUES ('杯',3),('x',4,5),('y',NOW());\n"
      "INSERT INTO `goods` VALUES (5,'z',2,1,NULL,NULL);\n-- Dump completed\n";

static void
test_rows (void)
{
  g_autoptr (FrTest) t = harness (shop, "'table': 'goods'");

  fr_test_run (t);
  fr_test_expect (
      t, "out",
      "[{'id':1,'名':'茶\\'壶','on':true,'p':9.9,'at':'2024-05-01T08:30:00Z','b':'Yf8='},"
      "{'id':2,'名':null,'on':false,'p':-100,'at':null,'b':'AP8='},"
      "{'id':3,'名':'杯','on':null,'p':null,'at':null,'b':null}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 3);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "value_count"));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "expression"));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "in.sql:7"));
  g_assert_cmpint (fr_test_counter (t, "zero_dates_null"), ==, 1);
}

static void
test_columns (void)
{
  g_autoptr (FrTest) t
      = harness ("CREATE TABLE t (a tinyint(1), d decimal(4,2)); INSERT INTO t VALUES (7,1.10);",
                 "'table': 't', 'columns': {'a': 'int32'}, 'decimal': 'text', 'dialect': 'mysql'");

  fr_test_run (t);
  fr_test_expect (t, "out", "[{'a':7,'d':'1.10'}]");
}

/* What pg_dump writes is read as source.postgres reads it from the server. */
static void
test_postgres (void)
{
  g_autoptr (FrTest) t = harness (
      "-- PostgreSQL database dump\nCREATE TABLE public.t (b boolean, i bigint, f double "
      "precision, z bytea, at timestamp with time zone);\n"
      "COPY public.t (b, i, f, z, at) FROM stdin;\n"
      "t\t-9223372036854775808\tNaN\t\\\\x00ff\t0044-03-15 12:00:00+08 BC\n"
      "f\t1\t1e300\t\\\\x\t2024-05-01 08:30:00.25-00:44:30\n"
      "t\t2\t-Infinity\t\\\\x0\t\\N\nt\t3\t0\t\\N\tinfinity\n"
      "maybe\t4\t0\t\\N\t\\N\nt\t0x10\t0\t\\N\t\\N\nt\t5\t0x10\t\\N\t\\N\n\\.\n",
      "'table': 't'");

  fr_test_run (t);
  fr_test_expect (t, "out",
                  "[{'b':true,'i':-9223372036854775808,'f':null,'z':'AP8=',"
                  "'at':'-000043-03-15T04:00:00Z'},"
                  "{'b':false,'i':1,'f':1e300,'z':'','at':'2024-05-01T09:14:30.25Z'}]");
  g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 5);
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "is infinite, which no timestamp is"));
  g_assert_nonnull (strstr (fr_test_output (t, "rejects"), "is not a bytea in hexadecimal digits"));
}

static void
test_near_table (void)
{
  g_autoptr (FrTest) t = harness (shop, "'table': 'good'");

  g_assert_false (fr_test_check (t));
  g_assert_nonnull (strstr (fr_test_problems (t), "did you mean 'goods'"));
}

static void
test_near_column (void)
{
  g_autoptr (FrTest) t = harness (shop, "'table': 'goods', 'columns': {'idd': 'utf8'}");

  g_assert_false (fr_test_check (t));
  g_assert_nonnull (strstr (fr_test_problems (t), "did you mean 'id'"));
}

static void
test_cut_off (void)
{
  g_autoptr (FrTest) t
      = harness ("CREATE TABLE t (a int); INSERT INTO t VALUES (1),(2", "'table': 't'");

  fr_test_run_error (t, FR_ERROR_DATA, "the dump is cut off");
}

static void
test_gbk (void)
{
  g_autoptr (FrTest) t = harness (
      "SET NAMES gbk;\nCREATE TABLE t (a text);\nINSERT INTO t VALUES ('\xd7\x5c\xb2\xe8');",
      "'table': 't', 'dialect': 'mysql'");

  /* 0xd75c is one character whose second byte looks like a backslash. */
  fr_test_run (t);
  fr_test_expect (t, "out", "[{'a':'譢茶'}]");
}

static void
test_litemall (void)
{
  static const struct
  {
    const char *table;
    gsize rows;
  } tables[] = { { "goods", 239 },
                 { "goods_product", 244 },
                 { "goods_specification", 243 },
                 { "goods_attribute", 876 },
                 { "comment", 1004 },
                 { "topic", 20 },
                 { "brand", 49 },
                 { "category", 93 },
                 { "issue", 4 },
                 { "coupon", 4 },
                 { "keyword", 7 },
                 { "region", 3231 } };
  const char *data = g_getenv ("FLOWRUN_DATA");
  g_autofree char *file
      = data ? g_build_filename (data, "sql-litemall", "litemall_data.sql", NULL) : NULL;

  if (file == NULL || !g_file_test (file, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("the litemall dump is not there");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      g_autofree char *with
          = g_strdup_printf ("{'path': ['%s/sql-litemall/litemall_table.sql', '%s'], "
                             "'table': 'litemall_%s'}",
                             data, file, tables[i].table);
      g_autoptr (FrTest) t = element (with);

      fr_test_run (t);
      g_assert_cmpuint (fr_test_n_rows (t, "out"), ==, tables[i].rows);
      g_assert_cmpuint (fr_test_n_rows (t, "rejects"), ==, 0);
    }
}

static void
test_battery (void)
{
  g_autoptr (FrTest) t = harness (shop, "'table': 'goods'");

  fr_test_battery (t);
}

int
main (int argc, char **argv)
{
  g_autofree char *file = NULL;
  int status;

  g_test_init (&argc, &argv, NULL);
  tmp = g_dir_make_tmp ("flowrun-sqldump-XXXXXX", NULL);
  g_test_add_func ("/source.sqldump/rows", test_rows);
  g_test_add_func ("/source.sqldump/columns", test_columns);
  g_test_add_func ("/source.sqldump/postgres", test_postgres);
  g_test_add_func ("/source.sqldump/near-table", test_near_table);
  g_test_add_func ("/source.sqldump/near-column", test_near_column);
  g_test_add_func ("/source.sqldump/cut-off", test_cut_off);
  g_test_add_func ("/source.sqldump/gbk", test_gbk);
  g_test_add_func ("/source.sqldump/litemall", test_litemall);
  g_test_add_func ("/source.sqldump/battery", test_battery);
  status = g_test_run ();
  file = g_build_filename (tmp, "in.sql", NULL);
  g_unlink (file);
  g_rmdir (tmp);
  g_free (tmp);
  return status;
}
