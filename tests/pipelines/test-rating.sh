#!/bin/sh
# test-rating.sh: rows to a page, raters' files to figures; what a file changed by hand gets.
# Raters are programs here; test-rating-page.py has a browser do it.
. "$top_srcdir/tests/command/lib.sh"
for plugin in source-rows source-csv source-json evaluator-rating sink-csv sink-jsonl; do
  have $plugin || { echo "1..0 # SKIP $plugin is not built"; exit 0; }
done
python3 - <<'END'
import json
rows = [{"input": f"写一句{n}的文案", "before": f"{n}很好。", "after": f"清晨的第一口{n}，刚刚好。"} for n in
        ("绿茶", "白茶", "乌龙", "咖啡", "可可", "豆浆", "米酒", "梅子汤", "姜茶", "枣茶", "薄荷水", "柚子茶")]
rows.append({"input": "</script><script>alert(1)</script>", "before": "<script>alert(1)</script>", "after": "\u202e\"'\u2028 &amp;"})
rows.append({"input": "nothing", "before": "", "after": "x"})
json.dump({"name": "page", "seed": 5, "stages": {
    "rows": {"use": "source.rows", "with": {"rows": rows}},
    "page": {"use": "evaluator.rating", "from": "rows",
             "with": {"systems": ["before", "after"], "path": "${run_dir}/rating.html", "repeat": 0.25}},
    "sheet": {"use": "sink.csv", "from": "page.sheet", "with": {"path": "${run_dir}/sheet.csv"}}}}, open("page.json", "w"))
END
run 0 check page.json
run 0 page.json --run-dir one --progress none
ok "page and key" test -s one/rating.html -a -s one/rating.key.json
ok "the row without a text is rejected" grep -q '"empty"' one/rejects/page.jsonl
run 0 page.json --run-dir sixteen --workers 16 --progress none
ok "the same bytes with sixteen workers" sh -c 'cmp one/rating.html sixteen/rating.html && cmp one/rating.key.json sixteen/rating.key.json'

# Three raters: two like what the second system wrote, one does not care; all are nearly sure of themselves.
cat > rate.py <<'END'
import json, random, re
html = open("one/rating.html", encoding="utf8").read()
data = json.loads(re.search(r'id="data">(.*?)</script>', html, re.S)[1])
key = {i["item"]: i for i in json.load(open("one/rating.key.json", encoding="utf8"))["items"]}
for name, taste in (("Anna", 1.5), ("林晓", 1.2), ("Bo", 0.0)):
    r = random.Random(name)
    with open(f"ratings-{name}.jsonl", "w", encoding="utf8") as f:
        for n, item in enumerate(data["items"]):
            base = 3 + taste * (1 if key[item["id"]]["system"] == 1 else -1)
            line = {"page": data["page"], "rater": name, "item": item["id"], "position": n + 1}
            for c in data["criteria"]:
                line[c["name"]] = min(5, max(1, round(base + r.uniform(-.8, .8))))
            line.update(skipped=False, seconds=r.choice([0.5, 6, 9, 12]), comment="" if r.random() < .9 else "<b>&")
            f.write(json.dumps(line, ensure_ascii=False) + "\n")
END
python3 rate.py
ratings=$top_srcdir/pipelines/shop/ratings.json
run 0 "$ratings" --run-dir figures --var "ratings=$PWD/ratings-*.jsonl" --var "key=$PWD/one/rating.key.json" --progress plain
err "after wins"
cat > look.py <<'END'
import csv, json
def ok(name, truth, why=""):
    print(("ok" if truth else "not ok"), "-", name, "" if truth else why)
report = json.load(open("figures/report.json", encoding="utf8"))
def find(node):
    if isinstance(node, dict):
        if "contests" in node:
            return node
        node = list(node.values())
    for child in node if isinstance(node, list) else []:
        found = find(child)
        if found:
            return found
f = find(report)
ok("26 samples and 7 repeats, 3 criteria, 3 raters", f["ratings"] == 3 * 33 * 3, f["ratings"])
c = next(c for c in f["contests"] if c["criterion"] == "overall")
ok("after wins, and the interval says so", c["system"] == "after" and c["win_rate"]["low"] > .5 and c["p"] < .01, c)
d = c["difference"]
ok("the difference lies in its interval", 0 < d["low"] < d["value"] < d["high"], d)
ok("three criteria with alpha", len(f["agreement"]) == 3 and all(a["items"] == 26 and -1 <= a["alpha"]["value"] <= 1 for a in f["agreement"]), f["agreement"])
ok("three pairs of raters", len(f["pairs"]) == 3)
ok("all raters rated some again", all(r["rated_again"] == 21 for r in f["raters"]), f["raters"])
ok("some were too fast", any(r["too_fast"] > .1 for r in f["raters"]))
rows = list(csv.DictReader(open("figures/samples.csv", encoding="utf-8-sig")))
ok("every sample once", len(rows) == 26, len(rows))
ok("the most disputed first", [int(r["spread"]) for r in rows] == sorted((int(r["spread"]) for r in rows), reverse=True))
pairs = [json.loads(l) for l in open("figures/preferences.jsonl", encoding="utf8")]
ok("preferences for the better text", len(pairs) >= 10 and sum(p["chosen_system"] == "after" for p in pairs) > .9 * len(pairs), len(pairs))
ok("with prompt, chosen and rejected", all(p["prompt"] and p["chosen"] and p["rejected"] for p in pairs))
END
python3 look.py > .look || echo "not ok - look.py ended early" >> .look
while read -r line; do
  n=$((n + 1)); echo "$line" | sed "s/^ok/ok $n/; s/^not ok/not ok $n/"
done < .look
run 0 "$ratings" --run-dir again --workers 16 --var "ratings=$PWD/ratings-*.jsonl" --var "key=$PWD/one/rating.key.json" --progress none
ok "the same bytes with sixteen workers" sh -c 'cmp figures/samples.csv again/samples.csv && cmp figures/preferences.jsonl again/preferences.jsonl'

# Too little agreement ends with status 3, and so does one rater alone.
run 3 "$ratings" --run-dir strict --var "ratings=$PWD/ratings-*.jsonl" --var "key=$PWD/one/rating.key.json" --set figures.min_alpha=0.95 --progress none
err "min_alpha asks for 0.95"
run 3 "$ratings" --run-dir alone --var "ratings=$PWD/ratings-Bo.jsonl" --var "key=$PWD/one/rating.key.json" --set figures.min_alpha=0 --progress none
err "cannot be told"

# A rater with a spreadsheet.
python3 - <<'END'
import csv, json
rows = list(csv.DictReader(open("one/sheet.csv", encoding="utf-8-sig", newline="")))
for i, row in enumerate(rows):
    row.update(rater="Chen", fluency=4, accuracy=5 - i % 2, appeal="" if i == 3 else 3)
with open("filled.csv", "w", encoding="utf8", newline="") as f:
    w = csv.DictWriter(f, rows[0].keys())
    w.writeheader()
    w.writerows(rows)
json.dump({"name": "sheet", "stages": {
    "chen": {"use": "source.csv", "with": {"path": "filled.csv"}},
    "figures": {"use": "evaluator.ratings", "from": "chen", "with": {"key": "one/rating.key.json"}}}}, open("sheet.json", "w"))
END
run 0 sheet.json --run-dir sheet --progress none
ok "a spreadsheet counts like a page" grep -q '"ratings" *: *98' sheet/report.json

# Changed by hand: an unknown item, a value out of range, a line twice.
python3 - <<'END'
import json
lines = [json.loads(l) for l in open("ratings-Anna.jsonl", encoding="utf8")]
lines.append(dict(lines[0], fluency=1))
lines[1]["item"] = "s0000000000000000"
lines[2]["appeal"] = 9
open("edited.jsonl", "w").write("".join(json.dumps(l) + "\n" for l in lines))
END
run 0 "$ratings" --run-dir edited --var "ratings=$PWD/edited.jsonl" --var "key=$PWD/one/rating.key.json" --progress none
ok "three lines are rejected" test "$(grep -c reject_rule edited/rejects/figures.jsonl)" = 3
ok "each with its reason" sh -c 'grep -q unknown_item edited/rejects/figures.jsonl && grep -q "none of 1 to 5" edited/rejects/figures.jsonl && grep -q "the first counts" edited/rejects/figures.jsonl'

# Of another page: nothing is written.
sed 's/"page": "p[0-9a-f]*"/"page": "p0123456789abcdef"/' ratings-Bo.jsonl > other.jsonl
run 1 "$ratings" --run-dir other --var "ratings=$PWD/other.jsonl" --var "key=$PWD/one/rating.key.json" --progress none
err "page 'p0123456789abcdef'"
ok "no samples" test ! -e other/samples.csv
run 2 check "$ratings" --var "ratings=$PWD/other.jsonl" --var "key=$PWD/nosuch.json"
out "nosuch.json"
sed 's/"system": 1/"system": 7/' one/rating.key.json > bad.json
run 2 check "$ratings" --var "ratings=$PWD/other.jsonl" --var "key=$PWD/bad.json"
out "prompt or system that there is not"
done_testing
