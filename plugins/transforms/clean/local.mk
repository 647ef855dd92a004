# plugins/transforms/clean
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/transform-clean.la
plugins_transform_clean_la_SOURCES = plugins/transforms/clean/clean.c plugins/transforms/clean/details.h \
	plugins/transforms/clean/rules.c plugins/transforms/clean/rules.h plugins/transforms/clean/default-rules.c \
	plugins/transforms/clean/tidy.c plugins/transforms/clean/tidy.h
plugins_transform_clean_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS) $(PCRE2_CFLAGS)
plugins_transform_clean_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_clean_la_LIBADD = $(TEXT_MODULE_LIBS) $(PCRE2_LIBS)

EXTRA_DIST += plugins/transforms/clean/clean.md
check_PROGRAMS += plugins/transforms/clean/test-clean
plugins_transforms_clean_test_clean_SOURCES = plugins/transforms/clean/test-clean.c
plugins_transforms_clean_test_clean_LDADD = core/libflowrun-test.la $(TEST_LIBS)
TESTS += plugins/transforms/clean/test-clean
endif
