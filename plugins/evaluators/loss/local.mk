# plugins/evaluators/loss
if HAVE_LM
plugin_LTLIBRARIES += plugins/evaluator-loss.la
plugins_evaluator_loss_la_SOURCES = plugins/evaluators/loss/loss.c plugins/evaluators/loss/loss-details.h
plugins_evaluator_loss_la_CFLAGS = $(AM_CFLAGS)
plugins_evaluator_loss_la_LDFLAGS = $(MODULE_FLAGS)
plugins_evaluator_loss_la_LIBADD = $(STATS_LIBS) $(LM_MODULE_LIBS)

check_PROGRAMS += plugins/evaluators/loss/test-loss
plugins_evaluators_loss_test_loss_SOURCES = plugins/evaluators/loss/test-loss.c plugins/trainers/tune/tiny.c \
	plugins/trainers/tune/tiny.h
plugins_evaluators_loss_test_loss_CFLAGS = $(AM_CFLAGS)
plugins_evaluators_loss_test_loss_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/evaluators/loss/test-loss
endif
EXTRA_DIST += plugins/evaluators/loss/loss.md
