# plugins/sinks/sqlite
if HAVE_SQLITE
plugin_LTLIBRARIES += plugins/sink-sqlite.la
plugins_sink_sqlite_la_SOURCES = plugins/sinks/sqlite/sqlite.c
plugins_sink_sqlite_la_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
plugins_sink_sqlite_la_LDFLAGS = $(MODULE_FLAGS)
plugins_sink_sqlite_la_LIBADD = $(SQLITE_LIBS) $(MODULE_LIBS) -lm

check_PROGRAMS += plugins/sinks/sqlite/test-sqlite
plugins_sinks_sqlite_test_sqlite_SOURCES = plugins/sinks/sqlite/test-sqlite.c
plugins_sinks_sqlite_test_sqlite_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
plugins_sinks_sqlite_test_sqlite_LDADD = core/libflowrun-test.la $(SQLITE_LIBS) $(TEST_LIBS)
TESTS += plugins/sinks/sqlite/test-sqlite
endif
EXTRA_DIST += plugins/sinks/sqlite/sqlite.md
