# server.sh: for scripts that need a running server: starts one, finds its port, ends it.
#
#   server_start LOG COMMAND…   in the background; sets $server (its pid) and $url when it listens
#   server_await PATH [SECONDS] until GET PATH answers 200; fails when the server ends before
#   server_get CODE PATH [CURL-WORD…]      CODE is the status; the body is in $answer
#   server_stop [SECONDS]       SIGTERM; fails when it is not gone, with status 0, in time (30); sets $took
#   server_wait [SECONDS]       the same when the signal was sent already
#
# A server says its address on standard error ("http://127.0.0.1:41234"); ports are not chosen here.
server= url= took=
answer=$(mktemp)

server_start ()
{
  server_log=$1
  shift
  : > "$server_log"
  "$@" > "$server_log.out" 2> "$server_log" < /dev/null &
  server=$!
  url= server_i=0
  while [ $server_i -lt 300 ]; do
    url=$(sed -n 's|.*\(http://[0-9.]*:[1-9][0-9]*\).*|\1|p' "$server_log" | sed -n 1p | sed 's|//0\.0\.0\.0:|//127.0.0.1:|')
    [ -z "$url" ] || return 0
    kill -0 "$server" 2> /dev/null || return 1
    server_i=$((server_i + 1))
    sleep 0.1
  done
  return 1
}

server_status () { curl -s -o "$answer" -w '%{http_code}' --max-time "${server_limit:-60}" "$@"; }

server_await ()
{
  server_i=0
  while [ $server_i -lt $((${2:-120} * 10)) ]; do
    [ "$(server_limit=2 server_status "$url$1")" != 200 ] || return 0
    kill -0 "$server" 2> /dev/null || return 1
    server_i=$((server_i + 1))
    sleep 0.1
  done
  return 1
}

server_get ()
{
  server_want=$1 server_path=$2
  shift 2
  server_got=$(server_status "$@" "$url$server_path")
  [ "$server_got" = "$server_want" ] || { echo "# $server_path: $server_got, not $server_want"; false; }
}

server_wait ()
{
  server_begin=$(date +%s)
  (
    server_i=0
    while [ $server_i -lt "${1:-30}" ]; do
      sleep 1
      server_i=$((server_i + 1))
    done
    kill -KILL "$server" 2> /dev/null
  ) &
  server_timer=$!
  wait "$server"
  server_ended=$?
  took=$(($(date +%s) - server_begin))
  kill "$server_timer" 2> /dev/null
  wait "$server_timer" 2> /dev/null
  server=
  [ "$server_ended" = 0 ]
}

server_stop ()
{
  kill -TERM "$server" 2> /dev/null && server_wait "${1:-30}"
}
