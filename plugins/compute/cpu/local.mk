# plugins/compute/cpu: kernels of the host; backends link libcompute-cpu.la.
if HAVE_LM
noinst_LTLIBRARIES += plugins/compute/cpu/libcompute-cpu.la plugins/compute/cpu/libkernels-base.la
plugins_compute_cpu_libcompute_cpu_la_SOURCES = \
	plugins/compute/cpu/attend.c \
	plugins/compute/cpu/cpu.c \
	plugins/compute/cpu/cpu.h \
	plugins/compute/cpu/int8-amx.h \
	plugins/compute/cpu/int8.h \
	plugins/compute/cpu/kernels.h \
	plugins/compute/cpu/pack.c \
	plugins/compute/cpu/packed.c \
	plugins/compute/cpu/packed.h \
	plugins/compute/cpu/slots.c \
	plugins/compute/cpu/small.c \
	plugins/compute/cpu/team.c \
	plugins/compute/cpu/team.h \
	plugins/compute/cpu/split.c \
	plugins/compute/cpu/tile-amx.h \
	plugins/compute/cpu/tile-config.h \
	plugins/compute/cpu/tile.h \
	plugins/compute/cpu/transpose.h \
	plugins/compute/cpu/unpack.h
plugins_compute_cpu_libcompute_cpu_la_LIBADD = plugins/compute/cpu/libkernels-base.la

# The same kernels for one instruction set after the other (kernels.h).
CPU_KERNELS = \
	plugins/compute/cpu/attention.c \
	plugins/compute/cpu/int8.c \
	plugins/compute/cpu/product.c \
	plugins/compute/cpu/rows.c
plugins_compute_cpu_libkernels_base_la_SOURCES = $(CPU_KERNELS)
plugins_compute_cpu_libkernels_base_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_CPU_VARIANT=base
if HAVE_X86_VARIANTS
CPU_VARIANTS = \
	plugins/compute/cpu/libkernels-avxvnni.la \
	plugins/compute/cpu/libkernels-bf16.la \
	plugins/compute/cpu/libkernels-v3.la \
	plugins/compute/cpu/libkernels-v4.la \
	plugins/compute/cpu/libkernels-vnni.la
noinst_LTLIBRARIES += $(CPU_VARIANTS)
plugins_compute_cpu_libcompute_cpu_la_LIBADD += $(CPU_VARIANTS)
plugins_compute_cpu_libkernels_v3_la_SOURCES = $(CPU_KERNELS)
plugins_compute_cpu_libkernels_v3_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_CPU_VARIANT=v3
plugins_compute_cpu_libkernels_v3_la_CFLAGS = $(AM_CFLAGS) -march=x86-64-v3
plugins_compute_cpu_libkernels_avxvnni_la_SOURCES = plugins/compute/cpu/int8.c
plugins_compute_cpu_libkernels_avxvnni_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_CPU_VARIANT=avxvnni
plugins_compute_cpu_libkernels_avxvnni_la_CFLAGS = $(AM_CFLAGS) -march=x86-64-v3 -mavxvnni
plugins_compute_cpu_libkernels_v4_la_SOURCES = $(CPU_KERNELS)
plugins_compute_cpu_libkernels_v4_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_CPU_VARIANT=v4
plugins_compute_cpu_libkernels_v4_la_CFLAGS = $(AM_CFLAGS) -march=x86-64-v4 -mprefer-vector-width=512
plugins_compute_cpu_libkernels_vnni_la_SOURCES = plugins/compute/cpu/int8.c
plugins_compute_cpu_libkernels_vnni_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_CPU_VARIANT=vnni
plugins_compute_cpu_libkernels_vnni_la_CFLAGS = $(AM_CFLAGS) -march=x86-64-v4 -mavx512vnni -mprefer-vector-width=512
plugins_compute_cpu_libkernels_bf16_la_SOURCES = $(CPU_KERNELS)
plugins_compute_cpu_libkernels_bf16_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_CPU_VARIANT=bf16
plugins_compute_cpu_libkernels_bf16_la_CFLAGS = $(AM_CFLAGS) -march=x86-64-v4 -mavx512vnni -mavx512bf16 \
	-mprefer-vector-width=512
endif
if HAVE_X86_AMX
noinst_LTLIBRARIES += plugins/compute/cpu/libkernels-amx.la
plugins_compute_cpu_libcompute_cpu_la_LIBADD += plugins/compute/cpu/libkernels-amx.la
plugins_compute_cpu_libkernels_amx_la_SOURCES = \
	plugins/compute/cpu/attention.c \
	plugins/compute/cpu/int8.c \
	plugins/compute/cpu/split-amx.c
plugins_compute_cpu_libkernels_amx_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_CPU_VARIANT=amx
plugins_compute_cpu_libkernels_amx_la_CFLAGS = $(AM_CFLAGS) -march=x86-64-v4 -mavx512vnni -mavx512bf16 \
	-mamx-tile -mamx-bf16 -mamx-int8 -mprefer-vector-width=512
endif
if HAVE_ARM_DOTPROD
noinst_LTLIBRARIES += plugins/compute/cpu/libkernels-dotprod.la
plugins_compute_cpu_libcompute_cpu_la_LIBADD += plugins/compute/cpu/libkernels-dotprod.la
plugins_compute_cpu_libkernels_dotprod_la_SOURCES = plugins/compute/cpu/int8.c
plugins_compute_cpu_libkernels_dotprod_la_CPPFLAGS = $(AM_CPPFLAGS) -DLM_CPU_VARIANT=dotprod
plugins_compute_cpu_libkernels_dotprod_la_CFLAGS = $(AM_CFLAGS) -march=armv8.2-a+dotprod
endif

check_PROGRAMS += plugins/compute/cpu/test-team
plugins_compute_cpu_test_team_SOURCES = plugins/compute/cpu/test-team.c
plugins_compute_cpu_test_team_LDADD = plugins/compute/cpu/libcompute-cpu.la $(LM_MODULE_LIBS)
TESTS += plugins/compute/cpu/test-team

check_PROGRAMS += plugins/compute/cpu/bench-cpu
plugins_compute_cpu_bench_cpu_SOURCES = plugins/compute/cpu/bench-cpu.c
plugins_compute_cpu_bench_cpu_LDADD = plugins/compute/cpu/libcompute-cpu.la $(LM_MODULE_LIBS)
endif
