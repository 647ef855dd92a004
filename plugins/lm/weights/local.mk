# plugins/lm/weights: tensors in files, types, configs, models
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/weights/type.c
endif
