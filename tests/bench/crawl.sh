#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# crawl.sh: a crawl of a local site of some 2 500 Chinese pages (Debian's libreoffice-help-zh-cn), from one page that links
# to all of them, with politeness 0: flowrun's source.crawler with robots.txt, main-content extraction, duplicates and its
# store on disk, beside Scrapy (crawl_scrapy.py) following the same links and taking title and text by XPath, in turn,
# from the same server.  Whole processes are timed; of Scrapy also its own seconds, without Python's start and imports,
# which are the rival.
# Needs $SCRAPY_PYTHON (a Python with scrapy), a built tree ($BUILD, default: the folder it is called in).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$PWD}
help=/usr/share/libreoffice/help/zh-CN
python=${SCRAPY_PYTHON:-}
[ -d "$help/text" ] || { echo "SKIP: libreoffice-help-zh-cn is not installed"; exit 0; }
[ -x "$build/plugins/net/test-serve" ] || { echo "SKIP: no $build/plugins/net/test-serve (make plugins/net/test-serve)"; exit 0; }
[ -n "$python" ] && "$python" -c 'import scrapy' 2>/dev/null || { echo "SKIP: no Scrapy; set SCRAPY_PYTHON"; exit 0; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-bench-XXXXXX")
trap 'exec 3>&-; rm -rf "$dir"' EXIT
mkdir "$dir/site"
ln -s "$help" "$dir/site/zh-CN"
(
  cd "$dir/site"
  echo '<html><body><h1>pages</h1><ul>'
  find -L zh-CN/text -name '*.html' | LC_ALL=C sort | sed 's|.*|<li><a href="/&">&</a></li>|'
  echo '</ul></body></html>'
) > "$dir/site/index.html.tmp"
mv "$dir/site/index.html.tmp" "$dir/site/index.html"
mkfifo "$dir/hold"
"$build/plugins/net/test-serve" "$dir/site" "" < "$dir/hold" > "$dir/port" &
exec 3> "$dir/hold"
while ! [ -s "$dir/port" ]; do sleep 0.05; done
url=http://127.0.0.1:$(cat "$dir/port")/index.html
cat > "$dir/crawl.json" <<END
{ "stages": {
  "site": { "use": "source.crawler", "with": { "start": "$url", "allow_private": true, "min_delay": 0, "delay_factor": 0,
            "host_connections": 16, "max_pages": 0 } },
  "write": { "use": "sink.jsonl", "from": "site", "with": { "path": "ours.jsonl" } } } }
END
FLOWRUN_PLUGIN_PATH=$build/plugins/.libs
export FLOWRUN_PLUGIN_PATH
ours='' theirs=''
cd "$dir"
for round in ${ROUNDS:-1 2 3}; do
  /usr/bin/time -o time -f '%e %M' "$build/flowrun" crawl.json --run-dir run --fresh --progress none 2>err || { cat err >&2; exit 1; }
  ours="$ours $(awk '{ print $1 }' time)"
  peak=$(awk '{ print $2 }' time)
  rows=$(wc -l < ours.jsonl)
  theirs="$theirs $("$python" "$here/crawl_scrapy.py" "$url" scrapy.jsonl 2>/dev/null)"
  echo "round $round: flowrun$ours s ($rows rows) | scrapy$theirs s ($(wc -l < scrapy.jsonl) rows)"
done
[ "$(wc -l < scrapy.jsonl)" -ge 2000 ] && [ "$rows" -ge 2000 ] || { echo "too few rows: this compares nothing"; exit 1; }
best () { printf '%s\n' $* | sort -n | head -n 1; }
echo "$(best $ours) $(best $theirs) $rows $(wc -l < scrapy.jsonl) $peak" | awk '{
  printf "flowrun %.0f pages/s, scrapy %.0f pages/s: %.1f times; peak resident memory %.0f MB\n", $3 / $1, $4 / $2, ($3 / $1) / ($4 / $2), $5 * 1024 / 1e6 }'
