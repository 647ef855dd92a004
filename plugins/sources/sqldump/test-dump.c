/* SPDX-License-Identifier: Apache-2.0 */
/* test-dump.c: the reader of SQL dumps, event by event.
 *
 * Every text is read whole, in blocks of 7 bytes and byte by byte, and must
 * say the same each time.
 */
#include "dump.h"

#include <flowrun/error.h>
#include <string.h>

typedef struct
{
  const char *text;
  gsize len, at, block;
  gboolean blank; /* a long blank block comes first, so that the short ones are not gathered */
} Blocks;

static gboolean
read_block (gpointer data, const char **block, gsize *len, GError **error)
{
  static char blanks[65536];
  Blocks *b = data;

  (void) error;
  if (b->blank)
    {
      b->blank = FALSE;
      memset (blanks, ' ', sizeof blanks);
      *block = blanks;
      *len = sizeof blanks;
      return TRUE;
    }
  *block = b->text + b->at;
  *len = MIN (b->block, b->len - b->at);
  b->at += *len;
  return *len > 0;
}

static void
show_value (Dump *d, guint i, GString *out)
{
  const DumpValue *v = &g_array_index (d->values, DumpValue, i);
  FrStr s = dump_value (d, i);

  if (i > 0)
    g_string_append_c (out, '|');
  switch (v->kind)
    {
    case DUMP_TEXT:
      g_string_append_printf (out, "'%.*s'", (int) s.len, s.data);
      break;
    case DUMP_NUMBER:
      g_string_append_len (out, s.data, (gssize) s.len);
      break;
    case DUMP_BYTES:
      g_string_append_c (out, '#');
      for (gsize k = 0; k < s.len; k++)
        g_string_append_printf (out, "%02x", (guint) (guchar) s.data[k]);
      break;
    default:
      g_string_append (out, v->kind == DUMP_NULL      ? "NULL"
                            : v->kind == DUMP_TRUE    ? "TRUE"
                            : v->kind == DUMP_FALSE   ? "FALSE"
                            : v->kind == DUMP_DEFAULT ? "DEFAULT"
                                                      : "EXPR");
    }
}

static char *
events (const char *text, gsize len, gsize block, DumpDialect *dialect, gboolean no_backslash)
{
  Blocks blocks = { text, len, 0, block, block < len };
  g_autoptr (Dump) d = dump_new (*dialect, no_backslash, 1 << 20, read_block, &blocks);
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  DumpEvent e;

  while ((e = dump_next (d, &error)) > DUMP_EOF)
    {
      if (e == DUMP_ROW)
        {
          g_string_append_printf (out, "%u:", (guint) d->line);
          for (guint i = 0; i < d->values->len; i++)
            show_value (d, i, out);
        }
      else
        {
          g_string_append_printf (out, "%s %s%s%s", e == DUMP_TABLE ? "table" : "insert",
                                  d->schema ? d->schema : "", d->schema ? "." : "", d->table);
          for (guint i = 0; i < d->columns->len; i++)
            {
              DumpColumn *c = d->columns->pdata[i];

              g_string_append_printf (out, " %s", c->name);
              if (c->type)
                g_string_append_printf (out, ":%s", c->type);
              if (c->args)
                g_string_append_printf (out, "(%s)", c->args);
            }
          if (d->unreadable)
            g_string_append (out, " unreadable");
        }
      g_string_append_c (out, '\n');
    }
  if (e == DUMP_FAILED)
    g_string_append_printf (out, "error %s\n", error->message);
  *dialect = d->dialect;
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static void
expect (DumpDialect dialect, gboolean no_backslash, const char *text, const char *expected)
{
  gsize len = strlen (text);
  const gsize sizes[] = { len + 1, 7, 1 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *got = events (text, len, sizes[i], &dialect, no_backslash);

      g_assert_cmpstr (got, ==, expected);
    }
}

static void
test_mysql (void)
{
  expect (
      DUMP_AUTO, FALSE,
      "/*M!999999\\- enable the sandbox mode */\n"
      "-- MySQL dump 10.13\n"
      "/*!40101 SET NAMES utf8 */;\n"
      "DROP TABLE IF EXISTS `商品`;\n"
      "CREATE TABLE `商品` (\n"
      "  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,\n"
      "  `名称` varchar(63) CHARACTER SET utf8mb4 NOT NULL DEFAULT ';)' COMMENT '名称, ''x''',\n"
      "  `价` decimal(10,2) DEFAULT '0.00',\n"
      "  `s` enum('a,b','c)') DEFAULT NULL,\n"
      "  PRIMARY KEY (`id`), KEY `k` (`名称`(10)) /*!80000 INVISIBLE */\n"
      ") ENGINE=InnoDB DEFAULT CHARSET=utf8;\n"
      "LOCK TABLES `商品` WRITE;\n"
      "INSERT INTO `商品` VALUES (1,'it\\'s \\\"x\\\"\\n\\\\ \\% ''q''',-1.5e-3,NULL),\n"
      "(2,\"d\"\"q\",+7,'a') , # note\n (3,X'4d79',0x00fF,b'101');\n"
      "UNLOCK TABLES;\n",
      "table 商品 id:int unsigned(10) 名称:varchar(63) 价:decimal(10,2) s:enum(,)\n"
      "insert 商品\n"
      "13:1|'it's \"x\"\n\\ \\% 'q''|-1.5e-3|NULL\n"
      "14:2|'d\"q'|7|'a'\n"
      "15:3|#4d79|#00ff|#05\n");
}

static void
test_mysql_forms (void)
{
  expect (DUMP_MYSQL, FALSE,
          "INSERT IGNORE INTO t (`a`, b) VALUES (_utf8mb4'x',_binary 'a\\0b'),(DEFAULT,TRUE)"
          " ON DUPLICATE KEY UPDATE a=VALUES(a), b='(;';\n"
          "REPLACE INTO db.t VALUES (NOW(),CONCAT('a)',\"b,\")),(1+1,_utf8mb4 0x41);\n"
          "INSERT INTO t SELECT * FROM u WHERE x=';';\n"
          "INSERT INTO t SET a=1;\n"
          "DELIMITER ;;\n"
          "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN INSERT INTO t VALUES (1); END;;\n"
          "DELIMITER ;\n"
          "INSERT INTO `a``b` VALUE (1);",
          "insert t a b\n1:'x'|#610062\n1:DEFAULT|TRUE\n"
          "insert db.t\n2:EXPR|EXPR\n2:EXPR|'A'\n"
          "insert t unreadable\ninsert t unreadable\n"
          "insert a`b\n8:1\n");
}

static void
test_no_backslash (void)
{
  expect (DUMP_MYSQL, TRUE, "INSERT INTO t VALUES ('C:\\','x');", "insert t\n1:'C:\\'|'x'\n");
  expect (DUMP_MYSQL, FALSE,
          "SET sql_mode='ANSI,NO_BACKSLASH_ESCAPES'; INSERT INTO t VALUES ('C:\\');",
          "insert t\n1:'C:\\'\n");
}

static void
test_postgres (void)
{
  expect (DUMP_AUTO, FALSE,
          "-- PostgreSQL database dump\n\\restrict abc\n"
          "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n"
          "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $_$ INSERT INTO t VALUES (1); $_$;\n"
          "CREATE TABLE public.t (\n    id bigint NOT NULL,\n    n character varying(20) DEFAULT "
          "'x'::character varying,\n    at timestamp(3) without time zone,\n    tags text[],\n"
          "    m public.mood,\n    CONSTRAINT c CHECK ((id > 0))\n);\n"
          "COPY public.t (id, n, at, tags, m) FROM stdin;\n"
          "1\ta\\tb\\\\c\\n\t\\N\t{x,y}\t\n2\t\\x41\\101\t\\\\N\t\\.\tz\n\\.\n\n"
          "INSERT INTO public.t VALUES (3, E'a\\'b\\u4f60', 'C:\\x', '{}'::text[], NULL);\n"
          "INSERT INTO t (id) OVERRIDING SYSTEM VALUE VALUES (4) ON CONFLICT DO NOTHING;\n",
          "table public.t id:bigint n:character varying(20) at:timestamp without time zone(3) "
          "tags:text[] m:mood\n"
          "insert public.t id n at tags m\n"
          "15:'1'|'a\tb\\c\n'|NULL|'{x,y}'|''\n16:'2'|'AA'|'\\N'|'.'|'z'\n"
          "insert public.t\n19:3|'a'b你'|'C:\\x'|'{}'|NULL\n"
          "insert t id\n20:4\n");
}

static void
test_sqlite (void)
{
  expect (
      DUMP_AUTO, FALSE,
      "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"
      "CREATE TABLE [my t] (id INTEGER PRIMARY KEY, \"n\" TEXT NOT NULL, x, y BLOB);\n"
      "INSERT INTO \"my t\" VALUES(1,replace(replace('a\\r\\nb','\\r',char(13)),'\\n',char(10)),"
      "1e999,X'00ff');\n"
      "INSERT INTO [my t] VALUES(2,unistr('\\u4f60\\\\x'),replace(1,2,3),'C:\\');\n"
      "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO t VALUES(CASE WHEN 1 THEN 2 END);"
      " END;\nCOMMIT;\n",
      "table my t id:integer n:text x: y:blob\n"
      "insert my t\n4:1|'a\r\nb'|1e999|#00ff\n"
      "insert my t\n5:2|'你\\x'|EXPR|'C:\\'\n");
}

static void
test_truncated (void)
{
  static const char *const texts[] = { "INSERT INTO t VALUES (1,'a",
                                       "INSERT INTO t VALUES (1",
                                       "INSERT INTO t VALUES (1)",
                                       "INSERT INTO t VALUES (1),",
                                       "CREATE TABLE t (a int",
                                       "INSERT INTO t",
                                       "DROP TABLE x",
                                       "/*!40101 SET NAMES utf8",
                                       "INSERT INTO t VALUES (f('",
                                       NULL };

  for (guint i = 0; texts[i]; i++)
    {
      DumpDialect mysql = DUMP_MYSQL;
      g_autofree char *got = events (texts[i], strlen (texts[i]), 3, &mysql, FALSE);

      g_assert_nonnull (strstr (got, "error line 1: the text ends inside the statement"));
    }
  expect (DUMP_POSTGRES, FALSE, "COPY t (a) FROM stdin;\n1\n",
          "insert t a\n2:'1'\nerror line 3: the text ends inside the statement that began on line "
          "1: the dump is cut off; make it again\n");
}

static void
test_malformed (void)
{
  expect (DUMP_MYSQL, FALSE, "\nINSERT INTO t VALUES\n 5;",
          "insert t\nerror line 3: expected a row in parentheses in the statement that began on "
          "line 2\n");
}

static void
test_long_row (void)
{
  g_autoptr (GString) text = g_string_new ("INSERT INTO t VALUES (1),('");
  Blocks blocks;
  g_autoptr (Dump) d = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 300000; i++)
    g_string_append (text, "长\\n");
  g_string_append (text, "'),(2);");
  blocks = (Blocks){ text->str, text->len, 0, 4096, TRUE };
  d = dump_new (DUMP_MYSQL, FALSE, 4096, read_block, &blocks);
  g_assert_cmpint (dump_next (d, &error), ==, DUMP_INSERT);
  g_assert_cmpint (dump_next (d, &error), ==, DUMP_ROW);
  g_assert_false (d->too_long);
  g_assert_cmpint (dump_next (d, &error), ==, DUMP_ROW);
  g_assert_true (d->too_long);
  g_assert_cmpuint (d->raw.len, ==, 65536);
  g_assert_true (g_str_has_prefix (d->raw.data, "('长"));
  g_assert_cmpint (dump_next (d, &error), ==, DUMP_ROW);
  g_assert_false (d->too_long);
  g_assert_cmpuint (d->raw.len, ==, 3);
  g_assert_cmpint (dump_next (d, &error), ==, DUMP_EOF);
  g_assert_no_error (error);
}

static void
test_skip (void)
{
  /* Standard strings: the quote after the backslash ends the text. */
  const char *text = "INSERT INTO a VALUES ('x;\\',1);COPY b FROM stdin;\n1\n\\.\nINSERT INTO c "
                     "VALUES (E'\\';'),(2);INSERT INTO d VALUES (3);";
  Blocks blocks = { text, strlen (text), 0, 5, TRUE };
  g_autoptr (Dump) d = dump_new (DUMP_POSTGRES, FALSE, 4096, read_block, &blocks);

  for (const char *t = "abcd"; *t; t++)
    {
      g_assert_cmpint (dump_next (d, NULL), ==, DUMP_INSERT);
      g_assert_cmpint (d->table[0], ==, *t);
      dump_skip (d);
    }
  g_assert_cmpint (dump_next (d, NULL), ==, DUMP_EOF);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sqldump/mysql", test_mysql);
  g_test_add_func ("/sqldump/mysql/forms", test_mysql_forms);
  g_test_add_func ("/sqldump/mysql/no-backslash", test_no_backslash);
  g_test_add_func ("/sqldump/postgres", test_postgres);
  g_test_add_func ("/sqldump/sqlite", test_sqlite);
  g_test_add_func ("/sqldump/truncated", test_truncated);
  g_test_add_func ("/sqldump/malformed", test_malformed);
  g_test_add_func ("/sqldump/long-row", test_long_row);
  g_test_add_func ("/sqldump/skip", test_skip);
  return g_test_run ();
}
