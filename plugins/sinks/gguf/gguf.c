/* SPDX-License-Identifier: Apache-2.0 */
/* gguf.c: sink.gguf, a model or its adapter in one file, as llama.cpp loads it.
 *
 * The file is written under a temporary name, read again, run, and gets its
 * name when the whole run has succeeded.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "sink-gguf.h"

enum
{
  VERIFY_RUN,
  VERIFY_TENSORS
};

typedef struct
{
  char *path;
  int what;
  int dtype;
  char *name;
  int verify;
} Config;

typedef struct
{
  const Config *config;
  LmModel *model;
  char *temporary;
  guint64 bytes;
  gboolean written, committed;
} State;

/* ---- the file's place ---------------------------------------------------------------------- */

static gboolean
check_path (const char *path, GError **error)
{
  if (!g_file_test (path, G_FILE_TEST_EXISTS) || g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "%s is there and is no file; name the file to write, such as \"out/model.gguf\"",
               path);
  return FALSE;
}

static gboolean
bind_path (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;
  g_autoptr (GError) local = NULL;

  gboolean open = lm_export_gate_bind (bind);

  (void) error;
  if (check_path (config->path, &local))
    return open;
  fr_bind_problem (bind, "/path", "%s", local->message);
  return FALSE;
}

static gboolean
open_file (gconstpointer data, FrHost *host, gpointer *result, GError **error)
{
  const Config *config = data;
  g_autofree char *parent = g_path_get_dirname (config->path);
  g_autofree char *base = g_path_get_basename (config->path);
  g_autofree char *hidden = g_strdup_printf (".%s.part", base);
  State *state;

  (void) host;
  if (!check_path (config->path, error))
    return FALSE;
  if (g_mkdir_with_parents (parent, 0777) < 0)
    return fr_error_errno (error, errno, "make the directory", parent);
  state = g_new0 (State, 1);
  state->config = config;
  state->temporary = g_build_filename (parent, hidden, NULL);
  g_unlink (state->temporary); /* what a killed run left */
  *result = state;
  return TRUE;
}

static void
state_free (gpointer data)
{
  State *state = data;

  if (!state->committed)
    g_unlink (state->temporary);
  if (state->model != NULL)
    fr_object_unref (state->model);
  g_free (state->temporary);
  g_free (state);
}

/* ---- writing ------------------------------------------------------------------------------- */

static gboolean
step (guint64 done, guint64 total, gpointer user)
{
  FrHost *host = user;

  fr_host_progress (host, done, total, "bytes");
  return !fr_host_is_cancelled (host);
}

static gboolean
write_plan (State *state, FrHost *host, const Plan *plan, const LmGgufKeys *keys, GError **error)
{
  GStatBuf st;

  if (!lm_gguf_write (state->temporary, keys,
                      (const LmRowSource *) (gconstpointer) plan->sources->data, plan->sources->len,
                      fr_host_threads (host), step, host, error))
    return FALSE;
  if (g_stat (state->temporary, &st) < 0)
    return fr_error_errno (error, errno, "look at", state->temporary);
  state->bytes = (guint64) st.st_size;
  return TRUE;
}

/* What was not asked for is said. */
static void
tell_fallbacks (FrHost *host, const Plan *plan)
{
  if (plan->n_fallbacks == 0)
    return;
  fr_host_count (host, "fell_back", plan->n_fallbacks);
  fr_host_warn (
      host,
      "%u of %u matrices have rows that do not divide into the blocks of %s, and are written "
      "with more bits, as llama.cpp does; the report names them",
      plan->n_fallbacks, plan->n_matrices, plan->format->label);
}

/* GGUF has two places for tokens that end an answer. */
static void
tell_ends (FrHost *host, LmModel *model)
{
  guint n = lm_model_config (model)->eos_tokens->len;

  if (n > 2)
    fr_host_warn (
        host,
        "%u tokens end an answer of this model, GGUF names two; llama.cpp tells the others "
        "by their text, if it knows it",
        n);
}

static void
report (State *state, FrHost *host, const Plan *plan, const char *kind, JsonObject *verification,
        const LmLogitCheck *check)
{
  JsonObject *out = json_object_new ();

  json_object_set_string_member (out, "what", kind);
  json_object_set_string_member (out, "path", state->config->path);
  json_object_set_string_member (out, "dtype", plan->format != NULL ? plan->format->label : "F32");
  json_object_set_int_member (out, "bytes", (gint64) state->bytes);
  plan_report (plan, out);
  fr_host_report (host, "written", json_node_init_object (json_node_alloc (), out));
  json_object_unref (out);
  fr_host_report (host, "verification", json_node_init_object (json_node_alloc (), verification));
  fr_host_report (host, "views", plan_views (plan, state->bytes, check));
}

/* Reads the file as a model, and runs it. */
static gboolean
verify_model (State *state, FrHost *host, const Plan *plan, JsonObject *out, LmLogitCheck *check,
              GError **error)
{
  g_autoptr (LmModel) again = lm_model_open (state->temporary, error);
  guint n_ids;

  if (again == NULL || !lm_verify_tokenizer (state->model, again, &n_ids, error))
    return FALSE;
  json_object_set_int_member (out, "tokens_compared", n_ids);
  fr_host_status (host, "running the file over a short prompt");
  if (!lm_verify_logits (host, state->model, again, lm_verify_limit (plan->format->type), check,
                         error))
    return FALSE;
  lm_verify_add (out, check);
  return TRUE;
}

static gboolean
write_model (State *state, FrHost *host, const char *kind, GError **error)
{
  const Config *config = state->config;
  g_autoptr (Plan) plan = plan_model (state->model, &formats[config->dtype], error);
  g_autoptr (LmGgufKeys) keys = NULL;
  g_autoptr (JsonObject) verification = json_object_new ();
  gboolean runs = config->verify == VERIFY_RUN;
  LmLogitCheck check;

  keys = plan != NULL ? keys_model (plan, config->name, error) : NULL;
  if (keys == NULL)
    return FALSE;
  tell_fallbacks (host, plan);
  tell_ends (host, state->model);
  if (!write_plan (state, host, plan, keys, error))
    return FALSE;
  json_object_set_int_member (verification, "tensors_equal", plan->parts->len);
  if (runs && !verify_model (state, host, plan, verification, &check, error))
    return FALSE;
  report (state, host, plan, kind, verification, runs ? &check : NULL);
  return TRUE;
}

static gboolean
write_adapter (State *state, FrHost *host, GError **error)
{
  float alpha;
  g_autoptr (Plan) plan = plan_adapter (state->model, &alpha, error);
  g_autoptr (LmGgufKeys) keys = NULL;
  g_autoptr (JsonObject) verification = json_object_new ();

  if (plan == NULL)
    return FALSE;
  keys = keys_adapter (state->model, state->config->name, alpha);
  if (!write_plan (state, host, plan, keys, error))
    return FALSE;
  json_object_set_int_member (verification, "tensors_equal", plan->parts->len);
  report (state, host, plan, "adapter", verification, NULL);
  return TRUE;
}

static gboolean
write_all (gpointer data, FrHost *host, GError **error)
{
  State *state = data;
  int what = lm_export_choose (state->model, state->config->what, LM_EXPORT_MERGED, error);

  if (what < 0 || !lm_export_apart (state->model, state->config->path, error))
    return FALSE;
  state->written
      = what == LM_EXPORT_ADAPTER
            ? write_adapter (state, host, error)
            : write_model (state, host, what == LM_EXPORT_MERGED ? "merged" : "model", error);
  return state->written;
}

static FrFlow
run (FrHost *host, gpointer data, GError **error)
{
  State *state = data;

  return lm_export_run (host, state->config->path, &state->model, write_all, state, error);
}

/* The name is safe on the disk too. */
static gboolean
sync_directory (const char *path, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (path);
  int fd = g_open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  gboolean ok = fd >= 0 && fsync (fd) == 0;

  if (!ok)
    fr_error_errno (error, errno, "sync", parent);
  if (fd >= 0)
    close (fd);
  return ok;
}

static gboolean
finish (FrHost *host, gpointer data, GError **error)
{
  State *state = data;

  if (!state->written)
    return TRUE;
  if (g_rename (state->temporary, state->config->path) < 0)
    return fr_error_errno (error, errno, "rename to", state->config->path);
  state->committed = TRUE;
  if (!sync_directory (state->config->path, error))
    return FALSE;
  fr_host_committed (host, state->config->path);
  fr_host_info (host, "wrote %s: %.1f MB", state->config->path, (double) state->bytes / 1e6);
  return TRUE;
}

/* ---- what the element is --------------------------------------------------------------------- */

static const FrEnumValue *const whats[]
    = { FR_ENUM ("auto", LM_EXPORT_AUTO, "the model, with its adapter merged if there is one"),
        FR_ENUM ("merged", LM_EXPORT_MERGED,
                 "the base model with the adapter added to its weights"),
        FR_ENUM ("model", LM_EXPORT_MODEL, "a model without adapter: tuned, or as it came"),
        FR_ENUM ("adapter", LM_EXPORT_ADAPTER, "the adapter alone, for llama.cpp's --lora"), NULL };

static const FrEnumValue *const dtypes[]
    = { FR_ENUM ("f32", FORMAT_F32, "32 bits a number"),
        FR_ENUM ("f16", FORMAT_F16, "16 bits with a small range"),
        FR_ENUM ("bf16", FORMAT_BF16, "16 bits with the range of f32"),
        FR_ENUM ("q8_0", FORMAT_Q8_0, "8.5 bits: hardly a difference"),
        FR_ENUM ("q6_k", FORMAT_Q6_K, "6.6 bits"),
        FR_ENUM ("q5_k_m", FORMAT_Q5_K_M, "5.5 bits, 6.6 for what matters more"),
        FR_ENUM ("q4_k_m", FORMAT_Q4_K_M, "4.5 bits, 6.6 for what matters more"),
        FR_ENUM ("q4_1", FORMAT_Q4_1, "5 bits, for programs that lack the k types"),
        FR_ENUM ("q4_0", FORMAT_Q4_0, "4.5 bits, for programs that lack the k types"),
        NULL };

static const FrEnumValue *const verifies[] = {
  FR_ENUM ("run", VERIFY_RUN,
           "tensors and tokenizer are read again, and both models are run over a short prompt"),
  FR_ENUM ("tensors", VERIFY_TENSORS,
           "tensors alone, where memory or time does not allow to run the model"),
  NULL
};

static const FrParam *const params[]
    = { FR_PARAM_PATH ("path", Config, path, "the file to write",
                       .flags = FR_PARAM_REQUIRED | FR_PARAM_WRITES,
                       .example = "\"out/model-q4_k_m.gguf\""),
        FR_PARAM_ENUM ("dtype", Config, dtype, dtypes, "how numbers are stored", .def = "q8_0"),
        FR_PARAM_ENUM ("what", Config, what, whats, "what of the model to write", .def = "auto"),
        FR_PARAM_STRING ("name", Config, name,
                         "general.name, which other programs show; the base's name when left out",
                         .example = "\"Shop copy 1.5B\""),
        FR_PARAM_ENUM ("verify", Config, verify, verifies, "what is checked after writing",
                       .def = "run"),
        NULL };

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_MODEL, "the model to write", .object = &lm_model_type),
        LM_EXPORT_GATE, NULL };

#include "manual.h"

static const FrElement gguf = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SINK,
  .name = "sink.gguf",
  .revision = 1,
  .summary = "a model or an adapter in one file, as llama.cpp loads it",
  .details = details,
  .example = "{ \"path\": \"out/model-q4_k_m.gguf\", \"dtype\": \"q4_k_m\" }",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .bind = bind_path,
  .open = open_file,
  .run = run,
  .finish = finish,
  .close = state_free,
};

FR_PLUGIN ("gguf", "0.1.0", "models and adapters as GGUF", "Apache-2.0", "flowrun", &gguf)
