/* SPDX-License-Identifier: Apache-2.0 */
/* openblas.c: the backend "openblas": big products by OpenBLAS in F32, the rest by our own kernels.
 *
 * OpenBLAS multiplies on one thread and our threads share the pieces (tiled.h): its own number of
 * threads belongs to the whole process, where stages may want different ones.
 */
#include "config.h"

#include <cblas.h>
#include <flowrun/flowrun.h>
#include <omp.h>
#include <string.h>

#include "compute/cpu/cpu.h"
#include "compute/tiled.h"

typedef struct
{
  LmCompute base;
  LmComputeClass klass;
  LmTiles *tiles;
} OpenBlas;

static void
multiply (LmCompute *c, guint thread, LmMat out, float beta, float alpha, LmMat a, gboolean ta,
          LmMat b, gboolean tb)
{
  (void) c;
  (void) thread;
  cblas_sgemm (CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
               out.rows, out.cols, ta ? a.rows : a.cols, alpha, a.data, a.stride, b.data, b.stride,
               beta, out.data, out.stride);
}

static void
openblas_matmul (LmCompute *c, LmMat out, float beta, float alpha, LmMat a, gboolean ta, LmMat b,
                 gboolean tb)
{
  static const LmTiling how = { multiply, LM_F32, FALSE, FALSE };

  if (!lm_cpu_matmul_small (c, out, beta, alpha, a, ta, b, tb))
    lm_tiled_matmul (c, ((OpenBlas *) c)->tiles, &how, out, beta, alpha, a, ta, b, tb);
}

/* "OpenBLAS 0.3.21, SkylakeX, kernels AVX512-BF16, 2 threads" */
static char *
openblas_describe (LmCompute *c)
{
  g_auto (GStrv) words = g_strsplit (openblas_get_config (), " ", 3);
  const char *version = words[0] != NULL && words[1] != NULL ? words[1] : "";

  return g_strdup_printf ("OpenBLAS %s, %s, kernels %s, %u thread%s", version,
                          openblas_get_corename (), lm_cpu_name (), c->threads,
                          c->threads == 1 ? "" : "s");
}

static void
openblas_close (LmCompute *c)
{
  lm_tiles_free (((OpenBlas *) c)->tiles);
  g_free (c);
}

static LmCompute *
openblas_open (const LmComputeClass *klass, guint threads, GError **error)
{
  OpenBlas *o = g_new0 (OpenBlas, 1);
  const int before = omp_get_max_threads ();

  (void) error;
  openblas_set_num_threads (1);
  omp_set_num_threads (before); /* which a build for OpenMP has set, too */
  o->klass = *klass;
  o->klass.close = openblas_close;
  o->klass.describe = openblas_describe;
  o->klass.matmul = openblas_matmul;
  lm_cpu_fill (&o->klass);
  lm_compute_inherit (&o->klass, lm_compute_reference ());
  o->base.klass = &o->klass;
  o->base.threads = threads;
  o->tiles = lm_tiles_new (threads);
  return &o->base;
}

static int
openblas_score (const char **why)
{
  *why = "F32 only: BF16 and quantised weights are widened";
  return 10;
}

static const LmComputeClass table = {
  .version = LM_COMPUTE_VERSION,
  .name = "openblas",
  .host_memory = TRUE,
  .open = openblas_open,
};

static const FrService openblas = {
  .size = sizeof (FrService),
  .kind = LM_COMPUTE_KIND,
  .name = "openblas",
  .version = LM_COMPUTE_VERSION,
  .summary = "processors, with OpenBLAS for matrix products",
  .score = openblas_score,
  .table = &table,
};

static const FrService *const services[] = { &openblas, NULL };

FR_PLUGIN_SERVICES ("compute-openblas", "0.1.0", "compute with OpenBLAS", "Apache-2.0", "flowrun",
                    services)
