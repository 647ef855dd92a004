#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-onnx.py: what sink.onnx writes, read by other people's programs.

onnx.checker looks at every file; ONNX Runtime runs random small models of each
family whole, step by step from an empty cache, and in a batch padded on the
left, against our own decoder (tests/conformance/decode); SmolLM2 is written in
every dtype, and onnxruntime-genai and Transformers.js answer with it what
transform.generate answers.  Prints TAP.  $FLOWRUN_VENV is a virtual environment
with torch, transformers, peft, onnx, onnxruntime and onnxruntime-genai;
$FLOWRUN_NPM a node_modules with @huggingface/transformers; $FLOWRUN_SMOLLM2 the GGUF file.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

import oracles

oracles.enter()
os.environ.pop("MALLOC_PERTURB_", None)
os.environ.pop("MALLOC_CHECK_", None)
try:
    import numpy as np
    import onnx
    import onnxruntime
    import peft
    import tokenizers
    import torch
    import transformers
    from onnx import numpy_helper
    from safetensors.torch import load_file, save_file
except ImportError as e:
    oracles.skip_all("%s: set FLOWRUN_VENV to an environment with onnx, onnxruntime, torch, transformers and peft" % e)

BUILD = os.environ.get("top_builddir", ".")
SOURCE = os.environ.get("top_srcdir", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
FLOWRUN = os.environ.get("FLOWRUN", os.path.join(BUILD, "flowrun"))
DECODE = os.path.join(BUILD, "tests", "conformance", "decode")
for needed in (FLOWRUN, DECODE):
    if not os.path.exists(needed):
        oracles.skip_all("%s is not built" % needed)
torch.set_num_threads(1)
transformers.logging.set_verbosity_error()

SIZES = dict(vocab_size=211, hidden_size=48, intermediate_size=72, num_hidden_layers=3, num_attention_heads=6,
             num_key_value_heads=2, max_position_embeddings=128, rms_norm_eps=1e-5)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32)
FAMILIES = {
    "llama, tied": transformers.LlamaConfig(**SIZES, tie_word_embeddings=True),
    "llama, biases": transformers.LlamaConfig(**SIZES, attention_bias=True, mlp_bias=True, tie_word_embeddings=False),
    "llama, head_dim, as many key heads": transformers.LlamaConfig(
        **(SIZES | dict(num_key_value_heads=6)), head_dim=12, tie_word_embeddings=False),
    "llama, llama3 rope": transformers.LlamaConfig(**SIZES, rope_parameters=LLAMA3, tie_word_embeddings=False),
    "qwen2, yarn": transformers.Qwen2Config(**SIZES, rope_parameters=YARN, tie_word_embeddings=False),
    "qwen3": transformers.Qwen3Config(**SIZES, head_dim=16, tie_word_embeddings=True),
}
count = failed = 0


def report(name, good, detail=""):
    global count, failed
    count += 1
    failed += not good
    print("%s %d - %s%s" % ("ok" if good else "not ok", count, name, ": " + detail if detail else ""), flush=True)


def skip(name, why):
    global count
    count += 1
    print("ok %d - %s # SKIP %s" % (count, name, why), flush=True)


def difference(name, ours, theirs, limit, relative=False):
    """The largest distance of a logit; with @relative, the norm of all distances as a share of the norm."""
    error = float("inf")
    if ours.shape == theirs.shape and np.isfinite(theirs).all():
        d = ours.astype(np.float64) - theirs
        error = float(np.linalg.norm(d) / np.linalg.norm(ours)) if relative else float(np.abs(d).max())
    report(name, error <= limit, "%.2e%s, at most %.0e" % (error, " of the norm" if relative else "", limit))


# ---- ours ----------------------------------------------------------------------------------------------


def flowrun(where, stages, *args):
    path = os.path.join(where, "p.json")
    with open(path, "w") as f:
        json.dump({"name": "onnx", "stages": stages}, f)
    done = subprocess.run([FLOWRUN, path, "--fresh", "--run-dir", os.path.join(where, "run")] + list(args), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print("# " + done.stdout.strip().replace("\n", "\n# "))
    return done.returncode == 0


def export(where, model, out, **params):
    return flowrun(where, {"m": {"use": "source.model", "with": {"path": model}},
                           "o": {"use": "sink.onnx", "from": "m", "with": {"path": out} | params}})


def native(model, tokens):
    """Logits of each sequence by our own decoder."""
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/tokens", "w") as f:
            f.writelines(" ".join(map(str, row)) + "\n" for row in tokens)
        done = subprocess.run([DECODE, model, "best", "F32", "logits", d + "/tokens", d + "/out.safetensors"],
                              stderr=subprocess.PIPE, text=True)
        if done.returncode:
            print("# " + done.stderr.strip().replace("\n", "\n# "))
            sys.exit("Bail out! decode failed")
        logits = load_file(d + "/out.safetensors")["logits"].numpy()
    return np.split(logits, np.cumsum([len(row) for row in tokens])[:-1])


# ---- theirs --------------------------------------------------------------------------------------------


class Session:
    """The graph in ONNX Runtime, with the cache fed back."""

    def __init__(self, path, exact=False):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        if exact:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.cache = [i for i in self.session.get_inputs() if i.name.startswith("past_key_values.")]
        self.outputs = [o.name for o in self.session.get_outputs()]

    def empty(self, rows, head_dim=None):
        kind = np.float16 if self.cache[0].type == "tensor(float16)" else np.float32
        size = self.cache[0].shape[3]
        size = head_dim or (size if isinstance(size, int) else self.head_dim)
        return [np.zeros((rows, i.shape[1], 0, size), kind) for i in self.cache]

    def feed(self, ids, mask, positions, past):
        feeds = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
        feeds |= {i.name: p for i, p in zip(self.cache, past)}
        out = self.session.run(self.outputs, {k: v if k.startswith("past") else v.astype(np.int64) for k, v in feeds.items()})
        return out[0].astype(np.float32), out[1:]


def check(name, path):
    try:
        onnx.checker.check_model(path, full_check=True)
        report(name + ": onnx.checker, full_check", True)
    except Exception as e:
        report(name + ": onnx.checker, full_check", False, str(e).replace("\n", " ")[:300])


def whole(session, tokens, past=None):
    ids = np.array(tokens)
    ones = np.ones_like(ids)
    return session.feed(ids, ones, np.cumsum(ones, 1) - 1, past or session.empty(len(tokens)))[0]


def stepwise(session, tokens, first):
    """@first tokens at once, the rest one by one."""
    ids = np.array(tokens)
    past, parts, done = session.empty(len(ids)), [], 0
    while done < ids.shape[1]:
        n = first if done == 0 else 1
        positions = np.tile(np.arange(done, done + n), (len(ids), 1))
        logits, past = session.feed(ids[:, done:done + n], np.ones((len(ids), done + n)), positions, past)
        parts.append(logits)
        done += n
    return np.concatenate(parts, 1)


def padded(session, rows, new):
    """Rows of different length padded on the left, then @new columns one by one; logits of each row's own tokens."""
    longest = max(map(len, rows)) - new
    ids, mask = np.zeros((len(rows), longest), int), np.zeros((len(rows), longest), int)
    for r, row in enumerate(rows):
        n = len(row) - new
        ids[r, longest - n:], mask[r, longest - n:] = row[:n], 1
    positions = np.maximum(np.cumsum(mask, 1) - 1, 0)
    logits, past = session.feed(ids, mask, positions, session.empty(len(rows)))
    parts = [logits]
    for k in range(new):
        mask = np.concatenate([mask, np.ones((len(rows), 1), int)], 1)
        column = np.array([[row[len(row) - new + k]] for row in rows])
        logits, past = session.feed(column, mask, mask.sum(1, keepdims=True) - 1, past)
        parts.append(logits)
    logits = np.concatenate(parts, 1)
    return [logits[r, logits.shape[1] - len(row):] for r, row in enumerate(rows)]


def randomise(model):
    """Every parameter far from its initial value, so that a wrong one shows."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(1 + 0.3 * torch.randn_like(p) if "norm" in name else
                    torch.randn_like(p) * (0.3 if p.ndim == 1 else 0.7 * p.shape[-1] ** -0.5))


def compare(name, session, rows, logits, limit, relative=False):
    n = min(map(len, rows))
    same = [row[:n] for row in rows]
    want = np.stack([one[:n] for one in logits])
    difference(name + ": whole, from an empty cache", want, whole(session, same), limit, relative)
    difference(name + ": step by step", want, stepwise(session, same, n // 2), limit, relative)
    difference(name + ": a batch padded on the left", np.concatenate(logits), np.concatenate(padded(session, rows, 3)),
               limit, relative)


# ---- small models of each family ---------------------------------------------------------------------------


def hashes(directory):
    out = {}
    for base, _, names in os.walk(directory):
        for n in names:
            with open(os.path.join(base, n), "rb") as f:
                out[os.path.relpath(os.path.join(base, n), directory)] = hashlib.sha256(f.read()).hexdigest()
    return out


def dequantised(path, base, to):
    """A checkpoint of the numbers that the file at @path really holds, the rest from @base."""
    shutil.copytree(base, to)
    weights = load_file(base + "/model.safetensors")
    tensors = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    names = {"attn": "self_attn"}
    for name, q in tensors.items():
        if name.endswith(".MatMul.weight_quantized"):
            w = (q * tensors[name.replace("_quantized", "_scale")]).T
        elif name.endswith(".MatMulNBits.qweight"):
            codes = np.stack([q & 15, q >> 4], -1).reshape(q.shape[0], q.shape[1], 32).astype(np.float32) - 8
            w = (codes * tensors[name.replace("qweight", "scales")].reshape(q.shape[0], -1, 1)).reshape(q.shape[0], -1)
        elif name.endswith("embed_tokens.weight_quantized"):
            w = q * tensors[name.replace("_quantized", "_scale")][:, None]
        else:
            continue
        hf = ".".join(names.get(p, p) for p in name.split(".MatMul")[0].removesuffix(".weight_quantized").split(".")) + ".weight"
        if hf not in weights:  # a tied head: the same rows
            assert hf == "lm_head.weight" and np.array_equal(w, tensors["model.embed_tokens.weight_quantized"]
                                                             * tensors["model.embed_tokens.weight_scale"][:, None])
            continue
        rows, cols = weights[hf].shape
        weights[hf] = torch.from_numpy(np.ascontiguousarray(w[:rows, :cols]).astype(np.float32))
    save_file(weights, to + "/model.safetensors", {"format": "pt"})


def protoc(path):
    name = "protoc: no unknown field, and the same bytes again"
    proto = os.path.join(os.path.dirname(onnx.__file__), "onnx.proto")
    if not shutil.which("protoc") or not os.path.exists(proto):
        return skip(name, "no protoc, or no onnx.proto")
    with open(path, "rb") as f:
        data = f.read()
    command = ["protoc", "-I", os.path.dirname(proto), proto]
    text = subprocess.run(command + ["--decode=onnx.ModelProto"], input=data, stdout=subprocess.PIPE).stdout
    again = subprocess.run(command + ["--encode=onnx.ModelProto"], input=text, stdout=subprocess.PIPE).stdout
    unknown = [line for line in text.splitlines() if line.strip()[:1].isdigit()]
    report(name, not unknown and again == data, "%d bytes, %d unknown fields" % (len(data), len(unknown)))


def other_dtypes(name, d, rows, logits):
    for dtype, limit in (("f16", 2e-2), ("bf16", 2e-2), ("int8", 5e-2), ("int4", 4e-1)):
        label, out = "%s, %s" % (name, dtype), "%s/%s" % (d, dtype)
        if not export(d, d + "/base", out, dtype=dtype, external_data="0"):
            return report(label, False, "export failed")
        check(label, out + "/model.onnx")
        session = Session(out + "/model.onnx")
        session.head_dim = 16
        compare(label, session, rows, logits, limit, True)
        if dtype in ("int8", "int4"):
            dequantised(out + "/model.onnx", d + "/base", out + "/numbers")
            session = Session(out + "/model.onnx", exact=True)
            session.head_dim = 16
            compare(label + ", its own numbers", session, rows, native(out + "/numbers", rows), 1e-4)


def adapted(name, d, model, rows):
    tuned = peft.get_peft_model(model, peft.LoraConfig(
        r=5, lora_alpha=7, target_modules=["q_proj", "k_proj", "o_proj", "gate_proj", "down_proj"], task_type="CAUSAL_LM"))
    for n, p in tuned.named_parameters():
        if "lora_B" in n:
            torch.nn.init.normal_(p, std=0.2)
    tuned.peft_config["default"].base_model_name_or_path = d + "/base"
    tuned.save_pretrained(d + "/adapter")
    logits = native(d + "/adapter", rows)
    for adapter in ("merged", "apart"):
        label = "%s, adapter %s" % (name, adapter)
        if not export(d, d + "/adapter", d + "/" + adapter, adapter=adapter):
            report(label, False, "export failed")
            continue
        check(label, d + "/%s/model.onnx" % adapter)
        compare(label, Session(d + "/%s/model.onnx" % adapter), rows, logits, 1e-4)
    if export(d, d + "/adapter", d + "/apart4", adapter="apart", dtype="int4"):
        check(name + ", int4, adapter apart", d + "/apart4/model.onnx")
        compare(name + ", int4, adapter apart", Session(d + "/apart4/model.onnx"), rows, logits, 4e-1, True)
    names = [t.name for t in onnx.load(d + "/apart/model.onnx").graph.initializer]
    report(name + ": the adapter has initializers of its own", sum(".lora_" in n for n in names) == 3 * 5 * 2)


def family(name, config):
    torch.manual_seed(len(name))
    model = transformers.AutoModelForCausalLM.from_config(config).float().eval()
    randomise(model)
    rows = [torch.randint(0, config.vocab_size, (n,)).tolist() for n in (41, 29, 23)]
    with tempfile.TemporaryDirectory() as d:
        model.save_pretrained(d + "/base")
        logits = native(d + "/base", rows)
        if not export(d, d + "/base", d + "/a"):
            return report(name, False, "export failed")
        path = d + "/a/model.onnx"
        check(name, path)
        session = Session(path)
        session.head_dim = 16
        compare(name, session, rows, logits, 1e-4)
        if name == "qwen3":
            short = [row[:23] for row in rows]
            wrong = session.empty(3, config.hidden_size // config.num_attention_heads)
            difference(name + ": an empty cache of the wrong head size", np.stack([one[:23] for one in logits]),
                       whole(session, short, wrong), 1e-4)
            other_dtypes(name, d, rows, logits)
        if name == "llama, biases":
            other_dtypes(name, d, rows, logits)
            protoc(path)
            export(d, d + "/base", d + "/b", external_data="0")
            export(d, d + "/base", d + "/c", external_data="0")
            both = hashes(d + "/b") == hashes(d + "/c") and "model.onnx_data" in hashes(d + "/c")
            export(d, d + "/base", d + "/c")
            report("the same bytes twice, external and in one file", both and hashes(d + "/a") == hashes(d + "/c"))
            check("weights in a file of their own", d + "/b/model.onnx")
            compare("weights in a file of their own", Session(d + "/b/model.onnx"), rows, logits, 1e-4)
        if name == "qwen2, yarn":
            adapted(name, d, model, rows)


# ---- a real one ------------------------------------------------------------------------------------------------

QUESTION, NEW = "Write one sentence about a red bicycle.", 24
TEXTS = [
    "The harbour wakes before the town does. At four in the morning the first boats come in with their lamps still lit, and "
    "the gulls follow them as if they were paid to. By six the ice is crushed, the boxes are stacked on the quay, and the "
    "buyers walk along the rows with their hands in their pockets, saying nothing, because whoever speaks first pays more. "
    "My grandmother sold mackerel here for thirty years. She used to say that the price of a fish is decided by the weather, "
    "the day of the week and the face of the man who wants it, and that only the last of these can be changed.",
    "To descale the kettle, fill it halfway with equal parts of water and white vinegar, bring it to the boil, and let it stand "
    "for twenty minutes. Pour the liquid away, rinse the kettle three times with cold water, and boil it once with clean water "
    "before you make tea in it again. Do not use a wire brush: it scratches the steel, and limestone settles in the scratches "
    "faster than on a smooth surface.",
    "A hash table keeps its entries in an array of buckets. To find a key, a program computes a number from it, takes the "
    "remainder after division by the size of the array, and looks only in that bucket. When too many keys share buckets, the "
    "table grows and every entry is moved."]


def our_answer(d, gguf):
    stages = {"m": {"use": "source.model", "with": {"path": gguf}},
              "q": {"use": "source.rows", "with": {"rows": [{"input": QUESTION}]}},
              "g": {"use": "transform.generate", "from": {"in": "q", "model": "m"},
                    "with": {"temperature": 0, "max_tokens": NEW, "type": "f32"}},
              "o": {"use": "sink.jsonl", "from": "g", "with": {"path": d + "/answer.jsonl"}}}
    if not flowrun(d, stages):
        return None
    with open(d + "/answer.jsonl") as f:
        return json.loads(f.readline())["generated"]


def is_greedy(gguf, prompt, answer):
    """Whether each of @answer is what our decoder finds likeliest after what is before it: then our ids are the same."""
    logits = native(gguf, [prompt + answer])[0][len(prompt) - 1:-1]
    return logits.argmax(1).tolist() == answer


def genai(name, path, gguf, text):
    try:
        import onnxruntime_genai
    except ImportError:
        return skip(name, "no onnxruntime-genai")
    model = onnxruntime_genai.Model(path)
    tokenizer = onnxruntime_genai.Tokenizer(model)
    with open(path + "/chat_template.jinja") as f:
        template = f.read()
    prompt = tokenizer.apply_chat_template(json.dumps([{"role": "user", "content": QUESTION}]), template_str=template,
                                           add_generation_prompt=True)
    ids = list(map(int, tokenizer.encode(prompt)))
    params = onnxruntime_genai.GeneratorParams(model)
    params.set_search_options(do_sample=False, max_length=len(ids) + NEW)
    generator = onnxruntime_genai.Generator(model, params)
    generator.append_tokens(ids)
    while not generator.is_done():
        generator.generate_next_token()
    answer = list(map(int, generator.get_sequence(0)))[len(ids):]
    same = tokenizer.decode(answer).strip() == text.strip()
    report(name, is_greedy(gguf, ids, answer) and same, "%d ids: %s" % (len(answer), tokenizer.decode(answer)[:80]))


def javascript(name, d, directory, dtype, gguf, text):
    npm = os.environ.get("FLOWRUN_NPM", "")
    if not shutil.which("node") or not os.path.exists(npm + "/@huggingface/transformers"):
        return skip(name, "set FLOWRUN_NPM to a node_modules with @huggingface/transformers")
    done = subprocess.run(["node", os.path.join(SOURCE, "tests", "conformance", "generate-js.mjs"), d, directory, dtype,
                           str(NEW), QUESTION], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        return report(name, False, done.stderr.strip().replace("\n", " ")[:400])
    out = json.loads(done.stdout.splitlines()[-1])
    good = text is None or (out["text"].strip() == text.strip() and is_greedy(gguf, out["prompt"], out["answer"]))
    report(name, good and len(out["answer"]) > 0, "%d ids: %s" % (len(out["answer"]), out["text"][:80]))


def loss(rows, logits):
    """Mean of -log p of every token after the first of its row."""
    total = [-torch.log_softmax(torch.from_numpy(one[:-1]), 1)[range(len(row) - 1), row[1:]] for row, one in zip(rows, logits)]
    return float(torch.cat(total).mean())


def smollm2(gguf):
    with tempfile.TemporaryDirectory() as d:
        text = our_answer(d, gguf)
        rows = logits = None
        for dtype, limit, dearer in (("f32", 0, 0), ("f16", 5e-3, 5e-3), ("bf16", 2e-2, 1e-2), ("int8", 1e-1, 1e-1), ("int4", 5e-1, 1)):
            label, path = "SmolLM2, " + dtype, "%s/%s" % (d, dtype)
            if not export(d, gguf, path, dtype=dtype, external_data="0" if dtype == "f32" else "1GB"):
                report(label, False, "export failed")
                continue
            if rows is None:
                encode = tokenizers.Tokenizer.from_file(path + "/tokenizer.json").encode
                rows = [encode(one, add_special_tokens=False).ids for one in TEXTS]
                logits = native(gguf, rows)
            check(label, path + "/model.onnx")
            session = Session(path + "/model.onnx")
            if dtype == "f32":
                compare(label, session, rows, logits, 1e-5, True)
                del session
                genai(label + ": onnxruntime-genai answers what transform.generate does", path, gguf, text)
            else:
                got = padded(session, rows, 3)
                difference(label + ": a batch padded on the left", np.concatenate(logits), np.concatenate(got), limit, True)
                agree = np.concatenate([w.argmax(1) == g.argmax(1) for w, g in zip(logits, got)]).mean()
                ours, theirs = loss(rows, logits), loss(rows, got)
                report(label + ": loss of plain text", abs(theirs - ours) <= dearer,
                       "%.4f, %.4f as it was; the likeliest token is the same in %.1f %% of %d places, %.0f MB" %
                       (theirs, ours, 100 * agree, sum(map(len, rows)), os.path.getsize(path + "/model.onnx") / 1e6))
                del session
            shutil.rmtree(path)
        for dtype, js in (("f32", "fp32"), ("f16", "fp16"), ("int8", "int8"), ("int4", "q4")):
            label = "SmolLM2, %s: Transformers.js answers" % dtype
            if not export(d, gguf, d + "/js", dtype=dtype, layout="transformersjs"):
                report(label, False, "export failed")
                continue
            same = dtype in ("f32", "f16")
            javascript(label + (" what transform.generate does" if same else ""), d, "js", js, gguf, text if same else None)


for family_name, family_config in FAMILIES.items():
    family(family_name, family_config)
smollm = os.environ.get("FLOWRUN_SMOLLM2")
if smollm and os.path.exists(smollm):
    smollm2(smollm)
else:
    skip("SmolLM2", "set FLOWRUN_SMOLLM2 to the GGUF file")
print("1..%d" % count)
sys.exit(failed > 0)
