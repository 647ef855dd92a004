#!/bin/sh
# train-quality.sh [f32|bf16] [STEPS]: LoRA on the shop's product copy, flowrun against PEFT: losses within 1 %, speed,
# memory.  Needs FLOWRUN_VENV (torch, transformers, peft, gguf) and FLOWRUN_SMOLLM2; a quarter of an hour on two cores.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${FLOWRUN_VENV:?an environment with torch, transformers, peft and gguf}"
: "${FLOWRUN_SMOLLM2:?the GGUF of SmolLM2-135M-Instruct}"
exec "$FLOWRUN_VENV/bin/python" "$here/train-quality.py" "${FLOWRUN:-flowrun}" "$FLOWRUN_SMOLLM2" \
  "$here/../../pipelines/shop/shop.sql" "$@"
