# plugins/transforms/label
if HAVE_TEXT
LABEL_RULES = plugins/transforms/label/review.c plugins/transforms/label/review.h \
	plugins/transforms/label/rules.c plugins/transforms/label/rules.h plugins/transforms/label/starter.c \
	plugins/transforms/label/words.c plugins/transforms/label/words.h
plugin_LTLIBRARIES += plugins/transform-label.la
plugins_transform_label_la_SOURCES = plugins/transforms/label/label.c plugins/transforms/label/details.h $(LABEL_RULES)
plugins_transform_label_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transform_label_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_label_la_LIBADD = $(TEXT_MODULE_LIBS) -lm

check_PROGRAMS += plugins/transforms/label/test-label
plugins_transforms_label_test_label_SOURCES = plugins/transforms/label/test-label.c $(LABEL_RULES)
plugins_transforms_label_test_label_LDADD = core/libflowrun-test.la $(TEXT_MODULE_LIBS) -lm
TESTS += plugins/transforms/label/test-label
endif
EXTRA_DIST += plugins/transforms/label/label.md
