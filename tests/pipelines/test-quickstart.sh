#!/bin/sh
# test-quickstart.sh: the quickstart, cut short: from the shop to two directories and copy before and after.
. "$top_srcdir/tests/command/lib.sh"
for plugin in source-sqlite transform-clean transform-dedup transform-format transform-split source-model trainer-tune \
  transform-generate sink-safetensors sink-text; do
  have $plugin || { echo "1..0 # SKIP $plugin is not built"; exit 0; }
done
test -e "$FLOWRUN_SMOLLM2" || { echo "1..0 # SKIP the base model is not there: ./bootstrap.sh run fetches it, or set FLOWRUN_SMOLLM2"; exit 0; }
quick=$top_srcdir/pipelines/shop/quickstart.json
base="--var base=$FLOWRUN_SMOLLM2"

run 0 check "$quick" $base
out "forecast of 'tune'"
out '192 samples'
out 'adapter  *rank 16'
run 0 head "$quick" tune.tokens $base -n 1
out '"marked":true'
short="--set tune.max_steps=4 --set before.max_tokens=8 --set after.max_tokens=8"
run 0 "$quick" $base $short --run-dir one --progress none
out 'before:'
out 'after:'
cat > look.py <<'END'
import json, os, struct
n = 0
def ok(name, truth, why=""):
    print(("ok" if truth else "not ok"), "-", name, why)
def header(path):
    with open(path, "rb") as f:
        (size,) = struct.unpack("<Q", f.read(8))
        return json.loads(f.read(size))
adapter = header("one/adapter/adapter_model.safetensors")
adapter.pop("__metadata__", None)
ok("an adapter on all 210 linear layers", len(adapter) == 420, len(adapter))
ok("with PEFT's names", "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight" in adapter)
config = json.load(open("one/adapter/adapter_config.json"))
ok("and its config", config["peft_type"] == "LORA" and config["r"] == 16, config)
merged = header("one/merged/model.safetensors")
merged.pop("__metadata__", None)
ok("a merged model", len(merged) == 272 and {t["dtype"] for t in merged.values()} == {"BF16"}, len(merged))
for name in "config.json", "tokenizer.json", "tokenizer_config.json", "README.md":
    ok(f"with {name}", os.path.getsize(f"one/merged/{name}") > 100)
report = json.load(open("one/report.json"))
text = json.dumps(report)
ok("the report has losses", "validation_loss" in text)
END
python3 look.py > .look; while read -r line; do
  n=$((n + 1)); echo "$line" | sed "s/^ok/ok $n/; s/^not ok/not ok $n/"
done < .look
first=$(stat -c %Y.%i one/adapter/adapter_model.safetensors)
run 0 "$quick" $base $short --run-dir one --progress plain --set merged.dtype=f32
err 'tune.*reused'
ok "another type of the merged model does not train again" test "$first" = "$(stat -c %Y.%i one/adapter/adapter_model.safetensors)"
run 0 generate --var model=one/merged --var prompt='Write product copy for a cast-iron kettle.' --var max_tokens=8 --progress none
ok "the merged model answers" test -s .out
run 0 inspect one/merged
out 'llama'
done_testing
