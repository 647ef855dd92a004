/* SPDX-License-Identifier: Apache-2.0 */
/* type.h: what numbers of a tensor look like in memory, and conversion (libflowrun-lm).
 *
 * Weights stay as they are stored, so types of safetensors and of GGUF stand
 * side by side.  A quantised type packs `block` numbers of one row into
 * `bytes` bytes; a row's length is a multiple of `block`.  Layouts follow the
 * GGUF specification and ggml's block structures.
 */
#ifndef FLOWRUN_LM_TYPE_H
#define FLOWRUN_LM_TYPE_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  LM_F32 = 0,
  LM_F16,
  LM_BF16,
  LM_F64,
  LM_I8,
  LM_I16,
  LM_I32,
  LM_I64,
  LM_U8,
  LM_BOOL,
  LM_F8_E4M3,
  LM_F8_E5M2,
  LM_Q4_0,
  LM_Q4_1,
  LM_Q5_0,
  LM_Q5_1,
  LM_Q8_0,
  LM_Q4_K,
  LM_Q5_K,
  LM_Q6_K,
  LM_N_TYPES
} LmType;

/**
 * LmTypeInfo: a row of the one table of types.
 * @name: "Q4_1", as GGUF tools and safetensors write it
 * @block, @bytes: numbers in a block and bytes of it
 * @gguf: its id there; -1: none
 * @safetensors: its name there; NULL: none
 * @numeric: whether lm_decode() reads it
 */
typedef struct {
  const char *name;
  guint block, bytes;
  int gguf;
  const char *safetensors;
  gboolean numeric;
} LmTypeInfo;

extern const LmTypeInfo lm_types[LM_N_TYPES];

/** lm_type_bytes: bytes of @n numbers in a row; @n a multiple of the block. */
static inline gsize
lm_type_bytes (LmType type, gsize n)
{
  return n / lm_types[type].block * lm_types[type].bytes;
}

/** lm_decode: @n numbers (a multiple of the block) at @src to float; any numeric type. */
void lm_decode (LmType type, gconstpointer src, float *dst, gsize n);
/** lm_type_is_written: whether lm_encode() writes it: F32, F16, BF16 and the types in blocks. */
gboolean lm_type_is_written (LmType type);
/**
 * lm_encode: @n numbers (a multiple of the block, of whole rows) to a type that is written.
 *
 * F16 and BF16 round to nearest even; what F16 cannot hold becomes infinite.  Q8_0 gets ggml's bytes, the others a
 * weighted square error not above that of ggml's codes.  Blocks of numbers that are not
 * finite have no meaning: look first.  The same bytes on every processor, however a tensor is divided.
 */
void lm_encode (LmType type, const float *src, gpointer dst, gsize n);
/** lm_convert: between any readable and any writable type; equal types are copied. */
void lm_convert (LmType from, gconstpointer src, LmType to, gpointer dst, gsize n);

static inline float
lm_bf16_to_float (guint16 h)
{
  union { guint32 u; float f; } v = { .u = (guint32) h << 16 };
  return v.f;
}

static inline guint16
lm_float_to_bf16 (float f)
{
  union { float f; guint32 u; } v = { .f = f };
  if ((v.u & 0x7fffffff) > 0x7f800000) /* a NaN stays one */
    return (guint16) (v.u >> 16 | 0x40);
  return (guint16) ((v.u + 0x7fff + (v.u >> 16 & 1)) >> 16);
}

float lm_f16_to_float (guint16 h);
guint16 lm_float_to_f16 (float f);

G_END_DECLS

#endif
