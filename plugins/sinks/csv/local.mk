# plugins/sinks/csv
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/sink-csv.la
plugins_sink_csv_la_SOURCES = plugins/sinks/csv/csv.c
plugins_sink_csv_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_sink_csv_la_LDFLAGS = $(MODULE_FLAGS)
plugins_sink_csv_la_LIBADD = $(TEXT_MODULE_LIBS)
endif
EXTRA_DIST += plugins/sinks/csv/csv.md
