#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-generate.sh: the installed pipeline "generate" with SmolLM2: an answer on standard output, the same again.
set -u
echo "1..2"
if [ ! -e "${FLOWRUN_SMOLLM2:-}" ]; then
  echo "ok 1 - an answer # SKIP FLOWRUN_SMOLLM2 names no file"
  echo "ok 2 - the same answer again # SKIP FLOWRUN_SMOLLM2 names no file"
  exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ask () {
  out=$1
  shift
  "$FLOWRUN" generate --fresh --run-dir "$scratch/run" --var model="$FLOWRUN_SMOLLM2" \
    --var prompt='What is the capital of France?' --var max_tokens=12 --var temperature=0 "$@" > "$out" 2> "$scratch/log"
}
# By products of int8, as llama.cpp has them too, the first token is another: the two are close.
if ask "$scratch/float" --set answer.products=float && grep -q Paris "$scratch/float"; then
  echo "ok 1 - an answer"
else
  echo "not ok 1 - an answer"
  sed 's/^/# /' "$scratch/float" "$scratch/log"
fi
if ask "$scratch/a" && ask "$scratch/b" && [ -s "$scratch/a" ] && cmp -s "$scratch/a" "$scratch/b"; then
  echo "ok 2 - the same answer again"
else
  echo "not ok 2 - the same answer again"
fi
