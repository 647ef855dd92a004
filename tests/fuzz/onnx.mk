# Harness of plugins/sinks/onnx: the reader.
if HAVE_LM
check_PROGRAMS += tests/fuzz/fuzz-onnx
TESTS += tests/fuzz/fuzz-onnx
tests_fuzz_fuzz_onnx_SOURCES = tests/fuzz/fuzz-onnx.c tests/fuzz/replay.c $(ONNX_READ)
tests_fuzz_fuzz_onnx_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"onnx\"
tests_fuzz_fuzz_onnx_LDADD = $(TEST_LIBS)
endif
EXTRA_DIST += tests/fuzz/corpus/onnx
