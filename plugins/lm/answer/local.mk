# plugins/lm/answer: a model that answers rows
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/answer/answer.c \
	plugins/lm/answer/think.c

check_PROGRAMS += plugins/lm/answer/test-answer
plugins_lm_answer_test_answer_SOURCES = plugins/lm/answer/test-answer.c
plugins_lm_answer_test_answer_LDADD = $(LM_MODULE_LIBS)
TESTS += plugins/lm/answer/test-answer
endif
