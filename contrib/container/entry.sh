#!/bin/sh
# entry.sh [serve [OPTION…] | COMMAND [WORD…]]: what a container starts.
#
# "serve", which is what SageMaker says, serves the model that is found; more words go to flowrun
# ("--set …"). Any other words are a flowrun command: "list", "run pipeline.json".
#
# The model: $FLOWRUN_MODEL, $AZUREML_MODEL_DIR (Azure ML), /mnt/models (KServe), /opt/ml/model
# (SageMaker), /model; the first that is there.
#
#   FLOWRUN_HOST   0.0.0.0                FLOWRUN_PORT   8080, or $SAGEMAKER_BIND_TO_PORT
#   FLOWRUN_NAME   public name of the model; none: that of its directory or file
#   FLOWRUN_KEYS   file of hashes of API keys; none: no key is needed
#   FLOWRUN_STATE  a folder to write to, /var/lib/flowrun; feedback lies there
#   FLOWRUN        the program, flowrun
#
# The process becomes flowrun itself, so that the platform's SIGTERM reaches it.
set -eu
: "${FLOWRUN:=flowrun}"

fail () { echo "entry.sh: $*" >&2; exit 2; }

# Whether $1 is something that flowrun opens as a model.
is_model () {
  [ -f "$1" ] || [ -f "$1/config.json" ] || [ -f "$1/adapter_config.json" ]
}

# The model in $1: itself, its only GGUF file, or what its only folder holds: platforms put a folder
# of the registered name around it.
find_model () {
  at=$1
  for _ in 1 2 3 4; do
    if is_model "$at"; then
      echo "$at"
      return
    fi
    only= n=0
    for f in "$at"/*.gguf; do
      [ -f "$f" ] || continue
      only=$f n=$((n + 1))
    done
    [ $n -lt 2 ] || fail "$at holds $n GGUF files; name one with FLOWRUN_MODEL"
    if [ $n -eq 1 ]; then
      echo "$only"
      return
    fi
    for d in "$at"/*/; do
      [ -d "$d" ] || continue
      only=${d%/} n=$((n + 1))
    done
    [ $n -eq 1 ] || break
    at=$only
  done
  fail "there is no model in $1: expected config.json with its weights, adapter_config.json, or a .gguf file"
}

[ $# -gt 0 ] || set -- serve
if [ "$1" != serve ]; then
  exec "$FLOWRUN" "$@"
fi
shift

for dir in "${FLOWRUN_MODEL:-}" "${AZUREML_MODEL_DIR:-}" "${FLOWRUN_ROOT:-}/mnt/models" "${FLOWRUN_ROOT:-}/opt/ml/model" \
  "${FLOWRUN_ROOT:-}/model"; do
  if [ -n "$dir" ] && [ -e "$dir" ]; then
    model=$(find_model "$dir")
    break
  fi
done
[ -n "${model:-}" ] || fail "no model: mount one at /model, or name one with FLOWRUN_MODEL"

# A root file system that cannot be written to is fine: /tmp will do, and nothing that must stay is lost.
state=${FLOWRUN_STATE:-/var/lib/flowrun}
if ! [ -w "$state" ]; then
  [ -z "${FLOWRUN_STATE:-}" ] || fail "FLOWRUN_STATE=$state cannot be written to"
  echo "entry.sh: $state cannot be written to: feedback is not kept" >&2
  state=$(mktemp -d)
  feedback=
else
  feedback=$state/feedback.jsonl
fi
HOME=$state
export HOME
cd "$state"

exec "$FLOWRUN" serve --run-dir "$state/run" \
  --var model="$model" \
  --var host="${FLOWRUN_HOST:-0.0.0.0}" \
  --var port="${SAGEMAKER_BIND_TO_PORT:-${FLOWRUN_PORT:-8080}}" \
  ${FLOWRUN_NAME:+--set "serve.name=\"$FLOWRUN_NAME\""} \
  ${FLOWRUN_KEYS:+--set "serve.keys=$FLOWRUN_KEYS"} \
  ${feedback:+--set "serve.feedback=$feedback"} \
  "$@"
