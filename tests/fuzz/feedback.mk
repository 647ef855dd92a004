check_PROGRAMS += tests/fuzz/fuzz-feedback
tests_fuzz_fuzz_feedback_SOURCES = tests/fuzz/fuzz-feedback.c tests/fuzz/replay.c $(SERVE_FEEDBACK)
tests_fuzz_fuzz_feedback_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"feedback\"
tests_fuzz_fuzz_feedback_LDADD = $(TEST_LIBS)
TESTS += tests/fuzz/fuzz-feedback
EXTRA_DIST += tests/fuzz/corpus/feedback
