# plugins/transforms/content
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/transform-content.la
plugins_transform_content_la_SOURCES = plugins/transforms/content/content.c \
	plugins/transforms/content/details.h \
	plugins/transforms/content/site-lines.c plugins/transforms/content/site-lines.h
plugins_transform_content_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_content_la_LIBADD = $(TEXT_MODULE_LIBS) $(TEXT_LIBS)
plugins_transform_content_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)

EXTRA_DIST += plugins/transforms/content/content.md plugins/transforms/content/site_lines.md
check_PROGRAMS += plugins/transforms/content/test-content
plugins_transforms_content_test_content_SOURCES = plugins/transforms/content/test-content.c
plugins_transforms_content_test_content_LDADD = core/libflowrun-test.la $(TEXT_MODULE_LIBS) $(TEST_LIBS)
TESTS += plugins/transforms/content/test-content
endif
