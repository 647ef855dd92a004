/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-safetensors.c: a .safetensors file: what is accepted lies within it, without holes, and is
 * found by its names; what is not says why.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "lm/checkpoint.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (gboolean good)
{
  if (!good)
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmWeightFile) file = NULL;
  const uint8_t *at = NULL;
  volatile uint8_t sum = 0;

  if (size >= 4 && memcmp (data, "GGUF", 4) == 0)
    return 0;
  file = lm_weight_file_parse ("fuzz", data, size, &error);
  if (file == NULL)
    {
      check (error != NULL && g_utf8_validate (error->message, -1, NULL));
      return 0;
    }
  for (gsize i = 0; i < lm_weight_file_n_tensors (file); i++)
    {
      const LmTensor *t = lm_weight_file_tensor (file, i);
      const uint8_t *begin = t->data;

      check (lm_weight_file_find (file, t->name) == t);
      check (begin >= data + 8 && t->bytes <= size && begin + t->bytes <= data + size);
      check (at == NULL || at == begin);
      at = begin + t->bytes;
      if (t->bytes > 0)
        sum = (uint8_t) (sum + begin[0] + begin[t->bytes - 1]);
    }
  check (at == NULL || at == data + size);
  return 0;
}
