# plugins/sources/odbc
if HAVE_ODBC
plugin_LTLIBRARIES += plugins/source-odbc.la
plugins_source_odbc_la_SOURCES = plugins/sources/odbc/odbc.c \
	plugins/sources/odbc/link.c plugins/sources/odbc/link.h \
	plugins/sources/odbc/result.c plugins/sources/odbc/result.h
plugins_source_odbc_la_CFLAGS = $(AM_CFLAGS) $(ODBC_CFLAGS)
plugins_source_odbc_la_LDFLAGS = $(MODULE_FLAGS)
plugins_source_odbc_la_LIBADD = $(SQL_MODULE_LIBS) $(ODBC_LIBS)
dist_check_SCRIPTS += plugins/sources/odbc/test-odbc.sh
check_PROGRAMS += plugins/sources/odbc/test-names
plugins_sources_odbc_test_names_SOURCES = plugins/sources/odbc/test-names.c \
	plugins/sources/odbc/link.c plugins/sources/odbc/result.c
plugins_sources_odbc_test_names_CFLAGS = $(AM_CFLAGS) $(ODBC_CFLAGS)
plugins_sources_odbc_test_names_LDADD = plugins/libsql.la $(TEST_LIBS) $(ODBC_LIBS) -lm
TESTS += plugins/sources/odbc/test-names plugins/sources/odbc/test-odbc.sh
endif
EXTRA_DIST += plugins/sources/odbc/odbc.md
