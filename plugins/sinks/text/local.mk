# plugins/sinks/text
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/sink-text.la
plugins_sink_text_la_SOURCES = plugins/sinks/text/text.c
plugins_sink_text_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_sink_text_la_LDFLAGS = $(MODULE_FLAGS)
plugins_sink_text_la_LIBADD = $(TEXT_MODULE_LIBS)
check_PROGRAMS += plugins/sinks/text/test-text
plugins_sinks_text_test_text_SOURCES = plugins/sinks/text/test-text.c
plugins_sinks_text_test_text_LDADD = core/libflowrun-test.la $(TEST_LIBS)
TESTS += plugins/sinks/text/test-text
endif
EXTRA_DIST += plugins/sinks/text/text.md
