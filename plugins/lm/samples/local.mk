# plugins/lm/samples: rows as tokens, kept; orders, micro-batches, their loss
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/lm/samples/dataset.c \
	plugins/lm/samples/measure.c \
	plugins/lm/samples/pack.c \
	plugins/lm/samples/row.c

check_PROGRAMS += plugins/lm/samples/test-samples
plugins_lm_samples_test_samples_SOURCES = plugins/lm/samples/test-samples.c
plugins_lm_samples_test_samples_LDADD = $(LM_MODULE_LIBS)
TESTS += plugins/lm/samples/test-samples
endif
