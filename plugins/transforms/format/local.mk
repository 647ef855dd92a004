# plugins/transforms/format
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/transform-format.la
plugins_transform_format_la_SOURCES = plugins/transforms/format/format.c plugins/transforms/format/details.h \
	plugins/transforms/format/dialogue.c plugins/transforms/format/dialogue.h
plugins_transform_format_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transform_format_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_format_la_LIBADD = $(TEXT_MODULE_LIBS)

EXTRA_DIST += plugins/transforms/format/format.md
check_PROGRAMS += plugins/transforms/format/test-format
plugins_transforms_format_test_format_SOURCES = plugins/transforms/format/test-format.c
plugins_transforms_format_test_format_LDADD = core/libflowrun-test.la $(TEST_LIBS)
TESTS += plugins/transforms/format/test-format
dist_check_SCRIPTS += plugins/transforms/format/test-shapes.sh
TESTS += plugins/transforms/format/test-shapes.sh
endif
