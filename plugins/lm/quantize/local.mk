# plugins/lm/quantize: numbers to the block types of GGUF, for one instruction set after the other.
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/quantize/quantize.c \
	plugins/lm/quantize/quantize-private.h
noinst_LTLIBRARIES += plugins/lm/quantize/libquantize-base.la
plugins_lm_quantize_libquantize_base_la_SOURCES = plugins/lm/quantize/blocks.c
plugins_lm_quantize_libquantize_base_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_QUANTIZE_VARIANT=base
plugins_libflowrun_lm_la_LIBADD += plugins/lm/quantize/libquantize-base.la
if HAVE_X86_VARIANTS
noinst_LTLIBRARIES += plugins/lm/quantize/libquantize-v3.la plugins/lm/quantize/libquantize-v4.la
plugins_libflowrun_lm_la_LIBADD += plugins/lm/quantize/libquantize-v3.la \
	plugins/lm/quantize/libquantize-v4.la
plugins_lm_quantize_libquantize_v3_la_SOURCES = plugins/lm/quantize/blocks.c
plugins_lm_quantize_libquantize_v3_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_QUANTIZE_VARIANT=v3
plugins_lm_quantize_libquantize_v3_la_CFLAGS = $(AM_CFLAGS) -march=x86-64-v3
plugins_lm_quantize_libquantize_v4_la_SOURCES = plugins/lm/quantize/blocks.c
plugins_lm_quantize_libquantize_v4_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_QUANTIZE_VARIANT=v4
plugins_lm_quantize_libquantize_v4_la_CFLAGS = $(AM_CFLAGS) -march=x86-64-v4 -mprefer-vector-width=512
endif

check_PROGRAMS += plugins/lm/quantize/test-quantize
plugins_lm_quantize_test_quantize_SOURCES = plugins/lm/quantize/test-quantize.c
plugins_lm_quantize_test_quantize_LDADD = $(LM_MODULE_LIBS)
TESTS += plugins/lm/quantize/test-quantize
endif
