/* SPDX-License-Identifier: Apache-2.0 */
/* cublas.c: compute "cublas": a backend in a GPU's memory.
 *
 * Big products are cuBLAS's (cublasGemmEx with F32 accumulation); everything
 * else is in kernels.cu.  One stream carries all work in order, so buffers can
 * be used again without waiting.  What the caller has in host memory (tokens,
 * keys, spans) is staged through a buffer that the stream orders as well.
 *
 * cuBLAS counts in columns: a row-major matrix is its transpose there, so
 * out = a · b is asked for as outᵀ = bᵀ · aᵀ.
 *
 * F32 products use plain F32 arithmetic, not TF32, which keeps 10 bits.
 *
 * With FR_EMULATE it is built for its test alone, on the host.
 */
#include "config.h"

#include <flowrun/flowrun.h>
#include <math.h>

#ifdef FR_EMULATE
#include "emulate-api.h"
#else
#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#endif

#include "kernels.h"

typedef struct
{
  LmCompute base;
  cudaStream_t stream;
  cublasHandle_t blas;
  GError *failure; /* the first since the last sync */
  gpointer staged, scratch[2];
  gsize staged_bytes, scratch_bytes[2];
  gsize shared_limit;
  char name[256];
} Device;

static Device *
device (LmCompute *c)
{
  return (Device *) c;
}

/* ---- failures ------------------------------------------------------------------------ */

static gboolean
check (Device *d, cudaError_t status, const char *what)
{
  if (status == cudaSuccess)
    return TRUE;
  if (d->failure == NULL)
    g_set_error (&d->failure, FR_ERROR, FR_ERROR_COMPUTE, "%s: %s: %s", d->name, what,
                 cudaGetErrorString (status));
  return FALSE;
}

static void
launched (Device *d, const char *what)
{
  check (d, cudaPeekAtLastError (), what);
}

/* ---- memory ---------------------------------------------------------------------------- */

static gpointer
cublas_alloc (LmCompute *c, gsize bytes, GError **error)
{
  gpointer data = NULL;
  cudaError_t status = cudaMalloc (&data, MAX (bytes, 1));

  if (status == cudaSuccess)
    return data;
  (void) cudaGetLastError ();
  g_set_error (error, FR_ERROR, FR_ERROR_IO,
               "%s has no %.1f MiB more (%s): use smaller micro-batches, recompute, or a bf16 type",
               device (c)->name, (double) bytes / 1048576, cudaGetErrorString (status));
  return NULL;
}

static void
cublas_release (LmCompute *c, gpointer data, gsize bytes)
{
  (void) bytes;
  check (device (c), cudaFree (data), "giving memory back");
}

static void
cublas_upload (LmCompute *c, gpointer dst, gconstpointer src, gsize bytes)
{
  Device *d = device (c);

  if (bytes > 0)
    check (d, cudaMemcpyAsync (dst, src, bytes, cudaMemcpyHostToDevice, d->stream), "copying to the GPU");
}

static void
cublas_download (LmCompute *c, gpointer dst, gconstpointer src, gsize bytes)
{
  Device *d = device (c);

  if (bytes > 0
      && check (d, cudaMemcpyAsync (dst, src, bytes, cudaMemcpyDeviceToHost, d->stream),
                "copying from the GPU"))
    check (d, cudaStreamSynchronize (d->stream), "waiting for the GPU");
}

static void
cublas_copy (LmCompute *c, gpointer dst, gconstpointer src, gsize bytes)
{
  Device *d = device (c);

  if (bytes > 0)
    check (d, cudaMemcpyAsync (dst, src, bytes, cudaMemcpyDeviceToDevice, d->stream), "copying");
}

static void
cublas_zero (LmCompute *c, gpointer dst, gsize bytes)
{
  Device *d = device (c);

  if (bytes > 0)
    check (d, cudaMemsetAsync (dst, 0, bytes, d->stream), "clearing memory");
}

static gboolean
cublas_sync (LmCompute *c, GError **error)
{
  Device *d = device (c);

  check (d, cudaStreamSynchronize (d->stream), "waiting for the GPU");
  if (d->failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&d->failure));
  return FALSE;
}

static gboolean
cublas_import (LmCompute *c, LmMat *m, gsize *bytes, GError **error)
{
  gsize n = m->rows * lm_type_bytes (m->type, m->stride);
  gpointer data = cublas_alloc (c, n, error);

  if (data == NULL)
    return FALSE;
  cublas_upload (c, data, m->data, n);
  m->data = data;
  *bytes = n;
  return cublas_sync (c, error);
}

/* Device memory of at least @bytes that grows and stays; NULL with the failure kept. */
static gpointer
grown (Device *d, gpointer *data, gsize *have, gsize bytes)
{
  if (bytes > *have)
    {
      g_autoptr (GError) error = NULL;

      /* Work under way may still read the old one. */
      check (d, cudaStreamSynchronize (d->stream), "waiting for the GPU");
      check (d, cudaFree (*data), "giving memory back");
      *have = 0;
      *data = cublas_alloc (&d->base, bytes, &error);
      if (*data == NULL)
        {
          if (d->failure == NULL)
            d->failure = g_steal_pointer (&error);
          return NULL;
        }
      *have = bytes;
    }
  return *data;
}

/* @bytes at @src on the device, until the next call; @extra: uninitialised bytes after them. */
static gpointer
stage (Device *d, gconstpointer src, gsize bytes, gsize extra)
{
  gsize padded = (bytes + 255) / 256 * 256;
  gpointer data = grown (d, &d->staged, &d->staged_bytes, padded + extra);

  if (data != NULL)
    cublas_upload (&d->base, data, src, bytes);
  return data;
}

/* ---- products ----------------------------------------------------------------------------- */

static cudaDataType_t
cuda_type (LmType type)
{
  return type == LM_F32 ? CUDA_R_32F : CUDA_R_16BF;
}

/* @m as @type, in scratch @i where it is not already. */
static gboolean
as_type (Device *d, LmMat *m, LmType type, guint i)
{
  LmMat wide;

  if (m->type == type)
    return TRUE;
  wide = lm_mat (grown (d, &d->scratch[i], &d->scratch_bytes[i],
                        m->rows * m->cols * lm_types[type].bytes),
                 type, m->rows, m->cols);
  if (wide.data == NULL)
    return FALSE;
  fr_cuda_widen (d->stream, wide, *m);
  *m = wide;
  return TRUE;
}

static void
gemm (Device *d, LmMat out, float beta, float alpha, LmMat a, gboolean ta, LmMat b, gboolean tb)
{
  gsize inner = ta ? a.rows : a.cols;
  cublasStatus_t status = cublasGemmEx (
      d->blas, tb ? CUBLAS_OP_T : CUBLAS_OP_N, ta ? CUBLAS_OP_T : CUBLAS_OP_N, (int) out.cols,
      (int) out.rows, (int) inner, &alpha, b.data, cuda_type (b.type), (int) b.stride, a.data,
      cuda_type (a.type), (int) a.stride, &beta, out.data, cuda_type (out.type), (int) out.stride,
      CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);

  if (status != CUBLAS_STATUS_SUCCESS && d->failure == NULL)
    g_set_error (&d->failure, FR_ERROR, FR_ERROR_COMPUTE, "%s: product of %zu x %zu x %zu: %s", d->name,
                 out.rows, inner, out.cols, cublasGetStatusString (status));
}

static void
cublas_matmul (LmCompute *c, LmMat out, float beta, float alpha, LmMat a, gboolean ta, LmMat b,
               gboolean tb)
{
  Device *d = device (c);
  /* Both in 16 bits, or both in 32: cuBLAS does not mix. */
  LmType type = a.type == LM_BF16 && b.type != LM_F32 ? LM_BF16 : LM_F32;
  gsize inner = ta ? a.rows : a.cols;

  if (out.rows == 0 || out.cols == 0)
    return;
  if (inner == 0)
    {
      for (gsize r = 0; beta == 0 && r < out.rows; r++)
        cublas_zero (c, lm_mat_rows (out, r, 1).data, lm_type_bytes (out.type, out.cols));
      return;
    }
  if (!as_type (d, &a, type, 0) || !as_type (d, &b, type, 1))
    return;
  if (out.type == LM_F32 || type == LM_BF16)
    {
      gemm (d, out, beta, alpha, a, ta, b, tb);
      return;
    }
  /* 32-bit operands, 16-bit result: by way of a 32-bit one. */
  LmMat wide = lm_mat (stage (d, NULL, 0, out.rows * out.cols * sizeof (float)), LM_F32, out.rows, out.cols);
  if (wide.data == NULL)
    return;
  gemm (d, wide, 0, alpha, a, ta, b, tb);
  fr_cuda_accumulate (d->stream, out, beta, wide);
  launched (d, "product");
}

/* ---- the rest: kernels.cu ------------------------------------------------------------------- */

static void
cublas_add (LmCompute *c, LmMat x, LmMat y)
{
  fr_cuda_add (device (c)->stream, x, y);
  launched (device (c), "add");
}

static void
cublas_add_row (LmCompute *c, LmMat x, LmMat row)
{
  fr_cuda_add_row (device (c)->stream, x, row);
  launched (device (c), "add_row");
}

static void
cublas_sum_rows (LmCompute *c, LmMat sum, LmMat x)
{
  fr_cuda_sum_rows (device (c)->stream, sum, x);
  launched (device (c), "sum_rows");
}

static void
cublas_cast (LmCompute *c, LmMat dst, LmMat src)
{
  fr_cuda_cast (device (c)->stream, dst, src);
  launched (device (c), "cast");
}

static void
cublas_silu (LmCompute *c, LmMat out, LmMat gate, LmMat up)
{
  fr_cuda_silu (device (c)->stream, out, gate, up);
  launched (device (c), "silu");
}

static void
cublas_silu_back (LmCompute *c, LmMat dgate, LmMat dup, LmMat dout, LmMat gate, LmMat up)
{
  fr_cuda_silu_back (device (c)->stream, dgate, dup, dout, gate, up);
  launched (device (c), "silu_back");
}

static void
cublas_dropout (LmCompute *c, LmMat out, gboolean add, LmMat x, const guint64 *keys, float rate)
{
  const guint64 *staged = stage (device (c), keys, x.rows * sizeof *keys, 0);

  if (staged == NULL)
    return;
  fr_cuda_dropout (device (c)->stream, out, add, x, staged, rate);
  launched (device (c), "dropout");
}

static void
cublas_rms_norm (LmCompute *c, LmMat out, LmMat rstd, LmMat x, LmMat weight, float epsilon)
{
  fr_cuda_rms_norm (device (c)->stream, out, rstd, x, weight, epsilon);
  launched (device (c), "rms_norm");
}

static void
cublas_rms_norm_back (LmCompute *c, LmMat dx, float beta, LmMat dweight, LmMat dout, LmMat x, LmMat weight,
                      LmMat rstd)
{
  fr_cuda_rms_norm_back (device (c)->stream, dx, beta, dweight, dout, x, weight, rstd);
  launched (device (c), "rms_norm_back");
}

static void
cublas_rope (LmCompute *c, LmMat x, guint heads, guint head_dim, guint half, const gint32 *positions,
             LmMat cos, LmMat sin, gboolean inverse)
{
  const gint32 *staged = stage (device (c), positions, x.rows * sizeof *positions, 0);

  if (staged == NULL)
    return;
  fr_cuda_rope (device (c)->stream, x, heads, head_dim, half, staged, cos, sin, inverse);
  launched (device (c), "rope");
}

/* The tiles of all spans, by queries or by keys. */
static GArray *
tiles_of (const LmAttention *a, gboolean keys)
{
  GArray *tiles = g_array_new (FALSE, FALSE, sizeof (FrTileOf));

  for (gsize s = 0; s < a->n_spans; s++)
    {
      const LmSpan *span = &a->spans[s];
      gsize rows = keys ? span->k_rows : span->q_rows;

      for (gsize first = 0; first < rows; first += FR_TILE)
        {
          FrTileOf tile = { (guint32) first, (guint32) span->q_start, (guint32) span->q_rows,
                            (guint32) span->k_start, (guint32) span->k_rows };
          g_array_append_val (tiles, tile);
        }
    }
  return tiles;
}

/* Head sizes come from a checkpoint, the memory from the device. */
static gboolean
heads_fit (Device *d, const LmAttention *a)
{
  if (fr_cuda_shared_ok (a->key_dim, a->value_dim, d->shared_limit))
    return TRUE;
  if (d->failure == NULL)
    g_set_error (&d->failure, FR_ERROR, FR_ERROR_COMPUTE,
                 "%s: heads of %u and %u numbers do not fit into its %zu KiB of shared memory", d->name,
                 a->key_dim, a->value_dim, d->shared_limit / 1024);
  return FALSE;
}

static void
cublas_attention (LmCompute *c, const LmAttention *a)
{
  Device *d = device (c);
  g_autoptr (GArray) tiles = tiles_of (a, FALSE);
  const FrTileOf *staged;

  if (!heads_fit (d, a) || tiles->len == 0)
    return;
  staged = stage (d, tiles->data, tiles->len * sizeof (FrTileOf), 0);
  if (staged == NULL)
    return;
  fr_cuda_attention (d->stream, a, staged, tiles->len);
  launched (d, "attention");
}

static void
cublas_attention_back (LmCompute *c, const LmAttention *a, LmMat dout, LmMat dq, LmMat dk, LmMat dv)
{
  Device *d = device (c);
  g_autoptr (GArray) tiles = tiles_of (a, FALSE);
  g_autoptr (GArray) by_keys = tiles_of (a, TRUE);
  guint n_q = tiles->len, n_k = by_keys->len;
  gsize bytes = (n_q + n_k) * sizeof (FrTileOf);
  char *staged;

  if (!heads_fit (d, a) || n_q == 0)
    return;
  g_array_append_vals (tiles, by_keys->data, n_k);
  staged = stage (d, tiles->data, bytes, dout.rows * a->n_heads * sizeof (float));
  if (staged == NULL)
    return;
  fr_cuda_attention_back (d->stream, a, dout, dq, dk, dv, (float *) (staged + (bytes + 255) / 256 * 256),
                          (const FrTileOf *) staged, n_q, (const FrTileOf *) staged + n_q, n_k);
  launched (d, "attention_back");
}

static void
cublas_embed (LmCompute *c, LmMat out, LmMat weight, const gint32 *tokens)
{
  const gint32 *staged = stage (device (c), tokens, out.rows * sizeof *tokens, 0);

  if (staged == NULL)
    return;
  fr_cuda_embed (device (c)->stream, out, weight, staged);
  launched (device (c), "embed");
}

static void
cublas_embed_back (LmCompute *c, LmMat dweight, LmMat dout, const gint32 *tokens)
{
  const gint32 *staged = stage (device (c), tokens, dout.rows * sizeof *tokens, 0);

  if (staged == NULL)
    return;
  fr_cuda_embed_back (device (c)->stream, dweight, dout, staged);
  launched (device (c), "embed_back");
}

static void
cublas_cross_entropy (LmCompute *c, LmMat logits, const gint32 *targets, float *losses, float grad_scale)
{
  Device *d = device (c);
  gsize bytes = logits.rows * sizeof *targets, padded = (bytes + 255) / 256 * 256;
  char *staged;

  if (logits.rows == 0)
    return;
  staged = stage (d, targets, bytes, logits.rows * sizeof *losses);
  if (staged == NULL)
    return;
  fr_cuda_cross_entropy (d->stream, logits, (const gint32 *) staged, (float *) (staged + padded), grad_scale);
  launched (d, "cross_entropy");
  cublas_download (c, losses, staged + padded, logits.rows * sizeof *losses);
}

static void
cublas_adamw (LmCompute *c, gpointer param, gconstpointer grad, gpointer m, gpointer v, gsize n,
              const LmAdam *adam)
{
  fr_cuda_adamw (device (c)->stream, param, grad, m, v, n, adam,
                 (float) (1 - pow (adam->beta1, (double) adam->step)),
                 (float) (1 - pow (adam->beta2, (double) adam->step)));
  launched (device (c), "adamw");
}

/* The kernels are for devices from Ampere on, which have it. */
static gboolean
cublas_fast_bf16 (LmCompute *c)
{
  (void) c;
  return TRUE;
}

static double
cublas_sum_squares (LmCompute *c, gconstpointer x, gsize n)
{
  Device *d = device (c);
  double partial[FR_SUMS] = { 0 }, sum = 0;
  gpointer staged = stage (d, NULL, 0, sizeof partial);

  if (staged == NULL)
    return NAN;
  fr_cuda_sum_squares (d->stream, x, n, staged);
  launched (d, "sum_squares");
  cublas_download (c, partial, staged, sizeof partial);
  for (guint i = 0; i < FR_SUMS; i++)
    sum += partial[i];
  return sum;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void
cublas_close (LmCompute *c)
{
  Device *d = device (c);

  if (d->blas != NULL)
    cublasDestroy (d->blas);
  for (guint i = 0; i < 2; i++)
    cudaFree (d->scratch[i]);
  cudaFree (d->staged);
  if (d->stream != NULL)
    cudaStreamDestroy (d->stream);
  g_clear_error (&d->failure);
  g_free (d);
}

static LmCompute *
cublas_open (const LmComputeClass *klass, guint threads, GError **error)
{
  Device *d = g_new0 (Device, 1);
  struct cudaDeviceProp properties;
  int index = 0;

  d->base.klass = klass;
  d->base.threads = threads;
  g_strlcpy (d->name, "cuBLAS", sizeof d->name);
  if (!check (d, cudaGetDevice (&index), "choosing a GPU")
      || !check (d, cudaGetDeviceProperties (&properties, index), "asking the GPU what it is")
      || !check (d, cudaStreamCreate (&d->stream), "making a stream"))
    {
      g_propagate_error (error, g_steal_pointer (&d->failure));
      cublas_close (&d->base);
      return NULL;
    }
  g_strlcpy (d->name, properties.name, sizeof d->name);
  d->shared_limit = properties.sharedMemPerBlockOptin;
  if (cublasCreate (&d->blas) != CUBLAS_STATUS_SUCCESS
      || cublasSetStream (d->blas, d->stream) != CUBLAS_STATUS_SUCCESS)
    {
      g_set_error (error, FR_ERROR, FR_ERROR_COMPUTE, "%s: cuBLAS could not be started", d->name);
      cublas_close (&d->base);
      return NULL;
    }
  return &d->base;
}

static char *
cublas_describe (LmCompute *c)
{
  int version = 0, runtime = 0;

  cublasGetVersion (device (c)->blas, &version);
  cudaRuntimeGetVersion (&runtime);
  return g_strdup_printf ("cuBLAS %d.%d, CUDA %d.%d, %s", version / 10000, version / 100 % 100, runtime / 1000,
                          runtime / 10 % 100, device (c)->name);
}

static const LmComputeClass cublas = {
  .version = LM_COMPUTE_VERSION,
  .name = "cublas",
  .host_memory = FALSE,
  .open = cublas_open,
  .close = cublas_close,
  .describe = cublas_describe,
  .alloc = cublas_alloc,
  .release = cublas_release,
  .import = cublas_import,
  .upload = cublas_upload,
  .download = cublas_download,
  .copy = cublas_copy,
  .zero = cublas_zero,
  .sync = cublas_sync,
  .matmul = cublas_matmul,
  .add = cublas_add,
  .add_row = cublas_add_row,
  .sum_rows = cublas_sum_rows,
  .cast = cublas_cast,
  .silu = cublas_silu,
  .silu_back = cublas_silu_back,
  .dropout = cublas_dropout,
  .rms_norm = cublas_rms_norm,
  .rms_norm_back = cublas_rms_norm_back,
  .rope = cublas_rope,
  .attention = cublas_attention,
  .attention_back = cublas_attention_back,
  .embed = cublas_embed,
  .embed_back = cublas_embed_back,
  .cross_entropy = cublas_cross_entropy,
  .adamw = cublas_adamw,
  .sum_squares = cublas_sum_squares,
  .fast_bf16 = cublas_fast_bf16,
};

static int
score (const char **why)
{
  int n = 0;

  if (cudaGetDeviceCount (&n) != cudaSuccess || n == 0)
    {
      (void) cudaGetLastError ();
      *why = "built, no device";
      return 0;
    }
  *why = "a GPU";
  return 100;
}

static const FrService service = { sizeof (FrService), LM_COMPUTE_KIND, "cublas", LM_COMPUTE_VERSION,
                                   "products by cuBLAS, the rest by CUDA kernels, in a GPU's memory",
                                   score, &cublas };
static const FrService *const services[] = { &service, NULL };

FR_PLUGIN_SERVICES ("compute-cublas", PACKAGE_VERSION, "matrix products on NVIDIA GPUs", "Apache-2.0",
                    "flowrun", services, )
