# tests/conformance: tokenizers against ours.
dist_check_SCRIPTS += tests/conformance/test-tokenizer.py
if HAVE_LM
check_PROGRAMS += tests/conformance/tokenize
tests_conformance_tokenize_SOURCES = tests/conformance/tokenize.c
tests_conformance_tokenize_LDADD = $(LM_MODULE_LIBS)
TESTS += tests/conformance/test-tokenizer.py
endif
