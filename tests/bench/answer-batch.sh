#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# answer-batch.sh [MODEL [ROWS [TOKENS]]]: answers of evaluator.text sixty-four rows at once and one by one,
# in turns, two rounds: tokens a second, starting and scoring counted, and the ratio of the best.
# Needs $FLOWRUN_SMOLLM2 or MODEL, and $FLOWRUN with its plugins in an optimised build.
set -eu
model=${1:-${FLOWRUN_SMOLLM2:?a model}} rows=${2:-64} tokens=${3:-32}
flowrun=${FLOWRUN:-build/flowrun}
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
i=0
while [ $i -lt "$rows" ]; do
  i=$((i + 1))
  echo "{\"input\": \"Write a short text for the front page about product number $i of our shop.\", \"output\": \"It is good.\"}"
done > "$dir/rows.jsonl"
cat > "$dir/p.json" <<END
{ "name": "bench", "vars": { "batch": { "type": "int", "default": 1 } }, "stages": {
    "rows": { "use": "source.json", "with": { "path": "rows.jsonl" } },
    "model": { "use": "source.model", "with": { "path": "$model" } },
    "text": { "use": "evaluator.text", "from": { "in": "rows", "model": "model" },
              "with": { "max_tokens": $tokens, "batch": "\${batch}", "resamples": 10 } } } }
END
measure ()
{
  start=$(date +%s.%N)
  "$flowrun" "$dir/p.json" --fresh --run-dir "$dir/run" --progress none --var batch="$1" 2> "$dir/log" \
    || { cat "$dir/log"; exit 1; }
  end=$(date +%s.%N)
  python3 - "$dir/run/report.json" "$start" "$end" <<'END'
import json, sys
n = json.load(open(sys.argv[1]))["stages"]["text"]["counters"]["tokens_out"]
print("%.1f" % (n / (float(sys.argv[3]) - float(sys.argv[2]))))
END
}
for round in 1 2; do
  one=$(measure 1) many=$(measure 64)
  echo "round $round: one by one $one tok/s, sixty-four at once $many tok/s"
  echo "$one $many" >> "$dir/all"
done
awk '{ if ($1 > a) a = $1; if ($2 > b) b = $2 } END { printf "ratio %.2f\n", b / a }' "$dir/all"
