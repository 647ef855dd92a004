#!/bin/sh
# test-docs.sh: the checked-in manual pages are what the tables say, and
# flowrun(1) is correct mdoc.
set -u
out=$("$top_srcdir/tests/update-docs.sh" --check)
echo "$out" | grep -v '^1\.\.'
n=$(echo "$out" | grep -c '^\(not \)\?ok ')
n=$((n + 1))
if ! command -v mandoc > /dev/null; then
  echo "ok $n - flowrun(1) is correct mdoc # SKIP mandoc is not installed"
elif complaints=$(mandoc -Tlint -Wwarning "$top_srcdir/core/command/flowrun.1"); then
  echo "ok $n - flowrun(1) is correct mdoc"
else
  echo "not ok $n - flowrun(1) is correct mdoc"
  echo "$complaints" | sed 's/^/# /'
fi
echo "1..$n"
