# fr-build.m4: macros for flowrun's own configure.ac.

# FR_COMPILER_FLAGS: C11 with GNU extensions, warnings; never fast-math (version scripts and -export-symbols hide symbols).
AC_DEFUN([FR_COMPILER_FLAGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [make warnings errors])], [], [enable_werror=no])
  FR_CFLAGS="-std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wformat=2 -Wno-format-nonliteral"
  FR_CFLAGS="$FR_CFLAGS -fno-fast-math -ffp-contract=off -fno-common"
  AS_IF([test "x$enable_werror" = xyes], [FR_CFLAGS="$FR_CFLAGS -Werror"])
  AC_SUBST([FR_CFLAGS])
])

# FR_SANITIZERS: AddressSanitizer and UBSan for everything, or ThreadSanitizer, which does not go together with them.
AC_DEFUN([FR_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers@<:@=thread@:>@],
                                              [build with AddressSanitizer and UBSan, or with ThreadSanitizer])],
                [], [enable_sanitizers=no])
  FR_SANITIZE= FR_SANITIZE_LINK=
  AS_CASE([$enable_sanitizers],
    [no], [],
    [yes], [FR_SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"],
    [thread], [FR_SANITIZE="-fsanitize=thread -fno-omit-frame-pointer"
               # GLib's locks so that the sanitizer sees what they order, in every program and library (tsan-locks.c).
               FR_SANITIZE_LINK="-Wl,tests/tsan/locks.$OBJEXT"],
    [AC_MSG_ERROR([--enable-sanitizers takes yes, no or thread, not '$enable_sanitizers'])])
  AC_SUBST([FR_SANITIZE])
  AC_SUBST([FR_SANITIZE_LINK])
  AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" != xno])
  AM_CONDITIONAL([THREAD_SANITIZER], [test "x$enable_sanitizers" = xthread])
])

# FR_THREAD_SANITIZER: whether single tests can be built with ThreadSanitizer; where all or others are used, none is.
AC_DEFUN([FR_THREAD_SANITIZER], [
  AC_MSG_CHECKING([for ThreadSanitizer])
  fr_save="$CFLAGS"
  CFLAGS="$CFLAGS -fsanitize=thread"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [have_tsan=yes], [have_tsan=no])
  CFLAGS="$fr_save"
  AS_IF([test "x$enable_sanitizers" = xthread && test $have_tsan = no],
        [AC_MSG_ERROR([--enable-sanitizers=thread: $CC does not link with -fsanitize=thread])])
  AS_IF([test "x$enable_sanitizers" != xno], [have_tsan=no])
  AC_MSG_RESULT([$have_tsan])
  AM_CONDITIONAL([HAVE_TSAN], [test $have_tsan = yes])
])

# FR_ENABLE_DEBUG: validate every batch on every push.
AC_DEFUN([FR_ENABLE_DEBUG], [
  AC_ARG_ENABLE([debug], [AS_HELP_STRING([--enable-debug], [validate every batch on every push])], [], [enable_debug=no])
  AS_IF([test "x$enable_debug" = xyes || test "x$enable_sanitizers" != xno],
        [AC_DEFINE([FR_DEBUG], [1], [Validate every batch on every push])])
])

# FR_OPTIONAL(VAR, switch, modules, what): --with-switch; HAVE_VAR; a line for the summary.
AC_DEFUN([FR_OPTIONAL], [
  AC_ARG_WITH([$2], [AS_HELP_STRING([--without-$2], [leave out $4])], [], [with_$2=auto])
  have_$2=no
  AS_IF([test "x$with_$2" != xno],
        [PKG_CHECK_MODULES([$1], [$3], [have_$2=yes],
          [AS_IF([test "x$with_$2" = xyes], [AC_MSG_ERROR([--with-$2 was given, but: $]$1[_PKG_ERRORS])])])])
  AS_IF([test $have_$2 = yes],
        [AC_DEFINE([HAVE_$1], [1], [$4])
         fr_summary="$fr_summary
    yes  $4"],
        [fr_why="--without-$2"
         test "x$with_$2" = xno || fr_why="missing: $3"
         fr_summary="$fr_summary
    no   $4 ($fr_why)"])
  AM_CONDITIONAL([HAVE_$1], [test $have_$2 = yes])
])

# FR_SUMMARY_LINE(yes or no, what, reason)
AC_DEFUN([FR_SUMMARY_LINE], [
  AS_IF([test "$1" = yes], [fr_summary="$fr_summary
    yes  $2"], [fr_summary="$fr_summary
    no   $2 ($3)"])
])

# FR_ONEDNN: oneDNN has no pkg-config file in Debian.
AC_DEFUN([FR_ONEDNN], [
  AC_ARG_WITH([onednn], [AS_HELP_STRING([--without-onednn], [leave out compute "onednn"])], [], [with_onednn=auto])
  have_onednn=no
  AS_IF([test "x$with_onednn" != xno],
        [AC_CHECK_HEADER([dnnl.h], [AC_CHECK_LIB([dnnl], [dnnl_sgemm], [have_onednn=yes])])
         AS_IF([test "x$with_onednn" = xyes && test $have_onednn = no], [AC_MSG_ERROR([--with-onednn was given, but dnnl.h or libdnnl is missing])])])
  ONEDNN_LIBS=
  AS_IF([test $have_onednn = yes], [ONEDNN_LIBS=-ldnnl])
  AC_SUBST([ONEDNN_LIBS])
  FR_SUMMARY_LINE([$have_onednn], [compute "onednn"], [missing or left out: dnnl.h, libdnnl])
  AM_CONDITIONAL([HAVE_ONEDNN], [test $have_onednn = yes])
])

# FR_CUDA: nvcc on the path or in /usr/local/cuda; cuBLAS beside it or in --with-cublas=DIR (PyPI's package unpacked, for one).
AC_DEFUN([FR_CUDA], [
  AC_ARG_WITH([cuda], [AS_HELP_STRING([--without-cuda], [leave out compute "cublas"])], [], [with_cuda=auto])
  AC_ARG_WITH([cublas], [AS_HELP_STRING([--with-cublas=DIR], [where cuBLAS has its include/ and lib/])], [], [with_cublas=])
  have_cuda=no
  NVCC= CUDA_CFLAGS= CUDA_LIBS= CORE_INCLUDES=
  AS_IF([test "x$with_cuda" != xno],
        [AC_PATH_PROG([NVCC], [nvcc], [], [$PATH:/usr/local/cuda/bin])
         AS_IF([test -n "$NVCC"],
               [# nvcc knows where it is at home, also behind a wrapper.
                cuda=$("$NVCC" --dryrun -c -x cu /dev/null -o /dev/null 2>&1 | sed -n 's|.* TOP=||p')
                for cublas in $with_cublas "$cuda"; do
                  for lib in lib64 lib lib/x86_64-linux-gnu; do
                    so=$(ls "$cublas/$lib"/libcublas.so* 2>/dev/null | head -n 1)
                    AS_IF([test $have_cuda = no && test -n "$so" && test -e "$cublas/include/cublas_v2.h"],
                          [have_cuda=yes
                           CUDA_CFLAGS="-isystem $cuda/include -isystem $cublas/include"
                           CUDA_OBJECT=plugins/compute/cublas/kernels.cuda.o
                           CUDA_LIBS="-Wl,$CUDA_OBJECT -Wl,$so -L$cuda/lib64 -lcudart -Wl,-rpath,$cublas/$lib -Wl,-rpath-link,$cublas/$lib -Wl,-rpath,$cuda/lib64"])
                  done
                done])
         AS_IF([test "x$with_cuda" = xyes && test $have_cuda = no], [AC_MSG_ERROR([--with-cuda was given, but nvcc or cuBLAS is missing])])])
  CORE_INCLUDES=$($PKG_CONFIG --cflags-only-I glib-2.0 gio-2.0 json-glib-1.0)
  AC_SUBST([NVCC])
  AC_SUBST([CUDA_CFLAGS])
  AC_SUBST([CUDA_LIBS])
  AC_SUBST([CUDA_OBJECT])
  AC_SUBST([CORE_INCLUDES])
  FR_SUMMARY_LINE([$have_cuda], [compute "cublas" (CUDA kernels)], [missing or left out: nvcc, cuBLAS])
  AM_CONDITIONAL([HAVE_CUDA], [test $have_cuda = yes])
])

# FR_CPU_VARIANTS: OpenMP, and whether the compiler knows the levels of x86-64, for plugins/compute/cpu.
AC_DEFUN([FR_CPU_VARIANTS], [
  AC_OPENMP
  OPENMP_LIBS=
  AS_IF([test -n "$OPENMP_CFLAGS"],
        [AC_CHECK_LIB([gomp], [omp_get_num_threads], [OPENMP_LIBS=-lgomp], [OPENMP_CFLAGS=])])
  AS_IF([test -z "$OPENMP_CFLAGS"], [OPENMP_CFLAGS=-Wno-unknown-pragmas])
  AC_SUBST([OPENMP_LIBS])
  AC_CACHE_CHECK([whether $CC compiles for x86-64-v3, -v4, VNNI and AVX512-BF16], [fr_cv_x86_variants],
    [fr_save_CFLAGS=$CFLAGS
     CFLAGS="-march=x86-64-v4 -mavxvnni -mavx512vnni -mavx512bf16 $CFLAGS"
     AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <immintrin.h>]],
                                        [[__m512 x = _mm512_setzero_ps (); (void) _mm512_cvtneps_pbh (x);
                                          __m256i y = _mm256_setzero_si256 (); (void) _mm256_dpbusd_avx_epi32 (y, y, y);]])],
                       [fr_cv_x86_variants=yes], [fr_cv_x86_variants=no])
     CFLAGS=$fr_save_CFLAGS])
  AS_IF([test $fr_cv_x86_variants = yes], [AC_DEFINE([HAVE_X86_VARIANTS], [1], [Kernels for several levels of x86-64])])
  AM_CONDITIONAL([HAVE_X86_VARIANTS], [test $fr_cv_x86_variants = yes])
  AC_CACHE_CHECK([whether $CC compiles for AMX], [fr_cv_x86_amx],
    [fr_save_CFLAGS=$CFLAGS
     CFLAGS="-march=x86-64-v4 -mavx512bf16 -mamx-tile -mamx-bf16 -mamx-int8 $CFLAGS"
     AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <cpuid.h>
                                          #include <immintrin.h>]],
                                        [[_tile_zero (0); _tile_dpbf16ps (0, 1, 2); _tile_dpbsud (0, 1, 2); return bit_AMX_BF16;]])],
                       [fr_cv_x86_amx=$fr_cv_x86_variants], [fr_cv_x86_amx=no])
     CFLAGS=$fr_save_CFLAGS])
  AS_IF([test $fr_cv_x86_amx = yes], [AC_DEFINE([HAVE_X86_AMX], [1], [Attention and products of int8 and F32 by AMX])])
  AM_CONDITIONAL([HAVE_X86_AMX], [test $fr_cv_x86_amx = yes])
  AC_CACHE_CHECK([whether $CC compiles for aarch64 with DOTPROD], [fr_cv_arm_dotprod],
    [fr_save_CFLAGS=$CFLAGS
     CFLAGS="-march=armv8.2-a+dotprod $CFLAGS"
     AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <arm_neon.h>
                                          #include <sys/auxv.h>]],
                                        [[int32x4_t s = vdupq_n_s32 (0); int8x16_t x = vdupq_n_s8 (0);
                                          return vgetq_lane_s32 (vdotq_s32 (s, x, x), 0) + HWCAP_ASIMDDP;]])],
                       [fr_cv_arm_dotprod=yes], [fr_cv_arm_dotprod=no])
     CFLAGS=$fr_save_CFLAGS])
  AS_IF([test $fr_cv_arm_dotprod = yes], [AC_DEFINE([HAVE_ARM_DOTPROD], [1], [Products of int8 by DOTPROD])])
  AM_CONDITIONAL([HAVE_ARM_DOTPROD], [test $fr_cv_arm_dotprod = yes])
])

AC_DEFUN([FR_SUMMARY], [
  cat <<FR_END

  flowrun $VERSION

    prefix $prefix, compiler $CC, sanitizers $enable_sanitizers, warnings as errors $enable_werror

  built, and left out with the reason:
    yes  core, command, test kit$fr_summary

FR_END
])
