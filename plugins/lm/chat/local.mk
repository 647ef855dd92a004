# plugins/lm/chat: records to token ids
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/chat/chat.c \
	plugins/lm/chat/record.c
endif

if HAVE_LM
check_PROGRAMS += plugins/lm/chat/test-chat
plugins_lm_chat_test_chat_SOURCES = plugins/lm/chat/test-chat.c plugins/lm/chat/test-model.h
plugins_lm_chat_test_chat_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/lm/chat/test-chat
endif
