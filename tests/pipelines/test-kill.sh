#!/bin/sh
# test-kill.sh: a run that is killed at any moment and begun again gives the
# bytes of a run that was left alone.  Real plugins, 50 moments.
set -u
needed='source-csv transform-dedup transform-split sink-jsonl'
for p in $needed; do
  test -e "$top_builddir/plugins/.libs/$p.so" || { echo "1..1"; echo "ok 1 # SKIP no plugin $p"; exit 0; }
done
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 99
awk 'BEGIN { print "id,name,text"
  for (i = 1; i <= 30000; i++) {
    printf "%d,商品 %d,\"第 %d 件商品,\"\"好\"\"\n第二行\"\n", i, i % 7000, i
    if (i % 500 == 0) print "ragged" } }' > in.csv
cat > p.json <<'END'
{ "name": "kill", "seed": 5, "stages": {
  "goods": { "use": "source.csv", "with": { "path": "in.csv" } },
  "dedup": { "use": "transform.dedup", "from": "goods", "keep": true, "with": { "columns": "name" } },
  "split": { "use": "transform.split", "from": "dedup", "with": { "validation": 0.2 } },
  "train": { "use": "sink.jsonl", "from": "split.train", "with": { "path": "out/train.jsonl" } },
  "val": { "use": "sink.jsonl", "from": "split.validation", "with": { "path": "out/val.jsonl" } },
  "all": { "use": "sink.jsonl", "from": "goods", "with": { "path": "out/all.jsonl" } } } }
END
mkdir out

# Everything that must be equal: outputs, rejects, lineage, and manifest and
# report less their "run".
snapshot () {
  for f in out/train.jsonl out/val.jsonl out/all.jsonl run/rejects/* run/lineage/*; do
    echo "$f"; cksum < "$f"
  done
  for f in run/manifest.json run/report.json; do
    awk '/^  "run": {/ { skip = 1 } !skip { print } /^  }/ { skip = 0 }' "$f"
  done
  find run -name 'tmp-*' -o -name committing
}
now () { date +%s%N; }

start=$(now)
"$FLOWRUN" p.json --run-dir run --progress none > whole.log 2>&1 || { cat whole.log; echo "1..1"; echo "not ok 1 - undisturbed run"; exit 1; }
lasts=$(( ($(now) - start) / 1000000 ))
snapshot > whole
echo "1..2"
failed=0 interrupted=0 seed=17
for i in $(seq 1 50); do
  rm -rf run out; mkdir out
  for again in $(seq 0 $((i % 3))); do
    seed=$(( (seed * 1103515245 + 12345) % 2147483648 ))
    ms=$(( seed / 65536 % (lasts + lasts / 5 + 1) ))
    "$FLOWRUN" p.json --run-dir run --progress none > /dev/null 2>&1 &
    pid=$!
    sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))"
    kill -9 $pid 2> /dev/null
    wait $pid 2> /dev/null
    test -e run/manifest.json || interrupted=$((interrupted + 1))
  done
  "$FLOWRUN" p.json --run-dir run --progress none --workers $((1 + i % 4)) > again.log 2>&1 || { cat again.log; failed=$((failed + 1)); continue; }
  snapshot > again
  cmp -s whole again || { diff whole again | head -20 | sed 's/^/# /'; failed=$((failed + 1)); }
done
if test $failed = 0; then echo "ok 1 - killed 50 times, always the same bytes"; else echo "not ok 1 - $failed of 50 differ"; fi
if test $interrupted -ge 15; then echo "ok 2 - $interrupted runs were killed before their end"; else echo "not ok 2 - only $interrupted runs were killed before their end"; fi
test $failed = 0 && test $interrupted -ge 15
