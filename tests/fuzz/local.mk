# tests/fuzz: one harness per parser; each replays its corpus in `make check`.
#
#   check_PROGRAMS += tests/fuzz/fuzz-NAME
#   tests_fuzz_fuzz_NAME_SOURCES = tests/fuzz/fuzz-NAME.c tests/fuzz/replay.c
#   tests_fuzz_fuzz_NAME_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"NAME\"

check_PROGRAMS += tests/fuzz/fuzz-expr
tests_fuzz_fuzz_expr_SOURCES = tests/fuzz/fuzz-expr.c tests/fuzz/replay.c $(FILTER_EXPR)
tests_fuzz_fuzz_expr_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"expr\"
tests_fuzz_fuzz_expr_CFLAGS = $(AM_CFLAGS) $(PCRE2_CFLAGS)
tests_fuzz_fuzz_expr_LDADD = $(TEST_LIBS) $(PCRE2_LIBS)
TESTS += tests/fuzz/fuzz-expr
EXTRA_DIST += tests/fuzz/corpus/expr
