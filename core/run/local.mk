# core/run
core_libflowrun_la_SOURCES += \
	core/run/event.c \
	core/run/event.h \
	core/run/files.c \
	core/run/inspect.c \
	core/run/lineage.c \
	core/run/machine.c \
	core/run/page.c \
	core/run/page.h \
	core/run/rundir-private.h \
	core/run/rundir.c \
	core/run/rundir.h \
	core/run/why.c

check_PROGRAMS += core/run/test-page
core_run_test_page_SOURCES = core/run/test-page.c core/data/test-rows.h
core_run_test_page_LDADD = $(TEST_LIBS)
TESTS += core/run/test-page
