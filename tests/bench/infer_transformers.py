"""infer_transformers.py MODEL.gguf f32|bf16 LENGTH: transformers' prefill of LENGTH tokens, best and median of several, tokens per second."""
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")
os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from transformers import AutoModelForCausalLM

model, dtype, length = sys.argv[1], {"f32": torch.float32, "bf16": torch.bfloat16}[sys.argv[2]], int(sys.argv[3])
torch.set_num_threads(len(os.sched_getaffinity(0)))
m = AutoModelForCausalLM.from_pretrained(os.path.dirname(model), gguf_file=os.path.basename(model), dtype=dtype).eval()
tokens = torch.randint(0, m.config.vocab_size, (1, length), generator=torch.Generator().manual_seed(1))
seconds = []
with torch.inference_mode():
    for _ in range(8):
        start = time.monotonic()
        m(input_ids=tokens, use_cache=True, logits_to_keep=1)
        seconds.append(time.monotonic() - start)
seconds = sorted(seconds[1:])
print(f"{length / seconds[0]:.1f} {length / seconds[len(seconds) // 2]:.1f} 0")
