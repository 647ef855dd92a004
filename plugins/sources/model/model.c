/* SPDX-License-Identifier: Apache-2.0 */
/* model.c: source.model, a checkpoint on disk for the stages after it.
 *
 * The checkpoint is opened when the pipeline is checked, so that a bad one is
 * found before anything runs, and later stages can ask it for its shapes.
 */
#include "config.h"

#include <flowrun/flowrun.h>

#include "lm/model.h"

typedef struct
{
  char *path;
  char *adapter;
} Config;

/* *@pointer: the parameter that is to blame. */
static LmModel *
open_model (const Config *config, const char **pointer, GError **error)
{
  g_autoptr (LmModel) base = NULL;

  *pointer = "/path";
  base = lm_model_open (config->path, error);
  if (base == NULL || config->adapter == NULL)
    return g_steal_pointer (&base);
  *pointer = "/adapter";
  return lm_model_open_adapted (base, config->adapter, error);
}

static gboolean
bind_model (gconstpointer data, FrBind *bind, GError **error)
{
  g_autoptr (GError) local = NULL;
  const char *pointer;
  g_autoptr (LmModel) model = open_model (data, &pointer, &local);
  const GPtrArray *warnings;

  (void) error;
  if (model == NULL)
    {
      fr_bind_problem (bind, pointer, "%s", local->message);
      return FALSE;
    }
  warnings = lm_model_warnings (model);
  for (guint i = 0; i < warnings->len; i++)
    fr_bind_warn (bind, "/path", "%s", (const char *) g_ptr_array_index (warnings, i));
  fr_bind_output_object (bind, "out", (FrObject *) model);
  return TRUE;
}

static gboolean
open_state (gconstpointer data, FrHost *host, gpointer *state, GError **error)
{
  const char *pointer;

  (void) host;
  *state = open_model (data, &pointer, error);
  return *state != NULL;
}

static FrFlow
run (FrHost *host, gpointer data, GError **error)
{
  LmModel *model = data;

  fr_host_info (host, "%s: %s, %.1f million parameters%s", lm_model_name (model),
                lm_model_config (model)->family->name, (double) lm_model_n_parameters (model) / 1e6,
                lm_model_lora (model) != NULL ? ", with its adapter" : "");
  return fr_host_push_object (host, "out", fr_object_ref (model), error);
}

static void
close_state (gpointer state)
{
  fr_object_unref (state);
}

static const FrParam *const params[]
    = { FR_PARAM_PATH ("path", Config, path,
                       "a Hugging Face model directory, a GGUF file, or a PEFT adapter directory",
                       .flags = FR_PARAM_REQUIRED | FR_PARAM_READS,
                       .example = "\"models/DeepSeek-R1-Distill-Qwen-1.5B\""),
        FR_PARAM_PATH ("adapter", Config, adapter,
                       "a PEFT adapter directory to put on top; none when left out",
                       .flags = FR_PARAM_READS, .example = "\"out/adapter\""),
        NULL };

static const FrPort *const outputs[]
    = { FR_PORT ("out", FR_PORT_MODEL, "the model", .object = &lm_model_type), NULL };

static const char details[]
    = "Opens a checkpoint for the stages after it: a trainer, transform.generate, a sink.\n"
      "\n"
      "- **A Hugging Face directory**: config.json with model.safetensors, or with the shards that "
      "model.safetensors.index.json names; tokenizer.json, tokenizer_config.json, "
      "chat_template.jinja and generation_config.json beside them.\n"
      "- **A GGUF file**, version 3, of F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K "
      "or "
      "Q6_K, with its own tokenizer and template. Of a model in several parts give the first.\n"
      "- **A PEFT adapter directory**: the base model is looked for at its "
      "base_model_name_or_path, as it is and beside the adapter.\n"
      "\n"
      "The families llama, qwen2 and qwen3 are known; a family or a setting that is computed "
      "differently is refused by its name. Every tensor's name, type, shape and place is checked "
      "before anything runs, so `flowrun check` finds a damaged checkpoint.\n"
      "\n"
      "Weights are mapped, not read: they stay in the type they are stored in, are shared with "
      "other processes, and opening takes milliseconds. Replace a checkpoint by renaming; a file "
      "that is shortened while a run uses it ends the run.\n"
      "\n"
      "Two things are told in a warning: tensors in the files that the model does not use, and a "
      "yarn scaling with `attn_factor`, which transformers passes over and vLLM and llama.cpp "
      "apply: here it is applied, and what sink.safetensors writes names it so that all of them "
      "agree.\n";

static const FrElement source_model = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SOURCE,
  .name = "source.model",
  .revision = 1,
  .flags = FR_ELEMENT_UNTRUSTED,
  .summary = "a checkpoint: Hugging Face directory, GGUF file or PEFT adapter",
  .details = details,
  .example = "{ \"path\": \"models/DeepSeek-R1-Distill-Qwen-1.5B\" }",
  .config_size = sizeof (Config),
  .params = params,
  .outputs = outputs,
  .bind = bind_model,
  .open = open_state,
  .run = run,
  .close = close_state,
};

FR_PLUGIN ("model", "0.1.0", "checkpoints", "Apache-2.0", "flowrun", &source_model)
