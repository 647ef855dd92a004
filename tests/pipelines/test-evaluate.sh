#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-evaluate.sh: evaluators in whole pipelines: scores, limits, what bad input gets; with SmolLM2 the installed
# pipelines "evaluate" and "compare".
. "$top_srcdir/tests/command/lib.sh"
for plugin in evaluator-text evaluator-loss source-json sink-jsonl sink-csv; do
  have $plugin || { echo "1..0 # SKIP $plugin is not built"; exit 0; }
done

cat > rows.jsonl <<'END'
{"question": "a cup", "right": "A blue cup with a handle.", "new": "A blue cup with handle.", "old": "A cup.", "kind": "cup"}
{"question": "茶杯", "right": "蓝色的茶杯，带把手。", "new": "蓝色茶杯，有把手。", "old": "<script>alert(1)</script>", "kind": "cup"}
{"question": "a pot", "right": "An iron pot for soup.", "new": "A pot of iron for soup.", "old": "An iron pot for soup.", "kind": null}
END
cat > texts.json <<'END'
{ "name": "texts", "seed": 1,
  "vars": { "rows": { "default": "rows.jsonl" }, "least": { "type": "float", "default": 0 } },
  "stages": {
    "rows": { "use": "source.json", "with": { "path": "${rows}",
              "columns": { "question": "utf8", "right": "utf8", "new": "utf8", "old": "utf8", "kind": "utf8" } } },
    "score": { "use": "evaluator.text", "from": "rows",
               "with": { "reference": "right", "candidate": "new", "baseline": "old", "by": "kind", "tokenize": "char",
                         "fail_under": { "chrf": "${least}" } } },
    "out": { "use": "sink.csv", "from": "score.out", "with": { "path": "out.csv" } } } }
END
score () { status=$1; shift; run "$status" texts.json --run-dir run --fresh --progress none "$@"; }
score 0
ok "three rows" test "$(grep -c . out.csv)" = 4
ok "with texts, scores and gain" sh -c 'head -1 out.csv | grep -q "reference,candidate,baseline,gain,bleu,baseline_bleu,chrf"'
ok "the report has intervals and slices" python3 -c '
import json
text = json.load(open("run/report.json"))["stages"]["score"]["reports"]["text"]
chrf = text["scores"]["chrf"]
assert chrf["low"] <= chrf["value"] <= chrf["high"]
assert chrf["gain"]["low"] <= chrf["gain"]["high"] and 0 < chrf["gain"]["p"] <= 1
assert [s["value"] for s in text["slices"]["kind"]] == ["cup", "(none)"]
assert any("nrefs:1|case:mixed|eff:no|tok:char|smooth:exp" in line for line in text["lines"]["candidate"])'
ok "the page shows the scores" grep -q "Scores" run/report.html
ok "and hostile text as text" sh -c 'grep -q "&lt;script&gt;alert(1)" run/report.html && ! grep -q "<script>alert(1)" run/report.html'
cp out.csv first.csv
score 0 --workers 1
ok "the same bytes with one worker" cmp out.csv first.csv
score 3 --var least=99
err 'chrf is .*; fail_under asks for at least 99'
ok "the rows are there all the same" cmp out.csv first.csv

# What bad input gets.
sed 's/"right": "[^"]*"/"right": null/' rows.jsonl > none.jsonl
score 3 --var rows=none.jsonl
err 'nothing to score: 3 rows came in'
ok "each row says why" test "$(grep -c 'the reference is missing' run/rejects/score.jsonl)" = 3
sed '2s/"right": "[^"]*"/"right": " "/' rows.jsonl > empty.jsonl
score 0 --var rows=empty.jsonl
ok "an empty reference is rejected" grep -q 'the reference is empty' run/rejects/score.jsonl
ok "the others are scored" test "$(grep -c . out.csv)" = 3
run 2 check texts.json --set score.candidate=neu
out "did you mean 'new'"
run 2 check texts.json --set 'score.fail_under={"blue": 1}'
out "did you mean 'bleu'"

cat > beside.json <<'END'
{ "name": "beside", "stages": {
    "rows": { "use": "source.json", "with": { "path": "rows.jsonl" } },
    "texts": { "use": "source.json", "with": { "path": "texts.jsonl" } },
    "score": { "use": "evaluator.text", "from": { "in": "rows", "candidates": "texts" },
               "with": { "reference": "right", "candidate": "text" } },
    "out": { "use": "sink.jsonl", "from": "score.out", "with": { "path": "beside.jsonl" } } } }
END
printf '%s\n' '{"text": "one"}' '{"text": "two"}' > texts.jsonl
run 1 beside.json --run-dir beside --progress none
err "'in' has 3 rows and 'candidates' has 2; they are read side by side"
ok "nothing is left half-written" test ! -e beside.jsonl
echo '{"text": "three"}' >> texts.jsonl
run 0 beside.json --run-dir beside --progress none --fresh
ok "as many as rows are scored" test "$(grep -c . beside.jsonl)" = 3

if [ ! -e "${FLOWRUN_SMOLLM2:-}" ]; then
  skip "evaluate" "FLOWRUN_SMOLLM2 names no file"
  skip "compare" "FLOWRUN_SMOLLM2 names no file"
  done_testing
  exit 0
fi
cat > ask.jsonl <<'END'
{"input": "What is the capital of France?", "output": "The capital of France is Paris."}
{"input": "What is the capital of Italy?", "output": "The capital of Italy is Rome."}
{"input": "What is the capital of Spain?", "output": ""}
END
run 0 evaluate --run-dir evaluated --progress plain --var model="$FLOWRUN_SMOLLM2" --var data="$PWD/ask.jsonl" --var max_tokens=12
err 'BLEU|nrefs:1|case:mixed|eff:no|tok:13a'
err 'perplexity'
ok "its answers are there" grep -q 'capital of France is Paris' evaluated/scored.jsonl
run 0 compare --run-dir compared --progress none --var model="$FLOWRUN_SMOLLM2" --var baseline="$FLOWRUN_SMOLLM2" \
  --var data="$PWD/ask.jsonl" --var max_tokens=12
ok "a model has no gain over itself" python3 -c '
import json
stages = json.load(open("compared/report.json"))["stages"]
for scores in (stages["text"]["reports"]["text"]["scores"], stages["loss"]["reports"]["loss"]["scores"]):
    for score in scores.values():
        assert score["gain"]["value"] in (0, None), score
assert stages["loss"]["reports"]["loss"]["scores"]["loss"]["gain"]["p"] == 1'
done_testing
