# plugins/lm/generate: choosing tokens
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/generate/generate.c \
	plugins/lm/generate/sample.c
endif
