# plugins/compute/onednn
if HAVE_LM
if HAVE_ONEDNN
plugin_LTLIBRARIES += plugins/compute-onednn.la
plugins_compute_onednn_la_SOURCES = plugins/compute/onednn/onednn.c plugins/compute/tiled.c
plugins_compute_onednn_la_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
plugins_compute_onednn_la_LDFLAGS = $(MODULE_FLAGS)
plugins_compute_onednn_la_LIBADD = plugins/compute/cpu/libcompute-cpu.la $(LM_MODULE_LIBS) \
	$(ONEDNN_LIBS) $(OPENMP_LIBS)
endif
endif
