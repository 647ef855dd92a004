#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# database.sh [ROWS]: a table of PostgreSQL to JSON Lines, two workers, beside psycopg, pandas and connectorx with
# polars in the same run on the same server; then the same table from MariaDB.  Prints seconds, rows a second, the
# ratio to the fastest rival and each one's peak resident memory.  Needs $FLOWRUN_VENV with psycopg, pandas,
# connectorx and polars, the servers' Debian packages, and an optimised flowrun in $top_builddir (default: build).
#
# The rivals' seconds are their own, without the start of Python and the imports; flowrun's are those of the whole
# process, which also hashes and syncs what it wrote.
set -eu
many=${1:-1000000}
here=$(cd "$(dirname "$0")" && pwd)
top_srcdir=$here/../..
top_builddir=${top_builddir:-$top_srcdir/build}
python=${FLOWRUN_VENV:-/nonexistent}/bin/python
if ! "$python" -c 'import psycopg, pandas, connectorx, polars' 2> /dev/null; then
  echo "SKIP: no psycopg, pandas, connectorx and polars in \$FLOWRUN_VENV"
  exit 0
fi
FLOWRUN=$top_builddir/flowrun
FLOWRUN_PLUGIN_PATH=$top_builddir/plugins/.libs
POLARS_MAX_THREADS=2
export FLOWRUN FLOWRUN_PLUGIN_PATH POLARS_MAX_THREADS
set +eu
. "$top_srcdir/tests/command/lib.sh"
. "$top_srcdir/plugins/sql/servers.sh"
if ! start_postgres; then
  echo "SKIP: no PostgreSQL server"
  exit 0
fi
pg "create table goods as select i as id, '商品 number ' || i as name, ((i % 10000) / 100.0)::numeric(10,2) as price,
      '2024-01-01'::timestamptz + i * interval '1.5 seconds' as added, i % 2 = 0 as sale, repeat('描述 text ', 1 + i % 10) as description,
      i * 1.37::float8 as w from generate_series(1, $many) i" "alter table goods add primary key (id)" "vacuum analyze goods" \
  "create role rival login password 'rival'" "grant select on goods to rival"
echo "local all rival trust
host all rival 127.0.0.1/32 trust" | cat - "$pg/data/pg_hba.conf" > hba && cat hba > "$pg/data/pg_hba.conf" && pg "select pg_reload_conf()" > /dev/null
conninfo="host=$pg port=$pg_port user=postgres dbname=postgres"
uri="postgresql://rival@127.0.0.1:$pg_port/postgres?sslmode=disable"
cat > bench.json <<'END'
{ "name": "bench", "stages": {
  "rows": { "use": "source.postgres", "with": { "dsn": { "env": "DSN" }, "table": "goods" } },
  "write": { "use": "sink.jsonl", "from": "rows", "with": { "path": "flowrun.jsonl" } } } }
END
best () { printf '%s\n' "$@" | sort -n | head -n 1; }
timed () # NAME COMMAND...: NAME.use gets "seconds user system kilobytes"
{
  name=$1
  shift
  /usr/bin/env time -f '%e %U %S %M' -a -o "$name.use" "$@"
}
ours='' psycopg='' pandas='' connectorx=''
for round in 1 2 3; do
  DSN=$conninfo timed flowrun "$FLOWRUN" bench.json --fresh --workers 2 --progress none > /dev/null 2> err || { cat err; exit 1; }
  ours="$ours $(awk 'END {print $1}' flowrun.use)"
  connectorx="$connectorx $(timed connectorx "$python" "$here/database.py" connectorx "$uri" connectorx.jsonl)"
  if [ $round = 1 ]; then
    psycopg=$(timed psycopg "$python" "$here/database.py" psycopg "$conninfo" psycopg.jsonl)
    pandas=$(timed pandas "$python" "$here/database.py" pandas "$conninfo" pandas.jsonl 2> /dev/null)
  fi
  echo "round $round: flowrun$ours | connectorx$connectorx | psycopg $psycopg | pandas $pandas"
done
"$python" "$here/database.py" same flowrun.jsonl psycopg.jsonl
"$python" "$here/database.py" same flowrun.jsonl connectorx.jsonl
# shellcheck disable=SC2086
best_ours=$(best $ours) best_rival=$(best $connectorx $psycopg $pandas)
echo "$best_rival $best_ours $many" | awk '{ printf "flowrun %.2f s (%.0f rows/s), fastest rival %.2f s: %.2f times its speed\n", $2, $3 / $2, $1, $1 / $2 }'
echo "$psycopg $best_ours" | awk '{ printf "psycopg %.2f s: %.1f times its speed\n", $1, $1 / $2 }'
for name in flowrun connectorx psycopg pandas; do
  awk -v name=$name '{ cpu += $2 + $3; if ($4 > kb) kb = $4 }
    END { printf "%s: %.2f CPU seconds a run, at most %.0f MB resident\n", name, cpu / NR, kb * 1024 / 1e6 }' $name.use
done
if start_mariadb; then
  my "create table goods (id int primary key, name text, price decimal(10,2), added datetime, sale tinyint(1), description text, w double)" \
    "insert into goods select seq, concat('商品 number ', seq), (seq % 10000) / 100, '2024-01-01' + interval seq second, seq % 2, repeat('描述 text ', 1 + seq % 10), seq * 1.37e0 from seq_1_to_$many"
  sed -i 's/source.postgres/source.mariadb/' bench.json
  for round in 1 2 3; do
    DSN="mariadb://root@/shop?socket=$my/sock" timed mariadb "$FLOWRUN" bench.json --fresh --workers 2 --progress none > /dev/null 2> err || { cat err; exit 1; }
  done
  sort -n mariadb.use | awk -v n="$many" 'NR == 1 { printf "MariaDB: flowrun %.2f s (%.0f rows/s), %.0f MB resident\n", $1, n / $1, $4 * 1024 / 1e6 }'
fi
