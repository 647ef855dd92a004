# tests: whole pipelines, conformance, fuzzing, benchmarks.
EXTRA_DIST += tests/lsan.supp tests/fuzz/run.sh tests/update-docs.sh tests/bench/csv-jsonl.py tests/bench/csv-jsonl.sh
if HAVE_TEXT
dist_check_SCRIPTS += tests/test-csv.sh
TESTS += tests/test-csv.sh
endif
dist_check_SCRIPTS += tests/test-docs.sh
TESTS += tests/test-docs.sh
dist_check_SCRIPTS += tests/test-schemas.sh
TESTS += tests/test-schemas.sh
include tests/abi/local.mk
include tests/broken/local.mk
include tests/command/local.mk
include tests/fuzz/local.mk
include tests/pipelines/local.mk

# The element pages and the option sections of flowrun(1), from the tables.
update-docs: all
	tests/env.sh $(srcdir)/tests/update-docs.sh
.PHONY: update-docs
