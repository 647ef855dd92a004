#!/bin/sh
# test-desensitise.sh: the two pipelines that hide personal data in files: the copy, the audit,
# the same pseudonyms in another run and file, and status 3 when something is left.
. "$top_srcdir/tests/command/lib.sh"
for plugin in source-json source-csv source-rows transform-desensitize sink-jsonl sink-csv; do
  have $plugin || { echo "1..0 # SKIP $plugin is not built"; exit 0; }
done
cat >in.jsonl <<'END'
{"id":1,"text":"收件人：张伟，电话13800138000，邮箱zhang@example.com","phone":13800138000,"messages":[{"role":"user","content":"我是李娜女士，卡号4111111111111111"}]}
{"id":2,"text":"张伟先生 138 0013 8000 身份证11010519491231002X，订单号13800138000","phone":null,"messages":[]}
{"id":3,"text":"身份证号110105194912310021","phone":null,"messages":[]}
END
cat >in.csv <<'END'
编号,收件人,电话,备注
1,张伟,13800138000,送到浙江省杭州市西湖区文三路90号
2,待定,62345678,无
END

run 2 desensitise-files --var input="$tmp/in.jsonl" --var output="$tmp/out.jsonl" --progress none
err "the environment variable 'FLOWRUN_PII_KEY', which holds the secret 'key', is not set"
FLOWRUN_PII_KEY='correct horse battery staple'
export FLOWRUN_PII_KEY
run 0 check desensitise-files --var input="$tmp/in.jsonl" --var output="$tmp/out.jsonl"
run 0 desensitise-files --var input="$tmp/in.jsonl" --var output="$tmp/out.jsonl" --run-dir one --progress none
ok "nothing of it is left in the copy" sh -c '! grep -E "张伟|李娜|138 0013|4111111|zhang@|11010519491231002X|110105194912310021" out.jsonl'
ok "nor in the run directory" sh -c '! grep -rE "张伟|李娜|138 0013 8000|4111111111111111|zhang@example|11010519491231002X" one'
ok "the order number stays" grep -q '订单号13800138000' out.jsonl
ok "the row count too" test "$(wc -l <out.jsonl)" = 3
ok "one person, one pseudonym" test "$(grep -o '用户_[0-9A-F]*' out.jsonl | sort | uniq -c | sort -rn | awk 'NR == 1 { print $1 }')" = 2
ok "the audit says why" grep -q '"type":"name","action":"pseudonym","rule":"name.label","score":90,"context":"收件人"' one/audit.jsonl
ok "the report counts" grep -q '"mobile.found"' one/report.json
ok "the page shows it" grep -q 'By column and type' one/report.html
run 0 desensitise-files --var input="$tmp/in.jsonl" --var output="$tmp/again.jsonl" --run-dir two --workers 3 --progress none
ok "another run gives the same" cmp out.jsonl again.jsonl
run 0 desensitise-files --var input="$tmp/out.jsonl" --var output="$tmp/twice.jsonl" --run-dir three --progress none
ok "hiding what is hidden changes nothing" cmp out.jsonl twice.jsonl

run 0 desensitise-csv --var input="$tmp/in.csv" --var output="$tmp/out.csv" --run-dir four --progress none
name=$(grep -o '用户_[0-9A-F]*' out.jsonl | head -n 1)
ok "a column's name tells what is in it" grep -q "^1,$name,,送到<地址>" out.csv
ok "also of what is no name" grep -q '^2,待定,,无' out.csv

cat >left.json <<'END'
{ "stages": {
  "rows": { "use": "source.rows", "with": { "rows": { "t": "打13800138000" } } },
  "hide": { "use": "transform.desensitize", "from": "rows", "with": { "min_score": 95 } },
  "out": { "use": "sink.jsonl", "from": "hide", "with": { "path": "-" } } } }
END
run 3 left.json --progress none
err "the residual scan still finds 1 values (mobile 1); max_residual is 0"
run 0 left.json --progress none --set hide.max_residual=1
done_testing
