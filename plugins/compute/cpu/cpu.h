/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.h: host kernels for what is not a big matrix product (libcompute-cpu, linked into backends).
 *
 * Vectorised for the processor found at run time (baseline, x86-64-v3,
 * the same with AVX-VNNI, x86-64-v4, v4 with AVX512-VNNI, with AVX512-BF16 too, the same with AMX;
 * aarch64 with DOTPROD) and divided among a team of threads (team.h).  How work is divided is a
 * function of sizes and of c->threads alone; who does a part, and how many of the threads come to
 * do any, does not change its result.
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

/**
 * lm_cpu_split_bytes: of memory, from the start of a cache line, in which lm_cpu_matmul_split()
 * does this product; 0: it cannot.  It wants AMX, F32 for a and F32 or BF16 for b or BF16 for both,
 * and an F32 output where the inner dimension is above 1024, of BF16 1536.
 */
gsize lm_cpu_split_bytes (const LmCompute *c, LmMat out, LmMat a, gboolean ta, LmMat b);

/** lm_cpu_split_repays: whether it is faster than oneDNN's for a product of this shape. */
gboolean lm_cpu_split_repays (LmMat out, LmMat a, gboolean ta, gboolean tb);

/**
 * lm_cpu_matmul_split: matmul of compute.h by sums of BF16 numbers, with the error of sums of the
 * operands' numbers in F32 or less (split-amx.c says what is lost below 2^-126). What an output is
 * does not depend on the number of threads, nor on the rows and columns beside its own.
 */
void lm_cpu_matmul_split (LmCompute *c, gpointer workspace, LmMat out, float beta, float alpha,
                          LmMat a, gboolean ta, LmMat b, gboolean tb);

/** lm_cpu_widen: lm_convert() to F32 or BF16, vectorised, one thread; from any numeric type. */
void lm_cpu_widen (LmType from, gconstpointer src, LmType to, gpointer dst, gsize n);

/** lm_cpu_widen_rows: all of @src into @dst (F32 or BF16, same shape), by all threads. */
void lm_cpu_widen_rows (LmCompute *c, LmMat dst, LmMat src);

/** lm_cpu_name: the instruction set in use, for describe(): "AMX", "AVX512-BF16", "AVX512-VNNI",
 * "AVX512", "AVX-VNNI", "AVX2", "NEON-DOTPROD", "baseline". The environment variable FLOWRUN_CPU
 * with such a name lowers it (tests). */
const char *lm_cpu_name (void);

G_END_DECLS

#endif
