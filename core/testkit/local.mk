# core/testkit: libflowrun-test, for tests of plugins inside and outside this tree.
lib_LTLIBRARIES += core/libflowrun-test.la
core_libflowrun_test_la_SOURCES = core/testkit/testkit.h \
	core/testkit/battery.c core/testkit/elements.c core/testkit/harness.c \
	core/testkit/invent.c core/testkit/rows.c core/testkit/test.c
core_libflowrun_test_la_LIBADD = core/libflowrun.la $(CORE_LIBS)
core_libflowrun_test_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 \
	-Wl,--version-script=$(top_srcdir)/core/libflowrun.map $(Z_DEFS)
core_libflowrun_test_la_DEPENDENCIES = core/libflowrun.la core/libflowrun.map

check_PROGRAMS += core/testkit/test-testkit
core_testkit_test_testkit_SOURCES = core/testkit/test-testkit.c
core_testkit_test_testkit_LDADD = core/libflowrun-test.la $(TEST_LIBS)
TESTS += core/testkit/test-testkit
