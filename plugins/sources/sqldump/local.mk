# plugins/sources/sqldump
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/source-sqldump.la
plugins_source_sqldump_la_SOURCES = plugins/sources/sqldump/sqldump.c \
	plugins/sources/sqldump/dump.c plugins/sources/sqldump/dump.h \
	plugins/sources/sqldump/cell.c plugins/sources/sqldump/cell.h
plugins_source_sqldump_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_source_sqldump_la_LDFLAGS = $(MODULE_FLAGS)
plugins_source_sqldump_la_LIBADD = plugins/libsql.la $(TEXT_MODULE_LIBS)

check_PROGRAMS += plugins/sources/sqldump/test-dump
plugins_sources_sqldump_test_dump_SOURCES = plugins/sources/sqldump/test-dump.c \
	plugins/sources/sqldump/dump.c plugins/sources/sqldump/dump.h
plugins_sources_sqldump_test_dump_LDADD = $(TEST_LIBS)

check_PROGRAMS += plugins/sources/sqldump/test-sqldump
plugins_sources_sqldump_test_sqldump_SOURCES = plugins/sources/sqldump/test-sqldump.c
plugins_sources_sqldump_test_sqldump_LDADD = core/libflowrun-test.la $(TEST_LIBS)
TESTS += plugins/sources/sqldump/test-dump plugins/sources/sqldump/test-sqldump
endif
EXTRA_DIST += plugins/sources/sqldump/sqldump.md
