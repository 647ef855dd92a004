# plugins/transforms/desensitize
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/transform-desensitize.la
plugins_transform_desensitize_la_SOURCES = plugins/transforms/desensitize/desensitize.c \
	plugins/transforms/desensitize/actions.c plugins/transforms/desensitize/actions.h \
	plugins/transforms/desensitize/audit.c plugins/transforms/desensitize/audit.h \
	plugins/transforms/desensitize/cells.c plugins/transforms/desensitize/cells.h \
	plugins/transforms/desensitize/own.c plugins/transforms/desensitize/own.h \
	plugins/transforms/desensitize/details.h plugins/transforms/desensitize/quality.h
plugins_transform_desensitize_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transform_desensitize_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_desensitize_la_LIBADD = $(TEXT_MODULE_LIBS)
endif
EXTRA_DIST += plugins/transforms/desensitize/desensitize.md plugins/transforms/desensitize/labelled.jsonl \
	plugins/transforms/desensitize/labelled-hand.txt plugins/transforms/desensitize/make-labelled.py

if HAVE_TEXT
check_PROGRAMS += plugins/transforms/desensitize/test-desensitize
plugins_transforms_desensitize_test_desensitize_SOURCES = plugins/transforms/desensitize/test-desensitize.c
plugins_transforms_desensitize_test_desensitize_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transforms_desensitize_test_desensitize_LDADD = core/libflowrun-test.la $(TEXT_MODULE_LIBS)
TESTS += plugins/transforms/desensitize/test-desensitize
endif
