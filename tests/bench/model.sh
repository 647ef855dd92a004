#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# model.sh [ROW…]: training, prefill and decoding beside PyTorch, PEFT and llama.cpp, in turns in one run.
#
#   lora-bf16 lora-f32   LoRA (r 16, q and v) on SmolLM2-135M, 8 × 512 tokens, beside PEFT in the same type
#   full-f32 full-bf16   every weight of it, 8 × 128 tokens, beside transformers in f32 both times
#   lora-1.5b            LoRA on the shape of DeepSeek-R1-Distill-Qwen-1.5B, 2 × 256 tokens in bf16, beside PEFT
#   prefill              512 tokens of SmolLM2 in bf16, beside transformers in bf16
#   decode               one stream of SmolLM2 Q4_1 as stored, beside llama.cpp
#
# Prints tokens a second, the best and the median of a round, each side's peak of memory, and the ratios of the best
# and of the medians over all rounds.  On a machine with nothing else to do.
# Needs $FLOWRUN_VENV (Python with torch, transformers, peft, gguf, xllamacpp), $FLOWRUN_SMOLLM2, and
# tests/bench/bench-decoder of an optimised build ($top_builddir).  ROUNDS: 3.
set -eu
python=${FLOWRUN_VENV:?a Python environment with torch, transformers, peft, gguf, xllamacpp}/bin/python
smollm2=${FLOWRUN_SMOLLM2:?SmolLM2-135M-Instruct as GGUF}
here=$(dirname "$0")
build=${top_builddir:-build}
backend=${BACKEND:-onednn}
FLOWRUN_PLUGIN_PATH=$build/plugins/.libs
export FLOWRUN_PLUGIN_PATH
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT

# Best, median, bytes of one round of training; $@: bench-decoder's arguments.
train () {
  "$build/tests/bench/bench-decoder" "$@" | sed -n 's/^loss.*s: \([0-9.]*\), \([0-9.]*\) tok.*peak \([0-9.]*\) GiB.*/\1 \2 \3/p' |
    awk '{ printf "%s %s %.0f\n", $1, $2, $3 * 1073741824 }'
}
# $1: prefill or decode; the rest as above.
infer () {
  what=$1
  shift
  "$build/tests/bench/bench-decoder" "$@" | awk -v what="$what:" '
    $1 == what { rate = $2 } /peak/ { sub (/.*peak /, ""); gib = $1 } END { printf "%s %s %.0f\n", rate, rate, gib * 1073741824 }'
}
peft () {
  "$python" "$here/train_peft.py" "$@" 2>/dev/null
}

ours () {
  case $1 in
  lora-bf16) train smollm2 "$backend" bf16 lora 8 512 3 ;;
  lora-f32) train smollm2 "$backend" f32 lora 8 512 3 ;;
  full-f32) train smollm2 "$backend" f32 full 8 128 5 ;;
  full-bf16) train smollm2 "$backend" bf16 full 8 128 5 ;;
  lora-1.5b) train qwen2-1.5b "$backend" bf16 lora 2 256 3 ;;
  prefill) infer prefill smollm2 "$backend" bf16 infer 1 512 8 ;;
  decode) infer decode "$smollm2" "$backend" bf16 infer 1 64 128 ;;
  *) echo "model.sh: no row called $1" >&2; exit 2 ;;
  esac
}
rival () {
  case $1 in
  lora-bf16) peft "$smollm2" bf16 512 8 2 lora ;;
  lora-f32) peft "$smollm2" f32 512 8 2 lora ;;
  full-f32 | full-bf16) peft "$smollm2" f32 128 8 3 full ;;
  lora-1.5b) peft 1.5b bf16 256 2 2 lora ;;
  prefill) "$python" "$here/infer_transformers.py" "$smollm2" bf16 512 2>/dev/null ;;
  decode) "$python" "$here/infer_llamacpp.py" "$smollm2" 128 ;;
  esac
}

[ $# -gt 0 ] || set -- lora-bf16 lora-f32 full-f32 full-bf16 lora-1.5b prefill decode
for row; do
  : >"$dir/ours"
  : >"$dir/rival"
  for round in $(seq "${ROUNDS:-3}"); do
    ours "$row" >>"$dir/ours"
    rival "$row" >>"$dir/rival"
    echo "$row, round $round: flowrun $(tail -n 1 "$dir/ours") | rival $(tail -n 1 "$dir/rival")" >&2
  done
  sh "$here/ratio.sh" "$row" "$dir/ours" "$dir/rival"
done
