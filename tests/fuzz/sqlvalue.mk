check_PROGRAMS += tests/fuzz/fuzz-sqlvalue
tests_fuzz_fuzz_sqlvalue_SOURCES = tests/fuzz/fuzz-sqlvalue.c tests/fuzz/replay.c
tests_fuzz_fuzz_sqlvalue_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"sqlvalue\"
tests_fuzz_fuzz_sqlvalue_LDADD = plugins/libsql.la $(TEST_LIBS) -lm
TESTS += tests/fuzz/fuzz-sqlvalue
EXTRA_DIST += tests/fuzz/corpus/sqlvalue
