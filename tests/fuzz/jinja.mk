# Harnesses of plugins/lm: jinja.
if HAVE_LM
check_PROGRAMS += tests/fuzz/fuzz-jinja
tests_fuzz_fuzz_jinja_SOURCES = tests/fuzz/fuzz-jinja.c tests/fuzz/replay.c
tests_fuzz_fuzz_jinja_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"jinja\"
tests_fuzz_fuzz_jinja_LDADD = $(LM_MODULE_LIBS)
TESTS += tests/fuzz/fuzz-jinja
endif
EXTRA_DIST += tests/fuzz/corpus/jinja
