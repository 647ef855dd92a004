#!/bin/sh
# fallen.sh BUILD: what fell in the last `make check` of BUILD: the end of each such test's output, passed checks left out,
# and last the failed checks of all by name, so that a log of which only the end is kept says them.
set -eu
cd "${1:?a build directory}"
trs=$(grep -rlE --include='*.trs' '^:test-result: (FAIL|ERROR|XPASS)' . | sort) || true
for result in $trs; do
  printf '== %s\n' "${result%.trs}"
  grep -vE -e '^ *(ok [0-9]|#? *(PASS|SKIP|XFAIL): )' -e '^$' "${result%.trs}.log" | cut -c1-400 | tail -n 40
done
for result in $trs; do
  sed -nE "s|^:test-result: ((FAIL\|ERROR\|XPASS).*)|${result%.trs}: \\1|p" "$result" | head -n 20
done
