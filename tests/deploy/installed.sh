#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# installed.sh: the installed flowrun as a user without rights: serves, answers, is put under load, ends.  Called by
# installcheck.sh, which sets bindir and what the loader needs; says what went wrong and fails.
#
# As root the user is nobody, in a folder of its own; else it is whoever runs this.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/server.sh"
dir=$(mktemp -d)
trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null; rm -rf "$dir" "$answer"' EXIT
become=
if [ "$(id -u)" = 0 ]; then
  become="setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs"
  chown 65534 "$dir"
fi
cd "$dir" || exit 1
# Nothing of this tree, nothing of this user.
alone () { env -i PATH=/usr/bin:/bin LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}" HOME="$dir" LC_ALL=C.UTF-8 $become "$@"; }
fail () { echo "$*"; sed 's/^/server: /' server.log 2> /dev/null | tail -20; exit 1; }

# shellcheck disable=SC2086
server_start server.log env -i PATH=/usr/bin:/bin LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}" HOME="$dir" LC_ALL=C.UTF-8 \
  $become "$bindir/flowrun" serve \
  --var model="$FLOWRUN_SMOLLM2" --var port=0 || fail "flowrun serve does not start"
server_await /readyz 240 || fail "flowrun serve does not become ready"
server_get 200 /v1/chat/completions -H 'Content-Type: application/json' \
  -d '{"messages": [{"role": "user", "content": "你好"}], "max_tokens": 4}' || fail "no answer"
grep -q '"assistant"' "$answer" || fail "no answer of an assistant: $(cat "$answer")"
alone "$bindir/flowrun" load-test --progress none --run-dir "$dir/load" --var url="$url" --var seconds=0 --set load.requests=4 \
  --set load.warmup=0 --var max_tokens=4 --var objective=60s > load.log 2>&1 || fail "flowrun load-test: $(cat load.log)"
[ -s load/report.html ] || fail "the load test has no page"
server_stop 30 || fail "SIGTERM did not end it well within 30 s"
echo "served and ended within $took s"
