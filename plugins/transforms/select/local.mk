# plugins/transforms/select
plugin_LTLIBRARIES += plugins/transform-select.la
plugins_transform_select_la_SOURCES = plugins/transforms/select/select.c plugins/transforms/select/parse.c \
	plugins/transforms/select/parse.h
plugins_transform_select_la_CFLAGS = $(AM_CFLAGS)
plugins_transform_select_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_select_la_LIBADD = $(MODULE_LIBS)
EXTRA_DIST += plugins/transforms/select/select.md

check_PROGRAMS += plugins/transforms/select/test-select
plugins_transforms_select_test_select_SOURCES = plugins/transforms/select/test-select.c plugins/transforms/select/parse.c
plugins_transforms_select_test_select_LDADD = core/libflowrun-test.la $(TEST_LIBS)
TESTS += plugins/transforms/select/test-select
