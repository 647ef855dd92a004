/* SPDX-License-Identifier: Apache-2.0 */
/* emulate.h: CUDA's execution model on the host, for testing kernels.cu where there is no GPU.
 *
 * The kernels are compiled as C++; a launch runs the blocks one after the
 * other, the threads of a block as coroutines of one thread that change places at
 * __syncthreads.  Shared memory is one allocation for the launch.  Slow, and
 * right: what it proves is the kernels' logic, not their speed, nor anything
 * of a device.
 */
#ifndef FLOWRUN_COMPUTE_CUBLAS_EMULATE_H
#define FLOWRUN_COMPUTE_CUBLAS_EMULATE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <functional>
#include <vector>

struct FrDim
{
  unsigned x, y;
};

/* What the running coroutine sees; set before it is entered. */
static FrDim blockIdx, threadIdx, gridDim;

#define FR_STACK (64 * 1024)

struct FrLaunch
{
  std::function<void ()> kernel;
  std::vector<ucontext_t> threads;
  std::vector<bool> ended;
  ucontext_t scheduler;
  unsigned current, left; /* left: threads of the block that have not ended */
  char *shared;
};

static FrLaunch *fr_launch;

static void
fr_emulated_thread (void)
{
  fr_launch->kernel ();
  fr_launch->ended[fr_launch->current] = true;
}

static void
fr_emulated_sync (void)
{
  FrLaunch *l = fr_launch;

  swapcontext (&l->threads[l->current], &l->scheduler);
}

static void
fr_emulate_block (FrLaunch *l, std::vector<char> &stacks)
{
  const unsigned n = (unsigned) l->threads.size ();

  for (unsigned i = 0; i < n; i++)
    {
      getcontext (&l->threads[i]);
      l->threads[i].uc_stack.ss_sp = stacks.data () + (size_t) i * FR_STACK;
      l->threads[i].uc_stack.ss_size = FR_STACK;
      l->threads[i].uc_link = &l->scheduler;
      makecontext (&l->threads[i], fr_emulated_thread, 0);
      l->ended[i] = false;
    }
  /* Each to its next barrier, in turn, until none is left. */
  l->left = n;
  while (l->left > 0)
    for (unsigned i = 0; i < n; i++)
      if (!l->ended[i])
        {
          l->current = i;
          threadIdx = { i, 0 };
          swapcontext (&l->scheduler, &l->threads[i]);
          l->left -= l->ended[i];
        }
}

static void
fr_emulate (FrDim grid, unsigned threads, size_t shared, std::function<void ()> kernel)
{
  FrLaunch l = { kernel, std::vector<ucontext_t> (threads), std::vector<bool> (threads), {}, 0, 0, NULL };
  std::vector<char> stacks ((size_t) threads * FR_STACK);

  l.shared = (char *) calloc (1, shared + 64);
  fr_launch = &l;
  gridDim = grid;
  for (unsigned y = 0; y < grid.y; y++)
    for (unsigned x = 0; x < grid.x; x++)
      {
        blockIdx = { x, y };
        fr_emulate_block (&l, stacks);
      }
  fr_launch = NULL;
  free (l.shared);
}

/* Few threads: coroutines change places often. */
#define THREADS 16
#define __global__ static
#define __device__ static inline
#define __syncthreads() fr_emulated_sync ()
#define FR_SHARED() fr_launch->shared
#define FR_LAUNCH(kernel, grid_x, grid_y, threads, shared, stream, ...)                           \
  (void) (stream), fr_emulate ({ (unsigned) (grid_x), (unsigned) (grid_y) }, (threads), (shared), \
                               [=] () { kernel (__VA_ARGS__); })

#endif
