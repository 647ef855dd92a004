# plugins/transforms/backtranslate
BACKTRANSLATE_PARTS = plugins/transforms/backtranslate/ask.c plugins/transforms/backtranslate/ask.h \
	plugins/transforms/backtranslate/guard.c plugins/transforms/backtranslate/guard.h \
	plugins/transforms/backtranslate/mask.c plugins/transforms/backtranslate/mask.h \
	plugins/transforms/backtranslate/pieces.c plugins/transforms/backtranslate/pieces.h
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/transform-backtranslate.la
plugins_transform_backtranslate_la_SOURCES = plugins/transforms/backtranslate/backtranslate.c \
	plugins/transforms/backtranslate/details.h $(BACKTRANSLATE_PARTS)
plugins_transform_backtranslate_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transform_backtranslate_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_backtranslate_la_LIBADD = $(TEXT_MODULE_LIBS) -lm

if HAVE_NET
check_PROGRAMS += plugins/transforms/backtranslate/test-backtranslate
plugins_transforms_backtranslate_test_backtranslate_SOURCES = \
	plugins/transforms/backtranslate/test-backtranslate.c
plugins_transforms_backtranslate_test_backtranslate_LDADD = core/libflowrun-test.la $(TEXT_MODULE_LIBS)
TESTS += plugins/transforms/backtranslate/test-backtranslate
endif
endif
EXTRA_DIST += plugins/transforms/backtranslate/backtranslate.md
