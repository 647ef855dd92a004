# SPDX-License-Identifier: Apache-2.0
"""Scores against sacreBLEU, rouge-score, rouge-chinese and NLTK, to 1e-9, and signatures to the letter.

Texts: small ones made to trip tokenisers, random strings from characters that do, and the pairs of
metrics-zh, metrics-rouge and parallel-tatoeba where FLOWRUN_DATA names them.  Needs FLOWRUN_VENV, a
virtual environment with sacrebleu 2.6, rouge-score, rouge-chinese and nltk; each that is missing is
skipped.

usage: test-score.py [RANDOM_CASES [SEED]]
"""
import contextlib
import io
import itertools
import json
import logging
import os
import random
import subprocess
import sys

import oracles

oracles.enter()

logging.disable(logging.WARNING)
DATA = os.environ.get("FLOWRUN_DATA")
CASES = int(sys.argv[1]) if len(sys.argv) > 1 else 150
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
sacrebleu = oracles.load("sacrebleu")
rouge_scorer = oracles.load("rouge_score.rouge_scorer")
rouge_chinese = oracles.load("rouge_chinese")
nltk_bleu = oracles.load("nltk.translate.bleu_score")
if not (sacrebleu or rouge_scorer or rouge_chinese or nltk_bleu):
    oracles.skip_all("no oracle; set FLOWRUN_VENV")

helper = os.path.join(os.environ.get("top_builddir", "build"), "tests", "conformance", "score")
program = subprocess.Popen([helper], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")


def ours(metrics, rows, **options):
    """rows: (hypothesis, [references])"""
    job = {"options": {"metrics": metrics, **{k.replace("__", "."): v for k, v in options.items()}},
           "rows": [{"hyp": h, "refs": r} for h, r in rows]}
    program.stdin.write(json.dumps(job) + "\n")
    program.stdin.flush()
    answer = json.loads(program.stdout.readline())
    if "error" in answer:
        raise ValueError(answer["error"])
    for values in answer["rows"] + [answer["corpus"]]:
        values.update({k: float(v) for k, v in values.items()})
    return answer


n_tests = 0
failed = False


def report(name, wrong, n, skip=None):
    """wrong: what differed; n: how many comparisons there were, 0 is a failure too"""
    global n_tests, failed
    n_tests += 1
    if skip:
        print(f"ok {n_tests} {name} # SKIP {skip}")
        return
    good = not wrong and n > 0
    failed |= not good
    print(f"{'ok' if good else 'not ok'} {n_tests} {name} ({n} comparisons)")
    for line in wrong[:8]:
        print(f"# {line}")
    if len(wrong) > 8:
        print(f"# and {len(wrong) - 8} more")
    sys.stdout.flush()


def near(a, b, tolerance=1e-9):
    return abs(a - b) <= tolerance * max(1, abs(b))


class Check:
    """Compares one thing at a time and remembers what differed."""

    def __init__(self):
        self.wrong = []
        self.n = 0

    def number(self, got, want, *context, tolerance=1e-9):
        self.n += 1
        if not near(got, want, tolerance):
            self.wrong.append(f"{got!r} for {want!r}: {context!r}")

    def text(self, got, want, *context):
        self.n += 1
        if got != want:
            self.wrong.append(f"{got!r} for {want!r}: {context!r}")

    def done(self, name):
        report(name, self.wrong, self.n)


# ---- texts ------------------------------------------------------------------------------------

HAND = [
    ("The cat sat on the mat.", ["The cat sat on a mat.", "A cat was sitting on the mat."]),
    ("", ["Nothing was said."]),
    ("Something was said.", [""]),
    ("", [""]),
    (" ", ["\u3000"]),
    ("It costs $1,234.56 (about 5.5%), e.g. in the U.S.A..", ["It costs 1,234.56 dollars, e.g., in the U.S."]),
    ("a.b,c-d 1-2 3.-4 -5 .6 7. 8, ,9 ..1.. a--b 1--2", ["a.b , c-d 1 - 2 3 .-4 -5 .6 7. 8, ,9 .. 1 a-b 1-2"]),
    ("&quot;Tom &amp; Jerry&quot; &lt;b&gt; &amp;lt; <skipped>x", ["\"Tom & Jerry\" <b> &lt; x"]),
    ("hyphen-\nated line\nbreak\r\nand\ttab", ["hyphenated line break and tab"]),
    ("它跟我没关系。", ["这不关我的事。"]),
    ("我的价格是￥１２３．４５，约合€15.50——“便宜”…①②→", ["价格是¥123.45，约€15.5 — \"便宜\"... ①② →"]),
    ("𠮷野家𠮷 𪚥 𫝀", ["𠮷野家 吉 𪚥 𫝀"]),
    ("⼀⾀ ⾡ 㐀䶵䶶 龥龦龻龼 豈舘﨏 﨩頻龎", ["⼀⾀⾡ 㐀 䶵䶶 龥龦 龻龼 豈舘 﨏 﨩頻龎"]),
    ("你好 ，Hello world！This is 中文.", ["你好，hello World! This是中文。"]),
    ("👩‍👩‍👧‍👦👍🏽 🇨🇳 ok ☃️✂", ["👩‍👩‍👧‍👦 👍 🇨🇳OK ☃ ✂️"]),
    ("İstanbul ΌΣΟΣ Σ ẞ ŸÉ ﬁ", ["istanbul ὄσος σ ß ÿé FI"]),
    ("\x1cfile\x1dgroup\x1erecord\x1funit\x85next\xa0nbsp\u2028line\u2003em", ["file group record unit next nbsp line em"]),
    ("\u200bzero\u200bwidth\ufeff e\u0301 é", ["zero width é é"]),
    ("the the the the the the", ["the cat the dog", "the the"]),
    ("１,０００．０，a．b", ["1,000.0, a.b"]),
    ("สวัสดีชาวโลก がぎぐ カタカナ 한국어", ["สวัสดี ชาวโลก がぎ カタカナ 한국어"]),
    ("(hi) 'tis the dog's don't!? ¿qué? «oui» ½ ² Ⅷ", ["(hi 'tis the dogs' dont? ¿qué « oui » 1/2 2 VIII"]),
    ("x" * 70 + " " + "ab " * 40, ["x" * 70 + " " + "ab ba " * 30]),
]
TRICKY = ("abcABC019.,-!'\"&;()<>/ \n\t\r中文的我们好。，！？、；：“”‘’…—￥％（）１２０ＡＢ\u3000\u2003\u2028\xa0\x85"
          "𠮷𪛖丽\U0002fa1d€①→☃✂😀👍🏽é\u0301ßİıſKΣς가나がカ々〇㐀䶵䶶龥龦龼豈⼀⾡½²٣๓\ufeff\u200d")
WORDS = ("the cat sat on a mat running flies happily relational conditional 3.14 2,000 U.S. don't state-of-the-art "
         "我们 价格 很 便宜 质量 不错 ， 。 &amp; < > -- ... The Cat").split(" ")


def random_text(rand):
    if rand.random() < 0.5:
        return "".join(rand.choice(TRICKY) for _ in range(rand.randrange(0, 40)))
    return rand.choice([" ", "", "  "]).join(rand.choice(WORDS) for _ in range(rand.randrange(0, 30)))


def change(rand, text):
    out = list(text)
    for _ in range(rand.randrange(0, 6)):
        at = rand.randrange(0, len(out) + 1)
        kind = rand.random()
        if kind < 0.3:
            out.insert(at, rand.choice(TRICKY))
        elif out and at < len(out):
            if kind < 0.6:
                del out[at]
            else:
                length = rand.randrange(1, 8)
                piece = out[at:at + length]
                del out[at:at + length]
                to = rand.randrange(0, len(out) + 1)
                out[to:to] = piece
    return "".join(out)


def random_rows(seed, n, n_refs=None):
    rand = random.Random(seed)
    rows = []
    for _ in range(n):
        ref = random_text(rand)
        refs = [ref] + [change(rand, ref) if rand.random() < 0.7 else random_text(rand)
                        for _ in range((n_refs or rand.randrange(1, 4)) - 1)]
        rows.append((change(rand, ref) if rand.random() < 0.8 else random_text(rand), refs))
    return rows


def tatoeba(n):
    """English and Chinese pairs: two translations of the same sentence."""
    path = DATA and os.path.join(DATA, "parallel-tatoeba", "cmn-eng.tsv")
    if not path or not os.path.exists(path):
        return []
    by_source = {}
    rows = []
    with open(path, encoding="utf-8") as f:
        for line in f:
            cells = line.rstrip("\n").split("\t")
            by_source.setdefault(cells[0], []).append(cells[1])
            by_source.setdefault(cells[1], []).append(cells[0])
    for found in by_source.values():
        if len(found) > 1:
            rows.append((found[0], found[1:2]))
    random.Random(SEED).shuffle(rows)
    return rows[:n]


def metrics_zh():
    path = DATA and os.path.join(DATA, "metrics-zh", "pairs.jsonl")
    if not path or not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


ROWS = HAND + random_rows(SEED, CASES)
SINGLE = [(h, r[:1]) for h, r in HAND] + random_rows(SEED + 1, CASES, 1)
TATOEBA = tatoeba(400)


def long_rows(n):
    """Lines of more than 64 words, of few different ones: every step of a subsequence has rivals."""
    rand = random.Random(SEED + 7)

    def text():
        return rand.choice(["\n", "\n\n", " \n"]).join(
            " ".join(rand.choice("abcdefgh") for _ in range(rand.randrange(1, 150))) for _ in range(rand.randrange(1, 4)))
    return [(text(), [text() for _ in range(rand.randrange(1, 3))]) for _ in range(n)]


LONG = long_rows(40)


# ---- sacreBLEU --------------------------------------------------------------------------------

def streams(rows):
    """sacreBLEU's way: one list for each place of a reference, None where a row has fewer."""
    n = max(len(r) for _, r in rows)
    return [h for h, _ in rows], [[r[i] if i < len(r) else None for _, r in rows] for i in range(n)]


def check_signature(check, answer, name, metric, *context):
    want = str(metric.get_signature())
    got = answer["signatures"][name]
    if sacrebleu.__version__ != "2.6.0":  # then all but the version
        want, got = want.rsplit("|", 1)[0], got.rsplit("|", 1)[0]
    check.text(got, want, *context)


def check_line(check, answer, name, metric, score, *context):
    want = score.format(signature=str(metric.get_signature()))
    check.text(answer["lines"][name].replace("version:2.6.0", "version:" + sacrebleu.__version__), want, *context)


SMOOTH = {"exp": 0, "none": 1, "floor": 2, "add-k": 3}


def test_bleu(tok, fixed=False):
    from sacrebleu.metrics import BLEU
    from sacrebleu.tokenizers import tokenizer_zh
    check = Check()
    keep = list(tokenizer_zh._UCODE_RANGES)
    if fixed:  # what the list's comments say
        tokenizer_zh._UCODE_RANGES[6:8] = [("\U00020000", "\U0002a6d6"), ("\U0002f800", "\U0002fa1d")]
        tokenizer_zh.TokenizerZh._is_chinese_char.cache_clear()
        tokenizer_zh.TokenizerZh.__call__.cache_clear()
    try:
        for (smooth, value), lower, rows in itertools.product(
                [("exp", None), ("none", None), ("floor", None), ("floor", 0.25), ("add-k", None), ("add-k", 2)],
                [False, True], [ROWS, SINGLE, TATOEBA]):
            if not rows:
                continue
            eff = value is not None
            metric = BLEU(tokenize=tok, smooth_method=smooth, smooth_value=value, lowercase=lower, effective_order=eff)
            answer = ours(["bleu"], rows, bleu__unit="zh-fixed" if fixed else tok, bleu__smooth=SMOOTH[smooth],
                          bleu__smooth_value=-1.0 if value is None else float(value), bleu__lowercase=lower,
                          bleu__effective_order=eff)
            score = metric.corpus_score(*streams(rows))
            corpus = answer["corpus"]
            check.number(corpus["bleu"], score.score, tok, smooth, lower)
            for i in range(4):
                check.number(corpus[f"bleu_precision{i + 1}"], score.precisions[i], tok, smooth, lower, i)
            check.number(corpus["bleu_bp"], score.bp)
            check.number(corpus["bleu_hyp_len"], score.sys_len)
            check.number(corpus["bleu_ref_len"], score.ref_len)
            if not fixed:
                check_signature(check, answer, "bleu", metric)
                check_line(check, answer, "bleu", metric, score)
            else:
                check.text("version:flowrun-" in answer["signatures"]["bleu"], True)
            if rows is TATOEBA and smooth != "exp":
                continue
            sentence = BLEU(tokenize=tok, smooth_method=smooth, smooth_value=value, lowercase=lower,
                            effective_order=True)
            for (h, r), row in zip(rows, answer["rows"]):
                score = sentence.sentence_score(h, r)
                check.number(row["bleu"], score.score, tok, smooth, lower, h, r)
                check.number(row["bleu_hyp_len"], score.sys_len, tok, h)
                check.number(row["bleu_ref_len"], score.ref_len, tok, h, r)
    finally:
        tokenizer_zh._UCODE_RANGES[:] = keep
        tokenizer_zh.TokenizerZh._is_chinese_char.cache_clear()
        tokenizer_zh.TokenizerZh.__call__.cache_clear()
    check.done(f"BLEU, {'zh with its ranges mended' if fixed else tok}")


def test_chrf(name, words):
    from sacrebleu.metrics import CHRF
    check = Check()
    for lower, space, eps, beta, rows in itertools.product([False, True], [False, True], [False, True], [2, 3],
                                                           [ROWS, SINGLE, TATOEBA]):
        if not rows or (beta != 2 and (space or eps)):
            continue
        metric = CHRF(word_order=words, lowercase=lower, whitespace=space, eps_smoothing=eps, beta=beta)
        answer = ours(["chrf", "chrf++"], rows, chrf__lowercase=lower, chrf__whitespace=space,
                      chrf__eps_smoothing=eps, chrf__beta=beta)
        score = metric.corpus_score(*streams(rows))
        key = {"chrf": "chrf", "chrf++": "chrfpp"}[name]
        check.number(answer["corpus"][key], score.score, lower, space, eps)
        check_signature(check, answer, name, metric)
        check_line(check, answer, name, metric, score)
        for (h, r), row in zip(rows, answer["rows"]):
            check.number(row[key], metric.sentence_score(h, r).score, lower, space, eps, h, r)
        alone = ours([name], rows[:20], chrf__lowercase=lower, chrf__whitespace=space, chrf__eps_smoothing=eps,
                     chrf__beta=beta)
        for row, other in zip(alone["rows"], answer["rows"]):
            check.number(row[key], other[key])
    check.done("chrF" if words == 0 else "chrF++")


def test_ter():
    from sacrebleu.metrics import TER
    check = Check()
    rand = random.Random(SEED + 9)
    shifted = []
    for _ in range(CASES):  # phrases that move, and lengths far apart
        ref = [rand.choice("abcdefghij") * rand.randrange(1, 3) for _ in range(rand.randrange(1, 60))]
        hyp = list(ref)
        for _ in range(rand.randrange(0, 4)):
            at, to, n = rand.randrange(len(hyp)), rand.randrange(len(hyp)), rand.randrange(1, 12)
            piece = hyp[at:at + n]
            hyp = hyp[:at] + hyp[at + n:]
            hyp[to:to] = piece
            if rand.random() < 0.5:
                hyp[rand.randrange(len(hyp))] = "zz"
        if rand.random() < 0.1:
            hyp = hyp * rand.randrange(1, 4)
        if rand.random() < 0.05:
            ref = ref * 4
        shifted.append((" ".join(hyp), [" ".join(ref)]))
    words = [f"w{i}" for i in range(140)]
    for distance in (50, 52, 53, 54, 55):  # a phrase moved that far
        for at in (3, 60):
            moved = words[:at] + words[at + 3:at + distance] + words[at:at + 3] + words[at + distance:]
            shifted += [(" ".join(moved), [" ".join(words)]), (" ".join(words), [" ".join(moved)])]
    for n in (40, 60):  # more shifts than are tried
        shifted.append((" ".join(rand.choice("abc") for _ in range(n)),
                        [" ".join(rand.choice("abc") for _ in range(n))]))
    shifted += [(" ".join("ab" * 60), [" ".join("ba" * 60)]), ("a", [" ".join("abc" * 80)]),
                (" ".join("abc" * 80), ["c"])]
    for norm, punct, asian, case, rows in itertools.product(*[[False, True]] * 4, [ROWS, shifted, TATOEBA[:300]]):
        if not rows or (rows is not ROWS and (norm != asian or punct or case)):
            continue
        metric = TER(normalized=norm, no_punct=punct, asian_support=asian, case_sensitive=case)
        answer = ours(["ter"], rows, ter__normalized=norm, ter__no_punct=punct, ter__asian_support=asian,
                      ter__case_sensitive=case)
        score = metric.corpus_score(*streams(rows))
        check.number(answer["corpus"]["ter"], score.score, norm, punct, asian, case)
        check_signature(check, answer, "ter", metric)
        check_line(check, answer, "ter", metric, score)
        for (h, r), row in zip(rows, answer["rows"]):
            check.number(row["ter"], metric.sentence_score(h, r).score, norm, punct, asian, case, h, r)
    check.done("TER")


# ---- ROUGE ------------------------------------------------------------------------------------

class Characters:
    def tokenize(self, text):
        return [c for c in text if not c.isspace()]


class Blanks:
    def tokenize(self, text):
        return text.split()


def test_rouge(name, unit, tokenizer, stem=False):
    check = Check()
    types = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    scorer = rouge_scorer.RougeScorer(types, use_stemmer=stem, tokenizer=tokenizer)
    for rows in (ROWS, SINGLE, LONG, TATOEBA):
        if not rows:
            continue
        answer = ours(["rouge"], rows, rouge__unit=unit, rouge__stem=stem)
        sums = {(t, x): 0.0 for t in types for x in "fpr"}
        for (h, r), row in zip(rows, answer["rows"]):
            want = scorer.score_multi(r, h)
            for t in types:
                for x, value in zip("prf", want[t]):
                    check.number(row[f"{t}_{x}"], value, t, x, h, r)
                    sums[t, x] += value
        for t, x in sums:
            check.number(answer["corpus"][f"{t}_{x}"], sums[t, x] / len(rows), t, x)
        for t in types:
            check.text(f"unit:{unit}|stem:{'yes' if stem else 'no'}" in answer["signatures"][t], True)
    check.done(f"ROUGE, {name}")


def test_porter():
    """Every suffix the rules know, on stems of every shape, against NLTK's through rouge-score."""
    from nltk.stem import porter
    stemmer = porter.PorterStemmer()
    rand = random.Random(SEED + 3)
    ends = ("s es ies sses ss ed ied eed ing ting ling zing ational tional enci anci izer bli abli alli fulli entli eli "
            "ousli ization ation ator alism iveness fulness ousness aliti iviti biliti logi icate ative alize iciti ical "
            "ful ness al ance ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ll y "
            "ationalli edly ingly").split()
    words = {"skies", "dying", "lying", "tying", "news", "innings", "inning", "outings", "cannings", "howe", "proceed",
             "exceed", "succeed", "yyyyying", "ying", "aaaaed", "sky", "2nds", "x1ing", "bees", "agreed", "feed"}
    for _ in range(20000):
        stem = "".join(rand.choice("aeiouybcdlstz0w") for _ in range(rand.randrange(0, 6)))
        words.add(stem + rand.choice(ends) + (rand.choice(ends) if rand.random() < 0.3 else ""))
    check = Check()
    rows = [(w, [stemmer.stem(w) if len(w) > 3 else w]) for w in sorted(words) if w]
    # The stem of the word and of its stem need not agree: ours is seen by what equals it and what does not.
    tails = ["", "q"]
    for tail in tails:
        job = [(w, [s + tail]) for w, (s,) in rows]
        raw = ours(["rouge1"], job, rouge__unit="english", rouge__stem=True)["rows"]
        for (w, (s,)), row in zip(job, raw):
            again = stemmer.stem(s) if len(s) > 3 else s
            mine = stemmer.stem(w) if len(w) > 3 else w
            check.number(row["rouge1_f"], 1.0 if again == mine else 0.0, w, s)
    check.done("Porter's stemmer")


def test_rouge_chinese():
    check = Check()
    rand = random.Random(SEED + 5)
    oracle_ = rouge_chinese.Rouge()
    marks = list("。！？?”’，…") + ["……", "......", "。”", "? ", " ", "\n", "  \n "]
    texts = []
    for _ in range(4 * CASES):
        pair = []
        for _ in range(2):
            words = [rand.choice(["我", "你们", "好", "价格", "a", "b", "3"] + marks) for _ in range(rand.randrange(1, 25))]
            pair.append(rand.choice([" ", "", " "]).join(words))
        if rand.random() < 0.5:
            pair[1] = change(rand, pair[0])
        texts.append(tuple(pair))
    texts += [(h, r[0]) for h, r in SINGLE + TATOEBA]
    for unit, join in (("none", lambda t: t), ("char", lambda t: " ".join(Characters().tokenize(t)))):
        rows = [(h, [r]) for h, r in texts]
        answer = ours(["rouge"], rows, rouge__unit=unit, rouge__chinese=True)["rows"]
        for (h, r), row in zip(texts, answer):
            try:
                # Its regular expressions are written without r"".
                want = oracle_.get_scores(join(h), join(r))[0]
            except (ValueError, ZeroDivisionError):  # an empty side
                want = None
            for key, name in (("rouge1", "rouge-1"), ("rouge2", "rouge-2"), ("rougeL", "rouge-l")):
                for x in "prf":
                    check.number(row[f"{key}_{x}"], want[name][x] if want else 0, unit, name, x, h, r)
    check.done("ROUGE, rouge-chinese")


def test_nltk():
    check = Check()
    smoothing = nltk_bleu.SmoothingFunction()
    for smooth, method in ((0, smoothing.method3), (2, smoothing.method1)):
        answer = ours(["bleu_nltk"], ROWS + TATOEBA, bleu__smooth=smooth)
        total = 0
        for (h, r), row in zip(ROWS + TATOEBA, answer["rows"]):
            with contextlib.redirect_stderr(io.StringIO()):
                want = nltk_bleu.sentence_bleu([list(x) for x in r], list(h), smoothing_function=method) * 100
            total += want
            check.number(row["bleu_nltk"], want, h, r)
        check.number(answer["corpus"]["bleu_nltk"], total / len(ROWS + TATOEBA))
    check.done("NLTK's sentence BLEU")


# ---- numbers that others have computed ----------------------------------------------------------

def test_metrics_zh():
    data = metrics_zh()
    if not data:
        report("metrics-zh", [], 0, "no data; set FLOWRUN_DATA")
        return
    check = Check()
    rows = [(x["hyp"], [x["ref"]]) for x in data]

    def each(answer, key, want, tolerance):
        for x, row in zip(data, answer["rows"]):
            check.number(row[key], want(x), key, x["hyp"], x["ref"], tolerance=tolerance)

    # The values were rounded to 4 or 6 digits.
    each(ours(["bleu"], rows, bleu__unit="zh"), "bleu", lambda x: x["sacrebleu_zh_sentence"], 1e-4)
    each(ours(["bleu"], rows, bleu__unit="char"), "bleu", lambda x: x["sacrebleu_char_sentence"], 1e-4)
    each(ours(["chrf"], rows), "chrf", lambda x: x["chrf"], 1e-4)
    for smooth, name in ((0, "nltk_bleu4_char_method3"), (2, "nltk_bleu4_char_method1")):
        each(ours(["bleu_nltk"], rows, bleu__smooth=smooth), "bleu_nltk", lambda x: 100 * x[name], 2e-4)
    for chinese, unit, name in ((False, "char", "rouge_std_char"), (True, "char", "rouge_chinese_char"),
                                (True, "none", "rouge_chinese_jieba")):
        use = rows
        if unit == "none":
            jieba = oracles.load("jieba")
            if not jieba:
                continue
            jieba.setLogLevel(logging.ERROR)
            use = [(" ".join(jieba.cut(h)), [" ".join(jieba.cut(r[0]))]) for h, r in rows]
        answer = ours(["rouge"], use, rouge__unit=unit, rouge__chinese=chinese)
        for key, kind in (("rouge1", "rouge-1"), ("rouge2", "rouge-2"), ("rougeL", "rouge-l")):
            for x in "prf":
                each(answer, f"{key}_{x}", lambda row: row[name][kind][x], 1e-6)
    with open(os.path.join(DATA, "metrics-zh", "corpus.json"), encoding="utf-8") as f:
        corpus = json.load(f)
    check.number(ours(["chrf"], rows)["corpus"]["chrf"], corpus["chrf"], tolerance=1e-6)
    for tok in ("zh", "char", "13a", "none"):
        want = corpus["bleu_" + tok]
        answer = ours(["bleu"], rows, bleu__unit=tok)
        check.number(answer["corpus"]["bleu"], want["score"], tok, tolerance=1e-6)
        check.number(answer["corpus"]["bleu_bp"], want["bp"], tok, tolerance=1e-6)
        for i in range(4):
            check.number(answer["corpus"][f"bleu_precision{i + 1}"], want["precisions"][i], tok, i, tolerance=1e-6)
        check.text(answer["signatures"]["bleu"].rsplit("|", 1)[0], want["signature"].rsplit("|", 1)[0])
    check.done("metrics-zh")


def test_metrics_rouge():
    path = DATA and os.path.join(DATA, "metrics-rouge", "data.json")
    if not path or not os.path.exists(path):
        report("metrics-rouge", [], 0, "no data; set FLOWRUN_DATA")
        return
    check = Check()
    with open(path, encoding="utf-8") as f:
        data = json.load(f)
    rows = [(x["hyp"], [x["ref"]]) for x in data]
    for x, row in zip(data, ours(["rouge"], rows, rouge__unit="none", rouge__chinese=True)["rows"]):
        for key, kind in (("rouge1", "rouge-1"), ("rouge2", "rouge-2"), ("rougeL", "rouge-l")):
            want = x["scores"][kind]
            check.number(row[f"{key}_p"], want["p"], kind)
            check.number(row[f"{key}_r"], want["r"], kind)
            if kind != "rouge-l":
                check.number(row[f"{key}_f"], want["f"], kind)
                continue
            # That package weighs recall in L's F by P / R.
            p, r = row["rougeL_p"], row["rougeL_r"]
            beta = p / (r + 1e-12)
            f = (1 + beta ** 2) * r * p / (r + beta ** 2 * p + 1e-12) if p and r else 0
            check.number(f, want["f"], kind)
    check.done("metrics-rouge")


def test_never_silently_zero():
    """rouge-score's unit keeps nothing of Chinese: the score is 0, and says why; others' are not 0."""
    check = Check()
    rows = [("我们的价格很便宜。", ["我们的价格不贵。"]), ("质量很好", ["质量不错"])]
    answer = ours(["rouge"], rows, rouge__unit="english")
    check.number(answer["corpus"]["rouge1_f"], 0)
    check.number(answer["corpus"]["unsuited"], 1)
    for unit in ("char", "words", "zh"):
        answer = ours(["rouge"], rows, rouge__unit=unit)
        check.number(answer["corpus"]["unsuited"], 0, unit)
        check.text(answer["corpus"]["rouge1_f"] > 0.3, True, unit)
        check.text(f"unit:{unit}" in answer["signatures"]["rouge1"], True, unit)
    check.number(ours(["bleu"], rows[:1], bleu__unit="13a")["corpus"]["unsuited"], 1)
    check.number(ours(["bleu"], [("我们 的 价格", ["我们 的 价格 不 贵 。"])], bleu__unit="none")["corpus"]["unsuited"], 0)
    check.number(ours(["bleu", "rouge"], [("The cat", ["A cat."])])["corpus"]["unsuited"], 0)
    check.done("Chinese is never silently 0")


if sacrebleu:
    for tok_ in ("13a", "zh", "char", "none", "intl"):
        test_bleu(tok_)
    test_bleu("zh", fixed=True)
    test_chrf("chrf", 0)
    test_chrf("chrf++", 2)
    test_ter()
else:
    report("sacreBLEU", [], 0, "no sacrebleu")
if rouge_scorer:
    test_rouge("rouge-score", "english", None)
    test_rouge("rouge-score with stemmer", "english", None, stem=True)
    test_rouge("rouge-score on characters", "char", Characters())
    test_rouge("rouge-score on separated words", "none", Blanks())
    test_porter()
else:
    report("rouge-score", [], 0, "no rouge-score")
if rouge_chinese:
    test_rouge_chinese()
else:
    report("rouge-chinese", [], 0, "no rouge-chinese")
if nltk_bleu:
    test_nltk()
else:
    report("NLTK", [], 0, "no nltk")
test_metrics_zh()
test_metrics_rouge()
test_never_silently_zero()
program.stdin.close()
if program.wait() != 0:
    failed = True
print(f"1..{n_tests}")
sys.exit(1 if failed else 0)
