# plugins/lm/lora: adapters
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/lora/lora-private.h \
	plugins/lm/lora/lora.c \
	plugins/lm/lora/peft.c

check_PROGRAMS += plugins/lm/lora/test-lora
plugins_lm_lora_test_lora_SOURCES = plugins/lm/lora/test-lora.c
plugins_lm_lora_test_lora_LDADD = $(LM_MODULE_LIBS)
TESTS += plugins/lm/lora/test-lora
endif
