#!/bin/sh
# test-model.sh: what the command does with models: forecasts, text that is
# learned, services, inspectors, and runs that leave no record.
. "$top_srcdir/tests/command/lib.sh"
shop
FLOWRUN_PLUGIN_PATH=$top_builddir/tests/command/.libs:${FLOWRUN_PLUGIN_PATH-}
export FLOWRUN_PLUGIN_PATH
cat > model.json <<'END'
{
  "name": "model",
  "stages": {
    "goods": { "use": "source.csv", "with": { "path": "goods.csv" } },
    "train": { "use": "trainer.counting", "from": "goods" },
    "write": { "use": "sink.counting", "from": "train", "with": { "path": "out.model" } }
  }
}
END

# ---- forecasts
run 0 check model.json
no_err
out '^train  *trainer.counting  *goods  *.model: a model (test.model)'
out "^forecast of 'train': a small run$"
out '^rows  *4$'
out '^memory$'
out '^weights  *1024$'
out '^rest  *7$'
out '^warning: a row is cut$'
ok "a forecast leaves nothing behind" test ! -e runs -a ! -e out.model
run 0 check model.json --json
ok "forecasts in JSON" python3 -c "import json,sys
c=json.load(open(sys.argv[1])); assert c['ok'] and c['forecasts']['train']['facts'][0]==['rows','4'] and 'no_forecast' not in c" "$tmp/.out"
run 0 check model.json --no-forecast
ok "--no-forecast" test "$(grep -c forecast "$tmp/.out")" = 0
run 0 check shop.json
ok "no trainer, no forecast" test "$(grep -c forecast "$tmp/.out")" = 0
if have transform-command; then
  sed 's|"from": "goods" }|"from": "through" }, "through": { "use": "transform.command", "from": "goods", "with": { "command": ["cat"] } }|' \
    model.json > command.json
  run 0 check command.json
  out "^no forecast of 'train': it would need 'through' (transform.command), which starts other programs$"
fi
printf 'id,name\n1\n2,"' > goods.csv
run 0 check model.json
out 'forecast'
shop

# ---- what is learned
run 0 head model.json train.tokens -n 2
ok "marked text in a pipe is JSON Lines" test "$(sed -n 1p "$tmp/.out")" = \
  '{"n":1,"text":[{"text":"question\n","marked":false},{"text":"answer\u001b","marked":true}]}'
ok "-n counts rows" test "$(wc -l < "$tmp/.out")" = 2
run 0 head model.json train
out '"marked":true'
run 2 head model.json train.model
err "'train.model' is a model and has no rows"
run 2 head model.json train.tokn
err 'it has: tokens, rejects'

# ---- runs
run 0 run model.json --progress plain
err 'train: loss 2.31, 412 tok/s'
ok "the model arrived" grep -qx 'model of 4' out.model
ok "status in the log" grep -q '"event":"status","stage":"train","text":"loss 2.31' runs/model/log.jsonl
ok "metrics in the log" grep -q '"event":"metric","stage":"train","name":"loss"' runs/model/log.jsonl
ok "metrics in the report" python3 -c "import json
m=json.load(open('runs/model/report.json'))['stages']['train']['metrics']['loss']; assert m['values']==[.25] and m['n']==1"
run 0 run model.json --set write.path=other.model --progress json
err '"event":"stage".*"stage":"train","state":"reused"'
ok "what was trained serves again" grep -qx 'model of 4' other.model
run 0 run model.json --fresh --progress json
err '"event":"metric",.*"stage":"train","name":"loss","value":0.25'
err '"event":"status",.*"stage":"train","text":"loss 2.31'

# ---- services
run 0 list
out '^trainer.counting '
out '^inspect/counting  *1 '
out '^testing/nowhere  *0  *built, no device  *computes nothing'
run 0 list service
ok "services alone" test "$(grep -c '^source' "$tmp/.out")" = 0
out '^inspect/counting'
run 0 list services --json
ok "services as JSON" python3 -c "import json,sys
s=[x for x in json.load(open(sys.argv[1])) if x['name']=='nowhere'][0]
assert s['kind']=='testing' and s['score']==0 and s['why']=='built, no device' and s['plugin']=='model' and s['version']==1" "$tmp/.out"
run 0 list source
ok "elements alone" test "$(grep -c 'counting' "$tmp/.out")" = 0
run 2 list device
err 'there is service'
run 0 plugin-check "$top_builddir/tests/command/.libs/inspect-model.so"
out '^ok .* trainer.counting: it runs$'
out '^ok .* sink.counting: .* # SKIP its input .model. needs a model, which cannot be invented'
out '^ok .* service testing/nowhere: it rates itself$'
run 0 help trainer.counting
out 'test.model'
out 'flowrun head'

# ---- inspect
run 0 inspect out.model
out '^out.model: a counting model$'
out '^layers  *1$'
out '^problem: it is small$'
mkdir dir && cp out.model dir/model.txt
run 0 inspect dir
out '^dir: a counting model$'
run 0 inspect dir --json
ok "inspect --json as it is" python3 -c "import json,sys
assert json.load(open(sys.argv[1]))['data']=={'n':1}" "$tmp/.out"
cp out.model out.broken
run 1 inspect out.broken
err 'nothing can be told of it'
run 0 inspect runs/model
out "pipeline 'model'"
run 0 inspect goods.csv
out 'read by source.csv'

# ---- installed pipelines that leave no record
mkdir installed
cat > installed/names.json <<'END'
{
  "vars": { "file": { "help": "rows" } },
  "run": { "record": false },
  "stages": {
    "goods": { "use": "source.csv", "with": { "path": "${file}" } },
    "write": { "use": "sink.jsonl", "from": "goods", "with": { "path": "-" } }
  }
}
END
FLOWRUN_PIPELINE_PATH=$tmp/installed
export FLOWRUN_PIPELINE_PATH
rm -rf runs
run 0 names --var file="$tmp/goods.csv"
ok "results alone on standard output" test "$(wc -l < "$tmp/.out")" = 4
ok "and all of them" python3 -c "import json,sys
assert [json.loads(l)['id'] for l in open(sys.argv[1])]==[1,2,3,4]" "$tmp/.out"
ok "no record" test ! -e runs
mkdir names
run 0 names --var file="$tmp/goods.csv" --progress none
no_err
ok "a directory of that name is not meant" test "$(wc -l < "$tmp/.out")" = 4
rmdir names
run 0 names --var file="$tmp/goods.csv" --run-dir kept
ok "unless it is asked for" test -e kept/manifest.json
printf 'id,name\n1,a\n2\n' > goods.csv
run 0 names --var file="$tmp/goods.csv" --progress none
err 'warning: goods rejected 1 row, and this pipeline leaves no record; run it with --run-dir'
run 2 nmes --var file="$tmp/goods.csv"
err 'no installed pipeline'
# In a folder of them; a file of one's own comes first.
mkdir installed/店
cp installed/names.json installed/店/名.json
run 0 店/名 --var file="$tmp/goods.csv" --progress none
ok "by folder and name" test "$(wc -l < "$tmp/.out")" = 1
run 0 --complete 店/
out '^店/名$'
mkdir 店
run 0 店/名 --var file="$tmp/goods.csv" --progress none
echo '{ "stages": {} }' > 店/名
run 2 店/名
err '店/名:1:'
run 2 ./店/名.json
err 'No such file'
run 2 店/无
err "there is no pipeline '店/无' in $tmp/installed, "
run 2 店/
err "is a directory"
done_testing
