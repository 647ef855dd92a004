#!/bin/sh
# test-crawl-kill.sh: a crawl that is killed again and again and begun again gives what a crawl left alone gives, and asks
# for no page twice but those that were under way when it was killed.
set -u
serve=$top_builddir/plugins/net/test-serve
for p in source-crawler sink-jsonl; do
  test -e "$top_builddir/plugins/.libs/$p.so" || { echo "1..1"; echo "ok 1 # SKIP no plugin $p"; exit 0; }
done
test -x "$serve" || { echo "1..1"; echo "ok 1 # SKIP no test-serve"; exit 0; }
dir=$(mktemp -d) || exit 99
server=
cleanup () {
  exec 3>&-
  [ -z "$server" ] || wait "$server"
  rm -rf "$dir"
}
trap cleanup EXIT
cd "$dir" || exit 99
mkdir site
# A tree of 200 pages with links across; 20 of them are copies.
awk 'BEGIN { for (i = 1; i <= 200; i++) {
  f = "site/" (i == 1 ? "index" : "p" i) ".html"
  k = i % 10 == 0 ? i - 1 : i
  print "<!doctype html><html lang=zh><title>第 " k " 页</title><article>" > f
  for (s = 1; s <= 6; s++) print "<p>这一页的号码是 " k "，第 " s " 段说明它与第 " k * s % 97 " 号商品的关系，价格和颜色都写在这里。</p>" > f
  print "</article><ul>" > f
  for (d = 0; d <= 1; d++) if (2 * i + d <= 200) print "<li><a href=\"/p" 2 * i + d ".html\">下一页</a>" > f
  print "<li><a href=\"/p" i * 7 % 199 + 2 ".html\">旁边</a><li><a href=\"/missing" i % 5 ".html\">没有</a></ul></html>" > f
  close (f) } }'

mkfifo hold
"$serve" site log 4 < hold > port &
server=$!
exec 3> hold
while ! [ -s port ]; do sleep 0.05; done
cat > p.json <<END
{ "name": "crawl", "stages": {
  "site": { "use": "source.crawler", "with": { "start": "http://127.0.0.1:$(cat port)/", "allow_private": true,
            "min_delay": 0, "delay_factor": 0, "near_distance": 0, "trap_pages": 0, "archive": "site.warc.gz" } },
  "write": { "use": "sink.jsonl", "from": "site", "with": { "path": "out.jsonl" } },
  "same": { "use": "sink.jsonl", "from": "site.duplicates", "with": { "path": "same.jsonl" } } } }
END
# Rows without the time of day.
snapshot () { sed 's/"fetched_at":"[^"]*"//' out.jsonl same.jsonl; cut -d, -f2- run/rejects/site.jsonl | sed 's/"fetched_at":"[^"]*"//'; }

"$FLOWRUN" p.json --run-dir run --progress none > whole.log 2>&1 || { sed 's/^/# /' whole.log; echo "1..1"; echo "not ok 1 - undisturbed crawl"; exit 1; }
snapshot > whole
asked=$(wc -l < log)
echo 1..6
if [ "$(wc -l < out.jsonl)" -ge 150 ] && [ "$(sort log | uniq -d | wc -l)" = 0 ]; then
  echo "ok 1 - $asked requests, none twice"
else
  echo "not ok 1 - $(wc -l < out.jsonl) rows, $(sort log | uniq -d | wc -l) asked twice"
fi

rm -rf run out.jsonl same.jsonl site.warc.gz
: > log
kills=0 seed=11
while :; do
  "$FLOWRUN" p.json --run-dir run --progress none > again.log 2>&1 &
  pid=$!
  seed=$(((seed * 1103515245 + 12345) % 2147483648))
  ms=$((100 + seed / 65536 % 400))
  sleep "0.$(printf %03d $ms)"
  # After 30 kills it may end by itself, on a machine however slow.
  if [ $kills -lt 30 ] && kill -9 $pid 2> /dev/null; then
    wait $pid 2> /dev/null
    status=$?
    if [ $status = 0 ]; then break; fi
    kills=$((kills + 1))
  else
    wait $pid
    status=$?
    break
  fi
done
if [ $status = 0 ] && [ $kills -ge 1 ]; then echo "ok 2 - killed $kills times"; else echo "not ok 2 - status $status after $kills kills"; sed 's/^/# /' again.log; fi
snapshot > again
if cmp -s whole again; then echo "ok 3 - the same rows"; else echo "not ok 3 - other rows"; diff whole again | head -20 | cut -c1-300 | sed 's/^/# /'; fi
twice=$(sort log | uniq -c | awk '{ n += $1 - 1 } END { print n + 0 }')
if [ "$twice" -le $kills ] && [ "$(sort -u log | wc -l)" = "$asked" ]; then
  echo "ok 4 - $twice requests repeated, each under way when killed"
else
  echo "not ok 4 - $twice requests repeated after $kills kills; $(sort -u log | wc -l) of $asked asked"
fi
left=$(ls -A | grep -c 'flowrun.*tmp$')
if [ "$left" = 0 ] && [ -s site.warc.gz ] && gzip -t site.warc.gz; then echo "ok 5 - the archive, and nothing half written"; else echo "not ok 5 - $left temporary files"; fi

# The archive is read again where no network may be used.
cat > offline.json <<END
{ "name": "offline", "stages": {
  "site": { "use": "source.crawler", "with": { "warc": ["site.warc.gz"], "near_distance": 0 } },
  "write": { "use": "sink.jsonl", "from": "site", "with": { "path": "offline.jsonl" } } } }
END
if "$FLOWRUN" offline.json --deny network --run-dir offline --progress none > offline.log 2>&1 \
  && [ "$(wc -l < offline.jsonl)" = "$(wc -l < out.jsonl)" ]; then
  echo "ok 6 - read again without a network"
else
  echo "not ok 6 - $(wc -l < offline.jsonl) rows of $(wc -l < out.jsonl)"
  sed 's/^/# /' offline.log
fi
