#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# soak.sh [MINUTES]: a server for 20 minutes (MINUTES) under everything that clients do, well and badly: is its
# memory flat, does it answer to the end, does it end well?
#
# soak.py is the clients; it prints what it sent, a sample of the server's resident memory and open files every few
# seconds, and fails when memory or files grow after the first third, when a well-behaved request is not answered, or when
# a bad one gets anything but a clear refusal.  What the server may keep (keys and values, answers) is small here, so that
# all of it is in use soon and only a leak goes on growing.  Needs $FLOWRUN_SMOLLM2 and a build ($top_builddir: build).
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${top_builddir:-build}" && pwd)
: "${FLOWRUN_SMOLLM2:?SmolLM2-135M-Instruct as GGUF}"
FLOWRUN=${FLOWRUN:-$build/flowrun} FLOWRUN_PLUGIN_PATH=$build/plugins/.libs FLOWRUN_PIPELINE_PATH=$here/../../pipelines
export FLOWRUN_PLUGIN_PATH FLOWRUN_PIPELINE_PATH
. "$here/../deploy/server.sh"
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-soak-XXXXXX")
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir" "$answer"' EXIT

if ! server_start "$dir/server.log" "$FLOWRUN" serve --run-dir "$dir/run" --var model="$FLOWRUN_SMOLLM2" \
  --var port=0 --set serve.kv=96MiB --set serve.cache_size=1MiB --set serve.feedback_answers_memory=1MiB --set serve.feedback="$dir/feedback.jsonl" || ! server_await /readyz; then
  cat "$dir/server.log" >&2
  echo "soak.sh: the server does not start" >&2
  exit 1
fi
python3 "$here/soak.py" "$url" "$server" "${1:-20}"
status=$?
if ! server_stop 30; then
  echo "soak.sh: the server did not end well" >&2
  tail -20 "$dir/server.log" >&2
  status=1
fi
exit $status
