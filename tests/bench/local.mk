# tests/bench: how fast; made and run by hand.
EXTRA_PROGRAMS = tests/bench/bench-json
tests_bench_bench_json_SOURCES = tests/bench/bench-json.c
tests_bench_bench_json_LDADD = $(TEST_LIBS)
