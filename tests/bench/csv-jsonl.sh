#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# csv-jsonl.sh [MEBIBYTES]: CSV to JSON Lines, two workers, beside polars and DuckDB
# in the same run on the same file; prints seconds, the ratio to the faster rival,
# and flowrun's peak resident memory.  Needs $FLOWRUN_VENV, a Python environment with
# polars and duckdb, and an optimised flowrun ($FLOWRUN, $FLOWRUN_PLUGIN_PATH).
#
# Whole processes are timed for all; the rivals' own seconds, without the start of
# Python and the imports, stand beside them and are what the ratio is made of.
set -eu
size=${1:-200}
here=$(cd "$(dirname "$0")" && pwd)
python=${FLOWRUN_VENV:?a Python environment with polars and duckdb}/bin/python
flowrun=${FLOWRUN:-flowrun}
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
"$python" "$here/csv-jsonl.py" make in.csv "$size"
cat >csv-jsonl.json <<'END'
{ "name": "csv-jsonl", "stages": {
  "in": { "use": "source.csv", "with": { "path": "in.csv" } },
  "out": { "use": "sink.jsonl", "from": "in", "with": { "path": "flowrun.jsonl" } } } }
END
cat in.csv >/dev/null
POLARS_MAX_THREADS=2
export POLARS_MAX_THREADS

# now: seconds with fraction
now() { date +%s.%N; }
# best VAR...: the smallest of several numbers
best() { printf '%s\n' "$@" | sort -n | head -n 1; }

ours='' polars='' duckdb=''
for round in 1 2 3; do
  start=$(now)
  /usr/bin/env time -f '%M' -o memory "$flowrun" csv-jsonl.json --fresh --workers 2 --progress none >/dev/null 2>&1 ||
    "$flowrun" csv-jsonl.json --fresh --workers 2 --progress none >/dev/null 2>&1
  ours="$ours $(echo "$(now) $start" | awk '{printf "%.3f", $1 - $2}')"
  polars="$polars $("$python" "$here/csv-jsonl.py" polars in.csv polars.jsonl)"
  duckdb="$duckdb $("$python" "$here/csv-jsonl.py" duckdb in.csv duckdb.jsonl)"
  echo "round $round: flowrun${ours} | polars${polars} | duckdb${duckdb}"
done
"$python" "$here/csv-jsonl.py" same flowrun.jsonl polars.jsonl
# shellcheck disable=SC2086
best_ours=$(best $ours) best_rival=$(best $polars $duckdb)
echo "flowrun $best_ours s, faster rival $best_rival s: $(echo "$best_rival $best_ours" | awk '{printf "%.2f", $1 / $2}') times its speed"
[ -s memory ] && echo "flowrun's peak resident memory: $(awk 'END {printf "%.0f MB", $1 * 1024 / 1e6}' memory)"
