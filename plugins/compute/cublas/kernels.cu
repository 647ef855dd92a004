/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.cu: norms, attention, loss, optimiser and the rest on a GPU.
 *
 * Formulas are those of plugins/compute/reference.  Rows are spread over
 * blocks, columns over the threads of a block; sums go through shared memory in
 * a tree of fixed shape.  Attention goes over tiles of 16 queries and 16 keys with a
 * running softmax (Milakov and Gimelshein, 2018; Dao et al., 2022) in F32.
 *
 * With FR_EMULATE it is host C++ (emulate.h).
 */
#ifdef FR_EMULATE
#include "emulate.h"
#else
#include <cuda_runtime.h>
extern __shared__ char fr_shared[];
#define FR_SHARED() fr_shared
#define FR_LAUNCH(kernel, grid_x, grid_y, threads, shared, stream, ...) \
  kernel<<<dim3 ((unsigned) (grid_x), (unsigned) (grid_y)), (threads), (shared), (stream)>>> (__VA_ARGS__)
/* Of a block; a power of two, not less than FR_TILE. */
#define THREADS 128
#endif

#include "kernels.h"

/* Most blocks in x; kernels stride over what is more. */
#define BLOCKS_MAX 65535

namespace
{

/* ---- numbers ------------------------------------------------------------------- */

typedef struct { guint16 bits; } Bf16;

__device__ float bits_float (guint32 u)
{
  float f;
  memcpy (&f, &u, sizeof f);
  return f;
}

__device__ guint32 float_bits (float f)
{
  guint32 u;
  memcpy (&u, &f, sizeof u);
  return u;
}

__device__ float get (const float *p) { return *p; }
__device__ float get (const Bf16 *p) { return bits_float ((guint32) p->bits << 16); }
__device__ void put (float *p, float f) { *p = f; }
__device__ void put (Bf16 *p, float f)
{
  guint32 u = float_bits (f);

  p->bits = (u & 0x7fffffff) > 0x7f800000 ? (guint16) (u >> 16 | 0x40)
                                          : (guint16) ((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

__device__ float half_float (guint32 h)
{
  guint32 sign = (h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;

  if (exponent == 31)
    return bits_float (sign | 0x7f800000 | fraction << 13);
  if (exponent == 0)
    {
      float f = (float) fraction * 0x1p-24f;
      return sign ? -f : f;
    }
  return bits_float (sign | (exponent + 112) << 23 | fraction << 13);
}

__device__ guint32 u16_at (const unsigned char *p) { return p[0] | (guint32) p[1] << 8; }
__device__ float half_at (const unsigned char *p) { return half_float (u16_at (p)); }

/* Scale and minimum j of a K-quant's block of eight. */
__device__ void scale_min (const unsigned char *s, unsigned j, float *scale, float *min)
{
  if (j < 4)
    {
      *scale = s[j] & 63;
      *min = s[j + 4] & 63;
    }
  else
    {
      *scale = (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
      *min = (s[j + 4] >> 4) | (s[j] >> 6) << 4;
    }
}

__device__ float k_at (const unsigned char *b, unsigned i, int five)
{
  unsigned group = i / 32, l = i % 32, pair = group / 2;
  const unsigned char *q = b + 16 + (five ? 32 : 0) + 32 * pair;
  unsigned v = group & 1 ? q[l] >> 4 : q[l] & 15;
  float scale, min;

  if (five && (b[16 + l] >> group & 1))
    v += 16;
  scale_min (b + 4, group, &scale, &min);
  return half_at (b) * scale * (float) v - half_at (b + 2) * min;
}

__device__ float q6_at (const unsigned char *b, unsigned i)
{
  unsigned half = i / 128, r = i % 128, quarter = r / 32, l = r % 32;
  unsigned low = b[64 * half + l + (quarter & 1 ? 32 : 0)];
  unsigned high = b[128 + 32 * half + l];
  unsigned v = (quarter & 2 ? low >> 4 : low & 15) | (high >> (2 * quarter) & 3) << 4;
  const signed char *scales = (const signed char *) b + 192;

  return half_at (b + 208) * (float) scales[8 * half + l / 16 + 2 * quarter] * (float) ((int) v - 32);
}

/* Number @j of a row of any type. */
__device__ float any_at (LmType type, const void *row, gsize j)
{
  const unsigned char *b = (const unsigned char *) row;
  unsigned i = (unsigned) (j % 32), n, high;

  switch (type)
    {
    case LM_F32:
      return ((const float *) row)[j];
    case LM_BF16:
      return get ((const Bf16 *) row + j);
    case LM_F16:
      return half_float (((const guint16 *) row)[j]);
    case LM_F64:
      return (float) ((const double *) row)[j];
    case LM_Q4_0:
      b += j / 32 * 18;
      n = i < 16 ? b[2 + i] & 15 : b[2 + i - 16] >> 4;
      return half_at (b) * (float) ((int) n - 8);
    case LM_Q4_1:
      b += j / 32 * 20;
      n = i < 16 ? b[4 + i] & 15 : b[4 + i - 16] >> 4;
      return half_at (b) * (float) n + half_at (b + 2);
    case LM_Q5_0:
      b += j / 32 * 22;
      high = b[2 + i / 8] >> (i % 8) & 1;
      n = (i < 16 ? b[6 + i] & 15 : b[6 + i - 16] >> 4) | high << 4;
      return half_at (b) * (float) ((int) n - 16);
    case LM_Q5_1:
      b += j / 32 * 24;
      high = b[4 + i / 8] >> (i % 8) & 1;
      n = (i < 16 ? b[8 + i] & 15 : b[8 + i - 16] >> 4) | high << 4;
      return half_at (b) * (float) n + half_at (b + 2);
    case LM_Q8_0:
      b += j / 32 * 34;
      return half_at (b) * (float) (signed char) b[2 + i];
    case LM_Q4_K:
      return k_at (b + j / 256 * 144, (unsigned) (j % 256), 0);
    case LM_Q5_K:
      return k_at (b + j / 256 * 176, (unsigned) (j % 256), 1);
    case LM_Q6_K:
      return q6_at (b + j / 256 * 210, (unsigned) (j % 256));
    default:
      return NAN;
    }
}

/* ---- sums over a block ------------------------------------------------------------ */

/* In double: what is left of a row after its part along the norm can be small beside both. */
__device__ double block_sum (double x, char *shared)
{
  double *scratch = (double *) shared;
  unsigned t = threadIdx.x;

  __syncthreads ();
  scratch[t] = x;
  __syncthreads ();
  for (unsigned n = THREADS / 2; n > 0; n /= 2)
    {
      if (t < n)
        scratch[t] += scratch[t + n];
      __syncthreads ();
    }
  return scratch[0];
}

__device__ float block_max (float x, char *shared)
{
  float *scratch = (float *) shared;
  unsigned t = threadIdx.x;

  __syncthreads ();
  scratch[t] = x;
  __syncthreads ();
  for (unsigned n = THREADS / 2; n > 0; n /= 2)
    {
      if (t < n)
        scratch[t] = fmaxf (scratch[t], scratch[t + n]);
      __syncthreads ();
    }
  return scratch[0];
}

/* A matrix as kernels see it. */
template <class T> struct View
{
  T *data;
  gsize rows, cols, stride;
};

template <class T> View<T> view (LmMat m) { return { (T *) m.data, m.rows, m.cols, m.stride }; }

#define EACH_ROW(r, n) for (gsize r = blockIdx.x; r < (n); r += gridDim.x)
#define EACH_COL(c, n) for (gsize c = threadIdx.x; c < (n); c += THREADS)

/* ---- element by element -------------------------------------------------------------- */

template <class D, class S> __global__ void accumulate_k (View<D> dst, float beta, View<S> src)
{
  EACH_ROW (r, dst.rows)
    EACH_COL (c, dst.cols)
      {
        D *d = dst.data + r * dst.stride + c;
        float s = get (src.data + r * src.stride + c);

        put (d, beta != 0 ? s + beta * get (d) : s);
      }
}

template <class T> __global__ void add_row_k (View<T> x, const float *row)
{
  EACH_ROW (r, x.rows)
    EACH_COL (c, x.cols)
      {
        T *p = x.data + r * x.stride + c;
        put (p, get (p) + row[c]);
      }
}

/* A thread a column, so that the order of the sum is that of the rows. */
template <class T> __global__ void sum_rows_k (float *sum, View<T> x)
{
  gsize c = (gsize) blockIdx.x * THREADS + threadIdx.x;
  float s = 0;

  if (c >= x.cols)
    return;
  for (gsize r = 0; r < x.rows; r++)
    s += get (x.data + r * x.stride + c);
  sum[c] += s;
}

template <class T>
__global__ void widen_k (View<T> dst, LmType type, const char *src, gsize row_bytes)
{
  EACH_ROW (r, dst.rows)
    EACH_COL (c, dst.cols)
      put (dst.data + r * dst.stride + c, any_at (type, src + r * row_bytes, c));
}

template <class T> __global__ void silu_k (View<T> out, View<T> gate, View<T> up)
{
  EACH_ROW (r, out.rows)
    EACH_COL (c, out.cols)
      {
        float g = get (gate.data + r * gate.stride + c), u = get (up.data + r * up.stride + c);
        put (out.data + r * out.stride + c, g / (1 + expf (-g)) * u);
      }
}

template <class T>
__global__ void silu_back_k (View<T> dgate, View<T> dup, View<T> dout, View<T> gate, View<T> up)
{
  EACH_ROW (r, dout.rows)
    EACH_COL (c, dout.cols)
      {
        float g = get (gate.data + r * gate.stride + c), u = get (up.data + r * up.stride + c);
        float d = get (dout.data + r * dout.stride + c), s = 1 / (1 + expf (-g));

        put (dgate.data + r * dgate.stride + c, d * u * s * (1 + g * (1 - s)));
        put (dup.data + r * dup.stride + c, d * g * s);
      }
}

/* lm_dropout_keep() again: a host function cannot be called here. */
__device__ int dropout_keep (guint64 key, guint32 column, float rate)
{
  guint64 z = key + (guint64) (column + 1) * 0x9e3779b97f4a7c15u;

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (float) ((z ^ (z >> 31)) >> 40) * 0x1p-24f >= rate;
}

template <class T>
__global__ void dropout_k (View<T> out, int add, View<T> x, const guint64 *keys, float rate)
{
  float keep = 1 / (1 - rate);

  EACH_ROW (r, out.rows)
    EACH_COL (c, out.cols)
      {
        T *o = out.data + r * out.stride + c;
        float v = dropout_keep (keys[r], (guint32) c, rate) ? get (x.data + r * x.stride + c) * keep : 0;

        put (o, add ? get (o) + v : v);
      }
}

/* ---- normalisation ----------------------------------------------------------------------- */

template <class T>
__global__ void rms_norm_k (View<T> out, float *rstd, View<T> x, const float *weight, float epsilon)
{
  char *scratch = FR_SHARED ();

  EACH_ROW (r, x.rows)
    {
      const T *p = x.data + r * x.stride;
      double s = 0;
      float scale;

      EACH_COL (c, x.cols)
        s += (double) get (p + c) * get (p + c);
      scale = (float) (1 / sqrt (block_sum (s, scratch) / (double) x.cols + epsilon));
      EACH_COL (c, x.cols)
        put (out.data + r * out.stride + c, get (p + c) * scale * weight[c]);
      if (threadIdx.x == 0 && rstd != NULL)
        rstd[r] = scale;
    }
}

/* dx = rstd * (w dy - x * rstd² * mean (w dy x)) */
template <class T>
__global__ void rms_norm_back_k (View<T> dx, float beta, View<T> dout, View<T> x, const float *weight,
                                 const float *rstd)
{
  char *scratch = FR_SHARED ();

  EACH_ROW (r, x.rows)
    {
      const T *p = x.data + r * x.stride, *d = dout.data + r * dout.stride;
      double s = 0, scale = rstd[r];

      EACH_COL (c, x.cols)
        s += (double) get (d + c) * weight[c] * get (p + c);
      s = block_sum (s, scratch) / (double) x.cols * scale * scale;
      EACH_COL (c, x.cols)
        {
          T *o = dx.data + r * dx.stride + c;
          float v = (float) (scale * ((double) get (d + c) * weight[c] - get (p + c) * s));

          put (o, beta != 0 ? get (o) + v : v);
        }
    }
}

template <class T>
__global__ void rms_norm_weight_k (float *dweight, View<T> dout, View<T> x, const float *rstd)
{
  gsize c = (gsize) blockIdx.x * THREADS + threadIdx.x;
  float s = 0;

  if (c >= x.cols)
    return;
  for (gsize r = 0; r < x.rows; r++)
    s += get (dout.data + r * dout.stride + c) * get (x.data + r * x.stride + c) * rstd[r];
  dweight[c] += s;
}

/* ---- positions --------------------------------------------------------------------------------- */

template <class T>
__global__ void rope_k (View<T> x, unsigned heads, unsigned head_dim, unsigned half, const gint32 *positions,
                        View<float> cos, View<float> sin, float sign)
{
  EACH_ROW (r, x.rows)
    EACH_COL (i, (gsize) heads * half)
      {
        gsize h = i / half, k = i % half, at = (gsize) positions[r] * cos.stride + k;
        T *a = x.data + r * x.stride + h * head_dim + k, *b = a + half;
        float co = cos.data[at], si = sin.data[at] * sign, va = get (a), vb = get (b);

        put (a, va * co - vb * si);
        put (b, vb * co + va * si);
      }
}

/* ---- attention --------------------------------------------------------------------------------- */

/* One head's operands. */
template <class T> struct Heads
{
  View<T> q, k, v, out, dout, dq, dk, dv;
  float *lse, *delta; /* [T, n_heads]; lse with a stride of its own */
  gsize lse_stride;
  unsigned n_heads, group, key_dim, value_dim;
  float scale;
};

/* Rows [from, from + FR_TILE) of a head into shared memory, zero beyond @rows. */
template <class T>
__device__ void load_tile (float *to, View<T> m, gsize start, unsigned from, unsigned rows, unsigned col,
                           unsigned dim)
{
  for (unsigned i = threadIdx.x; i < FR_TILE * dim; i += THREADS)
    {
      unsigned r = i / dim, c = i % dim;
      to[i] = from + r < rows ? get (m.data + (start + from + r) * m.stride + col + c) : 0;
    }
}

__device__ float dot (const float *a, const float *b, unsigned n)
{
  float s = 0;

  for (unsigned i = 0; i < n; i++)
    s += a[i] * b[i];
  return s;
}

/* Whether query @i of a span sees key @j. */
__device__ int sees (FrTileOf t, unsigned i, unsigned j)
{
  return i < t.q_rows && j < t.k_rows && j <= t.k_rows - t.q_rows + i;
}

template <class T> __global__ void attention_k (Heads<T> a, const FrTileOf *tiles)
{
  float *q = (float *) FR_SHARED (), *k = q + FR_TILE * a.key_dim, *v = k + FR_TILE * a.key_dim;
  float *o = v + FR_TILE * a.value_dim, *s = o + FR_TILE * a.value_dim;
  float *top = s + FR_TILE * FR_TILE, *sum = top + FR_TILE, *shrink = sum + FR_TILE;
  FrTileOf t = tiles[blockIdx.x];
  unsigned h = blockIdx.y, kh = h / a.group, tid = threadIdx.x;
  unsigned last = t.first + FR_TILE < t.q_rows ? t.first + FR_TILE : t.q_rows; /* one past */
  unsigned seen = t.k_rows - t.q_rows + last;

  load_tile (q, a.q, t.q_start, t.first, t.q_rows, h * a.key_dim, a.key_dim);
  for (unsigned i = tid; i < FR_TILE * a.value_dim; i += THREADS)
    o[i] = 0;
  if (tid < FR_TILE)
    {
      top[tid] = -INFINITY;
      sum[tid] = 0;
    }
  for (unsigned j0 = 0; j0 < seen; j0 += FR_TILE)
    {
      __syncthreads ();
      load_tile (k, a.k, t.k_start, j0, t.k_rows, kh * a.key_dim, a.key_dim);
      load_tile (v, a.v, t.k_start, j0, t.k_rows, kh * a.value_dim, a.value_dim);
      __syncthreads ();
      for (unsigned i = tid; i < FR_TILE * FR_TILE; i += THREADS)
        {
          unsigned r = i / FR_TILE, c = i % FR_TILE;
          s[i] = sees (t, t.first + r, j0 + c)
                     ? a.scale * dot (q + r * a.key_dim, k + c * a.key_dim, a.key_dim)
                     : -INFINITY;
        }
      __syncthreads ();
      if (tid < FR_TILE)
        {
          float m = top[tid], was = m, n = 0;

          for (unsigned c = 0; c < FR_TILE; c++)
            m = fmaxf (m, s[tid * FR_TILE + c]);
          for (unsigned c = 0; c < FR_TILE; c++)
            n += s[tid * FR_TILE + c] = m == -INFINITY ? 0 : expf (s[tid * FR_TILE + c] - m);
          shrink[tid] = was == -INFINITY ? 0 : expf (was - m);
          sum[tid] = sum[tid] * shrink[tid] + n;
          top[tid] = m;
        }
      __syncthreads ();
      for (unsigned i = tid; i < FR_TILE * a.value_dim; i += THREADS)
        {
          unsigned r = i / a.value_dim, c = i % a.value_dim;
          float x = o[i] * shrink[r];

          for (unsigned j = 0; j < FR_TILE; j++)
            x += s[r * FR_TILE + j] * v[j * a.value_dim + c];
          o[i] = x;
        }
    }
  __syncthreads ();
  for (unsigned i = tid; i < FR_TILE * a.value_dim; i += THREADS)
    {
      unsigned r = i / a.value_dim, c = i % a.value_dim;

      if (t.first + r < t.q_rows)
        put (a.out.data + (t.q_start + t.first + r) * a.out.stride + h * a.value_dim + c, o[i] / sum[r]);
    }
  if (a.lse != NULL && tid < FR_TILE && t.first + tid < t.q_rows)
    a.lse[(t.q_start + t.first + tid) * a.lse_stride + h] = top[tid] + logf (sum[tid]);
}

/* delta[t][h] = sum over the head of dout * out */
template <class T> __global__ void delta_k (Heads<T> a)
{
  EACH_ROW (r, a.dout.rows)
    EACH_COL (h, (gsize) a.n_heads)
      {
        const T *d = a.dout.data + r * a.dout.stride + h * a.value_dim;
        const T *o = a.out.data + r * a.out.stride + h * a.value_dim;
        float s = 0;

        for (unsigned c = 0; c < a.value_dim; c++)
          s += get (d + c) * get (o + c);
        a.delta[r * a.n_heads + h] = s;
      }
}

/* Probabilities p and their scores' gradients ds of one pair of tiles: [query][key]. */
template <class T>
__device__ void tile_gradients (Heads<T> a, FrTileOf t, unsigned h, unsigned i0, unsigned j0, const float *q,
                                const float *k, const float *v, const float *d, float *p, float *ds)
{
  for (unsigned i = threadIdx.x; i < FR_TILE * FR_TILE; i += THREADS)
    {
      unsigned r = i / FR_TILE, c = i % FR_TILE;

      p[i] = ds[i] = 0;
      if (sees (t, i0 + r, j0 + c))
        {
          gsize row = t.q_start + i0 + r;
          float x = a.scale * dot (q + r * a.key_dim, k + c * a.key_dim, a.key_dim);

          p[i] = expf (x - a.lse[row * a.lse_stride + h]);
          ds[i] = p[i]
                  * (dot (d + r * a.value_dim, v + c * a.value_dim, a.value_dim)
                     - a.delta[row * a.n_heads + h])
                  * a.scale;
        }
    }
}

template <class T> __global__ void attention_dq_k (Heads<T> a, const FrTileOf *tiles)
{
  float *q = (float *) FR_SHARED (), *k = q + FR_TILE * a.key_dim, *v = k + FR_TILE * a.key_dim;
  float *d = v + FR_TILE * a.value_dim, *dq = d + FR_TILE * a.value_dim;
  float *p = dq + FR_TILE * a.key_dim, *ds = p + FR_TILE * FR_TILE;
  FrTileOf t = tiles[blockIdx.x];
  unsigned h = blockIdx.y, kh = h / a.group;
  unsigned last = t.first + FR_TILE < t.q_rows ? t.first + FR_TILE : t.q_rows;
  unsigned seen = t.k_rows - t.q_rows + last;

  load_tile (q, a.q, t.q_start, t.first, t.q_rows, h * a.key_dim, a.key_dim);
  load_tile (d, a.dout, t.q_start, t.first, t.q_rows, h * a.value_dim, a.value_dim);
  for (unsigned i = threadIdx.x; i < FR_TILE * a.key_dim; i += THREADS)
    dq[i] = 0;
  for (unsigned j0 = 0; j0 < seen; j0 += FR_TILE)
    {
      __syncthreads ();
      load_tile (k, a.k, t.k_start, j0, t.k_rows, kh * a.key_dim, a.key_dim);
      load_tile (v, a.v, t.k_start, j0, t.k_rows, kh * a.value_dim, a.value_dim);
      __syncthreads ();
      tile_gradients (a, t, h, t.first, j0, q, k, v, d, p, ds);
      __syncthreads ();
      for (unsigned i = threadIdx.x; i < FR_TILE * a.key_dim; i += THREADS)
        for (unsigned j = 0; j < FR_TILE; j++)
          dq[i] += ds[i / a.key_dim * FR_TILE + j] * k[j * a.key_dim + i % a.key_dim];
    }
  __syncthreads ();
  for (unsigned i = threadIdx.x; i < FR_TILE * a.key_dim; i += THREADS)
    if (t.first + i / a.key_dim < t.q_rows)
      put (a.dq.data + (t.q_start + t.first + i / a.key_dim) * a.dq.stride + h * a.key_dim + i % a.key_dim,
           dq[i]);
}

/* A block owns a tile of keys, so that nothing is added by two. */
template <class T> __global__ void attention_dkv_k (Heads<T> a, const FrTileOf *tiles)
{
  float *q = (float *) FR_SHARED (), *k = q + FR_TILE * a.key_dim, *v = k + FR_TILE * a.key_dim;
  float *d = v + FR_TILE * a.value_dim, *dk = d + FR_TILE * a.value_dim;
  float *dv = dk + FR_TILE * a.key_dim, *p = dv + FR_TILE * a.value_dim, *ds = p + FR_TILE * FR_TILE;
  FrTileOf t = tiles[blockIdx.x];
  unsigned kh = blockIdx.y, behind = t.k_rows - t.q_rows;
  unsigned from = t.first > behind ? (t.first - behind) / FR_TILE * FR_TILE : 0;

  load_tile (k, a.k, t.k_start, t.first, t.k_rows, kh * a.key_dim, a.key_dim);
  load_tile (v, a.v, t.k_start, t.first, t.k_rows, kh * a.value_dim, a.value_dim);
  for (unsigned i = threadIdx.x; i < FR_TILE * a.key_dim; i += THREADS)
    dk[i] = 0;
  for (unsigned i = threadIdx.x; i < FR_TILE * a.value_dim; i += THREADS)
    dv[i] = 0;
  for (unsigned h = kh * a.group; h < (kh + 1) * a.group; h++)
    for (unsigned i0 = from; i0 < t.q_rows; i0 += FR_TILE)
      {
        __syncthreads ();
        load_tile (q, a.q, t.q_start, i0, t.q_rows, h * a.key_dim, a.key_dim);
        load_tile (d, a.dout, t.q_start, i0, t.q_rows, h * a.value_dim, a.value_dim);
        __syncthreads ();
        tile_gradients (a, t, h, i0, t.first, q, k, v, d, p, ds);
        __syncthreads ();
        for (unsigned i = threadIdx.x; i < FR_TILE * a.key_dim; i += THREADS)
          for (unsigned r = 0; r < FR_TILE; r++)
            dk[i] += ds[r * FR_TILE + i / a.key_dim] * q[r * a.key_dim + i % a.key_dim];
        for (unsigned i = threadIdx.x; i < FR_TILE * a.value_dim; i += THREADS)
          for (unsigned r = 0; r < FR_TILE; r++)
            dv[i] += p[r * FR_TILE + i / a.value_dim] * d[r * a.value_dim + i % a.value_dim];
      }
  __syncthreads ();
  for (unsigned i = threadIdx.x; i < FR_TILE * a.key_dim; i += THREADS)
    if (t.first + i / a.key_dim < t.k_rows)
      put (a.dk.data + (t.k_start + t.first + i / a.key_dim) * a.dk.stride + kh * a.key_dim + i % a.key_dim,
           dk[i]);
  for (unsigned i = threadIdx.x; i < FR_TILE * a.value_dim; i += THREADS)
    if (t.first + i / a.value_dim < t.k_rows)
      put (a.dv.data + (t.k_start + t.first + i / a.value_dim) * a.dv.stride + kh * a.value_dim
               + i % a.value_dim,
           dv[i]);
}

/* ---- embedding and loss ------------------------------------------------------------------------- */

template <class T>
__global__ void embed_k (View<T> out, LmType type, const char *weight, gsize row_bytes, const gint32 *tokens)
{
  EACH_ROW (r, out.rows)
    EACH_COL (c, out.cols)
      put (out.data + r * out.stride + c, any_at (type, weight + (gsize) tokens[r] * row_bytes, c));
}

/* A thread a column: rows that the same token adds to come in the order of the text. */
template <class T> __global__ void embed_back_k (View<float> dweight, View<T> dout, const gint32 *tokens)
{
  gsize c = (gsize) blockIdx.x * THREADS + threadIdx.x;

  if (c >= dout.cols)
    return;
  for (gsize r = 0; r < dout.rows; r++)
    dweight.data[(gsize) tokens[r] * dweight.stride + c] += get (dout.data + r * dout.stride + c);
}

template <class T>
__global__ void cross_entropy_k (View<T> logits, const gint32 *targets, float *losses, float grad_scale)
{
  char *scratch = FR_SHARED ();

  EACH_ROW (r, logits.rows)
    {
      T *p = logits.data + r * logits.stride;
      float top = -INFINITY, at;
      double sum = 0;

      EACH_COL (c, logits.cols)
        top = fmaxf (top, get (p + c));
      top = block_max (top, scratch);
      EACH_COL (c, logits.cols)
        sum += expf (get (p + c) - top);
      sum = block_sum (sum, scratch);
      at = get (p + targets[r]);
      __syncthreads ();
      if (threadIdx.x == 0)
        losses[r] = (float) (log (sum) + top - at);
      if (grad_scale != 0)
        EACH_COL (c, logits.cols)
          put (p + c, grad_scale * (expf (get (p + c) - top) / (float) sum - (c == (gsize) targets[r] ? 1 : 0)));
      __syncthreads ();
    }
}

/* ---- optimiser -------------------------------------------------------------------------------------- */

__global__ void adamw_k (float *param, const float *grad, float *m, float *v, gsize n, LmAdam a, float bias1,
                         float bias2)
{
  gsize step = (gsize) gridDim.x * THREADS;

  for (gsize i = (gsize) blockIdx.x * THREADS + threadIdx.x; i < n; i += step)
    {
      float g = grad[i] * a.grad_scale;

      m[i] = a.beta1 * m[i] + (1 - a.beta1) * g;
      v[i] = a.beta2 * v[i] + (1 - a.beta2) * g * g;
      param[i] -= a.lr * a.decay * param[i];
      param[i] -= a.lr * (m[i] / bias1) / (sqrtf (v[i] / bias2) + a.epsilon);
    }
}

__global__ void sum_squares_k (const float *x, gsize n, double *partial)
{
  double *scratch = (double *) FR_SHARED ();
  unsigned t = threadIdx.x;
  double s = 0;

  for (gsize i = (gsize) blockIdx.x * THREADS + t; i < n; i += (gsize) FR_SUMS * THREADS)
    s += (double) x[i] * x[i];
  scratch[t] = s;
  __syncthreads ();
  for (unsigned k = THREADS / 2; k > 0; k /= 2)
    {
      if (t < k)
        scratch[t] += scratch[t + k];
      __syncthreads ();
    }
  if (t == 0)
    partial[blockIdx.x] = scratch[0];
}

/* ---- launching ------------------------------------------------------------------------------------------ */

gsize blocks (gsize rows) { return rows < BLOCKS_MAX ? rows : BLOCKS_MAX; }
gsize columns (gsize cols) { return (cols + THREADS - 1) / THREADS; }

template <class T> Heads<T> heads (const LmAttention *a)
{
  Heads<T> h = {};

  h.q = view<T> (a->q);
  h.k = view<T> (a->k);
  h.v = view<T> (a->v);
  h.out = view<T> (a->out);
  h.lse = (float *) a->lse.data;
  h.lse_stride = a->lse.stride;
  h.n_heads = a->n_heads;
  h.group = a->n_heads / a->n_kv_heads;
  h.key_dim = a->key_dim;
  h.value_dim = a->value_dim;
  h.scale = a->scale;
  return h;
}

gsize tile_bytes (const LmAttention *a)
{
  return sizeof (float)
         * (FR_TILE * (3 * (gsize) a->key_dim + 3 * (gsize) a->value_dim) + 2 * FR_TILE * FR_TILE
            + 3 * FR_TILE);
}

/* More shared memory than a kernel may have unasked. */
template <class K> void allow_shared (K kernel, gsize bytes)
{
#ifdef FR_EMULATE
  (void) kernel;
  (void) bytes;
#else
  if (bytes > 48 * 1024)
    cudaFuncSetAttribute (kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int) bytes);
#endif
}

template <class T> void attention (FrStream stream, const LmAttention *a, const FrTileOf *tiles, gsize n)
{
  gsize bytes = tile_bytes (a);

  allow_shared (attention_k<T>, bytes);
  FR_LAUNCH (attention_k<T>, n, a->n_heads, THREADS, bytes, stream, heads<T> (a), tiles);
}

template <class T>
void attention_back (FrStream stream, const LmAttention *a, LmMat dout, LmMat dq, LmMat dk, LmMat dv,
                     float *delta, const FrTileOf *q_tiles, gsize n_q, const FrTileOf *k_tiles, gsize n_k)
{
  gsize bytes = tile_bytes (a);
  Heads<T> h = heads<T> (a);

  h.dout = view<T> (dout);
  h.dq = view<T> (dq);
  h.dk = view<T> (dk);
  h.dv = view<T> (dv);
  h.delta = delta;
  allow_shared (attention_dq_k<T>, bytes);
  allow_shared (attention_dkv_k<T>, bytes);
  FR_LAUNCH (delta_k<T>, blocks (dout.rows), 1, THREADS, 0, stream, h);
  FR_LAUNCH (attention_dq_k<T>, n_q, a->n_heads, THREADS, bytes, stream, h, q_tiles);
  FR_LAUNCH (attention_dkv_k<T>, n_k, a->n_kv_heads, THREADS, bytes, stream, h, k_tiles);
}

#define SCRATCH (THREADS * sizeof (double))

template <class D> void accumulate (FrStream stream, LmMat dst, float beta, LmMat src)
{
  if (src.type == LM_F32)
    FR_LAUNCH ((accumulate_k<D, float>), blocks (dst.rows), 1, THREADS, 0, stream, view<D> (dst), beta,
               view<float> (src));
  else
    FR_LAUNCH ((accumulate_k<D, Bf16>), blocks (dst.rows), 1, THREADS, 0, stream, view<D> (dst), beta,
               view<Bf16> (src));
}

} /* namespace */

/* Calls STATEMENT with T as the type that @type stands for. */
#define WITH_TYPE(type, STATEMENT)    \
  do                                  \
    {                                 \
      if ((type) == LM_F32)           \
        {                             \
          using T = float;            \
          STATEMENT;                  \
        }                             \
      else                            \
        {                             \
          using T = Bf16;             \
          STATEMENT;                  \
        }                             \
    }                                 \
  while (0)

static bool
is_empty (LmMat m)
{
  return m.rows == 0 || m.cols == 0;
}

void
fr_cuda_accumulate (FrStream stream, LmMat dst, float beta, LmMat src)
{
  if (!is_empty (dst))
    WITH_TYPE (dst.type, accumulate<T> (stream, dst, beta, src));
}

void
fr_cuda_add (FrStream stream, LmMat x, LmMat y)
{
  fr_cuda_accumulate (stream, x, 1, y);
}

void
fr_cuda_cast (FrStream stream, LmMat dst, LmMat src)
{
  fr_cuda_accumulate (stream, dst, 0, src);
}

void
fr_cuda_add_row (FrStream stream, LmMat x, LmMat row)
{
  if (!is_empty (x))
    WITH_TYPE (x.type, FR_LAUNCH (add_row_k<T>, blocks (x.rows), 1, THREADS, 0, stream, view<T> (x),
                                  (const float *) row.data));
}

void
fr_cuda_sum_rows (FrStream stream, LmMat sum, LmMat x)
{
  if (!is_empty (x))
    WITH_TYPE (x.type, FR_LAUNCH (sum_rows_k<T>, columns (x.cols), 1, THREADS, 0, stream,
                                  (float *) sum.data, view<T> (x)));
}

void
fr_cuda_widen (FrStream stream, LmMat dst, LmMat src)
{
  gsize row = lm_type_bytes (src.type, src.stride);

  if (!is_empty (dst))
    WITH_TYPE (dst.type, FR_LAUNCH (widen_k<T>, blocks (dst.rows), 1, THREADS, 0, stream, view<T> (dst),
                                    src.type, (const char *) src.data, row));
}

void
fr_cuda_silu (FrStream stream, LmMat out, LmMat gate, LmMat up)
{
  if (!is_empty (out))
    WITH_TYPE (out.type, FR_LAUNCH (silu_k<T>, blocks (out.rows), 1, THREADS, 0, stream, view<T> (out),
                                    view<T> (gate), view<T> (up)));
}

void
fr_cuda_silu_back (FrStream stream, LmMat dgate, LmMat dup, LmMat dout, LmMat gate, LmMat up)
{
  if (!is_empty (dout))
    WITH_TYPE (dout.type,
               FR_LAUNCH (silu_back_k<T>, blocks (dout.rows), 1, THREADS, 0, stream, view<T> (dgate),
                          view<T> (dup), view<T> (dout), view<T> (gate), view<T> (up)));
}

void
fr_cuda_dropout (FrStream stream, LmMat out, gboolean add, LmMat x, const guint64 *keys, float rate)
{
  if (!is_empty (out))
    WITH_TYPE (out.type, FR_LAUNCH (dropout_k<T>, blocks (out.rows), 1, THREADS, 0, stream, view<T> (out),
                                    add, view<T> (x), keys, rate));
}

void
fr_cuda_rms_norm (FrStream stream, LmMat out, LmMat rstd, LmMat x, LmMat weight, float epsilon)
{
  if (!is_empty (x))
    WITH_TYPE (x.type, FR_LAUNCH (rms_norm_k<T>, blocks (x.rows), 1, THREADS, SCRATCH, stream,
                                  view<T> (out), (float *) rstd.data, view<T> (x),
                                  (const float *) weight.data, epsilon));
}

void
fr_cuda_rms_norm_back (FrStream stream, LmMat dx, float beta, LmMat dweight, LmMat dout, LmMat x,
                       LmMat weight, LmMat rstd)
{
  const float *scale = (const float *) rstd.data;

  if (is_empty (x))
    return;
  /* The weight's gradient first: dx may lie where dout does. */
  if (dweight.data != NULL)
    WITH_TYPE (x.type, FR_LAUNCH (rms_norm_weight_k<T>, columns (x.cols), 1, THREADS, 0, stream,
                                  (float *) dweight.data, view<T> (dout), view<T> (x), scale));
  WITH_TYPE (x.type, FR_LAUNCH (rms_norm_back_k<T>, blocks (x.rows), 1, THREADS, SCRATCH, stream,
                                view<T> (dx), beta, view<T> (dout), view<T> (x),
                                (const float *) weight.data, scale));
}

void
fr_cuda_rope (FrStream stream, LmMat x, guint heads, guint head_dim, guint half, const gint32 *positions,
              LmMat cos, LmMat sin, gboolean inverse)
{
  if (!is_empty (x))
    WITH_TYPE (x.type, FR_LAUNCH (rope_k<T>, blocks (x.rows), 1, THREADS, 0, stream, view<T> (x), heads,
                                  head_dim, half, positions, view<float> (cos), view<float> (sin),
                                  inverse ? -1.0f : 1.0f));
}

void
fr_cuda_attention (FrStream stream, const LmAttention *a, const FrTileOf *q_tiles, gsize n_q)
{
  if (n_q > 0)
    WITH_TYPE (a->q.type, attention<T> (stream, a, q_tiles, n_q));
}

void
fr_cuda_attention_back (FrStream stream, const LmAttention *a, LmMat dout, LmMat dq, LmMat dk, LmMat dv,
                        float *delta, const FrTileOf *q_tiles, gsize n_q, const FrTileOf *k_tiles,
                        gsize n_k)
{
  if (n_q > 0 && n_k > 0)
    WITH_TYPE (a->q.type,
               attention_back<T> (stream, a, dout, dq, dk, dv, delta, q_tiles, n_q, k_tiles, n_k));
}

void
fr_cuda_embed (FrStream stream, LmMat out, LmMat weight, const gint32 *tokens)
{
  gsize row = lm_type_bytes (weight.type, weight.stride);

  if (!is_empty (out))
    WITH_TYPE (out.type, FR_LAUNCH (embed_k<T>, blocks (out.rows), 1, THREADS, 0, stream, view<T> (out),
                                    weight.type, (const char *) weight.data, row, tokens));
}

void
fr_cuda_embed_back (FrStream stream, LmMat dweight, LmMat dout, const gint32 *tokens)
{
  if (!is_empty (dout))
    WITH_TYPE (dout.type, FR_LAUNCH (embed_back_k<T>, columns (dout.cols), 1, THREADS, 0, stream,
                                     view<float> (dweight), view<T> (dout), tokens));
}

void
fr_cuda_cross_entropy (FrStream stream, LmMat logits, const gint32 *targets, float *losses, float grad_scale)
{
  if (!is_empty (logits))
    WITH_TYPE (logits.type, FR_LAUNCH (cross_entropy_k<T>, blocks (logits.rows), 1, THREADS, SCRATCH,
                                       stream, view<T> (logits), targets, losses, grad_scale));
}

void
fr_cuda_adamw (FrStream stream, float *param, const float *grad, float *m, float *v, gsize n,
               const LmAdam *adam, float bias1, float bias2)
{
  LmAdam a = *adam;

  if (n > 0)
    FR_LAUNCH (adamw_k, blocks (columns (n)), 1, THREADS, 0, stream, param, grad, m, v, n, a, bias1, bias2);
}

void
fr_cuda_sum_squares (FrStream stream, const float *x, gsize n, double *partial)
{
  FR_LAUNCH (sum_squares_k, FR_SUMS, 1, THREADS, THREADS * sizeof (double), stream, x, n, partial);
}

gboolean
fr_cuda_shared_ok (guint key_dim, guint value_dim, gsize limit)
{
  LmAttention a = {};

  a.key_dim = key_dim;
  a.value_dim = value_dim;
  return tile_bytes (&a) <= limit;
}
