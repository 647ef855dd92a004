# plugins/lm/generate: choosing tokens
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/generate/choice.c \
	plugins/lm/generate/generate.c \
	plugins/lm/generate/sample.c
endif

if HAVE_LM
check_PROGRAMS += plugins/lm/generate/test-generate
plugins_lm_generate_test_generate_SOURCES = plugins/lm/generate/test-generate.c plugins/lm/chat/test-model.h
plugins_lm_generate_test_generate_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/lm/generate/test-generate

check_PROGRAMS += plugins/lm/generate/test-choice
plugins_lm_generate_test_choice_SOURCES = plugins/lm/generate/test-choice.c plugins/lm/chat/test-model.h
plugins_lm_generate_test_choice_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/lm/generate/test-choice
endif
