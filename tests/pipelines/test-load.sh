#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-load.sh: the installed pipeline "load-test" against a stand-in for a server: its status, its
# page, its rows, keys, --deny network.
. "$top_srcdir/tests/command/lib.sh"

# serve [KEY]: sets $port; the stand-in ends when descriptor 8 is closed.
serve ()
{
  rm -f in port
  mkfifo in
  "$top_builddir/plugins/evaluators/load/stand-in-serve" "$@" < in > port 2> serve.log &
  exec 8> in
  i=0
  while [ ! -s port ] && [ $i -lt 100 ]; do i=$((i + 1)); sleep 0.1; done
  port=$(cat port)
}
load () {
  status=$1
  shift
  run "$status" load-test --fresh --run-dir "$tmp/run" --progress plain --var url="http://127.0.0.1:$port" \
    --set load.warmup=0 "$@"
}

serve
load 0 --var seconds=1s --var objective=20s --deny network
err 'objective met'
ok "a line about each request" test "$(grep -c '"outcome":"ok"' run/requests.jsonl)" -gt 10
ok "the page has the plots" grep -q 'Latency over time' run/report.html
ok "the page says that it was met" grep -q 'objective met' run/report.html
ok "the report has the figures" grep -q '"latency_ms"' run/report.json

load 3 --var seconds=1s --var objective=10ms --set 'prompts.rows=[{"input": "慢 wait=40"}]'
err 'objective is 10 ms'
load 3 --var seconds=1s --var objective=20s --set 'prompts.rows=[{"input": "status=503"}, {"input": "好"}]'
err '% of the requests failed'
err "'http_503'"
load 0 --var seconds=1s --var objective=10s --set 'load.rates=[5, 10]' --set 'load.least_rate=10'
ok "the page has the rates" grep -q 'Latency by rate' run/report.html
load 3 --var seconds=1s --var objective=20s --var rate=5 --set 'load.least_rate=100'
err 'least_rate is 100'
# Told to stop, it stops, with requests out that would take a minute.
"$FLOWRUN" load-test --fresh --run-dir "$tmp/run" --progress none --var url="http://127.0.0.1:$port" --var seconds=60s \
  --set 'prompts.rows=[{"input": "wait=2500"}]' > stop.log 2>&1 &
pid=$!
sleep 2
begin=$(date +%s)
kill -TERM $pid
wait $pid
status=$?
ok "SIGTERM ends it with 130 (got $status)" test $status = 130
ok "and at once" test $(($(date +%s) - begin)) -le 10
exec 8>&-
wait

run 2 load-test --fresh --run-dir "$tmp/run" --var url=http://192.0.2.1:8080 --deny network
err "'--deny network' forbids"
load 1 --var seconds=1s
err 'no server answers'

printf 'sesam\n' > key.txt
printf 'wrong\n' > wrong.txt
serve sesam
load 0 --var seconds=1s --var objective=20s --var key=key.txt
ok "the key is nowhere in the run" sh -c '! grep -rq sesam run'
load 2 --var seconds=1s --var key=wrong.txt
err 'right key'
exec 8>&-
wait
done_testing
