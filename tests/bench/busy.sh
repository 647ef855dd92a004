#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# busy.sh [ROW…]: what is left of our speed when other programs want the processors, too.
#
#   decode-1   one answer of SmolLM2 Q4_1 as stored, 128 tokens, the choice of each included
#   decode-8   eight at once: tokens of all of them
#   prefill    a prompt of 512 tokens, from the same file
#   lora-bf16  a training step: LoRA (r 16, q and v) on SmolLM2-135M, 2 × 512 tokens
#
# Each with the machine to itself, with a program that never waits on one of two processors, and with one on both; we
# have two threads, and all run on these two processors alone.  The other programs are sessions of their own, as
# somebody else's would be.  Prints tokens a second and the share of the quiet speed; a fair share is a half with both
# taken, and at least that with one.
# Needs $FLOWRUN_SMOLLM2, taskset and setsid of util-linux, and tests/bench/bench-decoder of an optimised build
# ($top_builddir).  ROUNDS: 3, of which the medians are shown.
set -eu
smollm2=${FLOWRUN_SMOLLM2:?SmolLM2-135M-Instruct as GGUF}
build=${top_builddir:-build}
backend=${BACKEND:-onednn}
FLOWRUN_PLUGIN_PATH=$build/plugins/.libs
export FLOWRUN_PLUGIN_PATH
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
others=
end () {
  for pid in $others; do kill "$pid" 2>/dev/null || :; done
  others=
}
trap 'end; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM

# $@: processors that somebody else wants
take () {
  for cpu; do
    taskset -c "$cpu" setsid sh -c 'while :; do :; done' &
    others="$others $!"
  done
}

# What bench-decoder prints, as one figure.
bench () {
  taskset -c 0,1 "$build/tests/bench/bench-decoder" "$@" |
    sed -n 's/^\(prefill\|generate\): \([0-9.]*\) tok.*/\2/p; s/^loss.*s: [0-9.]*, \([0-9.]*\) tok.*/\1/p'
}
rate () {
  case $1 in
  decode-1) bench "$smollm2" "$backend" bf16 generate 1 16 128 ;;
  decode-8) bench "$smollm2" "$backend" bf16 generate 8 16 128 ;;
  prefill) bench "$smollm2" "$backend" bf16 infer 1 512 2 ;;
  lora-bf16) bench smollm2 "$backend" bf16 lora 2 512 3 ;;
  *) echo "busy.sh: no row called $1" >&2; exit 2 ;;
  esac
}
median () {
  sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int ((NR + 1) / 2)] }'
}

[ $# -gt 0 ] || set -- decode-1 decode-8 prefill lora-bf16
for row; do
  for round in $(seq "${ROUNDS:-3}"); do
    for taken in "" "0" "0 1"; do
      # shellcheck disable=SC2086
      take $taken
      rate "$row" >>"$dir/$row.$(echo "$taken" | tr -d ' ')."
      end
    done
  done
  quiet=$(median "$dir/$row..")
  one=$(median "$dir/$row.0.")
  both=$(median "$dir/$row.01.")
  awk -v row="$row" -v q="$quiet" -v o="$one" -v b="$both" 'BEGIN {
    printf "%s: quiet %.1f tok/s | one taken %.1f, %.0f %% | both taken %.1f, %.0f %%\n", row, q, o, 100 * o / q, b, 100 * b / q }'
done
