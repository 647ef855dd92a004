"""train_peft.py MODEL f32|bf16 LENGTH BATCH STEPS lora|full: transformers + PEFT on random tokens, every one a label.

MODEL: a .gguf file, or "1.5b": random weights in the shape of DeepSeek-R1-Distill-Qwen-1.5B.  Prints tokens per
second of the fastest and of the median step, and the peak of resident memory in bytes."""
import os
import resource
import sys
import time
import warnings

warnings.filterwarnings("ignore")
os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM

model, kind, length, batch, steps, how = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]), sys.argv[6]
dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[kind]
torch.manual_seed(0)
torch.set_num_threads(len(os.sched_getaffinity(0)))
if model == "1.5b":
    torch.set_default_dtype(dtype)
    m = Qwen2ForCausalLM(Qwen2Config(vocab_size=151936, hidden_size=1536, intermediate_size=8960, num_hidden_layers=28,
                                     num_attention_heads=12, num_key_value_heads=2, tie_word_embeddings=False,
                                     rope_theta=10000.0))
    torch.set_default_dtype(torch.float32)
else:
    m = AutoModelForCausalLM.from_pretrained(os.path.dirname(model), gguf_file=os.path.basename(model), dtype=dtype)
if how == "lora":
    from peft import LoraConfig, get_peft_model
    m = get_peft_model(m, LoraConfig(r=16, lora_alpha=32, lora_dropout=0.1, target_modules=["q_proj", "v_proj"]))
m.train()
optimiser = torch.optim.AdamW([p for p in m.parameters() if p.requires_grad], lr=5e-5)
seconds = []
for step in range(steps + 1):
    tokens = torch.randint(0, m.config.vocab_size, (batch, length))
    start = time.monotonic()
    m(input_ids=tokens, labels=tokens).loss.backward()
    optimiser.step()
    optimiser.zero_grad()
    seconds.append(time.monotonic() - start)
seconds = sorted(seconds[1:])  # the first warms up
n = batch * length
print(f"{n / seconds[0]:.1f} {n / seconds[len(seconds) // 2]:.1f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}")
