#!/bin/sh
# test-headers.sh: every public header compiles alone, as C11 and as C++17,
# without a warning; and all together twice over.  FR_CC and FR_CXX are the
# compilers that configure found.
set -u
: "${FR_CC:=cc}" "${FR_CXX:=c++}"
include=$top_srcdir/core/include
# GLib's own headers use extensions, so they count as system headers.
flags=$(pkg-config --cflags glib-2.0 gio-2.0 json-glib-1.0 | sed 's/-I/-isystem /g')
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
set -- "$include"/flowrun/*.h
echo "1..$(( $# * 2 + 2 ))"
n=0
try () { # what, compiler and flags, file
  n=$(( n + 1 )) what=$1
  shift
  if "$@" >"$scratch/log" 2>&1; then
    echo "ok $n - $what"
  else
    echo "not ok $n - $what"
    sed 's/^/# /' "$scratch/log"
  fi
}
for header; do
  name=$(basename "$header")
  printf '#include <flowrun/%s>\nint unused_%s;\n' "$name" "$(basename "$name" .h)" >"$scratch/one.c"
  cp "$scratch/one.c" "$scratch/one.cc"
  # shellcheck disable=SC2086
  try "$name as C11" $FR_CC -std=c11 -pedantic-errors -Wall -Wextra -Werror -I"$include" $flags -fsyntax-only "$scratch/one.c"
  # shellcheck disable=SC2086
  try "$name as C++17" $FR_CXX -std=c++17 -Wall -Wextra -Werror -I"$include" $flags -fsyntax-only "$scratch/one.cc"
done
for twice in 1 2; do
  for header; do printf '#include <flowrun/%s>\n' "$(basename "$header")"; done
done >"$scratch/all.c"
echo 'int unused;' >>"$scratch/all.c"
cp "$scratch/all.c" "$scratch/all.cc"
# shellcheck disable=SC2086
try "all headers as C11" $FR_CC -std=c11 -pedantic-errors -Wall -Wextra -Werror -I"$include" $flags -fsyntax-only "$scratch/all.c"
# shellcheck disable=SC2086
try "all headers as C++17" $FR_CXX -std=c++17 -Wall -Wextra -Werror -I"$include" $flags -fsyntax-only "$scratch/all.cc"
exit 0
