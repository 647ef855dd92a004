# core/report: report.html.
core_libflowrun_la_SOURCES += \
	core/report/axis.c \
	core/report/chart.c \
	core/report/diff.c \
	core/report/graph.c \
	core/report/html.c \
	core/report/html.h \
	core/report/load.c \
	core/report/page.c \
	core/report/report-private.h \
	core/report/report.h \
	core/report/rows.c \
	core/report/show.c \
	core/report/speak.c \
	core/report/stage.c \
	core/report/style.c \
	core/report/svg.c \
	core/report/view.c \
	core/report/words.c \
	core/report/words.h

check_PROGRAMS += core/report/test-report
core_report_test_report_SOURCES = core/report/test-report.c
core_report_test_report_LDADD = core/libflowrun-test.la $(TEST_LIBS) -lm
TESTS += core/report/test-report
