/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.h: host kernels for what is not a big matrix product (libcompute-cpu, linked into backends).
 *
 * Vectorised for the processor found at run time (baseline, x86-64-v3,
 * x86-64-v4, v4 with AVX512-BF16, the same with AMX) and divided among the threads of OpenMP,
 * which Debian's BLAS and oneDNN use too.  How work is divided is a function
 * of sizes and of c->threads alone; who does a part does not change its result.
 */
#ifndef FLOWRUN_COMPUTE_CPU_H
#define FLOWRUN_COMPUTE_CPU_H

#include "lm/compute.h"

G_BEGIN_DECLS

/** lm_cpu_fill: the slots of @klass that are NULL and implemented here: all operations but memory,
 * matmul and sync. */
void lm_cpu_fill (LmComputeClass *klass);

/**
 * lm_cpu_matmul_small: matmul of compute.h for the shapes where reading once decides: few rows
 * times a stored weight (decoding), and inner or outer dimensions as small as a LoRA rank. Returns:
 * whether it did the product; FALSE: out is untouched, use the general one
 */
gboolean lm_cpu_matmul_small (LmCompute *c, LmMat out, float beta, float alpha, LmMat a,
                              gboolean ta, LmMat b, gboolean tb);

/** lm_cpu_widen: lm_convert() to F32 or BF16, vectorised, one thread; from any numeric type. */
void lm_cpu_widen (LmType from, gconstpointer src, LmType to, gpointer dst, gsize n);

/** lm_cpu_widen_rows: all of @src into @dst (F32 or BF16, same shape), by all threads. */
void lm_cpu_widen_rows (LmCompute *c, LmMat dst, LmMat src);

/** lm_cpu_name: the instruction set in use, for describe(): "AMX", "AVX512-BF16", "AVX512", "AVX2",
 * "baseline". The environment variable FLOWRUN_CPU with such a name lowers it (tests). */
const char *lm_cpu_name (void);

G_END_DECLS

#endif
