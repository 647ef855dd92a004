# plugins/lm: libflowrun-lm: what model elements share.  One folder a part; the headers are the manual.
if HAVE_LM
pkglib_LTLIBRARIES += plugins/libflowrun-lm.la
plugins_libflowrun_lm_la_SOURCES = \
	plugins/lm/answer.h \
	plugins/lm/chat.h \
	plugins/lm/checkpoint.h \
	plugins/lm/compute.h \
	plugins/lm/config.h \
	plugins/lm/decoder.h \
	plugins/lm/export.h \
	plugins/lm/generate.h \
	plugins/lm/level.h \
	plugins/lm/lora.h \
	plugins/lm/model.h \
	plugins/lm/simd.h \
	plugins/lm/samples.h \
	plugins/lm/scheduler.h \
	plugins/lm/template.h \
	plugins/lm/tokenizer.h \
	plugins/lm/type.h
plugins_libflowrun_lm_la_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
plugins_libflowrun_lm_la_LDFLAGS = $(AM_LDFLAGS) -avoid-version $(Z_DEFS) -export-symbols-regex '^lm_'
plugins_libflowrun_lm_la_LIBADD = core/libflowrun.la $(LM_LIBS) $(CORE_LIBS) -lm
LM_MODULE_LIBS = plugins/libflowrun-lm.la core/libflowrun.la $(CORE_LIBS) -lm
endif
include plugins/lm/quantize/local.mk
include plugins/lm/weights/local.mk
include plugins/lm/tokenizer/local.mk
include plugins/lm/template/local.mk
include plugins/lm/chat/local.mk
include plugins/lm/lora/local.mk
include plugins/lm/export/local.mk
include plugins/lm/compute/local.mk
include plugins/lm/decoder/local.mk
include plugins/lm/generate/local.mk
include plugins/lm/scheduler/local.mk
include plugins/lm/samples/local.mk
include plugins/lm/answer/local.mk
