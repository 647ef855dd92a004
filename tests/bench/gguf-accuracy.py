#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gguf-accuracy.py MODEL TEXT [TOKENS]: size, error and loss of a model in every dtype of sink.gguf.

Each file's loss is that of tests/conformance/decode (F32) over TOKENS tokens of TEXT in pieces of 256; the first row is
MODEL itself.  Needs a build (top_builddir) and $FLOWRUN_VENV with numpy and safetensors."""
import json
import os
import subprocess
import sys
import tempfile

from safetensors.numpy import load_file
import numpy as np

build = os.environ.get("top_builddir", ".")
os.environ["FLOWRUN_PLUGIN_PATH"] = build + "/plugins/.libs"
model, text = sys.argv[1:3]
n = int(sys.argv[3]) if len(sys.argv) > 3 else 8192
where = tempfile.mkdtemp()
subprocess.run([build + "/tests/conformance/tokenize", model, text, where + "/ids"], check=True, stdout=subprocess.DEVNULL)
ids = np.fromfile(where + "/ids", np.int32)[:n]


def loss(path):
    total = count = 0.0
    for at in range(0, len(ids), 2048):
        piece = [ids[i:i + 256] for i in range(at, min(at + 2048, len(ids)), 256)]
        with open(where + "/tokens", "w") as f:
            f.writelines(" ".join(map(str, p)) + "\n" for p in piece)
        subprocess.run([build + "/tests/conformance/decode", path, "best", "F32", "logits", where + "/tokens", where + "/out"], check=True)
        labels = sum(len(p) - 1 for p in piece)
        total += float(load_file(where + "/out")["loss"][0]) * labels
        count += labels
    return total / count


print("| dtype | MB | logits off by | same next token | loss |\n| --- | --- | --- | --- | --- |")
print(f"| as it came | {os.path.getsize(model) / 1e6:.1f} | | | {loss(model):.4f} |", flush=True)
for dtype in ("f32", "f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_1", "q4_0"):
    out = where + "/x.gguf"
    with open(where + "/p.json", "w") as f:
        json.dump({"name": "accuracy", "stages": {
            "base": {"use": "source.model", "with": {"path": os.path.abspath(model)}},
            "out": {"use": "sink.gguf", "from": {"in": "base"}, "with": {"path": out, "dtype": dtype}}}}, f)
    subprocess.run([build + "/flowrun", where + "/p.json", "--run-dir", f"{where}/run-{dtype}", "--progress", "none"],
                   check=True, stderr=subprocess.DEVNULL)
    with open(f"{where}/run-{dtype}/report.json") as f:
        reports = json.load(f)["stages"]["out"]["reports"]
    w, v = reports["written"], reports["verification"]
    print(f"| {dtype} | {w['bytes'] / 1e6:.1f} | {v['logit_error']:.2g} | {v['same_most_likely_token']} of {v['prompt_tokens']}"
          f" | {loss(out):.4f} |", flush=True)
