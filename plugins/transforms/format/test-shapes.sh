#!/bin/sh
# test-shapes.sh: real Alpaca and dialogue files through transform.format; skips without them.
set -eu
alpaca=$FLOWRUN_DATA/instruct-alpaca-zh/alpaca_zh_demo.json
dialogs=$FLOWRUN_DATA/dialog-crosswoz/val.messages.jsonl
if [ ! -e "$alpaca" ] || [ ! -e "$dialogs" ]; then
  echo "ok 1 # SKIP the shared data are not there (FLOWRUN_DATA)"
  echo "1..1"
  exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0
check () # DESCRIPTION COMMAND...
{
  n=$((n + 1)) what=$1
  shift
  if "$@"; then echo "ok $n - $what"; else echo "not ok $n - $what"; fi
}

cat > "$tmp/alpaca.json" <<END
{ "stages": {
  "in": { "use": "source.json", "with": { "path": "$alpaca" } },
  "records": { "use": "transform.format", "from": "in", "with": { "from_shape": "alpaca", "shape": "messages" } },
  "out": { "use": "sink.jsonl", "from": "records", "with": { "path": "alpaca.jsonl" } } } }
END
cat > "$tmp/dialogs.json" <<END
{ "stages": {
  "in": { "use": "source.json", "with": { "path": "$dialogs" } },
  "records": { "use": "transform.format", "from": "in", "with": {
    "from_shape": "openai", "turns": "each", "roles": { "usr": "user", "sys": "assistant" }, "keep": ["id"] } },
  "out": { "use": "sink.jsonl", "from": "records", "with": { "path": "dialogs.jsonl" } } } }
END
for name in alpaca dialogs; do
  "$FLOWRUN" "$tmp/$name.json" --run-dir "$tmp/run-$name" > "$tmp/log" 2>&1 || sed 's/^/# /' "$tmp/log"
done
lines () { wc -l < "$1" | tr -d ' '; }
rejects () { sed -n 's/.*"rejects": *\([0-9]*\),.*/\1/p' "$tmp/run-$1/report.json" | sort -n | tail -1; }
records=$(grep -c '"instruction"' "$alpaca")
check "every Alpaca row is a record or a reject" test $(($(lines "$tmp/alpaca.jsonl") + $(rejects alpaca))) = "$records"
check "nine tenths of them are records" test $(($(lines "$tmp/alpaca.jsonl") * 10)) -ge $((records * 9))
check "a record is user and assistant" grep -q '^{"messages":\[{"role":"user","content":"识别并解释' "$tmp/alpaca.jsonl"
check "dialogues become a pair for each answer" test "$(lines "$tmp/dialogs.jsonl")" -gt 3000
check "with what came before as history" grep -q '"history":\[\["你好，我想找家人均消费' "$tmp/dialogs.jsonl"
check "and the column kept" grep -q '"id":"11290"' "$tmp/dialogs.jsonl"
echo "1..$n"
