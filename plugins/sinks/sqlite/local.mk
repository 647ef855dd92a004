# plugins/sinks/sqlite
if HAVE_SQLITE
plugin_LTLIBRARIES += plugins/sink-sqlite.la
plugins_sink_sqlite_la_SOURCES = plugins/sinks/sqlite/sqlite.c
plugins_sink_sqlite_la_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
plugins_sink_sqlite_la_LDFLAGS = $(MODULE_FLAGS)
plugins_sink_sqlite_la_LIBADD = $(SQLITE_LIBS) $(MODULE_LIBS) -lm
endif
