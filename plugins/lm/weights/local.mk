# plugins/lm/weights: tensors in files, types, configs, models
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/weights/config.c \
	plugins/lm/weights/file.c \
	plugins/lm/weights/gguf.c \
	plugins/lm/weights/gguf-config.c \
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
