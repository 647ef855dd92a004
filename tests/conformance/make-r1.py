#!/usr/bin/env python3
"""make-r1.py OUT HEAD TOKENIZE [LAYERS]: a checkpoint in the exact shape of DeepSeek-R1-Distill-Qwen-1.5B with random weights.

HEAD: the beginning of a GGUF of the family, for its tokenizer and chat template; TOKENIZE: tests/conformance/tokenize.
Weights are BF16, small and normal, norms 1; they are drawn once and used again with another offset in each tensor,
for what is tested is shape, memory and speed.  No package is needed."""
import json
import os
import random
import struct
import subprocess
import sys

out, head, tokenize = sys.argv[1:4]
layers = int(sys.argv[4]) if len(sys.argv) > 4 else 28
VOCAB, D, F, HEADS, KV = 151936, 1536, 8960, 12, 2
os.makedirs(out, exist_ok=True)

subprocess.run([tokenize, "--json", head, f"{out}/tokenizer.json", f"{out}/tokenizer_config.json"], check=True)
with open(f"{out}/tokenizer.json", encoding="utf8") as f:
    tokenizer = json.load(f)
# The head is of the larger distill, whose vocabulary is padded further.
tokenizer["added_tokens"] = [t for t in tokenizer["added_tokens"] if t["id"] < VOCAB]
tokenizer["model"]["vocab"] = {t: i for t, i in tokenizer["model"]["vocab"].items() if i < VOCAB}
with open(f"{out}/tokenizer.json", "w", encoding="utf8") as f:
    json.dump(tokenizer, f, ensure_ascii=False)

with open(f"{out}/config.json", "w") as f:
    json.dump({"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151646, "eos_token_id": 151643,
               "hidden_act": "silu", "hidden_size": D, "initializer_range": 0.02, "intermediate_size": F,
               "max_position_embeddings": 131072, "max_window_layers": 21, "model_type": "qwen2",
               "num_attention_heads": HEADS, "num_hidden_layers": layers, "num_key_value_heads": KV, "rms_norm_eps": 1e-06,
               "rope_theta": 10000, "sliding_window": 4096, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
               "use_cache": True, "use_mrope": False, "use_sliding_window": False, "vocab_size": VOCAB}, f, indent=2)
with open(f"{out}/generation_config.json", "w") as f:
    json.dump({"bos_token_id": 151646, "eos_token_id": 151643, "do_sample": True, "temperature": 0.6, "top_p": 0.95}, f, indent=2)

tensors = {"model.embed_tokens.weight": (VOCAB, D), "model.norm.weight": (D,), "lm_head.weight": (VOCAB, D)}
for i in range(layers):
    p = f"model.layers.{i}."
    tensors |= {p + "input_layernorm.weight": (D,), p + "post_attention_layernorm.weight": (D,),
                p + "self_attn.q_proj.weight": (D, D), p + "self_attn.q_proj.bias": (D,),
                p + "self_attn.k_proj.weight": (KV * 128, D), p + "self_attn.k_proj.bias": (KV * 128,),
                p + "self_attn.v_proj.weight": (KV * 128, D), p + "self_attn.v_proj.bias": (KV * 128,),
                p + "self_attn.o_proj.weight": (D, D), p + "mlp.gate_proj.weight": (F, D), p + "mlp.up_proj.weight": (F, D),
                p + "mlp.down_proj.weight": (D, F)}
draw = random.Random(1)


def bf16(x):
    return struct.pack("<f", x)[2:]


noise = b"".join(bf16(draw.gauss(0, 0.02)) for _ in range(1 << 20))
noise = noise * 8  # 16 MiB at a time
header, at = {"__metadata__": {"format": "pt"}}, 0
for name in sorted(tensors):
    n = 2
    for d in tensors[name]:
        n *= d
    header[name] = {"dtype": "BF16", "shape": list(tensors[name]), "data_offsets": [at, at + n]}
    at += n
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
with open(f"{out}/model.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text)
    for name in sorted(tensors):
        begin, end = header[name]["data_offsets"]
        left = end - begin
        if "norm" in name:
            f.write(bf16(1.0) * (left // 2))
            continue
        shift = 2 * draw.randrange(1 << 19)
        while left > 0:
            piece = noise[shift:shift + min(left, len(noise) - shift)]
            f.write(piece)
            left -= len(piece)
            shift = 0
print(f"{out}: {at / 1e9:.2f} GB of weights")
