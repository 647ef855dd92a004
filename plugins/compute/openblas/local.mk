# plugins/compute/openblas
if HAVE_LM
if HAVE_OPENBLAS
plugin_LTLIBRARIES += plugins/compute-openblas.la
plugins_compute_openblas_la_SOURCES = plugins/compute/openblas/openblas.c plugins/compute/tiled.c
plugins_compute_openblas_la_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS) $(OPENBLAS_CFLAGS)
plugins_compute_openblas_la_LDFLAGS = $(MODULE_FLAGS)
plugins_compute_openblas_la_LIBADD = plugins/compute/cpu/libcompute-cpu.la $(LM_MODULE_LIBS) \
	$(OPENBLAS_LIBS) $(OPENMP_LIBS)
endif
endif
