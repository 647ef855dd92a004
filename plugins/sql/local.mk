# plugins/sql: what the sources that read SQL servers share; linked into each of them.
noinst_LTLIBRARIES += plugins/libsql.la
plugins_libsql_la_SOURCES = \
	plugins/sql/array.c \
	plugins/sql/array.h \
	plugins/sql/bind.c \
	plugins/sql/build.c \
	plugins/sql/build.h \
	plugins/sql/common.c \
	plugins/sql/connect.c \
	plugins/sql/dsn.c \
	plugins/sql/dsn.h \
	plugins/sql/fingerprint.c \
	plugins/sql/manual.h \
	plugins/sql/position.c \
	plugins/sql/position.h \
	plugins/sql/run.c \
	plugins/sql/source-private.h \
	plugins/sql/sql.h \
	plugins/sql/time.c \
	plugins/sql/value.c \
	plugins/sql/value.h
SQL_MODULE_LIBS = plugins/libsql.la $(MODULE_LIBS) -lm
EXTRA_DIST += plugins/sql/servers.sh

check_PROGRAMS += plugins/sql/test-sql
plugins_sql_test_sql_SOURCES = plugins/sql/test-sql.c
plugins_sql_test_sql_LDADD = plugins/libsql.la $(TEST_LIBS) -lm
TESTS += plugins/sql/test-sql
