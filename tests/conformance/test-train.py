#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-train.py: ten optimiser steps of trainer.lora and trainer.full against PEFT and transformers.

Both begin with the same weights (a tiny random model) and the same adapter
(one that PEFT made and saved), see the same tokens (taken from the trainer's own
viewer) in the same steps, and must lose alike.  Then PEFT loads what we wrote.
Prints TAP.  $FLOWRUN_VENV is a virtual environment with torch, transformers and peft.
"""
import json
import math
import os
import subprocess
import sys
import tempfile

import oracles

oracles.enter()
os.environ.pop("MALLOC_PERTURB_", None)
try:
    import numpy as np
    import torch
    import peft
    import transformers
    from safetensors.torch import load_file
except ImportError as e:
    oracles.skip_all("%s: set FLOWRUN_VENV to an environment with torch, transformers and peft" % e)

BUILD = os.environ.get("top_builddir", ".")
FLOWRUN = os.environ.get("FLOWRUN", os.path.join(BUILD, "flowrun"))
TINY = os.path.join(BUILD, "plugins", "trainers", "tune", "make-tiny")
DECODE = os.path.join(BUILD, "tests", "conformance", "decode")
for needed in (FLOWRUN, TINY, DECODE):
    if not os.path.exists(needed):
        oracles.skip_all("%s is not built" % needed)

STEPS, BATCH, LR, DECAY, CLIP, WARMUP = 10, 4, 2e-3, 0.05, 0.5, 3
RECIPE = {"batch": 2, "accumulate": 2, "max_steps": STEPS, "lr": LR, "weight_decay": DECAY, "max_grad_norm": CLIP,
          "warmup": WARMUP, "shuffle": False, "logging_steps": 1, "type": "f32", "backend": "reference", "threads": 1}
torch.set_num_threads(1)
count = failed = 0


def report(name, good, detail=""):
    global count, failed
    count += 1
    failed += not good
    print("%s %d - %s%s" % ("ok" if good else "not ok", count, name, ": " + detail if detail else ""), flush=True)


def flowrun(*args):
    done = subprocess.run([FLOWRUN] + list(args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print("# " + (done.stdout + done.stderr).replace("\n", "\n# "))
        print("Bail out! flowrun %s failed" % args[0])
        sys.exit(1)
    return done.stdout


def pipeline(where, element, params, what):
    path = os.path.join(where, "p.json")
    stages = {
        "base": {"use": "source.model", "with": {"path": "tiny"}},
        "rows": {"use": "source.json", "with": {"path": "train.jsonl"}},
        "tune": {"use": element, "from": {"model": "base", "train": "rows"}, "with": params},
        "out": {"use": "sink.safetensors", "from": "tune.model", "with": {"path": "out-" + what, "what": what}}}
    with open(path, "w") as f:
        json.dump({"name": "train", "seed": 3, "stages": stages}, f)
    return path


def train(where, element, params, what, run="run"):
    """Trains; the losses of all steps."""
    path = pipeline(where, element, params, what)
    flowrun("run", path, "--run-dir", os.path.join(where, run), "--fresh", "--progress", "none")
    with open(os.path.join(where, run, "report.json")) as f:
        stages = json.load(f)["stages"]
    return [point["loss"] for point in stages["tune"]["reports"]["training"]["curve"]]


def samples(where, element, params, what):
    """The ids of all samples, and how many of them are learned."""
    path = pipeline(where, element, params, what)
    rows = [json.loads(line) for line in flowrun("head", path, "tune.tokens", "-n", "1000").splitlines()]
    return [(row["ids"], row["n_learned"]) for row in rows]


def factor(step):
    if step <= WARMUP:
        return step / (WARMUP + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - 1 - WARMUP) / (STEPS - WARMUP)))


def summed_loss(model, ids, learned):
    logits = model(input_ids=torch.tensor([ids])).logits[0, :-1].float()
    return torch.nn.functional.cross_entropy(logits[-learned:], torch.tensor(ids[-learned:]), reduction="sum")


def train_torch(model, data):
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    decayed = [p for n, p in trained if p.dim() > 1]
    plain = [p for n, p in trained if p.dim() == 1]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0.0}],
                                  lr=LR)
    losses = []
    for step in range(1, STEPS + 1):
        steps = math.ceil(len(data) / BATCH)
        first = (step - 1) % steps * BATCH
        chosen = data[first:first + BATCH]
        labels = sum(learned for _, learned in chosen)
        for group in optimiser.param_groups:
            group["lr"] = LR * factor(step)
        optimiser.zero_grad()
        loss = sum(summed_loss(model, ids, learned) for ids, learned in chosen) / labels
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for _, p in trained], CLIP)
        optimiser.step()
        losses.append(loss.item())
    return losses


def compare(name, ours, theirs, limit):
    worst = max(abs(a / b - 1) for a, b in zip(ours, theirs)) if len(ours) == len(theirs) else float("inf")
    fell = theirs[-1] < theirs[0]
    report(name, worst <= limit and fell, "%d steps, %.4f to %.4f, relative difference at most %.2g"
           % (len(ours), ours[0], ours[-1], worst))


def base_model(where):
    return transformers.AutoModelForCausalLM.from_pretrained(os.path.join(where, "tiny"), dtype=torch.float32)


def distance(ours, theirs):
    """The largest difference of two dicts of tensors, by the largest number."""
    if set(ours) != set(theirs):
        return float("inf")
    return max((ours[n].float() - theirs[n].float()).abs().max().item() / max(theirs[n].abs().max().item(), 1e-9)
               for n in ours)


def our_logits(where, model, data, backend):
    tokens, out = os.path.join(where, "tokens.txt"), os.path.join(where, "logits.safetensors")
    with open(tokens, "w") as f:
        for ids, _ in data:
            f.write(" ".join(map(str, ids)) + "\n")
    subprocess.run([DECODE, model, backend, "F32", "logits", tokens, out], check=True)
    return load_file(out)["logits"]


def their_logits(model, data):
    model.eval()
    with torch.no_grad():
        return torch.cat([model(input_ids=torch.tensor([ids])).logits[0].float() for ids, _ in data])


def test_lora(where, targets, rslora):
    torch.manual_seed(1)
    model = base_model(where)
    config = peft.LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=targets, use_rslora=rslora,
                             task_type="CAUSAL_LM")
    model = peft.get_peft_model(model, config)
    start = os.path.join(where, "start")
    model.save_pretrained(start)
    params = dict(RECIPE, init_adapter=start, dropout=0.0)
    data = samples(where, "trainer.lora", params, "adapter")
    name = "LoRA, %s%s" % (targets if isinstance(targets, str) else "+".join(targets), ", rsLoRA" if rslora else "")
    ours = train(where, "trainer.lora", params, "adapter")
    compare(name + ": losses as PEFT's", ours, train_torch(model, data), 1e-4)
    adapter = os.path.join(where, "out-adapter")
    theirs = os.path.join(where, "theirs")
    model.save_pretrained(theirs)
    d = distance(load_file(os.path.join(adapter, "adapter_model.safetensors")),
                 load_file(os.path.join(theirs, "adapter_model.safetensors")))
    report(name + ": the same adapter after ten steps", d < 1e-3, "%.2g" % d)
    loaded = peft.PeftModel.from_pretrained(base_model(where), adapter)
    a, b = their_logits(loaded, data), our_logits(where, adapter, data, "reference")
    d = (a - b).norm().item() / a.norm().item()
    report(name + ": PEFT loads it, with our logits", d < 1e-5, "%.2g" % d)


def test_full(where):
    data = samples(where, "trainer.full", RECIPE, "model")
    model = base_model(where)
    ours = train(where, "trainer.full", RECIPE, "model")
    compare("full: losses as transformers'", ours, train_torch(model, data), 1e-4)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(os.path.join(where, "out-model"), dtype=torch.float32)
    a, b = their_logits(loaded, data), their_logits(model, data)
    d = (a - b).norm().item() / b.norm().item()
    report("full: transformers loads it, with the logits of its own training", d < 1e-3, "%.2g" % d)


def test_threads(where):
    """The best backend here: the same bytes for the same threads, the same curve for others."""
    params = dict(RECIPE, rank=4, targets="all-linear")
    params.pop("backend")
    curves, adapters = [], []
    for threads in (1, 2, 2):
        curves.append(train(where, "trainer.lora", dict(params, threads=threads), "adapter"))
        with open(os.path.join(where, "out-adapter", "adapter_model.safetensors"), "rb") as f:
            adapters.append(f.read())
    compare("one thread and two: the same curve", curves[1], curves[0], 1e-5)
    report("two threads twice: the same bytes", adapters[1] == adapters[2])
    half = train(where, "trainer.lora", dict(params, threads=2, type="bf16"), "adapter")
    compare("bf16 and f32: nearly the same curve", half, curves[1], 2e-2)


with tempfile.TemporaryDirectory() as where:
    os.mkdir(os.path.join(where, "tiny"))
    subprocess.run([TINY, os.path.join(where, "tiny"), "5"], check=True)
    with open(os.path.join(where, "train.jsonl"), "w") as f:
        for i in range(10):
            f.write(json.dumps({"input": "thing %d" % i, "output": "copy %s of it" % "abc"[:i % 4]}) + "\n")
    test_lora(where, ["q_proj", "v_proj"], False)
    test_lora(where, "all-linear", True)
    test_full(where)
    test_threads(where)
print("1..%d" % count)
sys.exit(failed > 0)
