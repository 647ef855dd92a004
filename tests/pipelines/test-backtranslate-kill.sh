#!/bin/sh
# test-backtranslate-kill.sh: back-translation killed on the way, again and again: it goes on where it was, the result
# is that of an undisturbed run, and no text is translated twice but what was under way.
. "$top_srcdir/tests/command/lib.sh"
for plugin in source-json transform-backtranslate translator-libretranslate sink-jsonl; do
  have $plugin || { echo "1..0 # SKIP $plugin is not built"; exit 0; }
done
command -v python3 > /dev/null || { echo "1..0 # SKIP python3 is missing: there is no server"; exit 0; }
mkfifo hold
python3 "$top_srcdir/plugins/translators/trap-server.py" < hold > port &
exec 9> hold
i=0
while [ ! -s port ] && [ $i -lt 100 ]; do i=$((i + 1)); sleep 0.1; done
port=$(cat port)
python3 - > rows.jsonl <<'END'
import json
for i in range(60):
    print(json.dumps({"text": chr(0x6100 + i) + "牌的衣服质量很好，价格便宜，我非常喜欢它的颜色"}, ensure_ascii=False))
END
cat > p.json <<END
{ "vars": { "out": { "default": "one.jsonl", "type": "path" } }, "stages": {
    "rows": { "use": "source.json", "with": { "path": "rows.jsonl" } },
    "more": { "use": "transform.backtranslate", "from": "rows",
              "with": { "column": "text", "engine": "libretranslate", "url": "http://127.0.0.1:$port/slow",
                        "batch": 2, "concurrency": 2 } },
    "out": { "use": "sink.jsonl", "from": "more", "with": { "path": "\${out}" } } } }
END
count () { python3 -c "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:$port/count').read().decode().split()[1])"; }

run 0 p.json --run-dir whole --progress none
all=$(count)
ok "two translations for each row" test "$all" = 120
kills=0
for i in 1 2 3 4; do
  "$FLOWRUN" p.json --run-dir killed --progress none --var out=two.jsonl > /dev/null 2>&1 &
  pid=$!
  before=$(count) j=0
  while [ "$(count)" -lt $((before + 12)) ] && [ $j -lt 100 ]; do j=$((j + 1)); sleep 0.05; done
  kill -9 $pid 2> /dev/null && kills=$((kills + 1))
  wait $pid 2> /dev/null
  sleep 0.3 # what was under way ends
done
run 0 p.json --run-dir killed --progress none --var out=two.jsonl
ok "the same rows as undisturbed" cmp one.jsonl two.jsonl
# Two requests of two texts may be under way each time.
twice=$(($(count) - all - 120))
ok "killed $kills times; $twice texts were translated twice, of $((kills * 4)) that may be" test "$twice" -le $((kills * 4)) -a "$twice" -ge 0
ok "it was killed at work" test "$kills" -ge 2

# Asked to stop in the middle of an answer that comes a byte at a time, it does not wait for the rest.
sed 's|/slow|/drip|' p.json > drip.json
before=$(count) j=0
"$FLOWRUN" drip.json --run-dir drip --progress none --var out=three.jsonl > drip.log 2>&1 &
pid=$!
while [ "$(count)" = "$before" ] && [ $j -lt 100 ]; do j=$((j + 1)); sleep 0.05; done
ok "the answer is under way" test "$(count)" -gt "$before"
start=$(date +%s)
kill -TERM $pid
wait $pid
status=$?
ok "stopped in mid-answer: status $status after $(($(date +%s) - start)) s" test "$status" = 130 -a $(($(date +%s) - start)) -le 5
ok "and nothing is left under the final name" test ! -e three.jsonl
exec 9>&-
done_testing
