# plugins/compute: who multiplies matrices.
include plugins/compute/reference/local.mk
include plugins/compute/cpu/local.mk
include plugins/compute/openblas/local.mk
include plugins/compute/onednn/local.mk
include plugins/compute/cublas/local.mk

EXTRA_DIST += plugins/compute/tiled.h

if HAVE_LM
check_PROGRAMS += plugins/compute/test-compute
plugins_compute_test_compute_SOURCES = plugins/compute/test-compute.c
plugins_compute_test_compute_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
plugins_compute_test_compute_LDADD = plugins/compute/cpu/libcompute-cpu.la $(LM_MODULE_LIBS)
TESTS += plugins/compute/test-compute
dist_check_SCRIPTS += plugins/compute/test-levels.sh
TESTS += plugins/compute/test-levels.sh

check_PROGRAMS += plugins/compute/bench-compute
plugins_compute_bench_compute_SOURCES = plugins/compute/bench-compute.c
plugins_compute_bench_compute_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
plugins_compute_bench_compute_LDADD = $(LM_MODULE_LIBS)
endif
