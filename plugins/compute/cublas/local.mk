# plugins/compute/cublas: compute "cublas"; its kernels are also compiled as host C++ for the tests.
if HAVE_LM
if HAVE_CUDA
plugin_LTLIBRARIES += plugins/compute-cublas.la
plugins_compute_cublas_la_SOURCES = plugins/compute/cublas/cublas.c plugins/compute/cublas/kernels.h
plugins_compute_cublas_la_CFLAGS = $(AM_CFLAGS) $(CUDA_CFLAGS)
# nvcc's object goes to the linker as it is: libtool knows nothing of nvcc.
CUDA_KERNELS = plugins/compute/cublas/kernels.cuda.o
plugins_compute_cublas_la_LDFLAGS = $(MODULE_FLAGS) -Wl,$(CUDA_KERNELS)
plugins_compute_cublas_la_DEPENDENCIES = $(CUDA_KERNELS) plugins/libflowrun-lm.la core/libflowrun.la
plugins_compute_cublas_la_LIBADD = $(LM_MODULE_LIBS) $(CUDA_LIBS) -lstdc++
CLEANFILES += $(CUDA_KERNELS)

# Code for the GPUs of 2020 and 2022, and a form that later ones compile for themselves.
NVCC_FLAGS = -std=c++17 -O3 -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=sm_90 \
	-gencode arch=compute_90,code=compute_90 -diag-suppress 1217 -Xcompiler -fPIC
$(CUDA_KERNELS): plugins/compute/cublas/kernels.cu plugins/compute/cublas/kernels.h plugins/lm/compute.h
	$(AM_V_GEN)$(MKDIR_P) plugins/compute/cublas && $(NVCC) $(NVCC_FLAGS) -I$(top_srcdir)/core/include \
	-I$(top_srcdir)/plugins -I$(srcdir)/plugins/compute/cublas $(CORE_INCLUDES) -c $(srcdir)/plugins/compute/cublas/kernels.cu -o $@
endif
endif
EXTRA_DIST += plugins/compute/cublas/kernels.cu plugins/compute/cublas/kernels.h plugins/compute/cublas/emulate.h \
	plugins/compute/cublas/emulate-api.h
