#!/bin/sh
# test-bad-input.sh: what a whole pipeline says and leaves when its input, its
# output or a plugin is bad: one clear message that names stage and file, the
# right exit status, no partial output.
. "$top_srcdir/tests/command/lib.sh"

# pipeline SOURCE 'WITH' [SINK 'WITH']: a pipeline of a source and a sink
pipeline ()
{
  printf '{ "name": "bad", "stages": {\n  "in": { "use": "%s", "with": %s },\n  "out": { "use": "%s", "from": "in", "with": %s } } }\n' \
    "$1" "$2" "${3:-sink.jsonl}" "${4:-{ \"path\": \"out.jsonl\" \}}" > bad.json
}
nothing_left () { ok "$1: nothing under the final name, no temporary file" test -z "$(ls -A | grep -E 'out\.(jsonl|csv|db)')"; }

for source in csv json sqldump; do
  have "source-$source" || { skip "source.$source" "not built"; continue; }
  table=''; [ "$source" = sqldump ] && table=', "table": "t"'
  pipeline "source.$source" "{ \"path\": \"missing.txt\"$table }"
  run 2 bad.json
  err "bad.json:2:.*missing.txt.*No such file"
  mkdir -p folder
  pipeline "source.$source" "{ \"path\": \"folder\"$table }"
  run 2 bad.json
  err "folder' is a directory"
  nothing_left "source.$source"
done

if [ "$(id -u)" = 0 ]; then
  skip "unreadable file" "root reads everything"
else
  echo a > secret.csv; chmod 000 secret.csv
  pipeline source.csv '{ "path": "secret.csv" }'
  run 2 bad.json
  err "secret.csv: Permission denied"
fi

printf 'id,name\n1,a\n2,b\n' | gzip -c | head -c 30 > cut.csv.gz
pipeline source.csv '{ "path": "cut.csv.gz" }'
"$FLOWRUN" bad.json > .out 2> .err; status=$?
ok "a truncated gzip fails the run ($status)" test "$status" = 1 -o "$status" = 2
err "cut.csv.gz"
nothing_left "truncated gzip"
head -c 4000 /dev/urandom > noise; printf 'PK\003\004' | cat - noise > broken.zip
pipeline source.csv '{ "path": "broken.zip" }'
"$FLOWRUN" bad.json > .out 2> .err; status=$?
ok "a broken zip fails the run ($status)" test "$status" = 1 -o "$status" = 2
err "broken.zip"
nothing_left "broken zip"

# Bytes that are no text in the charset that was stated: counted, told, and the rest goes on.
printf 'id,name\n1,\377\376ok\n2,\346\235\257\n' > torn.csv
pipeline source.csv '{ "path": "torn.csv", "encoding": "utf-8" }'
run 0 bad.json --fresh
ok "rows with bad UTF-8 arrive with U+FFFD" grep -q '�' out.jsonl
err "U+FFFD"
rm -f out.jsonl

# A row of 100 MB
python3 -c '
import sys
sys.stdout.write("id,text\n1,short\n2,"); [sys.stdout.write("茶" * 1000000) for _ in range(35)]; sys.stdout.write("\n3,after\n")' > long.csv
pipeline source.csv '{ "path": "long.csv" }'
run 0 bad.json --fresh --memory 64MiB
ok "a cell of 105 MB passes whole" test "$(wc -c < out.jsonl)" -gt 105000000
rm -f out.jsonl
pipeline source.csv '{ "path": "long.csv", "max_row": "10MiB" }'
run 0 bad.json --fresh
ok "beyond max_row a row is rejected and the rest goes on" test "$(grep -c . out.jsonl)" = 2
ok "and the reject says so" grep -q "max_row\|longer" runs/bad/rejects/in.jsonl
rm -f out.jsonl long.csv

if have source-sqlite && command -v sqlite3 > /dev/null; then
  head -c 8192 /dev/urandom > noise.db
  pipeline source.sqlite '{ "path": "noise.db", "table": "t" }'
  run 2 bad.json
  err "noise.db.*not a database"
  python3 - <<'END'
import sqlite3
d = sqlite3.connect("good.db"); d.execute("create table t (id integer primary key, name text)")
d.executemany("insert into t values (?, ?)", [(i, "茶" * 200) for i in range(2000)]); d.commit(); d.close()
b = bytearray(open("good.db", "rb").read()); b[40000:200000] = bytes(160000); open("torn.db", "wb").write(b)
END
  pipeline source.sqlite '{ "path": "torn.db", "table": "t" }'
  "$FLOWRUN" bad.json --fresh > .out 2> .err; status=$?
  ok "a corrupt database fails the run ($status)" test "$status" = 1 -o "$status" = 2
  err "torn.db"
  nothing_left "corrupt database"
  python3 -c '
import sqlite3, subprocess, sys, os
d = sqlite3.connect("good.db", isolation_level=None); d.execute("begin exclusive")
sys.exit(subprocess.call([os.environ["FLOWRUN"], "bad.json", "--fresh"], stdout=open(".out", "w"), stderr=open(".err", "w")) not in (1, 2))' &
  pipeline source.sqlite '{ "path": "good.db", "table": "t" }'
  wait $!
  tell $? "a locked database is refused"
  err "good.db.*locked\|locked.*good.db"
  nothing_left "locked database"
else
  skip "databases" "source.sqlite is not built or sqlite3 is not here"
fi

# A disk that fills up
mkdir -p small
if mount -t tmpfs -o size=256k none small 2> /dev/null; then
  trap 'umount "$tmp/small" 2> /dev/null; rm -rf "$tmp"' EXIT
  python3 -c '
print("id,text")
for i in range(20000): print(f"{i},{i * 7919 % 99991} a row of some length 一行文字")' > many.csv
  for sink in 'sink.jsonl out.jsonl' 'sink.csv out.csv' 'sink.sqlite out.db'; do
    set -- $sink
    have "$(echo "$1" | tr . -)" || { skip "$1 on a full disk" "not built"; continue; }
    extra=''; [ "$1" = sink.sqlite ] && extra=', "table": "t"'
    pipeline source.csv '{ "path": "many.csv" }' "$1" "{ \"path\": \"small/$2\"$extra }"
    run 1 bad.json --fresh
    err "stage 'out'.*\($2\|small\).*\(full\|No space\)"
    ok "$1 leaves nothing on a full disk" test -z "$(ls -A small)"
  done
  umount small
else
  skip "disk full" "may not mount a tmpfs here"
fi

# Plugins
mkdir -p plugins
echo 'not an object' > plugins/source-nonsense.so
pipeline source.nonsense '{}'
run 2 bad.json --plugin-path plugins
err "source-nonsense.so"
pipeline source.cvs '{ "path": "many.csv" }'
run 2 bad.json
err "bad.json:2:.*no element 'source.cvs'.*did you mean 'source.csv'"
nothing_left "plugins"
done_testing
