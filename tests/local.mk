# tests: whole pipelines, conformance, fuzzing, benchmarks.
EXTRA_DIST += tests/lsan.supp tests/fuzz/run.sh
EXTRA_DIST += tests/bench/csv-jsonl.py tests/bench/csv-jsonl.sh
if HAVE_TEXT
dist_check_SCRIPTS += tests/test-csv.sh
TESTS += tests/test-csv.sh
endif
include tests/fuzz/local.mk
