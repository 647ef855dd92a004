"""serve_gguf.py TOKENIZER.gguf OUT.gguf: random weights in the shape of DeepSeek-R1-Distill-Qwen-1.5B, as GGUF of Q4_K.

As llama.cpp's own Q4_K_S has it: matrices in Q4_K, the head in Q6_K, norms and biases in F32.  The tokens are those of
TOKENIZER.gguf, filled up to the vocabulary.  Quality does not matter, speed and size do: blocks are random codes with
small scales.
"""
import sys

import gguf
import numpy as np

HIDDEN, FEED, LAYERS, HEADS, KEY_HEADS, VOCABULARY = 1536, 8960, 28, 12, 2, 151936
random = np.random.default_rng(1)
source = gguf.GGUFReader(sys.argv[1])
out = gguf.GGUFWriter(sys.argv[2], "qwen2")


def field(name):
    f = source.fields[name]
    return f.contents()


out.add_name("random")
out.add_context_length(4096)
out.add_embedding_length(HIDDEN)
out.add_feed_forward_length(FEED)
out.add_block_count(LAYERS)
out.add_head_count(HEADS)
out.add_head_count_kv(KEY_HEADS)
out.add_rope_freq_base(10000.0)
out.add_layer_norm_rms_eps(1e-6)
tokens = field("tokenizer.ggml.tokens")
kinds = field("tokenizer.ggml.token_type")
more = VOCABULARY - len(tokens)
out.add_tokenizer_model("gpt2")
out.add_tokenizer_pre(field("tokenizer.ggml.pre"))
out.add_token_list(list(tokens) + [f"[PAD{len(tokens) + i}]" for i in range(more)])
out.add_token_types(list(kinds) + [int(gguf.TokenType.UNUSED)] * more)
out.add_token_merges(field("tokenizer.ggml.merges"))
out.add_bos_token_id(int(field("tokenizer.ggml.bos_token_id")))
out.add_eos_token_id(int(field("tokenizer.ggml.eos_token_id")))


def blocks(name, rows, cols, kind):
    size = {gguf.GGMLQuantizationType.Q4_K: 144, gguf.GGMLQuantizationType.Q6_K: 210}[kind]
    data = random.integers(0, 256, (rows, cols // 256, size), dtype=np.uint8)
    scale = np.frombuffer(np.float16(0.0002).tobytes(), dtype=np.uint8)
    if kind == gguf.GGMLQuantizationType.Q4_K:
        data[:, :, 0:2] = scale
        data[:, :, 2:4] = scale
    else:
        data[:, :, 208:210] = np.frombuffer(np.float16(0.00005).tobytes(), dtype=np.uint8)
    out.add_tensor(name, data.reshape(rows, -1), raw_dtype=kind)


Q4_K, Q6_K = gguf.GGMLQuantizationType.Q4_K, gguf.GGMLQuantizationType.Q6_K
width = KEY_HEADS * HIDDEN // HEADS
blocks("token_embd.weight", VOCABULARY, HIDDEN, Q4_K)
blocks("output.weight", VOCABULARY, HIDDEN, Q6_K)
out.add_tensor("output_norm.weight", np.ones(HIDDEN, dtype=np.float32))
for layer in range(LAYERS):
    at = f"blk.{layer}."
    for name, rows, cols in (
        ("attn_q", HIDDEN, HIDDEN), ("attn_k", width, HIDDEN), ("attn_v", width, HIDDEN),
        ("attn_output", HIDDEN, HIDDEN), ("ffn_gate", FEED, HIDDEN), ("ffn_up", FEED, HIDDEN),
        ("ffn_down", HIDDEN, FEED),
    ):
        blocks(f"{at}{name}.weight", rows, cols, Q4_K)
    for name, n in (("attn_q", HIDDEN), ("attn_k", width), ("attn_v", width)):
        out.add_tensor(f"{at}{name}.bias", np.zeros(n, dtype=np.float32))
    for name in ("attn_norm", "ffn_norm"):
        out.add_tensor(f"{at}{name}.weight", np.ones(HIDDEN, dtype=np.float32))
out.write_header_to_file()
out.write_kv_data_to_file()
out.write_tensors_to_file()
out.close()
