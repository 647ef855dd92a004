#!/bin/sh
# installcheck.sh: what a person who has only the installed flowrun can do:
# begin a plugin of each kind, build it, test it, install it and run with it.
# Also: the pkg-config files, the autoconf macro, headers, manual page,
# completion, pipelines and schemas.  Run by `make installcheck`, which sets
# bindir, libdir, datadir, mandir, includedir, plugindir, pipelinedir, schemadir, CC, CXX.
set -u
if [ -n "${DESTDIR:-}" ]; then
  echo "1..0 # SKIP an installation below DESTDIR is not where its files say it is"
  exit 0
fi
if [ "${SANITIZED:-no}" = yes ]; then
  echo "1..0 # SKIP the plugins of others are not built with sanitizers"
  exit 0
fi
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
n=0 bad=0

# step NAME COMMAND...: one TAP line; on failure the end of what it said.
step ()
{
  name=$1
  shift
  n=$((n + 1))
  if "$@" > "$tmp/log" 2>&1; then
    echo "ok $n - $name"
  else
    bad=$((bad + 1))
    echo "not ok $n - $name"
    tail -40 "$tmp/log" | sed 's/^/# /'
  fi
}
skip () { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }

unset FLOWRUN_PLUGIN_PATH FLOWRUN_PIPELINE_PATH MAKEFLAGS MFLAGS MAKELEVEL 2> /dev/null || :
PATH=$bindir:$PATH
LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
PKG_CONFIG_PATH=$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
ACLOCAL_PATH=$datadir/aclocal${ACLOCAL_PATH:+:$ACLOCAL_PATH}
HOME=$tmp XDG_DATA_HOME=$tmp/data
export PATH LD_LIBRARY_PATH PKG_CONFIG_PATH ACLOCAL_PATH HOME XDG_DATA_HOME
flowrun=$bindir/flowrun
cd "$tmp" || exit 99

step "the program starts" "$flowrun" --version
step "it lists its elements" "$flowrun" list
step "pkg-config knows flowrun" pkg-config --exists --print-errors flowrun
step "pkg-config knows flowrun-test" pkg-config --exists --print-errors flowrun-test
step "pkg-config says where plugins are" test "$(pkg-config --variable=plugindir flowrun)" = "$plugindir"
step "the plugins are there" sh -c 'ls "$1"/*-*.so' sh "$plugindir"
step "the autoconf macro is there" test -f "$datadir/aclocal/flowrun.m4"
step "the manual page is there" test -f "$mandir/man1/flowrun.1"
step "bash completion is there" test -f "$datadir/bash-completion/completions/flowrun"
step "zsh completion is there" test -f "$datadir/zsh/site-functions/_flowrun"
for header in "$includedir"/flowrun/*.h; do
  base=$(basename "$header")
  echo "#include <flowrun/$base>" > header.c
  cp header.c header.cc
  # shellcheck disable=SC2046
  step "$base alone is C11" ${CC:-cc} -std=c11 -Wall -Werror -fsyntax-only $(pkg-config --cflags flowrun) header.c
  # shellcheck disable=SC2046
  step "$base alone is C++17" ${CXX:-c++} -std=c++17 -Wall -Werror -fsyntax-only $(pkg-config --cflags flowrun) header.cc
done
# Nothing may be wrong but that the user has to say what a variable is.
checked () {
  "$flowrun" check "$@" >check.out 2>&1 && return
  cat check.out
  ! grep -v "^[0-9]* errors*$" check.out | grep -v ": error: the variable '[a-z_]*' has no value: "
}
for pipeline in "$pipelinedir"/*.json; do
  [ -f "$pipeline" ] || continue
  name=$(basename "$pipeline" .json)
  set --
  case $name in
    crawl-site) set -- --var url=https://www.example.com/ ;;
    content-generator)
      if [ ! -r "${FLOWRUN_SMOLLM2:-}" ]; then
        skip "the installed pipeline $name is correct" "no base model; FLOWRUN_SMOLLM2 names one"
        continue
      fi
      set -- --var base="$FLOWRUN_SMOLLM2" ;;
  esac
  step "the installed pipeline $name is correct" checked "$name" "$@"
done
for schema in "$schemadir"/*.json; do
  [ -f "$schema" ] || continue
  step "the schema $(basename "$schema") is JSON" python3 -m json.tool "$schema"
done
step "the schema of everything can be made" "$flowrun" schema
unit=${bindir%/bin}/lib/systemd/system/flowrun-serve.service
step "the systemd unit starts the installed program" sh -c '[ "$(sed -n "s/^ExecStart=\([^ ]*\) .*/\1/p" "$1")" = "$2" ]' sh \
  "$unit" "$flowrun"
if [ ! -e "$plugindir/sink-serve.so" ]; then
  skip "a user without rights serves" "sink.serve is not built"
elif [ ! -r "${FLOWRUN_SMOLLM2:-}" ]; then
  skip "a user without rights serves" "no model; FLOWRUN_SMOLLM2 names one"
elif [ "$(id -u)" = 0 ] && ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$flowrun"; then
  skip "a user without rights serves" "another user cannot reach $bindir"
else
  bindir=$bindir step "a user without rights serves" sh "$here/deploy/installed.sh"
fi

for kind in source transform evaluator sink; do
  step "new $kind" "$flowrun" new $kind my-$kind
  cd "$tmp/my-$kind" || exit 99
  so=$kind-my_$kind.so
  step "$kind: autoreconf" autoreconf -i
  step "$kind: configure" ./configure -q --cache-file="$tmp/config.cache" \
    --with-flowrunplugindir="$tmp/plugins" ${CC:+CC="$CC"}
  step "$kind: make" make
  step "$kind: make check" make check
  if [ -e "$plugindir/source-csv.so" ] && [ -e "$plugindir/sink-jsonl.so" ]; then
    step "$kind: make run" make run
  else
    skip "$kind: make run" "source.csv and sink.jsonl are not built"
  fi
  step "$kind: make install" make install
  step "$kind: help finds it" "$flowrun" help $kind.my_$kind --plugin-path "$tmp/plugins"
  if [ $kind = source ]; then
    step "$kind: plugin-check" "$flowrun" plugin-check "$tmp/plugins/$so" \
      --with "{\"path\": \"$tmp/my-source/example.txt\"}"
  else
    step "$kind: plugin-check" "$flowrun" plugin-check "$tmp/plugins/$so"
  fi
  if [ -e "$plugindir/source-csv.so" ] && [ -e "$plugindir/sink-jsonl.so" ]; then
    FLOWRUN_PLUGIN_PATH=$tmp/plugins step "$kind: the installed plugin runs" "$flowrun" run --fresh example.json
  fi
  cd "$tmp" || exit 99
done
step "the transform did its work" test \
  "$(sed -n 2p my-transform/out.jsonl 2> /dev/null)" = '{"id":2,"text":"蓝色 茶杯"}'
step "the sink did its work" test "$(sed -n 2p my-sink/out.txt 2> /dev/null)" = 'as it should be'
echo "1..$n"
echo "$((n - bad)) passed, $bad failed"
[ $bad = 0 ]
