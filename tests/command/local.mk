# tests/command: every command, on real pipelines.
EXTRA_DIST += tests/command/lib.sh
if HAVE_TEXT
COMMAND_TESTS = tests/command/test-battery.sh tests/command/test-run.sh tests/command/test-check.sh tests/command/test-head.sh \
	tests/command/test-help.sh tests/command/test-inspect.sh tests/command/test-model.sh tests/command/test-new.sh \
	tests/command/test-plugin-check.sh tests/command/test-signals.sh tests/command/test-terminal.py
dist_check_SCRIPTS += $(COMMAND_TESTS)
TESTS += $(COMMAND_TESTS)
endif

check_LTLIBRARIES += tests/command/bad-plugin.la
tests_command_bad_plugin_la_SOURCES = tests/command/bad-plugin.c
tests_command_bad_plugin_la_LDFLAGS = $(MODULE_FLAGS) -rpath /nowhere
tests_command_bad_plugin_la_LIBADD = $(MODULE_LIBS)
check_LTLIBRARIES += tests/command/inspect-model.la
tests_command_inspect_model_la_SOURCES = tests/command/model-plugin.c
tests_command_inspect_model_la_LDFLAGS = $(MODULE_FLAGS) -rpath /nowhere
tests_command_inspect_model_la_LIBADD = $(MODULE_LIBS)
