#!/bin/sh
# test-postgres.sh: source.postgres against a real server.
. "$top_srcdir/tests/command/lib.sh"
. "$top_srcdir/plugins/sql/servers.sh"
if ! has_postgres; then
  echo "1..0 # SKIP PostgreSQL's server is not installed (Debian: postgresql)"
  exit 0
fi
start_postgres || { echo "Bail out! PostgreSQL's server does not start"; exit 1; }
pg "create role reader login password 'Tr0ub4dor'"
DSN="host=$pg port=$pg_port user=postgres dbname=postgres"
export DSN

# ---- types -------------------------------------------------------------------------
pg "create type mood as enum ('高兴', 'sad')" "create domain price as numeric(8,2) check (value >= 0)" \
  "create table types (id int primary key, b bool, i2 int2, i8 int8, f4 float4, f8 float8, n numeric, p price, t text, v varchar(9), c char(4), m mood,
   u uuid, j json, jb jsonb, by bytea, d date, ts timestamp, tz timestamptz, iv interval, ti time, ai int[], at text[], aa int[], am mood[], r int4range, x xml, ip inet)" \
  "insert into types (id) values (2)" \
  "insert into types values (1, true, -7, 9223372036854775807, 0.1, 1e300, 12345678901234567890.123, 19.90, '商品
\"描述\" 😀', 'väl', 'ab', '高兴', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{\"a\": [1, 2]}', '{\"k\":\"v\"}', '\\x00ff', '2024-02-29',
   '2024-05-01 08:30:00.25', '2024-05-01 08:30:00+08', '1 day 2 hours', '08:30', '{1,NULL,3}', '{\"a,b\",\"say \\\"hi\\\"\",\"back\\\\slash\",null,\"NULL\",\"\"}', '{}', '{高兴,sad}', '[1,5)', '<a/>', '10.0.0.1'),
   (3, false, 0, 0, 'NaN', '-Infinity', 'NaN', 0, '', '', '', 'sad', null, 'null', '{}', '', '0044-03-15 BC', '0001-01-01', '1970-01-01 00:00:00+00', '0', '00:00', '{}', '{}', '[0:1]={7,8}', '{}', 'empty', '', '::1')"
pipeline source.postgres ', "table": "types"'
go 0
rows "every type" <<'END'
{"id":1,"b":true,"i2":-7,"i8":9223372036854775807,"f4":0.1,"f8":1e300,"n":1.2345678901234567e19,"p":19.9,"t":"商品\n\"描述\" 😀","v":"väl","c":"ab  ","m":"高兴","u":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","j":"{\"a\": [1, 2]}","jb":"{\"k\": \"v\"}","by":"AP8=","d":"2024-02-29T00:00:00Z","ts":"2024-05-01T08:30:00.25Z","tz":"2024-05-01T00:30:00Z","iv":"P1DT2H","ti":"08:30:00","ai":[1,null,3],"at":["a,b","say \"hi\"","back\\slash",null,"NULL",""],"aa":[],"am":["高兴","sad"],"r":"[1,5)","x":"<a/>","ip":"10.0.0.1"}
{"id":2,"b":null,"i2":null,"i8":null,"f4":null,"f8":null,"n":null,"p":null,"t":null,"v":null,"c":null,"m":null,"u":null,"j":null,"jb":null,"by":null,"d":null,"ts":null,"tz":null,"iv":null,"ti":null,"ai":null,"at":null,"aa":null,"am":null,"r":null,"x":null,"ip":null}
{"id":3,"b":false,"i2":0,"i8":0,"f4":null,"f8":null,"n":null,"p":0,"t":"","v":"","c":"    ","m":"sad","u":null,"j":"null","jb":"{}","by":"","d":"-000043-03-15T00:00:00Z","ts":"0001-01-01T00:00:00Z","tz":"1970-01-01T00:00:00Z","iv":"PT0S","ti":"00:00:00","ai":[],"at":[],"aa":[7,8],"am":[],"r":"empty","x":"","ip":"::1"}
END
pipeline source.postgres ', "query": "select n, jb, ai, j, f8 from types where id <> $1 order by id;", "parameters": [2], "nested": "text", "decimal": "text",
  "columns": { "jb": "struct<k: utf8>", "f8": "utf8", "j": "struct<a: list<int64>>" }'
go 0
rows "types as asked for" <<'END'
{"n":"12345678901234567890.123","jb":{"k":"v"},"ai":"{1,NULL,3}","j":{"a":[1,2]},"f8":"1e+300"}
{"n":"NaN","jb":{"k":null},"ai":"{}","j":null,"f8":"-Infinity"}
END

# ---- rejects -----------------------------------------------------------------------
pipeline source.postgres ", \"query\": \"select * from (values (1, '2024-05-01'::timestamp, '{1}'::int[], '5'), (2, 'infinity', '{2}', '6'), (3, '294276-12-31', '{3}', '7'), (4, null, '{{1,2},{3,4}}', '8'), (5, '-infinity', null, '9'), (6, null, null, 'x')) as v(id, at, a, n)\", \"columns\": { \"n\": \"int32\" }"
run 0 p.json --run-dir run --progress none
rows "what fits of rows that do not" <<'END'
{"id":1,"at":"2024-05-01T00:00:00Z","a":[1],"n":5}
END
cut -d, -f1-4 run/rejects/rows.jsonl > "$tmp/got"
ok "infinity is out of range" grep -q "query: row 2.*\"reject_rule\":\"range\".*'at' is infinite, which no timestamp is" run/rejects/rows.jsonl
ok "so is a time beyond 64 bits" grep -q "query: row 3.*\"range\".*too far away" run/rejects/rows.jsonl
ok "an array of two dimensions is no list" grep -q "query: row 4.*\"type\".*has more dimensions than its type" run/rejects/rows.jsonl
ok "text is no number" grep -q "query: row 6.*\"type\".*'n' is not a whole number" run/rejects/rows.jsonl
ok "five rows are rejected" test "$(wc -l < run/rejects/rows.jsonl)" = 5
pipeline source.postgres ", \"query\": \"select '{{1,2},{3,4}}'::int[] as a\", \"columns\": { \"a\": \"list<list<int64>>\" }"
go 0
rows "an array of two dimensions" <<'END'
{"a":[[1,2],[3,4]]}
END
pg "create database bytes encoding 'SQL_ASCII' template template0 locale 'C'"
"$pg_bin/psql" -X -q -h "$pg" -p "$pg_port" -U postgres -d bytes -c "create table t (id int primary key, v text); insert into t values (1, '茶'), (2, convert_from('\\xb2e8', 'SQL_ASCII')), (3, 'tea')" > "$tmp/.out" 2>&1
tell $? "a database of bytes"
pipeline source.postgres ', "table": "t"'
DSN="$DSN dbname=bytes" run 0 p.json --run-dir run --progress none
rows "text that is UTF-8" <<'END'
{"id":1,"v":"茶"}
{"id":3,"v":"tea"}
END
ok "text that is not is rejected" grep -q "t: row 2.*\"encoding\".*'v' is not valid UTF-8" run/rejects/rows.jsonl

# ---- tables, names, conditions --------------------------------------------------------
pg 'create schema "Laden"' 'create table "Laden"."Odd ""name" ("a b" int primary key, "引号""" text, x int)' \
  "insert into \"Laden\".\"Odd \"\"name\" values (3, 'c', 1), (1, 'a', 2), (2, 'b', 3)" \
  "create table goods (id serial primary key, name text, price numeric(10,2), updated_at timestamptz)" \
  "insert into goods (name, price, updated_at) select '商品 ' || i, i, '2024-01-01 00:00+00'::timestamptz + i * interval '1 hour' from generate_series(1, 20) i" \
  "grant select on goods to reader" "create table secret (id int)"
pipeline source.postgres ', "table": "Laden.Odd \"name", "select": ["引号\"", "a b"], "where": "x > $1 -- a comment", "parameters": [1]'
go 0
rows "odd names, in the order of the key" <<'END'
{"引号\"":"a","a b":1}
{"引号\"":"b","a b":2}
END
refused source.postgres \
  '"table": "gods"|there is no table .gods. that this user may read; did you mean .goods.?' \
  '"table": "goods", "select": ["id", "nme"]|PostgreSQL refuses the query: column "nme" does not exist' \
  '"query": "select id from goods wher id = 1"|PostgreSQL refuses the query: syntax error' \
  '"query": "delete from goods returning id"|PostgreSQL refuses the query: ' \
  '"query": "select 1 as a; drop table goods"|cannot insert multiple commands into a prepared statement' \
  '"query": "with w as (delete from goods returning id) select * from w"|PostgreSQL refuses the query: ' \
  '"query": "select nextval('"'goods_id_seq'"')"|cannot execute nextval() in a read-only transaction' \
  '"query": "select set_config('"'transaction_read_only', 'off', false"'), nextval('"'goods_id_seq'"')"|PostgreSQL refuses the query' \
  '"query": "select id, id from goods"|' \
  '"query": "select id from goods where id = $1"|' \
  '"table": "goods", "columns": { "nam": "utf8" }|the table has no column .nam.; did you mean .name.?' \
  '"table": "goods", "columns": { "price": "timestamp" }|the column .price. is numeric(10,2), which cannot become timestamp' \
  '"query": "select id, name from goods", "result": "id: int64, nme: utf8"|the result has no column .nme.; did you mean .name.?' \
  '"query": "select id, name from goods", "result": "id: int64"|the result has the column .name. (text), which .result. does not declare' \
  '"query": "select name, id from goods", "result": "id: int64, name: utf8"|column 1 of the result is .name., but .result. declares it as column 2' \
  '"table": "goods", "incremental": "updatd_at"|.incremental. names .updatd_at., which is no column of the result; did you mean .updated_at.?' \
  '"table": "goods", "incremental": "name"|.incremental. names .name., which is text; whole and decimal numbers' \
  '"query": ""|'
ok "and nothing was changed" test "$(pg 'select count(*) from goods')" = 20

# ---- passwords and TLS ------------------------------------------------------------------
pipeline source.postgres ', "table": "goods", "select": ["id"], "where": "id <= 2", "retries": 0'
DSN="postgresql://reader:Tr0ub4dor@/postgres?host=$pg&port=$pg_port" run 0 p.json --run-dir run --progress none
DSN="postgresql://reader:W0rsenoch@/postgres?host=$pg&port=$pg_port" run 2 p.json --run-dir run2 --progress none
err 'password authentication failed for user "reader".*: see user and password'
DSN="postgresql://reader:W0rsenoch@[/postgres" run 2 p.json --run-dir run2 --progress none
err "'dsn' cannot be read"
pipeline source.postgres ', "table": "secret", "retries": 0'
DSN="postgresql://reader:Tr0ub4dor@/postgres?host=$pg&port=$pg_port" run 2 p.json --run-dir run2 --progress none
err 'permission denied for table secret: GRANT SELECT ON'
no_password
pipeline source.postgres ', "table": "goods", "select": ["id"], "where": "id <= 2", "retries": 0'
if [ "$pg_port" = 5432 ]; then
  skip "TLS" "no openssl"
else
  tcp="host=localhost hostaddr=127.0.0.1 port=$pg_port user=reader password=Tr0ub4dor dbname=postgres"
  DSN="$tcp sslrootcert=$pg/data/server.crt" run 0 p.json --run-dir run --progress none
  DSN="$tcp" run 2 p.json --run-dir run --progress none
  err 'certificate.*is checked unless .dsn. says otherwise'
  DSN="$tcp sslmode=require" run 0 p.json --run-dir run --progress none
  DSN="$tcp sslmode=disable" run 2 p.json --run-dir run --progress none
  err 'no pg_hba.conf entry.*no encryption'
  DSN="host=127.0.0.1 port=$pg_port user=reader password=Tr0ub4dor dbname=postgres sslrootcert=$pg/data/server.crt" run 2 p.json --run-dir run --progress none
  err 'server certificate for .*does not match host name'
fi

# ---- check, and the network -----------------------------------------------------------------
pipeline source.postgres ', "table": "goods", "result": "id: int64, nam: utf8"'
stays_home
sed -i 's/"use": "sink.jsonl", "from": "rows", "with": {/"use": "transform.select", "from": "rows", "with": { "columns": ["name"] } }, "w": { "use": "sink.jsonl", "from": "write", "with": {/' p.json
run 2 check p.json
out "there is no column 'name'; did you mean 'nam'?"
pipeline source.postgres ', "table": "goods"'
run 0 check p.json
out "the columns that 'rows' gives are known only when it runs"

# ---- reading on -------------------------------------------------------------------------------
begins_at_since source.postgres '2024-01-01 18:00:00+00' ', "where": "id > $1", "parameters": [0]'
go 0
rows "the second has nothing to read" < /dev/null
counted rows_seen_before 1
pg "insert into goods (updated_at) values ('2024-01-01 20:00+00'), (null), ('2024-01-01 20:30+00'), ('infinity')"
go 0
rows "new rows, one of them with the old value" <<'END'
{"id":21,"updated_at":"2024-01-01T20:00:00Z"}
{"id":23,"updated_at":"2024-01-01T20:30:00Z"}
END
ok "what is infinite is rejected, not followed" grep -q 'no_position' run/rejects/rows.jsonl
run 0 why run rows:5
pg "insert into goods (updated_at) values ('2024-01-02 00:00+00')"
pipeline source.postgres ', "query": "select id, updated_at, 1 / (id - 26) as bad from goods", "incremental": "updated_at", "parameters": []'
run 2 p.json --run-dir run --progress none
err "the last run read on from another table (goods, and now a query)"
pipeline source.postgres ', "table": "goods", "select": ["id", "updated_at"], "incremental": "updated_at", "where": "id > $1 and pg_sleep(0.2) is not null", "parameters": [0]'
"$FLOWRUN" p.json --run-dir run --progress none > /dev/null 2>&1 &
sleep 0.3
kill -9 $! 2> /dev/null
wait $! 2> /dev/null
run 0 p.json --run-dir run --until rows --progress none
go 0
rows "a run that was killed, and part of a run, leave the position" <<'END'
{"id":25,"updated_at":"2024-01-02T00:00:00Z"}
END
run 0 p.json --run-dir run --fresh --progress none
ok "--fresh begins anew" test "$(wc -l < out.jsonl)" = 23
sed -i 's/"value": "[^"]*"/"value": "nonsense"/' run/state.json
run 2 p.json --run-dir run --progress none
err 'invalid input syntax for type timestamp'
echo '{ "rows": [] }' > run/state.json
run 1 p.json --run-dir run --progress none
err "what the last run kept of its position cannot be read; --fresh begins anew"

# More rows at one value than a batch, one of them twice.
rm -rf run
pg "create table ties (v int, at int)" "insert into ties select i, i / 3000 from generate_series(0, 8999) i" "insert into ties values (8999, 2)"
pipeline source.postgres ', "query": "select v, at from ties", "incremental": "at"'
go 0
ok "all of them" test "$(wc -l < out.jsonl)" = 9001
pg "insert into ties values (8999, 2), (-1, 2)"
go 0
LC_ALL=C sort -o out.jsonl out.jsonl
rows "ties are told apart, equal rows counted" <<'END'
{"v":-1,"at":2}
{"v":8999,"at":2}
END
counted rows_seen_before 3001

# ---- using an earlier run ----------------------------------------------------------------------
rm -rf run
pipeline source.postgres ', "table": "goods", "select": ["id"], "reuse_while": "select count(*), max(updated_at) from goods"'
go 0
run 0 p.json --run-dir run --progress plain
err 'nothing has changed since the last run'
pg "insert into goods (updated_at) values ('2024-01-03')"
run 0 p.json --run-dir run --progress plain
ok "until it has" test "$(wc -l < out.jsonl)" = 26
pipeline source.postgres ', "table": "goods", "reuse_while": "selec 1"'
go 2
err "'reuse_while': PostgreSQL refuses the query"

active () { pg "select count(*) from pg_stat_activity where state = 'active' and query like '%$1%' and pid <> pg_backend_pid()"; } # TEXT

# ---- a table changed under way ------------------------------------------------------------------
pg "create table moving (id int primary key, name text, extra int)" "insert into moving values (1, 'a', 2)"
changed () # SQL, message
{
  pipeline source.postgres ', "table": "moving", "reuse_while": "select pg_sleep(4)"'
  (comes active 'pg_sleep(4)' && pg "$1") &
  go 1
  err "$2"
  wait $! 2> /dev/null
}
changed "alter table moving drop column extra" "what moving reads was changed after the run had begun: the column 'extra' is gone; nothing was read"
changed "alter table moving alter column name type int using 5" "the column 'name' was utf8 and is int64"

# ---- servers that come late, go early, or do not answer --------------------------------------------
pipeline source.postgres ', "table": "goods", "select": ["id"], "retries": 8'
stop_postgres fast
comes_late start_postgres
pipeline source.postgres ', "table": "goods", "retries": 1'
DSN="host=$tmp dbname=x" go 1
err 'cannot connect to PostgreSQL (postgresql://.*(tried 2 times in '
pipeline source.postgres ', "query": "select i, pg_sleep(0.0005) is null as slept from generate_series(1, 200000) i"'
begin
comes active 'pg_sleep(0.0005)'
goes_away 'PostgreSQL (postgresql://.*)' stop_postgres immediate
start_postgres
pipeline source.postgres ', "query": "select i from generate_series(1, 20000) i"'
go 0
ok "and again" test "$(wc -l < out.jsonl)" = 20000
pipeline source.postgres ', "query": "select 1 as a, pg_sleep(60) is null as b", "timeout": "1s"'
start=$(date +%s)
go 1
err "gave no answer within 'timeout', 1 seconds"
for signal in TERM HUP; do # a shell hides INT from what it starts in the background
  pipeline source.postgres ', "query": "select 1 as a, pg_sleep(60) is null as b"'
  begin
  comes active 'pg_sleep(60)'
  ends_by $signal "a query that waits"
  ok "and the server works no more" goes active 'pg_sleep(60)'
done
ok "no minute was waited for" test $(($(date +%s) - start)) -lt 59
pg "alter role reader set statement_timeout = '500ms'"
pipeline source.postgres ', "query": "select pg_sleep(1) is null as b", "retries": 0'
DSN="postgresql://reader:Tr0ub4dor@/postgres?host=$pg&port=$pg_port" run 0 p.json --run-dir run --progress none

# ---- memory -----------------------------------------------------------------------------------------
constant_memory source.postgres \
  'select i as id, '"'商品 number '"' || i as name, i * 0.01 as price, repeat('"'描述 '"', 10) as description from generate_series(1, %d) i'

# ---- the battery --------------------------------------------------------------------------------------
battery source-postgres types
done_testing
