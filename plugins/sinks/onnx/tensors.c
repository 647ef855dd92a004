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
#define PIECE ((gsize) 16 << 20)
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

/* To the nearest integer, of two the even one, of |x| below 2²²: what does not fit behind the point
 * is rounded away.  Unlike rintf() it is done in vectors on every processor. */
static inline float
nearest (float x)
{
  return (x + 12582912.0f) - 12582912.0f;
}

/* A number divided by its row's scale. */
static inline gint8
quantise (float x, float inverse)
{
  return (gint8) CLAMP (nearest (x * inverse), -127.0f, 127.0f);
}

static inline float
inverse_of (float scale)
{
  return scale != 0 ? 1 / scale : 0;
}

/* Adds up how far @got is from @wanted, in lanes that go side by side. */
static void
note (Quality *q, const float *wanted, const float *got, gsize n)
{
  float error[8] = { 0 }, power[8] = { 0 };

  for (gsize i = 0; i + 8 <= n; i += 8)
    for (guint k = 0; k < 8; k++)
      {
        float d = got[i + k] - wanted[i + k];

        error[k] += d * d;
        power[k] += wanted[i + k] * wanted[i + k];
      }
  for (gsize i = n / 8 * 8; i < n; i++)
    {
      error[0] += (got[i] - wanted[i]) * (got[i] - wanted[i]);
      power[0] += wanted[i] * wanted[i];
    }
  for (guint k = 0; k < 8; k++)
    {
      q->error += (double) error[k];
      q->power += (double) power[k];
    }
}

/* @n numbers with one scale. */
static void
quantise_run (Quality *q, const float *x, float scale, gint8 *codes, gsize n)
{
  float inverse = inverse_of (scale), got[TILE_COLS];

  for (gsize from = 0; from < n; from += TILE_COLS)
    {
      gsize m = MIN (n - from, TILE_COLS);

      for (gsize j = 0; j < m; j++)
        {
          codes[from + j] = quantise (x[from + j], inverse);
          got[j] = (float) codes[from + j] * scale;
        }
      note (q, x + from, got, m);
    }
}

static void
quantise_rows (Job *job)
{
  const float *scales = job->tensor->scales->data;
  gsize cols = job->rows.cols;

  for (gsize i = job->from; i < job->to; i++)
    quantise_run (&job->quality, lm_rows_get (&job->rows, i), scales[i],
                  (gint8 *) job->piece + (i - job->first) * cols, cols);
}

/* The largest magnitude of each row, over 127; counts rows that are not finite. */
static void
scale_rows (Job *job)
{
  float *scales = job->tensor->scales->data;

  for (gsize i = job->from; i < job->to; i++)
    {
      const float *row = lm_rows_get (&job->rows, i);
      gsize n = job->rows.cols, j = 0;
      float most[8] = { 0 }, sum[8] = { 0 }; /* a sum shows what a comparison does not: NaN */

      for (; j + 8 <= n; j += 8)
        for (guint k = 0; k < 8; k++)
          {
            float x = fabsf (row[j + k]);

            most[k] = x > most[k] ? x : most[k];
            sum[k] += x * 0x1p-64f;
          }
      for (; j < n; j++)
        {
          most[0] = MAX (most[0], fabsf (row[j]));
          sum[0] += fabsf (row[j]) * 0x1p-64f;
        }
      for (guint k = 1; k < 8; k++)
        {
          most[0] = MAX (most[0], most[k]);
          sum[0] += sum[k];
        }
      scales[i] = most[0] / 127;
      job->count += !isfinite (sum[0]);
    }
}

/* ---- blocks of four bits ---------------------------------------------------------------- */

/* The codes -8 … 7 of a block in steps of @scale. */
static void
block_codes (const float *x, float scale, float *codes)
{
  float inverse = inverse_of (scale);

  for (guint j = 0; j < NBITS_BLOCK; j++)
    codes[j] = CLAMP (nearest (x[j] * inverse), -8.0f, 7.0f);
}

static float
block_error (const float *x, float scale)
{
  float codes[NBITS_BLOCK], lanes[8] = { 0 };

  block_codes (x, scale, codes);
  for (guint j = 0; j < NBITS_BLOCK; j += 8)
    for (guint k = 0; k < 8; k++)
      {
        float d = codes[j + k] * scale - x[j + k];

        lanes[k] += d * d;
      }
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5]))
         + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

/* The scale of a block: its largest, sign and all, becomes -8, and a few scales about it are
 * tried, for a smaller step that cuts the largest off may err less in all. */
static float
block_scale (const float *x)
{
  static const float tries[] = { -8.0f, -7.7f, -7.4f, -7.0f, -8.4f, -8.8f, -9.2f };
  float largest = 0, best = 0, least = INFINITY;

  for (guint j = 0; j < NBITS_BLOCK; j++)
    if (fabsf (x[j]) > fabsf (largest))
      largest = x[j];
  for (guint i = 0; largest != 0 && i < G_N_ELEMENTS (tries); i++)
    {
      float scale = largest / tries[i], error = block_error (x, scale);

      if (error < least)
        {
          least = error;
          best = scale;
        }
    }
  return best;
}

/* A block into 16 bytes; @x ends in zeros where the row does.  Returns whether it is finite. */
static gboolean
quantise_block (Quality *q, const float *x, float *scale, guint8 *out)
{
  float codes[NBITS_BLOCK], got[NBITS_BLOCK], sum = 0;

  *scale = block_scale (x);
  block_codes (x, *scale, codes);
  for (guint j = 0; j < NBITS_BLOCK; j++)
    {
      got[j] = codes[j] * *scale;
      sum += fabsf (x[j]);
    }
  for (guint j = 0; j < NBITS_BLOCK; j += 2)
    out[j / 2] = (guint8) (((int) codes[j] + 8) | ((int) codes[j + 1] + 8) << 4);
  note (q, x, got, NBITS_BLOCK);
  return isfinite (sum);
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
          guint8 *out = job->piece + ((i - job->first) * blocks + b) * (NBITS_BLOCK / 2);
          gsize n = MIN (cols - b * NBITS_BLOCK, NBITS_BLOCK);
          float x[NBITS_BLOCK] = { 0 };

          memcpy (x, row + b * NBITS_BLOCK, n * sizeof *x);
          job->count += !quantise_block (&job->quality, x, &scales[i * blocks + b], out);
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
  LmType type = onnx_type_lm (t->type);
  gsize to = at * job->rows.rows + i;
  float numbers[TILE_ROWS];

  for (guint r = 0; r < n; r++)
    numbers[r] = tile[r * TILE_LINE + j];
  if (t->form == FORM_TURNED)
    lm_encode (type, numbers, job->piece + lm_type_bytes (type, to), n);
  else
    for (guint r = 0; r < n; r++)
      ((gint8 *) job->piece)[to + r] = (gint8) numbers[r];
}

/* A row of a tile, before it is turned: numbers, or codes. */
static void
put_row (Job *job, const float *x, gsize i, gsize n, float *to)
{
  gint8 codes[TILE_COLS];

  if (job->tensor->form == FORM_TURNED)
    {
      memcpy (to, x, n * sizeof *x);
      return;
    }
  quantise_run (&job->quality, x, ((const float *) job->tensor->scales->data)[i], codes, n);
  for (gsize j = 0; j < n; j++)
    to[j] = codes[j];
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
            put_row (job, lm_rows_part (&job->rows, i + r, job->col + c, m), i + r, m,
                     tile + r * TILE_LINE);
          for (guint j = 0; j < m; j++)
            put_column (job, tile, i, n, j, c + j);
        }
    }
}

static gboolean
make_turned (Job *job, guint threads, const Pieces *pieces, GError **error)
{
  const LmTensor *source = job->tensor->source;
  gsize rows = rows_of (source), cols = cols_of (source);
  gsize line = rows * onnx_type_bytes (job->tensor->type), block = lm_types[source->type].block;
  gsize step = MAX (PIECE / MAX (line, 1), 32);

  step = step >= TILE_COLS ? step / TILE_COLS * TILE_COLS : MAX (step / 32 * 32, block);
  step = MIN (step, cols);
  job->from = 0;
  job->to = rows;
  for (job->col = 0; job->col < cols; job->col += step)
    {
      job->n_col = MIN (step, cols - job->col);
      job->piece = pieces->take (pieces->user, job->n_col * line);
      run_ranges (job, threads);
      if (!pieces->give (pieces->user, job->piece, job->n_col * line, error))
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
make_rows (Job *job, guint threads, const Pieces *pieces, GError **error)
{
  Tensor *t = job->tensor;
  gsize rows = t->n_dims > 1 ? (gsize) t->dims[0] : 1, line = (gsize) t->bytes / MAX (rows, 1);
  gsize step = CLAMP (PIECE / MAX (line, 1), 1, MAX (rows, 1));

  for (job->first = 0; job->first < rows; job->first += step)
    {
      job->from = job->first;
      job->to = MIN (job->first + step, rows);
      job->piece = pieces->take (pieces->user, (job->to - job->from) * line);
      run_ranges (job, threads);
      if (!pieces->give (pieces->user, job->piece, (job->to - job->from) * line, error))
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

/* What is there already. */
static gboolean
make_bytes (const Tensor *t, const Pieces *pieces, GError **error)
{
  guint8 *room = pieces->take (pieces->user, t->bytes);

  memcpy (room, t->data, t->bytes);
  return pieces->give (pieces->user, room, t->bytes, error);
}

static gboolean
make_form (Job *job, guint threads, const Pieces *pieces, GError **error)
{
  Tensor *t = job->tensor;

  if (t->scales != NULL)
    t->scales->data = g_malloc (t->scales->bytes);
  switch (t->form)
    {
    case FORM_ROWS:
      job->work = encode_rows;
      return make_rows (job, threads, pieces, error);
    case FORM_INT8:
      if (!make_scales (job, threads, error))
        return FALSE;
      job->work = quantise_rows;
      return make_rows (job, threads, pieces, error);
    case FORM_NBITS4:
      job->work = quantise_blocks;
      return make_rows (job, threads, pieces, error) && check_finite (job, error);
    case FORM_INT8_TURNED:
      if (!make_scales (job, threads, error))
        return FALSE;
      G_GNUC_FALLTHROUGH;
    case FORM_TURNED:
      job->work = turn_rows;
      return make_turned (job, threads, pieces, error);
    case FORM_COSINE:
    case FORM_SINE:
      job->work = rotate;
      return make_rows (job, threads, pieces, error);
    case FORM_BYTES:
    case FORM_SCALES:
      break;
    }
  return make_bytes (t, pieces, error);
}

gboolean
tensor_make (Tensor *t, LmModel *model, guint threads, Quality *quality, const Pieces *pieces,
             GError **error)
{
  Job job = { .tensor = t, .model = model };
  gboolean made = make_form (&job, threads, pieces, error);

  if (t->form == FORM_SCALES)
    g_clear_pointer (&t->data, g_free);
  quality->error += job.quality.error;
  quality->power += job.quality.power;
  return made;
}

/* ---- FLOAT16's range ------------------------------------------------------------------------ */

/* What rounds to 65504 fits. */
static gboolean
is_beyond (float x)
{
  return fabsf (x) >= 65520;
}

static void
count_beyond (Job *job)
{
  for (gsize i = job->from; i < job->to; i++)
    {
      const float *row = lm_rows_get (&job->rows, i);
      gsize n = job->rows.cols, j = 0;
      float most[8] = { 0 }, least[8] = { 0 };
      gboolean any = FALSE;

      for (; j + 8 <= n; j += 8)
        for (guint k = 0; k < 8; k++)
          {
            most[k] = row[j + k] > most[k] ? row[j + k] : most[k];
            least[k] = row[j + k] < least[k] ? row[j + k] : least[k];
          }
      for (guint k = 0; k < 8; k++)
        any |= is_beyond (most[k]) || is_beyond (least[k]);
      for (j = any ? 0 : j; j < n; j++)
        job->count += is_beyond (row[j]);
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
