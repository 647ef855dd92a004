#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-csv.sh: source.csv, sink.csv and sink.jsonl through the command: what goes in
# comes out, in every wrapping and charset; what is bad is one clear message.
set -u
dir=$(mktemp -d "${TMPDIR:-/tmp}/flowrun-csv-XXXXXX")
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir" || exit 99
n=0

# check NAME STATUS: says how the last check ended
check() {
  n=$((n + 1))
  if [ "$2" = 0 ]; then
    echo "ok $n $1"
  else
    echo "not ok $n $1"
    sed 's/^/# /' out err 2>/dev/null
  fi
}
# pipeline WITH [SINK [SINKWITH]]: a pipeline from source.csv to one sink, in p.json
pipeline() {
  printf '{ "name": "p", "stages": { "in": { "use": "source.csv", "with": %s },
    "out": { "use": "%s", "from": "in", "with": %s } } }\n' \
    "$1" "${2:-sink.jsonl}" "${3:-{ \"path\": \"-\" \}}" >p.json
}
run() { "$FLOWRUN" p.json --fresh --progress none "$@" >out 2>err; }
# gives NAME EXPECTED: runs p.json, compares what it wrote to standard output
gives() {
  run
  [ $? = 0 ] && printf '%b' "$2" >want && cmp -s out want
  check "$1" $?
}
# fails NAME STATUS TEXT: runs p.json, which must fail so and say so
fails() {
  run
  status=$?
  [ $status = "$2" ] && grep -qF -- "$3" err
  check "$1" $?
}

printf 'id,name,price\n1,"羊毛衫, 厚",12.5\n2,"say ""hi""\nthere",\n3,,7\n' >a.csv
cat >want-rows <<'END'
{"id":1,"name":"羊毛衫, 厚","price":12.5}
{"id":2,"name":"say \"hi\"\nthere","price":null}
{"id":3,"name":null,"price":7}
END
# same NAME: p.json gives the rows of a.csv
same() {
  run
  [ $? = 0 ] && cmp -s out want-rows
  check "$1" $?
}

pipeline '{ "path": "a.csv" }'
same "plain file"
for charset in GB18030 BIG5 UTF-16LE UTF-16BE; do
  text=a.csv
  iconv -f UTF-8 -t $charset $text >"a-$charset.csv"
  pipeline "{ \"path\": \"a-$charset.csv\", \"encoding\": \"$charset\" }"
  same "$charset given"
done
for charset in GB18030 UTF-16LE; do
  pipeline "{ \"path\": \"a-$charset.csv\" }"
  same "$charset guessed"
done
grep -q 'gb18030' err || "$FLOWRUN" p.json --fresh --set in.path=a-GB18030.csv >out 2>err
grep -q 'a guess from its bytes' err
check "a guess is announced" $?
gzip -c a.csv >a.csv.gz
pipeline '{ "path": "a.csv.gz" }'
same "gzip"
pipeline '{ "path": "-" }'
"$FLOWRUN" p.json --fresh --progress none <a.csv >out 2>err && cmp -s out want-rows
check "standard input" $?
"$FLOWRUN" p.json --fresh --progress none <a.csv.gz >out 2>err && cmp -s out want-rows
check "compressed standard input" $?
tr ',' ';' <<'END' >semi.csv
id,name
1,x
END
pipeline '{ "path": "semi.csv" }'
gives "delimiter found" '{"id":1,"name":"x"}\n'

# several files: reordered columns, a column of file names, positions that go on
printf 'price,id,name\n8,4,d\n' >b.csv
pipeline '{ "path": ["a.csv", "b.csv"] }' sink.jsonl '{ "path": "-", "ids": true, "columns": ["id", "price"] }'
gives "two files, columns reordered" '{"_row":"in:1","id":1,"price":12.5}\n{"_row":"in:2","id":2,"price":null}\n{"_row":"in:3","id":3,"price":7}\n{"_row":"in:4","id":4,"price":8}\n'
printf 'id,nam,price\n' >c.csv
pipeline '{ "path": ["a.csv", "c.csv"] }'
fails "a file of other columns" 1 "'nam'"
pipeline '{ "path": "semi.csv", "file_column": "file" }'
run
grep -q '"file":".*/semi.csv"' out
check "a column of file names" $?

# types
printf 'code,flag,when,n\n007,true,2024-05-01,5\n013,false,2024-05-02,6\n' >t.csv
pipeline '{ "path": "t.csv", "columns": { "when": "timestamp", "n": "float64" } }'
gives "types inferred and declared" '{"code":"007","flag":true,"when":"2024-05-01T00:00:00Z","n":5}\n{"code":"013","flag":false,"when":"2024-05-02T00:00:00Z","n":6}\n'
pipeline '{ "path": "t.csv", "types": "text" }'
gives "types text" '{"code":"007","flag":"true","when":"2024-05-01","n":"5"}\n{"code":"013","flag":"false","when":"2024-05-02","n":"6"}\n'
printf 'n\n1\n2\nx\n' >u.csv
pipeline '{ "path": "u.csv", "sample": 2 }'
gives "a cell of another type is rejected" '{"n":1}\n{"n":2}\n'
grep -q "'x' in column 'n' is not of the type int64" runs/p/rejects/in.jsonl && grep -q 'u.csv:4' runs/p/rejects/in.jsonl
check "its reason names cell, column, type, file and line" $?
pipeline '{ "path": "t.csv", "columns": { "wen": "timestamp" } }'
fails "a declared column that is not there" 2 "did you mean 'when'"

# bad files
pipeline '{ "path": "none.csv" }'
fails "missing file" 2 "none.csv"
[ "$(wc -l <err)" -le 2 ]
check "in one message" $?
pipeline '{ "path": "." }'
fails "a directory" 2 "is a directory"
head -c 40 a.csv.gz >cut.csv.gz
pipeline '{ "path": "cut.csv.gz" }' sink.jsonl '{ "path": "o.jsonl" }'
fails "a cut archive" 2 "cut.csv.gz"
[ ! -e o.jsonl ] && [ -z "$(find . -name '.o.jsonl*')" ]
check "leaves no partial output" $?
: >empty.csv
pipeline '{ "path": "empty.csv" }'
fails "an empty file" 2 "holds no record"
printf 'a,a,\n1,2,3\n' >twice.csv
pipeline '{ "path": "twice.csv" }'
gives "header with a name twice and one missing" '{"a":1,"a_2":2,"column_3":3}\n'
"$FLOWRUN" check p.json >out 2>&1
grep -q "'a' twice" out
check "check warns of it" $?
pipeline '{ "path": "a.csv", "delimiter": "ab" }'
fails "a delimiter of two characters" 2 "one character"

# sink.csv
pipeline '{ "path": "a.csv" }' sink.csv '{ "path": "-" }'
run
cmp -s out a.csv
check "sink.csv writes back what source.csv read" $?
printf 'a,b\n=1+1,"-x"\n5,@y\n' >f.csv
pipeline '{ "path": "f.csv", "types": "text" }' sink.csv '{ "path": "-", "formulas": "defuse", "newline": "crlf", "bom": true }'
gives "formulas defused, for Excel" "\\0357\\0273\\0277a,b\r\n'=1+1,'-x\r\n5,'@y\r\n"
printf 'a\n"x"\n\n"",\n' >g.csv
pipeline '{ "path": "a.csv", "null": [] }' sink.csv '{ "path": "-", "quoting": "all", "delimiter": "tab", "null": "NULL", "columns": ["name", "id"] }'
gives "all quoted, tab" '"name"\t"id"\n"羊毛衫, 厚"\t"1"\n"say ""hi""\nthere"\t"2"\n""\t"3"\n'

# equal bytes for any number of workers, compressed too
awk 'BEGIN { print "id,text"; for (i = 1; i <= 30000; i++) printf "%d,\"羊毛 %d\nsecond\"\n", i, i % 7 }' >big.csv
for workers in 1 16; do
  pipeline '{ "path": "big.csv" }' sink.jsonl "{ \"path\": \"w$workers.jsonl.gz\" }"
  run --workers $workers
done
cmp -s w1.jsonl.gz w16.jsonl.gz && [ "$(gzip -dc w1.jsonl.gz | wc -l)" = 30000 ]
check "same bytes for 1 and 16 workers" $?

# standard output that closes early, a full disk
pipeline '{ "path": "big.csv" }'
{ "$FLOWRUN" p.json --fresh --progress none 2>err; echo $? >status; } | head -n 1 >out
[ "$(cat status)" = 1 ] && grep -q 'standard output' err
check "a reader that goes away" $?
pipeline '{ "path": "big.csv" }' sink.jsonl '{ "path": "/dev/full" }'
fails "a full disk" 1 "free some space"
echo "1..$n"
