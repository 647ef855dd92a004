# plugins/sources/csv
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/source-csv.la
plugins_source_csv_la_SOURCES = plugins/sources/csv/csv.c \
	plugins/sources/csv/csv-plan.h plugins/sources/csv/csv-plan.c \
	plugins/sources/csv/csv-parser.h plugins/sources/csv/csv-parser.c \
	plugins/sources/csv/csv-types.h plugins/sources/csv/csv-types.c
plugins_source_csv_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_source_csv_la_LDFLAGS = $(MODULE_FLAGS)
plugins_source_csv_la_LIBADD = $(TEXT_MODULE_LIBS)

check_PROGRAMS += plugins/sources/csv/test-csv-parser
plugins_sources_csv_test_csv_parser_SOURCES = plugins/sources/csv/test-csv-parser.c \
	plugins/sources/csv/csv-parser.h plugins/sources/csv/csv-parser.c \
	plugins/sources/csv/csv-types.h plugins/sources/csv/csv-types.c
plugins_sources_csv_test_csv_parser_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_sources_csv_test_csv_parser_LDADD = $(TEST_LIBS)
TESTS += plugins/sources/csv/test-csv-parser
endif
EXTRA_DIST += plugins/sources/csv/csv.md
