# tests: whole pipelines, conformance, fuzzing, benchmarks.
EXTRA_DIST += tests/browser.py tests/standin.py tests/lsan.supp tests/update-docs.sh tests/fallen.sh
dist_check_SCRIPTS += tests/test-docs.sh tests/test-schemas.sh
TESTS += tests/test-docs.sh tests/test-schemas.sh

include tests/abi/local.mk
include tests/bench/local.mk
include tests/broken/local.mk
include tests/command/local.mk
include tests/conformance/local.mk
include tests/deploy/local.mk
include tests/fuzz/local.mk
include tests/pipelines/local.mk
include tests/tsan/local.mk

# The element pages and the option sections of flowrun(1), from the tables.
update-docs: all
	tests/env.sh $(srcdir)/tests/update-docs.sh
.PHONY: update-docs

# What only an installed flowrun can show.
EXTRA_DIST += tests/installcheck.sh
if SANITIZERS
SANITIZED = yes
else
SANITIZED = no
endif
installcheck-local:
	DESTDIR='$(DESTDIR)' SANITIZED=$(SANITIZED) bindir='$(bindir)' libdir='$(libdir)' \
	datadir='$(datadir)' mandir='$(mandir)' includedir='$(includedir)' plugindir='$(plugindir)' \
	pipelinedir='$(pipelinedir)' schemadir='$(schemadir)' CC='$(CC)' CXX='$(CXX)' \
	$(SHELL) $(srcdir)/tests/installcheck.sh
