#!/bin/sh
# onnx.sh [DTYPE] [LAYERS]: sink.onnx against torch.onnx.export on the shape of DeepSeek-R1-Distill-Qwen-1.5B, random
# weights: seconds, MB/s beside what the disk takes from dd, peak memory.  DTYPE: f16 (as torch's default here, for F32
# does not fit into 24 GB with its copies) or f32; LAYERS: 28, fewer where memory is short, for both alike.
# Needs FLOWRUN_VENV (torch, transformers, onnx, onnxscript) and FLOWRUN_R1_GGUF; 15 GB of disk below TMPDIR.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${FLOWRUN_VENV:?an environment with torch, transformers, onnx and onnxscript}"
: "${FLOWRUN_R1_GGUF:?the head of a GGUF of the family}"
dtype=${1:-f16} layers=${2:-28}
build=${top_builddir:-$here/../../build}
flowrun=${FLOWRUN:-flowrun}
work=${ONNX_BENCH_DIR:-$(mktemp -d)}
[ -n "${ONNX_BENCH_DIR:-}" ] || trap 'rm -rf "$work"' EXIT
[ -e "$work/r1-$layers" ] ||
  python3 "$here/../conformance/make-r1.py" "$work/r1-$layers" "$FLOWRUN_R1_GGUF" "$build/tests/conformance/tokenize" "$layers"
cat "$work/r1-$layers/model.safetensors" >/dev/null # both read it from memory
exec "$FLOWRUN_VENV/bin/python" "$here/onnx.py" "$flowrun" "$work" "$layers" "$dtype"
