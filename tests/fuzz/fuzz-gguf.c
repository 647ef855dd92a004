/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-gguf.c: a GGUF file: what is accepted lies within it; its arrays are read whole; a config
 * made from it is refused or read.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "lm/checkpoint.h"
#include "lm/config.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (gboolean good)
{
  if (!good)
    abort ();
}

static void
look_at_arrays (LmWeightFile *file, const uint8_t *data, size_t size)
{
  static const char *const keys[]
      = { "tokenizer.ggml.tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.merges" };
  volatile gint32 sum = 0;

  for (gsize k = 0; k < G_N_ELEMENTS (keys); k++)
    {
      gsize n = 0;
      const FrStr *strings = lm_gguf_strings (file, keys[k], &n);
      const gint32 *ints;

      for (gsize i = 0; strings != NULL && i < n; i++)
        check ((const uint8_t *) strings[i].data >= data
               && (const uint8_t *) strings[i].data + strings[i].len <= data + size);
      ints = lm_gguf_ints (file, keys[k], &n);
      for (gsize i = 0; ints != NULL && i < n; i++)
        sum ^= ints[i];
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmWeightFile) file = NULL;
  g_autoptr (JsonObject) json = NULL;
  g_autoptr (LmConfig) config = NULL;
  volatile uint8_t sum = 0;

  if (size < 4 || memcmp (data, "GGUF", 4) != 0)
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

      check (begin >= data && t->bytes <= size && begin + t->bytes <= data + size);
      if (t->bytes > 0)
        sum = (uint8_t) (sum + begin[0] + begin[t->bytes - 1]);
    }
  look_at_arrays (file, data, size);
  json = lm_gguf_config (file, &error);
  if (json != NULL)
    config = lm_config_parse (json, &error);
  check (config != NULL || (error != NULL && g_utf8_validate (error->message, -1, NULL)));
  return 0;
}
