#!/bin/sh
# test-run.sh: flowrun run: results, reuse, options, exit statuses.
. "$top_srcdir/tests/command/lib.sh"
shop

run 0 run shop.json
no_out
err '^goods  *0  *4  *0 '
err '^write  *4  *0 '
err '^wrote .*/out.jsonl ('
err 'run directory: runs/shop'
err 'done in'
ok "the output is complete" test "$(wc -l < out.jsonl)" = 4
cp out.jsonl first.jsonl

run 0 shop.json
err 'reused'
err '^names  *4  *4 '
ok "reuse leaves the output as it was" cmp out.jsonl first.jsonl
run 0 run --fresh shop.json
ok "a fresh run gives the same bytes" cmp out.jsonl first.jsonl
ok "--fresh reuses nothing" sh -c "! grep -q reused '$tmp/.err'"

run 0 shop.json --workers 1 --fresh --var out=one.jsonl
run 0 shop.json -j 7 --fresh --var out=seven.jsonl
ok "the same bytes for any number of workers" cmp one.jsonl seven.jsonl
run 0 shop.json --set 'names.columns=["name"]' --var out=set.jsonl --run-dir elsewhere
ok "--set changes a parameter" test "$(head -1 set.jsonl)" = '{"name":"蓝色茶杯 blue cup"}'
ok "--run-dir says where" test -f elsewhere/manifest.json
run 0 run --until names --run-dir until --var out=until.jsonl shop.json
ok "--until stops before the sink" test ! -e until.jsonl

run 0 shop.json --var out=- --run-dir std --progress none
no_err
ok "'-' is rows and nothing else" cmp "$tmp/.out" first.jsonl
run 0 shop.json --var out=- --run-dir std2 --progress plain
ok "'-' stays clean beside progress" cmp "$tmp/.out" first.jsonl
run 0 shop.json --fresh --progress json --run-dir json
ok "every event is JSON" sh -c "python3 -c 'import json,sys
for l in open(sys.argv[1]): json.loads(l)' '$tmp/.err'"
err '"event":"run_start"'
err '"event":"run_end".*"id":"goods".*"status":0'
run 0 shop.json --fresh --progress plain --run-dir plain
err 'goods: done'
run 0 shop.json --fresh --memory 64MiB --run-dir memory

run 2 shop.json --progress loud
err "expected auto, plain, json, none"
run 2 shop.json --workers many
err "whole number"
run 2 shop.json --memory lots
err "a size"
run 2 shop.json --until nothing
err "nothing"
run 2 shop.json --var colour=red
err "colour"
run 2 shop.json --set names.colums=x
err "did you mean 'columns'"
run 1 shop.json --var out=goods.csv/out.jsonl --run-dir bad
err "cannot create directory .*goods.csv"
err '^write .*failed' 

# A limit that the pipeline set.
cat > limit.json <<'END'
{ "name": "limit", "stages": {
  "goods": { "use": "source.csv", "with": { "path": "ragged.csv" }, "max_rejects": 0 },
  "write": { "use": "sink.jsonl", "from": "goods", "with": { "path": "limit.jsonl" } } } }
END
printf 'a,b\n1,2\n3\n' > ragged.csv
run 3 limit.json
err 'a limit was passed'
err 'goods  *0  *1  *0  *1 '
ok "the reject is in the run directory" grep -q ragged.csv runs/limit/rejects/goods.jsonl

# A full or closed standard output is an error, not a silence.
if [ -c /dev/full ]; then
  "$FLOWRUN" shop.json --var out=- --run-dir full --progress none > /dev/full 2> .err
  ok "a full standard output fails the run" test $? = 1
  ok "and is told" grep -qi 'no space' .err
else
  skip "a full standard output" "no /dev/full"
fi
done_testing
