# lib.sh: for the tests of the command: runs it, looks at what it says, prints TAP.
#
#   run STATUS WORD...     runs flowrun WORD...; out and err in $tmp; the status must be STATUS
#   out PATTERN            standard output has a line like PATTERN (a basic regular expression)
#   err PATTERN            standard error has
#   no_out / no_err        nothing at all there
#   ok NAME COMMAND...     COMMAND succeeds
#   sanitized              whether flowrun was built with AddressSanitizer, and is slow
#   done_testing           the plan
# The first word of a TAP line names what was run, so that a failure can be repeated.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 99
n=0 last=

tell ()
{
  n=$((n + 1))
  if [ "$1" = 0 ]; then
    echo "ok $n - $2"
  else
    echo "not ok $n - $2"
    [ ! -f "$tmp/.out" ] || head -20 "$tmp/.out" | sed 's/^/# out: /'
    [ ! -f "$tmp/.err" ] || head -20 "$tmp/.err" | sed 's/^/# err: /'
  fi
}

run ()
{
  wanted=$1
  shift
  last="flowrun $*"
  "$FLOWRUN" "$@" > "$tmp/.out" 2> "$tmp/.err" < /dev/null
  status=$?
  [ $status = "$wanted" ]
  tell $? "$last: status $status, expected $wanted"
}

out () { grep -q -e "$1" "$tmp/.out"; tell $? "$last: prints '$1'"; }
err () { grep -q -e "$1" "$tmp/.err"; tell $? "$last: says '$1'"; }
no_out () { [ ! -s "$tmp/.out" ]; tell $? "$last: prints nothing"; }
no_err () { [ ! -s "$tmp/.err" ]; tell $? "$last: says nothing on standard error"; }
ok () { name=$1; shift; "$@" > /dev/null 2>&1; tell $? "$name"; }
skip () { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }
done_testing () { echo "1..$n"; }
sanitized () { grep -q -a -s __asan_init "$FLOWRUN" "$top_builddir/.libs/flowrun"; }
# wait_until COMMAND...: until COMMAND succeeds, half a minute at most
wait_until ()
{
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || return 1
    sleep 0.1
  done
}
have () { [ -e "$top_builddir/plugins/.libs/$1.so" ]; }

# A small shop that most tests use.
shop ()
{
  cat > goods.csv <<'END'
id,name,price
1,蓝色茶杯 blue cup,12.5
2,"a box
of tea",30
3,,
4,锅,99.9
END
  cat > shop.json <<'END'
{
  "name": "shop",
  "vars": { "out": { "default": "out.jsonl", "help": "where rows go" } },
  "stages": {
    "goods": { "use": "source.csv", "with": { "path": "goods.csv" } },
    "names": { "use": "transform.select", "from": "goods", "with": { "columns": ["id", "name"] } },
    "write": { "use": "sink.jsonl", "from": "names", "with": { "path": "${out}" } }
  }
}
END
}
