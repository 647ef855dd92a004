#!/bin/sh
# test-inspect.sh: inspect and why.
. "$top_srcdir/tests/command/lib.sh"
shop
run 0 run shop.json

run 0 inspect runs/shop
out "pipeline 'shop'"
out '^names  *transform.select  *4  *4 '
out 'write wrote .*out.jsonl (.*xxh3:'
run 0 inspect runs/shop --json
ok "inspect --json is JSON" python3 -m json.tool "$tmp/.out"
run 0 inspect goods.csv
out 'goods.csv: 4 rows, read by source.csv'
out '^name  *utf8  *1 '
out '蓝色茶杯'
run 0 inspect goods.csv --json -n 1
ok "a data file as JSON" python3 -c "import json,sys
f=json.load(open(sys.argv[1]))[0]; assert f['rows']==4 and f['columns'][1]['nulls']==1 and len(f['sample'])==1" "$tmp/.out"
if have source-json; then
  run 0 inspect out.jsonl
  out 'out.jsonl: 4 rows, read by source.json'
fi
if have source-sqlite && have sink-sqlite; then
  cat > db.json <<'END'
{ "name": "db", "stages": {
  "goods": { "use": "source.csv", "with": { "path": "goods.csv" } },
  "write": { "use": "sink.sqlite", "from": "goods", "with": { "path": "shop.db", "table": "goods" } } } }
END
  run 0 run db.json
  run 0 inspect shop.db
  out 'table goods: 4 rows, read by source.sqlite'
fi
if have source-sqldump; then
  printf 'CREATE TABLE `a` (`id` int);\nINSERT INTO `a` VALUES (1),(2);\nCREATE TABLE `b` (`id` int);\n' > two.sql
  run 2 inspect two.sql
  err 'name one with --table'
  err 'it has a, b'
  run 0 inspect two.sql --table a
  out 'table a: 2 rows, read by source.sqldump'
fi
run 2 inspect shop.nothing
err 'shop.nothing'
echo hello > hello.txt
run 2 inspect hello.txt
err 'of no kind that inspect knows'
mkdir empty
run 2 inspect empty
err 'no run directory'

run 0 why runs/shop out.jsonl:2
out 'goods:2'
out 'goods.csv'
run 0 why runs/shop goods:3 --json
ok "why --json is JSON" python3 -m json.tool "$tmp/.out"
run 2 why runs/shop goods:99
err 'row number 99'
run 2 why nowhere goods:1
err 'nowhere'
done_testing
