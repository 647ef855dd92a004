# plugins/lm/chat: records to token ids
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/chat/chat.c \
	plugins/lm/chat/record.c
endif
