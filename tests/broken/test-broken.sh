#!/bin/sh
# test-broken.sh: flowrun check says exactly what NAME.expect says of NAME.json.
#
# A line of NAME.expect is "file:line:column: error: message (pointer)"; the
# plugin path of this machine is written PATH.  Options for the command stand
# in NAME.args, one a line.  Here the elements are a fake plugin's; in elements/
# they are flowrun's own, and a file is left out when one that it uses is not
# built.  UPDATE=1 writes the expectations anew: look at the difference before
# believing it.
cd "$top_srcdir/tests/broken" || exit 1
here=$(pwd -P)
FLOWRUN_PLUGIN_PATH=$top_builddir/tests/broken/plugin/.libs
export FLOWRUN_PLUGIN_PATH
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

n=0
result () { # $1: 0 for success, $2: name
  n=$((n + 1))
  if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

# The first element that file $1 uses and that is not there.
not_built () {
  for use in $(sed -n 's/.*"use": *"\([a-z]*\.[a-z_]*\)".*/\1/p' "$1"); do
    grep -q "^$use " "$tmp/elements" || { echo "$use"; return; }
  done
}
FLOWRUN_PLUGIN_PATH=$top_builddir/plugins/.libs "$FLOWRUN" list >"$tmp/elements" 2>/dev/null

set -- *.json elements/*.json
echo "1..$(($# + 4))"
for file in "$@"; do
  name=${file%.json}
  case $name in
    elements/*)
      FLOWRUN_PLUGIN_PATH=$top_builddir/plugins/.libs
      missing=$(not_built "$file")
      if [ -n "$missing" ]; then result 0 "$name # SKIP $missing is not built"; continue; fi ;;
    *) FLOWRUN_PLUGIN_PATH=$top_builddir/tests/broken/plugin/.libs ;;
  esac
  set --
  if [ -e "$name.args" ]; then
    while IFS= read -r arg; do set -- "$@" "$arg"; done <"$name.args"
  fi
  "$FLOWRUN" check "$file" "$@" >"$tmp/out" 2>&1
  status=$?
  sed "s|$here/||g" "$tmp/out" >"$tmp/short" && mv "$tmp/short" "$tmp/out"
  sed 's| in [^ ]*/plugin/\.libs, [^;(]*;| in PATH;|' "$tmp/out" | grep -E ': (error|warning): ' >"$tmp/got"
  if [ -n "$UPDATE" ]; then cp "$tmp/got" "$name.expect"; fi
  want=0
  if grep -q ': error: ' "$name.expect"; then want=2; fi
  if cmp -s "$tmp/got" "$name.expect" && [ $status = $want ]; then
    result 0 "$name"
  else
    result 1 "$name"
    echo "# exit status $status, expected $want; < expected, > found:"
    diff "$name.expect" "$tmp/got" | sed 's/^/# /'
  fi
done

# What is no file at all.
FLOWRUN_PLUGIN_PATH=$top_builddir/tests/broken/plugin/.libs
says () { # $1: file, $2: text
  "$FLOWRUN" check "$1" >"$tmp/out" 2>&1
  if [ $? = 2 ] && grep -qF "$2" "$tmp/out"; then result 0 "$1"; else result 1 "$1"; sed 's/^/# /' "$tmp/out"; fi
}
cd "$tmp" || exit 1
mkdir directory
head -c 17000000 /dev/zero | tr '\0' ' ' >large.json
says missing.json "missing.json: error: cannot open the pipeline file missing.json: No such file or directory"
says ./directory "'./directory' is a directory; a pipeline file is needed"
says large.json "large.json: error: the file is larger than 16 MiB, which no pipeline is"
says no_such_pipeline "there is no pipeline 'no_such_pipeline' in "
