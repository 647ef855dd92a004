#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# platforms.sh: plays each platform's part against a real server: started by the container's entry, as a user without
# rights, on a model that can only be read, at the path where the platform puts it.
#
#   SageMaker   "serve"; /opt/ml/model; GET /ping 200 and empty within 2 s, not before the model is there; POST
#               /invocations with all bodies; SIGTERM in the middle of a stream: it is finished, status 0 within 30 s
#   Azure ML    AZUREML_MODEL_DIR; the probes and the scoring route of contrib/azureml/deployment.yml
#   KServe      /mnt/models; the probes of contrib/kserve/runtime.yaml; Open Inference Protocol v2 (formats of
#               https://kserve.github.io/website, "Open Inference Protocol")
#   systemd     keys as a credential; no memory that is written and then run, as MemoryDenyWriteExecute has it
#
# Needs $FLOWRUN_SMOLLM2 (skips without); as root it becomes "nobody", else it stays who it is, and says so.
. "$top_srcdir/tests/command/lib.sh"
. "$top_srcdir/tests/deploy/server.sh"
trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null; chmod -R u+w "$tmp"; rm -rf "$tmp" "$answer"' EXIT
entry=$top_srcdir/contrib/container/entry.sh
if [ ! -r "${FLOWRUN_SMOLLM2:-}" ]; then
  echo "1..0 # SKIP FLOWRUN_SMOLLM2 names no file"
  exit 0
fi
if ! have sink-serve; then
  echo "1..0 # SKIP sink.serve is not built"
  exit 0
fi

# Tokens of a story, and lines of a long prompt.
tokens=160 lines=60
! sanitized || tokens=60 lines=15

# Who the server runs as: nothing of ours but what it is given.
if [ "$(id -u)" = 0 ]; then
  user=nobody
  become="setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs"
else
  user=$(id -un) become=
  echo "# not root: the server runs as $user"
fi
"$FLOWRUN" --version > /dev/null # libtool's wrapper links itself on its first call
chmod 755 "$tmp"
root=$tmp/root
# model PATH: a read-only model there.
model ()
{
  mkdir -p "$root/$1"
  ln "$FLOWRUN_SMOLLM2" "$root/$1/model.gguf" 2> /dev/null || cp "$FLOWRUN_SMOLLM2" "$root/$1/model.gguf"
  chmod a-w "$root/$1"
}
# container NAME=VALUE… -- WORD…: the entry as a container starts it, with an environment of its own.
container ()
{
  words=
  while [ "$1" != -- ]; do
    words="$words $1"
    shift
  done
  shift
  rm -rf "$tmp/state"
  mkdir -p "$tmp/state"
  chmod 777 "$tmp/state"
  # shellcheck disable=SC2086
  server_start "$tmp/server.log" env -i PATH="$PATH" FLOWRUN="$FLOWRUN" FLOWRUN_PLUGIN_PATH="$FLOWRUN_PLUGIN_PATH" \
    FLOWRUN_PIPELINE_PATH="$FLOWRUN_PIPELINE_PATH" FLOWRUN_ROOT="$root" FLOWRUN_STATE="$tmp/state" FLOWRUN_HOST=127.0.0.1 FLOWRUN_PORT=0 \
    $words $become "$entry" "$@"
}
json () { server_get "$1" "$2" -H 'Content-Type: application/json' --data-binary "$3"; }
# has EXPRESSION: of Python, on the body "a" that came last.
has () { python3 -c 'import json, sys; a = json.load(open(sys.argv[1])); sys.exit(not (eval (sys.argv[2])))' "$answer" "$1"; }
check () { name=$1; shift; "$@"; tell $? "$name"; }
started ()
{
  check "$1: the entry starts the server" test "$2" = 0
  if [ "$2" != 0 ]; then
    sed 's/^/# /' "$tmp/server.log"
    done_testing
    exit 1
  fi
}
stopped () { server_stop "$1"; tell $? "$2 (took $took s)"; }

# ---- SageMaker --------------------------------------------------------------------------------------------
platform=SageMaker
model opt/ml/model
begin=$(date +%s)
container FLOWRUN_NAME=copy -- serve
started $platform $?
# Before the model is there nothing but 200 may be answered with.
early=$(server_limit=2 server_status "$url/ping")
case $early in 200 | 503 | 000) true ;; *) false ;; esac
tell $? "$platform: the first /ping is $early"
check "$platform: /ping answers 200 once the model is there" server_await /ping 240
ready=$(($(date +%s) - begin))
check "$platform: it took $ready s, at most 240" test "$ready" -le 240
server_limit=2 check "$platform: /ping answers within 2 s" server_get 200 /ping
check "$platform: /ping has no body" test ! -s "$answer"
if [ "$user" = nobody ]; then
  check "$platform: the server is nobody's" test "$(stat -c %U /proc/"$server")" = nobody
fi
check "$platform: /invocations takes a chat" json 200 /invocations '{"messages": [{"role": "user", "content": "你好"}], "max_tokens": 4}'
check "$platform: and answers as one" has 'a["choices"][0]["message"]["role"] == "assistant" and a["usage"]["completion_tokens"] <= 4'
check "$platform: /invocations takes a completion" json 200 /invocations '{"prompt": "Tea is", "max_tokens": 4}'
check "$platform: and answers as one" has 'len(a["choices"][0]["text"]) > 0'
check "$platform: /invocations takes inputs" json 200 /invocations '{"inputs": "写一句话", "parameters": {"max_new_tokens": 4}}'
check "$platform: and answers with a text" has 'len(str(a)) > 10'
check "$platform: /invocations refuses what is no JSON" json 400 /invocations '{"messages": ['
check "$platform: /ping while it works" sh -c '
  curl -s -o /dev/null "$1/invocations" -H "Content-Type: application/json" -d "{\"prompt\": \"a\", \"max_tokens\": 100}" &
  sleep 0.2
  code=$(curl -s -o /dev/null -m 2 -w "%{http_code}" "$1/ping")
  wait
  [ "$code" = 200 ]' sh "$url"
# The platform takes the container away while somebody reads.
curl -sN -o stream "$url/invocations" -H 'Content-Type: application/json' \
  -d '{"messages": [{"role": "user", "content": "Tell a story"}], "max_tokens": '$tokens', "stream": true, "ignore_eos": true}' &
reader=$!
i=0
while [ ! -s stream ] && [ $i -lt 100 ]; do i=$((i + 1)); sleep 0.1; done
kill -TERM "$server"
i=0 code=200
while [ "$code" = 200 ] && [ $i -lt 50 ]; do
  sleep 0.1
  code=$(server_limit=5 server_status "$url/ping")
  i=$((i + 1))
done
case $code in 503 | 000) true ;; *) false ;; esac
tell $? "$platform: told to end, it is not ready any more ($code)"
code=$(server_limit=5 server_status "$url/invocations" -H 'Content-Type: application/json' -d '{"prompt": "a", "max_tokens": 1}')
case $code in 503 | 000) true ;; *) false ;; esac
tell $? "$platform: and takes nothing new ($code)"
check "$platform: while the stream goes on" kill -0 $reader
server_wait 30
tell $? "$platform: SIGTERM in the middle of a stream: status 0 within 30 s (took $took s)"
wait $reader
check "$platform: the stream was finished" grep -q '^data: \[DONE\]' stream
check "$platform: the read-only model is as it was" cmp -s "$FLOWRUN_SMOLLM2" "$root/opt/ml/model/model.gguf"
sed -n 's/^/# /p' "$tmp/server.log" | tail -3

# ---- Azure ML ---------------------------------------------------------------------------------------------
platform="Azure ML"
model azureml/copy/1/model
container AZUREML_MODEL_DIR="$root/azureml/copy/1" -- serve
started "$platform" $?
# The routes are those of the deployment file.
route () { sed -n "s|.*$1_route: .*path: \([^ ]*\) .*|\1|p" "$top_srcdir/contrib/azureml/deployment.yml"; }
check "$platform: alive" server_await "$(route liveness)" 30
check "$platform: ready" server_await "$(route readiness)" 240
score=$(route scoring)
check "$platform: $score takes a chat" json 200 "$score" '{"messages": [{"role": "user", "content": "写一句话"}], "max_tokens": 4}'
check "$platform: and answers as one" has 'a["choices"][0]["finish_reason"] in ("length", "stop")'
check "$platform: $score takes an input" json 200 "$score" '{"input": "写一句话", "max_tokens": 4}'
check "$platform: and answers with an output" has 'isinstance(a["output"], str)'
check "$platform: $score refuses an empty body" json 400 "$score" ''
stopped 30 "$platform: it ends on SIGTERM"

# ---- KServe -----------------------------------------------------------------------------------------------
platform=KServe
model mnt/models
container FLOWRUN_NAME=copy -- serve
started $platform $?
check "$platform: alive" server_await /v2/health/live 30
check "$platform: ready" server_await /v2/health/ready 240
check "$platform: the server's metadata" server_get 200 /v2
check "$platform: have name, version and extensions" has 'a["name"] and a["version"] and isinstance(a["extensions"], list)'
check "$platform: the model is ready" server_get 200 /v2/models/copy/ready
check "$platform: the model's metadata" server_get 200 /v2/models/copy
check "$platform: have BYTES in and out" has 'a["name"] == "copy" and a["inputs"][0]["datatype"] == "BYTES" and a["outputs"]'
check "$platform: infer" json 200 /v2/models/copy/infer \
  '{"id": "7", "inputs": [{"name": "text", "shape": [2], "datatype": "BYTES", "data": ["写一句话", "Tea is"]}], "parameters": {"max_tokens": 4}}'
check "$platform: answers two texts under the same id" has \
  'a["model_name"] == "copy" and a["id"] == "7" and a["outputs"][0]["datatype"] == "BYTES" and len(a["outputs"][0]["data"]) == 2'
check "$platform: a wrong datatype is refused" json 400 /v2/models/copy/infer \
  '{"inputs": [{"name": "text", "shape": [1], "datatype": "FP32", "data": [1.5]}]}'
check "$platform: with an error text" has 'isinstance(a["error"], str)'
check "$platform: an unknown model is refused" json 404 /v2/models/nobody/infer \
  '{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}]}'
check "$platform: the page is there for people" server_get 200 /
check "$platform: metrics" server_get 200 /metrics
check "$platform: in Prometheus' form" grep -q '^# TYPE ' "$answer"
stopped 30 "$platform: it ends on SIGTERM"

# ---- systemd ------------------------------------------------------------------------------------------------
platform=systemd
backend=$(sed -n 's/^Environment=.*FLOWRUN_BACKEND=\([a-z]*\).*/\1/p' "$top_srcdir/contrib/systemd/flowrun-serve.service.in")
printf 'sha256:%s web\n' "$(printf %s sesam-öffne-dich | sha256sum | cut -d' ' -f1)" > "$tmp/keys"
chmod 644 "$tmp/keys"
if python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) != 0)' 2> /dev/null; then
  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN: what systemd's MemoryDenyWriteExecute is made of in newer releases.
  # shellcheck disable=SC2086
  server_start "$tmp/server.log" python3 -c '
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0
os.execvp(sys.argv[1], sys.argv[1:])' $become "$FLOWRUN" serve --run-dir "$tmp/state/run-2" --var model="$FLOWRUN_SMOLLM2" \
    --var host=127.0.0.1 --var port=0 --set serve.backend="$backend" --set serve.keys="$tmp/keys" --set serve.feedback="$tmp/state/feedback.jsonl"
  started "$platform, MemoryDenyWriteExecute" $?
  check "$platform: ready without memory that is written and run" server_await /readyz 240
  check "$platform: a key is needed" json 401 /v1/completions '{"prompt": "a", "max_tokens": 2}'
  check "$platform: the right one opens" server_get 200 /v1/completions -H 'Authorization: Bearer sesam-öffne-dich' \
    -H 'Content-Type: application/json' -d '{"prompt": "茶", "max_tokens": 3}'
  # A prompt of many rows is where a backend that makes its kernels at run time fails.
  server_limit=240 check "$platform: a long prompt is read with the backend $backend" server_get 200 /v1/completions \
    -H 'Authorization: Bearer sesam-öffne-dich' -H 'Content-Type: application/json' \
    -d "{\"prompt\": \"$(i=0; while [ $i -lt $lines ]; do printf '写一句话 tea %s ' $i; i=$((i + 1)); done)\", \"max_tokens\": 3}"
  stopped 30 "$platform: it ends on SIGTERM"
else
  skip "$platform: ready without memory that is written and run" "this kernel has no PR_SET_MDWE"
fi
done_testing
