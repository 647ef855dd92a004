# tests: whole pipelines, conformance, fuzzing, benchmarks.
EXTRA_DIST += tests/lsan.supp tests/fuzz/run.sh
include tests/fuzz/local.mk
include tests/abi/local.mk
