# plugins/lm/weights: tensors in files, types, configs, models
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/weights/config.c \
	plugins/lm/weights/file.c \
	plugins/lm/weights/gguf.c \
	plugins/lm/weights/guard.c \
	plugins/lm/weights/gguf-config.c \
	plugins/lm/weights/gguf-keys.c \
	plugins/lm/weights/gguf-write.c \
	plugins/lm/weights/keep.c \
	plugins/lm/weights/model.c \
	plugins/lm/weights/model-private.h \
	plugins/lm/weights/open.c \
	plugins/lm/weights/safetensors.c \
	plugins/lm/weights/safetensors-write.c \
	plugins/lm/weights/side.c \
	plugins/lm/weights/type.c \
	plugins/lm/weights/weights-private.h
endif

if HAVE_LM
WEIGHTS_TESTS = plugins/lm/weights/test-type plugins/lm/weights/test-weights \
	plugins/lm/weights/test-config plugins/lm/weights/test-model plugins/lm/weights/test-gguf-write \
	plugins/lm/weights/test-guard
check_PROGRAMS += $(WEIGHTS_TESTS)
TESTS += $(WEIGHTS_TESTS)
plugins_lm_weights_test_type_SOURCES = plugins/lm/weights/test-type.c
plugins_lm_weights_test_type_LDADD = $(LM_MODULE_LIBS)
plugins_lm_weights_test_weights_SOURCES = plugins/lm/weights/test-weights.c plugins/lm/weights/test-files.h
plugins_lm_weights_test_weights_LDADD = $(LM_MODULE_LIBS)
plugins_lm_weights_test_config_SOURCES = plugins/lm/weights/test-config.c plugins/lm/weights/test-files.h
plugins_lm_weights_test_config_LDADD = $(LM_MODULE_LIBS)
plugins_lm_weights_test_gguf_write_SOURCES = plugins/lm/weights/test-gguf-write.c
plugins_lm_weights_test_gguf_write_LDADD = $(LM_MODULE_LIBS)
plugins_lm_weights_test_guard_SOURCES = plugins/lm/weights/test-guard.c plugins/lm/weights/test-files.h
plugins_lm_weights_test_guard_LDADD = $(LM_MODULE_LIBS)
plugins_lm_weights_test_model_SOURCES = plugins/lm/weights/test-model.c plugins/lm/weights/test-files.h
plugins_lm_weights_test_model_LDADD = $(LM_MODULE_LIBS)
endif
