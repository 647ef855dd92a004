#!/bin/sh
# test-litemall.sh: a real shop's mysqldump, read without a server, to training
# records; and every table's row count.  Skips where the data is not.
. "$top_srcdir/tests/command/lib.sh"
dump=$FLOWRUN_DATA/sql-litemall
[ -r "$dump/litemall_data.sql" ] || { echo "1..0 # SKIP no sql-litemall in $FLOWRUN_DATA"; exit 0; }
for plugin in source-sqldump transform-clean transform-dedup transform-format transform-split; do
  have $plugin || { echo "1..0 # SKIP $plugin is not built"; exit 0; }
done

for pair in goods:239 goods_product:244 goods_specification:243 goods_attribute:876 comment:1004 topic:20 \
  brand:49 category:93 issue:4 coupon:4 keyword:7 region:3231; do
  table=${pair%:*}
  cat > table.json <<END
{ "name": "table", "stages": {
  "in": { "use": "source.sqldump", "with": { "path": ["$dump/litemall_table.sql", "$dump/litemall_data.sql"], "table": "litemall_$table" } },
  "out": { "use": "sink.jsonl", "from": "in", "with": { "path": "$table.jsonl" } } } }
END
  run 0 table.json --progress none --fresh
  ok "$table has ${pair#*:} rows" test "$(grep -c . $table.jsonl)" = "${pair#*:}"
done

run 0 "$top_srcdir/pipelines/shop/litemall.json" --var dump="$dump" --run-dir run --progress none
ok "records" test "$(cat run/train.jsonl run/validation.jsonl | grep -c .)" -gt 150
ok "no HTML is left" sh -c "! grep -qE '<(p|img|br)[ />]' run/train.jsonl run/validation.jsonl"
ok "no side holds the other's goods" python3 -c '
import json
a, b = ({json.loads(l)["id"] for l in open(f"run/{s}.jsonl")} for s in ("train", "validation"))
raise SystemExit(bool(a & b))'
done_testing
