# core/param
core_libflowrun_la_SOURCES += \
	core/param/describe.c \
	core/param/fill.c \
	core/param/json-check.c \
	core/param/param-private.h \
	core/param/problems.c \
	core/param/problems.h \
	core/param/quantity.c \
	core/param/values.c

check_PROGRAMS += core/param/test-param
core_param_test_param_SOURCES = core/param/test-param.c core/pipeline/fake.h
core_param_test_param_LDADD = $(TEST_LIBS)
TESTS += core/param/test-param
