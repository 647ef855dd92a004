#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# neardup.sh CORPUS.jsonl TRUTH.tsv [ROWS]: near-duplicates with two workers beside text-dedup and
# datasketch with two processes, in turn, in the same run: MB/s of whole processes, the ratio, our
# peak of resident memory, and which of the copies put into the corpus were caught, by language.
#
# The corpus is gen_corpus.py's of shared/bench/data: 200 000 rows, 192 MB, and the exact index of
# every copy.  The rivals get its first ROWS rows (20000), through dedup_peers.py; so do we, once.
# Needs $FLOWRUN_BENCH_DATA (shared/bench/data), $FLOWRUN_DEDUP_VENV (a Python environment with
# datasketch and text-dedup; without it the rivals are left out, and it says so) and an optimised
# flowrun ($FLOWRUN, $FLOWRUN_PLUGIN_PATH).
set -eu
corpus=$(realpath "${1:?a corpus in JSON Lines}") truth=$(realpath "${2:?its truth.tsv}") rows=${3:-20000}
here=$(cd "$(dirname "$0")" && pwd)
tools=${FLOWRUN_BENCH_DATA:-$here/../../../shared/bench/data}
flowrun=${FLOWRUN:-flowrun}
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
head -n "$rows" "$corpus" >"$dir/some.jsonl"
megabytes () { wc -c <"$1" | awk '{ print $1 / 1e6 }'; }
ours () { # CORPUS, then options: seconds and MB resident
  file=$1
  shift
  /usr/bin/time -o "$dir/time" -f '%e %M' "$flowrun" "$here/neardup.json" --var corpus="$file" --var out="$dir/kept.jsonl" \
    --run-dir "$dir/run" --fresh --workers 2 --progress none "$@" >/dev/null 2>"$dir/err" || { cat "$dir/err" >&2; exit 1; }
  awk '{ printf "%s %.0f\n", $1, $2 * 1024 / 1e6 }' "$dir/time"
}
rival () { # TOOL: seconds
  /usr/bin/time -o "$dir/time" -f '%e' "$FLOWRUN_DEDUP_VENV/bin/python" "$tools/dedup_peers.py" "$1" "$dir/some.jsonl" "$dir/$1" 2 \
    >/dev/null 2>"$dir/err" || { tail -n 3 "$dir/err" >&2; exit 1; }
  cat "$dir/time"
}
all=$(megabytes "$corpus") some=$(megabytes "$dir/some.jsonl")
: >"$dir/ours"
: >"$dir/rivals"
for round in 1 2 3; do
  ours "$corpus" >>"$dir/ours"
  [ -n "${FLOWRUN_DEDUP_VENV:-}" ] && [ $round -lt 3 ] || continue
  for tool in textdedup datasketch; do
    echo "$tool $(rival $tool)" >>"$dir/rivals"
  done
done
python3 "$here/neardup.py" "$corpus" "$truth" "$dir/kept.jsonl"
echo "as a user gets it (normalize as by default): $(ours "$corpus" --set dedup.normalize='["unicode","width","case","space"]') s and MB resident"
echo "the first $rows rows alone: $(ours "$dir/some.jsonl") s and MB resident"
sort -n "$dir/ours" | awk -v mb="$all" 'NR == 1 { best = $1 } $2 > peak { peak = $2 }
  END { printf "flowrun: %.2f s, %.1f MB/s, at most %d MB resident\n", best, mb / best, peak }' | tee "$dir/said"
if [ -s "$dir/rivals" ]; then
  awk -v mb="$some" '!($1 in best) || $2 < best[$1] { best[$1] = $2 }
    END { for (tool in best) printf "%s: %.2f s, %.2f MB/s\n", tool, best[tool], mb / best[tool] }' "$dir/rivals" | tee -a "$dir/said"
  awk '/^flowrun/ { ours = $4 } !/^flowrun/ && $4 > rival { rival = $4; name = $1 }
    END { printf "flowrun over the faster of them, %s %.1f times\n", name, ours / rival }' "$dir/said"
else
  echo "SKIP rivals: FLOWRUN_DEDUP_VENV names no Python environment with datasketch and text-dedup"
fi
