#!/bin/sh
# gguf.sh [DIRECTORY]: Q4_K_M of the 1.5B shape: sink.gguf against llama.cpp's quantiser, on the same cores in one run.
#
# DIRECTORY keeps the checkpoint of tests/conformance/make-r1.py (else a temporary one is made).  Needs a build, $FLOWRUN_VENV
# with gguf, numpy and xllamacpp, and $FLOWRUN_R1_GGUF.  $GGML_LIBRARY: another build of ggml than the wheel's.
set -eu
build=${top_builddir:-.}
source=${top_srcdir:-..}
export FLOWRUN_PLUGIN_PATH="$build/plugins/.libs"
: "${FLOWRUN_VENV:?}" "${FLOWRUN_R1_GGUF:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
model=${1:-$work/r1}
(
  flock 9
  [ -f "$model/model.safetensors" ] ||
    "$FLOWRUN_VENV/bin/python" "$source/tests/conformance/make-r1.py" "$model" "$FLOWRUN_R1_GGUF" "$build/tests/conformance/tokenize"
) 9> "$model.lock"
for verify in tensors run; do
  cat > "$work/p.json" <<EOF
{ "name": "gguf", "stages": {
  "base": { "use": "source.model", "with": { "path": "$model" } },
  "out": { "use": "sink.gguf", "from": { "in": "base" },
           "with": { "path": "$work/q4_k_m.gguf", "dtype": "q4_k_m", "verify": "$verify" } } } }
EOF
  cat "$model/model.safetensors" > /dev/null # both find it in memory
  begin=$(date +%s.%N)
  "$build/flowrun" "$work/p.json" --run-dir "$work/run-$verify" --fresh --progress none &
  pid=$!
  peak=0
  while now=$(awk '/^RssAnon/ { print $2 }' "/proc/$pid/status" 2> /dev/null) && [ -n "$now" ]; do
    [ "$now" -gt "$peak" ] && peak=$now
    sleep 0.2
  done
  wait "$pid"
  end=$(date +%s.%N)
  eval "ours_$verify=$(echo "$end $begin" | awk '{ printf "%.2f", $1 - $2 }') memory_$verify=$peak"
done
theirs=$("$FLOWRUN_VENV/bin/python" "$source/tests/bench/gguf_llamacpp.py" "$model/model.safetensors" "$work/q4_k_m.gguf" "$work/theirs")
echo "sink.gguf, written, measured, synced, read again:  $ours_tensors s, $((memory_tensors / 1024)) MiB beyond what is mapped"
echo "sink.gguf, run over a prompt too:                  $ours_run s, $((memory_run / 1024)) MiB"
echo "llama.cpp's quantiser, written:                    $theirs s"
echo "$theirs $ours_tensors $ours_run" | awk '{ printf "ratio %.1f, with the run over a prompt %.1f (target 1)\n", $1 / $2, $1 / $3 }'
