# Harnesses of plugins/lm: tokenizer.
if HAVE_LM
check_PROGRAMS += tests/fuzz/fuzz-tokenizer
tests_fuzz_fuzz_tokenizer_SOURCES = tests/fuzz/fuzz-tokenizer.c tests/fuzz/replay.c
tests_fuzz_fuzz_tokenizer_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"tokenizer\"
tests_fuzz_fuzz_tokenizer_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
tests_fuzz_fuzz_tokenizer_LDADD = $(LM_MODULE_LIBS)
TESTS += tests/fuzz/fuzz-tokenizer
endif
EXTRA_DIST += tests/fuzz/corpus/tokenizer
