# Harness of plugins/text: near-duplicates.
if HAVE_TEXT
check_PROGRAMS += tests/fuzz/fuzz-neardup
tests_fuzz_fuzz_neardup_SOURCES = tests/fuzz/fuzz-neardup.c tests/fuzz/replay.c
tests_fuzz_fuzz_neardup_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"neardup\"
tests_fuzz_fuzz_neardup_LDADD = $(TEXT_MODULE_LIBS)
TESTS += tests/fuzz/fuzz-neardup
endif
EXTRA_DIST += tests/fuzz/corpus/neardup

# Harness of plugins/text: figures of quality, and language.
if HAVE_TEXT
check_PROGRAMS += tests/fuzz/fuzz-quality
tests_fuzz_fuzz_quality_SOURCES = tests/fuzz/fuzz-quality.c tests/fuzz/replay.c
tests_fuzz_fuzz_quality_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"quality\"
tests_fuzz_fuzz_quality_LDADD = $(TEXT_MODULE_LIBS) -lm
TESTS += tests/fuzz/fuzz-quality
endif
EXTRA_DIST += tests/fuzz/corpus/quality
