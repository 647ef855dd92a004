# plugins/compute/reference: in libflowrun-lm; the plugin only offers it
if HAVE_LM
plugins_libflowrun_lm_la_SOURCES += \
	plugins/compute/reference/attention.c \
	plugins/compute/reference/matmul.c \
	plugins/compute/reference/packed.c \
	plugins/compute/reference/reference.c \
	plugins/compute/reference/reference.h \
	plugins/compute/reference/rows.c

plugin_LTLIBRARIES += plugins/compute-reference.la
plugins_compute_reference_la_SOURCES = plugins/compute/reference/plugin.c
plugins_compute_reference_la_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
plugins_compute_reference_la_LDFLAGS = $(MODULE_FLAGS)
plugins_compute_reference_la_LIBADD = $(LM_MODULE_LIBS)
endif
