#!/bin/sh
# test-mariadb.sh: source.mariadb against a real server.
. "$top_srcdir/tests/command/lib.sh"
. "$top_srcdir/plugins/sql/servers.sh"
if ! has_mariadb; then
  echo "1..0 # SKIP MariaDB's server is not installed (Debian: mariadb-server)"
  exit 0
fi
start_mariadb || { echo "Bail out! MariaDB's server does not start"; exit 1; }
DSN="mariadb://root@/shop?socket=$my/sock"
export DSN

# ---- types -------------------------------------------------------------------------
my "create table types (id int primary key, flag tinyint(1), tiny tinyint, big bigint, ubig bigint unsigned, f float, d double, n decimal(30,10),
  t text, v varchar(9), c char(4), e enum('高兴','sad'), s set('a','b'), j json, bl blob, vb varbinary(4), b1 bit(1), b9 bit(9),
  da date, dt datetime(6), ts timestamp(3) null, ti time(1), y year, u uuid)" \
  "set time_zone = '+08:00'; insert into types values (1, 1, -7, 9223372036854775807, 9223372036854775807, 0.1, 1e300, 12345678901234567890.0123, '商品
\"描述\" 😀', 'väl', 'ab', '高兴', 'a,b', '{\"a\": [1, 2]}', x'00ff', x'01', b'1', b'101000000', '2024-02-29', '2024-05-01 08:30:00.25', '2024-05-01 08:30:00', '-25:00:01.5', 2024, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')" \
  "insert into types (id) values (2)" \
  "insert into types (id, flag, f, n, t, bl, ti) values (3, 0, -3.4028234e38, -0.5, '', '', '00:00:00')"
pipeline source.mariadb ', "table": "types"'
go 0
rows "every type" <<'END'
{"id":1,"flag":true,"tiny":-7,"big":9223372036854775807,"ubig":9223372036854775807,"f":0.1,"d":1e300,"n":1.2345678901234567e19,"t":"商品\n\"描述\" 😀","v":"väl","c":"ab","e":"高兴","s":"a,b","j":"{\"a\": [1, 2]}","bl":"AP8=","vb":"AQ==","b1":true,"b9":320,"da":"2024-02-29T00:00:00Z","dt":"2024-05-01T08:30:00.25Z","ts":"2024-05-01T00:30:00Z","ti":"-25:00:01.5","y":2024,"u":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}
{"id":2,"flag":null,"tiny":null,"big":null,"ubig":null,"f":null,"d":null,"n":null,"t":null,"v":null,"c":null,"e":null,"s":null,"j":null,"bl":null,"vb":null,"b1":null,"b9":null,"da":null,"dt":null,"ts":null,"ti":null,"y":null,"u":null}
{"id":3,"flag":false,"tiny":null,"big":null,"ubig":null,"f":-3.4028235e38,"d":null,"n":-0.5,"t":"","v":null,"c":null,"e":null,"s":null,"j":null,"bl":"","vb":null,"b1":null,"b9":null,"da":null,"dt":null,"ts":null,"ti":"00:00:00.0","y":null,"u":null}
END
pipeline source.mariadb ', "query": "select n, j, flag, cast(1 as unsigned) as one from types where id <> ? and t <> ? and d > ? and ? is null;", "parameters": [2, "x", 0.5, null], "decimal": "text",
  "columns": { "j": "struct<a: list<int64>>", "flag": "int64" }'
go 0
rows "types as asked for, parameters of every kind" <<'END'
{"n":"12345678901234567890.0123000000","j":{"a":[1,2]},"flag":1,"one":1}
END

# ---- rejects -----------------------------------------------------------------------
my "create table odd (id int primary key, flag tinyint(1), u bigint unsigned, d date)" \
  "set sql_mode = ''; insert into odd values (1, 1, 1, '2024-05-01'), (2, 2, 2, null), (3, 1, 18446744073709551615, null), (4, 1, 4, '0000-00-00'), (5, 1, 5, '2024-02-00')"
pipeline source.mariadb ', "table": "odd"'
run 0 p.json --run-dir run --progress none
rows "what fits" <<'END'
{"id":1,"flag":true,"u":1,"d":"2024-05-01T00:00:00Z"}
{"id":4,"flag":true,"u":4,"d":null}
END
counted zero_dates 1
ok "a flag of 2 is neither" grep -q "odd: row 2.*'flag' is neither 0 nor 1" run/rejects/rows.jsonl
ok "2^64-1 does not fit" grep -q "odd: row 3.*'u' does not fit int64" run/rejects/rows.jsonl
ok "the 0th of February is no day" grep -q "odd: row 5.*'d' is a date with 00 for a month or a day" run/rejects/rows.jsonl
pipeline source.mariadb ', "table": "odd", "zero_dates": "reject"'
run 0 p.json --run-dir run --progress none
ok "0000-00-00 rejected" grep -q "odd: row 4.*'d' is the date 0000-00-00" run/rejects/rows.jsonl
my "create table big (id int primary key, t longtext) character set utf8mb4" \
  "insert into big values (1, repeat('长', 100)), (2, repeat('长', 1000000)), (3, ''), (4, repeat('长', 300)), (5, null), (6, repeat('x', 3000000))"
pipeline source.mariadb ', "query": "select id, t from big order by id"'
go 0
ok "values of any length" test "$(python3 -c '
import json
print([len(r["t"] or "") for r in map(json.loads, open("out.jsonl"))])')" = "[100, 1000000, 0, 300, 0, 3000000]"

# ---- other charsets ------------------------------------------------------------------
my "create database gbk character set gbk" "create table gbk.t (id int primary key, v varchar(40), w varchar(40) character set big5, l varchar(40) character set latin1)" \
  "insert into gbk.t values (1, '中文茶杯', '繁體', 'café')"
pipeline source.mariadb ', "table": "gbk.t"'
go 0
rows "GBK, Big5 and latin1" <<'END'
{"id":1,"v":"中文茶杯","w":"繁體","l":"café"}
END
ok "the server has it in GBK" test "$(my 'select hex(v) from gbk.t')" = D6D0CEC4B2E8B1AD
pipeline source.mariadb ', "query": "select cast(x'"'b2e8'"' as char character set binary) as v, 1 as n", "columns": { "v": "utf8" }'
run 0 p.json --run-dir run --progress none
ok "bytes that are not UTF-8 are rejected" grep -q "query: row 1.*\"encoding\".*'v' is not valid UTF-8" run/rejects/rows.jsonl

# ---- names, tables, conditions ---------------------------------------------------------
my 'create table `Odd ``name` (`a b` int primary key, `引号``"` text, x int)' 'insert into `Odd ``name` values (3, "c", 1), (1, "a", 2), (2, "b", 3)' \
  "create table goods (id int auto_increment primary key, name text, price decimal(10,2), updated_at datetime(6))" \
  "insert into goods (name, price, updated_at) select concat('商品 ', seq), seq, '2024-01-01' + interval seq hour from seq_1_to_20" \
  "create table secret (id int)" "create user reader@localhost identified by 'Tr0ub4dor'" "create user reader@'127.0.0.1' identified by 'Tr0ub4dor' require ssl" \
  "grant select on shop.goods to reader@localhost" "grant select on shop.goods to reader@'127.0.0.1'"
pipeline source.mariadb ', "table": "Odd `name", "select": ["引号`\"", "a b"], "where": "x > ? -- a comment", "parameters": [1]'
go 0
rows "odd names, in the order of the key" <<'END'
{"引号`\"":"a","a b":1}
{"引号`\"":"b","a b":2}
END
refused source.mariadb \
  '"table": "gods"|there is no table .gods. that this user may read; did you mean .goods.?' \
  '"table": "goods", "select": ["id", "nme"]|MariaDB refuses the query: Unknown column .nme.' \
  '"query": "select id from goods wher id = 1"|MariaDB refuses the query: You have an error in your SQL syntax' \
  '"query": "delete from goods"|Cannot execute statement in a READ ONLY transaction' \
  '"query": "set @a = 1"|the query gives no rows to read; expected a SELECT' \
  '"query": "delete from goods returning id"|Cannot execute statement in a READ ONLY transaction' \
  '"query": "select 1 as a; drop table goods"|MariaDB refuses the query: You have an error in your SQL syntax' \
  '"query": "select id from goods where id = ?"|the statement has 1 parameters (.?.), but .parameters. gives 0 values' \
  '"query": "select id, id from goods"|' \
  '"table": "goods", "columns": { "nam": "utf8" }|the table has no column .nam.; did you mean .name.?' \
  '"table": "goods", "columns": { "price": "timestamp" }|the column .price. is decimal, which cannot become timestamp' \
  '"table": "goods", "incremental": "name"|.incremental. names .name., which is text'
ok "and nothing was changed" test "$(my 'select count(*) from goods')" = 20

# ---- passwords and TLS ------------------------------------------------------------------
pipeline source.mariadb ', "table": "goods", "select": ["id"], "where": "id <= 2", "retries": 0'
DSN="mariadb://reader:Tr0ub4dor@localhost/shop?socket=$my/sock" go 0
DSN="user=reader password='Tr0ub4dor' database=shop socket=$my/sock" go 0
DSN="mariadb://reader:W0rsenoch@localhost/shop?socket=$my/sock" run 2 p.json --run-dir run2 --progress none
err "Access denied for user 'reader'@'localhost'.*: see user and password"
DSN="mariadb://reader:W0rsenoch@localhost/shop?sockt=$my/sock" run 2 p.json --run-dir run2 --progress none
err "'dsn' holds a key that is none of host, port"
DSN="W0rsenoch" run 2 p.json --run-dir run2 --progress none
err "'dsn' cannot be read: a word that is no key=value"
pipeline source.mariadb ', "query": "select * from secret", "retries": 0'
DSN="mariadb://reader:Tr0ub4dor@localhost/shop?socket=$my/sock" run 2 p.json --run-dir run2 --progress none
err "SELECT command denied to user.*: GRANT SELECT ON"
no_password
pipeline source.mariadb ', "table": "goods", "select": ["id"], "where": "id <= 2", "retries": 0'
if [ "$my_port" = 0 ]; then
  skip "TLS" "no openssl"
else
  tcp="mariadb://reader:Tr0ub4dor@127.0.0.1:$my_port/shop"
  DSN="$tcp" go 2
  err 'certificate.*is checked unless .dsn. says otherwise\|TLS/SSL error'
  DSN="$tcp?ssl=require" go 0
  DSN="$tcp?ssl=off" go 2
  err 'Access denied'
  DSN="$tcp?ssl_ca=$my/server.crt" go 0
  mkdir other
  certificate other "$my_user" DNS:localhost
  chmod 644 other/server.crt
  DSN="$tcp?ssl_ca=$tmp/other/server.crt" go 2
  err 'cannot connect to MariaDB (mariadb://reader@127.0.0.1:.*certificate'
fi

# ---- check, and the network -----------------------------------------------------------------
pipeline source.mariadb ', "table": "goods", "result": "id: int64, name: utf8"'
stays_home

# ---- reading on -------------------------------------------------------------------------------
begins_at_since source.mariadb '2024-01-01 18:00:00'
my "insert into goods (id, updated_at) values (21, '2024-01-01 20:00'), (22, null), (23, '2024-01-01 20:30:00.000001')"
go 0
rows "new rows, one of them with the old value" <<'END'
{"id":21,"updated_at":"2024-01-01T20:00:00Z"}
{"id":23,"updated_at":"2024-01-01T20:30:00.000001Z"}
END
counted rows_seen_before 1
go 0
rows "nothing new" < /dev/null
rm -rf run
my "create table numbers (n decimal(30,10), b bigint)" "insert into numbers values (12345678901234567890.5, 9007199254740993), (12345678901234567890.6, 9007199254740994)"
for column in n b; do
  rm -rf run
  pipeline source.mariadb ", \"query\": \"select n, b from numbers\", \"incremental\": \"$column\", \"decimal\": \"text\""
  go 0
  ok "both" test "$(wc -l < out.jsonl)" = 2
  go 0
  rows "no doubles on the way: $column" < /dev/null
  counted rows_seen_before 1
done

# ---- using an earlier run, a table changed under way ---------------------------------------------
rm -rf run
pipeline source.mariadb ', "table": "goods", "select": ["id"], "reuse_while": "select count(*), max(updated_at) from goods"'
go 0
run 0 p.json --run-dir run --progress plain
err 'nothing has changed since the last run'
my "create table moving (id int primary key, name text, extra int)" "insert into moving values (1, 5, 2)"
pipeline source.mariadb ', "table": "moving", "reuse_while": "select sleep(4)"'
sleeping () { my "select count(*) from information_schema.processlist where state = 'User sleep'"; }
(comes sleeping && my "alter table moving drop column extra, modify name int") &
go 1
err "what moving reads was changed after the run had begun: the column 'name' was utf8 and is int64; the column 'extra' is gone"
wait $! 2> /dev/null

# ---- a dump of a real shop ------------------------------------------------------------------------
dump=$FLOWRUN_DATA/sql-litemall
if [ -d "$dump" ] && [ -n "$(ls "$dump"/*.sql 2> /dev/null)" ]; then
  my 'create database litemall character set utf8mb4'
  for file in "$dump/litemall_table.sql" "$dump/litemall_data.sql"; do
    mariadb --no-defaults --default-character-set=utf8mb4 -S "$my/sock" -u root litemall < "$file" > "$tmp/.out" 2>&1
    tell $? "$(basename "$file") goes in"
  done
  tables=$(my "select table_name from information_schema.tables where table_schema = 'litemall' order by 1")
  ok "a shop of tables" test "$(echo "$tables" | wc -l)" -ge 10
  for table in $tables; do
    cat > both.json <<END
{ "name": "both", "stages": {
  "server": { "use": "source.mariadb", "with": { "dsn": { "env": "DSN" }, "table": "litemall.$table" } },
  "server_out": { "use": "sink.jsonl", "from": "server", "with": { "path": "server.jsonl" } },
  "dump": { "use": "source.sqldump", "with": { "path": "$dump/*.sql", "table": "$table" } },
  "dump_out": { "use": "sink.jsonl", "from": "dump", "with": { "path": "dump.jsonl" } } } }
END
    "$FLOWRUN" both.json --run-dir both --progress none > "$tmp/.out" 2> "$tmp/.err" && cmp server.jsonl dump.jsonl >> "$tmp/.err" 2>&1
    tell $? "$table: the server's rows are the dump's ($(wc -l < server.jsonl))"
  done
else
  skip "a dump of a real shop" "no shared data (FLOWRUN_DATA)"
fi

# ---- servers that come late, go early, or do not answer --------------------------------------------
pipeline source.mariadb ', "table": "goods", "select": ["id"], "retries": 8'
kill_mariadb
comes_late start_mariadb
pipeline source.mariadb ', "query": "select seq, sleep(0.0005) as s, repeat('"'x'"', 100) as x from seq_1_to_200000"'
begin
comes sleeping
goes_away 'MariaDB (mariadb://.*)' kill_mariadb
start_mariadb
pipeline source.mariadb ', "query": "select 1 as a, sleep(60) as b", "timeout": "1s"'
start=$(date +%s)
go 1
err "gave no answer within 'timeout', 1 seconds"
begin --set rows.timeout=0
comes sleeping
ends_by TERM "a query that waits"
ok "and the server works no more" goes sleeping
ok "no minute was waited for" test $(($(date +%s) - start)) -lt 50

# ---- memory -----------------------------------------------------------------------------------------
constant_memory source.mariadb \
  'select seq as id, concat('"'商品 number '"', seq) as name, seq * 0.01 as price, repeat('"'描述 '"', 10) as description from seq_1_to_%d'

# ---- the battery --------------------------------------------------------------------------------------
battery source-mariadb types
done_testing
