#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# serve-http.sh [overhead] [first-token] [together]: what the server itself costs, and how soon an answer begins.
#
#   overhead      an answer from the cache, asked again and again: requests a second of one core, which the
#                 server has for itself; the goal is 20000
#   first-token   while 8 streams run, a prompt of about 50 tokens comes every half second: time to its first token;
#                 the goal is 150 ms at the 95th percentile.  Prompts differ from the first word, so that nothing of
#                 them is reused
#   together      8 such prompts at the same moment, again and again: what the last of them waits; no goal
#
# Needs $FLOWRUN_SMOLLM2, and tests/bench/bench-http of an optimised build ($top_builddir: build).  On a machine
# with nothing else to do and at least two cores.  SECONDS_EACH: 10.  Status 1 when a goal is missed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${top_builddir:-build}" && pwd)
: "${FLOWRUN_SMOLLM2:?SmolLM2-135M-Instruct as GGUF}" "${SECONDS_EACH:=10}"
FLOWRUN=$build/flowrun FLOWRUN_PLUGIN_PATH=$build/plugins/.libs FLOWRUN_PIPELINE_PATH=$here/../../pipelines
export FLOWRUN_PLUGIN_PATH FLOWRUN_PIPELINE_PATH
. "$here/../deploy/server.sh"
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir" "$answer"' EXIT
missed=0

# serve WORD…: the server, as started by WORD… ("taskset -c 0").
serve ()
{
  if ! server_start "$dir/server.log" "$@" "$FLOWRUN" serve --run-dir "$dir/run" \
    --var model="$FLOWRUN_SMOLLM2" --var port=0 || ! server_await /readyz; then
    cat "$dir/server.log" >&2
    echo "serve-http.sh: the server does not start" >&2
    exit 1
  fi
}

overhead ()
{
  serve taskset -c 0
  echo '{"messages": [{"role": "user", "content": "用一句话介绍一只青瓷茶杯。"}], "temperature": 0, "max_tokens": 16}' > "$dir/body"
  curl -s -o /dev/null -H 'Content-Type: application/json' --data-binary @"$dir/body" "$url/v1/chat/completions"
  for connections in 1 16 64; do
    taskset -c 1 "$build/tests/bench/bench-http" "${url##*:}" /v1/chat/completions "$dir/body" $connections "$SECONDS_EACH" > "$dir/result" || missed=1
    echo "overhead, $connections connections: $(cat "$dir/result")"
    [ "$connections" != 16 ] || cp "$dir/result" "$dir/judged"
  done
  awk -F'[:,]' '{ for (i = 1; i < NF; i++) { if ($i ~ /requests_per_second/) r = $(i + 1); if ($i ~ /"ok"/) ok = $(i + 1); if ($i ~ /"hits"/) h = $(i + 1) }
    if (h < ok) { printf "overhead: only %d of %d answers came from the cache\n", h, ok; exit 1 }
    printf "overhead: %d requests/s from one core, goal 20000: %s\n", r, r >= 20000 ? "reached" : "missed"; exit r < 20000 }' "$dir/judged" || missed=1
  server_stop || echo "serve-http.sh: the server did not end well" >&2
}

# 50 tokens of SmolLM2 or so, each with a beginning of its own.
prompts ()
{
  for word in Amber Birch Cedar Daisy Ember Fennel Ginger Hazel Indigo Jasmine Kelp Laurel Maple Nettle Olive Poppy; do
    printf '{"input": "%s: write a friendly note for a customer who has bought a hand-made tea cup and a small kettle, thank her for the order, tell her that the parcel leaves tomorrow, and ask her to write to us if anything is broken."}\n' $word
  done
}

# load NAME WITH: evaluator.load over those prompts; WITH: more of its parameters, as JSON members.
load ()
{
  cat > "$dir/$1.json" <<EOF
{ "name": "$1", "seed": 1, "stages": {
    "rows": { "use": "source.json", "with": { "path": "$dir/prompts.jsonl" } },
    "load": { "use": "evaluator.load", "from": "rows", "with": { "url": "$url", "headers": { "Cache-Control": "no-cache" }, $2 } } } }
EOF
  "$FLOWRUN" run --fresh --progress plain --run-dir "$dir/load-$1" "$dir/$1.json" 2> "$dir/$1.log"
}
told () { sed -n "s/^load: /$1: /p; s/^done, but/$1: &/p" "$dir/$1.log"; }

first_token ()
{
  serve
  prompts > "$dir/prompts.jsonl"
  # Streams that do not end by themselves; those begun last are still running when the probes have gone.
  load streams '"concurrency": 8, "warmup": 0, "seconds": "'"$((SECONDS_EACH + 4))"'s", "max_tokens": 1000, "timeout": "5min",
    "objective": 0, "settings": { "ignore_eos": true }' &
  streams=$!
  sleep 3
  load first-token '"rate": 2, "arrivals": "constant", "warmup": "1s", "seconds": "'"$SECONDS_EACH"'s", "max_tokens": 2,
    "objective": 0, "first_token": "150ms", "errors": 0' || missed=1
  told first-token
  wait $streams
  told streams
  server_stop || echo "serve-http.sh: the server did not end well" >&2
}

together ()
{
  serve
  prompts > "$dir/prompts.jsonl"
  load together '"concurrency": 8, "seconds": "'"$SECONDS_EACH"'s", "max_tokens": 64, "objective": 0, "errors": 0,
    "settings": { "ignore_eos": true }'
  told together
  server_stop || echo "serve-http.sh: the server did not end well" >&2
}

[ $# -gt 0 ] || set -- overhead first-token together
for what; do
  case $what in
  overhead) overhead ;;
  first-token) first_token ;;
  together) together ;;
  *) echo "usage: serve-http.sh [overhead] [first-token] [together]" >&2; exit 2 ;;
  esac
done
exit $missed
