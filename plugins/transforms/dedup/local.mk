# plugins/transforms/dedup
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/transform-dedup.la
plugins_transform_dedup_la_SOURCES = plugins/transforms/dedup/dedup.c plugins/transforms/dedup/dedup.h \
	plugins/transforms/dedup/details.h plugins/transforms/dedup/census.c plugins/transforms/dedup/exact.c \
	plugins/transforms/dedup/near.c plugins/transforms/dedup/send.c
plugins_transform_dedup_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transform_dedup_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_dedup_la_LIBADD = $(TEXT_MODULE_LIBS)
endif
EXTRA_DIST += plugins/transforms/dedup/dedup.md

if HAVE_TEXT
check_PROGRAMS += plugins/transforms/dedup/test-dedup
plugins_transforms_dedup_test_dedup_SOURCES = plugins/transforms/dedup/test-dedup.c
plugins_transforms_dedup_test_dedup_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transforms_dedup_test_dedup_LDADD = core/libflowrun-test.la $(TEXT_MODULE_LIBS)
TESTS += plugins/transforms/dedup/test-dedup
endif
