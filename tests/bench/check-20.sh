#!/bin/sh
# check-20.sh [FLOWRUN]: how long `flowrun check` takes on a file of twenty stages.
#
# Best and median wall time of 30 calls, with reading, opening the plugins and
# binding.  Run it on a quiet machine, with an installed or built flowrun.
set -eu
flowrun=${1:-flowrun}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
printf 'id,text,price\n1,hello,2.5\n2,你好,3.5\n' >"$tmp/rows.csv"
{
  printf '{ "stages": {\n  "s0": { "use": "source.csv", "with": { "path": "rows.csv" } }'
  i=1
  while [ $i -lt 19 ]; do
    case $((i % 3)) in
      0) use=transform.dedup ;;
      1) use=transform.select ;;
      2) use=transform.clean ;;
    esac
    with=
    [ $use != transform.clean ] || with=', "with": { "columns": "text" }'
    printf ',\n  "s%d": { "use": "%s", "from": "s%d"%s }' $i $use $((i - 1)) "$with"
    i=$((i + 1))
  done
  printf ',\n  "end": { "use": "sink.jsonl", "from": "s18", "with": { "path": "out.jsonl" } } } }\n'
} >"$tmp/twenty.json"
"$flowrun" check "$tmp/twenty.json" >/dev/null
n=0
while [ $n -lt 30 ]; do
  begin=$(date +%s%N)
  "$flowrun" check "$tmp/twenty.json" >/dev/null
  end=$(date +%s%N)
  echo $(((end - begin) / 10000))
  n=$((n + 1))
done | sort -n | awk '{ t[NR] = $1 / 100 } END { printf "check of 20 stages: best %.1f ms, median %.1f ms\n", t[1], t[int((NR + 1) / 2)] }'
