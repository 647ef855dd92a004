#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# csv-jsonl.sh [MEBIBYTES]: CSV to JSON Lines, two workers, beside polars and DuckDB
# in the same run on the same file; prints seconds, the ratio to the faster rival,
# and flowrun's peak resident memory.  Needs $FLOWRUN_VENV, a Python environment with
# polars and duckdb, and an optimised flowrun ($FLOWRUN, $FLOWRUN_PLUGIN_PATH).
#
# The rivals' seconds are their own, without the start of Python and the imports;
# flowrun's are those of the whole process, which also hashes its input and output
# and syncs what it wrote.  CPU seconds (whole processes) tell more on a busy machine.
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

# best VAR...: the smallest of several numbers
best() { printf '%s\n' "$@" | sort -n | head -n 1; }

timed() { # NAME COMMAND...: runs it; NAME.use gets "seconds user system kilobytes"
  name=$1
  shift
  /usr/bin/env time -f '%e %U %S %M' -a -o "$name.use" "$@"
}

ours='' polars='' duckdb=''
for round in 1 2 3; do
  timed flowrun "$flowrun" csv-jsonl.json --fresh --workers 2 --progress none >/dev/null 2>err || { cat err; exit 1; }
  ours="$ours $(awk 'END {print $1}' flowrun.use)"
  polars="$polars $(timed polars "$python" "$here/csv-jsonl.py" polars in.csv polars.jsonl)"
  duckdb="$duckdb $(timed duckdb "$python" "$here/csv-jsonl.py" duckdb in.csv duckdb.jsonl)"
  echo "round $round: flowrun${ours} | polars${polars} | duckdb${duckdb}"
done
"$python" "$here/csv-jsonl.py" same flowrun.jsonl polars.jsonl
# shellcheck disable=SC2086
best_ours=$(best $ours) best_rival=$(best $polars $duckdb)
echo "flowrun $best_ours s, faster rival $best_rival s: $(echo "$best_rival $best_ours" | awk '{printf "%.2f", $1 / $2}') times its speed"
for name in flowrun polars duckdb; do
  awk -v name=$name '{ cpu += $2 + $3; if ($4 > kb) kb = $4 }
    END { printf "%s: %.2f CPU seconds a run, at most %.0f MB resident\n", name, cpu / NR, kb * 1024 / 1e6 }' $name.use
done
