#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-monthly.sh: from ratings to next month's model, on the tiny model of the trainers' tests: which answers are
# learned from, a better model leaves, a worse one does not and touches nothing that is there.
. "$top_srcdir/tests/command/lib.sh"
for plugin in source-json transform-dedup transform-filter transform-format transform-desensitize transform-split source-model \
  trainer-tune evaluator-text evaluator-loss sink-safetensors sink-jsonl; do
  have $plugin || { echo "1..0 # SKIP $plugin is not built"; exit 0; }
done
tiny="$top_builddir/plugins/trainers/tune/make-tiny"
take="$top_builddir/plugins/sinks/serve/take-feedback"
for program in "$tiny" "$take"; do
  test -x "$program" || { echo "1..0 # SKIP no $program; 'make check' builds it"; exit 0; }
done
mkdir tiny && "$tiny" tiny 3 || { echo "Bail out! the tiny model"; exit 1; }

# Ratings as the server stores them: liked, not liked, put right, changed of mind, forgotten by the server, with a telephone number.
cat > bodies <<'END'
note {"id": "a1", "variant": 0, "input": "写：茶杯", "output": "蓝色的茶杯，带把手。"}
note {"id": "a1", "variant": 1, "input": "写：茶杯", "output": "茶杯茶杯茶杯。"}
note {"id": "a2", "input": "写：锅", "output": "锅。"}
note {"id": "a3", "input": "写：伞", "output": "一把伞。"}
note {"id": "a4", "input": "写：灯", "output": "一盏灯，电话 13800138000。"}
note {"id": "a5", "system": "你写文案。", "input": "写：碗", "output": "一只碗。"}
note {"id": "a6", "system": "你写文案。", "input": "写：壶", "output": "一把好壶。"}
{"answer": "a1", "variant": 0, "rating": 5, "output": "claimed, not said"}
{"answer": "a1", "variant": 1, "rating": 1}
{"answer": "a2", "rating": 2, "corrected": "铸铁锅，越用越好。"}
{"answer": "a3", "rating": 5}
{"answer": "a3", "rating": 2, "comment": "再看就不好了"}
{"answer": "a4", "rating": 4}
{"answer": "a5", "rating": 3}
{"answer": "a6", "rating": 5}
{"answer": "gone", "rating": 5, "input": "写：尺", "output": "一把尺。"}
{"answer": "gone2", "rating": 5, "fields": {"name": "笔"}, "output": "一支笔。"}
{"answer": "a1", "rating": 9}
END
"$take" feedback.jsonl < bodies > .out 2> .err
ok "ten ratings are stored, one is refused" sh -c 'test "$(grep -c "^201 " .out)" = 10 && test "$(grep -c "^400 " .out)" = 1'
: > none.jsonl
ask="--var model=tiny --var feedback=feedback.jsonl --var max_tokens=12"
run 0 head monthly feedback $ask
ok "source.json reads all, each with 16 columns" sh -c 'test "$(grep -c "\"rating\":" .out)" = 10 && test ! -s .err'
out '"fields":"{\\"name\\":\\"笔\\"}"'
run 0 head monthly private $ask --var data=none.jsonl
ok "liked and put right, and nothing else" test "$(grep -c . .out)" = 4
out '"system":null,"input":"写：茶杯","output":"蓝色的茶杯，带把手。"'
out '"system":"你写文案。","input":"写：壶","output":"一把好壶。"'
out '"input":"写：锅","output":"铸铁锅，越用越好。"'
out '"input":"写：灯"'
ok "no telephone number is left" sh -c '! grep -q 13800138000 .out'
run 0 head monthly private $ask --var believe=true
ok "one more when the forgotten count" sh -c 'test "$(grep -c . .out)" = 5 && grep -q 一把尺 .out'
run 0 head monthly private $ask --var good=5
ok "fewer when only the best counts" test "$(grep -c . .out)" = 3

# New data: forty products of one voice.
awk 'BEGIN { for (i = 1; i <= 40; i++) printf "{\"input\":\"item %d\",\"output\":\"fine tea no %d\"}\n", i * 7919 % 9973, i }' > data.jsonl
ask="$ask --var data=data.jsonl --set tune.backend=reference --set tune.type=f32 --set tune.threads=1"

# A month that helps: whatever was learned, the gate is as wide as asked.
run 0 check monthly $ask
out "forecast of 'tune'"
run 0 monthly $ask --var lr=0.02 --var epochs=20 --var min_gain=0.1 --run-dir first --progress none
ok "a better model is there" test -e first/model/adapter_model.safetensors
ok "and loads" sh -c '"$FLOWRUN" inspect first/model | grep -q "PEFT adapter"'
ok "it was compared on rows that it had not learned" python3 -c '
import json
rows = [json.loads(l) for l in open("first/compared.jsonl", encoding="utf8")]
text = json.load(open("first/report.json"))["stages"]["compare"]["reports"]["text"]
assert len(rows) >= 5 and all("candidate" in r and "baseline" in r for r in rows), rows
assert text["scores"]["chrf"]["gain"]["value"] >= 0.1 and [l["passed"] for l in text["limits"]] == [False], text["limits"]
assert text["leak"]["same_text"] == 0 and text["leak"]["same_question"] == 0, text["leak"]'

# The next month goes on from there; one step that ruins it: nothing is written, and the run says why.
next="--var model=first/model --var feedback=feedback.jsonl --var data=data.jsonl --var max_tokens=12
  --set tune.backend=reference --set tune.type=f32 --set tune.threads=1"
ruin="--var lr=3 --set tune.max_steps=3 --set tune.load_best=false --set tune.max_grad_norm=0 --set tune.diverge=0"
run 3 monthly $next $ruin --run-dir second --progress plain
err 'nothing is written to .*/second/model: gain.chrf is -[0-9.]*, at least 0.5 is asked for'
ok "a worse model is nowhere" sh -c 'test ! -e second/model && test -z "$(find second -name "*.safetensors" -path "*model/*" -not -path "*.object*")"'
ok "what it was compared on is" test -s second/compared.jsonl
ok "the page says so" grep -q 'gain.chrf is -' second/report.html
ok "the manifest lists no file of it" python3 -c '
import json
export = json.load(open("second/manifest.json"))["stages"]["export"]
assert "adapter_model" not in json.dumps(export) and "adapter_model" in json.dumps(json.load(open("first/manifest.json"))["stages"]["export"]), export'
run 3 monthly $next $ruin --run-dir second --progress plain
err 'nothing is written to'
ok "nor when it is run again" test ! -e second/model

# With one place for all months, what is in service stays, byte for byte.
mkdir shared && cp -r first/model shared/model
before=$(cat shared/model/* | cksum)
run 3 monthly $next $ruin --var out="$PWD/shared" --run-dir third --progress none
ok "the model that was there is as it was" test "$before" = "$(cat shared/model/* | cksum)"
ok "and nothing lies beside it" test "$(ls -A shared | sort | tr '\n' ' ')" = "compared.jsonl model "
run 0 monthly $next --var lr=0.005 --var min_gain=-100 --var out="$PWD/shared" --run-dir fourth --progress none
ok "an open gate replaces it" test "$before" != "$(cat shared/model/* | cksum)"

# A gate that could not close is a mistake.
run 2 check monthly $ask --set 'compare.fail_under={}'
out "holds no limits"
run 1 monthly $ask --var feedback=nowhere.jsonl --run-dir fifth --progress none
done_testing
