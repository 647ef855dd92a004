/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors.c: sink.safetensors, a model or its adapter as other programs load it.
 *
 * An adapter is what PEFT writes; a model is a Hugging Face directory with
 * config, tokenizer, template and model card.  The directory appears whole or
 * not at all, and every tensor has been read again by then.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "export.h"

#define ELEMENT "sink.safetensors"

enum
{
  VERIFY_RUN,
  VERIFY_TENSORS
};

enum
{
  DTYPE_KEEP,
  DTYPE_F32,
  DTYPE_F16,
  DTYPE_BF16
};

typedef struct
{
  char *path;
  int what;
  int dtype;
  guint64 max_shard_size;
  int verify;
} Config;

typedef struct
{
  const Config *config;
  LmModel *model;
  LmFolder *folder;
} State;

static gboolean
bind_path (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;

  (void) error;
  /* both are looked at, so that all is told at once */
  return lm_folder_bind (bind, config->path, ELEMENT) & lm_export_gate_bind (bind);
}

static gboolean
open_folder (gconstpointer data, FrHost *host, gpointer *result, GError **error)
{
  const Config *config = data;
  LmFolder *folder = lm_folder_new (config->path, ELEMENT, error);
  State *state;

  (void) host;
  if (folder == NULL)
    return FALSE;
  state = g_new0 (State, 1);
  state->config = config;
  state->folder = folder;
  *result = state;
  return TRUE;
}

static void
state_free (gpointer data)
{
  State *state = data;

  lm_folder_free (state->folder);
  if (state->model != NULL)
    fr_object_unref (state->model);
  g_free (state);
}

/* ---- what to write --------------------------------------------------------------------- */

static gboolean
write_adapter (State *state, const char *below, GError **error)
{
  g_autofree char *dir = g_build_filename (lm_folder_dir (state->folder), below, NULL);
  const char *base = lm_model_path (state->model);

  if (g_mkdir_with_parents (dir, 0777) < 0)
    return fr_error_errno (error, errno, "make the directory", dir);
  return lm_lora_save (lm_model_lora (state->model),
                       base != NULL ? base : lm_model_name (state->model), dir, error);
}

/* What an adapter's files hold, against the adapter in memory, bit for bit. */
static gboolean
check_adapter (State *state, GError **error)
{
  const LmLora *lora = lm_model_lora (state->model);
  g_autoptr (LmLora) again
      = lm_lora_load (lm_folder_dir (state->folder), lm_model_config (state->model), error);

  if (again == NULL)
    return FALSE;
  for (guint i = 0; i < lora->modules->len; i++)
    {
      const LmLoraModule *m = g_ptr_array_index (lora->modules, i), *n;

      n = i < again->modules->len ? g_ptr_array_index (again->modules, i) : NULL;
      if (n != NULL && strcmp (m->module, n->module) == 0 && m->rank == n->rank
          && m->scale == n->scale
          && memcmp (m->a, n->a, (gsize) m->rank * m->in * sizeof (float)) == 0
          && memcmp (m->b, n->b, (gsize) m->rank * m->out * sizeof (float)) == 0)
        continue;
      g_set_error (error, FR_ERROR, FR_ERROR_IO,
                   "%s: '%s' was read back otherwise than it was written",
                   lm_folder_dir (state->folder), m->module);
      return FALSE;
    }
  return TRUE;
}

/* Opens what was written as a model, and runs it beside the one in memory. */
static gboolean
run_again (const State *state, Export *e, gboolean adapter, GError **error)
{
  const char *dir = lm_folder_dir (state->folder);
  g_autoptr (LmModel) again = adapter
                                  ? lm_model_open_adapted (lm_model_base (state->model), dir, error)
                                  : lm_model_open (dir, error);
  LmType type = adapter ? LM_F32 : export_dtype (e);
  LmLogitCheck check;

  if (again == NULL)
    return FALSE;
  fr_host_status (e->host, "running what was written over a short prompt");
  if (!lm_verify_logits (e->host, state->model, again, lm_verify_limit (type), &check, error))
    return FALSE;
  lm_verify_add (e->verification, &check);
  return TRUE;
}

/* ---- what lies beside the weights -------------------------------------------------------- */

static gboolean
write_model (State *state, Export *e, GError **error)
{
  g_autoptr (JsonObject) config = NULL;

  if (!export_tensors (e, state->folder, error))
    return FALSE;
  config = lm_config_export (lm_model_config (state->model), export_dtype (e));
  return lm_folder_write_json (state->folder, "config.json", config, error)
         && lm_export_side_files (state->model, state->folder, error)
         && (!e->merge || write_adapter (state, "adapter", error));
}

static char *
make_card (const Export *e, const char *kind)
{
  gboolean adapter = strcmp (kind, "adapter") == 0;
  g_autoptr (JsonObject) facts = json_object_new ();
  g_autofree char *numbers = NULL;
  LmCard card = { .model = e->model,
                  .element = ELEMENT,
                  .library = adapter ? "peft" : "transformers",
                  .what = adapter ? "a LoRA adapter; load it on the base model"
                          : strcmp (kind, "merged") == 0 ? "the base model with its adapter merged"
                                                         : "a whole model",
                  .facts = facts,
                  .verification = e->verification };

  if (!adapter)
    {
      numbers = g_strdup_printf ("%s in %u file%s; read again and equal; rounding from F32 at most "
                                 "%.3g",
                                 lm_types[export_dtype (e)].name, e->n_files,
                                 e->n_files == 1 ? "" : "s", e->rounding);
      json_object_set_string_member (facts, "numbers", numbers);
    }
  return lm_card_text (&card);
}

static void
report (FrHost *host, const State *state, const Export *e, const char *kind)
{
  JsonObject *out = json_object_new ();

  json_object_set_string_member (out, "what", kind);
  json_object_set_string_member (out, "path", state->config->path);
  if (e->n_tensors > 0)
    {
      json_object_set_string_member (out, "dtype", lm_types[export_dtype (e)].name);
      json_object_set_int_member (out, "tensors", e->n_tensors);
      json_object_set_int_member (out, "merged", e->n_merged);
      json_object_set_int_member (out, "files", e->n_files);
      json_object_set_double_member (out, "largest_rounding", e->rounding);
    }
  fr_host_report (host, "written", json_node_init_object (json_node_alloc (), out));
  json_object_unref (out);
  fr_host_report (host, "verification",
                  json_node_init_object (json_node_alloc (), e->verification));
}

static gboolean
write_all (gpointer data, FrHost *host, GError **error)
{
  State *state = data;
  static const char *const kinds[] = {
    [LM_EXPORT_ADAPTER] = "adapter", [LM_EXPORT_MERGED] = "merged", [LM_EXPORT_MODEL] = "model"
  };
  static const LmType dtypes[] = { LM_BF16, LM_F32, LM_F16, LM_BF16 };
  const Config *config = state->config;
  int what = lm_export_choose (state->model, state->config->what, LM_EXPORT_ADAPTER, error);
  Export e = { .model = state->model,
               .host = host,
               .merge = what == LM_EXPORT_MERGED,
               .keep = config->dtype == DTYPE_KEEP,
               .dtype = dtypes[config->dtype],
               .max_shard = config->max_shard_size };
  g_autoptr (JsonObject) verification = json_object_new ();
  g_autofree char *card = NULL;

  e.verification = verification;
  if (what < 0 || !lm_export_apart (state->model, config->path, error))
    return FALSE;
  if (!(what == LM_EXPORT_ADAPTER
            ? write_adapter (state, ".", error) && check_adapter (state, error)
            : write_model (state, &e, error))
      || (config->verify == VERIFY_RUN && !run_again (state, &e, what == LM_EXPORT_ADAPTER, error)))
    return FALSE;
  json_object_set_int_member (verification, "tensors_equal",
                              what == LM_EXPORT_ADAPTER
                                  ? 2 * (gint64) lm_model_lora (state->model)->modules->len
                                  : (gint64) e.n_tensors);
  card = make_card (&e, kinds[what]);
  if (!lm_folder_write (state->folder, "README.md", card, -1, error))
    return FALSE;
  report (host, state, &e, kinds[what]);
  return TRUE;
}

static FrFlow
run (FrHost *host, gpointer data, GError **error)
{
  State *state = data;

  return lm_export_run (host, state->config->path, &state->model, write_all, state, error);
}

static gboolean
finish (FrHost *host, gpointer data, GError **error)
{
  State *state = data;
  guint n;

  if (state->model == NULL)
    return TRUE;
  if (!lm_folder_finish (state->folder, host, state->config->path, &n, error))
    return FALSE;
  fr_host_info (host, "wrote %s: %u files", state->config->path, n);
  return TRUE;
}

static const FrEnumValue *const whats[]
    = { FR_ENUM ("auto", LM_EXPORT_AUTO, "the adapter if there is one, else the model"),
        FR_ENUM ("adapter", LM_EXPORT_ADAPTER, "the adapter alone, as PEFT writes it"),
        FR_ENUM ("merged", LM_EXPORT_MERGED,
                 "the base model with the adapter added to its weights"),
        FR_ENUM ("model", LM_EXPORT_MODEL, "a model without adapter: tuned, or as it came"), NULL };

static const FrEnumValue *const dtypes[]
    = { FR_ENUM ("keep", DTYPE_KEEP, "each tensor as its base has it; quantised ones as bf16"),
        FR_ENUM ("f32", DTYPE_F32, "32 bits"),
        FR_ENUM ("f16", DTYPE_F16, "16 bits with a small range"),
        FR_ENUM ("bf16", DTYPE_BF16, "16 bits with the range of f32"), NULL };

static const FrEnumValue *const verifies[]
    = { FR_ENUM ("run", VERIFY_RUN,
                 "tensors are read again, and both models are run over a short prompt"),
        FR_ENUM ("tensors", VERIFY_TENSORS,
                 "tensors alone, where memory or time does not allow to run the model"),
        NULL };

static const FrParam *const params[] = {
  FR_PARAM_PATH ("path", Config, path, "the directory to write",
                 .flags = FR_PARAM_REQUIRED | FR_PARAM_WRITES, .example = "\"out/adapter\""),
  FR_PARAM_ENUM ("what", Config, what, whats, "what of the model to write", .def = "auto"),
  FR_PARAM_ENUM ("dtype", Config, dtype, dtypes,
                 "the numbers of a merged or whole model; an adapter is always f32", .def = "keep"),
  FR_PARAM_SIZE ("max_shard_size", Config, max_shard_size,
                 "weights beyond this go into several files with an index", .def = "5GB"),
  FR_PARAM_ENUM ("verify", Config, verify, verifies, "what is checked after writing", .def = "run"),
  NULL
};

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_MODEL, "the model to write", .object = &lm_model_type),
        LM_EXPORT_GATE, NULL };

static const char details[]
    = "Writes a model as other programs load it.\n"
      "\n"
      "- **An adapter** is what PEFT writes: adapter_config.json and adapter_model.safetensors.\n"
      "- **A merged model** is the base with the adapter added to its weights, W + scale · B · A "
      "in 32 bits, on the very weights that were trained with; the adapter's own files lie in "
      "adapter/ below it. To keep both apart, connect two of these sinks.\n"
      "- **A model** is a fully tuned one, or a checkpoint as it came: from a GGUF file this "
      "makes a Hugging Face directory.\n"
      "\n"
      "A model's directory has config.json with every key of the base's, the rotary settings and "
      "the dtype in the spellings of transformers 4 and 5; tokenizer, template, generation "
      "settings and licence files of the base, byte for byte, or made from a GGUF's own; and "
      "README.md, a model card with base, hashes, hyper-parameters and measurements. A head that "
      "is the embedding is not written twice. The bytes of the weight files are those that the "
      "safetensors library writes.\n"
      "\n"
      "After writing, every tensor is read again and compared with what it should be; the report "
      "says how far rounding took the numbers. Then what was written is opened as a model and run "
      "over a short prompt beside the model in memory: how far its logits are off (of their "
      "spread) "
      "is in the report and the model card, and a model that is off by more than rounding explains "
      "is removed and fails the run. `\"verify\": \"tensors\"` leaves out the run, where memory or "
      "time does not allow it.\n"
      "\n"
      "### A gate\n"
      "\n"
      "A model that is no better need not be written. Give the evaluator limits, and connect its "
      "report to `gate`:\n"
      "\n"
      "```json\n"
      "\"compare\": { \"use\": \"evaluator.text\", \"from\": { \"in\": \"split.test\", "
      "\"model\": \"tune.model\", \"baseline\": \"service\" },\n"
      "             \"with\": { \"fail_under\": { \"gain.chrf\": 0.1 } } },\n"
      "\"export\": { \"use\": \"sink.safetensors\", \"from\": { \"in\": \"tune.model\", \"gate\": "
      "\"compare.report\" }, \"with\": { \"path\": \"out/model\" } }\n"
      "```\n"
      "\n"
      "When a limit was passed, nothing is written, what an earlier run wrote stays, and the run "
      "ends with status 3 and says why. A report without limits is refused.\n"
      "\n"
      "### How it is put in place\n"
      "\n"
      "The directory appears whole or not at all: files go into a fresh directory beside it, "
      "are synced, and renamed together when the run succeeds. A directory that an earlier run of "
      "this sink made is replaced in one step; any other that is not empty is refused.\n";

static const FrElement safetensors = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SINK,
  .name = ELEMENT,
  .revision = 1,
  .summary = "an adapter, a merged or a whole model, as PEFT and transformers load it",
  .details = details,
  .example = "{ \"path\": \"out/adapter\" }",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .bind = bind_path,
  .open = open_folder,
  .run = run,
  .finish = finish,
  .close = state_free,
};

FR_PLUGIN ("safetensors", "0.1.0", "models and adapters as safetensors", "Apache-2.0", "flowrun",
           &safetensors)
