# plugins/transforms/generate
if HAVE_LM
plugin_LTLIBRARIES += plugins/transform-generate.la
plugins_transform_generate_la_SOURCES = plugins/transforms/generate/generate.c plugins/transforms/generate/generate-details.h
plugins_transform_generate_la_CFLAGS = $(AM_CFLAGS)
plugins_transform_generate_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_generate_la_LIBADD = $(LM_MODULE_LIBS)
check_PROGRAMS += plugins/transforms/generate/test-generate
plugins_transforms_generate_test_generate_SOURCES = plugins/transforms/generate/test-generate.c plugins/lm/chat/test-model.h
plugins_transforms_generate_test_generate_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/transforms/generate/test-generate
endif
EXTRA_DIST += plugins/transforms/generate/generate.md
