# tests/conformance: the decoder against transformers and PEFT.
EXTRA_DIST += tests/conformance/test-decoder.py
if HAVE_LM
check_PROGRAMS += tests/conformance/decode
tests_conformance_decode_SOURCES = tests/conformance/decode.c
tests_conformance_decode_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
tests_conformance_decode_LDADD = $(LM_MODULE_LIBS) $(LM_LIBS)
TESTS += tests/conformance/test-decoder.py
endif
