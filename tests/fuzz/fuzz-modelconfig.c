/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-modelconfig.c: config.json: what is accepted has finite frequencies and shapes, and what is
 * written out again is read as the same.
 */
#include "config.h"

#include <flowrun/json.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "lm/config.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (gboolean good)
{
  if (!good)
    abort ();
}

static void
look_at (const LmConfig *config)
{
  g_autofree double *inv = g_new (double, config->head_dim / 2);
  gsize rows, cols;

  lm_rope_frequencies (config, inv);
  for (guint i = 0; i < config->head_dim / 2; i++)
    check (!isnan (inv[i]));
  for (guint role = 0; role < LM_N_WEIGHTS; role++)
    if (lm_weight_shape (config, role, &rows, &cols))
      check (cols > 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = fr_json_parse ((const char *) data, (gssize) size, 0, NULL);
  g_autoptr (LmConfig) config = NULL, again = NULL;
  g_autoptr (JsonObject) out = NULL;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return 0;
  config = lm_config_parse (json_node_get_object (node), &error);
  if (config == NULL)
    {
      check (error != NULL && g_utf8_validate (error->message, -1, NULL));
      return 0;
    }
  look_at (config);
  out = lm_config_export (config, LM_BF16);
  again = lm_config_parse (out, &error);
  if (again == NULL)
    g_printerr ("written, but not read: %s\n", error->message);
  check (again != NULL && again->rope.kind == config->rope.kind
         && again->rope.theta == config->rope.theta && again->rope.factor == config->rope.factor
         && again->rope.attention_factor == config->rope.attention_factor
         && again->tied == config->tied);
  return 0;
}
