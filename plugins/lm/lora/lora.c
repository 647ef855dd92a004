/* SPDX-License-Identifier: Apache-2.0 */
/* lora.c: which layers an adapter sits on, and what it begins with.
 *
 * Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models" (2021), with
 * Kalajdzievski's scale alpha / sqrt (rank) (rsLoRA, 2023) on request.  Names
 * and targets are read as PEFT reads them; its files are in peft.c.
 */
#include "config.h"

#include "lm/lora/lora-private.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#define ALL_LINEAR "all-linear"

static const LmWeightRole linear_roles[]
    = { LM_W_Q, LM_W_K, LM_W_V, LM_W_O, LM_W_GATE, LM_W_UP, LM_W_DOWN };

/* ---- the specification -------------------------------------------------------------- */

LmLoraSpec
lm_lora_spec_copy (const LmLoraSpec *spec)
{
  LmLoraSpec copy = *spec;

  copy.targets = g_strdupv (spec->targets);
  copy.layers = spec->layers != NULL ? g_array_copy (spec->layers) : NULL;
  return copy;
}

void
lm_lora_spec_clear (LmLoraSpec *spec)
{
  g_clear_pointer (&spec->targets, g_strfreev);
  g_clear_pointer (&spec->layers, g_array_unref);
}

static gboolean
has_layer (const LmLoraSpec *spec, guint layer)
{
  if (spec->layers == NULL || spec->layers->len == 0)
    return TRUE;
  for (guint i = 0; i + 1 < spec->layers->len; i += 2)
    if (layer >= g_array_index (spec->layers, guint, i)
        && layer <= g_array_index (spec->layers, guint, i + 1))
      return TRUE;
  return FALSE;
}

float
lm_lora_scale (double alpha, guint rank, gboolean rslora)
{
  return (float) (alpha / (rslora ? sqrt (rank) : rank));
}

/* ---- modules -------------------------------------------------------------------------- */

void
lm_lora_module_free (LmLoraModule *module)
{
  if (module == NULL)
    return;
  g_free (module->module);
  g_free (module->a);
  g_free (module->b);
  g_free (module);
}

const char *
lm_lora_last_part (const char *module)
{
  const char *dot = strrchr (module, '.');

  return dot != NULL ? dot + 1 : module;
}

gboolean
lm_lora_is_meant (const char *module, const char *target)
{
  gsize n = strlen (module), len = strlen (target);

  return len > 0 && n >= len && strcmp (module + n - len, target) == 0
         && (n == len || module[n - len - 1] == '.');
}

GPtrArray *
lm_lora_linear (const LmConfig *config)
{
  GPtrArray *modules = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_lora_module_free);

  for (guint layer = 0; layer < config->n_layers; layer++)
    for (gsize i = 0; i < G_N_ELEMENTS (linear_roles); i++)
      {
        gsize rows, cols;
        LmLoraModule *m;

        if (!lm_weight_shape (config, linear_roles[i], &rows, &cols))
          continue;
        m = g_new0 (LmLoraModule, 1);
        m->module = lm_weight_name (linear_roles[i], layer);
        if (g_str_has_suffix (m->module, ".weight"))
          m->module[strlen (m->module) - strlen (".weight")] = '\0';
        m->role = linear_roles[i];
        m->layer = layer;
        m->in = cols;
        m->out = rows;
        g_ptr_array_add (modules, m);
      }
  return modules;
}

static gboolean
spec_means (const LmLoraSpec *spec, const LmLoraModule *m)
{
  if (!has_layer (spec, m->layer))
    return FALSE;
  for (guint i = 0; spec->targets[i] != NULL; i++)
    if (strcmp (spec->targets[i], ALL_LINEAR) == 0
        || lm_lora_is_meant (m->module, spec->targets[i]))
      return TRUE;
  return FALSE;
}

/* ---- planning ------------------------------------------------------------------------- */

static gboolean
check_numbers (const LmConfig *config, const LmLoraSpec *spec, GError **error)
{
  if (spec->rank < 1 || !(spec->alpha > 0) || !isfinite (spec->alpha)
      || !(spec->dropout >= 0 && spec->dropout < 1))
    {
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "rank %u, alpha %g and dropout %g make no adapter: rank is at least 1, alpha "
                   "positive, dropout in [0, 1)",
                   spec->rank, spec->alpha, spec->dropout);
      return FALSE;
    }
  for (guint i = 0; spec->layers != NULL && i + 1 < spec->layers->len; i += 2)
    {
      guint first = g_array_index (spec->layers, guint, i);
      guint last = g_array_index (spec->layers, guint, i + 1);

      if (first > last || last >= config->n_layers)
        {
          g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                       "layers %u-%u: the model's layers are 0-%u", first, last,
                       config->n_layers - 1);
          return FALSE;
        }
    }
  return TRUE;
}

/* Every target must be found somewhere, or a mistyped one would go unnoticed. */
static gboolean
check_targets (const LmLoraSpec *spec, GPtrArray *all, GError **error)
{
  for (guint t = 0; spec->targets[t] != NULL; t++)
    {
      g_autoptr (GPtrArray) names = NULL;
      g_autofree char *list = NULL;
      const char *near;
      gboolean found = strcmp (spec->targets[t], ALL_LINEAR) == 0;

      for (guint i = 0; i < all->len && !found; i++)
        found = lm_lora_is_meant (((LmLoraModule *) all->pdata[i])->module, spec->targets[t]);
      if (found)
        continue;
      names = g_ptr_array_new ();
      for (guint i = 0; i < all->len && ((LmLoraModule *) all->pdata[i])->layer == 0; i++)
        g_ptr_array_add (names,
                         (gpointer) lm_lora_last_part (((LmLoraModule *) all->pdata[i])->module));
      g_ptr_array_add (names, NULL);
      list = g_strjoinv (", ", (char **) names->pdata);
      near = fr_suggest (spec->targets[t], (const char *const *) names->pdata);
      g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
                   "no layer has a linear part '%s'%s%s%s; there are %s, and '" ALL_LINEAR
                   "' for all of them",
                   spec->targets[t], near != NULL ? "; did you mean '" : "",
                   near != NULL ? near : "", near != NULL ? "'?" : "", list);
      return FALSE;
    }
  return TRUE;
}

LmLora *
lm_lora_new (const LmLoraSpec *spec)
{
  LmLora *lora = g_new0 (LmLora, 1);

  lora->refs = 1;
  lora->spec = lm_lora_spec_copy (spec);
  lora->modules = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_lora_module_free);
  return lora;
}

LmLora *
lm_lora_plan (const LmConfig *config, const LmLoraSpec *spec, GError **error)
{
  g_autoptr (GPtrArray) all = lm_lora_linear (config);
  g_autoptr (LmLora) lora = NULL;

  if (!check_numbers (config, spec, error))
    return NULL;
  if (spec->targets == NULL || spec->targets[0] == NULL)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                           "there are no targets: name linear parts such as q_proj and v_proj, "
                           "or '" ALL_LINEAR "'");
      return NULL;
    }
  if (!check_targets (spec, all, error))
    return NULL;
  lora = lm_lora_new (spec);
  for (guint i = 0; i < all->len; i++)
    {
      LmLoraModule *m = all->pdata[i];

      if (!spec_means (spec, m))
        continue;
      m->rank = spec->rank;
      m->scale = lm_lora_scale (spec->alpha, spec->rank, spec->rslora);
      g_ptr_array_add (lora->modules, m);
      all->pdata[i] = NULL;
    }
  if (lora->modules->len == 0)
    {
      g_set_error_literal (error, FR_ERROR, FR_ERROR_CONFIG,
                           "targets and layers together name no module");
      return NULL;
    }
  return g_steal_pointer (&lora);
}

/* ---- beginning --------------------------------------------------------------------------- */

/* Number @i of a counter-based generator (splitmix64): the order of filling is all the same. */
static guint64
mix (guint64 key, guint64 i)
{
  guint64 z = key + (i + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

void
lm_lora_init (LmLora *lora, guint64 seed)
{
  for (guint i = 0; i < lora->modules->len; i++)
    {
      LmLoraModule *m = lora->modules->pdata[i];
      guint64 key = XXH3_64bits_withSeed (m->module, strlen (m->module), seed);
      gsize n = m->rank * m->in;
      /* gain sqrt (2 / (1 + 5)), times sqrt (3 / fan_in) */
      double bound = 1 / sqrt ((double) m->in);

      g_free (m->a);
      g_free (m->b);
      m->a = g_new (float, n);
      m->b = g_new0 (float, m->out * m->rank);
      for (gsize j = 0; j < n; j++)
        m->a[j] = (float) (((double) (mix (key, j) >> 11) * 0x1p-52 - 1) * bound);
    }
}

LmLora *
lm_lora_ref (LmLora *lora)
{
  g_atomic_int_inc (&lora->refs);
  return lora;
}

void
lm_lora_unref (LmLora *lora)
{
  if (lora == NULL || !g_atomic_int_dec_and_test (&lora->refs))
    return;
  lm_lora_spec_clear (&lora->spec);
  g_ptr_array_unref (lora->modules);
  g_free (lora);
}
