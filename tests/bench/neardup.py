# SPDX-License-Identifier: Apache-2.0
"""neardup.py CORPUS.jsonl TRUTH.tsv KEPT.jsonl: of the copies put into the corpus, the share caught,
by their exact Jaccard index and by language.

Caught: the copy and the row it was made from are not both kept; only rows with a single copy count,
as in shared/bench/data/dedup_score.py."""
import collections, json, sys


def ids(path):
    with open(path, encoding="utf-8") as rows:
        return {row["id"]: row["lang"] for row in map(json.loads, rows)}


language, kept = ids(sys.argv[1]), ids(sys.argv[3])
with open(sys.argv[2], encoding="utf-8") as truth:
    next(truth)
    rows = [(int(i), kind, int(of), float(j)) for i, kind, of, j in map(str.split, truth) if int(i) in language]
copies = collections.Counter(of for _, kind, of, _ in rows if kind != "base")
total, caught = collections.Counter(), collections.Counter()
for i, kind, of, index in rows:
    if kind == "base" or copies[of] != 1:
        continue
    name = kind if kind in ("exact", "decoy") else next(f"near {t}+" for t in (0.9, 0.8, 0.7, 0) if index >= t)
    for key in ((name, "all"), (name, language[i])):
        total[key] += 1
        caught[key] += not (i in kept and of in kept)
for name in ("exact", "near 0.9+", "near 0.8+", "near 0.7+", "near 0+", "decoy"):
    print(f"{name:10}", "  ".join(f"{lang} {caught[name, lang] / total[name, lang]:.4f} of {total[name, lang]}"
                                  for lang in ("all", "zh", "en", "mix") if total[name, lang]))
