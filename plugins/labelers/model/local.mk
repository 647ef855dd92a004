# plugins/labelers/model: labels by a language model (the service "labeler")
if HAVE_LM
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/labeler-model.la
plugins_labeler_model_la_SOURCES = plugins/labelers/model/model.c plugins/text/labeler.h
plugins_labeler_model_la_CFLAGS = $(AM_CFLAGS)
plugins_labeler_model_la_LDFLAGS = $(MODULE_FLAGS)
plugins_labeler_model_la_LIBADD = $(LM_MODULE_LIBS)

check_PROGRAMS += plugins/labelers/model/test-model
plugins_labelers_model_test_model_SOURCES = plugins/labelers/model/test-model.c plugins/lm/chat/test-model.h
plugins_labelers_model_test_model_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/labelers/model/test-model
endif
endif
