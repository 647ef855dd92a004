# plugins/sources/json
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/source-json.la
plugins_source_json_la_SOURCES = plugins/sources/json/json.c \
	plugins/sources/json/records.c plugins/sources/json/records.h \
	plugins/sources/json/infer.c plugins/sources/json/infer.h
plugins_source_json_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_source_json_la_LDFLAGS = $(MODULE_FLAGS)
plugins_source_json_la_LIBADD = $(TEXT_MODULE_LIBS)

check_PROGRAMS += plugins/sources/json/test-json
plugins_sources_json_test_json_SOURCES = plugins/sources/json/test-json.c \
	plugins/sources/json/records.c plugins/sources/json/records.h \
	plugins/sources/json/infer.c plugins/sources/json/infer.h
plugins_sources_json_test_json_LDADD = core/libflowrun-test.la $(TEST_LIBS)
TESTS += plugins/sources/json/test-json
endif
EXTRA_DIST += plugins/sources/json/json.md
