# tests/conformance: what sink.gguf writes, read by gguf, llama.cpp and @huggingface/gguf.
dist_check_SCRIPTS += tests/conformance/test-gguf.py
if HAVE_LM
check_PROGRAMS += tests/conformance/quantize
tests_conformance_quantize_SOURCES = tests/conformance/quantize.c
tests_conformance_quantize_LDADD = $(LM_MODULE_LIBS)
TESTS += tests/conformance/test-gguf.py
endif
