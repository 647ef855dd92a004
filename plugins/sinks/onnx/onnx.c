/* SPDX-License-Identifier: Apache-2.0 */
/* onnx.c: sink.onnx, a model as ONNX runtimes load it.
 *
 * One directory serves onnxruntime, onnxruntime-genai, optimum and, laid out
 * for it, Transformers.js.  It appears whole or not at all, and everything in
 * it has been read again by then.
 */
#include "config.h"

#include <math.h>

#include "companions.h"

#define ELEMENT "sink.onnx"

enum
{
  ADAPTER_MERGED,
  ADAPTER_APART
};

enum
{
  LAYOUT_STANDARD,
  LAYOUT_TRANSFORMERSJS
};

enum
{
  ACTIVATIONS_F32,
  ACTIVATIONS_INT8
};

typedef struct
{
  char *path;
  int dtype;
  int adapter;
  int layout;
  int activations;
  guint64 external_data;
} Config;

typedef struct
{
  const Config *config;
  LmModel *model;
  LmFolder *folder;
} State;

/* What Transformers.js calls a dtype, and what it puts behind the name of the file. */
static const struct
{
  const char *dtype, *suffix;
} javascript[] = { [DTYPE_F32] = { "fp32", "" },
                   [DTYPE_F16] = { "fp16", "_fp16" },
                   [DTYPE_BF16] = { NULL, NULL },
                   [DTYPE_INT8] = { "int8", "_int8" },
                   [DTYPE_INT4] = { "q4", "_q4" } };

static const char *const dtype_names[] = { "f32", "f16", "bf16", "int8", "int4" };

static gboolean
bind_path (gconstpointer data, FrBind *bind, GError **error)
{
  const Config *config = data;
  gboolean ok = lm_folder_bind (bind, config->path, ELEMENT) & lm_export_gate_bind (bind);

  (void) error;
  if (config->layout == LAYOUT_TRANSFORMERSJS && javascript[config->dtype].dtype == NULL)
    {
      fr_bind_problem (bind, "/dtype",
                       "Transformers.js has no name for files of \"%s\"; take \"f16\", or the "
                       "standard layout",
                       dtype_names[config->dtype]);
      ok = FALSE;
    }
  if (config->activations == ACTIVATIONS_INT8 && config->dtype != DTYPE_INT4)
    {
      fr_bind_problem (bind, "/activations",
                       "only \"dtype\": \"int4\" has an operator that can round its input");
      ok = FALSE;
    }
  return ok;
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

/* ---- what is said of it --------------------------------------------------------------------- */

/* Root mean square of what quantisation changed, as a share of the weights'. */
static double
relative_error (const Export *e)
{
  return e->quality.power > 0 ? sqrt (e->quality.error / e->quality.power) : 0;
}

static const char *
what_it_is (const Export *e)
{
  if (lm_model_lora (e->model) == NULL)
    return "a whole model";
  return e->options.apart ? "the base model with its adapter beside it in one graph"
                          : "the base model with its adapter merged";
}

static JsonObject *
make_facts (const Export *e)
{
  static const char *const numbers[]
      = { [DTYPE_F32] = "32 bits",
          [DTYPE_F16] = "16 bits (float16); norms, softmax and sums of layers 32",
          [DTYPE_BF16] = "16 bits (bfloat16), widened to 32 when loaded",
          [DTYPE_INT8] = "8 bits with a scale for each output; computed in 32",
          [DTYPE_INT4] = "4 bits in blocks of 32, embedding and head 8; computed in 32" };
  JsonObject *facts = json_object_new ();
  g_autofree char *text = NULL;
  g_autoptr (GString) wide = g_string_new (NULL);

  json_object_set_string_member (facts, "numbers", numbers[e->options.dtype]);
  if (e->quality.power > 0)
    {
      text = g_strdup_printf ("%.3g of the weights' size (root mean square)", relative_error (e));
      json_object_set_string_member (facts, "quantisation error", text);
    }
  for (guint i = 0; i < e->decoder->wide->len; i++)
    g_string_append_printf (wide, "%s%s", i > 0 ? ", " : "",
                            (const char *) g_ptr_array_index (e->decoder->wide, i));
  if (wide->len > 0)
    json_object_set_string_member (facts, "kept in 32 bits, for 16 cannot hold them", wide->str);
  json_object_set_string_member (facts, "operators",
                                 e->decoder->graph->n_contrib > 0
                                     ? "ONNX opset 17; MatMulNBits of com.microsoft"
                                     : "ONNX opset 17, standard operators alone");
  return facts;
}

static JsonObject *
make_verification (const Export *e)
{
  JsonObject *out = json_object_new ();

  json_object_set_string_member (out, "result", "passed: the files were read back");
  json_object_set_int_member (out, "initializers", e->decoder->graph->tensors->len);
  json_object_set_int_member (out, "bytes_compared_by_hash", (gint64) e->bytes);
  json_object_set_int_member (out, "numbers_computed_anew", (gint64) e->n_compared);
  json_object_set_int_member (out, "nodes_in_order", e->decoder->graph->n_nodes);
  return out;
}

static gboolean
write_card (Export *e, const Config *config, JsonObject *verification, GError **error)
{
  g_autoptr (JsonObject) facts = make_facts (e);
  g_autofree char *usage = companions_usage (e, config->layout == LAYOUT_TRANSFORMERSJS,
                                             javascript[config->dtype].dtype);
  LmCard card = { .model = e->model,
                  .element = ELEMENT,
                  .library = config->layout == LAYOUT_TRANSFORMERSJS ? "transformers.js" : "onnx",
                  .what = what_it_is (e),
                  .facts = facts,
                  .usage = usage,
                  .verification = verification };
  g_autofree char *text = lm_card_text (&card);

  return lm_folder_write (e->folder, "README.md", text, -1, error);
}

static const FrViewWord chinese[] = {
  { "ONNX export", "ONNX 导出" },
  { "files", "文件" },
  { "graph and weights apart", "计算图与权重分开" },
  { "one file", "单个文件" },
  { "numbers", "数值类型" },
  { "verified", "已校验" },
  { "read back, hashes equal", "已读回，哈希一致" },
  { "quantisation error", "量化误差" },
  { "of the weights' size", "相对于权重大小" },
  { NULL, NULL },
};

static void
report_views (FrHost *host, const Export *e)
{
  g_autoptr (FrViews) v = fr_views_new ();
  g_autofree char *size = g_format_size (e->file_bytes);
  g_autofree char *read = g_format_size (e->bytes);
  g_autofree char *error = g_strdup_printf ("%.2g %%", 100 * relative_error (e));

  fr_views_translate (v, "zh", chinese);
  fr_views_begin (v, FR_VIEW_FIGURES, "ONNX export");
  fr_views_add_figure_text (v, "files", size, e->external ? "graph and weights apart" : "one file");
  fr_views_add_figure_text (v, "numbers", dtype_names[e->options.dtype], NULL);
  fr_views_add_figure_text (v, "verified", read, "read back, hashes equal");
  if (e->quality.power > 0)
    fr_views_add_figure_text (v, "quantisation error", error, "of the weights' size");
  fr_host_report (host, "views", fr_views_to_json (v));
}

static void
report (FrHost *host, const State *state, const Export *e, JsonObject *verification)
{
  JsonObject *out = json_object_new ();

  json_object_set_string_member (out, "path", state->config->path);
  json_object_set_string_member (out, "file", e->file);
  json_object_set_string_member (out, "dtype", dtype_names[e->options.dtype]);
  json_object_set_boolean_member (out, "external_data", e->external);
  json_object_set_int_member (out, "bytes", (gint64) e->file_bytes);
  json_object_set_int_member (out, "initializers", e->decoder->graph->tensors->len);
  json_object_set_int_member (out, "nodes", e->decoder->graph->n_nodes);
  json_object_set_int_member (out, "contrib_nodes", e->decoder->graph->n_contrib);
  json_object_set_int_member (out, "merged", e->decoder->n_merged);
  json_object_set_int_member (out, "apart", e->decoder->n_apart);
  json_object_set_int_member (out, "kept_f32", e->decoder->wide->len);
  if (e->quality.power > 0)
    json_object_set_double_member (out, "quantisation_error", relative_error (e));
  fr_host_report (host, "written", json_node_init_object (json_node_alloc (), out));
  fr_host_report (host, "verification", json_node_init_object (json_node_alloc (), verification));
  json_object_unref (out);
  report_views (host, e);
}

/* What a user should know before somebody else finds out. */
static void
warn (FrHost *host, const Export *e)
{
  if (e->decoder->graph->n_contrib > 0)
    fr_host_warn (
        host, "int4 uses MatMulNBits, a contrib operator (com.microsoft): ONNX Runtime and what "
              "is built on it run it, TensorRT and OpenVINO may not");
  for (guint i = 0; i < e->decoder->wide->len; i++)
    fr_host_warn (host, "%s holds numbers beyond 65504, which float16 cannot: it stays float32",
                  (const char *) g_ptr_array_index (e->decoder->wide, i));
  if (lm_model_path (e->model) == NULL || lm_model_tokenizer (e->model, NULL) == NULL)
    fr_host_warn (host,
                  "%s has no tokenizer that can be written: onnxruntime runs the graph, but "
                  "onnxruntime-genai and Transformers.js will not load the directory",
                  lm_model_name (e->model));
  else if (lm_model_template_source (e->model) == NULL)
    fr_host_warn (host,
                  "%s has no chat template: whoever loads it must write prompts as they were "
                  "in training",
                  lm_model_name (e->model));
}

/* ---- work -------------------------------------------------------------------------------------
 */

static gboolean
check_adapter (const State *state, GError **error)
{
  if (state->config->adapter != ADAPTER_APART || lm_model_lora (state->model) != NULL)
    return TRUE;
  g_set_error (error, FR_ERROR, FR_ERROR_CONFIG,
               "'adapter' is \"apart\", but %s has none; leave it out",
               lm_model_name (state->model));
  return FALSE;
}

static gboolean
write_export (State *state, FrHost *host, Export *e, GError **error)
{
  g_autoptr (JsonObject) verification = NULL;

  if (!check_adapter (state, error) || !lm_export_apart (state->model, state->config->path, error)
      || !export_write (e, error) || !companions_write (e, error) || !export_verify (e, error))
    return FALSE;
  verification = make_verification (e);
  if (!write_card (e, state->config, verification, error))
    return FALSE;
  warn (host, e);
  report (host, state, e, verification);
  return TRUE;
}

static gboolean
write_all (gpointer data, FrHost *host, GError **error)
{
  State *state = data;
  const Config *config = state->config;
  gboolean below = config->layout == LAYOUT_TRANSFORMERSJS;
  g_autofree char *file = g_strdup_printf ("%smodel%s.onnx", below ? "onnx/" : "",
                                           below ? javascript[config->dtype].suffix : "");
  Export e = { .host = host,
               .model = state->model,
               .folder = state->folder,
               .file = file,
               .limit = config->external_data,
               .options = { .dtype = (Dtype) config->dtype,
                            .apart = config->adapter == ADAPTER_APART,
                            .fast = config->activations == ACTIVATIONS_INT8,
                            .threads = fr_host_threads (host) } };
  gboolean ok = write_export (state, host, &e, error);

  export_clear (&e);
  return ok;
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
  fr_host_info (host, "wrote %s: %u files, read back and verified", state->config->path, n);
  return TRUE;
}

/* ---- the element --------------------------------------------------------------------------------
 */

static const FrEnumValue *const dtypes[]
    = { FR_ENUM ("f32", DTYPE_F32, "32 bits: what the model computes with here"),
        FR_ENUM ("f16", DTYPE_F16, "16 bits, and computing in 16 where a runtime can"),
        FR_ENUM ("bf16", DTYPE_BF16, "16 bits in the file, widened to 32 when it is loaded"),
        FR_ENUM ("int8", DTYPE_INT8, "weights of 8 bits, in standard operators"),
        FR_ENUM ("int4", DTYPE_INT4, "weights of 4 bits, by a contrib operator of ONNX Runtime"),
        NULL };

static const FrEnumValue *const adapters[]
    = { FR_ENUM ("merged", ADAPTER_MERGED, "added to the weights"),
        FR_ENUM ("apart", ADAPTER_APART, "matrices of its own, added where the graph runs"), NULL };

static const FrEnumValue *const layouts[]
    = { FR_ENUM ("standard", LAYOUT_STANDARD,
                 "model.onnx beside its config: onnxruntime, genai, "
                 "optimum"),
        FR_ENUM ("transformersjs", LAYOUT_TRANSFORMERSJS,
                 "onnx/model.onnx, the dtype behind the name; genai loads it too"),
        NULL };

static const FrEnumValue *const activations[]
    = { FR_ENUM ("f32", ACTIVATIONS_F32, "as they are"),
        FR_ENUM ("int8", ACTIVATIONS_INT8, "rounded to 8 bits before each product: faster on CPUs"),
        NULL };

static const FrParam *const params[]
    = { FR_PARAM_PATH ("path", Config, path, "the directory to write",
                       .flags = FR_PARAM_REQUIRED | FR_PARAM_WRITES, .example = "\"out/onnx\""),
        FR_PARAM_ENUM ("dtype", Config, dtype, dtypes, "how weights are stored", .def = "f32"),
        FR_PARAM_ENUM ("adapter", Config, adapter, adapters,
                       "where a model's adapter goes; one without is written as it is",
                       .def = "merged"),
        FR_PARAM_ENUM ("layout", Config, layout, layouts, "names of files", .def = "standard"),
        FR_PARAM_ENUM ("activations", Config, activations, activations,
                       "what \"int4\" multiplies its weights with", .def = "f32"),
        FR_PARAM_SIZE ("external_data", Config, external_data,
                       "weights of more than this together lie in a file of their own; \"0\": "
                       "always; an .onnx file can have 2 GiB",
                       .def = "1GB"),
        NULL };

static const FrPort *const inputs[]
    = { FR_PORT ("in", FR_PORT_MODEL, "the model to write", .object = &lm_model_type),
        LM_EXPORT_GATE, NULL };

static const char details[]
    = "Writes a model as ONNX runtimes load it: llama, qwen2 and qwen3, with a cache of "
      "keys and values.\n"
      "\n"
      "One directory serves several: onnxruntime and optimum read model.onnx and "
      "config.json, onnxruntime-genai its own genai_config.json and the tokenizer, and "
      "with `layout` \"transformersjs\" Transformers.js finds onnx/model.onnx under the name "
      "that it looks for. Weights that together pass `external_data` lie in "
      "model.onnx_data beside the graph, each on a page boundary, so that readers map "
      "them; do not link or rename that file, its name is in the graph.\n"
      "\n"
      "The graph is of standard operators (ONNX opset 17, IR 8), which ONNX Runtime from "
      "1.12 on knows, and by their documentation OpenVINO and TensorRT; only \"int4\" needs an "
      "operator of ONNX Runtime's own (MatMulNBits of com.microsoft), and the run says so. "
      "Inputs are `input_ids`, `attention_mask`, `position_ids` and "
      "`past_key_values.N.key` and `.value`, outputs `logits` (always float32) and "
      "`present.N.key` and `.value`; batch and lengths are free, the cache may begin with "
      "length 0, and shorter rows of a batch are padded on the left with 0 in "
      "`attention_mask`. Positions end where the model's config says "
      "(`max_position_embeddings`): there is a row of cosines and sines for each.\n"
      "\n"
      "### What a dtype costs\n"
      "\n"
      "Measured on SmolLM2-135M-Instruct (from Q4_1), 274 tokens of plain English, ONNX "
      "Runtime 1.32 on a CPU, against this program's own logits in F32: how far logits are "
      "off (norm of the difference), the loss, and how often the likeliest token stays the "
      "same.\n"
      "\n"
      "| dtype | file | logits | loss (3.5619) | same token | |\n"
      "| --- | --- | --- | --- | --- | --- |\n"
      "| `f32` | 540 MB | 0.0002 % | 3.5619 | 100 % | the reference: the weights as "
      "they are |\n"
      "| `f16` | 272 MB | 0.1 % | 3.5620 | 99.6 % | norms, softmax and the sum of the "
      "layers stay float32, for these models pass 65504 there; a weight that passes it "
      "stays float32 too, and is named |\n"
      "| `bf16` | 272 MB | 0.4 % | 3.5635 | 99.6 % | half the file; in memory and in speed "
      "as f32, for CPUs have no such product |\n"
      "| `int8` | 166 MB | 4.5 % | 3.5645 | 93.1 % | one scale for each output. ONNX "
      "Runtime computes these products in 8 bits and was twice as fast as with f32; "
      "DequantizeLinear is standard, where MatMulNBits with 8 bits took 83 ms for a "
      "product that this does in 0.3 ms (1 × 1536 × 8960, inputs left as they are) |\n"
      "| `int4` | 126 MB | 42 % | 3.6927 | 71.2 % | blocks of 32; embedding and head stay "
      "at 8 bits. Large models lose less than this small one |\n"
      "\n"
      "`activations` \"int8\" lets MatMulNBits round its input to 8 bits as well: about four "
      "times as fast for single tokens on a CPU, at an error well below that of the "
      "weights.\n"
      "\n"
      "### Adapters\n"
      "\n"
      "A model with an adapter is written with it merged: W + scale · B · A in 32 bits, "
      "on the very weights that were trained with, then rounded or quantised once. With "
      "`adapter` \"apart\" the base's weights stay as they are, and A and B are initializers "
      "of their own (`….lora_A.MatMul.weight`) that the graph adds: base and adapter can "
      "be told from each other in the file, and a quantised base does not quantise the "
      "adapter. That costs two small products in each adapted layer, at every token. Mind "
      "that an adapter trained on a quantised base fits that base: in \"int8\" or \"int4\" the "
      "base is rounded anew, and merged or apart, the sum is not quite what was trained. "
      "This is no .onnx_adapter file: adapters cannot be exchanged while a session runs.\n"
      "\n"
      "### Loading it\n"
      "\n"
      "onnxruntime-genai:\n"
      "\n"
      "```python\n"
      "model = onnxruntime_genai.Model(\"out/onnx\")\n"
      "tokenizer = onnxruntime_genai.Tokenizer(model)\n"
      "params = onnxruntime_genai.GeneratorParams(model)\n"
      "params.set_search_options(do_sample=False, max_length=256)\n"
      "generator = onnxruntime_genai.Generator(model, params)\n"
      "generator.append_tokens(tokenizer.encode(prompt))\n"
      "```\n"
      "\n"
      "Transformers.js, of a directory models/shop written with `layout` \"transformersjs\" "
      "and `dtype` \"f16\":\n"
      "\n"
      "```js\n"
      "env.localModelPath = 'models/';\n"
      "const generate = await pipeline('text-generation', 'shop', { dtype: 'fp16' });\n"
      "```\n"
      "\n"
      "Its words for dtypes are fp32, fp16, int8 and q4; it has none for bf16, so that "
      "this is refused there.\n"
      "\n"
      "onnxruntime alone: feed `present` back as `past_key_values`, a mask of past and new "
      "tokens, and positions that count the ones of the mask. optimum's "
      "ORTModelForCausalLM loads the standard layout (tried with optimum-onnx 0.1 and transformers "
      "4.57).\n"
      "\n"
      "### What is checked\n"
      "\n"
      "After writing, the files are read back: the graph is sound (every value made once "
      "and before its use), every initializer is there in name, type and shape, its bytes "
      "have the hash that they had when they were written, and up to 64 numbers of each "
      "are computed anew from the model, one by one. The result stands in the report and "
      "in README.md, the model card. If anything differs, the run fails and nothing is "
      "left.\n"
      "\n"
      "With an evaluator's report at `gate`, it is written only when none of its limits was "
      "passed; see `sink.safetensors`.\n"
      "\n"
      "The directory appears whole or not at all: files go into a fresh directory beside "
      "it, are synced, and renamed together when the run succeeds. A directory that an "
      "earlier run of this sink made is replaced in one step; any other that is not empty "
      "is refused. When the disk has too little room for the weights, that is said before "
      "they are written. Weights pass through in pieces: memory does not grow with the "
      "model.\n";

static const FrElement onnx = {
  .size = sizeof (FrElement),
  .kind = FR_KIND_SINK,
  .name = ELEMENT,
  .revision = 1,
  .summary = "a model as ONNX, for onnxruntime, onnxruntime-genai, optimum and Transformers.js",
  .details = details,
  .example = "{ \"path\": \"out/onnx\" }",
  .config_size = sizeof (Config),
  .params = params,
  .inputs = inputs,
  .bind = bind_path,
  .open = open_folder,
  .run = run,
  .finish = finish,
  .close = state_free,
};

FR_PLUGIN ("onnx", "0.1.0", "models as ONNX", "Apache-2.0", "flowrun", &onnx)
