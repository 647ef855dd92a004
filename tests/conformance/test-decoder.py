#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-decoder.py: logits, loss and gradients against transformers and PEFT.

Random small checkpoints of each family are made here, saved as transformers
saves them, and read by tests/conformance/decode; SmolLM2 is read from its
GGUF by both.  Prints TAP.  $FLOWRUN_VENV is a virtual environment with torch,
transformers, peft and safetensors; $FLOWRUN_SMOLLM2 the GGUF file.
"""
import os
import subprocess
import sys
import tempfile

import oracles

oracles.enter()
os.environ.pop("MALLOC_PERTURB_", None)  # ours is tested so elsewhere; here it would slow torch down
try:
    import numpy as np
    import torch
    import peft
    import transformers
    from safetensors.torch import load_file
except ImportError as e:
    oracles.skip_all("%s: set FLOWRUN_VENV to an environment with torch, transformers and peft" % e)

DECODE = os.path.join(os.environ.get("top_builddir", "."), "tests", "conformance", "decode")
SIZES = dict(vocab_size=211, hidden_size=48, intermediate_size=72, num_hidden_layers=3, num_attention_heads=6,
             num_key_value_heads=2, max_position_embeddings=128, rms_norm_eps=1e-5)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32)
FAMILIES = {
    "llama, tied": transformers.LlamaConfig(**SIZES, tie_word_embeddings=True),
    "llama, biases": transformers.LlamaConfig(**SIZES, attention_bias=True, mlp_bias=True, tie_word_embeddings=False),
    "llama, head_dim": transformers.LlamaConfig(**SIZES, head_dim=12, tie_word_embeddings=False),
    "llama, llama3 rope": transformers.LlamaConfig(**SIZES, rope_parameters=LLAMA3, tie_word_embeddings=False),
    "llama, linear rope": transformers.LlamaConfig(
        **SIZES, rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.0)),
    "qwen2": transformers.Qwen2Config(**SIZES, tie_word_embeddings=False),
    "qwen2, yarn": transformers.Qwen2Config(**SIZES, rope_parameters=YARN, tie_word_embeddings=True),
    "qwen3": transformers.Qwen3Config(**SIZES, head_dim=16, tie_word_embeddings=True),
    "qwen3, yarn": transformers.Qwen3Config(**SIZES, head_dim=16, rope_parameters=YARN, tie_word_embeddings=False),
}

count = failed = 0


def report(name, pairs, limit):
    """pairs: (what, ours, theirs); the largest normalised error decides."""
    global count, failed
    count += 1
    worst, where = -1.0, ""
    for what, a, b in pairs:
        e = float("inf")
        if a.shape == b.shape:
            e = float((a.double() - b.double()).norm() / max(float(b.double().norm()), 1e-12))
        if not e <= worst:
            worst, where = e, what
    good = 0 <= worst <= limit
    failed += not good
    print("%s %d - %s: %.2e at most %.0e (%s)" % ("ok" if good else "not ok", count, name, worst, limit, where),
          flush=True)


def decode(model, backend, dtype, what, tokens):
    """What our decoder makes of it."""
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/tokens", "w") as f:
            f.writelines(" ".join(map(str, row)) + "\n" for row in tokens.tolist())
        done = subprocess.run([DECODE, model, backend, dtype, what, d + "/tokens", d + "/out.safetensors"],
                              stderr=subprocess.PIPE, text=True)
        if done.returncode:
            print("# " + done.stderr.strip().replace("\n", "\n# "))
            return {}
        return load_file(d + "/out.safetensors")


def randomise(model):
    """Every parameter far from its initial value, so that a wrong one shows."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(1 + 0.3 * torch.randn_like(p) if "norm" in name else
                    torch.randn_like(p) * (0.3 if p.ndim == 1 else 0.7 * p.shape[-1] ** -0.5))


def gradients(model, tokens):
    """(loss, {our name: gradient})"""
    loss = model(input_ids=tokens, labels=tokens).loss
    model.zero_grad()
    loss.backward()
    return loss.detach().reshape(1), {
        n.replace("base_model.model.", "").replace(".default.weight", ".weight"): p.grad
        for n, p in model.named_parameters() if p.requires_grad}


class KeyedDropout(torch.nn.Module):
    """nn.Dropout with the masks of lm_dropout_keep(): row t has the key mix ((t + 1) ^ FNV-1a (module))."""

    def __init__(self, name, rate):
        super().__init__()
        self.salt, self.rate = 0xcbf29ce484222325, rate
        for byte in name.encode():
            self.salt = (self.salt ^ byte) * 0x100000001b3 % 2**64

    @staticmethod
    def mix(z):
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
        return z ^ (z >> np.uint64(31))

    def forward(self, x):
        rows = x.reshape(-1, x.shape[-1])
        keys = self.mix(np.arange(1, len(rows) + 1, dtype=np.uint64) ^ np.uint64(self.salt))
        columns = np.arange(1, rows.shape[1] + 1, dtype=np.uint64) * np.uint64(0x9e3779b97f4a7c15)
        z = self.mix(keys[:, None] + columns[None, :])
        keep = (z >> np.uint64(40)).astype(np.float32) * np.float32(2**-24) >= np.float32(self.rate)
        return (rows * torch.from_numpy(keep) / (1 - self.rate)).reshape(x.shape)


def with_keyed_dropout(adapted, rate):
    for name, module in adapted.named_modules():
        if hasattr(module, "lora_dropout"):
            module.lora_dropout["default"] = KeyedDropout(name.replace("base_model.model.", ""), rate)
    return adapted


def compare_gradients(name, model, path, backend, what, tokens):
    loss, theirs = gradients(model, tokens)
    ours = decode(path, backend, "F32", what, tokens)
    nothing = torch.empty(0)
    report("%s: loss and %d gradients, %s" % (name, len(theirs), what),
           [("loss", ours.get("loss", nothing), loss)] + [(n, ours.get(n, nothing), g) for n, g in theirs.items()], 2e-5)


def compare_logits(name, path, backend, tokens, logits, limits):
    nothing = torch.empty(0)
    for dtype, limit in limits:
        ours = decode(path, backend, dtype, "logits", tokens)
        report("%s: logits, %s" % (name, dtype), [("all", ours.get("logits", nothing), logits.reshape(-1, logits.shape[-1]))], limit)
        ours = decode(path, backend, dtype, "cache", tokens)
        report("%s: logits from the cache, %s" % (name, dtype), [("last", ours.get("logits", nothing), logits[:, -1])], limit)


def family(name, config, backend):
    torch.manual_seed(len(name))
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    randomise(model)
    tokens = torch.randint(0, config.vocab_size, (3, 41))
    with tempfile.TemporaryDirectory() as d:
        model.save_pretrained(d + "/base")
        with torch.no_grad():
            logits = model(tokens).logits
        compare_logits(name, d + "/base", backend, tokens, logits, [("F32", 1e-5), ("BF16", 2e-2)])
        compare_gradients(name, model, d + "/base", backend, "full", tokens)
        adapted = peft.get_peft_model(model, peft.LoraConfig(
            r=5, lora_alpha=7, lora_dropout=0.1, target_modules="all-linear", task_type="CAUSAL_LM"))
        adapted.eval()
        for n, p in adapted.named_parameters():
            if "lora_B" in n:
                torch.nn.init.normal_(p, std=0.2)
        adapted.peft_config["default"].base_model_name_or_path = d + "/base"
        adapted.save_pretrained(d + "/adapter")
        compare_gradients(name, adapted, d + "/adapter", backend, "lora", tokens)
        compare_gradients(name, with_keyed_dropout(adapted, 0.1), d + "/adapter", backend, "dropout", tokens)


def smollm2(path, backend):
    model = transformers.AutoModelForCausalLM.from_pretrained(
        os.path.dirname(path), gguf_file=os.path.basename(path), dtype=torch.float32).eval()
    torch.manual_seed(1)
    tokens = torch.randint(0, model.config.vocab_size, (2, 24))
    with torch.no_grad():
        logits = model(tokens).logits
    compare_logits("SmolLM2", path, backend, tokens, logits, [("F32", 1e-5)])


torch.set_num_threads(2)
transformers.logging.set_verbosity_error()
BACKEND = os.environ.get("FLOWRUN_COMPUTE", "reference")
for family_name, family_config in FAMILIES.items():
    family(family_name, family_config, BACKEND)
gguf = os.environ.get("FLOWRUN_SMOLLM2")
if gguf and os.path.exists(gguf):
    smollm2(gguf, BACKEND)
else:
    count += 1
    print("ok %d - SmolLM2 # SKIP set FLOWRUN_SMOLLM2 to the GGUF file" % count)
print("1..%d" % count)
sys.exit(failed > 0)
