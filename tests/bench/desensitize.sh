#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desensitize.sh [MEGABYTES]: personal data in Chinese text: the rules alone on one thread, every
# type on, beside Presidio (every recogniser of its own, no model), and e-mail alone beside
# data-juicer's rule; then a whole pipeline with one worker.  In turn, three times, on the same rows.
# Needs $FLOWRUN_DATA, $BENCH_PII (make tests/bench/bench-pii), an optimised flowrun ($FLOWRUN,
# $FLOWRUN_PLUGIN_PATH) and, for each rival, a Python in $PII_VENV that has it.
set -eu
size=${1:-40}
here=$(cd "$(dirname "$0")" && pwd)
python=${PII_VENV:?a Python environment with presidio-analyzer and py-data-juicer}/bin/python
flowrun=${FLOWRUN:-flowrun} bench=${BENCH_PII:-tests/bench/bench-pii}
[ -d "${FLOWRUN_DATA:-}" ] || { echo "SKIP: \$FLOWRUN_DATA is not there"; exit 0; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
"$python" "$here/desensitize.py" make "$dir/rows.txt" "$dir/rows.jsonl" "$size"
cat >"$dir/p.json" <<'END'
{ "name": "bench", "stages": {
  "in": { "use": "source.json", "with": { "path": "rows.jsonl" } },
  "hide": { "use": "transform.desensitize", "from": "in", "with": { "columns": [ "text" ] } },
  "out": { "use": "sink.jsonl", "from": "hide", "with": { "path": "out.jsonl" } } } }
END
# rival NAME MEGABYTES: "MB/s rows", or "- -" where it is not there
rival() { "$python" "$here/desensitize.py" "$1" "$dir/rows.txt" "$2" 2>"$dir/err" || { echo "- -"; echo "# $1 is skipped: $(tail -n 1 "$dir/err")" >&2; }; }
for round in 1 2 3; do
  echo "round $round (MB/s, rows with hits)"
  all=$("$bench" "$dir/rows.txt") mail=$("$bench" "$dir/rows.txt" email)
  presidio=$(rival presidio 0.5) juicer=$(rival juicer 10)
  echo "every type: flowrun $all | presidio $presidio (on 0.5 MB)"
  echo "e-mail:     flowrun $mail | data-juicer $juicer (on 10 MB)"
  echo "$all $presidio $mail $juicer" >>"$dir/rounds"
done
start=$(date +%s.%N)
"$flowrun" "$dir/p.json" --fresh --workers 1 --progress none --run-dir "$dir/run" >/dev/null
end=$(date +%s.%N)
awk -v size="$size" -v start="$start" -v end="$end" '
  { if ($1 > a) a = $1; if ($3 != "-" && $3 > p) p = $3; if ($5 > m) m = $5; if ($7 != "-" && $7 > j) j = $7 }
  END {
    printf "best: every type %.1f MB/s", a; if (p > 0) printf ", presidio %.2f: %.0f times its speed", p, a / p
    printf "\nbest: e-mail alone %.1f MB/s", m; if (j > 0) printf ", data-juicer %.1f: %.2f times its speed", j, m / j
    printf "\nwhole pipeline, one worker, residual scan, reading and writing: %.1f MB/s\n", size / (end - start)
  }' "$dir/rounds"
