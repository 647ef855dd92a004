# plugins/lm/generate: choosing tokens
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/generate/choice.c \
	plugins/lm/generate/generate.c \
	plugins/lm/generate/sample.c \
	plugins/lm/generate/sums.h
noinst_LTLIBRARIES += plugins/lm/generate/libsums-base.la
plugins_lm_generate_libsums_base_la_SOURCES = plugins/lm/generate/sums.c
plugins_lm_generate_libsums_base_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_SUMS_VARIANT=base
plugins_libflowrun_lm_la_LIBADD += plugins/lm/generate/libsums-base.la
if HAVE_X86_VARIANTS
noinst_LTLIBRARIES += plugins/lm/generate/libsums-v3.la plugins/lm/generate/libsums-v4.la
plugins_libflowrun_lm_la_LIBADD += plugins/lm/generate/libsums-v3.la plugins/lm/generate/libsums-v4.la
plugins_lm_generate_libsums_v3_la_SOURCES = plugins/lm/generate/sums.c
plugins_lm_generate_libsums_v3_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_SUMS_VARIANT=v3
plugins_lm_generate_libsums_v3_la_CFLAGS = $(AM_CFLAGS) -march=x86-64-v3
plugins_lm_generate_libsums_v4_la_SOURCES = plugins/lm/generate/sums.c
plugins_lm_generate_libsums_v4_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_SUMS_VARIANT=v4
plugins_lm_generate_libsums_v4_la_CFLAGS = $(AM_CFLAGS) -march=x86-64-v4 -mprefer-vector-width=512
endif
endif

if HAVE_LM
check_PROGRAMS += plugins/lm/generate/test-generate
plugins_lm_generate_test_generate_SOURCES = plugins/lm/generate/test-generate.c plugins/lm/chat/test-model.h
plugins_lm_generate_test_generate_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/lm/generate/test-generate

check_PROGRAMS += plugins/lm/generate/test-choice
plugins_lm_generate_test_choice_SOURCES = plugins/lm/generate/test-choice.c plugins/lm/chat/test-model.h
plugins_lm_generate_test_choice_LDADD = core/libflowrun-test.la $(LM_MODULE_LIBS)
TESTS += plugins/lm/generate/test-choice
endif
