# plugins/transforms/split
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/transform-split.la
plugins_transform_split_la_SOURCES = plugins/transforms/split/split.c
plugins_transform_split_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transform_split_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_split_la_LIBADD = $(TEXT_MODULE_LIBS) -lm
endif
EXTRA_DIST += plugins/transforms/split/split.md

if HAVE_TEXT
check_PROGRAMS += plugins/transforms/split/test-split
plugins_transforms_split_test_split_SOURCES = plugins/transforms/split/test-split.c
plugins_transforms_split_test_split_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transforms_split_test_split_LDADD = core/libflowrun-test.la $(TEXT_MODULE_LIBS)
TESTS += plugins/transforms/split/test-split
endif
