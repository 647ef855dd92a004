# Harness of plugins/text: score.
if HAVE_TEXT
check_PROGRAMS += tests/fuzz/fuzz-score
tests_fuzz_fuzz_score_SOURCES = tests/fuzz/fuzz-score.c tests/fuzz/replay.c
tests_fuzz_fuzz_score_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"score\"
tests_fuzz_fuzz_score_LDADD = $(TEXT_MODULE_LIBS) -lm
TESTS += tests/fuzz/fuzz-score
endif
EXTRA_DIST += tests/fuzz/corpus/score
