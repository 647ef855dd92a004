# plugins/transforms/quality
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/transform-quality.la
plugins_transform_quality_la_SOURCES = plugins/transforms/quality/quality.c plugins/transforms/quality/quality.h \
	plugins/transforms/quality/details.h plugins/transforms/quality/model.c plugins/transforms/quality/report.c \
	plugins/transforms/quality/rules.c plugins/transforms/quality/rules.h plugins/transforms/quality/script.c
plugins_transform_quality_la_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transform_quality_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_quality_la_LIBADD = $(TEXT_MODULE_LIBS) -lm
if HAVE_OPENCC
plugins_transform_quality_la_CFLAGS += $(OPENCC_CFLAGS)
plugins_transform_quality_la_LIBADD += $(OPENCC_LIBS)
endif
if HAVE_LM
plugins_transform_quality_la_LIBADD += $(LM_MODULE_LIBS)
endif

check_PROGRAMS += plugins/transforms/quality/test-quality
plugins_transforms_quality_test_quality_SOURCES = plugins/transforms/quality/test-quality.c
plugins_transforms_quality_test_quality_CFLAGS = $(AM_CFLAGS) $(TEXT_CFLAGS)
plugins_transforms_quality_test_quality_LDADD = core/libflowrun-test.la $(TEXT_MODULE_LIBS) -lm
if HAVE_LM
plugins_transforms_quality_test_quality_SOURCES += plugins/trainers/tune/tiny.c plugins/trainers/tune/tiny.h
plugins_transforms_quality_test_quality_LDADD += $(LM_MODULE_LIBS)
endif
TESTS += plugins/transforms/quality/test-quality
endif
EXTRA_DIST += plugins/transforms/quality/quality.md
