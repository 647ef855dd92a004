# plugins/sources/model: a checkpoint into a pipeline; and what `flowrun inspect` says of one
if HAVE_LM
plugin_LTLIBRARIES += plugins/source-model.la plugins/inspect-model.la
plugins_source_model_la_SOURCES = plugins/sources/model/model.c
plugins_source_model_la_LDFLAGS = $(MODULE_FLAGS)
plugins_source_model_la_LIBADD = $(LM_MODULE_LIBS)
plugins_inspect_model_la_SOURCES = plugins/sources/model/inspect.c plugins/sources/model/groups.c \
	plugins/sources/model/groups.h
plugins_inspect_model_la_LDFLAGS = $(MODULE_FLAGS)
plugins_inspect_model_la_LIBADD = $(LM_MODULE_LIBS)
check_PROGRAMS += plugins/sources/model/test-model
plugins_sources_model_test_model_SOURCES = plugins/sources/model/test-model.c plugins/lm/weights/test-files.h
plugins_sources_model_test_model_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/sources/model/test-model
endif
EXTRA_DIST += plugins/sources/model/model.md
