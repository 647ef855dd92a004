# tests: whole pipelines, conformance, fuzzing, benchmarks.
EXTRA_DIST += tests/lsan.supp tests/fuzz/run.sh
include tests/broken/local.mk
include tests/fuzz/local.mk
