#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-evaluate.py: evaluator.text against sacreBLEU and rouge-score, evaluator.loss against transformers.

SmolLM2 answers rows in English and Chinese; what the report says of them must be
what the others say of the rows that came out.  Loss, bits per byte and token
accuracy of a tiny random model must be those of transformers on the same tokens
(taken from the trainer's viewer).  Prints TAP.  $FLOWRUN_VENV is a virtual
environment with sacrebleu, rouge-score, torch and transformers.
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
    import sacrebleu
    import torch
    import transformers
    from rouge_score import rouge_scorer
except ImportError as e:
    oracles.skip_all("%s: set FLOWRUN_VENV to an environment with sacrebleu, rouge-score, torch and transformers" % e)

BUILD = os.environ.get("top_builddir", ".")
FLOWRUN = os.environ.get("FLOWRUN", os.path.join(BUILD, "flowrun"))
TINY = os.path.join(BUILD, "plugins", "trainers", "tune", "make-tiny")
SMOLLM2 = os.environ.get("FLOWRUN_SMOLLM2", "")
for needed in (FLOWRUN, TINY):
    if not os.path.exists(needed):
        oracles.skip_all("%s is not built" % needed)
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


def run(where, stages, name):
    """Runs the stages; the reports of each."""
    path = os.path.join(where, name + ".json")
    with open(path, "w") as f:
        json.dump({"name": name, "seed": 5, "stages": stages}, f)
    flowrun("run", path, "--run-dir", os.path.join(where, name), "--fresh", "--progress", "none")
    with open(os.path.join(where, name, "report.json")) as f:
        return {k: v.get("reports", {}) for k, v in json.load(f)["stages"].items()}


def same(name, ours, theirs, limit=1e-9):
    report(name, abs(ours - theirs) <= limit * max(1, abs(theirs)), "%.10g, they say %.10g" % (ours, theirs))


# ---- text ---------------------------------------------------------------------------------------

ENGLISH = [("What is the capital of %s?" % c, "The capital of %s is %s." % (c, k)) for c, k in
           [("France", "Paris"), ("Italy", "Rome"), ("Spain", "Madrid"), ("Japan", "Tokyo"), ("Egypt", "Cairo"),
            ("Peru", "Lima"), ("Norway", "Oslo"), ("Cuba", "Havana")]] + [
    ("Name three colours.", "Red, green and blue."), ("Say \"hello\" & no more.", "\"Hello\" & no more."),
    ("What is 2 + 2?", "It is 4."), ("Describe a cat in one sentence.", "A cat is a small, furry animal.")]
CHINESE = [("用一句话介绍%s。" % c, "%s是中国的一座城市，历史悠久——“名城”。" % c) for c in
           ["北京", "上海", "广州", "西安", "成都", "杭州"]]


def text_stages(rows, where, name, tokenize):
    with open(os.path.join(where, name + ".jsonl"), "w") as f:
        for question, answer in rows:
            f.write(json.dumps({"input": question, "output": answer}) + "\n")
    return {
        "rows": {"use": "source.json", "with": {"path": name + ".jsonl"}},
        "model": {"use": "source.model", "with": {"path": SMOLLM2}},
        "text": {"use": "evaluator.text", "from": {"in": "rows", "model": "model"},
                 "with": {"max_tokens": 24, "tokenize": tokenize}},
        "out": {"use": "sink.jsonl", "from": "text.out", "with": {"path": name + "-out.jsonl"}}}


def scored_rows(where, name):
    with open(os.path.join(where, name + "-out.jsonl")) as f:
        return [json.loads(line) for line in f]


def check_signature(what, lines, signature):
    report(what + ": the signature", any(signature in line for line in lines), signature)


def check_interval(what, score, metric, hypotheses, references):
    """sacreBLEU draws other resamples: the widths must be alike."""
    theirs = metric.corpus_score(hypotheses, [references], n_bootstrap=1000)
    ours = (score["high"] - score["low"]) / 2
    report(what + ": the interval is as wide", abs(ours / theirs._ci - 1) < 0.15,
           "±%.3f, they say ±%.3f" % (ours, theirs._ci))


def check_text(where, rows, name, tokenize, sacre_tokenize):
    done = run(where, text_stages(rows, where, name, tokenize), name)["text"]["text"]
    out = scored_rows(where, name)
    hypotheses, references = [r["candidate"] for r in out], [r["reference"] for r in out]
    scores, lines = done["scores"], done["lines"]["candidate"]
    bleu = sacrebleu.BLEU(tokenize=sacre_tokenize)
    report(name + ": all rows are answered", len(out) == len(rows))
    same(name + ": BLEU", scores["bleu"]["value"], bleu.corpus_score(hypotheses, [references]).score)
    check_signature(name + ": BLEU", lines, str(bleu.get_signature()))
    for key, order in (("chrf", 0), ("chrfpp", 2)):
        chrf = sacrebleu.CHRF(word_order=order)
        same(name + ": " + key, scores[key]["value"], chrf.corpus_score(hypotheses, [references]).score)
        check_signature(name + ": " + key, lines, str(chrf.get_signature()))
    row = sacrebleu.CHRF().sentence_score(hypotheses[0], [references[0]]).score
    same(name + ": chrF of the first row", out[0]["chrf"], row)
    return done, hypotheses, references


def check_rouge(done, hypotheses, references):
    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer = rouge_scorer.RougeScorer(kinds, use_stemmer=False)
    rows = [scorer.score(r, h) for h, r in zip(hypotheses, references)]
    for kind in kinds:
        same("english: " + kind, done["scores"][kind + "_f"]["value"],
             sum(row[kind].fmeasure for row in rows) / len(rows))


def check_texts():
    if not os.path.exists(SMOLLM2):
        print("# scores of answers are left out: FLOWRUN_SMOLLM2 names no file")
        return
    with tempfile.TemporaryDirectory() as where:
        done, hypotheses, references = check_text(where, ENGLISH, "english", "auto", "13a")
        check_rouge(done, hypotheses, references)
        check_interval("english: chrF", done["scores"]["chrf"], sacrebleu.CHRF(), hypotheses, references)
        done, _, _ = check_text(where, CHINESE, "chinese", "auto", "zh")
        report("chinese: auto sees that it is", done["tokenize"] == "zh")


# ---- loss ---------------------------------------------------------------------------------------

ROWS = [("red", "a red cup"), ("blue", "一只蓝杯子"), ("old", "an old cup of tea"), ("odd", "an odd cup, \"so\"")]


def check_loss():
    with tempfile.TemporaryDirectory() as where:
        os.mkdir(os.path.join(where, "tiny"))
        subprocess.run([TINY, os.path.join(where, "tiny"), "3"], check=True)
        with open(os.path.join(where, "rows.jsonl"), "w") as f:
            for question, answer in ROWS:
                f.write(json.dumps({"input": question, "output": answer}) + "\n")
        reference = {"backend": "reference", "type": "f32"}
        rows = {"use": "source.json", "with": {"path": "rows.jsonl"}}
        tune = {"use": "trainer.lora", "from": {"train": "rows", "model": "model"},
                "with": dict(reference, threads=1, max_steps=60, lr=0.02, warmup=0, targets="all-linear")}
        # A model that has learned a little, so that some tokens are hit and some are not.
        run(where, {"rows": rows, "model": {"use": "source.model", "with": {"path": "tiny"}}, "tune": tune,
                    "out": {"use": "sink.safetensors", "from": "tune.model",
                            "with": {"path": "tuned", "what": "merged"}}}, "tune")
        stages = {
            "rows": rows, "model": {"use": "source.model", "with": {"path": "tuned"}}, "tune": tune,
            "loss": {"use": "evaluator.loss", "from": {"in": "rows", "model": "model"}, "with": reference},
            "out": {"use": "sink.jsonl", "from": "loss.out", "with": {"path": "out.jsonl"}}}
        scores = run(where, stages, "loss")["loss"]["loss"]["scores"]
        viewed = flowrun("head", os.path.join(where, "loss.json"), "tune.tokens", "-n", "100")
        samples = [json.loads(line) for line in viewed.splitlines()]
        model = transformers.AutoModelForCausalLM.from_pretrained(os.path.join(where, "tuned"),
                                                                  dtype=torch.float32)
        losses, hits, labels = [], 0, 0
        for sample in samples:
            ids, learned = sample["ids"], sample["n_learned"]
            with torch.no_grad():
                logits = model(input_ids=torch.tensor([ids])).logits[0, :-1].float()[-learned:]
            targets = torch.tensor(ids[-learned:])
            losses.append(torch.nn.functional.cross_entropy(logits, targets, reduction="sum").item())
            hits += (logits.argmax(-1) == targets).sum().item()
            labels += learned
        with open(os.path.join(where, "out.jsonl")) as f:
            out = [json.loads(line) for line in f]
        same("loss", scores["loss"]["value"], sum(losses) / labels, 1e-5)
        same("perplexity", scores["perplexity"]["value"], math.exp(sum(losses) / labels), 1e-4)
        size = sum(len(answer.encode()) for _, answer in ROWS)
        same("bits per byte", scores["bits_per_byte"]["value"], sum(losses) / math.log(2) / size, 1e-5)
        same("token accuracy", scores["token_accuracy"]["value"], hits / labels)
        report("some tokens are hit, not all", 0 < hits < labels, "%d of %d" % (hits, labels))
        worst = max(abs(row["loss"] * row["loss_tokens"] - loss) for row, loss in zip(out, losses))
        report("loss of each row", len(out) == len(losses) and worst < 1e-3, "at most %.2g apart" % worst)


check_texts()
check_loss()
print("1..%d" % count)
sys.exit(failed > 0)
