#!/bin/sh
# test-records.sh: the shop, from its SQL script to training records.
. "$top_srcdir/tests/command/lib.sh"
for plugin in source-sqlite transform-clean transform-dedup transform-format transform-split sink-jsonl; do
  have $plugin || { echo "1..0 # SKIP $plugin is not built"; exit 0; }
done
records=$top_srcdir/pipelines/shop/records.json

run 0 check "$records"
run 0 "$records" --workers 1 --run-dir one --progress none
ok "two files" test -s one/train.jsonl -a -s one/validation.jsonl
cat > look.py <<'END'
import json, re, sys
sides = {s: [json.loads(l) for l in open(f"one/{s}.jsonl", encoding="utf8")] for s in ("train", "validation")}
rows = sides["train"] + sides["validation"]
n = 0
def ok(name, truth, why=""):
    global n
    n += 1
    print(("ok" if truth else "not ok"), "-", name, why)
ok("records have input and output", all(r["input"] and r["output"] for r in rows))
ok("both languages", {r["language"] for r in rows} == {"zh", "en"})
ok("about 240 products in two languages", 470 <= len(rows) <= 486, len(rows))
ok("no product on two sides", not {r["product"] for r in sides["train"]} & {r["product"] for r in sides["validation"]})
share = len(sides["validation"]) / len(rows)
ok("a fifth validates", 0.17 <= share <= 0.23, share)
text = "\n".join(r["input"] + r["output"] for r in rows)
ok("no HTML", not re.search(r"<(p|br|div|span|img)|&nbsp;|&amp;", text))
ok("no advertising, numbers or addresses", not re.search(r"加微信|扫码|包邮|13800138000|555-01|@example|QQ群|Call now", text))
ok("no two records alike", len({r["input"] + r["output"] for r in rows}) == len(rows))
END
python3 look.py > .look; while read -r line; do
  n=$((n + 1)); echo "$line" | sed "s/^ok/ok $n/; s/^not ok/not ok $n/"
done < .look
ok "rejects say why" grep -q reject_reason one/rejects/clean.jsonl

run 0 "$records" --workers 16 --run-dir sixteen --progress none
ok "one worker and sixteen: the same bytes" sh -c 'cmp one/train.jsonl sixteen/train.jsonl && cmp one/validation.jsonl sixteen/validation.jsonl'
before=$(stat -c %Y.%i one/train.jsonl)
run 0 "$records" --workers 1 --run-dir one --progress plain
ok "a second run has nothing to do" test "$before" = "$(stat -c %Y.%i one/train.jsonl)"
err "reused"
run 0 "$records" --run-dir one --set split.validation=0.3 --progress none
ok "another share: another file" test "$(grep -c . one/validation.jsonl)" -gt "$(grep -c . sixteen/validation.jsonl)"
run 0 head "$records" clean -n 5
ok "head gives JSON Lines in a pipe" test "$(grep -c '^{' .out)" = 5
run 0 why sixteen shop:17
out 'clean'
run 0 why sixteen sixteen/train.jsonl:1
out 'shop:'
run 0 inspect sixteen
done_testing
