#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gguf_llamacpp.py MODEL.safetensors OURS.gguf OUT: llama.cpp's quantiser on the same tensors.

ggml_quantize_chunk and ggml_bf16_to_fp32_row of a library of ggml's ($GGML_LIBRARY, else the one in the
xllamacpp wheel), driven as llama_model_quantize drives them: one tensor after the other, widened to
F32, its rows divided among threads, and written.  Types are those of OURS.gguf, so that both do the
same work.  Prints seconds; nothing is read again, measured or synced."""
import ctypes
import json
import mmap
import os
import struct
import sys
import threading
import time

import gguf
import numpy as np

source, ours, out = sys.argv[1:4]
threads = int(os.environ.get("THREADS", "2"))
library = os.environ.get("GGML_LIBRARY")
if not library:
    import xllamacpp
    library = os.path.join(os.path.dirname(xllamacpp.__file__), "xllamacpp.abi3.so")
ggml = ctypes.CDLL(library)
ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
ggml.ggml_bf16_to_fp32_row.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
ggml.ggml_bf16_to_fp32_row.restype = None

names = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight", "output.weight": "lm_head.weight"}
parts = {"attn_norm.weight": "input_layernorm.weight", "ffn_norm.weight": "post_attention_layernorm.weight",
         "attn_output.weight": "self_attn.o_proj.weight", "ffn_gate.weight": "mlp.gate_proj.weight",
         "ffn_up.weight": "mlp.up_proj.weight", "ffn_down.weight": "mlp.down_proj.weight"}
for w in "qkv":
    for s in ("weight", "bias"):
        parts[f"attn_{w}.{s}"] = f"self_attn.{w}_proj.{s}"


def hf(name):
    if name in names:
        return names[name]
    _, layer, rest = name.split(".", 2)
    return f"model.layers.{layer}.{parts[rest]}"


plan = [(t.name, int(t.tensor_type), int(t.n_bytes)) for t in gguf.GGUFReader(ours).tensors]
f = open(source, "rb")
data = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
(n,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + n])
base = np.frombuffer(data, np.uint8)

start = time.time()
with open(out, "wb") as result:
    for name, kind, size in plan:
        info = header[hf(name)]
        begin, end = info["data_offsets"]
        count, cols = (end - begin) // 2, info["shape"][-1]
        rows = count // cols
        at = base.ctypes.data + 8 + n + begin
        wide = np.empty(count, np.float32)
        packed = np.empty(size, np.uint8)
        row_size = size // rows

        def work(i):
            first, last = rows * i // threads, rows * (i + 1) // threads
            if last > first:
                ggml.ggml_bf16_to_fp32_row(at + 2 * first * cols, wide.ctypes.data + 4 * first * cols, (last - first) * cols)
                if kind != 0:
                    ggml.ggml_quantize_chunk(kind, wide.ctypes.data, packed.ctypes.data, first * cols, last - first, cols, None)

        team = [threading.Thread(target=work, args=(i,)) for i in range(threads if rows >= threads else 1)]
        if rows < threads:
            ggml.ggml_bf16_to_fp32_row(at, wide.ctypes.data, count)
        else:
            for t in team:
                t.start()
            for t in team:
                t.join()
        result.write(wide if kind == 0 else packed)
print(f"{time.time() - start:.2f}")
