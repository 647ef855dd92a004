# plugins/evaluators/text
if HAVE_LM
if HAVE_TEXT
plugin_LTLIBRARIES += plugins/evaluator-text.la
plugins_evaluator_text_la_SOURCES = plugins/evaluators/text/text.c plugins/evaluators/text/text.h \
	plugins/evaluators/text/text-details.h plugins/evaluators/text/look.c plugins/evaluators/text/rows.c \
	plugins/evaluators/text/tell.c
plugins_evaluator_text_la_CFLAGS = $(AM_CFLAGS)
plugins_evaluator_text_la_LDFLAGS = $(MODULE_FLAGS)
plugins_evaluator_text_la_LIBADD = $(STATS_LIBS) plugins/libflowrun-text.la $(LM_MODULE_LIBS)

check_PROGRAMS += plugins/evaluators/text/test-text
plugins_evaluators_text_test_text_SOURCES = plugins/evaluators/text/test-text.c plugins/trainers/tune/tiny.c \
	plugins/trainers/tune/tiny.h
plugins_evaluators_text_test_text_CFLAGS = $(AM_CFLAGS)
plugins_evaluators_text_test_text_LDADD = core/libflowrun-test.la plugins/libflowrun-text.la $(LM_MODULE_LIBS)
TESTS += plugins/evaluators/text/test-text
endif
endif
EXTRA_DIST += plugins/evaluators/text/text.md
