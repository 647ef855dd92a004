# core/run
core_libflowrun_la_SOURCES += core/run/page.c core/run/page.h

check_PROGRAMS += core/run/test-page
core_run_test_page_SOURCES = core/run/test-page.c core/data/test-rows.h
core_run_test_page_LDADD = $(TEST_LIBS)
TESTS += core/run/test-page
