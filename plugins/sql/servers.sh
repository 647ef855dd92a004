# servers.sh: real servers for tests, each in a directory of its own under $tmp, on a socket there,
# as an unprivileged user where the test runs as root (PostgreSQL refuses root), not kept safe on
# disk.  After tests/command/lib.sh.
#
#   has_postgres             whether its server is installed; sets $pg_bin
#   start_postgres           sets $pg (its socket's directory)
#   stop_postgres MODE       "fast", or "immediate" as a power cut would
#   pg SQL...                as the superuser, in the database postgres
#   has_mariadb              whether its server is installed
#   start_mariadb            sets $my (its directory; the socket is $my/sock)
#   my SQL...                as root, in the database shop
#   certificate DIR OWNER NAMES   DIR/server.crt and server.key, self-signed, for NAMES (DNS:localhost)
#   a_port                   a port nobody listens on now
trap 'stop_all; rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM HUP
chmod 711 "$tmp"
pg_pid='' my_pid=''

stop_all ()
{
  [ -z "$pg_pid" ] || stop_postgres immediate
  [ -z "$my_pid" ] || kill_mariadb
  pg_pid='' my_pid=''
}

# as USER COMMAND...: as that user if this is root
as ()
{
  user=$1
  shift
  if [ "$(id -u)" = 0 ]; then setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"; else "$@"; fi
}

# become USER COMMAND...: the same in place of this (sub)shell, whose process it then is
become ()
{
  user=$1
  shift
  [ "$(id -u)" != 0 ] || exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
  exec "$@"
}

unprivileged ()
{
  for name in "$@" nobody; do
    if id "$name" > /dev/null 2>&1; then
      echo "$name"
      return
    fi
  done
}

a_port ()
{
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

certificate ()
{
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "subjectAltName=$3" \
    -keyout "$1/server.key" -out "$1/server.crt" > /dev/null 2>&1 || return 1
  chmod 600 "$1/server.key"
  [ "$(id -u)" != 0 ] || chown "$2" "$1/server.key" "$1/server.crt"
}

# ---- PostgreSQL -----------------------------------------------------------------

has_postgres ()
{
  pg_bin=$(for d in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do [ -x "$d/initdb" ] && echo "$d"; done | sort -V | tail -n 1)
  [ -n "$pg_bin" ] || pg_bin=$(dirname "$(command -v initdb 2> /dev/null)" 2> /dev/null)
  [ -x "$pg_bin/initdb" ]
}

start_postgres () # OPTION...: more options of the server
{
  has_postgres || return 1
  pg=$tmp/pg pg_user=$(unprivileged postgres)
  if [ ! -d "$pg" ]; then
    mkdir "$pg"
    [ "$(id -u)" != 0 ] || chown "$pg_user" "$pg"
    (cd "$pg" && as "$pg_user" "$pg_bin/initdb" -D "$pg/data" -U postgres -A trust -N -E UTF8 --locale=C.UTF-8) > "$tmp/initdb.log" 2>&1 || { cat "$tmp/initdb.log" >&2; return 1; }
    cat > "$pg/data/pg_hba.conf" <<'END'
local   all reader scram-sha-256
local   all all    trust
hostssl all all    127.0.0.1/32 scram-sha-256
END
    if certificate "$pg/data" "$pg_user" DNS:localhost; then
      pg_port=$(a_port)
      echo "ssl = on
listen_addresses = '127.0.0.1'
port = $pg_port" >> "$pg/data/postgresql.conf"
    else
      pg_port=5432
      echo "listen_addresses = ''" >> "$pg/data/postgresql.conf"
    fi
  fi
  (cd "$pg" || exit 1
   become "$pg_user" "$pg_bin/postgres" -D "$pg/data" -k "$pg" -c fsync=off -c full_page_writes=off -c synchronous_commit=off "$@" > "$pg/log" 2>&1) &
  pg_pid=$!
  i=0
  until "$pg_bin/psql" -h "$pg" -p "$pg_port" -U postgres -c 'select 1' > /dev/null 2>&1; do
    i=$((i + 1))
    [ $i -lt 300 ] && kill -0 $pg_pid 2> /dev/null || { cat "$pg/log" >&2; return 1; }
    sleep 0.1
  done
}

stop_postgres ()
{
  as "$pg_user" "$pg_bin/pg_ctl" -D "$pg/data" -m "$1" -W stop > /dev/null 2>&1
  wait "$pg_pid" 2> /dev/null
  pg_pid=''
}

pg ()
{
  for sql in "$@"; do
    "$pg_bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$pg" -p "$pg_port" -U postgres -d postgres -c "$sql" || return 1
  done
}

# ---- MariaDB ---------------------------------------------------------------------

has_mariadb ()
{
  for d in mariadbd mariadb-install-db mariadb; do command -v $d > /dev/null || PATH=$PATH:/usr/sbin command -v $d > /dev/null || return 1; done
}

start_mariadb () # OPTION...
{
  has_mariadb || return 1
  my=$tmp/my my_user=$(unprivileged mysql)
  if [ ! -d "$my" ]; then
    mkdir "$my"
    [ "$(id -u)" != 0 ] || chown "$my_user" "$my"
    PATH=$PATH:/usr/sbin as "$my_user" mariadb-install-db --no-defaults --datadir="$my/data" --auth-root-authentication-method=normal --skip-test-db > "$tmp/install.log" 2>&1 || { cat "$tmp/install.log" >&2; return 1; }
    my_port=0 my_ssl=--skip-networking
    if certificate "$my" "$my_user" IP:127.0.0.1; then
      my_port=$(a_port)
      my_ssl="--ssl-cert=$my/server.crt --ssl-key=$my/server.key --bind-address=127.0.0.1 --port=$my_port"
    fi
  fi
  # shellcheck disable=SC2086
  (PATH=$PATH:/usr/sbin
   become "$my_user" mariadbd --no-defaults --datadir="$my/data" --socket="$my/sock" --pid-file="$my/pid" \
     --skip-name-resolve --innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync $my_ssl "$@" > "$my/log" 2>&1) &
  my_pid=$!
  i=0
  until mariadb --no-defaults -S "$my/sock" -u root -e 'select 1' > /dev/null 2>&1; do
    i=$((i + 1))
    [ $i -lt 300 ] && kill -0 $my_pid 2> /dev/null || { cat "$my/log" >&2; return 1; }
    sleep 0.1
  done
  mariadb --no-defaults -S "$my/sock" -u root -e 'create database if not exists shop character set utf8mb4'
}

# As a power cut would.
kill_mariadb ()
{
  kill -9 "$my_pid" 2> /dev/null
  wait "$my_pid" 2> /dev/null
  my_pid=''
}

my ()
{
  for sql in "$@"; do
    mariadb --no-defaults --default-character-set=utf8mb4 -N -B -S "$my/sock" -u root shop -e "$sql" || return 1
  done
}

# until_it_prints WHAT COMMAND...: waits until COMMAND prints WHAT
prints () { printed=$1; shift; [ "$("$@")" = "$printed" ]; }
until_it_prints () { wait_until prints "$@"; }

comes () { until_it_prints 1 "$@"; }
goes () { until_it_prints 0 "$@"; }

# ---- flowrun -----------------------------------------------------------------------

# pipeline ELEMENT WITH: p.json, whose DSN is $DSN; WITH: members of "with", each after a comma
pipeline ()
{
  cat > p.json <<END
{ "name": "p", "stages": {
  "rows": { "use": "$1", "with": { "dsn": { "env": "DSN" }${2:-} } },
  "write": { "use": "sink.jsonl", "from": "rows", "with": { "path": "out.jsonl" } } } }
END
}

go () { run "$1" p.json --run-dir run --progress none; } # STATUS

# rows NAME: out.jsonl is what stands on standard input
rows ()
{
  cat > "$tmp/.wanted"
  cmp -s "$tmp/.wanted" out.jsonl
  status=$?
  [ $status = 0 ] || diff "$tmp/.wanted" out.jsonl | head -20 | sed 's/^/# /'
  tell $status "$1"
}

# counted NAME VALUE: a counter of the stage rows
counted ()
{
  grep -A 40 '"rows": {' run/report.json | grep -q "\"$1\": $2\>"
  tell $? "$1 is $2"
}

# refused ELEMENT CASE...: CASE, "members of with|what is said": a run fails so and writes nothing
refused ()
{
  element=$1
  shift
  for case in "$@"; do
    pipeline "$element" ", ${case%%|*}"
    rm -f out.jsonl
    "$FLOWRUN" p.json --run-dir run --progress none > "$tmp/.out" 2> "$tmp/.err" < /dev/null
    status=$?
    [ $status != 0 ] && [ ! -e out.jsonl ] && grep -q -e "${case#*|}" "$tmp/.err"
    tell $? "refused: ${case%%|*}"
  done
}

# no_password: none of those that the tests use is in a run directory or in what was said
no_password ()
{
  ! grep -r -q -s -e Tr0ub4dor -e W0rsenoch run run2 "$tmp/.err" "$tmp/.out" p.json
  tell $? "no password in a run directory or a message"
}

# stays_home: p.json is checked without a server, and not run without the network
stays_home ()
{
  (unset DSN; run 0 check p.json) | grep -q '^ok'
  tell $? "check wants no server"
  run 2 p.json --deny network --run-dir run --progress none
  err 'uses the network'
}

# begins_at_since ELEMENT SINCE MORE: a first run of goods, of twenty rows an hour apart, in run/; MORE: as WITH of pipeline
begins_at_since ()
{
  rm -rf run
  pipeline "$1" ", \"table\": \"goods\", \"select\": [\"id\", \"updated_at\"], \"incremental\": \"updated_at\", \"since\": \"$2\"${3:-}"
  go 0
  rows "the first run begins at 'since'" <<'END'
{"id":18,"updated_at":"2024-01-01T18:00:00Z"}
{"id":19,"updated_at":"2024-01-01T19:00:00Z"}
{"id":20,"updated_at":"2024-01-01T20:00:00Z"}
END
}

# begin WORD...: runs p.json with WORDs beside the test, as process $waiting
begin ()
{
  rm -f out.jsonl
  "$FLOWRUN" p.json "$@" --run-dir run --progress plain > "$tmp/.out" 2> "$tmp/.err" &
  waiting=$!
}

# begins_to_read: waits until what began has its rows under way
begins_to_read () { comes grep -c -m 1 'rows: running' "$tmp/.err"; }

# ends_by SIGNAL WHAT: what began ends by SIGNAL, soon
ends_by ()
{
  ms=$(date +%s%N)
  kill -"$1" "$waiting"
  wait "$waiting"
  status=$? ms=$((($(date +%s%N) - ms) / 1000000))
  [ $status = 130 ] && [ $ms -lt 5000 ]
  tell $? "SIG$1 ends $2 (status $status, $ms ms)"
}

# comes_late START...: p.json waits for a server that START starts
comes_late ()
{
  "$FLOWRUN" p.json --run-dir run --progress plain > "$tmp/late.out" 2> "$tmp/late.err" &
  waiting=$!
  sleep 1.5
  "$@"
  wait $waiting
  status=$?
  [ $status = 0 ] || sed "s/^/# late: /" "$tmp/late.err"
  tell $status "a server that comes up while it is waited for"
}

# goes_away SERVER STOP...: what began loses the server that STOP stops, in the middle of its rows
goes_away ()
{
  server=$1
  shift
  sleep 4
  "$@"
  wait "$waiting"
  status=$?
  [ $status = 1 ] && grep -q "the connection to $server was lost: .*, after [1-9][0-9]* rows; nothing of this run was put in place, so it can be run again" "$tmp/.err" && [ ! -e out.jsonl ]
  tell $? "a server that goes away in the middle (status $status)"
}

# constant_memory ELEMENT QUERY: QUERY, a format of the number of its rows, takes no more memory for a million
constant_memory ()
{
  if sanitized; then
    skip "memory" "sanitizers keep what was freed"
    return
  fi
  few=''
  for many in 10000 1000000; do
    # shellcheck disable=SC2059
    pipeline "$1" ", \"query\": \"$(printf "$2" $many)\""
    go 0
    peak=$(sed -n 's/.*"peak_resident_bytes": \([0-9]*\).*/\1/p' run/report.json)
    : "${few:=$peak}"
  done
  ok "a million rows" test "$(wc -l < out.jsonl)" = 1000000
  [ $((peak - few)) -lt 33554432 ]
  tell $? "memory does not grow with the rows ($((few / 1048576)) MiB for 10 000, $((peak / 1048576)) MiB for 1 000 000)"
}

# battery PLUGIN TABLE: plugin-check of what reads TABLE from $DSN
battery ()
{
  echo "$DSN" > "$tmp/dsn"
  run 0 plugin-check "$top_builddir/plugins/.libs/$1.so" --with "{\"dsn\": {\"file\": \"$tmp/dsn\"}, \"table\": \"$2\"}"
  out '^ok .*: it runs$'
  out ' 0 failed, '
}
