# plugins/evaluators/stats: what evaluators share: intervals and significance
noinst_LTLIBRARIES += plugins/evaluators/stats/libstats.la
plugins_evaluators_stats_libstats_la_SOURCES = plugins/evaluators/stats/added.c plugins/evaluators/stats/added.h \
	plugins/evaluators/stats/agreement.c plugins/evaluators/stats/agreement.h \
	plugins/evaluators/stats/stats.c plugins/evaluators/stats/stats.h \
	plugins/evaluators/stats/tally.c plugins/evaluators/stats/tally.h
STATS_LIBS = plugins/evaluators/stats/libstats.la

check_PROGRAMS += plugins/evaluators/stats/test-stats
plugins_evaluators_stats_test_stats_SOURCES = plugins/evaluators/stats/test-stats.c
plugins_evaluators_stats_test_stats_LDADD = $(STATS_LIBS) core/libflowrun.la $(CORE_LIBS) -lm
TESTS += plugins/evaluators/stats/test-stats

check_PROGRAMS += plugins/evaluators/stats/test-tally
plugins_evaluators_stats_test_tally_SOURCES = plugins/evaluators/stats/test-tally.c
plugins_evaluators_stats_test_tally_LDADD = $(STATS_LIBS) core/libflowrun.la $(CORE_LIBS) -lm
TESTS += plugins/evaluators/stats/test-tally
check_PROGRAMS += plugins/evaluators/stats/test-agreement
plugins_evaluators_stats_test_agreement_SOURCES = plugins/evaluators/stats/test-agreement.c
plugins_evaluators_stats_test_agreement_LDADD = $(STATS_LIBS) core/libflowrun.la $(CORE_LIBS) -lm
TESTS += plugins/evaluators/stats/test-agreement
