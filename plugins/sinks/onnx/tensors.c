/* SPDX-License-Identifier: Apache-2.0 */
/* tensors.c: the bytes of initializers: turned, rounded or quantised while they pass.
 *
 * Quantised forms follow the operators that read them: DequantizeLinear with
 * one scale a row (symmetric, -127 … 127), and MatMulNBits of ONNX Runtime's
 * contrib operators (blocks of 32 along a row, 4 bits, zero point 8).  Work is
 * split by rows; every number is computed alone, so that bytes do not depend on
 * the number of threads.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "tensors.h"

/* Of a piece that is passed on at once. */
#define PIECE ((gsize) 64 << 20)
/* A tile that is turned in the first-level cache; a line is longer, so that columns do not fall
 * into one set of it.  Columns are a multiple of every block of quantised sources. */
#define TILE_ROWS 64
#define TILE_COLS 256
#define TILE_LINE (TILE_COLS + 16)
/* Numbers that tensor_wrong() looks at. */
#define SAMPLES 64

LmType
onnx_type_lm (OnnxType type)
{
  return type == ONNX_FLOAT16 ? LM_F16 : type == ONNX_BFLOAT16 ? LM_BF16 : LM_F32;
}

Tensor *
tensor_new (const char *name, OnnxType type, Form form, const gint64 *dims, guint n)
{
  Tensor *t = g_new0 (Tensor, 1);

  t->name = g_strdup (name);
  t->type = type;
  t->form = form;
  t->n_dims = n;
  t->bytes = onnx_type_bytes (type);
  t->offset = -1;
  for (guint i = 0; i < n; i++)
    {
      t->dims[i] = dims[i];
      t->bytes *= (guint64) dims[i];
    }
  return t;
}

void
tensor_free (Tensor *t)
{
  g_free (t->name);
  g_free (t->data);
  g_free (t);
}

/* ---- work in ranges ------------------------------------------------------------------- */

typedef struct _Job Job;

/* Job: rows [from, to) of a piece, for one thread. */
struct _Job
{
  void (*work) (Job *job);
  Tensor *tensor;
  LmModel *model;
  gsize from, to;   /* rows of the tensor */
  gsize col, n_col; /* FORM_TURNED: columns of the piece */
  gsize first;      /* row that the piece begins with */
  guint8 *piece;
  LmRows rows; /* of this thread */
  Quality quality;
  gsize count; /* what was looked for */
};

static gpointer
run_job (gpointer data)
{
  Job *job = data;
  const Tensor *t = job->tensor;

  if (t->source != NULL)
    lm_rows_init (&job->rows, job->model, t->source, t->merge);
  job->work (job);
  if (t->source != NULL)
    lm_rows_clear (&job->rows);
  return NULL;
}

/* Does @what for its rows [from, to) by @threads; adds quality and count up, in order. */
static void
run_ranges (Job *what, guint threads)
{
  gsize n = what->to - what->from;
  guint parts = (guint) CLAMP (n / TILE_ROWS, 1, MAX (threads, 1));
  g_autofree Job *jobs = g_new (Job, parts);
  g_autofree GThread **running = g_new0 (GThread *, parts);

  for (guint i = 0; i < parts; i++)
    {
      jobs[i] = *what;
      jobs[i].from = what->from + n * i / parts;
      jobs[i].to = what->from + n * (i + 1) / parts;
      if (i > 0)
        running[i] = g_thread_try_new ("onnx", run_job, &jobs[i], NULL);
      if (i > 0 && running[i] == NULL)
        run_job (&jobs[i]);
    }
  run_job (&jobs[0]);
  for (guint i = 0; i < parts; i++)
    {
      if (running[i] != NULL)
        g_thread_join (running[i]);
      what->quality.error += jobs[i].quality.error;
      what->quality.power += jobs[i].quality.power;
      what->count += jobs[i].count;
    }
}

/* ---- rows as they are ------------------------------------------------------------------ */

static gsize
rows_of (const LmTensor *source)
{
  return source->n_dims > 1 ? (gsize) source->dims[0] : 1;
}

static gsize
cols_of (const LmTensor *source)
{
  return (gsize) source->dims[source->n_dims - 1];
}

static void
encode_rows (Job *job)
{
  LmType type = onnx_type_lm (job->tensor->type);
  gsize line = lm_type_bytes (type, job->rows.cols);

  for (gsize i = job->from; i < job->to; i++)
    lm_encode (type, lm_rows_get (&job->rows, i), job->piece + (i - job->first) * line,
               job->rows.cols);
}

/* A number divided by its row's scale. */
static inline gint8
quantise (float x, float inverse)
{
  return (gint8) CLAMP (lrintf (x * inverse), -127, 127);
}

static inline float
inverse_of (float scale)
{
  return scale != 0 ? 1 / scale : 0;
}

static void
note (Quality *q, float wanted, float got)
{
  double d = (double) got - (double) wanted;

  q->error += d * d;
  q->power += (double) wanted * (double) wanted;
}

static void
quantise_rows (Job *job)
{
  const float *scales = job->tensor->scales->data;
  gsize cols = job->rows.cols;

  for (gsize i = job->from; i < job->to; i++)
    {
      const float *row = lm_rows_get (&job->rows, i);
      gint8 *out = (gint8 *) job->piece + (i - job->first) * cols;
      float inverse = inverse_of (scales[i]);

      for (gsize j = 0; j < cols; j++)
        {
          out[j] = quantise (row[j], inverse);
          note (&job->quality, row[j], (float) out[j] * scales[i]);
        }
    }
}

/* The largest magnitude of each row, over 127; counts rows that have none. */
static void
scale_rows (Job *job)
{
  float *scales = job->tensor->scales->data;

  for (gsize i = job->from; i < job->to; i++)
    {
      const float *row = lm_rows_get (&job->rows, i);
      float largest = 0;
      gboolean finite = TRUE;

      for (gsize j = 0; j < job->rows.cols; j++)
        {
          largest = MAX (largest, fabsf (row[j]));
          finite = finite && isfinite (row[j]);
        }
      scales[i] = largest / 127;
      job->count += !finite;
    }
}

/* ---- blocks of four bits ---------------------------------------------------------------- */

/* Squared error of @x in steps of @scale; codes are 0 … 15, 8 being zero. */
static float
block_error (const float *x, guint n, float scale)
{
  float inverse = inverse_of (scale), sum = 0;

  for (guint j = 0; j < n; j++)
    {
      float code = CLAMP (rintf (x[j] * inverse), -8.0f, 7.0f), d = code * scale - x[j];

      sum += d * d;
    }
  return sum;
}

/* The scale of @n numbers: their largest, sign and all, becomes -8, and a few scales about it are
 * tried, for a smaller step that cuts the largest off may err less in all. */
static float
block_scale (const float *x, guint n)
{
  static const float tries[] = { -8.0f, -7.7f, -7.4f, -7.0f, -8.4f, -8.8f, -9.2f };
  float largest = 0, best = 0, least = INFINITY;

  for (guint j = 0; j < n; j++)
    if (fabsf (x[j]) > fabsf (largest))
      largest = x[j];
  for (guint i = 0; largest != 0 && i < G_N_ELEMENTS (tries); i++)
    {
      float scale = largest / tries[i], error = block_error (x, n, scale);

      if (error < least)
        {
          least = error;
          best = scale;
        }
    }
  return best;
}

static void
quantise_blocks (Job *job)
{
  gsize cols = job->rows.cols, blocks = (cols + NBITS_BLOCK - 1) / NBITS_BLOCK;
  float *scales = job->tensor->scales->data;

  for (gsize i = job->from; i < job->to; i++)
    {
      const float *row = lm_rows_get (&job->rows, i);

      for (gsize b = 0; b < blocks; b++)
        {
          const float *x = row + b * NBITS_BLOCK;
          guint n = (guint) MIN (cols - b * NBITS_BLOCK, NBITS_BLOCK);
          guint8 *out = job->piece + ((i - job->first) * blocks + b) * (NBITS_BLOCK / 2);
          float scale = block_scale (x, n), inverse = inverse_of (scale);

          memset (out, 0x88, NBITS_BLOCK / 2);
          scales[i * blocks + b] = scale;
          for (guint j = 0; j < n; j++)
            {
              float code = CLAMP (rintf (x[j] * inverse), -8.0f, 7.0f);
              guint8 bits = (guint8) ((int) code + 8);

              out[j / 2] = j % 2 == 0 ? (guint8) ((out[j / 2] & 0xf0) | bits)
                                      : (guint8) ((out[j / 2] & 0x0f) | bits << 4);
              note (&job->quality, x[j], code * scale);
              job->count += !isfinite (x[j]);
            }
        }
    }
}

/* ---- turned ------------------------------------------------------------------------------ */

/* @n numbers of rows from @i on of tile column @j, as they stand one after the other in the file.
 */
static void
put_column (Job *job, const float *tile, gsize i, guint n, guint j, gsize at)
{
  const Tensor *t = job->tensor;
  gsize to = at * job->rows.rows + i;
  float numbers[TILE_ROWS];

  for (guint r = 0; r < n; r++)
    numbers[r] = tile[r * TILE_LINE + j];
  if (t->form == FORM_TURNED)
    {
      LmType type = onnx_type_lm (t->type);

      lm_encode (type, numbers, job->piece + lm_type_bytes (type, to), n);
      return;
    }
  for (guint r = 0; r < n; r++)
    {
      float scale = ((const float *) t->scales->data)[i + r];
      gint8 code = quantise (numbers[r], inverse_of (scale));

      ((gint8 *) job->piece)[to + r] = code;
      note (&job->quality, numbers[r], (float) code * scale);
    }
}

static void
turn_rows (Job *job)
{
  g_autofree float *tile = g_new (float, TILE_ROWS *TILE_LINE);

  for (gsize i = job->from; i < job->to; i += TILE_ROWS)
    {
      guint n = (guint) MIN (job->to - i, TILE_ROWS);

      for (gsize c = 0; c < job->n_col; c += TILE_COLS)
        {
          guint m = (guint) MIN (job->n_col - c, TILE_COLS);

          for (guint r = 0; r < n; r++)
            memcpy (tile + r * TILE_LINE, lm_rows_part (&job->rows, i + r, job->col + c, m),
                    m * sizeof *tile);
          for (guint j = 0; j < m; j++)
            put_column (job, tile, i, n, j, c + j);
        }
    }
}

static gboolean
make_turned (Job *job, guint threads, Emit emit, gpointer user, GError **error)
{
  const LmTensor *source = job->tensor->source;
  gsize rows = rows_of (source), cols = cols_of (source);
  gsize line = rows * onnx_type_bytes (job->tensor->type), block = lm_types[source->type].block;
  gsize step = MAX (PIECE / MAX (line, 1), 32);

  step = step >= TILE_COLS ? step / TILE_COLS * TILE_COLS : MAX (step / 32 * 32, block);
  step = MIN (step, cols);
  job->piece = g_malloc (step * line);
  job->from = 0;
  job->to = rows;
  for (job->col = 0; job->col < cols; job->col += step)
    {
      job->n_col = MIN (step, cols - job->col);
      run_ranges (job, threads);
      if (!emit (user, job->piece, job->n_col * line, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- what is made row by row --------------------------------------------------------------- */

static void
rotate (Job *job)
{
  const LmConfig *config = lm_model_config (job->model);
  gsize half = config->head_dim / 2;
  g_autofree double *inverse = g_new (double, half);
  g_autofree float *other = g_new (float, half);

  lm_rope_frequencies (config, inverse);
  for (gsize i = job->from; i < job->to; i++)
    {
      float *out = (float *) (gpointer) job->piece + (i - job->first) * half;

      lm_rope_table (config, inverse, i, i + 1, job->tensor->form == FORM_COSINE ? out : other,
                     job->tensor->form == FORM_COSINE ? other : out);
    }
}

static gboolean
make_rows (Job *job, guint threads, Emit emit, gpointer user, GError **error)
{
  Tensor *t = job->tensor;
  gsize rows = t->n_dims > 1 ? (gsize) t->dims[0] : 1, line = (gsize) t->bytes / MAX (rows, 1);
  gsize step = CLAMP (PIECE / MAX (line, 1), 1, MAX (rows, 1));

  job->piece = g_malloc (step * line);
  for (job->first = 0; job->first < rows; job->first += step)
    {
      job->from = job->first;
      job->to = MIN (job->first + step, rows);
      run_ranges (job, threads);
      if (!emit (user, job->piece, (job->to - job->from) * line, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_finite (const Job *job, GError **error)
{
  if (job->count == 0)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_DATA,
               "%s of %s holds infinite numbers or NaN, which cannot be quantised; export it as "
               "\"f32\", or look at the training that made it",
               job->tensor->source->name, lm_model_name (job->model));
  return FALSE;
}

static gboolean
make_scales (Job *job, guint threads, GError **error)
{
  job->work = scale_rows;
  job->from = 0;
  job->to = rows_of (job->tensor->source);
  run_ranges (job, threads);
  return check_finite (job, error);
}

static gboolean
make_form (Job *job, guint threads, Emit emit, gpointer user, GError **error)
{
  Tensor *t = job->tensor;

  if (t->scales != NULL)
    t->scales->data = g_malloc (t->scales->bytes);
  switch (t->form)
    {
    case FORM_ROWS:
      job->work = encode_rows;
      return make_rows (job, threads, emit, user, error);
    case FORM_INT8:
      if (!make_scales (job, threads, error))
        return FALSE;
      job->work = quantise_rows;
      return make_rows (job, threads, emit, user, error);
    case FORM_NBITS4:
      job->work = quantise_blocks;
      return make_rows (job, threads, emit, user, error) && check_finite (job, error);
    case FORM_INT8_TURNED:
      if (!make_scales (job, threads, error))
        return FALSE;
      G_GNUC_FALLTHROUGH;
    case FORM_TURNED:
      job->work = turn_rows;
      return make_turned (job, threads, emit, user, error);
    case FORM_COSINE:
    case FORM_SINE:
      job->work = rotate;
      return make_rows (job, threads, emit, user, error);
    case FORM_BYTES:
    case FORM_SCALES:
      break;
    }
  return emit (user, t->data, t->bytes, error);
}

gboolean
tensor_make (Tensor *t, LmModel *model, guint threads, Quality *quality, Emit emit, gpointer user,
             GError **error)
{
  Job job = { .tensor = t, .model = model };
  gboolean made = make_form (&job, threads, emit, user, error);

  g_free (job.piece);
  if (t->form == FORM_SCALES)
    g_clear_pointer (&t->data, g_free);
  quality->error += job.quality.error;
  quality->power += job.quality.power;
  return made;
}

/* ---- FLOAT16's range ------------------------------------------------------------------------ */

static void
count_beyond (Job *job)
{
  for (gsize i = job->from; i < job->to; i++)
    {
      const float *row = lm_rows_get (&job->rows, i);

      for (gsize j = 0; j < job->rows.cols; j++)
        job->count += fabsf (row[j]) >= 65520; /* what rounds to 65504 fits */
    }
}

gsize
tensor_overflows (LmModel *model, const LmTensor *source, gboolean merge, guint threads)
{
  Tensor tensor = { .source = source, .merge = merge };
  Job job = { .work = count_beyond, .tensor = &tensor, .model = model, .to = rows_of (source) };

  if (source->type != LM_F16 || (merge && lm_export_module (model, source->name) != NULL))
    run_ranges (&job, threads);
  return job.count;
}

/* ---- read again ----------------------------------------------------------------------------- */

/* In a file numbers stand at any address. */
static float
float_at (const guint8 *bytes, gsize i)
{
  float f;

  memcpy (&f, bytes + i * sizeof f, sizeof f);
  return f;
}

/* Whether the number at (@i, @j) of @t's source is what @bytes hold. */
static gboolean
is_right (const Tensor *t, const guint8 *bytes, const guint8 *scales, gsize i, gsize j, gsize rows,
          gsize cols, float wanted)
{
  gboolean turned = t->form == FORM_TURNED || t->form == FORM_INT8_TURNED;
  gsize at = turned ? j * rows + i : i * cols + j, blocks = (cols + NBITS_BLOCK - 1) / NBITS_BLOCK;
  LmType type = onnx_type_lm (t->type);
  guint8 encoded[4];
  float scale, got;

  if (t->form == FORM_ROWS || t->form == FORM_TURNED)
    {
      lm_encode (type, &wanted, encoded, 1);
      return memcmp (encoded, bytes + lm_type_bytes (type, at), lm_type_bytes (type, 1)) == 0;
    }
  if (t->form == FORM_NBITS4)
    {
      guint8 pair = bytes[i * blocks * (NBITS_BLOCK / 2) + j / 2];
      int code = (j % 2 == 0 ? pair & 15 : pair >> 4) - 8;

      scale = float_at (scales, i * blocks + j / NBITS_BLOCK);
      got = (float) code * scale;
      /* At the ends of the scale more may have been cut off. */
      return fabsf (got - wanted) <= fabsf (scale) * (code == -8 || code == 7 ? 3.0f : 0.5001f);
    }
  scale = float_at (scales, i);
  got = (float) ((const gint8 *) bytes)[at] * scale;
  return fabsf (got - wanted) <= scale * 0.5001f;
}

static gint64
wrong_weight (const Tensor *t, LmModel *model, const guint8 *bytes, const guint8 *scales,
              guint64 *n_compared)
{
  const LmTensor *source = t->source;
  gsize block = lm_types[source->type].block, rows = rows_of (source), cols = cols_of (source);
  gint64 wrong = -1;
  LmRows r;

  lm_rows_init (&r, model, source, t->merge);
  for (guint k = 0; wrong < 0 && k < SAMPLES; k++)
    {
      /* Spread over all of it, the first and the last among them. */
      gsize at = k == 0             ? 0
                 : k == SAMPLES - 1 ? rows * cols - 1
                                    : (gsize) (k * 0x9e3779b97f4a7c15u % (rows * cols));
      gsize i = at / cols, j = at % cols, from = j / block * block;
      float wanted = lm_rows_part (&r, i, from, block)[j - from];

      if (!is_right (t, bytes, scales, i, j, rows, cols, wanted))
        wrong = (gint64) at;
      ++*n_compared;
    }
  lm_rows_clear (&r);
  return wrong;
}

static gint64
wrong_rotation (const Tensor *t, LmModel *model, const guint8 *bytes, guint64 *n_compared)
{
  const LmConfig *config = lm_model_config (model);
  gsize half = config->head_dim / 2, rows = (gsize) t->dims[0];
  g_autofree double *inverse = g_new (double, half);
  g_autofree float *cosine = g_new (float, half), *sine = g_new (float, half);

  lm_rope_frequencies (config, inverse);
  for (guint k = 0; k < SAMPLES; k++)
    {
      gsize i = (rows - 1) * k / (SAMPLES - 1);

      lm_rope_table (config, inverse, i, i + 1, cosine, sine);
      if (memcmp (bytes + i * half * sizeof (float), t->form == FORM_COSINE ? cosine : sine,
                  half * sizeof (float))
          != 0)
        return (gint64) (i * half);
      *n_compared += half;
    }
  return -1;
}

gint64
tensor_wrong (const Tensor *t, LmModel *model, const guint8 *bytes, const guint8 *scales,
              guint64 *n_compared)
{
  if (t->form == FORM_BYTES)
    return memcmp (bytes, t->data, t->bytes) == 0 ? -1 : 0;
  if (t->form == FORM_COSINE || t->form == FORM_SINE)
    return wrong_rotation (t, model, bytes, n_compared);
  if (t->form == FORM_SCALES || t->bytes == 0) /* seen with the matrix they belong to */
    return -1;
  return wrong_weight (t, model, bytes, scales, n_compared);
}
