#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""train-quality.py: the same recipe on the same data, flowrun against PEFT: validation losses, time and memory.

usage: train-quality.py FLOWRUN MODEL.gguf SHOP.sql [f32|bf16] [STEPS]

The shop's English product copy, LoRA on every linear layer.  Both get the same
tokens; orders, first values of A and dropout are each program's own, so the
final losses may differ by chance: by 1 % at most.  Run by train-quality.sh,
in an environment with torch, transformers, peft and gguf.
"""
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time

FLOWRUN, MODEL, SQL = (os.path.abspath(p) for p in sys.argv[1:4])
TYPE = sys.argv[4] if len(sys.argv) > 4 else "f32"
STEPS = int(sys.argv[5]) if len(sys.argv) > 5 else 78
BATCH, LR, RANK, ALPHA, DROPOUT, WARMUP = 8, 5e-4, 16, 32, 0.1, 0.03
QUERY = ("SELECT c.name_en AS category, p.id AS product, p.name_en AS name, p.attributes_en AS attributes, "
         "p.audience_en AS audience, p.copy_en AS copy FROM product p JOIN category c ON c.id = p.category_id "
         "ORDER BY p.id")
FORMAT = {"input": "Write product copy for: {name}\nCategory: {category}\nFacts: {attributes}\nFor: {audience}",
          "output": "{copy}", "keep": ["product"]}


def pipeline(where, train, params):
    path = os.path.join(where, "p.json")
    stages = {
        "shop": {"use": "source.sqlite", "with": {"script": SQL, "query": QUERY}},
        "format": {"use": "transform.format", "from": "shop", "with": FORMAT},
        "split": {"use": "transform.split", "from": "format", "with": {"validation": 0.2, "by": "product"}},
        "base": {"use": "source.model", "with": {"path": MODEL}},
        "tune": {"use": "trainer.lora",
                 "from": {"model": "base", "train": "split." + train, "validation": "split.validation"},
                 "with": params},
        "adapter": {"use": "sink.safetensors", "from": "tune.model", "with": {"path": "out", "what": "adapter"}}}
    with open(path, "w") as f:
        json.dump({"name": "quality", "seed": 42, "stages": stages}, f)
    return path


def samples(where, part):
    path = pipeline(where, part, {})
    out = subprocess.run([FLOWRUN, "head", path, "tune.tokens", "-n", "100000"], check=True, stdout=subprocess.PIPE)
    rows = [json.loads(line) for line in out.stdout.decode().splitlines()]
    return [(row["ids"], row["n_learned"]) for row in rows]


def ours(where):
    params = {"rank": RANK, "alpha": ALPHA, "dropout": DROPOUT, "targets": "all-linear", "lr": LR, "batch": BATCH,
              "max_steps": STEPS, "warmup": WARMUP, "type": TYPE, "load_best": False, "eval_steps": STEPS}
    run = os.path.join(where, "run")
    subprocess.run([FLOWRUN, "run", pipeline(where, "train", params), "--run-dir", run, "--progress", "none"],
                   check=True)
    with open(os.path.join(run, "report.json")) as f:
        training = json.load(f)["stages"]["tune"]["reports"]["training"]
    v, r = training["result"]["validation"], training["result"]
    memory = training["forecast"]["resident_bytes"]["measured"]
    return v["before"]["loss"], v["after"]["loss"], r["tokens_per_second"], memory / 2**30


def theirs(train, validation):
    import torch
    import peft
    from transformers import AutoModelForCausalLM
    torch.manual_seed(42)
    dtype = torch.float32 if TYPE == "f32" else torch.bfloat16
    model = AutoModelForCausalLM.from_pretrained(os.path.dirname(MODEL), gguf_file=os.path.basename(MODEL),
                                                 dtype=dtype)
    model = peft.get_peft_model(model, peft.LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=DROPOUT,
                                                       target_modules="all-linear", task_type="CAUSAL_LM"))

    def batch_loss(chosen):
        longest = max(len(ids) for ids, _ in chosen)
        ids = torch.zeros(len(chosen), longest, dtype=torch.long)
        mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
        for i, (tokens, n) in enumerate(chosen):
            ids[i, :len(tokens)] = torch.tensor(tokens)
            mask[i, :len(tokens)] = 1
            labels[i, len(tokens) - n:len(tokens)] = torch.tensor(tokens[-n:])
        return model(input_ids=ids, attention_mask=mask, labels=labels).loss

    def evaluate():
        model.eval()
        with torch.no_grad():
            total = sum(batch_loss([s]).item() * s[1] for s in validation)
        model.train()
        return total / sum(n for _, n in validation)

    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=LR, weight_decay=0.0)
    before, seconds, tokens, order = evaluate(), 0.0, 0, []
    warmup = math.ceil(WARMUP * STEPS)
    for step in range(1, STEPS + 1):
        if not order:
            order = torch.randperm(len(train)).tolist()
        chosen, order = [train[i] for i in order[:BATCH]], order[BATCH:]
        factor = (step / (warmup + 1) if step <= warmup
                  else 0.5 * (1 + math.cos(math.pi * (step - 1 - warmup) / (STEPS - warmup))))
        for group in optimiser.param_groups:
            group["lr"] = LR * factor
        start = time.time()
        optimiser.zero_grad()
        batch_loss(chosen).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        seconds += time.time() - start
        tokens += sum(len(ids) - 1 for ids, _ in chosen)
    return before, evaluate(), tokens / seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


with tempfile.TemporaryDirectory() as where:
    data = samples(where, "train"), samples(where, "validation")
    a = ours(where)
    b = theirs(*data)
print("%-8s %22s %22s %10s %10s" % ("", "validation loss before", "after", "tok/s", "GiB"))
for name, r in ("flowrun", a), ("PEFT", b):
    print("%-8s %22.4f %22.4f %10.0f %10.2f" % ((name,) + r))
print("after: %+.2f %%; speed: %.2f times" % (100 * (a[1] / b[1] - 1), a[2] / b[2]))
sys.exit(abs(a[1] / b[1] - 1) > 0.01)
