#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# score.sh [PAIRS]: BLEU, chrF and ROUGE-1, -2, -L of 100 000 pairs, half Chinese and half English,
# beside sacreBLEU and rouge-score in the same run: one thread each, files read before the clock
# starts.  Prints pairs a second and the ratio of the best of three runs (the rivals: one), and fails
# where a score differs in six digits.
# Needs $FLOWRUN_VENV (Python with sacrebleu and rouge-score), $FLOWRUN_DATA, and
# tests/conformance/score in an optimised build ($top_builddir).
set -eu
python=${FLOWRUN_VENV:?a Python environment with sacrebleu and rouge-score}/bin/python
data=${FLOWRUN_DATA:?a folder of data}
helper=${top_builddir:-build}/tests/conformance/score
here=$(cd "$(dirname "$0")" && pwd)
pairs=${1:-100000}
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
"$python" "$here/score.py" make "$data" "$dir/zh" "$dir/en" "$pairs"
for language in zh en; do
  unit=13a rouge=english
  [ $language = en ] || { unit=zh rouge=char; }
  for round in 1 2 3; do
    "$helper" --time "$dir/$language" $unit $rouge bleu,chrf,rouge1,rouge2,rougeL >>"$dir/ours-$language"
  done
  "$python" "$here/score.py" score "$dir/$language" $language >"$dir/theirs-$language"
  echo "$language: flowrun                  $(sort -n -k 2 "$dir/ours-$language" | head -n 1)"
  echo "$language: sacreBLEU + rouge-score  $(cat "$dir/theirs-$language")"
  [ "$(cut -d ' ' -f 3- "$dir/ours-$language" "$dir/theirs-$language" | sort -u | wc -l)" = 1 ] \
    || { echo "the scores differ"; exit 1; }
  sort -n -k 2 "$dir/ours-$language" | head -n 1 >>"$dir/ours"
  cat "$dir/theirs-$language" >>"$dir/theirs"
done
awk 'FNR == 1 { who++ } { seconds[who] += $2; if (who == 1) rows += $4 }
  END {
    printf "%d pairs: flowrun %.0f pairs/s, sacreBLEU + rouge-score %.0f pairs/s: %.1f times its speed\n", rows, rows / seconds[1], rows / seconds[2], seconds[2] / seconds[1]
  }' "$dir/ours" "$dir/theirs"
