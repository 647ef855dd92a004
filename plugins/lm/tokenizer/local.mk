# plugins/lm/tokenizer: text to ids and back
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/tokenizer/added.c \
	plugins/lm/tokenizer/classes.c \
	plugins/lm/tokenizer/gguf.c \
	plugins/lm/tokenizer/gguf-keys.c \
	plugins/lm/tokenizer/read.c \
	plugins/lm/tokenizer/regex.c \
	plugins/lm/tokenizer/scan.c \
	plugins/lm/tokenizer/split.c \
	plugins/lm/tokenizer/tokenizer-private.h \
	plugins/lm/tokenizer/tokenizer.c \
	plugins/lm/tokenizer/utf8.c \
	plugins/lm/tokenizer/vocab.c
endif

if HAVE_LM
check_PROGRAMS += plugins/lm/tokenizer/test-tokenizer
plugins_lm_tokenizer_test_tokenizer_SOURCES = plugins/lm/tokenizer/test-tokenizer.c
plugins_lm_tokenizer_test_tokenizer_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
plugins_lm_tokenizer_test_tokenizer_LDADD = $(LM_MODULE_LIBS) $(LM_LIBS)
TESTS += plugins/lm/tokenizer/test-tokenizer
endif
