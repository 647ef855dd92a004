#!/bin/sh
# test-odbc.sh: source.odbc through SQLite's driver, which is a file and no server.
. "$top_srcdir/tests/command/lib.sh"
. "$top_srcdir/plugins/sql/servers.sh"
driver=$(ls /usr/lib/*/odbc/libsqlite3odbc.so /usr/lib/odbc/libsqlite3odbc.so /usr/lib64/libsqlite3odbc.so 2> /dev/null | head -n 1)
if [ -z "$driver" ] || ! python3 -c 'import sqlite3' 2> /dev/null; then
  echo "1..0 # SKIP SQLite's ODBC driver is not installed (Debian: libsqliteodbc)"
  exit 0
fi
# unixODBC keeps what it read of its lists until the process ends, in a library that is gone by then.
! sanitized || export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
# The lists of drivers and names of this test alone.
mkdir odbc
ODBCSYSINI=$tmp/odbc ODBCINI=$tmp/odbc/odbc.ini
DSN="DSN=shop;UID=reader;PWD={Tr0ub4dor;x}"
export ODBCSYSINI ODBCINI DSN
printf '[SQLite3]\nDescription=SQLite\nDriver=%s\n' "$driver" > odbc/odbcinst.ini
printf '[shop]\nDriver=SQLite3\nDatabase=%s/shop.db\nTimeout=2000\n[other]\nDriver=SQLite3\nDatabase=%s/other.db\n[lost]\nDriver=/nonexistent.so\n' "$tmp" "$tmp" > odbc/odbc.ini
db () { python3 -c 'import sqlite3, sys; d = sqlite3.connect("shop.db"); d.executescript(sys.argv[1]); d.commit()' "$1"; }

# ---- types -------------------------------------------------------------------------
db "create table types (id integer primary key, b boolean, i bigint, r double, n decimal(10,2), v varchar(10), t text, bl blob, d date, ts timestamp);
  insert into types values (1, 1, 9223372036854775807, 1e300, '19.90', '商品 longer than declared 😀', '商品
\"描述\"', x'00ff', '2024-02-29', '2024-05-01 08:30:00.25'), (2, null, null, null, null, null, null, null, null, null), (3, 0, -7, 0.1, '-0.5', '', '', x'', '0001-01-01', '9999-12-31 23:59:59')"
pipeline source.odbc ', "table": "types"'
go 0
rows "every type" <<'END'
{"id":1,"b":true,"i":9223372036854775807,"r":1e300,"n":19.9,"v":"商品 longer than declared 😀","t":"商品\n\"描述\"","bl":"AP8=","d":"2024-02-29T00:00:00Z","ts":"2024-05-01T08:30:00.25Z"}
{"id":2,"b":null,"i":null,"r":null,"n":null,"v":null,"t":null,"bl":null,"d":null,"ts":null}
{"id":3,"b":false,"i":-7,"r":0.1,"n":-0.5,"v":"","t":"","bl":"","d":"0001-01-01T00:00:00Z","ts":"9999-12-31T23:59:59Z"}
END
pipeline source.odbc ', "query": "select n, i from types where id < ? and v <> ? and ? is null and r > ? and b = ? order by id;", "parameters": [3, "茶", null, 0.5, true], "decimal": "text", "columns": { "i": "utf8" }'
go 0
rows "types as asked for, parameters of every kind" <<'END'
{"n":"19.9","i":"9223372036854775807"}
END

# ---- blocks and pieces -----------------------------------------------------------------
db "create table many (id integer primary key, v varchar(20), r double, d date);
  with recursive c(i) as (select 1 union all select i + 1 from c where i < 5000) insert into many select i, '商品 ' || i, i / 8.0, case when i % 7 then '2024-05-01' end from c"
for block in 1 7 1000; do
  pipeline source.odbc ", \"table\": \"many\", \"block\": $block"
  go 0
  [ $block != 1 ] || cp out.jsonl pieces.jsonl
  cmp -s pieces.jsonl out.jsonl
  tell $? "blocks of $block rows"
done
ok "all of them" test "$(wc -l < out.jsonl)" = 5000
db "insert into many values (5001, 'a value that is far longer than the forty units that were declared', 1, null), (5002, 'short', 1, null)"
pipeline source.odbc ', "query": "select * from many where id > 5000 order by id", "block": 10'
run 0 p.json --run-dir run --progress none
rows "a value too long for a block is no shorter one" <<'END'
{"id":5002,"v":"short","r":1,"d":null}
END
ok "but a reject" grep -q "query: row 1.*\"value\".*'v' is longer than the driver said it could be; set 'block' to 1" run/rejects/rows.jsonl
db "create table long (id integer primary key, t text); insert into long values (1, replace(hex(zeroblob(500000)), '00', '长')), (2, replace(hex(zeroblob(8191)), '0', 'x')), (3, replace(hex(zeroblob(4096)), '00', '😀'))"
pipeline source.odbc ', "table": "long"'
go 0
ok "values in many pieces" test "$(python3 -c '
import json
print([len(r["t"]) for r in map(json.loads, open("out.jsonl"))])')" = "[500000, 16382, 4096]"

# ---- names, tables, conditions ---------------------------------------------------------
db 'create table "Odd ""name" ("a b" int primary key, "引号" text, x int); insert into "Odd ""name" values (3, '"'c', 1), (1, 'a', 2), (2, 'b', 3);
  create table goods (id integer primary key, name text, updated_at timestamp);
  with recursive c(i) as (select 1 union all select i + 1 from c where i < 20) insert into goods select i, '商品 ' || i, datetime('2024-01-01', i || ' hours') from c"
pipeline source.odbc ', "table": "Odd \"name", "select": ["引号", "a b"], "where": "x > ? -- a comment", "parameters": [1]'
go 0
rows "odd names" <<'END'
{"引号":"a","a b":1}
{"引号":"b","a b":2}
END
cp out.jsonl names.jsonl
LC_ALL=C go 0
ok "and under cron, whose locale knows ASCII alone" cmp -s names.jsonl out.jsonl
refused source.odbc \
  '"table": "gods"|there is no table .gods. that this user may read; did you mean .goods.?' \
  '"query": "select id from goods wher id = 1"|syntax error' \
  '"query": "select id from goods where id = ?"|the statement has 1 parameters (.?.), but .parameters. gives 0 values' \
  '"query": "select id, id from goods"|' \
  '"table": "goods", "columns": { "nam": "utf8" }|the table has no column .nam.; did you mean .name.?' \
  '"table": "types", "columns": { "n": "timestamp" }|the column .n. is decimal(10,2), which cannot become timestamp\|the column .n. is decimal, which cannot' \
  '"table": "goods", "incremental": "name"|.incremental. names .name., which is'
pipeline source.odbc ', "query": "delete from goods", "retries": 0'
"$FLOWRUN" p.json --run-dir run --progress none > "$tmp/.out" 2> "$tmp/.err"
ok "and nothing was changed" test "$(python3 -c 'import sqlite3; print(sqlite3.connect("shop.db").execute("select count(*) from goods").fetchone()[0])')" = 20

# ---- the DSN ---------------------------------------------------------------------------
pipeline source.odbc ', "table": "goods", "retries": 0'
DSN="DSN=shp;PWD=W0rsenoch" go 2
err "cannot connect to odbc:DSN=shp: .*: 'odbcinst -q -s' and 'odbcinst -q -d' list the names"
DSN="DSN=lost" go 2
err "cannot connect to odbc:DSN=lost"
DSN="W0rsenoch" go 2
err "'dsn' cannot be read: expected"
DSN="DRIVER={SQLite3};Database=$tmp/shop.db;PWD=W0rsenoch" go 0
ok "the manifest says where from" grep -q "odbc:DRIVER=SQLite3;DATABASE=$tmp/shop.db" run/report.json
no_password
stays_home

# ---- reading on -------------------------------------------------------------------------------
begins_at_since source.odbc '2024-01-01 18:00:00'
db "insert into goods values (21, null, '2024-01-01 20:00:00'), (22, null, null), (23, null, '2024-01-01 20:30:00.25')"
go 0
rows "new rows, one of them with the old value" <<'END'
{"id":21,"updated_at":"2024-01-01T20:00:00Z"}
{"id":23,"updated_at":"2024-01-01T20:30:00.25Z"}
END
counted rows_seen_before 1
go 0
rows "nothing new" < /dev/null
DSN="DSN=other" go 2
DSN="DRIVER={SQLite3};Database=$tmp/shop.db" go 2
err "the last run read on from another server (odbc:DSN=shop, and now odbc:DRIVER=SQLite3;DATABASE="

# ---- cancelling -------------------------------------------------------------------------------
pipeline source.odbc ', "query": "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) as n from c"'
begin
begins_to_read
ends_by TERM "an endless query"

# ---- the battery --------------------------------------------------------------------------------
battery source-odbc many
done_testing
