/* SPDX-License-Identifier: Apache-2.0 */
/* emulate.h: CUDA's execution model on the host, for testing kernels.cu where there is no GPU.
 *
 * The kernels are compiled as C++; a launch runs the blocks one after the
 * other, each by as many threads as it asks for, with a barrier for
 * __syncthreads.  Shared memory is one allocation for the launch.  Slow, and
 * right: what it proves is the kernels' logic, not their speed, nor anything
 * of a device.
 */
#ifndef FLOWRUN_COMPUTE_CUBLAS_EMULATE_H
#define FLOWRUN_COMPUTE_CUBLAS_EMULATE_H

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <functional>
#include <vector>

struct FrDim3
{
  unsigned x, y;
};

struct FrLaunch
{
  FrDim3 grid;
  unsigned threads;
  pthread_barrier_t barrier;
  char *shared;
  std::function<void ()> kernel;
};

static thread_local FrDim3 blockIdx, threadIdx, blockDim, gridDim;
static thread_local FrLaunch *fr_launch;

struct FrThread
{
  FrLaunch *launch;
  unsigned index;
};

static void *
fr_emulated_thread (void *data)
{
  FrThread *t = (FrThread *) data;
  FrLaunch *l = fr_launch = t->launch;

  threadIdx = { t->index, 0 };
  blockDim = { l->threads, 1 };
  gridDim = l->grid;
  for (unsigned y = 0; y < l->grid.y; y++)
    for (unsigned x = 0; x < l->grid.x; x++)
      {
        blockIdx = { x, y };
        l->kernel ();
        pthread_barrier_wait (&l->barrier);
      }
  return NULL;
}

static void
fr_emulate (FrDim3 grid, unsigned threads, size_t shared, std::function<void ()> kernel)
{
  FrLaunch l = { grid, threads, {}, (char *) malloc (shared + 64), kernel };
  std::vector<FrThread> data (threads);
  std::vector<pthread_t> ids (threads);

  pthread_barrier_init (&l.barrier, NULL, threads);
  for (unsigned i = 0; i < threads; i++)
    {
      data[i] = { &l, i };
      if (pthread_create (&ids[i], NULL, fr_emulated_thread, &data[i]) != 0)
        abort (); /* a test program without threads to run on */
    }
  for (unsigned i = 0; i < threads; i++)
    pthread_join (ids[i], NULL);
  pthread_barrier_destroy (&l.barrier);
  free (l.shared);
}

#define __global__ static
#define __device__ static inline
#define __restrict__ __restrict
#define __syncthreads() pthread_barrier_wait (&fr_launch->barrier)
#define FR_SHARED() fr_launch->shared
#define FR_LAUNCH(kernel, grid_x, grid_y, threads, shared, stream, ...)                           \
  (void) (stream), fr_emulate ({ (unsigned) (grid_x), (unsigned) (grid_y) }, (threads), (shared), \
                               [=] () { kernel (__VA_ARGS__); })

#endif
