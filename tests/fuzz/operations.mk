# What runs a server: the file of keys, the bodies of /admin.
if HAVE_LM
check_PROGRAMS += \
	tests/fuzz/fuzz-serveadmin \
	tests/fuzz/fuzz-servekeys
tests_fuzz_fuzz_serveadmin_SOURCES = tests/fuzz/fuzz-serveadmin.c tests/fuzz/replay.c plugins/sinks/serve/test-adapters.h
tests_fuzz_fuzz_serveadmin_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"serveadmin\"
tests_fuzz_fuzz_serveadmin_LDADD = $(OPERATIONS_LIBS)
tests_fuzz_fuzz_servekeys_SOURCES = tests/fuzz/fuzz-servekeys.c tests/fuzz/replay.c
tests_fuzz_fuzz_servekeys_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"servekeys\"
tests_fuzz_fuzz_servekeys_LDADD = $(OPERATIONS_LIBS)
TESTS += \
	tests/fuzz/fuzz-serveadmin \
	tests/fuzz/fuzz-servekeys
endif
EXTRA_DIST += \
	tests/fuzz/corpus/serveadmin \
	tests/fuzz/corpus/servekeys
