# Harnesses of plugins/lm: weights.
if HAVE_LM
WEIGHTS_FUZZ = tests/fuzz/fuzz-safetensors tests/fuzz/fuzz-gguf tests/fuzz/fuzz-modelconfig
check_PROGRAMS += $(WEIGHTS_FUZZ)
TESTS += $(WEIGHTS_FUZZ)
tests_fuzz_fuzz_safetensors_SOURCES = tests/fuzz/fuzz-safetensors.c tests/fuzz/replay.c
tests_fuzz_fuzz_safetensors_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"safetensors\"
tests_fuzz_fuzz_safetensors_LDADD = $(LM_MODULE_LIBS)
tests_fuzz_fuzz_gguf_SOURCES = tests/fuzz/fuzz-gguf.c tests/fuzz/replay.c
tests_fuzz_fuzz_gguf_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"gguf\"
tests_fuzz_fuzz_gguf_LDADD = $(LM_MODULE_LIBS)
tests_fuzz_fuzz_modelconfig_SOURCES = tests/fuzz/fuzz-modelconfig.c tests/fuzz/replay.c
tests_fuzz_fuzz_modelconfig_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_NAME=\"modelconfig\"
tests_fuzz_fuzz_modelconfig_LDADD = $(LM_MODULE_LIBS)
endif
EXTRA_DIST += tests/fuzz/corpus/safetensors tests/fuzz/corpus/gguf tests/fuzz/corpus/modelconfig
