# tests/conformance: tokenizers against ours.
if HAVE_LM
check_PROGRAMS += tests/conformance/tokenize
tests_conformance_tokenize_SOURCES = tests/conformance/tokenize.c
tests_conformance_tokenize_LDADD = $(LM_MODULE_LIBS)
TESTS += tests/conformance/test-tokenizer.py
endif
EXTRA_DIST += tests/conformance/test-tokenizer.py
