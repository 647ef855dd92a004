#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# serve.sh [ROW…]: what a server's model does, beside llama.cpp, in turns in one run.
#
#   decode-1        one answer of SmolLM2 Q4_1 as stored, 128 tokens, the choice of each included
#   decode-8        eight at once: tokens of all of them
#   prefill         a prompt of 512 tokens, from the same file
#   decode-1.5b-q4k one answer on the shape of DeepSeek-R1-Distill-Qwen-1.5B in Q4_K, random weights
#
# Prints tokens a second, the best and the median of a round, each side's peak of memory, and the ratios of the best
# and of the medians over all rounds.  On a machine with nothing else to do.
# Needs $FLOWRUN_VENV (Python with gguf, xllamacpp), $FLOWRUN_SMOLLM2, and tests/bench/bench-decoder of an optimised
# build ($top_builddir).  ROUNDS: 3.
set -eu
python=${FLOWRUN_VENV:?a Python environment with gguf and xllamacpp}/bin/python
smollm2=${FLOWRUN_SMOLLM2:?SmolLM2-135M-Instruct as GGUF}
here=$(dirname "$0")
build=${top_builddir:-build}
backend=${BACKEND:-onednn}
FLOWRUN_PLUGIN_PATH=$build/plugins/.libs
export FLOWRUN_PLUGIN_PATH
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT

# $1: what bench-decoder prints; the rest: its arguments.
bench () {
  what=$1
  shift
  "$build/tests/bench/bench-decoder" "$@" | awk -v what="$what:" '
    $1 == what { rate = $2 } /peak/ { sub (/.*peak /, ""); gib = $1 } END { printf "%s %s %.0f\n", rate, rate, gib * 1073741824 }'
}
llama () {
  "$python" "$here/serve_llamacpp.py" "$@"
}

ours () {
  case $1 in
  decode-1) bench generate "$smollm2" "$backend" bf16 generate 1 16 128 ;;
  decode-8) bench generate "$smollm2" "$backend" bf16 generate 8 16 128 ;;
  prefill) bench prefill "$smollm2" "$backend" bf16 infer 1 512 2 ;;
  decode-1.5b-q4k) bench generate "$dir/1.5b.gguf" "$backend" bf16 generate 1 16 32 ;;
  *) echo "serve.sh: no row called $1" >&2; exit 2 ;;
  esac
}
rival () {
  case $1 in
  decode-1) llama "$smollm2" decode 1 16 128 ;;
  decode-8) llama "$smollm2" decode 8 16 128 ;;
  prefill) llama "$smollm2" prefill 1 512 1 ;;
  decode-1.5b-q4k) llama "$dir/1.5b.gguf" decode 1 16 32 ;;
  esac
}

[ $# -gt 0 ] || set -- decode-1 decode-8 prefill decode-1.5b-q4k
for row; do
  : >"$dir/ours"
  : >"$dir/rival"
  if [ "$row" = decode-1.5b-q4k ]; then "$python" "$here/serve_gguf.py" "$smollm2" "$dir/1.5b.gguf"; fi
  for round in $(seq "${ROUNDS:-3}"); do
    ours "$row" >>"$dir/ours"
    rival "$row" >>"$dir/rival"
    echo "$row, round $round: flowrun $(tail -n 1 "$dir/ours") | rival $(tail -n 1 "$dir/rival")" >&2
  done
  sh "$here/ratio.sh" "$row" "$dir/ours" "$dir/rival"
done
