/* SPDX-License-Identifier: Apache-2.0 */
/* tensors.h: initializers: what they hold, made a piece at a time.
 *
 * A weight of a linear layer is [out, in] in a checkpoint.  ONNX's MatMul wants
 * [in, out], so that it is turned in blocks while it is written; quantised
 * forms are made row by row.  Nothing holds more than a block.
 */
#ifndef FLOWRUN_SINK_ONNX_TENSORS_H
#define FLOWRUN_SINK_ONNX_TENSORS_H

#include <flowrun/flowrun.h>

#include "lm/export.h"
#include "wire.h"

/* Numbers of one block of MatMulNBits. */
#define NBITS_BLOCK 32

typedef enum
{
  FORM_BYTES,   /* @data as it is                                                            */
  FORM_ROWS,    /* numbers as they are stored, row by row                                     */
  FORM_TURNED,  /* a matrix [in, out]                                                         */
  FORM_INT8,    /* rows, each divided by its scale: -127 … 127                                */
  FORM_INT8_TURNED,
  FORM_NBITS4,  /* rows in blocks of 32, two numbers a byte, the even one low, 8 being zero    */
  FORM_SCALES,  /* the scales that the tensor before it (@of) was written with                */
  FORM_COSINE,  /* rotation by position                                                       */
  FORM_SINE
} Form;

typedef struct _Tensor Tensor;

/**
 * Tensor: an initializer.
 * @type, @n_dims, @dims, @bytes: as it is declared
 * @source, @merge: the weight it is made from, and whether with the model's adapter
 * @data: FORM_BYTES: @bytes of it; FORM_SCALES: filled when its matrix is written; owned
 * @of: FORM_SCALES: whose
 * @offset: where its bytes begin in the file of weights; -1: within the .onnx file
 * @digest: XXH3-128 of its bytes, once written
 */
struct _Tensor
{
  char *name;
  OnnxType type;
  guint n_dims;
  gint64 dims[4];
  guint64 bytes;
  Form form;
  const LmTensor *source;
  gboolean merge;
  gpointer data;
  Tensor *scales, *of;
  gint64 offset;
  guint64 digest[2];
};

/** tensor_new: @dims: @n of them; bytes follow from them. */
Tensor *tensor_new (const char *name, OnnxType type, Form form, const gint64 *dims, guint n);
void tensor_free (Tensor *tensor);
/** onnx_type_lm: the type of numbers as lm/type.h has it; only of floating-point ones. */
LmType onnx_type_lm (OnnxType type);

/**
 * Pieces: where the bytes of tensors go.
 * @take: room for @n bytes
 * @give: that room, filled, as the next bytes; it is not touched again by who gives it
 */
typedef struct
{
  guint8 *(*take) (gpointer user, gsize n);
  gboolean (*give) (gpointer user, guint8 *data, gsize n, GError **error);
  gpointer user;
} Pieces;

/**
 * Quality: how far quantisation took the weights, in squares.
 * @error: sum of (written - wanted)²; @power: sum of wanted²
 */
typedef struct
{
  double error, power;
} Quality;

/**
 * tensor_make: all bytes of @tensor into @pieces, in order.
 * @threads: how many may work at once; the bytes do not depend on it
 * @quality: added to by quantised forms
 * @error: that of @pieces; FR_ERROR_DATA: numbers that are not finite cannot be quantised
 */
gboolean tensor_make (Tensor *tensor, LmModel *model, guint threads, Quality *quality,
                      const Pieces *pieces, GError **error);

/** tensor_overflows: numbers of @source (with the adapter, if @merge) beyond what FLOAT16 holds, 65504. */
gsize tensor_overflows (LmModel *model, const LmTensor *source, gboolean merge, guint threads);

/**
 * tensor_wrong: compares some numbers of what was written (@bytes, all of @tensor's; @scales of its scales') with the
 * model, each computed anew: exactly where @tensor's type only rounds, within a step where it is quantised.
 * @n_compared: raised by how many were looked at
 *
 * Returns the first number that is not what it should be, or -1.
 */
gint64 tensor_wrong (const Tensor *tensor, LmModel *model, const guint8 *bytes, const guint8 *scales,
                     guint64 *n_compared);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Tensor, tensor_free)

#endif
