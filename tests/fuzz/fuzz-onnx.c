/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-onnx.c: an .onnx file: what is read lies within it; what is not says why. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/sinks/onnx/read.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (gboolean good)
{
  if (!good)
    abort ();
}

static const uint8_t *begin, *end;

/* Touches all of @s. */
static void
within (FrStr s)
{
  volatile uint8_t sum = 0;

  if (s.data == NULL)
    return;
  check ((const uint8_t *) s.data >= begin && (const uint8_t *) s.data + s.len <= end);
  for (gsize i = 0; i < s.len; i++)
    sum = (uint8_t) (sum + (uint8_t) s.data[i]);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL, unsound = NULL;
  g_autoptr (OnnxFile) file = onnx_file_parse ("fuzz", data, size, &error);

  begin = data;
  end = data + size;
  if (file == NULL)
    {
      check (error != NULL && g_utf8_validate (error->message, -1, NULL));
      return 0;
    }
  for (guint i = 0; i < file->names->len; i++)
    within (g_array_index (file->names, FrStr, i));
  for (guint i = 0; i < file->tensors->len; i++)
    {
      const OnnxTensor *t = &g_array_index (file->tensors, OnnxTensor, i);

      within (t->name);
      within (t->raw);
      within (t->location);
      check (t->n_dims <= ONNX_MAX_DIMS && t->offset >= 0 && onnx_tensor_bytes (t) >= -1);
    }
  for (guint i = 0; i < file->inputs->len; i++)
    {
      const OnnxValue *v = &g_array_index (file->inputs, OnnxValue, i);

      check (v->n_dims <= ONNX_MAX_DIMS);
      for (guint k = 0; k < v->n_dims; k++)
        within (v->symbols[k]);
    }
  for (guint i = 0; i < file->nodes->len; i++)
    {
      const OnnxNode *node = &g_array_index (file->nodes, OnnxNode, i);

      check (node->first + node->n_inputs + node->n_outputs <= file->names->len);
    }
  if (!onnx_file_check (file, "fuzz", &unsound))
    check (unsound != NULL && g_utf8_validate (unsound->message, -1, NULL));
  return 0;
}
