#!/bin/sh
# test-train-kill.sh: a training that is killed at any moment and begun again
# gives the adapter of one that was left alone, byte for byte.  20 moments, on
# the tiny model of the trainers' tests.
set -u
skip () { echo "1..1"; echo "ok 1 # SKIP $1"; exit 0; }
for p in source-json source-model trainer-tune sink-safetensors; do
  test -e "$top_builddir/plugins/.libs/$p.so" || skip "no plugin $p"
done
tiny="$top_builddir/plugins/trainers/tune/make-tiny"
test -x "$tiny" || skip "no make-tiny; 'make check' builds it"
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 99
mkdir tiny out && "$tiny" tiny 3 || { echo "1..1"; echo "not ok 1 - the tiny model"; exit 1; }
awk 'BEGIN { for (i = 1; i <= 60; i++)
  printf "{\"input\":\"thing %d\",\"output\":\"copy number %d of %s\"}\n", i, i * 7919 % 1000, (i % 3 ? "tea" : "a cup") }' > train.jsonl
head -9 train.jsonl > validation.jsonl
cat > p.json <<'END'
{ "name": "kill", "seed": 5, "stages": {
  "base": { "use": "source.model", "with": { "path": "tiny" } },
  "train": { "use": "source.json", "with": { "path": "train.jsonl" } },
  "validation": { "use": "source.json", "with": { "path": "validation.jsonl" } },
  "tune": { "use": "trainer.lora", "from": { "model": "base", "train": "train", "validation": "validation" },
    "with": { "targets": "all-linear", "lr": 0.01, "batch": 5, "epochs": 20, "eval_steps": 7, "save_steps": 4,
              "logging_steps": 3, "backend": "reference", "threads": 1, "type": "f32", "micro_tokens": 120 } },
  "adapter": { "use": "sink.safetensors", "from": "tune.model", "with": { "path": "out/adapter", "what": "adapter" } } } }
END
run () { "$FLOWRUN" p.json --run-dir run --progress none; }
snapshot () { cksum out/adapter/adapter_model.safetensors out/adapter/adapter_config.json; find run -name 'writing-*'; }
now () { date +%s%N; }

start=$(now)
run > whole.log 2>&1 || { sed 's/^/# /' whole.log; echo "1..1"; echo "not ok 1 - undisturbed run"; exit 1; }
lasts=$(( ($(now) - start) / 1000000 ))
snapshot > whole
echo "1..3"
failed=0 interrupted=0 resumed=0 damaged=0 seed=17
for i in $(seq 1 20); do
  rm -rf run out; mkdir out
  for again in $(seq 0 $((i % 3))); do
    seed=$(( (seed * 1103515245 + 12345) % 2147483648 ))
    ms=$(( lasts / 20 + seed / 65536 % (lasts + 1) ))
    "$FLOWRUN" p.json --run-dir run --progress none > /dev/null 2>&1 &
    pid=$!
    sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))"
    # Every fifth time it is asked to end, and leaves a checkpoint of the last whole step.
    kill -$(test $((i % 5)) = 0 && echo TERM || echo KILL) $pid 2> /dev/null
    wait $pid 2> /dev/null
    test -e run/manifest.json || interrupted=$((interrupted + 1))
  done
  # Every fourth time the newest checkpoint is cut short as well: the one before it must do.
  newest=$(ls run/checkpoints/*/state-* 2> /dev/null | tail -1)
  if test $((i % 4)) = 0 && test -n "$newest"; then
    head -c 1000 "$newest" > cut && cp cut "$newest" && damaged=$((damaged + 1))
  fi
  run > again.log 2>&1 || { sed 's/^/# /' again.log; failed=$((failed + 1)); continue; }
  grep -q 'going on after step' run/log.jsonl && resumed=$((resumed + 1))
  snapshot > again
  cmp -s whole again || { diff whole again | sed 's/^/# /'; failed=$((failed + 1)); }
done
ok () { if "$@"; then echo "ok $n - $what"; else echo "not ok $n - $what"; fi; n=$((n + 1)); }
n=1
what="killed 20 times, $failed differ"; ok test $failed = 0
what="$interrupted runs were killed before their end, $resumed went on from a checkpoint"; ok test $interrupted -ge 8 -a $resumed -ge 5
what="$damaged damaged checkpoints were passed over"; ok test $damaged -ge 1
test $failed = 0 && test $interrupted -ge 8 && test $resumed -ge 5 && test $damaged -ge 1
