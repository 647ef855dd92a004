# Harnesses of plugins/sinks/serve: what bodies ask for.
if HAVE_SERVE
check_PROGRAMS += tests/fuzz/fuzz-ask
tests_fuzz_fuzz_ask_SOURCES = tests/fuzz/fuzz-ask.c tests/fuzz/replay.c plugins/sinks/serve/test-asker.h $(SERVE_QUESTION)
tests_fuzz_fuzz_ask_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"ask\" -I$(top_srcdir)/plugins/sinks/serve
tests_fuzz_fuzz_ask_LDADD = plugins/libflowrun-lm.la $(TEXT_MODULE_LIBS)
TESTS += tests/fuzz/fuzz-ask
endif
EXTRA_DIST += tests/fuzz/corpus/ask
