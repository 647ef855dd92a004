/* SPDX-License-Identifier: Apache-2.0 */
/* emulate-api.h: as much of the CUDA runtime and of cuBLAS as cublas.c calls, in host memory.
 *
 * With it and emulate.h the whole backend runs, slowly, where there is no GPU,
 * so that its conformance test has something to say there too.  Memory is
 * filled with NaN when it is handed out, for a device's is not clean either.
 */
#ifndef FLOWRUN_COMPUTE_CUBLAS_EMULATE_API_H
#define FLOWRUN_COMPUTE_CUBLAS_EMULATE_API_H

#include <stdlib.h>
#include <string.h>

#include "lm/type.h"

typedef enum { cudaSuccess = 0, cudaErrorMemoryAllocation = 2 } cudaError_t;
typedef enum { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice } cudaMemcpyKind;
typedef enum { CUDA_R_32F = 0, CUDA_R_16BF = 14 } cudaDataType_t;
typedef struct CUstream_st *cudaStream_t;
struct cudaDeviceProp
{
  char name[256];
  size_t sharedMemPerBlockOptin;
};

static const char *
cudaGetErrorString (cudaError_t status)
{
  return status == cudaSuccess ? "no error" : "out of memory";
}

static cudaError_t
cudaMalloc (void **data, size_t bytes)
{
  *data = aligned_alloc (256, (bytes + 255) / 256 * 256);
  if (*data == NULL)
    return cudaErrorMemoryAllocation;
  memset (*data, 0xff, bytes);
  return cudaSuccess;
}

static cudaError_t
cudaFree (void *data)
{
  free (data);
  return cudaSuccess;
}

static cudaError_t
cudaMemcpyAsync (void *dst, const void *src, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream)
{
  (void) kind;
  (void) stream;
  memcpy (dst, src, bytes);
  return cudaSuccess;
}

static cudaError_t
cudaMemsetAsync (void *dst, int value, size_t bytes, cudaStream_t stream)
{
  (void) stream;
  memset (dst, value, bytes);
  return cudaSuccess;
}

static cudaError_t
cudaGetDeviceProperties (struct cudaDeviceProp *properties, int device)
{
  (void) device;
  g_strlcpy (properties->name, "emulated GPU", sizeof properties->name);
  properties->sharedMemPerBlockOptin = 99 * 1024;
  return cudaSuccess;
}

static cudaError_t
cudaStreamSynchronize (cudaStream_t stream)
{
  (void) stream;
  return cudaSuccess;
}

#define cudaPeekAtLastError() cudaSuccess
static cudaError_t
cudaGetLastError (void)
{
  return cudaSuccess;
}

#define cudaStreamCreate(stream) (*(stream) = NULL, cudaSuccess)
#define cudaStreamDestroy(stream) ((void) (stream))
#define cudaGetDevice(index) (*(index) = 0, cudaSuccess)
#define cudaGetDeviceCount(n) (*(n) = 1, cudaSuccess)
#define cudaRuntimeGetVersion(version) ((void) (*(version) = 0))

typedef void *cublasHandle_t;
typedef enum { CUBLAS_STATUS_SUCCESS = 0 } cublasStatus_t;
typedef enum { CUBLAS_OP_N = 0, CUBLAS_OP_T } cublasOperation_t;
typedef enum { CUBLAS_COMPUTE_32F = 68 } cublasComputeType_t;
typedef enum { CUBLAS_GEMM_DEFAULT = -1 } cublasGemmAlgo_t;
#define cublasCreate(handle) (*(handle) = handle, CUBLAS_STATUS_SUCCESS)
#define cublasDestroy(handle) ((void) (handle))
#define cublasSetStream(handle, stream) ((void) (handle), (void) (stream), CUBLAS_STATUS_SUCCESS)
#define cublasGetVersion(handle, version) ((void) (handle), (void) (*(version) = 0))
#define cublasGetStatusString(status) ((void) (status), "no error")

static double
emulated_at (const void *m, cudaDataType_t type, size_t i)
{
  return type == CUDA_R_32F ? ((const float *) m)[i] : lm_bf16_to_float (((const guint16 *) m)[i]);
}

/* C (m x n) = alpha op(A) op(B) + beta C, all column-major, as cuBLAS documents it. */
static cublasStatus_t
cublasGemmEx (cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,
              const void *alpha, const void *a, cudaDataType_t a_type, int lda, const void *b,
              cudaDataType_t b_type, int ldb, const void *beta, void *c, cudaDataType_t c_type, int ldc,
              cublasComputeType_t compute, cublasGemmAlgo_t algorithm)
{
  (void) handle;
  (void) compute;
  (void) algorithm;
  for (size_t j = 0; j < (size_t) n; j++)
    for (size_t i = 0; i < (size_t) m; i++)
      {
        size_t at = j * (size_t) ldc + i;
        double sum = 0;

        for (size_t l = 0; l < (size_t) k; l++)
          sum += emulated_at (a, a_type, ta == CUBLAS_OP_N ? l * (size_t) lda + i : i * (size_t) lda + l)
                 * emulated_at (b, b_type, tb == CUBLAS_OP_N ? j * (size_t) ldb + l : l * (size_t) ldb + j);
        sum *= *(const float *) alpha;
        if (*(const float *) beta != 0)
          sum += *(const float *) beta * emulated_at (c, c_type, at);
        if (c_type == CUDA_R_32F)
          ((float *) c)[at] = (float) sum;
        else
          ((guint16 *) c)[at] = lm_float_to_bf16 ((float) sum);
      }
  return CUBLAS_STATUS_SUCCESS;
}

#endif
