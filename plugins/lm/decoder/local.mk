# plugins/lm/decoder: forward, backward, cache
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/decoder/adapter.c \
	plugins/lm/decoder/attention.c \
	plugins/lm/decoder/buffers.c \
	plugins/lm/decoder/cache.c \
	plugins/lm/decoder/decoder-private.h \
	plugins/lm/decoder/decoder.c \
	plugins/lm/decoder/feedforward.c \
	plugins/lm/decoder/head.c \
	plugins/lm/decoder/layer.c \
	plugins/lm/decoder/linear.c \
	plugins/lm/decoder/packed.c \
	plugins/lm/decoder/params.c

check_PROGRAMS += plugins/lm/decoder/test-decoder
plugins_lm_decoder_test_decoder_SOURCES = plugins/lm/decoder/test-decoder.c
plugins_lm_decoder_test_decoder_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
plugins_lm_decoder_test_decoder_LDADD = $(LM_MODULE_LIBS) $(LM_LIBS)
TESTS += plugins/lm/decoder/test-decoder

check_PROGRAMS += plugins/lm/decoder/test-int8
plugins_lm_decoder_test_int8_SOURCES = plugins/lm/decoder/test-int8.c
plugins_lm_decoder_test_int8_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
plugins_lm_decoder_test_int8_LDADD = $(LM_MODULE_LIBS) $(LM_LIBS)
TESTS += plugins/lm/decoder/test-int8
endif
