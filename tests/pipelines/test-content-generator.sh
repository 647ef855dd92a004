#!/bin/sh
# test-content-generator.sh: the whole way on one page, cut short: database, site and documents to a model.
. "$top_srcdir/tests/command/lib.sh"
for plugin in source-sqlite source-crawler source-documents transform-clean transform-dedup transform-desensitize \
  transform-format transform-label transform-split transform-synonyms transform-backtranslate translator-dictionary \
  source-model trainer-tune evaluator-text evaluator-loss sink-safetensors sink-jsonl; do
  have $plugin || { echo "1..0 # SKIP $plugin is not built"; exit 0; }
done
test -e "$FLOWRUN_SMOLLM2" || { echo "1..0 # SKIP the base model is not there: ./bootstrap.sh run fetches it, or set FLOWRUN_SMOLLM2"; exit 0; }
command -v python3 > /dev/null || { echo "1..0 # SKIP python3 is missing: nobody serves the site"; exit 0; }
file=$top_srcdir/pipelines/content-generator.json

# The site, served here on a port that is free.
python3 -u -m http.server --bind 127.0.0.1 --directory "$top_srcdir/pipelines/content/site" 0 > site.log 2>&1 &
server=$!
trap 'kill $server 2> /dev/null; rm -rf "$tmp"' EXIT
i=0
while ! grep -qs 'port [0-9]' site.log && [ $i -lt 100 ]; do i=$((i + 1)); sleep 0.1; done
port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' site.log | head -n 1)
vars="--var base=$FLOWRUN_SMOLLM2 --var site=http://127.0.0.1:$port/"
short="--var goods=14 --var steps=2 --var answer=4"

run 0 check "$file" $vars
out "is correct"
run 0 "$file" $vars $short --run-dir one --progress none
cat > look.py <<'END'
import json, os, re
def ok(name, truth, why=""):
    print(("ok" if truth else "not ok"), "-", name, why)
def rows(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]
train, held, audit = (rows(f"one/{n}.jsonl") for n in ("train", "validation", "audit"))
report = json.load(open("one/report.json"))["stages"]
everything = "\n".join(r["input"] + "\n" + r["output"] for r in train + held)
inputs = " ".join(r["input"] for r in train + held)
ok("products of the database", "商品：" in inputs)
ok("pages of the site", "第一次带孩子露营" in inputs or "铸铁锅" in inputs, inputs[:300])
ok("documents of the folder", any(t in inputs for t in ("羊毛毯", "三德刀", "保温杯", "徒步鞋")))
ok("no telephone number, no mail address", not re.search(r"1[3-9]\d{9}|@example", everything))
ok("and what was found is in the audit", len(audit) > 0 and "13800138000" not in json.dumps(audit))
ok("nothing of the page around the text", "版权所有" not in everything and "首页" not in everything)
ok("the copied page once", sum(r["output"].startswith("明前茶的芽叶细嫩") for r in train + held if not r.get("variant")) <= 1)
variants = [r for r in train if r["variant"]]
ok("variants of training rows", len(variants) > 3, len(variants))
ok("with their parents' clusters", {r["cluster"] for r in variants} <= {r["cluster"] for r in train if not r["variant"]})
ok("and none of a held-out row's", not {r["cluster"] for r in train} & {r["cluster"] for r in held})
ok("labels with their confidence", all(r["sentiment"] in ("positive", "negative", "neutral") and 0 <= r["sentiment_confidence"] <= 1 for r in train + held), train[:1])
ok("rows for people to look at", os.path.getsize("one/review.csv") > 100)
for name in "adapter/adapter_model.safetensors", "merged/model.safetensors", "merged/config.json":
    ok(name, os.path.getsize(f"one/{name}") > 100)
ok("scores before and after", "chrf" in json.dumps(report["score"]))
END
python3 look.py > .look; while read -r line; do
  n=$((n + 1)); echo "$line" | sed "s/^ok/ok $n/; s/^not ok/not ok $n/"
done < .look
row=$(python3 - <<'END'
import json
print(next(json.loads(l)["parent"] for l in open("one/train.jsonl") if json.loads(l)["variant"]))
END
)
run 0 why one "$row"
out "shop\|pages\|files"
done_testing
