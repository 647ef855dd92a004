# plugins/translators/model
if HAVE_LM
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/translator-model.la
plugins_translator_model_la_SOURCES = plugins/translators/model/model.c
plugins_translator_model_la_CFLAGS = $(AM_CFLAGS)
plugins_translator_model_la_LDFLAGS = $(MODULE_FLAGS)
plugins_translator_model_la_LIBADD = $(LM_MODULE_LIBS) $(TEXT_MODULE_LIBS)

check_PROGRAMS += plugins/translators/model/test-model
plugins_translators_model_test_model_SOURCES = plugins/translators/model/test-model.c plugins/lm/chat/test-model.h
plugins_translators_model_test_model_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/translators/model/test-model
endif
endif
