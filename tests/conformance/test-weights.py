# SPDX-License-Identifier: Apache-2.0
"""source.model and sink.safetensors against safetensors, transformers, PEFT and gguf.

Small random models go through a pipeline of the two; what comes out is compared to the byte with
what the others write, or number by number with what they compute.

Needs torch, transformers, peft and gguf (FLOWRUN_VENV, a virtual environment).
"""
import json
import os
import subprocess
import tempfile

import oracles

oracles.enter()
try:
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    import gguf
    import numpy as np
    import torch
    import transformers
    from peft import LoraConfig, PeftModel, get_peft_model
    from safetensors import safe_open
    from safetensors.torch import save_file
except ImportError as missing:
    oracles.skip_all(f"no oracle: {missing}; set FLOWRUN_VENV")

transformers.utils.logging.disable_progress_bar()
number = 0
FLOWRUN = os.environ["FLOWRUN"]
ROPES = {
    "default": None,
    "llama3": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 64},
    "yarn": {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 64},
}


def tell(good, what, skip=None):
    global number
    number += 1
    print(("ok" if good else "not ok") + f" {number} - {what}" + (f" # SKIP {skip}" if skip else ""), flush=True)


def export(where, base, name, adapter=None, **params):
    """Runs source.model and sink.safetensors; the directory written."""
    out = os.path.join(where, name)
    pipeline = {"name": "export", "stages": {
        "base": {"use": "source.model", "with": {"path": base, **({"adapter": adapter} if adapter else {})}},
        "out": {"use": "sink.safetensors", "from": {"in": "base"}, "with": {"path": out, **params}}}}
    path = os.path.join(where, name + ".json")
    with open(path, "w") as f:
        json.dump(pipeline, f)
    ran = subprocess.run([FLOWRUN, path, "--run-dir", os.path.join(where, name + ".run"), "--progress", "none"],
                         capture_output=True, text=True)
    if ran.returncode != 0:
        for line in ran.stderr.splitlines()[-8:]:
            print("# " + line)
        raise RuntimeError("the pipeline failed")
    return out


def tiny(family, rope="default", dtype=torch.float32, **more):
    kinds = {"llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
             "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
             "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM)}
    config, model = kinds[family]
    c = config(vocab_size=96, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
               num_key_value_heads=2, head_dim=16, max_position_embeddings=256, bos_token_id=1, eos_token_id=2,
               **({"rope_parameters": dict(ROPES[rope])} if ROPES[rope] else {}), **more)
    torch.manual_seed(3)
    m = model(c).to(dtype).eval()
    with torch.no_grad():
        for p in m.parameters():
            p.copy_(torch.randn_like(p) * 0.2)
    return m


def logits(model):
    with torch.no_grad():
        return model(torch.arange(2, 50).reshape(2, 24)).logits


def load(path):
    return transformers.AutoModelForCausalLM.from_pretrained(path, dtype="auto").eval()


def same_models(where):
    for family in ("llama", "qwen2", "qwen3"):
        for rope in ROPES:
            for tied, dtype in ((False, torch.float32), (True, torch.bfloat16)):
                name = f"{family}-{rope}-{'tied' if tied else 'untied'}"
                base = tiny(family, rope, dtype, tie_word_embeddings=tied)
                dir = os.path.join(where, name)
                base.save_pretrained(dir)
                out = export(where, dir, name + ".out")
                again = load(out)
                tell(torch.equal(logits(load(dir)), logits(again)) and again.dtype == dtype,
                     f"{name}: transformers computes the same from what was written")
                mine = open(os.path.join(out, "model.safetensors"), "rb").read()
                theirs = os.path.join(where, "theirs.safetensors")
                with safe_open(os.path.join(out, "model.safetensors"), "pt") as f:
                    save_file({k: f.get_tensor(k) for k in f.keys()}, theirs, metadata={"format": "pt"})
                tell(mine == open(theirs, "rb").read(), f"{name}: the file is the crate's to the byte")


def shards(where):
    base = tiny("qwen3")
    dir = os.path.join(where, "shards")
    base.save_pretrained(dir, max_shard_size="40KB")
    out = export(where, dir, "shards.out", max_shard_size="50000")
    index = json.load(open(os.path.join(out, "model.safetensors.index.json")))
    tell(torch.equal(logits(base), logits(load(out))) and len(set(index["weight_map"].values())) > 2,
         "shards of transformers are read, shards of ours are loaded")


def adapters(where):
    for name, more in {"plain": {}, "rslora": {"use_rslora": True}, "patterns": {
            "rank_pattern": {"v_proj": 2}, "alpha_pattern": {"v_proj": 7}}}.items():
        base = tiny("qwen2")
        dir = os.path.join(where, "base-" + name)
        base.save_pretrained(dir)
        torch.manual_seed(5)
        peft = get_peft_model(base, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"],
                                               task_type="CAUSAL_LM", **more)).eval()
        with torch.no_grad():
            for n, p in peft.named_parameters():
                if "lora_" in n:
                    p.copy_(torch.randn_like(p) * 0.3)
        adapter = os.path.join(where, "adapter-" + name)
        peft.save_pretrained(adapter)
        expected = logits(peft)
        merged = load(export(where, dir, "merged-" + name, adapter=adapter, what="merged"))
        off = (logits(merged) - expected).abs().max() / expected.abs().max()
        tell(off < 1e-5, f"{name}: the merged model computes what PEFT's adapter does (off {off:.1e})")
        truth = peft.merge_and_unload().state_dict()
        off = max((merged.state_dict()[k] - v).abs().max().item() for k, v in truth.items())
        tell(off < 1e-5, f"{name}: merged weights are PEFT's (off {off:.1e})")
        again = PeftModel.from_pretrained(load(dir), export(where, dir, "again-" + name, adapter=adapter)).eval()
        tell(torch.equal(logits(again), expected), f"{name}: PEFT loads the adapter that was written")


def quantised(where):
    """A llama whose matrices are stored in every type; numbers are what gguf makes of them."""
    types = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]
    rng = np.random.default_rng(1)
    for name in types:
        kind = gguf.GGMLQuantizationType[name]
        path = os.path.join(where, name + ".gguf")
        writer = gguf.GGUFWriter(path, "llama")
        for key, value in {"block_count": 1, "context_length": 64, "embedding_length": 256, "feed_forward_length": 256,
                           "attention.head_count": 4, "attention.head_count_kv": 2}.items():
            writer.add_uint32("llama." + key, value)
        writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
        writer.add_string("tokenizer.ggml.model", "gpt2")
        writer.add_string("tokenizer.ggml.pre", "llama-bpe")
        letters = [chr(c) for c in list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
                   + list(range(256, 324))] + ["ab"]
        writer.add_token_list(letters)
        writer.add_token_types([1] * len(letters))
        writer.add_token_merges(["a b"])
        expected = {}

        def add(ggml, hf, rows, heads=0):
            block, size = gguf.GGML_QUANT_SIZES[kind]
            plain = rng.standard_normal((rows, 256)).astype(np.float32)
            try:
                raw = gguf.quants.quantize(plain, kind)
            except NotImplementedError:  # K-quants: any bytes, with scales that are numbers
                raw = rng.integers(0, 256, (rows, 256 // block * size), np.uint8)
                blocks = raw.reshape(-1, size)
                for at in ([208] if name == "Q6_K" else [0, 2]):
                    blocks[:, at + 1] = (blocks[:, at + 1] & 0x83) | 0x2c
            value = gguf.quants.dequantize(raw, kind).reshape(rows, 256)
            if heads:  # undo what conversion did
                value = value.reshape(heads, rows // heads // 2, 2, 256).swapaxes(1, 2).reshape(rows, 256)
            expected[hf] = value
            writer.add_tensor(ggml, raw, raw_dtype=kind)

        add("token_embd.weight", "model.embed_tokens.weight", len(letters))
        for ggml, hf, rows, heads in (("attn_q", "self_attn.q_proj", 256, 4), ("attn_k", "self_attn.k_proj", 128, 2),
                                      ("attn_v", "self_attn.v_proj", 128, 0), ("attn_output", "self_attn.o_proj", 256, 0),
                                      ("ffn_gate", "mlp.gate_proj", 256, 0), ("ffn_up", "mlp.up_proj", 256, 0),
                                      ("ffn_down", "mlp.down_proj", 256, 0)):
            add(f"blk.0.{ggml}.weight", f"model.layers.0.{hf}.weight", rows, heads)
        for ggml, hf in (("output_norm", "model.norm"), ("blk.0.attn_norm", "model.layers.0.input_layernorm"),
                         ("blk.0.ffn_norm", "model.layers.0.post_attention_layernorm")):
            expected[hf + ".weight"] = rng.standard_normal(256).astype(np.float32)
            writer.add_tensor(ggml + ".weight", expected[hf + ".weight"])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        got = load(export(where, path, name + ".out", dtype="f32")).state_dict()
        good = all(np.array_equal(got[k].numpy(), v) for k, v in expected.items())
        tell(good, f"{name}: every number is what gguf makes of it")


def main():
    with tempfile.TemporaryDirectory() as where:
        same_models(where)
        shards(where)
        adapters(where)
        quantised(where)
    print(f"1..{number}")


main()
