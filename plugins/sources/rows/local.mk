# plugins/sources/rows
plugin_LTLIBRARIES += plugins/source-rows.la
plugins_source_rows_la_SOURCES = plugins/sources/rows/rows.c
plugins_source_rows_la_CFLAGS = $(AM_CFLAGS)
plugins_source_rows_la_LDFLAGS = $(MODULE_FLAGS)
plugins_source_rows_la_LIBADD = $(MODULE_LIBS)
check_PROGRAMS += plugins/sources/rows/test-rows
plugins_sources_rows_test_rows_SOURCES = plugins/sources/rows/test-rows.c
plugins_sources_rows_test_rows_LDADD = core/libflowrun-test.la $(TEST_LIBS)
TESTS += plugins/sources/rows/test-rows
EXTRA_DIST += plugins/sources/rows/rows.md
