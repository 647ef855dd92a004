# plugins/transforms/command
plugin_LTLIBRARIES += plugins/transform-command.la
plugins_transform_command_la_SOURCES = plugins/transforms/command/command.c plugins/transforms/command/program.c \
	plugins/transforms/command/program.h
plugins_transform_command_la_CFLAGS = $(AM_CFLAGS)
plugins_transform_command_la_LDFLAGS = $(MODULE_FLAGS)
plugins_transform_command_la_LIBADD = $(MODULE_LIBS)
EXTRA_DIST += plugins/transforms/command/command.md

check_PROGRAMS += plugins/transforms/command/test-command
plugins_transforms_command_test_command_SOURCES = plugins/transforms/command/test-command.c
plugins_transforms_command_test_command_LDADD = core/libflowrun-test.la $(TEST_LIBS)
TESTS += plugins/transforms/command/test-command
