#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# backtranslate.sh [ROWS [CACHED]]: transform.backtranslate on a server of this machine that takes 50 ms for
# a request: ROWS rows one text and one request at a time, and in batches with several in flight, in turns, two
# rounds; and CACHED rows from a full cache, offline.  Rows a second of the whole run, starting counted, and
# ratios.  There is no rival with a cache to set beside it: nlpaug's and textaugment's have none.
# Needs python3, and $FLOWRUN with its plugins in an optimised build.
set -eu
rows=${1:-200} cached=${2:-50000}
flowrun=${FLOWRUN:-build/flowrun}
here=$(cd "$(dirname "$0")" && pwd)
command -v python3 > /dev/null || { echo "SKIP: python3 is missing"; exit 77; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
mkfifo "$dir/hold"
python3 "$here/../../plugins/translators/trap-server.py" < "$dir/hold" > "$dir/port" &
exec 9> "$dir/hold"
trap 'exec 9>&-; rm -rf "$dir"' EXIT
while [ ! -s "$dir/port" ]; do sleep 0.1; done
port=$(cat "$dir/port")

make_rows () # $1: how many; $2: file
{
  python3 - "$1" > "$2" <<'END'
import json, sys
for i in range(int(sys.argv[1])):
    name = "".join(chr(0x6100 + (i // 500 ** k) % 500) for k in range(3))
    print(json.dumps({"text": name + "牌的衣服质量很好，价格便宜，我非常喜欢它的颜色，值得推荐"}, ensure_ascii=False))
END
}
make_rows "$rows" "$dir/few.jsonl"
make_rows "$cached" "$dir/many.jsonl"
cat > "$dir/p.json" <<END
{ "name": "bench", "vars": { "in": { "default": "few.jsonl", "type": "path" }, "batch": { "type": "int", "default": 1 },
    "concurrency": { "type": "int", "default": 1 }, "how": { "default": "slow" },
    "offline": { "type": "bool", "default": false }, "cache": { "default": "none.jsonl", "type": "path" } }, "stages": {
    "rows": { "use": "source.json", "with": { "path": "\${in}" } },
    "more": { "use": "transform.backtranslate", "from": "rows",
              "with": { "column": "text", "engine": "libretranslate", "url": "http://127.0.0.1:$port/\${how}",
                        "batch": "\${batch}", "concurrency": "\${concurrency}", "offline": "\${offline}",
                        "version": "bench", "cache": "\${cache}" } },
    "out": { "use": "sink.jsonl", "from": "more", "with": { "path": "out.jsonl" } } } }
END
measure () # $1: rows; the rest: options; prints rows a second
{
  n=$1; shift
  start=$(date +%s.%N)
  "$flowrun" "$dir/p.json" --fresh --run-dir "$dir/run" --progress none "$@" 2> "$dir/log" || { cat "$dir/log" >&2; exit 1; }
  end=$(date +%s.%N)
  [ "$(grep -c '"variant":1' "$dir/out.jsonl")" = "$n" ] || { echo "variants are missing" >&2; exit 1; }
  awk -v n="$n" -v a="$start" -v b="$end" 'BEGIN { printf "%.1f", n / (b - a) }'
}
for round in 1 2; do
  rm -f "$dir"/none.jsonl
  one=$(measure "$rows")
  rm -f "$dir"/none.jsonl
  many=$(measure "$rows" --var batch=16 --var concurrency=4)
  echo "round $round: one by one $one rows/s, sixteen a request and four in flight $many rows/s"
  echo "$one $many" >> "$dir/all"
done
awk '{ if ($1 > a) a = $1; if ($2 > b) b = $2 } END { printf "ratio %.1f\n", b / a }' "$dir/all"
fill=$(measure "$cached" --var in="$dir/many.jsonl" --var how=ok --var batch=256 --var concurrency=4 --var cache="$dir/full.jsonl")
echo "filling a cache: $cached rows, $fill rows/s"
for round in 1 2; do
  hit=$(measure "$cached" --var in="$dir/many.jsonl" --var offline=true --var cache="$dir/full.jsonl")
  echo "round $round: from the cache, offline: $hit rows/s"
done
