# plugins/evaluators/load
if HAVE_NET
if HAVE_LM
plugin_LTLIBRARIES += plugins/evaluator-load.la
plugins_evaluator_load_la_SOURCES = \
	plugins/evaluators/load/answer.c \
	plugins/evaluators/load/answer.h \
	plugins/evaluators/load/drive.c \
	plugins/evaluators/load/figures.c \
	plugins/evaluators/load/figures.h \
	plugins/evaluators/load/histogram.c \
	plugins/evaluators/load/histogram.h \
	plugins/evaluators/load/load-details.h \
	plugins/evaluators/load/load.c \
	plugins/evaluators/load/load.h \
	plugins/evaluators/load/prompts.c \
	plugins/evaluators/load/tell.c
plugins_evaluator_load_la_CFLAGS = $(AM_CFLAGS)
plugins_evaluator_load_la_LDFLAGS = $(MODULE_FLAGS)
plugins_evaluator_load_la_LIBADD = plugins/libflowrun-net.la plugins/libflowrun-text.la $(LM_MODULE_LIBS)

check_PROGRAMS += plugins/evaluators/load/test-load plugins/evaluators/load/test-figures \
	plugins/evaluators/load/stand-in-serve
plugins_evaluators_load_stand_in_serve_SOURCES = plugins/evaluators/load/stand-in-serve.c $(STAND_IN)
plugins_evaluators_load_stand_in_serve_LDADD = $(CORE_LIBS)
STAND_IN = plugins/evaluators/load/stand-in.c plugins/evaluators/load/stand-in.h \
	plugins/net/test-server.c plugins/net/test-server.h
plugins_evaluators_load_test_load_SOURCES = plugins/evaluators/load/test-load.c $(STAND_IN)
plugins_evaluators_load_test_load_LDADD = core/libflowrun-test.la core/libflowrun.la $(CORE_LIBS) -lm
plugins_evaluators_load_test_figures_SOURCES = plugins/evaluators/load/test-figures.c \
	plugins/evaluators/load/answer.c plugins/evaluators/load/figures.c plugins/evaluators/load/histogram.c
plugins_evaluators_load_test_figures_LDADD = core/libflowrun.la $(CORE_LIBS) -lm
TESTS += plugins/evaluators/load/test-load plugins/evaluators/load/test-figures
endif
endif
EXTRA_DIST += plugins/evaluators/load/load.md
