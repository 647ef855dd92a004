# plugins/compute/cublas: compute "cublas"; its kernels are also compiled as host C++ for the tests.
if HAVE_LM
if HAVE_CUDA
plugin_LTLIBRARIES += plugins/compute-cublas.la
plugins_compute_cublas_la_SOURCES = plugins/compute/cublas/cublas.c plugins/compute/cublas/kernels.h
plugins_compute_cublas_la_CFLAGS = $(AM_CFLAGS) $(CUDA_CFLAGS)
# nvcc's object goes to the linker as it is, by CUDA_LIBS: libtool knows nothing of nvcc.
CUDA_KERNELS = $(CUDA_OBJECT)
plugins_compute_cublas_la_LDFLAGS = $(MODULE_FLAGS)
plugins_compute_cublas_la_DEPENDENCIES = $(CUDA_KERNELS) plugins/libflowrun-lm.la core/libflowrun.la
plugins_compute_cublas_la_LIBADD = $(CUDA_LIBS) $(LM_MODULE_LIBS)
CLEANFILES += $(CUDA_KERNELS)

# Code for the GPUs of 2020 and 2022, and a form that later ones compile for themselves.
NVCC_FLAGS = -std=c++17 -O3 -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=sm_90 \
	-gencode arch=compute_90,code=compute_90 -diag-suppress 1217 -Xcompiler -fPIC -Xcompiler -fno-threadsafe-statics
$(CUDA_KERNELS): plugins/compute/cublas/kernels.cu plugins/compute/cublas/kernels.h plugins/lm/compute.h
	$(AM_V_GEN)$(MKDIR_P) plugins/compute/cublas && $(NVCC) $(NVCC_FLAGS) -I$(top_srcdir)/core/include \
	-I$(top_srcdir)/plugins -I$(srcdir)/plugins/compute/cublas $(CORE_INCLUDES) -c $(srcdir)/plugins/compute/cublas/kernels.cu -o $@
endif

# The same backend on the host, through the same test as the others.
check_PROGRAMS += plugins/compute/cublas/test-emulated
plugins_compute_cublas_test_emulated_SOURCES = plugins/compute/test-compute.c plugins/compute/cublas/cublas.c \
	plugins/compute/cublas/emulated.cc
plugins_compute_cublas_test_emulated_CPPFLAGS = $(AM_CPPFLAGS) -DFR_EMULATE
plugins_compute_cublas_test_emulated_CFLAGS = $(AM_CFLAGS) $(LM_CFLAGS)
plugins_compute_cublas_test_emulated_CXXFLAGS = $(CORE_CFLAGS) $(OPENMP_CFLAGS) -std=c++17 -Wall -Wextra -ffp-contract=off
plugins_compute_cublas_test_emulated_LDADD = plugins/compute/cpu/libcompute-cpu.la $(LM_MODULE_LIBS)
if !SANITIZERS
# Coroutines are not for AddressSanitizer.
TESTS += plugins/compute/cublas/test-emulated
endif
endif
EXTRA_DIST += plugins/compute/cublas/kernels.cu plugins/compute/cublas/kernels.h plugins/compute/cublas/emulate.h \
	plugins/compute/cublas/emulate-api.h
