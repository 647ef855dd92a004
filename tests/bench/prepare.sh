#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# prepare.sh CORPUS.jsonl: clean, exact dedup, format, split and write, with one
# worker and with two, beside datatrove doing the same with two processes
# (prepare_datatrove.py), in the same run, in turn.  datatrove has no leak check,
# so ours is off, and timed apart at the end.  Whole processes are timed;
# datatrove's own seconds, without Python's start and imports, are the rival.
# Needs $FLOWRUN_VENV with datatrove, and an optimised flowrun ($FLOWRUN,
# $FLOWRUN_PLUGIN_PATH).  The corpus: one object a line with id, lang, source, text.
set -eu
corpus=$(realpath "${1:?a corpus in JSON Lines}")
here=$(cd "$(dirname "$0")" && pwd)
python=${FLOWRUN_VENV:?a Python environment with datatrove}/bin/python
flowrun=${FLOWRUN:-flowrun}
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/parts"
split -n l/2 --additional-suffix=.jsonl "$corpus" "$dir/parts/part-"
ours () { # WORKERS [OPTION...]
  workers=$1
  shift
  /usr/bin/time -o "$dir/time" -f '%e %M' "$flowrun" "$here/prepare.json" --var corpus="$corpus" \
    --run-dir "$dir/run" --fresh --workers "$workers" --progress none "$@" >/dev/null 2>"$dir/err" || { cat "$dir/err" >&2; exit 1; }
  awk '{ print $1 }' "$dir/time"
}
one='' two='' rival='' peak=0
for round in 1 2 3; do
  one="$one $(ours 1)"
  two="$two $(ours 2)"
  peak=$(awk -v p="$peak" '{ print ($2 > p) ? $2 : p }' "$dir/time")
  rival="$rival $("$python" "$here/prepare_datatrove.py" "$dir/parts" "$dir/datatrove" 2 2>/dev/null | awk '/^datatrove/ { print $2 }')"
  echo "round $round: one worker$one | two workers$two | datatrove$rival"
done
best () { printf '%s\n' $* | sort -n | head -n 1; }
echo "$(best $one) $(best $two) $(best $rival) $peak" | awk '{
  printf "two workers over one: %.2f times; over datatrove: %.1f times; peak resident memory %.0f MB\n", $1 / $2, $3 / $2, $4 * 1024 / 1e6 }'
echo "two workers with the leak check: $(ours 2 --set split.leak_check=true) s"
