# plugins/sinks/jsonl
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/sink-jsonl.la
plugins_sink_jsonl_la_SOURCES = plugins/sinks/jsonl/jsonl.c
plugins_sink_jsonl_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_sink_jsonl_la_LDFLAGS = $(MODULE_FLAGS)
plugins_sink_jsonl_la_LIBADD = $(TEXT_MODULE_LIBS)
endif
EXTRA_DIST += plugins/sinks/jsonl/jsonl.md
