#!/bin/sh
# test-check.sh: flowrun check: all problems at once, with their places.
. "$top_srcdir/tests/command/lib.sh"
shop

run 0 check shop.json
no_err
out '^names  *transform.select  *goods  *id: int64, name: utf8$'
out 'shop.json is correct: 3 stages'
ok "check leaves nothing behind" test ! -e runs -a ! -e out.jsonl
run 0 check shop.json --json
out '"ok": *true'
out '"gives"'

cat > bad.json <<'END'
{
  "name": "bad",
  "stages": {
    "goods": { "use": "source.csvv", "with": { "path": "goods.csv" } },
    "names": { "use": "transform.select", "form": "goods" },
    "write": { "use": "sink.jsonl", "from": "name", "with": { "path": 7 } }
  }
}
END
run 2 check bad.json
out "^bad.json:4:.*did you mean 'source.csv'"
out "^bad.json:5:.*did you mean 'from'"
out "^bad.json:6:.*did you mean 'names'"
out "^bad.json:6:.*(/stages/write/with/path)"
out '^[4-9] errors$'
run 2 check bad.json --json
out '"line": *4'
out '"ok": *false'
ok "problems are JSON" python3 -m json.tool "$tmp/.out"
run 2 run bad.json
no_out
err '^[4-9] errors$'

cat > column.json <<'END'
{ "name": "column", "stages": {
  "goods": { "use": "source.csv", "with": { "path": "goods.csv" } },
  "names": { "use": "transform.select", "from": "goods", "with": { "columns": ["nmae"] } } } }
END
run 2 check column.json
out "nmae.*did you mean 'name'"

run 2 check missing.json
out 'missing.json.*No such file'
run 2 check .
err "'.' is a directory"
printf '{ "name": "x", }' > comma.json
run 2 check comma.json
out '^comma.json:1:1[0-9]: error'
printf '{ "name": "x", "name": "y", "stages": {} }' > twice.json
run 2 check twice.json
out 'twice'
if [ "$(id -u)" != 0 ]; then
  cp shop.json unreadable.json && chmod 0 unreadable.json
  run 2 check unreadable.json
  out 'Permission denied'
else
  skip "an unreadable file" "root reads everything"
fi
rm goods.csv
run 2 check shop.json
out 'goods.csv'
# Two stages, one file.
cat > same.json <<'END'
{ "stages": {
  "goods": { "use": "source.csv", "with": { "path": "goods.csv" } },
  "one": { "use": "sink.jsonl", "from": "goods", "with": { "path": "same.jsonl" } },
  "two": { "use": "sink.csv", "from": "goods", "with": { "path": "./same.jsonl" } } } }
END
run 2 check same.json
out "^same.json:4:.*stage 'one' writes '.*same.jsonl' too"

done_testing
